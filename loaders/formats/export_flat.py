"""The flat export of a results page: one line per system, benchmark and unit, averaged over systems of one name.

Power stands in lines of its own (Watts, kJ). The "Full Data" export is `export_full_data`.

What decides: headings, as `exports` says. The figure stands under one of `exports.AVERAGE_HEADINGS`.
"""

from collections.abc import Collection, Iterator, Sequence
from typing import Final

from loaders.cells import BadCell, Numbers
from loaders.fields import Fields
from loaders.formats import exports
from loaders.protocol import Parsed
from loaders.tables import Header, Row, header
from loaders.unpack import Source
from mlperf.errors import Problem
from mlperf.model import Measurement

NAME: Final = "export-flat"
TITLE: Final = "MLCommons results table, flat export (CSV or tab-separated)"
RANK: Final = 50


def recognises(source: Source) -> bool:
    """A header with a model and an averaged result, but no result of its own."""
    found = header(source)
    if found is None:
        return False
    names = set(found.names)
    return bool(exports.MODEL_HEADINGS & names and exports.AVERAGE_HEADINGS & names) and "result" not in names


def parse(source: Source) -> Iterator[Parsed]:
    """One measurement per line of the table."""
    found = header(source)
    if found is not None:
        yield from parse_lines(source, found, exports.AVERAGE_HEADINGS)


def parse_lines(source: Source, found: Header, value_headings: Collection[str]) -> Iterator[Parsed]:
    """One measurement per line under `found`, with the suite that the whole file tells.

    Figures stand under `value_headings` and nowhere else; a line in which two such columns differ is left out.
    """
    read, problems = exports.table(source, found)
    yield from problems
    columns = [column for column, name in enumerate(found.names) if name in value_headings]
    numbers = exports.numbers_in(found, read, columns)
    parsed = [item for row in read for item in _line(found, row, columns, numbers)]
    yield from (item for item in parsed if isinstance(item, Problem))
    measurements = [item for item in parsed if isinstance(item, Measurement)]
    yield from exports.with_division(exports.with_suite(measurements, found, source), source)


def _line(found: Header, row: Row, columns: Sequence[int], numbers: Numbers) -> Iterator[Parsed]:
    """The line's figure, and what of the line cannot be read; a line without one clear figure gives none."""
    cells = exports.cells_by_heading(found, row)
    if isinstance(cells, Problem):
        yield cells
        return
    try:
        values = {numbers.number(row.cells[column]) for column in columns}
    except BadCell as fault:
        yield Problem(row.where, "bad-cell", f"{found.names[columns[0]]}: {fault}.", "The line was left out.")
        return
    if len(values) > 1:
        yield exports.figures_differ(row, found.names[columns[0]], values, "The line was left out.")
        return
    fields = Fields(row.where, cells, numbers)
    yield exports.measurement(fields, value=values.pop())
    yield from fields.problems
