"""Writing into a results database, each source in one transaction: all of it is stored, or nothing is.

The only module that writes. `results` and `systems` are made anew from the sightings of every round and submitter
that a source touches, so that loading in any order, and loading twice, ends in the same database.
"""

import hashlib
import itertools
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields, replace
from functools import cache
from operator import attrgetter
from pathlib import Path
from typing import Any, Final

import duckdb
import pyarrow as pa

from loaders import resolve
from loaders.resolve import Between, Result, Seen
from mlperf.errors import Problem, StoreError, Where
from mlperf.model import Run, Sighting, SystemSheet

_SCHEMA: Final = Path(__file__).with_name("schema.sql").read_text(encoding="utf-8")

SIGHTING_FIELDS: Final = Sighting._fields[1:]

AT_ONCE: Final = 4000
"""Rows that are held as Python objects before Arrow takes them, and inserted by one statement."""

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
class Content:
    """What one source says, with places as the source names them."""

    seen: Sequence[Seen]
    problems: Sequence[Problem] = ()
    runs: Sequence[Run] = ()
    sheets: Sequence[SystemSheet] = ()


@dataclass(frozen=True)
class Packed:
    """What one source says, as the rows to be written: small, and quick to hand from one process to another."""

    source: SourceFile
    rows: dict[str, pa.Table]
    """Of each table that a source writes into."""
    partitions: list[Partition]
    """Whose results it touches."""


@dataclass(frozen=True)
class Stored:
    """What one transaction changed."""

    new: int
    already: int
    problems: tuple[Problem, ...]
    """Faults that show only between sources."""


@dataclass(frozen=True)
class Made:
    """What follows from the sightings of some partitions, as rows."""

    rows: dict[str, pa.Table]
    """Of the tables `results`, `systems` and `problems`."""
    owners: pa.Table
    """Which result each sighting belongs to."""
    problems: tuple[Problem, ...]
    """Faults that show only between sources."""


Ways = Callable[[Callable[[pa.Table], Made], Iterable[pa.Table]], Iterable[Made]]
"""How `make` is called for several tables."""


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
    if columns != {table: list(_arrow_schema(table).names) for table in _INSERTS}:
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


def sighting_id(sha256: str, path: str, sighting: Sighting) -> str:
    """What tells one figure in a source from all others; the same at every loading."""
    parts = (
        sha256, path, sighting.where.line, sighting.suite, sighting.submitter, sighting.system_id, sighting.system_name,
        sighting.benchmark, sighting.model, sighting.scenario, sighting.value, sighting.power_value, sighting.public_id,
    )  # fmt: skip
    return hashlib.sha256("\x1f".join(map(str, parts)).encode(errors="replace")).hexdigest()[:24]


def pack(source: SourceFile, content: Content) -> Packed:
    """What a source says as rows; needs no database, so that the process that read the source can do it."""
    formats = ",".join(sorted({item.format for item in content.seen}))
    described = {field.name: getattr(source, field.name) for field in fields(source)}
    rows = {
        "sources": _rows("sources", [{**described, "format": formats, "rows": len(content.seen)}]),
        "sightings": _table("sightings", _SIGHTING_COLUMNS, (_sighting_row(item, source) for item in content.seen)),
        "problems": _rows("problems", problem_rows(content.problems, source.source, sha256=source.sha256)),
        "runs": _table("runs", _RUN_COLUMNS, (_run_row(run, source) for run in content.runs)),
        "sheets": _table(
            "sheets", _SHEET_COLUMNS, (row for sheet in content.sheets for row in _sheet_rows(sheet, source))
        ),
    }
    figures = {(item.sighting.round, item.sighting.submitter) for item in content.seen}
    return Packed(source, rows, sorted(figures | {(run.round, run.submitter) for run in content.runs if run.round}))


def store(connection: duckdb.DuckDBPyConnection, packed: Packed) -> Stored:
    """Add one source and make anew what follows from it; on any failure the database stays as it was.

    Raises `StoreError`.
    """
    with _changing(connection, packed.source.file) as cursor:
        done = _add(cursor, packed)
        with _touching(cursor, packed.partitions):
            if done.new:
                made = make(cursor.execute(_SELECT).to_arrow_table())
                _replace_made(cursor, made)
                done = replace(done, problems=made.problems)
            _link_runs(cursor)
    return done


def add(connection: duckdb.DuckDBPyConnection, packed: Packed) -> Stored:
    """As `store`, but `settle` is left to do: for many sources at once. Raises `StoreError`."""
    with _changing(connection, packed.source.file) as cursor:
        return _add(cursor, packed)


def settle(
    connection: duckdb.DuckDBPyConnection, partitions: Collection[Partition], ways: Ways = map
) -> tuple[Problem, ...]:
    """Make results and systems anew from all that was added; the faults between sources. Raises `StoreError`.

    Round by round, each in a transaction of its own: DuckDB holds what is inserted until it is committed. What was
    held for a round is given back to the system before the next. `ways` is `map`, or does what `map` does in other
    processes.
    """
    problems: list[Problem] = []
    rounds = [list(group) for _, group in itertools.groupby(sorted(partitions), key=lambda partition: partition[0])]
    for group, made in zip(rounds, ways(make, (_sightings(connection, group) for group in rounds)), strict=True):
        with _changing(connection, "the sources") as cursor, _touching(cursor, group):
            _replace_made(cursor, made)
        problems += made.problems
        pa.default_memory_pool().release_unused()
    with _changing(connection, "the sources") as cursor, _touching(cursor, partitions):
        _link_runs(cursor)
    return tuple(problems)


def _sightings(connection: duckdb.DuckDBPyConnection, partitions: Collection[Partition]) -> pa.Table:
    """All sightings of some partitions, as `make` takes them."""
    cursor = connection.cursor()
    with _touching(cursor, partitions):
        return cursor.execute(_SELECT).to_arrow_table()


@contextmanager
def _touching(cursor: duckdb.DuckDBPyConnection, partitions: Collection[Partition]) -> Iterator[None]:
    """Statements find the partitions in the table `touched`."""
    names = {"round": [one for one, _ in partitions], "submitter": [two for _, two in partitions]}
    cursor.register("touched", pa.table(names, _TOUCHED))
    yield
    cursor.unregister("touched")


@contextmanager
def _changing(connection: duckdb.DuckDBPyConnection, name: str) -> Iterator[duckdb.DuckDBPyConnection]:
    cursor = connection.cursor()
    try:
        with transaction(cursor):
            yield cursor
    except duckdb.Error as fault:
        raise StoreError(first_line(fault), name, "Nothing of this source was stored.") from fault


def _add(cursor: duckdb.DuckDBPyConnection, packed: Packed) -> Stored:
    """What is new of a source's figures; all that only it says takes the place of what it said before."""
    before = _count(cursor)
    for statement in _FORGET:
        cursor.execute(statement, {"sha256": packed.source.sha256})
    for table, rows in packed.rows.items():
        _insert(cursor, table, rows)
    new = _count(cursor) - before
    return Stored(new, packed.rows["sightings"].num_rows - new, ())


def _told(found: Between) -> Problem:
    """The fault with its source in its place, for a report on several sources."""
    where = found.problem.where
    return replace(found.problem, where=Where(f"{found.source}/{where.file}", where.line))


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


def _rows(table: str, rows: Iterable[dict[str, Any]]) -> pa.Table:
    """Rows by name, in the types of one of our own tables."""
    waiting, schema = iter(rows), _arrow_schema(table)
    batches = iter(lambda: list(itertools.islice(waiting, AT_ONCE)), [])
    return pa.Table.from_batches((pa.RecordBatch.from_pylist(batch, schema) for batch in batches), schema)


def _table(table: str, columns: Sequence[str], rows: Iterable[tuple[Any, ...]]) -> pa.Table:
    """Rows of some columns, in the types of one of our own tables; column by column Arrow takes half the time."""
    waiting, known = iter(rows), _arrow_schema(table)
    schema = pa.schema([known.field(column) for column in columns])
    batches = []
    while batch := list(itertools.islice(waiting, AT_ONCE)):
        cells = [pa.array(column, kind) for column, kind in zip(zip(*batch, strict=True), schema.types, strict=True)]
        batches.append(pa.RecordBatch.from_arrays(cells, schema=schema))
    return pa.Table.from_batches(batches, schema)


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


@cache
def _arrow_schema(table: str) -> pa.Schema:
    with duckdb.connect() as connection:
        connection.execute(_SCHEMA)
        return connection.table(table).to_arrow_table().schema


def _count(cursor: duckdb.DuckDBPyConnection) -> int:
    return int((cursor.execute("select count(*) from sightings").fetchone() or (0,))[0])


_SIGHTING_COLUMNS: Final = (
    *SIGHTING_FIELDS, "line", "sighting_id", "sha256", "source", "source_path", "format", "rank", "origin",
)  # fmt: skip


def _sighting_row(item: Seen, source: SourceFile) -> tuple[Any, ...]:
    where, *figure = item.sighting
    return (
        *figure, where.line, item.sighting_id, source.sha256,
        item.source, item.source_path, item.format, item.rank, item.origin,
    )  # fmt: skip


_FORGET: Final = (
    "delete from problems where sha256 = $sha256",
    "delete from runs where sha256 = $sha256",
    "delete from sheets where sha256 = $sha256",
)


_PLACE_COLUMNS: Final = ("sha256", "source", "source_path", "line")


def _place(where: Where, source: SourceFile) -> tuple[Any, ...]:
    return source.sha256, source.source, where.file, where.line


_RUN_FIELDS: Final = tuple(field.name for field in fields(Run) if field.name not in {"where", "group"})
_RUN_COLUMNS: Final = (*_RUN_FIELDS, *_PLACE_COLUMNS)
_run: Final = attrgetter(*_RUN_FIELDS)


def _run_row(run: Run, source: SourceFile) -> tuple[Any, ...]:
    return *_run(run), *_place(run.where, source)


_SHEET_COLUMNS: Final = (
    "kind", "round", "submitter", "system_id", "position", "field", "value", "sha256", "source", "source_path",
)  # fmt: skip


def _sheet_rows(sheet: SystemSheet, source: SourceFile) -> Iterator[tuple[Any, ...]]:
    for position, (field, value) in enumerate(sheet.facts):
        yield (
            sheet.kind, sheet.round, sheet.submitter, sheet.system_id, position, field, value,
            source.sha256, source.source, sheet.where.file,
        )  # fmt: skip


def problem_rows(
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


def make(sightings: pa.Table) -> Made:
    """Make results and systems of all sightings of some partitions, which lie side by side; needs no database."""
    systems: list[dict[str, Any]] = []
    problems: list[dict[str, Any]] = []
    owners: dict[str, str] = {}
    told: list[Problem] = []

    def resolved() -> Iterator[dict[str, Any]]:
        for partition, seen in _seen(sightings):
            results, between, belong = resolve.resolve(seen)
            yield from map(resolve.row, results)
            systems.extend(system_rows(results))
            owners.update(belong)
            for source in sorted({fault.source for fault in between}):
                own = [fault.problem for fault in between if fault.source == source]
                problems.extend(problem_rows(own, source, partition="/".join(partition)))
            told.extend(_told(fault) for fault in between)

    rows = {"results": _rows("results", resolved())}  # first: it fills what the others hold
    rows |= {"systems": _rows("systems", systems), "problems": _rows("problems", problems)}
    belonging = {"sighting_id": list(owners), "result_id": list(owners.values())}
    return Made(rows, pa.table(belonging, schema=_OWNERS), tuple(told))


def _replace_made(cursor: duckdb.DuckDBPyConnection, made: Made) -> None:
    """Put what was made of the touched partitions in the place of what they had."""
    for statement in _DROP:
        cursor.execute(statement)
    for table, rows in made.rows.items():
        _insert(cursor, table, rows)
    cursor.register("owners", made.owners)
    cursor.execute(_LINK_SIGHTINGS)
    cursor.unregister("owners")


def _link_runs(cursor: duckdb.DuckDBPyConnection) -> None:
    """Write down which result each run of the touched partitions is behind."""
    for statement in _LINK_RUNS:
        cursor.execute(statement)


_LINK_SIGHTINGS: Final = (
    "update sightings set result_id = owners.result_id from owners where sightings.sighting_id = owners.sighting_id"
)
_LINK_RUNS: Final = (
    """
    update runs set result_id = sightings.result_id from sightings semi join touched using (round, submitter)
    where sightings.sha256 = runs.sha256 and sightings.round = runs.round and sightings.submitter = runs.submitter
        and sightings.benchmark = runs.benchmark and sightings.location = runs.location
    """,
    # Runs of a group that we do not score may be behind a figure of a table.
    """
    update runs set result_id = results.result_id from results semi join touched using (round, submitter)
    where runs.result_id is null and results.suite = 'training' and results.round = runs.round
        and results.submitter = runs.submitter and results.benchmark = runs.benchmark
        and lower(results.location) = lower(runs.location)
    """,
)
_OWNERS: Final = pa.schema([("sighting_id", pa.string()), ("result_id", pa.string())])
_TOUCHED: Final = pa.schema([("round", pa.string()), ("submitter", pa.string())])
_DROP: Final = (
    "delete from results using touched where results.round = touched.round and results.submitter = touched.submitter",
    "delete from systems using touched where systems.round = touched.round and systems.submitter = touched.submitter",
    "delete from problems using touched where partition = touched.round || '/' || touched.submitter",
)
_SELECT: Final = "select * from sightings semi join touched using (round, submitter) order by round, submitter"


def _seen(rows: pa.Table) -> Iterator[tuple[Partition, list[Seen]]]:
    """All sightings of each partition."""
    pairs = zip(rows["round"].to_pylist(), rows["submitter"].to_pylist(), strict=True)
    start = 0
    for partition, group in itertools.groupby(pairs):
        size = len(list(group))
        part = rows.slice(start, size)
        # Column by column: by row Arrow takes twice as long.
        figures = zip(*(part[name].to_pylist() for name in SIGHTING_FIELDS), strict=True)
        places = zip(*(part[name].to_pylist() for name in _PLACE_FIELDS), strict=True)
        yield partition, [_seen_row(figure, *place) for figure, place in zip(figures, places, strict=True)]
        start += size


_PLACE_FIELDS: Final = ("line", "sighting_id", "source", "source_path", "format", "rank", "origin")


def _seen_row(
    figure: tuple[Any, ...],
    line: int | None,
    sighting_id: str,
    source: str,
    source_path: str,
    form: str,
    rank: int,
    origin: str,
) -> Seen:
    return Seen(Sighting(Where(source_path, line), *figure), sighting_id, source, source_path, form, rank, origin)


_SYSTEM_FIELDS: Final = (
    "system_id", "system_name", "availability", "server", "server_family", "nodes", "processor", "processors_per_node",
    "processor_cores", "accelerator", "accelerator_raw", "accelerator_count", "framework", "operating_system",
)  # fmt: skip


def system_rows(results: Iterable[Result]) -> Iterator[dict[str, Any]]:
    """One row per system, suite and division, from the first of its results that says anything."""
    found: dict[tuple[str, ...], dict[str, Any]] = {}
    for result in results:
        sighting = result.lead.sighting
        known = result.known(_SYSTEM_FIELDS)
        system_id = known["system_id"]
        key = (sighting.suite, sighting.division, system_id or "", "" if system_id else sighting.system_name or "")
        row = found.setdefault(
            key,
            {
                "round": sighting.round,
                "suite": sighting.suite,
                "division": sighting.division,
                "submitter": sighting.submitter,
            },
        )
        row |= {field: value for field, value in known.items() if row.get(field) is None}
    yield from (found[key] for key in sorted(found))
