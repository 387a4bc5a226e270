"""The Compare page in AppTest: its link, its controls, its views."""

from tests.app.test_pages import heading, html, link, opened

XR7620, XR4520C = "inference-v3.1/Dell/XR7620_L4x1_TRT", "inference-v3.1/Dell/XR4520c_L4x1_TRT"
TWO = {"system": [XR7620, XR4520C]}


def test_the_default_is_two_edge_systems_of_one_round() -> None:
    test = opened("compare")
    assert "× the performance of" in heading(test)
    assert len(test.get("plotly_chart")) == 1
    assert link(test) == {}


def test_the_baseline_is_in_the_link_and_turns_the_comparison_round() -> None:
    test = opened("compare", TWO)
    assert "XR4520c_L4x1_TRT" in heading(test).partition("the performance of")[0]
    test.selectbox(key="compare.baseline").set_value(XR4520C).run()
    assert link(test)["baseline"] == [XR4520C]
    assert "XR7620_L4x1_TRT" in heading(test).partition("the performance of")[0]
    test.selectbox(key="compare.baseline").set_value(XR7620).run()
    assert "baseline" not in link(test)


def test_each_view_has_a_link_of_its_own() -> None:
    [drawing] = opened("compare", TWO | {"view": ["absolute"]}).get("bidi_component")
    assert drawing.proto.json.count("<svg") == 14
    [matrix] = opened("compare", TWO | {"view": ["matrix"]}).dataframe
    assert list(matrix.value.columns) == ["cell", "XR7620_L4x1_TRT", "XR4520c_L4x1_TRT"]
    assert matrix.value["XR4520c_L4x1_TRT"].isna().sum() == 2
    systems = opened("compare", TWO | {"view": ["systems"]})
    [sheets] = systems.dataframe
    differing = len(sheets.value)
    systems.toggle(key="compare.differing").set_value(False).run()
    everything = len(systems.dataframe[0].value)
    assert everything > differing
    assert link(systems)["differing"] == ["no"]
    assert len(opened("compare", link(systems)).dataframe[0].value) == everything


def test_one_system_beside_nothing_has_its_whole_sheet() -> None:
    test = opened("compare", {"system": [XR7620], "view": ["systems"]})
    assert len(test.dataframe[0].value) > 10


def test_per_accelerator_is_marked_as_derived() -> None:
    test = opened("compare", TWO | {"each": ["yes"]})
    assert "per accelerator" in html(test)
    assert "not official" in html(test)


def test_systems_are_found_by_words_and_chosen_into_the_link() -> None:
    test = opened("compare", TWO)
    test.session_state["Compare.systems"] = True
    test.run()
    test.text_input(key="pick.search").set_value("dell v3.1 xr5610").run()
    assert any("XR5610_L4x1_TRT_MaxQ" in option for option in test.multiselect(key="pick.systems").options)
    maxq = "inference-v3.1/Dell/XR5610_L4x1_TRT_MaxQ"
    test.multiselect(key="pick.systems").set_value([XR7620, XR4520C, maxq]).run()
    assert link(test)["system"] == [XR7620, XR4520C, maxq]
    assert "Not compared, because the rules of MLPerf forbid it" in test.warning[0].value


def test_an_unknown_system_is_named_and_the_others_stand() -> None:
    test = opened("compare", {"system": [XR7620, "inference-v3.1/Dell/XR9999"]})
    assert 'There is no system "inference-v3.1/Dell/XR9999" here.' in test.warning[0].value
    assert "XR7620_L4x1_TRT" in heading(test)
    assert "choose a second system" in html(test)


def test_nine_systems_are_cut_to_eight_in_words() -> None:
    from ui import session

    test = opened("compare", {"system": list(session.systems("inference"))[:9]})
    assert not test.exception
    assert "At most 8 of system: 1 left out." in test.warning[0].value
