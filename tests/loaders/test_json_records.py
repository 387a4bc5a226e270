"""Records out of JSON: their lines, and what is left when the file is damaged."""

import json
import tracemalloc

import pytest

from loaders.json_records import MAX_RECORD, Record, json_records
from mlperf.errors import Problem
from tests.loaders.conftest import Make

RECORDS = [{"n": number, "text": f"a{number}\n, }} , {{ "} for number in range(5)]


def read(make: Make, content: object) -> tuple[list[Record], list[Problem]]:
    found = list(json_records(make(content)))
    return [item for item in found if isinstance(item, Record)], [item for item in found if isinstance(item, Problem)]


@pytest.mark.parametrize("indent", [None, 0, 1, 4])
def test_every_record_comes_with_the_line_it_begins_on(source: Make, indent: int | None) -> None:
    text = json.dumps(RECORDS, indent=indent)
    records, problems = read(source, text)
    assert [record.fields for record in records] == RECORDS
    assert problems == []
    for record in records:
        assert record.where.line is not None
        assert "{" in text.split("\n")[record.where.line - 1]


def test_an_object_of_records_gives_its_keys(source: Make) -> None:
    records, _ = read(source, {"0": {"n": 1}, "7": {"n": 2}})
    assert [(record.key, record.fields["n"]) for record in records] == [("0", 1), ("7", 2)]


def test_a_byte_order_mark_is_no_fault(source: Make) -> None:
    assert len(read(source, b"\xef\xbb\xbf" + json.dumps(RECORDS).encode())[0]) == 5


@pytest.mark.parametrize("cut", range(1, len(json.dumps(RECORDS, indent=1)), 7))
def test_a_file_that_is_cut_short_gives_its_whole_records_and_says_so(source: Make, cut: int) -> None:
    records, problems = read(source, json.dumps(RECORDS, indent=1)[:-cut])
    assert [record.fields for record in records] == RECORDS[: len(records)]
    assert problems


def test_a_broken_record_is_left_out_and_the_next_ones_are_read(source: Make) -> None:
    text = json.dumps(RECORDS, indent=1).replace('"n": 2', '"n": 2 oops')
    records, problems = read(source, text)
    assert [record.fields["n"] for record in records] == [0, 1, 3, 4]
    assert {problem.kind for problem in problems} == {"broken-json"}
    assert problems[0].where.line == text[: text.index("oops")].count("\n")


@pytest.mark.parametrize(
    "content", ["", "   ", "null", "3", '"text"', "[1, [2], null]", "{]", "[,]", "[" * 100_000, '{"a": ' * 50_000]
)
def test_what_is_no_list_of_records_gives_problems_only(source: Make, content: str) -> None:
    records, problems = read(source, content)
    assert records == []
    assert problems


def test_bytes_that_are_not_utf_8_cost_their_own_record_only(source: Make) -> None:
    records, problems = read(source, json.dumps(RECORDS, indent=1).encode().replace(b'"a3', b'"\xff3'))
    assert [record.fields["n"] for record in records] == [0, 1, 2, 4]
    assert [problem.kind for problem in problems] == ["not-utf-8"]


def test_numbers_of_thousands_of_digits_and_nan_are_no_crash(source: Make) -> None:
    records, problems = read(source, '[{"n": ' + "9" * 6000 + '}, {"n": NaN}, {"n": 1e400}, {"n": 4}]')
    assert [record.fields["n"] for record in records][-1] == 4
    assert len(problems) == 1


def test_an_endless_record_is_reported_in_bounded_memory(source: Make) -> None:
    made = source(b'[{"text": "' + b"x" * (MAX_RECORD * 30))
    tracemalloc.start()
    problems = [item for item in json_records(made) if isinstance(item, Problem)]
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert problems
    assert peak < MAX_RECORD * 12


def test_what_follows_the_closing_bracket_is_reported(source: Make) -> None:
    records, problems = read(source, '[{"n": 1}] [{"n": 2}]')
    assert len(records) == 1
    assert problems
