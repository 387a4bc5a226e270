"""Results on more and more nodes against that on the fewest: speed-up, efficiency, and efficiency per epoch.

Rows in, lines of points out: no query and no words for the reader.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final, NamedTuple

from mlperf import compare, guard
from mlperf.families import Family
from mlperf.filters import benchmark_name
from mlperf.guard import Finding
from mlperf.unverified import is_unverified, parted

Row = dict[str, Any]
"""A row of the results, None for what is missing."""

SAME: Final = 0.02
"""Epochs to converge that differ by less hardly differ: runs of one system vary by as much."""
OWN_AXES: Final = ("node count", "accelerator count")
"""What the guard would note of any scaling: it is what the chart's axis shows."""


class Point(NamedTuple):
    """One result beside that on the fewest nodes."""

    row: Row
    nodes: int
    batch: int | None
    """Global batch size; None where its runs differ or do not say."""
    batches: tuple[int, int] | None
    """The smallest and the largest of its runs."""
    passes: float | None
    """Mean epochs (or samples) to converge of the runs that count."""
    passes_unit: str | None
    factor: float | None
    """The score over the mean of the runs that count: over 1 where the rules scaled it."""
    minutes: float | None
    """That mean."""
    ideal: float | None
    speedup: float | None
    efficiency: float | None
    pass_efficiency: float | None
    """The same per epoch or sample, of the runs that count: a later convergence is no loss of it."""
    findings: tuple[Finding, ...]
    replaced: Row | None = None
    """The published result that this unverified one stands in for."""
    rests_on_unverified: bool = False
    """Whether speed-up and efficiency are no better verified than an unverified result that they are made of."""

    @property
    def is_unverified(self) -> bool:
        """Whether the result itself is so."""
        return is_unverified(self.row)


class Line(NamedTuple):
    """One benchmark on one family, fewest nodes first; the first point is what the others are measured against."""

    benchmark: str
    family: Family
    points: tuple[Point, ...]
    left_out: int
    """Further results of the same systems and benchmark."""
    beside: tuple[Point, ...] = ()
    """Unverified results of the same configuration that stand beside the line, against the same first point."""

    @property
    def title(self) -> str:
        """The benchmark's full name."""
        return title(self.benchmark)

    @property
    def first(self) -> Point:
        """On the fewest nodes."""
        return self.points[0]

    @property
    def last(self) -> Point:
        """On the most nodes."""
        return self.points[-1]

    @property
    def every(self) -> tuple[Point, ...]:
        """The line's points, then those beside it."""
        return (*self.points, *self.beside)

    @property
    def converges_alike(self) -> bool:
        """Whether epochs to converge hardly differ between the fewest and the most nodes, or nobody knows."""
        old, new = self.first.passes, self.last.passes
        return not old or not new or self.last.pass_efficiency is None or abs(new / old - 1) < SAME


def title(benchmark: str) -> str:
    """A benchmark's full name; that of an unknown one is its own."""
    return benchmark_name(benchmark)


def lines(
    placed: Mapping[str, Family], rows: Sequence[Row], converged: Mapping[str, Row], own: Sequence[Row] = (),
    swapped: Collection[str] = (),
) -> list[Line]:  # fmt: skip
    """A line per benchmark and its family: `rows` of results, those of `queries.convergence` by result ID.

    Of the `own` results, unverified ones that match these families, those whose IDs are `swapped` stand in the line in
    place of the published result on as many nodes and accelerators; the others stand beside it.
    """
    drawn = []
    for benchmark, one in placed.items():
        found = sorted((row for row in rows if row["benchmark"] == benchmark), key=_preference)
        best: dict[int, Row] = {}
        for row in found:
            best.setdefault(row["nodes"], row)
        others = [row for row in own if row["benchmark"] == benchmark]
        chosen = _chosen([row for row in others if row["result_id"] in swapped], best)
        ordered = [chosen.get(nodes, best[nodes]) for nodes in sorted(best)]
        points = [_point(row, ordered[0], converged) for row in ordered]
        points = [
            point._replace(replaced=best[point.nodes]) if point.nodes in chosen else point for point in points
        ]  # fmt: skip
        beside = [_beside(row, ordered[0], converged) for row in others if row not in chosen.values()]
        drawn.append(Line(benchmark, one, tuple(points), len(found) - len(ordered), tuple(beside)))
    return drawn


def swappable(line: Line) -> list[tuple[Row, Row]]:
    """Unverified results that can stand in the line, each with the published result that it would stand in for."""
    published = {point.nodes: point.replaced or point.row for point in line.points}
    own = [point.row for point in line.every if point.replaced or point in line.beside]
    pairs = [(row, published[row["nodes"]]) for row in own if row["nodes"] in published]
    return [(row, other) for row, other in pairs if _is_as_large(row, other)]


def matching(rows: Sequence[Row], placed: Mapping[str, Family]) -> list[Row]:
    """Of rows of `queries.scaling`, the unverified ones that ran the benchmark on the configuration of its family."""
    _, own = parted(rows)
    published = {benchmark: one for benchmark, one in placed.items() if one.is_published}
    return [row for row in own if row["nodes"] and (one := published.get(row["benchmark"])) and one.is_like(row)]


def _chosen(swapped: Sequence[Row], best: Mapping[int, Row]) -> dict[int, Row]:
    """The result that stands in for each published one, the first where several would."""
    chosen: dict[int, Row] = {}
    for row in swapped:
        if row["nodes"] in best and _is_as_large(row, best[row["nodes"]]):
            chosen.setdefault(row["nodes"], row)
    return chosen


def _is_as_large(one: Row, other: Row) -> bool:
    return all(one[name] == other[name] for name in ("nodes", "accelerator_count"))


def _beside(row: Row, first: Row, converged: Mapping[str, Row]) -> Point:
    """An unverified result against the line's first; on as many nodes as that it is no scaling, and has no speed-up."""
    point = _point(row, first, converged)
    return point if row["nodes"] != first["nodes"] else point._replace(
        speedup=None, efficiency=None, pass_efficiency=None
    )  # fmt: skip


def _preference(row: Row) -> tuple[object, ...]:
    """Of several results on one number of nodes: without power first, then the benchmark's own model."""
    return row["has_power"], row["model"] or "", row["result_id"]


def _point(row: Row, first: Row, converged: Mapping[str, Row]) -> Point:
    findings = guard.findings([row] if row is first else [first, row])
    is_refused = any(one.is_refused for one in findings)
    runs, first_runs = converged.get(row["result_id"], {}), converged.get(first["result_id"], {})
    nodes, fewest = row["nodes"], first["nodes"]
    speedup = None if is_refused else compare.speedup(row["value"], first["value"], row["better"])
    passes, unit = _passes(runs)
    first_passes, first_unit = _passes(first_runs)
    per_pass = compare.per_pass(runs.get("minutes"), passes)
    old_per_pass = compare.per_pass(first_runs.get("minutes"), first_passes) if unit == first_unit else None
    pass_speedup = None if is_refused else compare.speedup(per_pass, old_per_pass, "lower")
    smallest, largest = runs.get("smallest_batch"), runs.get("largest_batch")
    return Point(
        row=row,
        nodes=nodes,
        batch=smallest if smallest == largest else None,
        batches=(smallest, largest) if smallest is not None and largest is not None else None,
        passes=passes,
        passes_unit=unit,
        factor=row["value"] / runs["minutes"] if runs.get("minutes") else None,
        minutes=runs.get("minutes"),
        ideal=compare.ideal_time(first["value"], nodes, fewest),
        speedup=speedup,
        efficiency=compare.efficiency(speedup, nodes, fewest),
        pass_efficiency=compare.efficiency(pass_speedup, nodes, fewest),
        findings=tuple(finding for finding in findings if finding.kind not in OWN_AXES),
        rests_on_unverified=is_unverified(row) or is_unverified(first),
    )


def _passes(runs: Mapping[str, Any]) -> tuple[float | None, str | None]:
    """Mean epochs, else samples, until the runs converged, and which of them."""
    return next(((runs[unit], unit) for unit in ("epochs", "samples") if runs.get(unit)), (None, None))
