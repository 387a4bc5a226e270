"""What the three results-table exports of MLCommons' web pages share: headings, numbers, the suite of a file.

What decides: a column is known by its heading alone, compared without case and outer or doubled blanks. A field without
its column is empty; `normalise` leaves a figure out whose round, benchmark, unit, division or suite nothing states. Two
columns of one field have to agree, else the line is left out.

Not a format of its own. Source: the samples described in the project's notes on exports; headings changed from round to
round, so each field lists every heading seen for it.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Final

from loaders.cells import Numbers, conventions
from loaders.fields import Fields
from loaders.protocol import Parsed
from loaders.tables import Header, Row, columns_differ, heading, rows
from loaders.unpack import Source
from mlperf.errors import Problem
from mlperf.facts import facts
from mlperf.model import Kind, Measurement

HEADINGS: Final[Mapping[str, tuple[str, ...]]] = {  # of two headings of one field the first says more
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

_AGGREGATIONS: Final = ("sum of ", "avg. ", "min. ", "max. ", "median ", "median of ", "count of ", "# of ")
"""How Tableau begins the name of a measure."""

MODEL_HEADINGS: Final = frozenset(HEADINGS["benchmark"])
AVERAGE_HEADINGS: Final = frozenset({"avg. result at system name", "avg. result"})

_COUNTS: Final = frozenset(
    name
    for field in ("accelerators_per_node", "accelerators_total", "nodes", "processors_per_node", "processor_cores")
    for name in HEADINGS[field]
)

MAX_ROWS: Final = 200_000
"""Most lines of one export. The largest round has under 2,000."""

_BOTH: Final = "datacenter,edge"
_PUBLIC_ID: Final = re.compile(r"(v?\d{1,2}\.\d{1,2})-\d{1,6}", re.ASCII | re.IGNORECASE)

_TRAINING_UNITS: Final = frozenset({"latency (in minutes)", "kj", "minutes", "min", "min."})


def is_measure(label: str) -> bool:
    """Whether a label, as headings are compared, names a measure: results, or a count of a system."""
    return label in HEADINGS["value"] or label in _COUNTS or label.startswith(_AGGREGATIONS)


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


def cells_by_heading(header: Header, row: Row) -> dict[str, object] | Problem:
    """The row's cells under the headings that we know, figures left aside: one cell for each field.

    A field may stand in several columns, under one heading or under two. They have to agree: a `Problem` for a row in
    which they do not, because nothing tells which of them is right.
    """
    cells: dict[str, object] = {}
    for field, columns in _columns_of(header.names).items():
        filled = [column for column in columns if row.cells[column].strip()]
        if not filled:
            continue
        first = filled[0]
        for other in filled[1:]:
            if not _agree(field, row.cells[first], row.cells[other]):
                names = (header.names[first], header.names[other])
                return columns_differ(row.where, names, (row.cells[first], row.cells[other]))
        cells[header.names[first]] = row.cells[first]
    return cells


def figures_differ(row: Row, name: str, values: Iterable[float | None], fix: str) -> Problem:
    """Several columns hold one figure, and not the same; an empty one says that there is none."""
    stated = " and ".join("empty" if value is None else f"{value:.12g}" for value in values)
    return Problem(row.where, "columns-differ", f"columns of {name} differ: {stated}.", fix)


@lru_cache(maxsize=4)  # each row of a table asks for the same
def _columns_of(names: tuple[str, ...]) -> dict[str, list[int]]:
    """The columns of each field that the table has, in the order of `HEADINGS`; figures are left aside."""
    columns = {
        field: [index for name in headings for index, other in enumerate(names) if other == name]
        for field, headings in HEADINGS.items()
        if field != "value"
    }
    return {field: found for field, found in columns.items() if found}


def _agree(field: str, cell: str, other: str) -> bool:
    """Whether two cells of a field say the same: a division with and without its power does."""
    if heading(cell) == heading(other):
        return True
    return field == "division" and facts().division(cell) == facts().division(other) is not None


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
        "valid": fields.flag("valid / invalid"),
        "has_power": facts().is_of_power(texts.get("division") or ""),
    }
    return Measurement(**{**described, **known})  # type: ignore[arg-type]  # the fields of HEADINGS are those of Measurement


def _kind(unit: str) -> Kind:
    return "training" if unit.lower() in _TRAINING_UNITS else "inference"


def round_of(public_id: str | None) -> str | None:
    """The round that a result ID begins with: `v6.0-0001`, `5.1-0089` and `2.0-020` name v6.0, v5.1 and v2.0."""
    named = _PUBLIC_ID.fullmatch(public_id or "")
    return named[1] if named else None


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
        yield item if item.suites or item.kind == "training" else item._replace(suites=suite)


def _stated(source: Source, words: Iterable[str]) -> str | None:
    """The one of these words that stands in the file's name; None where none does, or two do."""
    named = set(re.split(r"[^a-z]+", source.path.rpartition("/")[2].lower()))
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
