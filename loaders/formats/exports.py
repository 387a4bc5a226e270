"""What the three results-table exports of MLCommons' web pages share: headings, numbers, the suite of a file.

Not a format of its own. Source: the samples described in the project's notes on exports; headings changed from round to
round, so each field lists every heading seen for it. What decides, and what happens where it is not there:

- A column is what its whole heading says, in any case and place; a heading that is not listed is not read. Columns of
  one field must say the same: where they differ, those that describe a system are left out, others refuse the line.
- Training or inference: the unit, the scenario and the column "Benchmark", which must not contradict each other.
- The round: "Version" or the result's ID, which must not differ; without them a line is refused by `normalise`.
- Suite and division: their columns. Without one all lines of the file together (`with_suite`), then a word of the
  file's name, which is reported; else the figures are refused.
- Whether a figure is a result or a power: its unit. A line without one is refused by `normalise`.
"""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final, get_args

from loaders.cells import Numbers, conventions
from loaders.columns import LEFT_OUT, copies, difference, merged
from loaders.fields import Fields
from loaders.protocol import Parsed
from loaders.resolve import TOLERANCE
from loaders.tables import Header, Row, heading, rows
from loaders.unpack import Source
from mlperf.errors import Problem, Where
from mlperf.facts import facts
from mlperf.model import Kind, Measurement

HEADINGS: Final[Mapping[str, tuple[str, ...]]] = {
    "public_id": ("public id",),
    "submitter": ("organization", "submitter"),
    "availability": ("availability",),
    "system_name": ("system name (click + for details)", "system name"),
    "accelerator": ("accelerator (click + for details)", "accelerator", "accelerator model name"),
    "accelerators_per_node": ("accelerators per node", "# of accelerators"),
    "accelerators_total": ("total accelerators",),
    "nodes": ("# of nodes", "number of nodes"),
    "processor": ("processor (click + for details)", "processor", "host processor model name"),
    "processors_per_node": ("# of processors", "host processors per node"),
    "processor_cores": ("host processor core count",),
    "framework": ("software",),
    "operating_system": ("operating system",),
    "kind": ("benchmark", "benchmark1"),
    "benchmark": ("model mlc", "model mlc1"),
    "scenario": ("scenario", "scenario1"),
    "unit": ("units", "units1"),
    "division": ("division/power", "division"),
    "suites": ("system type",),
    "round": ("version",),
    "valid": ("valid / invalid",),
    "value": ("result", "avg. result at system name", "avg. result", "result at system name"),
}

_KNOWN: Final = frozenset(name for names in HEADINGS.values() for name in names)
MODEL_HEADINGS: Final = frozenset(HEADINGS["benchmark"])
AVERAGE_HEADINGS: Final = frozenset({"avg. result at system name", "avg. result"})
OWN_RESULT: Final = "result"
AVERAGES: Final = (*sorted(AVERAGE_HEADINGS), "result at system name")
"""Headings of results that are averaged over the systems of one name."""

_FIGURES: Final = frozenset({"value"})
_DESCRIPTIVE: Final = frozenset(
    {
        "availability", "accelerator", "accelerators_per_node", "accelerators_total", "nodes", "processor",
        "processors_per_node", "processor_cores", "framework", "operating_system",
    }
)  # fmt: skip
"""Fields that describe a system. All others say whose figure a line holds: where they differ, it is refused."""

_PUBLIC_ID: Final = re.compile(r"(v?\d{1,2}\.\d{1,2})-[\w.-]+", re.ASCII | re.IGNORECASE)

MAX_ROWS: Final = 200_000
"""Most lines of one export. The largest round has under 2,000."""

_BOTH: Final = frozenset({"datacenter", "edge"})


def table(source: Source, header: Header) -> tuple[list[Row], list[Problem]]:
    """All rows of an export and what could not be read; its number format shows only in the whole."""
    read: list[Row] = []
    problems: list[Problem] = []
    for item in rows(source, header):
        if isinstance(item, Problem):
            problems.append(item)
        elif len(read) == MAX_ROWS:
            problems.append(
                Problem(
                    item.where, "too-long", f"the table has more than {MAX_ROWS:,} lines.", "The rest was left out."
                )
            )
            break
        else:
            read.append(item)
    return read, problems


@dataclass(frozen=True)
class Layout:
    """Where an export has which heading; worked out once for all its rows."""

    places: dict[str, tuple[int, ...]]
    """The places of each heading that we know."""

    @classmethod
    def of(cls, header: Header, without: Collection[int] = ()) -> "Layout":
        """The layout of a table; `without` are columns that hold something else, whatever their heading."""
        named = copies(name if index not in without else "" for index, name in enumerate(header.names))
        return cls({name: places for name, places in named.items() if name in _KNOWN})


class Line:
    """One row of an export: what it says of each field, where all its columns of that field say the same."""

    def __init__(self, row: Row, layout: Layout, numbers: Numbers) -> None:
        cells, differing = merged(row, layout.places)
        self.problems: list[Problem] = []
        self.is_refused = False
        """Whether two of its columns differ over whose figure it is, or over the figure."""
        self._row = row
        self._texts = {field: self._agreed(field, names, cells, differing) for field, names in HEADINGS.items()}
        self._fields = Fields(row.where, {**cells, **dict.fromkeys(differing)}, numbers)

    @property
    def where(self) -> Where:
        """Its place in the file."""
        return self._row.where

    def _agreed(
        self, field: str, names: Iterable[str], cells: Mapping[str, str], differing: Mapping[str, tuple[str, str]]
    ) -> str | None:
        """The first heading of the field that says something; None where it says nothing or its columns differ."""
        first: str | None = None
        for name in names:
            if name in differing:
                self._differ(field, (name, name), differing[name])
                return None
            if field in _FIGURES or not cells.get(name, "").strip():
                continue
            if first is not None and _meaning(field, cells[first]) != _meaning(field, cells[name]):
                self._differ(field, (first, name), (cells[first], cells[name]))
                return None
            first = first or name
        return first

    def _differ(self, field: str, names: tuple[str, str], texts: tuple[str, str]) -> None:
        if field in _DESCRIPTIVE:
            self.problems.append(difference(self._row, names, texts, "Neither was taken."))
        else:
            self.problems.append(difference(self._row, names, texts))
            self.is_refused = True

    def text(self, field: str) -> str | None:
        """What the row says of a field."""
        name = self._texts[field]
        return None if name is None else self._fields.text(name)

    def own_figure(self) -> float | None:
        """The result under the heading of the row's own; a cell there that is no number refuses the row."""
        return self._number(OWN_RESULT)

    def _number(self, name: str) -> float | None:
        faults = len(self._fields.problems)
        number = self._fields.number(name)
        self.is_refused |= len(self._fields.problems) > faults
        return number

    def average(self) -> float | None:
        """The result under a heading of averages over systems of one name; all of them say the same."""
        figures = {name: number for name in AVERAGES if (number := self._number(name)) is not None}
        (first, figure), *others = figures.items() or [("", None)]
        for name, other in others:
            if not is_near(figure, other):
                self._differ("value", (first, name), (str(figure), str(other)))
                return None
        return figure

    def refuse(self, own: float, average: float) -> None:
        """Say that the two results of the row contradict each other."""
        self._differ("value", (OWN_RESULT, "result at system name"), (f"{own:g}", f"{average:g}"))

    def measurement(self, value: float | None, **known: object) -> Measurement | None:
        """The row as a measurement; None, and a problem, where it contradicts itself.

        `known` are fields that the table says elsewhere than in the row.
        """
        texts = {field: self.text(field) for field in HEADINGS if field not in (*known, *_FIGURES, "valid", "kind")}
        described = {**texts, **known}
        unit, division = described.get("unit"), texts.get("division") or ""
        valid = self._fields.flag("valid / invalid")
        kind = None if self.is_refused else self._kind(unit, described.get("scenario"))
        round_ = None if self.is_refused else self._round(texts.get("round"), texts.get("public_id"))
        if division and facts().division(division) is None:
            found = f"division {division[:60]!r} is not known."
            self.problems.append(Problem(self.where, "unknown-division", found, "The line was left out."))
            self.is_refused = True
        self.problems.extend(dict.fromkeys(self._fields.problems))
        if self.is_refused:
            return None
        has_power = facts().is_with_power(division)
        described |= {"kind": kind, "round": round_, "value": value, "valid": valid, "has_power": has_power}
        return Measurement(self.where, **described)  # type: ignore[arg-type]  # the fields of HEADINGS are those of Measurement

    def _kind(self, unit: object, scenario: object) -> Kind:
        """Training or inference, by the unit, the scenario and the column "Benchmark", which must not differ.

        Inference where none of them is known: such a figure is left out, for want of a scenario or a rule.
        """
        every = frozenset[str](get_args(Kind))
        word = (self.text("kind") or "").casefold()
        by_unit = frozenset[str](facts().kinds(str(unit)) if unit else ())
        kinds = (by_unit or every) & ({"inference"} if scenario else every) & (every & {word} or every)
        if not kinds:
            told = ", ".join(repr(str(cell)[:60]) for cell in (unit, scenario, self.text("kind")) if cell)
            found = f"the line is of training and of inference at once: {told}."
            self.problems.append(Problem(self.where, "columns-differ", found, LEFT_OUT))
            self.is_refused = True
        return "training" if kinds == {"training"} else "inference"

    def _round(self, version: str | None, public_id: str | None) -> str | None:
        """The round by its column or by the result's ID, which must not differ."""
        by_id = round_of(public_id)
        if version and by_id and _meaning("round", version) != _meaning("round", by_id):
            self._differ("round", ("version", "public id"), (version, public_id or ""))
        return version or by_id


def _meaning(field: str, text: str) -> str:
    """A cell of a field as two of them are compared."""
    folded = heading(text)
    if field == "division":
        return facts().division(text) or folded
    return folded.removeprefix("v") if field == "round" else folded


def is_near(one: float | None, other: float | None) -> bool:
    """Whether two figures are one: exports round to two decimals."""
    return one is None or other is None or abs(one - other) <= max(TOLERANCE * abs(one), 0.0051)


def round_of(public_id: str | None) -> str | None:
    """The round that a result ID begins with: `v6.0-0001`, `5.1-0089` and `2.0-020` name v6.0, v5.1 and v2.0.

    None for a text that is no result ID.
    """
    match = _PUBLIC_ID.fullmatch(public_id.strip()) if public_id else None
    return match[1] if match else None


def with_suite(measurements: Iterable[Measurement], header: Header, source: Source) -> Iterator[Parsed]:
    """Say which suite an inference export is of, where its rows do not.

    Each of MLCommons' pages shows one suite, so an export is of one: that with all of its scenarios and benchmarks.
    Edge exports end their headings in "1" (`Model MLC1`), which counts where no heading without it stands beside. Where
    both suites have all lines, the file's name decides, and that is reported; where nothing does, or lines of both
    suites stand in one file, a line counts only if it can be of one suite.
    """
    read = list(measurements)
    silent = [item for item in read if not item.suites and item.kind == "inference"]
    homes = [_homes(item) for item in silent]
    common = _BOTH.intersection(*homes)
    if "model mlc1" in header.names and "model mlc" not in header.names:
        common &= {"edge"}
    if len(common) > 1:
        stated = _stated(source, sorted(_BOTH))
        where, found = silent[0].where if silent else Where(source.name), "every line may be of both suites"
        if silent and stated:
            yield Problem(where, "assumed-suite", f"{found}; {stated!r} stands in the file's name.", "It was taken.")
        elif silent:
            fix = "Rename the file so that its name holds datacenter or edge."
            yield Problem(where, "no-suite", f"{found}, and the file's name does not say which it is of.", fix)
        common = frozenset({stated}) if stated else frozenset()
    elif not common:
        found = (
            "lines of the datacenter suite and of the edge suite stand in one table without a column that tells them."
        )
        fix = "Only lines that can be of one suite were taken: export each suite, or add the column System Type."
        yield Problem(silent[0].where, "no-suite", found, fix)
    suites = {
        id(item): common or (home if len(home) == 1 else frozenset()) for item, home in zip(silent, homes, strict=True)
    }
    for item in read:
        suite = next(iter(suites.get(id(item), ())), None)
        yield item._replace(suites=suite) if suite else item


def _homes(item: Measurement) -> frozenset[str]:
    """The suites that can list a line, by its scenario and benchmark; both where the catalog does not tell."""
    played = facts().round("inference", item.round or "")
    scenario = facts().scenario(item.scenario or "")
    if played is None or scenario is None:
        return _BOTH
    named = facts().benchmark_suite("inference", item.benchmark or "", played.id)
    benchmark = facts().benchmark("inference", item.benchmark or "", played.id)
    listing = facts().suites(played.id, ",".join(sorted(_BOTH)), benchmark.id if benchmark else "", scenario)
    suites = [suite for suite in listing if named in (None, suite)]
    return frozenset(suite.removeprefix("inference-") for suite in suites) or _BOTH


def _stated(source: Source, words: Iterable[str]) -> str | None:
    """The one of these words that stands in the file's name; None where none does, or two do."""
    named = set(re.split(r"[^a-z]+", source.title.lower()))
    found = named & set(words)
    return found.pop() if len(found) == 1 else None


def with_division(parsed: Iterable[Parsed], source: Source) -> Iterator[Parsed]:
    """Where an export has no division column, the division that its file's name states.

    MLCommons' pages of rounds up to v4.1 give Closed and Closed - Power as two downloads without such a column. A line
    that names no division in a table of lines that do is left to itself, and refused.
    """
    division = _stated(source, facts().divisions)
    read = list(parsed)
    figures = [item for item in read if isinstance(item, Measurement)]
    missing = [item for item in figures if item.division is None]
    if len(missing) < len(figures):
        division, missing = None, []
    if missing and division:
        found = f"the table names no division; {division!r} stands in the file's name."
        yield Problem(missing[0].where, "assumed-division", found, "It was taken.")
    elif missing:
        found = "neither the table nor the file's name says which division it is of."
        yield Problem(
            missing[0].where, "no-division", found, "Rename the file so that its name holds closed, open or network."
        )
    for item in read:
        yield item if isinstance(item, Problem) else item._replace(division=item.division or division)


def numbers_in(found: Header, read: Iterable[Row], columns: Iterable[int]) -> Numbers:
    """How these columns of the table write numbers."""
    wanted = list(columns)
    return conventions((row.cells[column] for row in read for column in wanted), found.delimiter)
