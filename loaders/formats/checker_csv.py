"""`summary.csv`, which the submission checker of any round writes.

A column is known by the checker's own name for it, in any case; of doubled columns the filled cells have to agree, else
the line is left out.
"""

from collections.abc import Iterator
from typing import Final

from loaders.cells import Numbers, conventions
from loaders.fields import Fields
from loaders.formats import checker
from loaders.protocol import Parsed
from loaders.tables import Header, Row, header, heading, named_cells, rows
from loaders.unpack import Source
from mlperf.errors import Problem

NAME: Final = "checker-csv"
TITLE: Final = "the submission checker's `summary.csv`"
RANK: Final = 20

_READ: Final = frozenset(heading(name) for name in checker.READ)
_COLUMNS: Final = frozenset(heading(name) for name in checker.COLUMNS)


def recognises(source: Source) -> bool:
    """A header with the checker's columns."""
    found = header(source)
    return found is not None and set(found.names) >= _COLUMNS


def parse(source: Source) -> Iterator[Parsed]:
    """One measurement per line; a line with the unit Watts or millijoules holds power alone."""
    found = header(source)
    if found is None:
        return
    numbers = _numbers(source, found)
    for row in rows(source, found):
        if not isinstance(row, Row):
            yield row
            continue
        cells = named_cells(found, row, _READ)
        if isinstance(cells, Problem):
            yield cells
            continue
        fields = Fields(row.where, _Headings(cells), numbers)
        yield checker.measurement(fields, {})
        yield from fields.problems


def _numbers(source: Source, found: Header) -> Numbers:
    """How the whole file writes its results. It is read once more for that, so that no rows are held."""
    columns = [index for index, name in enumerate(found.names) if name == heading("Result")]
    read = (row for row in rows(source, found) if isinstance(row, Row))
    return conventions((row.cells[column] for row in read for column in columns), found.delimiter)


class _Headings(dict[str, object]):
    """Cells under headings that are compared in lower case."""

    def get(self, name: str, default: object = None) -> object:
        """The cell under `name` in any case."""
        return super().get(heading(name), default)
