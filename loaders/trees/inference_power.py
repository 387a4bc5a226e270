"""Measured power of a run: the meter's readings (`spl.txt`) inside the window that the detail log states.

Source: mlcommons/inference, submission checker: get_power_metric; v6: PowerCheck.get_power_metric_check.
"""

import datetime
import functools
import math
import re
import statistics
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from loaders.trees.inference_paths import Place
from loaders.trees.loadgen import Log
from loaders.unpack import Source
from mlperf.errors import Problem, Where
from mlperf.log_rules import log_rules
from mlperf.metrics import count_text

NAME: Final = "spl.txt"

MAX_READINGS: Final = 2_000_000
"""One per second for 23 days."""

MAX_STEP_SECONDS: Final = 10.0
"""Readings come every second; the longest step inside a window of v2.0, v3.0 and v5.1 is 3.2 s. Over this, no power."""

ODD_STEP: Final = 1.5
"""Times the usual step: over this a reading is missing, which is reported."""

ODD_WATTS: Final = 0.002
"""Of the watts: over this they do not go with the volts, amperes and power factor beside them, or with the channels'
watts. In 399,000 published readings both agree to 0.0007, but for those that are -2 in every field."""

_READING: Final = re.compile(
    rb"Time,(?<![^\n]Time,)"  # at the beginning of a line; `^` would be tried at every byte
    rb"(\d\d-\d\d-\d{4} \d\d:\d\d:)(\d\d(?:\.\d+)?),Watts,([-+]?[\d.]+(?:[eE][-+]?\d+)?),(Volts,.*+)?"
)
_CHANNEL: Final = slice(10, None, 9)
"""The watts of each channel in `Volts,211.0,Amps,4.6,PF,0.98,Mark,x,Ch1,Watts,976.0,Volts,…`, split at its commas."""
_LINE: Final = re.compile(rb"^Time[^\n]*", re.MULTILINE)
_MOMENT: Final = re.compile(r"(\d\d-\d\d-\d{4} \d\d:\d\d:)(\d\d(?:\.\d+)?)", re.ASCII)


@dataclass(frozen=True)
class Readings:
    """What the meter read; seconds since 1970 as its clock says, and watts."""

    place: Place
    where: Where
    seconds: bytes
    watts: bytes


@dataclass(frozen=True)
class PowerFile:
    """A file in `performance/power/`, which makes the result a power result."""

    place: Place
    where: Where
    timezone: float | None
    """Seconds; what `server.json` and `client.json` state."""


@dataclass(frozen=True)
class Power:
    """A result's power or energy; None where it could not be told."""

    value: float | None
    unit: str
    problems: tuple[Problem, ...]


@functools.lru_cache(maxsize=256)
def _minute(text: bytes) -> float:
    """Seconds since 1970 of `02-24-2023 18:16:`; ValueError for a day that is none."""
    month, number, year, hour, minute = (
        int(text[:2]),
        int(text[3:5]),
        int(text[6:10]),
        int(text[11:13]),
        int(text[14:16]),
    )
    day = (datetime.date(year, month, number) - datetime.date(1970, 1, 1)).total_seconds()
    return day + hour * 3600 + minute * 60


def _moment(text: str) -> float | None:
    match = _MOMENT.fullmatch(text)
    try:
        return _minute(match[1].encode()) + float(match[2]) if match else None
    except ValueError:
        return None


def read_readings(source: Source, place: Place) -> Iterator[Readings | Problem]:
    """A `spl.txt`; lines that do not begin with `Time` are skipped, as the checker does."""
    seconds, watts = array("d"), array("d")
    held, line = b"", 1
    bad, odd = _Counted(), _Counted()
    for chunk in source.chunks():
        held += chunk
        done = held.rfind(b"\n") + 1 or (len(held) if len(held) > 1 << 20 else 0)
        wrong, strange = _read_lines(held[:done], seconds, watts)
        bad.add(line, wrong)
        odd.add(line, strange)
        line += held.count(b"\n", 0, done)
        held = held[done:]
        if len(seconds) > MAX_READINGS:
            found = f"holds more than {MAX_READINGS:,} readings."
            yield Problem(Where(source.name), "too-long", found, "The power was left out.")
            return
    if held:  # a last line without its end is cut, maybe inside a number
        bad.add(line, [0])
    if bad.number:
        found = f"{count_text(bad.number, 'line')} can be read as no reading of a meter, this the first."
        yield Problem(Where(source.name, bad.first), "bad-line", found, "They were left out.")
    if odd.number:
        odds = count_text(odd.number, "reading")
        found = f"the watts of {odds}, this the first, do not go with the volts, amperes and power factor beside them."
        yield Problem(Where(source.name, odd.first), "odd-reading", found, "They were left in, as by the checker.")
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


def _again(beside: bytes) -> float | None:
    """The watts of a reading by what stands beside them: where one line has several channels, their watts together.

    None where nothing does. ValueError or IndexError where that is not as meters write it.
    """
    if not beside:
        return None
    parts = beside.split(b",")
    if len(parts) > 8:
        return sum(map(float, parts[_CHANNEL]))
    return float(parts[1]) * float(parts[3]) * float(parts[5])


def _is_odd(watts: float, again: float | None) -> bool:
    """Whether a reading contradicts itself."""
    return again is not None and not abs(watts - again) <= ODD_WATTS * abs(watts) + 0.01


def _read_lines(block: bytes, seconds: "array[float]", watts: "array[float]") -> tuple[list[int], list[int]]:
    """Append the readings of whole lines.

    Counted from the block's first line: those that begin with `Time` but are no readings, and those that contradict
    themselves.
    """
    found: list[tuple[bytes, bytes, bytes, bytes]] = _READING.findall(block)
    try:
        moments = [_minute(minute) + float(second) for minute, second, _, _ in found]
        powers = [float(reading[2]) for reading in found]
        again = [_again(reading[3]) for reading in found]
    except (ValueError, IndexError):
        return _read_each(block, seconds, watts)
    is_whole = len(found) == block.count(b"\nTime") + block.startswith(b"Time")
    is_plain = not any(map(_is_odd, powers, again)) and (None not in again or not any(again))
    if not (is_plain and is_whole and math.isfinite(math.fsum(powers))):
        return _read_each(block, seconds, watts)
    seconds.extend(moments)
    watts.extend(powers)
    return [], []


def _read_each(block: bytes, seconds: "array[float]", watts: "array[float]") -> tuple[list[int], list[int]]:
    """The same line by line, for a block in which some are wrong."""
    wrong: list[int] = []
    odd: list[int] = []
    line, counted = 0, 0
    has_volts = b",Volts," in block  # then a line without them is cut or damaged
    for match in _LINE.finditer(block):
        line, counted = line + block.count(b"\n", counted, match.start()), match.start()
        reading = _READING.match(match[0])
        try:
            moment, power = (_minute(reading[1]) + float(reading[2]), float(reading[3])) if reading else (0.0, math.nan)
        except ValueError:
            power = math.nan
        if reading is None or not math.isfinite(power):
            wrong.append(line)
            continue
        seconds.append(moment)
        watts.append(power)
        try:
            is_odd = _is_odd(power, _again(reading[4])) if reading[4] else has_volts
        except (ValueError, IndexError):
            is_odd = True
        if is_odd:
            odd.append(line)
    return wrong, odd


def read_power_file(source: Source, place: Place) -> Iterator[PowerFile]:
    """Any file of `performance/power/`; of two of them the time zone."""
    found = re.search(rb'"timezone"\s*:\s*(-?\d+(?:\.\d+)?)', source.head)
    yield PowerFile(place, Where(source.name), float(found[1]) if found else None)


def measured(
    round_id: str | None, scenario: str, logged: str, detail: Log, readings: Readings, files: Sequence[PowerFile]
) -> Power:
    """The power of a result: average watts, or millijoules per query (per sample up to v1.1)."""
    rules = log_rules()
    energy = rules.energy(round_id, scenario)
    unit = "W" if energy is None else "mJ"
    window = _window(detail)
    if isinstance(window, Problem):
        return Power(None, unit, (window,))
    begin, end = window
    shift = 0.0
    if rules.meter(round_id, "shifts-timezone"):
        zones = {file.where.file.rsplit("/", 1)[-1]: file.timezone for file in files}
        server, client = zones.get("server.json"), zones.get("client.json")
        if server is None or client is None:
            found = "this round needs the time zones of power/server.json and power/client.json, which are missing."
            return Power(None, unit, (Problem(readings.where, "power-window", found, _LEFT_OUT),))
        begin, end, shift = begin + client, end + client, server
    seconds, watts = _arrays(readings)
    inside = [index for index, moment in enumerate(seconds) if begin < moment + shift < end]
    asked = ["power_begin", "power_end"] + ([] if energy is None else [*energy.count, *energy.count_per_second])
    known = [fact for key in asked if (fact := detail.get(key)) is not None]
    contradictions = [problem for fact in known if (problem := detail.contradiction(fact)) is not None]
    problems = (
        *contradictions,
        *_gaps(readings, seconds, inside, begin - shift, end - shift),
        *_against_result(detail, logged, end - begin),
    )
    if any(problem.kind == "power-window" for problem in problems):
        return Power(None, unit, problems)
    kept = [watts[index] for index in inside]
    if rules.meter(round_id, "drops-idle"):
        kept = [power for power in kept if power > 0]
    if not kept or (mean := math.fsum(kept) / len(kept)) <= 0:
        found = "no reading inside the run is above zero."
        return Power(None, unit, (*problems, Problem(readings.where, "power-window", found, _LEFT_OUT)))
    if energy is None:
        return Power(mean, unit, problems)
    count = _count(detail, (*energy.count, *energy.count_per_second))
    if isinstance(count, Problem):
        return Power(None, unit, (*problems, count))
    if energy.count_per_second:
        count *= end - begin
    factor = energy.inferred_factor if logged != scenario else 1.0
    return Power(mean * (end - begin) * 1000 * factor / count, unit, problems)


_LEFT_OUT: Final = "The power was left out."


def _arrays(readings: Readings) -> tuple["array[float]", "array[float]"]:
    seconds, watts = array("d"), array("d")
    seconds.frombytes(readings.seconds)
    watts.frombytes(readings.watts)
    return seconds, watts


def _window(detail: Log) -> tuple[float, float] | Problem:
    begin, end = detail.get("power_begin"), detail.get("power_end")
    moments = (begin and _moment(begin.text), end and _moment(end.text))
    if not isinstance(moments[0], float) or not isinstance(moments[1], float) or moments[0] >= moments[1]:
        found = "the log does not state when the measured run began and ended (power_begin, power_end)."
        return Problem(detail.where(begin or end), "power-window", found, _LEFT_OUT)
    met, least = detail.get("result_min_duration_met"), detail.get("effective_min_duration_ms")
    if met and least and met.text == "true" and least.text.isdecimal():
        took = moments[1] - moments[0]
        if took < int(least.text) / 1000 - MAX_STEP_SECONDS:
            found = f"power was measured for {took:.0f} s of a run that took at least {int(least.text) / 1000:.0f} s."
            return Problem(detail.where(end), "power-window", found, _LEFT_OUT)
    return moments[0], moments[1]


def _against_result(detail: Log, logged: str, took: float) -> Iterator[Problem]:
    """What the result itself says of how long the run took, where that does not go with the window of the power."""
    for rule in log_rules().windows(logged):
        count, over = _product(detail, rule.count), _product(detail, rule.keys[len(rule.count) :])
        if count is None or over is None:
            continue
        seconds = rule.factor * count / over
        if not rule.low * seconds <= took <= rule.high * seconds:
            said = ", ".join(f"{key} {fact.text}" for key in rule.keys if (fact := detail.get(key)) is not None)
            found = f"power was measured for {took:.3f} s of a run that took {seconds:.3f} s by its result ({said})."
            yield Problem(detail.where(detail.get("power_end")), "odd-window", found, "Both were taken as they stand.")


def _product(detail: Log, keys: tuple[str, ...]) -> float | None:
    """The facts at some keys, multiplied; None where one is missing or no number above zero."""
    product = 1.0
    for key in keys:
        fact = detail.get(key)
        try:
            product *= float(fact.text) if fact else math.nan
        except ValueError:
            return None
        if not (math.isfinite(product) and product > 0):
            return None
    return product


def _count(detail: Log, keys: tuple[str, ...]) -> float | Problem:
    product = _product(detail, keys)
    if product is None:
        wrong = next(key for key in keys if _product(detail, (key,)) is None)
        found = f'"{wrong}", which energy is counted by, is missing or no number.'
        return Problem(detail.where(detail.get(wrong)), "missing-power", found, _LEFT_OUT)
    return product


def _gaps(
    readings: Readings, seconds: "array[float]", inside: list[int], begin: float, end: float
) -> Iterator[Problem]:
    """What speaks against the average: the run is not covered, readings are missing or stand twice."""
    where = readings.where
    if not inside:
        found = "no reading lies inside the run that the detail log states."
        yield Problem(where, "power-window", found, _LEFT_OUT)
        return
    if any(later < moment for moment, later in pairwise(seconds)):
        found = "the readings do not stand in the order of their times."
        yield Problem(
            where, "power-disorder", found, "All were counted, as the checker does; check that they are of one run."
        )
    moments = sorted(seconds)
    steps = [later - moment for moment, later in pairwise(moments) if later > begin and moment < end]
    longest = max([*steps, moments[0] - begin, end - moments[-1]])
    if longest > MAX_STEP_SECONDS:
        found = f"readings are missing for {longest:.0f} s of the run."
        yield Problem(where, "power-window", found, _LEFT_OUT)
    elif longest > ODD_STEP * statistics.median(steps or [longest]):
        found = f"readings are missing for {longest:.1f} s of the run."
        yield Problem(where, "power-gap", found, "The average is over those that are there.")
    twice = steps.count(0.0)
    if twice:
        found = f"{twice} readings inside the run have the time of another."
        yield Problem(where, "power-twice", found, "All were counted, as the checker does.")
