"""What a file looks like, in words for a person whose file we cannot read."""

import re

from loaders.archives import first_names, packing

WORKBOOK = "an Excel workbook"
OLD_OFFICE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
MAGIC = (
    (b"%PDF-", "a PDF"),
    (b"PAR1", "a Parquet file"),
    (OLD_OFFICE, "an old Excel workbook or Word document"),
    (b"\x1f\x8b", "a gzip file"),
    (b"BZh", "a bzip2 file"),
    (b"\xfd7zXZ\x00", "an xz file"),
    (b"\x28\xb5\x2f\xfd", "a Zstandard file"),
    (b"\x89PNG\r\n\x1a\n", "a picture"),
    (b"\xff\xd8\xff", "a picture"),
    (b"GIF8", "a picture"),
    (b"SQLite format 3\x00", "an SQLite database"),
    (b"version https://git-lfs.github.com/spec/", "a Git LFS pointer, not the file itself"),
)

DOCUMENTS = (
    (re.compile(r"xl/.*"), WORKBOOK),
    (re.compile(r"word/.*"), "a Word document"),
    (re.compile(r"ppt/.*"), "a PowerPoint document"),
    (re.compile(r"Index/.*\.iwa"), "a Numbers document"),
    (re.compile(r"META-INF/MANIFEST\.MF"), "a Java archive"),
)

SUFFIXES = {
    ".xlsx": WORKBOOK,
    ".xlsm": WORKBOOK,
    ".ods": "an OpenDocument spreadsheet",
    ".numbers": "a Numbers document",
    ".docx": "a Word document",
    ".pptx": "a PowerPoint document",
    ".jar": "a Java archive",
}
"""Asked only of zips that show themselves to be documents."""

PACKED = {"zip": "a zip archive", "tar": "a tar archive", "tar.gz": "a tar.gz archive"}
OTHER_ARCHIVES = ((b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive"), (b"Rar!\x1a\x07", "a RAR archive"))
DELIMITER = re.compile(rb"[,;\t]")
NO_CONTROLS = bytes({*range(32, 256), *b"\t\n\r\f\x1b"})


def archive_looks(head: bytes) -> str | None:
    """Which archive of many files begins with `head`, readable here or not; None for anything else."""
    if form := packing(head):
        return PACKED[form]
    return next((words for magic, words in OTHER_ARCHIVES if head.startswith(magic)), None)


def looks_like(head: bytes, name: str) -> str:
    """What a file of this name that begins with `head` (64 KiB do) looks like: WORKBOOK, "CSV text", …"""
    if not head:
        return "an empty file"
    if archive := archive_looks(head):
        return archive
    if head.startswith(b"PK\x03\x04"):
        return _document(head, name)
    for magic, words in MAGIC:
        if head.startswith(magic):
            return words
    if head[8:12] == b"DUCK":
        return "a DuckDB database"
    return _text(head)


def may_be_workbook(head: bytes, name: str) -> bool:
    """Whether a zip that begins with `head` says by its name or its first members that it is a workbook."""
    return head.startswith(b"PK\x03\x04") and (
        name.lower().endswith((".xlsx", ".xlsm")) or any(member.startswith("xl/") for member in first_names(head))
    )


def is_old_office(head: bytes) -> bool:
    """Whether a file is in the format of old Office documents, which a password puts around a new one, too."""
    return head.startswith(OLD_OFFICE)


def _document(head: bytes, name: str) -> str:
    names = first_names(head)
    for pattern, words in DOCUMENTS:
        if any(pattern.fullmatch(member) for member in names):
            return words
    if b"opendocument.spreadsheet" in head[:200]:
        return "an OpenDocument spreadsheet"
    suffix = name[name.rfind(".") :].lower()
    return SUFFIXES.get(suffix, "an office document")


def _text(head: bytes) -> str:
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        head = head.decode("utf-16", "replace").encode("utf-8", "replace")
    head = head.removeprefix(b"\xef\xbb\xbf")
    if b"\0" in head or len(head[:4096].translate(None, NO_CONTROLS)) > 4:
        return "binary data"
    start = head.lstrip()
    if re.match(rb"<!doctype html|<html", start, re.IGNORECASE):
        return "an HTML page"
    if start.startswith(b"<?xml"):
        return "XML text"
    if start.startswith((b"{", b"[")):
        return "JSON text"
    columns = [len(DELIMITER.findall(line)) for line in start.split(b"\n", 2)[:2]]
    return "CSV text" if min(columns) > 0 else "text"
