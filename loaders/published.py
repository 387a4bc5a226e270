"""What the snapshot knows of published runs, to tell a changed copy of their logs from the original.

And what it knows of each published system, to mark a table whose figures are far from it.

A log holds no checksum. Of what was published both ends of each training run are known, and what came of each run of
inference that took exactly so long at least, at most and on average.
"""

import functools
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import duckdb

from loaders.manifest import DATA
from loaders.odd_figures import KIND as ODD
from loaders.odd_figures import is_many
from loaders.resolve import Seen
from mlperf.catalog_files import fold
from mlperf.errors import Problem
from mlperf.model import Run, Sighting

PRINTED: Final = 5e-6
"""Of a figure: a summary prints six digits of what its detail log has in full."""

TWO_DECIMALS: Final = 0.0056
"""Half of the last digit of a rate in a summary, and of the sixth digit that its detail log prints."""

FAR: Final = 2.0
"""Figures of one system, benchmark and scenario of a round that are further apart than this factor are marked."""

_FIX: Final = "One of the two logs was changed: compare yours with the published one."
_FIX_TRAINING: Final = "Their times are the same: a scaling.json or a file of power is missing, or was changed."
_FIGURES: Final = """
    select results.same_runs, results.round, results.scenario, sightings.unit, results.benchmark, sightings.value,
           sightings.power_value, sightings.source_path, sightings.source
    from sightings join results using (result_id, suite)
    where sightings.basis = 'computed' and sightings.value is not null and results.same_runs is not null
"""
_RESULTS: Final = """
    select round, division, submitter, benchmark, scenario, unit, system_id, system_name, min(value), max(value)
    from results group by all
"""
_RUNS: Final = "select benchmark, started_ms, stopped_ms, source_path, source from runs where stopped_ms is not null"


@dataclass(frozen=True, slots=True)
class Figure:
    """What was computed from published logs."""

    of: tuple[str, str | None, str]
    """Round, scenario and unit: what decides how it was computed."""
    benchmark: str
    value: float
    power: float | None
    place: str

    def apart(self, sighting: Sighting) -> float:
        """How far another figure of the same runs is from it: 0 where it is the same, to the digits that logs print."""
        assert sighting.value is not None
        printed = TWO_DECIMALS if sighting.scenario and round(sighting.value, 2) == sighting.value else 0.0
        powers = (self.power, sighting.power_value)
        far = _apart(self.value, sighting.value, printed)
        return far if powers[0] is None or powers[1] is None else far + _apart(powers[0], powers[1], 0.0)


@dataclass(frozen=True, slots=True)
class Clock:
    """Both ends of a published training run, in milliseconds since 1970."""

    benchmark: str
    start: int
    stop: int
    place: str

    @property
    def folder(self) -> str:
        """Of its group."""
        return self.place.rpartition("/")[0]


Place = tuple[str, str, str, str, str | None, str, str]
"""Round, division, submitter, benchmark, scenario and unit of a result, and its system's ID or display name, folded."""


class Published:
    """The runs and figures of a snapshot; nothing where the folder holds none."""

    def __init__(self, folder: Path = DATA) -> None:
        self._figures: dict[str, list[Figure]] = defaultdict(list)
        self._starts: dict[int, list[Clock]] = defaultdict(list)
        self._stops: dict[int, list[Clock]] = defaultdict(list)
        self._systems: dict[Place, tuple[float, float]] = {}
        tables = ("results", "sightings", "runs")
        if not all((folder / f"{table}.parquet").exists() for table in tables):
            return
        connection = duckdb.connect(":memory:")
        for table in tables:
            connection.read_parquet(str(folder / f"{table}.parquet")).create_view(table)
        for mark, round_id, scenario, unit, benchmark, value, power, path, source in connection.execute(
            _FIGURES
        ).fetchall():
            figure = Figure((round_id, scenario, unit), benchmark, value, power, f"{source}/{path}")
            self._figures[mark].append(figure)
        for *of, system_id, system_name, least, most in connection.execute(_RESULTS).fetchall():
            for system in filter(None, {fold(system_id or ""), fold(system_name or "")}):
                before = self._systems.get((*of, system), (least, most))
                self._systems[(*of, system)] = (min(before[0], least), max(before[1], most))
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
                fix = _FIX_TRAINING if item.sighting.scenario is None else _FIX
                yield Problem(item.sighting.where, "not-as-published", found, fix)
        groups: dict[str, list[Run]] = defaultdict(list)
        for run in runs:
            if run.stopped_ms is not None and run.started_ms is not None:
                groups[run.group].append(run)
        for group in groups.values():
            yield from self._group(group)

    def odd_figures(self, seen: Mapping[str, Seen]) -> tuple[set[str], list[Problem]]:
        """Figures of tables that are far from the published ones of their system.

        Gives the identifiers of those that must not be kept, for most of their table is so, and a Problem for each
        such table and for each other figure.
        """
        compared: Counter[str] = Counter()
        odd: dict[str, list[Problem]] = defaultdict(list)
        identifiers: dict[str, list[str]] = defaultdict(list)
        for identifier, item in seen.items():
            sighting = item.sighting
            identifiers[item.source_path].append(identifier)
            range_ = None if item.is_computed or sighting.value is None else self._range(sighting)
            if range_ is None or sighting.value is None:
                continue
            compared[item.source_path] += 1
            if not range_[0] / FAR <= sighting.value <= range_[1] * FAR:
                name = " ".join(filter(None, (sighting.benchmark, sighting.scenario)))
                there = f"{range_[0]:g}" if range_[0] == range_[1] else f"{range_[0]:g} to {range_[1]:g}"
                found = f"{name} is {sighting.value:g} {sighting.unit}; published of this system: {there}."
                fix = "It was kept: look whether the table is as it was exported."
                odd[item.source_path].append(Problem(sighting.where, ODD, found, fix))
        refused: set[str] = set()
        problems: list[Problem] = []
        for path, those in odd.items():
            if is_many(len(those), compared[path]):
                refused.update(identifiers[path])
                first = min(those)
                count = f"{len(those):,} of {compared[path]:,} figures"
                found = f"{count} are far from the published ones: {first.found}"
                problems.append(Problem(first.where, ODD, found, "The table was left out: export it again."))
            else:
                problems.extend(dict.fromkeys(those))
        return refused, problems

    def _range(self, sighting: Sighting) -> tuple[float, float] | None:
        """The least and the largest published figure of the system of a sighting, by its ID or else its name."""
        of = (
            sighting.round, sighting.division, sighting.submitter, sighting.benchmark, sighting.scenario, sighting.unit,
        )  # fmt: skip
        for system in (sighting.system_id, sighting.system_name):
            if system and (range_ := self._systems.get((*of, fold(system)))):
                return range_
        return None

    def _figure(self, sighting: Sighting) -> str | None:
        of = (sighting.round, sighting.scenario, sighting.unit)
        known = [figure for figure in self._figures.get(sighting.same_runs or "", ()) if figure.of == of]
        if sighting.power_value is not None:  # the same runs may be there with and without their power
            known = [figure for figure in known if figure.power is not None] or known
        if sighting.value is None or not known:
            return None
        same = [figure for figure in known if figure.benchmark == sighting.benchmark]
        if not same:
            return f"is the log of {known[0].benchmark} in {known[0].place}, not of {sighting.benchmark}."
        nearest = min(same, key=lambda figure: figure.apart(sighting))
        if nearest.apart(sighting) == 0:
            return None
        here, there = _said(sighting.value, sighting.power_value), _said(nearest.value, nearest.power)
        return f"gives {here}; the very same runs give {there} in {nearest.place}."

    def _group(self, runs: list[Run]) -> Iterator[Problem]:
        """Runs that are not as published, and those of another group than most."""
        folders = {id(run): {clock.folder for clock in self._same(run)} for run in runs}
        counts = Counter(folder for found in folders.values() for folder in found)
        usual, count = counts.most_common(1)[0] if counts else ("", 0)
        for run in runs:
            said = None if folders[id(run)] else self._run(run)
            if said is None and 2 * count > len(runs) and usual not in folders[id(run)]:
                said = f"is none of the published runs of {usual}, as {count} others of its group are."
            if said is not None:
                yield Problem(run.where, "not-as-published", said, _FIX)

    def _same(self, run: Run) -> list[Clock]:
        clocks = self._starts.get(run.started_ms or 0, ())
        return [clock for clock in clocks if clock.stop == run.stopped_ms and clock.benchmark == run.benchmark]

    def _run(self, run: Run) -> str | None:
        """How a run that is none of the published ones begins or ends with one of them."""
        ends = (("begins", "ends", self._starts, run.started_ms), ("ends", "begins", self._stops, run.stopped_ms))
        for same, other, clocks, time in ends:
            known = [clock for clock in clocks.get(time or 0, ()) if clock.benchmark == run.benchmark]
            if known:
                here = run.stopped_ms if other == "ends" else run.started_ms
                there = known[0].stop if other == "ends" else known[0].start
                apart = abs((here or 0) - there) / 1000
                later = "later" if (here or 0) > there else "earlier"
                return f"{same} with the published run {known[0].place}, but {other} {apart:,.3f} s {later}."
        return None


def _apart(one: float, other: float, printed: float) -> float:
    """How far two figures are apart, in shares of one; 0 where they are the same, to the digits that were printed."""
    far = abs(one - other)
    return 0.0 if far <= max(PRINTED * abs(one), printed) else far / abs(one)


def _said(value: float, power: float | None) -> str:
    return f"{value:.9g}" + ("" if power is None else f" at a power of {power:.9g}")


@functools.cache
def published() -> Published:
    """What the embedded snapshot knows, read once."""
    return Published()
