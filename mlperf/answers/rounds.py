"""A round at a glance: how much was submitted, by whom, on what, and what the round before did not have."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple
from urllib.parse import urlsplit

import duckdb
import pyarrow as pa

from mlperf import bars, figures, guard, plots, queries
from mlperf.answers.answer import Answer, Chart, Row, table
from mlperf.bars import Bar
from mlperf.facts import Round, facts
from mlperf.figures import PALETTE
from mlperf.metrics import count_text
from mlperf.model import OF_RUNS, Kind
from mlperf.systems import SystemKey

MOST: Final = 20
"""Bars of a chart."""
MOST_NAMES: Final = 12
"""Names that a sentence lists."""
EVERYBODY: Final = ""
"""The submitter of a whole round."""

KINDS: Final[Mapping[str, str]] = {kind: facts().kind_name(kind) for kind in ("inference", *OF_RUNS)}
VIEWS: Final[Mapping[str, str]] = {
    "submitters": "Submitters",
    "benchmarks": "Benchmarks",
    "divisions": "Divisions",
    "systems": "Systems",
    "new": "What is new",
}
"""Names of what the controls offer."""

WIDTHS: Final = (
    "result_id", "suite", "division", "availability", "submitter", "system_id", "system_name", "server",
    "server_family", "accelerator", "accelerators", "accelerator_count", "nodes", "processor", "benchmark", "scenario",
    "has_power", "round",
)  # fmt: skip
"""Columns of the results that are counted."""


class Gap(NamedTuple):
    """Results of a round that are not loaded."""

    what: str
    why: str
    parts: tuple[str, ...]
    """Suites and divisions that lack some: `inference-edge/open`."""


@dataclass(frozen=True)
class Choice:
    """A round, one submitter in it or all, and what of this round and of the one before is not loaded."""

    kind: Kind
    round: str
    submitter: str = EVERYBODY
    gaps: tuple[Gap, ...] = ()
    gaps_before: tuple[Gap, ...] = ()
    palette: tuple[str, ...] = PALETTE


class Counts(NamedTuple):
    """How much some results are; a result that two suites list is one."""

    results: int
    power_results: int
    systems: int
    submitters: int
    configurations: int
    """Combinations of suite, division, power and system, as Dell counts them."""
    accelerators: tuple[str, ...]
    """The sorts of accelerator, sorted."""
    listed_twice: int
    """Results that two suites list."""

    is_training: bool

    @property
    def table_rows(self) -> int | None:
        """Rows of MLCommons' inference tables: a result with power stands in that of its figure and that of its power.

        None for training. Source: the count of 230 that Dell published for its 216 results of v3.1, 14 with power.
        """
        return None if self.is_training else self.results + self.power_results


class New(NamedTuple):
    """Something that the round before did not have."""

    what: str
    name: str
    rows: tuple[Row, ...]


class News(NamedTuple):
    """What is new against the round before; `since` is None where there is nothing to hold it against."""

    since: Round | None
    found: tuple[New, ...]
    caveat: str
    """What the comparison leaves open."""


def rounds(con: duckdb.DuckDBPyConnection, submitter: str) -> dict[str, tuple[list[str], str]]:
    """For each kind with results its rounds, newest first, and the newest one in which the submitter has results."""
    found: dict[str, dict[str, bool]] = {kind: {} for kind in KINDS}
    for row in queries.suite_rounds(con, submitter).to_pylist():
        kind = facts().kind(row["suite"])
        found[kind][row["round"]] = found[kind].get(row["round"], False) or row["is_theirs"]
    ordered = {kind: sorted(theirs, key=_age, reverse=True) for kind, theirs in found.items() if theirs}
    return {
        kind: (listed, next((one for one in listed if found[kind][one]), listed[0])) for kind, listed in ordered.items()
    }


def submitters(con: duckdb.DuckDBPyConnection, played: tuple[Kind, str]) -> list[str]:
    """The submitters of a round."""
    return sorted(map(str, queries.round_results(con, *played)["submitter"].unique().to_pylist()), key=str.casefold)


def before(kind: Kind, round_id: str) -> Round | None:
    """The round of the same kind before this one; None for the first and for one that the catalog lacks."""
    known = {played.id: played for played in facts().rounds if played.kind == kind}
    played = known.get(round_id)
    return next((one for one in known.values() if played and one.index == played.index - 1), None)


def answers(con: duckdb.DuckDBPyConnection, choice: Choice) -> Mapping[str, Answer]:
    """Every view of the round, or of one submitter in it, by the names of `VIEWS`."""
    whole = queries.round_results(con, choice.kind, choice.round)
    theirs = _of(whole, choice.submitter)
    if not theirs.num_rows:
        return dict.fromkeys(VIEWS, _nothing(choice))
    rows = theirs.select(WIDTHS).to_pylist()
    since = before(choice.kind, choice.round)
    earlier = _of(queries.round_results(con, since.kind, since.id), choice.submitter) if since else None
    news = new(rows, earlier.select(WIDTHS).to_pylist() if earlier else [], since, choice)
    counted = counts(rows)
    heading, below = _heading(counted, choice), _below(counted, choice)
    notes = tuple(_notes(counted, news, choice))
    tables = {
        "submitters": (_submitters(rows, news), "submitter", "Results per submitter, count"),
        "benchmarks": (_benchmarks(rows), "name", "Results per benchmark, suite and division, count"),
        "divisions": (_divisions(rows), "name", "Results per suite and division, count"),
        "systems": (_systems(rows), "system", "Results per system, count"),
        "new": (_news(news), "name", "Results of what is new, count"),
    }
    return {
        view: Answer(
            heading=heading,
            below=below,
            charts=_charts(listed, name, title, choice),
            data=table([_placed(row if view == "new" else _without_name(row), choice) for row in listed]),
            rows=theirs,
            notes=notes,
            file_name=_file_name(choice, view),
            advice=_no_news(news) if view == "new" else "",
        )
        for view, (listed, name, title) in tables.items()
    }  # fmt: skip


def _placed(row: Row, choice: Choice) -> Row:
    """A row that says what it is of, wherever its file goes."""
    return {**row, "round": choice.round, **({"submitter": choice.submitter} if choice.submitter else {})}


def _without_name(row: Row) -> Row:
    """A row as table and file have it: the name of its bar says what other columns say."""
    return {key: value for key, value in row.items() if key != "name"}


def counts(rows: Sequence[Row]) -> Counts:
    """How much these rows of results are."""
    results = {row["result_id"]: row for row in rows}
    return Counts(
        results=len(results),
        power_results=sum(bool(row["has_power"]) for row in results.values()),
        systems=len({entrant(row) for row in rows}),
        submitters=len({row["submitter"] for row in rows}),
        configurations=len({(row["suite"], row["division"], row["has_power"], *entrant(row)) for row in rows}),
        accelerators=tuple(sorted({chip for row in rows for chip in row["accelerators"] or []})),
        listed_twice=len({(row["result_id"], row["suite"]) for row in rows}) - len(results),
        is_training=any(facts().kind(row["suite"]) in OF_RUNS for row in rows),
    )


def entrant(row: Row) -> tuple[str, str]:
    """Submitter and system of a result."""
    return row["submitter"], row["system_id"] or row["system_name"] or ""


def new(rows: Sequence[Row], earlier: Sequence[Row], since: Round | None, choice: Choice) -> News:
    """Benchmarks, submitters, server families and accelerators that the round before did not have.

    Suites and divisions that are not wholly loaded of the round before are left aside: what stands there may be old.
    """
    if since is None or not earlier:
        return News(None, (), "")
    gaps = {part for gap in choice.gaps_before for part in gap.parts}
    compared = [row for row in rows if f"{row['suite']}/{row['division']}" not in gaps]
    found = []
    for what, names in NAMED.items():
        old = {name for row in earlier for name in names(row, choice.kind)}
        added: dict[str, list[Row]] = {}
        for row in compared:
            for name in names(row, choice.kind) - old:
                added.setdefault(name, []).append(row)
        found += [New(what, name, tuple(added[name])) for name in sorted(added, key=str.casefold)]
    lacking = "; ".join(gap.what for gap in choice.gaps_before)
    caveat = f"as far as loaded, for some of that round is missing ({lacking})" if gaps else ""
    return News(since, tuple(found), caveat)


def _benchmark(row: Row, kind: Kind) -> set[str]:
    """The full name under which the benchmark began: a new name alone is no new benchmark."""
    known = facts().benchmark(kind, row["benchmark"], None)
    first = facts().benchmark(kind, known.lineage, None) if known else None
    return {first.full_name if first else row["benchmark"]}


NAMED: Final[Mapping[str, Callable[[Row, Kind], set[str]]]] = {
    "Benchmark": _benchmark,
    "Submitter": lambda row, kind: {row["submitter"]},
    "Server family": lambda row, kind: {row["server_family"]} - {None},
    "Accelerator": lambda row, kind: set(row["accelerators"] or []),
}
"""What may be new, and its names in a row."""


def _of(rows: pa.Table, submitter: str) -> pa.Table:
    if submitter == EVERYBODY:
        return rows
    return rows.filter(pa.array([one == submitter for one in rows["submitter"].to_pylist()], pa.bool_()))


def _nothing(choice: Choice) -> Answer:
    if not choice.round:
        return Answer("No round to show", "No results are loaded.", advice="Load results to see a round.")
    who = choice.submitter or "Nobody"
    return Answer(
        f"{who} has no results in {_title(choice)}", "", advice="Choose another round or submitter above."
    )  # fmt: skip


def _title(choice: Choice) -> str:
    return f"MLPerf® {facts().kind_name(choice.kind)} {choice.round}"


def _heading(counted: Counts, choice: Choice) -> str:
    if choice.submitter:
        configurations = count_text(counted.configurations, "configuration")
        return f"{choice.submitter} in {_title(choice)}: {count_text(counted.results, 'result')} in {configurations}"
    who = count_text(counted.submitters, "submitter")
    loaded = ", as far as loaded" if choice.gaps else ""
    systems = count_text(counted.systems, "system")
    return f"{_title(choice)}: {count_text(counted.results, 'result')} by {who} on {systems}{loaded}"


def _below(counted: Counts, choice: Choice) -> str:
    """Table rows, systems and accelerators, and when and where the round was published."""
    chips = len(counted.accelerators)
    parts = [f"{count_text(counted.table_rows, 'table row')}"] if counted.table_rows is not None else []
    parts += [f"{count_text(counted.systems, 'system')}"] if choice.submitter else []
    parts += [count_text(chips, "sort of accelerator", "sorts of accelerator") if chips else "no accelerators"]
    played = facts().round(choice.kind, choice.round)
    if played and played.published:
        parts.append(f"published on {played.published.isoformat()} (source: {urlsplit(played.source).hostname})")
    elif played:
        parts.append("the catalog has no date of its publication")
    parts += ["counted as far as loaded"] if choice.gaps and choice.submitter else []
    return " · ".join(parts)


def _notes(counted: Counts, news: News, choice: Choice) -> Iterable[str]:
    """How it was counted, what is missing, what is new."""
    if choice.gaps:
        lacking = "; ".join(f"{gap.what} ({gap.why})" for gap in choice.gaps)
        yield f"As far as loaded: not all of {_title(choice)} is here. Missing: {lacking}."
    power = counted.power_results
    if counted.table_rows is not None:
        rows = f"so {counted.results:,} results are {counted.table_rows:,} rows" if power else "here there is none"
        yield (
            "Table rows are counted as in MLCommons' tables: a result with measured power stands in the table of its "
            f"figure and again in that of its power; {rows}."
        )
    yield "Configurations are combinations of suite, division, power and system."
    if counted.listed_twice:
        yield (
            f"{count_text(counted.listed_twice, 'result is', 'results are')} listed in two suites and counted once in "
            "all, but once in each suite where suites are told apart."
        )
    yield _news_text(news, choice)
    yield "Counts say how much was submitted, not how good it is."
    played = facts().round(choice.kind, choice.round)
    if played and played.published:
        yield f"{_title(choice)} was published on {played.published.isoformat()}, as {played.source} says."


def _news_text(news: News, choice: Choice) -> str:
    """`New since v3.0: benchmarks …; submitters …`."""
    whose = f" for {choice.submitter}" if choice.submitter else ""
    if news.since is None:
        return _no_news(news)
    parts = []
    for what in NAMED:
        names = list(dict.fromkeys(guard.TIER.sub("", one.name) for one in news.found if one.what == what))
        if names:
            more = f" and {len(names) - MOST_NAMES} more" if len(names) > MOST_NAMES + 1 else ""
            listed = ", ".join(names[:MOST_NAMES] if more else names)
            parts.append(f"{what.lower() if len(names) == 1 else PLURALS[what]} {listed}{more}")
    told = "; ".join(parts) or "no benchmark, submitter, server family or accelerator"
    caveat = f" ({news.caveat})" if news.caveat else ""
    return f"New{whose} since {news.since.id}{caveat}: {told}."


PLURALS: Final[Mapping[str, str]] = {
    "Benchmark": "benchmarks", "Submitter": "submitters", "Server family": "server families",
    "Accelerator": "accelerators",
}  # fmt: skip


def _no_news(news: News) -> str:
    if news.since is None:
        return "The round before is not loaded or has no such results, so what is new here cannot be told."
    return f"Nothing here is new since {news.since.id}: no benchmark, submitter, server family or accelerator."


def _counted(rows: Sequence[Row]) -> Row:
    """The columns of counts that all tables have."""
    counted = counts(rows)
    return {
        "results": counted.results,
        "power_results": counted.power_results,
        "table_rows": counted.table_rows,
        "configurations": counted.configurations,
        "system_count": counted.systems,
        "accelerator_sorts": len(counted.accelerators),
    }


def _submitters(rows: Sequence[Row], news: News) -> list[Row]:
    """One row per submitter, most results first."""
    fresh = {one.name for one in news.found if one.what == "Submitter"}
    listed = [
        {"submitter": name, **_counted(group), "is_new": None if news.since is None else name in fresh}
        for name, group in _grouped(rows, lambda row: row["submitter"]).items()
    ]
    return sorted(listed, key=lambda row: (-row["results"], row["submitter"]))


def _benchmarks(rows: Sequence[Row]) -> list[Row]:
    """One row per benchmark, suite and division, most results first."""
    listed = []
    for (suite, division, benchmark), group in _grouped(
        rows, lambda row: (row["suite"], row["division"], row["benchmark"])
    ).items():
        kind = facts().kind(suite)
        known = facts().benchmark(kind, benchmark, None)
        title = known.full_name if known else benchmark
        place = ", ".join(filter(None, [suite.partition("-")[2], division]))
        scenarios = sorted({row["scenario"] for row in group if row["scenario"]})
        listed.append(
            {
                "name": f"{title.replace(' accuracy)', ')')}\n{place}",
                "benchmark": benchmark,
                "full_name": title,
                "suite": suite,
                "division": division,
                "scenarios": ", ".join(scenarios) or None,
                **_counted(group),
                "submitter_count": len({row["submitter"] for row in group}),
            }
        )
    return sorted(listed, key=lambda row: (-row["results"], row["name"]))


def _divisions(rows: Sequence[Row]) -> list[Row]:
    """One row per suite and division."""
    listed = []
    for (suite, division), group in _grouped(rows, lambda row: (row["suite"], row["division"])).items():
        listed.append(
            {
                "name": ", ".join(filter(None, [suite.partition("-")[2], division])),
                "suite": suite,
                "division": division,
                **_counted(group),
                "submitter_count": len({row["submitter"] for row in group}),
                "names": ", ".join(counts(group).accelerators) or None,
            }
        )
    return sorted(listed, key=lambda row: (-row["results"], row["name"]))


def _systems(rows: Sequence[Row]) -> list[Row]:
    """One row per system with the address of its sheet, by submitter and name."""
    listed = []
    for (submitter, system), group in _grouped(rows, entrant).items():
        counted, first = counts(group), group[0]
        listed.append(
            {
                "system": system,
                "sheet": SystemKey.of(first).address,
                "results": counted.results,
                "power_results": counted.power_results,
                "configurations": counted.configurations,
                "submitter": submitter,
                "system_name": first["system_name"],
                "server": first["server"],
                "server_family": first["server_family"],
                "accelerator": first["accelerator"],
                "accelerator_count": first["accelerator_count"],
                "nodes": first["nodes"],
                "suites": ", ".join(sorted({row["suite"] for row in group})),
                "divisions": ", ".join(sorted({row["division"] for row in group})),
                "round": first["round"],
            }
        )
    return sorted(listed, key=lambda row: (row["submitter"].casefold(), row["system"]))


def _news(news: News) -> list[Row]:
    """One row per new thing."""
    return [
        {
            "what": one.what,
            "name": one.name,
            **{key: value for key, value in _counted(one.rows).items() if key in ("results", "system_count")},
            "submitters_named": ", ".join(sorted({row["submitter"] for row in one.rows}, key=str.casefold)),
            "since": news.since.id if news.since else None,
            "comparability": news.caveat,
        }
        for one in news.found
    ]


# Any: what rows are grouped by is a text or several.
def _grouped(rows: Sequence[Row], key: Callable[[Row], Any]) -> dict[Any, list[Row]]:
    found: dict[Any, list[Row]] = {}
    for row in rows:
        found.setdefault(key(row), []).append(row)
    return found


def _charts(listed: Sequence[Row], name: str, title: str, choice: Choice) -> tuple[Chart, ...]:
    """The results of the first rows as bars; a submitter keeps its colour, all else has one."""
    drawn = sorted(listed, key=lambda row: -row["results"])[:MOST]
    if not drawn:
        return ()
    submitters = [row["submitter"] for row in drawn if name == "submitter"] or [choice.submitter or _title(choice)]
    colours = figures.system_colours(submitters, choice.palette)
    marks = [
        Bar(
            "\n".join(plots.wrapped(line, 32) for line in row[name].split("\n")),
            row["results"],
            f"{row['results']:,}",
            _hover(row, name),
            colours[row["submitter"]] if name == "submitter" else colours[submitters[0]],
        )
        for row in drawn
    ]
    rest = f" (first {len(drawn)} of {len(listed)})" if len(drawn) < len(listed) else ""
    return (Chart(bars.bars(marks, f"{title}{rest}"), f"{title} of {_title(choice)}, as bars, most first"),)


def _hover(row: Row, name: str) -> str:
    more = [f"{row['results']:,} results"]
    more += [f"{row['table_rows']:,} table rows"] if row.get("table_rows") is not None else []
    more += [f"{row['configurations']:,} configurations"] if "configurations" in row else []
    more += [f"{row['system_count']:,} systems"] if "system_count" in row else []
    return "\n".join([*row[name].split("\n"), *more])


def _file_name(choice: Choice, view: str) -> str:
    name = "_".join(filter(None, ["round", choice.kind, choice.round, choice.submitter, view]))
    return "".join(letter if letter.isalnum() or letter in "._-" else "-" for letter in name)[:120]


def _age(round_id: str) -> tuple[float, str]:
    """Rounds count upwards; one without a number comes first."""
    try:
        return float(round_id.removeprefix("v")), round_id
    except ValueError:
        return -1.0, round_id
