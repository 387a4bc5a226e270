"""Writing into a results database, each source in one transaction: all of it is stored, or nothing is.

The only module that writes. `results` and `systems` are made anew from the sightings of every round and submitter
that a source touches, so that loading in any order, and loading twice, ends in the same database.
"""

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields, replace
from functools import cache
from pathlib import Path
from typing import Any, Final

import duckdb
import pyarrow as pa

from loaders import resolve
from loaders.resolve import Between, Result, Seen
from mlperf.errors import Problem, StoreError, Where
from mlperf.model import Sighting

_SCHEMA: Final = Path(__file__).with_name("schema.sql").read_text(encoding="utf-8")

SIGHTING_FIELDS: Final = tuple(field.name for field in fields(Sighting) if field.name != "where")

Partition = tuple[str, str]
"""A round and a submitter: no figure of one partition depends on another's."""


@dataclass(frozen=True)
class SourceFile:
    """The file that figures were read from."""

    source: str
    """The repository it belongs to, else its own name."""
    file: str
    origin: str
    commit: str | None
    sha256: str
    licence: str | None


@dataclass(frozen=True)
class Stored:
    """What one transaction changed."""

    new: int
    already: int
    problems: tuple[Problem, ...]
    """Faults that show only between sources."""


def open_database(path: Path | None) -> duckdb.DuckDBPyConnection:
    """A database with our tables: the file at `path`, new or not, or one in memory. Raises `StoreError`.

    A database that is somebody else's is left as it was.
    """
    try:
        connection = duckdb.connect(str(path) if path else ":memory:")
        if connection.execute("select count(*) from duckdb_tables()").fetchone() == (0,):
            connection.execute(_SCHEMA)
    except duckdb.Error as fault:
        raise StoreError(
            _first_line(fault), str(path), "Name a file that Roundtable made, or one that does not exist yet."
        ) from fault
    return _ours(connection, path)


def open_to_read(path: Path) -> duckdb.DuckDBPyConnection:
    """The database that `load` made at `path`, for reading only. Raises `StoreError` where there is none."""
    if not path.is_file():
        raise StoreError(
            "no such database.", str(path), "Make one with `python -m loaders load PATH --into FILE.duckdb`."
        )
    try:
        connection = duckdb.connect(str(path), read_only=True)
    except duckdb.Error as fault:
        raise StoreError(_first_line(fault), str(path), "Name a file that `python -m loaders load` made.") from fault
    return _ours(connection, path)


def _ours(connection: duckdb.DuckDBPyConnection, path: Path | None) -> duckdb.DuckDBPyConnection:
    """The connection where it has our tables with our columns; closes it and raises `StoreError` elsewhere."""
    columns: dict[str, list[str]] = {}
    for table, column in connection.execute(_COLUMNS).fetchall():
        columns.setdefault(table, []).append(column)
    if columns != {table: list(_arrow_schema(table).names) for table in _INSERTS}:
        connection.close()
        raise StoreError(
            "is a DuckDB database, but not of this version of Roundtable.",
            str(path),
            "Name a file that `python -m loaders load` made, or one that does not exist yet.",
        )
    return connection


_COLUMNS: Final = "select table_name, column_name from duckdb_columns() where not internal order by column_index"


def _first_line(fault: Exception) -> str:
    line = str(fault).partition("\n")[0]
    return line if line.endswith((".", "!")) else f"{line}."


def sighting_id(sha256: str, path: str, sighting: Sighting) -> str:
    """What tells one figure in a source from all others; the same at every loading."""
    parts = (
        sha256, path, sighting.where.line, sighting.suite, sighting.submitter, sighting.system_id, sighting.system_name,
        sighting.benchmark, sighting.model, sighting.scenario, sighting.value, sighting.power_value, sighting.public_id,
    )  # fmt: skip
    return hashlib.sha256("\x1f".join(map(str, parts)).encode(errors="replace")).hexdigest()[:24]


def store(
    connection: duckdb.DuckDBPyConnection,
    source: SourceFile,
    seen: Sequence[Seen],
    problems: Iterable[Problem],
) -> Stored:
    """Add one source's figures and faults; on any failure the database stays as it was. Raises `StoreError`."""
    cursor = connection.cursor()
    try:
        with _transaction(cursor):
            new = _insert_sightings(cursor, source, seen)
            _replace_source(cursor, source, seen, problems)
            touched = {(item.sighting.round, item.sighting.submitter) for item in seen}
            between = [found for partition in sorted(touched) for found in _resolve(cursor, partition)] if new else []
    except duckdb.Error as fault:
        raise StoreError(_first_line(fault), source.file, "Nothing of this source was stored.") from fault
    return Stored(new, len(seen) - new, tuple(_told(found) for found in between))


def _told(found: Between) -> Problem:
    """The fault with its source in its place, for a report on several sources."""
    where = found.problem.where
    return replace(found.problem, where=Where(f"{found.source}/{where.file}", where.line))


@contextmanager
def _transaction(cursor: duckdb.DuckDBPyConnection) -> Iterator[None]:
    cursor.begin()
    try:
        yield
    except BaseException:
        cursor.rollback()
        raise
    cursor.commit()


def _append(cursor: duckdb.DuckDBPyConnection, table: str, rows: list[dict[str, Any]]) -> None:
    """Rows into one of our own tables, by name, in the table's types."""
    if rows:
        batch = pa.Table.from_pylist(rows, schema=_arrow_schema(table))
        cursor.register("batch", batch)
        cursor.execute(_INSERTS[table])
        cursor.unregister("batch")


_INSERTS: Final = {
    "sources": "insert or replace into sources by name select * from batch",
    "sightings": "insert or ignore into sightings by name select * from batch",
    "results": "insert into results by name select * from batch",
    "systems": "insert into systems by name select * from batch",
    "problems": "insert into problems by name select * from batch",
}


@cache
def _arrow_schema(table: str) -> pa.Schema:
    with duckdb.connect() as connection:
        connection.execute(_SCHEMA)
        return connection.table(table).to_arrow_table().schema


def _insert_sightings(cursor: duckdb.DuckDBPyConnection, source: SourceFile, seen: Sequence[Seen]) -> int:
    """Returns how many were not there yet."""
    before = _count(cursor)
    rows = [
        {
            **{name: getattr(item.sighting, name) for name in SIGHTING_FIELDS},
            "sighting_id": item.sighting_id,
            "result_id": None,
            "sha256": source.sha256,
            "source": item.source,
            "source_path": item.source_path,
            "line": item.sighting.where.line,
            "format": item.format,
            "rank": item.rank,
            "origin": item.origin,
        }
        for item in seen
    ]
    _append(cursor, "sightings", rows)
    return _count(cursor) - before


def _count(cursor: duckdb.DuckDBPyConnection) -> int:
    return int((cursor.execute("select count(*) from sightings").fetchone() or (0,))[0])


def _replace_source(
    cursor: duckdb.DuckDBPyConnection, source: SourceFile, seen: Sequence[Seen], problems: Iterable[Problem]
) -> None:
    formats = ",".join(sorted({item.format for item in seen}))
    described = {field.name: getattr(source, field.name) for field in fields(source)}
    _append(cursor, "sources", [{**described, "format": formats, "rows": len(seen)}])
    cursor.execute("delete from problems where sha256 = $sha256", {"sha256": source.sha256})
    _append(cursor, "problems", _problem_rows(problems, source.source, sha256=source.sha256))


def _problem_rows(
    problems: Iterable[Problem], source: str, *, sha256: str | None = None, partition: str | None = None
) -> list[dict[str, Any]]:
    """One row per kind of fault and file, with its first place and how often it occurred."""
    first: dict[tuple[str, str, str], Problem] = {}
    counts: Counter[tuple[str, str, str]] = Counter()
    for problem in problems:
        key = problem.where.file, problem.kind, problem.found
        first.setdefault(key, problem)
        counts[key] += 1
    return [
        {
            "sha256": sha256,
            "partition": partition,
            "source": source,
            "file": problem.where.file,
            "line": problem.where.line,
            "kind": problem.kind,
            "found": problem.found,
            "fix": problem.fix,
            "occurrences": counts[key],
        }
        for key, problem in first.items()
    ]


def _resolve(cursor: duckdb.DuckDBPyConnection, partition: Partition) -> list[Between]:
    """Make the partition's results and systems anew from all its sightings."""
    picked = {"round": partition[0], "submitter": partition[1]}
    results, problems, owners = resolve.resolve(_seen(cursor, picked))
    for statement in (_DROP_RESULTS, _DROP_SYSTEMS):
        cursor.execute(statement, picked)
    _append(cursor, "results", [resolve.row(result) for result in results])
    _append(cursor, "systems", list(_systems(results)))
    name = "/".join(partition)
    cursor.execute("delete from problems where partition = $partition", {"partition": name})
    for source in sorted({found.source for found in problems}):
        own = [found.problem for found in problems if found.source == source]
        _append(cursor, "problems", _problem_rows(own, source, partition=name))
    _own(cursor, owners)
    return problems


def _own(cursor: duckdb.DuckDBPyConnection, owners: dict[str, str]) -> None:
    """Write down which result each sighting belongs to."""
    batch = pa.table({"sighting_id": list(owners), "result_id": list(owners.values())}, schema=_OWNERS)
    cursor.register("owners", batch)
    cursor.execute(
        "update sightings set result_id = owners.result_id from owners where sightings.sighting_id = owners.sighting_id"
    )
    cursor.unregister("owners")


_OWNERS: Final = pa.schema([("sighting_id", pa.string()), ("result_id", pa.string())])
_DROP_RESULTS: Final = "delete from results where round = $round and submitter = $submitter"
_DROP_SYSTEMS: Final = "delete from systems where round = $round and submitter = $submitter"
_SELECT: Final = "select * from sightings where round = $round and submitter = $submitter"


def _seen(cursor: duckdb.DuckDBPyConnection, picked: dict[str, str]) -> Iterator[Seen]:
    for row in cursor.execute(_SELECT, picked).to_arrow_table().to_pylist():
        sighting = Sighting(
            where=Where(row["source_path"], row["line"]), **{name: row[name] for name in SIGHTING_FIELDS}
        )
        yield Seen(
            sighting, row["sighting_id"], row["source"], row["source_path"], row["format"], row["rank"], row["origin"]
        )


_SYSTEM_FIELDS: Final = (
    "system_name", "availability", "server", "server_family", "nodes", "processor", "processors_per_node",
    "processor_cores", "accelerator", "accelerator_raw", "accelerator_count", "framework", "operating_system",
)  # fmt: skip


def _systems(results: Iterable[Result]) -> Iterator[dict[str, Any]]:
    """One row per system, suite and division, from the first of its results that says anything."""
    found: dict[tuple[str, ...], dict[str, Any]] = {}
    for result in results:
        sighting = result.lead.sighting
        system_id = result.known("system_id")
        key = (sighting.suite, sighting.division, system_id or "", "" if system_id else sighting.system_name or "")
        row = found.setdefault(
            key,
            {
                "round": sighting.round,
                "suite": sighting.suite,
                "division": sighting.division,
                "submitter": sighting.submitter,
                "system_id": system_id,
            },
        )
        for field in _SYSTEM_FIELDS:
            if row.get(field) is None:
                row[field] = result.known(field)
    yield from (found[key] for key in sorted(found))
