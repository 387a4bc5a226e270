"""The values that pass between rooms: what a table says (`Measurement`) and what we made of it (`Sighting`).

Also the columns of a result. No parsing and no SQL here; the tables' DDL is `loaders/schema.sql`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal, NamedTuple

from mlperf.errors import Where

Suite = Literal["training", "hpc", "inference-datacenter", "inference-edge", "inference"]
Kind = Literal["training", "hpc", "inference"]
Better = Literal["higher", "lower"]
Basis = Literal["published", "computed"]

OF_RUNS: Final[tuple[Kind, ...]] = ("training", "hpc")
"""Kinds whose results are made of training runs, each a log of its own; LoadGen times the others."""

RESULT_COLUMNS: Final[tuple[str, ...]] = (
    "round", "suite", "division", "availability", "submitter", "system_id", "system_name", "server", "server_family",
    "accelerator", "accelerator_count", "nodes", "processor", "framework", "benchmark", "scenario", "metric", "value",
    "unit", "better", "has_power", "power_value", "power_unit", "efficiency", "efficiency_unit", "accuracy", "inferred",
    "valid", "runs", "public_id", "basis", "verified", "origin", "source", "source_path", "tokens_per_second",
    "samples_per_second", "mean_latency_ms",
)  # fmt: skip
"""The columns of a result in the order of every file we write; null is empty."""

SECOND_UNITS: Final[Mapping[str, str]] = {"tokens/s": "tokens_per_second", "samples/s": "samples_per_second"}
"""Second measures that are a score's in other rounds, by their unit."""
SECOND_MEASURES: Final[tuple[str, ...]] = ("tokens_per_second", "samples_per_second", "mean_latency_ms")
"""Columns of what a log states besides the score, each with its unit in the name: no official metrics of the round."""


class Measurement(NamedTuple):
    """One figure as its file states it, spellings untouched; `None` where the file is silent.

    Texts are stripped of surrounding blanks. A row that holds a figure and its power is one measurement; a table that
    lists power as a row of its own yields a second measurement with `value` None.
    """

    where: Where
    kind: Kind
    round: str | None = None
    suites: str | None = None
    """The system type as written: `edge`, `datacenter,edge`, …; None where the table does not say."""
    division: str | None = None
    availability: str | None = None
    submitter: str | None = None
    system_id: str | None = None
    """The folder name in the results repository; None where the table names systems only for display."""
    system_name: str | None = None
    accelerator: str | None = None
    accelerators_per_node: str | None = None
    accelerators_total: str | None = None
    nodes: str | None = None
    processor: str | None = None
    processors_per_node: str | None = None
    processor_cores: str | None = None
    framework: str | None = None
    operating_system: str | None = None
    input_data_types: str | None = None
    weight_data_types: str | None = None
    """The numbers' formats as written: `int8`, `fp8`; several in one submission stay one text."""
    model: str | None = None
    """The model's own name in the submission; differs from the benchmark in the open division."""
    benchmark: str | None = None
    scenario: str | None = None
    value: float | None = None
    unit: str | None = None
    has_power: bool = False
    power_value: float | None = None
    power_unit: str | None = None
    accuracy: str | None = None
    inferred: bool | None = None
    valid: bool | None = None
    public_id: str | None = None
    location: str | None = None
    """Path of the result inside the round's repository at MLCommons."""
    is_computed: bool = False
    """Whether we computed the figure from logs; else a table states it."""
    runs: int | None = None
    """Runs behind a training score, failed ones included."""
    same_runs: str | None = None
    """Equal for results of the very same runs, wherever their logs lie; None where that cannot be told."""
    tokens_per_second: float | None = None
    samples_per_second: float | None = None
    mean_latency_ms: float | None = None
    measure_lines: str | None = None
    """Where the three stand in the file of `where`, or in the one that is named: `tokens_per_second:41
    mean_latency_ms:mlperf_log_summary.txt:22`; None where none does."""
    group: str = ""
    """The folder or lone log that it was computed from, as the owner of the files has it; "" for a table's row."""
    loadgen_version: str | None = None
    """LoadGen's release, where its log states one: `5.1.0`."""


@dataclass(frozen=True, slots=True)
class Run:
    """One run behind a training score."""

    where: Where
    kind: Kind
    round: str | None
    division: str | None
    submitter: str
    system_id: str
    benchmark: str
    scenario: str | None
    """`Strong scaling` or `Weak scaling` in HPC; None in training."""
    name: str
    """The log's file name."""
    status: str
    """`success`, or why it does not count: `aborted`, `failed`, `unfinished`, `empty`, `unreadable`."""
    minutes: float | None
    """Run start to run stop; None for a run that did not stop."""
    is_counted: bool | None
    """Whether the score's mean counts it; False for the dropped; None where the group has no score."""
    epochs: float | None
    """Epochs to converge, where the log says."""
    samples: float | None
    """Samples to converge, where the log says."""
    global_batch_size: int | None
    seed: int | None
    started_ms: int | None
    """Epoch milliseconds of run start; with `stopped_ms` it tells runs apart that lie in several places."""
    stopped_ms: int | None
    location: str | None
    """The group's folder inside the round's repository, as in the group's `Measurement`."""
    group: str = ""
    """As in `Measurement.group`."""


@dataclass(frozen=True, slots=True)
class Check:
    """One rule that a result is held against, as far as its logs tell."""

    rule: str
    """What is asked, in a few words: `Minimum duration`."""
    verdict: Literal["met", "broken", "unknown"]
    """`unknown`: the logs do not tell."""
    found: str
    """With its unit; why nothing was found for `unknown`."""
    needed: str
    """With its unit."""
    where: Where
    """File and line of what was found; the folder where a missing file is the finding."""
    source: str
    """Where the rule stands."""


@dataclass(frozen=True)
class Verdict:
    """All checks of one result, or of logs that give none."""

    group: str
    """As in `Measurement.group`."""
    checks: tuple[Check, ...]


@dataclass(frozen=True)
class SystemSheet:
    """One `systems/*.json`: the facts, as written, of one system; no notes and no other prose."""

    where: Where
    kind: Kind
    round: str | None
    submitter: str
    system_id: str
    facts: tuple[tuple[str, str], ...]
    """(field of the systems JSON, value as one line of text), in the order of the file."""


class Sighting(NamedTuple):
    """One figure in one source after normalisation: catalog ids, canonical units, one suite."""

    where: Where
    round: str
    suite: Suite
    division: str
    availability: str | None
    submitter: str
    system_id: str | None
    system_name: str | None
    server: str | None
    server_family: str | None
    accelerator: str | None
    """Canonical names joined by ` + `; the raw spelling where the catalog does not know it; None for none."""
    accelerator_raw: str | None
    accelerator_count: int | None
    nodes: int | None
    processor: str | None
    processors_per_node: str | None
    processor_cores: str | None
    framework: str | None
    operating_system: str | None
    input_data_types: str | None
    weight_data_types: str | None
    benchmark: str
    model: str | None
    """The submission's own model where it is not the benchmark itself (open division)."""
    scenario: str | None
    metric: str
    value: float | None
    unit: str
    better: Better
    has_power: bool
    power_value: float | None
    power_unit: str | None
    accuracy: str | None
    inferred: bool | None
    valid: bool | None
    public_id: str | None
    location: str | None
    basis: Basis
    runs: int | None
    same_runs: str | None
    tokens_per_second: float | None
    """A second measure, as the log of the score states it; never computed from the score."""
    samples_per_second: float | None
    mean_latency_ms: float | None
    measure_lines: str | None
