"""Which systems are one configuration with more nodes, and which are not."""

from itertools import permutations
from typing import Any

import pytest

from mlperf.families import Family, families, named_nodes, stem

RESULT: dict[str, Any] = {
    "result_id": "r", "suite": "training", "round": "v1.1", "round_index": 3, "division": "closed", "submitter": "Dell",
    "system": "XE8545x4A100", "server": "XE8545", "accelerator": "A100", "accelerator_count": 4, "nodes": 1,
    "processor": "EPYC", "framework": "NGC PyTorch 21.09", "benchmark": "bert",
}  # fmt: skip


def result(**differing: Any) -> dict[str, Any]:
    return {**RESULT, "result_id": f"r{len(differing)}{differing}", **differing}


def sized(size: int, **differing: Any) -> dict[str, Any]:
    name = f"{'' if size == 1 else f'{size}x'}XE8545x4A100"
    return result(**{"system": name, "nodes": size, "accelerator_count": 4 * size} | differing)


def systems(found: tuple[Family, ...]) -> set[frozenset[str]]:
    return {frozenset(member.system for member in one.members) for one in found}


@pytest.mark.parametrize(
    ("system", "nodes", "accelerators", "expected"),
    [
        ("2xXE8545x4A100-SXM-80GB", 2, 8, "XE8545x4A100-SXM-80GB"),
        ("XE8545x4A100-SXM-80GB", 1, 4, "XE8545x4A100-SXM-80GB"),
        ("1xXE9712x4GB200", 1, 4, "XE9712x4GB200"),
        ("16xXE9712x4GB200", 16, 64, "XE9712x4GB200"),
        ("dgxa100_n160_ngc22.04_pytorch", 160, 1280, "dgxa100_ngc22.04_pytorch"),
        ("HLS-1H-N16", 16, 64, "HLS-1H"),
        ("HPE-XL675d-Gen10-Plus_A100-SXM-80GB_16N_mxnet", 16, 128, "HPE-XL675d-Gen10-Plus_A100-SXM-80GB_mxnet"),
        ("tyche_ngpu72_ngc25.09_nemo", 18, 72, "tyche_ngc25.09_nemo"),
        ("3072xBM.GPU.H100.8", 384, 3072, "BM.GPU.H100.8"),
        ("8xKinabalux18x4GB200", 144, 576, "8xKinabalux18x4GB200"),
        ("R750xax4A100-PCIE-80GB-8368", 1, 4, "R750xax4A100-PCIE-80GB-8368"),
    ],
)
def test_the_stem_is_the_name_without_a_number_that_the_sheet_agrees_with(
    system: str, nodes: int, accelerators: int, expected: str
) -> None:
    assert stem(system, nodes, accelerators) == expected


def test_a_name_contradicts_the_sheet_only_by_a_number_that_is_neither_nodes_nor_accelerators() -> None:
    assert named_nodes("8xKinabalux18x4GB200", 144, 576) == 8
    assert named_nodes("2xXE8545x4A100", 2, 8) is None
    assert named_nodes("8xA100_80GB-baseline", 1, 8) is None
    assert named_nodes("XE8545x4A100", 1, 4) is None
    assert named_nodes("2xXE8545x4A100", None, 8) is None


def test_a_name_without_its_number_of_nodes_is_one_family() -> None:
    [one] = families([sized(1), sized(2), sized(8)])
    assert one.node_counts() == (1, 2, 8)
    assert one.name == "XE8545x4A100"
    assert one.scaled() == {"bert"}


def test_the_sheet_says_how_many_nodes_not_the_name() -> None:
    [one] = families([sized(1), sized(2, system="XE8545x4A100", accelerator_count=8)])
    assert one.node_counts() == (1, 2)


@pytest.mark.parametrize(
    "differing",
    [
        {"round": "v2.0"}, {"division": "open"}, {"submitter": "Other"}, {"server": "R750xa"}, {"accelerator": "H100"},
        {"accelerator_count": 16}, {"framework": "NGC PyTorch 22.05"}, {"system": "2xXE8545x4A100-NVBRIDGE"},
        {"nodes": None},
    ],
)  # fmt: skip
def test_what_differs_in_more_than_nodes_is_another_family(differing: dict[str, Any]) -> None:
    found = families([sized(1), sized(2, **differing)])
    assert len(found) == 2
    assert not any(one.scaled() for one in found)


@pytest.mark.parametrize("differing", [{"framework": "ngc pytorch  21.09"}, {"processor": "EPYC 2"}])
def test_spelling_and_processor_alone_do_not_part_one_name(differing: dict[str, Any]) -> None:
    assert len(families([sized(1), sized(2, **differing)])) == 1


def test_twins_of_one_number_of_nodes_are_told_apart_by_name_whatever_the_order() -> None:
    rows = [sized(1), sized(1, system="XE8545x4A100-NVBRIDGE"), sized(2), sized(4)]
    expected = {frozenset({"XE8545x4A100", "2xXE8545x4A100", "4xXE8545x4A100"}), frozenset({"XE8545x4A100-NVBRIDGE"})}
    for order in permutations(rows):
        assert systems(families(order)) == expected


def test_unknown_servers_are_grouped_by_accelerator_and_software_until_two_have_one_size() -> None:
    pods = [
        result(server=None, system=name, nodes=nodes, accelerator_count=64 * nodes, accelerator="IPU")
        for name, nodes in (("pod64", 1), ("pod128", 2))
    ]
    [one] = families(pods)
    assert one.machine == "IPU"
    twin = result(server=None, system="bow64", accelerator="IPU", accelerator_count=64, processor="Other")
    assert systems(families([*pods, twin])) == {frozenset({"pod64", "pod128"}), frozenset({"bow64"})}
    clash = {**twin, "processor": "EPYC"}
    assert all(len(one.members) == 1 for one in families([*pods, clash]))


def test_no_results_are_no_families() -> None:
    assert families([]) == ()


def test_systems_of_processors_alone_are_named_by_the_processor() -> None:
    bare = {"server": None, "accelerator": None, "accelerator_count": None, "framework": None}
    [one] = families([result(**bare), result(**bare, system="4-nodes-x", nodes=4)])
    assert one.machine == "EPYC"
    assert one.node_counts("bert") == (1, 4)
