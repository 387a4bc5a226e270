"""What zip and tar have in common: which archive a file is, what a member is, and the words for refusing one."""

import re
import struct
import tarfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

from loaders.limits import CHUNK, GZIP, REPACK, Limits, shown, tidy_name, unsafe_name
from mlperf.errors import Problem, UnsafeArchive, Where

Packing = Literal["zip", "tar", "tar.gz"]

HEAD = CHUNK
"""Bytes of a member that are read before it is handed out."""

LOCAL_HEADER = struct.Struct("<4s5H3L2H")
"""Before each member of a zip; fields 7, 9 and 10 are the bytes of data, name and extras."""

IGNORED = frozenset({"__MACOSX", ".git"})
DOCUMENT_NAMES = re.compile(
    r"\[Content_Types\]\.xml|_rels/\.rels|docProps/(app|core)\.xml|xl/workbook\.(xml|bin)|word/document\.xml"
    r"|ppt/presentation\.xml|mimetype|META-INF/MANIFEST\.MF|Index/[^/]*\.iwa"
)
"""Members by which an Office, OpenDocument, iWork or Java file tells itself from a plain zip."""


@dataclass
class Member:
    """One file in an archive; `chunks` gives its whole content from the start."""

    path: str
    size: int
    head: bytes
    chunks: Callable[[], Iterator[bytes]]


def is_ignored(path: str) -> bool:
    """Whether a path holds what a system, not a person, put there."""
    return not IGNORED.isdisjoint(path.split("/"))


def first_names(head: bytes) -> list[str]:
    """Names of a zip's first members, as far as their headers lie in `head` and say where the next one is."""
    names: list[str] = []
    start = 0
    while head.startswith(b"PK\x03\x04", start) and start + LOCAL_HEADER.size <= len(head):
        header = LOCAL_HEADER.unpack_from(head, start)
        start += LOCAL_HEADER.size
        names.append(head[start : start + header[9]].decode("utf-8", "replace"))
        start += header[9] + header[10] + header[7]
    return names


def packing(head: bytes) -> Packing | None:
    """Which archive a file that begins with `head` is; None for anything else, documents that are zips included."""
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return None if is_document(first_names(head)) else "zip"
    if head.startswith(b"\x1f\x8b"):
        engine = zlib.decompressobj(GZIP)
        try:
            block = engine.decompress(head, tarfile.BLOCKSIZE)
        except zlib.error:
            return "tar.gz"  # reading it will say what is wrong
        is_cut = len(block) < tarfile.BLOCKSIZE and not engine.eof
        return "tar.gz" if is_cut or _is_tar(block) else None
    return "tar" if _is_tar(head[: tarfile.BLOCKSIZE]) else None


def is_document(names: list[str]) -> bool:
    """Whether a zip with these members is an office document or a program, not an archive that a person packed."""
    return any(DOCUMENT_NAMES.fullmatch(name) for name in names)


def _is_tar(block: bytes) -> bool:
    if block[257:262] == b"ustar":
        return True
    if not block[148:156].strip(b" \0").isdigit():  # the checksum of an old header: the way out for nearly every file
        return False
    try:
        tarfile.TarInfo.frombuf(block, "utf-8", "surrogateescape")
    except tarfile.TarError:
        return False
    return True


def too_many(name: str, limits: Limits) -> UnsafeArchive:
    """More members than we look at."""
    return UnsafeArchive(f"holds more than {limits.members:,} members.", name, REPACK)


def too_large(name: str, limits: Limits) -> UnsafeArchive:
    """More bytes than we unpack."""
    return UnsafeArchive(f"unpacks to more than {limits.unpacked_bytes:,} bytes.", name, REPACK)


def checked_path(name: str, member: str, limits: Limits, *, is_folder: bool) -> str:
    """The member's path in the archive, "" for the archive's own top folder. Raises UnsafeArchive."""
    path = tidy_name(member)
    is_top = is_folder and not path and member.startswith(".")
    if not is_top and (reason := unsafe_name(member, limits)):
        raise UnsafeArchive(f'its member "{shown(member)}" {reason}.', name, REPACK)
    return path


def too_large_member(name: str, member: str, limits: Limits) -> UnsafeArchive:
    """One member with more bytes than we unpack."""
    found = f'its member "{shown(member)}" is larger than {limits.member_bytes:,} bytes.'
    return UnsafeArchive(found, name, REPACK)


def twice(name: str, path: str) -> UnsafeArchive:
    """Two members of one name: nobody can say which is meant, and readers differ in which they take."""
    found = f'holds two members named "{shown(path)}", and nothing says which is meant.'
    return UnsafeArchive(found, name, "Unpack it and pack it again.")


def not_a_file(where: str, *, is_link: bool) -> Problem:
    """A member or file that is not read: a link, which is never followed, or a pipe or device."""
    if is_link:
        return Problem(Where(where), "link", "is a link and was not followed.", "Load what it points to as well.")
    return Problem(Where(where), "special-file", "is no ordinary file and was not read.")
