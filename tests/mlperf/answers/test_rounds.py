"""Rounds at a glance: counts and news, against figures that the tests work out from the results themselves."""

from typing import Any

import duckdb
import plotly.graph_objects as go
import pytest

from loaders import manifest, snapshot
from mlperf.answers import rounds
from mlperf.answers.rounds import Choice, Gap
from mlperf.facts import facts
from tests.app.small import H100, OFFLINE, RESULTS, database

DELL = Choice("inference", "v3.1", "Dell")


@pytest.fixture(scope="module")
def con() -> duckdb.DuckDBPyConnection:
    return snapshot.open_snapshot()


def one(con: duckdb.DuckDBPyConnection, what: str, where: str) -> int:
    found = con.cursor().sql(f"select {what} from results where {where}").fetchone()
    assert found
    return int(found[0])


def names(con: duckdb.DuckDBPyConnection, column: str, where: str) -> set[str]:
    rows = con.cursor().sql(f"select distinct {column} from results where {where} and {column} is not null").fetchall()
    return {row[0] for row in rows}


def test_dell_has_216_results_230_table_rows_and_20_configurations_in_v3_1(con: duckdb.DuckDBPyConnection) -> None:
    where = "round = 'v3.1' and suite like 'inf%' and submitter = 'Dell'"
    results = one(con, "count(distinct result_id)", where)
    powered = one(con, "count(distinct result_id)", f"{where} and has_power")
    configurations = one(
        con, "count(distinct (suite, division, has_power, coalesce(system_id, system_name)))", where
    )  # fmt: skip
    assert (results, results + powered, configurations) == (216, 230, 20)

    found = rounds.answers(con, DELL)["benchmarks"]
    assert found.heading == "Dell in MLPerf® Inference v3.1: 216 results in 20 configurations"
    assert found.below.startswith("230 table rows · 18 systems · ")
    assert any("216 results are 230 rows" in note for note in found.notes)
    assert found.rows.num_rows == one(con, "count(*)", where)


def test_every_table_says_of_which_round_and_submitter_it_is(con: duckdb.DuckDBPyConnection) -> None:
    for view, found in rounds.answers(con, DELL).items():
        rows = found.data.to_pylist()
        assert rows, view
        assert {(row["round"], row["submitter"]) for row in rows} == {("v3.1", "Dell")}, view


@pytest.mark.parametrize("place", [("inference", "v3.1"), ("inference", "v4.1"), ("training", "v3.0")])
def test_a_whole_round_is_counted_per_submitter_and_division(
    con: duckdb.DuckDBPyConnection, place: tuple[Any, str]
) -> None:
    kind, round_id = place
    where = f"round = '{round_id}' and (suite = 'training') = {kind == 'training'}"
    found = rounds.answers(con, Choice(kind, round_id))
    per_submitter = con.cursor().sql(
        "select submitter, count(distinct result_id), count(distinct coalesce(system_id, system_name)) from results "
        f"where {where} group by 1"
    )
    rows = found["submitters"].data.to_pylist()
    assert {(row["submitter"], row["results"], row["system_count"]) for row in rows} == set(per_submitter.fetchall())
    assert [row["results"] for row in rows] == sorted((row["results"] for row in rows), reverse=True)
    per_division = con.cursor().sql(
        "select suite, division, count(*), count(*) filter (has_power), count(distinct submitter) from results "
        f"where {where} group by 1, 2"
    )
    assert {
        (row["suite"], row["division"], row["results"], row["power_results"], row["submitter_count"])
        for row in found["divisions"].data.to_pylist()
    } == set(per_division.fetchall())
    assert f"{one(con, 'count(distinct result_id)', where):,} results" in found["submitters"].heading
    assert f"{len(names(con, 'submitter', where))} submitters" in found["submitters"].heading


def test_the_systems_of_a_submitter_lead_to_their_sheets(con: duckdb.DuckDBPyConnection) -> None:
    rows = rounds.answers(con, DELL)["systems"].data.to_pylist()
    where = "round = 'v3.1' and suite like 'inf%' and submitter = 'Dell'"
    assert {row["system"] for row in rows} == names(con, "system_id", where)
    assert sum(row["configurations"] for row in rows) == 20
    (own,) = [row for row in rows if row["system"] == "XR7620_L4x1_TRT"]
    assert own["sheet"] == "system?system=inference-v3.1%2FDell%2FXR7620_L4x1_TRT"


def test_results_are_counted_per_suite_division_and_benchmark(con: duckdb.DuckDBPyConnection) -> None:
    rows = rounds.answers(con, DELL)["benchmarks"].data.to_pylist()
    expected = con.cursor().sql(
        "select suite, division, benchmark, count(*) from results where round = 'v3.1' and suite like 'inf%' "
        "and submitter = 'Dell' group by 1, 2, 3"
    )
    assert {(row["suite"], row["division"], row["benchmark"], row["results"]) for row in rows} == set(
        expected.fetchall()
    )


def test_what_is_new_is_what_the_round_before_did_not_have(con: duckdb.DuckDBPyConnection) -> None:
    found: dict[str, set[str]] = {}
    for row in rounds.answers(con, Choice("inference", "v3.1"))["new"].data.to_pylist():
        found.setdefault(row["what"], set()).add(row["name"])
        assert row["since"] == "v3.0"
    for what, column in (
        ("Submitter", "submitter"), ("Server family", "server_family"), ("Accelerator", "unnest(accelerators)"),
    ):  # fmt: skip
        now = {
            row[0]
            for row in con.cursor()
            .sql(
                f"select distinct {column} from results where round = 'v3.1' and suite like 'inf%' except "
                f"select {column} from results where round = 'v3.0' and suite like 'inf%'"
            )
            .fetchall()
        }
        assert found[what] == now - {None}
    added = names(con, "benchmark", "round = 'v3.1' and suite like 'inf%'") - names(
        con, "benchmark", "round = 'v3.0' and suite like 'inf%'"
    )
    assert added == {"dlrm-v2-99", "dlrm-v2-99.9", "gptj-99", "gptj-99.9"}
    assert len(found["Benchmark"]) == len(added)


def test_what_is_new_for_a_submitter_is_told_from_its_own_round_before(con: duckdb.DuckDBPyConnection) -> None:
    theirs = "suite like 'inf%' and submitter = 'Dell' and round ="
    families = names(con, "server_family", f"{theirs} 'v3.1'") - names(con, "server_family", f"{theirs} 'v3.0'")
    rows = rounds.answers(con, DELL)["new"].data.to_pylist()
    assert {row["name"] for row in rows if row["what"] == "Server family"} == families
    assert any(note.startswith("New for Dell since v3.0: ") for note in rounds.answers(con, DELL)["benchmarks"].notes)


def test_a_round_that_is_loaded_in_part_says_so_and_what_is_missing() -> None:
    gap = Gap("Inference v3.1: open", "no table of it", ("inference-edge/open",))
    con = database(RESULTS)
    whole = rounds.answers(con, Choice("inference", "v3.1", gaps=(gap,)))["submitters"]
    assert whole.heading.endswith(", as far as loaded")
    assert "Missing: Inference v3.1: open (no table of it)." in whole.notes[0]
    assert "as far as loaded" in rounds.answers(con, Choice("inference", "v3.1", "Dell", (gap,)))["systems"].below
    assert "as far as loaded" not in rounds.answers(con, Choice("inference", "v3.1"))["submitters"].heading


def test_what_stands_where_the_round_before_is_not_wholly_loaded_is_not_called_new() -> None:
    con = database(
        [
            {"result_id": "old", "round": "v3.0"},
            {"result_id": "same", "round": "v3.1"},
            {"result_id": "edge", "submitter": "NVIDIA", "system_id": "x"},
            {"result_id": "dc", **OFFLINE, **H100, "submitter": "Google"},
        ]
    )
    gap = Gap("Inference v3.0: closed edge", "lost", ("inference-edge/closed",))

    def news(*gaps: Gap) -> set[str]:
        rows = rounds.answers(con, Choice("inference", "v3.1", gaps_before=gaps))["new"].data.to_pylist()
        assert {"lost" in row["comparability"] or "loaded" in row["comparability"] for row in rows} <= {bool(gaps)}
        return {row["name"] for row in rows if row["what"] == "Submitter"}

    assert news() == {"NVIDIA", "Google"}
    assert news(gap) == {"Google"}


def test_without_the_round_before_nothing_is_called_new() -> None:
    found = rounds.answers(database(RESULTS), Choice("inference", "v3.1"))
    assert found["new"].is_empty
    assert "cannot be told" in found["new"].advice
    assert {row["is_new"] for row in found["submitters"].data.to_pylist()} == {None}


def test_a_result_with_power_is_two_table_rows_and_one_in_two_suites_is_one_result() -> None:
    found = rounds.answers(database(RESULTS), Choice("inference", "v3.1", "Dell"))["benchmarks"]
    assert found.heading.endswith("4 results in 4 configurations")
    assert found.below.startswith("5 table rows · 2 systems")
    assert any("1 result is listed in two suites" in note for note in found.notes)


def test_training_has_no_count_of_table_rows() -> None:
    found = rounds.answers(database(RESULTS), Choice("training", "v1.1"))["submitters"]
    assert "table row" not in found.below
    assert found.data["table_rows"].to_pylist() == [None]


def test_the_day_and_its_source_come_from_the_catalog() -> None:
    played = facts().round("inference", "v3.1")
    assert played
    assert played.published
    found = rounds.answers(database(RESULTS), Choice("inference", "v3.1"))["submitters"]
    assert f"published on {played.published.isoformat()}" in found.below
    assert any(played.source in note for note in found.notes)


@pytest.mark.parametrize("choice", [Choice("inference", ""), Choice("inference", "v3.1", "Nobody Inc.")])
def test_nothing_to_count_says_what_to_do(choice: Choice) -> None:
    for answer in rounds.answers(database([]), choice).values():
        assert answer.is_empty
        assert answer.advice


def test_every_view_has_a_chart_that_plotly_takes(con: duckdb.DuckDBPyConnection) -> None:
    for view, answer in rounds.answers(con, Choice("inference", "v4.0")).items():
        (chart,) = answer.charts
        go.Figure(chart.figure.to_dict())
        assert len(chart.figure.data[0].x) <= rounds.MOST, view


def test_the_newest_round_of_a_submitter_comes_first(con: duckdb.DuckDBPyConnection) -> None:
    found = rounds.rounds(con, "Dell")
    assert found["inference"][0][:2] == ["v6.1", "v6.0"]
    assert found["inference"][1] == "v6.0"
    assert rounds.rounds(con, "nobody")["inference"][1] == "v6.1"
    assert rounds.rounds(database([]), "Dell") == {}
    assert rounds.submitters(con, ("inference", "v6.1")) == ["AMD"]


def test_the_round_before_is_of_the_same_kind() -> None:
    earlier = rounds.before("training", "v2.0")
    assert earlier
    assert (earlier.kind, earlier.id) == ("training", "v1.1")
    assert rounds.before("inference", "v0.5") is None
    assert rounds.before("inference", "v99.9") is None


def test_what_is_missing_names_rounds_suites_and_divisions_that_there_are() -> None:
    known = {f"{played.kind} {played.id}" for played in facts().rounds}
    parts = {f"{suite.id}/{division}" for suite in facts().suite_facts for division in facts().divisions}
    missing = [lacking for lacking in manifest.read().missing if lacking.round]
    assert {lacking.round for lacking in missing} == {
        "inference v5.0", "inference v6.1", "inference v2.0", "inference v3.1", "training v0.6", "training v6.0",
    }  # fmt: skip
    for lacking in missing:
        assert lacking.round in known
        assert lacking.parts
        assert set(lacking.parts) <= parts
