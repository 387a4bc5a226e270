"""Real logs, damaged: the score stays, or a Problem says what is wrong; never an exception, never another score unsaid.

`ROUNDTABLE_MUTATIONS` sets how many mutations each case goes through (default 45).
"""

import os
import random
import re
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path, PurePosixPath
from typing import Final

import pytest

from loaders.ingest import read
from loaders.manifest import Manifest
from mlperf.errors import Problem
from tests.loaders.making import write

COUNT = int(os.environ.get("ROUNDTABLE_MUTATIONS", "45"))
"""Mutations of one case."""

PRINTED = 5e-6
"""A summary prints six digits of what its detail log has in full."""

XR5610 = "closed/Dell/results/XR5610_L4x1_TRT_MaxQ"
CASES = {
    "rnnt": ("training_results_v1.1", "Dell/results/XE8545x4A100-SXM-80GB/rnnt"),
    "resnet of an IPU": ("training_results_v1.1", "Graphcore/results/ipu-pod64-TF1/resnet"),
    "gpt3, a median of three": ("training_results_v3.0", "NVIDIA/results/dgxh100_n96_nemo/gpt3"),
    "ssd of v0.7": ("training_results_v0.7", "NVIDIA/results/dgxa100_ngc20.06_pytorch/ssd"),
    "bert with power": ("training_results_v4.0", "smc-ac-power/results/1xSMC-H100-SXM-80GB/bert"),
    "retinanet with power": ("training_results_v5.0", "Lenovo/results/SR780aV3-8xB200_SXM_180GB/retinanet"),
    "SingleStream with power": ("inference_results_v3.0", f"{XR5610}/rnnt/SingleStream"),
    "Offline with power": ("inference_results_v3.0", f"{XR5610}/rnnt/Offline"),
    "Server": ("inference_results_v5.1", "closed/Dell/results/XE9680L_B200_SXM_180GBx8_TRT/llama2-70b-99/Server"),
    "a summary alone": ("inference_results_v1.0", "closed/Alibaba/results/A10x1_TRT/resnet50/Offline"),
    "a latency alone": ("inference_results_v1.0", "closed/Alibaba/results/A10x1_TRT/resnet50/SingleStream"),
}
"""A result of an archive: whose logs and system are all there is of the tree."""

Tree = dict[str, bytes]
_LOG = re.compile(r"result_[^/]*\.txt|(node|sw)_[^/]*\.txt|mlperf_log_(detail|summary)\.txt|spl\.txt")


@dataclass(frozen=True)
class Told:
    """What came of a tree: (value, power) of each suite, and all Problems."""

    scores: tuple[tuple[float | None, float | None], ...]
    problems: frozenset[Problem]

    def equals(self, other: "Told") -> bool:
        """Whether the scores are the same to the digits that a summary prints."""
        pairs = zip(sum(self.scores, ()), sum(other.scores, ()), strict=False)
        same = all(one == two or (one and two and abs(one - two) <= PRINTED * two) for one, two in pairs)
        return len(self.scores) == len(other.scores) and same


def told(tree: Tree, folder: Path, archive: str) -> Told:
    """Read a tree from the disk as a user's own."""
    root = folder / archive
    here = {str(path.relative_to(root)) for path in root.rglob("*") if path.is_file()} if root.exists() else set()
    for name in here - set(tree):
        (root / name).unlink()
    write(root, {name: data for name, data in tree.items() if name not in here or (root / name).read_bytes() != data})
    (reading,) = read(root, Manifest())
    assert reading.report.refused is None
    found = sorted(
        (item.sighting.suite, item.sighting.value, item.sighting.power_value) for item in reading.seen.values()
    )
    return Told(tuple((value, power) for _, value, power in found), frozenset(reading.report.problems))


@cache
def original(shared: Path, name: str) -> Tree:
    """The result's own files and its system's sheet."""
    archive, result = CASES[name]
    kind = archive.partition("_")[0]
    root, _, below = result.partition("/results/")
    with zipfile.ZipFile(shared / kind / f"{archive}.zip") as packed:
        top = f"{archive}/" if kind == "inference" else ""
        wanted = (f"{top}{result}/", f"{top}{root}/systems/{below.split('/')[0]}.json")
        return {path.removeprefix(top): packed.read(path) for path in packed.namelist() if path.startswith(wanted)}


def logs(tree: Tree) -> list[str]:
    return [path for path in sorted(tree) if _LOG.fullmatch(PurePosixPath(path).name) and "ranging" not in path]


def others(shared: Path, name: str, path: str, is_own: bool) -> bytes:
    """A log of the same form, of another run or result."""
    form = PurePosixPath(path).name.partition("_")[0]
    for case in [name, *CASES]:
        tree = unpublished(shared, case) if is_own else original(shared, case)
        found = [at for at in logs(tree) if PurePosixPath(at).name.startswith(form) and at != path]
        if found and (case == name) == (form in {"result", "node"}):
            return tree[found[len(path) % len(found)]]
    return b"nothing"


# --- what nothing contradicts ---

_DAY: Final = 86_400_000
_TIME = re.compile(rb'("time_ms": ?)(\d{13})')
_LEAST = re.compile(rb'("result_min_latency_ns", "value": \d*|^Min latency \(ns\) *: \d*)(\d)', re.MULTILINE)


@cache
def unpublished(shared: Path, name: str) -> Tree:
    """The same logs a day later, and of a run whose least latency was another: nothing published is like them."""

    def other(log: bytes) -> bytes:
        log = _TIME.sub(lambda time: time[1] + b"%d" % (int(time[2]) + _DAY), log)
        return _LEAST.sub(lambda least: least[1] + (b"1" if least[2] == b"0" else b"0"), log)

    return {path: other(log) for path, log in original(shared, name).items()}


BELIEVED: dict[str, bytes] = {
    "result_": rb'"time_ms": (\d+), "event_type": "[A-Z_]+", "key": "run_st(?:art|op)"',
    "node_": rb'"time_ms": ?(\d+), ?"event_type": ?"[A-Z_]+", ?"key": ?"power_(?:reading", "value": (\d+)|measurement)',
    "mlperf_log_detail.txt": rb'"key": "(?:power_begin|power_end|result_query_count)", "value": "?([^",]+)',
    "mlperf_log_summary.txt": rb"^Samples per second: ([\d.]+)",
}
"""By the beginning of a log's name the numbers that a score or a power hangs on alone where nothing is known of the
run, as no checksum exists: both ends of a run, each reading of a node's meter and its time, the window of the measured
run and its queries, the figure of a summary that has no detail log and no second figure. What is far from all that
stands around it is told all the same."""


def believed(tree: Tree, path: str) -> list[tuple[int, int]]:
    """Where these numbers begin and end in a log."""
    name = PurePosixPath(path)
    if name.name == "mlperf_log_summary.txt" and str(name.with_name("mlperf_log_detail.txt")) in tree:
        return []
    pattern = next((regex for beginning, regex in BELIEVED.items() if name.name.startswith(beginning)), rb"(?!)")
    matches = re.finditer(pattern, tree[path], re.MULTILINE)
    return [match.span(group) for match in matches for group in range(1, match.re.groups + 1) if match[group]]


def is_digit_for_digit(tree: Tree, path: str, made: bytes | None) -> bool:
    """Whether the mutation is one digit for another in a number that nothing contradicts."""
    log = tree[path]
    if made is None or len(made) != len(log):
        return False
    places = [at for at in range(len(log)) if log[at] != made[at]]
    if len(places) != 1 or not (log[places[0] :][:1].isdigit() and made[places[0] :][:1].isdigit()):
        return False
    return any(start <= places[0] < end for start, end in believed(tree, path))


def is_one_reading_less(tree: Tree, path: str, made: bytes | None) -> bool:
    """Whether the mutation takes one reading of a node away, which a clock of whole seconds leaves no gap for."""
    if made is None or not PurePosixPath(path).name.startswith("node_"):
        return False
    lost = Counter(tree[path].splitlines()) - Counter(made.splitlines())
    return lost.total() == 1 and b"power_reading" in next(iter(lost)) and len(made) < len(tree[path])


def other_digits(tree: Tree, places: list[tuple[str, int]], chance: random.Random, count: int) -> Iterator[Tree]:
    """The tree with another digit in some of these places."""
    digits = [(path, at) for path, at in places if tree[path][at : at + 1].isdigit()]
    for path, at in chance.sample(digits, min(len(digits), count)):
        log = tree[path]
        digit = chance.choice([one for one in b"0123456789" if one != log[at]])
        yield {**tree, path: log[:at] + bytes([digit]) + log[at + 1 :]}


# --- mutations: a log, chance, and another log of its form; None removes the file ---

Mutation = Callable[[bytes, random.Random, bytes], bytes | None]


def stretch(count: int, chance: random.Random) -> tuple[int, int]:
    """Some lines: one, a few, or any part."""
    start = chance.randrange(max(count, 1))
    return start, min(count, start + chance.choice([1, 1, 2, 5, count]))


def cut_short(log: bytes, chance: random.Random, _: bytes) -> bytes:
    return log[: chance.randrange(len(log))]


def lose_the_beginning(log: bytes, chance: random.Random, _: bytes) -> bytes:
    return log[chance.randrange(1, len(log)) :]


def remove_lines(log: bytes, chance: random.Random, _: bytes) -> bytes:
    lines = log.splitlines(keepends=True)
    start, end = stretch(len(lines), chance)
    return b"".join(lines[:start] + lines[end:])


def remove(_log: bytes, _chance: random.Random, _: bytes) -> None:
    return None


def splice(log: bytes, chance: random.Random, other: bytes) -> bytes:
    lines, foreign = log.splitlines(keepends=True), other.splitlines(keepends=True)
    start, end = stretch(len(foreign), chance)
    at = chance.randrange(len(lines) + 1)
    return b"".join(lines[:at] + foreign[start:end] + lines[at + chance.choice([0, end - start]) :])


def double(log: bytes, chance: random.Random, _: bytes) -> bytes:
    lines = log.splitlines(keepends=True)
    start, end = stretch(len(lines), chance)
    return b"".join(lines[:end] + lines[start:])


def shuffle(log: bytes, chance: random.Random, _: bytes) -> bytes:
    lines = log.splitlines(keepends=True)
    start, end = stretch(len(lines), chance)
    return b"".join(lines[:start] + chance.sample(lines[start:end], end - start) + lines[end:])


def zeros(log: bytes, chance: random.Random, _: bytes) -> bytes:
    start = chance.randrange(len(log))
    end = min(len(log), start + chance.choice([1, 16, 512, 4096]))
    return log[:start] + b"\0" * (end - start) + log[end:]


def flip(log: bytes, chance: random.Random, _: bytes) -> bytes:
    at = chance.randrange(len(log))
    return (
        log[:at] + bytes([chance.choice([log[at] ^ 1 << chance.randrange(8), chance.randrange(256)])]) + log[at + 1 :]
    )


MUTATIONS: dict[str, Mutation] = {
    function.__name__: function
    for function in (cut_short, lose_the_beginning, remove_lines, remove, splice, double, shuffle, zeros, flip)
}


def mutated(shared: Path, name: str, seed: int, is_own: bool) -> tuple[Tree, str]:
    """The tree, as published or of somebody's own, with one of its logs changed, and which and how."""
    chance = random.Random(f"{name} {seed}")
    tree = unpublished(shared, name) if is_own else original(shared, name)
    way = list(MUTATIONS)[seed % len(MUTATIONS)]
    path = chance.choice(logs(tree))
    made = MUTATIONS[way](tree[path], chance, others(shared, name, path, is_own))
    while is_own and (is_digit_for_digit(tree, path, made) or is_one_reading_less(tree, path, made)):
        made = MUTATIONS[way](tree[path], chance, others(shared, name, path, is_own))
    rest = {at: data for at, data in tree.items() if at != path}
    return (rest if made is None else {**rest, path: made}), f"seed {seed}: {way} {path}"


def unsaid(shared: Path, folder: Path, name: str, seeds: range, is_own: bool) -> Iterator[str]:
    """Mutations that give another score and no new Problem."""
    archive = CASES[name][0]
    before = told(unpublished(shared, name) if is_own else original(shared, name), folder, archive)
    for seed in seeds:
        tree, what = mutated(shared, name, seed, is_own)
        after = told(tree, folder, archive)
        if not after.equals(before) and not (after.problems - before.problems):
            yield f"{what}: {before.scores} -> {after.scores}"


@pytest.mark.parametrize("name", CASES)
def test_what_is_mutated_here_has_a_score(shared: Path, tmp_path: Path, name: str) -> None:
    found = told(original(shared, name), tmp_path, CASES[name][0])
    assert found.scores
    assert all((power is not None) == ("power" in name) for _, power in found.scores)


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("is_own", [False, True])
def test_a_damaged_log_gives_the_same_score_or_says_what_is_wrong(
    shared: Path, tmp_path: Path, name: str, is_own: bool
) -> None:
    assert list(unsaid(shared, tmp_path, name, range(COUNT), is_own)) == []


@pytest.mark.parametrize("name", [name for name in CASES if name != "a latency alone"])  # of which all is said twice
def test_no_digit_of_a_published_log_is_changed_unsaid(shared: Path, tmp_path: Path, name: str) -> None:
    """Not even one of those that nothing in the logs contradicts: what came of the published ones is known."""
    tree, archive, chance = original(shared, name), CASES[name][0], random.Random(name)
    before = told(tree, tmp_path, archive)
    places = [(path, at) for path in logs(tree) for span in believed(tree, path) for at in range(*span)]
    assert places
    changed = 0
    for made in other_digits(tree, places, chance, 40):
        after = told(made, tmp_path, archive)
        changed += not after.equals(before)
        assert after.equals(before) or after.problems - before.problems
    assert changed > 0 or name == "Server"  # whose query count nothing hangs on


@pytest.mark.parametrize(
    "name, beginning",
    [
        ("rnnt", "result_"),
        ("bert with power", "node_"),
        ("SingleStream with power", "mlperf_log_detail.txt"),
        ("a summary alone", "mlperf_log_summary.txt"),
    ],
)
def test_a_digit_that_nothing_contradicts_is_believed(shared: Path, tmp_path: Path, name: str, beginning: str) -> None:
    """The one damage that passes unseen. Some digits of these numbers are contradicted all the same, the others not."""
    tree, archive, chance = unpublished(shared, name), CASES[name][0], random.Random(name)
    before = told(tree, tmp_path, archive)
    paths = [path for path in logs(tree) if PurePosixPath(path).name.startswith(beginning)]
    places = [(path, at) for path in paths for span in believed(tree, path) for at in range(*span)]
    seen = 0
    for made in other_digits(tree, places, chance, 40):
        after = told(made, tmp_path, archive)
        seen += not after.equals(before) and not (after.problems - before.problems)
    assert seen > 0


def test_a_reading_that_a_clock_of_whole_seconds_leaves_no_gap_for_is_believed_to_be_none(
    shared: Path, tmp_path: Path
) -> None:
    """A reading each 1.055 s stands 1 or 2 s behind the one before: one less is seen by nobody, and changes little."""
    name = "retinanet with power"
    tree, archive = unpublished(shared, name), CASES[name][0]
    before = told(tree, tmp_path, archive)
    path = next(path for path in logs(tree) if "/node_" in path)
    lines = tree[path].splitlines(keepends=True)
    (energy,) = [power for _, power in before.scores]
    for at in range(100, 1000, 90):
        after = told({**tree, path: b"".join(lines[:at] + lines[at + 1 :])}, tmp_path, archive)
        assert energy is not None
        assert after.scores[0][1] == pytest.approx(energy, rel=5e-5)
    two = told({**tree, path: b"".join(lines[:500] + lines[502:])}, tmp_path, archive)
    assert two.problems - before.problems


@pytest.mark.parametrize(
    "name, form",
    [
        ("SingleStream with power", "detail"),
        ("Server", "detail"),
        ("Server", "summary"),
        ("a latency alone", "summary"),
    ],
)
def test_a_digit_that_the_logs_say_twice_is_never_believed(shared: Path, tmp_path: Path, name: str, form: str) -> None:
    """Every digit of every result in a log beside another, or of a latency between its percentiles."""
    tree, archive, chance = unpublished(shared, name), CASES[name][0], random.Random(name)
    before = told(tree, tmp_path, archive)
    (path,) = [path for path in logs(tree) if path.endswith(f"run_1/mlperf_log_{form}.txt")]
    free = {at for span in believed(tree, path) for at in range(*span)}
    pattern = (
        rb'"(?:result_|early_stopping_latency)[^"]*", "value": ([\d.]+)'
        rb"|^[^\n:]*(?:latency|second)[^\n:]*: *([\d.]+)\r?$"
    )
    matches = re.finditer(pattern, tree[path], re.MULTILINE)
    places = [at for match in matches for at in range(*match.span(match.lastindex or 0)) if at not in free]
    for made in other_digits(tree, [(path, at) for at in places], chance, 60):
        after = told(made, tmp_path, archive)
        assert after.equals(before) or after.problems - before.problems


# --- faults that mutations have found ---


@pytest.mark.parametrize("ends", [b"run_start|run_stop", b"run_start", b"run_stop"])
def test_a_run_that_begins_or_ends_with_another_of_its_group_says_so(shared: Path, tmp_path: Path, ends: bytes) -> None:
    name, pattern = "ssd of v0.7", re.compile(rb'[^\n]*"(?:' + ends + rb')"[^\n]*\n')
    tree = original(shared, name)
    one, other, *_ = logs(tree)
    foreign = iter(pattern.findall(tree[other]))
    before = told(tree, tmp_path, CASES[name][0])
    after = told({**tree, one: pattern.sub(lambda _: next(foreign), tree[one])}, tmp_path, CASES[name][0])
    assert after.problems - before.problems


@pytest.mark.parametrize("lost", ["one reading", "the end"])
def test_a_power_file_that_lacks_readings_or_its_end_says_so(shared: Path, tmp_path: Path, lost: str) -> None:
    name = "bert with power"
    tree = original(shared, name)
    before = told(tree, tmp_path, CASES[name][0])
    path = next(path for path in logs(tree) if "/node_" in path)
    lines = tree[path].splitlines(keepends=True)
    at = len(lines) // 2
    left = lines[:at] + lines[at + 1 :] if lost == "one reading" else lines[:-1]
    after = told({**tree, path: b"".join(left)}, tmp_path, CASES[name][0])
    assert after.problems - before.problems


@pytest.mark.parametrize("key", [b"result_query_count", b"power_begin", b"power_end"])
def test_a_power_log_that_contradicts_itself_says_so(shared: Path, tmp_path: Path, key: bytes) -> None:
    name = "SingleStream with power"
    tree = original(shared, name)
    before = told(tree, tmp_path, CASES[name][0])
    path = next(path for path in logs(tree) if path.endswith("mlperf_log_detail.txt"))
    (line,) = re.findall(rb'[^\n]*"' + key + rb'"[^\n]*\n', tree[path])
    value = re.search(rb'"value": "?([^",]+)', line)
    assert value is not None
    last = value.end(1) - 1
    other = line[:last] + bytes([line[last] ^ 1]) + line[last + 1 :]
    after = told({**tree, path: other + tree[path]}, tmp_path, CASES[name][0])
    assert after.problems - before.problems
