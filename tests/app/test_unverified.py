"""Own results on the pages: the table's state, the swap on Scaling and its link."""

from pathlib import Path
from typing import Any

import pytest

from tests.app.own import OWN
from tests.app.small import PLAIN, snapshot_in
from tests.app.test_pages import charts, heading, html, link, opened
from ui import session

NODE: dict[str, Any] = {
    "round": "v1.1", "round_index": 2, "suite": "training", "scenario": None, "metric": "time_to_train", "unit": "min",
    "benchmark": "rnnt", "server": "XE8545", "server_family": "XE8545", "accelerator": "NVIDIA A100-SXM-80GB",
    "accelerators": ["NVIDIA A100-SXM-80GB"], "accelerator_count": 4, "nodes": 1, "value": 106.5,
    "system_id": "XE8545x4A100-SXM-80GB", "result_id": "one",
}  # fmt: skip
TWO = {
    **NODE,
    "result_id": "two",
    "system_id": "2xXE8545x4A100-SXM-80GB",
    "nodes": 2,
    "accelerator_count": 8,
    "value": 35.0,
}
PLACE = {"server": ["XE8545"], "round": ["v1.1"], "benchmark": ["rnnt"]}


@pytest.fixture
def mixed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [NODE, TWO, {**NODE, **OWN, "result_id": "mine", "value": 77.0}]
    monkeypatch.setenv(session.FOLDER, str(snapshot_in(tmp_path, rows)))


@pytest.mark.usefixtures("mixed")
def test_the_swap_is_offered_under_more_and_becomes_the_link() -> None:
    test = opened("scaling", PLACE)
    assert "3.043× as fast" in heading(test)
    assert "stands beside the line" in html(test)
    test.session_state["scaling.more"] = True
    test.run()
    box = test.multiselect(key="scaling.swap")
    assert box.options == ["RNN-T, 1 node: Own: rerun, XE8545x4A100-SXM-80GB, 77 min in place of 106.5 min"]
    box.set_value(["mine"]).run()
    assert link(test)["swap"] == ["mine"]
    assert "2.2× as fast on 2 nodes as on 1, 110.0 % efficiency (unverified)" in heading(test)
    assert "in place of the published 106.5 min" in html(test)
    assert not test.exception
    assert not test.warning


@pytest.mark.usefixtures("mixed")
def test_a_link_with_a_swap_that_is_not_to_be_had_says_so_and_the_rest_stands() -> None:
    test = opened("scaling", PLACE | {"swap": ["somebody-elses"]})
    assert 'There is no swap "somebody-elses" here.' in test.warning[0].value
    assert "3.043× as fast" in heading(test)


def test_without_own_results_no_swap_is_offered() -> None:
    test = opened("scaling", PLACE)
    test.session_state["scaling.more"] = True
    test.run()
    assert [box for box in test.multiselect if box.key == "scaling.swap"] == []
    assert not test.warning


@pytest.mark.usefixtures("mixed")
def test_the_table_of_explore_says_unverified_beside_the_value() -> None:
    test = opened("explore", {"round": ["v1.1"], "benchmark": ["rnnt"]})
    [shown] = [frame.value for frame in test.dataframe if "value" in frame.value.columns]
    place = list(shown.columns).index("value")
    assert shown.columns[place + 1] == "verification"
    assert dict(zip(shown["value"], shown["verification"], strict=True)) == {
        106.5: "verified",
        35.0: "verified",
        77.0: "unverified",
    }
    [figure] = charts(test)
    assert list(figure.data[0].marker.pattern.shape) == ["", "/", ""]
    assert "not reviewed by MLCommons" in html(test)


def test_the_table_of_published_results_has_no_such_column() -> None:
    test = opened("explore", {"round": ["v1.1"], "benchmark": ["rnnt"]})
    assert all("verification" not in frame.value.columns for frame in test.dataframe)
    assert PLAIN["verified"] is True
