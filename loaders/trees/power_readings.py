"""A meter's readings (`spl.txt`): time and watts of each, and those that are no reading or contradict themselves.

Source of the format: SPEC PTDaemon, as mlcommons/power-dev logs it; of what is read: mlcommons/inference, submission
checker: get_power_metric.
"""

import datetime
import functools
import itertools
import math
import re
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from loaders.trees.inference_paths import Place
from loaders.unpack import Source
from mlperf.errors import Problem, Where
from mlperf.metrics import count_text

NAME: Final = "spl.txt"

MAX_READINGS: Final = 2_000_000
"""One per second for 23 days."""

MAX_BAD: Final = 10_000
"""Lines that begin as a reading and are none; a file with more of them is no meter's."""

ODD_WATTS: Final = 0.002
"""Of the watts: over this they do not go with the volts, amperes and power factor beside them, or with the channels'
watts. In 399,000 published readings both agree to 0.0007, but for those that are -2 in every field."""

PIECE: Final = 1 << 18
"""Bytes that are read together at least; a line of several times as many is none."""

_MOST_WATTS: Final = 1e12

_READING: Final = re.compile(
    rb"Time,(\d\d-\d\d-\d{4} \d\d:\d\d:)(\d\d(?:\.\d+)?),Watts,([-+]?[\d.]+(?:[eE][-+]?\d+)?),(Volts,.*+)?"
)
_CHANNEL: Final = slice(10, None, 9)
"""The watts of each channel in `Volts,211.0,Amps,4.6,PF,0.98,Mark,x,Ch1,Watts,976.0,Volts,…`, split at its commas."""
_LINE: Final = re.compile(rb"^Time[^\n]*", re.MULTILINE)
_MINUTE: Final = re.compile(rb"(\d\d)-(\d\d)-(\d{4}) (\d\d):(\d\d):", re.ASCII)
_MOMENT: Final = re.compile(r"(\d\d-\d\d-\d{4} \d\d:\d\d:)(\d\d(?:\.\d+)?)", re.ASCII)


@dataclass(frozen=True)
class Readings:
    """What the meter read; seconds since 1970 as its clock says, and watts."""

    place: Place
    where: Where
    seconds: bytes
    watts: bytes


def read_readings(source: Source, place: Place) -> Iterator[Readings | Problem]:
    """A `spl.txt`; lines that do not begin with `Time` are skipped, as the checker does."""
    seconds, watts = array("d"), array("d")
    bad, odd, bare = _Counted(), _Counted(), _Counted()
    held, line = b"", 1
    is_long = has_volts = False
    for chunk in itertools.chain(source.chunks(), (b"",)):
        held += chunk
        if is_long:  # the rest of a line without end
            end = held.find(b"\n") + 1
            held, is_long, line = held[end:] if end else b"", not end, line + bool(end)
        if chunk and len(held) < PIECE:
            continue
        done = held.rfind(b"\n") + 1
        if chunk and not done:
            bad.add(line, [0] if held.startswith(b"Time") else [])
            held, is_long = b"", True
            continue
        found = _read_lines(held[:done], seconds, watts)
        for counted, places in zip((bad, odd, bare), found, strict=True):
            counted.add(line, places)
        has_volts = has_volts or b",Volts," in held
        line += held.count(b"\n", 0, done)
        held = held[done:]
        if len(seconds) > MAX_READINGS:
            told = f"holds more than {MAX_READINGS:,} readings."
            yield Problem(Where(source.name), "too-long", told, "The power was left out.")
            return
        if bad.number > MAX_BAD:
            told = f"more than {MAX_BAD:,} lines cannot be read as a meter's reading, this the first."
            yield Problem(Where(source.name, bad.first), "too-many-faults", told, "The power was left out.")
            return
    if held:  # a last line without its end is cut, maybe inside a number
        bad.add(line, [0])
    if bad.number:
        told = f"{count_text(bad.number, 'line')} cannot be read as a meter's reading, this the first."
        yield Problem(Where(source.name, bad.first), "bad-line", told, "They were left out.")
    if has_volts and bare.number:  # where others have volts, a line without them is cut or damaged
        odd = _Counted(odd.number + bare.number, min(filter(None, (odd.first, bare.first))))
    if odd.number:
        odds = count_text(odd.number, "reading")
        told = f"the watts of {odds}, this the first, do not go with the volts and amperes beside them, or lack them."
        yield Problem(Where(source.name, odd.first), "odd-reading", told, "They were left in, as by the checker.")
    yield Readings(place, Where(source.name), seconds.tobytes(), watts.tobytes())


@dataclass
class _Counted:
    """Lines of one kind: how many, and the first one's number."""

    number: int = 0
    first: int | None = None

    def add(self, line: int, places: list[int]) -> None:
        """Some more, counted from a line."""
        self.number += len(places)
        if self.first is None and places:
            self.first = line + places[0]


_Told = tuple[list[int], list[int], list[int]]
"""Lines, counted from a block's first: those that begin with `Time` but are no readings, readings that contradict
themselves, and readings with no volts beside them."""


def _read_lines(block: bytes, seconds: "array[float]", watts: "array[float]") -> _Told:
    """Append the readings of whole lines."""
    plain = _read_plain(block)
    if plain is None:
        return _read_each(block, seconds, watts)
    seconds.frombytes(plain[0].tobytes())
    watts.frombytes(plain[1].tobytes())
    return [], [], []


class _Columns:
    """Lines of equally many cells, as the places in a block at which these begin and end.

    ValueError where the lines are not of one kind, or a cell is not written as asked for.
    """

    def __init__(self, block: bytes) -> None:
        self._bytes = np.frombuffer(block, np.uint8)
        ends = np.flatnonzero((self._bytes == ord(",")) | (self._bytes == ord("\n")))
        self.width = block.count(b",", 0, block.find(b"\n")) + 1
        lines = block.count(b"\n")
        if lines * self.width != len(ends) or not lines:
            raise ValueError
        self._ends = ends.reshape(lines, self.width)
        if not (self._bytes[self._ends[:, -1]] == ord("\n")).all():
            raise ValueError
        self._begins = np.concatenate(([0], ends[:-1] + 1)).reshape(lines, self.width)

    def has(self, column: int, label: bytes) -> bool:
        """Whether a column holds nothing but this."""
        return self._ends[0, column] - self._begins[0, column] == len(label) and bool(
            (self.texts(column, len(label)) == np.frombuffer(label, np.uint8)).all()
        )

    def texts(self, column: int, size: int, after: int = 0) -> npt.NDArray[np.uint8]:
        """The bytes of a column whose cells have so many, and then `after` more: one row per line."""
        begins, ends = self._begins[:, column], self._ends[:, column]
        if (ends - begins != size + after).any():
            raise ValueError
        return self._bytes[begins[:, None] + np.arange(size)]

    def decimals(self, columns: Sequence[int], places: int, skipped: int = 0) -> npt.NDArray[np.float64]:
        """The numbers in some columns, one row per column, all with so many decimal places: `130.970000`.

        The same as `float` gives: both the digits as a whole number and the power of ten are exact, so that their
        quotient is rounded once. `skipped` bytes at the beginning of each cell are no part of its number.
        """
        ends = self._ends[:, columns].T
        sizes = ends - self._begins[:, columns].T - skipped
        longest = int(sizes.max())
        if sizes.min() < places + 2 or longest > 16 or (self._bytes[ends - places - 1] != ord(".")).any():
            raise ValueError
        whole = np.zeros(ends.shape, np.int64)
        for place in range(1, longest + 1):
            if place == places + 1:  # the point
                continue
            digits = np.where(sizes < place, 0, self._bytes[ends - place] - np.uint8(ord("0")))
            if (digits > 9).any():
                raise ValueError
            whole += digits * np.int64(10 ** (place - 1 - (place > places)))
        return whole / np.float64(10**places)


def _read_plain(block: bytes) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]] | None:
    """Times and watts of a block in which nothing is unusual: what `_read_each` finds, in a third of its time."""
    try:
        cells = _Columns(block)
        if cells.width < _MARKED or not all(cells.has(column, label) for column, label in _LABELS.items()):
            return None
        minutes = _minutes(cells.texts(1, 17, after=6))
        (seconds,) = cells.decimals([1], 3, skipped=17)
        if cells.width == _MARKED:
            watts, volts, amperes, factor = cells.decimals([3, 5, 7, 9], 6)
            again = volts * amperes * factor
        else:
            watts, *channels = cells.decimals([3, *range(14, cells.width, 9)], 6)
            again = functools.reduce(np.add, channels, np.zeros(len(watts)))  # in their order, as line by line
    except ValueError:
        return None
    is_plain = (np.abs(watts - again) <= ODD_WATTS * watts + 0.01).all()
    return (minutes + seconds, watts) if is_plain else None


_LABELS: Final = {0: b"Time", 2: b"Watts", 4: b"Volts", 6: b"Amps", 8: b"PF"}
_MARKED: Final = 12
"""Cells of a line up to its mark; those of the channels follow."""


def _minutes(texts: npt.NDArray[np.uint8]) -> npt.NDArray[np.float64]:
    """The minute that each line is of, which many lines share."""
    is_next = (texts[1:] != texts[:-1]).any(axis=1)
    starts = [0, *(np.flatnonzero(is_next) + 1)]
    return np.repeat([_minute(texts[start].tobytes()) for start in starts], np.diff([*starts, len(texts)]))


@functools.lru_cache(maxsize=256)
def _minute(text: bytes) -> float:
    """Seconds since 1970 of `02-24-2023 18:16:`; ValueError for a day that is none."""
    match = _MINUTE.fullmatch(text)
    if match is None:
        raise ValueError(text)
    month, number, year, hour, minute = map(int, match.groups())
    day = (datetime.date(year, month, number) - datetime.date(1970, 1, 1)).total_seconds()
    return day + hour * 3600 + minute * 60


def time_of(text: str) -> float | None:
    """Seconds since 1970 of `02-24-2023 18:16:05.123`; None where that is no time."""
    match = _MOMENT.fullmatch(text)
    try:
        return _minute(match[1].encode()) + float(match[2]) if match else None
    except ValueError:
        return None


def _read_each(block: bytes, seconds: "array[float]", watts: "array[float]") -> _Told:
    """The same line by line, for a block in which some are wrong."""
    wrong: list[int] = []
    odd: list[int] = []
    bare: list[int] = []
    line, counted = 0, 0
    for match in _LINE.finditer(block):
        line, counted = line + block.count(b"\n", counted, match.start()), match.start()
        reading = _READING.match(match[0])
        try:
            when, power = (_minute(reading[1]) + float(reading[2]), float(reading[3])) if reading else (0.0, math.nan)
        except ValueError:
            power = math.nan
        if reading is None or not abs(power) < _MOST_WATTS:
            wrong.append(line)
            continue
        seconds.append(when)
        watts.append(power)
        try:
            is_odd = bool(reading[4]) and _is_odd(power, _again(reading[4]))
        except (ValueError, IndexError):
            is_odd = True
        if is_odd:
            odd.append(line)
        elif not reading[4]:
            bare.append(line)
    return wrong, odd, bare


def _again(beside: bytes) -> float:
    """The watts of a reading by what stands beside them: where one line has several channels, their watts together.

    ValueError or IndexError where that is not as meters write it.
    """
    parts = beside.split(b",")
    if len(parts) > 8:
        return sum(map(float, parts[_CHANNEL]))
    return float(parts[1]) * float(parts[3]) * float(parts[5])


def _is_odd(watts: float, again: float) -> bool:
    """Whether a reading contradicts itself."""
    return not abs(watts - again) <= ODD_WATTS * abs(watts) + 0.01
