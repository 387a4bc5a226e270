"""What a reader takes home of what is shown: files of the data, pictures of the charts, a citation."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

import streamlit as st

from mlperf.citation import Citation
from mlperf.export import MEDIA_TYPES, Format
from ui import picture

FORMS: Final[tuple[Format, ...]] = ("csv", "parquet")


@dataclass(frozen=True)
class Files:
    """How to make what is taken home; each thing is made only when it is asked for."""

    write: Callable[[Format], bytes]
    """The bytes of the data's file."""
    name: Callable[[str], str]
    """The name of a file with this ending."""
    title: str
    """Of the picture."""
    footnote: Callable[[], Sequence[str]]
    """Of the picture, a paragraph per text."""
    charts: Sequence[str]
    """The keys of the charts, as `picture.buttons` wants them."""
    cited: Callable[[], Citation]
    findings: Callable[[], Sequence[str]] = tuple
    """What stands against comparing the data, where the data's own file has no column for it."""


def offer(files: Files, key: str) -> None:
    """Two panels, Download and Cite, each built only while it is open. `key` makes those of its elements unique."""
    panel = st.popover(
        "Download", key=f"{key}.download", on_change="rerun", width="content", icon=":material/download:"
    )
    if panel.open:
        with panel, st.container(horizontal=True, gap="xsmall"):
            _download(files, key)
    panel = st.popover("Cite", key=f"{key}.cite", on_change="rerun", width="content", icon=":material/format_quote:")
    if panel.open:
        with panel:
            _cite(files.cited())


def _download(files: Files, key: str) -> None:
    """The data, made when its button is pressed, and the charts."""
    for form in FORMS:
        st.download_button(
            f"Data as {form.upper() if form == 'csv' else form.capitalize()}",
            partial(files.write, form),
            files.name(form),
            MEDIA_TYPES[form],
            key=f"{key}.download.{form}",
            on_click="ignore",
        )
    if findings := files.findings():
        st.download_button(
            "What to mind as text",
            "\n".join([files.title, "", *findings, ""]),
            files.name("txt"),
            "text/plain",
            key=f"{key}.download.findings",
            on_click="ignore",
        )
    if files.charts:
        name = files.name("svg").removesuffix(".svg")
        picture.buttons(files.title, files.footnote(), name, files.charts, f"{key}.picture")


def _cite(citation: Citation) -> None:
    """The citation as text, BibTeX and Markdown, each with a button that copies it."""
    for title, text in (("Text", citation.text), ("BibTeX", citation.bibtex), ("Markdown", citation.markdown)):
        st.caption(title)
        st.code(text, language=None, wrap_lines=True, height=160)
