"""The embedded snapshot against the archives it was made from, which are read here in their own way."""

import ast
import json
import math
import re
import tomllib
import zipfile
from collections import Counter, defaultdict
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path, PurePosixPath
from typing import Any

import duckdb
import pytest

from loaders.snapshot import open_snapshot
from tests import ROOT
from tests.conformance.test_inference import EXACT, POWER_WITHOUT_LOGS, blur
from tests.conformance.test_training import INCOMPLETE, NO_LOGS, OTHER_POWER, OTHER_SCALING, ROUNDED, SAME
from tests.conformance.test_training_v06 import NO_SCORE

Row = dict[str, Any]
Place = tuple[str, str]
"""A source, and a path in it."""

TRAINING = ["v0.6", "v0.7", "v1.0", "v1.1", "v2.0", "v2.1", "v3.0", "v3.1", "v4.0", "v4.1", "v5.0", "v5.1"]
ROUNDS = {"training": TRAINING, "inference": ["v0.5", *TRAINING[1:], "v6.0", "v6.1"], "hpc": ["v2.0", "v3.0"]}


@pytest.fixture(scope="module")
def snapshot() -> Iterator[duckdb.DuckDBPyConnection]:
    connection = open_snapshot()
    yield connection
    connection.close()


def rows(snapshot: duckdb.DuckDBPyConnection, query: str) -> list[Row]:
    return snapshot.sql(query).to_arrow_table().to_pylist()  # type: ignore[no-any-return]


class Archives:
    """Every archive of logs, its members under their paths in the source."""

    def __init__(self, shared: Path) -> None:
        self.members: dict[str, dict[str, list[tuple[zipfile.ZipFile, str]]]] = defaultdict(lambda: defaultdict(list))
        """By source and path; a log may lie in two archives of one source."""
        for entry in tomllib.loads((ROOT / "data" / "SOURCES.toml").read_text(encoding="utf-8"))["source"]:
            if re.match(r"(training|inference|hpc)/.*\.zip$", entry["file"]):
                archive = zipfile.ZipFile(shared / entry["file"])
                for name in archive.namelist():
                    path = name.removeprefix(f"{entry['root']}/" if "root" in entry else "")
                    self.members[entry["source"]][path].append((archive, name))

    def read(self, source: str, path: str) -> bytes:
        """The file in the source's first archive that has it."""
        archive, name = self.members[source][path][0]
        return archive.read(name)

    def of(self, kind: str) -> dict[str, dict[str, int]]:
        """How many archives hold each path, by round."""
        return {
            source.rpartition("_")[2]: {path: len(found) for path, found in members.items()}
            for source, members in self.members.items()
            if f"/{kind}_results_" in source
        }


@pytest.fixture(scope="module")
def archives(shared: Path) -> Archives:
    return Archives(shared)


# --- Rounds, divisions, groups ---


@pytest.mark.parametrize("kind", ROUNDS)
def test_every_round_is_there(snapshot: duckdb.DuckDBPyConnection, kind: str) -> None:
    found = rows(snapshot, f"select distinct round from results where starts_with(suite, '{kind}')")
    assert sorted(row["round"] for row in found) == ROUNDS[kind]


def sheet(data: bytes) -> Row:
    """A system's JSON; five of training v0.7 end in a comma, NVIDIA's of v0.6 are lines of a log."""
    if not data.lstrip(b"\xef\xbb\xbf \r\n").startswith(b"{"):
        lines = dict(line.split(": ", 1) for line in data.decode().split("\n") if line)
        said = {name: json.loads(value)["value"] for name, value in lines.items()}
        entry = ast.literal_eval(said["entry"])
        basics = {"division": said["division"], "status": said["status"], "submitter": said["org"]}
        return {**basics, **entry, "nodes": [ast.literal_eval(entry["nodes"])]}
    return json.loads(re.sub(r",(\s*\})", r"\1", data.decode("utf-8-sig", "replace")))  # type: ignore[no-any-return]


WITHOUT_SHEET = ("v0.6", "Alibaba/systems/sinian.json")


def test_every_division_of_the_archives_is_there(snapshot: duckdb.DuckDBPyConnection, archives: Archives) -> None:
    there = {("inference", round_id, path.split("/")[0]) for round_id, paths in archives.of("inference").items()
             for path in paths if "/performance/run_1/mlperf_log_" in path}  # fmt: skip
    for round_id, paths in archives.of("training").items():
        systems = {
            tuple(path.split("/")[:3:2]) for path in paths if re.fullmatch(r"[^/]+/results/[^/]+/[^/]+/result_.*", path)
        }
        for submitter, system in systems:
            path = f"{submitter}/systems/{system}.json"
            if (round_id, path) == WITHOUT_SHEET:
                continue
            division = sheet(archives.read(f"mlcommons/training_results_{round_id}", path)).get("division", "closed")
            there.add(("training", round_id, {"close": "closed"}.get(division.lower(), division.lower())))
    ours = rows(snapshot, "select distinct split_part(suite, '-', 1) as kind, round, division from results")
    assert there - {(row["kind"], row["round"], row["division"]) for row in ours} == set()
    assert {("training", round_id, "closed") for round_id in ROUNDS["training"]} <= there
    assert {("training", round_id, "open") for round_id in ROUNDS["training"][:8]} <= there
    assert {("inference", round_id, "open") for round_id in ("v0.7", "v1.0", "v1.1", "v3.0", "v5.1")} <= there


NEEDED = {"dlrm": 5, "maskrcnn": 5, "mask": 5, "resnet": 5, "ssd": 5, "retinanet": 5, "gpt3": 3, "llama31_405b": 3,
          "unet3d": 40}  # fmt: skip
"""Runs of a complete group; 10 of all other benchmarks."""

DROPPED = {"unet3d": 4}
"""Runs left out at either end; 1 of all other benchmarks, which of three runs leaves the median."""

ALL_ABORTED = ("v1.0", "Supermicro/results/as-2124gq-nart+/bert")
UNTIMED = {("v0.6", "/".join((submitter, "results", *rest))) for submitter, *rest in NO_SCORE}
"""No line of these says how long a run took."""


def test_every_complete_group_of_training_logs_has_a_result_and_no_other(
    snapshot: duckdb.DuckDBPyConnection, archives: Archives
) -> None:
    complete = set()
    for round_id, paths in archives.of("training").items():
        groups = Counter(str(PurePosixPath(path).parent) for path in paths
                         if re.fullmatch(r"[^/]+/results/[^/]+/[^/]+/result_[^/]*\.txt", path))  # fmt: skip
        complete |= {(round_id, group) for group, runs in groups.items()
                     if runs == NEEDED.get(group.rpartition("/")[2], 10)}  # fmt: skip
    round_id, group = ALL_ABORTED
    members = archives.members[f"mlcommons/training_results_{round_id}"]
    logs = [archives.read(f"mlcommons/training_results_{round_id}", path) for path in members if path.startswith(group)]
    assert [re.findall(rb'run_stop.*"status": "(\w+)"', log) for log in logs] == [[b"aborted"]] * 10
    ours = rows(
        snapshot,
        """
        select distinct results.round, parse_dirpath(sightings.source_path) as folder
        from sightings join results using (result_id, suite)
        where sightings.format = 'training-tree' and suite = 'training'
        """,
    )
    assert {(row["round"], row["folder"]) for row in ours} == complete - {ALL_ABORTED, *UNTIMED}
    assert len({group.split("/")[0] for _, group in complete}) > 60


# --- What was computed beside what was published ---


@pytest.fixture(scope="module")
def both(snapshot: duckdb.DuckDBPyConnection) -> list[Row]:
    """Figures computed from logs whose result was published too, with the published figure and power."""
    return rows(
        snapshot,
        """
        select results.round, results.suite, results.system_name, results.nodes, results.location, results.benchmark,
               computed.source, computed.source_path, computed.line, computed.value, computed.power_value,
               results.value as published, results.power_value as published_power
        from sightings as computed join results using (result_id, suite)
        where computed.basis = 'computed' and results.basis = 'published'
        """,
    )


def test_computed_inference_scores_equal_the_published_ones(both: list[Row], archives: Archives) -> None:
    """To 1e-6 from a detail log; from a summary, to the digits that it and the table print."""
    exact, printed = set(), set()
    for row in both:
        if row["suite"] == "training":
            continue
        difference, path = abs(row["value"] - row["published"]), row["source_path"]
        if path.endswith("mlperf_log_detail.txt"):
            assert difference <= EXACT * row["published"], row
            exact.add((row["round"], path))
        else:
            lines = archives.read(row["source"], path).split(b"\n")
            text = lines[row["line"] - 1].decode("utf-8", "replace").rsplit(":", 1)[1].strip()
            allowed = blur(text) / float(text) * row["value"] + 5e-6 * row["published"]
            assert difference <= max(allowed, EXACT * row["published"]), row
            printed.add((row["round"], path))
    assert Counter(round_id for round_id, _ in exact) == {"v3.0": 347, "v5.1": 150}
    assert Counter(round_id for round_id, _ in printed) == {"v2.0": 662, "v3.0": 24, "v3.1": 15, "v5.1": 11}


def test_computed_inference_power_equals_the_published_power(both: list[Row], archives: Archives) -> None:
    compared, lacking = set(), set()
    for row in both:
        path = row["source_path"]
        if row["suite"] == "training" or row["published_power"] is None:
            continue
        if row["power_value"] is not None:
            assert row["power_value"] == pytest.approx(row["published_power"], rel=EXACT), row
            compared.add((row["round"], path))
            continue
        division, submitter, _, system, model, scenario, *_ = path.split("/")
        name = (row["round"], division, submitter, system, model, scenario.lower())
        assert name in POWER_WITHOUT_LOGS or row["round"] == "v2.0", name
        missing = POWER_WITHOUT_LOGS.get(name, "mlperf_log_detail.txt")
        assert f"{PurePosixPath(path).parent}/{missing}" not in archives.members[row["source"]]
        lacking.add((row["round"], path))
    assert Counter(round_id for round_id, _ in compared) == {"v3.0": 118, "v5.1": 11}
    assert Counter(round_id for round_id, _ in lacking) == {"v2.0": 136, "v3.0": 3, "v3.1": 5, "v5.1": 1}


def test_computed_training_scores_and_energies_equal_the_published_ones(both: list[Row]) -> None:
    energies = 0
    for row in both:
        if row["suite"] != "training":
            continue
        if row["round"] != "v4.0":
            assert row["value"] == pytest.approx(row["published"], rel=SAME), row
            assert row["power_value"] is row["published_power"] is None
            continue
        key = (row["system_name"], str(row["nodes"]), row["benchmark"])  # the export of v4.0
        factor = 37 / 36 if key in OTHER_SCALING else 1  # why: AC_SSD in test_tables.py
        assert row["value"] * factor == pytest.approx(row["published"], abs=ROUNDED + 1e-9), row
        if row["nodes"] == 64:  # the archive has no node files of these
            assert row["power_value"] is None
            continue
        within = 1e-4 if key in OTHER_POWER else 5e-6
        assert row["power_value"] * factor == pytest.approx(row["published_power"], rel=within), row
        energies += 1
    assert energies == 20


def test_published_training_results_without_a_computed_score_are_those_without_logs(
    snapshot: duckdb.DuckDBPyConnection,
) -> None:
    lacking = rows(
        snapshot,
        """
        select round[2:] as round, division, lower(submitter) as submitter, system_id, benchmark from results
        where suite = 'training' and basis = 'published'
            and result_id not in (select result_id from sightings where format = 'training-tree')
        """,
    )
    known = {(one[0], one[1], one[2].lower(), *one[3:]) for one in NO_LOGS | set(INCOMPLETE)}
    assert {tuple(row.values()) for row in lacking} == known


def test_published_figures_win_over_computed_ones(snapshot: duckdb.DuckDBPyConnection) -> None:
    lost = rows(
        snapshot,
        """
        select results.result_id from results join sightings using (result_id, suite)
        where sightings.basis = 'published' and sightings.value is not null
        group by results.result_id, suite, results.basis, results.value
        having results.basis <> 'published' or not list_contains(list(sightings.value), results.value)
        """,
    )
    assert lost == []
    lost = rows(
        snapshot,
        """
        select results.result_id from results join sightings using (result_id, suite)
        where sightings.basis = 'published' and sightings.power_value is not null
        group by results.result_id, suite, results.power_value
        having not coalesce(list_contains(list(sightings.power_value), results.power_value), false)
        """,
    )
    assert lost == []


LACKING_V2 = {
    ("Azure", "NC48ads_A100_v4_TRT", "bert-99"),
    ("Azure", "NC48ads_A100_v4_TRT_Triton", "bert-99.9"),
    ("Azure", "NC96ads_A100_v4_TRT", "bert-99.9"),
    ("Fujitsu", "GX2460M1_A30x4_TRT", "bert-99.9"),
    ("Fujitsu", "GX2570M6_A100-SXM4-40GBx8_TRT_MaxQ", "bert-99"),
    ("Fujitsu", "GX2570M6_A100-SXM4-40GBx8_TRT_MaxQ", "bert-99.9"),
    ("NVIDIA", "DGX-Station-A100_A100-SXM-80GBx4_TRT", "bert-99"),
    ("NVIDIA", "DGX-Station-A100_A100-SXM-80GBx4_TRT_Triton", "bert-99.9"),
}
"""Single Server results of v2.0 that the tables lack."""

LACKING_V2_WHOLLY = {"ASUSTeK", "GIGABYTE", "Lenovo", "Nettrix", "Supermicro"}
"""Closed submitters of v2.0 of whom the tables have nothing."""


def test_inference_is_computed_only_where_the_tables_lack_it(snapshot: duckdb.DuckDBPyConnection, shared: Path) -> None:
    """Rounds until v1.1, which have no table; of v2.0 classification, detection, five submitters and eight results."""
    found = rows(
        snapshot,
        """
        select distinct round, submitter, system_id, benchmark, scenario from results
        where basis = 'computed' and starts_with(suite, 'inference')
        """,
    )
    assert {row["round"] for row in found} == {"v0.5", "v0.7", "v1.0", "v1.1", "v2.0"}
    with zipfile.ZipFile(shared / "tables" / "cm4mlperf-results_inference.zip") as archive:
        table = [
            (record["Organization"], record["Platform"], record["MlperfModel"], record["Scenario"])
            for name in archive.namelist() if name.endswith("cm-result.json")
            for record in json.loads(archive.read(name))
            if (record["version"], record["Division"]) == ("v2.0", "closed")
        ]  # fmt: skip
    assert {benchmark for _, _, benchmark, _ in table} & {"resnet", "ssd-small", "ssd-large"} == set()
    assert {submitter for submitter, *_ in table} & LACKING_V2_WHOLLY == set()
    single = {
        (row["submitter"], row["system_id"], row["benchmark"], row["scenario"])
        for row in found
        if row["round"] == "v2.0"
        and row["benchmark"] not in {"resnet", "ssd-small", "ssd-large"}
        and row["submitter"] not in LACKING_V2_WHOLLY
    }
    assert single & set(table) == set()
    assert single == {(*one, "Server") for one in LACKING_V2}


# --- Figures that people know ---


@pytest.mark.parametrize("system, nodes, minutes", [("XE8545x4", 1, 106.542), ("2xXE8545x4", 2, 35.068)])
def test_the_xe8545_trains_rnn_t_on_one_and_two_nodes(
    snapshot: duckdb.DuckDBPyConnection, system: str, nodes: int, minutes: float
) -> None:
    (row,) = rows(
        snapshot,
        f"""
        select value, unit, nodes from results
        where suite = 'training' and round = 'v1.1' and benchmark = 'rnnt' and system_id = '{system}A100-SXM-80GB'
        """,
    )
    assert row == {"value": pytest.approx(minutes, abs=ROUNDED), "unit": "min", "nodes": nodes}


def test_the_xr5610_takes_4065_mj_for_a_query_of_rnn_t(snapshot: duckdb.DuckDBPyConnection) -> None:
    (row,) = rows(
        snapshot,
        """
        select power_value, power_unit, efficiency, efficiency_unit from results
        where round = 'v3.1' and server = 'XR5610' and benchmark = 'rnnt' and scenario = 'SingleStream' and has_power
        """,
    )
    assert (row["power_unit"], row["efficiency_unit"]) == ("mJ", "samples/J")
    assert row["power_value"] == pytest.approx(4065.19, abs=0.005)
    assert row["efficiency"] == pytest.approx(0.245991, abs=5e-7)


# --- Single runs ---


@pytest.fixture(scope="module")
def runs(snapshot: duckdb.DuckDBPyConnection) -> list[Row]:
    return rows(snapshot, "select * from runs where kind = 'training'")


NESTED = "Habana/results/SYS-420GH-TNGR/resnet/bert/"
"""Ten logs of v1.0 in a folder inside a benchmark's folder, copies of those beside it: no runs of their own."""


def test_every_result_log_of_the_archives_is_a_run(runs: list[Row], archives: Archives) -> None:
    logs: Counter[str] = Counter()
    for round_id, paths in archives.of("training").items():
        for path, copies in paths.items():
            if re.fullmatch(r"[^/]+/results/(?!.*/power/).*/result_[^/]*\.txt", path) and not path.startswith(NESTED):
                logs[round_id] += copies
    assert Counter(row["round"] for row in runs) == logs
    assert logs.total() == 21_371


def test_every_log_of_hpc_is_a_run_but_for_the_pruned(snapshot: duckdb.DuckDBPyConnection, archives: Archives) -> None:
    runs = rows(snapshot, "select source, source_path from runs where kind = 'hpc' and result_id is not null")
    logs = {
        (f"mlcommons/hpc_results_{round_id}", path)
        for round_id, paths in archives.of("hpc").items()
        for path in paths
        if re.fullmatch(r"[^/]+/results/[^/]+/(strong|weak)/[^/]+/result_[^/]*\.txt", path)
    }
    assert {(row["source"], row["source_path"]) for row in runs} == logs
    assert len(runs) == len(logs) == 2_409


def test_copies_in_a_nested_folder_are_copies(archives: Archives) -> None:
    source = "mlcommons/training_results_v1.0"
    copies = [path for path in archives.members[source] if path.startswith(NESTED)]
    assert len(copies) == 10
    for path in copies:
        assert archives.read(source, path) == archives.read(source, path.replace("/resnet/bert/", "/bert/"))


def test_every_run_leads_to_its_log(runs: list[Row], snapshot: duckdb.DuckDBPyConnection, archives: Archives) -> None:
    sightings = rows(snapshot, "select distinct source, source_path from sightings where basis = 'computed'")
    assert [row for row in [*runs, *sightings] if row["source_path"] not in archives.members[row["source"]]] == []
    assert {PurePosixPath(row["source_path"]).name for row in runs} == {row["name"] for row in runs}


def test_a_log_in_two_archives_says_the_same_in_both(runs: list[Row]) -> None:
    said: dict[Place, list[Row]] = defaultdict(list)
    for row in runs:
        said[row["source"], row["source_path"]].append({**row, "line": None})
    doubled = [found for found in said.values() if len(found) > 1]
    assert len(doubled) == 180
    assert all(found == [found[0]] * 2 for found in doubled)


def events_of(text: str) -> Iterator[str]:
    """The events of a log, those of training v0.6 in the words of later ones."""
    for line in re.split(r"[\r\n]", text):
        if ":::MLLOG " in line:
            yield line.rpartition(":::MLLOG ")[2]
        elif old := re.match(r"(\S+) (\w+) ?: (.*)", line.rpartition(":::MLL ")[2]) if ":::MLL " in line else None:
            time = int(Decimal(old[1]) * 1000)
            yield f'{{"time_ms": {time}, "key": "{old[2]}", {old[3]}'.replace("'", '"')


STATUS = {"success": "success", "abort": "aborted", "aborted": "aborted", "fail": "failed"}


def test_runs_say_what_their_logs_say(runs: list[Row], archives: Archives) -> None:
    """One run of forty, and all that failed."""
    examined = 0
    for row in [row for at, row in enumerate(runs) if at % 40 == 0 or row["status"] != "success"]:
        text = archives.read(row["source"], row["source_path"]).decode("latin-1")
        times: dict[str, int] = {}
        statuses = []
        batches = set()
        for event in events_of(text):
            key = re.search(r'"key": "(\w+)"', event)
            time = re.search(r'"time_ms": (\d+)', event)
            if key and time and key[1] in {"run_start", "run_stop"}:
                times[key[1]] = int(time[1])
                statuses += re.findall(r'"status": "(\w+)"', event)
            elif key and key[1] == "global_batch_size":
                batches |= set(map(int, re.findall(r'"value": (\d+)', event)))
        if (row["round"], row["benchmark"]) == ("v0.6", "minigo"):
            times.pop("run_stop", None)  # it is not what ends the run's time
        assert (row["started_ms"], row["stopped_ms"]) == (times.get("run_start"), times.get("run_stop")), row
        if len(times) == 2:
            assert [STATUS[status] for status in statuses] == [row["status"]], row
            assert row["minutes"] == pytest.approx((times["run_stop"] - times["run_start"]) / 60_000, rel=1e-12)
        else:
            assert row["status"] in {"unfinished", "empty", "unreadable"}, row
            assert row["minutes"] is None
        assert row["global_batch_size"] in (batches or {None}), row
        examined += 1
    assert examined > 600


def test_the_counted_runs_of_every_result_give_its_score(
    runs: list[Row], snapshot: duckdb.DuckDBPyConnection, archives: Archives
) -> None:
    groups: dict[Place, dict[str, Row]] = defaultdict(dict)
    for row in runs:
        groups[row["source"], str(PurePosixPath(row["source_path"]).parent)][row["name"]] = row
    scores = rows(
        snapshot,
        """
        select result_id, source, source_path, value from sightings
        where format = 'training-tree' and suite = 'training'
        """,
    )
    scaled = 0
    for score in scores:
        folder = str(PurePosixPath(score["source_path"]).parent)
        found = list(groups[score["source"], folder].values())
        dropped = DROPPED.get(folder.rpartition("/")[2], 1)
        times = sorted(row["minutes"] if row["status"] == "success" else math.inf for row in found)[dropped:-dropped]
        times = [minutes for minutes in times if minutes < math.inf]
        assert sorted(row["minutes"] for row in found if row["is_counted"]) == times, folder
        assert {row["result_id"] for row in found} == {score["result_id"]}
        factor = 1.0
        if f"{folder}/scaling.json" in archives.members[score["source"]]:
            factor = json.loads(archives.read(score["source"], f"{folder}/scaling.json"))["scaling_factor"]
            scaled += 1
        assert score["value"] == pytest.approx(sum(times) / len(times) * factor, rel=1e-12), folder
    assert len(scores) == 2_202
    assert scaled > 400


def test_runs_that_no_score_counts_are_of_groups_that_are_reported(
    runs: list[Row], snapshot: duckdb.DuckDBPyConnection
) -> None:
    reported = {(row["source"], row["file"]) for row in rows(snapshot, "from problems where kind = 'no-score'")}
    uncounted = {
        (row["source"], str(PurePosixPath(row["source_path"]).parent)): row["result_id"]
        for row in runs
        if row["is_counted"] is None
    }
    assert set(uncounted) <= reported
    assert all(row["result_id"] for row in runs if row["is_counted"] is not None)
    # Where a table has a figure for such a group all the same, its runs are behind that figure.
    published = {row["result_id"] for row in rows(snapshot, "from results where basis = 'published'")}
    of_tables = {place: found for place, found in uncounted.items() if found}
    assert set(of_tables.values()) <= published
    assert {folder for _, folder in of_tables} == {
        "Dell/results/XE8545x4A100-SXM-80GB/bert",
        "Supermicro/results/as-4142gs-tnr/unet3d",
    }


# --- The same runs in several places ---


@pytest.fixture(scope="module")
def places(runs: list[Row], snapshot: duckdb.DuckDBPyConnection) -> dict[str, set[str]]:
    """Rounds and folders of the training results of each mark of the same runs."""
    times: dict[str, set[tuple[int | None, int | None]]] = defaultdict(set)
    for row in runs:
        times[row["result_id"]].add((row["started_ms"], row["stopped_ms"]))
    marked = rows(snapshot, "select * from results where suite = 'training' and same_runs is not null")
    marks: dict[str, set[str]] = defaultdict(set)
    of_mark: dict[str, frozenset[Any]] = {}
    for row in marked:
        mine = frozenset(times[row["result_id"]])
        assert of_mark.setdefault(row["same_runs"], mine) == mine, row["location"]
        marks[row["same_runs"]].add(f"{row['round']} {row['location']}")
    assert len(set(of_mark.values())) == len(of_mark)
    return marks


def test_results_of_the_same_runs_and_no_others_share_a_mark(places: dict[str, set[str]]) -> None:
    assert sum(len(found) > 1 for found in places.values()) > 150


def together(places: dict[str, set[str]], *expected: str) -> bool:
    """Whether all of these have one mark, which no other result of their round has."""
    round_id = expected[0].split()[0]
    return set(expected) in [{one for one in found if one.startswith(round_id)} for found in places.values()]


@pytest.mark.parametrize("benchmark", ["rgat", "retinanet"])
def test_dells_two_systems_of_5_1_with_the_same_runs_are_found(places: dict[str, set[str]], benchmark: str) -> None:
    systems = ("1xXE9680Lx8B200-SXM-180GB", "1xXE9780x8B200-SXM-180GB")
    assert together(places, *(f"v5.1 Dell/results/{system}/{benchmark}" for system in systems))


def test_the_power_twins_of_sustainable_metal_cloud_are_found(archives: Archives, places: dict[str, set[str]]) -> None:
    """Each group of smc-ac-power with its twin, and with that of smc where the logs are the same."""
    source = "mlcommons/training_results_v4.0"
    contents: dict[str, dict[str, bytes]] = defaultdict(dict)
    for path in archives.members[source]:
        if re.match(r"smc[^/]*/results/[^/]+/[^/]+/result_", path):
            contents[path.rpartition("/")[0]][path.rpartition("/")[2]] = b"\n".join(
                re.findall(rb'"time_ms": \d+[^\n]*"key": "run_st(?:art|op)"', archives.read(source, path))
            )
    three = 0
    for folder in [folder for folder in contents if folder.startswith("smc-ac-power/")]:
        twins = [folder, folder.replace("-ac-", "-dc-"), folder.replace("-ac-power", "")]
        same = [twin for twin in twins if sorted(contents[twin].values()) == sorted(contents[folder].values())]
        assert len(same) > 1
        three += len(same) == 3
        assert together(places, *(f"v4.0 {twin}" for twin in same)), folder
    assert three > 1


# --- Systems ---

NOTES = {"hw_notes", "sw_notes", "notes", "system_type_detail"}

MISSPELT = {"divison": "division", "number of nodes": "number_of_nodes", "system-type": "system_type"}


def flat(value: Any) -> str:
    """A fact as one text; some sheets list their software as an object or a list of objects."""
    if isinstance(value, dict):
        return "; ".join(f"{name}: {flat(part)}" for name, part in value.items())
    return "; ".join(map(flat, value)) if isinstance(value, list) else str(value)


def line(value: Any) -> str:
    return " ".join(flat(value).split())


NODE = {
    "num_nodes": "number_of_nodes",
    "accelerator": "accelerator_model_name",
    "num_accelerators": "accelerators_per_node",
    "sys_mem_size": "host_memory_capacity",
}


def as_later(fields: Row) -> Row:
    """A sheet of training v0.6 in the fields of later ones, which are taken where it has both."""
    if not (isinstance(fields.get("nodes"), list) and "num_nodes" in fields["nodes"][0]):
        return fields
    (node,) = fields["nodes"]
    processors, _, processor = node["cpu"].rpartition("x ")
    old = {"system_name": fields.get("hardware"), "operating_system": fields.get("os"),
           "host_processors_per_node": processors, "host_processor_model_name": processor,
           **{name: node[of] for of, name in NODE.items()}}  # fmt: skip
    new = {MISSPELT.get(name, name): value for name, value in fields.items() if name not in {"hardware", "os", "nodes"}}
    return {**old, **new}


@pytest.fixture(scope="module")
def written(archives: Archives) -> dict[Place, Row]:
    """Every systems JSON of the archives."""
    return {
        (source, path): as_later(sheet(archives.read(source, path)))
        for source, members in archives.members.items()
        for path in members
        if re.search(r"(^|/)systems/[^./][^/]*\.json$", path)
    }


def test_sheets_hold_every_fact_of_every_system(snapshot: duckdb.DuckDBPyConnection, written: dict[Place, Row]) -> None:
    found: dict[Place, dict[str, str]] = defaultdict(dict)
    for row in rows(snapshot, "select * from sheets"):
        found[row["source"], row["source_path"]][row["field"]] = row["value"]
    expected = {}
    for place, fields in written.items():
        facts = {MISSPELT.get(name.strip(), name.strip()): line(value) for name, value in fields.items()
                 if name not in NOTES}  # fmt: skip
        expected[place] = {name: fact for name, fact in facts.items() if fact.lower() not in {"", "none", "null"}}
    assert set(found) == set(expected)
    assert {place: (facts, found[place]) for place, facts in expected.items() if found[place] != facts} == {}
    assert len(expected) > 1_600


def test_no_sheet_holds_prose(snapshot: duckdb.DuckDBPyConnection, written: dict[Place, Row]) -> None:
    sheets = rows(snapshot, "select distinct field, value from sheets")
    assert [row["field"] for row in sheets if "note" in row["field"].lower()] == []
    notes = {line(fields[name]) for fields in written.values() for name in NOTES & set(fields)}
    prose = {note for note in notes if note.count(" ") > 5}
    assert len(prose) > 30
    assert prose & {row["value"] for row in sheets} == set()


def test_every_result_read_from_logs_has_its_systems_sheet(snapshot: duckdb.DuckDBPyConnection) -> None:
    without = rows(
        snapshot,
        """
        select distinct results.suite, results.round, results.submitter, results.system_id
        from results semi join (from sightings where basis = 'computed') using (result_id, suite)
        anti join (
            select distinct round, submitter, system_id, kind from sheets
        ) as sheets on sheets.round = results.round and sheets.submitter = results.submitter
            and sheets.system_id = results.system_id and starts_with(results.suite, sheets.kind)
        """,
    )
    assert without == []
