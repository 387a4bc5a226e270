"""Writing into a results database, each source in one transaction: all of it is stored, or nothing is.

The only module that writes. `results` and `systems` are made anew from the sightings of every round and submitter
that a source touches, so that loading in any order, and loading twice, ends in the same database.
"""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import duckdb
import pyarrow as pa

from loaders.made import Made, make
from loaders.rows import AT_ONCE, SCHEMA, Packed, Partition, arrow_schema
from mlperf.errors import Problem, StoreError


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
            connection.execute(SCHEMA)
    except duckdb.Error as fault:
        raise StoreError(
            first_line(fault), str(path), "Name a file that Roundtable made, or one that does not exist yet."
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
        raise StoreError(first_line(fault), str(path), "Name a file that `python -m loaders load` made.") from fault
    return _ours(connection, path)


def _ours(connection: duckdb.DuckDBPyConnection, path: Path | None) -> duckdb.DuckDBPyConnection:
    """The connection where it has our tables with our columns; closes it and raises `StoreError` elsewhere."""
    columns: dict[str, list[str]] = {}
    for table, column in connection.execute(_COLUMNS).fetchall():
        columns.setdefault(table, []).append(column)
    if columns != {table: list(arrow_schema(table).names) for table in _INSERTS}:
        connection.close()
        raise StoreError(
            "is no database of results, or not of this version of Roundtable.",
            str(path),
            "Name a file that `python -m loaders load` made, or one that does not exist yet.",
        )
    return connection


_COLUMNS: Final = "select table_name, column_name from duckdb_columns() where not internal order by column_index"


def first_line(fault: Exception) -> str:
    """What DuckDB says in a sentence, without its long explanations."""
    line = str(fault).partition("\n")[0]
    return line if line.endswith((".", "!")) else f"{line}."


def store(connection: duckdb.DuckDBPyConnection, packed: Packed) -> Stored:
    """Add one source and make anew what follows from it; on any failure the database stays as it was.

    Raises `StoreError`.
    """
    cursor = connection.cursor()
    try:
        with transaction(cursor):
            return _stored(cursor, packed)
    except duckdb.Error as fault:
        raise StoreError(first_line(fault), packed.source.file, "Nothing of this source was stored.") from fault


def _stored(cursor: duckdb.DuckDBPyConnection, packed: Packed) -> Stored:
    done = _add(cursor, packed)
    with _touching(cursor, packed.partitions):
        if done.new:
            made = make(cursor.execute(_SELECT).to_arrow_table())
            _replace_made(cursor, made)
            done = replace(done, problems=made.problems)
        link_runs(cursor)
    return done


@contextmanager
def _touching(cursor: duckdb.DuckDBPyConnection, partitions: Collection[Partition]) -> Iterator[None]:
    """Statements find the partitions in the table `touched`."""
    names = {"round": [one for one, _ in partitions], "submitter": [two for _, two in partitions]}
    cursor.register("touched", pa.table(names, _TOUCHED))
    yield
    cursor.unregister("touched")


def _add(cursor: duckdb.DuckDBPyConnection, packed: Packed) -> Stored:
    """What is new of a source's figures; all that only it says takes the place of what it said before."""
    before = _count(cursor)
    for statement in _FORGET:
        cursor.execute(statement, {"sha256": packed.source.sha256})
    for table, rows in packed.rows.items():
        _insert(cursor, table, rows)
    new = _count(cursor) - before
    return Stored(new, packed.rows["sightings"].num_rows - new, ())


@contextmanager
def transaction(cursor: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """All statements within, or none of them."""
    cursor.begin()
    try:
        yield
    except BaseException:
        cursor.rollback()
        raise
    cursor.commit()


def _insert(cursor: duckdb.DuckDBPyConnection, table: str, rows: pa.Table) -> None:
    """Rows into one of our own tables, by name."""
    for start in range(0, rows.num_rows, AT_ONCE):
        cursor.register("batch", rows.slice(start, AT_ONCE))
        cursor.execute(_INSERTS[table])
        cursor.unregister("batch")


_INSERTS: Final = {
    "sources": "insert or replace into sources by name select * from batch",
    "sightings": "insert into sightings by name select * from batch anti join sightings using (sighting_id)",
    "results": "insert into results by name select * from batch",
    "systems": "insert into systems by name select * from batch",
    "runs": "insert into runs by name select * from batch",
    "sheets": "insert into sheets by name select * from batch",
    "problems": "insert into problems by name select * from batch",
}


def _count(cursor: duckdb.DuckDBPyConnection) -> int:
    return int((cursor.execute("select count(*) from sightings").fetchone() or (0,))[0])


_FORGET: Final = (
    "delete from problems where sha256 = $sha256",
    "delete from runs where sha256 = $sha256",
    "delete from sheets where sha256 = $sha256",
)


def _replace_made(cursor: duckdb.DuckDBPyConnection, made: Made) -> None:
    """Put what was made of the touched partitions in the place of what they had."""
    for statement in _DROP:
        cursor.execute(statement)
    for table, rows in made.rows.items():
        _insert(cursor, table, rows)
    cursor.register("owners", made.owners)
    cursor.execute(_LINK_SIGHTINGS)
    cursor.unregister("owners")


def link_runs(cursor: duckdb.DuckDBPyConnection) -> None:
    """Write down which result each run of the partitions in the table `touched` is behind."""
    for statement in _LINK_RUNS:
        cursor.execute(statement)


_LINK_SIGHTINGS: Final = (
    "update sightings set result_id = owners.result_id from owners where sightings.sighting_id = owners.sighting_id"
)
_LINK_RUNS: Final = (
    """
    update runs set result_id = found.result_id from (
        select sha256, round, submitter, benchmark, location, min(result_id) as result_id
        from sightings semi join touched using (round, submitter) group by all
    ) as found
    where found.sha256 = runs.sha256 and found.round = runs.round and found.submitter = runs.submitter
        and found.benchmark = runs.benchmark and found.location = runs.location
    """,
    # Runs of a group that we do not score may be behind a figure of a table.
    """
    update runs set result_id = found.result_id from (
        select
            split_part(suite, '-', 1) as kind, round, submitter, benchmark, lower(location) as location,
            min(result_id) as result_id
        from results semi join touched using (round, submitter) group by all
    ) as found
    where runs.result_id is null and found.kind = runs.kind and found.round = runs.round
        and found.submitter = runs.submitter and found.benchmark = runs.benchmark
        and found.location = lower(runs.location)
    """,
)
_TOUCHED: Final = pa.schema([("round", pa.string()), ("submitter", pa.string())])
_DROP: Final = (
    "delete from results using touched where results.round = touched.round and results.submitter = touched.submitter",
    "delete from systems using touched where systems.round = touched.round and systems.submitter = touched.submitter",
    "delete from problems using touched where partition = touched.round || '/' || touched.submitter",
    """
    update sightings set result_id = null from touched
    where sightings.round = touched.round and sightings.submitter = touched.submitter and result_id is not null
    """,
    """
    update runs set result_id = null from touched
    where runs.round = touched.round and runs.submitter = touched.submitter and result_id is not null
    """,
)
_SELECT: Final = "select * from sightings semi join touched using (round, submitter) order by round, submitter"
