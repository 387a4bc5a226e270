"""Labels that somebody typed, held against the catalog before anything is read."""

import difflib
from collections.abc import Callable, Mapping
from typing import Final, get_args

from loaders.trees.protocol import Label
from loaders.unlabelled import option
from mlperf.errors import DashboardError
from mlperf.facts import facts
from mlperf.log_rules import log_rules
from mlperf.model import Kind

MOST: Final = 12
"""Accepted values that a message lists."""


def check(label: Label) -> None:
    """Raise `DashboardError` for the first label that the catalog does not know, with what is accepted."""
    for name, (is_known, accepted) in _CHECKS.items():
        text = getattr(label, name)
        if text and not is_known(text):
            values = accepted()
            near = difflib.get_close_matches(text.casefold(), values, n=3, cutoff=0.5)
            found = f"{text[:60]!r} is not known."
            fix = f"Did you mean {' or '.join(near)}?" if near else f"Accepted are {', '.join(values[:MOST])}."
            raise DashboardError(found, option(name), fix)


def _is_round(text: str) -> bool:
    return any(facts().round(kind, text) is not None for kind in get_args(Kind))


def _is_benchmark(text: str) -> bool:
    known = any(facts().benchmark(kind, text, None) is not None for kind in get_args(Kind))
    return known or log_rules().guess(None, text) is not None


def _are_system_types(text: str) -> bool:
    return all(facts().is_system_type(part) for part in text.split(","))


def _is_scenario(text: str) -> bool:
    return any(facts().scenario(text, kind) is not None for kind in get_args(Kind))


def _rounds() -> list[str]:
    return list(dict.fromkeys(round_.id for round_ in reversed(facts().rounds)))


_CHECKS: Final[Mapping[str, tuple[Callable[[str], bool], Callable[[], list[str]]]]] = {
    "round": (_is_round, _rounds),
    "division": (lambda text: facts().division(text) is not None, lambda: list(facts().divisions)),
    "benchmark": (_is_benchmark, lambda: list(dict.fromkeys(one.id for one in facts().benchmarks))),
    "scenario": (_is_scenario, lambda: list(facts().scenarios)),
    "suites": (_are_system_types, lambda: ["datacenter", "edge", "datacenter,edge"]),
}
