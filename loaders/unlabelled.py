"""What logs do not say of a result: which labels are missing, what the logs themselves suggest, and what to type.

Logs alone name no submitter, system, round or division. Nothing is stored on a guess: a suggestion is part of the
command that its owner copies, or a field of the form on My results that is filled in.
"""

import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from mlperf.errors import Problem, Where
from mlperf.facts import facts
from mlperf.model import Kind, Measurement, Run

EXAMPLES: Final[Mapping[str, str]] = {
    "round": "",
    "division": "closed",
    "submitter": "'our lab'",
    "system_id": "XE9680_H200x8",
    "benchmark": "",
    "scenario": "",
    "suites": "datacenter",
    "accelerator": "'NVIDIA H200-SXM-141GB'",
    "accelerators_per_node": "8",
    "nodes": "1",
}
"""Labels in the order in which they are asked for, each with an example of what to type; "" where the kind decides."""

NO_IDENTITY: Final = "no-identity"
"""The kind of `Problem` that says of logs that they do not place a result."""

NEEDED: Final = frozenset({"round", "division", "submitter", "system_id", "benchmark", "scenario", "suites"})
"""Without these a result cannot be stored; the others make it comparable."""


@dataclass(frozen=True)
class Unlabelled:
    """A result, or runs, whose logs do not say what they are of."""

    where: Where
    group: str
    """The folder or lone log."""
    kind: Kind
    missing: tuple[str, ...]
    """Fields of `Label`, in the order of `EXAMPLES`."""
    suggested: tuple[tuple[str, str, str], ...] = ()
    """(field, value, the sign in the log) of what the logs suggest of the missing."""

    @property
    def problem(self) -> Problem:
        """The same as a fault of the source, for its table of problems."""
        needed = [option(name) for name in self.missing if name in NEEDED]
        return Problem(self.where, NO_IDENTITY, f"the logs do not say {', '.join(needed)}.", "They were left out.")


def missing_of(measurement: Measurement) -> tuple[str, ...]:
    """The labels without which a measurement cannot be placed and compared, its submitter left aside."""
    is_inference = measurement.kind == "inference"
    played = facts().round(measurement.kind, measurement.round or "")
    has_one_suite = played is not None and facts().only_suite(played.kind, played.id) is not None
    lacking = {
        "round": played is None,
        "division": not measurement.division,
        "system_id": not (measurement.system_id or measurement.system_name),
        "benchmark": not measurement.benchmark,
        "scenario": facts().has_scenarios(measurement.kind)
        and facts().scenario(measurement.scenario or "", measurement.kind) is None,
        "suites": is_inference and not measurement.suites and not has_one_suite,
        "accelerator": not (measurement.accelerator or measurement.processor),
        "nodes": not is_inference and not measurement.nodes,
        "accelerators_per_node": bool(
            facts().has_accelerators(measurement.accelerator) and not measurement.accelerators_per_node
        ),
    }
    return tuple(name for name, is_lacking in lacking.items() if is_lacking)


def missing_of_run(run: Run) -> tuple[str, ...]:
    """The labels without which a run of training or HPC cannot be placed."""
    lacking = {
        "round": facts().round(run.kind, run.round or "") is None,
        "system_id": not run.system_id,
        "benchmark": not run.benchmark,
        "scenario": facts().has_scenarios(run.kind) and not run.scenario,
    }
    return tuple(name for name, is_lacking in lacking.items() if is_lacking)


def of_measurement(measurement: Measurement) -> Unlabelled | None:
    """What a result lacks to be stored; None where nothing."""
    missing = {*missing_of(measurement), *(() if measurement.submitter else ("submitter",))}
    if not missing & NEEDED:
        return None
    if "accelerator" in missing:  # who names it is not asked again for their number
        missing.add("accelerators_per_node")
    suggested = tuple(_suggested(measurement, missing))
    return Unlabelled(measurement.where, measurement.group, measurement.kind, _ordered(missing), suggested)


def of_run(run: Run) -> Unlabelled | None:
    """What a run that no result counts lacks to be stored; None where nothing."""
    missing = {*missing_of_run(run), *(() if run.submitter else ("submitter",))}
    if "scenario" in missing:  # with it the runs have a score, which takes more
        missing |= {"accelerator", "accelerators_per_node", "nodes", *(() if run.division else ("division",))}
    return Unlabelled(run.where, run.group, run.kind, _ordered(missing)) if missing else None


def of_unnamed_runs(where: Where) -> Unlabelled:
    """What runs lack whose benchmark nothing names: all of it."""
    return Unlabelled(where, where.file, "training", _ordered(set(EXAMPLES) - {"scenario", "suites"}))


def _ordered(names: Iterable[str]) -> tuple[str, ...]:
    listed = set(names)
    return tuple(name for name in EXAMPLES if name in listed)


def _suggested(measurement: Measurement, missing: set[str]) -> Iterable[tuple[str, str, str]]:
    """The round of LoadGen's version, and the suite where the scenario belongs to one alone."""
    if "round" in missing and measurement.loadgen_version:
        release = ".".join(measurement.loadgen_version.split(".")[:2])
        if (round_ := facts().round(measurement.kind, release)) is not None:
            yield "round", round_.id, f"LoadGen {measurement.loadgen_version}"
    suites = [
        one
        for one in facts().suite_facts
        if one.kind == measurement.kind and measurement.scenario in one.scenarios and not one.rounds
    ]
    if "suites" in missing and len(suites) == 1:
        yield "suites", suites[0].id.removeprefix("inference-"), f"scenario {measurement.scenario}"


def advice(unlabelled: Sequence[Unlabelled], command: Sequence[str]) -> list[str]:
    """What to type, as lines: what is missing, what was suggested by the logs, and the whole command to copy."""
    missing = _ordered(name for item in unlabelled for name in item.missing)
    suggested: dict[str, tuple[str, str]] = {}
    for item in unlabelled:
        for name, value, sign in item.suggested:
            if suggested.setdefault(name, (value, sign))[0] != value:
                suggested[name] = ("", "")  # the groups differ
    suggested = {name: pair for name, pair in suggested.items() if pair[0]}
    first = unlabelled[0].where.file
    count = f"{first} is" if len(unlabelled) == 1 else f"{len(unlabelled):,} groups of logs are ({first}, …)"
    lines = [f"Not stored: the logs do not say what {count} of."]
    for name in missing:
        state = "needed" if name in NEEDED else "makes it comparable"
        example = _example(name, unlabelled[0].kind)
        value = f"{suggested[name][0]} ({suggested[name][1]})" if name in suggested else f"for example {example}"
        lines.append(f"  {option(name):24} {state}; {'suggested by the log: ' if name in suggested else ''}{value}")
    said = [f"{option(name)} {suggested[name][0] if name in suggested else name.upper()}" for name in missing]
    lines.append("Type, with your own words in the place of the capital letters:")
    lines.append(f"  {shlex.join(command)} {' '.join(said)}")
    return lines


def _example(name: str, kind: Kind) -> str:
    """What may be typed for a label, of the kind of the logs where that makes a difference."""
    if name == "round":
        return next(round_.id for round_ in reversed(facts().rounds) if round_.kind == kind and round_.published)
    if name == "scenario":
        return shlex.quote(next(scenario for suite in facts().suites_of(kind) for scenario in suite.scenarios))
    if name == "benchmark":
        return next(one.id for one in reversed(facts().benchmarks) if one.kind == kind)
    return EXAMPLES[name]


def option(name: str) -> str:
    """The command line's option for a label."""
    return "--" + name.replace("_", "-")
