"""Real LoadGen against a small system under test that answers at once, or late on purpose."""

import array
import time
from pathlib import Path

import pytest


def run_loadgen(
    folder: Path,
    scenario: str,
    *,
    mode: str = "PerformanceOnly",
    tokens: bool = False,
    late_ms: float = 0,
    **changes: int | float,
) -> None:
    """Logs of a run in under a second; `late_ms` is added to each answer, `changes` to LoadGen's settings."""
    loadgen = pytest.importorskip("mlperf_loadgen")
    folder.mkdir(parents=True)
    settings = loadgen.TestSettings()
    settings.scenario = getattr(loadgen.TestScenario, scenario)
    settings.mode = getattr(loadgen.TestMode, mode)
    settings.min_duration_ms, settings.min_query_count = 100, 1 if scenario == "Offline" else 700
    settings.single_stream_expected_latency_ns = settings.multi_stream_expected_latency_ns = 100_000
    settings.multi_stream_samples_per_query = 8
    settings.server_target_qps, settings.server_target_latency_ns = 3000, 100_000_000
    settings.offline_expected_qps = 5000
    settings.use_token_latencies = tokens
    settings.ttft_latency = settings.tpot_latency = 100_000_000
    for name, value in changes.items():
        assert hasattr(settings, name), name
        setattr(settings, name, value)
    kept: list[array.array[int]] = []

    def issue(queries: list[object]) -> None:
        responses = []
        time.sleep(late_ms / 1000)
        for query in queries:
            data = array.array("B", bytes(32))
            kept.append(data)
            identity = query.id  # type: ignore[attr-defined]
            if tokens:
                loadgen.FirstTokenComplete([loadgen.QuerySampleResponse(identity, data.buffer_info()[0], 4)])
            responses.append(loadgen.QuerySampleResponse(identity, data.buffer_info()[0], 32, 8 if tokens else 0))
        loadgen.QuerySamplesComplete(responses)

    system, samples = (
        loadgen.ConstructSUT(issue, lambda: None),
        loadgen.ConstructQSL(64, 64, lambda _: None, lambda _: None),
    )
    output = loadgen.LogOutputSettings()
    output.outdir, output.copy_summary_to_stdout = str(folder), False
    logs = loadgen.LogSettings()
    logs.log_output, logs.enable_trace = output, False
    loadgen.StartTestWithLogSettings(system, samples, settings, logs)
    loadgen.DestroyQSL(samples)
    loadgen.DestroySUT(system)
