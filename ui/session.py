"""What all sessions share: the database in memory and the answers to questions asked before.

One database per process; every question works on a cursor of its own (`mlperf.queries`). Cached answers are shared by
all users, which is right while all results are MLCommons'. Nobody changes a cached answer.
"""

import os
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, cached_property, lru_cache
from pathlib import Path
from typing import Final, NamedTuple

import duckdb
import plotly.graph_objects as go
import pyarrow as pa

from loaders import manifest, snapshot
from mlperf import citation, export, figures, queries
from mlperf.facts import facts
from mlperf.figures import Panel, Picture
from mlperf.filters import Filters, Value
from mlperf.queries import Facets

FOLDER: Final = "ROUNDTABLE_DATA"
"""Environment variable: the folder of another snapshot."""

SUBMITTER: Final = "Dell"
"""Whose newest results the landing page shows."""

COLUMNS: Final = 3
"""Charts side by side, where the screen is wide enough."""

SYSTEM: Final = ("round", "submitter", "system_id", "system_name")
"""What tells one system under test from another."""

# The ten colours that Streamlit's front end replaces by the theme's chartCategoricalColors, which differ by mode.
# Source: streamlit/elements/lib/streamlit_plotly_theme.py.
THEME_COLOURS: Final = tuple(f"#0000{number:02}" for number in range(1, 11))

_OPENING: Final = threading.Lock()


class Chart(NamedTuple):
    """A figure, and what it shows for who cannot see it."""

    figure: go.Figure
    description: str


class Details(NamedTuple):
    """What is behind one result: the tables of `queries.runs`, `queries.specification` and `queries.sightings`."""

    runs: pa.Table
    specification: pa.Table
    sightings: pa.Table


@dataclass(frozen=True)
class Answer:
    """All that a page shows of a choice of filters."""

    filters: Filters
    rows: pa.Table
    """The chosen results with all their columns."""
    charts: tuple[Chart, ...]
    left_out: str
    """How much the charts do not draw, in words."""
    warnings: tuple[str, ...]
    """Why results that stand side by side do not compare."""

    @property
    def is_empty(self) -> bool:
        """Whether nothing matches."""
        return bool(self.rows.num_rows == 0)

    @cached_property
    def heading(self) -> str:
        """What was chosen, with training or inference named also where that follows from the other filters."""
        if self.filters.is_empty:
            return "All MLPerf® results"
        suites = set(self.rows["suite"].unique().to_pylist())
        is_one_kind = len({suite == "training" for suite in suites}) == 1
        return f"MLPerf® {(self.filters.choose('suite', suites) if is_one_kind else self.filters).sentence()}"

    @cached_property
    def size(self) -> str:
        """How many results, systems and submitters there are; a result listed in two suites is two rows."""
        if self.is_empty:
            return "No results"
        rows = self.rows.num_rows
        results = len(self.rows["result_id"].unique())
        systems = len(set(zip(*(self.rows[name].to_pylist() for name in SYSTEM), strict=True)))
        submitters = len(self.rows["submitter"].unique())
        twice = f" ({rows:,} rows: {rows - results:,} are listed in two suites)" if rows > results else ""
        return f"{_count(results, 'result')}{twice} · {_count(systems, 'system')} · {_count(submitters, 'submitter')}"

    @cached_property
    def footnote(self) -> list[str]:
        """The footnote to charts and table."""
        return citation.footnote(self.rows, facts(), manifest.read().retrieved)


def hub() -> duckdb.DuckDBPyConnection:
    """The database of this process, opened once. Raises `StoreError` where there is no snapshot."""
    with _OPENING:
        return _opened(_folder())


def landing() -> Filters:
    """What the page shows before anybody chose: the newest round of `SUBMITTER`; everything where it has none."""
    return _landing(_folder())


def known_values() -> dict[str, frozenset[Value]]:
    """Every value that a link can name, per filter."""
    return _known_values(_folder())


def facets(filters: Filters) -> Facets:
    """What can still be chosen, with numbers of results."""
    return _facets(_folder(), filters)


def loosenings(filters: Filters) -> dict[str, int]:
    """How many results would appear without one of the filters, most first."""
    return queries.loosenings(hub(), filters)


def answer(filters: Filters) -> Answer:
    """What the page shows of a choice."""
    return _answer(_folder(), filters)


def details(result_id: str) -> Details:
    """What is behind one result."""
    return Details(
        queries.runs(hub(), result_id), queries.specification(hub(), result_id), queries.sightings(hub(), result_id)
    )


def download(filters: Filters, form: export.Format) -> bytes:
    """The file of a choice, made when somebody asks for it."""
    return export.write(queries.export_rows(hub(), filters), form)


def _folder() -> Path:
    return Path(os.environ.get(FOLDER) or snapshot.DATA)


@cache
def _opened(folder: Path) -> duckdb.DuckDBPyConnection:
    return snapshot.open_snapshot(folder)


@cache
def _landing(_: Path) -> Filters:
    newest = queries.newest_round(hub(), SUBMITTER)
    if newest is None:
        return Filters()
    return Filters(round=(newest.round,), suite=newest.suites, submitter=(SUBMITTER,))


@cache
def _known_values(_: Path) -> dict[str, frozenset[Value]]:
    return queries.known_values(hub())


@lru_cache(maxsize=512)
def _facets(_: Path, filters: Filters) -> Facets:
    return queries.facets(hub(), filters)


@lru_cache(maxsize=24)  # all results take about 50 MB
def _answer(_: Path, filters: Filters) -> Answer:
    rows = queries.results(hub(), filters)
    picture = figures.picture(rows)
    return Answer(
        filters,
        rows,
        tuple(_drawn(picture.panels)),
        _left_out(picture),
        tuple(citation.not_comparable(picture.panels, facts())),
    )


def _drawn(panels: list[Panel]) -> Iterator[Chart]:
    colours = figures.colours(panels, THEME_COLOURS)
    for column in figures.in_columns(panels, COLUMNS):
        figure = figures.ranking(panels[0], colours) if len(panels) == 1 else figures.small_multiples(column, colours)
        yield Chart(figure, f"Bars, best first: {', '.join(panel.title for panel in column)}")


def _left_out(picture: Picture) -> str:
    if not picture.undrawn_results:
        return ""
    others = _count(picture.undrawn_panels, "benchmark and scenario", "benchmarks and scenarios")
    whole = f", among them {others} as a whole" if picture.undrawn_panels else ""
    return f"Not drawn: {_count(picture.undrawn_results, 'result')}{whole}. The table and the files have them all."


def _count(number: int, one: str, many: str = "") -> str:
    return f"{number:,} {one if number == 1 else many or one + 's'}"
