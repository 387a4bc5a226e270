"""What own logs say, on the screen: would a result count, each run, faults, and where everything was read.

The same for an upload before it is saved and for a saved one: both are told as the tables of `Told`. Nothing is judged
here; checks come from the loaders. Texts of logs stand in tables, which show them as text.
"""

import html
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import pyarrow as pa
import streamlit as st

from loaders.upload import Entry, shown_text
from mlperf import metrics, unverified
from mlperf.answers.runs import Group
from mlperf.errors import DashboardError, Problem, Where
from mlperf.model import Check, Run
from mlperf.systems import SystemKey
from ui import paging, report

MARKS: Final[Mapping[str, str]] = {"met": "✓ met", "broken": "✗ broken", "unknown": "? not told"}
ROWS: Final = 12
"""Rows that a table shows before it scrolls."""
FAULTS: Final = 50
"""Faults that a page of them shows: each takes several lines."""
OFFERED: Final = 200
"""Results that a list offers at a time: no browser should be sent thousands."""
BRIEF: Final = 80
"""Letters that are shown of a name outside of tables."""


@dataclass(frozen=True)
class Told:
    """All that is told of one result, or of logs that give none; each a table as `checks`, `runs`, … make it."""

    folder: str
    """What holds the logs, as their owner has it."""
    checks: pa.Table
    runs: pa.Table
    problems: pa.Table
    places: pa.Table


def brief(text: str, most: int = BRIEF) -> str:
    """A stranger's name for a heading or a label: one line, its middle left out where it is long."""
    line = shown_text(text)
    half = (most - 1) // 2
    return line if len(line) <= most else f"{line[:half]}…{line[-half:]}"


def place(file: str, line: int | None) -> str:
    """A place in a file as an editor counts."""
    return file if line is None else f"{file}:{line}"


def inside(path: str, folder: str) -> str:
    """A path, or a place, as seen from the folder that holds it: the folder's own name for itself, else the whole."""
    return folder.rpartition("/")[2] if path == folder else path.removeprefix(f"{folder}/") if folder else path


def short(verdicts: Iterable[str]) -> str:
    """All checks in a cell: `✗ 2 of 9 broken`."""
    counts = Counter(verdicts)
    total = counts.total()
    if not total:
        return "–"
    if counts["broken"]:
        return f"✗ {counts['broken']} of {total} broken"
    if counts["unknown"]:
        return f"? {counts['met']} of {total} met"
    return f"✓ {total} of {total} met"


def sentence(verdicts: Iterable[str]) -> str:
    """What all checks together say."""
    counts = Counter(verdicts)
    total, untold = counts.total(), counts["unknown"]
    if not total:
        return "No rule is known to hold these logs against."
    if broken := counts["broken"]:
        rest = f" Of {untold} the logs do not tell." if untold else ""
        return f"Would not count: {broken} of {total} checks {'is' if broken == 1 else 'are'} broken.{rest}"
    if not untold:
        return f"As far as the logs tell, it would count: all {total} checks are met."
    met = f"{counts['met']} of {total} checks are met, of {untold} the logs do not tell."
    return f"Nothing in the logs stands against it, but they do not tell all: {met}"


def checks(found: Iterable[Check]) -> pa.Table:
    """One row per rule."""
    names = ("rule", "verdict", "found", "needed", "source")
    told = ({name: getattr(one, name) for name in names} | _placed(one.where) for one in found)
    return checks_of(told)


def checks_of(rows: Iterable[Mapping[str, Any]]) -> pa.Table:
    """One row per rule, from rows as `Catalog.checks` has them."""
    return _texts(
        ("rule", "verdict", "found", "needed", "place", "source"),
        ({**row, "place": place(row["file"], row["line"])} for row in rows),
    )


def problems(found: Iterable[Problem]) -> pa.Table:
    """One row for all faults that say the same."""
    return problems_of({"found": one.found, "fix": one.fix} | _placed(one.where) for one in found)


def refusals(found: Iterable[Problem | DashboardError]) -> pa.Table:
    """One row per file that was refused."""
    rows = ({"found": one.found, "fix": one.fix, "place": str(one.where or "")} for one in found)
    return _texts(("place", "found", "fix"), rows)


def problems_of(rows: Iterable[Mapping[str, Any]]) -> pa.Table:
    """The same, from rows as `Catalog.problems` has them; the place is the first."""
    first: dict[tuple[str, str], Mapping[str, Any]] = {}
    counts: Counter[tuple[str, str]] = Counter()
    for row in rows:
        key = row["found"], row["fix"]
        first.setdefault(key, row)
        counts[key] += row.get("occurrences") or 1
    return _texts(
        ("place", "found", "fix"),
        (
            {
                **row,
                "place": place(row["file"], row["line"]),
                "found": f"{counts[key]:,} times: {row['found']}" if counts[key] > 1 else row["found"],
            }
            for key, row in first.items()
        ),
    )


def _placed(where: Where | None) -> dict[str, str | int | None]:
    return {"file": where.file if where else "", "line": where.line if where else None}


def runs(found: Sequence[Run], source: str) -> pa.Table:
    """One row per training run; `source` is the archive or folder that they were read from."""
    return runs_of([
        {name: getattr(run, name) for name in Run.__dataclass_fields__ if name != "where"}
        | {"source_path": run.where.file, "line": run.where.line, "source": source}
        for run in found
    ])  # fmt: skip


def runs_of(rows: Sequence[Mapping[str, Any]]) -> pa.Table:
    """One row per training run of one result, from rows as `Catalog.runs` has them."""
    group = Group(SystemKey("training", "", "", ""), None, tuple(dict(row) for row in rows), 0)
    told = [
        {"name": run["name"], "minutes": run["minutes"], "state": group.state(run), "epochs": run["epochs"],
         "samples": run["samples"], "global_batch_size": run["global_batch_size"],
         "seed": None if run["seed"] is None else str(run["seed"]),
         "place": place(_path(run["source"], run["source_path"]), run["line"])}
        for run in group.runs
    ]  # fmt: skip
    return pa.Table.from_pylist(told, schema=RUNS)


STYLE: Final = """
.checks { overflow-x: auto; border: 1px solid color-mix(in srgb, currentColor 18%, transparent); border-radius: .4rem }
.checks table { width: 100%; border-collapse: collapse; font-size: .8rem; line-height: 1.35; table-layout: fixed }
.checks th, .checks td { text-align: left; vertical-align: top; padding: .32rem .6rem; overflow-wrap: anywhere;
    border-bottom: 1px solid color-mix(in srgb, currentColor 12%, transparent) }
.checks th { font-weight: 400; opacity: .75 }
.checks th:nth-child(1) { width: 27% } .checks:not(.faults) th:nth-child(2) { width: 6.5rem }
.checks td > div { max-height: 9rem; overflow-y: auto }
.checks small { display: block; opacity: .7; font-size: .7rem }
.checks tr:last-child > td { border-bottom: 0 }
.checks .broken td:nth-child(2) { font-weight: 700 }
@media (max-width: 700px) {
    .checks thead { display: none }
    .checks tr, .checks td { display: block }
    .checks tr { border-bottom: 1px solid color-mix(in srgb, currentColor 25%, transparent); padding: .3rem 0 }
    .checks td { border: 0; padding: .1rem .6rem }
    .checks td:not(:first-child)::before { content: attr(data-head) ": "; opacity: .7; float: left; margin-right: .3em }
}
"""

RUNS: Final = pa.schema([
    ("name", pa.string()), ("minutes", pa.float64()), ("state", pa.string()), ("epochs", pa.float64()),
    ("samples", pa.float64()), ("global_batch_size", pa.int64()), ("seed", pa.string()), ("place", pa.string()),
])  # fmt: skip


def places(rows: Iterable[tuple[str, str, int | None]]) -> pa.Table:
    """Where a figure was read, from (source, path, line) of each place."""
    return _texts(("place",), ({"place": place(_path(source, path), line)} for source, path, line in rows))


def _path(source: str, path: str) -> str:
    """A place as its owner has it, from what was uploaded and the path in it; a lone file is both."""
    return "/".join(filter(None, [source, path])) if path != source else path


def narrowed(titles: Mapping[str, str], key: str, kept: Iterable[str] = ()) -> dict[str, str]:
    """The titles to offer: all where they are few, else those found by words, at most `OFFERED`; `kept` among them."""
    if len(titles) <= OFFERED:
        return {name: brief(title) for name, title in titles.items()}
    words = st.text_input(
        f"Find one of {len(titles):,}", key=f"{key}.find", placeholder="Words in benchmark, scenario, system", width=420
    )
    wanted = (words or "").casefold().split()
    found = [name for name, title in titles.items() if all(word in title.casefold() for word in wanted)]
    if len(found) > OFFERED:
        st.caption(f"{len(found):,} match; the first {OFFERED:,} are offered below.")
    chosen = dict.fromkeys([*found[:OFFERED], *(name for name in kept if name in titles)])
    return {name: brief(titles[name]) for name in chosen}


def told(entry: Entry) -> Told:
    """All of a group of logs that is not saved yet."""
    seen = dict.fromkeys((one.source, one.source_path, one.sighting.where.line) for one in entry.seen)
    where = [*seen] or ([("", entry.measurement.where.file, entry.measurement.where.line)]
                        if entry.measurement else [])  # fmt: skip
    return Told(
        entry.group, checks(entry.checks), runs(entry.runs, entry.source), problems(entry.problems), places(where)
    )


def show(one: Told, key: str) -> None:
    """Would it count, then each part in a tab; places are seen from the folder of the logs."""
    verdict, count = sentence(one.checks["verdict"].to_pylist()), one.problems.num_rows
    also = f" There {'is' if count == 1 else 'are'} {metrics.count_text(count, 'fault')} in the logs." if count else ""
    st.html(f'<p style="margin:0"><b>{html.escape(verdict + also)}</b></p>')
    parts = [
        ("Would it count?", _near(one.checks, one.folder), _checks),
        ("Runs", _near(one.runs, one.folder), _runs),
        ("Faults", _near(one.problems, one.folder), faults),
        ("Where it was read", one.places, _places),
    ]
    parts = [part for part in parts if part[1].num_rows]
    if not parts:
        return
    for tab, (title, rows, draw) in zip(st.tabs([part[0] for part in parts], key=f"{key}.parts"), parts, strict=True):
        with tab:
            draw(rows, f"{key}.{title}")
    seen_from = any((place_ or "").startswith(f"{one.folder}/") for place_ in one.checks["place"].to_pylist())
    report.note([f"Files are named as seen from {one.folder}"] if seen_from else [])


def _near(rows: pa.Table, folder: str) -> pa.Table:
    """The same rows with places as seen from a folder."""
    near = pa.array([inside(one, folder) if one else None for one in rows["place"].to_pylist()], pa.string())
    return rows.set_column(rows.column_names.index("place"), "place", near)


def table(rows: pa.Table, key: str, alt: str, columns: Mapping[str, Any], space: int | None = None) -> None:
    """A table page by page in the `space` of bytes that it has; texts are shown as they are, empty columns left out."""
    said = [name for name in columns if rows[name].null_count < rows.num_rows]
    labels = {name: columns[name]["label"] or name for name in said}
    shown = paging.page(rows, paging.rows_of_a_page(rows, space or paging.room() // 2), labels, key)
    st.dataframe(
        _plain(shown.select(said)),
        hide_index=True,
        column_config={name: columns[name] for name in said},
        height=38 + 35 * min(ROWS, shown.num_rows),
        placeholder="–",
        key=key,
        alt=alt,
    )


def _plain(rows: pa.Table) -> pa.Table:
    """The same rows with texts on one line, without marks that turn their direction."""
    for number, column in enumerate(rows.schema):
        if pa.types.is_string(column.type):
            texts = [one and shown_text(one) for one in rows[column.name].to_pylist()]
            rows = rows.set_column(number, column, pa.array(texts, pa.string()))
    return rows


def _checks(rows: pa.Table, _: str) -> None:
    """Every check whole."""
    heads = ("Rule", "Verdict", "Found", "Needed", "File and line")
    _sentences("checks", heads, [_check(row) for row in rows.to_pylist()])


def _check(row: Mapping[str, Any]) -> tuple[str, Sequence[str]]:
    told = _escaped(row)
    rule = f"{told['rule']}<small>{told['source']}</small>"
    return row["verdict"], (rule, MARKS[row["verdict"]], told["found"], told["needed"], told["place"])


def faults(rows: pa.Table, key: str) -> None:
    """What is wrong in the logs, file by file, every sentence whole."""
    heads = {"place": "File and line", "found": "Found", "fix": "What was done, or can be"}
    most = min(FAULTS, paging.rows_of_a_page(rows, paging.room() // 2))
    told = [_escaped(row) for row in paging.page(rows, most, heads, key).to_pylist()]
    _sentences("faults", tuple(heads.values()), [("", [row[name] for name in heads]) for row in told])


def _escaped(row: Mapping[str, Any]) -> dict[str, str]:
    return {name: html.escape(shown_text(text or "")) for name, text in row.items()}


def _sentences(kind: str, heads: Sequence[str], rows: Sequence[tuple[str, Sequence[str]]]) -> None:
    """A table of few rows and long sentences, broken where they must be: (class of the row, its cells as HTML) each."""
    names = "".join(f"<th>{head}</th>" for head in heads)
    lines = [
        f'<tr class="{name}">'
        + "".join(f'<td data-head="{head}"><div>{cell}</div></td>' for head, cell in zip(heads, cells, strict=True))
        + "</tr>"
        for name, cells in rows
    ]
    st.html(
        f'<style>{STYLE}</style><div class="checks {kind}" tabindex="0"><table><thead><tr>{names}</tr></thead>'
        f"<tbody>{''.join(lines)}</tbody></table></div>"
    )


def _runs(rows: pa.Table, key: str) -> None:
    text, number = st.column_config.TextColumn, st.column_config.NumberColumn
    numbers = {
        name: number(metrics.column(name).label, help=metrics.column(name).help or None,
                     format=metrics.column(name).format)
        for name in ("minutes", "epochs", "samples", "global_batch_size")
    }  # fmt: skip
    states = metrics.column("state")
    columns = {
        "name": text("Run"), "minutes": numbers["minutes"], "state": text(states.label, help=states.help),
        "epochs": numbers["epochs"], "samples": numbers["samples"],
        "global_batch_size": numbers["global_batch_size"], "seed": text("Seed"), "place": text("File and line"),
    }  # fmt: skip
    marked = unverified.MARK
    report.note([f"Each run's minutes are {marked}. What the score leaves out stands under “{states.label}”."])
    table(rows, key, "The training runs, and which of them the score counts", columns)


def _places(rows: pa.Table, key: str) -> None:
    table(rows, key, "File and line of what was uploaded", {"place": st.column_config.TextColumn("File and line")})


def _texts(columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> pa.Table:
    schema = pa.schema([(name, pa.string()) for name in columns])
    return pa.Table.from_pylist([{name: row[name] or None for name in columns} for row in rows], schema=schema)
