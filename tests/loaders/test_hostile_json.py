"""JSON that a stranger wrote: whatever it holds, it ends in figures or in our own message, in every reader."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path

import duckdb
import pytest

from loaders.ingest import load, read
from loaders.manifest import Manifest
from loaders.upload import preview
from mlperf.errors import Problem
from tests.loaders import uploading
from tests.loaders.making import checker, cm, summary, training, write
from tests.loaders.trees.making_inference import OFFLINE, RESULT, RUN, SYSTEM, TREE, detail
from tests.loaders.trees.making_training import GROUP, SHEET, START, log

Database = duckdb.DuckDBPyConnection

ROOT = "training_results_v1.1"
EVENT = {"namespace": "", "time_ms": START, "event_type": "POINT_IN_TIME", "key": "seed"}
ENDPOINT = {"n_samples_issued": 600, "n_samples_failed": 0, "duration_ns": 2_000_000_000, "qps": 300.0}


def with_members(fields: Mapping[str, object], key: str, value: str) -> str:
    """An object of JSON in which a key stands with a value as it is written here."""
    rest = json.dumps({name: said for name, said in fields.items() if name != key})
    return f"{rest[:-1]}, {json.dumps(key)}: {value}}}"


READERS: dict[str, tuple[Callable[[str], dict[str, str]], str]] = {
    "sheet, training": (lambda text: {f"{ROOT}/Dell/systems/XE8545.json": text}, with_members(SHEET, "framework", "@")),
    "sheet, inference": (
        lambda text: {f"{TREE}/systems/box_1xA100.json": text, f"{RUN}/mlperf_log_summary.txt": OFFLINE},
        with_members(SYSTEM, "framework", "@"),
    ),
    "sheet, field": (lambda text: {f"{ROOT}/Dell/systems/XE8545.json": text}, '{"division": "closed", @: 2.5}'),
    "summary_results": (lambda text: {"a.json": f"[{text}]"}, with_members(summary(), "Performance_Result", "@")),
    "checker": (lambda text: {"a.json": f'{{"0": {text}}}'}, with_members(checker(), "Result", "@")),
    "cm, inference": (lambda text: {"a.json": f"[{text}]"}, with_members(cm(), "Result", "@")),
    "cm, training": (lambda text: {"a.json": f"[{text}]"}, with_members(training(), "Result", "@")),
    "scaling": (lambda text: {f"{ROOT}/{GROUP}/scaling.json": text}, '{"scaling_factor": @}'),
    "mapping": (lambda text: {f"{TREE}/model_mapping.json": text}, '{"my-model": @}'),
    "measurements": (
        lambda text: {f"{TREE}/measurements/box_1xA100/resnet50/Offline/box.json": text}, '{"weight_data_types": @}'
    ),
    "power clock": (
        lambda text: {
            f"{RESULT}/performance/power/server.json": text,
            f"{RESULT}/performance/power/client.json": '{"timezone": 0}',
            f"{RUN}/mlperf_log_detail.txt": detail(result_samples_per_second=1.0),
        },
        '{"timezone": @}',
    ),
    "endpoints": (
        lambda text: {f"{RESULT}/performance/result_summary.json": text}, with_members(ENDPOINT, "qps", "@")
    ),
    "training line": (
        lambda text: {f"{ROOT}/{GROUP}/result_0.txt": f"{log()}:::MLLOG {text}\n"}, with_members(EVENT, "value", "@")
    ),
    "training line, benchmark": (
        lambda text: {f"{ROOT}/{GROUP}/result_0.txt": f":::MLLOG {text}\n{log()}"},
        with_members(EVENT | {"key": "submission_benchmark"}, "value", "@"),
    ),
    "training line, origin": (
        lambda text: {f"{ROOT}/{GROUP}/result_0.txt": f":::MLLOG {text}\n{log()}"},
        with_members(EVENT | {"value": 3}, "metadata", '{"file": @}'),
    ),
    "training line, status": (
        lambda text: {f"{ROOT}/{GROUP}/result_0.txt": f"{log(status=None)}:::MLLOG {text}\n"},
        with_members(EVENT | {"key": "run_stop", "value": None}, "metadata", '{"status": @}'),
    ),
    "power line": (
        lambda text: {
            f"{ROOT}/{GROUP}/result_0.txt": log(),
            f"{ROOT}/{GROUP}/power/result_0/node_0.txt": f":::MLLOG {text}\n",
        },
        with_members(EVENT | {"key": "power_reading"}, "value", "@"),
    ),
    "detail line": (
        lambda text: {f"{RUN}/mlperf_log_detail.txt": detail(result_samples_per_second=1.0) + f":::MLLOG {text}\n"},
        '{"key": "effective_min_duration_ms", "value": @}',
    ),
    "detail line, power": (
        lambda text: {
            f"{RESULT}/performance/power/power.txt": "",
            f"{RUN}/spl.txt": "Time,01-01-2023 00:00:01.000,Watts,100.000000\n",
            f"{RUN}/mlperf_log_detail.txt": f":::MLLOG {text}\n" + detail(
                result_samples_per_second=1.0, result_min_duration_met=True,
                power_begin="01-01-2023 00:00:00.000", power_end="01-01-2023 00:00:02.000",
            ),
        },
        '{"key": "effective_min_duration_ms", "value": @}',
    ),
    "detail line, mode": (
        lambda text: {f"{RUN}/mlperf_log_detail.txt": f":::MLLOG {text}\n" + detail(result_samples_per_second=1.0)},
        '{"key": "effective_test_mode", "value": @}',
    ),
    "detail line, score": (
        lambda text: {f"{RUN}/mlperf_log_detail.txt": f":::MLLOG {text}\n" + detail()},
        '{"key": "result_samples_per_second", "value": @}',
    ),
}  # fmt: skip
"""Files of each reader around a text, and the text with a value yet to be written."""

VALUES = {
    "deep": "[" * 400 + "1" + "]" * 400,
    "deep objects": '{"a": ' * 400 + "1" + "}" * 400,
    "deeper": "[" * 60_000 + "]" * 60_000,
    "never closed": "[" * 60_000,
    "nearly deep": "[" * 50 + "]" * 50,
    "digits": "9" * 5_000,
    "many digits": "9" * 4_000,
    "exponent": "1e999999999",
    "small exponent": "1e-999999999",
    "zero and exponent": "0e999",
    "NaN": "NaN",
    "Infinity": "-Infinity",
    "half a character": '"\\ud800"',
    "half a character, name": '{"\\udfff": "\\udc00"}',
    "NUL": '"a\\u0000b"',
    "escape": '"\\u001b[31m\\u202e"',
    "list": '["a", {"b": null}]',
    "null": "null",
    "true": "true",
    "long": '"' + "x" * 5_000 + '"',
    "empty name": '{"": ""}',
}


@pytest.mark.parametrize("value", VALUES)
@pytest.mark.parametrize("reader", READERS)
def test_no_value_ends_in_anything_but_our_own_message(tmp_path: Path, reader: str, value: str) -> None:
    files_of, text = READERS[reader]
    files = files_of(text.replace("@", VALUES[value]))
    write(tmp_path / "given", files)
    for reading in read(tmp_path / "given", Manifest()):
        reading.pack()
    preview(uploading.read(tmp_path / "upload", files))


@pytest.mark.parametrize(
    "text", ["3", "null", '"text"', "true", "[]", "{}", "NaN", "", "\0", "\ufeff", "[[]]", "{} {}"]
)
@pytest.mark.parametrize("reader", READERS)
def test_nothing_in_place_of_an_object_ends_in_anything_but_our_own_message(
    tmp_path: Path, reader: str, text: str
) -> None:
    write(tmp_path / "given", READERS[reader][0](text))
    for reading in read(tmp_path / "given", Manifest()):
        reading.pack()


def problems(database: Database, folder: Path, reader: str, text: str) -> list[Problem]:
    """What is told of the files of a reader."""
    write(folder / "given", READERS[reader][0](text))
    return [problem for report in load(folder / "given", database, Manifest()) for problem in report.problems]


@pytest.mark.parametrize("reader", sorted(set(READERS) - {"sheet, field"}))
def test_a_key_that_stands_twice_is_told_or_refused(database: Database, tmp_path: Path, reader: str) -> None:
    text = READERS[reader][1].replace("@", "2.5")
    name, _, _ = text[:-1].rstrip("}").rpartition(": ")[0].rpartition(", ")[2].rpartition("{")[2].partition(":")
    end = "}}" if text.endswith("}}") else "}"
    doubled = f"{text[: -len(end)]}, {name} : 7.5{end}"
    assert len(json.loads(text)) == len(json.loads(doubled))
    told = [problem.found for problem in problems(database, tmp_path, reader, doubled)]
    assert any("twice" in found or "damaged" in found or "cannot be read" in found for found in told), told


def test_a_summary_table_with_two_results_in_one_record_gives_none(database: Database, tmp_path: Path) -> None:
    first = json.dumps(summary(Platform="other"))
    text = READERS["summary_results"][1].replace("@", '2000.25, "Performance_Result": 4000.5')
    write(tmp_path, {"a.json": f"[{text},\n{first}]"})
    (report,) = load(tmp_path / "a.json", database, Manifest())
    assert [(problem.kind, problem.where.line) for problem in report.problems] == [("key-twice", 1)]
    assert "Performance_Result" in report.problems[0].found
    assert database.execute("select system_id from results").fetchall() == [("other",)]


def test_a_record_of_one_name_with_another_is_told_and_the_first_is_read(database: Database, tmp_path: Path) -> None:
    text = f'{{"0": {json.dumps(checker())},\n"0": {json.dumps(checker(Result=2.0))}}}'
    write(tmp_path, {"a.json": text})
    (report,) = load(tmp_path / "a.json", database, Manifest())
    assert [problem.kind for problem in report.problems] == ["key-twice"]
    assert database.execute("select value from results").fetchall() == [(1000.5,)]


@pytest.mark.parametrize(
    ("value", "words"),
    [(VALUES["deep"], "nested too deeply"), (VALUES["digits"], "thousands of digits")],
    ids=["deep", "digits"],
)
@pytest.mark.parametrize(
    "reader", ["sheet, training", "sheet, inference", "summary_results", "checker", "cm, inference", "mapping",
               "measurements", "endpoints", "training line, benchmark", "scaling", "power clock"],
)  # fmt: skip
def test_what_is_too_deep_or_too_long_is_refused_for_that_reason(
    database: Database, tmp_path: Path, reader: str, value: str, words: str
) -> None:
    text = READERS[reader][1].replace("@", value)
    told = [problem.found for problem in problems(database, tmp_path, reader, text)]
    assert any(words in found for found in told), told


def test_a_field_of_a_published_sheet_that_stands_twice_is_told_and_the_last_is_taken(
    database: Database, tmp_path: Path
) -> None:
    text = READERS["sheet, training"][1].replace("@", '"MXNet 1", "framework": "PyTorch 2"')
    write(tmp_path, READERS["sheet, training"][0](text) | {f"{ROOT}/{GROUP}/result_0.txt": log()})
    reports = list(load(tmp_path / ROOT, database, Manifest()))
    assert "key-twice" in {problem.kind for report in reports for problem in report.problems}
    facts = dict(database.execute("select field, value from sheets").fetchall())
    assert facts["framework"] == "PyTorch 2"
