"""Checksums of a snapshot's files, in `SHA256SUMS` beside them; `sha256sum --check SHA256SUMS` reads it, too.

They tell a damaged or changed file, and a snapshot that came with Roundtable from one that somebody made.
"""

import hashlib
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

from mlperf.errors import StoreError, Where

FILE: Final = "SHA256SUMS"
MAX_BYTES: Final = 1 << 16
"""Most of the file that is read; it has a line of under 100 bytes per table."""

_LINE: Final = re.compile(r"([0-9a-f]{64}) [ *]([\w.-]{1,100})", re.ASCII)
_FIX: Final = "Restore the folder from where it came (`git checkout data`), or build it with `make snapshot`."


def text_of(digests: Mapping[str, str]) -> str:
    """The content of `SHA256SUMS` for these files: name to digest in hexadecimal digits."""
    return "".join(f"{digest}  {name}\n" for name, digest in sorted(digests.items()))


def digest_of(path: Path) -> str:
    """The SHA-256 of a file. Raises `OSError`."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def stated(folder: Path) -> dict[str, str] | None:
    """What the folder's `SHA256SUMS` states: name to digest; None where there is none. Raises `StoreError`."""
    path = folder / FILE
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES)
    except FileNotFoundError:
        return None
    except OSError as fault:
        raise StoreError(f"cannot be read ({fault.strerror}).", str(path), _FIX) from fault
    digests = {}
    for number, line in enumerate(content.decode("latin-1").removesuffix("\n").split("\n"), 1):
        parts = _LINE.fullmatch(line)
        if parts is None:
            raise StoreError("is no checksum and file name.", Where(str(path), number), _FIX)
        digests[parts[2]] = parts[1]
    return digests


def check(folder: Path, names: Iterable[str]) -> bool:
    """Whether the folder states checksums; raises `StoreError` naming the first file that is not as stated."""
    digests = stated(folder)
    if digests is None:
        return False
    for name in names:
        if name not in digests:
            raise StoreError(f"states no checksum of {name}.", str(folder / FILE), _FIX)
        try:
            digest = digest_of(folder / name)
        except OSError as fault:
            raise StoreError(f"cannot be read ({fault.strerror}).", str(folder / name), _FIX) from fault
        if digest != digests[name]:
            found = f"is not the file that {FILE} states: it was damaged or changed."
            raise StoreError(found, str(folder / name), _FIX)
    return True


def is_same(folder: Path, other: Path) -> bool:
    """Whether two folders state the same checksums; not where one of them states none. Raises `StoreError`."""
    digests = stated(folder)
    return digests is not None and digests == stated(other)
