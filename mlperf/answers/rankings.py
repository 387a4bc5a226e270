"""Who is first: the ranking of one benchmark and scenario, the first of each, and titles; always in a stated field."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import duckdb

from mlperf import bars, figures, guard, plots, queries
from mlperf.answers.answer import Answer, Chart, Row, in_order, table
from mlperf.answers.ranking_tables import (
    Holder,
    ahead,
    also,
    entry_rows,
    first_row,
    holder_name,
    holders,
    not_again,
    ordinal,
    percent,
    who,
    would_be,
)
from mlperf.bars import Bar
from mlperf.facts import facts
from mlperf.figures import PALETTE
from mlperf.guard import Finding
from mlperf.metrics import Measure, beside_score, count_text, number_text
from mlperf.model import OF_RUNS
from mlperf.queries import Field
from mlperf.ranking import OFFERED_RATES, By, Entry, Ranking, entrant, rankings, system_of, titles
from mlperf.unverified import MARK, legend

MOST: Final = 20
"""Bars of a chart."""
MOST_BESIDE: Final = 6
"""Unverified results that stand beside these, or in a note."""
NONE: Final = "none"
"""The accelerator of a system of processors alone, as `queries.Field` has it."""

USUAL_SUITE: Final = "inference-datacenter"
SUITES: Final[Mapping[str, str]] = {
    known.id: known.label.rpartition(": ")[2]
    for known in sorted(facts().suite_facts, key=lambda known: known.kind in OF_RUNS)
}
BY: Final[Mapping[str, str]] = {
    "result": "Result",
    "accelerator": "Result per accelerator (derived)",
    "efficiency": "Efficiency, samples per joule (derived)",
}
HOLDERS: Final[Mapping[str, str]] = {"submitter": "Submitter", "server": "Server"}
POWERS: Final[Mapping[str, str]] = {"without": "Without", "with": "With", "either": "Either"}
NO_CHIPS: Final[Mapping[str, str]] = {"any": "Any", NONE: "None: processors alone"}
"""Names of what the controls offer."""

PER_ACCELERATOR: Final = "performance per accelerator (result over the system's accelerators)"
EFFICIENCY: Final = "samples or tokens per joule (result over the power measured in that very run)"
LEAD: Final = "lead over the runner-up (ratio of results)"
OF_FIRST: Final = "share of the first (ratio of results)"
TITLE: Final = "A title is a first place; a run that is first at two accuracies has one."
LEAD_PERCENT: Final = Measure("Lead over the runner-up", "%", "higher", is_derived=True)


@dataclass(frozen=True)
class Choice:
    """The field, what it is ranked by, and whose place is named though it is not the first."""

    field: Field
    scenario: str | None = None
    by: By = "result"
    holder: Holder = "submitter"
    submitter: str = ""
    palette: tuple[str, ...] = PALETTE


def suites(con: duckdb.DuckDBPyConnection, submitter: str) -> dict[str, tuple[list[str], str]]:
    """For each suite with results its rounds, newest first, and the newest one in which the submitter has results."""
    found: dict[str, tuple[list[str], str]] = {}
    for row in queries.suite_rounds(con, submitter).to_pylist():
        rounds, usual = found.get(row["suite"], ([], ""))
        found[row["suite"]] = [*rounds, row["round"]], usual or (row["round"] if row["is_theirs"] else "")
    order: dict[str, int] = {suite: number for number, suite in enumerate(SUITES)}
    return {
        suite: (rounds, usual or rounds[0])
        for suite, (rounds, usual) in sorted(found.items(), key=lambda item: order.get(item[0], len(order)))
    }  # fmt: skip


def options(con: duckdb.DuckDBPyConnection, place: tuple[str, str]) -> dict[str, list[str]]:
    """What the controls offer in a suite and round (`place`), by column: most results first, counts sorted."""
    found: dict[str, list[str]] = {}
    for name, value, _ in queries.field_options(con, *place):
        found.setdefault(name, []).append(value)
    found["accelerator_count"] = sorted(found.get("accelerator_count", []), key=int)
    return found


def scenarios(benchmarks: Iterable[str]) -> dict[str, list[str]]:
    """The scenarios of each benchmark by the values of `options`; none in training."""
    found: dict[str, list[str]] = {}
    for text in sorted(benchmarks):
        benchmark, _, scenario = text.partition("\n")
        found.setdefault(benchmark, []).extend([scenario] if scenario else [])
    return found


def answer(con: duckdb.DuckDBPyConnection, choice: Choice) -> Answer:
    """The ranking of one benchmark and scenario."""
    rows = queries.field(con, choice.field)
    listed = [row for row in rows.to_pylist() if row["scenario"] == choice.scenario]
    found = rankings(listed, choice.by)
    if not found or not found[0].entries:
        return _nothing(choice, sum(ranking.left_out for ranking in found), any(one.beside for one in found))
    ranking = found[0]
    drawn = _drawn(ranking)
    return Answer(
        heading=_heading(ranking),
        below=f"{field_text(choice)} · {count_text(len(ranking.entries), 'run')} ranked{_own_place(ranking, choice)}",
        charts=(_bars(ranking, drawn, choice),),
        data=table(entry_rows(ranking)),
        rows=in_order(rows, _announced(ranking, choice)),
        findings=guard.findings([entry.row for entry in drawn]),
        notes=(*legend([entry.row for entry in drawn]), *_would_be([ranking]), *_one_notes(ranking, choice)),
        derived=(*([LEAD] if ranking.lead is not None else []), OF_FIRST, *_derived(choice)),
        file_name=_file_name(choice, [ranking.benchmark, ranking.scenario]),
    )


def firsts(con: duckdb.DuckDBPyConnection, choice: Choice) -> Answer:
    """The first of each benchmark and scenario, with the lead over the runner-up."""
    rows = queries.field(con, choice.field)
    found = rankings(rows.to_pylist(), choice.by)
    ranked = [ranking for ranking in found if ranking.entries]
    if not ranked:
        return _nothing(choice, sum(ranking.left_out for ranking in found))
    earlier = {title.entry.row["result_id"]: title.earlier for title in titles(ranked)}
    data = [first_row(ranking, earlier.get(ranking.entries[0].row["result_id"])) for ranking in ranked]
    return Answer(
        heading=_titles_heading(ranked, choice),
        below=f"{field_text(choice)} · {count_text(len(ranked), *_cells(ranked))}",
        charts=(_leads(ranked, choice),),
        data=table(data),
        rows=in_order(
            rows,
            [
                *_first_places(ranked, choice),
                *(entry.row for ranking in ranked for entry in (*ranking.entries[:2], *ranking.beside[:1])),
            ],
        ),
        findings=_summed(ranked),
        notes=(*_would_be(ranked), *_notes(found, choice)),
        derived=(LEAD, *_derived(choice)),
        file_name=_file_name(choice, ["first"]),
    )


def title_table(con: duckdb.DuckDBPyConnection, choice: Choice) -> Answer:
    """Titles per submitter or server: one row each, most titles first."""
    rows = queries.field(con, choice.field)
    found = rankings(rows.to_pylist(), choice.by)
    ranked = [ranking for ranking in found if ranking.entries]
    if not ranked:
        return _nothing(choice, sum(ranking.left_out for ranking in found))
    data = holders(ranked, choice.holder)
    colours = figures.system_colours([str(row["holder"]) for row in data[:MOST]], choice.palette)
    marks = [
        Bar(
            plots.wrapped(str(row["holder"]), 30),
            row["titles"],
            _title_text(row),
            _title_hover(row),
            colours[row["holder"]],
        )
        for row in data[:MOST]
    ]
    label = Measure("Titles", "count", "higher").axis
    return Answer(
        heading=_titles_heading(ranked, choice),
        below=f"{field_text(choice)} · {count_text(len(ranked), *_cells(ranked))}",
        charts=(Chart(bars.bars(marks, label), f"{label}, by {choice.holder}"),),
        data=table(data),
        rows=in_order(
            rows,
            [*_first_places(ranked, choice), *(entry.row for ranking in ranked for entry in ranking.beside[:1])],
        ),
        findings=_summed(ranked),
        notes=(*_would_be(ranked), *_notes(found, choice), TITLE),
        derived=_derived(choice),
        file_name=_file_name(choice, ["titles"]),
    )


def names(suite: str, benchmarks: Iterable[str]) -> dict[str, str]:
    """The full names of benchmarks of a suite."""
    found = {benchmark: facts().benchmark(facts().kind(suite), benchmark, None) for benchmark in benchmarks}
    return {benchmark: known.full_name for benchmark, known in found.items() if known}


def powers(suite: str, offered: Sequence[str], by: str) -> list[str]:
    """Which of `POWERS` can be chosen, the usual one first.

    Inference runs with and without power do not compare; in training energy is measured in the very runs that are
    timed. Efficiency needs power.
    """
    if by == "efficiency":
        return ["with"]
    usual = ["either"] if suite and facts().kind(suite) in OF_RUNS else []
    return [*usual, *sorted(offered, reverse=True)]


def has_power(power: str) -> bool | None:
    """What a choice of `POWERS` means for `queries.Field`."""
    return {"with": True, "either": None}.get(power, False)


def field_text(choice: Choice) -> str:
    """The field as words: `Ranked in: MLPerf® Inference v3.1, datacenter, Closed division, available systems, …`."""
    field = choice.field
    suite = field.suite.partition("-")[2]
    powers = {
        True: "with measured power",
        False: "without power measurement",
        None: "with or without power measurement",
    }
    count = f"{field.accelerator_count} × " if field.accelerator_count else ""
    if field.accelerator == NONE:
        chips = "no accelerators"
    elif field.accelerator:
        chips = f"{count}{field.accelerator}" if count else f"{field.accelerator}, any number"
    else:
        chips = f"{field.accelerator_count} accelerators of any sort" if count else "any accelerators"
    by = {"result": "", "accelerator": "by result per accelerator (derived)", "efficiency": "by efficiency (derived)"}
    parts = [
        f"MLPerf® {facts().kind_name(facts().kind(field.suite))} {field.round}",
        suite,
        f"{field.division.capitalize()} division",
        f"{field.availability} systems" if field.availability else "any availability",
        powers[field.has_power],
        chips,
        by[choice.by],
    ]
    return f"Ranked in: {', '.join(filter(None, parts))}"


def _nothing(choice: Choice, left_out: int, is_own: bool = False) -> Answer:
    if not choice.field.suite:
        return Answer("Nothing to rank", "No results are loaded.", advice="Load results to see who is first.")
    figures_left = f" {count_text(left_out, 'result')} of it have no such figure to rank by." if left_out else ""
    figures_left += f" It has {MARK} results, but no published ones to hold them against." if is_own else ""
    return Answer(
        "Nobody in this field",
        field_text(choice),
        advice=f"This field has no results to rank.{figures_left} Widen it under Field: any availability, "
        "another choice of Power measured, any accelerator, any number of accelerators, or rank by result.",
    )


def _heading(ranking: Ranking) -> str:
    """`ResNet-50 v1.5 · Server: 1st Dell XE9680 with 620,874 queries/s, 4.6 % ahead of Supermicro …`."""
    first, second, lead = ranking.entries[0], ranking.runner_up, ranking.lead
    figure_text = first.measure.text(first.value)
    if len(ranking.firsts) > 1:
        names = [who(entry.row) for entry in ranking.firsts]
        more = f" and {len(names) - 3} more" if len(names) > 4 else ""
        named = ", ".join(names[:3]) + more if more else " and ".join([", ".join(names[:-1]), names[-1]])
        return f"{ranking.title}: {named} share the first place with {figure_text}"
    behind = ", alone in its field" if second is None else ""
    if second is not None and lead is not None:
        behind = f", {ahead(lead)} {who(second.row)}"
    return f"{ranking.title}: 1st {who(first.row)} with {figure_text}{behind}"


def _own_place(ranking: Ranking, choice: Choice) -> str:
    """Where the best of `submitter` stands, if not first."""
    own = _own(ranking, choice)
    if own is None or own.place == 1:
        return ""
    return f" · {who(own.row)} is {ordinal(own.place)} with {own.measure.text(own.value)}"


def _own(ranking: Ranking, choice: Choice) -> Entry | None:
    """The best run of `submitter`."""
    return next((entry for entry in ranking.entries if entry.row["submitter"] == choice.submitter), None)


def _title_text(row: Row) -> str:
    extra = [f"{row['titles_shared']} shared" if row["titles_shared"] else ""]
    return " ".join(filter(None, [str(row["titles"]), f"({extra[0]})" if extra[0] else ""]))


def _title_hover(row: Row) -> str:
    cells = row["first_in"].split("; ")
    more = [f"and {len(cells) - 12} more"] if len(cells) > 13 else []
    return "\n".join([row["holder"], *(cells[:12] if more else cells), *more])


def _titles_heading(ranked: Sequence[Ranking], choice: Choice) -> str:
    """Who has most titles, of how many: `Most titles: Supermicro, 10 of 19; Dell 6`."""
    found = holders(ranked, choice.holder)
    most = [row for row in found if row["titles"] == found[0]["titles"]]
    names = " and ".join(str(row["holder"]) for row in most[:3])
    names += f" and {len(most) - 3} more" if len(most) > 3 else ""
    each = " each" if len(most) > 1 else ""
    own = next((row for row in found if row["holder"] == choice.submitter and row not in most), None)
    then = f"; {choice.submitter} {own['titles']}" if own else ""
    return f"Most titles: {names}, {found[0]['titles']}{each} of {title_count(ranked)}{then}"


def title_count(ranked: Sequence[Ranking]) -> int:
    """How many titles a field has: its first places, each once though shared; the same run at two accuracies once."""
    return len({title.ranking.title for title in titles(ranked) if title.earlier is None})


def _drawn(ranking: Ranking) -> list[Entry]:
    """The first of the published runs, and the best unverified ones at their places beside them."""
    kept = {entry.row["result_id"] for entry in (*ranking.entries[:MOST], *ranking.beside[:MOST_BESIDE])}
    return [entry for entry in ranking.standing if entry.row["result_id"] in kept]


def _bars(ranking: Ranking, drawn: Sequence[Entry], choice: Choice) -> Chart:
    colours = figures.system_colours(["/".join(entrant(entry.row)) for entry in drawn], choice.palette)
    marks = [
        Bar(
            _bar_name(entry),
            entry.value,
            number_text(entry.value),
            _hover(entry, ranking),
            colours["/".join(entrant(entry.row))],
            not entry.is_ranked,
        )
        for entry in drawn
    ]
    title = ranking.entries[0].measure.axis
    rest = f" (first {MOST} of {len(ranking.entries):,})" if len(ranking.entries) > MOST else ""
    return Chart(bars.bars(marks, f"{title}{rest}"), f"Ranked bars, best first: {ranking.title}, {title}")


def _bar_name(entry: Entry) -> str:
    """`2. Dell XE9680 8× H100-SXM-80GB`; an unverified one has its place in brackets, and room for that word."""
    if not entry.is_ranked:
        return f"({would_be(entry)}) {plots.wrapped(_label(entry.row), 18)}"
    return f"{entry.place}{'=' if entry.is_shared else '.'} {plots.wrapped(_label(entry.row), 28)}"


def _would_be(found: Sequence[Ranking]) -> list[str]:
    """Where the best unverified result of each ranking would stand, the best places first."""
    best = [(ranking.beside[0], ranking) for ranking in found if ranking.beside]
    best.sort(key=lambda pair: (pair[0].place, pair[1].title))
    places = [
        f"{ranking.title}: {who(entry.row)} would be {would_be(entry)} with {entry.measure.text(entry.value)} ({MARK})"
        for entry, ranking in best[:MOST_BESIDE]
    ]
    more = [f"{len(best) - MOST_BESIDE} more"] if len(best) > MOST_BESIDE else []
    return [f"Not ranked, for they are {MARK}: {'; '.join([*places, *more])}."] if places else []


def _label(row: Row) -> str:
    if not row["server"]:
        return f"{row['submitter']} {system_of(row)}"
    count = f"{row['accelerator_count']}× " if row["accelerator_count"] else ""
    chips = f"{count}{figures.VENDOR.sub('', row['accelerator'])}" if row["accelerator"] else "CPU"
    return f"{row['submitter']} {row['server']} {chips}"


def _hover(entry: Entry, ranking: Ranking) -> str:
    row = entry.row
    count = f"{row['accelerator_count']} × " if row["accelerator"] and row["accelerator_count"] else ""
    nodes = f", {row['nodes']} nodes" if (row["nodes"] or 1) > 1 else ""
    copies = [f"the same run also as {also(row, copy)}" for copy in entry.copies[:3]]
    return "\n".join(
        [
            f"{'' if entry.is_ranked else 'would be '}{would_be(entry)}: {row['submitter']} {system_of(row)}",
            ranking.title,
            f"{count}{row['accelerator'] or 'no accelerator'}{nodes} · {row['availability'] or 'availability unknown'}",
            entry.measure.text(entry.value),
            *beside_score(row),
            *copies,
        ]
    )


def _leads(ranked: Sequence[Ranking], choice: Choice) -> Chart:
    names = ["/".join(entrant(ranking.entries[0].row)) for ranking in ranked]
    colours = figures.system_colours(names, choice.palette)
    marks = [
        Bar(
            f"{_short_title(ranking)}\n{plots.wrapped(_label(ranking.entries[0].row), 34)}",
            min(100 * (ranking.lead or 0.0), 100.0),
            _lead_text(ranking),
            "\n".join([_heading(ranking), *(found.text for found in ranking.findings)]),
            colours[name],
        )
        for ranking, name in zip(ranked[: plots.MOST_MARKS], names, strict=False)
    ]  # fmt: skip
    end = "\nBars end at 100 %" if any((ranking.lead or 0) > 1 for ranking in ranked) else ""
    title = f"{LEAD_PERCENT.axis}{end}"
    return Chart(
        bars.bars(marks, title), f"First of each benchmark and scenario, and its lead in %: {len(ranked)} bars"
    )


def _short_title(ranking: Ranking) -> str:
    return plots.wrapped(ranking.title.replace(" accuracy)", ")"), 32)


def _lead_text(ranking: Ranking) -> str:
    if len(ranking.firsts) > 1:
        return "shared"
    if ranking.lead is None:
        return "alone" if ranking.runner_up is None else "not compared"
    return f"{ranking.lead + 1:.3g}×" if ranking.lead >= 1 else percent(ranking.lead)


def _summed(ranked: Sequence[Ranking]) -> tuple[Finding, ...]:
    """The guard's findings on each first beside its runner-up; notes of one kind in one sentence."""
    kinds: dict[tuple[str, bool], list[str]] = {}
    for ranking in ranked:
        for kind, is_refused in {(found.kind, found.is_refused) for found in ranking.findings}:
            kinds.setdefault((kind, is_refused), []).append(ranking.title)
    return tuple(
        Finding(
            kind,
            is_refused,
            f"{kind.capitalize()} of first and runner-up in {len(cells)} of {len(ranked)}"
            f"{' (' + ', '.join(cells) + ')' if len(cells) <= 3 else ''}: the table says how, under “Mind”.",
        )
        for (kind, is_refused), cells in sorted(kinds.items(), key=lambda item: (not item[0][1], item[0]))
    )


def _one_notes(ranking: Ranking, choice: Choice) -> list[str]:
    notes = not_again(ranking.entries)
    shared = [entry for entry in ranking.entries if entry.is_shared]
    if shared:
        notes.append(f"{len(shared)} share a place with an equal figure of another run.")
        if ranking.scenario in OFFERED_RATES:
            notes.append(
                "Equal figures are frequent there: the submitter sets the rate that the system must keep up with."
            )
    return [*notes, *_notes([ranking], choice)]


def _notes(found: Sequence[Ranking], choice: Choice) -> list[str]:
    """What was left out, and how to read it."""
    notes = []
    left_out = sum(ranking.left_out for ranking in found)
    if left_out:
        notes.append(f"Left out: {count_text(left_out, 'result')} without the figure that is ranked by.")
    if len(found) > 1:
        doubles = [title for title in titles([one for one in found if one.entries]) if title.earlier]
        copies = sum(len(entry.copies) for ranking in found for entry in ranking.entries)
        if doubles:
            pairs = "; ".join(f"{title.ranking.title} = {title.earlier.title}" for title in doubles if title.earlier)
            notes.append(
                f"{count_text(len(doubles), 'first place')} not counted as a title of its own: the very same run is "
                f"first already at another accuracy: {pairs}."
            )
        if copies:
            notes.append(f"{count_text(copies, 'result')} of runs that are ranked already are not ranked again.")
    if choice.by == "accelerator":
        notes.append(
            "Per accelerator: throughput over the system's accelerators, time to train times them. Latency, streams, "
            "systems of processors or of several sorts of accelerators have no such figure."
        )
    if choice.by == "efficiency":
        notes.append("Efficiency: samples or tokens per joule of the power that was measured in that very run.")
    return notes


def _derived(choice: Choice) -> tuple[str, ...]:
    return {"result": (), "accelerator": (PER_ACCELERATOR,), "efficiency": (EFFICIENCY,)}[choice.by]


def _announced(ranking: Ranking, choice: Choice) -> list[Row]:
    """The results behind a ranking: those of the heading, the own place, then the best placed first."""
    own = _own(ranking, choice)
    named = [*ranking.firsts, *ranking.entries[:2], *([own] if own else [])]
    standing = [row for entry in ranking.standing for row in (entry.row, *entry.copies)]
    return [*(entry.row for entry in named), *standing]


def _first_places(ranked: Sequence[Ranking], choice: Choice) -> list[Row]:
    """The results in first place: those of the holder of most titles first."""
    order = {row["holder"]: number for number, row in enumerate(holders(ranked, choice.holder))}
    rows = [entry.row for ranking in ranked for entry in ranking.firsts]
    return sorted(rows, key=lambda row: order[holder_name(row, choice.holder)])


def _file_name(choice: Choice, parts: Sequence[str | None]) -> str:
    """Of the files: the field, so that two fields of a round have two names."""
    field = choice.field
    powers = {True: "with-power", False: "without-power", None: "any-power"}
    texts = ["ranking", field.suite, field.round, field.division, field.availability or "any-availability"]
    texts += [powers[field.has_power], "" if choice.by == "result" else choice.by]
    name = "_".join(filter(None, [*texts, *parts, field.accelerator, field.accelerator_count]))
    return "".join(letter if letter.isalnum() or letter in "._-" else "-" for letter in name)[:150]


def _cells(found: Sequence[Ranking]) -> tuple[str, str]:
    if all(ranking.scenario is None for ranking in found):
        return "benchmark", "benchmarks"
    return "benchmark and scenario", "benchmarks and scenarios"
