"""The runs behind a training score: each run's minutes, what the score leaves out, how much they vary."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import isclose
from statistics import fmean
from typing import Final, NamedTuple
from urllib.parse import quote

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from mlperf import citation, compare, figures, guard, plots, queries, unverified
from mlperf.answers.answer import Answer, Chart, Row, table
from mlperf.facts import facts
from mlperf.figures import PALETTE
from mlperf.metrics import TIMES, Measure, measure, number_text
from mlperf.model import Better
from mlperf.plots import Axis, Series
from mlperf.scaling import title
from mlperf.systems import SystemKey, short_names

MOST: Final = 2
"""Systems side by side."""
MOST_NAMED: Final = 6
"""Runs or folders that a note names; it counts the others."""
GAP: Final = 3
"""Places between the runs of two systems."""
COUNTED: Final = "counted"
FASTEST: Final = "left out: fastest"
SLOWEST: Final = "left out: slowest"
UNSCORED: Final = "no score"
RELATIVE: Final = Measure("Over the mean of the runs that count", "%", "lower", is_derived=True)
ORDER: Final = "Runs, in the order they began"
TIME: Final = "time_to_train"
MINUTES: Final = Measure("Time to train", "min", "lower")
SYMBOLS: Final[Mapping[str, tuple[str, str]]] = {
    COUNTED: ("circle", "Counts"),
    FASTEST: ("circle-open", "Left out as fastest or slowest"),
    SLOWEST: ("circle-open", "Left out as fastest or slowest"),
    UNSCORED: ("diamond-open", "Run without a score of its own"),
}
OWN_SYMBOLS: Final[Mapping[str, str]] = {"circle-open": "square"}
FAILED: Final = ("x", "Did not converge; time until it stopped")


@dataclass(frozen=True)
class Choice:
    """One or two systems and the benchmark, in HPC of a scenario."""

    systems: tuple[SystemKey, ...]
    benchmark: str
    scenario: str | None = None
    is_relative: bool = False
    """Whether the chart draws each run over the mean of those that count: two systems' spreads side by side."""
    palette: tuple[str, ...] = PALETTE


class Group(NamedTuple):
    """The runs of one system in the benchmark, in the order they began."""

    key: SystemKey
    result: Row | None
    """The result whose runs they are; None where they have no score."""
    runs: tuple[Row, ...]
    others: int
    """Further results of the same system and benchmark, of other folders."""

    @property
    def counted(self) -> list[float]:
        """The minutes that the score is the mean of."""
        return [run["minutes"] for run in self.runs if run["is_counted"] and run["minutes"] is not None]

    @property
    def score(self) -> float | None:
        """The official result, in the unit of its metric."""
        return self.result["value"] if self.result else None

    @property
    def score_text(self) -> str:
        """The official result with its unit."""
        return measure(self.result).text(self.score) if self.result else ""

    @property
    def minutes(self) -> float | None:
        """The official result where it is a time; a rate of models has no place among the minutes of runs."""
        return self.score if self.result and self.result["metric"] == TIME else None

    @property
    def variation(self) -> float | None:
        """The coefficient of variation of the runs that count."""
        return compare.variation(self.counted)

    @property
    def factor(self) -> float | None:
        """The score over the mean of the runs that count."""
        return self.minutes / fmean(self.counted) if self.minutes and self.counted else None

    def state(self, run: Row) -> str:
        """What became of a run: `counted`, why it is left out, or its status where it did not succeed."""
        if run["status"] != "success":
            return str(run["status"])
        if run["is_counted"] is None or not self.counted or run["minutes"] is None:
            return UNSCORED
        if run["is_counted"]:
            return COUNTED
        return FASTEST if run["minutes"] <= fmean(self.counted) else SLOWEST


def default_system(con: duckdb.DuckDBPyConnection, submitter: str) -> tuple[SystemKey, ...]:
    """The system whose result has most runs in a submitter's newest training round; none where it has none."""
    found = queries.most_runs(con, submitter)
    return (SystemKey("training", found[0], submitter, found[1]),) if found else ()


def benchmarks(con: duckdb.DuckDBPyConnection, systems: tuple[SystemKey, ...]) -> dict[str, str]:
    """Full names of the benchmarks that these systems have runs of: those of all first, most runs before few."""
    systems_of: dict[str, set[str]] = {}
    counts: dict[str, int] = {}
    for run in queries.system_runs(con, systems).to_pylist():
        systems_of.setdefault(run["benchmark"], set()).add(run["key"])
        counts[run["benchmark"]] = counts.get(run["benchmark"], 0) + 1
    ordered = sorted(counts, key=lambda one: (-len(systems_of[one]), -counts[one], one))
    return {one: title(one) for one in ordered}


def scenarios(con: duckdb.DuckDBPyConnection, asked: tuple[tuple[SystemKey, ...], str]) -> list[str]:
    """The scenarios in which these systems have runs of a benchmark, in the catalog's order; none in training."""
    systems, benchmark = asked
    found = {run["scenario"] for run in queries.system_runs(con, systems).to_pylist() if run["benchmark"] == benchmark}
    return [scenario for scenario in facts().scenarios if scenario in found]


def answer(con: duckdb.DuckDBPyConnection, choice: Choice) -> Answer:
    """Every run of the chosen systems in the benchmark, beside the score that they make."""
    asked = choice.benchmark, choice.scenario
    found_runs = queries.system_runs(con, choice.systems).to_pylist()
    runs = [run for run in found_runs if (run["benchmark"], run["scenario"]) == asked]
    rows = queries.training_results(con, {run["result_id"] for run in runs if run["result_id"]})
    groups = _groups(runs, rows.to_pylist(), choice)
    if not groups:
        advice = "Choose a system that has runs, or another benchmark: tables without logs name no runs."
        return Answer("No runs here", "MLPerf® Training and HPC", advice=advice)
    results = [group.result for group in groups if group.result]
    names = unverified.names(short_names([group.key for group in groups]), results)
    found = guard.findings(results)
    shown = [result["result_id"] for result in results]
    is_refused = any(finding.is_refused for finding in found)
    return Answer(
        heading=_heading(groups, names, choice, is_refused),
        below=_below(groups, names),
        charts=_charts(groups, names, choice),
        data=table(
            unverified.stated(
                [row for group in groups for row in _data(group, names, guard.remark(found))], beside="minutes"
            )
        ),
        rows=rows.filter(pc.is_in(rows["result_id"], pa.array(shown, pa.string()))),
        findings=found,
        notes=(*unverified.legend(results), *_notes(groups, names, choice)),
        derived=tuple(_derived(groups, is_refused)),
        file_name=f"runs_{choice.benchmark}_{'_'.join(group.key.system for group in groups)}"[:100],
    )


def _groups(runs: Sequence[Row], rows: Sequence[Row], choice: Choice) -> list[Group]:
    results = {row["result_id"]: row for row in rows}
    groups = []
    for key in choice.systems:
        folders: dict[tuple[str | None, str | None], list[Row]] = {}
        for run in runs:
            if run["key"] == key.text:
                folders.setdefault((run["result_id"], run["location"]), []).append(run)
        if folders:
            (result_id, _), first = min(
                folders.items(), key=lambda item: _preference(results.get(item[0][0] or ""), item)
            )
            groups.append(Group(key, results.get(result_id or ""), tuple(first), len(folders) - 1))
    return groups


def _preference(result: Row | None, item: tuple[tuple[str | None, str | None], list[Row]]) -> tuple[object, ...]:
    """Of several folders of one system and benchmark: scored, closed, without power first."""
    if result is None:
        return 1, True, True, item[0][1] or ""
    return 0, result["division"] != "closed", result["has_power"], item[0][1] or ""


# Words


def _heading(groups: Sequence[Group], names: Mapping[SystemKey, str], choice: Choice, is_refused: bool) -> str:
    told = " · ".join(filter(None, [title(choice.benchmark), choice.scenario]))
    if len(groups) == 1:
        group = groups[0]
        if group.score is None:
            return f"{told} on {names[group.key]}: {len(group.runs)} runs, no score"
        varying = "" if group.variation is None else f", its runs vary by {_percent(group.variation)}"
        return f"{told} on {names[group.key]}: {group.score_text}{varying}"
    one, other = groups
    better: Better = one.result["better"] if one.result else "lower"
    ratio = None if is_refused else compare.speedup(one.score, other.score, better)
    if ratio is None:
        return f"{told}: the runs of {names[one.key]} and {names[other.key]}"
    first, second, times = (one, other, ratio) if ratio >= 1 else (other, one, 1 / ratio)
    verb = "trains" if better == "higher" else "takes"
    took = f"{names[first.key]} {verb} {first.score_text}, {names[second.key]} {second.score_text}"
    return f"{told}: {took} ({number_text(times)}{TIMES})"


def _below(groups: Sequence[Group], names: Mapping[SystemKey, str]) -> str:
    parts = [_counts(group, names[group.key] if len(groups) > 1 else "") for group in groups]
    played = dict.fromkeys(
        f"MLPerf® {facts().kind_name(group.key.kind)} {group.key.round}, {_division(group)}" for group in groups
    )
    makers = dict.fromkeys(group.key.submitter for group in groups)
    return f"{' '.join(parts)} {'; '.join(played)}, {' and '.join(makers)}."


def _division(group: Group) -> str:
    return str((group.result or group.runs[0])["division"] or "division not stated")


def _counts(group: Group, name: str) -> str:
    """How many runs there are, how many of them count, and from where to where."""
    text = f"{name}: " if name else ""
    text += f"{len(group.runs)} run{'' if len(group.runs) == 1 else 's'}"
    if not group.counted:
        return f"{text}, none of them counted."
    span = " to ".join(dict.fromkeys(number_text(minutes) for minutes in (min(group.counted), max(group.counted))))
    varying = "" if group.variation is None or not name else f", coefficient of variation {_percent(group.variation)}"
    return f"{text}, {len(group.counted)} count: {span} min{varying}."


def _percent(share: float) -> str:
    return f"{100 * share:.2g} %"


def _notes(groups: Sequence[Group], names: Mapping[SystemKey, str], choice: Choice) -> list[str]:
    notes = []
    for group in groups:
        who = f"{names[group.key]}: "
        notes += [who + note for note in (_factor(group), _failed(group), _unscored(group), _also(group)) if note]
        if group.others:
            notes.append(f"{who}{group.others} more folders of this benchmark hold other results and are not shown.")
    if missing := [key.text for key in choice.systems if key not in names]:
        notes.append(f"No runs of {title(choice.benchmark)} are known of {', '.join(missing)}.")
    rates = [group for group in groups if group.result and group.minutes is None]
    if rates:
        notes.append(
            "Weak scaling trains models side by side: the score is their number over the minutes from the first start "
            "to the last end, so it is no mean of these minutes and has no line among them."
        )
    elif any(group.variation is not None for group in groups):
        notes.append(
            "Runs of one system vary because training starts from random numbers: the score is the mean of those that "
            "count. The coefficient of variation is their standard deviation over their mean."
        )
    return notes


def _factor(group: Group) -> str:
    if group.minutes is None or group.factor is None or isclose(group.factor, 1, rel_tol=1e-6):
        return ""
    mean = fmean(group.counted)
    text = f"the score is {group.factor:.6g} times the mean of the runs that count, {number_text(mean)} min"
    if compare.is_rounded(group.minutes, mean):
        return f"{text}: its source rounds."
    return f"{text}: the rules scale runs that converged faster than the reference (scaling.json)."


def _failed(group: Group) -> str:
    failed = [run for run in group.runs if run["status"] != "success"]
    if not failed:
        return ""
    named = [
        f"{run['name']} {run['status']}{'' if run['minutes'] is not None else ', no time'}"
        for run in failed[:MOST_NAMED]
    ]
    more = [f"{len(failed) - MOST_NAMED} more"] if len(failed) > MOST_NAMED else []
    return f"{len(failed)} of {len(group.runs)} runs did not converge: {'; '.join([*named, *more])}."


def _unscored(group: Group) -> str:
    if group.counted:
        return ""
    if group.score is None:
        return "no score: its runs are too few, or too many of them failed."
    return f"the score of {group.score_text} is published, but the runs known here are not all that made it."


def _also(group: Group) -> str:
    """Other folders with the very same runs."""
    folders = {folder for run in group.runs if run["also_in"] for folder in run["also_in"].split("; ")}
    if not folders:
        return ""
    same = sum(bool(run["also_in"]) for run in group.runs)
    named = sorted(folders)[:MOST_NAMED]
    more = [f"{len(folders) - MOST_NAMED} more"] if len(folders) > MOST_NAMED else []
    return f"{same} of its runs are the very same as in {'; '.join([*named, *more])}: they are not further runs."


def _derived(groups: Sequence[Group], is_refused: bool) -> list[str]:
    found = ["coefficient of variation (standard deviation over mean of the runs that count)"]
    found = found if any(group.variation is not None for group in groups) else []
    found += ["each run over the mean of the runs that count"] if any(group.counted for group in groups) else []
    if len(groups) == 2 and not is_refused and all(group.score for group in groups):
        found.append("ratio of the two scores")
    return found


# Table and chart


def _data(group: Group, names: Mapping[SystemKey, str], remark: str) -> list[Row]:
    """One row per run."""
    return [
        {
            "system": names[group.key],
            "benchmark": run["benchmark"],
            "scenario": run["scenario"],
            "run": run["name"],
            "minutes": run["minutes"],
            "over_mean": run["minutes"] / fmean(group.counted)
            if group.counted and run["minutes"] is not None
            else None,
            "state": group.state(run),
            "status": run["status"],
            "score": group.score,
            "score_unit": group.result["unit"] if group.result else None,
            "variation": group.variation,
            "epochs": run["epochs"],
            "samples": run["samples"],
            "global_batch_size": run["global_batch_size"],
            "seed": run["seed"],
            "submitter": group.key.submitter,
            "round": group.key.round,
            "division": _division(group),
            "comparability": remark,
            "verified": group.result["verified"] if group.result else None,
            "also_in": run["also_in"],
            "sheet": f"system?system={quote(group.key.text, safe='')}",
            "link": citation.file_link(run["source"], run["source_path"]),
        }
        for run in group.runs
    ]


def _charts(groups: Sequence[Group], names: Mapping[SystemKey, str], choice: Choice) -> tuple[Chart, ...]:
    colours = figures.system_colours([f"{group.key.submitter}/{group.key.system}" for group in groups], choice.palette)
    series: list[Series] = []
    ticks, centres, start = [], [], 0
    for group in groups:
        colour = colours[f"{group.key.submitter}/{group.key.system}"]
        series += _marks(group, start, names[group.key], colour, choice)
        bare = names[group.key].removesuffix(f" ({unverified.MARK})")  # the line below says it, and is not cut
        ticks.append(f"{plots.wrapped(bare, 32)}\n{_caption(group)}")
        centres.append(start + (len(group.runs) - 1) / 2)
        start += len(group.runs) + GAP
    values = [value for one in series for value in one.y if value is not None]
    if not values:
        return ()
    room = 0.08 * (max(values) - min(values)) or 0.05 * max(values)
    upright = Axis(
        (RELATIVE if choice.is_relative else MINUTES).upright,
        range=(min(values) - room, max(values) + room),
        tick_format=".1%" if choice.is_relative else "",
    )
    across = Axis(ORDER, ticks, centres, range=(-1.0, float(start - GAP)))
    figure = plots.plot(_named_once(series), across, upright)
    what = "Each run over the mean of those that count" if choice.is_relative else "Minutes of every run"
    return (Chart(figure, f"{what}: {title(choice.benchmark)} on {', '.join(names.values())}"),)


def _caption(group: Group) -> str:
    count = f"{len(group.runs)} run{'' if len(group.runs) == 1 else 's'}"
    if group.result is None:
        return count
    return f"{count}, score {unverified.marked(group.score_text, group.result)}"


def _named_once(series: Sequence[Series]) -> list[Series]:
    """The same series, each name listed once in the legend."""
    names = [one.name for one in series]
    return [replace(one, is_listed=one.name not in names[:number]) for number, one in enumerate(series)]


def _marks(group: Group, start: int, name: str, colour: str, choice: Choice) -> list[Series]:
    """A system's score as a line and its runs by what became of them."""
    kinds: dict[tuple[str, str], list[tuple[int, Row]]] = {}
    for number, run in enumerate(group.runs):
        if _height(group, run["minutes"], choice) is not None:
            kinds.setdefault(SYMBOLS.get(group.state(run), FAILED), []).append((start + number, run))
    series = []
    if (score := _height(group, group.minutes, choice)) is not None:
        ends = [start - 0.6, start + len(group.runs) - 0.4]
        series.append(Series("Score", ends, [score, score], colour=colour, mode="lines"))
    is_own = group.result is not None and unverified.is_unverified(group.result)
    for (symbol, kind), runs in kinds.items():
        places, heights = [place for place, _ in runs], [_height(group, run["minutes"], choice) for _, run in runs]
        hover = [_hover(group, run, name) for _, run in runs]
        # Dots tell unverified runs; left-out ones are open already, so theirs have a shape of their own.
        shape, words = (OWN_SYMBOLS.get(symbol, symbol), f"{kind} ({unverified.MARK})") if is_own else (symbol, kind)
        series.append(
            Series(
                words, places, heights, hover, colour=colour, symbol=shape, mode="markers",
                unverified=[is_own] * len(places),
            )
        )  # fmt: skip
    return series


def _height(group: Group, minutes: float | None, choice: Choice) -> float | None:
    """Where a mark stands: at its minutes, or at these over the mean of the runs that count."""
    if not choice.is_relative or minutes is None:
        return minutes
    return minutes / fmean(group.counted) if group.counted else None


def _hover(group: Group, run: Row, name: str) -> str:
    parts = [name, f"{run['name']}: {group.state(run)}", MINUTES.text(run["minutes"])]
    parts += [f"{number_text(run[unit])} {unit} to converge" for unit in ("epochs", "samples") if run[unit]]
    parts += [f"Global batch size {run['global_batch_size']:,}"] if run["global_batch_size"] else []
    parts += [f"The same run is in {run['also_in']}"] if run["also_in"] else []
    return "\n".join(parts)
