"""The questions that can be asked of the results: one function per file in `sql/`.

Each function takes a DuckDB connection and works on a cursor of its own, so one connection serves every thread.
Nothing here opens or writes a database.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

import duckdb
import pyarrow as pa

from mlperf.filters import FILTER_COLUMNS, Filters, Value, from_text

SQL: Final = Path(__file__).parent / "sql"

Facets = Mapping[str, Mapping[Value, int]]
"""For each filter the values that can be chosen and the number of results that each would leave."""


@dataclass(frozen=True)
class NewestRound:
    """A round, and the suites of a submitter's results in it where the round's name alone could mean another kind's."""

    round: str
    suites: tuple[str, ...]


def results(con: duckdb.DuckDBPyConnection, filters: Filters) -> pa.Table:
    """One row per result and suite, newest round first: RESULT_COLUMNS, then the internal columns (`link`, …)."""
    return _table(con, _about(filters, "results"), filters.parameters())


def export_rows(con: duckdb.DuckDBPyConnection, filters: Filters) -> pa.Table:
    """The rows of `results` with RESULT_COLUMNS only, as files hold them."""
    return _table(con, _about(filters, "export_rows"), filters.parameters())


def facets(con: duckdb.DuckDBPyConnection, filters: Filters) -> Facets:
    """What can still be chosen: each filter's values among the rows that pass all other filters, with their numbers.

    The filters are those that `facets.sql` names; a value without results is left out.
    """
    found: dict[str, dict[Value, int]] = {}
    for facet, count in _rows(con, _about(filters, "facets"), filters.parameters()):
        column, _, text = facet.partition("=")
        found.setdefault(column, {})[from_text(column, text)] = count
    return found


def loosenings(con: duckdb.DuckDBPyConnection, filters: Filters) -> dict[str, int]:
    """How many results would appear if one filter were dropped, for each filter where any would; most first."""
    names = (*FILTER_COLUMNS, "search")
    found = _rows(con, _about(filters, "loosenings"), filters.parameters())
    return {names[bit.bit_length() - 1]: count for bit, count in sorted(found, key=lambda row: (-row[1], row[0]))}


def known_values(con: duckdb.DuckDBPyConnection) -> dict[str, frozenset[Value]]:
    """Every value that occurs, per filter."""
    found: dict[str, set[Value]] = {column: set() for column in FILTER_COLUMNS}
    for column, text in _rows(con, _text("known_values"), {}):
        found[column].add(from_text(column, text))
    return {column: frozenset(values) for column, values in found.items()}


def sightings(con: duckdb.DuckDBPyConnection, result_id: str) -> pa.Table:
    """Where a result was read, one row per source and line: what each source says of it."""
    return _table(con, _text("sightings"), {"result_id": result_id})


def runs(con: duckdb.DuckDBPyConnection, result_id: str) -> pa.Table:
    """The runs behind a training result, one row each, as their logs have them; none for inference."""
    return _table(con, _text("runs"), {"result_id": result_id})


def specification(con: duckdb.DuckDBPyConnection, result_id: str) -> pa.Table:
    """The facts of a result's system, one row each (`field`, `value`): as its sheet states them, else as tables do.

    `source` and `source_path` say where the sheet lies, and are null for facts from tables.
    """
    return _table(con, _text("specification"), {"result_id": result_id})


def newest_round(con: duckdb.DuckDBPyConnection, submitter: str) -> NewestRound | None:
    """The newest round with results of a submitter; None when it has none."""
    found = _rows(con, _text("newest_round"), {"submitter": submitter})
    return NewestRound(found[0][0], tuple(found[0][1])) if found else None


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
def _rows(con: duckdb.DuckDBPyConnection, question: str, parameters: Mapping[str, object]) -> list[tuple[Any, ...]]:
    return con.cursor().execute(question, parameters).fetchall()


def _table(con: duckdb.DuckDBPyConnection, question: str, parameters: Mapping[str, object]) -> pa.Table:
    return con.cursor().sql(question, params=parameters).to_arrow_table()
