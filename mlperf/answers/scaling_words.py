"""What the Scaling page says of its lines: the answer, the reason, what is odd, what was left out."""

import math
from collections.abc import Iterable, Sequence
from typing import Final

from mlperf import compare
from mlperf.facts import facts
from mlperf.families import Family, folded, named_nodes
from mlperf.metrics import TIMES, measure, number_text
from mlperf.scaling import SAME, Line, Point, Row
from mlperf.systems import SystemKey
from mlperf.unverified import MARK, marked

MOST_NAMED: Final = 6
"""Systems or differences that a note names; it counts the others."""


def heading(lines: Sequence[Line]) -> str:
    """The answer in a line: speed-up and efficiency on the most nodes, per epoch too where that differs."""
    machine = lines[0].family.machine
    if len(lines) == 1:
        line, last = lines[0], lines[0].last
        if last.speedup is None:
            return f"{line.title} on {last.nodes} nodes of {machine}"
        per_pass = "" if line.converges_alike else per_pass_text(last, ", ")
        times = f"{number_text(last.speedup)}{TIMES} as fast on {nodes_text(last.nodes)} as on {line.first.nodes}"
        state = f" ({MARK})" if last.rests_on_unverified else ""
        return f"{line.title} on {machine}: {times}, {percent_text(last.efficiency)} efficiency{per_pass}{state}"
    state = f" (partly {MARK})" if any(line.last.rests_on_unverified for line in lines) else ""
    return f"{machine}, {_span(lines)} nodes: {_spread(lines)} scaling efficiency in {len(lines)} benchmarks{state}"


def _span(lines: Sequence[Line]) -> str:
    spans = {(line.first.nodes, line.last.nodes) for line in lines}
    fewest, most = min(span[0] for span in spans), max(span[1] for span in spans)
    return f"{fewest} → {most}" if len(spans) == 1 else f"{fewest} to {most}"


def _spread(lines: Sequence[Line]) -> str:
    found = [line.last.efficiency for line in lines if line.last.efficiency is not None]
    if not found:
        return "no comparable"
    return f"{percent_text(min(found))} to {percent_text(max(found))}" if len(found) > 1 else percent_text(found[0])


def below(lines: Sequence[Line]) -> str:
    """The minutes behind it, when it converged, and in which field."""
    parts = [_reason(lines[0])] if len(lines) == 1 else [_each(lines)]
    one = lines[0].family
    chips = _listed(dict.fromkeys(line.family.accelerator or "no accelerator" for line in lines), " and ")
    kind = facts().kind_name(facts().kind(one.suite))
    where = f"MLPerf® {kind} {one.round}, {one.division}, {one.submitter}, {chips}"
    return " ".join([*parts, f"{where}."])


def _reason(line: Line) -> str:
    """The figures behind the efficiency, and whether a different convergence explains a loss."""
    first, last = line.first, line.last
    old, new = (marked(number_text(point.row["value"]), point.row) for point in (first, last))
    text = f"{old} → {new} {last.row['unit']} on "
    text += (
        f"{first.nodes} → {nodes_text(last.nodes)} ({first.row['accelerator_count']} → {last.row['accelerator_count']}"
    )
    text += " accelerators)." if first.row["accelerator_count"] else " processors alone)."
    if first.passes is None or last.passes is None or first.passes_unit != last.passes_unit:
        return f"{text} Its logs do not say when all of these converged."
    sizes = (
        f" at a global batch size of {_change(batch_text(first), batch_text(last))}"
        if first.batches and last.batches
        else ""
    )
    passes = f"{_change(number_text(first.passes), number_text(last.passes))} {last.passes_unit}"
    if line.converges_alike:
        return f"{text} It converges alike: {passes}{sizes}."
    when = "later" if last.passes > first.passes else "earlier"
    return f"{text} It converges {when}: {passes}{sizes}."


def _change(old: str, new: str) -> str:
    return old if old == new else f"{old} → {new}"


def _each(lines: Sequence[Line]) -> str:
    parts = []
    for line in lines:
        per_pass = "" if line.converges_alike else per_pass_text(line.last, " (", ")")
        state = f" ({MARK})" if line.last.rests_on_unverified else ""
        parts.append(f"{line.title} {percent_text(line.last.efficiency)}{per_pass}{state}")
    return f"{'; '.join(parts)}."


def per_pass_text(point: Point, before: str = "", after: str = "") -> str:
    """`per epoch 95.6 %`; nothing where the logs do not say when it converged."""
    if point.pass_efficiency is None or point.passes_unit is None:
        return ""
    return f"{before}per {point.passes_unit[:-1]} {percent_text(point.pass_efficiency)}{after}"


def percent_text(share: float | None) -> str:
    """`74.3 %` for 0.743; a dash for none."""
    return "–" if share is None else f"{100 * share:.1f} %"


def nodes_text(count: int) -> str:
    """`1 node`, `8 nodes`."""
    return f"{count} node{'' if count == 1 else 's'}"


def batch_text(point: Point) -> str:
    """The global batch size, from the smallest to the largest where its runs differ; a dash for none."""
    if not point.batches:
        return "–"
    return " to ".join(f"{size:,}" for size in dict.fromkeys(point.batches))


def _listed(texts: Iterable[str], separator: str = ", ") -> str:
    found = list(texts)
    more = [f"{len(found) - MOST_NAMED} more"] if len(found) > MOST_NAMED else []
    return separator.join([*found[:MOST_NAMED], *more])


def notes(lines: Sequence[Line], found: Sequence[Family]) -> list[str]:
    """How to read it, what is odd, and what was left out."""
    notes = [
        note
        for line in lines
        for point in line.points
        for note in (
            _over(line, point),
            _contradiction(point),
            _batches(line, point),
        )
        if note
    ]
    notes += [
        note for line in lines for note in (*_swapped(line), *_beside(line), _mixed(line), _factors(line)) if note
    ]
    notes += [note for line in lines if line.last.pass_efficiency is None and (note := _unknown(line))]
    used = list(dict.fromkeys(line.family for line in lines))
    if len(used) > 1:
        notes.append(f"Configurations: {_listed((f'{line.title} on {line.family.name}' for line in lines), '; ')}.")
    notes += [note for one in used if (note := _others(one, used, found, {line.benchmark for line in lines}))]
    more = sum(line.left_out for line in lines)
    notes += (
        [f"Left out: {more} further result{'' if more == 1 else 's'} of the same systems and benchmarks."]
        if more
        else []
    )
    return list(dict.fromkeys(notes))


def named(row: Row) -> str:
    """An unverified result by its owner and system: `Own: rerun, XE8545x4A100-SXM-80GB`."""
    return f"{row['submitter']}, {SystemKey.of(row).system}"


def _swapped(line: Line) -> list[str]:
    """Both figures of each published result that an unverified one stands in for, and what rests on that."""
    return [_instead(line, point, point.replaced) for point in line.points if point.replaced]


def _instead(line: Line, point: Point, published: Row) -> str:
    old, new = (measure(row).text(row["value"]) for row in (published, point.row))
    return (
        f"{line.title} on {nodes_text(point.nodes)}: {new} ({named(point.row)}; {MARK}) in place of the published "
        f"{old} ({SystemKey.of(published).system}). Speed-up and efficiency that rest on it are {MARK} too."
    )


def _beside(line: Line) -> list[str]:
    return [
        f"{line.title} on {nodes_text(point.nodes)}: {named(point.row)} with "
        f"{measure(point.row).text(point.row['value'])} ({MARK}) stands beside the line and is no part of it."
        for point in line.beside
    ]


def _over(line: Line, point: Point) -> str:
    """Why an efficiency over 1 is no wonder of nature: what else differs between the runs, as far as the data goes."""
    if point.efficiency is None or point.efficiency <= 1 + SAME / 2:
        return ""
    first = line.first
    what = f"{line.title} on {nodes_text(point.nodes)}: {percent_text(point.efficiency)}, over 100 %"
    differing = _differing(first, point)
    if not differing:
        return f"{what}; the logs do not say what else differs between the runs."
    text = f"{what}: the runs differ in more than the nodes: {'; '.join(differing)}."
    if point.pass_efficiency is None or point.pass_efficiency <= 1:
        return text
    return (
        f"{text} {per_pass_text(point).capitalize()}: convergence is not the reason; other settings may differ as well."
    )


def _differing(first: Point, point: Point) -> list[str]:
    """What else differs between two results, as logs and sheets have it."""
    found = []
    if first.batch and point.batch:
        sizes = "the same global batch size" if first.batch == point.batch else "global batch size"
        found.append(f"{sizes}, {first.batch:,}" + ("" if first.batch == point.batch else f" → {point.batch:,}"))
        shares = [one.batch / one.row["accelerator_count"] for one in (first, point) if one.row["accelerator_count"]]
        if len(shares) == 2 and not math.isclose(*shares):
            found.append(f"samples per accelerator and step {number_text(shares[0])} → {number_text(shares[1])}")
    if first.passes and point.passes and first.passes_unit == point.passes_unit and first.passes != point.passes:
        passes = f"{number_text(first.passes)} → {number_text(point.passes)}"
        found.append(f"{point.passes_unit} to converge {passes}")
    if folded(first.row["processor"]) != folded(point.row["processor"]):
        found.append(f"processor {first.row['processor']} → {point.row['processor']}")
    return found


def _contradiction(point: Point) -> str:
    system = SystemKey.of(point.row).system
    named = named_nodes(system, point.nodes, point.row["accelerator_count"])
    if named is None:
        return ""
    return f"The name {system} says {named}, its sheet says {nodes_text(point.nodes)}: the sheet counts here."


def _batches(line: Line, point: Point) -> str:
    if point.batches is None or point.batch is not None:
        return ""
    return (
        f"{line.title} on {nodes_text(point.nodes)}: the global batch size differs among its runs, {batch_text(point)}."
    )


def _factors(line: Line) -> str:
    scaled = [
        point for point in line.points if point.minutes and not compare.is_rounded(point.row["value"], point.minutes)
    ]
    if not scaled:
        return ""
    named = _listed(f"{number_text(point.factor or 1)} on {nodes_text(point.nodes)}" for point in scaled)
    return (
        f"{line.title}: the score over the mean of the runs that count is {named}: the rules scale runs that converged "
        "faster than the reference. Figures per epoch or sample are of the runs themselves."
    )


def _mixed(line: Line) -> str:
    processors = {folded(point.row["processor"]): point for point in line.points}
    if len(processors) < 2:
        return ""
    named = (f"{nodes_text(point.nodes)} {point.row['processor'] or 'not stated'}" for point in processors.values())
    return f"{line.title}: processors differ within these systems, {_listed(named, '; ')}."


def _unknown(line: Line) -> str:
    return (
        f"{line.title}: not all logs say after how many epochs or samples they converged, so no efficiency per epoch."
    )


def _others(one: Family, used: Sequence[Family], found: Sequence[Family], names: set[str]) -> str:
    """Configurations of the same machine and round that ran the same benchmarks."""
    place = (one.round, one.submitter, one.machine)
    near = [other for other in found if other not in used and (other.round, other.submitter, other.machine) == place]
    named = [
        f"{other.name} ({_why(one, other)})" for other in near if any(names & it.benchmarks for it in other.members)
    ]
    return f"Not mixed in, being other configurations: {_listed(named, '; ')}." if named else ""


def _why(one: Family, other: Family) -> str:
    """How many nodes another configuration has, and what tells it apart beside its name."""
    sizes = other.node_counts()
    plural = "" if sizes == (1,) else "s"
    reasons = [f"{', '.join(map(str, sizes))} node{plural}" if sizes else "number of nodes not stated"]
    reasons += ["other accelerator"] if other.accelerator != one.accelerator else []
    is_wider = sizes and other.accelerators_per_node != one.accelerators_per_node
    reasons += ["other number of accelerators per node"] if is_wider else []
    reasons += ["other software"] if folded(other.framework) != folded(one.framework) else []
    known = {folded(member.processor) for member in one.members}
    unlike = {
        member.processor for member in other.members if member.processor and folded(member.processor) not in known
    }
    return ", ".join([*reasons, *sorted(unlike)])


def derived(lines: Sequence[Line]) -> list[str]:
    """The derived metrics by name and basis."""
    basis = _listed(dict.fromkeys(f"that on {nodes_text(line.first.nodes)}" for line in lines), " or ")
    is_own = any(point.rests_on_unverified for line in lines for point in line.every)
    time = f"time to train, partly {MARK}," if is_own else "official time to train"
    names = [f"speed-up and scaling efficiency ({time} over {basis} and the number of nodes)"]
    if any(point.pass_efficiency is not None for line in lines for point in line.points):
        names.append(
            "efficiency per epoch or sample (minutes over epochs or samples to converge, means of the same runs)"
        )
    return names
