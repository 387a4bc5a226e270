"""Points and lines over two axes, as a `go.Figure`: what scaling, runs, trends and comparisons draw. No query.

Series in, figure out. Colours are chosen by the caller, so that a system keeps its own (`figures.colours`).
"""

import html
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

import plotly.graph_objects as go

from mlperf.unverified import DOTTED

NEUTRAL: Final = "#8a8a8a"
"""Of ideal lines, baselines and what is left out: seen on light and dark."""
SYMBOLS: Final = ("circle", "square", "diamond", "triangle-up", "cross", "star", "triangle-down", "hexagon")
"""Series are told apart by shape too, for who sees no colours."""
HOVER: Final = "%{customdata}<extra></extra>"
HEIGHT: Final = 380
ROW: Final = 30
"""Pixels of a place on an axis of names."""
LINE: Final = 16
"""Pixels from one line of a label to the next."""
UNTOLD: Final = 28
"""Pixels for numbers that Plotly chooses."""
BAR: Final = 0.7
"""Of a place on an axis of names, how much a bar fills."""
DOT: Final = 3
"""Pixels by which a mark that is open with a dot is larger."""
NARROW: Final = frozenset(" .,:;·'|!()[]-ijlIft")
WIDE: Final = frozenset("mwMW%@&…")
MOST_MARKS: Final = 500
MOST_TICKS: Final = 10
"""Of a logarithmic axis; with more of them only powers of ten are named."""


@dataclass(frozen=True)
class Series:
    """Marks that belong together. A None in `y` (or `x`) breaks the line."""

    name: str
    x: Sequence[Any]
    y: Sequence[Any]
    hover: Sequence[str] = ()
    """A text per mark, lines parted by newlines."""
    text: Sequence[str] = ()
    """A label per mark, drawn beside it."""
    places: Sequence[str] = ()
    """Where each label stands (`middle left`, …); above lines and right of points for none."""
    colour: str = NEUTRAL
    symbol: str = "circle"
    dash: Literal["solid", "dash", "dot"] = "solid"
    mode: Literal["lines", "markers", "lines+markers", "bars"] = "lines+markers"
    """Bars lie: `x` is where they end."""
    is_listed: bool = True
    """Whether the legend names it."""
    size: float = 9
    """Of its points, pixels."""
    opacity: float = 1
    bases: Sequence[float] = ()
    """Where bars begin; at 0 for none."""
    unverified: Sequence[bool] = ()
    """Which marks are of unverified results: bars are hatched, points open with a dot. None of them for none."""


@dataclass(frozen=True)
class Axis:
    """An axis with title (label, unit, direction); `ticks` are its places where it has names in place of numbers."""

    title: str = ""
    ticks: Sequence[str] = ()
    values: Sequence[float] = ()
    """Where the ticks stand; 0, 1, 2 … for none."""
    kind: Literal["linear", "log"] = "linear"
    from_zero: bool = False
    range: tuple[float, float] | None = None
    """Of a logarithmic axis: the logarithms (base 10) of its ends."""
    tick_format: str = ""
    """How its numbers are written, as d3-format has it: `.0%`."""


def plot(series: Sequence[Series], x: Axis, y: Axis, *, height: int = HEIGHT) -> go.Figure:
    """One chart, with room for its labels: where Plotly has to make more, it draws everything twice.

    Texts are shown as they are, though Plotly reads them as HTML.
    """
    listed = sum(one.is_listed for one in series)
    below = _lines(x.ticks) + _lines([x.title])
    names = max((pixels(line) for tick in y.ticks for line in tick.split("\n")), default=UNTOLD)
    layout = {
        "height": height,
        "margin": {
            "l": names + (54 if y.title else 16),
            "r": 16,
            "t": 50 if listed > 1 else 10,
            "b": LINE * below + (34 if x.title else 16),
        },
        "dragmode": False,
        "hoverlabel": {"align": "left"},
        "hovermode": "closest",
        "showlegend": listed > 1,
        "legend": {"orientation": "h", "x": 0, "xanchor": "left", "y": 1.02, "yanchor": "bottom"},
        "xaxis": _axis(x),
        "yaxis": _axis(y),
        "barmode": "overlay",
    }
    return go.Figure(
        {"data": [_bars(one) if one.mode == "bars" else _trace(one) for one in series], "layout": layout},
        _validate=False,
    )


def _lines(texts: Sequence[str]) -> int:
    """How many lines the longest of these labels has; one for numbers, none for no text."""
    return max((text.count("\n") + 1 for text in texts if text), default=0 if texts else 1)


def log_ticks(low: float, high: float) -> list[float]:
    """Round numbers for a logarithmic axis from `low` to `high`, both positive: 1, 2, 5, 10, 20 …; ends included."""
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    steps = [digit * 10.0**power for power in range(first, last + 1) for digit in (1, 2, 5)]
    below = max((step for step in steps if step <= low), default=low)
    above = min((step for step in steps if step >= high), default=high)
    found = [step for step in steps if below <= step <= above]
    return found if len(found) <= MOST_TICKS else [step for step in found if math.log10(step).is_integer()]


def shown(text: str) -> str:
    """A text that Plotly shows as it is; newlines part lines."""
    return html.escape(text, quote=False).replace("\n", "<br>")


def wrapped(text: str, width: int = 26) -> str:
    """A label cut in the middle where it is too long: both ends tell names apart."""
    if len(text) <= width:
        return text
    tail = (width - 1) // 3
    return f"{text[: width - 1 - tail]}…{text[-tail:]}"


def pixels(text: str) -> int:
    """About how wide a text is in the page's typeface at 12 pixels; rather too much than too little."""
    return math.ceil(sum(map(_letter_pixels, text)))


def _letter_pixels(letter: str) -> float:
    if letter in NARROW:
        return 3.4
    if letter in WIDE:
        return 10.2
    return 7.1 if letter.isupper() else 6.2


def _trace(one: Series) -> dict[str, Any]:
    return {
        "type": "scatter",
        "name": shown(wrapped(one.name, 40)),
        "x": list(one.x),
        "y": list(one.y),
        "mode": f"{one.mode}+text" if one.text else one.mode,
        "text": [shown(text) for text in one.text],
        "textposition": list(one.places) or ("top center" if "lines" in one.mode else "middle right"),
        "customdata": [shown(text) for text in one.hover],
        "hovertemplate": HOVER if one.hover else None,
        "hoverinfo": None if one.hover else "skip",
        "line": {"color": one.colour, "width": 2, "dash": one.dash},
        "marker": {"color": one.colour, "size": one.size, "symbol": one.symbol, **_dotted(one)},
        "opacity": one.opacity,
        "connectgaps": False,
        "cliponaxis": False,
        "showlegend": one.is_listed,
    }


def _bars(one: Series) -> dict[str, Any]:
    """Bars from their bases to `x`, also on a logarithmic axis."""
    lengths = list(one.x)
    if one.bases:
        lengths = [None if end is None else end - base for end, base in zip(one.x, one.bases, strict=True)]
    return {
        "type": "bar",
        "orientation": "h",
        "name": shown(wrapped(one.name, 40)),
        "x": lengths,
        "base": list(one.bases) or None,
        "y": list(one.y),
        "width": BAR,
        "text": [shown(text) for text in one.text],
        "textposition": "outside",
        "customdata": [shown(text) for text in one.hover],
        "hovertemplate": HOVER if one.hover else None,
        "hoverinfo": None if one.hover else "skip",
        "marker": {"color": one.colour, "line": {"width": 0}, **hatched(one.unverified)},
        "opacity": one.opacity,
        "cliponaxis": False,
        "showlegend": one.is_listed,
    }


def hatched(unverified: Sequence[bool]) -> dict[str, Any]:
    """The part of a marker that hatches the bars of unverified results; nothing where all are published."""
    if not any(unverified):
        return {}
    return {"pattern": {"shape": ["/" if is_so else "" for is_so in unverified], "size": 6, "solidity": 0.4}}


def _dotted(one: Series) -> dict[str, Any]:
    """The part of a marker that opens the points of unverified results: larger, for else nobody sees the dot."""
    if not any(one.unverified):
        return {}
    dotted = one.symbol.removesuffix("-open") + DOTTED
    return {
        "symbol": [dotted if is_so else one.symbol for is_so in one.unverified],
        "size": [one.size + DOT if is_so else one.size for is_so in one.unverified],
        "line": {"width": [1.5 if is_so else 0 for is_so in one.unverified]},
    }


def _axis(axis: Axis) -> dict[str, Any]:
    layout: dict[str, Any] = {
        "type": axis.kind,
        "fixedrange": True,
        "zeroline": False,
        "automargin": True,
    }
    if axis.title:  # an empty one takes as much room
        layout["title"] = {"text": shown(axis.title), "font": {"size": 12.5}}
    if axis.ticks:
        values = list(axis.values) or list(range(len(axis.ticks)))
        layout |= {"tickmode": "array", "tickvals": values, "tickangle": 0}
        layout["ticktext"] = [shown(tick) for tick in axis.ticks]
    if axis.from_zero:
        layout["rangemode"] = "tozero"
    if axis.range:
        layout["range"] = list(axis.range)
    if axis.tick_format:
        layout["tickformat"] = axis.tick_format
    return layout
