"""A plain file on disk: its beginning is read at once, the rest as it is asked for."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from loaders.limits import CHUNK, faults, safe_open
from mlperf.errors import BrokenFile

HEAD: Final = CHUNK
"""Bytes that are read at first."""

READ: Final = 1 << 18
"""Bytes asked for at once after that: no plain file makes us hold more than it has."""


class PlainFile:
    """A file that is open until the `with` around it ends; read after that, it is opened again.

    What the disk refuses is a BrokenFile, here and when it is read.
    """

    __slots__ = ("_descriptor", "_path", "_where", "head", "size")

    def __init__(self, path: Path, where: str) -> None:
        self._path, self._where = path, where
        with faults(where):
            self._descriptor: int | None = safe_open(path)
            try:
                status = os.fstat(self._descriptor)
                if not stat.S_ISREG(status.st_mode):
                    fix = "Name a file, a folder, a .zip or a .tar.gz."
                    raise BrokenFile("is no ordinary file any more.", where, fix)
                self.size = status.st_size
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

    def chunks(self) -> Iterator[bytes]:
        """All of its bytes, from the beginning on, whoever else reads it."""
        yield self.head
        if len(self.head) < HEAD:
            return
        with faults(self._where):
            own = safe_open(self._path) if self._descriptor is None else os.dup(self._descriptor)
            try:
                at = len(self.head)
                while chunk := os.pread(own, READ, at):
                    yield chunk
                    at += len(chunk)
            finally:
                os.close(own)
