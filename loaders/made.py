"""What follows from the sightings of some partitions: results, systems, and faults between sources, as rows."""

import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any, Final

import pyarrow as pa

from loaders import resolve
from loaders.resolve import Between, Result, Seen, filled
from loaders.rows import SIGHTING_FIELDS, Partition, named_rows, plain_rows, problem_rows
from mlperf.errors import Problem, Where
from mlperf.model import Sighting


@dataclass(frozen=True)
class Made:
    """What follows from the sightings of some partitions, as rows."""

    rows: dict[str, pa.Table]
    """Of the tables `results`, `systems` and `problems`."""
    owners: pa.Table
    """Which result each sighting belongs to."""
    problems: tuple[Problem, ...]
    """Faults that show only between sources."""


_OWNERS: Final = pa.schema([("sighting_id", pa.string()), ("result_id", pa.string())])


def make(sightings: pa.Table) -> Made:
    """Make results and systems of all sightings of some partitions, which lie side by side; needs no database."""
    systems: list[dict[str, Any]] = []
    problems: list[dict[str, Any]] = []
    owners: dict[str, str] = {}
    told: list[Problem] = []

    def resolved() -> Iterator[tuple[object, ...]]:
        for partition, seen in _seen(sightings):
            results, between, belong = resolve.resolve(seen)
            yield from map(resolve.row, results)
            systems.extend(system_rows(results))
            owners.update(belong)
            for source in sorted({fault.source for fault in between}):
                own = [fault.problem for fault in between if fault.source == source]
                problems.extend(problem_rows(own, source, partition="/".join(partition)))
            told.extend(_told(fault) for fault in between)

    rows = {"results": plain_rows("results", resolve.COLUMNS, resolved())}  # first: it fills what the others hold
    rows |= {"systems": named_rows("systems", systems), "problems": named_rows("problems", problems)}
    belonging = {"sighting_id": list(owners), "result_id": list(owners.values())}
    return Made(rows, pa.table(belonging, schema=_OWNERS), tuple(told))


def _told(found: Between) -> Problem:
    """The fault with its source in its place, for a report on several sources."""
    where = found.problem.where
    return replace(found.problem, where=Where(f"{found.source}/{where.file}", where.line))


def _seen(rows: pa.Table) -> Iterator[tuple[Partition, list[Seen]]]:
    """All sightings of each partition."""
    pairs = zip(rows["round"].to_pylist(), rows["submitter"].to_pylist(), strict=True)
    start = 0
    for partition, group in itertools.groupby(pairs):
        size = len(list(group))
        part = rows.slice(start, size)
        # Column by column: by row Arrow takes twice as long.
        figures = zip(*(part[name].to_pylist() for name in SIGHTING_FIELDS), strict=True)
        places = zip(*(part[name].to_pylist() for name in _PLACE_FIELDS), strict=True)
        yield partition, [_seen_row(figure, *place) for figure, place in zip(figures, places, strict=True)]
        start += size


_PLACE_FIELDS: Final = ("line", "sighting_id", "source", "source_path", "format", "rank", "origin")

MADE_FROM: Final = (*SIGHTING_FIELDS, *_PLACE_FIELDS)
"""Columns of `sightings` that say all of a result."""


def _seen_row(
    figure: tuple[Any, ...],
    line: int | None,
    sighting_id: str,
    source: str,
    source_path: str,
    form: str,
    rank: int,
    origin: str,
) -> Seen:
    return Seen(Sighting(Where(source_path, line), *figure), sighting_id, source, source_path, form, rank, origin)


_SYSTEM_FIELDS: Final = (
    "system_id", "system_name", "availability", "server", "server_family", "nodes", "processor", "processors_per_node",
    "processor_cores", "accelerator", "accelerator_raw", "accelerator_count", "framework", "operating_system",
)  # fmt: skip


def system_rows(results: Iterable[Result]) -> Iterator[dict[str, Any]]:
    """One row per system, suite and division, from the first of its results that says anything."""
    found: dict[tuple[str, ...], tuple[Any, ...]] = {}
    for result in results:
        sighting = result.lead.sighting
        known = result.known(_SYSTEM_FIELDS)
        system_id = known[0]
        key = (
            sighting.suite, sighting.division, system_id or "", "" if system_id else sighting.system_name or "",
            sighting.round, sighting.submitter,
        )  # fmt: skip
        before = found.setdefault(key, known)
        if None in before:
            found[key] = filled(before, known)
    for (suite, division, _, _, round_id, submitter), told in sorted(found.items()):
        whose = {"round": round_id, "suite": suite, "division": division, "submitter": submitter}
        yield {**whose, **dict(zip(_SYSTEM_FIELDS, told, strict=True))}
