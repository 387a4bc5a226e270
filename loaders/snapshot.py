"""The embedded snapshot: every listed source loaded and written as sorted Parquet, the same bytes each time."""

import gc
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from pathlib import Path
from typing import Final

import duckdb
import pyarrow as pa

from loaders import checksums
from loaders.collected import Collected
from loaders.ingest import SourceReport, handed, read
from loaders.manifest import DATA, Manifest
from loaders.processes import a_few_ahead, started
from loaders.store import first_line, link_runs, open_database
from loaders.unpack import OnProgress
from mlperf.errors import DashboardError, StoreError

Watch = Callable[[Path], AbstractContextManager[OnProgress]]
"""Shows how far the reading of a folder has come."""

TABLES: Final = ("results", "systems", "runs", "sheets", "problems", "sources", "sightings")

MAX_BYTES: Final = 8_000_000
"""The snapshot travels with every clone: all files together stay under 8 MB."""


def build(folders: list[Path], target: Path, manifest: Manifest, progress: Watch, jobs: int = 1) -> list[SourceReport]:
    """Load all of `folders`, write one Parquet file per table into `target`, each replaced as a whole, and checksums.

    Archives are read by `jobs` processes side by side; the files do not depend on how many.

    Raises `StoreError` where nothing was found or the snapshot grew over `MAX_BYTES`; `target` then stays as it was.
    """
    pa.set_memory_pool(pa.system_memory_pool())  # Arrow's own keeps what it frees, tens of megabytes here
    reports: list[SourceReport] = []
    collected = Collected()
    with _few_collections(), started(jobs) as workers:
        for folder in folders:
            with progress(folder) as on_progress:
                for reading in read(folder, manifest, on_progress=on_progress, workers=workers):
                    reports.append(handed(reading, collected.add))
        if not any(report.new for report in reports):
            raise StoreError(
                "no results were found.", ", ".join(map(str, folders)), "Name folders that hold MLCommons' tables."
            )
        rows, problems = collected.settle(partial(a_few_ahead, workers))
    reports.append(SourceReport("All sources side by side", problems=list(problems)))
    del collected
    target.mkdir(parents=True, exist_ok=True)
    written = [(new, target / f"{table}.parquet") for table, new in _write(rows, target)]
    size = sum(new.stat().st_size for new, _ in written)
    if size > MAX_BYTES:
        for new, _ in written:
            new.unlink()
        raise DashboardError(
            f"the snapshot has {size:,} bytes, more than {MAX_BYTES:,}.", str(target), "Nothing was replaced."
        )
    digests = {final.name: checksums.digest_of(new) for new, final in written}
    for new, final in written:
        new.replace(final)
    (target / checksums.FILE).write_text(checksums.text_of(digests), encoding="ascii")
    return reports


@contextmanager
def _few_collections() -> Iterator[None]:
    """Looking for cycles among a million values, all of them kept, takes a tenth of the time; workers do as we do."""
    before = gc.get_threshold()
    gc.set_threshold(10_000_000, 50, 1000)
    try:
        yield
    finally:
        gc.set_threshold(*before)


def open_snapshot(folder: Path = DATA) -> duckdb.DuckDBPyConnection:
    """The snapshot in `folder` as a database in memory that reaches no file and no network. Raises `StoreError`."""
    connection = read_snapshot(folder)
    seal(connection)
    return connection


def read_snapshot(folder: Path = DATA) -> duckdb.DuckDBPyConnection:
    """As `open_snapshot`, but not sealed: for attaching what else it shall reach. Raises `StoreError`.

    Files that are not as their checksums state are refused. Results of a snapshot that did not come with Roundtable
    are unverified, as nothing proves what they were made of.
    """
    has_checksums = checksums.check(folder, [f"{table}.parquet" for table in TABLES])
    connection = duckdb.connect(":memory:")
    try:
        for table in TABLES:
            connection.read_parquet(str(folder / f"{table}.parquet")).create(table)
        if not has_checksums:
            _check_columns(connection, folder)
        if not is_released(folder):
            connection.execute("update results set verified = false")
    except duckdb.Error as fault:
        raise StoreError(first_line(fault), str(folder), "Build the snapshot with `make snapshot`.") from fault
    return connection


def is_released(folder: Path) -> bool:
    """Whether the snapshot in `folder` is the one that came with Roundtable. Raises `StoreError`."""
    return checksums.is_same(folder, DATA)


def _check_columns(connection: duckdb.DuckDBPyConnection, folder: Path) -> None:
    """Raise `StoreError` for a file that lacks a column of its table: it lies in the place of another."""
    with open_database(None) as empty:
        for table, query in _QUERIES.items():
            lacking = set(empty.sql(query).columns) - set(connection.table(table).columns)
            if lacking:
                found = f"has no column {', '.join(sorted(lacking))}, so that it is no table of {table}."
                raise StoreError(found, str(folder / f"{table}.parquet"), "Build the snapshot with `make snapshot`.")


def seal(connection: duckdb.DuckDBPyConnection) -> None:
    """From now on the database reaches no file that it does not hold yet, and no network."""
    connection.execute("set enable_external_access = false")
    connection.execute("set lock_configuration = true")


def _write(rows: dict[str, pa.Table], target: Path) -> Iterator[tuple[str, Path]]:
    """Each table in its own order, every row on one thread, so that equal content gives equal bytes."""
    with duckdb.connect() as connection:
        connection.execute("set threads = 1")
        for table, known in rows.items():
            connection.register("unlinked" if table == "runs" else table, known)
        connection.execute("create table runs as select null::varchar as result_id, * from unlinked")
        connection.execute("create table touched as select distinct round, submitter from runs")
        link_runs(connection)
        for table, query in _QUERIES.items():
            new = target / f".{table}.parquet.new"
            connection.sql(query).write_parquet(str(new), compression="zstd", row_group_size=1 << 20)
            yield table, new
            connection.unregister(table)
            del rows[table]


_QUERIES: Final = {
    "systems": "select * from systems order by all",
    "runs": "select * exclude (sha256) from runs order by all",
    "sheets": """
        select distinct * exclude (sha256) from sheets
        order by kind, round, submitter, system_id, source, source_path, position, field, value
    """,
    "problems": "select source, file, line, kind, found, fix, occurrences from problems order by all",
    "sources": "select * from sources order by all",
    "sightings": """
        select result_id, suite, source, source_path, line, format, public_id, value, unit, power_value, power_unit,
               accelerator_raw, basis, tokens_per_second, samples_per_second, mean_latency_ms, measure_lines
        from sightings order by all
    """,
    "results": """
        select * from results
        order by round, suite, division, submitter, system_id, system_name, benchmark, model, scenario, result_id
    """,
}
