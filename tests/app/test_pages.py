"""Every page in AppTest: on the snapshot, on an empty and on a faulty database, without one, and on odd links."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import plotly.graph_objects as go
import pytest
from streamlit.testing.v1 import AppTest
from streamlit.util import calc_hash

from mlperf.gallery import gallery
from tests import ROOT
from tests.app.small import H100, OFFLINE, RESULTS, snapshot_in
from ui import own, session

PAGES = sorted(page.stem for page in (ROOT / "pages").glob("*.py"))
HOSTILE = '<img src=x onerror="alert(1)"> **b** $x$ :material/home: =1+1 `c` [l](http://x)'
NOTHING: dict[str, Any] = dict.fromkeys(
    ("system_id", "server", "server_family", "accelerator", "accelerator_count", "nodes", "processor", "framework",
     "scenario", "availability", "accuracy", "inferred", "valid", "runs", "public_id", "link", "location", "model",
     "accelerator_raw")
)  # fmt: skip
FAULTY: list[dict[str, Any]] = [
    *RESULTS,
    {"result_id": "nothing", **NOTHING, "accelerators": []},
    {"result_id": "training", **NOTHING, "suite": "training", "metric": "time_to_train", "unit": "min", "value": 0.0,
     "accelerators": []},
    {"result_id": "zero", **OFFLINE, **H100, "value": 0.0, "round": "v3.0"},
    {"result_id": "huge", **OFFLINE, **H100, "value": 1e300, "round": "v4.0", "has_power": True, "power_value": 0.0,
     "power_unit": "W"},
    {"result_id": "negative", **OFFLINE, "value": -1.0, "accelerator_count": 0, "nodes": 0},
    {"result_id": "stranger", "round": "v99.9", "benchmark": "unheard-of", "scenario": "Upside", "metric": "mood",
     "unit": "smiles", "round_index": 99},
    {"result_id": "hostile", **dict.fromkeys(
        ("submitter", "system_id", "system_name", "benchmark", "accelerator", "round", "server"), HOSTILE),
     "accelerators": [HOSTILE]},
]  # fmt: skip


def opened(page: str, query: dict[str, list[str]] | None = None) -> AppTest:
    """A page as its link opens it."""
    test = AppTest.from_file(str(ROOT / "ui" / "main.py"), default_timeout=60)
    test.switch_page(f"../pages/{page}.py")
    test._page_hash = calc_hash(page.replace("_", "-"))  # before its first run AppTest knows no page by its URL
    for name, values in (query or {}).items():
        test.query_params[name] = values
    return test.run()


def html(test: AppTest) -> str:
    return "".join(str(block.proto.body) for block in test.get("html"))


def heading(test: AppTest) -> str:
    return next(str(block.proto.body) for block in test.get("html") if "<h1" in block.proto.body)


def link(test: AppTest) -> dict[str, list[str]]:
    """The parameters of the page's link."""
    return {name: [values] if isinstance(values, str) else list(values) for name, values in test.query_params.items()}


def charts(test: AppTest) -> Iterator[go.Figure]:
    """The charts of a page, each property checked by Plotly."""
    for chart in test.get("plotly_chart"):
        spec = json.loads(chart.proto.spec)
        spec["layout"].pop("template", None)
        yield go.Figure(spec)


@pytest.mark.parametrize("page", PAGES)
def test_a_page_opens_on_an_answer(page: str) -> None:
    test = opened(page)
    assert not test.exception
    assert not test.error
    assert not test.warning
    assert heading(test)
    assert len(test.multiselect) + len(test.selectbox) + len(test.toggle) + len(test.number_input) <= 5
    for figure in charts(test):
        assert sum(len(trace["x"] or ()) for trace in figure.data) <= 500


@pytest.mark.parametrize("page", PAGES)
def test_an_empty_database_is_an_answer_too(page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(session.FOLDER, str(snapshot_in(tmp_path, [])))
    monkeypatch.setenv(own.FILE, str(tmp_path / "own.duckdb"))
    test = opened(page)
    assert not test.exception
    assert not test.error
    assert page in ("gallery", "my_results") or test.info


@pytest.mark.parametrize("page", PAGES)
def test_odd_data_breaks_no_page_and_is_shown_as_text(
    page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(session.FOLDER, str(snapshot_in(tmp_path, FAULTY)))
    monkeypatch.setenv(own.FILE, str(tmp_path / "own.duckdb"))
    for query in (
        {},
        {"round": [HOSTILE], "benchmark": [HOSTILE], "submitter": [HOSTILE]},
        {"system": [f"inference-{HOSTILE}/{HOSTILE}/{HOSTILE}", "inference-v3.1/Dell/XR7620_L4x1_TRT"]},
        {"round": ["v99.9"], "benchmark": ["unheard-of"], "scenario": ["Upside"], "system": ["inference-v99.9/Dell/x"]},
        {"round": ["v4.0"], "benchmark": ["resnet"], "scenario": ["Offline"]},
    ):
        test = opened(page, query)
        assert not test.exception, query
        assert "<img" not in html(test)
        list(charts(test))


@pytest.mark.parametrize("page", [page for page in PAGES if page != "gallery"])
def test_a_missing_snapshot_is_said_with_its_remedy(page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(session.FOLDER, str(tmp_path / "nowhere"))
    test = opened(page)
    assert not test.exception
    assert "make snapshot" in test.error[0].value


def test_every_page_says_that_a_snapshot_somebody_made_is_unverified(
    made_elsewhere: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(session.FOLDER, str(snapshot_in(tmp_path, RESULTS)))
    for page in PAGES:
        test = opened(page, {"round": ["v3.1"]} if page == "explore" else {})
        assert not test.exception
        assert "did not come with Roundtable" in html(test), page
    assert "unverified" in html(opened("explore", {"round": ["v3.1"]})).lower().replace("are unverified", "")


@pytest.mark.parametrize("page", [page for page in PAGES if page not in ("gallery", "explore")])
def test_what_a_link_names_in_vain_is_a_warning(page: str) -> None:
    test = opened(page, {"colour": ["red"], "round": ["v99"], "system": ["inference-v9.9/No one/none"]})
    assert not test.exception
    [warning] = [str(warning.value) for warning in test.warning]
    assert 'There is no choice "colour" here.' in warning


FIGURES = [(article.title, figure) for article in gallery() for figure in article.figures]


@pytest.mark.parametrize(("article", "figure"), FIGURES, ids=[figure.title for _, figure in FIGURES])
def test_a_link_of_the_gallery_opens_an_answer(article: str, figure: Any) -> None:
    test = opened(figure.page, dict(figure.query))
    assert not test.exception
    assert not test.error
    assert not test.info, "there is nothing to show"
    assert not [warning.value for warning in test.warning if "link" in warning.value], quote(str(figure.query))
    assert heading(test), article
