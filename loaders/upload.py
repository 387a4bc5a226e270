"""An upload before it is saved: what it holds, what that scores and would count, and what its owner has to say of it.

Nothing is stored here. Logs alone name no system, accelerator, round or division: `preview` says what is missing and is
asked again with the owner's labels. The files are read once.
"""

import hashlib
from collections import Counter
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property, partial
from pathlib import Path
from typing import Final

from loaders import registry
from loaders.cells import MAX_CELL
from loaders.ingest import OWN, Reading, gather
from loaders.limits import shown, tidy_name
from loaders.manifest import Manifest
from loaders.normalise import normalise
from loaders.odd_figures import FiguresOfTable
from loaders.published import published
from loaders.resolve import Seen, resolve
from loaders.rows import sighting_id
from loaders.trees.protocol import Context, Label, Tree
from loaders.unlabelled import missing_of, missing_of_run
from loaders.unpack import Limits, OnProgress, Source, gathered
from mlperf.errors import LoadError, Problem, UnknownFormat, Where
from mlperf.facts import facts
from mlperf.model import Check, Kind, Measurement, Run, Sighting, SystemSheet, Verdict

NOBODY: Final = "Own"
"""The submitter of results that name none, for normalising; they are shown under their upload's title."""


@dataclass(frozen=True)
class UploadLimits:
    """The most that one upload, and one owner, may ask of us."""

    upload_bytes: int = 200 << 20
    """Of all its files together, as they are uploaded."""
    files: Limits = field(default_factory=lambda: Limits(members=20_000, member_bytes=1 << 30, unpacked_bytes=4 << 30))
    """Of each archive; `members` and `unpacked_bytes` also of the whole upload."""
    results: int = 20_000
    """That one owner keeps."""


@dataclass(frozen=True)
class Inspected:
    """An upload that was read."""

    name: str
    """What its owner calls it: the file, the folder that holds all files, or `upload`."""
    bytes: int
    readings: tuple[Reading, ...] = field(repr=False)
    digests: Mapping[str, str] = field(repr=False)
    """The SHA-256 of each file that was read, by its owner's path."""

    @cached_property
    def unlabelled(self) -> "Preview":
        """What would be saved without a word of its owner's."""
        return preview(self)

    @cached_property
    def sha256(self) -> str:
        """Of its content: the same however it is packed, in whatever order, and under whatever name.

        What folders say is content, too: one log is a result of another benchmark or scenario in another folder.
        """
        skipped = {name for reading in self.readings for name, _ in reading.report.skipped}
        others = [mark for name, mark in self.digests.items() if name not in skipped and not self._group(name)]
        return hashlib.sha256("\n".join(sorted([*self.marks.values(), *others])).encode()).hexdigest()

    @cached_property
    def marks(self) -> Mapping[str, str]:
        """What tells the content of each group of logs from that of all others, by group."""
        held: dict[str, list[str]] = {group: [] for group in self._groups}
        for name, digest in self.digests.items():
            if group := self._group(name):
                held[group].append(f"{name.removeprefix(group)} {digest}")
        marks: dict[str, str] = {}
        twins: Counter[str] = Counter()
        for group, told in sorted(self._groups.items()):
            mark = hashlib.sha256("\n".join([told, *sorted(held[group])]).encode(errors="replace")).hexdigest()
            marks[group] = f"{mark} {twins[mark]}"
            twins[mark] += 1
        return marks

    @cached_property
    def _groups(self) -> Mapping[str, str]:
        """The groups of logs, and of which benchmark and scenario their folders say they are."""
        told = {entry.group: label_of(entry) for entry in self.unlabelled.entries}
        return {group: f"{label.benchmark} {label.scenario}" for group, label in told.items()}

    def _group(self, name: str) -> str:
        """The innermost group that holds a file; "" for none."""
        return _innermost(name, self._groups)


@dataclass(frozen=True)
class Entry:
    """One group of logs: its result where it has one, its runs and its checks."""

    group: str
    """The folder or lone log, as its owner has it."""
    kind: Kind
    measurement: Measurement | None
    """With the owner's labels; None where the logs give no score."""
    runs: tuple[Run, ...]
    checks: tuple[Check, ...]
    seen: tuple[Seen, ...]
    """The result in each suite; none while something is missing."""
    missing: tuple[str, ...]
    """Fields of `Label` that nothing tells yet."""
    problems: tuple[Problem, ...]
    """Of the group, those that the labels cause included."""
    source: str
    """The archive or folder that it was read from."""
    undated: tuple[Measurement, ...] = ()
    """All figures of a table that does not tell its round; they are one group, and `measurement` is the first."""

    @property
    def parts(self) -> tuple["Entry", ...]:
        """One group per figure, for a table of several."""
        return tuple(replace(self, measurement=figure, undated=()) for figure in self.undated) or (self,)

    @property
    def has_score(self) -> bool:
        """Whether the logs give a figure."""
        return self.measurement is not None and self.measurement.value is not None

    @property
    def is_ready(self) -> bool:
        """Whether it can be saved."""
        return not self.missing and bool(self.seen or self.runs)


@dataclass(frozen=True)
class Preview:
    """What would be saved."""

    entries: tuple[Entry, ...]
    """In the order of their folders."""
    tabled: tuple[Seen, ...]
    """Figures of tables: these name what they are of."""
    sheets: tuple[SystemSheet, ...]
    problems: tuple[Problem, ...]
    """Of the upload as a whole; those of a group are with it."""
    recognised: Mapping[str, int]
    """Files by what they were recognised as."""
    skipped: tuple[tuple[str, str], ...]
    """Files that were not read, and what they look like."""
    refused: tuple[Problem | LoadError, ...]
    """Archives and files of which nothing can be trusted or known."""

    @cached_property
    def results(self) -> int:
        """How many figures it holds, a figure of two suites, or of two tables, once."""
        tabled = {result.result_id for result in resolve(self.tabled)[0]}
        scored = (entry for entry in self.entries if entry.has_score and (entry.seen or entry.missing))
        return sum(len(entry.parts) for entry in scored) + len(tabled)

    @property
    def is_ready(self) -> bool:
        """Whether there is anything to save, and nothing of it lacks a label."""
        return not self.lacking and (bool(self.tabled) or any(entry.is_ready for entry in self.entries))

    @property
    def lacking(self) -> tuple[str, ...]:
        """The fields of `Label` without which it cannot be saved."""
        asked = [entry for entry in self.entries if entry.has_score or entry.runs]
        return tuple(sorted({field for entry in asked for field in entry.missing}))


def inspect(
    files: Sequence[tuple[Path, str]], limits: UploadLimits | None = None, on_progress: OnProgress | None = None
) -> Inspected:
    """Read an upload, (file on disk, its owner's path) each. Raises `LoadError` where there is too much of it.

    What cannot be read is told by `preview`. `on_progress` hears bytes done and in all; what it raises ends it.
    """
    limits = limits or UploadLimits()
    size = sum(file.stat().st_size for file, _ in files)
    if size > limits.upload_bytes:
        found = f"has {size:,} bytes; an upload may have {limits.upload_bytes:,}."
        raise LoadError(found, _name(files), "Upload fewer files, or pack them. Nothing was stored.")
    digests: dict[str, str] = {}
    items = _bounded(gathered(files, limits.files, on_progress), limits.files, _name(files), digests)
    readings = tuple(gather(items, Manifest(), OWN, _name(files)))
    for reading in readings:
        if isinstance(reading.report.refused, _TooMuch):  # `gather` keeps what it read before
            raise reading.report.refused
    for reading in readings:
        if reading.source is not None and not reading.source.source:  # a lone file
            reading.source = replace(reading.source, source=_name(files), file=_name(files))
    return Inspected(_name(files), size, readings, digests)


class _TooMuch(LoadError):
    """More than a limit allows: nothing of the upload may be kept."""


def _name(files: Sequence[tuple[Path, str]]) -> str:
    tops = {shown(tidy_name(path).partition("/")[0]) for _, path in files}
    return (tops.pop() if len(tops) == 1 else "") or "upload"


def _bounded(
    items: Iterator[Source | Problem], limits: Limits, name: str, digests: dict[str, str]
) -> Iterator[Source | Problem]:
    """Archives and loose files together stay within the limits, too. `digests` gets the hash of each file."""
    unpacked = 0
    for members, item in enumerate(items, 1):
        unpacked += item.size if isinstance(item, Source) else 0
        if members > limits.members:
            found = f"holds more than {limits.members:,} files."
            raise _TooMuch(found, name, "Upload its parts one by one. Nothing was stored.")
        if unpacked > limits.unpacked_bytes:
            found = f"unpacks to more than {limits.unpacked_bytes:,} bytes."
            raise _TooMuch(found, name, "Upload its parts one by one. Nothing was stored.")
        if isinstance(item, Source):
            digests[item.name] = hashlib.sha256(item.head + str(item.size).encode()).hexdigest()
            item = replace(item, chunks=partial(_hashed, item, digests))
        yield item


def _hashed(item: Source, digests: dict[str, str]) -> Iterator[bytes]:
    """The chunks of a file; once all were read, its hash."""
    mark = hashlib.sha256()
    for chunk in item.chunks():
        mark.update(chunk)
        yield chunk
    digests[item.name] = mark.hexdigest()


def preview(inspected: Inspected, labels: Mapping[str, Label] | None = None) -> Preview:
    """What is in an upload under its owner's labels, by group; that of "" goes for every group that has none."""
    entries: list[Entry] = []
    tabled: list[Seen] = []
    sheets: list[SystemSheet] = []
    problems: list[Problem] = []
    recognised: Counter[str] = Counter()
    skipped: list[tuple[str, str]] = []
    refused: list[Problem | LoadError] = []
    unknown: list[Reading] = []
    labels = {group: cleaned(label) for group, label in (labels or {}).items()}
    for reading in inspected.readings:
        if reading.report.refused is None:
            reading.judge()
        if isinstance(reading.report.refused, UnknownFormat):
            unknown.append(reading)
            continue
        if isinstance(reading.report.refused, Problem | LoadError):
            refused.append(reading.report.refused)
            continue
        drafts = _drafts(reading, labels)
        entries += [draft.entry(reading) for draft in drafts.groups.values()]
        told = (*reading.report.problems, *drafts.problems)
        problems += [problem for problem in told if not _group_of(problem, drafts.groups)]
        for item in _dated(reading, labels):
            tabled += [item] if isinstance(item, Seen) else []
            entries += [item] if isinstance(item, Entry) else []
            problems += [item] if isinstance(item, Problem) else []
        has_tables = bool(reading.seen or reading.undated)
        if not (drafts.groups or has_tables or reading.report.problems or drafts.problems):
            found = "holds files of a results tree, but none that gives a result."
            fix = "Logs count in performance/run_1, training runs in a benchmark's folder."
            problems.append(Problem(Where(reading.report.name or inspected.name), "no-result", found, fix))
        sheets += [replace(one, where=Where(reading.path(one.where.file), one.where.line)) for one in drafts.sheets]
        tabled += reading.seen.values()
        recognised += reading.report.recognised
        skipped += reading.report.skipped
    for reading in unknown:  # a note beside logs is passed over; where there is nothing else, that is told
        if entries or tabled:
            skipped += reading.report.skipped
        elif isinstance(reading.report.refused, UnknownFormat):
            refused.append(reading.report.refused)
    problems += [between.problem for between in resolve(tabled)[1]]
    ordered = tuple(sorted(entries, key=lambda entry: entry.group))
    return Preview(ordered, tuple(tabled), tuple(sheets), tuple(problems), recognised, tuple(skipped), tuple(refused))


def _dated(reading: Reading, labels: Mapping[str, Label]) -> Iterator[Seen | Problem | Entry]:
    """The figures of tables without a round, under the one that their owner says; else a group for each table."""
    tables: dict[str, list[tuple[Measurement, str, int]]] = {}
    for figure in reading.undated:
        tables.setdefault(figure[0].where.file, []).append(figure)
    for name, figures in tables.items():
        label = labels.get(name) or labels.get("") or Label()
        first = figures[0][0]
        if label.round is None or facts().round(first.kind, label.round) is None:
            assert reading.source is not None  # what was refused has no figures
            undated = tuple(measurement for measurement, _, _ in figures)
            yield Entry(name, first.kind, first, (), (), (), ("round",), (), reading.source.source, undated)
            continue
        table, dated = FiguresOfTable(), list[Seen | Problem]()
        for measurement, form, rank in figures:
            labelled = measurement._replace(round=label.round)
            items = list(reading.seen_in(labelled, form, rank))
            table.add(labelled, [item.sighting_id for item in items if isinstance(item, Seen)])
            dated += items
        refused, problems = table.judge()
        yield from (item for item in dated if isinstance(item, Problem) or item.sighting_id not in refused)
        yield from problems


@dataclass
class _Draft:
    """One group while its parts come in."""

    group: str
    tree: Tree
    kind: Kind
    measurement: Measurement | None = None
    runs: list[Run] = field(default_factory=list)
    checks: tuple[Check, ...] = ()
    problems: list[Problem] = field(default_factory=list)
    is_whole: bool = False
    """Whether its last part came in."""

    def take(self, found: Measurement | Run | Verdict, tree: Tree) -> bool:
        """Take a part; False for one of other logs that lie in the same folder."""
        if self.is_whole or tree is not self.tree:
            return False
        if isinstance(found, Measurement):
            self.measurement, self.kind = found, found.kind
        elif isinstance(found, Run):
            self.runs.append(found)
            self.kind = found.kind  # the tree of training holds HPC, too
        else:
            self.checks, self.is_whole = found.checks, True
        return True

    def entry(self, reading: Reading) -> Entry:
        """The group, normalised where nothing is missing."""
        measurement = self.measurement
        missing = missing_of(measurement) if measurement is not None else self._missing_of_logs()
        seen: list[Seen] = []
        if measurement is not None and measurement.value is not None and not missing:
            for found in seen_in(measurement, reading, self.tree.NAME, self.tree.RANK):
                seen += [found] if isinstance(found, Seen) else []
                self.problems += [found] if isinstance(found, Problem) else []
        self.problems += published().differences(seen, self.runs)
        assert reading.source is not None  # what was refused has no groups
        return Entry(
            self.group, self.kind, measurement, tuple(self._placed(run, reading) for run in self.runs), self.checks,
            tuple(seen), missing, tuple(self.problems), reading.source.source,
        )  # fmt: skip

    def _missing_of_logs(self) -> tuple[str, ...]:
        if not self.runs and any(problem.kind == "no-benchmark" for problem in self.problems):
            return ("benchmark",)
        return missing_of_run(self.runs[0]) if self.runs else ()

    def _placed(self, run: Run, reading: Reading) -> Run:
        """A run with its place as the source names it, and under the names of its result."""
        round_ = facts().round(run.kind, run.round or "")
        told = self.measurement
        return replace(
            run,
            where=Where(reading.path(run.where.file), run.where.line),
            round=round_.id if round_ else run.round,
            division=facts().division(run.division or "") or run.division,
            system_id=run.system_id or (told.system_id or told.system_name or "" if told else ""),
        )


@dataclass
class _Drafts:
    groups: dict[str, _Draft] = field(default_factory=dict)
    sheets: list[SystemSheet] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)


def _drafts(reading: Reading, labels: Mapping[str, Label]) -> _Drafts:
    """What the trees of a reading give, group by group."""
    drafts = _Drafts()
    crowded: dict[str, Problem] = {}
    context = Context(reading.owners_name, "", labels, wants_verdicts=True)
    for tree in registry.TREES:
        kind: Kind = "training" if tree.NAME.startswith("training") else "inference"
        for found in tree.assemble(reading.pieces.get(tree.NAME, []), context):
            if isinstance(found, Problem):
                drafts.problems.append(found)
            elif isinstance(found, SystemSheet):
                drafts.sheets.append(found)
            else:
                draft = drafts.groups.setdefault(found.group, _Draft(found.group, tree, kind))
                if not draft.take(found, tree):
                    crowded[found.group] = Problem(Where(found.group), "same-folder", _CROWDED, _APART)
    drafts.problems += crowded.values()
    for problem in (*reading.report.problems, *drafts.problems):
        if group := _group_of(problem, drafts.groups):
            drafts.groups[group].problems.append(problem)
    return drafts


_CROWDED: Final = "holds logs of another result, too, which were left out."
_APART: Final = "Put the logs of each result into a folder of their own, and upload them again."


def _group_of(problem: Problem, groups: Container[str]) -> str:
    """The group that a fault is of: the innermost that holds its file; "" for none."""
    return _innermost(problem.where.file, groups)


def _innermost(name: str, groups: Container[str]) -> str:
    """The innermost of some folders and files that a file is or lies in; "" for none."""
    while name and name not in groups:
        name = name.rpartition("/")[0]
    return name


def seen_in(measurement: Measurement, reading: Reading, name: str, rank: int) -> Iterator[Seen | Problem]:
    """A complete measurement once per suite, with the place where it was read."""
    assert reading.source is not None  # what was refused gives no measurements
    for found in normalised(measurement):
        if isinstance(found, Problem):
            yield found
            continue
        path = reading.path(found.where.file)
        identifier = sighting_id(reading.source.sha256, path, found)
        yield Seen(found, identifier, reading.source.source, path, name, rank, OWN)


def normalised(measurement: Measurement) -> Iterator[Sighting | Problem]:
    """A measurement that may name no submitter; its server is known by the system's name alone, whoever ran it."""
    for found in normalise(measurement._replace(submitter=measurement.submitter or NOBODY)):
        if isinstance(found, Sighting) and found.server is None:
            server = facts().server(found.system_id, found.system_name)
            found = found._replace(server=server.name, server_family=server.family) if server else found
        yield found


def cleaned(label: Label) -> Label:
    """What an owner typed, each text as one line of bearable length that reads from left to right; None for nothing."""
    said = {name: shown_text(text)[:MAX_CELL].strip() for name, text in asdict(label).items() if text}
    return Label(**{name: text for name, text in said.items() if text})


def shown_text(text: str) -> str:
    """A text of the owner's on one line, without what turns its direction."""
    return " ".join("".join(char if char.isprintable() else " " for char in text).split())


def label_of(entry: Entry) -> Label:
    """What folders, systems JSON and earlier labels say of a group: what a form is filled with."""
    if entry.measurement is not None:
        return label_in(entry.measurement)
    first = next(iter(entry.runs), None)
    if first is None:
        return Label()
    return Label(
        first.round, first.division, None, first.submitter, first.system_id, None, first.benchmark, first.scenario
    )


def label_in(said: Measurement) -> Label:
    """The labels that a measurement has."""
    return Label(
        said.round, said.division, said.availability, said.submitter, said.system_id, said.system_name, said.benchmark,
        said.scenario, said.suites, said.accelerator, said.accelerators_per_node, said.nodes, said.processor,
        said.framework,
    )  # fmt: skip
