"""From the runs of one group to its score: which runs count, their mean or rate, how many there must be.

How many runs a benchmark needs and drops, and how they are averaged, is for the catalog to say.
"""

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from loaders.trees.training_log import RunLog
from mlperf.facts import Benchmark


@dataclass(frozen=True)
class Scored:
    """A score before any scaling, and the positions of the runs behind it."""

    value: float
    """Minutes, or models per minute."""
    counted: tuple[int, ...]

    def mean(self, values: Sequence[float]) -> float:
        """The mean of something else over the counted runs, `values` in the order of all runs."""
        return math.fsum(values[position] for position in self.counted) / len(self.counted)


def score(minutes: Sequence[float | None], benchmark: Benchmark) -> Scored | str:
    """The score of a group, or why it has none; `minutes` has None for each run that failed.

    Olympic mean: the `dropped` fastest and as many of the slowest are left out; failed runs are the slowest. Median:
    the run in the middle.
    Source: mlcommons/logging result_summarizer: _compute_olympic_average; training_rules.adoc, Benchmark Results.
    """
    needed, dropped = benchmark.runs, benchmark.dropped
    if not needed or dropped is None or benchmark.scoring is None:
        return f"the catalog does not say how runs of {benchmark.id} are scored"
    if len(minutes) != needed:
        few = len(minutes) < needed
        return (
            f"{len(minutes)} of {needed} runs present" if few else f"{len(minutes)} runs where {needed} make a result"
        )
    failed = sum(one is None for one in minutes)
    if failed > dropped:
        return f"{failed} of {needed} runs failed, at most {dropped} may"
    order = sorted(range(needed), key=lambda at: math.inf if (one := minutes[at]) is None else one)
    if benchmark.scoring == "median":
        order = order[(needed - 1) // 2 : needed // 2 + 1]
    else:
        order = order[dropped : needed - dropped]
    times = [one for at in order if (one := minutes[at]) is not None]
    return Scored(statistics.fmean(times), tuple(order))


def rate(logs: Sequence[RunLog], benchmark: Benchmark) -> Scored | str:
    """Models per minute of instances that were trained side by side, or why there is no score.

    The models that reached the target over the time from the first run_start to the last run_stop of these. There must
    be as many at least as a score of time takes runs; what failed is left out. All must be of one size.
    Source: mlcommons/logging result_summarizer: _compute_weak_score_standalone; mlcommons/training_policies
    hpc_training_rules.adoc, Throughput.
    """
    needed = benchmark.runs
    if not needed:
        return f"the catalog does not say how many instances of {benchmark.id} make a result"
    counted = tuple(at for at, log in enumerate(logs) if log.status == "success")
    if len(counted) < needed:
        return f"{len(counted)} of {len(logs)} instances reached the target, at least {needed} must"
    starts = [start for at in counted if (start := logs[at].started_ms) is not None]
    stops = [stop for at in counted if (stop := logs[at].stopped_ms) is not None]
    sizes = {logs[at].accelerators for at in counted}
    if len(sizes) > 1:
        return "its instances ran at different sizes (number_of_nodes, accelerators_per_node)"
    minutes = (max(stops) - min(starts)) / MS_PER_MINUTE
    return Scored(len(counted) / minutes, counted) if minutes > 0 else "its instances took no time"


MS_PER_MINUTE: Final = 60_000
