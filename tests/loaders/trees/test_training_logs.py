"""Training logs as they are found: prefixed, interleaved, cut, coloured, empty. Each documented case is a test."""

import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest

from loaders.trees.training_log import RunLog, read_log
from loaders.unpack import Source, sources
from mlperf.errors import Problem
from tests.loaders.trees.making_training import START, event, log, log_lines

Read = Callable[[str | bytes], tuple[RunLog, list[Problem]]]


@pytest.fixture
def read(tmp_path: Path) -> Read:
    """The run in a log of this content, and the Problems."""

    def made(content: str | bytes) -> tuple[RunLog, list[Problem]]:
        path = tmp_path / "result_0.txt"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        (source,) = sources(path)
        assert isinstance(source, Source)
        items = list(read_log(source))
        (run,) = [item for item in items if isinstance(item, RunLog)]
        return run, [item for item in items if isinstance(item, Problem)]

    return made


def test_a_plain_log_gives_its_run(read: Read) -> None:
    run, problems = read(log(12.5))
    assert problems == []
    assert (run.status, run.minutes, run.benchmark) == ("success", 12.5, "rnnt")
    assert (run.global_batch_size, run.seed, run.epoch_num) == (2048, 77, 59)
    assert (run.started_ms, run.where.line) == (START, 11)


@pytest.mark.parametrize(
    "prefix",
    [
        " 0: ",
        "[0] ",
        "[1,0]<stdout>:",
        "I0617 12:00:00.000000 140 mlp_log.py:80] ",
        "Epoch 3:  45%|####5     | 3.11it/s]",
        "\x02d\x00\x80",
        "\x1b[32m",
        "progress 1\rprogress 2\r",
        "{G::MLLOG ::MLLOG {",
    ],
)
def test_the_token_may_stand_anywhere_in_its_line(read: Read, prefix: str) -> None:
    lines = [prefix + line if ":::MLLOG" in line else line for line in log_lines(12.5)]
    run, problems = read(("\n".join(lines) + "\n").encode("latin-1"))
    assert (run.status, run.minutes, run.epoch_num, problems) == ("success", 12.5, 59, [])
    assert run.where.line == 11


@pytest.mark.parametrize("end", ["\r\n", "\r\r\n", "\r"])
def test_lines_may_end_in_any_way(read: Read, end: str) -> None:
    run, problems = read(end.join(log_lines(12.5)))
    assert (run.status, run.minutes, run.epoch_num, problems) == ("success", 12.5, 59, [])
    assert run.where.line == (1 if end == "\r" else 11)


def test_colours_around_an_event_are_no_fault(read: Read) -> None:
    lines = [f"\x1b[36m{line}\x1b[0m" for line in log_lines(12.5)]
    run, problems = read("\n".join(lines))
    assert (run.minutes, run.seed, problems) == (12.5, 77, [])


def test_bytes_that_are_not_utf_8_are_no_fault(read: Read) -> None:
    content = log(12.5).replace("echo", "\xe9ch\xf6").replace("train.py", "tr\xe4in.py").encode("latin-1")
    run, problems = read(content)
    assert (run.minutes, problems) == (12.5, [])


def test_other_spacing_and_order_of_the_json_are_no_fault(read: Read) -> None:
    stop = f':::MLLOG {{"metadata":{{"status":"success"}},"key":"run_stop","time_ms":{START + 600000}}}'
    run, problems = read("\n".join([*log_lines(10, status=None), stop]))
    assert (run.status, run.minutes, problems) == ("success", 10, [])


def test_two_writers_on_one_line_cost_that_line_only_and_are_reported(read: Read) -> None:
    broken = event("opt_name", "adamw").replace('"adamw", "metadata": {"file": "/w', '"adamw"Lambda')
    broken = broken.replace(', "metadata": {', "Lambda")
    run, problems = read(log(12.5).replace(event("opt_name", "adamw", 1), broken))
    assert (run.status, run.minutes) == ("success", 12.5)
    assert [(problem.kind, problem.where.line) for problem in problems] == [("damaged-line", 7)]
    assert "'opt_name'" in problems[0].found
    assert "strict reader" in problems[0].fix


@pytest.mark.parametrize("key", ["run_start", "run_stop"])
def test_an_end_of_the_run_whose_head_stands_whole_still_counts_and_is_reported(read: Read, key: str) -> None:
    lines = log_lines(12.5)
    at = next(number for number, line in enumerate(lines) if f'"{key}"' in line)
    lines[at] = lines[at].replace('"lineno": 1', '"linenLambda: 1')
    run, problems = read("\n".join(lines))
    assert (run.status, run.minutes) == ("success", 12.5)
    assert [(problem.kind, problem.where.line) for problem in problems] == [("damaged-line", at + 1)]


@pytest.mark.parametrize("between", ["\0" * 300, ""])
def test_a_line_that_swallowed_the_head_of_the_next_is_told_and_its_time_is_not_the_others(
    read: Read, between: str
) -> None:
    """What is left of both is valid JSON to a lenient reader, with the time of one and the key of the other."""
    lines = log_lines(12.5)
    at = next(number for number, line in enumerate(lines) if '"run_start"' in line)
    head, tail = lines[at - 1].partition('"init_st')[0] + '"init_st', lines[at].partition('", "key"')
    lines[at - 1 : at + 1] = [f"{head}{between}{tail[1]}{tail[2]}"]
    run, problems = read("\n".join(lines))
    assert (run.status, run.minutes) == ("unreadable", None)
    assert ("damaged-line", at) in [(problem.kind, problem.where.line) for problem in problems]


@pytest.mark.parametrize("depth", [10, 900, 980, 990, 995, 1100])
def test_an_event_nested_deeply_is_damaged_and_no_error(read: Read, depth: int) -> None:
    nested = '{"a":' * depth + "1" + "}" * depth
    run, problems = read(log(12.5) + f':::MLLOG {{"key": "seed", "key": "run_stop", "metadata": {nested}}}\n')
    assert (run.status, run.minutes) == ("success", 12.5)
    assert [problem.kind for problem in problems] == ["damaged-line"]


def test_a_status_that_stands_twice_is_told(read: Read) -> None:
    run, problems = read(log(12.5).replace('"status": "success"', '"status": "aborted", "status": "success"'))
    assert run.minutes == 12.5
    assert [problem.kind for problem in problems] == ["damaged-line"]


def test_an_end_of_the_run_that_lost_its_time_is_not_guessed(read: Read) -> None:
    run, problems = read(log(12.5).replace(f'"time_ms": {START + 750000}', f'"time_ms": {START // 1000}Lambda'))
    assert run.status == "unreadable"
    assert run.minutes is None
    assert {problem.kind for problem in problems} == {"damaged-line", "unfinished-run"}


@pytest.mark.parametrize("key", ["run_start", "run_stop"])
def test_two_events_on_one_line_are_both_read_and_reported(read: Read, key: str) -> None:
    text = log(12.5)
    line = next(line for line in text.splitlines() if f'"{key}"' in line)
    run, problems = read(text.replace(line, line + event("opt_name", "adamw", 2)))
    assert (run.status, run.minutes) == ("success", 12.5)
    assert [problem.kind for problem in problems] == ["damaged-line"]


def test_a_killed_run_is_unfinished(read: Read) -> None:
    run, problems = read(log(12.5, status=None))
    assert (run.status, run.minutes, run.stopped_ms) == ("unfinished", None, None)
    assert [problem.kind for problem in problems] == ["unfinished-run"]


def test_a_run_without_run_start_is_unreadable(read: Read) -> None:
    run, problems = read("\n".join(line for line in log_lines(12.5) if "run_start" not in line))
    assert (run.status, run.minutes) == ("unreadable", None)
    assert [problem.kind for problem in problems] == ["no-run-start"]


@pytest.mark.parametrize("content", [b"", b"\n\n", b"Traceback: killed\n", b"\0" * 300_000, b":::MLLO {}\n"])
def test_a_log_without_the_token_is_empty(read: Read, content: bytes) -> None:
    run, problems = read(content)
    assert (run.status, run.minutes) == ("empty", None)
    assert [problem.kind for problem in problems] == ["empty-log"]


@pytest.mark.parametrize(
    "written, status", [("abort", "aborted"), ("aborted", "aborted"), ("fail", "failed"), ("failed", "failed")]
)
def test_a_run_that_did_not_converge_keeps_its_time(read: Read, written: str, status: str) -> None:
    run, problems = read(log(12.5, written))
    assert (run.status, run.minutes, problems) == (status, 12.5, [])


def test_an_unknown_status_is_a_failure_and_reported(read: Read) -> None:
    run, problems = read(log(12.5, "succes\\"))
    assert run.status == "failed"
    assert [problem.kind for problem in problems] == ["unknown-status"]


@pytest.mark.parametrize("time", ["0.0", "null", '"soon"', "NaN", "true"])
def test_a_run_without_a_time_is_unreadable(read: Read, time: str) -> None:
    run, problems = read(log(12.5).replace(f'"time_ms": {START}, "event_type": "INTERVAL_START"', f'"time_ms": {time}'))
    assert run.status == "unreadable"
    assert problems


def test_seconds_in_place_of_milliseconds_are_not_guessed(read: Read) -> None:
    run, problems = read(log(12.5).replace("time_ms", "time_s"))  # training v0.7, Alibaba
    assert run.status == "unreadable"
    assert [problem.kind for problem in problems] == ["no-time"]


def test_many_seeds_are_none(read: Read) -> None:
    run, _ = read("\n".join([*log_lines(), *(event("seed", number) for number in range(1280))]))
    assert run.seed is None


def test_no_seed_and_no_batch_size_are_none(read: Read) -> None:
    run, problems = read("\n".join(line for line in log_lines() if "seed" not in line and "batch" not in line))
    assert (run.seed, run.global_batch_size, run.minutes, problems) == (None, None, 10, [])


@pytest.mark.parametrize("number", ["1e400", "NaN", "9" * 400, "9" * 5000, "true", "[1]", '"7"'])
def test_numbers_that_make_no_sense_are_none(read: Read, number: str) -> None:
    run, _ = read(log(10).replace('"seed", "value": 77', f'"seed", "value": {number}').replace("2048", number))
    assert (run.seed, run.global_batch_size, run.minutes) == (None, None, 10)


def test_a_seed_keeps_all_its_digits(read: Read) -> None:
    run, _ = read(log(10).replace('"seed", "value": 77', f'"seed", "value": {2**62 + 1}'))
    assert run.seed == 2**62 + 1


def test_an_accuracy_may_be_an_object(read: Read) -> None:
    lines = log_lines()
    lines[-2] = event("eval_accuracy", {"BBOX": 0.37, "SEGM": 0.34}, 599_000, epoch_num=14)
    run, problems = read("\n".join(lines))
    assert (run.epoch_num, problems) == (14, [])


def test_a_run_of_less_than_a_minute_keeps_its_milliseconds(read: Read) -> None:
    run, _ = read(log(0.23456666666))
    assert run.minutes == pytest.approx(0.2345666, abs=1e-4)
    assert run.stopped_ms is not None
    assert run.stopped_ms % 1000


def test_the_last_start_before_the_first_stop_counts(read: Read) -> None:
    lines = [event("run_start", None, 1000), *log_lines(10), event("run_stop", None, 9_000_000, status="success")]
    run, problems = read("\n".join(lines))
    assert run.minutes == 10
    assert [problem.kind for problem in problems] == ["several-runs", "several-runs"]


def test_lines_that_stand_twice_change_nothing(read: Read) -> None:
    run, problems = read("\n".join(line for line in log_lines(12.5) for _ in range(2)))
    assert (run.minutes, problems) == (12.5, [])


def test_a_clock_that_runs_backwards_is_reported(read: Read) -> None:
    run, problems = read(log(-3))
    assert run.status == "unreadable"
    assert [problem.kind for problem in problems][-1] == "bad-times"


@pytest.mark.parametrize(
    "at, found",
    [
        ({"before": 2000}, "the line before run_start is dated after it"),
        ({"behind": -2000}, "the line behind run_start is dated before it"),
        ({"last": 240_000}, "run_stop is dated 6 minutes after the line before it, 60% of the run"),
        ({}, None),
    ],
)
def test_lines_beside_the_ends_of_a_run_that_contradict_their_times_are_reported(
    read: Read, at: dict[str, int], found: str | None
) -> None:
    lines = [
        event("init_stop", None, at.get("before", 0)), event("run_start", None, 0),
        event("epoch_start", None, at.get("behind", 5)), event("epoch_stop", None, at.get("last", 599_000)),
        event("run_stop", None, 600_000, status="success"),
    ]  # fmt: skip
    run, problems = read("\n".join([*lines, ""]))
    assert run.minutes == 10
    told = [problem.found for problem in problems if problem.kind == "bad-times"]
    assert told == ([] if found is None else [f"{found}."])


@pytest.mark.parametrize(
    "benchmarks, kinds",
    [
        ([], ["bad-times"]),
        (["bert"], ["bad-times"]),
        (["minigo"], []),
        (["stable_diffusion"], []),
        (["stable_diffusion", "bert"], ["several-benchmarks", "bad-times"]),
    ],
)
def test_an_evaluation_after_the_run_is_told_where_it_belongs_to_the_run(
    read: Read, benchmarks: list[str], kinds: list[str]
) -> None:
    lines = [
        *[event("submission_benchmark", name, -5) for name in benchmarks], event("run_start", None, 0),
        event("eval_accuracy", 0.5, 660_000, epoch_num=3), event("run_stop", None, 600_000, status="success"),
    ]  # fmt: skip
    run, problems = read("\n".join([*lines, ""]))
    assert (run.minutes, [problem.kind for problem in problems]) == (10, kinds)


def test_a_log_that_says_it_runs_several_benchmarks_says_where(read: Read) -> None:
    names = [event("submission_benchmark", name, -5) for name in ("rnnt", "bert")]
    run, problems = read("\n".join([*names, *log_lines(10), ""]))
    assert (run.benchmark, run.minutes) == (None, 10)
    assert "'rnnt' (line 1), 'bert' (line 2)" in problems[0].found


def padded(minutes: float, status: str | None = "success") -> list[str]:
    """A log of some megabytes: thousands of lines between the ends of the run."""
    lines = log_lines(minutes, status)
    middle = [event("tracked_stats", {"throughput": number}, 10, epoch_num=1) for number in range(20_000)]
    at = next(number for number, line in enumerate(lines) if "eval_accuracy" in line)
    return [*lines[:at], *middle, *lines[at:]]


def test_a_long_log_is_read_as_a_short_one_with_the_lines_that_an_editor_shows(read: Read) -> None:
    run, problems = read("\n".join(padded(12.5)))
    assert (run.minutes, run.seed, run.epoch_num, run.where.line, problems) == (12.5, 77, 59, 20_011, [])


def test_a_damaged_end_in_a_long_log_is_found(read: Read) -> None:
    lines = padded(12.5)
    lines[-1] = lines[-1].replace('"key": "run_stop", "value": null', '"key": "run_stLambda')
    run, problems = read("\n".join([*lines, *padded(1, None)[7:]]))
    assert run.status == "unreadable"
    assert ("damaged-line", 20_011) in [(problem.kind, problem.where.line) for problem in problems]


def test_a_line_without_end_takes_bounded_memory(read: Read) -> None:
    content = log(12.5, None).encode() + b"x" * (24 << 20) + log_lines(12.5)[-1].encode()
    tracemalloc.start()
    run, _ = read(content)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert run.minutes == 12.5
    assert peak < 8 << 20
