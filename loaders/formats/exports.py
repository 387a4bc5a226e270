"""What the three results-table exports of MLCommons' web pages share: headings, numbers, the suite of a file.

Not a format of its own. Source: the samples described in the project's notes on exports; headings changed from round to
round, so each field lists every heading seen for it.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from loaders.cells import Numbers, conventions
from loaders.fields import Fields
from loaders.protocol import Parsed
from loaders.tables import Header, Row, rows
from loaders.unpack import Source
from mlperf.errors import Problem
from mlperf.facts import facts
from mlperf.model import Kind, Measurement

HEADINGS: Final[Mapping[str, tuple[str, ...]]] = {
    "public_id": ("public id",),
    "submitter": ("organization", "submitter"),
    "availability": ("availability",),
    "system_name": ("system name (click + for details)", "system name"),
    "accelerator": ("accelerator (click + for details)", "accelerator", "accelerator model name"),
    "accelerators_per_node": ("accelerators per node", "# of accelerators"),
    "accelerators_total": ("total accelerators",),
    "nodes": ("# of nodes", "number of nodes"),
    "processor": ("processor (click + for details)", "processor", "host processor model name"),
    "processors_per_node": ("# of processors", "host processors per node"),
    "processor_cores": ("host processor core count",),
    "framework": ("software",),
    "operating_system": ("operating system",),
    "benchmark": ("model mlc", "model mlc1"),
    "scenario": ("scenario", "scenario1"),
    "unit": ("units", "units1"),
    "division": ("division/power", "division"),
    "suites": ("system type",),
    "round": ("version",),
    "valid": ("valid / invalid",),
    "value": ("result", "avg. result at system name", "avg. result", "result at system name"),
}

_KNOWN: Final = frozenset(name for names in HEADINGS.values() for name in names) | {"valid / invalid"}
MODEL_HEADINGS: Final = frozenset(HEADINGS["benchmark"])
AVERAGE_HEADINGS: Final = frozenset({"avg. result at system name", "avg. result"})

MAX_ROWS: Final = 200_000
"""Most lines of one export. The largest round has under 2,000."""

_BOTH: Final = "datacenter,edge"

_TRAINING_UNITS: Final = frozenset({"latency (in minutes)", "kj", "minutes", "min", "min."})


def table(source: Source, header: Header) -> tuple[list[Row], list[Problem]]:
    """All rows of an export and what could not be read; its number format shows only in the whole."""
    read: list[Row] = []
    problems: list[Problem] = []
    for item in rows(source, header):
        if isinstance(item, Problem):
            problems.append(item)
        elif len(read) == MAX_ROWS:
            problems.append(
                Problem(
                    item.where, "too-long", f"the table has more than {MAX_ROWS:,} lines.", "The rest was left out."
                )
            )
            break
        else:
            read.append(item)
    return read, problems


def cells_by_heading(header: Header, row: Row) -> tuple[dict[str, object], list[Problem]]:
    """The row's cells under the headings that we know; of two with one heading the first counts that says something."""
    cells: dict[str, object] = {}
    problems: list[Problem] = []
    for name, cell in zip(header.names, row.cells, strict=True):
        if name not in _KNOWN:
            continue
        earlier = cells.get(name)
        if not earlier:
            cells[name] = cell
        elif cell.strip() and str(earlier).strip() != cell.strip():
            found = f'two columns "{name}" differ: {str(earlier)[:60]!r} and {cell[:60]!r}.'
            problems.append(Problem(row.where, "columns-differ", found, "The first was taken."))
    return cells, problems


def measurement(fields: Fields, **known: object) -> Measurement:
    """One row as a measurement; `known` are fields that the table says elsewhere than in the row."""
    texts = {
        field: fields.text(*names)
        for field, names in HEADINGS.items()
        if field not in known and field not in ("value", "valid")
    }
    public_id = texts.get("public_id")
    unit = known.get("unit", texts.get("unit"))
    described: dict[str, object] = {
        **texts,
        "where": fields.where,
        "kind": _kind(str(unit or "")),
        "round": texts.get("round") or round_of(public_id),
        "value": known["value"] if "value" in known else fields.number(*HEADINGS["value"]),
        "valid": fields.flag("valid / invalid"),
        "has_power": "power" in (texts.get("division") or "").lower(),
    }
    return Measurement(**{**described, **known})  # type: ignore[arg-type]  # the fields of HEADINGS are those of Measurement


def _kind(unit: str) -> Kind:
    return "training" if unit.lower() in _TRAINING_UNITS else "inference"


def round_of(public_id: str | None) -> str | None:
    """The round that a result ID begins with: `v6.0-0001`, `5.1-0089` and `2.0-020` name v6.0, v5.1 and v2.0."""
    return public_id.partition("-")[0] if public_id and "-" in public_id else None


def with_suite(measurements: Iterable[Measurement], header: Header, source: Source) -> Iterator[Parsed]:
    """Say which suite an inference export is of, where its rows do not.

    Each of MLCommons' pages shows one suite, so an export is of one. Edge exports end their headings in "1"
    (`Model MLC1`); what both suites have is told apart by the file's name alone.
    """
    read = list(measurements)
    silent = [item for item in read if not item.suites and item.kind == "inference"]
    suite = "edge" if "model mlc1" in header.names else _suite(read)
    if silent and suite is None:
        suite = _stated(source, ("datacenter", "edge"))
        where, found = silent[0].where, "every line is of scenarios and benchmarks that both suites have"
        if suite:
            found = f"{found}; {suite!r} stands in the file's name."
            yield Problem(where, "assumed-suite", found, "It was taken.")
        else:
            found = f"{found}, and the file's name does not say which it is of."
            yield Problem(where, "no-suite", found, "Rename the file so that its name holds datacenter or edge.")
    for item in read:
        yield item if item.suites or item.kind != "inference" else item._replace(suites=suite)


def _stated(source: Source, words: Iterable[str]) -> str | None:
    """The one of these words that stands in the file's name; None where none does, or two do."""
    named = set(re.split(r"[^a-z]+", source.title.lower()))
    found = named & set(words)
    return found.pop() if len(found) == 1 else None


def _suite(read: Iterable[Measurement]) -> str | None:
    """The suite that has all of these scenarios and benchmarks; None where both have."""
    homes = {"inference-datacenter", "inference-edge"}
    scenarios: set[str | None] = set()
    for item in read:
        played = facts().round("inference", item.round or "")
        benchmark = facts().benchmark("inference", item.benchmark or "", played.id if played else None)
        scenario = facts().scenario(item.scenario or "")
        scenarios.add(scenario)
        homes &= (
            set(facts().suites(played.id if played else "", _BOTH, benchmark.id if benchmark else "", scenario))
            or homes
        )
    if scenarios & {"Server", "Interactive"} or homes == {"inference-datacenter"}:
        return "datacenter"
    return "edge" if scenarios - {"Offline", None} or homes == {"inference-edge"} else None


def with_division(parsed: Iterable[Parsed], source: Source) -> Iterator[Parsed]:
    """Where an export has no division column, the division that its file's name states.

    MLCommons' pages of rounds up to v4.1 give Closed and Closed - Power as two downloads without such a column.
    """
    division = _stated(source, facts().divisions)
    read = list(parsed)
    missing = [item for item in read if isinstance(item, Measurement) and item.division is None]
    if missing and division:
        found = f"the table names no division; {division!r} stands in the file's name."
        yield Problem(missing[0].where, "assumed-division", found, "It was taken.")
    elif missing:
        found = "neither the table nor the file's name says which division it is of."
        yield Problem(
            missing[0].where, "no-division", found, "Rename the file so that its name holds closed, open or network."
        )
    for item in read:
        yield item if isinstance(item, Problem) else item._replace(division=item.division or division)


def numbers_in(found: Header, read: Iterable[Row], columns: Iterable[int]) -> Numbers:
    """How these columns of the table write numbers."""
    wanted = list(columns)
    return conventions((row.cells[column] for row in read for column in wanted), found.delimiter)
