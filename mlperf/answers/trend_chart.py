"""The chart of a trend: a line through the bests, small points for the other results, a mark where lines break."""

import math
from collections.abc import Mapping, Sequence
from typing import Final

from mlperf import figures, plots
from mlperf.answers.answer import Chart
from mlperf.answers.trend_lines import MOST, Choice, Point, Trend
from mlperf.facts import facts
from mlperf.metrics import Measure, measure, number_text
from mlperf.plots import Axis, Series
from mlperf.unverified import is_unverified, marked

MOST_DRAWN: Final = 64
"""Marks of a chart: what a browser redraws, and is sent, in a moment."""
WIDEST: Final = 20
"""From this ratio of greatest to smallest on, the axis is logarithmic."""
SECOND: Final = "stated beside the score"
"""What legend and tooltips call a second measure."""
DODGE: Final = 0.1
"""How far the lines of a round stand apart, in rounds."""


def drawn_points(found: Trend) -> list[Point]:
    """The points that the chart has room for: all bests, and of each line and round as many of the next as fit.

    Unverified ones take no room from published ones.
    """
    groups: dict[tuple[str, int, int], list[Point]] = {}
    own: dict[tuple[str, int, int], list[Point]] = {}
    for point in sorted(found.points, key=lambda point: point.order):
        part = own if is_unverified(point.row) else groups
        part.setdefault((point.group, point.segment, point.row["round_index"]), []).append(point)
    return [*_fitting(groups), *_fitting(own)]


def _fitting(groups: Mapping[tuple[str, int, int], Sequence[Point]]) -> list[Point]:
    room, most = max(1, MOST_DRAWN // max(1, len(groups))), max(map(len, groups.values()), default=0)
    while sum(min(len(group), room + 1) for group in groups.values()) <= MOST_DRAWN and room < most:
        room += 1
    ordered = sorted(groups, key=lambda key: (key[1], key[2], key[0]))
    return [point for key in ordered for point in groups[key][:room]]


def charts(found: Trend, drawn: Sequence[Point], choice: Choice) -> tuple[Chart, ...]:
    """A chart per unit: two units have no axis in common."""
    units = dict.fromkeys((point.row["metric"], point.unit) for point in found.bests)
    return tuple(
        _chart(found, [one for one in drawn if (one.row["metric"], one.unit) == unit], choice) for unit in units
    )


def _chart(found: Trend, drawn: Sequence[Point], choice: Choice) -> Chart:
    """The points of one unit: small ones, and lines with markers through the bests."""
    row, unit = drawn[0].row, drawn[0].unit
    measured = measure(row | {"unit": unit})
    measured = Measure(measured.label, unit, measured.better, choice.is_per_accelerator)
    seconds = [point for point in found.seconds if point.unit == unit]
    ages = [point.row["round_index"] for point in (*drawn, *seconds)]
    ids = {played.index: played.id for played in facts().rounds if played.kind == choice.kind}
    ids |= {point.row["round_index"]: point.row["round"] for point in (*drawn, *seconds)}
    ticks = list(range(min(ages), max(ages) + 1))
    span = (ticks[0] - 0.5, ticks[-1] + 0.5)
    axis = _upright(measured.upright, [point.value for point in (*drawn, *seconds)])
    figure = plots.plot(
        [
            *_marks(found, span, axis),
            *_small(found, drawn, choice),
            *_beside(seconds, choice),
            *_lines(found, drawn, choice),
        ],
        Axis(
            f"{facts().kind_name(choice.kind)} round",
            ticks=[ids.get(tick, "") for tick in ticks],
            values=ticks,
            range=span,
        ),
        axis,
        height=430,
    )
    groups = ", ".join(dict.fromkeys(point.group for point in drawn))
    return Chart(figure, f"{measured.axis}, {choice.title}, by round, as lines: {groups}")


def _upright(title: str, drawn: Sequence[float]) -> Axis:
    """From zero on; logarithmic with ticks at 1, 2 and 5 where small and large stand side by side; room on top."""
    low, high = min(drawn), max(drawn)
    if low <= 0 or high <= WIDEST * low:
        return Axis(title, range=(min(low, 0.0), high * 1.15 or 1.0))
    first, last = math.log10(low), math.log10(high)
    decades = range(math.floor(first), math.ceil(last) + 1)
    steps = (1, 2, 5) if len(decades) <= 4 else (1,)
    ticks = [step * 10.0**decade for decade in decades for step in steps]
    room = 0.04 * (last - first)
    return Axis(title, [number_text(tick) for tick in ticks], ticks, "log", range=(first - room, last + 3 * room))


def _marks(found: Trend, span: tuple[float, float], axis: Axis) -> list[Series]:
    """A dotted upright line where results stop being comparable, with its label above all points."""
    places = []
    for before, after in (gap.ages for gap in found.breaks):
        places += [place for place in (after - 0.5, before + 0.5) if span[0] <= place <= span[1]][:1]
    bottom, top = axis.range or (0.0, 1.0)
    top -= 0.04 * (top - bottom)
    ends = [10**bottom, 10**top] if axis.kind == "log" else [bottom, top]
    return [
        Series(
            "not comparable",
            [place, place],
            ends,
            text=["", "not comparable"],
            places=["middle left" if place == span[1] else "middle right"] * 2,
            mode="lines",
            dash="dot",
            is_listed=False,
        )
        for place in dict.fromkeys(places)
    ]


def _lines(found: Trend, drawn: Sequence[Point], choice: Choice) -> list[Series]:
    """A line through the bests of each value; a None parts what does not compare."""
    shown = {point.row["result_id"] for point in drawn}
    lines: dict[str, list[Point]] = {}
    for point in found.bests:
        if point.row["result_id"] in shown:
            lines.setdefault(point.group, []).append(point)
    is_labelled = len(lines) == 1
    is_named = is_labelled and len(choice.values) > 1
    series = []
    for group in (value for value in choice.values if value in lines):
        points: list[Point | None] = []
        for point in lines[group]:
            points += [None] if points and points[-1] and points[-1].segment != point.segment else []
            points.append(point)
        series.append(
            Series(
                marked(group, lines[group][0].row),
                [_x(point, choice) if point else None for point in points],
                [point.value if point else None for point in points],
                hover=[_best_hover(point) if point else "" for point in points],
                text=_labels(points, is_named) if is_labelled else (),
                colour=_colours(choice)[group],
                symbol=plots.SYMBOLS[choice.values.index(group) % len(plots.SYMBOLS)],
                unverified=[point is not None and is_unverified(point.row) for point in points],
            )
        )
    return series


def _labels(points: Sequence[Point | None], is_named: bool) -> list[str]:
    """The figures of a line; the first with the line's name, where no legend says it."""
    texts = [number_text(point.value) if point else "" for point in points]
    return [f"{points[0].group}: {texts[0]}", *texts[1:]] if is_named and points[0] else texts


def _small(found: Trend, drawn: Sequence[Point], choice: Choice) -> list[Series]:
    """The results that are not the best of their round."""
    bests = {point.row["result_id"] for point in found.bests}
    parts: dict[str, list[Point]] = {}
    for point in drawn:
        if point.row["result_id"] not in bests:
            parts.setdefault(point.group, []).append(point)
    return [
        Series(
            group,
            [_x(point, choice) for point in points],
            [point.value for point in points],
            hover=[_hover(point) for point in points],
            colour=_colours(choice)[group],
            symbol=plots.SYMBOLS[choice.values.index(group) % len(plots.SYMBOLS)],
            mode="markers",
            is_listed=False,
            size=5,
            opacity=0.55,
            unverified=[is_unverified(point.row) for point in points],
        )
        for group, points in parts.items()
    ]


def _beside(seconds: Sequence[Point], choice: Choice) -> list[Series]:
    """Second measures: open circles without a line."""
    parts: dict[str, list[Point]] = {}
    for point in seconds:
        parts.setdefault(point.group, []).append(point)
    return [
        Series(
            f"{group}: {SECOND}",
            [_x(point, choice) for point in points],
            [point.value for point in points],
            hover=[f"{SECOND}, no metric of {point.row['round']}\n{_hover(point)}" for point in points],
            colour=_colours(choice)[group],
            symbol="circle-open",
            mode="markers",
            unverified=[is_unverified(point.row) for point in points],
        )
        for group, points in parts.items()
    ]


def _colours(choice: Choice) -> dict[str, str]:
    return figures.system_colours(choice.values, choice.palette[:MOST])


def _x(point: Point, choice: Choice) -> float:
    """The round's place; the lines of a round stand a little apart."""
    middle = (len(choice.values) - 1) / 2
    age: int = point.row["round_index"]
    return round(age + DODGE * (choice.values.index(point.group) - middle), 2)


def _hover(point: Point) -> str:
    row = point.row
    named = [row["submitter"] if row["submitter"] != point.group else "", row["system_id"] or row["system_name"] or ""]
    return f"{' '.join(filter(None, named))}\n{marked(Measure('', point.unit).text(point.value), row)}"


def _best_hover(point: Point) -> str:
    day = f", {point.row['published']:%B %Y}" if point.row["published"] else ""
    return f"{point.group}, best of {point.row['round']}{day}\n{_hover(point)}"
