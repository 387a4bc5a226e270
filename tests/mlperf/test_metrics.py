"""The one place that decides label, unit, direction, number format and order."""

import math

import pytest

from mlperf import metrics
from mlperf.metrics import Measure
from mlperf.model import RESULT_COLUMNS


@pytest.mark.parametrize(
    ("measure", "axis", "upright", "text"),
    [
        (Measure("Latency", "ms", "lower"), "Latency, ms – ← lower is better",
         "Latency, ms – ↓ lower is better", "0.3449 ms"),
        (Measure("Throughput", "samples/s", "higher"), "Throughput, samples/s – higher is better →",
         "Throughput, samples/s – ↑ higher is better", "0.3449 samples/s"),
        (Measure("Speed-up", "×", "higher", is_derived=True), "Speed-up (derived), × – higher is better →",
         "Speed-up (derived), × – ↑ higher is better", "0.3449×"),
        (Measure("Nodes", ""), "Nodes", "Nodes", "0.3449"),
    ],
)  # fmt: skip
def test_a_measure_says_label_unit_and_direction(measure: Measure, axis: str, upright: str, text: str) -> None:
    assert measure.axis == axis
    assert measure.upright == upright
    assert measure.text(0.344907) == text
    assert measure.text(None) == "–"


@pytest.mark.parametrize("better", ["higher", "lower"])
def test_the_order_puts_the_best_first(better: metrics.Better) -> None:
    values = [3.0, 1.0, 2.0]
    ordered = sorted(values, key=Measure("x", "y", better).order)
    assert ordered == sorted(values, reverse=better == "higher")


@pytest.mark.parametrize("value", [math.inf, math.nan])
def test_what_is_no_number_is_a_dash(value: float) -> None:
    assert metrics.number_text(value) == "–"


def test_a_column_nobody_listed_is_headed_by_its_own_name() -> None:
    assert metrics.column("XR7620_L4x1_TRT").label == "XR7620_L4x1_TRT"
    assert set(metrics.COLUMNS) & set(RESULT_COLUMNS)
