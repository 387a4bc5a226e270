"""The filters on the screen. Their state is the link: every run reads it, every change writes it."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Final

import streamlit as st

from mlperf.filters import BOOLEAN_COLUMNS, INTEGER_COLUMNS, Filters, Value, as_text, benchmark_name
from ui import link, report, session

LABELS: Final[Mapping[str, str]] = {
    "suite": "Suite",
    "round": "Round",
    "benchmark": "Benchmark",
    "scenario": "Scenario",
    "submitter": "Submitter",
    "server_family": "Server family",
    "system_id": "System ID",
    "accelerator": "Accelerator",
    "accelerator_count": "Accelerators in the system",
    "division": "Division",
    "availability": "Availability",
    "has_power": "Power",
}
ON_VIEW: Final = ("suite", "round", "benchmark", "scenario", "submitter")
MORE: Final = tuple(column for column in LABELS if column not in ON_VIEW)
MORE_TITLE: Final = "More"
LONGEST_CHOICE: Final = 24
"""Letters that the button of a filter shows of what is chosen."""

SUITES: Final[Mapping[str, str]] = {
    "inference-datacenter": "Datacenter",
    "inference-edge": "Edge",
    "inference": "Inference v0.5",
    "training": "Training",
    "hpc": "HPC",
}
POWER: Final[Mapping[Value, str]] = {True: "with power", False: "without power", None: "not stated"}

SHOW, ALL = "show", "all"
"""`?show=all` is the link of no filters at all; an empty link is the landing page."""
_OPEN: Final = "open"
"""Which filter is open: a column of `ON_VIEW`, or `MORE_TITLE`."""


def current() -> Filters:
    """The filters of the link, with a warning for what it names that is not there."""
    link.recall()
    filters, warnings = _linked()
    report.warnings("Parts of this link mean nothing here and were left out:", warnings)
    return filters


def controls(filters: Filters) -> None:
    """A button per filter on view, one for the rest, and a way to clear them all; below them the filter that is open.

    Only that one is built: a change redraws all that is built, and each box costs as much as a tenth of an empty page.
    """
    facets = session.facets(filters)
    titles = {column: _title(column, filters) for column in ON_VIEW} | {MORE_TITLE: MORE_TITLE}
    # In every run, as in `_control`: the browser tells a button by its label, and those hold what is chosen.
    st.session_state[_OPEN] = st.session_state.get(_OPEN)
    with st.container(horizontal=True, gap="xsmall", key="controls"):
        opened = st.pills(
            "Filters", titles, key=_OPEN, format_func=titles.__getitem__, label_visibility="collapsed", wrap=True
        )
        st.button("Clear", key="clear", on_click=_show, args=(Filters(),), disabled=filters.is_empty, type="tertiary")
    if opened == MORE_TITLE:
        _more(filters, facets)
    elif opened:
        _control(opened, filters, facets.get(opened, {}))


def loosen(filters: Filters) -> None:
    """What to do when nothing matches: which single filter to drop, and how many results that gives."""
    counts = session.loosenings(filters)
    st.info(
        "No result matches all of these filters. Dropping one of them helps:"
        if counts
        else "No result matches these filters, and dropping a single one does not help. Clear them and start anew."
    )
    with st.container(horizontal=True):
        for column, count in list(counts.items())[:5]:
            name = LABELS.get(column, column.replace("_", " ").capitalize())
            st.button(f"Drop {name} · {count:,}", key=f"drop.{column}", on_click=_drop, args=(column,))
        st.button("Clear all", key="clear.all", on_click=_show, args=(Filters(),))


def _title(column: str, filters: Filters) -> str:
    """What the button of a filter says: its name, and what is chosen where that is short."""
    chosen = filters.chosen(column)
    names = ", ".join(_names(column, chosen).values())
    shown = names if len(names) <= LONGEST_CHOICE else f"{len(chosen)} chosen"
    return f"{LABELS[column]} {report.verbatim(shown)}" if chosen else LABELS[column]


def _more(filters: Filters, facets: Mapping[str, Mapping[Value, int]]) -> None:
    """The search and the filters behind More."""
    st.session_state["filter.search"] = filters.search
    st.text_input(
        "Search",
        key="filter.search",
        placeholder="Words in system, submitter, accelerator, benchmark, processor",
        on_change=_search,
    )
    grid = st.grid(len(MORE), min_column_width=220, gap="xsmall", key="more")
    for column in MORE:
        with grid.cell():
            _control(column, filters, facets.get(column, {}))


def _control(column: str, filters: Filters, counts: Mapping[Value, int]) -> None:
    """One filter: the values that leave results, with their numbers, and those that are chosen."""
    chosen = filters.chosen(column)
    options = sorted({*counts, *chosen}, key=lambda value: _order(column, value))
    names = {value: f"{name} · {counts.get(value, 0):,}" for value, name in _names(column, options).items()}
    key = f"filter.{column}"
    # In every run, also when nothing changed: the browser tells choices by their labels, and those hold numbers that
    # change. A browser that was not told the new labels would send the old ones, which mean nothing any more.
    st.session_state[key] = list(chosen)
    st.multiselect(
        LABELS[column],
        options,
        key=key,
        format_func=names.__getitem__,
        placeholder=f"All · {len(counts):,}",
        wrap=False,
        on_change=_choose,
        args=(column,),
    )


def _choose(column: str) -> None:
    """A filter was changed. The others are read from the link: another change of this moment may have moved it."""
    _show(_linked()[0].choose(column, st.session_state[f"filter.{column}"]))


def _search() -> None:
    _show(replace(_linked()[0], search=st.session_state["filter.search"]))


def _drop(column: str) -> None:
    filters = _linked()[0]
    _show(replace(filters, search="") if column == "search" else filters.choose(column, ()))


def _linked() -> tuple[Filters, list[str]]:
    """The filters that the link means, those of the landing page for an empty one, and what it names in vain."""
    query = link.query()
    if not query:
        return session.landing(), []
    asked, warnings = Filters.from_query({name: texts for name, texts in query.items() if name != SHOW})
    filters, unknown = _known(asked)
    return filters, [*warnings, *unknown]


def _show(filters: Filters) -> None:
    """Go to the link of these filters."""
    link.put({SHOW: [ALL]} if filters.is_empty else filters.to_query())


def _known(asked: Filters) -> tuple[Filters, list[str]]:
    """The filters without values that occur nowhere, and a warning for each of those."""
    unknown = []
    filters = asked
    for column, known in session.known_values().items():
        chosen = asked.chosen(column)
        if missing := [value for value in chosen if value not in known]:
            filters = filters.choose(column, [value for value in chosen if value in known])
            unknown += [f'No result has {column} "{as_text(value)}".' for value in missing]
    return filters, unknown


def _order(column: str, value: Value) -> tuple[object, ...]:
    """Newest rounds first, suites as in the catalog, numbers by size, all else by alphabet; empty cells last."""
    if value is None or value == "":
        return (1,)
    if column == "round":
        numbers = [int(part) for part in str(value).lstrip("v").split(".") if part.isdecimal()]
        return 0, [-number for number in numbers], value
    if column == "suite":
        return 0, list(SUITES).index(str(value)) if value in SUITES else len(SUITES), value
    if column in BOOLEAN_COLUMNS:
        return 0, not value
    return (0, value) if column in INTEGER_COLUMNS else (0, str(value).casefold(), value)


def _names(column: str, values: Iterable[Value]) -> dict[Value, str]:
    """How the values are called on the screen; two that would have one name keep their own."""
    names = {value: _name(column, value) for value in values}
    called = list(names.values())
    return {value: name if called.count(name) == 1 else f"{name} ({value})" for value, name in names.items()}


def _name(column: str, value: Value) -> str:
    if column == "has_power":
        return POWER.get(value, as_text(value))
    text = as_text(value)
    if not text:
        return "none"
    if column == "suite":
        return SUITES.get(text, text)
    if column == "benchmark":
        return benchmark_name(text)
    return text
