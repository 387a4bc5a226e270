"""MLPerf Inference results repositories, or any part of one: `<division>/<submitter>/{systems,results,…}`.

Which files are of such a tree and who reads them. Results are made in `inference_results`, scored in `inference_score`;
identity comes from the path and the systems JSON, never from a log.
"""

from collections.abc import Iterator
from typing import Final

from loaders.trees import accuracy, endpoints, inference_power, loadgen, power_readings
from loaders.trees.inference_paths import Place, components, is_measurements, owner_place, place
from loaders.trees.inference_results import Mapping, Piece, Sheet, assemble
from loaders.trees.json_object import Unreadable, read_object
from loaders.trees.measurements import read_measurements
from loaders.trees.systems import is_system_file, read_system
from loaders.trees.training_paths import kind_of
from loaders.unpack import Source
from mlperf.errors import Problem, Where
from mlperf.facts import facts
from mlperf.model import SystemSheet

__all__ = ["NAME", "RANK", "TITLE", "Piece", "assemble", "claims", "read"]

NAME: Final = "inference-logs"
TITLE: Final = "MLPerf Inference results tree or LoadGen logs (`mlperf_log_detail.txt`, `mlperf_log_summary.txt`)"
RANK: Final = 80

_MAPPING: Final = "model_mapping.json"


def claims(source: Source) -> bool:
    """By its name and folder; a systems JSON by the tree's name or by a `system_type`, which training lacks."""
    parts = components(source)[0]
    name = parts[-1].lower()
    folders = [part.lower() for part in parts[-4:-1]]
    if name in {loadgen.DETAIL, loadgen.SUMMARY, power_readings.NAME, accuracy.NAME, _MAPPING}:
        return True
    if (folders[-1:] == ["performance"] and name in endpoints.NAMES) or endpoints.is_endpoint(source):
        return True
    if name in endpoints.CONFIGS:
        return b"type:" in source.head and facts().scenario(folders[-1] if folders else "") is not None
    if folders[-2:] == ["performance", "power"] or is_measurements(parts):
        return True
    return is_system_file(source.name) and _is_inference_system(source, parts)


def _is_inference_system(source: Source, parts: list[str]) -> bool:
    above = "/".join(parts[:-1]).lower()
    is_of_runs = "training" in above or kind_of(above) is not None
    if ("inference" in above) != is_of_runs:
        return "inference" in above
    return b'"system_type"' in source.head and any(kind in source.head for kind in (b"datacenter", b"edge"))


def read(source: Source) -> Iterator[Piece | Problem]:
    """What one file of the tree says; nothing for logs of other runs than results (ranging, accuracy, compliance)."""
    name = source.name.rsplit("/", 1)[-1].lower()
    if name == _MAPPING:
        yield from _read_mapping(source)
        return
    if is_system_file(source.name):
        yield from _read_sheet(source)
        return
    where = place(source)
    if where == "misplaced":
        found = "lies deeper in the results than a result does."
        yield Problem(Where(source.name), "misplaced-log", found, "It was left out, as the checker does.")
    elif isinstance(where, Place):
        yield from _read_log(source, name, where)


def _read_log(source: Source, name: str, where: Place) -> Iterator[Piece | Problem]:
    is_run = where.part in {"run", "alone"}
    if name == loadgen.DETAIL and is_run:
        yield from loadgen.read_detail(source, where)
    elif name == loadgen.SUMMARY and is_run:
        yield from loadgen.read_summary(source, where)
    elif name == power_readings.NAME and is_run:
        yield from power_readings.read_readings(source, where)
    elif name == accuracy.NAME:
        yield from accuracy.read_accuracy(source, where)
    elif where.part == "power":
        yield from inference_power.read_power_file(source, where)
    elif where.part in {"endpoint", "alone"} and name in endpoints.NAMES:
        yield from endpoints.read_endpoint(source, where)
    elif where.part == "measurements":
        yield from read_measurements(source, where)
    elif where.part == "config":
        yield from endpoints.read_config(source, where)


def _read_sheet(source: Source) -> Iterator[Sheet | Problem]:
    where = owner_place(source, "system")
    for found in read_system(source, "inference", where.round, where.submitter):
        yield Sheet(where, found) if isinstance(found, SystemSheet) else found


def _read_mapping(source: Source) -> Iterator[Mapping | Problem]:
    read = read_object(source)
    if isinstance(read, Unreadable):
        found = f"{read.reason}, so that it names no models."
        yield Problem(Where(source.name, read.line), "broken-json", found, "Correct the file.")
        return
    yield from read.problems(Where(source.name), "It was left out: correct the file.")
    named = ((model, benchmark) for model, benchmark in read.fields.items() if model not in read.twice)
    pairs = tuple((model, benchmark) for model, benchmark in named if isinstance(benchmark, str))
    yield Mapping(owner_place(source, "mapping"), Where(source.name), pairs)
