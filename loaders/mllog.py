"""The `:::MLLOG` lines of training logs: found in the bytes by one expression, parsed only where it matters.

A log is read in blocks of whole lines. Lines that are written as `mllog` writes them and that nobody asks for are
passed over inside the expression; every other one becomes an `Event`, or a `Damaged` where it is not valid JSON.
"""

import json
import math
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final, NamedTuple

import stringzilla as sz

from loaders.json_text import NotJson, decoded, unique
from loaders.unpack import Source

TOKEN: Final = b":::MLLOG "
LONGEST_LINE: Final = 1 << 20
MAX_EVENT: Final = 1 << 16
"""Longest event that is read, in bytes, in a line without end; the longest of any real one is under 1,000."""

_ANSI: Final = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
_KEY: Final = re.compile(r'"key": ?"([a-z0-9_]++)"')
_STATUS: Final = re.compile(r'"status": ?"([a-z]++)"')
_INTACT_HEAD: Final = re.compile(
    r'\{"namespace": ?"[^"]*", ?"time_ms": ?([0-9]{10,16}(?:\.[0-9]+)?), ?(?:"event_type": ?"[A-Z_]+", ?)?'
    r'"key": ?"([a-z0-9_]+)", ?"value"'
)


class Event(NamedTuple):
    """One event of a log."""

    line: int
    """As an editor counts: lines end at a line feed only."""
    offset: int
    """Of its line's token in the file."""
    key: str
    time_ms: float | None
    """Epoch milliseconds; None where the event has no such number."""
    value: object
    metadata: dict[str, object]


@dataclass(frozen=True)
class Damaged:
    """A line with the token that a strict reader cannot read."""

    line: int
    key: str | None
    """The key that stands in it; None where none can be told."""
    event: Event | None
    """What could be read of it all the same."""
    found: str
    """What is wrong, as the end of a sentence."""


class Block:
    """Some whole lines of a log, and where they begin."""

    __slots__ = ("_counted", "_feeds", "data", "end", "line", "offset")

    def __init__(self, data: bytes, end: int, offset: int, line: int) -> None:
        self.data = data
        self.end = end
        """Where the last whole line ends in `data`."""
        self.offset = offset
        """Of `data` in the file."""
        self.line = line
        self._counted = self._feeds = 0

    def line_at(self, place: int) -> int:
        """The line that a place of `data` is on. Line feeds are counted once where places are asked for in order."""
        if place < self._counted:
            self._counted = self._feeds = 0
        self._feeds += sz.count(self.data, b"\n", self._counted, place)
        self._counted = place
        return self.line + self._feeds


def blocks(source: Source) -> Iterator[Block]:
    """The file in pieces as they are read, each cut where a line ends.

    Of a line longer than 1 MiB only the last 64 KiB are kept, which any event fits in.
    """
    held, offset, line = b"", 0, 1
    for chunk in source.chunks():
        data = held + chunk
        end = data.rfind(b"\n") + 1 or data.rfind(b"\r", len(held)) + 1
        if not end:
            end = 0 if len(data) < LONGEST_LINE else len(data) - MAX_EVENT
        if end:
            block = Block(data, end, offset, line)
            yield block
            line = block.line_at(end)
        held, offset = data[end:], offset + end
    if held:
        yield Block(held, len(held), offset, line)


def wanted(keys: Iterable[str]) -> re.Pattern[bytes]:
    """The expression that finds every line with one of these keys, and every line that is not as `mllog` writes it.

    Possessive throughout, so that no line costs more than its length. It begins behind the colons of the token, which
    logs are full of: the letters are found faster.
    """
    names = b"|".join(re.escape(key.encode()) for key in keys)
    head = rb'\{"namespace": "[^"\r\n]*+", "time_ms": [0-9.]++, "event_type": "[A-Z_]++", '
    key = rb'"key": "(?!(?:' + names + rb')")[a-z0-9_]++", '
    value = rb'"value": (?:[0-9nul.e-]++|"[^"\\\r\n]*+"|\{[^{}\r\n]*+\}|[truefals]++|\[[^\[\]\r\n]*+\]), '
    passed = head + key + value + rb'"metadata": (?:\{|"")'
    return re.compile(rb"MLLOG(?! " + passed + rb")(?<=:::MLLOG) [^\r\n]*+")


def events(
    block: Block, pattern: re.Pattern[bytes], start: int = 0, end: int | None = None
) -> Iterator[Event | Damaged]:
    """What `pattern` (see `wanted`) finds in a block, or between two line ends of it, in order."""
    for match in pattern.finditer(block.data, start, block.end if end is None else end):
        found = match.start() - _COLONS
        text, line, offset = match[0][len(TOKEN) - _COLONS :], block.line_at(found), block.offset + found
        if TOKEN in text:
            yield from read_line(text, line, offset)
        else:
            yield _read_part(text.decode("latin-1"), line, offset)


def line_start(block: Block, position: int) -> int:
    """Where the line begins that holds this place of a block."""
    return max(block.data.rfind(b"\n", 0, position), block.data.rfind(b"\r", 0, position)) + 1


def read_line(text: bytes, line: int, offset: int) -> Iterator[Event | Damaged]:
    """What follows the token on one line: usually one event; more where several writers shared it.

    The official reader takes what follows the last token, and refuses a log with a line that is not valid JSON.
    """
    if TOKEN not in text:
        yield _read_part(text.decode("latin-1"), line, offset)
        return
    parts = text.split(TOKEN)
    for number, part in enumerate(parts, 1):
        item = _read_part(part.decode("latin-1"), line, offset)
        if number < len(parts) and isinstance(item, Event):
            found = "another event follows on the same line"
            item = Damaged(line, item.key, item, found)
        yield item


def _read_part(text: str, line: int, offset: int) -> Event | Damaged:
    text = (_ANSI.sub("", text) if "\x1b" in text else text).strip("\0 \t")
    if "\0" in text:  # two lines may have become one
        return _salvaged(text, line, offset, "it holds NUL bytes")
    try:
        value, end = decoded(_DECODER, text)
    except NotJson as fault:
        return _salvaged(text, line, offset, f"it is not valid JSON ({fault.reason})")
    if not isinstance(value, dict) or not isinstance(value.get("key"), str):
        return Damaged(line, None, None, "it is no event")
    if text.count(":", 0, end) > _keys(value) and _is_twice(text):
        return _salvaged(text, line, offset, "a field stands twice in it")
    metadata = value.get("metadata")
    event = Event(
        line,
        offset,
        value["key"],
        _time(value.get("time_ms")),
        value.get("value"),
        metadata if isinstance(metadata, dict) else {},
    )
    if text[end:].strip():
        return Damaged(line, event.key, event, "more follows behind its JSON")
    return event


def _keys(value: dict[str, object]) -> int:
    """How many keys an event has, with those of the objects in it; each has a colon, as has one that stands twice."""
    return len(value) + sum(len(part) for part in value.values() if isinstance(part, dict))


def _is_twice(text: str) -> bool:
    """Whether an event has two fields of one name: the last would be taken, with the time of the first."""
    try:
        decoded(_UNIQUE, text)
    except NotJson:  # it takes a little more room than reading did
        return True
    return False


def _salvaged(text: str, line: int, offset: int, found: str) -> Damaged:
    """A broken line; its event where everything up to the value stands as it was written."""
    head, key, status = _INTACT_HEAD.match(text), _KEY.search(text), _STATUS.search(text)
    event = None
    if head:
        metadata: dict[str, object] = {"status": status[1]} if status else {}
        event = Event(line, offset, head[2], float(head[1]), None, metadata)
    return Damaged(line, key[1] if key else None, event, found)


def _time(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        time = float(value)
    except (ValueError, OverflowError):
        return None
    return time if math.isfinite(time) else None


def last_line(block: Block, key: str, before: int | None = None) -> tuple[int, bytes] | None:
    """The last line of a block with this key (before a file offset), found from behind: its offset, and its event."""
    end = block.end if before is None else max(0, min(block.end, before - block.offset))
    found = sz.rfind(block.data, b'"' + key.encode() + b'"', 0, end)
    start = block.data.rfind(TOKEN, 0, found) if found >= 0 else -1
    if start < 0:
        return None
    stop = block.data.find(b"\n", found, block.end)
    text = block.data[start + len(TOKEN) : stop if stop >= 0 else block.end]
    return block.offset + start, text.partition(b"\r")[0]


_COLONS: Final = 3
_DECODER: Final = json.JSONDecoder(strict=False)
_UNIQUE: Final = json.JSONDecoder(strict=False, object_pairs_hook=unique)
