"""Rankings of results: who is first in a benchmark and scenario, which results are one run, what a title is.

Rows of one field in, rankings out; no query and no words for a reader. Unverified results have no rank: they are held
against the published ranking, which is the same without them.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Final, Literal, NamedTuple

from mlperf import compare, guard
from mlperf.answers.answer import Row
from mlperf.facts import facts
from mlperf.guard import Finding
from mlperf.metrics import METRIC_NAMES, Measure
from mlperf.model import Kind
from mlperf.systems import SystemKey
from mlperf.unverified import is_unverified, parted

By = Literal["result", "accelerator", "efficiency"]

OFFERED_RATES: Final = ("Server", "Interactive")
"""Scenarios whose rate the submitter sets beforehand: equal figures of two systems are no sign of one run.

Source: the logs at hand. Of 114 pairs of systems of a submitter with equal Server figures none is of one run, of 26
pairs with equal Offline figures all are (inference v0.7 to v2.0, v3.0 and v5.1).
"""
TELLING_DIGITS: Final = 5
"""Significant digits that an equal figure needs to be a sign of one run; some tables round to two decimals."""


class Entry(NamedTuple):
    """One run in a ranking, or an unverified one beside it."""

    place: int
    """Equal figures share a place; of an unverified run, the place that it would have among the published ones."""
    row: Row
    value: float
    """The figure that it was ranked by."""
    measure: Measure
    copies: tuple[Row, ...]
    """Other results of the very same run, not ranked again."""
    is_shared: bool

    @property
    def is_ranked(self) -> bool:
        """Whether it counts: an unverified one does not."""
        return not is_unverified(self.row)


@dataclass(frozen=True, eq=False)
class Ranking:
    """The runs of one benchmark and scenario, best first."""

    kind: Kind
    benchmark: str
    scenario: str | None
    entries: tuple[Entry, ...]
    left_out: int
    """Results without the figure that is ranked by."""
    beside: tuple[Entry, ...] = ()
    """Unverified results, best first: no part of ranks, leads and titles."""

    @cached_property
    def title(self) -> str:
        """`ResNet-50 v1.5 · Server`; in training the benchmark alone."""
        known = facts().benchmark(self.kind, self.benchmark, None)
        return " · ".join(filter(None, [known.full_name if known else self.benchmark, self.scenario]))

    @cached_property
    def standing(self) -> tuple[Entry, ...]:
        """All at their places: unverified ones behind the published ones that are as good."""
        every = [*self.entries, *self.beside]
        return tuple(sorted(every, key=lambda entry: (entry.measure.order(entry.value), not entry.is_ranked)))

    @property
    def firsts(self) -> tuple[Entry, ...]:
        """The first, or those who share the first place."""
        return tuple(entry for entry in self.entries if entry.place == 1)

    @property
    def runner_up(self) -> Entry | None:
        """Who comes after the first: the other one where two share the place; None where there is one run only."""
        return self.entries[1] if len(self.entries) > 1 else None

    @cached_property
    def findings(self) -> tuple[Finding, ...]:
        """What the guard says of the first beside the runner-up."""
        return guard.findings([entry.row for entry in self.entries[:2]])

    @property
    def lead(self) -> float | None:
        """By how much the first leads, 0.05 for 5 %; None where there is no runner-up or the rules forbid a ratio."""
        if self.runner_up is None or any(found.is_refused for found in self.findings):
            return None
        first = self.entries[0]
        return compare.lead(first.value, self.runner_up.value, first.measure.better or "higher")


class Title(NamedTuple):
    """A first place. The same run may be first under two accuracies: it is one title."""

    ranking: Ranking
    entry: Entry
    earlier: Ranking | None
    """The ranking in which the very same run is first already."""


def rankings(rows: Sequence[Row], by: By) -> list[Ranking]:
    """A ranking per benchmark and scenario of a field."""
    cells: dict[tuple[Kind, str, str | None], list[Row]] = {}
    for row in rows:
        kind = facts().kind(row["suite"])
        cells.setdefault((kind, row["benchmark"], row["scenario"]), []).append(row)
    found = [_ranked(cell, listed, by) for cell, listed in cells.items()]
    return sorted(found, key=lambda ranking: (ranking.title, ranking.benchmark))


def _ranked(cell: tuple[Kind, str, str | None], rows: Sequence[Row], by: By) -> Ranking:
    published, own = parted(rows)
    ranking = _of_published(cell, published, by)
    return replace(ranking, beside=_beside(own, ranking.entries, by))


def _beside(rows: Sequence[Row], entries: Sequence[Entry], by: By) -> tuple[Entry, ...]:
    """Unverified results at the places that they would have; those without the figure are left away."""
    found = []
    for row in rows:
        value, measure = figure(row, by)
        if value is not None and all(entry.measure.unit == measure.unit for entry in entries[:1]):
            better = sum(measure.order(entry.value) < measure.order(value) for entry in entries)
            found.append(Entry(better + 1, row, value, measure, (), any(entry.value == value for entry in entries)))
    return tuple(sorted(found, key=lambda entry: (entry.place, entry.measure.order(entry.value), *_name(entry.row))))


def _name(row: Row) -> tuple[str, ...]:
    return *entrant(row), row["result_id"]


def _of_published(cell: tuple[Kind, str, str | None], rows: Sequence[Row], by: By) -> Ranking:
    marked = [(value, measure, row) for row in rows for value, measure in [figure(row, by)] if value is not None]
    marked.sort(key=lambda mark: (mark[1].order(mark[0]), *entrant(mark[2]), mark[2]["result_id"]))
    runs = _runs([(value, row) for value, _, row in marked], cell[0])
    better = marked[0][1].better or "higher" if marked else "higher"
    kept = [mark for mark in marked if mark[2]["result_id"] in runs]
    places = compare.places([value for value, _, _ in kept], better)
    sharing = Counter(places)
    entries = tuple(
        Entry(place, row, value, measure, runs[row["result_id"]], sharing[place] > 1)
        for place, (value, measure, row) in zip(places, kept, strict=True)
    )
    return Ranking(*cell, entries, len(rows) - len(marked))


def figure(row: Row, by: By) -> tuple[float | None, Measure]:
    """What a result is ranked by, and what that measures; None where it has no such figure."""
    label = METRIC_NAMES.get(row["metric"], row["metric"])
    if by == "accelerator":
        value = compare.per_accelerator(
            row["metric"], row["value"], row["accelerator_count"], len(row["accelerators"] or [])
        )
        unit = compare.per_accelerator_unit(row["metric"], row["unit"])
        return value, Measure(label, unit, row["better"], is_derived=True)
    if by == "efficiency":
        return row["efficiency"], Measure("Efficiency", row["efficiency_unit"] or "", "higher", is_derived=True)
    return row["value"], Measure(label, row["unit"], row["better"])


def _runs(marked: Sequence[tuple[float, Row]], kind: Kind) -> dict[str, tuple[Row, ...]]:
    """The runs of one ranking by the result that stands for each, the best; with the other results of the same run."""
    found: dict[str, tuple[Row, ...]] = {}
    standing: dict[object, list[Row]] = {}
    for _, row in marked:
        keys = [row["same_runs"], (row["submitter"], row["value"])]
        alike = [other for key in keys if key is not None for other in standing.get(key, [])]
        twin = next((other for other in alike if is_same_run(row, other, kind)), None)
        if twin is not None:
            found[twin["result_id"]] += (row,)
            continue
        found[row["result_id"]] = ()
        for key in keys:
            standing.setdefault(key, []).append(row)
    return found


def is_same_run(one: Row, other: Row, kind: Kind) -> bool:
    """Whether two results of one benchmark and scenario are of the very same run.

    The logs tell where there are any. Else, in the closed division of inference, an equal figure with enough digits of
    one submitter that was measured, and with the same power: the open division has thousands of small systems of one
    submitter, among which figures are equal by chance.
    """
    if one["same_runs"] and other["same_runs"]:
        return bool(one["same_runs"] == other["same_runs"])
    is_measured = one["metric"] != "streams" and one["scenario"] not in OFFERED_RATES
    is_telling = kind == "inference" and is_measured and _digits(one["value"]) >= TELLING_DIGITS
    is_closed = one["division"] == other["division"] == "closed"
    return is_telling and is_closed and all(one[name] == other[name] for name in ("submitter", "value", "power_value"))


def is_same_run_at_other_accuracy(one: Row, other: Row) -> bool:
    """Whether results of one system in two accuracies of a benchmark are of the very same run.

    The logs tell where there are any; else an equal figure: of over 500 such pairs with logs, 99 % are one run.
    """
    if one["same_runs"] and other["same_runs"]:
        return bool(one["same_runs"] == other["same_runs"])
    names = ("division", "has_power", "scenario", "value", "power_value")
    return SystemKey.of(one) == SystemKey.of(other) and all(one[name] == other[name] for name in names)


def titles(found: Sequence[Ranking]) -> list[Title]:
    """Every first place, in the order of the rankings; `earlier` where the same run was first in another one before."""
    listed: list[Title] = []
    for ranking in found:
        for entry in ranking.firsts:
            same = [
                title.ranking
                for title in listed
                if title.earlier is None
                and _base(title.ranking) == _base(ranking)
                and is_same_run_at_other_accuracy(title.entry.row, entry.row)
            ]
            listed.append(Title(ranking, entry, same[0] if same else None))
    return listed


def _base(ranking: Ranking) -> tuple[str, str | None]:
    """Equal for the accuracies of one benchmark in one scenario."""
    known = facts().benchmark(ranking.kind, ranking.benchmark, None)
    return guard.TIER.sub("", known.full_name if known else ranking.benchmark), ranking.scenario


def _digits(value: float) -> int:
    """Significant digits of the shortest text of a number: 3 for `54.6`, 3 for `54600`."""
    return len(f"{value!r}".partition("e")[0].replace(".", "").strip("0-"))


def system_of(row: Row) -> str:
    """The system's ID, or its name where the source gives no ID."""
    return str(row["system_id"] or row["system_name"] or "unnamed system")


def entrant(row: Row) -> tuple[str, str]:
    """Submitter and system."""
    return row["submitter"], system_of(row)
