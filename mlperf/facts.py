"""What MLPerf is: rounds, benchmarks, scoring, spellings. All is data in `catalog/*.toml`; here it is looked up.

No rule of a benchmark or a round may stand here as an `if`. Lookups are dictionary lookups: loaders ask for every row.
"""

import functools
from pathlib import Path
from typing import get_args

from mlperf.catalog_files import CATALOG, Entry, fold, read
from mlperf.measures import Measures
from mlperf.model import Kind, Suite
from mlperf.rounds import Benchmark, Break, Round, Rounds, SuiteFacts, read_benchmark, read_break, read_kind, read_suite
from mlperf.scoring import Power, Score, Scoring
from mlperf.spellings import Accelerator, AcceleratorSpellings, Index, Server, ServerSpellings, Spelling

__all__ = ["Accelerator", "Benchmark", "Break", "Facts", "Round", "Score", "Server", "Spelling", "SuiteFacts", "facts"]

MEMORY = 8192
"""Answers kept of lookups that search inside a text; a hostile file with endless names must not fill the memory."""


class Facts:
    """The whole catalog, checked; every method answers None (or nothing) for what the catalog does not know."""

    def __init__(self, folder: Path = CATALOG) -> None:
        self._rounds = Rounds(read(folder, "rounds.toml"))
        self._read_suites(read(folder, "suites.toml"))
        self._read_benchmarks(read(folder, "benchmarks.toml"))
        self._read_breaks(read(folder, "comparability.toml"))
        self._scoring = Scoring(read(folder, "scoring.toml"), self._rounds, self.benchmarks, self.scenarios)
        self._power = Power(read(folder, "power.toml"), self._rounds)
        self._unreliable = _unreliable(read(folder, "unreliable.toml"), self._rounds)
        self._submitters = _names(read(folder, "submitters.toml"))
        self.measures = Measures(read(folder, "measures.toml"))
        accelerators = AcceleratorSpellings(read(folder, "accelerators.toml"))
        servers = ServerSpellings(read(folder, "servers.toml"))
        self.accelerators = accelerators.all
        self.servers = servers.all
        self._makers = servers.submitters
        self._accelerator = functools.lru_cache(MEMORY)(accelerators.find)
        self._server = functools.lru_cache(MEMORY)(servers.find)

    @property
    def rounds(self) -> tuple[Round, ...]:
        """Every round: the inference rounds and the training rounds, each oldest first."""
        return self._rounds.all

    def _read_suites(self, file: Entry) -> None:
        self._system_types: Index[SuiteFacts] = Index()
        self._endings: dict[str, Suite] = {}
        self._only_suites: dict[tuple[Kind, str], Suite] = {}
        suites = []
        for entry in file.entries("suite"):
            suite = read_suite(entry)
            spellings = entry.texts("spellings")
            if not suite.rounds:
                self._system_types.add(entry, suite, (suite.id, *spellings))
            for round_id in suite.rounds:
                self._rounds.index(entry, suite.kind, round_id)
                self._only_suites[suite.kind, round_id] = suite.id
            self._endings.update((fold(ending), suite.id) for ending in entry.texts("benchmark_endings"))
            entry.close()
            suites.append(suite)
        self.suite_facts = tuple(suites)
        self._kinds: dict[str, Kind] = {suite.id: suite.kind for suite in suites}
        self._scenarios, self.scenarios = _spelled(file, "scenario")
        self._divisions, self.divisions, self._powered = _divisions(file)
        self._availabilities, self.availabilities = _spelled(file, "availability")
        file.close()

    def _read_benchmarks(self, file: Entry) -> None:
        self._benchmarks: dict[tuple[Kind, str], Benchmark] = {}
        self._benchmark_names: dict[Kind, Index[Benchmark]] = {kind: Index() for kind in get_args(Kind)}
        entries = file.entries("benchmark")
        for entry in entries:
            benchmark = read_benchmark(entry, self._rounds)
            self._benchmark_names[benchmark.kind].add(entry, benchmark, (benchmark.id, *entry.texts("aliases")))
            self._benchmarks[benchmark.kind, benchmark.id] = benchmark
            entry.close()
            for member in benchmark.memberships:
                if unknown := {*member.required, *member.optional} - set(self.scenarios):
                    raise entry.wrong(f"unknown scenario {', '.join(sorted(unknown))}")
        file.close()
        self.benchmarks = tuple(self._benchmarks.values())
        for benchmark in self.benchmarks:
            if (benchmark.kind, benchmark.lineage) not in self._benchmarks:
                raise file.wrong(f"lineage {benchmark.lineage!r} of {benchmark.id} is no {benchmark.kind} benchmark")

    def _read_breaks(self, file: Entry) -> None:
        self._breaks = tuple(read_break(entry, self._rounds) for entry in file.entries("break", "from"))
        file.close()
        for found in self._breaks:
            for benchmark_id in found.benchmarks:
                if (found.kind, benchmark_id) not in self._benchmarks:
                    raise file.wrong(f"there is no {found.kind} benchmark {benchmark_id!r}")

    def kind(self, suite: str) -> Kind:
        """The kind of a suite; `KeyError` for what is no suite. SQL takes it from the id (`read_suite` sees to it)."""
        return self._kinds[suite]

    def is_system_type(self, text: str) -> bool:
        """Whether a text is a type of systems, such as `edge`."""
        return self._system_types.get(text) is not None

    def suites_of(self, kind: Kind) -> tuple[SuiteFacts, ...]:
        """The suites of a kind, in the order of the file."""
        return tuple(suite for suite in self.suite_facts if suite.kind == kind)

    def kind_name(self, kind: Kind) -> str:
        """The kind as titles have it: `Inference`, `HPC`."""
        return self.suites_of(kind)[0].label.partition(":")[0]

    def kind_word(self, kind: Kind) -> str:
        """The kind inside a sentence: `inference`, `HPC`."""
        name = self.kind_name(kind)
        return name if name.isupper() else name.lower()

    def has_scenarios(self, kind: Kind) -> bool:
        """Whether results of a kind are of scenarios: those of training are not."""
        return any(suite.scenarios for suite in self.suites_of(kind))

    def round(self, kind: Kind, text: str) -> Round | None:
        """The round that a text means: `v3.1`, `V3.1` or `3.1`; `5` is what a spreadsheet keeps of the number 5.0."""
        name = f"v{fold(text).removeprefix('v')}"
        return self._rounds.get(kind, name if "." in name else f"{name}.0")

    def benchmark(self, kind: Kind, text: str, round_id: str | None) -> Benchmark | None:
        """The benchmark that a text means, where the round has it; in any round for None."""
        found, _ = self._with_suite(kind, text, round_id)
        if found is None or round_id is None:
            return found
        played = self._rounds.get(kind, round_id)
        if played is None:
            return None
        first = self._rounds.get(kind, found.first)
        last = self._rounds.get(kind, found.last) if found.last else played
        return found if first and last and first.index <= played.index <= last.index else None

    def benchmark_suite(self, kind: Kind, text: str, round_id: str) -> Suite | None:
        """The suite that the spelling of a benchmark names: `llama3.1-8b-datacenter`; None where it names none."""
        return self._with_suite(kind, text, round_id)[1]

    def _with_suite(self, kind: Kind, text: str, round_id: str | None) -> tuple[Benchmark | None, Suite | None]:
        """The benchmark that a text means, and the suite that its ending names, to which the benchmark must belong."""
        names = self._benchmark_names[kind]
        found = names.get(text)
        if found is not None:
            return found, None
        played = None if round_id is None else self._rounds.get(kind, round_id)
        for ending, suite in self._endings.items():
            if (plain := fold(text)).endswith(ending) and (found := names.get(plain.removesuffix(ending))):
                members = (member for member in found.memberships if member.suite == suite)
                if any(played is None or member.first <= played.index <= member.last for member in members):
                    return found, suite
        return None, None

    def scenario(self, text: str, kind: Kind = "inference") -> str | None:
        """The scenario of a kind that a text means, such as `single stream`; None for another kind's."""
        found = self._scenarios.get(text)
        return found if any(found in suite.scenarios for suite in self.suites_of(kind)) else None

    def division(self, text: str) -> str | None:
        """The division that a text means, such as `Closed - Power`."""
        return self._divisions.get(text)

    def is_with_power(self, text: str) -> bool:
        """Whether the spelling of a division says that power was measured: `Closed - Power`."""
        return self._powered.get(text) is not None

    def availability(self, text: str) -> str | None:
        """The availability that a text means; cloud and on-premise are both `available`."""
        return self._availabilities.get(text)

    def submitter(self, text: str) -> str:
        """The one spelling of a submitter; an unknown one stays as written."""
        return self._submitters.get(text) or text.strip()

    def accelerator(self, text: str) -> Spelling | None:
        """What an accelerator spelling means."""
        return self._accelerator(text)

    def has_accelerators(self, text: str | None) -> bool:
        """Whether a spelling names accelerators: none is no accelerator, nor are the words for it."""
        spelling = self.accelerator(text or "")
        return spelling is None or bool(spelling.accelerators)

    def server(self, system_id: str | None, system_name: str | None, submitter: str | None = None) -> Server | None:
        """The server model in a system's ID or name; None where the `submitter` does not submit such servers."""
        if submitter is not None and submitter not in self._makers:
            return None
        return self._server(system_id, system_name)

    def score(self, kind: Kind, round_id: str, benchmark_id: str, scenario: str | None) -> Score | None:
        """How a result is scored; `scenario` is None in training."""
        return self._scoring.get(kind, round_id, benchmark_id, scenario)

    def score_by_heading(self, kind: Kind, round_id: str, scenario: str | None, heading: str) -> Score | None:
        """How a benchmark that the catalog does not know is scored, told from its heading in a table."""
        return self._scoring.by_heading(kind, round_id, scenario, heading)

    def is_heading(self, text: str) -> bool:
        """Whether published tables head figures, or their power, with this text."""
        return bool(self.kinds(text))

    def kinds(self, text: str) -> frozenset[Kind]:
        """The kinds whose tables head figures, or their power, with this text."""
        kinds: set[Kind] = {kind for kind in get_args(Kind) if self._scoring.is_heading(kind, text)}
        power = self._power.kind(text)
        return frozenset(kinds if power is None else {*kinds, power})

    def is_unreliable(self, kind: Kind, round_id: str, field: str) -> bool:
        """Whether the published tables of a round are known to be wrong about a field of a result."""
        return (kind, round_id, field) in self._unreliable

    def only_suite(self, kind: Kind, round_id: str) -> Suite | None:
        """The suite of a round that had no more than one, so that no system's type is asked; None for other rounds."""
        return self._only_suites.get((kind, round_id))

    def suites(
        self, round_id: str, system_types: str, benchmark_id: str, scenario: str | None, kind: Kind = "inference"
    ) -> tuple[Suite, ...]:
        """The suites that list a result of a system of these types, `datacenter,edge` for a dual system.

        A kind or a round of one suite lists all of its results there. A system of one suite keeps it whatever the
        scenario. A dual system is listed where the benchmark belongs in that round with that scenario; where it belongs
        to none, in the suites that have the scenario. Unknown types: nothing.
        Source: mlcommons/inference, generate_final_report.py: filter_scenarios.
        """
        only = self.only_suite(kind, round_id)
        if only is not None:
            return (only,)
        if len(sole := self.suites_of(kind)) == 1:
            return (sole[0].id,)
        named = [suite for part in system_types.split(",") if (suite := self._system_types.get(part))]
        if len(named) < 2:
            return tuple(suite.id for suite in named)
        benchmark = self._benchmarks.get((kind, benchmark_id))
        played = self._rounds.get(kind, round_id)
        fitting = (
            [suite for suite in named if scenario in benchmark.scenarios(suite.id, played.index)]
            if benchmark and played
            else []
        )
        listing = fitting or [suite for suite in named if scenario in suite.scenarios]
        return tuple(suite.id for suite in self.suite_facts if suite in listing)

    def incomparable(
        self, kind: Kind, one: tuple[str, str], other: tuple[str, str], scenario: str | None = None
    ) -> str | None:
        """Why results of two (benchmark, round) of one scenario do not compare; None when they do.

        Source: policies/MLPerf_Compatibility_Table.adoc; units by scoring.toml.
        """
        sides = [self._side(kind, benchmark_id, round_id, scenario) for benchmark_id, round_id in (one, other)]
        known = [side for side in sides if side]
        if len(known) < len(sides):
            return "The catalog does not know both."
        lineages = {benchmark.lineage for benchmark, _, _ in known}
        if len(lineages) > 1:
            return "They are different benchmarks."
        members = {benchmark.id for benchmark in self.benchmarks if benchmark.lineage in lineages}
        indexes = [played.index for _, played, _ in known]
        for found in self._breaks:
            if found.kind == kind and found.parts(members, scenario, indexes):
                return found.reason
        earlier, later = sorted(known, key=lambda side: side[1].index)
        return unit_change((earlier[1].id, earlier[2].unit), (later[1].id, later[2].unit))

    def era(self, kind: Kind, benchmark_id: str, round_id: str, scenario: str | None = None) -> int:
        """How many breaks of comparability lie before a result: results of one benchmark compare within an era only."""
        played, benchmark = self._rounds.get(kind, round_id), self._benchmarks.get((kind, benchmark_id))
        if played is None or benchmark is None:
            return 0
        members = {known.id for known in self.benchmarks if known.lineage == benchmark.lineage}
        passed = (found for found in self._breaks if found.kind == kind and found.index <= played.index)
        return sum(found.concerns(members, scenario) for found in passed)

    def _side(
        self, kind: Kind, benchmark_id: str, round_id: str, scenario: str | None
    ) -> tuple[Benchmark, Round, Score] | None:
        """What a comparison needs to know of one result; None where the catalog does not know it."""
        benchmark, played = self._benchmarks.get((kind, benchmark_id)), self._rounds.get(kind, round_id)
        score = self.score(kind, round_id, benchmark_id, scenario)
        return (benchmark, played, score) if benchmark and played and score else None

    def power_unit(self, text: str) -> tuple[str, float] | None:
        """The unit of power or energy that a text means, and the factor that leads to it: `Joules` → (`mJ`, 1000)."""
        return self._power.unit(text)

    def efficiency(
        self, kind: Kind, round_id: str, scenario: str | None, value: float, power_value: float, power_unit: str
    ) -> float | None:
        """Samples (or tokens) per joule from measured power; None where the catalog has no rule, as in training.

        Source: mlcommons/inference, submission checker: get_power_metric.
        """
        played = self._rounds.get(kind, round_id)
        return self._power.efficiency(kind, played.index, scenario, value, power_value, power_unit) if played else None

    def efficiency_unit(self, unit: str) -> str | None:
        """The unit of the efficiency of a result in `unit`: `samples/J` or `tokens/J`."""
        return self._power.efficiency_unit(unit)


def unit_change(earlier: tuple[str, str], later: tuple[str, str]) -> str | None:
    """Why results of two (round, unit) do not compare: their units differ; None where they do not.

    No factor leads from one such unit to the other: how many tokens a query had is a fact of each run.
    """
    (first, unit), (last, new_unit) = earlier, later
    return None if unit == new_unit else f"The unit changed: {first} counts in {unit}, {last} in {new_unit}."


def _spelled(file: Entry, key: str) -> tuple[Index[str], tuple[str, ...]]:
    """Ids by their spellings, and the ids in the order of the file."""
    index: Index[str] = Index()
    ids = []
    for entry in file.entries(key):
        spelled = entry.text("id")
        index.add(entry, spelled, (spelled, *entry.texts("spellings")))
        entry.close()
        ids.append(spelled)
    return index, tuple(ids)


def _divisions(file: Entry) -> tuple[Index[str], tuple[str, ...], Index[str]]:
    """Divisions by their spellings, their ids in the order of the file, and the spellings that say power, too."""
    index: Index[str] = Index()
    powered: Index[str] = Index()
    ids = []
    for entry in file.entries("division"):
        division, with_power = entry.text("id"), entry.texts("with_power")
        index.add(entry, division, (division, *entry.texts("spellings"), *with_power))
        powered.add(entry, division, with_power)
        entry.close()
        ids.append(division)
    return index, tuple(ids), powered


def _unreliable(file: Entry, rounds: Rounds) -> frozenset[tuple[Kind, str, str]]:
    """unreliable.toml: fields of published tables that cannot be trusted."""
    found = set()
    for entry in file.entries("unreliable", "field"):
        kind, round_id, name = read_kind(entry), entry.text("round"), entry.text("field")
        if rounds.get(kind, round_id) is None:
            raise entry.wrong(f"there is no {kind} round {round_id!r}")
        entry.text("reason")
        entry.close()
        found.add((kind, round_id, name))
    file.close()
    return frozenset(found)


def _names(file: Entry) -> Index[str]:
    """submitters.toml: names by their spellings."""
    index: Index[str] = Index()
    for entry in file.entries("submitter", "name"):
        name = entry.text("name")
        index.add(entry, name, (name, *entry.texts("spellings")))
        entry.maybe_text("reason")
        entry.close()
    file.close()
    return index


@functools.cache
def facts() -> Facts:
    """The catalog that comes with the project, read once; `CatalogError` when one of its files is wrong."""
    return Facts()
