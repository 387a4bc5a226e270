"""Many sightings of one figure become one result, the same whatever their order."""

import itertools
import math

import pytest

from loaders.resolve import COLUMNS, Result, Seen, link, resolve
from loaders.resolve import row as row_of
from mlperf.errors import Where
from mlperf.model import RESULT_COLUMNS, Sighting

TENTH_OF_A_PERCENT = 0.001

SIGHTING = {
    "where": Where("a", 1), "round": "v3.1", "suite": "inference-datacenter", "division": "closed",
    "submitter": "Acme",
    "system_id": "acme_one", "system_name": "Acme One", "accelerator_count": 8, "benchmark": "resnet",
    "scenario": "Offline", "metric": "throughput", "value": 100.0, "unit": "samples/s", "better": "higher",
    "has_power": False,
}  # fmt: skip


def seen(source: str, rank: int = 0, line: int = 1, **changes: object) -> Seen:
    blank = dict.fromkeys(Sighting._fields)
    sighting = Sighting(**{**blank, **SIGHTING, "where": Where(source, line), **changes})  # type: ignore[arg-type]
    return Seen(sighting, f"{source}:{line}", source, source, "format", rank, "mlcommons")


def values(*items: Seen) -> tuple[list[float], list[str]]:
    results, problems, _ = resolve(items)
    return [result.lead.sighting.value or math.nan for result in results], [found.problem.kind for found in problems]


@pytest.mark.parametrize(
    ("share", "kinds"), [(0.9, []), (-0.9, []), (1.1, ["sources-differ"]), (-1.1, ["sources-differ"])]
)
def test_a_difference_is_reported_from_a_tenth_of_a_percent_on(share: float, kinds: list[str]) -> None:
    other = seen("b", 1, value=100.0 * (1 + TENTH_OF_A_PERCENT * share))
    assert values(seen("a"), other) == ([100.0], kinds)


@pytest.mark.parametrize(("share", "kinds"), [(0.9, []), (1.1, ["sources-differ"])])
def test_power_that_differs_is_reported_too(share: float, kinds: list[str]) -> None:
    power = {"power_unit": "W", "has_power": True}
    one, other = (
        seen("a", power_value=50.0, **power),
        seen("b", 1, power_value=50.0 * (1 + TENTH_OF_A_PERCENT * share), **power),
    )
    assert values(one, other) == ([100.0], kinds)


def row(result: Result) -> dict[str, object]:
    return dict(zip(COLUMNS, row_of(result), strict=True))


def test_a_difference_names_both_places() -> None:
    _, (found,), _ = resolve([seen("a", line=4), seen("b", 1, line=9, value=7.0)])
    assert (found.source, found.problem.where) == ("b", Where("b", 9))
    assert "a:4" in found.problem.found


def test_the_most_trusted_source_leads_and_the_others_fill_what_it_leaves_open() -> None:
    (result,), _, _ = resolve([seen("b", 1, framework="B", processor="P"), seen("a", 0, framework="A")])
    assert (result.lead.source, result.known(("framework", "processor"))) == ("a", ("A", "P"))


@pytest.mark.parametrize("field", ["round", "division", "submitter", "system_id", "benchmark", "model", "scenario"])
def test_results_that_differ_in_what_makes_them_one_stay_two(field: str) -> None:
    results, _, owners = resolve([seen("a"), seen("b", **{field: "other"})])
    assert len({result.result_id for result in results}) == 2
    assert len(set(owners.values())) == 2


def test_the_two_rows_of_a_dual_system_have_one_id() -> None:
    results, _, _ = resolve([seen("a"), seen("a", suite="inference-edge", line=2)])
    assert len(results) == 2
    assert len({result.result_id for result in results}) == 1


NAMED = {"system_id": None}


def test_a_name_without_an_id_finds_its_system() -> None:
    results, problems, owners = resolve([seen("a"), seen("b", 1, **NAMED, system_name="ACME,  One")])
    assert len(results) == 1
    assert problems == []
    assert set(owners.values()) == {results[0].result_id}


def test_of_systems_of_one_name_the_size_decides_and_then_the_public_id() -> None:
    one = seen("a", 0, 1, system_id="one", public_id="1", value=10.0)
    two = seen("a", 0, 2, system_id="two", public_id="2", value=20.0)
    four = seen("a", 0, 3, system_id="four", public_id="3", value=40.0, accelerator_count=16)
    by_id, by_size = (
        seen("b", 1, 1, **NAMED, public_id="2", value=20.0),
        seen("b", 1, 2, **NAMED, accelerator_count=16, value=40.0),
    )
    results, problems, owners = resolve([one, two, four, by_id, by_size])
    assert problems == []
    assert len(results) == 3
    assert owners["b:1"] == owners["a:2"]
    assert owners["b:2"] == owners["a:3"]


def test_a_name_that_fits_several_systems_is_reported_and_counts_for_none() -> None:
    one, two = (seen("a", 0, number, system_id=f"s{number}", public_id=str(number)) for number in (1, 2))
    results, problems, owners = resolve([one, two, seen("b", 1, **NAMED, value=999.0, public_id="7")])
    assert [found.problem.kind for found in problems] == ["average-of-systems"]
    assert len(results) == 2
    assert "b:1" not in owners


def test_a_result_links_to_the_folder_of_its_logs_not_to_that_which_a_table_spells() -> None:
    published = seen("table", 0, location="SUPERMICRO/results/box/resnet", basis="published")
    computed = seen("logs", 9, location="Supermicro/results/box/resnet", basis="computed")
    (result,), _, _ = resolve([published, computed])
    found = row(result)
    assert (found["basis"], found["location"]) == ("published", "Supermicro/results/box/resnet")
    assert str(found["link"]).endswith("/Supermicro/results/box/resnet")


@pytest.mark.parametrize("part", [{"accelerator": "NVIDIA L40S"}, {"processor": "Xeon"}])
def test_systems_of_one_name_with_other_parts_are_two(part: dict[str, str]) -> None:
    one = seen("a", system_id=None, public_id="5.0-1", value=100.0)
    other = seen("a", line=2, system_id=None, public_id="5.0-2", value=40.0, **part)
    results, _, _ = resolve([one, other])
    assert sorted(result.lead.sighting.value or 0 for result in results) == [40.0, 100.0]


def test_the_power_of_one_run_never_stands_beside_the_figure_of_another() -> None:
    named = {"system_id": None, "unit": "queries/s", "scenario": "Server"}
    power = {**named, "public_id": "5.0-2", "has_power": True}
    plain = seen("a", public_id="5.0-1", value=100.5, **named)
    slower = [
        seen("b", line=1, value=60.5, **power),
        seen("b", line=2, value=None, power_value=500.0, power_unit="W", **power),
    ]
    for order in itertools.permutations([plain, *slower]):
        results, _, _ = resolve(order)
        found = {result.lead.sighting.value: result.power for result in results}
        assert found == {100.5: None, 60.5: (500.0, "W")}


def test_power_alone_is_no_result() -> None:
    assert values(seen("a", value=None, power_value=5.0, power_unit="W")) == ([], ["power-without-result"])


def test_every_order_gives_the_same_results_problems_and_owners() -> None:
    items = [
        seen("a", 0, 1, system_id="one", public_id="1", value=10.0), seen("a", 0, 2, system_id="two", public_id="2"),
        seen("b", 1, 1, **NAMED, public_id="2", value=50.0), seen("b", 1, 2, **NAMED, public_id="1", value=50.0),
        seen("c", 1, 1, system_id="one", value=None, power_value=5.0, power_unit="W"),
    ]  # fmt: skip
    answers = [resolve(order) for order in itertools.permutations(items)]
    assert all(answer == answers[0] for answer in answers)


def test_a_row_has_every_column_of_a_result() -> None:
    (result,), _, _ = resolve([seen("a")])
    assert set(row(result)) >= set(RESULT_COLUMNS)


@pytest.mark.parametrize("power", [5e-324, 1e-310])
def test_an_efficiency_that_is_no_number_is_none(power: float) -> None:
    (result,), _, _ = resolve([seen("a", value=1e300, power_value=power, power_unit="W")])
    assert row(result)["efficiency"] is None
    assert row(result)["efficiency_unit"] is None


def test_a_link_leads_to_the_folder_and_escapes_what_a_url_cannot_hold() -> None:
    assert link("mlcommons/r", "closed/A B/x#1") == "https://github.com/mlcommons/r/tree/HEAD/closed/A%20B/x%231"
