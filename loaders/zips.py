"""The members of a zip: its table of contents checked whole, then one member at a time, in any order.

Python's `zipfile` reads the table of contents only: its own streams (3.11.7) accept members that overlap,
and unpack bzip2 and LZMA without bounds.
"""

import io
import stat
import zipfile
import zlib
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import NamedTuple

from loaders.archives import (
    HEAD,
    LOCAL_HEADER,
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
    RAW_DEFLATE,
    REPACK,
    Limits,
    faults,
    inflated,
    safe_open,
    shown,
    tidy_name,
    within_ratio,
)
from loaders.plain import PlainFile
from mlperf.errors import BrokenFile, Problem, UnsafeArchive

ENCRYPTED = 0x0001 | 0x0040 | 0x2000
"""Flag bits: encrypted, strongly encrypted, encrypted table of contents."""

METHODS = {9: "Deflate64", 12: "bzip2", 14: "LZMA", 93: "Zstandard", 95: "xz", 98: "PPMd"}


class ZipDirectory(NamedTuple):
    """A zip's table of contents and the byte at which it begins."""

    entries: list[zipfile.ZipInfo]
    start: int


class _BoundedDirectory(io.BufferedReader):
    """A file of which `zipfile` can read no table of contents that would fill the memory."""

    def __init__(self, file: io.FileIO, name: str, limits: Limits) -> None:
        super().__init__(file)
        self._name, self._limits = name, limits

    def read(self, size: int | None = -1, /) -> bytes:
        longest = max(1 << 20, self._limits.members * 512)
        data = b"" if size is not None and size > longest else super().read(size)
        if (size or 0) > longest or data.count(b"PK\x01\x02") > self._limits.members:
            raise too_many(self._name, self._limits)
        return data


def zip_directory(file: Path, name: str, limits: Limits) -> ZipDirectory:
    """What `file` says it holds. Raises BrokenFile, and UnsafeArchive when that is too much."""
    with (
        faults(name),
        io.FileIO(safe_open(file)) as raw,
        _BoundedDirectory(raw, name, limits) as bounded,
        zipfile.ZipFile(bounded) as archive,
    ):
        return ZipDirectory(archive.infolist(), archive.start_dir)


def zip_members(
    plain: PlainFile, name: str, directory: ZipDirectory, limits: Limits, on_progress: Callable[[int], None]
) -> Iterator[Member | Problem]:
    """Files of a zip in its own order; `on_progress` hears packed bytes done. All is checked before the first comes."""
    _check_together(directory.entries, name, plain.size, limits)
    offsets = _data_offsets(plain.path, name, directory)
    done = 0
    for entry in directory.entries:
        path = tidy_name(entry.orig_filename)
        form = stat.S_IFMT(entry.external_attr >> 16)
        where = f"{name}/{path}"
        if not _is_folder(entry) and not is_ignored(path):
            if form in {0, stat.S_IFREG}:
                size = entry.file_size
                begun = _Begun(partial(_zip_chunks, plain, offsets[id(entry)], entry, where), size)
                head = begun.head
                yield Member(path, size, head, begun.chunks if size > len(head) else partial(iter, (head,)))
                begun.forget()
            elif form != stat.S_IFDIR:
                yield not_a_file(where, is_link=form == stat.S_IFLNK)
        done += entry.compress_size
        on_progress(done)


class _Begun:
    """A member whose beginning was unpacked: who reads it next goes on from there, who reads it later begins anew."""

    def __init__(self, anew: Callable[[], Iterator[bytes]], size: int) -> None:
        self._anew = anew
        self._begun: Iterator[bytes] | None = anew()
        self._first: list[bytes] = []
        is_short, size = size <= HEAD, 0  # a short one is read to its end, where its checksum is looked at
        while (is_short or size < HEAD) and (chunk := next(self._begun, b"")):
            self._first.append(chunk)
            size += len(chunk)
        self.head = b"".join(self._first)[:HEAD]

    def chunks(self) -> Iterator[bytes]:
        """The whole content."""
        begun, first = self._begun, self._first
        self.forget()
        if begun is None:
            yield from self._anew()
        else:
            yield from first
            yield from begun

    def forget(self) -> None:
        """What was unpacked is not kept any longer."""
        self._begun, self._first = None, []


def _is_folder(entry: zipfile.ZipInfo) -> bool:
    return entry.orig_filename.endswith(("/", "\\"))


def _check_entry(entry: zipfile.ZipInfo, name: str, limits: Limits) -> None:
    if entry.flag_bits & ENCRYPTED:
        found = f'its member "{shown(entry.orig_filename)}" is encrypted.'
        raise UnsafeArchive(found, name, "Pack it again without a password.")
    if entry.file_size > limits.member_bytes:
        raise too_large_member(name, entry.orig_filename, limits)
    within_ratio(entry.orig_filename, entry.file_size, entry.compress_size, limits, name)
    if entry.compress_type not in {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}:
        method = METHODS.get(entry.compress_type, f"number {entry.compress_type}")
        found = f'its member "{shown(entry.orig_filename)}" is packed in a way that is not read here ({method}).'
        raise BrokenFile(found, name, "Pack it again with the usual method (Deflate).")


def _check_together(entries: list[zipfile.ZipInfo], name: str, size: int, limits: Limits) -> None:
    if len(entries) > limits.members:
        raise too_many(name, limits)
    unpacked = sum(entry.file_size for entry in entries)
    if unpacked > limits.unpacked_bytes:
        raise too_large(name, limits)
    seen: set[str] = set()
    for entry in entries:
        _check_entry(entry, name, limits)
        path = checked_path(name, entry.orig_filename, limits, is_folder=_is_folder(entry))
        if path in seen and not _is_folder(entry):
            raise twice(name, path)
        seen.add(path)
    within_ratio(None, unpacked, size, limits, name)


def _data_offsets(file: Path, name: str, directory: ZipDirectory) -> dict[int, int]:
    """Where each entry's data begins, by the entry's `id`. Raises UnsafeArchive when two entries share bytes.

    Source: David Fifield, "A better zip bomb" (2019): overlapping entries are the only way past deflate's ratio.
    """
    offsets = {}
    ordered = sorted(directory.entries, key=lambda entry: entry.header_offset)
    ends = [entry.header_offset for entry in ordered[1:]] + [directory.start]
    with faults(name), io.FileIO(safe_open(file)) as raw, io.BufferedReader(raw) as content:
        for entry, end in zip(ordered, ends, strict=True):
            content.seek(entry.header_offset)
            header = LOCAL_HEADER.unpack(content.read(LOCAL_HEADER.size))
            member = content.read(header[9])
            encoding = "utf-8" if entry.flag_bits & 0x800 else "cp437"
            if header[0] != b"PK\x03\x04" or member.decode(encoding) != entry.orig_filename:
                raise zipfile.BadZipFile(f'no header for its member "{entry.orig_filename}"')
            start = content.tell() + header[10]
            if start + entry.compress_size > end:
                found = f'its member "{shown(entry.orig_filename)}" overlaps another: a zip bomb?'
                raise UnsafeArchive(found, name, REPACK)
            offsets[id(entry)] = start
    return offsets


def _zip_chunks(plain: PlainFile, start: int, entry: zipfile.ZipInfo, where: str) -> Iterator[bytes]:
    at, end = start, start + entry.compress_size

    def read(size: int) -> bytes:
        nonlocal at
        data = plain.read(min(size, end - at), at)
        at += len(data)
        return data

    with faults(where):
        is_stored = entry.compress_type == zipfile.ZIP_STORED
        size = checksum = 0
        for chunk in iter(partial(read, CHUNK), b"") if is_stored else inflated(read, RAW_DEFLATE):
            size += len(chunk)
            if size > entry.file_size:
                raise UnsafeArchive(f"unpacks to more than the {entry.file_size:,} bytes it declares.", where, REPACK)
            checksum = zlib.crc32(chunk, checksum)
            yield chunk
        if (size, checksum) != (entry.file_size, entry.CRC):
            raise zipfile.BadZipFile("its size or checksum is not what the archive says")
