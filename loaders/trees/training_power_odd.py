"""What speaks against the average power of a node, in its own file; its group's other files are for `training_odd`.

Nothing is left out for it: each `Problem` says what does not go together and what was taken.
"""

import math
import statistics
from collections.abc import Iterator
from itertools import pairwise
from typing import Final

from loaders.limits import shown
from loaders.trees.training_power_log import PowerLog, Span
from mlperf.errors import Problem, Where
from mlperf.metrics import count_text

ODD_STEP: Final = 1.5
"""Times the usual step from reading to reading, from which on one is missing, where it is `CLOCK_MS` longer as well."""

CLOCK_MS: Final = 1000
"""Some meters' clocks show whole seconds."""

ODD_HEAD: Final = 2.5
"""Usual steps from the start to the first reading: in 1,315 files of v4.0 … v5.0 it is more in four only."""

ODD_TAIL: Final = 0.5
"""Usual steps from the last reading to the stop: in all these files both have the very same time."""

HIGHEST: Final = 1.05
"""Times the second highest reading: in 1,315 files of v4.0 … v5.1 the highest is 1.024 times it at most."""

LOWEST: Final = 0.5
"""Times the second lowest: in 1 file of 100 the lowest is less."""

MIN_READINGS: Final = 10


def oddities(log: PowerLog, span: Span) -> Iterator[Problem]:
    """What speaks against the average of a node."""
    where = Where(log.name)
    starts, stops = (len(log.at(f"power_measurement_{end}")) for end in ("start", "stop"))
    if (starts, stops) != (1, 1):
        said = f"the file holds {starts} power_measurement_start and {stops} power_measurement_stop, not one each."
        yield Problem(where, "power-window", said, "The last start and the first stop were taken.")
    if any(later < time for (time, _), (later, _) in pairwise(log.readings)):
        said = "the readings do not stand in the order of their times."
        yield Problem(where, "power-disorder", said, "They were sorted; check that all are of this run.")
    if len(log.hosts) > 1:
        said = f"the readings are of {len(log.hosts)} hosts: {', '.join(map(shown, sorted(log.hosts)[:5]))}."
        yield Problem(where, "power-hosts", said, "All were counted; check that all are of this node.")
    if len(set(log.values("conversion_eff"))) > 1:
        fix = "The last was taken; check which it is."
        yield Problem(where, "power-conversion", "the file states several conversion_eff.", fix)
    if log.factor > 1:
        said = f"the file states a conversion_eff of {log.factor:g}, over 1."
        fix = "It was taken as it stands; if it is a percentage, divide it by 100."
        yield Problem(where, "power-conversion", said, fix)
    if alone := _alone(sorted(watts for _, watts in log.readings)):
        yield Problem(where, "odd-reading", alone, "It was counted, as the official tool does.")
    for said, fix in _gaps(span):
        yield Problem(where, "power-gap", said, fix)


def _gaps(span: Span) -> Iterator[tuple[str, str]]:
    """Where readings are missing, and what was taken for them."""
    times, usual = span.times, usual_step(span)
    if usual is None or len(times) < MIN_READINGS:
        said = f"only {count_text(len(times), 'reading')} of power can be told from each other within the measurement."
        yield said, "They were taken for all of it; copy the file again if there were more."
        return
    apart = f"they stand {usual / 1000:.1f} s apart."
    steps = (later - time for time, later in pairwise(times))
    long = [step for step in steps if step > ODD_STEP * usual and step > usual + CLOCK_MS]
    if long:
        places = f" in {len(long)} places" if len(long) > 1 else ""
        said = f"readings are missing for {math.fsum(long) / 1000:.1f} s{places}; {apart}"
        yield said, "The next reading was taken for that time; copy the file again if it had more."
    if times[0] - span.start > ODD_HEAD * usual:
        said = (
            f"the first reading stands {(times[0] - span.start) / 1000:.1f} s behind power_measurement_start; {apart}"
        )
        yield said, "Its watts were taken for that time, too; check the beginning of the file."
    if not math.isinf(span.stop) and span.stop - times[-1] > ODD_TAIL * usual:
        said = f"the last reading stands {(span.stop - times[-1]) / 1000:.1f} s before power_measurement_stop; {apart}"
        yield said, "That time counts as 0 W, as in the official tool; check the end of the file."


def usual_step(span: Span) -> float | None:
    """The usual milliseconds between readings whose times differ; None where there are no two."""
    steps = [later - time for time, later in pairwise(span.times) if later > time]
    return statistics.median(steps) if steps else None


def _alone(watts: list[float]) -> str | None:
    """The highest or lowest of sorted readings, where it is far from all others; or those that no meter can read."""
    if watts and watts[0] <= 0:
        below = sum(value <= 0 for value in watts)
        is_ = "is" if below == 1 else "are"
        return f"{count_text(below, 'reading')} {is_} not above zero, the lowest {watts[0]:g} W."
    if len(watts) < MIN_READINGS:
        return None
    is_high = watts[-1] > HIGHEST * watts[-2]
    is_low = watts[0] < LOWEST * watts[1] and watts[1] > LOWEST * statistics.median(watts)
    if not is_high and not is_low:
        return None
    odd = watts[-1] if is_high else watts[0]
    return f"a reading of {odd:g} W stands alone: the others are {watts[1]:g} to {watts[-2]:g} W."
