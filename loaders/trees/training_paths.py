"""Where a file stands in a training submission: round, submitter, system and benchmark, as its path tells them."""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Literal

from mlperf.facts import facts

Role = Literal["log", "scaling", "node", "switch", "nested"]

_LOG: Final = re.compile(r"result_.*\.txt", re.DOTALL)
_POWER: Final = re.compile(r"(node|sw)_[^/]*\.txt")
_ROUND: Final = re.compile(r"training[_-](?:results[_-])?v?(\d+\.\d+)(?!\d)", re.IGNORECASE)
_ROUND_FOLDER: Final = re.compile(r"v\d+\.\d+", re.ASCII)


@dataclass(frozen=True)
class Place:
    """The place of one file of a group."""

    role: Role
    group: str
    """The folder of the group's logs, as the tree names it."""
    root: str
    """What stands above `results` or `systems`: the submitter's folder."""
    system: str | None
    benchmark: str | None
    """The folder's name as written; None for logs without a benchmark folder."""
    run: str
    """The log's name without `.txt`; "" for what belongs to no single run."""


@lru_cache(maxsize=8)  # a file is asked for twice: whether it is of the tree, and where it stands
def place(path: str) -> Place | None:
    """Where a file of a group stands; None for a file that is none of ours (logs of checkers, copies, notes)."""
    parts = path.split("/")
    name, folders = parts[-1], parts[:-1]
    if folders[-2:-1] and folders[-2].lower() == "power" and (power := _POWER.fullmatch(name)):
        role: Role = "node" if power[1] == "node" else "switch"
        return _placed(role, folders[:-2], folders[-1])
    if name == "scaling.json":
        return _placed("scaling", folders, "")
    if _LOG.fullmatch(name):
        return _placed("log", folders, name.removesuffix(".txt"))
    return None


def _placed(role: Role, folders: list[str], run: str) -> Place:
    group = "/".join(folders)
    lower = [folder.lower() for folder in folders]
    if "results" in lower:
        at = len(lower) - 1 - lower[::-1].index("results")
        below = folders[at + 1 :]
        root = "/".join(folders[:at])
        if len(below) > 2:
            return Place("nested", group, root, below[0], below[1], run)
        system = below[0] if below else None
        return Place(role, group, root, system, below[1] if len(below) > 1 else None, run)
    if not folders or not is_benchmark(folders[-1]):
        return Place(role, group, group, None, None, run)
    if len(folders) > 1 and is_benchmark(folders[-2]):
        return Place("nested", group, "", None, folders[-2], run)
    return Place(role, group, "/".join(folders[:-2]), folders[-2] if len(folders) > 1 else None, folders[-1], run)


def is_benchmark(folder: str) -> bool:
    """Whether any training round has a benchmark under this name."""
    return facts().benchmark("training", folder, None) is not None


def submitter(root: str) -> str | None:
    """The submitter's folder: the last one above `results` and `systems`."""
    return root.rpartition("/")[2] or None


def round_of(*names: str) -> str | None:
    """The round that the first of these names states: paths, folders and archives, the innermost folder first."""
    for name in names:
        if found := _ROUND.findall(name):
            return f"v{found[-1]}"
        folders = [part for part in name.split("/") if _ROUND_FOLDER.fullmatch(part)]
        if folders:
            return folders[-1]
    return None
