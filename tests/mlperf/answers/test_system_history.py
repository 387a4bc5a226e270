"""What one system ID has over the rounds, against the table of results."""

import duckdb
import pytest

from loaders import snapshot
from mlperf.answers.system_history import history
from mlperf.metrics import number_text
from mlperf.systems import SystemKey
from tests.app.small import RESULTS, database


@pytest.fixture(scope="module")
def con() -> duckdb.DuckDBPyConnection:
    return snapshot.open_snapshot()


@pytest.mark.parametrize("system", ["XR7620_L4x1_TRT", "XR5610_L4x1_TRT_MaxQ"])
def test_every_result_of_every_round_stands_in_its_round(con: duckdb.DuckDBPyConnection, system: str) -> None:
    rows = con.cursor().execute(
        "select distinct round, value, unit, result_id from results where submitter = 'Dell' and system_id = ?"
        " and suite <> 'training'",
        [system],
    )
    expected: dict[str, list[str]] = {}
    for played, value, unit, _ in rows.fetchall():
        expected.setdefault(played, []).append(f"{number_text(value)} {unit}")
    found = history(con, SystemKey("inference", "v3.1", "Dell", system)).figures
    assert set(found.column_names) == {"cell", *expected}
    assert len(expected) > 1
    for played, texts in expected.items():
        assert sorted(text for text in found[played].to_pylist() if text) == sorted(texts)


def test_what_stands_against_a_comparison_is_said(con: duckdb.DuckDBPyConnection) -> None:
    found = history(con, SystemKey("inference", "v3.1", "Dell", "XR5610_L4x1_TRT_MaxQ")).findings
    assert {"preview", "availability", "round"} <= {finding.kind for finding in found}


def test_a_system_of_one_round_has_no_history() -> None:
    found = history(database(RESULTS), SystemKey("inference", "v3.1", "Dell", "XR7620_L4x1_TRT"))
    assert found.figures.num_rows == 0
    assert found.findings == ()
