"""The Round page in AppTest: default, one submitter's part, views, and what is not to be had."""

from pathlib import Path

import pytest

from tests.app.small import RESULTS, snapshot_in
from tests.app.test_pages import heading, html, link, opened
from ui import session


@pytest.fixture
def small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(session.FOLDER, str(snapshot_in(tmp_path, RESULTS)))


@pytest.mark.usefixtures("small")
def test_an_empty_link_shows_the_newest_inference_round_of_dell() -> None:
    test = opened("round")
    assert "MLPerf® Inference v3.1: 4 results by 1 submitter on 2 systems" in heading(test)
    assert "5 table rows" in html(test)
    assert link(test) == {}


@pytest.mark.usefixtures("small")
def test_a_submitter_has_a_page_of_its_own() -> None:
    test = opened("round", {"submitter": ["Dell"]})
    assert "Dell in MLPerf® Inference v3.1: 4 results in 4 configurations" in heading(test)
    assert "Submitters" not in test.get("button_group")[-1].options


@pytest.mark.usefixtures("small")
def test_systems_are_a_table_with_their_sheets() -> None:
    test = opened("round", {"submitter": ["Dell"], "view": ["systems"]})
    start = "system?system=inference-v3.1%2FDell%2F"
    assert test.dataframe[0].value["system"].tolist() == [
        f"{start}{name}#{name}" for name in ("XE9680_H100x8_TRT", "XR7620_L4x1_TRT")
    ]
    assert not test.expander


@pytest.mark.usefixtures("small")
def test_a_round_of_training_is_found_by_its_kind() -> None:
    test = opened("round", {"kind": ["training"]})
    assert "MLPerf® Training v1.1: 1 result by 1 submitter on 1 system" in heading(test)


@pytest.mark.usefixtures("small")
def test_what_is_new_cannot_be_told_without_the_round_before() -> None:
    test = opened("round", {"view": ["new"]})
    assert "cannot be told" in test.info[0].value


@pytest.mark.usefixtures("small")
def test_unknown_values_are_named_and_the_rest_is_shown() -> None:
    test = opened("round", {"round": ["v99"], "submitter": ["Nobody"]})
    assert "v99" in test.warning[0].value
    assert "Nobody" in test.warning[0].value
    assert "Inference v3.1" in heading(test)


def test_dell_in_v3_1_as_dell_counts() -> None:
    test = opened("round", {"round": ["v3.1"], "submitter": ["Dell"]})
    assert "Dell in MLPerf® Inference v3.1: 216 results in 20 configurations" in heading(test)
    assert "230 table rows · 18 systems" in html(test)
    assert not test.warning


@pytest.mark.parametrize(("round_id", "what"), [("v6.1", "five records"), ("v5.0", "edge, open, and system IDs")])
def test_a_round_that_is_loaded_in_part_says_so(round_id: str, what: str) -> None:
    test = opened("round", {"round": [round_id]})
    assert "as far as loaded" in heading(test)
    assert what in html(test)
