"""Rankings: who is first in each benchmark and scenario of a round, by how much, and in which field."""

from typing import cast

import streamlit as st

from mlperf.answers import rankings as question
from mlperf.answers.ranking_tables import Holder
from mlperf.queries import Field
from mlperf.ranking import By
from ui import link, report, session, view

ALL, ANY = "all", "any"
VIEWS = {"first": "First places", "titles": "Titles"}
ANSWERS = {"one": question.answer, "first": question.firsts, "titles": question.title_table}


@st.fragment
def rankings() -> None:
    """The answer in a line, the field, then the ranking."""
    with report.faults():
        top, choices = st.container(), link.Choices("rankings")
        with st.container(horizontal=True, vertical_alignment="bottom", gap="small", key="controls"):
            choice, shown = chosen(choices)
        choices.warn()
        answer = session.ask(ANSWERS[shown], choice)
        with top:
            report.heading(answer.heading, answer.below)
        view.show(answer, "rankings")


def chosen(choices: link.Choices) -> tuple[question.Choice, str]:
    """The field, and whether one ranking, all first places or the titles are shown."""
    suites = session.ask(question.suites, session.SUBMITTER)
    suite = choices.among("suite", "Suite", list(suites), question.USUAL_SUITE, names=question.SUITES)
    rounds, usual = suites.get(suite, ([], ""))
    round_id = choices.one("round", "Round", rounds, usual, width=100)
    offered = session.ask(question.options, (suite, round_id))
    cells = question.scenarios(offered.get("benchmark", []))
    names = {ALL: "All benchmarks", **question.names(suite, cells)}
    benchmark = choices.one("benchmark", "Benchmark", [ALL, *cells], names=names, width=270)
    shown, scenario = "one", ""
    if benchmark == ALL:
        shown = choices.among("view", "View", list(VIEWS), names=VIEWS)
    else:
        scenario = choices.among("scenario", "Scenario", cells[benchmark])
    panel = st.popover("Field", key="rankings.field", on_change="rerun", width="content", icon=":material/tune:")
    with choices.within(panel):
        by = choices.one("by", "Rank by", list(question.BY), names=question.BY)
        division = choices.among("division", "Division", offered.get("division", []), "closed")
        availability = choices.among(
            "availability", "Availability", [*offered.get("availability", []), ANY], "available"
        )
        powers = question.powers(suite, offered.get("power", []), by)
        power = choices.among("power", "Power measured", powers, names=question.POWERS)
        chips = [ANY, *offered.get("accelerator", [])]
        accelerator = choices.one("accelerator", "Accelerator", chips, names=question.NO_CHIPS)
        count = choices.one("accelerator_count", "Accelerators", [ANY, *offered.get("accelerator_count", [])])
        holder = choices.among("holder", "Titles per", list(question.HOLDERS), names=question.HOLDERS)
    free = {ANY: "", ALL: ""}
    field = Field(
        suite, round_id, division, question.has_power(power), free.get(availability, availability),
        free.get(accelerator, accelerator), free.get(count, count), free.get(benchmark, benchmark),
    )  # fmt: skip
    choice = question.Choice(
        field, scenario or None, cast(By, by), cast(Holder, holder), session.SUBMITTER, session.THEME_COLOURS
    )
    return choice, shown


rankings()
