"""Filters against any input: the link gives the same filters back, and nothing raises."""

import re
from urllib.parse import parse_qs, urlencode

from hypothesis import given
from hypothesis import strategies as st

from mlperf.filters import BOOLEAN_COLUMNS, FILTER_COLUMNS, INTEGER_COLUMNS, Filters

TEXTS = st.text(max_size=20)
NUMBERS = st.none() | st.integers(-999_999_999, 999_999_999)
VALUES = {
    column: NUMBERS if column in INTEGER_COLUMNS else st.none() | st.booleans() if column in BOOLEAN_COLUMNS else TEXTS
    for column in FILTER_COLUMNS
}
FILTERS = st.builds(
    Filters, **{column: st.lists(values, max_size=3).map(tuple) for column, values in VALUES.items()}, search=TEXTS
)


@given(FILTERS)
def test_a_link_gives_the_same_filters_back_without_a_warning(filters: Filters) -> None:
    link = urlencode(filters.to_query(), doseq=True)
    assert Filters.from_query(parse_qs(link, keep_blank_values=True)) == (filters, ())


@given(st.dictionaries(TEXTS | st.sampled_from(FILTER_COLUMNS), st.lists(TEXTS, max_size=3), max_size=5))
def test_any_link_gives_filters(query: dict[str, list[str]]) -> None:
    filters, warnings = Filters.from_query(query)
    assert Filters.from_query(filters.to_query()) == (filters, ())
    assert all(isinstance(warning, str) for warning in warnings)


@given(FILTERS)
def test_a_file_name_is_safe_and_short(filters: Filters) -> None:
    assert re.fullmatch(r"results_[A-Za-z0-9._+-]{1,109}\.csv", filters.file_name("csv"))


@given(st.text(alphabet=st.characters(), max_size=30), st.sampled_from(FILTER_COLUMNS))
def test_what_a_database_cannot_hold_never_reaches_it(text: str, column: str) -> None:
    for values in Filters.from_query({column: [text], "search": [text]})[0].parameters().values():
        assert not any("\0" in value for value in values)
        "".join(values).encode()  # a lone surrogate would raise
