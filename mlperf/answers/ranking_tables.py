"""Rankings as tables: a row per run, per first place, per holder of titles; and the words that name them."""

from collections.abc import Sequence
from typing import Literal

from mlperf import compare, guard
from mlperf.answers.answer import Row
from mlperf.metrics import count_text
from mlperf.ranking import Entry, Ranking, Title, entrant, system_of, titles
from mlperf.systems import SystemKey
from mlperf.unverified import stated

Holder = Literal["submitter", "server"]


def who(row: Row) -> str:
    """`Dell XE9680 (8 × NVIDIA H100-SXM-80GB)` where the catalog knows the server, else submitter and system."""
    if not row["server"]:
        return f"{row['submitter']} {system_of(row)}"
    count = f"{row['accelerator_count']} × " if row["accelerator_count"] else ""
    chips = f" ({count}{row['accelerator']})" if row["accelerator"] else ""
    return f"{row['submitter']} {row['server']}{chips}"


def also(row: Row, copy: Row) -> str:
    """What tells a copy from the result that stands for it: another system, else its folder or software."""
    if entrant(row) != entrant(copy):
        return " ".join(name for name, other in zip(entrant(copy), entrant(row), strict=True) if name != other)
    return f"{system_of(copy)} with {copy['framework'] or 'other software'}"


def not_again(entries: Sequence[Entry]) -> list[str]:
    """How many results of runs that are ranked already were not ranked a second time, with the first as an example."""
    copies = [(entry.row, copy) for entry in entries for copy in entry.copies]
    if not copies:
        return []
    row, copy = copies[0]
    return [
        f"Not ranked a second time: {count_text(len(copies), 'result')} of a run that is in the "
        f"ranking already, such as {who(row)} = {also(row, copy)}."
    ]


def also_as(entry: Entry) -> str | None:
    """The other names of a run, as a column has them; None where it has no other."""
    return "; ".join(also(entry.row, copy) for copy in entry.copies) or None


def sheet(row: Row) -> str:
    """The address of the page of a result's system."""
    return SystemKey.of(row).address


def ahead(lead: float) -> str:
    """A lead in words: `4.6 % ahead of`, `12.3 times`."""
    return f"{lead + 1:.3g} times" if lead >= 1 else f"{percent(lead)} ahead of"


def percent(share: float) -> str:
    """`4.6 %`, `0.057 %`, `48 %`."""
    value = 100 * share
    return f"{value:.0f} %" if value >= 10 else f"{value:.2g} %"


def ordinal(place: int) -> str:
    """`1st`, `2nd`, `11th`."""
    ending = "th" if place % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(place % 10, "th")
    return f"{place}{ending}"


def would_be(entry: Entry) -> str:
    """The place that an unverified result would have: `3rd`, `3rd (shared)`."""
    return f"{ordinal(entry.place)}{' (shared)' if entry.is_shared else ''}"


def entry_rows(ranking: Ranking) -> list[Row]:
    """The ranking's table, a row per run; where unverified results stand in it, its ranks are texts: `would be 3rd`."""
    rows = [entry_row(entry, ranking) for entry in ranking.standing]
    if not ranking.beside:
        return rows
    places = [f"{'' if entry.is_ranked else 'would be '}{_rank(entry)}" for entry in ranking.standing]
    return stated([row | {"rank": place} for row, place in zip(rows, places, strict=True)])


def _rank(entry: Entry) -> str:
    return str(entry.place) if entry.is_ranked else ordinal(entry.place)


def entry_row(entry: Entry, ranking: Ranking) -> Row:
    """A row of the ranking's table."""
    row, first = entry.row, ranking.entries[0]
    pair = guard.findings([row] if entry is first else [first.row, row])
    is_refused = any(found.is_refused for found in pair)
    better = entry.measure.better or "higher"
    return {
        "rank": entry.place,
        "is_shared": entry.is_shared,
        "system": system_of(row),
        "submitter": row["submitter"],
        "value": row["value"],
        "unit": row["unit"],
        **_ranked_by(entry),
        "of_first": None if is_refused else compare.speedup(entry.value, first.value, better),
        "accelerator": row["accelerator"],
        "accelerator_count": row["accelerator_count"],
        "nodes": row["nodes"],
        "server": row["server"],
        "also_as": also_as(entry),
        "round": row["round"],
        "suite": row["suite"],
        "benchmark": row["benchmark"],
        "scenario": row["scenario"],
        "metric": row["metric"],
        "better": row["better"],
        "division": row["division"],
        "availability": row["availability"],
        "has_power": row["has_power"],
        "power_value": row["power_value"],
        "power_unit": row["power_unit"],
        "comparability": guard.remark(pair),
        "verified": row["verified"],
        "public_id": row["public_id"],
        "sheet": sheet(row),
        "link": row["link"],
    }


def _ranked_by(entry: Entry) -> Row:
    """The derived figure that it was ranked by; nothing where that is the result itself."""
    if not entry.measure.is_derived:
        return {}
    name = "efficiency" if entry.measure.label == "Efficiency" else "per_accelerator"
    return {name: entry.value, f"{name}_unit": entry.measure.unit}


def first_row(ranking: Ranking, earlier: Ranking | None) -> Row:
    """A row of the table of first places."""
    entry, second = ranking.entries[0], ranking.runner_up
    row, lead, found = entry.row, ranking.lead, ranking.findings
    others = [who(other.row) for other in ranking.firsts[1:]]
    return {
        "benchmark": ranking.benchmark,
        "scenario": ranking.scenario,
        "system": system_of(row),
        "submitter": row["submitter"],
        "value": row["value"],
        "unit": row["unit"],
        **_ranked_by(entry),
        "lead_percent": None if lead is None else 100 * lead,
        "shared_with": "; ".join(others) or None,
        "same_run_as": earlier.benchmark if earlier else None,
        "runner_up": system_of(second.row) if second else None,
        "runner_up_submitter": second.row["submitter"] if second else None,
        "runner_up_value": second.row["value"] if second else None,
        **{f"runner_up_{name}": value for name, value in (_ranked_by(second) if second else _ranked_by(entry)).items()
           if second and not name.endswith("_unit")},
        "runs_ranked": len(ranking.entries),
        "accelerator": row["accelerator"],
        "accelerator_count": row["accelerator_count"],
        "nodes": row["nodes"],
        "round": row["round"],
        "suite": row["suite"],
        "division": row["division"],
        "availability": row["availability"],
        "has_power": row["has_power"],
        "metric": row["metric"],
        "better": row["better"],
        "comparability": guard.remark(found),
        "verified": row["verified"],
        "public_id": row["public_id"],
        "sheet": sheet(row),
        "link": row["link"],
    }  # fmt: skip


def holders(ranked: Sequence[Ranking], holder: Holder) -> list[Row]:
    """One row per holder of a first place, most titles first; ties by name."""
    found: dict[str, list[Title]] = {}
    for title in titles(ranked):
        found.setdefault(holder_name(title.entry.row, holder), []).append(title)
    rows = [_held(name, held, len(ranked)) for name, held in found.items()]
    return sorted(rows, key=lambda row: (-row["titles"], row["holder"]))


def holder_name(row: Row, holder: Holder) -> str:
    """Who holds a first place with this result: its submitter, or the server with it."""
    return str(row["submitter"] if holder == "submitter" else f"{row['submitter']} {row['server'] or system_of(row)}")


def _held(name: str, held: Sequence[Title], of: int) -> Row:
    runs = [title for title in held if title.earlier is None]
    cells = dict.fromkeys(title.ranking.title for title in runs)
    doubles = [f"{title.ranking.title} = {title.earlier.title}" for title in held if title.earlier]
    return {
        "holder": name,
        "submitter": held[0].entry.row["submitter"],
        "titles": len(cells),
        "titles_shared": len({title.ranking.title for title in runs if title.entry.is_shared}),
        "titles_same_run": len(doubles),
        "rankings": of,
        "first_in": "; ".join(cells),
        "same_run_as": "; ".join(doubles) or None,
        **_field([title.entry.row for title in held]),
    }


def _field(rows: Sequence[Row]) -> Row:
    """The field of several results, as columns: all values where they differ; `has_power` is empty for both sorts."""
    columns = ("round", "suite", "division", "availability")
    powers = {row["has_power"] for row in rows}
    return {
        **{name: "; ".join(sorted({row[name] for row in rows if row[name]})) or None for name in columns},
        "has_power": powers.pop() if len(powers) == 1 else None,
    }
