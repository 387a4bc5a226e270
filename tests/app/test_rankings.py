"""The Rankings page in AppTest: default, fields of links, and what is not to be had."""

import json
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from tests.app.small import H100, OFFLINE, RESULTS, snapshot_in
from tests.app.test_pages import heading, html, link, opened
from ui import session


def bars(test: AppTest) -> list[str]:
    (chart,) = test.get("plotly_chart")
    return [str(name) for name in json.loads(chart.proto.spec)["layout"]["yaxis"]["ticktext"]]


@pytest.fixture
def small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [
        *RESULTS,
        {"result_id": "n1", **OFFLINE, **H100, "value": 700000.0, "submitter": "NVIDIA", "server": None,
         "system_id": "DGX"},
        {"result_id": "n2", **OFFLINE, **H100, "value": 800000.0, "submitter": "NVIDIA", "server": None,
         "system_id": "Preview", "availability": "preview"},
    ]  # fmt: skip
    monkeypatch.setenv(session.FOLDER, str(snapshot_in(tmp_path, rows)))


@pytest.mark.usefixtures("small")
def test_an_empty_link_shows_who_is_first_in_the_newest_round_of_dell() -> None:
    test = opened("rankings")
    assert "Most titles: Dell, 1 of 1" in heading(test)
    assert "Ranked in: MLPerf® Inference v3.1, datacenter, Closed division, available systems, without power" in html(
        test
    )
    assert link(test) == {}
    assert not test.warning


@pytest.mark.usefixtures("small")
def test_a_link_names_benchmark_and_scenario() -> None:
    test = opened("rankings", {"round": ["v3.1"], "benchmark": ["resnet"], "scenario": ["Offline"]})
    assert "1st Dell XE9680 (8 × NVIDIA H100) with 706,858 samples/s, 0.98 % ahead of NVIDIA DGX" in heading(test)
    assert bars(test)[0].startswith("1. Dell XE9680")
    assert not test.warning


@pytest.mark.usefixtures("small")
def test_the_field_is_part_of_the_link() -> None:
    asked = {
        "benchmark": ["resnet"],
        "availability": ["any"],
        "accelerator": ["NVIDIA H100"],
        "accelerator_count": ["8"],
    }
    test = opened("rankings", asked)
    assert "1st NVIDIA Preview with 800,000 samples/s" in heading(test)
    assert "any availability, without power measurement, 8 × NVIDIA H100" in html(test)
    assert "Dell XE9680 (8 × NVIDIA H100) is 2nd with 706,858 samples/s" in html(test)


@pytest.mark.usefixtures("small")
def test_ranking_by_efficiency_takes_the_power_runs() -> None:
    test = opened("rankings", {"by": ["efficiency"], "benchmark": ["bert-99"]})
    assert "1st Dell XE9680 (8 × NVIDIA H100) with 1.4 samples/J, alone in its field" in heading(test)
    assert "with measured power" in html(test)


@pytest.mark.usefixtures("small")
def test_titles_stand_in_a_view_of_their_own() -> None:
    test = opened("rankings", {"view": ["titles"], "holder": ["server"]})
    assert bars(test) == ["Dell XE9680"]


@pytest.mark.usefixtures("small")
def test_a_choice_of_the_benchmark_becomes_the_link() -> None:
    test = opened("rankings")
    test.selectbox(key="rankings.benchmark").set_value("resnet").run()
    assert link(test) == {"benchmark": ["resnet"]}
    assert heading(test).count("1st Dell XE9680")


@pytest.mark.usefixtures("small")
def test_a_field_without_results_says_how_to_widen_it() -> None:
    test = opened("rankings", {"benchmark": ["resnet"], "accelerator_count": ["1"], "accelerator": ["NVIDIA H100"]})
    assert "Nobody in this field" in heading(test)
    assert "Widen it" in test.info[0].value
    assert not test.exception


@pytest.mark.usefixtures("small")
def test_unknown_values_are_named_and_the_rest_is_shown() -> None:
    test = opened("rankings", {"benchmark": ["reznet"], "round": ["v3.1"], "colour": ["red"]})
    assert "reznet" in test.warning[0].value
    assert "colour" in test.warning[0].value
    assert "Most titles" in heading(test)


def test_who_is_first_in_resnet_server_of_v3_1() -> None:
    test = opened("rankings", {"round": ["v3.1"], "benchmark": ["resnet"], "scenario": ["Server"]})
    assert "1st Dell XE9680 (8 × NVIDIA H100-SXM-80GB) with 620,874 queries/s, 4.6 % ahead of Supermicro" in heading(
        test
    )
    assert len(bars(test)) == 20
    assert not test.warning
