"""Inference v6.1 is data: a made-up log of each benchmark and scenario of the round scores by its checker."""

import json
from pathlib import Path

import pytest

from loaders.formats import checker_json
from loaders.normalise import normalise
from loaders.unpack import sources
from mlperf.errors import Problem
from mlperf.facts import facts
from mlperf.model import Measurement, Sighting
from mlperf.rules import rules
from tests.loaders.making import write
from tests.loaders.trees.making_inference import SYSTEM, detail, read

ROUND = "v6.1"
TREE = f"inference_results_{ROUND}/closed/Acme"
EDGE = {
    "3d-unet-99": "SO", "3d-unet-99.9": "SO", "bert-99": "SO", "bert-99.9": "SO", "llama3.1-8b-edge": "SO",
    "qwen3.6-27b": "S", "resnet": "SMO", "stable-diffusion-xl": "SO", "whisper": "O", "yolo-95": "SMO",
    "yolo-99": "SMO",
}  # fmt: skip
DATACENTER = {
    "3d-unet-99": "O", "3d-unet-99.9": "O", "deepseek-r1": "OVI", "dlrm-v3": "VO", "e2e-rag-db": "O",
    "e2e-rag-qna": "O",
    "gpt-oss-120b": "OVI", "llama2-70b-99.9": "OVI", "llama3.1-8b": "OVI", "qwen3-vl-235b-a22b": "OVI", "rgat": "O",
    "wan-2.2-t2v-a14b": "OS", "whisper": "O",
}  # fmt: skip
"""Scenarios of each benchmark. Source: mlcommons/inference b66003e, submission_checker/constants.py, MODEL_CONFIG."""
SCENARIOS = {"S": "SingleStream", "M": "MultiStream", "O": "Offline", "V": "Server", "I": "Interactive"}
TOKENS = {"llama3.1-8b", "llama3.1-8b-edge", "llama2-70b-99.9", "deepseek-r1", "gpt-oss-120b", "whisper"}
"""Source: RESULT_FIELD_BENCHMARK_OVERWRITE there; whisper's table says Samples/s of the same number."""
KEYS = {
    "result_samples_per_second": 11.5, "result_tokens_per_second": 22.5, "result_completed_samples_per_sec": 33.5,
    "result_completed_tokens_per_second": 44.5, "early_stopping_latency_ss": 55_500_000,
    "early_stopping_latency_ms": 66_500_000, "result_90__00_percentile_latency_ns": 77_500_000,
    "result_scheduled_samples_per_sec": 88.5,
}  # fmt: skip

CASES = [
    (suite, benchmark, SCENARIOS[letter])
    for suite, benchmarks in (("edge", EDGE), ("datacenter", DATACENTER))
    for benchmark, letters in benchmarks.items()
    for letter in letters
]


def expected(benchmark: str, scenario: str) -> tuple[float, str]:
    """The figure and unit by the checker's constants."""
    if scenario == "SingleStream":
        if benchmark == "wan-2.2-t2v-a14b":
            return 0.0555, "s"
        return (77.5 if benchmark == "llama3.1-8b-edge" else 55.5), "ms"
    if scenario == "MultiStream":
        return 66.5, "ms"
    if scenario == "Offline":
        unit = "tasks/s" if benchmark == "e2e-rag-qna" else "samples/s"
        return (22.5, "tokens/s") if benchmark in TOKENS else (11.5, unit)
    return (44.5, "tokens/s") if benchmark in TOKENS else (33.5, "queries/s")


def sighting(one: Measurement) -> Sighting:
    (found,) = [part for part in normalise(one) if isinstance(part, Sighting)]
    return found


@pytest.mark.parametrize("suite, benchmark, scenario", CASES)
def test_a_log_of_the_round_scores_by_its_checker(tmp_path: Path, suite: str, benchmark: str, scenario: str) -> None:
    logged = "Server" if scenario == "Interactive" else scenario
    result = f"{TREE}/results/box/{benchmark}/{scenario}"
    found = read(tmp_path, {
        f"{TREE}/systems/box.json": json.dumps(SYSTEM | {"system_type": suite}),
        f"{result}/performance/run_1/mlperf_log_detail.txt": detail(logged, **KEYS),
    })  # fmt: skip
    one = sighting(found.one)
    value, unit = expected(benchmark, scenario)
    assert (one.value, one.unit) == (pytest.approx(value, rel=1e-12), unit)
    assert (one.round, one.suite, one.benchmark, one.scenario) == (ROUND, f"inference-{suite}", benchmark, scenario)
    assert {*found.kinds} <= {"missing-accuracy", "implausible"}  # the figures differ on purpose


def test_the_catalog_has_the_benchmarks_and_scenarios_of_the_round_and_no_others() -> None:
    played = facts().round("inference", ROUND)
    assert played is not None
    catalog = {
        (suite, benchmark.id, scenario)
        for benchmark in facts().benchmarks
        if benchmark.kind == "inference"
        for suite, identifier in (("edge", "inference-edge"), ("datacenter", "inference-datacenter"))
        for scenario in benchmark.scenarios(identifier, played.index)  # type: ignore[arg-type]
    }
    assert catalog == set(CASES)


@pytest.mark.parametrize("suite, benchmark, scenario", CASES)
def test_a_record_of_the_rounds_summary_is_taken_as_it_stands(
    tmp_path: Path, suite: str, benchmark: str, scenario: str
) -> None:
    value, unit = expected(benchmark, scenario)
    heading = {"ms": "Latency (ms)", "s": "Latency (s)"}.get(unit, unit.capitalize())
    record = {
        "Organization": "Acme", "Availability": "available", "Division": "closed", "SystemType": suite,
        "SystemName": "Acme Box", "Platform": "box", "Model": benchmark, "MlperfModel": benchmark,
        "Scenario": scenario, "Result": value, "Accuracy": "", "number_of_nodes": 1, "accelerators_per_node": 1,
        "accelerator_model_name": "NVIDIA A100-PCIe-80GB", "compliance": "closed", "errors": 0, "version": ROUND,
        "inferred": 0, "has_power": False, "Units": heading,
    }  # fmt: skip
    write(tmp_path, {"summary.json": json.dumps({"0": record})})
    (source,) = [source for source in sources(tmp_path) if not isinstance(source, Problem)]
    assert checker_json.recognises(source)
    (row,) = checker_json.parse(source)
    assert isinstance(row, Measurement)
    one = sighting(row)
    assert (one.value, one.unit, one.benchmark, one.scenario) == (value, unit, benchmark, scenario)


@pytest.mark.parametrize("benchmark, key, expected", [
    ("llama3.1-8b-edge", "latency.early_stopping_percentiles.90.0", 7.5), ("qwen3.6-27b", "latency.avg", 5.5),
])  # fmt: skip
def test_an_endpoints_log_of_one_stream_gives_the_mean_but_for_the_overwritten_benchmark(
    tmp_path: Path, benchmark: str, key: str, expected: float
) -> None:
    log = {
        "n_samples_issued": 100, "n_samples_completed": 100, "n_samples_failed": 0, "duration_ns": 1e9,
        "state": "complete", "complete": True,
        "latency": {"avg": 5_500_000.0, "early_stopping_percentiles": {"90.0": 7_500_000.0}},
    }  # fmt: skip
    result = f"{TREE}/results/box/{benchmark}/SingleStream"
    found = read(tmp_path, {
        f"{TREE}/systems/box.json": json.dumps(SYSTEM | {"system_type": "edge"}),
        f"{result}/performance/result_summary.json": json.dumps(log),
    })  # fmt: skip
    assert found.one.value == pytest.approx(expected)
    assert key in found.problem("unverified-field").found


def test_the_limits_and_targets_of_the_round_are_those_of_its_checker() -> None:
    """Source: latency-constraint, accuracy-target there."""
    limits = {
        scenario: rules().latency(ROUND, scenario, "qwen3-vl-235b-a22b") for scenario in ("Server", "Interactive")
    }
    assert {scenario: bound and bound.number for scenario, bound in limits.items()} == {
        "Server": 12_000,
        "Interactive": 1_500,
    }
    targets = {
        (benchmark, scenario): [target.least for target in rules().accuracy(ROUND, benchmark, scenario)]
        for benchmark, scenario in (
            ("qwen3-vl-235b-a22b", "Offline"), ("qwen3-vl-235b-a22b", "Interactive"), ("wan-2.2-t2v-a14b", "Offline"),
            ("dlrm-v3", "Server"), ("e2e-rag-qna", "Offline"), ("e2e-rag-db", "Offline"),
        )
    }  # fmt: skip
    assert targets == {
        ("qwen3-vl-235b-a22b", "Offline"): [pytest.approx(0.782397)],
        ("qwen3-vl-235b-a22b", "Interactive"): [pytest.approx(0.779922)],
        ("wan-2.2-t2v-a14b", "Offline"): [pytest.approx(69.7752)],
        ("dlrm-v3", "Server"): [pytest.approx(0.69581349), pytest.approx(0.78584337)],
        ("e2e-rag-qna", "Offline"): [pytest.approx(33.95)],
        ("e2e-rag-db", "Offline"): [98.0],
    }
    assert rules().duration(ROUND, "e2e-rag-db") != rules().duration(ROUND, "rgat")
