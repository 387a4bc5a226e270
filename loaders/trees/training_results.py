"""A group of training logs as a result, its runs, and why it has no score."""

import hashlib
import math
from collections.abc import Iterator, Sequence
from typing import Final

from loaders.fields import SYSTEM_FIELDS
from loaders.trees.protocol import Assembled
from loaders.trees.training_group import Group, converged
from loaders.trees.training_log import RunLog
from loaders.trees.training_odd import oddities
from loaders.trees.training_power import kilojoules
from loaders.trees.training_score import Scored, rate, score
from mlperf.errors import Problem
from mlperf.facts import Benchmark, facts
from mlperf.model import Measurement, Run

_NO_SCORE: Final = (
    "The group has no score: load all runs of one result, of which no more may have failed than its rules drop."
)

_CELLS: Final = {
    "division": "division",
    "availability": "status",
    "system_name": "system_name",
    **SYSTEM_FIELDS,
}
"""Fields of a measurement that stand in the system's sheet."""


def assembled(group: Group) -> Iterator[Assembled]:
    """The group's result if it has one, its runs, and what is wrong with it."""
    names = group.names()
    logs = [group.logs[name] for name in names]
    yield from oddities(group)
    written = group.written()
    if written is None:
        several = ", and the logs name several." if group.claimed() else " and no log does."
        found = f"no folder names the benchmark{several}"
        yield Problem(group.where, "no-benchmark", found, "The logs were left out.")
        return
    benchmark = group.known_benchmark
    scored = grade(group, benchmark, written, logs)
    if isinstance(scored, str):
        yield Problem(group.where, "no-score", f"{written}: {scored}.", _NO_SCORE)
    elif benchmark is not None:
        yield from _result(group, benchmark, written, names, logs, scored)
    counted = None if isinstance(scored, str) else frozenset(scored.counted)
    for at, (name, log) in enumerate(zip(names, logs, strict=True)):
        is_counted = None if counted is None else at in counted
        yield _run(group, benchmark.id if benchmark else written, benchmark, name, log, is_counted)


def grade(group: Group, benchmark: Benchmark | None, written: str, logs: Sequence[RunLog]) -> Scored | str:
    """The group's score before scaling, or why it has none."""
    if not logs:
        return "no run present"
    if benchmark is None:
        return f"{written!r} is no benchmark that the catalog knows"
    if None in group.scaling or len(set(group.scaling)) > 1:
        return "scaling.json cannot be read, so that its factor is not known"
    if lacking := _lacking(group, benchmark, logs):
        return lacking
    rule = group.rule
    if rule is None and facts().has_scenarios(group.kind):
        names = " or ".join(facts().suites_of(group.kind)[0].scenarios)
        return f"no folder tells its scenario: {names.lower()}"
    if group.is_rate:
        return rate(logs, benchmark)
    return score([log.minutes if log.status == "success" else None for log in logs], benchmark)


def _lacking(group: Group, benchmark: Benchmark, logs: Sequence[RunLog]) -> str | None:
    """Why the logs do not hold what the round scores the benchmark by; None where they do."""
    rule = facts().score("training", group.round, benchmark.id, None) if group.round else None
    key = rule.log_key if rule else None
    without = [log for log in logs if log.lacks or (log.status == "success" and key and log.ended_by != key)]
    if not without:
        return None
    named = next((log.lacks for log in without if log.lacks), key)
    return f"{len(without)} of {len(logs)} logs have no {named}, by which {group.round or 'the round'} scores it"


def _result(
    group: Group, benchmark: Benchmark, written: str, names: list[str], logs: Sequence[RunLog], scored: Scored
) -> Iterator[Assembled]:
    rule = group.rule
    # scaling.json corrects times only, as in the official tool.
    scaling = 1.0 if group.is_rate else next((factor for factor in group.scaling if factor is not None), 1.0)
    found = _energy(group, names, logs, scored, scaling) if group.has_power else None
    if isinstance(found, str):
        yield Problem(group.where, "no-energy", f"{written}: {found}.", "The energy was left out.")
    energy = None if isinstance(found, str) else found
    yield Measurement(
        where=logs[min(scored.counted)].where,
        kind=group.kind,
        round=group.round,
        submitter=_submitter(group),
        system_id=group.system,
        benchmark=written,
        scenario=group.scenario,
        value=scored.value * scaling,
        unit=rule.table_units[0] if rule else None,
        has_power=energy is not None,
        power_value=energy,
        power_unit=None if energy is None else "kJ",
        location=group.location,
        is_computed=True,
        runs=len(logs),
        same_runs=_same_runs(logs),
        group=group.where.file,
        **{name: group.told(name, of) for name, of in _CELLS.items()},  # type: ignore[arg-type]  # all of them are texts
    )


def _energy(group: Group, names: list[str], logs: Sequence[RunLog], scored: Scored, scaling: float) -> float | str:
    """The group's energy in kJ, or why it has none."""
    if group.is_rate:
        return "no rule says what energy of instances side by side counts"
    sheet = dict(group.sheet.facts) if group.sheet else {}
    stated = sheet.get("number_of_nodes", "").removesuffix(".0")
    files = {len(group.nodes.get(names[at], [])) for at in scored.counted}
    nodes = int(stated) if stated.isdecimal() and len(stated) < 8 else max(files)
    if files != {nodes} or not nodes:
        return f"power of {min(files)} of {nodes} nodes present"
    of_nodes = {name: [node.watts for node in found] for name, found in group.nodes.items()}
    watts = [math.fsum([*of_nodes.get(name, [math.nan]), *group.switches.get(name, [])]) for name in names]
    energy = kilojoules(scored, [log.minutes for log in logs], watts, scaling)
    return "the power of a counted run is not known" if energy is None else energy


def _same_runs(logs: Sequence[RunLog]) -> str | None:
    """A mark of the very same runs, wherever their logs lie: when each began and ended."""
    if any(log.started_ms is None for log in logs):
        return None
    times = sorted(f"{log.started_ms:.0f}-{log.stopped_ms or 0:.0f}" for log in logs)
    return hashlib.sha256(",".join(times).encode()).hexdigest()[:16]


def _submitter(group: Group) -> str | None:
    """As tables have it: the sheet's word before the folder's name (`HabanaLabs` in the folder `Habana`)."""
    return group.told("submitter", "submitter") or group.submitter


def _run(
    group: Group, benchmark_id: str, benchmark: Benchmark | None, name: str, log: RunLog, is_counted: bool | None
) -> Run:
    epochs, samples = converged(benchmark, log)
    minutes = log.minutes if log.status != "unreadable" else None
    return Run(
        where=log.where,
        kind=group.kind,
        round=group.round,
        division=group.told("division", "division"),
        submitter=_submitter(group) or "",
        system_id=group.system or "",
        benchmark=benchmark_id,
        scenario=facts().scenario(group.scenario or "", group.kind),
        name=f"{name}.txt",
        status=log.status,
        minutes=minutes,
        is_counted=is_counted,
        epochs=epochs,
        samples=samples,
        global_batch_size=log.global_batch_size,
        seed=log.seed,
        started_ms=_milliseconds(log.started_ms),
        stopped_ms=_milliseconds(log.stopped_ms),
        location=group.location,
        group=group.where.file,
    )


def _milliseconds(time: float | None) -> int | None:
    """A time of a log; None for one that no clock shows."""
    return int(time) if time is not None and abs(time) < 1 << 53 else None
