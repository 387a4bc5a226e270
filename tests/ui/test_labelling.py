"""Labels: what a form asks for, what it changes, what a published system fills in."""

from pathlib import Path

import pytest

from loaders.trees.protocol import Label
from loaders.upload import Entry, inspect, label_of, preview
from mlperf.systems import SystemKey
from tests.loaders.trees import making_inference, making_training
from ui import labelling


def entries(folder: Path, files: dict[str, str]) -> tuple[Entry, ...]:
    making_training.write(files, folder)
    found = sorted(path for path in folder.rglob("*") if path.is_file())
    return preview(inspect([(path, f"up/{path.relative_to(folder)}") for path in found])).entries


@pytest.fixture
def lone(tmp_path: Path) -> tuple[Entry, ...]:
    """Two bare logs in folders of their own."""
    log = making_inference.summary("Offline", {"Samples per second": 1234.56})
    return entries(tmp_path, {f"{name}/mlperf_log_summary.txt": log for name in ("one", "two")})


def test_only_what_logs_do_not_say_is_asked(lone: tuple[Entry, ...]) -> None:
    fields = labelling.asked(lone)
    assert "scenario" not in fields
    assert fields == ["round", "division", "system_id", "accelerator", "accelerators_per_node", "nodes", "suites",
                      "benchmark", "processor", "framework"]  # fmt: skip


def test_a_form_says_nothing_against_the_logs(lone: tuple[Entry, ...]) -> None:
    labels = labelling.applied(lone, Label(round="v3.1", scenario="Server", system_id="mine"), {})
    assert set(labels) == {entry.group for entry in lone}
    assert all(label == Label(round="v3.1", system_id="mine") for label in labels.values())


def test_an_earlier_label_stays_beside_a_new_one(lone: tuple[Entry, ...]) -> None:
    group = lone[0].group
    labels = labelling.applied(lone[:1], Label(division="open"), {group: Label(round="v3.1")})
    assert labels == {group: Label(round="v3.1", division="open")}


def test_a_changed_cell_labels_its_row_alone(lone: tuple[Entry, ...]) -> None:
    before = labelling._editable(lone)
    rows = before.to_pylist()
    rows[1]["system_id"] = "mine"
    after = before.from_pylist(rows, schema=before.schema)
    assert labelling.changed(before, after, {}) == {lone[1].group: Label(system_id="mine")}
    assert labelling.changed(before, before, {}) == {}


def test_a_published_system_fills_in_what_it_is() -> None:
    filled = labelling.filled(SystemKey("training", "v1.1", "Dell", "2xXE8545x4A100-SXM-80GB"))
    assert filled["system_id"] == "2xXE8545x4A100-SXM-80GB"
    assert (filled["accelerator"], filled["accelerators_per_node"], filled["nodes"]) == (
        "NVIDIA A100-SXM-80GB", "4", "2"
    )  # fmt: skip
    assert filled["division"] == "closed"
    assert filled["suites"] is None
    assert labelling.filled(SystemKey("training", "v1.1", "Dell", "none")) == {}


def test_labels_are_read_back_from_what_they_made(lone: tuple[Entry, ...]) -> None:
    assert label_of(lone[0]).scenario == "Offline"
    assert label_of(lone[0]).system_id is None
