"""The walls between the rooms: app → pages → ui → loaders → mlperf, and what each room never touches (design.md, 1)."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests import ROOT

TABLE_LIBRARIES = frozenset({"csv", "zipfile", "tarfile", "tomllib", "xml"})
NETWORK = frozenset({"requests", "urllib.request", "http", "socket", "httpx", "aiohttp", "ftplib"})


@dataclass(frozen=True)
class Room:
    """One room: what may not be imported in it, and which methods may not be called."""

    name: str
    forbidden: frozenset[str]
    calls: frozenset[str] = field(default_factory=frozenset)


SQL_CALLS = frozenset({"execute", "executemany", "sql", "read_parquet", "read_csv"})
FIGURE_CALLS = frozenset({"add_trace", "update_layout", "update_traces", "update_xaxes", "update_yaxes"})
ROOMS = (  # from the top; a room imports those below it only
    Room("app", frozenset({"mlperf", "loaders", "pages", "requests", "sqlite3"}), SQL_CALLS),
    Room("pages", TABLE_LIBRARIES | NETWORK | {"duckdb", "plotly", "sqlite3"}, SQL_CALLS | FIGURE_CALLS | {"connect"}),
    Room("ui", TABLE_LIBRARIES | (NETWORK - {"http"}) | {"sqlite3"}, SQL_CALLS | FIGURE_CALLS),
    Room("loaders", frozenset({"streamlit", "plotly"})),
    Room("mlperf", NETWORK | {"streamlit", "sqlite3"}, frozenset({"connect"})),
)
ORDER = tuple(room.name for room in ROOMS)
OTHER_FOLDERS = frozenset({"tests"})


def imports(tree: ast.Module, package: tuple[str, ...]) -> Iterator[tuple[int, str]]:
    """Line and absolute dotted name of each import, relative and `import_module("…")` ones too."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else ()
            module = ".".join((*base, *filter(None, [node.module])))
            yield node.lineno, module
            yield from ((node.lineno, f"{module}.{alias.name}".lstrip(".")) for alias in node.names)
        elif isinstance(node, ast.Call) and called(node) in {"import_module", "__import__"}:
            yield from ((node.lineno, str(name.value)) for name in node.args[:1] if isinstance(name, ast.Constant))


def called(call: ast.Call) -> str:
    """The bare name of what is called: `execute` for `connection.cursor().execute(…)`."""
    match call.func:
        case ast.Attribute(attr=name) | ast.Name(id=name):
            return name
    return ""


def is_sewn(node: ast.expr) -> bool:
    """Whether a text is put together at run time: f-string, `+`, `%` or `.format`."""
    match node:
        case ast.JoinedStr() | ast.BinOp(op=ast.Add() | ast.Mod()):
            return True
        case ast.Call(func=ast.Attribute(attr="format" | "join")):
            return True
    return False


def is_attaching(node: ast.expr) -> bool:
    """Whether a sewn text attaches a database, for which DuckDB takes no parameter."""
    texts = [part.value for part in ast.walk(node) if isinstance(part, ast.Constant)]
    return "attach '" in texts


def faults(path: Path, root: Path) -> Iterator[str]:
    """Every breach of a wall in one file, as `file:line: what`."""
    relative = path.relative_to(root)
    name = relative.parts[0].removesuffix(".py")
    if name not in ORDER:
        yield f"{relative}: no such room; the rooms are {', '.join(ORDER)}"
        return
    room = ROOMS[ORDER.index(name)]
    above = ORDER[: ORDER.index(name)]
    tree = ast.parse(path.read_bytes(), str(relative))
    for line, module in sorted(set(imports(tree, relative.parts[:-1]))):
        top = module.split(".")[0]
        if top in above:
            yield f"{relative}:{line}: {name} imports {module}, which lies above it"
        elif top in room.forbidden or module in room.forbidden:
            yield f"{relative}:{line}: {name} never imports {module}"
    for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
        if called(call) in room.calls and isinstance(call.func, ast.Attribute):
            yield f"{relative}:{call.lineno}: {name} never calls .{called(call)}()"
        is_sql = called(call) in {"execute", "executemany", "sql"} and bool(call.args)
        if is_sql and is_sewn(call.args[0]) and not is_attaching(call.args[0]):
            yield f"{relative}:{call.lineno}: SQL sewn together; pass values as parameters"


def all_faults(root: Path) -> list[str]:
    """Every breach in the tree of a project."""
    files = sorted(
        path
        for path in root.rglob("*.py")
        if not (set(path.relative_to(root).parts[:1]) & OTHER_FOLDERS)
        and not any(part.startswith(".") for part in path.relative_to(root).parts)
    )
    return [fault for path in files for fault in faults(path, root)]


def test_no_line_breaks_a_wall() -> None:
    assert all_faults(ROOT) == []


@pytest.mark.parametrize(
    ("file", "text", "fault"),
    [
        ("mlperf/facts.py", "import loaders.store", "mlperf/facts.py:1: mlperf imports loaders.store, which lies"),
        ("loaders/a.py", "def late():\n    from ui import tables", "loaders/a.py:2: loaders imports ui, which"),
        ("loaders/formats/a.py", "from ... import pages", "loaders/formats/a.py:1: loaders imports pages, which"),
        ("loaders/a.py", "import importlib\nimportlib.import_module('app')", "loaders/a.py:2: loaders imports app"),
        ("loaders/ingest.py", "import streamlit as st", "loaders/ingest.py:1: loaders never imports streamlit"),
        ("mlperf/queries.py", "import duckdb\nduckdb.connect()", "mlperf/queries.py:2: mlperf never calls .connect()"),
        ("mlperf/queries.py", "from urllib import request", "mlperf/queries.py:1: mlperf never imports urllib"),
        ("pages/explore.py", "import plotly.graph_objects as go", "pages/explore.py:1: pages never imports plotly"),
        ("pages/explore.py", "figure.update_layout(height=3)", "pages/explore.py:1: pages never calls .update"),
        ("ui/session.py", "hub().execute('select 1')", "ui/session.py:1: ui never calls .execute()"),
        ("loaders/store.py", "cursor.execute(f'drop table {name}')", "loaders/store.py:1: SQL sewn together"),
        ("loaders/store.py", "cursor.execute('drop table ' + name)", "loaders/store.py:1: SQL sewn together"),
        ("app.py", "import mlperf.facts", "app.py:1: app never imports mlperf"),
        ("core/things.py", "", "core/things.py: no such room"),
    ],
)  # fmt: skip
def test_the_checker_sees_each_kind_of_breach(tmp_path: Path, file: str, text: str, fault: str) -> None:
    path = tmp_path / file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    assert any(found.startswith(fault) for found in all_faults(tmp_path)), all_faults(tmp_path)


def test_the_checker_lets_downward_imports_pass(tmp_path: Path) -> None:
    (tmp_path / "pages").mkdir()
    (tmp_path / "pages" / "explore.py").write_text(
        "import streamlit as st\nfrom mlperf import figures\nfrom ui import session\n", encoding="utf-8"
    )
    assert all_faults(tmp_path) == []


def modules_after(statement: str) -> set[str]:
    """The top-level modules that a fresh Python holds after a statement."""
    script = f"{statement}\nimport sys\nprint(*{{name.split('.')[0] for name in sys.modules}})"
    run = subprocess.run(
        [sys.executable, "-W", "error", "-c", script],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    return set(run.stdout.split())


@pytest.mark.parametrize("module", ["loaders.ingest", "loaders.__main__", "loaders.snapshot", "loaders.store"])
def test_loaders_run_without_the_screen(module: str) -> None:
    assert not modules_after(f"import {module}") & {"streamlit", "plotly", "ui", "pages", "app"}


def test_mlperf_is_usable_without_screen_network_or_loaders() -> None:
    names = [f"mlperf.{path.stem}" for path in (ROOT / "mlperf").glob("*.py") if path.stem != "__init__"]
    assert not modules_after("import " + ", ".join(names)) & {"streamlit", "requests", "loaders", "ui", "pages", "app"}


def test_the_door_imports_no_data_library() -> None:
    ours = modules_after("import app") - modules_after("import streamlit; streamlit.App('ui/main.py')")
    assert not ours & {"pandas", "duckdb", "plotly", "pyarrow", "mlperf", "loaders"}
