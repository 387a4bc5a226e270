"""`Answer`: all that a page shows of a question, from one set of figures: charts, table, file, notes, citation."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import plotly.graph_objects as go
import pyarrow as pa

from mlperf.guard import Finding

Row = dict[str, Any]
"""A row of the results, None for what is missing."""


class Chart(NamedTuple):
    """A figure, and what it shows for who cannot see it."""

    figure: go.Figure | str
    """Of Plotly, or the small multiples of `figures` as text."""
    description: str


@dataclass(frozen=True)
class Answer:
    """All that a page shows. `data` is what the charts draw: the table below them and the CSV are this very table."""

    heading: str
    """The answer in a line: what is shown, and the main figure where there is one."""
    below: str
    """A line below it: how much there is, and in which field."""
    charts: tuple[Chart, ...] = ()
    data: pa.Table = field(default_factory=lambda: table([]))
    """One row per mark of the charts; columns as `metrics` names them."""
    rows: pa.Table = field(default_factory=lambda: table([]))
    """The results behind it, as `queries` gives them: what footnote and citation name, those of the heading first."""
    findings: tuple[Finding, ...] = ()
    """What the comparability guard says of it."""
    notes: tuple[str, ...] = ()
    """Sentences on how to read it and on what was left out."""
    derived: tuple[str, ...] = ()
    """The derived metrics that it shows, by name and basis."""
    file_name: str = "roundtable"
    """Of the files, without ending."""
    advice: str = ""
    """What to do where there is nothing to show."""

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to show."""
        return bool(self.data.num_rows == 0)


def table(rows: list[Row]) -> pa.Table:
    """Rows as a table, columns in the order of the first row; an empty table for none."""
    return pa.Table.from_pylist(rows) if rows else pa.table({})


def in_order(rows: pa.Table, results: Iterable[Mapping[str, Any]]) -> pa.Table:
    """Those rows whose result is among these, in their order: a citation begins with the first."""
    places: dict[str, int] = {}
    for result in results:
        places.setdefault(result["result_id"], len(places))
    ids = rows["result_id"].to_pylist()
    kept = sorted((number for number, name in enumerate(ids) if name in places), key=lambda number: places[ids[number]])
    return rows.take(pa.array(kept, pa.int64()))
