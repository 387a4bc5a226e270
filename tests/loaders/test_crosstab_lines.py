"""What the lines of a crosstab hold is told by a column of labels alone; where none tells, nothing is stored."""

import csv
from pathlib import Path

import duckdb
import pytest

from loaders.ingest import SourceReport, load
from loaders.manifest import Manifest
from tests.loaders import making
from tests.loaders.making import kinds, rows

Database = duckdb.DuckDBPyConnection
Table = list[list[str]]
RESULT = "Avg. Result at System Name"
HEAD = 5
"""Lines of headings."""
LABELS = 14
"""The column of labels; results stand from the next one on."""


@pytest.fixture
def cases(shared: Path) -> Path:
    return shared.parent / "cases" / "crosstab_lines"


def read(path: Path) -> Table:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file))


def figures(database: Database) -> set[tuple[str, str, str, float]]:
    return {(row["public_id"], row["system_name"], row["scenario"], row["value"]) for row in rows(database)}


def expected(cases: Path) -> set[tuple[str, str, str, float]]:
    with (cases / "expected.csv").open(encoding="utf-8", newline="") as file:
        lines = list(csv.DictReader(file))
    return {(line["public_id"], line["system_name"], line["scenario"], float(line["value"])) for line in lines}


def load_table(database: Database, folder: Path, table: Table) -> SourceReport:
    (report,) = making.load_files(database, folder, {"a.csv": making.lines(table)})
    return report


@pytest.mark.parametrize("name", ["result_first.csv", "result_last.csv"])
def test_results_are_read_wherever_their_line_stands(database: Database, cases: Path, name: str) -> None:
    list(load(cases / name, database, Manifest()))
    assert figures(database) == expected(cases)
    units = {(row["benchmark"], row["suite"]): row["unit"] for row in rows(database)}
    assert units == {
        ("llama2-70b-99", "inference-datacenter"): "tokens/s",
        ("llama3.1-8b", "inference-datacenter"): "tokens/s",
        ("retinanet", "inference-datacenter"): "samples/s",
        ("whisper", "inference-datacenter"): "tokens/s",
    }
    assert set(kinds(database)) == {"corrected-unit"}


def test_without_a_line_of_results_nothing_is_stored_and_the_message_names_the_measures(
    database: Database, cases: Path
) -> None:
    (report,) = load(cases / "no_result_line.csv", database, Manifest())
    assert rows(database) == []
    (problem,) = report.problems
    assert (problem.kind, problem.where.line) == ("no-result-line", HEAD)
    for measure in ("# of  Processors", "# of Accelerators", "# of Nodes"):
        assert f'"{measure}"' in problem.found
    assert f'add the measure "{RESULT}"' in problem.fix


def relabelled(table: Table, old: str, new: str) -> Table:
    return [[new if index == LABELS and cell == old else cell for index, cell in enumerate(line)] for line in table]


def with_column(table: Table, heading: str, cell: str, at: int) -> Table:
    """Another column, filled in every line under the headings."""
    cells = [*[""] * (HEAD - 1), heading, *[cell] * (len(table) - HEAD)]
    return [[*line[:at], added, *line[at:]] for line, added in zip(table, cells, strict=True)]


WORDS = (
    "https://github.com/mlcommons/inference_results_v5.1", "Result", "Avg. Result at System Name (see notes)",
    "# of Nodes", "best result", "Offline", "Tokens/s", "closed - power", "8",
)  # fmt: skip


@pytest.mark.parametrize("word", WORDS)
@pytest.mark.parametrize("heading", ["Notes", ""])
@pytest.mark.parametrize("name", ["result_first.csv", "result_last.csv", "no_result_line.csv"])
def test_no_link_name_or_note_is_taken_for_a_label(
    database: Database, cases: Path, tmp_path: Path, name: str, heading: str, word: str
) -> None:
    for place, at in enumerate((0, LABELS)):
        load_table(database, tmp_path / str(place), with_column(read(cases / name), heading, word, at))
    assert figures(database) <= (set() if name == "no_result_line.csv" else expected(cases))
    if not word.startswith(("Result", "Avg.", "# of")):
        assert figures(database) == (set() if name == "no_result_line.csv" else expected(cases))


@pytest.mark.parametrize(
    ("label", "is_result"),
    [
        (" avg.  result AT system name ", True),
        ("Avg. Result", True),
        ("Max. Result at System Name", False),
        ("Sum of Result", False),
        ("# of results", False),
        ("Result of the review", False),
        ("", False),
    ],
)
def test_a_line_is_one_of_results_only_by_a_label_of_results(
    database: Database, cases: Path, tmp_path: Path, label: str, is_result: bool
) -> None:
    load_table(database, tmp_path, relabelled(read(cases / "result_last.csv"), RESULT, label))
    assert figures(database) == (expected(cases) if is_result else set())
    assert ("no-result-line" in kinds(database)) is not is_result


def test_two_labels_of_results_are_not_chosen_between(database: Database, cases: Path, tmp_path: Path) -> None:
    report = load_table(database, tmp_path, relabelled(read(cases / "result_last.csv"), "# of Nodes", "Result"))
    assert rows(database) == []
    assert "several kinds of results" in report.problems[0].found


def test_a_doubled_column_of_labels_counts_once(database: Database, cases: Path, tmp_path: Path) -> None:
    table = read(cases / "result_last.csv")
    load_table(database, tmp_path, [[line[LABELS], *line] for line in table])
    assert figures(database) == expected(cases)


def test_two_columns_of_one_benchmark_and_scenario_have_to_agree(
    database: Database, cases: Path, tmp_path: Path
) -> None:
    table = read(cases / "result_last.csv")
    doubled = [[*line, line[LABELS + 1]] for line in table]
    load_table(database, tmp_path / "same", doubled)
    assert figures(database) == expected(cases)
    doubled[HEAD + 3][-1] = "1"
    load_table(database, tmp_path / "other", doubled)
    # The first table stays; the second has no figure of that cell, and no other one in its place.
    assert figures(database) == expected(cases)
    assert "columns-differ" in kinds(database)
