"""Rows into the bytes of a file: CSV, Parquet or JSON, the same for the page's download and the command line.

The same table gives the same bytes. Nothing is rounded; no column is renamed.
"""

import csv
import io
import json
import re
import unicodedata
from collections.abc import Callable, Mapping
from typing import Final, Literal

import pyarrow as pa
import pyarrow.parquet as pq

Format = Literal["csv", "parquet", "json"]
MEDIA_TYPES: Final[Mapping[Format, str]] = {
    "csv": "text/csv",
    "parquet": "application/vnd.apache.parquet",
    "json": "application/json",
}
FORMULA_STARTS: Final = ("=", "+", "-", "@", "\t", "\r")
INVISIBLE: Final = ("Cc", "Cf")
"""Categories of characters that show nothing: spreadsheets pass over some of them."""
NUMBER: Final = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?")


def write(rows: pa.Table, form: Format) -> bytes:
    """The whole file that holds the rows."""
    return WRITERS[form](rows)


def csv_bytes(rows: pa.Table) -> bytes:
    """RFC 4180 in UTF-8: CRLF, numbers at full precision, `true` and `false`, an empty cell for null.

    A text that a spreadsheet would run as a formula starts with an apostrophe, whether its sign is of full width or
    stands behind blanks; numbers are left alone, also in a text column.
    Source: OWASP, CSV Injection.
    """
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, lineterminator="\r\n")  # with "\n" a bare carriage return in a cell is not quoted
    writer.writerow(rows.column_names)
    columns = [_cells(column) for column in rows.columns]
    writer.writerows(zip(*columns, strict=True))
    return buffer.getvalue().encode("utf-8")


def parquet_bytes(rows: pa.Table) -> bytes:
    """Parquet with zstd, types as in the database, texts exactly as loaded."""
    buffer = io.BytesIO()
    pq.write_table(rows, buffer, compression="zstd")
    return buffer.getvalue()


def json_bytes(rows: pa.Table) -> bytes:
    """A JSON array with one object per row and line; nulls are null."""
    lines = (json.dumps(row, ensure_ascii=False, allow_nan=False) for row in rows.to_pylist())
    return ("[" + ",".join("\n" + line for line in lines) + "\n]\n").encode("utf-8")


def _cells(column: pa.ChunkedArray) -> list[str]:
    values = column.to_pylist()
    if pa.types.is_boolean(column.type):
        return ["" if value is None else "true" if value else "false" for value in values]
    if pa.types.is_floating(column.type):
        return ["" if value is None else repr(value) for value in values]
    if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
        return ["" if value is None else _harmless(value) for value in values]
    return ["" if value is None else str(value) for value in values]


def _harmless(text: str) -> str:
    is_formula = _first_sign(text) in FORMULA_STARTS or text.startswith(FORMULA_STARTS)
    return "'" + text if is_formula and not NUMBER.fullmatch(text) else text


def _first_sign(text: str) -> str:
    """The first character that is seen, in its plain form: `＝` is `=`. Source: Unicode, normalization form NFKC."""
    seen = next((char for char in text if not char.isspace() and unicodedata.category(char) not in INVISIBLE), "")
    plain = unicodedata.normalize("NFKC", seen)
    return {"\N{MINUS SIGN}": "-"}.get(plain, plain)


WRITERS: Final[Mapping[Format, Callable[[pa.Table], bytes]]] = {
    "csv": csv_bytes,
    "parquet": parquet_bytes,
    "json": json_bytes,
}
