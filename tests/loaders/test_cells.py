"""One cell: numbers in either convention, silence, flags."""

import pytest

from loaders.cells import MAX_CELL, BadCell, Numbers, conventions, text, yes_or_no
from loaders.fields import Fields
from mlperf.errors import Where


@pytest.mark.parametrize(
    ("cell", "number"),
    [
        ("27,803.90", 27803.90),
        ("1,668", 1668.0),
        ("1,676,757.08", 1676757.08),
        ("0.344907", 0.344907),
        ("2.5e-3", 0.0025),
        (" 12 ", 12.0),
        ("0,345", 0.345),
        ("12,5", 12.5),
        ("1.234.567,8", 1234567.8),
        (7, 7.0),
        (0.25, 0.25),
    ],
)
def test_a_number_is_read_as_its_writer_meant_it(cell: object, number: float) -> None:
    assert Numbers().number(cell) == number


@pytest.mark.parametrize("cell", [None, "", "  ", "Null", "null", "N/A", "n/a", "NaN"])
def test_a_silent_cell_is_no_number_and_no_fault(cell: object) -> None:
    assert Numbers().number(cell) is None


@pytest.mark.parametrize(
    "cell", ["fast", "1,2,3", "12 ms", "0x10", "١٢", "1e999", "Infinity", True, [], {}, "--1", "1_000", "-"]
)
def test_a_cell_that_is_no_number_is_refused(cell: object) -> None:
    with pytest.raises(BadCell):
        Numbers().number(cell)


def test_a_file_with_decimal_commas_is_read_with_decimal_commas() -> None:
    numbers = conventions(["1.668,50", "12,5", "1,668"])
    assert [numbers.number(cell) for cell in ("1.668,50", "12,5", "1,668", "1.668")] == [1668.5, 12.5, 1.668, 1668.0]


def test_a_cell_that_may_mean_two_numbers_in_a_mixed_file_is_refused() -> None:
    numbers = conventions(["27,803.90", "12,5"])
    assert numbers.number("27,803.90") == 27803.90
    with pytest.raises(BadCell, match="two numbers"):
        numbers.number("1,668")


@pytest.mark.parametrize(("delimiter", "number"), [(";", 56.869), (",", 56869.0)])
def test_where_no_cell_tells_the_decimal_sign_the_delimiter_does(delimiter: str, number: float) -> None:
    assert conventions(["56,869", "2,015", "12"], delimiter).number("56,869") == number


@pytest.mark.parametrize("telling", ["2,000.25", "1,234,567", "0.5"])
def test_a_cell_that_tells_the_decimal_sign_goes_before_the_delimiter(telling: str) -> None:
    assert conventions(["56,869", telling], ";").number("56,869") == 56869.0


def test_between_tabs_a_comma_that_nothing_explains_is_refused() -> None:
    numbers = conventions(["56,869", "12"], "\t")
    assert numbers.number("12") == 12.0
    with pytest.raises(BadCell, match="two numbers"):
        numbers.number("56,869")


def test_text_loses_control_characters_and_halves_of_characters_but_no_letters() -> None:
    assert text("  Dell\x00 \x1b[31mXR7620\ud800 — <b>ü</b> ") == "Dell [31mXR7620 — <b>ü</b>"


def test_text_that_is_too_long_is_refused_and_not_cut() -> None:
    assert text("x" * MAX_CELL) == "x" * MAX_CELL
    with pytest.raises(BadCell, match="characters"):
        text("x" * (MAX_CELL + 1))


@pytest.mark.parametrize(
    ("cell", "flag"),
    [("TRUE", True), (1, True), ("0", False), (False, False), ("Valid", True), ("INVALID", False), ("", None)],
)
def test_yes_and_no_are_read_as_tables_write_them(cell: object, flag: bool | None) -> None:
    assert yes_or_no(cell) is flag


def test_a_flag_that_is_neither_is_refused() -> None:
    with pytest.raises(BadCell):
        yes_or_no("maybe")


def test_the_texts_of_a_record_do_not_depend_on_the_records_before() -> None:
    numbers: list[object] = [1, True, 1.0, "1", 0, False, 0.0, -0.0, "-0.0"]
    cells: list[object] = [*numbers, None, "", " x\x07y ", "x" * 401, [1], {"a": 1}]
    columns = {"new": "old", "other": "old"}
    told: dict[int, tuple[dict[str, str | None], list[str]]] = {}
    for order in (cells, cells[::-1], cells):
        for cell in order:
            fields = Fields(Where("a.json", 1), {"old": cell})
            found = fields.texts(columns), [problem.found for problem in fields.problems]
            assert told.setdefault(id(cell), found) == found
            alone = Fields(Where("a.json", 1), {"old": cell})
            assert found[0] == {"new": alone.text("old"), "other": alone.text("old")}
            assert found[1] == [problem.found for problem in alone.problems]
    texts = [told[id(cell)][0]["new"] for cell in numbers]
    assert texts == ["1", "True", "1.0", "1", "0", "False", "0.0", "-0.0", "-0.0"]
