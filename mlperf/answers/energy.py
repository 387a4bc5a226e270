"""Energy to train: the training results whose energy was measured in the very runs that were timed."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import duckdb

from mlperf import bars, figures, guard, queries, unverified
from mlperf.answers import power
from mlperf.answers.answer import Answer, Chart, Row, table
from mlperf.bars import Bar
from mlperf.facts import facts
from mlperf.figures import PALETTE
from mlperf.metrics import Measure, count_text, number_text
from mlperf.systems import SystemKey

READING = (
    "How to read it: the energy of the whole system for one training to the target quality. Like the time it is a mean "
    "of the runs without the fastest and the slowest. Lower is better for both. More nodes train faster and may take "
    "more energy, so the node count stands beside each."
)


@dataclass(frozen=True)
class Choice:
    """A benchmark of training; the first that there is for ""."""

    benchmark: str = ""
    palette: tuple[str, ...] = PALETTE


def benchmarks(con: duckdb.DuckDBPyConnection, submitter: str) -> dict[str, str]:
    """The benchmarks with measured energy and their full names: the submitter's first, then those with most results."""
    rows = queries.training_energy(con).to_pylist()
    published, _ = unverified.parted(rows)
    counts = Counter(row["benchmark"] for row in published or rows)
    own = Counter(row["benchmark"] for row in rows if row["submitter"] == submitter)
    return {name: _title(name) for name in sorted(counts, key=lambda name: (-own[name], -counts[name], name))}


def answer(con: duckdb.DuckDBPyConnection, choice: Choice) -> Answer:
    """Energy and time to train of a benchmark, the least energy first; only what compares with the newest round."""
    rows = queries.training_energy(con)
    every = [row for row in rows.to_pylist() if choice.benchmark in ("", row["benchmark"])]
    if not every:
        return Answer("No training with measured energy", "", advice="Choose another benchmark above.")
    benchmark, unit = every[0]["benchmark"], every[0]["power_unit"]
    mine = [row for row in every if row["benchmark"] == benchmark]
    found = [row for row in mine if row["power_unit"] == unit and _compares(row, mine[0])]
    found.sort(key=lambda row: (row["power_value"], row["value"], row["result_id"]))
    names = _names(found)
    published, own = unverified.parted(found)
    best, listed = (published or own)[0], unverified.parted(mine)[0] or mine
    twins, rounds = Counter(map(SystemKey.of, found)), dict.fromkeys(row["round"] for row in listed)
    return Answer(
        heading=f"{_name(best, twins)}: least energy to train {_title(benchmark)}, {_energy(best)} in {_minutes(best)}",
        below=f"MLPerf® Training {', '.join(rounds)} · {count_text(len(published), 'result')} with measured energy"
        + (f" and {len(own)} {unverified.MARK}" if own else ""),
        charts=(_chart(found, names, choice.palette),),
        data=table(unverified.stated(_data(found, names))),
        rows=power.behind(rows, found),
        findings=guard.findings(found),
        notes=(*unverified.legend(found), READING, *_left_out(len(listed) - len(published or own), mine[0])),
        file_name=f"energy_to_train_{benchmark}",
    )


def _name(row: Row, twins: Counter[SystemKey]) -> str:
    """The system's ID, with its name where results under one ID were measured differently, as AC and DC power."""
    key = SystemKey.of(row)
    name = f"{key.system} ({row['system_name']})" if twins[key] > 1 and row["system_name"] else key.system
    return unverified.marked(name, row)


def _compares(row: Row, newest: Row) -> bool:
    return not any(found.is_refused for found in guard.findings([row, newest]))


def _title(benchmark: str) -> str:
    known = facts().benchmark("training", benchmark, None)
    return known.full_name if known else benchmark


def _names(found: Sequence[Row]) -> list[tuple[str, str]]:
    """A name per result, and what tells it apart: round, submitter, nodes; its system's name where an ID recurs."""
    twice = Counter((SystemKey.of(row), row["benchmark"]) for row in found)
    names: list[tuple[str, str]] = []
    for row in found:
        key, nodes = SystemKey.of(row), row["nodes"]
        name = (
            (row["system_name"] or key.submitter)
            if twice[key, row["benchmark"]] > 1
            else key.submitter.replace("_", " ")
        )
        parts = [name, key.round, f"{nodes} node{'s' if nodes > 1 else ''}" if nodes else ""]
        names.append((key.system, " · ".join(filter(None, parts))))
    return names


def _energy(row: Row) -> str:
    return f"{number_text(row['power_value'])} {row['power_unit']}"


def _minutes(row: Row) -> str:
    return f"{number_text(row['value'])} {row['unit']}"


def _data(found: Sequence[Row], names: Sequence[tuple[str, str]]) -> list[Row]:
    """One row per result, least energy first."""
    remark = guard.remark(guard.findings(found))
    copied = (
        "power_value", "power_unit", "value", "unit", "round", "submitter", "system_name", "nodes", "accelerator",
        "accelerator_count", "division", "availability", "verified", "public_id",
    )  # fmt: skip
    return [
        {"benchmark": row["benchmark"], "system": name}
        | {column: row[column] for column in copied}
        | {"comparability": remark, "sheet": power.sheet(SystemKey.of(row)), "link": row["link"]}
        for row, (name, _) in zip(found, names, strict=True)
    ]


def _chart(found: Sequence[Row], names: Sequence[tuple[str, str]], palette: tuple[str, ...]) -> Chart:
    keys = [f"{row['submitter']}/{SystemKey.of(row).system}" for row in found]
    colours = figures.system_colours(keys, palette)
    measure = Measure("Energy to train", found[0]["power_unit"], "lower")
    marks = [
        Bar(
            power.bar_name(name, more),
            row["power_value"],
            f"{_energy(row)} · {_minutes(row)}",
            f"{name}\n{more}\n{_energy(row)}",
            colours[key],
            unverified.is_unverified(row),
        )
        for row, (name, more), key in zip(found, names, keys, strict=True)
    ]
    figure = bars.bars(marks, measure.axis)
    told = "; ".join(f"{name} {_energy(row)} in {_minutes(row)}" for row, (name, _) in zip(found, names, strict=True))
    return Chart(figure, f"{measure.axis}: {told}")


def _left_out(count: int, newest: Row) -> list[str]:
    return (
        [f"Left out: {count_text(count, 'result')} that may not be compared with {newest['round']}."] if count else []
    )
