"""Charts: what is drawn, in which order, with which words; every figure passes Plotly's own checks."""

import json
import re
from typing import Any
from xml.etree import ElementTree

import plotly.graph_objects as go
import pyarrow as pa
import pytest

from mlperf import figures, metrics, queries
from mlperf.figures import PALETTE, Panel
from mlperf.filters import Filters
from tests.app.small import H100, OFFLINE, RESULTS, database


def rows(results: list[dict[str, Any]]) -> pa.Table:
    return queries.results(database(results), Filters())


def panels(results: list[dict[str, Any]]) -> list[Panel]:
    return figures.picture(rows(results)).panels


def drawn(results: list[dict[str, Any]]) -> go.Figure:
    (panel,) = panels(results)
    return figures.ranking(panel, figures.colours([panel]))


def multiples(results: list[dict[str, Any]]) -> str:
    parts = panels(results)
    return figures.small_multiples(parts, figures.colours(parts))


def drawn_panels(results: list[dict[str, Any]]) -> list[ElementTree.Element]:
    """The panels' SVGs; raises where they are no well-formed XML."""
    return list(ElementTree.fromstring(f"<html>{multiples(results)}</html>").iter("svg"))


def heads(panel: ElementTree.Element) -> list[str]:
    """The lines above a panel's bars."""
    return ["".join(text.itertext()) for text in panel.findall("text")]


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
    titles = [heads(panel) for panel in drawn_panels(RESULTS)]
    assert ["ResNet-50 v1.5 · SingleStream", "Latency, ms – ← lower is better"] in titles
    assert ["ResNet-50 v1.5 · Offline", "Throughput, samples/s – higher is better →"] in titles
    assert ["ResNet-50 v1.5", "Time to train, min – ← lower is better"] in titles


def test_a_long_title_and_how_many_are_drawn_take_the_lines_that_they_need() -> None:
    name = "a benchmark with a name of some length that no catalog has heard of"
    many = [{"result_id": f"{name}{number}", "benchmark": name, "value": 1.0 + number} for number in range(40)]
    lines, *_ = [
        heads(panel) for panel in drawn_panels([*many, {"result_id": "another"}]) if name[:9] in heads(panel)[0]
    ]
    assert " ".join(lines) == f"{name} · SingleStream (best 18 of 40) Latency, ms – ← lower is better"
    assert len(lines) == 3
    assert max(map(len, lines)) < 60


def test_a_panel_says_all_its_figures_to_who_cannot_see_it() -> None:
    [latency] = [panel for panel in drawn_panels(RESULTS) if "SingleStream" in heads(panel)[0]]
    assert latency.attrib["role"] == "img"
    assert latency.attrib["aria-label"] == (
        "ResNet-50 v1.5 · SingleStream. Latency, ms – ← lower is better. XR7620 · 1× L4: 0.3449"
    )


def test_the_bars_of_a_panel_are_shares_of_the_room_that_names_and_figures_leave() -> None:
    """Of a panel W pixels wide a bar has `percent` of W less some pixels: none for 0, all the room for the longest."""
    values = {"a": 4.0, "b": 1.0, "c": 0.0}
    results = [{"result_id": name, "system_id": name, "server": None, **OFFLINE, "value": value}
               for name, value in values.items()]  # fmt: skip
    panel = next(panel for panel in drawn_panels([*results, {"result_id": "d"}]) if "Offline" in heads(panel)[0])
    bars = list(panel.iter("rect"))
    widths = [re.fullmatch(r"width:calc\(([0-9.]+)% - ([0-9.]+)px\)", bar.attrib["style"]) for bar in bars]
    shares = [(float(width[1]), float(width[2])) for width in widths if width]
    assert [percent for percent, _ in shares] == [100, 25, 0]
    assert [less for _, less in shares] == pytest.approx([shares[0][1], shares[0][1] / 4, 0], abs=0.01)
    assert shares[0][1] > float(bars[0].attrib["x"])


def test_units_and_directions_never_share_an_axis() -> None:
    mixed = [{"result_id": "a", **OFFLINE}, {"result_id": "b", **OFFLINE, "unit": "tokens/s"},
             {"result_id": "c", **OFFLINE, "better": "lower"}]  # fmt: skip
    assert len(panels(mixed)) == 3
    assert re.findall(r"calc\(([0-9.]+)% ", multiples(mixed)) == ["100.00"] * 3  # each measured against its own panel


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
    page = multiples([result, {**result, "result_id": "b", "scenario": "<u>"}])
    assert re.findall("<(?!/?(?:style|div|svg|g|title|text|tspan|rect)[ >])", page) == []
    assert "<title>&lt;a href=&quot;" in page
    assert {name for panel in drawn_panels([result, {**result, "result_id": "b", "scenario": "<u>"}])
            for element in panel.iter() for name in element.attrib} == {
        "role", "aria-label", "class", "x", "y", "dx", "height", "style", "fill", "font-weight",
    }  # fmt: skip


def test_nothing_to_draw_is_no_panel() -> None:
    assert figures.picture(rows([])) == ([], 0, 0)


@pytest.mark.parametrize(
    ("value", "text"), [(0.344907, "0.3449"), (62.949, "62.95"), (1016380.4, "1,016,380"), (999.96, "1000"), (0.0, "0")]
)
def test_a_figure_has_four_digits_or_all_before_the_point(value: float, text: str) -> None:
    assert metrics.number_text(value) == text


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


def test_a_tooltip_says_what_the_log_states_beside_the_score() -> None:
    stated = {**RESULTS[1], "tokens_per_second": 20958.48, "mean_latency_ms": 412.5}
    (panel,) = figures.picture(queries.results(database([stated]), Filters(suite=("inference-edge",)))).panels
    hover = figures._hover(panel, panel.rows[0])
    assert hover[-1] == "also stated, no official metric: 20,958.48 tokens/s, mean latency 412.5 ms"
    (panel,) = figures.picture(queries.results(database([RESULTS[0]]), Filters())).panels
    assert not any("also stated" in line for line in figures._hover(panel, panel.rows[0]))
