"""Choices whose state is the link: every run reads it, every change writes it. What is not in the link is the default.

Streamlit can bind a widget to the link by itself, but drops what it does not know without a word.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final

import streamlit as st
from streamlit.elements.lib.mutable_popover_container import PopoverContainer

from ui import report

_PAGE: Final = "page"
_ARRIVED: Final = "page.arrived"
_MEMORY: Final = "page.links"
LARGEST: Final = 1e15
"""Numbers from here on are no choice."""
ON: Final = "yes"
OFF: Final = "no"
OWN: Final = "own"
"""The parameter of the switch that all pages share: whether own results are shown beside the published ones."""


def arrive(page: str) -> None:
    """Note which page this run shows, so that a page knows whether the reader just came from another one."""
    previous = st.session_state.get(_PAGE)
    st.session_state[_PAGE] = page
    st.session_state[_ARRIVED] = previous is not None and previous != page


def recall() -> None:
    """Give a page that the reader comes back to the link that it had; remember the one it has now."""
    page, links = st.session_state.get(_PAGE, ""), st.session_state.setdefault(_MEMORY, {})
    if st.session_state.get(_ARRIVED) and not query() and links.get(page):
        put(links[page])
    st.session_state[_ARRIVED] = False
    links[page] = query()


def query() -> dict[str, list[str]]:
    """The page's parameters of the link."""
    return {name: st.query_params.get_all(name) for name in st.query_params if name != OWN}


def put(parameters: Mapping[str, Sequence[str]]) -> None:
    """Make these the page's parameters of the link."""
    shared = {OWN: st.query_params.get_all(OWN)} if OWN in st.query_params else {}
    st.query_params.from_dict({**{name: list(values) for name, values in parameters.items()}, **shared})


class Choices:
    """The controls of one page, in the order in which they are asked.

    A value of the link that is not to be had is named in a warning and left out; one that another choice made
    impossible is left out without a word.
    """

    def __init__(self, page: str) -> None:
        recall()
        self._page = page
        self._known: set[str] = set()
        self._unknown: list[str] = []
        self._wrong: list[str] = []
        self._is_drawing = True
        self._was_changed = bool(st.session_state.pop(f"{page}.changed", False))

    @contextmanager
    def within(self, panel: PopoverContainer) -> Iterator[None]:
        """Controls inside a popover with `on_change="rerun"`: read always, drawn only while it is open."""
        self._is_drawing = bool(panel.open)
        try:
            with panel:
                yield
        finally:
            self._is_drawing = True

    def one(
        self, name: str, label: str, options: Sequence[str], default: str | None = None, *,
        names: Mapping[str, str] | None = None, **settings: Any,
    ) -> str:  # fmt: skip
        """One of the options: `default`, else the first, where the link says nothing; "" for no options."""
        if not options:
            return ""
        usual = default if default is not None and default in options else options[0]
        asked = self._asked(name, options)
        chosen = asked[0] if asked else usual
        key = self._hold(name, chosen)
        if self._is_drawing:
            st.selectbox(
                label, options, key=key, format_func=_named(names), on_change=self._put, args=(name, usual), **settings
            )
        return chosen

    def among(
        self, name: str, label: str, options: Sequence[str], default: str | None = None, *,
        names: Mapping[str, str] | None = None,
    ) -> str:  # fmt: skip
        """One of a few options that are all on view."""
        if not options:
            return ""
        usual = default if default is not None and default in options else options[0]
        asked = self._asked(name, options)
        chosen = asked[0] if asked else usual
        key = self._hold(name, chosen)
        if self._is_drawing:
            st.segmented_control(
                label, options, key=key, format_func=_named(names), required=True, on_change=self._put,
                args=(name, usual), wrap=True,
            )  # fmt: skip
        return chosen

    def several(
        self, name: str, label: str, options: Sequence[str], default: Sequence[str] = (), *,
        most: int | None = None, names: Mapping[str, str] | None = None, **settings: Any,
    ) -> tuple[str, ...]:  # fmt: skip
        """Any of the options, in the order chosen; `default` where the link says nothing."""
        usual = [value for value in default if value in options]
        chosen = self._asked(name, options, most) or usual
        key = self._hold(name, chosen)
        if self._is_drawing:
            st.multiselect(
                label, options, key=key, format_func=_named(names), max_selections=most, on_change=self._put,
                args=(name, usual), **settings,
            )  # fmt: skip
        return tuple(chosen)

    def switch(self, name: str, label: str, default: bool = False, **settings: Any) -> bool:
        """Yes or no."""
        asked = self._asked(name, (ON, OFF))
        chosen = asked[0] == ON if asked else default
        key = self._hold(name, chosen)
        if self._is_drawing:
            st.toggle(label, key=key, on_change=self._put, args=(name, default), **settings)
        return chosen

    def number(self, name: str, label: str, default: float, **settings: Any) -> float:
        """A number that the reader types, over zero."""
        asked, chosen = st.query_params.get(name), default
        self._known.add(name)
        if asked is not None:
            try:
                chosen = float(asked)
            except ValueError:
                chosen = 0.0
            if not 0 < chosen < LARGEST:
                self._wrong.append(f'"{asked}" for {name}: type a number over zero and under {LARGEST:.0e}.')
                chosen = default
        key = self._hold(name, chosen)
        if self._is_drawing:
            st.number_input(label, key=key, on_change=self._put, args=(name, default), **settings)
        return chosen

    def values(self, name: str, is_known: Callable[[str], bool], most: int) -> list[str]:
        """The values of a parameter whose control is drawn elsewhere, at most so many; the unknown are warned of."""
        self._known.add(name)
        asked = list(dict.fromkeys(st.query_params.get_all(name)))
        self._unknown += [f'There is no {name} "{value}" here.' for value in asked if not is_known(value)]
        known = [value for value in asked if is_known(value)]
        self._unknown += [f"At most {most} of {name}: {len(known) - most} left out."] if len(known) > most else []
        if self._was_changed and len(known) < len(asked):
            _write(name, known)  # another choice made them impossible: the link shall not name them on
        return known[:most]

    def set(self, name: str, values: Sequence[str]) -> None:
        """Write a parameter into the link; none for no values. For callbacks of controls drawn elsewhere."""
        st.session_state[f"{self._page}.changed"] = True
        _write(name, values)

    def warn(self) -> None:
        """Say what the link names in vain; after the last control. Right after a change it is put right in silence."""
        report.warnings("A number that cannot be used was left out:", self._wrong)
        self._unknown += [f'There is no choice "{name}" here.' for name in query() if name not in self._known]
        if self._was_changed:
            for name in [name for name in query() if name not in self._known]:
                del st.query_params[name]
        else:
            report.warnings("Parts of this link mean nothing here and were left out:", self._unknown)

    def _asked(self, name: str, options: Sequence[str], most: int | None = None) -> list[str]:
        return self.values(name, set(options).__contains__, most or len(options) or 1)

    def _hold(self, name: str, chosen: Any) -> str:
        """The widget shows what the link says, in every run: the browser tells choices by labels, which may change."""
        self._known.add(name)
        key = f"{self._page}.{name}"
        st.session_state[key] = list(chosen) if isinstance(chosen, (list, tuple)) else chosen
        return key

    def _put(self, name: str, usual: Any) -> None:
        """A control was changed: into the link, unless it is back at the default."""
        value = st.session_state[f"{self._page}.{name}"]
        if value == usual or value is None:
            self.set(name, ())
        elif isinstance(value, bool):
            self.set(name, [ON if value else OFF])
        else:
            self.set(
                name, value if isinstance(value, list) else [f"{value:.12g}" if isinstance(value, float) else value]
            )


def _write(name: str, values: Sequence[str]) -> None:
    if values:
        st.query_params[name] = list(values)
    elif name in st.query_params:
        del st.query_params[name]


def _named(names: Mapping[str, str] | None) -> Callable[[str], str]:
    return (lambda value: names.get(value, value)) if names else str
