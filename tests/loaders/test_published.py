"""Copies of published logs: the same is silent, a changed one is told with file and line, a new one is neither."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from loaders import snapshot
from loaders.ingest import read
from loaders.manifest import Manifest
from loaders.published import Published, published
from loaders.unpack import OnProgress
from mlperf.errors import Problem
from tests.loaders.trees.making_training import event, group, write
from tests.loaders.uploading import previewed
from tests.property.test_mutations import CASES, Tree, original

TEN = [10.0 + number / 10 for number in range(10)]
RUN = "Dell/results/XE8545/rnnt/result_3.txt"


@contextmanager
def unwatched(_: Path) -> Iterator[OnProgress]:
    yield lambda _done, _total: None


def differences(known: Published, path: Path) -> list[Problem]:
    """What is told of a tree beside these published ones."""
    (reading,) = read(path, Manifest())
    return list(known.differences(reading.seen.values(), reading.runs))


@pytest.fixture
def known(tmp_path: Path) -> Published:
    """A snapshot with one group of ten runs and its power."""
    tree = write(powered(2000), tmp_path / "published" / "training_results_v1.1")
    snapshot.build([tree], tmp_path / "data", Manifest(), unwatched)
    return Published(tmp_path / "data")


def powered(watts: float) -> dict[str, str | bytes]:
    ends = event("power_measurement_start"), event("power_measurement_stop", "null", 600_000)
    readings = [event("power_reading", watts, at * 1000) for at in range(1, 601)]
    log = "\n".join([ends[0], *readings, ends[1]])
    return {**group(TEN), **{f"{Path(RUN).parent}/power/result_{at}/node_0.txt": log for at in range(10)}}


def tree(tmp_path: Path, files: dict[str, str | bytes]) -> Path:
    return write(files, tmp_path / "mine" / "training_results_v1.1")


def test_the_same_logs_are_silent(known: Published, tmp_path: Path) -> None:
    assert differences(known, tree(tmp_path, powered(2000))) == []


@pytest.mark.parametrize(
    "key, seconds, said",
    [("run_stop", 2, "begins with the published run .*, but ends 2.000 s later"),
     ("run_stop", -0.005, "but ends 0.005 s earlier"), ("run_start", 1, "ends with .*, but begins 1.000 s later")],
)  # fmt: skip
def test_an_end_that_was_changed_is_told(known: Published, tmp_path: Path, key: str, seconds: float, said: str) -> None:
    files = powered(2000)
    log = files[RUN]
    assert isinstance(log, str)
    line = next(line for line in log.splitlines() if f'"{key}"' in line)
    time = int(re.findall(r'"time_ms": (\d+)', line)[0])
    changed = line.replace(str(time), str(time + round(seconds * 1000)))
    found = differences(known, tree(tmp_path, {**files, RUN: log.replace(line, changed)}))
    (problem,) = [problem for problem in found if "published run" in problem.found]
    assert re.search(said, problem.found)
    assert problem.kind == "not-as-published"
    assert problem.where.file.endswith("result_3.txt")
    assert "training_results_v1.1" in problem.found


def test_a_power_that_was_changed_is_told(known: Published, tmp_path: Path) -> None:
    (problem,) = differences(known, tree(tmp_path, powered(2001)))
    assert re.search(r"gives .* at a power of .*; the very same runs give .* in ", problem.found)


def test_the_same_runs_without_their_power_are_silent(known: Published, tmp_path: Path) -> None:
    assert differences(known, tree(tmp_path, group(TEN))) == []


def test_the_same_runs_without_their_scaling_are_told_so(known: Published, tmp_path: Path) -> None:
    scaled = {**powered(2000), "Dell/results/XE8545/rnnt/scaling.json": '{"scaling_factor": 1.1}'}
    (problem,) = differences(known, tree(tmp_path, scaled))
    assert "scaling.json" in problem.fix
    assert "the very same runs give" in problem.found


def test_a_run_of_another_group_among_published_ones_is_told(known: Published, tmp_path: Path) -> None:
    files = {**powered(2000), RUN: later(powered(2000)[RUN])}
    told = [
        problem for problem in differences(known, tree(tmp_path, files)) if "none of the published" in problem.found
    ]
    (problem,) = told
    assert problem.where.file.endswith("result_3.txt")
    assert problem.found.endswith("as 9 others of its group are.")


@pytest.mark.parametrize(
    "name, said", [("Server", "is the log of llama2-70b-99"), ("a latency alone", "is the log of")]
)
def test_published_logs_under_another_benchmark_are_told(shared: Path, tmp_path: Path, name: str, said: str) -> None:
    root = tmp_path / CASES[name][0]
    for path, content in original(shared, name).items():
        moved = path.replace("llama2-70b-99/", "mixtral-8x7b/").replace("resnet50/", "bert-99/")
        (root / moved).parent.mkdir(parents=True, exist_ok=True)
        (root / moved).write_bytes(content)
    assert any(said in problem.found for problem in differences(published(), root))


def test_a_published_log_without_the_detail_beside_it_is_silent(shared: Path, tmp_path: Path) -> None:
    """Its summary prints fewer digits."""
    root = tmp_path / CASES["Server"][0]
    for path, content in original(shared, "Server").items():
        if not path.endswith("detail.txt"):
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_bytes(content)
    assert differences(published(), root) == []


def test_runs_of_another_day_are_silent(known: Published, tmp_path: Path) -> None:
    files = {name: later(text) for name, text in powered(2100).items()}
    assert differences(known, tree(tmp_path, files)) == []


def later(text: str | bytes) -> str | bytes:
    if not isinstance(text, str):
        return text
    return re.sub(r'(?<="time_ms": )\d+', lambda time: str(int(time[0]) + 86_400_000), text)


def test_nothing_is_known_without_a_snapshot(tmp_path: Path) -> None:
    assert differences(Published(tmp_path / "none"), tree(tmp_path, powered(2000))) == []


def test_a_lone_published_log_is_told_whatever_its_owner_calls_it(shared: Path, tmp_path: Path) -> None:
    """One of the runs of the XE8545, as somebody may hand it out, once as it is and once with another digit."""
    logs = original(shared, "rnnt")
    name = next(name for name in logs if name.endswith("result_7.txt"))
    changed = re.sub(rb'("time_ms": \d{9})(\d)(\d{3}[^\n]*"run_stop")', rb"\g<1>0\3", logs[name])
    assert changed != logs[name]
    for content, kinds in ((logs[name], []), (changed, ["not-as-published"])):
        found = previewed(tmp_path / str(len(kinds)), {"result_0.txt": content})
        (entry,) = found.entries
        told = [problem for problem in entry.problems if problem.kind == "not-as-published"]
        assert [problem.kind for problem in told] == kinds
        assert all(problem.where.file == "result_0.txt" and problem.where.line for problem in told)


@pytest.mark.parametrize("name", CASES)
def test_published_logs_are_as_the_snapshot_has_them(shared: Path, tmp_path: Path, name: str) -> None:
    files: Tree = original(shared, name)
    root = tmp_path / CASES[name][0]
    for path, content in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(content)
    assert differences(published(), root) == []
