"""Runs: what is behind a score of training or HPC, run by run; two systems side by side."""

import streamlit as st

from mlperf.answers import runs as question
from mlperf.model import OF_RUNS
from ui import link, pick, report, session, view

VIEWS = {"minutes": "Minutes", "spread": "Over the mean"}


@st.fragment
def runs() -> None:
    """The answer in a line, the controls, then every run."""
    with report.faults():
        top, choices = st.container(), link.Choices("runs")
        with st.container(horizontal=True, vertical_alignment="bottom", gap="small", key="controls"):
            usual = session.ask(question.default_system, session.SUBMITTER)
            systems = pick.systems(choices, usual, most=question.MOST, kinds=OF_RUNS)
            names = session.ask(question.benchmarks, systems)
            benchmark = choices.one("benchmark", "Benchmark", list(names), names=names, width=260)
            scenarios = session.ask(question.scenarios, (systems, benchmark))
            scenario = choices.among("scenario", "Scenario", scenarios) if scenarios else None
            shown = choices.among("view", "View", list(VIEWS), names=VIEWS)
        choices.warn()
        choice = question.Choice(systems, benchmark, scenario, shown == "spread", session.THEME_COLOURS)
        answer = session.ask(question.answer, choice)
        with top:
            report.heading(answer.heading, answer.below)
        view.show(answer, "runs")


runs()
