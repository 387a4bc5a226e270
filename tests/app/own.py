"""Own results for tests: rows made from published ones, as an owner's upload stands beside these."""

from typing import Any

import duckdb

OWN: dict[str, Any] = {
    "submitter": "Own: rerun", "verified": False, "origin": "own", "basis": "computed", "source": "rerun.zip",
    "source_path": "rerun/result_0.txt", "link": None, "public_id": None, "same_runs": None,
}  # fmt: skip
"""What tells an own row from a published one."""


def published(con: duckdb.DuckDBPyConnection, condition: str) -> list[dict[str, Any]]:
    """The published rows that fulfil a condition, by ID and suite."""
    query = f"select * from results where verified and {condition} order by result_id, suite"
    rows: list[dict[str, Any]] = con.cursor().execute(query).to_arrow_table().to_pylist()
    return rows


def own(row: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """A published row as its owner's own result, with what differs."""
    return {**row, **OWN, "result_id": f"own-{row['result_id']}", **changes}


def add(con: duckdb.DuckDBPyConnection, rows: list[dict[str, Any]]) -> None:
    """Puts rows into the results, all columns by name."""
    for row in rows:
        names, marks = ", ".join(row), ", ".join("?" for _ in row)
        con.execute(f"insert into results ({names}) values ({marks})", list(row.values()))


def drop(con: duckdb.DuckDBPyConnection) -> None:
    """Takes all own rows away again."""
    con.execute("delete from results where not verified")
