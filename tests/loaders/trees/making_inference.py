"""Small inference trees, written by the test that needs them, and the way through the tree format."""

import json
from collections.abc import Mapping
from pathlib import Path

from loaders.trees import inference
from loaders.trees.protocol import Assembled, Context
from loaders.unpack import sources
from mlperf.errors import Problem
from mlperf.model import Measurement, SystemSheet
from tests.loaders.making import write

TREE = "inference_results_v3.1/closed/Acme"
RESULT = f"{TREE}/results/box_1xA100/resnet50/Offline"
RUN = f"{RESULT}/performance/run_1"
SYSTEM = {
    "division": "closed", "submitter": "ACME", "status": "available", "system_type": "datacenter,edge",
    "system_name": "Acme Box (1x A100)", "number_of_nodes": 1, "host_processor_model_name": "Processor 9000",
    "host_processors_per_node": 2, "host_processor_core_count": "64", "accelerators_per_node": 1,
    "accelerator_model_name": "NVIDIA A100-PCIe-80GB", "framework": "TensorRT 9", "operating_system": "Ubuntu 22.04",
}  # fmt: skip

Files = dict[str, str | bytes]


def record(key: str, value: object, time_ms: float = 1.5) -> str:
    """A line of a detail log."""
    rest = {"time_ms": time_ms, "namespace": "mlperf::logging", "event_type": "POINT_IN_TIME"}
    meta = {"is_error": False, "is_warning": False, "file": "loadgen.cc", "line_no": 53, "pid": 1, "tid": 1}
    return ":::MLLOG " + json.dumps({"key": key, "value": value, **rest, "metadata": meta}) + "\n"


def detail(scenario: str = "Offline", **keys: object) -> str:
    """A detail log of a valid run; keys are the log's own, `__` for a dot."""
    said = {
        "loadgen_version": "3.1 @ abc", "effective_scenario": scenario, "effective_test_mode": "PerformanceOnly",
        "effective_samples_per_query": 1, "result_validity": "VALID", "result_min_duration_met": True,
    } | {key.replace("__", "."): value for key, value in keys.items()}  # fmt: skip
    return "".join(record(key, value) for key, value in said.items())


def summary(scenario: str = "Offline", lines: Mapping[str, object] | None = None, *, valid: str = "VALID") -> str:
    """A summary with `lines` between its head and its verdict."""
    rule = "=" * 48
    head = [
        rule,
        "MLPerf Results Summary",
        rule,
        "SUT name : SUT",
        f"Scenario : {scenario}",
        "Mode     : PerformanceOnly",
    ]
    told = [f"{name}: {value}" for name, value in (lines or {}).items()]
    return "\n".join([*head, *told, f"Result is : {valid}", "", "No errors encountered during test.", ""])


OFFLINE = summary("Offline", {"Samples per second": 1234.56})


def tree(files: Mapping[str, str | bytes] | None = None, *, round_id: str = "v3.1", path: str = RUN) -> Files:
    """A tree with one Offline result; `files` replaces or adds by full path, and by name in the run's folder."""
    files = files or {}
    base = {
        f"{TREE}/systems/box_1xA100.json": json.dumps(SYSTEM),
        f"{RESULT}/accuracy/accuracy.txt": "accuracy=76.064%, good=38032, total=50000\nhash=aa\n",
    }
    named = {f"{path}/{name}" if "/" not in name else name: text for name, text in files.items()}
    if not any(name.startswith(path) for name in named):
        named[f"{path}/mlperf_log_summary.txt"] = OFFLINE
    return {name.replace("v3.1", round_id): text for name, text in (base | named).items()}


class Read:
    """What became of a folder or archive."""

    def __init__(self, path: Path, context: str | None = None) -> None:
        pieces: list[inference.Piece] = []
        self.problems: list[Problem] = []
        self.claimed: list[str] = []
        for source in sources(path):
            if isinstance(source, Problem) or not inference.claims(source):
                continue
            self.claimed.append(source.path)
            for piece in inference.read(source):
                if isinstance(piece, Problem):
                    self.problems.append(piece)
                else:
                    pieces.append(piece)
        out: list[Assembled] = list(inference.assemble(pieces, Context(context or path.name)))
        backwards: list[Assembled] = list(inference.assemble(pieces[::-1], Context(context or path.name)))
        assert sorted(map(repr, out)) == sorted(map(repr, backwards))  # in any order
        self.measurements = [one for one in out if isinstance(one, Measurement)]
        self.sheets = [one for one in out if isinstance(one, SystemSheet)]
        self.problems += [one for one in out if isinstance(one, Problem)]

    @property
    def one(self) -> Measurement:
        """The only measurement."""
        (found,) = self.measurements
        return found

    @property
    def kinds(self) -> list[str]:
        """The kinds of all problems, sorted."""
        return sorted(problem.kind for problem in self.problems)

    def problem(self, kind: str) -> Problem:
        """The only problem of that kind."""
        (found,) = [problem for problem in self.problems if problem.kind == kind]
        return found


def read(folder: Path, files: Mapping[str, str | bytes]) -> Read:
    """Write the files below `folder` and read them."""
    root = folder / "given"
    write(root, files)
    return Read(root)
