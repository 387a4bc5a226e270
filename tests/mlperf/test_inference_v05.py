"""Inference v0.5 in the snapshot: it joins filters, rankings, trends and citations like any other round."""

import datetime

import duckdb
import pytest

from loaders import snapshot
from mlperf import citation, queries
from mlperf.answers import rankings, sizing, trends
from mlperf.answers.trend_lines import Choice
from mlperf.facts import facts
from mlperf.filters import Filters


@pytest.fixture(scope="module")
def con() -> duckdb.DuckDBPyConnection:
    return snapshot.open_snapshot()


def test_dells_results_of_the_round_are_there_with_their_servers(con: duckdb.DuckDBPyConnection) -> None:
    rows = queries.results(con, Filters(round=("v0.5",), submitter=("Dell",))).to_pylist()
    figures = {(row["server"], row["benchmark"], row["scenario"]): row["value"] for row in rows}
    assert len(rows) == 14
    assert {row["suite"] for row in rows} == {"inference"}
    assert figures["R740", "resnet", "Server"] == 20742.83
    assert figures["R740", "gnmt", "Offline"] == 1417.62
    assert ("R740xd", "ssd-small", "SingleStream") in figures


def test_a_line_goes_on_from_v0_5_to_v0_7_where_the_model_is_the_same(con: duckdb.DuckDBPyConnection) -> None:
    choice = Choice("accelerator", ("NVIDIA T4",), "inference", "resnet", "Offline")
    data = trends.answer(con, choice).data.to_pylist()
    (spans,) = {row["comparable_rounds"] for row in data}
    assert spans.startswith("v0.5 – ")
    assert {"v0.5", "v0.7"} <= {row["round"] for row in data}


def test_streams_of_v0_5_stand_apart_from_latencies_of_v2_0(con: duckdb.DuckDBPyConnection) -> None:
    choice = Choice("submitter", ("NVIDIA",), "inference", "resnet", "MultiStream")
    units = {row["round"]: row["unit"] for row in trends.answer(con, choice).data.to_pylist()}
    assert (units["v0.5"], units["v2.0"]) == ("streams", "ms")
    spans = {row["comparable_rounds"] for row in trends.answer(con, choice).data.to_pylist()}
    assert len(spans) == 2


def test_the_round_is_ranked_and_sized_in_its_one_suite(con: duckdb.DuckDBPyConnection) -> None:
    assert rankings.suites(con, "Dell")["inference"] == (["v0.5"], "v0.5")
    field = queries.Field("inference", "v0.5", "closed", False, "available", benchmark="resnet")
    ranked = rankings.answer(con, rankings.Choice(field, "Offline"))
    assert "MLPerf® Inference v0.5, Closed division" in f"{ranked.heading} {ranked.below}"
    assert ranked.data.to_pylist()[0]["system"] == "tpu-v3.8x32"
    sized = sizing.answer(con, sizing.Choice("v0.5", "inference", "resnet", "Server", 100_000.0))
    assert sized.below.startswith("MLPerf® Inference v0.5 · closed")


def test_a_citation_names_the_round_and_no_suite(con: duckdb.DuckDBPyConnection) -> None:
    rows = queries.results(con, Filters(round=("v0.5",), submitter=("Dell",), benchmark=("resnet",)))
    cited = " ".join(citation.footnote(rows, facts(), datetime.date(2026, 11, 23)))
    assert "MLPerf® Inference v0.5" in cited
    assert "datacenter" not in cited
    assert "edge" not in cited.split("Retrieved")[0]
