"""Real exports with columns and lines moved, doubled and renamed in case and blanks, beside links and notes.

They give the same results or fewer; never another figure.
"""

import csv
import io
from functools import cache
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loaders import store
from loaders.ingest import load
from loaders.manifest import Manifest
from tests.loaders.making import lines, rows

Table = list[list[str]]
NAME = "v5.0 datacenter closed.csv"
HEADS = {
    "inference_v5.0_crosstab.csv": 5,
    "inference_v6.0_flat_utf16.csv": 1,
    "inference_v5.0_closed_power_full_data.csv": 2,
    "training_v4.0_closed_power_flat.csv": 1,
    "submission_checker_summary_v5.1.csv": 1,
}
"""Lines of headings, the last of them with the names of the columns."""

LINES = 16
WORDS = (
    "Result", "Avg. Result at System Name", "# of Accelerators", "# of Nodes", "Units", "Samples/s", "Tokens/s",
    "Watts", "Offline", "Server", "Public ID", "5.0-0001", "Organization", "closed", "Closed - Power", "power", "edge",
    "https://github.com/mlcommons/inference_results_v5.1/tree/main/closed/Dell", "gptj-99", "resnet", "8", "1", "v3.1",
)  # fmt: skip
HEADINGS = ("", "Notes", "Link", "Code", "Result link", "Notes on the result", "Unit", "scenario notes", "Measure")
PLAIN = ("https://example.org/notes", "see the appendix")


@cache
def table_of(path: Path) -> Table:
    """The first lines of a real export, merged headings filled: whoever moves a column un-merges them first."""
    data = path.read_bytes()
    text = data.decode("utf-16", "replace") if data.startswith(b"\xff\xfe") else data.decode("utf-8-sig")
    delimiter = "\t" if data.startswith(b"\xff\xfe") else ","
    table = list(csv.reader(io.StringIO(text), delimiter=delimiter))[: HEADS[path.name] + LINES]
    width = len(table[HEADS[path.name] - 1])
    table = [line + [""] * (width - len(line)) for line in table]
    for line in table[: HEADS[path.name] - 1]:
        for index in range(1, width):
            line[index] = line[index] or line[index - 1]
    return table


@cache
def database() -> duckdb.DuckDBPyConnection:
    return store.open_database(None)


def loaded(folder: Path, table: Table) -> list[dict[str, Any]]:
    """The results of a table."""
    con = database()
    for name in ("results", "sightings", "sources", "systems", "problems"):
        con.execute(f"delete from {name}")
    path = folder / NAME
    path.write_text(lines(table), encoding="utf-8", newline="")
    list(load(path, con, Manifest()))
    return rows(con)


FIGURE = (
    "round", "suite", "division", "submitter", "system_id", "system_name", "public_id", "benchmark", "scenario",
    "value", "unit",
)  # fmt: skip
"""A line of power that was left out takes `has_power` with it."""
SIZE = (*FIGURE[:9], "accelerator_count", "nodes")
POWER = (*FIGURE[:9], "power_value", "power_unit")


def figures(results: list[dict[str, Any]], columns: tuple[str, ...] = FIGURE) -> set[tuple[Any, ...]]:
    return {tuple(row[name] for name in columns) for row in results if row[columns[9]] is not None}


@st.composite
def moves(draw: st.DrawFn, table: Table, head: int) -> tuple[Table, bool]:
    """A table whose columns and lines were moved, and whether all of its results have to be read."""
    names = table[head - 1]
    columns = [[line[index] for line in table] for index in range(len(names))]
    is_plain = True
    for _ in range(draw(st.integers(0, 2))):
        copy = list(draw(st.sampled_from(columns)))
        if draw(st.booleans()):
            copy[draw(st.integers(head, len(copy) - 1))] = draw(st.sampled_from(WORDS))
            is_plain = False
        columns.append(copy)
    for _ in range(draw(st.integers(0, 2))):
        words = draw(st.sampled_from((WORDS, PLAIN)))
        is_plain &= words is PLAIN
        cells = draw(st.lists(st.sampled_from(("", *words)), min_size=len(table) - head, max_size=len(table) - head))
        if draw(st.booleans()):
            cells = [cells[0]] * len(cells)
        columns.append(["" for _ in range(head - 1)] + [draw(st.sampled_from(HEADINGS)), *cells])
    columns = draw(st.permutations(columns))
    change = draw(st.sampled_from([str, str.upper, str.lower, lambda text: f"  {text.replace(' ', '   ')} "]))
    for column in columns:
        column[head - 1] = change(column[head - 1])
    moved = [list(line) for line in zip(*columns, strict=True)]
    return moved, is_plain


def shuffled_blocks(draw: st.DrawFn, table: Table) -> Table:
    """The lines of each system of a crosstab in another order; what names the system stays in its first line."""
    head = HEADS["inference_v5.0_crosstab.csv"]
    label = table[head - 1].index("", 1)
    blocks: list[Table] = []
    for line in table[head:]:
        if line[0]:
            blocks.append([])
        blocks[-1].append(line)
    result = table[:head]
    for block in blocks:
        order = draw(st.permutations(block))
        result += [
            [*(block[0] if place == 0 else [""] * label)[:label], *line[label:]] for place, line in enumerate(order)
        ]
    return result


@pytest.mark.parametrize("name", HEADS)
@given(data=st.data())
@settings(max_examples=20)
def test_a_moved_table_gives_the_same_results_or_fewer(
    shared: Path, tmp_path_factory: pytest.TempPathFactory, name: str, data: st.DataObject
) -> None:
    folder = tmp_path_factory.getbasetemp()
    table, head = table_of(shared / "exports" / name), HEADS[name]
    before = loaded(folder, table)
    assert before
    if name.endswith("crosstab.csv"):
        table = data.draw(st.composite(shuffled_blocks)(table))
    moved, is_plain = data.draw(moves(table, head))
    after = loaded(folder, moved)
    assert figures(after) <= figures(before)
    assert figures(after, POWER) <= figures(before, POWER)
    sizes = {row[:9]: row[9:] for row in figures(before, SIZE)}
    for *whose, accelerators, nodes in figures(after, SIZE):
        assert {accelerators, nodes} <= {*sizes[tuple(whose)], None}, "a size is the same, or left out"
    if is_plain:
        assert figures(after, (*FIGURE, "has_power")) == figures(before, (*FIGURE, "has_power"))
