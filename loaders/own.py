"""The catalog of own results: one writable database beside the read-only snapshot, in which everybody has an owner.

`Catalog` is the only writer. `View` is what one reader may see: every question of `mlperf.queries` that is asked of it
finds the published rows and the reader's own, and nobody else's.
"""

import datetime
import hashlib
import json
import re
import threading
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

import duckdb
import pyarrow as pa

from loaders import resolve
from loaders.made import system_rows
from loaders.resolve import Result, Seen
from loaders.rows import problem_rows
from loaders.store import first_line, transaction
from loaders.trees.protocol import Label
from loaders.upload import Entry, Inspected, Preview, cleaned, label_in, normalised, shown_text
from mlperf.errors import LoadError, Problem, StoreError, Where
from mlperf.facts import facts
from mlperf.model import SECOND_MEASURES, Measurement, Run, SystemSheet

PATH: Final = Path(__file__).parent.parent / "var" / "own.duckdb"

SUBMITTER: Final = "Own: "
"""Before the upload's title, in place of a submitter: nobody submitted it."""

TABLES: Final = ("results", "systems", "runs", "sheets", "sightings", "problems")
"""The tables of the snapshot that a catalog has, too."""

MAX_TITLE: Final = 60
MAX_NOTE: Final = 2000

_SQL: Final = Path(__file__).parent / "sql"
_OWNER: Final = re.compile(r"[0-9a-z-]{1,64}")
_LABELS: Final = tuple(field for field in Label.__dataclass_fields__ if field not in {"round", "benchmark", "scenario"})
"""What can be said anew of a saved result: what decides its score cannot."""


@dataclass(frozen=True)
class Saved:
    """What became of an upload."""

    upload_id: str
    title: str
    results: int
    runs: int
    was_there: bool
    """Whether the same content was saved before, so that nothing changed."""


class View:
    """What one reader sees. Frozen in its owner, not in time: `version` tells what was changed since."""

    def __init__(self, catalog: "Catalog", owner: str, *, with_shared: bool = False) -> None:
        if not _OWNER.fullmatch(owner):
            raise ValueError(f"{owner!r} is no owner")  # a fault of ours: owners are made by us
        self._catalog, self.owner, self.with_shared = catalog, owner, with_shared

    @property
    def key(self) -> tuple[str, bool, int]:
        """Equal while the reader sees the same."""
        return self.owner, self.with_shared, self._catalog.version

    def has_any(self) -> bool:
        """Whether the reader sees any own row."""
        return (
            _one(self._catalog.cursor(), "own_any", {"owner": self.owner, "with_shared": self.with_shared}) is not None
        )

    def cursor(self) -> duckdb.DuckDBPyConnection:
        """A cursor on which the tables' names mean published and own rows together."""
        cursor = self._catalog.cursor()
        cursor.execute("set variable owner = $owner", {"owner": self.owner})
        cursor.execute("set variable with_shared = $shared", {"shared": self.with_shared})
        _run(cursor, "own_views")
        return cursor


class Catalog:
    """All owners' results. One per process: DuckDB lets no two processes write one file."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection
        self._writing = threading.Lock()
        self.version = 0

    def cursor(self) -> duckdb.DuckDBPyConnection:
        """A cursor on the published tables, and on all own ones under `own`."""
        return self._connection.cursor()

    def save(self, owner: str, title: str, inspected: Inspected, preview: Preview, most: int) -> Saved:
        """Save all of an upload, or nothing; the same content of the same owner changes nothing.

        Results of it that were deleted meanwhile come back, under the labels that they have now. Raises `LoadError`
        where a label is missing, there is nothing to save, or the owner would have over `most` results and groups of
        runs; `StoreError` where the database fails.
        """
        upload_id = _identifier(owner, inspected.sha256)
        with self._changing(inspected.name) as cursor:
            known = _one(cursor, "own_title", {"upload": upload_id, "owner": owner})
            if known is None:
                _check(preview, inspected.name)
            rows = _rows(upload_id, preview, inspected)
            if known is not None:
                rows = _deleted(cursor, upload_id, rows)
            results = len({row["result_id"] for row in rows["results"]})
            if known is not None and not results:
                return Saved(upload_id, known[0], 0, 0, was_there=True)
            groups = {row["location"] for row in rows["runs"] if row["result_id"] is None}
            held, more = (_one(cursor, "own_held", {"owner": owner}) or (0,))[0], results + len(groups)
            if held + more > most:
                found = f"holds {more:,} results and groups of runs; you have {held:,} of at most {most:,}."
                raise LoadError(found, inspected.name, "Delete some first. Nothing was stored.")
            if known is not None:
                for table, batch in rows.items():
                    _insert(cursor, table, batch)
                return Saved(upload_id, known[0], results, len(rows["runs"]), was_there=False)
            title = _free_title(cursor, owner, title or inspected.name)
            upload = {
                "upload_id": upload_id, "owner": owner, "title": title, "name": inspected.name,
                "sha256": inspected.sha256, "bytes": inspected.bytes, "note": "", "is_shared": False,
                "saved": datetime.datetime.now(datetime.UTC).replace(tzinfo=None),
            }  # fmt: skip
            for table, batch in {"uploads": [upload], **rows}.items():
                _insert(cursor, table, batch)
        return Saved(upload_id, title, results, len(rows["runs"]), was_there=False)

    def uploads(self, owner: str) -> pa.Table:
        """The owner's uploads, newest first: columns of `own.uploads`, and `results`, `runs`, `faults` as counts."""
        return self.cursor().sql(_statements("own_uploads")[0], params={"owner": owner}).to_arrow_table()

    def results(self, owner: str, upload_id: str) -> pa.Table:
        """The results of an upload as `queries.results` has them, with `note` and `measurement`."""
        return self._of(owner, upload_id, "own_results")

    def checks(self, owner: str, upload_id: str) -> pa.Table:
        """The checks of an upload: one row per rule and group."""
        return self._of(owner, upload_id, "own_checks")

    def problems(self, owner: str, upload_id: str) -> pa.Table:
        """The faults of an upload: one row per kind and file."""
        return self._of(owner, upload_id, "own_problems")

    def runs(self, owner: str, upload_id: str) -> pa.Table:
        """The single training runs of an upload."""
        return self._of(owner, upload_id, "own_runs")

    def rename(self, owner: str, upload_id: str, title: str) -> str:
        """Give an upload another title; returns the one that it got, which is free among the owner's."""
        with self._owned(owner, upload_id) as cursor:
            title = _free_title(cursor, owner, title, without=upload_id)
            _run(cursor, "own_rename", {"upload": upload_id, "title": title})
        return title

    def annotate(self, owner: str, upload_id: str, note: str) -> None:
        """Write the owner's note to an upload."""
        with self._owned(owner, upload_id) as cursor:
            _run(cursor, "own_annotate", {"upload": upload_id, "note": shown_text(note)[:MAX_NOTE]})

    def share(self, owner: str, upload_id: str, *, is_shared: bool) -> None:
        """Let everybody who is logged in see an upload, or nobody else."""
        with self._owned(owner, upload_id) as cursor:
            _run(cursor, "own_share", {"upload": upload_id, "is_shared": is_shared})

    def relabel(self, owner: str, upload_id: str, result_id: str, label: Label) -> tuple[Problem, ...]:
        """Say anew what a result is of; its score, round and benchmark stay. Returns what the labels brought up.

        Raises `LoadError` where the result would not be one any more; it then stays as it was.
        """
        with self._owned(owner, upload_id) as cursor:
            one = {"upload": upload_id, "result": result_id}
            found = _one(cursor, "own_measurement", one)
            if found is None:
                raise LoadError("is no result of this upload.", result_id, "Load the page again.")
            form, rank, text, source, source_path = found
            label = cleaned(label)
            said = {name: told for name in _LABELS if (told := getattr(label, name)) is not None}
            measurement = _measurement(text)._replace(**said)
            parts = list(normalised(measurement))
            seen = tuple(
                Seen(part, "", source, source_path, form, rank, "own")
                for part in parts
                if not isinstance(part, Problem)
            )
            problems = tuple(part for part in parts if isinstance(part, Problem))
            if not seen:
                raise LoadError(" ".join(map(str, problems)), measurement.where.file, "Nothing was changed.")
            _run(cursor, "own_forget_result", one)
            for table, batch in _result_rows(upload_id, result_id, measurement, seen).items():
                _insert(cursor, table, batch)
            system = measurement.system_id or measurement.system_name
            before, division = facts().division(_measurement(text).division or "closed"), seen[0].sighting.division
            if before != division:
                _run(cursor, "own_forget_checks", one)
                told = f"made under the rules of the {before} division"
                _run(cursor, "own_uncheck", {**one, "found": told, "source": _CHECKED})
            _run(cursor, "own_relabel_runs", {**one, "system": system, "division": division})
        return problems

    def delete(self, owner: str, upload_id: str, result_id: str | None = None) -> None:
        """Delete one result with its runs and checks, or a whole upload for None."""
        with self._owned(owner, upload_id) as cursor:
            if result_id is None:
                _run(cursor, "own_forget_upload", {"upload": upload_id})
                return
            for name in ("own_forget_result", "own_forget_logs"):
                _run(cursor, name, {"upload": upload_id, "result": result_id})

    def _of(self, owner: str, upload_id: str, question: str) -> pa.Table:
        parameters = {"owner": owner, "upload": upload_id}
        return self.cursor().sql(_statements(question)[0], params=parameters).to_arrow_table()

    @contextmanager
    def _owned(self, owner: str, upload_id: str) -> Iterator[duckdb.DuckDBPyConnection]:
        """A change to an upload that the owner has; to any other it is as if it were not there."""
        with self._changing("this upload") as cursor:
            if _one(cursor, "own_title", {"upload": upload_id, "owner": owner}) is None:
                raise LoadError("is not among your uploads.", "this upload", "It may have been deleted already.")
            yield cursor

    @contextmanager
    def _changing(self, name: str) -> Iterator[duckdb.DuckDBPyConnection]:
        """One writer at a time, in one transaction."""
        with self._writing:
            cursor = self.cursor()
            try:
                with transaction(cursor):
                    yield cursor
            except duckdb.Error as fault:
                raise StoreError(first_line(fault), name, "Nothing was stored.") from fault
            self.version += 1


def attach(connection: duckdb.DuckDBPyConnection, path: Path = PATH) -> Catalog:
    """The catalog at `path`, made where there is none, beside the snapshot that the connection holds.

    Before the connection is sealed. A catalog of an older version gets the columns that it lacks. Raises `StoreError`
    where the file is locked, damaged or somebody else's; it then stays as it was.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        # DuckDB takes no parameter here; a quote in the path is doubled.
        connection.execute("attach '" + str(path).replace("'", "''") + "' as own")
    except (duckdb.Error, OSError) as fault:
        raise StoreError(_reason(fault), str(path), _FIX) from fault
    try:
        cursor = connection.cursor()
        with transaction(cursor):
            _prepare(cursor, path)
    except (duckdb.Error, StoreError) as fault:
        cursor.close()
        connection.execute("detach own")  # whose file it is may use it
        raise fault if isinstance(fault, StoreError) else StoreError(_reason(fault), str(path), _FIX) from fault
    return Catalog(connection)


_CHECKED: Final = "Roundtable checks logs when they are uploaded"
_FIX: Final = "Published results can be browsed. Name another file in ROUNDTABLE_OWN_FILE, or mend this one."


def _reason(fault: Exception) -> str:
    if isinstance(fault, OSError):
        return f"cannot be made ({fault.strerror})."
    text = first_line(fault)
    held = re.search(r"PID (\d+)", text)
    if held:
        return f"is held by another Roundtable (process {held[1]})."
    return f"is damaged: {text}" if "orrupt" in text else text


def _prepare(cursor: duckdb.DuckDBPyConnection, path: Path) -> None:
    """Make what is missing: tables, and columns of an older version's tables."""
    tables = {row[0] for row in cursor.execute(_OWN_TABLES).fetchall()}
    if tables and "uploads" not in tables:
        raise StoreError("is a DuckDB database, but none of own results.", str(path), _FIX)
    _run(cursor, "own_tables")
    if _one(cursor, "own_lacking", {}) is not None:
        _run(cursor, "own_widen")
    _run(cursor, "own_whole")  # a damaged block would else be met by a reader, in the midst of published results


_OWN_TABLES: Final = "select table_name from duckdb_tables() where database_name = 'own'"
_INSERT: Final = {
    "uploads": "insert into own.uploads by name select * from batch",
    "measurements": "insert into own.measurements by name select * from batch",
    "checks": "insert into own.checks by name select * from batch",
    "results": "insert into own.results by name select * from batch",
    "systems": "insert into own.systems by name select * from batch",
    "runs": "insert into own.runs by name select * from batch",
    "sheets": "insert into own.sheets by name select * from batch",
    "sightings": "insert into own.sightings by name select * from batch",
    "problems": "insert into own.problems by name select * from batch",
}


@cache
def _statements(name: str) -> tuple[str, ...]:
    """The statements of a file in `sql/`; each ends its line with a semicolon."""
    text = (_SQL / f"{name}.sql").read_text(encoding="utf-8")
    return tuple(part for part in text.split(";\n") if part.strip())


def _run(cursor: duckdb.DuckDBPyConnection, name: str, parameters: Mapping[str, object] | None = None) -> None:
    """All statements of a file."""
    for statement in _statements(name):
        cursor.execute(statement, parameters)


def _one(cursor: duckdb.DuckDBPyConnection, name: str, parameters: Mapping[str, object]) -> tuple[Any, ...] | None:
    """The first row of a question."""
    found: tuple[Any, ...] | None = cursor.execute(_statements(name)[0], parameters).fetchone()
    return found


def _insert(cursor: duckdb.DuckDBPyConnection, table: str, rows: Sequence[Mapping[str, Any]]) -> None:
    """Rows into an own table, by name, in the table's types; what the table has no column for is left out."""
    if not rows:
        return
    schema = cursor.table(f"own.{table}").limit(0).to_arrow_table().schema
    batch = pa.Table.from_pylist([dict(row) for row in rows], schema=schema)
    cursor.register("batch", batch)
    cursor.execute(_INSERT[table])
    cursor.unregister("batch")


def _identifier(*parts: str) -> str:
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()[:16]


def _free_title(cursor: duckdb.DuckDBPyConnection, owner: str, wanted: str, without: str = "") -> str:
    title = shown_text(wanted).replace("/", "-")[:MAX_TITLE].strip() or "upload"  # links part systems by slashes
    others = cursor.execute(_statements("own_titles")[0], {"owner": owner, "upload": without}).fetchall()
    taken = {row[0] for row in others}
    number, free = 1, title
    while free in taken:
        number += 1
        free = f"{title} ({number})"
    return free


def _check(preview: Preview, name: str) -> None:
    """Raises `LoadError` where a preview cannot be saved."""
    if preview.lacking:
        raise LoadError(f"does not tell its {', '.join(preview.lacking)}.", name, "Say it, and save again.")
    if not preview.results and not any(entry.runs for entry in preview.entries):
        raise LoadError("holds no result and no run.", name, "See what was skipped, and why.")


def _deleted(
    cursor: duckdb.DuckDBPyConnection, upload_id: str, rows: dict[str, list[dict[str, Any]]]
) -> dict[str, list[dict[str, Any]]]:
    """Of the rows of an upload that was saved before, those of results that it has no more."""
    there = {row[0] for row in cursor.execute(_statements("own_result_ids")[0], {"upload": upload_id}).fetchall()}
    gone = {row["result_id"] for row in rows["results"]} - there
    parts = ("results", "measurements", "sightings", "runs", "checks")  # what `Catalog.delete` takes away
    return {table: [row for row in rows[table] if row["result_id"] in gone] for table in parts}


def _rows(upload_id: str, preview: Preview, inspected: Inspected) -> dict[str, list[dict[str, Any]]]:
    """Every row of an upload, by table."""
    name = inspected.name
    rows: dict[str, list[dict[str, Any]]] = {table: [] for table in (*TABLES, "measurements", "checks")}
    problems = list(preview.problems)
    for entry in preview.entries:
        result_id = _identifier(upload_id, inspected.marks[entry.group]) if entry.seen else None
        if result_id is not None and entry.measurement is not None:
            for table, batch in _result_rows(upload_id, result_id, entry.measurement, entry.seen).items():
                rows[table] += batch
        rows["runs"] += [_run_row(run, upload_id, result_id, entry.source) for run in entry.runs]
        rows["checks"] += _check_rows(entry, upload_id, result_id)
        problems += entry.problems
    for found in _tabled(preview.tabled):
        result_id = _identifier(upload_id, found.result_id)
        for table, batch in _seen_rows(upload_id, result_id, found.seen).items():
            rows[table] += batch
    rounds = _labelled_rounds(preview)
    rows["sheets"] = [
        row
        for sheet in preview.sheets
        for row in _sheet_rows(sheet, sorted(rounds.get(sheet.system_id, ())), upload_id, name)
    ]
    rows["problems"] = [{**row, "upload_id": upload_id} for row in problem_rows(problems, name)]
    return rows


def _tabled(seen: Iterable[Seen]) -> list[Result]:
    """The results of an upload's tables; rows of two suites have one ID."""
    return resolve.resolve(seen)[0]


def _result_rows(
    upload_id: str, result_id: str, measurement: Measurement, seen: tuple[Seen, ...]
) -> dict[str, list[dict[str, Any]]]:
    """The rows of one result from logs."""
    kept = json.dumps({**measurement._asdict(), "where": measurement.where._asdict()}, ensure_ascii=False)
    rows = _seen_rows(upload_id, result_id, seen)
    rows["measurements"] = [{"upload_id": upload_id, "result_id": result_id, "format": seen[0].format,
                             "rank": seen[0].rank, "measurement": kept}]  # fmt: skip
    return rows


def _seen_rows(upload_id: str, result_id: str, seen: tuple[Seen, ...]) -> dict[str, list[dict[str, Any]]]:
    """Results, systems and places of one figure in its suites. Nothing at MLCommons is linked to it."""
    suites: dict[str, list[Seen]] = {}
    for one in seen:
        suites.setdefault(one.sighting.suite, []).append(one)
    found = [Result.of(result_id, group) for group in suites.values()]
    ours = {"upload_id": upload_id, "link": None, "public_id": None, "published": None}
    return {
        "results": [{**dict(zip(resolve.COLUMNS, resolve.row(one), strict=True)), **ours} for one in found],
        "systems": [{**row, "upload_id": upload_id} for row in system_rows(found)],
        "sightings": [_sighting_row(one, upload_id, result_id) for one in seen],
    }


def _sighting_row(seen: Seen, upload_id: str, result_id: str) -> dict[str, Any]:
    told = {name: getattr(seen.sighting, name) for name in _SIGHTED}
    place = {"source": seen.source, "source_path": seen.source_path, "line": seen.sighting.where.line}
    return {**told, **place, "format": seen.format, "upload_id": upload_id, "result_id": result_id, "public_id": None}


_SIGHTED: Final = ("suite", "value", "unit", "power_value", "power_unit", "accelerator_raw", "basis", *SECOND_MEASURES,
           "measure_lines")  # fmt: skip


def _run_row(run: Run, upload_id: str, result_id: str | None, name: str) -> dict[str, Any]:
    told = {field: getattr(run, field) for field in Run.__dataclass_fields__ if field != "where"}
    place = {"source": name, "source_path": run.where.file, "line": run.where.line, "location": run.group}
    return {**told, **place, "upload_id": upload_id, "result_id": result_id}


def _check_rows(entry: Entry, upload_id: str, result_id: str | None) -> Iterator[dict[str, Any]]:
    for position, check in enumerate(entry.checks):
        told = {name: getattr(check, name) for name in ("rule", "verdict", "found", "needed", "source")}
        place = {"file": check.where.file, "line": check.where.line, "group_name": entry.group}
        yield {**told, **place, "upload_id": upload_id, "result_id": result_id, "position": position}


def _labelled_rounds(preview: Preview) -> Mapping[str | None, set[str]]:
    """The rounds in which results of each system are labelled."""
    rounds: dict[str | None, set[str]] = defaultdict(set)
    for entry in preview.entries:
        if entry.measurement is not None and entry.measurement.round:
            rounds[entry.measurement.system_id].add(entry.measurement.round)
    return rounds


def _sheet_rows(sheet: SystemSheet, rounds: Iterable[str], upload_id: str, name: str) -> Iterator[dict[str, Any]]:
    """A system's sheet, once for each round in which results of that system are labelled."""
    for round_id in rounds:
        for position, (field, value) in enumerate(sheet.facts):
            yield {
                "upload_id": upload_id, "source": name, "source_path": sheet.where.file, "kind": sheet.kind,
                "round": round_id, "submitter": sheet.submitter, "system_id": sheet.system_id, "position": position,
                "field": field, "value": value,
            }  # fmt: skip


def _measurement(text: str) -> Measurement:
    told = json.loads(text)
    place = Where(**told.pop("where"))
    known = {name: value for name, value in told.items() if name in Measurement._fields}  # a newer version's
    return Measurement(where=place, **known)


def label_of(measurement: str) -> Label:
    """The labels of a saved result, from the column `measurement` of `Catalog.results`."""
    return label_in(_measurement(measurement))
