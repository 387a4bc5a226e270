"""Building the embedded snapshot: the same bytes each time, or nothing at all."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
import pytest

from loaders import snapshot
from loaders.manifest import Manifest
from loaders.unpack import OnProgress
from mlperf.errors import DashboardError, StoreError
from mlperf.model import RESULT_COLUMNS
from tests.loaders.making import FLAT, cm, rows, summary, table, training, write

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
    assert set(first) == {f"{name}.parquet" for name in snapshot.TABLES}
    assert built(tmp_path / "from", tmp_path / "two") == first
    assert built(tmp_path / "from", tmp_path / "one") == first


def test_folders_in_another_order_give_identical_bytes(tmp_path: Path) -> None:
    write(tmp_path / "from", FILES)
    folders = ("tables", "exports")
    first = built(tmp_path / "from", tmp_path / "one", folders)
    assert built(tmp_path / "from", tmp_path / "two", folders[::-1]) == first


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
    monkeypatch.setattr(snapshot, "MAX_BYTES", sum(map(len, before.values())) - 1)
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
