"""The sheets of an Excel workbook (`.xlsx`, `.xlsm`) as text tables, row by row as the spreadsheet program counts them.

Nothing in a workbook is run: a formula is worth the value that was saved with it, a macro and a link to outside are
told. calamine reads the cells; it allocates the whole rectangle that holds all cells, ends the process where that is
too much, and reads a value that holds a comment in part (0.9.1). So every part is looked through before, by an XML
parser in linear time, and what calamine gets is a workbook of these parts alone.
Source of the format: ECMA-376 part 1, SpreadsheetML.
"""

import csv
import io
import posixpath
import re
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final
from xml.parsers import expat

from python_calamine import CalamineError, CalamineWorkbook

from loaders.limits import CONTROL, shown, tidy_name
from mlperf.errors import BrokenFile, Problem, UnsafeArchive, Where

MAIN: Final = "xl/workbook.xml"
_RELATIONS: Final = "xl/_rels/workbook.xml.rels"
_SHEETS: Final = re.compile(r"xl/.*\.(xml|rels)", re.IGNORECASE)
_DRAWN: Final = re.compile(r"xl/(media|drawings|charts|theme|embeddings|printerSettings|customXml)/.*", re.IGNORECASE)

MAX_SHEETS: Final = 256
MAX_PARTS: Final = 4096
"""Most files in a workbook; one with a sheet for each of 150 systems, each with a chart, has under 1,000."""
MAX_XML: Final = 64 << 20
"""Most bytes of XML; a whole round's table has about 10 MB."""
MAX_AREA: Final = 1_000_000
"""Most cells of the rectangle that holds all cells of a sheet, empty ones counted; a round's table has 250,000."""
MAX_ELEMENTS: Final = 6_000_000
"""Most XML elements of a part: a cell has up to three."""
MAX_TEXT: Final = 64 << 20
"""Most characters in the cells of a sheet: a text may stand once in the file and in each of a million cells."""
MAX_DEPTH: Final = 64
MAX_TAG: Final = 256 << 10
"""Bytes within which a new tag has to begin. The longest text of a cell has 32,767 characters."""
MAX_COLUMN, MAX_ROW = 16_384, 1_048_576
_CELLS: Final = 3
"""Depth above the cells of a sheet: worksheet, sheetData, row."""
_TEXTS: Final = 1
"""Depth above the shared texts."""

_SAVE: Final = "Open it in a spreadsheet program, save the sheet with the results as CSV, and load that."
_ADDRESS: Final = re.compile(r"([A-Z]{1,3})([1-9]\d{0,6})", re.ASCII)
_NUMBER: Final = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_POINT_GROUPS: Final = re.compile(r"-?\d{1,3}\.\d{3}", re.ASCII)
_MACRO: Final = re.compile(r"xl/(vbaProject\.bin|macrosheets/.*)", re.IGNORECASE)
_OUTSIDE: Final = re.compile(r"xl/(externalLinks/[^/]*\.xml|connections\.xml)", re.IGNORECASE)


@dataclass(frozen=True)
class Sheet:
    """One sheet as a table."""

    name: str
    """As a part of a path."""
    text: bytes = field(repr=False)
    """Comma-separated, UTF-8; line n is row n of the sheet. Empty for a chart."""


@dataclass(frozen=True)
class _Listed:
    """A sheet as the workbook lists it."""

    name: str
    part: str
    is_hidden: bool

    def has_cells(self, parts: Mapping[str, bytes]) -> bool:
        """Whether it is read: no chart, and not hidden."""
        return not self.is_hidden and self.part in parts


def is_workbook(names: Sequence[str]) -> bool:
    """Whether a zip with these members is a workbook that is read here."""
    return MAIN in names


def is_wanted(part: str) -> bool:
    """Whether a member of the zip may hold cells, or say which do."""
    return bool(_SHEETS.fullmatch(part)) and not _DRAWN.fullmatch(part)


def check(parts: Mapping[str, int], name: str) -> None:
    """Raises UnsafeArchive for a workbook of too many or too large parts: sizes in bytes by path."""
    if len(parts) > MAX_PARTS:
        raise UnsafeArchive(f"is a workbook of {len(parts):,} parts; at most {MAX_PARTS:,} are read.", name, _SAVE)
    if sum(size for part, size in parts.items() if is_wanted(part)) > MAX_XML:
        raise UnsafeArchive(f"is a workbook of more than {MAX_XML >> 20} MB of cells.", name, _SAVE)


def warnings(parts: Sequence[str], name: str) -> Iterator[Problem]:
    """What a workbook of these parts holds that is not read: macros, and links to outside."""
    for part in parts:
        if _MACRO.fullmatch(part):
            fix = "What it would have changed is not in the cells; look at them, and save the workbook without macros."
            yield Problem(Where(f"{name}/{part}"), "macro", "is a macro, and was not run.", fix)
            break
    for part in parts:
        if _OUTSIDE.fullmatch(part):
            fix = "Cells that come from there have the values that were saved last; check them against that file."
            found = "is a link to data outside of the workbook, and was not followed."
            yield Problem(Where(f"{name}/{part}"), "outside-link", found, fix)
            break


def sheets(parts: Mapping[str, bytes], name: str) -> Iterator[Sheet | Problem]:
    """The sheets in their order, from the wanted parts by path; a Problem for a hidden one, which is not read.

    Raises BrokenFile, and UnsafeArchive for what asks for too much memory.
    """
    book = _Book(name)
    _walk(parts[MAIN], f"{name}/{MAIN}", book.workbook)
    _walk(parts.get(_RELATIONS, b""), f"{name}/{_RELATIONS}", book.relations)
    listed = book.listed()
    lengths = _Lengths()
    common = {kind: part for kind in ("sharedStrings", "styles") if (part := parts.get(book.part(kind))) is not None}
    if "sharedStrings" in common:
        _walk(common["sharedStrings"], f"{name}/sharedStrings", lengths.start, lengths.end, lengths.text, _TEXTS)
    if "styles" in common:
        _walk(common["styles"], f"{name}/styles", lambda tag, attributes: None)
    contents = [parts[sheet.part] for sheet in listed if sheet.has_cells(parts)]
    calamine = _Calamine(contents, common, book.is_1904)
    for sheet in listed:
        where = f"{name}/{sheet.name}"
        if sheet.is_hidden:
            yield Problem(Where(where), "hidden-sheet", "is a hidden sheet, and was not read.", "Unhide it to load it.")
        elif not sheet.has_cells(parts):
            yield Sheet(sheet.name, b"")
        else:
            scan = _Scan(where, lengths.all)
            _walk(parts[sheet.part], where, scan.start, scan.end, scan.text, _CELLS)
            yield Sheet(sheet.name, _table(calamine.next(where), scan.instead))


class _Book:
    """What the workbook's own part and its relations say."""

    def __init__(self, name: str) -> None:
        self.is_1904 = False
        self._name = name
        self._sheets: list[tuple[str, str, bool]] = []
        self._targets: dict[str, tuple[str, str]] = {}

    def workbook(self, tag: str, attributes: Mapping[str, str]) -> None:
        if tag == "workbookPr":
            self.is_1904 = attributes.get("date1904") in {"1", "true"}
        elif tag == "sheet":
            relation = next((value for key, value in attributes.items() if key.rpartition(":")[2] == "id"), "")
            self._sheets.append((attributes.get("name", ""), relation, attributes.get("state", "visible") != "visible"))
            if len(self._sheets) > MAX_SHEETS:
                raise UnsafeArchive(f"is a workbook of more than {MAX_SHEETS} sheets.", self._name, _SAVE)

    def relations(self, tag: str, attributes: Mapping[str, str]) -> None:
        if tag == "Relationship" and attributes.get("TargetMode") != "External":
            target = posixpath.normpath(posixpath.join("/xl", attributes.get("Target", ""))).removeprefix("/")
            self._targets[attributes.get("Id", "")] = attributes.get("Type", "").rpartition("/")[2], target

    def part(self, kind: str) -> str:
        """The part of a kind of which a workbook has one; "" for none."""
        return next((target for found, target in self._targets.values() if found == kind), "")

    def listed(self) -> list[_Listed]:
        """The sheets, each under a name of its own. A chart has no part with cells."""
        listed: list[_Listed] = []
        names: set[str] = set()
        for number, (written, relation, is_hidden) in enumerate(self._sheets, 1):
            path = tidy_name(CONTROL.sub(" ", written).replace("/", "_").replace("\\", "_"))[:128]
            path = path if path.strip(" .") else f"sheet {number}"
            if path.lower() in names:
                raise BrokenFile(f'has two sheets named "{shown(path)}".', self._name, "Rename one of them.")
            names.add(path.lower())
            kind, target = self._targets.get(relation, ("", ""))
            if kind == "worksheet" and any(sheet.part == target for sheet in listed):
                raise BrokenFile(f'has two sheets with the same cells, "{shown(path)}" the second.', self._name, _SAVE)
            listed.append(_Listed(path, target if kind == "worksheet" else "", is_hidden))
        if not listed:
            raise BrokenFile("is a workbook without sheets.", self._name, _SAVE)
        return listed


def _walk(
    content: bytes,
    where: str,
    start: Callable[[str, Mapping[str, str]], None],
    end: Callable[[str], None] | None = None,
    text: Callable[[str], None] | None = None,
    plain: int = MAX_DEPTH,
) -> None:
    """Hand the elements of a part on, by their names without prefix. Raises BrokenFile and UnsafeArchive.

    Elements below the depth `plain` hold no comments, instructions and CDATA, of which calamine reads a part.
    """
    if not content:
        return
    windows = range(0, len(content) - MAX_TAG, MAX_TAG)
    if any(content.find(b"<", at, at + MAX_TAG) < 0 for at in windows):
        raise UnsafeArchive("holds an XML tag or a text of enormous length.", where, _SAVE)
    parser = expat.ParserCreate()
    parser.buffer_text = True
    depth = elements = 0

    def started(tag: str, attributes: dict[str, str]) -> None:
        nonlocal depth, elements
        depth += 1
        elements += 1
        if depth > MAX_DEPTH or elements > MAX_ELEMENTS:
            raise UnsafeArchive("holds more XML elements than any results table.", where, _SAVE)
        start(tag.rpartition(":")[2], attributes)

    def ended(tag: str) -> None:
        nonlocal depth
        depth -= 1
        if end is not None:
            end(tag.rpartition(":")[2])

    def declared(version: str, encoding: str | None, standalone: int) -> None:
        if encoding is not None and encoding.lower() not in {"utf-8", "us-ascii"}:
            raise BrokenFile(f"is XML in the encoding {shown(encoding)}; only UTF-8 is read.", where, _SAVE)

    def refused(*_: object) -> None:
        raise UnsafeArchive("defines XML entities, as no spreadsheet program does.", where, _SAVE)

    parser.StartElementHandler, parser.EndElementHandler = started, ended
    parser.XmlDeclHandler, parser.StartDoctypeDeclHandler = declared, refused

    def interrupted(*_: object) -> None:
        if depth > plain:
            raise BrokenFile("holds a comment or CDATA in a cell, as no spreadsheet program does.", where, _SAVE)

    parser.CommentHandler = parser.ProcessingInstructionHandler = parser.StartCdataSectionHandler = interrupted
    if text is not None:
        parser.CharacterDataHandler = text
    if content.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\0" in content[:4]:
        raise BrokenFile("is XML in UTF-16; only UTF-8 is read.", where, _SAVE)
    try:
        parser.Parse(content, True)
    except expat.ExpatError as fault:
        reason = expat.errors.messages.get(fault.code, "not well-formed")
        raise BrokenFile(f"is damaged: its XML has {reason} in line {fault.lineno}.", where, _SAVE) from fault


class _Lengths:
    """How long each shared text is, in characters."""

    def __init__(self) -> None:
        self.all: list[int] = []
        self._length = 0

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:
        if tag == "si":
            self._length = 0

    def text(self, data: str) -> None:
        self._length += len(data)

    def end(self, tag: str) -> None:
        if tag == "si":
            self.all.append(self._length)


class _Scan:
    """What a sheet would ask of memory, and the cells that calamine takes for blank: errors and unsaved formulas."""

    def __init__(self, where: str, lengths: Sequence[int]) -> None:
        self.instead: dict[tuple[int, int], str] = {}
        """By row and column, both from 0: what is written into the table instead."""
        self._where, self._lengths = where, lengths
        self._row = self._column = self._rows = self._columns = self._characters = 0
        self._kind = self._tag = ""
        self._value: list[str] = []
        self._is_cell = self._is_formula = self._has_value = False

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:
        if self._tag in {"v", "t"} or (tag in {"c", "row"} and self._is_cell) or (tag == "v" and self._has_value):
            raise self._broken(f"row {self._row} has a cell with two values")
        self._tag = tag
        if tag == "row":
            self._begin_row(attributes.get("r", ""))
        elif tag == "c":
            self._begin_cell(attributes)
        elif tag == "f":
            self._is_formula = True
        elif tag == "v":
            self._has_value = True

    def text(self, data: str) -> None:
        if self._tag in {"v", "t"}:
            self._value.append(data)

    def end(self, tag: str) -> None:
        self._tag = ""
        if tag == "c":
            self._end_cell("".join(self._value).strip())

    def _begin_row(self, number: str) -> None:
        if not (number.isascii() and number.isdecimal() and len(number) <= 7 and self._row < int(number) <= MAX_ROW):
            raise self._broken(f"row {shown(number)!r} stands after row {self._row}")
        self._row, self._column = int(number), 0

    def _begin_cell(self, attributes: Mapping[str, str]) -> None:
        written = attributes.get("r", "")
        address = _ADDRESS.fullmatch(written)
        column = _column(address[1]) if address else 0
        if address is None or int(address[2]) != self._row or not self._column < column <= MAX_COLUMN:
            raise self._broken(f"cell {shown(written)!r} stands in row {self._row} after column {self._column}")
        self._column, self._kind = column, attributes.get("t", "n")
        self._value.clear()
        self._is_cell, self._is_formula, self._has_value = True, False, False
        self._rows, self._columns = self._row, max(self._columns, column)
        if self._rows * self._columns > MAX_AREA:
            found = f"reaches to cell {written}: {self._rows:,} rows of {self._columns:,} columns."
            fix = f"At most {MAX_AREA:,} cells are read. Delete what is far from the table, or save it as CSV."
            raise UnsafeArchive(found, self._where, fix)

    def _end_cell(self, value: str) -> None:
        self._is_cell = False
        place = self._row - 1, self._column - 1
        if self._kind == "s" and value:
            if not (value.isascii() and value.isdecimal() and int(value[:9]) < len(self._lengths)):
                raise self._broken(f"row {self._row} refers to a text that is not there")
            self._characters += self._lengths[int(value)]
        elif self._kind == "n" and value and not _NUMBER.fullmatch(value):
            raise self._broken(f"row {self._row} has a number that is none, {shown(value)[:40]!r}")
        elif self._kind == "e":
            self.instead[place] = value or "#ERROR"
        elif self._is_formula and not value and self._kind != "str":
            self.instead[place] = "a formula without a saved value"
        self._characters += len(value)
        if self._characters > MAX_TEXT:
            raise UnsafeArchive(f"holds more than {MAX_TEXT:,} characters.", self._where, _SAVE)

    def _broken(self, found: str) -> BrokenFile:
        return BrokenFile(f"is damaged: {found}.", self._where, _SAVE)


def _column(letters: str) -> int:
    """`A` is 1, `XFD` is 16,384."""
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - ord("A") + 1
    return number


_OFFICE: Final = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE: Final = "http://schemas.openxmlformats.org/package/2006/relationships"
_CONTENT: Final = "http://schemas.openxmlformats.org/package/2006/content-types"
_SPREADSHEET: Final = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"

Rows = tuple[int, int, Sequence[Sequence[object]]]
"""The first row and the first column that hold anything, from 0; then the cells from there."""


class _Calamine:
    """A workbook of the parts that are read and of nothing else, whose sheets are asked for one after the other."""

    def __init__(self, contents: Sequence[bytes], common: Mapping[str, bytes], is_1904: bool) -> None:
        names = [f"sheet{number}" for number in range(len(contents))]
        kinds = {**dict.fromkeys(names, "worksheet"), **{kind: kind for kind in common}}
        relations = "".join(
            f'<Relationship Id="{part}" Type="{_OFFICE}/{kind}" Target="{part}.xml"/>' for part, kind in kinds.items()
        )
        listed = "".join(f'<sheet name="{name}" sheetId="{at}" r:id="{name}"/>' for at, name in enumerate(names, 1))
        written = {
            "[Content_Types].xml": f'<Types xmlns="{_CONTENT}"/>',
            "_rels/.rels": f'<Relationships xmlns="{_PACKAGE}"><Relationship Id="book" Type="{_OFFICE}/officeDocument"'
            f' Target="{MAIN}"/></Relationships>',
            MAIN: f'<workbook xmlns="{_SPREADSHEET}" xmlns:r="{_OFFICE}"><workbookPr date1904="{int(is_1904)}"/>'
            f"<sheets>{listed}</sheets></workbook>",
            _RELATIONS: f'<Relationships xmlns="{_PACKAGE}">{relations}</Relationships>',
        }
        self._book = io.BytesIO()
        with zipfile.ZipFile(self._book, "w") as packed:
            for part, text in written.items():
                packed.writestr(part, text)
            for part, content in [*zip(names, contents, strict=True), *common.items()]:
                packed.writestr(f"xl/{part}.xml", content)
        self._book.seek(0)
        self._opened: CalamineWorkbook | None = None
        self._next = 0

    def next(self, where: str) -> Rows:
        """The cells of the next sheet, which was looked through."""
        try:
            if self._opened is None:
                self._opened = CalamineWorkbook.from_filelike(self._book)
            sheet = self._opened.get_sheet_by_index(self._next)
            self._next += 1
            row, column = sheet.start or (0, 0)
            return row, column, sheet.to_python()
        except BaseException as fault:
            # A number beyond all dates in a cell of dates is an OverflowError or a panic in Rust, which pyo3 raises as
            # a BaseException of a module that cannot be imported.
            is_panic = type(fault).__name__ == "PanicException"
            if not (is_panic or isinstance(fault, CalamineError | OverflowError | ValueError)):
                raise
            raise BrokenFile(f"cannot be read ({shown(str(fault))}).", where, _SAVE) from fault


def _table(values: Rows, instead: Mapping[tuple[int, int], str]) -> bytes:
    """The cells as lines of CSV, the first line row 1."""
    first_row, first_column, rows = values
    texts: dict[int, dict[int, str]] = {}
    for (row, column), text in instead.items():
        texts.setdefault(row, {})[column] = text
    lines = io.StringIO()
    writer = csv.writer(lines, lineterminator="\n")
    left = [""] * first_column
    for row in range(max(first_row + len(rows), *(row + 1 for row in texts), 0)):
        line = [*left, *map(_text, rows[row - first_row])] if 0 <= row - first_row < len(rows) else []
        for column, text in texts.get(row, {}).items():
            line += [""] * (column + 1 - len(line))
            line[column] = text
        writer.writerow(line)
    return lines.getvalue().encode("utf-8", "replace")


def _text(cell: object) -> str:
    """A cell as text. A number has all its digits, and no reader can take its point for one between thousands."""
    if isinstance(cell, str):
        return cell if "\n" not in cell and "\r" not in cell else " ".join(cell.splitlines())
    if isinstance(cell, float):
        if cell.is_integer() and abs(cell) < 1e15:
            return str(int(cell))
        digits = repr(cell)
        return f"{digits}0" if _POINT_GROUPS.fullmatch(digits) else digits
    return str(cell)
