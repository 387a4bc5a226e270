"""The Trends page in AppTest: links, choices that make others impossible, what it says where there is nothing."""

import json

import pytest

from tests.app.small import H100, OFFLINE, snapshot_in
from tests.app.test_pages import charts, heading, html, link, opened
from ui import session


def test_the_link_of_the_issue_shows_its_lines() -> None:
    query = {"by": ["server_family"], "value": ["XE8545", "XE96xx"], "benchmark": ["resnet"], "scenario": ["Offline"]}
    test = opened("trends", query)
    assert not test.exception
    assert not test.warning
    assert "ResNet-50 v1.5 Offline" in heading(test)
    assert "from XE8545 (v1.0) to XE96xx" in heading(test)
    assert not test.multiselect
    test.session_state["trends.value.server_family"] = True
    assert test.run().multiselect(key="trends.value").value == ["XE8545", "XE96xx"]
    [figure] = charts(test)
    assert {trace.name for trace in figure.data if trace.showlegend} == {"XE8545", "XE96xx"}
    assert link(test) == query


def test_a_choice_goes_into_the_link_and_takes_what_it_made_impossible_out() -> None:
    test = opened("trends", {"value": ["XE8545"], "scenario": ["Server"]})
    test.selectbox(key="trends.by").set_value("submitter").run()
    assert link(test) == {"by": ["submitter"], "scenario": ["Server"]}
    assert not test.warning
    test.get("button_group")[0].set_value("training").run()
    assert link(test) == {"by": ["submitter"], "kind": ["training"]}
    assert not test.warning
    assert "Training" in html(test)


def test_training_follows_a_renamed_benchmark_and_says_where_it_breaks() -> None:
    test = opened("trends", {"kind": ["training"], "benchmark": ["ssd"], "value": ["XE8545", "XE96xx"]})
    assert not test.exception
    assert "No line from v1.1 to v2.0: The model changed" in html(test)
    assert "scenario" not in {box.key for box in test.selectbox}


def test_a_value_without_results_in_the_field_is_said_and_an_unknown_one_warned_of() -> None:
    test = opened("trends", {"value": ["XE96xx", "R470", "R9999"]})
    assert "No results here: R470." in html(test)
    assert 'There is no value "R9999" here.' in test.warning[0].value
    test = opened("trends", {"value": ["R470"]})
    assert not test.exception
    assert "Choose other server families" in test.info[0].value


def test_division_power_size_and_share_stand_behind_more() -> None:
    test = opened("trends", {"division": ["open"], "by": ["submitter"], "value": ["Krai"], "benchmark": ["resnet"]})
    assert "· open ·" in html(test)
    assert "trends.division" not in {box.key for box in test.selectbox}
    test = opened("trends", {"power": ["yes"], "each": ["yes"]})
    assert "with power" in html(test)
    assert "Per accelerator:" in html(test)
    one = opened("trends", {"accelerator_count": ["1"]})
    assert "1 accelerator in the system" in html(one)


def test_a_change_sends_little() -> None:
    """What a browser is sent of the chart: with all else under 30 KB, even where a field has thousands of results."""
    for query in (
        {},
        {"by": ["submitter"], "value": ["NVIDIA", "Dell", "Lenovo", "HPE", "Intel", "Supermicro"]},
        {"division": ["open"], "by": ["submitter"], "value": ["Krai", "CTuning"], "scenario": ["SingleStream"]},
    ):
        test = opened("trends", query)
        size = sum(len(chart.proto.spec) for chart in test.get("plotly_chart"))
        assert 0 < size < 21_000, query
        for chart in test.get("plotly_chart"):
            assert json.loads(chart.proto.spec)["data"]


def test_submitters_are_the_lines_where_no_server_is_known(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [
        {"result_id": f"r{index}", **OFFLINE, **H100, "server": None, "server_family": None, "value": 100.0 * index,
         "round": f"v{index}.0", "round_index": index, "submitter": "NVIDIA"}
        for index in (3, 4)
    ]  # fmt: skip
    monkeypatch.setenv(session.FOLDER, str(snapshot_in(tmp_path_factory.mktemp("data"), rows)))
    test = opened("trends")
    assert not test.exception
    assert test.info
    test.selectbox(key="trends.by").set_value("submitter").run()
    assert "NVIDIA: ResNet-50 v1.5 Offline 1.33× from v3.0 to v4.0" in heading(test)
