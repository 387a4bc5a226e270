"""The questions that can be asked of the results: one function per file in `sql/`.

Each function takes a DuckDB connection and works on a cursor of its own, so one connection serves every thread.
Nothing here opens or writes a database.
"""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final, Protocol

import duckdb
import pyarrow as pa

from mlperf.filters import FILTER_COLUMNS, Filters, Value, from_text
from mlperf.model import Kind
from mlperf.systems import SystemKey

SQL: Final = Path(__file__).parent / "sql"


class Readable(Protocol):
    """What can be asked: a database, or what one reader may see of it."""

    def cursor(self) -> duckdb.DuckDBPyConnection:
        """A cursor of one's own, on which `results`, `systems`, `runs`, `sheets` and `sightings` are tables."""
        ...


Facets = Mapping[str, Mapping[Value, int]]
"""For each filter the values that can be chosen and the number of results that each would leave."""


@dataclass(frozen=True)
class NewestRound:
    """A round, and the suites of a submitter's results in it where the round's name alone could mean another kind's."""

    round: str
    suites: tuple[str, ...]


@dataclass(frozen=True)
class Field:
    """Results of one suite, round and division that are ranked against one another; "" leaves a column free."""

    suite: str
    round: str
    division: str
    has_power: bool | None
    """None: with and without, which only training times allow."""
    availability: str = ""
    accelerator: str = ""
    """`none`: processors alone."""
    accelerator_count: str = ""
    benchmark: str = ""


def results(con: Readable, filters: Filters) -> pa.Table:
    """One row per result and suite, newest round first: RESULT_COLUMNS, then the internal columns (`link`, …)."""
    return _table(con, _about(filters, "results"), filters.parameters())


def export_rows(con: Readable, filters: Filters) -> pa.Table:
    """The rows of `results` with RESULT_COLUMNS only, as files hold them."""
    return _table(con, _about(filters, "export_rows"), filters.parameters())


def facets(con: Readable, filters: Filters) -> Facets:
    """What can still be chosen: each filter's values among the rows that pass all other filters, with their numbers.

    The filters are those that `facets.sql` names; a value without results is left out.
    """
    found: dict[str, dict[Value, int]] = {}
    for facet, count in _rows(con, _about(filters, "facets"), filters.parameters()):
        column, _, text = facet.partition("=")
        found.setdefault(column, {})[from_text(column, text)] = count
    return found


def loosenings(con: Readable, filters: Filters) -> dict[str, int]:
    """How many results would appear if one filter were dropped, for each filter where any would; most first."""
    names = (*FILTER_COLUMNS, "search")
    found = _rows(con, _about(filters, "loosenings"), filters.parameters())
    return {names[bit.bit_length() - 1]: count for bit, count in sorted(found, key=lambda row: (-row[1], row[0]))}


def known_values(con: Readable) -> dict[str, frozenset[Value]]:
    """Every value that occurs, per filter."""
    found: dict[str, set[Value]] = {column: set() for column in FILTER_COLUMNS}
    for column, text in _rows(con, _text("known_values"), {}):
        found[column].add(from_text(column, text))
    return {column: frozenset(values) for column, values in found.items()}


def sightings(con: Readable, result_id: str) -> pa.Table:
    """Where a result was read, one row per source and line: what each source says of it."""
    return _table(con, _text("sightings"), {"result_id": result_id})


def runs(con: Readable, result_id: str) -> pa.Table:
    """The runs behind a training result, one row each, as their logs have them; none for inference."""
    return _table(con, _text("runs"), {"result_id": result_id})


def specification(con: Readable, result_id: str) -> pa.Table:
    """The facts of a result's system, one row each (`field`, `value`): as its sheet states them, else as tables do.

    `source` and `source_path` say where the sheet lies, and are null for facts from tables.
    """
    return _table(con, _text("specification"), {"result_id": result_id})


def newest_round(con: Readable, submitter: str) -> NewestRound | None:
    """The newest round with results of a submitter; None when it has none."""
    found = _rows(con, _text("newest_round"), {"submitter": submitter})
    return NewestRound(found[0][0], tuple(found[0][1])) if found else None


def systems(con: Readable) -> pa.Table:
    """Every system under test, newest round first: one row per kind, round, submitter and system."""
    return _table(con, _text("systems"), {})


def system_results(con: Readable, systems: Iterable[SystemKey]) -> pa.Table:
    """All results of these systems, oldest round first: one row per result and suite, columns as in `results`."""
    return _table(con, _text("system_results"), {"systems": [key.text for key in systems]})


def alike_systems(con: Readable, submitter: str) -> list[tuple[Kind, str, str, str]]:
    """Two edge systems of a submitter that share most results of a round: (kind, round, submitter, system) of each."""
    return _rows(con, _text("alike_systems"), {"submitter": submitter})


def trend_fields(con: Readable, by: str, submitter: str) -> pa.Table:
    """What trends there are by a column: one row per value, kind, benchmark, scenario, division and power.

    `rounds` and `own_rounds` (those with results of the submitter) are indexes of rounds of the kind.
    """
    return _table(con, _text("trend_fields"), {"by": by, "submitter": submitter})


def trend_results(con: Readable, parameters: Mapping[str, object]) -> pa.Table:
    """The results of a trend, oldest round first: one row per result and suite, columns as in `results`.

    `parameters` are those that `trend_results.sql` names.
    """
    return _table(con, _text("trend_results"), parameters)


def system_relatives(con: Readable, key: SystemKey) -> pa.Table:
    """The submitter's other systems with the same ID or the same server, the same ID and the newest first."""
    parameters = {"kind": key.kind, "round": key.round, "submitter": key.submitter, "system": key.system}
    return _table(con, _text("system_relatives"), parameters)


def field(con: Readable, wanted: Field) -> pa.Table:
    """The results of a field: one row each, columns as in `results`; invalid ones left out."""
    return _table(con, _text("field"), asdict(wanted))


def field_options(con: Readable, suite: str, round_id: str) -> list[tuple[str, str, int]]:
    """What fields of a round can be told by: (column, value, results), most results first within a column.

    A `benchmark` has its scenario behind a line break.
    """
    return _rows(con, _text("field_options"), {"suite": suite, "round": round_id})


def suite_rounds(con: Readable, submitter: str) -> pa.Table:
    """The rounds of each suite, newest first; `is_theirs` says whether the submitter has results in it."""
    return _table(con, _text("suite_rounds"), {"submitter": submitter})


def round_results(con: Readable, kind: Kind, round_id: str) -> pa.Table:
    """All results of a round: one row per result and suite, columns as in `results`."""
    return _table(con, _text("round_results"), {"kind": kind, "round": round_id})


def scaling(con: Readable, submitter: str | None = None, round_id: str | None = None) -> pa.Table:
    """Training results by what tells their systems' families, as `families.families` takes them; all for None."""
    return _table(con, _text("scaling"), {"submitter": submitter, "round": round_id})


def training_results(con: Readable, results: Iterable[str]) -> pa.Table:
    """The training results with these IDs, one row each, columns as in `results`."""
    return _table(con, _text("training_results"), {"results": list(results)})


def convergence(con: Readable, results: Iterable[str]) -> pa.Table:
    """Global batch size and mean epochs or samples to converge: one row per training result that has runs."""
    return _table(con, _text("convergence"), {"results": list(results)})


def most_runs(con: Readable, submitter: str) -> tuple[str, str, str] | None:
    """(round, system, benchmark) of the result with most runs in a submitter's newest training round; None for none."""
    found = _rows(con, _text("most_runs"), {"submitter": submitter})
    return tuple(found[0]) if found else None


def system_runs(con: Readable, systems: Iterable[SystemKey]) -> pa.Table:
    """The training runs of these systems, scored or not: one row per run, in the order they began."""
    return _table(con, _text("system_runs"), {"systems": [key.text for key in systems]})


def power_pairs(con: Readable, submitter: str) -> list[tuple[str, str, str, str, int]]:
    """Two rounds of one system with measured power: (submitter, system, older round, newer round, shared cells).

    Those of the submitter come first, then the newest.
    """
    return _rows(con, _text("power_pairs"), {"submitter": submitter})


def power_systems(con: Readable, submitter: str) -> list[tuple[str, str, str]]:
    """Inference systems with measured power: (round, submitter, system), the submitter's first, newest first."""
    return _rows(con, _text("power_systems"), {"submitter": submitter})


def inference_fields(con: Readable, submitter: str) -> pa.Table:
    """What can be asked of inference: one row per round, suite, division, availability, benchmark and scenario.

    `results`, `measured` (with power), `own` (by the submitter), `own_measured` and `own_systems` are counts.
    """
    return _table(con, _text("inference_fields"), {"submitter": submitter})


def training_energy(con: Readable) -> pa.Table:
    """The training results with measured energy, newest round first: one row each, columns as in `results`."""
    return _table(con, _text("training_energy"), {})


@cache
def _text(name: str) -> str:
    return (SQL / f"{name}.sql").read_text(encoding="utf-8")


def _about(filters: Filters, question: str) -> str:
    """A question about the chosen results: `matching.sql` with the filters in use, then the question itself."""
    return _about_using(frozenset(filters.parameters()), question)


@cache
def _about_using(names: frozenset[str], question: str) -> str:
    lines = _text("matching").splitlines(keepends=True)
    free = {*FILTER_COLUMNS, "search"} - names
    return "".join(line for line in lines if line.rpartition("  -- ")[2].strip() not in free) + _text(question)


# Any: DuckDB has no types for the cells of a row.
def _rows(con: Readable, question: str, parameters: Mapping[str, object]) -> list[tuple[Any, ...]]:
    return con.cursor().execute(question, parameters).fetchall()


def _table(con: Readable, question: str, parameters: Mapping[str, object]) -> pa.Table:
    found = con.cursor().sql(question, params=parameters).to_arrow_table()
    return found.drop_columns(["rowid"]) if "rowid" in found.column_names else found  # a view has to name it
