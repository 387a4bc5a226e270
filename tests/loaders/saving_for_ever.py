"""A process that is there to be killed: per line on its input it starts a child that saves uploads until it dies.

The child writes a line when the catalog is open (`o`), when an upload is saved (`+ID`), when it begins to delete one
(`?ID`), and when that is done (`-ID`).
It is forked, as starting Python fifty times takes half a minute; nothing of DuckDB is open when it is.
"""

import dataclasses
import itertools
import os
import sys
from pathlib import Path

import pandas  # noqa: F401 (DuckDB imports it at its first parameter: here, once, and not in each child)

from loaders import own, store
from loaders.upload import Inspected, Preview
from tests.loaders.uploading import LABEL, MOST, previewed, read, ten

SMALL_LOG = "64KB"
"""From this size on DuckDB moves what its log holds into the file: so small that this, too, is met by a kill."""


def save_for_ever(file: Path, inspected: Inspected, found: Preview, start: int) -> None:
    """Save, and now and then delete, telling of each when it is done."""
    connection = store.open_database(None)
    if start % 2:
        connection.execute(f"set wal_autocheckpoint = '{SMALL_LOG}'")
    catalog = own.attach(connection, file)
    os.write(1, b"o\n")
    for number in itertools.count():
        one = dataclasses.replace(inspected)
        vars(one).update(sha256=f"{start}.{number}", marks=inspected.marks)  # another content, without reading any
        saved = catalog.save("me", f"{start}.{number}", one, found, MOST * MOST)
        os.write(1, f"+{saved.upload_id}\n".encode())
        if number % 3 == 2:
            os.write(1, f"?{saved.upload_id}\n".encode())
            catalog.delete("me", saved.upload_id)
            os.write(1, f"-{saved.upload_id}\n".encode())


def main(folder: Path) -> None:
    """Start a child per line that comes in, and tell its number first."""
    inspected = read(folder / "given", ten())
    found = previewed(folder / "given", ten(), LABEL)
    for number, _ in enumerate(sys.stdin):
        child = os.fork()
        if child == 0:
            save_for_ever(folder / "own.duckdb", inspected, found, number)
        os.write(1, f"{child}\n".encode())
        os.waitpid(child, 0)
        os.write(1, b"end\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
