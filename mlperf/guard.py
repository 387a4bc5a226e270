"""The comparability guard: what differs between results held against one another, and what the rules forbid to compare.

Chart, table and export show the same findings. Source, where nothing else is named: mlcommons/policies
MLPerf_Results_Messaging_Guidelines.adoc, "MLPerf results may only be compared against similar MLPerf results" and "When
comparing MLPerf results, you must identify any submission differences".
"""

import re
from collections.abc import Callable, Collection, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import Any, Final, NamedTuple

from mlperf.facts import Benchmark, Round, facts
from mlperf.model import OF_RUNS, Kind

Row = Mapping[str, Any]
"""A row of `queries.results`, None or nothing for what is missing."""

MOST: Final = 8
"""Values, systems or titles that a sentence names; it counts the others."""

TIER: Final = re.compile(r" \([0-9.]+ % accuracy\)$")
"""How the full name of a benchmark in benchmarks.toml ends where its model is run at several accuracies."""

UNSTATED: Final = "not stated"

OPEN: Final = (
    "Closed and Open results differ: an Open result may change the model or the way it is trained or run and need not "
    "meet the accuracy of the Closed division."
)
MIXED: Final = (
    "Unverified results have not been through an MLPerf review and may use measurement methodologies and/or workload "
    "implementations that are inconsistent with the MLPerf specification for verified results."
)


@dataclass(frozen=True)
class Finding:
    """One thing to know before results are compared."""

    kind: str
    """What it is about: `round`, `division`, `power`, …"""
    is_refused: bool
    """Whether the rules forbid the comparison; else a note that must stand beside it."""
    text: str
    """Sentences for a reader: what differs, by its values, and why that does not compare."""


class _Result(NamedTuple):
    """A row as the guard looks at it: texts on one line, None for what is missing or is of no use."""

    kind: Kind | None
    suite: str | None
    round: str | None
    division: str | None
    availability: str | None
    system: str
    accelerators: tuple[str, ...]
    accelerator: str | None
    accelerator_count: str | None
    nodes: str | None
    benchmark: str | None
    name: str
    """The benchmark's full name, the same after a rename."""
    scenario: str | None
    metric: str | None
    unit: str | None
    has_power: bool | None
    model: str | None
    inferred: bool | None
    valid: bool | None
    verified: bool | None
    result_id: str | None
    same_runs: str | None

    @property
    def base(self) -> str:
        """The benchmark's full name without its accuracy."""
        return TIER.sub("", self.name)

    @property
    def field(self) -> tuple[Hashable, ...]:
        """Equal for results between which only the unit could still forbid a comparison."""
        era = _era(self.kind, self.benchmark or "", self.round or "", self.scenario)
        return self.kind, self.base, self.scenario, era


class _Difference(NamedTuple):
    """Something that may differ: `label` names a result's value, or None where the result is not concerned."""

    kind: str
    is_refused: bool
    text: str
    label: Callable[[_Result], str | None]
    within: Callable[[_Result], Hashable] = lambda result: None
    """Only values of results with an equal `within` are held against one another."""
    more: Mapping[str, str] = {}
    """A further sentence for a value."""


class _Trait(NamedTuple):
    """Something to say of a result wherever it stands: `label` names it, or is None where the result is not so."""

    kind: str
    text: str
    label: Callable[[_Result], str | None]


def findings(rows: Sequence[Row]) -> tuple[Finding, ...]:
    """What to know of rows that are held against one another, refused first; the order of the rows changes nothing.

    One row has only traits of its own (preview, unverified, inferred, …); no rows, or values that the catalog does not
    know, are no error.
    """
    results = frozenset(map(_result, rows))
    found = [finding for difference in DIFFERENCES for finding in _differing(results, difference)]
    found += [finding for trait in TRAITS for finding in _own(results, trait)]
    return _ordered([*found, *_rounds(results), *_same_runs(results)])


def merged(groups: Mapping[str, Sequence[Row]]) -> tuple[Finding, ...]:
    """The findings of several cells, by their titles; a finding that not all cells with rows share names its cells."""
    titles: dict[Finding, list[str]] = {}
    filled = {title: rows for title, rows in groups.items() if len(rows)}
    for title, rows in filled.items():
        for finding in findings(rows):
            titles.setdefault(finding, []).append(title)
    return _ordered(
        finding
        if len(found) == len(filled)
        else Finding(finding.kind, finding.is_refused, f"{_listed(found)}: {finding.text}")
        for finding, found in titles.items()
    )


def traits(rows: Sequence[Row]) -> tuple[Finding, ...]:
    """What to say of each row by itself (preview, inferred, …): for rows that are shown and not compared."""
    results = frozenset(map(_result, rows))
    return _ordered(finding for trait in TRAITS for finding in _own(results, trait))


def remark(found: Iterable[Finding]) -> str:
    """The findings as the text of one cell of table and file, refused first; empty for none."""
    return " ".join(finding.text for finding in sorted(found, key=lambda finding: not finding.is_refused))


def _differing(results: Collection[_Result], difference: _Difference) -> Iterator[Finding]:
    fields: dict[Hashable, set[str]] = {}
    for result in results:
        label = difference.label(result)
        if label is not None:
            fields.setdefault(difference.within(result), set()).add(label)
    values = {value for field in fields.values() if len(field) > 1 for value in field}
    if values:
        text = difference.text.format(values=_listed(values))
        more = [sentence for value, sentence in difference.more.items() if value in values]
        yield Finding(difference.kind, difference.is_refused, " ".join([text, *more]))


def _own(results: Collection[_Result], trait: _Trait) -> Iterator[Finding]:
    """A note on the results that are so; it names them where others are not."""
    so = {result: label for result in results if (label := trait.label(result)) is not None}
    if so:
        who = f": {_listed({_who(result) for result in so})}" if len(so) < len(results) else ""
        text = trait.text.format(who=who, values=_listed(set(so.values())))
        yield Finding(trait.kind, False, text)


def _rounds(results: Collection[_Result]) -> Iterator[Finding]:
    """Rounds that differ: a note, or refused with the reason where the benchmark changed between them.

    What changed in one scenario only is a finding of that scenario's name. Source: MLPerf_Compatibility_Table.adoc, as
    comparability.toml has it. Of a round or benchmark that the catalog lacks nothing is known, which a note says.
    """
    played = {(result.kind, result.round or UNSTATED) for result in results}
    if len(played) < 2:
        return
    kinds = len({kind for kind, _ in played})
    values = {
        f"{facts().kind_word(kind) if kind else UNSTATED} {round_id}" if kinds > 1 else round_id
        for kind, round_id in played
    }
    reasons = _reasons(results)
    general = sorted({reason for scenario, reason in reasons if scenario is None}, key=_natural)
    yield Finding("round", bool(general), " ".join([f"Rounds differ: {_listed(values)}.", *general]))
    for scenario in {scenario for scenario, _ in reasons if scenario}:
        texts = sorted({reason for found, reason in reasons if found == scenario}, key=_natural)
        yield Finding(scenario, True, " ".join(texts))
    unknown = {name for result in results for name in _unknown(result)}
    if unknown:
        yield Finding("unknown", False, f"Not in the catalog: {_listed(unknown)}. Whether the rounds compare is open.")


def _reasons(results: Collection[_Result]) -> set[tuple[str | None, str]]:
    """Why results of neighbouring rounds do not compare, with the scenario where only that one is concerned."""
    fields: dict[tuple[Kind, str, str | None], set[tuple[int, str, str]]] = {}
    for result in results:
        known = _known(result)
        if result.kind and known:
            benchmark, played = known
            key = result.kind, result.name, result.scenario
            fields.setdefault(key, set()).add((played.index, benchmark.id, played.id))
    reasons = set()
    for (kind, name, scenario), field in fields.items():
        for (_, *one), (_, *other) in pairwise(sorted(field)):
            parting = _parting(kind, (one[0], one[1]), (other[0], other[1]), scenario)
            if parting:
                cause, reason = parting
                title = f"{name} {scenario}" if cause else name
                reasons.add((cause, f"{title} {one[1]} and {other[1]} do not compare: {reason}"))
    return reasons


@lru_cache(1 << 13)
def _parting(
    kind: Kind, one: tuple[str, str], other: tuple[str, str], scenario: str | None
) -> tuple[str | None, str] | None:
    """The reason why two (benchmark, round) do not compare, and the scenario where it holds for that one only."""
    if _era(kind, *one, scenario) == _era(kind, *other, scenario):
        return None
    cause = scenario if _era(kind, *one, None) == _era(kind, *other, None) else None
    return cause, facts().incomparable(kind, one, other, scenario) or ""


def _same_runs(results: Collection[_Result]) -> Iterator[Finding]:
    """A note on results of the very same runs: they are one measurement, not two."""
    runs: dict[tuple[str, str], set[_Result]] = {}
    for result in results:
        for key in (("result", result.result_id), ("runs", result.same_runs)):
            if key[1] is not None:
                runs.setdefault((key[0], key[1]), set()).add(result)
    several = [(_distinct(found), len(found)) for found in runs.values() if len(found) > 1]
    names = {_listed(distinct, " = ") for distinct, _ in several if len(distinct) > 1}
    if names:
        yield Finding("same run", False, f"The same run under several names: {_listed(names, '; ')}.")
    again = {f"{name} ({count} times)" for (name, *more), count in several if not more}
    if again:
        yield Finding("same run", False, f"The same run listed several times: {_listed(again, '; ')}.")


def _distinct(results: Collection[_Result]) -> set[str]:
    """The results by what tells them apart; a single empty name where no name does."""
    parts = [
        (
            result.system,
            result.round or UNSTATED,
            result.suite or UNSTATED,
            f"{result.division or UNSTATED} division",
            result.name,
            result.scenario or UNSTATED,
            "with power" if result.has_power else "without power",
        )
        for result in results
    ]
    differing = [column for column, values in enumerate(zip(*parts, strict=True)) if len(set(values)) > 1]
    return {" ".join(part[column] for column in differing) for part in parts} - {""} or {_who(min(results, key=repr))}


def _result(row: Row) -> _Result:
    kind = _kind(row.get("suite"))
    benchmark = _text(row.get("benchmark"))
    names = [_text(row.get("submitter")), _text(row.get("system_id")) or _text(row.get("system_name"))]
    return _Result(
        kind=kind,
        suite=_text(row.get("suite")),
        round=_text(row.get("round")),
        division=_text(row.get("division")),
        availability=_text(row.get("availability")),
        system=" ".join(filter(None, names)),
        accelerators=_texts(row.get("accelerators")),
        accelerator=_text(row.get("accelerator")),
        accelerator_count=_text(row.get("accelerator_count")),
        nodes=_text(row.get("nodes")),
        benchmark=benchmark,
        name=_full_name(kind, benchmark),
        scenario=_text(row.get("scenario")),
        metric=_text(row.get("metric")),
        unit=_text(row.get("unit")),
        has_power=_flag(row.get("has_power")),
        model=_text(row.get("model")),
        inferred=_flag(row.get("inferred")),
        valid=_flag(row.get("valid")),
        verified=_flag(row.get("verified")),
        result_id=_text(row.get("result_id")),
        same_runs=_text(row.get("same_runs")),
    )


# Any: a cell may hold whatever a table holds.
def _text(value: Any) -> str | None:
    return None if value is None else " ".join(str(value).split()) or None


def _texts(values: Any) -> tuple[str, ...]:
    """The different texts of a list, sorted; none for anything else."""
    return tuple(sorted({text for value in values if (text := _text(value))})) if isinstance(values, list) else ()


def _flag(value: Any) -> bool | None:
    return value if isinstance(value, bool) else None


def _kind(suite: Any) -> Kind | None:
    return next((known.kind for known in facts().suite_facts if known.id == suite), None)


def _known(result: _Result) -> tuple[Benchmark, Round] | None:
    """Benchmark and round of a result; None where the catalog lacks one of them."""
    benchmarks, rounds = _catalog()
    benchmark, played = benchmarks.get((result.kind, result.benchmark)), rounds.get((result.kind, result.round))
    return (benchmark, played) if benchmark and played else None


def _unknown(result: _Result) -> list[str]:
    """The names of benchmark and round that the catalog lacks."""
    benchmarks, rounds = _catalog()
    names = [result.benchmark if (result.kind, result.benchmark) not in benchmarks else None]
    names += [result.round if (result.kind, result.round) not in rounds else None]
    return [name for name in names if name]


Key = tuple[Kind | None, str | None]


@lru_cache(1)
def _catalog() -> tuple[dict[Key, Benchmark], dict[Key, Round]]:
    """Benchmarks and rounds by kind and exact id."""
    benchmarks: dict[Key, Benchmark] = {(known.kind, known.id): known for known in facts().benchmarks}
    rounds: dict[Key, Round] = {(known.kind, known.id): known for known in facts().rounds}
    return benchmarks, rounds


@lru_cache(1 << 13)
def _era(kind: Kind | None, benchmark: str, round_id: str, scenario: str | None) -> int:
    return facts().era(kind, benchmark, round_id, scenario) if kind else 0


def _full_name(kind: Kind | None, benchmark: str | None) -> str:
    """The full name under which the benchmark began; an unknown one keeps its own."""
    benchmarks, _ = _catalog()
    known = benchmarks.get((kind, benchmark))
    return benchmarks[known.kind, known.lineage].full_name if known else benchmark or UNSTATED


def _who(result: _Result) -> str:
    return " ".join(filter(None, [result.system, result.round])) or UNSTATED


def _scenario(result: _Result) -> str | None:
    """The scenario; a kind without scenarios has none."""
    return result.scenario or (UNSTATED if result.kind is None or facts().has_scenarios(result.kind) else None)


def _kind_name(result: _Result) -> str | None:
    return None if result.kind is None else facts().kind_name(result.kind)


def _suite(result: _Result) -> str | None:
    """The suite of inference: `datacenter` or `edge`; `none` in a round that had no suites."""
    if result.kind in OF_RUNS:
        return None
    return (result.suite.partition("-")[2] or "none") if result.suite else UNSTATED


def _accelerator_count(result: _Result) -> str:
    """The number of accelerators; 0 for a system of processors alone."""
    return result.accelerator_count or (UNSTATED if result.accelerator else "0")


def _power(result: _Result, *, is_training: bool) -> str | None:
    """Whether power was measured, for the results of training runs or for all others."""
    if result.has_power is None or is_training != (result.kind in OF_RUNS):
        return None
    return "with" if result.has_power else "without"


def _verified(result: _Result) -> str | None:
    return None if result.verified is None else "verified" if result.verified else "unverified"


def _mixed(result: _Result) -> str | None:
    return " + ".join(result.accelerators) if len(result.accelerators) > 1 else None


def _said(is_so: bool) -> str | None:
    return "" if is_so else None


def _ordered(found: Iterable[Finding]) -> tuple[Finding, ...]:
    return tuple(sorted(found, key=lambda finding: (not finding.is_refused, finding.kind, finding.text)))


def _listed(values: Collection[str], separator: str = ", ") -> str:
    """`4, 8 and 16`, numbers in their order; what is over `MOST` is counted."""
    ordered = sorted(values, key=_natural)
    if len(ordered) > MOST + 1:
        ordered = [*ordered[:MOST], f"{len(ordered) - MOST} more"]
    last = separator if separator != ", " else " and "
    return last.join(filter(None, [separator.join(ordered[:-1]), *ordered[-1:]]))


def _natural(text: str) -> tuple[list[tuple[int, str]], str]:
    """A sorting key that reads digits as numbers."""
    parts = re.split(r"([0-9]+)", text)
    return [
        (len(part.lstrip("0")), part.lstrip("0")) if number % 2 else (0, part) for number, part in enumerate(parts)
    ], text


DIFFERENCES: Final = (
    _Difference("kind", True, "Results of {values} do not compare.", _kind_name),
    _Difference(
        "benchmark",
        True,
        "Benchmarks differ: {values}. Results compare within one benchmark only.",
        lambda result: result.base,
    ),
    # `bert-99` and `bert-99.9` are two benchmarks: mlcommons/inference, submission checker, required-scenarios-*.
    _Difference(
        "accuracy tier",
        True,
        "Accuracy tiers differ: {values}. They are different benchmarks.",
        lambda result: result.name,
        lambda result: (result.kind, result.base),
    ),
    _Difference("scenario", True, "Scenarios differ: {values}. Results compare within one scenario only.", _scenario),
    _Difference("unit", True, "Units differ: {values}.", lambda result: result.unit, lambda result: result.field),
    _Difference("metric", True, "Metrics differ: {values}.", lambda result: result.metric, lambda result: result.field),
    _Difference(
        "power",
        True,
        "With and without power: performance of a power run does not compare with that of a run without.",
        lambda result: _power(result, is_training=False),
    ),
    # Training takes the energy of the runs that the time is of, and forbids no comparison of the times:
    # mlcommons/training_policies power_measurement.adoc, "Measure all Runs" and "Scoring".
    _Difference(
        "power",
        False,
        "With and without power: energy was measured in the very runs that were timed, so the times compare.",
        lambda result: _power(result, is_training=True),
    ),
    _Difference(
        "division",
        False,
        "Divisions differ: {values}.",
        lambda result: result.division or UNSTATED,
        more={"open": OPEN, "network": "In the Network division the queries reach the system over a network."},
    ),
    _Difference("model", False, "Models differ: {values}.", lambda result: result.model or "the benchmark's own"),
    _Difference(
        "availability", False, "Availability differs: {values}.", lambda result: result.availability or UNSTATED
    ),
    _Difference("suite", False, "Suites differ: {values}.", _suite),
    _Difference("accelerator count", False, "Accelerator counts differ: {values}.", _accelerator_count),
    _Difference("node count", False, "Node counts differ: {values}.", lambda result: result.nodes or UNSTATED),
    _Difference("verified", False, f"Verified results beside unverified ones. {MIXED}", _verified),
)
"""What may differ; submitter and system are what a comparison is about, and no difference to name."""

TRAITS: Final = (
    _Trait(
        "unverified",
        "Unverified{who}. Result not verified by MLCommons Association.",
        lambda result: _said(result.verified is False),
    ),
    _Trait(
        "preview",
        "Preview, not yet on sale when submitted{who}.",
        lambda result: _said(result.availability == "preview"),
    ),
    _Trait(
        "rdi",
        "RDI (research, development or internal), not on sale when submitted{who}.",
        lambda result: _said(result.availability == "rdi"),
    ),
    # mlcommons/inference, submission checker: get_inferred_result.
    _Trait("inferred", "Inferred from a run of another scenario{who}.", lambda result: _said(result.inferred is True)),
    _Trait("invalid", "Invalid by the rules of the round{who}.", lambda result: _said(result.valid is False)),
    _Trait("mixed accelerators", "Several kinds of accelerator in one system, {values}{who}.", _mixed),
)
