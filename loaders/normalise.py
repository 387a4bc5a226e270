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
from mlperf.facts import Benchmark, Score, Server, Spelling, facts
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


_UNDESCRIBED: Final = _Hardware(None, None, None, ())
"""Logs without a sheet of their system: that no accelerator is named does not say that there is none."""


@dataclass(frozen=True)
class _Meant:
    """What the words of a row mean together, which many rows share."""

    faults: tuple[Fault, ...]
    round_id: str = ""
    division: str = ""
    availability: str | None = None
    benchmark: str = ""
    scenario: str | None = None
    score: Score | None = None
    """None where the figure is left out, for the last of the faults."""
    suites: tuple[Suite, ...] = ()
    is_power: bool = False
    """Whether the unit is one of power, so that the row's figure is."""
    has_inferred: bool = True
    """Whether the published tables of the round can be believed in that."""


def normalise(measurement: Measurement) -> Iterator[Normalised]:
    """The measurement once per suite that it is listed in, and what had to be corrected or could not be understood."""
    where = measurement.where
    refused = _refusal(measurement)
    if refused is not None:
        yield Problem(where, *refused)
        return
    meant = _meant(
        measurement.kind, measurement.round or "", measurement.division or "", measurement.availability,
        measurement.benchmark or "", measurement.scenario, measurement.unit, measurement.suites or "",
    )  # fmt: skip
    yield from (Problem(where, *fault) for fault in meant.faults)
    if meant.score is None:
        return
    quantities = _quantities(measurement, meant, meant.score)
    if isinstance(quantities, Problem):
        yield quantities
        return
    yield from quantities.problems
    counts = measurement.nodes, measurement.accelerators_per_node, measurement.accelerators_total
    is_described = any((measurement.accelerator, measurement.processor, *counts)) or not measurement.is_computed
    hardware = _hardware(measurement.accelerator, *counts) if is_described else _UNDESCRIBED
    yield from (Problem(where, *fault) for fault in hardware.faults)
    if not meant.suites:
        found = f"no suite is known for a system of type {measurement.suites!r}."
        yield Problem(where, "unknown-suite", found, f"{_LEFT_OUT} Say it: datacenter, edge or datacenter,edge.")
    for suite in meant.suites:
        yield _sighting(measurement, meant, suite, meant.score, quantities, hardware)


_LEFT_OUT: Final = "The figure was left out."
_KEPT: Final = "It was kept as it is written."
_NEWER: Final = f"{_LEFT_OUT} A newer version of Roundtable may know it."


def _refusal(measurement: Measurement) -> Fault | None:
    """Why this figure cannot be placed at all, whatever its words mean."""
    for told, what in (
        (measurement.submitter, "submitter"),
        (measurement.system_id or measurement.system_name, "system"),
        (measurement.benchmark, "benchmark"),
        (measurement.division, "division"),
    ):
        if not told:
            return "no-identity", f"no {what} is named.", _LEFT_OUT
    if measurement.is_computed and not measurement.round:
        name = f"{measurement.kind}_results_v5.1"
        fix = f"{_LEFT_OUT} Name the folder or archive after its round, as {name}, and load it again."
        return "unknown-round", "no folder and no archive's name tells the round.", fix
    if not measurement.round:
        found = "nothing tells the round: the table has no version, and no public ID such as 5.0-0001."
        return "unknown-round", found, f"{_LEFT_OUT} Export the table with that column, or say it: --round v5.1."
    return None


@lru_cache(maxsize=_CACHED)
def _meant(
    kind: Kind, round_: str, division: str, availability: str | None, benchmark: str, scenario: str | None,
    unit: str | None, suites: str,
) -> _Meant:  # fmt: skip
    played = facts().round(kind, round_)
    if played is None:
        found = f"round {round_!r} of {kind} is not known."
        return _Meant((("unknown-round", found, _NEWER),))
    plays = facts().scenario(scenario or "", kind)
    if plays is None and facts().has_scenarios(kind):
        return _Meant((("unknown-scenario", f"scenario {scenario!r} is not known.", _LEFT_OUT),))
    faults = list(_unknown_spellings(kind, played.id, division, availability, benchmark))
    spelling = benchmark
    known = _benchmark(kind, benchmark, played.id)
    if known is None:
        score = facts().score_by_heading(kind, played.id, plays, unit or "")
    else:
        benchmark, score = known.id, facts().score(kind, played.id, known.id, plays)
    if score is None:
        found = f"nothing says how {benchmark} {plays or ''} in {unit!r} is scored in {played.id}."
        faults.append(("no-rule", " ".join(found.split()), _NEWER))
    listing = facts().suites(played.id, suites, benchmark, plays, kind)
    listing = tuple(suite for suite in listing if facts().kind(suite) == kind)
    named = facts().benchmark_suite(kind, spelling, played.id)
    if named is not None and suites and named not in listing:
        found = f"{spelling!r} is of the suite {named}, its system of type {suites!r}."
        faults.append(("suites-differ", found, _LEFT_OUT))
        score = None
    return _Meant(
        faults=tuple(faults),
        round_id=played.id,
        division=facts().division(division) or division.lower(),
        availability=facts().availability(availability or "") or availability,
        benchmark=benchmark,
        scenario=plays,
        score=score,
        suites=listing if named is None else (named,),
        is_power=facts().power_unit(unit or "") is not None,
        has_inferred=not facts().is_unreliable(kind, played.id, "inferred"),
    )


def _unknown_spellings(
    kind: Kind, round_id: str, division: str, availability: str | None, benchmark: str
) -> Iterator[Fault]:
    if facts().division(division) is None:
        yield "unknown-spelling", f"division {division!r} is not known.", _KEPT
    if availability and facts().availability(availability) is None:
        yield "unknown-spelling", f"availability {availability!r} is not known.", _KEPT
    if _benchmark(kind, benchmark, round_id) is None:
        found = f"benchmark {benchmark!r} is not known in {kind} {round_id}."
        yield "unknown-spelling", found, _KEPT


def _benchmark(kind: Kind, name: str, round_id: str) -> Benchmark | None:
    """The benchmark that a text means in a round, also where it has its later name.

    The training summarizer's workbooks head SSD with the model that it has from v2.0 on: `RetinaNet`.
    Source: mlcommons/logging, mlperf_logging/result_summarizer/config.yaml.
    """
    later = facts().benchmark(kind, name, None)
    return facts().benchmark(kind, name, round_id) or (
        facts().benchmark(kind, later.lineage, round_id) if later is not None else None
    )


@dataclass(frozen=True)
class _Quantities:
    """A figure and its power in canonical units."""

    value: float | None
    power_value: float | None
    power_unit: str | None
    problems: tuple[Problem, ...]


def _quantities(measurement: Measurement, meant: _Meant, score: Score) -> _Quantities | Problem:
    """The figure in the unit of its rule; power rows of a table become power without a figure."""
    value, unit = measurement.value, measurement.unit or ""
    power_value, power_unit = measurement.power_value, measurement.power_unit
    if meant.is_power:
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
        elif not unit and not measurement.is_computed:
            found = "nothing says the unit of this figure, or whether it is a result or a power."
            return Problem(measurement.where, "no-unit", found, f"{_LEFT_OUT} Load the table with its column of units.")
        elif unit:
            wrong = _wrong_unit(measurement.where, unit, score, meant)
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


def _wrong_unit(where: Where, unit: str, score: Score, meant: _Meant) -> Problem:
    """A heading that is wrong by the rule: corrected where published tables mix up the two units, else left out."""
    found = " ".join(f"{meant.benchmark} {meant.scenario or ''} is headed {unit!r}.".split())
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
        faults.append(("unknown-spelling", found, _KEPT))
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


@lru_cache(maxsize=_CACHED)
def _whose(submitter: str, system_id: str | None, system_name: str | None) -> tuple[str, Server | None]:
    """The submitter's one spelling, and the server."""
    known = facts().submitter(submitter)
    return known, facts().server(system_id, system_name, known)


def _sighting(
    measurement: Measurement, meant: _Meant, suite: Suite, score: Score, quantities: _Quantities, hardware: _Hardware
) -> Sighting:
    submitter, server = _whose(measurement.submitter or "", measurement.system_id, measurement.system_name)
    return Sighting(
        where=measurement.where,
        round=meant.round_id,
        suite=suite,
        division=meant.division,
        availability=meant.availability,
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
        benchmark=meant.benchmark,
        model=_own_model(measurement, meant),
        scenario=meant.scenario,
        metric=score.metric,
        value=quantities.value,
        unit=score.unit,
        better=score.better,
        has_power=measurement.has_power or quantities.power_value is not None,
        power_value=quantities.power_value,
        power_unit=quantities.power_unit,
        accuracy=measurement.accuracy,
        inferred=measurement.inferred if meant.has_inferred else None,
        valid=measurement.valid,
        public_id=_public_id(measurement.public_id),
        location=_location(measurement.location),
        basis="computed" if measurement.is_computed else "published",
        runs=measurement.runs,
        same_runs=measurement.same_runs,
        tokens_per_second=measurement.tokens_per_second,
        samples_per_second=measurement.samples_per_second,
        mean_latency_ms=measurement.mean_latency_ms,
        measure_lines=measurement.measure_lines,
    )


def _own_model(measurement: Measurement, meant: _Meant) -> str | None:
    """The open division may run a model of its own under a benchmark; elsewhere a second name is only a spelling."""
    if not measurement.model or meant.division != "open":
        return None
    known = facts().benchmark(measurement.kind, measurement.model, meant.round_id)
    return None if known is not None and known.id == meant.benchmark else measurement.model


def _public_id(text: str | None) -> str | None:
    """`v6.0-0001` and `6.0-0001` are one ID; the zero padding differs by era and is kept."""
    return text[1:] if text and re.match(r"v\d", text) else text


def _location(text: str | None) -> str | None:
    """The result's folder in the repository: `./closed/…/Offline/performance/run_1` is `closed/…/Offline`."""
    return _RUN_FOLDER.sub("", text.replace("\\", "/").removeprefix("./")) if text else None
