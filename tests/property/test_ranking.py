"""Laws of rankings: order agrees with the direction, the order of the rows changes nothing, no run is ranked twice."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from mlperf import ranking
from tests.app.small import H100, OFFLINE, PLAIN

SCORES: list[dict[str, Any]] = [
    OFFLINE,
    {"scenario": "Server", "metric": "throughput", "unit": "queries/s", "better": "higher"},
    {"scenario": "SingleStream", "metric": "latency", "unit": "ms", "better": "lower"},
    {"scenario": "MultiStream", "metric": "streams", "unit": "streams", "better": "higher"},
    {"suite": "training", "scenario": None, "metric": "time_to_train", "unit": "min", "better": "lower"},
]
VALUES = st.floats(1e-3, 1e6) | st.sampled_from([12839.1, 40.9956, 3.0])


@st.composite
def fields(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Results of one benchmark and scenario, among them equal figures and the same runs."""
    score = draw(st.sampled_from(SCORES))
    rows = draw(
        st.lists(
            st.fixed_dictionaries(
                {
                    "value": VALUES,
                    "submitter": st.sampled_from(["Dell", "NVIDIA"]),
                    "system_id": st.sampled_from(["a", "b", None]),
                    "same_runs": st.sampled_from([None, None, "x", "y"]),
                    "accelerator_count": st.sampled_from([None, 0, 1, 8]),
                    "division": st.sampled_from(["closed", "open"]),
                    "efficiency": st.none() | VALUES,
                    "efficiency_unit": st.just("samples/J"),
                }
            ),
            min_size=1,
            max_size=12,
        )
    )
    return [{**PLAIN, **H100, **score, **row, "result_id": f"r{number}"} for number, row in enumerate(rows)]


@given(rows=fields(), by=st.sampled_from(["result", "accelerator", "efficiency"]), data=st.data())
def test_the_order_agrees_with_the_direction_whatever_the_order_of_the_rows(
    rows: list[dict[str, Any]], by: ranking.By, data: st.DataObject
) -> None:
    (found,) = ranking.rankings(rows, by)
    values = [entry.value for entry in found.entries]
    higher = rows[0]["better"] == "higher" or by == "efficiency"
    assert values == sorted(values, reverse=higher)
    for entry in found.entries:
        better = [value > entry.value if higher else value < entry.value for value in values]
        assert entry.place == 1 + sum(better)
        assert entry.is_shared == (values.count(entry.value) > 1)
    (again,) = ranking.rankings(data.draw(st.permutations(rows)), by)
    assert [(entry.place, entry.row["result_id"]) for entry in again.entries] == [
        (entry.place, entry.row["result_id"]) for entry in found.entries
    ]


@given(rows=fields(), by=st.sampled_from(["result", "accelerator", "efficiency"]))
def test_every_result_is_ranked_once_or_a_copy_or_left_out(rows: list[dict[str, Any]], by: ranking.By) -> None:
    (found,) = ranking.rankings(rows, by)
    placed = [row["result_id"] for entry in found.entries for row in (entry.row, *entry.copies)]
    assert len(placed) == len(set(placed))
    assert len(placed) + found.left_out == len(rows)
    kept = [entry.row for entry in found.entries]
    known = [row["same_runs"] for row in kept if row["same_runs"]]
    assert len(known) == len(set(known))
    for entry in found.entries:
        assert all(ranking.is_same_run(entry.row, copy, found.kind) for copy in entry.copies)
    assert len(ranking.titles([found])) == len(found.firsts)
