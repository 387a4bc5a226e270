"""Finding systems among thousands: a search of few matches in place of a list that no browser should be sent."""

from collections.abc import Collection, Sequence

import streamlit as st

from mlperf.model import Kind
from mlperf.systems import SystemKey
from ui import session
from ui.link import Choices

MOST_MATCHES = 40


def systems(
    choices: Choices, default: Sequence[SystemKey], *, fewest: int = 1, most: int = 8, kinds: tuple[Kind, ...] = (),
    label: str = "Systems", only: Collection[str] | None = None,
) -> tuple[SystemKey, ...]:  # fmt: skip
    """The systems that the link names, `default` for none; found by words of ID, submitter, round and accelerator.

    `kinds` narrows them to some kinds; empty means all. The panel is built only while it is open; where `only` is
    given it offers those alone.
    """
    known = session.systems(*kinds)
    asked = choices.values("system", known.__contains__, most)
    chosen = [known[text].key for text in asked] or [key for key in default if key.text in known]
    panel = st.popover(
        label, key=f"{st.session_state['page']}.systems", on_change="rerun", width="content", icon=":material/dns:"
    )
    if panel.open:
        with panel:
            _panel(choices, chosen, fewest, most, kinds, only)
    return tuple(chosen)


def _panel(
    choices: Choices, chosen: Sequence[SystemKey], fewest: int, most: int, kinds: tuple[Kind, ...],
    only: Collection[str] | None,
) -> None:  # fmt: skip
    known = session.systems(*kinds)
    words = st.text_input(
        "Search", key="pick.search", placeholder="Words in system ID, submitter, round, accelerator: dell v3.1 xr7620"
    )
    found = [match for match in session.find_systems(words or "", *kinds) if only is None or match.key.text in only]
    texts = [key.text for key in chosen]
    options = [*texts, *(match.key.text for match in found[:MOST_MATCHES] if match.key.text not in texts)]
    key = "pick.systems"
    st.session_state[key] = texts
    st.multiselect(
        f"{fewest} to {most} systems" if most > fewest else f"{most} systems" if most > 1 else "System",
        options,
        key=key,
        format_func=lambda text: known[text].key.label,
        max_selections=most if most > 1 else None,
        on_change=_choose,
        args=(choices, most, texts),
    )
    more = len(found) - MOST_MATCHES
    st.caption(f"{len(found):,} systems match{f'; the first {MOST_MATCHES} are offered' if more > 0 else ''}.")


def _choose(choices: Choices, most: int, before: Sequence[str]) -> None:
    picked = st.session_state["pick.systems"]
    if most == 1:
        picked = [text for text in picked if text not in before][-1:] or picked[-1:]
    choices.set("system", picked)
