"""Round: how much was submitted to a round, by whom and on what, and what is new; one submitter's own part of it."""

from typing import cast

import streamlit as st

from mlperf.answers import rounds as question
from mlperf.model import Kind
from ui import link, report, session, view

EVERYBODY = "all"
TABLES = ("systems", "new")
"""Views that are read as tables rather than as bars."""


@st.fragment
def played() -> None:
    """The answer in a line, the controls, then the counts."""
    with report.faults():
        top, choices = st.container(), link.Choices("round")
        with st.container(horizontal=True, vertical_alignment="bottom", gap="small", key="controls"):
            choice, shown = chosen(choices)
        choices.warn()
        answer = session.ask(question.answers, choice)[shown]
        with top:
            report.heading(answer.heading, answer.below)
        view.show(answer, "round", answer.data if shown in TABLES else None)


def chosen(choices: link.Choices) -> tuple[question.Choice, str]:
    """The controls: a round, everybody in it or one submitter, and what is shown of it."""
    found = session.ask(question.rounds, session.SUBMITTER)
    kind = cast(Kind, choices.among("kind", "Kind", list(found), names=question.KINDS) or "inference")
    rounds, usual = found.get(kind, ([], ""))
    round_id = choices.one("round", "Round", rounds, usual, width=100)
    there = session.ask(question.submitters, (kind, round_id))
    name = choices.one("submitter", "Submitter", [EVERYBODY, *there], names={EVERYBODY: "All submitters"}, width=230)
    submitter = question.EVERYBODY if name == EVERYBODY else name
    views = [one for one in question.VIEWS if one != "submitters" or not submitter]
    shown = choices.among("view", "View", views, names=question.VIEWS)
    earlier = question.before(kind, round_id)
    gaps_before = session.gaps(kind, earlier.id) if earlier else ()
    choice = question.Choice(
        kind, round_id, submitter, session.gaps(kind, round_id), gaps_before, session.THEME_COLOURS
    )
    return choice, shown


played()
