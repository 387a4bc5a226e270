"""What all sessions share: the database in memory and the answers to questions asked before.

One database per process; every question works on a cursor of its own (`mlperf.queries`). Cached answers are shared by
all users, which is right while all results are MLCommons'. Nobody changes a cached answer.
"""

import os
import threading
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from functools import cache, cached_property, lru_cache
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeVar

import duckdb
import plotly.graph_objects as go
import pyarrow as pa
import streamlit as st

from loaders import manifest, snapshot
from mlperf import citation, export, figures, guard, queries
from mlperf.answers.answer import Answer as Shown
from mlperf.answers.rounds import Gap
from mlperf.facts import facts
from mlperf.figures import Panel, Picture
from mlperf.filters import Filters, Value
from mlperf.model import Kind
from mlperf.queries import Facets
from mlperf.systems import SystemKey

FOLDER: Final = "ROUNDTABLE_DATA"
"""Environment variable: the folder of another snapshot."""

SUBMITTER: Final = "Dell"
"""Whose newest results the landing page shows."""

SYSTEM: Final = ("round", "submitter", "system_id", "system_name")
"""What tells one system under test from another."""

WORDS: Final = ("system_name", "server", "server_family", "accelerator")
"""What a system is found by, beside its label."""

# The ten colours that Streamlit's front end replaces by the theme's chartCategoricalColors, which differ by mode.
# Source: streamlit/elements/lib/streamlit_plotly_theme.py.
THEME_COLOURS: Final = tuple(f"#0000{number:02}" for number in range(1, 11))

C = TypeVar("C", bound=Hashable)
T = TypeVar("T")

_OPENING: Final = threading.Lock()


class Known(NamedTuple):
    """A system that can be chosen, and the words that it is found by."""

    key: SystemKey
    words: str


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
    chart: go.Figure | str
    """A figure of one benchmark and scenario, HTML for several."""
    description: str
    """What the chart shows, in words."""
    notes: tuple[str, ...]
    """How much the chart does not draw, and what of that side by side may not be compared."""
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
    def table(self) -> pa.Table:
        """The rows with `system`, its ID or else its name, and `sheet`, the address of its page."""
        keys = [SystemKey.of(row) for row in self.rows.select(["suite", *SYSTEM]).to_pylist()]
        sheets = {key: key.address if key.system else None for key in set(keys)}
        systems = pa.array([key.system or None for key in keys], pa.string())
        addresses = pa.array([sheets[key] for key in keys], pa.string())
        return self.rows.append_column("system", systems).append_column("sheet", addresses)

    @cached_property
    def citation(self) -> citation.Citation:
        """The citation of the chosen results."""
        return citation.cite(self.rows, facts(), manifest.read().retrieved)

    @cached_property
    def footnote(self) -> list[str]:
        """The footnote to chart and table."""
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


def ask(question: Callable[[duckdb.DuckDBPyConnection, C], T], choice: C) -> T:
    """The answer to a question of `mlperf.answers` for a choice; remembered, and shared by all users."""
    found: T = _asked(_folder(), question, choice)
    return found


def systems(kind: Kind | None = None) -> Mapping[str, Known]:
    """Every system that a link can name, by its text in the link, newest round first."""
    return _systems(_folder(), kind)


def find_systems(words: str, kind: Kind | None = None) -> list[Known]:
    """The systems in which all words occur, newest round first."""
    wanted = words.lower().split()
    return [known for known in systems(kind).values() if all(word in known.words for word in wanted)]


def newest(kind: Kind) -> str:
    """The newest round of a kind that holds results; "" for none."""
    return next((known.key.round for known in systems(kind).values()), "")


def gaps(kind: Kind, round_id: str) -> tuple[Gap, ...]:
    """What of a round's results the snapshot lacks."""
    lacking = [one for one in manifest.read().missing if one.round == f"{kind} {round_id}"]
    return tuple(Gap(one.what, one.why, one.parts) for one in lacking)


def footnote(answer: Shown) -> list[str]:
    """The footnote to an answer of `mlperf.answers`."""
    return citation.footnote(answer.rows, facts(), manifest.read().retrieved, answer.derived)


def cited(answer: Shown) -> citation.Citation:
    """The citation of the results behind an answer."""
    return citation.cite(answer.rows, facts(), manifest.read().retrieved, answer.derived)


def download(filters: Filters, form: export.Format) -> bytes:
    """The file of a choice, made when somebody asks for it."""
    return export.write(queries.export_rows(hub(), filters), form)


def _folder() -> Path:
    return Path(os.environ.get(FOLDER) or snapshot.DATA)


@cache
def _opened(folder: Path) -> duckdb.DuckDBPyConnection:
    return snapshot.open_snapshot(folder)


@lru_cache(maxsize=256)
def _asked(_: Path, question: Callable[[duckdb.DuckDBPyConnection, Any], Any], choice: Any) -> Any:
    return question(hub(), choice)


@cache
def _systems(_: Path, kind: Kind | None) -> Mapping[str, Known]:
    found = {}
    for row in queries.systems(hub()).to_pylist():
        key = SystemKey(row["kind"], row["round"], row["submitter"], row["system"])
        named = (
            key.label,
            *(row[name] for name in ("system_name", "server", "server_family", "accelerator")),
            *row["suites"],
        )
        if kind in (None, key.kind):
            found[key.text] = Known(key, " ".join(filter(None, named)).lower())
    return found


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
        _drawn(picture.panels),
        f"Bars, best first: {', '.join(panel.title for panel in picture.panels)}",
        tuple(filter(None, [_left_out(picture), *_refused(picture)])),
        tuple(citation.not_comparable(picture.panels, facts())),
    )


def _drawn(panels: list[Panel]) -> go.Figure | str:
    if len(panels) == 1:
        return figures.ranking(panels[0], figures.colours(panels, THEME_COLOURS))
    return figures.small_multiples(panels, figures.colours(panels, page_colours()))


@cache
def page_colours() -> tuple[str, ...]:
    """The theme's ten colours as the page's own style sheet names them, for charts that are no figures of Plotly."""
    modes = zip(*(st.get_option(f"theme.{mode}.chartCategoricalColors") for mode in ("light", "dark")), strict=True)
    return tuple(f"light-dark({one},{other})" for one, other in modes)


def _refused(picture: Picture) -> list[str]:
    """What stands side by side in a panel though the rules forbid to compare it."""
    found = guard.merged({panel.title: panel.rows for panel in picture.panels})
    return [finding.text for finding in found if finding.is_refused]


def _left_out(picture: Picture) -> str:
    if not picture.undrawn_results:
        return ""
    others = _count(picture.undrawn_panels, "benchmark and scenario", "benchmarks and scenarios")
    whole = f", among them {others} as a whole" if picture.undrawn_panels else ""
    return f"Not drawn: {_count(picture.undrawn_results, 'result')}{whole}. The table and the files have them all."


def _count(number: int, one: str, many: str = "") -> str:
    return f"{number:,} {one if number == 1 else many or one + 's'}"
