"""Sizing: how many of each system a rate takes, with accelerators and measured power. An estimate, and marked so.

Results with and without power do not compare (inference.md section 5), so they are sized in two groups: a power result
gives its own performance and its own watts, and no other result's.
"""

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import median
from typing import Final, Literal, NamedTuple

import duckdb
import pyarrow as pa

from mlperf import bars, compare, figures, guard, queries, unverified
from mlperf.answers import power
from mlperf.answers.answer import Answer, Chart, Row, table
from mlperf.answers.power import Cell
from mlperf.bars import Bar
from mlperf.figures import PALETTE
from mlperf.metrics import Measure, count_text, number_text
from mlperf.queries import Field
from mlperf.systems import SystemKey

Shown = Literal["systems", "accelerators"]
SHOWN: Final[Mapping[str, str]] = {"systems": "Systems", "accelerators": "Accelerators"}
"""What the bars count."""
MOST: Final = 20
"""Bars of the chart."""
MOST_OWN: Final = 6
"""Unverified ones beside them, of each group."""
MOST_POWER: Final = 6
"""Of them with measured power, at most, where others would be left out for them."""
MOST_SYSTEMS: Final = 1_000_000
"""What takes more systems than this is no estimate any more."""
TIMES_MEDIAN: Final = 10
"""The rate before anybody chose one, in median results of the field."""
ASSUMES: Final = (
    "An estimate, not a result: systems = needed rate over the result of one system, rounded up. It assumes that "
    "independent systems add up without loss (no network or load balancer in between), each in the conditions of its "
    "benchmark run; in Server and Interactive each keeps the benchmark's latency bound. Offline has no such bound."
)
POWER: Final = (
    "Power is systems times the average watts measured in that very result at its full load. Results with power are "
    "sized by their own performance and stand in a group of their own: with and without power do not compare."
)


@dataclass(frozen=True)
class Choice:
    """A field of results and the rate that is needed of it; "" and () leave a column open."""

    round: str
    suite: str
    benchmark: str
    scenario: str
    rate: float
    division: str = "closed"
    availability: str = "available"
    submitters: tuple[str, ...] = ()
    server_family: str = ""
    shown: Shown = "systems"
    palette: tuple[str, ...] = PALETTE


class Need(NamedTuple):
    """How many of one system the rate takes."""

    row: Row
    systems: int
    accelerators: int | None
    """None where the system has none, or does not say how many."""
    watts: float | None
    """Measured, of all systems; None without measured power."""

    @property
    def reached(self) -> float:
        """The rate of all systems."""
        return float(self.systems * self.row["value"])


def fields(con: duckdb.DuckDBPyConnection, submitter: str) -> list[Row]:
    """The fields whose results are rates: one row per round, suite, division, availability, benchmark and scenario."""
    return [row for row in queries.inference_fields(con, submitter).to_pylist() if row["metric"] == "throughput"]


def default_field(found: Sequence[Row]) -> Row | None:
    """The field to begin with: of the newest round with the submitter's own results for the datacenter, under a latency
    bound where there is one, the benchmark of most of its systems. None for no fields.
    """
    published = [row for row in found if row["results"]] or list(found)
    usual = [row for row in published if (row["division"], row["availability"]) == ("closed", "available")] or published
    return min(
        usual,
        key=lambda row: (
            not row["own"], row["suite"] != "inference-datacenter", -row["round_index"], row["scenario"] != "Server",
            -row["own_systems"], -row["results"], row["benchmark"],
        ),
        default=None,
    )  # fmt: skip


def default_rate(con: duckdb.DuckDBPyConnection, choice: Choice) -> float:
    """Ten times the median result of the field, without power where there are such, in two digits; 1 for no results."""
    rows = _field(con, replace(choice, submitters=(), server_family=""))[1]
    published = unverified.parted(rows)[0] or rows
    values = [row["value"] for row in published if not row["has_power"]] or [row["value"] for row in published]
    return float(f"{TIMES_MEDIAN * median(values):.2g}") if values else 1.0


def names(con: duckdb.DuckDBPyConnection, choice: Choice) -> tuple[list[str], list[str]]:
    """The submitters and the server families of the field, in their order."""
    _, rows = _field(con, replace(choice, submitters=(), server_family=""))
    return sorted({row["submitter"] for row in rows}), sorted({row["server_family"] or "" for row in rows} - {""})


def answer(con: duckdb.DuckDBPyConnection, choice: Choice) -> Answer:
    """How many of each system of the field the rate takes, fewest first; those with power in their own group."""
    if not (math.isfinite(choice.rate) and choice.rate > 0):
        return Answer("No rate to size for", "", advice="Type a needed rate over zero.")
    table_of_field, rows = _field(con, choice)
    if not rows:
        return Answer("No results to size with", "", advice="Choose another benchmark, round, submitter or division.")
    found = needs(rows, choice.rate)
    if not found:
        most = f"{MOST_SYSTEMS:,}"
        advice = f"{_rate(choice)} {rows[0]['unit']} would take over {most} of every system here. Type a smaller rate."
        return Answer("That rate is too high to size for", "", advice=advice)
    plain, measured = ordered(found, choice.shown, False), ordered(found, choice.shown, True)
    drawn = _drawn(plain, measured)
    groups = {title: [need.row for need in group] for title, group in _groups(plain, measured).items()}
    return Answer(
        heading=_heading(found, choice),
        below=f"{_below(found, choice)}{_own(found)}",
        charts=(_chart(drawn, choice),) if drawn else (),
        data=table(unverified.stated(_data([*plain, *measured], groups, choice), beside="value")),
        rows=power.behind(table_of_field, [need.row for need in [*_named(found), *plain, *measured]]),
        findings=guard.merged(groups),
        notes=(
            *unverified.legend([need.row for need in drawn]),
            ASSUMES,
            *([POWER] if measured else []),
            *_left_out(rows, found, plain, measured, drawn),
        ),
        derived=("number of systems, accelerators, rate reached and power (estimated from results of single systems)",),
        file_name=f"sizing_{choice.round}_{choice.benchmark}_{choice.scenario}_{choice.rate:.6g}",
        advice="No system here says how many accelerators it has: let the bars count systems.",
    )


def needs(rows: Iterable[Row], rate: float) -> list[Need]:
    """How many of each system; without those that would take over `MOST_SYSTEMS`."""
    found = []
    for row in rows:
        systems = compare.needed(rate, row["value"])
        if systems is not None and systems <= MOST_SYSTEMS:
            chips = row["accelerator_count"] if row["accelerator"] else None
            is_measured = bool(row["has_power"]) and row["power_unit"] == "W" and (row["power_value"] or 0) > 0
            watts = systems * row["power_value"] if is_measured else None
            found.append(Need(row, systems, systems * chips if chips else None, watts))
    return found


def ordered(found: Iterable[Need], shown: Shown, has_power: bool) -> list[Need]:
    """The results with or without power, fewest systems (or accelerators) first; then the higher result."""
    group = [need for need in found if bool(need.row["has_power"]) == has_power]
    if shown == "accelerators":
        group = [need for need in group if need.accelerators]
    return sorted(
        group, key=lambda need: (_length(need, shown), need.systems, -need.row["value"], need.row["result_id"])
    )


def _length(need: Need, shown: Shown) -> int:
    return need.systems if shown == "systems" else need.accelerators or 0


def _field(con: duckdb.DuckDBPyConnection, choice: Choice) -> tuple[pa.Table, list[Row]]:
    """The results of the field, as a table and as rows: those in the unit of most, as others do not compare."""
    field = Field(choice.suite, choice.round, choice.division, None, choice.availability, benchmark=choice.benchmark)
    rows = queries.field(con, field)
    found = [
        row
        for row in rows.to_pylist()
        if row["scenario"] == choice.scenario
        and row["metric"] == "throughput"
        and (not choice.submitters or row["submitter"] in choice.submitters)
        and choice.server_family in ("", row["server_family"])
    ]
    units = Counter(row["unit"] for row in unverified.parted(found)[0] or found).most_common(1)
    return rows, [row for row in found if row["unit"] == units[0][0]]


def _drawn(plain: Sequence[Need], measured: Sequence[Need]) -> list[Need]:
    """What the chart shows: both groups, those with power last; unverified ones take no published one's place."""
    own = [[need for need in group if unverified.is_unverified(need.row)][:MOST_OWN] for group in (plain, measured)]
    first, last = ([need for need in group if need.row["verified"]] for group in (plain, measured))
    room = max(MOST_POWER, MOST - len(first))
    kept = [*first[: MOST - min(room, len(last))], *last[:room], *own[0], *own[1]]
    shown = {need.row["result_id"] for need in kept}
    return [need for need in (*plain, *measured) if need.row["result_id"] in shown]


def _groups(plain: Sequence[Need], measured: Sequence[Need]) -> dict[str, Sequence[Need]]:
    return {title: group for title, group in (("Without power", plain), ("With measured power", measured)) if group}


def _name(row: Row) -> str:
    return SystemKey.of(row).system


def _heading(found: Sequence[Need], choice: Choice) -> str:
    """The answer in a line: the fewest systems and the fewest accelerators that do it, by published results."""
    state = "estimate" if any(need.row["verified"] for need in found) else f"estimate, {unverified.MARK}"
    found = _published(found)
    unit, title = found[0].row["unit"], Cell.of(found[0].row).title
    counts = [count_text(min(need.systems for need in found), "system")]
    chips = [need.accelerators for need in found if need.accelerators]
    counts += [count_text(min(chips), "accelerator")] if chips else []
    return f"{_rate(choice)} {unit} of {title} take at least {' or '.join(counts)} ({state})"


def _named(found: Sequence[Need]) -> list[Need]:
    """Those that heading and line below are of: the fewest systems and the fewest accelerators."""
    chips = [need for need in _published(found) if need.accelerators]
    fewest = min(chips, key=lambda need: (need.accelerators or 0, need.systems, -need.row["value"]), default=None)
    return [_fewest_systems(found), *([fewest] if fewest else [])]


def _fewest_systems(found: Sequence[Need]) -> Need:
    """The published one that takes the fewest systems."""
    return min(_published(found), key=lambda need: (need.systems, -need.row["value"], need.row["result_id"]))


def _published(found: Sequence[Need]) -> Sequence[Need]:
    """The published ones; all where there are none."""
    return [need for need in found if need.row["verified"]] or found


def _own(found: Sequence[Need]) -> str:
    """The fewest systems by an unverified result, beside what the published ones say."""
    own = [need for need in found if unverified.is_unverified(need.row)]
    if not own:
        return ""
    fewest = min(own, key=lambda need: (need.systems, -need.row["value"], need.row["result_id"]))
    whose = f"{fewest.row['submitter']} {_name(fewest.row)}"
    return f" · {whose} takes {count_text(fewest.systems, 'system')} (estimate, {unverified.MARK})"


def _rate(choice: Choice) -> str:
    return f"{choice.rate:,.12g}"


def _below(found: Sequence[Need], choice: Choice) -> str:
    """The field."""
    found = _published(found)
    parts = [f"MLPerf® Inference {choice.round}", choice.suite.partition("-")[2], choice.division]
    parts += [choice.availability or "any availability", *choice.submitters, choice.server_family]
    parts += [count_text(len({SystemKey.of(need.row) for need in found}), "system")]
    fewest = _fewest_systems(found)
    return " · ".join([*filter(None, parts), f"fewest systems: {fewest.row['submitter']} {_name(fewest.row)}"])


def _data(found: Sequence[Need], groups: dict[str, list[Row]], choice: Choice) -> list[Row]:
    """One row per result, those with power last."""
    remarks = {title: guard.remark(guard.findings(rows)) for title, rows in groups.items()}
    return [
        {
            "system": _name(need.row),
            "systems": need.systems,
            "accelerators": need.accelerators,
            "watts": need.watts,
            "rate": choice.rate,
            "rate_reached": need.reached,
            "headroom": max(0.0, 100 * (need.reached / choice.rate - 1)),
            "unit": need.row["unit"],
            "value": need.row["value"],
            **{name: need.row[name] for name in ("power_value", "power_unit", "has_power")},
            **{name: need.row[name] for name in ("submitter", "accelerator", "accelerator_count", "nodes", "round")},
            **{
                name: need.row[name]
                for name in ("division", "model", "availability", "benchmark", "scenario", "public_id")
            },
            "comparability": remarks["With measured power" if need.row["has_power"] else "Without power"],
            "verified": need.row["verified"],
            "sheet": power.sheet(SystemKey.of(need.row)),
            "link": need.row["link"],
        }
        for need in found
    ]


def _chart(drawn: Sequence[Need], choice: Choice) -> Chart:
    """Bars, fewest first; those with power below the others, with their watts."""
    names = [f"{need.row['submitter']}/{_name(need.row)}" for need in drawn]
    colours = figures.system_colours(names, choice.palette)
    measure = Measure(f"{SHOWN[choice.shown]} needed, estimate", "count", "lower", is_derived=True)
    marks = [
        Bar(
            _label(need),
            _length(need, choice.shown),
            _text(need, choice.shown),
            _hover(need, choice),
            colours[name],
            unverified.is_unverified(need.row),
        )
        for need, name in zip(drawn, names, strict=True)
    ]
    told = "; ".join(f"{_name(need.row)} {_length(need, choice.shown):,}" for need in drawn)
    return Chart(bars.bars(marks, measure.axis), f"{measure.axis}: {told}")


def _label(need: Need) -> str:
    return power.bar_lines(need.row)


def _text(need: Need, shown: Shown) -> str:
    return f"{_length(need, shown):,}{f' · {_power(need.watts)}' if need.watts else ''}"


def _power(watts: float) -> str:
    return f"{number_text(watts / 1000)} kW" if watts >= 1000 else f"{number_text(watts)} W"


def _hover(need: Need, choice: Choice) -> str:
    row = need.row
    lines = [f"{row['submitter']} {_name(row)}", f"one system: {number_text(row['value'])} {row['unit']}"]
    chips = f", {count_text(need.accelerators, 'accelerator')}" if need.accelerators else ""
    lines.append(f"{count_text(need.systems, 'system')}{chips}")
    lines.append(f"reach {number_text(need.reached)} {row['unit']}")
    lines += [f"{_power(need.watts)}, from measured power"] if need.watts else []
    return "\n".join(lines)


def _left_out(
    rows: Sequence[Row], found: Sequence[Need], plain: Sequence[Need], measured: Sequence[Need], drawn: Sequence[Need]
) -> list[str]:  # fmt: skip
    """What neither chart nor table shows, and what the chart leaves to the table."""
    notes, shown = [], len(plain) + len(measured)
    if len(rows) > len(found):
        notes.append(f"{len(rows) - len(found)} results would take over {MOST_SYSTEMS:,} systems, and are left out.")
    if len(found) > shown:
        notes.append(f"{len(found) - shown} results without a number of accelerators are left out.")
    if shown > len(drawn):
        notes.append(f"The chart draws {len(drawn)} of {shown} results; the table and the files have all.")
    return notes
