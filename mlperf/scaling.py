"""Results on more and more nodes against that on the fewest: speed-up, efficiency, and efficiency per epoch.

Rows in, lines of points out: no query and no words for the reader.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from mlperf import compare, guard
from mlperf.facts import facts
from mlperf.families import Family
from mlperf.guard import Finding

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


class Line(NamedTuple):
    """One benchmark on one family, fewest nodes first; the first point is what the others are measured against."""

    benchmark: str
    family: Family
    points: tuple[Point, ...]
    left_out: int
    """Further results of the same systems and benchmark."""

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
    def converges_alike(self) -> bool:
        """Whether epochs to converge hardly differ between the fewest and the most nodes, or nobody knows."""
        old, new = self.first.passes, self.last.passes
        return not old or not new or self.last.pass_efficiency is None or abs(new / old - 1) < SAME


def title(benchmark: str) -> str:
    """A benchmark's full name; that of an unknown one is its own."""
    found = facts().benchmark("training", benchmark, None)
    return found.full_name if found else benchmark


def lines(placed: Mapping[str, Family], rows: Sequence[Row], converged: Mapping[str, Row]) -> list[Line]:
    """A line per benchmark and its family: `rows` of results, those of `queries.convergence` by result ID."""
    drawn = []
    for benchmark, one in placed.items():
        found = sorted((row for row in rows if row["benchmark"] == benchmark), key=_preference)
        best: dict[int, Row] = {}
        for row in found:
            best.setdefault(row["nodes"], row)
        ordered = [best[nodes] for nodes in sorted(best)]
        points = tuple(_point(row, ordered[0], converged) for row in ordered)
        drawn.append(Line(benchmark, one, points, len(found) - len(ordered)))
    return drawn


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
    )


def _passes(runs: Mapping[str, Any]) -> tuple[float | None, str | None]:
    """Mean epochs, else samples, until the runs converged, and which of them."""
    return next(((runs[unit], unit) for unit in ("epochs", "samples") if runs.get(unit)), (None, None))
