"""How fast the whole snapshot is rebuilt, side by side with only reading the same archive members: no assertion.

They are read as the loaders read them, and by Python's `zipfile` alone.
"""

import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from loaders import manifest, snapshot
from loaders.unpack import OnProgress, Source, sources
from tests import SHARED

FOLDER = SHARED
JOBS = 2
ROUNDS = 3


@contextmanager
def silent(_: Path) -> Iterator[OnProgress]:
    """No progress bar."""
    yield lambda done, total: None


def reading() -> int:
    """Every byte of every member, and nothing else."""
    return sum(len(chunk) for item in sources(FOLDER) if isinstance(item, Source) for chunk in item.chunks())


def unzipping() -> int:
    """Every byte of every member of a zip, by the standard library."""
    size = 0
    for path in sorted(FOLDER.rglob("*.zip")):
        with zipfile.ZipFile(path) as archive:
            size += sum(len(archive.read(entry)) for entry in archive.infolist())
    return size


def rebuilding() -> int:
    """The snapshot into a folder of its own; its bytes."""
    with tempfile.TemporaryDirectory() as target:
        snapshot.build([FOLDER], Path(target), manifest.read(), silent, JOBS)
        return sum(path.stat().st_size for path in Path(target).iterdir())


def command(what: str) -> list[str]:
    """What does one task in a process of its own."""
    return [sys.executable, "-m", "tests.bench.bench_snapshot", what]


def measured(what: str) -> dict[str, float]:
    """Seconds and bytes of one task, start-up aside."""
    return dict(json.loads(subprocess.run(command(what), stdout=subprocess.PIPE, check=True).stdout))


def memory(what: str) -> tuple[float, float]:
    """Peak megabytes of a task's largest process, and of all together, what they share counted once (Linux)."""
    largest = together = 0.0
    with subprocess.Popen(command(what), stdout=subprocess.DEVNULL, start_new_session=True) as task:
        while task.poll() is None:
            found = list(held_by_session(task.pid))
            largest = max([largest, *(peak for peak, _ in found)])
            together = max(together, sum(now for _, now in found))
            time.sleep(0.1)
        assert not task.returncode
    return largest, together


def held_by_session(session: int) -> Iterator[tuple[float, float]]:
    """Of each process the most megabytes that it ever held, and its share now."""
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if os.getsid(int(folder.name)) == session:
                peak = re.search(r"VmHWM:\s+(\d+) kB", (folder / "status").read_text())
                share = re.search(r"Pss:\s+(\d+) kB", (folder / "smaps_rollup").read_text())
                if peak and share:  # one that is ending has none
                    yield int(peak[1]) / 1000, int(share[1]) / 1000
        except (ProcessLookupError, FileNotFoundError):
            continue  # it has ended


def test_snapshot() -> None:
    rounds = [{what: measured(what) for what in TASKS} for _ in range(ROUNDS)]
    ratios = sorted(each["rebuilding"]["seconds"] / each["reading"]["seconds"] for each in rounds)
    read, unzipped, rebuilt = (statistics.median(each[what]["seconds"] for each in rounds) for what in TASKS)
    largest, together = memory("rebuilding")
    print(
        f"\nthe whole snapshot of {rounds[0]['reading']['bytes'] / 1e6:.0f} MB of members, medians of {ROUNDS} rounds"
        f"\n{'reading them, s':34}{read:10.1f}"
        f"\n{'reading them by zipfile, s':34}{unzipped:10.1f}"
        f"\n{f'rebuilding with {JOBS} processes, s':34}{rebuilt:10.1f}"
        f"   {statistics.median(ratios):.2f} times reading ({ratios[0]:.2f}-{ratios[-1]:.2f}),"
        f" {rebuilt / unzipped:.2f} times zipfile"
        f"\n{'peak memory of a process, MB':34}{largest:10,.0f}   {together:,.0f} all together"
    )


TASKS = {"reading": reading, "unzipping": unzipping, "rebuilding": rebuilding}

if __name__ == "__main__":
    started = time.perf_counter()
    size = TASKS[sys.argv[1]]()
    took = time.perf_counter() - started
    print(json.dumps({"seconds": took, "bytes": size}))
