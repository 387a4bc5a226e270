"""The Power page in AppTest: its link, its controls, its views."""

from pathlib import Path

import pytest

from tests.app.small import RESULTS, snapshot_in
from tests.app.test_pages import heading, html, link, opened
from ui import session

OLD, NEW = "inference-v3.0/Dell/XR5610_L4x1_TRT_MaxQ", "inference-v3.1/Dell/XR5610_L4x1_TRT_MaxQ"
H100 = [
    "inference-v3.1/NVIDIA/DGX-H100_H100-SXM-80GBx8_TRT_MaxQ",
    "inference-v4.0/Dell/XE9680_H100_SXM_80GBx8_TRT_MaxQ",
]


def test_the_default_is_one_system_of_the_submitter_in_two_rounds() -> None:
    test = opened("power")
    assert "XR5610_L4x1_TRT_MaxQ, v3.1 against v3.0: 2.17× the performance per energy" in heading(test)
    assert len(test.get("plotly_chart")) == 1
    assert link(test) == {}
    assert "8 over its millijoules" in html(test)
    assert "Preview, not yet on sale when submitted: Dell XR5610_L4x1_TRT_MaxQ v3.0." in html(test)
    assert not test.warning


def test_another_pair_is_in_the_link() -> None:
    test = opened("power")
    pair = "NVIDIA/DGX-H100_H100-SXM-80GBx8_TRT_MaxQ/v3.1/v4.0"
    test.selectbox(key="power.pair").set_value(pair).run()
    assert link(test) == {"pair": [pair]}
    assert "DGX-H100_H100-SXM-80GBx8_TRT_MaxQ" in heading(test)


def test_any_two_systems_take_the_place_of_the_pair() -> None:
    test = opened("power", {"system": H100})
    assert not [box for box in test.selectbox if box.key == "power.pair"]
    assert "XE9680_H100_SXM_80GBx8_TRT_MaxQ against DGX-H100_H100-SXM-80GBx8_TRT_MaxQ" in heading(test)
    one = opened("power", {"system": H100[:1]})
    assert "Choose two systems" in one.info[0].value
    assert not one.exception


def test_systems_are_offered_with_measured_power_only() -> None:
    test = opened("power", {"view": ["systems"]})
    test.session_state["Power.systems"] = True
    test.run()
    test.text_input(key="pick.search").set_value("dell v3.1").run()
    offered = test.multiselect(key="pick.systems").options
    assert any("XR5610_L4x1_TRT_MaxQ" in option for option in offered)
    assert not any("XR7620" in option for option in offered)


def test_systems_without_power_say_what_to_do() -> None:
    test = opened("power", {"view": ["systems"], "system": ["inference-v3.1/Dell/XR7620_L4x1_TRT"]})
    assert "measured power" in test.info[0].value
    assert not test.exception


def test_each_view_has_a_link_and_a_unit_or_field_of_its_own() -> None:
    systems = opened("power", {"view": ["systems"], "system": [OLD, NEW], "per": ["queries/mJ"]})
    assert "does most per joule in 8 of 8" in heading(systems)
    field = {"round": ["v4.0"], "suite": ["inference-datacenter"], "benchmark": ["resnet"], "scenario": ["Offline"]}
    ranking = opened("power", {"view": ["ranking"], **field})
    assert "NVIDIA DGX-H100_H100-SXM-80GBx8_TRT_MaxQ" in heading(ranking)
    assert not ranking.warning
    training = opened("power", {"view": ["training"], "training": ["bert"]})
    assert "least energy to train BERT-Large" in heading(training)


def test_the_field_narrows_with_each_choice() -> None:
    test = opened("power", {"view": ["ranking"]})
    test.selectbox(key="power.round").set_value("v4.1").run()
    assert link(test) == {"view": ["ranking"], "round": ["v4.1"]}
    assert "Inference v4.1" in html(test)
    test.session_state["power.more"] = True
    test.run()
    assert test.selectbox(key="power.division").options == ["closed"]


def test_changing_the_view_leaves_nothing_of_the_other_behind_in_words() -> None:
    test = opened("power", {"pair": ["Dell/XR12_A2x1_TRT_MaxQ/v2.0/v2.1"]})
    assert "v2.1 against v2.0" in heading(test)
    test.button_group(key="power.view").set_value("training").run()
    assert link(test) == {"view": ["training"]}
    assert not test.warning


def test_what_a_link_names_in_vain_is_said_and_the_rest_stands() -> None:
    test = opened("power", {"pair": ["nobody"], "system": ["nothing"], "colour": ["red"], "view": ["rounds"]})
    [warning] = [str(warning.value) for warning in test.warning]
    assert all(word in warning for word in ("nobody", "nothing", "colour"))
    assert "2.17×" in heading(test)


def test_without_power_of_the_submitter_it_begins_with_the_ranking(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(session.FOLDER, str(snapshot_in(tmp_path, RESULTS)))
    test = opened("power")
    assert test.button_group(key="power.view").value == "ranking"
    assert "XE9680_H100x8_TRT" in heading(test)
    assert "the only one" in heading(test)
    assert not test.exception


@pytest.mark.parametrize("view", ["rounds", "systems", "ranking", "training"])
def test_an_empty_database_says_what_to_do(view: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(session.FOLDER, str(snapshot_in(tmp_path, [])))
    test = opened("power", {"view": [view]})
    assert not test.exception
    assert "Choose" in test.info[0].value
