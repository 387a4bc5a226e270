"""System: a system under test, everything it submitted in its round, and where else it was seen."""

import streamlit as st

from mlperf.answers import system as question
from mlperf.answers.system_history import history
from ui import link, pick, report, session, sheet, view


@st.fragment
def system() -> None:
    """The system's name, its results beside its specification, its relatives, then files and sources."""
    with report.faults():
        top, choices = st.container(), link.Choices("system")
        usual = session.ask(question.default_system, session.SUBMITTER)
        chosen = pick.systems(choices, [usual] if usual else [], most=1, label="Another system")
        choices.warn()
        found = session.ask(question.sheet, question.Choice(chosen[0] if chosen else None))
        with top:
            report.heading(found.answer.heading, found.answer.below)
        if not found.answer.is_empty:
            show(found)
            sheet.history(session.ask(history, chosen[0]))
        view.show(found.answer, "system")


def show(found: question.Sheet) -> None:
    """Results and specification side by side where there is room; below them the relatives."""
    left, right = st.columns([5, 3], gap="small")
    with left:
        sheet.results(found.results)
    with right:
        sheet.specification(found.specification)
    sheet.relatives(found.relatives)


system()
