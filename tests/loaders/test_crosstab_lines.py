"""What the lines of a crosstab hold is told by its column of labels and by nothing else."""

import csv
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest

from tests.loaders.making import kinds, lines, load_files, rows

Database = duckdb.DuckDBPyConnection
Grid = list[list[str]]
Change = Callable[[Grid], Grid]
Keys = set[tuple[Any, ...]]
RESULT = "Avg. Result at System Name"
HEAD = 4
"""The line of the header, from 0."""
LABEL, FIRST = 14, 15
"""The column of labels and the first of results."""
SYSTEM_LINES = 4


@pytest.fixture
def case(shared: Path) -> Path:
    return shared.parent / "cases" / "crosstab_lines"


@pytest.fixture
def right(case: Path) -> Keys:
    with (case / "expected.csv").open(newline="") as stream:
        return {
            (row["public_id"], row["system_name"], row["benchmark_as_written"], row["scenario"], float(row["value"]))
            for row in csv.DictReader(stream)
        }


def figures(database: Database) -> Keys:
    """The results as the expected file spells them: of this table llama3.1-8b alone is written with its suite."""
    spelled = {"llama3.1-8b": "llama3.1-8b-datacenter"}
    return {
        (row["public_id"], row["system_name"], spelled.get(row["benchmark"], row["benchmark"]), row["scenario"],
         row["value"])
        for row in rows(database)
    }  # fmt: skip


def read_grid(path: Path) -> Grid:
    return list(csv.reader(io.StringIO(path.read_text())))


@pytest.mark.parametrize("name", ["result_first.csv", "result_last.csv"])
def test_the_line_of_results_is_found_wherever_it_stands(
    database: Database, tmp_path: Path, case: Path, right: Keys, name: str
) -> None:
    load_files(database, tmp_path, {name: (case / name).read_bytes()})
    assert figures(database) == right
    assert {(row["benchmark"], row["unit"]) for row in rows(database)} == {
        ("llama2-70b-99", "tokens/s"), ("llama3.1-8b", "tokens/s"), ("whisper", "tokens/s"), ("retinanet", "samples/s")
    }  # fmt: skip
    assert {row["suite"] for row in rows(database)} == {"inference-datacenter"}
    assert set(kinds(database)) == {"corrected-unit"}


def test_an_export_without_results_gives_nothing_and_says_what_it_has(
    database: Database, tmp_path: Path, case: Path
) -> None:
    (report,) = load_files(database, tmp_path, {"a.csv": (case / "no_result_line.csv").read_bytes()})
    assert rows(database) == []
    (problem,) = report.problems
    assert (problem.kind, problem.where.line) == ("no-results", HEAD + 1)
    for measure in ("# of Processors", "# of Accelerators", "# of Nodes"):
        assert measure in problem.found
    assert f"Export the table with {RESULT!r} among its measures" in problem.fix


def labels(change: Callable[[str], str]) -> Change:
    """The table with other labels."""
    return lambda grid: [
        [*line[:LABEL], change(line[LABEL]), *line[LABEL + 1 :]] if number > HEAD else line
        for number, line in enumerate(grid)
    ]


def column(place: int, heading: str, cell: Callable[[int], str]) -> Change:
    """The table with one more column; `cell` gives what stands in a line under the header."""
    return lambda grid: [
        [*line[:place], "" if at < HEAD else heading if at == HEAD else cell(at - HEAD - 1), *line[place:]]
        for at, line in enumerate(grid)
    ]


def lines_of(number: int, grid: Grid) -> Grid:
    return grid[HEAD + 1 + number * SYSTEM_LINES : HEAD + 1 + (number + 1) * SYSTEM_LINES]


def added_lines(label: str, of: tuple[int, ...] = (0, 1, 2, 3)) -> Change:
    """The table with a further measure under these systems, which is ten times the results."""

    def change(grid: Grid) -> Grid:
        changed = grid[: HEAD + 1]
        for number in range(4):
            body = lines_of(number, grid)
            changed += body
            if number in of:
                larger = [str(float(cell.replace(",", "")) * 10) if cell else "" for cell in body[-1][FIRST:]]
                changed.append([*[""] * LABEL, label, *larger])
        return changed

    return change


def without_lines(drop: Callable[[int, list[str]], bool]) -> Change:
    """The table without some lines of its systems; a system is a number from 0."""
    return lambda grid: [
        line for at, line in enumerate(grid) if at <= HEAD or not drop((at - HEAD - 1) // SYSTEM_LINES, line)
    ]


def copied_column(place: int, to: int) -> Change:
    return lambda grid: [[*line[:to], line[place], *line[to:]] for line in grid]


def moved_column(place: int, to: int) -> Change:
    return lambda grid: [
        [*without[:to], line[place], *without[to:]]
        for line in grid
        for without in [[*line[:place], *line[place + 1 :]]]
    ]


def named_lines(grid: Grid) -> Grid:
    """Every line names its system, and the lines are sorted by their labels."""
    body = []
    for number in range(4):
        first, *others = lines_of(number, grid)
        body += [first, *([*first[:LABEL], *line[LABEL:]] for line in others)]
    return [*grid[: HEAD + 1], *sorted(body, key=lambda line: line[LABEL])]


def upside_down(grid: Grid) -> Grid:
    return [*grid[: HEAD + 1], *grid[:HEAD:-1]]


def result_line_up(grid: Grid) -> Grid:
    """Each system's line of results stands over the line that names the system."""
    turned = [lines_of(number, grid)[3:] + lines_of(number, grid)[:3] for number in range(4)]
    return [*grid[: HEAD + 1], *(line for body in turned for line in body)]


def first_result_gone_and_second_up(grid: Grid) -> Grid:
    """The first system has no results, and the second's stand over its name: they look like the first's."""
    body = [lines_of(number, grid) for number in range(4)]
    lost = [body[0][:3], [body[1][3], *body[1][:3]], body[2], body[3]]
    return [*grid[: HEAD + 1], *(line for part in lost for line in part)]


SAME: dict[str, Change] = {
    "labels on the far left": moved_column(LABEL, 0),
    "labels on the far right": moved_column(LABEL, 20),
    "labels twice, side by side": copied_column(LABEL, LABEL),
    "labels twice, once on the left": copied_column(LABEL, 0),
    "labels in upper case": labels(str.upper),
    "labels with blanks around and within": labels(lambda cell: f"  {cell.replace(' ', '   ')} "),
    "labels under Tableau's own heading": lambda grid: [
        [*line[:LABEL], "Measure Names", *line[LABEL + 1 :]] if at == HEAD else line for at, line in enumerate(grid)
    ],
    "notes that all say Result": column(0, "Notes", lambda _: "Result"),
    "notes that all say the label": column(LABEL, "Remarks", lambda _: RESULT),
    "notes between meta columns that label the wrong lines": column(
        5, "Comment", lambda at: RESULT if at % SYSTEM_LINES == 0 else "# of Nodes"
    ),
    "a column headed Result": column(0, "Result", lambda _: "7"),
    "a column headed Avg. Result": column(3, "Avg. Result", lambda at: str(at)),
    "a link to inference_results on the left": column(0, "Link", lambda _: "https://example.org/inference_results"),
    "a link without a heading": column(0, "", lambda _: "https://example.org/inference_results_v5.1"),
    "another measure of the results": added_lines("Max. Result at System Name"),
    "a sum of the results": added_lines("Sum of Result at System Name"),
    "every line names its system, lines sorted by label": named_lines,
}
NOTHING: dict[str, Change] = {
    "no column of labels": lambda grid: [[*line[:LABEL], *line[LABEL + 1 :]] for line in grid],
    "blank labels": labels(lambda _: ""),
    "a link is all that holds the word": labels(lambda cell: "" if "Result" in cell else cell),
    "labels that nobody knows": labels(lambda cell: cell.replace("Avg.", "Trimmed mean of")),
    "one label that nobody knows": added_lines("Best Result at System Name"),
    "two kinds of results": added_lines("Result at System Name"),
    "two columns of labels that differ": column(0, "", lambda at: RESULT if at % 4 == 1 else "# of Nodes"),
    "notes without a heading that all say Result": column(0, "", lambda _: "Result"),
    "lines upside down": upside_down,
    "each line of results over its system's name": result_line_up,
    "the first system's results are those of the second": first_result_gone_and_second_up,
    "results of one system only": without_lines(lambda system, line: system != 2 and line[LABEL] == RESULT),
    "one line of results lost": without_lines(lambda system, line: system == 1 and line[LABEL] == RESULT),
    "the name of a system lost": without_lines(lambda system, line: system == 1 and bool(line[0])),
    "the labels of counts and results exchanged": labels(
        lambda cell: {RESULT: "# of Nodes", "# of Nodes": RESULT}.get(cell, cell)
    ),
    "every count is labelled as results": labels(lambda _: RESULT),
    "a copy of a column under another benchmark": copied_column(FIRST + 1, FIRST + 5),
    "the first column of a benchmark moved away": moved_column(FIRST + 2, 0),
    "a notes column headed with a unit": column(LABEL, "Tokens/s", lambda at: str(at)),
    "a notes column headed with a unit behind the results": column(FIRST + 6, "Tokens/s", lambda at: str(at)),
}


@pytest.mark.parametrize("change", SAME.values(), ids=SAME)
def test_a_changed_crosstab_gives_the_same_figures(
    database: Database, tmp_path: Path, case: Path, right: Keys, change: Change
) -> None:
    load_files(database, tmp_path, {"a.csv": lines(change(read_grid(case / "result_last.csv")))})
    assert figures(database) == right


@pytest.mark.parametrize("change", NOTHING.values(), ids=NOTHING)
def test_a_crosstab_that_cannot_be_told_gives_no_figure_and_says_why(
    database: Database, tmp_path: Path, case: Path, change: Change
) -> None:
    (report,) = load_files(database, tmp_path, {"a.csv": lines(change(read_grid(case / "result_last.csv")))})
    assert rows(database) == []
    assert report.problems
