"""How much we read from a stranger's archive, which names we accept, and how bytes are unpacked a chunk at a time.

No knowledge of zip, tar or folders here: only what guards all of them.
"""

import io
import os
import re
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

from mlperf.errors import BrokenFile, LoadError, UnsafeArchive

CHUNK = 1 << 16
"""Bytes asked for at once, packed and unpacked: what any archive can make us hold at a time."""

REPACK = "Unpack it, look at what is in it, and pack only the results again."

RAW_DEFLATE, GZIP = -zlib.MAX_WBITS, zlib.MAX_WBITS | 16

FAULTS = (
    zipfile.BadZipFile,
    tarfile.TarError,
    zlib.error,
    EOFError,
    OSError,
    ValueError,  # also UnicodeDecodeError
    OverflowError,
    struct.error,
    NotImplementedError,  # zipfile's word for a version that it does not know
)
"""What Python raises on damaged archives."""


@dataclass(frozen=True)
class Limits:
    """The most that one archive or folder may ask of us."""

    members: int = 200_000
    member_bytes: int = 2 << 30
    unpacked_bytes: int = 20 << 30
    ratio: int = 500
    """Unpacked bytes per packed byte. Zeros reach 1,028; one line repeated for ever 205 to 343, the most in a
    results repository is 182 (training v4.0, `ssd/result_3.txt`)."""
    ratio_from: int = 1 << 20
    """Unpacked bytes from which the ratio of a member is looked at, and that of a whole archive, however small its
    members are."""
    path_characters: int = 1024
    path_depth: int = 32


CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")
"""Characters that break a line or act on a terminal."""

TURNING = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
"""Right-to-left marks and the like, which make a name read as another; some systems put them into names unasked."""


_DRIVE = re.compile("[A-Za-z]:")


def unsafe_name(name: str, limits: Limits) -> str | None:
    """Why a member or file of this name is refused, as the end of a sentence; None when it is fine."""
    parts = _parts(name)
    named = _named(parts)
    if len(name) > limits.path_characters:
        return f"has a name of more than {limits.path_characters:,} characters"
    if CONTROL.search(name):
        return "has control characters in its name"
    if ".." in parts:
        return "points out of the archive ('..')"
    if parts[0] == "" or _DRIVE.match(name):
        return "has an absolute path" if name else "has no name"
    if not named:
        return "has no name"
    if len(named) > limits.path_depth:
        return f"lies more than {limits.path_depth} folders deep"
    return None


def tidy_name(name: str) -> str:
    """`name` as text, with `/` between its parts and no `.` parts."""
    return as_text("/".join(_named(_parts(name))))


def _parts(name: str) -> list[str]:
    return name.replace("\\", "/").split("/")


def _named(parts: list[str]) -> list[str]:
    return [part for part in parts if part not in {"", "."}]


def as_text(name: str) -> str:
    """A name from disk or browser that can be stored and shown: bytes that are no text are written as `\\xe9`.

    Marks that turn it are written as `(U+202E)`: names that differ in these alone stay different.
    """
    if name.isascii() and name.isprintable():  # nearly all are
        return name
    name = TURNING.sub(lambda mark: f"(U+{ord(mark[0]):04X})", name) if TURNING.search(name) else name
    return CONTROL.sub("�", name).encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def shown(name: str) -> str:
    """A stranger's name as plain text for a message: at most 120 characters, nothing that acts on a terminal."""
    text = "".join(char if char.isprintable() else f"\\x{ord(char):02x}" for char in name[:121])
    return text if len(text) <= 120 else text[:119] + "…"


@contextmanager
def faults(where: str) -> Iterator[None]:
    """Turn what Python raises on damaged bytes into BrokenFile; our own errors pass."""
    try:
        yield
    except LoadError:
        raise
    except FAULTS as fault:
        if isinstance(fault, OSError) and fault.errno is not None:
            found, fix = f"cannot be read ({fault.strerror}).", "Check that it is there and who may read it."
        else:
            reason = shown(str(fault)).rstrip(".") or type(fault).__name__
            found, fix = f"is damaged or cut short ({reason}).", "Copy or download it again."
        raise BrokenFile(found, where, fix) from fault


def safe_open(path: Path) -> int:
    """A descriptor to read a file: a pipe does not hang, a link that took the file's place is not followed."""
    return os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOFOLLOW)


def inflated(read: Callable[[int], bytes], form: int, parts: int = 1) -> Iterator[bytes]:
    """What `read` gives, unpacked, in chunks of at most CHUNK bytes, checksums of gzip included.

    `form` is RAW_DEFLATE or GZIP; a gzip file may hold up to `parts` parts and zeros after them.
    Raises zlib.error and EOFError as zlib and gzip do.
    """
    data, ended = b"", False
    for _ in range(parts):
        engine = zlib.decompressobj(form)
        while not engine.eof:
            if not data and not ended:
                data = read(CHUNK)
                ended = not data
            chunk = engine.decompress(data, CHUNK)
            data = engine.unconsumed_tail
            if chunk:
                yield chunk
            elif ended and not engine.eof:
                raise EOFError("its compressed data ends too early")
        data = engine.unused_data.lstrip(b"\0")
        while not data and not ended:
            data = read(CHUNK)
            ended = not data
            data = data.lstrip(b"\0")
        if not data:
            return
    raise zlib.error("there is something behind its compressed data")


def within_ratio(member: str | None, unpacked: int, packed: int, limits: Limits, where: str) -> None:
    """Raise UnsafeArchive when a member, or for None the whole archive, unpacks to far more than any log does."""
    if unpacked > limits.ratio_from and unpacked > limits.ratio * max(packed, 1):
        times = f"unpacks to more than {limits.ratio} times its packed size: a zip bomb?"
        found = times if member is None else f'its member "{shown(member)}" {times}'
        raise UnsafeArchive(found, where, REPACK)


class _Chunked(io.RawIOBase):
    """A byte stream over an iterator of chunks; closing it closes the iterator."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks, self._held = chunks, memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: object) -> int:
        target = memoryview(cast(bytearray, buffer)).cast("B")
        while not self._held:
            chunk = next(self._chunks, None)
            if chunk is None:
                return 0
            self._held = memoryview(chunk)
        count = min(len(target), len(self._held))
        target[:count] = self._held[:count]
        self._held = self._held[count:]
        return count

    def close(self) -> None:
        if not self.closed and hasattr(self._chunks, "close"):
            self._chunks.close()
        super().close()


def stream(chunks: Iterator[bytes]) -> BinaryIO:
    """A buffered binary stream over `chunks`."""
    return cast(BinaryIO, io.BufferedReader(_Chunked(chunks), CHUNK))
