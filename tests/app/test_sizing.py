"""The Sizing page in AppTest: its link, its controls, odd rates."""

from pathlib import Path

import pytest

from tests.app.small import snapshot_in
from tests.app.test_pages import heading, html, link, opened
from ui import session

RESNET = {"benchmark": ["resnet"], "scenario": ["Offline"], "round": ["v4.0"], "rate": ["1000000"]}


def test_the_default_sizes_the_submitters_newest_round() -> None:
    test = opened("sizing")
    assert "take at least" in heading(test)
    assert "(estimate)" in heading(test)
    assert "MLPerf® Inference v6.0 · datacenter · closed · available" in heading(test)
    assert len(test.get("plotly_chart")) == 1
    assert link(test) == {}
    assert not test.warning


def test_a_rate_is_in_the_link() -> None:
    test = opened("sizing", RESNET)
    assert "1,000,000 samples/s of ResNet-50 v1.5 · Offline take at least 2 systems or 12 accelerators" in heading(test)
    test.number_input(key="sizing.rate").set_value(5_000_000.0).run()
    assert link(test)["rate"] == ["5000000"]
    assert "5,000,000 samples/s" in heading(test)
    assert "measured in that very result" in html(test)


@pytest.mark.parametrize("rate", ["0", "-5", "nan", "inf", "1e30", "many"])
def test_a_rate_that_means_nothing_is_refused_in_words(rate: str) -> None:
    test = opened("sizing", RESNET | {"rate": [rate]})
    assert not test.exception
    [warning] = [str(warning.value) for warning in test.warning]
    assert f'"{rate}" for rate: type a number over zero' in warning
    assert "take at least" in heading(test)


def test_typing_zero_is_refused_in_words_too() -> None:
    test = opened("sizing", RESNET)
    test.number_input(key="sizing.rate").set_value(0.0).run()
    assert not test.exception
    assert "type a number over zero" in str(test.warning[0].value)


def test_a_rate_beyond_a_million_systems_says_what_to_do() -> None:
    test = opened("sizing", RESNET | {"rate": ["900000000000000"]})
    assert "Type a smaller rate" in test.info[0].value


def test_what_is_behind_more_is_in_force_while_it_is_closed() -> None:
    test = opened("sizing", RESNET | {"submitter": ["Dell"], "server_family": ["XE96xx"]})
    assert "Dell · XE96xx" in heading(test)
    assert not [box for box in test.selectbox if box.key == "sizing.server_family"]
    test.session_state["sizing.more"] = True
    test.run()
    test.selectbox(key="sizing.server_family").set_value("").run()
    assert "server_family" not in link(test)
    assert test.multiselect(key="sizing.submitter").value == ["Dell"]


def test_bars_of_accelerators_have_a_link() -> None:
    test = opened("sizing", RESNET | {"bars": ["accelerators"]})
    assert "results without a number of accelerators are left out" in html(test)


def test_what_a_link_names_in_vain_is_said_and_the_rest_stands() -> None:
    test = opened("sizing", RESNET | {"benchmark": ["nothing"], "colour": ["red"]})
    assert not test.exception
    [warning] = [str(warning.value) for warning in test.warning]
    assert "nothing" in warning
    assert "colour" in warning
    assert "take at least" in heading(test)


def test_an_empty_database_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(session.FOLDER, str(snapshot_in(tmp_path, [])))
    test = opened("sizing")
    assert not test.exception
    assert "Choose" in test.info[0].value
