"""One source, one transaction: all of it or nothing, once and for all, whatever the order."""

import hashlib
from pathlib import Path

import duckdb
import pytest

from loaders import store
from loaders.ingest import load
from loaders.manifest import Manifest
from mlperf.errors import StoreError
from tests.loaders.making import FLAT, TABLES, cm, load_files, rows, state, summary, table, training, write

Database = duckdb.DuckDBPyConnection


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_a_database_file_keeps_what_was_stored(tmp_path: Path) -> None:
    file = tmp_path / "made.duckdb"
    with store.open_database(file) as connection:
        load_files(connection, tmp_path, {"a.json": [summary()]})
        before = state(connection)
    with store.open_to_read(file) as connection:
        assert state(connection) == before
        assert len(before["results"]) == 1


def test_a_database_that_was_made_can_be_opened_again_and_added_to(tmp_path: Path) -> None:
    file = tmp_path / "made.duckdb"
    for name in ("a.json", "b.json"):
        with store.open_database(file) as connection:
            load_files(connection, tmp_path, {name: [summary(Platform=name)]})
    with store.open_to_read(file) as connection:
        assert {row["system_id"] for row in rows(connection)} == {"a.json", "b.json"}


@pytest.mark.parametrize("content", [b"", b"no database", b"\0" * 8192, b"SQLite format 3\0" + b"\0" * 4096])
def test_a_file_that_is_no_database_is_left_untouched(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "mine.duckdb"
    file.write_bytes(content)
    with pytest.raises(StoreError) as raised:
        store.open_database(file)
    assert str(file) in str(raised.value)
    assert "Name a file" in str(raised.value)
    assert file.read_bytes() == content
    assert [path.name for path in tmp_path.iterdir()] == ["mine.duckdb"]


@pytest.mark.parametrize(
    "made",
    ["create table mine (a integer)", "create table results (a integer)", "create schema s; create table s.t (a int)"],
)
def test_somebody_elses_database_is_left_untouched(tmp_path: Path, made: str) -> None:
    file = tmp_path / "mine.duckdb"
    with duckdb.connect(str(file)) as other:
        other.execute(made)
    before = digest(file)
    for opened in (store.open_database, store.open_to_read):
        with pytest.raises(StoreError, match="not of this version of Roundtable"):
            opened(file)
    assert digest(file) == before


def test_a_damaged_database_is_left_untouched(tmp_path: Path) -> None:
    file = tmp_path / "made.duckdb"
    store.open_database(file).close()
    damaged = bytearray(file.read_bytes())
    damaged[: 4096 * 3] = bytes(reversed(damaged[: 4096 * 3]))
    file.write_bytes(damaged)
    with pytest.raises(StoreError):
        store.open_database(file)
    assert file.read_bytes() == damaged


@pytest.mark.parametrize("name", ["missing/made.duckdb", "."])
def test_a_place_that_cannot_hold_a_database_is_an_error_of_ours(tmp_path: Path, name: str) -> None:
    with pytest.raises(StoreError):
        store.open_database(tmp_path / name)


def test_no_database_to_read_is_an_error_that_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="python -m loaders load"):
        store.open_to_read(tmp_path / "none.duckdb")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("table_name", ["results", "systems", "problems", "sources", "sightings"])
def test_a_source_that_the_database_refuses_midway_leaves_no_trace(
    database: Database, tmp_path: Path, table_name: str
) -> None:
    """The cause is real: a table that takes no further rows, whichever of them it is."""
    load_files(database, tmp_path, {"a.json": [summary(Performance_Units="Samples/s")]})
    before = state(database)
    columns = ", ".join(database.table(table_name).columns)
    database.execute(f"create table kept as select * from {table_name}; drop table {table_name}")
    count = len(before[table_name])
    database.execute(f"create table {table_name} as select * from kept limit 0")
    ddl = database.execute("select sql from duckdb_tables() where table_name = ?", [table_name]).fetchone()
    assert ddl is not None
    database.execute(f"drop table {table_name}")
    database.execute(
        ddl[0].rstrip(";")[:-1] + f", check ({'source' if table_name != 'systems' else 'system_id'} <> 'b'))"
    )
    database.execute(f"insert into {table_name} select {columns} from kept; drop table kept")
    assert len(rows(database, table_name)) == count
    bad = summary(Platform="b", ID="5.1-0009", Performance_Units="Samples/s")
    (path,) = write(tmp_path, {"b": [bad]})
    (report,) = load(path, database, Manifest())
    assert isinstance(report.refused, StoreError)
    assert "Nothing of this source was stored" in str(report.refused)
    assert state(database) == before


def test_after_a_refused_source_the_next_one_loads(database: Database, tmp_path: Path) -> None:
    database.execute("create table refusing as select * from systems limit 0; drop table systems")
    (refused,) = load_files(database, tmp_path, {"a.json": [summary()]})
    assert isinstance(refused.refused, StoreError)
    database.execute("alter table refusing rename to systems")
    (stored,) = load_files(database, tmp_path, {"b.json": [summary()]})
    assert stored.new == 1
    assert [row["source"] for row in rows(database, "sources")] == ["b.json"]


def test_loading_twice_changes_nothing(database: Database, tmp_path: Path) -> None:
    files = {
        "a.json": [summary(), summary(Scenario="Server")],
        "b.csv": table(FLAT),
        "c.json": [cm(SystemType="datacenter,edge")],
        "d.json": [training(unet3d=1.5)],
    }
    first = load_files(database, tmp_path, files)
    before = state(database)
    second = load_files(database, tmp_path, files)
    assert [report.new for report in first] == [2, 1, 2, 2]
    assert [(report.new, report.already) for report in second] == [(0, report.new) for report in first]
    assert all(report.is_loaded for report in second)
    assert state(database) == before
    assert set(before) == set(TABLES)


def test_a_file_is_the_same_source_alone_and_in_its_folder(database: Database, tmp_path: Path) -> None:
    write(tmp_path / "tables", {"deep/a.json": [summary()]})
    list(load(tmp_path / "tables", database, Manifest()))
    before = state(database)
    (report,) = load(tmp_path / "tables" / "deep" / "a.json", database, Manifest())
    assert (report.new, report.already) == (0, 1)
    assert state(database) == before


def test_two_files_of_one_name_are_two_sources_and_their_order_does_not_matter(tmp_path: Path) -> None:
    one, other = write(tmp_path, {"one/summary.json": [summary(Performance_Result=5.0)],
                                  "other/summary.json": [summary(Performance_Result=7.0)]})  # fmt: skip
    states = []
    for paths in ((one, other), (other, one)):
        with store.open_database(None) as connection:
            for path in paths:
                list(load(path, connection, Manifest()))
            states.append(state(connection))
    assert states[0] == states[1]
    assert len(states[0]["results"]) == 1
    assert [row["kind"] for row in states[0]["problems"]] == ["sources-differ"]


def test_a_figure_whose_result_is_gone_belongs_to_none_whatever_was_loaded_first(tmp_path: Path) -> None:
    """A name that one system had is that of two once another source came: the figure under the name counts for none."""
    named = {name: cell for name, cell in FLAT.items() if name != "Public ID"} | {"Public ID": "5.1-0007"}
    two = [summary(Platform=name, ID=f"5.1-000{number}") for number, name in enumerate(("one", "two"), 1)]
    files = write(tmp_path, {"named.csv": table(named), "two.json": two})
    states = []
    for paths in (files, files[::-1]):
        with store.open_database(None) as connection:
            for path in paths:
                list(load(path, connection, Manifest()))
            states.append(connection.execute("select source, result_id from sightings order by all").fetchall())
    assert states[0] == states[1]
    assert [(source, result is None) for source, result in states[0]] == [
        ("named.csv", True), ("two.json", False), ("two.json", False),
    ]  # fmt: skip


def test_a_system_is_listed_once_per_round_suite_and_division(database: Database, tmp_path: Path) -> None:
    records = [summary(Scenario=scenario) for scenario in ("Offline", "Server")] + [summary(Category="open")]
    load_files(database, tmp_path, {"a.json": records})
    assert [(row["division"], row["system_id"]) for row in rows(database, "systems")] == [
        ("closed", "acme_one_8xA100"), ("open", "acme_one_8xA100")
    ]  # fmt: skip


def test_no_prose_reaches_the_database(database: Database, tmp_path: Path) -> None:
    load_files(database, tmp_path, {"a.json": [summary(Notes="secret words", notes="secret words")]})
    assert "secret words" not in repr(state(database))


def test_a_fault_is_one_row_however_often_it_occurs(database: Database, tmp_path: Path) -> None:
    records = [summary(Platform=f"p{number}", Accelerator="Foo Chip") for number in range(5)]
    load_files(database, tmp_path, {"a.json": records})
    (problem,) = rows(database, "problems")
    assert problem["occurrences"] == 5
    text = (tmp_path / "a.json").read_text().split("\n")
    assert "p0" in "\n".join(text[problem["line"] - 1 : problem["line"] + 10])
