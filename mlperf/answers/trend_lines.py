"""Results as lines over the rounds: which compare with which, the best of each round, and what was gained. No words."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final, Literal, NamedTuple

from mlperf import compare, guard
from mlperf.answers.answer import Row
from mlperf.facts import facts, unit_change
from mlperf.figures import PALETTE
from mlperf.metrics import measure
from mlperf.model import SECOND_UNITS, Kind
from mlperf.unverified import is_unverified, parted

By = Literal["server_family", "server", "accelerator", "submitter"]
MOST: Final = 6
"""Lines of a chart."""


@dataclass(frozen=True)
class Choice:
    """The values of `by` that get a line, and the field they are in."""

    by: By
    values: tuple[str, ...]
    kind: Kind
    benchmark: str
    """A lineage: a benchmark that was only renamed keeps its line."""
    scenario: str | None
    division: str = "closed"
    has_power: bool = False
    accelerator_count: int | None = None
    """Systems with so many accelerators only; all for None."""
    is_per_accelerator: bool = False
    palette: tuple[str, ...] = PALETTE

    @property
    def title(self) -> str:
        """`ResNet-50 v1.5 Offline`; in training the benchmark alone."""
        return " ".join(filter(None, [full_name(self.kind, self.benchmark), self.scenario]))


class Point(NamedTuple):
    """A result as the chart draws it."""

    group: str
    """The value whose line it belongs to."""
    segment: int
    """Equal for results that compare."""
    row: Row
    value: float
    """The result, or the result per accelerator."""
    unit: str

    @property
    def order(self) -> tuple[float, str]:
        """A key that sorts best first."""
        return measure(self.row).order(self.value), self.row["result_id"]


class Break(NamedTuple):
    """Two neighbouring rounds whose results do not compare, and why."""

    ages: tuple[int, int]
    """Their indexes."""
    rounds: tuple[str, str]
    reason: str
    segments: tuple[int, int]
    """Of the results before and after."""
    units: tuple[str, str] | None
    """Their units, where nothing but the unit parts them; None elsewhere."""


class Gain(NamedTuple):
    """How much better the last best result is than the first; over 1 is better."""

    first: Point
    last: Point
    ratio: float


@dataclass(frozen=True)
class Trend:
    """All results of a choice, the best per line, segment and round, and where lines break."""

    points: tuple[Point, ...]
    bests: tuple[Point, ...]
    """Oldest round first; unverified results are bests of lines of their own only."""
    breaks: tuple[Break, ...]
    spans: Mapping[int, str]
    """For each segment its rounds: `v2.0 – v5.1`."""
    without_figure: int
    """Results that have no figure per accelerator."""
    seconds: tuple[Point, ...] = ()
    """What logs state beside the score, in the unit of the other side of a break; in no line and no ratio."""

    @property
    def published_bests(self) -> tuple[Point, ...]:
        """The bests of the lines of published results."""
        return tuple(point for point in self.bests if not is_unverified(point.row))


Place = tuple[int, str, str, str]
"""Of results that compare: the round's index and id, benchmark and unit."""


def full_name(kind: Kind, benchmark: str) -> str:
    """The benchmark's full name, its own id for one that the catalog does not know."""
    known = facts().benchmark(kind, benchmark, None)
    return known.full_name if known else benchmark


def trend(rows: Iterable[Row], choice: Choice) -> Trend:
    """Results, one row each or one per suite, as lines: a result listed in two suites is one."""
    listed: dict[str, list[Row]] = {}
    for row in rows:
        if choice.accelerator_count in (None, row["accelerator_count"]):
            listed.setdefault(row["result_id"], []).append(row)
    wanted = [several[0] for several in listed.values()]
    segments, breaks = _segments(wanted, choice)
    points = []
    for row in wanted:
        value, unit = _figure(row, choice)
        if value is not None:
            points.append(Point(_group(row, choice), segments[_place(row)], row, value, unit))
    points = _in_one_suite(points, _bests(points, choice), listed)
    spans: dict[int, list[str]] = {}
    published = {_place(row) for row in parted(wanted)[0]}
    known = {segments[place] for place in published}
    for place, segment in sorted(segments.items()):
        if place in published or segment not in known:
            spans.setdefault(segment, []).append(place[1])
    return Trend(
        tuple(points),
        _bests(points, choice),
        breaks,
        {segment: " – ".join(dict.fromkeys([rounds[0], rounds[-1]])) for segment, rounds in spans.items()},
        len(wanted) - len(points),
        () if choice.is_per_accelerator else tuple(_seconds(wanted, segments, breaks, choice)),
    )


def _seconds(
    rows: Iterable[Row], segments: Mapping[Place, int], breaks: Iterable[Break], choice: Choice
) -> Iterator[Point]:
    """For each break that the unit alone makes: what results on one side state in the unit of the other."""
    units = {}
    for gap in breaks:
        if gap.units is not None:
            (before, after), (unit, new_unit) = gap.segments, gap.units
            units.update({(before, unit): new_unit, (after, new_unit): unit})
    for row in rows:
        unit = units.get((segments[_place(row)], row["unit"]), "")
        value = row[SECOND_UNITS[unit]] if unit in SECOND_UNITS else None
        if value is not None:
            yield Point(_group(row, choice), segments[_place(row)], row, value, unit)


def _bests(points: Iterable[Point], choice: Choice) -> tuple[Point, ...]:
    """The best point of each line, segment and round, oldest round first."""
    bests: dict[tuple[int, int, int], Point] = {}
    for point in sorted(points, key=lambda point: point.order):
        line = choice.values.index(point.group)
        bests.setdefault((point.row["round_index"], point.segment, line), point)
    return tuple(best for _, best in sorted(bests.items()))


def _in_one_suite(
    points: Sequence[Point], bests: Iterable[Point], listed: Mapping[str, Sequence[Row]]
) -> list[Point]:  # fmt: skip
    """The points, each in the suite that lists most of its segment: results that share a suite do not differ in it.

    The bests, which are joined, count first.
    """
    counts: dict[tuple[int, str], list[int]] = {}
    for number, part in enumerate((bests, points)):
        for point in part:
            for row in listed[point.row["result_id"]]:
                counts.setdefault((point.segment, row["suite"]), [0, 0])[number] += 1
    return [
        point._replace(
            row=max(listed[point.row["result_id"]], key=lambda row: (counts[point.segment, row["suite"]], row["suite"]))
        )
        for point in points
    ]


def _group(row: Row, choice: Choice) -> str:
    """Whose line a result belongs to: an unverified one to its owner's, whatever the lines stand for."""
    return str(row["submitter"] if is_unverified(row) else row[choice.by])


def gain(points: Iterable[Point], to_best: bool = False) -> Gain | None:
    """From the best of the first round to the best of the last one, in the newest segment that has two rounds.

    With `to_best` to the best of all its rounds after the first. None where no two compare or the rules forbid it.
    """
    parts: dict[int, list[Point]] = {}
    for point in points:
        parts.setdefault(point.segment, []).append(point)
    for segment in sorted(parts, reverse=True):
        ages = {point.row["round_index"] for point in parts[segment]}
        if len(ages) > 1:
            later = ages - {min(ages)} if to_best else {max(ages)}
            first, last = best_in(parts[segment], {min(ages)}), best_in(parts[segment], later)
            times = ratio(first, last)
            return None if times is None else Gain(first, last, times)
    return None


def best_in(points: Iterable[Point], ages: Collection[int]) -> Point:
    """The best point of rounds, by their indexes; of equal ones always the same."""
    return min((point for point in points if point.row["round_index"] in ages), key=lambda point: point.order)


def ratio(first: Point, last: Point) -> float | None:
    """How many times better the later result is; None where the rules forbid the comparison."""
    if first.segment != last.segment or any(one.is_refused for one in guard.findings([first.row, last.row])):
        return None
    return compare.speedup(last.value, first.value, last.row["better"])


def _figure(row: Row, choice: Choice) -> tuple[float | None, str]:
    if not choice.is_per_accelerator:
        return row["value"], row["unit"]
    chips = len(row["accelerators"] or [])
    value = compare.per_accelerator(row["metric"], row["value"], row["accelerator_count"], chips)
    return value, compare.per_accelerator_unit(row["metric"], row["unit"])


def _place(row: Row) -> Place:
    return row["round_index"], row["round"], row["benchmark"], row["unit"]


def _segments(rows: Iterable[Row], choice: Choice) -> tuple[dict[Place, int], tuple[Break, ...]]:
    """A number for each place, equal for those between which nothing forbids a comparison; and where it changes.

    Places of unverified results alone break no line: each is of the segment of a published place that it compares with,
    the nearest by round, or of one of its own.
    """
    published, own = parted(rows)
    segments, breaks = _of_published(sorted({_place(row) for row in published}), choice)
    places = list(segments)
    for place in sorted({_place(row) for row in own} - set(places)):
        near = sorted(places, key=lambda other: (abs(other[0] - place[0]), other))
        like = next((other for other in near if _parting(min(place, other), max(place, other), choice) is None), None)
        segments[place] = max(segments.values(), default=-1) + 1 if like is None else segments[like]
    return segments, breaks


def _of_published(places: Sequence[Place], choice: Choice) -> tuple[dict[Place, int], tuple[Break, ...]]:
    segments, breaks = dict.fromkeys(places[:1], 0), []
    for one, other in pairwise(places):
        reason = _parting(one, other, choice)
        segments[other] = segments[one] + (reason is not None)
        if reason is not None:
            is_of_unit = reason == unit_change((one[1], one[3]), (other[1], other[3]))
            units = (one[3], other[3]) if is_of_unit else None
            parts = (segments[one], segments[other])
            breaks.append(Break((one[0], other[0]), (one[1], other[1]), reason, parts, units))
    return segments, tuple(breaks)


def _parting(one: Place, other: Place, choice: Choice) -> str | None:
    reason = facts().incomparable(choice.kind, (one[2], one[1]), (other[2], other[1]), choice.scenario)
    return reason or unit_change((one[1], one[3]), (other[1], other[3]))
