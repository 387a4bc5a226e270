"""`data/SOURCES.toml`: the files that the embedded snapshot is made of, told by their content."""

import datetime
import functools
import tomllib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from mlperf.errors import CatalogError

E = TypeVar("E")

DATA = Path(__file__).parent.parent / "data"
"""The embedded snapshot."""

PATH = DATA / "SOURCES.toml"


@dataclass(frozen=True)
class Listed:
    """One file of the snapshot."""

    file: str
    """Where it lies in the folder that the snapshot is built from."""
    sha256: str
    source: str
    """Its repository at GitHub, `owner/name`."""
    licence: str
    what: str
    path: str | None = None
    """The file's path in the repository; None for an archive of the repository, or where the path is not known."""
    root: str = ""
    """Folder inside the archive that is the repository's root."""
    commit: str | None = None

    def path_of(self, member: str, *, is_archive: bool) -> str:
        """The path in the repository of an archive's member, or of the file itself; else its own name."""
        if is_archive:
            return member.removeprefix(self.root + "/" if self.root else "")
        return self.path or self.file.rpartition("/")[2]


@dataclass(frozen=True)
class Missing:
    """Something that the snapshot lacks."""

    what: str
    why: str
    round: str = ""
    """The round whose results are missing, `inference v5.0`; "" where none are."""
    parts: tuple[str, ...] = ()
    """Its suites and divisions that lack some: `inference-edge/open`."""


@dataclass(frozen=True)
class Manifest:
    """Every listed file, by the sha256 of its content."""

    listed: dict[str, Listed] = field(default_factory=dict)
    retrieved: datetime.date | None = None
    """The day on which the files were read for the snapshot, for citations."""
    missing: tuple[Missing, ...] = ()

    def find(self, sha256: str) -> Listed | None:
        """The entry of the file with this content; None for a file of the user's own."""
        return self.listed.get(sha256)


@functools.cache
def read(path: Path = PATH) -> Manifest:
    """The manifest at `path`. Raises `CatalogError` where an entry is incomplete or stands twice."""
    with path.open("rb") as file:
        content: dict[str, Any] = tomllib.load(file)
    listed: dict[str, Listed] = {}
    for entry in content.get("source", []):
        item = _entry(Listed, entry, entry.get("file"), path)
        if item.sha256 in listed:
            raise CatalogError(f"{item.file!r} and {listed[item.sha256].file!r} have one sha256.", str(path))
        listed[item.sha256] = item
    missing = [
        _entry(Missing, {**entry, "parts": tuple(entry.get("parts", ()))}, entry.get("what"), path)
        for entry in content.get("missing", [])
    ]
    retrieved = content.get("retrieved")
    if not isinstance(retrieved, datetime.date | None):
        raise CatalogError(f"retrieved is {retrieved!r}, not a date.", str(path), "Write it as 2026-01-31.")
    return Manifest(listed, retrieved, tuple(missing))


def _entry(make: Callable[..., E], entry: dict[str, Any], name: object, path: Path) -> E:
    try:
        return make(**entry)
    except TypeError as fault:
        raise CatalogError(
            f"entry {name!r}: {fault}.", str(path), f"See the fields of loaders.manifest.{make.__name__}."
        ) from fault
