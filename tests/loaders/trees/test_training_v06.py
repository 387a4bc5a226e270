"""Training v0.6: its logs and its systems give what later rounds' give, and minigo's clock is another."""

import json
from pathlib import Path
from typing import Any

import pytest

from loaders.trees.training_log import RunLog, read_log
from loaders.unpack import Source, sources
from mlperf.errors import Problem
from tests.loaders.trees import making_training
from tests.loaders.trees.making_training import Read, assembled, write
from tests.loaders.trees.making_training_v06 import ENTRY, MINIGO, ROOT, START, event, group, log, minigo_log, system
from tests.loaders.trees.test_training_checks import checks, outcomes

FOLDER = f"{ROOT}/Intel/results/clx-8260l-2s-x32/minigo"


def tree(folder: Path, files: dict[str, Any]) -> Read:
    return assembled(write(files, folder), "upload.zip")


def read(folder: Path, content: str) -> tuple[RunLog, list[Problem]]:
    path = folder / "result_0.txt"
    path.write_text(content)
    (source,) = sources(path)
    assert isinstance(source, Source)
    items = list(read_log(source))
    (run,) = [item for item in items if isinstance(item, RunLog)]
    return run, [item for item in items if isinstance(item, Problem)]


def minigo(seconds: tuple[float | None, ...] = MINIGO) -> dict[str, str]:
    return {f"{FOLDER}/result_{at}.txt": minigo_log(each, at * 9000.0) for at, each in enumerate(seconds)}


def test_a_group_gives_its_score_its_runs_and_its_system(tmp_path: Path) -> None:
    made = tree(tmp_path, group((4.6, 4.7, 4.8, 4.9, 5.5)))
    (result,) = made.measurements
    assert made.problems == []
    assert result.value == pytest.approx(4.8, rel=1e-12)
    assert (result.round, result.submitter, result.system_id, result.benchmark) == ("v0.6", "NVIDIA", "dgx2h_n4", "ssd")
    assert (result.division, result.availability, result.nodes, result.runs) == ("closed", "onprem", "4", 5)
    assert (result.accelerator, result.accelerators_per_node) == ("Tesla V100-SXM3-32GB-H", "16")
    assert (result.system_name, result.location) == ("NVIDIA DGX-2H", "NVIDIA/results/dgx2h_n4/ssd")
    assert result.where.line == 10
    assert [run.is_counted for run in made.runs] == [False, True, True, True, False]
    run = made.runs[1]
    assert (run.minutes, run.epochs, run.global_batch_size, run.seed) == (pytest.approx(4.7), 50, 1200, 77)
    assert (run.started_ms, run.stopped_ms) == (round(START * 1000) + 9_000_000, round(START * 1000) + 9_282_000)


def test_a_plain_log_gives_its_run(tmp_path: Path) -> None:
    run, problems = read(tmp_path, log(12.5))
    assert problems == []
    assert (run.status, run.minutes, run.benchmark, run.round) == ("success", 12.5, "ssd", "v0.6")
    assert (run.accuracy, run.epoch_num, run.where.line) == (0.2331, 50, 10)


def test_a_log_of_older_loggers_gives_its_run(tmp_path: Path) -> None:
    head = ":::MLPv0.6.0 ssd 156072200{}.5 (train.py:9) {}\n"
    text = head.format(0, "run_start") + head.format(6, 'eval_accuracy: {"epoch": 3, "value": 0.24}')
    run, problems = read(tmp_path, text + head.format(6, 'run_stop: {"success": true}'))
    assert problems == []
    assert (run.status, run.minutes, run.epoch_num, run.accuracy) == ("success", 0.1, 3, 0.24)


@pytest.mark.parametrize(
    "status, word, kinds",
    [("abort", "aborted", []), (None, "unfinished", ["unfinished-run"]), ("fine", "failed", None)],
)
def test_a_run_without_success_failed(tmp_path: Path, status: str | None, word: str, kinds: list[str] | None) -> None:
    run, problems = read(tmp_path, log(12.5, status))
    assert run.status == word
    assert [problem.kind for problem in problems] == (["unknown-status"] if kinds is None else kinds)


def test_minigo_is_scored_by_when_the_model_that_reached_the_target_was_saved(tmp_path: Path) -> None:
    made = tree(tmp_path, minigo())
    assert made.value is not None
    assert made.value == pytest.approx(sum(sorted(MINIGO)[1:-1]) / 8 / 60, rel=1e-9)
    assert round(made.value, 2) == 14.43
    assert made.kinds == ["no-system"]
    assert (made.runs[0].minutes, made.runs[0].epochs) == (pytest.approx(746.014 / 60), 14)
    found = outcomes(checks(tmp_path, "upload.zip"))
    assert {found[rule] for rule in ("Number of runs", "Successful runs", "Target reached")} == {"met"}
    assert found["Target accuracy"] == "met"


def test_minigo_without_that_time_has_no_score(tmp_path: Path) -> None:
    made = tree(tmp_path, minigo((*MINIGO[:-1], None)))
    assert made.value is None
    texts = [problem.found for problem in made.problems]
    assert "minigo: 1 of 10 logs have no eval_result, by which v0.6 scores it." in texts
    assert "the log has no eval_result, which alone tells when its run reached the target." in texts
    assert (made.runs[9].status, made.runs[9].minutes) == ("unreadable", None)


def test_a_run_of_minigo_that_no_folder_and_no_round_names_is_timed_alike(tmp_path: Path) -> None:
    run, problems = read(tmp_path, minigo_log(746.014))
    assert (run.minutes, run.ended_by, problems) == (pytest.approx(746.014 / 60), "eval_result", [])


def test_minigo_that_reached_no_target_failed(tmp_path: Path) -> None:
    """Source: mlcommons/logging compliance_checker/training_0.6.0/minigo.yaml: timestamp 0 is a failure."""
    run, _ = read(tmp_path, minigo_log(0))
    assert run.status == "failed"
    aborted, _ = read(tmp_path, minigo_log(None).replace("success", "aborted"))
    assert aborted.status == "aborted"


@pytest.mark.parametrize("seconds", [-3.0, float("nan"), 1e40])
def test_minigo_with_an_impossible_time_is_unreadable(tmp_path: Path, seconds: float) -> None:
    run, problems = read(tmp_path, minigo_log(seconds))
    assert run.status == "unreadable"
    assert problems


def test_a_log_of_two_formats_is_told(tmp_path: Path) -> None:
    later = making_training.log(7)
    for text, minutes, line in ((log(12.5) + later, 12.5, 12), (later + log(12.5), 7, 13)):
        run, problems = read(tmp_path, text)
        assert run.minutes == minutes
        (problem,) = problems
        assert (problem.kind, problem.where.line) == ("mixed-formats", line)


def test_a_word_of_the_owners_comes_before_what_the_format_tells(tmp_path: Path) -> None:
    files = {name.replace(ROOT, "training_results_v0.7"): text for name, text in group((4, 5, 6, 7, 8)).items()}
    (result,) = tree(tmp_path, files).measurements
    assert result.round == "v0.7"
    (told,) = [problem for problem in tree(tmp_path, files).problems if problem.kind == "other-format"]
    assert told.found == "5 logs are written as those of v0.6, the group is of v0.7."


def test_a_system_of_log_lines_is_read(tmp_path: Path) -> None:
    (sheet,) = tree(tmp_path, {f"{ROOT}/NVIDIA/systems/dgx2h.json": system()}).sheets
    cells = dict(sheet.facts)
    assert cells["framework"] == ENTRY["framework"]
    assert cells["operating_system"] == ENTRY["os"]
    assert (cells["host_processors_per_node"], cells["number_of_nodes"]) == ("2", "4")
    assert cells["host_processor_model_name"] == "Intel(R) Xeon(R) Platinum 8174 CPU @ 3.10GHz"
    assert not {"poc_name", "poc_email", "nodes"} & set(cells)


def test_a_system_with_its_nodes_in_a_list_is_read(tmp_path: Path) -> None:
    node = {"num_nodes": 512, "cpu": "2x Intel(R) Xeon(R) Gold 6148", "accelerator": "V100", "num_accelerators": 4}
    sheet = {"division": "open", "status": "research", "hardware": "CX2570-m4", "os": "CentOS 7.5", "nodes": [node]}
    two = {**sheet, "nodes": [node, {**node, "accelerator": "T4"}]}
    files = {f"{ROOT}/Fujitsu/systems/{name}.json": json.dumps(text) for name, text in (("a", sheet), ("b", two))}
    first, second = (dict(one.facts) for one in tree(tmp_path, files).sheets)
    assert first["number_of_nodes"] == "512"
    assert (first["accelerator_model_name"], first["accelerators_per_node"]) == ("V100", "4")
    assert (first["system_name"], first["operating_system"]) == ("CX2570-m4", "CentOS 7.5")
    assert not {"number_of_nodes", "accelerator_model_name", "accelerators_per_node"} & set(second)


def test_fields_that_a_sheet_states_itself_come_before_its_nodes(tmp_path: Path) -> None:
    """Intel's state both."""
    sheet = {
        "number of nodes": "32", "system_name": "CLX-8260L-2S", "hardware": "32-nodes",
        "host_processors_per_node": "2", "host_processor_model_name": "Intel(R) Xeon(R) Platinum 8260L",
        "nodes": [{"num_nodes": 3, "cpu": "another", "accelerator": "NA", "num_accelerators": 0}],
    }  # fmt: skip
    (made,) = tree(tmp_path, {f"{ROOT}/Intel/systems/clx.json": json.dumps(sheet)}).sheets
    cells = dict(made.facts)
    assert (cells["number_of_nodes"], cells["system_name"]) == ("32", "CLX-8260L-2S")
    assert cells["host_processor_model_name"] == "Intel(R) Xeon(R) Platinum 8260L"
    assert (cells["accelerator_model_name"], cells["accelerators_per_node"]) == ("NA", "0")


@pytest.mark.parametrize("damage", ["entry: {", "entry: [1]", "\x00", "entry: {}", "a line"])
def test_a_system_of_log_lines_that_is_damaged_is_told(tmp_path: Path, damage: str) -> None:
    text = system().split("entry:")[0] + damage
    made = tree(tmp_path, {f"{ROOT}/NVIDIA/systems/dgx2h.json": text})
    assert made.sheets == []
    assert made.kinds == ["broken-json"]


def test_events_between_the_run_and_the_log_are_held_against_its_times(tmp_path: Path) -> None:
    late = (
        event("init_stop", None, 500)
        + "\n"
        + event("run_start")
        + "\n"
        + event("run_stop", None, 600, status="success")
    )
    _, problems = read(tmp_path, late)
    assert [problem.found for problem in problems] == ["the line before run_start is dated after it."]
