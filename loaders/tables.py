"""Text tables as spreadsheets and Tableau write them: encoding, delimiter, header and rows, each with its line.

The delimiter is the one that gives a header: a line with the heading "organization" or "public id". Where none does, or
two do, the file is no table of ours. A line of another width than the header is reported and left out.

UTF-8 or UTF-16 with or without a byte order mark, comma, semicolon or tab, whatever the file's name says. Read in
pieces: no more than one line is held, and a line over the limit is reported, not read.
"""

import codecs
import csv
import functools
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import BinaryIO, Final

from loaders.unpack import Source
from mlperf.errors import Problem, Where

MAX_LINE = 1 << 20
"""Longest line, in characters. The widest crosstab line has 900."""

HEADER_LINES = 12
"""The header stands among the first lines: a title line or up to four lines of merged headings may come before it."""

MAX_BAD = 10_000
"""Most lines that cannot be read; a file with more of them is no table of ours."""

_DELIMITERS = ",\t;"
_JSON = re.compile(rb'(?:\xef\xbb\xbf)?\s*(?:\{\s*"|\[\s*\{)')
_MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))


SUMMARIZER: Final = frozenset({"division", "submitter", "system", "accelerators_count"})
"""Columns of every table of MLCommons' training summarizer. Source: mlcommons/logging, result_summarizer.py:
_get_column_schema."""


@dataclass(frozen=True)
class Header:
    """Where the header stands and what it says."""

    line: int
    """1-based."""
    delimiter: str
    names: tuple[str, ...]
    """Headings in lower case with single blanks."""
    above: tuple[tuple[str, ...], ...] = ()
    """The cells of the lines over the header, top first."""


@dataclass(frozen=True)
class Row:
    """One line of the table; `cells` has as many entries as the header, of `ragged_rows` as the line."""

    where: Where
    cells: tuple[str, ...]


def heading(cell: str) -> str:
    """A heading as headings are compared: lower case, single blanks."""
    return " ".join(cell.split()).lower()


def encoding(head: bytes) -> str:
    """The file's encoding, told from its byte order mark or from the zero bytes of unmarked UTF-16."""
    for mark, name in _MARKS:
        if head.startswith(mark):
            return name
    if len(head) >= 4 and head[1] == 0 and head[3] == 0 and head[0] != 0:
        return "utf-16-le"
    if len(head) >= 4 and head[0] == 0 and head[2] == 0 and head[1] != 0:
        return "utf-16-be"
    return "utf-8"


def header(source: Source) -> Header | None:
    """The header of a results table: the first line with "organization" or "public id" and two more headings.

    Or with the columns of the training summarizer, which has neither. None where no delimiter gives one, or two do.
    """
    return _header(source.head)


@functools.lru_cache(maxsize=4)  # each format asks for the same file's header
def _header(head: bytes) -> Header | None:
    if _JSON.match(head):
        return None
    text = codecs.getincrementaldecoder(encoding(head))(errors="replace").decode(head)
    lines = text.split("\n")[:HEADER_LINES]
    headers = [found for delimiter in _DELIMITERS if (found := _split(lines, delimiter)) is not None]
    return headers[0] if len(headers) == 1 else None


def _split(lines: list[str], delimiter: str) -> Header | None:
    """The header of lines whose cells this delimiter parts; the first line that can be one is."""
    above: list[tuple[str, ...]] = []
    for number, line in enumerate(lines, 1):
        cells = _cells(line, delimiter)
        names = tuple(heading(cell) for cell in cells)
        if is_header(names):
            return Header(number, delimiter, names, tuple(above))
        above.append(cells)
    return None


def is_header(names: Sequence[str]) -> bool:
    """Whether these are the headings of a results table."""
    is_export = bool({"organization", "public id"} & set(names)) and len([name for name in names if name]) > 2
    return is_export or set(names) >= SUMMARIZER


def _cells(line: str, delimiter: str) -> tuple[str, ...]:
    try:
        return tuple(next(csv.reader([line.rstrip("\r\n")], delimiter=delimiter), ()))
    except csv.Error:
        return ()


def rows(source: Source, found: Header) -> Iterator[Row | Problem]:
    """Every row under the header, in order; a `Problem` for a line that cannot be read or is of another width."""
    width = len(found.names)
    return _bounded(of_width(item, width) if isinstance(item, Row) else item for item in _rows(source, found))


def ragged_rows(source: Source, found: Header) -> Iterator[Row | Problem]:
    """As `rows`, for a file of several tables: each row with as many cells as its line has."""
    return _bounded(_rows(source, found))


def of_width(row: Row, width: int) -> Row | Problem:
    """The row with the cells of a header of `width` headings; a `Problem` where its line has fewer, or more."""
    cells = row.cells
    if len(cells) < width or any(cell.strip() for cell in cells[width:]):
        what = f"has {len(cells)} cells where the header has {width}."
        return Problem(row.where, "bad-line", what, "The line was left out.")
    return Row(row.where, cells[:width])


def _bounded(items: Iterable[Row | Problem]) -> Iterator[Row | Problem]:
    """Up to `MAX_BAD` lines that cannot be read."""
    bad = 0
    for item in items:
        bad += isinstance(item, Problem)
        if bad > MAX_BAD:
            text = f"more than {MAX_BAD:,} lines cannot be read."
            yield Problem(item.where, "too-many-faults", text, "The rest was left out.")
            return
        yield item


def _rows(source: Source, found: Header) -> Iterator[Row | Problem]:
    with source.open() as stream:
        lines = _Numbered(source.name, stream, encoding(source.head))
        reader = csv.reader(lines, delimiter=found.delimiter, strict=True)
        while True:
            lines.first = 0
            try:
                cells = next(reader)
            except StopIteration:
                yield from lines.take_problems()
                return
            except csv.Error as fault:
                yield from lines.take_problems()
                where = Where(source.name, lines.first)
                text = f"not a line of a table: {fault}."
                yield Problem(where, "bad-line", text, _lost(lines.first, lines.line))
                continue
            yield from lines.take_problems()
            if lines.line > found.line and any(cell.strip() for cell in cells):
                yield Row(Where(source.name, lines.first), tuple(cells))


def _lost(first: int, last: int) -> str:
    return "The line was left out." if last <= first else f"Lines {first} to {last} were left out."


class _Numbered:
    """The lines of a stream for `csv.reader`, counted as an editor does; unreadable ones are skipped and reported."""

    def __init__(self, name: str, stream: BinaryIO, encoding_name: str) -> None:
        self.line = 0
        self.first = 0
        """The line that the row being read began on; 0 before it did."""
        self._problems: list[Problem] = []
        self._name = name
        self._lines = _lines(stream, encoding_name)

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        for line in self._lines:
            self.line += 1
            fault = _fault(line)
            if fault is None:
                self.first = self.first or self.line
                return line or ""
            self._problems.append(Problem(Where(self._name, self.line), "bad-line", fault, "The line was left out."))
        raise StopIteration

    def take_problems(self) -> list[Problem]:
        taken, self._problems = self._problems, []
        return taken


def _fault(line: str | None) -> str | None:
    if line is None:
        return f"is longer than {MAX_LINE:,} characters."
    if "\0" in line:
        return "holds NUL characters."
    if "�" in line.rstrip("\r\n�"):
        return "holds bytes that are not text in the file's encoding."
    return None


def _lines(stream: BinaryIO, encoding_name: str) -> Iterator[str | None]:
    """Lines with their line feed; None for one over the limit. Tableau leaves a stray last byte in UTF-16: dropped."""
    decoder = codecs.getincrementaldecoder(encoding_name)(errors="replace")
    held, overlong = "", False
    for piece in iter(lambda: stream.read(1 << 16), b""):
        *whole, held = (held + decoder.decode(piece)).split("\n")
        for line in whole:
            yield None if overlong or len(line) > MAX_LINE else line + "\n"
            overlong = False
        if overlong or len(held) > MAX_LINE:
            held, overlong = "", True
    if overlong or held.strip("�"):
        yield None if overlong else held.rstrip("�")
