"""The whole line from a path to stored results, unpack, detect, parse, normalise, store; and what came of it.

Source ──detect──▶ Format ──parse────────────▶ Measurement ──normalise──▶ Sighting ──store──▶ Results
       ──claim───▶ Tree   ──read, assemble──▶ Measurement, Run, SystemSheet
"""

import hashlib
import os
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from concurrent.futures import Executor
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any

import duckdb

from loaders import registry
from loaders.formats import training_summary
from loaders.limits import as_text
from loaders.looks import WORKBOOK
from loaders.manifest import Listed, Manifest
from loaders.normalise import normalise
from loaders.odd_figures import FiguresOfTable
from loaders.protocol import Format
from loaders.published import published
from loaders.resolve import MLCOMMONS, Seen
from loaders.rows import Content, Packed, SourceFile, pack, sighting_id
from loaders.store import Stored, store
from loaders.tables import HEADER_LINES
from loaders.trees.protocol import Assembled, Context, Label, Tree
from loaders.unlabelled import NO_IDENTITY, Unlabelled, of_measurement, of_run, of_unnamed_runs
from loaders.unpack import LIMITS, Limits, OnProgress, Source, container_digest, looks_like, packed_files, sources
from mlperf.errors import AmbiguousFormat, LoadError, Problem, StoreError, UnknownFormat, Where
from mlperf.facts import facts
from mlperf.model import OF_RUNS, Measurement, Run, SystemSheet, Verdict

OWN = "own"
"""The origin of results whose owner nobody named."""

PACKED = ("zip", "tar", "workbook")
"""Kinds of `Container` that hold several sources in one file."""

REFUSED = ("unsafe-archive", "broken-file")
"""Kinds of `Problem` by which `unpack` says that nothing of a file or archive in a folder can be trusted."""


UNPLACED = (NO_IDENTITY, "no-benchmark", "missing-system")
"""Kinds of `Problem` that say of a result what `SourceReport.unlabelled` asks for."""


NO_SCORE = ("no-score", "not-performance")
"""Kinds of `Problem` by which logs say that they give none."""


@dataclass
class SourceReport:
    """What came of one file, archive or tree."""

    name: str
    recognised: Counter[str] = field(default_factory=Counter)
    """Files per format, by the format's title."""
    new: int = 0
    already: int = 0
    runs: int = 0
    """Single runs of training logs."""
    problems: list[Problem] = field(default_factory=list)
    skipped: list[tuple[str, str]] = field(default_factory=list)
    """Files that no format knows, and what they look like."""
    refused: Problem | LoadError | StoreError | None = None
    unlabelled: dict[str, Unlabelled] = field(default_factory=dict)
    """Results and runs that their logs do not place, by their group."""

    @property
    def is_loaded(self) -> bool:
        """Whether anything of it is in the database now."""
        return self.refused is None and self.new + self.already + self.runs > 0


@dataclass
class Reading:
    """One file or archive on disk, or the loose files of the trees in a folder, while it is read.

    Nothing is stored before all of it was read.
    """

    report: SourceReport
    source: SourceFile | None
    """None for what was refused before anything of it was read."""
    file: Path | None = None
    """The file on disk; None for loose files."""
    above: str = ""
    """The folders on disk that hold it."""
    common: str = ""
    """The folder that all loose files share, in what the user named: it does not tell their figures apart."""
    listed: Listed | None = None
    seen: dict[str, Seen] = field(default_factory=dict)
    runs: list[Run] = field(default_factory=list)
    sheets: list[SystemSheet] = field(default_factory=list)
    pieces: dict[str, list[Any]] = field(default_factory=dict)
    """What each tree's files say, by the tree's name."""
    is_workbook: bool = False
    table: tuple[str, str] | None = None
    """The sheet of a workbook that is read, and the name of its format: the first that one recognises."""
    undated: list[tuple[Measurement, str, int]] = field(default_factory=list)
    """Figures of tables that nothing tells the round of, with the name and the rank of the format of each."""
    packed: Packed | None = None
    """All figures, runs, sheets and problems, once they are rows."""

    @property
    def owners_name(self) -> str:
        """What the whole is called: by the manifest, else by its owner."""
        return (self.listed.source if self.listed else self.report.name).rpartition("/")[2]

    def holds(self, where: Where) -> bool:
        """Whether a place lies in this archive."""
        return where.file.startswith(f"{self.report.name}/")

    def path(self, name: str) -> str:
        """A file's or folder's path as the source names it."""
        inner = name.removeprefix(f"{self.report.name}/")
        if inner == name:  # a file that stands for itself
            inner = name.rpartition("/")[2]
            return self.listed.path_of(inner, is_archive=False) if self.listed else inner
        return self.listed.path_of(inner, is_archive=True) if self.listed else inner

    def pack(self) -> Packed | None:
        """All of it as rows, with places as the source names them; the next archive needs the room of what they hold.

        None for what was refused.
        """
        if self.packed is None and self.report.refused is None and self.source is not None:
            problems = [replace(problem, where=self._placed(problem.where)) for problem in self.report.problems]
            self.packed = pack(self.source, Content(list(self.seen.values()), problems, self.runs, self.sheets))
            for kept in (self.seen, self.runs, self.sheets):
                kept.clear()
        return self.packed

    def keep(self, measurement: Measurement, name: str, rank: int) -> list[str]:
        """A figure of the format or tree called `name`, once per suite; what it is kept under."""
        identifiers: list[str] = []
        for item in self.seen_in(measurement, name, rank):
            if isinstance(item, Problem):
                self.report.problems.append(item)
            else:
                self.seen.setdefault(item.sighting_id, item)
                identifiers.append(item.sighting_id)
        return identifiers

    def seen_in(self, measurement: Measurement, name: str, rank: int) -> Iterator[Seen | Problem]:
        """A figure of the format or tree called `name`, normalised, with the place where it was read."""
        assert self.source is not None
        for item in normalise(measurement):
            if isinstance(item, Problem):
                yield item
                continue
            path = self.path(item.where.file)
            identifier = sighting_id(self.source.sha256, path.removeprefix(self.common), item)
            yield Seen(item, identifier, self.source.source, path, name, rank, self.source.origin)

    def keep_tree(self, found: Assembled, tree: Tree) -> None:
        """What a tree gave: a figure, a run, a system's sheet or a fault."""
        if isinstance(found, Problem):
            self.report.problems.append(found)
            if self.listed is None and found.kind == "no-benchmark":
                self.report.unlabelled[found.where.file] = of_unnamed_runs(found.where)
        elif isinstance(found, Measurement):
            lacking = of_measurement(found) if self.listed is None else None
            if lacking is None:
                self.keep(found, tree.NAME, tree.RANK)
            elif found.value is not None or not self._has_no_score(found.group):
                self.report.unlabelled[found.group] = lacking
        elif not isinstance(found, Verdict):
            round_ = facts().round(found.kind, found.round or "")
            submitter = facts().submitter(_submitter(found))
            if round_ is None or not submitter or not found.system_id:
                lacking = of_run(found) if isinstance(found, Run) else None
                if lacking is not None:
                    self.report.unlabelled.setdefault(lacking.group, lacking)
                return
            where = self._placed(found.where)
            if isinstance(found, Run):
                division = facts().division(found.division or "") or found.division
                self.runs.append(replace(found, where=where, round=round_.id, submitter=submitter, division=division))
            else:
                self.sheets.append(replace(found, where=where, round=round_.id, submitter=submitter))

    def _has_no_score(self, group: str) -> bool:
        """Whether the logs of a group give no score, whatever they are of."""
        return any(one.kind in NO_SCORE and _holds({group}, one.where.file) for one in self.report.problems)

    def conclude(self, label: Label | None = None) -> None:
        """Put its trees together, under what the owner says of them; refuse it where nothing in it is ours."""
        labels = {"": label} if label is not None else {}
        for figure in self.undated:
            self.keep(*figure)
        self.undated.clear()
        runs: list[Run] = []
        for tree in registry.TREES:
            pieces = self.pieces.pop(tree.NAME, [])
            if self.report.refused is None:
                for found in tree.assemble(pieces, Context(self.owners_name, self.above, labels)):
                    self.keep_tree(found, tree)
                    runs += [found] if isinstance(found, Run) else []
        if self.listed is None and (self.seen or runs):
            self.report.problems.extend(published().differences(self.seen.values(), runs))
            refused, problems = published().odd_figures(self.seen)
            for identifier in refused:
                del self.seen[identifier]
            self.report.problems.extend(problems)
        # One sentence of each group says all that its logs do not.
        self.report.problems = [
            problem
            for problem in self.report.problems
            if problem.kind not in UNPLACED or not _holds(self.report.unlabelled, problem.where.file)
        ]
        self.report.problems += [item.problem for item in self.report.unlabelled.values()]
        self.judge()

    def judge(self) -> None:
        """Refuse it where nothing in it is ours."""
        report = self.report
        if report.refused is None and not report.recognised and not report.problems:
            report.refused = _no_sheet(report) if self.is_workbook else _unknown(report)

    def _placed(self, where: Where) -> Where:
        return Where(self.path(where.file), where.line)


def _holds(groups: Collection[str], file: str) -> bool:
    """Whether a file is, or lies in, one of these groups of logs."""
    return any(file[:end] in groups for end in (len(file), *(at for at, sign in enumerate(file) if sign == "/")))


def _submitter(found: Run | SystemSheet) -> str:
    """As the results have it: of training runs the sheet's word before the folder's, in inference the folder's."""
    named = dict(found.facts).get("submitter") if isinstance(found, SystemSheet) and found.kind in OF_RUNS else None
    return named or found.submitter


def load(
    path: Path,
    connection: duckdb.DuckDBPyConnection,
    manifest: Manifest,
    *,
    limits: Limits = LIMITS,
    on_progress: OnProgress | None = None,
    name: str | None = None,
    origin: str = OWN,
    workers: Executor | None = None,
    label: Label | None = None,
) -> Iterator[SourceReport]:
    """Load everything under `path`, one report per file, archive or tree, each stored as a whole or not at all.

    `name` is what its owner calls it; `origin` whose results a file holds that the manifest does not list: nothing in a
    file proves that MLCommons published it. `workers` read archives side by side. `label` is what the owner says
    of all of it, which comes before folders and systems JSON. Raises nothing of ours: what cannot be read is `refused`
    in its report.
    """
    for reading in read(
        path, manifest, limits=limits, on_progress=on_progress, name=name, origin=origin, workers=workers, label=label
    ):
        yield handed(reading, partial(store, connection))


def handed(reading: Reading, way: Callable[[Packed], Stored]) -> SourceReport:
    """Hand on what was read as rows, and say what came of it."""
    report, packed = reading.report, reading.pack()
    reading.packed = None
    if packed is None:
        return report
    try:
        done = way(packed)
    except StoreError as fault:
        report.refused = fault
    else:
        report.new, report.already, report.runs = done.new, done.already, packed.rows["runs"].num_rows
        report.problems.extend(done.problems)
    return report


def read(
    path: Path,
    manifest: Manifest,
    *,
    limits: Limits = LIMITS,
    on_progress: OnProgress | None = None,
    name: str | None = None,
    origin: str = OWN,
    workers: Executor | None = None,
    label: Label | None = None,
) -> Iterator[Reading]:
    """Read everything under `path`, and store nothing; as `load` otherwise."""
    archives = [] if workers is None else packed_files(path, name)
    if workers is None or len(archives) < 2:
        yield from _read(path, manifest, limits, on_progress, name, origin, frozenset(), label)
        return
    sizes = [(file.stat().st_size, file, called) for file, called in archives]
    total = sum(size for size, _, _ in sizes)
    done = 0
    one = partial(_read_archive, manifest=manifest, limits=limits, origin=origin, label=label)
    # Files first: the processes that read archives are still starting.
    yield from _read(path, manifest, limits, None, name, origin, frozenset(file for file, _ in archives), label)
    # The largest first, that the processes end together; what comes of them keeps its order.
    begun = {file: workers.submit(one, (file, called)) for _, file, called in sorted(sizes, reverse=True)}
    try:
        for size, file, _ in sizes:
            yield from begun.pop(file).result()
            done += size
            if on_progress:
                on_progress(done, total)
    finally:  # whoever asks for no more does not wait for the rest
        for waiting in begun.values():
            waiting.cancel()


def _read_archive(
    archive: tuple[Path, str], manifest: Manifest, limits: Limits, origin: str, label: Label | None
) -> list[Reading]:
    """One archive, in a process of its own; what comes of it is packed there, while the other processes work."""
    file, name = archive
    readings = []
    for reading in _read(file, manifest, limits, None, name, origin, frozenset(), label):
        reading.pack()
        readings.append(reading)
    return readings


def _read(
    path: Path,
    manifest: Manifest,
    limits: Limits,
    on_progress: OnProgress | None,
    name: str | None,
    origin: str,
    without: frozenset[Path],
    label: Label | None,
) -> Iterator[Reading]:
    items = sources(path, limits, on_progress, name=name, without=without)
    for reading in gather(items, manifest, origin, as_text(name or str(path)), label):
        reading.conclude(label)
        yield reading


def gather(
    items: Iterator[Source | Problem], manifest: Manifest, origin: str, name: str, label: Label | None = None
) -> Iterator[Reading]:
    """What the files say, file by file; `conclude` makes results of it. `name` is what the whole is called.

    Of `label` the round goes for tables, too; all else of it is for logs, because a table names its systems.
    """
    reading: Reading | None = None
    loose: _Loose | None = None
    left_out: list[Problem] = []  # members of the archive to come, which were not read
    try:
        for item in items:
            if isinstance(item, Source):
                tree = registry.tree_of(item)
                if tree is not None and item.container.kind not in PACKED:
                    loose = loose or _Loose(item, origin)
                    loose.take(item, tree)
                    continue
                if reading is None or item.file != reading.file:
                    if reading is not None:
                        yield reading
                    reading = _begun(item, manifest, origin)
                    yield from _aside(left_out, reading)
                _take(item, tree, reading, label)
            elif reading is not None and item.kind in REFUSED and item.where.file == reading.report.name:
                reading.report.refused = item
            elif reading is not None and reading.holds(item.where):
                reading.report.problems.append(item)
            else:
                left_out.append(item)
        if reading is not None:
            yield reading
        if loose is not None:
            yield loose.reading(manifest)
        yield from _aside(left_out, None)
    except LoadError as fault:
        refused = reading or Reading(SourceReport(name), None)
        refused.report.refused = fault
        yield refused


def _aside(left_out: list[Problem], reading: Reading | None) -> Iterator[Reading]:
    """Files that were not read are told with the archive that they lie in, or else for themselves."""
    for problem in left_out:
        if reading is not None and reading.holds(problem.where):
            reading.report.problems.append(problem)
        else:
            yield Reading(SourceReport(problem.where.file, refused=problem), None)
    left_out.clear()


def _begun(item: Source, manifest: Manifest, origin: str) -> Reading:
    is_archive = item.container.kind in PACKED
    name = item.container.name if is_archive else item.name
    reading = _new(name, container_digest(item), manifest, origin, item.file, str(item.container.path.parent))
    reading.is_workbook = item.container.kind == "workbook"
    return reading


def _new(name: str, digest: str, manifest: Manifest, origin: str, file: Path | None, above: str) -> Reading:
    listed = manifest.find(digest)
    own_name = name.rpartition("/")[2]
    source = SourceFile(
        source=listed.source if listed else own_name,
        file=listed.file if listed else own_name,
        origin=MLCOMMONS if listed else origin,
        commit=listed.commit if listed else None,
        sha256=digest,
        licence=listed.licence if listed else None,
    )
    return Reading(SourceReport(name), source, file, above, listed=listed)


class _Loose:
    """Files of trees that lie in no archive: together they are one source, known by contents and common layout."""

    def __init__(self, first: Source, origin: str) -> None:
        self._origin = origin
        self._above = str(first.container.path.parent)
        self._digests: list[tuple[str, str]] = []
        self._draft = Reading(SourceReport(first.container.name), None)

    def take(self, item: Source, tree: Tree) -> None:
        """Read one file. One that breaks is left out, with a fault: what needs it has no score then."""
        try:
            _read_piece(item, tree, self._draft)
            self._digests.append((item.path, container_digest(item)))
        except LoadError as fault:
            self._draft.report.problems.append(Problem(Where(item.name), "broken-file", fault.found, fault.fix))

    def reading(self, manifest: Manifest) -> Reading:
        """All files as one source."""
        above = os.path.commonpath([str(PurePosixPath(path).parent) for path, _ in self._digests] or [""])
        inner = ((str(PurePosixPath(path).relative_to(above)), digest) for path, digest in self._digests)
        lines = "".join(f"{digest} {path}\n" for path, digest in sorted(inner))
        digest = hashlib.sha256(lines.encode(errors="replace")).hexdigest()
        whole = _new(self._draft.report.name, digest, manifest, self._origin, None, self._above)
        whole.common = f"{above}/" if above else ""
        whole.report, whole.pieces = self._draft.report, self._draft.pieces
        return whole


def _take(item: Source, tree: Tree | None, reading: Reading, label: Label | None) -> None:
    """Read one file into its reading. An archive that breaks while it is read is refused whole."""
    if reading.report.refused:
        return
    try:
        if tree is not None:
            _read_piece(item, tree, reading)
        else:
            _read_table(item, reading, label)
    except AmbiguousFormat as fault:
        reading.report.problems.append(Problem(Where(item.name), "ambiguous-format", fault.found, fault.fix))
    except LoadError as fault:
        reading.report.refused = fault


def _read_piece(item: Source, tree: Tree, reading: Reading) -> None:
    pieces: list[Any] = []
    for piece in tree.read(item):
        if isinstance(piece, Problem):
            reading.report.problems.append(piece)
        else:
            pieces.append(piece)
    reading.pieces.setdefault(tree.NAME, []).extend(pieces)
    reading.report.recognised[tree.TITLE] += 1


def _read_table(item: Source, reading: Reading, label: Label | None) -> None:
    found = registry.detect(item)
    if found is None:
        reading.report.skipped.append((item.name, _likeness(item)))
        return
    if reading.is_workbook and not _is_first(item, found, reading):
        return
    figures = FiguresOfTable()
    for parsed in found.parse(item):
        if isinstance(parsed, Problem):
            reading.report.problems.append(parsed)
            continue
        measurement = parsed._replace(round=label.round) if label is not None and label.round else parsed
        if measurement.round:
            figures.add(measurement, reading.keep(measurement, found.NAME, found.RANK))
        else:
            reading.undated.append((measurement, found.NAME, found.RANK))
    refused, problems = figures.judge()
    for identifier in refused:
        del reading.seen[identifier]
    reading.report.problems.extend(problems)
    sheet = f', sheet "{item.path}"' if reading.is_workbook else ""
    reading.report.recognised[found.TITLE + sheet] += 1


def _is_first(item: Source, form: Format, reading: Reading) -> bool:
    """Whether a sheet is the first of its workbook with a table, or a part of that table; a Problem where it is not.

    A workbook often holds the same table twice: a draft, a copy, a selection. Nothing tells which is meant.
    """
    first, first_form = reading.table = reading.table or (item.path, form.NAME)
    is_part = form.NAME == first_form == training_summary.NAME and {first, item.path} <= training_summary.SHEETS
    if first != item.path and not is_part:
        told = f'is a results table, too, and was not read: the first of a workbook is, here "{first}".'
        fix = "Save it as a workbook of its own, or as CSV, and load that."
        reading.report.problems.append(Problem(Where(item.name), "second-table", told, fix))
        return False
    return True


def _likeness(item: Source) -> str:
    """What a file that no format knows looks like."""
    if item.container.kind == "workbook":
        return "a sheet without the headings of a results table" if item.size else "an empty sheet or a chart"
    looks = looks_like(item.head, item.name)
    return f"{looks} in an archive; load it by itself" if item.container.kind in PACKED and looks == WORKBOOK else looks


def _no_sheet(report: SourceReport) -> UnknownFormat:
    """No sheet of a workbook is a table of results."""
    names = ", ".join(f'"{name.removeprefix(f"{report.name}/")}"' for name, _ in report.skipped[:5])
    more = f" and {len(report.skipped) - 5} more" if len(report.skipped) > 5 else ""
    found = f"is a workbook, and none of its sheets is a results table that Roundtable knows: {names}{more}."
    fix = f"The headings have to stand among the first {HEADER_LINES} rows, as in the table that was downloaded."
    return UnknownFormat(found, report.name, fix)


def _unknown(report: SourceReport) -> UnknownFormat:
    """Nothing in it is a table or a log of results: say what it looks like and what would work."""
    if len(report.skipped) == 1:
        likeness = f"looks like {report.skipped[0][1]}, which is no results table or log that Roundtable knows."
    else:
        likeness = f"holds {len(report.skipped):,} files, none of them a results table or log that Roundtable knows."
    return UnknownFormat(
        likeness, report.name, "From a spreadsheet program or a results page, export the table as CSV or .xlsx."
    )
