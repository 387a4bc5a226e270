"""The arithmetic of comparing results: ratios, means, efficiencies. Numbers in, numbers out; None where there is none.

A ratio over 1 is always better, whichever way the metric runs. Everything here is a derived metric: the messaging rules
allow it where its basis is stated, and it must not be called official.
"""

import math
from collections.abc import Iterable, Sequence
from math import isclose
from statistics import fmean, stdev
from typing import Final, TypeGuard, TypeVar

from mlperf.model import Better

DECIMALS: Final = range(1, 7)
"""That published tables round to."""
K = TypeVar("K")

METRICS_PER_ACCELERATOR: Final = ("throughput", "time_to_train")
"""Metrics that can be shared out over accelerators; a latency cannot."""

ROUNDING: Final = 1e-12
"""A share of a rate that is no difference: far more than floating point errs, far less than any result is measured."""


def speedup(new: float | None, old: float | None, better: Better) -> float | None:
    """How many times better `new` is than `old`: over 1 is better, and `speedup(a, b) * speedup(b, a)` is 1.

    None unless both are positive.
    """
    if not (_is_positive(new) and _is_positive(old)):
        return None
    ratio = new / old if better == "higher" else old / new
    return ratio if 0 < ratio < math.inf else None


def per_accelerator(metric: str, value: float, accelerators: int | None, chips: int = 1) -> float | None:
    """A result shared out over the system's accelerators, all of one sort: `samples/s` per accelerator.

    Time to train becomes accelerator-minutes: minutes times accelerators, what the training took of them. None for
    metrics that cannot be shared out, for systems without accelerators or with several sorts (`chips`) of them.
    """
    if metric not in METRICS_PER_ACCELERATOR or not accelerators or accelerators < 1 or chips != 1:
        return None
    return value * accelerators if metric == "time_to_train" else value / accelerators


def per_accelerator_unit(metric: str, unit: str) -> str:
    """The unit of `per_accelerator`."""
    return f"accelerator-{unit}" if metric == "time_to_train" else f"{unit} per accelerator"


def efficiency(speedup: float | None, larger: float | None, smaller: float | None) -> float | None:
    """Scaling efficiency: the speed-up divided by how many times more nodes or accelerators made it. 1 is ideal."""
    if speedup is None or not (_is_positive(larger) and _is_positive(smaller)):
        return None
    return speedup / (larger / smaller)


def ideal_time(minutes: float, larger: float, smaller: float) -> float | None:
    """What `minutes` on fewer nodes would be on more of them if twice as many took half the time."""
    return minutes * smaller / larger if _is_positive(larger) and _is_positive(smaller) else None


def per_pass(minutes: float | None, passes: float | None) -> float | None:
    """Minutes per epoch (or per sample) of a training that converged after so many of them; None without either."""
    return minutes / passes if _is_positive(minutes) and _is_positive(passes) else None


def is_rounded(value: float, exact: float) -> bool:
    """Whether `value` is `exact`, or `exact` rounded to a number of decimals."""
    return isclose(value, exact, rel_tol=1e-6) or any(
        isclose(value, round(exact, decimals), rel_tol=1e-9) for decimals in DECIMALS
    )


def geometric_mean(values: Sequence[float]) -> float | None:
    """The geometric mean of positive numbers; None for no numbers or where one is not positive."""
    if not values or not all(map(_is_positive, values)):
        return None
    return math.exp(fmean(map(math.log, values)))


def variation(values: Sequence[float]) -> float | None:
    """The coefficient of variation: sample standard deviation over mean; None for fewer than two numbers."""
    mean = fmean(values) if values else 0.0
    return stdev(values) / mean if len(values) > 1 and mean > 0 else None


def lead(best: float, second: float, better: Better) -> float | None:
    """By how much the first leads the runner-up: 0.05 is 5 % better."""
    ratio = speedup(best, second, better)
    return None if ratio is None else ratio - 1


def places(values: Sequence[float], better: Better) -> list[int]:
    """The place of each value, 1 for the best; equal values share a place, and the next one counts them all."""
    ordered = sorted(values, reverse=better == "higher")
    first = {value: place for place, value in reversed(list(enumerate(ordered, start=1)))}
    return [first[value] for value in values]


def rest(ratio: float | None, factor: float | None) -> float | None:
    """What is left of a ratio without one factor: `factor * rest(ratio, factor)` is the ratio."""
    return ratio / factor if _is_positive(ratio) and _is_positive(factor) else None


def needed(rate: float, value: float) -> int | None:
    """How many systems of `value` give `rate`: the fewest, and one at least; None where that cannot be said.

    A rate that is met to `ROUNDING` is met: three times 0.1 is a little over 0.3 in floating point.
    """
    if not (_is_positive(rate) and _is_positive(value)) or rate / value * ROUNDING >= 0.5:
        return None
    return max(1, math.ceil(rate / value * (1 - ROUNDING)))


def common(cells: Iterable[Iterable[K]]) -> set[K]:
    """The keys that all have; none for no collections."""
    sets = [set(keys) for keys in cells]
    return set.intersection(*sets) if sets else set()


def _is_positive(value: float | None) -> TypeGuard[float]:
    return value is not None and math.isfinite(value) and value > 0
