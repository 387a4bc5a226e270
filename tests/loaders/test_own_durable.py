"""Own results outlive the process: killed at any moment, or out of room, what was acknowledged is there, whole."""

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from loaders import own, store
from tests import ROOT
from tests.loaders.uploading import Box, ten

KILLS = 50
STARTING = 0.25
"""Seconds after its start within which a process is killed that may not have opened the catalog yet."""
SAVING = 0.06
"""Seconds after an acknowledgement within which a process is killed: more than a save takes."""

ROWS = """
    select upload_id,
        (select count(*) from own.results as one where one.upload_id = uploads.upload_id),
        (select count(*) from own.runs as one where one.upload_id = uploads.upload_id),
        (select count(*) from own.sightings as one where one.upload_id = uploads.upload_id),
        (select count(*) from own.systems as one where one.upload_id = uploads.upload_id),
        (select count(*) from own.measurements as one where one.upload_id = uploads.upload_id),
        (select count(*) from own.checks as one where one.upload_id = uploads.upload_id)
    from own.uploads
"""
STRAYS = "select count(*) from own.{} where upload_id not in (select upload_id from own.uploads)"
TABLES = (*own.TABLES, "measurements", "checks")


def held(file: Path) -> dict[str, tuple[int, ...]]:
    """The uploads in a catalog with the numbers of their rows; opened as the app does, by nobody's hand."""
    connection = store.open_database(None)
    try:
        cursor = own.attach(connection, file).cursor()
        for table in TABLES:
            assert cursor.execute(STRAYS.format(table)).fetchone() == (0,), table
        return {row[0]: tuple(row[1:]) for row in cursor.execute(ROWS).fetchall()}
    finally:
        connection.close()


class Forker:
    """The process that starts the children to be killed."""

    def __init__(self, folder: Path) -> None:
        command = [sys.executable, "-m", "tests.loaders.saving_for_ever", str(folder)]
        self.process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.told: list[str] = []
        self.child = 0

    def start(self) -> None:
        """Start a child; what it says is in `told` from now on."""
        assert self.process.stdin is not None
        self.told, self.child = [], 0
        self.process.stdin.write(b"go\n")
        self.process.stdin.flush()
        while not self.child:
            self.hear()

    def hear(self) -> None:
        """Wait for the next line; one in digits is the child's number, which it may be heard before."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline().decode().strip()
        assert line, "the forker died"
        self.told.append(line)
        self.child = int(line) if line.isdecimal() else self.child

    def wait_for_saves(self, count: int) -> None:
        """Listen until so many uploads were acknowledged."""
        while len(self.heard("+")) < count:
            self.hear()

    def kill(self) -> None:
        """End the child in the midst of what it does, and hear its last words."""
        os.kill(self.child, signal.SIGKILL)
        while "end" not in self.told:
            self.hear()

    def heard(self, mark: str) -> set[str]:
        """The uploads that were acknowledged with a mark."""
        return {line[1:] for line in self.told if line.startswith(mark)}


@pytest.fixture
def forker(tmp_path: Path) -> Iterator[Forker]:
    made = Forker(tmp_path)
    yield made
    made.process.communicate(timeout=30)  # ends with its input


@pytest.fixture
def whole(tmp_path: Path) -> tuple[int, ...]:
    """The numbers of rows of an upload that was saved undisturbed."""
    box = Box(tmp_path / "whole")
    box.save(ten())
    box.close()
    (numbers,) = held(tmp_path / "whole" / "own.duckdb").values()
    assert all(numbers)
    return numbers


def test_fifty_kills_lose_nothing_that_was_acknowledged_and_leave_nothing_half_saved(
    tmp_path: Path, forker: Forker, whole: tuple[int, ...]
) -> None:
    chance = random.Random(5)
    present: set[str] = set()
    gone: set[str] = set()
    for number in range(KILLS):
        forker.start()
        if number % 4:
            forker.wait_for_saves(chance.randrange(1, 4))
        time.sleep(chance.uniform(0, SAVING if number % 4 else STARTING))
        forker.kill()
        present |= forker.heard("+")
        gone |= forker.heard("-")
        in_between = forker.heard("?") - gone  # the kill came while it was deleted: it is there whole, or gone
        assert len(in_between) <= 1
        found = held(tmp_path / "own.duckdb")
        assert present - gone - in_between - set(found) == set(), "acknowledged, and lost"
        assert gone & set(found) == set(), "deleted, and back"
        assert set(found.values()) <= {whole}, "half saved"
        gone |= in_between - set(found)
        present |= set(found)  # saved, though there was no time to say so
    assert len(present) > KILLS
    assert gone


FULL = """
import resource, signal, sys
from pathlib import Path
from loaders import own, store
from mlperf import queries
from mlperf.errors import StoreError
from mlperf.filters import Filters
from tests.loaders.uploading import Box, ten

box = Box(Path(sys.argv[1]))
first = box.save(ten())
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
size = (box.folder / "own.duckdb.wal").stat().st_size
resource.setrlimit(resource.RLIMIT_FSIZE, (size + 2000, resource.RLIM_INFINITY))
try:
    box.save(ten(20))
except StoreError as fault:
    print("refused", fault.fix)
print("published", queries.results(box.published, Filters()).num_rows)
"""


def test_a_disk_that_is_full_refuses_the_upload_and_keeps_what_was_there(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", FULL, str(tmp_path)], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert "refused Nothing was stored." in done.stdout, done.stdout + done.stderr
    assert "published 0" in done.stdout, done.stdout + done.stderr
    assert len(held(tmp_path / "own.duckdb")) == 1


def test_a_log_that_is_cut_off_gives_what_it_holds_whole(
    tmp_path: Path, forker: Forker, whole: tuple[int, ...]
) -> None:
    """A machine that loses power may lose the end of the log that DuckDB was writing."""
    forker.start()
    forker.wait_for_saves(6)
    forker.kill()
    file = tmp_path / "own.duckdb"
    content, log = file.read_bytes(), file.with_name("own.duckdb.wal").read_bytes()
    counts = []
    for share in (0.3, 0.6, 0.9, 1.0):
        file.write_bytes(content)
        file.with_name("own.duckdb.wal").write_bytes(log[: int(len(log) * share)])
        found = held(file)
        assert set(found.values()) <= {whole}
        counts.append(len(found))
    assert counts == sorted(counts)
    assert counts[0] < counts[-1]


def test_a_catalog_that_was_closed_is_one_file(tmp_path: Path) -> None:
    box = Box(tmp_path / "box")
    box.save(ten())
    box.close()
    (tmp_path / "moved.duckdb").write_bytes((tmp_path / "box" / "own.duckdb").read_bytes())
    assert not (tmp_path / "box" / "own.duckdb.wal").exists()
    assert held(tmp_path / "moved.duckdb") == held(tmp_path / "box" / "own.duckdb")
