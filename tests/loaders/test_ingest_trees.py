"""Log trees through the whole line: each form of a tree, beside tables, twice, in parts, broken, side by side."""

import io
import pickle
import random
import sys
import tarfile
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Executor, Future
from pathlib import Path
from types import ModuleType
from typing import Any

import duckdb
import pytest

from loaders import snapshot, store
from loaders.ingest import SourceReport, load, read
from loaders.manifest import Manifest
from loaders.processes import started
from mlperf.errors import BrokenFile, DashboardError, LoadError, StoreError, UnsafeArchive, Where
from tests.loaders.making import as_bytes, cm, kinds, packed, result, rows, training, write
from tests.loaders.trees.making_inference import RESULT, RUN, TREE, tree
from tests.loaders.trees.making_training import GROUP, SHEET, group

Database = duckdb.DuckDBPyConnection
Files = Mapping[str, Any]

TEN = (10, 11, 12, 13, 14, 15, 16, 17, 18, 30)
MINUTES = 14.5
"""The mean of the eight in the middle."""
RATE = 1234.56
SUMMARY = f"{RUN}/mlperf_log_summary.txt"
TRAINING = "training_results_v1.1"
"""What its owner calls a training tree, which tells the round."""
UNITED = {**tree(), **{f"{TRAINING}/{name}": content for name, content in group(TEN).items()}}
"""Both kinds of tree in one folder."""


def tarred(files: Files) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(as_bytes(content))
            archive.addfile(info, io.BytesIO(as_bytes(content)))
    return buffer.getvalue()


def put(folder: Path, files: Files, form: str = "folder", name: str = TRAINING) -> Path:
    """A tree on disk."""
    if form == "folder":
        write(folder / name, files)
        return folder / name
    (path,) = write(folder, {f"{name}.{form}": packed(files) if form == "zip" else tarred(files)})
    return path


def loaded(database: Database, path: Path, **options: Any) -> list[SourceReport]:
    return list(load(path, database, Manifest(), **options))


def everything(database: Database) -> dict[str, list[dict[str, Any]]]:
    return {name: rows(database, name) for name in snapshot.TABLES}


def without(found: list[dict[str, Any]], *columns: str) -> list[dict[str, Any]]:
    return sorted(({name: value for name, value in row.items() if name not in columns} for row in found), key=repr)


@pytest.mark.parametrize("files", [group(TEN), tree(), UNITED], ids=["training", "inference", "both"])
def test_a_folder_a_zip_and_a_tar_give_the_same(tmp_path: Path, files: Files) -> None:
    """All but the source's own name and hash."""
    found = []
    for form in ("folder", "zip", "tar.gz"):
        with store.open_database(None) as database:
            (report,) = loaded(database, put(tmp_path / form, files, form))
            assert (report.refused, report.skipped, report.problems) == (None, [], [])
            tables = everything(database)
            (source,) = tables.pop("sources")
            assert source["rows"] == report.new > 0
            assert {row["source"] for name in tables for row in tables[name] if "source" in row} == {source["source"]}
            found.append({name: without(tables[name], "source", "sha256", "sighting_id") for name in tables})
    assert found[0] == found[1] == found[2]


def test_a_training_tree_gives_its_score_and_where_it_was_read(database: Database, tmp_path: Path) -> None:
    path = put(tmp_path, group(TEN))
    (report,) = loaded(database, path)
    found = result(database)
    assert (report.new, report.runs) == (1, 10)
    assert (found["value"], found["unit"], found["basis"], found["runs"]) == (MINUTES, "min", "computed", 10)
    assert (found["round"], found["submitter"], found["system_id"]) == ("v1.1", "Dell", "XE8545")
    (sighting,) = rows(database, "sightings")
    assert found["source_path"] == sighting["source_path"]
    line = (path / sighting["source_path"]).read_text().split("\n")[sighting["line"] - 1]
    assert '"run_stop"' in line


def test_an_inference_tree_gives_its_score_and_where_it_was_read(database: Database, tmp_path: Path) -> None:
    path = put(tmp_path, tree())
    loaded(database, path)
    for found in rows(database):
        assert (found["value"], found["unit"], found["basis"], found["valid"]) == (RATE, "samples/s", "computed", True)
        assert (found["accuracy"], found["location"]) == ("acc: 76.064", RESULT.partition("/")[2])
    assert {row["suite"] for row in rows(database)} == {"inference-datacenter", "inference-edge"}
    for sighting in rows(database, "sightings"):
        line = (path / sighting["source_path"]).read_text().split("\n")[sighting["line"] - 1]
        assert str(RATE) in line


def test_a_log_alone_is_scored_and_placed_but_has_no_suite_without_its_sheet(
    database: Database, tmp_path: Path
) -> None:
    path = put(tmp_path, tree())
    loaded(database, path)
    before = everything(database)["results"]
    (report,) = loaded(database, path / SUMMARY)
    assert sorted(problem.kind for problem in report.problems) == ["missing-accuracy", "no-identity"]
    assert all(problem.where == Where(str(path / SUMMARY), 7) for problem in report.problems)
    (lacking,) = report.unlabelled.values()
    assert lacking.missing[0] == "suites"
    assert (report.new, everything(database)["results"]) == (0, before)


@pytest.mark.parametrize("form", ["folder", "zip"])
@pytest.mark.parametrize("stated", [{}, {"origin": "our lab"}])
def test_a_tree_that_is_not_listed_is_its_owners_and_not_verified(
    database: Database, tmp_path: Path, form: str, stated: dict[str, str]
) -> None:
    loaded(database, put(tmp_path, UNITED, form), **stated)
    assert {(row["origin"], row["verified"]) for row in rows(database)} == {(stated.get("origin", "own"), False)}


def published(benchmark: str, value: float) -> object:
    """A table that states the score of the tree's result."""
    if benchmark == "rnnt":
        url = "https://github.com/mlcommons/training_results_v1.1/blob/main/Dell/systems/XE8545.json"
        record = training(Model_ID="rnnt", Result=value, rnnt=value, details_url=url, submitter="Dell", version="1.1")
        del record["resnet"]
        return [record | {"Organization": "Dell", "accelerators_count": 4}]
    return [cm(Platform="box_1xA100", Model="resnet50", SystemType="datacenter,edge", Result=value)]


@pytest.mark.parametrize("benchmark, own, suites", [("rnnt", MINUTES, 1), ("resnet", RATE, 2)])
@pytest.mark.parametrize("share, differs", [(0.0009, False), (0.0011, True), (-0.0011, True)])
def test_a_published_score_wins_and_the_computed_one_stays_beside_it(
    database: Database, tmp_path: Path, benchmark: str, own: float, suites: int, share: float, differs: bool
) -> None:
    stated = own / (1 + share)
    loaded(database, put(tmp_path, group(TEN) if benchmark == "rnnt" else tree()))
    (table,) = write(tmp_path, {"table.json": published(benchmark, stated)})
    loaded(database, table)
    found = rows(database)
    assert [(row["value"], row["basis"], row["source"]) for row in found] == [
        (stated, "published", "table.json")
    ] * suites
    sightings = rows(database, "sightings")
    assert {row["result_id"] for row in sightings} == {row["result_id"] for row in found}
    assert sorted((row["basis"], row["value"]) for row in sightings) == sorted(
        [("computed", own), ("published", stated)] * suites
    )
    problems = [row for row in rows(database, "problems") if row["kind"] == "sources-differ"]
    assert len(problems) == differs
    assert all(row["file"] != "table.json" and f"{stated:g}" in row["found"] for row in problems)
    assert {row["result_id"] for row in rows(database, "runs")} == ({found[0]["result_id"]} if suites == 1 else set())


def test_trees_and_tables_in_any_order_and_any_number_of_times_end_in_the_same_database(tmp_path: Path) -> None:
    paths = [
        put(tmp_path, group(TEN), "zip"),
        put(tmp_path, tree(), name="inference"),
        *write(tmp_path, {"a.json": published("rnnt", 15.0), "b.json": published("resnet", 1300.0)}),
    ]
    found = []
    for order in (paths, paths[::-1], [paths[2], paths[0], paths[3], paths[1]], paths + paths, paths + paths[::-1]):
        with store.open_database(None) as database:
            for path in order:
                loaded(database, path)
            found.append(everything(database))
    for name in snapshot.TABLES:
        assert found[0][name]
        assert all(other[name] == found[0][name] for other in found), name


@pytest.mark.parametrize("form", ["folder", "zip", "tar.gz"])
def test_loading_a_tree_twice_changes_nothing(database: Database, tmp_path: Path, form: str) -> None:
    path = put(tmp_path, {**UNITED, "unscored/Dell/results/XE8545/bert/result_0.txt": "nothing"}, form)
    (first,) = loaded(database, path)
    before = everything(database)
    (second,) = loaded(database, path)
    assert (second.new, second.already, second.runs) == (0, first.new, first.runs)
    assert everything(database) == before
    assert all(before.values())


def test_a_copy_of_a_tree_under_another_name_is_the_same_source(database: Database, tmp_path: Path) -> None:
    loaded(database, put(tmp_path, tree(), name="one"))
    (report,) = loaded(database, put(tmp_path, tree(), name="other"))
    assert (report.new, report.already) == (0, 2)
    assert len(rows(database, "sources")) == 1


def test_a_tree_is_the_same_source_whichever_folder_above_it_is_named(tmp_path: Path) -> None:
    tree_path = put(tmp_path / "above", tree())
    found = []
    for order in ([tree_path, tree_path.parent], [tree_path.parent, tree_path]):
        with store.open_database(None) as database:
            for path in order:
                loaded(database, path)
            (source,) = rows(database, "sources")
            assert source["rows"] == len(rows(database, "sightings"))
            found.append(without(rows(database, "results"), "source", "source_path"))
    assert found[0] == found[1]


def test_runs_belong_to_their_result_and_say_whether_they_count(database: Database, tmp_path: Path) -> None:
    loaded(database, put(tmp_path, group(TEN, failed={4: "aborted"})))
    found = {row["name"]: row for row in rows(database, "runs")}
    assert {row["result_id"] for row in found.values()} == {result(database)["result_id"]}
    assert [found[f"result_{at}.txt"]["minutes"] for at in range(10)] == list(TEN)
    left_out = {name for name, row in found.items() if not row["is_counted"]}
    assert left_out == {"result_0.txt", "result_4.txt"}
    assert found["result_4.txt"]["status"] == "aborted"


def test_runs_belong_to_their_result_where_only_the_sheet_names_the_submitter(
    database: Database, tmp_path: Path
) -> None:
    files = {name.removeprefix("Dell/"): content for name, content in group(TEN).items()}
    loaded(database, put(tmp_path, files, "zip"))
    assert result(database)["submitter"] == "Dell"
    assert {row["result_id"] for row in rows(database, "runs")} == {result(database)["result_id"]}


@pytest.mark.parametrize(
    "minutes, failed, words",
    [(TEN[:4], {}, "4 of 10 runs"), (TEN, {1: "aborted", 2: "aborted"}, "2 of 10 runs failed")],
)
def test_a_group_without_a_score_keeps_its_runs_and_says_why(
    database: Database, tmp_path: Path, minutes: tuple[int, ...], failed: dict[int, str], words: str
) -> None:
    other = "Dell/results/XE8545/bert"
    loaded(database, put(tmp_path, {**group(TEN), **group(minutes, other, failed)}))
    runs = [row for row in rows(database, "runs") if row["benchmark"] == "bert"]
    assert len(runs) == len(minutes)
    assert {(row["result_id"], row["is_counted"]) for row in runs} == {(None, None)}
    (problem,) = rows(database, "problems")
    assert (problem["kind"], problem["file"]) == ("no-score", other)
    assert words in problem["found"]
    assert result(database)["benchmark"] == "rnnt"


@pytest.mark.parametrize("is_table_first", [True, False])
def test_runs_of_a_group_without_a_score_belong_to_the_figure_of_a_table(
    database: Database, tmp_path: Path, is_table_first: bool
) -> None:
    paths = [put(tmp_path, group(TEN[:4])), *write(tmp_path, {"table.json": published("rnnt", 15.0)})]
    for path in reversed(paths) if is_table_first else paths:
        loaded(database, path)
    found = result(database)
    assert found["value"] == 15.0
    assert {(row["result_id"], row["is_counted"]) for row in rows(database, "runs")} == {(found["result_id"], None)}


def twins() -> dict[str, Any]:
    """As in training v4.0: one submitter, one system, one benchmark, in two folders."""
    files: dict[str, Any] = {}
    for folder, minutes in (("smc", TEN), ("smc-ac-power", tuple(one + 1 for one in TEN))):
        files |= {f"{folder}/{name.removeprefix('Dell/')}": content for name, content in group(minutes).items()}
        files[f"{folder}/systems/XE8545.json"] = SHEET | {"submitter": "Supermicro"}
    return files


def test_two_folders_of_one_submitter_and_system_stay_two_results(database: Database, tmp_path: Path) -> None:
    loaded(database, put(tmp_path, twins()))
    found = rows(database)
    assert sorted((row["location"].partition("/")[0], row["value"]) for row in found) == [
        ("smc", MINUTES), ("smc-ac-power", MINUTES + 1)
    ]  # fmt: skip
    assert len({row["result_id"] for row in found}) == 2
    assert len({(row["submitter"], row["system_id"]) for row in found}) == 1
    by_folder = {row["location"]: row["result_id"] for row in found}
    assert all(row["result_id"] == by_folder[row["location"]] for row in rows(database, "runs"))
    assert kinds(database) == []


def test_sheets_hold_the_facts_and_no_prose(database: Database, tmp_path: Path) -> None:
    files = dict(UNITED)
    files[f"{TRAINING}/Dell/systems/XE8545.json"] = SHEET | {"hw_notes": "secret words", "sw_notes": "secret words"}
    loaded(database, put(tmp_path, files))
    sheets = rows(database, "sheets")
    stated = sorted((row["position"], row["field"], row["value"]) for row in sheets if row["kind"] == "training")
    facts = [(field, value) for field, value in SHEET.items() if field != "hw_notes"]
    assert stated == [(position, *fact) for position, fact in enumerate(facts)]
    assert {(row["round"], row["submitter"], row["system_id"], row["source_path"]) for row in sheets} == {
        ("v1.1", "Dell", "XE8545", f"{TRAINING}/Dell/systems/XE8545.json"),
        ("v3.1", "Acme", "box_1xA100", f"{TREE}/systems/box_1xA100.json"),
    }
    assert "secret words" not in repr(everything(database))


def test_loose_logs_of_a_folder_are_one_source_beside_its_tables(database: Database, tmp_path: Path) -> None:
    reports = loaded(
        database, put(tmp_path, {**UNITED, "table.json": published("resnet", 1300.0), "notes.md": "words"})
    )
    assert sorted(row["source"] for row in rows(database, "sources")) == ["table.json", TRAINING]
    assert [(report.name.rpartition("/")[2], report.new) for report in reports if report.new] == [
        ("table.json", 2), (TRAINING, 3)
    ]  # fmt: skip
    assert {row["source"] for row in rows(database, "runs")} == {TRAINING}


@pytest.mark.parametrize("form", ["folder", "zip"])
def test_a_bare_log_without_identity_says_so_and_the_rest_loads(database: Database, tmp_path: Path, form: str) -> None:
    files = {**tree(), "lost/mlperf_log_summary.txt": tree()[SUMMARY]}
    (report,) = loaded(database, put(tmp_path, files, form, name="mine"))
    assert report.refused is None
    assert {problem.kind for problem in report.problems} == {"no-identity"}
    assert {row["file"] for row in rows(database, "problems")} == {"lost/mlperf_log_summary.txt"}
    assert {row["system_id"] for row in rows(database)} == {"box_1xA100"}


def test_a_bare_training_log_without_identity_says_so(database: Database, tmp_path: Path) -> None:
    (path,) = write(tmp_path, {"result_0.txt": group(TEN)[f"{GROUP}/result_0.txt"]})
    (report,) = loaded(database, path)
    assert rows(database, "runs") == []
    assert "no-identity" in {problem.kind for problem in report.problems}
    assert "its runs were kept" not in repr(report.problems)


def test_what_is_refused_for_its_round_leaves_no_run_and_no_sheet(database: Database, tmp_path: Path) -> None:
    (report,) = loaded(database, put(tmp_path, group(TEN), name="mine"))
    assert [problem.kind for problem in report.problems] == ["no-identity"]
    (lacking,) = report.unlabelled.values()
    assert lacking.missing == ("round",)
    assert report.runs == 0
    assert rows(database, "runs") == rows(database, "sheets") == rows(database) == []


def test_a_part_of_a_training_tree_has_the_round_of_the_folders_above_it(database: Database, tmp_path: Path) -> None:
    loaded(database, put(tmp_path, group(TEN)) / "Dell")
    assert result(database)["round"] == "v1.1"


def broken(whole: bytes, form: str) -> bytes:
    """An archive cut in its middle, or with a member that is damaged."""
    if form == "tar.gz":
        return whole[: len(whole) // 2]
    content = bytearray(whole)
    middle = content.index(b"result_5.txt") + 60
    content[middle : middle + 40] = b"\xff" * 40
    return bytes(content)


@pytest.mark.parametrize("form", ["zip", "tar.gz"])
def test_an_archive_that_breaks_midway_stores_nothing(database: Database, tmp_path: Path, form: str) -> None:
    path = put(tmp_path, {**group(TEN), "noise": random.Random(1).randbytes(300_000)}, form)
    path.write_bytes(broken(path.read_bytes(), form))
    (report,) = loaded(database, path)
    assert isinstance(report.refused, BrokenFile)
    assert not any(everything(database).values())


@pytest.mark.parametrize("table_name", ["runs", "sheets"])
def test_a_tree_that_the_database_refuses_midway_leaves_no_trace(
    database: Database, tmp_path: Path, table_name: str
) -> None:
    database.execute(f"alter table {table_name} rename to kept; create view {table_name} as select * from kept")
    before = {name: rows(database, name) for name in snapshot.TABLES}
    (report,) = loaded(database, put(tmp_path, group(TEN)))
    assert isinstance(report.refused, StoreError)
    assert everything(database) == before
    assert not any(before.values())


def archives(folder: Path, damaged: str | None) -> Path:
    """A folder with archives of several rounds, a table and loose logs; one archive may be damaged."""
    noise = {"noise": random.Random(1).randbytes(100_000)}
    for name, form in ((TRAINING, "zip"), ("training_results_v2.0", "tar.gz"), ("inference", "zip")):
        path = put(folder, ({**group(TEN), **noise} if "training" in name else tree()), form, name=name)
        if damaged == form and "training" in name:
            path.write_bytes(broken(path.read_bytes(), form))
    write(folder, {**tree(round_id="v3.0"), "table.json": published("rnnt", 15.0)})
    return folder


@pytest.fixture
def workers(monkeypatch: pytest.MonkeyPatch) -> Iterator[Executor | None]:
    """Two processes. They import `__main__`, in whose place the tests of pages leave a page."""
    monkeypatch.setitem(sys.modules, "__main__", ModuleType("__main__"))
    with started(2) as found:
        yield found


@pytest.mark.parametrize("damaged", [None, "zip", "tar.gz"])
def test_two_processes_read_archives_into_the_same_database_as_one(
    workers: Executor, tmp_path: Path, damaged: str | None
) -> None:
    folder = archives(tmp_path / "given", damaged)
    tables, told = [], []
    for some in (None, workers):
        with store.open_database(None) as database:
            reports = loaded(database, folder, workers=some)
            tables.append(everything(database))
        told.append(sorted((one.name, one.new, one.runs, one.refused is not None) for one in reports))
    assert told[0] == told[1]
    assert tables[0] == tables[1]
    assert sum(is_refused for *_, is_refused in told[1]) == (damaged is not None)
    assert len(tables[0]["runs"]) == (20 if damaged is None else 10)


def test_progress_of_two_processes_goes_up_to_the_archives_bytes(
    workers: Executor, database: Database, tmp_path: Path
) -> None:
    folder = archives(tmp_path / "given", None)
    heard: list[tuple[int, int]] = []
    loaded(database, folder, workers=workers, on_progress=lambda done, total: heard.append((done, total)))
    assert heard == sorted(heard)
    total = sum(path.stat().st_size for path in folder.iterdir() if path.suffix in {".zip", ".gz"})
    assert heard[-1] == (total, total)


def test_a_run_points_to_no_result_that_was_made_anew_under_another_key(database: Database, tmp_path: Path) -> None:
    """Runs without a score are behind a table's figure; what they pointed to before that was made anew is forgotten."""
    loaded(database, put(tmp_path, group(TEN[:4])))
    database.execute("update runs set result_id = 'of another time'")
    loaded(database, *write(tmp_path, {"other.json": published("rnnt", 15.0)}))
    (one,) = {row["result_id"] for row in rows(database)}
    assert [row["result_id"] for row in rows(database, "runs")] == [one] * 4


def test_who_asks_for_no_more_does_not_wait_for_the_archives_that_nobody_has_read(tmp_path: Path) -> None:
    folder, asked = archives(tmp_path / "given", None), []

    class Reluctant(Executor):
        """Reads one archive and begins no other."""

        def submit(self, function: Callable[..., Any], /, *values: Any, **_: Any) -> Future[Any]:
            asked.append(Future[Any]())
            if values[0][0].name == "inference.zip":
                asked[-1].set_result(function(*values))
            return asked[-1]

    readings = read(folder, Manifest(), workers=Reluctant())
    assert any(reading.file and reading.file.name == "inference.zip" for reading in readings)
    readings.close()
    assert sorted(future.cancelled() for future in asked) == [False, True, True]


def test_a_fault_of_a_process_arrives_as_itself(workers: Executor, database: Database, tmp_path: Path) -> None:
    folder = archives(tmp_path / "given", "tar.gz")
    alone = folder / "training_results_v2.0.tar.gz"
    (one,) = loaded(database, alone, name=f"given/{alone.name}")
    reports = {report.name: report for report in loaded(database, folder, workers=workers)}
    arrived = reports[f"given/{alone.name}"].refused
    assert type(arrived) is type(one.refused) is BrokenFile
    assert vars(arrived) == vars(one.refused)


@pytest.mark.parametrize("kind", [DashboardError, LoadError, UnsafeArchive, BrokenFile, StoreError])
def test_an_error_of_ours_survives_the_way_between_processes(kind: type[DashboardError]) -> None:
    fault = kind("is broken.", Where("up.zip/a", 3), "Mend it.")
    arrived = pickle.loads(pickle.dumps(fault))
    assert type(arrived) is kind
    assert (str(arrived), vars(arrived)) == (str(fault), vars(fault))


def test_a_tree_without_its_sheet_is_another_source_and_takes_nothing_away(database: Database, tmp_path: Path) -> None:
    path = put(tmp_path, group(TEN))
    loaded(database, path)
    (path / "Dell/systems/XE8545.json").unlink()
    (report,) = loaded(database, path)
    assert len(rows(database, "sources")) == 2
    assert {problem.kind for problem in report.problems} == {"no-system", "no-identity"}
    assert result(database)["value"] == MINUTES
