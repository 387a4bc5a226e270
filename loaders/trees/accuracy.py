"""`accuracy.txt`: the metrics that the accuracy script printed. Which of them judge a benchmark, the catalog says."""

import re
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from loaders.trees.inference_paths import Place
from loaders.unpack import Source
from mlperf.errors import Problem, Where
from mlperf.log_rules import log_rules

NAME: Final = "accuracy.txt"
MAX: Final = 1 << 20
"""Bytes from the end that are read; the metric stands in the last lines."""


@dataclass(frozen=True)
class Accuracy:
    """What an accuracy.txt says."""

    place: Place
    where: Where
    metrics: tuple[tuple[str, str], ...]
    """(metric, its number as written); of a metric that stands several times the last."""
    lines: tuple[int, ...] = ()
    """Where each of them stands."""

    def text(self, benchmark: str | None) -> str | None:
        """The metrics of the benchmark in words, as the published tables put them; None where none stands here."""
        wanted = log_rules().metrics if benchmark is None else log_rules().accuracy(benchmark)
        told = dict(self.metrics)
        return "  ".join(f"{name}: {told[name]}" for name in wanted if name in told) or None


def read_accuracy(source: Source, place: Place) -> Iterator[Accuracy | Problem]:
    """The metrics of the file; a file that holds none is a Problem."""
    text, line = b"", 1
    for chunk in source.chunks():
        text += chunk
        line += text.count(b"\n", 0, max(0, len(text) - MAX))
        text = text[-MAX:]
    found = [(name, last) for name, pattern in log_rules().metrics.items() if (last := _last(pattern, text))]
    where = Where(source.name)
    if not found:
        yield Problem(where, "no-accuracy", "holds no accuracy that we know.", "The result is kept without.")
    metrics = tuple((name, match[1].decode().rstrip(".")) for name, match in found)
    yield Accuracy(place, where, metrics, tuple(line + text.count(b"\n", 0, match.start(1)) for _, match in found))


def _last(pattern: re.Pattern[bytes], text: bytes) -> re.Match[bytes] | None:
    """The last place of a metric."""
    return next(iter(deque(pattern.finditer(text), maxlen=1)), None)
