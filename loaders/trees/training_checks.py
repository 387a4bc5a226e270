"""Would a training result count? One group of logs held against the rules: its runs, their ends, seeds and times.

How many runs a benchmark needs and drops is for the catalog to say; what the official compliance checker asks of single
lines of a log is not asked here.
"""

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from loaders.trees.training_group import Group
from loaders.trees.training_log import RunLog
from loaders.trees.training_paths import benchmark_of
from loaders.trees.training_results import grade
from loaders.trees.training_score import Scored
from mlperf.errors import Where
from mlperf.facts import Benchmark, facts
from mlperf.model import Check
from mlperf.rules import rules

Outcome = Literal["met", "broken", "unknown"]

_SHOWN: Final = 3
"""Runs that are named in one sentence; more are counted."""


@dataclass(frozen=True)
class _Runs:
    """A group in the order of its runs."""

    group: Group
    names: tuple[str, ...]
    logs: tuple[RunLog, ...]
    written: str | None
    benchmark: Benchmark | None
    scored: Scored | str

    @property
    def failed(self) -> list[int]:
        """The positions of runs that did not reach the target."""
        return [at for at, log in enumerate(self.logs) if log.status != "success"]

    @property
    def is_rate(self) -> bool:
        """Whether the score is a rate of models, which takes any number of runs above the least and drops none."""
        return self.group.is_rate

    @property
    def unknown(self) -> str:
        """Why nothing is known of what the benchmark needs."""
        return "no folder and no log names the benchmark" if self.written is None else f"{self.written} is not known"

    def where(self, at: int | None) -> Where:
        """The end of a run; the folder for None."""
        return self.group.where if at is None else self.logs[at].where

    def list(self, positions: Sequence[int]) -> str:
        """Runs by their files, the first few of many."""
        names = [f"{self.names[at]}.txt" for at in positions]
        return ", ".join(names[:_SHOWN]) + (f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else "")


def checks(group: Group) -> tuple[Check, ...]:
    """Every rule that the logs tell something of, in the order in which a person would ask."""
    names, written = tuple(group.names()), group.written()
    logs = tuple(group.logs[name] for name in names)
    benchmark = group.known_benchmark
    scored = grade(group, benchmark, written or "", logs)
    runs = _Runs(group, names, logs, written, benchmark, scored)
    return tuple(_checks(runs))


def _checks(runs: _Runs) -> Iterator[Check]:
    yield _number(runs)
    yield _successful(runs)
    yield _reached(runs)
    yield from _accurate(runs)
    if not runs.is_rate:
        yield _dropped(runs)
    yield from _seeds(runs)
    yield _times(runs)
    yield _claim(runs)


def _count(count: int) -> str:
    return f"{count} run" if count == 1 else f"{count} runs"


def _number(runs: _Runs) -> Check:
    needed = runs.benchmark.runs if runs.benchmark else None
    count = len(runs.logs)
    is_enough = needed is not None and (count >= needed if runs.is_rate else count == needed)
    outcome: Outcome = "unknown" if not needed else "met" if is_enough else "broken"
    text = (
        f"{'at least ' if runs.is_rate else ''}{_count(needed)}"
        if needed
        else f"what the benchmark needs; {runs.unknown}"
    )
    return Check("Number of runs", outcome, _count(len(runs.logs)), text, runs.group.where, rules().source("runs"))


def _successful(runs: _Runs) -> Check:
    """How many runs reached the target; as many as the score drops on one side may fail."""
    succeeded = len(runs.logs) - len(runs.failed)
    needed, allowed = (runs.benchmark.runs, runs.benchmark.dropped) if runs.benchmark else (None, None)
    found, source = f"{succeeded} of {_count(len(runs.logs))}", rules().source("success")
    where = runs.where(runs.failed[0] if runs.failed else None)
    if not needed or allowed is None:
        text = f"what the benchmark needs; {runs.unknown}"
        return Check("Successful runs", "unknown", found, text, where, source)
    least = needed if runs.is_rate else needed - allowed
    outcome: Outcome = "met" if succeeded >= least else "broken"
    text = f"at least {_count(least)}" if runs.is_rate else f"at least {least} of {needed} runs"
    return Check("Successful runs", outcome, found, text, where, source)


def _reached(runs: _Runs) -> Check:
    """What became of the runs that did not reach the target: a dropped one does not matter."""
    source, needed = rules().source("target"), "status success in run_stop of every run that the score counts"
    if not runs.logs:
        return Check("Target reached", "unknown", "no run", needed, runs.group.where, source)
    if not runs.failed:
        return Check("Target reached", "met", "status success in every run", needed, runs.where(0), source)
    told = [f"{runs.names[at]}.txt {runs.logs[at].status}" for at in runs.failed]
    found = ", ".join(told[:_SHOWN]) + (f" and {len(told) - _SHOWN} more" if len(told) > _SHOWN else "")
    if isinstance(runs.scored, Scored):
        return Check("Target reached", "met", f"{found}; dropped", needed, runs.where(runs.failed[0]), source)
    allowed = runs.benchmark.dropped if runs.benchmark else None
    outcome: Outcome = "unknown" if allowed is None or len(runs.failed) <= allowed else "broken"
    return Check("Target reached", outcome, found, needed, runs.where(runs.failed[0]), source)


def _accurate(runs: _Runs) -> Iterator[Check]:
    """Whether the last evaluation of each run that calls itself a success is what the closed division asks for."""
    target = rules().training_target(runs.group.round, runs.benchmark.id if runs.benchmark else None, runs.group.kind)
    division = facts().division(runs.group.told("division", "division") or "")
    reached = [at for at, log in enumerate(runs.logs) if log.status == "success"]
    if target is None or division == "open" or not reached:
        return
    is_error = target.key == "eval_error"
    figures = {at: runs.logs[at].error if is_error else runs.logs[at].accuracy for at in reached}
    told = {at: figure for at, figure in figures.items() if figure is not None}
    missed = [at for at, accuracy in told.items() if not target.holds(accuracy)]
    needed = f"{target.text} in the last evaluation of every run that succeeded"
    if missed:
        found = ", ".join(f"{runs.names[at]}.txt {told[at]:g}" for at in missed[:_SHOWN])
        found += f" and {len(missed) - _SHOWN} more" if len(missed) > _SHOWN else ""
        yield Check("Target accuracy", "broken", found, needed, runs.where(missed[0]), target.source)
    elif len(told) < len(reached):
        found = f"{len(told)} of {_count(len(reached))} log one"
        yield Check("Target accuracy", "unknown", found, needed, runs.where(reached[0]), target.source)
    else:
        found = f"{min(told.values()):g} to {max(told.values()):g}"
        yield Check("Target accuracy", "met", found, needed, runs.where(reached[0]), target.source)


def _dropped(runs: _Runs) -> Check:
    """Which runs the score leaves out."""
    source, benchmark = rules().source("dropped"), runs.benchmark
    if benchmark is None or not benchmark.runs or benchmark.dropped is None:
        return Check("Dropped runs", "unknown", "no score", runs.unknown, runs.group.where, source)
    is_median = benchmark.scoring == "median"
    side = (benchmark.runs - 1) // 2 if is_median else benchmark.dropped
    needed = f"the {side} fastest and the {side} slowest of {benchmark.runs}" + (" (median)" if is_median else "")
    if isinstance(runs.scored, str):
        return Check("Dropped runs", "unknown", f"no score: {runs.scored}", needed, runs.group.where, source)
    left = [at for at in range(len(runs.logs)) if at not in runs.scored.counted]
    order = sorted(left, key=lambda at: _minutes(runs.logs[at]))
    slow = order[len(order) - (benchmark.runs - side - len(runs.scored.counted)) :]
    fast = [at for at in order if at not in slow]
    found = f"fastest: {_timed(runs, fast)}; slowest: {_timed(runs, slow)}"
    return Check("Dropped runs", "met", found, needed, runs.where(order[0]) if order else runs.group.where, source)


def _minutes(log: RunLog) -> float:
    return log.minutes if log.status == "success" and log.minutes is not None else math.inf


def _timed(runs: _Runs, positions: Sequence[int]) -> str:
    """Runs with their minutes, or why they have none."""
    return ", ".join(
        f"{runs.names[at]}.txt " + (f"({_minutes(log):.6g} min)" if log.status == "success" else f"({log.status})")
        for at in positions
        for log in (runs.logs[at],)
    )


def _seeds(runs: _Runs) -> Iterator[Check]:
    """No two runs log the same seed on the same line of the same source; every run logs one.

    Source: mlcommons/logging seed_checker.py, from round 1.0, in the closed division.
    """
    source = rules().training_seeds(runs.group.round, runs.group.kind)
    division = facts().division(runs.group.told("division", "division") or "")
    if source is None or division == "open" or not runs.logs:
        return
    first: dict[tuple[int, str], int] = {}
    same: list[tuple[int, int, int]] = []  # a run, the earlier run, the line
    for at, log in enumerate(runs.logs):
        for seed in log.seeds:
            earlier = first.setdefault((seed.value, seed.origin), at)
            if earlier != at:
                same.append((at, earlier, seed.line))
    silent = [at for at, log in enumerate(runs.logs) if not log.seeds]
    needed = "a seed in every run, each different from the other runs'"
    if same:
        at, earlier, line = same[0]
        value = next(seed.value for seed in runs.logs[at].seeds if seed.line == line)
        alike = len({run for run, _, _ in same})
        found = f"{runs.list([at])} has the seed {value} of {runs.list([earlier])}"
        found += f", {_count(alike)} in all" if alike > 1 else ""
        yield Check("Seeds differ", "broken", found, needed, Where(runs.logs[at].where.file, line), source)
    elif silent:
        found = f"no seed was met in {runs.list(silent)}; the seed checker refuses a log without one"
        yield Check("Seeds differ", "unknown", found, needed, Where(runs.logs[silent[0]].where.file), source)
    else:
        found = f"{len(first)} different seeds in {_count(len(runs.logs))}"
        where = Where(runs.logs[0].where.file, runs.logs[0].seeds[0].line)
        yield Check("Seeds differ", "met", found, needed, where, source)


def _times(runs: _Runs) -> Check:
    """Runs that begin and end in the same milliseconds are one run; those that share one of both may be."""
    source, needed = rules().source("times"), "no two runs that begin and end at the same time"
    spans = [(log.started_ms, log.stopped_ms) for log in runs.logs]
    counts = Counter(span for span in spans if None not in span)
    copies = [at for at, span in enumerate(spans) if counts[span] > 1]
    if copies and runs.is_rate:
        found = f"{runs.list(copies)} begin and end in the same milliseconds, as two instances side by side may"
        return Check("Runs of their own", "unknown", found, needed, runs.where(copies[1]), source)
    if copies:
        found = f"{runs.list(copies)} begin and end in the same milliseconds: copies"
        return Check("Runs of their own", "broken", found, needed, runs.where(copies[1]), source)
    ends = (("begin", [start for start, _ in spans]), ("end", [stop for _, stop in spans]))
    for what, times in () if runs.is_rate else ends:  # instances side by side begin together
        alike_times = Counter(times)
        alike = [at for at, time in enumerate(times) if time is not None and alike_times[time] > 1]
        if alike:
            found = f"{runs.list(alike)} {what} in the same millisecond, but not both begin and end"
            return Check("Runs of their own", "unknown", found, needed, runs.where(alike[1]), source)
    if not any(None not in span for span in spans):
        return Check("Runs of their own", "unknown", "no run with both times", needed, runs.group.where, source)
    found = f"{_count(len(runs.logs))} at times of their own"
    return Check("Runs of their own", "met", found, needed, runs.group.where, source)


def _claim(runs: _Runs) -> Check:
    """What logs say they run against their folder."""
    source, rule = rules().source("benchmark"), "Benchmark of the logs"
    needed = f"{runs.benchmark.id}, by its folder" if runs.group.benchmark and runs.benchmark else "one known benchmark"
    claimed = [(at, log.benchmark) for at, log in enumerate(runs.logs) if log.benchmark]
    if not claimed:
        return Check(rule, "unknown", "the logs do not say it", needed, runs.group.where, source)
    others = [at for at, name in claimed if benchmark_of(name) != runs.benchmark]
    shown = (others or [at for at, _ in claimed])[0]
    where = Where(runs.logs[shown].where.file, runs.logs[shown].benchmark_line)
    names = ", ".join(sorted({name for _, name in claimed}))
    if runs.benchmark is None:
        return Check(rule, "unknown", names, needed, where, source)
    outcome: Outcome = "broken" if others else "met"
    return Check(rule, outcome, f"{names}{' in ' + runs.list(others) if others else ''}", needed, where, source)
