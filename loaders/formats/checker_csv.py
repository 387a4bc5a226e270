"""`summary.csv`, which the submission checker of any round writes.

A column is what its heading says, in any case and place. Copies of one that differ refuse the line; a line without a
unit is refused where figures are normalised, since nothing tells a result from a power then.
"""

from collections.abc import Iterator
from typing import Final

from loaders.cells import Numbers, conventions
from loaders.columns import copies, difference, merged
from loaders.fields import Fields
from loaders.formats import checker
from loaders.protocol import Parsed
from loaders.tables import Header, Row, header, heading, rows
from loaders.unpack import Source

NAME: Final = "checker-csv"
TITLE: Final = "the submission checker's `summary.csv`"
RANK: Final = 20

_COLUMNS: Final = frozenset(heading(name) for name in checker.COLUMNS)
_READ: Final = frozenset(heading(name) for name in checker.READ)


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
    places = copies(found.names)
    for row in rows(source, found):
        if not isinstance(row, Row):
            yield row
            continue
        cells, differing = merged(row, places)
        differing = {name: texts for name, texts in differing.items() if name in _READ}
        if differing:
            yield from (difference(row, (name, name), texts) for name, texts in differing.items())
            continue
        fields = Fields(row.where, _Headings(cells), numbers)
        yield checker.measurement(fields, {})
        yield from fields.problems


def _numbers(source: Source, found: Header) -> Numbers:
    """How the whole file writes its results. It is read once more for that, so that no rows are held."""
    columns = copies(found.names)[heading("Result")]
    read = rows(source, found)
    cells = (row.cells[column] for row in read if isinstance(row, Row) for column in columns)
    return conventions(cells, found.delimiter)


class _Headings(dict[str, object]):
    """Cells under headings that are compared in lower case."""

    def get(self, name: str, default: object = None) -> object:
        """The cell under `name` in any case."""
        return super().get(heading(name), default)
