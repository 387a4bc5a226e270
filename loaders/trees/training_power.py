"""Energy of training runs: `power/result_i/node_*.txt` and `sw_*.txt` to average watts, those to kilojoules of a group.

A file measures while its run lasts, not exactly as long: what counts is its average power times the run's own time.
Source: mlcommons/logging result_summarizer: _compute_power_node, _compute_power_sw, _index_olympic_average.
"""

import math
import re
import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from operator import itemgetter
from typing import Final

from loaders.limits import shown
from loaders.mllog import TOKEN, Block, Damaged, Event, blocks, events, wanted
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
    rb'"metadata": (\{[^{}\r\n]*+\}|"")\}[ \t]*+(?=[\r\n]|\Z)'
)
"""A reading as mllog writes it; a file has hundreds."""
_OURS: Final = re.compile(rb'"key": ?"(?:power_reading|' + "|".join(_KEYS).encode() + rb')"')
_HOST: Final = re.compile(rb'"host": ?"([^"]*)"')

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

_MOST_WATTS: Final = 1e12

_NO_ENERGY: Final = "The energy of its run was left out."


@dataclass(frozen=True)
class Watts:
    """The average power of one node, or of one switch, during one run."""

    where: Where
    watts: float
    efficiency: float | None = None
    """Of the conversion behind the meter, which the average counts; None where the file states none."""
    seconds: float | None = None
    """What a node's average is over, from the start to the last reading; None for a switch."""
    step: float | None = None
    """Seconds from reading to reading, usually; None for a switch and where there is one reading."""


@dataclass
class _Seen:
    """What has been met so far in a file."""

    name: str
    found: list[Event] = field(default_factory=list)
    """All but the readings."""
    readings: list[tuple[float, float]] = field(default_factory=list)
    """Epoch milliseconds and watts, in the file's order."""
    hosts: set[str] = field(default_factory=set)
    """Whose readings they are, as far as they say."""
    strange: int = 0
    """Lines that hold no event of a power file."""
    first_strange: int | None = None

    def take(self, block: Block) -> Problem | None:
        """Some lines of the file; a Problem for an event that cannot be used."""
        before = len(self.readings) + len(self.found)
        plain = _READING.findall(block.data, 0, block.end)
        is_plain = len(plain) == block.data.count(b"power_reading", 0, block.end)
        if is_plain:
            self.readings += [(float(time), float(watts)) for time, watts, _ in plain]
            hosts = (host for of in {of for _, _, of in plain} for host in _HOST.findall(of))
            self.hosts |= {host.decode("utf-8", "replace") for host in hosts}
        for item in events(block, _PATTERN if is_plain else _PATTERN_OF_ALL):
            fault = f"is damaged: {item.found}" if isinstance(item, Damaged) else _fault(item)
            if fault is not None:
                return Problem(Where(self.name, item.line), "damaged-line", f"{fault}.", _NO_ENERGY)
            if isinstance(item, Event) and item.key == "power_reading":
                self.readings.append((_time(item), _value(item) or 0.0))
                self.hosts |= {str(item.metadata["host"])} if "host" in item.metadata else set()
            elif isinstance(item, Event) and item.key in _KEYS:
                self.found.append(item)
        known = len(self.readings) + len(self.found) - before
        if not known == block.data.count(TOKEN, 0, block.end) == block.data.count(b"\n", 0, block.end):
            self._look_at_each(block)
        return None

    def inside(self) -> list[float]:
        """The times of the readings that count, in order."""
        start, stop = _window(self.found)
        return sorted(time for time, _ in self.readings if start <= time <= stop)

    def _look_at_each(self, block: Block) -> None:
        for line, text in enumerate(block.data[: block.end].split(b"\n"), block.line):
            token = text.find(TOKEN)
            if text.strip() and (token < 0 or not _OURS.search(text, token)):
                self.strange += 1
                self.first_strange = self.first_strange or line


def read_power(source: Source, *, is_node: bool) -> Iterator[Watts | Problem]:
    """The average power that one file states; a Problem, and nothing else, where it cannot be told."""
    seen = _Seen(source.name)
    for block in blocks(source):
        fault = seen.take(block)
        if fault is not None:
            yield fault
            return
    watts = _node(seen) if is_node else _switch(seen.found)
    if isinstance(watts, str):
        yield Problem(Where(source.name), "no-power", watts, _NO_ENERGY)
        return
    if seen.strange:
        hold = "holds" if seen.strange == 1 else "hold"
        said = f"{count_text(seen.strange, 'line')} {hold} no event of a power file; this is the first."
        fix = "They were left out; if they were readings, copy the file again."
        yield Problem(Where(source.name, seen.first_strange), "bad-line", said, fix)
    if not is_node:
        yield Watts(Where(source.name), watts, _efficiency(seen.found))
        return
    times, start = seen.inside(), _window(seen.found)[0]
    yield from _odd(seen)
    step = _usual(times)
    yield Watts(Where(source.name), watts, _efficiency(seen.found), (times[-1] - start) / 1000, step and step / 1000)


def _fault(item: Event | Damaged) -> str | None:
    """Why an event cannot be used, if it cannot."""
    if not isinstance(item, Event) or item.key not in {*_KEYS, "power_reading"}:
        return None
    if item.time_ms is None:
        return f"{item.key} has no time_ms"
    has_number = item.key.startswith("power_measurement") or _value(item) is not None
    return None if has_number else f"{item.key} is no number"


def _window(found: list[Event]) -> tuple[float, float]:
    """When the measurement started and stopped; no start and no stop that is later are infinity."""
    starts = [_time(event) for event in found if event.key == "power_measurement_start"]
    stops = [_time(event) for event in found if event.key == "power_measurement_stop"]
    if not starts:
        return math.inf, math.inf
    stop = stops[0] if stops else math.inf
    # training v4.0 smc-ac-power, 1 node: both carry the time of the start
    return starts[-1], stop if stop > starts[-1] else math.inf


def _node(seen: _Seen) -> float | str:
    """Average watts of a node, readings weighted with the time since the one before, or why there are none."""
    start, stop = _window(seen.found)
    if math.isinf(start) or not seen.readings:
        return f"the file holds no {'power_measurement_start' if math.isinf(start) else 'power_reading'}."
    if not seen.inside():
        return "no power_reading lies between its start and its stop: are their clocks the same?"
    joules, before = 0.0, start
    for time, watts in sorted(seen.readings, key=itemgetter(0)):
        if start <= time <= stop:
            joules += watts * (time - before)
            before = time
    end = before if math.isinf(stop) else stop
    if end <= start:
        return "the file's times span nothing."
    efficiency = _efficiency(seen.found)
    mean = (1.0 if efficiency is None else efficiency) * joules / (end - start)
    return mean if mean > 0 else f"its readings and its conversion_eff give {mean:g} W."


def _odd(seen: _Seen) -> Iterator[Problem]:
    """What speaks against the average of a node."""
    where = Where(seen.name)
    starts, stops = (
        sum(event.key == f"power_measurement_{end}" for event in seen.found) for end in ("start", "stop")
    )  # fmt: skip
    if (starts, stops) != (1, 1):
        said = f"the file holds {starts} power_measurement_start and {stops} power_measurement_stop, not one each."
        yield Problem(where, "power-window", said, "The last start and the first stop were taken.")
    if any(later < time for (time, _), (later, _) in pairwise(seen.readings)):
        said = "the readings do not stand in the order of their times."
        yield Problem(where, "power-disorder", said, "They were sorted; check that all are of this run.")
    if len(seen.hosts) > 1:
        said = f"the readings are of {len(seen.hosts)} hosts: {', '.join(map(shown, sorted(seen.hosts)[:5]))}."
        yield Problem(where, "power-hosts", said, "All were counted; check that all are of this node.")
    stated = {_value(event) for event in seen.found if event.key == "conversion_eff"}
    if len(stated) > 1:
        fix = "The last was taken; check which it is."
        yield Problem(where, "power-conversion", "the file states several conversion_eff.", fix)
    if (efficiency := _efficiency(seen.found)) is not None and efficiency > 1:
        said = f"the file states a conversion_eff of {efficiency:g}, over 1."
        fix = "It was taken as it stands; if it is a percentage, divide it by 100."
        yield Problem(where, "power-conversion", said, fix)
    if alone := _alone(sorted(watts for _, watts in seen.readings)):
        yield Problem(where, "odd-reading", alone, "It was counted, as the official tool does.")
    for said, fix in _gaps(seen):
        yield Problem(where, "power-gap", said, fix)


def _gaps(seen: _Seen) -> Iterator[tuple[str, str]]:
    """Where readings are missing, and what was taken for them."""
    (start, stop), times = _window(seen.found), seen.inside()
    steps = [later - time for time, later in pairwise(times)]
    usual = _usual(times)
    if usual is None or len(times) < MIN_READINGS:
        said = f"only {count_text(len(times), 'reading')} of power can be told from each other within the measurement."
        yield said, "They were taken for all of it; copy the file again if there were more."
        return
    apart = f"they stand {usual / 1000:.1f} s apart."
    long = [step for step in steps if step > ODD_STEP * usual and step > usual + CLOCK_MS]
    if long:
        places = f" in {len(long)} places" if len(long) > 1 else ""
        said = f"readings are missing for {math.fsum(long) / 1000:.1f} s{places}; {apart}"
        yield said, "The next reading was taken for that time; copy the file again if it had more."
    if times[0] - start > ODD_HEAD * usual:
        said = f"the first reading stands {(times[0] - start) / 1000:.1f} s behind power_measurement_start; {apart}"
        yield said, "Its watts were taken for that time, too; check the beginning of the file."
    if not math.isinf(stop) and stop - times[-1] > ODD_TAIL * usual:
        said = f"the last reading stands {(stop - times[-1]) / 1000:.1f} s before power_measurement_stop; {apart}"
        yield said, "That time counts as 0 W, as in the official tool; check the end of the file."


def _usual(times: list[float]) -> float | None:
    """The usual step between times that differ."""
    steps = [later - time for time, later in pairwise(times) if later > time]
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


def _switch(found: list[Event]) -> float:
    """The watts that a switch is estimated at: 0 without an estimate.

    Training v4.1, Dell: the files of switches hold readings and no estimate, which the official tool counts as 0.
    """
    estimates = [_value(event) or 0.0 for event in found if event.key == "interconnect_power_est"]
    efficiency = _efficiency(found)
    return (1.0 if efficiency is None else efficiency) * estimates[0] if estimates else 0.0


def _efficiency(found: list[Event]) -> float | None:
    """The last that is stated; the official tool takes 1 where there is none."""
    stated = [value for event in found if event.key == "conversion_eff" and (value := _value(event)) is not None]
    return stated[-1] if stated else None


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
