"""Sizing: its figures against figures computed here from the results, and what it says of odd rates."""

import math
from dataclasses import replace
from fractions import Fraction
from statistics import median
from typing import Any

import duckdb
import plotly.graph_objects as go
import pytest

from loaders import snapshot
from mlperf.answers import sizing as question
from mlperf.answers.sizing import Choice
from tests.app.small import H100, OFFLINE, RESULTS, database

RESNET = Choice("v4.0", "inference-datacenter", "resnet", "Offline", 1_000_000.0)


@pytest.fixture(scope="module")
def con() -> duckdb.DuckDBPyConnection:
    return snapshot.open_snapshot()


def stored(con: duckdb.DuckDBPyConnection, choice: Choice) -> dict[tuple[str, bool], tuple[float, Any, Any]]:
    """Value, accelerators and watts by system and power, straight from the table."""
    rows = con.execute(
        "select submitter || '/' || coalesce(system_id, system_name), has_power, value,"
        " case when accelerator is not null then accelerator_count end, power_value from results where round = ?"
        " and suite = ? and benchmark = ? and scenario = ? and division = 'closed' and availability = 'available'",
        [choice.round, choice.suite, choice.benchmark, choice.scenario],
    ).fetchall()
    assert len({row[:2] for row in rows}) == len(rows)
    return {(row[0], row[1]): row[2:] for row in rows}


def test_counts_accelerators_rate_and_power_follow_from_the_results(con: duckdb.DuckDBPyConnection) -> None:
    rows, answer = stored(con, RESNET), question.answer(con, RESNET)
    found = {(f"{row['submitter']}/{row['system']}", row["has_power"]): row for row in answer.data.to_pylist()}
    assert found.keys() == rows.keys()
    for key, (value, chips, watts) in rows.items():
        row, count = found[key], math.ceil(Fraction(1_000_000) / Fraction(value))
        assert row["systems"] == count
        assert row["accelerators"] == (count * chips if chips else None)
        assert row["watts"] == (pytest.approx(count * watts) if watts else None)
        assert row["rate_reached"] == pytest.approx(count * value)
        assert row["headroom"] == pytest.approx(100 * (count * value / 1_000_000 - 1))
    assert sum(1 for _, has_power in rows if has_power) == 2
    for chart in answer.charts:
        go.Figure(chart.figure.to_dict())


def test_a_power_result_sizes_its_own_line_only(con: duckdb.DuckDBPyConnection) -> None:
    rows = question.answer(con, RESNET).data.to_pylist()
    assert [row["has_power"] for row in rows] == sorted(row["has_power"] for row in rows)
    assert all((row["watts"] is not None) == row["has_power"] for row in rows)
    assert not any(found.is_refused for found in question.answer(con, RESNET).findings)


def test_the_fewest_come_first_in_systems_and_in_accelerators(con: duckdb.DuckDBPyConnection) -> None:
    for shown in ("systems", "accelerators"):
        answer = question.answer(con, replace(RESNET, shown=shown))  # type: ignore[arg-type]
        counts = [row[shown] for row in answer.data.to_pylist() if not row["has_power"]]
        assert counts == sorted(counts)
        assert len(answer.charts[0].figure.data[0].x) == 20
        drawn = list(answer.charts[0].figure.data[0].x)
        assert drawn[: len(drawn) - 2] == counts[: len(drawn) - 2]
    chips = stored(con, RESNET)
    left_out = sum(1 for value, count, _ in chips.values() if not count)
    assert f"{left_out} results without a number of accelerators are left out." in answer.notes
    assert "at least 2 systems or 12 accelerators (estimate)" in question.answer(con, RESNET).heading


def test_it_begins_with_the_submitters_newest_round_and_ten_times_the_median(con: duckdb.DuckDBPyConnection) -> None:
    field = question.default_field(question.fields(con, "Dell"))
    assert field is not None
    newest = con.execute(
        "select max(round_index) from results where submitter = 'Dell' and suite = 'inference-datacenter'"
    ).fetchone()
    assert (field["round_index"], field["suite"], field["scenario"]) == (*newest, "inference-datacenter", "Server")
    most = con.execute(
        "select max(n) from (select count(distinct system_id) n from results where submitter = 'Dell' and suite = ?"
        " and round = ? and scenario = 'Server' and division = 'closed' and availability = 'available'"
        " group by benchmark)",
        [field["suite"], field["round"]],
    ).fetchone()
    assert (field["own_systems"],) == most
    choice = Choice(field["round"], field["suite"], field["benchmark"], field["scenario"], 1.0)
    values = [value for (_, has_power), (value, *_) in stored(con, choice).items() if not has_power]
    assert question.default_rate(con, choice) == pytest.approx(10 * median(values), rel=0.05)
    assert question.answer(con, replace(choice, rate=question.default_rate(con, choice))).data.num_rows


def test_submitter_and_server_family_narrow_the_field(con: duckdb.DuckDBPyConnection) -> None:
    submitters, families = question.names(con, RESNET)
    assert {"Dell", "NVIDIA"} <= set(submitters)
    assert "XE96xx" in families
    own = question.answer(con, replace(RESNET, submitters=("Dell",), server_family="XE96xx")).data.to_pylist()
    assert own
    assert {row["submitter"] for row in own} == {"Dell"}
    assert all(row["system"].startswith("XE96") for row in own)


@pytest.mark.parametrize("rate", [0.0, -5.0, math.nan, math.inf, 1e14])
def test_rates_that_mean_nothing_are_refused_in_words(con: duckdb.DuckDBPyConnection, rate: float) -> None:
    answer = question.answer(con, replace(RESNET, rate=rate))
    assert answer.is_empty
    assert "rate" in answer.advice


def test_what_takes_too_many_systems_is_left_out_and_counted() -> None:
    con = database([
        {**OFFLINE, "result_id": "1", "value": 1000.0},
        {**OFFLINE, "result_id": "2", "value": 0.001, "system_id": "Slow"},
        {**OFFLINE, "result_id": "3", "value": 0.0, "system_id": "Nothing"},
    ])  # fmt: skip
    answer = question.answer(con, Choice("v3.1", "inference-edge", "resnet", "Offline", 5000.0))
    assert answer.data["systems"].to_pylist() == [5]
    assert "2 results would take over 1,000,000 systems, and are left out." in answer.notes


def test_a_rate_of_exactly_so_many_systems_takes_no_more() -> None:
    con = database([{**OFFLINE, "result_id": "1", "value": 0.1}])
    for count in range(1, 60):
        choice = Choice("v3.1", "inference-edge", "resnet", "Offline", count * 0.1)
        assert question.answer(con, choice).data["systems"].to_pylist() == [count]


def test_systems_of_processors_alone_have_systems_but_no_accelerators() -> None:
    bare = {"accelerator": None, "accelerators": [], "accelerator_count": None, "nodes": None, "system_id": None}
    con = database([{**OFFLINE, **bare, "value": 100.0}])
    choice = Choice("v3.1", "inference-edge", "resnet", "Offline", 250.0)
    [row] = question.answer(con, choice).data.to_pylist()
    assert (row["systems"], row["accelerators"], row["headroom"]) == (3, None, pytest.approx(20))
    chips = question.answer(con, replace(choice, shown="accelerators"))
    assert chips.is_empty
    assert chips.advice


def test_a_result_in_two_suites_is_one_line_and_no_field_is_no_fault() -> None:
    con = database(RESULTS)
    answer = question.answer(con, Choice("v3.1", "inference-datacenter", "resnet", "Offline", 1e6))
    assert sorted(answer.data["system"].to_pylist()) == [H100["system_id"], "XR7620_L4x1_TRT"]
    assert question.answer(con, Choice("", "", "", "", 1.0)).advice
    assert question.default_field([]) is None
    assert question.default_rate(con, Choice("", "", "", "", 1.0)) == 1.0


def test_it_is_marked_as_an_estimate_everywhere(con: duckdb.DuckDBPyConnection) -> None:
    answer = question.answer(con, RESNET)
    assert "estimate" in answer.heading
    assert any("estimated" in name for name in answer.derived)
    assert "estimate" in answer.charts[0].figure.layout.annotations[0].text
    assert "without loss" in answer.notes[0]


def test_citation_and_sheets_begin_with_the_systems_of_the_heading(con: duckdb.DuckDBPyConnection) -> None:
    choice = Choice("v1.1", "inference-datacenter", "resnet", "Offline", 100_000.0)
    for shown in ("systems", "accelerators"):
        answer = question.answer(con, replace(choice, shown=shown))  # type: ignore[arg-type]
        rows = question.answer(con, choice).data.to_pylist()
        fewest = min(rows, key=lambda row: (row["systems"], -row["value"]))
        chips = min(row["accelerators"] for row in rows if row["accelerators"])
        first, second = answer.rows.slice(0, 2).to_pylist()
        assert f"fewest systems: {first['submitter']} {first['system_id']}" in answer.below
        assert (first["system_id"], first["value"]) == (fewest["system"], fewest["value"])
        named = {(row["system"], row["value"]): row["accelerators"] for row in rows}
        assert chips in {named[row["system_id"], row["value"]] for row in (first, second)}
