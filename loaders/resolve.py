"""Many sightings of one figure become one result: who wins, what is filled in, and where sources differ.

Pure: sightings in, results and problems out, the same whatever the order of loading.
"""

import hashlib
import math
from bisect import bisect
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache, cached_property, lru_cache
from operator import attrgetter
from typing import Any, Final, NamedTuple
from urllib.parse import quote

from mlperf.errors import Problem, Where
from mlperf.facts import facts
from mlperf.model import SECOND_MEASURES, Kind, Sighting

TOLERANCE: Final = 1e-3
"""Sources that differ by more than this share are reported: 0.1 %."""

MLCOMMONS: Final = "mlcommons"
"""The origin of results that MLCommons published."""


class Seen(NamedTuple):
    """A sighting with the source it was seen in."""

    sighting: Sighting
    sighting_id: str
    source: str
    source_path: str
    format: str
    rank: int
    origin: str

    @property
    def is_computed(self) -> bool:
        """Whether we computed the figure from logs; else a table states it."""
        return self.sighting.basis == "computed"

    @property
    def order(self) -> tuple[bool, int, str, str, int, str]:
        """Most trusted first, tables before logs; the rest makes the order total, also of two files of one name."""
        line = self.sighting.where.line or 0
        return self.is_computed, self.rank, self.source, self.source_path, line, self.sighting_id

    @property
    def where(self) -> Where:
        """The place in its source."""
        return Where(self.source_path, self.sighting.where.line)

    def problem(self, kind: str, found: str, fix: str) -> "Between":
        """A fault of this sighting that shows beside others."""
        return Between(self.source, Problem(self.where, kind, found, fix))


@dataclass(frozen=True)
class Between:
    """A fault between sources, and the source whose figure is at fault."""

    source: str
    problem: Problem


class Result(NamedTuple):
    """One result in one suite, with everything that was seen of it, most trusted first."""

    result_id: str
    seen: tuple[Seen, ...]
    lead: Seen
    """The sighting that gives the value."""

    @classmethod
    def of(cls, result_id: str, seen: Sequence[Seen]) -> "Result":
        """A result of which some sighting gives a value, the most trusted first."""
        return cls(result_id, tuple(seen), next(item for item in seen if item.sighting.value is not None))

    def _others(self) -> Iterator[Sighting]:
        return (item.sighting for item in self.seen if item is not self.lead)

    def known(self, fields: tuple[str, ...]) -> tuple[Any, ...]:
        """What the most trusted source that says anything says of each field; the lead is asked first."""
        ask = _ask(fields)
        told = ask(self.lead.sighting)
        for other in self._others():
            if None in told:
                told = filled(told, ask(other))
        return told

    @property
    def power(self) -> tuple[float, str] | None:
        """Measured power or energy and its unit."""
        for sighting in (self.lead.sighting, *self._others()):
            if sighting.power_value is not None and sighting.power_unit is not None:
                return sighting.power_value, sighting.power_unit
        return None

    @property
    def second(self) -> tuple[float | None, ...]:
        """The second measures, all from one log: the most trusted whose score is the result's, so of the same run."""
        for item in (self.lead, *(item for item in self.seen if item is not self.lead)):
            measures: tuple[float | None, ...] = _ask(SECOND_MEASURES)(item.sighting)
            if any(value is not None for value in measures) and _agrees(item, self.lead):
                return measures
        return (None,) * len(SECOND_MEASURES)

    @property
    def folder(self) -> str | None:
        """Where its logs lie; tables spell the submitter's folder otherwise."""
        told = (item.sighting.location for item in self.seen if item.is_computed)
        return next((location for location in told if location), None)

    @property
    def has_power(self) -> bool:
        """Whether any table lists it as a power result."""
        return any(item.sighting.has_power for item in self.seen)


@cache
def _ask(fields: tuple[str, ...]) -> Callable[[Sighting], tuple[Any, ...]]:
    return attrgetter(*fields)


def filled(told: tuple[Any, ...], others: tuple[Any, ...]) -> tuple[Any, ...]:
    """What was told of some fields, and where nothing was, what others tell of them."""
    return tuple(other if one is None else one for one, other in zip(told, others, strict=True))


Key = tuple[str, ...]

OWN_SYSTEM: Final = "\x1e"
"""Before what stands for the ID of a system that no table identifies."""


def resolve(seen: Iterable[Seen]) -> tuple[list[Result], list[Between], dict[str, str]]:
    """Results, faults between sources, and the result that each sighting belongs to (sighting id → result id).

    A system that a table names only for display is looked up among those of that name which other tables identify;
    what cannot be matched forms a system of its own. Public IDs name different systems in different tables of one
    round (5.1-0087 … 0089), so they only decide between systems of one name.
    """
    ordered = sorted(seen, key=lambda item: item.order)
    identified: dict[Key, list[Seen]] = defaultdict(list)
    for item in ordered:
        if item.sighting.system_id is not None:
            identified[_key(item.sighting, item.sighting.system_id)].append(item)
    identified = _parted(identified)
    problems: list[Between] = []
    named = [item for item in ordered if item.sighting.system_id is None]
    for key, item in _matched(named, identified, problems):
        identified[key].append(item)
    identified = _powered_apart(identified)
    results: list[Result] = []
    owners: dict[str, str] = {}
    for key in sorted(identified):
        result_id = _identifier(key)
        owners.update((item.sighting_id, result_id) for item in identified[key])
        result = _result(result_id, identified[key], problems)
        if result is not None:
            results.append(result)
    return results, problems, owners


def _key(sighting: Sighting, system: str) -> Key:
    """What makes a figure one result: its suite tells rows of a dual system apart, not the result."""
    return (
        sighting.round,
        facts().kind(sighting.suite),
        sighting.division,
        sighting.submitter,
        system,
        sighting.benchmark,
        sighting.model or "",
        sighting.scenario or "",
        sighting.suite,
    )


def _identifier(key: Key) -> str:
    return hashlib.sha256("\x1f".join(key[:-1]).encode()).hexdigest()[:16]


def _parted(identified: dict[Key, list[Seen]]) -> dict[Key, list[Seen]]:
    """Results that share all but their folder as results of their own.

    One submitter's trees may hold a system twice, as the runs of `smc`, `smc-ac-power` and `smc-dc-power` in training
    v4.0: the same times, once without and twice with power. A table that names no folder goes with the first of them.
    """
    parted: dict[Key, list[Seen]] = defaultdict(list)
    for key, group in identified.items():
        sources: dict[str, set[str]] = defaultdict(set)
        for item in group:
            if item.is_computed and item.sighting.location:
                sources[item.source].add(item.sighting.location)
        largest: set[str] = max(sources.values(), key=len, default=set())
        folders = sorted(largest)
        if len(folders) < 2:
            parted[key] += group
            continue
        for item in group:
            folder = item.sighting.location if item.sighting.location in folders else folders[0]
            parted[(*key[:4], f"{key[4]}\x1e{folder}", *key[5:])].append(item)
    return parted


def _powered_apart(identified: dict[Key, list[Seen]]) -> dict[Key, list[Seen]]:
    """A result with power of a system that no table identifies, beside one without under another public ID.

    They are two results where their figures differ: what was measured with power ran slower, maybe, and its watts are
    not those of the other run.
    """
    parted: dict[Key, list[Seen]] = {}
    for key, group in identified.items():
        apart = _ids_with_power(group) if key[4].startswith(OWN_SYSTEM) else set()
        parted[key] = [item for item in group if item.sighting.public_id not in apart] if apart else group
        if apart:
            powered = (*key[:4], f"{key[4]}{OWN_SYSTEM}power", *key[5:])
            parted[powered] = [item for item in group if item.sighting.public_id in apart]
    return parted


def _ids_with_power(group: Sequence[Seen]) -> set[str | None]:
    """The public IDs under which stand only figures with power, all unlike those without."""
    plain = [item for item in group if item.sighting.value is not None and not item.sighting.has_power]
    ids = {item.sighting.public_id for item in plain}
    powered = [item for item in group if item.sighting.has_power and item.sighting.public_id not in ids]
    ordered = sorted(plain, key=_value)
    values = list(map(_value, ordered))
    return {item.sighting.public_id for item in powered if plain and _is_unlike_all(item, ordered, values)}


def _value(item: Seen) -> float:
    return item.sighting.value or 0.0


def _is_unlike_all(item: Seen, ordered: Sequence[Seen], values: Sequence[float]) -> bool:
    """Whether a figure differs from all of some, which stand in the order of their values: from both next to it."""
    at = bisect(values, _value(item))
    return all(_differs(item, other) for other in ordered[max(0, at - 1) : at + 1])


def _name_key(sighting: Sighting) -> Key:
    """A figure's key under its system's display name."""
    name = _plain(sighting.system_name or "")
    return (*_key(sighting, name)[:6], "", *_key(sighting, name)[7:])


@lru_cache(maxsize=1 << 12)
def _plain(name: str) -> str:
    """A system's display name as tables repeat it: some drop commas, all change blanks."""
    return "".join(character for character in name.casefold() if character.isalnum() or character in "+.-_()")


SHOWN_SYSTEMS: Final = 10
"""Of one name, in a message."""


class _Namesakes:
    """Systems of one name, each with its first figure, ready to be asked for by size and public ID."""

    def __init__(self) -> None:
        self._all: dict[Key, Seen] = {}
        self._some: dict[tuple[object, ...], dict[Key, Seen]] = defaultdict(dict)

    def add(self, key: Key, item: Seen) -> None:
        """One more of them."""
        size, public_id = item.sighting.accelerator_count, item.sighting.public_id
        for group in (self._all, self._some[size,], self._some[size, public_id], self._some["", "", public_id]):
            group.setdefault(key, item)

    def narrowed(self, sighting: Sighting) -> dict[Key, Seen]:
        """All of them; of several, those of that size; of several still, the one of that public ID."""
        size, public_id = sighting.accelerator_count, sighting.public_id
        if len(self._all) < 2:
            return self._all
        same_size = self._some.get((size,))
        if same_size is None:
            return self._some.get(("", "", public_id)) or self._all
        return same_size if len(same_size) < 2 else self._some.get((size, public_id)) or same_size

    @cached_property
    def systems(self) -> str:
        """Their IDs; asked for when all are there."""
        names = sorted({str(item.sighting.system_id) for item in self._all.values()})
        more = f" and {len(names) - SHOWN_SYSTEMS} more" if len(names) > SHOWN_SYSTEMS else ""
        return ", ".join(names[:SHOWN_SYSTEMS]) + more


def _matched(
    named: Sequence[Seen], identified: dict[Key, list[Seen]], problems: list[Between]
) -> Iterator[tuple[Key, Seen]]:
    """For each sighting without a system ID the result it belongs to.

    An export lists the average over systems of one name, once for each of their public IDs, whether or not the system
    with that ID submitted the benchmark: such a line counts only where a table that tells them apart agrees with it.
    """
    by_name: dict[Key, _Namesakes] = defaultdict(_Namesakes)
    for key, group in identified.items():
        by_name[_name_key(group[0].sighting)].add(key, group[0])
    listed = _times_listed(named)
    for item in named:
        candidates = by_name[_name_key(item.sighting)].narrowed(item.sighting)
        averaged = listed[_cell(item)] > 1
        if not candidates:
            if averaged:
                problems.append(
                    _average(item, f"{listed[_cell(item)]} systems of one name", "It may be their average.")
                )
            yield _key(item.sighting, _own_system(item.sighting)), item
        elif len(candidates) == 1 and not (averaged and _differs(item, next(iter(candidates.values())))):
            key, other = next(iter(candidates.items()))
            if not averaged or other.sighting.public_id == item.sighting.public_id:
                yield key, item
        else:
            systems = by_name[_name_key(item.sighting)].systems
            fix = "It is their average: each system's own figure was taken from a table that tells them apart."
            problems.append(_average(item, f"several systems of one name ({systems})", fix))


def _own_system(sighting: Sighting) -> str:
    """Stands for the system ID that no table gives: by name, size and parts the export tells systems apart."""
    parts = (sighting.accelerator_count, sighting.nodes, sighting.accelerator, sighting.processor)
    return OWN_SYSTEM.join(map(str, ("", _name_key(sighting)[4], *parts)))


def _cell(item: Seen) -> tuple[object, ...]:
    sighting = item.sighting
    return (
        item.source,
        item.source_path,
        _name_key(sighting),
        sighting.accelerator_count,
        sighting.nodes,
        sighting.value is None,
    )


def _times_listed(named: Sequence[Seen]) -> dict[tuple[object, ...], int]:
    """Under how many public IDs of one export the same cell stands: over one where it averages systems of one name."""
    ids: dict[tuple[object, ...], set[str | None]] = defaultdict(set)
    for item in named:
        ids[_cell(item)].add(item.sighting.public_id)
    return {cell: len(found) for cell, found in ids.items()}


def _differs(one: Seen, other: Seen) -> bool:
    a, b = one.sighting.value, other.sighting.value
    return a is not None and b is not None and abs(a - b) > TOLERANCE * abs(b)


def _agrees(one: Seen, other: Seen) -> bool:
    """Whether both give a value, and the same but for rounding."""
    return None not in (one.sighting.value, other.sighting.value) and not _differs(one, other)


def _average(item: Seen, whose: str, fix: str) -> Between:
    return item.problem("average-of-systems", f"{_figure(item.sighting)} stands for {whose}.", fix)


def _figure(sighting: Sighting) -> str:
    value = "no figure" if sighting.value is None else f"{sighting.value:g} {sighting.unit}"
    return " ".join(f"{sighting.benchmark} {sighting.scenario or ''} {value}".split())


def _result(result_id: str, group: Sequence[Seen], problems: list[Between]) -> Result | None:
    """The result of one group in source order; None, and a problem, where no source gives a figure."""
    if all(item.sighting.value is None for item in group):
        found = f"{_figure(group[0].sighting)}: power without a result."
        problems.append(group[0].problem("power-without-result", found, "It was left out."))
        return None
    result = Result.of(result_id, sorted(group, key=lambda item: item.order) if len(group) > 1 else group)
    if len(group) > 1:
        problems.extend(_differences(result))
    return result


def _differences(result: Result) -> Iterator[Between]:
    """Sources that disagree over the value or the power by more than `TOLERANCE`."""
    lead, power = result.lead, result.power
    for item in result.seen:
        if _differs(item, lead):
            found = f"{_figure(item.sighting)} here, {_figure(lead.sighting)} in {lead.source}/{lead.where}."
            yield item.problem("sources-differ", found, "The latter was taken.")
        seen_power = item.sighting.power_value
        if power and seen_power is not None and abs(seen_power - power[0]) > TOLERANCE * power[0]:
            here = f"{seen_power:g} {item.sighting.power_unit}"
            found = f"{_figure(item.sighting)}: {here} here, {power[0]:g} {power[1]} elsewhere."
            yield item.problem("sources-differ", found, "The latter was taken.")


def row(result: Result) -> tuple[object, ...]:
    """The result as a row of the table `results`: the columns of `COLUMNS`, which are all."""
    lead = result.lead
    sighting = lead.sighting
    kind = facts().kind(sighting.suite)
    round_ = facts().round(kind, sighting.round)
    assert round_ is not None  # normalise lets no other round through
    accelerator, location, *described = result.known(_DESCRIBED)
    location = result.folder or location
    efficiency = _efficiency(kind, result)
    return (
        *_ask(_FIGURE)(sighting), accelerator, location, *described,
        result.has_power, *(result.power or (None, None)),
        efficiency, None if efficiency is None else facts().efficiency_unit(sighting.unit),
        lead.origin == MLCOMMONS, lead.origin, lead.source, lead.source_path, *result.second, result.result_id,
        accelerator.split(" + ") if accelerator else [],
        link(round_.repository, location), round_.published, round_.index,
    )  # fmt: skip


_FIGURE: Final = (
    "round", "suite", "division", "submitter", "benchmark", "model", "scenario", "metric", "value", "unit", "better",
    "basis",
)  # fmt: skip
_DESCRIBED: Final = (
    "accelerator", "location", "availability", "system_id", "system_name", "server", "server_family",
    "accelerator_raw", "accelerator_count", "nodes", "processor", "framework", "accuracy", "inferred", "valid",
    "public_id", "runs", "same_runs", "input_data_types", "weight_data_types",
)  # fmt: skip
COLUMNS: Final = (
    *_FIGURE, *_DESCRIBED, "has_power", "power_value", "power_unit", "efficiency", "efficiency_unit", "verified",
    "origin", "source", "source_path", *SECOND_MEASURES, "result_id", "accelerators", "link", "published",
    "round_index",
)  # fmt: skip


def _efficiency(kind: Kind, result: Result) -> float | None:
    """Samples (or tokens) per joule, from measured power only."""
    sighting = result.lead.sighting
    if result.power is None or sighting.value is None:
        return None
    efficiency = facts().efficiency(kind, sighting.round, sighting.scenario, sighting.value, *result.power)
    return efficiency if efficiency is not None and 0 < efficiency < math.inf else None


def link(repository: str, location: str | None) -> str:
    """Where MLCommons keeps the result: its folder in the repository of its round, else that repository."""
    root = f"https://github.com/{repository}"
    return f"{root}/tree/HEAD/{quote(location)}" if location else root
