"""Where a file of an MLPerf Inference results tree belongs, told from its path alone.

A tree may have any folders above it or be only a part of one. What a log claims about itself is for others.
"""

import functools
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from loaders.unpack import Source
from mlperf.facts import facts

Part = Literal["run", "power", "accuracy", "endpoint", "config", "measurements", "system", "mapping", "alone"]

_RUN: Final = re.compile(r"run_\d+", re.IGNORECASE)
_TEST: Final = re.compile(r"TEST\d+|test_\d[ab]?", re.IGNORECASE)
"""A compliance test's folder: `TEST01`; in v0.5 `test_1`, `test_4a`."""
_ROUND: Final = re.compile(r"(?<![\d.])v?(\d+\.\d+)(?!\.?\d)", re.IGNORECASE)
_NOT_RESULTS: Final = frozenset({"compliance", "ranging", "accuracy", "power"})


@dataclass(frozen=True, order=True)
class Place:
    """What the path says; None where it is silent. Equal for the files of one result, `part` and `run` aside."""

    root: str
    """Everything above the division (or above the first folder that means something)."""
    round: str | None = None
    division: str | None = None
    submitter: str | None = None
    system_id: str | None = None
    model: str | None = None
    scenario: str | None = None
    """The scenario's folder, spelled as it is."""
    part: Part = "alone"
    run: str = ""

    @property
    def result(self) -> tuple[str, ...]:
        """The same for all files of one result."""
        return self.root, *(text or "" for text in (*self.owner, self.system_id, self.model, self.scenario))

    @property
    def owner(self) -> tuple[str | None, str | None]:
        """Division and submitter."""
        return self.division, self.submitter


Misplaced = Literal["misplaced", "ignored"]


def components(source: Source) -> tuple[list[str], int]:
    """All folders above a file and its name, and how many of them the user did not name.

    The folders that hold what the user named count too: who loads `inference_results_v3.0/closed/Dell` means all three.
    """
    above = _folders(source.container.path)
    named = source.name.split("/")
    if source.container.kind == "file" and named[: len(above) + 1] == ["", *above]:
        named = named[len(above) + 1 :]  # named by its full path
    return [*above, *named], len(above)


@functools.lru_cache(maxsize=256)  # thousands of files share one archive
def _folders(path: Path) -> tuple[str, ...]:
    """The folders above a file."""
    return tuple(part for part in path.parent.parts if part != "/")


def place(source: Source) -> Place | Misplaced:
    """Where a log, power file, accuracy file or endpoints file belongs."""
    parts, unnamed = components(source)
    folders = parts[:-1]
    lowered = [folder.lower() for folder in folders]
    if lowered[-2:-1] == ["performance"] and _RUN.fullmatch(lowered[-1]):
        return _result(parts, len(folders) - 2, unnamed, "run", lowered[-1])
    if lowered[-2:] == ["performance", "power"]:
        return _result(parts, len(folders) - 2, unnamed, "power")
    if lowered[-1:] == ["accuracy"]:
        return _result(parts, len(folders) - 1, unnamed, "accuracy")
    if lowered[-1:] == ["performance"] and parts[-1].lower().endswith(".json"):
        return _result(parts, len(folders) - 1, unnamed, "endpoint")
    if lowered[-1:] == ["performance"] and lowered[-5:-4] == ["results"]:
        return _result(parts, len(folders) - 1, unnamed, "run")
    if parts[-1].lower() in {"config.yaml", "config.yml"}:
        return _result(parts, len(folders), unnamed, "config")
    if is_measurements(parts):
        return _result(parts, len(folders), unnamed, "measurements")
    named = lowered[unnamed:]
    nested = "performance" in named and "results" in named
    if nested or not _NOT_RESULTS.isdisjoint(named) or any(_TEST.fullmatch(folder) for folder in named):
        return "ignored"
    return Place("/".join(folders), round_of(folders))


def is_measurements(parts: list[str]) -> bool:
    """Whether a path is `measurements/<SYS>/<MODEL>/<SCEN>/*.json` (to v5.1) or a result's `measurements.json`."""
    name = parts[-1].lower()
    if name == "measurements.json":
        return len(parts) > 1 and facts().scenario(parts[-2]) is not None
    return name.endswith(".json") and [part.lower() for part in parts[-5:-4]] == ["measurements"]


def _result(parts: list[str], end: int, unnamed: int, part: Part, run: str = "") -> Place | Misplaced:
    """The result whose scenario's folder ends at `end`."""
    folders = parts[:end]
    lowered = [folder.lower() for folder in folders]
    if any(_TEST.fullmatch(folder) for folder in folders[-3:]) or "compliance" in lowered[unnamed:]:
        return "ignored"
    if lowered[-4:-3] in (["results"], ["measurements"]):
        owner = _owner(folders[:-4])
        return Place(*owner, folders[-3], folders[-2], folders[-1], part, run)
    named = folders[unnamed:]
    if "results" in (folder.lower() for folder in named):
        return "misplaced" if part == "run" else "ignored"
    if not named or facts().scenario(named[-1]) is None:
        return Place("/".join(folders), round_of(folders), part=part, run=run)
    if len(named) > 1 and facts().scenario(named[-2]) is not None:
        return "misplaced" if part == "run" else "ignored"
    model = named[-2] if len(named) > 1 and not _is_container(parts, unnamed, end - 2) else None
    system = named[-3] if len(named) > 2 and not _is_container(parts, unnamed, end - 3) else None
    above = folders[: end - 1 - (model is not None) - (system is not None)]
    return Place("/".join(above), round_of(above), None, None, system, model, named[-1], part, run)


def _is_container(parts: list[str], unnamed: int, index: int) -> bool:
    """Whether a component is an archive's name, which is no folder of a tree."""
    return index == unnamed and re.search(r"\.(zip|tar|tgz|gz)$", parts[index], re.IGNORECASE) is not None


def _owner(above: list[str]) -> tuple[str, str | None, str | None, str | None]:
    """Root, round, division and submitter from the folders above `results` or `systems`."""
    submitter = above[-1] if above else None
    if submitter is not None and re.search(r"\.(zip|tar|tgz|gz)$", submitter, re.IGNORECASE):
        submitter = None
    division = above[-2] if len(above) > 1 and facts().division(above[-2]) is not None else None
    if submitter is not None and division is None and facts().division(submitter) is not None:
        return "/".join(above[:-1]), round_of(above[:-1]), submitter, None
    depth = (submitter is not None) + (division is not None)
    root = above[: len(above) - depth]
    return "/".join(root), round_of(root), division, submitter


def owner_place(source: Source, part: Part) -> Place:
    """Where `systems/<SYS>.json` or `model_mapping.json` belongs: to a submitter."""
    folders = components(source)[0][: -2 if part == "system" else -1]
    root, played, division, submitter = _owner(folders)
    return Place(root, played, division, submitter, part=part)


def round_of(folders: list[str]) -> str | None:
    """The round that a tree's own folders or archive name: of the lowest that names one; a known round before any."""
    return _round_of(tuple(folders))


@functools.lru_cache(maxsize=1024)
def _round_of(folders: tuple[str, ...]) -> str | None:
    unknown = None
    for folder in reversed(folders):
        if (found := _ROUND.search(folder)) is None:
            continue
        known = facts().round("inference", found[1])
        is_ours = "inference" in folder.lower()
        if known is not None and (is_ours or _ROUND.fullmatch(folder) or f"v{found[1]}" in folder.lower()):
            return known.id
        if is_ours and unknown is None:
            unknown = f"v{found[1]}"
    return unknown
