"""Scaling: training on more and more nodes: minutes, speed-up, efficiency, and when it converged."""

from dataclasses import replace
from typing import cast

import streamlit as st

from mlperf.answers import scaling as question
from ui import link, report, session, view

VIEWS = {"minutes": "Minutes", "speedup": "Speed-up", "efficiency": "Efficiency"}
ACROSS = {"nodes": "Nodes", "accelerators": "Accelerators"}
BEST = ""
BEST_NAME = "The one with most numbers of nodes"


@st.fragment
def scaling() -> None:
    """The answer in a line, the controls, then the chart."""
    with report.faults():
        top, choices = st.container(), link.Choices("scaling")
        with st.container(horizontal=True, vertical_alignment="bottom", gap="small", key="controls"):
            choice = chosen(choices)
        choices.warn()
        answer = session.ask(question.answer, choice)
        with top:
            report.heading(answer.heading, answer.below)
        view.show(answer, "scaling")


def chosen(choices: link.Choices) -> question.Choice:
    """The controls and what they say; which configuration and what the axis counts are behind More."""
    known = session.ask(question.known, None)
    submitter = choices.one("submitter", "Submitter", question.submitters(known), session.SUBMITTER, width=125)
    machines = question.of_machines(known, submitter)
    asked = [one for one in link.query().get("round", []) if question.of_machines(known, submitter, one)]
    usual = next(iter(question.of_machines(known, submitter, *asked[:1])), None)
    machine = choices.one("server", "Server or accelerator", list(machines), usual, width=165)
    rounds = question.rounds(machines.get(machine, ()))
    round_id = choices.one("round", "Round", rounds, next(iter(rounds), None), width=90)
    here = [one for one in machines.get(machine, ()) if one.round == round_id]
    scaled = question.benchmarks(here)
    names = {one: question.title(one) for one in scaled}
    benchmarks = choices.several(
        "benchmark", "Benchmarks", list(scaled), list(scaled)[:1], most=question.MOST, names=names, width=250
    )
    shown = choices.among("view", "View", list(VIEWS), names=VIEWS)
    panel = st.popover("More", key="scaling.more", on_change="rerun", width="content", icon=":material/tune:")
    with choices.within(panel):
        sizes = {one.name: f"{one.name} · {', '.join(map(str, one.node_counts()))} nodes" for one in here}
        family = choices.one("configuration", "Configuration", [BEST, *sizes], names={BEST: BEST_NAME, **sizes})
        across = choices.among("across", "Over the number of", list(ACROSS), names=ACROSS)
        choice = question.Choice(
            submitter, round_id, machine, benchmarks, family, cast(question.View, shown), cast(question.Across, across),
            palette=session.THEME_COLOURS,
        )  # fmt: skip
        swap = swapped(choices, choice)
    return replace(choice, swap=swap)


def swapped(choices: link.Choices, choice: question.Choice) -> tuple[str, ...]:
    """Which unverified results stand in for published ones; the control appears only where any fits."""
    fitting = session.ask(question.swaps, choice)
    if not fitting:
        return tuple(choices.values("swap", fitting.__contains__, 0))
    return choices.several(
        "swap", "Unverified in place of published", list(fitting), names=fitting, width=420, placeholder="None"
    )


scaling()
