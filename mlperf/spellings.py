"""Spellings: which canonical thing a text of a table or a system file means.

Explicit spellings only, plus the few patterns that the catalog declares; nothing here guesses.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Generic, TypeVar

from mlperf.catalog_files import Entry, fold

Thing = TypeVar("Thing")


@dataclass(frozen=True)
class Accelerator:
    """One kind of accelerator under its canonical name."""

    name: str
    vendor: str
    form_factor: str | None
    memory_gb: int | None


@dataclass(frozen=True)
class Server:
    """One server model and the family it is filtered by."""

    name: str
    family: str


@dataclass(frozen=True)
class Spelling:
    """What an accelerator spelling means."""

    accelerators: tuple[Accelerator, ...]
    """Empty: the system has none."""
    count: int | None = None
    """The total count where the spelling itself states it: `(x87)`."""


class Index(Generic[Thing]):
    """Things by their folded spellings; one spelling never means two things."""

    def __init__(self) -> None:
        self._things: dict[str, Thing] = {}

    def add(self, entry: Entry, thing: Thing, spellings: Iterable[str]) -> None:
        """Let each spelling mean `thing`; `CatalogError` when one already means another."""
        for spelling in spellings:
            known = self._things.setdefault(fold(spelling), thing)
            if known != thing:
                raise entry.wrong(f"spelling {spelling!r} already means {known}")

    def get(self, text: str | None) -> Thing | None:
        """What the text means; None where no spelling fits."""
        return None if text is None else self._things.get(fold(text))


def _pattern(entry: Entry, key: str) -> re.Pattern[str]:
    """The regular expression at `key`, case ignored; `CatalogError` when it is none."""
    text = entry.text(key)
    try:
        return re.compile(text, re.IGNORECASE)
    except re.error as error:
        raise entry.wrong(f"{key} is not a regular expression: {error}") from error


class AcceleratorSpellings:
    """accelerators.toml: exact spellings, then suffixes, counts and lists of several as the catalog declares them."""

    def __init__(self, file: Entry) -> None:
        self._index: Index[Spelling] = Index()
        self._index.add(file, Spelling(()), file.texts("none"))
        self._suffixes = [self._closed_pattern(entry) for entry in file.entries("suffix")]
        self._counts = [self._closed_pattern(entry) for entry in file.entries("count")]
        self._separators = [self._separator(entry) for entry in file.entries("separator", "text")]
        self.all = tuple(self._add(entry) for entry in file.entries("accelerator", "name"))
        file.close()

    def _add(self, entry: Entry) -> Accelerator:
        accelerator = Accelerator(
            entry.text("name"), entry.text("vendor"), entry.maybe_text("form_factor"), entry.whole("memory_gb")
        )
        self._index.add(entry, Spelling((accelerator,)), (accelerator.name, *entry.texts("spellings")))
        entry.close()
        return accelerator

    @staticmethod
    def _closed_pattern(entry: Entry) -> re.Pattern[str]:
        entry.text("id")
        pattern = _pattern(entry, "pattern")
        entry.close()
        return pattern

    @staticmethod
    def _separator(entry: Entry) -> str:
        text = entry.text("text")
        entry.close()
        return text

    def find(self, text: str) -> Spelling | None:
        """What the text means; None where it, or one part of it, is not known."""
        text = " ".join(text.split())
        return self._one(text) or self._counted(text) or self._several(text)

    def _one(self, text: str) -> Spelling | None:
        """One kind of accelerator, or none at all, a power limit behind it ignored."""
        if found := self._index.get(text):
            return found
        for suffix in self._suffixes:
            if match := re.fullmatch(f"(.+?){suffix.pattern}", text, re.IGNORECASE):
                return self._index.get(match[1])
        return None

    def _counted(self, text: str) -> Spelling | None:
        """One kind of accelerator whose spelling states its total count."""
        for pattern in self._counts:
            if match := pattern.fullmatch(text):
                groups = match.groupdict()
                if found := self._one(groups["name"]):
                    return Spelling(found.accelerators, int(groups["count"]) * int(groups.get("nodes") or 1))
        return None

    def _several(self, text: str) -> Spelling | None:
        """Several kinds, each known by itself; the counts add up where every part states one."""
        for separator in self._separators:
            parts = text.split(separator)
            found = [self._one(part) or self._counted(part) for part in parts] if len(parts) > 1 else [None]
            known = [spelling for spelling in found if spelling]
            if len(known) == len(found):
                kinds = dict.fromkeys(kind for spelling in known for kind in spelling.accelerators)
                counts = [spelling.count for spelling in known if spelling.count is not None]
                return Spelling(tuple(kinds), sum(counts) if len(counts) == len(known) else None)
        return None


class ServerSpellings:
    """servers.toml: server models found inside system IDs and names."""

    def __init__(self, file: Entry) -> None:
        before, after = _pattern(file, "before").pattern, _pattern(file, "after").pattern
        self.submitters = frozenset(file.texts("submitters"))
        self._index: Index[Server] = Index()
        spellings: list[str] = []
        servers = []
        for entry in file.entries("server", "name"):
            server = Server(entry.text("name"), entry.text("family"))
            texts = (server.name, *entry.texts("spellings"))
            self._index.add(entry, server, texts)
            entry.close()
            servers.append(server)
            spellings += texts
        file.close()
        self.all = tuple(servers)
        longest_first = "|".join(re.escape(text) for text in sorted(spellings, key=len, reverse=True))
        self._pattern = re.compile(f"{before}({longest_first}){after}", re.IGNORECASE)

    def find(self, system_id: str | None, system_name: str | None) -> Server | None:
        """The model in the ID, else the one in the name; the name's where it completes the ID's (R760 → R760xa)."""
        by_id, by_name = self._within(system_id), self._within(system_name)
        if by_id and by_name and by_name.name.startswith(by_id.name):
            return by_name
        return by_id or by_name

    def _within(self, text: str | None) -> Server | None:
        match = self._pattern.search(text) if text else None
        return self._index.get(match[1]) if match else None
