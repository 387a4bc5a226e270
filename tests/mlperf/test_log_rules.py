"""inference_logs.toml: figures that logs say twice have known benchmarks and a range; faults name their entry."""

import re
import shutil
from pathlib import Path

import pytest

from mlperf.catalog_files import CATALOG
from mlperf.errors import CatalogError
from mlperf.facts import facts
from mlperf.log_rules import LogRules, log_rules

HEAD = '[[plausible]]\nkey = "result_samples_per_second"\n'


@pytest.mark.parametrize(
    "old, new, said",
    [
        (HEAD, HEAD + 'benchmarks = ["resnet51"]\n', "unknown benchmark resnet51"),
        (HEAD, HEAD + "limit = 3\n", "limit"),
        ("low = 0.999\nhigh = 1.06", "low = 1.07\nhigh = 1.06", "low is above high"),
        ("low = 0.999\nhigh = 1.06", "high = 1.06", "low or high is missing"),
    ],
)
def test_a_fault_of_the_catalog_is_told(tmp_path: Path, old: str, new: str, said: str) -> None:
    folder = Path(shutil.copytree(CATALOG, tmp_path / "catalog"))
    file = folder / "inference_logs.toml"
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new, 1))
    with pytest.raises(CatalogError, match=re.escape(said)):
        LogRules(facts(), folder)


def test_a_rule_of_some_benchmarks_holds_for_these_alone() -> None:
    key = "result_tokens_per_second"
    ranges = {
        name: {(rule.low, rule.high) for rule in log_rules().twice(key, name)} for name in ("llama2-70b-99", "whisper")
    }
    assert all(len(found) == 1 for found in ranges.values())
    assert ranges["llama2-70b-99"] != ranges["whisper"]
    assert log_rules().twice(key, "resnet") == log_rules().twice(key, None) == []


@pytest.mark.parametrize("round_id, model, benchmark", [
    ("v0.5", "mobilenet-v2-1.4-224", "mobilenet"), ("v0.7", "mobilenet-v2-1.4-224", "resnet"),
    ("v0.5", "rcnn-resnet50-lowproposals", "ssd-small"), ("v1.1", "rcnn-resnet50-lowproposals", "ssd-small"),
    ("v2.0", "rcnn-resnet50-lowproposals", "resnet"), ("v0.5", "ssd-mobilenet-v1-fpn", "ssd-small"),
    ("v2.1", "rcnn-inception-v2", None),
])  # fmt: skip
def test_a_models_name_is_guessed_as_the_checker_of_its_round_does(
    round_id: str, model: str, benchmark: str | None
) -> None:
    """Source: mlcommons/inference r0.7, r1.1, v2.0, get_mlperf_model."""
    assert log_rules().guess(round_id, model) == benchmark
