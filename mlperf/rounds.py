"""Rounds, suites, benchmarks and where their results stop being comparable, as the catalog states them."""

import datetime
from collections.abc import Collection
from dataclasses import dataclass
from typing import cast, get_args

from mlperf.catalog_files import Entry
from mlperf.model import Kind, Suite


@dataclass(frozen=True)
class Round:
    """One round of one kind."""

    id: str
    kind: Kind
    published: datetime.date | None
    repository: str
    """Owner and name at GitHub."""
    source: str
    """Where the date can be read; empty without a date."""
    index: int
    """Position among the rounds of its kind, oldest first, from 0."""


@dataclass(frozen=True)
class SuiteFacts:
    """One suite and the scenarios its tables have."""

    id: Suite
    kind: Kind
    label: str
    scenarios: tuple[str, ...]
    rounds: tuple[str, ...]
    """The rounds whose only suite it is, whatever a system's type; empty for a suite that system types tell."""


@dataclass(frozen=True)
class Membership:
    """The rounds in which a benchmark belongs to a suite, and its scenarios there."""

    suite: Suite
    first: int
    last: int
    """Indexes of rounds, both included."""
    required: tuple[str, ...]
    optional: tuple[str, ...]


@dataclass(frozen=True)
class Benchmark:
    """One benchmark of one kind under its official name."""

    id: str
    kind: Kind
    full_name: str
    task: str
    model: str
    first: str
    last: str | None
    """The last round that has it; None while no round has dropped it."""
    lineage: str
    """The id that a rename started from; benchmarks of one lineage are one."""
    memberships: tuple[Membership, ...]
    runs: int | None
    """Runs that a training score needs."""
    dropped: int | None
    """Fastest and slowest runs that are dropped, each."""
    scoring: str | None
    """`olympic_mean` or `median` of the runs; None in inference."""
    convergence: str | None = None
    """`epochs` or `samples`: what a log's `epoch_num` counts; None in inference, and where it counts neither.

    Source: mlcommons/logging rcp_checker: read_submission_file.
    """
    is_evaluated_offline: bool = False
    """Whether the trained model is evaluated apart from the run's time, so that a log may date that after run_stop.

    Source: mlcommons/training_policies, training_rules.adoc, benchmark-specific rules (stable_diffusion); for minigo
    the logs themselves: 485 of 500 published runs are dated so.
    """

    def scenarios(self, suite: Suite, index: int) -> tuple[str, ...]:
        """The scenarios of the suite in the round of that index, required first; empty where it does not belong."""
        return tuple(
            scenario
            for member in self.memberships
            if member.suite == suite and member.first <= index <= member.last
            for scenario in (*member.required, *member.optional)
        )


@dataclass(frozen=True)
class Break:
    """Results of `index` and later do not compare with earlier ones."""

    kind: Kind
    index: int
    benchmarks: tuple[str, ...]
    """Empty: all."""
    scenarios: tuple[str, ...]
    """Empty: all."""
    reason: str
    source: str

    def concerns(self, benchmarks: Collection[str], scenario: str | None) -> bool:
        """Whether results of a benchmark and scenario are parted; `benchmarks` are all ids of its lineage."""
        is_theirs = not self.benchmarks or any(benchmark in self.benchmarks for benchmark in benchmarks)
        return is_theirs and (not self.scenarios or scenario in self.scenarios)

    def parts(self, benchmarks: Collection[str], scenario: str | None, indexes: Collection[int]) -> bool:
        """Whether it stands between two results of the kind."""
        return self.concerns(benchmarks, scenario) and min(indexes) < self.index <= max(indexes)


def read_kind(entry: Entry) -> Kind:
    """The `kind` of an entry."""
    text = entry.text("kind")
    if text not in get_args(Kind):
        raise entry.wrong(f"kind {text!r} is not one of {', '.join(get_args(Kind))}")
    return cast(Kind, text)


def read_suite_id(entry: Entry, key: str) -> Suite:
    """The suite named at `key`."""
    text = entry.text(key)
    if text not in get_args(Suite):
        raise entry.wrong(f"{key} {text!r} is not one of {', '.join(get_args(Suite))}")
    return cast(Suite, text)


class Rounds:
    """rounds.toml: the rounds of each kind, oldest first as the file has them."""

    def __init__(self, file: Entry) -> None:
        self._by_id: dict[tuple[Kind, str], Round] = {}
        for entry in file.entries("round"):
            kind = read_kind(entry)
            index = len(self.of(kind))
            day, source = entry.day("published"), entry.maybe_text("source")
            found = Round(entry.text("id"), kind, day, entry.text("repository"), source or "", index)
            if (day is None) != (source is None):
                raise entry.wrong("a date needs a source, and a source a date")
            if (kind, found.id) in self._by_id:
                raise entry.wrong(f"is the second {kind} round of this id")
            self._by_id[kind, found.id] = found
            entry.close()
        file.close()

    @property
    def all(self) -> tuple[Round, ...]:
        """Every round, in the order of the file."""
        return tuple(self._by_id.values())

    def of(self, kind: Kind) -> tuple[Round, ...]:
        """The rounds of a kind, oldest first."""
        return tuple(found for found in self._by_id.values() if found.kind == kind)

    def get(self, kind: Kind, round_id: str) -> Round | None:
        """The round with exactly this id."""
        return self._by_id.get((kind, round_id))

    def span(self, entry: Entry, kind: Kind) -> tuple[int, int]:
        """The indexes of `first` and `last` of an entry, both included; left out means no limit."""
        first, last = entry.maybe_text("first"), entry.maybe_text("last")
        start = self.index(entry, kind, first) if first else 0
        end = self.index(entry, kind, last) if last else len(self.of(kind)) - 1
        if start > end:
            raise entry.wrong(f"first {first!r} is later than last {last!r}")
        return start, end

    def index(self, entry: Entry, kind: Kind, round_id: str) -> int:
        """The index of a round that an entry names; `CatalogError` when there is no such round."""
        found = self.get(kind, round_id)
        if found is None:
            raise entry.wrong(f"there is no {kind} round {round_id!r}")
        return found.index


def read_suite(entry: Entry) -> SuiteFacts:
    """One `[[suite]]` without its spellings; its id begins with its kind, which SQL relies on."""
    suite = SuiteFacts(
        read_suite_id(entry, "id"),
        read_kind(entry),
        entry.text("label"),
        entry.texts("scenarios"),
        entry.texts("rounds"),
    )
    if suite.id.partition("-")[0] != suite.kind:
        raise entry.wrong(f"the id {suite.id!r} does not begin with the kind {suite.kind!r}")
    return suite


def read_benchmark(entry: Entry, rounds: Rounds) -> Benchmark:
    """One `[[benchmark]]` without its aliases."""
    kind, benchmark_id = read_kind(entry), entry.text("id")
    first, last = entry.text("first"), entry.maybe_text("last")
    rounds.index(entry, kind, first)
    rounds.index(entry, kind, last or first)
    return Benchmark(
        id=benchmark_id,
        kind=kind,
        full_name=entry.text("full_name"),
        task=entry.text("task"),
        model=entry.text("model"),
        first=first,
        last=last,
        lineage=entry.maybe_text("lineage") or benchmark_id,
        memberships=tuple(_membership(part, kind, rounds) for part in entry.entries("suites", "suite")),
        runs=entry.whole("runs"),
        dropped=entry.whole("dropped"),
        scoring=entry.maybe_text("scoring"),
        convergence=entry.maybe_text("convergence"),
        is_evaluated_offline=entry.maybe_text("evaluation") == "offline",
    )


def _membership(entry: Entry, kind: Kind, rounds: Rounds) -> Membership:
    member = Membership(
        read_suite_id(entry, "suite"), *rounds.span(entry, kind), entry.texts("required"), entry.texts("optional")
    )
    entry.close()
    return member


def read_break(entry: Entry, rounds: Rounds) -> Break:
    """One `[[break]]`."""
    kind = read_kind(entry)
    found = Break(
        kind,
        rounds.index(entry, kind, entry.text("from")),
        entry.texts("benchmarks"),
        entry.texts("scenarios"),
        entry.text("reason"),
        entry.text("source"),
    )
    entry.close()
    return found
