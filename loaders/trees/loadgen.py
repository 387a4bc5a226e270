"""LoadGen's own logs, of any round: the few numbers that rules read, each with its line, in one pass and small memory.

`mlperf_log_detail.txt` holds one `:::MLLOG {json}` per line (v0.7: another text, which holds no score) and may have
hundreds of megabytes in lines of any length. `mlperf_log_summary.txt` holds `key : value` lines. What a number means is
for `inference_score`.
"""

import functools
import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final, Literal, NamedTuple

from loaders.json_text import NotJson, decoded, unique
from loaders.trees.inference_paths import Place
from loaders.unpack import Source
from mlperf.errors import Problem, Where
from mlperf.log_rules import log_rules
from mlperf.rules import rules

DETAIL: Final = "mlperf_log_detail.txt"
SUMMARY: Final = "mlperf_log_summary.txt"

_TOKEN: Final = b":::MLLOG"

RECORD: Final = 1 << 13
"""Longest record of ours, in bytes; real ones have under 1,000. Longer ones (lists of samples) are never ours."""

MAX_RECORDS: Final = 10_000
"""Records of the keys that are read; LoadGen writes each of some hundred keys once or twice."""

MAX_SUMMARY: Final = 1 << 20

DETAIL_LATENCIES: Final = ("result_min_latency_ns", "result_max_latency_ns")
SUMMARY_LATENCIES: Final = ("Min latency (ns)", "Max latency (ns)")
"""What tells a run from all others, and gives no score."""

EARLY_STOPPING: Final = "early_stopping_result"
"""What early stopping says, in a detail log; the summary's lines of it are read under the same key."""
_ALWAYS_DETAIL: Final = (
    *DETAIL_LATENCIES,
    "effective_scenario", "effective_test_mode", "result_validity", "result_min_duration_met",
    "result_min_queries_met", "result_perf_constraints_met", "early_stopping_met", "power_begin", "power_end",
    "loadgen_version", EARLY_STOPPING,
)  # fmt: skip
_ALWAYS_SUMMARY: Final = (
    *SUMMARY_LATENCIES,
    "Scenario", "Mode", "Result is", "Performance constraints satisfied", "Min duration satisfied",
    "Min queries satisfied", "Early stopping satisfied",
)  # fmt: skip


class Fact(NamedTuple):
    """What a log says under a key: a number or text as written, `true` or `false`."""

    key: str
    text: str
    line: int


@dataclass(frozen=True)
class Log:
    """One log."""

    place: Place
    file: str
    form: Literal["detail", "summary"]
    facts: Mapping[str, Fact]
    """By key, in order of appearance; of a key that stands several times the first."""
    contradicted: Mapping[str, int]
    """Keys that stand a second time with another value, and the line."""
    is_old: bool
    """A detail log of v0.7, which holds no keys."""
    digest: str
    size: int

    def get(self, key: str) -> Fact | None:
        """What stands under a key."""
        return self.facts.get(key)

    def contradiction(self, fact: Fact) -> Problem | None:
        """What contradicts a fact further down."""
        line = self.contradicted.get(fact.key)
        if line is None:
            return None
        found = f'"{fact.key}" stands here a second time with another value than in line {fact.line}.'
        return Problem(Where(self.file, line), "contradictory-log", found, "The first was taken, as the checker does.")

    def where(self, fact: Fact | None = None) -> Where:
        """The place of a fact, or of the log."""
        return Where(self.file, None if fact is None else fact.line)


class _Facts:
    """Collects facts: the first of each key, and those that a later line contradicts."""

    def __init__(self) -> None:
        self.first: dict[str, Fact] = {}
        self.contradicted: dict[str, int] = {}
        self.damaged: dict[str, int] = {}
        self.records = 0
        """How many were looked at, damaged ones too."""

    def add(self, fact: Fact) -> None:
        """The first wins. Source: MLPerfLog / LoadgenParser `__getitem__`."""
        known = self.first.setdefault(fact.key, fact)
        if known.text != fact.text:
            self.contradicted.setdefault(fact.key, fact.line)

    def problems(self, file: str) -> Iterator[Problem]:
        """One problem for every damaged key."""
        for key, line in self.damaged.items():
            found = f'the record of "{key}" is damaged.'
            fix = "It was left out; copy the log again from where it was written."
            yield Problem(Where(file, line), "damaged-line", found, fix)


@functools.cache
def _record() -> re.Pattern[bytes]:
    wanted = {*log_rules().detail_keys, *rules().detail_keys, *_ALWAYS_DETAIL}
    keys = b"|".join(re.escape(key.encode()) for key in sorted(wanted))
    return re.compile(rb':::MLLOG\s{0,4}(\{\s{0,4}"key"\s{0,4}:\s{0,4}"(' + keys + rb')")')


@functools.cache
def _line() -> re.Pattern[bytes]:
    """A line of a summary, with or without what a launcher puts before each line (`0: `, `[node1] `)."""
    wanted = {*log_rules().summary_keys, *rules().summary_keys, *_ALWAYS_SUMMARY}
    keys = b"|".join(re.escape(key.encode()) for key in sorted(wanted))
    before = rb"^(?:\[?[\w.\-]{1,64}+\]?[:>|]? )??[ \t]*+(?:\* )?"
    return re.compile(before + rb"(" + keys + rb")[ \t]*+:[ \t]*+([^\r\n]*+)[ \t\r]*+$", re.MULTILINE)


_EARLY_STOPPING: Final = re.compile(
    rb"Only processed \d{1,12} queries\.[ \t\r]{0,4}\n[^\r\n]{0,80}\* Need to process at least \d{1,12} queries",
    re.ASCII,
)
_NO_RESULTS: Final = re.compile(rb"^(?:No|\d{1,9}) (?:warnings|errors?|ERRORS?) encountered", re.MULTILINE)
"""All that the summary of an accuracy run says."""


def _number(text: str) -> str:
    return text


_JSON: Final = json.JSONDecoder(
    parse_float=_number, parse_int=_number, parse_constant=_number, object_pairs_hook=unique
)


def read_detail(source: Source, place: Place) -> Iterator[Log | Problem]:
    """A `mlperf_log_detail.txt` of any size."""
    found, digest, size = _Facts(), hashlib.sha256(), 0
    held, line, record = b"", 1, _record()
    has_records = False
    for chunk in source.chunks():
        digest.update(chunk)
        size += len(chunk)
        held += chunk
        has_records = has_records or _TOKEN in held
        done = max(0, len(held) - RECORD - 64)  # what begins later is looked at again, whole
        _find(record, held, done, line, found)
        line += held.count(b"\n", 0, done)
        held = held[done:]
        if found.records > MAX_RECORDS:
            said = f"holds more than {MAX_RECORDS:,} records of keys that LoadGen writes once."
            yield Problem(Where(source.name, line), "too-many-faults", said, "The log was left out.")
            return
    _find(record, held, len(held), line, found)
    yield from found.problems(source.name)
    is_old = not has_records and re.match(rb'\s*"pid": \d+, "tid": \d+, "ts": ', source.head) is not None
    if not has_records and not is_old:
        yield _nothing(source, size)
    yield Log(place, source.name, "detail", found.first, found.contradicted, is_old,
              digest.hexdigest(), size)  # fmt: skip


def _find(record: re.Pattern[bytes], held: bytes, end: int, line: int, found: _Facts) -> None:
    """The records that begin before `end`."""
    counted = 0
    for match in record.finditer(held):
        if match.start() >= end:
            break
        line += held.count(b"\n", counted, match.start())
        counted = match.start()
        found.records += 1
        key = match[2].decode()
        begin = match.start(1)
        stop = held.find(b"\n", begin, begin + RECORD)
        rest = held[begin : stop if stop >= 0 else begin + RECORD].partition(_TOKEN)[0]
        try:
            said, _ = decoded(_JSON, rest.decode("utf-8", "replace"))
        except NotJson:
            said = None
        if not isinstance(said, dict) or "value" not in said:
            found.damaged.setdefault(key, line)
            continue
        found.add(Fact(key, _text(said["value"]), line))


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):  # halves of characters, which no encoding can write, as `\\ud800`
        return value.strip().encode("utf-8", "backslashreplace").decode()
    return json.dumps(value)


def read_summary(source: Source, place: Place) -> Iterator[Log | Problem]:
    """A `mlperf_log_summary.txt`."""
    text = source.read(MAX_SUMMARY + 1)
    if len(text) > MAX_SUMMARY:
        yield Problem(Where(source.name), "too-long", "is no summary: it has over a million bytes.", "It was left out.")
        return
    found, line, counted = _Facts(), 1, 0
    for match in _line().finditer(text):
        line += text.count(b"\n", counted, match.start(1))
        counted = match.start(1)
        key = match[1].decode()
        if match.end() == len(text) or b"\x00" in match[2]:  # cut short: LoadGen ends every line of ours
            found.damaged.setdefault(key, line)
        else:
            found.add(Fact(key, match[2].rstrip(b" \t").decode("utf-8", "replace"), line))
    if early := _EARLY_STOPPING.search(text):
        found.add(Fact(EARLY_STOPPING, early[0].decode("latin-1"), 1 + text.count(b"\n", 0, early.start())))
    yield from found.problems(source.name)
    if not found.first and _NO_RESULTS.search(text) is not None:
        said = "holds no results of performance, as the summary of an accuracy run."
        fix = "The result was left out. A score takes a run in mode PerformanceOnly."
        yield Problem(Where(source.name), "not-performance", said, fix)
    elif not found.first:
        yield _nothing(source, len(text))
    yield Log(place, source.name, "summary", found.first, found.contradicted, False,
              hashlib.sha256(text).hexdigest(), len(text))  # fmt: skip


def _nothing(source: Source, size: int) -> Problem:
    looks = "is empty" if size == 0 else "holds nothing but NUL bytes" if not source.head.strip(b"\x00") else None
    found = f"{looks or 'holds none of the lines that LoadGen writes'}."
    return Problem(Where(source.name), "empty-log", found, "Copy it again from where it was written.")
