"""MLCommons' own tables as people rearrange them: the same figures come out, or fewer and a word of it; never another.

Columns are moved, doubled and renamed in case and blanks, lines are put in any order, and links and notes are added
that hold any of the words by which a loader might be led astray.
"""

import csv
import io
import json
import tempfile
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loaders.ingest import read
from loaders.manifest import Manifest
from loaders.tables import encoding
from mlperf.errors import Problem
from mlperf.model import Sighting
from tests import SHARED

pytestmark = pytest.mark.usefixtures("shared")

Grid = list[list[str]]
EXAMPLES = 60
CELLS = [
    "", "https://github.com/mlcommons/inference_results_v5.1/tree/main/closed/Acme/code", "Result", "2", "8", "1",
    "result", "Avg. Result at System Name",
    "# of Nodes", "# of  Processors ", "# of Accelerators", "accelerators", "processor",
    "units", "Samples/s", "Tokens/s", "Watts", "kJ", "Offline", "Server", "power", "Closed - Power", "public id",
    "v4.1", "5.0-0001", "open", "edge", "datacenter", "llama2-70b-99", "bert", "training", "Inference", "Null",
    "1,234.5", "TRUE",
    "Max. Result at System Name", "see notes, or else",
]  # fmt: skip
HEADINGS = [
    "Link", "Notes", "Code", "Comment on the result", "Result link", "Public ID (old)", "Units of power", "Details",
]  # fmt: skip
KEY_HEADINGS = [
    "", "Result", "Avg. Result", "Result at System Name", "Units", "Units1", "Scenario", "Model MLC", "Model MLC1",
    "Version",
    "Public ID", "Organization", "Division", "Division/Power", "System Type", "System Name", "Benchmark", "# of Nodes",
    "Samples/s", "Tokens/s", "Watts", "Total Accelerators", "Measure Names", "Valid / Invalid", "has_power", "Platform",
]  # fmt: skip
"""Headings that a loader reads, which an added column may have by chance."""

STATEMENTS = {"System Type": {"system type"}, "Division": {"division", "division/power"}}
STATEMENTS["Division/Power"] = STATEMENTS["Division"]
"""Headings of what a table may leave out, and how it is headed: there, an added column is the table's own word."""

FILES = {
    "inference_v5.0_crosstab.csv": 4,
    "inference_v5.0_closed_power_full_data.csv": 1,
    "inference_v6.0_flat_utf16.csv": 0,
    "training_v4.0_closed_power_flat.csv": 0,
    "submission_checker_summary_v5.1.csv": 0,
}
"""Exports, each with the number of lines over its header."""
CROSSTABS = ["inference_v5.0_crosstab.csv", "result_first.csv", "result_last.csv"]
LINES_OF_A_SYSTEM = 4


@cache
def _lines(name: str) -> tuple[tuple[str, ...], ...]:
    """The first lines of a real table: its header, and some thirty lines under it."""
    folder = SHARED / "exports" if name in FILES else SHARED.parent / "cases" / "crosstab_lines"
    data = (folder / name).read_bytes()
    text = data.decode(encoding(data[:100]), errors="ignore")
    delimiter = "\t" if "utf16" in name else ","
    return tuple(map(tuple, csv.reader(io.StringIO(text), delimiter=delimiter)))[: FILES.get(name, 4) + 1 + 32]


def grid(name: str) -> tuple[Grid, int]:
    """The table, and the number of lines over its header."""
    width = len(_lines(name)[FILES.get(name, 4)])
    return [list(line) + [""] * (width - len(line)) for line in _lines(name)], FILES.get(name, 4)


def sightings(content: str, suffix: str = "csv") -> tuple[list[Sighting], list[Problem]]:
    """What comes of a file of this content."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"closed.{suffix}"
        path.write_text(content, newline="")
        (reading,) = read(path, Manifest())
        refused = [reading.report.refused] if isinstance(reading.report.refused, Problem) else []
        if reading.report.refused is not None and not refused:
            refused = [
                Problem(reading.report.problems[0].where if reading.report.problems else _NOWHERE, "refused", "")
            ]
        return [item.sighting for item in reading.seen.values()], [*reading.report.problems, *refused]


_NOWHERE: Any = ("", None)


def written(table: Grid) -> str:
    text = io.StringIO()
    csv.writer(text).writerows(table)
    return text.getvalue()


def figures(items: Sequence[Sighting]) -> set[tuple[Any, ...]]:
    """Each figure with all that says whose it is."""
    fields = (
        "round", "suite", "division", "submitter", "system_id", "system_name", "benchmark", "scenario", "value", "unit",
        "power_value", "power_unit",
    )  # fmt: skip
    return {tuple(getattr(item, field) for field in fields) for item in items}


def counts(items: Sequence[Sighting]) -> set[tuple[Any, ...]]:
    fields = ("submitter", "system_id", "system_name", "public_id", "benchmark", "scenario")
    return {
        (*(getattr(item, field) for field in fields), name, count)
        for item in items
        for name in ("accelerator_count", "nodes", "accelerator_raw")
        if (count := getattr(item, name)) is not None
    }


@cache
def expected(name: str) -> tuple[set[tuple[Any, ...]], set[tuple[Any, ...]]]:
    items, _ = sightings(written(grid(name)[0]))
    assert len(items) >= 15
    return figures(items), counts(items)


def check(name: str, content: str) -> None:
    """The same figures, or fewer and a `Problem`."""
    items, problems = sightings(content)
    right, right_counts = expected(name)
    assert figures(items) <= right
    if figures(items) < right:
        assert problems
    assert {each for each in counts(items) if each[-2] != "accelerator_count"} <= right_counts


def permuted(draw: st.DrawFn, items: Sequence[Any]) -> list[Any]:
    return list(draw(st.permutations(list(items))))


def moved(table: Grid, order: Sequence[int]) -> Grid:
    return [[line[index] for index in order] for line in table]


def with_columns(draw: st.DrawFn, table: Grid, head: int, headings: Sequence[str]) -> Grid:
    """The table with a few columns of links and notes anywhere, blank over the header."""
    table = [list(line) for line in table]
    own = {cell.strip().lower() for cell in table[head]}
    possible = [name for name in headings if not (of := STATEMENTS.get(name)) or of & own]
    for _ in range(draw(st.integers(0, 3))):
        place, name = draw(st.integers(0, len(table[0]))), draw(st.sampled_from(possible))
        few = draw(st.lists(st.sampled_from(CELLS), min_size=1, max_size=3))
        for number, line in enumerate(table):
            cell = "" if number < head else name if number == head else few[number % len(few)]
            line.insert(place, cell)
    return table


def doubled(draw: st.DrawFn, table: Grid) -> Grid:
    """The table with copies of some columns at any place."""
    table = [list(line) for line in table]
    for index in draw(st.lists(st.integers(0, len(table[0]) - 1), max_size=3)):
        place = draw(st.integers(0, len(table[0])))
        for line in table:
            line.insert(place, line[index])
    return table


def renamed(draw: st.DrawFn, table: Grid, head: int) -> Grid:
    """The table with its headings in other case and with other blanks."""
    change = draw(st.sampled_from([str, str.upper, str.lower, str.title, lambda cell: f"  {cell.replace(' ', '  ')} "]))
    return [[change(cell) for cell in line] if number == head else line for number, line in enumerate(table)]


@st.composite
def flat_tables(draw: st.DrawFn, name: str) -> str:
    table, head = grid(name)
    table = moved(table, permuted(draw, range(len(table[0]))))
    table = [*table[: head + 1], *permuted(draw, table[head + 1 :])]
    headings = draw(st.sampled_from([HEADINGS, KEY_HEADINGS]))
    return written(renamed(draw, with_columns(draw, doubled(draw, table), head, headings), head))


@pytest.mark.parametrize("name", [name for name in FILES if "crosstab" not in name])
@settings(max_examples=EXAMPLES)
@given(data=st.data())
def test_a_rearranged_flat_table_gives_the_same_figures_or_fewer(name: str, data: st.DataObject) -> None:
    check(name, data.draw(flat_tables(name)))


@st.composite
def crosstabs(draw: st.DrawFn, name: str) -> str:
    """A crosstab whose columns are moved, alone or with their merged heading, and the lines of each system, too."""
    table, head = grid(name)
    first = next(index for index, cell in enumerate(table[2]) if cell)
    starts = [index for index in range(first, len(table[0])) if table[2][index]]
    blocks = [list(range(start, end)) for start, end in zip(starts, [*starts[1:], len(table[0])], strict=True)]
    if draw(st.booleans()):
        blocks = permuted(draw, blocks)
    for index in permuted(draw, range(first)):
        blocks.insert(draw(st.integers(0, len(blocks))), [index])
    order = [index for block in blocks for index in block]
    for _ in range(draw(st.integers(0, 1))):
        order.insert(draw(st.integers(0, len(order) - 1)), order.pop(draw(st.integers(0, len(order) - 1))))
    table = moved(table, order)
    body = table[head + 1 :]
    systems = [body[at : at + LINES_OF_A_SYSTEM] for at in range(0, len(body), LINES_OF_A_SYSTEM)]
    if draw(st.booleans()):
        systems = permuted(draw, systems)
    if draw(st.booleans()):
        systems = [permuted(draw, lines) for lines in systems]
    table = [*table[: head + 1], *(line for lines in systems for line in lines)]
    if draw(st.booleans()):
        table = doubled(draw, table)
    headings = draw(st.sampled_from([HEADINGS, KEY_HEADINGS]))
    return written(renamed(draw, with_columns(draw, table, head, headings), head))


@pytest.mark.parametrize("name", CROSSTABS)
@settings(max_examples=EXAMPLES)
@given(data=st.data())
def test_a_rearranged_crosstab_gives_the_same_figures_or_fewer(name: str, data: st.DataObject) -> None:
    check(name, data.draw(crosstabs(name)))


RECORDS = {"inference_results_v5.1_summary_results.json": 24, "inference_results_v6.0_summary_results.json": 24}


@cache
def records(name: str) -> tuple[dict[str, Any], ...]:
    return tuple(json.loads((SHARED / "tables" / name).read_text())[: RECORDS[name]])


@pytest.mark.parametrize("name", RECORDS)
@settings(max_examples=EXAMPLES // 2)
@given(data=st.data())
def test_rearranged_records_give_the_same_figures_or_fewer(name: str, data: st.DataObject) -> None:
    right = figures(sightings(json.dumps(records(name)), "json")[0])
    extra = data.draw(
        st.dictionaries(st.sampled_from([*HEADINGS, "result", "Result", "units"]), st.sampled_from(CELLS))
    )
    keys = data.draw(st.permutations(sorted({*records(name)[0], *extra})))
    lost = data.draw(st.none() | st.sampled_from(sorted(records(name)[0])))
    twice = data.draw(st.none() | st.sampled_from(["Performance_Result", "System"]))
    lines = []
    for record in records(name):
        pairs = [(f"{key.upper()} " if key == lost else key, {**record, **extra}.get(key)) for key in keys]
        pairs += [(twice, "3.5")] if twice else []
        lines.append("{" + ", ".join(f"{json.dumps(key)}: {json.dumps(value)}" for key, value in pairs) + "}")
    items, problems = sightings(f"[{', '.join(lines)}]", "json")
    of_value = {(*each[2:4], *each[6:10]) for each in right}
    assert {(*each[2:4], *each[6:10]) for each in figures(items)} <= of_value
    if len(figures(items)) < len(right):
        assert problems
