"""Figures that are counts of their systems, or far from the published ones, are marked; many of them are refused."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
import pytest

from loaders import snapshot
from loaders.ingest import read
from loaders.manifest import Manifest
from loaders.published import Published, published
from loaders.unpack import OnProgress
from mlperf.errors import Problem
from tests.loaders.making import FLAT, as_bytes, kinds, load_files, rows, summary, table, write

Database = duckdb.DuckDBPyConnection
AVERAGE = "Avg. Result at System Name"
SYSTEM = "System Name (click + for details)"


def lines(values: list[str], **changes: str) -> list[dict[str, str]]:
    return [
        FLAT | {"Public ID": f"5.1-{number:04}", SYSTEM: f"Acme {number}", AVERAGE: value, **changes}
        for number, value in enumerate(values)
    ]


@pytest.mark.parametrize(
    ("count", "changes"),
    [
        ("8", {}),
        ("3", {"# of Nodes": "3"}),
        ("24", {"# of Nodes": "3"}),
        ("2", {"# of Processors": "2"}),
        ("6", {"# of Processors": "2", "# of Nodes": "3"}),
        ("96", {"Total Accelerators": "96"}),
        ("64", {"Host Processor Core Count": "64"}),
    ],
)
def test_a_table_whose_figures_are_counts_of_their_systems_is_refused(
    database: Database, tmp_path: Path, count: str, changes: dict[str, str]
) -> None:
    (report,) = load_files(database, tmp_path, {"a.csv": table(*lines([count] * 3, **changes))})
    assert rows(database) == []
    (problem,) = report.problems
    assert (problem.kind, problem.where.line) == ("odd-figure", 2)
    assert "3 of 3 figures are the number of" in problem.found


def test_one_benchmark_whose_figures_are_counts_is_refused_and_the_others_stand(
    database: Database, tmp_path: Path
) -> None:
    right = lines(["101.5", "102.5", "103.5", "104.5"], **{"Model MLC": "llama3.1-8b"})
    load_files(database, tmp_path, {"a.csv": table(*lines(["8", "8", "8"]), *right)})
    assert {row["benchmark"] for row in rows(database)} == {"llama3.1-8b"}
    assert kinds(database) == ["odd-figure"]


def test_a_single_figure_that_is_a_count_is_kept_and_marked(database: Database, tmp_path: Path) -> None:
    load_files(database, tmp_path, {"a.csv": table(*lines(["101.5", "8", "103.5"]))})
    assert sorted(row["value"] for row in rows(database)) == [8.0, 101.5, 103.5]
    (problem,) = rows(database, "problems")
    assert (problem["kind"], problem["line"]) == ("odd-figure", 3)
    assert "8, is the number of accelerators per node" in problem["found"]


@contextmanager
def unwatched(_: Path) -> Iterator[OnProgress]:
    yield lambda _done, _total: None


SYSTEMS = [f"acme_{number}" for number in range(4)]


def records(values: list[float], **changes: Any) -> bytes:
    return as_bytes(
        [
            summary(Platform=system, System=system, Performance_Result=value, **changes)
            for system, value in zip(SYSTEMS, values, strict=True)
        ]
    )


@pytest.fixture
def known(tmp_path: Path) -> Published:
    (path,) = write(tmp_path / "published", {"summary_results.json": records([1000.0, 2000.0, 3000.0, 4000.0])})
    snapshot.build([path.parent], tmp_path / "data", Manifest(), unwatched)
    return Published(tmp_path / "data")


def odd_figures(known: Published, folder: Path, content: bytes) -> tuple[int, list[Problem]]:
    """How many of four figures are left, and what is said of them."""
    (path,) = write(folder / "mine", {"mine.json": content})
    (reading,) = read(path, Manifest())
    assert len(reading.seen) == 4
    refused, problems = known.odd_figures(reading.seen)
    return len(reading.seen.keys() - refused), problems


@pytest.mark.parametrize("factor", [1.0, 0.51, 1.99])
def test_figures_near_the_published_ones_are_silent(known: Published, tmp_path: Path, factor: float) -> None:
    values = [factor * value for value in (1000.0, 2000.0, 3000.0, 4000.0)]
    assert odd_figures(known, tmp_path, records(values)) == (4, [])


@pytest.mark.parametrize("value", [499.0, 2001.0])
def test_a_figure_far_from_the_published_one_is_marked(known: Published, tmp_path: Path, value: float) -> None:
    left, (problem,) = odd_figures(known, tmp_path, records([value, 2000.0, 3000.0, 4000.0]))
    assert (left, problem.kind) == (4, "odd-figure")
    assert problem.where.line
    assert f"llama2-70b-99 Offline is {value:g} tokens/s; published of this system: 1000." in problem.found


def test_a_table_of_figures_far_from_the_published_ones_is_refused(known: Published, tmp_path: Path) -> None:
    left, (problem,) = odd_figures(known, tmp_path, records([1000.0, 20.0, 30.0, 40.0]))
    assert (left, problem.kind) == (0, "odd-figure")
    assert "3 of 4 figures are far from the published ones" in problem.found


@pytest.mark.parametrize(
    "changes", [{"version": "v6.0"}, {"Submitter": "Brace"}, {"Category": "open"}, {"Scenario": "Server"}]
)
def test_figures_of_another_round_owner_division_or_scenario_are_held_against_nothing(
    known: Published, tmp_path: Path, changes: dict[str, str]
) -> None:
    assert odd_figures(known, tmp_path, records([1.5, 2.5, 3.5, 4.5], **changes)) == (4, [])


def test_the_lines_of_the_v6_0_export_that_are_128_times_too_low_are_marked(shared: Path, tmp_path: Path) -> None:
    data = (shared / "exports" / "inference_v6.0_flat_utf16.csv").read_bytes()
    (path,) = write(tmp_path, {"mine.csv": data.decode("utf-16", errors="ignore").strip()})
    (reading,) = read(path, Manifest())
    odd = [problem for problem in reading.report.problems if problem.kind == "odd-figure"]
    assert len(odd) == 20
    assert all(problem.found.startswith("llama3.1-8b ") for problem in odd)
    assert len(reading.seen) == 493


@pytest.mark.parametrize("name", ["inference_v5.0_crosstab.csv", "inference_v5.0_closed_power_full_data.csv"])
def test_a_copy_of_a_published_export_is_not_odd(shared: Path, tmp_path: Path, name: str) -> None:
    (path,) = write(tmp_path, {"mine.csv": (shared / "exports" / name).read_bytes() + b"\r\n"})
    (reading,) = read(path, Manifest())
    assert reading.listed is None
    assert published().odd_figures(reading.seen) == (set(), [])
    assert "odd-figure" not in {problem.kind for problem in reading.report.problems}
