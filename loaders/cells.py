"""What stands in one cell: blanks, numbers, yes and no, as tables and JSON records write them."""

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

_SILENT = frozenset({"", "null", "none", "nan", "n/a", "na"})
_NOTHING = frozenset({"", "null", "none", "undefined"})
"""What programs write into a text cell that says nothing."""

_PLAIN = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)
_THOUSANDS = re.compile(r"[+-]?[1-9]\d{0,2}(?:,\d{3})+(?:\.\d+)?", re.ASCII)
_DECIMAL_COMMA = re.compile(r"[+-]?(?:\d+|\d{1,3}(?:\.\d{3})+),\d+", re.ASCII)

_POINT_GROUPS = re.compile(r"[+-]?[1-9]\d{0,2}(?:\.\d{3})+", re.ASCII)
_UNPRINTABLE = re.compile("[\\x00-\\x1f\\x7f-\\x9f\\ud800-\\udfff]")
"""Control characters, and halves of characters that no encoding can write."""

MAX_CELL = 400
"""Longest text kept of one cell, in characters; no name, model or version in any published table is longer."""


class BadCell(ValueError):
    """A cell that makes no sense; the message says why."""


def text(value: object) -> str | None:
    """The cell as one line of text without outer blanks; None where it says nothing. Raises `BadCell`."""
    if value is None:
        return None
    if not isinstance(value, str | bool | int | float):
        raise BadCell(f"is a {type(value).__name__}, not a text")
    cell = value if isinstance(value, str) else str(value)
    if len(cell) <= MAX_CELL:
        return short_text(cell)
    if len(_UNPRINTABLE.sub(" ", cell).strip()) > MAX_CELL:
        raise BadCell(f"has {len(cell):,} characters, more than {MAX_CELL}")
    return _line(cell)


@lru_cache(maxsize=1 << 12, typed=True)  # the cells of one table repeat from row to row
def short_text(value: str | int | None) -> str | None:
    """`text` of what may be kept for the next time. `TypeError` for lists, for long cells and for floats.

    0.0 and -0.0 would be one key, and are two texts.
    """
    if isinstance(value, float) or (isinstance(value, str) and len(value) > MAX_CELL):
        raise TypeError(value)
    return None if value is None else _line(str(value))


def _line(cell: str) -> str | None:
    line = " ".join(_UNPRINTABLE.sub(" ", cell).split())
    return None if line.lower() in _NOTHING else line


def is_silent(value: object) -> bool:
    """Whether a cell of a numeric column holds no number on purpose."""
    return value is None or (isinstance(value, str) and value.strip().lower() in _SILENT)


@dataclass(frozen=True)
class Numbers:
    """How a file writes numbers. JSON and most tables: `1,668.50`; a re-saved one may hold `1.668,50`."""

    decimal_comma: bool = False
    ambiguous_comma: bool = False
    """Both conventions were seen in one file, or nothing tells which it is: `1,668` could be either, and is refused."""

    def number(self, value: object) -> float | None:
        """The cell as a finite number; None where it is silent. Raises `BadCell`."""
        if is_silent(value):
            return None
        if isinstance(value, bool) or not isinstance(value, int | float | str):
            raise BadCell(f"is a {type(value).__name__}, not a number")
        try:
            number = float(value) if not isinstance(value, str) else self._from_text(value.strip())
        except OverflowError:
            raise BadCell("is too large a number") from None
        if not math.isfinite(number):
            raise BadCell(f"{str(value)[:40]!r} is not a finite number")
        return number

    def _from_text(self, cell: str) -> float:
        if self.decimal_comma and _POINT_GROUPS.fullmatch(cell):
            return float(cell.replace(".", ""))
        if _PLAIN.fullmatch(cell):
            return float(cell)
        thousands, comma = _THOUSANDS.fullmatch(cell), _DECIMAL_COMMA.fullmatch(cell)
        if thousands and comma and self.ambiguous_comma:
            raise BadCell(f"{cell!r} may mean two numbers: the file does not tell thousands from decimals")
        if thousands and not (comma and self.decimal_comma):
            return float(cell.replace(",", ""))
        if comma:
            return float(cell.replace(".", "").replace(",", "."))
        raise BadCell(f"{cell[:40]!r} is not a number")


def conventions(cells: Iterable[str], delimiter: str = ",") -> Numbers:
    """How the file that holds these cells writes numbers, told from the cells that can be read in one way only.

    Where none can, the delimiter tells: programs put `;` between cells because the comma is their decimal sign, and `,`
    where it is not. A tab tells nothing.
    """
    stripped = [cell.strip() for cell in cells]
    comma = any(_DECIMAL_COMMA.fullmatch(cell) and not _THOUSANDS.fullmatch(cell) for cell in stripped)
    point = any(
        (_THOUSANDS.fullmatch(cell) and not _DECIMAL_COMMA.fullmatch(cell))
        or (_PLAIN.fullmatch(cell) and "." in cell and not _POINT_GROUPS.fullmatch(cell))
        for cell in stripped
    )
    if not comma and not point and any(_THOUSANDS.fullmatch(cell) for cell in stripped):
        return Numbers(decimal_comma=delimiter == ";", ambiguous_comma=delimiter == "\t")
    return Numbers(decimal_comma=comma and not point, ambiguous_comma=comma and point)


_FLAGS = {
    "true": True,
    "1": True,
    "valid": True,
    "yes": True,
    "false": False,
    "0": False,
    "invalid": False,
    "no": False,
}


def yes_or_no(value: object) -> bool | None:
    """A flag as tables write it: true, 1, "TRUE", "Valid"; None where silent. Raises `BadCell`."""
    if is_silent(value):
        return None
    if not isinstance(value, bool | int | float | str):
        raise BadCell(f"is a {type(value).__name__}, neither yes nor no")
    flag = _FLAGS.get(str(value).strip().lower().removesuffix(".0"))
    if flag is None:
        raise BadCell(f"{str(value)[:40]!r} is neither yes nor no")
    return flag
