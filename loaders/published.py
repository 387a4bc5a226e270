"""What the snapshot knows of published runs, to tell a changed copy of their logs from the original.

A log holds no checksum. Of what was published both ends of each training run are known, and what came of each run of
inference that took exactly so long at least, at most and on average.
"""

import functools
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import duckdb

from loaders.manifest import DATA
from loaders.resolve import Seen
from mlperf.errors import Problem
from mlperf.model import Run, Sighting

PRINTED: Final = 5e-6
"""Of a figure: a summary prints six digits of what its detail log has in full."""

_FIX: Final = "One of the two logs was changed: compare yours with the published one."
_FIGURES: Final = """
    select results.same_runs, results.round, results.scenario, sightings.unit, sightings.value, sightings.power_value,
           sightings.source_path, sightings.source
    from sightings join results using (result_id, suite)
    where sightings.basis = 'computed' and sightings.value is not null and results.same_runs is not null
"""
_RUNS: Final = "select benchmark, started_ms, stopped_ms, source_path, source from runs where stopped_ms is not null"


@dataclass(frozen=True, slots=True)
class Figure:
    """What was computed from published logs."""

    of: tuple[str, str | None, str]
    """Round, scenario and unit: what decides how it was computed."""
    value: float
    power: float | None
    place: str

    def agrees(self, sighting: Sighting) -> bool:
        """Whether another figure of the same runs is the same, to the digits that logs print."""
        assert sighting.value is not None
        powers = self.power is None or sighting.power_value is None or _is_near(self.power, sighting.power_value)
        return _is_near(self.value, sighting.value) and powers


@dataclass(frozen=True, slots=True)
class Clock:
    """Both ends of a published training run, in milliseconds since 1970."""

    benchmark: str
    start: int
    stop: int
    place: str


class Published:
    """The runs and figures of a snapshot; nothing where the folder holds none."""

    def __init__(self, folder: Path = DATA) -> None:
        self._figures: dict[str, list[Figure]] = defaultdict(list)
        self._starts: dict[int, list[Clock]] = defaultdict(list)
        self._stops: dict[int, list[Clock]] = defaultdict(list)
        tables = ("results", "sightings", "runs")
        if not all((folder / f"{table}.parquet").exists() for table in tables):
            return
        connection = duckdb.connect(":memory:")
        for table in tables:
            connection.read_parquet(str(folder / f"{table}.parquet")).create_view(table)
        for mark, round_id, scenario, unit, value, power, path, source in connection.execute(_FIGURES).fetchall():
            self._figures[mark].append(Figure((round_id, scenario, unit), value, power, f"{source}/{path}"))
        for benchmark, start, stop, path, source in connection.execute(_RUNS).fetchall():
            clock = Clock(benchmark, start, stop, f"{source}/{path}")
            self._starts[start].append(clock)
            self._stops[stop].append(clock)
        connection.close()

    def differences(self, seen: Iterable[Seen], runs: Iterable[Run]) -> Iterator[Problem]:
        """A Problem for each figure and each run of logs that are published, but not as they are here."""
        told = set()
        for item in seen:
            found = self._figure(item.sighting) if item.is_computed else None
            if found is not None and item.sighting.where not in told:
                told.add(item.sighting.where)
                yield Problem(item.sighting.where, "not-as-published", found, _FIX)
        for run in runs:
            if run.stopped_ms is not None and run.started_ms is not None and (said := self._run(run)):
                yield Problem(run.where, "not-as-published", said, _FIX)

    def _figure(self, sighting: Sighting) -> str | None:
        of = (sighting.round, sighting.scenario, sighting.unit)
        known = [figure for figure in self._figures.get(sighting.same_runs or "", ()) if figure.of == of]
        if sighting.power_value is not None:  # the same runs may be there with and without their power
            known = [figure for figure in known if figure.power is not None] or known
        if sighting.value is None or not known or any(figure.agrees(sighting) for figure in known):
            return None
        here, there = _said(sighting.value, sighting.power_value), _said(known[0].value, known[0].power)
        return f"gives {here}; the very same runs give {there} in {known[0].place}."

    def _run(self, run: Run) -> str | None:
        ends = (("begins", "ends", self._starts, run.started_ms), ("ends", "begins", self._stops, run.stopped_ms))
        for same, other, clocks, time in ends:
            known = [clock for clock in clocks.get(time or 0, ()) if clock.benchmark == run.benchmark]
            if known and not any((clock.start, clock.stop) == (run.started_ms, run.stopped_ms) for clock in known):
                here = run.stopped_ms if other == "ends" else run.started_ms
                there = known[0].stop if other == "ends" else known[0].start
                apart = abs((here or 0) - there) / 1000
                later = "later" if (here or 0) > there else "earlier"
                return f"{same} with the published run {known[0].place}, but {other} {apart:,.3f} s {later}."
        return None


def _is_near(one: float, other: float) -> bool:
    return abs(one - other) <= PRINTED * abs(other)


def _said(value: float, power: float | None) -> str:
    return f"{value:.9g}" + ("" if power is None else f" at a power of {power:.9g}")


@functools.cache
def published() -> Published:
    """What the embedded snapshot knows, read once."""
    return Published()
