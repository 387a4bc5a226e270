"""The whole line from a path to stored results, and what its reports say."""

import hashlib
import random
import tarfile
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import duckdb
import pytest

from loaders import manifest, store
from loaders.ingest import load
from loaders.manifest import Listed, Manifest
from loaders.report import MOST, lines
from mlperf.errors import BrokenFile, CatalogError, LoadError, StoreError, UnsafeArchive
from tests.loaders.making import (
    FLAT,
    FULL,
    TRAINING,
    as_bytes,
    checker,
    cm,
    kinds,
    load_files,
    packed,
    result,
    rows,
    state,
    summary,
    table,
    training,
    write,
)

Database = duckdb.DuckDBPyConnection


def tarred(files: dict[str, object]) -> bytes:
    buffer = BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(as_bytes(content))
            archive.addfile(info, BytesIO(as_bytes(content)))
    return buffer.getvalue()


FILES: dict[str, object] = {"a/one.json": [summary()], "b/two.csv": table(FLAT | {"Scenario": "Server"})}


@pytest.mark.parametrize("form", ["folder", "zip", "tar.gz"])
def test_a_folder_and_an_archive_give_the_same_results(database: Database, tmp_path: Path, form: str) -> None:
    if form == "folder":
        write(tmp_path / "given", FILES)
    else:
        (tmp_path / "given").write_bytes(packed(FILES) if form == "zip" else tarred(FILES))
    reports = list(load(tmp_path / "given", database, Manifest()))
    assert len(reports) == (2 if form == "folder" else 1)
    assert sum(report.new for report in reports) == 2
    assert {(row["scenario"], row["value"]) for row in rows(database)} == {("Offline", 2000.25), ("Server", 2000.25)}


def test_a_file_of_an_archive_is_named_by_its_path_in_it(database: Database, tmp_path: Path) -> None:
    load_files(database, tmp_path, {"given.zip": packed(FILES)})
    assert {row["source_path"] for row in rows(database)} == set(FILES)
    assert {row["source"] for row in rows(database)} == {"given.zip"}


def test_what_no_format_knows_is_skipped_and_listed_and_the_rest_loads(database: Database, tmp_path: Path) -> None:
    content = packed(FILES | {"README.md": "words", "code/main.py": "print()", "x.pdf": b"%PDF-1.4"})
    (report,) = load_files(database, tmp_path, {"given.zip": content})
    assert report.new == 2
    assert {name.removeprefix(f"{report.name}/"): likeness for name, likeness in report.skipped} == {
        "README.md": "text", "code/main.py": "text", "x.pdf": "a PDF"
    }  # fmt: skip


def test_the_report_says_what_was_recognised_stored_there_already_wrong_and_skipped(
    database: Database, tmp_path: Path
) -> None:
    records = [summary(Platform=f"p{number}", Accelerator=f"Chip {number}") for number in range(MOST + 3)]
    content = packed({"a.json": records, "b.txt": "words"})
    (report,) = load_files(database, tmp_path, {"given.zip": content})
    text = "\n".join(lines([report], []))
    assert f"rows stored: {len(records)}" in text
    assert "rows already there: 0" in text
    assert f"problems: {len(records)}" in text
    assert text.count("is not known") == MOST
    assert "and 3 more: --all" in text
    assert "left aside, no results: 1 file\n  unknown, text: 1 (given.zip/b.txt)" in text.replace(
        str(tmp_path) + "/", ""
    )
    whole = "\n".join(lines([report], [], is_whole=True))
    assert whole.count("is not known") == len(records)
    assert "summary_results.json" in text


def test_a_problem_names_the_file_as_its_owner_has_it(database: Database, tmp_path: Path) -> None:
    (report,) = load_files(database, tmp_path, {"up.zip": packed({"run/a.json": [summary(Accelerator="Foo")]})})
    (problem,) = report.problems
    assert str(problem.where) == "up.zip/run/a.json:2"


def test_the_name_that_its_owner_gave_a_file_is_used(database: Database, tmp_path: Path) -> None:
    (path,) = write(tmp_path, {"upload-7f3a": packed(FILES)})
    (report,) = load(path, database, Manifest(), name="mine.zip")
    assert report.name == "mine.zip"
    assert {row["source"] for row in rows(database)} == {"mine.zip"}


def test_progress_goes_up_to_the_whole(database: Database, tmp_path: Path) -> None:
    (path,) = write(tmp_path, {"given.zip": packed(FILES)})
    heard: list[tuple[int, int]] = []
    list(load(path, database, Manifest(), on_progress=lambda done, total: heard.append((done, total))))
    assert heard[-1] == (path.stat().st_size, path.stat().st_size)
    assert heard == sorted(heard)


def test_an_archive_that_breaks_midway_stores_nothing_of_it(database: Database, tmp_path: Path) -> None:
    noise = random.Random(1).randbytes(200_000)
    content = bytearray(packed({"a.json": [summary()], "b.json": [summary(Scenario="Server")], "c": noise}))
    good = content.index(b"b.json") + 60
    content[good : good + 40] = b"\xff" * 40
    (report,) = load_files(database, tmp_path, {"given.zip": bytes(content)})
    assert isinstance(report.refused, BrokenFile)
    assert "b.json" in str(report.refused)
    assert not any(state(database).values())


@pytest.mark.parametrize("alone", [True, False])
def test_a_truncated_tar_stores_nothing_and_its_neighbours_load(
    database: Database, tmp_path: Path, alone: bool
) -> None:
    noise = random.Random(1).randbytes(300_000)
    whole = tarred({"a.json": [summary(Platform="lost")], "noise": noise})
    files = {"given/broken.tar.gz": whole[: len(whole) // 2], "given/good.json": [summary(Platform="kept")]}
    write(tmp_path, files)
    path = tmp_path / "given" / "broken.tar.gz" if alone else tmp_path / "given"
    reports = {report.name.rpartition("/")[2]: report for report in load(path, database, Manifest())}
    assert reports["broken.tar.gz"].refused is not None
    assert {row["system_id"] for row in rows(database)} == (set() if alone else {"kept"})
    assert "lost" not in repr(state(database))


def test_a_missing_path_is_a_refusal_and_no_exception(database: Database, tmp_path: Path) -> None:
    (report,) = load(tmp_path / "none.csv", database, Manifest())
    assert isinstance(report.refused, LoadError)
    assert "none.csv" in str(report.refused)


@pytest.mark.parametrize("names", [["inner.zip", "a.json"], ["a.json", "inner.zip"]])
def test_an_archive_inside_an_archive_is_refused_and_the_rest_loads(
    database: Database, tmp_path: Path, names: list[str]
) -> None:
    files = {"inner.zip": packed({"b.json": [summary(Platform="hidden")]}), "a.json": [summary()]}
    reports = load_files(database, tmp_path, {"outer.zip": packed({name: files[name] for name in names})})
    text = "\n".join(lines(reports, []))
    assert "outer.zip/inner.zip" in text
    assert "Unpack the outer archive" in text
    assert result(database)["system_id"] == summary()["Platform"]


def test_sources_are_never_written(database: Database, tmp_path: Path) -> None:
    paths = write(tmp_path, {"given/a.json": [summary()], "given/b.zip": packed(FILES), "given/c.csv": table(FLAT)})
    before = {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in paths}
    for path in paths:
        path.chmod(0o400)
    (tmp_path / "given").chmod(0o500)
    list(load(tmp_path / "given", database, Manifest()))
    assert {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in (tmp_path / "given").iterdir()} == before
    (tmp_path / "given").chmod(0o700)


def test_a_listed_file_is_known_by_its_content_whatever_its_name(database: Database, tmp_path: Path) -> None:
    content = as_bytes([summary()])
    mark = hashlib.sha256(content).hexdigest()
    entry = Listed("tables/a.json", mark, "mlcommons/there", "Apache-2.0", "one", path="summary_results.json")
    (path,) = write(tmp_path, {"renamed": content})
    list(load(path, database, Manifest({mark: entry})))
    found = result(database)
    assert (found["source"], found["source_path"]) == ("mlcommons/there", "summary_results.json")
    assert [(row["file"], row["licence"]) for row in rows(database, "sources")] == [("tables/a.json", "Apache-2.0")]


@pytest.mark.parametrize(
    "text",
    ['[[source]]\nfile = "a"\n', '[[source]]\nfile = "a"\nsha256 = "1"\nsource = "s"\nlicence = "l"\nwhat = "w"\n' * 2],
    ids=["incomplete", "twice"],
)
def test_a_manifest_that_is_wrong_is_an_error_of_the_catalog(tmp_path: Path, text: str) -> None:
    (path,) = write(tmp_path, {"SOURCES.toml": text})
    with pytest.raises(CatalogError, match=r"SOURCES\.toml"):
        manifest.read(path)


def test_the_kinds_of_refusal_are_our_own_errors() -> None:
    assert issubclass(UnsafeArchive, LoadError)
    assert not issubclass(StoreError, LoadError)


def orders() -> Iterator[list[str]]:
    names = sorted(MIXED)
    yield names
    yield names[::-1]
    for seed in range(4):
        yield random.Random(seed).sample(names, len(names))


MIXED: dict[str, object] = {
    "a.json": [summary(), summary(Scenario="Server", Performance_Units="Queries/s", Platform="b")],
    "b.csv": table(FLAT | {"Avg. Result at System Name": "2100"}, FLAT | {"Units": "Watts"}),
    "c.csv": table(FULL | {"Scenario": "Server", "Public ID": "5.1-0009"}),
    "d.json": [cm(), cm(version="v5.1", Scenario="Server", Accelerator="Foo")],
    "e.csv": table(
        checker(version="v5.1", MlperfModel="llama2-70b-99", Model="llama2-70b-99", Units="Tokens/s", Result=1.5)
    ),
    "f.json": [training(unet3d=4.5)],
    "g.csv": table(TRAINING, TRAINING | {"Units": "kJ"}),
    "h/a.json": [summary(Performance_Result=7.0)],
}  # fmt: skip


def test_tables_in_any_order_and_any_number_of_times_end_in_the_same_database(tmp_path: Path) -> None:
    states = []
    for number, order in enumerate(orders()):
        with store.open_database(None) as connection:
            load_files(connection, tmp_path, {name: MIXED[name] for name in order})
            if number % 2:
                load_files(connection, tmp_path, {name: MIXED[name] for name in order[::-1]})
            states.append(state(connection))
            assert set(kinds(connection)) >= {"sources-differ", "corrected-unit"}
    for name in states[0]:
        assert all(found[name] == states[0][name] for found in states), name


@pytest.mark.parametrize(
    ("stated", "origin", "verified"),
    [({}, "own", False), ({"origin": "our lab"}, "our lab", False), ({"origin": "mlcommons"}, "mlcommons", True)],
)
def test_a_file_that_the_manifest_does_not_list_is_verified_only_when_its_reader_vouches_for_it(
    database: Database, tmp_path: Path, stated: dict[str, str], origin: str, verified: bool
) -> None:
    (path,) = write(tmp_path, {"a.csv": table(FLAT)})
    reports = list(load(path, database, Manifest(), **stated))
    assert [report.new for report in reports] == [1]
    assert (result(database)["origin"], result(database)["verified"]) == (origin, verified)
