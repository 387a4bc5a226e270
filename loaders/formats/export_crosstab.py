"""The crosstab export of a results page: systems down, benchmark and scenario across, several lines per system.

What decides, wherever columns and lines stand:

- A column of results has a benchmark, a unit and, in inference, a scenario in the headings over it. A line of headings
  is that of benchmarks, scenarios or units if most columns of results hold one there.
- What a line holds is told by the column of labels: the one in whose every filled cell a measure is named. A line is
  one of results only if its label is one of `exports.HEADINGS["value"]`. Without such a column, with two that differ or
  without a label of results nothing is read.
- Two columns of one benchmark and scenario have to agree; a system's cells in which they do not are left out.

Values have two decimals at most.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from loaders.cells import BadCell, Numbers, text
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

    def name(self) -> str:
        """Benchmark and scenario, and whether it is their power: what at most one figure of a system is of."""
        power = "power" if facts().power_unit(self.unit) else None
        return " ".join(filter(None, (self.benchmark, self.scenario, power)))


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
    if isinstance(label, str):
        yield Problem(Where(source.name, found.line), "no-result-line", label, _ADD_RESULTS)
        return
    read, out_of_order = _trusted(found, read, own, label)
    yield from out_of_order
    results = [row for row in _filled_down(found, read, own | {label}) if _is_result(row, label)]
    numbers = exports.numbers_in(found, results, own)
    copies: dict[str, list[_Column]] = {}
    for column in columns:
        copies.setdefault(column.name(), []).append(column)
    parsed = [item for row in results for item in _line(found, row, copies, numbers)]
    yield from dict.fromkeys(item for item in parsed if isinstance(item, Problem))
    measurements = [item for item in parsed if isinstance(item, Measurement)]
    yield from exports.with_division(exports.with_suite(measurements, found, source), source)


def _line(found: Header, row: Row, copies: Mapping[str, Sequence[_Column]], numbers: Numbers) -> Iterator[Parsed]:
    """The figures of one line of results, and a `Problem` for each cell that gives none; `copies` by their name."""
    cells = exports.cells_by_heading(found, row)
    if isinstance(cells, Problem):
        yield cells
        return
    fields = Fields(row.where, cells, numbers)
    for name, columns in copies.items():
        try:
            values = {numbers.number(row.cells[column.index]): column for column in columns}
        except BadCell as fault:
            yield Problem(row.where, "bad-cell", f"{name}: {fault}.", "The cell was left out.")
            continue
        if len(values) > 1:
            yield exports.figures_differ(row, name, values, "The cells were left out.")
            continue
        ((value, column),) = values.items()
        if value is not None:
            kind = {"benchmark": column.benchmark, "scenario": column.scenario, "unit": column.unit}
            yield exports.measurement(fields, value=value, **kind)
    yield from fields.problems


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


def _label_column(found: Header, read: list[Row], results: set[int]) -> int | str:
    """The column that says what each line holds ("Avg. Result …", "# of Nodes"); why there is none, as a sentence."""
    meta = {name for names in exports.HEADINGS.values() for name in names}
    labels = {
        index: cells
        for index, name in enumerate(found.names)
        if index not in results and name not in meta and (cells := _measures(read, index))
    }
    if not labels:
        return "no column says what its lines hold."
    measures = sorted({row.cells[index].strip() for index in labels for row in read if row.cells[index].strip()})
    stated = ", ".join(f'"{measure[:60]}"' for measure in measures[:12])
    if len(set(labels.values())) > 1:
        names = " and ".join(f"column {index + 1}" for index in labels)
        return f"{names} both name measures, and differ: {stated}."
    index, cells = labels.popitem()
    of_results = set(cells) & set(exports.HEADINGS["value"])
    if not of_results:
        return f"no line is labelled as one of results. The export has the measures {stated}."
    if len(of_results) > 1:
        return f"lines of several kinds of results stand side by side: {stated}."
    return index


def _measures(read: list[Row], index: int) -> tuple[str, ...]:
    """The labels of a column, as headings are compared; none where a filled cell names no measure."""
    cells = tuple(heading(row.cells[index]) for row in read)
    return cells if any(cells) and all(not cell or exports.is_measure(cell) for cell in cells) else ()


def _is_result(row: Row, label: int) -> bool:
    return heading(row.cells[label]) in exports.HEADINGS["value"]


_ADD_RESULTS: Final = (
    'Nothing of it was stored. On the results page add the measure "Avg. Result at System Name" to the table, then '
    "export it again, with the column that names the measures."
)


def _trusted(found: Header, read: list[Row], own: set[int], label: int) -> tuple[list[Row], list[Problem]]:
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


def _disorder(read: list[Row], identity: list[int], own: set[int], label: int) -> tuple[Where, str] | None:
    """The first sign that lines no longer stand under their system: none above a line, or one label twice under it."""
    labels: set[str] | None = None
    for row in read:
        name = heading(row.cells[label])
        if _names_system(row, identity):
            labels = {name}
        elif not _says(row, own):
            continue
        elif labels is None:
            return row.where, "no system stands over this line, and it names none itself."
        elif name in labels:
            which = f"a second line {row.cells[label].strip()[:60]!r}"
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
