"""The facts of MLPerf as the rest of the program asks for them."""

import datetime
import itertools

import pytest

from mlperf.facts import Facts, facts


@pytest.fixture(scope="module")
def known() -> Facts:
    return facts()


@pytest.mark.parametrize("text", ["v3.1", "V3.1", "3.1", " 3.1 "])
def test_a_round_is_found_under_each_of_its_spellings(known: Facts, text: str) -> None:
    found = known.round("inference", text)
    assert found is not None
    assert (found.id, found.repository) == ("v3.1", "mlcommons/inference_results_v3.1")
    assert found.published == datetime.date(2023, 9, 11)


def test_rounds_of_a_kind_come_oldest_first(known: Facts) -> None:
    for kind in ("inference", "training"):
        rounds = [found for found in known.rounds if found.kind == kind]
        assert [found.index for found in rounds] == list(range(len(rounds)))
        assert [found.id for found in rounds] == sorted(found.id for found in rounds)
        dates = [found.published for found in rounds if found.published]
        assert dates == sorted(dates)
        undated = [found.id for found in rounds if not found.published]
        assert undated == [found.id for found in rounds][len(dates) :], "only rounds to come have no date"


def test_a_round_has_a_date_but_for_one_without_results_and_one_without_a_source(known: Facts) -> None:
    undated = [(found.kind, found.id) for found in known.rounds if not found.published]
    assert undated == [("training", "v6.1"), ("hpc", "v1.0")], "no source states the day of HPC v1.0"


def test_a_round_that_is_not_known_is_none(known: Facts) -> None:
    assert known.round("training", "v9.9") is None
    assert known.round("inference", "") is None


@pytest.mark.parametrize(
    ("kind", "text", "round_id", "benchmark"),
    [
        ("inference", "resnet50", "v1.1", "resnet"),
        ("inference", "ssd-resnet34", "v2.0", "ssd-large"),
        ("inference", "Text to Video", "v6.0", "wan-2.2-t2v-a14b"),
        ("inference", "text_to_video", "v6.1", "wan-2.2-t2v-a14b"),
        ("inference", "VLM", "v6.0", "qwen3-vl-235b-a22b"),
        ("inference", "llama3_1-8b", "v5.1", "llama3.1-8b"),
        ("inference", "llama2-70b-interactive-99.9", "v5.0", "llama2-70b-interactive-99.9"),
        ("inference", "llama2-70b-interactive-99.9", "v5.1", None),
        ("inference", "dlrm-99", "v3.1", None),
        ("inference", "dlrm-v2-99", "v3.0", None),
        ("inference", "resnet51", "v3.1", None),
        ("inference", "resnet", "v9.9", None),
        ("training", "mask", "v0.7", "maskrcnn"),
        ("training", "llama31_405b", "v5.0", "llama31_405b"),
        ("training", "gnn", "v4.1", "gnn"),
        ("training", "gnn", "v5.0", None),
    ],
)
def test_a_benchmark_is_found_in_the_rounds_that_have_it(
    known: Facts, kind: str, text: str, round_id: str, benchmark: str | None
) -> None:
    found = known.benchmark("training" if kind == "training" else "inference", text, round_id)
    assert (found.id if found else None) == benchmark


@pytest.mark.parametrize(
    ("benchmark", "runs", "dropped", "scoring"),
    [
        ("resnet", 5, 1, "olympic_mean"),
        ("dlrm", 5, 1, "olympic_mean"),
        ("dlrm_dcnv2", 10, 1, "olympic_mean"),
        ("unet3d", 40, 4, "olympic_mean"),
        ("bert", 10, 1, "olympic_mean"),
        ("gpt3", 3, 1, "median"),
        ("llama31_405b", 3, 1, "median"),
    ],
)
def test_a_training_benchmark_says_its_runs(
    known: Facts, benchmark: str, runs: int, dropped: int, scoring: str
) -> None:
    found = next(each for each in known.benchmarks if (each.kind, each.id) == ("training", benchmark))
    assert (found.runs, found.dropped, found.scoring) == (runs, dropped, scoring)


@pytest.mark.parametrize(
    ("round_id", "benchmark", "scenario", "unit", "better", "metric"),
    [
        ("v3.1", "resnet", "SingleStream", "ms", "lower", "latency"),
        ("v1.1", "resnet", "MultiStream", "streams", "higher", "streams"),
        ("v2.0", "resnet", "MultiStream", "ms", "lower", "latency"),
        ("v3.1", "resnet", "Offline", "samples/s", "higher", "throughput"),
        ("v3.1", "resnet", "Server", "queries/s", "higher", "throughput"),
        ("v3.1", "gptj-99", "Offline", "samples/s", "higher", "throughput"),
        ("v4.0", "gptj-99", "Server", "queries/s", "higher", "throughput"),
        ("v4.1", "gptj-99.9", "Offline", "tokens/s", "higher", "throughput"),
        ("v5.0", "gptj-99.9", "Server", "tokens/s", "higher", "throughput"),
        ("v4.0", "llama2-70b-99", "Offline", "tokens/s", "higher", "throughput"),
        ("v4.0", "llama2-70b-99", "Server", "queries/s", "higher", "throughput"),
        ("v4.1", "llama2-70b-99.9", "Server", "tokens/s", "higher", "throughput"),
        ("v5.0", "llama2-70b-interactive-99", "Server", "tokens/s", "higher", "throughput"),
        ("v4.1", "mixtral-8x7b", "Server", "tokens/s", "higher", "throughput"),
        ("v5.1", "llama3.1-8b", "Interactive", "tokens/s", "higher", "throughput"),
        ("v5.1", "llama3.1-8b-edge", "SingleStream", "ms", "lower", "latency"),
        ("v5.1", "whisper", "Offline", "tokens/s", "higher", "throughput"),
        ("v6.0", "wan-2.2-t2v-a14b", "SingleStream", "s", "lower", "latency"),
        ("v6.0", "wan-2.2-t2v-a14b", "Offline", "samples/s", "higher", "throughput"),
        ("v6.0", "qwen3-vl-235b-a22b", "Server", "queries/s", "higher", "throughput"),
        ("v6.0", "gpt-oss-120b", "Interactive", "tokens/s", "higher", "throughput"),
    ],
)
def test_an_inference_result_is_scored_as_its_round_says(
    known: Facts, round_id: str, benchmark: str, scenario: str, unit: str, better: str, metric: str
) -> None:
    score = known.score("inference", round_id, benchmark, scenario)
    assert score is not None
    assert (score.unit, score.better, score.metric) == (unit, better, metric)
    assert score.source


def test_a_training_result_is_minutes_without_a_scenario(known: Facts) -> None:
    score = known.score("training", "v1.1", "resnet", None)
    assert score is not None
    assert (score.metric, score.unit, score.better) == ("time_to_train", "min", "lower")
    assert [score.factor(heading) for heading in ("min.", "Latency (In minutes)", "Samples/s")] == [1.0, 1.0, None]
    assert known.score("training", "v1.1", "resnet", "Offline") is None


def test_every_benchmark_has_one_score_in_every_round_and_scenario_it_belongs_to(known: Facts) -> None:
    for benchmark in known.benchmarks:
        for played in (each for each in known.rounds if each.kind == benchmark.kind):
            if benchmark.kind == "training":
                assert known.score("training", played.id, benchmark.id, None)
            for suite in known.suite_facts:
                for scenario in benchmark.scenarios(suite.id, played.index):
                    assert known.score("inference", played.id, benchmark.id, scenario), (benchmark.id, played.id)


def test_a_heading_in_another_unit_is_converted_and_a_wrong_one_is_told(known: Facts) -> None:
    video, tokens = (
        known.score("inference", "v6.0", "wan-2.2-t2v-a14b", "SingleStream"),
        known.score("inference", "v6.0", "whisper", "Offline"),
    )
    assert video is not None
    assert tokens is not None
    assert [video.factor("Latency (s)"), video.factor("Latency (ms)"), video.factor("Queries/s")] == [1.0, 0.001, None]
    assert [tokens.factor("tokens/s"), tokens.factor("Samples/s")] == [1.0, None]


@pytest.mark.parametrize(
    ("text", "unit"),
    [("Watts", ("W", 1.0)), ("millijoules", ("mJ", 1.0)), ("Joules", ("mJ", 1000.0)), ("kJ", ("kJ", 1.0)), ("V", None)],
)
def test_a_unit_of_power_leads_to_the_canonical_one(known: Facts, text: str, unit: tuple[str, float] | None) -> None:
    assert known.power_unit(text) == unit


@pytest.mark.parametrize(
    ("kind", "round_id", "scenario", "value", "power", "unit", "efficiency"),
    [
        ("inference", "v3.1", "Offline", 500.0, 250.0, "W", 2.0),
        ("inference", "v5.1", "Interactive", 500.0, 250.0, "W", 2.0),
        ("inference", "v3.1", "SingleStream", 0.3, 250.0, "mJ", 4.0),
        ("inference", "v3.1", "MultiStream", 0.3, 250.0, "mJ", 32.0),
        ("inference", "v1.1", "MultiStream", 40.0, 250.0, "mJ", 4.0),
        ("inference", "v3.1", "Offline", 500.0, 250.0, "mJ", None),
        ("inference", "v3.1", "Offline", 500.0, 0.0, "W", None),
        ("inference", "v9.9", "Offline", 500.0, 250.0, "W", None),
        ("training", "v4.0", None, 60.0, 250.0, "kJ", None),
    ],
)
def test_efficiency_follows_from_measured_power(
    known: Facts,
    kind: str,
    round_id: str,
    scenario: str | None,
    value: float,
    power: float,
    unit: str,
    efficiency: float | None,
) -> None:
    asked = known.efficiency("training" if kind == "training" else "inference", round_id, scenario, value, power, unit)
    assert asked == efficiency


def test_efficiency_is_in_tokens_where_the_result_is(known: Facts) -> None:
    units = [known.efficiency_unit(unit) for unit in ("tokens/s", "samples/s", "queries/s", "ms", "min")]
    assert units == ["tokens/J", "samples/J", "samples/J", "samples/J", None]


DATACENTER, EDGE = "inference-datacenter", "inference-edge"


@pytest.mark.parametrize(
    ("round_id", "types", "benchmark", "scenario", "suites"),
    [
        ("v3.1", "datacenter,edge", "resnet", "Offline", (DATACENTER, EDGE)),
        ("v3.1", "edge,datacenter", "resnet", "Offline", (DATACENTER, EDGE)),
        ("v3.1", "datacenter, Edge", "resnet", "Server", (DATACENTER,)),
        ("v3.1", "datacenter,edge", "resnet", "MultiStream", (EDGE,)),
        ("v3.1", "datacenter,edge", "dlrm-v2-99", "Offline", (DATACENTER,)),
        ("v4.1", "datacenter,edge", "bert-99.9", "Offline", (DATACENTER,)),
        ("v5.0", "datacenter,edge", "bert-99.9", "Offline", (EDGE,)),
        ("v6.0", "datacenter,edge", "wan-2.2-t2v-a14b", "SingleStream", (DATACENTER,)),
        ("v3.1", "datacenter,edge", "bert-99", "MultiStream", (EDGE,)),
        ("v3.1", "edge", "bert-99", "MultiStream", (EDGE,)),
        ("v2.0", "datacenter", "resnet", "SingleStream", (DATACENTER,)),
        ("v3.1", "mobile", "resnet", "Offline", ()),
        ("v3.1", "", "resnet", "Offline", ()),
        ("v3.1", "inference", "resnet", "Offline", ()),
        ("v0.5", "", "resnet", "Server", ("inference",)),
        ("v0.5", "datacenter,edge", "resnet", "Offline", ("inference",)),
    ],
)
def test_a_result_is_listed_in_the_suites_it_belongs_to(
    known: Facts, round_id: str, types: str, benchmark: str, scenario: str, suites: tuple[str, ...]
) -> None:
    assert known.suites(round_id, types, benchmark, scenario) == suites


@pytest.mark.parametrize(
    ("kind", "one", "other", "scenario", "reason"),
    [
        ("training", ("ssd", "v1.1"), ("ssd", "v2.0"), None, "RetinaNet"),
        ("training", ("ssd", "v1.1"), ("retinanet", "v5.0"), None, "RetinaNet"),
        ("training", ("ssd", "v2.0"), ("retinanet", "v5.1"), None, None),
        ("training", ("gnn", "v4.1"), ("rgat", "v5.0"), None, None),
        ("training", ("resnet", "v0.7"), ("resnet", "v4.0"), None, None),
        ("training", ("dlrm", "v2.1"), ("dlrm_dcnv2", "v3.0"), None, "different benchmarks"),
        ("inference", ("resnet", "v2.0"), ("resnet", "v1.1"), "MultiStream", "8-sample"),
        ("inference", ("resnet", "v1.1"), ("resnet", "v2.0"), "Offline", None),
        ("inference", ("resnet", "v0.5"), ("resnet", "v0.7"), "Offline", None),
        ("inference", ("ssd-large", "v0.5"), ("ssd-large", "v1.1"), "MultiStream", None),
        ("inference", ("resnet", "v0.5"), ("resnet", "v2.0"), "MultiStream", "8-sample"),
        ("inference", ("3d-unet-99", "v1.1"), ("3d-unet-99", "v2.0"), "Offline", "KiTS19"),
        ("inference", ("llama2-70b-99", "v4.0"), ("llama2-70b-99", "v4.1"), "Server", "unit changed"),
        ("inference", ("bert-99", "v3.1"), ("bert-99.9", "v3.1"), "Offline", "different benchmarks"),
        ("inference", ("resnet", "v3.1"), ("resnet", "v9.9"), "Offline", "does not know"),
    ],
)
def test_results_compare_or_the_reason_why_not_is_told(
    known: Facts, kind: str, one: tuple[str, str], other: tuple[str, str], scenario: str | None, reason: str | None
) -> None:
    told = known.incomparable("training" if kind == "training" else "inference", one, other, scenario)
    assert told is None if reason is None else told is not None and reason in told


@pytest.mark.parametrize(
    ("text", "division"),
    [
        ("Closed ", "closed"),
        ("close", "closed"),
        ("Closed - Power", "closed"),
        ("Open", "open"),
        ("network", "network"),
    ],
)
def test_a_division_is_found_under_each_of_its_spellings(known: Facts, text: str, division: str) -> None:
    assert known.division(text) == division


@pytest.mark.parametrize(
    ("text", "availability"),
    [
        ("onprem", "available"),
        ("on-premise", "available"),
        ("Available Cloud", "available"),
        ("Available in cloud", "available"),
        ("Available on premise", "available"),
        ("Available on-premise", "available"),
        ("cloud", "available"),
        ("Preview", "preview"),
        ("research", "rdi"),
        ("RDI", "rdi"),
        ("Research, Development, or Internal", "rdi"),
        ("soon", None),
    ],
)
def test_availability_is_found_under_each_of_its_spellings(known: Facts, text: str, availability: str | None) -> None:
    assert known.availability(text) == availability


@pytest.mark.parametrize(
    ("text", "scenario"),
    [("offline", "Offline"), ("Single Stream", "SingleStream"), ("multistream", "MultiStream"), ("Servr", None)],
)
def test_a_scenario_is_found_under_each_of_its_spellings(known: Facts, text: str, scenario: str | None) -> None:
    assert known.scenario(text) == scenario


@pytest.mark.parametrize(
    ("text", "submitter"),
    [
        ("DellEMC", "Dell"),
        ("Dell EMC", "Dell"),
        ("SUPERMICRO", "Supermicro"),
        ("krai", "Krai"),
        ("Gigabyte", "GIGABYTE"),
        ("GigaComputing", "GigaComputing"),
        ("Dell_MangoBoost", "Dell_MangoBoost"),
        (" Somebody New ", "Somebody New"),
    ],
)
def test_a_submitter_has_one_spelling_and_an_unknown_one_stays(known: Facts, text: str, submitter: str) -> None:
    assert known.submitter(text) == submitter


@pytest.mark.parametrize(
    ("text", "names", "count"),
    [
        ("NVIDIA A100-SXM4-80GB (400W)", ["NVIDIA A100-SXM-80GB"], None),
        ("NVIDIA A100-SXM4-80GB(400W)", ["NVIDIA A100-SXM-80GB"], None),
        ("NVIDIA A100-SXM-80GB CTS", ["NVIDIA A100-SXM-80GB"], None),
        ("nvidia  a100-PCIE-80GB", ["NVIDIA A100-PCIe-80GB"], None),
        ("NVIDIA A100", ["NVIDIA A100"], None),
        ("NVIDIA A100-SXM-80GB (1x1g.10gb MIG)", ["NVIDIA A100-SXM-80GB (1x1g.10gb MIG)"], None),
        ("Virtualized NVIDIA L40S", ["Virtualized NVIDIA L40S"], None),
        ("NVIDIA H100-80C", ["NVIDIA H100-80C"], None),
        ("NVIDIA Blackwell GPU (B200-SXM-180GB)", ["NVIDIA B200-SXM-180GB"], None),
        ("AMD Instinct MI355X 288GB HBM3e (Power Cap 1000 W)", ["AMD Instinct MI355X"], None),
        ("AMD Instinct MI355X 288GB HBM3e (x87)", ["AMD Instinct MI355X"], 87),
        (
            "AMD Instinct MI300X 192GB HBM3 (x32), AMD Instinct MI325X 256GB HBM3e (x16)",
            ["AMD Instinct MI300X", "AMD Instinct MI325X"],
            48,
        ),
        (
            "1 Node: NVIDIA A100-SXM-80GBx8, 2 Nodes: NVIDIA A30x4",
            ["NVIDIA A100-SXM-80GB", "NVIDIA A30"],
            16,
        ),
        ("NVIDIA L4 and NVIDIA T4", ["NVIDIA L4", "NVIDIA T4"], None),
        ("Habana Gaudi2", ["Intel Gaudi 2"], None),
        ("Intel® Gaudi® 2 AI Accelerator", ["Intel Gaudi 2"], None),
        ("TPU-trillium", ["Google TPU v6e (Trillium)"], None),
        ("N/A", [], None),
        ("", [], None),
        ("-", [], None),
    ],
)
def test_an_accelerator_spelling_leads_to_the_canonical_names(
    known: Facts, text: str, names: list[str], count: int | None
) -> None:
    spelling = known.accelerator(text)
    assert spelling is not None
    assert ([accelerator.name for accelerator in spelling.accelerators], spelling.count) == (names, count)


@pytest.mark.parametrize(
    "text", ["NVIDIA Z9000", "NVIDIA L4 and NVIDIA Z9000", "NVIDIA A100-SXM-80G", "(x4)", "A and B"]
)
def test_an_accelerator_is_never_guessed(known: Facts, text: str) -> None:
    assert known.accelerator(text) is None


def test_a_hostile_count_does_not_break_the_lookup(known: Facts) -> None:
    assert known.accelerator(f"NVIDIA L4 (x{'9' * 5000})") is None
    assert known.accelerator(f"1 Node: NVIDIA L4x{'9' * 5000}") is None


@pytest.mark.parametrize(
    ("system_id", "name", "server", "family"),
    [
        ("R750xax4A100-PCIE-80GB", None, "R750xa", "R750xa"),
        ("8xR750xax4A100-PCIE-80GB", "8xR750xax4A100-PCIE-80GB", "R750xa", "R750xa"),
        ("vR750xa_H100_PCIe_80Cx2_TRT", None, "R750xa", "R750xa"),
        ("2xXE8545x4A100-SXM-80GB", None, "XE8545", "XE8545"),
        ("XR7620_L4x1_TRT", "Dell PowerEdge XR7620 (1x L4, TensorRT)", "XR7620", "XR-series"),
        ("XR8620_L4x1_TRT", None, "XR8620t", "XR-series"),
        ("1xXE9680Lx8B200-SXM-180GB", None, "XE9680L", "XE96xx"),
        ("xe9680_h100_x8_vllm_092", None, "XE9680", "XE96xx"),
        ("9xXE9712x4GB200", "9xXE9680Lx4GB200", "XE9712", "XE97xx"),
        ("XE9780L-B300-SXM-270GBx8_TRT", None, "XE9780L", "XE97xx"),
        ("r760_u4_slim", "Dell PowerEdge R760xa (4x speedAI240 Slim)", "R760xa", "R760xa"),
        (None, "PowerEdge XE7745 (8x L40S TensorRT)", "XE7745", "XE7740/XE7745"),
        (None, "Dell EMC DSS 8440 (10x NVIDIA A100-PCIE-80GB, TensorRT)", "DSS8440", "DSS8440"),
        ("R740xd8280M_openvino", None, "R740xd", "R740xd"),
        ("chai", "Dell Precision 7920 Tower", "Precision 7920", "Precision"),
        ("1-node-2S-EMR-PyTorch", "Dell PowerEdge R760", "R760", "R760"),
    ],
)
def test_a_server_is_found_in_the_id_or_the_name(
    known: Facts, system_id: str | None, name: str | None, server: str, family: str
) -> None:
    found = known.server(system_id, name)
    assert found is not None
    assert (found.name, found.family) == (server, family)


@pytest.mark.parametrize(
    "text",
    [
        "GR750xa",
        "SYS-420GP-TNR",
        "SR650 V3",
        "R750xab",
        "XE96800",
        "XE9680LL",
        "ThinkSystem SR675",
        "",
        "1-node-2S-GNR_86C",
    ],
)
def test_a_server_is_never_guessed(known: Facts, text: str) -> None:
    assert known.server(text, text) is None
    assert known.server(text, None) is None
    assert known.server(None, None) is None


def test_eras_part_exactly_what_a_break_parts(known: Facts) -> None:
    eras_differ = 0
    for kind, scenario in (("training", None), ("inference", "Offline"), ("inference", "MultiStream")):
        rounds = [found.id for found in known.rounds if found.kind == kind]
        for benchmark in (found.id for found in known.benchmarks if found.kind == kind):
            played = [one for one in rounds if known.score(kind, one, benchmark, scenario)]
            for one, other in itertools.combinations(played, 2):
                reason = known.incomparable(kind, (benchmark, one), (benchmark, other), scenario)
                is_break = reason is not None and not reason.startswith("The unit changed")
                eras = {known.era(kind, benchmark, round_id, scenario) for round_id in (one, other)}
                assert (len(eras) == 2) is is_break, (benchmark, one, other)
                eras_differ += is_break
    assert eras_differ > 20
    assert known.era("inference", "no-such-benchmark", "v3.1") == 0
