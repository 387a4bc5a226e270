"""Inference v6.1's "endpoints" logs: `performance/result_summary.json` and `config.yaml`, with no LoadGen log at all.

No published table was at hand to prove this reader against: what it takes is named in a `Problem` of each result.
"""

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from loaders.trees.inference_paths import Place
from loaders.trees.inference_score import Scored
from loaders.trees.json_object import Unreadable, read_object
from loaders.unpack import Source
from mlperf.errors import Problem, Where
from mlperf.facts import facts
from mlperf.log_rules import Formula, log_rules

NAMES: Final = frozenset({"result_summary.json", "results.json"})
CONFIGS: Final = frozenset({"config.yaml", "config.yml"})
MAX: Final = 16 << 20
_TYPE: Final = re.compile(rb"^type[ \t]*:[ \t]*[\"']?([\w-]+)", re.MULTILINE)
TTFT: Final = "ttft.early_stopping_percentiles.99.0"
TPOT: Final = "tpot.early_stopping_percentiles.99.0"
_WANTED: Final[dict[str, tuple[str, ...]]] = {
    **{name: (name,) for name in
       ("n_samples_issued", "n_samples_completed", "n_samples_failed", "duration_ns", "qps", "tps",
        "legacy_loadgen_window_duration_ns")},
    "output_sequence_lengths.total": ("output_sequence_lengths", "total"),
    "latency.avg": ("latency", "avg"),
    "latency.total": ("latency", "total"),
    "latency.early_stopping_percentiles.90.0": ("latency", "early_stopping_percentiles", "90.0"),
    TTFT: ("ttft", "early_stopping_percentiles", "99.0"),
    TPOT: ("tpot", "early_stopping_percentiles", "99.0"),
}  # fmt: skip
"""The numbers that rules read, and the keys that lead to each."""
_LEFT_OUT: Final = "The result was left out."


@dataclass(frozen=True)
class Endpoint:
    """What a `result_summary.json` says."""

    place: Place
    where: Where
    numbers: tuple[tuple[str, float], ...]
    state: str | None
    is_complete: bool | None
    lines: tuple[tuple[str, int], ...] = ()
    """Where the fields stand."""

    def at(self, name: str) -> Where:
        """The place of a field; the file for one that it does not hold."""
        return Where(self.where.file, dict(self.lines).get(name))


@dataclass(frozen=True)
class EndpointConfig:
    """The scenario that a `config.yaml` states."""

    place: Place
    where: Where
    scenario: str


def read_endpoint(source: Source, place: Place) -> Iterator[Endpoint | Problem]:
    """A `result_summary.json` (or `results.json`); one that is no JSON object is a Problem."""
    read = read_object(source, MAX)
    if isinstance(read, Unreadable):
        yield Problem(Where(source.name, read.line), "broken-json", f"{read.reason}.", _LEFT_OUT)
        return
    if read.twice:
        yield from read.problems(Where(source.name), _LEFT_OUT)
        return
    said = read.fields
    values = {name: _number(_inner(said, path)) for name, path in _WANTED.items()}
    numbers = tuple((name, value) for name, value in values.items() if value is not None)
    state, complete = said.get("state"), said.get("complete")
    paths = {**_WANTED, "state": ("state",), "complete": ("complete",)}
    lines = tuple((name, line) for name, path in paths.items() if (line := _line(source.head, path)))
    yield Endpoint(place, Where(source.name), numbers, state if isinstance(state, str) else None,
                   complete if isinstance(complete, bool) else None, lines)  # fmt: skip


def _inner(said: object, path: tuple[str, ...]) -> object:
    """What stands under keys inside each other; None where one of them is missing."""
    for key in path:
        said = said.get(key) if isinstance(said, dict) else None
    return said


def _line(head: bytes, path: tuple[str, ...]) -> int | None:
    """The line where keys inside each other stand, in the order in which the harness writes them."""
    at = 0
    for key in path:
        found = re.compile(rb'"' + re.escape(key.encode()) + rb'"\s*:').search(head, at)
        if found is None:
            return None
        at = found.end()
    return 1 + head.count(b"\n", 0, at)


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None


def read_config(source: Source, place: Place) -> Iterator[EndpointConfig]:
    """The `type` of a `config.yaml`."""
    found = _TYPE.search(source.head)
    if found:
        yield EndpointConfig(place, Where(source.name), found[1].decode())


def is_endpoint(source: Source) -> bool:
    """Whether a file that lies in no results folder is a `result_summary.json`, by its name and first bytes."""
    return source.name.rpartition("/")[2].lower() == "result_summary.json" and b'"n_samples_' in source.head


def score_endpoint(
    log: Endpoint,
    config: EndpointConfig | None,
    round_id: str | None,
    benchmark: str | None,
    scenario: str | None,
) -> Scored:
    """The score of an endpoints log in the folder of a scenario, and the field that gave it."""
    scored = Scored(log.where, is_inferred=False, is_valid=_is_valid(log))
    stated = facts().scenario(config.scenario) if config else None
    folder = scenario or stated
    scored.logged = folder
    lacking = [what for what, told in (("round", round_id), ("benchmark", benchmark), ("scenario", folder)) if not told]
    if lacking:
        found = f"nothing names its {' and '.join(lacking)}, which decide what its score is."
        scored.note(log.where, "no-identity", found, "Load it in its results tree, or name them.")
        return scored
    score = facts().score("inference", round_id or "", benchmark or "", folder)
    if score is None or folder is None:
        found = f"nothing says how {benchmark} {folder} of {round_id} is scored."
        scored.note(log.where, "no-score", found, "Load it in its results tree.")
        return scored
    if config is not None and stated is not None and stated != folder and (stated, folder) != ("Server", "Interactive"):
        found = f"states scenario {config.scenario!r} in the folder of {folder}."
        scored.note(config.where, "scenario-mismatch", found, "The folder was taken.")
    told = dict(log.numbers)
    for formula in log_rules().endpoints(folder, score.unit, benchmark or ""):
        value = _value(formula, told)
        if value is not None:
            scored.value, scored.unit = value, score.table_units[0]
            found = f"the score is the field {formula.name} of an endpoints log, in {score.unit}."
            scored.note(log.where, "unverified-field", found, "No published table was compared with this reading.")
            _compare(log, formula, benchmark, scored)
            break
    else:
        scored.note(log.where, "no-score", f"holds no field that gives the score in {score.unit}.", _LEFT_OUT)
    if scored.is_valid is False:
        failed = told.get("n_samples_failed", 0)
        found = f"state {log.state!r}, complete {log.is_complete}, {failed:.0f} samples failed."
        scored.note(log.where, "invalid-result", found, "It is kept and marked.")
    return scored


def _compare(log: Endpoint, formula: Formula, benchmark: str | None, scored: Scored) -> None:
    """The field of the score against what the same log says of it in other words."""
    told = dict(log.numbers)
    for rule in log_rules().endpoint_twice(formula.key or "", benchmark):
        again = _value(rule.again, told)
        if again is not None and not rule.low * again <= told[rule.key] <= rule.high * again:
            found = f"{rule.key} {told[rule.key]:.12g} does not go with {rule.again.name}, which give {again:.12g}."
            scored.note(log.at(rule.key), "implausible", found, "It was taken as it stands: compare the original.")


def _value(formula: Formula, told: dict[str, float]) -> float | None:
    if any(key not in told for key in formula.keys) or (formula.over and not told[formula.over]):
        return None
    value = formula.factor * (told[formula.key] if formula.key else 1.0)
    value = value / told[formula.over] if formula.over else value
    return value if value > 0 else None


def _is_valid(log: Endpoint) -> bool | None:
    """Complete and without failures; None where the log says neither."""
    told = dict(log.numbers)
    against = [log.is_complete is False, log.state not in {None, "complete"}, told.get("n_samples_failed", 0) > 0]
    if any(against):
        return False
    return True if log.is_complete is not None or log.state is not None else None
