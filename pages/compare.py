"""Compare: two to eight systems against one of them, over all benchmarks and scenarios that they have."""

from dataclasses import replace

import streamlit as st

from mlperf.answers import compare as question
from mlperf.answers.answer import Answer, table
from mlperf.systems import short_names
from ui import link, pick, report, session, view

VIEWS = {"relative": "Relative", "absolute": "Absolute values", "matrix": "Matrix", "systems": "Systems under test"}


@st.fragment
def compare() -> None:
    """The answer in a line, the controls, then how the systems compare."""
    with report.faults():
        top, choices = st.container(), link.Choices("compare")
        with st.container(horizontal=True, vertical_alignment="bottom", gap="small", key="controls"):
            usual = session.ask(question.default_systems, session.SUBMITTER)
            systems = pick.systems(choices, usual, fewest=2, most=question.MOST)
            shown = choices.among("view", "View", list(VIEWS), names=VIEWS)
            names = {key.text: name for key, name in short_names(list(systems)).items()}
            baseline = choices.one("baseline", "Baseline", list(names), names=names, width=300)
            is_shared = choices.switch("each", "Per accelerator (derived)")
            is_short = shown == "systems" and choices.switch("differing", "Only what differs", default=True)
        choices.warn()
        first = next((key for key in systems if key.text == baseline), None)
        choice = question.Choice(systems, first, is_shared, session.THEME_COLOURS)
        answer = session.ask(question.answer, choice)
        with top:
            report.heading(answer.heading, answer.below)
        show(choice, answer, shown, is_short)


def show(choice: question.Choice, answer: Answer, shown: str, is_short: bool) -> None:
    """The chosen view of the systems; with `is_short` only facts in which several differ."""
    if answer.is_empty or (shown == "relative" and answer.charts):
        view.show(answer, "compare")
        return
    found = session.ask(question.sides, replace(choice, palette=session.page_colours()))
    if shown == "absolute":
        view.show(replace(answer, charts=(found.absolute,)), "compare")
    elif shown in ("relative", "matrix"):
        view.show(answer, "compare", table(found.matrix))
    else:
        facts = question.differing(found.sheets) if is_short and len(choice.systems) > 1 else found.sheets
        view.show(answer, "compare", table(facts))


compare()
