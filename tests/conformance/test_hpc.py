"""Scores computed from MLPerf HPC's logs against MLCommons' own summarizer, cell by cell."""

import contextlib
import io
import zipfile
from pathlib import Path

import pytest

from loaders.trees import training
from loaders.trees.protocol import Assembled, Context
from mlperf.errors import Problem
from mlperf.model import Measurement, Run, SystemSheet
from tests.loaders.trees.making_training import read_tree

SAME = 1e-6
"""Relative."""

CLEMSON = "Clemson University Research Computing and Data"

STRONG = {
    ("v2.0", "Dell", "32xXE8545x4A100-SXM4-40GB", "deepcam"): 12.99535,
    ("v2.0", "Fujitsu/RIKEN", "fugaku_512xA64FX_tensorflow_closed", "cosmoflow"): 114.34750208333332,
    ("v2.0", "Fujitsu/RIKEN", "fugaku_512xA64FX_tensorflow_open", "cosmoflow"): 123.57096666666668,
    ("v2.0", "HelmholtzAI", "horeka_gpu_n512_pytorch1.13", "cosmoflow"): 5.4943375,
    ("v2.0", "HelmholtzAI", "horeka_gpu_n512_pytorch1.13", "deepcam"): 4.566155555555556,
    ("v2.0", "HelmholtzAI", "horeka_gpu_n512_pytorch1.13", "oc20"): 30.479644444444446,
    ("v2.0", "HelmholtzAI", "juwelsbooster_gpu_n2048_pytorch1.13", "deepcam"): 2.553088888888889,
    ("v2.0", "HelmholtzAI", "juwelsbooster_gpu_n512_pytorch1.13", "oc20"): 38.167550000000006,
    ("v2.0", "NVIDIA", "dgxa100_n256_pytorch", "deepcam"): 1.5723888888888888,
    ("v2.0", "NVIDIA", "dgxa100_n64_pytorch", "cosmoflow"): 3.792889583333333,
    ("v2.0", "NVIDIA", "dgxa100_n64_pytorch", "oc20"): 21.92766111111111,
    ("v2.0", "TACC", "longhorn-pytorch", "deepcam"): 48.41834444444444,
    ("v2.0", "TACC", "longhorn-tf", "cosmoflow"): 140.45283125,
    ("v3.0", CLEMSON, "18xR750-2xA100-PCIe-80GB", "deepcam"): 53.984772222222226,
    ("v3.0", CLEMSON, "18xR750-2xA100-PCIe-80GB", "openfold"): 263.52031686921305,
    ("v3.0", "Dell", "32xXE8545x4A100-SXM4-40GB", "deepcam"): 12.99535,
    ("v3.0", "Fujitsu/RIKEN", "fugaku_512xA64FX_tensorflow_closed", "cosmoflow"): 114.34750208333332,
    ("v3.0", "Fujitsu/RIKEN", "fugaku_512xA64FX_tensorflow_open", "cosmoflow"): 123.57096666666668,
    ("v3.0", "HPE+LBNL", "perlmutter_128x4", "cosmoflow"): 4.728052083333334,
    ("v3.0", "HPE+LBNL", "perlmutter_128x4", "oc20"): 21.04266690051021,
    ("v3.0", "HPE+LBNL", "perlmutter_224x4", "openfold"): 14.64643125,
    ("v3.0", "HPE+LBNL", "perlmutter_512x4", "deepcam"): 1.81105,
    ("v3.0", "NVIDIA", "eos_n256_ngc23.09_pytorch", "deepcam"): 0.8301944444444445,
    ("v3.0", "NVIDIA", "eos_n260_ngc23.09_pytorch", "openfold"): 7.5122375,
    ("v3.0", "NVIDIA", "eos_n64_ngc23.09_pytorch", "cosmoflow"): 2.098441666666667,
    ("v3.0", "NVIDIA", "eos_n80_ngc23.09_pytorch", "oc20"): 10.736822222222223,
    ("v3.0", "TACC", "lonestar6-pytorch", "openfold"): 157.2742666666667,
}  # fmt: skip
"""Minutes, as `mlperf_logging.result_summarizer` with `hpc 2.0.0` and `hpc 3.0.0` (mlperf-logging 4.1.68) give them."""

WEAK = {
    ("v2.0", "Fujitsu/RIKEN", "fugaku_82944xA64FX_tensorflow_closed", "cosmoflow"): (637, 495.66063333333335),
    ("v2.0", "Fujitsu/RIKEN", "fugaku_82944xA64FX_tensorflow_open", "cosmoflow"): (81, 137.4663),
    ("v2.0", "HelmholtzAI", "horeka_gpu_n64_pytorch1.13", "deepcam"): (8, 23.938233333333333),
    ("v2.0", "HelmholtzAI", "horeka_gpu_n64_pytorch1.13", "oc20"): (7, 95.48501666666667),
    ("v2.0", "HelmholtzAI", "juwelsbooster_gpu_n128_pytorch1.13", "deepcam"): (24, 13.834083333333334),
    ("v2.0", "HelmholtzAI", "juwelsbooster_gpu_n64_pytorch1.13", "oc20"): (39, 111.45935),
    ("v2.0", "NVIDIA", "dgxa100_n512_pytorch", "cosmoflow"): (128, 30.380516666666665),
    ("v2.0", "NVIDIA", "dgxa100_n512_pytorch", "deepcam"): (256, 39.98661666666667),
    ("v2.0", "NVIDIA", "dgxa100_n512_pytorch", "oc20"): (60, 90.69565),
    ("v3.0", "Fujitsu/RIKEN", "fugaku_82944xA64FX_tensorflow_closed", "cosmoflow"): (637, 495.66063333333335),
    ("v3.0", "Fujitsu/RIKEN", "fugaku_82944xA64FX_tensorflow_open", "cosmoflow"): (81, 137.4663),
    ("v3.0", "HPE+LBNL", "perlmutter_10x128x4_ngc21.09_mxnet", "cosmoflow"): (10, 14.70215),
    ("v3.0", "HPE+LBNL", "perlmutter_10x128x4_ngc21.09_pytorch", "deepcam"): (10, 4.846933333333333),
    ("v3.0", "NVIDIA", "eos_n256_ngc23.09_pytorch", "cosmoflow"): (59, 12.7505),
    ("v3.0", "NVIDIA", "eos_n256_ngc23.09_pytorch", "deepcam"): (128, 16.78225),
    ("v3.0", "NVIDIA", "eos_n256_ngc23.09_pytorch", "oc20"): (28, 44.09263333333333),
    ("v3.0", "NVIDIA", "eos_n256_ngc23.09_pytorch", "openfold"): (16, 34.415),
}
"""Number of models and time to train them all, by the same run of the same tool; a score is their ratio."""

MOST_FILES = 30
"""Logs of a group that the tool itself reads here: it takes 12 seconds for a group of 637."""


@pytest.fixture(scope="module")
def archives(shared: Path) -> dict[str, list[Assembled]]:
    """What the tree format makes of both archives, by their rounds."""
    found = {}
    for path in sorted((shared / "hpc").glob("*.zip")):
        pieces, problems = read_tree(path)
        found[path.stem.rpartition("_")[2]] = [*problems, *training.assemble(pieces, Context(path.name))]
    return found


def scores(archives: dict[str, list[Assembled]], scenario: str) -> dict[tuple[str, ...], float]:
    measured = [item for items in archives.values() for item in items if isinstance(item, Measurement)]
    return {
        (one.round or "", one.submitter or "", one.system_id or "", one.benchmark or ""): one.value or 0.0
        for one in measured
        if one.scenario == scenario
    }


def test_strong_scaling_equals_the_official_summarizer(archives: dict[str, list[Assembled]]) -> None:
    assert scores(archives, "Strong scaling") == pytest.approx(STRONG, rel=SAME)


def test_weak_scaling_equals_the_official_summarizer(archives: dict[str, list[Assembled]]) -> None:
    expected = {key: models / minutes for key, (models, minutes) in WEAK.items()}
    assert scores(archives, "Weak scaling") == pytest.approx(expected, rel=SAME)


def test_the_official_code_gives_the_same_for_every_small_group(
    shared: Path, tmp_path: Path, archives: dict[str, list[Assembled]]
) -> None:
    summarizer = pytest.importorskip("mlperf_logging.result_summarizer.result_summarizer")
    checked = 0
    for round_id, items in archives.items():
        with zipfile.ZipFile(shared / "hpc" / f"hpc_results_{round_id}.zip") as archive:
            names = archive.namelist()
            for one in (item for item in items if isinstance(item, Measurement)):
                logs = [name for name in names if f"/{one.location}/" in name and "/pruned_results/" not in name]
                if len(logs) > MOST_FILES:
                    continue
                archive.extractall(tmp_path, logs)  # a copy: other parts of the tool write into what they read
                folder, ruleset = (tmp_path / logs[0]).parent, f"{round_id[1:]}.0"
                rate = one.scenario == "Weak scaling"
                with contextlib.redirect_stdout(io.StringIO()):
                    compute = (
                        summarizer._compute_weak_score_standalone
                        if rate
                        else summarizer._compute_strong_score_standalone
                    )
                    found = compute(one.benchmark, one.system_id, False, str(folder), "hpc", ruleset)[0]
                if rate:
                    found = found[f"{one.benchmark}:number_of_models"] / found[f"{one.benchmark}:time_to_train_all"]
                assert one.value == pytest.approx(found, rel=SAME), one.location
                checked += 1
    assert checked == 34


def test_pruned_instances_are_left_out_and_counted(archives: dict[str, list[Assembled]]) -> None:
    found = {
        (round_id, item.where.file.rpartition("/results/")[2]): item.found.partition(" ")[0]
        for round_id, items in archives.items()
        for item in items
        if isinstance(item, Problem) and item.kind == "pruned-runs"
    }
    assert found == {
        ("v2.0", "fugaku_82944xA64FX_tensorflow_closed/weak/cosmoflow"): "11",
        ("v2.0", "horeka_gpu_n64_pytorch1.13/weak/oc20"): "1",
        ("v2.0", "juwelsbooster_gpu_n64_pytorch1.13/weak/oc20"): "1",
        ("v2.0", "dgxa100_n512_pytorch/weak/oc20"): "4",
        ("v3.0", "fugaku_82944xA64FX_tensorflow_closed/weak/cosmoflow"): "11",
    }


def test_every_run_and_sheet_is_of_hpc(archives: dict[str, list[Assembled]]) -> None:
    items = [item for found in archives.values() for item in found]
    assert {item.kind for item in items if isinstance(item, Measurement | Run | SystemSheet)} == {"hpc"}
    assert {round_id: sum(isinstance(item, Run) for item in found) for round_id, found in archives.items()} == {
        "v2.0": 1330,
        "v3.0": 1079,
    }
    assert not [item for item in items if isinstance(item, Problem) and item.kind == "no-score"]


def test_logs_that_were_submitted_again_are_the_same_runs(archives: dict[str, list[Assembled]]) -> None:
    marks = {
        round_id: {item.location: item.same_runs for item in items if isinstance(item, Measurement)}
        for round_id, items in archives.items()
    }
    again = {place for place, mark in marks["v3.0"].items() if mark and mark == marks["v2.0"].get(place)}
    assert "Dell/results/32xXE8545x4A100-SXM4-40GB/strong/deepcam" in again
    assert len(again) == 5  # Dell's, and all four of Fujitsu and RIKEN
