"""The exports of MLCommons' results pages, each known misbehaviour by a small table, through the whole line."""

import codecs
import csv
import io
import zipfile
from pathlib import Path
from typing import Any

import duckdb
import pytest

from mlperf.errors import UnknownFormat
from tests.loaders import making
from tests.loaders.making import FLAT, FULL, TRAINING, crosstab, kinds, load_files, result, rows, summary, table

Database = duckdb.DuckDBPyConnection
SYSTEM = "System Name (click + for details)"
AVERAGE = "Avg. Result at System Name"
META = ("5.0-0001", "Acme", "available", "Acme One, 8x A100", "1", "NVIDIA A100-SXM4-80GB", "8", "Closed ")
COLUMNS = [
    ("dlrm-v2-99", "Offline", "Samples/s"),
    ("dlrm-v2-99", "Server", "Queries/s"),
    ("gptj-99", "Offline", "Tokens/s"),
    ("gptj-99", "Server", "Tokens/s"),
    ("rgat", "Offline", "Samples/s"),
]
CELLS = dict(zip(COLUMNS, ["27,803.90", "1,668.50", "0.51", "", "12"], strict=True))
READ = {
    ("dlrm-v2-99", "Offline", 27803.90, "samples/s"),
    ("dlrm-v2-99", "Server", 1668.50, "queries/s"),
    ("gptj-99", "Offline", 0.51, "tokens/s"),
    ("rgat", "Offline", 12.0, "samples/s"),
}


def figures(database: Database) -> set[tuple[Any, ...]]:
    return {(row["benchmark"], row["scenario"], row["value"], row["unit"]) for row in rows(database)}


@pytest.mark.parametrize(("delimiter", "end"), [(",", "\r\n"), ("\t", "\n"), (";", "\r\n")])
@pytest.mark.parametrize(
    "packed",
    [
        lambda text: text.encode(),
        lambda text: codecs.BOM_UTF8 + text.encode(),
        lambda text: codecs.BOM_UTF16_LE + text.encode("utf-16-le"),
        lambda text: codecs.BOM_UTF16_LE + text.encode("utf-16-le") + b"\n",
        lambda text: codecs.BOM_UTF16_BE + text.encode("utf-16-be"),
        lambda text: text.encode("utf-16-le"),
    ],
    ids=["utf-8", "utf-8 with mark", "utf-16", "utf-16 of odd length", "utf-16-be", "utf-16 without mark"],
)
def test_an_export_reads_the_same_however_it_was_saved(
    database: Database, tmp_path: Path, delimiter: str, end: str, packed: Any
) -> None:
    name = "R750xa; 4x A100,\tNVLink"
    text = table(FLAT | {SYSTEM: name}, delimiter=delimiter, end=end)
    load_files(database, tmp_path, {"export.csv": packed(text)})
    found = result(database)
    assert (found["value"], found["unit"]) == (2000.25, "tokens/s")
    assert found["system_name"] == " ".join(name.split())
    assert kinds(database) == []


@pytest.mark.parametrize("line", [FLAT, FULL])
def test_a_title_line_over_the_header_does_no_harm(database: Database, tmp_path: Path, line: dict[str, str]) -> None:
    above = "Table - Inference_Full Data_data-2\r\n"
    (report,) = load_files(database, tmp_path, {"export.csv": table(line, above=above, end="\r\n")})
    assert report.new == 1
    assert result(database)["value"] == 2000.25
    assert rows(database, "sightings")[0]["line"] == 3


@pytest.mark.parametrize("line", [FLAT, FULL, TRAINING])
def test_columns_are_found_by_name_and_not_by_place(database: Database, tmp_path: Path, line: dict[str, str]) -> None:
    load_files(database, tmp_path, {"a.csv": table(line)})
    straight = result(database)
    database.execute("delete from results; delete from sightings; delete from sources")
    mirrored = dict(reversed(line.items()))
    load_files(database, tmp_path, {"a.csv": table(mirrored)})
    assert result(database) == straight


def test_headings_count_whatever_their_case_and_blanks(database: Database, tmp_path: Path) -> None:
    line = {name.replace("(click", "(Click").replace("Organization", " ORGANIZATION ").replace(" ID", "  ID"): cell
            for name, cell in FLAT.items()}  # fmt: skip
    assert set(line) != set(FLAT)
    load_files(database, tmp_path, {"a.csv": table(line)})
    assert result(database)["system_name"] == FLAT[SYSTEM]


def test_the_later_download_with_renamed_columns_is_read(database: Database, tmp_path: Path) -> None:
    line = {
        "Organization": "Acme", "Availability": "available", SYSTEM: "Acme One", "Accelerator Model Name":
        "NVIDIA A100-SXM4-80GB", "Total Accelerators": "16", "Model MLC": "llama2-70b-99", "Scenario": "Server",
        "Units": "Tokens/s", "Result": "31.5", "Version": "v6.0", "Division": "closed", "System Type": "datacenter",
    }  # fmt: skip
    load_files(database, tmp_path, {"benchmarks.csv": codecs.BOM_UTF8 + table(line).encode()})
    found = result(database)
    assert (found["round"], found["accelerator_count"], found["value"]) == ("v6.0", 16, 31.5)
    assert found["suite"] == "inference-datacenter"


def test_copies_of_a_column_that_agree_are_one_column(database: Database, tmp_path: Path) -> None:
    names = [*FLAT, "Accelerator", "Availability", "# of Nodes"]
    text = making.lines([names, [*FLAT.values(), FLAT["Accelerator"], FLAT["Availability"], "1"]])
    load_files(database, tmp_path, {"a.csv": text})
    assert result(database)["accelerator"] == "NVIDIA A100-SXM-80GB"
    assert kinds(database) == []


def test_copies_of_a_column_that_differ_are_reported_and_none_is_taken(database: Database, tmp_path: Path) -> None:
    text = making.lines([[*FLAT, "# of Nodes"], [*FLAT.values(), "3"]])
    load_files(database, tmp_path, {"a.csv": text})
    assert (result(database)["value"], result(database)["nodes"]) == (2000.25, None)
    (problem,) = rows(database, "problems")
    assert (problem["kind"], problem["line"]) == ("columns-differ", 2)
    assert "# of nodes" in problem["found"]


def test_of_two_copies_the_one_that_says_something_counts(database: Database, tmp_path: Path) -> None:
    text = making.lines([[*FLAT, "Accelerator"], [*(FLAT | {"Accelerator": ""}).values(), "NVIDIA H100-SXM-80GB"]])
    load_files(database, tmp_path, {"a.csv": text})
    assert result(database)["accelerator_raw"] == "NVIDIA H100-SXM-80GB"
    assert kinds(database) == []


def test_training_minutes_of_three_decimals_between_semicolons_are_no_thousands(
    database: Database, tmp_path: Path
) -> None:
    load_files(database, tmp_path, {"a.csv": table(TRAINING | {AVERAGE: "56,869"}, delimiter=";")})
    assert result(database)["value"] == 56.869


def test_thousands_separators_go_from_numbers_only(database: Database, tmp_path: Path) -> None:
    line = FLAT | {SYSTEM: "1,668", "Accelerator": "Chip 2,000", AVERAGE: "1,234,567.5"}
    load_files(database, tmp_path, {"a.csv": table(line)})
    found = result(database)
    assert (found["system_name"], found["accelerator"], found["value"]) == ("1,668", "Chip 2,000", 1234567.5)


def test_a_file_with_decimal_commas_is_read_as_its_writer_meant(database: Database, tmp_path: Path) -> None:
    other = {"Model MLC": "llama3.1-8b", AVERAGE: "12,5"}
    load_files(database, tmp_path, {"a.csv": table(FLAT | {AVERAGE: "1.668,50"}, FLAT | other, delimiter=";")})
    assert sorted(row["value"] for row in rows(database)) == [12.5, 1668.5]


def test_a_number_that_may_mean_two_is_left_out_and_reported(database: Database, tmp_path: Path) -> None:
    cells = [FLAT | {"Scenario": scenario, AVERAGE: cell} for scenario, cell in
             (("Offline", "27,803.90"), ("Server", "12,5"), ("Interactive", "1,668"))]  # fmt: skip
    load_files(database, tmp_path, {"a.csv": table(*cells)})
    assert sorted(row["value"] for row in rows(database)) == [12.5, 27803.9]
    assert [(row["kind"], row["line"]) for row in rows(database, "problems") if row["kind"] == "bad-cell"] == [
        ("bad-cell", 4)
    ]


@pytest.mark.parametrize("cell", ["Null", "null", "", "N/A"])
def test_a_cell_that_says_null_holds_no_figure(database: Database, tmp_path: Path, cell: str) -> None:
    load_files(database, tmp_path, {"a.csv": table(FLAT, FLAT | {"Scenario": "Server", AVERAGE: cell})})
    assert result(database)["scenario"] == "Offline"
    assert [(row["kind"], row["line"]) for row in rows(database, "problems")] == [("no-figure", 3)]


@pytest.mark.parametrize("cell", ["fast", "12 ms", "1,2,3", "-5", "0"])
def test_a_result_that_makes_no_sense_costs_its_own_line_only(database: Database, tmp_path: Path, cell: str) -> None:
    load_files(database, tmp_path, {"a.csv": table(FLAT | {"Scenario": "Server", AVERAGE: cell}, FLAT)})
    assert result(database)["scenario"] == "Offline"
    assert ("bad-cell", 2) in [(row["kind"], row["line"]) for row in rows(database, "problems")]


def test_a_line_with_too_few_cells_is_reported_and_the_rest_loads(database: Database, tmp_path: Path) -> None:
    text = table(FLAT | {"Scenario": "Server"}) + "5.1-0001,Acme\n" + making.lines([FLAT.values()])
    (report,) = load_files(database, tmp_path, {"a.csv": text})
    assert {row["scenario"] for row in rows(database)} == {"Server", "Offline"}
    assert [(problem.kind, problem.where.line) for problem in report.problems] == [("bad-line", 3)]


@pytest.mark.parametrize("power_first", [True, False])
def test_a_line_in_watts_is_the_power_of_its_result(database: Database, tmp_path: Path, power_first: bool) -> None:
    pair = [FLAT | {"Division/Power": "Closed - Power", AVERAGE: "2000"},
            FLAT | {"Division/Power": "Closed - Power", "Units": "Watts", AVERAGE: "500"}]  # fmt: skip
    load_files(database, tmp_path, {"a.csv": table(*(reversed(pair) if power_first else pair))})
    found = result(database)
    assert (found["value"], found["unit"], found["has_power"]) == (2000, "tokens/s", True)
    assert (found["power_value"], found["power_unit"]) == (500, "W")
    assert (found["efficiency"], found["efficiency_unit"]) == (4.0, "tokens/J")
    assert found["division"] == "closed"


@pytest.mark.parametrize("power_first", [True, False])
def test_a_line_in_kilojoules_is_the_energy_of_a_training(
    database: Database, tmp_path: Path, power_first: bool
) -> None:
    pair = [TRAINING, TRAINING | {"Units": "kJ", AVERAGE: "1,676,757.08"}]
    load_files(database, tmp_path, {"a.csv": table(*(reversed(pair) if power_first else pair))})
    found = result(database)
    assert (found["suite"], found["value"], found["unit"]) == ("training", 56.869, "min")
    assert (found["power_value"], found["power_unit"]) == (1676757.08, "kJ")
    assert found["accelerator_count"] == 16


@pytest.mark.parametrize("power_first", [True, False])
def test_power_and_result_may_come_from_two_files(database: Database, tmp_path: Path, power_first: bool) -> None:
    files = {
        "power.csv": table(FULL | {"Units": "Watts"} | dict.fromkeys(("Result", "Result at System Name"), "500")),
        "closed.csv": table(FLAT),
    }
    names = list(files) if power_first else list(reversed(files))
    load_files(database, tmp_path, {names[0]: files[names[0]]})
    alone = kinds(database)
    load_files(database, tmp_path, {names[1]: files[names[1]]})
    assert alone == (["power-without-result"] if power_first else [])
    assert (result(database)["value"], result(database)["power_value"]) == (2000.25, 500)
    assert kinds(database) == []


def test_power_without_a_result_is_no_result(database: Database, tmp_path: Path) -> None:
    load_files(database, tmp_path, {"a.csv": table(FLAT | {"Units": "Watts"})})
    assert rows(database) == []
    assert kinds(database) == ["power-without-result"]


@pytest.mark.parametrize(
    ("written", "kept"), [("v6.0-0001", "6.0-0001"), ("6.0-0001", "6.0-0001"), ("6.0-020", "6.0-020")]
)
def test_a_public_id_is_one_id_with_and_without_its_v(
    database: Database, tmp_path: Path, written: str, kept: str
) -> None:
    load_files(database, tmp_path, {"a.csv": table(FLAT | {"Public ID": written})})
    assert (result(database)["public_id"], result(database)["round"]) == (kept, "v6.0")


def test_an_edge_export_has_headings_of_its_own(database: Database, tmp_path: Path) -> None:
    other = {"Benchmark": "Benchmark1", "Model MLC": "Model MLC1", "Scenario": "Scenario1", "Units": "Units1"}
    line = {other.get(name, name): cell for name, cell in FLAT.items()}
    first = line | {"Model MLC1": "resnet", "Scenario1": "Single Stream", "Units1": "Latency (ms)", AVERAGE: "0.34"}
    second = first | {"Scenario1": "Offline", "Units1": "Samples/s", AVERAGE: "9"}
    load_files(database, tmp_path, {"a.csv": table(first, second)})
    assert {(row["suite"], row["scenario"]) for row in rows(database)} == {
        ("inference-edge", "SingleStream"), ("inference-edge", "Offline")
    }  # fmt: skip
    assert {(row["metric"], row["better"]) for row in rows(database)} == {
        ("latency", "lower"),
        ("throughput", "higher"),
    }


@pytest.mark.parametrize("division", ["Closed ", "Closed - Power", "closed", "CLOSED"])
def test_closed_is_closed_however_it_is_written(database: Database, tmp_path: Path, division: str) -> None:
    load_files(database, tmp_path, {"a.csv": table(FLAT | {"Division/Power": division})})
    assert result(database)["division"] == "closed"
    assert result(database)["has_power"] is ("Power" in division)


def test_without_a_division_column_the_file_name_decides_and_that_is_said(database: Database, tmp_path: Path) -> None:
    line = {name: cell for name, cell in FLAT.items() if name != "Division/Power"}
    load_files(database, tmp_path, {"v5.1_closed.csv": table(line)})
    assert result(database)["division"] == "closed"
    assert kinds(database) == ["assumed-division"]


def test_without_any_division_nothing_is_guessed(database: Database, tmp_path: Path) -> None:
    line = {name: cell for name, cell in FLAT.items() if name != "Division/Power"}
    load_files(database, tmp_path, {"results.csv": table(line)})
    assert rows(database) == []
    assert kinds(database) == ["no-division", "no-identity"]


def test_an_interactive_model_is_a_benchmark_of_its_own(database: Database, tmp_path: Path) -> None:
    lines = [FLAT | {"Public ID": "5.0-0001", "Scenario": "Server", "Model MLC": model}
             for model in ("llama2-70b-99", "llama2-70b-interactive-99")]  # fmt: skip
    load_files(database, tmp_path, {"a.csv": table(*lines)})
    assert [row["benchmark"] for row in rows(database)] == ["llama2-70b-99", "llama2-70b-interactive-99"]


@pytest.mark.parametrize("name", ["", "N/A", "-"])
def test_a_system_without_accelerators_has_none_of_them(database: Database, tmp_path: Path, name: str) -> None:
    load_files(database, tmp_path, {"a.csv": table(FLAT | {"Accelerator": name, "# of Accelerators": "0"})})
    found = result(database)
    assert (found["accelerator"], found["accelerator_count"], found["accelerators"]) == (None, 0, [])
    assert kinds(database) == []


def test_a_count_in_the_name_goes_before_the_columns_and_is_said(database: Database, tmp_path: Path) -> None:
    load_files(
        database, tmp_path, {"a.csv": table(FLAT | {"Accelerator": "NVIDIA A100-SXM4-80GB (x87)", "# of Nodes": "11"})}
    )
    found = result(database)
    assert (found["accelerator"], found["accelerator_count"]) == ("NVIDIA A100-SXM-80GB", 87)
    assert found["accelerator_raw"] == "NVIDIA A100-SXM4-80GB (x87)"
    assert kinds(database) == ["corrected-count"]


def test_several_accelerators_stay_several(database: Database, tmp_path: Path) -> None:
    both = "NVIDIA A100-SXM4-80GB and NVIDIA H100-SXM-80GB"
    load_files(database, tmp_path, {"a.csv": table(FLAT | {"Accelerator": both})})
    found = result(database)
    assert found["accelerators"] == ["NVIDIA A100-SXM-80GB", "NVIDIA H100-SXM-80GB"]
    assert found["accelerator"] == " + ".join(found["accelerators"])


def test_an_unknown_accelerator_is_kept_as_it_is_and_reported(database: Database, tmp_path: Path) -> None:
    load_files(database, tmp_path, {"a.csv": table(FLAT | {"Accelerator": "Foo Chip 9"})})
    found = result(database)
    assert (found["accelerator"], found["accelerators"], found["accelerator_count"]) == (
        "Foo Chip 9",
        ["Foo Chip 9"],
        8,
    )
    (problem,) = rows(database, "problems")
    assert problem["kind"] == "unknown-spelling"
    assert "Foo Chip 9" in problem["found"]


def test_a_wrong_unit_is_corrected_the_figure_kept_and_both_said(database: Database, tmp_path: Path) -> None:
    load_files(database, tmp_path, {"a.csv": table(FLAT | {"Units": "Samples/s"})})
    assert (result(database)["value"], result(database)["unit"]) == (2000.25, "tokens/s")
    (problem,) = rows(database, "problems")
    assert (problem["kind"], problem["line"]) == ("corrected-unit", 2)
    assert "'Samples/s'" in problem["found"]
    assert "tokens/s" in problem["fix"]


@pytest.mark.parametrize(
    ("benchmark", "scenario", "unit", "name", "suite", "said"),
    [
        ("llama2-70b-99", "Offline", "Tokens/s", "a.csv", "inference-datacenter", []),
        ("retinanet", "Server", "Queries/s", "a.csv", "inference-datacenter", []),
        ("retinanet", "MultiStream", "Latency (ms)", "a.csv", "inference-edge", []),
        ("retinanet", "Offline", "Samples/s", "v4.0_edge.csv", "inference-edge", ["assumed-suite"]),
        ("retinanet", "Offline", "Samples/s", "datacenter closed.csv", "inference-datacenter", ["assumed-suite"]),
    ],
)
def test_the_suite_of_an_export_is_told_by_its_lines_or_else_by_its_name(
    database: Database, tmp_path: Path, benchmark: str, scenario: str, unit: str, name: str, suite: str, said: list[str]
) -> None:
    load_files(database, tmp_path, {name: table(FLAT | {"Model MLC": benchmark, "Scenario": scenario, "Units": unit})})
    assert result(database)["suite"] == suite
    assert kinds(database) == said


@pytest.mark.parametrize("name", ["knowledge.csv", "edge-and-datacenter.csv"])
def test_an_export_that_may_be_of_either_suite_is_left_out_and_not_guessed(
    database: Database, tmp_path: Path, name: str
) -> None:
    line = FLAT | {"Model MLC": "retinanet", "Scenario": "Offline", "Units": "Samples/s"}
    load_files(database, tmp_path, {name: table(line)})
    assert rows(database) == []
    assert kinds(database) == ["no-suite", "unknown-suite"]


def test_an_invalid_result_is_marked(database: Database, tmp_path: Path) -> None:
    line = FLAT | {"Valid / Invalid": "Invalid"}
    load_files(database, tmp_path, {"a.csv": table(line, line | {"Scenario": "Server", "Valid / Invalid": "Valid"})})
    assert {row["scenario"]: row["valid"] for row in rows(database)} == {"Offline": False, "Server": True}


@pytest.mark.parametrize("meta_last", [False, True])
@pytest.mark.parametrize("result_first", [False, True])
@pytest.mark.parametrize("backwards", [False, True])
def test_a_crosstab_is_read_whatever_the_order_of_columns_and_lines(
    database: Database, tmp_path: Path, meta_last: bool, result_first: bool, backwards: bool
) -> None:
    columns = COLUMNS[::-1] if backwards else COLUMNS
    text = crosstab({META: CELLS}, columns, meta_last=meta_last, result_first=result_first)
    load_files(database, tmp_path, {"a.csv": text})
    assert figures(database) == READ
    assert {row["system_name"] for row in rows(database)} == {META[3]}
    assert {row["division"] for row in rows(database)} == {"closed"}
    assert kinds(database) == []


THREE = {
    META: {COLUMNS[0]: "10", COLUMNS[1]: "1"},
    ("5.0-0002", *META[1:3], "Acme Two", *META[4:]): {COLUMNS[0]: "20"},
    ("5.0-0003", *META[1:3], "Acme Three", *META[4:]): {COLUMNS[0]: "30", COLUMNS[1]: "3"},
}


def test_a_crosstab_whose_lines_are_turned_round_credits_no_system(database: Database, tmp_path: Path) -> None:
    head, body = _head_and_body(crosstab(THREE, COLUMNS[:2]))
    load_files(database, tmp_path, {"a.csv": "".join(head + body[::-1])})
    assert rows(database) == []
    (problem,) = rows(database, "problems")
    assert (problem["kind"], problem["line"]) == ("lines-out-of-order", 5)
    assert "names none itself" in problem["found"]
    assert "3 lines" in problem["fix"]
    assert "export it again" in problem["fix"]


def test_a_crosstab_sorted_by_its_labels_credits_no_system(database: Database, tmp_path: Path) -> None:
    head, body = _head_and_body(crosstab(THREE, COLUMNS[:2]))
    body.sort(key=lambda line: next(csv.reader([line]))[8])
    load_files(database, tmp_path, {"a.csv": "".join(head + body)})
    assert rows(database) == []
    (problem,) = rows(database, "problems")
    assert (problem["kind"], problem["line"]) == ("lines-out-of-order", 9)
    assert "'# of Nodes'" in problem["found"]


@pytest.mark.parametrize("order", ["turned round", "sorted"])
def test_figures_in_the_line_of_their_system_hold_in_any_order(database: Database, tmp_path: Path, order: str) -> None:
    head, body = _head_and_body(crosstab(THREE, COLUMNS[:2], result_first=True))
    body = body[::-1] if order == "turned round" else sorted(body)
    load_files(database, tmp_path, {"a.csv": "".join(head + body)})
    credited = {(row["system_name"], row["value"]) for row in rows(database)}
    assert credited == {(META[3], 10), (META[3], 1), ("Acme Two", 20), ("Acme Three", 30), ("Acme Three", 3)}


def test_lines_that_all_name_their_system_may_stand_in_any_order_and_twice(database: Database, tmp_path: Path) -> None:
    head, body = _head_and_body(crosstab(THREE, COLUMNS[:2]))
    cells = [next(csv.reader([line])) for line in body]
    named = [[*cells[index - index % 3][:8], *line[8:]] for index, line in enumerate(cells)]
    load_files(database, tmp_path, {"a.csv": "".join(head) + making.lines([*named[::-1], *named], end="\r\n")})
    credited = {(row["system_name"], row["value"]) for row in rows(database)}
    assert credited == {(META[3], 10), (META[3], 1), ("Acme Two", 20), ("Acme Three", 30), ("Acme Three", 3)}
    assert "lines-out-of-order" not in kinds(database)


def _head_and_body(text: str) -> tuple[list[str], list[str]]:
    """The four lines of headings of a crosstab, and the lines under them."""
    split = text.splitlines(keepends=True)
    return split[:4], split[4:]


def test_a_crosstab_says_the_line_that_holds_the_figure(database: Database, tmp_path: Path) -> None:
    text = crosstab({META: CELLS, ("5.0-0002", *META[1:3], "Acme Two", *META[4:]): {COLUMNS[0]: "31.5"}}, COLUMNS)
    load_files(database, tmp_path, {"a.csv": text})
    numbered = dict(enumerate(text.split("\n"), 1))
    written = {"27,803.90": 27803.9, "1,668.50": 1668.5, "0.51": 0.51, "12": 12, "31.5": 31.5}
    seen = {row["value"]: row["line"] for row in rows(database, "sightings")}
    assert {cell for cell, value in written.items() if cell not in numbered[seen[value]]} == set()


def test_the_unit_of_a_crosstab_cell_is_that_of_its_own_column(database: Database, tmp_path: Path) -> None:
    wrong = ("gptj-99", "Offline", "Samples/s")
    cells = {COLUMNS[0]: "5", wrong: "0.51"}
    load_files(database, tmp_path, {"a.csv": crosstab({META: cells}, [COLUMNS[0], wrong])})
    assert figures(database) == {("dlrm-v2-99", "Offline", 5.0, "samples/s"), ("gptj-99", "Offline", 0.51, "tokens/s")}
    (problem,) = rows(database, "problems")
    assert (problem["kind"], "gptj-99" in problem["found"]) == ("corrected-unit", True)


@pytest.mark.parametrize("endless", [("x" * 10_000, "Offline", "Samples/s"), ("rgat", "x" * 10_000, "Samples/s")])
def test_a_heading_over_a_crosstab_column_is_read_like_a_cell(
    database: Database, tmp_path: Path, endless: tuple[str, str, str]
) -> None:
    marked = ("rg\x1b\x07at", "Offline", "Samples/s")
    columns = [*COLUMNS[:3], marked, endless]
    cells = {COLUMNS[0]: "5", endless: "6", marked: "7"}
    load_files(database, tmp_path, {"a.csv": crosstab({META: cells}, columns)})
    assert {(row["benchmark"], row["value"]) for row in rows(database)} == {("dlrm-v2-99", 5.0), ("rg at", 7.0)}
    assert kinds(database) == ["bad-cell", "unknown-spelling"]
    assert [row["line"] for row in rows(database, "problems") if row["kind"] == "bad-cell"] == [4]


def test_two_systems_of_one_name_and_different_size_stay_two_in_a_crosstab(database: Database, tmp_path: Path) -> None:
    larger = ("5.0-0002", *META[1:4], "4", *META[5:])
    text = crosstab({META: {COLUMNS[0]: "10"}, larger: {COLUMNS[0]: "40"}}, COLUMNS[:2])
    load_files(database, tmp_path, {"a.csv": text})
    assert {(row["nodes"], row["accelerator_count"], row["value"]) for row in rows(database)} == {
        (1, 8, 10),
        (4, 32, 40),
    }


def test_an_average_over_systems_of_one_name_does_not_replace_their_own_figures(
    database: Database, tmp_path: Path
) -> None:
    own = [summary(ID=f"5.1-000{number}", Platform=f"acme_{number}", Performance_Result=value)
           for number, value in ((1, 100.0), (2, 300.0))]  # fmt: skip
    average = [FLAT | {"Public ID": f"v5.1-000{number}", AVERAGE: "200"} for number in (1, 2)]
    load_files(database, tmp_path, {"a.csv": table(*average), "b.json": own})
    assert {(row["system_id"], row["value"]) for row in rows(database)} == {("acme_1", 100), ("acme_2", 300)}
    assert kinds(database) == ["average-of-systems"]


def test_two_lines_of_one_name_and_size_that_no_other_table_tells_apart_are_reported(
    database: Database, tmp_path: Path
) -> None:
    systems = {("5.0-0001", *META[1:]): {COLUMNS[0]: "10"}, ("5.0-0002", *META[1:]): {COLUMNS[0]: "10"}}
    load_files(database, tmp_path, {"a.csv": crosstab(systems, COLUMNS[:2])})
    assert result(database)["value"] == 10
    assert kinds(database) == ["average-of-systems"]


def test_public_ids_that_name_other_systems_elsewhere_do_not_mix_results(database: Database, tmp_path: Path) -> None:
    own = [summary(ID="5.1-0087", Platform="one", System="One"),
           summary(ID="5.1-0088", Platform="two", System="Two", Performance_Result=3.0)]  # fmt: skip
    crossed = [FLAT | {"Public ID": "5.1-0088", SYSTEM: "One"},
               FLAT | {"Public ID": "5.1-0087", SYSTEM: "Two", AVERAGE: "3"}]  # fmt: skip
    load_files(database, tmp_path, {"a.json": own, "b.csv": table(*crossed)})
    assert {(row["system_id"], row["value"], row["public_id"]) for row in rows(database)} == {
        ("one", 2000.25, "5.1-0087"), ("two", 3.0, "5.1-0088")
    }  # fmt: skip
    assert len({row["public_id"] for row in rows(database, "sightings") if row["system_name"] == "One"}) == 2
    assert kinds(database) == []


@pytest.mark.parametrize(
    ("name", "member", "likeness"),
    [("results.ods", "mimetype", "OpenDocument"), ("results.numbers", "Index/Document.iwa", "Numbers")],
)
def test_a_spreadsheet_programs_own_format_is_refused_with_advice(
    database: Database, tmp_path: Path, name: str, member: str, likeness: str
) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(member, "<sheet/>")
    (report,) = load_files(database, tmp_path, {name: buffer.getvalue()})
    assert isinstance(report.refused, UnknownFormat)
    assert likeness in str(report.refused)
    assert "export the table as CSV" in str(report.refused)
    assert rows(database, "sources") == []


@pytest.mark.parametrize(
    "text", ["| Public ID | Organization | Result |\n|---|---|---|\n", "<html><table></table></html>", "a,b\n1,2\n"]
)
def test_what_is_no_table_of_results_is_refused_with_its_likeness(
    database: Database, tmp_path: Path, text: str
) -> None:
    (report,) = load_files(database, tmp_path, {"page": text})
    assert isinstance(report.refused, UnknownFormat)
    assert "looks like" in str(report.refused)


def test_two_figures_of_one_line_that_contradict_each_other_refuse_the_line(database: Database, tmp_path: Path) -> None:
    lines = [FULL | {"Result at System Name": "31.5"}, FULL | {"Scenario": "Server"}]
    load_files(database, tmp_path, {"a.csv": table(*lines)})
    assert [row["scenario"] for row in rows(database)] == ["Server"]
    assert [(row["kind"], row["line"]) for row in rows(database, "problems")] == [("columns-differ", 2)]


def test_an_average_over_the_lines_of_one_name_contradicts_none_of_them(database: Database, tmp_path: Path) -> None:
    average = FULL | {"Result at System Name": "200"}
    lines = [average | {"Public ID": f"5.1-000{at}", "# of Nodes": str(at), "Result": value}
             for at, value in ((1, "100"), (2, "300"))]  # fmt: skip
    load_files(database, tmp_path, {"a.csv": table(*lines)})
    assert sorted(row["value"] for row in rows(database)) == [100, 300]


def test_a_column_of_notes_headed_result_does_not_replace_the_results(database: Database, tmp_path: Path) -> None:
    load_files(
        database, tmp_path, {"a.csv": table({"Result": "passed"} | FLAT), "b.csv": table({"Result": "3"} | FLAT)}
    )
    assert rows(database) == []
    assert kinds(database) == ["bad-cell", "columns-differ"]


@pytest.mark.parametrize(
    ("name", "cell"),
    [
        ("Public ID", "5.1-0002"),
        ("Organization", "Brace"),
        (SYSTEM, "Acme Two"),
        ("System Name", "Acme Two"),
        ("Model MLC", "llama2-70b-99.9"),
        ("Scenario", "Server"),
        ("Units", "Watts"),
        ("Units1", "Watts"),
        ("Division/Power", "open"),
        ("Division", "open"),
        ("Version", "v5.0"),
        ("Benchmark", "Training"),
        (AVERAGE, "31.5"),
        ("Avg. Result", "31.5"),
    ],
)
@pytest.mark.parametrize("first", [True, False])
def test_a_second_column_that_says_whose_figure_it_is_and_differs_refuses_the_line(
    database: Database, tmp_path: Path, name: str, cell: str, first: bool
) -> None:
    names, cells = list(FLAT), list(FLAT.values())
    place = 0 if first else len(names)
    text = making.lines([[*names[:place], name, *names[place:]], [*cells[:place], cell, *cells[place:]]])
    load_files(database, tmp_path, {"a.csv": text})
    assert rows(database) == []
    assert kinds(database) == ["columns-differ"]


def test_a_line_of_training_minutes_with_a_scenario_is_of_neither_kind(database: Database, tmp_path: Path) -> None:
    load_files(database, tmp_path, {"a.csv": table(FLAT | {"Units": "Latency (In minutes)", "Benchmark": ""})})
    assert rows(database) == []
    assert kinds(database) == ["columns-differ"]


def test_a_division_that_nobody_knows_is_no_division(database: Database, tmp_path: Path) -> None:
    load_files(database, tmp_path, {"a.csv": table(FLAT | {"Division/Power": "see notes"})})
    assert rows(database) == []
    assert kinds(database) == ["unknown-division"]


@pytest.mark.parametrize("written", ["see the notes-1", "0001", "-", "v5.1"])
def test_a_text_that_is_no_result_id_tells_no_round(database: Database, tmp_path: Path, written: str) -> None:
    load_files(database, tmp_path, {"a.csv": table(FLAT | {"Public ID": written})})
    assert rows(database) == []
    assert "unknown-round" in kinds(database)


def test_an_export_without_units_is_refused_for_its_power_would_be_taken_for_results(
    database: Database, tmp_path: Path
) -> None:
    line = {name: cell for name, cell in FLAT.items() if name != "Units"}
    load_files(database, tmp_path, {"a.csv": table(line)})
    assert rows(database) == []
    assert kinds(database) == ["no-unit"]


def test_lines_of_both_suites_in_one_export_count_only_where_they_can_be_of_one(
    database: Database, tmp_path: Path
) -> None:
    lines = [FLAT | {"Model MLC": "retinanet", "Scenario": scenario, "Units": unit} for scenario, unit in
             (("Server", "Queries/s"), ("MultiStream", "Latency (ms)"), ("Offline", "Samples/s"))]  # fmt: skip
    load_files(database, tmp_path, {"edge.csv": table(*lines)})
    assert {(row["scenario"], row["suite"]) for row in rows(database)} == {
        ("Server", "inference-datacenter"), ("MultiStream", "inference-edge")
    }  # fmt: skip
    assert kinds(database) == ["no-suite", "unknown-suite"]


def test_a_copy_of_a_column_numbered_by_a_program_makes_no_edge_export(database: Database, tmp_path: Path) -> None:
    line = FLAT | {"Model MLC": "llama2-70b-99", "Model MLC1": "llama2-70b-99"}
    load_files(database, tmp_path, {"a.csv": table(line)})
    assert result(database)["suite"] == "inference-datacenter"


@pytest.mark.parametrize(
    ("written", "scenario", "unit", "benchmark", "suite"),
    [
        ("llama3.1-8b-datacenter", "Offline", "Tokens/s", "llama3.1-8b", "inference-datacenter"),
        ("Llama3.1-8B-Datacenter", "Offline", "Tokens/s", "llama3.1-8b", "inference-datacenter"),
        ("llama3.1-8b-edge", "SingleStream", "Latency (ms)", "llama3.1-8b-edge", "inference-edge"),
        ("whisper-edge", "Offline", "Tokens/s", "whisper", "inference-edge"),
        ("whisper-datacenter", "Offline", "Tokens/s", "whisper", "inference-datacenter"),
    ],
)
def test_a_suite_behind_the_name_of_a_benchmark_is_its_suite(
    database: Database, tmp_path: Path, written: str, scenario: str, unit: str, benchmark: str, suite: str
) -> None:
    load_files(database, tmp_path, {"a.csv": table(FLAT | {"Model MLC": written, "Scenario": scenario, "Units": unit})})
    assert (result(database)["benchmark"], result(database)["suite"]) == (benchmark, suite)
    assert kinds(database) == []


def test_a_suite_behind_a_benchmark_that_is_not_its_systems_is_refused(database: Database, tmp_path: Path) -> None:
    line = FULL | {"Model MLC": "whisper-datacenter", "System Type": "edge"}
    load_files(database, tmp_path, {"a.csv": table(line)})
    assert rows(database) == []
    assert kinds(database) == ["suites-differ"]


def test_a_crosstab_says_the_power_of_a_scenario_in_a_column_of_its_own(database: Database, tmp_path: Path) -> None:
    watts = ("dlrm-v2-99", "Offline", "Watts")
    load_files(database, tmp_path, {"a.csv": crosstab({META: {COLUMNS[0]: "1000", watts: "500"}}, [COLUMNS[0], watts])})
    assert (result(database)["value"], result(database)["power_value"]) == (1000, 500)
