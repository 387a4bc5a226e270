"""Rounds of training whose logs nobody here has: a made-up tree of each benchmark scores by the catalog's rules."""

import statistics
from pathlib import Path
from typing import Any

import pytest

from mlperf.facts import facts
from mlperf.rules import rules
from tests.loaders.trees.making_training import assembled, group, write
from tests.loaders.trees.test_training_checks import checks, outcomes

RUNS = {
    "v6.0": {
        "llama31_8b": 10,
        "dlrm_dcnv2": 10,
        "flux1": 10,
        "llama2_70b_lora": 10,
        "llama31_405b": 3,
        "gpt_oss_20b": 10,
        "deepseekv3_671b": 3,
    },
    "v6.1": {
        "llama31_8b": 10,
        "flux1": 10,
        "llama2_70b_lora": 10,
        "gpt_oss_20b": 10,
        "deepseekv3_671b": 3,
        "qwen35_397b_grpo": 3,
        "dlrmv4": 10,
    },
}
"""Source: mlcommons/logging mlperf_logging/benchmark_meta.py."""

CASES = [(round_id, benchmark) for round_id, counts in RUNS.items() for benchmark in counts]
SAMPLES = 59 * 2048


def tree(benchmark: str, minutes: list[float], failed: int | None = None, accuracy: float = 0.055) -> dict[str, Any]:
    """The logs of one group, which count samples; run number `failed` was aborted."""
    files = group(
        minutes, f"Dell/results/XE8545/{benchmark}", failed={failed: "aborted"} if failed is not None else None
    )
    return {
        name: text.replace('"epoch_num": 59', f'"samples_count": {SAMPLES}').replace(
            '"value": 0.055', f'"value": {accuracy}'
        )
        if isinstance(text, str)
        else text
        for name, text in files.items()
    }


@pytest.mark.parametrize("round_id, benchmark", CASES)
def test_a_group_scores_by_the_runs_that_its_benchmark_needs_and_drops(
    tmp_path: Path, round_id: str, benchmark: str
) -> None:
    needed = RUNS[round_id][benchmark]
    minutes = [20.0 + number / 2 for number in range(needed)]
    name = f"training_results_{round_id}.zip"
    read = assembled(write(tree(benchmark, minutes), tmp_path / "all"), name)
    (result,) = read.measurements
    assert result.value == pytest.approx(statistics.fmean(minutes[1:-1]), rel=1e-12)
    assert (result.round, result.benchmark, result.unit, result.runs) == (round_id, benchmark, "min.", needed)
    assert read.problems == []
    counts_samples = benchmark != "dlrm_dcnv2"
    assert {run.samples for run in read.runs} == {SAMPLES}
    assert {run.epochs for run in read.runs} == {None}
    known = facts().benchmark("training", benchmark, round_id)
    assert known is not None
    assert known.convergence == ("samples" if counts_samples else "epochs")

    one_failed = assembled(write(tree(benchmark, minutes, failed=0), tmp_path / "one"), name)
    assert one_failed.value == pytest.approx(statistics.fmean(minutes[2:]), rel=1e-12)  # it is the slowest

    few = assembled(write(tree(benchmark, minutes[1:]), tmp_path / "few"), name)
    assert few.value is None
    assert [problem.found for problem in few.problems if problem.kind == "no-score"] == [
        f"{benchmark}: {needed - 1} of {needed} runs present."
    ]


@pytest.mark.parametrize("round_id, benchmark", CASES)
def test_a_group_is_held_against_the_target_of_its_round(tmp_path: Path, round_id: str, benchmark: str) -> None:
    target = rules().training_target(round_id, benchmark)
    assert target is not None
    lower = target.most is None
    bound = next(one for one in (target.least, target.most, target.above) if one is not None)
    minutes = [20.0 + number / 2 for number in range(RUNS[round_id][benchmark])]
    name = f"training_results_{round_id}.zip"
    for accuracy, verdict in (
        (bound * (1.01 if lower else 0.99), "met"),
        (bound * (0.99 if lower else 1.01), "broken"),
    ):
        folder = write(tree(benchmark, minutes, accuracy=accuracy), tmp_path / verdict)
        assert outcomes(checks(folder, name))["Target accuracy"] == verdict
