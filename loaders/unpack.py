"""From a path that a user names to readable sources: plain files, folders, zips, tars and workbooks, by content.

Nothing is unpacked to disk, no archive is held whole, nothing is written. What a file means is for `formats` to say.
"""

import hashlib
import os
import stat
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import BinaryIO, Final, Literal

from loaders.archives import HEAD, Member, Packing, is_document, is_ignored, not_a_file, packing
from loaders.limits import CHUNK, Limits, as_text, shown, stream, tidy_name, unsafe_name
from loaders.looks import archive_looks, is_old_office, looks_like, may_be_workbook
from loaders.plain import PlainFile
from loaders.tars import tar_members
from loaders.workbooks import check, is_wanted, is_workbook, sheets, warnings
from loaders.zips import ZipDirectory, zip_directory, zip_members
from mlperf.errors import BrokenFile, LoadError, Problem, UnsafeArchive, Where

__all__ = ["Container", "Limits", "Source", "container_digest", "gathered", "looks_like", "sources"]

LIMITS = Limits()
OnProgress = Callable[[int, int], None]


@dataclass(frozen=True)
class Container:
    """What the user named, or an archive that lies in the folder that the user named."""

    name: str
    kind: Literal["file", "folder", "zip", "tar", "workbook"]
    path: Path
    digests: dict[Path, str] = field(default_factory=dict, repr=False, compare=False)
    """Hashes of files on disk that were asked for."""


@dataclass(frozen=True)
class Source:
    """One file, wherever it lies."""

    name: str
    """As its owner has it: `up.zip/closed/Dell/cm-result.json`, `folder/sub/file.csv`, `/home/me/file.csv`."""
    path: str
    """POSIX path inside the container; of a plain file its base name."""
    container: Container
    size: int
    head: bytes = field(repr=False)
    """The first 64 KiB."""
    file: Path
    """The file on disk that holds it: itself, or its archive."""
    chunks: Callable[[], Iterator[bytes]] = field(repr=False)

    @property
    def title(self) -> str:
        """What its owner calls it: the file's name, of a sheet the workbook's and its own."""
        own = self.path.rpartition("/")[2]
        return f"{self.container.name.rpartition('/')[2]} {own}" if self.container.kind == "workbook" else own

    def open(self) -> BinaryIO:
        """A fresh stream over the whole content; reading raises BrokenFile or UnsafeArchive.

        A member of a tar can be opened until the next source is asked for (LoadError after that), and a second
        time only up to 4 MiB.
        """
        return stream(self.chunks())

    def read(self, most: int) -> bytes:
        """Its content, or the first `most` bytes of it; raises as reading what `open` gives does."""
        parts, size = [], 0
        for chunk in self.chunks():
            parts.append(chunk)
            size += len(chunk)
            if size >= most:
                break
        return b"".join(parts)[:most]


def sources(
    path: Path,
    limits: Limits = LIMITS,
    on_progress: OnProgress | None = None,
    *,
    name: str | None = None,
    without: frozenset[Path] = frozenset(),
) -> Iterator[Source | Problem]:
    """Every file that `path` holds, archives in their own order and folders sorted; a Problem for each one left out.

    `name` is what the user calls it (an upload lies on disk under another name). `on_progress` hears bytes done and
    bytes in all, as they lie on disk. `without` names files of a folder that are passed over.
    Read a source before asking for the next: the members of a tar pass by.
    An archive in a folder that turns out to be damaged or unsafe is a Problem (`broken-file`, `unsafe-archive`)
    whose `where.file` is the name of the container; what came from it before cannot be trusted.
    Raises LoadError, UnsafeArchive or BrokenFile, and only when iterated.
    """
    given = as_text(str(path) if name is None else name)
    try:
        real = path.resolve(strict=True)
        status = real.stat()
    except (OSError, ValueError, RuntimeError) as error:  # RuntimeError: links in a circle (Python 3.11)
        reason = error.strerror if isinstance(error, OSError) and error.strerror else shown(str(error))
        fix = "Check the path, and who may read it."
        raise LoadError(f"cannot be opened ({reason}).", shown(given), fix) from error
    short = _short(path, real, name)
    progress = on_progress or (lambda _done, _total: None)
    if stat.S_ISDIR(status.st_mode):
        yield from _folder(Container(short, "folder", real), limits, progress, without)
    elif stat.S_ISREG(status.st_mode):
        report = partial(_report, progress, 0, status.st_size, status.st_size)
        yield from _file(real, short, Container(given, "file", real), limits, report)
        progress(status.st_size, status.st_size)
    else:
        raise LoadError("is neither a file nor a folder.", given, "Name a file, a folder, a .zip or a .tar.gz.")


def _report(progress: OnProgress, before: int, most: int, total: int, done: int) -> None:
    progress(before + min(done, most), total)


def _file(
    file: Path, name: str, container: Container, limits: Limits, on_progress: Callable[[int], None]
) -> Iterator[Source | Problem]:
    """What one file on disk holds: itself, or the members of the archive that it is."""
    with PlainFile(file, container.name if container.kind == "file" else name) as plain:
        form = packing(plain.head)
        members: Iterator[Member | Problem]
        if directory := _zip_directory(plain, name, form, limits):
            members = zip_members(plain, name, directory, limits, on_progress)
            names = [entry.filename for entry in directory.entries]
            if is_workbook(names):
                check({entry.filename: entry.file_size for entry in directory.entries}, name)
                yield from _sheets(Container(name, "workbook", file), members, names)
                return
            form = None if is_document(names) else form
        elif is_old_office(plain.head) and any(_LOCKED in part for part in _overlapping(plain.chunks())):
            raise UnsafeArchive("is a document with a password.", name, "Save it without a password, and load that.")
        elif form is not None:
            members = tar_members(file, name, form == "tar.gz", limits, on_progress)
        if form is None:
            is_alone = container.kind == "file"
            where = container.name if is_alone else name
            path = as_text(file.name) if is_alone else name.removeprefix(f"{container.name}/")
            yield Source(where, path, container, plain.size, plain.head, file, plain.chunks)
        else:
            archive = Container(name, "zip" if form == "zip" else "tar", file)
            yield from _members(archive, members)


_LOCKED: Final = "EncryptedPackage".encode("utf-16-le")
"""The stream in which an old document format holds a locked new one. Source: MS-OFFCRYPTO 2.3.4.4."""


def _overlapping(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """The chunks, each with the end of the one before it."""
    before = b""
    for chunk in chunks:
        yield before + chunk
        before = chunk[-len(_LOCKED) :]


def _zip_directory(plain: PlainFile, name: str, form: Packing | None, limits: Limits) -> ZipDirectory | None:
    """What a zip says it holds; None for what is no zip, and for a damaged document that is not read anyway."""
    if form not in {"zip", None} or not plain.head.startswith(b"PK"):
        return None
    try:
        return zip_directory(plain.path, name, limits)
    except LoadError:
        if form == "zip" or may_be_workbook(plain.head, name):
            raise
        return None


def _sheets(book: Container, members: Iterator[Member | Problem], names: Sequence[str]) -> Iterator[Source | Problem]:
    """The sheets of a workbook as text tables, with what is told of it as a whole before them."""
    parts: dict[str, bytes] = {}
    for member in members:
        if isinstance(member, Problem):
            yield member
        elif is_wanted(member.path):
            parts[member.path] = b"".join(member.chunks())
    yield from warnings(names, book.name)
    for sheet in sheets(parts, book.name):
        if isinstance(sheet, Problem):
            yield sheet
            continue
        text = sheet.text
        where, chunks = f"{book.name}/{sheet.name}", partial(_pieces, text)
        yield Source(where, sheet.name, book, len(text), text[:HEAD], book.path, chunks)


def _pieces(text: bytes) -> Iterator[bytes]:
    return (text[at : at + CHUNK] for at in range(0, len(text), CHUNK))


def _members(archive: Container, members: Iterator[Member | Problem]) -> Iterator[Source | Problem]:
    for member in members:
        if isinstance(member, Problem):
            yield member
            continue
        where = f"{archive.name}/{member.path}"
        if looks := archive_looks(member.head):
            found = f"is {looks} inside an archive and was not opened."
            yield Problem(Where(where), "nested-archive", found, "Unpack the outer archive and load its folder.")
        else:
            yield Source(where, member.path, archive, member.size, member.head, archive.path, member.chunks)


def packed_files(path: Path, name: str | None = None, limits: Limits = LIMITS) -> list[tuple[Path, str]]:
    """The archives in a folder and the names that `sources` gives them; none where `path` is no folder to be read."""
    try:
        real = path.resolve(strict=True)
        if not real.is_dir():
            return []
        folder = Container(_short(path, real, name), "folder", real)
        listed = [entry for entry in _listed(folder, limits) if not isinstance(entry, Problem)]
        names = [(file, f"{folder.name}/{inner}") for file, inner, _ in listed]
        return [(file, called) for file, called in names if _is_packed(file, called)]
    except (OSError, ValueError, RuntimeError, LoadError):
        return []  # `sources` says what is wrong with it


def _is_packed(file: Path, name: str) -> bool:
    with PlainFile(file, name) as plain:
        return packing(plain.head) is not None


def _short(path: Path, real: Path, name: str | None) -> str:
    return as_text(name or (real.name if path.name in {"", ".."} else path.name))


def _folder(
    container: Container, limits: Limits, progress: OnProgress, without: frozenset[Path]
) -> Iterator[Source | Problem]:
    found = _listed(container, limits)
    listed = [entry for entry in found if isinstance(entry, Problem) or not without or entry[0] not in without]
    total = sum(0 if isinstance(entry, Problem) else entry[2] for entry in listed)
    done = 0
    known: set[str] = set()
    for entry in listed:
        if isinstance(entry, Problem):
            yield entry
            continue
        file, path, size = entry
        name = f"{container.name}/{path}"
        if path in known:  # as text: names that are no UTF-8 may look like others
            yield Problem(Where(name), "same-name", "is the name of two files.", "Only one was read. Rename the other.")
            continue
        known.add(path)
        yield from _guarded(file, name, container, limits, partial(_report, progress, done, size, total))
        done += size
        progress(done, total)


def _guarded(
    file: Path, name: str, container: Container, limits: Limits, on_progress: Callable[[int], None]
) -> Iterator[Source | Problem]:
    """What one of several files holds; a Problem where it is damaged or unsafe."""
    try:
        yield from _file(file, name, container, limits, on_progress)
    except UnsafeArchive as error:
        yield _refused(name, "unsafe-archive", error)
    except BrokenFile as error:
        yield _refused(name, "broken-file", error)


def gathered(
    files: Sequence[tuple[Path, str]], limits: Limits = LIMITS, on_progress: OnProgress | None = None
) -> Iterator[Source | Problem]:
    """As `sources`, for files that lie on disk under other names than their owner's: (file, its owner's path).

    The owner's paths are names only and reach no disk. One that is unsafe, or that a file before has, is a Problem.
    """
    whole = Container(_top([tidy_name(given) for _, given in files]), "folder", Path("/"))
    total, done = sum(file.stat().st_size for file, _ in files), 0
    progress = on_progress or (lambda _done, _total: None)
    known: set[str] = set()
    for file, given in sorted(files, key=lambda item: item[1]):
        size, path = file.stat().st_size, tidy_name(given)
        if reason := unsafe_name(given, limits):
            yield Problem(Where(shown(path)), "unsafe-name", f"{reason} and was not read.", "Rename or move it.")
        elif path in known:
            fix = "It was not read. Put files of one name into folders, and these into a .zip."
            yield Problem(Where(path), "same-name", "is the name of two files.", fix)
        else:
            known.add(path)
            path = path if path.startswith(f"{whole.name}/") or not whole.name else f"{whole.name}/{path}"
            yield from _guarded(file, path, whole, limits, partial(_report, progress, done, size, total))
        done += size
        progress(done, total)


def _top(paths: Sequence[str]) -> str:
    """The folder that holds all files; "" for one that lies in none."""
    folders = {path.partition("/")[0] if "/" in path else "" for path in paths}
    return folders.pop() if len(folders) == 1 and (len(paths) == 1 or folders != {""}) else "upload"


def _refused(name: str, kind: str, error: LoadError) -> Problem:
    inner = "" if error.where is None else error.where.file.removeprefix(name).removeprefix("/")
    found = f'its member "{inner}" {error.found}' if inner else error.found
    return Problem(Where(name), kind, found, error.fix)


Listed = tuple[Path, str, int]


def _listed(container: Container, limits: Limits) -> Iterator[Listed | Problem]:
    """Files below a folder as (file, path in the folder, bytes), sorted; links and pipes are Problems, never opened."""
    count = 0
    waiting: list[tuple[str, Path | os.DirEntry[str]]] = [("", container.path)]
    while waiting:
        path, file = waiting.pop()
        count += 1
        if count > limits.members:
            fix = "Name a smaller folder, or load its parts one by one."
            raise LoadError(f"holds more than {limits.members:,} files and folders.", container.name, fix)
        where = f"{container.name}/{tidy_name(path)}".removesuffix("/")
        if path and is_ignored(path):
            continue
        if path and (reason := unsafe_name(path, limits)):
            yield Problem(Where(shown(where)), "unsafe-name", f"{reason} and was not read.", "Rename or move it.")
            continue
        try:
            status = file.stat(follow_symlinks=not path)
            if stat.S_ISDIR(status.st_mode):
                with os.scandir(file) as inner:
                    entries = sorted(inner, key=lambda entry: entry.name, reverse=True)
                waiting += [(f"{path}/{entry.name}" if path else entry.name, entry) for entry in entries]
                continue
        except OSError as error:
            yield _unreadable(where, error)
            continue
        if stat.S_ISREG(status.st_mode):
            yield Path(file), tidy_name(path), status.st_size
        else:
            yield not_a_file(where, is_link=stat.S_ISLNK(status.st_mode))


def _unreadable(where: str, error: OSError) -> Problem:
    return Problem(Where(where), "unreadable", f"cannot be read ({error.strerror}).", "Check who may read it.")


def container_digest(source: Source) -> str:
    """SHA-256, in hexadecimal, of the file on disk that holds `source`: itself, or its archive; computed once."""
    known = source.container.digests
    if source.file not in known:
        mark = hashlib.sha256()
        with PlainFile(source.file, source.name) as plain:
            for chunk in plain.chunks():
                mark.update(chunk)
        known[source.file] = mark.hexdigest()
    return known[source.file]
