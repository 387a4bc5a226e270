"""Readings in the background: their outcome, their end, and that nothing is left of them on disk."""

import gc
import threading
import time
from collections.abc import Iterator

import pytest
from streamlit.proto.Common_pb2 import FileURLs
from streamlit.runtime.uploaded_file_manager import UploadedFile, UploadedFileRec

from loaders.upload import UploadLimits
from mlperf.errors import LoadError
from tests.loaders.trees import making_inference
from ui import jobs, receiving

SUMMARY = making_inference.summary("Offline", {"Samples per second": 1234.56}).encode()


def file(name: str = "mlperf_log_summary.txt", content: bytes = SUMMARY) -> UploadedFile:
    return UploadedFile(UploadedFileRec(name, name, "", content), FileURLs())


@pytest.fixture(autouse=True)
def nothing_left() -> Iterator[None]:
    """All turns are given back, and no file is left."""
    yield
    deadline = time.monotonic() + 10
    while list(receiving.shelf().folder.iterdir()) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not list(receiving.shelf().folder.iterdir())


@pytest.fixture
def busy(monkeypatch: pytest.MonkeyPatch) -> threading.BoundedSemaphore:
    """As if as many uploads were read as can be at a time; `release` lets one more."""
    turns = threading.BoundedSemaphore(1)
    assert turns.acquire()
    monkeypatch.setattr(jobs, "_TURNS", turns)
    return turns


def test_what_was_read_is_the_outcome() -> None:
    reading = jobs.Reading([file()], UploadLimits())
    assert reading.wait(30)
    inspected = reading.outcome()
    assert inspected is not None
    assert (inspected.name, inspected.bytes) == ("mlperf_log_summary.txt", len(SUMMARY))
    assert reading.progress.share == 1


def test_what_ends_a_reading_is_raised_where_it_is_asked_for() -> None:
    reading = jobs.Reading([file()], UploadLimits(upload_bytes=10))
    assert reading.wait(30)
    with pytest.raises(LoadError, match="an upload may have 10"):
        reading.outcome()


def test_one_that_waits_says_so_and_is_read_in_its_turn(busy: threading.BoundedSemaphore) -> None:
    reading = jobs.Reading([file()], UploadLimits())
    assert not reading.wait(0.3)
    assert reading.progress.is_waiting
    assert reading.progress.file == "mlperf_log_summary.txt"
    busy.release()
    assert reading.wait(30)
    assert reading.outcome() is not None


def test_a_cancelled_reading_has_no_outcome_and_gives_its_turn_back(busy: threading.BoundedSemaphore) -> None:
    reading = jobs.Reading([file()], UploadLimits())
    reading.cancel()
    assert reading.wait(10)
    assert reading.outcome() is None
    busy.release()
    after = jobs.Reading([file()], UploadLimits())
    assert after.wait(30)
    assert after.outcome() is not None


@pytest.mark.usefixtures("busy")
def test_a_reading_that_nobody_waits_for_ends_by_itself() -> None:
    reading = jobs.Reading([file()], UploadLimits())
    assert len(list(receiving.shelf().folder.iterdir())) == 1
    del reading
    gc.collect()  # the fixture sees that the file goes
