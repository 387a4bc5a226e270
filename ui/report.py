"""Errors and texts from data on the screen: the one place where an error becomes words for the reader."""

import html
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import streamlit as st

from mlperf.errors import DashboardError


@contextmanager
def faults() -> Iterator[None]:
    """Show a `DashboardError` as what was found, where, and what to do.

    Any other exception is a fault of ours: it goes on to Streamlit, which logs it whole and tells the reader so.
    """
    try:
        yield
    except DashboardError as error:
        place = f"{error.where}: " if error.where else ""
        st.error(verbatim(f"{place}{error.found}") + (f"\n\n{verbatim(error.fix)}" if error.fix else ""))


def warnings(title: str, texts: Iterable[str]) -> None:
    """A warning that lists texts from data or from a link; nothing for no texts."""
    if lines := [f"- {verbatim(text)}" for text in texts]:
        st.warning("\n".join([title, "", *lines]))


def brand(name: str, what: str) -> None:
    """Whose page this is, in one small line above its heading."""
    st.html(f'<p style="font-size:.9rem;margin:0"><b>{html.escape(name)}</b>, {html.escape(what)}</p>')


def heading(text: str, below: str) -> None:
    """The page's heading and a line below it, from data."""
    style = "font-size:1.6rem;line-height:1.25;padding:0;margin:0;overflow-wrap:anywhere"
    title = f'<h1 style="{style}">{html.escape(text)}</h1>'
    st.html(f'{title}<p style="font-size:.9rem;opacity:.8;margin:.25rem 0 0">{html.escape(below)}</p>')


def note(texts: Iterable[str]) -> None:
    """Small print, from data: a paragraph per text; nothing for no texts."""
    style = "font-size:.8rem;line-height:1.45;opacity:.8;margin:0 0 .5rem;overflow-wrap:anywhere"
    if paragraphs := "".join(f'<p style="{style}">{html.escape(text)}</p>' for text in texts):
        st.html(paragraphs)


def links(title: str, found: Iterable[tuple[str, str]]) -> None:
    """A line of links into this app, from data: (name, address) of each; nothing for none."""
    style = "font-size:.85rem;overflow-wrap:anywhere;margin:0"
    if anchors := [_anchor(name, address) for name, address in found]:
        st.html(f'<p style="{style}">{html.escape(title)} {" · ".join(anchors)}</p>')


def _anchor(name: str, address: str) -> str:
    return f'<a href="{html.escape(address)}" target="_self">{html.escape(name)}</a>'


def verbatim(text: str) -> str:
    """A text as Markdown that shows it as it is: no link, no directive, no HTML, no mathematics."""
    fence = "`" * (max((len(run) for run in re.findall("`+", text)), default=0) + 1)
    return f"{fence} {' '.join(text.split())} {fence}"
