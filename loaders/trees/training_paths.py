"""Where a file stands in a submission of training or HPC: round, submitter, system and benchmark, told by its path."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final, Literal, cast

from mlperf.facts import Benchmark, facts
from mlperf.model import OF_RUNS, Kind

Role = Literal["log", "scaling", "node", "switch", "nested", "pruned"]

_LOG: Final = re.compile(r"result_.*\.txt", re.DOTALL)
_POWER: Final = re.compile(r"(node|sw)_[^/]*\.txt")
_ROUND: Final = re.compile(r"(training|hpc)[_-](?:results[_-])?v?(\d+\.\d+)(?!\d)", re.IGNORECASE)
PRUNED: Final = "pruned_results"
"""Holds the logs of instances that a submitter took out of the score of weak scaling.

Source: mlcommons/training_policies hpc_training_rules.adoc, Throughput.
"""
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
    scenario: str | None
    """The scenario of HPC that the folder above the benchmark's names; None where there is none."""
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
    if _LOG.fullmatch(name) and folders[-1:] and folders[-1].lower() == PRUNED:
        return replace(_placed("log", folders[:-1], name.removesuffix(".txt")), role="pruned")
    if _LOG.fullmatch(name):
        return _placed("log", folders, name.removesuffix(".txt"))
    return None


def _placed(role: Role, folders: list[str], run: str) -> Place:
    group = "/".join(folders)
    lower = [folder.lower() for folder in folders]
    if "results" in lower:
        at = len(lower) - 1 - lower[::-1].index("results")
        return _below_results(role, "/".join(folders[:at]), folders[at + 1 :], group, run)
    if not folders or not is_benchmark(folders[-1]):
        return Place(role, group, group, None, None, None, run)
    above = folders[:-1]
    if above and is_benchmark(above[-1]):
        return Place("nested", group, "", None, above[-1], None, run)
    is_hpc = kind_of_benchmark(folders[-1]) == "hpc"
    scenario = facts().scenario(above[-1], "hpc") if above and is_hpc else None
    above = above[:-1] if scenario else above
    return Place(role, group, "/".join(above[:-1]), above[-1] if above else None, folders[-1], scenario, run)


def _below_results(role: Role, root: str, below: list[str], group: str, run: str) -> Place:
    """`results/<SYSTEM>/<BENCHMARK>` of training, `results/<SYSTEM>/strong/<BENCHMARK>` of HPC, or the first part."""
    system = below[0] if below else None
    scenario = facts().scenario(below[1], "hpc") if len(below) > 1 else None
    inside = below[2:] if scenario else below[1:]
    if len(inside) > 1:
        role = "nested"
    return Place(role, group, root, system, inside[0] if inside else None, scenario, run)


def is_benchmark(folder: str) -> bool:
    """Whether any round of training or HPC has a benchmark under this name."""
    return kind_of_benchmark(folder) is not None


def kind_of_benchmark(name: str) -> Kind | None:
    """The kind whose benchmark has this name; none of HPC's is also one of training."""
    return next((kind for kind in OF_RUNS if facts().benchmark(kind, name, None) is not None), None)


def benchmark_of(name: str) -> Benchmark | None:
    """The benchmark of training or HPC with this name."""
    kind = kind_of_benchmark(name)
    return facts().benchmark(kind, name, None) if kind else None


def submitter(root: str) -> str | None:
    """The submitter's folder: the last one above `results` and `systems`."""
    return root.rpartition("/")[2] or None


def round_of(*names: str) -> str | None:
    """The round that the first of these names states: paths, folders and archives, the innermost folder first."""
    return _played(names)[1]


def kind_of(*names: str) -> Kind | None:
    """The kind of the round that the first of these names states; None where it only states the round."""
    return _played(names)[0]


def _played(names: Iterable[str]) -> tuple[Kind | None, str | None]:
    for name in names:
        if found := _ROUND.findall(name):
            kind, number = found[-1]
            return cast(Kind, kind.lower()), f"v{number}"
        folders = [part for part in name.split("/") if _ROUND_FOLDER.fullmatch(part)]
        if folders:
            return None, folders[-1]
    return None, None
