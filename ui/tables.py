"""Tables of results on the screen: which columns, in which order, how wide, in which format; and their files."""

from collections.abc import Mapping
from functools import partial
from typing import Any, Final
from urllib.parse import quote

import pyarrow as pa
import streamlit as st

from mlperf.export import MEDIA_TYPES, Format
from mlperf.filters import Filters
from ui import report, session

FORMS: Final[tuple[Format, ...]] = ("csv", "parquet")
SHOWN: Final = (
    "system", "value", "unit", "benchmark", "scenario", "accelerator", "accelerator_count", "round", "submitter",
    "link", "division", "availability", "suite", "has_power", "power_value", "power_unit", "efficiency",
    "efficiency_unit", "accuracy", "runs", "basis", "nodes", "processor", "framework", "system_name", "public_id",
    "inferred",
)  # fmt: skip
"""What matters most first: the first ten fit a laptop's screen, the first two a phone's. The files have all columns."""
RUNS: Final = (
    "name", "minutes", "is_counted", "status", "epochs", "samples", "global_batch_size", "seed", "started", "also_in",
    "log",
)  # fmt: skip
CHART: Final = {"displayModeBar": False, "responsive": True}
HEIGHT: Final = 420
ROWS_AT_ONCE: Final = 300
"""From here on rows are fetched as they are scrolled to."""


def _columns() -> Mapping[str, Any]:
    text, number, box = st.column_config.TextColumn, st.column_config.NumberColumn, st.column_config.CheckboxColumn
    return {
        "system": text("System", width=215, help="System ID, or its name where the source gives no ID"),
        "benchmark": text("Benchmark", width=135),
        "scenario": text("Scenario", width=105),
        "value": number("Result", width=130, format="%,.6g", help="Files have full precision"),
        "unit": text("Unit", width=80),
        "accelerator": text("Accelerator", width=170),
        "accelerator_count": number("Count", width=60, help="Accelerators in the system"),
        "round": text("Round", width=65),
        "submitter": text("Submitter", width=110),
        "link": st.column_config.LinkColumn("Source", width=95, display_text="MLCommons"),
        "division": text("Division", width=75),
        "availability": text("Availability", width=90),
        "suite": text("Suite", width=150),
        "has_power": box("Power run", width=85),
        "power_value": number("Power or energy", width=150, format="%,.6g"),
        "power_unit": text("Unit of power", width=95),
        "efficiency": number("Efficiency", width=140, format="%,.4g", help="From measured power; no official metric"),
        "efficiency_unit": text("Unit of efficiency", width=110),
        "accuracy": text("Accuracy", width=150),
        "inferred": box("Inferred", width=75, help="Computed from another scenario's run"),
        "runs": number("Runs", width=60, help="Behind a training score, failed ones included"),
        "basis": text("Basis", width=90, help="published: a table states it; computed: from the published logs"),
        "nodes": number("Nodes", width=65),
        "processor": text("Processor", width=200),
        "framework": text("Software", width=200),
        "system_name": text("System name", width=250),
        "public_id": text("Result ID", width=90),
    }


UNITS: Final = {"value": "unit", "power_value": "power_unit", "efficiency": "efficiency_unit"}
"""Figures, and the columns that hold their units."""


def _headed(rows: pa.Table) -> tuple[tuple[str, ...], Mapping[str, Any]]:
    """The columns to show and their settings: where all figures of a column have one unit, it stands in the header."""
    shown, columns = list(SHOWN), dict(_columns())
    for figure, unit in UNITS.items():
        units = [name for name in rows[unit].unique().to_pylist() if name]
        if len(units) == 1:
            shown.remove(unit)
            columns[figure] |= {"label": f"{columns[figure]['label']}, {units[0]}"}
    return tuple(shown), columns


def results(rows: pa.Table) -> str | None:
    """The table of results; the `result_id` of the row that the reader marked, if any."""
    names, columns = _headed(rows)
    shown = rows.append_column("system", _systems(rows)).select(list(names))
    is_long = rows.num_rows > ROWS_AT_ONCE
    marks = st.dataframe(
        shown,
        hide_index=True,
        column_config=columns,
        height=min(HEIGHT, 38 + 35 * rows.num_rows),
        placeholder="–",
        lazy=is_long,
        key="results",
        on_select="ignore" if is_long else "rerun",  # Streamlit marks no rows in a table that is fetched in parts
        selection_mode="single-row",
        alt="The chosen results, one row each",
    )
    if is_long or not isinstance(marks, dict):
        return None
    marked = [row for row in marks["selection"]["rows"] if row < rows.num_rows]
    return str(rows["result_id"][marked[0]].as_py()) if marked else None


def downloads(filters: Filters, rows: int) -> None:
    """How many rows there are, and buttons for files of exactly these; a file is made when its button is pressed."""
    hint = " · mark one to see its runs, its system and where it was read" if rows <= ROWS_AT_ONCE else ""
    st.text(f"{rows:,} row{'' if rows == 1 else 's'}{hint}", width="stretch")
    for form in FORMS:
        st.download_button(
            form.upper() if form == "csv" else form.capitalize(),
            partial(session.download, filters, form),
            filters.file_name(form),
            MEDIA_TYPES[form],
            key=f"download.{form}",
            on_click="ignore",
            icon=":material/download:",
        )


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
    shown = rows.append_column("started", started).append_column("log", [[file_link(*place) for place in places]])
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
    """Where one result was read."""
    st.dataframe(rows, hide_index=True, key="sightings", alt="Where the marked result was read")


def file_link(source: str, path: str) -> str | None:
    """Where MLCommons keeps a file; None for a file of the reader's own."""
    return f"https://github.com/{source}/blob/HEAD/{quote(path)}" if source.startswith("mlcommons/") else None


def _systems(rows: pa.Table) -> pa.ChunkedArray:
    pairs = zip(rows["system_id"].to_pylist(), rows["system_name"].to_pylist(), strict=True)
    return pa.chunked_array([pa.array([code or name for code, name in pairs], pa.string())])
