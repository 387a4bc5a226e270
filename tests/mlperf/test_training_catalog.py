"""The catalog's benchmarks, runs and targets of training, held against the rules of the installed mlperf_logging."""

import importlib.util
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from mlperf.facts import facts
from mlperf.rules import rules

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("mlperf_logging") is None, reason="mlperf-logging is not installed"
)

SUSPENDED = {("v0.6", "ncf")}
"""The package lists it, the round did without: https://mlcommons.org/en/news/mlperf-training-v06/."""

NO_TARGET = {"maskrcnn", "stable_diffusion"}
"""They log two figures each, of which no single one is the target."""

BY_BATCH = {("v0.7", "bert")}
"""Its target depends on the batch size."""


def allowed() -> set[tuple[str, str]]:
    """Every (round, benchmark) that the package allows."""
    from mlperf_logging import benchmark_meta  # type: ignore[import-untyped]

    table: Mapping[str, Any] = benchmark_meta._ALL_ALLOWED_BENCHMARKS["training"]
    return {(f"v{number}", name) for number, names in table.items() for name in names}


def test_rounds_and_their_benchmarks_are_those_of_the_package() -> None:
    known = facts()
    ours = {
        (played.id, benchmark.id)
        for played in known.rounds
        if played.kind == "training"
        for benchmark in known.benchmarks
        if benchmark.kind == "training" and known.benchmark("training", benchmark.id, played.id) == benchmark
    }
    assert ours == allowed() - SUSPENDED


def test_runs_are_those_of_the_package() -> None:
    from mlperf_logging import benchmark_meta

    counts: dict[str, int] = benchmark_meta.get_result_file_counts("training")
    ours = {benchmark.id: benchmark.runs for benchmark in facts().benchmarks if benchmark.kind == "training"}
    assert ours == {name: counts[name] for _, name in allowed() - SUSPENDED}


def test_dropped_runs_and_their_mean_follow_from_their_number() -> None:
    """Source: mlcommons/logging result_summarizer: 4 of unet3d, else 1; of three runs this leaves the median."""
    for benchmark in facts().benchmarks:
        if benchmark.kind == "training":
            assert benchmark.dropped == (4 if benchmark.id == "unet3d" else 1)
            assert benchmark.scoring == ("median" if benchmark.runs == 3 else "olympic_mean")


def checked(round_id: str, benchmark: str) -> str | None:
    """What the package's rules of the closed division ask of at least one evaluation; None where they do not."""
    import mlperf_logging
    import yaml  # type: ignore[import-untyped]

    folder = Path(mlperf_logging.__file__).parent / "compliance_checker" / f"training_{round_id[1:]}.0"
    entries = yaml.safe_load((folder / f"closed_{benchmark}.yaml").read_text())
    return next(
        (
            str(entry["KEY"]["ATLEAST_ONE_CHECK"])
            for entry in entries
            if entry.get("KEY", {}).get("NAME") == "eval_accuracy" and "ATLEAST_ONE_CHECK" in entry["KEY"]
        ),
        None,
    )


@pytest.mark.parametrize("round_id, benchmark", sorted(one for one in allowed() if one[0] != "v0.6"))
def test_a_target_holds_for_the_accuracies_that_the_package_accepts(round_id: str, benchmark: str) -> None:
    """The package's rules of v0.6 do not say what an evaluation must reach."""
    target = rules().training_target(round_id, benchmark)
    if benchmark in NO_TARGET:
        assert target is None
        return
    assert target is not None
    if (round_id, benchmark) in BY_BATCH:
        return
    condition = checked(round_id, benchmark)
    assert condition is not None
    (bound,) = [one for one in (target.least, target.most, target.above) if one is not None]
    state = {"target_accuracy": bound}  # newer rules name theirs; that it is this one is in the test below
    for accuracy in (bound, bound * (1 - 1e-6), bound * (1 + 1e-6)):
        is_accepted = eval(condition, {"v": {"value": accuracy}, "s": state})  # a rule of the installed package
        assert target.holds(accuracy) == bool(is_accepted), (condition, accuracy)


@pytest.mark.parametrize("benchmark, bound", [("qwen35_397b_grpo", 0.69), ("dlrmv4", 0.75)])
def test_a_target_that_the_package_names_is_its_own(benchmark: str, bound: float) -> None:
    import mlperf_logging

    folder = Path(mlperf_logging.__file__).parent / "compliance_checker" / "training_6.1.0"
    assert f"'target_accuracy': {bound}," in (folder / f"closed_{benchmark}.yaml").read_text()
    target = rules().training_target("v6.1", benchmark)
    assert target is not None
    assert bound in {target.least, target.above}
