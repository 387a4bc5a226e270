"""A net under all table loaders: figures that are no results, whatever the headings say.

A column mixed up by a loader, an export or a spreadsheet shows in its figures: they are the counts of their systems.
What differs from the published figure of the same result is told by `loaders.published`.
"""

from collections.abc import Iterator, Sequence
from typing import Final

from loaders.protocol import Parsed
from mlperf.errors import Problem
from mlperf.model import Measurement

COUNTS: Final = {
    "processors_per_node": "processors",
    "accelerators_per_node": "accelerators per node",
    "accelerators_total": "accelerators",
    "nodes": "nodes",
}
"""Fields of a measurement that hold a count of its system, and what they count."""

ENOUGH: Final = 3
"""So many figures of a column are no chance. Of 33,000 published figures none is a count of its system."""


def checked(parsed: Sequence[Parsed]) -> Iterator[Parsed]:
    """What a table gave, without the columns of figures that equal a count of their system line by line.

    A column is what the table has of one benchmark, scenario and unit; where few lines fill each, all figures together
    are held against the counts. Single figures that equal a count are kept, each with a `Problem`.
    """
    columns: dict[tuple[str | None, ...], list[Measurement]] = {}
    for item in parsed:
        if isinstance(item, Measurement) and item.value is not None:
            columns.setdefault((item.benchmark, item.scenario, item.unit), []).append(item)
    whole = [item for column in columns.values() for item in column]
    left_out: set[int] = set()
    for group in (whole, *columns.values()):
        counted = _common_count(group)
        if len(group) >= ENOUGH and counted and id(group[0]) not in left_out:
            left_out.update(map(id, group))
            found = f"all {len(group):,} figures of the column equal the number of {counted} of their systems."
            fix = "They were left out: look which column of the table holds its results."
            yield Problem(group[0].where, "odd-figure", found, fix)
    for item in parsed:
        if id(item) in left_out:
            continue
        if isinstance(item, Measurement) and (counted := _common_count([item])):
            found = f"{item.value:.12g}, the figure of {item.benchmark}, equals the number of {counted} of its system."
            yield Problem(item.where, "odd-figure", found, "It was kept: compare it with its source.")
        yield item


def _common_count(group: Sequence[Measurement]) -> str | None:
    """Which count of their systems all of these figures are; None for none."""
    for field, counted in COUNTS.items():
        if all(item.value is not None and item.value == _number(getattr(item, field)) for item in group):
            return counted
    return None


def _number(text: str | None) -> float | None:
    try:
        return float(text) if text and len(text) < 20 else None
    except ValueError:
        return None
