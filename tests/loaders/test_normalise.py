"""From what a file says to ids and units: nothing guessed, nothing lost without a word."""

import pytest

from loaders.normalise import MAX_COUNT, normalise
from mlperf.errors import Problem, Where
from mlperf.model import Measurement, Sighting

SAID = Measurement(
    where=Where("a.json", 7),
    kind="inference",
    round="v5.1",
    suites="datacenter",
    division="closed",
    availability="available",
    submitter="Acme",
    system_id="acme_one",
    accelerator="NVIDIA A100-SXM4-80GB",
    accelerators_per_node="8",
    nodes="2",
    benchmark="llama2-70b-99",
    scenario="Offline",
    value=2000.25,
    unit="Tokens/s",
)


def read(**changes: object) -> tuple[list[Sighting], list[Problem]]:
    items = list(normalise(SAID._replace(**changes)))  # type: ignore[arg-type]
    return [item for item in items if isinstance(item, Sighting)], [item for item in items if isinstance(item, Problem)]


def test_a_plain_measurement_becomes_one_sighting_without_a_word() -> None:
    (sighting,), problems = read()
    assert problems == []
    assert (sighting.value, sighting.unit, sighting.metric, sighting.better) == (
        2000.25,
        "tokens/s",
        "throughput",
        "higher",
    )
    assert (sighting.accelerator, sighting.accelerator_count, sighting.nodes) == ("NVIDIA A100-SXM-80GB", 16, 2)


@pytest.mark.parametrize(
    ("field", "cell", "kind"),
    [
        ("submitter", None, "no-identity"),
        ("system_id", None, "no-identity"),
        ("benchmark", None, "no-identity"),
        ("division", None, "no-identity"),
        ("round", None, "unknown-round"),
        ("round", "v99.0", "unknown-round"),
        ("scenario", None, "unknown-scenario"),
        ("scenario", "Servr", "unknown-scenario"),
        ("value", None, "no-figure"),
        ("value", 0.0, "bad-cell"),
        ("value", -1.5, "bad-cell"),
        ("power_value", -1.5, "bad-cell"),
    ],
)
def test_a_figure_that_cannot_be_placed_is_left_out_with_a_word(field: str, cell: object, kind: str) -> None:
    sightings, problems = read(**{field: cell})
    assert sightings == []
    assert [problem.kind for problem in problems] == [kind]
    assert problems[0].where == SAID.where
    assert "left out" in problems[0].fix


@pytest.mark.parametrize("field", ["division", "availability", "accelerator"])
def test_a_spelling_that_the_catalog_does_not_know_is_kept_and_reported(field: str) -> None:
    (sighting,), problems = read(**{field: "never heard of"})
    assert getattr(sighting, field) == "never heard of"
    assert [(problem.kind, "never heard of" in problem.found) for problem in problems] == [("unknown-spelling", True)]
    assert "kept" in problems[0].fix
    assert "mlperf/" not in problems[0].fix, "a user is never sent to a source file"


def test_an_unknown_benchmark_is_kept_under_the_one_unit_that_its_heading_means() -> None:
    (sighting,), problems = read(benchmark="gpt-99", unit="Queries/s", scenario="Server")
    assert (sighting.benchmark, sighting.unit) == ("gpt-99", "queries/s")
    assert [problem.kind for problem in problems] == ["unknown-spelling"]


def test_an_unknown_benchmark_under_an_unknown_heading_is_left_out() -> None:
    sightings, problems = read(benchmark="gpt-99", unit="Bananas/s")
    assert sightings == []
    assert [problem.kind for problem in problems] == ["unknown-spelling", "no-rule"]


@pytest.mark.parametrize("unit", ["Samples/s", "Queries/s", "samples/s"])
def test_a_heading_that_is_wrong_by_the_rule_is_corrected_and_the_rule_named(unit: str) -> None:
    (sighting,), (problem,) = read(unit=unit)
    assert (sighting.value, sighting.unit) == (2000.25, "tokens/s")
    assert problem.kind == "corrected-unit"
    assert repr(unit) in problem.found
    assert "rule of the round" in problem.fix


@pytest.mark.parametrize("unit", ["Bananas", "Latency (ms)", "s", "Tokens/min"])
def test_a_figure_whose_unit_does_not_lead_to_that_of_the_rule_is_left_out(unit: str) -> None:
    sightings, (problem,) = read(unit=unit)
    assert sightings == []
    assert (problem.kind, repr(unit) in problem.found) == ("unknown-unit", True)
    assert "tokens/s by the rule" in problem.fix
    assert "left out" in problem.fix


@pytest.mark.parametrize("scenario", ["SingleStream", "MultiStream"])
@pytest.mark.parametrize(
    ("unit", "value"),
    [
        ("Latency (ms)", 344.907),
        ("Latency (s)", 0.344907),
        ("Latency (us)", 344907.0),
        ("Latency (µs)", 344907.0),
        ("μs", 344907.0),
        ("ns", 344907000.0),
        ("Latency (ns)", 344907000.0),
    ],
)
def test_a_latency_in_another_unit_of_time_is_converted(scenario: str, unit: str, value: float) -> None:
    (sighting,), problems = read(suites="edge", scenario=scenario, benchmark="resnet", unit=unit, value=value)
    assert (sighting.value, sighting.unit) == (pytest.approx(344.907, rel=1e-12), "ms")
    assert problems == []


@pytest.mark.parametrize("unit", ["Samples/s", "Queries/s", "Latency (min)"])
def test_a_throughput_is_never_taken_for_a_latency(unit: str) -> None:
    sightings, (problem,) = read(suites="edge", scenario="SingleStream", benchmark="resnet", unit=unit, value=44.0)
    assert sightings == []
    assert problem.kind == "unknown-unit"


@pytest.mark.parametrize("unit", [None, ""])
def test_a_computed_figure_has_the_unit_of_its_rule_and_nothing_is_corrected(unit: str | None) -> None:
    (sighting,), problems = read(unit=unit, is_computed=True)
    assert sighting.unit == "tokens/s"
    assert problems == []


@pytest.mark.parametrize("unit", [None, ""])
def test_a_figure_of_a_table_without_a_unit_may_be_a_power_and_is_left_out(unit: str | None) -> None:
    sightings, (problem,) = read(unit=unit)
    assert (sightings, problem.kind) == ([], "no-unit")


def test_power_in_a_unit_that_nobody_knows_is_left_out_and_the_result_kept() -> None:
    (sighting,), (problem,) = read(power_value=5.0, power_unit="horsepower")
    assert (sighting.value, sighting.power_value) == (2000.25, None)
    assert (problem.kind, "horsepower" in problem.found) == ("unknown-unit", True)


@pytest.mark.parametrize("unit", ["Watts", "W", "System Power (Watts)"])
def test_a_row_in_watts_is_power_and_no_result(unit: str) -> None:
    (sighting,), problems = read(unit=unit)
    assert (sighting.value, sighting.power_value, sighting.power_unit, sighting.has_power) == (None, 2000.25, "W", True)
    assert problems == []


@pytest.mark.parametrize(
    ("nodes", "per_node", "total", "count"),
    [
        ("2", "8", None, 16),
        (None, "8", None, 8),
        ("2", "8", "12", 12),
        ("2", None, None, None),
        (None, "8.0", None, 8),
        ("N/A", "8", "none", 8),
        ("1", "0", None, None),  # an accelerator is named, so none at all makes no sense
    ],
)
def test_accelerators_are_counted_over_all_nodes(
    nodes: str | None, per_node: str | None, total: str | None, count: int | None
) -> None:
    (sighting,), _ = read(nodes=nodes, accelerators_per_node=per_node, accelerators_total=total)
    assert sighting.accelerator_count == count


@pytest.mark.parametrize(
    ("field", "name"),
    [
        ("nodes", "number of nodes"),
        ("accelerators_per_node", "number of accelerators per node"),
        ("accelerators_total", "number of accelerators"),
    ],
)
@pytest.mark.parametrize("cell", ["-8", "eight", "1,024", "2,0", "2.5", "1 024", "123456789"])
def test_a_count_that_makes_no_sense_is_said_and_no_total_made_from_it(field: str, name: str, cell: str) -> None:
    (sighting,), (problem,) = read(**{field: cell})
    assert (sighting.value, sighting.accelerator_count) == (SAID.value, None)
    assert sighting.nodes == (None if field == "nodes" else 2)
    assert (problem.kind, problem.found) == ("bad-cell", f"a {name} of {cell!r} makes no sense.")
    assert problem.where == SAID.where


def test_a_total_holds_beside_nodes_that_make_no_sense() -> None:
    (sighting,), problems = read(nodes="two", accelerators_total="16")
    assert (sighting.accelerator_count, sighting.nodes) == (16, None)
    assert [problem.kind for problem in problems] == ["bad-cell"]


def test_a_count_in_the_name_makes_up_for_one_that_makes_no_sense() -> None:
    named = "2 Nodes: NVIDIA A100-SXM-80GBx8, 4 Nodes: NVIDIA A30x4"
    (sighting,), problems = read(nodes="6", accelerator=named, accelerators_per_node="(8,4)")
    assert sighting.accelerator_count == 32
    assert [problem.kind for problem in problems] == ["corrected-count"]


@pytest.mark.parametrize(
    "cells",
    [
        {"nodes": "9999999", "accelerators_per_node": "9999999"},
        {"accelerator": ", ".join(["9999 Nodes: NVIDIA A100-SXM-80GBx99999"] * 4)},
    ],
)
def test_a_count_beyond_belief_is_left_out_and_the_result_kept(cells: dict[str, str]) -> None:
    (sighting,), problems = read(**cells)
    assert sighting.value == SAID.value
    assert sighting.accelerator_count is None
    assert f"{MAX_COUNT:,}" not in problems[-1].found
    assert problems[-1].kind == "bad-cell"


@pytest.mark.parametrize("value", [1e308, 1.7e308])
def test_a_figure_that_its_unit_makes_endless_is_left_out(value: float) -> None:
    sightings, problems = read(
        suites="edge", scenario="SingleStream", benchmark="resnet", unit="Latency (s)", value=value
    )
    assert sightings == []
    assert [problem.kind for problem in problems] == ["bad-cell"]


def test_a_power_that_its_unit_makes_endless_is_left_out() -> None:
    sightings, problems = read(power_value=1.7e308, power_unit="Joules")
    assert sightings == []
    assert [problem.kind for problem in problems] == ["bad-cell"]


@pytest.mark.parametrize("types", ["cloud", "", None])
def test_a_system_of_no_known_suite_is_left_out_with_a_word(types: str | None) -> None:
    sightings, problems = read(suites=types)
    assert sightings == []
    assert [(problem.kind, repr(types) in problem.found) for problem in problems] == [("unknown-suite", True)]


def test_logs_whose_round_nobody_tells_say_what_to_name_after_it() -> None:
    found, (problem,) = read(round=None, is_computed=True)
    assert found == []
    assert (problem.kind, problem.where.line) == ("unknown-round", 7)
    assert "inference_results_v" in problem.fix


def test_logs_of_a_system_that_nothing_describes_do_not_say_that_it_has_no_accelerators() -> None:
    silent = {"accelerator": None, "accelerators_per_node": None, "nodes": None}
    counts = [
        read(**silent, is_computed=True)[0][0].accelerator_count,
        read(**silent, is_computed=True, processor="Xeon")[0][0].accelerator_count,
        read(**silent)[0][0].accelerator_count,
    ]
    assert counts == [None, 0, 0]
