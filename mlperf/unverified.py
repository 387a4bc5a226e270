"""Results that no MLPerf review has verified, a reader's own: how they are told apart and marked beside published ones.

They are held against published results and never change them: counts, ranks, titles and defaults leave them out.

Source: mlcommons/policies MLPerf_Results_Messaging_Guidelines.adoc: unverified results must be identified as such
wherever they are used.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from mlperf.systems import SystemKey

Row = dict[str, Any]
"""A row of the results, None for what is missing."""

MARK: Final = "unverified"
VERIFIED: Final = "verified"
LEGEND: Final = "Hatched bars and open marks with a dot: unverified, not reviewed by MLCommons."
"""What the marks of a chart mean, on the page and in the picture."""
DOTTED: Final = "-open-dot"
"""Ends the names of Plotly's symbols that are open with a dot: no chart uses these for anything else."""


def is_unverified(row: Mapping[str, Any]) -> bool:
    """Whether a row of the results, or of an answer's data, is of an unverified one."""
    return row["verified"] is False


def parted(rows: Iterable[Row]) -> tuple[list[Row], list[Row]]:
    """The rows of published results, and those of unverified ones, each in their order."""
    published: list[Row] = []
    own: list[Row] = []
    for row in rows:
        (own if is_unverified(row) else published).append(row)
    return published, own


def marked(text: str, row: Mapping[str, Any]) -> str:
    """A name or a figure with ` (unverified)` behind it where its result is so."""
    return f"{text} ({MARK})" if is_unverified(row) else text


def state(row: Mapping[str, Any]) -> str | None:
    """`unverified` or `verified`; None where there is no result that could be so."""
    return MARK if is_unverified(row) else VERIFIED if row["verified"] else None


def names(named: Mapping[SystemKey, str], rows: Iterable[Mapping[str, Any]]) -> dict[SystemKey, str]:
    """The names of systems, those of unverified results marked; a system has results of one sort only."""
    own = {SystemKey.of(row) for row in rows if is_unverified(row)}
    return {key: f"{name} ({MARK})" if key in own else name for key, name in named.items()}


def legend(rows: Iterable[Mapping[str, Any]]) -> tuple[str, ...]:
    """The note that explains the marks of a chart; none where all its results are published."""
    return (LEGEND,) if any(map(is_unverified, rows)) else ()


def stated(rows: Sequence[Row], beside: str = "unit") -> list[Row]:
    """An answer's data with `verification` behind the column `beside`, where any of its rows is unverified.

    Data of published results only stay as they are: their columns are the same whoever asks.
    """
    if not any(map(is_unverified, rows)):
        return list(rows)
    return [_stated(row, beside) for row in rows]


def _stated(row: Row, beside: str) -> Row:
    found: Row = {}
    for name, value in row.items():
        found[name] = value
        if name == beside:
            found["verification"] = state(row)
    return found
