"""Plain files: whole, whoever else reads them, while they are open and after; never what took their place."""

import os
from pathlib import Path

import pytest

from loaders.archives import HEAD
from loaders.plain import READ, PlainFile
from mlperf.errors import BrokenFile


@pytest.mark.parametrize("size", [0, 1, HEAD - 1, HEAD, HEAD + 1, HEAD + READ, HEAD + 2 * READ + 3])
def test_all_bytes_come_open_or_closed_and_twice_at_once(tmp_path: Path, size: int) -> None:
    content = os.urandom(size)
    path = tmp_path / "log"
    path.write_bytes(content)
    with PlainFile(path, "log") as plain:
        assert (plain.size, plain.head) == (size, content[:HEAD])
        left, right = plain.chunks(), plain.chunks()
        assert (next(left, b""), next(right, b"")) == (content[:HEAD], content[:HEAD])
        assert content[:HEAD] + b"".join(left) == content
    assert content[:HEAD] + b"".join(right) == content
    assert b"".join(plain.chunks()) == content


def _descriptors() -> set[str]:
    return {entry.name for entry in Path("/proc/self/fd").iterdir()}


def test_no_descriptor_stays_open(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_bytes(bytes(HEAD + 1))
    before = _descriptors()
    with PlainFile(path, "log") as plain:
        begun = plain.chunks()
        next(begun)
        next(begun)
        begun.close()
    assert _descriptors() == before


def test_what_took_its_place_is_not_followed(tmp_path: Path) -> None:
    path, secret = tmp_path / "log", tmp_path / "secret"
    path.write_bytes(bytes(HEAD + 1))
    secret.write_bytes(b"s" * (HEAD + 10))
    with PlainFile(path, "log") as plain:
        path.unlink()
        path.symlink_to(secret)
        assert b"s" not in b"".join(plain.chunks())  # still the file that was opened
    with pytest.raises(BrokenFile):
        list(plain.chunks())
    with pytest.raises(BrokenFile):
        PlainFile(path, "log")


def test_a_folder_and_a_pipe_are_no_plain_files(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for name in ("pipe", "."):
        with pytest.raises(BrokenFile, match="no ordinary file"):
            PlainFile(tmp_path / name, name)
