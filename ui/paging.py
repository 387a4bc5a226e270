"""A long table page by page, in an order that the reader chooses: what a choice sends stays small, and no row is cut.

The browser's own sorting knows the rows of one page only; `Order` sorts all of them before they are parted.
"""

from collections.abc import Mapping
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc
import streamlit as st

LIMIT: Final = 30_000
"""Bytes that a choice may bring over the network."""
BESIDE: Final = 11_500
"""Of these, what headings, controls, notes, links and footnote take."""
TABLE: Final = 2_700
COLUMN: Final = 220
"""Bytes that a table and each of its columns take before the first row."""
FEWEST: Final = 10
"""Rows of a page at least."""
AS_GIVEN: Final = "As listed"
RISING, FALLING = "↑", "↓"


def room(used: int = 0) -> int:
    """The bytes that a table has beside charts of so many."""
    return LIMIT - BESIDE - used


def rows_of_a_page(rows: pa.Table, space: int) -> int:
    """How many rows fit the space, by their bytes on average."""
    if not rows.num_rows:
        return FEWEST
    left = space - TABLE - COLUMN * rows.num_columns
    return max(FEWEST, int(left / max(1.0, rows.nbytes / rows.num_rows)))


def page(rows: pa.Table, most: int, labels: Mapping[str, str], key: str) -> pa.Table:
    """The rows of the chosen page; all of them, without controls, where they fit one.

    `labels` are the columns that the rows can be ordered by. More or fewer rows begin at their first page.
    """
    if rows.num_rows <= most:
        return rows
    pages = -(-rows.num_rows // most)
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small", key=f"{key}.pages"):
        ordered = _ordered(rows, labels, key)
        number = st.pagination(pages, key=f"{key}.page.{rows.num_rows}.{most}")
        first = (number - 1) * most
        last = min(first + most, rows.num_rows)
        st.text(f"Rows {first + 1:,} to {last:,} of {rows.num_rows:,}; the files have them all")
    return ordered.slice(first, last - first)


def _ordered(rows: pa.Table, labels: Mapping[str, str], key: str) -> pa.Table:
    """All rows in the chosen order; what is missing comes last, and equal ones keep their order."""
    orders = {f"{label} {way}": (name, way) for name, label in labels.items() for way in (RISING, FALLING)}
    chosen = st.selectbox("Order", [AS_GIVEN, *orders], key=f"{key}.order", width=210)
    if chosen not in orders:
        return rows
    name, way = orders[chosen]
    kind = "ascending" if way == RISING else "descending"
    places = pa.table({"value": rows[name], "place": pa.array(range(rows.num_rows))})
    return rows.take(pc.sort_indices(places, sort_keys=[("value", kind), ("place", "ascending")]))
