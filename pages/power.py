"""Power: performance per energy, from power that was measured in the very runs."""

from collections.abc import Callable, Mapping
from typing import Final

import streamlit as st

from mlperf.answers import energy, power, power_ranking, power_rounds
from mlperf.answers.answer import Answer
from mlperf.systems import SystemKey
from ui import link, pick, report, session, view
from ui.narrowing import Narrowing


@st.fragment
def show() -> None:
    """The answer in a line, the controls, then the chosen view."""
    with report.faults():
        top, choices = st.container(), link.Choices("power")
        with st.container(horizontal=True, vertical_alignment="bottom", gap="small", key="controls"):
            names, pairs = {name: label for name, (label, _) in VIEWS.items()}, _pairs()
            is_own = any(key.submitter == session.SUBMITTER for key, _ in pairs.values())
            chosen = choices.among("view", "View", list(VIEWS), "rounds" if is_own else "ranking", names=names)
            answer = VIEWS[chosen][1](choices)
        choices.warn()
        with top:
            report.heading(answer.heading, answer.below)
        view.show(answer, f"power.{chosen}")


def rounds(choices: link.Choices) -> Answer:
    """Two rounds of one system, or any two systems."""
    slot, pairs = st.container(width=430), _pairs()
    known = session.ask(power.known_systems, session.SUBMITTER)
    keys = pick.systems(choices, (), fewest=2, most=2, kinds=("inference",), label="Any two", only=known)
    if not keys and pairs:
        names = {text: f"{new.system} · {old.round} → {new.round}" for text, (old, new) in pairs.items()}
        with slot:
            keys = pairs[choices.one("pair", "A system in two rounds", list(pairs), names=names)]
    if len(keys) < 2:
        advice = "Choose two systems with measured power, or another view."
        return Answer("No two systems to compare", "", advice=advice)
    return session.ask(power_rounds.answer, power_rounds.Choice(keys[0], keys[1], session.THEME_COLOURS))


def systems(choices: link.Choices) -> Answer:
    """Chosen systems beside one another."""
    known = session.ask(power.known_systems, session.SUBMITTER)
    usual = session.ask(power.default_systems, session.SUBMITTER)
    keys = pick.systems(choices, usual, most=power.MOST, kinds=("inference",), only=known)
    unit = choices.among("per", "Unit", session.ask(power.units, keys))
    return session.ask(power.answer, power.Choice(keys, unit, session.THEME_COLOURS))


def ranking(choices: link.Choices) -> Answer:
    """Who is most efficient in a field of results."""
    field = Narrowing(choices, session.ask(power_ranking.fields, session.SUBMITTER), power_ranking.default_field)
    played, benchmark, scenario = field.one("round"), field.one("benchmark"), field.one("scenario")
    panel = st.popover("More", key="power.more", on_change="rerun", width="content", icon=":material/tune:")
    with choices.within(panel):
        suite, division, availability = field.one("suite"), field.one("division"), field.one("availability")
    choice = power_ranking.Choice(
        played, suite, benchmark, scenario, division, availability, session.THEME_COLOURS
    )  # fmt: skip
    return session.ask(power_ranking.answer, choice)


def training(choices: link.Choices) -> Answer:
    """Energy to train a benchmark."""
    names = session.ask(energy.benchmarks, session.SUBMITTER)
    benchmark = choices.one("training", "Benchmark", list(names), names=names, width=240)
    return session.ask(energy.answer, energy.Choice(benchmark, session.THEME_COLOURS))


def _pairs() -> dict[str, tuple[SystemKey, SystemKey]]:
    return session.ask(power_rounds.pairs, session.SUBMITTER)


VIEWS: Final[Mapping[str, tuple[str, Callable[[link.Choices], Answer]]]] = {
    "rounds": ("Between rounds", rounds),
    "systems": ("Systems", systems),
    "ranking": ("Most efficient", ranking),
    "training": ("Energy to train", training),
}
show()
