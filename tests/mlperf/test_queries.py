"""Each question, asked of a real database in memory."""

from concurrent.futures import ThreadPoolExecutor
from itertools import combinations
from typing import Any

import duckdb
import pytest

from mlperf import queries
from mlperf.filters import FILTER_COLUMNS, INTEGER_COLUMNS, Filters
from mlperf.model import RESULT_COLUMNS
from tests.app.small import RESULTS, database


@pytest.fixture(scope="module")
def con() -> duckdb.DuckDBPyConnection:
    return database(RESULTS)


def test_results_come_newest_round_first_then_best_first(con: duckdb.DuckDBPyConnection) -> None:
    rows = queries.results(con, Filters())
    assert rows["round"].to_pylist() == ["v4.0"] + ["v3.1"] * 5 + ["v1.1"]
    assert rows["value"].to_pylist() == [9000.0, 7000.0, 706858.0, 12839.1, 12839.1, 0.344907, 62.949]


def test_exported_rows_are_the_results_with_the_published_columns(con: duckdb.DuckDBPyConnection) -> None:
    rows = queries.export_rows(con, Filters())
    assert tuple(rows.column_names) == RESULT_COLUMNS
    assert rows.equals(queries.results(con, Filters()).select(list(RESULT_COLUMNS)))


@pytest.mark.parametrize(
    ("chosen", "values"),
    [
        ({"round": ("v3.1",), "suite": ("inference-edge",)}, [12839.1, 0.344907]),
        ({"accelerator": ("NVIDIA L4",), "submitter": ("NVIDIA",)}, [9000.0]),
        ({"accelerator": ("NVIDIA H100 + NVIDIA L4",)}, [9000.0]),
        ({"accelerator": ("",)}, [62.949]),
        ({"accelerator_count": (None,)}, [62.949]),
        ({"accelerator_count": (1,), "scenario": ("SingleStream",)}, [0.344907]),
        ({"system_id": ("R750xa",)}, [62.949]),
        ({"has_power": (True,)}, [7000.0]),
        ({"scenario": ("",)}, [62.949]),
        ({"search": "powerEDGE l4", "scenario": ("SingleStream",)}, [0.344907]),
        ({"search": "100%"}, []),
        ({"round": ("'; drop table results; --",)}, []),
    ],
)  # fmt: skip
def test_a_filter_chooses(con: duckdb.DuckDBPyConnection, chosen: dict[str, Any], values: list[float]) -> None:
    assert queries.results(con, Filters(**chosen))["value"].to_pylist() == values


@pytest.mark.parametrize("column", FILTER_COLUMNS)
def test_every_filter_has_its_own_bit_in_the_order_of_the_columns(column: str) -> None:
    impossible: Any = 77 if column in INTEGER_COLUMNS else "?"
    if column in ("has_power", "inferred", "valid", "verified"):
        impossible = None
    con = database([{"result_id": "r1"}])
    assert queries.loosenings(con, Filters().choose(column, [impossible])) == {column: 1}


def test_facets_are_counted_among_what_the_other_filters_leave(con: duckdb.DuckDBPyConnection) -> None:
    for name, other in combinations(("round", "submitter", "benchmark", "scenario", "has_power"), 2):
        chosen = {"round": ("v3.1",), "submitter": ("Dell",), "benchmark": ("resnet",), "scenario": ("Offline",),
                  "has_power": (False,)}  # fmt: skip
        filters = Filters(**{key: values for key, values in chosen.items() if key in (name, other)})  # type: ignore[arg-type]
        for column, counts in queries.facets(con, filters).items():
            for value, count in counts.items():
                assert queries.results(con, filters.choose(column, [value])).num_rows == count, (column, value)


def test_facets_offer_each_chip_of_a_mixed_system_and_empty_cells(con: duckdb.DuckDBPyConnection) -> None:
    facets = queries.facets(con, Filters())
    assert facets["accelerator"] == {"NVIDIA H100": 3, "NVIDIA L4": 4, "": 1}
    assert facets["accelerator_count"] == {1: 3, 8: 3, None: 1}
    assert facets["has_power"] == {False: 6, True: 1}
    assert facets["system_id"]["R750xa"] == 1


def test_loosening_counts_what_each_single_filter_keeps_out(con: duckdb.DuckDBPyConnection) -> None:
    filters = Filters(submitter=("NVIDIA",), round=("v3.1",), search="mixed")
    assert queries.loosenings(con, filters) == {"round": 1}
    assert queries.loosenings(con, Filters(submitter=("Dell",), search="nowhere")) == {"search": 6}


def test_known_values_hold_what_a_link_may_name(con: duckdb.DuckDBPyConnection) -> None:
    known = queries.known_values(con)
    assert set(known) == set(FILTER_COLUMNS)
    assert known["accelerator"] >= {"NVIDIA H100", "NVIDIA L4", "NVIDIA H100 + NVIDIA L4", ""}
    assert "R750xa" in known["system_id"]
    assert known["has_power"] == {True, False}
    assert known["accelerator_count"] == {1, 8, None}


def test_the_newest_round_counts_versions_and_not_letters() -> None:
    con = database([{"result_id": "a", "round": "v4.0"}, {"result_id": "b", "round": "v10.0"}])
    assert queries.newest_round(con, "Dell") == queries.NewestRound("v10.0", ())
    assert queries.newest_round(con, "Nobody") is None


def test_the_newest_round_names_its_suites_where_training_has_a_round_of_that_name() -> None:
    training = {"result_id": "b", "suite": "training", "submitter": "NVIDIA"}
    con = database([{"result_id": "a"}, training])
    assert queries.newest_round(con, "Dell") == queries.NewestRound("v3.1", ("inference-edge",))


def test_a_result_knows_where_it_was_read(con: duckdb.DuckDBPyConnection) -> None:
    rows = queries.sightings(con, "r2").to_pylist()
    assert [(row["suite"], row["line"], row["value"]) for row in rows] == [
        ("inference-datacenter", 7, 12839.1),
        ("inference-edge", 7, 12839.1),
    ]


def test_an_empty_database_answers_everything() -> None:
    con = database([])
    assert queries.results(con, Filters(round=("v3.1",))).num_rows == 0
    assert queries.facets(con, Filters()) == {}
    assert queries.loosenings(con, Filters(search="x")) == {}


def test_32_threads_on_one_connection_get_whole_answers(con: duckdb.DuckDBPyConnection) -> None:
    def ask(number: int) -> tuple[int, int]:
        filters = Filters(round=("v3.1",)) if number % 2 else Filters(submitter=("NVIDIA",))
        return queries.results(con, filters).num_rows, len(queries.facets(con, filters))

    with ThreadPoolExecutor(32) as pool:
        answers = list(pool.map(ask, range(320)))
    assert set(answers[1::2]) == {(5, 14)}
    assert set(answers[::2]) == {(1, 14)}


def with_runs() -> duckdb.DuckDBPyConnection:
    """`r6` with three runs, one in two sources, one also another group's; and its system's sheets."""
    con = database(RESULTS)
    runs = [
        ("r6", "s1", "trimmed", "Dell/results/A/b/result_0.txt", 7, "Dell/results/A/b", "result_0.txt", 60.0, 100, 200),
        (
            "r6",
            "s2",
            "trimmed",
            "Dell/results/A/b/result_0.txt",
            70,
            "Dell/results/A/b",
            "result_0.txt",
            60.0,
            100,
            200,
        ),
        ("r6", "s1", "trimmed", "Dell/results/A/b/result_10.txt", 8, "Dell/results/A/b", "result_10.txt", 61.0, 50, 90),
        ("r9", "s1", "trimmed", "Dell/results/B/b/result_1.txt", 9, "Dell/results/B/b", "result_1.txt", 61.0, 50, 90),
    ]
    con.executemany(
        "insert into runs by name select ? as result_id, ? as sha256, ? as source, ? as source_path, ? as line,"
        " ? as location, ? as name, ? as minutes, ? as started_ms, ? as stopped_ms,"
        " 'v1.1' as round, 'Dell' as submitter, 'A' as system_id, 'b' as benchmark, 'success' as status",
        runs,
    )
    con.execute("update results set system_id = 'A', location = 'Dell/results/A/b' where result_id = 'r6'")
    sheets = [("Dell-power", 0, "nodes", "9"), ("Dell", 1, "cpu", "Xeon"), ("Dell", 0, "nodes", "2")]
    con.executemany(
        "insert into sheets by name select 's1' as sha256, 'trimmed' as source, ? || '/systems/a.json' as source_path,"
        " ? as position, ? as field, ? as value, 'training' as kind, 'v1.1' as round, 'Dell' as submitter,"
        " 'a' as system_id",
        sheets,
    )
    return con


def test_the_runs_of_a_result_come_in_their_order_each_once_with_other_places_of_the_same_run() -> None:
    rows = queries.runs(with_runs(), "r6").select(["name", "line", "also_in"]).to_pylist()
    assert rows == [
        {"name": "result_10.txt", "line": 8, "also_in": "v1.1 Dell/results/B/b"},
        {"name": "result_0.txt", "line": 70, "also_in": None},
    ]
    assert queries.runs(with_runs(), "r1").num_rows == 0


def test_the_specification_is_the_sheet_in_the_results_own_folder() -> None:
    rows = queries.specification(with_runs(), "r6").select(["field", "value", "source_path"]).to_pylist()
    assert rows == [
        {"field": "nodes", "value": "2", "source_path": "Dell/systems/a.json"},
        {"field": "cpu", "value": "Xeon", "source_path": "Dell/systems/a.json"},
        *({"field": f"{what}_data_types", "value": "int8", "source_path": None} for what in ("input", "weight")),
    ]


def test_without_a_sheet_the_specification_is_what_tables_say() -> None:
    con = database(RESULTS)
    con.execute(
        "insert into systems by name select round, suite, division, submitter, system_id, system_name, processor"
        " from results where result_id = 'r4'"
    )
    rows = queries.specification(con, "r4").select(["field", "value"]).to_pylist()
    assert rows == [
        {"field": "system_name", "value": "Dell XE9680"},
        {"field": "host_processor_model_name", "value": "Xeon"},
        {"field": "input_data_types", "value": "int8"},
        {"field": "weight_data_types", "value": "int8"},
    ]
