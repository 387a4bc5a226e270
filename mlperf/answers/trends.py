"""How results went over the rounds: the best and every result of families, servers, accelerators or submitters.

A line breaks where results are not comparable: where the benchmark, its rules or its unit changed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final, NamedTuple, cast, get_args

import duckdb
import pyarrow as pa

from mlperf import guard, queries
from mlperf.answers.answer import Answer, Row, in_order, table
from mlperf.answers.trend_chart import charts, drawn_points
from mlperf.answers.trend_lines import (
    MOST,
    Break,
    By,
    Choice,
    Gain,
    Point,
    Trend,
    best_in,
    full_name,
    gain,
    ratio,
    trend,
)
from mlperf.facts import facts
from mlperf.guard import Finding
from mlperf.metrics import TIMES, Measure, count_text
from mlperf.model import Kind
from mlperf.systems import SystemKey
from mlperf.unverified import MARK, is_unverified, legend, marked, stated

__all__ = ["BY", "MOST", "MOST_OPTIONS", "Asked", "By", "Choice", "Field", "answer", "fields"]


BY: Final[Mapping[str, str]] = {
    "server_family": "Server family",
    "server": "Server",
    "accelerator": "Accelerator",
    "submitter": "Submitter",
}
PLURALS: Final[Mapping[str, str]] = {
    "server_family": "server families",
    "server": "servers",
    "accelerator": "accelerators",
    "submitter": "submitters",
}
USUAL: Final = 4
"""Lines of a chart that nobody asked for."""
MOST_OPTIONS: Final = 50


@dataclass(frozen=True)
class Asked:
    """What the lines of a chart stand for, in which kind of round, and whose are shown before anybody chose."""

    by: By
    kind: Kind
    submitter: str


class Field(NamedTuple):
    """Where a value has results: in which rounds, by index; `own` are those with results of `Asked.submitter`."""

    value: str
    lineage: str
    scenario: str | None
    division: str
    has_power: bool
    rounds: frozenset[int]
    own: frozenset[int]
    accelerator_counts: frozenset[int]
    results: int
    is_published: bool = True
    """Whether its results are; unverified ones have a line of their own, their owner's."""


def fields(con: duckdb.DuckDBPyConnection, asked: Asked) -> tuple[Field, ...]:
    """Everything that can be chosen: one per value, lineage, scenario, division and power."""
    found: dict[tuple[object, ...], Field] = {}
    for row in queries.trend_fields(con, asked.by, asked.submitter).to_pylist():
        if row["kind"] != asked.kind:
            continue
        place = row["value"], _lineage(asked.kind, row["benchmark"]), row["scenario"], row["division"], row["has_power"]
        key = (*place, row["verified"])
        old = found.get(key, Field(*place, frozenset(), frozenset(), frozenset(), 0))
        found[key] = Field(
            *place,
            old.rounds.union(row["rounds"]),
            old.own.union(row["own_rounds"]),
            old.accelerator_counts.union(row["accelerator_counts"] or []),
            old.results + row["results"],
            row["verified"],
        )
    return tuple(found.values())


def usual_place(known: Sequence[Field], benchmark: str | None = None) -> tuple[str, str | None] | None:
    """The benchmark and scenario of closed results without power with most rounds; of one benchmark, where named."""
    found: dict[tuple[str, str | None], list[Field]] = {}
    published = [field for field in known if field.is_published]
    for field in published or known:
        if benchmark in (None, field.lineage):
            found.setdefault((field.lineage, field.scenario), []).append(field)
    return min(found, key=lambda place: (*_weight(found[place]), str(place)), default=None)


def benchmarks(known: Sequence[Field], kind: Kind) -> dict[str, str]:
    """The benchmarks' full names by lineage, in the order of the names."""
    names = {field.lineage: full_name(kind, field.lineage) for field in known}
    return dict(sorted(names.items(), key=lambda item: (item[1].casefold(), item[0])))


def scenarios(known: Sequence[Field], benchmark: str) -> tuple[str, ...]:
    """The scenarios of a benchmark, in the catalog's order; none in training."""
    found = {field.scenario for field in known if field.lineage == benchmark}
    ordered = [scenario for scenario in facts().scenarios if scenario in found]
    return (*ordered, *sorted(scenario for scenario in found if scenario and scenario not in ordered))


def values(known: Sequence[Field], choice: Choice) -> list[str]:
    """The values with results in the field of a choice: the submitter's own first, then those with most rounds.

    Owners of unverified results stand before these.
    """
    fitting = [field for field in known if _is_in(field, choice)]
    ordered = sorted(fitting, key=lambda one: (one.is_published, *_seniority(one)))
    return list(dict.fromkeys(one.value for one in ordered))


def usual_values(known: Sequence[Field], choice: Choice) -> list[str]:
    """The lines before anybody chose: the submitter's own with most rounds; where that is one, others beside it.

    Behind them unverified ones, as many as there is room for.
    """
    published = [field for field in known if field.is_published]
    own = {field.value for field in published if _is_in(field, choice) and field.own}
    usual = [value for value in values(published, choice) if value in own or len(own) < 2][:USUAL]
    others = values([field for field in known if not field.is_published], choice)
    return [*usual, *(value for value in others if value not in usual)][:MOST]


def accelerator_counts(known: Sequence[Field], choice: Choice) -> list[int]:
    """The numbers of accelerators that systems in the field of a choice have."""
    published = [field for field in known if field.is_published and _is_in(field, choice)]
    return sorted({count for field in published for count in field.accelerator_counts})


def answer(con: duckdb.DuckDBPyConnection, choice: Choice) -> Answer:
    """Results over the rounds, as lines through the best of each round."""
    rows = _rows(con, choice)
    found = trend(rows.to_pylist(), choice)
    if not found.points:
        return Answer(
            f"No results: {choice.title}",
            _field(choice),
            advice=f"Choose other {PLURALS[choice.by]}, another benchmark or scenario, or another field under More.",
        )
    drawn = drawn_points(found)
    return Answer(
        heading=_heading(found, choice),
        below=_below(found, choice),
        charts=charts(found, drawn, choice),
        data=table(stated(_data(found, drawn, choice))),
        rows=in_order(rows, [point.row for point in (*_named(found), *_newest(found.bests), *_newest(drawn))]),
        findings=_findings(found, drawn),
        notes=(*legend([point.row for point in drawn]), *_notes(found, len(drawn), choice)),
        derived=_derived(found, choice),
        file_name="_".join(["trend", *choice.values, choice.benchmark, choice.scenario or ""]).strip("_")[:100],
    )


def _lineage(kind: Kind, benchmark: str) -> str:
    known = facts().benchmark(kind, benchmark, None)
    return known.lineage if known else benchmark


def _weight(part: Sequence[Field]) -> tuple[int, int, int]:
    """Sorts what has most closed results without power first: by the submitter's rounds, all rounds, results."""
    plain = [field for field in part if field.division == "closed" and not field.has_power]
    own = frozenset[int]().union(*(field.own for field in plain))
    rounds = frozenset[int]().union(*(field.rounds for field in plain))
    return -len(own), -len(rounds), -sum(field.results for field in plain)


def _seniority(field: Field) -> tuple[object, ...]:
    """Sorts the submitter's own first, then by number of rounds; of equal ones the newest first."""
    parts = [(-len(part), -max(part, default=0), -min(part, default=0)) for part in (field.own, field.rounds)]
    return (*parts, field.value)


def _is_in(field: Field, choice: Choice) -> bool:
    place = field.lineage, field.scenario, field.division, field.has_power
    return place == (choice.benchmark, choice.scenario, choice.division, choice.has_power)


def _rows(con: duckdb.DuckDBPyConnection, choice: Choice) -> pa.Table:
    members = [
        known.id for known in facts().benchmarks if (known.kind, known.lineage) == (choice.kind, choice.benchmark)
    ]
    return queries.trend_results(
        con,
        {
            "by": choice.by,
            "values": list(choice.values),
            "kind": choice.kind,
            "benchmarks": members or [choice.benchmark],
            "scenario": choice.scenario,
            "division": choice.division,
            "has_power": choice.has_power,
        },
    )


def _heading(found: Trend, choice: Choice) -> str:
    """The answer in a line: how much better results became from the first round that compares."""
    groups = _groups(found)
    main = _main(found)
    if main is None:
        best = _latest(found)
        value = marked(Measure("", best.unit).text(best.value), best.row)
        return f"{best.group}: {choice.title}, {value} in {best.row['round']}"
    first, last = main.first, main.last
    if len(groups) > 1 and main.ratio <= 1:
        value = Measure("", first.unit).text(first.value)
        return f"{choice.title}: the best is still {first.group} of {first.row['round']}, {value}"
    rounds = f"{_times(main.ratio)} from {first.row['round']} to {last.row['round']}"
    if len(groups) == 1:
        return f"{groups[0]}: {choice.title} {rounds}{_sizes(main, choice)}"
    if first.group == last.group:
        return f"{choice.title}: the best {rounds}, both {first.group}{_sizes(main, choice)}"
    names = f"from {first.group} ({first.row['round']}) to {last.group} ({last.row['round']})"
    return f"{choice.title}: {_times(main.ratio)} {names}{_sizes(main, choice)}"


def _main(found: Trend) -> Gain | None:
    """The gain that the heading tells."""
    return gain(found.published_bests, to_best=len(_groups(found)) > 1)


def _latest(found: Trend) -> Point:
    """The best of the newest round."""
    bests = found.published_bests or found.bests
    return best_in(bests, {bests[-1].row["round_index"]})


def _named(found: Trend) -> tuple[Point, ...]:
    """The points that the heading names."""
    main = _main(found)
    return (main.last, main.first) if main else (_latest(found),)


def _newest(points: Sequence[Point]) -> list[Point]:
    """The points by round, newest first, best first in each: the same whichever line was chosen first."""
    return sorted(points, key=lambda point: (-point.row["round_index"], point.row["unit"], point.order))


def _groups(found: Trend) -> list[str]:
    """The lines of published results."""
    return list(dict.fromkeys(point.group for point in found.published_bests))


def _times(ratio: float) -> str:
    return f"{ratio:.3g}{TIMES}" if ratio < 100 else f"{ratio:,.0f}{TIMES}"


def _sizes(main: Gain, choice: Choice) -> str:
    """What a reader must know of a gain: that the two systems have different numbers of accelerators."""
    before, after = main.first.row["accelerator_count"], main.last.row["accelerator_count"]
    if choice.is_per_accelerator:
        return ", per accelerator"
    return f", {count_text(after, 'accelerator')} against {before:,}" if before and after and before != after else ""


def _below(found: Trend, choice: Choice) -> str:
    """How much there is, and in which field."""
    published = [point for point in found.points if not is_unverified(point.row)]
    rounds = len({point.row["round_index"] for point in published})
    own = len(found.points) - len(published)
    beside = f" · {own:,} {MARK}" if own else ""
    return f"{_field(choice)} · {count_text(len(published), 'result')} in {count_text(rounds, 'round')}{beside}"


def _own_gains(found: Trend) -> list[str]:
    """Each line's own gain, where there are several lines."""
    groups = _groups(found)
    own = {group: gain(point for point in found.published_bests if point.group == group) for group in groups}
    told = []
    for group, one in own.items():
        if one and len(groups) > 1:
            before, after = (point.row["accelerator_count"] for point in (one.first, one.last))
            sizes = f", {before:,} → {after:,} accelerators" if before and after and before != after else ""
            told.append(f"{group} {_times(one.ratio)} ({one.first.row['round']} → {one.last.row['round']}{sizes})")
    return [f"Best of its last round over best of its first: {'; '.join(told)}."] if told else []


def _field(choice: Choice) -> str:
    count = choice.accelerator_count
    parts = [
        f"MLPerf® {facts().kind_name(choice.kind)}",
        choice.division,
        "with power" if choice.has_power else "without power",
        f"{count_text(count, 'accelerator')} in the system" if count else "",
    ]
    return " · ".join(filter(None, parts))


def _findings(found: Trend, drawn: Sequence[Point]) -> tuple[Finding, ...]:
    """What the guard says of the lines, and of each point by itself: small points are not compared.

    That rounds differ is what the chart is about, and its axis says it.
    """
    parts: dict[str, list[Row]] = {}
    for point in found.bests:
        parts.setdefault(found.spans[point.segment], []).append(point.row)
    own = guard.traits([point.row for point in drawn])
    said = {"round", *(one.kind for one in own)}
    return (*(one for one in guard.merged(parts) if one.is_refused or one.kind not in said), *own)


def _notes(found: Trend, drawn: int, choice: Choice) -> tuple[str, ...]:
    missing = [value for value in choice.values if value not in {point.group for point in found.points}]
    hidden = len(found.points) - drawn
    notes = [*_own_gains(found)]
    notes += [
        f"No line from {gap.rounds[0]} to {gap.rounds[1]}: {gap.reason}{_unstated(gap, found)}" for gap in found.breaks
    ]
    notes += _beside(found)
    notes.append("Lines join the best result of each round; the small points are the other results.")
    if missing:
        notes.append(f"No results here: {', '.join(missing)}.")
    if hidden:
        notes.append(f"Not drawn, nor in the table: {count_text(hidden, 'result')} behind the best of their round.")
    if choice.is_per_accelerator:
        without = (
            f" Left out: {count_text(found.without_figure, 'result')} without such a figure."
            if found.without_figure
            else ""
        )
        notes.append(
            "Per accelerator: throughput divided by the system's accelerators; time to train times them "
            f"(accelerator-minutes).{without}"
        )
    return tuple(notes)


def _unstated(gap: Break, found: Trend) -> str:
    """That no result before a break of units states the later unit; nothing where one does, or for another break."""
    if gap.units is None or any(
        (point.segment, point.unit) == (gap.segments[0], gap.units[1]) for point in found.seconds
    ):
        return ""
    return f" No result before {gap.rounds[1]} states {gap.units[1]} beside its score: logs may, tables do not."


def _beside(found: Trend) -> list[str]:
    """What second measures are, where any is drawn."""
    if not found.seconds:
        return []
    rounds = ", ".join(dict.fromkeys(point.row["round"] for point in found.seconds))
    units = " and ".join(dict.fromkeys(point.unit for point in found.seconds))
    return [
        f"Open circles: {units} that the logs of {rounds} state beside the score. It is no metric of that round and no "
        "official MLPerf result, and stands in no line and no ratio."
    ]


def _derived(found: Trend, choice: Choice) -> tuple[str, ...]:
    per = ("performance per accelerator (result over the system's accelerators)",) if choice.is_per_accelerator else ()
    has_gain = any(one.segment == other.segment for one, other in pairwise(found.bests))
    beside = ("figures that logs state beside the score",) if found.seconds else ()
    return (*(("improvement over rounds (ratio of two results)",) if has_gain else ()), *per, *beside)


def _data(found: Trend, drawn: Sequence[Point], choice: Choice) -> list[Row]:
    """One row per point drawn, oldest round first and best first within a line's round."""
    bests = {point.row["result_id"] for point in found.bests}
    starts: dict[tuple[str, int], Point] = {}
    for point in found.bests:
        starts.setdefault((point.group, point.segment), point)
    rows = [
        _datum(point, point.row["result_id"] in bests, starts[point.group, point.segment], found, choice)
        for point in drawn
    ]
    if not found.seconds:
        return rows
    beside = [
        _datum(point, False, point, found, choice) | {"value": point.value, "unit": point.unit}
        for point in found.seconds
    ]
    return [row | {"is_metric": is_metric} for part, is_metric in ((rows, True), (beside, False)) for row in part]


def _datum(point: Point, is_best: bool, start: Point, found: Trend, choice: Choice) -> Row:
    row = point.row
    is_compared = is_best and start is not point
    key = SystemKey.of(row)
    return {
        choice.by: point.group,
        "round": row["round"],
        "suite": row["suite"],
        "published": row["published"],
        "benchmark": row["benchmark"],
        "scenario": row["scenario"],
        "is_best": is_best,
        "metric": row["metric"],
        "value": row["value"],
        "unit": row["unit"],
        "better": row["better"],
        **({"per_accelerator": point.value, "per_accelerator_unit": point.unit} if choice.is_per_accelerator else {}),
        "relative": ratio(start, point) if is_compared else None,
        "baseline": f"{start.group} {start.row['round']}" if is_compared else None,
        "comparable_rounds": found.spans[point.segment],
        "system": key.system,
        "sheet": key.address,
        "submitter": row["submitter"],
        "division": row["division"],
        "availability": row["availability"],
        "accelerator": row["accelerator"],
        "accelerator_count": row["accelerator_count"],
        "nodes": row["nodes"],
        "has_power": row["has_power"],
        "comparability": guard.remark(guard.findings([start.row, row] if is_compared else [row])),
        "verified": row["verified"],
        "public_id": row["public_id"],
        "link": row["link"],
    }


def parsed_by(text: str) -> By:
    """The column that a control's value names."""
    return cast(By, text) if text in get_args(By) else "server_family"


def parsed_kind(text: str) -> Kind:
    """The kind of round that a control's value names."""
    return cast(Kind, text) if text in get_args(Kind) else "inference"
