"""Energy of training runs: `power/result_i/node_*.txt` and `sw_*.txt` to average watts, those to kilojoules of a group.

A file measures while its run lasts, not exactly as long: what counts is its average power times the run's own time.
Source: mlcommons/logging result_summarizer: _compute_power_node, _compute_power_sw, _index_olympic_average.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from loaders.mllog import blocks
from loaders.trees.training_power_log import NO_ENERGY, PowerLog, Span
from loaders.trees.training_power_odd import oddities, usual_step
from loaders.trees.training_score import Scored
from loaders.unpack import Source
from mlperf.errors import Problem, Where
from mlperf.metrics import count_text


@dataclass(frozen=True)
class Watts:
    """The average power of one node, or of one switch, during one run."""

    where: Where
    watts: float
    efficiency: float | None = None
    """Of the conversion behind the meter, which the average counts; None where the file states none."""
    seconds: float | None = None
    """What a node's average is over, from the start to the last reading; None for a switch."""
    step: float | None = None
    """Seconds from reading to reading, usually; None for a switch and where there is one reading."""


def read_power(source: Source, *, is_node: bool) -> Iterator[Watts | Problem]:
    """The average power that one file states; a Problem, and nothing else, where it cannot be told."""
    log, where = PowerLog(source.name), Where(source.name)
    for block in blocks(source):
        fault = log.take(block)
        if fault is not None:
            yield fault
            return
    span = log.span() if is_node else None
    watts = _node(log, span) if is_node else _switch(log)
    if isinstance(watts, str):
        yield Problem(where, "no-power", watts, NO_ENERGY)
        return
    if log.strange:
        hold = "holds" if log.strange == 1 else "hold"
        said = f"{count_text(log.strange, 'line')} {hold} no event of a power file; this is the first."
        fix = "They were left out; if they were readings, copy the file again."
        yield Problem(Where(source.name, log.first_strange), "bad-line", said, fix)
    if span is None:
        yield Watts(where, watts, log.efficiency)
        return
    yield from oddities(log, span)
    step = usual_step(span)
    yield Watts(where, watts, log.efficiency, (span.times[-1] - span.start) / 1000, step and step / 1000)


def _node(log: PowerLog, span: Span | None) -> float | str:
    """Average watts of a node, readings weighted with the time since the one before, or why there are none."""
    if span is None or not log.readings:
        return f"the file holds no {'power_measurement_start' if span is None else 'power_reading'}."
    if not span.readings:
        return "no power_reading lies between its start and its stop: are their clocks the same?"
    end = span.times[-1] if math.isinf(span.stop) else span.stop
    if end <= span.start:
        return "the file's times span nothing."
    since = pairwise([span.start, *span.times])
    joules = 0.0
    for (before, time), (_, watts) in zip(since, span.readings, strict=True):
        joules += watts * (time - before)
    mean = log.factor * joules / (end - span.start)
    return mean if mean > 0 else f"its readings and its conversion_eff give {mean:g} W."


def _switch(log: PowerLog) -> float:
    """The watts that a switch is estimated at: 0 without an estimate.

    Training v4.1, Dell: the files of switches hold readings and no estimate, which the official tool counts as 0.
    """
    estimates = log.values("interconnect_power_est")
    return log.factor * (estimates[0] or 0.0) if estimates else 0.0


def kilojoules(
    scored: Scored, minutes: Sequence[float | None], watts: Sequence[float | None], scaling: float
) -> float | None:
    """The energy of a group over the very runs behind its score; None where the power of one of them is not known."""
    energy = []
    for at in range(len(minutes)):
        time, power = minutes[at], watts[at]
        energy.append(math.nan if time is None or power is None else power * time * 60 / 1000)
    mean = scored.mean(energy)
    return None if math.isnan(mean) else mean * scaling
