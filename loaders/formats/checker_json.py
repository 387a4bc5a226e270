"""`summary.json` of inference v6.1: an object keyed "0", "1", … with the checker's column names.

What a field holds is told by its name alone; a record without `Result` or `Units` gives no figure.
"""

from collections.abc import Iterator
from typing import Final

from loaders.fields import Fields
from loaders.formats import checker
from loaders.json_records import Record, first_keys, json_records
from loaders.protocol import Parsed
from loaders.unpack import Source

NAME: Final = "checker-json"
TITLE: Final = "the submission checker's `summary.json` (inference v6.1)"
RANK: Final = 10


def recognises(source: Source) -> bool:
    """JSON records with the checker's columns and without the `uid` of the cm tables."""
    bracket, keys = first_keys(source)
    return bool(bracket) and keys >= checker.COLUMNS and "uid" not in keys


def parse(source: Source) -> Iterator[Parsed]:
    """One measurement per record."""
    for record in json_records(source):
        if not isinstance(record, Record):
            yield record
            continue
        fields = Fields(record.where, record.fields)
        yield checker.measurement(fields, {})
        yield from fields.problems
