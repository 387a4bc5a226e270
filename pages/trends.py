"""Trends: the best and every result of families, servers, accelerators or submitters over the rounds."""

from collections.abc import Sequence
from dataclasses import replace

import streamlit as st

from mlperf.answers import trends as question
from mlperf.answers.rounds import KINDS
from mlperf.facts import facts
from ui import link, report, session, view

POWER = {link.OFF: "Without power", link.ON: "With measured power"}
ANY = "any"


@st.fragment
def trends() -> None:
    """The answer in a line, the controls, then the lines."""
    with report.faults():
        top, choices = st.container(), link.Choices("trends")
        with st.container(horizontal=True, vertical_alignment="bottom", gap="small", key="controls"):
            choice = chosen(choices)
        choices.warn()
        answer = session.ask(question.answer, choice)
        with top:
            report.heading(answer.heading, answer.below)
        view.show(answer, "trends")


def chosen(choices: link.Choices) -> question.Choice:
    """What the controls say: each offers what the ones before it leave."""
    kind = question.parsed_kind(choices.among("kind", "Suite", list(KINDS), names=KINDS))
    by = question.parsed_by(choices.one("by", "Lines", list(question.BY), names=question.BY, width=150))
    known = session.ask(question.fields, question.Asked(by, kind, session.SUBMITTER))
    names = question.benchmarks(known, kind)
    usual = question.usual_place(known)
    benchmark = choices.one("benchmark", "Benchmark", list(names), usual and usual[0], names=names, width=220)
    usual = question.usual_place(known, benchmark)
    scenarios = question.scenarios(known, benchmark)
    scenario = choices.one("scenario", "Scenario", scenarios, usual and usual[1], width=150) if scenarios else None
    place = more(choices, known, question.Choice(by, (), kind, benchmark, scenario, palette=session.THEME_COLOURS))
    options, asked = question.values(known, place)[: question.MOST_OPTIONS], link.query().get("value", [])
    options += sorted({field.value for field in known if field.value in asked} - set(options))
    usual_values = question.usual_values(known, place)
    # In a panel: a box full of names takes a third as long to redraw as an empty page.
    panel = st.popover(f"Choose {question.PLURALS[by]}", key=f"trends.value.{by}", on_change="rerun", width="content")
    with choices.within(panel):
        values = choices.several("value", question.BY[by], options, usual_values, most=question.MOST, width=400)
    return replace(place, values=values)


def more(choices: link.Choices, known: Sequence[question.Field], place: question.Choice) -> question.Choice:
    """The rest of the field, in a panel."""
    panel = st.popover("More", key="trends.more", on_change="rerun", width="content", icon=":material/tune:")
    with choices.within(panel):
        division = choices.one("division", "Division", list(facts().divisions))
        power = choices.one("power", "Power", list(POWER), names=POWER)
        place = replace(place, division=division, has_power=power == link.ON)
        counts = [ANY, *map(str, question.accelerator_counts(known, place))]
        count = choices.one("accelerator_count", "Accelerators in the system", counts)
        is_shared = choices.switch("each", "Per accelerator (derived)")
    return replace(place, accelerator_count=None if count == ANY else int(count), is_per_accelerator=is_shared)


trends()
