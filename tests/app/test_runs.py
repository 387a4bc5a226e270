"""The Runs page in AppTest: its link, its controls, its views."""

from tests.app.test_pages import charts, heading, html, link, opened

ONE, TWO = (f"training-v1.1/Dell/{prefix}XE8545x4A100-SXM-80GB" for prefix in ("", "2x"))


def test_the_default_is_a_result_of_the_newest_round_of_the_submitter() -> None:
    test = opened("runs")
    assert "min" in heading(test)
    assert "Dell" in heading(test)
    assert len(test.get("plotly_chart")) == 1
    assert link(test) == {}


def test_two_systems_and_a_benchmark_are_a_link() -> None:
    test = opened("runs", {"system": [ONE, TWO], "benchmark": ["rnnt"]})
    assert not test.warning
    assert "(3.038×)" in heading(test)
    [figure] = charts(test)
    assert sum(len(trace.x) for trace in figure.data if trace.mode == "markers") == 20


def test_the_spread_has_a_view_of_its_own() -> None:
    test = opened("runs", {"system": [ONE, TWO], "benchmark": ["rnnt"], "view": ["spread"]})
    [figure] = charts(test)
    assert "Over the mean of the runs that count (derived)" in figure.layout.yaxis.title.text


def test_another_benchmark_goes_into_the_link() -> None:
    test = opened("runs", {"system": [ONE]})
    test.selectbox(key="runs.benchmark").set_value("bert").run()
    assert link(test)["benchmark"] == ["bert"]
    assert "BERT-Large" in heading(test)


def test_a_group_without_all_of_its_runs_is_shown_with_the_reason() -> None:
    test = opened("runs", {"system": ["training-v1.0/Supermicro/as-4142gs-tnr"], "benchmark": ["unet3d"]})
    assert not test.exception
    assert "22 runs, none of them counted" in heading(test)
    assert "not all that made it" in html(test)


def test_unknown_systems_are_a_warning_and_inference_has_no_runs() -> None:
    test = opened("runs", {"system": ["inference-v3.1/Dell/XR7620_L4x1_TRT"], "benchmark": ["none"]})
    [warning] = [str(warning.value) for warning in test.warning]
    assert 'There is no system "inference-v3.1/Dell/XR7620_L4x1_TRT" here.' in warning
    assert 'There is no benchmark "none" here.' in warning
    assert not test.exception
