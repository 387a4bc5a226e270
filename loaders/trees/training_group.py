"""One group of training logs - one benchmark on one system - as a result, its runs, and why it has no score."""

import hashlib
import math
import statistics
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from loaders.trees.protocol import Assembled, Label
from loaders.trees.training_log import RunLog
from loaders.trees.training_power import kilojoules
from loaders.trees.training_score import Scored, score
from mlperf.errors import Problem, Where
from mlperf.facts import Benchmark, facts
from mlperf.model import Measurement, Run, SystemSheet

_NO_SCORE: Final = "The group has no score."

ODD_PACE: Final = 0.02
"""Of the median pace, and `ODD_SPREAD` times the spread of the middle half: a run that is farther off than both is odd.
Of 19,410 published runs that converged in groups of `MIN_PACES` at least, 98 are."""
ODD_SPREAD: Final = 5.0
MIN_PACES: Final = 5
FEW_PACES: Final = 3
ODD_PACE_OF_FEW: Final = 0.1
"""In groups of three or four, of which all 456 published runs are within 0.071 of the median."""

ODD_DAYS: Final = 60
"""A run began so long before or after the others: of 19,866 published runs none is over 51 days from the median."""

SCALING: Final = (1.0, 1.25)
"""All 497 published factors lie between 1.0003 and 1.189."""
_CELLS: Final = {
    "division": "division",
    "availability": "status",
    "system_name": "system_name",
    "accelerator": "accelerator_model_name",
    "accelerators_per_node": "accelerators_per_node",
    "nodes": "number_of_nodes",
    "processor": "host_processor_model_name",
    "processors_per_node": "host_processors_per_node",
    "processor_cores": "host_processor_core_count",
    "framework": "framework",
    "operating_system": "operating_system",
}
"""Fields of a measurement that stand in the system's sheet."""


@dataclass
class Group:
    """What was found of one group."""

    where: Where
    """Its folder."""
    round: str | None
    submitter: str | None
    system: str | None
    benchmark: str | None
    """The folder's name."""
    location: str | None
    """The folder in the round's repository."""
    sheet: SystemSheet | None = None
    logs: dict[str, RunLog] = field(default_factory=dict)
    """By name without `.txt`."""
    scaling: list[float | None] = field(default_factory=list)
    """What scaling.json says; None where it cannot be read."""
    has_power: bool = False
    node_watts: dict[str, list[float]] = field(default_factory=dict)
    """By the run's name."""
    switch_watts: dict[str, list[float]] = field(default_factory=dict)
    label: Label = field(default_factory=Label)

    def apply(self, label: Label) -> None:
        """What its owner says comes before what folders say."""
        self.label = label
        self.round = label.round or self.round
        self.system = label.system_id or self.system
        self.benchmark = label.benchmark or self.benchmark

    def told(self, field_name: str, of: str) -> str | None:
        """A field of a measurement: by the owner's word, else by the system's sheet."""
        said: str | None = getattr(self.label, field_name, None)
        return said or (dict(self.sheet.facts).get(of) if self.sheet else None)

    def names(self) -> list[str]:
        """The runs in their natural order: result_2 before result_10."""
        return sorted(self.logs, key=natural)

    def claimed(self) -> Counter[str]:
        """The benchmarks that logs say they run, and how many say so."""
        return Counter(log.benchmark for log in self.logs.values() if log.benchmark)

    def written(self) -> str | None:
        """The benchmark by its folder, else by what all logs claim."""
        claimed = self.claimed()
        return self.benchmark or (next(iter(claimed)) if len(claimed) == 1 else None)


def natural(name: str) -> tuple[tuple[int, str], ...]:
    """A sort key that reads runs of digits as numbers."""
    parts: list[tuple[int, str]] = []
    for digit, part in _runs(name):
        parts.append((int(part[:18]), part) if digit else (-1, part))
    return tuple(parts)


def _runs(name: str) -> Iterator[tuple[bool, str]]:
    start = 0
    for at in range(1, len(name) + 1):
        if at == len(name) or _is_digit(name[at]) != _is_digit(name[start]):
            yield _is_digit(name[start]), name[start:at]
            start = at


def _is_digit(character: str) -> bool:
    return "0" <= character <= "9"


def assembled(group: Group) -> Iterator[Assembled]:
    """The group's result if it has one, its runs, and what is wrong with it."""
    names = group.names()
    logs = [group.logs[name] for name in names]
    claimed = group.claimed()
    yield from _claims(group, claimed)
    yield from _copies(group, names, logs)
    yield from _paces(group, names, logs)
    yield from _dates(group, names, logs)
    yield from _factors(group)
    yield from _switches(group)
    written = group.written()
    if written is None:
        found = "no folder names the benchmark" + (", and the logs name several." if claimed else " and no log does.")
        yield Problem(group.where, "no-benchmark", found, "The logs were left out.")
        return
    benchmark = facts().benchmark("training", written, None)
    scored = grade(group, benchmark, written, logs)
    if isinstance(scored, str):
        yield Problem(group.where, "no-score", f"{written}: {scored}.", _NO_SCORE)
    elif benchmark is not None:
        yield from _result(group, benchmark, written, names, logs, scored)
    counted = None if isinstance(scored, str) else frozenset(scored.counted)
    for at, (name, log) in enumerate(zip(names, logs, strict=True)):
        is_counted = None if counted is None else at in counted
        yield _run(group, benchmark.id if benchmark else written, benchmark, name, log, is_counted)


def _claims(group: Group, claimed: Counter[str]) -> Iterator[Problem]:
    """A Problem where logs say that they run another benchmark than their folder does."""
    folder = facts().benchmark("training", group.benchmark or "", None)
    others = [name for name in claimed if folder and facts().benchmark("training", name, None) != folder]
    if others and folder:
        found = f"{sum(claimed[name] for name in others)} logs of {folder.id} say they run {', '.join(sorted(others))}."
        yield Problem(group.where, "benchmark-differs", found[:300], "The folder's name was taken.")


def _copies(group: Group, names: Sequence[str], logs: Sequence[RunLog]) -> Iterator[Problem]:
    """A Problem where runs of one group begin or end in the same millisecond: each may be a copy of another."""
    for what, times in (("begin", [log.started_ms for log in logs]), ("end", [log.stopped_ms for log in logs])):
        counts = Counter(time for time in times if time is not None)
        alike = [
            f"{name}.txt" for name, time in zip(names, times, strict=True) if time is not None and counts[time] > 1
        ]
        if alike:
            found = f"{', '.join(alike)} {what} in the same millisecond as another of them."
            fix = "All were counted, as the official tool does; one may be a copy of another."
            yield Problem(group.where, "same-times", found, fix)


def _paces(group: Group, names: Sequence[str], logs: Sequence[RunLog]) -> Iterator[Problem]:
    """A Problem for each run that took much longer or shorter for what it trained than the others of its group.

    The minutes and the epochs (or samples) come from different lines, so that a damaged time shows here.
    """
    written = group.written()
    benchmark = facts().benchmark("training", written, None) if written else None
    converged = [
        (name, log.minutes, *_converged(benchmark, log))
        for name, log in zip(names, logs, strict=True)
        if log.status == "success" and log.minutes
    ]
    for what, times in (
        ("sample", {name: minutes / samples for name, minutes, _, samples in converged if samples}),
        ("epoch", {name: minutes / epochs for name, minutes, epochs, _ in converged if epochs}),
    ):
        if len(times) == len(converged) >= FEW_PACES:
            yield from _odd_paces(group, times, what)
            return


def _odd_paces(group: Group, paces: dict[str, float], what: str) -> Iterator[Problem]:
    first, middle, third = statistics.quantiles(paces.values(), method="inclusive")
    for name, pace in paces.items():
        spread = ODD_SPREAD * (third - first) if len(paces) >= MIN_PACES else ODD_PACE_OF_FEW * middle
        if abs(pace - middle) > max(ODD_PACE * middle, spread):
            found = f"took {pace / middle:,.2f} times as long per {what} as the median of the group."
            yield Problem(group.logs[name].where, "odd-pace", found, "Its time was taken as it stands; check the run.")


def _dates(group: Group, names: Sequence[str], logs: Sequence[RunLog]) -> Iterator[Problem]:
    """A Problem for each run that began long before or after the others of its group."""
    starts = {name: log.started_ms for name, log in zip(names, logs, strict=True) if log.started_ms is not None}
    if len(starts) < FEW_PACES:
        return
    middle = statistics.median(starts.values())
    for name, start in starts.items():
        days = (start - middle) / 86_400_000
        if abs(days) > ODD_DAYS:
            found = f"began {abs(days):,.0f} days {'after' if days > 0 else 'before'} the median of the group's runs."
            yield Problem(group.logs[name].where, "odd-date", found, "It was counted; check that it is of this group.")


def _factors(group: Group) -> Iterator[Problem]:
    for factor in sorted({factor for factor in group.scaling if factor is not None}):
        if not SCALING[0] <= factor <= SCALING[1]:
            found = f"scaling.json states a factor of {factor:g}; published ones are {SCALING[0]:g} to {SCALING[1]:g}."
            yield Problem(group.where, "odd-scaling", found, "The score was multiplied by it; check it.")


def _switches(group: Group) -> Iterator[Problem]:
    """A Problem where the switches of one run were estimated otherwise than those of another, or are not there."""
    if not group.has_power:
        return
    told = {name: sorted(group.switch_watts.get(name, [])) for name in group.names() if name in group.node_watts}
    if len({tuple(watts) for watts in told.values()}) > 1:
        texts = sorted({f"{len(watts)} with {math.fsum(watts):g} W" for watts in told.values()})
        found = f"the switches differ from run to run: {', '.join(texts)}."
        fix = "Each run's own were counted, those without an estimate as 0 W, as the official tool does."
        yield Problem(group.where, "power-switches", found, fix)


def grade(group: Group, benchmark: Benchmark | None, written: str, logs: Sequence[RunLog]) -> Scored | str:
    """The group's score before scaling, or why it has none."""
    if not logs:
        return "no run present"
    if benchmark is None:
        return f"{written!r} is no benchmark that the catalog knows"
    if None in group.scaling or len(set(group.scaling)) > 1:
        return "scaling.json cannot be read, so that its factor is not known"
    return score([log.minutes if log.status == "success" else None for log in logs], benchmark)


def _result(
    group: Group, benchmark: Benchmark, written: str, names: list[str], logs: Sequence[RunLog], scored: Scored
) -> Iterator[Assembled]:
    scaling = next((factor for factor in group.scaling if factor is not None), 1.0)
    found = _energy(group, names, logs, scored, scaling) if group.has_power else None
    if isinstance(found, str):
        yield Problem(group.where, "no-energy", f"{written}: {found}.", "The energy was left out.")
    energy = None if isinstance(found, str) else found
    rule = facts().score("training", group.round or benchmark.first, benchmark.id, None)
    rule = rule or facts().score("training", benchmark.first, benchmark.id, None)
    yield Measurement(
        where=logs[min(scored.counted)].where,
        kind="training",
        round=group.round,
        submitter=_submitter(group),
        system_id=group.system,
        benchmark=written,
        value=scored.minutes * scaling,
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
    sheet = dict(group.sheet.facts) if group.sheet else {}
    stated = sheet.get("number_of_nodes", "").removesuffix(".0")
    files = {len(group.node_watts.get(names[at], [])) for at in scored.counted}
    nodes = int(stated) if stated.isdecimal() and len(stated) < 8 else max(files)
    if files != {nodes} or not nodes:
        return f"power of {min(files)} of {nodes} nodes present"
    watts = [math.fsum([*group.node_watts.get(name, [math.nan]), *group.switch_watts.get(name, [])]) for name in names]
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
    epochs, samples = _converged(benchmark, log)
    minutes = log.minutes if log.status != "unreadable" else None
    return Run(
        where=log.where,
        round=group.round,
        division=group.told("division", "division"),
        submitter=_submitter(group) or "",
        system_id=group.system or "",
        benchmark=benchmark_id,
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


def _converged(benchmark: Benchmark | None, log: RunLog) -> tuple[float | None, float | None]:
    """Epochs and samples to converge, as far as the log and the catalog say.

    BERT logs samples under `epoch_num`, or 1 there (v0.7, v1.0) and the samples under `train_samples`: what is less
    than one batch counts something else.
    Source: mlcommons/logging rcp_checker: read_submission_file.
    """
    if benchmark is None or benchmark.convergence is None or log.status != "success":
        return None, None
    if benchmark.convergence == "epochs":
        return log.epoch_num, log.samples_count
    least = log.global_batch_size or 1
    counts = (log.samples_count, log.epoch_num, log.train_samples)
    return None, next((count for count in counts if count is not None and count >= least), None)
