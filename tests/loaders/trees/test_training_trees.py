"""Training trees: groups of logs with their system, scaling and power, and parts of trees."""

import itertools
import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

from loaders.trees import training
from loaders.unpack import Source, sources
from tests.loaders.trees.making_training import GROUP, SHEET, START, Read, assembled, event, group, log, write

TEN = (10, 11, 12, 13, 14, 15, 16, 17, 18, 30)
MEAN_OF_EIGHT = 14.5


def tree(folder: Path, files: dict[str, Any], name: str = "training_results_v1.1.zip") -> Read:
    return assembled(write(files, folder), name)


def test_a_group_gives_its_score_its_runs_and_its_system(tmp_path: Path) -> None:
    read = tree(tmp_path, group(TEN))
    (result,) = read.measurements
    assert read.problems == []
    assert result.value == pytest.approx(MEAN_OF_EIGHT, rel=1e-12)
    assert (result.round, result.submitter, result.system_id, result.benchmark) == ("v1.1", "Dell", "XE8545", "rnnt")
    assert (result.division, result.availability, result.nodes, result.unit) == ("closed", "onprem", "1", "min.")
    assert (result.is_computed, result.runs, result.location) == (True, 10, GROUP)
    assert result.where.file.endswith("rnnt/result_1.txt")
    assert result.where.line == 11
    assert [run.is_counted for run in read.runs] == [False, *[True] * 8, False]
    assert [run.minutes for run in read.runs] == list(TEN)
    assert (read.runs[0].epochs, read.runs[0].samples, read.runs[0].global_batch_size) == (59, None, 2048)
    (sheet,) = read.sheets
    assert dict(sheet.facts)["framework"] == "NGC PyTorch 21.09"
    assert "hw_notes" not in dict(sheet.facts)


def test_one_failed_run_is_the_slowest_and_the_slowest_success_counts(tmp_path: Path) -> None:
    read = tree(tmp_path, group(TEN, failed={0: "aborted"}))
    assert read.value == pytest.approx(sum((12, 13, 14, 15, 16, 17, 18, 30)) / 8, rel=1e-12)
    assert [run.status for run in read.runs].count("aborted") == 1
    assert [run.is_counted for run in read.runs] == [False, False, *[True] * 8]


def test_more_failures_than_allowed_give_no_score_and_a_reason(tmp_path: Path) -> None:
    read = tree(tmp_path, group(TEN, failed={0: "aborted", 5: "fail"}))
    assert read.measurements == []
    assert "2 of 10 runs failed" in read.problems[0].found
    assert len(read.runs) == 10
    assert {run.is_counted for run in read.runs} == {None}


def test_unet3d_drops_four_at_each_end(tmp_path: Path) -> None:
    minutes = [*range(1, 37), *[500] * 4]
    folder = "Dell/results/XE8545/unet3d"
    assert tree(tmp_path, group(minutes, folder)).value == pytest.approx(sum(range(5, 37)) / 32)
    failed = dict.fromkeys(range(36, 40), "aborted")
    assert tree(tmp_path, group(minutes, folder, failed)).value == pytest.approx(sum(range(5, 37)) / 32)


@pytest.mark.parametrize("minutes, failed, score", [((3, 1, 2), {}, 2), ((1, 5, 2), {0: "aborted"}, 5)])
def test_three_runs_give_their_median(
    tmp_path: Path, minutes: tuple[float, ...], failed: dict[int, str], score: float
) -> None:
    files = group(minutes, "Dell/results/XE8545/gpt3", failed)
    assert tree(tmp_path, files, "training_results_v3.0.zip").value == score


def test_scaling_multiplies_the_score(tmp_path: Path) -> None:
    read = tree(tmp_path, group(TEN, more={f"{GROUP}/scaling.json": {"scaling_factor": 1.0104}}))
    assert read.value == pytest.approx(MEAN_OF_EIGHT * 1.0104, rel=1e-12)


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{",
        '{"scaling_factor": 1.1, "scaling_factor": 3}',
        '{"factor": 2}',
        '{"scaling_factor": "2"}',
        '{"scaling_factor": -1}',
        "[]",
    ],
)
def test_scaling_that_cannot_be_read_gives_no_score(tmp_path: Path, content: str) -> None:
    read = tree(tmp_path, group(TEN, more={f"{GROUP}/scaling.json": content}))
    assert read.measurements == []
    assert read.kinds == ["bad-scaling", "no-score"]


def test_incomplete_groups_say_how_many_runs_are_there(tmp_path: Path) -> None:
    read = tree(tmp_path, group(TEN[:4]))
    assert read.measurements == []
    assert any("4 of 10 runs present" in problem.found for problem in read.problems)
    assert len(read.runs) == 4


def test_too_many_files_give_no_score(tmp_path: Path) -> None:
    read = tree(tmp_path, group((*TEN, 12)))
    assert read.measurements == []
    assert "11 runs where 10" in read.problems[0].found


def test_a_group_with_scaling_and_no_logs_has_no_score(tmp_path: Path) -> None:
    read = tree(tmp_path, {f"{GROUP}/scaling.json": {"scaling_factor": 1.1}})
    assert "no run present" in read.problems[0].found


def test_stray_files_and_nested_copies_are_not_read(tmp_path: Path) -> None:
    stray = {
        f"{GROUP}/{name}": log(1)
        for name in (".!65506!result_4.txt", "rcp_checker.log", "compliance_rnnt.out", "result_1.log", "result.txt")
    }
    nested = {f"{GROUP}/bert/result_{number}.txt": log(1) for number in range(10)}
    read = tree(tmp_path, group(TEN, more={**stray, **nested}))
    assert read.value == pytest.approx(MEAN_OF_EIGHT)
    assert len(read.runs) == 10
    assert read.kinds == ["nested-copy"]
    assert read.problems[0].where.file.endswith("rnnt/bert")


def test_names_of_logs_are_free(tmp_path: Path) -> None:
    names = ["_raw_06", "_06", "_run10", "_1_1n4r_32k_1592751389", "_220520100725096152634_1", "_00", "_7", "_8", "_9"]
    files = {f"{GROUP}/result{name}.txt": log(10 + at) for at, name in enumerate([*names, "_10"])}
    read = tree(tmp_path, {**files, "Dell/systems/XE8545.json": SHEET})
    assert read.value == pytest.approx(MEAN_OF_EIGHT)


def test_a_tree_may_lie_anywhere_and_names_may_be_odd(tmp_path: Path) -> None:
    read = tree(
        tmp_path, {f"a/b c™/training_results_v2.1/{name}": content for name, content in group(TEN).items()}, "x"
    )
    assert read.value == pytest.approx(MEAN_OF_EIGHT)
    assert (read.measurements[0].round, read.measurements[0].submitter) == ("v2.1", "Dell")


@pytest.mark.parametrize(
    "name, round_id",
    [
        ("training_results_v4.1", "v4.1"),
        ("Dell_training_v1.1_full_logs.zip", "v1.1"),
        ("training_results_v6.0-main.zip", "v6.0"),
        ("my runs", None),
    ],
)
def test_the_archive_names_the_round(tmp_path: Path, name: str, round_id: str | None) -> None:
    assert tree(tmp_path, group(TEN), name).measurements[0].round == round_id


def test_bare_logs_are_scored_without_an_identity(tmp_path: Path) -> None:
    logs = {f"result_{at}.txt": log(minutes, at=at * 100) for at, minutes in enumerate(TEN)}
    read = tree(tmp_path, logs, "my runs")
    (result,) = read.measurements
    assert result.value == pytest.approx(MEAN_OF_EIGHT)
    assert (result.submitter, result.system_id) == (None, None)
    assert len(read.runs) == 10


def test_a_part_of_a_tree_gives_what_its_folders_say(tmp_path: Path) -> None:
    logs = {f"XE8545/rnnt/result_{at}.txt": log(minutes, at=at * 100) for at, minutes in enumerate(TEN)}
    (result,) = tree(tmp_path, logs).measurements
    assert (result.system_id, result.benchmark, result.submitter) == ("XE8545", "rnnt", None)


def test_results_without_a_benchmark_folder_are_runs_of_what_their_logs_name(tmp_path: Path) -> None:
    logs = {
        f"Alibaba/results/v100-256/result_{at}.txt": log(3, benchmark="resnet").replace("time_ms", "time_s")
        for at in range(5)
    }
    read = tree(tmp_path, logs, "training_results_v0.7.zip")
    assert read.measurements == []
    assert {run.benchmark for run in read.runs} == {"resnet"}
    assert read.kinds == ["no-score", "no-system", "no-time"]


def test_a_log_that_claims_another_benchmark_is_reported_and_the_folder_believed(tmp_path: Path) -> None:
    files = group(TEN)
    files[f"{GROUP}/result_3.txt"] = log(13, at=300, benchmark="bert")
    read = tree(tmp_path, files)
    assert read.value == pytest.approx(MEAN_OF_EIGHT)
    assert read.kinds == ["benchmark-differs"]


def test_the_folder_mask_is_mask_rcnn(tmp_path: Path) -> None:
    read = tree(tmp_path, group((1, 2, 3, 4, 5), "Dell/results/XE8545/mask"))
    assert read.value == 3
    assert read.runs[0].benchmark == "maskrcnn"


def test_an_unknown_benchmark_keeps_its_runs_and_has_no_score(tmp_path: Path) -> None:
    read = tree(tmp_path, group(TEN, "Dell/results/XE8545/benchmark_to_come"), "training_results_v6.1.zip")
    assert read.measurements == []
    assert len(read.runs) == 10
    assert read.kinds == ["no-score"]


def test_results_without_a_system_are_scored_and_reported(tmp_path: Path) -> None:
    files = group(TEN)
    del files["Dell/systems/XE8545.json"]
    read = tree(tmp_path, files)
    assert read.value == pytest.approx(MEAN_OF_EIGHT)
    assert read.measurements[0].division is None
    assert read.kinds == ["no-system"]


def test_a_system_without_results_is_a_sheet(tmp_path: Path) -> None:
    read = tree(tmp_path, {"Dell/systems/XE8545.json": SHEET})
    assert [sheet.system_id for sheet in read.sheets] == ["XE8545"]
    assert (read.problems, read.measurements) == ([], [])


def test_a_submitter_is_named_by_its_sheet_before_its_folder(tmp_path: Path) -> None:
    files = group(TEN, more={"Dell/systems/XE8545.json": {**SHEET, "submitter": "Dell EMC"}})
    read = tree(tmp_path, files)
    assert read.measurements[0].submitter == "Dell EMC"
    assert read.measurements[0].location == GROUP


def test_the_same_runs_in_two_places_are_marked(tmp_path: Path) -> None:
    other = {name.replace("XE8545", "XE9680").replace("Dell", "HPE"): text for name, text in group(TEN).items()}
    third = {name.replace("XE8545", "R750xa"): text for name, text in group([each + 1 for each in TEN]).items()}
    marks = {
        result.system_id: result.same_runs for result in tree(tmp_path, {**group(TEN), **other, **third}).measurements
    }
    assert marks["XE8545"] == marks["XE9680"] != marks["R750xa"]
    assert None not in marks.values()


# --- pace ---


@pytest.mark.parametrize(
    "minutes, epochs, said",
    [
        (12, 59, "took 1.20 times as long per epoch as the median of the group"),
        (8, 59, "took 0.80 times as long per epoch"),
        (12, 71, None),
        (10.1, 59, None),
    ],
)
def test_a_run_out_of_pace_is_told(tmp_path: Path, minutes: float, epochs: int, said: str | None) -> None:
    odd = log(minutes, at=9000).replace('"epoch_num": 59', f'"epoch_num": {epochs}')
    read = tree(tmp_path, group([10.0, 10.01] * 5, more={f"{GROUP}/result_9.txt": odd}))
    assert read.kinds == ([] if said is None else ["odd-pace"])
    assert read.value is not None
    if said is not None:
        (problem,) = read.problems
        assert (problem.where.file.rpartition("/")[2], problem.where.line) == ("result_9.txt", 11)
        assert said in problem.found


@pytest.mark.parametrize("minutes, is_odd", [((10, 20), False), ((10, 10.5, 10.9), False), ((10, 10, 11.2), True)])
def test_few_runs_may_differ_more(tmp_path: Path, minutes: tuple[float, ...], is_odd: bool) -> None:
    assert ("odd-pace" in tree(tmp_path, group(minutes)).kinds) == is_odd


def test_a_run_of_another_year_is_told(tmp_path: Path) -> None:
    logs = {f"{GROUP}/result_9.txt": log(10, at=-60 * 24 * 400)}
    read = tree(tmp_path, group([10] * 9, more=logs))
    assert read.kinds == ["odd-date"]
    assert re.search(r"began 40\d days before the median", read.problems[0].found)


@pytest.mark.parametrize("factor, is_odd", [(1.0002, False), (1.25, False), (1.9, True), (0.001, True)])
def test_a_scaling_far_from_all_published_ones_is_told(tmp_path: Path, factor: float, is_odd: bool) -> None:
    read = tree(tmp_path, group([10] * 10, more={f"{GROUP}/scaling.json": {"scaling_factor": factor}}))
    assert (read.value, read.kinds) == (pytest.approx(10 * factor), ["odd-scaling"] if is_odd else [])


# --- power ---


def power(watts: float, seconds: int = 600, stop: int | None = None) -> str:
    lines = [event("power_measurement_start"), event("conversion_eff", 0.5)]
    lines += [event("power_reading", watts, at * 1000) for at in range(1, seconds + 1)]
    return "\n".join([*lines, event("power_measurement_stop", "null", 1000 * seconds if stop is None else stop)])


POWERED = (9, 11, 12, 13, 10, 15, 16, 17, 18, 30)
"""Minutes of the runs whose power was measured: the fifth, which counts, takes ten."""
MEAN_POWERED = 14.0


def powered(changes: dict[str, Any] | None = None) -> dict[str, Any]:
    files: dict[str, Any] = {}
    for number, minutes in enumerate(POWERED):
        for node in range(2):
            files[f"{GROUP}/power/result_{number}/node_{node}.txt"] = power(2000, 60 * minutes)
        files[f"{GROUP}/power/result_{number}/sw_0.txt"] = event("interconnect_power_est", 500)
        files[f"{GROUP}/power/result_{number}/total_power.txt"] = "1"
    system = {**SHEET, "number_of_nodes": "2"}
    more = {"Dell/systems/XE8545.json": system, f"{GROUP}/scaling.json": {"scaling_factor": 1.2}}
    return {**group(POWERED), **files, **more, **(changes or {})}


def test_energy_is_the_mean_over_the_runs_behind_the_score(tmp_path: Path) -> None:
    (result,) = tree(tmp_path, powered()).measurements
    kilojoules = (2 * 2000 * 0.5 + 500) * MEAN_POWERED * 60 / 1000 * 1.2
    assert result.power_value == pytest.approx(kilojoules)
    assert (result.power_unit, result.has_power) == ("kJ", True)


def test_a_measurement_that_stops_when_it_starts_lasts_until_its_last_reading(tmp_path: Path) -> None:
    files = powered()
    for number, minutes in enumerate(POWERED):
        files[f"{GROUP}/power/result_{number}/node_0.txt"] = power(2000, 60 * minutes, stop=0).replace(
            '{"file": "train.py", "lineno": 1}', '""'
        )
    (result,) = tree(tmp_path, files).measurements
    assert result.power_value == pytest.approx((2 * 2000 * 0.5 + 500) * MEAN_POWERED * 60 / 1000 * 1.2)


def test_switches_that_differ_from_run_to_run_are_told(tmp_path: Path) -> None:
    for number, content in enumerate((event("interconnect_power_est", 900), event("interconnect_power", 500), None)):
        files = powered({f"{GROUP}/power/result_4/sw_0.txt": content})
        read = tree(tmp_path / str(number), {name: text for name, text in files.items() if text is not None})
        assert read.kinds == (["bad-line", "power-switches"] if number == 1 else ["power-switches"])
        assert read.measurements[0].power_value is not None
        assert "1 with 500 W" in read.problems[-1].found


@pytest.mark.parametrize("missing", ["node_1.txt", "both"])
def test_missing_nodes_give_no_energy_and_leave_the_score(tmp_path: Path, missing: str) -> None:
    files = powered()
    for name in ("node_0.txt", "node_1.txt"):
        if missing in {name, "both"}:
            del files[f"{GROUP}/power/result_4/{name}"]
    read = tree(tmp_path, files)
    assert read.value == pytest.approx(MEAN_POWERED * 1.2)
    assert (read.measurements[0].power_value, read.measurements[0].has_power) == (None, False)
    assert read.kinds == ["no-energy"]


@pytest.mark.parametrize(
    "content", ["", "junk", event("power_reading", 1), event("power_measurement_start"), ":::MLLOG {"]
)
def test_power_that_cannot_be_read_gives_no_energy(tmp_path: Path, content: str) -> None:
    read = tree(tmp_path, powered({f"{GROUP}/power/result_4/node_0.txt": content}))
    assert read.measurements[0].power_value is None
    assert "no-energy" in read.kinds


@pytest.mark.parametrize(
    "readings, said",
    [
        ([*[2000.0] * 599, 2900.0], "2900 W stands alone: the others are 2000 to 2000 W"),
        ([200.0, *[2000.0] * 599], "200 W stands alone"),
        ([-40.0, -2.0, *[2000.0] * 598], "2 readings are not above zero, the lowest -40 W"),
        ([*[2000.0] * 300, 0.0, *[2000.0] * 299], "1 reading is not above zero, the lowest 0 W"),
    ],
)
def test_a_reading_far_from_all_others_is_told(tmp_path: Path, readings: list[float], said: str) -> None:
    lines = [event("power_measurement_start"), event("conversion_eff", 0.5)]
    lines += [event("power_reading", watts, at * 1000) for at, watts in enumerate(readings, 1)]
    content = "\n".join([*lines, event("power_measurement_stop", "null", 600_000)])
    read = tree(tmp_path, powered({f"{GROUP}/power/result_4/node_0.txt": content}))
    assert (read.kinds, read.measurements[0].power_value is not None) == (["odd-reading"], True)
    assert said in read.problems[0].found


def readings(times: Iterable[int], *, host: str = "node_0") -> str:
    """The power of a run of ten minutes, of 1,000 W in its second half and 2,000 W before."""
    lines = [event("power_measurement_start"), event("conversion_eff", 0.5)]
    lines += [
        event("power_reading", 2000 if at <= 300 else 1000, at * 1000, host=host) for at in times
    ]  # fmt: skip
    return "\n".join([*lines, event("power_measurement_stop", "null", 600_000)])


@pytest.mark.parametrize(
    "times, said, is_changed",
    [
        (range(1, 601), None, False),
        (range(2, 601), None, False),
        (range(3, 601), "the first reading stands 3.0 s behind power_measurement_start", False),
        (range(1, 600), "the last reading stands 1.0 s before power_measurement_stop", True),
        (range(1, 501), "the last reading stands 100.0 s before power_measurement_stop", True),
        ([*range(1, 299), *range(350, 601)], "readings are missing for 52.0 s; they stand 1.0 s apart", True),
        ([*range(1, 99), *range(101, 299), *range(350, 601)], "missing for 55.0 s in 2 places", True),
    ],
)
def test_readings_that_are_missing_are_told(
    tmp_path: Path, times: Iterable[int], said: str | None, is_changed: bool
) -> None:
    whole = tree(tmp_path / "whole", powered({f"{GROUP}/power/result_4/node_0.txt": readings(range(1, 601))}))
    read = tree(tmp_path / "cut", powered({f"{GROUP}/power/result_4/node_0.txt": readings(times)}))
    assert {problem.kind for problem in read.problems} == (set() if said is None else {"power-gap"})
    assert said is None or said in read.problems[0].found
    assert (read.measurements[0].power_value != whole.measurements[0].power_value) == is_changed


@pytest.mark.parametrize(
    "damage, kind, said",
    [
        (lambda text: text.replace("conversion_eff", "conversion_efg"), "bad-line", "1 line holds no event"),
        (lambda text: text.replace("power_reading", "power_readiog", 2), "bad-line", "2 lines hold no event"),
        (lambda text: re.sub(r"\n:::MLLOG(?=.*_reading)", "\n:::MLLOF", text, count=7), "bad-line", "7 lines hold"),
        (lambda text: text.replace("0.5", "0.6"), "power-conversion", "states 0.6 as conversion_eff; other"),
        (
            lambda text: "\n".join(line for line in text.split("\n") if "conversion_eff" not in line),
            "power-conversion", "states no conversion_eff; other files of the group state 0.5",
        ),
        (
            lambda text: text + "\n" + event("conversion_eff", 0.9),
            "power-conversion", "the file states several conversion_eff",
        ),
        (lambda text: text.replace("node_0", "node_3", 5), "power-hosts", "of 2 hosts: node_0, node_3"),
    ],
)  # fmt: skip
def test_a_line_of_a_node_that_is_lost_or_anothers_is_told(
    tmp_path: Path, damage: Callable[[str], str], kind: str, said: str
) -> None:
    whole = readings(range(1, 601))
    read = tree(tmp_path, powered({f"{GROUP}/power/result_4/node_0.txt": damage(whole)}))
    assert damage(whole) != whole
    assert kind in read.kinds
    assert any(said in problem.found for problem in read.problems)


@pytest.mark.parametrize(
    "damage, kind, said",
    [
        (lambda text: clock(text, 3_600_000), "no-power", "no power_reading lies between its start and its stop"),
        (lambda text: text.replace("0.5", "0.0"), "no-power", "its readings and its conversion_eff give 0 W"),
        (lambda text: text.replace("0.5", "-0.5"), "no-power", "give -"),
        (lambda text: text.replace("0.5", "50"), "power-conversion", "a conversion_eff of 50, over 1"),
        (lambda text: kept(text, lambda at: at == 300), "power-gap", "only 1 reading of power"),
        (lambda text: kept(text, lambda at: at in {1, 600}), "power-gap", "only 2 readings of power"),
        (lambda text: kept(text, lambda at: at % 2), "power-gap", "reads each 2.00 s, the others"),
        (
            lambda text: kept(text, lambda at: at <= 300).replace(f"{START + 600_000}", f"{START}"),
            "power-gap", "measures 300.0 s of a run of 600.0 s",
        ),
    ],
)  # fmt: skip
@pytest.mark.parametrize("is_everywhere", [False, True])
def test_readings_that_cannot_be_the_runs_are_told_and_leave_its_time(
    tmp_path: Path, damage: Callable[[str], str], kind: str, said: str, is_everywhere: bool
) -> None:
    runs = range(10) if is_everywhere else [4]
    changed = {f"{GROUP}/power/result_{number}/node_0.txt": damage(readings(range(1, 601))) for number in runs}
    read = tree(tmp_path, powered(changed))
    assert read.value == pytest.approx(MEAN_POWERED * 1.2)
    told = [problem for problem in read.problems if problem.kind == kind and said in problem.found]
    assert told or "the others" in said
    assert is_everywhere or [problem.where.file.endswith("result_4/node_0.txt") for problem in told] == [True]


@pytest.mark.parametrize("lost, is_told", [(2, False), (10, True)])
def test_the_end_of_a_power_file_without_a_usable_stop_is_missed_by_its_group(
    tmp_path: Path, lost: int, is_told: bool
) -> None:
    text = kept(readings(range(1, 601)), lambda at: at <= 600 - lost).replace(f"{START + 600_000}", f"{START}")
    read = tree(tmp_path, powered({f"{GROUP}/power/result_4/node_0.txt": text}))
    assert read.kinds == (["power-gap"] if is_told else [])
    assert not is_told or "lacks 10.0 s that the other files" in read.problems[0].found


def clock(text: str, ms: int) -> str:
    """Readings by a clock that is so far ahead."""
    pattern = r'(?<="time_ms": )\d+(?=.*"power_reading")'
    return re.sub(pattern, lambda time: str(int(time[0]) + ms), text)


def kept(text: str, which: Callable[[int], Any]) -> str:
    """Some readings by their number, from 1 on."""
    numbers = itertools.count(1)
    return "\n".join(line for line in text.split("\n") if "power_reading" not in line or which(next(numbers)))


def test_blank_lines_and_other_line_ends_of_a_node_are_nothing_strange(tmp_path: Path) -> None:
    text = readings(range(1, 601))
    for number, same in enumerate((text.replace("\n", "\r\n"), text.replace("\n", "\n\n"), text + "\n", f"\n{text}")):
        read = tree(tmp_path / str(number), powered({f"{GROUP}/power/result_4/node_0.txt": same}))
        assert read.kinds == []
        assert read.measurements[0].power_value is not None


@pytest.mark.parametrize("readings", [[200.0, 210.0, *[2000.0] * 598], [*[2000.0] * 599, 2060.0]])
def test_readings_near_another_are_not_told(tmp_path: Path, readings: list[float]) -> None:
    lines = [event("power_measurement_start"), event("conversion_eff", 0.5)]
    lines += [event("power_reading", watts, at * 1000) for at, watts in enumerate(readings, 1)]
    content = "\n".join([*lines, event("power_measurement_stop", "null", 600_000)])
    assert tree(tmp_path, powered({f"{GROUP}/power/result_4/node_0.txt": content})).kinds == []


# --- systems ---


@pytest.mark.parametrize(
    "content, kinds",
    [
        ('\ufeff{"division": "open"}', []),
        ('{"division": "open",\n}', ["broken-json"]),
        ('{"divison": "open", "note": ",}"}', []),
        ('{"division": "open", "number_of_nodes": 1.0}', []),
        ('{"division": "open", "other_software_stack": {"cuda": "11"}}', []),
    ],
)
def test_systems_are_read_as_people_write_them(tmp_path: Path, content: str, kinds: list[str]) -> None:
    read = tree(tmp_path, group(TEN, more={"Dell/systems/XE8545.json": content}))
    assert read.measurements[0].division == "open"
    assert read.kinds == kinds


@pytest.mark.parametrize("content", ["", "{", "[]", "3", '{"division": }', b"\xff\xfe\x00"])
def test_a_system_that_cannot_be_read_leaves_the_score(tmp_path: Path, content: str | bytes) -> None:
    read = tree(tmp_path, group(TEN, more={"Dell/systems/XE8545.json": content}))
    assert read.value == pytest.approx(MEAN_OF_EIGHT)
    assert read.measurements[0].division is None
    assert "no-system" in read.kinds


@pytest.mark.parametrize(
    "path, is_ours",
    [
        ("Dell/systems/XE8545.json", True),
        ("systems/XE8545.json", True),
        ("Dell/systems/.XE8545.json.swp", False),
        ("Dell/systems/README.md", False),
        ("closed/Dell/systems/R750.json", False),
        ("inference_results_v3.1/open/Dell/systems/R750.json", False),
        ("Dell/results/XE8545/rnnt/result_0.txt", True),
        ("Dell/results/XE8545/rnnt/rcp_checker.log", False),
        ("Dell/results/XE8545/rnnt/power/result_0/node_0.txt", True),
        ("Dell/results/XE8545/rnnt/power/result_0/total_power.txt", False),
        ("notes/result_0.txt", False),
    ],
)
def test_only_files_in_their_place_are_claimed(tmp_path: Path, path: str, is_ours: bool) -> None:
    (source,) = sources(write({path: "x"}, tmp_path))
    assert isinstance(source, Source)
    assert training.claims(source) is is_ours


def test_start_is_a_plausible_time() -> None:
    assert START > 1_600_000_000_000
