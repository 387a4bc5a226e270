"""The members of a tar or tar.gz: one pass in order, each read while the tape stands at it.

`tarfile` decodes single headers only: its own loop reads extension headers of any size into memory, takes a damaged
header in the middle for the end of the archive, and does not check a gzip file's checksum when streaming.
"""

import io
import tarfile
from collections.abc import Callable, Iterator
from functools import partial
from hashlib import blake2b
from pathlib import Path
from typing import NamedTuple

from loaders.archives import (
    Member,
    checked_path,
    is_ignored,
    not_a_file,
    too_large,
    too_large_member,
    too_many,
    twice,
)
from loaders.limits import (
    CHUNK,
    GZIP,
    REPACK,
    Limits,
    faults,
    inflated,
    safe_open,
    stream,
    within_ratio,
)
from mlperf.errors import LoadError, Problem, UnsafeArchive, Where

KEPT = 4 << 20
"""Bytes up to which a member is kept in memory, so that it can be read twice."""

LONGEST_EXTENSION = 1 << 20
MOST_EXTENSIONS = 8
"""Bytes of an extension header (long name, pax records), and how many may precede one member."""

FILES = frozenset({tarfile.REGTYPE, tarfile.AREGTYPE, tarfile.CONTTYPE})
LINKS = frozenset({tarfile.LNKTYPE, tarfile.SYMTYPE})
WITHOUT_DATA = LINKS | {tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.DIRTYPE, tarfile.FIFOTYPE}
PAX_OF_ALL, PAX_OF_NEXT = frozenset({tarfile.XGLTYPE}), frozenset({tarfile.XHDTYPE, tarfile.SOLARIS_XHDTYPE})
GNU_LONG = frozenset({tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK})


class _Tape:
    """The unpacked bytes of a tar in order, counted."""

    def __init__(self, raw: io.FileIO, is_packed: bool, name: str, limits: Limits) -> None:
        self.name, self.limits = name, limits
        self.packed = self.unpacked = 0
        self._raw = raw
        chunks = inflated(self._read, GZIP, limits.members) if is_packed else iter(partial(self._read, CHUNK), b"")
        self._content = stream(chunks)

    def _read(self, size: int) -> bytes:
        data = self._raw.read(size)
        self.packed += len(data)
        return data

    def take(self, size: int) -> bytes:
        """The next `size` bytes, fewer at the end of the file."""
        data = self._content.read(size)
        self.unpacked += len(data)
        if self.unpacked > self.limits.unpacked_bytes:
            raise too_large(self.name, self.limits)
        return data

    def check_ratio(self) -> None:
        """Raise UnsafeArchive when all that was taken is far more than logs unpack to, whatever single members are."""
        within_ratio(None, self.unpacked, self.packed, self.limits, self.name)

    def take_blocks(self, size: int) -> bytes:
        """`size` bytes and what fills their last block, without the filling. Raises EOFError."""
        data = self.take(size + -size % tarfile.BLOCKSIZE)
        if len(data) < size:
            raise EOFError("it ends inside a member")
        return data[:size]


class _TapeMember:
    """A member that can be read while the tape stands at it."""

    def __init__(self, tape: _Tape, path: str, size: int) -> None:
        self._tape, self._path, self._size, self._left = tape, path, size, size
        self._where = f"{tape.name}/{path}"
        self._start = tape.packed
        self._is_here, self._is_opened = True, False
        self._kept = [self._pull()]

    def member(self) -> Member:
        return Member(self._path, self._size, self._kept[0], self.chunks)

    def chunks(self) -> Iterator[bytes]:
        """The content from its start; more than KEPT bytes once only. Raises LoadError when the tape has gone on."""
        self._check_here()
        if self._is_opened and self._size > KEPT:
            raise LoadError("can be read once only.", self._where, "Unpack the archive, or pack it as .zip.")
        self._is_opened = True
        return self._all()

    def pass_over(self) -> None:
        """Move the tape behind this member."""
        while self._left:
            self._pull()
        self._tape.take(-self._size % tarfile.BLOCKSIZE)
        self._is_here = False
        self._kept.clear()

    def _all(self) -> Iterator[bytes]:
        if self._size <= KEPT:
            while self._left:
                self._kept.append(self._pull())
        yield from self._kept
        while True:
            self._check_here()
            if not self._left:
                return
            yield self._pull()

    def _check_here(self) -> None:
        if not self._is_here:
            fix = "Read a member of a tar before asking for the next."
            raise LoadError("has been passed: a tar is read in order.", self._where, fix)

    def _pull(self) -> bytes:
        wanted = min(CHUNK, self._left)
        with faults(self._where):
            data = self._tape.take(wanted)
            self._left -= len(data)
            if len(data) < wanted:
                raise EOFError("the archive ends inside it")
        packed = self._tape.packed - self._start + CHUNK  # the tape reads ahead by up to one chunk
        within_ratio(self._path, self._size - self._left, packed, self._tape.limits, self._tape.name)
        return data


class _Entry(NamedTuple):
    """A member's header with its extensions applied."""

    name: str
    type: bytes
    size: int


def tar_members(
    file: Path, name: str, is_packed: bool, limits: Limits, on_progress: Callable[[int], None]
) -> Iterator[Member | Problem]:
    """Files of a tar in order; `on_progress` hears packed bytes done. Each is to be read before the next is asked for.

    Raises BrokenFile and UnsafeArchive where the tape shows the fault: members before it have been handed out.
    """
    seen: set[bytes] = set()
    shared: dict[str, str] = {}
    count = 0
    with faults(name), io.FileIO(safe_open(file)) as raw:
        tape = _Tape(raw, is_packed, name, limits)
        while entry := _next_entry(tape, shared):
            count += 1
            if count > limits.members:
                raise too_many(name, limits)
            yield from _from_tape(tape, entry, seen)
            tape.check_ratio()
            on_progress(tape.packed)
        yield from _behind_the_end(tape)
        on_progress(tape.packed)


def _from_tape(tape: _Tape, entry: _Entry, seen: set[bytes]) -> Iterator[Member | Problem]:
    is_folder = entry.type == tarfile.DIRTYPE or entry.name.endswith("/")
    path = checked_path(tape.name, entry.name, tape.limits, is_folder=is_folder)
    if entry.size > tape.limits.member_bytes:
        raise too_large_member(tape.name, entry.name, tape.limits)
    current = _TapeMember(tape, path, entry.size)
    if not is_folder and not is_ignored(path):
        if entry.type in FILES:
            _check_new(tape.name, path, seen)
            yield current.member()
        else:
            yield not_a_file(f"{tape.name}/{path}", is_link=entry.type in LINKS)
    current.pass_over()


def _check_new(name: str, path: str, seen: set[bytes]) -> None:
    mark = blake2b(path.encode(), digest_size=16).digest()  # 200,000 long names would fill the memory
    if mark in seen:
        raise twice(name, path)
    seen.add(mark)


def _next_entry(tape: _Tape, shared: dict[str, str]) -> _Entry | None:
    """The next member's header, None at the end mark; `shared` collects the pax records that hold for all members."""
    own: dict[str, str] = {}
    for _ in range(MOST_EXTENSIONS):
        block = tape.take(tarfile.BLOCKSIZE)
        if len(block) < tarfile.BLOCKSIZE:
            raise EOFError("it has no end mark")
        if not any(block):
            return None
        header = tarfile.TarInfo.frombuf(block, "utf-8", "surrogateescape")
        if header.type in PAX_OF_ALL:
            shared |= _pax_records(_extension(tape, header))
        elif header.type in PAX_OF_NEXT:
            own |= _pax_records(_extension(tape, header))
        elif header.type in GNU_LONG:
            text = _extension(tape, header).split(b"\0")[0].decode("utf-8", "surrogateescape")
            if header.type == tarfile.GNUTYPE_LONGNAME:
                own["path"] = text
        else:
            return _entry(tape, header, block, shared | own)
    raise tarfile.ReadError("too many extension headers in a row")


def _entry(tape: _Tape, header: tarfile.TarInfo, block: bytes, records: dict[str, str]) -> _Entry:
    kind = header.type
    if kind == tarfile.GNUTYPE_SPARSE:
        is_continued = bool(block[482])
        while is_continued:
            is_continued = bool(tape.take_blocks(tarfile.BLOCKSIZE)[504])
    elif _SPARSE.decode() in records:
        kind = tarfile.GNUTYPE_SPARSE
    size = 0 if kind in WITHOUT_DATA else int(records.get("size", header.size))
    if size < 0:
        raise tarfile.ReadError("a member of negative size")
    return _Entry(records.get("path", header.name), kind, size)


def _extension(tape: _Tape, header: tarfile.TarInfo) -> bytes:
    if header.size > LONGEST_EXTENSION:
        raise UnsafeArchive(f"has an extension header of more than {LONGEST_EXTENSION:,} bytes.", tape.name, REPACK)
    if header.size < 0:
        raise tarfile.ReadError("an extension header of negative size")
    data = tape.take_blocks(header.size)
    tape.check_ratio()
    return data


def _pax_records(data: bytes) -> dict[str, str]:
    """The `length key=value` records of an extension header. Raises ValueError. Source: POSIX.1-2008, pax."""
    records, start = {}, 0
    while start < len(data) and data[start]:
        space = data.index(b" ", start, start + 20)
        end = start + int(data[start:space])
        if not space < end <= len(data):
            raise ValueError("a pax record of impossible length")
        key, _, value = data[space + 1 : end].removesuffix(b"\n").partition(b"=")
        if key in _READ or key.startswith(_SPARSE):  # no others are kept: each member looks at all of them
            name = key.decode() if key in _READ else _SPARSE.decode()
            records[name] = value.decode("utf-8", "surrogateescape")
        start = end
    return records


_READ = frozenset({b"path", b"size"})
_SPARSE = b"GNU.sparse."
"""Pax records that say something of a member here: its name and size, and that it has holes."""


def _behind_the_end(tape: _Tape) -> Iterator[Problem]:
    """Read on to the end of the file, so that a gzip file's checksum is checked and nothing hides there."""
    start, packed, has_more = tape.unpacked, tape.packed, False
    while data := tape.take(CHUNK):
        has_more = has_more or any(data)
        within_ratio("(behind the end)", tape.unpacked - start, tape.packed - packed + CHUNK, tape.limits, tape.name)
    if has_more:
        found = "holds more behind its end mark, which was not read."
        yield Problem(Where(tape.name), "trailing-data", found, "Was it joined from several? Load them one by one.")
