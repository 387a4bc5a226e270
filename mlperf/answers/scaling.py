"""How training scales over nodes: minutes, speed-up and efficiency, and how much of a loss is a later convergence."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from mlperf import guard, queries
from mlperf.answers import scaling_charts, scaling_words
from mlperf.answers.answer import Answer, Row, table
from mlperf.answers.scaling_charts import ACROSS, VIEWS, Across, Look, View
from mlperf.families import Family, Member, families
from mlperf.figures import PALETTE
from mlperf.metrics import measure
from mlperf.scaling import OWN_AXES, Line, Point, lines, matching, swappable, title
from mlperf.systems import SystemKey
from mlperf.unverified import legend, stated

__all__ = [
    "ACROSS",
    "VIEWS",
    "Across",
    "Choice",
    "View",
    "answer",
    "benchmarks",
    "known",
    "of_machines",
    "rounds",
    "submitters",
    "swaps",
    "title",
]

MOST: Final = 6
"""Benchmarks in one chart."""
ENOUGH: Final = 3
"""Numbers of nodes from which on a submitter's configuration is worth to be shown unasked."""
ADVICE: Final = (
    "Choose another benchmark, round or server: scaling takes results of one configuration on two numbers of nodes."
)


@dataclass(frozen=True)
class Choice:
    """What was trained on what; `machine` is a server, or the accelerator where the server is not known."""

    submitter: str
    round: str
    machine: str
    benchmarks: tuple[str, ...]
    configuration: str = ""
    """The name of a family; for "" each benchmark has the one with most numbers of nodes."""
    view: View = "minutes"
    across: Across = "nodes"
    swap: tuple[str, ...] = ()
    """IDs of unverified results that stand in for the published ones on as many nodes and accelerators."""
    palette: tuple[str, ...] = PALETTE


def known(con: duckdb.DuckDBPyConnection, _: None) -> tuple[Family, ...]:
    """Every family of training systems, newest round first; those of a lone system too."""
    return families(queries.scaling(con).to_pylist())


def submitters(found: Sequence[Family]) -> list[str]:
    """Who has results on several numbers of nodes, by alphabet; owners of unverified ones last."""
    named = {(not one.is_published, one.submitter.casefold(), one.submitter) for one in found if one.scaled()}
    return [submitter for _, _, submitter in sorted(named)]


def of_machines(found: Sequence[Family], submitter: str, round_id: str = "") -> dict[str, tuple[Family, ...]]:
    """A submitter's families that scale, per machine, the best one to show unasked first; of one round for a name.

    That is the newest with `ENOUGH` numbers of nodes in one benchmark, else the newest.
    """
    machines: dict[str, list[Family]] = {}
    for one in found:
        if one.submitter == submitter and one.scaled() and round_id in ("", one.round):
            machines.setdefault(one.machine, []).append(one)
    ordered = sorted(machines.items(), key=lambda item: min(map(_rank, item[1])))
    return {machine: tuple(group) for machine, group in ordered}


def rounds(found: Iterable[Family]) -> list[str]:
    """The rounds of these families, newest first."""
    return list(dict.fromkeys(one.round for one in sorted(found, key=lambda one: -one.round_index)))


def benchmarks(found: Iterable[Family]) -> dict[str, int]:
    """The benchmarks with results on several numbers of nodes, and how many, most first."""
    counts: dict[str, int] = {}
    for one in found:
        for benchmark in one.scaled():
            counts[benchmark] = max(counts.get(benchmark, 0), len(one.node_counts(benchmark)))
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def answer(con: duckdb.DuckDBPyConnection, choice: Choice) -> Answer:
    """The chosen benchmarks over numbers of nodes, each against its result on the fewest."""
    found, drawn, rows = _drawn(con, choice)
    if not drawn:
        return Answer("No results on several numbers of nodes", "MLPerf® Training and HPC", advice=ADVICE)
    every = [point.row for line in drawn for point in line.every]
    shown = sorted({row["result_id"] for row in every})
    merged = guard.merged({line.title: [point.row for point in line.every] for line in drawn})
    return Answer(
        heading=scaling_words.heading(drawn),
        below=scaling_words.below(drawn),
        charts=(scaling_charts.chart(drawn, Look(choice.view, choice.across, choice.palette)),),
        data=table(_stated([(line, point) for line in drawn for point in line.every])),
        rows=rows.filter(pc.is_in(rows["result_id"], pa.array(shown, pa.string()))),
        findings=tuple(finding for finding in merged if finding.kind not in OWN_AXES),
        notes=(*legend(every), *scaling_words.notes(drawn, found)),
        derived=tuple(scaling_words.derived(drawn)),
        file_name=f"scaling_{choice.submitter}_{choice.round}_{choice.machine}_{'_'.join(choice.benchmarks)}"[:100],
    )


def swaps(con: duckdb.DuckDBPyConnection, choice: Choice) -> dict[str, str]:
    """The unverified results that can stand in a choice's lines, by ID: benchmark, nodes, name and both figures."""
    _, drawn, _ = _drawn(con, choice)
    return {
        own["result_id"]: f"{line.title}, {scaling_words.nodes_text(own['nodes'])}: {scaling_words.named(own)}, "
        f"{measure(own).text(own['value'])} in place of {measure(other).text(other['value'])}"
        for line in drawn
        for own, other in swappable(line)
    }


def _drawn(con: duckdb.DuckDBPyConnection, choice: Choice) -> tuple[tuple[Family, ...], list[Line], pa.Table]:
    """The submitter's families of the round, the lines of the choice, and the results behind these."""
    played = queries.scaling(con, None, choice.round).to_pylist()
    found = families(row for row in played if row["submitter"] == choice.submitter)
    placed = _placed([one for one in found if _is_chosen(one, choice)], choice)
    own = [row["result_id"] for row in matching(played, placed)]
    wanted = [result for name, one in placed.items() for member in one.members for result in _of(member, name)]
    rows = queries.training_results(con, [*wanted, *own])
    listed = rows.to_pylist()
    converged = {row["result_id"]: row for row in queries.convergence(con, [*wanted, *own]).to_pylist()}
    mine = [row for row in listed if row["result_id"] in own]
    drawn = lines(placed, [row for row in listed if row["result_id"] in wanted], converged, mine, choice.swap)
    return found, drawn, rows


def _rank(one: Family) -> tuple[object, ...]:
    """Small for families worth to be shown: many numbers of nodes before few, then the newest, then the most."""
    most = max((len(one.node_counts(benchmark)) for benchmark in one.scaled()), default=0)
    return most < ENOUGH, -one.round_index, one.division != "closed", -most, one.machine, one.name


def _is_chosen(one: Family, choice: Choice) -> bool:
    place = (choice.submitter, choice.round, choice.machine)
    return (one.submitter, one.round, one.machine) == place and choice.configuration in ("", one.name)


def _placed(found: Sequence[Family], choice: Choice) -> dict[str, Family]:
    """The family of each benchmark: the first one's where that has several node counts, else that with the most."""
    placed: dict[str, Family] = {}
    for benchmark in choice.benchmarks:
        fitting = [one for one in found if benchmark in one.scaled()]
        fitting.sort(
            key=lambda one: (one.division != "closed", -len(one.node_counts(benchmark)), len(one.name), one.name)
        )
        same = [one for one in fitting if one in placed.values()]
        if fitting:
            placed[benchmark] = (same or fitting)[0]
    return placed


def _of(member: Member, benchmark: str) -> list[str]:
    return [result for name, result in member.results if name == benchmark and member.nodes]


def _stated(marks: Sequence[tuple[Line, Point]]) -> list[Row]:
    """One row per result; where any is unverified each says so, and what it stands in for or rests on."""
    rows = stated([_datum(line, point) for line, point in marks])
    if not any(point.is_unverified for _, point in marks):
        return rows
    is_swapped = any(point.replaced for _, point in marks)
    return [_rested(row, point, is_swapped) for row, (_, point) in zip(rows, marks, strict=True)]


def _rested(row: Row, point: Point, is_swapped: bool) -> Row:
    """The row with what is said of its state: a verified result may have a speed-up against an unverified one."""
    is_half = point.rests_on_unverified and not point.is_unverified
    found: Row = {}
    for name, value in row.items():
        found[name] = f"{value}; speed-up and efficiency unverified" if is_half and name == "verification" else value
        if is_swapped and name == "verification":
            found["in_place_of"] = point.replaced["value"] if point.replaced else None
    return found


def _datum(line: Line, point: Point) -> Row:
    return {
        "benchmark": line.benchmark,
        "system": SystemKey.of(point.row).system,
        "nodes": point.nodes,
        "accelerator_count": point.row["accelerator_count"],
        "value": point.row["value"],
        "unit": point.row["unit"],
        "speedup": point.speedup,
        "scaling_efficiency": point.efficiency,
        "global_batch_size": point.batch,
        "epochs": point.passes if point.passes_unit == "epochs" else None,
        "samples": point.passes if point.passes_unit == "samples" else None,
        "efficiency_per_epoch": point.pass_efficiency,
        "ideal": point.ideal,
        "against_nodes": line.first.nodes,
        "accelerator": point.row["accelerator"],
        "processor": point.row["processor"],
        "framework": point.row["framework"],
        "submitter": point.row["submitter"],
        "round": point.row["round"],
        "division": point.row["division"],
        "availability": point.row["availability"],
        "metric": point.row["metric"],
        "better": point.row["better"],
        "comparability": guard.remark(point.findings),
        "verified": point.row["verified"],
        "public_id": point.row["public_id"],
        "sheet": f"system?system={quote(SystemKey.of(point.row).text, safe='')}",
        "link": point.row["link"],
    }
