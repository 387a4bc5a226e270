"""rules.toml: what is asked of which round, faults told with file and entry, and no figure without its source."""

import re
import shutil
import tomllib
from pathlib import Path

import pytest

from mlperf.catalog_files import CATALOG
from mlperf.errors import CatalogError
from mlperf.facts import facts
from mlperf.rules import SEEDS, Rules, rules

ROUNDS = [round_.id for round_ in facts().rounds if round_.kind == "inference"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(CATALOG, tmp_path / "catalog"))


@pytest.mark.parametrize("round_id, milliseconds", [("v0.7", 60_000), ("v1.0", 600_000), ("v6.1", 600_000)])
def test_a_run_lasts_a_minute_before_v1_0_and_ten_from_then_on(round_id: str, milliseconds: int) -> None:
    bound = rules().duration(round_id, "resnet")
    assert bound is not None
    assert bound.number == milliseconds


@pytest.mark.parametrize("benchmark, round_id, scenario, milliseconds", [
    ("resnet", "v0.7", "Server", 15), ("resnet", "v5.0", "Server", 15), ("ssd-large", "v2.0", "Server", 100),
    ("retinanet", "v2.1", "Server", 100), ("bert-99", "v3.1", "Server", 130), ("rnnt", "v3.1", "Server", 1000),
    ("dlrm-99", "v3.0", "Server", 30), ("dlrm-v2-99.9", "v3.1", "Server", 60), ("gptj-99", "v4.0", "Server", 20000),
    ("stable-diffusion-xl", "v5.1", "Server", 20000), ("resnet", "v1.0", "MultiStream", 50),
    ("resnet", "v2.0", "MultiStream", None), ("resnet", "v3.1", "Offline", None), ("retinanet", "v2.0", "Server", None),
    ("bert-99", None, "Server", None), ("resnet", "v9.9", "Server", None),
])  # fmt: skip
def test_the_limits_of_latency_are_those_of_the_document(
    benchmark: str, round_id: str | None, scenario: str, milliseconds: int | None
) -> None:
    bound = rules().latency(round_id, scenario, benchmark)
    assert (None if bound is None else bound.number) == milliseconds


@pytest.mark.parametrize("benchmark, round_id, scenario, pair", [
    ("llama2-70b-99", "v4.0", "Server", (2000, 200)), ("llama2-70b-99.9", "v5.1", "Interactive", (450, 40)),
    ("llama2-70b-interactive-99", "v5.0", "Server", (450, 40)), ("mixtral-8x7b", "v4.1", "Server", (2000, 200)),
    ("llama3.1-405b", "v5.0", "Server", (6000, 175)), ("llama3.1-405b", "v5.1", "Interactive", (4500, 80)),
    ("llama3.1-8b", "v5.1", "Server", (2000, 100)), ("llama3.1-8b", "v6.0", "Interactive", (500, 30)),
    ("deepseek-r1", "v6.1", "Server", (2000, 80)), ("deepseek-r1", "v6.0", "Interactive", (1500, 15)),
    ("gpt-oss-120b", "v6.0", "Server", (3000, 80)), ("gpt-oss-120b", "v6.0", "Interactive", (2000, 15)),
    ("llama2-70b-99", "v5.1", "Offline", None), ("llama2-70b-99", "v4.1", "Interactive", None),
])  # fmt: skip
def test_the_limits_of_tokens_are_those_of_the_document(
    benchmark: str, round_id: str, scenario: str, pair: tuple[int, int] | None
) -> None:
    limits = rules().tokens(round_id, scenario, benchmark)
    assert (None if limits is None else (limits.ttft, limits.tpot)) == pair


@pytest.mark.parametrize("benchmark, round_id, metric, least", [
    ("resnet", "v3.1", "acc", 75.6954), ("retinanet", "v3.0", "mAP", 37.1745), ("bert-99", "v1.0", "F1", 89.96526),
    ("bert-99.9", "v1.0", "F1", 90.783126), ("dlrm-v2-99", "v3.1", "AUC", 79.5069),
    ("dlrm-v2-99.9", "v4.0", "AUC", 80.22969), ("3d-unet-99", "v3.0", "DICE", 0.853083),
    ("3d-unet-99.9", "v5.1", "DICE", 0.8608383), ("gptj-99", "v3.1", "ROUGE1", 42.556635),
    ("llama2-70b-99.9", "v4.1", "ROUGEL", 28.5875838), ("llama2-70b-99", "v4.1", "TOKENS_PER_SAMPLE", 265.005),
])  # fmt: skip
def test_the_targets_of_accuracy_are_those_of_the_document(
    benchmark: str, round_id: str, metric: str, least: float
) -> None:
    targets = {target.metric: target for target in rules().accuracy(round_id, benchmark, "Offline")}
    assert targets[metric].least == pytest.approx(least, rel=1e-9)


def test_what_has_an_upper_limit_lies_in_a_window() -> None:
    (tokens,) = [
        one for one in rules().accuracy("v5.1", "llama2-70b-99", "Offline") if one.metric == "TOKENS_PER_SAMPLE"
    ]
    assert tokens.most == pytest.approx(1.1 * 294.45)
    assert all(
        one.most is not None and one.least < one.most
        for one in rules().accuracy("v4.0", "stable-diffusion-xl", "Offline")
    )


@pytest.mark.parametrize("round_id", ROUNDS)
def test_the_seeds_of_a_round_are_its_own(round_id: str) -> None:
    known = [found[0] for other in ROUNDS if (found := rules().seeds(other)) is not None]
    assert len({seeds[name] for seeds in known for name in SEEDS}) == 3 * len(known)
    assert rules().seeds(round_id) is not None


def test_every_entry_says_where_it_stands() -> None:
    with (CATALOG / "rules.toml").open("rb") as stream:
        file = tomllib.load(stream)
    entries = [(kind, entry) for kind, of in file.items() if kind != "fact" for entry in of]
    assert len(entries) > 100
    assert not [entry for _, entry in entries if not re.search(r"[Cc]hecker|LoadGen|mlcommons/", entry["source"])]


def test_a_tier_asks_for_more_than_the_one_below() -> None:
    tiers = [one.id for one in facts().benchmarks if one.kind == "inference" and one.id.endswith("-99.9")]
    compared = 0
    for name in tiers:
        for round_id in ROUNDS:
            lower, upper = (rules().accuracy(round_id, tier, "Offline") for tier in (name.removesuffix(".9"), name))
            assert [one.metric for one in lower] == [one.metric for one in upper]
            quality = [pair for pair in zip(lower, upper, strict=True) if pair[0].basis.startswith("99")]
            assert all(one.least < other.least for one, other in quality)
            compared += len(quality)
    assert compared > 50


@pytest.mark.parametrize("old, new, told", [
    ("milliseconds = 60000.0", "milliseconds = 60000", r"milliseconds is 60000, not float"),
    ("milliseconds = 60000.0\n", "", r"milliseconds is missing"),
    ("milliseconds = 60000.0", "milliseconds = 60000.0\ncolour = 1", r"unknown key colour"),
    ('last = "v0.7"\nmilliseconds', 'last = "v0.8"\nmilliseconds', r"there is no inference round 'v0.8'"),
    ('benchmarks = ["rnnt"]', 'benchmarks = ["rnnt9"]', r"there is no inference benchmark rnnt9"),
    ('scenarios = ["Interactive"]', 'scenarios = ["Chat"]', r"unknown scenario Chat"),
    ('metric = "acc"', 'metric = "luck"', r"unknown metric luck"),
    ("reference = 76.46, ", "", r"neither least nor reference and share are there"),
    ('schedule_rng_seed = "', 'schedule_seed = "', r"schedule_rng_seed is missing"),
    ("[[fact]]", "[[fact", r"The file is not TOML"),
])  # fmt: skip
def test_a_fault_is_told_with_file_and_entry(folder: Path, old: str, new: str, told: str) -> None:
    text = (folder / "rules.toml").read_text("utf-8")
    assert old in text
    (folder / "rules.toml").write_text(text.replace(old, new, 1), "utf-8")
    with pytest.raises(CatalogError, match=told) as error:
        Rules(facts(), folder)
    assert str(error.value).startswith("mlperf/catalog/rules.toml: ")


def test_no_benchmark_stands_in_the_code_that_judges() -> None:
    names = {benchmark.id for benchmark in facts().benchmarks}
    quoted = re.compile("|".join(f"[\"']{re.escape(name)}[\"']" for name in names))
    root = CATALOG.parent.parent
    for module in ("mlperf/rules.py", "loaders/trees/inference_checks.py", "loaders/trees/training_checks.py"):
        assert not quoted.search((root / module).read_text("utf-8"))
