"""The crosstab export of a results page: systems down, benchmark and scenario across, several lines per system.

Columns and lines come in any order. What decides, and what happens where it is not there:

- A column holds results if the header heads it with a unit that the catalog has; benchmark and scenario stand in the
  lines over it. A merged heading that cannot be told, a sign that columns were moved from under it (`_check_blocks`,
  `_check_copies`, `_check_required`), or two columns of one benchmark and scenario that differ: nothing is taken.
- A line holds results if the column of labels has the catalog's label of a result in it (measures.toml). That column
  has no heading, and only names of measures in it. No such column, none or two kinds of results: nothing is taken.
- A line without a name is of the system over it. At a sign that lines were moved: only lines that name their system.
- A column with a known heading is what the heading says; copies that differ refuse the line (`exports.Line`).

Values have two decimals at most.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Final, get_args

from loaders.cells import BadCell, is_silent, text
from loaders.formats import exports
from loaders.protocol import Parsed
from loaders.tables import Header, Row, header, heading
from loaders.unpack import Source
from mlperf.errors import Problem, Where
from mlperf.facts import facts
from mlperf.model import Kind, Measurement

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
    is_merged: bool
    """Whether a heading over it is blank, and that of a column on its left counts."""

    @property
    def key(self) -> tuple[str, str, bool]:
        """What no two columns share: a figure and its power are two."""
        return heading(self.benchmark), heading(self.scenario or ""), facts().power_unit(self.unit) is not None


class _Unreadable(Exception):
    """What a column or a line holds cannot be told; the problem says why."""

    def __init__(self, where: Where, kind: str, found: str, fix: str) -> None:
        super().__init__(found)
        self.problem = Problem(where, kind, found, f"Nothing was taken. {fix}")


def recognises(source: Source) -> bool:
    """A header with units and without a model column, under a line of merged headings that names benchmarks."""
    found = header(source)
    if found is None or exports.MODEL_HEADINGS & set(found.names):
        return False
    return _level(found, _unit_columns(found), _is_benchmark) is not None


def parse(source: Source) -> Iterator[Parsed]:
    """One measurement per filled cell of a result line."""
    found = header(source)
    if found is None:
        return
    read, problems = exports.table(source, found)
    yield from problems
    try:
        columns = _distinct(_columns(found, source), read, found, source)
        label = _label_column(found, read, {column.index for column in columns}, source)
        results = [row for row in read if facts().measures.is_result(row.cells[label])]
        _check_copies(found, source, columns, results)
        _check_required(found, source, columns, results)
    except _Unreadable as fault:
        yield fault.problem
        return
    columns, unreadable = _readable(columns, Where(source.name, found.line))
    yield from unreadable
    own = {column.index for column in columns}
    read, out_of_order = _trusted(found, read, own, label)
    yield from out_of_order
    results = [row for row in _filled_down(found, read, own | {label}) if facts().measures.is_result(row.cells[label])]
    numbers = exports.numbers_in(found, results, own)
    layout = exports.Layout.of(found, own)
    measurements: list[Measurement] = []
    for row in results:
        line = exports.Line(row, layout, numbers)
        for column in columns:
            try:
                value = None if is_silent(row.cells[column.index]) else numbers.number(row.cells[column.index])
            except BadCell as fault:
                found_text = f"{column.benchmark} {column.scenario or ''}: {fault}."
                yield Problem(row.where, "bad-cell", found_text, "The cell was left out.")
                continue
            if value is not None:
                known = {"benchmark": column.benchmark, "scenario": column.scenario, "unit": column.unit}
                item = line.measurement(value, **known)
                measurements += [] if item is None else [item]
        yield from dict.fromkeys(line.problems)
    yield from exports.with_division(exports.with_suite(measurements, found, source), source)


def _unit_columns(found: Header) -> list[int]:
    """The columns of results: those that the header heads with a unit."""
    return [index for index, name in enumerate(found.names) if facts().is_heading(name)]


def _columns(found: Header, source: Source) -> list[_Column]:
    """The columns of results, from the headings over them.

    Raises `_Unreadable` where a merged heading cannot be told: a blank cell means what stands to its left only within a
    block of columns that nobody tore apart.
    """
    indexes = _unit_columns(found)
    levels = [_level(found, indexes, belongs) for belongs in (_is_benchmark, _is_scenario)]
    lines = {level: _padded(found.above[level], len(found.names)) for level in levels if level is not None}
    filled: dict[int, dict[int, str]] = {level: {} for level in lines}
    merged: set[int] = set()
    for index in indexes:
        for level in sorted(lines):  # the outer headings first
            cell = " ".join(lines[level][index].split())
            outer = [filled[other] for other in lines if other < level]
            if not cell:
                merged.add(index)
                if index - 1 not in filled[level] or any(names[index] != names[index - 1] for names in outer):
                    raise _torn(found, source, index, "has a blank heading over it and none beside it on the left")
                cell = filled[level][index - 1]
            filled[level][index] = cell
    benchmarks = filled[levels[0]] if levels[0] is not None else {}
    scenarios = filled[levels[1]] if levels[1] is not None else {}
    columns = [
        _Column(index, benchmarks[index], scenarios.get(index), found.names[index], index in merged)
        for index in indexes
    ]
    if merged:
        _check_blocks(found, source, columns)
    return columns


def _check_blocks(found: Header, source: Source, columns: list[_Column]) -> None:
    """Raise `_Unreadable` at a sign that columns under merged headings were moved.

    Tableau sorts the benchmarks, each stands in one block, all blocks have their scenarios in one order, and a scenario
    that a heading was merged over is one that the benchmark has.
    """
    names = list(dict.fromkeys(heading(column.benchmark) for column in columns))
    if names not in (sorted(names), sorted(names, reverse=True)):
        raise _torn(found, source, columns[0].index, "begins a row of benchmarks that is not sorted")
    ended: set[str] = set()
    pairs: set[tuple[str, str]] = set()
    block: list[_Column] = []
    for column in columns:
        name = heading(column.benchmark)
        if block and (heading(block[-1].benchmark) != name or block[-1].index != column.index - 1):
            ended.add(heading(block[-1].benchmark))
            block = []
        if name in ended:
            raise _torn(found, source, column.index, f"is a second group of columns of {column.benchmark!r}")
        if column.is_merged and not _has_scenario(column):
            which = f"{column.benchmark!r} has no scenario {column.scenario!r}"
            raise _torn(found, source, column.index, f"stands beside a benchmark that is not its own: {which}")
        scenario = heading(column.scenario or "")
        pairs.update((heading(earlier.scenario or ""), scenario) for earlier in block)
        block.append(column)
    for one, other in sorted(pairs):
        if one != other and (other, one) in pairs:
            raise _torn(found, source, columns[0].index, f"has {one!r} before {other!r}, another block after it")


def _has_scenario(column: _Column) -> bool:
    """Whether the catalog has the benchmark with that scenario in any round, or does not know one of the two."""
    benchmark = facts().benchmark("inference", column.benchmark, None)
    scenario = facts().scenario(column.scenario or "")
    if benchmark is None or scenario is None or not benchmark.memberships:
        return True
    return any(scenario in (*member.required, *member.optional) for member in benchmark.memberships)


def _torn(found: Header, source: Source, index: int, what: str) -> _Unreadable:
    text = f"column {index + 1}, headed {found.names[index]!r}, {what}, so that the columns are not in their order."
    fix = "Export the table again, or write benchmark and scenario over each of its columns."
    return _Unreadable(Where(source.name, found.line), "columns-out-of-order", text, fix)


def _distinct(columns: list[_Column], read: list[Row], found: Header, source: Source) -> list[_Column]:
    """The columns without copies. Raises `_Unreadable` where two of one benchmark and scenario differ."""
    distinct: dict[tuple[str, str, bool], _Column] = {}
    for column in columns:
        first = distinct.setdefault(column.key, column)
        copied = first.unit == column.unit and all(
            row.cells[first.index].strip() == row.cells[column.index].strip() for row in read
        )
        if not copied:
            names = f"{column.benchmark} {column.scenario or ''}".strip()
            what = f"differs from column {first.index + 1}, which is of {names} too"
            raise _torn(found, source, column.index, what)
    return list(distinct.values())


def _check_copies(found: Header, source: Source, columns: list[_Column], results: list[Row]) -> None:
    """Raise `_Unreadable` where two models have the same results in all lines: one is a copy under a wrong heading.

    That happens to columns under merged headings only. The two accuracy targets of one model (`-99`, `-99.9`) are often
    served by the same runs.
    """
    holders: dict[tuple[str, ...], _Column] = {}
    for column in columns:
        cells = tuple(row.cells[column.index].strip() for row in results)
        first = holders.setdefault(cells, column)
        if any(cells) and (first.is_merged or column.is_merged) and _model(first) != _model(column):
            what = f"holds the same as column {first.index + 1}, which is of {first.benchmark!r}"
            raise _torn(found, source, column.index, what)


def _check_required(found: Header, source: Source, columns: list[_Column], results: list[Row]) -> None:
    """Raise `_Unreadable` where a column under a merged heading has results without those that its benchmark requires.

    Of the closed results of rounds up to v6.0 none lacks a scenario that all suites of its benchmark require; of the
    open ones one in ten does.
    """
    exported = {facts().scenario(column.scenario or "") for column in columns}  # others were filtered out
    for column in filter(lambda column: column.is_merged, columns):
        benchmark = facts().benchmark("inference", column.benchmark, None)
        members = benchmark.memberships if benchmark else ()
        required = set(members[0].required).intersection(*(member.required for member in members)) if members else set()
        beside = [other for other in columns if other.key[0] == column.key[0] and other.key[2] == column.key[2]]
        filled = [row for row in results if row.cells[column.index].strip()]
        for scenario in sorted(required & exported - {facts().scenario(column.scenario or "")}):
            indexes = [other.index for other in beside if facts().scenario(other.scenario or "") == scenario]
            lacking = [row for row in filled if not any(row.cells[index].strip() for index in indexes)]
            if 4 * len(lacking) > len(filled):
                what = f"has results of {column.benchmark!r} beside which those in {scenario} are missing"
                raise _torn(found, source, column.index, what)


def _model(column: _Column) -> str:
    """The model of a column's benchmark, or its name where the catalog does not know it."""
    benchmark = facts().benchmark("inference", column.benchmark, None)
    return heading(column.benchmark) if benchmark is None else benchmark.model


def _level(found: Header, indexes: list[int], belongs: Callable[[str], bool]) -> int | None:
    """The one line over the header in which at least half of the headings of results are such a thing.

    None where there is no such line, or several.
    """
    levels = []
    for level, line in enumerate(found.above):
        cells = [cell for index in indexes if (cell := " ".join(line[index : index + 1]).strip())]
        if cells and 2 * sum(map(belongs, cells)) >= len(cells):
            levels.append(level)
    return levels[0] if len(levels) == 1 else None


def _padded(line: tuple[str, ...], width: int) -> tuple[str, ...]:
    return (*line, *[""] * (width - len(line)))


def _is_benchmark(cell: str) -> bool:
    return any(facts().benchmark(kind, cell, None) is not None for kind in get_args(Kind))


def _is_scenario(cell: str) -> bool:
    return facts().scenario(cell) is not None


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


_LABEL_HEADINGS: Final = frozenset({"", "measure names"})
"""What stands over the labels: nothing in an export, Tableau's own name for them elsewhere."""


def _label_column(found: Header, read: list[Row], results: set[int], source: Source) -> int:
    """The column that says what a line holds: without a heading, and each of its cells a measure or blank.

    Raises `_Unreadable` where there is none, where two differ, where a label is not known, and where no label, or more
    than one, is of results.
    """
    where = Where(source.name, found.line)
    measures = facts().measures
    labels: dict[int, list[str]] = {}
    for index, name in enumerate(found.names):
        cells = [heading(row.cells[index]) for row in read]
        if index not in results and name in _LABEL_HEADINGS and any(map(measures.is_known, cells)):
            labels[index] = cells
    add = f"Export the table with {measures.results[0]!r} among its measures."
    if not labels:
        text = "no column of labels says what a line holds, so that no line says that it holds results."
        raise _Unreadable(where, "no-results", text, add)
    index, *others = labels
    unknown = {cell: None for cells in labels.values() for cell in cells if cell and not measures.is_known(cell)}
    if unknown:
        text = f"lines are labelled {_listed(unknown)}, which is no measure that Roundtable knows."
        raise _Unreadable(where, "unknown-label", text, "Export the table without it, or take its lines out.")
    for other in others:
        if labels[other] != labels[index]:
            text = f"columns {index + 1} and {other + 1} both label the lines, and they differ."
            raise _Unreadable(where, "columns-differ", text, "Remove the wrong one.")
    names = dict.fromkeys(" ".join(row.cells[index].split()) for row in read if row.cells[index].strip())
    of_results = {heading(name): None for name in names if measures.is_result(name)}
    if not of_results:
        text = f"no line of it holds results: it has {_listed(names)}."
        raise _Unreadable(where, "no-results", text, add)
    if len(of_results) > 1:
        text = f"lines of several kinds of results stand in it: {_listed(of_results)}."
        raise _Unreadable(where, "several-results", text, "Export the table with one of them.")
    return index


def _listed(names: Iterable[str]) -> str:
    """The first names of a list in quotes, each cut to a bearable length, and how many more there are."""
    quoted = [repr(name[:60]) for name in names]
    more = f" and {len(quoted) - 8:,} more" if len(quoted) > 8 else ""
    return f"{', '.join(quoted[:8])}{more}"


def _trusted(found: Header, read: list[Row], own: set[int], label: int) -> tuple[list[Row], list[Problem]]:
    """The lines whose system is certain: all, or where lines stand out of order only those that name it themselves.

    A spreadsheet that sorts the lines leaves no trace of whose a line was, so that one sign of it is enough for all.
    """
    identity = _identity(found)
    disorder = _disorder(read, identity, own, label) or _uneven(read, identity, own, label)
    if disorder is None:
        return read, []
    certain = [row for row in read if _names_system(row, identity)]
    is_result = facts().measures.is_result
    lost = [row for row in read if not _names_system(row, identity) and is_result(row.cells[label]) and _says(row, own)]
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


def _uneven(read: list[Row], identity: list[int], own: set[int], label: int) -> tuple[Where, str] | None:
    """The first system whose lines are not like those of the others, or not of the same results.

    An export gives each system the same lines, and a system's lines are filled in the same columns.
    """
    groups: list[list[Row]] = []
    for row in read:
        if _names_system(row, identity):
            groups.append([row])
        elif _says(row, own):
            groups[-1].append(row)
    if all(len(group) == 1 for group in groups):
        return None
    usual: set[str] | None = None
    for group in groups:
        if not any(_says(row, own) for row in group):
            continue
        names = {heading(row.cells[label]) for row in group}
        usual = usual or names
        if names != usual:
            lines = ", ".join(repr(name[:60]) for name in sorted(names ^ usual)[:4])
            return group[0].where, f"systems have different lines: {lines} is not there for all of them."
        for row in group:
            if facts().measures.is_result(row.cells[label]):
                empty = [index for index in own if row.cells[index].strip() and _is_empty(group, index)]
                if empty:
                    text = "this line has results where another line of its system has nothing."
                    return row.where, text
    return None


def _is_empty(group: list[Row], index: int) -> bool:
    return any(not row.cells[index].strip() for row in group)


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
