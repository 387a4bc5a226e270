"""Would it count: runs, ends, seeds and times of training logs, held against mlperf_logging's own tools."""

import importlib.util
import logging
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from loaders.trees import training
from loaders.trees.protocol import Context, Label
from mlperf.facts import facts
from mlperf.model import Check, Measurement, Run, Verdict
from tests.loaders.trees.making_training import GROUP, SHEET, START, Files, group, read_tree, write

has_logging = pytest.mark.skipif(
    importlib.util.find_spec("mlperf_logging") is None, reason="mlperf-logging is not installed"
)
quiet = pytest.mark.filterwarnings("ignore")  # SeedChecker warns of logs with several seeds


def made(
    path: Path, name: str = "training_results_v1.1.zip", *, wanted: bool = True, label: Label | None = None
) -> list[Any]:
    pieces, _ = read_tree(path)
    context = Context(name, labels={"": label} if label else {}, wants_verdicts=wanted)
    return list(training.assemble(pieces[::-1], context))


def checks(path: Path, name: str = "training_results_v1.1.zip", label: Label | None = None) -> dict[str, Check]:
    """The checks of the only group, by their rule."""
    (verdict,) = [one for one in made(path, name, label=label) if isinstance(one, Verdict)]
    found = {check.rule: check for check in verdict.checks}
    assert len(found) == len(verdict.checks)
    assert all(check.source and check.needed and check.found for check in found.values())
    return found


def of(folder: Path, files: Files, name: str = "training_results_v1.1.zip") -> dict[str, Check]:
    return checks(write(files, folder), name)


def outcomes(found: dict[str, Check]) -> dict[str, str]:
    return {rule: check.verdict for rule, check in found.items()}


def at(folder: Path, check: Check) -> str:
    """What stands at the place that a check names."""
    assert check.where.line is not None
    (file,) = [one for one in folder.rglob("*.txt") if str(one).endswith(check.where.file.split("/", 1)[-1])]
    return file.read_text().split("\n")[check.where.line - 1]


def seeded(files: dict[str, Any]) -> dict[str, Any]:
    """The same logs, each with a seed of its own."""
    return {
        name: re.sub(r'("key": "seed", "value": )77', rf"\g<1>{number}", text) if isinstance(text, str) else text
        for number, (name, text) in enumerate(files.items())
    }


# --- small groups ---


def test_verdicts_come_only_when_they_are_asked_for(tmp_path: Path) -> None:
    write(group(range(10, 20)), tmp_path)
    assert not [one for one in made(tmp_path, wanted=False) if isinstance(one, Verdict)]
    found = made(tmp_path)
    (verdict,) = [one for one in found if isinstance(one, Verdict)]
    assert {verdict.group} == {one.group for one in found if isinstance(one, Measurement | Run)}


def test_a_whole_group_breaks_nothing(tmp_path: Path) -> None:
    found = of(tmp_path, seeded(group(range(10, 20))))
    assert set(outcomes(found).values()) == {"met"}
    assert (found["Number of runs"].found, found["Number of runs"].needed) == ("10 runs", "10 runs")
    assert found["Successful runs"].needed == "at least 9 of 10 runs"
    assert found["Dropped runs"].found == "fastest: result_0.txt (10 min); slowest: result_9.txt (19 min)"
    assert '"run_stop"' in at(tmp_path, found["Target reached"])
    assert '"seed"' in at(tmp_path, found["Seeds differ"])
    assert '"submission_benchmark"' in at(tmp_path, found["Benchmark of the logs"])


def test_a_failed_run_is_the_slowest_that_is_dropped(tmp_path: Path) -> None:
    found = of(tmp_path, seeded(group(range(10, 20), failed={4: "aborted"})))
    assert outcomes(found)["Successful runs"] == outcomes(found)["Target reached"] == "met"
    assert found["Successful runs"].found == "9 of 10 runs"
    assert found["Target reached"].found == "result_4.txt aborted; dropped"
    assert '"aborted"' in at(tmp_path, found["Target reached"])
    assert found["Dropped runs"].found == "fastest: result_0.txt (10 min); slowest: result_4.txt (aborted)"


def test_a_run_that_calls_itself_a_success_must_have_the_accuracy_too(tmp_path: Path) -> None:
    files = seeded(group(range(10, 20)))
    found = of(tmp_path / "good", files)["Target accuracy"]
    assert (found.verdict, found.needed[:14]) == ("met", "at most 0.058 ")
    name = f"{GROUP}/result_3.txt"
    files[name] = re.sub(r'("key": "eval_accuracy", "value": )[0-9.]+', r"\g<1>0.95", files[name])
    found = of(tmp_path / "bad", files)["Target accuracy"]
    assert (found.verdict, found.found) == ("broken", "result_3.txt 0.95")
    assert '"run_stop"' in at(tmp_path / "bad", found)


def test_too_many_failed_runs_break_the_group(tmp_path: Path) -> None:
    found = of(tmp_path, seeded(group(range(10, 20), failed={4: "aborted", 7: "fail"})))
    broken = {rule for rule, outcome in outcomes(found).items() if outcome == "broken"}
    assert broken == {"Successful runs", "Target reached"}
    assert found["Target reached"].found == "result_4.txt aborted, result_7.txt failed"
    assert outcomes(found)["Dropped runs"] == "unknown"


@pytest.mark.parametrize("count", [1, 9, 11])
def test_too_few_and_too_many_runs_do_not_count(tmp_path: Path, count: int) -> None:
    found = of(tmp_path, seeded(group(range(10, 10 + count))))
    assert found["Number of runs"].verdict == "broken"
    assert found["Successful runs"].verdict == ("met" if count >= 9 else "broken")
    assert found["Dropped runs"].verdict == "unknown"


def test_the_median_of_three_drops_the_others(tmp_path: Path) -> None:
    files = seeded(group([30, 10, 20], "Dell/results/XE8545/gpt3"))
    found = of(tmp_path, files, "training_results_v3.0.zip")["Dropped runs"]
    assert found.found == "fastest: result_1.txt (10 min); slowest: result_0.txt (30 min)"
    assert found.needed == "the 1 fastest and the 1 slowest of 3 (median)"


def test_unet3d_drops_four_of_each(tmp_path: Path) -> None:
    files = seeded(group(range(40, 80), "Dell/results/XE8545/unet3d", failed={1: "aborted", 2: "fail"}))
    found = of(tmp_path, files)
    assert found["Dropped runs"].found == (
        "fastest: result_0.txt (40 min), result_3.txt (43 min), result_4.txt (44 min), result_5.txt (45 min); "
        "slowest: result_38.txt (78 min), result_39.txt (79 min), result_1.txt (aborted), result_2.txt (failed)"
    )


def test_the_dropped_runs_are_those_that_are_not_counted(tmp_path: Path) -> None:
    write(seeded(group([17, 11, 14, 13, 12, 19, 18, 16, 15, 10], failed={3: "aborted"})), tmp_path)
    found = made(tmp_path)
    left = {one.name for one in found if isinstance(one, Run) and one.is_counted is False}
    (verdict,) = [one for one in found if isinstance(one, Verdict)]
    told = next(check.found for check in verdict.checks if check.rule == "Dropped runs")
    assert left == set(re.findall(r"result_\d+\.txt", told)) == {"result_9.txt", "result_3.txt"}


# --- seeds, copies, claims ---


def test_one_seed_for_all_runs_breaks_the_rule(tmp_path: Path) -> None:
    found = of(tmp_path, group(range(10, 20)))["Seeds differ"]
    assert found.verdict == "broken"
    assert found.found == "result_1.txt has the seed 77 of result_0.txt, 9 runs in all"
    assert '"seed", "value": 77' in at(tmp_path, found)


def test_seeds_are_not_asked_for_in_open_and_in_v0_7(tmp_path: Path) -> None:
    files = group(range(10, 20))
    assert "Seeds differ" not in of(tmp_path / "old", files, "training_results_v0.7.zip")
    assert "Seeds differ" not in of(
        tmp_path / "open", {**files, "Dell/systems/XE8545.json": {**SHEET, "division": "open"}}
    )
    write(files, tmp_path / "labelled")
    assert "Seeds differ" not in checks(tmp_path / "labelled", label=Label(division="open"))
    assert checks(tmp_path / "labelled", "mine.zip", label=Label(round="v1.1"))["Seeds differ"].verdict == "broken"


def test_a_log_without_a_seed_tells_nothing(tmp_path: Path) -> None:
    files = seeded(group(range(10, 20)))
    name = f"{GROUP}/result_3.txt"
    files[name] = "\n".join(line for line in files[name].split("\n") if '"seed"' not in line)
    found = of(tmp_path, files)["Seeds differ"]
    assert (found.verdict, found.where.file.rpartition("/")[2]) == ("unknown", "result_3.txt")


def test_a_copied_run_is_no_run_of_its_own(tmp_path: Path) -> None:
    files = seeded(group(range(10, 20)))
    files[f"{GROUP}/result_5.txt"] = files[f"{GROUP}/result_2.txt"]
    found = of(tmp_path, files)
    assert found["Runs of their own"].verdict == found["Seeds differ"].verdict == "broken"
    assert found["Runs of their own"].found.startswith("result_2.txt, result_5.txt begin and end in the same")
    assert found["Runs of their own"].where.file.endswith("result_5.txt")


def test_runs_that_only_begin_together_may_be_two(tmp_path: Path) -> None:
    files = seeded(group(range(10, 20)))
    start = f'"time_ms": {START + 2 * 60_000_000}'
    lines = files[f"{GROUP}/result_5.txt"].split("\n")
    files[f"{GROUP}/result_5.txt"] = "\n".join(
        re.sub(r'"time_ms": \d+', start, line) if '"run_start"' in line else line for line in lines
    )
    assert of(tmp_path, files)["Runs of their own"].verdict == "unknown"


def test_logs_of_another_benchmark_do_not_belong(tmp_path: Path) -> None:
    files = seeded(group(range(10, 20)))
    files[f"{GROUP}/result_5.txt"] = files[f"{GROUP}/result_5.txt"].replace('"rnnt"', '"bert"')
    found = of(tmp_path, files)["Benchmark of the logs"]
    assert (found.verdict, found.found) == ("broken", "bert, rnnt in result_5.txt")
    assert '"bert"' in at(tmp_path, found)


def test_logs_whose_benchmark_nobody_names_are_judged_as_far_as_they_tell(tmp_path: Path) -> None:
    text = group([10])[f"{GROUP}/result_0.txt"]
    (tmp_path / "mine").mkdir()
    bare = "\n".join(line for line in text.split("\n") if "submission_benchmark" not in line)
    (tmp_path / "mine/result_0.txt").write_text(bare)
    found = checks(tmp_path)
    assert found["Number of runs"].verdict == found["Successful runs"].verdict == "unknown"
    assert found["Target reached"].verdict == "met"


# --- mlperf_logging as the oracle ---


def write_log(path: Path, number: int, benchmark: str, status: str, seeds: list[float]) -> None:
    """A run as the real mllog logs it; all seeds come from one line of one source."""
    from mlperf_logging.mllog.mllog import MLLogger  # type: ignore[import-untyped]

    path.parent.mkdir(parents=True, exist_ok=True)
    handler = logging.FileHandler(path)
    logger = logging.Logger("oracle", logging.INFO)
    logger.addHandler(handler)
    written, start = MLLogger(logger), START + number * 10_000_000
    written.event("submission_benchmark", benchmark, time_ms=start - 9000)
    written.event("global_batch_size", 256, time_ms=start - 8000)
    for seed in seeds:
        written.event("seed", seed, time_ms=start - 7000)
    written.start("run_start", time_ms=start)
    written.end("run_stop", metadata={"status": status}, time_ms=start + 600_000 + number)
    handler.close()


@has_logging
@quiet
@pytest.mark.parametrize(
    "seeds",
    [
        [[number] for number in range(5)],
        [[7]] * 5,
        [[1], [2], [3], [2], [5]],
        [[1, 11], [2, 12], [3, 13], [4, 11], [5, 15]],
        [[number + 0.25] for number in range(5)],
        [[1.25], [2], [3], [1.75], [5]],
        [[1 << 62], [(1 << 62) + 1], [3], [4], [5]],
    ],
)
def test_seeds_are_judged_as_the_official_seed_checker_does(tmp_path: Path, seeds: list[list[float]]) -> None:
    from mlperf_logging.package_checker.seed_checker import SeedChecker  # type: ignore[import-untyped]

    folder = tmp_path / "Dell/results/XE8545/resnet"
    for number, logged in enumerate(seeds):
        write_log(folder / f"result_{number}.txt", number, "resnet", "success", logged)
    write({"Dell/systems/XE8545.json": SHEET}, tmp_path)
    passes = SeedChecker("1.1.0").check_seeds(sorted(map(str, folder.glob("result_*.txt"))))
    assert checks(tmp_path)["Seeds differ"].verdict == ("met" if passes else "broken")


@has_logging
@pytest.mark.parametrize("failures", [0, 1, 2])
@pytest.mark.parametrize("benchmark", ["resnet", "bert", "gpt3"])
def test_the_runs_needed_and_allowed_to_fail_are_the_official_ones(
    tmp_path: Path, benchmark: str, failures: int
) -> None:
    from mlperf_logging.benchmark_meta import get_result_file_counts  # type: ignore[import-untyped]

    needed = get_result_file_counts("training")[benchmark]
    for number in range(needed):
        status = "aborted" if number < failures else "success"
        write_log(
            tmp_path / f"Dell/results/XE8545/{benchmark}/result_{number}.txt", number, benchmark, status, [number]
        )
    write({"Dell/systems/XE8545.json": SHEET}, tmp_path)
    found = checks(tmp_path, "training_results_v3.0.zip")
    assert (found["Number of runs"].verdict, found["Number of runs"].needed) == ("met", f"{needed} runs")
    assert found["Successful runs"].verdict == ("met" if failures < 2 else "broken")  # package_checker: "1 file …"
    (tmp_path / f"Dell/results/XE8545/{benchmark}/result_0.txt").unlink()
    assert checks(tmp_path, "training_results_v3.0.zip")["Number of runs"].verdict == "broken"


@has_logging
def test_every_benchmark_of_the_catalog_needs_the_official_number_of_runs() -> None:
    from mlperf_logging.benchmark_meta import get_result_file_counts

    ours = {one.id: one.runs for one in facts().benchmarks if one.kind == "training"}
    official = get_result_file_counts("training")
    assert ours == {name: official[name] for name in ours}


# --- what MLCommons published ---

PUBLISHED = {
    "v1.0": {
        ("Dell/results/DSS8440x8A100-PCIE-40GB/dlrm", "Runs of their own"),  # four of the five are the very same file
        ("Supermicro/results/SYS-420GP-TNAR+/resnet", "Runs of their own"),  # result_2 and result_3 have the same times
        ("Supermicro/results/as-2124gq-nart+/rnnt", "Seeds differ"),  # 2021 in all ten; SeedChecker refuses them
        ("Supermicro/results/as-4142gs-tnr/rnnt", "Seeds differ"),
        ("Intel/results/8-nodes-64s-8376H-tensorflow/resnet", "Target accuracy"),  # result_4 ends at 0.758861
    },
    "v1.1": {
        ("Azure/results/nd96amsr_a100_v4_ngc21.09_merlin_hugectr/dlrm", "Runs of their own")
    },  # result_0 and result_1 are the same file
    "v4.0": {
        ("smc-ac-power/results/1xSMC-H100-SXM-80GB/dlrm_dcnv2", "Runs of their own"),  # five files, each twice
        ("smc-dc-power/results/1xSMC-H100-SXM-80GB/dlrm_dcnv2", "Runs of their own"),
    },
    "v4.1": {("tinycorp/results/tinybox_green/bert", "Runs of their own")},  # result_3 and result_8 have the same times
}
"""Broken rules of published results, each looked at."""

ROUNDS = ("v0.7", "v1.0", "v1.1", "v2.0", "v2.1", "v3.0", "v3.1", "v4.0", "v4.1", "v5.0", "v5.1")


@pytest.mark.parametrize("round_id", ROUNDS)
def test_published_results_break_no_rule_but_these(shared: Path, round_id: str) -> None:
    found = made(shared / f"training/training_results_{round_id}.zip", f"training_results_{round_id}.zip")
    scored = {one.group for one in found if isinstance(one, Measurement)}
    judged = [one for one in found if isinstance(one, Verdict)]
    assert scored <= {one.group for one in judged}
    told = [(verdict.group, check) for verdict in judged if verdict.group in scored for check in verdict.checks]
    broken = {("/".join(name.split("/")[-4:]), check.rule) for name, check in told if check.verdict == "broken"}
    assert broken == PUBLISHED.get(round_id, set())
    # Five groups, of ssd and dlrm, have runs that log no accuracy.
    assert {check.rule for _, check in told if check.verdict == "unknown"} <= {"Seeds differ", "Target accuracy"}
    assert Counter(check.rule for _, check in told)["Dropped runs"] == len(scored) > 100


def test_a_group_without_a_score_is_judged(shared: Path) -> None:
    found = made(shared / "training/training_results_v1.0.zip", "training_results_v1.0.zip")
    judged = {one.group: one for one in found if isinstance(one, Verdict)}
    (cut,) = [one for name, one in judged.items() if name.endswith("Dell/results/XE8545x4A100-SXM-80GB/bert")]
    assert {check.rule: check.found for check in cut.checks}["Number of runs"] == "1 run"
    assert {check.rule: check.verdict for check in cut.checks}["Number of runs"] == "broken"
