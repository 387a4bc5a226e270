"""Sources made of bytes, and small databases."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest

from loaders import store
from loaders.unpack import Source, sources

Make = Callable[..., Source]


@pytest.fixture
def source(tmp_path: Path) -> Make:
    """A plain file of these bytes (or this text, or this value as JSON) as a source."""

    def make(content: bytes | str | Any, name: str = "file") -> Source:
        data = (
            content
            if isinstance(content, bytes)
            else (content if isinstance(content, str) else json.dumps(content, indent=1)).encode()
        )
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        (made,) = sources(path)
        assert isinstance(made, Source)
        return made

    return make


@pytest.fixture
def database() -> Iterator[duckdb.DuckDBPyConnection]:
    """An empty results database in memory."""
    with store.open_database(None) as connection:
        yield connection
