"""Reading uploads in the background, one thread each, so that the page stays usable: how far it is, cancel, outcome.

No call of Streamlit's in any thread. What is read is for `loaders` to say, what is shown for `ui.uploading`.
"""

import os
import threading
import weakref
from bisect import bisect_right
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import accumulate
from typing import Final

from streamlit.runtime.uploaded_file_manager import UploadedFile

from loaders.upload import Inspected, UploadLimits, inspect
from mlperf.errors import LoadError
from ui.uploads import Upload, on_disk

AT_ONCE: Final = max(2, (os.cpu_count() or 2) // 2)
"""Uploads that are read at a time in this process; more would only slow each other down, and the pages with them."""

_PATIENCE: Final = 0.2
"""Seconds after which one that waits for its turn looks whether it was cancelled."""
_TURNS: Final = threading.BoundedSemaphore(AT_ONCE)


class _Cancelled(Exception):
    """Ends the reading from within."""


@dataclass(frozen=True)
class Progress:
    """How far a reading is."""

    done: int
    """Bytes, as they lie on disk."""
    total: int
    file: str
    """What is being read, as its owner calls it."""
    is_waiting: bool
    """Whether others are read first."""

    @property
    def share(self) -> float:
        """0 to 1."""
        return min(self.done / self.total, 1.0) if self.total else 0.0


class Reading:
    """One upload while it is read. Whoever holds it is waiting for it: when nobody does any more, it ends by itself.

    Takes the files over at once (`ui.uploads`): they are deleted however it ends. Raises `DashboardError` where one of
    them is no longer on this server.
    """

    def __init__(self, files: Sequence[UploadedFile], limits: UploadLimits) -> None:
        self._work = _Work(files, limits)
        self.cancel = weakref.finalize(self, self._work.stop)
        """End it, and forget what was read."""
        threading.Thread(target=self._work.run, name="reading an upload", daemon=True).start()

    @property
    def progress(self) -> Progress:
        """How far it is."""
        return self._work.progress()

    @property
    def is_done(self) -> bool:
        """Whether there is an outcome."""
        return self._work.ended.is_set()

    def wait(self, seconds: float) -> bool:
        """Wait for the outcome for at most so long; whether it is there."""
        return self._work.ended.wait(seconds)

    def outcome(self) -> Inspected | None:
        """What was read; None for a reading that was cancelled. Raises what ended it."""
        if self._work.fault is not None:
            raise self._work.fault
        return self._work.inspected


class _Work:
    """What the thread does; it knows nothing of who waits."""

    def __init__(self, files: Sequence[UploadedFile], limits: UploadLimits) -> None:
        self.ended = threading.Event()
        self.fault: Exception | None = None
        self.inspected: Inspected | None = None
        self._limits = limits
        self._is_stopped = threading.Event()
        self._is_reading = threading.Event()
        self._done = 0
        self._kept = ExitStack()
        uploads = self._kept.enter_context(on_disk(files))
        self._uploads: tuple[Upload, ...] = tuple(sorted(uploads, key=lambda one: one.name))  # the order of `inspect`
        self._ends = list(accumulate(one.size for one in self._uploads))

    def progress(self) -> Progress:
        done, total = self._done, self._ends[-1] if self._ends else 0
        place = min(bisect_right(self._ends, done), len(self._uploads) - 1)
        return Progress(done, total, self._uploads[place].name if self._uploads else "", not self._is_reading.is_set())

    def stop(self) -> None:
        self._is_stopped.set()

    def run(self) -> None:
        try:
            with self._kept:
                self._read_in_turn()
        except _Cancelled:
            self.inspected = None
        except Exception as fault:  # noqa: BLE001 (a thread has nobody to tell: the page raises it)
            self.fault = fault
        finally:
            self.ended.set()

    def _read_in_turn(self) -> None:
        while not _TURNS.acquire(timeout=_PATIENCE):
            self._go_on()
        try:
            self._is_reading.set()
            self._go_on()
            files = [(one.path, one.name) for one in self._uploads]
            if not files:
                raise LoadError("holds no file.", "this upload", "Choose files, or a folder with files in it.")
            self.inspected = inspect(files, self._limits, self._report)
            self._go_on()
        finally:
            _TURNS.release()

    def _report(self, done: int, _: int) -> None:
        self._done = done
        self._go_on()

    def _go_on(self) -> None:
        if self._is_stopped.is_set():
            raise _Cancelled
