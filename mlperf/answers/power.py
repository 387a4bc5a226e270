"""Performance per energy of chosen systems, from power measured in the very run; and what all views of power share."""

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple
from urllib.parse import quote

import duckdb
import pyarrow as pa

from mlperf import figures, guard, plots, queries, unverified
from mlperf.answers.answer import Answer, Chart, Row, in_order, table
from mlperf.facts import facts
from mlperf.figures import PALETTE
from mlperf.metrics import PER_ENERGY, Measure, number_text
from mlperf.plots import Axis, Series
from mlperf.systems import SystemKey, short_names

MOST: Final = 8
MOST_CELLS: Final = 24
"""Benchmarks and scenarios of a chart."""
ROW: Final = 36
"""Pixels of a place whose name takes two lines."""
LETTERS: Final = 22
"""Of the first line of a bar's name; the second is smaller."""
READING: Final = (
    "How to read it: power was measured in the very run. Offline and Server: samples (or tokens) per second per watt, "
    "the same as per joule. SingleStream and MultiStream measure energy per query: SingleStream is 1 over the "
    "millijoules of a query; a MultiStream query holds 8 samples, so it is 8 over its millijoules. One query per "
    "millijoule is 1,000 samples per joule, the unit of the column Efficiency."
)
DERIVED: Final = "performance per energy (result and power measured in the same run)"
NO_POWER: Final = "Choose systems that submitted power results; most results come without measured power."


@dataclass(frozen=True)
class Choice:
    """Systems with measured power, and the unit to show; the unit of most results for ""."""

    systems: tuple[SystemKey, ...]
    unit: str = ""
    palette: tuple[str, ...] = PALETTE


class Cell(NamedTuple):
    """Results of one benchmark and scenario, whichever name the round gives the benchmark."""

    lineage: str
    scenario: str
    variant: str = ""
    """The division with the model of its own, where it is not the closed one: such results stand apart."""

    @staticmethod
    def of(row: Row) -> "Cell":
        """The cell of a result of inference."""
        known = facts().benchmark("inference", row["benchmark"], None)
        variant = "" if row["division"] == "closed" else ", ".join(filter(None, (row["division"], row["model"])))
        return Cell(known.lineage if known else row["benchmark"], row["scenario"] or "", variant)

    @property
    def name(self) -> str:
        """`3D U-Net (99 %)`."""
        known = facts().benchmark("inference", self.lineage, None)
        return (known.full_name if known else self.lineage).replace(" accuracy)", ")")

    @property
    def title(self) -> str:
        """`3D U-Net (99 %) · Offline`."""
        return " · ".join(filter(None, (self.name, self.scenario, self.variant)))

    @property
    def lines(self) -> str:
        """The title in two lines, beside a chart's place."""
        return f"{self.name}\n{plots.wrapped(' · '.join(filter(None, (self.scenario, self.variant))), LETTERS)}"


Cells = Mapping[Cell, Mapping[SystemKey, Row]]


def default_systems(con: duckdb.DuckDBPyConnection, submitter: str) -> tuple[SystemKey, ...]:
    """The systems with measured power of the submitter's newest round that has any; of all where it has none."""
    found = queries.power_systems(con, submitter)
    return tuple(
        SystemKey("inference", *one) for one in found if one[:2] == found[0][:2]
    )[:MOST]  # fmt: skip


def known_systems(con: duckdb.DuckDBPyConnection, submitter: str) -> frozenset[str]:
    """The systems with measured power, as links name them."""
    return frozenset(SystemKey("inference", *one).text for one in queries.power_systems(con, submitter))


def units(con: duckdb.DuckDBPyConnection, systems: tuple[SystemKey, ...]) -> list[str]:
    """The units in which the systems' performance per energy is read, that of most results first."""
    counts: dict[str, int] = {}
    for cell in _cells(queries.system_results(con, systems)).values():
        for row in cell.values():
            counts[per_energy(row)[1]] = counts.get(per_energy(row)[1], 0) + 1
    return sorted(counts, key=lambda unit: (-counts[unit], unit))


def answer(con: duckdb.DuckDBPyConnection, choice: Choice) -> Answer:
    """Performance per energy of the systems for each benchmark and scenario that is read in the unit."""
    rows = queries.system_results(con, choice.systems)
    found, known = _cells(rows), units(con, choice.systems)
    if not known:
        return Answer("No measured power", "", advice=NO_POWER)
    unit = choice.unit if choice.unit in known else known[0]
    shown = {cell: kept for cell, marks in found.items() if (kept := _in_unit(marks, unit))}
    keys = [key for key in choice.systems if any(key in marks for marks in shown.values())]
    results = [row for marks in shown.values() for row in marks.values()]
    names = unverified.names(short_names(keys), results)
    return Answer(
        heading=_heading(shown, names, unit),
        below=_below(shown, keys),
        charts=(_chart(dict(list(shown.items())[:MOST_CELLS]), names, unit, choice.palette),),
        data=table(unverified.stated(_data(shown, names))),
        rows=behind(rows, results),
        findings=guard.merged({cell.title: list(marks.values()) for cell, marks in shown.items()}),
        notes=(
            *unverified.legend(results),
            READING,
            *_left_out(found, shown, choice.systems),
            *undrawn(len(shown), MOST_CELLS),
        ),
        derived=(DERIVED,),
        file_name=f"power_{'_'.join(key.system for key in keys)}"[:100],
    )


def measured(rows: Iterable[Row]) -> list[Row]:
    """The results of inference whose power was measured in the very run, each once though two suites list it."""
    found: dict[str, Row] = {}
    for row in rows:
        is_measured = row["has_power"] and (row["power_value"] or 0) > 0 and (row["efficiency"] or 0) > 0
        if is_measured and (row["power_unit"], row["efficiency_unit"]) in PER_ENERGY:
            found.setdefault(row["result_id"], row)
    return list(found.values())


def per_energy(row: Row) -> tuple[float, str]:
    """Performance per energy of a measured result, and its unit: `samples/s per W`, `queries/mJ`.

    Source: inference.md section 4 and views.md item 8; the stored efficiency is per joule in every scenario.
    """
    factor, unit = PER_ENERGY[row["power_unit"], row["efficiency_unit"]]
    return row["efficiency"] * factor, unit


def measure(unit: str) -> Measure:
    """What performance per energy measures."""
    return Measure("Performance per energy", unit, "higher", is_derived=True)


def log_title(measure: Measure) -> str:
    """The title of a logarithmic axis, in lines that fit below a chart on a phone."""
    return f"{measure.axis}, log scale".replace(" (derived)", "\n(derived)").replace(" – ", "\n")


def by_system(rows: Iterable[Row]) -> dict[Cell, dict[SystemKey, Row]]:
    """One result per cell and system; cells in the order of their titles."""
    found: dict[Cell, dict[SystemKey, Row]] = {}
    for row in sorted(
        measured(rows), key=lambda row: (row["division"] != "closed", row["model"] or "", row["result_id"])
    ):
        found.setdefault(Cell.of(row), {}).setdefault(SystemKey.of(row), row)
    return dict(sorted(found.items(), key=lambda item: item[0].title))


def behind(rows: pa.Table, shown: Iterable[Row]) -> pa.Table:
    """Those rows that are shown, each result once and in their order: what footnote and citation name."""
    ordered = list(shown)
    wanted = {(row["result_id"], row["suite"]) for row in ordered}
    keys = zip(rows["result_id"].to_pylist(), rows["suite"].to_pylist(), strict=True)
    return in_order(rows.filter(pa.array([key in wanted for key in keys], pa.bool_())), ordered)


def sheet(key: SystemKey) -> str:
    """The address of a system's page."""
    return f"system?system={quote(key.text, safe='')}"


def _cells(rows: pa.Table) -> dict[Cell, dict[SystemKey, Row]]:
    return by_system(rows.to_pylist())


def _in_unit(marks: Mapping[SystemKey, Row], unit: str) -> dict[SystemKey, Row]:
    return {key: row for key, row in marks.items() if per_energy(row)[1] == unit}


def _heading(shown: Cells, names: Mapping[SystemKey, str], unit: str) -> str:
    """For one system its best figure; for several, who is ahead in what they share."""
    if len(names) == 1:
        cell, row = max(((cell, row) for cell, marks in shown.items() for row in marks.values()), key=_figure)
        return f"{next(iter(names.values()))}: {measure(unit).text(per_energy(row)[0])} in {cell.title}"
    shared = [marks for marks in shown.values() if len(marks) > 1]
    if not shared:
        return f"{len(names)} systems with measured power, no benchmark and scenario in common"
    wins = Counter(names[key] for marks in shared for key in _best(marks))
    most = max(wins.values())
    first = [name for name in names.values() if wins[name] == most]
    where = f"in {most} of {cells(len(shared))} that they share"
    if len(first) == 1:
        return f"{first[0]} does most per joule {where}"
    return f"A tie: {', '.join(first[:-1])} and {first[-1]} each do most per joule {where}"


def _best(marks: Mapping[SystemKey, Row]) -> list[SystemKey]:
    """Who does most per joule; all of them where they do the same."""
    most = max(per_energy(row)[0] for row in marks.values())
    return [key for key, row in marks.items() if per_energy(row)[0] == most]


def _figure(mark: tuple[Cell, Row]) -> float:
    return per_energy(mark[1])[0]


def _below(shown: Cells, keys: Sequence[SystemKey]) -> str:
    played = ", ".join(sorted({f"Inference {key.round}" for key in keys}))
    return f"MLPerf® {played} · measured power · {cells(len(shown))}"


def bar_name(name: str, more: str) -> str:
    """The two lines of a bar's name, cut in the middle to leave room for the bars on a phone."""
    return f"{plots.wrapped(name, LETTERS)}\n{plots.wrapped(more, LETTERS + 4)}"


def bar_lines(row: Row) -> str:
    """The name of a result's bar: its system, then its submitter with chips or model; `bars` marks unverified ones."""
    if unverified.is_unverified(row):
        return bar_name(SystemKey.of(row).system, plots.wrapped(row["submitter"], 14))
    more = f"{plots.wrapped(row['submitter'], 10)} · {row['model'] or chips(row)}"
    return bar_name(SystemKey.of(row).system, more)


def chips(row: Row) -> str:
    """The accelerators of a result's system, without their maker: `8× H100-SXM-80GB`."""
    count = f"{row['accelerator_count']}× " if row["accelerator_count"] else ""
    return f"{count}{figures.VENDOR.sub('', row['accelerator'])}" if row["accelerator"] else "no accelerator"


def undrawn(count: int, most: int) -> list[str]:
    """That the chart draws the first of so many only."""
    return [f"The chart draws {most} of {count}; the table and the files have all."] if count > most else []


def cells(count: int) -> str:
    """So many benchmarks and scenarios, in words."""
    return f"{count} benchmarks and scenarios" if count != 1 else "1 benchmark and scenario"


def _left_out(found: Cells, shown: Cells, systems: Sequence[SystemKey]) -> list[str]:
    """Results in other units, and systems without measured power."""
    others = sum(map(len, found.values())) - sum(map(len, shown.values()))
    bare = [key.system for key in systems if not any(key in marks for marks in found.values())]
    notes = [f"{others} results are read in another unit: choose it above."] if others else []
    return notes + ([f"Without measured power, and left out: {', '.join(bare)}."] if bare else [])


def _data(shown: Cells, names: Mapping[SystemKey, str]) -> list[Row]:
    """One row per mark."""
    rows = []
    for marks in shown.values():
        found = guard.remark(guard.findings(list(marks.values())))
        rows += [figures_of(row, names[key]) | {"comparability": found} for key, row in marks.items()]
    return rows


def figures_of(row: Row, name: str) -> Row:
    """A measured result's figures, as columns of an answer's data."""
    value, unit = per_energy(row)
    copied = ("round", "submitter", "division", "model", "availability", "accelerator", "accelerator_count")
    return {
        "benchmark": row["benchmark"],
        "scenario": row["scenario"],
        "system": name,
        "per_energy": value,
        "per_energy_unit": unit,
        **{column: row[column] for column in ("value", "unit", "power_value", "power_unit")},
        **{column: row[column] for column in ("efficiency", "efficiency_unit")},
        **{column: row[column] for column in copied},
        "verified": row["verified"],
        "public_id": row["public_id"],
        "sheet": sheet(SystemKey.of(row)),
        "link": row["link"],
    }


def hover(row: Row, title: str, name: str) -> str:
    """What stands beside a mark."""
    value, unit = per_energy(row)
    return "\n".join(
        [
            name,
            title,
            measure(unit).text(value),
            f"{number_text(row['value'])} {row['unit']} at {number_text(row['power_value'])} {row['power_unit']}",
        ]
    )


def _chart(shown: Cells, names: Mapping[SystemKey, str], unit: str, palette: Sequence[str]) -> Chart:
    """Dots over a logarithmic axis: benchmarks differ by orders of magnitude."""
    cells, keys = list(shown), list(names)
    colours = figures.system_colours([f"{key.submitter}/{key.system}" for key in keys], tuple(palette))
    values = [per_energy(row)[0] for marks in shown.values() for row in marks.values()]
    low, high = math.log10(min(values)), math.log10(max(values))
    span = max(high - low, 0.5)
    first, last = low - 0.08 * span, high + (0.35 if len(keys) == 1 else 0.08) * span
    ticks = [tick for tick in _ticks(span) if first <= math.log10(tick) <= last]
    series = [_dots(shown, key, names[key], number, colours, len(keys) == 1) for number, key in enumerate(keys)]
    figure = plots.plot(
        series,
        Axis(
            log_title(measure(unit)),
            kind="log",
            ticks=[f"{tick:,.10g}" for tick in ticks],
            values=ticks,
            range=(first, last),
        ),
        Axis(ticks=[cell.lines for cell in cells], range=(len(cells) - 0.5, -0.5)),
        height=100 + ROW * len(cells),
    )
    return Chart(figure, f"{measure(unit).axis}: {', '.join(cell.title for cell in cells)}")


def _ticks(decades: float) -> list[float]:
    """Where a logarithmic axis of so many decades has ticks, in all its length."""
    steps = (1, 2, 5) if decades < 2 else (1,)
    every = 1 if decades < 4 else 2
    return [step * 10.0**power for power in range(-12, 13, every) for step in steps]


def _dots(
    shown: Cells, key: SystemKey, name: str, number: int, colours: Mapping[str, str], is_labelled: bool
) -> Series:  # fmt: skip
    marks = [(place, cell, marks[key]) for place, (cell, marks) in enumerate(shown.items()) if key in marks]
    values = [per_energy(row)[0] for _, _, row in marks]
    return Series(
        name,
        values,
        [place for place, _, _ in marks],
        hover=[hover(row, cell.title, name) for _, cell, row in marks],
        text=[number_text(value) for value in values] if is_labelled else (),
        colour=colours[f"{key.submitter}/{key.system}"],
        symbol=plots.SYMBOLS[number % len(plots.SYMBOLS)],
        mode="markers",
        unverified=[unverified.is_unverified(row) for _, _, row in marks],
    )
