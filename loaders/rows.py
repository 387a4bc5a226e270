"""What one source says, as rows of our own tables; no database is needed for it."""

import hashlib
import itertools
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, fields
from functools import cache
from operator import attrgetter
from pathlib import Path
from typing import Any, Final

import duckdb
import pyarrow as pa

from loaders.resolve import Seen
from mlperf.errors import Problem, StoreError
from mlperf.model import Run, Sighting, SystemSheet

SCHEMA: Final = Path(__file__).with_name("schema.sql").read_text(encoding="utf-8")

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
        "sources": named_rows("sources", [{**described, "format": formats, "rows": len(content.seen)}]),
        "sightings": plain_rows("sightings", _SIGHTING_COLUMNS, (_sighting_row(item, source) for item in content.seen)),
        "problems": named_rows("problems", problem_rows(content.problems, source.source, sha256=source.sha256)),
        "runs": plain_rows("runs", _RUN_COLUMNS, (_run_row(run, source) for run in content.runs)),
        "sheets": plain_rows(
            "sheets", _SHEET_COLUMNS, (row for sheet in content.sheets for row in _sheet_rows(sheet, source))
        ),
    }
    figures = {(item.sighting.round, item.sighting.submitter) for item in content.seen}
    return Packed(source, rows, sorted(figures | {(run.round, run.submitter) for run in content.runs if run.round}))


_SIGHTING_COLUMNS: Final = (
    *SIGHTING_FIELDS, "line", "sighting_id", "sha256", "source", "source_path", "format", "rank", "origin",
)  # fmt: skip


def _sighting_row(item: Seen, source: SourceFile) -> tuple[Any, ...]:
    where, *figure = item.sighting
    return (
        *figure, where.line, item.sighting_id, source.sha256,
        item.source, item.source_path, item.format, item.rank, item.origin,
    )  # fmt: skip


_RUN_FIELDS: Final = tuple(field.name for field in fields(Run) if field.name not in {"where", "group"})
_RUN_COLUMNS: Final = (*_RUN_FIELDS, "sha256", "source", "source_path", "line")
_run: Final = attrgetter(*_RUN_FIELDS)


def _run_row(run: Run, source: SourceFile) -> tuple[Any, ...]:
    return *_run(run), source.sha256, source.source, run.where.file, run.where.line


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


def named_rows(table: str, rows: Iterable[dict[str, Any]]) -> pa.Table:
    """Rows by name, in the types of one of our own tables."""
    columns = arrow_schema(table).names
    return plain_rows(table, columns, (tuple(map(row.get, columns)) for row in rows))


def plain_rows(table: str, columns: Sequence[str], rows: Iterable[tuple[Any, ...]]) -> pa.Table:
    """Rows of some columns, in the types of one of our own tables; column by column Arrow takes half the time."""
    waiting, known = iter(rows), arrow_schema(table)
    schema = pa.schema([known.field(column) for column in columns])
    batches = []
    while batch := list(itertools.islice(waiting, AT_ONCE)):
        cells = [pa.array(column, kind) for column, kind in zip(zip(*batch, strict=True), schema.types, strict=True)]
        batches.append(pa.RecordBatch.from_arrays(cells, schema=schema))
    return pa.Table.from_batches(batches, schema)


def checked(table: str, rows: pa.Table) -> pa.Table:
    """Rows with their columns in the order of one of our own tables; raises `StoreError` where they lack a value."""
    known = [field for field in arrow_schema(table) if field.name in rows.column_names]
    for field in known:
        if not field.nullable and rows[field.name].null_count:
            raise StoreError(f"a row has no {field.name}.", table, "Please report this as a fault of Roundtable.")
    return rows.select([field.name for field in known])


def arrow_schema(table: str) -> pa.Schema:
    """Columns and types of one of our own tables, and which may be null."""
    return _schemas()[table]


@cache
def _schemas() -> dict[str, pa.Schema]:
    with duckdb.connect() as connection:
        connection.execute(SCHEMA)
        needed = set(connection.execute(_NEEDED).fetchall())
        names = [name for (name,) in connection.execute("select table_name from duckdb_tables()").fetchall()]
        schemas = {name: connection.table(name).to_arrow_table().schema for name in names}
    return {
        name: pa.schema([field.with_nullable((name, field.name) not in needed) for field in schema])
        for name, schema in schemas.items()
    }


_NEEDED: Final = "select table_name, column_name from duckdb_columns() where not is_nullable"
