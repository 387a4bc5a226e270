"""What came of loading, as lines of text: what was stored, what is wrong, what was left aside, what to do next."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from loaders.ingest import SourceReport
from loaders.submission_files import folder_of, part_of
from loaders.unlabelled import advice
from mlperf.errors import Problem, UnknownFormat

MOST: Final = 5
"""Problems of a source, kinds of files and refused files that are listed; how many there are is always said."""

EXAMPLES: Final = 3
"""Folders or files of a kind that are named."""

FORMATS: Final = 'README, "Load your own tables and logs", lists what Roundtable reads.'


def lines(reports: Sequence[SourceReport], command: Sequence[str], *, is_whole: bool = False) -> Iterator[str]:
    """The report on all sources; `command` is what was typed, without labels. `is_whole` lists everything."""
    most = None if is_whole else MOST
    unknown = [report for report in reports if isinstance(report.refused, UnknownFormat)]
    left_aside = [entry for report in reports for entry in report.skipped]
    alone = unknown if len(unknown) == len(reports) == 1 else []
    refused = [report for report in reports if report.refused is not None and report not in unknown] + alone
    for report in reports:
        if report.refused is None:
            yield from _of_source(report, most)
    if left_aside and not alone:
        yield from _left_aside(left_aside, most)
    if refused:
        yield f"refused: {len(refused):,}"
        yield from (f"  {report.refused}" for report in refused[:most])
        yield from _rest(len(refused), most)
    if unlabelled := [item for report in reports for item in report.unlabelled.values()]:
        yield from advice(unlabelled, command)
    if not any(report.is_loaded for report in reports):
        if not alone and not any(report.recognised for report in reports):
            yield from dict.fromkeys(report.refused.fix for report in unknown if report.refused is not None)
        yield FORMATS


def _of_source(report: SourceReport, most: int | None) -> Iterator[str]:
    """What was recognised, stored, already there and wrong in one source."""
    if not (report.recognised or report.problems):
        return
    yield report.name
    for title, files in sorted(report.recognised.items()):
        yield f"  recognised: {title}" + (f", {files:,} files" if files > 1 else "")
    yield f"  rows stored: {report.new:,}"
    yield f"  rows already there: {report.already:,}"
    if report.runs:
        yield f"  training runs: {report.runs:,}"
    asked = {item.problem for item in report.unlabelled.values()}
    if problems := [problem for problem in report.problems if problem not in asked]:
        kinds = together(problems)
        yield f"  problems: {len(problems):,}" + (f", {len(kinds):,} different" if len(kinds) < len(problems) else "")
        if most is None:
            yield from (f"    {problem}" for problem in problems)
        else:
            yield from (f"    {_counted(problem, count)}" for problem, count in kinds[:most])
            yield from _rest(len(kinds), most, "  ")


def together(problems: Iterable[Problem]) -> list[tuple[Problem, int]]:
    """Problems that say the same as one, the first, with their number; those of most places first."""
    counts: Counter[tuple[str, str, str]] = Counter()
    first: dict[tuple[str, str, str], Problem] = {}
    for problem in problems:
        key = problem.kind, problem.found, problem.fix
        counts[key] += 1
        first.setdefault(key, problem)
    return [(first[key], count) for key, count in counts.most_common()]


def _counted(problem: Problem, count: int) -> str:
    return f"{count:,} times, first {problem}" if count > 1 else str(problem)


def _left_aside(files: Sequence[tuple[str, str]], most: int | None) -> Iterator[str]:
    """Files that hold no results, by their kind: parts of a submission by name, others by what they look like."""
    kinds: dict[str, list[str]] = defaultdict(list)
    for name, likeness in files:
        kinds[part_of(name) or f"unknown, {likeness}"].append(name)
    yield f"left aside, no results: {len(files):,} file{'s' if len(files) > 1 else ''}"
    ordered = sorted(kinds.items(), key=lambda item: (item[0].startswith("unknown"), -len(item[1]), item[0]))
    for kind, names in ordered if most is None else ordered[: 2 * most]:
        if most is None:
            yield f"  {kind}: {len(names):,}"
            yield from (f"    {name}" for name in names)
        else:
            places = Counter(name if kind.startswith("unknown") else folder_of(name) or name for name in sorted(names))
            named = ", ".join(place for place, _ in places.most_common(EXAMPLES))
            yield f"  {kind}: {len(names):,} ({named}{', …' if len(places) > EXAMPLES else ''})"
    yield from _rest(len(ordered), None if most is None else 2 * most)


def _rest(count: int, most: int | None, indent: str = "") -> Iterator[str]:
    if most is not None and count > most:
        yield f"{indent}  … and {count - most:,} more: --all lists them."
