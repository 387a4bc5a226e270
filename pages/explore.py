"""Explore: every result that a reader may choose, as chart, table and files."""

import streamlit as st

from mlperf.filters import Filters
from ui import files, filters, report, session, tables
from ui.files import Files


@st.fragment
def explore() -> None:
    """Filters, then the answer. A fragment: a change redraws nothing outside it."""
    with report.faults():
        picked = filters.current()
        answer = session.answer(picked)
        report.heading(answer.heading, answer.size)
        filters.controls(picked)
        if answer.is_empty:
            filters.loosen(picked)
        else:
            show(picked, answer)


def show(picked: Filters, answer: session.Answer) -> None:
    """The chart, what it leaves out, files, table, the origin of a marked row, and the footnote to all of it."""
    report.warnings("Read with care:", answer.warnings)
    tables.chart(answer.chart, answer.description)
    report.note(answer.notes)
    with st.container(horizontal=True, vertical_alignment="bottom", gap="xsmall", key="files"):
        tables.size(answer.rows.num_rows)
        files.offer(taken_home(picked, answer), "explore")
    if marked := tables.results(answer.table):
        tables.details(session.details(marked))
    report.note(answer.footnote)


def taken_home(picked: Filters, answer: session.Answer) -> Files:
    """The file holds all rows, as the command line writes them; what to mind of them stands in another."""
    return Files(
        write=session.download(picked),
        name=picked.file_name,
        title=answer.heading,
        footnote=lambda: [*answer.warnings, *answer.notes, *answer.footnote],
        charts=["chart"],
        cited=lambda: answer.citation,
        findings=lambda: [*answer.warnings, *answer.notes],
    )


explore()
