"""The score of one inference result from its logs, by the rules of its round, and what speaks for or against it.

The rules are data (scoring.toml, inference_logs.toml); paths and systems are for `inference`.
"""

import hashlib
import math
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Final

from loaders.trees.loadgen import DETAIL_LATENCIES, EARLY_STOPPING, SUMMARY_LATENCIES, Fact, Log
from mlperf.errors import Problem, Where
from mlperf.facts import facts
from mlperf.log_rules import Formula, LogScore, log_rules

_NUMBER: Final = re.compile(r"[-+]?(\d+)(?:\.(\d*))?(?:[eE]([-+]?\d{1,3}))?")
_EARLY_STOPPING: Final = re.compile(
    r"Only processed (\d{1,12}) queries\.\s{0,4}\*? ?Need to process at least (\d{1,12}) queries", re.ASCII
)
"""Source: mlcommons/inference loadgen/early_stopping.cc and results.cc."""
PERFORMANCE: Final = frozenset({"performanceonly", "performance", "submission", "submissionrun"})
_LEFT_OUT: Final = "The result was left out."
Reader = Callable[[str], str | None]
_REASONS: Final = (
    ("result_min_duration_met", "Min duration satisfied", "too short", "run it longer"),
    ("result_min_queries_met", "Min queries satisfied", "too few queries", "issue more queries"),
    ("result_perf_constraints_met", "Performance constraints satisfied", "latency over its limit", "lower target_qps"),
    ("early_stopping_met", "Early stopping satisfied", "too few queries for early stopping", "issue more queries"),
)
"""What LoadGen holds against a run: the key of its detail log, the line of its summary, in words, what to do."""


@dataclass
class Scored:
    """What the logs of one run give."""

    where: Where
    value: float | None = None
    unit: str | None = None
    logged: str | None = None
    """The scenario that the log names."""
    is_inferred: bool | None = None
    is_valid: bool | None = None
    second: dict[str, float] = field(default_factory=dict)
    """Second measures by column, from the log that gives the score."""
    second_lines: str | None = None
    """As in `Measurement.measure_lines`."""
    problems: list[Problem] = field(default_factory=list)

    def note(self, where: Where, kind: str, found: str, fix: str) -> None:
        """Keep a problem."""
        self.problems.append(Problem(where, kind, found, fix))

    def use(self, log: Log, fact: Fact) -> None:
        """Report what contradicts a fact that is used."""
        if problem := log.contradiction(fact):
            self.problems.append(problem)


@dataclass(frozen=True)
class Run:
    """The logs of one run; one of them is there."""

    detail: Log | None
    summary: Log | None

    @property
    def first(self) -> Log:
        """The log that decides."""
        log = self.detail if self.detail is not None and not self.detail.is_old else self.summary or self.detail
        assert log is not None  # a run is made of what was found
        return log

    @property
    def logs(self) -> tuple[Log, ...]:
        """Detail before summary."""
        return tuple(log for log in (self.detail, self.summary) if log is not None)

    @property
    def mark(self) -> str:
        """Equal for copies of the very same run, whichever of its logs is there: its latencies to the nanosecond."""
        for log, keys in ((self.detail, DETAIL_LATENCIES), (self.summary, SUMMARY_LATENCIES)):
            told = [log.get(key) for key in keys] if log is not None else [None]
            texts = [fact.text for fact in told if fact is not None]
            if len(texts) == len(told):
                return hashlib.sha256(" ".join(texts).encode()).hexdigest()[:32]
        return (self.detail or self.first).digest[:32]


def score(run: Run, round_id: str | None, benchmark: str | None, folder: str | None) -> Scored:
    """The score of a run that lies in the folder of a scenario; of a lone log for None."""
    scored = Scored(run.first.where())
    if not any(log.facts or log.is_old for log in run.logs):  # why was reported when they were read
        scored.note(run.first.where(), "no-score", "the logs hold no results.", _LEFT_OUT)
        return scored
    scored.logged = _stated(run, scored, "effective_scenario", "Scenario", facts().scenario)
    mode = _stated(run, scored, "effective_test_mode", "Mode", str.casefold)
    if mode is not None and mode not in PERFORMANCE:
        fix = f"{_LEFT_OUT} A score takes a run in mode PerformanceOnly; accuracy logs lie in accuracy/."
        scored.note(run.first.where(), "not-performance", f"is the log of a run in mode {mode!r}.", fix)
        return scored
    if run.detail is not None and run.summary is None and not run.detail.is_old and not _has_results(run.detail):
        found = "the log ends before its results: the run was stopped, or the log was cut."
        scored.note(run.first.where(), "no-score", found, f"{_LEFT_OUT} Let the run end, or copy the whole log.")
        return scored
    scored.is_valid = _validity(run, scored)
    if scored.logged is None:
        scored.note(run.first.where(), "no-score", "the log does not say of which scenario it is.", _LEFT_OUT)
    elif round_id is None or benchmark is None:
        _score_unplaced(run, scored, benchmark, folder)
    else:
        _score_placed(run, scored, round_id, benchmark, folder or scored.logged)
    return scored


def _score_placed(run: Run, scored: Scored, round_id: str, benchmark: str, folder: str) -> None:
    assert scored.logged is not None
    rule = log_rules().score(round_id, benchmark, folder, scored.logged)
    if rule is None:
        found = f"{folder} of {benchmark} in {round_id} does not follow from a log of {scored.logged}."
        scored.note(run.first.where(), "scenario-mismatch", found, _LEFT_OUT)
        return
    scored.is_inferred = rule[1].is_inferred
    _read(run, scored, rule[1], benchmark)
    scored.unit = rule[0].table_units[0] if scored.unit == rule[0].unit else scored.unit


def _score_unplaced(run: Run, scored: Scored, benchmark: str | None, folder: str | None) -> None:
    """By the newest rule that the log fits, which is said; not at all where the benchmark decides what the score is."""
    assert scored.logged is not None
    if benchmark is None and any(log.get(key) for log in run.logs for key in log_rules().ambiguous_keys):
        found = "the score is in tokens or in samples: that is for the benchmark to say, and nothing names it."
        scored.note(run.first.where(), "no-identity", found, "Load it in <system>/<benchmark>/<scenario>/.")
        return
    scenario = folder or scored.logged
    rules = [(round_id, rule) for round_id, rule in log_rules().unplaced(benchmark, scenario) if _fits(run, rule)]
    if not rules and (too_short := _too_short(run)):
        scored.note(run.first.where(), "no-score", *too_short)
        return
    if folder not in {None, scored.logged} or not rules:
        fix = "Say its round, or load it in its results tree."
        scored.note(run.first.where(), "no-identity", "nothing tells by which round's rule to score this log.", fix)
        return
    round_id, rule = rules[0]
    scored.is_inferred = False
    _read(run, scored, rule, benchmark)
    found = f"nothing says of which round this log is; it was scored by the rule of {round_id} ({rule.detail.name})."
    scored.note(scored.where, "no-identity", found, "Load it in its results tree.")


def _fits(run: Run, rule: LogScore) -> bool:
    pairs = [(run.detail, [rule.detail]), (run.summary, list(rule.summary))]
    return any(
        log is not None and all(log.get(key) for key in formula.keys) for log, tried in pairs for formula in tried
    )


def _read(run: Run, scored: Scored, rule: LogScore, benchmark: str | None) -> None:
    """The score by the detail log, else by the summary; what both say must agree."""
    detail = _evaluated(run.detail, [rule.detail])
    summary = _evaluated(run.summary, rule.summary)
    taken = detail or summary
    if taken is None:
        _nothing(run, scored, rule)
        return
    if detail and summary and not detail.agrees(summary):
        found = f"the detail log gives {detail.value:.9g} {rule.unit}, the summary beside it {summary.value:.9g}."
        scored.note(detail.where, "logs-differ", found, "The detail log was taken, as the checker does.")
    if run.detail is not None and detail is None and not run.detail.is_old:
        found = f'the detail log holds no "{rule.detail.name}" that can be read.'
        fix = f"The score was taken from the summary, to the digits that it prints: {taken.text}."
        scored.note(run.detail.where(), "cut-log", found, fix)
    if not (math.isfinite(taken.value) and taken.value > 0):
        scored.note(
            taken.where,
            "no-score",
            *(
                _too_short(run)
                or (f"{taken.text} is no result (0 means that early stopping had too few queries).", _LEFT_OUT)
            ),
        )
        return
    for log, fact in taken.facts:
        scored.use(log, fact)
        _compare(log, fact, scored, benchmark)
    scored.value, scored.unit, scored.where = taken.value, rule.unit, taken.where
    if not rule.is_inferred:
        is_same_run = detail is not None and summary is not None and detail.agrees(summary)
        _read_second(taken, scored, run.summary if is_same_run else None)


def _read_second(taken: "_Figure", scored: Scored, beside: Log | None) -> None:
    """What the log of a score states besides it; nothing of an inferred score, whose log is of another scenario.

    What the detail log lacks is taken from the summary `beside` it, where both give the same score: some releases of
    LoadGen state a Server's tokens in the summary alone. Source: mlcommons/inference loadgen/results.cc.
    """
    log = taken.facts[0][0]
    scoring = {fact.key for _, fact in taken.facts}
    lines = []
    for second in log_rules().second(scored.logged or ""):
        formula = second.detail if log.form == "detail" else second.summary
        if scoring.intersection(formula.keys):
            continue
        figure = _evaluated(log, [formula]) or _evaluated(beside, [second.summary])
        if figure is None or not (math.isfinite(figure.value) and figure.value > 0):
            continue
        for of, fact in figure.facts:
            scored.use(of, fact)
        scored.second[second.name] = figure.value
        file = "" if figure.facts[0][0] is log else f"{figure.where.file.rpartition('/')[2]}:"
        lines.append(f"{second.name}:{file}{figure.where.line}")
    scored.second_lines = " ".join(lines) or None


def _compare(log: Log, fact: Fact, scored: Scored, benchmark: str | None) -> None:
    """A number against what the same log says of it in other words."""
    number = _number(fact)
    for rule in log_rules().twice(fact.key, benchmark):
        if (rule.without and log.get(rule.without)) or (rule.beside and not log.get(rule.beside)):
            continue
        again = _evaluated(log, [rule.again])
        if number is None or again is None or not again.value > 0:
            continue
        low, high = rule.low * again.value - again.blur, rule.high * again.value + again.blur
        if not low - number[1] <= number[0] <= high + number[1]:
            found = f"{fact.key} {fact.text} does not go with {again.text}."
            scored.note(log.where(fact), "implausible", found, "It was taken as it stands: compare the original.")


def _has_results(detail: Log) -> bool:
    """Whether a detail log reaches its results, which LoadGen writes when a run has ended."""
    return any(key.startswith(("result_", "early_stopping_")) for key in detail.facts)


def _too_short(run: Run) -> tuple[str, str] | None:
    """What LoadGen's early stopping says of a run with too few queries, and the next step; None for another run."""
    said = [fact.text for log in run.logs if (fact := log.get(EARLY_STOPPING)) is not None]
    counts = next(filter(None, (_EARLY_STOPPING.search(text) for text in said)), None)
    if counts is None:
        return None
    found = f"the run was too short for an estimate: LoadGen processed {counts[1]} queries and needs {counts[2]}."
    return found, f"{_LEFT_OUT} Run it again with at least {counts[2]} queries, and the minimum duration of its round."


def _nothing(run: Run, scored: Scored, rule: LogScore) -> None:
    if too_short := _too_short(run):
        scored.note(run.first.where(), "no-score", *too_short)
        return
    wanted = " or ".join(f'"{formula.name}"' for formula in (rule.detail, *rule.summary[:1]))
    kinds = " and ".join(log.form for log in run.logs)
    found = f"{wanted}, which gives the score, does not stand in the {kinds} log or cannot be read."
    scored.note(run.first.where(), "no-score", found, f"{_LEFT_OUT} Copy the logs again from where they were written.")


@dataclass(frozen=True)
class _Figure:
    """What a formula gives, with half the last digit that the log prints."""

    value: float
    blur: float
    where: Where
    facts: tuple[tuple[Log, Fact], ...]

    @property
    def text(self) -> str:
        """What the log says."""
        return ", ".join(f"{fact.key} {fact.text}" for _, fact in self.facts)

    def agrees(self, other: "_Figure") -> bool:
        """Whether both may be the same number, printed differently."""
        return abs(self.value - other.value) < self.blur + other.blur + 1e-9 * abs(self.value)


def _evaluated(log: Log | None, formulas: "list[Formula] | tuple[Formula, ...]") -> _Figure | None:
    """The first of the formulas whose keys the log holds as numbers."""
    for formula in formulas:
        found = [log.get(key) for key in formula.keys] if log is not None else []
        numbers = [number for fact in found if fact is not None and (number := _number(fact)) is not None]
        if log is None or not found or len(numbers) < len(formula.keys):
            continue
        value, blur = formula.factor, 0.0
        for key, (read, half) in zip(formula.keys, numbers, strict=True):
            if key == formula.over:
                value = value / read if read else math.nan
            else:
                value *= read
            blur += half / abs(read) if read else 0.0
        used = tuple((log, fact) for fact in found if fact is not None)
        return _Figure(value, blur * abs(value), log.where(found[0]), used)
    return None


def _number(fact: Fact) -> tuple[float, float] | None:
    """The number and half a unit of its last digit."""
    match = _NUMBER.fullmatch(fact.text)
    if match is None:
        return None
    number = float(fact.text)
    last = int(match[3] or 0) - len(match[2] or "")
    half = 0.5 * float(f"1e{last}")  # infinite where ``**`` would raise
    return (number, half) if math.isfinite(number) and math.isfinite(half) else None


def _stated(run: Run, scored: Scored, key: str, line: str, read: Reader) -> str | None:
    """What both logs state, read; the detail log's where they differ, which is a problem."""
    said = [(fact, log, read(fact.text)) for log, name in ((run.detail, key), (run.summary, line))
            if log is not None and (fact := log.get(name)) is not None]  # fmt: skip
    known = [(fact, log, text) for fact, log, text in said if text]
    for fact, log, _ in said:
        scored.use(log, fact)
    if len({_short(text) for _, _, text in known}) > 1:
        (_, log, one), (fact, other, two) = known
        found = f"{fact.key} is {two!r} here and {one!r} in the detail log."
        scored.note(other.where(fact), "logs-differ", found, f"{log.form} was taken, as the checker does.")
    for fact, log, text in said:
        if not text:
            scored.note(log.where(fact), "damaged-line", f"{fact.key} {fact.text!r} is not known.", "It was left out.")
    return known[0][2] if known else None


def _short(text: str) -> str:
    """Modes are `PerformanceOnly` in one log and `Performance` in the other."""
    return text.removesuffix("only").removesuffix("run")


def _validity(run: Run, scored: Scored) -> bool | None:
    """Whether LoadGen calls the result valid; what it holds against an invalid one."""
    words = {"VALID": "VALID", "INVALID": "INVALID"}
    said = _stated(run, scored, "result_validity", "Result is", words.get)
    if said is None:
        found = "the log does not say whether the result is valid."
        scored.note(run.first.where(), "no-validity", found, "The result is kept.")
    elif said == "INVALID":
        reasons = ", ".join(reasons_against(run)) or "LoadGen gives no reason"
        steps = " and ".join(dict.fromkeys(step for _, step in _against(run)))
        fix = "A figure of it is marked as invalid." + (f" For a valid one {steps}." if steps else "")
        scored.note(run.first.where(), "invalid-result", f"LoadGen calls the result INVALID: {reasons}.", fix)
    return None if said is None else said == "VALID"


def reasons_against(run: Run) -> Iterator[str]:
    """What LoadGen holds against a run, in words."""
    return (reason for reason, _ in _against(run))


def _against(run: Run) -> Iterator[tuple[str, str]]:
    """What LoadGen holds against a run, and what to do."""
    for key, line, reason, step in _REASONS:
        stated = [fact.text.casefold() for log in run.logs for name in (key, line) if (fact := log.get(name))]
        if "false" in stated or "no" in stated:
            yield reason, step
