"""The report of a load: short, by kind, what to do last; the same for a folder as for the zip of it."""

import shlex
import zipfile
from pathlib import Path

import duckdb
import pytest

from loaders import labels, store
from loaders.__main__ import main
from loaders.ingest import load
from loaders.manifest import Manifest
from loaders.report import lines, together
from loaders.submission_files import part_of
from loaders.trees.protocol import Label
from mlperf.errors import Problem, Where
from tests.loaders.making import packed, rows, write
from tests.loaders.trees.making_inference import tree
from tests.loaders.trees.making_loadgen import run_loadgen

OTHERS = {
    "closed/Acme/README.md": "words",
    "closed/Acme/calibration.md": "words",
    "closed/Acme/code/resnet50/main.py": "print()",
    "closed/Acme/code/resnet50/data/labels.txt": "words",
    "closed/Acme/documentation/figure.png": b"\x89PNG\r\n\x1a\n",
    "closed/Acme/compliance/box/resnet50/Offline/TEST01/verify_accuracy.txt": "words",
    "closed/Acme/measurements/box/resnet50/Offline/user.conf": "words",
    "notes.txt": "words",
}
KINDS = {
    "code": 2, "documentation": 2, "calibration": 1, "compliance runs": 1, "measurements": 1, "unknown, text": 1,
}  # fmt: skip


def report(path: Path, *, is_whole: bool = False) -> list[str]:
    with store.open_database(None) as database:
        return list(lines(list(load(path, database, Manifest())), ["load"], is_whole=is_whole))


@pytest.mark.parametrize("count", [1, 400])
def test_a_folder_and_its_zip_give_the_same_short_summary(tmp_path: Path, count: int) -> None:
    top = "inference_results_v3.1"
    files = {f"{top}/{name}": content for name, content in OTHERS.items()}
    files |= {f"{top}/closed/Acme/code/resnet50/part_{number}.py": "print()" for number in range(count - 1)}
    files |= {f"{top}/{name.partition('/')[2]}": content for name, content in tree().items()}
    write(tmp_path / "folder", files)
    write(tmp_path, {f"{top}.zip": packed(files)})
    folder, archive = report(tmp_path / "folder" / top), report(tmp_path / f"{top}.zip")
    summary = folder[folder.index(f"left aside, no results: {len(OTHERS) + count - 1:,} files") :]
    assert [line.replace(f"{top}.zip/", "") for line in archive[-len(summary) :]] == summary
    assert len(folder) < 25
    for kind, number in KINDS.items():
        expected = number + count - 1 if kind == "code" else number
        assert any(line.startswith(f"  {kind}: {expected:,} (") for line in summary), kind
    assert summary[-1].startswith("  unknown"), "what nobody knows is told last"
    assert sum("main.py" in line for line in report(tmp_path / "folder" / top, is_whole=True)) == 1
    assert not any("CSV" in line for line in folder)


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("closed/Dell/code/bert/README.md", "code"),
        ("closed/Dell/measurements/x/resnet50/Offline/README.md", "measurements"),
        ("closed/Dell/results/x/resnet50/Offline/TEST04/performance/run_1/mlperf_log_summary.txt", "compliance runs"),
        ("closed/Dell/results/x/resnet50/Offline/performance/run_1/mlperf_log_trace.json", "further logs of LoadGen"),
        ("closed/Dell/results/x/resnet50/Offline/performance/ranging/spl.txt", "power logs"),
        ("Dell/benchmarks/bert/implementations/run.sub", "code"),
        ("decode.txt", None),
        ("mycode/notes.txt", None),
        ("x.csv", None),
    ],
)
def test_a_file_of_a_submission_is_known_by_its_path(path: str, kind: str | None) -> None:
    assert part_of(path) == kind


def test_problems_that_say_the_same_are_one_with_their_number() -> None:
    problems = [Problem(Where("a", number), "kind", "found.", "fix.") for number in range(1, 555)]
    other = Problem(Where("b"), "kind", "other.", "fix.")
    assert together([other, *problems]) == [(problems[0], 554), (other, 1)]


def test_the_report_counts_problems_of_many_lines_once(tmp_path: Path) -> None:
    logs = tree()
    files = {
        name.replace("box_1xA100", f"box_{number}").replace("inference_results_v3.1", "inference_results_v3.1"): content
        for number in range(30)
        for name, content in logs.items()
        if not name.endswith("accuracy.txt")
    }
    write(tmp_path, files)
    (told,) = [line for line in report(tmp_path / "inference_results_v3.1") if "accuracy/accuracy.txt" in line]
    assert told.startswith("    30 times, first ")


def asked(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str]:
    """Exit status and what `load` says on standard error."""
    status = main(["load", *map(str, arguments)])
    return status, capsys.readouterr().err


def command(text: str) -> list[str]:
    """The command that is ready to copy."""
    (line,) = [line for line in text.splitlines() if " -m loaders load " in line]
    return shlex.split(line)


def test_a_lone_log_is_asked_for_all_that_is_missing_at_once_and_the_command_works(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run_loadgen(tmp_path / "my logs", "Server")
    into = tmp_path / "to.duckdb"
    status, text = asked(capsys, tmp_path / "my logs", "--into", into, "--framework", "vLLM 1")
    assert status == 2
    for option in ("--round", "--division", "--submitter", "--system-id", "--benchmark", "--suites"):
        assert sum(line.startswith(f"  {option} ") for line in text.splitlines()) == 1
    assert "suggested by the log: datacenter (scenario Server)" in text
    assert "suggested by the log: v6.0 (LoadGen 6.0" in text
    for words in ("mlperf/", ".toml", "CSV", "was scored by"):
        assert words not in text
    typed = command(text)
    assert typed[typed.index("load") + 1] == str(tmp_path / "my logs")
    assert typed[typed.index("--framework") + 1] == "vLLM 1"
    said = {
        "DIVISION": "closed",
        "SUBMITTER": "our lab",
        "SYSTEM_ID": "box",
        "BENCHMARK": "resnet50",
        "ACCELERATOR": "none",
    }
    assert main([said.get(word, word) for word in typed[typed.index("load") :]]) == 0
    with duckdb.connect(str(into)) as database:
        (row,) = rows(database)
    assert (row["round"], row["benchmark"], row["submitter"], row["framework"]) == (
        "v6.0",
        "resnet",
        "our lab",
        "vLLM 1",
    )


def test_what_the_user_says_comes_before_what_the_log_suggests(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run_loadgen(tmp_path / "logs", "Offline")
    _, text = asked(capsys, tmp_path / "logs", "--into", tmp_path / "to.duckdb", "--round", "v5.1")
    assert "--round" not in text.replace("--round v5.1", "")
    said = ["--division", "open", "--submitter", "x", "--system-id", "y", "--benchmark", "resnet50", "--suites", "edge"]
    assert main(["load", str(tmp_path / "logs"), "--into", str(tmp_path / "to.duckdb"), "--round", "v5.0", *said]) == 0
    with duckdb.connect(str(tmp_path / "to.duckdb")) as database:
        assert [(row["round"], row["suite"]) for row in rows(database)] == [("v5.0", "inference-edge")]


@pytest.mark.parametrize("name", ["mlperf_log_summary.txt", "mlperf_log_detail.txt"])
@pytest.mark.parametrize(("scenario", "needed"), [("SingleStream", "64"), ("MultiStream", "662")])
@pytest.mark.parametrize("said", [[], ["--benchmark", "resnet50"], ["--benchmark", "resnet50", "--round", "v5.1"]])
def test_a_run_of_ten_queries_is_told_to_be_too_short(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, scenario: str, needed: str, said: list[str]
) -> None:
    run_loadgen(tmp_path / "logs", scenario, min_query_count=10, max_query_count=10)
    status, text = asked(capsys, tmp_path / "logs" / name, "--into", tmp_path / "to.duckdb", *said)
    assert status == 2
    assert f"LoadGen processed 10 queries and needs {needed}." in text
    assert f"Run it again with at least {needed} queries" in text
    assert "opy the logs" not in text


@pytest.mark.parametrize(
    ("settings", "cause", "step"),
    [
        ({"mode": "AccuracyOnly"}, "is the log of a run in mode 'accuracyonly'", "mode PerformanceOnly"),
        ({"mode": "FindPeakPerformance"}, "in mode 'findpeakperformance'", "mode PerformanceOnly"),
        ({"late_ms": 3, "server_target_latency_ns": 1000}, "latency over its limit", "lower target_qps"),
        ({"min_duration_ms": 10_000, "max_duration_ms": 50}, "too short", "run it longer"),
    ],
)
def test_a_run_that_does_not_count_is_told_why_and_what_to_do(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], settings: dict[str, int], cause: str, step: str
) -> None:
    folder = tmp_path / "inference_results_v5.1/closed/Acme/results/box/resnet50/Server/performance/run_1"
    run_loadgen(folder, "Server", **settings)  # type: ignore[arg-type]  # mode is its own argument
    _, text = asked(capsys, tmp_path / "inference_results_v5.1", "--into", tmp_path / "to.duckdb")
    (line,) = [line for line in text.splitlines() if cause in line]
    assert step in line
    assert "holds none of the lines that LoadGen writes" not in text


def test_a_run_that_was_killed_is_told_to_have_no_end(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run_loadgen(tmp_path / "logs", "Offline")
    log = tmp_path / "logs" / "mlperf_log_detail.txt"
    text = log.read_text()
    log.write_text(
        "".join(line for line in text.splitlines(True) if '"result_' not in line and "early_stop" not in line)
    )
    _, told = asked(capsys, log, "--into", tmp_path / "to.duckdb")
    assert "the log ends before its results: the run was stopped, or the log was cut." in told
    assert "Let the run end" in told


@pytest.mark.parametrize(
    ("said", "words"),
    [
        (["--round", "v99"], "--round: 'v99' is not known. Accepted are v3.0"),
        (["--benchmark", "llama2-70"], "--benchmark: 'llama2-70' is not known. Did you mean llama2-70b-99"),
        (["--scenario", "Ofline"], "--scenario: 'Ofline' is not known. Did you mean Offline?"),
        (["--suites", "bar"], "--suites: 'bar' is not known. Accepted are datacenter, edge"),
        (["--division", "clsed"], "--division: 'clsed' is not known. Did you mean closed?"),
    ],
)
def test_a_label_that_is_not_known_is_named_before_anything_is_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], said: list[str], words: str
) -> None:
    status, text = asked(capsys, tmp_path / "none", "--into", tmp_path / "to.duckdb", *said)
    assert status == 2
    assert words in text
    assert not (tmp_path / "to.duckdb").exists()


@pytest.mark.parametrize("name", ["resnet50", "gnn", "cosmoflow", "llama2-70b-99.9"])
def test_a_benchmark_is_known_by_each_of_its_names(name: str) -> None:
    labels.check(
        Label(benchmark=name, suites="datacenter,edge", scenario="single stream", round="0.7", division="Closed")
    )


def test_the_command_to_copy_has_all_that_was_typed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run_loadgen(tmp_path / "logs", "Offline")
    into = tmp_path / "it's here.duckdb"
    _, text = asked(capsys, tmp_path / "logs", "--into", into, "--jobs", "2", "--all", "--origin", "our lab")
    typed = command(text)
    assert typed[typed.index("--into") + 1] == str(into)
    assert typed[typed.index("--jobs") + 1] == "2"
    assert typed[typed.index("--origin") + 1] == "our lab"
    assert "--all" in typed


def test_bare_logs_of_hpc_are_asked_for_everything_at_once_in_the_words_of_hpc(
    tmp_path: Path, shared: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with zipfile.ZipFile(shared / "hpc" / "hpc_results_v3.0.zip") as archive:
        logs = [name for name in archive.namelist() if "Dell/results/" in name and "/deepcam/result_" in name]
        write(tmp_path / "deepcam", {name.rpartition("/")[2]: archive.read(name) for name in logs})
    status, text = asked(capsys, tmp_path / "deepcam", "--into", tmp_path / "to.duckdb")
    assert status == 2
    assert "needed; for example 'Strong scaling'" in text
    assert "needed; for example v3.0" in text
    said = {
        "ROUND": "v3.0", "DIVISION": "closed", "SUBMITTER": "our lab", "SYSTEM_ID": "box", "SCENARIO": "Strong scaling",
        "ACCELERATOR": "NVIDIA A100-SXM-40GB", "ACCELERATORS_PER_NODE": "4", "NODES": "32",
    }  # fmt: skip
    typed = command(text)
    assert main([said.get(word, word) for word in typed[typed.index("load") :]]) == 0
    with duckdb.connect(str(tmp_path / "to.duckdb")) as database:
        (row,) = rows(database)
    assert (row["suite"], row["accelerator_count"], row["nodes"]) == ("hpc", 128, 32)
    assert row["value"] == pytest.approx(12.99535, abs=1e-9)


def test_a_lone_summary_of_an_accuracy_run_is_named_as_such(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run_loadgen(tmp_path / "logs", "Offline", mode="AccuracyOnly")
    summary = tmp_path / "logs" / "mlperf_log_summary.txt"
    _, text = asked(capsys, summary, "--into", tmp_path / "to.duckdb")
    assert "holds no results of performance, as the summary of an accuracy run." in text
    assert "A score takes a run in mode PerformanceOnly." in text
    assert "is kept" not in text
    assert "--round" not in text
