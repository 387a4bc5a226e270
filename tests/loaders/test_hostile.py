"""Files made to harm: refused whole, or shown as plain text; nothing is stored of what was refused."""

import io
import tarfile
import time
import tracemalloc
import zipfile
from pathlib import Path
from typing import Any

import duckdb
import pytest

from loaders import cells
from loaders.ingest import load
from loaders.limits import Limits
from loaders.manifest import Manifest
from loaders.tables import MAX_BAD
from mlperf import export, queries
from mlperf.errors import UnsafeArchive
from mlperf.filters import Filters
from tests.loaders.making import (
    FLAT,
    as_bytes,
    checker,
    kinds,
    load_files,
    result,
    rows,
    state,
    summary,
    table,
    write,
)

Database = duckdb.DuckDBPyConnection
SYSTEM = "System Name (click + for details)"
SMALL = Limits(members=50, member_bytes=4 << 20, unpacked_bytes=8 << 20, ratio_from=1 << 20)
GOOD = [summary(Platform="kept")]


def neighbours(database: Database, folder: Path, hostile: bytes, limits: Limits = SMALL) -> Any:
    """Load a folder with the hostile archive between two good files: what was said of the archive."""
    write(folder / "given", {"a.json": GOOD, "m.zip": hostile, "z.csv": table(FLAT | {"Scenario": "Server"})})
    reports = {
        report.name.rpartition("/")[2]: report for report in load(folder / "given", database, Manifest(), limits=limits)
    }
    assert {row["source"] for row in rows(database)} == {"a.json", "z.csv"}
    assert "lost" not in repr(state(database))
    return reports["m.zip"].refused


def zipped(members: list[tuple[zipfile.ZipInfo | str, bytes]]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return buffer.getvalue()


LOST = ("lost.json", as_bytes([summary(Platform="lost")]))


@pytest.mark.parametrize(
    "content",
    [
        zipped([LOST, ("bomb.json", b"[" + b" " * (3 << 20))]),
        zipped([LOST, ("large.json", b"[" + bytes(range(256)) * (5 << 12))]),
        zipped([LOST, *((f"{number}.json", b"[]") for number in range(60))]),
        zipped([LOST, ("../up.json", b"[]")]),
        zipped([LOST, ("/root.json", b"[]")]),
        zipped([LOST, ("a\\..\\..\\up.json", b"[]")]),
        zipped([LOST, ("/".join("d" * 40) + "/deep.json", b"[]")]),
    ],
    ids=["ratio", "size", "count", "traversal", "absolute", "backslashes", "depth"],
)
def test_an_archive_that_could_harm_is_refused_whole_and_its_neighbours_load(
    database: Database, tmp_path: Path, content: bytes
) -> None:
    refused = neighbours(database, tmp_path, content)
    assert refused is not None
    assert refused.kind == "unsafe-archive"
    assert not (tmp_path / "up.json").exists()


def test_the_same_archive_named_by_itself_is_an_unsafe_archive(database: Database, tmp_path: Path) -> None:
    (path,) = write(tmp_path, {"m.zip": zipped([LOST, ("../up.json", b"[]")])})
    (report,) = load(path, database, Manifest())
    assert isinstance(report.refused, UnsafeArchive)
    assert not any(state(database).values())


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE])
def test_a_link_in_a_tar_leads_nowhere(database: Database, tmp_path: Path, kind: bytes) -> None:
    (secret,) = write(tmp_path, {"secret.json": [summary(Platform="lost")]})
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        link = tarfile.TarInfo("link.json")
        link.type, link.linkname = kind, str(secret)
        archive.addfile(link)
    (path,) = write(tmp_path, {"m.tar.gz": buffer.getvalue()})
    list(load(path, database, Manifest()))
    assert not rows(database, "sightings")


def test_a_link_in_a_folder_leads_nowhere(database: Database, tmp_path: Path) -> None:
    write(tmp_path, {"given/a.json": GOOD, "secret.json": [summary(Platform="lost")]})
    (tmp_path / "given" / "b.json").symlink_to(tmp_path / "secret.json")
    (tmp_path / "given" / "round").symlink_to(tmp_path / "given")
    reports = list(load(tmp_path / "given", database, Manifest()))
    assert [row["system_id"] for row in rows(database)] == ["kept"]
    assert len(reports) == 3


def test_nul_bytes_cost_their_own_line_only(database: Database, tmp_path: Path) -> None:
    text = table(FLAT | {SYSTEM: "bad\0name", "Scenario": "Server"}, FLAT)
    (report,) = load_files(database, tmp_path, {"a.csv": text})
    assert result(database)["scenario"] == "Offline"
    assert [(problem.kind, problem.where.line) for problem in report.problems] == [("bad-line", 2)]


def test_nul_bytes_in_json_do_not_reach_the_database(database: Database, tmp_path: Path) -> None:
    load_files(database, tmp_path, {"a.json": [summary(System="A\0B\x1b[31m", Platform="p\0q")]})
    assert (result(database)["system_name"], result(database)["system_id"]) == ("A B [31m", "p q")


@pytest.mark.parametrize("in_zip", [False, True])
@pytest.mark.parametrize("quoted", [b"", b'"'])
def test_a_line_of_endless_length_is_reported_in_bounded_time_and_memory(
    database: Database, tmp_path: Path, in_zip: bool, quoted: bytes
) -> None:
    text = (
        table(FLAT).encode()
        + quoted
        + b"ab," * (8 << 20)
        + b"\n"
        + table(FLAT | {"Scenario": "Server"}).split("\n")[1].encode()
        + b"\n"
    )
    content = zipped([("a.csv", text)]) if in_zip else text
    tracemalloc.start()
    load_files(database, tmp_path, {"given": b""})
    tracemalloc.reset_peak()
    (path,) = write(tmp_path, {"given": content})
    (report,) = load(path, database, Manifest(), limits=Limits(ratio=2000))
    peak = tracemalloc.get_traced_memory()[1] - len(text) - len(content)
    tracemalloc.stop()
    assert peak < 24 << 20
    assert report.new == (2 if not quoted else report.new)
    assert {problem.where.line for problem in report.problems} == {3}


def test_one_line_of_a_gigabyte_is_no_burden(database: Database, tmp_path: Path) -> None:
    """A sparse file: zeros that no disk holds."""
    (path,) = write(tmp_path, {"large.csv": table(FLAT)})
    with path.open("r+b") as file:
        file.truncate(1 << 30)
    started = time.process_time()
    (report,) = load(path, database, Manifest())
    assert time.process_time() - started < 20
    assert report.new == 1
    assert [(problem.kind, problem.where.line) for problem in report.problems] == [("bad-line", 3)]


@pytest.mark.parametrize("line", ["a", '"', "a,b"])
def test_a_table_of_nothing_but_faults_is_given_up(database: Database, tmp_path: Path, line: str) -> None:
    (report,) = load_files(database, tmp_path, {"a.csv": table(FLAT) + (line + "\n") * (MAX_BAD * 2)})
    assert report.new == 1
    assert len(report.problems) <= MAX_BAD + 1


def test_json_without_end_is_reported_in_bounded_memory(database: Database, tmp_path: Path) -> None:
    head = as_bytes([summary()])[:-2]
    text = head + b', {"Submitter": "' + b"x" * (24 << 20) + b'"}, ' + as_bytes(summary(Platform="second")) + b"]"
    (path,) = write(tmp_path, {"a.json": text})
    tracemalloc.start()
    (report,) = load(path, database, Manifest())
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 24 << 20
    assert {problem.kind for problem in report.problems} == {"broken-json"}
    assert {row["system_id"] for row in rows(database)} == {summary()["Platform"], "second"}


@pytest.mark.parametrize("piece", [b'{"x":[{},', b"[", b'{"a":', b'{"a":"},{"a":[', b'{"a":[{},{"b":1},'])
def test_nested_and_broken_json_takes_no_more_than_moments(database: Database, tmp_path: Path, piece: bytes) -> None:
    head = as_bytes([summary()])[:-2] + b", "
    (path,) = write(tmp_path, {"a.json": head + piece * (4_000_000 // len(piece))})
    started = time.process_time()
    (report,) = load(path, database, Manifest())
    assert time.process_time() - started < 10
    assert report.new == 1
    assert report.problems


@pytest.mark.parametrize("depth", [50, 400, 480, 900, 960, 100_000])
@pytest.mark.parametrize("field", ["Performance_Result", "has_power", "System", "errors"])
def test_a_cell_that_is_nested_deeply_is_a_bad_cell(database: Database, tmp_path: Path, depth: int, field: str) -> None:
    text = as_bytes([summary(Platform="kept"), summary()]).decode()
    last = text.rindex(f'"{field}": ') + len(f'"{field}": ')
    end = text.index("\n", last)
    nested = text[:last] + "[" * depth + "]" * depth + ("," if text[end - 1] == "," else "") + text[end:]
    (report,) = load_files(database, tmp_path, {"a.json": nested})
    assert "kept" in {row["system_id"] for row in rows(database)}
    assert report.problems
    assert max(len(problem.found) for problem in report.problems) < 400


NASTY = [
    "<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "=cmd|' /C calc'!A0", "+1+1", "-2+3", "@SUM(A1)",
    "'; drop table results; --", "$where", "{{7*7}}", "\u202emoc.elpmaxe", "a\u2028b", "x" * cells.MAX_CELL,
]  # fmt: skip


@pytest.mark.parametrize("name", NASTY)
@pytest.mark.parametrize("form", ["json", "csv"])
def test_a_name_is_plain_text_whatever_it_holds(database: Database, tmp_path: Path, name: str, form: str) -> None:
    if form == "json":
        load_files(database, tmp_path, {"a": [summary(System=name, Submitter=name)]})
    else:
        load_files(database, tmp_path, {"a": table(FLAT | {SYSTEM: name, "Organization": name})})
    assert result(database)["system_name"] == result(database)["submitter"] == " ".join(name.split())


@pytest.mark.parametrize(
    "cells",
    [
        {"Nodes": 9_999_999, "a#": 9_999_999},
        {"Accelerator": ", ".join(["9999 Nodes: NVIDIA A100-SXM-80GBx99999"] * 5)},
        {"Nodes": 10**400},
        {"Power_Result": 5e-324, "Power_Units": "Watts"},
    ],
)
def test_a_number_beyond_belief_does_no_harm(database: Database, tmp_path: Path, cells: dict[str, Any]) -> None:
    load_files(database, tmp_path, {"a.json": [summary(**cells), summary(Scenario="Server")]})
    assert {row["value"] for row in rows(database)} == {2000.25}
    assert {row["efficiency"] for row in rows(database)} == {None}
    assert len(rows(database)) == 2


def test_a_name_of_ten_thousand_characters_is_a_bad_cell(database: Database, tmp_path: Path) -> None:
    load_files(database, tmp_path, {"a.csv": table(FLAT | {"Processor": "x" * 10_000, "Organization": "Acme"})})
    assert result(database)["processor"] is None
    assert kinds(database) == ["bad-cell"]


@pytest.mark.parametrize("start", "=+-@")
def test_an_exported_cell_that_a_spreadsheet_would_run_gets_an_apostrophe(
    database: Database, tmp_path: Path, start: str
) -> None:
    formula = f"{start}HYPERLINK(1)"
    load_files(
        database,
        tmp_path,
        {"a.json": [checker(SystemName=formula, Platform="-12.5", framework=f"{start}1") | {"uid": "1"}]},
    )
    written = export.write(queries.export_rows(database, Filters()), "csv").decode()
    assert f",'{formula}," in written
    assert ",-12.5," in written
    assert ",1000.5," in written
    assert f",{formula}," not in written
