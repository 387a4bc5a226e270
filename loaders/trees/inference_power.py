"""Measured power of a run: the meter's readings (`spl.txt`) inside the window that the detail log states.

Source: mlcommons/inference, submission checker: get_power_metric; v6: PowerCheck.get_power_metric_check.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from loaders.trees.inference_paths import Place
from loaders.trees.json_object import Unreadable, read_object
from loaders.trees.loadgen import Log
from loaders.trees.power_readings import Readings, time_of
from loaders.unpack import Source
from mlperf.errors import Problem, Where
from mlperf.log_rules import log_rules

MAX_STEP_SECONDS: Final = 10.0
"""Readings come every second; the longest step inside a window of v2.0, v3.0 and v5.1 is 3.2 s. Over this, no power."""

ODD_STEP: Final = 1.5
"""Times the usual step: over this a reading is missing, which is reported."""


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


MOST_ZONE_SECONDS: Final = 86_400.0
"""No clock is a day away from universal time."""

LARGEST: Final = 16 << 20
"""Bytes of `server.json` and `client.json`, which repeat every message of the meter."""

CLOCKS: Final = frozenset({"server.json", "client.json"})
"""The files that state a time zone."""


def read_power_file(source: Source, place: Place) -> Iterator[PowerFile | Problem]:
    """Any file of `performance/power/`; of two of them the time zone."""
    where = Where(source.name)
    if source.name.rpartition("/")[2] not in CLOCKS:
        yield PowerFile(place, where, None)
        return
    read = read_object(source, LARGEST)
    if isinstance(read, Unreadable):
        yield Problem(Where(source.name, read.line), "broken-json", f"{read.reason}.", _NO_ZONE)
        yield PowerFile(place, where, None)
        return
    yield from read.problems(where, _NO_ZONE if "timezone" in read.twice else "No other key of the file is read.")
    zone = None if "timezone" in read.twice else read.fields.get("timezone")
    is_zone = isinstance(zone, int | float) and not isinstance(zone, bool) and abs(zone) <= MOST_ZONE_SECONDS
    yield PowerFile(place, where, float(zone) if is_zone else None)  # type: ignore[arg-type]  # a number, as just looked at


_NO_ZONE: Final = "The time zone that it states was left out."


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
    seconds, watts = np.frombuffer(readings.seconds), np.frombuffer(readings.watts)
    inside = (begin < seconds + shift) & (seconds + shift < end)
    asked = ["power_begin", "power_end"] + ([] if energy is None else [*energy.count, *energy.count_per_second])
    known = [fact for key in asked if (fact := detail.get(key)) is not None]
    contradictions = [problem for fact in known if (problem := detail.contradiction(fact)) is not None]
    problems = (
        *contradictions,
        *_gaps(readings.where, seconds, inside, begin - shift, end - shift),
        *_against_result(detail, logged, end - begin),
    )
    if any(problem.kind == "power-window" for problem in problems):
        return Power(None, unit, problems)
    kept = watts[inside & (watts > 0)] if rules.meter(round_id, "drops-idle") else watts[inside]
    if not len(kept) or (mean := math.fsum(kept) / len(kept)) <= 0:
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


def _window(detail: Log) -> tuple[float, float] | Problem:
    begin, end = detail.get("power_begin"), detail.get("power_end")
    moments = (begin and time_of(begin.text), end and time_of(end.text))
    if not isinstance(moments[0], float) or not isinstance(moments[1], float) or moments[0] >= moments[1]:
        found = "the log does not state when the measured run began and ended (power_begin, power_end)."
        return Problem(detail.where(begin or end), "power-window", found, _LEFT_OUT)
    met = detail.get("result_min_duration_met")
    least_ms = _product(detail, ("effective_min_duration_ms",))
    if met and least_ms and met.text == "true":
        took = moments[1] - moments[0]
        if took < least_ms / 1000 - MAX_STEP_SECONDS:
            found = f"power was measured for {took:.0f} s of a run that took at least {least_ms / 1000:.0f} s."
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
    where: Where, seconds: npt.NDArray[np.float64], inside: npt.NDArray[np.bool_], begin: float, end: float
) -> Iterator[Problem]:
    """What speaks against the average: the run is not covered, readings are missing or stand twice."""
    if not inside.any():
        found = "no reading lies inside the run that the detail log states."
        yield Problem(where, "power-window", found, _LEFT_OUT)
        return
    if (np.diff(seconds) < 0).any():
        found = "the readings do not stand in the order of their times."
        yield Problem(
            where, "power-disorder", found, "All were counted, as the checker does; check that they are of one run."
        )
    moments = np.sort(seconds)
    steps = np.diff(moments)[(moments[1:] > begin) & (moments[:-1] < end)]
    usual = np.median(steps) if len(steps) else 0.0
    longest = max([*steps, moments[0] - begin, end - moments[-1]])
    if longest > MAX_STEP_SECONDS:
        found = f"readings are missing for {longest:.0f} s of the run."
        yield Problem(where, "power-window", found, _LEFT_OUT)
    elif len(steps) and steps.max() > ODD_STEP * usual:
        found = f"readings are missing for {steps.max():.1f} s of the run."
        yield Problem(where, "power-gap", found, "The average is over those that are there.")
    for lacking, what in ((moments[0] - begin, "begin"), (end - moments[-1], "end")):
        if usual < lacking <= MAX_STEP_SECONDS:
            found = f"the readings {what} {lacking:.1f} s {'after' if what == 'begin' else 'before'} the run does."
            yield Problem(where, "power-gap", found, "The average is over those that are there.")
    twice = np.count_nonzero(steps == 0.0)
    if twice:
        found = f"{twice} readings inside the run have the time of another."
        yield Problem(where, "power-twice", found, "All were counted, as the checker does.")
