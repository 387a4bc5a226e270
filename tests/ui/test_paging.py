"""Long tables page by page: every row is on one page, in the order that the reader chooses."""

from typing import Any

import pyarrow as pa
import pytest
from streamlit.testing.v1 import AppTest

from ui import paging


def page_of(rows: int, most: int) -> None:
    import pyarrow as pa
    import streamlit as st

    from ui import paging

    table = pa.table(
        {"name": [f"s{n}" for n in range(rows)], "value": [None if n == 3 else n % 5 for n in range(rows)]}
    )
    st.dataframe(paging.page(table, most, {"value": "Result"}, "some"))


def opened(rows: int = 23, most: int = 10) -> AppTest:
    return AppTest.from_function(page_of, args=(rows, most)).run()


def names(test: AppTest) -> list[str]:
    found: list[str] = test.dataframe[0].value["name"].tolist()
    return found


def turned(test: AppTest, number: int) -> AppTest:
    test.session_state["some.page.23.10"] = number
    return test.run()


def test_pages_hold_every_row_once_and_say_which() -> None:
    test = opened()
    found, said = [], []
    for number in (1, 2, 3):
        found += names(turned(test, number))
        said.append(test.text[0].value)
    assert found == [f"s{n}" for n in range(23)]
    assert said[0].startswith("Rows 1 to 10 of 23;")
    assert said[2].startswith("Rows 21 to 23 of 23;")


def test_an_order_is_one_of_all_rows_and_missing_ones_are_last() -> None:
    test = opened()
    test.selectbox[0].set_value("Result ↓").run()
    found = names(test) + names(turned(test, 2)) + names(turned(test, 3))
    present = sorted((n for n in range(23) if n != 3), key=lambda n: (-(n % 5), n))
    assert found == [f"s{n}" for n in [*present, 3]]


def test_rows_that_fit_one_page_have_no_controls() -> None:
    test = opened(rows=10)
    assert len(names(test)) == 10
    assert not test.selectbox
    assert not test.text


def sent(rows: pa.Table) -> int:
    """Bytes of a table as Arrow's stream has them, which is how it is sent."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, rows.schema) as stream:
        stream.write_table(rows)
    return int(sink.getvalue().size)


@pytest.mark.parametrize("letters", [5, 40, 150])
@pytest.mark.parametrize("columns", [3, 15, 25])
def test_a_page_fits_its_space_or_has_the_fewest_rows(letters: int, columns: int) -> None:
    many: Any = {f"c{column}": ["x" * letters] * 1000 for column in range(columns)}
    rows = pa.table(many)
    most = paging.rows_of_a_page(rows, paging.room())
    part = pa.table({name: values[:most] for name, values in many.items()})
    assert most == paging.FEWEST or sent(part) <= paging.room()
    assert most < 1000
