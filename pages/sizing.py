"""Sizing: how many systems a needed rate takes."""

from dataclasses import replace

import streamlit as st

from mlperf.answers import sizing as question
from mlperf.answers.answer import Row
from ui import link, report, session, view
from ui.narrowing import Narrowing

ANY = {"": "Any"}


@st.fragment
def sizing() -> None:
    """The answer in a line, the controls, then how many of each system."""
    with report.faults():
        top, choices = st.container(), link.Choices("sizing")
        with st.container(horizontal=True, vertical_alignment="bottom", gap="small", key="controls"):
            choice = chosen(choices, session.ask(question.fields, session.SUBMITTER))
        choices.warn()
        answer = session.ask(question.answer, choice)
        with top:
            report.heading(answer.heading, answer.below)
        view.show(answer, "sizing")


def chosen(choices: link.Choices, fields: list[Row]) -> question.Choice:
    """The controls; each offers what those before it leave."""
    field = Narrowing(choices, fields, question.default_field)
    benchmark, scenario, played = field.one("benchmark"), field.one("scenario"), field.one("round")
    rate, shown = st.container(width=180), choices.among("bars", "Bars", list(question.SHOWN), names=question.SHOWN)
    panel = st.popover("More", key="sizing.more", on_change="rerun", width="content", icon=":material/tune:")
    with choices.within(panel):
        suite, division, availability = field.one("suite"), field.one("division"), field.one("availability")
        choice = question.Choice(
            played, suite, benchmark, scenario, 1, division, availability,
            shown="accelerators" if shown == "accelerators" else "systems", palette=session.THEME_COLOURS,
        )  # fmt: skip
        submitters, families = session.ask(question.names, choice)
        choice = replace(
            choice,
            submitters=choices.several("submitter", "Submitters", submitters, placeholder="All"),
            server_family=choices.one("server_family", "Server family", ["", *families], names=ANY, width=260),
        )
    usual, unit = session.ask(question.default_rate, choice), field.common("unit")
    with rate:
        needed = choices.number("rate", f"Needed rate, {unit or 'per second'}", usual, min_value=0.0, format="%g")
    return replace(choice, rate=needed)


sizing()
