"""A system's sheet on the screen: results in a table that does not scroll sideways, specification in full."""

import html
from collections.abc import Mapping
from typing import Any, Final

import pyarrow as pa
import streamlit as st

from mlperf import metrics
from mlperf.answers.system_history import History
from ui import paging, report, tables

WIDTHS: Final[Mapping[str, int]] = {
    "test": 175, "scenario": 95, "model": 120, "division": 75, "suite": 95, "has_power": 85, "inferred": 75,
    "figure": 115, "power": 95, "accuracy": 90, "runs": 55, "public_id": 80, "runs_page": 65, "link": 55,
}  # fmt: skip
"""Pixels of the columns of results: beside the specification there are about 690 on a laptop's screen."""
WORDS: Final[Mapping[str, str]] = {"link": "files", "runs_page": "show"}
HEIGHT: Final = 460
STYLE: Final = """
.sheet { max-height: 460px; overflow-y: auto; border: 1px solid color-mix(in srgb, currentColor 18%, transparent);
    border-radius: .4rem }
.sheet table { width: 100%; border-collapse: collapse; font-size: .8rem; line-height: 1.35 }
.sheet th, .sheet td { text-align: left; vertical-align: top; padding: .32rem .6rem; overflow-wrap: anywhere;
    border-bottom: 1px solid color-mix(in srgb, currentColor 12%, transparent) }
.sheet th { font-weight: 400; opacity: .75; width: 42% }
.sheet tr:last-child > * { border-bottom: 0 }
"""


def results(rows: pa.Table) -> None:
    """What the system submitted, one row per result; beside it stands the specification, about as much again."""
    labels = {name: metrics.column(name).label for name in rows.column_names}
    rows = paging.page(rows, paging.rows_of_a_page(rows, paging.room() // 2), labels, "system.results")
    st.dataframe(
        rows,
        hide_index=True,
        column_config={name: _column(name) for name in rows.column_names},
        height=min(HEIGHT, 38 + 35 * rows.num_rows),
        placeholder="–",
        key="system.results",
        alt="The results of the system, one row each",
    )


def specification(facts: pa.Table) -> None:
    """The facts of a sheet, whole: no value is cut."""
    lines = (f"<tr><th>{html.escape(field)}</th><td>{html.escape(stated)}</td></tr>" for field, stated in _pairs(facts))
    st.html(f'<style>{STYLE}</style><div class="sheet" tabindex="0"><table>{"".join(lines)}</table></div>')


def relatives(rows: pa.Table) -> None:
    """The submitter's other systems with the same ID or server."""
    if rows.num_rows:
        st.caption("Other systems of the submitter with this system ID or this server")
        tables.data(rows, "system.relatives")


def history(found: History) -> None:
    """The figures of the same system ID over the rounds, and what stands against comparing them."""
    if found.figures.num_rows:
        st.caption("The same system ID over the rounds")
        tables.data(found.figures, "system.history")
        report.note(finding.text for finding in found.findings)


def _pairs(facts: pa.Table) -> list[tuple[str, str]]:
    return list(zip(facts["field"].to_pylist(), facts["stated"].to_pylist(), strict=True)) if facts.num_rows else []


def _column(name: str) -> Any:
    known, width = metrics.column(name), WIDTHS[name]
    if name in WORDS:
        return st.column_config.LinkColumn(known.label, help=known.help or None, width=width, display_text=WORDS[name])
    return st.column_config.Column(known.label, help=known.help or None, width=width)
