"""The flat export of a results page: one line per system, benchmark and unit, averaged over systems of one name.

Power stands in lines of its own (Watts, kJ). The "Full Data" export is `export_full_data`.
"""

from collections.abc import Iterator
from typing import Final

from loaders.fields import Fields
from loaders.formats import exports
from loaders.protocol import Parsed
from loaders.tables import Header, header
from loaders.unpack import Source
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
        yield from parse_lines(source, found)


def parse_lines(source: Source, found: Header) -> Iterator[Parsed]:
    """One measurement per line under `found`, with the suite that the whole file tells."""
    read, problems = exports.table(source, found)
    yield from problems
    values = [column for column, name in enumerate(found.names) if name in exports.HEADINGS["value"]]
    numbers = exports.numbers_in(found, read, values)
    measurements: list[Measurement] = []
    for row in read:
        cells, differing = exports.cells_by_heading(found, row)
        fields = Fields(row.where, cells, numbers)
        measurements.append(exports.measurement(fields))
        yield from differing + fields.problems
    yield from exports.with_division(exports.with_suite(measurements, found, source), source)
