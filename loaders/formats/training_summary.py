"""The table of MLCommons' training summarizer: one row per system, one column per benchmark.

`mlperf_logging.result_summarizer <folder> training|hpc <ruleset>` writes `-csv`, beside it `_detailed.csv` with six
columns per benchmark (`bert:time_to_train`, `bert:Energy` in joules, …), and with `-xlsx` a workbook whose headings are
display names and whose rows stand under titles. HPC's table of weak scaling has three columns per benchmark
(`deepcam:number_of_models`, …) and is appended to that of strong scaling: one file may hold several tables, each under
its header.

What decides: a column is a figure only when its heading is a benchmark of the catalog, alone or before a metric of the
summarizer. What is neither that nor a column of the system is reported. The round is that of the repository in
`details_url` and `code_url`; where there is none, nothing tells it and its owner is asked.
Source: mlcommons/logging, mlperf_logging/result_summarizer: result_summarizer.py (_get_column_schema,
_compute_strong_scaling_scores, _summaries_to_xlsx), config.yaml.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from loaders.cells import Numbers, conventions
from loaders.fields import Fields
from loaders.formats import training_columns
from loaders.protocol import Parsed
from loaders.tables import SUMMARIZER, Header, Row, header, heading, of_width, ragged_rows
from loaders.unpack import Source
from mlperf.errors import Problem, Where
from mlperf.facts import facts
from mlperf.model import Kind

NAME: Final = "training-summary"
TITLE: Final = "the training summarizer's table (`-csv`, its `_detailed.csv`, or `-xlsx`)"
RANK: Final = 25

SYSTEM: Final = frozenset({
    "id", "division", "availability", "submitter", "system", "number_of_nodes", "host_processor_model_name",
    "host_processors_count", "accelerator_model_name", "accelerators_count", "framework", "notes", "private_id",
    "details_url", "code_url",
})  # fmt: skip
"""Columns that say what the row is of. `id` numbers the rows of a workbook and is no public ID."""
SHEETS: Final = frozenset({"closed", "open"})
"""The sheets of the summarizer's workbook, which hold one table by division."""
TIME, ENERGY, RCP = "time_to_train", "energy", "rcp"
STRONG: Final = frozenset({TIME, ENERGY, "gbs", "samples_to_converge", RCP, "rcp_scaling_factor"})
"""Metrics of a benchmark in the detailed table. The time is already multiplied by the scaling factor."""
MODELS, INSTANCE, TIME_OF_ALL = "number_of_models", "instance_scale", "time_to_train_all"
WEAK: Final = frozenset({MODELS, INSTANCE, TIME_OF_ALL})
"""Metrics of a benchmark in the table of weak scaling: models, accelerators of each, minutes from first start to last
stop. The figure is models per minute. Source: mlcommons/training_policies hpc_training_rules.adoc, Throughput."""
STRONG_SCALING, WEAK_SCALING = "strong", "weak"
MINUTES: Final = "minutes"
MODELS_PER_MINUTE: Final = "models/min"
KILOJOULES: Final = "kJ"
JOULES_PER_KILOJOULE: Final = 1000.0
VERDICTS: Final = frozenset({"Pass", "Fail", "Interp. Fail", "Missing", "No RCP", "Unknown state"})
"""What the summarizer says of a benchmark's convergence, held against the reference convergence points."""
USAGES: Final[Mapping[str, Kind]] = {"training": "training", "hpc": "hpc"}
"""What the name of a results repository begins with, and the kind of its results."""


@dataclass(frozen=True)
class _Table:
    """One header, and what its columns are."""

    names: tuple[str, ...]
    figures: Mapping[str, Mapping[str, tuple[int, ...]]]
    """By the benchmark's heading and the metric, the columns; several where a heading is doubled."""
    system: Mapping[str, tuple[int, ...]]
    problems: tuple[Problem, ...]


def recognises(source: Source) -> bool:
    """A header with the columns of a system that every such table has."""
    table = header(source)
    return table is not None and set(table.names) >= SUMMARIZER


def parse(source: Source) -> Iterator[Parsed]:
    """One measurement for each filled benchmark of a row."""
    first = header(source)
    if first is None:
        return
    numbers = _numbers(source, first)
    table = _table(Where(source.name, first.line), first.names)
    yield from table.problems
    is_empty = True
    for row in ragged_rows(source, first):
        if isinstance(row, Problem):
            yield row
            continue
        names = tuple(heading(cell) for cell in row.cells)
        if set(names) >= SUMMARIZER:
            table = _table(row.where, names)
            yield from table.problems
        elif not _is_title(row.cells):
            whole = of_width(row, len(table.names))
            for parsed in _results(table, whole, numbers) if isinstance(whole, Row) else [whole]:
                is_empty = False
                yield parsed
    if is_empty:
        fix = "The summarizer leaves out runs that its compliance checker refuses; its output says which, and why."
        yield Problem(Where(source.name), "no-figure", "no system of the table has a result.", fix)


def _is_title(cells: Sequence[str]) -> bool:
    """Whether a line of a workbook says only the availability of the systems below, each of which says it again."""
    filled = [cell.strip() for cell in cells if cell.strip()]
    return len(filled) == 1 and facts().availability(filled[0]) is not None


def _numbers(source: Source, first: Header) -> Numbers:
    """How the whole file writes its figures. It is read once more for that, so that no rows are held."""

    def figures() -> Iterator[str]:
        columns = _figure_columns(_table(Where(source.name), first.names))
        for row in ragged_rows(source, first):
            if isinstance(row, Row):
                names = tuple(heading(cell) for cell in row.cells)
                if set(names) >= SUMMARIZER:
                    columns = _figure_columns(_table(row.where, names))
                else:
                    yield from (row.cells[column] for column in columns if column < len(row.cells))

    return conventions(figures(), first.delimiter)


def _figure_columns(table: _Table) -> list[int]:
    metrics = (columns for by_metric in table.figures.values() for columns in by_metric.items())
    return [column for metric, columns in metrics if metric != RCP for column in columns]


def _table(where: Where, names: tuple[str, ...]) -> _Table:
    figures: dict[str, dict[str, tuple[int, ...]]] = defaultdict(dict)
    system: dict[str, tuple[int, ...]] = {}
    unknown: list[str] = []
    for column, name in enumerate(names):
        benchmark, colon, metric = name.partition(":")
        metric = metric if colon else TIME
        if name in SYSTEM:
            system[name] = (*system.get(name, ()), column)
        elif metric in STRONG | WEAK and _is_benchmark(benchmark):
            figures[benchmark][metric] = (*figures[benchmark].get(metric, ()), column)
        elif name:
            unknown.append(name)
    what = "heads a column, and is neither a column of the summarizer nor a benchmark that is known."
    problems = tuple(
        Problem(where, "unknown-column", f'"{name[:80]}" {what}', "What stands in it was left out.")
        for name in dict.fromkeys(unknown)
    )
    return _Table(names, figures, system, problems)


def _is_benchmark(name: str) -> bool:
    return any(facts().benchmark(kind, name, None) is not None for kind in USAGES.values())


def _kind(benchmark: str) -> Kind:
    """The kind of results that has a benchmark, where no link names the repository."""
    return next(kind for kind in USAGES.values() if facts().benchmark(kind, benchmark, None) is not None)


def _results(table: _Table, row: Row, numbers: Numbers) -> Iterator[Parsed]:
    cells: dict[str, object] = {}
    for name, columns in table.system.items():
        texts = list(dict.fromkeys(cell for column in columns if (cell := row.cells[column].strip())))
        if len(texts) > 1:
            yield _doubled(row.where, name, texts, "The line was left out.")
            return
        cells[name] = texts[0] if texts else ""
    fields = Fields(row.where, cells, numbers)
    repositories = {}
    for name in ("details_url", "code_url"):
        if repository := training_columns.results_repository(fields.text(name) or ""):
            repositories[repository] = name
    if len(repositories) > 1:
        what = " and ".join(f"{name} names {usage} {round_}" for (usage, round_), name in repositories.items())
        yield Problem(row.where, "columns-differ", f"{what}.", "Neither was taken.")
    usage, round_ = next(iter(repositories), ("", None)) if len(repositories) == 1 else ("", None)
    for benchmark, metrics in table.figures.items():
        kind = USAGES[usage] if usage else _kind(benchmark)
        if facts().benchmark(kind, benchmark, None) is None:
            if any(row.cells[column].strip() for columns in metrics.values() for column in columns):
                what = f"its links are to {usage} {round_}, which has no benchmark {benchmark}."
                yield Problem(row.where, "columns-differ", what, "The figure was left out.")
            continue
        cells = {}
        for metric, columns in metrics.items():
            name = f"{benchmark}:{metric}" if f"{benchmark}:{metric}" in table.names else benchmark
            texts = list(dict.fromkeys(cell for column in columns if (cell := row.cells[column].strip())))
            if len(texts) > 1:
                yield _doubled(row.where, name, texts, "The figures of the benchmark were left out.")
                break
            cells[metric] = texts[0] if texts else ""
        else:
            figures = Fields(row.where, {f"{benchmark}:{metric}": cell for metric, cell in cells.items()}, numbers)
            known = {"round": round_}
            if not metrics.keys().isdisjoint(STRONG):
                yield from _time(fields, figures, kind, benchmark, known)
            if not metrics.keys().isdisjoint(WEAK):
                yield from _rate(fields, figures, kind, benchmark, known)
            yield from figures.problems
    yield from dict.fromkeys(fields.problems)


def _doubled(where: Where, name: str, texts: Sequence[str], fix: str) -> Problem:
    said = " and ".join(f'"{text[:40]}"' for text in texts[:3])
    return Problem(where, "columns-differ", f'column "{name}" stands there twice and says {said}.', fix)


def _time(fields: Fields, figures: Fields, kind: Kind, benchmark: str, known: Mapping[str, object]) -> Iterator[Parsed]:
    """The time to train of one benchmark in a row, with its energy; under strong scaling where the kind has another."""
    minutes, joules = figures.number(f"{benchmark}:{TIME}"), figures.number(f"{benchmark}:{ENERGY}")
    verdict = figures.text(f"{benchmark}:{RCP}")
    if minutes is None:
        if joules is not None:
            what = f"{benchmark} has an energy of {joules:g} J, but no time to train."
            yield Problem(fields.where, "no-figure", what, "It was left out.")
        return
    if verdict is not None and verdict != "Pass":
        says = "says" if verdict in VERDICTS else "should say Pass or Fail, and says"
        what = f'{benchmark}: the check against reference convergence points (RCP) {says} "{verdict[:40]}".'
        yield Problem(fields.where, "rcp", what, "The figure was kept; a review would ask about it.")
    energy = {} if joules is None else {"power_value": joules / JOULES_PER_KILOJOULE, "power_unit": KILOJOULES}
    scaling = {"scenario": STRONG_SCALING} if facts().has_scenarios(kind) else {}
    yield training_columns.measurement(
        fields, kind, benchmark, value=minutes, unit=MINUTES, has_power=bool(energy), **energy, **scaling, **known
    )


def _rate(fields: Fields, figures: Fields, kind: Kind, benchmark: str, known: Mapping[str, object]) -> Iterator[Parsed]:
    """The models per minute of one benchmark in a row."""
    models, minutes = figures.number(f"{benchmark}:{MODELS}"), figures.number(f"{benchmark}:{TIME_OF_ALL}")
    if models is None and minutes is None:
        return
    if models is None or minutes is None or models <= 0 or minutes <= 0:
        what = f"{benchmark} has {models or 'no number of'} models in {minutes or 'no number of'} minutes."
        yield Problem(fields.where, "no-figure", what, "It was left out.")
        return
    yield training_columns.measurement(
        fields, kind, benchmark, value=models / minutes, unit=MODELS_PER_MINUTE, scenario=WEAK_SCALING, **known
    )
