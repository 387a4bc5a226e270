"""Every reader takes time in proportion to what it reads, whatever that holds; bad lines cost no more than good."""

import io
import json
import tarfile
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from loaders.ingest import read
from loaders.manifest import Manifest
from loaders.upload import inspect, preview
from mlperf.errors import UnsafeArchive
from tests.loaders.making import FLAT, as_bytes, checker, cm, packed, summary, table, write
from tests.loaders.trees.making_inference import OFFLINE, RESULT, RUN, TREE, detail
from tests.loaders.trees.making_training import GROUP, event, log

ROOT = "training_results_v1.1"
TIMES = 4
MOST = 8
"""Four times the input takes four times the work, and at the square of it sixteen times."""

ENOUGH = 0.02
"""Seconds of the processor: what takes less for all of a text is fast enough, and cannot be compared."""

Files = dict[str, str | bytes]


def chars(folder: str, text: str) -> Callable[[int], Files]:
    """A file of a text that is repeated, of so many thousand characters."""
    return lambda size: {folder: text * (size * 1000 // len(text))}


def lines_between(path: str, line: str, before: str = "", after: str = "") -> Callable[[int], Files]:
    """A file of a line that is repeated, between others."""
    return lambda size: {path: before + f"{line}\n" * (size * 1000 // (len(line) + 1)) + after}


def tar_of_records(size: int) -> Files:
    """A tar whose first header says a thousand things of all members, and many members."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT,
                      pax_headers={f"key{number}": "value" for number in range(20 * size)}) as archive:  # fmt: skip
        for number in range(4 * size):
            archive.addfile(tarfile.TarInfo(f"{number}.txt"), io.BytesIO())
    return {"a.tar": buffer.getvalue()}


def runs(size: int) -> Files:
    """Logs of one group with the same clock."""
    return {f"{ROOT}/{GROUP}/result_{number}.txt": log(10 + number) for number in range(2 * size)}


def groups_with_faults(size: int) -> Files:
    """Many groups, each with a fault of its own."""
    return {f"{ROOT}/Dell/results/s{number}/rnnt/result_0.txt": ":::MLLOG x\n" for number in range(2 * size)}


def namesakes(size: int) -> Files:
    """Systems of one name in a table that tells them apart, and as many lines in one that does not."""
    known = [summary(Platform=f"p{number}", ID=f"5.1-{number}", **{"a#": number + 1}) for number in range(size)]
    lines = [FLAT | {"Public ID": f"5.1-{number}", "# of Accelerators": "8"} for number in range(size)]
    return {"a.json": as_bytes(known).decode(), "inference_datacenter_closed.csv": table(*lines)}


def powered(size: int) -> Files:
    """Lines of one system, half of them with power, each with a public ID of its own."""
    lines = [
        FLAT | {"Public ID": f"5.1-{number}", "Avg. Result at System Name": str(1000 + 10 * number),
                "Division/Power": "Closed - Power" if number % 2 else "Closed"}
        for number in range(2 * size)
    ]  # fmt: skip
    return {"inference_datacenter_closed.csv": table(*lines)}


TRAINING = f"{ROOT}/{GROUP}/result_0.txt"
SHEET = f"{ROOT}/Dell/systems/a.json"
SPL = f"{RUN}/spl.txt"
NODE = f"{ROOT}/{GROUP}/power/result_0/node_0.txt"
DETAIL = f"{RUN}/mlperf_log_detail.txt"
NESTED = '{"x":[{},'

HOSTILE: dict[str, Callable[[int], Files]] = {
    "sheet, escapes": lambda size: {SHEET: '{"a": "' + '\\"' * (500 * size)},
    "sheet, commas": lambda size: {SHEET: '{"a": [' + ", " * (500 * size)},
    "sheet, keys": lambda size: {SHEET: json.dumps({f"k{number}": "v" for number in range(60 * size)})},
    "sheet, one key": lambda size: {SHEET: "{" + '"a": 1, ' * (100 * size) + '"a": 2}'},
    "sheet, list": lambda size: {SHEET: json.dumps({"a": list(range(200 * size))})},
    "records, broken": lambda size: {"a.json": "[" + json.dumps(summary()) + ',{"a" 1},' * (100 * size)},
    "records, none": lambda size: {"a.json": "[" + json.dumps(summary()) + ",1" * (500 * size)},
    "records, one in another": lambda size: {
        "a.json": "[" + json.dumps(summary()) + "," + NESTED * min(900, 5 * size) + "0," * (400 * size)
    },
    "records, keys": lambda size: {"a.json": json.dumps({str(n): checker() for n in range(size)})},
    "records, wide": lambda size: {"a.json": json.dumps([cm() | {f"c{n}": 1 for n in range(50 * size)}])},
    "training, bad lines": lines_between(TRAINING, ":::MLLOG x"),
    "training, bad lines within": lines_between(TRAINING, ":::MLLOG x", log(), log()),
    "training, tokens": chars(TRAINING, ":::MLLOG "),
    "training, starts": lines_between(TRAINING, event("run_start")),
    "training, starts behind a long line": lambda size: {
        TRAINING: ':::MLLOG {"namespace": "' + "x" * (500 * size) + "\n" + f"{event('run_start')}" * (3 * size)
    },
    "training, seeds": lambda size: {TRAINING: "".join(event("seed", n) + "\n" for n in range(5 * size)) + log()},
    "training, brackets": lines_between(TRAINING, ":::MLLOG " + "[" * 200),
    "training, runs": runs,
    "training, groups": groups_with_faults,
    "node, strange lines": lines_between(NODE, "x"),
    "node, bad readings": lines_between(NODE, event("power_reading", "x")),
    "detail, ours": lines_between(DETAIL, ':::MLLOG {"key": "result_validity", "value": "VALID"}'),
    "detail, damaged": chars(DETAIL, ':::MLLOG {"key": "result_validity"'),
    "detail, not ours": lines_between(DETAIL, ':::MLLOG {"key": "other", "value": [1, 2]}'),
    "detail, one line": lambda size: {DETAIL: detail() + "x" * (1000 * size)},
    "summary": lambda size: {f"{RUN}/mlperf_log_summary.txt": OFFLINE + "Scenario : " * (90 * size)},
    "accuracy, blanks": lambda size: {f"{RESULT}/accuracy/accuracy.txt": "accuracy" + " " * (1000 * size)},
    "accuracy, errors": chars(f"{RESULT}/accuracy/accuracy.txt", "Word Error Rate:"),
    "spl, bad lines": lines_between(SPL, "Time"),
    "spl, one line": chars(SPL, "Time,"),
    "table, columns": lambda size: {"a.csv": table(FLAT) + ",".join(["x"] * (500 * size))},
    "table, quotes": lambda size: {"a.csv": table(FLAT) + '"a\n' * (300 * size)},
    "table, bad lines": lambda size: {"a.csv": table(FLAT) + "x\n" * (500 * size)},
    "table, namesakes": namesakes,
    "table, powered": powered,
    "tar, records of all": tar_of_records,
    "zip, files": lambda size: {"a.zip": packed({f"{n}/x.txt": "x" for n in range(10 * size)})},
    "files": lambda size: {f"{TREE}/{n}/x.txt": "x" for n in range(2 * size)},
}  # fmt: skip
"""Files by a size: about so many thousand characters, or as many files as take their time."""


SIZES = {"sheet, escapes": 8, "accuracy, blanks": 8, "accuracy, errors": 64}
"""Of what took minutes for a megabyte."""


def seconds(folder: Path, files: Files) -> float:
    """Of the processor, to read an upload of these files and to say what is in it."""
    given = [(path, path.relative_to(folder).as_posix()) for path in write(folder, files)]
    begun = time.process_time()
    preview(inspect(given))
    return time.process_time() - begun


@pytest.mark.parametrize("name", HOSTILE)
def test_four_times_the_input_takes_about_four_times_the_work(tmp_path: Path, name: str) -> None:
    made, size = HOSTILE[name], SIZES.get(name, 256)
    seconds(tmp_path / "warm", made(1))
    much = seconds(tmp_path / "much", made(TIMES * size))
    if much < ENOUGH:
        return
    for attempt in range(3):
        little = seconds(tmp_path / f"little {attempt}", made(size))
        if much < MOST * max(little, ENOUGH / TIMES):
            return
        much = min(much, seconds(tmp_path / f"much {attempt}", made(TIMES * size)))
    pytest.fail(f"{much:.3f} s for four times what takes {little:.3f} s")


GOOD: dict[str, tuple[Callable[[int], Files], Callable[[int], Files]]] = {
    "training": (
        lines_between(TRAINING, ":::MLLOG x", log()),
        lines_between(TRAINING, event("tracked_stats", {"throughput": 1.5}, 61_000), log()),
    ),
    "training, before the run": (
        lines_between(TRAINING, ":::MLLOG x"), lines_between(TRAINING, event("seed", 1)),
    ),
    "meter": (
        lines_between(SPL, "Time,x"),
        lines_between(SPL, "Time,01-01-2023 00:00:01.000,Watts,100.000000,Volts,x"),
    ),
    "node": (lines_between(NODE, "x"), lines_between(NODE, event("power_reading", 100.5))),
    "detail": (
        lines_between(DETAIL, ':::MLLOG {"key": "result_validity", "value": x'),
        lines_between(DETAIL, ':::MLLOG {"key": "result_validity", "value": "VALID"}'),
    ),
    "records": (
        lambda size: {"a.json": "[" + json.dumps(summary()) + ',{"a" 1}' * (100 * size) + "]"},
        lambda size: {"a.json": json.dumps([summary(Platform=f"p{number}") for number in range(size)])},
    ),
}  # fmt: skip
"""Bad lines of a file and good ones, about as many characters of each."""


@pytest.mark.parametrize("name", GOOD)
def test_bad_lines_by_the_thousand_cost_no_more_than_good_ones(tmp_path: Path, name: str) -> None:
    bad, good = GOOD[name]
    size = 20_000 if name == "training" else 2_000  # lines within a run are passed over by the hundred thousand
    seconds(tmp_path / "warm", good(1))
    cost = [seconds(tmp_path / f"good {attempt}", good(size)) for attempt in range(2)]
    assert min(seconds(tmp_path / f"bad {attempt}", bad(size)) for attempt in range(2)) < 2 * max(*cost, ENOUGH)


def test_the_zip_of_bad_lines_is_refused_or_read_in_no_more_time_than_good_lines(shared: Path, tmp_path: Path) -> None:
    slow = shared.parent / "cases" / "hostile" / "slow_mllog_lines.zip"
    (reading,) = read(slow, Manifest())
    assert isinstance(reading.report.refused, UnsafeArchive)


@pytest.mark.parametrize("size", [1 << 19, 1 << 21])
@pytest.mark.parametrize("form", ["zip", "tar.gz"])
def test_small_members_together_stay_within_the_ratio_of_an_archive(tmp_path: Path, form: str, size: int) -> None:
    buffer = io.BytesIO()
    if form == "zip":
        buffer.write(packed({f"{number}.txt": bytes(size) for number in range((80 << 20) // size)}))
    else:
        with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
            for number in range((80 << 20) // size):
                header = tarfile.TarInfo(f"{number}.txt")
                header.size = size
                archive.addfile(header, io.BytesIO(bytes(size)))
    (path,) = write(tmp_path, {f"a.{form}": buffer.getvalue()})
    (reading,) = read(path, Manifest())
    assert isinstance(reading.report.refused, UnsafeArchive)
    assert "zip bomb" in reading.report.refused.found
