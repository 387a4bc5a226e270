"""The embedded snapshot against MLCommons' tables, which are read here in their own way: no loader has a part in it."""

import csv
import hashlib
import io
import json
import re
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests import ROOT

DATA = ROOT / "data"
Row = dict[str, Any]
Key = tuple[str, ...]

SAME = 1e-12
"""A figure that only changed its unit; all others must be equal."""

RESAVED = 1e-3
"""Exports are rounded to two decimals; of another source of the same figure 0.1 % is no difference."""


@pytest.fixture(scope="module")
def results() -> list[Row]:
    return _records(pq.read_table(DATA / "results.parquet"))


@pytest.fixture(scope="module")
def problems() -> list[Row]:
    return _records(pq.read_table(DATA / "problems.parquet"))


@pytest.fixture(scope="module")
def sightings() -> list[Row]:
    return _records(pq.read_table(DATA / "sightings.parquet"))


def _records(table: pa.Table) -> list[Row]:
    return table.to_pylist()  # type: ignore[no-any-return]


@pytest.fixture(scope="module")
def inference(shared: Path) -> list[Row]:
    """Every record of cm4mlperf-results' inference tables, the same result several times."""
    return list(_cm(shared / "tables" / "cm4mlperf-results_inference.zip"))


@pytest.fixture(scope="module")
def training(shared: Path) -> list[Row]:
    return list(_cm(shared / "tables" / "cm4mlperf-results_training.zip"))


def _cm(path: Path) -> Iterator[Row]:
    with zipfile.ZipFile(path) as archive:
        for name in archive.namelist():
            if name.endswith("cm-result.json"):
                yield from json.loads(archive.read(name))


def folded(text: object) -> str:
    """Letters and digits in lower case: how the submitters' spellings differ."""
    return re.sub(r"[^a-z0-9]", "", str(text).lower())


def submitters(found: list[Row], records: list[Row], field: str) -> dict[str, str]:
    """Our spelling of each submitter that a table names, by letters and digits alone."""
    ours = {folded(row["submitter"]): row["submitter"] for row in found}
    return {record[field]: ours[folded(record[field])] for record in records}


def one_value(found: list[Row]) -> Row:
    """A result of both suites is two rows that say the same."""
    fields = ("value", "unit", "power_value", "efficiency", "result_id")
    assert len({tuple(row[field] for field in fields) for row in found}) == 1
    return found[0]


def by(found: list[Row], *columns: str) -> dict[Key, list[Row]]:
    grouped: dict[Key, list[Row]] = {}
    for row in found:
        grouped.setdefault(tuple(str(row[column]) for column in columns), []).append(row)
    return grouped


class Cm:
    """The inference tables of cm4mlperf-results as results: performance and power by the table's own key."""

    FIELDS = ("version", "Division", "Organization", "Platform", "Model", "Scenario")

    def __init__(self, records: list[Row]) -> None:
        self.figures: dict[Key, set[float]] = {}
        self.power: dict[Key, set[float]] = {}
        self.efficiency: dict[Key, set[float]] = {}
        self.benchmarks: dict[Key, set[str]] = {}
        self.efficiencies = 0
        for record in records:
            key = tuple(str(record[field]) for field in self.FIELDS)
            self.benchmarks.setdefault(key, set()).add(record["MlperfModel"])
            if record["Result"] is not None:
                self.figures.setdefault(key, set()).add(record["Result"])
            if record.get("Result_Power") is not None:
                self.power.setdefault(key, set()).add(record["Result_Power"])
            if record.get("Inference_per_Joule") is not None:
                self.efficiencies += 1
                self.efficiency.setdefault(key, set()).add(record["Inference_per_Joule"])


@pytest.fixture(scope="module")
def cm(inference: list[Row]) -> Cm:
    return Cm(inference)


@pytest.fixture(scope="module")
def cm_rows(results: list[Row], inference: list[Row]) -> dict[Key, list[Row]]:
    """Our inference rows of the cm tables under the table's own key."""
    names = submitters(results, inference, "Organization")
    ours = by(
        [row for row in results if row["suite"] != "training"],
        "round",
        "division",
        "submitter",
        "system_id",
        "benchmark",
        "scenario",
    )
    found: dict[Key, list[Row]] = {}
    for record in inference:
        key = tuple(str(record[field]) for field in Cm.FIELDS)
        if key in found:
            continue
        division, scenario = record["Division"].strip().lower(), record["Scenario"].lower().replace(" ", "")
        wanted = next(
            name
            for name in ("Offline", "Server", "Interactive", "SingleStream", "MultiStream")
            if name.lower() == scenario
        )
        candidates = ours.get(
            (
                record["version"],
                division,
                names[record["Organization"]],
                record["Platform"],
                record["MlperfModel"],
                wanted,
            ),
            [],
        )
        own = [row for row in candidates if row["model"] == record["Model"]]
        found[key] = own or [row for row in candidates if row["model"] is None]
    return found


def test_every_result_of_the_cm_inference_tables_is_there_with_its_value(cm: Cm, cm_rows: dict[Key, list[Row]]) -> None:
    assert len(cm.figures) == 29246
    assert [key for key, values in cm.figures.items() if len(values) > 1] == []
    assert [key for key in cm.figures if not cm_rows[key]] == []
    wrong = {key: (one_value(cm_rows[key])["value"], values) for key, values in cm.figures.items()
             if {one_value(cm_rows[key])["value"]} != values}  # fmt: skip
    assert wrong == {}


def test_two_results_of_the_cm_tables_never_became_one(cm: Cm, cm_rows: dict[Key, list[Row]]) -> None:
    ids = [one_value(cm_rows[key])["result_id"] for key in cm.figures]
    assert len(set(ids)) == len(ids)


def test_every_power_of_the_cm_inference_tables_is_there_with_its_value(cm: Cm, cm_rows: dict[Key, list[Row]]) -> None:
    assert cm.power
    assert [key for key in cm.power if key not in cm.figures] == []
    wrong = {key: (one_value(cm_rows[key])["power_value"], values) for key, values in cm.power.items()
             if {one_value(cm_rows[key])["power_value"]} != values}  # fmt: skip
    assert wrong == {}
    without = [key for key in cm.figures if key not in cm.power and one_value(cm_rows[key])["power_value"] is not None]
    assert without == []


def test_the_cm_tables_own_inference_per_joule_is_our_efficiency(cm: Cm, cm_rows: dict[Key, list[Row]]) -> None:
    assert cm.efficiencies == 13110
    for key, values in cm.efficiency.items():
        for value in values:
            assert one_value(cm_rows[key])["efficiency"] == pytest.approx(value, rel=1e-9), key


def test_every_cell_of_the_cm_training_tables_is_there_with_its_value(results: list[Row], training: list[Row]) -> None:
    names = submitters(results, training, "submitter")
    known = {row["benchmark"] for row in results if row["suite"] == "training"}
    cells: dict[Key, set[float]] = {}
    for record in training:
        system = record["details_url"].rpartition("/")[2].removesuffix(".json")
        shown = {record["Model_ID"]: record["Result"]}
        wide = {name: record[name] for name in known if isinstance(record.get(name), int | float)}
        for benchmark, value in (wide | shown).items():
            key = (f"v{record['version']}", record["division"].lower(), names[record["submitter"]], system, benchmark)
            cells.setdefault(key, set()).add(value)
            assert record.get(benchmark, value) == value
    ours = by(
        [row for row in results if row["suite"] == "training"],
        "round",
        "division",
        "submitter",
        "system_id",
        "benchmark",
    )
    assert len(cells) == 903
    assert {key: values for key, values in cells.items() if {row["value"] for row in ours.get(key, [])} != values} == {}


def test_no_number_of_a_training_record_stands_under_a_name_that_we_do_not_read(
    results: list[Row], training: list[Row]
) -> None:
    known = {row["benchmark"] for row in results if row["suite"] == "training"}
    numeric = {name for record in training for name, cell in record.items() if isinstance(cell, int | float)}
    described = {"Accuracy", "Result", "_Accuracy", "_Result", "accelerators_count", "host_processors_count"}
    assert numeric - described - known == set()


@pytest.mark.parametrize(("version", "count"), [("5.1", 1448), ("6.0", 520)])
def test_every_result_of_summary_results_is_there_with_its_value_and_power(
    shared: Path, results: list[Row], version: str, count: int
) -> None:
    path = shared / "tables" / f"inference_results_v{version}_summary_results.json"
    records = json.loads(path.read_text(encoding="utf-8"))
    assert len(records) == count
    names = submitters(results, records, "Submitter")
    ours = by(results, "round", "suite", "division", "submitter", "system_id", "benchmark", "scenario")
    seen = set()
    for record in records:
        key = (f"v{version}", f"inference-{record['Suite']}", record["Category"], names[record["Submitter"]],
               record["Platform"], record["Model"], record["Scenario"])  # fmt: skip
        candidates = [row for row in ours.get(key, []) if row["model"] in (None, record["UsedModel"])]
        own = [row for row in candidates if row["model"] == record["UsedModel"]] or candidates
        (row,) = own
        assert row["value"] == record["Performance_Result"], key
        assert row["power_value"] == record.get("Power_Result"), key
        assert row["has_power"] == record["has_power"], key
        assert row["public_id"] == record["ID"], key
        seen.add((row["result_id"], row["suite"]))
    assert len(seen) == count


def test_every_record_of_the_v6_1_sample_is_there(shared: Path, results: list[Row]) -> None:
    records = json.loads((shared / "exports" / "inference_v6.1_summary_sample.json").read_text(encoding="utf-8"))
    ours = by(results, "round", "division", "submitter", "system_id", "scenario", "value")
    for record in records.values():
        (row,) = ours[
            (
                "v6.1",
                record["Division"],
                record["Organization"],
                record["Platform"],
                record["Scenario"],
                str(float(record["Result"])),
            )
        ]
        assert row["accuracy"].split() == record["Accuracy"].split()
    assert len([row for row in results if row["round"] == "v6.1"]) == len(records)


def test_every_line_of_the_checkers_summary_is_there(shared: Path, results: list[Row], sightings: list[Row]) -> None:
    text = (shared / "exports" / "submission_checker_summary_v5.1.csv").read_text(encoding="utf-8-sig")
    records = list(csv.DictReader(io.StringIO(text)))
    names = submitters(results, records, "Organization")  # type: ignore[arg-type]
    ours = by(results, "round", "submitter", "system_id", "benchmark", "scenario")
    for record in records:
        found = ours[
            (
                record["version"],
                names[record["Organization"]],
                record["Platform"],
                record["MlperfModel"],
                record["Scenario"],
            )
        ]
        assert one_value(found)["value"] == pytest.approx(float(record["Result"]), rel=RESAVED)
    assert len([row for row in sightings if row["format"] == "checker-csv"]) == len(records)


def number(cell: str) -> float:
    return float(cell.replace(",", ""))


def crosstab_cells(path: Path) -> Iterator[Row]:
    """Every filled result cell of the v5.0 crosstab, by the places that things have in this one file."""
    lines = list(csv.reader(io.StringIO(path.read_text(encoding="utf-8-sig"))))
    model = ""
    models = []
    for cell in lines[2]:
        model = cell or model
        models.append(model)
    meta: list[str] = []
    for line in lines[5:]:
        meta = line[:15] if line[0] else meta
        if line[15].startswith("Avg. Result"):
            for place in range(16, len(line)):
                if line[place]:
                    yield {"id": meta[0], "submitter": meta[1], "system": meta[3], "nodes": meta[4],
                           "accelerators": meta[8], "model": models[place], "scenario": lines[3][place],
                           "value": number(line[place]), "division": meta[14].strip()}  # fmt: skip


def named(text: str) -> str:
    return folded(text)


def of_v5_0(results: list[Row]) -> dict[Key, list[Row]]:
    """The round's results by submitter, system's display name, benchmark and scenario: its tables give no IDs."""
    ours: dict[Key, list[Row]] = {}
    for row in results:
        if row["round"] == "v5.0":
            key = row["submitter"], named(row["system_name"]), row["benchmark"], row["scenario"]
            ours.setdefault(key, []).append(row)
    return ours


def test_every_cell_of_the_v5_0_crosstab_is_there_with_its_value(shared: Path, results: list[Row]) -> None:
    cells = list(crosstab_cells(shared / "exports" / "inference_v5.0_crosstab.csv"))
    assert cells
    names = submitters(results, cells, "submitter")
    ours = of_v5_0(results)
    taken = set()
    for cell in cells:
        candidates = ours.get((names[cell["submitter"]], named(cell["system"]), cell["model"], cell["scenario"]), [])
        total = int(cell["nodes"]) * int(cell["accelerators"])
        fitting = [row for row in candidates if row["accelerator_count"] == total] or candidates
        assert len(fitting) == 1, cell
        assert fitting[0]["value"] == pytest.approx(cell["value"], rel=RESAVED, abs=0.005), cell
        assert fitting[0]["division"] == "closed"
        taken.add(fitting[0]["result_id"])
    assert len(taken) == len(cells)


def test_every_line_of_the_full_data_export_is_there_with_its_power(shared: Path, results: list[Row]) -> None:
    text = (shared / "exports" / "inference_v5.0_closed_power_full_data.csv").read_text(encoding="utf-8-sig")
    records = list(csv.DictReader(io.StringIO(text.partition("\n")[2])))
    ours = of_v5_0(results)
    powered = set()
    for record in records:
        (row,) = ours[
            (
                record["Organization"],
                named(record["System Name (click + for details)"]),
                record["Model MLC"],
                record["Scenario"],
            )
        ]
        assert row["has_power"]
        if record["Units"] == "Watts":
            assert (row["power_value"], row["power_unit"]) == (float(record["Result"]), "W")
            assert row["efficiency"] == pytest.approx(row["value"] / float(record["Result"]), rel=SAME)
            powered.add(row["result_id"])
        else:
            assert row["value"] == pytest.approx(float(record["Result"]), rel=SAME)
    inference = [row for row in results if row["suite"] != "training"]
    assert powered == {row["result_id"] for row in inference if row["round"] == "v5.0" and row["has_power"]}


def test_every_line_of_the_training_power_export_is_there(shared: Path, results: list[Row]) -> None:
    text = (shared / "exports" / "training_v4.0_closed_power_flat.csv").read_text(encoding="utf-8-sig")
    lines = list(csv.reader(io.StringIO(text)))
    ours = by(
        [row for row in results if row["suite"] == "training" and row["round"] == "v4.0"],
        "system_name",
        "accelerator_count",
        "benchmark",
    )
    seen = set()
    for line in lines[1:]:
        (row,) = ours[(line[3], line[21], line[9])]
        if line[11] == "kJ":
            assert (row["power_value"], row["power_unit"]) == (number(line[20]), "kJ")
        else:
            assert (row["value"], row["unit"]) == (number(line[20]), "min")
        seen.add((row["result_id"], line[11]))
    published = [row for rows in ours.values() for row in rows if row["basis"] == "published"]
    assert len(seen) == len(lines) - 1 == 2 * len(published)


V6_AVERAGED = {
    ("HPE", "llama2-70b-99", "Offline", 2), ("HPE", "llama2-70b-99", "Server", 2),
    ("HPE", "llama3.1-8b", "Offline", 2), ("HPE", "llama3.1-8b", "Interactive", 2),
    ("HPE", "llama3.1-8b", "Offline", 4), ("HPE", "llama3.1-8b", "Server", 4), ("HPE", "llama3.1-8b", "Interactive", 4),
}  # fmt: skip
"""Lines of the v6.0 export that average two systems of one name; their own figures stand in summary_results.json."""

V6_IN_SAMPLES = {
    ("Cisco", "C240M8-1-node-2S-GNR_86C"), ("Dell", "1-node-2S-GNR_86C"), ("Intel", "1-node-2S-GNR_128C"),
    ("Intel", "1-node-4x-BMG-B50"), ("Intel", "1-node-4x-BMG-B60"), ("Intel", "1-node-4x-BMG-Pro-B60-Dual"),
    ("Intel", "1-node-4x-BMG-B70"), ("Lenovo", "1-node-2S-GNR_86C"), ("Quanta_Cloud_Technology", "1-node-2S-GNR_86C"),
    ("Supermicro", "1-node-2S-GNR_128C"),
}  # fmt: skip
"""Systems with Intel's software whose llama3.1-8b, Offline and Server, the v6.0 export gives in samples (articles)."""

V6_FACTOR = 128
"""Tokens of one such sample: the repository's table gives tokens."""

V6_NAMES = {"text to video": "wan-2.2-t2v-a14b", "vlm": "qwen3-vl-235b-a22b"}
"""Benchmarks that the export calls by their task."""


def test_every_line_of_the_v6_0_export_agrees_but_for_those_that_are_reported(
    shared: Path, results: list[Row], problems: list[Row]
) -> None:
    data = (shared / "exports" / "inference_v6.0_flat_utf16.csv").read_bytes()
    lines = list(csv.reader(io.StringIO(data[: len(data) // 2 * 2].decode("utf-16")), delimiter="\t"))
    names = submitters(results, [{"name": line[1]} for line in lines[1:]], "name")
    ours: dict[Key, list[Row]] = {}
    for row in results:
        if row["round"] == "v6.0" and row["suite"] == "inference-datacenter" and row["division"] == "closed":
            ours.setdefault(
                (row["submitter"], named(row["system_name"]), row["benchmark"], row["scenario"]), []
            ).append(row)
    reported = {(row["kind"], row["line"]): row for row in problems if row["file"] == "mlperf-data/mlperf-6.0.csv"}
    averaged, in_samples, other = set(), set(), []
    for place, line in enumerate(lines[1:], 2):
        value = number(line[21])
        candidates = ours.get((names[line[1]], named(line[3]), V6_NAMES.get(line[10], line[10]), line[11]), [])
        if any(row["value"] == pytest.approx(value, rel=RESAVED) for row in candidates):
            continue
        if len(candidates) > 1 and value == pytest.approx(
            sum(row["value"] for row in candidates) / len(candidates), rel=RESAVED
        ):
            averaged.add((names[line[1]], line[10], line[11], int(float(line[20]))))
        elif len(candidates) == 1 and candidates[0]["value"] == pytest.approx(V6_FACTOR * value, rel=RESAVED):
            in_samples.add((line[1], line[3], line[10], line[11]))
            assert ("sources-differ", place) in reported
        else:
            other.append((place, line[:4], line[10:13], value, [row["value"] for row in candidates]))
    assert other == []
    assert averaged == V6_AVERAGED
    expected = {(*system, "llama3.1-8b", scenario) for system in V6_IN_SAMPLES for scenario in ("Offline", "Server")}
    assert in_samples == expected
    assert len([key for key in reported if key[0] == "sources-differ"]) == len(expected)
    averages = [row for key, row in reported.items() if key[0] == "average-of-systems"]
    assert len(averages) == len(V6_AVERAGED)
    assert {(benchmark, scenario) for _, benchmark, scenario, _ in V6_AVERAGED} == {
        tuple(row["found"].split()[:2]) for row in averages
    }


AC_SSD = "smc-ac-power/results/1xSMC-H100-SXM-80GB/ssd"
"""Published 37/36 higher than its logs give, minutes and energy alike. That is the factor of 4 epochs at a batch of 320
(the reference takes 37/9 there), as HPE's scaling.json has it; at these logs' 256 the reference takes 4 epochs too. The
repository holds no factor for them, and the very same runs in smc-dc-power were published as they are."""

DIFFERENCES = {
    "mlperf-data/mlperf-6.0.csv": (20, "llama3.1-8b"),  # V6_IN_SAMPLES
    f"{AC_SSD}/result_5753-240517062537491026015_5.txt": (2, "ssd 36.1777 min"),  # AC_SSD: its minutes, its energy
}
"""Files whose figures differ from a more trusted source's: how many, and of what."""


def test_sources_differ_nowhere_else(problems: list[Row]) -> None:
    found: dict[str, list[str]] = {}
    for row in problems:
        if row["kind"] == "sources-differ":
            found.setdefault(row["file"], []).append(row["found"])
    assert {file: len(texts) for file, texts in found.items()} == {
        file: many for file, (many, _) in DIFFERENCES.items()
    }
    assert all(text.startswith(DIFFERENCES[file][1]) for file, texts in found.items() for text in texts)
    averages = {row["file"] for row in problems if row["kind"] == "average-of-systems"}
    assert averages == {"mlperf-data/mlperf-6.0.csv"}


def test_ssd_of_smc_ac_power_was_published_with_the_factor_of_another_batch_size(shared: Path) -> None:
    def runs(folder: str) -> list[tuple[float, object, object]]:
        """Minutes, epochs and batch size of each log."""
        found = []
        for name in names:
            if name.startswith(f"{folder}/result_"):
                text = archive.read(name).decode("latin-1")
                start, stop = (
                    int(time) for time in re.findall(r'"time_ms": (\d+)[^\n]*"key": "run_(?:start|stop)"', text)
                )
                epochs = max(map(int, re.findall(r'"key": "eval_accuracy".*"epoch_num": (\d+)', text)))
                (batch,) = set(re.findall(r'"key": "global_batch_size", "value": (\d+)', text))
                found.append(((stop - start) / 60_000, epochs, batch))
        return found

    text = (shared / "exports" / "training_v4.0_closed_power_flat.csv").read_text(encoding="utf-8-sig")
    figures = {(line[3], line[10]): number(line[20]) for line in csv.reader(io.StringIO(text))
               if line[9] == "ssd" and line[21] == "8"}  # fmt: skip
    with zipfile.ZipFile(shared / "training" / "training_results_v4.0.zip") as archive:
        names = archive.namelist()
        hpe = "HPE/results/HPE-Cray-XD670-Gen11-H100-SXM5-80GB_n1_pytorch_24.04/ssd"
        factor = json.loads(archive.read(f"{hpe}/scaling.json"))["scaling_factor"]
        assert factor == pytest.approx(37 / 36)
        ac, dc = runs(AC_SSD), runs(AC_SSD.replace("-ac-", "-dc-"))
        assert {run[1:] for run in runs(hpe)} == {(4, "320")}
        assert {run[1:] for run in ac} == {(4, "256")}
        assert f"{AC_SSD}/scaling.json" not in names
        assert ac == dc
    minutes = sum(sorted(run[0] for run in ac)[1:-1]) / 3
    unit = "Latency (In minutes)"
    assert figures["SMC-H100-DC-Power", unit] == pytest.approx(minutes, abs=0.0005)
    assert figures["SMC-H100-AC-Power", unit] == pytest.approx(minutes * factor, abs=0.0005)


def is_of_a_table(problem: Row) -> bool:
    """Whether a fault is one of a table; the others are of logs."""
    tables = [entry for entry in listed() if entry["file"].startswith(("tables/", "exports/"))]
    whole = {entry["source"] for entry in tables if entry["file"].endswith(".zip")}
    paths = {(entry["source"], entry.get("path", entry["file"].rpartition("/")[2])) for entry in tables}
    return problem["source"] in whole or (problem["source"], problem["file"]) in paths


def test_nothing_was_left_out_of_any_table(problems: list[Row]) -> None:
    harmless = {
        "corrected-unit", "corrected-count", "senseless-count", "sources-differ", "average-of-systems",
        "assumed-division",
    }  # fmt: skip
    of_tables = [row for row in problems if is_of_a_table(row)]
    assert {row["kind"] for row in of_tables} <= harmless
    assert {row["source"] for row in of_tables} == {
        "aryatschand/MLPerf-Power-HPCA-2025", "brennanlives/FWE_examples", "mlcommons/cm4mlperf-results",
        "mlcommons/inference_results_v5.1", "mlcommons/inference_results_v6.0", "openshift-psap/performance-dashboard",
    }  # fmt: skip


def test_the_snapshot_holds_nothing_that_no_table_has(
    shared: Path, results: list[Row], sightings: list[Row], cm: Cm, training: list[Row]
) -> None:
    """Every published figure is a cell of some table, and no result is without the place it was read at."""
    figures = {value for values in (*cm.figures.values(), *cm.power.values()) for value in values}
    for record in training:
        figures |= {cell for cell in record.values() if isinstance(cell, int | float)}
    for path in sorted((shared / "tables").glob("*.json")):
        for record in json.loads(path.read_text(encoding="utf-8")):
            figures |= {record["Performance_Result"], record.get("Power_Result")}
    for path in sorted((shared / "exports").glob("*.*")):
        data = path.read_bytes()
        utf_16 = data[:2] == b"\xff\xfe"
        text = data[: len(data) // 2 * 2].decode("utf-16") if utf_16 else data.decode("utf-8-sig")
        if path.suffix == ".json":
            figures |= {float(record["Result"]) for record in json.loads(text).values()}
        else:
            for line in csv.reader(io.StringIO(text), delimiter="\t" if utf_16 else ","):
                figures |= {number(cell) for cell in line if re.fullmatch(r"[\d,]*\.?\d+", cell) and cell.strip(",.")}
    for rows in (results, sightings):
        published = [row for row in rows if row["basis"] == "published"]
        assert len(published) > 30_000
        assert {row["value"] for row in published} - {None} - figures == set()
        assert {row["power_value"] for row in published} - {None} - figures == set()
    assert {row["result_id"] for row in results} == {row["result_id"] for row in sightings if row["result_id"]}


def test_every_sighting_belongs_to_a_result_unless_it_is_an_average(sightings: list[Row]) -> None:
    ownerless = [row for row in sightings if row["result_id"] is None]
    assert {row["format"] for row in ownerless} == {"export-flat"}
    assert {row["source_path"] for row in ownerless} == {"mlperf-data/mlperf-6.0.csv"}


def test_dell_in_v3_1_has_the_numbers_that_dell_counts(results: list[Row]) -> None:
    rows = [
        row for row in results if row["round"] == "v3.1" and row["submitter"] == "Dell" and row["suite"] != "training"
    ]
    distinct = {row["result_id"]: row for row in rows}
    powered = [row for row in distinct.values() if row["has_power"]]
    assert (len(distinct), len(powered), len(distinct) + len(powered)) == (216, 14, 230)
    assert all(row["power_value"] is not None for row in powered)


def picked(results: list[Row], **wanted: str) -> list[Row]:
    return [row for row in results if all(re.search(text, str(row[column])) for column, text in wanted.items())]


def test_the_xr7620_answers_resnet_in_single_stream_in_0_344907_ms(results: list[Row]) -> None:
    found = picked(
        results, round="v3.1", server="^XR7620$", benchmark="^resnet$", scenario="SingleStream", has_power="False"
    )
    assert [(row["value"], row["unit"]) for row in found] == [(0.344907, "ms")]


def test_the_r750xa_trains_resnet_on_one_to_eight_nodes(results: list[Row]) -> None:
    found = picked(
        results,
        round="^v1.1$",
        suite="training",
        server="R750xa",
        benchmark="^resnet$",
        system_id=r"^(\dx)?R750xax4A100-PCIE-80GB$",
    )
    times = {row["accelerator_count"]: round(row["value"], 3) for row in found}
    assert times == {4: 62.949, 8: 32.087, 16: 17.336, 32: 10.586}
    assert {row["unit"] for row in found} == {"min"}


def test_the_xr5610_takes_4065_mj_for_a_query_of_rnn_t(results: list[Row]) -> None:
    (row,) = picked(
        results, round="v3.1", server="^XR5610$", benchmark="^rnnt$", scenario="SingleStream", has_power="True"
    )
    assert row["power_value"] == pytest.approx(4065.19, abs=0.005)
    assert row["power_unit"] == "mJ"
    assert row["efficiency"] == pytest.approx(0.245991, abs=5e-7)
    assert row["efficiency_unit"] == "samples/J"


def listed() -> list[Row]:
    return tomllib.loads((DATA / "SOURCES.toml").read_text(encoding="utf-8"))["source"]  # type: ignore[no-any-return]


LOOSE = "exports/endpoints"
"""A tree in no archive: one source, known by the contents of its files and by how they lie together."""


def loose_digest(folder: Path) -> str:
    files = [path for path in folder.rglob("*") if path.is_file()]
    (top,) = {path.parent for path in files if path.name == "measurements.json"}
    lines = [f"{hashlib.sha256(path.read_bytes()).hexdigest()} {path.relative_to(top)}\n" for path in sorted(files)]
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def test_sources_toml_lists_exactly_the_files_that_there_are(shared: Path) -> None:
    files = [path for path in shared.rglob("*") if path.is_file() and shared / LOOSE not in path.parents]
    there = {str(path.relative_to(shared)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}
    del there["README.md"]
    assert {entry["file"]: entry["sha256"] for entry in listed()} == there | {LOOSE: loose_digest(shared / LOOSE)}


def test_the_snapshot_says_of_each_file_what_sources_toml_says(problems: list[Row]) -> None:
    written = _records(pq.read_table(DATA / "sources.parquet"))
    fields = ("file", "sha256", "source", "licence")
    assert sorted(tuple(row[field] for field in fields) for row in written) == sorted(
        tuple(entry[field] for field in fields) for entry in listed()
    )
    (empty,) = [row for row in written if not row["rows"]]
    assert empty["file"] == LOOSE  # without a system's sheet nothing tells its suite
    assert {"missing-system", "unknown-suite"} <= {row["kind"] for row in problems if row["source"] == empty["source"]}


def test_the_snapshot_travels_with_every_clone() -> None:
    assert sum(path.stat().st_size for path in DATA.glob("*.parquet")) < 8_000_000


def test_the_snapshot_is_what_the_loaders_make_of_all_files_today(shared: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "loaders", "snapshot", "--jobs", "2", "--from", str(shared), "--to", str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr.decode()
    stale = [path.name for path in sorted(tmp_path.iterdir()) if path.read_bytes() != (DATA / path.name).read_bytes()]
    assert stale == [], "run `make snapshot`"
    assert {path.name for path in tmp_path.iterdir()} == {path.name for path in DATA.iterdir()} - {"SOURCES.toml"}
