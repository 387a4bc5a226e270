"""The Scaling page in AppTest: its link, its controls, its views."""

from tests.app.test_pages import charts, heading, html, link, opened

R750XA = {"server": ["R750xa"], "benchmark": ["resnet"], "round": ["v1.1"]}


def test_the_default_is_a_server_of_the_submitter_on_several_numbers_of_nodes() -> None:
    test = opened("scaling")
    assert "efficiency" in heading(test)
    assert "Dell" in html(test)
    assert test.selectbox(key="scaling.submitter").value == "Dell"
    assert len(test.get("plotly_chart")) == 1
    assert link(test) == {}


def test_the_link_of_the_article_shows_efficiency_and_its_reason() -> None:
    test = opened("scaling", R750XA)
    assert not test.warning
    assert "74.3 % efficiency, per epoch 95.6 %" in heading(test)
    assert "35 → 45 epochs" in heading(test)
    [figure] = charts(test)
    assert [round(value, 3) for value in figure.data[1].y] == [62.949, 32.087, 17.336, 10.586]
    assert list(figure.data[1].x) == [1, 2, 4, 8]


def test_each_view_and_the_axis_are_in_the_link() -> None:
    test = opened("scaling", R750XA | {"view": ["efficiency"], "across": ["accelerators"]})
    [figure] = charts(test)
    assert "Scaling efficiency (derived)" in figure.layout.yaxis.title.text
    assert list(figure.data[1].x) == [4, 8, 16, 32]
    test.get("button_group")[0].set_value("speedup").run()
    assert link(test)["view"] == ["speedup"]


def test_a_round_alone_brings_a_server_of_that_round() -> None:
    test = opened("scaling", {"round": ["v1.1"]})
    assert not test.warning
    assert test.selectbox(key="scaling.server").value == "R750xa"
    assert test.selectbox(key="scaling.round").value == "v1.1"


def test_another_server_drops_what_it_does_not_have_without_a_word() -> None:
    test = opened("scaling", R750XA)
    test.selectbox(key="scaling.server").set_value("XE9712").run()
    assert not test.exception
    assert not test.warning
    assert "XE9712" in heading(test)


def test_a_server_that_the_submitter_lacks_is_a_warning_and_the_rest_stands() -> None:
    test = opened("scaling", {"server": ["XR7620"], "benchmark": ["resnet", "none"]})
    [warning] = [str(warning.value) for warning in test.warning]
    assert 'There is no server "XR7620" here.' in warning
    assert 'There is no benchmark "none" here.' in warning
    assert "efficiency" in heading(test)


def test_several_benchmarks_stand_in_one_chart_and_over_one_hundred_percent_is_explained() -> None:
    names = ["bert", "maskrcnn", "resnet", "ssd", "rnnt"]
    test = opened("scaling", {"server": ["XE8545"], "round": ["v1.1"], "benchmark": names, "view": ["efficiency"]})
    assert "in 5 benchmarks" in heading(test)
    assert "over 100 %" in html(test)
    assert "RNN-T 151.9 %" in html(test)


def test_other_submitters_are_found_by_accelerator() -> None:
    test = opened("scaling", {"submitter": ["NVIDIA"], "round": ["v1.1"], "benchmark": ["resnet"]})
    assert not test.warning
    assert "NVIDIA A100-SXM-80GB" in heading(test)


def test_more_offers_the_configurations_of_the_server() -> None:
    test = opened("scaling", {"server": ["R750xa"], "round": ["v3.0"]})
    test.session_state["scaling.more"] = True
    test.run()
    box = test.selectbox(key="scaling.configuration")
    box.set_value("2xR750xax4A100-PCIE-80GB-2opa").run()
    assert link(test)["configuration"] == ["2xR750xax4A100-PCIE-80GB-2opa"]
    assert "2opa" not in heading(test)
    assert "2xR750xax4A100-PCIE-80GB (2, 4, 8 nodes)" in html(test)
