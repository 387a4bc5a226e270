"""Records out of a JSON array or object of any size, one at a time, each with the line that an editor shows.

A record's fields are told by their exact names alone; one in which a name stands twice is left out.

A file is read in pieces; no more than one record is held. A record that is not JSON is reported, and reading goes on at
the next one that can be found.
"""

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import BinaryIO

from loaders.json_text import NotJson, Pairs, decoded, decoder, doubled, quoted
from loaders.unpack import Source
from mlperf.errors import Problem, Where

PIECE = 1 << 16
MAX_RECORD = 1 << 20
"""Longest record, in characters. Real ones have under 5,000."""

MAX_GAP = 1 << 12
"""Longest run of blanks, in characters, that may part two records of which the first is broken."""

MAX_BROKEN = 1_000
"""Most records that cannot be read; a file made of them would cost far more time and memory than its length."""

MAX_WASTED = 8 * MAX_RECORD
"""Most characters of broken records: one of them may hold the beginnings of many more, and be looked at for each."""

_BLANKS = re.compile(r"[ \t\r\n]*+")
_NEXT_RECORD = re.compile(r'\}\s*+,\s*+(?:"[^"\\\n]{0,40}+"\s*+:\s*+)?(?=\{)')


@dataclass(frozen=True)
class Record:
    """One element of the array, or one value of the object under its `key`."""

    where: Where
    key: str | None
    fields: dict[str, object]


class _Broken(Exception):
    """The text from here on is not what it should be."""


class _Text:
    """The undigested rest of the file, and the line it begins on."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._decoder = codecs.getincrementaldecoder("utf-8-sig")(errors="replace")
        self._held, self._at = "", 0
        self.line, self.ended = 1, False
        self.was_utf_8 = True
        """Whether all bytes of the last value were."""
        self.twice: str | None = None
        """A key that stands twice in an object of the last value."""
        self._how = decoder(self._fields)
        self.wasted = 0
        """Characters that were read for nothing: of values that turned out broken, and may be looked at again."""

    def _fields(self, pairs: Pairs) -> dict[str, object]:
        """An object; `NaN` and `Infinity`, which some writers emit, are kept as text and refused as numbers."""
        fields = dict(pairs)
        if len(fields) < len(pairs):
            self.twice = doubled(pairs)[0]
        return fields

    def _more(self) -> None:
        """Append a piece as long as what is held, so that a long record costs no more than twice its length."""
        self._held, self._at = self._held[self._at :], 0
        piece = self._stream.read(max(PIECE, len(self._held)))
        self.ended = not piece
        self._held += self._decoder.decode(piece, final=self.ended)

    def _go_to(self, position: int) -> None:
        if position != self._at:
            self.line += self._held.count("\n", self._at, position)
            self._at = position

    def next_character(self) -> str:
        """The first character that is not blank, "" at the end."""
        while True:
            match = _BLANKS.match(self._held, self._at)
            self._go_to(match.end() if match else self._at)
            if self._at < len(self._held) or self.ended:
                return self._held[self._at : self._at + 1]
            self._more()

    def expect(self, character: str) -> None:
        """Step over `character`; raises `_Broken` where another stands."""
        found = self.next_character()
        if found != character:
            raise _Broken(
                f"{character!r} expected, {found!r} found"
                if found
                else f"the file ends where {character!r} should follow"
            )
        self._go_to(self._at + 1)

    def value(self) -> object:
        """The JSON value that begins here; raises `_Broken` where there is none, or none of bearable length."""
        while True:
            self.twice = None
            try:
                value, end = decoded(self._how, self._held, self._at)
            except NotJson as fault:
                size = len(self._held) - self._at
                if self.ended or size > MAX_RECORD:
                    self.wasted += size if fault.position is None else fault.position - self._at
                    raise _Broken(f"{fault.reason}{', and the file ends' if self.ended else ''}") from None
            else:
                if self.ended or end < len(self._held):
                    self.was_utf_8 = self._held.find("�", self._at, end) < 0
                    self._go_to(end)
                    return value
            self._more()

    def to_next_record(self) -> bool:
        """Go to the beginning of the next record that can be told; False where there is none."""
        while True:
            match = _NEXT_RECORD.search(self._held, self._at)
            if match:
                self._go_to(match.end())
                return True
            if self.ended:
                return False
            self._go_to(max(self._at, len(self._held) - MAX_GAP))
            self._more()


def json_records(source: Source) -> Iterator[Record | Problem]:
    """Every record of a top-level array or object, in order; a `Problem` for what is not one."""
    with source.open() as stream:
        text = _Text(stream)
        opening = text.next_character()
        if opening not in ("[", "{"):
            yield Problem(
                Where(source.name, text.line), "broken-json", "neither a JSON array nor a JSON object begins here."
            )
            return
        text.expect(opening)
        closing = "]" if opening == "[" else "}"
        if text.next_character() != closing:
            yield from _records(source.name, text, keyed=opening == "{", closing=closing)
        if text.next_character() == closing:
            text.expect(closing)
            if text.next_character():
                fix = "It was left out."
                yield Problem(
                    Where(source.name, text.line), "broken-json", f"more follows after the closing {closing!r}.", fix
                )


def _records(name: str, text: _Text, *, keyed: bool, closing: str) -> Iterator[Record | Problem]:
    resumed, broken = False, 0
    keys: set[str] = set()
    while True:
        text.next_character()
        line = text.line
        try:
            key = _key(text) if keyed and not resumed else None
            line = text.line
            value = text.value()
            resumed = False
            record = _record(Where(name, line), key, value, text)
            if key is not None and key in keys:
                found = f"the key {quoted(key)} stands twice."
                record = Problem(Where(name, line), "key-twice", found, "This record was left out, the first was read.")
            if key is not None:
                keys.add(key)
            broken += isinstance(record, Problem)
            yield record
            if broken >= MAX_BROKEN:
                yield _too_many(name, text)
                return
            following = text.next_character()
            if following == closing:
                return
            text.expect(",")
        except _Broken as fault:
            yield Problem(
                Where(name, line), "broken-json", f"not readable as JSON: {fault}.", "The record was left out."
            )
            broken += 1
            if broken >= MAX_BROKEN or text.wasted > MAX_WASTED:
                yield _too_many(name, text)
                return
            if not text.to_next_record():
                return
            resumed = True


def _too_many(name: str, text: _Text) -> Problem:
    found = "too much of the file is not readable as JSON records."
    return Problem(Where(name, text.line), "too-many-faults", found, "The rest was left out.")


def _key(text: _Text) -> str:
    key = text.value()
    if not isinstance(key, str):
        raise _Broken("a name in quotes expected")
    text.expect(":")
    text.next_character()
    return key


def _record(where: Where, key: str | None, value: object, text: _Text) -> Record | Problem:
    if not isinstance(value, dict):
        return Problem(
            where, "not-a-record", f"a {type(value).__name__} stands where a record should.", "It was left out."
        )
    if text.twice is not None:
        found = f"the key {quoted(text.twice)} stands twice in the record."
        return Problem(where, "key-twice", found, "It was left out: nothing says which of the two values is meant.")
    if not text.was_utf_8:
        return Problem(where, "not-utf-8", "the record holds bytes that are not UTF-8.", "It was left out.")
    return Record(where, key, value)


def first_keys(source: Source) -> tuple[str, frozenset[str]]:
    """The opening bracket of a JSON file and every name before a colon in its first bytes; ("", ∅) for others."""
    return _first_keys(source.head)


@lru_cache(maxsize=1)  # each format asks
def _first_keys(head: bytes) -> tuple[str, frozenset[str]]:
    text = head.decode("utf-8-sig", errors="replace").lstrip()
    if text[:1] not in ("[", "{"):
        return "", frozenset()
    return text[0], frozenset(re.findall(r'"([^"\\\n]{1,60}+)"\s*+:', text))
