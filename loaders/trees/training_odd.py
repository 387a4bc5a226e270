"""What is odd about a group of training logs: runs held against each other, its folder and its other files.

Nothing is left out for it: each `Problem` says what does not go together and what was taken.
"""

import math
import statistics
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Final

from loaders.trees.training_group import Group, converged
from loaders.trees.training_log import RunLog
from loaders.trees.training_paths import benchmark_of
from mlperf.errors import Problem

ODD_PACE: Final = 0.02
"""Of the median pace, and `ODD_SPREAD` times the spread of the middle half: a run that is farther off than both is odd.
Of 19,410 published runs that converged in groups of `MIN_PACES` at least, 98 are."""
ODD_SPREAD: Final = 5.0
MIN_PACES: Final = 5
FEW_PACES: Final = 3
ODD_PACE_OF_FEW: Final = 0.1
"""In groups of three or four, of which all 456 published runs are within 0.071 of the median."""

ODD_DAYS: Final = 60
"""A run began so long before or after the others: of 19,866 published runs none is over 51 days from the median."""

SCALING: Final = (1.0, 1.25)
"""All 497 published factors lie between 1.0003 and 1.189."""


MEASURED: Final = 0.95
"""Of the run: all 1,315 files of nodes of v4.0 … v5.0 measure 0.963 of it at least."""

ODD_LACK: Final = 2.5
"""Usual steps, and times the spread of the middle half, by which what a file measures beyond its run may be less than
the median of its group."""

ODD_STEPS: Final = 1.1
"""Times the usual step of a group's files: in these it is 1.01 at most."""


Runs = Mapping[str, RunLog]
"""By name, in their natural order."""


def oddities(group: Group) -> Iterator[Problem]:
    """All that does not go together."""
    runs = {name: group.logs[name] for name in group.names()}
    yield from _claims(group)
    yield from _formats(group)
    yield from _copies(group, runs)
    yield from _paces(group, runs)
    yield from _dates(runs)
    yield from _factors(group)
    yield from _conversions(group)
    yield from _measured(group)
    yield from _steps(group)
    yield from _switches(group)


def _claims(group: Group) -> Iterator[Problem]:
    """A Problem where logs say that they run another benchmark than their folder does."""
    claimed = group.claimed()
    folder = benchmark_of(group.benchmark or "")
    others = [name for name in claimed if folder and benchmark_of(name) != folder]
    if others and folder:
        found = f"{sum(claimed[name] for name in others)} logs of {folder.id} say they run {', '.join(sorted(others))}."
        yield Problem(group.where, "benchmark-differs", found[:300], "The folder's name was taken.")


def _formats(group: Group) -> Iterator[Problem]:
    """Logs in the format of one round under another: its checker does not read them."""
    others = Counter(log.round for log in group.logs.values() if log.round and group.round not in {None, log.round})
    for round_id, count in others.items():
        found = f"{count} logs are written as those of {round_id}, the group is of {group.round}."
        yield Problem(
            group.where, "other-format", found, f"They were taken; the checker of {group.round} refuses them."
        )


def _copies(group: Group, runs: Runs) -> Iterator[Problem]:
    """A Problem where runs of one group begin or end in the same millisecond: each may be a copy of another."""
    if group.is_rate:  # instances side by side begin together
        return
    for what, times in (
        ("begin", {name: log.started_ms for name, log in runs.items()}),
        ("end", {name: log.stopped_ms for name, log in runs.items()}),
    ):
        counts = Counter(times.values())
        alike = [f"{name}.txt" for name, time in times.items() if time is not None and counts[time] > 1]
        if alike:
            found = f"{', '.join(alike)} {what} in the same millisecond as another of them."
            fix = "All were counted, as the official tool does; one may be a copy of another."
            yield Problem(group.where, "same-times", found, fix)


def _paces(group: Group, runs: Runs) -> Iterator[Problem]:
    """A Problem for each run that took much longer or shorter for what it trained than the others of its group.

    The minutes and the epochs (or samples) come from different lines, so that a damaged time shows here.
    """
    benchmark = group.known_benchmark
    successes = [
        (name, log.minutes, *converged(benchmark, log))
        for name, log in runs.items()
        if log.status == "success" and log.minutes
    ]
    for what, times in (
        ("sample", {name: minutes / samples for name, minutes, _, samples in successes if samples}),
        ("epoch", {name: minutes / epochs for name, minutes, epochs, _ in successes if epochs}),
    ):
        if len(times) == len(successes) >= FEW_PACES:
            yield from _odd_paces(runs, times, what)
            return


def _odd_paces(runs: Runs, paces: Mapping[str, float], what: str) -> Iterator[Problem]:
    first, middle, third = statistics.quantiles(paces.values(), method="inclusive")
    for name, pace in paces.items():
        spread = ODD_SPREAD * (third - first) if len(paces) >= MIN_PACES else ODD_PACE_OF_FEW * middle
        if abs(pace - middle) > max(ODD_PACE * middle, spread):
            found = f"took {pace / middle:,.2f} times as long per {what} as the median of the group."
            yield Problem(runs[name].where, "odd-pace", found, "Its time was taken as it stands; check the run.")


def _dates(runs: Runs) -> Iterator[Problem]:
    """A Problem for each run that began long before or after the others of its group."""
    starts = {name: log.started_ms for name, log in runs.items() if log.started_ms is not None}
    if len(starts) < FEW_PACES:
        return
    middle = statistics.median(starts.values())
    for name, start in starts.items():
        days = (start - middle) / 86_400_000
        if abs(days) > ODD_DAYS:
            found = f"began {abs(days):,.0f} days {'after' if days > 0 else 'before'} the median of the group's runs."
            yield Problem(runs[name].where, "odd-date", found, "It was counted; check that it is of this group.")


def _factors(group: Group) -> Iterator[Problem]:
    for factor in sorted({factor for factor in group.scaling if factor is not None}):
        if not SCALING[0] <= factor <= SCALING[1]:
            found = f"scaling.json states a factor of {factor:g}; published ones are {SCALING[0]:g} to {SCALING[1]:g}."
            yield Problem(group.where, "odd-scaling", found, "The score was multiplied by it; check it.")


def _conversions(group: Group) -> Iterator[Problem]:
    """A Problem for each file of a node that states another efficiency than most of the group, or none.

    The groups of Dell (v4.1) and Lenovo (v5.0) state the same in all files, those of smc (v4.0) in none.
    """
    nodes = [node for found in group.nodes.values() for node in found]
    stated = Counter(node.efficiency for node in nodes)
    usual = max(stated, key=lambda value: (stated[value], value is not None), default=None)
    for node in nodes:
        if node.efficiency != usual:
            ours = "no conversion_eff" if node.efficiency is None else f"{node.efficiency:g} as conversion_eff"
            others = "none" if usual is None else f"{usual:g}"
            found = f"states {ours}; other files of the group state {others}."
            fix = "What it states was taken, and 1 where it states none, as by the official tool; check the file."
            yield Problem(node.where, "power-conversion", found, fix)


def _measured(group: Group) -> Iterator[Problem]:
    """A Problem for each file of a node that covers less than its run, or less beyond it than the others do."""
    nodes = [
        (node, node.seconds, minutes * 60)
        for name, found in group.nodes.items()
        if name in group.logs and (minutes := group.logs[name].minutes)
        for node in found
        if node.seconds is not None
    ]
    middle = least = -math.inf
    if len(nodes) >= MIN_PACES:
        beyond = [seconds - run for _, seconds, run in nodes]
        first, middle, third = statistics.quantiles(beyond, method="inclusive")
        least = middle - ODD_LACK * max(_usual_step(group), third - first)
    for node, seconds, run in nodes:
        if seconds < MEASURED * run:
            said = f"measures {seconds:.1f} s of a run of {run:.1f} s."
            fix = "Its average was taken for the whole run; check that the file is whole and of this run."
            yield Problem(node.where, "power-gap", said, fix)
        if seconds - run < least:
            said = f"lacks {middle - (seconds - run):.1f} s that the other files of the group measure."
            fix = "Its average was taken all the same; check that its beginning and its end are there."
            yield Problem(node.where, "power-gap", said, fix)


def _steps(group: Group) -> Iterator[Problem]:
    """A Problem for each file of a node that reads more seldom than the others."""
    usual = _usual_step(group)
    for found in group.nodes.values():
        for node in found:
            if node.step and node.step > ODD_STEPS * usual:
                said = f"reads each {node.step:.2f} s, the others of the group each {usual:.2f} s."
                yield Problem(node.where, "power-gap", said, "All were counted; copy the file again if it had more.")


def _usual_step(group: Group) -> float:
    """Seconds from reading to reading, in most files of the group; 0 where none says."""
    steps = [node.step for found in group.nodes.values() for node in found if node.step]
    return statistics.median(steps or [0.0])


def _switches(group: Group) -> Iterator[Problem]:
    """A Problem where the switches of one run were estimated otherwise than those of another, or are not there."""
    if not group.has_power:
        return
    told = {name: sorted(group.switches.get(name, [])) for name in group.names() if name in group.nodes}
    if len({tuple(watts) for watts in told.values()}) > 1:
        texts = sorted({f"{len(watts)} with {math.fsum(watts):g} W" for watts in told.values()})
        found = f"the switches differ from run to run: {', '.join(texts)}."
        fix = "Each run's own were counted, those without an estimate as 0 W, as the official tool does."
        yield Problem(group.where, "power-switches", found, fix)
