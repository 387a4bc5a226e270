"""Charts: what is drawn, in which order, with which words; every figure passes Plotly's own checks."""

import json
from typing import Any

import plotly.graph_objects as go
import pyarrow as pa
import pytest

from mlperf import figures, queries
from mlperf.figures import PALETTE, Panel
from mlperf.filters import Filters
from tests.app.small import H100, OFFLINE, RESULTS, database


def rows(results: list[dict[str, Any]]) -> pa.Table:
    return queries.results(database(results), Filters())


def panels(results: list[dict[str, Any]]) -> list[Panel]:
    return figures.picture(rows(results)).panels


def drawn(results: list[dict[str, Any]]) -> go.Figure:
    parts = panels(results)
    colours = figures.colours(parts)
    return figures.ranking(parts[0], colours) if len(parts) == 1 else figures.small_multiples(parts, colours)


def checked(figure: go.Figure) -> dict[str, Any]:
    """The figure as Plotly's checks accept it, as plain JSON."""
    plain: dict[str, Any] = json.loads(figure.to_json())
    go.Figure(plain)
    return plain


def test_a_ranking_has_the_best_first_whatever_the_direction() -> None:
    throughput = [{"result_id": f"r{value}", **OFFLINE, "value": value} for value in (1.0, 3.0, 2.0)]
    latency = [{"result_id": f"r{value}", "value": value} for value in (1.0, 3.0, 2.0)]
    assert checked(drawn(throughput))["data"][0]["x"] == [3.0, 2.0, 1.0]
    assert checked(drawn(latency))["data"][0]["x"] == [1.0, 2.0, 3.0]


def test_the_title_names_benchmark_scenario_metric_unit_and_direction() -> None:
    titles = [note["text"] for note in checked(drawn(RESULTS))["layout"]["annotations"]]
    assert "<b>ResNet-50 v1.5 · SingleStream</b><br>Latency, ms – ← lower is better" in titles
    assert "<b>ResNet-50 v1.5 · Offline</b><br>Throughput, samples/s – higher is better →" in titles
    assert "<b>ResNet-50 v1.5</b><br>Time to train, min – ← lower is better" in titles


def test_units_and_directions_never_share_an_axis() -> None:
    mixed = [{"result_id": "a", **OFFLINE}, {"result_id": "b", **OFFLINE, "unit": "tokens/s"},
             {"result_id": "c", **OFFLINE, "better": "lower"}]  # fmt: skip
    assert len(panels(mixed)) == 3
    plain = checked(drawn(mixed))
    (bars,) = plain["data"]
    assert bars["x"] == [
        1.0,
        1.0,
        1.0,
    ]  # each measured against its own panel
    assert plain["layout"]["xaxis"]["showticklabels"] is False


def test_a_result_listed_in_two_suites_is_drawn_once() -> None:
    assert sum(len(panel.rows) for panel in panels(RESULTS)) == 6


def test_what_is_not_drawn_is_counted() -> None:
    many = [{"result_id": f"r{number}", "value": float(number)} for number in range(50)]
    assert figures.picture(rows(many))[1:] == (30, 0)
    wide = [{"result_id": f"r{number}", "benchmark": f"b{number}"} for number in range(30)]
    assert figures.picture(rows(wide))[1:] == (18, 18)


def test_a_chart_never_has_500_marks() -> None:
    places, panels_drawn = 25, 14
    many = [{"result_id": f"{panel}/{place}", "benchmark": f"b{panel:02}", "value": place + 1.0}
            for panel in range(panels_drawn) for place in range(places)]  # fmt: skip
    assert sum(len(panel.rows) for panel in panels(many)) <= 12 * 5


def test_a_name_says_what_differs_between_the_bars_of_a_panel() -> None:
    results = [
        {"result_id": "a", "value": 1.0},
        {"result_id": "b", "value": 2.0, "round": "v4.0"},
        {"result_id": "c", "value": 3.0, "division": "open", "has_power": True, "availability": "preview"},
        {"result_id": "d", "value": 4.0, "verified": False, **H100, "suite": "inference-edge"},
    ]
    names = checked(drawn(results))["layout"]["yaxis"]["ticktext"]
    assert names[1].endswith(" · v4.0")
    assert names[2].endswith(" · v3.1 · open · preview · power")
    assert names[3].endswith(" · v3.1 · unverified")
    assert not any("closed" in name or "available" in name for name in names)


def test_short_names_that_would_be_equal_are_system_ids() -> None:
    results = [{"result_id": "a", "value": 1.0}, {"result_id": "b", "value": 2.0, "system_id": "XR7620_other"}]
    assert checked(drawn(results))["layout"]["yaxis"]["ticktext"] == ["XR7620_L4x1_TRT", "XR7620_other"]


def test_a_system_keeps_its_colour_in_every_panel_and_chart() -> None:
    every = figures.colours(panels(RESULTS))
    assert set(every.values()) <= set(PALETTE)
    assert len(set(every.values())) == len(every)
    alone = figures.colours(panels(RESULTS[:1]))
    assert alone["Dell/XR7620_L4x1_TRT"] == every["Dell/XR7620_L4x1_TRT"]


def test_more_systems_than_colours_still_have_one_each() -> None:
    many = [{"result_id": f"r{number}", "system_id": f"s{number}", "value": 1.0 + number} for number in range(20)]
    assert len(figures.colours(panels(many))) == 20


def test_hostile_names_are_text() -> None:
    name = '<a href="javascript:alert(1)">&amp;$x$</a>'
    result = {"server": None, "system_id": name, "system_name": name, "submitter": "<b>", "benchmark": "<i>"}
    plain = checked(drawn([result]))
    shown = json.dumps([plain["data"][0]["customdata"], plain["layout"]["yaxis"]["ticktext"]])
    assert "<a" not in shown
    assert "<b>" not in shown
    assert "&lt;a href" in shown
    assert "&amp;amp;$x$" in shown
    assert "<b>&lt;i&gt; · SingleStream</b>" in plain["layout"]["annotations"][0]["text"]


def test_columns_of_panels_keep_their_order_and_lose_none() -> None:
    wide = [{"result_id": f"r{number}", "benchmark": f"b{number}"} for number in range(7)]
    parts = panels(wide)
    columns = figures.in_columns(parts, 3)
    assert [panel for column in columns for panel in column] == parts
    assert [len(column) for column in columns] == [2, 3, 2]
    assert figures.in_columns(parts[:2], 3) == [[parts[0]], [parts[1]]]
    assert figures.in_columns([], 3) == []


def test_nothing_to_draw_is_no_panel() -> None:
    assert figures.picture(rows([])) == ([], 0, 0)


@pytest.mark.parametrize(
    ("value", "text"), [(0.344907, "0.3449"), (62.949, "62.95"), (1016380.4, "1,016,380"), (999.96, "1000"), (0.0, "0")]
)
def test_a_figure_has_four_digits_or_all_before_the_point(value: float, text: str) -> None:
    assert figures.number_text(value) == text


def test_results_of_rounds_that_do_not_compare_stand_in_panels_of_their_own() -> None:
    unet = {"benchmark": "3d-unet-99", "scenario": "Offline", "metric": "throughput", "unit": "samples/s",
            "better": "higher"}  # fmt: skip
    played = ("v0.7", "v1.1", "v2.0", "v4.1")
    found = panels([{**unet, "result_id": round_id, "round": round_id, "value": 9.0} for round_id in played])
    assert [panel.rounds for panel in found] == [("v0.7", "v1.1"), ("v2.0", "v4.1")]
    old, new = (panel.title for panel in found)
    assert old.endswith("Offline · v0.7 – v1.1")
    assert new.endswith("Offline · v2.0 – v4.1")
    (alone,) = panels([{**unet, "result_id": "a", "round": "v2.0"}, {**unet, "result_id": "b", "round": "v4.1"}])
    assert alone.title.endswith("· Offline")


def test_systems_of_one_panel_have_colours_of_their_own_though_the_chart_has_more_than_there_are() -> None:
    found = panels(
        [
            {"result_id": f"{benchmark} {number}", "system_id": f"{benchmark} {number}", "benchmark": benchmark}
            for benchmark in ("resnet", "bert-99", "rnnt")
            for number in range(len(PALETTE))
        ]
    )
    colours = figures.colours(found)
    assert len(colours) > len(PALETTE)
    for panel in found:
        used = [colours[f"{row['submitter']}/{row['system_id']}"] for row in panel.rows]
        assert len(set(used)) == len(used)
