"""A system under test: what it is, everything it submitted in its round, and where else it or its server was seen."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple
from urllib.parse import quote

import duckdb
import pyarrow as pa

from mlperf import guard, queries, unverified
from mlperf.answers.answer import Answer, Row, table
from mlperf.facts import facts
from mlperf.guard import Finding
from mlperf.metrics import Measure, measure
from mlperf.model import OF_RUNS, Kind
from mlperf.systems import SystemKey

ORDER: Final = (
    "system_name", "submitter", "division", "status", "system_type", "number_of_nodes", "hardware", "accelerators",
    "accelerator_model", "accelerator", "host_processors", "host_processor", "host_memory", "host_storage",
    "host_network", "framework", "operating_system", "other_software", "input_data", "weight_data", "cooling",
)  # fmt: skip
"""How the fields of a sheet begin, in the order in which a reader wants them; the others follow in the sheet's."""
STATED_NOT: Final = frozenset({"", "-", "n/a", "na", "none", "null", "tbd"})
"""What sheets say of a field that they leave open."""
FIRST: Final = ("test", "scenario")
LAST: Final = ("runs", "public_id", "runs_page", "link")
"""Columns of results that are shown where they say anything."""
TELLING: Final = ("model", "division", "suite", "has_power", "inferred")
"""Columns of results that are shown where they tell results apart."""
PER_RESULT: Final = ("input_data_types", "weight_data_types")
"""Facts that may differ from result to result: the number formats of what ran."""


@dataclass(frozen=True)
class Choice:
    """The system whose sheet is asked for."""

    system: SystemKey | None


class Sheet(NamedTuple):
    """A system's page."""

    answer: Answer
    """Everything it submitted; its `data` has one row per result."""
    results: pa.Table
    """The results as the page shows them: without what they all have in common or none has."""
    specification: pa.Table
    """`field` and `stated`, one row per fact."""
    relatives: pa.Table
    """The submitter's other systems with the same ID or server."""


def default_system(con: duckdb.DuckDBPyConnection, submitter: str) -> SystemKey | None:
    """The system with most results in a submitter's newest round; of any submitter, where that has none."""
    known = queries.systems(con).to_pylist()
    published = [row for row in known if row["verified"]] or known
    own = [row for row in published if row["submitter"] == submitter] or published
    newest = [row for row in own if (row["kind"], row["round"]) == (own[0]["kind"], own[0]["round"])]
    best = min(newest, key=lambda row: (-row["results"], row["submitter"], row["system"]), default=None)
    return SystemKey(best["kind"], best["round"], best["submitter"], best["system"]) if best else None


def sheet(con: duckdb.DuckDBPyConnection, choice: Choice) -> Sheet:
    """The page of a system: results, specification and relatives."""
    rows = queries.system_results(con, [choice.system] if choice.system else [])
    if choice.system is None or not rows.num_rows:
        nothing = Answer(
            "No system", "", advice="Choose a system above: search by ID, submitter, round or accelerator."
        )
        return Sheet(nothing, table([]), table([]), table([]))
    results = sorted(_once(rows.to_pylist()), key=_order)
    stated, origin, differing = _specification(con, results)
    data = [_datum(row) for row in results]
    answer = Answer(
        heading=results[0]["system_name"] or choice.system.system,
        below=_below(choice.system, results),
        data=table(unverified.stated(data)),
        rows=rows,
        findings=_traits(results),
        notes=(origin, *differing),
        file_name=f"system_{choice.system.round}_{choice.system.system}"[:100],
    )
    return Sheet(answer, compact(choice.system, data), table(stated), table(_relatives(con, choice.system)))


def compact(key: SystemKey, data: Sequence[Row]) -> pa.Table:
    """A sheet's results as its page shows them: no column that is empty or that says one thing only.

    `figure` and `power` have their units; the files have the numbers.
    """
    shown = table([_shown(key, row) for row in data])
    told = {name: set(shown[name].unique().to_pylist()) for name in shown.column_names}
    telling = [name for name in TELLING if len(told[name]) > 1]
    figures = ["figure", "power"] if telling else ["figure", "power", "accuracy"]
    return shown.select([
        *(name for name in FIRST if told[name] != {None}),
        *telling,
        *(name for name in (*figures, *LAST) if told[name] != {None}),
    ])  # fmt: skip


def _shown(key: SystemKey, datum: Row) -> Row:
    power = datum["power_value"]
    return datum | {
        "test": _full_name(key.kind, datum["benchmark"]),
        "figure": unverified.marked(measure(datum).text(datum["value"]), datum),
        "power": None if power is None else Measure("", datum["power_unit"] or "").text(power),
        "accuracy": _accuracy(datum["accuracy"]),
        "runs_page": _runs_page(key, datum),
    }


def _runs_page(key: SystemKey, datum: Row) -> str | None:
    """The address of the runs behind a training score; None where none are known."""
    if key.kind not in OF_RUNS or not datum["runs"]:
        return None
    scenario = f"&scenario={quote(datum['scenario'], safe='')}" if datum["scenario"] else ""
    return f"{key.address.replace('system?', 'runs?', 1)}&benchmark={quote(datum['benchmark'], safe='')}{scenario}"


def _accuracy(text: str | None) -> str | None:
    """`90.232` for `90.23201936457`; a text of several figures stays as it is."""
    try:
        return f"{float(text or ''):.5g}"
    except ValueError:
        return text


def _traits(results: Iterable[Row]) -> tuple[Finding, ...]:
    """What the guard says of the system's results as such; which of them are inferred, a column says."""
    found = {one for row in results for one in guard.findings([row]) if one.kind != "inferred"}
    return tuple(sorted(found, key=lambda one: (one.kind, one.text)))


def _once(rows: Iterable[Row]) -> list[Row]:
    """Each result once, with all suites that list it."""
    found: dict[str, Row] = {}
    for row in rows:
        found.setdefault(row["result_id"], {**row, "suites": []})["suites"].append(row["suite"])
    return list(found.values())


def _order(row: Row) -> tuple[object, ...]:
    """By benchmark, scenario, division and power, closed and official first."""
    known = facts().scenarios
    scenario = known.index(row["scenario"]) if row["scenario"] in known else len(known)
    name = _full_name(facts().kind(row["suite"]), row["benchmark"])
    return (
        row["division"] != "closed", row["division"], name, scenario, row["scenario"] or "",
        row["has_power"], row["model"] or "", row["result_id"],
    )  # fmt: skip


def _full_name(kind: Kind, benchmark: str) -> str:
    known = facts().benchmark(kind, benchmark, None)
    return known.full_name if known else benchmark


def _datum(row: Row) -> Row:
    return {
        "round": row["round"],
        "submitter": row["submitter"],
        "system_id": row["system_id"],
        "system_name": row["system_name"],
        "benchmark": row["benchmark"],
        "scenario": row["scenario"],
        "suite": " and ".join(sorted({suite.partition("-")[2] or suite for suite in row["suites"]})),
        "division": row["division"],
        "availability": row["availability"],
        "model": row["model"],
        "metric": row["metric"],
        "value": row["value"],
        "unit": row["unit"],
        "better": row["better"],
        "has_power": row["has_power"],
        "power_value": row["power_value"],
        "power_unit": row["power_unit"],
        "efficiency": row["efficiency"],
        "efficiency_unit": row["efficiency_unit"],
        "accuracy": row["accuracy"],
        "inferred": row["inferred"],
        "valid": row["valid"],
        "runs": row["runs"],
        "basis": row["basis"],
        "verified": row["verified"],
        "comparability": guard.remark(guard.findings([row])),
        "public_id": row["public_id"],
        "result_id": row["result_id"],
        "link": row["link"],
    }


def _below(key: SystemKey, results: Sequence[Row]) -> str:
    """`XR7620_L4x1_TRT · Dell · MLPerf® Inference v3.1 · closed · available · 1 × NVIDIA L4 · 1 node · 24 results`."""
    row = results[0]
    day = f" ({row['published']:%B %Y})" if row["published"] else ""
    nodes = row["nodes"]
    parts = [
        (row["system_id"] or "") if row["system_name"] not in (None, row["system_id"]) else "",
        key.submitter,
        f"MLPerf® {facts().kind_name(key.kind)} {key.round}{day}",
        " and ".join(sorted({row["division"] for row in results})),
        " and ".join(sorted({row["availability"] for row in results if row["availability"]})),
        accelerators(row),
        f"{nodes} node{'' if nodes == 1 else 's'}" if nodes else "",
        f"{len(results):,} result{'' if len(results) == 1 else 's'}",
    ]
    return " · ".join(filter(None, parts))


def accelerators(row: Row) -> str:
    """`8 × NVIDIA H100-SXM-80GB`; "" for a system without accelerators."""
    count = f"{row['accelerator_count']} × " if row["accelerator_count"] else ""
    return f"{count}{row['accelerator']}" if row["accelerator"] else ""


def _specification(con: duckdb.DuckDBPyConnection, results: Sequence[Row]) -> tuple[list[Row], str, list[str]]:
    """The facts of the first result's sheet in readable order, where it was read, and in what other sheets differ.

    A submitter may have a sheet per division and one for its runs with power.
    """
    firsts: dict[tuple[str, bool], Row] = {}
    for row in results:
        firsts.setdefault((row["division"], row["has_power"]), row)
    (_, main), *others = [
        (place, queries.specification(con, row["result_id"]).to_pylist()) for place, row in firsts.items()
    ]
    stated = {fact["field"]: fact["value"] for fact in main}
    stated |= {
        field: "; ".join(found)
        for field in PER_RESULT
        if (found := sorted({row[field] for row in results if row[field]}))
    }
    differing = []
    for (division, has_power), sheet in others:
        place = f"{division} division{' with power' if has_power else ''}"
        differing += [
            f"Sheet of the {place}: {label(fact['field'])}: {fact['value']}."
            for fact in sorted(sheet, key=lambda fact: _rank(fact["field"]))
            if fact["field"] not in ("division", *PER_RESULT) and stated.get(fact["field"]) != fact["value"]
        ]
    places = sorted({(fact["source"], fact["source_path"]) for fact in main if fact["source"]})
    origin = " ".join(f"Specification from {source}, {path}." for source, path in places)
    fields = sorted((field for field, value in stated.items() if not _is_open(value)), key=_rank)
    open_fields = len(stated) - len(fields)
    more = (
        f" Left out: {open_fields} field{'' if open_fields == 1 else 's'} that it leaves open." if open_fields else ""
    )
    usual = "Specification from the tables of results: the sources here hold no sheet of this system."
    return [{"field": label(field), "stated": stated[field]} for field in fields], f"{origin or usual}{more}", differing


def _is_open(value: str) -> bool:
    return value.strip().lower() in STATED_NOT


def _rank(field: str) -> int:
    return next((number for number, start in enumerate(ORDER) if field.startswith(start)), len(ORDER))


def label(field: str) -> str:
    """A sheet's field as a reader sees it: `host_processor_model_name` → `Host processor model name`."""
    return field.replace("_", " ").capitalize()


def _relatives(con: duckdb.DuckDBPyConnection, key: SystemKey) -> list[Row]:
    """One row per other system of the submitter with the same ID or server."""
    found = []
    for row in queries.system_relatives(con, key).to_pylist():
        other = SystemKey(row["kind"], row["round"], row["submitter"], row["system"])
        found.append({
            "relation": "same system ID" if row["is_same_id"] else f"also {row['server']}",
            "round": f"{facts().kind_name(other.kind)} {other.round}",
            "system": other.system,
            "accelerator": accelerators(row),
            "nodes": row["nodes"],
            "results": row["results"],
            "sheet": other.address,
        })  # fmt: skip
    return found
