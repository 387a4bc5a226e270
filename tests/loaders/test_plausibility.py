"""Figures of tables that are no results: counts of their systems, and what is far from the published figure."""

from pathlib import Path

import duckdb
import pytest

from tests.loaders.making import FLAT, FULL, kinds, load_files, rows, summary, table

Database = duckdb.DuckDBPyConnection
SYSTEM = "System Name (click + for details)"
PUBLISHED = """
    select * from 'data/results.parquet'
    where round = 'v5.1' and suite = 'inference-datacenter' and submitter = 'Dell' and division = 'closed' and verified
        and not has_power and benchmark = 'llama2-70b-99' and scenario = 'Server'
    order by system_id limit 1
"""
COUNTS = {"Nodes": 2, "host_processors_per_node": 4, "a#": 8, "Total Accelerators": 16}


@pytest.mark.parametrize("field", COUNTS)
def test_a_column_of_results_that_equals_a_count_of_its_systems_is_refused(
    database: Database, tmp_path: Path, field: str
) -> None:
    counts = [{name: count * factor for name, count in COUNTS.items()} for factor in (1, 3, 5)]
    records = [
        summary(Platform=f"system-{index}", Performance_Result=count[field], **count)
        for index, count in enumerate(counts)
    ]
    records.append(summary(Platform="other", Model="rgat", Performance_Units="Samples/s"))
    (report,) = load_files(database, tmp_path, {"a.json": records})
    assert [row["system_id"] for row in rows(database)] == ["other"]
    (problem,) = [problem for problem in report.problems if problem.kind == "odd-figure"]
    assert "all 3 figures of the column equal the number of" in problem.found
    assert "left out" in problem.fix


def test_counts_spread_over_many_columns_are_refused_together(database: Database, tmp_path: Path) -> None:
    lines = [FLAT | {"Model MLC": name, "Avg. Result at System Name": "8"} for name in ("gptj-99", "rgat", "whisper")]
    load_files(database, tmp_path, {"a.csv": table(*lines)})
    assert rows(database) == []
    assert kinds(database) == ["odd-figure"]


def test_a_single_figure_that_equals_a_count_is_kept_and_marked(database: Database, tmp_path: Path) -> None:
    lines = [FLAT | {"Avg. Result at System Name": "8"}, FLAT | {SYSTEM: "Acme Two"}]
    load_files(database, tmp_path, {"a.csv": table(*lines)})
    assert sorted(row["value"] for row in rows(database)) == [8, 2000.25]
    (problem,) = rows(database, "problems")
    assert (problem["kind"], problem["line"]) == ("odd-figure", 2)
    assert "accelerators per node" in problem["found"]


def test_a_figure_far_from_the_published_one_is_told(database: Database, tmp_path: Path) -> None:
    [published_row] = duckdb.sql(PUBLISHED).to_arrow_table().to_pylist()
    for factor, is_odd in ((1, False), (1.9, False), (0.6, False), (2.1, True), (1 / 128, True), (0, True)):
        line = FULL | {
            "Public ID": "", "Organization": "Dell", SYSTEM: published_row["system_name"], "Scenario": "Server",
            "Result": repr(published_row["value"] * factor), "Result at System Name": "",
        }  # fmt: skip
        (report,) = load_files(database, tmp_path / str(factor), {"a.csv": table(line)})
        odd = [problem for problem in report.problems if problem.kind == "odd-figure"]
        assert bool(odd) is (is_odd and factor > 0)
        if odd:
            assert f"{published_row['value']:.9g}" in odd[0].found
            assert odd[0].where.line == 2


def test_no_published_figure_is_a_count_of_its_system() -> None:
    counted = (
        "select count(*) from 'data/results.parquet' where basis = 'published' and value in (accelerator_count, nodes)"
    )
    assert duckdb.sql(counted).fetchone() == (0,)
