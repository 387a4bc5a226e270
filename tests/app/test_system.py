"""The System page in AppTest: links, what is on the first screen, hostile sheets."""

from pathlib import Path

import pytest

from mlperf.systems import SystemKey
from tests.app.small import H100, OFFLINE, database, snapshot_in
from tests.app.test_pages import HOSTILE, heading, html, link, opened
from ui import session

XR7620 = "inference-v3.1/Dell/XR7620_L4x1_TRT"


def test_a_link_shows_results_beside_the_specification() -> None:
    test = opened("system", {"system": [XR7620]})
    assert not test.exception
    assert not test.warning
    assert "Dell PowerEdge XR7620 (1x L4, TensorRT)" in heading(test)
    assert "Inference v3.1 (September 2023) · closed · available · 1 × NVIDIA L4 · 1 node · 14 results" in html(test)
    results = test.dataframe[0].value
    assert len(results) == 14
    assert "0.3449 ms" in set(results["figure"])
    assert all(address.startswith("https://github.com/mlcommons/") for address in results["link"])
    assert "<td>TensorRT 9.0.0, CUDA 12.2</td>" in html(test)
    assert "closed/Dell/systems/XR7620_L4x1_TRT.json" in html(test)


def test_relatives_lead_to_their_own_sheets() -> None:
    test = opened("system", {"system": [XR7620]})
    relatives = test.dataframe[1].value
    assert set(relatives["round"]) == {"Inference v3.0", "Inference v4.0"}
    key = SystemKey("inference", "v3.0", "Dell", "XR7620_L4x1_TRT")
    assert f"{key.address}#{key.system}" in set(relatives["system"])
    assert key.address == "system?system=inference-v3.0%2FDell%2FXR7620_L4x1_TRT"


def test_an_unknown_system_is_a_warning_and_the_default_stands() -> None:
    plain = opened("system")
    test = opened("system", {"system": ["inference-v9.9/Dell/none"]})
    assert 'There is no system "inference-v9.9/Dell/none" here.' in test.warning[0].value
    assert heading(test) == heading(plain)
    assert link(plain) == {}


def test_a_training_system_leads_to_its_runs() -> None:
    test = opened("system", {"system": ["training-v1.1/Dell/R750xax4A100-PCIE-80GB"]})
    addresses = set(test.dataframe[0].value["runs_page"])
    start = "runs?system=training-v1.1%2FDell%2FR750xax4A100-PCIE-80GB&benchmark="
    assert f"{start}bert" in addresses
    assert all(address.startswith(start) for address in addresses)


def test_a_hostile_sheet_is_shown_as_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    row = {"result_id": "a", **OFFLINE, **H100, "system_name": HOSTILE}
    folder = snapshot_in(tmp_path, [row])
    con = database([row])
    con.execute(
        "insert into sheets by name select '1' as sha256, 'own' as source, 'x.json' as source_path,"
        " 'inference' as kind, 'v3.1' as round, 'Dell' as submitter, 'XE9680_H100x8_TRT' as system_id, 1 as position,"
        " 'framework' as field, ? as value",
        [HOSTILE],
    )
    con.table("sheets").write_parquet(str(folder / "sheets.parquet"))
    monkeypatch.setenv(session.FOLDER, str(folder))
    test = opened("system")
    assert not test.exception
    assert "<img" not in html(test)
    assert "<td>&lt;img" in html(test)
