"""The training summarizer's table: what it means by its columns, and the summarizer itself as the oracle."""

import csv
import importlib.util
import io
import shutil
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import duckdb
import openpyxl
import pytest

from loaders.formats import training_summary
from loaders.ingest import load
from loaders.manifest import Manifest
from loaders.store import open_database
from loaders.trees.protocol import Label
from loaders.upload import preview
from mlperf.facts import facts
from tests.loaders.making import SUMMARIZED, lines, links, load_files, result, rows, summarizer, table, write
from tests.loaders.test_workbooks import book, with_numbers
from tests.loaders.trees.making_training import SHEET, START
from tests.loaders.trees.test_training_oracle import write_log, write_power
from tests.loaders.uploading import read

Database = duckdb.DuckDBPyConnection
Figures = dict[tuple[str, ...], tuple[float, float | None]]
Key = tuple[str, str, str, str, str]

needs_summarizer = pytest.mark.skipif(
    importlib.util.find_spec("mlperf_logging") is None, reason="mlperf-logging is not installed"
)


def figures(connection: Database) -> Figures:
    """Value and energy by round, kind, system, benchmark and scenario."""
    return {
        (row["round"], row["suite"], row["system_id"], row["benchmark"], row["scenario"] or ""): (
            row["value"],
            row["power_value"],
        )
        for row in rows(connection)
    }


def loaded(path: Path, label: Label | None = None) -> tuple[Figures, list[str]]:
    """What a path gives by itself, and what is wrong with it."""
    connection = open_database(None)
    reports = list(load(path, connection, Manifest(), label=label))
    return figures(connection), [str(problem) for report in reports for problem in report.problems]


def test_the_table_of_the_case_gives_its_two_results(shared: Path) -> None:
    found, problems = loaded(shared.parent / "cases/training_summary/result_summarizer_v3.0.csv")
    system = "2xXE9680x8H100-SXM-80GB"
    assert found == {
        ("v3.0", "training", system, "resnet", ""): (7.847117461035696, None),
        ("v3.0", "training", system, "unet3d", ""): (7.619424479166668, None),
    }
    assert problems == []


def test_the_detailed_table_gives_time_and_energy_and_names_a_failed_check(database: Database, tmp_path: Path) -> None:
    detailed = {
        "bert:time_to_train": 12.5, "bert:Energy": 7_200_000.0, "bert:GBS": 448.0, "bert:samples_to_converge": 2e6,
        "bert:RCP": "Interp. Fail", "bert:rcp_scaling_factor": 1.0625,
    }  # fmt: skip
    (report,) = load_files(database, tmp_path, {"a_detailed.csv": summarizer(**detailed)})
    found = result(database)
    assert (found["value"], found["unit"]) == (12.5, "min")
    assert (found["has_power"], found["power_value"], found["power_unit"]) == (True, 7200.0, "kJ")
    (problem,) = report.problems
    assert (problem.kind, problem.where.line) == ("rcp", 2)
    assert '"Interp. Fail"' in problem.found


def test_a_column_that_is_no_benchmark_is_told_and_not_read(database: Database, tmp_path: Path) -> None:
    odd = {"bert": 1.5, "bertha": 3.5, "bert:speed": 4.5, "Result": 5.5}
    (report,) = load_files(database, tmp_path, {"a.csv": summarizer(**odd)})
    assert [row["value"] for row in rows(database)] == [1.5]
    assert [(problem.kind, problem.found.partition(" ")[0]) for problem in report.problems] == [
        ("unknown-column", '"bertha"'), ("unknown-column", '"bert:speed"'), ("unknown-column", '"result"')
    ]  # fmt: skip


def test_columns_may_stand_in_any_order_and_their_names_in_any_case(database: Database, tmp_path: Path) -> None:
    cells = next(csv.DictReader(io.StringIO(summarizer(bert=1.5, resnet=2.5))))
    turned = {f" {name.upper()} ": cells[name] for name in reversed(cells)}
    load_files(database, tmp_path, {"a.csv": table(turned)})
    assert {(row["benchmark"], row["value"]) for row in rows(database)} == {("bert", 1.5), ("resnet", 2.5)}


def test_each_row_is_of_the_round_of_its_own_links(database: Database, tmp_path: Path) -> None:
    systems = [{**SUMMARIZED, "bert": at, **links(round_=round_)} for at, round_ in ((1.5, "v2.1"), (2.5, "v4.0"))]
    load_files(database, tmp_path, {"a.csv": table(*systems)})
    assert {(row["round"], row["value"]) for row in rows(database)} == {("v2.1", 1.5), ("v4.0", 2.5)}


def test_links_to_two_rounds_tell_none(database: Database, tmp_path: Path) -> None:
    crossed = links(round_="v2.1") | {"code_url": links(round_="v3.0")["code_url"]}
    (report,) = load_files(database, tmp_path, {"a.csv": summarizer(bert=1.5, **crossed)})
    assert rows(database) == []
    assert "details_url names training v2.1 and code_url names training v3.0" in report.problems[0].found
    assert [problem.kind for problem in report.problems] == ["columns-differ", "unknown-round"]
    found, _ = loaded(tmp_path / "a.csv", Label(round="v2.1"))
    assert [(key[0], value) for key, value in found.items()] == [("v2.1", (1.5, None))]


@pytest.mark.parametrize(
    "url",
    [
        "https://github.com/acme/my_training_results_v3.0/x.json", "https://example.org/?q=training_results_v3.0",
        "training_results_v3.0.zip/acme.json", "",
    ],
)  # fmt: skip
def test_a_link_to_anything_else_tells_no_round(database: Database, tmp_path: Path, url: str) -> None:
    content = summarizer(bert=1.5, details_url=url, code_url="")
    (report,) = load_files(database, tmp_path, {"a.csv": content})
    assert rows(database) == []
    assert [problem.kind for problem in report.problems] == ["unknown-round"]
    assert "--round" in report.problems[0].fix


@pytest.mark.parametrize("known", [{}, {"details_url": "", "code_url": ""}])
def test_the_round_that_the_owner_says_comes_first(tmp_path: Path, known: dict[str, str]) -> None:
    (path,) = write(tmp_path, {"a.csv": summarizer(bert=1.5, **known)})
    found, problems = loaded(path, Label(round="v2.1"))
    assert [(key[0], value) for key, value in found.items()] == [("v2.1", (1.5, None))]
    assert problems == []


def test_my_results_ask_for_a_round_that_no_link_tells(tmp_path: Path) -> None:
    content = summarizer(bert=1.5, resnet=2.5, details_url="", code_url="")
    inspected = read(tmp_path, {"a.csv": content, "b.csv": summarizer(ssd=3.5)})
    before = preview(inspected)
    assert (before.lacking, before.is_ready, before.results) == (("round",), False, 3)
    (entry,) = before.entries
    assert [part.measurement.value for part in entry.parts if part.measurement] == [1.5, 2.5]
    after = preview(inspected, {entry.group: Label(round="v2.1")})
    assert (after.lacking, after.is_ready, after.results, after.problems) == ((), True, 3, ())
    assert {(seen.sighting.round, seen.sighting.value) for seen in after.tabled} == {
        ("v2.1", 1.5), ("v2.1", 2.5), ("v3.0", 3.5)
    }  # fmt: skip


def test_a_benchmark_of_the_other_suite_than_the_links_is_left_out(database: Database, tmp_path: Path) -> None:
    (report,) = load_files(database, tmp_path, {"a.csv": summarizer(bert=1.5, deepcam=2.5)})
    assert [row["value"] for row in rows(database)] == [1.5]
    assert "training v3.0, which has no benchmark deepcam" in report.problems[0].found


def test_a_column_that_stands_there_twice_is_read_where_both_agree(database: Database, tmp_path: Path) -> None:
    heads, line = with_numbers(summarizer(bert=1.5, resnet=2.5))
    (report,) = load_files(database, tmp_path, {"a.csv": lines([[*heads, "bert", "resnet"], [*line, 1.5, 9.5]])})
    assert [row["value"] for row in rows(database)] == [1.5]
    assert [problem.kind for problem in report.problems] == ["columns-differ"]


def test_a_file_that_the_summarizer_wrote_twice_into_is_read_whole(database: Database, tmp_path: Path) -> None:
    weak = {"deepcam:number_of_models": 128, "deepcam:instance_scale": 16, "deepcam:time_to_train_all": 16.0}
    strong = table({**SUMMARIZED, "deepcam": 12.5, "oc20": "", **links("hpc")})
    both = strong + table({**SUMMARIZED, **weak, **links("hpc")})
    (report,) = load_files(database, tmp_path, {"a.csv": both})
    assert {(row["suite"], row["scenario"], row["value"], row["unit"]) for row in rows(database)} == {
        ("hpc", "Strong scaling", 12.5, "min"), ("hpc", "Weak scaling", 8.0, "models/min")
    }  # fmt: skip
    assert report.problems == []


def test_half_of_a_weak_result_is_none(database: Database, tmp_path: Path) -> None:
    weak = {"deepcam:number_of_models": 128, "deepcam:instance_scale": 16, "deepcam:time_to_train_all": ""}
    (report,) = load_files(database, tmp_path, {"a.csv": summarizer(**weak, **links("hpc"))})
    assert rows(database) == []
    assert "no number of minutes" in report.problems[0].found


def test_a_table_without_any_result_says_so(database: Database, tmp_path: Path) -> None:
    (report,) = load_files(database, tmp_path, {"a.csv": summarizer(bert="")})
    assert [problem.kind for problem in report.problems] == ["no-figure"]
    assert "compliance checker" in report.problems[0].fix


HEADINGS: Mapping[str, tuple[str, str, str]] = {
    "bert": ("NLP", "Wikipedia", "BERT"), "ssd": ("Object detection, light-weight", "OpenImages", "RetinaNet"),
    "dlrm_dcnv2": ("Recommendation", "1TB Multihot Clickthrough", "DLRM DCNv2"), "unet3d": ("", "KiTS19", "3D U-Net"),
    "stable_diffusion": ("Text to image", "Laion 400m and Coco-2017", "StableDiffusion"),
    "gnn": ("Graph node classification", "IGBH-Full", "R-GAT"), "gpt3": ("LLM", "C4", "GPT3"),
}  # fmt: skip
"""Headings of v4.0 above the benchmark's column. Source: mlcommons/logging, result_summarizer/config.yaml."""


def as_workbook(systems: list[dict[str, Any]], folder: Path) -> Path:
    """The summarizer's `-xlsx` of v4.0: four lines of headings, a blank one, and titles of availability.

    The installed version writes none: it lacks config.yaml and calls what pandas does not have any more.
    Source: mlcommons/logging, result_summarizer.py: _summaries_to_xlsx.
    """
    made = openpyxl.Workbook()
    made.remove(made.active)
    for division in ("closed", "open"):
        sheet = made.create_sheet(division)
        above = [("Benchmark results (minutes)", *HEADINGS[name]) if name in HEADINGS else (" ", " ", " ", name)
                 for name in systems[0]]  # fmt: skip
        for level in range(4):
            sheet.append(["ID" if level == 3 else None, *(heads[level] for heads in above)])
        here = [system for system in systems if system["division"] == division]
        if here:
            sheet.append(["Available on-premise"])
            for at, system in enumerate(here):
                sheet.append([f"4.0-{at:04}", *system.values()])
    made.save(folder / "summary.xlsx")
    return folder / "summary.xlsx"


def test_the_workbook_with_names_of_benchmarks_and_titles_is_read_in_both_divisions(tmp_path: Path) -> None:
    values = {name: 1.5 + at for at, name in enumerate(HEADINGS)}
    described = {**SUMMARIZED, "availability": "Available on-premise"}
    systems = [{**described, "division": division, **values, **links(round_="v4.0")} for division in ("closed", "open")]
    connection = open_database(None)
    (report,) = load(as_workbook(systems, tmp_path), connection, Manifest())
    assert report.problems == []
    assert {(row["division"], row["benchmark"], row["value"]) for row in rows(connection)} == {
        (division, name, value) for division in ("closed", "open") for name, value in values.items()
    }
    assert {row["availability"] for row in rows(connection)} == {"available"}
    assert {row["public_id"] for row in rows(connection)} == {None}


@needs_summarizer
def test_every_benchmark_of_the_installed_summarizer_up_to_our_last_round_is_known() -> None:
    from mlperf_logging.benchmark_meta import _ALL_ALLOWED_BENCHMARKS  # type: ignore[import-untyped]

    unknown = [
        (usage, round_, name)
        for usage, kind in training_summary.USAGES.items()
        for round_, names in _ALL_ALLOWED_BENCHMARKS[usage].items()
        for name in names
        if (played := facts().round(kind, round_)) is not None and facts().benchmark(kind, name, played.id) is None
    ]
    assert unknown == [("training", "0.6", "ncf")], "NCF was suspended in v0.6: no result of it was published"


def summarize(folder: Path, usage: str, ruleset: str, monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The tables that the summarizer writes of all submitters in a folder."""
    from mlperf_logging.result_summarizer import result_summarizer  # type: ignore[import-untyped]

    monkeypatch.chdir(folder.parent)
    into = folder.parent / "table.csv"
    arguments = ["result_summarizer", f"{folder}/{{*}}", usage, ruleset, "-csv", str(into)]
    monkeypatch.setattr("sys.argv", arguments)
    result_summarizer.main()
    return [into, folder.parent / "table_detailed.csv"]


def extracted(archive: Path, into: Path, *parts: str) -> Path:
    """The members of an archive below these folders, without the archive's own top folder."""
    with zipfile.ZipFile(archive) as packed:
        for name in packed.namelist():
            inner = name if not name.startswith(archive.stem) else name.partition("/")[2]
            if inner.startswith(parts) and not name.endswith("/"):
                path = into / inner
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(packed.read(name))
    return into


def agree(theirs: Figures, ours: Figures) -> None:
    """The same results, to a billionth."""
    assert theirs.keys() == ours.keys()
    for key, (value, energy) in ours.items():
        assert theirs[key][0] == pytest.approx(value, rel=1e-9)
        if theirs[key][1] is not None:
            assert theirs[key][1] == pytest.approx(energy, rel=1e-9)


@needs_summarizer
@pytest.mark.filterwarnings("ignore")
def test_the_summarizers_tables_of_hpc_give_what_the_logs_give(
    shared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    weak = "NVIDIA/results/eos_n256_ngc23.09_pytorch/weak/openfold"
    parts = ("Dell/", "Clemson/", weak, "NVIDIA/systems/eos_n256_ngc23.09_pytorch.json")
    ours = extracted(shared / "hpc/hpc_results_v3.0.zip", tmp_path / "hpc_results_v3.0", *parts)
    shutil.copytree(ours, tmp_path / "theirs/hpc")  # the summarizer rewrites scaling.json
    plain, detailed = summarize(tmp_path / "theirs/hpc", "hpc", "3.0.0", monkeypatch)
    capsys.readouterr()
    computed, _ = loaded(ours)
    assert {key[4] for key in computed} == {"Strong scaling", "Weak scaling"}
    agree(loaded(plain)[0], computed)
    agree(loaded(detailed)[0], {key: value for key, value in computed.items() if key[4] == "Strong scaling"})


def by_status(monkeypatch: pytest.MonkeyPatch) -> None:
    """The compliance checker reduced to what decides a run, its status: it refuses logs that are cut, or made here."""
    from mlperf_logging.result_summarizer import result_summarizer

    def read_log(file: str, usage: str, ruleset: str) -> Any:
        found, failed = result_summarizer.parse_file(file, ruleset=ruleset)
        stops = [line for line in found if line.key == "run_stop"]
        if failed or not any(line.value["metadata"]["status"] == "success" for line in stops):
            raise ValueError("Compliance check failed")
        return found

    monkeypatch.setattr(result_summarizer, "_read_result_file", read_log)


@needs_summarizer
@pytest.mark.filterwarnings("ignore")
def test_the_summarizers_tables_of_training_give_what_the_logs_give(
    shared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    by_status(monkeypatch)
    system = "R750xax4A100-PCIE-80GB"
    ours = extracted(
        shared / "training/training_results_v3.0.zip", tmp_path / "training_results_v3.0",
        f"Dell/results/{system}/", f"Dell/systems/{system}.json",
    )  # fmt: skip
    shutil.copytree(ours, tmp_path / "theirs/training")
    plain, detailed = summarize(tmp_path / "theirs/training", "training", "3.0.0", monkeypatch)
    capsys.readouterr()
    computed, _ = loaded(ours)
    assert len(computed) == 6
    for text in (plain, detailed):
        agree(loaded(text)[0], computed)
        (path,) = write(tmp_path, {f"{text.stem}.xlsx": book({"Sheet1": with_numbers(text.read_text())})})
        agree(loaded(path)[0], computed)


@needs_summarizer
@pytest.mark.filterwarnings("ignore")
def test_the_energy_of_the_detailed_table_is_that_of_the_logs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    by_status(monkeypatch)
    ours = tmp_path / "training_results_v4.0"
    group = ours / "Dell/results/XE8545/bert"
    for number in range(10):
        start = START + number * 10_000_000
        write_log(group / f"result_{number}.txt", start, start + 900_000 + 7_001 * number, "success", "bert")
        watts = [3000 + 7 * number + second % 5 for second in range(20)]
        write_power(group / f"power/result_{number}/node_0.txt", watts, start, 0.94)
    more = {"hw_notes": "", "sw_notes": "", "host_processor_core_count": 64}
    write(ours, {"Dell/systems/XE8545.json": {**more, **SHEET, "number_of_nodes": 1}})
    shutil.copytree(ours, tmp_path / "theirs/training")
    _, detailed = summarize(tmp_path / "theirs/training", "training", "4.0.0", monkeypatch)
    capsys.readouterr()
    computed, _ = loaded(ours)
    found, _ = loaded(detailed)
    ((_, energy),) = found.values()
    assert energy is not None
    agree(found, computed)
