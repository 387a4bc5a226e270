"""What a file of a submission is that holds no result: code, documents, compliance runs, … told from its path alone.

Source: mlcommons/policies, submission_rules.adoc (folders of submissions of both kinds); names of files:
LoadGen, the submission checkers, and the trees of the rounds at hand.
"""

import re
from typing import Final, NamedTuple


class _Part(NamedTuple):
    """A kind of file: the folders that hold such files alone, and the names of files elsewhere."""

    kind: str
    folders: re.Pattern[str]
    names: re.Pattern[str]


def _part(kind: str, folders: str, names: str) -> _Part:
    return _Part(kind, re.compile(folders, re.IGNORECASE), re.compile(names, re.IGNORECASE))


_NONE: Final = r"(?!)"
PARTS: Final = (  # the first that fits
    _part(
        "compliance runs", r"compliance|TEST\d{2}|audit", r"verify_\w{1,20}\.txt|audit\.config|compliance_\w{1,40}\.out"
    ),
    _part("measurements", "measurements", r"user\.conf|mlperf\.conf|measurements\.json|config\.ya?ml"),
    _part(
        "code",
        "code|src|benchmarks|implementations?|scripts|docker|setup",
        r"[^/]{1,200}\.(?:py|sh|cc?|cpp|cu|h|hpp|cmake|ipynb|patch|sub|slurm)|makefile|dockerfile|\.git\w{1,20}",
    ),
    _part("calibration", "calibration", r"calibration[^/]{0,80}"),
    _part(
        "documentation",
        "documentation|docs?",
        r"readme[^/]{0,60}|license[^/]{0,60}|[^/]{1,200}\.(?:md|pdf|rst|docx|adoc)",
    ),
    _part("accuracy runs", "accuracy", r"mlperf_log_accuracy\.json|accuracy\.txt"),
    _part("power logs", "power|ranging", r"spl\.txt|ptd_logs\.txt|(?:client|server)\.(?:json|log)"),
    _part("further logs of LoadGen", _NONE, r"mlperf_log_(?:trace\.json|detail\.txt|summary\.txt)"),
    _part("system descriptions", "systems", _NONE),
    _part("checkers' reports", _NONE, r"[^/]{0,60}(?:checker|summary)[^/]{0,60}\.(?:txt|log|csv|json)"),
)


def part_of(path: str) -> str | None:
    """The kind of file of a submission that lies at this path; None for one that belongs to none."""
    *folders, name = path.split("/")
    for part in PARTS:
        if part.names.fullmatch(name) or any(part.folders.fullmatch(folder) for folder in folders):
            return part.kind
    return None


def folder_of(path: str) -> str:
    """The folder that makes a file of its kind, from the top: `closed/Dell/code`; its own folder elsewhere."""
    *folders, _ = path.split("/")
    for depth, folder in enumerate(folders, 1):
        if any(part.folders.fullmatch(folder) for part in PARTS):
            return "/".join(folders[:depth])
    return "/".join(folders)
