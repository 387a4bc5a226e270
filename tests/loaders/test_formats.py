"""The JSON tables and the checker's `summary.csv`, each known misbehaviour by a small table, through the whole line."""

import json
from pathlib import Path
from typing import Any

import duckdb
import pytest

from loaders import registry
from mlperf.errors import AmbiguousFormat, UnknownFormat
from tests.loaders import making
from tests.loaders.conftest import Make
from tests.loaders.making import (
    FLAT,
    FULL,
    TRAINING,
    checker,
    cm,
    crosstab,
    kinds,
    load_files,
    packed,
    result,
    rows,
    summarizer,
    summary,
    table,
    training,
)

Database = duckdb.DuckDBPyConnection
META = ("5.0-0001", "Acme", "available", "Acme One", "1", "NVIDIA A100-SXM4-80GB", "8", "Closed ")
CELL = ("rgat", "Offline", "Samples/s")
EVERY = {
    "summary-results": [summary()],
    "checker-json": {"0": checker(version="v6.1")},
    "checker-csv": table(checker()),
    "training-summary": summarizer(bert="12.5"),
    "cm-result": [cm()],
    "export-full-data": table(FULL),
    "export-flat": table(FLAT),
    "export-crosstab": crosstab({META: {CELL: "1"}}, [CELL]),
}


@pytest.mark.parametrize("name", EVERY)
def test_each_table_is_recognised_by_one_format_whatever_its_name(source: Make, name: str) -> None:
    found = registry.detect(source(EVERY[name], "no-suffix-at-all"))
    assert found is not None
    assert name == found.NAME


def test_every_format_has_an_example_here_and_a_rank_of_its_own() -> None:
    assert {candidate.NAME for candidate in registry.FORMATS} == set(EVERY)
    assert len({candidate.RANK for candidate in registry.FORMATS}) == len(EVERY)


@pytest.mark.parametrize("record", [training(), summary(), cm()])
def test_a_record_that_two_formats_claim_is_an_error_that_names_both(source: Make, record: dict[str, Any]) -> None:
    claims = {"summary_results.json": summary(), "cm-result.json": cm()}
    merged = record | claims["summary_results.json"] | claims["cm-result.json"]
    with pytest.raises(AmbiguousFormat) as raised:
        registry.detect(source([merged]))
    assert all(name in str(raised.value) for name in claims)


def test_a_file_that_two_formats_claim_stores_nothing(database: Database, tmp_path: Path) -> None:
    (report,) = load_files(database, tmp_path, {"a.json": [summary() | cm()]})
    assert [problem.kind for problem in report.problems] == ["ambiguous-format"]
    assert not report.is_loaded
    assert rows(database) == rows(database, "sightings") == []


@pytest.mark.parametrize("content", ["[]", "{}", '[{"a": 1}]', "[1, 2]", "\ufeff[", "{", "", "null"])
def test_json_without_results_is_refused(database: Database, tmp_path: Path, content: str) -> None:
    (report,) = load_files(database, tmp_path, {"a.json": content})
    assert isinstance(report.refused, UnknownFormat)


@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_summary_results_hold_a_result_and_the_power_beside_it(database: Database, tmp_path: Path, mark: str) -> None:
    record = summary(Power_Result=500.0, Power_Units="Watts", has_power=True, Performance_Result=1000.0)
    load_files(database, tmp_path, {"a.json": mark + json.dumps([record])})
    found = result(database)
    assert (found["round"], found["value"], found["unit"]) == ("v5.1", 1000, "tokens/s")
    assert (found["power_value"], found["power_unit"], found["efficiency"]) == (500, "W", 2.0)
    assert (found["public_id"], found["system_id"]) == ("5.1-0001", "acme_one_8xA100")
    assert found["link"].endswith("inference_results_v5.1/tree/HEAD/" + record["Location"])


def test_the_run_folder_at_the_end_of_a_location_is_no_part_of_it(database: Database, tmp_path: Path) -> None:
    place = summary()["Location"]
    load_files(database, tmp_path, {"a.json": [summary(Location=f"./{place}/performance/run_1")]})
    assert result(database)["location"] == place


def test_a_flag_that_is_known_to_be_unreliable_is_left_empty(database: Database, tmp_path: Path) -> None:
    load_files(database, tmp_path, {"a.json": [summary(version="v6.0", inferred=1), summary(inferred=1)]})
    assert {row["round"]: row["inferred"] for row in rows(database)} == {"v6.0": None, "v5.1": True}


def test_errors_of_the_checker_make_a_result_invalid(database: Database, tmp_path: Path) -> None:
    load_files(database, tmp_path, {"a.json": [summary(errors=2)]})
    assert result(database)["valid"] is False


@pytest.mark.parametrize("types", ["datacenter,edge", "edge,datacenter"])
def test_a_dual_system_is_listed_in_both_suites_under_one_id(database: Database, tmp_path: Path, types: str) -> None:
    load_files(database, tmp_path, {"a.json": [cm(SystemType=types)]})
    found = rows(database)
    assert {row["suite"] for row in found} == {"inference-datacenter", "inference-edge"}
    assert len({row["result_id"] for row in found}) == 1
    assert len({(row["value"], row["link"]) for row in found}) == 1


@pytest.mark.parametrize(
    ("scenario", "unit", "suite"),
    [("Server", "Queries/s", "inference-datacenter"), ("SingleStream", "Latency (ms)", "inference-edge")],
)
def test_a_dual_system_is_listed_only_where_its_scenario_is(
    database: Database, tmp_path: Path, scenario: str, unit: str, suite: str
) -> None:
    record = cm(SystemType="datacenter,edge", Scenario=scenario, Result_Units=unit)
    load_files(database, tmp_path, {"a.json": [record]})
    assert result(database)["suite"] == suite


def test_a_result_in_several_files_of_a_tree_is_one_result_with_every_place_kept(
    database: Database, tmp_path: Path
) -> None:
    names = ["all--offline", "v3.1--closed--offline", "v3.1--closed-power--offline"]
    content = packed(
        {
            f"experiment/{name}/2024/cm-result.json": [cm(), cm(Scenario="Server", Result_Units="Queries/s")]
            for name in names
        }
    )
    (report,) = load_files(database, tmp_path, {"cm.zip": content})
    assert len(rows(database)) == 2
    assert report.new == len(rows(database, "sightings")) == 6
    assert len({row["source_path"] for row in rows(database, "sightings")}) == 3
    assert kinds(database) == []


@pytest.mark.parametrize("power_first", [True, False])
def test_a_power_record_without_a_result_belongs_to_the_result_of_its_system(
    database: Database, tmp_path: Path, power_first: bool
) -> None:
    power = cm(version="v4.0", Result=None, Result_Power=250.125, Units="Watts", Result_Units="Watts", has_power=True)
    records = [cm(version="v4.0", has_power=True), power]
    load_files(database, tmp_path, {"a.json": records[::-1] if power_first else records})
    found = result(database)
    assert (found["value"], found["power_value"], found["power_unit"]) == (1000.5, 250.125, "W")
    assert (found["efficiency"], found["efficiency_unit"]) == (1000.5 / 250.125, "samples/J")
    assert kinds(database) == []


@pytest.mark.parametrize(("scenario", "numerator"), [("SingleStream", 1000), ("MultiStream", 8000)])
def test_energy_per_query_gives_samples_per_joule(
    database: Database, tmp_path: Path, scenario: str, numerator: int
) -> None:
    record = cm(SystemType="edge", Scenario=scenario, Result=5.5, Result_Units="Latency (ms)", Result_Power=250.0,
                Result_Power_Units="millijoules", has_power=True)  # fmt: skip
    load_files(database, tmp_path, {"a.json": [record]})
    found = result(database)
    assert (found["power_value"], found["power_unit"], found["efficiency"]) == (250, "mJ", numerator / 250)
    assert (found["value"], found["unit"], found["better"]) == (5.5, "ms", "lower")


def test_joules_become_millijoules(database: Database, tmp_path: Path) -> None:
    record = cm(SystemType="edge", Scenario="SingleStream", Result=5.5, Result_Units="Latency (ms)", Result_Power=0.25,
                Result_Power_Units="Joules")  # fmt: skip
    load_files(database, tmp_path, {"a.json": [record]})
    assert (result(database)["power_value"], result(database)["power_unit"]) == (250, "mJ")


@pytest.mark.parametrize("written", ["singlestream", "Single Stream", "SINGLESTREAM"])
def test_a_scenario_is_one_however_it_is_written(database: Database, tmp_path: Path, written: str) -> None:
    load_files(database, tmp_path, {"a.json": [cm(SystemType="edge", Scenario=written, Result_Units="Latency (ms)")]})
    assert result(database)["scenario"] == "SingleStream"


def test_every_benchmark_column_of_a_training_record_is_a_result(database: Database, tmp_path: Path) -> None:
    records = [
        training(unet3d=40.25),
        training(unet3d=40.25, details_url=training()["details_url"].replace("8", "16"), resnet=15.5, Result=15.5),
    ]
    load_files(database, tmp_path, {"a.json": records})
    assert {(row["system_id"], row["benchmark"], row["value"]) for row in rows(database)} == {
        ("acme_8", "resnet", 30.5), ("acme_8", "unet3d", 40.25),
        ("acme_16", "resnet", 15.5), ("acme_16", "unet3d", 40.25),
    }  # fmt: skip
    assert {(row["suite"], row["metric"], row["unit"], row["better"]) for row in rows(database)} == {
        ("training", "time_to_train", "min", "lower")
    }
    assert {row["system_name"] for row in rows(database)} == {"acme"}


def test_a_training_record_whose_columns_disagree_gives_neither_figure(database: Database, tmp_path: Path) -> None:
    load_files(database, tmp_path, {"a.json": [training(resnet=31.5)]})
    assert rows(database) == []
    assert kinds(database) == ["columns-differ"]


def test_the_v6_1_table_is_an_object_whose_records_have_the_checkers_names(database: Database, tmp_path: Path) -> None:
    records = {
        "2": checker(version="v6.1", MlperfModel="text_to_video", Model="wan-2.2-t2v-a14b", Scenario="SingleStream",
                     Units="Latency (s)", Result=21.5, compliance="closed", total_accelerators=8, PrivateID=None),
        "3": checker(version="v6.1", MlperfModel="dlrm-v3", Model="dlrm-v3", total_accelerators=8),
    }  # fmt: skip
    load_files(database, tmp_path, {"summary.json": records})
    found = {row["benchmark"]: row for row in rows(database)}
    video = found.pop("wan-2.2-t2v-a14b")
    assert (video["value"], video["unit"], video["better"]) == (21.5, "s", "lower")
    assert found["dlrm-v3"]["value"] == 1000.5
    assert kinds(database) == []


def test_seconds_become_milliseconds_where_the_rule_says_so(database: Database, tmp_path: Path) -> None:
    record = checker(version="v6.1", SystemType="edge", MlperfModel="llama3.1-8b-edge", Model="llama3.1-8b-edge",
                     Scenario="SingleStream", Units="Latency (s)", Result=0.25)  # fmt: skip
    load_files(database, tmp_path, {"summary.json": {"0": record}})
    assert (result(database)["value"], result(database)["unit"]) == (250.0, "ms")


@pytest.mark.parametrize(
    "line",
    [
        checker(),
        {name.replace("compliance", "compilance"): cell for name, cell in checker().items()},
        checker() | {"total_accelerators": "8", "design_power_watts": "", "PrivateID": "x", "weight_data_types": "fp8"},
        dict(reversed(checker().items())),
    ],
    ids=["as today", "compilance", "newer columns", "another order"],
)
def test_the_checkers_summary_of_any_round_is_read(database: Database, tmp_path: Path, line: dict[str, Any]) -> None:
    load_files(database, tmp_path, {"summary.csv": table(line)})
    found = result(database)
    assert (found["round"], found["value"], found["accelerator_count"]) == ("v3.1", 1000.5, 8)
    assert (found["division"], found["valid"], found["has_power"]) == ("closed", True, False)
    assert kinds(database) == []


@pytest.mark.parametrize("others", [["30873,9"], []])
def test_a_checkers_summary_saved_again_with_decimal_commas_keeps_its_figures(
    database: Database, tmp_path: Path, others: list[str]
) -> None:
    cells = ["719,409", *others]
    lines = [checker(Platform=f"acme_{cell}", SystemName=f"Acme {cell}", Result=cell) for cell in cells]
    load_files(database, tmp_path, {"summary.csv": table(*lines, delimiter=";")})
    assert {row["value"] for row in rows(database)} == {float(cell.replace(",", ".")) for cell in cells}
    assert kinds(database) == []


def test_a_power_line_of_the_checkers_summary_is_the_power_of_its_result(database: Database, tmp_path: Path) -> None:
    load_files(
        database, tmp_path, {"summary.csv": table(checker(has_power=True, Units="Watts", Result=500.25), checker())}
    )
    assert (result(database)["value"], result(database)["power_value"]) == (1000.5, 500.25)


def test_the_most_trusted_table_gives_the_value_and_others_fill_in(database: Database, tmp_path: Path) -> None:
    name = {"System Name (click + for details)": summary()["System"]}
    rounded = FLAT | name | {"Avg. Result at System Name": "2000.3", "Public ID": "v5.1-0009"}
    line = checker(version="v5.1", MlperfModel="llama2-70b-99", Model="llama2-70b-99", Units="Tokens/s", Result=2000.2)
    own = [summary(ID=None, Software=None)]
    load_files(database, tmp_path, {"a.csv": table(rounded), "b.json": own, "c.csv": table(line)})
    found = result(database)
    assert (found["value"], found["source_path"]) == (2000.25, "b.json")
    assert found["framework"] == checker()["framework"]
    assert found["public_id"] == "5.1-0009"
    assert len(rows(database, "sightings")) == 3
    assert kinds(database) == []


def test_an_open_submission_keeps_its_own_model_beside_the_benchmark(database: Database, tmp_path: Path) -> None:
    records = [
        cm(Division="open", Model=model, Result=value) for model, value in (("mobilenet", 1.5), ("resnet50", 2.5))
    ]
    load_files(database, tmp_path, {"a.json": records})
    assert {(row["benchmark"], row["model"], row["value"]) for row in rows(database)} == {
        ("resnet", "mobilenet", 1.5), ("resnet", None, 2.5)
    }  # fmt: skip


def test_a_result_of_training_and_one_of_inference_never_meet(database: Database, tmp_path: Path) -> None:
    load_files(database, tmp_path, {"a.csv": table(TRAINING), "b.json": [training(version="4.0")]})
    assert {row["suite"] for row in rows(database)} == {"training"}
    assert {row["round"] for row in rows(database)} == {"v4.0"}


@pytest.mark.parametrize(
    ("name", "cell"), [("Result", "2.5"), ("Units", "Watts"), ("Platform", "other"), ("Scenario", "Server")]
)
@pytest.mark.parametrize("first", [True, False])
def test_copies_of_a_checkers_column_that_differ_refuse_the_line(
    database: Database, tmp_path: Path, name: str, cell: str, first: bool
) -> None:
    record = checker()
    names, cells = list(record), [str(value) for value in record.values()]
    place = 0 if first else len(names)
    text = making.lines([[*names[:place], name.upper(), *names[place:]], [*cells[:place], cell, *cells[place:]]])
    load_files(database, tmp_path, {"summary.csv": text})
    assert rows(database) == []
    assert kinds(database) == ["columns-differ"]


def test_a_record_with_a_name_twice_is_left_out_whichever_value_comes_last(database: Database, tmp_path: Path) -> None:
    good, bad = summary(Scenario="Server"), json.dumps(summary())
    bad = bad.replace('"Performance_Result": 2000.25', '"Performance_Result": 2000.25, "Performance_Result": 8')
    load_files(database, tmp_path, {"a.json": f"[{bad},\n{json.dumps(good)}]"})
    assert [row["scenario"] for row in rows(database)] == ["Server"]
    assert [(row["kind"], row["line"]) for row in rows(database, "problems")] == [("key-twice", 1)]
