"""`summary.csv`, which the submission checker of any round writes."""

from collections.abc import Iterator
from typing import Final

from loaders.cells import Numbers, conventions
from loaders.fields import Fields
from loaders.formats import checker
from loaders.protocol import Parsed
from loaders.tables import Header, Row, header, heading, rows
from loaders.unpack import Source

NAME: Final = "checker-csv"
TITLE: Final = "the submission checker's `summary.csv`"
RANK: Final = 20

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
        fields = Fields(row.where, _Headings(zip(found.names, row.cells, strict=True)), numbers)
        yield checker.measurement(fields, {})
        yield from fields.problems


def _numbers(source: Source, found: Header) -> Numbers:
    """How the whole file writes its results. It is read once more for that, so that no rows are held."""
    column = found.names.index(heading("Result"))
    read = rows(source, found)
    return conventions((row.cells[column] for row in read if isinstance(row, Row)), found.delimiter)


class _Headings(dict[str, object]):
    """Cells under headings that are compared in lower case."""

    def get(self, name: str, default: object = None) -> object:
        """The cell under `name` in any case."""
        return super().get(heading(name), default)
