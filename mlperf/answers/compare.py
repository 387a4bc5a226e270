"""How systems compare: relative performance against a baseline, absolute values, matrix, sheets side by side."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, NamedTuple

import duckdb

from mlperf import compare, figures, guard, plots, queries, unverified
from mlperf.answers.answer import Answer, Chart, Row, table
from mlperf.facts import facts
from mlperf.figures import PALETTE
from mlperf.guard import Finding
from mlperf.metrics import TIMES, Measure, beside_score, measure, number_text
from mlperf.model import Kind
from mlperf.plots import Axis, Series
from mlperf.ranking import is_same_run_at_other_accuracy
from mlperf.systems import SystemKey, short_names

MOST: Final = 8
GEOMETRIC_MEAN: Final = "Geometric mean"


@dataclass(frozen=True)
class Choice:
    """Systems, the one that the others are measured against, and whether per accelerator."""

    systems: tuple[SystemKey, ...]
    baseline: SystemKey | None = None
    """The first system for None."""
    is_per_accelerator: bool = False
    palette: tuple[str, ...] = PALETTE


class Cell(NamedTuple):
    """A place of the matrix: results of one benchmark and scenario, whichever the round calls it."""

    kind: Kind
    lineage: str
    scenario: str | None

    @property
    def title(self) -> str:
        """`ResNet-50 v1.5 · Offline`; in training the benchmark alone."""
        return " · ".join(filter(None, [self._name, self.scenario]))

    @property
    def base(self) -> str:
        """The benchmark's name without its accuracy."""
        return guard.TIER.sub("", self._name)

    @property
    def _name(self) -> str:
        known = facts().benchmark(self.kind, self.lineage, None)
        return known.full_name if known else self.lineage


class Compared(NamedTuple):
    """One system's result in one cell beside the baseline's."""

    system: SystemKey
    row: Row
    value: float | None
    """The figure compared: the result, or the result per accelerator; None where that cannot be had."""
    unit: str
    relative: float | None
    """Over 1 is better than the baseline; None where the baseline has none or the rules forbid it."""
    findings: tuple[Finding, ...]


Matrix = Mapping[Cell, Mapping[SystemKey, Compared]]


def default_systems(con: duckdb.DuckDBPyConnection, submitter: str) -> tuple[SystemKey, ...]:
    """Two edge systems of a submitter, of one round and without power, that share most results; newest round first."""
    return tuple(SystemKey(*found) for found in queries.alike_systems(con, submitter))


def answer(con: duckdb.DuckDBPyConnection, choice: Choice) -> Answer:
    """Relative performance of the systems in all that the baseline and another have."""
    rows = queries.system_results(con, choice.systems)
    found = matrix(rows.to_pylist(), choice) if choice.systems else {}
    keys = [key for key in choice.systems if any(key in cell for cell in found.values())]
    if not keys:
        return Answer("No systems to compare", "", advice="Choose two to eight systems above.")
    results = [one.row for cells in found.values() for one in cells.values()]
    baseline, names = _baseline(choice, keys), unverified.names(short_names(keys), results)
    data = _data(found, names, baseline, choice.is_per_accelerator)
    others = [key for key in keys if key != baseline]
    means = {key: geometric_mean(found, keys, key) for key in others}
    merged = guard.merged({cell.title: [one.row for one in cells.values()] for cell, cells in found.items()})
    is_compared = any(found[cell][key].relative for cell in found for key in others if key in found[cell])
    return Answer(
        heading=_heading(names, baseline, means, choice),
        below=_below(found, keys, means, choice),
        charts=_charts(found, others, names, baseline, means, choice),
        data=table(unverified.stated(data)),
        rows=rows.filter([row in _shown(found) for row in rows["result_id"].to_pylist()]),
        findings=(*_kinds(keys, found), *merged),
        notes=(
            *unverified.legend(results),
            *_left_out(rows.to_pylist(), found),
            *_counted_once(found, keys),
            *_explained(choice),
        ),
        derived=_derived(names[baseline], is_compared, means, choice, any(row.get("per_accelerator") for row in data)),
        file_name="_".join(
            ["compare", *(["per_accelerator"] if choice.is_per_accelerator else []), *(key.system for key in keys)]
        )[:100],
    )


def matrix(rows: Sequence[Row], choice: Choice) -> Matrix:
    """Each system's result per cell, in the cells' order: one result each, the closed, official, powerless one first.

    A result listed in two suites is one. Findings are those of each result beside the baseline's.
    """
    listed: dict[Cell, dict[SystemKey, list[Row]]] = {}
    for row in sorted(rows, key=_preference):
        key = SystemKey.of(row)
        of_system = listed.setdefault(_cell(key.kind, row), {}).setdefault(key, [])
        if not of_system or of_system[0]["result_id"] == row["result_id"]:
            of_system.append(row)
    found = {cell: _in_one_suite(of_systems) for cell, of_systems in listed.items()}
    baseline = _baseline(choice, [SystemKey.of(row) for row in rows])
    return {
        cell: {key: _compared(key, cells[key], cells.get(baseline), choice) for key in choice.systems if key in cells}
        for cell, cells in sorted(found.items(), key=lambda item: (item[0].kind, item[0].title))
    }


def _in_one_suite(listed: Mapping[SystemKey, Sequence[Row]]) -> dict[SystemKey, Row]:
    """Each result once: in a suite that lists all of them where there is one, for then their suites do not differ."""
    shared = compare.common([row["suite"] for row in rows] for rows in listed.values())
    return {key: next((row for row in rows if row["suite"] in shared), rows[0]) for key, rows in listed.items()}


def _kinds(keys: Sequence[SystemKey], found: Matrix) -> tuple[Finding, ...]:
    """The refusal to compare kinds with one another: they have no cell in common in which the guard could say so."""
    firsts = [next(cells[key].row for cells in found.values() if key in cells) for key in keys]
    return tuple(one for one in guard.findings(firsts) if one.kind == "kind")


def geometric_mean(found: Matrix, keys: Sequence[SystemKey], key: SystemKey) -> tuple[float | None, int]:
    """The mean of a system's relative performance over the cells in which all systems have one; and over how many.

    Cells that are the very same run in every system count once.
    """
    cells = [same[0] for same in common_runs(found, keys)]
    return compare.geometric_mean([found[cell][key].relative or 0.0 for cell in cells]), len(cells)


def common_runs(found: Matrix, keys: Sequence[SystemKey]) -> list[list[Cell]]:
    """The common cells; those together that are two accuracies of one benchmark and one run in each of the systems."""
    runs: list[list[Cell]] = []
    for cell in common_cells(found, keys):
        same = next((run for run in runs if _is_one_run(found, run[0], cell, keys)), None)
        if same is None:
            runs.append([cell])
        else:
            same.append(cell)
    return runs


def _is_one_run(found: Matrix, one: Cell, other: Cell, keys: Sequence[SystemKey]) -> bool:
    if (one.base, one.scenario) != (other.base, other.scenario):
        return False
    pairs = [(found[one][key], found[other][key]) for key in keys]
    return all(
        first.relative == second.relative and is_same_run_at_other_accuracy(first.row, second.row)
        for first, second in pairs
    )


def common_cells(found: Matrix, keys: Sequence[SystemKey]) -> list[Cell]:
    """The cells in which every system has a relative performance."""
    return [
        cell
        for cell, cells in found.items()
        if all(key in cells and cells[key].relative is not None for key in keys)
    ]  # fmt: skip


def _baseline(choice: Choice, keys: Sequence[SystemKey]) -> SystemKey:
    wanted = choice.baseline or choice.systems[0]
    return wanted if wanted in keys else next((key for key in choice.systems if key in keys), wanted)


def _cell(kind: Kind, row: Row) -> Cell:
    known = facts().benchmark(kind, row["benchmark"], None)
    return Cell(kind, known.lineage if known else row["benchmark"], row["scenario"])


def _preference(row: Row) -> tuple[object, ...]:
    """Of several results of one system in one cell: closed first, then without power, then the official model."""
    return row["division"] != "closed", row["has_power"], row["model"] or "", row["result_id"], row["suite"]


def _compared(key: SystemKey, row: Row, baseline: Row | None, choice: Choice) -> Compared:
    value, unit = _figure(row, choice)
    found = guard.findings([row] if baseline is None or baseline is row else [baseline, row])
    old = _figure(baseline, choice)[0] if baseline else None
    is_refused = any(one.is_refused for one in found)
    relative = None if is_refused else compare.speedup(value, old, row["better"])
    return Compared(key, row, value, unit, relative, found)


def _figure(row: Row, choice: Choice) -> tuple[float | None, str]:
    if not choice.is_per_accelerator:
        return row["value"], row["unit"]
    chips = len(row["accelerators"] or [])
    value = compare.per_accelerator(row["metric"], row["value"], row["accelerator_count"], chips)
    return value, compare.per_accelerator_unit(row["metric"], row["unit"])


def _data(
    found: Matrix, names: Mapping[SystemKey, str], baseline: SystemKey, is_per_accelerator: bool
) -> list[Row]:  # fmt: skip
    """One row per system and cell: what the charts draw, with both kinds of figures."""
    return [
        {
            "benchmark": one.row["benchmark"],
            "scenario": cell.scenario,
            "system": names[key],
            "sheet": key.address,
            "submitter": key.submitter,
            "round": key.round,
            "division": one.row["division"],
            "availability": one.row["availability"],
            "accelerator": one.row["accelerator"],
            "accelerator_count": one.row["accelerator_count"],
            "has_power": one.row["has_power"],
            "metric": one.row["metric"],
            "value": one.row["value"],
            "unit": one.row["unit"],
            "better": one.row["better"],
            **({"per_accelerator": one.value, "per_accelerator_unit": one.unit} if is_per_accelerator else {}),
            "relative": one.relative,
            "baseline": names[baseline],
            "comparability": guard.remark(one.findings),
            "verified": one.row["verified"],
            "public_id": one.row["public_id"],
            "link": one.row["link"],
        }
        for cell, cells in found.items()
        for key, one in cells.items()
    ]


def _charts(
    found: Matrix, others: Sequence[SystemKey], names: Mapping[SystemKey, str], baseline: SystemKey,
    means: Mapping[SystemKey, tuple[float | None, int]], choice: Choice,
) -> tuple[Chart, ...]:  # fmt: skip
    cells = [cell for cell, row in found.items() if any(key in row and row[key].relative for key in others)]
    if not cells:
        return ()
    colours = figures.system_colours([f"{key.submitter}/{key.system}" for key in (baseline, *others)], choice.palette)
    with_mean = any(mean is not None for mean, _ in means.values())
    places = [*([GEOMETRIC_MEAN] if with_mean else []), *(cell.title for cell in cells)]
    measured = Measure(f"Performance{_per(choice)} relative to {names[baseline]}", TIMES, "higher", is_derived=True)
    own = {key for cells in found.values() for key, one in cells.items() if unverified.is_unverified(one.row)}
    series = [
        replace(one, unverified=[True] * len(one.x)) if {key, baseline} & own else one
        for key in others
        for one in [
            _relative(
                found, cells, key, means[key][0] if with_mean else None, with_mean, names, colours, len(others) == 1
            )
        ]
    ]
    line = Series("baseline", [1, 1], [-0.5, len(places) - 0.5], mode="lines", dash="dash", is_listed=False)
    values = [1.0, *(x for one in series for x in one.x if x is not None)]
    room = max(max(values) - min(values), 0.1) * (0.45 if len(others) == 1 else 0.1)
    figure = plots.plot(
        [line, *series],
        Axis(_in_lines(measured.axis), range=(min(values) - room, max(values) + room)),
        Axis(
            ticks=[plots.wrapped(place.replace(" accuracy)", ")"), 34) for place in places],
            range=(len(places) - 0.5, -0.5),
        ),
        height=110 + plots.ROW * len(places),
    )
    return (Chart(figure, f"{measured.label}: {', '.join(places)}; over 1 is better"),)


def _in_lines(title: str) -> str:
    """The title in lines that fit a phone."""
    return title.replace(" relative to ", " relative to\n").replace(" – ", "\n")


def _relative(
    found: Matrix, cells: Sequence[Cell], key: SystemKey, mean: float | None, with_mean: bool,
    names: Mapping[SystemKey, str], colours: Mapping[str, str], is_labelled: bool,
) -> Series:  # fmt: skip
    """A system's marks, one per cell it has; the mean on top."""
    marks = [found[cell].get(key) for cell in cells]
    values = [*([mean] if with_mean else []), *(mark.relative if mark else None for mark in marks)]
    hovers = [*([f"{names[key]}\n{GEOMETRIC_MEAN}"] if with_mean else [])]
    hovers += [_hover(cell, mark, names) if mark else "" for cell, mark in zip(cells, marks, strict=True)]
    return Series(
        names[key],
        values,
        list(range(len(values))),
        hover=[
            f"{hover}\n{number_text(value)}{TIMES}" if value else hover
            for hover, value in zip(hovers, values, strict=True)
        ],
        text=[f"{value:.3g}{TIMES}" if value else "" for value in values] if is_labelled else (),
        places=_places(values) if is_labelled else (),
        colour=colours[f"{key.submitter}/{key.system}"],
        symbol=plots.SYMBOLS[list(names).index(key) % len(plots.SYMBOLS)],
        mode="markers",
    )


def _places(values: Sequence[float | None]) -> list[str]:
    """Where labels stand: away from the baseline, but for those far left: there are the axis' names, on a phone."""
    lowest = min((value for value in values if value is not None), default=1.0)
    halfway = (lowest + 1) / 2
    return ["middle left" if value is not None and halfway < value < 1 else "middle right" for value in values]


def _hover(cell: Cell, one: Compared, names: Mapping[SystemKey, str]) -> str:
    parts = [names[one.system], cell.title, measure(one.row | {"unit": one.unit}).text(one.value)]
    return "\n".join([*parts, *beside_score(one.row), *(found.text for found in one.findings)])


def _per(choice: Choice) -> str:
    """What is said wherever the figures are not those of whole systems."""
    return " per accelerator" if choice.is_per_accelerator else ""


def _heading(
    names: Mapping[SystemKey, str], baseline: SystemKey, means: Mapping[SystemKey, tuple[float | None, int]],
    choice: Choice,
) -> str:  # fmt: skip
    """The answer in a line: how many times better each is than the baseline, best first."""
    found = sorted(((mean, names[key]) for key, (mean, _) in means.items() if mean is not None), reverse=True)
    if not found:
        others = [name for key, name in names.items() if key != baseline]
        return f"{names[baseline]}{' beside ' + ', '.join(others) if others else ''}{_per(choice)}"
    told = ", ".join(f"{name} {mean:.2f}{TIMES}" for mean, name in found[:3])
    more = f" and {len(found) - 3} more" if len(found) > 3 else ""
    return f"{told}{more} the performance{_per(choice)} of {names[baseline]}"


def _below(found: Matrix, keys: Sequence[SystemKey], means: Mapping[SystemKey, object], choice: Choice) -> str:
    """In what the systems were compared, and over how many cells the mean runs."""
    cells, runs = len(common_cells(found, keys)), len(common_runs(found, keys))
    played = sorted({f"{facts().kind_name(key.kind)} {key.round}" for key in keys})
    parts = [f"MLPerf® {' and '.join(played)}", f"{len(found)} benchmarks and scenarios"]
    parts += ["per accelerator (derived)"] if choice.is_per_accelerator else []
    if means:
        parts.append(
            f"geometric mean over the {cells} that all have{f', {runs} runs' if runs < cells else ''} (derived)"
            if cells
            else "none of them that all have and that may be compared"
        )
    else:
        parts.append("choose a second system to compare with")
    return " · ".join(parts)


def _shown(found: Matrix) -> set[str]:
    return {one.row["result_id"] for cells in found.values() for one in cells.values()}


def _left_out(rows: Sequence[Row], found: Matrix) -> list[str]:
    """Results of the systems that the charts do not show: others of the same system, benchmark and scenario."""
    shown = _shown(found)
    hidden = {row["result_id"]: row for row in rows if row["result_id"] not in shown}
    kinds = sorted({f"{row['division']}{' with power' if row['has_power'] else ''}" for row in hidden.values()})
    if not hidden:
        return []
    return [
        f"Not shown: {len(hidden)} more results ({', '.join(kinds)}) of these systems in the same benchmarks and "
        "scenarios; Explore and the systems' sheets have them."
    ]


def _counted_once(found: Matrix, keys: Sequence[SystemKey]) -> list[str]:
    """Which cells the geometric mean takes together."""
    same = [run for run in common_runs(found, keys) if len(run) > 1]
    if len(keys) < 2 or not same:
        return []
    pairs = "; ".join(" = ".join(cell.title for cell in run) for run in same)
    return [f"The very same run in each of the systems, in the geometric mean once: {pairs}."]


def _explained(choice: Choice) -> list[str]:
    """How to read the chart."""
    texts = ["Over 1 is better than the baseline, also where a lower latency or time is the better one."]
    if choice.is_per_accelerator:
        texts.append(
            "Per accelerator: throughput divided by the system's accelerators; time to train times them "
            "(accelerator-minutes). Latency and systems with several sorts of accelerators have no such figure."
        )
    return texts


def _derived(
    baseline: str, is_compared: bool, means: Mapping[SystemKey, tuple[float | None, int]], choice: Choice,
    has_shares: bool,
) -> tuple[str, ...]:  # fmt: skip
    """The derived metrics that are shown: none where nothing is compared."""
    per = _per(choice)
    ratios = (f"performance{per} relative to {baseline} (ratio of results{per})",) if is_compared else ()
    has_mean = any(mean is not None for mean, _ in means.values())
    shares = ("performance per accelerator (result over the system's accelerators)",) if has_shares else ()
    return (*ratios, *(("geometric mean of these ratios",) if has_mean else ()), *shares)


def panels(found: Matrix) -> list[figures.Panel]:
    """The absolute values: a panel per cell and unit, the systems in the order chosen."""
    parts = []
    for cell, cells in found.items():
        for unit in dict.fromkeys(one.unit for one in cells.values()):
            marks = [one for one in cells.values() if one.unit == unit and one.value is not None]
            if not marks:
                continue
            rounds = tuple(dict.fromkeys(one.row["round"] for one in marks))
            row = marks[0].row
            rows = [one.row | {"value": one.value} for one in marks]
            shown = unit if unit == row["unit"] else f"{unit} (derived)"
            known = (cell.kind, cell.lineage, cell.scenario, row["metric"], shown, row["better"])
            parts.append(figures.Panel(*known, rounds, False, len(rows), rows))
    return parts


def absolute(found: Matrix, palette: Sequence[str] = PALETTE) -> Chart:
    """Small multiples of the absolute values with units."""
    parts = panels(found)
    drawn = figures.small_multiples(parts, figures.colours(parts, palette))
    return Chart(drawn, f"Bars: {', '.join(part.title for part in parts)}")


def matrix_table(found: Matrix, keys: Sequence[SystemKey]) -> list[Row]:
    """One row per benchmark and scenario, a column per system with figure and unit; None where there is no result."""
    names = short_names(list(keys))
    return [
        {"cell": cell.title}
        | {
            names[key]: unverified.marked(measure(one.row | {"unit": one.unit}).text(one.value), one.row)
            if (one := cells.get(key))
            else None
            for key in keys
        }
        for cell, cells in found.items()
    ]


def sheets(con: duckdb.DuckDBPyConnection, found: Matrix, keys: Sequence[SystemKey]) -> list[Row]:
    """The systems under test side by side: one row per fact, a column per system as its sheet states it."""
    names = short_names(list(keys))
    stated: dict[str, dict[str, str]] = {}
    for key in keys:
        results = [cells[key].row["result_id"] for cells in found.values() if key in cells]
        if not results:
            continue
        for fact in queries.specification(con, results[0]).to_pylist():
            stated.setdefault(fact["field"], {})[names[key]] = fact["value"]
    return [
        {"field": field, **{names[key]: values.get(names[key]) for key in keys}} for field, values in stated.items()
    ]


def differing(facts: Sequence[Row]) -> list[Row]:
    """The facts in which the systems differ."""
    return [fact for fact in facts if len({value for field, value in fact.items() if field != "field"}) > 1]


class Sides(NamedTuple):
    """What the other views show: the absolute values, the matrix and the sheets."""

    absolute: Chart
    matrix: list[Row]
    sheets: list[Row]


def sides(con: duckdb.DuckDBPyConnection, choice: Choice) -> Sides:
    """Absolute values, matrix and sheets of the same systems."""
    found = matrix(queries.system_results(con, choice.systems).to_pylist(), choice)
    return Sides(
        absolute(found, choice.palette), matrix_table(found, choice.systems), sheets(con, found, choice.systems)
    )
