"""What every tree format is: it reads each file on its own, then makes results of all that one tree gave."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from loaders.unpack import Source
from mlperf.errors import Problem
from mlperf.model import Measurement, Run, SystemSheet

Assembled = Measurement | Run | SystemSheet | Problem


@dataclass(frozen=True)
class Context:
    """What is known of a tree beside its files."""

    name: str
    """What its owner calls the archive or folder: `training_results_v1.1.zip`."""
    above: str = ""
    """The folders that hold it: who loads `training_results_v1.1/Dell` means both."""


class Tree(Protocol):
    """One shape of a results tree. Pieces are small picklable values of the module's own."""

    NAME: str
    TITLE: str
    RANK: int

    def claims(self, source: Source) -> bool:
        """Whether the file belongs to such a tree; told from its path and first bytes, never raises."""
        ...

    def read(self, source: Source) -> Iterator[Any]:
        """What one file says, and a `Problem` for every part of it that could not be read."""
        ...

    def assemble(self, pieces: Sequence[Any], context: Context) -> Iterator[Assembled]:
        """Results, runs and system sheets of all pieces of one tree, in any order."""
        ...
