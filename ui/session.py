"""What sessions share: the database in memory and the answers to questions asked before.

One database per process; every question works on a cursor of its own (`mlperf.queries`). An answer is remembered under
its `Scope`: that of published results alone is everybody's, one with own results its owner's. Nobody changes a
remembered answer.
"""

import os
import threading
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from functools import cache, cached_property, lru_cache, partial
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeVar

import duckdb
import plotly.graph_objects as go
import pyarrow as pa
import streamlit as st

from loaders import checksums, manifest, snapshot
from loaders.own import Catalog, View, attach
from mlperf import citation, export, figures, guard, queries, unverified
from mlperf.answers.answer import Answer as Shown
from mlperf.answers.rounds import Gap
from mlperf.errors import StoreError
from mlperf.facts import facts
from mlperf.figures import Panel, Picture
from mlperf.filters import Filters, Value
from mlperf.metrics import count_text
from mlperf.model import Kind
from mlperf.queries import Facets
from mlperf.systems import SystemKey
from ui import own

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
        is_one_kind = len({facts().kind(suite) for suite in suites}) == 1
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
        owners = count_text(submitters, "submitter")
        return f"{count_text(results, 'result')}{twice} · {count_text(systems, 'system')} · {owners}"

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


class Scope(NamedTuple):
    """What a reader sees: equal while that is the same."""

    folder: Path
    own: tuple[str, bool, int] | None
    """`View.key`; None for published results alone."""
    file: Path | None
    """The catalog that the key is of."""


@dataclass(frozen=True)
class Opened:
    """The database of this process."""

    published: duckdb.DuckDBPyConnection
    catalog: Catalog | None
    fault: StoreError | None
    """Why own results cannot be had."""
    is_released: bool
    """Whether the published results are those that came with Roundtable."""


def hub() -> duckdb.DuckDBPyConnection:
    """The published results, opened once. Raises `StoreError` where there is no snapshot."""
    return _database().published


def is_released() -> bool:
    """Whether the published results are those that came with Roundtable; others are unverified."""
    return _database().is_released


def catalog() -> Catalog:
    """The own results of all owners. Raises `StoreError` where they cannot be had."""
    opened = _database()
    if opened.catalog is None:
        raise opened.fault or StoreError("cannot be opened.", str(own.path()))
    return opened.catalog


def view() -> View | None:
    """What this reader sees with own results; None for one who has to log in, or where they cannot be had."""
    found, owner = _database().catalog, own.owner()
    return View(found, owner, with_shared=own.mode() == "login") if found is not None and owner else None


def has_own() -> bool:
    """Whether this reader sees any own results."""
    found = view()
    return found is not None and found.has_any()


def _scope() -> Scope:
    return _scope_of(view() if own.is_on() else None)


def _scope_of(found: View | None) -> Scope:
    return Scope(_folder(), found.key if found else None, own.path() if found else None)


def _readable(scope: Scope) -> queries.Readable:
    """What to ask: the published results, or a reader's view."""
    if scope.own is None:
        return hub()
    owner, with_shared, _ = scope.own
    return View(catalog(), owner, with_shared=with_shared)


def _database() -> Opened:
    with _OPENING:
        return _opened(_folder(), own.path())


def landing() -> Filters:
    """What the page shows before anybody chose: the newest round of `SUBMITTER`; everything where it has none."""
    return _landing(_folder())


def known_values() -> dict[str, frozenset[Value]]:
    """Every value that a link can name, per filter."""
    return _known_values(_scope())


def facets(filters: Filters) -> Facets:
    """What can still be chosen, with numbers of results."""
    return _facets(_scope(), filters)


def loosenings(filters: Filters) -> dict[str, int]:
    """How many results would appear without one of the filters, most first."""
    return queries.loosenings(_readable(_scope()), filters)


def answer(filters: Filters) -> Answer:
    """What the page shows of a choice."""
    return _answer(_scope(), filters)


def details(result_id: str) -> Details:
    """What is behind one result."""
    con = _readable(_scope())
    return Details(
        queries.runs(con, result_id), queries.specification(con, result_id), queries.sightings(con, result_id)
    )


def ask(question: Callable[[Any, C], T], choice: C) -> T:
    """The answer to a question of `mlperf.answers` for a choice; remembered for all who see the same."""
    found: T = _asked(_scope(), question, choice)
    return found


def ask_with_own(question: Callable[[Any, C], T], choice: C) -> T:
    """The same with the reader's own results, whether they are switched on or not."""
    found: T = _asked(_scope_of(view()), question, choice)
    return found


def systems(*kinds: Kind) -> Mapping[str, Known]:
    """Every system of these kinds (of all for none) that a link can name, by its text there, newest round first."""
    return _systems(_scope(), kinds)


def find_systems(words: str, *kinds: Kind) -> list[Known]:
    """The systems in which all words occur, newest round first."""
    wanted = words.lower().split()
    return [known for known in systems(*kinds).values() if all(word in known.words for word in wanted)]


def newest(kind: Kind) -> str:
    """The newest round of a kind that holds results; "" for none."""
    return next((known.key.round for known in systems(kind).values()), "")


def snapshot_fault() -> str | None:
    """Why the snapshot cannot be opened, or which of its files is no longer as it was made; None where all is well."""
    try:
        checksums.check(_folder(), [f"{table}.parquet" for table in snapshot.TABLES])
        hub()
    except StoreError as fault:
        return str(fault)
    return None


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


def download(filters: Filters) -> Callable[[export.Format], bytes]:
    """What makes the file of a choice when somebody asks for it: outside of any page, so it is bound to what is seen
    now.
    """
    return partial(_downloaded, _scope(), filters)


def _downloaded(scope: Scope, filters: Filters, form: export.Format) -> bytes:
    return export.write(queries.export_rows(_readable(scope), filters), form)


def _folder() -> Path:
    return Path(os.environ.get(FOLDER) or manifest.DATA)


@cache
def _opened(folder: Path, path: Path) -> Opened:
    """Own results that cannot be had leave the published ones to be browsed."""
    connection = snapshot.read_snapshot(folder)
    found: Catalog | None = None
    fault: StoreError | None = None
    try:
        found = attach(connection, path)
    except StoreError as error:
        fault = error
    snapshot.seal(connection)
    return Opened(connection, found, fault, snapshot.is_released(folder))


@lru_cache(maxsize=256)
def _asked(scope: Scope, question: Callable[[Any, Any], Any], choice: Any) -> Any:
    return question(_readable(scope), choice)


@lru_cache(maxsize=16)  # each about 2 MB
def _systems(scope: Scope, kinds: tuple[Kind, ...]) -> Mapping[str, Known]:
    found = {}
    for row in queries.systems(_readable(scope)).to_pylist():
        key = SystemKey(row["kind"], row["round"], row["submitter"], row["system"])
        named = (
            key.label,
            *(row[name] for name in ("system_name", "server", "server_family", "accelerator")),
            *row["suites"],
        )
        if not kinds or key.kind in kinds:
            found[key.text] = Known(key, " ".join(filter(None, named)).lower())
    return found


@cache
def _landing(_: Path) -> Filters:
    newest = queries.newest_round(hub(), SUBMITTER)
    if newest is None:
        return Filters()
    return Filters(round=(newest.round,), suite=newest.suites, submitter=(SUBMITTER,))


@lru_cache(maxsize=16)
def _known_values(scope: Scope) -> dict[str, frozenset[Value]]:
    return queries.known_values(_readable(scope))


@lru_cache(maxsize=512)
def _facets(scope: Scope, filters: Filters) -> Facets:
    return queries.facets(_readable(scope), filters)


@lru_cache(maxsize=24)  # all results take about 50 MB
def _answer(scope: Scope, filters: Filters) -> Answer:
    rows = queries.results(_readable(scope), filters)
    picture = figures.picture(rows)
    return Answer(
        filters,
        rows,
        _drawn(picture.panels),
        f"Bars, best first: {', '.join(panel.title for panel in picture.panels)}",
        (
            *unverified.legend(row for panel in picture.panels for row in panel.rows),
            *filter(None, [_left_out(picture), *_refused(picture)]),
        ),
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
    others = count_text(picture.undrawn_panels, "benchmark and scenario", "benchmarks and scenarios")
    whole = f", among them {others} as a whole" if picture.undrawn_panels else ""
    return f"Not drawn: {count_text(picture.undrawn_results, 'result')}{whole}. The table and the files have them all."
