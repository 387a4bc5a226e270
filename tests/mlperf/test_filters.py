"""Filters as a value: link, sentence, file name."""

import pytest

from mlperf.errors import QueryError
from mlperf.filters import FILTER_COLUMNS, LONGEST_FILE_NAME, Filters, from_text
from mlperf.model import RESULT_COLUMNS


def test_filters_are_columns_in_their_order() -> None:
    assert list(FILTER_COLUMNS) == [column for column in RESULT_COLUMNS if column in FILTER_COLUMNS]


def test_equal_choices_are_equal_filters_whatever_their_order() -> None:
    one, other = Filters(round=("v3.1", "v2.0")), Filters(round=("v2.0", "v3.1", "v2.0"))
    assert one == other
    assert hash(one) == hash(other)


@pytest.mark.parametrize(
    ("filters", "sentence"),
    [
        (Filters(), "All results"),
        (
            Filters(round=("v3.1",), suite=("inference-edge",), division=("closed",), scenario=("SingleStream",)),
            "Inference v3.1 · edge · closed · SingleStream",
        ),
        (Filters(suite=("training", "inference-edge"), round=("v2.0", "v2.1")), "Inference and training v2.0, v2.1"),
        (Filters(suite=("inference-edge", "inference-datacenter"), round=("v6.0",)), "Inference v6.0"),
        (Filters(suite=("hpc",), round=("v3.0",), scenario=("Weak scaling",)), "HPC v3.0 · Weak scaling"),
        (Filters(suite=("hpc", "inference-edge")), "HPC and inference"),
        (Filters(submitter=("A", "B", "C", "D", "E")), "A, B, C and 2 more"),
        (Filters(accelerator_count=(1,), has_power=(True,)), "1 accelerator · with power"),
        (Filters(accelerator_count=(8, None)), "none, 8 accelerators"),
        (Filters(benchmark=("resnet", "unheard-of")), "ResNet-50 v1.5, unheard-of"),
        (Filters(valid=(False, None), search="h100  xe"), "valid not stated or not valid · “h100 xe”"),
        (Filters(unit=("ms",), accelerator=("",)), "none · unit ms"),
    ],
)
def test_the_sentence_says_what_was_chosen(filters: Filters, sentence: str) -> None:
    assert filters.sentence() == sentence


def test_a_link_with_unknown_parts_warns_of_each_and_keeps_the_rest() -> None:
    query = {"colour": ["red"], "nodes": ["8", "eight"], "has_power": ["yes", "maybe"], "round": ["v3.1"]}
    filters, warnings = Filters.from_query(query)
    assert filters == Filters(nodes=(8,), has_power=(True,), round=("v3.1",))
    assert warnings == (
        'There is no filter "colour".',
        '"eight" is not a value that nodes can have.',
        '"maybe" is not a value that has_power can have.',
    )


@pytest.mark.parametrize("text", ["1_000", "٣", "1e3", "99999999999", "0x8", "8.0"])
def test_only_plain_whole_numbers_are_numbers(text: str) -> None:
    with pytest.raises(QueryError):
        from_text("accelerator_count", text)


def test_a_column_that_is_no_filter_is_an_error_that_lists_the_filters() -> None:
    with pytest.raises(QueryError, match=r'no filter is named "value".*Filters are round, suite'):
        Filters().choose("value", [1])


@pytest.mark.parametrize(
    ("filters", "name"),
    [
        (Filters(), "results_all.csv"),
        (Filters(round=("v3.1",), submitter=("Dell",)), "results_v3.1_Dell.csv"),
        (Filters(benchmark=("bert-99.9",), has_power=(True,)), "results_bert-99.9_true.csv"),
        (Filters(accelerator=("",)), "results_none.csv"),
    ],
)
def test_the_file_name_says_what_was_chosen(filters: Filters, name: str) -> None:
    assert filters.file_name("csv") == name


def test_a_file_name_stays_short_and_still_tells_two_choices_apart() -> None:
    names = {Filters(system_id=("x" * 500 + end,)).file_name("parquet") for end in "ab"}
    assert len(names) == 2
    assert all(len(name) <= LONGEST_FILE_NAME and name.endswith(".parquet") for name in names)


def test_a_path_in_a_filter_is_no_path_in_the_file_name() -> None:
    assert Filters(system_id=("../../etc/passwd",)).file_name("csv") == "results_etc-passwd.csv"
    assert Filters(search="名").file_name("csv").startswith("results_")
