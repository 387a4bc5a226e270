"""`Filters`: what a reader chose, as one value that is SQL parameters, a sentence, a file name and a link at once.

No SQL text, no database and no Streamlit here.
"""

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, Final

from mlperf.errors import QueryError
from mlperf.facts import facts
from mlperf.model import OF_RUNS

Value = str | int | bool | None
"""A chosen value. An empty cell is chosen with "" in a text column and with None in a number or yes/no column."""

INTEGER_COLUMNS: Final = frozenset({"accelerator_count", "nodes", "runs"})
BOOLEAN_COLUMNS: Final = frozenset({"has_power", "inferred", "valid", "verified"})
WORDS: Final[Mapping[str, bool]] = {"true": True, "false": False, "yes": True, "no": False, "1": True, "0": False}
INTEGER: Final = re.compile(r"-?[0-9]{1,9}")
UNSAFE: Final = re.compile(r"[^A-Za-z0-9.+-]+")
LONGEST_FILE_NAME: Final = 120
SHOWN_VALUES: Final = 3


@dataclass(frozen=True)
class Filters:
    """The values chosen per column, sorted and without doubles; an empty tuple leaves the column free.

    `accelerator` matches every system that holds the chip, alone or mixed; `system_id` matches the system's name where
    a table gives no ID; `search` holds words that must all occur, in any case and order, in what names a row.
    """

    round: tuple[str, ...] = ()
    suite: tuple[str, ...] = ()
    division: tuple[str, ...] = ()
    availability: tuple[str, ...] = ()
    submitter: tuple[str, ...] = ()
    system_id: tuple[str, ...] = ()
    system_name: tuple[str, ...] = ()
    server: tuple[str, ...] = ()
    server_family: tuple[str, ...] = ()
    accelerator: tuple[str, ...] = ()
    accelerator_count: tuple[int | None, ...] = ()
    nodes: tuple[int | None, ...] = ()
    processor: tuple[str, ...] = ()
    framework: tuple[str, ...] = ()
    benchmark: tuple[str, ...] = ()
    scenario: tuple[str, ...] = ()
    metric: tuple[str, ...] = ()
    unit: tuple[str, ...] = ()
    better: tuple[str, ...] = ()
    has_power: tuple[bool | None, ...] = ()
    inferred: tuple[bool | None, ...] = ()
    valid: tuple[bool | None, ...] = ()
    runs: tuple[int | None, ...] = ()
    public_id: tuple[str, ...] = ()
    basis: tuple[str, ...] = ()
    verified: tuple[bool | None, ...] = ()
    origin: tuple[str, ...] = ()
    source: tuple[str, ...] = ()
    search: str = ""

    def __post_init__(self) -> None:
        for column in FILTER_COLUMNS:
            object.__setattr__(self, column, _tidy(column, getattr(self, column)))
        object.__setattr__(self, "search", " ".join(_printable(self.search).split()))

    def chosen(self, column: str) -> tuple[Value, ...]:
        """The values chosen in a column; raises QueryError when no filter has that name."""
        if column not in FILTER_COLUMNS:
            raise QueryError(f'no filter is named "{column}".', fix=f"Filters are {', '.join(FILTER_COLUMNS)}.")
        values: tuple[Value, ...] = getattr(self, column)
        return values

    def choose(self, column: str, values: Iterable[Value]) -> "Filters":
        """The same filters with other values in one column."""
        self.chosen(column)
        chosen: dict[str, Any] = {column: tuple(values)}
        return replace(self, **chosen)

    @property
    def is_empty(self) -> bool:
        """True when every result passes."""
        return self == Filters()

    def to_query(self) -> dict[str, list[str]]:
        """The parameters of a link, columns in their order; `from_query` gives the same filters back."""
        return self.parameters() | ({"search": [self.search]} if self.search else {})

    @staticmethod
    def from_query(query: Mapping[str, Iterable[str]]) -> tuple["Filters", tuple[str, ...]]:
        """The filters that a link asks for, and a warning for each part that means nothing. Never raises."""
        chosen: dict[str, tuple[Value, ...]] = {}
        warnings: list[str] = []
        for name, texts in query.items():
            if name == "search":
                continue
            if name not in FILTER_COLUMNS:
                warnings.append(f'There is no filter "{name}".')
                continue
            values = {text: _value(name, text) for text in texts}
            warnings += [
                f'"{text}" is not a value that {name} can have.' for text, known in values.items() if not known
            ]
            chosen[name] = tuple(known[0] for known in values.values() if known)
        filters = Filters(search=" ".join(query.get("search", ())))
        for name, column in chosen.items():
            filters = filters.choose(name, column)
        return filters, tuple(warnings)

    def parameters(self) -> dict[str, list[str]]:
        """The parameters of `sql/matching.sql`: the values of each filter in use as texts, and the words to search."""
        used = {column: [as_text(value) for value in self.chosen(column)] for column in FILTER_COLUMNS}
        return {name: texts for name, texts in (used | {"search": self.search.split()}).items() if texts}

    def sentence(self) -> str:
        """What was chosen, in words: `Inference v3.1 · edge · closed · SingleStream`."""
        kinds = _some(sorted({_kind_word(suite) for suite in self.suite}), " and ")
        head = " ".join(filter(None, [f"{kinds[:1].upper()}{kinds[1:]}", _some(self.round)]))
        edges = sorted({suite.partition("-")[2] for suite in self.suite} - {""})
        parts = [head, edges[0] if len(edges) == 1 and len(self.suite) == 1 else ""]
        parts += [_phrase(column, self.chosen(column)) for column in FILTER_COLUMNS if column not in ("round", "suite")]
        parts += [f"“{self.search}”" if self.search else ""]
        return " · ".join(part for part in parts if part) or "All results"

    def file_name(self, suffix: str) -> str:
        """A file name that says what was chosen, of safe characters only and at most 120 of them."""
        texts = [as_text(value) or "none" for column in FILTER_COLUMNS for value in self.chosen(column)]
        words = [UNSAFE.sub("-", text).strip("-.") for text in [*texts, *self.search.split()]]
        name = "_".join(["results", *filter(None, words)]) if texts or self.search else "results_all"
        room = LONGEST_FILE_NAME - len(suffix) - 1
        if len(name) > room or not all(words):
            # What was cut or could not be spelled still tells two files apart.
            name = f"{name[: room - 9]}_{hashlib.sha256(repr(self).encode()).hexdigest()[:8]}"
        return f"{name}.{suffix}"


def _kind_word(suite: str) -> str:
    """The kind of a suite inside a sentence: `inference`, `HPC`."""
    kind = next((known.kind for known in facts().suite_facts if known.id == suite), None)
    return facts().kind_word(kind) if kind else suite


FILTER_COLUMNS: Final[tuple[str, ...]] = tuple(field.name for field in fields(Filters) if field.name != "search")
"""The columns that can be filtered, in the order of a result's columns and of the bits in `matching.sql`."""


def as_text(value: Value) -> str:
    """A value as links, SQL parameters and CSV cells spell it: `true`, `8`, `` for an empty cell."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def benchmark_name(benchmark: str) -> str:
    """A benchmark's full name; its id where the catalog does not know it."""
    named = (facts().benchmark(kind, benchmark, None) for kind in ("inference", *OF_RUNS))
    return next((known.full_name for known in named if known), benchmark)


def from_text(column: str, text: str) -> Value:
    """The value that a text means in a column; raises QueryError when the column cannot hold it."""
    known = _value(column, text)
    if not known:
        raise QueryError(f'"{text}" is not a value that {column} can have.')
    return known[0]


def _value(column: str, text: str) -> tuple[Value] | tuple[()]:
    if column in BOOLEAN_COLUMNS:
        word = text.strip().lower()
        return (None,) if word == "" else (WORDS[word],) if word in WORDS else ()
    if column in INTEGER_COLUMNS:
        number = text.strip()
        return (None,) if number == "" else (int(number),) if INTEGER.fullmatch(number) else ()
    return (text,)


def _tidy(column: str, values: Iterable[Value]) -> tuple[Value, ...]:
    if column in INTEGER_COLUMNS or column in BOOLEAN_COLUMNS:
        return tuple(sorted(set(values), key=lambda value: (value is not None, value)))
    return tuple(sorted({_printable(str(value)) for value in values}))


def _printable(text: str) -> str:
    # A lone surrogate (a file name from the command line, a broken link) cannot be handed to the database.
    return text.encode("utf-8", "replace").decode().replace("\0", "�")


def _some(values: Iterable[Value], joint: str = ", ") -> str:
    texts = [as_text(value) or "none" for value in values]
    rest = len(texts) - SHOWN_VALUES
    return joint.join(texts) if rest <= 1 else f"{joint.join(texts[:SHOWN_VALUES])} and {rest} more"


def _phrase(column: str, values: tuple[Value, ...]) -> str:
    if not values:
        return ""
    if column in BOOLEAN_COLUMNS:
        name = column.removeprefix("has_")
        spoken: dict[Value, str] = {True: f"with {name}", False: f"without {name}", None: f"{name} not stated"}
        if column != "has_power":
            spoken = {True: name, False: f"not {name}", None: f"{name} not stated"}
        return " or ".join(spoken[value] for value in values)
    if column in INTEGER_COLUMNS:
        noun = {"accelerator_count": "accelerator", "nodes": "node", "runs": "run"}[column]
        return f"{_some(values)} {noun}{'' if values == (1,) else 's'}"
    if column in ("metric", "unit", "better", "server", "public_id", "basis", "origin", "source"):
        return f"{column.replace('_', ' ')} {_some(values)}"
    if column == "benchmark":
        return _some([benchmark_name(str(value)) for value in values])
    return _some(values)
