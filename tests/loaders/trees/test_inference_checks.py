"""Would it count: verdicts are LoadGen's own words, limits hold to the digit, and no published result breaks a rule."""

import json
import random
import re
import zipfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from loaders.trees import inference
from loaders.trees.protocol import Context, Label
from loaders.unpack import sources
from mlperf.errors import Problem
from mlperf.model import Check, Measurement, Verdict
from tests.loaders.making import write
from tests.loaders.trees.making_inference import RESULT, TREE, Files, detail, tree
from tests.loaders.trees.making_loadgen import run_loadgen

SCENARIOS = ("SingleStream", "MultiStream", "Server", "Offline")
ACCURACY = {"resnet50": "accuracy=76.064%, good=38032, total=50000\nhash=aa\n"}
LONG = {"effective_min_duration_ms": 600000, "effective_min_query_count": 100, "result_min_queries_met": True}


def assembled(path: Path, context: Context | None = None) -> list[object]:
    pieces = [
        piece
        for source in sources(path)
        if not isinstance(source, Problem) and inference.claims(source)
        for piece in inference.read(source)
        if not isinstance(piece, Problem)
    ]
    return list(inference.assemble(pieces, context or Context(path.name, wants_verdicts=True)))


def verdicts(path: Path, context: Context | None = None) -> list[Verdict]:
    return [found for found in assembled(path, context) if isinstance(found, Verdict)]


def checks(path: Path, context: Context | None = None) -> dict[str, Check]:
    """The checks of the only result, by their rule."""
    (verdict,) = verdicts(path, context)
    found = {check.rule: check for check in verdict.checks}
    assert len(found) == len(verdict.checks)
    return found


def of(folder: Path, files: Files) -> dict[str, Check]:
    write(folder / "given", files)
    return checks(folder / "given")


def at(path: Path, check: Check) -> str:
    """What stands at the place that a check names."""
    assert check.where.line is not None
    (file,) = [one for one in path.rglob("*") if one.is_file() and str(one).endswith(check.where.file)]
    return file.read_text("latin-1").split("\n")[check.where.line - 1]


# --- nothing is computed unless it is wanted ---


def test_verdicts_come_only_when_they_are_asked_for(tmp_path: Path) -> None:
    write(tmp_path / "given", tree())
    assert verdicts(tmp_path / "given", Context("given")) == []
    (verdict,) = verdicts(tmp_path / "given")
    (one,) = [one for one in assembled(tmp_path / "given") if isinstance(one, Measurement)]
    assert verdict.group == one.group


# --- real LoadGen ---

RUNS: dict[str, dict[str, int | float]] = {
    "valid": {},
    "too short": {"max_query_count": 2, "min_query_count": 1},
    "too few": {"max_query_count": 10},
    "too slow": {"server_target_latency_ns": 1000},
}
WORDS = {
    "Minimum duration": "Min duration satisfied",
    "Minimum query count": "Min queries satisfied",
    "Early stopping": "Early stopping satisfied",
    "Latency limit of Server": "Performance constraints satisfied",
}


def said(folder: Path, words: str) -> str:
    """What LoadGen's own summary says."""
    found = re.search(re.escape(words) + r" *: *(\w+)", (folder / "mlperf_log_summary.txt").read_text())
    assert found is not None, words
    return found[1]


@pytest.mark.parametrize("run", RUNS)
@pytest.mark.parametrize("scenario", SCENARIOS)
def test_in_the_open_division_each_verdict_is_loadgens_own(tmp_path: Path, scenario: str, run: str) -> None:
    result = tmp_path / f"inference_results_v6.0/open/Acme/results/box/resnet50/{scenario}"
    folder = result / "performance/run_1"
    changes = dict(RUNS[run])
    if scenario == "Offline":  # the whole run is one query; a system that answers at once is done too early
        changes = {"late_ms": 150} if run == "valid" else {}
    run_loadgen(folder, scenario, **changes)  # type: ignore[arg-type]  # all are numbers
    for logs in ("both", "summary"):
        found = checks(tmp_path)
        assert found["LoadGen's verdict"].verdict == {"VALID": "met", "INVALID": "broken"}[said(folder, "Result is")]
        judged = {rule for rule in WORDS if rule in found}
        assert {"Minimum duration", "Minimum query count"} <= judged
        assert ("Early stopping" in judged) is (scenario != "Offline")
        assert ("Latency limit of Server" in judged) is (scenario == "Server")
        for rule in judged:
            assert found[rule].verdict == {"Yes": "met", "NO": "broken"}[said(folder, WORDS[rule])], (rule, logs)
        for check in found.values():
            assert check.where.line is None or at(tmp_path, check)
        if logs == "both":
            (folder / "mlperf_log_detail.txt").unlink()
    assert not any(rule.startswith("Accuracy") for rule in found)


def test_the_runs_are_what_their_names_say(tmp_path: Path) -> None:
    for name, changes in RUNS.items():
        run_loadgen(tmp_path / name, "Server", **changes)  # type: ignore[arg-type]
    words = [*WORDS.values(), "Result is"]
    assert {name: [said(tmp_path / name, word) for word in words] for name in RUNS} == {
        "valid": ["Yes", "Yes", "Yes", "Yes", "VALID"],
        "too short": ["NO", "Yes", "NO", "Yes", "INVALID"],
        "too few": ["NO", "NO", "NO", "Yes", "INVALID"],
        "too slow": ["Yes", "Yes", "NO", "NO", "INVALID"],
    }


def test_a_run_that_loadgen_calls_valid_is_too_short_for_closed(tmp_path: Path) -> None:
    folder = tmp_path / "inference_results_v3.1/closed/Acme/results/box/resnet50/Server/performance/run_1"
    run_loadgen(folder, "Server")
    found = checks(tmp_path)
    duration, latency = found["Minimum duration"], found["Latency limit of Server"]
    assert (found["LoadGen's verdict"].verdict, found["LoadGen's verdict"].found) == ("met", "VALID")
    assert (duration.verdict, duration.needed) == ("broken", "at least 600,000 ms set, and reached")
    assert duration.found == "100 ms set; LoadGen: reached"
    assert '"effective_min_duration_ms", "value": 100,' in at(tmp_path, duration)
    assert (latency.verdict, latency.needed) == ("broken", "99th percentile at most 15 ms, and no higher limit set")
    assert latency.found.endswith("limit set to 100 ms; LoadGen: kept")
    assert '"effective_target_latency_ns", "value": 100000000,' in at(tmp_path, latency)
    assert found["Seeds of the round"].verdict == "broken"


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_an_accuracy_mode_log_is_no_performance_result(tmp_path: Path, scenario: str) -> None:
    run_loadgen(tmp_path / "out", scenario, mode="AccuracyOnly")
    found = checks(tmp_path / "out")
    assert found["Performance run"].verdict == "broken"
    assert found["Performance run"].found == "mode AccuracyOnly, which measures no performance"
    assert '"effective_test_mode"' in at(tmp_path, found["Performance run"])
    assert not {"Minimum duration", "Early stopping"} & set(found)
    (tmp_path / "out/mlperf_log_detail.txt").unlink()
    assert checks(tmp_path / "out")["Performance run"].verdict == "unknown"


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_a_submission_run_is_a_performance_run(tmp_path: Path, scenario: str) -> None:
    run_loadgen(tmp_path / "out", scenario, mode="SubmissionRun")
    assert checks(tmp_path / "out")["Performance run"].verdict == "met"


@pytest.mark.parametrize("tpot_ms, outcome", [(39.0, "met"), (41.0, "broken")])
def test_token_latencies_of_real_loadgen_are_held_against_the_limits_of_the_folder(
    tmp_path: Path, tpot_ms: float, outcome: str
) -> None:
    folder = tmp_path / "inference_results_v6.0/closed/Acme/results/box/llama2-70b-99/Interactive/performance/run_1"
    run_loadgen(folder, "Server", tokens=True)
    found = checks(tmp_path)
    log = (folder / "mlperf_log_detail.txt").read_text()
    told = re.search(r'"result_first_token_99.00_percentile_latency_ns", "value": (\d+)', log)
    assert told is not None
    shown = found["Time to first token"].found.removeprefix("99th percentile ").removesuffix(" ms")
    assert float(shown) == int(told[1]) / 1e6
    assert (found["Time to first token"].needed, found["Time per output token"].needed) == (
        "99th percentile below 450 ms", "99th percentile below 40 ms")  # fmt: skip
    key = '"result_time_per_output_token_99.00_percentile_ns", "value": '
    slow = re.sub(re.escape(key) + r"\d+", f"{key}{round(tpot_ms * 1e6)}", log)
    (folder / "mlperf_log_detail.txt").write_text(slow)
    assert checks(tmp_path)["Time per output token"].verdict == outcome
    (folder / "mlperf_log_detail.txt").unlink()
    assert checks(tmp_path)["Time to first token"].verdict == "met"  # the summary says it, too


def test_a_run_that_measured_no_token_latencies_tells_nothing_of_their_limits(tmp_path: Path) -> None:
    run_loadgen(tmp_path / "inference_results_v6.0/closed/A/results/b/llama2-70b-99/Server/performance/run_1", "Server")
    assert checks(tmp_path)["Time to first token"].verdict == "unknown"


# --- limits, to the digit ---


def server(**keys: object) -> dict[str, str | bytes]:
    told: dict[str, object] = {
        **LONG,
        "effective_target_latency_ns": 15000000,
        "result_99__00_percentile_latency_ns": 14000000,
        "early_stopping_met": True,
        "result_perf_constraints_met": True,
        **keys,
    }
    path = f"{TREE}/results/box_1xA100/resnet50/Server/performance/run_1/mlperf_log_detail.txt"
    return {path: detail("Server", **told)}


@pytest.mark.parametrize("rule, changes, outcome", [
    ("Latency limit of Server", {}, "met"),
    ("Latency limit of Server", {"result_99__00_percentile_latency_ns": 15000000}, "met"),
    ("Latency limit of Server", {"result_99__00_percentile_latency_ns": 15000001}, "broken"),
    ("Latency limit of Server", {"effective_target_latency_ns": 15000001}, "broken"),
    ("Latency limit of Server", {"result_perf_constraints_met": False}, "broken"),
    ("Latency limit of Server", {"result_perf_constraints_met": "perhaps"}, "unknown"),
    ("Latency limit of Server", {"effective_target_latency_ns": "fast"}, "unknown"),
    ("Latency limit of Server", {"effective_target_latency_ns": 1e999}, "unknown"),
    ("Minimum duration", {}, "met"),
    ("Minimum duration", {"effective_min_duration_ms": 599999}, "broken"),
    ("Minimum duration", {"effective_min_duration_ms": None}, "unknown"),
    ("Minimum duration", {"result_min_duration_met": False}, "broken"),
    ("Minimum query count", {"result_min_queries_met": False}, "broken"),
    ("Early stopping", {"early_stopping_met": False}, "broken"),
    ("Early stopping", {"early_stopping_met": None}, "unknown"),
    ("LoadGen's verdict", {"result_validity": "INVALID"}, "broken"),
    ("LoadGen's verdict", {"result_validity": "VALIDATED"}, "unknown"),
    ("Performance run", {"effective_test_mode": "FindPeakPerformance"}, "broken"),
    ("Performance run", {"effective_test_mode": "SubmissionRun"}, "met"),
])  # fmt: skip
def test_one_number_decides(tmp_path: Path, rule: str, changes: dict[str, object], outcome: str) -> None:
    found = of(tmp_path, server(**changes))
    assert found[rule].verdict == outcome, found[rule]
    assert found[rule].source


@pytest.mark.parametrize("round_id, changes, outcome", [
    ("v0.7", {"effective_min_duration_ms": 60000, "effective_min_query_count": 270336}, "met"),
    ("v1.0", {"effective_min_query_count": 270336}, "met"),
    ("v1.1", {"effective_min_query_count": 270335}, "broken"),
    ("v2.0", {"effective_min_query_count": 100}, "met"),
])  # fmt: skip
def test_the_minimum_of_queries_is_the_rounds(
    tmp_path: Path, round_id: str, changes: dict[str, object], outcome: str
) -> None:
    files = {name.replace("v3.1", round_id): text for name, text in server(**changes).items()}
    found = of(tmp_path, files)
    assert found["Minimum query count"].verdict == outcome
    assert found["Minimum duration"].verdict == "met"
    assert ("Early stopping" in found) is (round_id == "v2.0")


def test_the_queries_that_were_issued_are_told(tmp_path: Path) -> None:
    found = of(tmp_path, server(result_query_count=270336))["Minimum query count"]
    assert found.found == "100 queries set; LoadGen: reached; 270,336 issued"


@pytest.mark.parametrize("samples, outcome", [(24576, "met"), (24575, "broken")])
def test_offline_needs_its_samples(tmp_path: Path, samples: int, outcome: str) -> None:
    log = {"mlperf_log_detail.txt": detail(effective_samples_per_query=samples)}
    assert of(tmp_path, tree(log))["Samples per query"].verdict == outcome


@pytest.mark.parametrize("model, text, rule, outcome", [
    ("resnet50", "accuracy=75.6954%, good=1\n", "acc", "met"),
    ("resnet50", "accuracy=75.695%, good=1\n", "acc", "broken"),
    ("bert-99", '{"exact_match": 1, "f1": 89.97}\n', "F1", "met"),
    ("bert-99.9", '{"exact_match": 1, "f1": 89.97}\n', "F1", "broken"),
    ("gptj-99", "nothing\n", "ROUGE1", "unknown"),
])  # fmt: skip
def test_accuracy_is_held_against_the_tier(tmp_path: Path, model: str, text: str, rule: str, outcome: str) -> None:
    files = {name.replace("resnet50", model): content for name, content in tree().items()}
    files[f"{RESULT.replace('resnet50', model)}/accuracy/accuracy.txt"] = f"some words\n\n{text}hash=aa\n"
    found = of(tmp_path, files)[f"Accuracy: {rule}"]
    assert found.verdict == outcome, found
    assert found.where.line == (None if outcome == "unknown" else 3)


@pytest.mark.parametrize("tokens, outcome", [(264, "broken"), (265.1, "met"), (323, "met"), (324, "broken")])
def test_windows_are_held_at_both_ends(tmp_path: Path, tokens: float, outcome: str) -> None:
    text = f"{{'rouge1': 44.5, 'rouge2': 22.1, 'rougeL': 28.7, 'tokens_per_sample': {tokens}}}\n"
    files = {name.replace("resnet50", "llama2-70b-99"): content for name, content in tree(round_id="v4.1").items()}
    files[next(name for name in files if name.endswith("accuracy.txt"))] = text
    found = of(tmp_path, files)
    assert found["Accuracy: TOKENS_PER_SAMPLE"].verdict == outcome
    assert found["Accuracy: ROUGEL"].verdict == "met"


def test_where_checker_and_rules_differ_it_is_said(tmp_path: Path) -> None:
    outcomes = {}
    for tpot in (14, 15, 19, 20):
        keys = {"result_time_per_output_token_99__00_percentile_ns": tpot * 1_000_000}
        base = "inference_results_v6.0/closed/Acme/results/box/gpt-oss-120b/Interactive/performance/run_1"
        write(tmp_path / str(tpot), {f"{base}/mlperf_log_detail.txt": detail("Server", **keys)})
        found = checks(tmp_path / str(tpot))["Time per output token"]
        outcomes[tpot] = found.verdict
        assert found.needed == "99th percentile below 15 ms (the rules' text: 20 ms)"
    assert outcomes == {14: "met", 15: "unknown", 19: "unknown", 20: "broken"}


# --- who says what it is ---


def test_a_bare_log_is_judged_by_what_its_owner_says(tmp_path: Path) -> None:
    folder = tmp_path / "out"
    write(folder, {"mlperf_log_detail.txt": next(iter(server().values()))})
    before = checks(folder)
    assert {before[rule].verdict for rule in ("Minimum duration", "Latency limit of Server")} == {"unknown"}
    assert "nothing says of which round this is" in before["Minimum duration"].needed
    (group,) = (verdict.group for verdict in verdicts(folder))
    label = Label(round="v3.1", benchmark="resnet", division="closed", submitter="Acme", system_id="box")
    after = checks(folder, Context("out", labels={group: label}, wants_verdicts=True))
    assert {after[rule].verdict for rule in ("Minimum duration", "Latency limit of Server")} == {"met"}
    opened = Label(round="v3.1", benchmark="resnet", division="open", submitter="Acme", system_id="box")
    assert not any(rule.startswith("Accuracy")
                   for rule in checks(folder, Context("out", labels={group: opened}, wants_verdicts=True)))  # fmt: skip


def test_a_log_that_gives_no_score_is_judged_too(tmp_path: Path) -> None:
    files = {name.replace("resnet50", "mystery"): text for name, text in tree().items()}
    write(tmp_path / "given", files)
    assert not [one for one in assembled(tmp_path / "given") if isinstance(one, Measurement)]
    assert checks(tmp_path / "given")["LoadGen's verdict"].verdict == "met"


def test_an_accuracy_file_alone_is_no_performance_result(tmp_path: Path) -> None:
    found = of(tmp_path, {f"{RESULT}/accuracy/accuracy.txt": ACCURACY["resnet50"]})
    assert found["Performance run"].verdict == "broken"
    assert found["Accuracy: acc"].verdict == "met"


# --- power ---


def powered(readings: str) -> Files:
    window = {"power_begin": "02-24-2023 10:00:00.000", "power_end": "02-24-2023 10:00:10.000"}
    return tree({
        "mlperf_log_detail.txt": detail(result_samples_per_second=5.0, **window),
        "spl.txt": readings,
        f"{RESULT}/performance/power/server.json": "{}",
    })  # fmt: skip


def reading(second: float) -> str:
    return f"Time,02-24-2023 10:00:{second:06.3f},Watts,100.0,Volts,1,Amps,1,PF,1,Mark,x\n"


@pytest.mark.parametrize("seconds, outcome", [(range(12), "met"), ([], "broken"), ([40, 41], "broken")])
def test_readings_cover_the_run(tmp_path: Path, seconds: Iterator[float], outcome: str) -> None:
    found = of(tmp_path, powered("".join(reading(second) for second in seconds)))["Power measured over the run"]
    assert found.verdict == outcome
    assert "02-24-2023 10:00:00.000 to 02-24-2023 10:00:10.000" in found.needed


def test_a_power_run_without_readings_tells_nothing(tmp_path: Path) -> None:
    files = powered("")
    files.pop(next(name for name in files if name.endswith("spl.txt")))
    assert of(tmp_path, files)["Power measured over the run"].verdict == "unknown"


# --- endpoints ---


def endpoint(**changes: object) -> Files:
    said = {
        "n_samples_issued": 600, "n_samples_failed": 0, "duration_ns": 700_000_000_000, "state": "complete",
        "complete": True, "tps": 1.0,
        "ttft": {"percentiles": {"99.0": 1.0}, "early_stopping_percentiles": {"99.0": 1999e6}},
        "tpot": {"percentiles": {"99.0": 1.0}, "early_stopping_percentiles": {"99.0": 79e6}},
    } | changes  # fmt: skip
    path = "inference_results_v6.1/closed/Acme/results/box/deepseek-r1/Server/performance/result_summary.json"
    return {path: json.dumps(said, indent=2)}


@pytest.mark.parametrize("rule, changes, outcome", [
    ("Run complete", {}, "met"),
    ("Run complete", {"complete": False}, "broken"),
    ("Run complete", {"state": "aborted"}, "broken"),
    ("Run complete", {"state": None}, "unknown"),
    ("No failed samples", {}, "met"),
    ("No failed samples", {"n_samples_failed": 1}, "broken"),
    ("No failed samples", {"n_samples_failed": "none"}, "unknown"),
    ("Time to first token", {}, "met"),
    ("Time to first token", {"ttft": {"early_stopping_percentiles": {"99.0": 2000e6}}}, "broken"),
    ("Time per output token", {"tpot": {"early_stopping_percentiles": {"99.0": 80e6}}}, "broken"),
    ("Time per output token", {"tpot": {"early_stopping_percentiles": {}}}, "unknown"),
    ("Minimum duration", {}, "unknown"),
    ("Accuracy", {}, "unknown"),
])  # fmt: skip
def test_an_endpoints_log_is_judged(tmp_path: Path, rule: str, changes: dict[str, object], outcome: str) -> None:
    assert of(tmp_path, endpoint(**changes))[rule].verdict == outcome


def test_the_lines_of_an_endpoints_log_are_right(tmp_path: Path) -> None:
    found = of(tmp_path, endpoint())
    assert '"99.0": 1999000000.0' in at(tmp_path, found["Time to first token"])
    assert '"99.0": 79000000.0' in at(tmp_path, found["Time per output token"])
    assert '"state": "complete"' in at(tmp_path, found["Run complete"])


# --- damaged logs ---

POWERED = "closed/Dell/results/XR5610_L4x1_TRT_MaxQ/rnnt/Offline"
TOKENS = "closed/Dell/results/XE9680L_B200_SXM_180GBx8_TRT/llama2-70b-99/Server"


@pytest.mark.parametrize("round_id, result", [("v3.0", POWERED), ("v5.1", TOKENS)])
def test_damaged_logs_are_judged_without_an_exception(shared: Path, tmp_path: Path, round_id: str, result: str) -> None:
    top = f"inference_results_{round_id}"
    with zipfile.ZipFile(shared / f"inference/{top}.zip") as packed:
        files: dict[str, bytes] = {name: packed.read(name) for name in packed.namelist() if f"/{result}/" in name}
    logs = [name for name in files if name.endswith((".txt", ".json")) and "ranging" not in name]
    write(tmp_path, files)
    original = set(checks(tmp_path).values())
    dice = random.Random(round_id)
    changed = 0
    for _ in range(150):
        name = dice.choice(logs)
        damaged = bytearray(files[name])
        for _ in range(dice.randrange(1, 20)):
            damaged[dice.randrange(len(damaged))] = dice.randrange(256)
        (tmp_path / name).write_bytes(
            bytes(damaged[: dice.randrange(1, len(damaged))] if dice.random() < 0.5 else damaged)
        )
        for verdict in verdicts(tmp_path):
            changed += set(verdict.checks) != original
            for check in verdict.checks:
                assert all((check.rule, check.found, check.needed, check.source))
                assert check.where.line is None or at(tmp_path, check) is not None
        (tmp_path / name).write_bytes(files[name])
    assert changed > 20


# --- what MLCommons published ---


def test_the_real_endpoints_log_breaks_nothing(shared: Path) -> None:
    found = checks(shared / "exports/endpoints", Context("inference_results_v6.1", wants_verdicts=True))
    assert {rule for rule, check in found.items() if check.verdict == "met"} == {
        "Run complete", "No failed samples", "Time to first token", "Time per output token"}  # fmt: skip
    assert found["Time to first token"].found == "early stopping's 99th percentile 304.652135 ms"
    assert '"99.0": 304652135.0' in at(shared / "exports/endpoints", found["Time to first token"])
    assert '"99.0": 48224073.2417795' in at(shared / "exports/endpoints", found["Time per output token"])


ABSENT = {
    "v0.7": Counter({"Accuracy": 6}),  # six results came without accuracy.txt
    "v2.0": Counter({"Power measured over the run": 142}),  # shared without their detail logs
    "v3.0": Counter({"Power measured over the run": 3}),  # shared without spl.txt
    "v3.1": Counter({"Accuracy": 15}),  # shared without accuracy.txt
    "v5.1": Counter({"Power measured over the run": 1}),  # shared without its detail log
}


@pytest.mark.parametrize("round_id", ["v0.7", "v1.0", "v1.1", "v2.0", "v3.0", "v3.1", "v5.1"])
def test_no_published_result_breaks_a_rule(shared: Path, round_id: str) -> None:
    found = assembled(shared / f"inference/inference_results_{round_id}.zip")
    judged = [one for one in found if isinstance(one, Verdict)]
    assert {one.group for one in judged} == {one.group for one in found if isinstance(one, Measurement)}
    told = [check for verdict in judged for check in verdict.checks]
    assert [check for check in told if check.verdict == "broken"] == []
    assert Counter(check.rule for check in told if check.verdict == "unknown") == ABSENT.get(round_id, Counter())
    assert Counter(check.rule for check in told)["LoadGen's verdict"] == len(judged) > 10
    assert all(check.where.line for check in told if check.verdict == "met")
