"""What a log states besides its score: second measures, with file and line, never in place of the score."""

import csv
import io
import re
from pathlib import Path

import pytest

from loaders import store
from loaders.ingest import load
from loaders.manifest import Manifest
from mlperf import export, queries
from mlperf.filters import Filters
from tests.loaders.making import write
from tests.loaders.trees.making_inference import TREE, Files, detail, read, summary, tree
from tests.loaders.trees.making_loadgen import run_loadgen

SERVER = f"{TREE}/results/box_1xA100/llama2-70b-99/Server/performance/run_1"
DETAIL = {
    "result_completed_samples_per_sec": 71.7957, "result_mean_latency_ns": 9_876_543_210,
    "result_completed_tokens_per_second": 20958.48,
}  # fmt: skip
LINES = {
    "Completed samples per second": 71.80, "Mean latency (ns)": 9876543210, "Completed tokens per second": 20958.48,
}  # fmt: skip


def files(round_id: str = "v4.0", **logs: str) -> Files:
    named = {f"mlperf_log_{form}.txt": text for form, text in logs.items()}
    return tree(named, round_id=round_id, path=SERVER)


@pytest.mark.parametrize("forms", [("detail",), ("summary",), ("detail", "summary")])
def test_queries_stay_the_score_of_v4_0_and_tokens_stand_beside_it(tmp_path: Path, forms: tuple[str, ...]) -> None:
    texts = {"detail": detail("Server", **DETAIL), "summary": summary("Server", LINES)}
    logs = {form: texts[form] for form in forms}
    found = read(tmp_path, files(**logs)).one
    assert (found.value, found.unit) == (71.7957 if "detail" in forms else 71.8, "Queries/s")
    assert (found.tokens_per_second, found.samples_per_second) == (20958.48, None)
    assert found.mean_latency_ms == pytest.approx(9876.54321, rel=1e-12)
    lines = logs[forms[0]].splitlines()
    places = dict(place.split(":") for place in str(found.measure_lines).split())
    assert set(places) == {"tokens_per_second", "mean_latency_ms"}
    assert "20958.48" in lines[int(places["tokens_per_second"]) - 1]
    assert "9876543210" in lines[int(places["mean_latency_ms"]) - 1]
    assert found.where.file.endswith(f"mlperf_log_{forms[0]}.txt")


def test_tokens_that_the_summary_alone_states_are_taken_where_both_logs_give_one_score(tmp_path: Path) -> None:
    logged = {key: value for key, value in DETAIL.items() if "tokens" not in key}
    text = summary("Server", LINES)
    found = read(tmp_path / "same", files(detail=detail("Server", **logged), summary=text)).one
    assert (found.value, found.tokens_per_second) == (71.7957, 20958.48)
    (place,) = [one for one in str(found.measure_lines).split() if one.startswith("tokens")]
    _, file, line = place.split(":")
    assert file == "mlperf_log_summary.txt"
    assert "20958.48" in text.splitlines()[int(line) - 1]
    other = summary("Server", LINES | {"Completed samples per second": 99.0})
    found = read(tmp_path / "other", files(detail=detail("Server", **logged), summary=other)).one
    assert (found.value, found.tokens_per_second) == (71.7957, None)


@pytest.mark.parametrize(
    ("scenario", "line"), [("Server", "Completed tokens per second"), ("Offline", "Tokens per second")]
)
def test_loadgens_own_logs_state_what_is_read(tmp_path: Path, scenario: str, line: str) -> None:
    run = tmp_path / f"inference_results_v5.1/closed/Acme/results/box/resnet50/{scenario}/performance/run_1"
    run_loadgen(run, scenario, tokens=True)
    logs = {str(path.relative_to(tmp_path)): path.read_bytes() for path in run.iterdir() if path.suffix == ".txt"}
    stated = re.findall(rf"^{line} *: ([\d.e+]+)$", (run / "mlperf_log_summary.txt").read_text(), re.MULTILINE)
    found = read(tmp_path / "copy", logs).one
    assert found.tokens_per_second == pytest.approx(float(stated[0]), rel=1e-4)


def test_from_v4_1_on_tokens_are_the_score_and_samples_stand_beside_it(tmp_path: Path) -> None:
    found = read(tmp_path, files("v4.1", detail=detail("Server", **DETAIL))).one
    assert (found.value, found.unit) == (20958.48, "Tokens/s")
    assert (found.tokens_per_second, found.samples_per_second) == (None, 71.7957)


def test_a_log_without_tokens_states_none_and_none_are_computed(tmp_path: Path) -> None:
    logged = {key: value for key, value in DETAIL.items() if "tokens" not in key}
    found = read(tmp_path, files(detail=detail("Server", **logged))).one
    assert (found.value, found.tokens_per_second) == (71.7957, None)


@pytest.mark.parametrize("value", [0, -1, "NaN", "", "1e999"])
def test_what_is_no_measure_is_left_out(tmp_path: Path, value: object) -> None:
    logged = DETAIL | {"result_completed_tokens_per_second": value}
    found = read(tmp_path, files(detail=detail("Server", **logged))).one
    assert (found.value, found.tokens_per_second) == (71.7957, None)


def test_an_inferred_score_has_no_second_measures_of_another_scenario(tmp_path: Path) -> None:
    logged = {"result_qps_without_loadgen_overhead": 250.5, "result_mean_latency_ns": 4_000_000}
    found = read(tmp_path, tree({"mlperf_log_detail.txt": detail("SingleStream", **logged)})).one
    assert found.inferred
    assert (found.value, found.mean_latency_ms, found.measure_lines) == (250.5, None, None)


def test_files_hold_the_second_measures_beside_the_score(tmp_path: Path) -> None:
    write(tmp_path / "given", files(detail=detail("Server", **DETAIL)))
    connection = store.open_database(None)
    list(load(tmp_path / "given", connection, Manifest(), name="inference_results_v4.0"))
    rows = queries.export_rows(connection, Filters())
    table = list(csv.DictReader(io.StringIO(export.csv_bytes(rows).decode())))
    assert table
    for row in table:
        assert (row["value"], row["unit"]) == ("71.7957", "queries/s")
        assert (row["tokens_per_second"], row["samples_per_second"]) == ("20958.48", "")
    (lines,) = set(connection.execute("select measure_lines from sightings").fetchall())
    assert "tokens_per_second:" in lines[0]
