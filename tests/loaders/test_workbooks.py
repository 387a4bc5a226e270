"""Excel workbooks: what a sheet says, what is told of a workbook, and what a hostile one may not do."""

import csv
import io
import zipfile
from collections.abc import Mapping
from contextlib import suppress
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import openpyxl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from loaders import workbooks
from loaders.formats import checker_csv
from loaders.ingest import SourceReport, load
from loaders.manifest import Manifest
from loaders.store import open_database
from loaders.trees.protocol import Label
from loaders.unpack import Source, sources
from mlperf.errors import BrokenFile, LoadError, Problem, UnknownFormat, UnsafeArchive
from tests.loaders.making import checker, kinds, load_files, rows, summarizer, table, write

Database = duckdb.DuckDBPyConnection
Cells = list[list[Any]]

SHEET = "xl/worksheets/sheet1.xml"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006/relationships"
MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"


def book(sheets: Mapping[str, Cells]) -> bytes:
    """A workbook as openpyxl writes it."""
    made = openpyxl.Workbook()
    made.remove(made.active)
    for name, cells in sheets.items():
        sheet = made.create_sheet(name)
        for line in cells:
            sheet.append(line)
    written = io.BytesIO()
    made.save(written)
    return written.getvalue()


def with_numbers(text: str) -> Cells:
    """CSV text as cells, with numbers as a spreadsheet program takes them."""
    return [[number(cell) for cell in line] for line in csv.reader(io.StringIO(text))]


def number(cell: str) -> Any:
    try:
        return float(cell) if cell.strip() == cell and "_" not in cell and cell.lower() not in {"nan", "inf"} else cell
    except ValueError:
        return cell or None


def made(
    sheet: str | list[str] = "", members: Mapping[str, bytes | str] | None = None, names: list[str] | None = None
) -> bytes:
    """A workbook by hand: `sheet` is what stands in `sheetData`; `members` replaces and adds parts."""
    contents = [sheet] if isinstance(sheet, str) else sheet
    listed = "".join(
        f'<sheet name="{name}" sheetId="{at}" r:id="r{at}"/>'
        for at, name in enumerate(names or [f"Sheet{at}" for at in range(1, len(contents) + 1)], 1)
    )
    relations = "".join(
        f'<Relationship Id="r{at}" Type="{OFFICE}/worksheet" Target="worksheets/sheet{at}.xml"/>'
        for at in range(1, len(contents) + 1)
    )
    strings = f'<Relationship Id="rs" Type="{OFFICE}/sharedStrings" Target="sharedStrings.xml"/>'
    parts: dict[str, bytes | str] = {
        "[Content_Types].xml": "<Types/>",
        "xl/workbook.xml": f'<workbook xmlns="{MAIN}" xmlns:r="{OFFICE}"><sheets>{listed}</sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{PACKAGE}">{relations}{strings}</Relationships>',
        **{
            f"xl/worksheets/sheet{at}.xml": f'<worksheet xmlns="{MAIN}"><sheetData>{text}</sheetData></worksheet>'
            for at, text in enumerate(contents, 1)
        },
        **(members or {}),
    }
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in parts.items():
            packed.writestr(name, content)
    return written.getvalue()


def cell(address: str, value: str, kind: str = "n") -> str:
    return f'<c r="{address}" t="{kind}"><v>{value}</v></c>'


def lines(tmp_path: Path, content: bytes, name: str = "book.xlsx") -> list[list[str]]:
    """The first sheet as the loaders read it."""
    (path,) = write(tmp_path, {name: content})
    sheet = next(item for item in sources(path) if isinstance(item, Source))
    return list(csv.reader(io.StringIO(sheet.read(1 << 20).decode())))


def refusal(tmp_path: Path, content: bytes, name: str = "book.xlsx") -> LoadError:
    (path,) = write(tmp_path, {name: content})
    with pytest.raises(LoadError) as raised:
        list(sources(path))
    return raised.value


EXPORTS = (
    "inference_v5.0_crosstab.csv",
    "inference_v5.0_closed_power_full_data.csv",
    "inference_v6.0_flat_utf16.csv",
    "submission_checker_summary_v5.1.csv",
    "training_v4.0_closed_power_flat.csv",
)


def decoded(path: Path) -> str:
    """A sample as text with commas, whatever it is written in."""
    data = path.read_bytes()
    text = data.decode("utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig", "replace").rstrip("\ufffd")
    delimiter = "\t" if "\t" in text[:2000] else ","
    written = io.StringIO()
    csv.writer(written).writerows(csv.reader(io.StringIO(text), delimiter=delimiter))
    return written.getvalue()


def results(connection: Database) -> list[dict[str, Any]]:
    """The results without what names their file."""
    unlike = {"source", "source_path", "link", "result_id"}
    return [{name: value for name, value in row.items() if name not in unlike} for row in rows(connection)]


@pytest.mark.parametrize("name", EXPORTS)
def test_a_real_table_gives_the_same_results_as_a_workbook(
    shared: Path, database: Database, tmp_path: Path, name: str
) -> None:
    text = decoded(shared / "exports" / name)
    other = open_database(None)
    (as_text,) = load_files(database, tmp_path, {name: text})
    (as_book,) = load_files(other, tmp_path, {name.replace(".csv", ".xlsx"): book({"Sheet1": with_numbers(text)})})
    assert as_book.new == as_text.new > 0
    assert results(other) == results(database)


def test_a_problem_names_file_sheet_and_row_as_the_spreadsheet_shows_them(database: Database, tmp_path: Path) -> None:
    heads, line = with_numbers(table(checker()))
    wrong = [*line]
    wrong[heads.index("Result")] = "fast"
    above: Cells = [["Results"], [None], [None]]
    (report,) = load_files(database, tmp_path, {"book.xlsx": book({"My table": [*above, heads, line, [], wrong]})})
    assert report.new == 1
    assert {str(problem.where) for problem in report.problems} == {"book.xlsx/My table:7"}
    assert {row["source_path"] for row in rows(database)} == {"My table"}


@pytest.mark.parametrize("value", [7.847117461035696, 1.234, 12345.678, 1e-7, 123456789012, 1.5e300])
def test_a_number_keeps_its_digits_whatever_other_cells_take_for_a_decimal_sign(
    database: Database, tmp_path: Path, value: float
) -> None:
    heads, line = with_numbers(table(checker()))
    at = heads.index("Result"), heads.index("Platform")
    cells = [line[:], line[:]]
    cells[0][at[0]], cells[1][at[0]], cells[1][at[1]] = value, "1.234,5", "other"
    load_files(database, tmp_path, {"book.xlsx": book({"a": [heads, *cells]})})
    assert {row["value"] for row in rows(database)} == {value, 1234.5}


def test_the_first_sheet_that_is_a_table_is_read_and_the_others_are_listed(database: Database, tmp_path: Path) -> None:
    first, second = with_numbers(table(checker())), with_numbers(table(checker(Result=5, Platform="draft")))
    content = book({"Notes": [["words"]], "Final": first, "Draft": second, "Empty": []})
    (report,) = load_files(database, tmp_path, {"book.xlsx": content})
    assert [row["system_id"] for row in rows(database)] == ["acme_one_8xA100"]
    assert list(report.recognised) == [f'{checker_csv.TITLE}, sheet "Final"']
    assert [name for name, _ in report.skipped] == ["book.xlsx/Notes", "book.xlsx/Empty"]
    assert [(problem.kind, str(problem.where)) for problem in report.problems] == [("second-table", "book.xlsx/Draft")]


def test_a_workbook_without_a_table_is_refused_and_its_sheets_are_named(database: Database, tmp_path: Path) -> None:
    (report,) = load_files(database, tmp_path, {"book.xlsx": book({"Notes": [["words"]], "More": [[1]]})})
    assert isinstance(report.refused, UnknownFormat)
    assert '"Notes", "More"' in str(report.refused)
    assert "first 12 rows" in str(report.refused)


def test_a_hidden_sheet_is_told_and_not_read(database: Database, tmp_path: Path) -> None:
    shown = with_numbers(table(checker()))
    content = openpyxl.load_workbook(io.BytesIO(book({"old": with_numbers(table(checker(Result=5))), "new": shown})))
    content["old"].sheet_state = "veryHidden"
    content.save(tmp_path / "book.xlsx")
    (report,) = load(tmp_path / "book.xlsx", database, Manifest())
    assert [row["value"] for row in rows(database)] == [1000.5]
    assert kinds(database) == ["hidden-sheet"]
    assert report.new == 1


def test_what_the_summarizer_splits_by_division_is_one_table(database: Database, tmp_path: Path) -> None:
    closed, opened = (with_numbers(summarizer(division=division, bert=12.5)) for division in ("closed", "open"))
    (report,) = load_files(database, tmp_path, {"book.xlsx": book({"closed": closed, "open": opened})})
    assert {row["division"] for row in rows(database)} == {"closed", "open"}
    assert report.problems == []


def test_dates_errors_and_unsaved_formulas_in_a_column_of_results_are_told(database: Database, tmp_path: Path) -> None:
    heads, line = with_numbers(table(checker()))
    at, name = heads.index("Result"), heads.index("Platform")
    lines_ = []
    for number_, value in enumerate([date(2026, 1, 2), "=1/0", True, 7.5]):
        changed = line[:]
        changed[at], changed[name] = value, f"system {number_}"
        lines_.append(changed)
    (report,) = load_files(database, tmp_path, {"book.xlsx": book({"a": [heads, *lines_]})})
    assert [row["value"] for row in rows(database)] == [7.5]
    told = [str(problem) for problem in report.problems if problem.kind == "bad-cell"]
    assert [text.partition(" ")[0] for text in told] == ["book.xlsx/a:2:", "book.xlsx/a:3:", "book.xlsx/a:4:"]
    assert "a formula without a saved value" in told[1]


def test_an_error_cell_is_no_blank_though_it_is_the_last_of_the_sheet(tmp_path: Path) -> None:
    content = made(
        f'<row r="2">{cell("B2", "1")}{cell("D2", "#DIV/0!", "e")}</row><row r="4"><c r="A4"><f>B2</f></c></row>'
    )
    assert lines(tmp_path, content) == [[], ["", "1", "", "#DIV/0!"], [], ["a formula without a saved value"]]


def test_all_seventeen_digits_of_a_number_are_read(tmp_path: Path) -> None:
    assert lines(tmp_path, made(f'<row r="1">{cell("A1", repr(0.1 + 0.2))}</row>')) == [[repr(0.1 + 0.2)]]


def test_a_formula_is_worth_its_saved_value(tmp_path: Path) -> None:
    assert lines(tmp_path, made('<row r="1"><c r="A1"><f>1+1</f><v>12.5</v></c></row>')) == [["12.5"]]


@pytest.mark.parametrize(
    "part, kind",
    [
        ("xl/vbaProject.bin", "macro"),
        ("xl/externalLinks/externalLink1.xml", "outside-link"),
        ("xl/connections.xml", "outside-link"),
    ],
)
def test_a_macro_and_a_link_to_outside_are_told(database: Database, tmp_path: Path, part: str, kind: str) -> None:
    content = io.BytesIO(book({"a": with_numbers(table(checker()))}))
    with zipfile.ZipFile(content, "a") as archive:
        archive.writestr(part, "<x/>")
    (report,) = load_files(database, tmp_path, {"book.xlsm": content.getvalue()})
    assert report.new == 1
    assert [(problem.kind, str(problem.where)) for problem in report.problems] == [(kind, f"book.xlsm/{part}")]


def test_a_password_is_told_and_an_old_workbook_is_not_taken_for_one(database: Database, tmp_path: Path) -> None:
    magic = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(100_000)
    locked = refusal(tmp_path, magic + "EncryptedPackage".encode("utf-16-le"))
    assert "a password" in str(locked)
    (report,) = load_files(database, tmp_path, {"old.xls": magic})
    assert isinstance(report.refused, UnknownFormat)
    assert "old Excel workbook" in str(report.refused)
    assert ".xlsx" in report.refused.fix


def test_a_workbook_in_an_archive_is_named_with_advice(database: Database, tmp_path: Path) -> None:
    inner = book({"a": with_numbers(table(checker()))})
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w") as packed:
        packed.writestr("book.xlsx", inner)
        packed.writestr("a.csv", table(checker()))
    (report,) = load_files(database, tmp_path, {"up.zip": written.getvalue()})
    assert report.new == 1
    assert report.skipped == [("up.zip/book.xlsx", "an Excel workbook in an archive; load it by itself")]


def test_a_workbook_in_a_folder_is_read_and_a_broken_one_is_told(database: Database, tmp_path: Path) -> None:
    content = book({"a": with_numbers(table(checker()))})
    write(tmp_path / "folder", {"good.xlsx": content, "cut.xlsx": content[:2000], "rest.csv": "words"})
    reports: list[SourceReport] = list(load(tmp_path / "folder", database, Manifest()))
    assert [row["source_path"] for row in rows(database)] == ["a"]
    assert [report.name for report in reports if report.refused] == ["folder/cut.xlsx", "folder/rest.csv"]


def test_text_that_is_called_a_workbook_is_read_as_what_it_is(database: Database, tmp_path: Path) -> None:
    (report,) = load_files(database, tmp_path, {"book.xlsx": table(checker())})
    assert report.new == 1


def test_the_round_that_its_owner_says_goes_for_a_workbook_too(database: Database, tmp_path: Path) -> None:
    content = with_numbers(summarizer(bert=12.5, details_url="", code_url=""))
    (path,) = write(tmp_path, {"book.xlsx": book({"Sheet": content})})
    (report,) = load(path, database, Manifest(), label=Label(round="v2.1"))
    assert [(row["round"], row["value"]) for row in rows(database)] == [("v2.1", 12.5)]
    assert report.problems == []


TWICE = "".join(f'<Relationship Id="r{at}" Type="{OFFICE}/worksheet" Target="worksheets/sheet1.xml"/>' for at in (1, 2))
BOMB = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]>'
SHARED = f'<sst xmlns="{MAIN}">{{}}</sst>'
FAR = '<row r="1"><c r="A1"><v>1</v></c></row><row r="{0}"><c r="{1}{0}"><v>1</v></c></row>'
HOSTILE: dict[str, tuple[bytes, type[LoadError], str]] = {
    "entities": (made("", {SHEET: f"{BOMB}<worksheet>&b;</worksheet>"}), UnsafeArchive, "entities"),
    "entities in the texts": (made("", {"xl/sharedStrings.xml": BOMB + SHARED}), UnsafeArchive, "entities"),
    "entities in the workbook": (made("", {"xl/workbook.xml": f"{BOMB}<workbook/>"}), UnsafeArchive, "entities"),
    "a far cell": (made(FAR.format(1_048_576, "XFD")), UnsafeArchive, "1,048,576 rows of 16,384 columns"),
    "a cell beyond all": (made(FAR.format(99_999_999_999, "B")), BrokenFile, "row '99999999999'"),
    "a column beyond all": (made('<row r="1"><c r="XFE1"><v>1</v></c></row>'), BrokenFile, "'XFE1'"),
    "cells in disorder": (made(f'<row r="1">{cell("B1", "1")}{cell("A1", "2")}</row>'), BrokenFile, "after column 2"),
    "a cell twice": (made(f'<row r="1">{cell("A1", "1")}{cell("A1", "2")}</row>'), BrokenFile, "after column 1"),
    "a row twice": (made('<row r="1"/><row r="1"/>'), BrokenFile, "after row 1"),
    "no addresses": (made("<row><c><v>1</v></c></row>"), BrokenFile, "row ''"),
    "two values": (made('<row r="1"><c r="A1"><v>1</v><v>2</v></c></row>'), BrokenFile, "two values"),
    "a value in a value": (made(f'<row r="1">{cell("A1", "1<v>2</v>3")}</row>'), BrokenFile, "two values"),
    "a comment in a number": (made(f'<row r="1">{cell("A1", "1<!-- -->2")}</row>'), BrokenFile, "comment"),
    "a number as CDATA": (made(f'<row r="1">{cell("A1", "<![CDATA[5]]>")}</row>'), BrokenFile, "CDATA"),
    "a missing text": (made(f'<row r="1">{cell("A1", "7", "s")}</row>'), BrokenFile, "text"),
    "an unknown type": (made(f'<row r="1">{cell("A1", "7", "zz")}</row>'), BrokenFile, "zz"),
    "no number": (made(f'<row r="1">{cell("A1", "-inf")}</row>'), BrokenFile, "a number that is none, '-inf'"),
    "an endless number": (made(f'<row r="1">{cell("A1", "1" * 200_000 + "x")}</row>'), BrokenFile, "is none"),
    "a date beyond all": (
        made('<row r="1"><c r="A1" s="0"><v>1e300</v></c></row>', {
            "xl/styles.xml": f'<styleSheet xmlns="{MAIN}"><cellXfs><xf numFmtId="46"/></cellXfs></styleSheet>',
            "xl/_rels/workbook.xml.rels": f"<Relationships>{TWICE}"
            f'<Relationship Id="s" Type="{OFFICE}/styles" Target="styles.xml"/></Relationships>',
        }),
        BrokenFile,
        "cannot be read",
    ),
    "one text in many cells": (
        made(
            "".join(f'<row r="{at}">{cell(f"A{at}", "0", "s")}</row>' for at in range(1, 999)),
            {"xl/sharedStrings.xml": SHARED.format(f"<si><t>{'a' * 200_000}</t></si>")},
        ),
        UnsafeArchive,
        "characters",
    ),
    "an endless tag": (made("", {SHEET: f'<worksheet a="{" " * 999_999}"/>'}), UnsafeArchive, "tag"),
    "deep elements": (made("<a>" * 9999 + "</a>" * 9999), UnsafeArchive, "elements"),
    "many sheets": (made([""] * 300), UnsafeArchive, "more than 256 sheets"),
    "20,000 sheets": (made([""] * 20_000), UnsafeArchive, "parts"),
    "one part as two sheets": (
        made(["", ""], {"xl/_rels/workbook.xml.rels": f"<Relationships>{TWICE}</Relationships>"}),
        BrokenFile,
        "same cells",
    ),
    "two sheets of one name": (made(["", ""], names=["a", "A"]), BrokenFile, "two sheets named"),
    "broken XML": (made("<row"), BrokenFile, "line 1"),
    "XML cut short": (made("", {SHEET: "<worksheet><sheetData>"}), BrokenFile, "no element found"),
    "no sheets": (made([]), BrokenFile, "without sheets"),
    "UTF-16": (made("", {SHEET: "<worksheet/>".encode("utf-16")}), BrokenFile, "UTF-16"),
    "Latin-1": (
        made("", {SHEET: '<?xml version="1.0" encoding="latin-1"?><worksheet/>'}),
        BrokenFile,
        "latin-1",
    ),
    "spaces that unpack to much": (made("", {SHEET: " " * (20 << 20)}), UnsafeArchive, "zip bomb"),
    "too much XML": (
        made("", {f"xl/worksheets/sheet{at}.xml": bytes(9 << 20) for at in range(9)}), UnsafeArchive, "64 MB",
    ),
    "a member that leads out": (made("", {"../xl/a.xml": "<a/>"}), UnsafeArchive, ".."),
    "cut short": (made("")[:400], BrokenFile, "damaged or cut short"),
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_workbook_is_refused_with_its_reason(tmp_path: Path, name: str) -> None:
    content, kind, words = HOSTILE[name]
    fault = refusal(tmp_path, content)
    assert type(fault) is kind
    assert words in str(fault)
    assert fault.fix


def test_a_sheet_may_declare_any_size(tmp_path: Path) -> None:
    sheet = f'<worksheet xmlns="{MAIN}"><dimension ref="A1:XFD1048576"/><sheetData><row r="1">{{}}</row></sheetData>'
    content = made("", {SHEET: sheet.format(cell("A1", "1")) + "</worksheet>"})
    assert lines(tmp_path, content) == [["1"]]


@pytest.mark.parametrize("written, path", [
    ("a&#10;b", "a b"), ("a/b\\c", "a_b_c"), ("..", "sheet 1"), ("", "sheet 1"), ("a\u202eb", "a(U+202E)b"),
    ("mlperf_log_detail.txt", "mlperf_log_detail.txt"),
])  # fmt: skip
def test_the_name_of_a_sheet_is_one_plain_part_of_a_path(tmp_path: Path, written: str, path: str) -> None:
    (file,) = write(tmp_path, {"book.xlsx": made(f'<row r="1">{cell("A1", "1")}</row>', names=[written])})
    (sheet,) = sources(file)
    assert isinstance(sheet, Source)
    assert sheet.name == f"{file}/{path}" or sheet.name == f"book.xlsx/{path}"


def test_a_sheet_called_as_a_log_is_no_log(database: Database, tmp_path: Path) -> None:
    content = book({"result_0.txt": with_numbers(table(checker()))})
    (report,) = load_files(database, tmp_path, {"book.xlsx": content})
    assert report.new == 1


def test_the_texts_of_cells_are_one_line_each(tmp_path: Path) -> None:
    texts = SHARED.format("<si><r><t>a\nb</t></r><r><t>&amp;,c</t></r></si>")
    shared_cell = cell("B1", "0", "s")
    content = made(f'<row r="1">{cell("A1", "x&#10;y", "str")}{shared_cell}</row>',
                   {"xl/sharedStrings.xml": texts})  # fmt: skip
    assert lines(tmp_path, content) == [["x y", "a b&,c"]]


BASE = book({"Sheet1": with_numbers(table(checker()))})


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150, deadline=None)
@given(st.data())
def test_a_damaged_workbook_is_read_or_refused_and_nothing_else(tmp_path: Path, data: st.DataObject) -> None:
    with zipfile.ZipFile(io.BytesIO(BASE)) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    name = data.draw(st.sampled_from(sorted(part for part in parts if workbooks.is_wanted(part))))
    content = bytearray(parts[name])
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(content) - 1))
        if data.draw(st.booleans()):
            content[at] = data.draw(st.integers(0, 255))
        else:
            end = data.draw(st.integers(at, min(len(content), at + 60)))
            content[at:end] = data.draw(
                st.sampled_from([b"", b"<", b'"', b"9999999", b"<v>1</v>", bytes(content[at:end]) * 2])
            )
        content = content or bytearray(b"<")
    parts[name] = bytes(content)
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w") as packed:
        for part, text in parts.items():
            packed.writestr(part, text)
    (path,) = write(tmp_path, {"book.xlsx": written.getvalue()})
    with suppress(LoadError):
        for item in sources(path):
            assert isinstance(item, Problem) or item.read(1 << 20) is not None
