"""One group of training logs - one benchmark on one system - as its files and its owner describe it."""

import re
from collections import Counter
from dataclasses import dataclass, field
from typing import Final

from loaders.trees.protocol import Label
from loaders.trees.training_log import RunLog
from loaders.trees.training_paths import kind_of_benchmark
from loaders.trees.training_power import Watts
from mlperf.errors import Where
from mlperf.facts import Benchmark, Score, facts
from mlperf.model import Kind, SystemSheet


@dataclass
class Group:
    """What was found of one group."""

    where: Where
    """Its folder."""
    round: str | None
    submitter: str | None
    system: str | None
    benchmark: str | None
    """The folder's name."""
    location: str | None
    """The folder in the round's repository."""
    stated_kind: Kind | None = None
    """What the round's name says: `hpc_results_v3.0` is of HPC."""
    scenario: str | None = None
    """Of HPC, by the folder."""
    sheet: SystemSheet | None = None
    logs: dict[str, RunLog] = field(default_factory=dict)
    """By name without `.txt`."""
    scaling: list[float | None] = field(default_factory=list)
    """What scaling.json says; None where it cannot be read."""
    has_power: bool = False
    nodes: dict[str, list[Watts]] = field(default_factory=dict)
    """The power of each node, by the run's name."""
    switches: dict[str, list[float]] = field(default_factory=dict)
    """The watts of each switch, NaN where they cannot be told, by the run's name."""
    label: Label = field(default_factory=Label)

    @property
    def is_rate(self) -> bool:
        """Whether the score is a rate of models trained side by side, and no mean of times."""
        rule = self.rule
        return rule is not None and rule.of_runs == "rate"

    def apply(self, label: Label) -> None:
        """What its owner says comes before what folders say, and this before what the logs' format tells."""
        self.label = label
        formats = {log.round for log in self.logs.values()}
        self.round = label.round or self.round or (formats.pop() if len(formats) == 1 else None)
        self.system = label.system_id or self.system
        self.benchmark = label.benchmark or self.benchmark
        self.scenario = label.scenario or self.scenario

    @property
    def kind(self) -> Kind:
        """That of the benchmark, else of the round's name; training where neither tells."""
        written = self.written()
        return (kind_of_benchmark(written) if written else None) or self.stated_kind or "training"

    @property
    def known_benchmark(self) -> Benchmark | None:
        """What the catalog knows of the benchmark."""
        written = self.written()
        return facts().benchmark(self.kind, written, None) if written else None

    @property
    def rule(self) -> Score | None:
        """How the group is scored; by the rule of the benchmark's first round where its own is not known."""
        benchmark = self.known_benchmark
        if benchmark is None:
            return None
        scenario = facts().scenario(self.scenario or "", self.kind)
        first = facts().score(self.kind, benchmark.first, benchmark.id, scenario)
        return facts().score(self.kind, self.round or benchmark.first, benchmark.id, scenario) or first

    def told(self, field_name: str, of: str) -> str | None:
        """A field of a measurement: by the owner's word, else by the system's sheet."""
        said: str | None = getattr(self.label, field_name, None)
        return said or (dict(self.sheet.facts).get(of) if self.sheet else None)

    def names(self) -> list[str]:
        """The runs in their natural order: result_2 before result_10."""
        return sorted(self.logs, key=natural)

    def claimed(self) -> Counter[str]:
        """The benchmarks that logs say they run, and how many say so."""
        return Counter(log.benchmark for log in self.logs.values() if log.benchmark)

    def written(self) -> str | None:
        """The benchmark by its folder, else by what all logs claim."""
        claimed = self.claimed()
        return self.benchmark or (next(iter(claimed)) if len(claimed) == 1 else None)


def natural(name: str) -> list[tuple[int, str]]:
    """A sort key that reads runs of digits as numbers."""
    return [(int(part[:18]) if part[0] in "0123456789" else -1, part) for part in _PARTS.findall(name)]


_PARTS: Final = re.compile(r"[0-9]+|[^0-9]+")


def converged(benchmark: Benchmark | None, log: RunLog) -> tuple[float | None, float | None]:
    """Epochs and samples to converge, as far as the log and the catalog say.

    BERT logs samples under `epoch_num`, or 1 there (v0.7, v1.0) and the samples under `train_samples`: what is less
    than one batch counts something else.
    Source: mlcommons/logging rcp_checker: read_submission_file.
    """
    if benchmark is None or benchmark.convergence is None or log.status != "success":
        return None, None
    if benchmark.convergence == "epochs":
        return log.epoch_num, log.samples_count
    least = log.global_batch_size or 1
    counts = (log.samples_count, log.epoch_num, log.train_samples)
    return None, next((count for count in counts if count is not None and count >= least), None)
