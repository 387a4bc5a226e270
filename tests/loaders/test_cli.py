"""`python -m loaders` as its users run it: exit status, what goes where, filters, formats."""

import csv
import hashlib
import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from loaders import checksums, snapshot
from mlperf.model import RESULT_COLUMNS
from tests import ROOT
from tests.loaders.making import FLAT, packed, summary, table, write
from tests.loaders.trees.making_training import log

FILES = {
    "a.json": [summary(), summary(Platform="other", Scenario="Server"), summary(Platform="=1+1", Submitter="Dell")],
    "b.csv": table(FLAT | {"Scenario": "Interactive", "Units": "Queries/s"}),
}


def run(*arguments: object, cwd: Path = ROOT) -> subprocess.CompletedProcess[bytes]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "utf-8:strict"}
    command = [sys.executable, "-m", "loaders", *map(str, arguments)]
    return subprocess.run(command, cwd=cwd, capture_output=True, check=False, timeout=120, env=environment)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database file with four results."""
    folder = tmp_path_factory.mktemp("cli")
    done = run("load", *write(folder, FILES), "--into", folder / "made.duckdb")
    assert done.returncode == 0, done.stderr
    return folder / "made.duckdb"


def exported(*arguments: object) -> list[dict[str, str]]:
    done = run("export", *arguments)
    assert (done.returncode, done.stderr) == (0, b"")
    return list(csv.DictReader(io.StringIO(done.stdout.decode())))


def test_load_reports_on_standard_output_and_says_nothing_else(tmp_path: Path) -> None:
    paths = write(tmp_path, FILES)
    first = run("load", *paths, "--into", tmp_path / "to.duckdb")
    assert (first.returncode, first.stderr) == (0, b"")
    report = first.stdout.decode()
    assert all(str(path) in report for path in paths)
    assert "rows stored: 3" in report
    assert "corrected-unit" not in report
    assert f"{paths[1]}:2: llama2-70b-99 Interactive is headed 'Queries/s'." in report
    second = run("load", *paths, "--into", tmp_path / "to.duckdb")
    assert (second.returncode, second.stderr) == (0, b"")
    assert "rows stored: 0" in second.stdout.decode()
    assert "rows already there: 3" in second.stdout.decode()


def test_load_of_nothing_usable_fails_on_standard_error_and_makes_no_database(tmp_path: Path) -> None:
    (path,) = write(tmp_path, {"book.numbers": packed({"Index/Document.iwa": "<x/>"})})
    done = run("load", path, tmp_path / "none", "--into", tmp_path / "to.duckdb")
    assert (done.returncode, done.stdout) == (2, b"")
    for words in (
        "a Numbers document",
        "export the table as CSV",
        "none: cannot be opened",
        "Nothing was stored",
        "README",
    ):
        assert words in done.stderr.decode()
    assert b"Traceback" not in done.stderr
    assert [found.name for found in tmp_path.iterdir()] == ["book.numbers"]


def test_load_of_a_good_and_a_bad_file_succeeds_and_says_both(tmp_path: Path) -> None:
    paths = write(tmp_path, {"a.json": [summary()], "b.txt": "words"})
    done = run("load", *paths, "--into", tmp_path / "to.duckdb")
    assert done.returncode == 0
    assert f"unknown, text: 1 ({paths[1]})" in done.stdout.decode()
    assert b"rows stored: 1" in done.stdout


def test_load_into_a_file_that_is_no_database_of_ours_leaves_it_alone(tmp_path: Path) -> None:
    source, target = write(tmp_path, {"a.json": [summary()], "mine.txt": "my words"})
    done = run("load", source, "--into", target)
    assert (done.returncode, done.stdout) == (2, b"")
    assert b"mine.txt" in done.stderr
    assert b"Traceback" not in done.stderr
    assert target.read_text() == "my words"


def test_a_path_that_is_no_text_is_named_and_does_no_harm(tmp_path: Path) -> None:
    (path,) = write(tmp_path, {"a.json": [summary()]})
    done = run("load", path, os.fsdecode(os.fsencode(tmp_path) + b"/\xff.csv"), "--into", tmp_path / "to.duckdb")
    assert (done.returncode, done.stderr) == (0, b"")
    assert b"\\xff.csv" in done.stdout


def test_export_writes_every_column_of_a_result_in_order(made: Path) -> None:
    done = run("export", "--from", made)
    header, *lines = csv.reader(io.StringIO(done.stdout.decode(), newline=""))
    assert tuple(header) == RESULT_COLUMNS
    assert len(lines) == 4


def test_export_filters_by_column_and_repeats_for_several_values(made: Path) -> None:
    assert {row["system_id"] for row in exported("--from", made, "--system-id", "other")} == {"other"}
    both = exported("--from", made, "--system-id", "other", "--system-id", "=1+1")
    assert {row["system_id"] for row in both} == {"other", "'=1+1"}
    assert {row["scenario"] for row in exported("--from", made, "--scenario", "Server", "--submitter", "Acme")} == {
        "Server"
    }
    assert len(exported("--from", made, "--accelerator-count", "8", "--has-power", "false")) == 4


def test_a_value_that_no_result_has_is_named_and_gives_the_header_alone(made: Path) -> None:
    done = run("export", "--from", made, "--submitter", "Nobody", "--submitter", "Dell")
    assert (done.returncode, done.stderr.decode()) == (0, "No result has submitter 'Nobody'.\n")
    alone = run("export", "--from", made, "--submitter", "Nobody")
    assert len(alone.stdout.decode().splitlines()) == 1


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--colour", "red"], "--colour"),
        (["--nodes", "many"], '"many" is not a value that nodes can have'),
        (["--has-power", "maybe"], '"maybe" is not a value that has_power can have'),
        (["--format", "xlsx"], "xlsx"),
        (["--from", "none.duckdb"], "none.duckdb: no such database"),
    ],
)
def test_an_export_that_cannot_be_asked_for_fails_on_standard_error(arguments: list[str], words: str) -> None:
    done = run("export", *arguments)
    assert (done.returncode, done.stdout) == (2, b"")
    assert words in done.stderr.decode()
    assert b"Traceback" not in done.stderr


@pytest.mark.parametrize("form", ["csv", "parquet", "json"])
def test_export_writes_the_same_rows_in_every_format_to_a_file(made: Path, tmp_path: Path, form: str) -> None:
    target = tmp_path / "out"
    done = run("export", "--from", made, "--format", form, "-o", target)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    if form == "csv":
        found = list(csv.DictReader(io.StringIO(target.read_text(encoding="utf-8"))))
    else:
        found = pq.read_table(target).to_pylist() if form == "parquet" else json.loads(target.read_bytes())
    assert [list(row) for row in found] == [list(RESULT_COLUMNS)] * 4
    assert {float(row["value"]) for row in found} == {2000.25}
    assert ("=1+1" in {row["system_id"] for row in found}) is (form != "csv")


def test_an_export_to_a_place_that_cannot_be_written_is_no_traceback(made: Path, tmp_path: Path) -> None:
    done = run("export", "--from", made, "-o", tmp_path / "missing" / "out.csv")
    assert done.returncode == 2
    assert b"out.csv" in done.stderr
    assert b"Traceback" not in done.stderr


def test_export_does_not_change_the_database(made: Path) -> None:
    before = hashlib.sha256(made.read_bytes()).hexdigest()
    exported("--from", made)
    assert hashlib.sha256(made.read_bytes()).hexdigest() == before


def test_without_a_database_export_reads_the_embedded_snapshot_from_any_folder(tmp_path: Path) -> None:
    done = run(
        "export", "--round", "v3.1", "--submitter", "Dell", "--server", "XR7620", "--format", "json", cwd=tmp_path
    )
    assert (done.returncode, done.stderr) == (0, b"")
    assert {(row["round"], row["server"]) for row in json.loads(done.stdout)} == {("v3.1", "XR7620")}


def test_snapshot_builds_from_named_folders_the_same_bytes_twice(tmp_path: Path) -> None:
    write(tmp_path / "from", FILES)
    for name in ("one", "two"):
        done = run("snapshot", "--from", tmp_path / "from", "--to", tmp_path / name)
        assert (done.returncode, done.stderr) == (0, b"")
        assert b"results.parquet" in done.stdout
    files = [{path.name: path.read_bytes() for path in (tmp_path / name).iterdir()} for name in ("one", "two")]
    assert files[0] == files[1]
    assert set(files[0]) == {checksums.FILE, *(f"{table}.parquet" for table in snapshot.TABLES)}


def test_snapshot_of_folders_without_results_fails_and_writes_nothing(tmp_path: Path) -> None:
    write(tmp_path / "from", {"a.txt": "words"})
    done = run("snapshot", "--from", tmp_path / "from", "--to", tmp_path / "to")
    assert (done.returncode, done.stdout) == (2, b"")
    assert b"no results were found" in done.stderr
    assert not (tmp_path / "to").exists()


@pytest.mark.parametrize("jobs", ["0", "-1", "two", "1.5"])
def test_a_number_of_processes_that_is_none_is_refused_before_anything_is_read(tmp_path: Path, jobs: str) -> None:
    paths = write(tmp_path, FILES)
    done = run("load", *paths, "--into", tmp_path / "to.duckdb", f"--jobs={jobs}")
    assert (done.returncode, done.stdout) == (2, b"")
    assert f"argument --jobs: '{jobs}' is no number of processes" in done.stderr.decode()
    assert not (tmp_path / "to.duckdb").exists()


def test_without_a_command_the_usage_is_shown() -> None:
    done = run()
    assert done.returncode == 2
    assert b"usage: python -m loaders" in done.stderr


def test_bare_logs_are_loaded_under_what_their_owner_says(tmp_path: Path) -> None:
    write(tmp_path / "rerun", {f"result_{run}.txt": log(10 + run, at=run * 1000) for run in range(10)})
    into = ["--into", tmp_path / "own.duckdb"]
    assert run("load", tmp_path / "rerun", *into).returncode == 2
    said = ["--round", "v1.1", "--division", "closed", "--submitter", "our lab", "--system-id", "box", "--nodes", "2",
            "--accelerator", "NVIDIA A100-SXM-80GB", "--accelerators-per-node", "4"]  # fmt: skip
    assert run("load", tmp_path / "rerun", *into, *said).returncode == 0
    [row] = exported("--from", tmp_path / "own.duckdb")
    assert (row["submitter"], row["system_id"], row["round"], row["benchmark"]) == ("our lab", "box", "v1.1", "rnnt")
    assert (float(row["value"]), row["accelerator_count"], row["verified"]) == (14.5, "8", "false")
