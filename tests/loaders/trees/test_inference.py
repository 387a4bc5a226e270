"""Inference trees: whose a result is, which logs make it, how it is scored in its round, and what is said of faults."""

import json
import pickle
from pathlib import Path

import pytest

from loaders.trees import inference
from loaders.unpack import Source, sources
from tests.loaders.making import packed, write
from tests.loaders.trees.making_inference import (
    OFFLINE,
    RESULT,
    RUN,
    SYSTEM,
    TREE,
    Files,
    Read,
    detail,
    read,
    record,
    summary,
    tree,
)

DETAIL, SUMMARY = "mlperf_log_detail.txt", "mlperf_log_summary.txt"


def test_a_result_says_all_that_its_path_and_its_systems_json_say(tmp_path: Path) -> None:
    found = read(tmp_path, tree())
    one = found.one
    assert (one.round, one.division, one.submitter, one.system_id) == ("v3.1", "closed", "Acme", "box_1xA100")
    assert (one.suites, one.availability, one.system_name) == ("datacenter,edge", "available", "Acme Box (1x A100)")
    assert (one.accelerator, one.accelerators_per_node, one.nodes) == ("NVIDIA A100-PCIe-80GB", "1", "1")
    assert (one.processor, one.processors_per_node, one.processor_cores) == ("Processor 9000", "2", "64")
    assert (one.framework, one.operating_system) == ("TensorRT 9", "Ubuntu 22.04")
    assert (one.model, one.benchmark, one.scenario) == ("resnet50", "resnet", "Offline")
    assert (one.value, one.unit, one.valid, one.inferred) == (1234.56, "Samples/s", True, False)
    assert (one.accuracy, one.has_power, one.is_computed) == ("acc: 76.064", False, True)
    assert one.location == "closed/Acme/results/box_1xA100/resnet50/Offline"
    assert one.where.file == f"given/{RUN}/{SUMMARY}"
    assert one.where.line == 7
    assert found.kinds == []
    assert [(sheet.submitter, sheet.system_id, sheet.kind) for sheet in found.sheets] == [
        ("Acme", "box_1xA100", "inference")
    ]


def test_pieces_are_picklable(tmp_path: Path) -> None:
    write(tmp_path, tree({DETAIL: detail(result_samples_per_second=4.5)}))
    pieces = [
        piece
        for source in sources(tmp_path)
        if isinstance(source, Source) and inference.claims(source)
        for piece in inference.read(source)
    ]
    assert pickle.loads(pickle.dumps(pieces)) == pieces


@pytest.mark.parametrize("part", ["inference_results_v3.1", "inference_results_v3.1/closed", TREE])
def test_any_part_of_a_tree_may_be_named_and_its_folders_above_count(tmp_path: Path, part: str) -> None:
    write(tmp_path, tree())
    one = Read(tmp_path / part).one
    assert (one.round, one.division, one.submitter, one.system_id) == ("v3.1", "closed", "Acme", "box_1xA100")


def test_an_archive_without_folders_above_the_system_takes_its_round_from_its_name(tmp_path: Path) -> None:
    files = {f"box/resnet50/Offline/performance/run_1/{SUMMARY}": OFFLINE}
    (tmp_path / "my_inference_v3.0_logs.zip").write_bytes(packed(files))
    one = Read(tmp_path / "my_inference_v3.0_logs.zip").one
    assert (one.round, one.submitter, one.division) == ("v3.0", None, None)
    assert (one.system_id, one.benchmark, one.scenario) == ("box", "resnet", "Offline")


def test_what_the_path_lacks_comes_from_the_systems_json(tmp_path: Path) -> None:
    files = {path.removeprefix(f"{TREE}/"): text for path, text in tree().items()}
    (tmp_path / "inference_results_v3.1.zip").write_bytes(packed(files))
    one = Read(tmp_path / "inference_results_v3.1.zip").one
    assert (one.division, one.submitter, one.system_name) == ("closed", "ACME", "Acme Box (1x A100)")


def test_the_folder_is_the_submitter_whatever_the_systems_json_writes(tmp_path: Path) -> None:
    assert SYSTEM["submitter"] == "ACME"
    assert read(tmp_path, tree()).one.submitter == "Acme"


def test_the_logs_version_does_not_decide_the_round(tmp_path: Path) -> None:
    files = {path.replace("inference_results_v3.1/", ""): text for path, text in tree().items()}
    found = read(tmp_path, files)
    assert found.one.round is None
    assert "no-identity" in found.kinds


@pytest.mark.parametrize("folder", ["offline", "OFFLINE", "Offline"])
def test_scenario_folders_are_read_in_any_case(tmp_path: Path, folder: str) -> None:
    files = {path.replace("/Offline/", f"/{folder}/"): text for path, text in tree().items()}
    found = read(tmp_path, files)
    assert found.one.scenario == "Offline"
    assert found.one.location == f"closed/Acme/results/box_1xA100/resnet50/{folder}"


def test_a_folder_that_is_no_scenario_has_no_result(tmp_path: Path) -> None:
    found = read(tmp_path, {path.replace("/Offline/", "/Onlein/"): text for path, text in tree().items()})
    assert found.measurements == []
    assert found.problem("unknown-scenario").found.startswith("scenario 'Onlein'")


# --- scores by round ---

SS_SUMMARY = summary("SingleStream", {"90th percentile latency (ns)": 344896}) + (
    " * Early stopping 90th percentile estimate: 344907\n * Early stopping 99th percentile estimate: 400000\n"
    "90.00 percentile latency (ns)   : 344896\n99.00 percentile latency (ns)   : 399999\nMean latency (ns)  : 500000\n"
)
SCORES = [
    ("v0.7", "SingleStream", "resnet50", summary("Single Stream", {"90th percentile latency (ns)": 344896}), 0.344896),
    ("v0.7", "MultiStream", "resnet50", summary("Multi Stream", {"Samples per query": 16}), 16),
    ("v0.7", "Offline", "resnet50", OFFLINE, 1234.56),
    ("v0.7", "Server", "resnet50", summary("Server", {"Scheduled samples per second": 12.5}), 12.5),
    ("v1.1", "SingleStream", "resnet50", SS_SUMMARY, 0.344896),
    ("v1.1", "MultiStream", "resnet50", summary("MultiStream", {"Samples per query": 16}), 16),
    ("v3.1", "SingleStream", "resnet50", SS_SUMMARY, 0.344907),
    (
        "v3.1",
        "MultiStream",
        "resnet50",
        summary("MultiStream") + " * Early stopping 99th percentile estimate: 900\n",
        9e-4,
    ),
    (
        "v4.0",
        "Server",
        "bert-99",
        summary("Server", {"Scheduled samples per second": 12.5, "Completed samples per second": 11.5}),
        12.5,
    ),
    (
        "v4.1",
        "Server",
        "bert-99",
        summary("Server", {"Scheduled samples per second": 12.5, "Completed samples per second": 12.25}),
        12.25,
    ),
    ("v4.0", "Server", "llama2-70b-99", summary("Server", {"Completed samples per second": 11.5}), 11.5),
    (
        "v4.0",
        "Offline",
        "llama2-70b-99",
        summary("Offline", {"Tokens per second": 222.5, "Samples per second": 2}),
        222.5,
    ),
    (
        "v4.1",
        "Offline",
        "gptj-99",
        summary("Offline", {"Tokens per second (inferred)": 690, "Tokens per second": 1}),
        690,
    ),
    ("v5.0", "Server", "gptj-99.9", summary("Server", {"Completed tokens per second (inferred)": 690}), 690),
    ("v5.1", "Server", "llama3_1-8b", summary("Server", {"Completed tokens per second": 29070.31}), 29070.31),
    ("v5.1", "Interactive", "llama3_1-8b", summary("Server", {"Completed tokens per second": 29070.31}), 29070.31),
    ("v5.1", "Offline", "whisper", summary("Offline", {"Tokens per second": 5000, "Samples per second": 50}), 5000),
    ("v5.1", "SingleStream", "llama3_1-8b-edge", SS_SUMMARY, 0.344896),
    (
        "v5.1",
        "SingleStream",
        "resnet50",
        summary("SingleStream") + " * Early stopping 90.0th percentile estimate: 77\n",
        77e-6,
    ),
    (
        "v5.1",
        "SingleStream",
        "pointpainting",
        summary("SingleStream")
        + (" * Early stopping 90.0th percentile estimate: 70\n * Early stopping 99.9th percentile estimate: 77\n"),
        77e-6,
    ),
    (
        "v6.0",
        "SingleStream",
        "wan-2.2-t2v-a14b",
        summary("SingleStream") + (" * Early stopping 90.0th percentile estimate: 42000000000\n"),
        42.0,
    ),
]


@pytest.mark.parametrize("round_id, scenario, model, log, value", SCORES)
def test_each_round_scores_a_summary_by_its_own_rule(
    tmp_path: Path, round_id: str, scenario: str, model: str, log: str, value: float
) -> None:
    path = f"inference_results_{round_id}/closed/Acme/results/box/{model}/{scenario}/performance/run_1/{SUMMARY}"
    one = read(tmp_path, {path: log}).one
    assert one.value == pytest.approx(value, rel=1e-12)
    assert (one.scenario, one.inferred) == (scenario, False)


DETAILS = [
    ("v1.1", "SingleStream", "resnet50", {"result_90__00_percentile_latency_ns": 344896}, 0.344896),
    ("v1.1", "MultiStream", "resnet50", {"effective_samples_per_query": 16}, 16),
    ("v3.1", "SingleStream", "resnet50", {"early_stopping_latency_ss": 344907}, 0.344907),
    ("v3.1", "MultiStream", "resnet50", {"early_stopping_latency_ms": 344907}, 0.344907),
    (
        "v4.0",
        "Server",
        "bert-99",
        {"result_scheduled_samples_per_sec": 9.5, "result_completed_samples_per_sec": 9.25},
        9.5,
    ),
    (
        "v4.1",
        "Server",
        "bert-99",
        {"result_scheduled_samples_per_sec": 9.5, "result_completed_samples_per_sec": 9.25},
        9.25,
    ),
    ("v4.1", "Offline", "mixtral-8x7b", {"result_tokens_per_second": 7.5, "result_samples_per_second": 1}, 7.5),
    ("v5.0", "Offline", "gptj-99", {"result_inferred_tokens_per_second": 7.5, "result_tokens_per_second": 1}, 7.5),
    (
        "v5.1",
        "SingleStream",
        "llama3_1-8b-edge",
        {"result_90__00_percentile_latency_ns": 9000000, "early_stopping_latency_ss": 900000},
        9.0,
    ),
]


@pytest.mark.parametrize("round_id, scenario, model, keys, value", DETAILS)
def test_each_round_scores_a_detail_log_by_its_own_rule(
    tmp_path: Path, round_id: str, scenario: str, model: str, keys: dict[str, float], value: float
) -> None:
    path = f"inference_results_{round_id}/closed/Acme/results/box/{model}/{scenario}/performance/run_1/{DETAIL}"
    assert read(tmp_path, {path: detail(scenario, **keys)}).one.value == pytest.approx(value, rel=1e-12)


INFERRED = [
    ("v0.7", "Offline", summary("Single Stream", {"QPS w/o loadgen overhead": 12.34}), SUMMARY, 12.34),
    ("v1.1", "Offline", SS_SUMMARY, SUMMARY, 2000.0),
    ("v3.0", "Offline", detail("SingleStream", result_qps_without_loadgen_overhead=12.3456), DETAIL, 12.3456),
    ("v3.0", "MultiStream", detail("SingleStream", early_stopping_latency_ms=2_000_000), DETAIL, 16.0),
    ("v3.0", "MultiStream", SS_SUMMARY, SUMMARY, 3.2),
    (
        "v3.0",
        "Offline",
        detail("MultiStream", effective_samples_per_query=8, result_mean_query_latency_ns=4e6),
        DETAIL,
        2000.0,
    ),
]


@pytest.mark.parametrize("round_id, scenario, log, name, value", INFERRED)
def test_a_log_of_another_scenario_gives_an_inferred_result(
    tmp_path: Path, round_id: str, scenario: str, log: str, name: str, value: float
) -> None:
    path = f"inference_results_{round_id}/closed/Acme/results/box/resnet50/{scenario}/performance/run_1/{name}"
    one = read(tmp_path, {path: log}).one
    assert one.value == pytest.approx(value, rel=1e-12)
    assert (one.scenario, one.inferred) == (scenario, True)


@pytest.mark.parametrize(
    "scenario, logged", [("Server", "Offline"), ("SingleStream", "Offline"), ("Interactive", "Offline")]
)
def test_a_log_that_gives_nothing_for_its_folder_is_left_out(tmp_path: Path, scenario: str, logged: str) -> None:
    path = f"inference_results_v5.1/closed/Acme/results/box/resnet50/{scenario}/performance/run_1/{SUMMARY}"
    found = read(tmp_path, {path: summary(logged, {"Samples per second": 3})})
    assert found.measurements == []
    assert "scenario-mismatch" in found.kinds


def test_an_inferred_multistream_of_v1_is_left_out(tmp_path: Path) -> None:
    path = f"inference_results_v1.1/closed/Acme/results/box/resnet50/MultiStream/performance/run_1/{SUMMARY}"
    assert "scenario-mismatch" in read(tmp_path, {path: SS_SUMMARY}).kinds


def test_v0_7_server_takes_its_last_run(tmp_path: Path) -> None:
    base = "inference_results_v0.7/closed/Acme/results/box/resnet50/Server/performance"
    runs: Files = {
        f"{base}/run_{n}/{SUMMARY}": summary("Server", {"Scheduled samples per second": n}) for n in range(1, 6)
    }
    found = read(tmp_path / "all", runs)
    assert found.one.value == 5
    assert "missing-runs" not in found.kinds
    del runs[f"{base}/run_5/{SUMMARY}"]
    found = read(tmp_path / "four", runs)
    assert found.one.value == 4
    assert "run_4 of 5" in found.problem("missing-runs").found


def test_other_runs_of_later_rounds_are_strays(tmp_path: Path) -> None:
    found = read(
        tmp_path, tree({SUMMARY: OFFLINE, f"{RUN[:-1]}2/{SUMMARY}": summary("Offline", {"Samples per second": 9})})
    )
    assert found.one.value == 1234.56


@pytest.mark.parametrize(
    "path",
    [
        f"{RESULT}/performance/ranging/{SUMMARY}",
        f"{RESULT}/accuracy/{SUMMARY}",
        f"{RESULT}/TEST01/performance/run_1/{SUMMARY}",
        f"{RESULT}/performance/run_1_1/{SUMMARY}",
        f"{TREE}/compliance/box_1xA100/resnet50/Offline/TEST01/performance/run_1/{SUMMARY}",
    ],
)
def test_logs_of_other_runs_than_results_are_none(tmp_path: Path, path: str) -> None:
    found = read(tmp_path, tree({path: summary("Offline", {"Samples per second": 9}), f"{RUN}/{SUMMARY}": OFFLINE}))
    assert found.one.value == 1234.56
    assert found.kinds == []


@pytest.mark.parametrize("round_id, kinds, value", [("v3.1", ["misplaced-log"], None), ("v0.5", [], 1234.56)])
def test_a_log_in_the_folder_performance_itself_counts_in_v0_5_alone_and_else_that_is_said(
    tmp_path: Path, round_id: str, kinds: list[str], value: float | None
) -> None:
    loose = f"{RESULT}/performance/{SUMMARY}"
    found = read(tmp_path, {name: text for name, text in tree({loose: OFFLINE}, round_id=round_id).items()
                            if "run_1" not in name})  # fmt: skip
    assert found.kinds == kinds
    assert [one.value for one in found.measurements] == ([] if value is None else [value])


def test_the_compliance_tests_of_v0_5_are_no_results(tmp_path: Path) -> None:
    tests = {f"{RESULT}/{test}/performance/{SUMMARY}": OFFLINE for test in ("test_1", "test_3", "test_4a", "test_5")}
    found = read(tmp_path, tree({**tests, f"{RUN}/{SUMMARY}": OFFLINE}, round_id="v0.5"))
    assert found.kinds == []
    assert len(found.measurements) == 1


@pytest.mark.parametrize("first, runs, kinds", [(0, 5, []), (1, 5, []), (1, 4, ["missing-runs"])])
def test_five_server_runs_of_v0_5_may_count_from_none_or_one(
    tmp_path: Path, first: int, runs: int, kinds: list[str]
) -> None:
    folder = RESULT.replace("Offline", "Server")
    logs = {
        f"{folder}/performance/run_{number}/{SUMMARY}": summary(
            "Server", {"Scheduled samples per second ": 100 + number}
        )
        for number in range(first, first + runs)
    }
    accuracy = {f"{folder}/accuracy/accuracy.txt": "accuracy=76.064%\n"}
    files = tree({**logs, **accuracy, f"{RUN}/{SUMMARY}": OFFLINE}, round_id="v0.5")
    found = read(tmp_path, files)
    (server,) = [one for one in found.measurements if one.scenario == "Server"]
    assert server.value == 100 + first + runs - 1
    assert found.kinds == kinds


def test_a_nested_result_is_none_and_that_is_said(tmp_path: Path) -> None:
    nested = f"{RESULT}/Offline/performance/run_1/{SUMMARY}"
    found = read(tmp_path, tree({nested: OFFLINE, f"{RUN}/{SUMMARY}": OFFLINE}))
    assert len(found.measurements) == 1
    assert found.problem("misplaced-log").where.file.endswith(nested)


# --- models ---


def test_an_open_model_is_scored_as_its_mapping_says(tmp_path: Path) -> None:
    base = "inference_results_v5.1/open/Acme"
    run = f"{base}/results/box/my-llama/Offline/performance/run_1/{SUMMARY}"
    log = summary("Offline", {"Tokens per second": 222.5, "Samples per second": 2})
    found = read(
        tmp_path / "with", {run: log, f"{base}/model_mapping.json": json.dumps({"my-llama": "llama2-70b-99.9"})}
    )
    assert (found.one.benchmark, found.one.model, found.one.value) == ("llama2-70b-99.9", "my-llama", 222.5)
    found = read(tmp_path / "without", {run: log})
    assert found.measurements == []
    assert "'my-llama'" in found.problem("unknown-model").found


def test_a_mapping_of_another_submitter_does_not_count(tmp_path: Path) -> None:
    run = f"inference_results_v5.1/open/Acme/results/box/my-llama/Offline/performance/run_1/{SUMMARY}"
    other = "inference_results_v5.1/open/Other/model_mapping.json"
    assert read(tmp_path, {run: OFFLINE, other: '{"my-llama": "resnet"}'}).measurements == []


@pytest.mark.parametrize("text", ["", "[]", "{", "\x00"])
def test_a_broken_mapping_is_a_problem(tmp_path: Path, text: str) -> None:
    assert "broken-json" in read(tmp_path, {"open/Acme/model_mapping.json": text}).kinds


@pytest.mark.parametrize(
    "model, benchmark",
    [
        ("mobilenet-v2-0.35-96-quantized", "resnet"),
        ("efficientnet-lite0-non-quantized", "resnet"),
        ("ssd-mobilenet-v1-edgetpu", "ssd-small"),
        ("ssd-resnet34", "ssd-large"),
    ],
)
def test_models_of_early_rounds_are_told_as_the_checker_guessed_them(
    tmp_path: Path, model: str, benchmark: str
) -> None:
    path = f"inference_results_v1.1/open/Krai/results/rpi4/{model}/offline/performance/run_1/{SUMMARY}"
    assert read(tmp_path, {path: OFFLINE}).one.benchmark == benchmark


# --- faults ---


def test_the_detail_log_goes_before_the_summary(tmp_path: Path) -> None:
    found = read(tmp_path, tree({DETAIL: detail(result_samples_per_second=1234.56), SUMMARY: OFFLINE}))
    assert found.one.where.file.endswith(DETAIL)
    assert found.one.where.line == 7
    assert found.kinds == []


def test_logs_that_agree_as_far_as_the_summary_prints_agree(tmp_path: Path) -> None:
    files = {
        DETAIL: detail(result_samples_per_second=0.314463),
        SUMMARY: summary("Offline", {"Samples per second": 0.31}),
    }
    found = read(tmp_path, tree(files))
    assert (found.one.value, found.kinds) == (0.314463, [])


def test_logs_that_disagree_are_a_problem_and_the_detail_log_wins(tmp_path: Path) -> None:
    found = read(tmp_path, tree({DETAIL: detail(result_samples_per_second=1284.56), SUMMARY: OFFLINE}))
    assert found.one.value == 1284.56
    assert "1284.56" in found.problem("logs-differ").found


def test_logs_of_different_scenarios_are_a_problem(tmp_path: Path) -> None:
    log = summary("Server", {"Samples per second": 1234.56})
    assert (
        "logs-differ" in read(tmp_path, tree({DETAIL: detail(result_samples_per_second=1234.56), SUMMARY: log})).kinds
    )


def test_a_detail_log_cut_before_its_result_leaves_the_summarys_digits_and_says_so(tmp_path: Path) -> None:
    whole = detail(result_samples_per_second=1234.56)
    found = read(tmp_path, tree({DETAIL: whole[: whole.index("result_samples") + 30], SUMMARY: OFFLINE}))
    assert found.one.value == 1234.56
    assert found.kinds == ["cut-log", "damaged-line"]


@pytest.mark.parametrize("value", ["0", "-3", "nan", '"fast"', "true", "1e999", "null"])
def test_a_number_that_is_none_gives_no_score(tmp_path: Path, value: str) -> None:
    text = detail() + record("result_samples_per_second", 1).replace('"value": 1,', f'"value": {value},')
    found = read(tmp_path, tree({DETAIL: text}))
    assert found.measurements == []
    assert "no-score" in found.kinds


def test_early_stopping_without_enough_queries_gives_no_score(tmp_path: Path) -> None:
    path = f"{TREE}/results/box/resnet50/SingleStream/performance/run_1/{DETAIL}"
    found = read(tmp_path, {path: detail("SingleStream", early_stopping_latency_ss=0)})
    assert found.measurements == []
    assert "early stopping" in found.problem("no-score").found


def test_a_key_that_contradicts_itself_is_a_problem_and_the_first_counts(tmp_path: Path) -> None:
    text = detail(result_samples_per_second=1234.56) + record("result_samples_per_second", 9999)
    found = read(tmp_path, tree({DETAIL: text}))
    assert found.one.value == 1234.56
    assert found.problem("contradictory-log").where.line == 8


def test_two_runs_in_one_log_are_told(tmp_path: Path) -> None:
    text = detail(result_samples_per_second=1234.56) + detail(
        "Server", result_validity="INVALID", result_samples_per_second=2
    )
    found = read(tmp_path, tree({DETAIL: text}))
    assert (found.one.value, found.one.valid) == (1234.56, True)
    assert found.kinds.count("contradictory-log") == 3


def test_an_invalid_result_is_kept_and_marked_with_its_reason(tmp_path: Path) -> None:
    text = detail(result_samples_per_second=1234.56, result_validity="INVALID", result_min_duration_met=False)
    found = read(tmp_path, tree({DETAIL: text}))
    assert (found.one.value, found.one.valid) == (1234.56, False)
    assert "INVALID: too short" in found.problem("invalid-result").found


def test_an_invalid_summary_too(tmp_path: Path) -> None:
    log = summary("Offline", {"Samples per second": 3, "  Min queries satisfied ": "NO"}, valid="INVALID")
    found = read(tmp_path, tree({SUMMARY: log}))
    assert (found.one.value, found.one.valid) == (3.0, False)
    assert "too few queries" in found.problem("invalid-result").found


def test_a_validity_that_is_no_word_is_unknown(tmp_path: Path) -> None:
    found = read(tmp_path, tree({SUMMARY: summary("Offline", {"Samples per second": 3}, valid="VALI")}))
    assert found.one.valid is None
    assert found.kinds == ["damaged-line", "no-validity"]


@pytest.mark.parametrize("mode", ["AccuracyOnly", "FindPeakPerformance"])
def test_a_log_of_another_mode_is_no_result(tmp_path: Path, mode: str) -> None:
    found = read(tmp_path, tree({DETAIL: detail(result_samples_per_second=3, effective_test_mode=mode)}))
    assert found.measurements == []
    assert found.kinds == ["not-performance"]


SAID_TWICE = [
    (
        "v3.0", "resnet50", "Offline", SUMMARY,
        {"Samples per second": 1000, "Max latency (ns)": 600_000_000_000, "samples_per_query": 600_000}, 1010,
    ),
    ("v5.1", "llama2-70b-99", "Offline", SUMMARY, {"Tokens per second": 29_000, "Samples per second": 100}, 39_000),
    (
        "v5.1", "llama2-70b-99", "Offline", DETAIL,
        {"result_tokens_per_second": 29_000, "result_samples_per_second": 100}, 39_000,
    ),
    (
        "v5.1", "mixtral-8x7b", "Server", DETAIL,
        {"result_completed_tokens_per_second": 14_400, "result_token_throughput_with_loadgen_overhead": 14_500}, 15_400,
    ),
    (
        "v3.0", "resnet50", "Offline", DETAIL,
        {"result_samples_per_second": 1000, "result_max_latency_ns": 600_000_000_000,
         "generated_samples_per_query": 600_000}, 1010,
    ),
    (
        "v1.1", "resnet50", "SingleStream", DETAIL,
        {"result_90.00_percentile_latency_ns": 500_000, "result_50.00_percentile_latency_ns": 400_000,
         "result_95.00_percentile_latency_ns": 510_000}, 520_000,
    ),
    (
        "v1.1", "resnet50", "Offline", SUMMARY,
        {"Mean latency (ns)": 60_624_808, "QPS w/o loadgen overhead": 16.49, "Max latency (ns)": 70_000_000}, 624_808,
    ),
    (
        "v0.7", "resnet50", "Offline", SUMMARY,
        {"QPS w/o loadgen overhead": 16.49, "Mean latency (ns)": 60_624_808}, 76.49,
    ),
    (
        "v3.0", "resnet50", "MultiStream", DETAIL,
        {"early_stopping_latency_ms": 500_000, "result_99.00_percentile_latency_ns": 499_000,
         "effective_samples_per_query": 8}, 490_000,
    ),
]  # fmt: skip
"""Round, model, scenario, log, what it says (the first gives the score), and another figure for the first."""


@pytest.mark.parametrize("round_id, model, scenario, name, said, changed", SAID_TWICE)
def test_a_digit_changed_on_the_way_shows_where_the_log_says_it_twice(
    tmp_path: Path, round_id: str, model: str, scenario: str, name: str, said: dict[str, float], changed: float
) -> None:
    def kinds(figures: dict[str, float]) -> list[str]:
        logged = "SingleStream" if "QPS w/o loadgen overhead" in figures else scenario
        text = summary(logged, figures) if name == SUMMARY else detail(scenario, **figures)
        base = f"inference_results_{round_id}/closed/Acme/results/box/{model}/{scenario}/performance/run_1"
        found = read(tmp_path / str(len(list(tmp_path.iterdir()))), {f"{base}/{name}": text})
        assert found.one.value is not None
        return [kind for kind in found.kinds if kind == "implausible"]

    assert kinds(said) == []
    assert kinds(said | {next(iter(said)): changed}) == ["implausible"]


def test_a_permutation_of_samples_lets_more_be_generated_than_were_set(tmp_path: Path) -> None:
    lines = {"Samples per second": 1100, "Max latency (ns)": 600_000_000_000, "samples_per_query": 600_000}
    warned = lines | {"WARNING": "sample_concatenate_permutation was set to true."}
    assert read(tmp_path / "plain", tree({SUMMARY: summary("Offline", lines)})).kinds == ["implausible"]
    assert read(tmp_path / "warned", tree({SUMMARY: summary("Offline", warned)})).kinds == []


@pytest.mark.parametrize("name", [DETAIL, SUMMARY])
@pytest.mark.parametrize("text", [b"", b"\x00" * 3000])
def test_a_result_whose_log_is_empty_has_no_score(tmp_path: Path, name: str, text: bytes) -> None:
    found = read(tmp_path, tree({name: text}))
    assert found.measurements == []
    assert "empty-log" in found.kinds
    assert "no-score" in found.kinds


def test_a_result_without_any_log_is_told(tmp_path: Path) -> None:
    files = {path: text for path, text in tree().items() if "performance" not in path}
    found = read(tmp_path, files)
    assert found.measurements == []
    assert found.problem("missing-log").where.file.endswith("accuracy.txt")


def test_a_result_without_accuracy_or_system_is_kept_and_told(tmp_path: Path) -> None:
    found = read(tmp_path, {f"{RUN}/{SUMMARY}": OFFLINE})
    assert (found.one.value, found.one.suites, found.one.accuracy) == (1234.56, None, None)
    assert found.kinds == ["missing-accuracy", "missing-system"]


def test_a_broken_systems_json_is_a_problem(tmp_path: Path) -> None:
    found = read(tmp_path, tree() | {f"{TREE}/systems/box_1xA100.json": '{"system_name": '})
    assert found.one.system_name is None
    assert {"broken-json", "missing-system"} <= set(found.kinds)


def test_a_systems_json_is_found_in_other_letters(tmp_path: Path) -> None:
    files = {path.replace("systems/box_1xA100", "systems/BOX_1xa100"): text for path, text in tree().items()}
    assert read(tmp_path, files).one.system_name == "Acme Box (1x A100)"


@pytest.mark.parametrize(
    "text, said",
    [
        ("AUC=80.185%, accuracy=96.608%\n", None),
        ("", None),
        ("accuracy=76.064%", "acc: 76.064"),
        ('noise\n{"accuracy": 76.5}\n', "acc: 76.5"),
        ("accuracy=1%\r\naccuracy=2%\r\n", "acc: 2"),
    ],
)
def test_accuracy_is_that_of_the_benchmark(tmp_path: Path, text: str, said: str | None) -> None:
    assert read(tmp_path, tree() | {f"{RESULT}/accuracy/accuracy.txt": text}).one.accuracy == said


@pytest.mark.parametrize(
    "model, text, said",
    [
        ("bert-99", '{"exact_match": 83.5, "f1": 90.88}', "F1: 90.88"),
        ("rnnt", "Word Error Rate: 7.4%, accuracy=92.55%", "ACCURACY: 92.55"),
        ("3d-unet-99", "Accuracy: mean = 0.86242, kidney = 0.9350", "DICE: 0.86242"),
        (
            "llama2-70b-99",
            "{'rouge1': 44.5, 'rouge2': 22.1, 'rougeL': 28.7, 'gen_len': 2, 'tokens_per_sample': 293.2}",
            "ROUGE1: 44.5  ROUGE2: 22.1  ROUGEL: 28.7  TOKENS_PER_SAMPLE: 293.2",
        ),
        (
            "stable-diffusion-xl",
            "Accuracy Results: {'FID_SCORE': '23.6', 'CLIP_SCORE': '31.7'}",
            "CLIP_SCORE: 31.7  FID_SCORE: 23.6",
        ),
    ],
)
def test_accuracy_is_put_as_published_tables_put_it(tmp_path: Path, model: str, text: str, said: str) -> None:
    base = f"inference_results_v4.0/closed/Acme/results/box/{model}/Offline"
    log = summary("Offline", {"Samples per second": 3, "Tokens per second": 3})
    found = read(tmp_path, {f"{base}/accuracy/accuracy.txt": text, f"{base}/performance/run_1/{SUMMARY}": log})
    assert found.one.accuracy == said


def test_copies_of_one_run_are_marked_and_others_are_not(tmp_path: Path) -> None:
    base = f"{TREE}/results"
    log, other = detail(result_samples_per_second=3), detail(result_samples_per_second=3, result_query_count=7)
    places = {"one/bert-99": log, "one/bert-99.9": log, "two/bert-99": log, "three/bert-99": other}
    files = {f"{base}/{place}/Offline/performance/run_1/{DETAIL}": text for place, text in places.items()}
    marks = {f"{one.system_id}/{one.model}": one.same_runs for one in read(tmp_path, files).measurements}
    assert len({marks["one/bert-99"], marks["one/bert-99.9"], marks["two/bert-99"]}) == 1
    assert marks["three/bert-99"] != marks["one/bert-99"]


# --- lone logs ---


@pytest.mark.parametrize("name", [DETAIL, SUMMARY])
def test_a_lone_log_gives_a_figure_without_identity(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text(OFFLINE if name == SUMMARY else detail(result_samples_per_second=1234.56))
    found = Read(tmp_path / name)
    assert (found.one.value, found.one.scenario, found.one.unit) == (1234.56, "Offline", "samples/s")
    identity = (found.one.round, found.one.submitter, found.one.system_id, found.one.benchmark, found.one.model)
    assert identity == (None,) * 5
    assert found.kinds == ["no-identity"]


def test_a_lone_log_with_tokens_has_no_score_because_its_benchmark_decides(tmp_path: Path) -> None:
    (tmp_path / SUMMARY).write_text(summary("Offline", {"Samples per second": 2, "Tokens per second": 300}))
    found = Read(tmp_path / SUMMARY)
    assert found.one.value is None
    assert "tokens or in samples" in found.problem("no-identity").found


def test_claims_are_by_name_and_folder(tmp_path: Path) -> None:
    files = tree() | {
        f"{TREE}/README.md": "x",
        f"{TREE}/measurements/box/resnet50/Offline/box.json": "{}",
        "training_results_v3.1/Acme/systems/box.json": json.dumps(SYSTEM),
        "elsewhere/systems/box.json": "{}",
        "elsewhere/config.yaml": "type: offline",
        "Acme/systems/edge.json": '{"system_type": "edge"}',
    }
    claimed = read(tmp_path, files).claimed
    measured = f"{TREE}/measurements/box/resnet50/Offline/box.json"
    assert sorted(claimed) == sorted([*tree(), measured, "Acme/systems/edge.json"])


TYPES = {"input_data_types": "int8", "retraining": "N", "weight_data_types": "int8", "weight_transformations": "none"}
MEASUREMENTS = f"{RESULT}/measurements.json".replace("/results/", "/measurements/").replace("s.json", "s_Offline.json")


@pytest.mark.parametrize("path", [MEASUREMENTS, f"{RESULT}/measurements.json"])
@pytest.mark.parametrize(
    ("written", "read_as"),
    [
        ("fp8", "fp8"),
        ({"unet": "fp8", "vae": "int8"}, "unet: fp8, vae: int8"),
        (["int8", "fp16"], "int8, fp16"),
        (None, None),
        ("x" * 1000, None),
    ],
)
def test_measurements_state_the_formats_of_numbers(tmp_path: Path, path: str, written: object, read_as: str) -> None:
    found = read(tmp_path, tree({path: json.dumps(TYPES | {"weight_data_types": written})}))
    assert (found.one.input_data_types, found.one.weight_data_types) == ("int8", read_as)
    assert found.kinds == []


@pytest.mark.parametrize("text", ["", "{", "[]", "[" * 5000, '{"a": 1}' + " " * (1 << 20)])
def test_measurements_that_cannot_be_read_cost_only_themselves(tmp_path: Path, text: str) -> None:
    found = read(tmp_path, tree({MEASUREMENTS: text}))
    assert found.one.value == 1234.56
    assert (found.one.weight_data_types, found.kinds) == (None, ["broken-json"])


def test_other_files_among_the_measurements_say_nothing(tmp_path: Path) -> None:
    found = read(tmp_path, tree({MEASUREMENTS: '{"calibration": "a"}', f"{TREE}/measurements/user.conf": "a"}))
    assert found.one.weight_data_types is None
    assert found.kinds == []
