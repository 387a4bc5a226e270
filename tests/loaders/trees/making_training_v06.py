"""Small submissions of training v0.6, written by hand in the words of its logs and systems."""

import json
from collections.abc import Iterable
from typing import Any

START = 1_560_722_000.0
"""Seconds since the epoch."""

ROOT = "training_results_v0.6"
MINIGO = (746.014, 749.586, 896.495, 943.636, 1040.279, 850.193, 892.016, 848.149, 860.346, 885.82)
"""The seconds that `eval_result` states in Intel's ten logs of minigo, mlcommons/training_results_v0.6
Intel/results/clx-8260l-2s-x32/minigo: 14.43 minutes, as published in
https://software.intel.com/en-us/blogs/2019/07/10/intel-cpu-excels-in-mlperf-reinforcement-learning-training."""

ENTRY = {
    "hardware": "NVIDIA DGX-2H",
    "framework": "PyTorch NVIDIA Release 19.05",
    "os": "Ubuntu 18.04.1 LTS / NVIDIA DGX Server 4.0.4",
    "libraries": "{'container_base': 'Ubuntu-16.04', 'openmpi_version': '3.1.3'}",
    "nodes": "{'num_nodes': '4', 'cpu': '2x Intel(R) Xeon(R) Platinum 8174 CPU @ 3.10GHz', 'num_cores': '48', "
    "'accelerator': 'Tesla V100-SXM3-32GB-H', 'num_accelerators': '16', 'sys_mem_size': '1510 GB', 'notes': ''}",
}


def event(key: str, value: Any = None, after: float = 0.0, **metadata: Any) -> str:
    """One line of a log, `after` seconds behind START."""
    content = json.dumps({"value": value, "metadata": {"file": "train.py", "lineno": 1, **metadata}})
    return f":::MLL {START + after:.3f} {key}: {content}"


def log(minutes: float = 10.0, status: str | None = "success", at: float = 0.0, benchmark: str = "ssd") -> str:
    """A whole run that began `at` seconds behind START."""
    stop = at + minutes * 60
    lines = [
        "+ echo 'running benchmark'",
        event("submission_benchmark", benchmark, at - 60),
        event("submission_org", "NVIDIA", at - 60),
        event("global_batch_size", 1200, at - 50),
        event("run_set_random_seed", 77, at - 40),
        event("init_start", None, at - 40),
        event("run_start", None, at),
        event("eval_accuracy", 0.1, at + 5, epoch_num=43),
        event("eval_accuracy", 0.2331, stop - 1, epoch_num=50),
        *([event("run_stop", None, stop, status=status)] if status else []),
    ]
    return "\n".join(lines) + "\n"


def minigo_log(seconds: float | None, at: float = 0.0) -> str:
    """A run of minigo, whose models are evaluated behind it; `seconds` led to the one that reached the target."""
    over = at + 1900
    lines = [
        event("submission_benchmark", "minigo", at - 60),
        event("run_start", None, at),
        event("eval_accuracy", 0.35, over - 30, epoch_num=13),
        event("eval_accuracy", 0.51, over - 1, epoch_num=14),
        *([event("eval_result", None, over, iteration=14, timestamp=seconds)] if seconds is not None else []),
        event("run_stop", None, over, status="success"),
    ]
    return "\n".join(lines).replace('"metadata": {"file": "train.py", "lineno": 1', "\"metadata\": {'lineno': 1") + "\n"


def system(division: str = "closed") -> str:
    """A system as NVIDIA describes it: lines of a log without their heads."""
    lines = {"org": "NVIDIA", "division": division, "status": "onprem", "platform": "4xNVIDIA DGX-2H"}
    written = {**lines, "entry": str(ENTRY), "poc_name": "A Name", "poc_email": "name@nvidia.com"}
    return "".join(
        f"{name}: {json.dumps({'value': value, 'metadata': {'lineno': 1}})}\n" for name, value in written.items()
    )


def group(minutes: Iterable[float], folder: str = "NVIDIA/results/dgx2h_n4/ssd") -> dict[str, str]:
    """The logs of one group and its system."""
    benchmark = folder.rpartition("/")[2]
    logs = {
        f"{ROOT}/{folder}/result_{number}.txt": log(each, at=number * 9000.0, benchmark=benchmark)
        for number, each in enumerate(minutes)
    }
    return {**logs, f"{ROOT}/NVIDIA/systems/{folder.split('/')[2]}.json": system()}
