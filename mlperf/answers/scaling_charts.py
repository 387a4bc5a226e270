"""How the Scaling page draws its lines: minutes, speed-up or efficiency over nodes, with the ideal line."""

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Final, Literal, NamedTuple, get_args

from mlperf import plots
from mlperf.answers.answer import Chart
from mlperf.answers.scaling_words import batch_text, nodes_text, per_pass_text, percent_text
from mlperf.metrics import TIMES, Measure, measure, number_text
from mlperf.plots import Axis, Series
from mlperf.scaling import Line, Point
from mlperf.systems import SystemKey
from mlperf.unverified import MARK, marked

HEIGHT: Final = 420
"""Of the chart, pixels: below its axis stand three lines."""
CLEAR: Final = 0.1
"""Efficiencies that far apart leave room for a label between them."""

View = Literal["minutes", "speedup", "efficiency"]
Across = Literal["nodes", "accelerators"]
VIEWS: Final[tuple[View, ...]] = get_args(View)
ACROSS: Final[tuple[Across, ...]] = get_args(Across)


class Look(NamedTuple):
    """What is drawn, over what, in which colours."""

    view: View
    across: Across
    palette: tuple[str, ...]


def chart(lines: Sequence[Line], look: Look) -> Chart:
    """All lines in one chart, with the ideal of each."""
    colours = {line.benchmark: look.palette[number % len(look.palette)] for number, line in enumerate(lines)}
    series = [
        one for number, line in enumerate(lines) for one in _series(line, number, colours[line.benchmark], look, lines)
    ]
    measured = _measured(lines[0], look)
    values = [value for one in series for value in one.y if value is not None]
    figure = plots.plot(series, _across(lines, look), _upright(measured, values, look), height=HEIGHT)
    names = ", ".join(line.title for line in lines)
    return Chart(figure, f"{measured.label} over the number of {look.across}: {names}, with the ideal line")


def _measured(line: Line, look: Look) -> Measure:
    if look.view == "minutes":
        return measure(line.first.row)
    if look.view == "speedup":
        return Measure("Speed-up", TIMES, "higher", is_derived=True)
    return Measure("Scaling efficiency", "%", "higher", is_derived=True)


def _place(point: Point, look: Look) -> int:
    return int(point.nodes if look.across == "nodes" else point.row["accelerator_count"] or point.nodes)


def _series(line: Line, number: int, colour: str, look: Look, lines: Sequence[Line]) -> list[Series]:
    """A line's marks, its ideal line, what stands beside it, and in the efficiency view the efficiency per epoch."""
    is_alone = len(lines) == 1
    x = [_place(point, look) for point in line.points]
    values = [_height(point, look.view) for point in line.points]
    ideal: dict[View, list[float | None]] = {
        "minutes": [point.ideal for point in line.points],
        "speedup": [point.nodes / line.first.nodes for point in line.points],
        "efficiency": [1.0 for _ in line.points],
    }
    hover = [_hover(line, point) for point in line.points]
    marks = [_is_unverified(point, look.view) for point in line.points]
    text = [_label(value, look.view, is_own) for value, is_own in zip(values, marks, strict=True)] if is_alone else []
    below = [] if look.view == "minutes" else ["bottom center"] * len(text)
    symbol = plots.SYMBOLS[number % len(plots.SYMBOLS)]
    name = "Scaling efficiency" if is_alone and look.view == "efficiency" else line.title
    is_new = all(line.first.nodes != other.first.nodes for other in lines[:number])
    start = f"Ideal, from {nodes_text(line.first.nodes)}"
    found = [
        Series(start, x, ideal[look.view], dash="dash", mode="lines", is_listed=is_new),
        Series(
            name, x, values, hover, text, below, colour=colour, symbol=symbol,
            unverified=marks,
        ),
        *_beside(line, Series("", (), (), colour=colour, symbol=symbol), look, is_alone),
    ]  # fmt: skip
    if look.view == "efficiency" and line.last.pass_efficiency is not None:
        found.append(
            _per_pass_series(line, x, hover, Series("", (), (), colour=colour, symbol=f"{symbol}-open"), lines)
        )
    return found


def _height(point: Point, view: View) -> float | None:
    """What a view draws of a point."""
    heights: dict[View, float | None] = {
        "minutes": point.row["value"], "speedup": point.speedup, "efficiency": point.efficiency
    }  # fmt: skip
    return heights[view]


def _is_unverified(point: Point, view: View) -> bool:
    """Whether the figure drawn is so: a speed-up is where either of its results is."""
    return point.is_unverified if view == "minutes" else point.rests_on_unverified


def _beside(line: Line, like: Series, look: Look, is_alone: bool) -> list[Series]:
    """Unverified results as marks of their own beside the line, with their figures where it is the only one."""
    found = [
        (_place(point, look), height, _hover(line, point))
        for point in line.beside
        if (height := _height(point, look.view)) is not None
    ]
    if not found:
        return []
    x, y, hover = ([*part] for part in zip(*found, strict=True))
    owners = ", ".join(dict.fromkeys(point.row["submitter"] for point in line.beside))
    return [
        replace(
            like, name=f"{plots.wrapped(owners, 24)} ({MARK})", x=x, y=y, hover=hover, mode="markers",
            text=[_label(height, look.view, True) for height in y] if is_alone else (), unverified=[True] * len(x),
        )
    ]  # fmt: skip


def _per_pass_series(line: Line, x: list[int], hover: list[str], like: Series, lines: Sequence[Line]) -> Series:
    """The efficiency per epoch as a dotted line with open marks like `like`, named once for all benchmarks."""
    name = f"The same per {(line.last.passes_unit or '')[:-1]}" if len(lines) == 1 else "Dotted: per epoch or sample"
    is_labelled = len(lines) == 1 and not line.converges_alike
    last = [*([""] * (len(x) - 1)), percent_text(line.last.pass_efficiency)]
    is_first = line is next(one for one in lines if one.last.pass_efficiency is not None)
    y = [point.pass_efficiency for point in line.points]
    text = last if is_labelled else []
    is_clear = (line.last.pass_efficiency or 0) > (line.last.efficiency or 0) + CLEAR
    places = ["bottom center" if is_clear else "top center"] * len(text)
    return replace(
        like, name=name, x=x, y=y, hover=hover, text=text, places=places, dash="dot", is_listed=is_first,
        unverified=[point.rests_on_unverified for point in line.points],
    )  # fmt: skip


def _label(value: float | None, view: View, is_unverified: bool = False) -> str:
    if value is None:
        return ""
    text = {"minutes": number_text(value), "speedup": f"{number_text(value)}{TIMES}"}.get(view, percent_text(value))
    return f"{text} ({MARK})" if is_unverified else text


def _hover(line: Line, point: Point) -> str:
    chips = point.row["accelerator_count"]
    parts = [
        marked(SystemKey.of(point.row).system, point.row),
        f"{line.title} on {nodes_text(point.nodes)}{f', {chips} accelerators' if chips else ''}",
        measure(point.row).text(point.row["value"]),
    ]
    if point.speedup is not None:
        parts.append(f"{number_text(point.speedup)}{TIMES}, efficiency {percent_text(point.efficiency)}")
    if point.batches:
        parts.append(f"Global batch size {batch_text(point)}")
    if point.passes is not None:
        parts.append(
            f"{number_text(point.passes)} {point.passes_unit} to converge; {per_pass_text(point)}".rstrip("; ")
        )
    return "\n".join([*parts, *(finding.text for finding in point.findings)])


def _across(lines: Sequence[Line], look: Look) -> Axis:
    """Numbers of nodes; for a single line with batch size and epochs below each."""
    places = {_place(point, look): point for line in lines for point in (*line.beside, *line.points)}
    ordered = sorted(places)
    ticks, title = [f"{place:,}" for place in ordered], look.across.capitalize()
    if len(lines) == 1:
        points = [places[place] for place in ordered]
        if any(point.batches for point in points):
            ticks = [f"{tick}\n{batch_text(point)}" for tick, point in zip(ticks, points, strict=True)]
            title += " · global batch size"
        if any(point.passes for point in points):
            ticks = [f"{tick}\n{_short(point.passes)}" for tick, point in zip(ticks, points, strict=True)]
            title += f" · {next(point.passes_unit for point in points if point.passes_unit)} to converge"
    room = 0.06 * max(math.log10(ordered[-1] / ordered[0]), 0.3)
    span = (math.log10(ordered[0]) - room, math.log10(ordered[-1]) + room)
    return Axis(title, ticks, [float(place) for place in ordered], "log", range=span)


def _short(value: float | None) -> str:
    """Epochs or samples in a few letters: `45`, `2.85M`."""
    if value is None:
        return "–"
    return f"{value / 1e6:.3g}M" if value >= 1e6 else number_text(value)


def _upright(measured: Measure, values: Sequence[float], look: Look) -> Axis:
    if look.view == "efficiency":
        return Axis(measured.upright, tick_format=".0%", range=(0.0, max([*values, 1.0]) * 1.1))
    positive = [value for value in values if value > 0]
    if not positive:
        return Axis(measured.upright)
    low, high = min(positive), max(positive)
    ticks = plots.log_ticks(low, high)
    texts = [number_text(tick) for tick in ticks]
    span = (math.log10(low) - 0.08, math.log10(high) + 0.12)
    return Axis(measured.upright, texts, ticks, "log", range=span)
