"""Own results in their catalog: saved whole or not at all, seen by their owner only, in files of any state."""

import dataclasses
import inspect as inspecting
import math
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest

from loaders import own, snapshot
from loaders.own import Catalog, View
from loaders.trees.protocol import Label
from mlperf import export, queries
from mlperf.errors import LoadError, StoreError
from mlperf.filters import Filters
from mlperf.model import RESULT_COLUMNS, SECOND_MEASURES
from mlperf.queries import Field
from mlperf.systems import SystemKey
from tests.loaders.making import FLAT, packed, summary, table
from tests.loaders.trees.making_inference import OFFLINE, detail, tree
from tests.loaders.trees.making_training import group, log
from tests.loaders.uploading import INFERENCE, LABEL, Box, columns, previewed, read, ten

TREE = {f"training_results_v1.1/{name}": content for name, content in group(range(10, 20)).items()}
TABLE = {"table.json": [summary(Platform="one"), summary(Platform="two", Performance_Result=5.5)]}


@pytest.fixture
def box(tmp_path: Path) -> Iterator[Box]:
    made = Box(tmp_path)
    yield made
    made.close()


def submitters(readable: queries.Readable) -> set[str]:
    return set(queries.results(readable, Filters())["submitter"].to_pylist())


# --- saving ---


def test_an_upload_is_saved_with_everything_that_it_holds(box: Box) -> None:
    saved = box.save({**TREE, **TABLE}, title="Rerun")
    assert (saved.title, saved.results, saved.runs, saved.was_there) == ("Rerun", 3, 10, False)
    (row,) = box.catalog.uploads("me").to_pylist()
    assert (row["results"], row["runs"], row["owner"], row["name"]) == (3, 10, "me", "upload")
    found = box.catalog.results("me", saved.upload_id)
    assert sorted(found["value"].to_pylist()) == [5.5, 14.5, 2000.25]
    assert set(found["submitter"].to_pylist()) == {"Own: Rerun"}
    assert {(row["verified"], row["origin"], row["link"]) for row in found.to_pylist()} == {(False, "own", None)}
    assert box.catalog.checks("me", saved.upload_id).num_rows > 3
    (result_id,) = [row["result_id"] for row in found.to_pylist() if row["suite"] == "training"]
    runs = box.catalog.runs("me", saved.upload_id)
    assert set(runs["result_id"].to_pylist()) == {result_id}
    view = View(box.catalog, "me")
    assert queries.runs(view, result_id).num_rows == 10
    assert queries.specification(view, result_id).num_rows > 5
    (place,) = queries.sightings(view, result_id).to_pylist()
    line = TREE[f"{place['source_path'].removeprefix('upload/')}"].split("\n")[place["line"] - 1]
    assert '"run_stop"' in line


def test_an_own_result_keeps_its_second_measures_with_file_and_line_until_it_is_deleted(box: Box) -> None:
    keys = {"result_completed_samples_per_sec": 71.7957, "result_completed_tokens_per_second": 20958.48}
    label = dataclasses.replace(INFERENCE, benchmark="llama2-70b-99", scenario="Server", round="v4.0")
    text = detail("Server", **keys)
    saved = box.save({"mlperf_log_detail.txt": text}, label=label)
    view = View(box.catalog, "me")
    for row in queries.results(view, Filters()).to_pylist():
        assert (row["value"], row["unit"], row["tokens_per_second"]) == (71.7957, "queries/s", 20958.48)
        places = queries.sightings(view, row["result_id"]).to_pylist()
        assert {place["tokens_per_second"] for place in places} == {20958.48}
        for place in places:
            line = int(place["measure_lines"].removeprefix("tokens_per_second:"))
            assert "20958.48" in text.splitlines()[line - 1]
    box.catalog.delete("me", saved.upload_id)
    assert queries.results(View(box.catalog, "me"), Filters()).num_rows == 0


def test_the_runs_of_an_own_result_are_found_by_the_system_of_the_result(box: Box) -> None:
    named = dataclasses.replace(LABEL, system_id=None, system_name="My box", round="1.1", division="Closed")
    for label in (LABEL, named):
        box.save(ten(20 if label is named else 10), label=label)
    view = View(box.catalog, "me")
    rows = queries.results(view, Filters()).to_pylist()
    assert {(row["round"], row["division"]) for row in rows} == {("v1.1", "closed")}
    for row in rows:
        assert queries.system_runs(view, [SystemKey.of(row)]).num_rows == 10


def test_runs_of_two_uploads_of_one_name_stay_apart(box: Box) -> None:
    """As `rerun.zip` of Monday and of Tuesday."""
    for day in (10, 20):
        box.save({"rerun.zip": packed(ten(day))}, title=f"Day {day}")
    view = View(box.catalog, "me")
    keys = [SystemKey.of(row) for row in queries.results(view, Filters()).to_pylist()]
    assert len(set(keys)) == 2
    assert queries.system_runs(view, keys).num_rows == 20


def test_runs_of_two_archives_in_one_upload_say_which_they_are_of(box: Box) -> None:
    saved = box.save({"a.zip": packed(ten(10)), "b.zip": packed(ten(20))})
    runs = box.catalog.runs("me", saved.upload_id)
    assert {(row["source"], row["minutes"] >= 20) for row in runs.to_pylist()} == {("a.zip", False), ("b.zip", True)}
    view = View(box.catalog, "me")
    assert queries.system_runs(view, [SystemKey("training", "v1.1", "Own: upload", "box")]).num_rows == 20


def test_the_same_content_again_changes_nothing_and_says_so(box: Box) -> None:
    first = box.save(TREE, title="One")
    before = box.state()
    renamed = {f"other/{name}": content for name, content in TREE.items()}
    again = box.save(renamed, title="Two")
    assert (again.was_there, again.upload_id, again.title) == (True, first.upload_id, "One")
    assert box.state() == before


def test_the_same_content_packed_otherwise_changes_nothing(box: Box) -> None:
    first, before = box.save({"a.zip": packed(ten())}), box.state()
    again = [box.save(ten()), box.save({"b.zip": packed(dict(reversed(ten().items())))})]
    assert [(one.was_there, one.upload_id) for one in again] == [(True, first.upload_id)] * 2
    assert box.state() == before


def test_the_same_logs_in_the_folder_of_another_benchmark_are_another_upload(box: Box) -> None:
    logs = {f"{name}/Offline/performance/run_1/mlperf_log_summary.txt": OFFLINE for name in ("bert-99", "bert-99.9")}
    one, other = (box.save({name: text}, label=dataclasses.replace(INFERENCE, benchmark=None))
                  for name, text in logs.items())  # fmt: skip
    assert not other.was_there
    assert one.upload_id != other.upload_id
    found = queries.results(View(box.catalog, "me"), Filters())["benchmark"].to_pylist()
    assert sorted(set(found)) == ["bert-99", "bert-99.9"]


def test_what_was_deleted_of_an_upload_comes_back_with_the_same_content(box: Box) -> None:
    saved = box.save({**TREE, **tree()})
    before = box.state()
    (one,) = (row for row in box.catalog.results("me", saved.upload_id).to_pylist() if row["suite"] == "training")
    box.catalog.delete("me", saved.upload_id, one["result_id"])
    assert box.state() != before
    again = box.save({**TREE, **tree()})
    assert (again.was_there, again.upload_id, again.results, again.runs) == (False, saved.upload_id, 1, 10)
    assert box.state() == before
    assert box.save({**TREE, **tree()}).was_there


def test_checks_of_another_division_are_not_kept_as_those_of_the_new_one(box: Box) -> None:
    saved = box.save(TREE)
    (row,) = box.catalog.results("me", saved.upload_id).to_pylist()
    box.catalog.relabel("me", saved.upload_id, row["result_id"], Label(division="closed", system_id="new"))
    assert box.catalog.checks("me", saved.upload_id).num_rows > 3
    box.catalog.relabel("me", saved.upload_id, row["result_id"], Label(division="open"))
    (check,) = box.catalog.checks("me", saved.upload_id).to_pylist()
    assert (check["verdict"], check["found"]) == ("unknown", "made under the rules of the closed division")


def test_groups_of_runs_without_a_score_count_as_results_do(box: Box) -> None:
    box.save(ten_of_nine(10), most=1)
    with pytest.raises(LoadError, match="you have 1 of at most 1"):
        box.save(ten_of_nine(50), most=1)


def ten_of_nine(first: float) -> dict[str, str]:
    """Nine of the ten runs that a score needs."""
    return dict(list(ten(first).items())[:9])


def test_the_same_content_of_two_owners_is_two_uploads(box: Box) -> None:
    one, other = (box.save(TREE, owner=owner) for owner in ("me", "you"))
    assert one.upload_id != other.upload_id
    box.catalog.delete("me", one.upload_id)
    assert box.catalog.results("you", other.upload_id).num_rows == 1


def test_what_cannot_be_saved_says_why_and_stores_nothing(box: Box) -> None:
    before = box.state()
    with pytest.raises(LoadError, match="accelerator, division, nodes, round, system_id"):
        box.save(ten(), label=None)
    with pytest.raises(LoadError, match="holds no result and no run"):
        box.save({"notes.txt": "nothing"})
    assert box.state() == before


def test_more_results_than_an_owner_may_have_are_refused_whole(box: Box) -> None:
    box.save(TREE, most=2)
    before = box.state()
    with pytest.raises(LoadError, match=r"holds 2 results and groups of runs; you have 1 of at most 2"):
        box.save(TABLE, most=2)
    assert box.state() == before
    assert box.save(TABLE, owner="you", most=2).results == 2


def test_a_failure_in_the_midst_stores_nothing(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    before = box.state()
    monkeypatch.setitem(own._INSERT, "sightings", "insert into own.nowhere select * from batch")
    with pytest.raises(StoreError, match="nowhere"):
        box.save({"mlperf_log_summary.txt": OFFLINE}, label=INFERENCE)
    assert box.state() == before
    monkeypatch.undo()
    assert box.save({"mlperf_log_summary.txt": OFFLINE}, label=INFERENCE).results == 1


def test_runs_without_a_score_are_saved_and_seen(box: Box) -> None:
    saved = box.save({"result_0.txt": log()})
    assert (saved.results, saved.runs) == (0, 1)
    key = SystemKey("training", "v1.1", f"Own: {saved.title}", "box")
    assert queries.system_runs(View(box.catalog, "me"), [key]).num_rows == 1


# --- changing ---

TITLES = [
    ("a/b", "a-b"), ("x" * 10_000, "x" * 60), ("\u202egnp.exe", "gnp.exe"), ("<b>bold</b>", "<b>bold<-b>"),
    ("=HYPERLINK(1)", "=HYPERLINK(1)"), ("  \n ", "upload"), ("a\x00b\x1b[31m", "a b [31m"),
    ("'; drop table", "'; drop table"),
]  # fmt: skip


@pytest.mark.parametrize("wanted, title", TITLES)
def test_a_title_is_one_short_line_of_plain_text(box: Box, wanted: str, title: str) -> None:
    saved = box.save(TREE, title="first")
    assert box.catalog.rename("me", saved.upload_id, wanted) == title
    view = View(box.catalog, "me")
    (row,) = queries.results(view, Filters()).to_pylist()
    assert row["submitter"] == f"Own: {title}"
    key = SystemKey.of(row)
    assert SystemKey.parse(key.text) == key
    assert queries.system_results(view, [key]).num_rows == 1
    assert not export.write(queries.export_rows(view, Filters()), "csv").decode().count(",=")


def test_a_title_that_is_taken_gets_a_number(box: Box) -> None:
    box.save(TREE, title="Rerun")
    second = box.save(TABLE, title="Rerun")
    assert second.title == "Rerun (2)"
    assert box.catalog.rename("me", second.upload_id, "Rerun (2)") == "Rerun (2)"
    assert box.save(TREE, owner="you", title="Rerun").title == "Rerun"


def test_a_note_is_plain_text_of_bounded_length(box: Box) -> None:
    saved = box.save(TREE)
    box.catalog.annotate("me", saved.upload_id, "\u202e<script>" + "x" * 10_000)
    (row,) = box.catalog.uploads("me").to_pylist()
    assert row["note"] == ("<script>" + "x" * 10_000)[: own.MAX_NOTE]


def test_labels_change_what_a_result_is_of_and_never_its_score(box: Box) -> None:
    saved = box.save(TREE)
    (before,) = box.catalog.results("me", saved.upload_id).to_pylist()
    label = Label(round="v5.1", benchmark="bert", system_id="new\u202e", accelerators_per_node="2", division="open")
    assert box.catalog.relabel("me", saved.upload_id, before["result_id"], label) == ()
    (after,) = box.catalog.results("me", saved.upload_id).to_pylist()
    changed = {name for name in before if before[name] != after[name]} - {"measurement"}
    assert changed == {"system_id", "accelerator_count", "division"}
    assert (after["system_id"], after["accelerator_count"], after["value"]) == ("new", 2, 14.5)
    view = View(box.catalog, "me")
    assert [row["system"] for row in queries.systems(view).to_pylist()] == ["new"]
    facts = {row["field"]: row["value"] for row in queries.specification(view, after["result_id"]).to_pylist()}
    assert facts["accelerators"] == "2"
    (key,) = {SystemKey.of(row) for row in queries.results(view, Filters()).to_pylist()}
    assert queries.system_runs(view, [key]).num_rows == 10
    assert queries.runs(view, after["result_id"]).num_rows == 10
    assert set(queries.system_runs(view, [key])["division"].to_pylist()) == {"open"}


def test_a_label_under_which_it_would_be_no_result_changes_nothing(box: Box) -> None:
    saved = box.save({"mlperf_log_summary.txt": OFFLINE}, label=INFERENCE)
    before = box.state()
    (row,) = box.catalog.results("me", saved.upload_id).to_pylist()
    with pytest.raises(LoadError, match="no suite is known"):
        box.catalog.relabel("me", saved.upload_id, row["result_id"], Label(suites="moon"))
    with pytest.raises(LoadError, match="is no result of this upload"):
        box.catalog.relabel("me", saved.upload_id, "another", Label(suites="edge"))
    assert box.state() == before


def test_one_result_is_deleted_with_all_that_is_only_its_own(box: Box) -> None:
    saved = box.save({**TREE, **tree()})
    trained, *served = sorted(box.catalog.results("me", saved.upload_id).to_pylist(), key=lambda row: row["suite"])[
        ::-1
    ]
    assert trained["suite"] == "training"
    box.catalog.delete("me", saved.upload_id, trained["result_id"])
    view = View(box.catalog, "me")
    assert {row["result_id"] for row in queries.results(view, Filters()).to_pylist()} == {served[0]["result_id"]}
    assert [row["kind"] for row in queries.systems(view).to_pylist()] == ["inference"]
    for name in ("runs", "sightings", "results", "measurements", "checks"):
        assert not any(trained["result_id"] in row for row in box.state()[name])
    assert queries.runs(view, trained["result_id"]).num_rows == 0


def test_a_deleted_upload_leaves_nothing_behind_and_can_be_saved_again(box: Box) -> None:
    kept = box.save(TABLE, title="kept")
    before = box.state()
    saved = box.save({**TREE, **tree()})
    box.catalog.delete("me", saved.upload_id)
    assert box.state() == before
    assert not box.save({**TREE, **tree()}).was_there
    assert kept.upload_id in box.catalog.uploads("me")["upload_id"].to_pylist()


# --- whose it is ---


def test_another_owner_sees_nothing_and_changes_nothing(box: Box) -> None:
    saved = box.save({**TREE, **TABLE}, title="Secret")
    (one, *_) = box.catalog.results("me", saved.upload_id)["result_id"].to_pylist()
    before = box.state()
    catalog = box.catalog
    assert catalog.uploads("you").num_rows == 0
    for ask in (catalog.results, catalog.checks, catalog.problems, catalog.runs):
        assert ask("you", saved.upload_id).num_rows == 0
    doors: list[Callable[[], object]] = [
        lambda: catalog.rename("you", saved.upload_id, "mine"),
        lambda: catalog.annotate("you", saved.upload_id, "mine"),
        lambda: catalog.share("you", saved.upload_id, is_shared=True),
        lambda: catalog.relabel("you", saved.upload_id, one, Label(division="open")),
        lambda: catalog.delete("you", saved.upload_id, one),
        lambda: catalog.delete("you", saved.upload_id),
    ]
    for door in doors:
        with pytest.raises(LoadError) as caught:
            door()
        assert "is not among your uploads" in str(caught.value)
        assert "Secret" not in str(caught.value)
        assert "table.json" not in str(caught.value)
    assert box.state() == before


def test_a_view_has_published_rows_and_those_of_its_owner(box: Box) -> None:
    box.save(TREE, owner="me", title="Mine")
    box.save(TABLE, owner="you", title="Yours")
    assert submitters(View(box.catalog, "me")) == {"Own: Mine"}
    assert submitters(View(box.catalog, "you")) == {"Own: Yours"}
    assert submitters(View(box.catalog, "nobody")) == set()
    assert submitters(box.published) == set()
    assert (View(box.catalog, "me").has_any(), View(box.catalog, "nobody").has_any()) == (True, False)


def test_what_is_shared_is_seen_by_who_reads_with_shared_until_it_is_not(box: Box) -> None:
    saved = box.save(TREE, owner="me", title="Box")
    box.save(TABLE, owner="you", title="Box")
    you, key = View(box.catalog, "you", with_shared=True), View(box.catalog, "you", with_shared=True).key
    assert submitters(you) == {"Own: Box"}
    box.catalog.share("me", saved.upload_id, is_shared=True)
    assert you.key != key
    # Not under the name of one's own upload of the same title.
    assert submitters(you) == {"Own: Box", f"Own: Box (shared {saved.upload_id[:6]})"}
    assert submitters(View(box.catalog, "you")) == {"Own: Box"}
    assert submitters(View(box.catalog, "me", with_shared=True)) == {"Own: Box"}
    assert box.catalog.results("you", saved.upload_id).num_rows == 0
    assert (View(box.catalog, "new", with_shared=True).has_any(), View(box.catalog, "new").has_any()) == (True, False)
    with pytest.raises(LoadError, match="not among your uploads"):
        box.catalog.delete("you", saved.upload_id)
    box.catalog.share("me", saved.upload_id, is_shared=False)
    assert submitters(you) == {"Own: Box"}


@pytest.mark.parametrize("owner", ["", "' or '1'='1", "me'; drop table own.uploads; --", "ME", "a" * 65, "ä", "me\n"])
def test_a_view_of_what_is_no_owner_is_refused(box: Box, owner: str) -> None:
    with pytest.raises(ValueError, match="is no owner"):
        View(box.catalog, owner)


# --- published rows stay as they are ---


def keys_of(con: queries.Readable, kind: str, count: int = 3) -> list[SystemKey]:
    rows = [row for row in queries.systems(con).to_pylist() if row["kind"] == kind and row["submitter"] == "Dell"]
    return [SystemKey(row["kind"], row["round"], row["submitter"], row["system"]) for row in rows[:count]]


def questions(plain: queries.Readable) -> dict[str, list[tuple[Any, ...]]]:
    """Every question, each with choices that published results answer."""
    trained = queries.results(plain, Filters(suite=("training",), round=("v1.1",), submitter=("Dell",)))
    ids = trained["result_id"].to_pylist()
    fields = Field("inference-datacenter", "v3.1", "closed", None), Field("training", "v1.1", "closed", None)
    trend = {"by": "server_family", "values": ["XE96xx"], "kind": "inference", "benchmarks": ["resnet"],
             "scenario": "Offline", "division": "closed", "has_power": False}  # fmt: skip
    chosen = [(Filters(),), (Filters(round=("v3.1",)),), (Filters(search="xe8545"),)]
    nothing = [(Filters(round=("v3.1",), submitter=("Nobody",)),)]
    systems = [(keys_of(plain, "training"),), (keys_of(plain, "inference"),)]
    return {
        "results": chosen, "export_rows": chosen, "facets": chosen, "loosenings": nothing, "known_values": [()],
        "sightings": [(ids[0],)], "runs": [(ids[0],)], "specification": [(ids[0],)], "newest_round": [("Dell",)],
        "systems": [()], "system_results": systems, "alike_systems": [("Dell",)],
        "trend_fields": [("server_family", "Dell"), ("submitter", "Dell")], "trend_results": [(trend,)],
        "system_relatives": [(key,) for key in systems[0][0]], "field": [(one,) for one in fields],
        "field_options": [("training", "v1.1")], "suite_rounds": [("Dell",)],
        "round_results": [("training", "v1.1"), ("inference", "v3.1")], "scaling": [(), ("Dell", "v1.1")],
        "training_results": [(ids,)], "convergence": [(ids,)], "most_runs": [("Dell",)],
        "system_runs": systems[:1], "power_pairs": [("Dell",)], "power_systems": [("Dell",)],
        "inference_fields": [("Dell",)], "training_energy": [()],
    }  # fmt: skip


COUNTS = {"facets", "loosenings", "known_values", "field_options", "inference_fields", "trend_fields", "suite_rounds"}
"""Questions whose answers count rows: own ones count, too."""


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[duckdb.DuckDBPyConnection, Catalog]]:
    """The snapshot, and own results of `me` in rounds, systems and benchmarks that it has, too."""
    folder = tmp_path_factory.mktemp("real")
    connection = snapshot.read_snapshot()
    catalog = own.attach(connection, folder / "own.duckdb")
    snapshot.seal(connection)
    box = Box.__new__(Box)  # beside a database that is there already
    box.folder, box.catalog = folder, catalog
    box.save({**TREE, **tree(), **{name.replace("XE8545", "R750xa"): text for name, text in TREE.items()}})
    box.save({"a.csv": table(FLAT | {"Organization": "Dell"}), **ten(30)}, title="Dell")
    yield connection, catalog
    connection.close()


def as_rows(answer: Any) -> Any:
    """An answer as plain values."""
    return answer.to_pylist() if hasattr(answer, "to_pylist") else answer


def alike(one: Any, other: Any) -> bool:
    """Whether two answers are the same, but for the order in which numbers were added up and lists were made."""
    if one == other:
        return True
    if isinstance(one, float) and isinstance(other, float):
        return math.isclose(one, other, rel_tol=1e-12)
    if isinstance(one, dict) and isinstance(other, dict):
        lists = (list, tuple)
        pairs = [(one[name], other.get(name)) for name in one]
        pairs = [(sorted(a, key=repr), sorted(b, key=repr)) if isinstance(a, lists) else (a, b) for a, b in pairs]
        return one.keys() == other.keys() and all(alike(a, b) for a, b in pairs)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(alike(a, b) for a, b in zip(one, other, strict=True))
    return False


def without_own(rows: Any) -> Any:
    """The rows that are not of an own result."""
    if not isinstance(rows, list):
        return rows

    def is_own(row: Any) -> bool:
        cells = row.values() if isinstance(row, dict) else row
        return any(isinstance(cell, str) and own.SUBMITTER in cell for cell in cells)

    return [row for row in rows if not is_own(row)]


def test_every_question_is_asked_here(real: tuple[duckdb.DuckDBPyConnection, Catalog]) -> None:
    found = {
        name
        for name, function in inspecting.getmembers(queries, inspecting.isfunction)
        if not name.startswith("_") and next(iter(inspecting.signature(function).parameters), "") == "con"
    }
    assert set(questions(real[0])) == found


def test_a_stranger_is_told_exactly_what_the_snapshot_says(real: tuple[duckdb.DuckDBPyConnection, Catalog]) -> None:
    plain, catalog = real
    for name, choices in questions(plain).items():
        for choice in choices:
            question = getattr(queries, name)
            expected = as_rows(question(plain, *choice))
            assert expected or name == "training_energy", name
            assert alike(as_rows(question(View(catalog, "you", with_shared=True), *choice)), expected), name


def test_published_rows_are_the_same_whatever_own_rows_there_are(
    real: tuple[duckdb.DuckDBPyConnection, Catalog],
) -> None:
    plain, catalog = real
    view = View(catalog, "me")
    asked = {name: choices for name, choices in questions(plain).items() if name not in COUNTS}
    differ = set()
    for name, choices in asked.items():
        for choice in choices:
            expected, found = (as_rows(getattr(queries, name)(con, *choice)) for con in (plain, view))
            assert alike(without_own(found), expected), name
            differ |= {name} if found != expected else set()
    assert {"results", "export_rows", "systems", "field"} <= differ


def test_counts_are_those_of_published_and_own_rows_together(
    real: tuple[duckdb.DuckDBPyConnection, Catalog],
) -> None:
    plain, catalog = real
    view = View(catalog, "me")
    mine = Filters(submitter=("Own: upload", "Own: Dell"))
    published, added, both = (
        queries.facets(plain, Filters()), queries.facets(view, mine), queries.facets(view, Filters()),
    )  # fmt: skip
    for column in set(both) - {"submitter"}:  # a filter leaves its own choices open
        counted = Counter(published[column]) + Counter(added[column])
        assert dict(both[column]) == dict(counted), column
    known, before = queries.known_values(view), queries.known_values(plain)
    assert known["submitter"] - before["submitter"] == {"Own: upload", "Own: Dell"}
    assert all(known[name] >= before[name] for name in before)


def test_no_own_row_says_that_it_is_verified(real: tuple[duckdb.DuckDBPyConnection, Catalog]) -> None:
    rows = queries.results(View(real[1], "me"), Filters()).to_pylist()
    own_rows = [row for row in rows if row["submitter"].startswith(own.SUBMITTER)]
    assert len(own_rows) == 6
    assert {(row["verified"], row["origin"], row["public_id"], row["link"]) for row in own_rows} == {
        (False, "own", None, None)
    }
    assert not {row["result_id"] for row in own_rows} & {row["result_id"] for row in rows if row["verified"]}


# --- files: older, newer, foreign, broken ---


def reopened(box: Box) -> Box:
    box.close()
    return Box(box.folder)


def altered(box: Box, *statements: str) -> None:
    """Change the file as another version would have."""
    box.close()
    with duckdb.connect(str(box.folder / "own.duckdb")) as connection:
        for statement in statements:
            connection.execute(statement)


def test_own_results_survive_a_restart_and_another_snapshot(box: Box) -> None:
    saved = box.save({**TREE, **TABLE})
    before = box.state()
    again = reopened(box)
    assert again.state() == before
    again.published.execute("delete from memory.results")
    assert View(again.catalog, "me").has_any()
    assert again.save({**TREE, **TABLE}).upload_id == saved.upload_id
    again.close()


def test_an_older_catalog_is_widened_and_keeps_its_rows(box: Box) -> None:
    saved = box.save({**TREE, **TABLE})
    before = box.catalog.results("me", saved.upload_id)
    altered(
        box,
        "alter table results drop column framework",
        "alter table runs drop column seed",
        "alter table sightings drop column accelerator_raw",
        *(f"alter table {table} drop column {name}" for table in ("results", "sightings") for name in SECOND_MEASURES),
        "alter table sightings drop column measure_lines",
    )
    older = Box(box.folder)
    after = older.catalog.results("me", saved.upload_id)
    names = [name for name in RESULT_COLUMNS if name not in ("framework", *SECOND_MEASURES)]
    assert columns(after, *names) == columns(before, *names)
    assert set(after["framework"].to_pylist()) == {None}
    assert older.catalog.runs("me", saved.upload_id).num_rows == 10
    assert older.save({"mlperf_log_summary.txt": OFFLINE}, label=INFERENCE).results == 1
    assert queries.results(View(older.catalog, "me"), Filters()).num_rows == 4
    state = older.state()
    again = reopened(older)
    assert again.state() == state
    again.close()


def test_a_newer_catalog_still_works_and_keeps_what_we_do_not_know(box: Box) -> None:
    saved = box.save(TREE)
    altered(
        box,
        "alter table results add column future varchar default 'kept'",
        "alter table uploads add column colour varchar default 'red'",
        "create table tomorrow as select 1 as one",
        'update measurements set measurement = replace(measurement, \'{"kind"\', \'{"new": 1, "kind"\')',
        "update measurements set measurement = '{\"new\": 1, ' || measurement[2:]",
    )
    newer = Box(box.folder)
    view = View(newer.catalog, "me")
    (row,) = queries.results(view, Filters()).to_pylist()
    assert row["value"] == 14.5
    newer.catalog.relabel("me", saved.upload_id, row["result_id"], Label(system_id="new"))
    newer.catalog.annotate("me", saved.upload_id, "noted")
    newer.save(TABLE)
    assert queries.export_rows(view, Filters()).column_names == list(RESULT_COLUMNS)
    state = newer.state()
    assert any("'red'" in text for text in state["uploads"])
    assert state["tomorrow"] == ["(1,)"]
    newer.close()


def foreign(path: Path) -> None:
    with duckdb.connect(str(path)) as connection:
        connection.execute("create table results as select 1 as mine")


def garbage(path: Path) -> None:
    path.write_bytes(b"This is a text, and long enough to be taken for one. " * 100)


def cut(path: Path) -> None:
    saved_at(path)
    path.write_bytes(path.read_bytes()[:-5000])


def flipped(path: Path) -> None:
    saved_at(path)
    content = bytearray(path.read_bytes())
    at = content.index(b"Dell/results/XE8545")
    content[at] ^= 1
    path.write_bytes(bytes(content))


def saved_at(path: Path) -> None:
    box = Box(path.parent / "made", path)
    box.save(TREE)
    box.close()


@pytest.mark.parametrize("make", [foreign, garbage, cut, flipped])
def test_a_file_that_is_not_whole_or_not_ours_stays_as_it_was_and_published_results_are_read(
    tmp_path: Path, make: Callable[[Path], None]
) -> None:
    path = tmp_path / "own.duckdb"
    make(path)
    before = path.read_bytes()
    connection = snapshot.read_snapshot()
    with pytest.raises(StoreError) as caught:
        own.attach(connection, path)
    assert str(path) in str(caught.value)
    assert "ROUNDTABLE_OWN_FILE" in caught.value.fix
    snapshot.seal(connection)
    assert queries.results(connection, Filters(round=("v3.1",))).num_rows > 1000
    connection.close()
    assert path.read_bytes() == before
    assert not path.with_name("own.duckdb.wal").exists()


@pytest.mark.parametrize("path", ["/proc/own.duckdb", "/proc/nowhere/own.duckdb", "{folder}/file/own.duckdb"])
def test_a_folder_in_which_nothing_can_be_made_is_told(tmp_path: Path, path: str) -> None:
    (tmp_path / "file").write_text("in the way")
    connection = snapshot.read_snapshot()
    with pytest.raises(StoreError, match="ROUNDTABLE_OWN_FILE"):
        own.attach(connection, Path(path.format(folder=tmp_path)))
    assert queries.results(connection, Filters(round=("v3.1",))).num_rows > 1000
    connection.close()


def test_a_file_that_another_process_holds_is_told_with_its_number(tmp_path: Path) -> None:
    saved_at(tmp_path / "own.duckdb")
    hold = "import sys, duckdb; c = duckdb.connect(sys.argv[1]); print('held', flush=True); sys.stdin.read()"
    command = [sys.executable, "-c", hold, str(tmp_path / "own.duckdb")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        connection = snapshot.read_snapshot()
        with pytest.raises(StoreError, match=f"is held by another Roundtable \\(process {holder.pid}\\)"):
            own.attach(connection, tmp_path / "own.duckdb")
        assert queries.results(connection, Filters(round=("v3.1",))).num_rows > 1000
        holder.communicate(b"")
    assert own.attach(connection, tmp_path / "own.duckdb").uploads("me").num_rows == 1
    connection.close()


@pytest.mark.parametrize("name", ["it's.duckdb", "a b; drop.duckdb", "über.duckdb", "x'; attach 'y.duckdb"])
def test_the_name_of_the_file_may_be_any(tmp_path: Path, name: str) -> None:
    box = Box(tmp_path, tmp_path / name)
    box.save(TREE)
    box.close()
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(["given", name])


def test_the_file_is_for_its_user_alone(tmp_path: Path) -> None:
    box = Box(tmp_path, tmp_path / "var" / "own.duckdb")
    box.close()
    assert (tmp_path / "var").stat().st_mode & 0o777 == 0o700


# --- at once ---


def test_many_writers_lose_nothing_and_readers_see_whole_uploads(box: Box) -> None:
    """Each upload has two rows of its own title; whoever reads sees both or none."""
    uploads = [
        (
            read(box.folder / f"in{number}", {"t.json": [summary(Platform=f"{number}-{row}") for row in "ab"]}),
            previewed(box.folder / f"in{number}", {"t.json": [summary(Platform=f"{number}-{row}") for row in "ab"]}),
        )
        for number in range(12)
    ]
    torn: list[object] = []
    ended = threading.Event()

    def watch() -> None:
        while not ended.is_set():
            counts: dict[str, int] = {}
            for name in queries.results(View(box.catalog, "me"), Filters())["submitter"].to_pylist():
                counts[name] = counts.get(name, 0) + 1
            torn.extend(count for count in counts.values() if count != 2)

    readers = [threading.Thread(target=watch) for _ in range(4)]
    writers = [threading.Thread(target=box.catalog.save, args=("me", "", *upload, 1000)) for upload in uploads]
    for thread in [*readers, *writers]:
        thread.start()
    for thread in writers:
        thread.join(60)
    ended.set()
    for thread in readers:
        thread.join(60)
    assert torn == []
    assert box.catalog.uploads("me").num_rows == 12
    assert len(set(box.catalog.uploads("me")["title"].to_pylist())) == 12
