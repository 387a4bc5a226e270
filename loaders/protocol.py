"""What every format module is: three names and two functions.

A format keeps what the file says; spellings and units are for `normalise`, judgement is for `resolve`.
"""

from collections.abc import Iterator
from typing import Protocol

from loaders.unpack import Source
from mlperf.errors import Problem
from mlperf.model import Measurement

Parsed = Measurement | Problem


class Format(Protocol):
    """One shape in which results come. Modules of `loaders.formats` satisfy it."""

    NAME: str
    """Short and stable; stored with every figure."""

    TITLE: str
    """What a person calls such a file."""

    RANK: int
    """Trust between sources of the same figure: the lowest rank wins (0 is the results repository's own table)."""

    def recognises(self, source: Source) -> bool:
        """Whether the first bytes of `source` are of this format; sees `name` and `head` only and never raises."""
        ...

    def parse(self, source: Source) -> Iterator[Parsed]:
        """The figures of the file in its own order, and a `Problem` for every part of it that could not be read."""
        ...
