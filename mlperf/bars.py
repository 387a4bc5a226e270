"""Named bars, best or largest first, as a `go.Figure`: what rankings and counts draw. No query.

Each bar has its name on the left and its figure behind it, so that it reads on a phone too.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import plotly.graph_objects as go

from mlperf.plots import HOVER, NEUTRAL, hatched, shown
from mlperf.unverified import MARK

PLACE: Final = 24
"""Pixels of a bar's place; more where names have several lines."""
LINE: Final = 0.62
"""Of a place: a further line of a name."""
THICKNESS: Final = 0.78
HEAD: Final = 26
"""Pixels of the title above the bars."""
HEAD_LINE: Final = 17
"""Pixels of each further line of it."""
LETTER: Final = 6.2


@dataclass(frozen=True)
class Bar:
    """A bar with its name on the left and its figure behind it."""

    name: str
    """Lines parted by newlines; the first is the name, the others are small."""
    value: float
    text: str
    hover: str = ""
    colour: str = NEUTRAL
    is_unverified: bool = False
    """Whether the result is so: the bar is hatched, and name and hover text say it."""

    @property
    def label(self) -> str:
        """The name as it stands beside the bar."""
        return f"{self.name} · {MARK}" if self.is_unverified else self.name


def bars(marks: Sequence[Bar], title: str) -> go.Figure:
    """Horizontal bars in the order given, each with its figure. The `title` says label, unit and direction.

    It begins at the left edge: an axis title, centred below the bars, does not fit on a phone.
    """
    lines = max((mark.label.count("\n") + 1 for mark in marks), default=1)
    place = PLACE * (1 + LINE * (lines - 1))
    heights = [place * (len(marks) - number - 0.5) for number in range(len(marks))]
    height = place * len(marks) + HEAD + HEAD_LINE * title.count("\n")
    letters = max((len(line) for mark in marks for line in mark.label.split("\n")), default=0)
    left, right = int(letters * LETTER) + 10, int(max((len(mark.text) for mark in marks), default=0) * LETTER) + 12
    longest = max((mark.value for mark in marks), default=0.0) or 1.0
    heading = {
        "text": shown(title), "x": 0, "xref": "paper", "xanchor": "left", "xshift": -left, "y": height, "yref": "y",
        "yanchor": "top", "align": "left", "showarrow": False, "font": {"size": 12.5},
    }  # fmt: skip
    layout = {
        "height": int(height) + 8,
        "margin": {"l": left, "r": right, "t": 4, "b": 4},
        "dragmode": False,
        "hoverlabel": {"align": "left"},
        "showlegend": False,
        "annotations": [heading],
        "xaxis": {"range": [0, longest], "visible": False, "fixedrange": True},
        "yaxis": {
            "range": [0, height], "tickmode": "array", "tickvals": heights, "tickfont": {"size": 12}, "showgrid": False,
            "ticktext": [_bar_name(mark.label) for mark in marks], "fixedrange": True, "zeroline": False,
            "automargin": False,
        },
    }  # fmt: skip
    return go.Figure({"data": [_bars(marks, heights)], "layout": layout}, _validate=False)


def _bar_name(name: str) -> str:
    first, *more = shown(name).split("<br>")
    return "<br>".join([first, *(f"<span style='font-size:11px'>{line}</span>" for line in more)])


def _bars(marks: Sequence[Bar], heights: Sequence[float]) -> dict[str, Any]:
    return {
        "type": "bar",
        "orientation": "h",
        "x": [mark.value for mark in marks],
        "y": list(heights),
        "width": PLACE * THICKNESS,
        "text": [shown(mark.text) for mark in marks],
        "textposition": "outside",
        "cliponaxis": False,
        "marker": {
            "color": [mark.colour for mark in marks],
            "line": {"width": 0},
            **hatched([mark.is_unverified for mark in marks]),
        },
        "customdata": [
            shown("\n".join(filter(None, [mark.hover, MARK if mark.is_unverified else ""]))) for mark in marks
        ],
        "hovertemplate": HOVER,
    }
