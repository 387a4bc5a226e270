"""From the files of an MLPerf Inference results tree to results: which logs make one, whose it is, what it lacks."""

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from loaders.fields import SYSTEM_FIELDS
from loaders.trees import accuracy, endpoints, inference_checks, inference_power, loadgen
from loaders.trees.inference_paths import Place, round_of
from loaders.trees.inference_score import Run, Scored, score
from loaders.trees.measurements import Measurements
from loaders.trees.power_readings import Readings
from loaders.trees.protocol import Assembled, Context, Label
from mlperf.errors import Problem, Where
from mlperf.facts import facts
from mlperf.log_rules import log_rules
from mlperf.model import Measurement, SystemSheet, Verdict


@dataclass(frozen=True)
class Sheet:
    """A `systems/*.json` and whose it is."""

    place: Place
    sheet: SystemSheet


@dataclass(frozen=True)
class Mapping:
    """A `model_mapping.json`: models of the open division and the benchmarks that they stand for."""

    place: Place
    where: Where
    benchmarks: tuple[tuple[str, str], ...]


Logged = loadgen.Log | Readings | inference_power.PowerFile | accuracy.Accuracy
Piece = Logged | endpoints.Endpoint | endpoints.EndpointConfig | Measurements | Sheet | Mapping


@dataclass
class _Result:
    """All files of one result."""

    place: Place
    runs: dict[str, dict[str, loadgen.Log]] = field(default_factory=lambda: defaultdict(dict))
    readings: dict[str, Readings] = field(default_factory=dict)
    power_files: list[inference_power.PowerFile] = field(default_factory=list)
    quality: accuracy.Accuracy | None = None
    endpoint: endpoints.Endpoint | None = None
    config: endpoints.EndpointConfig | None = None
    measurements: Measurements | None = None

    def add(self, piece: Logged | endpoints.Endpoint | endpoints.EndpointConfig | Measurements) -> None:
        """Keep a file of this result."""
        if isinstance(piece, loadgen.Log):
            self.runs[piece.place.run][piece.form] = piece
        elif isinstance(piece, Readings):
            self.readings[piece.place.run] = piece
        elif isinstance(piece, inference_power.PowerFile):
            self.power_files.append(piece)
        elif isinstance(piece, accuracy.Accuracy):
            self.quality = piece
        elif isinstance(piece, endpoints.EndpointConfig):
            self.config = piece
        elif isinstance(piece, Measurements):
            self.measurements = piece
        elif self.endpoint is None or piece.where.file.endswith("result_summary.json"):
            self.endpoint = piece

    def label(self, label: Label) -> Place:
        """The place with what its owner says of it before what folders say."""
        return replace(
            self.place,
            round=label.round or self.place.round,
            division=label.division or self.place.division,
            submitter=label.submitter or self.place.submitter,
            system_id=label.system_id or self.place.system_id,
            model=label.benchmark or self.place.model,
            scenario=label.scenario or self.place.scenario,
        )


_RUN_FOLDER: Final = re.compile(r"/performance(/run_\d+)?$", re.IGNORECASE)


def group_of(result: _Result) -> str:
    """The scenario's folder of a result as its owner has it; a log that lies in no folder is a group of its own."""
    files = [log.file for forms in result.runs.values() for log in forms.values()]
    files += [result.endpoint.where.file] if result.endpoint else []
    files += [] if files else [reading.where.file for reading in result.readings.values()]
    files += [] if files or result.quality is None else [result.quality.where.file]
    first = min(files, default=result.place.root)
    return _RUN_FOLDER.sub("", first.rpartition("/")[0]) or first


@dataclass(frozen=True)
class _Tree:
    """What all results of one tree share."""

    context: Context
    sheets: dict[tuple[str, tuple[str | None, str | None], str], SystemSheet]
    mappings: dict[tuple[str, tuple[str | None, str | None]], dict[str, str]]

    def sheet(self, where: Place) -> SystemSheet | None:
        """The system's own JSON: of its folder's very name, else of that name in other letters."""
        if where.system_id is None:
            return None
        exact = self.sheets.get((where.root, where.owner, where.system_id))
        return exact or self.sheets.get((where.root, where.owner, where.system_id.casefold()))

    def round(self, where: Place) -> str | None:
        """The round by the tree's path, else by the archive's name."""
        return where.round or round_of([self.context.name])

    def benchmark(self, where: Place, round_id: str | None) -> str | None:
        """The official benchmark of a model's folder. Source: checker, get_mlperf_model."""
        if where.model is None:
            return None
        mapped = self.mappings.get((where.root, where.owner), {}).get(where.model)
        for name in (where.model, mapped, log_rules().guess(round_id, where.model)):
            known = facts().benchmark("inference", name, round_id) if name else None
            if known is not None:
                return known.id
        return None


def assemble(pieces: Sequence[Piece], context: Context) -> Iterator[Assembled]:
    """System sheets, and a measurement for every result; a Problem for every result that has no score."""
    tree = _Tree(context, {}, {})
    results: dict[tuple[str, ...], _Result] = {}
    for piece in pieces:
        if isinstance(piece, Sheet):
            where, sheet = piece.place, piece.sheet
            system_id = log_rules().system_id(tree.round(where), where.submitter, sheet.system_id)
            sheet = replace(sheet, system_id=system_id)
            yield sheet
            tree.sheets[where.root, where.owner, system_id] = sheet
            tree.sheets.setdefault((where.root, where.owner, system_id.casefold()), sheet)
        elif isinstance(piece, Mapping):
            tree.mappings[piece.place.root, piece.place.owner] = dict(piece.benchmarks)
        else:
            results.setdefault(piece.place.result, _Result(piece.place)).add(piece)
    for _, result in sorted(results.items()):
        yield from _assembled(result, tree)
        if context.wants_verdicts:
            yield from _verdict(result, tree)


def _verdict(result: _Result, tree: _Tree) -> Iterator[Verdict]:
    """The checks of one result, of one without a score, too; nothing for files that belong to no result."""
    if not (result.runs or result.endpoint or result.quality or result.readings):
        return
    group = group_of(result)
    where = result.label(tree.context.label(group))
    round_id, scenario = tree.round(where), facts().scenario(where.scenario or "")
    benchmark, sheet = tree.benchmark(where, round_id), tree.sheet(result.place)
    run, name = _counting(result, round_id, scenario)
    scored = score(run, round_id, benchmark, scenario) if run is not None else None
    logged = scored.logged if scored is not None else None
    power = None
    if result.power_files and run is not None and scored is not None:
        power = _power(result, name, run, scored, round_id, scenario or logged)
    division = where.division or (dict(sheet.facts).get("division") if sheet is not None else None)
    stated = facts().scenario(result.config.scenario) if result.config is not None else None
    subject = inference_checks.Subject(group, round_id, division, benchmark, scenario or stated, logged, run,
                                       result.endpoint, result.quality, power)  # fmt: skip
    yield Verdict(group, inference_checks.checks(subject))


def _assembled(result: _Result, tree: _Tree) -> Iterator[Assembled]:
    """One result."""
    label = tree.context.label(group_of(result))
    where = result.label(label)
    round_id, scenario = tree.round(where), facts().scenario(where.scenario or "")
    if where.scenario is not None and scenario is None:
        yield from _unknown_scenario(result, where.scenario)
        return
    benchmark = tree.benchmark(where, round_id)
    run, name = _counting(result, round_id, scenario)
    if where.model is not None and benchmark is None:
        yield from _unknown_model(result, where.model, round_id)
        return
    if result.endpoint is not None and run is None:
        scored = endpoints.score_endpoint(result.endpoint, result.config, round_id, benchmark, scenario)
    elif run is not None:
        scored = score(run, round_id, benchmark, scenario)
        yield from _missing_runs(result, name, round_id, scenario, scored)
    else:
        yield from _without_counted_run(result, round_id, scenario) if result.runs else _without_log(result)
        return
    power = None
    if result.power_files and run is not None:
        power = _power(result, name, run, scored, round_id, scenario or scored.logged)
        scored.problems += power.problems
    yield from scored.problems
    sheet = tree.sheet(result.place)
    yield from _lacks(result, round_id, scored, sheet, label)
    if scored.value is not None or where.model is None:
        mark = None if run is None else run.mark
        found = _measurement(result, where, round_id, scored, power, sheet, benchmark, mark)
        found = found._replace(loadgen_version=_loadgen_version(run))
        yield found._replace(**{name: said for name in _LABELLED if (said := getattr(label, name))})


def _counting(result: _Result, round_id: str | None, scenario: str | None) -> tuple[Run | None, str]:
    """The run whose score counts, and its folder."""
    folders = ("",) if result.place.part == "alone" else log_rules().runs(round_id, scenario or "").folders
    for name in reversed(folders):
        if name in result.runs:
            logs = result.runs[name]
            return Run(logs.get("detail"), logs.get("summary")), name
    return None, ""


def _missing_runs(
    result: _Result, name: str, round_id: str | None, scenario: str | None, scored: Scored
) -> Iterator[Problem]:
    asked = log_rules().runs(round_id, scenario or "")
    folders = [folder for folder in asked.folders if folder in result.runs]
    last = asked.folders[-1]
    if name and name != last and len(folders) < asked.needed and scored.value is not None:
        found = f"this is {name} of {asked.needed}; the published figure is that of {last}, which is not here."
        yield Problem(scored.where, "missing-runs", found, f"{name} was taken; it may differ a little.")


def _first_log(result: _Result) -> Where | None:
    """The place of a log that would give a score."""
    logs = [log.where() for forms in result.runs.values() for log in forms.values()]
    return min(logs) if logs else result.endpoint.where if result.endpoint else None


def _unknown_model(result: _Result, model: str, round_id: str | None) -> Iterator[Problem]:
    where = _first_log(result)
    if where is not None:
        played = f" of {round_id}" if round_id else ""
        found = f"nothing says which benchmark{played} the model {model!r} stands for."
        fix = "The result was left out: name the benchmark, or add the submitter's model_mapping.json."
        yield Problem(where, "unknown-model", found, fix)


def _unknown_scenario(result: _Result, scenario: str) -> Iterator[Problem]:
    where = _first_log(result)
    if where is not None:
        found = f"scenario {scenario!r} is not known."
        yield Problem(where, "unknown-scenario", found, "The result was left out.")


def _without_counted_run(result: _Result, round_id: str | None, scenario: str | None) -> Iterator[Problem]:
    """A result whose logs lie in no folder that the checker of its round looks into."""
    where = _first_log(result)
    if where is not None:
        folders = log_rules().runs(round_id, scenario or "").folders
        names = " or ".join(f"performance/{folder}".rstrip("/") for folder in folders)
        found = f"the checker of {round_id or 'the round'} takes the log in {names}, and none is there."
        yield Problem(where, "misplaced-log", found, "It was left out, as the checker does.")


def _without_log(result: _Result) -> Iterator[Problem]:
    """A result of which only power or accuracy is there; nothing for a stray file."""
    if result.quality is None and not result.readings and not result.power_files:
        return
    files = [reading.where for reading in result.readings.values()] + [file.where for file in result.power_files]
    files += [result.quality.where] if result.quality else []
    found = "has no performance log: no mlperf_log_detail.txt and no mlperf_log_summary.txt in performance/run_1."
    yield Problem(min(files), "missing-log", found, "The result was left out.")


def _power(
    result: _Result, name: str, run: Run, scored: Scored, round_id: str | None, scenario: str | None
) -> inference_power.Power:
    readings = result.readings.get(name)
    if readings is None or run.detail is None or scenario is None or scored.logged is None:
        lacking = "spl.txt" if readings is None else "mlperf_log_detail.txt"
        found = f"power was measured, but {lacking} is not in the run's folder."
        problem = Problem(run.first.where(), "missing-power", found, "The power was left out.")
        return inference_power.Power(None, "", (problem,))
    return inference_power.measured(round_id, scenario, scored.logged, run.detail, readings, result.power_files)


_LABELLED: Final = (
    "system_name", "availability", "suites", "accelerator", "accelerators_per_node", "nodes", "processor", "framework",
)  # fmt: skip
"""What the owner's word replaces in a measurement; identity is told by the place."""


def _lacks(
    result: _Result, round_id: str | None, scored: Scored, sheet: SystemSheet | None, label: Label
) -> Iterator[Problem]:
    if scored.value is None:
        return
    if result.readings and not result.power_files:
        found = "spl.txt is there, but no performance/power/: the result is none with power."
        yield Problem(min(reading.where for reading in result.readings.values()), "missing-power", found,
                      "The power was left out. It is read where the logs lie in performance/run_1/, beside "
                      "performance/power/.")  # fmt: skip
    if result.place.model is None:
        return
    if sheet is None and not label.suites:
        found = f"systems/{result.place.system_id}.json is not there, so nothing tells what the system is made of"
        found += "." if facts().only_suite("inference", round_id or "") else " and its suites."
        yield Problem(scored.where, "missing-system", found, "Load it together with the logs.")
    if result.quality is None and result.endpoint is None:
        yield Problem(scored.where, "missing-accuracy", "has no accuracy/accuracy.txt.", "The result is kept without.")


def _measurement(
    result: _Result,
    where: Place,
    round_id: str | None,
    scored: Scored,
    power: inference_power.Power | None,
    sheet: SystemSheet | None,
    benchmark: str | None,
    mark: str | None,
) -> Measurement:
    told = dict(sheet.facts) if sheet is not None else {}
    has_value = power is not None and power.value is not None
    return Measurement(
        where=scored.where,
        kind="inference",
        round=round_id,
        suites=told.get("system_type"),
        division=where.division or told.get("division"),
        availability=told.get("status"),
        submitter=where.submitter or told.get("submitter"),
        system_id=where.system_id,
        system_name=told.get("system_name"),
        input_data_types=result.measurements.input_data_types if result.measurements else None,
        weight_data_types=result.measurements.weight_data_types if result.measurements else None,
        model=where.model,
        benchmark=benchmark,
        scenario=facts().scenario(where.scenario or "") or scored.logged,
        value=scored.value,
        unit=scored.unit,
        has_power=bool(result.power_files),
        power_value=power.value if power is not None else None,
        power_unit=power.unit if has_value and power is not None else None,
        accuracy=result.quality.text(benchmark) if result.quality is not None else None,
        inferred=scored.is_inferred,
        valid=scored.is_valid,
        location=_location(result.place),
        is_computed=True,
        same_runs=mark,
        tokens_per_second=scored.second.get("tokens_per_second"),
        samples_per_second=scored.second.get("samples_per_second"),
        mean_latency_ms=scored.second.get("mean_latency_ms"),
        measure_lines=scored.second_lines,
        group=group_of(result),
        **{field: told.get(name) for field, name in SYSTEM_FIELDS.items()},  # type: ignore[arg-type]  # all are texts
    )


def _loadgen_version(run: Run | None) -> str | None:
    """LoadGen's release, as its detail log states it before the commit: `5.1.0 @ b9ed3c7fec`."""
    fact = run.detail.get("loadgen_version") if run is not None and run.detail is not None else None
    return fact.text.partition("@")[0].strip() if fact is not None else None


def _location(where: Place) -> str | None:
    """The result's folder in the round's repository."""
    if where.submitter is None or where.division is None or where.system_id is None:
        return None
    return f"{where.division}/{where.submitter}/results/{where.system_id}/{where.model}/{where.scenario}"
