"""Files: the bytes of CSV, Parquet and JSON."""

import csv
import io
import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from mlperf import export, queries
from mlperf.filters import Filters
from mlperf.model import RESULT_COLUMNS
from tests.app.small import RESULTS, database


def table(**columns: list[object]) -> pa.Table:
    return pa.table(columns)


def test_a_csv_has_all_columns_in_order_and_every_value_at_full_precision() -> None:
    data = export.write(queries.export_rows(database(RESULTS), Filters()), "csv")
    rows = list(csv.DictReader(io.StringIO(data.decode("utf-8"), newline="")))
    assert tuple(rows[0]) == RESULT_COLUMNS
    singlestream = next(row for row in rows if row["scenario"] == "SingleStream")
    assert singlestream["value"] == "0.344907"
    assert singlestream["accelerator_count"] == "1"
    assert (singlestream["has_power"], singlestream["verified"]) == ("false", "true")
    assert (singlestream["power_value"], singlestream["efficiency_unit"]) == ("", "")


@pytest.mark.parametrize("number", [0.1 + 0.2, 1e-9, 1.0, 123456789.123456789, 5e-324, 1e300, -3.5])
def test_a_number_in_a_csv_reads_back_as_itself(number: float) -> None:
    cell = export.write(table(value=[number]), "csv").decode().split("\n")[1]
    assert float(cell) == number
    assert not cell.startswith("'")


FORMULAS = (
    "=1+1", "+cmd|' /C calc'!A0", "-2+3", "@SUM(A1)", "\tx", "\rx", '=HYPERLINK("x")', "＝1+1", "＋1+1", "－2+3",
    "＠SUM(A1)", "−2+3", " =1+1", "\u200b=1+1", "\n=1+1",
)  # fmt: skip


@pytest.mark.parametrize("text", FORMULAS)
def test_a_text_that_a_spreadsheet_would_run_is_written_with_an_apostrophe(text: str) -> None:
    data = export.write(table(system_name=[text]), "csv").decode()
    cells = [row[0] for row in csv.reader(io.StringIO(data, newline=""))]
    assert cells == ["system_name", "'" + text]


@pytest.mark.parametrize("text", ["-0.5", "+1", "-1e-5", "<b>x</b>", "a=b", ""])
def test_other_texts_are_left_alone(text: str) -> None:
    data = export.write(table(accuracy=[text, "x"]), "csv").decode()
    assert list(csv.reader(io.StringIO(data, newline="")))[1:] == [[text], ["x"]]


def test_commas_quotes_and_line_breaks_survive() -> None:
    text = 'a "b", c\nd\r\ne'
    data = export.write(table(system_name=[text]), "csv").decode()
    assert list(csv.reader(io.StringIO(data, newline="")))[1] == [text]


def test_parquet_and_json_hold_the_rows_as_they_are() -> None:
    rows = queries.export_rows(database(RESULTS), Filters())
    assert pq.read_table(io.BytesIO(export.write(rows, "parquet"))).equals(rows)
    assert json.loads(export.write(rows, "json")) == rows.to_pylist()


@pytest.mark.parametrize("form", ["csv", "parquet", "json"])
def test_the_same_rows_give_the_same_bytes(form: export.Format) -> None:
    one, other = (queries.export_rows(database(rows), Filters()) for rows in (RESULTS, RESULTS[::-1]))
    assert export.write(one, form) == export.write(other, form)


@pytest.mark.parametrize(("form", "data"), [("csv", b"round"), ("json", b"[\n]\n")])
def test_no_rows_are_a_file_too(form: export.Format, data: bytes) -> None:
    rows = queries.export_rows(database([]), Filters())
    assert export.write(rows, form).startswith(data)
