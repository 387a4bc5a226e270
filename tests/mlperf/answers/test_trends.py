"""Trends: bests, gains and breaks against figures computed here from the results, and what odd selections give."""

import tomllib
from dataclasses import replace
from itertools import pairwise
from typing import Any

import duckdb
import plotly.graph_objects as go
import pytest

from loaders import snapshot
from mlperf import citation
from mlperf.answers import trends as question
from mlperf.answers.trend_chart import MOST_DRAWN
from mlperf.answers.trend_lines import trend
from mlperf.answers.trends import Asked, Choice
from mlperf.catalog_files import CATALOG
from mlperf.facts import facts
from mlperf.ranking import system_of
from tests.app.small import H100, OFFLINE, PLAIN, RESULTS, database

FAMILIES = Choice("server_family", ("R750xa", "XE8545", "XE96xx", "XR-series"), "inference", "resnet", "Offline")
BROKEN = [
    (Choice("accelerator", ("NVIDIA T4", "NVIDIA A30"), "inference", "resnet", "MultiStream"), "v1.0", "v2.0",
     "MultiStream counted streams up to v1.1; from v2.0 on it is the latency of an 8-sample query."),
    (Choice("submitter", ("NVIDIA", "Dell"), "inference", "3d-unet-99", "Offline"), "v1.1", "v2.0",
     "The dataset changed from BraTS 2019 to KiTS19."),
    (Choice("server_family", ("XE8545", "XE96xx"), "training", "ssd", None), "v1.1", "v2.0",
     "The model changed from SSD-ResNet34 on COCO to RetinaNet on Open Images."),
    (Choice("submitter", ("NVIDIA",), "inference", "gptj-99", "Server"), "v4.0", "v4.1",
     "The unit changed: v4.0 counts in queries/s, v4.1 in tokens/s. "
     "No result before v4.1 states tokens/s beside its score: logs may, tables do not."),
]  # fmt: skip


EDGE_AND_DATACENTER = ["inference-edge", "inference-datacenter"]


@pytest.fixture(scope="module")
def con() -> duckdb.DuckDBPyConnection:
    return snapshot.open_snapshot()


def own_results(con: duckdb.DuckDBPyConnection, choice: Choice, benchmarks: list[str]) -> list[dict[str, Any]]:
    """The results of a choice, straight from the table, each once."""
    rows = con.cursor().execute("select * from results").to_arrow_table().to_pylist()
    found = {
        row["result_id"]: row
        for row in rows
        if row[choice.by] in choice.values
        and (row["suite"] == "training") == (choice.kind == "training")
        and row["benchmark"] in benchmarks
        and row["scenario"] == choice.scenario
        and row["division"] == choice.division
        and row["has_power"] == choice.has_power
    }
    return list(found.values())


def members(choice: Choice) -> list[str]:
    return ["ssd", "retinanet"] if choice.benchmark == "ssd" else [choice.benchmark]


def lines(figure: go.Figure) -> list[Any]:
    return [trace for trace in figure.data if trace.mode.startswith("lines+markers")]


def ticks(figure: go.Figure) -> dict[int, str]:
    return dict(zip(figure.layout.xaxis.tickvals, figure.layout.xaxis.ticktext, strict=True))


@pytest.mark.parametrize("choice", [FAMILIES, *(case[0] for case in BROKEN)])
def test_the_best_of_each_round_is_the_best_of_the_results(con: duckdb.DuckDBPyConnection, choice: Choice) -> None:
    expected: dict[tuple[str, str], float] = {}
    results = own_results(con, choice, members(choice))
    for row in results:
        place = row[choice.by], row["round"]
        pick = max if row["better"] == "higher" else min
        expected[place] = pick(expected.get(place, row["value"]), row["value"])
    answer = question.answer(con, choice)
    bests = [row for row in answer.data.to_pylist() if row["is_best"]]
    assert {(row[choice.by], row["round"]): row["value"] for row in bests} == expected
    assert len(bests) == len(expected)
    assert f"{len(results)} results in {len({row['round'] for row in results})} rounds" in answer.below


@pytest.mark.parametrize("choice", [FAMILIES, *(case[0] for case in BROKEN)])
def test_the_charts_draw_the_data_and_nothing_else(con: duckdb.DuckDBPyConnection, choice: Choice) -> None:
    answer = question.answer(con, choice)
    drawn = []
    for chart in answer.charts:
        figure = go.Figure(chart.figure.to_dict())
        points = [trace for trace in figure.data if "markers" in trace.mode]
        assert sum(len(trace.x) for trace in figure.data) <= 500
        drawn += [
            (trace.name, ticks(figure)[round(x)], y)
            for trace in points
            for x, y in zip(trace.x, trace.y, strict=True)
            if y is not None
        ]
    rows = answer.data.to_pylist()
    assert sorted(drawn) == sorted((row[choice.by], row["round"], row["value"]) for row in rows)
    assert {row["result_id"] for row in answer.rows.to_pylist()} <= {
        row["result_id"] for row in own_results(con, choice, members(choice))
    }


@pytest.mark.parametrize(("choice", "before", "after", "reason"), BROKEN)
def test_a_line_breaks_where_results_do_not_compare_and_says_why(
    con: duckdb.DuckDBPyConnection, choice: Choice, before: str, after: str, reason: str
) -> None:
    answer = question.answer(con, choice)
    assert f"No line from {before} to {after}: {reason}" in answer.notes
    marked = 0
    for chart in answer.charts:
        names = ticks(chart.figure)
        index = {name: number for number, name in names.items()}
        for trace in lines(chart.figure):
            for (x1, y1), (x2, y2) in pairwise(zip(trace.x, trace.y, strict=True)):
                if y1 is not None and y2 is not None:
                    assert not (names[round(x1)] <= before and names[round(x2)] >= after), "the line runs through"
        for trace in chart.figure.data:
            if trace.line.dash == "dot":
                marked += 1
                assert "not comparable" in trace.text
                assert index.get(before, -1) < trace.x[0] < index.get(after, 99)
    assert marked
    rows = answer.data.to_pylist()
    apart = {row["comparable_rounds"] for row in rows if row["round"] == before}
    assert apart.isdisjoint(row["comparable_rounds"] for row in rows if row["round"] == after)


def unit_changes() -> list[tuple[str, str, str, str, str, str]]:
    """Each neighbouring pair of rounds in which a benchmark's unit differs: from the catalog, not from a list."""
    changes = []
    rounds = [played.id for played in facts().rounds if played.kind == "inference"]
    for benchmark in facts().benchmarks:
        for scenario in facts().scenarios if benchmark.kind == "inference" else ():
            scores = [(name, facts().score("inference", name, benchmark.id, scenario)) for name in rounds]
            units = [(name, score.unit) for name, score in scores if score is not None]
            changes += [(benchmark.id, scenario, *one, *other) for one, other in pairwise(units) if one[1] != other[1]]
    return changes


UNIT_CHANGES = unit_changes()


def written_breaks(benchmark: str, scenario: str) -> set[str]:
    """The reasons of comparability.toml that hold for a benchmark and scenario: they go before a change of unit."""
    file = tomllib.loads((CATALOG / "comparability.toml").read_text())
    return {
        entry["reason"]
        for entry in file["break"]
        if benchmark in entry.get("benchmarks", [benchmark]) and scenario in entry.get("scenarios", [scenario])
    }


def test_the_catalog_has_the_unit_changes_that_readers_meet() -> None:
    for benchmark in ("llama2-70b-99", "llama2-70b-99.9", "gptj-99"):
        assert (benchmark, "Server", "v4.0", "queries/s", "v4.1", "tokens/s") in UNIT_CHANGES
    assert ("resnet", "MultiStream", "v1.1", "streams", "v2.0", "ms") in UNIT_CHANGES
    assert ("gptj-99", "Offline", "v4.0", "samples/s", "v4.1", "tokens/s") in UNIT_CHANGES


@pytest.mark.parametrize(
    ("benchmark", "scenario", "before", "unit", "after", "new_unit"),
    UNIT_CHANGES,
    ids=[f"{benchmark}-{scenario}-{after}" for benchmark, scenario, _, _, after, _ in UNIT_CHANGES],
)
def test_no_line_runs_through_a_change_of_unit_and_the_reason_is_named(
    benchmark: str, scenario: str, before: str, unit: str, after: str, new_unit: str
) -> None:
    lineage = next(known.lineage for known in facts().benchmarks if known.id == benchmark)
    choice = Choice("submitter", ("Dell",), "inference", lineage, scenario)
    indexes = {played.id: played.index for played in facts().rounds if played.kind == "inference"}
    rows = [
        PLAIN | {
            "result_id": name, "submitter": "Dell", "benchmark": benchmark, "scenario": scenario, "round": name,
            "round_index": indexes[name], "unit": counted, "verified": True, "accelerator_count": 8, "value": 7.0,
        }
        for name, counted in ((before, unit), (after, new_unit))
    ]  # fmt: skip
    found = trend(rows, choice)
    (gap,) = found.breaks
    assert gap.rounds == (before, after)
    stated = f"The unit changed: {before} counts in {unit}, {after} in {new_unit}."
    assert gap.reason in {stated, *written_breaks(lineage, scenario)}
    assert len({point.segment for point in found.points}) == 2
    backwards = facts().incomparable("inference", (benchmark, after), (benchmark, before), scenario)
    assert backwards == gap.reason


def test_results_in_two_units_share_no_axis(con: duckdb.DuckDBPyConnection) -> None:
    answer = question.answer(con, BROKEN[0][0])
    titles = [chart.figure.layout.yaxis.title.text for chart in answer.charts]
    assert titles == ["Streams, streams – ↑ higher is better", "Latency, ms – ↓ lower is better"]


def test_a_renamed_benchmark_keeps_its_line(con: duckdb.DuckDBPyConnection) -> None:
    choice = Choice("server_family", ("XE96xx",), "training", "ssd", None)
    answer = question.answer(con, choice)
    bests = [row for row in answer.data.to_pylist() if row["is_best"]]
    assert [row["benchmark"] for row in bests if row["round"] in ("v4.1", "v5.0")] == ["ssd", "retinanet"]
    [line] = lines(answer.charts[0].figure)
    assert None not in line.y
    assert not [note for note in answer.notes if note.startswith("No line")]


def test_the_heading_tells_the_gain_of_the_one_line(con: duckdb.DuckDBPyConnection) -> None:
    choice = replace(FAMILIES, values=("XE96xx",))
    results = own_results(con, choice, ["resnet"])
    old = max(row["value"] for row in results if row["round"] == "v3.0")
    new = max(row["value"] for row in results if row["round"] == "v5.0")
    assert question.answer(con, choice).heading == f"XE96xx: ResNet-50 v1.5 Offline {new / old:.3g}× from v3.0 to v5.0"


def test_time_to_train_improves_as_it_falls_and_only_where_it_compares(con: duckdb.DuckDBPyConnection) -> None:
    choice = Choice("server_family", ("XE8545", "XE96xx"), "training", "ssd", None)
    results = own_results(con, choice, ["ssd", "retinanet"])
    old = min(row["value"] for row in results if row["round"] == "v2.0")
    later = [row for row in results if row["round_index"] > 3]
    new = min(later, key=lambda row: row["value"])
    answer = question.answer(con, choice)
    assert f"SSD / RetinaNet: {old / new['value']:.3g}× from XE8545 (v2.0) to XE96xx ({new['round']})" in answer.heading
    assert f"{new['accelerator_count']} accelerators against 4" in answer.heading


def test_each_best_is_held_against_the_first_that_compares(con: duckdb.DuckDBPyConnection) -> None:
    for choice in (FAMILIES, BROKEN[2][0]):
        rows = question.answer(con, choice).data.to_pylist()
        firsts: dict[tuple[str, str], dict[str, Any]] = {}
        for row in (row for row in rows if row["is_best"]):
            first = firsts.setdefault((row["server_family"], row["comparable_rounds"]), row)
            ratio = row["value"] / first["value"]
            expected = ratio if row["better"] == "higher" else 1 / ratio
            assert row["relative"] == (None if row is first else pytest.approx(expected))
            assert row["baseline"] == (None if row is first else f"{first['server_family']} {first['round']}")
        assert all(row["relative"] is None for row in rows if not row["is_best"])


def test_per_accelerator_is_marked_as_derived_and_shared_out(con: duckdb.DuckDBPyConnection) -> None:
    choice = replace(FAMILIES, is_per_accelerator=True)
    results = {(row["system_id"] or row["system_name"], row["round"], row["value"] / row["accelerator_count"])
               for row in own_results(con, choice, ["resnet"]) if row["accelerator_count"]}  # fmt: skip
    answer = question.answer(con, choice)
    rows = answer.data.to_pylist()
    assert {(row["system"], row["round"], row["per_accelerator"]) for row in rows} <= results
    assert {row["per_accelerator_unit"] for row in rows} == {"samples/s per accelerator"}
    assert all(row["value"] == pytest.approx(row["per_accelerator"] * row["accelerator_count"]) for row in rows)
    assert {row["unit"] for row in rows} == {"samples/s"}
    assert "(derived), samples/s per accelerator" in answer.charts[0].figure.layout.yaxis.title.text
    assert any("per accelerator" in text for text in answer.derived)


def test_systems_of_one_size_can_be_held_apart(con: duckdb.DuckDBPyConnection) -> None:
    answer = question.answer(con, replace(FAMILIES, accelerator_count=4))
    assert set(answer.data["accelerator_count"].to_pylist()) == {4}
    assert "4 accelerators in the system" in answer.below
    assert "against" not in answer.heading


def test_what_is_not_drawn_is_counted_and_the_bests_are_drawn(con: duckdb.DuckDBPyConnection) -> None:
    choice = Choice("submitter", ("Krai", "CTuning"), "inference", "resnet", "SingleStream", division="open")
    total = len(own_results(con, choice, ["resnet"]))
    answer = question.answer(con, choice)
    assert answer.data.num_rows <= MOST_DRAWN < total
    assert any(f"{total - answer.data.num_rows:,} results behind" in note for note in answer.notes)


def test_the_order_of_selection_changes_no_figure(con: duckdb.DuckDBPyConnection) -> None:
    turned = replace(FAMILIES, values=FAMILIES.values[::-1])
    one, other = question.answer(con, FAMILIES), question.answer(con, turned)
    assert one.findings == other.findings
    assert one.heading == other.heading
    key = ("server_family", "round", "system", "value", "relative", "comparability")
    assert sorted(map(str, one.data.select(key).to_pylist())) == sorted(map(str, other.data.select(key).to_pylist()))


def test_lines_without_results_are_named_and_none_at_all_is_advice(con: duckdb.DuckDBPyConnection) -> None:
    answer = question.answer(con, replace(FAMILIES, values=("XE96xx", "R470")))
    assert "No results here: R470." in answer.notes
    empty = question.answer(con, replace(FAMILIES, values=("R470",), benchmark="whisper"))
    assert empty.is_empty
    assert "Choose other server families" in empty.advice
    assert question.answer(con, replace(FAMILIES, values=())).is_empty


def test_what_is_offered_has_results(con: duckdb.DuckDBPyConnection) -> None:
    known = question.fields(con, Asked("server_family", "inference", "Dell"))
    offered = question.values(known, replace(FAMILIES, values=()))
    rows = con.cursor().execute(
        "select server_family, count(distinct round) from results where benchmark = 'resnet' and scenario = 'Offline'"
        " and division = 'closed' and not has_power and suite <> 'training' and server_family is not null group by 1"
    )
    expected = dict(rows.fetchall())
    assert set(offered) == set(expected)
    assert [expected[value] for value in offered] == sorted(expected.values(), reverse=True)
    assert question.usual_place(known) == ("resnet", "Offline")
    assert question.scenarios(known, "resnet") == ("Offline", "Server", "SingleStream", "MultiStream")


def test_the_first_lines_are_the_submitters_own(con: duckdb.DuckDBPyConnection) -> None:
    for submitter in ("Dell", "Lenovo"):
        known = question.fields(con, Asked("submitter", "inference", submitter))
        chosen = question.usual_values(known, replace(FAMILIES, by="submitter", values=()))
        assert chosen[0] == submitter
        assert len(chosen) > 1


def test_a_result_in_two_suites_is_one() -> None:
    con = database(RESULTS)
    answer = question.answer(con, Choice("accelerator", ("NVIDIA L4",), "inference", "resnet", "Offline"))
    assert answer.data["value"].to_pylist() == [12839.1]
    assert answer.rows.num_rows == 2
    assert answer.heading == "NVIDIA L4: ResNet-50 v1.5 Offline, 12,839 samples/s in v3.1"


def test_what_the_catalog_does_not_know_is_not_joined() -> None:
    con = database([
        {"result_id": "a", **OFFLINE, **H100, "benchmark": "novel", "round": "v3.1", "round_index": 7},
        {"result_id": "b", **OFFLINE, **H100, "benchmark": "novel", "round": "v4.0", "round_index": 8},
    ])  # fmt: skip
    answer = question.answer(con, Choice("server", ("XE9680",), "inference", "novel", "Offline"))
    assert "No line from v3.1 to v4.0: The catalog does not know both." in answer.notes
    assert "×" not in answer.heading


def test_an_invalid_result_is_no_best() -> None:
    con = database([
        {"result_id": "a", **OFFLINE, **H100, "value": 5.0},
        {"result_id": "b", **OFFLINE, **H100, "value": 9.0, "valid": False},
    ])  # fmt: skip
    answer = question.answer(con, Choice("server", ("XE9680",), "inference", "resnet", "Offline"))
    assert answer.data["value"].to_pylist() == [5.0]


def test_citation_and_sheets_begin_with_the_two_results_of_the_heading(con: duckdb.DuckDBPyConnection) -> None:
    for values in (FAMILIES.values, FAMILIES.values[::-1]):
        answer = question.answer(con, replace(FAMILIES, values=values))
        rows = {(row["round"], system_of(row)): None for row in answer.rows.to_pylist()}
        places = list(rows)
        assert [place[0] for place in places[:2]] == ["v4.1", "v1.0"]
        assert "from XE8545 (v1.0) to XE96xx (v4.1)" in answer.heading
        bests = {(row["round"], row["system"]) for row in answer.data.to_pylist() if row["is_best"]}
        assert set(places[: len(bests)]) == bests
        cited = citation.cite(answer.rows, facts(), None, answer.derived).text
        assert all(str(system) in cited for _, system in places[:2])


def test_results_that_share_a_suite_are_not_said_to_differ_in_it(con: duckdb.DuckDBPyConnection) -> None:
    a100 = Choice("accelerator", ("NVIDIA A100-PCIe-80GB",), "inference", "resnet", "Offline")
    answer = question.answer(con, a100)
    assert "suite" not in {one.kind for one in answer.findings}
    bests = [row for row in answer.data.to_pylist() if row["is_best"]]
    assert {row["suite"] for row in bests} == {"inference-datacenter"}
    assert not any("Suites differ" in row["comparability"] for row in answer.data.to_pylist())


@pytest.mark.parametrize("order", [1, -1])
def test_a_result_in_two_suites_is_in_that_of_its_neighbours(order: int) -> None:
    twice = [{**OFFLINE, "result_id": "a", "value": 1.0, "suite": suite} for suite in EDGE_AND_DATACENTER[::order]]
    later = {**OFFLINE, "result_id": "b", "value": 2.0, "round": "v4.0", "round_index": 8}
    for suite in EDGE_AND_DATACENTER:
        con = database([*twice, {**later, "suite": suite}])
        answer = question.answer(con, Choice("submitter", ("Dell",), "inference", "resnet", "Offline"))
        assert answer.data["suite"].to_pylist() == [suite, suite]
        assert "suite" not in {one.kind for one in answer.findings}


def test_states_of_all_drawn_points_are_on_the_page(con: duckdb.DuckDBPyConnection) -> None:
    answer = question.answer(con, Choice("submitter", ("NVIDIA",), "inference", "resnet", "MultiStream"))
    noted = [row for row in answer.data.to_pylist() if row["availability"] == "preview"]
    assert noted
    (told,) = [one.text for one in answer.findings if one.kind == "preview"]
    assert all(f"{row['system']} {row['round']}" in told for row in noted)
    assert "preview" not in {row["availability"] for row in answer.data.to_pylist() if row["is_best"]}


def test_points_that_are_not_joined_are_not_said_to_differ() -> None:
    best = {**OFFLINE, "result_id": "a", "value": 2.0}
    other = {**OFFLINE, "result_id": "b", "value": 1.0, "availability": "preview", "system_id": "Other"}
    answer = question.answer(
        database([best, other]), Choice("submitter", ("Dell",), "inference", "resnet", "Offline")
    )  # fmt: skip
    assert [one.kind for one in answer.findings] == ["preview"]


def test_numbers_of_accelerators_are_written_as_counts_are() -> None:
    sizes = (
        {"result_id": "a", "accelerator_count": 2048, "value": 1.0},
        {"result_id": "b", "accelerator_count": 1024, "value": 2.0, "round": "v4.0", "round_index": 8},
    )
    answer = question.answer(
        database([{**OFFLINE, **size} for size in sizes]),
        Choice("submitter", ("Dell",), "inference", "resnet", "Offline"),
    )
    assert answer.heading.endswith("1,024 accelerators against 2,048")


LLAMA: dict[str, Any] = {
    **H100, "benchmark": "llama2-70b-99", "scenario": "Server", "metric": "throughput", "better": "higher",
    "accelerators": ["NVIDIA H100"],
}  # fmt: skip
IN_QUERIES = {**LLAMA, "result_id": "q", "round": "v4.0", "round_index": 8, "value": 71.7957, "unit": "queries/s"}
IN_TOKENS = {**LLAMA, "result_id": "t", "round": "v4.1", "round_index": 9, "value": 23113.1, "unit": "tokens/s"}
SERVER = Choice("server_family", ("XE96xx",), "inference", "llama2-70b-99", "Server")


def test_a_second_measure_stands_where_the_metric_changed_in_no_line_and_no_ratio() -> None:
    old = IN_QUERIES | {"tokens_per_second": 20958.48, "samples_per_second": 71.8}
    answer = question.answer(database([old, IN_TOKENS]), SERVER)
    (tokens,) = [chart.figure for chart in answer.charts if "tokens/s" in chart.figure.layout.yaxis.title.text]
    (beside,) = [trace for trace in tokens.data if "stated beside the score" in trace.name]
    assert (list(beside.y), beside.mode, beside.marker.symbol) == ([20958.48], "markers", "circle-open")
    assert ticks(tokens)[round(beside.x[0])] == "v4.0"
    assert [value for trace in lines(tokens) for value in trace.y if value] == [23113.1]
    assert "×" not in answer.heading
    assert any("no metric of that round and no official MLPerf result" in note for note in answer.notes)
    assert "figures that logs state beside the score" in answer.derived
    rows = {(row["round"], row["unit"], row["is_metric"]): row["value"] for row in answer.data.to_pylist()}
    assert rows == {
        ("v4.0", "queries/s", True): 71.7957, ("v4.0", "tokens/s", False): 20958.48, ("v4.1", "tokens/s", True): 23113.1
    }  # fmt: skip
    assert all(row["relative"] is None for row in answer.data.to_pylist())


def test_without_a_second_measure_the_break_is_named_with_its_reason() -> None:
    answer = question.answer(database([IN_QUERIES, IN_TOKENS]), SERVER)
    assert (
        "No line from v4.0 to v4.1: The unit changed: v4.0 counts in queries/s, v4.1 in tokens/s. "
        "No result before v4.1 states tokens/s beside its score: logs may, tables do not."
    ) in answer.notes
    assert "is_metric" not in answer.data.column_names
    assert not any("stated beside" in trace.name for chart in answer.charts for trace in chart.figure.data)


def test_the_side_that_states_nothing_is_named_where_the_other_does() -> None:
    offline = {"scenario": "Offline", "benchmark": "gptj-99"}
    old = IN_QUERIES | offline | {"unit": "samples/s"}
    new = IN_TOKENS | offline | {"samples_per_second": 80.5}
    answer = question.answer(database([old, new]), replace(SERVER, benchmark="gptj-99", scenario="Offline"))
    assert [row["value"] for row in answer.data.to_pylist() if not row["is_metric"]] == [80.5]
    assert any("No result before v4.1 states tokens/s beside its score" in note for note in answer.notes)


def test_a_measure_is_never_drawn_across_another_change_than_that_of_the_unit() -> None:
    streams = {
        **PLAIN, "scenario": "MultiStream", "metric": "streams", "unit": "streams", "better": "higher", "round": "v1.1",
        "round_index": 3, "value": 16.0, "samples_per_second": 512.0,
    }  # fmt: skip
    latency = {**PLAIN, "scenario": "MultiStream", "result_id": "l", "round": "v2.0", "round_index": 4}
    found = trend([{**PLAIN, **row} for row in (streams, latency)], Choice("server_family", ("XR-series",), "inference",
                  "resnet", "MultiStream"))  # fmt: skip
    assert found.seconds == ()
    assert [gap.units for gap in found.breaks] == [None]
