"""A small file that is one JSON object, as the trees hold several."""

import json
from typing import Final

from loaders.unpack import Source

LARGEST: Final = 1 << 20
"""Bytes; real ones have under 20,000."""


def read_object(source: Source, largest: int = LARGEST) -> dict[str, object] | None:
    """The object; None for a file that is larger, no valid JSON, nested too deeply, or no object."""
    data = source.read(largest + 1)
    try:
        said = json.loads(data) if len(data) <= largest else None
    except (ValueError, RecursionError):
        return None
    return said if isinstance(said, dict) else None
