"""The lines of training v0.6, from before `:::MLLOG`: `:::MLL` as submitted, `:::MLPv0.6.0` as older loggers write it.

    :::MLL 1560722749.842 run_stop: {"value": null, "metadata": {"status": "success", "lineno": 491}}
    :::MLPv0.6.0 resnet 1560722749.842 (fit.py:491) run_stop: {"success": true}

Every line becomes an `Event` of `loaders.mllog`, with its value only where its key is asked for.
Source: mlcommons/logging compliance_checker/mlp_parser/ruleset_060.py; mlperf_compliance of that time for the second.
"""

import math
import re
from collections.abc import Collection, Iterator
from typing import Final

import stringzilla as sz

from loaders.json_text import NotJson, decoded, decoder
from loaders.mllog import MAX_EVENT, TOKEN, Block, Damaged, Event

ROUND: Final = "v0.6"
"""The only round whose checker reads such lines."""

TOKENS: Final = (b":::MLL ", b":::MLPv0.6.0 ")

_LINE: Final = re.compile(rb":::ML(?:L|Pv0\.6\.0) [^\r\n]*+")
_SUBMITTED: Final = re.compile(r"([0-9]{1,16}+(?:\.[0-9]{1,16}+)?+) ([A-Za-z0-9_]{1,100}+) ?:\s++(.++)", re.DOTALL)
_OLDER: Final = re.compile(
    r"([A-Za-z0-9_]{1,100}+) ([0-9]{1,16}+(?:\.[0-9]{1,16}+)?+) \(([^():]{0,1000}+):([0-9]{1,9}+)\) "
    r"([A-Za-z0-9_]{1,100}+)(?::\s++(.++))?+",
    re.DOTALL,
)
_QUOTED: Final = re.compile(r"""("[^"\\]*+(?:\\.[^"\\]*+)*+"?+)|'([^'"\\]*+)'""", re.DOTALL)
"""A string, closed or not, so that nothing in it is looked at again; or a text as Python quotes it."""


def is_old(data: bytes) -> bool | None:
    """Whether the first event in some bytes is of the old lines; None where there is none of either kind."""
    new = data.find(TOKEN)
    end = len(data) if new < 0 else new
    if data.find(TOKENS[0], 0, end) >= 0 or data.find(TOKENS[1], 0, end) >= 0:
        return True
    return None if new < 0 else False


def first_line(block: Block, start: int, end: int) -> int | None:
    """The line of the first old event in a part of a block; None where there is none."""
    for token in TOKENS:
        place = sz.find(block.data, token, start, end)
        if place >= 0:
            return block.line_at(place)
    return None


def events(block: Block, keys: Collection[str]) -> Iterator[Event | Damaged]:
    """Every old event of a block, in order; values and metadata only of `keys`.

    Where several writers shared a line, each of their events is read.
    """
    for match in _LINE.finditer(block.data, 0, block.end):
        text, offset = match[0], match.start()
        line = block.line_at(offset)
        for token in TOKENS:
            text = text.replace(token, b"\0" + token)
        parts = text.split(b"\0:::ML")[1:]
        for number, part in enumerate(parts, 1):
            item = _read(part[:MAX_EVENT].decode("latin-1"), line, block.offset + offset, keys)
            offset += len(part) + len(b":::ML")
            if number < len(parts) and isinstance(item, Event) and item.key in keys:
                item = Damaged(line, item.key, item, "another event follows on the same line")
            yield item


def _read(text: str, line: int, offset: int, keys: Collection[str]) -> Event | Damaged:
    """What follows `:::ML`."""
    if text.startswith("L "):
        found = _SUBMITTED.match(text, 2)
        if found is None:
            return Damaged(line, _key(text), None, "it is not '<time> <key>: {…}'")
        seconds, key, value = found.groups()
    else:
        found = _OLDER.match(text, len("Pv0.6.0 "))
        if found is None:
            return Damaged(line, _key(text), None, "it is not '<benchmark> <time> (<file>:<line>) <key>: …'")
        seconds, key, value = found[2], found[5], found[6]
    time = round(float(seconds) * 1000, 3)
    if key not in keys:
        return Event(line, offset, key, time, None, {})
    if not text.startswith("L "):
        return _older(found, line, offset, time)
    fields = _object(value)
    if fields is None:
        return Damaged(line, key, Event(line, offset, key, time, None, {}), "its value is not valid JSON")
    metadata = fields.get("metadata")
    return Event(line, offset, key, time, fields.get("value"), metadata if isinstance(metadata, dict) else {})


def _older(found: re.Match[str], line: int, offset: int, time: float) -> Event | Damaged:
    """An event whose fields stand beside its value: `{"value": 0.24, "epoch": 3}`, `{"success": true}`."""
    benchmark, _, file, number, key, text = found.groups()
    metadata: dict[str, object] = {"file": file, "lineno": int(number), "benchmark": benchmark}
    if text is None:
        return Event(line, offset, key, time, None, metadata)
    try:
        value = _value(text)
    except NotJson:
        return Damaged(line, key, Event(line, offset, key, time, None, metadata), "its value is not valid JSON")
    if not isinstance(value, dict):
        return Event(line, offset, key, time, value, metadata)
    if "epoch" in value:
        metadata["epoch_num"] = value["epoch"]
    if isinstance(value.get("success"), bool):
        metadata["status"] = "success" if value["success"] else "aborted"
    return Event(line, offset, key, time, value.get("value"), metadata)


def _object(text: str) -> dict[str, object] | None:
    """The JSON object of a line; None where it is none.

    Intel's logs of v0.6 have metadata as Python writes them, `{'lineno': 615, 'status': 'success'}`.
    """
    for written in (text, _QUOTED.sub(lambda part: part[1] or f'"{part[2]}"', text)):
        try:
            value = _value(written)
        except NotJson:
            continue
        return value if isinstance(value, dict) else None
    return None


def _value(text: str) -> object:
    """The JSON value that a text is. Raises `NotJson`."""
    text = text.strip()
    value, end = decoded(_DECODER, text)
    if end < len(text):
        raise NotJson("more follows", end)
    return value


_DECODER: Final = decoder()


def _key(text: str) -> str | None:
    """The key of a line that is not as it should be; None where none can be told."""
    found = _ANY_KEY.search(text)
    return found[1] if found else None


_ANY_KEY: Final = re.compile(r" ([a-z_]{3,60}+) ?:")


def number(value: object) -> object:
    """A number that a log writes as a text, as transformer's of v0.6; anything else as it is."""
    if not isinstance(value, str) or len(value) > 40:
        return value
    try:
        read = float(value)
    except ValueError:
        return value
    return read if math.isfinite(read) else value
