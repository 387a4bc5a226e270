"""What a power file of a training run says: `node_*.txt` and `sw_*.txt`, which hold `:::MLLOG` events as its log does.

Source: mlcommons/logging, mllog/examples/power/power_measurement.py.
"""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Final

from loaders.mllog import TOKEN, Block, Damaged, Event, events, wanted
from mlperf.errors import Problem, Where

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

_MOST_WATTS: Final = 1e12

MAX_STRANGE: Final = 10_000
"""Lines without an event of a power file; a file with more of them is none."""

NO_ENERGY: Final = "The energy of its run was left out."


@dataclass(frozen=True)
class Span:
    """What a node's average is over, in epoch milliseconds."""

    start: float
    stop: float
    """Infinity where the file states none that is later than the start."""
    readings: Sequence[tuple[float, float]]
    """Time and watts of those within, in the order of their times."""

    @property
    def times(self) -> list[float]:
        """Of the readings."""
        return [time for time, _ in self.readings]


@dataclass
class PowerLog:
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
                return Problem(Where(self.name, item.line), "damaged-line", f"{fault}.", NO_ENERGY)
            if isinstance(item, Event) and item.key == "power_reading":
                self.readings.append((_time(item), _value(item) or 0.0))
                self.hosts |= {str(item.metadata["host"])} if "host" in item.metadata else set()
            elif isinstance(item, Event) and item.key in _KEYS:
                self.found.append(item)
        known = len(self.readings) + len(self.found) - before
        if not known == block.data.count(TOKEN, 0, block.end) == block.data.count(b"\n", 0, block.end):
            self._look_at_each(block)
        if self.strange > MAX_STRANGE:
            found = f"more than {MAX_STRANGE:,} lines hold no event of a power file."
            return Problem(Where(self.name, self.first_strange), "too-many-faults", found, NO_ENERGY)
        return None

    def span(self) -> Span | None:
        """When the power was measured, and the readings of that time; None where no start is stated."""
        starts, stops = self.at("power_measurement_start"), self.at("power_measurement_stop")
        if not starts:
            return None
        # training v4.0 smc-ac-power, 1 node: both carry the time of the start
        start, stop = starts[-1], stops[0] if stops and stops[0] > starts[-1] else math.inf
        inside = [reading for reading in self.readings if start <= reading[0] <= stop]
        return Span(start, stop, sorted(inside, key=itemgetter(0)))

    def at(self, key: str) -> list[float]:
        """The times of all events of a key."""
        return [_time(event) for event in self.found if event.key == key]

    def values(self, key: str) -> list[float | None]:
        """The numbers of all events of a key."""
        return [_value(event) for event in self.found if event.key == key]

    @property
    def efficiency(self) -> float | None:
        """Of the conversion behind the meter: the last that is stated."""
        stated = [value for value in self.values("conversion_eff") if value is not None]
        return stated[-1] if stated else None

    @property
    def factor(self) -> float:
        """The same, and 1 where none is stated, as the official tool has it."""
        return 1.0 if self.efficiency is None else self.efficiency

    def _look_at_each(self, block: Block) -> None:
        for line, text in enumerate(block.data[: block.end].split(b"\n"), block.line):
            token = text.find(TOKEN)
            if text.strip() and (token < 0 or not _OURS.search(text, token)):
                self.strange += 1
                self.first_strange = self.first_strange or line


def _fault(item: Event | Damaged) -> str | None:
    """Why an event cannot be used, if it cannot."""
    if not isinstance(item, Event) or item.key not in {*_KEYS, "power_reading"}:
        return None
    if item.time_ms is None:
        return f"{item.key} has no time_ms"
    has_number = item.key.startswith("power_measurement") or _value(item) is not None
    return None if has_number else f"{item.key} is no number"


def _time(event: Event) -> float:
    return event.time_ms or 0.0


def _value(event: Event) -> float | None:
    value = event.value
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < _MOST_WATTS:
        return None
    return float(value)
