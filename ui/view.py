"""An `Answer` on the screen: what to be careful about, charts, notes, data as a table, files, citation, footnote."""

from functools import partial
from typing import Final

import pyarrow as pa
import streamlit as st

from mlperf import export
from mlperf.answers.answer import Answer
from mlperf.systems import SystemKey, short_names
from ui import files, paging, report, session, tables
from ui.files import Files

SYSTEM: Final = ("suite", "round", "submitter", "system_id", "system_name")
MOST_SHEETS: Final = 8


def show(answer: Answer, name: str, instead: pa.Table | None = None) -> None:
    """All of an answer below its heading. `name` makes the keys of its elements unique on a page.

    A table `instead` takes the place of the charts.
    """
    if answer.is_empty:
        st.info(report.verbatim(answer.advice or "There is nothing to show for this choice. Choose another one above."))
        return
    refused = [found.text for found in answer.findings if found.is_refused]
    report.warnings("Not compared, because the rules of MLPerf forbid it:", refused)
    if instead is None:
        charts(answer, name)
    else:
        tables.data(instead, f"{name}.instead")
    report.note(_notes(answer))
    report.links("Sheets:", _sheets(answer))
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall", key=f"{name}.files"):
        files.offer(_files(answer, name, instead is None), name)
    if instead is not answer.data:
        _data(answer, name, _bytes(answer) if instead is None else instead.nbytes)
    report.note(session.footnote(answer))


def charts(answer: Answer, name: str) -> None:
    """The charts side by side where there is room."""
    if not answer.charts:
        return
    grid = st.grid(len(answer.charts), min_column_width=330, key=f"{name}.charts")
    for number, chart in enumerate(answer.charts):
        with grid.cell():
            tables.chart(chart.figure, chart.description, _key(name, number))


def _sheets(answer: Answer) -> list[tuple[str, str]]:
    """The systems behind an answer, by name and address of their sheets; the data's table has those of the others."""
    keys = list(dict.fromkeys(SystemKey.of(row) for row in answer.rows.select(list(SYSTEM)).to_pylist()))
    return [(name, key.address) for key, name in short_names(keys[:MOST_SHEETS]).items()]


def _notes(answer: Answer) -> list[str]:
    """What stands beside the charts, on the page and in the picture: the guard's notes, then how to read them."""
    found = [finding.text for finding in answer.findings if not finding.is_refused]
    return [*([f"Mind: {' '.join(found)}"] if found else []), *answer.notes]


def _key(name: str, number: int) -> str:
    return f"{name}.chart.{number}"


def _files(answer: Answer, name: str, is_drawn: bool) -> Files:
    return Files(
        write=partial(export.write, answer.data),
        name=lambda ending: f"{answer.file_name}.{ending}",
        title=answer.heading,
        footnote=lambda: [*_notes(answer), *session.footnote(answer)],
        charts=[_key(name, number) for number in range(len(answer.charts))] if is_drawn else [],
        cited=lambda: session.cited(answer),
    )


def _bytes(answer: Answer) -> int:
    """What the charts take on the network."""
    drawn = (chart.figure for chart in answer.charts)
    return sum(len(figure if isinstance(figure, str) else figure.to_json()) for figure in drawn)


def _data(answer: Answer, name: str, beside: int) -> None:
    panel = st.expander("Data as a table", key=f"{name}.data", on_change="rerun")
    if panel.open:
        with panel:
            tables.data(answer.data, f"{name}.table", paging.room(beside))
