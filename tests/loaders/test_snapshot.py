"""Building the embedded snapshot: the same bytes each time, or nothing at all."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest

from loaders import checksums, snapshot, store
from loaders.ingest import load
from loaders.manifest import Manifest
from loaders.rows import arrow_schema, checked
from loaders.unpack import OnProgress
from mlperf.errors import DashboardError, StoreError
from mlperf.model import RESULT_COLUMNS
from tests.loaders.making import FLAT, cm, packed, rows, summary, table, training, write
from tests.loaders.trees.making_training import group

FILES: dict[str, object] = {
    "tables/a.json": [summary(), summary(Platform="b", Accelerator="Foo")],
    "tables/c.json": [training(unet3d=1.5)],
    "tables/d.json": [cm()],
    "exports/b.csv": table(FLAT | {"Scenario": "Server", "Units": "Queries/s"}),
}


@contextmanager
def quiet(_path: Path) -> Iterator[OnProgress]:
    yield lambda _done, _total: None


def built(folder: Path, target: Path, names: tuple[str, ...] = ("",)) -> dict[str, bytes]:
    snapshot.build([folder / name for name in names], target, Manifest(), quiet)
    return {path.name: path.read_bytes() for path in sorted(target.iterdir())}


def test_building_twice_gives_identical_bytes_and_one_file_per_table(tmp_path: Path) -> None:
    write(tmp_path / "from", FILES)
    first = built(tmp_path / "from", tmp_path / "one")
    assert set(first) == {f"{name}.parquet" for name in snapshot.TABLES} | {checksums.FILE}
    assert built(tmp_path / "from", tmp_path / "two") == first
    assert built(tmp_path / "from", tmp_path / "one") == first


def test_folders_in_another_order_give_identical_bytes(tmp_path: Path) -> None:
    write(tmp_path / "from", FILES)
    folders = ("tables", "exports")
    first = built(tmp_path / "from", tmp_path / "one", folders)
    assert built(tmp_path / "from", tmp_path / "two", folders[::-1]) == first


def test_a_snapshot_says_what_a_database_says_that_was_loaded_source_by_source(tmp_path: Path) -> None:
    tree = packed({f"training_results_v1.1/{name}": content for name, content in group(range(10, 20)).items()})
    faulty = {"tables/twice.json": [cm(), cm(Platform="c", Result=0)], "tables/none.txt": "words", "logs.zip": tree}
    write(tmp_path / "from", FILES | faulty | {"copies/again.zip": tree, "copies/e.json": FILES["tables/d.json"]})
    built(tmp_path / "from", tmp_path / "to")
    with store.open_database(None) as one_by_one, snapshot.open_snapshot(tmp_path / "to") as at_once:
        reports = list(load(tmp_path / "from", one_by_one, Manifest()))
        for name in snapshot.TABLES:
            found = rows(at_once, name)
            one_by_one.execute(f"create view known as select distinct {', '.join(found[0])} from {name}")
            assert found == rows(one_by_one, "known"), name
            one_by_one.execute("drop view known")
        assert {row["result_id"] for row in rows(at_once, "runs")} < {row["result_id"] for row in rows(at_once)}
    again = snapshot.build([tmp_path / "from"], tmp_path / "to", Manifest(), quiet)
    counted = [(report.name, report.new, report.already, report.runs) for report in reports]
    assert [(report.name, report.new, report.already, report.runs) for report in again[:-1]] == counted
    assert [name for name, _, already, _ in counted if already] == ["from/logs.zip"]


def test_a_row_without_a_value_that_its_table_asks_for_is_a_fault() -> None:
    whole = {field.name: [None] for field in arrow_schema("sources")} | {"rows": [1]}
    for column in ("source", "file", "origin", "sha256", "format"):
        whole[column] = ["a"]
    kept = checked("sources", pa.table(whole, arrow_schema("sources")).select(sorted(whole)))
    assert kept.column_names == arrow_schema("sources").names
    with pytest.raises(StoreError, match="a row has no origin"):
        checked("sources", pa.table(whole | {"origin": [None]}, arrow_schema("sources")))


def test_parquet_is_compressed_with_zstd_and_sorted(tmp_path: Path) -> None:
    write(tmp_path / "from", FILES)
    built(tmp_path / "from", tmp_path / "to")
    with duckdb.connect() as connection:
        file = str(tmp_path / "to" / "results.parquet")
        used = connection.execute("select distinct compression from parquet_metadata($file)", {"file": file}).fetchall()
        assert used == [("ZSTD",)]
        keys = connection.read_parquet(file).project("round, suite, division, submitter").fetchall()
        assert keys == sorted(keys)
        assert len(keys) > 3


def test_what_was_built_opens_as_a_database_that_reaches_nothing(tmp_path: Path) -> None:
    write(tmp_path / "from", FILES)
    built(tmp_path / "from", tmp_path / "to")
    with snapshot.open_snapshot(tmp_path / "to") as connection:
        assert tuple(connection.table("results").columns[: len(RESULT_COLUMNS)]) == RESULT_COLUMNS
        assert {row["kind"] for row in rows(connection, "problems")} == {"unknown-spelling", "corrected-unit"}
        with pytest.raises(duckdb.PermissionException):
            connection.read_csv(str(tmp_path / "from" / "exports" / "b.csv"))
        with pytest.raises(duckdb.Error):
            connection.execute("set enable_external_access = true")


def test_folders_without_results_leave_the_snapshot_as_it_was(tmp_path: Path) -> None:
    write(tmp_path / "from", FILES)
    before = built(tmp_path / "from", tmp_path / "to")
    write(tmp_path / "none", {"a.txt": "words"})
    with pytest.raises(StoreError, match="no results"):
        built(tmp_path / "none", tmp_path / "to")
    assert {path.name: path.read_bytes() for path in (tmp_path / "to").iterdir()} == before


def test_a_snapshot_that_grew_too_large_replaces_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path / "from", FILES)
    before = built(tmp_path / "from", tmp_path / "to")
    size = sum(len(content) for name, content in before.items() if name.endswith(".parquet"))
    monkeypatch.setattr(snapshot, "MAX_BYTES", size - 1)
    write(tmp_path / "from", {"tables/more.json": [summary(Platform="more")]})
    with pytest.raises(DashboardError, match="bytes, more than"):
        built(tmp_path / "from", tmp_path / "to")
    assert {path.name: path.read_bytes() for path in (tmp_path / "to").iterdir()} == before


@pytest.mark.parametrize("damage", [lambda path: path.unlink(), lambda path: path.write_bytes(b"PAR1 no more")])
def test_a_snapshot_that_is_missing_or_damaged_is_an_error_that_says_what_to_do(tmp_path: Path, damage: object) -> None:
    write(tmp_path / "from", FILES)
    built(tmp_path / "from", tmp_path / "to")
    damage(tmp_path / "to" / "systems.parquet")  # type: ignore[operator]
    with pytest.raises(StoreError, match="make snapshot"):
        snapshot.open_snapshot(tmp_path / "to")


def damage(path: Path, position: int) -> None:
    """Flip one bit."""
    content = bytearray(path.read_bytes())
    content[position] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize("table", snapshot.TABLES)
def test_one_flipped_bit_is_refused_by_the_name_of_the_file(tmp_path: Path, table: str) -> None:
    write(tmp_path / "from", FILES)
    built(tmp_path / "from", tmp_path / "to")
    file = tmp_path / "to" / f"{table}.parquet"
    for position in (0, file.stat().st_size // 2, file.stat().st_size - 1):
        damage(file, position)
        with pytest.raises(StoreError, match=f"{table}.parquet: is not the file that SHA256SUMS states"):
            snapshot.open_snapshot(tmp_path / "to")
        damage(file, position)
    snapshot.open_snapshot(tmp_path / "to").close()


def test_a_changed_figure_is_refused(tmp_path: Path) -> None:
    write(tmp_path / "from", FILES)
    built(tmp_path / "from", tmp_path / "to")
    file = tmp_path / "to" / "results.parquet"
    with duckdb.connect() as connection:
        connection.read_parquet(str(file)).create("results")
        connection.execute("update results set value = 2 * value")
        connection.table("results").write_parquet(str(file))
    with pytest.raises(StoreError, match=r"results.parquet: is not the file .*`git checkout data`"):
        snapshot.open_snapshot(tmp_path / "to")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", r"SHA256SUMS:1"),
        ("0" * 64 + "  a.parquet\nwords\n", r"SHA256SUMS:2"),
        ("0" * 64 + "  a.parquet\n", "no checksum of"),
    ],
)
def test_checksums_that_cannot_be_read_or_name_no_table_are_refused(tmp_path: Path, content: str, message: str) -> None:
    write(tmp_path / "from", FILES)
    built(tmp_path / "from", tmp_path / "to")
    (tmp_path / "to" / checksums.FILE).write_text(content)
    with pytest.raises(StoreError, match=message):
        snapshot.open_snapshot(tmp_path / "to")


def test_results_of_a_snapshot_that_somebody_made_are_unverified(tmp_path: Path) -> None:
    write(tmp_path / "from", FILES)
    built(tmp_path / "from", tmp_path / "to")
    for _ in range(2):
        with snapshot.open_snapshot(tmp_path / "to") as connection:
            assert {row["verified"] for row in rows(connection)} == {False}
        (tmp_path / "to" / checksums.FILE).unlink(missing_ok=True)


def test_a_copy_of_our_own_snapshot_stays_published(tmp_path: Path) -> None:
    shutil.copytree(snapshot.DATA, tmp_path / "copy")
    with snapshot.open_snapshot(tmp_path / "copy") as connection:
        assert connection.execute("select count(*) from results where not verified").fetchone() == (0,)


def test_a_table_in_the_place_of_another_is_named(tmp_path: Path) -> None:
    write(tmp_path / "from", FILES)
    built(tmp_path / "from", tmp_path / "to")
    (tmp_path / "to" / checksums.FILE).unlink()
    shutil.copy(tmp_path / "to" / "systems.parquet", tmp_path / "to" / "results.parquet")
    with pytest.raises(StoreError, match=r"results.parquet: has no column .*value.*no table of results"):
        snapshot.open_snapshot(tmp_path / "to")
