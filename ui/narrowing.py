"""Choosing a field of results step by step: each control offers what those before it leave."""

from collections.abc import Callable, Sequence
from typing import Final

from mlperf.answers.answer import Row
from mlperf.facts import facts
from ui.link import Choices

LABELS: Final = {
    "round": ("Round", 90),
    "suite": ("Suite", 220),
    "benchmark": ("Benchmark", 240),
    "scenario": ("Scenario", 140),
    "division": ("Division", 120),
    "availability": ("Availability", 130),
}
"""What the controls are headed, and their widths in pixels."""


class Narrowing:
    """Fields of results (rows of `queries.inference_fields`), fewer with each choice."""

    def __init__(self, choices: Choices, fields: Sequence[Row], usual: Callable[[Sequence[Row]], Row | None]) -> None:
        """`usual` names the field to begin with, also of what is left after a choice."""
        self._choices, self._fields, self._usual = choices, list(fields), usual

    def one(self, column: str) -> str:
        """The value of a column in the fields that are left; "" where none are."""
        names = _names(column)
        options = list(dict.fromkeys(row[column] or "" for row in self._fields))
        if column in ("benchmark", "scenario"):
            options.sort(key=lambda value: names.get(value, value))
        usual, (label, width) = self._usual(self._fields) or {}, LABELS[column]
        chosen = self._choices.one(
            column, label, options, usual.get(column), names=names | {"": "Not stated"}, width=width
        )
        self._fields = [row for row in self._fields if (row[column] or "") == chosen]
        return chosen

    def common(self, column: str) -> str:
        """The value that the fields that are left share; "" where they do not."""
        values = {row[column] for row in self._fields}
        return str(values.pop()) if len(values) == 1 else ""


def _names(column: str) -> dict[str, str]:
    """How a column's values are shown."""
    if column == "benchmark":
        return {known.id: known.full_name for known in facts().benchmarks if known.kind == "inference"}
    return {suite.id: suite.label for suite in facts().suite_facts} if column == "suite" else {}
