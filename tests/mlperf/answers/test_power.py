"""Power: its figures against figures computed here from the results, and what it says of odd selections."""

import json
import math
from typing import Any

import duckdb
import plotly.graph_objects as go
import pytest

from loaders import snapshot
from mlperf.answers import energy, power, power_ranking, power_rounds, rankings
from mlperf.answers.answer import Answer
from mlperf.queries import Field
from mlperf.systems import SystemKey
from tests.app.small import OFFLINE, RESULTS, database

OLD = SystemKey("inference", "v3.0", "Dell", "XR5610_L4x1_TRT_MaxQ")
NEW = SystemKey("inference", "v3.1", "Dell", "XR5610_L4x1_TRT_MaxQ")
POWER = {"has_power": True, "power_unit": "W", "efficiency_unit": "samples/J"}


@pytest.fixture(scope="module")
def con() -> duckdb.DuckDBPyConnection:
    return snapshot.open_snapshot()


def cells(con: duckdb.DuckDBPyConnection, key: SystemKey) -> dict[tuple[str, str], tuple[float, float]]:
    """Result and measured power (W or mJ) of each benchmark and scenario, straight from the table."""
    rows = con.execute(
        "select distinct benchmark, scenario, value, power_value from results where round = ? and submitter = ?"
        " and system_id = ? and has_power and suite <> 'training'",
        [key.round, key.submitter, key.system],
    ).fetchall()
    assert len({row[:2] for row in rows}) == len(rows)
    return {(benchmark, scenario): (value, watts) for benchmark, scenario, value, watts in rows}


def draws(answer: Answer) -> None:
    for chart in answer.charts:
        go.Figure(chart.figure.to_dict())
        assert sum(len(trace.y) for trace in chart.figure.data) <= 500


def test_the_newest_pair_of_rounds_of_the_submitter_is_found_in_the_data(con: duckdb.DuckDBPyConnection) -> None:
    pairs = power_rounds.pairs(con, "Dell")
    assert next(iter(pairs.values())) == (OLD, NEW)
    assert len({key for key, _ in pairs.values() if key.submitter == "NVIDIA"}) > 1
    assert next(iter(power_rounds.pairs(con, "SiMa").values()))[0].submitter == "SiMa"


def test_xr5610_ratios_of_all_14_cells_follow_from_value_and_power(con: duckdb.DuckDBPyConnection) -> None:
    old, new = cells(con, OLD), cells(con, NEW)
    assert len(old) == 14
    assert old.keys() == new.keys()
    answer = power_rounds.answer(con, power_rounds.Choice(OLD, NEW))
    rows = {(row["benchmark"], row["scenario"]): row for row in answer.data.to_pylist()}
    assert rows.keys() == old.keys()
    for cell, row in rows.items():
        (old_value, old_power), (new_value, new_power) = old[cell], new[cell]
        if cell[1] == "Offline":  # samples/s and watts
            speed, ratio = new_value / old_value, (new_value / new_power) / (old_value / old_power)
            assert row["watts_ratio"] == pytest.approx(old_power / new_power, rel=1e-12)
        else:  # ms and millijoules per query
            speed, ratio = old_value / new_value, old_power / new_power
        assert row["efficiency_ratio"] == pytest.approx(ratio, rel=1e-12)
        assert row["speed_ratio"] == pytest.approx(speed, rel=1e-12)
        assert row["speed_ratio"] * row["watts_ratio"] == pytest.approx(ratio, rel=1e-12)
        assert 1.8 < ratio < (5 if cell == ("rnnt", "SingleStream") else 2.5)
    assert rows["rnnt", "SingleStream"]["efficiency_ratio"] == pytest.approx(4.8875, abs=1e-4)
    assert "4.89×" in answer.heading
    draws(answer)


def test_its_mean_counts_the_same_runs_once(con: duckdb.DuckDBPyConnection) -> None:
    old, new = cells(con, OLD), cells(con, NEW)
    ratios = {}
    for cell in old:
        (old_value, old_power), (new_value, new_power) = old[cell], new[cell]
        gain = new_value / old_value if cell[1] == "Offline" else 1.0
        ratios[old[cell], new[cell]] = gain * old_power / new_power
    mean = math.exp(sum(map(math.log, ratios.values())) / len(ratios))
    answer = power_rounds.answer(con, power_rounds.Choice(OLD, NEW))
    assert len(ratios) == 12
    assert f"{mean:.3g}× the performance per energy" in answer.heading
    assert "2 of them repeat" in " ".join(answer.notes)


def test_the_guard_notes_round_and_preview_in_answer_and_data(con: duckdb.DuckDBPyConnection) -> None:
    answer = power_rounds.answer(con, power_rounds.Choice(OLD, NEW))
    assert {found.kind for found in answer.findings} == {"availability", "preview", "round"}
    assert all("Rounds differ: v3.0 and v3.1." in text for text in answer.data["comparability"].to_pylist())
    assert set(answer.rows["result_id"].to_pylist()) == set(
        con.execute(
            "select result_id from results where system_id = ? and has_power and submitter = 'Dell'", [OLD.system]
        ).df()["result_id"]
    )
    assert any("derived" in title for title in [answer.charts[0].figure.layout.xaxis.title.text])


def test_the_other_way_round_gives_the_inverse(con: duckdb.DuckDBPyConnection) -> None:
    one = power_rounds.answer(con, power_rounds.Choice(OLD, NEW)).data.to_pylist()
    other = power_rounds.answer(con, power_rounds.Choice(NEW, OLD)).data.to_pylist()
    for left, right in zip(one, other, strict=True):
        for column in ("efficiency_ratio", "speed_ratio", "watts_ratio"):
            assert left[column] * right[column] == pytest.approx(1)


def test_performance_per_energy_is_read_as_the_scenario_asks(con: duckdb.DuckDBPyConnection) -> None:
    stored = cells(con, NEW)
    assert set(power.units(con, (NEW,))) == {"queries/mJ", "samples/s per W"}
    seen = set()
    for unit in power.units(con, (NEW,)):
        answer = power.answer(con, power.Choice((NEW,), unit))
        draws(answer)
        for row in answer.data.to_pylist():
            value, measured = stored[row["benchmark"], row["scenario"]]
            expected = {"Offline": value / measured, "SingleStream": 1 / measured, "MultiStream": 8 / measured}
            assert row["per_energy"] == pytest.approx(expected[row["scenario"]], rel=1e-12)
            per_joule = 1000 if row["power_unit"] == "mJ" else 1
            assert row["efficiency"] == pytest.approx(row["per_energy"] * per_joule, rel=1e-12)
            seen.add((row["benchmark"], row["scenario"]))
    assert seen == stored.keys()


def test_the_default_systems_are_the_newest_of_the_submitter(con: duckdb.DuckDBPyConnection) -> None:
    found = power.default_systems(con, "Dell")
    newest = con.execute(
        "select distinct system_id from results where has_power and submitter = 'Dell' and suite <> 'training'"
        " and round_index = (select max(round_index) from results where has_power and submitter = 'Dell'"
        " and suite <> 'training')"
    ).fetchall()
    assert {key.system for key in found} == {name for (name,) in newest}
    assert power.answer(con, power.Choice(found)).data.num_rows


def test_every_unit_of_measured_power_can_be_read(con: duckdb.DuckDBPyConnection) -> None:
    units = con.execute(
        "select distinct power_unit, efficiency_unit from results where power_value > 0 and suite <> 'training'"
    ).fetchall()
    assert {power.per_energy({"power_unit": unit, "efficiency_unit": of, "efficiency": 1.0})[1] for unit, of in units}


@pytest.mark.parametrize(
    ("round_id", "suite", "benchmark", "scenario"),
    [
        ("v4.0", "inference-datacenter", "resnet", "Offline"),
        ("v3.1", "inference-edge", "resnet", "SingleStream"),
        ("v4.1", "inference-datacenter", "llama2-70b-99", "Server"),
    ],
)
def test_the_ranking_is_by_samples_per_joule(
    con: duckdb.DuckDBPyConnection, round_id: str, suite: str, benchmark: str, scenario: str
) -> None:
    rows = con.execute(
        "select distinct result_id, value, power_value, power_unit from results where round = ? and suite = ?"
        " and benchmark = ? and scenario = ? and division = 'closed' and availability = 'available' and has_power",
        [round_id, suite, benchmark, scenario],
    ).fetchall()
    expected = sorted((1 / watts if unit == "mJ" else value / watts for _, value, watts, unit in rows), reverse=True)
    answer = power_ranking.answer(con, power_ranking.Choice(round_id, suite, benchmark, scenario))
    assert answer.data["per_energy"].to_pylist() == pytest.approx(expected, rel=1e-12)
    places = answer.data["rank"].to_pylist()
    assert places == [1 + sum(other > value * (1 + 1e-12) for other in expected) for value in expected]
    assert answer.data["of_best"].to_pylist() == pytest.approx([value / expected[0] for value in expected])
    assert answer.below.startswith(f"MLPerf® Inference {round_id} · {suite.removeprefix('inference-')} · closed")
    draws(answer)


def test_the_field_to_begin_with_is_the_submitters_newest(con: duckdb.DuckDBPyConnection) -> None:
    field = power_ranking.default_field(power_ranking.fields(con, "Dell"))
    assert field is not None
    assert (field["round"], field["division"], field["availability"]) == ("v4.0", "closed", "available")
    assert field["own_measured"]
    assert power_ranking.default_field([]) is None


def test_energy_to_train_is_what_the_results_say(con: duckdb.DuckDBPyConnection) -> None:
    names = energy.benchmarks(con, "Dell")
    assert next(iter(names)) == "llama2_70b_lora"
    seen = 0
    for benchmark in names:
        stored = con.execute(
            "select power_value, value from results where suite = 'training' and has_power and benchmark = ?"
            " order by power_value",
            [benchmark],
        ).fetchall()
        answer = energy.answer(con, energy.Choice(benchmark))
        assert [(row["power_value"], row["value"]) for row in answer.data.to_pylist()] == stored
        seen += len(stored)
        draws(answer)
    total = con.execute("select count(*) from results where suite = 'training' and power_value > 0").fetchone()
    assert (seen,) == total


def test_twins_measured_as_ac_and_dc_are_told_apart(con: duckdb.DuckDBPyConnection) -> None:
    ticks = json.dumps(energy.answer(con, energy.Choice("bert")).charts[0].figure.to_dict(), default=list)
    assert "SMC-H100-AC-Power" in ticks
    assert "SMC-H100-DC-Power" in ticks
    heading = energy.answer(con, energy.Choice("bert")).heading
    assert heading.startswith("1xSMC-H100-SXM-80GB (SMC-H100-DC-Power): least energy")
    assert "SMC-H100" not in energy.answer(con, energy.Choice("retinanet")).heading


def small(*results: dict[str, Any]) -> duckdb.DuckDBPyConnection:
    return database([{**result, "result_id": str(number)} for number, result in enumerate(results)])


def test_a_ratio_that_the_rules_forbid_is_refused_with_the_reason() -> None:
    """MultiStream is another metric from v2.0 on."""
    stream = {**POWER, "scenario": "MultiStream", "power_unit": "mJ", "power_value": 80.0, "efficiency": 100.0}
    con = small(
        {**stream, "round": "v1.1", "round_index": 3, "metric": "streams", "unit": "streams", "better": "higher"},
        {**stream, "round": "v2.0", "round_index": 4, "unit": "ms"},
    )
    one, other = (SystemKey("inference", name, "Dell", "XR7620_L4x1_TRT") for name in ("v1.1", "v2.0"))
    answer = power_rounds.answer(con, power_rounds.Choice(one, other))
    [row] = answer.data.to_pylist()
    assert row["efficiency_ratio"] is row["speed_ratio"] is row["watts_ratio"] is None
    assert "do not compare" in row["comparability"]
    assert any(found.is_refused for found in answer.findings)
    assert answer.charts == ()
    assert "not compared" in answer.heading


def test_missing_power_is_left_out_and_not_taken_as_nothing() -> None:
    watts = {**OFFLINE, **POWER, "power_value": 100.0, "efficiency": 10.0, "value": 1000.0}
    con = small(
        watts,
        {**watts, "system_id": "Other", "power_value": None, "efficiency": None},
        {**watts, "system_id": "Zero", "power_value": 0.0, "efficiency": None},
        {**OFFLINE, "system_id": "Plain", "value": 9e9},
    )
    keys = [SystemKey("inference", "v3.1", "Dell", name) for name in ("XR7620_L4x1_TRT", "Other", "Zero", "Plain")]
    answer = power.answer(con, power.Choice(tuple(keys)))
    assert answer.data["per_energy"].to_pylist() == [10.0]
    assert "Without measured power, and left out: Other, Zero, Plain." in answer.notes
    assert power.answer(con, power.Choice(tuple(keys[1:]))).advice
    assert "No measured power" in power_rounds.answer(con, power_rounds.Choice(keys[0], keys[1])).advice
    assert "two different" in power_rounds.answer(con, power_rounds.Choice(keys[0], keys[0])).advice


def test_two_systems_without_a_common_benchmark_say_what_to_do() -> None:
    watts = {**OFFLINE, **POWER, "power_value": 100.0, "efficiency": 10.0}
    con = small({**watts, "value": 1000.0}, {**watts, "value": 1000.0, "system_id": "Other", "benchmark": "retinanet"})
    one, other = (SystemKey("inference", "v3.1", "Dell", name) for name in ("XR7620_L4x1_TRT", "Other"))
    assert "share no benchmark" in power_rounds.answer(con, power_rounds.Choice(one, other)).advice
    assert "no benchmark and scenario in common" in power.answer(con, power.Choice((one, other))).heading


def test_a_result_in_two_suites_and_null_cells_are_one_mark() -> None:
    watts = {**OFFLINE, **POWER, "power_value": 100.0, "efficiency": 10.0, "value": 1000.0, "result_id": "twice"}
    bare = {"system_id": None, "accelerator": None, "accelerators": [], "accelerator_count": None, "nodes": None}
    con = database([{**watts, **bare}, {**watts, **bare, "suite": "inference-datacenter"}])
    [key] = power.default_systems(con, "Dell")
    assert power.answer(con, power.Choice((key,))).data.num_rows == 1
    ranked = power_ranking.answer(con, power_ranking.Choice("v3.1", "inference-edge", "resnet", "Offline"))
    assert ranked.data["rank"].to_pylist() == [1]
    assert "the only one" in ranked.heading
    draws(ranked)


def test_without_any_power_every_view_says_what_to_do() -> None:
    con = database(RESULTS[:3])
    assert power_rounds.pairs(con, "Dell") == {}
    assert power.default_systems(con, "Dell") == ()
    assert power.answer(con, power.Choice(())).advice
    assert power_ranking.fields(con, "Dell") == []
    assert power_ranking.answer(con, power_ranking.Choice("", "", "", "")).advice
    assert energy.benchmarks(con, "Dell") == {}
    assert energy.answer(con, energy.Choice()).advice


def test_open_results_with_models_of_their_own_are_told_apart_and_not_mixed() -> None:
    watts = {**OFFLINE, **POWER, "power_value": 100.0, "division": "open"}
    con = small(
        {**watts, "value": 1000.0, "efficiency": 10.0, "model": "small-net"},
        {**watts, "value": 100.0, "efficiency": 1.0, "model": "large-net"},
        {**watts, "value": 3000.0, "efficiency": 30.0, "model": "small-net", "round": "v4.0", "round_index": 8},
        {**watts, "value": 200.0, "efficiency": 2.0, "model": "large-net", "round": "v4.0", "round_index": 8},
        {**watts, "value": 500.0, "efficiency": 5.0, "division": "closed", "round": "v4.0", "round_index": 8},
    )
    one, other = (SystemKey("inference", name, "Dell", "XR7620_L4x1_TRT") for name in ("v3.1", "v4.0"))
    rows = power_rounds.answer(con, power_rounds.Choice(one, other)).data.to_pylist()
    assert {row["model"]: row["efficiency_ratio"] for row in rows} == {"small-net": 3.0, "large-net": 2.0}
    assert power.answer(con, power.Choice((other,))).data.num_rows == 3
    ranked = power_ranking.answer(con, power_ranking.Choice("v4.0", "inference-edge", "resnet", "Offline", "open"))
    assert "with small-net" in ranked.heading


def test_a_chart_of_many_cells_draws_the_first_and_says_so() -> None:
    watts = {**OFFLINE, **POWER, "power_value": 100.0, "value": 1000.0, "efficiency": 10.0, "division": "open"}
    con = small(*({**watts, "model": f"net {number}", "round": f"v{3 + number % 2}.0"} for number in range(60)))
    key = power.default_systems(con, "Dell")[0]
    answer = power.answer(con, power.Choice((key,)))
    assert answer.data.num_rows == 30
    assert len(answer.charts[0].figure.data[0].y) == 24
    assert "The chart draws 24 of 30; the table and the files have all." in answer.notes


def test_the_citation_of_a_ranking_begins_with_its_first(con: duckdb.DuckDBPyConnection) -> None:
    answer = power_ranking.answer(con, power_ranking.Choice("v3.1", "inference-edge", "resnet", "Offline"))
    cited = [(row["system_id"], row["value"]) for row in answer.rows.to_pylist()]
    assert cited[:8] == [(row["system"], row["value"]) for row in answer.data.to_pylist()][:8]


def test_a_run_under_two_names_is_ranked_once_as_in_the_rankings(con: duckdb.DuckDBPyConnection) -> None:
    answer = power_ranking.answer(con, power_ranking.Choice("v3.1", "inference-edge", "resnet", "Offline"))
    rows = {row["system"]: row for row in answer.data.to_pylist()}
    names = ("nvidia_orin_64k", "nvidia_orin_maxn_pagesize.4k")
    assert [name.startswith(names) for name in rows].count(True) == 1
    assert any(note.startswith("Not ranked a second time: 1 result ") for note in answer.notes)
    assert sum(row["also_as"] is not None for row in rows.values()) == 1
    assert f"{len(rows)} runs with measured power" in answer.below
    assert [name.startswith(names) for name in answer.rows["system_id"].to_pylist()].count(True) == 2
    field = Field("inference-edge", "v3.1", "closed", True, "available", benchmark="resnet")
    other = rankings.answer(con, rankings.Choice(field, "Offline", "efficiency")).data.to_pylist()
    assert {name: row["rank"] for name, row in rows.items()} == {row["system"]: row["rank"] for row in other}
    assert rows["XR5610_L4x1_TRT_MaxQ"]["rank"] == 11


def test_a_tie_of_systems_is_called_a_tie() -> None:
    watts = {**OFFLINE, **POWER, "power_value": 100.0, "value": 1000.0}
    fast, slow = {**watts, "efficiency": 10.0}, {**watts, "efficiency": 9.0}
    bert = {"benchmark": "bert-99"}
    one, other = (SystemKey("inference", "v3.1", "Dell", name) for name in "AB")
    tied = small(
        {**fast, "system_id": "A"}, {**slow, "system_id": "B"},
        {**slow, **bert, "system_id": "A"}, {**fast, **bert, "system_id": "B"},
    )  # fmt: skip
    shared = "of 2 benchmarks and scenarios that they share"
    for choice in ((one, other), (other, one)):
        assert power.answer(tied, power.Choice(choice)).heading == (
            f"A tie: {choice[0].system} and {choice[1].system} each do most per joule in 1 {shared}"
        )
    equal = small({**fast, "system_id": "A"}, {**fast, "system_id": "B"})
    assert power.answer(equal, power.Choice((one, other))).heading.startswith("A tie: A and B")
    ahead = small({**fast, "system_id": "A"}, {**slow, "system_id": "B"})
    assert power.answer(ahead, power.Choice((one, other))).heading.startswith("A does most per joule in 1 of 1")
