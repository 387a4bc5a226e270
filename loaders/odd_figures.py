"""Figures of one table that are counts of their systems: a line or a column of counts was taken for one of results.

Of 44,000 figures in MLCommons' tables none equals a count of its own system, so that one that does is marked, and where
they are many what they stand in is refused. `published.py` holds figures against those of the snapshot.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable
from typing import Final

from loaders.cells import BadCell, Numbers
from mlperf.errors import Problem, Where
from mlperf.model import Measurement

FEWEST: Final = 3
"""So many figures that are counts, and half of all, show that they are no results."""

KIND: Final = "odd-figure"

_COUNTS: Final = {
    "nodes": "nodes",
    "accelerators_per_node": "accelerators per node",
    "accelerators_total": "accelerators",
    "processors_per_node": "processors per node",
    "processor_cores": "cores per processor",
}
_PER_NODE: Final = {"accelerators_per_node": "accelerators", "processors_per_node": "processors"}
_Column = tuple[str | None, str | None, str | None]


class FiguresOfTable:
    """All figures of one table, by the column or benchmark that they are of."""

    def __init__(self) -> None:
        self._identifiers: dict[_Column, list[str]] = defaultdict(list)
        self._figures: Counter[_Column] = Counter()
        self._counts: dict[str, dict[_Column, list[tuple[Where, float]]]] = defaultdict(lambda: defaultdict(list))
        """Figures that are counts, by the name of the count and their column."""

    def add(self, measurement: Measurement, identifiers: Iterable[str]) -> None:
        """Take a figure; `identifiers` are what it is kept under."""
        column = (measurement.benchmark, measurement.scenario, measurement.unit)
        self._identifiers[column].extend(identifiers)
        if measurement.value is None:
            return
        self._figures[column] += 1
        for name in _equal_counts(measurement):
            self._counts[name][column].append((measurement.where, measurement.value))

    def judge(self) -> tuple[set[str], list[Problem]]:
        """The identifiers of the figures that must not be kept, and a `Problem` for them and each that is marked."""
        refused: set[str] = set()
        problems: list[Problem] = []
        total = self._figures.total()
        for name, columns in sorted(self._counts.items()):
            count = sum(map(len, columns.values()))
            if is_many(count, total):
                found = f"{count:,} of {total:,} figures are the number of {name} of their system."
                fix = "The table was left out: its results stand elsewhere. Export it again with the results."
                everything = {each for those in self._identifiers.values() for each in those}
                return everything, [Problem(_first(columns.values()), KIND, found, fix)]
            for column, places in columns.items():
                of = " ".join(filter(None, column[:2]))
                if is_many(len(places), self._figures[column]):
                    found = f"{len(places):,} of {self._figures[column]:,} figures of {of} are the number of {name}."
                    refused.update(self._identifiers[column])
                    problems.append(Problem(places[0][0], KIND, found, "All figures of it were left out."))
                    continue
                for where, value in places:
                    found = f"the figure of {of}, {value:g}, is the number of {name} of its system."
                    problems.append(Problem(where, KIND, found, "It was kept: look whether it is a result."))
        return refused, problems


def is_many(count: int, total: int) -> bool:
    """Whether so many odd figures of a table or column show that its figures are no results."""
    return count >= FEWEST and 2 * count >= total


def _first(places: Iterable[list[tuple[Where, float]]]) -> Where:
    return min((where for those in places for where, _ in those), key=lambda where: where.line or 0)


def _equal_counts(measurement: Measurement) -> list[str]:
    """The counts of its system that a figure equals."""
    value = measurement.value
    if value is None or value != int(value):
        return []
    counts = {field: _number(getattr(measurement, field)) for field in _COUNTS}
    names = [_COUNTS[field] for field, count in counts.items() if count == value]
    nodes = counts["nodes"]
    if nodes is not None and nodes > 1:
        names += [name for field, name in _PER_NODE.items() if (counts[field] or 0) * nodes == value]
    return list(dict.fromkeys(names))


def _number(cell: str | None) -> float | None:
    try:
        return Numbers().number(cell)
    except BadCell:
        return None
