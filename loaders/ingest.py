"""The whole line from a path to stored results, unpack, detect, parse, normalise, store; and what came of it.

Source ──detect──▶ Format ──parse──▶ Measurement ──normalise──▶ Sighting ──store──▶ Results
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import duckdb

from loaders import registry
from loaders.limits import as_text
from loaders.manifest import Listed, Manifest
from loaders.normalise import normalise
from loaders.protocol import Format
from loaders.resolve import MLCOMMONS, Seen
from loaders.store import SourceFile, sighting_id, store
from loaders.unpack import LIMITS, Limits, OnProgress, Source, container_digest, looks_like, sources
from mlperf.errors import AmbiguousFormat, LoadError, Problem, StoreError, UnknownFormat, Where
from mlperf.model import Sighting

OWN = "own"
"""The origin of results whose owner nobody named."""

REFUSED = ("unsafe-archive", "broken-file")
"""Kinds of `Problem` by which `unpack` says that nothing of a file or archive in a folder can be trusted."""


@dataclass
class SourceReport:
    """What came of one file or archive."""

    name: str
    recognised: Counter[str] = field(default_factory=Counter)
    """Files per format, by the format's title."""
    new: int = 0
    already: int = 0
    problems: list[Problem] = field(default_factory=list)
    skipped: list[tuple[str, str]] = field(default_factory=list)
    """Files that no format knows, and what they look like."""
    refused: Problem | LoadError | StoreError | None = None

    @property
    def is_loaded(self) -> bool:
        """Whether anything of it is in the database now."""
        return self.refused is None and self.new + self.already > 0


@dataclass
class _Batch:
    """One file or archive on disk while it is read; nothing is stored before all of it was."""

    file: Path
    report: SourceReport
    source: SourceFile
    listed: Listed | None
    seen: dict[str, Seen] = field(default_factory=dict)
    stored_problems: list[Problem] = field(default_factory=list)
    """The report's problems with places as the source names them."""

    def holds(self, where: Where) -> bool:
        """Whether a place lies in this archive."""
        return where.file.startswith(f"{self.report.name}/")

    def add(self, problem: Problem) -> None:
        """A fault of a member that was not read."""
        inner = problem.where.file.removeprefix(f"{self.report.name}/")
        self.report.problems.append(problem)
        self.stored_problems.append(replace(problem, where=Where(inner, problem.where.line)))


def load(
    path: Path,
    connection: duckdb.DuckDBPyConnection,
    manifest: Manifest,
    *,
    limits: Limits = LIMITS,
    on_progress: OnProgress | None = None,
    name: str | None = None,
    origin: str = OWN,
) -> Iterator[SourceReport]:
    """Load everything under `path`, one report per file or archive, each stored as a whole or not at all.

    `name` is what its owner calls it; `origin` whose results a file holds that the manifest does not list: nothing in a
    file proves that MLCommons published it. Raises nothing of ours: what cannot be read is `refused` in its report.
    """
    batch: _Batch | None = None
    left_out: list[Problem] = []  # members of the archive to come, which were not read
    try:
        for item in sources(path, limits, on_progress, name=name):
            if isinstance(item, Source):
                if batch is None or item.file != batch.file:
                    yield from _finished(batch, connection)
                    batch = _begun(item, manifest, origin)
                    yield from _aside(left_out, batch)
                _read(item, batch)
            elif batch is not None and item.kind in REFUSED and item.where.file == batch.report.name:
                batch.report.refused = item
            elif batch is not None and batch.holds(item.where):
                batch.add(item)
            else:
                left_out.append(item)
        yield from _finished(batch, connection)
        yield from _aside(left_out, None)
    except LoadError as fault:
        if batch is None:
            batch_report = SourceReport(as_text(name or str(path)))
        else:
            batch_report = batch.report
        batch_report.refused = fault
        yield batch_report


def _aside(left_out: list[Problem], batch: _Batch | None) -> Iterator[SourceReport]:
    """Files that were not read are told with the archive that they lie in, or else for themselves."""
    for problem in left_out:
        if batch is not None and batch.holds(problem.where):
            batch.add(problem)
        else:
            yield SourceReport(problem.where.file, refused=problem)
    left_out.clear()


def _begun(item: Source, manifest: Manifest, origin: str) -> _Batch:
    digest = container_digest(item)
    listed = manifest.find(digest)
    archived = item.container.kind in ("zip", "tar")
    name = item.container.name if archived else item.name
    own_name = name.rpartition("/")[2]
    source = SourceFile(
        source=listed.source if listed else own_name,
        file=listed.file if listed else own_name,
        origin=MLCOMMONS if listed else origin,
        commit=listed.commit if listed else None,
        sha256=digest,
        licence=listed.licence if listed else None,
    )
    return _Batch(item.file, SourceReport(name), source, listed)


def _read(item: Source, batch: _Batch) -> None:
    """Detect and parse one file into the batch. An archive that breaks while it is read is refused whole."""
    if batch.report.refused:
        return
    is_archive = item.container.kind in ("zip", "tar")
    own = item.path if is_archive else batch.source.file
    path = batch.listed.path_of(item.path, is_archive=is_archive) if batch.listed else own
    try:
        found = registry.detect(item)
        if found is None:
            batch.report.skipped.append((item.name, looks_like(item.head, item.name)))
            return
        for result in _results(found, item):
            if isinstance(result, Problem):
                batch.report.problems.append(result)
                batch.stored_problems.append(replace(result, where=Where(path, result.where.line)))
            else:
                _keep(result, found, path, batch)
        batch.report.recognised[found.TITLE] += 1
    except AmbiguousFormat as fault:
        problem = Problem(Where(item.name), "ambiguous-format", fault.found, fault.fix)
        batch.report.problems.append(problem)
        batch.stored_problems.append(replace(problem, where=Where(path)))
    except LoadError as fault:
        batch.report.refused = fault


def _results(found: Format, item: Source) -> Iterator[Sighting | Problem]:
    for parsed in found.parse(item):
        if isinstance(parsed, Problem):
            yield parsed
        else:
            yield from normalise(parsed)


def _keep(sighting: Sighting, found: Format, path: str, batch: _Batch) -> None:
    identifier = sighting_id(batch.source.sha256, path, sighting)
    seen = Seen(sighting, identifier, batch.source.source, path, found.NAME, found.RANK, batch.source.origin)
    batch.seen.setdefault(identifier, seen)


def _finished(batch: _Batch | None, connection: duckdb.DuckDBPyConnection) -> Iterator[SourceReport]:
    """Store what was read, and say what came of it."""
    if batch is None:
        return
    report = batch.report
    if report.refused is None and not report.recognised and not report.problems:
        report.refused = _unknown(report)
    if report.refused is None:
        try:
            stored = store(connection, batch.source, list(batch.seen.values()), batch.stored_problems)
        except StoreError as fault:
            report.refused = fault
        else:
            report.new, report.already = stored.new, stored.already
            report.problems.extend(stored.problems)
    yield report


def _unknown(report: SourceReport) -> UnknownFormat:
    """Nothing in it is a table of results: say what it looks like and what would work."""
    if len(report.skipped) == 1:
        likeness = f"looks like {report.skipped[0][1]}, which is no results table that Roundtable knows."
    else:
        likeness = f"holds {len(report.skipped)} files, of which none is a results table that Roundtable knows."
    return UnknownFormat(
        likeness, report.name, "From a spreadsheet program or a results page, export the table as CSV."
    )
