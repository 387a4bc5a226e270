"""How fast the whole snapshot is rebuilt, side by side with only reading the same archive members: no assertion."""

import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from loaders import manifest, snapshot
from loaders.unpack import OnProgress, Source, sources
from tests import SHARED

FOLDER = SHARED
JOBS = 2


@contextmanager
def silent(_: Path) -> Iterator[OnProgress]:
    """No progress bar."""
    yield lambda done, total: None


def reading() -> int:
    """Every byte of every member, and nothing else."""
    return sum(len(chunk) for item in sources(FOLDER) if isinstance(item, Source) for chunk in item.chunks())


def rebuilding() -> int:
    """The snapshot into a folder of its own; its bytes."""
    with tempfile.TemporaryDirectory() as target:
        snapshot.build([FOLDER], Path(target), manifest.read(), silent, JOBS)
        return sum(path.stat().st_size for path in Path(target).iterdir())


def measured(what: str) -> dict[str, float]:
    """Seconds and bytes of one task in a process of its own, start-up aside; its and its workers' peak megabytes."""
    command = [sys.executable, "-m", "tests.bench.bench_snapshot", what]
    peaks: dict[int, float] = {}
    with subprocess.Popen(command, stdout=subprocess.PIPE, start_new_session=True) as task:
        while task.poll() is None:
            peaks |= dict(peaks_of_session(task.pid))
            time.sleep(0.5)
        assert task.stdout
        assert not task.returncode
        return {**json.loads(task.stdout.read()), "megabytes": max(peaks.values())}


def peaks_of_session(session: int) -> Iterator[tuple[int, float]]:
    """Each process of a session and the most megabytes that it ever held (Linux)."""
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if os.getsid(int(folder.name)) == session:
                peak = re.search(r"VmHWM:\s+(\d+) kB", (folder / "status").read_text())
                if peak:  # one that is ending has none
                    yield int(folder.name), int(peak[1]) / 1000
        except (ProcessLookupError, FileNotFoundError):
            continue  # it has ended


def test_snapshot() -> None:
    read, built = measured("reading"), measured("rebuilding")
    ratio = built["seconds"] / read["seconds"]
    print(
        f"\nthe whole snapshot of {read['bytes'] / 1e6:.0f} MB of members"
        f"\n{'reading them, s':34}{read['seconds']:10.1f}"
        f"\n{f'rebuilding with {JOBS} processes, s':34}{built['seconds']:10.1f}   {ratio:.2f} times reading"
        f"\n{'peak memory of a process, MB':34}{built['megabytes']:10,.0f}"
    )


if __name__ == "__main__":
    started = time.perf_counter()
    size = {"reading": reading, "rebuilding": rebuilding}[sys.argv[1]]()
    took = time.perf_counter() - started
    print(json.dumps({"seconds": took, "bytes": size}))
