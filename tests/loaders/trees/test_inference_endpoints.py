"""v6.1 endpoints logs: which field gives the score is said of each."""

import json
from pathlib import Path

import pytest

from tests.loaders.trees.making_inference import Read, read

BASE = "inference_results_v6.1/closed/Acme/results/box"
SAID = {
    "n_samples_issued": 600, "n_samples_completed": 600, "n_samples_failed": 0, "duration_ns": 2_000_000_000,
    "state": "complete", "complete": True, "latency": {"avg": 4_000_000.0}, "qps": 310.5, "tps": 1175890.25,
}  # fmt: skip


def log(model: str, scenario: str, **changes: object) -> dict[str, str | bytes]:
    said = {name: value for name, value in (SAID | changes).items() if value is not None}
    return {f"{BASE}/{model}/{scenario}/performance/result_summary.json": json.dumps(said)}


@pytest.mark.parametrize("model, scenario, changes, value, unit, said", [
    ("deepseek-r1", "Server", {}, 1175890.25, "Tokens/s", "tps"),
    ("deepseek-r1", "Offline", {}, 1175890.25, "Tokens/s", "tps"),
    ("gpt-oss-120b", "Interactive", {}, 1175890.25, "Tokens/s", "tps"),
    ("qwen3-vl-235b-a22b", "Offline", {}, 310.5, "Samples/s", "qps"),
    ("qwen3-vl-235b-a22b", "Server", {"qps": None}, 300.0, "Queries/s", "n_samples_issued / duration_ns"),
    ("wan-2.2-t2v-a14b", "SingleStream", {}, 0.004, "Latency (s)", "latency.avg"),
    ("qwen3.6-27b", "SingleStream", {}, 4.0, "Latency (ms)", "latency.avg"),
    ("llama3.1-8b-edge", "SingleStream",
     {"latency": {"avg": 4_000_000.0, "early_stopping_percentiles": {"90.0": 5_000_000.0}}},
     5.0, "Latency (ms)", "latency.early_stopping_percentiles.90.0"),
])  # fmt: skip
def test_the_field_that_gave_the_score_is_said(
    tmp_path: Path, model: str, scenario: str, changes: dict[str, object], value: float, unit: str, said: str
) -> None:
    found = read(tmp_path, log(model, scenario, **changes))
    assert found.one.value == pytest.approx(value)
    assert (found.one.unit, found.one.valid, found.one.round) == (unit, True, "v6.1")
    assert f"the field {said} " in found.problem("unverified-field").found


@pytest.mark.parametrize("changes", [{"complete": False}, {"state": "aborted"}, {"n_samples_failed": 3}])
def test_failed_and_incomplete_runs_are_marked(tmp_path: Path, changes: dict[str, object]) -> None:
    found = read(tmp_path, log("deepseek-r1", "Server", **changes))
    assert found.one.valid is False
    assert "invalid-result" in found.kinds


@pytest.mark.parametrize("changes", [{"tps": None}, {"tps": "fast"}, {"tps": True}, {"tps": -1}, {"tps": 10**400}])
def test_a_log_without_the_field_has_no_score(tmp_path: Path, changes: dict[str, object]) -> None:
    found = read(tmp_path, log("deepseek-r1", "Server", **changes))
    assert found.measurements == []
    assert found.kinds == ["no-score"]


TWICE = {
    "legacy_loadgen_window_duration_ns": 2_000_000_000, "qps": 300.0, "tps": 1_175_890.0,
    "output_sequence_lengths": {"total": 2_351_780}, "latency": {"avg": 4_000_000.0, "total": 2_400_000_000},
}  # fmt: skip


@pytest.mark.parametrize("model, scenario, changed", [
    ("deepseek-r1", "Server", {"tps": 1_175_990.0}),
    ("qwen3-vl-235b-a22b", "Offline", {"qps": 301.0}),
    ("wan-2.2-t2v-a14b", "SingleStream", {"latency": {"avg": 4_000_100.0, "total": 2_400_000_000}}),
])  # fmt: skip
def test_a_field_that_the_log_contradicts_is_told(
    tmp_path: Path, model: str, scenario: str, changed: dict[str, object]
) -> None:
    assert "implausible" not in read(tmp_path / "whole", log(model, scenario, **TWICE)).kinds
    found = read(tmp_path / "changed", log(model, scenario, **(TWICE | changed)))
    assert "implausible" in found.kinds
    assert found.one.value is not None


@pytest.mark.parametrize("text", ["", "[]", "{", "\x00\x00", "[" * 100_000])
def test_what_is_no_object_is_a_problem(tmp_path: Path, text: str) -> None:
    found = read(tmp_path, {f"{BASE}/deepseek-r1/Server/performance/result_summary.json": text})
    assert (found.measurements, found.kinds) == ([], ["broken-json"])


def test_a_config_of_another_scenario_is_a_problem(tmp_path: Path) -> None:
    config = {f"{BASE}/deepseek-r1/Server/config.yaml": "name: x\ntype: offline\n"}
    assert "scenario-mismatch" in read(tmp_path, log("deepseek-r1", "Server") | config).kinds
    config = {f"{BASE}/deepseek-r1/Interactive/config.yaml": "type: server\n"}
    assert "scenario-mismatch" not in read(tmp_path / "two", log("deepseek-r1", "Interactive") | config).kinds


def test_the_real_log_of_v6_1_is_read(shared: Path) -> None:
    found = Read(shared / "exports/endpoints", "inference_results_v6.1")
    assert (found.one.submitter, found.one.benchmark, found.one.scenario) == ("NVIDIA", "deepseek-r1", "Server")
    assert (found.one.value, found.one.unit, found.one.valid) == (1175890.2208168241, "Tokens/s", True)
