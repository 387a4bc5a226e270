"""Uploads for tests: files as a browser hands them over, what is read of them, labels, and catalogs to save them in."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb

from loaders import own, store
from loaders.trees.protocol import Label
from loaders.unpack import OnProgress
from loaders.upload import Entry, Inspected, Preview, UploadLimits, inspect, preview
from mlperf.model import RESULT_COLUMNS
from tests.loaders.making import as_bytes
from tests.loaders.trees.making_training import log

LABEL = Label(round="v1.1", division="closed", system_id="box", benchmark="rnnt", accelerator="NVIDIA A100-SXM-80GB",
              accelerators_per_node="4", nodes="1")  # fmt: skip
"""What logs of training do not tell."""
INFERENCE = Label(round="v3.1", division="closed", system_id="box", benchmark="resnet", suites="edge",
                  accelerator="NVIDIA L4", accelerators_per_node="1", nodes="1")  # fmt: skip
"""What a LoadGen log does not tell."""
MOST = 1000
"""Results of one owner."""


def given(folder: Path, files: Mapping[str, Any]) -> list[tuple[Path, str]]:
    """Files on disk under names of ours, each with its owner's path."""
    folder.mkdir(parents=True, exist_ok=True)
    found = []
    for number, (name, content) in enumerate(files.items()):
        path = folder / f"{number}.upload"
        path.write_bytes(as_bytes(content))
        found.append((path, name))
    return found


def read(
    folder: Path,
    files: Mapping[str, Any],
    limits: UploadLimits | None = None,
    on_progress: OnProgress | None = None,
) -> Inspected:
    """An upload of these files."""
    return inspect(given(folder, files), limits, on_progress)


def previewed(folder: Path, files: Mapping[str, Any], label: Label | None = None) -> Preview:
    """What would be saved, with one label for all groups."""
    return preview(read(folder, files), {"": label} if label else None)


def only(found: Preview) -> Entry:
    """The one group of an upload."""
    (entry,) = found.entries
    return entry


def ten(first: float = 10, benchmark: str = "rnnt") -> dict[str, str]:
    """Ten logs of training, a minute longer each; the mean of the eight in the middle is `first` + 4.5."""
    return {f"result_{number}.txt": log(first + number, at=number * 1000, benchmark=benchmark) for number in range(10)}


@dataclass
class Box:
    """A catalog of own results beside a small snapshot, both in memory unless a file is named."""

    folder: Path
    file: Path | None = None
    published: duckdb.DuckDBPyConnection = field(init=False)
    catalog: own.Catalog = field(init=False)

    def __post_init__(self) -> None:
        self.published = store.open_database(None)
        self.open()

    def open(self) -> None:
        """Attach the catalog."""
        self.catalog = own.attach(self.published, self.file or self.folder / "own.duckdb")

    def close(self) -> None:
        """Close everything, as the end of the process does."""
        self.published.close()

    def save(
        self,
        files: Mapping[str, Any],
        owner: str = "me",
        title: str = "",
        label: Label | None = LABEL,
        most: int = MOST,
    ) -> own.Saved:
        """Read an upload and save it."""
        inspected = read(self.folder / "given", files)
        found = preview(inspected, {"": label} if label else None)
        return self.catalog.save(owner, title, inspected, found, most)

    def state(self) -> dict[str, list[str]]:
        """Everything in the catalog, each table sorted."""
        cursor = self.catalog.cursor()
        tables = cursor.execute("select table_name from duckdb_tables() where database_name = 'own'").fetchall()
        return {
            name: sorted(map(repr, cursor.execute(f'select * from own."{name}"').fetchall()))
            for name in sorted(row[0] for row in tables)
        }


def columns(table: Any, *names: str) -> list[tuple[Any, ...]]:
    """The rows of an Arrow table, these columns of it, sorted."""
    names = names or RESULT_COLUMNS
    return sorted(zip(*(table[name].to_pylist() for name in names), strict=True), key=repr)
