"""Small tables written by hand in every shape that the loaders read, and what came of loading them."""

import csv
import io
import json
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import duckdb

from loaders.ingest import SourceReport, load
from loaders.manifest import Manifest
from loaders.snapshot import TABLES

Cells = dict[str, Any]


def checker(**changes: Any) -> Cells:
    """A record with the submission checker's columns."""
    return {
        "Organization": "Acme",
        "Availability": "available",
        "Division": "closed",
        "SystemType": "datacenter",
        "SystemName": "Acme One (8x A100)",
        "Platform": "acme_one_8xA100",
        "Model": "resnet50",
        "MlperfModel": "resnet",
        "Scenario": "Offline",
        "Result": 1000.5,
        "Accuracy": "acc: 76.1",
        "number_of_nodes": 1,
        "host_processor_model_name": "Processor 9000",
        "host_processors_per_node": 2,
        "host_processor_core_count": 64,
        "accelerator_model_name": "NVIDIA A100-SXM4-80GB",
        "accelerators_per_node": 8,
        "Location": "closed/Acme/results/acme_one_8xA100/resnet50/Offline",
        "framework": "TensorRT 9",
        "operating_system": "Ubuntu 22.04",
        "notes": "",
        "compliance": 1,
        "errors": 0,
        "version": "v3.1",
        "inferred": 0,
        "has_power": False,
        "Units": "Samples/s",
    } | changes


def cm(**changes: Any) -> Cells:
    """An inference record of cm4mlperf-results."""
    record = checker() | {"uid": "00ff", "Result_Units": "Samples/s"} | changes
    return record | {"Units": changes.get("Units", record["Result_Units"])}


def training(**changes: Any) -> Cells:
    """A training record of cm4mlperf-results."""
    return {
        "Model_ID": "resnet",
        "Organization": "Acme",
        "Result": 30.5,
        "Result_Units": "min.",
        "accelerator_model_name": "NVIDIA A100-SXM4-80GB",
        "accelerators_count": 8,
        "availability": "available",
        "details_url": "https://github.com/mlcommons/training_results_v2.0/blob/main/Acme/systems/acme_8.json",
        "division": "closed",
        "framework": "MXNet",
        "host_processor_model_name": "Processor 9000",
        "resnet": 30.5,
        "submitter": "Acme",
        "system": "acme",
        "uid": "ff00",
        "version": "2.0",
    } | changes


def summary(**changes: Any) -> Cells:
    """A record of `summary_results.json`."""
    return {
        "ID": "5.1-0001",
        "Submitter": "Acme",
        "Availability": "available",
        "Category": "closed",
        "Suite": "datacenter",
        "System": "Acme One (8x A100)",
        "Platform": "acme_one_8xA100",
        "UsedModel": "llama2-70b-99",
        "Model": "llama2-70b-99",
        "Scenario": "Offline",
        "Accuracy": "ROUGE1: 44.5",
        "Nodes": 1,
        "Processor": "Processor 9000",
        "host_processors_per_node": 2,
        "Accelerator": "NVIDIA A100-SXM4-80GB",
        "a#": 8,
        "Location": "closed/Acme/results/acme_one_8xA100/llama2-70b-99/Offline",
        "Software": "TensorRT 9",
        "errors": 0,
        "version": "v5.1",
        "inferred": 0,
        "has_power": False,
        "Performance_Result": 2000.25,
        "Performance_Units": "Tokens/s",
    } | changes


FLAT = {
    "Public ID": "5.1-0001",
    "Organization": "Acme",
    "Availability": "available",
    "System Name (click + for details)": "Acme One (8x A100)",
    "# of Nodes": "1",
    "Accelerator": "NVIDIA A100-SXM4-80GB",
    "# of Accelerators": "8",
    "Benchmark": "Inference",
    "Model MLC": "llama2-70b-99",
    "Scenario": "Offline",
    "Units": "Tokens/s",
    "Division/Power": "Closed ",
    "Avg. Result at System Name": "2,000.25",
}
"""One line of a flat export under its headings."""

FULL = {name: cell for name, cell in FLAT.items() if name != "Avg. Result at System Name"} | {
    "Version": "v5.1",
    "System Type": "datacenter",
    "Result": "2000.25",
    "Result at System Name": "2000.25",
}
"""One line of a "Full Data" export."""

TRAINING = {
    "Public ID": "4.0-0001",
    "Availability": "available",
    "Organization": "Acme",
    "System Name": "acme-power",
    "Accelerator Model Name": "NVIDIA A100-SXM4-80GB",
    "Accelerators Per Node": "8",
    "Benchmark": "Training",
    "Model MLC": "bert",
    "Number Of Nodes": "2",
    "Units": "Latency (In minutes)",
    "Division/Power": "Closed - Power",
    "Avg. Result at System Name": "56.869",
    "Total Accelerators": "16",
}
"""One line of a flat export of training."""


SUMMARIZED: Cells = {
    "division": "closed",
    "availability": "onprem",
    "submitter": "Acme",
    "system": "acme",
    "number_of_nodes": 2,
    "host_processor_model_name": "Processor 9000",
    "host_processors_count": 4,
    "accelerator_model_name": "NVIDIA A100-SXM4-80GB",
    "accelerators_count": 16,
    "framework": "MXNet",
    "notes": "",
    "private_id": "",
}
"""What the training summarizer says of a system."""


def links(usage: str = "training", round_: str = "v3.0", system: str = "acme_2x8") -> Cells:
    """The links that the training summarizer puts behind a system."""
    repository = f"https://github.com/mlcommons/{usage}_results_{round_}/blob"
    return {
        "details_url": f"{repository}/main/Acme/systems/{system}.json",
        "code_url": f"{repository}/master/Acme/benchmarks",
    }


def summarizer(**changes: Any) -> str:
    """A table of the training summarizer with one system; benchmarks stand before the links."""
    known = links()
    own = {name: value for name, value in changes.items() if name not in SUMMARIZED and name not in known}
    behind = {name: changes.get(name, value) for name, value in known.items()}
    return table({**{name: changes.get(name, value) for name, value in SUMMARIZED.items()}, **own, **behind})


def lines(rows: Iterable[Iterable[Any]], delimiter: str = ",", end: str = "\n") -> str:
    """Rows as the text of a table."""
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter, lineterminator=end).writerows(rows)
    return text.getvalue()


def table(*rows: Mapping[str, Any], delimiter: str = ",", end: str = "\n", above: str = "") -> str:
    """Rows under the headings of the first."""
    names = list(rows[0])
    return above + lines([names, *([row[name] for name in names] for row in rows)], delimiter, end)


CROSSTAB_META = (
    "Public ID", "Organization", "Availability", "System Name (click + for details)", "# of Nodes",
    "Accelerator", "# of Accelerators", "Division/Power", "",
)  # fmt: skip


def crosstab(
    systems: Mapping[tuple[str, ...], Mapping[tuple[str, str, str], str]],
    columns: list[tuple[str, str, str]],
    *,
    meta_last: bool = False,
    result_first: bool = False,
) -> str:
    """Systems (their meta cells) down, (benchmark, scenario, unit) across, three labelled lines per system."""
    blank = [""] * len(CROSSTAB_META)
    labels = ["# of Accelerators", "Avg. Result at System Name", "# of Nodes"]
    if result_first:
        labels = [labels[1], labels[0], labels[2]]

    def put(meta: list[str], cells: list[str]) -> list[str]:
        return cells + meta if meta_last else meta + cells

    merged = [name if index == 0 or columns[index - 1][0] != name else "" for index, (name, _, _) in enumerate(columns)]
    rows = [
        put(blank, ["Benchmark  /  Model MLC  /  Scenario  /  Units"] + [""] * (len(columns) - 1)),
        put(blank, merged),
        put(blank, [scenario for _, scenario, _ in columns]),
        put(list(CROSSTAB_META), [unit for _, _, unit in columns]),
    ]
    for meta, cells in systems.items():
        for number, label in enumerate(labels):
            own = [*meta, label] if number == 0 else [*blank[:-1], label]
            told = [
                cells[column] if label.startswith("Avg") and column in cells else "8" if column in cells else ""
                for column in columns
            ]
            rows.append(put(own, told))
    return lines(rows, end="\r\n")


def packed(files: Mapping[str, bytes | str | object]) -> bytes:
    """A zip of these files."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(name), as_bytes(content), compress_type=zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


def as_bytes(content: bytes | str | object) -> bytes:
    """Bytes as they are, text in UTF-8, anything else as JSON."""
    if isinstance(content, bytes):
        return content
    return (content if isinstance(content, str) else json.dumps(content, indent=1)).encode()


def write(folder: Path, files: Mapping[str, bytes | str | object]) -> list[Path]:
    """The files on disk."""
    paths = []
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(as_bytes(content))
        paths.append(path)
    return paths


def load_files(
    connection: duckdb.DuckDBPyConnection, folder: Path, files: Mapping[str, bytes | str | object]
) -> list[SourceReport]:
    """Write the files and load them one by one, in their order; one report each."""
    return [report for path in write(folder, files) for report in load(path, connection, Manifest())]


def rows(connection: duckdb.DuckDBPyConnection, name: str = "results") -> list[Cells]:
    """A whole table, sorted."""
    found = connection.cursor().table(name).to_arrow_table().to_pylist()
    return sorted(found, key=lambda row: repr(list(row.values())))


def result(connection: duckdb.DuckDBPyConnection) -> Cells:
    """The only result there is."""
    (found,) = rows(connection)
    return found


def kinds(connection: duckdb.DuckDBPyConnection) -> list[str]:
    """The kinds of all stored problems, sorted."""
    return sorted(row["kind"] for row in rows(connection, "problems"))


def state(connection: duckdb.DuckDBPyConnection) -> dict[str, list[Cells]]:
    """Everything in the database."""
    return {name: rows(connection, name) for name in TABLES}
