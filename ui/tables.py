"""Charts and tables of results on the screen: which columns, how wide, in which format."""

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote

import plotly.graph_objects as go
import pyarrow as pa
import pyarrow.compute as pc
import streamlit as st

from mlperf import citation, metrics, unverified
from mlperf.model import SECOND_MEASURES
from ui import drawing, paging, report, session

SHOWN: Final = (
    "system", "value", "unit", "verification", "benchmark", "scenario", "accelerator", "accelerator_count", "round",
    "submitter", "link", "tokens_per_second", "samples_per_second", "mean_latency_ms", "division", "availability",
    "suite", "has_power", "power_value", "power_unit", "efficiency", "efficiency_unit", "accuracy", "runs", "basis",
    "nodes", "processor", "framework", "system_name", "public_id", "inferred",
)  # fmt: skip
"""What matters most first: ten columns fit a laptop's screen, two a phone's. The files have all columns."""
RUNS: Final = (
    "name", "minutes", "is_counted", "status", "epochs", "samples", "global_batch_size", "seed", "started", "also_in",
    "log",
)  # fmt: skip
SECONDS: Final = (*SECOND_MEASURES, "measure_lines")
NAME: Final = "#(.+)$"
"""The system's name in the address of its sheet, as `_with_links` writes it."""
LINKS: Final = {
    "link": "MLCommons",
    "sheet": "open",
    "runs_page": "show",
    "link_before": "MLCommons",
    "link_after": "MLCommons",
}
"""Columns that hold addresses, and the words of their links."""
CHART: Final = {"displayModeBar": False, "responsive": True}
HEIGHT: Final = 360
ROWS_AT_ONCE: Final = 100
"""Results of a page: with the chart, under 30 KB on the network, where they are sent compressed."""


WIDTHS: Final[Mapping[str, int]] = {
    "system": 210, "benchmark": 130, "scenario": 100, "value": 125, "unit": 80, "verification": 85, "accelerator": 165,
    "accelerator_count": 60, "round": 65, "submitter": 105, "link": 95, "division": 75,
    "availability": 90, "suite": 150, "has_power": 85, "power_value": 150, "power_unit": 95, "efficiency": 140,
    "efficiency_unit": 110, "accuracy": 150, "inferred": 75, "runs": 60, "basis": 90, "nodes": 65, "processor": 200,
    "framework": 200, "system_name": 250, "public_id": 90, "tokens_per_second": 150, "samples_per_second": 160,
    "mean_latency_ms": 130,
}  # fmt: skip
"""Pixels of the columns of `results`: with widths of its own a table is drawn at once."""
SHORT: Final = {"accelerator_count": "Count"}
"""Labels of `results` where the column is narrower than its own."""
UNITS: Final = {"value": "unit", "power_value": "power_unit", "efficiency": "efficiency_unit"}
"""Figures, and the columns that hold their units."""


def _headed(rows: pa.Table) -> Mapping[str, Any]:
    """The columns to show and their settings: those that say something of any row, units in the header where one."""
    said = [name for name in SHOWN if _says_something(rows[name])]
    columns = {name: _shown_as(name, rows.schema.field(name).type) | {"width": WIDTHS[name]} for name in said}
    if "system" in columns:
        columns["system"] = _system_link() | {"width": WIDTHS["system"]}
    for name in SHORT.keys() & columns.keys():
        columns[name] |= {"label": SHORT[name]}
    for figure, unit in UNITS.items():
        units = [name for name in rows[unit].unique().to_pylist() if name]
        if len(units) == 1:
            columns.pop(unit, None)
            columns[figure] |= {"label": f"{columns[figure]['label']}, {units[0]}"}
    return columns


def _stated(rows: pa.Table) -> pa.Table:
    """The rows with the state of each result, which says something only where any is unverified."""
    verified = rows["verified"].to_pylist()
    states = [unverified.VERIFIED if is_so else unverified.MARK for is_so in verified]
    told = states if unverified.MARK in states else [None] * len(states)
    return rows.append_column("verification", pa.array(told, pa.string()))


def _says_something(column: pa.ChunkedArray) -> bool:
    """Whether any cell of a column is filled; a box, whether any is ticked."""
    filled: bool = column.null_count < len(column)
    return filled and (not pa.types.is_boolean(column.type) or bool(pc.any(column).as_py()))


def results(rows: pa.Table) -> str | None:
    """The table of results, as `session.Answer.table` has them; the `result_id` of the row that the reader marked."""
    rows = _stated(rows)
    columns = _headed(rows)
    labels = {name: metrics.column(name).label for name in columns}
    rows = paging.page(rows, ROWS_AT_ONCE, labels, "results")
    marks = st.dataframe(
        _with_links(rows.select([*columns, "sheet"])),
        hide_index=True,
        column_config=columns,
        height=min(HEIGHT, 38 + 35 * rows.num_rows),
        placeholder="–",
        key="results",
        on_select="rerun",
        selection_mode="single-row",
        alt="The chosen results, one row each",
    )
    marked = [row for row in marks["selection"]["rows"] if row < rows.num_rows]
    return str(rows["result_id"][marked[0]].as_py()) if marked else None


def chart(drawn: go.Figure | str, description: str, key: str = "chart") -> None:
    """A figure of Plotly, or SVG in HTML; the description is for who cannot see it."""
    if isinstance(drawn, str):
        drawing.show(drawn, description, key)
    else:
        st.plotly_chart(drawn, key=key, config=CHART, alt=description)


def size(rows: int) -> None:
    """How many rows the table has, and what marking one does."""
    many = f"{rows:,} row{'' if rows == 1 else 's'}"
    st.text(f"{many} · mark one to see its runs, its system and where it was read", width="stretch")


def details(found: session.Details) -> None:
    """What is behind the marked result, each part in a tab: its runs, its system, where it was read."""
    parts = [("Training runs", found.runs, _runs), ("System", found.specification, _specification)]
    parts = [part for part in parts if part[1].num_rows]
    parts.append(("Where it was read", found.sightings, _sightings))
    for tab, (_, rows, show) in zip(st.tabs([title for title, _, _ in parts], key="details"), parts, strict=True):
        with tab:
            show(rows)


def _runs(rows: pa.Table) -> None:
    """The runs behind a training score; those that its mean leaves out are not counted."""
    text, number = st.column_config.TextColumn, st.column_config.NumberColumn
    places = zip(rows["source"].to_pylist(), rows["source_path"].to_pylist(), strict=True)
    started = rows["started_ms"].cast(pa.timestamp("ms"))
    shown = rows.append_column("started", started).append_column(
        "log", [[citation.file_link(*place) for place in places]]
    )
    st.dataframe(
        shown.select(list(RUNS)),
        hide_index=True,
        column_config={
            "name": text("Run"),
            "minutes": number("Time to train, min", format="%.3f"),
            "is_counted": st.column_config.CheckboxColumn("Counted", help="Unmarked: the score's mean leaves it out"),
            "status": text("Status"),
            "epochs": number("Epochs", format="%,.6g", help="To converge"),
            "samples": number("Samples", format="%,.0f", help="To converge"),
            "global_batch_size": number("Global batch size", format="%,d"),
            "seed": number("Seed", format="%d"),
            "started": st.column_config.DatetimeColumn("Began (UTC)", format="YYYY-MM-DD HH:mm:ss"),
            "also_in": text("The same run is in", help="Folders that hold the very same run: it is no second one"),
            "log": st.column_config.LinkColumn("Log", display_text="open"),
        },
        placeholder="–",
        key="runs",
        alt="The runs behind the marked result",
    )


def _specification(rows: pa.Table) -> None:
    """The system's facts under the names that its sheet gives them, and where the sheet lies."""
    places = set(zip(rows["source"].to_pylist(), rows["source_path"].to_pylist(), strict=True))
    st.dataframe(
        rows.select(["field", "value"]),
        hide_index=True,
        column_config={
            "field": st.column_config.TextColumn("Field", width="medium"),
            "value": st.column_config.TextColumn("As its sheet states it", width="large"),
        },
        key="specification",
        alt="The system of the marked result",
    )
    report.note([f"From {source}, {path}." if source else "From the tables of results." for source, path in places])


def _sightings(rows: pa.Table) -> None:
    """Where one result was read; a column that says nothing is left out."""
    rows = rows.select([name for name in rows.column_names if rows[name].null_count < rows.num_rows])
    columns = {name: _shown_as(name, rows[name].type) for name in rows.column_names if name in SECONDS}
    st.dataframe(rows, hide_index=True, column_config=columns, key="sightings", alt="Where the marked result was read")


def data(rows: pa.Table, key: str, space: int | None = None) -> None:
    """An answer's data: columns headed and written as `mlperf.metrics` says; addresses become links.

    Page by page where the rows take more bytes than the `space` there is.
    """
    columns = _columns(rows)
    labels = {name: metrics.column(name).label for name in columns}
    most = paging.rows_of_a_page(_with_links(rows), paging.room() if space is None else space)
    shown = paging.page(rows, most, labels, key)
    st.dataframe(
        _with_links(shown),
        hide_index=True,
        column_config=columns,
        height=min(HEIGHT, 38 + 35 * shown.num_rows),
        placeholder="–",
        key=key,
        alt="The data of the charts, one row for each mark",
    )


def _with_links(rows: pa.Table) -> pa.Table:
    """The rows with each system's name as the link to its sheet, in place of a column of addresses.

    The browser reads the name behind the `#`: it decodes what is written with `%`, and takes a `+` for a blank.
    """
    if not {"sheet", "system"} <= set(rows.column_names):
        return rows
    systems = zip(rows["system"].to_pylist(), rows["sheet"].to_pylist(), strict=True)
    links = [f"{sheet}#{quote(name, safe='')}" if sheet and name else None for name, sheet in systems]
    place = rows.column_names.index("system")
    return rows.set_column(place, "system", pa.array(links, pa.string())).drop_columns(["sheet"])


def _columns(rows: pa.Table) -> dict[str, Any]:
    """The settings of the columns of `rows` as `_with_links` shows them."""
    columns = {name: _shown_as(name, rows.schema.field(name).type) for name in rows.column_names}
    if "sheet" in columns and "system" in columns:
        del columns["sheet"]
        columns["system"] = _system_link()
    return columns


def _system_link() -> Any:
    known = metrics.column("system")
    return st.column_config.LinkColumn(known.label, help="Opens its sheet", display_text=NAME)


def _shown_as(name: str, kind: pa.DataType) -> Any:
    known = metrics.column(name)
    if name in LINKS:
        return st.column_config.LinkColumn(known.label, help=known.help or None, display_text=LINKS[name])
    if known.format and (pa.types.is_floating(kind) or pa.types.is_integer(kind)):
        return st.column_config.NumberColumn(known.label, help=known.help or None, format=known.format)
    return st.column_config.Column(known.label, help=known.help or None)
