"""One system in two rounds, or any two: the ratio of performance per energy, and its shares of speed and watts.

The ratio is the product of both shares. For Offline and Server the share from watts is the ratio of the measured watts.
Streams measure energy per query, not watts: their share from watts is what the latencies do not explain. Energy per
query is average watts times the average time of a query, so that share is the ratio of watts only as far as the
reported percentile of latency moved as the average did.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import duckdb

from mlperf import compare, guard, plots, queries, unverified
from mlperf.answers import power
from mlperf.answers.answer import Answer, Chart, Row, table
from mlperf.answers.power import Cell
from mlperf.figures import PALETTE
from mlperf.guard import Finding
from mlperf.metrics import TIMES, Measure, number_text
from mlperf.plots import Axis, Series
from mlperf.systems import SystemKey, short_names

TICKS: Final = (0.1, 0.2, 0.3, 0.5, 0.7, 1, 1.5, 2, 3, 4, 5, 7, 10, 15, 20, 30, 50, 100)
SHARES: Final = (
    "The ratio is the share from speed times the share from watts. Offline and Server: the share from watts is the "
    "ratio of the measured watts. SingleStream and MultiStream measure energy per query: the share from speed is the "
    "ratio of the latencies, the share from watts is what is left. The latency is a percentile and the energy an "
    "average over the run, so that share is only about the ratio of watts."
)


@dataclass(frozen=True)
class Choice:
    """Two systems with measured power: the later one is set against the earlier one."""

    earlier: SystemKey
    later: SystemKey
    palette: tuple[str, ...] = PALETTE


class Change(NamedTuple):
    """One benchmark and scenario in both rounds; ratios over 1 are better, None where the rules forbid them."""

    cell: Cell
    earlier: Row
    later: Row
    ratio: float | None
    speed: float | None
    watts: float | None
    findings: tuple[Finding, ...]


def pairs(con: duckdb.DuckDBPyConnection, submitter: str) -> dict[str, tuple[SystemKey, SystemKey]]:
    """The systems with measured power in two rounds, by their text in the link: the submitter's first, newest first."""
    return {
        f"{of}/{system}/{older}/{newer}": (
            SystemKey("inference", older, of, system),
            SystemKey("inference", newer, of, system),
        )
        for of, system, older, newer, _ in queries.power_pairs(con, submitter)
    }


def answer(con: duckdb.DuckDBPyConnection, choice: Choice) -> Answer:
    """How performance per energy changed in all that both have, and what of it came from speed and from watts."""
    keys = (choice.earlier, choice.later)
    rows = queries.system_results(con, keys)
    found = changes(rows.to_pylist(), choice)
    if not found:
        return Answer("Nothing to compare", "", advice=_advice(rows.to_pylist(), choice))
    both = [row for change in found for row in (change.earlier, change.later)]
    names = unverified.names(short_names(list(keys)), both)
    shown = [change for change in found if change.ratio is not None]
    merged = guard.merged({change.cell.title: [change.earlier, change.later] for change in found})
    return Answer(
        heading=_heading(shown, choice, any(map(unverified.is_unverified, both))),
        below=_below(found, shown),
        charts=(_chart(shown[: power.MOST_CELLS], names, choice),) if shown else (),
        data=table([_row(change, names, choice) for change in found]),
        rows=power.behind(rows, both),
        findings=merged,
        notes=(
            *unverified.legend(both),
            SHARES,
            power.READING,
            *_twins(shown),
            *_left_out(rows.to_pylist(), found),
            *power.undrawn(len(shown), power.MOST_CELLS),
        ),
        derived=(power.DERIVED, "ratio of performance per energy and its shares from speed and from watts"),
        file_name=f"power_{choice.earlier.system}_{choice.earlier.round}_{choice.later.system}_{choice.later.round}"[
            :100
        ],
    )


def changes(rows: Sequence[Row], choice: Choice) -> list[Change]:
    """What both systems have, with the ratios of the later one to the earlier one."""
    found = power.by_system(rows)
    if choice.earlier == choice.later:
        return []
    return [
        _change(cell, marks[choice.earlier], marks[choice.later])
        for cell, marks in found.items()
        if choice.earlier in marks and choice.later in marks
    ]


def _change(cell: Cell, earlier: Row, later: Row) -> Change:
    found = guard.findings([earlier, later])
    is_one_unit = power.per_energy(earlier)[1] == power.per_energy(later)[1]
    if any(one.is_refused for one in found) or not is_one_unit:
        return Change(cell, earlier, later, None, None, None, found)
    ratio = compare.speedup(later["efficiency"], earlier["efficiency"], "higher")
    speed = compare.speedup(later["value"], earlier["value"], later["better"])
    return Change(cell, earlier, later, ratio, speed, compare.rest(ratio, speed), found)


def means(shown: Sequence[Change]) -> tuple[float | None, float | None, float | None, int]:
    """The geometric means of ratio, speed and watts, and over how many: figures of the very same runs count once."""
    once = list({_figures(change): change for change in shown}.values())
    columns = [[getattr(change, name) for change in once] for name in ("ratio", "speed", "watts")]
    ratio, speed, watts = (compare.geometric_mean([value or 0.0 for value in column]) for column in columns)
    return ratio, speed, watts, len(once)


def _figures(change: Change) -> tuple[object, ...]:
    """Equal for two accuracies of one model that report the same runs."""
    rows = (change.earlier, change.later)
    return change.cell[1:], *((row["value"], row["power_value"]) for row in rows)


def _heading(shown: Sequence[Change], choice: Choice, is_unverified: bool) -> str:
    """The answer in a line: how many times the work per joule."""
    ratio, _, _, _ = means(shown)
    if ratio is None:
        return f"{_who(choice)}: not compared"
    low, high = min(change.ratio or 0.0 for change in shown), max(change.ratio or 0.0 for change in shown)
    span = f" ({_times(low)} to {_times(high)})" if len(shown) > 1 else ""
    state = f" ({unverified.MARK})" if is_unverified else ""
    return f"{_who(choice)}: {_times(ratio)} the performance per energy{span}{state}"


def _who(choice: Choice) -> str:
    earlier, later = choice.earlier, choice.later
    if earlier[2:] == later[2:]:
        return f"{later.system}, {later.round} against {earlier.round}"
    names = short_names([earlier, later])
    return f"{names[later]} against {names[earlier]}"


def _below(found: Sequence[Change], shown: Sequence[Change]) -> str:
    _, speed, watts, count = means(shown)
    states = " against ".join(
        f"{row['round']} ({row['availability'] or 'availability not stated'})"
        for row in (found[0].later, found[0].earlier)
    )
    parts = [
        f"MLPerf® Inference {states}",
        f"measured power, {power.cells(len(found))}",
    ]
    if speed and watts:
        parts.append(
            f"on average {_times(speed)} from speed and {_times(watts)} from watts (geometric mean of {count})"
        )
    return " · ".join(parts)


def _times(value: float) -> str:
    return f"{value:.3g}{TIMES}"


def _row(change: Change, names: Mapping[SystemKey, str], choice: Choice) -> Row:
    """A change as a row of the data."""
    earlier, later = change.earlier, change.later
    (before, unit), (after, _) = power.per_energy(earlier), power.per_energy(later)
    return {
        "benchmark": later["benchmark"],
        "scenario": later["scenario"],
        "division": later["division"],
        "model": later["model"],
        "efficiency_ratio": change.ratio,
        "speed_ratio": change.speed,
        "watts_ratio": change.watts,
        "before": names[choice.earlier],
        "after": names[choice.later],
        "per_energy_before": before,
        "per_energy_after": after,
        "per_energy_unit": unit,
        "value_before": earlier["value"],
        "value_after": later["value"],
        "unit": later["unit"],
        **_states(earlier, later),
        "power_before": earlier["power_value"],
        "power_after": later["power_value"],
        "power_unit": later["power_unit"],
        "efficiency_before": earlier["efficiency"],
        "efficiency_after": later["efficiency"],
        "efficiency_unit": later["efficiency_unit"],
        "comparability": guard.remark(change.findings),
        "link_before": earlier["link"],
        "link_after": later["link"],
    }


def _states(earlier: Row, later: Row) -> Row:
    """Which of two results are verified, where one is not; a system's results are all so or all not."""
    before, after = unverified.state(earlier), unverified.state(later)
    return {"verification_before": before, "verification_after": after} if unverified.MARK in (before, after) else {}


def _chart(shown: Sequence[Change], names: Mapping[SystemKey, str], choice: Choice) -> Chart:
    """Bars from 1: first the share from speed, from its end the share from watts, which ends at the ratio.

    On a logarithmic axis the lengths of the two add up as the shares multiply.
    """
    places = list(range(len(shown)))
    speeds, ratios = [change.speed or 1.0 for change in shown], [change.ratio or 1.0 for change in shown]
    tops = [max(1.0, speed, ratio) for speed, ratio in zip(speeds, ratios, strict=True)]
    hovers = [_hover(change, names, choice) for change in shown]
    is_own = [any(map(unverified.is_unverified, (change.earlier, change.later))) for change in shown]
    series = [
        Series(
            "Share from watts", ratios, places, hovers, bases=speeds, mode="bars", colour=choice.palette[0],
            unverified=is_own,
        ),
        Series(
            "Share from speed", speeds, places, hovers, bases=[1.0] * len(shown), mode="bars",
            colour=choice.palette[1], unverified=is_own,
        ),
        Series(
            "Ratio", tops, places, text=[_times(ratio) for ratio in ratios], mode="markers", colour="rgba(0,0,0,0)",
            is_listed=False,
        ),
    ]  # fmt: skip
    low, high = math.log10(min(*speeds, *ratios, 1.0)), math.log10(max(*tops, 1.5))
    limits = (low - 0.03 * (high - low), high + 0.18 * (high - low))
    ticks = [tick for tick in TICKS if limits[0] <= math.log10(tick) <= limits[1]]
    measure = Measure("Performance per energy, ratio", TIMES, "higher", is_derived=True)
    figure = plots.plot(
        [Series("1", [1, 1], [-0.5, len(shown) - 0.5], mode="lines", dash="dash", is_listed=False), *series],
        Axis(
            power.log_title(measure),
            kind="log",
            values=ticks,
            ticks=[f"{tick:g}{TIMES}" for tick in ticks],
            range=limits,
        ),
        Axis(ticks=[change.cell.lines for change in shown], range=(len(shown) - 0.5, -0.5)),
        height=110 + power.ROW * len(shown),
    )
    told = "; ".join(f"{change.cell.title} {_times(change.ratio or 1.0)}" for change in shown)
    return Chart(figure, f"{measure.label}, over 1 is better: {told}")


def _hover(change: Change, names: Mapping[SystemKey, str], choice: Choice) -> str:
    lines = [
        change.cell.title,
        f"{_times(change.ratio or 1)}: {_times(change.speed or 1)} from speed, {_times(change.watts or 1)} from watts",
    ]
    for key, row in ((choice.earlier, change.earlier), (choice.later, change.later)):
        value, unit = power.per_energy(row)
        result = f"{number_text(row['value'])} {row['unit']}, {number_text(row['power_value'])} {row['power_unit']}"
        lines.append(f"{_side(key, names, choice)}: {power.measure(unit).text(value)} ({result})")
    return "\n".join(lines)


def _side(key: SystemKey, names: Mapping[SystemKey, str], choice: Choice) -> str:
    """What tells the two apart: the round of one system, the names of two."""
    return key.round if choice.earlier[2:] == choice.later[2:] else names[key]


def _twins(shown: Sequence[Change]) -> list[str]:
    """How many figures are those of the same runs under a second name."""
    count = len(shown) - means(shown)[3]
    if not count:
        return []
    return [f"{count} of them repeat the figures of the same model at another accuracy; the mean counts those once."]


def _left_out(rows: Sequence[Row], found: Sequence[Change]) -> list[str]:
    """Measured results that only one of the two has."""
    shown = {row["result_id"] for change in found for row in (change.earlier, change.later)}
    count = len({row["result_id"] for row in power.measured(rows)} - shown)
    return [f"{count} measured results have no counterpart in the other, and are left out."] if count else []


def _advice(rows: Sequence[Row], choice: Choice) -> str:
    """What to do where the two cannot be set against one another."""
    if choice.earlier == choice.later:
        return "Choose two different systems, or one system in two rounds."
    have = {SystemKey.of(row) for row in power.measured(rows)}
    bare = [key.label for key in (choice.earlier, choice.later) if key not in have]
    if bare:
        return f"No measured power: {'; '.join(bare)}. Choose systems that submitted power results."
    return "The two share no benchmark and scenario with measured power. Choose another pair."
