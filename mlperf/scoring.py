"""How results are scored, as the catalog states it: metric, unit and direction, units of power, samples per joule."""

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Final, cast, get_args

from mlperf.catalog_files import Entry, fold
from mlperf.model import Better, Kind
from mlperf.rounds import Benchmark, Rounds, read_kind
from mlperf.spellings import Index

CONFUSED: Final = frozenset({"samples/s", "queries/s", "tokens/s"})
"""Units of throughput that published tables head with one another, folded."""


@dataclass(frozen=True)
class Score:
    """The one way a result of a round, benchmark and scenario is scored."""

    metric: str
    label: str
    unit: str
    better: Better
    table_units: tuple[str, ...]
    """Headings that tables rightly use for `unit`."""
    rule: str
    """The id of the rule in scoring.toml."""
    source: str
    log_key: str | None
    factors: dict[str, float] = field(compare=False)
    """Folded headings that are right, each with the factor that leads to `unit`."""
    summary_keys: tuple[str, ...] = ()
    """The lines of LoadGen's summary that hold the score; the first that is there."""
    of_runs: str | None = None
    """`rate`: the number of training runs over the minutes from the first start to the last end; None: their mean."""
    log_factor: float = 1.0
    """What leads from the number in the log to `unit`."""

    def factor(self, heading: str) -> float | None:
        """What to multiply a value under this heading with to have it in `unit`; None when the heading is wrong."""
        return self.factors.get(fold(heading))

    def is_confused(self, heading: str) -> bool:
        """Whether a wrong heading is one that published tables mix up with `unit`, so that the value stands in `unit`.

        They err in the unit then, not in the value. Source: the figures agree with the results repository, in Tokens/s,
        for all 62 such cells of v5.1.
        """
        return {fold(heading), self.unit} <= CONFUSED


@dataclass(frozen=True)
class Rule:
    """One rule of scoring.toml and where it holds."""

    score: Score
    kind: Kind
    first: int
    last: int
    scenarios: tuple[str, ...]
    """Empty: results without a scenario."""
    benchmarks: tuple[str, ...]
    """Empty: all that no other rule names."""

    def holds(self, benchmark: Benchmark, index: int, scenario: str | None) -> bool:
        """Whether it is about such a result, the benchmark left aside where it names none."""
        in_scenario = scenario in self.scenarios if self.scenarios else scenario is None
        named = not self.benchmarks or benchmark.id in self.benchmarks
        return self.kind == benchmark.kind and self.first <= index <= self.last and in_scenario and named


@dataclass(frozen=True)
class Efficiency:
    """How samples (or tokens) per joule follow from a result and its measured power."""

    kind: Kind
    first: int
    last: int
    scenarios: tuple[str, ...]
    power_unit: str
    numerator: float | None
    """What is divided by the power; None: the result's value."""
    source: str


class Scoring:
    """scoring.toml: the score of every benchmark in every round and scenario, worked out once."""

    def __init__(self, file: Entry, rounds: Rounds, known: Collection[Benchmark], scenarios: tuple[str, ...]) -> None:
        rules = [(entry, _rule(entry, rounds)) for entry in file.entries("rule")]
        file.close()
        self._scores: dict[tuple[Kind, str, str, str | None], Score] = {}
        for entry, rule in rules:
            for benchmark_id in rule.benchmarks:
                if not any(benchmark.id == benchmark_id and benchmark.kind == rule.kind for benchmark in known):
                    raise entry.wrong(f"there is no {rule.kind} benchmark {benchmark_id!r}")
            if unknown := set(rule.scenarios) - set(scenarios):
                raise entry.wrong(f"unknown scenario {', '.join(sorted(unknown))}")
        for benchmark in known:
            for played in rounds.of(benchmark.kind):
                for scenario in (None, *scenarios):
                    if score := _only(file, rules, benchmark, played.index, scenario):
                        self._scores[benchmark.kind, played.id, benchmark.id, scenario] = score
        self._headings = frozenset((kind, name) for (kind, *_), score in self._scores.items() for name in score.factors)

    def get(self, kind: Kind, round_id: str, benchmark_id: str, scenario: str | None) -> Score | None:
        """The score; None where no rule holds."""
        return self._scores.get((kind, round_id, benchmark_id, scenario))

    def by_heading(self, kind: Kind, round_id: str, scenario: str | None, heading: str) -> Score | None:
        """The score of the round and scenario whose tables rightly use this heading; None where several differ."""
        scores = {
            score.unit: score
            for (of, played, _, under), score in self._scores.items()
            if (of, played, under) == (kind, round_id, scenario) and score.factor(heading) == 1.0
        }
        return next(iter(scores.values())) if len(scores) == 1 else None

    def is_heading(self, kind: Kind, text: str) -> bool:
        """Whether any rule of the kind takes this heading."""
        return (kind, fold(text)) in self._headings


def _only(
    file: Entry, rules: list[tuple[Entry, Rule]], benchmark: Benchmark, index: int, scenario: str | None
) -> Score | None:
    """The score by the one rule that holds, a rule that names the benchmark before one that does not."""
    holding = [rule for _, rule in rules if rule.holds(benchmark, index, scenario)]
    best = [rule for rule in holding if rule.benchmarks] or holding
    if len(best) > 1:
        names = ", ".join(rule.score.rule for rule in best)
        raise file.wrong(f"{names} all hold for {benchmark.id} {scenario} in round {index}")
    return best[0].score if best else None


def _rule(entry: Entry, rounds: Rounds) -> Rule:
    kind, better = read_kind(entry), entry.text("better")
    if better not in get_args(Better):
        raise entry.wrong(f"better is {better!r}, not one of {', '.join(get_args(Better))}")
    of_runs = entry.maybe_text("of_runs")
    if of_runs not in {None, "rate"}:
        raise entry.wrong(f"of_runs is {of_runs!r}, not rate")
    units = entry.texts("table_units")
    factors = {fold(unit): 1.0 for unit in units}
    factors.update((fold(unit), factor) for unit, factor in entry.pairs("conversions", float).items())
    score = Score(
        metric=entry.text("metric"),
        label=entry.text("label"),
        unit=entry.text("unit"),
        better=cast(Better, better),
        table_units=units,
        rule=entry.text("id"),
        source=entry.text("source"),
        log_key=entry.maybe_text("log_key"),
        factors=factors,
        summary_keys=entry.texts("summary_keys"),
        of_runs=of_runs,
        log_factor=entry.number("log_factor") or 1.0,
    )
    rule = Rule(score, kind, *rounds.span(entry, kind), entry.texts("scenarios"), entry.texts("benchmarks"))
    entry.close()
    return rule


class Power:
    """power.toml: units of power and energy, and samples per joule."""

    def __init__(self, file: Entry, rounds: Rounds) -> None:
        self._units: Index[tuple[str, float]] = Index()
        self._kinds: Index[Kind] = Index()
        for entry in file.entries("unit"):
            unit, factor = entry.text("id"), entry.number("factor")
            if not factor:
                raise entry.wrong("factor is missing")
            spellings = entry.texts("spellings")
            self._units.add(entry, (unit, factor), spellings)
            self._kinds.add(entry, read_kind(entry), spellings)
            entry.close()
        self._rules = [_efficiency(entry, rounds) for entry in file.entries("efficiency", "source")]
        self._efficiency_units = file.pairs("efficiency_units", str)
        file.close()

    def unit(self, text: str) -> tuple[str, float] | None:
        """The canonical unit that a spelling means and the factor that leads to it; None where it is not known."""
        return self._units.get(text)

    def kind(self, text: str) -> Kind | None:
        """The kind whose tables head power with this spelling; None where it is not known."""
        return self._kinds.get(text)

    def efficiency(
        self, kind: Kind, index: int, scenario: str | None, value: float, power: float, unit: str
    ) -> float | None:
        """Samples (or tokens) per joule; None where no rule holds or the power is not above zero."""
        for rule in self._rules:
            holds = rule.kind == kind and rule.first <= index <= rule.last and scenario in rule.scenarios
            if holds and rule.power_unit == unit and power > 0:
                return (value if rule.numerator is None else rule.numerator) / power
        return None

    def efficiency_unit(self, unit: str) -> str | None:
        """The unit of an efficiency by the unit of the result; None where there is none."""
        return self._efficiency_units.get(unit)


def _efficiency(entry: Entry, rounds: Rounds) -> Efficiency:
    kind = read_kind(entry)
    found = Efficiency(
        kind,
        *rounds.span(entry, kind),
        entry.texts("scenarios"),
        entry.text("power_unit"),
        entry.number("numerator"),
        entry.text("source"),
    )
    entry.close()
    return found
