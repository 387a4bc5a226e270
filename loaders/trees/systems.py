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

_ENTRY: Final = {"hardware": "system_name", "os": "operating_system"}
"""Fields of training v0.6's older description, the `submission_entry` of a log, and what later ones call them."""
_NODE: Final = {
    "num_nodes": "number_of_nodes",
    "accelerator": "accelerator_model_name",
    "num_accelerators": "accelerators_per_node",
    "sys_mem_size": "host_memory_capacity",
}
_COUNTED: Final = re.compile(r"([1-9][0-9]?)x (.{1,200})")
_LOG_LINE: Final = re.compile(r"([a-z_]{1,40}+): (\{.*+)")
_PAIR: Final = re.compile(r"""'([^'"\\\r\n]{1,100}+)': (?:'([^'\\]*+)'|"([^"\\]*+)")""")


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
    for key, value in _renamed(read.fields).items():
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


def _renamed(fields: dict[str, object]) -> dict[str, object]:
    """The fields of a sheet, those of training v0.6's older description under the names that later ones have.

    One entry of `nodes` describes every node; of several kinds of nodes none is taken for all.
    """
    nodes = fields.get("nodes")
    node = nodes[0] if isinstance(nodes, list) and len(nodes) == 1 else nodes
    if not isinstance(node, dict) or "num_nodes" not in node:
        return fields
    stated = {name: value for name, value in fields.items() if name not in {"nodes", *_ENTRY}}
    names = {_FIELDS.get(name.strip().lower(), name.strip()) for name in stated}
    more = {name: fields[of] for of, name in _ENTRY.items() if of in fields}
    more.update({name: node[of] for of, name in _NODE.items() if of in node})
    processor = node.get("cpu")
    if isinstance(processor, str):
        counted = _COUNTED.fullmatch(processor)
        more["host_processor_model_name"] = counted[2] if counted else processor
        if counted:
            more["host_processors_per_node"] = counted[1]
    return {**stated, **{name: value for name, value in more.items() if name not in names}}


def _log_fields(written: str) -> dict[str, object] | None:
    """The fields of a sheet of NVIDIA's in training v0.6; None where it is none.

    It holds the log's `submission_…` lines without their head, `division: {"value": "closed", …}`; `entry` has all the
    rest as Python writes it, the nodes as a text in it.
    """
    fields: dict[str, object] = {}
    for line in written.split("\n"):
        found = _LOG_LINE.fullmatch(line.strip())
        event = object_of(found[2]) if found else None
        if isinstance(event, Unreadable):
            return None
        if found and event is not None and isinstance(value := event.fields.get("value"), str):
            fields[found[1]] = value
        elif line.strip():
            return None
    entry = fields.pop("entry", None)
    if not isinstance(entry, str):
        return None
    pairs = {name: plain or quoted for name, plain, quoted in _PAIR.findall(entry)}
    node = {name: plain or quoted for name, plain, quoted in _PAIR.findall(pairs.pop("nodes", ""))}
    basics = {name: fields[name] for name in ("division", "status") if name in fields}
    return {**basics, "submitter": fields.get("org", ""), **pairs, "nodes": node}


def _object(where: Where, data: bytes) -> tuple[JsonObject | None, Problem | None]:
    """The JSON object of a file, and the Problem where it is none, or only with a trailing comma mended."""
    try:
        written = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        written = data.decode("latin-1")
    if (fields := _log_fields(written)) is not None:
        return JsonObject(fields, ()), None
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
