"""The catalog's files, read strictly: every key known and of its type, every fault named with file and entry.

Nothing here knows what a benchmark or a server is; that is `facts.py` and `spellings.py`.
"""

import datetime
import tomllib
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Final, TypeVar

from mlperf.errors import CatalogError

CATALOG: Final = Path(__file__).parent / "catalog"

Value = TypeVar("Value")


@lru_cache(maxsize=1 << 12)  # tables repeat their cells from row to row
def fold(text: str) -> str:
    """The text as spellings are compared: blanks collapsed, case folded."""
    return " ".join(text.split()).casefold()


class Entry:
    """One table of a catalog file. Reading takes a key out; what is left over at `close` is a key that nobody knows."""

    def __init__(self, file: str, label: str, values: Mapping[str, object]) -> None:
        self.file = file
        self.label = label
        self._values = dict(values)

    def wrong(self, found: str, fix: str = "Correct the catalog.") -> CatalogError:
        """The error that says what is wrong with this entry."""
        return CatalogError(f"{self.label}: {found}.", self.file, fix)

    def close(self) -> None:
        """Raise `CatalogError` when a key was not read."""
        if self._values:
            raise self.wrong(f"unknown key {', '.join(sorted(self._values))}")

    def _take(self, key: str, kind: type[Value]) -> Value | None:
        value = self._values.pop(key, None)
        if value is None or (isinstance(value, kind) and not isinstance(value, bool)):
            return value
        raise self.wrong(f"{key} is {value!r}, not {kind.__name__}")

    def maybe_text(self, key: str) -> str | None:
        """The text at `key`, None where it is left out."""
        return self._take(key, str)

    def text(self, key: str) -> str:
        """The text at `key`, which must be there and not be empty."""
        text = self._take(key, str)
        if not text:
            raise self.wrong(f"{key} is missing")
        return text

    def whole(self, key: str) -> int | None:
        """The whole number at `key`, None where it is left out."""
        return self._take(key, int)

    def number(self, key: str) -> float | None:
        """The number at `key`, written with a decimal point; None where it is left out."""
        return self._take(key, float)

    def day(self, key: str) -> datetime.date | None:
        """The date at `key`, None where it is left out."""
        return self._take(key, datetime.date)

    def texts(self, key: str) -> tuple[str, ...]:
        """The list of texts at `key`, empty where it is left out."""
        values: list[object] = self._take(key, list) or []
        texts = tuple(value for value in values if isinstance(value, str))
        if len(texts) != len(values):
            raise self.wrong(f"{key} holds something that is not text")
        return texts

    def pairs(self, key: str, kind: type[Value]) -> dict[str, Value]:
        """The table of name and value at `key`, empty where it is left out."""
        values: dict[str, object] = self._take(key, dict) or {}
        pairs = {name: value for name, value in values.items() if isinstance(value, kind)}
        if len(pairs) != len(values):
            raise self.wrong(f"{key} holds something that is not {kind.__name__}")
        return pairs

    def entries(self, key: str, name: str = "id") -> list["Entry"]:
        """The tables `[[key]]`, each labelled with its `name` or its number; empty where there are none."""
        values: list[object] = self._take(key, list) or []
        found = []
        for number, value in enumerate(values, start=1):
            if not isinstance(value, dict):
                raise self.wrong(f"{key} {number} is not a table")
            found.append(Entry(self.file, f"{key} {value.get(name, number)}", value))
        return found


def read(folder: Path, name: str) -> Entry:
    """The whole file `name` of the catalog in `folder`; `CatalogError` when it cannot be read."""
    file = f"mlperf/catalog/{name}"
    try:
        with (folder / name).open("rb") as stream:
            return Entry(file, "top level", tomllib.load(stream))
    except OSError as error:
        raise CatalogError(f"The file cannot be read: {error.strerror}.", file, "Install the project again.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise CatalogError(f"The file is not TOML: {error}.", file, "Correct the catalog.") from error
