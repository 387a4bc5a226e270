"""One training log as about a dozen numbers: the run's clock, how it ended, and what it converged with.

Nothing of the path is known here, and no score: a run's time counts only with its group (`training_score`).
"""

import re
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import chain
from typing import Final

import stringzilla as sz

from loaders import mll
from loaders.mllog import TOKEN, Block, Damaged, Event, blocks, events, last_line, line_start, read_line, wanted
from loaders.trees.training_paths import benchmark_of
from loaders.unpack import Source
from mlperf.errors import BrokenFile, Problem, Where
from mlperf.facts import facts

STRETCH: Final = 1 << 12
"""Bytes behind run_start and before run_stop that are read line by line at least."""

RECENT: Final = 4
"""Blocks kept until it is known whether the last evaluation stands in them."""

SHOWN_DAMAGES: Final = 3
"""Damaged lines of one log that get a Problem each; the rest are counted."""

SHOWN_BENCHMARKS: Final = 3
"""Of those that one log says it runs."""

MOST_DAMAGES: Final = 20
"""Damaged lines of one log that may have been the beginning or the end of the run and get a Problem each."""

_EVALUATED: Final = "eval_result"
"""What minigo of v0.6 logs last: the seconds from run_start to the first model that reached the target, which is found
after the run. Source: mlcommons/logging compliance_checker/training_0.6.0: minigo.yaml, score.yaml."""

_ACCURACY: Final = "eval_accuracy"
_EVALUATIONS: Final = (_ACCURACY, "eval_error")
"""What logs call an evaluation: HPC's CosmoFlow and OpenCatalyst state an error."""

MAX_DAMAGED: Final = 10_000
"""Damaged lines from which on a log is read no further: the most in a published one is 1, and each costs as much as
a thousand that are passed over."""

MAX_ENDS: Final = 100_000
"""Lines of run_start and run_stop, which each process of a run may write."""

_ENDS: Final = b"run_st"
"""What both ends of a run have in common, however their line may be damaged."""

_KEYS: Final = (
    *("run_start", "run_stop", "global_batch_size", "seed", "train_samples", "submission_benchmark", "eval_error"),
    *("number_of_nodes", "accelerators_per_node"),
)
_PATTERN: Final = wanted(_KEYS)
_OLD_KEYS: Final = frozenset({*_KEYS, _ACCURACY, _EVALUATED, "run_set_random_seed"})
_STATUSES: Final = {
    "success": "success",
    "abort": "aborted",
    "aborted": "aborted",
    "fail": "failed",
    "failed": "failed",
}
_TIME: Final = re.compile(
    rb':::MLLOG (?:\{"namespace": ?"[^"\r\n]{0,200}+", ?|[^\r\n]{0,200}?)"time_ms": ?([0-9]{10,16}(?:\.[0-9]+)?)'
)
_FAILED: Final = "It counts as a failed run; if the run ended well, load its whole log."


SHOWN_SEEDS: Final = 2000
"""Different seeds of one log that are kept with their place; logs of many processes have over a thousand."""


@dataclass(frozen=True, slots=True)
class Seed:
    """A seed, and the place in the training's own source that logged it."""

    value: int
    """Whole, as the official seed checker reads it: a seed of 1621232145.95 is 1621232145 to it."""
    origin: str
    """File and line of the source, as the log has them."""
    line: int
    """Of the log."""


@dataclass(frozen=True)
class RunLog:
    """What one `result_*.txt` says."""

    where: Where
    """The line of run_stop; of run_start where there is no stop."""
    status: str
    """As `mlperf.model.Run`."""
    started_ms: float | None
    stopped_ms: float | None
    benchmark: str | None
    """What the log claims to run."""
    global_batch_size: int | None
    seed: int | None
    """None where the log has several."""
    accuracy: float | None
    """What the last evaluation before run_stop found; None where that is not one number."""
    epoch_num: float | None
    """Of the last evaluation, whatever the benchmark counts by it."""
    samples_count: float | None
    train_samples: float | None
    seeds: tuple[Seed, ...] = ()
    """Every different one that was met, in order."""
    benchmark_line: int | None = None
    round: str | None = None
    """The round that alone has lines of this format; None for `:::MLLOG`, which all later ones have."""
    ended_by: str = "run_stop"
    """The key of the event that ended the run's time."""
    lacks: str | None = None
    """The key of the event that should have: its round scores the benchmark by it, and the log has none."""
    accelerators: int | None = None
    """Of the run: nodes times accelerators per node, a node without any as 1; HPC logs both."""
    error: float | None = None
    """As `accuracy`, of a log that states an error."""

    @property
    def minutes(self) -> float | None:
        """From run start to run stop."""
        if self.started_ms is None or self.stopped_ms is None:
            return None
        return (self.stopped_ms - self.started_ms) / 60000


@dataclass
class _Seen:
    """What has been met so far in a log."""

    starts: list[Event] = field(default_factory=list)
    stops: list[Event] = field(default_factory=list)
    batches: set[int] = field(default_factory=set)
    whole_seeds: set[int] = field(default_factory=set)
    seeds: dict[tuple[int, str], Seed] = field(default_factory=dict)
    benchmarks: dict[str, int] = field(default_factory=dict)
    """What the log claims to run, and the line."""
    train_samples: float | None = None
    nodes: int | None = None
    accelerators_per_node: int | None = None
    evaluation: Event | None = None
    last_evaluation: tuple[int, bytes] | None = None
    """The line of the last evaluation, not read yet."""
    has_token: bool = False
    beside: dict[int, tuple[float | None, float | None]] = field(default_factory=dict)
    """The times of the lines before and behind each run_start and run_stop, by its offset."""
    tail: bytes = b""
    """The end of the block before."""
    last_end: int | None = None
    """The offset of a run_start or run_stop that no line of its block stands behind."""
    read_to: int = 0
    """The place in the file up to which every line was read, while the run had not begun or had just begun."""
    damages: list[Damaged] = field(default_factory=list)
    damaged: int = 0
    round: str | None = None
    """As in `RunLog`."""
    result: Event | None = None
    """The event `eval_result`."""
    mixed_line: int | None = None
    """The first line that is of another format than the log."""

    @property
    def ends_by(self) -> str:
        """The key of the event that ends the run's time, by the rule of the round for what the log says it runs."""
        if self.round is None:
            return "run_stop"
        names = {benchmark.id for name in self.benchmarks if (benchmark := facts().benchmark("training", name, None))}
        if len(names) != 1:
            return _EVALUATED if self.result else "run_stop"
        rule = facts().score("training", self.round, names.pop(), None)
        return (rule.log_key if rule else None) or "run_stop"

    @property
    def is_hopeless(self) -> bool:
        """Whether there is too much of what no log has much of, so that the rest is not read."""
        return self.damaged > MAX_DAMAGED or len(self.starts) + len(self.stops) > MAX_ENDS

    @property
    def is_in_midst(self) -> bool:
        """Whether the run has begun, has said what it runs with, and has not stopped."""
        has_begun = bool(self.starts) and self.read_to - self.starts[-1].offset >= STRETCH
        return has_begun and bool(self.batches) and not self.stops

    def find_evaluation(self, block: Block) -> bool:
        """Whether a block has an evaluation before the run stopped; its last one is kept."""
        before = self.stops[0].offset if self.stops else None
        lines = [line for key in _EVALUATIONS if (line := last_line(block, key, before))]
        self.last_evaluation = max(lines, default=self.last_evaluation)
        return bool(lines)

    def look_behind(self, block: Block) -> None:
        """The time of the line behind an end of the run that ended the block before."""
        if self.last_end is not None:
            earlier, _ = self.beside[self.last_end]
            self.beside[self.last_end] = earlier, _time_at(block.data, block.data.find(TOKEN, 0, block.end))
            self.last_end = None

    def read_evaluation(self) -> None:
        """Make an event of the last evaluation, unless a later one has been read."""
        if self.last_evaluation is None:
            return
        offset, text = self.last_evaluation
        for item in read_line(text, 0, offset):
            later = self.evaluation is None or offset > self.evaluation.offset
            if isinstance(item, Event) and item.key in _EVALUATIONS and later:
                self.evaluation = item

    def take(self, event: Event) -> None:
        """Keep what is needed of one event."""
        value = event.value
        if event.key == "run_start" and not self.stops:
            self.starts.append(event)
        elif event.key == "run_start":
            self.starts = self.starts or [event]
        elif event.key == "run_stop":
            self.stops.append(event)
        elif event.key in _EVALUATIONS and not self.stops:
            self.evaluation = event
        elif event.key == "train_samples":
            self.train_samples = _number(value)
        elif event.key == "number_of_nodes" and self.nodes is None:
            self.nodes = _whole(value)
        elif event.key == "accelerators_per_node" and self.accelerators_per_node is None:
            self.accelerators_per_node = _whole(value)
        elif event.key == "submission_benchmark" and isinstance(value, str):
            self.benchmarks.setdefault(value[:100], event.line)
        elif event.key == _EVALUATED:
            self.result = event
        elif event.key in {"global_batch_size", "seed"}:
            self._take_whole(event)

    def take_damage(self, item: Damaged) -> None:
        """Keep a damaged line, and what could be read of it."""
        self.damaged += 1
        if len(self.damages) < SHOWN_DAMAGES or item.key in {"run_start", "run_stop", None}:
            self.damages = [*self.damages, item][:MOST_DAMAGES]
        if item.event is not None:
            self.take(item.event)

    def _take_whole(self, event: Event) -> None:
        """Keep a batch size or a seed."""
        whole, kept = _whole(event.value), self.whole_seeds if event.key == "seed" else self.batches
        if whole is not None and len(kept) < 2:  # one is taken, two are too many
            kept.add(whole)
        number = _number(event.value)
        if event.key == "seed" and number is not None and len(self.seeds) < SHOWN_SEEDS:
            value = int(number) if whole is None else whole
            origin = f"{event.metadata.get('file', '')}:{event.metadata.get('lineno', '')}"[:300]
            self.seeds.setdefault((value, origin), Seed(value, origin, event.line))


def read_log(source: Source) -> Iterator[RunLog | Problem]:
    """The run of one log, and a `Problem` for everything in it that is damaged, missing or contradictory."""
    seen = _Seen()
    broken: BrokenFile | None = None
    try:
        _scan(source, seen)
    except BrokenFile as fault:
        broken = fault
    if broken is not None:
        yield Problem(Where(source.name), "broken-file", broken.found, _FAILED)
    yield from _damage_problems(source.name, seen)
    if len({benchmark_of(name) or name for name in seen.benchmarks}) > 1:
        second = [*seen.benchmarks.values()][1]
        claimed = ", ".join(f"{name!r} (line {line})" for name, line in [*seen.benchmarks.items()][:SHOWN_BENCHMARKS])
        fix = "The folder's name decides; check that all of the log is of one run."
        yield Problem(Where(source.name, second), "several-benchmarks", f"the log says that it runs {claimed}.", fix)
    problems: list[Problem] = []
    status, start, stop = _ending(source.name, seen, problems)
    if broken is not None or seen.is_hopeless:
        status = "unreadable"
    yield from problems
    last = seen.evaluation
    line = stop.line if stop else start.line if start else None
    yield RunLog(
        where=Where(source.name, line),
        status=status,
        started_ms=start.time_ms if start else None,
        stopped_ms=stop.time_ms if stop else None,
        benchmark=next(iter(seen.benchmarks)) if len(seen.benchmarks) == 1 else None,
        global_batch_size=_only(seen.batches),
        seed=_only(seen.whole_seeds),
        accuracy=_number(last.value) if last and last.key == _ACCURACY else None,
        epoch_num=_number(last.metadata.get("epoch_num")) if last else None,
        samples_count=_number(last.metadata.get("samples_count")) if last else None,
        train_samples=seen.train_samples,
        seeds=tuple(seen.seeds.values()),
        benchmark_line=next(iter(seen.benchmarks.values())) if len(seen.benchmarks) == 1 else None,
        round=seen.round,
        ended_by=seen.ends_by,
        lacks=seen.ends_by if stop is None and seen.ends_by != "run_stop" else None,
        accelerators=_instance_size(seen),
        error=_number(last.value) if last and last.key != _ACCURACY else None,
    )


def _instance_size(seen: _Seen) -> int | None:
    """Accelerators of the run; None where the log does not say.

    Source: mlcommons/logging result_summarizer: _query_instance_scale.
    """
    if seen.nodes is None or seen.accelerators_per_node is None:
        return None
    return seen.nodes * max(seen.accelerators_per_node, 1)


def _scan(source: Source, seen: _Seen) -> None:
    """Read the whole log, in the format of its first event."""
    stream = blocks(source)
    for block in stream:
        is_old = mll.is_old(block.data)
        if is_old is not None:
            rest = chain((block,), stream)
            return _scan_old(rest, seen) if is_old else _scan_new(rest, source, seen)
    return None


def _scan_old(stream: Iterable[Block], seen: _Seen) -> None:
    """Read every line of a log of v0.6. The run's time ends where the rule of its benchmark says."""
    seen.has_token, seen.round = True, mll.ROUND
    earlier: float | None = None
    for block in stream:
        if seen.mixed_line is None and (place := sz.find(block.data, TOKEN, 0, block.end)) >= 0:
            seen.mixed_line = block.line_at(place)
        for item in mll.events(block, _OLD_KEYS):
            if seen.is_hopeless:
                return
            if isinstance(item, Damaged):
                seen.take_damage(item)
                continue
            if seen.last_end is not None:
                seen.beside[seen.last_end] = seen.beside[seen.last_end][0], item.time_ms
                seen.last_end = None
            if item.key in {"run_start", "run_stop"}:
                seen.beside[item.offset], seen.last_end = (earlier, None), item.offset
            value = mll.number(item.value) if item.key == _ACCURACY else item.value
            key = "seed" if item.key == "run_set_random_seed" else item.key
            seen.take(item._replace(key=key, value=value))
            earlier = item.time_ms
    if seen.ends_by == _EVALUATED and seen.result:
        seen.stops = [_evaluated(seen.starts[-1] if seen.starts else None, seen.result)]
    elif seen.ends_by == _EVALUATED:
        seen.stops = [stop for stop in seen.stops if stop.metadata.get("status") != "success"]


def _evaluated(start: Event | None, result: Event) -> Event:
    """The end of a run as an `eval_result` tells it: a `timestamp` of 0 means that no model reached the target."""
    seconds = _number(result.metadata.get("timestamp"))
    if seconds == 0:
        return result._replace(metadata={"status": "fail"})
    begin = start.time_ms if start else None
    time = None if seconds is None or begin is None else begin + seconds * 1000
    return result._replace(time_ms=time, metadata={"status": "success"})


def _scan_new(stream: Iterable[Block], source: Source, seen: _Seen) -> None:
    """Read a log of `:::MLLOG`: every line until the run has begun, and from shortly before run_stop on.

    Between them may lie megabytes of progress that no score hangs on: there only the ends of the run are sought, and
    the last evaluation from behind. A log that turns out to miss its end is read again, every line.
    """
    skipped: Block | None = None
    has_skipped = False
    recent: deque[Block] = deque(maxlen=RECENT)
    for block in stream:
        had_stopped = bool(seen.stops)
        seen.look_behind(block)
        at = 0
        while at < block.end and not seen.is_in_midst:
            if seen.is_hopeless:
                return
            first = at if seen.starts else sz.find(block.data, _ENDS, at, block.end)
            at = _take(block, seen, at, first + STRETCH if first >= 0 else block.end)
            seen.read_to = block.offset + at
        if at < block.end and (found := sz.find(block.data, _ENDS, at, block.end)) < 0:
            skipped, has_skipped = block, True
        elif at < block.end:
            if skipped is not None and found < STRETCH:
                _take(skipped, seen, line_start(skipped, max(0, skipped.end - STRETCH)), skipped.end)
            skipped = None
            _take(block, seen, max(at, line_start(block, max(0, found - STRETCH))), block.end)
        seen.tail = block.data[max(0, block.end - STRETCH) : block.end]
        if seen.starts and not had_stopped:
            if len(recent) == RECENT:
                seen.find_evaluation(recent[0])
            recent.append(block)
    while recent and not seen.find_evaluation(recent.pop()):
        continue
    seen.read_evaluation()
    if has_skipped and not seen.stops and source.container.kind != "tar":  # a long member of a tar cannot be reopened
        whole = _Seen()
        for block in blocks(source):
            _take(block, whole, 0, block.end)
            if whole.is_hopeless:
                break
        seen.damages, seen.damaged = whole.damages, whole.damaged


def _take(block: Block, seen: _Seen, start: int, end: int) -> int:
    """Take every line that says something of the run, or is damaged; where the last of these lines ends."""
    data, end = block.data, min(end, block.end)
    if end < block.end:
        end = data.find(b"\n", end, block.end) + 1 or block.end
    if seen.mixed_line is None:
        seen.mixed_line = mll.first_line(block, start, end)
    first = sz.find(data, TOKEN, start, end)
    if first < 0:
        return end
    seen.has_token = True
    for item in events(block, _PATTERN, first, end):
        if seen.is_hopeless:
            break
        if isinstance(item, Event):
            seen.take(item)
            if item.key in {"run_start", "run_stop"}:
                place = item.offset - block.offset
                before, behind = data.rfind(TOKEN, 0, place), data.find(TOKEN, place + 1, block.end)
                earlier = _time_at(data, before) if before >= 0 else _time_at(seen.tail, seen.tail.rfind(TOKEN))
                seen.beside[item.offset] = earlier, _time_at(data, behind)
                seen.last_end = item.offset if behind < 0 else None
            continue
        seen.take_damage(item)
    return end


def _time_at(data: bytes, place: int) -> float | None:
    """The time of the event that begins here."""
    found = _TIME.match(data, place) if place >= 0 else None
    return float(found[1]) if found else None


def _damage_problems(name: str, seen: _Seen) -> Iterator[Problem]:
    for item in seen.damages:
        said = f"the event {item.key!r}" if item.key else "an event whose key cannot be told"
        if item.event is not None:
            lost = "Its time and what else stands whole was read."
        elif item.key in {"run_start", "run_stop"}:
            lost = "Its time is lost."
        else:
            lost = "The line was left out."
        fix = f"{lost} A strict reader refuses the whole log, so a published score may lack this run."
        yield Problem(Where(name, item.line), "damaged-line", f"{said} is damaged: {item.found}.", fix)
    if seen.is_hopeless:
        found = f"more than {MAX_DAMAGED:,} lines of the log are damaged, or {MAX_ENDS:,} are ends of a run."
        yield Problem(Where(name), "too-many-faults", found, f"The rest was not read. {_FAILED}")
    elif seen.damaged > len(seen.damages):
        more = seen.damaged - len(seen.damages)
        yield Problem(Where(name), "damaged-line", f"{more:,} more lines of the log are damaged.", "")


def _ending(name: str, seen: _Seen, problems: list[Problem]) -> tuple[str, Event | None, Event | None]:
    """How the run ended, and its clock: the last start before the first stop.

    Source: mlcommons/logging result_summarizer: _query_run_start_stop.
    """
    start = seen.starts[-1] if seen.starts else None
    stop = seen.stops[0] if seen.stops else None

    def report(kind: str, found: str, line: int | None = None, fix: str = _FAILED) -> None:
        problems.append(Problem(Where(name, line), kind, found, fix))

    if not seen.has_token:
        report("empty-log", "the log holds no line with ':::MLLOG', nor with ':::MLL' as in v0.6.")
        return "empty", None, None
    for what, events_ in (("run_start", seen.starts), ("run_stop", seen.stops)):
        times = dict.fromkeys(event.time_ms for event in events_)
        if len(times) > 1:
            fix = "The last run_start before the first run_stop was taken, as the official tool does."
            report("several-runs", f"the log has {len(times)} different {what}.", events_[1].line, fix)
    if seen.mixed_line is not None:
        found = "the log holds lines of ':::MLLOG' and of v0.6, which are two logs."
        report(
            "mixed-formats", found, seen.mixed_line, "Those of its first event were read; check that it is of one run."
        )
    if stop is None and seen.ends_by == _EVALUATED:
        found = f"the log has no {_EVALUATED}, which alone tells when its run reached the target."
        report("unfinished-run", found, fix="The run has no time to train. Load the whole log.")
        return "unreadable", start, None
    if stop is None:
        may_be = any(item.key in {None, "run_stop"} for item in seen.damages)
        report("unfinished-run", "the log has no run_stop" + (" that can be read." if may_be else "."))
        return ("unreadable" if may_be else "unfinished"), start, None
    if start is None:
        report("no-run-start", "the log has no run_start that can be read.")
        return "unreadable", None, stop
    return _judged(start, stop, seen, report), start, stop


def _judged(start: Event, stop: Event, seen: _Seen, report: Callable[..., None]) -> str:
    """The status of a run that has both ends."""
    raw = stop.metadata.get("status")
    status = _STATUSES.get(raw.strip().lower()) if isinstance(raw, str) else None
    if start.time_ms is None or stop.time_ms is None:
        report("no-time", "run_start or run_stop has no time_ms.", start.line)
        return "unreadable"
    if not 0 < stop.time_ms - start.time_ms < _LONGEST_MS:
        report(
            "bad-times", f"run_stop is {(stop.time_ms - start.time_ms) / 60000:g} minutes after run_start.", stop.line
        )
        return "unreadable"
    if status is None:
        report("unknown-status", f"run_stop has the status {str(raw)[:40]!r}.", stop.line)
        return "unreadable" if raw is None else "failed"
    for found, line in _contradictions(start, stop, seen):
        report("bad-times", found, line, "The times of run_start and run_stop were taken; check them.")
    return status


def _contradictions(start: Event, stop: Event, seen: _Seen) -> Iterator[tuple[str, int]]:
    """What in the log speaks against the times of a run's ends, and on which line of them.

    Of 20,731 published runs none begins after the line behind run_start, one before the line before it, and 20 have
    their last line before run_stop a tenth of the run before it. One in twenty has it after run_stop, which tells
    nothing.
    """
    assert start.time_ms is not None
    assert stop.time_ms is not None
    last = seen.evaluation.time_ms if seen.evaluation else None
    if last is not None and last < start.time_ms:
        yield "an evaluation is dated before run_start.", start.line
    if last is not None and last > stop.time_ms + _LATE_MS and not _is_evaluated_offline(seen):
        yield "the evaluation before run_stop is dated after it.", stop.line
    before, behind = seen.beside.get(start.offset, (None, None))
    if before is not None and before > start.time_ms + _LATE_MS:
        yield "the line before run_start is dated after it.", start.line
    if behind is not None and behind < start.time_ms - _LATE_MS:
        yield "the line behind run_start is dated before it.", start.line
    before, _ = seen.beside.get(stop.offset, (None, None))
    if before is not None and start.time_ms < before < stop.time_ms - _LATE_STOP * (stop.time_ms - start.time_ms):
        minutes = (stop.time_ms - before) / 60000
        share = (stop.time_ms - before) / (stop.time_ms - start.time_ms)
        yield f"run_stop is dated {minutes:.4g} minutes after the line before it, {share:.0%} of the run.", stop.line


def _is_evaluated_offline(seen: _Seen) -> bool:
    """Whether all that the log says it runs evaluates apart from the run."""
    claimed = [benchmark_of(name) for name in seen.benchmarks]
    return bool(claimed) and all(benchmark is not None and benchmark.is_evaluated_offline for benchmark in claimed)


_LATE_MS: Final = 1000
"""Several processes write one log, so that lines may stand in another order than their times, by less than this."""

_LATE_STOP: Final = 0.1
"""Of the run."""

_LONGEST_MS: Final = 366 * 86_400_000
"""No run takes a year: a longer one has a damaged time."""


def _number(value: object) -> float | None:
    """A finite number of bearable size."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < 2**63:
        return None
    return float(value)


def _whole(value: object) -> int | None:
    """A whole number that a database can hold."""
    if not isinstance(value, int | float) or _number(value) is None or value != int(value):
        return None
    return int(value) if abs(value) < 1 << 63 else None


def _only(values: set[int]) -> int | None:
    """The one value that was logged; None for none and for several."""
    return next(iter(values)) if len(values) == 1 else None
