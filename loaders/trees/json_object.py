"""A small file that is one JSON object, as the trees hold several."""

from dataclasses import dataclass
from typing import Final

from loaders.json_text import NotJson, Pairs, decoded, decoder, doubled, quoted
from loaders.unpack import Source
from mlperf.errors import Problem, Where

LARGEST: Final = 1 << 20
"""Bytes; real ones have under 20,000."""


@dataclass(frozen=True)
class JsonObject:
    """What a file holds."""

    fields: dict[str, object]
    """Of a name that stands several times the last value, as `json` and the official tools take it."""
    twice: tuple[str, ...]
    """Names that stand more than once in the object, or in one inside it."""

    def problems(self, where: Where, fix: str) -> list[Problem]:
        """A Problem for each name that stands more than once; `fix` says what was taken for it."""
        return [Problem(where, "key-twice", f"the key {quoted(name)} stands twice.", fix) for name in self.twice]


@dataclass(frozen=True)
class Unreadable:
    """Why a file is no JSON object that is read."""

    reason: str
    """The end of a sentence that begins with the file."""
    line: int | None = None
    is_json: bool = False
    """Whether it is JSON, and of another kind."""


def read_object(source: Source, largest: int = LARGEST) -> JsonObject | Unreadable:
    """The object that a file holds."""
    data = source.read(largest + 1)
    if len(data) > largest:
        return Unreadable(f"has more than {largest:,} bytes")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return Unreadable("holds bytes that are not UTF-8")
    return object_of(text)


def object_of(text: str) -> JsonObject | Unreadable:
    """The object that a text holds; strings may hold control characters."""
    twice: dict[str, None] = {}

    def fields_of(pairs: Pairs) -> dict[str, object]:
        fields = dict(pairs)
        if len(fields) < len(pairs):
            twice.update(dict.fromkeys(doubled(pairs)))
        return fields

    start = len(text) - len(text.lstrip(_BLANKS))
    try:
        value, end = decoded(decoder(fields_of), text, start)
        rest = end + len(text[end:]) - len(text[end:].lstrip(_BLANKS))
        if rest < len(text):
            raise NotJson("Extra data", rest)
    except NotJson as fault:
        line = None if fault.position is None else 1 + text.count("\n", 0, fault.position)
        return Unreadable(f"is not valid JSON ({fault.reason})", line)
    if not isinstance(value, dict):
        return Unreadable("is JSON, but no object", is_json=True)
    return JsonObject(value, tuple(twice))


_BLANKS: Final = " \t\r\n"
