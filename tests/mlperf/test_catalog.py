"""The catalog's files: what is wrong in one is told with file and entry; what MLCommons' tables hold is known."""

import csv
import io
import json
import re
import shutil
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from mlperf.catalog_files import CATALOG
from mlperf.errors import CatalogError
from mlperf.facts import Facts, facts

Row = dict[str, str]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(CATALOG, tmp_path / "catalog"))


def test_a_copy_of_the_catalog_is_as_good_as_the_catalog(folder: Path) -> None:
    assert Facts(folder).rounds == facts().rounds


@pytest.mark.parametrize(
    ("file", "old", "new", "told"),
    [
        ("rounds.toml", 'id = "v3.1"', 'id = "v3.1"\ncolour = "red"', r"round v3.1: unknown key colour"),
        ("rounds.toml", "published = 2023-09-11\n", "", r"round v3.1: a date needs a source"),
        ("rounds.toml", "published = 2023-09-11\n", "published = 3\n", r"round v3.1: published is 3, not date"),
        (
            "rounds.toml",
            'kind = "inference"\nid = "v0.7"',
            'kind = "mobile"\nid = "v0.7"',
            r"round v0.7: kind 'mobile'",
        ),
        ("rounds.toml", 'id = "v3.1"', 'id = "v3.0"', r"round v3.0: is the second inference round"),
        (
            "benchmarks.toml",
            'first = "v0.5"',
            'first = "v0.4"',
            r"benchmark resnet: there is no inference round 'v0.4'",
        ),
        ("benchmarks.toml", '"resnet50"', '"gnmt"', r"benchmark gnmt: spelling 'gnmt' already means"),
        (
            "benchmarks.toml",
            'required = ["Offline"]',
            'required = ["Ofline"]',
            r"benchmark resnet: unknown scenario Ofline",
        ),
        (
            "benchmarks.toml",
            'lineage = "ssd"',
            'lineage = "ssd9"',
            r"lineage 'ssd9' of retinanet is no training benchmark",
        ),
        ("comparability.toml", '["rnnt"]', '["rnnt9"]', r"there is no training benchmark 'rnnt9'"),
        ("comparability.toml", 'from = "v1.0"', 'from = "v1.5"', r"break v1.5: there is no training round 'v1.5'"),
        ("scoring.toml", 'better = "lower"', 'better = "worse"', r"rule time-to-train: better is 'worse'"),
        ("scoring.toml", '["whisper"]', '["wisper"]', r"rule offline-tokens-whisper: there is no inference benchmark"),
        ("scoring.toml", 'first = "v4.1"', 'first = "v4.0"', r"hold for .* in round"),
        ("scoring.toml", 'scenarios = ["MultiStream"]', 'scenarios = ["Multi"]', r"unknown scenario Multi"),
        ("power.toml", "factor = 1000.0\n", "", r"unit mJ: factor is missing"),
        ("power.toml", '"Joules"', '"millijoules"', r"unit mJ: spelling 'millijoules' already means"),
        ("suites.toml", 'kind = "hpc"', 'kind = "training"', r"suite hpc: the id 'hpc' does not begin with"),
        ("scoring.toml", 'of_runs = "rate"', 'of_runs = "sum"', r"rule models-per-minute: of_runs is 'sum'"),
        ("suites.toml", '"close"', '"open"', r"division open: spelling 'open' already means closed"),
        ("submitters.toml", '"DellEMC"', '"AMD"', r"submitter Dell: spelling 'AMD' already means AMD"),
        ("accelerators.toml", "memory_gb = 80", 'memory_gb = "80"', r"memory_gb is '80', not int"),
        ("accelerators.toml", "(?P<name>.+?)", "(?P<name>.+?", r"is not a regular expression"),
        ("accelerators.toml", '"NVIDIA L40-PCIE-48GB"', '"NVIDIA L4"', r"spelling 'NVIDIA L4' already means"),
        ("servers.toml", 'family = "XE8640"', "family = 8640", r"server XE8640: family is 8640, not str"),
        ("servers.toml", 'name = "XE8640"\n', "", r"server \d+: name is missing"),
        ("servers.toml", "[[server]]", "[[server", r"The file is not TOML"),
    ],
)
def test_a_fault_in_the_catalog_is_told_with_file_and_entry(
    folder: Path, file: str, old: str, new: str, told: str
) -> None:
    text = (folder / file).read_text("utf-8")
    assert old in text
    (folder / file).write_text(text.replace(old, new, 1), "utf-8")
    with pytest.raises(CatalogError, match=told) as error:
        Facts(folder)
    assert str(error.value).startswith(f"mlperf/catalog/{file}: ")


def test_a_missing_file_of_the_catalog_is_told(folder: Path) -> None:
    (folder / "power.toml").unlink()
    with pytest.raises(CatalogError, match=re.escape("mlperf/catalog/power.toml: The file cannot be read")):
        Facts(folder)


def test_no_rule_of_a_benchmark_stands_in_the_code() -> None:
    names = {benchmark.id for benchmark in facts().benchmarks} | {
        accelerator.name for accelerator in facts().accelerators
    }
    quoted = re.compile("|".join(f"[\"']{re.escape(name)}[\"']" for name in names))
    for module in ("facts", "rounds", "scoring", "spellings"):
        assert not quoted.search((CATALOG.parent / f"{module}.py").read_text("utf-8"))


def table_rows(shared: Path) -> Iterator[tuple[str, Row]]:
    """Kind and row of each table there, its keys as the newest tables name them."""
    for kind in ("inference", "training"):
        with zipfile.ZipFile(shared / "tables" / f"cm4mlperf-results_{kind}.zip") as archive:
            for name in archive.namelist():
                if name.endswith("cm-result.json"):
                    for row in json.loads(archive.read(name)):
                        yield kind, {key: str(value) for key, value in row.items()}
    for name in ("v5.1", "v6.0"):
        for row in json.loads((shared / "tables" / f"inference_results_{name}_summary_results.json").read_bytes()):
            yield "inference", {key: str(value) for key, value in row.items()}


def first(row: Row, *keys: str) -> str:
    return next(row[key] for key in keys if key in row)


def unknown_spellings(kind: str, row: Row, known: Facts) -> Iterator[str]:
    """What the catalog does not know of a row."""
    round_id = known.round("training" if kind == "training" else "inference", row["version"])
    if round_id is None:
        yield f"round {row['version']}"
        return
    benchmark_name = first(row, "Model_ID", "MlperfModel", "Model")
    benchmark = known.benchmark(round_id.kind, benchmark_name, round_id.id)
    scenario = known.scenario(row["Scenario"]) if "Scenario" in row else None
    if benchmark is None or known.score(round_id.kind, round_id.id, benchmark.id, scenario) is None:
        yield f"benchmark {benchmark_name} {scenario} in {round_id.id}"
    accelerator = first(row, "accelerator_model_name", "Accelerator")
    if known.accelerator(accelerator) is None:
        yield f"accelerator {accelerator}"
    if known.availability(first(row, "availability", "Availability")) is None:
        yield f"availability {row}"
    if known.division(first(row, "division", "Division", "Category")) is None:
        yield f"division {row}"
    types = first(row, "SystemType", "Suite") if kind == "inference" else "training"
    if benchmark and kind == "inference" and not known.suites(round_id.id, types, benchmark.id, scenario):
        yield f"suite {types}"


def test_every_spelling_of_the_published_tables_is_known(shared: Path) -> None:
    known = facts()
    unknown = {text for kind, row in table_rows(shared) for text in unknown_spellings(kind, row, known)}
    assert unknown == set()


def test_every_spelling_of_the_exports_is_known(shared: Path) -> None:
    known = facts()
    flat = (shared / "exports" / "inference_v6.0_flat_utf16.csv").read_bytes().decode("utf-16", "ignore")
    rows = [row for row in csv.DictReader(io.StringIO(flat), delimiter="\t") if row.get("Units")]
    assert {row["Model MLC"] for row in rows if not known.benchmark("inference", row["Model MLC"], "v6.0")} == set()
    accelerators = {row["Accelerator (click + for details)"] for row in rows}
    assert {text for text in accelerators if known.accelerator(text) is None} == set()
    assert {row["Division/Power"] for row in rows if not known.division(row["Division/Power"])} == set()


# Systems whose ID and name hold no model: clusters of several servers, systems named after their processors.
WITHOUT_MODEL = re.compile(r"node-2S-(GNR_86C|SPR-PyTorch)|^\d+xMI3\d\dX_|Heterogeneous|Dell B200")


def test_every_dell_server_of_the_published_tables_is_known(shared: Path) -> None:
    known = facts()
    missing = set()
    for _, row in table_rows(shared):
        submitter = known.submitter(first(row, "submitter", "Organization", "Submitter"))
        system = first(row, "system", "Platform")
        name = row.get("SystemName") or row.get("System") or ""
        is_dell = submitter.startswith("Dell") or "PowerEdge" in name
        if is_dell and not known.server(system, name) and not WITHOUT_MODEL.search(f"{name} {system}"):
            missing.add((system, name))
    assert missing == set()
