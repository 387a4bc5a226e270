"""The flat export of a results page: one line per system, benchmark and unit, averaged over systems of one name.

Power stands in lines of its own (Watts, kJ). The "Full Data" export is `export_full_data`. The figure stands under one
of the headings of `exports.AVERAGES`, or under "Result"; where a line has both and one does not follow from the other,
or a cell there is no number, the line is refused.
"""

import math
from collections import defaultdict
from collections.abc import Iterator
from typing import Final

from loaders.formats import exports
from loaders.protocol import Parsed
from loaders.tables import Header, header
from loaders.unpack import Source
from mlperf.model import Measurement

NAME: Final = "export-flat"
TITLE: Final = "MLCommons results table, flat export (CSV or tab-separated)"
RANK: Final = 50


def recognises(source: Source) -> bool:
    """A header with a model and an averaged result, but no result of its own."""
    found = header(source)
    if found is None:
        return False
    names = set(found.names)
    return bool(exports.MODEL_HEADINGS & names and exports.AVERAGE_HEADINGS & names) and "result" not in names


def parse(source: Source) -> Iterator[Parsed]:
    """One measurement per line of the table."""
    found = header(source)
    if found is not None:
        yield from parse_lines(source, found)


def parse_lines(source: Source, found: Header) -> Iterator[Parsed]:
    """One measurement per line under `found`, with the suite that the whole file tells."""
    read, problems = exports.table(source, found)
    yield from problems
    values = [column for column, name in enumerate(found.names) if name in exports.HEADINGS["value"]]
    numbers = exports.numbers_in(found, read, values)
    layout = exports.Layout.of(found)
    lines = [exports.Line(row, layout, numbers) for row in read]
    measurements: list[Measurement] = []
    for line, figure in zip(lines, _figures(lines), strict=True):
        item = line.measurement(figure)
        if item is not None:
            measurements.append(item)
        yield from line.problems
    yield from exports.with_division(exports.with_suite(measurements, found, source), source)


def _figures(lines: list[exports.Line]) -> list[float | None]:
    """The figure of each line: its own, else the average over systems of its name.

    Where a line has both, one must follow from the other: they are one figure, or the average is that of the lines of
    its name. A line is refused where they contradict each other.
    """
    figures = [(line.own_figure(), line.average()) for line in lines]
    groups: dict[tuple[str | None, ...], list[float]] = defaultdict(list)
    for line, (own, _) in zip(lines, figures, strict=True):
        if own is not None:
            groups[_of_one_name(line)].append(own)
    for line, (own, average) in zip(lines, figures, strict=True):
        if own is not None and average is not None and not exports.is_near(own, average):
            group = groups[_of_one_name(line)]
            if not exports.is_near(average, math.fsum(group) / len(group)):
                line.refuse(own, average)
    return [average if own is None else own for own, average in figures]


def _of_one_name(line: exports.Line) -> tuple[str | None, ...]:
    """What lines that are averaged together share."""
    return tuple(line.text(field) for field in ("system_name", "benchmark", "scenario", "unit", "division"))
