"""From what a file says to catalog ids and canonical units. Spellings the catalog does not know are kept and reported.

Nothing is guessed: a figure whose round, benchmark suite or scenario cannot be told is left out with a `Problem`.
"""

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from loaders.cells import is_silent
from mlperf.errors import Problem, Where
from mlperf.facts import Score, Server, Spelling, facts
from mlperf.model import Kind, Measurement, Sighting, Suite

Normalised = Sighting | Problem

Fault = tuple[str, str, str]
"""A `Problem` without its place: kind, what was found, what was done."""

MAX_COUNT: Final = 10_000_000
"""Most accelerators of one system; the largest published has under 20,000."""

_CACHED: Final = 1 << 12
"""Of what stands in a table alike from row to row, the cells of a system: so many are worked out once."""
_INTEGER: Final = re.compile(r"\d{1,7}(?:\.0)?", re.ASCII)
_RUN_FOLDER: Final = re.compile(r"/performance/run_\d+/?$")


@dataclass(frozen=True)
class _Hardware:
    """What the system's cells mean together."""

    accelerator: str | None
    count: int | None
    nodes: int | None
    faults: tuple[Fault, ...]


def normalise(measurement: Measurement) -> Iterator[Normalised]:
    """The measurement once per suite that it is listed in, and what had to be corrected or could not be understood."""
    refused, where = _refusal(measurement), measurement.where
    if refused is not None:
        yield refused
        return
    round_ = facts().round(measurement.kind, measurement.round or "")
    scenario = facts().scenario(measurement.scenario or "") if measurement.kind == "inference" else None
    assert round_ is not None  # `_refusal` looked
    spelled = measurement.division, measurement.availability, measurement.benchmark
    yield from (Problem(where, *fault) for fault in _unknown_spellings(measurement.kind, round_.id, *spelled))
    benchmark, score = _scored(measurement, round_.id, scenario)
    if score is None:
        found = f"nothing says how {benchmark} {scenario or ''} in {measurement.unit!r} is scored in {round_.id}."
        yield Problem(
            measurement.where,
            "no-rule",
            " ".join(found.split()),
            f"{_LEFT_OUT} Rules stand in mlperf/catalog/scoring.toml.",
        )
        return
    quantities = _quantities(measurement, score, benchmark, scenario)
    if isinstance(quantities, Problem):
        yield quantities
        return
    yield from quantities.problems
    counts = measurement.nodes, measurement.accelerators_per_node, measurement.accelerators_total
    hardware = _hardware(measurement.accelerator, *counts)
    yield from (Problem(where, *fault) for fault in hardware.faults)
    suites = _suites(measurement, round_.id, benchmark, scenario)
    if not suites:
        found = f"no suite is known for a system of type {measurement.suites!r}."
        yield Problem(
            measurement.where, "unknown-suite", found, f"{_LEFT_OUT} Suites stand in mlperf/catalog/suites.toml."
        )
    for suite in suites:
        yield _sighting(measurement, round_.id, suite, benchmark, scenario, score, quantities, hardware)


_LEFT_OUT: Final = "The figure was left out."
_CATALOG: Final = "It was kept as it is; add the spelling to mlperf/catalog/{file}.toml."


def _refusal(measurement: Measurement) -> Problem | None:
    """Why this figure cannot be placed at all."""
    where = measurement.where
    if not measurement.submitter:
        return Problem(where, "no-identity", "no submitter is named.", _LEFT_OUT)
    if not (measurement.system_id or measurement.system_name):
        return Problem(where, "no-identity", "no system is named.", _LEFT_OUT)
    if not measurement.benchmark:
        return Problem(where, "no-identity", "no benchmark is named.", _LEFT_OUT)
    if not measurement.division:
        return Problem(where, "no-identity", "no division is named.", _LEFT_OUT)
    if measurement.is_computed and not measurement.round:
        name = f"{measurement.kind}_results_v5.1"
        fix = f"{_LEFT_OUT} Name the folder or archive after its round, as {name}, and load it again."
        return Problem(where, "unknown-round", "no folder and no archive's name tells the round.", fix)
    if not measurement.round:
        found = "nothing tells the round: the table has no version, and no public ID such as 5.0-0001."
        return Problem(where, "unknown-round", found, f"{_LEFT_OUT} Export the table with that column.")
    if facts().round(measurement.kind, measurement.round) is None:
        found = f"round {measurement.round!r} of {measurement.kind} is not known."
        return Problem(where, "unknown-round", found, f"{_LEFT_OUT} Rounds stand in mlperf/catalog/rounds.toml.")
    if measurement.kind == "inference" and facts().scenario(measurement.scenario or "") is None:
        return Problem(where, "unknown-scenario", f"scenario {measurement.scenario!r} is not known.", _LEFT_OUT)
    return None


@lru_cache(maxsize=_CACHED)
def _unknown_spellings(
    kind: Kind, round_id: str, division: str | None, availability: str | None, benchmark: str | None
) -> tuple[Fault, ...]:
    faults: list[Fault] = []
    if facts().division(division or "") is None:
        faults.append(("unknown-spelling", f"division {division!r} is not known.", _CATALOG.format(file="suites")))
    if availability and facts().availability(availability) is None:
        found = f"availability {availability!r} is not known."
        faults.append(("unknown-spelling", found, _CATALOG.format(file="suites")))
    if facts().benchmark(kind, benchmark or "", round_id) is None:
        found = f"benchmark {benchmark!r} is not known in {kind} {round_id}."
        faults.append(("unknown-spelling", found, _CATALOG.format(file="benchmarks")))
    return tuple(faults)


def _scored(measurement: Measurement, round_id: str, scenario: str | None) -> tuple[str, Score | None]:
    """The benchmark, and how it is scored: by the catalog, or by the heading of a benchmark that it does not know."""
    written = measurement.benchmark or ""
    known = facts().benchmark(measurement.kind, written, round_id)
    if known is not None:
        return known.id, facts().score(measurement.kind, round_id, known.id, scenario)
    return written, facts().score_by_heading(measurement.kind, round_id, scenario, measurement.unit or "")


@dataclass(frozen=True)
class _Quantities:
    """A figure and its power in canonical units."""

    value: float | None
    power_value: float | None
    power_unit: str | None
    problems: tuple[Problem, ...]


def _quantities(measurement: Measurement, score: Score, benchmark: str, scenario: str | None) -> _Quantities | Problem:
    """The figure in the unit of its rule; power rows of a table become power without a figure."""
    value, unit = measurement.value, measurement.unit or ""
    power_value, power_unit = measurement.power_value, measurement.power_unit
    if facts().power_unit(unit) is not None:
        if power_value is None:
            power_value, power_unit = value, unit
        value = None
    bad = _senseless(measurement.where, value, power_value)
    if bad is not None:
        return bad
    problems: list[Problem] = []
    if value is not None:
        factor = score.factor(unit)
        if factor is not None:
            value *= factor
            if not (0 < value < math.inf):
                return Problem(
                    measurement.where, "bad-cell", f"a result of {value:g} {score.unit} makes no sense.", _LEFT_OUT
                )
        elif unit:
            wrong = _wrong_unit(measurement.where, unit, score, benchmark, scenario)
            if wrong.kind != "corrected-unit":
                return wrong
            problems.append(wrong)
    if power_value is None:
        return _Quantities(value, None, None, tuple(problems))
    known = facts().power_unit(power_unit or "")
    if known is None:
        problems.append(
            Problem(
                measurement.where, "unknown-unit", f"power unit {power_unit!r} is not known.", "The power was left out."
            )
        )
        return _Quantities(value, None, None, tuple(problems))
    power_value *= known[1]
    if not (0 < power_value < math.inf):
        return Problem(
            measurement.where, "bad-cell", f"a power of {power_value:g} {known[0]} makes no sense.", _LEFT_OUT
        )
    return _Quantities(value, power_value, known[0], tuple(problems))


def _wrong_unit(where: Where, unit: str, score: Score, benchmark: str, scenario: str | None) -> Problem:
    """A heading that is wrong by the rule: corrected where published tables mix up the two units, else left out."""
    found = " ".join(f"{benchmark} {scenario or ''} is headed {unit!r}.".split())
    rule = f"Its unit is {score.unit} by the rule of the round ({score.source});"
    if score.is_confused(unit):
        return Problem(where, "corrected-unit", found, f"{rule} the figure was kept.")
    return Problem(where, "unknown-unit", found, f"{rule} nothing leads there, so that the figure was left out.")


def _senseless(where: Where, value: float | None, power_value: float | None) -> Problem | None:
    if value is None and power_value is None:
        return Problem(where, "no-figure", "the row holds no result.", "It was left out.")
    for name, number in (("result", value), ("power", power_value)):
        if number is not None and number <= 0:
            return Problem(where, "bad-cell", f"a {name} of {number:g} makes no sense.", _LEFT_OUT)
    return None


@lru_cache(maxsize=_CACHED)
def _hardware(
    written: str | None, nodes_cell: str | None, per_node_cell: str | None, total_cell: str | None
) -> _Hardware:
    spelling = facts().accelerator(written or "")
    nodes, per_node, total = _integer(nodes_cell), _integer(per_node_cell), _integer(total_cell)
    senseless = _senseless_counts(
        {
            "number of nodes": nodes_cell,
            "number of accelerators per node": per_node_cell,
            "number of accelerators": total_cell,
        },
        spelling,
    )
    faults = list(senseless)
    if spelling is None:
        found = f"accelerator {written!r} is not known."
        faults.append(("unknown-spelling", found, _CATALOG.format(file="accelerators")))
    count = total
    if count is None and per_node is not None and not senseless:
        count = per_node * (nodes or 1)
    if count is None and spelling is not None and not spelling.accelerators:
        count = 0
    if spelling is not None and spelling.count is not None and spelling.count != count:
        found = f"{written!r} names {spelling.count} accelerators, its columns give {count}."
        faults.append(("corrected-count", found, "The number in the name was taken."))
        count = spelling.count
    if count == 0 and spelling is not None and spelling.accelerators:
        found = f"{written!r} is named, its columns give no accelerators."
        faults.append(("senseless-count", found, "The number was left out."))
        count = None
    if count is not None and count > MAX_COUNT:
        faults.append(("bad-cell", f"{count:,} accelerators make no sense.", "The number was left out."))
        count = None
    name = written if spelling is None else " + ".join(sorted(one.name for one in spelling.accelerators)) or None
    return _Hardware(name, count, nodes, tuple(faults))


def _senseless_counts(cells: Mapping[str, str | None], spelling: Spelling | None) -> list[Fault]:
    """A fault for each count that is there and is none; one in the accelerator's name makes up for the columns'."""
    named = spelling is not None and spelling.count is not None
    return [
        ("bad-cell", f"a {name} of {cell[:40]!r} makes no sense.", "The number was left out.")
        for name, cell in cells.items()
        if cell and not is_silent(cell) and not _INTEGER.fullmatch(cell) and not (named and "accelerators" in name)
    ]


def _integer(cell: str | None) -> int | None:
    return int(float(cell)) if cell and _INTEGER.fullmatch(cell) else None


def _suites(measurement: Measurement, round_id: str, benchmark: str, scenario: str | None) -> tuple[Suite, ...]:
    if measurement.kind == "training" or scenario is None:
        return ("training",)
    return facts().suites(round_id, measurement.suites or "", benchmark, scenario)


def _sighting(
    measurement: Measurement,
    round_id: str,
    suite: Suite,
    benchmark: str,
    scenario: str | None,
    score: Score,
    quantities: _Quantities,
    hardware: _Hardware,
) -> Sighting:
    submitter = facts().submitter(measurement.submitter or "")
    server: Server | None = facts().server(measurement.system_id, measurement.system_name, submitter)
    division = facts().division(measurement.division or "") or (measurement.division or "").lower()
    return Sighting(
        where=measurement.where,
        round=round_id,
        suite=suite,
        division=division,
        availability=facts().availability(measurement.availability or "") or measurement.availability,
        submitter=submitter,
        system_id=measurement.system_id,
        system_name=measurement.system_name,
        server=server.name if server else None,
        server_family=server.family if server else None,
        accelerator=hardware.accelerator,
        accelerator_raw=measurement.accelerator,
        accelerator_count=hardware.count,
        nodes=hardware.nodes,
        processor=measurement.processor,
        processors_per_node=measurement.processors_per_node,
        processor_cores=measurement.processor_cores,
        framework=measurement.framework,
        operating_system=measurement.operating_system,
        input_data_types=measurement.input_data_types,
        weight_data_types=measurement.weight_data_types,
        benchmark=benchmark,
        model=_own_model(measurement, benchmark, round_id, division),
        scenario=scenario,
        metric=score.metric,
        value=quantities.value,
        unit=score.unit,
        better=score.better,
        has_power=measurement.has_power or quantities.power_value is not None,
        power_value=quantities.power_value,
        power_unit=quantities.power_unit,
        accuracy=measurement.accuracy,
        inferred=_inferred(measurement, round_id),
        valid=measurement.valid,
        public_id=_public_id(measurement.public_id),
        location=_location(measurement.location),
        basis="computed" if measurement.is_computed else "published",
        runs=measurement.runs,
        same_runs=measurement.same_runs,
    )


def _own_model(measurement: Measurement, benchmark: str, round_id: str, division: str) -> str | None:
    """The open division may run a model of its own under a benchmark; elsewhere a second name is only a spelling."""
    if not measurement.model or division != "open":
        return None
    known = facts().benchmark(measurement.kind, measurement.model, round_id)
    return None if known is not None and known.id == benchmark else measurement.model


def _inferred(measurement: Measurement, round_id: str) -> bool | None:
    return None if facts().is_unreliable(measurement.kind, round_id, "inferred") else measurement.inferred


def _public_id(text: str | None) -> str | None:
    """`v6.0-0001` and `6.0-0001` are one ID; the zero padding differs by era and is kept."""
    return text[1:] if text and re.match(r"v\d", text) else text


def _location(text: str | None) -> str | None:
    """The result's folder in the repository: `./closed/…/Offline/performance/run_1` is `closed/…/Offline`."""
    return _RUN_FOLDER.sub("", text.replace("\\", "/").removeprefix("./")) if text else None
