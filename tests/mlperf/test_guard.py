"""The comparability guard: each kind of finding, and what it says of results that MLCommons published."""

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from loaders.snapshot import open_snapshot
from mlperf import citation, queries
from mlperf.filters import Filters
from mlperf.guard import Finding, findings, merged, remark
from tests.app.small import PLAIN

Row = dict[str, Any]


def row(**changes: Any) -> Row:
    return {**PLAIN, "result_id": None, **changes}


def kinds(rows: Sequence[Row]) -> list[tuple[str, bool]]:
    return [(finding.kind, finding.is_refused) for finding in findings(rows)]


def about(kind: str, rows: Sequence[Row]) -> str:
    texts = [finding.text for finding in findings(rows) if finding.kind == kind]
    assert len(texts) == 1, texts
    return texts[0]


TRAINING = {"suite": "training", "scenario": None, "metric": "time_to_train", "unit": "min", "round": "v2.0"}
OFFLINE = {"scenario": "Offline", "metric": "throughput", "unit": "samples/s"}


@pytest.mark.parametrize(
    ("one", "other", "kind", "is_refused", "text"),
    [
        ({}, {"benchmark": "retinanet"}, "benchmark", True,
         "Benchmarks differ: ResNet-50 v1.5 and RetinaNet. Results compare within one benchmark only."),
        ({"benchmark": "a-99"}, {"benchmark": "a-99.9"}, "benchmark", True,
         "Benchmarks differ: a-99 and a-99.9. Results compare within one benchmark only."),
        ({"benchmark": "bert-99"}, {"benchmark": "bert-99.9"}, "accuracy tier", True,
         "Accuracy tiers differ: BERT-Large (99 % accuracy) and BERT-Large (99.9 % accuracy). "
         "They are different benchmarks."),
        ({}, OFFLINE, "scenario", True,
         "Scenarios differ: Offline and SingleStream. Results compare within one scenario only."),
        ({}, {"unit": "s"}, "unit", True, "Units differ: ms and s."),
        ({"has_power": True}, {}, "power", True,
         "With and without power: performance of a power run does not compare with that of a run without."),
        ({**TRAINING, "has_power": True}, TRAINING, "power", False,
         "With and without power: energy was measured in the very runs that were timed, so the times compare."),
        ({"round": "v3.0"}, {}, "round", False, "Rounds differ: v3.0 and v3.1."),
        ({}, {"division": "open"}, "division", False, f"Divisions differ: closed and open. {citation.OPEN}"),
        ({}, {"division": "network"}, "division", False,
         "Divisions differ: closed and network. In the Network division the queries reach the system over a network."),
        ({"division": "open", "model": "tiny"}, {"division": "open"}, "model", False,
         "Models differ: the benchmark's own and tiny."),
        ({}, {"availability": None}, "availability", False, "Availability differs: available and not stated."),
        ({}, {"suite": "inference-datacenter"}, "suite", False, "Suites differ: datacenter and edge."),
        ({"accelerator_count": 16}, {"accelerator_count": 8}, "accelerator count", False,
         "Accelerator counts differ: 8 and 16."),
        ({"accelerator_count": None, "accelerator": None}, {"accelerator_count": None}, "accelerator count", False,
         "Accelerator counts differ: 0 and not stated."),
        ({"nodes": 2}, {}, "node count", False, "Node counts differ: 1 and 2."),
        ({"same_runs": "x"}, {"same_runs": "x", "system_id": "B"}, "same run", False,
         "The same run under several names: Dell B = Dell XR7620_L4x1_TRT."),
    ],
)  # fmt: skip
def test_one_difference_is_one_finding(one: Row, other: Row, kind: str, is_refused: bool, text: str) -> None:
    assert findings([row(**one), row(**other)]) == (Finding(kind, is_refused, text),)


@pytest.mark.parametrize(
    ("trait", "kind", "text"),
    [
        ({"verified": False}, "unverified", "Unverified{}. Result not verified by MLCommons Association."),
        ({"availability": "preview"}, "preview", "Preview, not yet on sale when submitted{}."),
        ({"availability": "rdi"}, "rdi", "RDI (research, development or internal), not on sale when submitted{}."),
        ({"inferred": True}, "inferred", "Inferred from a run of another scenario{}."),
        ({"valid": False}, "invalid", "Invalid by the rules of the round{}."),
        ({"accelerators": ["B", "A"]}, "mixed accelerators", "Several kinds of accelerator in one system, A + B{}."),
    ],
)
def test_a_trait_is_said_of_one_row_and_of_all_and_names_the_system_among_others(
    trait: Row, kind: str, text: str
) -> None:
    everywhere = Finding(kind, False, text.format(""))
    assert findings([row(**trait)]) == (everywhere,)
    assert findings([row(**trait), row(**trait, submitter="Lenovo")]) == (everywhere,)
    assert about(kind, [row(**trait), row(submitter="Lenovo")]) == text.format(": Dell XR7620_L4x1_TRT v3.1")


def test_nothing_and_a_plain_row_have_no_findings() -> None:
    assert findings([]) == ()
    assert findings([row()]) == ()
    assert findings([row(), row(submitter="Lenovo", system_id="A")]) == ()
    assert findings([{}]) == ()


def test_training_does_not_compare_with_inference_and_rounds_say_of_which_they_are() -> None:
    rows = [row(round="v2.0"), row(**TRAINING)]
    assert ("kind", True) in kinds(rows)
    assert about("round", rows) == "Rounds differ: inference v2.0 and training v2.0."
    assert not {"scenario", "unit", "suite"} & {kind for kind, _ in kinds(rows)}


HPC = {
    "suite": "hpc", "round": "v3.0", "benchmark": "deepcam", "scenario": "Strong scaling", "metric": "time_to_train",
    "unit": "min",
}  # fmt: skip


@pytest.mark.parametrize("other", [TRAINING, {}])
def test_hpc_compares_with_no_other_suite(other: dict[str, Any]) -> None:
    rows = [row(**HPC), row(**{**other, "round": "v3.0"})]
    assert ("kind", True) in kinds(rows)
    assert about("kind", rows).startswith("Results of HPC and ")
    assert about("round", rows).startswith("Rounds differ: HPC v3.0 and ")


def test_strong_and_weak_scaling_do_not_compare() -> None:
    weak = {**HPC, "scenario": "Weak scaling", "metric": "throughput", "unit": "models/min"}
    assert ("scenario", True) in kinds([row(**HPC), row(**weak)])


@pytest.mark.parametrize("benchmark", ["cosmoflow", "deepcam", "oc20"])
def test_hpc_rounds_compare_where_the_model_is_the_same(benchmark: str) -> None:
    later, earlier = row(**{**HPC, "benchmark": benchmark}), row(**{**HPC, "benchmark": benchmark, "round": "v2.0"})
    assert not [kind for kind, is_refused in kinds([later, earlier]) if is_refused]
    oldest = row(**{**HPC, "benchmark": benchmark, "round": "v1.0"})
    assert ("round", True) in kinds([later, oldest])


def test_rounds_between_which_a_benchmark_changed_are_refused_with_the_reason() -> None:
    rows = [row(**{**TRAINING, "benchmark": "ssd", "round": round_id}) for round_id in ("v2.0", "v1.1", "v2.1")]
    assert kinds(rows) == [("round", True)]
    assert about("round", rows) == (
        "Rounds differ: v1.1, v2.0 and v2.1. SSD / RetinaNet v1.1 and v2.0 do not compare: "
        "The model changed from SSD-ResNet34 on COCO to RetinaNet on Open Images."
    )


def test_a_renamed_benchmark_is_the_same_benchmark() -> None:
    rows = [
        row(**{**TRAINING, "benchmark": name, "round": at}) for name, at in (("ssd", "v4.1"), ("retinanet", "v5.0"))
    ]
    assert kinds(rows) == [("round", False)]


def test_multistream_is_a_finding_of_its_own_and_hides_the_units_that_follow_from_it() -> None:
    old = row(round="v1.1", scenario="MultiStream", metric="streams", unit="streams")
    new = row(round="v2.0", scenario="MultiStream")
    assert kinds([old, new]) == [("MultiStream", True), ("round", False)]
    assert about("MultiStream", [old, new]).startswith("ResNet-50 v1.5 MultiStream v1.1 and v2.0 do not compare: ")


def test_what_the_catalog_lacks_is_a_note() -> None:
    assert kinds([row(round="v3.1"), row(round="v99.0")]) == [("round", False), ("unknown", False)]
    assert about("unknown", [row(round="v3.0", benchmark="new"), row(benchmark="new")]) == (
        "Not in the catalog: new. Whether the rounds compare is open."
    )


def test_verified_beside_unverified_says_what_the_rules_want_said() -> None:
    rows = [row(), row(verified=False, submitter="Lenovo")]
    assert kinds(rows) == [("unverified", False), ("verified", False)]
    assert citation.MIXED in about("verified", rows)


def test_one_result_in_two_suites_is_the_same_run() -> None:
    rows = [row(result_id="r"), row(result_id="r", suite="inference-datacenter")]
    assert about("same run", rows) == "The same run under several names: inference-datacenter = inference-edge."
    assert about("same run", [row(same_runs="s", nodes=2), row(same_runs="s")]) == (
        "The same run listed several times: Dell XR7620_L4x1_TRT v3.1 (2 times)."
    )
    assert findings([row(result_id="r"), row(result_id="r")]) == ()


def test_many_values_are_cut_and_counted() -> None:
    rows = [row(accelerator_count=2**power) for power in range(12)]
    assert about("accelerator count", rows) == "Accelerator counts differ: 1, 2, 4, 8, 16, 32, 64, 128 and 4 more."


def test_equal_findings_of_cells_become_one_that_names_the_cells() -> None:
    parted = [row(), row(round="v3.0")]
    text = "Rounds differ: v3.0 and v3.1."
    note = Finding("round", False, text)
    assert merged({}) == merged({"A": []}) == ()
    assert merged({"A": parted}) == merged({"A": parted, "B": parted, "C": []}) == (note,)
    assert merged({"B": parted, "C": [row()], "A": parted}) == (Finding("round", False, f"A and B: {text}"),)
    power = merged({"A": parted, "B": [row(), row(has_power=True)]})
    assert [finding.is_refused for finding in power] == [True, False]


def test_a_remark_begins_with_what_is_refused() -> None:
    assert remark([]) == ""
    assert remark([Finding("a", False, "Note."), Finding("b", True, "No.")]) == "No. Note."


@pytest.fixture(scope="module")
def published() -> Callable[..., list[Row]]:
    con = open_snapshot()

    def chosen(**filters: Any) -> list[Row]:
        rows: list[Row] = queries.results(con, Filters(**filters)).to_pylist()
        assert rows
        return rows

    return chosen


def test_xr5610_as_preview_and_on_sale(published: Callable[..., list[Row]]) -> None:
    rows = published(
        system_id=("XR5610_L4x1_TRT_MaxQ",), benchmark=("resnet",), scenario=("Offline",), round=("v3.0", "v3.1")
    )
    assert remark(findings(rows)) == (
        "Availability differs: available and preview. "
        "Preview, not yet on sale when submitted: Dell XR5610_L4x1_TRT_MaxQ v3.0. Rounds differ: v3.0 and v3.1."
    )


@pytest.mark.parametrize(
    ("filters", "kind", "text"),
    [
        ({"suite": ("training",), "benchmark": ("ssd",), "round": ("v1.1", "v2.0")}, "round", "SSD-ResNet34"),
        ({"benchmark": ("3d-unet-99",), "scenario": ("Offline",), "round": ("v1.1", "v2.0")}, "round", "KiTS19"),
        ({"benchmark": ("resnet",), "scenario": ("MultiStream",), "round": ("v1.0", "v2.0")}, "MultiStream", "v2.0"),
        ({"benchmark": ("gptj-99",), "scenario": ("Server",), "round": ("v4.0", "v4.1")}, "unit", "queries/s"),
        ({"submitter": ("Dell",), "benchmark": ("resnet",), "round": ("v3.1",)}, "power", "does not compare"),
    ],
)
def test_published_results_that_do_not_compare(
    published: Callable[..., list[Row]], filters: Row, kind: str, text: str
) -> None:
    refused = {finding.kind: finding.text for finding in findings(published(**filters)) if finding.is_refused}
    assert text in refused[kind]


def test_the_round_without_suites_compares_with_the_next_and_the_suites_are_said(
    published: Callable[..., list[Row]],
) -> None:
    rows = [
        row
        for row in published(benchmark=("resnet",), scenario=("Offline",), round=("v0.5", "v0.7"), division=("closed",))
        if row["suite"] != "inference-edge"
    ]
    found = findings(rows)
    assert "Suites differ: datacenter and none." in {finding.text for finding in found}
    assert not [finding for finding in found if finding.is_refused]


def test_twins_with_power_in_training_are_one_run_whose_times_compare(published: Callable[..., list[Row]]) -> None:
    rows = published(system_id=("1xSMC-H100-SXM-80GB",), benchmark=("bert",), round=("v4.0",))
    assert kinds(rows) == [("power", False), ("same run", False)]


def test_the_whole_snapshot_has_findings(published: Callable[..., list[Row]]) -> None:
    found = findings(published())
    assert {"benchmark", "round", "MultiStream", "mixed accelerators"} <= {finding.kind for finding in found}
    assert not any("does not know" in finding.text for finding in found)
