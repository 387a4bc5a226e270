"""Submissions of training and HPC: `systems/*.json` and `results/<SYSTEM>/<BENCHMARK>/` with logs, scaling and power.

HPC has a folder `strong` or `weak` above the benchmark's. A part of a submission will do.

Each file is read on its own; groups are scored when all files are known. Who ran what is told by the path and the
system's sheet; of a log's own claims only the benchmark is asked, and only where no folder names it.
"""

import math
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from loaders import mll
from loaders.json_text import quoted
from loaders.trees import training_checks
from loaders.trees.json_object import Unreadable, read_object
from loaders.trees.protocol import Assembled, Context
from loaders.trees.systems import is_system_file, read_system
from loaders.trees.training_group import Group
from loaders.trees.training_log import RunLog, read_log
from loaders.trees.training_paths import (
    PRUNED,
    Place,
    is_benchmark,
    kind_of,
    kind_of_benchmark,
    place,
    round_of,
    submitter,
)
from loaders.trees.training_power import Watts, read_power
from loaders.trees.training_results import assembled
from loaders.unpack import Source
from mlperf.errors import Problem, Where
from mlperf.facts import facts
from mlperf.model import Kind, SystemSheet, Verdict

NAME: Final = "training-tree"
TITLE: Final = (
    "Training or HPC submission: `results/<SYSTEM>/<BENCHMARK>/result_*.txt` (in HPC below `strong` or `weak`), "
    "`systems/*.json`, or a part of it"
)
RANK: Final = 50


@dataclass(frozen=True)
class Piece:
    """What one file says, and where the file stands."""

    source: str
    path: str
    place: Place | None
    """None for a system's sheet."""
    content: RunLog | Watts | SystemSheet | float | None
    """A float for scaling.json; None for what could not be read, and for copies, which are not."""


def claims(source: Source) -> bool:
    """Logs, scaling and power in their place, systems of a training tree, and bare logs that hold the token."""
    if is_system_file(source.path):
        return _is_training_system(source)
    found = place(source.path)
    if found is None:
        return False
    if found.role in {"log", "nested", "pruned"} and not (found.benchmark and is_benchmark(found.benchmark)):
        return mll.is_old(source.head) is not None
    return True


def _is_training_system(source: Source) -> bool:
    """Inference trees have a division above the submitter, training trees do not."""
    if "inference" in source.name.lower():
        return False
    above = source.path.split("/")[:-2]
    return len(above) < 2 or above[-2].lower() not in facts().divisions


def read(source: Source) -> Iterator[Piece | Problem]:
    """One piece per file, and a Problem for all that is wrong with the file by itself."""
    if is_system_file(source.path):
        root = source.path.rpartition("/")[0].rpartition("/")[0]
        for part in read_system(source, kind_of(source.path) or "training", round_of(source.path), submitter(root)):
            yield Piece(source.name, source.path, None, part) if isinstance(part, SystemSheet) else part
        return
    found = place(source.path)
    if found is None:
        return
    if found.role in {"nested", "pruned"}:
        yield Piece(source.name, source.path, found, None)
    elif found.role == "scaling":
        factor = _factor(source)
        if isinstance(factor, Problem):
            yield factor
        yield Piece(source.name, source.path, found, None if isinstance(factor, Problem) else factor)
    else:
        content = read_log(source) if found.role == "log" else read_power(source, is_node=found.role == "node")
        piece: RunLog | Watts | None = None
        for item in content:
            if isinstance(item, Problem):
                yield item
            else:
                piece = item
        yield Piece(source.name, source.path, found, piece)


def _factor(source: Source) -> float | Problem:
    """The factor of a scaling.json.

    Source: mlcommons/logging result_summarizer: _get_scaling_factor.
    """
    fix = "The group has no score."
    read = read_object(source, 1 << 16)
    if isinstance(read, Unreadable):
        return Problem(Where(source.name, read.line), "bad-scaling", f"{read.reason}: no scaling_factor.", fix)
    if read.twice:
        found = f"the key {quoted(read.twice[0])} stands twice: no scaling_factor can be trusted."
        return Problem(Where(source.name), "bad-scaling", found, fix)
    factor = read.fields.get("scaling_factor")
    if isinstance(factor, int | float) and not isinstance(factor, bool) and 0 < factor < sys.float_info.max:
        return float(factor)
    return Problem(Where(source.name), "bad-scaling", "states no scaling_factor.", fix)


def assemble(pieces: Sequence[Piece], context: Context) -> Iterator[Assembled]:
    """Each system's sheet, then group by group the result, its runs and its Problems, sorted by folder."""
    sheets = {}
    kinds = {
        at.root: kind for piece in pieces if (at := piece.place) and (kind := kind_of_benchmark(at.benchmark or ""))
    }
    for piece in sorted(pieces, key=lambda piece: piece.source):
        if isinstance(sheet := piece.content, SystemSheet):
            root = piece.path.rpartition("/")[0].rpartition("/")[0]
            names = (piece.path, context.name, context.above)
            key = (root, sheet.system_id)
            sheet = _complete(sheet, kinds.get(root) or kind_of(*names) or "training", round_of(*names))
            sheets[key] = sheet
            yield sheet
    groups, copies = _groups(pieces, sheets, context)
    for (folder, role), count in sorted(copies.items()):
        if role == "pruned":
            found = (
                f"{count} instances lie in {PRUNED}: their submitter took them out of the score, as the rules allow."
            )
            yield Problem(Where(folder), "pruned-runs", found, "They were not read.")
            continue
        found = f"{count} logs lie in a folder inside a benchmark's folder."
        yield Problem(Where(folder), "nested-copy", found, "They were not read: only a benchmark's own folder counts.")
    for _, group in sorted(groups.items()):
        group.apply(context.label(group.where.file))
        if group.sheet is None and group.system and group.logs and not group.label.division:
            found = f"the tree has no systems/{group.system}.json."
            fix = "Its division and hardware are not known. Add the file and load the tree again."
            yield Problem(group.where, "no-system", found, fix)
        if group.logs or group.scaling:
            yield from assembled(group)
            if context.wants_verdicts and group.logs:
                yield Verdict(group.where.file, training_checks.checks(group))


def _complete(sheet: SystemSheet, kind: Kind, round_id: str | None) -> SystemSheet:
    """The sheet with the round, and with the submitter that it names where no folder does."""
    named = sheet.submitter or dict(sheet.facts).get("submitter", "")
    return SystemSheet(sheet.where, kind, round_id, named, sheet.system_id, sheet.facts)


def _groups(
    pieces: Sequence[Piece], sheets: dict[tuple[str, str], SystemSheet], context: Context
) -> tuple[dict[str, Group], dict[tuple[str, str], int]]:
    """Groups by their folder, and how many logs lie in folders where none count, by folder and role."""
    groups: dict[str, Group] = {}
    copies: dict[tuple[str, str], int] = {}
    for piece in sorted(pieces, key=lambda piece: piece.source):
        at = piece.place
        if at is None:
            continue
        folder = _folder(piece)
        if at.role in {"nested", "pruned"}:
            copies[folder, at.role] = copies.get((folder, at.role), 0) + 1
            continue
        group = groups.get(at.group)
        if group is None:
            named = submitter(at.root)
            sheet = sheets.get((at.root, at.system or ""))
            owner = named or (sheet.submitter if sheet else None)
            names = (at.group, context.name, context.above)
            location = _location(at, owner)
            group = Group(
                Where(folder), round_of(*names), named, at.system, at.benchmark, location, kind_of(*names), at.scenario,
                sheet,
            )  # fmt: skip
            groups[at.group] = group
        _put(group, at, piece.content)
    return groups, copies


def _location(at: Place, owner: str | None) -> str | None:
    """The folder of a group in the round's repository."""
    if not (owner and at.system and at.benchmark):
        return None
    above = at.group.rpartition("/")[0].rpartition("/")[2]
    return "/".join([owner, "results", at.system, *([above] if at.scenario else []), at.benchmark])


def _folder(piece: Piece) -> str:
    """The folder of a group, as the owner of the file has it."""
    assert piece.place is not None
    inside = piece.path.removeprefix(piece.place.group)
    return (
        piece.source.removesuffix(inside)
        if piece.place.group
        else piece.source.removesuffix(piece.path).rstrip("/") or piece.source
    )


def _put(group: Group, at: Place, content: object) -> None:
    """Add what one file says to its group."""
    if at.role == "log" and isinstance(content, RunLog):
        group.logs[at.run] = content
    elif at.role == "scaling":
        group.scaling.append(content if isinstance(content, float) else None)
    elif at.role in {"node", "switch"}:
        group.has_power = True
        if at.role == "switch":
            watts = content.watts if isinstance(content, Watts) else math.nan
            group.switches.setdefault(at.run, []).append(watts)
        elif isinstance(content, Watts):
            group.nodes.setdefault(at.run, []).append(content)
