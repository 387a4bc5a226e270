"""The page My results in AppTest: read, preview, label, save, change, delete; who sees what; odd uploads."""

import io
import json
import re
import time
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from streamlit.testing.v1 import AppTest

from loaders.upload import preview
from mlperf import export
from mlperf.model import RESULT_COLUMNS
from tests.app.test_pages import HOSTILE, heading, html, link, opened
from tests.loaders.making import summarizer
from tests.loaders.test_workbooks import book, with_numbers
from tests.loaders.trees import making_inference, making_training
from ui import beside, jobs, mine, own, receiving, session, uploading, whose

LIKE = "training-v1.1/Dell/XE8545x4A100-SXM-80GB"
EDGE = "inference-v3.1/Dell/XR7620_L4x1_TRT"
SUMMARY = making_inference.summary("Offline", {"Samples per second": 1234.56})
NAME = "training_results_v1.1.zip"  # tells the round
UNVERIFIED = "Result not verified by MLCommons Association."


@pytest.fixture(autouse=True)
def nothing_saved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A catalog of own results of its own for each test, and nothing left on disk by any upload."""
    monkeypatch.setenv(own.FILE, str(tmp_path / "own.duckdb"))
    yield
    assert not list(receiving.shelf().folder.iterdir())
    session._opened.cache_clear()


def packed(files: Mapping[str, Any]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in files.items():
            member = zipfile.ZipInfo(name)  # at a fixed time: the same files are the same archive
            archive.writestr(member, content if isinstance(content, str | bytes) else json.dumps(content))
    return buffer.getvalue()


def upload(test: AppTest, *files: tuple[str, bytes | str], folder: bool = False) -> AppTest:
    """Choose files, and wait until they are read."""
    given = [(name, text.encode() if isinstance(text, str) else text, "") for name, text in files]
    test.file_uploader[1 if folder else 0].set_value(given).run()
    return read(test)


def read(test: AppTest) -> AppTest:
    deadline = time.monotonic() + 30
    while uploading.READING in test.session_state:
        assert time.monotonic() < deadline
        test.run()
    assert not test.exception
    return test


def group(**changes: Any) -> bytes:
    """A zip of ten RNN-T logs in a submission's folders, with a failed run."""
    return packed(making_training.group(range(10, 20), failed={9: "aborted"}) | changes)


def saved(name: str = NAME, content: bytes | None = None) -> AppTest:
    test = upload(opened("my_results"), (name, content or group()))
    return test.button(key="mine.save.button").click().run()


def texts(test: AppTest) -> str:
    """All words on the page but those of tables."""
    shown = [*test.success, *test.error, *test.warning, *test.info, *test.caption, *test.text]
    return html(test) + " ".join(str(block.value) for block in shown)


RESULTS, RUNS, PLACES, SKIPPED = {"verification", "count"}, {"state", "minutes"}, {"place"}, {"file", "looks"}


def table(test: AppTest, columns: set[str] = RESULTS) -> list[dict[str, Any]]:
    """The rows of the table that has these columns; of `PLACES` that has no other."""
    frames = [frame.value for frame in test.dataframe if columns <= set(frame.value.columns)]
    [found] = [frame for frame in frames if columns != PLACES or len(frame.columns) == 1]
    rows: list[dict[str, Any]] = found.to_dict("records")
    return rows


def key_of(test: AppTest, ending: str) -> str:
    """The whole key of a control from the end of it."""
    controls = [*test.selectbox, *test.text_input, *test.button]
    [found] = [one.key for one in controls if one.key and one.key.endswith(ending)]
    return found


def owners_uploads() -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = session.catalog().uploads("shared").to_pylist()
    return rows


def test_who_has_nothing_is_told_what_can_be_done() -> None:
    test = opened("my_results")
    assert heading_text(test) == "Your own results beside the published ones"
    assert [one.label for one in test.file_uploader] == ["Files or archives", "A whole folder"]
    assert not test.dataframe
    assert UNVERIFIED not in html(test)


def heading_text(test: AppTest) -> str:
    return heading(test).partition("<h1")[2].partition(">")[2].partition("</h1>")[0]


def test_a_preview_shows_scores_and_saves_nothing_by_itself() -> None:
    test = upload(opened("my_results"), (NAME, group()))
    assert heading_text(test) == f"1 result and 10 runs in {NAME}"
    [row] = table(test)
    assert (row["system"], row["benchmark"], row["unit"]) == ("XE8545", "rnnt", "min")
    assert row["value"] == pytest.approx(sum(range(11, 19)) / 8)  # without the fastest and the failed
    assert row["verification"] == "unverified"
    assert UNVERIFIED in html(test)
    assert not owners_uploads()


def test_would_it_count_names_rule_verdict_found_needed_place_and_source() -> None:
    test = upload(opened("my_results"), (NAME, group()))
    shown = html(test)
    [entry] = test.session_state[uploading.DRAFT].preview.entries
    broken = sum(check.verdict == "broken" for check in entry.checks)
    assert broken
    assert f"Would not count: {broken} of {len(entry.checks)} check" in shown or "As far as" in shown
    for check in entry.checks:
        assert f"<div>{check.rule}<small>" in shown
    assert "✓ met" in shown
    assert shown.count('<tr class="broken">') == broken


def test_the_runs_tell_which_are_dropped_and_which_failed() -> None:
    test = upload(opened("my_results"), (NAME, group()))
    states = {row["name"]: row["state"] for row in table(test, RUNS)}
    assert states["result_0.txt"] == "left out: fastest"
    assert states["result_9.txt"] == "aborted"
    assert states["result_5.txt"] == "counted"
    places = {row["name"]: row["place"] for row in table(test, RUNS)}
    assert places["result_5.txt"].startswith("result_5.txt:")


def test_saving_says_so_and_saving_the_same_again_changes_nothing() -> None:
    test = saved()
    assert f"Saved ` {NAME} `: 1 result and 10 runs." in texts(test)
    assert heading_text(test) == "You have 1 own result in 1 upload"
    before = owners_uploads()
    upload(test, ("no round told.zip", group()))
    assert f"The same content is saved already, as ` {NAME} `." in texts(test)
    test.button(key="mine.save.button").click().run()
    assert f"The same content was saved before, as ` {NAME} `. Nothing changed." in texts(test)
    assert owners_uploads() == before


def test_a_saved_result_is_traced_to_file_and_line() -> None:
    test = saved()
    assert table(test, PLACES)[0]["place"].startswith(f"{NAME}/Dell/results/XE8545/rnnt")
    assert {row["place"].partition(":")[0] for row in table(test, RUNS)} == {
        f"result_{number}.txt" for number in range(10)
    }
    assert all(row["place"].partition(":")[2].isdigit() for row in table(test, RUNS))


def test_a_lone_summary_is_labelled_like_a_published_system() -> None:
    test = upload(opened("my_results"), ("mlperf_log_summary.txt", SUMMARY))
    assert test.button(key="mine.save.button").disabled
    assert test.selectbox(key=key_of(test, ".inference.division")).value == "closed"
    assert test.selectbox(key=key_of(test, ".inference.round")).value == session.newest("inference")
    test.selectbox(key=key_of(test, ".inference.round")).set_value("v3.1").run()
    test.selectbox(key=key_of(test, ".inference.like.v3.1")).set_value(EDGE).run()
    assert test.text_input(key=key_of(test, ".inference.system_id")).value == "XR7620_L4x1_TRT"
    assert test.selectbox(key=key_of(test, ".inference.accelerator")).value == "NVIDIA L4"
    assert test.text_input(key=key_of(test, ".inference.accelerators_per_node")).value == "1"
    test.selectbox(key=key_of(test, ".inference.benchmark")).set_value("resnet").run()
    test.button(key=key_of(test, ".inference.apply")).click().run()
    [row] = table(test)
    assert (row["system"], row["benchmark"], row["value"], row["round"]) == (
        "XR7620_L4x1_TRT", "resnet", 1234.56, "v3.1"
    )  # fmt: skip
    test.button(key="mine.save.button").click().run()
    assert heading_text(test) == "You have 1 own result in 1 upload"
    [result] = session.catalog().results("shared", owners_uploads()[0]["upload_id"]).to_pylist()
    assert (result["accelerator"], result["accelerator_count"], result["suite"]) == ("NVIDIA L4", 1, "inference-edge")
    assert result["verified"] is False


def test_one_form_labels_all_results_that_lack_the_same() -> None:
    logs = {f"{name}/mlperf_log_summary.txt": SUMMARY for name in ("one", "two")}
    test = upload(opened("my_results"), ("two.zip", packed(logs)))
    assert "2 results" in " ".join(str(block.value) for block in test.markdown)
    for name, value in (("system_id", "mine"), ("accelerators_per_node", "2")):
        test.text_input(key=key_of(test, f".inference.{name}")).set_value(value)
    for name, value in (("accelerator", "NVIDIA L4"), ("suites", "edge"), ("round", "v3.1"), ("benchmark", "resnet")):
        test.selectbox(key=key_of(test, f".inference.{name}")).set_value(value)
    test.run()
    test.button(key=key_of(test, ".inference.apply")).click().run()
    assert [row["system"] for row in table(test)] == ["mine", "mine"]
    assert not test.button(key="mine.save.button").disabled


def test_processors_alone_are_an_answer_too() -> None:
    test = upload(opened("my_results"), ("mlperf_log_summary.txt", SUMMARY))
    test.text_input(key=key_of(test, ".inference.system_id")).set_value("mine")
    for name, value in (("accelerator", "none"), ("suites", "datacenter"), ("round", "v3.1"), ("benchmark", "resnet")):
        test.selectbox(key=key_of(test, f".inference.{name}")).set_value(value)
    test.run()
    test.button(key=key_of(test, ".inference.apply")).click().run()
    test.button(key="mine.save.button").click().run()
    [result] = session.catalog().results("shared", owners_uploads()[0]["upload_id"]).to_pylist()
    assert result["accelerators"] == []


def test_discarding_keeps_nothing() -> None:
    test = upload(opened("my_results"), (NAME, group())).button(key="mine.discard").click().run()
    assert "Discarded. Nothing of it was kept." in texts(test)
    assert uploading.DRAFT not in test.session_state
    assert not owners_uploads()


def test_cancelling_keeps_nothing_and_the_next_upload_works(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "_TURNS", jobs.threading.BoundedSemaphore(1))
    assert jobs._TURNS.acquire()
    test = opened("my_results")
    test.file_uploader[0].set_value([(NAME, group(), "")]).run()
    assert "Waiting until other uploads are read" in str(test.get("progress")[0].proto.text)
    reading = test.session_state[uploading.READING]
    test.button(key="mine.cancel").click().run()
    assert "Cancelled. Nothing of it was kept." in texts(test)
    assert reading.wait(10)
    assert reading.outcome() is None
    assert not list(receiving.shelf().folder.iterdir())
    jobs._TURNS.release()
    assert heading_text(upload(test, (NAME, group()))) == f"1 result and 10 runs in {NAME}"
    test.button(key="mine.discard").click().run()


def test_over_a_limit_nothing_is_kept_and_the_refusal_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROUNDTABLE_UPLOAD_FILES", "3")
    test = upload(opened("my_results"), *((f"{number}.txt", "text") for number in range(4)))
    assert "holds more than 3 files." in texts(test)
    assert uploading.DRAFT not in test.session_state


def test_what_is_no_result_is_told_with_what_it_looks_like() -> None:
    test = upload(opened("my_results"), ("notes.txt", "hello\n"), ("broken.zip", b"PK\x03\x04 no archive"))
    assert heading_text(test) == "Nothing to save in upload"
    assert "broken.zip" in texts(test)
    assert "notes.txt" in texts(test) + str(table(test, SKIPPED) if test.dataframe else "")
    assert "mine.save.button" not in [button.key for button in test.button]
    test.button(key="mine.discard").click().run()


def test_many_refused_files_stand_in_a_table() -> None:
    test = upload(opened("my_results"), *((f"{number}.zip", b"PK\x03\x04 no archive") for number in range(9)))
    assert "9 files were not read." in texts(test)
    rows = re.findall(r'<td data-head="File and line"><div>(.*?)</div>', html(test))
    assert rows == [f"upload/{number}.zip" for number in range(9)]
    test.button(key="mine.discard").click().run()


def test_faults_are_told_beside_the_verdict_and_stand_whole() -> None:
    """One of the runs took twice as long for the same epochs."""
    logs = {f"result_{number}.txt": making_training.log(10 + number / 100, at=number * 1000) for number in range(9)}
    logs["result_9.txt"] = making_training.log(20, at=9000)
    test = upload(opened("my_results"), ("slow.zip", packed(logs)))
    shown = html(test)
    assert "There is 1 fault in the logs." in shown
    assert "took 1.99 times as long per epoch as the median of the group." in shown
    assert "slow.zip/result_9.txt:11" in shown
    test.button(key="mine.discard").click().run()


def test_a_folder_keeps_its_paths() -> None:
    files = making_training.group(range(10, 20))
    given = [(f"training_results_v1.1/{name}", content if isinstance(content, str) else json.dumps(content))
             for name, content in files.items()]  # fmt: skip
    test = upload(opened("my_results"), *given, folder=True)
    assert heading_text(test) == "1 result and 10 runs in training_results_v1.1"
    assert table(test)[0]["system"] == "XE8545"
    test.button(key="mine.discard").click().run()


def test_an_upload_is_renamed_noted_and_deleted() -> None:
    test = saved()
    test.session_state["mine.edit"] = True
    test.run()
    test.text_input(key=_edit(mine.TITLE)).set_value("A/B")
    test.text_area(key=_edit(mine.NOTE)).set_value("with new driver")
    test.button(key="mine.edit.keep").click().run()
    assert (owners_uploads()[0]["title"], owners_uploads()[0]["note"]) == ("A-B", "with new driver")
    assert "Note: with new driver" in html(test)
    test.session_state["mine.delete"] = True
    test.run()
    test.button(key="mine.delete.upload").click().run()
    assert not owners_uploads()
    assert heading_text(test) == "Your own results beside the published ones"


def _edit(name: str) -> str:
    return f"{name}.{owners_uploads()[0]['upload_id']}"


def test_a_saved_result_is_labelled_anew_and_keeps_its_score() -> None:
    test = saved()
    test.session_state["mine.relabel"] = True
    test.run()
    test.text_input(key=key_of(test, ".system_id")).set_value("renamed").run()
    test.button(key=key_of(test, ".system_id").replace("system_id", "keep")).click().run()
    assert "The labels are kept." in texts(test)
    [result] = session.catalog().results("shared", owners_uploads()[0]["upload_id"]).to_pylist()
    assert result["system_id"] == "renamed"
    assert result["value"] == pytest.approx(14.5)


def test_one_result_is_deleted_and_the_other_stays() -> None:
    files = making_training.group(range(10, 20)) | making_training.group(range(5, 10), "Dell/results/XE8545/resnet")
    test = saved(content=packed(files))
    assert heading_text(test) == "You have 2 own results in 1 upload"
    test.session_state["mine.one.delete"] = True
    test.run()
    first = table(test)[0]["benchmark"]
    test.button(key="mine.delete.result").click().run()
    assert heading_text(test) == "You have 1 own result in 1 upload"
    [row] = table(test)
    assert row["benchmark"] != first


def test_links_open_other_pages_with_the_result_chosen() -> None:
    saved(content=packed(making_training.group(range(100, 110), "Dell/results/XE8545x4A100-SXM-80GB/rnnt")))
    [result] = session.catalog().results("shared", owners_uploads()[0]["upload_id"]).to_pylist()
    found = {name: urlsplit(address) for name, address in beside.addresses(result)}
    assert set(found) == {"Compare", "Explore", "Runs", "Scaling"}
    chosen = {name: parse_qs(address.query) for name, address in found.items()}
    ours = f"training-v1.1/Own: {NAME}/XE8545x4A100-SXM-80GB"
    assert chosen["Compare"] == {"system": [LIKE, ours], "own": ["yes"]}
    assert chosen["Runs"] == {"system": [LIKE, ours], "benchmark": ["rnnt"], "own": ["yes"]}
    compared = opened("compare", chosen["Compare"])
    assert not compared.warning
    assert "unverified" in html(compared)
    assert not opened("runs", chosen["Runs"]).warning
    scaled = opened("scaling", chosen["Scaling"])
    assert not scaled.warning
    assert "in place of" in html(scaled)
    explored = opened("explore", chosen["Explore"])
    assert not explored.warning
    assert f"Own: {NAME}" in set(explored.dataframe[0].value["submitter"])


def test_a_file_has_the_columns_of_every_file_and_says_unverified() -> None:
    saved()
    [row] = owners_uploads()
    text = mine.written(session.catalog(), "shared", [row["upload_id"]], "csv").decode()
    head, line = text.split("\r\n")[:2]
    assert head.split(",") == list(RESULT_COLUMNS)
    assert dict(zip(RESULT_COLUMNS, line.split(","), strict=True))["verified"] == "false"
    rows = session.catalog().results("shared", row["upload_id"]).select(list(RESULT_COLUMNS))
    assert text.encode() == export.csv_bytes(rows)


def test_another_browser_sees_nothing_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(whose.MODE, "session")
    mine_, theirs = saved(), opened("my_results")
    assert heading_text(mine_) == "You have 1 own result in 1 upload"
    assert heading_text(theirs) == "Your own results beside the published ones"
    assert mine_.code[0].value.endswith(f"my-results?key={mine_.session_state['own.secret']}")
    stolen = opened("my_results", link(mine_) | {"own": ["yes"]})
    assert NAME not in texts(stolen)
    opened_again = opened("my_results", {"key": [mine_.session_state["own.secret"]]})
    assert heading_text(opened_again) == "You have 1 own result in 1 upload"
    assert "key" not in link(opened_again)
    assert "Opened by a private link" in texts(opened_again)


def test_who_is_not_logged_in_is_asked_to(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(whose.MODE, "login")
    test = opened("my_results")
    assert heading_text(test) == "Log in to see your own results"
    assert [button.key for button in test.button] == ["mine.login"]
    assert not test.file_uploader


def test_a_damaged_catalog_is_an_error_and_other_pages_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "damaged.duckdb").write_bytes(b"no database")
    monkeypatch.setenv(own.FILE, str(tmp_path / "damaged.duckdb"))
    test = opened("my_results")
    assert not test.exception
    assert "Published results can be browsed." in str(test.error[0].value)
    assert not opened("explore").error


def test_hostile_names_are_shown_as_text() -> None:
    logs = making_training.group(range(10, 20))
    sheet = dict(making_training.SHEET) | {"accelerator_model_name": HOSTILE, "framework": "x" * 10_000}
    name = f"{HOSTILE}\u202egnp training_results_v1.1.zip".replace("/", "")
    test = saved(name, packed(logs | {"Dell/systems/XE8545.json": sheet}))
    assert not test.exception
    assert "<img" not in html(test)
    assert "Saved ` <img" in texts(test)
    assert table(test)[0]["accelerator"] == HOSTILE
    assert "\u202e" not in texts(test)


def test_labels_of_a_preview_can_be_given_again_and_give_the_same() -> None:
    test = upload(opened("my_results"), (NAME, group()))
    draft = test.session_state[uploading.DRAFT]
    assert preview(draft.inspected) == preview(draft.inspected)
    test.button(key="mine.discard").click().run()


def test_a_summarizers_workbook_without_links_is_asked_its_round_and_saved_under_it() -> None:
    cells = with_numbers(summarizer(bert=12.5, resnet=7.25, details_url="", code_url=""))
    test = upload(opened("my_results"), ("book.xlsx", book({"Notes": [["words"]], "Table": cells})))
    assert {(row["benchmark"], row["value"], row["missing"]) for row in table(test)} == {
        ("bert", 12.5, "Round"), ("resnet", 7.25, "Round")
    }  # fmt: skip
    assert any("This goes for 2 results" in block.value for block in test.markdown)
    test.selectbox(key=key_of(test, ".round")).set_value("v3.0").run()
    test.button(key=key_of(test, ".apply")).click().run()
    assert {(row["benchmark"], row["value"], row["round"]) for row in table(test, {"verification", "round"})} == {
        ("bert", 12.5, "v3.0"), ("resnet", 7.25, "v3.0")
    }  # fmt: skip
    test.button(key="mine.save.button").click().run()
    assert not test.exception
    (saved_upload,) = owners_uploads()
    found = session.catalog().results("shared", saved_upload["upload_id"]).to_pylist()
    assert {(row["round"], row["benchmark"], row["value"]) for row in found} == {
        ("v3.0", "bert", 12.5), ("v3.0", "resnet", 7.25)
    }  # fmt: skip
