"""What MLPerf asks of a result beside its score: shortest run, latency limits, accuracy, seeds; and where it says so.

All of it is data in `catalog/rules.toml`; no log is opened here, and nothing is judged (`loaders/trees/*_checks.py`).
"""

import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Generic, TypeVar, get_args

from mlperf.catalog_files import CATALOG, Entry, read
from mlperf.facts import Facts, facts
from mlperf.log_rules import log_rules
from mlperf.model import OF_RUNS, Kind

Value = TypeVar("Value")

SEEDS: Final = ("qsl_rng_seed", "sample_index_rng_seed", "schedule_rng_seed")


@dataclass(frozen=True)
class LogKey:
    """What LoadGen calls one fact: a key of the detail log, a line of the summary; None where it holds none."""

    detail: str
    summary: str | None


@dataclass(frozen=True)
class Bound:
    """A number that must be reached or not be passed, and where that stands."""

    number: float
    source: str


@dataclass(frozen=True)
class LatencyBound(Bound):
    """A limit, in milliseconds, of one percentile of latency."""

    fact: str
    """The fact of a log that is held against it."""
    name: str
    """`99th percentile`."""


@dataclass(frozen=True)
class TokenLimits:
    """Limits, in milliseconds, of the 99th percentile of the time to the first token and per output token."""

    ttft: float
    tpot: float
    other_tpot: float | None
    """What the text of the rules says where the checker differs."""
    source: str


@dataclass(frozen=True)
class Target:
    """What a metric of accuracy.txt must reach, and must not pass where there is an upper limit."""

    metric: str
    least: float
    most: float | None
    basis: str
    """How `least` comes about: `99 % of 76.46`; "" where it is stated as such."""
    source: str


@dataclass(frozen=True)
class TrainingTarget:
    """What the last evaluation of a training run must reach; all bounds but one are None."""

    least: float | None
    most: float | None
    above: float | None
    """The accuracy must be more than this."""
    source: str
    key: str = "eval_accuracy"
    """What logs call the figure."""

    def holds(self, accuracy: float) -> bool:
        """Whether an accuracy reaches it."""
        is_enough = self.least is None or accuracy >= self.least
        return (
            is_enough and (self.most is None or accuracy <= self.most) and (self.above is None or accuracy > self.above)
        )

    @property
    def text(self) -> str:
        """`at least 0.759`."""
        bounds = (("at least", self.least), ("at most", self.most), ("more than", self.above))
        return next(f"{words} {bound:g}" for words, bound in bounds if bound is not None)


@dataclass(frozen=True)
class _Ranged(Generic[Value]):
    """A value for some rounds, scenarios and benchmarks; none named means all."""

    first: int
    last: int
    scenarios: tuple[str, ...]
    benchmarks: tuple[str, ...]
    value: Value

    def holds(self, index: int, scenario: str | None, benchmark: str | None) -> bool:
        """Whether it is for this result."""
        is_named = not self.benchmarks or benchmark in self.benchmarks
        return self.first <= index <= self.last and is_named and (not self.scenarios or scenario in self.scenarios)


class Rules:
    """rules.toml, checked; a round that is absent or unknown has no rules."""

    def __init__(self, known: Facts, folder: Path = CATALOG) -> None:
        self._facts = known
        self._rounds: dict[Kind, list[str]] = {
            kind: [round_.id for round_ in known.rounds if round_.kind == kind] for kind in get_args(Kind)
        }
        file = read(folder, "rules.toml")
        self.keys = dict(_read_key(entry) for entry in file.entries("fact", "name"))
        self._judged = dict(_read_judged(entry) for entry in file.entries("judged", "name"))
        self._duration = self._bounds(file.entries("duration", "source"), "milliseconds")
        self._queries = self._bounds(file.entries("queries", "source"), "count")
        self._samples = self._bounds(file.entries("samples", "source"), "count")
        self._latency = [self._read_latency(entry) for entry in file.entries("latency", "source")]
        self._early_stopping = [self._read_source(entry) for entry in file.entries("early_stopping", "source")]
        self._tokens = [self._read_tokens(entry) for entry in file.entries("tokens", "source")]
        self._accuracy = [self._read_accuracy(entry) for entry in file.entries("accuracy", "source")]
        self._seeds = [self._read_seeds(entry) for entry in file.entries("seeds", "first")]
        self._training_seeds = self._by_kind(file.entries("training_seeds", "source"), self._read_source)
        self._training_targets = self._by_kind(file.entries("training_target", "source"), self._read_training_target)
        file.close()

    @property
    def detail_keys(self) -> frozenset[str]:
        """Every key of a detail log that some rule asks for."""
        return frozenset(key.detail for key in self.keys.values())

    @property
    def summary_keys(self) -> frozenset[str]:
        """Every line of a summary that some rule asks for."""
        return frozenset(key.summary for key in self.keys.values() if key.summary)

    def source(self, rule: str) -> str:
        """Where a rule stands that has no figure of ours; `KeyError` for one that the catalog does not have."""
        return self._judged[rule]

    def duration(self, round_id: str | None, benchmark: str | None) -> Bound | None:
        """The least minimum duration in milliseconds."""
        return self._find(self._duration, round_id, None, benchmark)

    def queries(self, round_id: str | None, scenario: str, benchmark: str | None) -> Bound | None:
        """The least minimum number of queries; None where early stopping decides it."""
        return self._find(self._queries, round_id, scenario, benchmark)

    def samples(self, round_id: str | None, scenario: str, benchmark: str | None) -> Bound | None:
        """The fewest samples per query, of Offline."""
        return self._find(self._samples, round_id, scenario, benchmark)

    def early_stopping(self, round_id: str | None, scenario: str) -> str | None:
        """Where it stands that logs of the scenario must meet early stopping; None where they need not."""
        return self._find(self._early_stopping, round_id, scenario)

    def latency(self, round_id: str | None, scenario: str, benchmark: str | None) -> LatencyBound | None:
        """The limit of a percentile of latency, the 99th but in GNMT."""
        return self._find(self._latency, round_id, scenario, benchmark)

    def tokens(self, round_id: str | None, scenario: str, benchmark: str | None) -> TokenLimits | None:
        """The limits of a scenario of a benchmark that is measured in tokens."""
        return self._find(self._tokens, round_id, scenario, benchmark)

    def accuracy(self, round_id: str | None, benchmark: str | None, scenario: str | None) -> tuple[Target, ...]:
        """What the accuracy of a benchmark must reach in the closed division; empty where that is not known."""
        return self._find(self._accuracy, round_id, scenario, benchmark) or ()

    def seeds(self, round_id: str | None) -> tuple[Mapping[str, str], str] | None:
        """The seeds of a round by their name, as LoadGen writes them, and where they stand."""
        return self._find(self._seeds, round_id)

    def training_seeds(self, round_id: str | None, kind: Kind = "training") -> str | None:
        """Where it stands that the seeds of a round's runs must differ; None where they need not."""
        return self._find(self._training_seeds[kind], round_id, kind=kind)

    def training_target(
        self, round_id: str | None, benchmark: str | None, kind: Kind = "training"
    ) -> TrainingTarget | None:
        """The accuracy that ends a run of the closed division; None where that is not known."""
        return self._find(self._training_targets[kind], round_id, None, benchmark, kind)

    def _find(
        self,
        entries: Sequence[_Ranged[Value]],
        round_id: str | None,
        scenario: str | None = None,
        benchmark: str | None = None,
        kind: Kind = "inference",
    ) -> Value | None:
        if round_id not in self._rounds[kind]:
            return None
        index = self._rounds[kind].index(round_id)
        found = [entry for entry in entries if entry.holds(index, scenario, benchmark)]
        return next((entry.value for entry in sorted(found, key=lambda one: not one.benchmarks)), None)

    def _ranged(self, entry: Entry, value: Value, kind: Kind = "inference") -> _Ranged[Value]:
        """The entry's value with what it is for; everything of the entry has been read then."""
        ids = self._rounds[kind]
        first, last = entry.maybe_text("first") or ids[0], entry.maybe_text("last") or ids[-1]
        scenarios, benchmarks = entry.texts("scenarios"), entry.texts("benchmarks")
        for round_id in (first, last):
            if round_id not in ids:
                raise entry.wrong(f"there is no {kind} round {round_id!r}")
        if unknown := set(scenarios) - set(self._facts.scenarios):
            raise entry.wrong(f"unknown scenario {', '.join(sorted(unknown))}")
        known = {benchmark.id for benchmark in self._facts.benchmarks if benchmark.kind == kind}
        if unknown := set(benchmarks) - known:
            raise entry.wrong(f"there is no {kind} benchmark {', '.join(sorted(unknown))}")
        entry.close()
        return _Ranged(ids.index(first), ids.index(last), scenarios, benchmarks, value)

    def _bounds(self, entries: Sequence[Entry], key: str) -> list[_Ranged[Bound]]:
        return [self._ranged(entry, Bound(_number(entry, key), entry.text("source"))) for entry in entries]

    def _read_latency(self, entry: Entry) -> _Ranged[LatencyBound]:
        percentile = entry.whole("percentile") or 99
        fact = "latency" if percentile == 99 else f"latency_{percentile}"
        if fact not in self.keys:
            raise entry.wrong(f"there is no fact {fact}")
        number, source = _number(entry, "milliseconds"), entry.text("source")
        return self._ranged(entry, LatencyBound(number, source, fact, f"{percentile}th percentile"))

    def _read_source(self, entry: Entry, kind: Kind = "inference") -> _Ranged[str]:
        return self._ranged(entry, entry.text("source"), kind)

    def _by_kind(
        self, entries: Sequence[Entry], read_entry: Callable[[Entry, Kind], _Ranged[Value]]
    ) -> dict[Kind, list[_Ranged[Value]]]:
        """Rules of training runs by the `kind` of each entry; training where it is left out."""
        found: dict[Kind, list[_Ranged[Value]]] = {kind: [] for kind in OF_RUNS}
        for entry in entries:
            named = entry.maybe_text("kind") or "training"
            kind = next((kind for kind in OF_RUNS if kind == named), None)
            if kind is None:
                raise entry.wrong(f"kind {named!r} is not one of {', '.join(OF_RUNS)}")
            found[kind].append(read_entry(entry, kind))
        return found

    def _read_training_target(self, entry: Entry, kind: Kind) -> _Ranged[TrainingTarget]:
        least, most, above = entry.number("at_least"), entry.number("at_most"), entry.number("above")
        if [least, most, above].count(None) != 2:
            raise entry.wrong("one of at_least, at_most and above")
        key = entry.maybe_text("key") or "eval_accuracy"
        return self._ranged(entry, TrainingTarget(least, most, above, entry.text("source"), key), kind)

    def _read_tokens(self, entry: Entry) -> _Ranged[TokenLimits]:
        limits = TokenLimits(
            _number(entry, "ttft"), _number(entry, "tpot"), entry.number("other_tpot"), entry.text("source")
        )
        return self._ranged(entry, limits)

    def _read_accuracy(self, entry: Entry) -> _Ranged[tuple[Target, ...]]:
        source = entry.text("source")
        targets = tuple(_read_target(target, source) for target in entry.entries("targets", "metric"))
        if not targets:
            raise entry.wrong("targets are missing")
        return self._ranged(entry, targets)

    def _read_seeds(self, entry: Entry) -> _Ranged[tuple[Mapping[str, str], str]]:
        return self._ranged(entry, ({name: entry.text(name) for name in SEEDS}, entry.text("source")))


def _number(entry: Entry, key: str) -> float:
    number = entry.number(key)
    if number is None:
        raise entry.wrong(f"{key} is missing")
    return number


def _read_key(entry: Entry) -> tuple[str, LogKey]:
    found = entry.text("name"), LogKey(entry.text("detail"), entry.maybe_text("summary"))
    entry.close()
    return found


def _read_judged(entry: Entry) -> tuple[str, str]:
    found = entry.text("name"), entry.text("source")
    entry.close()
    return found


def _read_target(entry: Entry, source: str) -> Target:
    """A share of a reference, or a window that is stated as such."""
    metric, reference, least, most = (
        entry.text("metric"),
        entry.number("reference"),
        entry.number("least"),
        entry.number("most"),
    )
    share, most_share = entry.number("share"), entry.number("most_share")
    entry.close()
    if metric not in log_rules().metrics:
        raise entry.wrong(f"unknown metric {metric}")
    if reference is None or share is None:
        if least is None:
            raise entry.wrong("neither least nor reference and share are there")
        return Target(metric, least, most, "", source)
    most = most if most_share is None else reference * most_share
    return Target(metric, reference * share, most, f"{100 * share:g} % of {reference:.9g}", source)


@functools.cache
def rules() -> Rules:
    """The rules that come with the project, read once; `CatalogError` when the file is wrong."""
    return Rules(facts())
