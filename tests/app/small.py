"""Small databases with the real schema, for tests of questions and pages."""

from pathlib import Path
from typing import Any

import duckdb

from loaders import snapshot, store

PLAIN: dict[str, Any] = {
    "round": "v3.1", "suite": "inference-edge", "division": "closed", "availability": "available", "submitter": "Dell",
    "system_id": "XR7620_L4x1_TRT", "system_name": "Dell PowerEdge XR7620 (1x L4, TensorRT)", "server": "XR7620",
    "server_family": "XR-series", "accelerator": "NVIDIA L4", "accelerator_count": 1, "nodes": 1, "processor": "Xeon",
    "framework": "TensorRT 9.0.0", "benchmark": "resnet", "scenario": "SingleStream", "metric": "latency",
    "value": 0.344907, "unit": "ms", "better": "lower", "has_power": False, "power_value": None, "power_unit": None,
    "efficiency": None, "efficiency_unit": None, "accuracy": "76.078", "inferred": False, "valid": True, "runs": 1,
    "public_id": "3.1-0074", "basis": "published", "verified": True, "origin": "mlcommons",
    "source": "mlcommons/cm4mlperf-results", "source_path": "a/cm-result.json",
    "tokens_per_second": None, "samples_per_second": None, "mean_latency_ms": None, "result_id": "r0", "model": None,
    "accelerators": ["NVIDIA L4"], "accelerator_raw": "NVIDIA L4", "location": "closed/Dell/results/XR7620",
    "link": "https://github.com/mlcommons/inference_results_v3.1", "published": None, "round_index": 6,
    "input_data_types": "int8", "weight_data_types": "int8", "same_runs": None,
}  # fmt: skip
"""A result with every column filled in; tests name what they need to differ."""

OFFLINE = {"scenario": "Offline", "metric": "throughput", "unit": "samples/s", "better": "higher"}
H100 = {
    "system_id": "XE9680_H100x8_TRT", "system_name": "Dell XE9680", "server": "XE9680", "server_family": "XE96xx",
    "accelerator": "NVIDIA H100", "accelerators": ["NVIDIA H100"], "accelerator_count": 8,
    "suite": "inference-datacenter",
}  # fmt: skip
RESULTS: list[dict[str, Any]] = [
    {"result_id": "r1"},
    {"result_id": "r2", **OFFLINE, "value": 12839.1},
    {"result_id": "r2", **OFFLINE, "value": 12839.1, "suite": "inference-datacenter"},
    {"result_id": "r3", **OFFLINE, **H100, "value": 706858.0},
    {"result_id": "r4", **OFFLINE, **H100, "value": 7000.0, "benchmark": "bert-99", "has_power": True,
     "power_value": 5000.0, "power_unit": "W", "efficiency": 1.4, "efficiency_unit": "samples/J"},
    {"result_id": "r5", **OFFLINE, **H100, "value": 9000.0, "submitter": "NVIDIA", "system_id": "Mixed",
     "system_name": "Mixed", "server": None, "server_family": None, "accelerator": "NVIDIA H100 + NVIDIA L4",
     "accelerators": ["NVIDIA H100", "NVIDIA L4"], "round": "v4.0"},
    {"result_id": "r6", "round": "v1.1", "suite": "training", "scenario": None, "metric": "time_to_train",
     "value": 62.949, "unit": "min", "accelerator": None, "accelerators": [], "accelerator_count": None,
     "system_id": None, "system_name": "R750xa", "public_id": None},
]  # fmt: skip


def database(results: list[dict[str, Any]]) -> duckdb.DuckDBPyConnection:
    """An open database in memory that holds these results, each a variation of `PLAIN`."""
    con = store.open_database(None)
    marks = ", ".join("?" for _ in PLAIN)
    for result in results:
        assert set(result) <= set(PLAIN)
        con.execute(f"insert into results by position values ({marks})", list({**PLAIN, **result}.values()))
        con.execute(
            "insert into sightings by name select result_id || suite as sighting_id, result_id, '0' as sha256, source,"
            " source_path, 7 as line, 'cm' as format, 1 as rank, origin, round, suite, division, submitter, benchmark,"
            " metric, value, unit, better, has_power, public_id, basis from results where result_id = ? and suite = ?",
            [result.get("result_id", "r0"), result.get("suite", PLAIN["suite"])],
        )
    return con


def snapshot_in(folder: Path, results: list[dict[str, Any]]) -> Path:
    """A folder with the Parquet files that these results make."""
    con = database(results)
    for table in snapshot.TABLES:
        con.table(table).write_parquet(str(folder / f"{table}.parquet"))
    return folder
