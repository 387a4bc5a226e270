"""The "Full Data" export behind a results page: one line per result with its own `Result`, after a title line.

Also the later download that names `Version`, `System Type` and `Result` in each line. Power stands in lines of its own.
"""

from collections.abc import Iterator
from typing import Final

from loaders.formats import exports
from loaders.formats.export_flat import parse_lines
from loaders.protocol import Parsed
from loaders.tables import header
from loaders.unpack import Source

NAME: Final = "export-full-data"
TITLE: Final = 'MLCommons results table, "Full Data" export (CSV)'
RANK: Final = 40


def recognises(source: Source) -> bool:
    """A header with a model and a result that is no average."""
    found = header(source)
    return found is not None and bool(exports.MODEL_HEADINGS & set(found.names)) and "result" in found.names


def parse(source: Source) -> Iterator[Parsed]:
    """One measurement per line of the table."""
    found = header(source)
    if found is not None:
        yield from parse_lines(source, found)
