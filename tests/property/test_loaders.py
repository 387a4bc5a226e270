"""Whatever comes, only our own errors leave the loaders, lines count as an editor counts, and no figure is made up."""

import json
import random
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loaders import registry, store
from loaders.ingest import SourceReport, load
from loaders.manifest import Manifest
from loaders.protocol import Format
from loaders.unpack import Source, sources
from mlperf.errors import Problem
from mlperf.model import Measurement
from tests.loaders.making import (
    FLAT,
    FULL,
    TABLES,
    TRAINING,
    as_bytes,
    checker,
    cm,
    crosstab,
    rows,
    state,
    summary,
    table,
    training,
)

META = ("5.0-0001", "Acme", "available", "Acme One", "1", "NVIDIA A100-SXM4-80GB", "8", "Closed ")
COLUMNS = [("gptj-99", "Offline", "Tokens/s"), ("gptj-99", "Server", "Tokens/s"), ("rgat", "Offline", "Samples/s")]
CELLS = dict(zip(COLUMNS, ["1111.25", "2222.5", "33.75"], strict=True))
SCENARIOS = ("Offline", "Server", "Interactive")
EVERY: dict[str, bytes] = {
    "summary-results": as_bytes([summary(Scenario=name) for name in SCENARIOS]),
    "checker-json": as_bytes(
        {str(place): checker(version="v6.1", Scenario=name) for place, name in enumerate(SCENARIOS)}
    ),
    "checker-csv": table(*(checker(Scenario=name) for name in SCENARIOS)).encode(),
    "cm-result": as_bytes(
        [cm(Result_Power=5.5, Result_Power_Units="Watts"), training(unet3d=7.5), cm(Scenario="Server")]
    ),
    "export-full-data": table(*(FULL | {"Scenario": name} for name in SCENARIOS), above="A title\n").encode(),
    "export-flat": table(*(FLAT | {"Scenario": name} for name in SCENARIOS), delimiter="\t").encode("utf-16"),
    "export-flat-training": table(TRAINING, TRAINING | {"Units": "kJ"}, delimiter=";").encode(),
    "export-crosstab": crosstab({META: CELLS, ("5.0-0002", "Brace", *META[2:]): CELLS}, COLUMNS).encode(),
}

NASTY = [
    "", " ", "Null", "NaN", "nan", "Infinity", "-1", "0", "-0.0", "1e308", "1e999", "9" * 400, "5e-324", "1,2,3",
    "1.668,50", "1,668",
    "x" * 10_000, "\u202e", "\u2028", "\x0c", "\x1b[31m", "\0", "\ud800", "\ufeff", "\U0001f600", '"', "'", ",", "\t",
    ";", "\n", "\r\n",
    "{", "[", "}", "]", "=1+1", "v3.1", "v99", "Closed - Power", "Watts", "kJ", "Latency (s)", "Server", "SingleStream",
    "datacenter,edge", "open", "9999999", "NVIDIA A100-SXM4-80GB (x999999)",
    ", ".join(["9999 Nodes: NVIDIA A100-SXM4-80GBx99999"] * 5),
]  # fmt: skip
"""What goes into a cell, or between two."""

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.sampled_from(NASTY),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=12,
)


@cache
def database() -> duckdb.DuckDBPyConnection:
    """One database for all examples, emptied before each: making one takes longer than loading."""
    return store.open_database(None)


def loaded(content: bytes) -> tuple[list[SourceReport], list[dict[str, Any]]]:
    """Load the bytes as a file into an empty database: the reports and the results."""
    with tempfile.TemporaryDirectory() as folder:
        connection = database()
        for name in TABLES:
            connection.execute(f"delete from {name}")
        path = Path(folder) / "closed.csv"
        path.write_bytes(content)
        reports = list(load(path, connection, Manifest()))
        if any(report.refused for report in reports):
            assert not any(state(connection).values())
        return reports, rows(connection)


def parsed(content: bytes) -> tuple[Format | None, list[Measurement | Problem]]:
    """What the format makes of the bytes, before anything is stored."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "closed.csv"
        path.write_bytes(content)
        (source,) = sources(path)
        assert isinstance(source, Source)
        found = registry.detect(source)
        return found, list(found.parse(source)) if found else []


def check(content: bytes) -> None:
    """Loading ends in reports, with every place inside the file; any exception fails the test by itself."""
    reports, results = loaded(content)
    count = content.count(b"\n") + 2
    for problem in (problem for report in reports for problem in report.problems):
        assert problem.where.line is None or 1 <= problem.where.line <= count
        assert len(problem.found) < 1_000
    for row in results:
        assert 0 < row["value"] < float("inf")
        assert row["power_value"] is None or 0 < row["power_value"] < float("inf")
        assert row["efficiency"] is None or 0 < row["efficiency"] < float("inf")
        assert row["accelerator_count"] is None or 0 <= row["accelerator_count"] < 2**31


@given(st.binary(max_size=3_000))
@settings(max_examples=25)
def test_random_bytes_are_refused_or_loaded(content: bytes) -> None:
    check(content)


@pytest.mark.parametrize("name", EVERY)
def test_what_is_mutated_here_loads_unharmed(name: str) -> None:
    reports, results = loaded(EVERY[name])
    assert results
    assert [report.refused for report in reports] == [None]


names = st.sampled_from(sorted(set(summary()) | set(cm()) | set(training())))


changed = st.tuples(
    st.sampled_from([summary(), cm(), training(), checker()]), st.dictionaries(names, json_values, max_size=4)
)


@given(st.lists(changed, max_size=3), st.booleans())
@settings(max_examples=50)
def test_records_with_random_json_in_their_cells_are_refused_or_loaded(
    records: list[tuple[dict[str, Any], dict[str, Any]]], keyed: bool
) -> None:
    made = [record | changes for record, changes in records]
    check(json.dumps({str(place): record for place, record in enumerate(made)} if keyed else made, indent=1).encode())


@given(json_values)
@settings(max_examples=20)
def test_random_json_is_refused_or_loaded(value: object) -> None:
    check(json.dumps(value).encode())


def flip(content: bytes, chance: random.Random) -> bytes:
    place = chance.randrange(len(content))
    return content[:place] + bytes([chance.randrange(256)]) + content[place + 1 :]


def cut(content: bytes, chance: random.Random) -> bytes:
    start, end = sorted(chance.randrange(len(content) + 1) for _ in range(2))
    return content[:start] + content[end:] if chance.random() < 0.7 else content[:end]


def splice(content: bytes, chance: random.Random) -> bytes:
    other = EVERY[chance.choice(sorted(EVERY))]
    return content[: chance.randrange(len(content) + 1)] + other[chance.randrange(len(other)) :]


def double_a_line(content: bytes, chance: random.Random) -> bytes:
    lines = content.split(b"\n")
    place = chance.randrange(len(lines))
    return b"\n".join([*lines[: place + 1], *lines[place:]])


def swap_cells(content: bytes, chance: random.Random) -> bytes:
    separator = chance.choice([b",", b"\t\0" if content[:2] == b"\xff\xfe" else b";", b": "])
    cells = content.split(separator)
    one, other = (chance.randrange(len(cells)) for _ in range(2))
    cells[one], cells[other] = cells[other], cells[one]
    return separator.join(cells)


def put_nasty(content: bytes, chance: random.Random) -> bytes:
    utf_16 = content[:2] == b"\xff\xfe"
    text = chance.choice(NASTY).encode("utf-16-le" if utf_16 else "utf-8", "surrogatepass")
    places = [place for place, byte in enumerate(content) if byte in b'",\t;: \n' and not (utf_16 and place % 2)]
    place = chance.choice(places or [0])
    end = min((found for found in places if found > place), default=place) if chance.random() < 0.7 else place
    return content[:place] + content[place : place + 1 + utf_16] + text + content[end:]


def nest(content: bytes, chance: random.Random) -> bytes:
    depth = chance.choice([10, 450, 930, 5_000])
    place = chance.randrange(len(content) + 1)
    return content[:place] + b"[" * depth + (b"]" * depth if chance.random() < 0.5 else b"") + content[place:]


MUTATIONS: tuple[Callable[[bytes, random.Random], bytes], ...] = (
    flip, cut, splice, double_a_line, swap_cells, put_nasty, put_nasty, put_nasty, nest
)  # fmt: skip

mutations = st.lists(st.tuples(st.sampled_from(MUTATIONS), st.integers(0, 1 << 32)), min_size=1, max_size=4)


def mutated(content: bytes, chosen: list[tuple[Callable[[bytes, random.Random], bytes], int]]) -> bytes:
    for mutate, seed in chosen:
        content = mutate(content, random.Random(seed)) if content else content
    return content


@pytest.mark.parametrize("name", EVERY)
@given(mutations)
@settings(max_examples=30)
def test_a_mutated_table_is_refused_or_loaded(name: str, chosen: Any) -> None:
    check(mutated(EVERY[name], chosen))


LONGEST = len(cm()) + 4
"""Lines of a record; a cut may make one of three."""

careful = st.lists(
    st.tuples(st.sampled_from((double_a_line, swap_cells, cut)), st.integers(0, 1 << 32)), min_size=1, max_size=3
)


@pytest.mark.parametrize("name", EVERY)
@given(careful)
@settings(max_examples=30)
def test_a_figure_of_a_mutated_table_stands_in_the_line_that_is_named(name: str, chosen: Any) -> None:
    """Read before it is stored, so that no unit comes between: each figure is a text of its line, or of its record."""
    encoding = "utf-16" if EVERY[name][:2] == b"\xff\xfe" else "utf-8"
    content = mutated(EVERY[name].decode(encoding).encode(), chosen).decode("utf-8", "replace")
    lines = content.split("\n")
    found, items = parsed(content.encode(encoding))
    records = found is not None and found.NAME in ("summary-results", "checker-json", "cm-result")
    for item in items:
        line = item.where.line
        assert line is not None
        assert 1 <= line <= len(lines)
        if isinstance(item, Measurement):
            text = "\n".join(lines[line - 1 : line + 3 * LONGEST]) if records else lines[line - 1]
            for figure in (item.value, item.power_value):
                if figure is not None:
                    assert figure in figures(text)


def figures(text: str) -> set[float]:
    """Every number that a reader may see in a text, whatever its commas mean."""
    cells = {cell.strip(' "\r[]{}') for separator in (",", ";", "\t", ": ", '"') for cell in text.split(separator)}
    cells |= {cell for piece in text.split(": ") for cell in [piece.split(",\n")[0].strip(' "\r\n}]{[')]}
    seen: set[float] = set()
    for cell in cells:
        for way in (cell, cell.replace(",", ""), cell.replace(".", "").replace(",", ".")):
            try:
                seen.add(float(way))
            except ValueError:
                continue
    return seen


MIXED: dict[str, object] = {
    "a.json": [summary(), summary(Scenario="Server", Platform="b")],
    "b.csv": table(FLAT | {"Avg. Result at System Name": "2100"}, FLAT | {"Units": "Watts"}),
    "c.csv": table(FULL | {"Scenario": "Server", "Public ID": "5.1-0009"}, FULL | {"Units": "Watts"}),
    "d.json": [cm(), cm(version="v5.1", Scenario="Server", accelerator_model_name="Foo")],
    "e.csv": table(checker(version="v5.1", MlperfModel="llama2-70b-99", Model="llama2-70b-99", Units="Tokens/s")),
    "f/a.json": [summary(Performance_Result=7.0)],
}


@given(st.lists(st.sampled_from(sorted(MIXED)), max_size=3), st.permutations(sorted(MIXED)))
@settings(max_examples=5)
def test_any_order_and_any_number_of_loadings_end_in_the_same_database(again: list[str], order: list[str]) -> None:
    states = []
    for names_in_order in (sorted(MIXED), [*order, *again]):
        with tempfile.TemporaryDirectory() as folder, store.open_database(None) as connection:
            for name in names_in_order:
                path = Path(folder) / name
                path.parent.mkdir(exist_ok=True)
                path.write_bytes(as_bytes(MIXED[name]))
                list(load(path, connection, Manifest()))
            states.append(state(connection))
    assert states[0] == states[1]
