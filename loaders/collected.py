"""Many sources side by side in memory, and what follows from all of them; `store` does it in a database, one by one."""

import itertools
from collections.abc import Callable, Iterable, Iterator
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from loaders.made import MADE_FROM, Made, make
from loaders.rows import Packed, checked
from loaders.store import Stored
from mlperf.errors import Problem

Ways = Callable[[Callable[[pa.Table], Made], Iterable[pa.Table]], Iterable[Made]]
"""How `make` is called for several tables."""


class Collected:
    """The rows of many sources: each source once, as it was added last, and each figure once."""

    def __init__(self) -> None:
        self._sources: dict[str, dict[str, pa.Table]] = {}
        self._sightings: list[pa.Table] = []
        self._known: set[str] = set()

    def add(self, packed: Packed) -> Stored:
        """Take all of a source; how many of its figures are new."""
        sightings = packed.rows["sightings"]
        ids = sightings["sighting_id"].to_pylist()
        new = set(ids) - self._known
        self._known |= new
        if len(new) < len(ids):
            sightings = sightings.filter(pa.array([name in new for name in ids], pa.bool_()))
        self._sightings.append(sightings)
        self._sources[packed.source.sha256] = {table: packed.rows[table] for table in _OF_SOURCES}
        return Stored(len(new), len(ids) - len(new), ())

    def settle(self, ways: Ways = map) -> tuple[dict[str, pa.Table], tuple[Problem, ...]]:
        """All rows by table, with what follows from them, and the faults between sources.

        Rows come in no order, and runs without the result that they are behind. `ways` is `map`, or does what `map`
        does in other processes.
        """
        sightings = pa.concat_tables(self._sightings)
        rows = {table: [of[table] for of in self._sources.values()] for table in _OF_SOURCES}
        made = list(ways(make, _by_round(sightings.select(MADE_FROM))))
        for table in ("results", "systems", "problems"):
            rows.setdefault(table, []).extend(each.rows[table] for each in made)
        owners = pa.concat_tables([each.owners for each in made])
        found = pc.index_in(sightings["sighting_id"], owners["sighting_id"])
        rows["sightings"] = [sightings.append_column("result_id", owners["result_id"].take(found))]
        problems = sorted(itertools.chain.from_iterable(each.problems for each in made), key=_place)
        return {table: checked(table, pa.concat_tables(parts)) for table, parts in rows.items()}, tuple(problems)


def _place(problem: Problem) -> tuple[str, int, str, str]:
    """A report's order, whatever the order in which rounds were settled."""
    return problem.where.file, problem.where.line or 0, problem.kind, problem.found


_OF_SOURCES: Final = ("sources", "runs", "sheets", "problems")


def _by_round(sightings: pa.Table) -> Iterator[pa.Table]:
    """Those of each round, and of each submitter side by side: no result has sightings of two rounds.

    The largest first, so that processes end together.
    """
    sizes = {each["values"]: each["counts"] for each in sightings["round"].value_counts().to_pylist()}
    for name in sorted(sizes, key=lambda name: (-sizes[name], name)):
        yield sightings.filter(pc.equal(sightings["round"], name)).sort_by("submitter")
