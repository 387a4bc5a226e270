"""What one system ID submitted over the rounds, side by side."""

from typing import NamedTuple

import duckdb
import pyarrow as pa

from mlperf import guard, queries
from mlperf.answers.answer import Row, table
from mlperf.facts import facts
from mlperf.guard import Finding
from mlperf.metrics import measure
from mlperf.systems import SystemKey
from mlperf.unverified import marked


class History(NamedTuple):
    """The figures of a system ID, and what stands against holding them against one another."""

    figures: pa.Table
    """One row per benchmark, scenario, division and power; a column per round; no rows for a system of one round."""
    findings: tuple[Finding, ...]


def history(con: duckdb.DuckDBPyConnection, key: SystemKey) -> History:
    """What the submitter's systems of this ID have in all rounds of the kind, newest round first."""
    found = queries.system_relatives(con, key).to_pylist()
    others = [key._replace(round=row["round"]) for row in found if row["is_same_id"] and row["kind"] == key.kind]
    if not others:
        return History(table([]), ())
    rows = queries.system_results(con, [key, *others]).to_pylist()
    played = sorted({(row["round_index"], row["round"]) for row in rows}, reverse=True)
    groups: dict[tuple[str, ...], dict[str, Row]] = {}
    for row in rows:
        groups.setdefault(_place(key, row), {})[row["round"]] = row
    figures: list[Row] = [
        dict(zip(("cell", "division", "model"), place, strict=True))
        | {
            name: marked(measure(row).text(row["value"]), row) if (row := group.get(name)) else None
            for _, name in played
        }
        for place, group in sorted(groups.items())
    ]
    held = {" · ".join(filter(None, place)): list(group.values()) for place, group in groups.items()}
    return History(_without_empty(table(figures)), guard.merged(held))


def _place(key: SystemKey, row: Row) -> tuple[str, ...]:
    """What results have in common that stand in one row."""
    known = facts().benchmark(key.kind, row["benchmark"], None)
    title = known.full_name if known else row["benchmark"]
    power = "with power" if row["has_power"] else None
    return " · ".join(filter(None, [title, row["scenario"], power])), row["division"], row["model"] or ""


def _without_empty(figures: pa.Table) -> pa.Table:
    """Without a division or model that is the same in all rows."""
    same = [name for name in ("division", "model") if len(figures[name].unique()) == 1]
    return figures.drop_columns(same)
