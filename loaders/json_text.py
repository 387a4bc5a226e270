"""JSON out of a stranger's text: one way to decode it, which ends in a value or in `NotJson`, whatever the text holds.

Python's own decoder takes the last of two values of one name in silence, gives up at a depth that hangs on who calls
it, and refuses a long whole number in words about its settings.
"""

import json
from collections.abc import Callable
from typing import Final

MOST_LEVELS: Final = 64
"""Objects and lists inside each other; the deepest of 7,000 published files has 5."""

Pairs = list[tuple[str, object]]


class NotJson(ValueError):
    """The text is no JSON that is read here; `reason` is the end of a sentence."""

    def __init__(self, reason: str, position: int | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.position = position
        """The character in the text at which the fault shows; None where it cannot be told."""


def unique(pairs: Pairs) -> dict[str, object]:
    """An object in which no key stands twice. Raises NotJson for another."""
    fields = dict(pairs)
    if len(fields) < len(pairs):
        raise NotJson(f"the key {quoted(doubled(pairs)[0])} stands twice")
    return fields


def doubled(pairs: Pairs) -> list[str]:
    """The keys that stand more than once, in their order."""
    met: set[str] = set()
    again: dict[str, None] = {}
    for name, _ in pairs:
        if name in met:
            again[name] = None
        met.add(name)
    return list(again)


def quoted(name: str) -> str:
    """A key as plain text for a message: at most 60 characters, and nothing that no encoding can write."""
    return json.dumps(name[:60])


def decoder(hook: Callable[[Pairs], object] = unique, *, is_strict: bool = False) -> json.JSONDecoder:
    """How text is decoded: `hook` makes an object of its pairs. `NaN` and `Infinity`, which JSON lacks, stay text."""
    return json.JSONDecoder(object_pairs_hook=hook, parse_constant=str, strict=is_strict)


def decoded(how: json.JSONDecoder, text: str, start: int = 0) -> tuple[object, int]:
    """The value that begins at `start`, and where it ends. Raises NotJson, and nothing else."""
    try:
        value, end = how.raw_decode(text, start)
    except NotJson:
        raise
    except json.JSONDecodeError as fault:
        raise NotJson(fault.msg, fault.pos) from None
    except RecursionError:
        raise NotJson(_TOO_DEEP) from None
    except ValueError:  # Python's limit to the digits of a whole number: reading them takes the square of their count
        raise NotJson("a whole number in it has thousands of digits") from None
    opened = text.count("{", start, end) + text.count("[", start, end)
    if opened > MOST_LEVELS and _is_deeper(value, MOST_LEVELS):
        raise NotJson(_TOO_DEEP)
    return value, end


_TOO_DEEP: Final = "it is nested too deeply"


def _is_deeper(value: object, levels: int) -> bool:
    """Whether more objects and lists than so many lie inside each other."""
    level = [value]
    for _ in range(levels + 1):
        level = [part for whole in level for part in _parts(whole)]
        if not level:
            return False
    return True


def _parts(value: object) -> list[object]:
    """The objects and lists that lie in a value itself."""
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [part for part in inner if isinstance(part, dict | list)]
