"""Small training submissions written by hand, and what the tree format makes of them."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from loaders.trees import training
from loaders.trees.protocol import Context
from loaders.unpack import Source, sources
from mlperf.errors import Problem
from mlperf.model import Measurement, Run, SystemSheet

START = 1_634_620_800_000
GROUP = "Dell/results/XE8545/rnnt"
SHEET = {
    "submitter": "Dell",
    "division": "closed",
    "status": "onprem",
    "system_name": "XE8545x4A100-SXM-80GB",
    "number_of_nodes": "1",
    "host_processors_per_node": "2",
    "host_processor_model_name": "AMD EPYC 7763",
    "host_processor_core_count": "64",
    "accelerators_per_node": "4",
    "accelerator_model_name": "NVIDIA A100-SXM-80GB",
    "framework": "NGC PyTorch 21.09",
    "operating_system": "Ubuntu 20.04",
    "hw_notes": "prose",
}

Files = Mapping[str, bytes | str | Any]


@dataclass(frozen=True)
class Read:
    """What came of one tree."""

    measurements: list[Measurement]
    runs: list[Run]
    sheets: list[SystemSheet]
    problems: list[Problem]

    @property
    def value(self) -> float | None:
        """The one score; None for none."""
        assert len(self.measurements) < 2
        return self.measurements[0].value if self.measurements else None

    @property
    def kinds(self) -> list[str]:
        """The kinds of the Problems, each once."""
        return sorted({problem.kind for problem in self.problems})


def event(key: str, value: Any = None, after_ms: float = 0, **metadata: Any) -> str:
    """One line as mllog writes it, `after_ms` after START."""
    kind = {"start": "INTERVAL_START", "stop": "INTERVAL_END"}.get(key.rpartition("_")[2], "POINT_IN_TIME")
    fields = {
        "namespace": "",
        "time_ms": START + round(after_ms),
        "event_type": kind,
        "key": key,
        "value": value,
        "metadata": {"file": "train.py", "lineno": 1, **metadata},
    }
    return ":::MLLOG " + json.dumps(fields)


def log_lines(minutes: float = 10, status: str | None = "success", at: float = 0, benchmark: str = "rnnt") -> list[str]:
    """The lines of a whole run that began `at` minutes after START."""
    start, stop = at * 60000, (at + minutes) * 60000
    return [
        "+ echo 'running benchmark'",
        event("submission_benchmark", benchmark, start - 60000),
        event("global_batch_size", 2048, start - 50000),
        event("seed", 77, start - 40000),
        event("init_stop", None, start - 1),
        event("run_start", None, start),
        event("opt_name", "adamw", start + 1),
        event("eval_accuracy", 0.5, start + 5, epoch_num=1),
        "epoch 2: 45%|####   | 3.1 it/s",
        event("eval_accuracy", 0.055, stop - 5, epoch_num=59),
        *([event("run_stop", None, stop, status=status)] if status else []),
    ]


def log(minutes: float = 10, status: str | None = "success", at: float = 0, benchmark: str = "rnnt") -> str:
    """The text of `log_lines`."""
    return "\n".join(log_lines(minutes, status, at, benchmark)) + "\n"


def group(
    minutes: Iterable[float],
    folder: str = GROUP,
    failed: Mapping[int, str] | None = None,
    more: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """The logs of one group and its system; `failed` has the status of runs by their number."""
    benchmark = folder.rpartition("/")[2]
    files: dict[str, Any] = {}
    for number, each in enumerate(minutes):
        status = (failed or {}).get(number, "success")
        files[f"{folder}/result_{number}.txt"] = log(each, status, at=number * 1000, benchmark=benchmark)
    system = folder.split("/")[-2] if "/" in folder else "XE8545"
    files[f"Dell/systems/{system}.json"] = SHEET
    return {**files, **(more or {})}


def write(files: Files, folder: Path) -> Path:
    """The files in a folder."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        text = content if isinstance(content, str | bytes) else json.dumps(content, indent=1)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return folder


def read_tree(path: Path) -> tuple[list[training.Piece], list[Problem]]:
    """What every file of a folder or an archive says by itself, and what is wrong with it."""
    pieces: list[training.Piece] = []
    problems: list[Problem] = []
    for source in sources(path):
        assert isinstance(source, Source)
        if training.claims(source):
            for item in training.read(source):
                if isinstance(item, Problem):
                    problems.append(item)
                else:
                    pieces.append(item)
    return pieces, problems


def assembled(path: Path, name: str = "training_results_v1.1.zip") -> Read:
    """The tree in a folder or an archive, as its owner calls it."""
    pieces, problems = read_tree(path)
    made = list(training.assemble(pieces[::-1], Context(name)))
    return Read(
        [item for item in made if isinstance(item, Measurement)],
        [item for item in made if isinstance(item, Run)],
        [item for item in made if isinstance(item, SystemSheet)],
        problems + [item for item in made if isinstance(item, Problem)],
    )
