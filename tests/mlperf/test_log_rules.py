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
