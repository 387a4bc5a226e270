"""How fast training logs are parsed, side by side with the `grep` that only finds their ends: figures, no assertion."""

import resource
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from statistics import median

from loaders.trees import training
from loaders.unpack import Source, sources
from tests import SHARED

ROUNDS = 9
LOGS = SHARED / "training" / "Dell_training_v1.1_full_logs.zip"
PARSED = "parsed"
"""Asks this file, run as a script, for the peak memory of one parse in a process of its own."""


def grep(folder: Path) -> None:
    """Start-up aside, as our own is: one process for all files."""
    # Into a pipe: where its output goes nowhere, grep stops at the first line that it finds.
    subprocess.run(["grep", "-rhE", "run_start|run_stop", str(folder)], stdout=subprocess.PIPE, check=True)


def parse(folder: Path) -> int:
    """Everything that loading reads of the logs, but for putting groups together; the number of pieces."""
    return sum(
        1 for item in sources(folder) if isinstance(item, Source) and training.claims(item) for _ in training.read(item)
    )


def seconds(work: Callable[[], object]) -> float:
    """The wall time of one call."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def test_parse(tmp_path: Path) -> None:
    with zipfile.ZipFile(LOGS) as archive:
        archive.extractall(tmp_path)
    size = sum(path.stat().st_size for path in tmp_path.rglob("*") if path.is_file())
    assert parse(tmp_path) > 100
    empty = tmp_path.with_name("nothing")
    empty.mkdir()
    (empty / "one").write_text("run_start\n")
    starts, found, parsed = [], [], []
    for _ in range(ROUNDS):
        starts.append(seconds(lambda: grep(empty)))
        found.append(seconds(lambda: grep(tmp_path)))
        parsed.append(seconds(lambda: parse(tmp_path)))
    floor, ours = median(found) - median(starts), median(parsed)
    told = subprocess.run(
        [sys.executable, "-m", "tests.bench.bench_parse", PARSED, str(tmp_path)],
        stdout=subprocess.PIPE, check=True, text=True,
    )  # fmt: skip
    print(
        f"\nuncut v1.1 Dell logs, {size / 1e6:.0f} MB (medians of {ROUNDS})"
        f"\n{'grep, ms':34}{floor * 1000:10,.0f}"
        f"\n{'parsed, ms':34}{ours * 1000:10,.0f}   {ours / floor:.2f} times grep, {size / 1e6 / ours:,.0f} MB/s"
        f"\n{'peak memory of a parse, MB':34}{told.stdout.strip():>10}"
    )


if __name__ == "__main__" and sys.argv[1:2] == [PARSED]:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    parse(Path(sys.argv[2]))
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(f"{after / 1000:.0f} ({(after - before) / 1000:.0f} over the imports)")
