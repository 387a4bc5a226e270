"""Would an inference result count? Its logs held against the rules of its round, rule by rule.

The limits are data (`mlperf/rules.py`); whether LoadGen itself calls a run valid, long enough and fast enough is taken
from its logs. No file is read and no score made here.
"""

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final, Literal

from loaders.trees.accuracy import Accuracy
from loaders.trees.endpoints import TPOT, TTFT, Endpoint
from loaders.trees.inference_power import Power
from loaders.trees.inference_score import PERFORMANCE, Run, reasons_against
from loaders.trees.loadgen import Fact
from mlperf.errors import Where
from mlperf.facts import facts
from mlperf.model import Check
from mlperf.rules import SEEDS, Bound, LatencyBound, Target, TokenLimits, rules

Outcome = Literal["met", "broken", "unknown"]

_NUMBER: Final = re.compile(r"[-+]?\d+(?:\.\d*)?(?:[eE][-+]?\d{1,3})?")
_WORDS: Final = {"true": True, "yes": True, "false": False, "no": False}
_PER_MS: Final = 1e6
"""Nanoseconds in a millisecond."""

_TIMED: Final = frozenset({"Server", "Interactive"})
"""Scenarios whose latency is limited in every round."""


@dataclass(frozen=True)
class Subject:
    """What is known of one result, or of logs that give none."""

    group: str
    round_id: str | None
    division: str | None
    """As written; None where nothing names it, which is held against the rules of closed."""
    benchmark: str | None
    scenario: str | None
    """Of the folder; None where no folder names it."""
    logged: str | None = None
    """The scenario that the log names."""
    run: Run | None = None
    endpoint: Endpoint | None = None
    quality: Accuracy | None = None
    power: Power | None = None
    """None for a result without power."""

    @property
    def is_open(self) -> bool:
        """The open division has no limits and no targets of its own."""
        return facts().division(self.division or "") == "open"

    @property
    def timed(self) -> str:
        """The scenario whose limits hold: an Interactive log calls itself Server."""
        is_interactive = self.scenario == "Interactive" and self.logged in {"Server", None}
        return "Interactive" if is_interactive else self.logged or self.scenario or ""

    @property
    def lack(self) -> str:
        """Why no rule was found."""
        if self.round_id is None or facts().round("inference", self.round_id) is None:
            return "nothing says of which round this is"
        if self.benchmark is None:
            return "nothing says of which benchmark this is"
        return f"no limit is known for {self.benchmark} {self.timed} of {self.round_id}"

    @property
    def is_placed(self) -> bool:
        """Whether the round is known, so that a missing rule means that there is none."""
        return self.round_id is not None and facts().round("inference", self.round_id) is not None


def checks(subject: Subject) -> tuple[Check, ...]:
    """Every rule that the files tell something of, in the order in which a person would ask."""
    if subject.run is not None:
        return tuple(_of_run(subject, subject.run))
    if subject.endpoint is not None:
        return tuple(_of_endpoint(subject, subject.endpoint))
    return (_no_log(subject), *_accuracy(subject))


def _no_log(subject: Subject) -> Check:
    found = "no performance log" + (", only accuracy.txt" if subject.quality else "")
    needed = "mlperf_log_detail.txt or mlperf_log_summary.txt of a performance run"
    return Check("Performance run", "broken", found, needed, Where(subject.group), rules().source("mode"))


def _of_run(subject: Subject, run: Run) -> Iterator[Check]:
    mode = _mode(run)
    yield mode
    yield _validity(run)
    if mode.verdict != "broken":
        yield _duration(subject, run)
        yield _queries(subject, run)
        yield from _samples(subject, run)
        yield from _early_stopping(subject, run)
        yield from _latency(subject, run)
        yield from _seeds(subject, run)
    yield from _accuracy(subject)
    yield from _power(subject, run)


# --- what the logs say ---


@dataclass(frozen=True)
class _Told:
    """One fact of a run; `fact` is None where no log of it holds the key."""

    fact: Fact | None
    where: Where

    @property
    def number(self) -> float | None:
        """The fact as a finite number."""
        if self.fact is None or _NUMBER.fullmatch(self.fact.text) is None:
            return None
        number = float(self.fact.text)
        return number if math.isfinite(number) else None

    @property
    def milliseconds(self) -> float | None:
        """The fact, which is in nanoseconds, in milliseconds."""
        return None if self.number is None else self.number / _PER_MS

    @property
    def word(self) -> bool | None:
        """The fact as yes or no."""
        return _WORDS.get(self.fact.text.casefold()) if self.fact is not None else None


def _told(run: Run, name: str) -> _Told:
    """What the detail log says, else the summary, as the checker prefers them."""
    key = rules().keys[name]
    for log, asked in ((run.detail, key.detail), (run.summary, key.summary)):
        fact = log.get(asked) if log is not None and asked is not None else None
        if log is not None and fact is not None:
            return _Told(fact, log.where(fact))
    return _Told(None, run.first.where())


def _outcome(*answers: bool | None) -> Outcome:
    """Broken by one No; else unknown by one missing answer."""
    if False in answers:
        return "broken"
    return "unknown" if None in answers else "met"


def _said(word: bool | None, yes: str, no: str) -> str:
    return "LoadGen does not say whether" if word is None else f"LoadGen: {yes if word else no}"


def _ms(number: float) -> str:
    """Milliseconds to the nanosecond, as logs have them: `600,000 ms`, `14.25 ms`."""
    return f"{number:,.6f}".rstrip("0").rstrip(".") + " ms"


def _mode(run: Run) -> Check:
    told = _told(run, "mode")
    said = told.fact.text if told.fact is not None else None
    outcome: Outcome = "unknown" if not said else "met" if said.casefold() in PERFORMANCE else "broken"
    found = f"mode {said}" if said else "the log does not say its mode, as a summary of accuracy mode does not"
    if outcome == "broken":
        found += ", which measures no performance"
    return Check("Performance run", outcome, found, "mode PerformanceOnly", told.where, rules().source("mode"))


def _validity(run: Run) -> Check:
    told = _told(run, "validity")
    said = told.fact.text if told.fact is not None else None
    outcome: Outcome = "met" if said == "VALID" else "broken" if said == "INVALID" else "unknown"
    reasons = ", ".join(reasons_against(run))
    found = "the log does not say it" if outcome == "unknown" else f"{said}{': ' + reasons if reasons else ''}"
    return Check("LoadGen's verdict", outcome, found, "VALID", told.where, rules().source("validity"))


# --- how long, how many ---


def _duration(subject: Subject, run: Run) -> Check:
    bound = None if subject.is_open else rules().duration(subject.round_id, subject.benchmark)
    return _minimum(subject, run, "Minimum duration", ("min_duration", "duration_met", "duration"), bound, "ms")


def _queries(subject: Subject, run: Run) -> Check:
    bound = None if subject.is_open else rules().queries(subject.round_id, subject.logged or "", subject.benchmark)
    check = _minimum(subject, run, "Minimum query count", ("min_queries", "queries_met", "queries"), bound, "queries")
    issued = _told(run, "queries").number
    return check if issued is None else replace(check, found=f"{check.found}; {issued:,.15g} issued")


def _minimum(
    subject: Subject, run: Run, rule: str, names: tuple[str, str, str], bound: Bound | None, unit: str
) -> Check:
    """A minimum that LoadGen was set, against the rule's, and whether LoadGen calls it reached."""
    setting, reached = _told(run, names[0]), _told(run, names[1])
    is_enough: bool | None = True
    needed = f"the {unit} that were set, reached"
    if bound is not None:
        is_enough = None if setting.number is None else setting.number >= bound.number
        needed = f"at least {bound.number:,.0f} {unit} set, and reached"
    elif not subject.is_open and not subject.is_placed:
        is_enough, needed = None, f"{needed}; {subject.lack}, so how many it asks for is not known"
    text = "minimum not logged" if setting.number is None else f"{setting.number:,.15g} {unit} set"
    found = f"{text}; {_said(reached.word, 'reached', 'not reached')}" + (
        " it was reached" if reached.word is None else ""
    )
    where = reached.where if is_enough is not False and reached.word is not True else setting.where
    source = bound.source if bound is not None else rules().source(names[2])
    return Check(rule, _outcome(is_enough, reached.word), found, needed, where, source)


def _samples(subject: Subject, run: Run) -> Iterator[Check]:
    """Samples in the one query of Offline."""
    bound = rules().samples(subject.round_id, subject.logged or "", subject.benchmark)
    if bound is None or subject.is_open:
        return
    told = _told(run, "samples_per_query")
    found = "not logged" if told.number is None else f"{told.number:,.15g} samples"
    outcome = _outcome(None if told.number is None else told.number >= bound.number)
    yield Check("Samples per query", outcome, found, f"at least {bound.number:,.0f} samples", told.where, bound.source)


def _early_stopping(subject: Subject, run: Run) -> Iterator[Check]:
    source = rules().early_stopping(subject.round_id, subject.logged or "")
    if source is None:
        return
    told = _told(run, "early_stopping_met")
    found = {True: "LoadGen: met", False: "LoadGen: not met, too few queries", None: "the log does not say it"}
    yield Check("Early stopping", _outcome(told.word), found[told.word], "met", told.where, source)


# --- how fast ---


def _latency(subject: Subject, run: Run) -> Iterator[Check]:
    """The limit of the 99th percentile, or those of the tokens; LoadGen's own word where no limit is known."""
    limits = None if subject.is_open else rules().tokens(subject.round_id, subject.timed, subject.benchmark)
    if limits is not None:
        yield from _tokens(_told(run, "first_token"), _told(run, "output_token"), limits)
        return
    bound = None if subject.is_open else rules().latency(subject.round_id, subject.timed, subject.benchmark)
    if bound is not None:
        yield _percentile(subject, run, bound)
    elif subject.timed in _TIMED:
        kept = _told(run, "latency_met")
        needed = "the limit that was set, kept" + ("" if subject.is_open else f"; {subject.lack}")
        outcome = _outcome(kept.word, True if subject.is_open else None)
        found = _said(kept.word, "kept", "not kept") + (" it was kept" if kept.word is None else "")
        yield Check(f"Latency limit of {subject.timed}", outcome, found, needed, kept.where, rules().source("latency"))


def _percentile(subject: Subject, run: Run, bound: LatencyBound) -> Check:
    """The measured percentile; with early stopping the limit that LoadGen was set, too."""
    measured = _told(run, bound.fact if bound.fact != "latency" or subject.timed != "MultiStream" else "query_latency")
    setting, kept = _told(run, "target_latency"), _told(run, "latency_met")
    is_early = rules().early_stopping(subject.round_id, subject.logged or "") is not None
    target, percentile = setting.milliseconds, measured.milliseconds
    is_set = True if not is_early else None if target is None else target <= bound.number
    is_fast = None if percentile is None else percentile <= bound.number
    texts = [
        f"{bound.name} not logged" if percentile is None else f"{bound.name} {_ms(percentile)}",
        "limit not logged" if target is None else f"limit set to {_ms(target)}",
        _said(kept.word, "kept", "not kept") + (" it was kept" if kept.word is None else ""),
    ]
    where = setting.where if is_set is False else kept.where if kept.word is False else measured.where
    needed = f"{bound.name} at most {_ms(bound.number)}" + (", and no higher limit set" if is_early else "")
    rule = f"Latency limit of {subject.timed}"
    return Check(rule, _outcome(is_set, is_fast, kept.word), "; ".join(texts), needed, where, bound.source)


def _tokens(first: _Told, output: _Told, limits: TokenLimits) -> Iterator[Check]:
    yield _token(
        "Time to first token", "99th percentile", first.milliseconds, (limits.ttft, None), first.where, limits.source
    )
    yield _token(
        "Time per output token",
        "99th percentile",
        output.milliseconds,
        (limits.tpot, limits.other_tpot),
        output.where,
        limits.source,
    )


def _token(
    rule: str, what: str, number: float | None, limits: tuple[float, float | None], where: Where, source: str
) -> Check:
    """Below both limits is met, below none broken; below one of two that differ it cannot be told."""
    both = [limit for limit in limits if limit is not None]
    answers = [None if number is None else number < limit for limit in both]
    outcome = _outcome(answers[0] if len(set(answers)) == 1 else None)
    found = "not logged: the run measured no token latencies" if number is None else f"{what} {_ms(number)}"
    needed = f"{what} below {_ms(both[0])}" + (f" (the rules' text: {_ms(both[1])})" if len(both) > 1 else "")
    return Check(rule, outcome, found, needed, where, source)


def _seeds(subject: Subject, run: Run) -> Iterator[Check]:
    known = None if subject.is_open else rules().seeds(subject.round_id)
    if known is None:
        return
    wanted, source = known
    told = {name: _told(run, name) for name in SEEDS}
    wrong = [name for name in SEEDS if (fact := told[name].fact) is not None and fact.text != wanted[name]]
    lacking = [name for name in SEEDS if told[name].fact is None]
    first = (wrong or lacking or list(SEEDS))[0]
    found = ", ".join(f"{name} {fact.text if (fact := told[name].fact) else 'not logged'}" for name in wrong or SEEDS)
    needed = "those of " + f"{subject.round_id}: " + ", ".join(f"{name} {wanted[name]}" for name in wrong or SEEDS)
    outcome = _outcome(False if wrong else None if lacking else True)
    yield Check("Seeds of the round", outcome, found, needed, told[first].where, source)


# --- how good, and at what power ---


def _accuracy(subject: Subject) -> Iterator[Check]:
    """Each metric against its target; the open division has none."""
    if subject.is_open:
        return
    targets, quality = rules().accuracy(subject.round_id, subject.benchmark, subject.scenario), subject.quality
    if quality is None:
        file = "accuracy/accuracy.txt" if subject.endpoint is None else "accuracy that we read"
        needed = "; ".join(_wanted(target) for target in targets) or "the target of the benchmark"
        yield Check("Accuracy", "unknown", f"no {file}", needed, Where(subject.group), rules().source("accuracy"))
        return
    if not targets:
        found, needed = quality.text(subject.benchmark), f"the target of the benchmark; {_no_target(subject)}"
        source = rules().source("accuracy")
        yield Check("Accuracy", "unknown", found or "no metric that we know", needed, quality.where, source)
    for target in targets:
        yield _target(quality, target)


def _no_target(subject: Subject) -> str:
    return subject.lack.replace("limit", "target") if subject.benchmark else subject.lack


def _wanted(target: Target) -> str:
    most = "" if target.most is None else f" and at most {target.most:.9g}"
    return f"{target.metric} at least {target.least:.9g}{f' ({target.basis})' if target.basis else ''}{most}"


def _target(quality: Accuracy, target: Target) -> Check:
    told = {name: (text, line) for (name, text), line in zip(quality.metrics, quality.lines, strict=True)}
    text, line = told.get(target.metric, (None, None))
    number = float(text) if text is not None and _NUMBER.fullmatch(text) else None
    is_high = None if number is None else number >= target.least
    is_low = True if target.most is None else None if number is None else number <= target.most
    found = f"{target.metric} {text}" if number is not None else f"{target.metric} is not in the file"
    where = Where(quality.where.file, line)
    return Check(f"Accuracy: {target.metric}", _outcome(is_high, is_low), found, _wanted(target), where, target.source)


def _power(subject: Subject, run: Run) -> Iterator[Check]:
    """Whether the meter's readings cover the run."""
    power = subject.power
    if power is None:
        return
    begin, end = (run.detail.get(key) if run.detail else None for key in ("power_begin", "power_end"))
    needed = "readings over the whole run"
    if begin and end:
        needed += f", {begin.text} to {end.text}"
    against = [problem for problem in power.problems if problem.kind in {"power-window", "missing-power", "power-gap"}]
    broken = [problem for problem in against if problem.kind == "power-window"]
    if broken:
        outcome: Outcome = "broken"
    else:
        outcome = "met" if power.value is not None else "unknown"
    texts = [problem.found.rstrip(".") for problem in broken or against]
    found = "; ".join(texts) or f"readings of the run, which give {power.value:,.6g} {power.unit}"
    place = run.detail.where(begin) if run.detail and begin else Where(subject.group)
    where = (broken or against)[0].where if against and outcome != "met" else place
    yield Check("Power measured over the run", outcome, found, needed, where, rules().source("power"))


# --- v6.1 endpoints ---


def _of_endpoint(subject: Subject, log: Endpoint) -> Iterator[Check]:
    told = dict(log.numbers)
    source = rules().source("complete")
    state = [
        f"state {log.state!r}" if log.state else "",
        "" if log.is_complete is None else f"complete {log.is_complete}",
    ]
    outcome = _outcome(log.state == "complete" if log.state else None, log.is_complete)
    found = ", ".join(text for text in state if text) or "the log does not say it"
    at = log.at("complete" if log.is_complete is False else "state")
    yield Check("Run complete", outcome, found, "state 'complete', complete True", at, source)
    failed = told.get("n_samples_failed")
    found = "the log does not say it" if failed is None else f"{failed:,.0f} samples failed"
    outcome = _outcome(None if failed is None else failed == 0)
    yield Check("No failed samples", outcome, found, "0 samples", log.at("n_samples_failed"), source)
    yield _endpoint_duration(subject, log, told.get("duration_ns"))
    limits = None if subject.is_open else rules().tokens(subject.round_id, subject.timed, subject.benchmark)
    if limits is not None:
        for rule, key, pair in (
            ("Time to first token", TTFT, (limits.ttft, None)),
            ("Time per output token", TPOT, (limits.tpot, limits.other_tpot)),
        ):
            number = told[key] / _PER_MS if key in told else None
            yield _token(rule, "early stopping's 99th percentile", number, pair, log.at(key), limits.source)
    elif subject.timed in _TIMED and not subject.is_open:
        rule = f"Latency limit of {subject.timed}"
        yield Check(rule, "unknown", subject.lack, "its limit, kept", log.where, rules().source("tokens"))
    yield from _accuracy(subject)


def _endpoint_duration(subject: Subject, log: Endpoint, nanoseconds: float | None) -> Check:
    """Told, not judged: nothing says yet what minimum holds for endpoints."""
    ran = "the log does not say how long it ran" if nanoseconds is None else f"ran {_ms(round(nanoseconds / _PER_MS))}"
    needed = "the minimum of the round, which is not known for endpoints"
    return Check("Minimum duration", "unknown", ran, needed, log.at("duration_ns"), rules().source("complete"))
