"""Who does most per joule: the ranking of one benchmark and scenario of a round by measured performance per energy."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import duckdb

from mlperf import bars, compare, figures, guard, queries, ranking, unverified
from mlperf.answers import power
from mlperf.answers.answer import Answer, Chart, Row, table
from mlperf.answers.power import Cell
from mlperf.answers.ranking_tables import also_as, not_again, ordinal
from mlperf.bars import Bar
from mlperf.figures import PALETTE
from mlperf.metrics import TIMES, count_text, number_text
from mlperf.queries import Field
from mlperf.ranking import Entry, Ranking
from mlperf.systems import SystemKey

MOST: Final = 20
"""Bars of the chart."""
MOST_OWN: Final = 6
"""Bars of unverified results beside these."""


@dataclass(frozen=True)
class Choice:
    """The field to rank in; "" leaves the availability open."""

    round: str
    suite: str
    benchmark: str
    scenario: str
    division: str = "closed"
    availability: str = "available"
    palette: tuple[str, ...] = PALETTE


def fields(con: duckdb.DuckDBPyConnection, submitter: str) -> list[Row]:
    """The fields with measured power, newest round first, then most measured; `own_measured` are the submitter's."""
    found = [row for row in queries.inference_fields(con, submitter).to_pylist() if row["measured"]]
    return sorted(found, key=lambda row: (-row["round_index"], -row["measured"], row["benchmark"], row["scenario"]))


def default_field(found: Sequence[Row]) -> Row | None:
    """The field to begin with: the submitter's own, closed and available, newest, with most results; None for none."""
    return min(
        found,
        key=lambda row: (
            not row["own_measured"], row["division"] != "closed", row["availability"] != "available",
            -row["round_index"], -row["measured"], row["suite"], row["benchmark"], row["scenario"],
        ),
        default=None,
    )  # fmt: skip


def answer(con: duckdb.DuckDBPyConnection, choice: Choice) -> Answer:
    """The results of the field, those that do most per joule first."""
    field = Field(choice.suite, choice.round, choice.division, True, choice.availability, benchmark=choice.benchmark)
    rows = queries.field(con, field)
    found = [row for row in power.measured(rows.to_pylist()) if row["scenario"] == choice.scenario]
    if not found:
        return Answer(
            "No measured power in this field", "", advice="Choose another round, benchmark or scenario above."
        )
    (ranked,) = ranking.rankings(found, "efficiency")
    found = [entry.row for entry in ranked.standing]
    published, own = unverified.parted(found)
    findings = guard.findings(found)
    kept = {row["result_id"] for row in (*published[:MOST], *own[:MOST_OWN])}
    drawn = [row for row in found if row["result_id"] in kept]
    return Answer(
        heading=_heading(published or own),
        below=_below(published or own, choice),
        charts=(_chart(drawn, choice),),
        data=table(unverified.stated(_data(ranked, guard.remark(findings)))),
        rows=power.behind(rows, [*published, *(copy for entry in ranked.entries for copy in entry.copies), *own]),
        findings=findings,
        notes=(
            *unverified.legend(drawn),
            *not_again(ranked.entries),
            power.READING,
            *power.undrawn(len(published), MOST),
        ),
        derived=(power.DERIVED, "lead over the runner-up and share of the best (ratios of it)"),
        file_name=f"power_{choice.round}_{choice.benchmark}_{choice.scenario}",
    )


def _heading(found: Sequence[Row]) -> str:
    """Who is first, by how much, and over whom."""
    first, value = found[0], power.per_energy(found[0])[0]
    unit = power.measure(power.per_energy(first)[1])
    runner_up = next((row for row in found if row["efficiency"] < first["efficiency"]), None)
    text = f"{_name(first)}: {unit.text(value)}"
    if runner_up is None:
        return f"{text}, first of {len(found)} with the same figure" if len(found) > 1 else f"{text}, the only one"
    lead = compare.lead(first["efficiency"], runner_up["efficiency"], "higher") or 0.0
    by = f"{100 * lead:.3g} % ahead of" if lead < 1 else f"{1 + lead:.3g}{TIMES} that of"
    return f"{text}, {by} {_name(runner_up)}"


def _below(found: Sequence[Row], choice: Choice) -> str:
    """The field."""
    suite = choice.suite.removeprefix("inference-")
    parts = [f"MLPerf® Inference {choice.round}", suite, choice.division, choice.availability or "any availability"]
    return " · ".join(
        [*parts, Cell(*Cell.of(found[0])[:2]).title, f"{count_text(len(found), 'run')} with measured power"]
    )


def _name(row: Row) -> str:
    key = SystemKey.of(row)
    return unverified.marked(f"{key.submitter} {key.system}{' with ' + row['model'] if row['model'] else ''}", row)


def _data(ranked: Ranking, remark: str) -> list[Row]:
    """One row per run, best first; where unverified ones stand among them, ranks are texts: `would be 3rd`."""
    first = (ranked.entries or ranked.beside)[0].value
    return [
        {"rank": _rank(entry, bool(ranked.beside)), "of_best": entry.value / first}
        | power.figures_of(entry.row, SystemKey.of(entry.row).system)
        | {"also_as": also_as(entry), "comparability": remark}
        for entry in ranked.standing
    ]


def _rank(entry: Entry, is_text: bool) -> int | str:
    """The place among the published runs; of an unverified one, the place that it would have there."""
    if not entry.is_ranked:
        return f"would be {ordinal(entry.place)}"
    return str(entry.place) if is_text else entry.place


def _chart(found: Sequence[Row], choice: Choice) -> Chart:
    colours = figures.system_colours([_colour_name(row) for row in found], choice.palette)
    values = [power.per_energy(row)[0] for row in found]
    title, measure = Cell(*Cell.of(found[0])[:2]).title, power.measure(power.per_energy(found[0])[1])
    marks = [
        Bar(
            power.bar_lines(row),
            value,
            number_text(value),
            power.hover(row, title, _name(row)),
            colours[_colour_name(row)],
            unverified.is_unverified(row),
        )
        for row, value in zip(found, values, strict=True)
    ]
    return Chart(bars.bars(marks, measure.axis), f"{title}, best first: {', '.join(map(_name, found))}")


def _colour_name(row: Row) -> str:
    key = SystemKey.of(row)
    return f"{key.submitter}/{key.system}"
