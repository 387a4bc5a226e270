"""Names of systems in links: every one is shown as it is."""

import duckdb
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from tests import ROOT
from ui import tables


def shown(names: list[str]) -> list[str]:
    """What the browser shows of links to these systems: as Streamlit's `LinkColumn` reads them.

    Source: Streamlit 1.67, static/js: a match of `display_text` is passed to `decodeURIComponent`, each `+` as a blank.
    """
    rows = pa.table({"system": names, "sheet": ["system?system=x"] * len(names)})
    links = tables._with_links(rows)["system"].to_pylist()
    return [unquote_component(link.partition("#")[2]) for link in links]


def unquote_component(text: str) -> str:
    parts = text.replace("+", "%20").encode().split(b"%")
    return (parts[0] + b"".join(bytes.fromhex(part[:2].decode()) + part[2:] for part in parts[1:])).decode()


@given(st.lists(st.text(st.characters(codec="utf-8"), min_size=1), min_size=1))
def test_every_name_is_shown_as_it_is(names: list[str]) -> None:
    assert shown(names) == names


def test_every_published_system_is_shown_as_it_is() -> None:
    path = str(ROOT / "data" / "systems.parquet")
    query = "select distinct coalesce(system_id, system_name) as name from read_parquet(?) where name <> ''"
    names = [name for (name,) in duckdb.execute(query, [path]).fetchall()]
    assert shown(names) == names
    assert any("+" in name for name in names), "AS-2124GQ-NART+ is among them"
