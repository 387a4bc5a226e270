"""Everything that can go wrong, in two kinds that are never mixed.

An *exception* when we cannot go on; a `Problem` *value* when one line is bad and the rest stands.

DashboardError(found, where, fix)
├─ LoadError
│  ├─ UnknownFormat      no format knows the file
│  ├─ AmbiguousFormat    two formats claim the file
│  ├─ UnsafeArchive      an archive that we refuse to read
│  └─ BrokenFile         the file's own structure is damaged
├─ StoreError            the database file cannot be used
├─ QueryError            a question that cannot be asked (unknown column, bad value)
└─ CatalogError          our own data is wrong: fail at start
"""

from dataclasses import dataclass
from typing import NamedTuple


class Where(NamedTuple):
    """A place in a file as its owner has it: `upload.zip/run_1/summary.txt`, line 41."""

    file: str
    line: int | None = None
    """1-based, as an editor counts: lines end at a line feed only."""

    def __str__(self) -> str:
        return self.file if self.line is None else f"{self.file}:{self.line}"


@dataclass(frozen=True, order=True)
class Problem:
    """One fault in the data: what was found, where, and what was done or can be done about it."""

    where: Where
    kind: str
    """A short stable name of the fault: `unknown-spelling`, `corrected-unit`, `sources-differ`, `bad-cell`, …"""
    found: str
    fix: str = ""

    def __str__(self) -> str:
        return f"{self.where}: {self.found}" + (f" {self.fix}" if self.fix else "")


class DashboardError(Exception):
    """We cannot go on. The message says what was found, where, and what to do."""

    def __init__(self, found: str, where: Where | str | None = None, fix: str = "") -> None:
        self.found = found
        self.where = Where(where) if isinstance(where, str) else where
        self.fix = fix
        place = "" if self.where is None else f"{self.where}: "
        super().__init__(place + found + (f" {fix}" if fix else ""))

    def __reduce__(self) -> tuple[type["DashboardError"], tuple[str, Where | None, str]]:
        """An error that a process hands to another stays the same."""
        return type(self), (self.found, self.where, self.fix)


class LoadError(DashboardError):
    """A source cannot be loaded; nothing of it was stored."""


class UnknownFormat(LoadError):
    """None of the formats knows the file."""


class AmbiguousFormat(LoadError):
    """Two or more formats claim the file."""


class UnsafeArchive(LoadError):
    """An archive that could harm: traversal, links, bombs, encryption."""


class BrokenFile(LoadError):
    """The file's own structure is damaged, so that nothing in it can be trusted."""


class StoreError(DashboardError):
    """The database file cannot be opened, read or written."""


class QueryError(DashboardError):
    """A question that cannot be asked."""


class CatalogError(DashboardError):
    """Our own catalog is wrong."""
