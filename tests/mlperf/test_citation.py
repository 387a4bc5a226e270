"""The footnote: every part that the messaging rules ask for, from the rows that are shown."""

import datetime
from typing import Any

from mlperf import citation, figures, queries
from mlperf.facts import facts
from mlperf.filters import Filters
from tests.app.small import RESULTS, database


def note(results: list[dict[str, Any]], retrieved: datetime.date | None = None) -> str:
    return "\n".join(citation.footnote(queries.results(database(results), Filters()), facts(), retrieved))


def test_a_footnote_names_all_that_the_rules_ask_for() -> None:
    text = note(RESULTS[:1], datetime.date(2026, 11, 1))
    assert text.startswith(
        "MLPerf® Inference v3.1 edge, Closed division, submitted by Dell. Benchmarks: ResNet-50 v1.5 (resnet); "
        "scenarios: SingleStream. Result IDs: 3.1-0074. "
        "Retrieved from github.com/mlcommons/cm4mlperf-results on 2026-11-01."
    )
    assert "verified" in text
    assert text.endswith(citation.ATTRIBUTION)


def test_training_and_inference_get_a_sentence_each() -> None:
    text = note(RESULTS)
    assert "MLPerf® Inference v3.1, v4.0 datacenter and edge, Closed division" in text
    assert "MLPerf® Training v1.1, Closed division" in text
    assert "(the sources give none for the others)" in text


def test_many_ids_are_cut_and_counted() -> None:
    text = note([{"result_id": str(number), "public_id": f"3.1-{number:04}"} for number in range(40)])
    assert "3.1-0011 and 28 more." in text
    assert "3.1-0012" not in text


def test_no_ids_are_said_to_be_none() -> None:
    assert "The sources give no result IDs" in note([{"public_id": None}])


def test_unverified_results_are_named_and_set_apart_from_verified_ones() -> None:
    alone = note([{"verified": False}])
    assert citation.UNVERIFIED in alone
    assert citation.MIXED not in alone
    assert citation.VERIFIED not in alone
    assert citation.MIXED in note([{"verified": False}, {"result_id": "b"}])


def test_each_difference_that_the_rules_want_named_is_named() -> None:
    plain = note(RESULTS[:1])
    for sentence in (citation.OPEN, citation.POWER, citation.DERIVED, citation.AVAILABILITY):
        assert sentence not in plain
    odd = {"result_id": "b", "division": "open", "availability": "rdi", "has_power": True, "efficiency": 1.0}
    mixed = note([{}, odd])
    for sentence in (citation.OPEN, citation.POWER, citation.DERIVED, citation.AVAILABILITY):
        assert sentence in mixed


def test_no_rows_have_no_footnote() -> None:
    assert note([]) == ""


def test_rounds_that_do_not_compare_are_named_with_the_reason() -> None:
    results = [
        {"result_id": round_id, "round": round_id, "suite": "training", "benchmark": "ssd", "scenario": None,
         "metric": "time_to_train", "unit": "min"}
        for round_id in ("v1.1", "v2.0")
    ]  # fmt: skip
    parts = figures.picture(queries.results(database(results), Filters())).panels
    reasons = citation.not_comparable(parts, facts())
    assert len(reasons) == 1
    assert "v1.1 and" in reasons[0]
    assert citation.not_comparable(parts[:0], facts()) == []


def test_a_file_of_the_readers_own_is_named_without_a_repository_or_a_day() -> None:
    text = note([{"source": "mine.csv", "verified": False}], datetime.date(2026, 1, 31))
    assert "Read from the files mine.csv." in text
    assert "github.com" not in text
    assert "2026-01-31" not in text


def test_figures_computed_from_logs_are_said_to_be() -> None:
    computed = {"basis": "computed"}
    assert citation.COMPUTED in note([computed])
    assert citation.VERIFIED not in note([computed])
    both = note([computed, {"result_id": "b"}])
    assert f"{citation.VERIFIED} {citation.PARTLY_COMPUTED}" in both
    assert "computed" not in note([computed | {"verified": False}])
