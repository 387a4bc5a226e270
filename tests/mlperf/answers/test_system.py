"""System: its results, specification and relatives against what the tables hold."""

from urllib.parse import parse_qs, urlsplit

import duckdb
import pytest

from loaders import snapshot
from mlperf.answers import system as question
from mlperf.answers.system import Choice, Sheet
from mlperf.systems import SystemKey
from tests.app.small import H100, OFFLINE, RESULTS, database


def sheet(con: duckdb.DuckDBPyConnection, text: str) -> Sheet:
    key = SystemKey.parse(text)
    assert key is not None
    return question.sheet(con, Choice(key))


@pytest.fixture(scope="module")
def con() -> duckdb.DuckDBPyConnection:
    return snapshot.open_snapshot()


SYSTEMS = [
    "inference-v3.1/Dell/XR7620_L4x1_TRT",
    "inference-v3.1/Dell/XR5610_L4x1_TRT_MaxQ",
    "inference-v3.1/Dell/XE9680_H100_SXM_80GBx8_TRT",
    "training-v1.1/Dell/R750xax4A100-PCIE-80GB",
    "inference-v6.0/Dell/XE7740_H200_NVL_141GBx8_TRT",
]


@pytest.mark.parametrize("text", SYSTEMS)
def test_a_sheet_has_every_result_once_with_its_files(con: duckdb.DuckDBPyConnection, text: str) -> None:
    key = SystemKey.parse(text)
    assert key is not None
    rows = con.cursor().execute(
        "select distinct result_id, benchmark, scenario, value, unit, power_value, public_id, link from results"
        " where round = ? and submitter = ? and system_id = ? and (suite = 'training') = ?",
        [key.round, key.submitter, key.system, key.kind == "training"],
    )
    expected = set(rows.fetchall())
    found = sheet(con, text)
    columns = ("result_id", "benchmark", "scenario", "value", "unit", "power_value", "public_id", "link")
    assert {tuple(row[name] for name in columns) for row in found.answer.data.to_pylist()} == expected
    assert found.answer.data.num_rows == len(expected) == found.results.num_rows > 0
    assert all(link.startswith("https://github.com/mlcommons/") for link in found.results["link"].to_pylist())
    assert f"{len(expected)} results" in found.answer.below
    assert found.answer.charts == ()


@pytest.mark.parametrize("text", SYSTEMS[:4])
def test_the_specification_is_the_whole_sheet(con: duckdb.DuckDBPyConnection, text: str) -> None:
    key = SystemKey.parse(text)
    assert key is not None
    rows = con.cursor().execute(
        "select field, value, source_path from sheets where round = ? and submitter = ? and system_id = ? and kind = ?",
        [key.round, key.submitter, key.system, key.kind],
    )
    found = sheet(con, text)
    stated = {row["field"]: row["stated"] for row in found.specification.to_pylist()}
    sheets = rows.fetchall()
    if not sheets:
        assert "the sources here hold no sheet" in found.answer.notes[0]
        assert stated["System name"]
        return
    for field, value, path in sheets:
        assert stated.get(field.replace("_", " ").capitalize()) == (None if value in ("", "N/A", "-") else value)
        assert path in found.answer.notes[0]
    assert next(iter(stated)) == "System name"
    named = [field for field in stated if field.startswith(("Accelerator", "Host"))]
    assert named == sorted(named, key=lambda field: field.startswith("Host")), "accelerators, then the host"


def test_a_system_of_an_old_table_says_what_the_table_knows(con: duckdb.DuckDBPyConnection) -> None:
    found = sheet(con, SYSTEMS[-1])
    stated = {row["field"]: row["stated"] for row in found.specification.to_pylist()}
    assert stated["Accelerators"] == "8"
    assert stated["Operating system"] == "Ubuntu 24.04"
    assert found.answer.notes[0].startswith("Specification from the tables of results")


def test_relatives_are_the_same_id_and_the_same_server_elsewhere(con: duckdb.DuckDBPyConnection) -> None:
    text = SYSTEMS[3]
    rows = con.cursor().execute(
        "select distinct suite = 'training', round, system_id from results where submitter = 'Dell'"
        " and (server = 'R750xa' or system_id = 'R750xax4A100-PCIE-80GB')"
    )
    expected = {
        f"{'training' if is_training else 'inference'}-{played}/Dell/{system}"
        for is_training, played, system in rows.fetchall()
    } - {text}
    found = sheet(con, text).relatives.to_pylist()
    keys = [SystemKey.parse(_unquoted(row["sheet"])) for row in found]
    assert {key.text for key in keys if key} == expected
    assert len(found) == len(expected)
    first = [row for row in found if row["relation"] == "same system ID"]
    assert first == found[: len(first)]
    assert {row["system"] for row in first} == {"R750xax4A100-PCIE-80GB"}


def _unquoted(address: str) -> str:
    return parse_qs(urlsplit(address).query)["system"][0]


def test_training_leads_to_the_runs_and_inference_does_not(con: duckdb.DuckDBPyConnection) -> None:
    found = sheet(con, SYSTEMS[3]).results
    rows = con.cursor().execute(
        "select distinct benchmark from results where suite = 'training' and round = 'v1.1'"
        " and system_id = 'R750xax4A100-PCIE-80GB' and runs > 0"
    )
    address = "runs?system=training-v1.1%2FDell%2FR750xax4A100-PCIE-80GB&benchmark="
    assert set(found["runs_page"].to_pylist()) == {f"{address}{benchmark}" for (benchmark,) in rows.fetchall()}
    assert "runs_page" not in sheet(con, SYSTEMS[0]).results.column_names


def test_measured_power_is_shown_with_its_unit(con: duckdb.DuckDBPyConnection) -> None:
    found = sheet(con, SYSTEMS[1]).results.to_pylist()
    [power] = [row["power"] for row in found if row["test"] == "ResNet-50 v1.5" and row["scenario"] == "Offline"]
    [(value,)] = con.cursor().execute(
        "select distinct power_value from results where round = 'v3.1' and system_id = 'XR5610_L4x1_TRT_MaxQ'"
        " and benchmark = 'resnet' and scenario = 'Offline'"
    ).fetchall()  # fmt: skip
    assert power == f"{value:.4g} W"


def test_the_default_is_the_largest_of_the_newest_round(con: duckdb.DuckDBPyConnection) -> None:
    found = question.default_system(con, "Dell")
    assert found is not None
    rows = con.cursor().execute(
        "select system_id, count(distinct result_id) from results where submitter = 'Dell' and round = 'v6.0'"
        " and suite <> 'training' group by 1"
    )
    counts = dict(rows.fetchall())
    assert (found.kind, found.round) == ("inference", "v6.0")
    assert counts[found.system] == max(counts.values())
    other = question.default_system(con, "nobody")
    assert other is not None
    assert other.submitter != "Dell" or other.round == "v6.1"


def test_divisions_and_power_stand_apart_and_differing_sheets_are_said() -> None:
    con = database([
        {"result_id": "a", **OFFLINE, **H100, "input_data_types": "fp8"},
        {"result_id": "b", **OFFLINE, **H100, "division": "open", "model": "tiny", "value": 7.0},
    ])  # fmt: skip
    con.execute(
        "insert into sheets by name select '1' as sha256, 'mlcommons/r' as source, source_path, 'inference' as kind,"
        " 'v3.1' as round, 'Dell' as submitter, 'XE9680_H100x8_TRT' as system_id, 1 as position,"
        " 'framework' as field, value from (values ('closed/Dell/systems/XE9680_H100x8_TRT.json', 'TensorRT'),"
        " ('open/Dell/systems/XE9680_H100x8_TRT.json', 'Other')) as told(source_path, value)"
    )
    con.execute("update results set location = division || '/Dell/results/XE9680_H100x8_TRT'")
    found = sheet(con, "inference-v3.1/Dell/XE9680_H100x8_TRT")
    assert found.results["division"].to_pylist() == ["closed", "open"]
    assert found.results["model"].to_pylist() == [None, "tiny"]
    assert {"field": "Framework", "stated": "TensorRT"} in found.specification.to_pylist()
    assert "Sheet of the open division: Framework: Other." in found.answer.notes


def test_a_system_without_id_or_facts_has_a_sheet_too() -> None:
    found = sheet(database(RESULTS), "training-v1.1/Dell/R750xa")
    assert found.answer.heading == "R750xa"
    assert found.answer.below.startswith("Dell · MLPerf® Training v1.1")
    assert "scenario" not in found.results.column_names


def test_no_system_is_advice() -> None:
    con = database([])
    assert question.default_system(con, "Dell") is None
    for found in (question.sheet(con, Choice(None)), sheet(con, "inference-v3.1/Dell/none")):
        assert found.answer.is_empty
        assert "Choose a system" in found.answer.advice


def test_a_score_without_known_runs_leads_to_none() -> None:
    training = {"suite": "training", "scenario": None, "metric": "time_to_train", "unit": "min", "better": "lower"}
    con = database([
        {"result_id": "a", **training, "benchmark": "resnet", "runs": 5},
        {"result_id": "b", **training, "benchmark": "bert", "runs": None},
    ])  # fmt: skip
    found = sheet(con, "training-v3.1/Dell/XR7620_L4x1_TRT").results.to_pylist()
    assert {row["test"]: bool(row["runs_page"]) for row in found} == {"BERT-Large": False, "ResNet-50 v1.5": True}
