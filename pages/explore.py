"""Explore: every result that a reader may choose, as charts, table and files."""

import streamlit as st

from mlperf.filters import Filters
from ui import filters, report, session, tables


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
    """Charts, what they leave out, files, table, the origin of a marked row, and the footnote to all of it."""
    report.warnings("Read with care:", answer.warnings)
    grid = st.grid(len(answer.charts), min_column_width=330, key="charts")
    for number, chart in enumerate(answer.charts):
        grid.plotly_chart(chart.figure, key=f"chart.{number}", config=tables.CHART, alt=chart.description)
    if answer.left_out:
        st.caption(answer.left_out)
    with st.container(horizontal=True, vertical_alignment="bottom", gap="xsmall", key="files"):
        tables.downloads(picked, answer.rows.num_rows)
    if marked := tables.results(answer.rows):
        tables.details(session.details(marked))
    report.note(answer.footnote)


explore()
