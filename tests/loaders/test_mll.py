"""The lines of training v0.6: each documented shape is an event, whatever else is told with its line."""

from pathlib import Path

import pytest

from loaders import mll
from loaders.mllog import Damaged, Event, blocks
from loaders.unpack import Source, sources

KEYS = frozenset({"run_start", "run_stop", "eval_accuracy", "global_batch_size"})
STOP = ':::MLL 1560722749.842 run_stop: {"value": null, "metadata": {"status": "success", "lineno": 491}}'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path


def read(folder: Path, text: str | bytes) -> list[Event | Damaged]:
    path = folder / "result_0.txt"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    (source,) = sources(path)
    assert isinstance(source, Source)
    return [item for block in blocks(source) for item in mll.events(block, KEYS)]


def test_a_line_is_an_event_with_its_time_in_milliseconds(folder: Path) -> None:
    (event,) = read(folder, "progress\n" + STOP + "\n")
    assert event == Event(2, 9, "run_stop", 1560722749842.0, None, {"status": "success", "lineno": 491})


@pytest.mark.parametrize("prefix", ["[1,3]<stdout>:", "Binding:", "/wo", "n", "\x1b[32m", "progress 1\r"])
def test_a_line_may_begin_with_something_else(folder: Path, prefix: str) -> None:
    (event,) = read(folder, prefix + STOP)
    assert isinstance(event, Event)
    assert (event.line, event.offset, event.metadata["status"]) == (1, len(prefix), "success")


def test_metadata_as_python_writes_it_is_read(folder: Path) -> None:
    """All logs of Intel's in v0.6 have it so."""
    text = """:::MLL 1560875622.040346 run_stop: {"value": null, "metadata": {'lineno': 53, 'status': 'success'}}"""
    (event,) = read(folder, text)
    assert isinstance(event, Event)
    assert (event.time_ms, event.metadata) == (1560875622040.346, {"lineno": 53, "status": "success"})


def test_a_key_that_nobody_asks_for_gives_its_time_alone(folder: Path) -> None:
    (event,) = read(folder, ":::MLL 1560873515.984077135 cache_clear: {value: true, metadata: {lineno: 0}}")
    assert event == Event(1, 0, "cache_clear", 1560873515984.077, None, {})


@pytest.mark.parametrize(
    "text, value, metadata",
    [
        ('run_stop: {"success": true}', None, {"status": "success"}),
        ('run_stop: {"success": false}', None, {"status": "aborted"}),
        ('eval_accuracy: {"epoch": 13, "value": 0.38}', 0.38, {"epoch_num": 13}),
        ("global_batch_size: 208", 208, {}),
        ("run_start", None, {}),
    ],
)
def test_a_line_of_older_loggers_is_an_event(
    folder: Path, text: str, value: object, metadata: dict[str, object]
) -> None:
    (event,) = read(folder, f":::MLPv0.6.0 maskrcnn 1559084034.887276888 (/w/mlperf_logger.py:40) {text}")
    assert isinstance(event, Event)
    assert (event.key, event.time_ms, event.value) == (text.split(":")[0], 1559084034887.277, value)
    assert event.metadata == {"file": "/w/mlperf_logger.py", "lineno": 40, "benchmark": "maskrcnn", **metadata}


def test_events_of_several_writers_on_one_line_are_each_read(folder: Path) -> None:
    start = ':::MLL 1560722631.935 run_start: {"value": null, "metadata": {}}'
    first, second = read(folder, start + STOP)
    assert isinstance(first, Damaged)
    assert first.event == Event(1, 0, "run_start", 1560722631935.0, None, {})
    assert isinstance(second, Event)
    assert (second.key, second.offset) == ("run_stop", len(start))


@pytest.mark.parametrize(
    "text, key",
    [
        (":::MLL 1560722749.842 run_stop", None),
        (":::MLL 15607227.49.842 run_stop: {}", "run_stop"),
        (":::MLL now run_stop: {}", "run_stop"),
        (':::MLL 1560722749.842 run_stop: {"value": null, "met', "run_stop"),
        (':::MLL 1560722749.842 run_stop: {"value": 1, "value": 2}', "run_stop"),
        (":::MLL 1560722749.842 run_stop: [1]", "run_stop"),
        (":::MLL 1560722749.842 run_stop: " + "[" * 60_000, "run_stop"),
        (":::MLPv0.6.0 resnet 1560722749.842 run_stop: {}", "run_stop"),
        (':::MLPv0.6.0 resnet 1560722749.842 (a.py:1) run_stop: {"a": ', "run_stop"),
    ],
)
def test_a_broken_line_is_damaged(folder: Path, text: str, key: str | None) -> None:
    (item,) = read(folder, text)
    assert isinstance(item, Damaged)
    assert item.key == key
    assert item.event is None or item.event.value is None


def test_the_format_of_a_log_is_that_of_its_first_event() -> None:
    new = b':::MLLOG {"key": "run_start"}\n'
    assert mll.is_old(b"noise\n") is None
    assert mll.is_old(new) is False
    assert mll.is_old(STOP.encode()) is True
    assert mll.is_old(b":::MLPv0.6.0 resnet 1 (a:1) run_start\n" + new) is True
    assert mll.is_old(new + STOP.encode()) is False


@pytest.mark.parametrize(
    "shape",
    [
        ":::MLL ",
        ":::MLL 1",
        ":::MLL 1 run_stop: {'",
        ":::MLPv0.6.0 a 1 (",
        ":::MLL 1 run_stop: {\"'\\",
        "::",
        "\xff:::ML",
    ],
)
def test_a_line_without_end_gives_nothing_but_damaged_lines(folder: Path, shape: str) -> None:
    text = (shape * ((1 << 18) // len(shape))).encode("latin-1")
    assert all(isinstance(item, Damaged) for item in read(folder, text))


def test_a_number_in_a_text_is_a_number() -> None:
    """Transformer of NVIDIA's logs it so in v0.6."""
    assert mll.number("25.329875946044922") == 25.329875946044922
    assert [mll.number(value) for value in ("nan", "a", "1" * 50, [0.37], None)] == ["nan", "a", "1" * 50, [0.37], None]
