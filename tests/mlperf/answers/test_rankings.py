"""Rankings: places, leads, titles and copies, against figures that the tests work out from the results themselves."""

from dataclasses import replace
from typing import Any

import duckdb
import plotly.graph_objects as go
import pytest

from loaders import snapshot
from mlperf import citation, ranking
from mlperf.answers import ranking_tables, rankings
from mlperf.answers.rankings import Choice
from mlperf.facts import facts
from mlperf.queries import Field
from tests.app.small import H100, OFFLINE, PLAIN, database

WHOLE = Field("inference-datacenter", "v3.1", "closed", False, "available")
H100_SXM = replace(WHOLE, accelerator="NVIDIA H100-SXM-80GB", accelerator_count="8")

FIELDS = [
    (WHOLE, "availability = 'available'"),
    (replace(WHOLE, availability=""), "true"),
    (H100_SXM, "availability = 'available' and accelerator = 'NVIDIA H100-SXM-80GB' and accelerator_count = 8"),
]
"""Fields, and the same as conditions of SQL."""

XE9680 = "XE9680_H100_SXM_80GBx8_TRT"
CLAIMS = {
    ("resnet", "Server"): 1,
    ("retinanet", "Server"): 6,
    ("rnnt", "Server"): 2,
    ("rnnt", "Offline"): 1,
    ("bert-99", "Server"): 1,
    ("bert-99.9", "Offline"): 2,
    ("dlrm-v2-99", "Offline"): 1,
    ("dlrm-v2-99.9", "Offline"): 1,
}
"""The eight titles that an article claims for XE9680 in v3.1 (views.md 13), with the rank that the data give it."""


@pytest.fixture(scope="module")
def con() -> duckdb.DuckDBPyConnection:
    return snapshot.open_snapshot()


def listed(con: duckdb.DuckDBPyConnection, where: str) -> list[dict[str, Any]]:
    """Results straight from the table, best first per benchmark and scenario."""
    return (
        con.cursor()
        .sql(
            "select * from results where (valid is null or valid) and " + where + " order by benchmark, scenario, "
            "case better when 'higher' then -value else value end"
        )
        .to_arrow_table()
        .to_pylist()
    )


def result(name: str, value: float, **other: Any) -> dict[str, Any]:
    return {
        **PLAIN, **OFFLINE, **H100, "result_id": name, "system_id": name, "server": None, "value": value, **other,
    }  # fmt: skip


def ranked(*rows: dict[str, Any], by: ranking.By = "result") -> ranking.Ranking:
    (found,) = ranking.rankings([{**PLAIN, **row} for row in rows], by)
    return found


@pytest.mark.parametrize(("cell", "rank"), CLAIMS.items())
def test_the_article_claims_get_the_rank_that_the_results_give(
    con: duckdb.DuckDBPyConnection, cell: tuple[str, str], rank: int
) -> None:
    benchmark, scenario = cell
    for field, condition in FIELDS:
        others = listed(
            con,
            "round = 'v3.1' and suite = 'inference-datacenter' and division = 'closed' and not has_power"
            f" and {condition}"
            f" and benchmark = '{benchmark}' and scenario = '{scenario}'",
        )
        values = sorted((row["value"] for row in others), reverse=True)
        (own,) = [row["value"] for row in others if row["system_id"] == XE9680]
        assert 1 + sum(value > own for value in values) == rank

        answer = rankings.answer(con, Choice(replace(field, benchmark=benchmark), scenario, submitter="Dell"))
        rows = answer.data.to_pylist()
        assert [row["rank"] for row in rows if row["system"] == XE9680] == [rank]
        assert [row["value"] for row in rows] == values
        assert rows[1]["of_first"] == pytest.approx(values[1] / values[0], rel=1e-12)
        percent = 100 * (values[0] / values[1] - 1)
        (first,) = [
            row
            for row in rankings.firsts(con, Choice(field)).data.to_pylist()
            if (row["benchmark"], row["scenario"]) == cell
        ]
        assert (first["value"], first["runner_up_value"]) == (values[0], values[1])
        assert first["lead_percent"] == pytest.approx(percent, rel=1e-9)
        assert first["runs_ranked"] == len(values)


def test_the_heading_names_first_figure_lead_and_runner_up_and_the_line_below_names_the_field(
    con: duckdb.DuckDBPyConnection,
) -> None:
    answer = rankings.answer(con, Choice(replace(H100_SXM, benchmark="resnet"), "Server", submitter="Dell"))
    assert answer.heading == (
        "ResNet-50 v1.5 · Server: 1st Dell XE9680 (8 × NVIDIA H100-SXM-80GB) with 620,874 queries/s, 4.6 % ahead of "
        "Supermicro SYS_821GE_TNHR_H100_SXM_80GBx8_TRT"
    )
    assert answer.below == (
        "Ranked in: MLPerf® Inference v3.1, datacenter, Closed division, available systems, without power measurement, "
        "8 × NVIDIA H100-SXM-80GB · 6 runs ranked"
    )


def test_the_line_below_names_the_place_of_the_own_system_where_another_is_first(
    con: duckdb.DuckDBPyConnection,
) -> None:
    answer = rankings.answer(con, Choice(replace(WHOLE, benchmark="retinanet"), "Server", submitter="Dell"))
    assert answer.below.endswith("Dell XE9680 (8 × NVIDIA H100-SXM-80GB) is 6th with 12,485 queries/s")


def test_titles_are_first_places_with_the_run_of_two_accuracies_counted_once(con: duckdb.DuckDBPyConnection) -> None:
    rows = listed(
        con,
        "round = 'v3.1' and suite = 'inference-datacenter' and division = 'closed' and not has_power"
        " and availability = 'available'",
    )
    first: dict[tuple[str, str], dict[str, Any]] = {}
    for row in rows:
        first.setdefault((row["benchmark"], row["scenario"]), row)
    runs: dict[str, set[tuple[Any, ...]]] = {}
    for (benchmark, scenario), row in first.items():
        base = benchmark.removesuffix("-99.9").removesuffix("-99")
        runs.setdefault(row["submitter"], set()).add((base, scenario, row["system_id"], row["value"]))

    answer = rankings.title_table(con, Choice(WHOLE, submitter="Dell"))
    assert {row["holder"]: row["titles"] for row in answer.data.to_pylist()} == {
        name: len(found) for name, found in runs.items()
    }
    dell = next(row for row in answer.data.to_pylist() if row["holder"] == "Dell")
    assert (dell["titles"], dell["titles_same_run"], dell["rankings"]) == (6, 1, 20)
    assert first["dlrm-v2-99", "Offline"]["value"] == first["dlrm-v2-99.9", "Offline"]["value"]
    assert "DLRM-DCNv2 (99.9 % accuracy) · Offline = DLRM-DCNv2 (99 % accuracy) · Offline" in answer.notes[0]
    assert answer.heading == "Most titles: Supermicro, 10 of 19; Dell 6"


def test_xe8640_is_first_among_four_accelerators_in_all_but_gpt_j_offline(con: duckdb.DuckDBPyConnection) -> None:
    rows = listed(
        con,
        "round = 'v3.1' and suite = 'inference-datacenter' and division = 'closed' and not has_power"
        " and availability = 'available' and accelerator_count = 4",
    )
    best: dict[tuple[str, str], float] = {}
    for row in rows:
        best.setdefault((row["benchmark"], row["scenario"]), row["value"])
    first = {
        (row["benchmark"], row["scenario"])
        for row in rows
        if row["server"] == "XE8640" and row["value"] == best[row["benchmark"], row["scenario"]]
    }
    assert set(best) - first == {("gptj-99", "Offline"), ("gptj-99.9", "Offline")}

    answer = rankings.firsts(con, Choice(replace(WHOLE, accelerator_count="4")))
    shown = answer.data.to_pylist()
    named = {
        (row["benchmark"], row["scenario"])
        for row in shown
        if row["system"].startswith("XE8640") or "XE8640" in (row["shared_with"] or "")
    }
    assert named == first
    shared = [row for row in shown if row["shared_with"]]
    assert {row["benchmark"] for row in shared} == {"gptj-99", "gptj-99.9"}
    assert {row["lead_percent"] for row in shared} == {0.0}


def test_efficiency_ranks_measured_power_only(con: duckdb.DuckDBPyConnection) -> None:
    field = Field("inference-edge", "v3.1", "closed", True, "available", benchmark="bert-99")
    rows = listed(
        con,
        "round = 'v3.1' and suite = 'inference-edge' and division = 'closed' and has_power and efficiency is not null"
        " and availability = 'available' and benchmark = 'bert-99' and scenario = 'SingleStream'",
    )
    answer = rankings.answer(con, Choice(field, "SingleStream", by="efficiency"))
    data = answer.data.to_pylist()
    assert [row["efficiency"] for row in data] == sorted((row["efficiency"] for row in rows), reverse=True)
    assert {row["has_power"] for row in data} == {True}
    (own,) = [row["rank"] for row in data if row["system"] == "XR5610_L4x1_TRT_MaxQ"]
    assert own == 1 + sum(row["efficiency"] > 1.2011349347266744 for row in rows)
    assert "Efficiency (derived), samples/J – higher is better" in answer.charts[0].description
    assert rankings.EFFICIENCY in answer.derived


def test_latencies_rank_the_lowest_first(con: duckdb.DuckDBPyConnection) -> None:
    field = Field("inference-edge", "v3.1", "closed", False, "available", benchmark="resnet")
    answer = rankings.answer(con, Choice(field, "SingleStream"))
    values = [row["value"] for row in answer.data.to_pylist()]
    assert values == sorted(values)
    assert answer.data["of_first"][1].as_py() == pytest.approx(values[0] / values[1])


def test_per_accelerator_divides_by_the_accelerators_and_counts_what_it_leaves_out(
    con: duckdb.DuckDBPyConnection,
) -> None:
    rows = listed(
        con,
        "round = 'v3.1' and suite = 'inference-datacenter' and division = 'closed' and not has_power"
        " and availability = 'available' and benchmark = 'resnet' and scenario = 'Offline'",
    )
    shares = [
        row["value"] / row["accelerator_count"]
        for row in rows
        if row["accelerator_count"] and len(row["accelerators"]) == 1
    ]
    answer = rankings.answer(con, Choice(replace(WHOLE, benchmark="resnet"), "Offline", by="accelerator"))
    assert answer.data["per_accelerator"].to_pylist() == pytest.approx(sorted(shares, reverse=True))
    left_out = len(rows) - len(shares)
    assert left_out > 0
    assert any(f"Left out: {left_out} result" in note for note in answer.notes)


def test_training_times_rank_with_and_without_energy_and_a_run_listed_twice_is_ranked_once(
    con: duckdb.DuckDBPyConnection,
) -> None:
    rows = listed(
        con, "round = 'v4.0' and suite = 'training' and division = 'closed' and benchmark = 'llama2_70b_lora'"
    )
    runs = {row["same_runs"] or row["result_id"] for row in rows}
    assert len(runs) < len(rows)
    answer = rankings.answer(con, Choice(Field("training", "v4.0", "closed", None, benchmark="llama2_70b_lora")))
    assert answer.data.num_rows == len(runs)
    assert any(row["also_as"] for row in answer.data.to_pylist())
    assert answer.data["value"].to_pylist() == sorted(answer.data["value"].to_pylist())
    assert any("Not ranked a second time" in note for note in answer.notes)


def test_equal_server_figures_are_two_runs_that_share_a_place() -> None:
    served = {"scenario": "Server", "unit": "queries/s"}
    found = ranked(
        result("a", 40.9956, **served), result("b", 40.9956, **served), result("c", 30.0, submitter="NVIDIA", **served)
    )
    assert [(entry.place, entry.is_shared) for entry in found.entries] == [(1, True), (1, True), (3, False)]
    assert (found.lead, len(found.firsts)) == (0.0, 2)


def test_equal_measured_figures_of_one_submitter_are_one_run() -> None:
    found = ranked(result("a", 12839.1), result("b", 12839.1), result("c", 12000.0))
    assert [(entry.row["system_id"], entry.place) for entry in found.entries] == [("a", 1), ("c", 2)]
    assert [copy["system_id"] for copy in found.entries[0].copies] == ["b"]
    assert found.lead == pytest.approx(12839.1 / 12000.0 - 1)


@pytest.mark.parametrize(
    "other",
    [
        {"submitter": "NVIDIA"},
        {"same_runs": "y"},
        {"division": "open"},
        {"has_power": True, "power_value": 300.0},
        {"value": 54.57},
    ],
)
def test_equal_figures_alone_do_not_make_results_one_run(other: dict[str, Any]) -> None:
    one = result("a", other.get("value", 12839.1), **({"same_runs": "x"} if "same_runs" in other else {}))
    assert not ranking.is_same_run(one, one | {"result_id": "b", "system_id": "b"} | other, "inference")


def test_the_logs_tell_one_run_whatever_the_figures() -> None:
    one, other = result("a", 1.0, same_runs="x"), result("b", 2.0, same_runs="x", submitter="NVIDIA")
    assert ranking.is_same_run(one, other, "inference")
    assert ranking.is_same_run(one, other, "training")
    assert len(ranked(one, other).entries) == 1


def test_a_run_at_two_accuracies_is_one_title_and_another_run_is_two() -> None:
    first = {"benchmark": "bert-99"}, {"benchmark": "bert-99.9"}
    same = ranking.rankings([result("a", 5.0, **first[0]), result("a", 5.0, **first[1])], "result")
    assert [title.earlier is None for title in ranking.titles(same)] == [True, False]
    other = ranking.rankings([result("a", 5.0, **first[0]), result("a", 5.1, **first[1])], "result")
    assert [title.earlier for title in ranking.titles(other)] == [None, None]


def test_a_lone_run_has_no_lead() -> None:
    con = database([result("a", 5.0)])
    field = Field("inference-datacenter", "v3.1", "closed", False, benchmark="resnet")
    answer = rankings.answer(con, Choice(field, "Offline"))
    assert answer.heading.endswith("with 5 samples/s, alone in its field")
    assert rankings.LEAD not in answer.derived
    assert rankings.firsts(con, Choice(replace(field, benchmark=""))).data["lead_percent"].to_pylist() == [None]


def test_invalid_results_are_not_ranked() -> None:
    con = database([result("a", 5.0), result("b", 9.0, valid=False)])
    field = Field("inference-datacenter", "v3.1", "closed", False, benchmark="resnet")
    assert rankings.answer(con, Choice(field, "Offline")).data["system"].to_pylist() == ["a"]


def test_empty_cells_are_no_error() -> None:
    bare = dict.fromkeys(("system_id", "system_name", "availability", "accelerator_count", "nodes"))
    con = database([result("a", 5.0, **bare, accelerator=None, accelerators=[]), result("b", 4.0, **bare)])
    field = Field("inference-datacenter", "v3.1", "closed", False)
    for ask in (rankings.firsts, rankings.title_table):
        assert not ask(con, Choice(field, holder="server")).is_empty
    assert rankings.answer(con, Choice(replace(field, benchmark="resnet"), "Offline")).data.num_rows == 2


@pytest.mark.parametrize("ask", [rankings.answer, rankings.firsts, rankings.title_table])
@pytest.mark.parametrize("field", [WHOLE, Field("", "", "", False)])
def test_a_field_without_results_says_what_to_do(ask: Any, field: Field) -> None:
    answer = ask(database([]), Choice(field))
    assert answer.is_empty
    assert answer.advice
    assert answer.heading


def test_charts_are_figures_that_plotly_takes(con: duckdb.DuckDBPyConnection) -> None:
    answers = [
        rankings.answer(con, Choice(replace(WHOLE, benchmark="resnet"), "Offline")),
        rankings.firsts(con, Choice(WHOLE)),
        rankings.title_table(con, Choice(WHOLE, holder="server")),
    ]
    for answer in answers:
        (chart,) = answer.charts
        go.Figure(chart.figure.to_dict())
        assert len(chart.figure.data[0].x) <= 500


def test_controls_offer_what_a_round_has(con: duckdb.DuckDBPyConnection) -> None:
    offered = rankings.options(con, ("inference-datacenter", "v3.1"))
    chips = {
        row["accelerator"] or "none" for row in listed(con, "round = 'v3.1' and suite = 'inference-datacenter'")
    }  # fmt: skip
    assert set(offered["accelerator"]) == chips
    assert rankings.scenarios(offered["benchmark"])["resnet"] == ["Offline", "Server"]
    assert rankings.suites(con, "Dell")["inference-datacenter"][1] == "v6.0"
    assert rankings.suites(con, "nobody")["inference-datacenter"][1] == "v6.1"


def test_with_and_without_power_are_never_offered_together_in_inference() -> None:
    assert rankings.powers("inference-edge", ["with", "without"], "result") == ["without", "with"]
    assert rankings.powers("inference-edge", ["with", "without"], "efficiency") == ["with"]
    assert rankings.powers("training", ["without", "with"], "result")[0] == "either"
    assert [rankings.has_power(power) for power in ("with", "without", "either", "")] == [True, False, None, False]


@pytest.mark.parametrize(
    ("place", "text"), [(1, "1st"), (2, "2nd"), (3, "3rd"), (4, "4th"), (11, "11th"), (12, "12th"), (101, "101st")]
)
def test_places_in_words(place: int, text: str) -> None:
    assert ranking_tables.ordinal(place) == text


@pytest.mark.parametrize(
    ("lead", "text"),
    [(0.045984, "4.6 % ahead of"), (0.00057, "0.057 % ahead of"), (0.48, "48 % ahead of"), (8.75, "9.75 times")],
)
def test_leads_in_words(lead: float, text: str) -> None:
    assert ranking_tables.ahead(lead) == text


def test_all_who_share_a_first_place_are_cited_and_the_share_of_the_first_is_named_as_derived() -> None:
    served = {"scenario": "Server", "unit": "queries/s"}
    con = database([result(name, 40.9956, **served) for name in "abc"])
    field = Field("inference-datacenter", "v3.1", "closed", False)
    answer = rankings.firsts(con, Choice(field))
    assert answer.data["shared_with"].to_pylist()[0].count(";") == 1
    assert sorted(answer.rows["result_id"].to_pylist()) == ["a", "b", "c"]
    one = rankings.answer(con, Choice(replace(field, benchmark="resnet"), "Server"))
    assert {rankings.LEAD, rankings.OF_FIRST} <= set(one.derived)


def test_citation_and_sheets_begin_with_the_first_and_the_runner_up(con: duckdb.DuckDBPyConnection) -> None:
    field = Field("inference-datacenter", "v1.1", "closed", False, "available", benchmark="resnet")
    answer = rankings.answer(con, Choice(field, "Offline", submitter="Dell"))
    systems = list(dict.fromkeys(answer.rows["system_id"].to_pylist()))
    ranked_systems = answer.data["system"].to_pylist()
    own = next(row["system"] for row in answer.data.to_pylist() if row["submitter"] == "Dell")
    assert systems[:3] == [*ranked_systems[:2], own]
    assert systems[0] == "g292_z43_q16-qaic-v1.5.6-aic100"
    cited = citation.cite(answer.rows, facts(), None, answer.derived)
    assert all(name in cited.text for name in systems[:3])


@pytest.mark.parametrize("ask", [rankings.firsts, rankings.title_table])
def test_first_places_begin_with_those_of_the_holder_of_most_titles(con: duckdb.DuckDBPyConnection, ask: Any) -> None:
    rows = ask(con, Choice(WHOLE, submitter="Dell")).rows.to_pylist()
    assert {row["submitter"] for row in rows[:10]} == {"Supermicro"}


def test_the_table_of_titles_names_its_field(con: duckdb.DuckDBPyConnection) -> None:
    rows = rankings.title_table(con, Choice(WHOLE)).data.to_pylist()
    names = ("round", "suite", "division", "availability", "has_power")
    assert {tuple(row[name] for name in names) for row in rows} == {
        ("v3.1", "inference-datacenter", "closed", "available", False)
    }
    both = database([result("a", 2.0), result("b", 1.0, has_power=True, benchmark="rnnt", availability="preview")])
    (row,) = rankings.title_table(both, Choice(replace(WHOLE, availability="", has_power=None))).data.to_pylist()
    assert (row["titles"], row["availability"], row["has_power"]) == (2, "available; preview", None)


def test_two_fields_have_two_file_names(con: duckdb.DuckDBPyConnection) -> None:
    powers = (True, False)
    fields = [replace(WHOLE, availability=state, has_power=power) for state in ("available", "") for power in powers]
    names = [ask(con, Choice(field)).file_name for ask in (rankings.firsts, rankings.title_table) for field in fields]
    assert len(set(names)) == len(names)
    assert names[0] == "ranking_inference-datacenter_v3.1_closed_available_with-power_first"
    assert names[3] == "ranking_inference-datacenter_v3.1_closed_any-availability_without-power_first"


def test_an_empty_field_names_the_panel_and_all_ways_to_widen_it(con: duckdb.DuckDBPyConnection) -> None:
    advice = rankings.answer(con, Choice(replace(WHOLE, benchmark="nothing"), "Offline")).advice
    assert "under Field:" in advice
    assert "Power measured" in advice
    assert "More" not in advice
