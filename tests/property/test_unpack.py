"""Whatever bytes come, only our own errors leave `loaders.unpack`, and lines count as an editor counts."""

import gzip
import io
import tarfile
import tempfile
import zipfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loaders.limits import Limits, tidy_name, unsafe_name
from loaders.unpack import looks_like, sources
from mlperf.errors import LoadError, Problem

LIMITS = Limits(member_bytes=1 << 20, unpacked_bytes=4 << 20)
CONTENTS = {
    "run_1/summary.txt": b"Samples per second: 12\n" * 40,
    "b/ä.json": b'{"a": 1}',
    "c": bytes(range(256)) * 300,
}


def _zip(method: int) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", method) as archive:
        for name, content in CONTENTS.items():
            archive.writestr(zipfile.ZipInfo(name), content, compress_type=method)
    return packed.getvalue()


def _tar(form: int) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", format=form) as archive:
        for name, content in CONTENTS.items():
            info = tarfile.TarInfo(name + "x" * 120 if form != tarfile.USTAR_FORMAT else name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return packed.getvalue()


TARS = [_tar(form) for form in (tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT)]
ZIPS = [_zip(method) for method in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)]
WHOLE = [*ZIPS, *TARS, *(gzip.compress(tar, mtime=0) for tar in TARS)]

places = st.one_of(st.integers(0, 700), st.integers(0, 1 << 17), st.integers(-700, -1))
changes = st.lists(st.tuples(places, st.integers(0, 255)), max_size=6)
cuts = st.one_of(st.none(), st.tuples(places, places))


def _damaged(data: bytes, changed: list[tuple[int, int]], cut: tuple[int, int] | None) -> bytes:
    damaged = bytearray(data)
    for place, byte in changed:
        damaged[place % len(damaged)] = byte
    if cut is not None:
        start, end = sorted(place % len(damaged) for place in cut)
        del damaged[start:end]
    return bytes(damaged)


def _with_right_checksums(tar: bytes) -> bytes:
    """Damage that the header's checksum would hide goes deeper."""
    fixed = bytearray(tar)
    for start in range(0, len(fixed) - 511, 512):
        if fixed[start + 257 : start + 262] == b"ustar":
            fixed[start + 148 : start + 156] = b" " * 8
            fixed[start + 148 : start + 156] = b"%06o\0 " % sum(fixed[start : start + 512])
    return bytes(fixed)


def _read(data: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "up"
        path.write_bytes(data)
        _read_path(path)


def _refusal(data: bytes) -> LoadError | None:
    try:
        _read(data)
    except LoadError as error:
        return error
    return None


def _read_path(path: Path) -> None:
    for source in sources(path, LIMITS):
        if isinstance(source, Problem):
            assert source.found
            continue
        source.name.encode()
        looks_like(source.head, source.name)
        with source.open() as content:
            assert len(content.read()) == source.size


@settings(max_examples=400, deadline=2000)
@given(st.sampled_from(WHOLE), changes, cuts, st.booleans())
def test_a_damaged_archive_raises_our_own_errors_only(
    data: bytes, changed: list[tuple[int, int]], cut: tuple[int, int] | None, is_checksum_right: bool
) -> None:
    damaged = _damaged(data, changed, cut)
    error = _refusal(_with_right_checksums(damaged) if is_checksum_right else damaged)
    assert error is None or (error.found and error.where and error.fix and str(error).isprintable())


@settings(max_examples=150, deadline=2000)
@given(st.sampled_from([b"", b"PK\x03\x04", b"PK\x05\x06", b"\x1f\x8b\x08\x00"]), st.binary(max_size=1500))
def test_any_bytes_at_all_raise_our_own_errors_only(start: bytes, rest: bytes) -> None:
    error = _refusal(start + rest)
    assert error is None or (error.where and error.fix and str(error).isprintable())


@pytest.mark.parametrize("data", WHOLE, ids=len)
def test_what_is_fuzzed_is_read_when_it_is_whole(data: bytes) -> None:
    _read(data)


@given(st.text(max_size=60))
def test_a_name_that_is_let_through_stays_in_its_archive(name: str) -> None:
    if unsafe_name(name, LIMITS) is None:
        parts = tidy_name(name).split("/")
        assert parts
        assert not {"", ".", ".."} & set(parts)
        assert "\0" not in name
