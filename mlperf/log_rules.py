"""How inference logs are read beyond the score's own rule: inferred results, runs, power, endpoints, models, accuracy.

All of it is data in `catalog/inference_logs.toml`; no log is opened here.
"""

import functools
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from mlperf.catalog_files import CATALOG, Entry, read
from mlperf.errors import CatalogError
from mlperf.facts import Facts, facts
from mlperf.model import SECOND_MEASURES
from mlperf.scoring import Score

Span = tuple[int, int]
Value = TypeVar("Value")


@dataclass(frozen=True)
class Formula:
    """A number made of two of a log: `factor * key / over`; a key that is None counts as 1."""

    key: str | None
    over: str | None
    factor: float

    @property
    def keys(self) -> tuple[str, ...]:
        """The keys it needs."""
        return tuple(key for key in (self.key, self.over) if key is not None)

    @property
    def name(self) -> str:
        """How a person calls what is read."""
        return " / ".join(self.keys)


@dataclass(frozen=True)
class LogScore:
    """How a log gives a score: what to read of the detail log, and where that is missing, of the summary."""

    detail: Formula
    summary: tuple[Formula, ...]
    unit: str
    is_inferred: bool


@dataclass(frozen=True)
class Runs:
    """The folders in `performance/` that hold the runs of a result; of those that are there the last one counts."""

    folders: tuple[str, ...]
    """"" is `performance/` itself."""
    needed: int
    """How many runs a result has."""


ONE_RUN = Runs(("run_1",), 1)


@dataclass(frozen=True)
class Second:
    """A second measure of a result: what to read of the detail log, and of the summary."""

    name: str
    """Its column, one of `SECOND_MEASURES`."""
    detail: Formula
    summary: Formula


@dataclass(frozen=True)
class Energy:
    """What energy is counted per."""

    count: tuple[str, ...]
    count_per_second: tuple[str, ...]
    inferred_factor: float


@dataclass(frozen=True)
class Endpoint:
    """How an endpoints log gives a score in one of `units`."""

    scenarios: tuple[str, ...]
    units: tuple[str, ...]
    formula: Formula
    benchmarks: tuple[str, ...] = ()
    """For which alone it is, in the place of all others; empty: for all."""


@dataclass(frozen=True)
class Twice:
    """A number that a log says again in other words: it lies between `low` and `high` times the formula."""

    key: str
    again: Formula
    low: float
    high: float
    benchmarks: tuple[str, ...] = ()
    """Of which it holds; all where it names none."""
    beside: str | None = None
    """Of logs that hold this key too."""
    without: str | None = None
    """Of logs that do not hold this key."""

    @property
    def asked(self) -> tuple[str, ...]:
        """The keys that decide whether it holds."""
        return tuple(key for key in (self.beside, self.without) if key is not None)


@dataclass(frozen=True)
class Window:
    """How long a run of one scenario took by its result, in seconds: `factor` times the keys of `count`, over `over`.

    The window of its power measurement is `low` to `high` times as long.
    """

    scenario: str
    count: tuple[str, ...]
    over: str | None
    factor: float
    low: float
    high: float

    @property
    def keys(self) -> tuple[str, ...]:
        """The keys it needs."""
        return self.count if self.over is None else (*self.count, self.over)


class LogRules:
    """inference_logs.toml, checked; rounds are looked up by id, an unknown or absent round means the newest rule."""

    def __init__(self, known: Facts, folder: Path = CATALOG) -> None:
        self._facts = known
        self._ids = [round_.id for round_ in known.rounds if round_.kind == "inference"]
        file = read(folder, "inference_logs.toml")
        self._unnamed = file.text("unnamed_benchmark")
        self.ambiguous_keys = file.texts("ambiguous_keys")
        self._inferred = [self._read_inferred(entry) for entry in file.entries("inferred", "to")]
        self._second = [self._read_second(entry) for entry in file.entries("second")]
        self._same = [self._read_same(entry) for entry in file.entries("same", "to")]
        self._runs = [self._read_runs(entry) for entry in file.entries("runs", "last")]
        self._sheets = dict(_read_sheet(entry) for entry in file.entries("sheet", "folder"))
        self._energy = [self._read_energy(entry) for entry in file.entries("energy", "source")]
        self._meters = [self._read_meter(entry) for entry in file.entries("meter", "source")]
        self._endpoints = [self._read_endpoint(entry) for entry in file.entries("endpoint", "key")]
        self._guesses = [self._read_guess(entry) for entry in file.entries("guess", "benchmark")]
        self.metrics = dict(_read_metric(entry) for entry in file.entries("metric", "name"))
        self._accuracy = self._read_accuracy(file)
        self._twice = [self._read_twice(entry) for entry in file.entries("plausible", "key")]
        self._endpoints_twice = [self._read_twice(entry) for entry in file.entries("endpoint_plausible", "key")]
        self._windows = [_read_window(entry) for entry in file.entries("window", "scenario")]
        file.close()

    def _span(self, entry: Entry) -> Span:
        first, last = entry.maybe_text("first") or self._ids[0], entry.maybe_text("last") or self._ids[-1]
        for round_id in (first, last):
            if round_id not in self._ids:
                raise entry.wrong(f"there is no inference round {round_id!r}")
        return self._ids.index(first), self._ids.index(last)

    def _read_inferred(self, entry: Entry) -> tuple[Span, str, str, LogScore]:
        detail = Formula(entry.maybe_text("log_key"), entry.maybe_text("log_over"), entry.number("factor") or 1.0)
        factor, over = entry.number("summary_factor") or 1.0, entry.maybe_text("summary_over")
        summary = tuple(Formula(key, over, factor) for key in entry.texts("summary_keys") or (None,))
        score = LogScore(detail, summary, entry.text("unit"), is_inferred=True)
        return self._span(entry), entry.text("from"), entry.text("to"), _closed(entry, score)

    def _read_second(self, entry: Entry) -> tuple[tuple[str, ...], Second]:
        factor, name = entry.number("factor") or 1.0, entry.text("id")
        if name not in SECOND_MEASURES:
            raise entry.wrong(f"id is not one of {', '.join(SECOND_MEASURES)}")
        detail, summary = (Formula(entry.text(key), None, factor) for key in ("log_key", "summary_key"))
        return entry.texts("scenarios"), _closed(entry, Second(name, detail, summary))

    def _read_same(self, entry: Entry) -> tuple[str, str]:
        entry.text("source")
        return entry.text("from"), _closed(entry, entry.text("to"))

    def _read_runs(self, entry: Entry) -> tuple[Span, tuple[str, ...], Runs]:
        folders = entry.texts("folders")
        runs = Runs(folders, entry.whole("needed") or len(folders))
        return self._span(entry), entry.texts("scenarios"), _closed(entry, runs)

    def _read_energy(self, entry: Entry) -> tuple[Span, tuple[str, ...], Energy]:
        energy = Energy(entry.texts("count"), entry.texts("count_per_second"), entry.number("inferred_factor") or 1.0)
        return self._span(entry), entry.texts("scenarios"), _closed(entry, energy)

    def _read_meter(self, entry: Entry) -> tuple[Span, tuple[str, ...]]:
        return self._span(entry), _closed(entry, entry.texts("does"))

    def _read_twice(self, entry: Entry) -> Twice:
        low, high = _range(entry)
        again = Formula(entry.maybe_text("against"), entry.maybe_text("over"), entry.number("factor") or 1.0)
        if not again.keys:
            raise entry.wrong("it names neither against nor over")
        benchmarks = self._read_benchmarks(entry)
        return _closed(
            entry,
            Twice(
                entry.text("key"), again, low, high, benchmarks, entry.maybe_text("beside"), entry.maybe_text("without")
            ),
        )

    def _read_benchmarks(self, entry: Entry) -> tuple[str, ...]:
        benchmarks = entry.texts("benchmarks")
        if unknown := set(benchmarks) - {benchmark.id for benchmark in self._facts.benchmarks}:
            raise entry.wrong(f"unknown benchmark {', '.join(sorted(unknown))}")
        return benchmarks

    def _read_endpoint(self, entry: Entry) -> Endpoint:
        formula = Formula(entry.text("key"), entry.maybe_text("over"), entry.number("factor") or 1.0)
        fields = entry.texts("scenarios"), entry.texts("units"), formula, self._read_benchmarks(entry)
        return _closed(entry, Endpoint(*fields))

    def _read_guess(self, entry: Entry) -> tuple[Span, tuple[str, ...], str]:
        return self._span(entry), entry.texts("contains"), _closed(entry, entry.text("benchmark"))

    def _read_accuracy(self, file: Entry) -> dict[str, tuple[str, ...]]:
        judged: dict[str, tuple[str, ...]] = {}
        for entry in file.entries("accuracy", "metrics"):
            metrics = entry.texts("metrics")
            if unknown := set(metrics) - set(self.metrics):
                raise entry.wrong(f"unknown metric {', '.join(sorted(unknown))}")
            judged.update(dict.fromkeys(entry.texts("benchmarks"), metrics))
            entry.close()
        return judged

    def _index(self, round_id: str | None) -> int:
        """The round's place among the inference rounds; the newest for an unknown one."""
        return self._ids.index(round_id) if round_id in self._ids else len(self._ids) - 1

    def score(self, round_id: str, benchmark: str, folder: str, logged: str) -> tuple[Score, LogScore] | None:
        """How a log of scenario `logged` gives the score of scenario `folder`; None where no rule does."""
        score = self._facts.score("inference", round_id, benchmark, folder)
        if score is None:
            return None
        if folder == logged or (logged, folder) in self._same:
            return score, _direct(score)
        index = self._index(round_id)
        for (first, last), source, to, found in self._inferred:
            if (source, to) == (logged, folder) and first <= index <= last and found.unit == score.unit:
                return score, found
        return None

    def unplaced(self, benchmark: str | None, scenario: str) -> list[tuple[str, LogScore]]:
        """(round, rule) for a log whose round nothing names, newest first, each rule once."""
        found: dict[LogScore, str] = {}
        for round_id in reversed(self._ids):
            score = self._facts.score("inference", round_id, benchmark or self._unnamed, scenario)
            if score is not None:
                found.setdefault(_direct(score), round_id)
        return [(round_id, rule) for rule, round_id in found.items()]

    def second(self, scenario: str) -> list[Second]:
        """What a log of this scenario may state besides the score."""
        return [second for scenarios, second in self._second if scenario in scenarios]

    def runs(self, round_id: str | None, scenario: str) -> Runs:
        """The runs of a result."""
        index = self._index(round_id)
        for (first, last), scenarios, runs in self._runs:
            if first <= index <= last and scenario in scenarios:
                return runs
        return ONE_RUN

    def system_id(self, round_id: str | None, submitter: str | None, name: str) -> str:
        """The folder of results that a systems JSON of this name is of: the same, but for the few that differ."""
        return self._sheets.get((round_id, submitter, name), name)

    def energy(self, round_id: str | None, scenario: str) -> Energy | None:
        """What energy is counted per; None where power is the average in watts."""
        index = self._index(round_id)
        for (first, last), scenarios, energy in self._energy:
            if first <= index <= last and scenario in scenarios:
                return energy
        return None

    def meter(self, round_id: str | None, habit: str) -> bool:
        """Whether the round reads its power log with this habit: `shifts-timezone` or `drops-idle`."""
        index = self._index(round_id)
        return any(habit in does for (first, last), does in self._meters if first <= index <= last)

    def endpoints(self, scenario: str, unit: str, benchmark: str) -> list[Formula]:
        """What to read of an endpoints log, in order of preference."""
        fitting = [found for found in self._endpoints if scenario in found.scenarios and unit in found.units]
        own = [found for found in fitting if benchmark in found.benchmarks]
        return [found.formula for found in own or fitting if found.benchmarks == () or own]

    def guess(self, round_id: str | None, model: str) -> str | None:
        """The benchmark that the checker would guess from a model's name."""
        index = self._index(round_id)
        for (first, last), parts, benchmark in self._guesses:
            if first <= index <= last and any(part in model for part in parts):
                return benchmark
        return None

    def accuracy(self, benchmark: str) -> tuple[str, ...]:
        """The metrics that judge a benchmark; all that are known for one that the catalog does not name."""
        return self._accuracy.get(benchmark, tuple(self.metrics))

    def twice(self, key: str, benchmark: str | None) -> list[Twice]:
        """What the number at a key of a LoadGen log is compared with."""
        return _holding(self._twice, key, benchmark)

    def endpoint_twice(self, key: str, benchmark: str | None) -> list[Twice]:
        """What the number at a key of an endpoints log is compared with."""
        return _holding(self._endpoints_twice, key, benchmark)

    def windows(self, scenario: str) -> list[Window]:
        """How the window of a power measurement is compared with the result of a log of this scenario."""
        return [window for window in self._windows if window.scenario == scenario]

    @functools.cached_property
    def detail_keys(self) -> frozenset[str]:
        """Every key of a detail log that some rule reads."""
        formulas = [rule.detail for *_, rule in self._inferred]
        formulas += [_direct(score).detail for score in self._scores()]
        counted = {key for *_, energy in self._energy for key in (*energy.count, *energy.count_per_second)}
        formulas += [found.again for found in self._twice]
        formulas += [second.detail for _, second in self._second]
        counted |= {key for window in self._windows for key in window.keys}
        counted |= {key for found in self._twice for key in found.asked}
        return frozenset({key for formula in formulas for key in formula.keys} | counted | set(self.ambiguous_keys))

    @functools.cached_property
    def summary_keys(self) -> frozenset[str]:
        """Every line of a summary that some rule reads."""
        formulas = [formula for *_, rule in self._inferred for formula in rule.summary]
        formulas += [formula for score in self._scores() for formula in _direct(score).summary]
        formulas += [found.again for found in self._twice]
        formulas += [second.summary for _, second in self._second]
        asked = {key for found in self._twice for key in found.asked}
        return frozenset({key for formula in formulas for key in formula.keys} | asked | set(self.ambiguous_keys))

    def _scores(self) -> set[Score]:
        found = (
            self._facts.score("inference", round_.id, benchmark.id, scenario)
            for round_ in self._facts.rounds
            for benchmark in self._facts.benchmarks
            for scenario in self._facts.scenarios
        )
        return {score for score in found if score is not None}


def _closed(entry: Entry, value: Value) -> Value:
    entry.maybe_text("source")
    entry.close()
    return value


def _direct(score: Score) -> LogScore:
    summary = tuple(Formula(key, None, score.log_factor) for key in score.summary_keys)
    return LogScore(Formula(score.log_key, None, score.log_factor), summary, score.unit, is_inferred=False)


def _read_sheet(entry: Entry) -> tuple[tuple[str | None, str | None, str], str]:
    key = entry.text("round"), entry.text("submitter"), entry.text("name")
    return key, _closed(entry, entry.text("folder"))


def _holding(known: list[Twice], key: str, benchmark: str | None) -> list[Twice]:
    return [found for found in known if found.key == key and (not found.benchmarks or benchmark in found.benchmarks)]


def _read_window(entry: Entry) -> Window:
    low, high = _range(entry)
    return _closed(
        entry,
        Window(
            entry.text("scenario"),
            entry.texts("count"),
            entry.maybe_text("over"),
            entry.number("factor") or 1.0,
            low,
            high,
        ),
    )


def _range(entry: Entry) -> tuple[float, float]:
    low, high = entry.number("low"), entry.number("high")
    if low is None or high is None or low > high:
        raise entry.wrong("low or high is missing, or low is above high")
    return low, high


def _read_metric(entry: Entry) -> tuple[str, re.Pattern[bytes]]:
    name, pattern = entry.text("name"), entry.text("pattern")
    entry.close()
    try:
        return name, re.compile(pattern.encode(), re.MULTILINE)
    except re.error as error:
        raise CatalogError(f"metric {name}: {error}.", "mlperf/catalog/inference_logs.toml", "Correct it.") from error


@functools.cache
def log_rules() -> LogRules:
    """The rules that come with the project, read once; `CatalogError` when the file is wrong."""
    return LogRules(facts())
