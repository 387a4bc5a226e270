"""Laws of the arithmetic that compares results."""

import math
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlperf import compare
from mlperf.facts import facts
from mlperf.model import Better

POSITIVE = st.floats(1e-9, 1e12)
ANY = st.one_of(st.none(), st.floats(allow_nan=True, allow_infinity=True))
DIRECTIONS: tuple[Better, ...] = ("higher", "lower")


def metrics() -> list[tuple[str, Better]]:
    """Every metric that the catalog scores by, with its direction."""
    found = set()
    for benchmark, played in product(facts().benchmarks, facts().rounds):
        for scenario in (None, *facts().scenarios):
            score = facts().score(benchmark.kind, played.id, benchmark.id, scenario)
            if score is not None:
                found.add((score.metric, score.better))
    return sorted(found)


@pytest.mark.parametrize(("metric", "better"), metrics())
@given(one=POSITIVE, other=POSITIVE)
def test_speedup_there_and_back_is_one_for_every_metric(metric: str, better: Better, one: float, other: float) -> None:
    there, back = compare.speedup(one, other, better), compare.speedup(other, one, better)
    assert there is not None
    assert back is not None
    assert there * back == pytest.approx(1, rel=1e-12), metric
    assert (there > 1) == ((one > other) if better == "higher" else (one < other)) or there == pytest.approx(1)


@given(one=ANY, other=ANY, better=st.sampled_from(DIRECTIONS))
def test_no_pair_of_numbers_gives_a_ratio_that_is_not_positive_and_finite(
    one: float | None, other: float | None, better: Better
) -> None:
    ratio = compare.speedup(one, other, better)
    assert ratio is None or (ratio > 0 and math.isfinite(ratio))


@given(values=st.lists(POSITIVE, min_size=1, max_size=8), factor=st.floats(1e-3, 1e3))
def test_the_geometric_mean_lies_between_the_ends_and_scales(values: list[float], factor: float) -> None:
    mean = compare.geometric_mean(values)
    assert mean is not None
    assert min(values) * (1 - 1e-9) <= mean <= max(values) * (1 + 1e-9)
    assert compare.geometric_mean([value * factor for value in values]) == pytest.approx(mean * factor, rel=1e-9)
    assert compare.geometric_mean([*values, 0.0]) is None


@given(values=st.lists(st.sets(st.integers(0, 5)), min_size=1, max_size=4))
def test_the_common_cells_are_those_of_every_one(values: list[set[int]]) -> None:
    assert compare.common(values) == {key for key in range(6) if all(key in keys for keys in values)}


@given(value=POSITIVE, count=st.integers(1, 4096))
def test_a_share_per_accelerator_times_the_accelerators_is_the_whole(value: float, count: int) -> None:
    share = compare.per_accelerator("throughput", value, count)
    assert share is not None
    assert share * count == pytest.approx(value)
    assert compare.per_accelerator("latency", value, count) is None
    assert compare.per_accelerator("throughput", value, count, chips=2) is None
    assert compare.per_accelerator("throughput", value, None) is None


@given(values=st.lists(POSITIVE, min_size=2, max_size=10), factor=st.floats(1e-3, 1e3))
def test_variation_does_not_depend_on_the_unit(values: list[float], factor: float) -> None:
    one, other = compare.variation(values), compare.variation([value * factor for value in values])
    assert one is not None
    assert other == pytest.approx(one, rel=1e-6, abs=1e-9)
    assert compare.variation(values[:1]) is None


@given(minutes=POSITIVE, nodes=st.integers(2, 512))
def test_time_divided_by_the_nodes_is_an_efficiency_of_one(minutes: float, nodes: int) -> None:
    ratio = compare.speedup(minutes / nodes, minutes, "lower")
    assert compare.efficiency(ratio, nodes, 1) == pytest.approx(1)


@given(minutes=st.tuples(POSITIVE, POSITIVE), epochs=st.tuples(POSITIVE, POSITIVE), nodes=st.integers(1, 999))
def test_efficiency_is_efficiency_per_epoch_times_the_share_of_a_later_convergence(
    minutes: tuple[float, float], epochs: tuple[float, float], nodes: int
) -> None:
    whole = compare.efficiency(compare.speedup(minutes[1], minutes[0], "lower"), nodes, 1)
    passes = [compare.per_pass(*pair) for pair in zip(minutes, epochs, strict=True)]
    per_epoch = compare.efficiency(compare.speedup(passes[1], passes[0], "lower"), nodes, 1)
    assert whole is not None
    assert per_epoch is not None
    assert whole == pytest.approx(per_epoch * epochs[0] / epochs[1], rel=1e-9)


@given(minutes=st.floats(1e-3, 1e6), fewer=st.integers(1, 999), more=st.integers(1, 999))
def test_ideal_time_has_an_efficiency_of_one(minutes: float, fewer: int, more: int) -> None:
    ideal = compare.ideal_time(minutes, more, fewer)
    assert compare.efficiency(compare.speedup(ideal, minutes, "lower"), more, fewer) == pytest.approx(1)


@given(minutes=ANY, passes=ANY)
def test_minutes_per_epoch_are_positive_or_none(minutes: float | None, passes: float | None) -> None:
    found = compare.per_pass(minutes, passes)
    assert found is None or found >= 0


@given(exact=st.floats(0.01, 1e4), decimals=st.integers(1, 6))
def test_a_rounded_number_is_told_from_a_scaled_one(exact: float, decimals: int) -> None:
    assert compare.is_rounded(round(exact, decimals), exact)
    assert compare.is_rounded(exact, exact)
    assert not compare.is_rounded(exact * 1.5 + 0.1, exact)


RATE = st.floats(1e-3, 1e9)


@given(rate=RATE, value=RATE)
def test_so_many_systems_reach_the_rate_and_one_fewer_does_not(rate: float, value: float) -> None:
    count = compare.needed(rate, value)
    if count is None:
        assert rate / value > 1e11
        return
    assert count >= 1
    assert count * value >= rate * (1 - 2 * compare.ROUNDING)
    assert (count - 1) * value < rate


@given(value=RATE, count=st.integers(1, 10**6))
def test_a_rate_of_exactly_so_many_systems_takes_that_many(value: float, count: int) -> None:
    assert compare.needed(count * value, value) == count
    assert compare.needed(math.nextafter(count * value, math.inf), value) == count


@given(rate=ANY, value=ANY)
def test_systems_are_never_needed_for_a_rate_or_of_a_result_that_is_none(
    rate: float | None, value: float | None
) -> None:  # fmt: skip
    numbers = [math.nan if number is None else number for number in (rate, value)]
    if not all(math.isfinite(number) and number > 0 for number in numbers):
        assert compare.needed(*numbers) is None


@given(speed=st.floats(1e-3, 1e3), watts=st.floats(1e-3, 1e3))
def test_what_is_left_of_a_ratio_is_the_other_factor(speed: float, watts: float) -> None:
    assert compare.rest(speed * watts, speed) == pytest.approx(watts)
    assert compare.rest(None, speed) is None
    assert compare.rest(speed, None) is None
    assert compare.rest(speed, 0.0) is None


@given(values=st.lists(st.floats(allow_nan=False, allow_infinity=False) | st.sampled_from([1.0, 2.0])))
def test_places_agree_with_the_direction_and_equal_values_share_one(values: list[float]) -> None:
    for better in DIRECTIONS:
        for value, place in zip(values, compare.places(values, better), strict=True):
            assert place == 1 + sum(other > value if better == "higher" else other < value for other in values)


@given(values=st.lists(POSITIVE, min_size=2))
def test_the_first_is_never_behind_the_runner_up(values: list[float]) -> None:
    for better in DIRECTIONS:
        first, second, *_ = sorted(values, reverse=better == "higher")
        lead = compare.lead(first, second, better)
        assert lead is None or lead >= 0
