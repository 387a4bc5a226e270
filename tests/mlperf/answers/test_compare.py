"""Compare: its figures against figures computed here from the results, and what it says of odd selections."""

import math
from itertools import permutations

import duckdb
import plotly.graph_objects as go
import pytest

from loaders import snapshot
from mlperf.answers import compare as question
from mlperf.answers.compare import Choice
from mlperf.systems import SystemKey
from tests.app.small import H100, OFFLINE, RESULTS, database


def key(text: str) -> SystemKey:
    found = SystemKey.parse(text)
    assert found is not None
    return found


XR4520C, XR7620 = key("inference-v3.1/Dell/XR4520c_L4x1_TRT"), key("inference-v3.1/Dell/XR7620_L4x1_TRT")
MAXQ = key("inference-v3.1/Dell/XR5610_L4x1_TRT_MaxQ")
OLD_MAXQ = key("inference-v3.0/Dell/XR5610_L4x1_TRT_MaxQ")
XE8545 = key("training-v1.1/Dell/XE8545x4A100-SXM-80GB")


@pytest.fixture(scope="module")
def con() -> duckdb.DuckDBPyConnection:
    return snapshot.open_snapshot()


def values(con: duckdb.DuckDBPyConnection, system: SystemKey) -> dict[tuple[str, str], tuple[float, str]]:
    """The system's closed results by benchmark and scenario, straight from the table."""
    rows = con.cursor().execute(
        "select benchmark, scenario, any_value(value), any_value(better), count(distinct value) from results"
        " where round = ? and submitter = ? and system_id = ? and division = 'closed' and suite <> 'training'"
        " group by 1, 2",
        [system.round, system.submitter, system.system],
    )
    found = {}
    for benchmark, scenario, value, better, count in rows.fetchall():
        assert count == 1
        found[benchmark, scenario] = (value, better)
    return found


def ratios(con: duckdb.DuckDBPyConnection, system: SystemKey, baseline: SystemKey) -> dict[tuple[str, str], float]:
    new, old = values(con, system), values(con, baseline)
    return {
        cell: new[cell][0] / old[cell][0] if new[cell][1] == "higher" else old[cell][0] / new[cell][0]
        for cell in new.keys() & old.keys()
    }


@pytest.mark.parametrize(("system", "baseline", "cells"), [(XR4520C, XR7620, 12), (MAXQ, OLD_MAXQ, 14)])
def test_relative_performance_is_that_of_the_results(
    con: duckdb.DuckDBPyConnection, system: SystemKey, baseline: SystemKey, cells: int
) -> None:
    expected = ratios(con, system, baseline)
    assert len(expected) == cells
    answer = question.answer(con, Choice((baseline, system), baseline))
    shown = {
        (row["benchmark"], row["scenario"]): row["relative"]
        for row in answer.data.to_pylist()
        if row["relative"] is not None and (row["system"], row["round"]) == (row["system"], system.round)
        and row["system"].startswith(system.system) and row["system"] != row["baseline"]
    }  # fmt: skip
    assert shown == pytest.approx(expected, rel=1e-9)
    mean, _, _ = mean_of_runs(con, system, baseline)
    assert f"{mean:.2f}×" in answer.heading
    assert f"the {cells} that all have" in answer.below


def test_there_and_back_every_ratio_is_one(con: duckdb.DuckDBPyConnection) -> None:
    there = question.matrix(rows_of(con, XR4520C, XR7620), Choice((XR4520C, XR7620), XR4520C))
    back = question.matrix(rows_of(con, XR4520C, XR7620), Choice((XR4520C, XR7620), XR7620))
    products = [
        (there[cell][XR7620].relative or 0) * (back[cell][XR4520C].relative or 0)
        for cell in there
        if {XR4520C, XR7620} <= set(there[cell])
    ]
    assert products == pytest.approx([1.0] * 12)


def rows_of(con: duckdb.DuckDBPyConnection, *systems: SystemKey) -> list[question.Row]:
    from mlperf import queries

    rows: list[question.Row] = queries.system_results(con, systems).to_pylist()
    return rows


def test_with_and_without_power_is_refused_with_the_reason(con: duckdb.DuckDBPyConnection) -> None:
    answer = question.answer(con, Choice((XR7620, MAXQ)))
    assert [found.kind for found in answer.findings if found.is_refused] == ["power"]
    assert not answer.charts
    others = [row for row in answer.data.to_pylist() if row["system"] == MAXQ.system]
    assert others
    assert all(row["relative"] is None and "power" in row["comparability"] for row in others)


def test_training_and_inference_have_nothing_in_common(con: duckdb.DuckDBPyConnection) -> None:
    answer = question.answer(con, Choice((XE8545, XR7620)))
    assert not answer.charts
    assert "none of them" in answer.below
    assert [(one.kind, one.is_refused) for one in answer.findings] == [("kind", True)]
    assert answer.derived == ()
    assert answer.data.num_rows == len(values(con, XR7620)) + 8


def test_the_matrix_shows_gaps_as_gaps_and_the_sheets_only_what_differs(con: duckdb.DuckDBPyConnection) -> None:
    found = question.sides(con, Choice((XR4520C, XR7620)))
    have = {XR4520C: values(con, XR4520C), XR7620: values(con, XR7620)}
    for system, cells in have.items():
        assert sum(row[system.system] is not None for row in found.matrix) == len(cells)
    differing = {row["field"] for row in question.differing(found.sheets)}
    assert "host_processor_model_name" in differing
    assert "accelerator_model_name" not in differing
    assert {row["field"] for row in found.sheets} > differing


def test_findings_do_not_depend_on_the_order_of_selection(con: duckdb.DuckDBPyConnection) -> None:
    told = {
        question.answer(con, Choice(order, XR7620)).findings
        for order in permutations((XR7620, MAXQ, OLD_MAXQ, XR4520C))
    }
    assert len(told) == 1


def test_the_mean_runs_over_the_cells_that_all_have(con: duckdb.DuckDBPyConnection) -> None:
    r750xa, l40 = (
        key("inference-v3.1/Dell/R750xa_A100_PCIE_80GBx4_TRT"),
        key("inference-v3.1/Dell/R760xa_L40x4_edge_TRT"),
    )
    choice = Choice((XR7620, XR4520C, l40), XR7620)
    found = question.matrix(rows_of(con, *choice.systems), choice)
    common = set(ratios(con, XR4520C, XR7620)) & set(ratios(con, l40, XR7620))
    mean, count = question.geometric_mean(found, choice.systems, l40)
    expected = math.prod(ratios(con, l40, XR7620)[cell] for cell in common) ** (1 / len(common))
    assert (mean, count) == (pytest.approx(expected), len(common))
    assert question.geometric_mean({}, (r750xa,), r750xa) == (None, 0)


def test_per_accelerator_is_the_result_over_the_accelerators() -> None:
    con = database(RESULTS)
    h100 = key("inference-v3.1/Dell/XE9680_H100x8_TRT")
    xr = key("inference-v3.1/Dell/XR7620_L4x1_TRT")
    answer = question.answer(con, Choice((xr, h100), xr, is_per_accelerator=True))
    rows = {(row["system"], row["benchmark"], row["scenario"]): row for row in answer.data.to_pylist()}
    each = rows[h100.system, "resnet", "Offline"]
    assert (each["value"], each["unit"]) == (706858.0, "samples/s")
    assert each["per_accelerator"] == pytest.approx(706858.0 / 8)
    assert each["per_accelerator_unit"] == "samples/s per accelerator"
    assert each["relative"] == pytest.approx(706858.0 / 8 / 12839.1)
    assert rows[xr.system, "resnet", "SingleStream"]["per_accelerator"] is None
    assert "per_accelerator" not in question.answer(con, Choice((xr, h100), xr)).data.column_names
    without = database([{"result_id": "a", **OFFLINE, "accelerator": None, "accelerators": []}])
    assert question.answer(without, Choice((xr,), is_per_accelerator=True)).derived == ()
    assert any("per accelerator" in derived for derived in answer.derived)


def test_per_accelerator_is_said_wherever_the_answer_may_be_read() -> None:
    four = {**OFFLINE, **H100, "accelerator_count": 4, "system_id": "A", "value": 100.0, "result_id": "a"}
    con = database([four, {**four, "accelerator_count": 8, "system_id": "B", "value": 200.0, "result_id": "b"}])
    one, other = key("inference-v3.1/Dell/A"), key("inference-v3.1/Dell/B")
    answer = question.answer(con, Choice((one, other), is_per_accelerator=True))
    assert answer.heading == "B 1.00× the performance per accelerator of A"
    assert "per accelerator (derived)" in answer.below
    (chart,) = answer.charts
    assert chart.description.startswith("Performance per accelerator relative to A")
    assert "per accelerator" in str(go.Figure(chart.figure.to_dict()).layout.xaxis.title.text)
    assert answer.derived[0] == "performance per accelerator relative to A (ratio of results per accelerator)"
    assert answer.file_name == "compare_per_accelerator_A_B"
    whole = question.answer(con, Choice((one, other)))
    texts = (whole.heading, whole.below, whole.charts[0].description, *whole.derived, whole.file_name)
    assert not any("accelerator" in text for text in texts)
    assert question.answer(con, Choice((one,), is_per_accelerator=True)).heading == "A per accelerator"


def test_charts_are_figures_that_plotly_accepts(con: duckdb.DuckDBPyConnection) -> None:
    for systems in ((XR4520C, XR7620), (OLD_MAXQ, MAXQ), (XR7620, XR4520C, key("inference-v4.0/Dell/XR7620_L4x1_TRT"))):
        for chart in question.answer(con, Choice(systems)).charts:
            assert isinstance(chart.figure, go.Figure)
            go.Figure(chart.figure.to_dict())


@pytest.mark.parametrize("systems", [(), (key("inference-v9.9/Nobody/none"),)])
def test_nothing_chosen_says_what_to_do(systems: tuple[SystemKey, ...]) -> None:
    answer = question.answer(database([]), Choice(systems))
    assert answer.is_empty
    assert "Choose two to eight systems" in answer.advice
    assert question.default_systems(database([]), "Dell") == ()


def test_one_system_alone_shows_its_results(con: duckdb.DuckDBPyConnection) -> None:
    answer = question.answer(con, Choice((XR7620,)))
    assert answer.data.num_rows == len(values(con, XR7620))
    assert "choose a second system" in answer.below


def test_eight_systems_are_one_chart(con: duckdb.DuckDBPyConnection) -> None:
    rows = con.cursor().execute(
        "select distinct system_id from results where round = 'v3.1' and submitter = 'Dell' and suite <> 'training'"
        " order by 1 limit 8"
    )
    systems = tuple(SystemKey("inference", "v3.1", "Dell", system) for (system,) in rows.fetchall())
    answer = question.answer(con, Choice(systems))
    assert len(systems) == 8
    assert answer.data.num_rows > 50
    marks = sum(len(trace.x) for chart in answer.charts for trace in chart.figure.data)  # type: ignore[union-attr]
    assert 0 < marks <= 500


def test_an_open_result_gives_way_to_a_closed_one_and_is_said_to_be_left_out() -> None:
    con = database([
        {"result_id": "closed", **OFFLINE, "value": 10.0},
        {"result_id": "open", **OFFLINE, "value": 99.0, "division": "open"},
        {"result_id": "other", **OFFLINE, **H100, "value": 20.0},
    ])  # fmt: skip
    systems = (key("inference-v3.1/Dell/XR7620_L4x1_TRT"), key("inference-v3.1/Dell/XE9680_H100x8_TRT"))
    answer = question.answer(con, Choice(systems))
    assert "2.00×" in answer.heading
    assert any("1 more results (open)" in note for note in answer.notes)


def test_a_result_that_two_suites_list_does_not_differ_in_suite_from_one_that_shares_a_suite() -> None:
    edge, datacenter = {"suite": "inference-edge"}, {"suite": "inference-datacenter"}
    con = database([
        {"result_id": "both", **OFFLINE, **datacenter, "value": 10.0},
        {"result_id": "both", **OFFLINE, **edge, "value": 10.0},
        {"result_id": "one", **OFFLINE, **H100, **edge, "value": 20.0},
        {"result_id": "other", **OFFLINE, **H100, **datacenter, "value": 30.0, "round": "v4.0"},
    ])  # fmt: skip
    both, one = key("inference-v3.1/Dell/XR7620_L4x1_TRT"), key("inference-v3.1/Dell/XE9680_H100x8_TRT")
    other = key("inference-v4.0/Dell/XE9680_H100x8_TRT")
    for systems, is_noted in (((both, one), False), ((both, other), False), ((one, other), True)):
        kinds = {found.kind for found in question.answer(con, Choice(systems)).findings}
        assert ("suite" in kinds) == is_noted


def test_names_lead_to_the_systems_sheets(con: duckdb.DuckDBPyConnection) -> None:
    data = question.answer(con, Choice((XR7620, XR4520C))).data.to_pylist()
    assert {row["sheet"] for row in data} == {XR7620.address, XR4520C.address}


def test_only_derived_metrics_that_are_shown_are_named(con: duckdb.DuckDBPyConnection) -> None:
    assert question.answer(con, Choice((XR7620,))).derived == ()
    assert question.answer(con, Choice((XR7620, MAXQ))).derived == ()
    named = question.answer(con, Choice((XR7620, XR4520C))).derived
    assert any("relative" in name for name in named)
    assert any("geometric mean" in name for name in named)


def mean_of_runs(con: duckdb.DuckDBPyConnection, system: SystemKey, baseline: SystemKey) -> tuple[float, int, int]:
    """The geometric mean with cells of equal figures, in both systems and at two accuracies of a benchmark, once."""
    new, old = values(con, system), values(con, baseline)
    runs = {
        (benchmark.removesuffix(".9").removesuffix("-99"), scenario, new[benchmark, scenario], old[benchmark, scenario])
        for benchmark, scenario in new.keys() & old.keys()
    }
    shares = [n[0] / o[0] if n[1] == "higher" else o[0] / n[0] for _, _, n, o in runs]
    return math.prod(shares) ** (1 / len(shares)), len(shares), len(new.keys() & old.keys())


@pytest.mark.parametrize(("system", "baseline"), [(MAXQ, OLD_MAXQ), (OLD_MAXQ, MAXQ)])
def test_one_run_at_two_accuracies_is_in_the_mean_once(
    con: duckdb.DuckDBPyConnection, system: SystemKey, baseline: SystemKey
) -> None:
    mean, runs, cells = mean_of_runs(con, system, baseline)
    assert runs < cells
    choice = Choice((baseline, system), baseline)
    found = question.matrix(rows_of(con, baseline, system), choice)
    assert question.geometric_mean(found, choice.systems, system) == (pytest.approx(mean, rel=1e-12), runs)
    answer = question.answer(con, choice)
    assert f"the {cells} that all have, {runs} runs (derived)" in answer.below
    assert any(note.startswith("The very same run in each of the systems") for note in answer.notes)


def test_cells_that_are_one_run_in_one_system_only_are_two() -> None:
    tier = {"99": "3d-unet-99", "99.9": "3d-unet-99.9"}
    one = [
        {"result_id": f"a{name}", **OFFLINE, "benchmark": benchmark, "value": 50.5} for name, benchmark in tier.items()
    ]
    other = [
        {"result_id": f"b{name}", **OFFLINE, **H100, "benchmark": benchmark, "value": value}
        for (name, benchmark), value in zip(tier.items(), (80.25, 79.5), strict=True)
    ]
    con = database([*one, *other])
    rows = con.cursor().execute("select distinct submitter, system_id from results order by system_id").fetchall()
    keys = tuple(SystemKey("inference", "v3.1", *row) for row in rows)
    answer = question.answer(con, Choice(keys, keys[0]))
    assert "the 2 that all have (derived)" in answer.below
    assert not any("very same run in each" in note for note in answer.notes)
