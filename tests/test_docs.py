"""The README tells the truth: its commands, formats, pages, settings, sources and links exist, and none is left out."""

import ast
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from loaders.registry import FORMATS, TREES
from mlperf.filters import Filters
from tests import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
TARGETS = set(re.findall(r"^([a-z]+):.*## ", MAKEFILE, flags=re.MULTILINE))
LOADERS_COMMANDS = re.findall(r"^\$ \.venv/bin/python -m loaders (.+)$", README, flags=re.MULTILINE)
TRADEMARK = (
    "The MLPerf name and logo are registered and unregistered trademarks of MLCommons Association in the United States "
    "and other countries. All rights reserved. Unauthorized use strictly prohibited. "
    "See www.mlcommons.org for more information."
)


def output_of(*command: str) -> str:
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert run.returncode == 0, run.stderr
    return run.stdout


def settings() -> set[str]:
    """Every variable a user can set: the Makefile's, and those that our Python reads from the environment."""
    names = set(re.findall(r"^([A-Z]+) \?=", MAKEFILE, flags=re.MULTILINE))
    for path in (path for path in ROOT.rglob("*.py") if ".venv" not in path.parts):
        names |= {text for text in environment_names(ast.parse(path.read_bytes())) if text.isupper()}
    return names


def environment_names(tree: ast.Module) -> set[str]:
    """The names that a module looks up in `os.environ`, written there or in a constant of the module."""
    constants: dict[str, str] = {}
    for node in tree.body:
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Constant(value=str(text))):
                constants[name] = text
            case ast.AnnAssign(target=ast.Name(id=name), value=ast.Constant(value=str(text))):
                constants[name] = text
    names = set()
    for found in ast.walk(tree):
        match found:
            case ast.Call(func=function, args=[argument, *_]) if ast.unparse(function) in {
                "os.environ.get",
                "os.getenv",
            }:
                names.add(constants.get(ast.unparse(argument), ast.unparse(argument).strip("'")))
            case ast.Subscript(value=value, slice=argument) if ast.unparse(value) == "os.environ":
                names.add(constants.get(ast.unparse(argument), ast.unparse(argument).strip("'")))
    return names


def test_every_make_command_exists_and_every_target_is_named() -> None:
    assert set(re.findall(r"`?(?:\$ )?make ([a-z]+)\b", "\n".join(code_in(README)))) == TARGETS


def code_in(text: str) -> list[str]:
    """What stands in backticks, inline or fenced."""
    fenced = re.findall(r"^```.*?^```", text, flags=re.MULTILINE | re.DOTALL)
    rest = re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)
    return [*fenced, *re.findall(r"`[^`\n]+`", rest)]


def test_bare_make_prints_one_line_for_each_target() -> None:
    lines = output_of("make", "--no-print-directory").splitlines()
    assert {line.split()[1] for line in lines} == TARGETS
    assert len(lines) == len(TARGETS) == 6


@pytest.mark.parametrize("command", LOADERS_COMMANDS)
def test_every_command_of_the_loaders_exists_with_its_options(command: str) -> None:
    name, *words = command.split()
    known = output_of(sys.executable, "-m", "loaders", name, "--help")
    assert [word for word in words if word.startswith("-") and word not in known] == []


def test_the_command_line_example_gives_the_published_figure() -> None:
    example = next(command for command in LOADERS_COMMANDS if "XR7620" in command)
    header, row = output_of(sys.executable, "-m", "loaders", *example.split()).splitlines()
    assert "0.344907" in row.split(",")
    assert header.startswith("round,suite,division,")


@pytest.mark.parametrize("name", [form.NAME for form in (*FORMATS, *TREES)])
def test_every_format_is_in_the_table(name: str) -> None:
    title = next(form.TITLE for form in (*FORMATS, *TREES) if name == form.NAME)
    assert f"\n| {title} |" in README


def test_no_format_is_in_the_table_that_does_not_exist() -> None:
    table = README.partition("| format | ")[2].partition("\n\n")[0]
    assert len(table.splitlines()) == 2 + len(FORMATS) + len(TREES)


@pytest.mark.parametrize("page", sorted(path.name for path in (ROOT / "pages").glob("*.py")))
def test_every_page_is_linked(page: str) -> None:
    assert f"(pages/{page})" in README


def test_every_setting_is_named() -> None:
    assert [name for name in sorted(settings()) if f"| `{name}` |" not in README] == []


def test_every_source_of_the_snapshot_is_named() -> None:
    sources = tomllib.loads((ROOT / "data" / "SOURCES.toml").read_text(encoding="utf-8"))["source"]
    assert [entry["source"] for entry in sources if entry["source"] not in README] == []


VIEWS = re.findall(r"\]\(http://localhost:8501/([^)]*)\)", README)


@pytest.mark.parametrize("link", [link for link in VIEWS if urlsplit(link).path])
def test_every_view_of_a_page_has_its_page(link: str) -> None:
    assert (ROOT / "pages" / f"{urlsplit(link).path.replace('-', '_')}.py").exists()


@pytest.mark.parametrize("link", [link for link in VIEWS if not urlsplit(link).path])
def test_every_view_is_a_link_that_the_filters_understand(link: str) -> None:
    filters, warnings = Filters.from_query(parse_qs(urlsplit(link).query))
    assert warnings == ()
    assert filters.is_empty == (not urlsplit(link).query)


@pytest.mark.parametrize("target", sorted(set(re.findall(r"\]\((?!http|#)([^)#]+)\)", README))))
def test_every_file_that_is_linked_exists(target: str) -> None:
    assert Path(ROOT, target).exists()


def test_the_trademark_is_acknowledged_and_not_part_of_the_name() -> None:
    assert TRADEMARK in " ".join(README.split())
    assert "MLPerf" not in README.splitlines()[0]
