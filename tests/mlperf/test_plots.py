"""Points and lines as figures that Plotly accepts, with texts shown as they are."""

import plotly.graph_objects as go
import pytest

from mlperf import plots
from mlperf.plots import Axis, Series

HOSTILE = "<img src=x> & <b>x</b>"


def test_series_become_traces_with_their_breaks_and_texts_as_they_are() -> None:
    line = Series(HOSTILE, [1, 2, 3], [1.0, None, 3.0], hover=[HOSTILE, "", "two\nlines"], text=["a", "", "b"])
    figure = plots.plot([line, Series("other", [1], [2])], Axis("x", ticks=[HOSTILE]), Axis("y", kind="log"))
    checked = go.Figure(figure.to_dict())
    assert checked.data[0].y == (1.0, None, 3.0)
    assert checked.data[0].connectgaps is False
    assert "<img" not in figure.to_json()
    assert checked.data[0].customdata[2] == "two<br>lines"
    assert checked.layout.showlegend
    assert checked.layout.yaxis.type == "log"


def test_one_series_needs_no_legend() -> None:
    figure = plots.plot([Series("one", [1], [2]), Series("line", [1], [1], is_listed=False)], Axis(), Axis())
    assert not figure.layout.showlegend


@pytest.mark.parametrize("length", [1, 26, 27, 300])
def test_long_labels_keep_both_ends(length: int) -> None:
    text = "a" * (length - 1) + "z"
    short = plots.wrapped(text)
    assert len(short) <= 26
    assert (short[0], short[-1]) == (text[0], "z")


def test_bars_lie_from_their_bases_to_their_ends_and_are_shown_as_they_are() -> None:
    bars = Series(HOSTILE, [2.0, 0.5, None], [0, 1, 2], hover=[HOSTILE] * 3, bases=[1.0, 1.0, 1.0], mode="bars")
    plain = Series("from zero", [3.0], [0], mode="bars")
    figure = plots.plot([bars, plain], Axis(kind="log"), Axis(ticks=["a", "b", "c"]))
    checked = go.Figure(figure.to_dict())
    assert checked.data[0].orientation == "h"
    assert checked.data[0].base == (1.0, 1.0, 1.0)
    assert checked.data[0].x == (1.0, -0.5, None)
    assert checked.data[1].base is None
    assert checked.data[1].x == (3.0,)
    assert "<img" not in figure.to_json()


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (4.3, 48.3, [2, 5, 10, 20, 50]),
        (1, 8, [1, 2, 5, 10]),
        (7, 7, [5, 10]),
        (0.02, 0.3, [0.02, 0.05, 0.1, 0.2, 0.5]),
        (1, 540, [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000]),
        (1, 50_000, [1, 10, 100, 1000, 10_000]),
    ],
)
def test_ticks_of_a_logarithmic_axis_are_few_round_numbers(low: float, high: float, expected: list[float]) -> None:
    assert plots.log_ticks(low, high) == pytest.approx(expected)


def test_numbers_of_an_axis_are_written_as_asked() -> None:
    figure = plots.plot([Series("share", [1], [0.743])], Axis(), Axis(tick_format=".0%", range=(0, 1.1)))
    checked = go.Figure(figure.to_dict())
    assert checked.layout.yaxis.tickformat == ".0%"
    assert checked.layout.xaxis.tickformat is None
