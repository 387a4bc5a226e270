"""Real runs through the page: LoadGen in every scenario, valid and broken on purpose; training logs by mllog.

What the page says of them is what LoadGen's own summary and mlperf_logging's summarizer say, read here by other code.
"""

import io
import json
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from loaders.upload import Entry
from tests.app.test_my_results import RESULTS, html, read, table
from tests.app.test_pages import opened
from tests.loaders.trees.making_inference import SYSTEM
from tests.loaders.trees.making_loadgen import run_loadgen
from tests.loaders.trees.making_training import SHEET, START
from tests.loaders.trees.test_training_oracle import summarized, write_log
from ui import own, session, uploading

SCORES = {
    "Offline": (r"^Samples per second *: *([\d.e+]+)$", 1.0),
    "Server": (r"^Completed samples per second *: *([\d.e+]+)$", 1.0),
    "SingleStream": (r"Early stopping 90(?:\.0)?th percentile estimate *: *(\d+)", 1e-6),
    "MultiStream": (r"Early stopping 99(?:\.0)?th percentile estimate *: *(\d+)", 1e-6),
}
"""Where LoadGen's summary has the score of a scenario, and what makes it samples/s or ms."""

RUNS: dict[str, dict[str, int | float]] = {
    "valid": {},
    "short": {"max_query_count": 2, "min_query_count": 1},
    "few": {"max_query_count": 10},
    "slow": {"server_target_latency_ns": 1000},
}
WORDS = {"Minimum duration": "Min duration satisfied", "Minimum query count": "Min queries satisfied"}


@pytest.fixture(autouse=True)
def nothing_saved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv(own.FILE, str(tmp_path / "own.duckdb"))
    yield
    session._opened.cache_clear()


def uploaded(name: str, folder: Path) -> AppTest:
    """The page after the folder came as one archive."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for file in sorted(folder.rglob("*")):
            if file.is_file():
                archive.write(file, file.relative_to(folder))
    test = opened("my_results")
    test.file_uploader[0].set_value([(name, buffer.getvalue(), "application/zip")]).run()
    return read(test)


def entries(test: AppTest) -> dict[str, Entry]:
    """The groups of the preview by the system's folder."""
    found = test.session_state[uploading.DRAFT].preview.entries
    return {re.split("[/]results[/]", entry.group)[1].partition("/")[0]: entry for entry in found}


def said(folder: Path, pattern: str) -> str | None:
    """What LoadGen's own summary says."""
    found = re.search(pattern, (folder / "mlperf_log_summary.txt").read_text(), re.MULTILINE)
    return found[1] if found else None


def test_scores_and_verdicts_on_the_page_are_loadgens_own(tmp_path: Path) -> None:
    logs: dict[str, tuple[str, Path]] = {}
    root = tmp_path / "given" / "open" / "Acme"
    for scenario in SCORES:
        for run, changes in RUNS.items():
            if (run == "slow" and scenario != "Server") or (run == "few" and scenario == "Offline"):
                continue
            if scenario == "Offline":  # one query is the whole run; a system that answers at once is done too early
                changes = {"late_ms": 150} if run == "valid" else {}
            folder = root / "results" / f"{scenario}-{run}" / "resnet50" / scenario / "performance" / "run_1"
            run_loadgen(folder, scenario, **changes)  # type: ignore[arg-type]  # all are numbers
            logs[f"{scenario}-{run}"] = (scenario, folder)
    late = root / "results" / "accuracy-alone" / "resnet50" / "Offline" / "performance" / "run_1"
    run_loadgen(late, "Offline", mode="AccuracyOnly")
    for system in [*logs, "accuracy-alone"]:
        sheet = root / "systems" / f"{system}.json"
        sheet.parent.mkdir(exist_ok=True)
        sheet.write_text(json.dumps({**SYSTEM, "division": "open", "system_type": "datacenter,edge"}))
    test = uploaded("inference_results_v6.0.zip", tmp_path / "given")
    found, shown = entries(test), {row["system"]: row for row in table(test, RESULTS)}
    assert {said(folder, r"Result is *: *(\w+)") for _, folder in logs.values()} == {"VALID", "INVALID"}
    for system, (scenario, folder) in logs.items():
        entry = found[system]
        pattern, factor = SCORES[scenario]
        theirs = said(folder, pattern)
        if theirs is None:  # too few queries for an estimate
            assert not entry.has_score
            assert entry.problems
        else:
            assert shown[system]["value"] == pytest.approx(float(theirs) * factor, rel=1e-5)
            assert shown[system]["verification"] == "unverified"
        verdicts = {check.rule: check.verdict for check in entry.checks}
        assert (
            verdicts["LoadGen's verdict"]
            == {"VALID": "met", "INVALID": "broken"}[said(folder, r"Result is *: *(\w+)") or ""]
        )
        for rule, words in WORDS.items():
            assert verdicts[rule] == {"Yes": "met", "NO": "broken"}[said(folder, rf"{words} *: *(\w+)") or ""]
    assert not found["accuracy-alone"].has_score
    assert "accuracy-alone" not in shown
    assert "Would not count" in html(test)


@pytest.mark.parametrize("failures", [0, 1, 3])
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::SyntaxWarning")
def test_the_score_of_mllogs_runs_is_the_official_summarizers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], failures: int
) -> None:
    group = tmp_path / "given" / "Acme" / "results" / "lab" / "bert"
    for number in range(10):
        start = START + number * 10_000_000
        status = "aborted" if number < failures else "success"
        write_log(group / f"result_{number}.txt", start, start + 4_000_000 + number * 77_777, status, "bert")
    (tmp_path / "given" / "Acme" / "systems").mkdir()
    (tmp_path / "given" / "Acme" / "systems" / "lab.json").write_text(json.dumps(SHEET))
    test = uploaded("training_results_v4.0.zip", tmp_path / "given")
    [entry] = entries(test).values()
    official: Any = summarized(group, "bert", False, monkeypatch)[0]
    capsys.readouterr()
    runs = {check.rule: check.verdict for check in entry.checks}
    if failures > 1:
        assert official is None
        assert not entry.has_score
        assert runs["Successful runs"] == "broken"
    else:
        [row] = table(test, RESULTS)
        assert row["value"] == pytest.approx(official, rel=1e-9)
        assert runs["Successful runs"] == runs["Number of runs"] == "met"
