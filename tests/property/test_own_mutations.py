"""Damaged logs on the way of an upload: read, previewed, saved. The score is right, or a Problem names what was lost.

The damages, and what is believed as nothing contradicts it, are those of `test_mutations`. Many go up together, each in
a folder of its own. `ROUNDTABLE_UPLOAD_MUTATIONS` sets how many there are (default 5,000), and
`ROUNDTABLE_UPLOAD_SEED` the first seed (default 0): `make fuzz` sets both.
"""

import os
import random
from collections.abc import Iterator, Mapping
from functools import cache
from itertools import permutations
from pathlib import Path
from typing import Final

import pytest

from loaders.trees.protocol import Label
from loaders.upload import Preview, preview
from mlperf.errors import DashboardError, Problem, Where
from tests.loaders.trees.making_loadgen import run_loadgen
from tests.loaders.trees.making_training import group
from tests.loaders.uploading import INFERENCE, LABEL, Box, read, ten
from tests.property.test_mutations import CASES, MUTATIONS, Told, Tree, is_digit_for_digit, logs, mutated, original

COUNT = int(os.environ.get("ROUNDTABLE_UPLOAD_MUTATIONS", "5000"))
FIRST = int(os.environ.get("ROUNDTABLE_UPLOAD_SEED", "0"))
TOGETHER = 25
"""Mutations in one upload."""

WRITTEN = ("ten logs without a folder", "a LoadGen folder, Offline", "a LoadGen folder, SingleStream", "a small tree")
LABELS: Mapping[str, Label] = {WRITTEN[0]: LABEL, WRITTEN[1]: INFERENCE, WRITTEN[2]: INFERENCE}
NAMES = (*CASES, *WRITTEN)
EACH = -(-COUNT // len(NAMES))


SHEET: Final = (
    b'{"submitter": "Dell", "division": "closed", "status": "onprem", "system_name": "XE8545", "number_of_nodes": "1",'
    b' "accelerators_per_node": "4", "accelerator_model_name": "NVIDIA A100-SXM-80GB", "framework": "PyTorch"}'
)


@cache
def written(folder: Path, name: str) -> Tree:
    """Logs that are written here: by hand, or by LoadGen itself."""
    if name == WRITTEN[0]:
        return {path: text.encode() for path, text in ten().items()}
    if name == WRITTEN[3]:
        files = group(range(10, 20))
        return {f"training_results_v1.1/{path}": files[path].encode() for path in files if "result_" in path} | {
            "training_results_v1.1/Dell/systems/XE8545.json": SHEET
        }
    run_loadgen(folder / name, name.rpartition(" ")[2])
    wanted = ("mlperf_log_detail.txt", "mlperf_log_summary.txt")
    return {log: (folder / name / log).read_bytes() for log in wanted}


def whole(shared: Path, folder: Path, name: str) -> Tree:
    """The logs as they were before any damage."""
    if name in WRITTEN:
        return written(folder, name)
    return {f"{CASES[name][0]}/{path}": content for path, content in original(shared, name).items()}


def damaged(shared: Path, folder: Path, name: str, seed: int) -> tuple[Tree, str]:
    """The logs with one damage, and which; of published ones every other time as of somebody's own."""
    if name not in WRITTEN:
        tree, what = mutated(shared, name, seed, is_own=bool(seed // len(MUTATIONS) % 2))
        return {f"{CASES[name][0]}/{path}": content for path, content in tree.items()}, what
    tree, chance = written(folder, name), random.Random(f"{name} {seed}")
    way = list(MUTATIONS)[seed % len(MUTATIONS)]
    path = chance.choice(logs(tree))
    other = chance.choice([one for one in logs(tree) if one != path])
    made = MUTATIONS[way](tree[path], chance, tree[other])
    while way == "flip" and is_digit_for_digit(tree, path, made):
        made = MUTATIONS[way](tree[path], chance, b"")
    rest = {at: content for at, content in tree.items() if at != path}
    return (rest if made is None else {**rest, path: made}), f"seed {seed}: {way} {path}"


class Together:
    """Several trees in one upload, each in a folder of its own."""

    def __init__(self, box: Box, trees: list[Tree], name: str) -> None:
        self.folders = [f"upload/m{number}" for number in range(len(trees))]
        pairs = zip(self.folders, trees, strict=True)
        files = {f"{folder}/{path}": content for folder, tree in pairs for path, content in tree.items()}
        self.inspected = read(box.folder / "given", files)
        labels = dict.fromkeys(self.folders, LABELS[name]) if name in LABELS else {}
        self.preview: Preview = preview(self.inspected, labels)

    def told(self, folder: str) -> Told:
        """What came of one of them; places as if it were alone."""
        entries = [entry for entry in self.preview.entries if within(entry.group, folder)]
        found = sorted(
            (seen.sighting.suite, seen.sighting.value, seen.sighting.power_value)
            for entry in entries
            for seen in entry.seen
        )
        problems = [problem for entry in entries for problem in entry.problems]
        problems += [problem for problem in self.preview.problems if within(problem.where.file, folder)]
        problems += [as_problem(one) for one in self.preview.refused if within(str(one), folder)]
        return Told(
            tuple((value, power) for _, value, power in found), frozenset(placed(one, folder) for one in problems)
        )

    def values(self) -> list[tuple[str, float | None, float | None]]:
        """Every figure that is to be saved."""
        seen = [seen.sighting for entry in self.preview.entries for seen in entry.seen]
        return sorted(((one.suite, one.value, one.power_value) for one in seen), key=repr)


def within(path: str, folder: str) -> bool:
    return path == folder or path.startswith((f"{folder}/", f"{folder}:"))


def as_problem(refused: Problem | DashboardError) -> Problem:
    return refused if isinstance(refused, Problem) else Problem(refused.where or Where(""), "refused", refused.found)


def placed(problem: Problem, folder: str) -> Problem:
    file = problem.where.file.removeprefix(folder)
    return Problem(Where(file, problem.where.line), problem.kind, problem.found.replace(folder, ""), problem.fix)


def saved_as_previewed(box: Box, upload: Together) -> bool:
    """Whether all that was shown is stored, and nothing else."""
    if not upload.preview.is_ready:
        assert not upload.preview.lacking
        return not upload.values()
    saved = box.catalog.save("me", "", upload.inspected, upload.preview, 1 << 60)
    rows = box.catalog.results("me", saved.upload_id)
    figures = (rows[name].to_pylist() for name in ("suite", "value", "power_value"))
    stored = sorted(zip(*figures, strict=True), key=repr)
    runs = sum(len(entry.runs) for entry in upload.preview.entries)
    return stored == upload.values() and box.catalog.runs("me", saved.upload_id).num_rows == runs


def unsaid(box: Box, shared: Path, name: str, seeds: range) -> Iterator[str]:
    """Damages that give another score and no Problem that was not there before."""
    alone = Together(box, [whole(shared, box.folder, name)], name)
    before = alone.told(alone.folders[0])
    assert before.scores
    for start in range(seeds.start, seeds.stop, TOGETHER):
        made = [damaged(shared, box.folder, name, seed) for seed in range(start, min(start + TOGETHER, seeds.stop))]
        upload = Together(box, [tree for tree, _ in made], name)
        assert saved_as_previewed(box, upload)
        for folder, (_, what) in zip(upload.folders, made, strict=True):
            after = upload.told(folder)
            if not after.equals(before) and not (after.problems - before.problems):
                yield f"{what}: {before.scores} -> {after.scores}"


@pytest.fixture(scope="module")
def box(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Box]:
    """A catalog in memory."""
    made = Box(tmp_path_factory.mktemp("own"), Path(":memory:"))
    yield made
    made.close()


@pytest.mark.parametrize("name", NAMES)
def test_a_damaged_upload_gives_the_same_score_or_says_what_is_wrong(shared: Path, box: Box, name: str) -> None:
    assert list(unsaid(box, shared, name, range(FIRST, FIRST + EACH))) == []


TRAINING = [name for name, (archive, _) in CASES.items() if archive.startswith("training")]


@pytest.mark.parametrize("name, stranger", list(permutations(TRAINING, 2)))
def test_a_run_of_another_round_among_the_runs_is_told(shared: Path, box: Box, name: str, stranger: str) -> None:
    """Its log in place of one of them, and its lines before and behind those of one of them."""
    tree = whole(shared, box.folder, name)
    path, *_ = logs(tree)
    foreign = original(shared, stranger)
    log = foreign[logs(foreign)[0]]
    before = Together(box, [tree], name).told("upload/m0")
    mixed = Together(box, [{**tree, path: made} for made in (log, tree[path] + log, log + tree[path])], name)
    for folder in mixed.folders:
        after = mixed.told(folder)
        assert after.equals(before) or after.problems - before.problems, folder


def test_so_many_are_damaged(shared: Path) -> None:
    assert EACH * len(NAMES) >= COUNT >= 5000 or "ROUNDTABLE_UPLOAD_MUTATIONS" in os.environ
