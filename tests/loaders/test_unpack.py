"""Hostile, damaged and ordinary files on their way through `loaders.unpack`."""

import gzip
import hashlib
import io
import os
import stat
import struct
import tarfile
import tracemalloc
import zipfile
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Literal

import pytest

from loaders.limits import Limits, inflated
from loaders.unpack import Container, Source, container_digest, looks_like, sources
from mlperf.errors import BrokenFile, LoadError, Problem, UnsafeArchive

SMALL = Limits(members=5, member_bytes=1000, unpacked_bytes=2000, path_characters=40, path_depth=4)
Entry = tuple[str | zipfile.ZipInfo, bytes]
TarEntry = tuple[tarfile.TarInfo, bytes]
Mode = Literal["w", "w:gz"]


def zip_of(path: Path, *entries: Entry, method: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, content in entries:
            archive.writestr(name, content, compress_type=method)
    return path


def zip_info(name: str, mode: int) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name)
    info.create_system = 3
    info.external_attr = mode << 16
    return info


def tar_entry(name: str, content: bytes = b"", kind: bytes = tarfile.REGTYPE, **fields: object) -> TarEntry:
    info = tarfile.TarInfo(name)
    info.type, info.size = kind, len(content)
    for field, value in fields.items():
        setattr(info, field, value)
    return info, content


def tar_of(path: Path, *entries: TarEntry, mode: Mode = "w:gz", form: int = tarfile.PAX_FORMAT) -> Path:
    with (
        path.open("wb") as file,
        gzip.GzipFile(fileobj=file, mode="wb") if mode == "w:gz" else nullcontext(file) as packed,
        tarfile.open(fileobj=packed, mode="w", format=form) as archive,
    ):
        for info, content in entries:
            archive.addfile(info, io.BytesIO(content))
    return path


def read_all(path: Path, limits: Limits = Limits()) -> tuple[dict[str, bytes], list[Problem]]:  # noqa: B008
    contents, problems = {}, []
    for source in sources(path, limits):
        if isinstance(source, Problem):
            problems.append(source)
        else:
            with source.open() as content:
                contents[source.name] = content.read()
            assert source.head == contents[source.name][: 1 << 16]
            assert source.size == len(contents[source.name])
    return contents, problems


def only(path: Path) -> Source:
    (source,) = sources(path)
    assert isinstance(source, Source)
    return source


def kinds(problems: list[Problem]) -> list[str]:
    return [problem.kind for problem in problems]


# --- what is read ---------------------------------------------------------------------------------------------------


def test_a_plain_file_keeps_the_path_that_its_owner_gave(tmp_path: Path) -> None:
    (tmp_path / "results.csv").write_bytes(b"a,b\n")
    source = only(tmp_path / "results.csv")
    assert (source.name, source.path, source.container.kind) == (str(tmp_path / "results.csv"), "results.csv", "file")
    assert read_all(tmp_path / "results.csv") == ({source.name: b"a,b\n"}, [])


@pytest.mark.parametrize("mode", ["w", "w:gz"])
@pytest.mark.parametrize("form", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_a_tar_gives_its_members_in_order_whatever_its_dialect_and_name(tmp_path: Path, mode: Mode, form: int) -> None:
    long_name = "run/" + "n" * (90 if form == tarfile.USTAR_FORMAT else 180)
    entries = [
        tar_entry("./", kind=tarfile.DIRTYPE),
        tar_entry("./run", kind=tarfile.DIRTYPE),
        tar_entry("./run/z.txt", b"z" * 1000),
        tar_entry(long_name, b"long"),
        tar_entry("run/ä.txt", b""),
    ]
    contents, problems = read_all(tar_of(tmp_path / "up.zip", *entries, mode=mode, form=form))
    assert problems == []
    assert list(contents.items()) == [
        ("up.zip/run/z.txt", b"z" * 1000),
        (f"up.zip/{long_name}", b"long"),
        ("up.zip/run/ä.txt", b""),
    ]


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_a_zip_is_known_by_its_content_and_read_in_its_own_order(tmp_path: Path, method: int) -> None:
    large = os.urandom(200_000)
    path = zip_of(tmp_path / "up.csv", ("z/", b""), ("z/large", large), ("a.txt", b"a"), ("0", b""), method=method)
    assert read_all(path) == ({"up.csv/z/large": large, "up.csv/a.txt": b"a", "up.csv/0": b""}, [])
    kept = [source for source in sources(path) if isinstance(source, Source)]
    with kept[0].open() as first, kept[0].open() as second:
        assert first.read(10) == second.read(10) == large[:10]
    assert (kept[0].path, kept[0].container) == ("z/large", Container("up.csv", "zip", path))


def test_an_upload_carries_the_name_that_its_owner_gave(tmp_path: Path) -> None:
    path = zip_of(tmp_path / "tmp81x", ("a.txt", b"a"))
    (source,) = sources(path, name="up\n\x1b.zip")
    assert isinstance(source, Source)
    assert source.name == "up��.zip/a.txt"


def test_a_folder_is_read_in_sorted_order_with_the_archives_in_it(tmp_path: Path) -> None:
    folder = tmp_path / "results"
    (folder / "b").mkdir(parents=True)
    (folder / "b" / "two.csv").write_bytes(b"2")
    (folder / "a.csv").write_bytes(b"1")
    zip_of(folder / "b" / "one.zip", ("x/y.json", b"{}"))
    tar_of(folder / "c.tgz", tar_entry("z.json", b"[]"))
    (folder / ".git").mkdir()
    (folder / ".git" / "HEAD").write_bytes(b"ref")
    contents, problems = read_all(folder)
    assert problems == []
    assert list(contents.items()) == [
        ("results/a.csv", b"1"),
        ("results/b/one.zip/x/y.json", b"{}"),
        ("results/b/two.csv", b"2"),
        ("results/c.tgz/z.json", b"[]"),
    ]
    paths = [(source.path, source.container.kind) for source in sources(folder) if isinstance(source, Source)]
    assert paths == [("a.csv", "folder"), ("x/y.json", "zip"), ("b/two.csv", "folder"), ("z.json", "tar")]


def test_the_folder_that_one_stands_in_has_a_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "here").mkdir()
    (tmp_path / "here" / "a.csv").write_bytes(b"1")
    monkeypatch.chdir(tmp_path / "here")
    assert only(Path()).name == "here/a.csv"


def test_what_a_mac_or_git_adds_is_left_out(tmp_path: Path) -> None:
    entries = [("__MACOSX/._a.csv", b"x"), ("repo/.git/config", b"x"), ("a.csv", b"a")]
    assert read_all(zip_of(tmp_path / "up.zip", *entries)) == ({"up.zip/a.csv": b"a"}, [])
    tars = [tar_entry(name, content) for name, content in entries]
    assert read_all(tar_of(tmp_path / "up.tar", *tars)) == ({"up.tar/a.csv": b"a"}, [])


def test_windows_separators_in_a_zip_are_separators(tmp_path: Path) -> None:
    assert list(read_all(zip_of(tmp_path / "up.zip", ("run_1\\a.txt", b"a")))[0]) == ["up.zip/run_1/a.txt"]


def test_names_that_are_no_text_stay_apart_and_can_be_stored(tmp_path: Path) -> None:
    entries = [tar_entry("a\udce9.txt", b"1"), tar_entry("a\udce8.txt", b"2")]
    contents, _ = read_all(tar_of(tmp_path / "up.tar", *entries, form=tarfile.GNU_FORMAT))
    assert list(contents) == ["up.tar/a\\xe9.txt", "up.tar/a\\xe8.txt"]
    folder = tmp_path / "folder"
    folder.mkdir()
    Path(os.fsdecode(os.fsencode(folder) + b"/b\xff.txt")).write_bytes(b"3")
    assert read_all(folder)[0] == {"folder/b\\xff.txt": b"3"}


def test_progress_never_goes_back_and_ends_at_the_whole(tmp_path: Path) -> None:
    folder = tmp_path / "results"
    folder.mkdir()
    (folder / "a.csv").write_bytes(b"1" * 500)
    zip_of(folder / "b.zip", *((f"{n}", os.urandom(100)) for n in range(5)))
    tar_of(folder / "c.tgz", *(tar_entry(f"{n}", os.urandom(100)) for n in range(5)))
    heard: list[tuple[int, int]] = []
    list(sources(folder, on_progress=lambda done, total: heard.append((done, total))))
    total = sum(file.stat().st_size for file in folder.iterdir())
    assert heard == sorted(heard)
    assert heard[-1] == (total, total)
    assert len(heard) >= 11


def test_reading_leaves_the_files_as_they_were(tmp_path: Path) -> None:
    path = zip_of(tmp_path / "up.zip", ("a", b"a"))
    before = (path.read_bytes(), path.stat().st_mtime_ns)
    path.chmod(0o400)
    read_all(path)
    assert (path.read_bytes(), path.stat().st_mtime_ns) == before
    assert list(tmp_path.iterdir()) == [path]


# --- tapes ----------------------------------------------------------------------------------------------------------


def test_a_member_of_a_tar_is_gone_once_the_next_was_asked_for(tmp_path: Path) -> None:
    path = tar_of(tmp_path / "up.tgz", tar_entry("a", b"a"), tar_entry("b", b"b"))
    members = sources(path)
    first = next(members)
    assert isinstance(first, Source)
    late = first.open()
    next(members)
    with pytest.raises(LoadError, match=r"up\.tgz/a: has been passed: a tar is read in order"):
        first.open()
    with pytest.raises(LoadError, match="has been passed"):
        late.read()


def test_a_small_member_of_a_tar_can_be_read_twice_and_a_large_one_once(tmp_path: Path) -> None:
    large = os.urandom((4 << 20) + 1)
    path = tar_of(tmp_path / "up.tar", tar_entry("a", b"a" * 100_000), tar_entry("b", large), mode="w")
    small, big = (source for source in _opened_twice(path))
    assert small == (b"a" * 100_000, b"a" * 100_000)
    assert big[0] == large
    assert "can be read once only" in str(big[1])


def _opened_twice(path: Path) -> Iterator[tuple[bytes, bytes | LoadError]]:
    for source in sources(path):
        assert isinstance(source, Source)
        first = source.open().read()
        try:
            yield first, source.open().read()
        except LoadError as error:
            yield first, error


@pytest.mark.parametrize("size", [65_535, 65_536, 65_537, 200_000])
def test_a_bit_that_flipped_in_a_zip_is_told_whatever_the_size(tmp_path: Path, size: int) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("log.txt", b"x" * size)
    data = bytearray(path.read_bytes())
    data[data.index(b"xxxx") + size // 2] ^= 1
    path.write_bytes(data)
    with pytest.raises(BrokenFile, match="checksum"):
        _ = [list(source.chunks()) for source in sources(path) if isinstance(source, Source)]


def test_two_names_that_are_one_as_text_are_told(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    for name in ("a/b.txt", r"a\b.txt", "c\u202e.txt", "c\u202d.txt"):
        (tmp_path / name).write_text("x")
    found = list(sources(tmp_path, name="up"))
    assert [item.kind for item in found if isinstance(item, Problem)] == ["same-name"]
    read = sorted(item.path for item in found if isinstance(item, Source))
    assert read == ["a/b.txt", "c(U+202D).txt", "c(U+202E).txt"]


def test_a_file_that_became_shorter_is_told(tmp_path: Path) -> None:
    path = tmp_path / "log.txt"
    path.write_bytes(b"x" * 400_000)
    (source,) = sources(path)
    assert isinstance(source, Source)
    path.write_bytes(b"x" * 100_000)
    with pytest.raises(BrokenFile, match="shorter"):
        list(source.chunks())


# --- what is refused ------------------------------------------------------------------------------------------------

HOSTILE_NAMES = [
    ("../evil", "points out of the archive"),
    ("a/../../evil", "points out of the archive"),
    ("a\\..\\evil", "points out of the archive"),
    ("/etc/passwd", "has an absolute path"),
    ("\\\\server\\share", "has an absolute path"),
    ("C:\\evil", "has an absolute path"),
    ("c:evil", "has an absolute path"),
    ("a\nb", "has control characters in its name"),
    ("a\x1b[2Jb", "has control characters in its name"),
    ("a\x85b", "has control characters in its name"),
    ("a\u2028b", "has control characters in its name"),
    (".", "has no name"),
    ("a/" * 4 + "b", "lies more than 4 folders deep"),
    ("n" * 41, "has a name of more than 40 characters"),
]


@pytest.mark.parametrize(("name", "reason"), [*HOSTILE_NAMES, ("a\0b", "has control characters in its name")])
def test_a_zip_with_a_hostile_name_is_refused_before_anything_of_it_is_read(
    tmp_path: Path, name: str, reason: str
) -> None:
    path = zip_of(tmp_path / "up.zip", ("good.txt", b"good"), (name.replace("\0", "?"), b"evil"))
    if "\0" in name:
        path.write_bytes(path.read_bytes().replace(b"a?b", b"a\0b"))
    with pytest.raises(UnsafeArchive, match=reason) as caught:
        next(sources(path, SMALL))
    assert str(caught.value).startswith('up.zip: its member "')
    assert str(caught.value).isprintable()
    assert caught.value.fix


@pytest.mark.parametrize("kind", [tarfile.REGTYPE, tarfile.SYMTYPE, tarfile.DIRTYPE])
@pytest.mark.parametrize(("name", "reason"), HOSTILE_NAMES)
def test_a_tar_with_a_hostile_name_is_refused(tmp_path: Path, name: str, reason: str, kind: bytes) -> None:
    if name == "." and kind == tarfile.DIRTYPE:
        return  # what `tar -C folder .` writes first
    with pytest.raises(UnsafeArchive, match=reason):
        read_all(tar_of(tmp_path / "up.tgz", tar_entry(name, kind=kind)), SMALL)


def test_a_nul_byte_in_a_pax_name_is_refused(tmp_path: Path) -> None:
    path = tar_of(tmp_path / "up.tgz", tar_entry("a", pax_headers={"path": "a\0b"}))
    with pytest.raises(UnsafeArchive, match="control characters"):
        read_all(path)


def test_links_and_devices_in_archives_are_passed_over_and_named(tmp_path: Path) -> None:
    tar = tar_of(
        tmp_path / "up.tgz",
        tar_entry("a", b"a"),
        tar_entry("soft", kind=tarfile.SYMTYPE, linkname="/etc/passwd"),
        tar_entry("hard", kind=tarfile.LNKTYPE, linkname="a"),
        tar_entry("pipe", kind=tarfile.FIFOTYPE),
        tar_entry("tty", kind=tarfile.CHRTYPE),
        tar_entry("b", b"b"),
    )
    contents, problems = read_all(tar)
    assert contents == {"up.tgz/a": b"a", "up.tgz/b": b"b"}
    assert kinds(problems) == ["link", "link", "special-file", "special-file"]
    assert str(problems[0]).startswith("up.tgz/soft: is a link and was not followed.")
    entries: list[Entry] = [
        ("a", b"a"),
        (zip_info("soft", stat.S_IFLNK | 0o777), b"/etc/passwd"),
        (zip_info("p", 0o10644), b""),
    ]
    contents, problems = read_all(zip_of(tmp_path / "up.zip", *entries))
    assert contents == {"up.zip/a": b"a"}
    assert kinds(problems) == ["link", "special-file"]


def test_a_sparse_member_is_not_blown_up(tmp_path: Path) -> None:
    sparse = {"GNU.sparse.major": "1", "GNU.sparse.realsize": str(1 << 40)}
    path = tar_of(tmp_path / "up.tar", tar_entry("holes", b"x" * 600, pax_headers=sparse), tar_entry("b", b"b"))
    contents, problems = read_all(path)
    assert (contents, kinds(problems)) == ({"up.tar/b": b"b"}, ["special-file"])


def test_links_pipes_and_sockets_in_a_folder_are_never_opened(tmp_path: Path) -> None:
    folder = tmp_path / "results"
    folder.mkdir()
    (folder / "a.csv").write_bytes(b"a")
    (folder / "self").symlink_to(folder)
    (folder / "passwd").symlink_to("/etc/passwd")
    (folder / "nowhere").symlink_to("missing")
    os.mkfifo(folder / "pipe")
    contents, problems = read_all(folder)
    assert contents == {"results/a.csv": b"a"}
    assert [(problem.where.file, problem.kind) for problem in problems] == [
        ("results/nowhere", "link"),
        ("results/passwd", "link"),
        ("results/pipe", "special-file"),
        ("results/self", "link"),
    ]


def test_a_link_that_takes_a_files_place_while_we_read_is_not_followed(tmp_path: Path) -> None:
    for name in ("1.csv", "2.csv", "3.csv"):
        (tmp_path / name).write_bytes(b"x")
    members = sources(tmp_path)
    next(members)
    (tmp_path / "2.csv").unlink()
    (tmp_path / "2.csv").symlink_to("/etc/passwd")
    (tmp_path / "3.csv").unlink()
    rest = list(members)
    assert all(isinstance(entry, Problem) for entry in rest)
    assert "cannot be read (No such file or directory)" in str(rest[1])


def test_a_folder_holds_to_the_limits_of_names_depth_and_count(tmp_path: Path) -> None:
    folder = tmp_path / "f"
    (folder / "1/2/3/4/5").mkdir(parents=True)
    (folder / "1/2/3/4/5/deep").write_bytes(b"")
    (folder / "a\nb").write_bytes(b"")
    contents, problems = read_all(folder, replace(SMALL, members=50))
    assert (contents, kinds(problems)) == ({}, ["unsafe-name", "unsafe-name"])
    assert all(str(problem).isprintable() for problem in problems)
    with pytest.raises(LoadError, match="holds more than 5 files"):
        read_all(folder, SMALL)


@pytest.mark.parametrize("path", ["missing.csv", "a\0b", "x" * 5000, "/dev/zero", "pipe", "loop"])
def test_a_path_that_is_no_file_says_what_to_do(tmp_path: Path, path: str) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "loop").symlink_to("loop")
    with pytest.raises(LoadError) as caught:
        list(sources(tmp_path / path))
    assert caught.value.fix


def test_archives_in_archives_are_named_and_not_opened(tmp_path: Path) -> None:
    inner = [
        ("in.zip", zip_of(tmp_path / "i1", ("x", b"x")).read_bytes()),
        ("in.tgz", tar_of(tmp_path / "i2", tar_entry("x", b"x")).read_bytes()),
        ("in.tar", tar_of(tmp_path / "i3", tar_entry("x", b"x"), mode="w").read_bytes()),
        ("in.7z", b"7z\xbc\xaf\x27\x1c rest"),
        ("a.csv", b"a"),
    ]
    contents, problems = read_all(zip_of(tmp_path / "up.zip", *inner))
    assert contents == {"up.zip/a.csv": b"a"}
    assert kinds(problems) == ["nested-archive"] * 4
    assert "up.zip/in.zip: is a zip archive inside an archive" in str(problems[0])
    contents, problems = read_all(tar_of(tmp_path / "up.tgz", *(tar_entry(*entry) for entry in inner)))
    assert (list(contents), kinds(problems)) == (["up.tgz/a.csv"], ["nested-archive"] * 4)


@pytest.mark.parametrize(
    "names", [("docProps/app.xml", "word/document.xml", "[Content_Types].xml"), ("a", "_rels/.rels")]
)
def test_an_office_document_is_one_file_though_it_is_a_zip(tmp_path: Path, names: tuple[str, ...]) -> None:
    path = zip_of(tmp_path / "book.xlsx", *((name, b"<xml/>") for name in names))
    assert only(path).container.kind == "file"


def test_a_results_archive_that_holds_a_workbook_is_still_an_archive(tmp_path: Path) -> None:
    book = zip_of(tmp_path / "book.xlsx", ("xl/workbook.xml", b"<xml/>")).read_bytes()
    path = zip_of(tmp_path / "up.zip", ("book.xlsx", book), ("a.csv", b"a"), method=zipfile.ZIP_STORED)
    assert list(read_all(path)[0]) == ["up.zip/book.xlsx", "up.zip/a.csv"]


def test_too_much_in_a_zip_is_refused_before_it_is_unpacked(tmp_path: Path) -> None:
    path = tmp_path / "up.zip"
    with pytest.raises(UnsafeArchive, match="holds more than 5 members"):
        next(sources(zip_of(path, *((f"{n}", b"") for n in range(6))), SMALL))
    with pytest.raises(UnsafeArchive, match=r'"big" is larger than 1,000 bytes'):
        next(sources(zip_of(path, ("big", os.urandom(1001))), SMALL))
    with pytest.raises(UnsafeArchive, match=r"unpacks to more than 2,000 bytes"):
        next(sources(zip_of(path, *((f"{n}", os.urandom(900)) for n in range(3))), SMALL))


def test_too_much_in_a_tar_is_refused_where_it_shows(tmp_path: Path) -> None:
    path = tmp_path / "up.tgz"
    with pytest.raises(UnsafeArchive, match="holds more than 5 members"):
        read_all(tar_of(path, *(tar_entry(f"{n}") for n in range(6))), replace(SMALL, unpacked_bytes=99_999))
    with pytest.raises(UnsafeArchive, match=r'"big" is larger than 1,000 bytes'):
        read_all(tar_of(path, tar_entry("big", os.urandom(1001))), SMALL)
    with pytest.raises(UnsafeArchive, match=r"unpacks to more than 2,000 bytes"):
        read_all(tar_of(path, *(tar_entry(f"{n}", os.urandom(900)) for n in range(3))), SMALL)


def test_a_bomb_of_zeros_is_refused_and_a_log_of_one_repeated_line_is_read(tmp_path: Path) -> None:
    bomb, log = bytes(70 << 20), b"warning: the same line again and again from a driver that retries\n" * 400_000
    with pytest.raises(UnsafeArchive, match=r'"bomb" unpacks to more than 500 times its packed size'):
        read_all(zip_of(tmp_path / "bomb.zip", ("bomb", bomb)))
    with pytest.raises(UnsafeArchive, match=r'"bomb" unpacks to more than 500 times its packed size'):
        read_all(tar_of(tmp_path / "bomb.tgz", tar_entry("bomb", bomb)))
    assert read_all(zip_of(tmp_path / "log.zip", ("log", log)))[0] == {"log.zip/log": log}
    assert read_all(tar_of(tmp_path / "log.tgz", tar_entry("log", log)))[0] == {"log.tgz/log": log}


def test_two_members_of_one_name_are_refused(tmp_path: Path) -> None:
    with pytest.warns(UserWarning, match="Duplicate name"):
        path = zip_of(tmp_path / "up.zip", ("a", b"1"), ("a", b"2"))
    with pytest.raises(UnsafeArchive, match=r'holds two members named "a"'):
        next(sources(path))
    with pytest.raises(UnsafeArchive, match=r'holds two members named "x/a"'):
        read_all(tar_of(tmp_path / "up.tgz", tar_entry("x/a", b"1"), tar_entry("./x//a", b"2")))


def test_an_encrypted_zip_is_refused_with_advice(tmp_path: Path) -> None:
    path = zip_of(tmp_path / "up.zip", ("a", b"a"))
    data = bytearray(path.read_bytes())
    data[data.index(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(data)
    with pytest.raises(UnsafeArchive, match=r'"a" is encrypted\. Pack it again without a password\.'):
        next(sources(path))


def central(data: bytes | bytearray, number: int) -> int:
    start = -1
    for _ in range(number):
        start = data.index(b"PK\x01\x02", start + 1)
    return start


def test_members_that_share_bytes_are_refused(tmp_path: Path) -> None:
    path = zip_of(tmp_path / "up.zip", ("aaaa", b"kernel" * 99), ("bbbb", b"kernel" * 99))
    whole = path.read_bytes()
    same_place = bytearray(whole.replace(b"bbbb", b"aaab"))
    same_place[central(whole, 2) + 42 : central(whole, 2) + 46] = bytes(4)
    quoting = bytearray(whole)  # the first member's local extra field swallows the second's header
    quoting[28:30] = struct.pack("<H", 60)
    long_data = bytearray(whole)  # the first member's data runs on into the second
    long_data[central(whole, 1) + 20] += 9
    for data in (quoting, long_data):
        path.write_bytes(data)
        with pytest.raises(UnsafeArchive, match=r"overlaps another: a zip bomb\?"):
            next(sources(path))
    path.write_bytes(same_place)
    with pytest.raises((UnsafeArchive, BrokenFile)):
        next(sources(path))


@pytest.mark.parametrize(("change", "error"), [(-100, UnsafeArchive), (100, BrokenFile)])
def test_a_zip_that_lies_about_a_size_is_refused(tmp_path: Path, change: int, error: type[LoadError]) -> None:
    path = zip_of(tmp_path / "up.zip", ("a", bytes(1000)))
    data = bytearray(path.read_bytes())
    place = central(data, 1) + 24
    data[place : place + 4] = struct.pack("<L", 1000 + change)
    path.write_bytes(data)
    with pytest.raises(error, match=r"^up\.zip/a: "):
        read_all(path)


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_compression_without_bounds_is_refused_with_advice(tmp_path: Path, method: int) -> None:
    with pytest.raises(BrokenFile, match=r"not read here \((bzip2|LZMA)\)\. Pack it again with the usual method"):
        next(sources(zip_of(tmp_path / "up.zip", ("a", b"a"), method=method)))


def test_a_table_of_contents_that_would_fill_the_memory_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "up.zip"
    entry = b"PK\x01\x02" + bytes(24) + struct.pack("<H", 1) + bytes(16) + b"a"
    count = 300_000
    end = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 1, 1, len(entry) * count, 4, 0)
    path.write_bytes(b"PK\x03\x04" + entry * count + end)
    tracemalloc.start()
    with pytest.raises(UnsafeArchive, match="holds more than 200,000 members"):
        next(sources(path))
    assert tracemalloc.get_traced_memory()[1] < 40 << 20
    tracemalloc.stop()


def test_an_extension_header_that_would_fill_the_memory_is_not_read(tmp_path: Path) -> None:
    for kind in (tarfile.GNUTYPE_LONGNAME, tarfile.XHDTYPE, tarfile.XGLTYPE):
        with pytest.raises(UnsafeArchive, match="extension header of more than 1,048,576 bytes"):
            read_all(tar_of(tmp_path / "up.tgz", tar_entry("a", bytes(2 << 20), kind)))
    chain = [tar_entry("a", b"", tarfile.XGLTYPE)] * 2000
    with pytest.raises(BrokenFile, match="too many extension headers"):
        read_all(tar_of(tmp_path / "up.tgz", *chain))


def test_a_gzip_of_very_many_parts_ends_soon() -> None:
    part = io.BytesIO(bytes.fromhex("1f8b08000000000000030300000000000000 0000".replace(" ", "")) * 5000)
    with pytest.raises(Exception, match="behind its compressed data"):
        list(inflated(part.read, 31, parts=1000))


# --- damage ---------------------------------------------------------------------------------------------------------


def test_a_wrong_checksum_names_the_member(tmp_path: Path) -> None:
    path = zip_of(tmp_path / "up.zip", ("run/a.txt", b"some content"), method=zipfile.ZIP_STORED)
    path.write_bytes(path.read_bytes().replace(b"some content", b"some_content"))
    with pytest.raises(BrokenFile, match=r"^up\.zip/run/a\.txt: is damaged or cut short \(its size or checksum"):
        read_all(path)


def test_damage_behind_the_first_bytes_shows_when_the_stream_is_read(tmp_path: Path) -> None:
    content = os.urandom(300_000)
    path = zip_of(tmp_path / "up.zip", ("a", content), method=zipfile.ZIP_STORED)
    data = bytearray(path.read_bytes())
    data[200_000] ^= 1
    path.write_bytes(data)
    with pytest.raises(BrokenFile, match=r"up\.zip/a: "), only(path).open() as stream:
        stream.read()


@pytest.mark.parametrize("mode", ["w", "w:gz"])
def test_a_tar_cut_short_anywhere_is_broken(tmp_path: Path, mode: Mode) -> None:
    entries = [tar_entry(f"{n}", os.urandom(700)) for n in range(3)]
    whole = tar_of(tmp_path / "up.tgz", *entries, mode=mode).read_bytes()
    end = len(whole) if mode == "w:gz" else 3 * 1536
    for length in range(600, end, 97):
        (tmp_path / "up.tgz").write_bytes(whole[:length])
        with pytest.raises(BrokenFile, match=r"^up\.tgz(/\d)?: is damaged or cut short"):
            read_all(tmp_path / "up.tgz")


def test_a_damaged_header_in_the_middle_is_not_the_end(tmp_path: Path) -> None:
    path = tar_of(tmp_path / "up.tar", *(tar_entry(f"{n}", b"x") for n in range(3)), mode="w")
    data = bytearray(path.read_bytes())
    data[1024 + 5] ^= 1
    path.write_bytes(data)
    with pytest.raises(BrokenFile, match="bad checksum"):
        read_all(path)


def test_a_gzip_checksum_is_checked_behind_the_last_member(tmp_path: Path) -> None:
    path = tar_of(tmp_path / "up.tgz", tar_entry("a", b"a"))
    data = bytearray(path.read_bytes())
    data[-5] ^= 1
    path.write_bytes(data)
    with pytest.raises(BrokenFile, match="incorrect"):
        read_all(path)


def test_what_stands_behind_the_end_of_a_tar_is_named(tmp_path: Path) -> None:
    path = tar_of(tmp_path / "up.tar", tar_entry("a", b"a"), mode="w")
    path.write_bytes(path.read_bytes() * 2)
    contents, problems = read_all(path)
    assert (contents, kinds(problems)) == ({"up.tar/a": b"a"}, ["trailing-data"])


def test_a_bad_archive_in_a_folder_does_not_stop_the_others(tmp_path: Path) -> None:
    folder = tmp_path / "results"
    folder.mkdir()
    whole = zip_of(folder / "a.zip", ("x", b"x")).read_bytes()
    (folder / "a.zip").write_bytes(whole[:-10])
    zip_of(folder / "b.zip", ("../x", b"x"))
    zip_of(folder / "c.zip", ("x", b"x"))
    contents, problems = read_all(folder)
    assert contents == {"results/c.zip/x": b"x"}
    assert [(problem.where.file, problem.kind) for problem in problems] == [
        ("results/a.zip", "broken-file"),
        ("results/b.zip", "unsafe-archive"),
    ]


# --- hashes ---------------------------------------------------------------------------------------------------------


def test_the_hash_is_that_of_the_file_on_disk(tmp_path: Path) -> None:
    path = zip_of(tmp_path / "up.zip", ("a", b"a"), ("b", b"b"))
    first, second = (source for source in sources(path) if isinstance(source, Source))
    assert container_digest(first) == hashlib.sha256(path.read_bytes()).hexdigest()
    path.unlink()
    assert container_digest(second) == container_digest(first)
    (tmp_path / "a.csv").write_bytes(b"a")
    (tmp_path / "b.csv").write_bytes(b"b")
    hashes = [container_digest(source) for source in sources(tmp_path) if isinstance(source, Source)]
    assert hashes == [hashlib.sha256(content).hexdigest() for content in (b"a", b"b")]


@pytest.mark.parametrize(
    ("head", "name", "words"),
    [
        (b"", "a.csv", "an empty file"),
        (b"%PDF-1.7", "a.csv", "a PDF"),
        (b"PAR1....", "a", "a Parquet file"),
        (b"\x1f\x8b\x08\x00" + bytes(6) + b"\x03\x00" + bytes(8), "a.gz", "a gzip file"),
        (b"7z\xbc\xaf\x27\x1c", "a", "a 7-Zip archive"),
        (b"\x89PNG\r\n\x1a\n", "a", "a picture"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "a.xls", "an old Excel workbook or Word document"),
        (b"\x00\x01\x02", "a", "binary data"),
        (b" <!DOCTYPE HTML><html>", "a", "an HTML page"),
        (b'\xef\xbb\xbf{"a": 1}', "a", "JSON text"),
        (b"a,b\n1,2\n", "a", "CSV text"),
        ("a\tb\n1\t2\n".encode("utf-16"), "a", "CSV text"),
        (b"hello, world\nhow are you\n", "a", "text"),
        (b"version https://git-lfs.github.com/spec/v1\n", "a.zip", "a Git LFS pointer, not the file itself"),
    ],
)
def test_what_a_file_looks_like_is_said_in_words(head: bytes, name: str, words: str) -> None:
    assert looks_like(head, name) == words


@pytest.mark.parametrize(
    ("member", "name", "words"),
    [
        ("xl/workbook.xml", "a.zip", "an Excel workbook"),
        ("word/document.xml", "a", "a Word document"),
        ("Index/Document.iwa", "a", "a Numbers document"),
        ("META-INF/MANIFEST.MF", "a", "a Java archive"),
        ("[Content_Types].xml", "a.XLSX", "an Excel workbook"),
        ("[Content_Types].xml", "a", "an office document"),
        ("a.csv", "a.xlsx", "a zip archive"),
    ],
)
def test_what_a_zip_looks_like_is_said_in_words(tmp_path: Path, member: str, name: str, words: str) -> None:
    assert looks_like(zip_of(tmp_path / "z", (member, b"x")).read_bytes(), name) == words
