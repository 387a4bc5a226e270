"""A plain file on disk: its beginning is read at once, the rest as it is asked for."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from loaders.archives import HEAD
from loaders.limits import faults, safe_open
from mlperf.errors import BrokenFile

READ: Final = 1 << 18
"""Bytes asked for at once behind the head: no plain file makes us hold more than it has."""

bytes(1 << 22)
"""glibc gives what is freed at the end of its heap back at once, and every read then waits for fresh pages: a third of
the time of parsing a log. Once it has seen a block of this size freed, it keeps twice as much."""


class PlainFile:
    """A file that is open until the `with` around it ends; what is read of it after that opens it again.

    What the disk refuses is a BrokenFile, here and when it is read. One thread at a time may use it.
    """

    __slots__ = ("_descriptor", "_identity", "_where", "head", "path", "size")

    def __init__(self, path: Path, where: str) -> None:
        self.path, self._where = path, where
        with faults(where):
            self._descriptor: int | None = safe_open(path)
            try:
                status = os.fstat(self._descriptor)
                if not stat.S_ISREG(status.st_mode):
                    fix = "Name a file, a folder, a .zip or a .tar.gz."
                    raise BrokenFile("is no ordinary file any more.", where, fix)
                self.size, self._identity = status.st_size, (status.st_dev, status.st_ino)
                self.head = os.pread(self._descriptor, HEAD, 0)
                while len(self.head) < min(HEAD, self.size) and (
                    more := os.pread(self._descriptor, HEAD - len(self.head), len(self.head))
                ):
                    self.head += more
            except BaseException:
                self.close()
                raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the file."""
        if self._descriptor is not None:
            os.close(self._descriptor)
        self._descriptor = None

    def read(self, size: int, at: int) -> bytes:
        """At most `size` bytes from a place on; none behind the end."""
        with faults(self._where):
            if self._descriptor is not None:
                return os.pread(self._descriptor, size, at)
            again = safe_open(self.path)
            try:
                status = os.fstat(again)
                if (status.st_dev, status.st_ino) != self._identity:
                    raise BrokenFile("is another file than it was.", self._where, "Load it again.")
                return os.pread(again, size, at)
            finally:
                os.close(again)

    def chunks(self) -> Iterator[bytes]:
        """All of its bytes, from the beginning on, whoever else reads it."""
        yield self.head
        at = len(self.head)
        while at >= HEAD and (chunk := self.read(READ, at)):
            yield chunk
            at += len(chunk)
        if at < self.size:
            raise BrokenFile("became shorter while it was read.", self._where, "Load it again when it is complete.")
