"""The crosstab export of a results page: systems down, benchmark and scenario across, several lines per system.

Columns and lines come in any order: what a column holds is told from the headings over it, what a line holds from its
label. Values have two decimals at most.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Final

from loaders.cells import BadCell, is_silent, text
from loaders.fields import Fields
from loaders.formats import exports
from loaders.protocol import Parsed
from loaders.tables import Header, Row, filled_right, header, heading
from loaders.unpack import Source
from mlperf.errors import Problem, Where
from mlperf.facts import facts
from mlperf.model import Measurement

NAME: Final = "export-crosstab"
TITLE: Final = "MLCommons results table, crosstab export (CSV)"
RANK: Final = 60


@dataclass(frozen=True)
class _Column:
    """A column of results: whose they are."""

    index: int
    benchmark: str
    scenario: str | None
    unit: str


def recognises(source: Source) -> bool:
    """A header without a model column, under lines of merged headings of which one names scenarios or benchmarks."""
    found = header(source)
    return found is not None and not exports.MODEL_HEADINGS & set(found.names) and bool(_columns(found))


def parse(source: Source) -> Iterator[Parsed]:
    """One measurement per filled cell of a result line."""
    found = header(source)
    if found is None:
        return
    columns, unreadable = _readable(_columns(found), Where(source.name, found.line))
    yield from unreadable
    own = {column.index for column in columns}
    read, problems = exports.table(source, found)
    yield from problems
    label = _label_column(found, read, own)
    kept = own if label is None else own | {label}
    read, out_of_order = _trusted(found, read, own, label)
    yield from out_of_order
    results = [row for row in _filled_down(found, read, kept) if _is_result(row, label)]
    numbers = exports.numbers_in(found, results, own)
    measurements: list[Measurement] = []
    for row in results:
        cells, differing = exports.cells_by_heading(found, row)
        fields = Fields(row.where, cells, numbers)
        for column in columns:
            try:
                value = None if is_silent(row.cells[column.index]) else numbers.number(row.cells[column.index])
            except BadCell as fault:
                found_text = f"{column.benchmark} {column.scenario or ''}: {fault}."
                yield Problem(row.where, "bad-cell", found_text, "The cell was left out.")
                continue
            if value is not None:
                known = {
                    "benchmark": column.benchmark,
                    "scenario": column.scenario,
                    "unit": column.unit,
                    "value": value,
                }
                measurements.append(exports.measurement(fields, **known))
        yield from differing + list(dict.fromkeys(fields.problems))
    yield from exports.with_division(exports.with_suite(measurements, found, source), source)


def _columns(found: Header) -> list[_Column]:
    """The result columns, from the headings over them: each line of headings is known by what most of its cells are."""
    meta = {name for names in exports.HEADINGS.values() for name in names}
    lines = [filled_right(line) for line in found.above] + [list(found.names)]
    width = len(found.names)
    lines = [line + [""] * (width - len(line)) for line in lines if len(line) <= width]
    candidates = [
        index for index, name in enumerate(found.names) if name not in meta and any(line[index] for line in lines[:-1])
    ]
    scenarios = _line_of(lines, candidates, lambda cell: facts().scenario(cell) is not None)
    units = _line_of(lines, candidates, _is_unit)
    benchmarks = _line_of(lines, candidates, _is_benchmark)
    if units is None or benchmarks is None:
        return []
    return [
        _Column(index, benchmarks[index], scenarios[index] if scenarios else None, units[index])
        for index in candidates
        if _is_unit(units[index]) and benchmarks[index]
    ]


def _readable(columns: list[_Column], where: Where) -> tuple[list[_Column], list[Problem]]:
    """Benchmarks and scenarios as cells are read, and a `Problem` for each that makes no sense."""
    readable: list[_Column] = []
    problems: list[Problem] = []
    for column in columns:
        try:
            scenario = column.scenario and text(column.scenario)
            readable.append(replace(column, benchmark=text(column.benchmark) or "", scenario=scenario))
        except BadCell as fault:
            problems.append(Problem(where, "bad-cell", f"the heading of a column {fault}.", "The column was left out."))
    return readable, problems


def _line_of(lines: list[list[str]], candidates: list[int], belongs: Callable[[str], bool]) -> list[str] | None:
    """The line of headings in which most candidate columns hold such a thing."""
    counts = [sum(belongs(line[index]) for index in candidates) for line in lines]
    best = max(counts, default=0)
    return lines[counts.index(best)] if best * 2 > len(candidates) else None


def _is_unit(cell: str) -> bool:
    return facts().is_heading(cell)


def _is_benchmark(cell: str) -> bool:
    return any(facts().benchmark(kind, cell, None) is not None for kind in ("inference", "training"))


def _label_column(found: Header, read: list[Row], results: set[int]) -> int | None:
    """The column that says what a line holds ("Avg. Result …", "# of Nodes"); None where every line is of results."""
    for index in range(len(found.names)):
        if index not in results and any("result" in heading(row.cells[index]) for row in read):
            return index
    return None


def _is_result(row: Row, label: int | None) -> bool:
    return label is None or "result" in heading(row.cells[label])


def _trusted(found: Header, read: list[Row], own: set[int], label: int | None) -> tuple[list[Row], list[Problem]]:
    """The lines whose system is certain: all, or where lines stand out of order only those that name it themselves.

    A spreadsheet that sorts the lines leaves no trace of whose a line was, so that one sign of it is enough for all.
    """
    identity = _identity(found)
    disorder = _disorder(read, identity, own, label)
    if disorder is None:
        return read, []
    certain = [row for row in read if _names_system(row, identity)]
    lost = [row for row in read if not _names_system(row, identity) and _is_result(row, label) and _says(row, own)]
    where, text = disorder
    left_out = f"{len(lost):,} lines of results that do not name their system were left out"
    fix = f"{left_out}: sort the table back to its first order, or export it again."
    return certain, [Problem(where, "lines-out-of-order", text, fix)]


def _disorder(read: list[Row], identity: list[int], own: set[int], label: int | None) -> tuple[Where, str] | None:
    """The first sign that lines no longer stand under their system: none above a line, or one label twice under it."""
    labels: set[str] | None = None
    for row in read:
        name = "" if label is None else heading(row.cells[label])
        if _names_system(row, identity):
            labels = {name}
        elif not _says(row, own):
            continue
        elif labels is None:
            return row.where, "no system stands over this line, and it names none itself."
        elif name in labels:
            which = f"a second line {row.cells[label].strip()[:60]!r}" if label is not None else "a second line"
            return row.where, f"{which} stands under one system, so that the lines are not in their order."
        else:
            labels.add(name)
    return None


def _identity(found: Header) -> list[int]:
    return [index for index, name in enumerate(found.names) if name in ("public id", "organization")]


def _names_system(row: Row, identity: list[int]) -> bool:
    return any(row.cells[index].strip() for index in identity)


def _says(row: Row, own: set[int]) -> bool:
    """Whether a line holds anything in a column of results."""
    return any(row.cells[index].strip() for index in own)


def _filled_down(found: Header, read: list[Row], own: set[int]) -> Iterator[Row]:
    """Rows in which what stands once per system stands in each of its lines."""
    names = found.names
    current: tuple[str, ...] = ("",) * len(names)
    identity = _identity(found)
    for row in read:
        if _names_system(row, identity):
            current = row.cells
        yield Row(
            row.where, tuple(cell if index in own else (cell or current[index]) for index, cell in enumerate(row.cells))
        )
