"""Figures as readers see them: label, unit, direction, format and order, decided once for chart, table and file.

No query and no screen here; what a benchmark's metric, unit and direction are is data of the catalog.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from mlperf.model import Better

METRIC_NAMES: Final[Mapping[str, str]] = {
    "throughput": "Throughput",
    "latency": "Latency",
    "streams": "Streams",
    "time_to_train": "Time to train",
}
PER_ENERGY: Final[Mapping[tuple[str, str], tuple[float, str]]] = {
    ("W", "samples/J"): (1.0, "samples/s per W"),
    ("W", "tokens/J"): (1.0, "tokens/s per W"),
    ("mJ", "samples/J"): (0.001, "queries/mJ"),
}
"""For units of measured power and of efficiency: the factor and unit that performance per energy is read in."""
DIRECTIONS: Final[Mapping[str, str]] = {"higher": "higher is better →", "lower": "← lower is better"}
UPRIGHT: Final[Mapping[str, str]] = {"higher": "↑ higher is better", "lower": "↓ lower is better"}
TIMES: Final = "×"


@dataclass(frozen=True)
class Measure:
    """What a figure measures: its label, its unit and which way is better (None: neither)."""

    label: str
    unit: str
    better: Better | None = None
    is_derived: bool = False
    """Whether it is computed from official results and is no official MLPerf metric itself."""

    @property
    def axis(self) -> str:
        """The title of a horizontal axis: `Latency, ms – ← lower is better`."""
        return self._titled(DIRECTIONS)

    @property
    def upright(self) -> str:
        """The title of a vertical axis: `Latency, ms – ↓ lower is better`."""
        return self._titled(UPRIGHT)

    def text(self, value: float | None) -> str:
        """A value with its unit: `0.3449 ms`, `1.35×`; a dash for none."""
        if value is None:
            return "–"
        return f"{number_text(value)}{'' if self.unit in (TIMES, '%') else ' '}{self.unit}".rstrip()

    def order(self, value: float) -> float:
        """A key that sorts best first."""
        return -value if self.better == "higher" else value

    def _titled(self, directions: Mapping[str, str]) -> str:
        named = f"{self.label}{' (derived)' if self.is_derived else ''}, {self.unit}" if self.unit else self.label
        return f"{named} – {directions[self.better]}" if self.better else named


def measure(row: Mapping[str, Any]) -> Measure:
    """What the figure of a result measures; `row` has `metric`, `unit` and `better`."""
    return Measure(METRIC_NAMES.get(row["metric"], row["metric"]), row["unit"], row["better"])


def number_text(value: float) -> str:
    """Four significant digits, and all of those before the point: `0.3449`, `62.95`, `1,016,380`."""
    if not math.isfinite(value):
        return "–"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"


def count_text(number: int, one: str, many: str = "") -> str:
    """A number and what it counts: `1 result`, `3,325 results`."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


@dataclass(frozen=True)
class Column:
    """How a column of an answer's data is headed and written on the screen; files have its own name and all digits."""

    label: str
    format: str = ""
    """For numbers, as printf has it (`%,.4g`); "" for text."""
    help: str = ""


COLUMNS: Final[Mapping[str, Column]] = {
    "cell": Column("Benchmark and scenario"),
    "field": Column("Field", help="As the system's sheet names it"),
    "system": Column("System", help="System ID, or its name where the source gives no ID"),
    "system_id": Column("System ID"),
    "system_name": Column("System name"),
    "submitter": Column("Submitter"),
    "round": Column("Round"),
    "suite": Column("Suite"),
    "division": Column("Division"),
    "availability": Column("Availability"),
    "benchmark": Column("Benchmark"),
    "scenario": Column("Scenario"),
    "accelerator": Column("Accelerator"),
    "accelerator_count": Column("Accelerators", "%d", "In the whole system"),
    "nodes": Column("Nodes", "%d"),
    "metric": Column("Metric"),
    "value": Column("Result", "%,.6g", "Files have full precision"),
    "unit": Column("Unit"),
    "better": Column("Better"),
    "has_power": Column("Power run"),
    "power_value": Column("Power or energy", "%,.6g", "Measured under the MLPerf rules in this very run"),
    "power_unit": Column("Unit of power"),
    "is_metric": Column("Metric of its round", help="No for what its log states beside the score"),
    "tokens_per_second": Column("Also stated, tokens/s", "%,.6g", "By the log of this run; no official metric of it"),
    "samples_per_second": Column("Also stated, samples/s", "%,.6g", "By the log of this run; no official metric of it"),
    "mean_latency_ms": Column("Mean latency, ms", "%,.6g", "By the log of this run; no official metric of it"),
    "measure_lines": Column("Their lines", help="Where in the file the figures beside the score stand"),
    "also_stated": Column("Also stated", help="By the log of this run; no official metric of it"),
    "public_id": Column("Result ID"),
    "verified": Column("Verified"),
    "verification": Column("State", help="Unverified: not reviewed by MLCommons"),
    "verification_before": Column("State, earlier", help="Unverified: not reviewed by MLCommons"),
    "verification_after": Column("State, later", help="Unverified: not reviewed by MLCommons"),
    "in_place_of": Column("In place of", "%,.6g", "The published result that the unverified one stands in for"),
    "link": Column("Source"),
    "sheet": Column("Sheet", help="The system's page"),
    "relative": Column(
        "Relative", "%.4g", "Over 1 is better than the baseline, whichever way the metric runs; derived"
    ),
    "baseline": Column("Baseline"),
    "per_accelerator": Column("Per accelerator", "%,.5g", "Derived; no official MLPerf metric"),
    "per_accelerator_unit": Column("Unit per accelerator"),
    "per_energy": Column("Performance per energy", "%,.4g", "From power measured in this very run; derived"),
    "per_energy_unit": Column("Unit of performance per energy"),
    "efficiency": Column("Efficiency", "%,.4g", "Samples or tokens per joule, in all scenarios; derived"),
    "efficiency_unit": Column("Unit of efficiency"),
    "efficiency_ratio": Column(
        "Ratio", "%.4g", "Performance per energy, later over earlier: over 1 is better; derived"
    ),
    "speed_ratio": Column("Share from speed", "%.4g", "Over 1 is faster; derived"),
    "watts_ratio": Column("Share from watts", "%.4g", "The ratio without the share from speed; over 1 is less power"),
    "before": Column("Earlier"),
    "after": Column("Later"),
    "value_before": Column("Result, earlier", "%,.6g"),
    "value_after": Column("Result, later", "%,.6g"),
    "power_before": Column("Power or energy, earlier", "%,.6g"),
    "power_after": Column("Power or energy, later", "%,.6g"),
    "per_energy_before": Column("Performance per energy, earlier", "%,.4g"),
    "per_energy_after": Column("Performance per energy, later", "%,.4g"),
    "efficiency_before": Column("Efficiency, earlier", "%,.4g"),
    "efficiency_after": Column("Efficiency, later", "%,.4g"),
    "link_before": Column("Source, earlier"),
    "link_after": Column("Source, later"),
    "of_best": Column("Of the best", "%.3g", "1 is the best of the field; derived"),
    "systems": Column("Systems", "%,d", "Needed for the rate, rounded up; estimate"),
    "accelerators": Column("Accelerators in all", "%,d", "Systems times their accelerators; estimate"),
    "rate": Column("Needed rate", "%,.6g"),
    "rate_reached": Column("Rate reached", "%,.6g", "Systems times their result; estimate"),
    "headroom": Column("Headroom, %", "%.1f", "By how much the rate reached is over the needed one"),
    "watts": Column("Power, W", "%,.5g", "Systems times the average power measured in this very run; estimate"),
    "speedup": Column("Speed-up", "%.4g", "Against the fewest nodes; derived"),
    "scaling_efficiency": Column("Scaling efficiency", "percent", "Speed-up over the ratio of nodes; derived"),
    "efficiency_per_epoch": Column(
        "Efficiency per epoch", "percent", "The same of minutes per epoch (or sample) to converge; derived"
    ),
    "global_batch_size": Column("Global batch size", "%,d", "Empty where its runs differ or do not say"),
    "epochs": Column("Epochs", "%,.6g", "To converge; of a result the mean of the runs that count"),
    "samples": Column("Samples", "%,.0f", "To converge; of a result the mean of the runs that count"),
    "ideal": Column("Ideal", "%,.6g", "If twice as many nodes took half the time"),
    "against_nodes": Column("Against nodes", "%d", "The number of nodes that speed-up and efficiency are against"),
    "processor": Column("Processor"),
    "framework": Column("Software"),
    "run": Column("Run"),
    "minutes": Column("Time to train, min", "%,.6g"),
    "over_mean": Column("Over the mean", "percent", "Of the runs that count; derived"),
    "variation": Column("Variation", "percent", "Standard deviation over mean of the runs that count; derived"),
    "state": Column("Counted", help="What the score's mean leaves out, and why"),
    "status": Column("Status"),
    "score": Column("Score", "%,.6g", "The official result of all these runs"),
    "score_unit": Column("Unit of the score"),
    "seed": Column("Seed", "%d"),
    "also_in": Column("The same run is in", help="Folders that hold the very same run: it is no second one"),
    "server_family": Column("Server family"),
    "server": Column("Server"),
    "published": Column("Published"),
    "is_best": Column("Best", help="Best of its line in its round"),
    "comparable_rounds": Column("Comparable rounds", help="Results compare only within these rounds"),
    "rank": Column("Rank", "%d", "1 is the best; equal figures share a rank"),
    "is_shared": Column("Shared", help="Whether another run has the very same figure"),
    "also_as": Column("Also listed as", help="The very same run under another name; not ranked again"),
    "of_first": Column("Of the first", "%.4g", "How the figure relates to the best, 1 being the best; derived"),
    "lead_percent": Column("Lead, %", "%.3g", "Over the runner-up; derived"),
    "shared_with": Column("First place shared with"),
    "same_run_as": Column("Same run as", help="The very same run is first already at another accuracy: one title"),
    "runner_up": Column("Runner-up"),
    "runner_up_submitter": Column("Its submitter"),
    "runner_up_value": Column("Its result", "%,.6g"),
    "runner_up_per_accelerator": Column("Its figure per accelerator", "%,.5g", "Derived; no official MLPerf metric"),
    "runner_up_efficiency": Column("Its efficiency", "%,.4g", "Derived; no official MLPerf metric"),
    "runs_ranked": Column("Runs ranked", "%d"),
    "holder": Column("First is"),
    "titles": Column("Titles", "%d", "First places; a run that is first at two accuracies has one"),
    "titles_shared": Column("Shared titles", "%d"),
    "titles_same_run": Column("Same run again", "%d", "First places at another accuracy, no titles of their own"),
    "rankings": Column("Of", "%d", "Benchmarks and scenarios in the field"),
    "first_in": Column("First in"),
    "results": Column("Results", "%d", "A result that two suites list is one"),
    "table_rows": Column("Table rows", "%d", "Results as MLCommons' tables have them: one with power stands in two"),
    "power_results": Column("With power", "%d"),
    "system_count": Column("Systems", "%d"),
    "accelerator_sorts": Column("Sorts of accelerator", "%d"),
    "configurations": Column("Configurations", "%d", "Combinations of suite, division, power and system"),
    "submitters": Column("Submitters", "%d"),
    "what": Column("What"),
    "name": Column("Name"),
    "names": Column("Accelerators in it"),
    "full_name": Column("Full name"),
    "scenarios": Column("Scenarios"),
    "suites": Column("Suites"),
    "divisions": Column("Divisions"),
    "submitter_count": Column("Submitters", "%d"),
    "submitters_named": Column("Submitters"),
    "since": Column("Since"),
    "is_new": Column("New", help="Not in the round before"),
    "accuracy": Column("Accuracy"),
    "inferred": Column("Inferred", help="Computed from another scenario's run"),
    "runs": Column("Runs", "%d", "Behind a training score, failed ones included"),
    "basis": Column("Basis", help="published: a table states it; computed: from the published logs"),
    "test": Column("Benchmark"),
    "relation": Column("What"),
    "figure": Column("Result", help="Rounded; the data and the files have all digits"),
    "power": Column("Power", help="Measured under the MLPerf rules in this very run; energy in training"),
    "runs_page": Column("Each run", help="The page of the runs behind the score"),
    "comparability": Column("Mind", help="What the comparability guard says"),
}
"""Columns of answers' data, by their names in files."""


def also_stated(row: Mapping[str, Any]) -> str | None:
    """The second measures of a result, `20,958.48 tokens/s, mean latency 412.5 ms`; None where its log states none."""
    texts = (("tokens_per_second", "", "tokens/s"), ("samples_per_second", "", "samples/s"),
             ("mean_latency_ms", "mean latency ", "ms"))  # fmt: skip
    parts = [f"{before}{row[name]:,.10g} {unit}" for name, before, unit in texts if row.get(name) is not None]
    return ", ".join(parts) or None


def beside_score(row: Mapping[str, Any]) -> list[str]:
    """The line of a tooltip that says the same; none where the log states none."""
    stated = also_stated(row)
    return [f"also stated, no official metric: {stated}"] if stated else []


def column(name: str) -> Column:
    """How a column is shown; one that is not listed (a system, say) is headed by its own name."""
    return COLUMNS.get(name) or Column(name)
