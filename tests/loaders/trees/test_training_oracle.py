"""An oracle that shares no code with us: mlperf_logging writes the logs, and its result summarizer scores them.

The summarizer rewrites scaling.json in the tree it reads, so what it reads here is only ever its own copy.
"""

import importlib.util
import logging
import random
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.loaders.trees.making_training import SHEET, START, assembled, write

pytestmark = [
    pytest.mark.skipif(importlib.util.find_spec("mlperf_logging") is None, reason="mlperf-logging is not installed"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::SyntaxWarning"),
]


def write_log(path: Path, start: int, stop: int, status: str, benchmark: str) -> None:
    """A run as the real mllog logs it."""
    from mlperf_logging.mllog.mllog import MLLogger  # type: ignore[import-untyped]

    path.parent.mkdir(parents=True, exist_ok=True)
    handler = logging.FileHandler(path)
    logger = logging.Logger("oracle", logging.INFO)
    logger.addHandler(handler)
    written = MLLogger(logger)
    written.event("submission_benchmark", benchmark, time_ms=start - 9000)
    written.event("global_batch_size", 256, time_ms=start - 8000)
    written.event("seed", 3, time_ms=start - 7000)
    written.start("run_start", time_ms=start)
    written.event("eval_accuracy", 0.7, metadata={"epoch_num": 3}, time_ms=stop - 3)
    written.end("run_stop", metadata={"status": status}, time_ms=stop)
    handler.close()


def write_power(path: Path, watts: list[int], start: int, efficiency: float) -> None:
    from mlperf_logging.mllog.mllog import MLLogger

    path.parent.mkdir(parents=True, exist_ok=True)
    handler = logging.FileHandler(path)
    logger = logging.Logger("oracle", logging.INFO)
    logger.addHandler(handler)
    written = MLLogger(logger)
    written.start("power_measurement_start", time_ms=start)
    written.event("conversion_eff", efficiency, time_ms=start)
    for second, reading in enumerate(watts, 1):
        written.event("power_reading", reading, time_ms=start + 1000 * second)
    written.end("power_measurement_stop", time_ms=start + 1000 * len(watts) + 137)
    handler.close()


def summarized(folder: Path, benchmark: str, has_power: bool, monkeypatch: pytest.MonkeyPatch) -> tuple[Any, Any]:
    """Score and joules by the official summarizer, its compliance checker reduced to what decides a run: its status.

    A tiny log cannot satisfy the checker's list of required keys and target accuracies; everything after it is real.
    """
    from mlperf_logging.result_summarizer import result_summarizer  # type: ignore[import-untyped]

    def read(file: str, usage: str, ruleset: str) -> Any:
        lines, failed = result_summarizer.parse_file(file, ruleset=ruleset)
        if failed or not any(
            line.key == "run_stop" and line.value["metadata"]["status"] == "success" for line in lines
        ):
            raise ValueError("Compliance check failed")
        return lines

    monkeypatch.setattr(result_summarizer, "_read_result_file", read)
    score, energy, _ = result_summarizer._compute_strong_score_standalone(
        benchmark, "XE8545", has_power, str(folder), "training", "4.0.0"
    )
    return score, energy


@pytest.mark.parametrize("failures", [0, 1, 2])
@pytest.mark.parametrize("scaling", [None, 1.0625])
@pytest.mark.parametrize("benchmark, runs", [("bert", 10), ("resnet", 5), ("unet3d", 40), ("gpt3", 3)])
def test_scores_and_energy_are_the_official_summarizers(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    benchmark: str,
    runs: int,
    scaling: float | None,
    failures: int,
) -> None:
    dice = random.Random(f"{benchmark} {scaling} {failures}")
    ours, theirs = tmp_path / "ours", tmp_path / "theirs"
    group = ours / "Dell" / "results" / "XE8545" / benchmark
    failed = dice.sample(range(runs), failures)
    for number in range(runs):
        start = START + number * 10_000_000
        status = "aborted" if number in failed else "success"
        write_log(group / f"result_{number}.txt", start, start + dice.randrange(9_000, 9_000_000), status, benchmark)
        for node in range(2):
            watts = [dice.randrange(200, 9000) for _ in range(20)]
            write_power(group / "power" / f"result_{number}" / f"node_{node}.txt", watts, start, 0.94)
    write({"Dell/systems/XE8545.json": {**SHEET, "number_of_nodes": 2}}, ours)
    if scaling:
        write({"scaling.json": {"scaling_factor": scaling}}, group)
    shutil.copytree(ours, theirs)
    read = assembled(ours, "training_results_v4.0.zip")
    score, joules = summarized(theirs / "Dell" / "results" / "XE8545" / benchmark, benchmark, True, monkeypatch)
    capsys.readouterr()
    assert (score is None) == (failures > (4 if benchmark == "unet3d" else 1))
    if score is None:
        assert read.measurements == []
        return
    (one,) = read.measurements
    assert one.value == pytest.approx(score, rel=1e-12)
    assert one.power_value == pytest.approx(joules / 1000, rel=1e-9)
