"""`accuracy.txt`: the metrics that the accuracy script printed. Which of them judge a benchmark, the catalog says."""

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

    def text(self, benchmark: str | None) -> str | None:
        """The metrics of the benchmark in words, as the published tables put them; None where none stands here."""
        wanted = log_rules().metrics if benchmark is None else log_rules().accuracy(benchmark)
        told = dict(self.metrics)
        return "  ".join(f"{name}: {told[name]}" for name in wanted if name in told) or None


def read_accuracy(source: Source, place: Place) -> Iterator[Accuracy | Problem]:
    """The metrics of the file; a file that holds none is a Problem."""
    text = b""
    with source.open() as content:
        while chunk := content.read(MAX):
            text = (text + chunk)[-MAX:]
    found = tuple(
        (name, matches[-1].decode().rstrip("."))
        for name, pattern in log_rules().metrics.items()
        if (matches := pattern.findall(text))
    )
    where = Where(source.name)
    if not found:
        yield Problem(where, "no-accuracy", "holds no accuracy that we know.", "The result is kept without.")
    yield Accuracy(place, where, found)
