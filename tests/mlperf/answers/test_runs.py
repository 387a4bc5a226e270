"""Runs: the spread behind a score against what is computed here from the runs themselves."""

from statistics import mean, stdev
from typing import Any

import duckdb
import plotly.graph_objects as go
import pytest

from loaders import snapshot
from mlperf.answers import runs as question
from mlperf.answers.answer import Answer
from mlperf.answers.runs import Choice
from mlperf.systems import SystemKey
from tests.mlperf.answers.test_scaling import small, training


def key(round_id: str, submitter: str, system: str) -> SystemKey:
    return SystemKey("training", round_id, submitter, system)


ONE, TWO = (key("v1.1", "Dell", f"{prefix}XE8545x4A100-SXM-80GB") for prefix in ("", "2x"))
SMALL = key("v1.1", "Dell", "1xXE8545x4A100")


@pytest.fixture(scope="module")
def con() -> duckdb.DuckDBPyConnection:
    return snapshot.open_snapshot()


def logs(
    con: duckdb.DuckDBPyConnection, system: SystemKey, benchmark: str
) -> dict[str, tuple[float | None, bool | None]]:
    """Minutes and whether counted, per log."""
    found = con.cursor().execute(
        "select distinct name, minutes, is_counted from runs where round = ? and submitter = ? and system_id = ?"
        " and benchmark = ?", [system.round, system.submitter, system.system, benchmark],
    ).fetchall()  # fmt: skip
    assert len({name for name, _, _ in found}) == len(found)
    return {name: (minutes, counted) for name, minutes, counted in found}


def rows(answer: Answer) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = answer.data.to_pylist()
    return found


@pytest.mark.parametrize("benchmark", ["rnnt", "unet3d", "bert", "minigo"])
def test_every_run_is_shown_and_the_spread_is_that_of_the_counted_ones(
    con: duckdb.DuckDBPyConnection, benchmark: str
) -> None:
    answer = question.answer(con, Choice((ONE,), benchmark))
    behind = logs(con, ONE, benchmark)
    assert {row["run"]: row["minutes"] for row in rows(answer)} == {name: run[0] for name, run in behind.items()}
    counted = [minutes for minutes, is_counted in behind.values() if is_counted and minutes is not None]
    assert {row["run"] for row in rows(answer) if row["state"] == "counted"} == {
        name for name, run in behind.items() if run[1]
    }
    for row in rows(answer):
        assert row["variation"] == pytest.approx(stdev(counted) / mean(counted))
        assert row["score"] == pytest.approx(mean(counted))
        assert row["over_mean"] == pytest.approx(row["minutes"] / mean(counted))
    slow = [row["minutes"] for row in rows(answer) if row["state"] == "left out: slowest"]
    fast = [row["minutes"] for row in rows(answer) if row["state"] == "left out: fastest"]
    assert len(slow) == len(fast) == (4 if benchmark == "unet3d" else 1)
    assert max(fast) <= min(counted) <= max(counted) <= min(slow)


def test_two_systems_stand_side_by_side_in_one_chart(con: duckdb.DuckDBPyConnection) -> None:
    answer = question.answer(con, Choice((ONE, TWO), "rnnt"))
    assert answer.heading == (
        "RNN-T: 2xXE8545x4A100-SXM-80GB takes 35.07 min, XE8545x4A100-SXM-80GB 106.5 min (3.038×)"
    )
    [chart] = answer.charts
    figure = go.Figure(chart.figure.to_dict())
    assert sum(len(trace.x) for trace in figure.data if trace.mode == "markers") == 20
    assert [list(trace.y) for trace in figure.data if trace.mode == "lines"] == [
        [pytest.approx(106.541675)] * 2, [pytest.approx(35.06796458333333)] * 2,
    ]  # fmt: skip
    named = [trace.name for trace in figure.data if trace.showlegend]
    assert sorted(named) == ["Counts", "Left out as fastest or slowest", "Score"]
    spread = question.answer(con, Choice((ONE, TWO), "rnnt", is_relative=True)).charts[0].figure
    assert all(0.9 < value < 1.1 for trace in spread.data for value in trace.y)


def test_a_score_that_is_not_the_mean_names_its_factor(con: duckdb.DuckDBPyConnection) -> None:
    system = key("v5.0", "Dell", "8xXE9712x4GB200")
    answer = question.answer(con, Choice((system,), "llama2_70b_lora"))
    counted = [
        minutes for minutes, is_counted in logs(con, system, "llama2_70b_lora").values() if is_counted and minutes
    ]
    factor = rows(answer)[0]["score"] / mean(counted)
    assert factor > 1.03
    assert any(f"{factor:.6g} times the mean" in note and "scaling.json" in note for note in answer.notes)
    plain = question.answer(con, Choice((ONE,), "rnnt"))
    assert not any("times the mean" in note for note in plain.notes)


def test_a_run_that_did_not_finish_is_listed_and_not_drawn(con: duckdb.DuckDBPyConnection) -> None:
    answer = question.answer(con, Choice((key("v5.0", "Dell", "9xXE9712x4GB200"),), "llama2_70b_lora"))
    [row] = [row for row in rows(answer) if row["state"] == "unfinished"]
    assert (row["run"], row["minutes"]) == ("result_9.txt", None)
    assert any("1 of 10 runs did not converge: result_9.txt unfinished, no time" in note for note in answer.notes)
    figure = answer.charts[0].figure
    assert sum(len(trace.x) for trace in figure.data if trace.mode == "markers") == 9


def test_a_group_of_which_runs_are_missing_is_shown_without_counting(con: duckdb.DuckDBPyConnection) -> None:
    answer = question.answer(con, Choice((key("v1.0", "Supermicro", "as-4142gs-tnr"),), "unet3d"))
    assert len(rows(answer)) == 22
    assert {row["state"] for row in rows(answer)} == {"no score", "unfinished"}
    assert {row["variation"] for row in rows(answer)} == {None}
    assert any("not all that made it" in note for note in answer.notes)
    go.Figure(answer.charts[0].figure.to_dict())
    relative = question.answer(con, Choice((key("v1.0", "Supermicro", "as-4142gs-tnr"),), "unet3d", is_relative=True))
    assert relative.charts == ()
    assert relative.data.num_rows == 22


def test_aborted_runs_have_no_score_and_nothing_to_cite(con: duckdb.DuckDBPyConnection) -> None:
    answer = question.answer(con, Choice((key("v1.0", "Supermicro", "as-2124gq-nart+"),), "bert"))
    assert answer.heading.endswith("10 runs, no score")
    assert {row["state"] for row in rows(answer)} == {"aborted"}
    assert answer.rows.num_rows == 0


def test_the_same_runs_elsewhere_are_named(con: duckdb.DuckDBPyConnection) -> None:
    answer = question.answer(con, Choice((key("v4.0", "Sustainable_Metal_Cloud", "8xSMC-H100-SXM-80GB"),), "resnet"))
    assert len(rows(answer)) == 5
    assert any("smc-ac-power/results/8xSMC-H100-SXM-80GB/resnet" in note for note in answer.notes)
    assert any("2 more folders" in note for note in answer.notes)


def test_results_that_the_rules_part_get_no_ratio(con: duckdb.DuckDBPyConnection) -> None:
    old = key("v1.1", "Dell", "R750xax4A100-PCIE-80GB")
    new = key("v3.0", "Dell", "R750xax4A100-PCIE-80GB-NVBRIDGE")
    answer = question.answer(con, Choice((old, new), "ssd"))
    assert any(finding.is_refused for finding in answer.findings)
    assert "×" not in answer.heading
    assert not any("ratio" in name for name in answer.derived)
    assert all(row["comparability"] for row in rows(answer))


def test_what_is_shown_unasked_is_of_the_newest_round(con: duckdb.DuckDBPyConnection) -> None:
    [system] = question.default_system(con, "Dell")
    newest = con.cursor().execute(
        "select max(round_index) from results where suite = 'training' and submitter = 'Dell' and runs is not null"
    ).fetchone()  # fmt: skip
    [(index,)] = con.cursor().execute("select distinct round_index from results where round = ? and suite = 'training'",
                                      [system.round]).fetchall()  # fmt: skip
    assert newest == (index,)
    benchmark = next(iter(question.benchmarks(con, (system,))))
    assert not question.answer(con, Choice((system,), benchmark)).is_empty
    assert question.default_system(con, "Nobody") == ()


def run(number: int, minutes: float | None, **differing: Any) -> dict[str, Any]:
    return {"result_id": "r1", "system_id": SMALL.system, "minutes": minutes, "started_ms": number, **differing}


def test_a_source_that_rounds_is_not_taken_for_a_factor() -> None:
    runs = [run(number, minutes) for number, minutes in enumerate((10.0, 10.001, 10.0))]
    [note, _] = question.answer(small(training(1, 10.0), runs=runs), Choice((SMALL,), "resnet")).notes
    assert "its source rounds" in note


def test_benchmarks_of_both_systems_come_first() -> None:
    other = key("v1.1", "Dell", "2xXE8545x4A100")
    runs = [run(number, 1.0, benchmark="bert") for number in range(3)]
    runs += [run(4, 1.0), run(5, 1.0, system_id=other.system, result_id="r2")]
    con = small(training(1, 10.0), training(2, 6.0), runs=runs)
    assert list(question.benchmarks(con, (SMALL, other))) == ["resnet", "bert"]
    assert list(question.benchmarks(con, (SMALL,))) == ["bert", "resnet"]
    answer = question.answer(con, Choice((SMALL, other), "bert"))
    assert any("No runs of BERT-Large are known of training-v1.1/Dell/2xXE8545x4A100" in note for note in answer.notes)


@pytest.mark.parametrize("systems", [(), (SMALL,), (SMALL, key("v9", "Nobody", "none"))])
def test_no_runs_are_an_answer_that_says_what_to_do(systems: tuple[SystemKey, ...]) -> None:
    answer = question.answer(small(training(1, 10.0)), Choice(systems, "resnet"))
    assert answer.is_empty
    assert "Choose a system that has runs" in answer.advice


def test_runs_that_all_took_the_same_time_and_null_cells_are_drawn() -> None:
    runs = [run(number, 10.0, division=None, location=None) for number in range(3)]
    answer = question.answer(small(training(1, 10.0), runs=runs), Choice((SMALL,), "resnet"))
    assert {row["variation"] for row in rows(answer)} == {0.0}
    go.Figure(answer.charts[0].figure.to_dict())


def test_each_derived_figure_of_the_table_is_named(con: duckdb.DuckDBPyConnection) -> None:
    answer = question.answer(con, Choice((ONE,), "bert"))
    assert any(row["over_mean"] is not None for row in rows(answer))
    assert any(name.startswith("each run over the mean") for name in answer.derived)
