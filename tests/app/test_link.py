"""Choices and the link: round trips, page switches, and what a change leaves behind."""

from streamlit.testing.v1 import AppTest

from tests.app.test_pages import link, opened


def page(**query: list[str]) -> AppTest:
    """A page of two choices, the second of which depends on the first."""

    def script() -> None:
        import streamlit as st

        from ui.link import Choices

        choices = Choices("test")
        size = choices.one("size", "Size", ["small", "large"], "large")
        colour = choices.one("colour", "Colour", ["red", "blue"] if size == "small" else ["green"])
        some = choices.several("some", "Some", ["a", "b", "c"], ["a"], most=2)
        rate = choices.number("rate", "Rate", 10.0)
        bright = choices.switch("bright", "Bright")
        choices.warn()
        st.text(f"{size} {colour} {some} {rate} {bright}")

    test = AppTest.from_function(script)
    for name, values in query.items():
        test.query_params[name] = values
    return test.run()


def test_an_empty_link_is_the_defaults_and_a_change_is_the_link() -> None:
    test = page()
    assert test.text[0].value == "large green ('a',) 10.0 False"
    test.selectbox(key="test.size").set_value("small").run()
    test.selectbox(key="test.colour").set_value("blue").run()
    test.multiselect(key="test.some").set_value(["c", "b"]).run()
    test.number_input(key="test.rate").set_value(2.5).run()
    test.toggle(key="test.bright").set_value(True).run()
    assert test.text[0].value == "small blue ('c', 'b') 2.5 True"
    query = link(test)
    assert query == {"size": ["small"], "colour": ["blue"], "some": ["c", "b"], "rate": ["2.5"], "bright": ["yes"]}
    assert page(**query).text[0].value == test.text[0].value
    test.toggle(key="test.bright").set_value(False).run()
    test.selectbox(key="test.size").set_value("large").run()
    assert "bright" not in link(test)
    assert "size" not in link(test)


def test_a_choice_that_another_one_made_impossible_is_left_out_without_a_word() -> None:
    test = page(size=["small"], colour=["blue"])
    test.selectbox(key="test.size").set_value("large").run()
    assert test.text[0].value.startswith("large green")
    assert not test.warning


def test_what_a_link_names_in_vain_is_named_and_the_rest_stands() -> None:
    test = page(size=["huge"], some=["a", "b", "c", "d"], rate=["-1"], bright=["maybe"], shape=["round"])
    assert test.text[0].value == "large green ('a', 'b') 10.0 False"
    warning = "".join(warning.value for warning in test.warning)
    for words in ('"huge"', '"d"', "1 left out", '"-1" for rate', '"maybe"', '"shape"'):
        assert words in warning


def test_coming_back_to_a_page_finds_its_link_again() -> None:
    test = opened("compare", {"view": ["matrix"]})
    test.session_state["page"] = "Explore"
    del test.query_params["view"]
    test.run()
    assert link(test) == {"view": ["matrix"]}
