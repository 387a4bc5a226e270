"""The guard against any rows: order and repetition change nothing, more rows take nothing away, nothing raises."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from mlperf.facts import facts
from mlperf.guard import DIFFERENCES, findings, merged, remark

ANYTHING = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.lists(st.text(max_size=3))
KNOWN = {
    "round": sorted({known.id for known in facts().rounds}),
    "suite": [known.id for known in facts().suite_facts],
    "benchmark": sorted({known.id for known in facts().benchmarks}),
    "scenario": [None, *facts().scenarios],
    "division": list(facts().divisions),
    "availability": [None, *facts().availabilities],
    "unit": ["ms", "s", "samples/s", "{values}"],
    "metric": ["latency", "throughput"],
    "has_power": [None, True, False],
    "verified": [True, False],
    "inferred": [None, True, False],
    "valid": [None, True, False],
    "model": [None, "tiny", "small"],
    "accelerator": [None, "A", "A + B"],
    "accelerators": [[], ["A"], ["A", "B"]],
    "accelerator_count": [None, 0, 8, 16],
    "nodes": [None, 1, 2],
    "submitter": ["Dell", "NVIDIA", "{who}"],
    "system_id": [None, "a1", "a10"],
    "system_name": [None, "A 1"],
    "result_id": [None, "r1", "r2", "r3"],
    "same_runs": [None, "s1", "s2"],
}
SENSIBLE = st.fixed_dictionaries({column: st.sampled_from(values) for column, values in KNOWN.items()})
ANY_ROW = st.dictionaries(st.sampled_from(sorted(KNOWN)), ANYTHING) | st.fixed_dictionaries(
    {column: st.sampled_from(values) | ANYTHING for column, values in KNOWN.items()}
)
ROWS = st.lists(SENSIBLE | ANY_ROW, max_size=4)
NAMES = {difference.kind for difference in DIFFERENCES} | {"round", "MultiStream", "unknown", "same run"}

Row = dict[str, Any]


def differences(rows: list[Row]) -> set[tuple[str, bool]]:
    """The kinds of what differs; a refused one is a note as well."""
    found = {(finding.kind, finding.is_refused) for finding in findings(rows) if finding.kind in NAMES}
    return found | {(kind, False) for kind, _ in found}


@given(st.data(), ROWS)
def test_order_and_repetition_change_nothing(data: st.DataObject, rows: list[Row]) -> None:
    found = findings(rows)
    assert findings(data.draw(st.permutations(rows))) == found
    assert findings(rows + rows) == found


@given(ROWS, ROWS)
def test_more_rows_take_no_difference_away(rows: list[Row], more: list[Row]) -> None:
    assert differences(rows) <= differences(rows + more)


@given(SENSIBLE | ANY_ROW)
def test_one_row_differs_from_nothing(row: Row) -> None:
    assert not differences([row])


@given(st.data(), st.dictionaries(st.text(max_size=3), ROWS, max_size=3))
def test_the_order_of_cells_changes_nothing(data: st.DataObject, groups: dict[str, list[Row]]) -> None:
    found = merged(groups)
    assert merged(dict(data.draw(st.permutations(list(groups.items()))))) == found
    assert len(set(found)) == len(found)


@given(ROWS)
def test_findings_are_sentences_on_one_line(rows: list[Row]) -> None:
    found = findings(rows)
    assert all(finding.text.endswith(".") and len(finding.text.splitlines()) == 1 for finding in found)
    assert sorted(remark(found)) == sorted(remark(reversed(found)))
