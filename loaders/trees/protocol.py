"""What every tree format is: it reads each file on its own, then makes results of all that one tree gave."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from loaders.unpack import Source
from mlperf.errors import Problem
from mlperf.model import Measurement, Run, SystemSheet, Verdict

Assembled = Measurement | Run | SystemSheet | Verdict | Problem


@dataclass(frozen=True)
class Label:
    """What the owner of a result says of it. It comes before what folders and systems JSON say; None leaves those."""

    round: str | None = None
    division: str | None = None
    availability: str | None = None
    submitter: str | None = None
    system_id: str | None = None
    system_name: str | None = None
    benchmark: str | None = None
    scenario: str | None = None
    """Before the name of the folder, too; a log of another scenario gives no score then."""
    suites: str | None = None
    """The system type, as `Measurement.suites`."""
    accelerator: str | None = None
    accelerators_per_node: str | None = None
    nodes: str | None = None
    processor: str | None = None
    framework: str | None = None


@dataclass(frozen=True)
class Context:
    """What is known of a tree beside its files."""

    name: str
    """What its owner calls the archive or folder: `training_results_v1.1.zip`."""
    above: str = ""
    """The folders that hold it: who loads `training_results_v1.1/Dell` means both."""
    labels: Mapping[str, Label] = field(default_factory=dict)
    """By the group they are of (`Measurement.group`); that of "" is of every group that has none."""
    wants_verdicts: bool = False
    """Whether to hold results against the rules of their round, too."""

    def label(self, group: str) -> Label:
        """What the owner says of a group."""
        return self.labels.get(group) or self.labels.get("") or Label()


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
