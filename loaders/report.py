"""A source's report as lines of text."""

from collections.abc import Iterator
from typing import Final

from loaders.ingest import SourceReport

SHOWN: Final = 5
"""Problems, and skipped files, shown of each source; the total is always said."""


def lines(report: SourceReport) -> Iterator[str]:
    """What was recognised, stored, already there, wrong and skipped in one source."""
    yield report.name
    if report.refused:
        yield f"  refused: {report.refused}"
        return
    for title, files in sorted(report.recognised.items()):
        yield f"  recognised: {title}" + (f", {files:,} files" if files > 1 else "")
    yield f"  rows stored: {report.new:,}"
    yield f"  rows already there: {report.already:,}"
    if report.runs:
        yield f"  training runs: {report.runs:,}"
    if report.problems:
        yield f"  problems: {len(report.problems):,}"
        yield from (f"    {problem}" for problem in report.problems[:SHOWN])
        yield from _rest(len(report.problems), "They are stored in the table `problems`.")
    if report.skipped:
        yield f"  skipped: {len(report.skipped):,} files that no format knows"
        yield from (f"    {name}: looks like {likeness}" for name, likeness in report.skipped[:SHOWN])
        yield from _rest(len(report.skipped), "")


def _rest(count: int, where: str) -> Iterator[str]:
    if count > SHOWN:
        yield f"    … and {count - SHOWN:,} more. {where}".rstrip()
