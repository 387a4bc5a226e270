"""The Explore page in AppTest: on small, empty, missing and hostile data."""

import json
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from streamlit.testing.v1 import AppTest

from tests import ROOT
from tests.app.small import H100, OFFLINE, PLAIN, RESULTS, snapshot_in
from ui import session

HOSTILE = '<img src=x onerror="alert(1)"> **b** $x$ :material/home: =1+1 `c` [l](http://x)'


@pytest.fixture
def small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(session.FOLDER, str(snapshot_in(tmp_path, RESULTS)))


def opened(at: str | None = None, **query: Any) -> AppTest:
    """The page of a link, with one filter open."""
    test = AppTest.from_file(str(ROOT / "ui" / "main.py"), default_timeout=30)
    test.session_state["open"] = at
    for name, values in query.items():
        test.query_params[name] = values
    return test.run()


def heading(test: AppTest) -> str:
    return next(str(block.proto.body) for block in test.get("html") if "<h1" in block.proto.body)


def html(test: AppTest) -> str:
    return "".join(str(block.proto.body) for block in test.get("html"))


def drawing(test: AppTest) -> dict[str, str]:
    """What the small multiples' place on the screen is given."""
    [component] = [part for part in test.get("bidi_component") if part.proto.component_name.endswith("drawing")]
    given: dict[str, str] = json.loads(component.proto.json)
    return given


def at(test: AppTest, column: str) -> AppTest:
    test.session_state["open"] = column
    return test.run()


def figures_of(test: AppTest) -> list[dict[str, Any]]:
    return [json.loads(chart.proto.spec) for chart in test.get("plotly_chart")]


def link(test: AppTest) -> dict[str, list[str]]:
    return {name: [values] if isinstance(values, str) else list(values) for name, values in test.query_params.items()}


@pytest.mark.usefixtures("small")
def test_an_empty_link_shows_the_newest_dell_round_as_chart_and_table() -> None:
    test = opened()
    assert not test.exception
    assert "MLPerf® Inference v3.1 · Dell" in heading(test)
    assert '<div class="panels">' in drawing(test)["markup"]
    assert len(test.dataframe[0].value) == 5
    assert link(test) == {}
    assert "The MLPerf name and logo are registered" in html(test)


@pytest.mark.usefixtures("small")
def test_at_most_five_filters_are_on_view_and_say_what_is_chosen() -> None:
    test = opened(round=["v3.1"], benchmark=["bert-99", "resnet"])
    assert test.get("button_group")[0].options == [
        "Suite", "Round ` v3.1 `", "Benchmark ` 2 chosen `", "Scenario", "Submitter", "More",
    ]  # fmt: skip
    assert not test.multiselect


@pytest.mark.usefixtures("small")
def test_a_choice_becomes_the_link_and_the_answer() -> None:
    test = opened("scenario")
    test.multiselect(key="filter.scenario").set_value(["SingleStream"]).run()
    assert link(test) == {"round": ["v3.1"], "submitter": ["Dell"], "scenario": ["SingleStream"]}
    assert "SingleStream" in heading(test)
    assert test.dataframe[0].value["value"].tolist() == [0.344907]


@pytest.mark.usefixtures("small")
def test_a_link_fills_the_filters() -> None:
    test = opened("benchmark", round=["v3.1"], benchmark=["bert-99", "resnet"], scenario=["Offline"])
    assert test.multiselect(key="filter.benchmark").value == ["bert-99", "resnet"]
    at(test, "round")
    assert test.multiselect(key="filter.round").value == ["v3.1"]
    assert not test.warning


@pytest.mark.usefixtures("small")
def test_filters_narrow_each_other_and_show_counts() -> None:
    test = opened(round=["v3.1"], scenario=["SingleStream"])
    for column, options in {
        "benchmark": ["ResNet-50 v1.5 · 1"],
        "scenario": ["Offline · 4", "SingleStream · 1"],
        "round": ["v3.1 · 1"],
    }.items():
        assert at(test, column).multiselect(key=f"filter.{column}").options == options


@pytest.mark.usefixtures("small")
def test_one_click_clears_and_that_is_not_the_landing_page() -> None:
    test = opened(round=["v3.1"])
    test.button(key="clear").click().run()
    assert link(test) == {"show": ["all"]}
    assert "All MLPerf® results" in heading(test)
    assert len(test.dataframe[0].value) == len(RESULTS)
    assert not test.warning


@pytest.mark.usefixtures("small")
def test_what_a_link_names_and_nobody_knows_is_a_warning_and_the_rest_stands() -> None:
    test = opened("round", round=["v3.1", "v99"], colour=["red"], nodes=["x"])
    [warning] = [str(warning.value) for warning in test.warning]
    assert 'There is no filter "colour".' in warning
    assert '"x" is not a value that nodes can have.' in warning
    assert 'No result has round "v99".' in warning
    assert not test.exception
    assert "v3.1" in heading(test)
    assert test.multiselect(key="filter.round").value == ["v3.1"]


@pytest.mark.usefixtures("small")
def test_nothing_found_says_which_filter_to_drop_and_what_that_gives() -> None:
    test = opened(round=["v1.1"], submitter=["Dell"], scenario=["Offline"])
    assert "No result matches" in test.info[0].value
    assert [button.label for button in test.button if button.key and button.key.startswith("drop.")] == [
        "Drop Round · 4",
        "Drop Scenario · 1",
    ]
    test.button(key="drop.round").click().run()
    assert link(test) == {"submitter": ["Dell"], "scenario": ["Offline"]}
    assert len(test.dataframe[0].value) == 4


@pytest.mark.usefixtures("small")
def test_more_holds_the_other_filters_and_the_search_once_it_is_open() -> None:
    test = opened("More", search=["xr7620"])
    assert test.text_input(key="filter.search").value == "xr7620"
    keys = {box.key for box in test.multiselect}
    assert keys >= {f"filter.{name}" for name in ("division", "system_id", "accelerator", "has_power", "server_family")}
    test.text_input(key="filter.search").set_value("h100").run()
    assert link(test)["search"] == ["h100"]


@pytest.mark.usefixtures("small")
def test_the_download_is_what_the_command_line_writes() -> None:
    from mlperf import export, queries
    from mlperf.filters import Filters

    filters = Filters(round=("v3.1",))
    assert session.download(filters)("csv") == export.write(queries.export_rows(session.hub(), filters), "csv")
    test = opened()
    assert not test.get("download_button")
    test.session_state["explore.download"] = True
    assert {button.label for button in test.run().get("download_button")} == {"Data as CSV", "Data as Parquet"}


@pytest.mark.usefixtures("small")
def test_the_rows_are_cited_and_each_leads_to_its_systems_sheet() -> None:
    test = opened(benchmark=["resnet"], scenario=["SingleStream"])
    address = "system?system=inference-v3.1%2FDell%2FXR7620_L4x1_TRT"
    assert test.dataframe[0].value["system"].tolist() == [f"{address}#XR7620_L4x1_TRT"]
    assert not test.code
    test.session_state["explore.cite"] = True
    text, bibtex, markdown = (block.value for block in test.run().code)
    assert "Dell, XR7620_L4x1_TRT" in text
    assert "0.344907 ms" in text
    assert bibtex.startswith("@misc{mlperf_inference_v3_1,")
    assert "`XR7620_L4x1_TRT`" in markdown


def test_an_empty_database_is_an_answer_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(session.FOLDER, str(snapshot_in(tmp_path, [])))
    test = opened()
    assert not test.exception
    assert "No result matches" in test.info[0].value


def test_a_missing_snapshot_is_said_with_its_remedy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(session.FOLDER, str(tmp_path / "nowhere"))
    test = opened()
    assert not test.exception
    assert "make snapshot" in test.error[0].value


def test_hostile_names_are_shown_as_text_everywhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hostile = dict.fromkeys(("submitter", "system_id", "system_name", "benchmark", "accelerator", "round"), HOSTILE)
    results = [{**hostile, "server": None, "accelerators": [HOSTILE], "public_id": HOSTILE}]
    monkeypatch.setenv(session.FOLDER, str(snapshot_in(tmp_path, results)))
    test = opened(show=["all"])
    assert not test.exception
    test = opened(submitter=[HOSTILE], system_id=["<b>no</b>"])
    assert not test.exception
    assert "<img" not in html(test)
    assert "&lt;img" in heading(test)
    for figure in figures_of(test):
        assert "<img" not in json.dumps([figure["data"], figure["layout"]["annotations"], figure["layout"]["yaxis"]])
    assert '` No result has system_id "<b>no</b>". `' in test.warning[0].value
    [address] = test.dataframe[0].value["system"]
    assert unquote(address.partition("#")[2]) == HOSTILE
    assert "<" not in address


@pytest.mark.usefixtures("small")
def test_coming_back_from_another_page_finds_the_filters_again() -> None:
    test = opened(round=["v4.0"])
    test.session_state["page"] = "Another"
    for name in list(test.query_params):
        del test.query_params[name]
    test.run()
    assert link(test) == {"round": ["v4.0"]}
    assert "v4.0" in heading(test)


@pytest.mark.usefixtures("small")
def test_an_emptied_link_on_the_same_page_is_the_landing_page() -> None:
    test = opened(round=["v4.0"])
    del test.query_params["round"]
    test.run()
    assert "v3.1 · Dell" in heading(test)


def test_many_rows_are_a_table_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    many = [{"result_id": f"r{number}", **OFFLINE, **H100, "value": number + 1.0} for number in range(400)]
    monkeypatch.setenv(session.FOLDER, str(snapshot_in(tmp_path, many)))
    test = opened()
    assert not test.exception
    assert any("400 rows" in text.value for text in test.text)
    assert "Not drawn: 380 results" in html(test)
    assert PLAIN["system_id"] not in heading(test)


def test_one_unit_stands_in_the_header_and_several_in_a_column(small: None) -> None:
    one = opened(benchmark="resnet", scenario="SingleStream").dataframe[0]
    assert "unit" not in one.value.columns
    assert json.loads(one.proto.columns)["value"]["label"] == "Result, ms"
    several = opened(show="all").dataframe[0]
    assert several.value["unit"].nunique() > 1
    assert json.loads(several.proto.columns)["value"]["label"] == "Result"


def test_runs_with_and_without_power_in_one_panel_are_warned_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    power = {"has_power": True, "power_value": 50.0, "power_unit": "W"}
    results = [{"result_id": "a", **OFFLINE}, {"result_id": "b", **OFFLINE, **H100, **power}]
    monkeypatch.setenv(session.FOLDER, str(snapshot_in(tmp_path, results)))
    assert "With and without power" in html(opened(show="all"))
    assert "With and without power" not in html(opened(has_power="true"))


def test_what_may_not_be_compared_is_a_file_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    power = {"has_power": True, "power_value": 50.0, "power_unit": "W"}
    results = [{"result_id": "a", **OFFLINE}, {"result_id": "b", **OFFLINE, **H100, **power}]
    monkeypatch.setenv(session.FOLDER, str(snapshot_in(tmp_path, results)))
    for query, has_findings in ({"show": "all"}, True), ({"has_power": "true"}, False):
        test = opened(**query)
        test.session_state["explore.download"] = True
        labels = {button.label for button in test.run().get("download_button")}
        assert ("What to mind as text" in labels) == has_findings
