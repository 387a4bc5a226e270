"""Own results beside published ones: how chart, table and words mark them, and what they leave as it was."""

from collections.abc import Iterator
from dataclasses import replace

import duckdb
import plotly.graph_objects as go
import pytest

from loaders import snapshot
from mlperf import citation, figures, guard, queries, unverified
from mlperf.answers import compare, energy, power, power_ranking, power_rounds, rankings, runs, scaling, sizing, trends
from mlperf.answers.answer import Answer, Row
from mlperf.facts import facts
from mlperf.filters import Filters
from mlperf.queries import Field
from mlperf.systems import SystemKey
from tests.app.own import add, drop, own, published

XE8545 = "round = 'v1.1' and submitter = 'Dell' and system_id = 'XE8545x4A100-SXM-80GB' and benchmark = 'rnnt'"
XE9680 = "round = 'v3.1' and submitter = 'Dell' and system_id = 'XE9680_H100_SXM_80GBx8_TRT' and scenario = 'Server'"
XR5610 = "round = 'v3.1' and submitter = 'Dell' and system_id = 'XR5610_L4x1_TRT_MaxQ'"
SCALED = scaling.Choice("Dell", "v1.1", "XE8545", ("rnnt",))
SERVER = rankings.Choice(
    Field("inference-datacenter", "v3.1", "closed", False, "available", benchmark="resnet"), "Server", submitter="Dell"
)
RERUN = 77.3
"""Minutes that the article names for the ten runs."""


@pytest.fixture(scope="module")
def snapshot_con() -> Iterator[duckdb.DuckDBPyConnection]:
    found = snapshot.open_snapshot()
    yield found
    found.close()


@pytest.fixture
def con(snapshot_con: duckdb.DuckDBPyConnection) -> Iterator[duckdb.DuckDBPyConnection]:
    yield snapshot_con
    drop(snapshot_con)
    snapshot_con.execute("delete from runs where submitter like 'Own: %'")


def rows(answer: Answer) -> list[Row]:
    found: list[Row] = answer.data.to_pylist()
    return found


def figure(answer: Answer) -> go.Figure:
    """The answer's chart, every property checked by Plotly."""
    [chart] = answer.charts
    return go.Figure(chart.figure.to_dict())


def patterned(answer: Answer) -> list[str]:
    """The names of the hatched bars."""
    drawn = figure(answer)
    shapes = drawn.data[0].marker.pattern.shape
    return [name for name, shape in zip(drawn.layout.yaxis.ticktext, shapes or [], strict=True) if shape == "/"]


def rerun(con: duckdb.DuckDBPyConnection, **changes: object) -> str:
    """Puts a rerun of the one-node RNN-T into the results; its ID."""
    [row] = published(con, XE8545)
    mine = own(row, **{"value": RERUN, **changes})
    add(con, [mine])
    return str(mine["result_id"])


# Scaling


def test_an_own_rerun_stands_beside_the_line_until_it_is_swapped_in(con: duckdb.DuckDBPyConnection) -> None:
    without = scaling.answer(con, SCALED)
    mine = rerun(con)
    beside = scaling.answer(con, SCALED)
    assert beside.heading == without.heading
    assert [row["value"] for row in rows(beside)] == [*(row["value"] for row in rows(without)), RERUN]
    [mark] = [trace for trace in figure(beside).data if "unverified" in (trace.name or "")]
    assert (list(mark.x), list(mark.y), list(mark.marker.symbol)) == ([1], [RERUN], ["circle-open-dot"])
    assert list(scaling.swaps(con, SCALED)) == [mine]
    assert "verification" not in without.data.column_names


def test_a_swap_computes_speed_up_and_efficiency_anew_and_says_so_everywhere(con: duckdb.DuckDBPyConnection) -> None:
    mine = rerun(con)
    [two] = published(con, XE8545.replace("'XE8545x4", "'2xXE8545x4"))
    answer = scaling.answer(con, replace(SCALED, swap=(mine,), view="speedup"))
    one, other = rows(answer)
    assert one["value"] == RERUN
    assert one["in_place_of"] == pytest.approx(106.541675)
    assert one["verification"] == "unverified"
    assert other["value"] == two["value"]
    assert other["speedup"] == pytest.approx(RERUN / two["value"], rel=1e-12)
    assert other["scaling_efficiency"] == pytest.approx(RERUN / two["value"] / 2, rel=1e-12)
    assert other["verification"] == "verified; speed-up and efficiency unverified"
    assert answer.heading.endswith("(unverified)")
    [line] = [trace for trace in figure(answer).data if trace.name == "RNN-T"]
    assert list(line.marker.symbol) == ["circle-open-dot"] * 2
    [note] = [note for note in answer.notes if "in place of" in note]
    assert "77.3 min (Own: rerun, XE8545x4A100-SXM-80GB; unverified) in place of the published 106.5 min" in note
    assert unverified.LEGEND in answer.notes
    assert guard.MIXED in " ".join(citation.footnote(answer.rows, facts(), None, answer.derived))
    assert not any(finding.is_refused for finding in answer.findings)


@pytest.mark.parametrize(
    "changes",
    [
        {"round": "v2.0", "round_index": 3}, {"division": "open"}, {"server": "R750xa"}, {"nodes": 2},
        {"accelerator": "NVIDIA A100-SXM-40GB"}, {"accelerator_count": 8}, {"benchmark": "bert"},
    ],
)  # fmt: skip
def test_only_a_result_of_the_same_configuration_can_be_swapped_in(
    con: duckdb.DuckDBPyConnection, changes: dict[str, object]
) -> None:
    without = scaling.answer(con, SCALED)
    mine = rerun(con, **changes)
    assert scaling.swaps(con, SCALED) == {}
    assert rows(scaling.answer(con, replace(SCALED, swap=(mine,)))) == rows(without)


def test_published_results_and_unknown_ones_are_never_swapped(con: duckdb.DuckDBPyConnection) -> None:
    [row] = published(con, XE8545)
    without = scaling.answer(con, SCALED)
    assert rows(scaling.answer(con, replace(SCALED, swap=(row["result_id"], "none")))) == rows(without)


# Rankings


def test_an_own_result_has_a_place_that_it_would_have_and_no_rank(con: duckdb.DuckDBPyConnection) -> None:
    before = rankings.answer(con, SERVER)
    [row] = published(con, f"{XE9680} and benchmark = 'resnet'")
    ranked = rows(before)
    assert (ranked[0]["system"], ranked[0]["rank"]) == (row["system_id"], 1)
    better, between = row["value"] * 2, (ranked[1]["value"] + ranked[2]["value"]) / 2
    add(con, [own(row, value=better), own(row, value=between, result_id="own-two", availability=None)])
    answer = rankings.answer(con, SERVER)
    mine = {row["value"]: row for row in rows(answer) if not row["verified"]}
    assert mine[better]["rank"] == "would be 1st"
    assert mine[between]["rank"] == "would be 3rd"
    assert {row["verification"] for row in mine.values()} == {"unverified"}
    assert [row["value"] for row in rows(answer)] == sorted((row["value"] for row in rows(answer)), reverse=True)
    assert [row["rank"] for row in rows(answer) if row["verified"]] == [str(row["rank"]) for row in ranked]
    assert answer.heading == before.heading
    assert [name.split(" ")[0] for name in patterned(answer)] == ["(1st)", "(3rd)"]
    assert all(name.endswith("· unverified") for name in patterned(answer))
    assert all(isinstance(row["rank"], int) for row in ranked)


def test_titles_and_leads_leave_own_results_out_and_a_note_names_them(con: duckdb.DuckDBPyConnection) -> None:
    whole = replace(SERVER, field=replace(SERVER.field, benchmark=""), scenario=None)
    firsts, titles = rankings.firsts(con, whole), rankings.title_table(con, whole)
    add(
        con,
        [own(row, value=row["value"] * 3) for row in published(con, f"{XE9680} and suite = 'inference-datacenter'")],
    )
    for old, new in ((firsts, rankings.firsts(con, whole)), (titles, rankings.title_table(con, whole))):
        assert (new.heading, rows(new)) == (old.heading, rows(old))
        assert "would be 1st with" in new.notes[0]
        assert not any("would be" in note for note in old.notes)


# Charts and tables


def test_explore_hatches_own_bars_and_draws_the_same_published_ones(con: duckdb.DuckDBPyConnection) -> None:
    asked = Filters(round=("v3.1",), suite=("inference-datacenter",), benchmark=("resnet",), scenario=("Server",))
    [before] = figures.picture(queries.results(con, asked)).panels
    add(con, [own(row, value=row["value"] * 2) for row in published(con, f"{XE9680} and benchmark = 'resnet'")])
    [after] = figures.picture(queries.results(con, asked)).panels
    assert [row for row in after.rows if row["verified"]] == before.rows
    assert after.rows[0]["submitter"] == "Own: rerun"
    drawn = go.Figure(figures.ranking(after, figures.colours([after])).to_dict())
    assert list(drawn.data[0].marker.pattern.shape) == ["/", *[""] * len(before.rows)]
    assert "unverified" in drawn.layout.yaxis.ticktext[0]
    assert "unverified" in drawn.data[0].customdata[0][1]
    markup = figures.small_multiples([after], figures.colours([after]))
    assert markup.count('fill="url(#hatch-') == 1
    assert markup.count("<pattern") == 1
    assert "<pattern" not in figures.small_multiples([before], figures.colours([before]))


def test_compare_marks_names_points_cells_and_rows(con: duckdb.DuckDBPyConnection) -> None:
    found = published(con, f"{XE9680} and suite = 'inference-datacenter'")
    add(con, [own(row, value=row["value"] * 1.25) for row in found])
    keys = (SystemKey.of(found[0]), SystemKey.of(own(found[0])))
    answer = compare.answer(con, compare.Choice(keys))
    assert answer.heading.startswith("XE9680_H100_SXM_80GBx8_TRT · Own: rerun (unverified) 1.25×")
    assert {(row["submitter"], row["verification"]) for row in rows(answer)} == {
        ("Dell", "verified"),
        ("Own: rerun", "unverified"),
    }
    place = answer.data.column_names.index("unit")
    assert answer.data.column_names[place + 1] == "verification"
    [marks] = [trace for trace in figure(answer).data if trace.marker.symbol and trace.mode.startswith("markers")]
    assert set(marks.marker.symbol) == {"square-open-dot"}
    sides = compare.sides(con, compare.Choice(keys))
    for cells in sides.matrix:
        published_cell, own_cell = list(cells.values())[1:]
        assert not published_cell.endswith("(unverified)")
        assert own_cell is None or own_cell.endswith("(unverified)")
    own_cells = [list(cells.values())[2] for cells in sides.matrix]
    assert sum(cell is not None for cell in own_cells) == len({row["benchmark"] for row in found})
    assert str(sides.absolute.figure).count('fill="url(#hatch-') == len({row["benchmark"] for row in found})
    assert unverified.LEGEND in answer.notes


def test_runs_of_an_own_score_are_marked_run_by_run(con: duckdb.DuckDBPyConnection) -> None:
    mine = rerun(con)
    con.execute(
        "insert into runs select * replace (? as result_id, 'Own: rerun' as submitter) from runs where result_id = ?",
        [mine, mine.removeprefix("own-")],
    )
    [row] = published(con, XE8545)
    theirs, ours = SystemKey.of(row), SystemKey.of(own(row))
    before = runs.answer(con, runs.Choice((theirs,), "rnnt"))
    answer = runs.answer(con, runs.Choice((theirs, ours), "rnnt"))
    states = [(row["submitter"], row["verification"]) for row in rows(answer)]
    assert states == [("Dell", "verified")] * 10 + [("Own: rerun", "unverified")] * 10
    assert all(row["also_in"] is None for row in rows(before))
    own_marks = [trace for trace in figure(answer).data if "(unverified)" in (trace.name or "")]
    assert {symbol for trace in own_marks for symbol in trace.marker.symbol} == {"circle-open-dot", "square-open-dot"}
    assert sum(len(trace.x) for trace in own_marks) == 10
    captions = [tick.split("<br>")[1] for tick in figure(answer).layout.xaxis.ticktext]
    assert captions == ["10 runs, score 106.5 min", "10 runs, score 77.3 min (unverified)"]


def test_a_trend_gives_an_owner_a_line_of_its_own(con: duckdb.DuckDBPyConnection) -> None:
    found = published(con, f"{XE9680} and benchmark = 'resnet'")
    choice = trends.Choice("server_family", ("XE96xx", "Own: rerun"), "inference", "resnet", "Server")
    before = trends.answer(con, replace(choice, values=("XE96xx",)))
    add(con, [own(row, value=row["value"] * 9) for row in found])
    answer = trends.answer(con, choice)
    assert answer.heading == before.heading
    mine = [row for row in rows(answer) if row["verification"] == "unverified"]
    assert [(row["server_family"], row["value"]) for row in mine] == [("Own: rerun", found[0]["value"] * 9)]
    [line] = [trace for trace in figure(answer).data if trace.name == "Own: rerun (unverified)"]
    assert set(line.marker.symbol) == {"square-open-dot"}
    known = trends.fields(con, trends.Asked("server_family", "inference", "Dell"))
    assert trends.values(known, choice)[0] == "Own: rerun"
    assert trends.usual_values(known, choice)[-1] == "Own: rerun"


def test_power_and_sizing_mark_own_results_and_keep_the_published_answer(con: duckdb.DuckDBPyConnection) -> None:
    ranked = power_ranking.Choice("v3.1", "inference-edge", "resnet", "Offline")
    sized = sizing.Choice("v3.1", "inference-edge", "resnet", "Offline", 1e6)
    asked = {"rank": (power_ranking.answer, ranked), "size": (sizing.answer, sized)}
    before = {name: question(con, choice) for name, (question, choice) in asked.items()}
    measured = published(con, XR5610)
    add(con, [own(row, value=row["value"] * 2, efficiency=row["efficiency"] * 2) for row in measured])
    for name, (question, choice) in asked.items():
        answer = question(con, choice)
        assert answer.heading == before[name].heading
        assert len(patterned(answer)) == 1
        mine = [row for row in rows(answer) if row["verification"] == "unverified"]
        assert [row["submitter"] for row in mine] == ["Own: rerun"]
    [mine] = [row for row in rows(power_ranking.answer(con, ranked)) if not row["verified"]]
    place = 1 + sum(row["efficiency"] > mine["efficiency"] for row in rows(before["rank"]))
    assert mine["rank"] == f"would be {place}{'st' if place == 1 else 'th'}"
    assert 1 <= place <= len(rows(before["rank"])) + 1
    keys = SystemKey.of(measured[0]), SystemKey.of(own(measured[0]))
    beside = power.answer(con, power.Choice(keys))
    assert {row["verification"] for row in rows(beside)} == {"verified", "unverified"}
    changed = power_rounds.answer(con, power_rounds.Choice(*keys))
    assert changed.heading.endswith("(unverified)")
    for row in rows(changed):
        assert (row["verification_before"], row["verification_after"]) == ("verified", "unverified")
    assert set(figure(changed).data[1].marker.pattern.shape) == {"/"}


def test_energy_to_train_keeps_its_best_and_hatches_own_results(con: duckdb.DuckDBPyConnection) -> None:
    before = energy.answer(con, energy.Choice("bert"))
    best = published(
        con, f"benchmark = 'bert' and suite = 'training' and power_value = {rows(before)[0]['power_value']}"
    )
    add(con, [own(row, power_value=row["power_value"] / 2) for row in best])
    answer = energy.answer(con, energy.Choice("bert"))
    assert answer.heading == before.heading
    assert len(patterned(answer)) == len(best)
    assert rows(answer)[0]["verification"] == "unverified"


# Words


def test_footnote_and_citation_tell_own_results_from_submitted_ones(con: duckdb.DuckDBPyConnection) -> None:
    rerun(con, source="lab/rerun")
    both = queries.results(con, Filters(round=("v1.1",), benchmark=("rnnt",), server=("XE8545",)))
    first, states, _ = citation.footnote(both, facts(), None)
    assert "submitted by Dell. " in first
    assert "Unverified: MLPerf® Training v1.1, Closed division, of Own: rerun. " in first
    assert "Read from the files lab/rerun." in first
    assert citation.UNVERIFIED in states
    assert guard.MIXED in states
    mine = both.filter([not one for one in both["verified"].to_pylist()])
    alone = citation.cite(mine, facts(), None)
    assert "77.3 min (unverified)" in alone.text
    assert "published on" not in alone.text
    assert citation.UNVERIFIED_RESULT in alone.text
    assert "author = {{Own: rerun}}" in alone.bibtex
    assert "MLCommons Association}}" not in alone.bibtex
    assert "github.com/lab" not in "".join(alone)


def test_the_guard_notes_verified_beside_unverified_and_refuses_neither(con: duckdb.DuckDBPyConnection) -> None:
    [row] = published(con, XE8545)
    found = {finding.kind: finding for finding in guard.findings([row, own(row)])}
    assert {"verified", "unverified"} <= set(found)
    assert guard.MIXED in found["verified"].text
    assert not any(finding.is_refused for finding in found.values())


def test_data_of_published_results_has_no_further_column() -> None:
    plain = [{"value": 1.0, "unit": "s", "verified": True}]
    assert unverified.stated(plain) == plain
    mixed = unverified.stated([*plain, {"value": 2.0, "unit": "s", "verified": False}])
    assert [list(row.values()) for row in mixed] == [[1.0, "s", "verified", True], [2.0, "s", "unverified", False]]
