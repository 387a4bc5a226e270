"""Scaling: its figures against figures computed here from results and runs, and what it says of odd ones."""

import itertools
from typing import Any

import duckdb
import plotly.graph_objects as go
import pytest

from loaders import snapshot
from mlperf.answers import scaling as question
from mlperf.answers.answer import Answer
from mlperf.answers.scaling import Choice
from tests.app.small import database

R750XA = Choice("Dell", "v1.1", "R750xa", ("resnet",))
XE8545 = Choice("Dell", "v1.1", "XE8545", ("bert", "maskrcnn", "resnet", "ssd", "rnnt"))


@pytest.fixture(scope="module")
def con() -> duckdb.DuckDBPyConnection:
    return snapshot.open_snapshot()


def minutes(con: duckdb.DuckDBPyConnection, system: str, benchmark: str) -> float:
    """A Dell v1.1 result, straight from the table."""
    [(value,)] = con.cursor().execute(
        "select value from results where round = 'v1.1' and submitter = 'Dell' and system_id = ? and benchmark = ?"
        " and suite = 'training'", [system, benchmark],
    ).fetchall()  # fmt: skip
    return float(value)


def passes(con: duckdb.DuckDBPyConnection, system: str, benchmark: str) -> float:
    """Mean epochs or samples of the counted runs, each log once."""
    runs = con.cursor().execute(
        "select distinct source_path, coalesce(epochs, samples) from runs where round = 'v1.1' and submitter = 'Dell'"
        " and system_id = ? and benchmark = ? and is_counted", [system, benchmark],
    ).fetchall()  # fmt: skip
    return float(sum(run[1] for run in runs) / len(runs))


def rows(answer: Answer) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = answer.data.to_pylist()
    return found


def test_r750xa_resnet_on_one_to_eight_nodes(con: duckdb.DuckDBPyConnection) -> None:
    answer = question.answer(con, R750XA)
    systems = {count: f"{'' if count == 1 else f'{count}x'}R750xax4A100-PCIE-80GB" for count in (1, 2, 4, 8)}
    assert [(row["nodes"], row["system"]) for row in rows(answer)] == list(systems.items())
    assert [round(row["value"], 3) for row in rows(answer)] == [62.949, 32.087, 17.336, 10.586]
    one = minutes(con, systems[1], "resnet")
    for row in rows(answer):
        taken = minutes(con, row["system"], "resnet")
        assert row["speedup"] == pytest.approx(one / taken, abs=1e-4)
        assert row["scaling_efficiency"] == pytest.approx(one / taken / row["nodes"], abs=1e-4)
        per_epoch = taken / passes(con, row["system"], "resnet")
        one_per_epoch = one / passes(con, systems[1], "resnet")
        assert row["efficiency_per_epoch"] == pytest.approx(one_per_epoch / per_epoch / row["nodes"], abs=1e-4)
        assert row["ideal"] == pytest.approx(one / row["nodes"])
    assert [row["global_batch_size"] for row in rows(answer)] == [1632, 3264, 3264, 13056]
    assert [row["epochs"] for row in rows(answer)] == [35, 35, 35, 45]
    assert [round(row["scaling_efficiency"], 4) for row in rows(answer)] == [1, 0.9809, 0.9078, 0.7433]


def test_the_eight_node_reader_sees_efficiency_and_reason_at_once(con: duckdb.DuckDBPyConnection) -> None:
    answer = question.answer(con, R750XA)
    assert "74.3 % efficiency, per epoch 95.6 %" in answer.heading
    assert "on 8 nodes as on 1" in answer.heading
    assert "It converges later: 35 → 45 epochs at a global batch size of 1,632 → 13,056." in answer.below


@pytest.mark.parametrize("benchmark", XE8545.benchmarks)
def test_xe8545_from_one_node_to_two(con: duckdb.DuckDBPyConnection, benchmark: str) -> None:
    one, two = (row for row in rows(question.answer(con, XE8545)) if row["benchmark"] == benchmark)
    assert (one["system"], two["system"]) == ("XE8545x4A100-SXM-80GB", "2xXE8545x4A100-SXM-80GB")
    taken = [minutes(con, row["system"], benchmark) for row in (one, two)]
    assert two["speedup"] == pytest.approx(taken[0] / taken[1], abs=1e-4)
    assert two["scaling_efficiency"] == pytest.approx(taken[0] / taken[1] / 2, abs=1e-4)
    later = passes(con, two["system"], benchmark) / passes(con, one["system"], benchmark)
    assert two["efficiency_per_epoch"] == pytest.approx(taken[0] / taken[1] / 2 * later, abs=1e-4)


def test_an_efficiency_over_one_stands_with_what_differs(con: duckdb.DuckDBPyConnection) -> None:
    answer = question.answer(con, XE8545)
    [rnnt] = [row for row in rows(answer) if row["benchmark"] == "rnnt" and row["nodes"] == 2]
    assert round(rnnt["value"], 3) == 35.068
    assert rnnt["scaling_efficiency"] == pytest.approx(106.541675 / 35.06796458333333 / 2)
    [note] = [note for note in answer.notes if "over 100 %" in note]
    assert note.startswith("RNN-T on 2 nodes: 151.9 %, over 100 %: the runs differ in more than the nodes:")
    assert "samples per accelerator and step 512 → 256" in note
    assert "73.2 % to 151.9 %" in answer.heading


def test_a_configuration_of_the_same_size_is_named_and_not_mixed_in(con: duckdb.DuckDBPyConnection) -> None:
    answer = question.answer(con, R750XA)
    assert "R750xax4A100-PCIE-80GB-8368" not in answer.data["system"].to_pylist()
    [note] = [note for note in answer.notes if note.startswith("Not mixed in")]
    assert "R750xax4A100-PCIE-80GB-8368 (1 node, Intel(R) Xeon(R) Platinum 8368" in note


def test_without_a_single_node_the_fewest_nodes_are_the_measure(con: duckdb.DuckDBPyConnection) -> None:
    answer = question.answer(con, Choice("Dell", "v3.0", "R750xa", ("resnet",)))
    assert [row["nodes"] for row in rows(answer)] == [2, 4, 8]
    assert {row["against_nodes"] for row in rows(answer)} == {2}
    first, *_, last = rows(answer)
    assert last["speedup"] == pytest.approx(first["value"] / last["value"])
    assert last["scaling_efficiency"] == pytest.approx(first["value"] / last["value"] / 4)
    assert "on 8 nodes as on 2" in answer.heading
    assert any("other software" in note for note in answer.notes)
    chosen = Choice("Dell", "v3.0", "R750xa", ("resnet",), configuration="2xR750xax4A100-PCIE-80GB-1opa")
    assert all(row["system"].endswith("-1opa") for row in rows(question.answer(con, chosen)))


def test_everything_offered_is_answered_and_drawn(con: duckdb.DuckDBPyConnection) -> None:
    known = question.known(con, None)
    assert {"Dell", "NVIDIA", "Google"} <= set(question.submitters(known))
    for submitter, view in zip(("Dell", "NVIDIA", "Intel", "Graphcore"), itertools.cycle(question.VIEWS)):
        for machine, found in question.of_machines(known, submitter).items():
            for played in question.rounds(found):
                here = [one for one in found if one.round == played]
                offered = tuple(question.benchmarks(here))[: question.MOST]
                answer = question.answer(con, Choice(submitter, played, machine, offered, view=view))
                assert set(answer.data["benchmark"].to_pylist()) == set(offered)
                assert answer.rows.num_rows == answer.data.num_rows
                for chart in answer.charts:
                    go.Figure(chart.figure.to_dict())
                for benchmark in offered:
                    nodes = [row["nodes"] for row in rows(answer) if row["benchmark"] == benchmark]
                    assert nodes == sorted(set(nodes))
                    assert len(nodes) > 1


def test_what_is_shown_unasked_is_the_newest_round_with_several_sizes(con: duckdb.DuckDBPyConnection) -> None:
    counts = con.cursor().execute(
        "select round_index, round, server, benchmark, count(distinct nodes) from results where suite = 'training'"
        " and submitter = 'Dell' group by all having count(distinct nodes) >= 3 order by round_index desc, 5 desc"
    ).fetchall()  # fmt: skip
    machine, found = next(iter(question.of_machines(question.known(con, None), "Dell").items()))
    assert (question.rounds(found)[0], machine) == (counts[0][1], counts[0][2])
    older = next(iter(question.of_machines(question.known(con, None), "Dell", "v1.1")))
    assert older == "R750xa"


@pytest.mark.parametrize("view", question.VIEWS)
@pytest.mark.parametrize("across", question.ACROSS)
def test_views_draw_the_data(con: duckdb.DuckDBPyConnection, view: question.View, across: question.Across) -> None:
    choice = Choice("Dell", "v1.1", "R750xa", ("resnet",), view=view, across=across)
    answer = question.answer(con, choice)
    [chart] = answer.charts
    figure = go.Figure(chart.figure.to_dict())
    column = {"minutes": "value", "speedup": "speedup", "efficiency": "scaling_efficiency"}[view]
    assert list(figure.data[1].y) == answer.data[column].to_pylist()
    assert list(figure.data[1].x) == answer.data["nodes" if across == "nodes" else "accelerator_count"].to_pylist()
    assert ("lower is better" if view == "minutes" else "(derived)") in figure.layout.yaxis.title.text
    assert across.capitalize() in figure.layout.xaxis.title.text
    if view == "efficiency":
        assert list(figure.data[2].y) == answer.data["efficiency_per_epoch"].to_pylist()


def training(size: int, value: float, **differing: Any) -> dict[str, Any]:
    usual = {
        "result_id": f"r{size}", "round": "v1.1", "suite": "training", "scenario": None, "metric": "time_to_train",
        "value": value, "unit": "min", "better": "lower", "benchmark": "resnet", "nodes": size, "server": "XE8545",
        "accelerator": "A100", "accelerators": ["A100"], "accelerator_count": 4 * size,
        "system_id": f"{size}xXE8545x4A100",
    }  # fmt: skip
    return {**usual, **differing}


def small(*results: dict[str, Any], runs: list[dict[str, Any]] | None = None) -> duckdb.DuckDBPyConnection:
    con = database(list(results))
    for number, run in enumerate(runs or []):
        usual = {
            "sha256": "0", "source": "mlcommons/training_results_v1.1", "source_path": f"a/{number}.txt", "line": 1,
            "round": "v1.1", "division": "closed", "submitter": "Dell", "system_id": "x", "benchmark": "resnet",
            "location": "a", "name": f"{number}.txt", "status": "success", "is_counted": True,
        }  # fmt: skip
        values = {**usual, **run}
        con.execute(
            f"insert into runs ({', '.join(values)}) values ({', '.join('?' for _ in values)})", list(values.values())
        )
    return con


CHOICE = Choice("Dell", "v1.1", "XE8545", ("resnet",))


def test_without_runs_there_is_no_figure_per_epoch_and_the_page_says_so() -> None:
    answer = question.answer(small(training(1, 40.0), training(2, 25.0)), CHOICE)
    assert [row["scaling_efficiency"] for row in rows(answer)] == [1, 0.8]
    assert [row["efficiency_per_epoch"] for row in rows(answer)] == [None, None]
    assert "do not say" in answer.below
    assert any("no efficiency per epoch" in note for note in answer.notes)


def test_epochs_are_not_held_against_samples_and_batches_that_differ_are_named() -> None:
    runs = [
        {"result_id": "r1", "minutes": 40.0, "epochs": 10.0, "global_batch_size": 64},
        {"result_id": "r2", "minutes": 25.0, "samples": 900.0, "global_batch_size": 128},
        {"result_id": "r2", "minutes": 25.0, "samples": 900.0, "global_batch_size": 256},
    ]
    answer = question.answer(small(training(1, 40.0), training(2, 25.0), runs=runs), CHOICE)
    assert [row["efficiency_per_epoch"] for row in rows(answer)] == [1, None]
    assert [row["global_batch_size"] for row in rows(answer)] == [64, None]
    assert any("128 to 256" in note for note in answer.notes)


def test_the_figure_per_epoch_is_of_the_runs_though_the_rules_scaled_the_score() -> None:
    runs = [
        {"result_id": "r1", "minutes": 40.0, "epochs": 10.0},
        {"result_id": "r2", "minutes": 20.0, "epochs": 8.0},
        {"result_id": "r2", "minutes": 500.0, "epochs": 100.0, "is_counted": False},
    ]
    answer = question.answer(small(training(1, 40.0), training(2, 25.0), runs=runs), CHOICE)
    assert rows(answer)[1]["scaling_efficiency"] == pytest.approx(40 / 25 / 2)
    assert rows(answer)[1]["efficiency_per_epoch"] == pytest.approx((40 / 10) / (20 / 8) / 2)
    assert any("1.25 on 2 nodes" in note for note in answer.notes)
    assert "It converges earlier: 10 → 8 epochs" in answer.below


def test_a_name_that_contradicts_the_sheet_is_said() -> None:
    odd = training(2, 25.0, system_id="3xXE8545x4A100")
    con = small(training(1, 40.0, system_id="3xXE8545x4A100", accelerator_count=4), odd)
    assert any("says 3, its sheet says 2 nodes" in note for note in question.answer(con, CHOICE).notes)


def test_results_without_node_count_or_with_power_are_left_out_and_named() -> None:
    con = small(
        training(1, 40.0),
        training(2, 25.0),
        training(2, 26.0, result_id="power", has_power=True),
        training(4, 13.0, nodes=None),
    )
    answer = question.answer(con, CHOICE)
    assert [row["value"] for row in rows(answer)] == [40, 25]
    assert any("1 further result" in note for note in answer.notes)
    assert any("4xXE8545x4A100 (number of nodes not stated" in note for note in answer.notes)


@pytest.mark.parametrize(
    "choice",
    [
        Choice("", "", "", ()), Choice("Dell", "v1.1", "XE8545", ()), Choice("Nobody", "v9", "X", ("resnet", "none")),
        Choice("Dell", "v1.1", "XE8545", ("resnet",), configuration="none"),
    ],
)  # fmt: skip
def test_nothing_to_scale_is_an_answer_that_says_what_to_do(choice: Choice) -> None:
    for con in (small(), small(training(1, 40.0), training(2, 25.0))):
        answer = question.answer(con, choice)
        assert answer.is_empty
        assert "Choose another" in answer.advice
