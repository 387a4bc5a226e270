"""`systems/*.json`: the description of one system, in training and inference alike, as facts of one line each."""

import re
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Final

from loaders.cells import BadCell, text
from loaders.trees.json_object import JsonObject, Unreadable, object_of
from loaders.unpack import Source
from mlperf.errors import Problem, Where
from mlperf.model import Kind, SystemSheet

LARGEST: Final = 1 << 20
"""Bytes; real ones have under 20,000."""

_PROSE: Final = frozenset({"hw_notes", "sw_notes", "notes", "other_hardware", "system_type_detail"})
_TRAILING_COMMA: Final = re.compile(r'("(?:[^"\\]++|\\.)*+"?)|,(?=\s*+[}\]])', re.DOTALL)
"""A string, which is passed over whole, closed or not, so that nothing in it is looked at again; or such a comma."""

_FIELDS: Final = {"divison": "division", "number of nodes": "number_of_nodes", "system-type": "system_type"}
"""Misspelt names of fields, seen in training v0.7 (SIAT, Tencent; DellEMC) and v1.1."""


def is_system_file(path: str) -> bool:
    """Whether a path is `…/systems/<SYSTEM>.json`; hidden files are none."""
    folder, _, name = path.rpartition("/")
    is_sheet = name.lower().endswith(".json") and not name.startswith(".")
    return is_sheet and folder.rpartition("/")[2].lower() == "systems"


def read_system(
    source: Source, kind: Kind = "training", round_id: str | None = None, submitter: str | None = None
) -> Iterator[SystemSheet | Problem]:
    """The sheet of one system under its file's name, and what is wrong with the file.

    `submitter` is the folder's name, which the caller knows from the path; "" in the sheet where it is None.
    """
    where = Where(source.name)
    if source.size > LARGEST:
        yield Problem(where, "bad-system", f"has {source.size:,} bytes, too many for a system.", "It was left out.")
        return
    data = source.read(LARGEST + 1)
    read, problem = _object(where, data)
    if problem is not None:
        yield problem
    if read is None:
        return
    yield from read.problems(where, "The last value was taken, as the official tools do.")
    facts: dict[str, str] = {}
    for key, value in read.fields.items():
        try:
            name = text(key) or ""
            name = _FIELDS.get(name.lower(), name)
            if name.lower() in _PROSE or name in facts:
                continue
            cell = text(_flat(value))
        except BadCell:  # prose in a field for facts
            continue
        if cell is not None:
            facts[name] = cell
    yield SystemSheet(where, kind, round_id, submitter or "", PurePosixPath(source.path).stem, tuple(facts.items()))


def _object(where: Where, data: bytes) -> tuple[JsonObject | None, Problem | None]:
    """The JSON object of a file, and the Problem where it is none, or only with a trailing comma mended."""
    try:
        written = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        written = data.decode("latin-1")
    read = object_of(written)
    if not isinstance(read, Unreadable):
        return read, None
    if not read.is_json:
        mended = object_of(_TRAILING_COMMA.sub(lambda match: match[1] or "", written))
        fix = "It was read without the comma that stands behind the last field."
        if isinstance(mended, Unreadable):
            fix = "It was left out: its results have no division and no accelerator."
        problem = Problem(Where(where.file, read.line), "broken-json", f"{read.reason}.", fix)
        return (None if isinstance(mended, Unreadable) else mended), problem
    return None, Problem(where, "bad-system", "is JSON, but no description of a system.", "It was left out.")


def _flat(value: object) -> object:
    """Lists and objects as one text; numbers and texts as they are."""
    if isinstance(value, dict):
        return "; ".join(f"{name}: {_flat(part)}" for name, part in value.items())
    if isinstance(value, list):
        return "; ".join(str(_flat(part)) for part in value)
    return value
