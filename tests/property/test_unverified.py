"""Law: whatever own results stand in the database, what is said of the published ones is the same."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import duckdb
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loaders import snapshot
from mlperf import figures, queries
from mlperf.answers import compare as comparing
from mlperf.answers import energy, power, power_ranking, rankings, rounds, scaling, sizing, system, trends
from mlperf.answers.answer import Answer
from mlperf.filters import Filters
from mlperf.queries import Field
from tests.app.own import add, drop, own, published

Con = duckdb.DuckDBPyConnection
SAMPLE = "submitter in ('Dell', 'NVIDIA') and round in ('v1.1', 'v3.0', 'v3.1') and hash(result_id) % 7 = 0"
CELL = "benchmark = 'resnet' and round = 'v3.1'"
TRAINED = "suite = 'training' and round = 'v1.1' and benchmark = 'rnnt' and submitter = 'Dell'"
STATES = ("verification", "rank", "comparability", "in_place_of")
"""Columns that say how own results stand to a row, or that are texts where own rows stand among them."""

RESNET = Field("inference-datacenter", "v3.1", "closed", False, "available")
OFFLINE = rankings.Choice(RESNET.__class__(**{**RESNET.__dict__, "benchmark": "resnet"}), "Offline", submitter="Dell")
FAMILIES = trends.Choice("server_family", ("XE96xx", "XR-series"), "inference", "resnet", "Offline")
SIZED = sizing.Choice("v3.1", "inference-datacenter", "resnet", "Server", 1e6)
WORK = power_ranking.Choice("v3.1", "inference-edge", "resnet", "Offline")
NODES = scaling.Choice("Dell", "v1.1", "XE8545", ("rnnt", "bert"), view="speedup")


def told(answer: Answer, *, by_state: bool = True) -> tuple[object, ...]:
    """An answer's headline and its rows of published results, with their ranks as texts."""
    rows = [row for row in answer.data.to_pylist() if not by_state or row["verified"]]
    kept = [{name: value for name, value in row.items() if name not in STATES} for row in rows]
    return answer.heading, kept, [str(row.get("rank")) for row in rows]


def drawn(table: pa.Table) -> list[tuple[object, ...]]:
    """The published bars of each panel of Explore that has any."""
    parts = figures.picture(table).panels
    named = [(part[:6], part.field, [row["result_id"] for row in part.rows if row["verified"]]) for part in parts]
    return [part for part in named if part[2]]


def counted(con: Con) -> list[tuple[object, ...]]:
    found = [
        rounds.answers(con, rounds.Choice("inference", "v3.1")),
        rounds.answers(con, rounds.Choice("training", "v1.1")),
    ]
    return [(view, one.heading, one.below, one.data.to_pylist()) for views in found for view, one in views.items()]


def usual_trend(con: Con) -> object:
    known = trends.fields(con, trends.Asked("server_family", "inference", "Dell"))
    mine = [field.value for field in known if not field.is_published]
    place = trends.usual_place(known)
    return place, [value for value in trends.usual_values(known, FAMILIES) if value not in mine]


ASKED: Mapping[str, Callable[[Con], object]] = {
    "the newest round": lambda con: queries.newest_round(con, "Dell"),
    "two alike systems": lambda con: comparing.default_systems(con, "Dell"),
    "the usual system": lambda con: system.default_system(con, "Nobody"),
    "suites and rounds to rank in": lambda con: rankings.suites(con, "Dell"),
    "fields to rank in": lambda con: rankings.options(con, ("inference-datacenter", "v3.1")),
    "rounds": lambda con: (rounds.rounds(con, "Dell"), rounds.submitters(con, ("training", "v1.1"))),
    "counts of a round": counted,
    "a ranking": lambda con: told(rankings.answer(con, OFFLINE)),
    "first places": lambda con: told(rankings.firsts(con, rankings.Choice(RESNET, submitter="Dell"))),
    "titles": lambda con: told(rankings.title_table(con, rankings.Choice(RESNET)), by_state=False),
    "the usual trend": usual_trend,
    "a trend": lambda con: told(trends.answer(con, FAMILIES)),
    "the usual field of sizing": lambda con: sizing.default_field(sizing.fields(con, "Dell")),
    "the usual rate": lambda con: sizing.default_rate(con, SIZED),
    "sizing": lambda con: told(sizing.answer(con, SIZED)),
    "fields with power": lambda con: power_ranking.fields(con, "Dell"),
    "systems with power": lambda con: power.default_systems(con, "Nobody"),
    "most efficient": lambda con: told(power_ranking.answer(con, WORK)),
    "least energy": lambda con: told(energy.answer(con, energy.Choice("bert"))),
    "benchmarks with energy": lambda con: energy.benchmarks(con, "Dell"),
    "scaling": lambda con: (told(scaling.answer(con, NODES)), scaling.answer(con, NODES).below),
    "explore": lambda con: drawn(queries.results(con, Filters(round=("v3.1",), suite=("inference-edge",)))),
    "explore one": lambda con: drawn(
        queries.results(con, Filters(round=("v3.1",), benchmark=("resnet",), scenario=("Offline",)))
    ),
}


@pytest.fixture(scope="module")
def con() -> Iterator[Con]:
    found = snapshot.open_snapshot()
    yield found
    found.close()


@pytest.fixture(scope="module")
def before(con: Con) -> dict[str, object]:
    """Every answer without own results."""
    return {name: question(con) for name, question in ASKED.items()}


@pytest.fixture(scope="module")
def sample(con: Con) -> list[dict[str, Any]]:
    """Published rows that own ones are made of: some of everything, and many of what is asked here."""
    return [*published(con, SAMPLE), *published(con, CELL)[:80], *published(con, TRAINED)]


@settings(max_examples=10)
@given(data=st.data())
def test_own_results_change_nothing_that_is_said_of_published_ones(
    con: Con, before: dict[str, object], sample: list[dict[str, Any]], data: st.DataObject
) -> None:
    drawn_rows = data.draw(
        st.lists(st.sampled_from(sample), min_size=1, max_size=6, unique_by=lambda row: row["result_id"])
    )
    changed = {
        "value": st.floats(1e-3, 1e8),
        "round": st.sampled_from([("v3.1", 6), ("v1.1", 2), ("v99.9", 99)]),
        "division": st.sampled_from(["closed", "open"]),
        "availability": st.sampled_from(["available", "preview", None]),
        "server": st.sampled_from(["XE9680", "XE8545", None]),
        "accelerator_count": st.sampled_from([1, 4, 8, None]),
        "nodes": st.sampled_from([1, 2, 3, None]),
        "unit": st.sampled_from(["samples/s", "ms", "min"]),
        "submitter": st.sampled_from(["Own: rerun", "Own: a", "Own: zz"]),
        "same_runs": st.sampled_from([row["same_runs"] for row in drawn_rows]),
        "efficiency": st.none() | st.floats(1e-3, 1e6),
    }
    rows = []
    for row in drawn_rows:
        some = data.draw(st.fixed_dictionaries({}, optional=changed))
        if "round" in some:
            some["round"], some["round_index"] = some["round"]
        rows.append(own(row, **some))
    try:
        add(con, rows)
        for name, question in ASKED.items():
            assert question(con) == before[name], name
    finally:
        drop(con)
