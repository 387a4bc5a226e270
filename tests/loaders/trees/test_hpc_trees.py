"""HPC submissions: strong and weak scaling by their folders, instances, pruned results, bare logs."""

from pathlib import Path

import pytest

from loaders.trees import training
from loaders.trees.protocol import Context, Label
from loaders.trees.training_paths import Place, kind_of, place, round_of
from mlperf.errors import Problem
from mlperf.model import Check, Measurement, Run, SystemSheet, Verdict
from tests.loaders.trees.making_training import SHEET, Files, Read, event, read_tree, write

STRONG = "Dell/results/32xXE8545/strong/deepcam"
WEAK = "Dell/results/32xXE8545/weak/deepcam"


def log(
    minutes: float, begins: float = 0, status: str = "success", accelerators: int = 4, accuracy: float = 0.83
) -> str:
    """One run of DeepCAM that begins `begins` minutes after START."""
    start = begins * 60_000
    lines = [
        event("submission_benchmark", "deepcam", start),
        event("number_of_nodes", 2, start),
        event("accelerators_per_node", accelerators, start),
        event("seed", int(1000 * minutes + begins), start),
        event("global_batch_size", 256, start),
        event("run_start", None, start + 1),
        event("eval_accuracy", accuracy, start + minutes * 60_000, epoch_num=9),
        event("run_stop", None, start + 1 + minutes * 60_000, status=status),
    ]
    return "\n".join(lines)


def group(group_folder: str, *logs: str) -> dict[str, object]:
    return {f"{group_folder}/result_{number}.txt": text for number, text in enumerate(logs)}


def sheet() -> dict[str, object]:
    return {"Dell/systems/32xXE8545.json": SHEET}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where a test's files are written; its own name says nothing of a round."""
    return tmp_path / "upload"


def read(folder: Path, files: Files, name: str = "hpc_results_v3.0.zip", label: Label | None = None) -> Read:
    pieces, problems = read_tree(write(files, folder))
    made = list(training.assemble(pieces, Context(name, labels={"": label} if label else {})))
    return Read(
        [item for item in made if isinstance(item, Measurement)],
        [item for item in made if isinstance(item, Run)],
        [item for item in made if isinstance(item, SystemSheet)],
        problems + [item for item in made if isinstance(item, Problem)],
    )


def checks(folder: Path, files: Files) -> dict[str, Check]:
    """What the one group is held against, by rule."""
    pieces, _ = read_tree(write(files, folder))
    made = training.assemble(pieces, Context("hpc_results_v3.0.zip", wants_verdicts=True))
    (verdict,) = [item for item in made if isinstance(item, Verdict)]
    return {check.rule: check for check in verdict.checks}


@pytest.mark.parametrize(
    "path, expected",
    [
        (f"{STRONG}/result_0.txt", ("log", "Dell", "32xXE8545", "deepcam", "Strong scaling")),
        (f"{WEAK}/result_0.txt", ("log", "Dell", "32xXE8545", "deepcam", "Weak scaling")),
        (f"{WEAK}/pruned_results/result_0.txt", ("pruned", "Dell", "32xXE8545", "deepcam", "Weak scaling")),
        (f"{WEAK}/more/result_0.txt", ("nested", "Dell", "32xXE8545", "deepcam", "Weak scaling")),
        ("Dell/results/32xXE8545/deepcam/result_0.txt", ("log", "Dell", "32xXE8545", "deepcam", None)),
        ("Dell/results/32xXE8545/strong/result_0.txt", ("log", "Dell", "32xXE8545", None, "Strong scaling")),
        ("mine/weak/cosmoflow/result_0.txt", ("log", "", "mine", "cosmoflow", "Weak scaling")),
        ("Dell/results/XE8545/resnet/result_0.txt", ("log", "Dell", "XE8545", "resnet", None)),
    ],
)
def test_folders_tell_the_scenario(path: str, expected: tuple[str | None, ...]) -> None:
    found = place(path)
    assert isinstance(found, Place)
    assert (found.role, found.root, found.system, found.benchmark, found.scenario) == expected


def test_rounds_of_hpc_are_told_from_those_of_training() -> None:
    assert (kind_of("x/hpc_results_v3.0/Dell"), round_of("x/hpc_results_v3.0/Dell")) == ("hpc", "v3.0")
    assert (kind_of("training_results_v3.0.zip"), round_of("training_results_v3.0.zip")) == ("training", "v3.0")
    assert (kind_of("v3.0/Dell"), round_of("v3.0/Dell")) == (None, "v3.0")


def test_strong_scaling_is_the_mean_without_fastest_and_slowest(folder: Path) -> None:
    found = read(folder, group(STRONG, *(log(minutes) for minutes in (10, 11, 12, 13, 20))) | sheet())
    assert found.value == pytest.approx(12)
    (one,) = found.measurements
    assert (one.kind, one.round, one.scenario, one.unit, one.location) == (
        "hpc",
        "v3.0",
        "Strong scaling",
        "min.",
        STRONG,
    )
    assert {(run.kind, run.scenario) for run in found.runs} == {("hpc", "Strong scaling")}
    assert [sheet.kind for sheet in found.sheets] == ["hpc"]


def test_weak_scaling_is_models_over_the_whole_time(folder: Path) -> None:
    logs = [log(10, begins) for begins in (0, 0, 1, 2, 3, 10)]
    found = read(folder, group(WEAK, *logs) | sheet() | {f"{WEAK}/scaling.json": {"scaling_factor": 1.5}})
    assert found.value == pytest.approx(6 / 20)
    (one,) = found.measurements
    assert (one.scenario, one.unit, one.runs) == ("Weak scaling", "models/min", 6)
    assert all(run.is_counted for run in found.runs)
    assert "same-times" not in found.kinds  # instances side by side begin together


def test_an_instance_that_failed_is_no_model(folder: Path) -> None:
    found = read(folder, group(WEAK, *(log(10, n) for n in range(5)), log(30, 0, "aborted")) | sheet())
    assert found.value == pytest.approx(5 / 14)
    assert [run.is_counted for run in found.runs] == [True] * 5 + [False]


@pytest.mark.parametrize(
    "logs, reason",
    [
        ([log(10)] * 4, "4 of 4 instances reached the target, at least 5 must"),
        ([log(10)] * 4 + [log(10, 0, "aborted")], "4 of 5 instances reached the target, at least 5 must"),
        ([log(10, n) for n in range(5)] + [log(10, 0, accelerators=8)], "its instances ran at different sizes"),
    ],
)
def test_weak_scaling_that_is_not_whole_has_a_reason(folder: Path, logs: list[str], reason: str) -> None:
    found = read(folder, group(WEAK, *logs) | sheet())
    assert found.value is None
    assert any(reason in problem.found for problem in found.problems)


def test_pruned_instances_are_counted_and_not_read(folder: Path) -> None:
    found = read(
        folder, group(WEAK, *(log(10, n) for n in range(5))) | group(f"{WEAK}/pruned_results", log(90)) | sheet()
    )
    assert found.value == pytest.approx(5 / 14)
    assert len(found.runs) == 5
    assert any("1 instances lie in pruned_results" in problem.found for problem in found.problems)


def test_logs_without_a_folder_are_scored_once_their_owner_says_the_scenario(folder: Path) -> None:
    logs = {f"result_{number}.txt": log(10, number) for number in range(5)}
    bare = read(folder, logs, "mine.zip")
    assert bare.value is None
    assert {(run.kind, run.benchmark, run.scenario) for run in bare.runs} == {("hpc", "deepcam", None)}
    assert any(
        "no folder tells its scenario: strong scaling or weak scaling" in problem.found for problem in bare.problems
    )
    strong = read(folder, logs, "mine.zip", Label(round="v3.0", scenario="Strong scaling"))
    weak = read(folder, logs, "mine.zip", Label(round="v3.0", scenario="Weak scaling"))
    assert (strong.value, weak.value) == (pytest.approx(10), pytest.approx(5 / 14))


@pytest.mark.parametrize("accuracy, verdict", [(0.83, "met"), (0.81, "broken")])
def test_runs_are_held_against_the_targets_of_hpc(folder: Path, accuracy: float, verdict: str) -> None:
    files = group(STRONG, *(log(minutes, accuracy=accuracy) for minutes in (10, 11, 12, 13, 20))) | sheet()
    found = checks(folder, files)
    assert (found["Target accuracy"].verdict, found["Number of runs"].verdict) == (verdict, "met")
    assert found["Target accuracy"].needed.startswith("at least 0.82")


def test_more_instances_than_needed_are_no_fault_of_weak_scaling(folder: Path) -> None:
    found = checks(folder, group(WEAK, *(log(10, n) for n in range(9))) | sheet())
    assert (found["Number of runs"].verdict, found["Number of runs"].needed) == ("met", "at least 5 runs")
    assert found["Runs of their own"].verdict == "met"
    assert "Dropped runs" not in found


def test_the_last_evaluation_of_a_long_log_may_state_an_error(folder: Path) -> None:
    filler = "\n".join(event("step", number, 1000 + number) for number in range(400))
    text = "\n".join([
        event("submission_benchmark", "cosmoflow"), event("global_batch_size", 64), event("run_start", None, 1),
        event("eval_error", 0.4, 2, epoch_num=1), filler, event("eval_error", 0.12, 5000, epoch_num=20), filler,
        event("run_stop", None, 60_000, status="success"),
    ])  # fmt: skip
    found = read(folder, {"Dell/results/x/strong/cosmoflow/result_0.txt": text})
    assert [run.epochs for run in found.runs] == [20]
