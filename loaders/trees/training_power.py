"""Energy of training runs: `power/result_i/node_*.txt` and `sw_*.txt` to average watts, those to kilojoules of a group.

A file measures while its run lasts, not exactly as long: what counts is its average power times the run's own time.
Source: mlcommons/logging result_summarizer: _compute_power_node, _compute_power_sw, _index_olympic_average.
"""

import math
import re
import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from operator import itemgetter
from typing import Final

from loaders.mllog import Damaged, Event, blocks, events, wanted
from loaders.trees.training_score import Scored
from loaders.unpack import Source
from mlperf.errors import Problem, Where
from mlperf.metrics import count_text

_KEYS: Final = ("power_measurement_start", "power_measurement_stop", "conversion_eff", "interconnect_power_est")
_PATTERN: Final = wanted(_KEYS)
_PATTERN_OF_ALL: Final = wanted((*_KEYS, "power_reading"))
_READING: Final = re.compile(
    rb'G(?<=:::MLLOG) \{"namespace": "[^"\r\n]*+", "time_ms": ([0-9]{1,16}+(?:\.[0-9]++)?+), "event_type": "[A-Z_]++", '
    rb'"key": "power_reading", "value": ([0-9]{1,16}+(?:\.[0-9]++)?+), '
    rb'"metadata": (?:\{[^{}\r\n]*+\}|"")\}[ \t]*+(?=[\r\n]|\Z)'
)
"""A reading as mllog writes it; a file has hundreds."""

ODD_STEP: Final = 1.5
"""Times the usual time between two readings, from which on one is missing."""

HIGHEST: Final = 1.05
"""Times the second highest reading: in 1,315 files of v4.0 … v5.1 the highest is 1.024 times it at most."""

LOWEST: Final = 0.5
"""Times the second lowest: in 1 file of 100 the lowest is less."""

MIN_READINGS: Final = 10

_MOST_WATTS: Final = 1e12

_NO_ENERGY: Final = "The energy of its run was left out."


@dataclass(frozen=True)
class Watts:
    """The average power of one node, or of one switch, during one run."""

    where: Where
    watts: float


def read_power(source: Source, *, is_node: bool) -> Iterator[Watts | Problem]:
    """The average power that one file states; a Problem, and nothing else, where it cannot be told."""
    found: list[Event] = []
    readings: list[tuple[float, float]] = []
    for block in blocks(source):
        plain = [(float(time), float(watts)) for time, watts in _READING.findall(block.data, 0, block.end)]
        is_plain = len(plain) == block.data.count(b"power_reading", 0, block.end)
        readings += plain if is_plain else []
        for item in events(block, _PATTERN if is_plain else _PATTERN_OF_ALL):
            fault = f"is damaged: {item.found}" if isinstance(item, Damaged) else _fault(item)
            if fault is not None:
                yield Problem(Where(source.name, item.line), "damaged-line", f"{fault}.", _NO_ENERGY)
                return
            if isinstance(item, Event) and item.key == "power_reading":
                readings.append((_time(item), _value(item) or 0.0))
            elif isinstance(item, Event):
                found.append(item)
    watts = _node(found, readings) if is_node else _switch(found)
    if isinstance(watts, str):
        yield Problem(Where(source.name), "no-power", watts, _NO_ENERGY)
    else:
        if is_node:
            yield from _odd(source.name, found, readings)
        yield Watts(Where(source.name), watts)


def _fault(item: Event | Damaged) -> str | None:
    """Why an event cannot be used, if it cannot."""
    if not isinstance(item, Event) or item.key not in {*_KEYS, "power_reading"}:
        return None
    if item.time_ms is None:
        return f"{item.key} has no time_ms"
    has_number = item.key.startswith("power_measurement") or _value(item) is not None
    return None if has_number else f"{item.key} is no number"


def _node(found: list[Event], readings: list[tuple[float, float]]) -> float | str:
    """Average watts of a node, readings weighted with the time since the one before, or why there are none."""
    starts = [_time(event) for event in found if event.key == "power_measurement_start"]
    stops = [_time(event) for event in found if event.key == "power_measurement_stop"]
    if not starts or not readings:
        return "the file holds no power_measurement_start." if not starts else "the file holds no power_reading."
    start = starts[-1]
    stop = stops[0] if stops else math.inf
    if stop <= start:  # training v4.0 smc-ac-power, 1 node: both carry the time of the start
        stop = math.inf
    joules, before = 0.0, start
    for time, watts in sorted(readings, key=itemgetter(0)):
        if start <= time <= stop:
            joules += watts * (time - before)
            before = time
    end = before if math.isinf(stop) else stop
    return _efficiency(found) * joules / (end - start) if end > start else "the file's times span nothing."


def _odd(name: str, found: list[Event], readings: list[tuple[float, float]]) -> Iterator[Problem]:
    """What speaks against the average: an end of the measurement that is missing or stands twice, missing readings."""
    starts, stops = (
        sum(event.key == f"power_measurement_{end}" for event in found) for end in ("start", "stop")
    )  # fmt: skip
    if (starts, stops) != (1, 1):
        said = f"the file holds {starts} power_measurement_start and {stops} power_measurement_stop, not one each."
        yield Problem(Where(name), "power-window", said, "The last start and the first stop were taken.")
    steps = [later - time for (time, _), (later, _) in pairwise(readings)]
    if min(steps, default=0.0) < 0:
        said = "the readings do not stand in the order of their times."
        yield Problem(Where(name), "power-disorder", said, "They were sorted; check that all are of this run.")
    if alone := _alone(sorted(watts for _, watts in readings)):
        yield Problem(Where(name), "odd-reading", alone, "It was counted, as the official tool does.")
    usual = statistics.median(steps or [0.0])
    longest = max(steps, default=0.0)
    if longest > ODD_STEP * usual and longest > usual + 1000:
        said = f"readings are missing for {longest / 1000:.1f} s; they stand {usual / 1000:.1f} s apart."
        yield Problem(Where(name), "power-gap", said, "The next reading was taken for that time.")


def _alone(watts: list[float]) -> str | None:
    """The highest or lowest of sorted readings, where it is far from all others; or those that no meter can read."""
    if watts and watts[0] < 0:
        below = sum(value < 0 for value in watts)
        return f"{count_text(below, 'reading')} {'is' if below == 1 else 'are'} below zero, the lowest {watts[0]:g} W."
    if len(watts) < MIN_READINGS:
        return None
    is_high = watts[-1] > HIGHEST * watts[-2]
    is_low = watts[0] < LOWEST * watts[1] and watts[1] > LOWEST * statistics.median(watts)
    if not is_high and not is_low:
        return None
    odd = watts[-1] if is_high else watts[0]
    return f"a reading of {odd:g} W stands alone: the others are {watts[1]:g} to {watts[-2]:g} W."


def _switch(found: list[Event]) -> float:
    """The watts that a switch is estimated at: 0 without an estimate.

    Training v4.1, Dell: the files of switches hold readings and no estimate, which the official tool counts as 0.
    """
    estimates = [event for event in found if event.key == "interconnect_power_est"]
    return _efficiency(found) * (_value(estimates[0]) or 0.0) if estimates else 0.0


def _efficiency(found: list[Event]) -> float:
    stated = [value for event in found if event.key == "conversion_eff" and (value := _value(event)) is not None]
    return stated[-1] if stated else 1.0


def _time(event: Event) -> float:
    return event.time_ms or 0.0


def _value(event: Event) -> float | None:
    value = event.value
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < _MOST_WATTS:
        return None
    return float(value)


def kilojoules(
    scored: Scored, minutes: Sequence[float | None], watts: Sequence[float | None], scaling: float
) -> float | None:
    """The energy of a group over the very runs behind its score; None where the power of one of them is not known."""
    energy = []
    for at in range(len(minutes)):
        time, power = minutes[at], watts[at]
        energy.append(math.nan if time is None or power is None else power * time * 60 / 1000)
    mean = scored.mean(energy)
    return None if math.isnan(mean) else mean * scaling
