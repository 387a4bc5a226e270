"""Text tables: encodings, delimiters, headers, and the line of every row."""

import csv
import io
import tracemalloc

import pytest

from loaders.tables import MAX_LINE, Header, Row, header, rows
from mlperf.errors import Problem
from tests.loaders.conftest import Make

HEADER = ["Public ID", "Organization", "System Name", "Result"]
LINES = [
    ["5.1-0001", "Dell", "R750xa, 4x A100", "1,668.50"],
    ["5.1-0002", "HPE", 'a "quoted" name', "2"],
    ["5.1-0003", "Ünï", "x", "3"],
]


def as_text(delimiter: str = ",", end: str = "\n", above: str = "") -> str:
    buffer = io.StringIO()
    csv.writer(buffer, delimiter=delimiter, lineterminator=end).writerows([HEADER, *LINES])
    return above + buffer.getvalue()


def read(make: Make, content: bytes | str) -> tuple[list[Row], list[Problem]]:
    made = make(content)
    found = header(made)
    assert isinstance(found, Header)
    items = list(rows(made, found))
    return [item for item in items if isinstance(item, Row)], [item for item in items if isinstance(item, Problem)]


@pytest.mark.parametrize("delimiter", [",", "\t", ";"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
def test_a_table_reads_the_same_in_every_encoding_and_with_every_delimiter(
    source: Make, delimiter: str, end: str, encoding: str
) -> None:
    found, problems = read(source, as_text(delimiter, end).encode(encoding))
    assert [list(row.cells) for row in found] == LINES
    assert [row.where.line for row in found] == [2, 3, 4]
    assert problems == []


def test_a_stray_byte_at_the_end_of_utf_16_is_no_fault(source: Make) -> None:
    found, problems = read(source, as_text("\t").encode("utf-16") + b"\n")
    assert len(found) == 3
    assert problems == []


def test_a_title_line_over_the_header_is_skipped(source: Make) -> None:
    found, problems = read(source, as_text(end="\r\n", above="Table - Inference_Full Data_data-2\r\n"))
    assert [row.where.line for row in found] == [3, 4, 5]
    assert problems == []


def test_a_line_with_too_few_or_too_many_cells_is_reported_and_the_rest_read(source: Make) -> None:
    found, problems = read(source, as_text() + "only,two\na,b,c,d,e\n6,G,H,4\n")
    assert [row.cells[0] for row in found][-1] == "6"
    assert [problem.where.line for problem in problems] == [5, 6]


def test_nul_characters_and_bad_bytes_cost_their_own_line_only(source: Make) -> None:
    found, problems = read(source, as_text().encode() + b"a,b\0,c,1\n\xff,b,c,2\nx,y,z,9\n")
    assert [row.cells[3] for row in found][-1] == "9"
    assert [problem.where.line for problem in problems] == [5, 6]


def test_a_quote_that_is_never_closed_is_reported(source: Make) -> None:
    found, problems = read(source, as_text() + '7,"never closed,x,1\n8,b,c,2\n')
    assert len(found) == 3
    assert [problem.where.line for problem in problems] == [5]


def test_line_numbers_count_line_feeds_only(source: Make) -> None:
    found, _ = read(source, as_text().replace("Dell", "De\x0cll\u2028"))
    assert [row.where.line for row in found] == [2, 3, 4]


def test_a_line_without_end_is_reported_in_bounded_memory(source: Make) -> None:
    made = source(as_text().encode() + b"x" * (MAX_LINE * 40) + b"\n9,b,c,9\n")
    found = header(made)
    assert found
    tracemalloc.start()
    items = list(rows(made, found))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert [item.where.line for item in items] == [2, 3, 4, 5, 6]
    assert isinstance(items[3], Problem)
    assert peak < MAX_LINE * 12


@pytest.mark.parametrize("content", ["", "a,b,c\n1,2,3\n", "\0\0\0\0", "{}", "Organization\n", '"' * 1000])
def test_what_is_no_results_table_has_no_header(source: Make, content: str) -> None:
    assert header(source(content)) is None


def test_a_file_in_which_two_delimiters_give_a_header_is_no_table(source: Make) -> None:
    assert header(source("Organization,a,b\na;b;c\n")) is not None
    assert header(source("Organization,a,b\nOrganization;c;d\n")) is None
