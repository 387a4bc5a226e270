"""Measured power: the window of the run, what counts in it, energy per query, and what makes a power untrustworthy."""

from collections.abc import Callable
from pathlib import Path

import pytest

from loaders.trees import power_readings
from tests.loaders.trees.making_inference import Files, Read, detail, read

BEGIN, END = "02-24-2023 18:00:00.000", "02-24-2023 18:01:40.000"


def reading(clock: str, watts: float, amperes: float | None = None) -> str:
    """As the meter of PTDaemon writes it: 120 V, and amperes that go with the watts."""
    ampere = watts / 120 / 0.5 if amperes is None else amperes
    return f"Time,02-24-2023 {clock},Watts,{watts:.6f},Volts,120.000000,Amps,{ampere:.6f},PF,0.500000,Mark,x\n"


def meter(watts: Callable[[int], float] = lambda _: 200.0, seconds: range = range(-20, 121)) -> str:
    """A reading each second, the window being 0 to 100."""
    lines = []
    for second in seconds:
        moment = 18 * 3600 + second
        clock = f"{moment // 3600:02}:{moment // 60 % 60:02}:{moment % 60:02}.500"
        lines.append(reading(clock, watts(second)))
    return "".join(lines)


def files(scenario: str, spl: str | bytes | None, round_id: str = "v3.0", logged: str = "", **keys: object) -> Files:
    base = f"inference_results_{round_id}/closed/Acme/results/box/resnet50/{scenario}/performance"
    logged = logged or scenario
    said: dict[str, object] = {"power_begin": BEGIN, "power_end": END, "result_query_count": 1000} | keys
    scores: dict[str, dict[str, object]] = {
        "Offline": {"result_samples_per_second": 50.0},
        "Server": {"result_scheduled_samples_per_sec": 50.0},
        "SingleStream": {
            "early_stopping_latency_ss": 90_000,
            "early_stopping_latency_ms": 90_000,
            "result_90__00_percentile_latency_ns": 90_000,
            "result_qps_without_loadgen_overhead": 9.0,
        },
        "MultiStream": {"early_stopping_latency_ms": 90_000, "effective_samples_per_query": 8},
    }
    text = detail(logged, **(scores[logged] | {key: value for key, value in said.items() if value is not None}))
    found: Files = {f"{base}/run_1/mlperf_log_detail.txt": text, f"{base}/power/client.json": '{"timezone": 0}'}
    return found if spl is None else found | {f"{base}/run_1/spl.txt": spl}


def told(found: Read) -> list[str]:
    """The kinds of what is said of the power: the trees here have no accuracy and no system's sheet."""
    return [kind for kind in found.kinds if kind not in {"missing-accuracy", "missing-system"}]


def power(found: Read) -> tuple[float | None, str | None]:
    return found.one.power_value, found.one.power_unit


@pytest.mark.parametrize("scenario", ["Offline", "Server"])
def test_power_is_the_average_inside_the_window(tmp_path: Path, scenario: str) -> None:
    found = read(tmp_path, files(scenario, meter(lambda second: 200 if 0 <= second < 100 else 5000)))
    assert power(found) == (200.0, "W")
    assert found.one.has_power


@pytest.mark.parametrize(
    "scenario, logged, millijoules",
    [
        ("SingleStream", "SingleStream", 20_000),
        ("MultiStream", "MultiStream", 20_000),
        ("MultiStream", "SingleStream", 160_000),
    ],
)
def test_energy_is_per_query(tmp_path: Path, scenario: str, logged: str, millijoules: float) -> None:
    value, unit = power(read(tmp_path, files(scenario, meter(), logged=logged)))
    assert value == pytest.approx(millijoules)
    assert unit == "mJ"


def test_power_of_an_offline_result_inferred_from_singlestream_is_in_watts(tmp_path: Path) -> None:
    assert power(read(tmp_path, files("Offline", meter(), logged="SingleStream"))) == (200.0, "W")


def test_v1_counts_by_queries_per_second_and_by_samples(tmp_path: Path) -> None:
    keys: dict[str, float | None] = {"result_query_count": None, "result_qps_with_loadgen_overhead": 10.0}
    found = read(tmp_path / "single", files("SingleStream", meter(), "v1.1", "", **keys))
    assert power(found)[0] == pytest.approx(200 * 1000 / 10)
    keys = {"result_query_count": None, "generated_query_count": 500, "generated_samples_per_query": 4}
    found = read(tmp_path / "multi", files("MultiStream", meter(), "v1.1", "", **keys))
    assert power(found)[0] == pytest.approx(200 * 100 * 1000 / 2000)


def test_a_window_shorter_than_the_run_gives_no_power(tmp_path: Path) -> None:
    whole = read(tmp_path / "whole", files("Offline", meter(), effective_min_duration_ms=100_000))
    assert power(whole) == (200.0, "W")
    found = read(tmp_path / "short", files("Offline", meter(), effective_min_duration_ms=600_000))
    assert power(found) == (None, None)
    assert "measured for 100 s of a run that took at least 600 s" in found.problem("power-window").found


def test_readings_beside_bare_logs_are_not_dropped_in_silence(tmp_path: Path) -> None:
    bare = {"mlperf_log_detail.txt": detail(result_samples_per_second=5.0), "spl.txt": meter()}
    found = read(tmp_path, {f"logs/{name}": text for name, text in bare.items()})
    assert power(found) == (None, None)
    assert "spl.txt is there" in found.problem("missing-power").found


def test_readings_of_zero_count_before_v3_1_only(tmp_path: Path) -> None:
    spl = meter(lambda second: 0 if second % 2 else 200)
    assert power(read(tmp_path / "old", files("Offline", spl, "v3.0")))[0] == pytest.approx(100)
    assert power(read(tmp_path / "new", files("Offline", spl, "v3.1")))[0] == pytest.approx(200)


def test_v1_0_shifts_both_clocks_by_their_time_zones(tmp_path: Path) -> None:
    base = "inference_results_v1.0/closed/Acme/results/box/resnet50/Offline/performance/power"
    zones = {f"{base}/server.json": '{"timezone": -3600}', f"{base}/client.json": '{"timezone": 0}'}
    spl = meter(lambda second: 200 if 3600 <= second < 3700 else 5000, range(3500, 3800))
    assert power(read(tmp_path / "both", files("Offline", spl, "v1.0") | zones)) == (200.0, "W")
    found = read(tmp_path / "one", files("Offline", spl, "v1.0"))
    assert power(found) == (None, None)
    assert "time zones" in found.problem("power-window").found


FAULTS = [
    ("no reading in the window", meter(seconds=range(-200, -100)), "power-window"),
    ("cut at its end", meter(seconds=range(-20, 60)), "power-window"),
    ("cut at its beginning", meter(seconds=range(40, 120)), "power-window"),
    ("a hole", meter(seconds=range(-20, 30)) + meter(seconds=range(60, 120)), "power-window"),
    ("empty", "", "power-window"),
    ("NUL bytes", b"\x00" * 4000, "power-window"),
    ("all idle", meter(lambda _: 0.0), "power-window"),
    ("no meter", "hello\n" * 50, "power-window"),
]


@pytest.mark.parametrize("what, spl, kind", FAULTS, ids=[fault[0] for fault in FAULTS])
def test_a_power_log_that_does_not_cover_the_run_gives_no_power(tmp_path: Path, what: str, spl: str, kind: str) -> None:
    found = read(tmp_path, files("Offline", spl))
    assert (found.one.value, found.one.has_power, power(found)) == (50.0, True, (None, None)), what
    assert kind in found.kinds


@pytest.mark.parametrize(
    "bad",
    [
        "Time,02-24-2023 18:00:30.500,Watts,abc,Volts\n",
        "Time,99-99-2023 18:00:30.500,Watts,7.0,Volts\n",
        "Time\n",
        "Time,02-24-2023 18:00:30.500,Watts,7.0",
        "Time,02-24-2023 18:00:30.500,Watts,nan,\n",
    ],
)
def test_bad_lines_are_told_and_left_out(tmp_path: Path, bad: str) -> None:
    found = read(tmp_path, files("Offline", meter() + "\n\nnot a reading\n" + bad))
    assert power(found) == (200.0, "W")
    assert found.problem("bad-line").where.line == 141 + 4


def test_watts_that_their_volts_and_amperes_contradict_are_told(tmp_path: Path) -> None:
    lines = meter().splitlines(keepends=True)
    lines[50] = lines[50].replace("Watts,200", "Watts,900")
    found = read(tmp_path, files("Offline", "".join(lines)))
    assert power(found) == (207.0, "W")  # as the checker counts it
    assert told(found) == ["odd-reading"]
    assert found.problem("odd-reading").where.line == 51
    assert "watts of 1 reading," in found.problem("odd-reading").found


@pytest.mark.parametrize("second, kinds", [("90.000000", []), ("99.000000", ["odd-reading"])])
def test_watts_of_several_channels_are_held_against_these(tmp_path: Path, second: str, kinds: list[str]) -> None:
    channels = f",Ch1,Watts,110.000000,Volts,120.0,Amps,1.0,PF,0.9,Ch2,Watts,{second},Volts,120.0,Amps,1.0,PF,0.9\n"
    spl = meter().replace("Mark,x\n", "Mark,x" + channels)
    found = read(tmp_path, files("Offline", spl))
    assert (power(found), told(found)) == ((200.0, "W"), kinds)


def test_a_meter_that_gives_watts_alone_is_read(tmp_path: Path) -> None:
    spl = "".join(line.partition("Volts")[0] + "\n" for line in meter().splitlines())
    found = read(tmp_path, files("Offline", spl))
    assert (power(found), told(found)) == ((200.0, "W"), [])


@pytest.mark.parametrize("cut", ["", "Vklts,120.000000,Amps,3.3,PF,0.5,Mark,x"])
def test_a_reading_that_lacks_what_the_others_have_is_told(tmp_path: Path, cut: str) -> None:
    lines = meter().splitlines(keepends=True)
    lines[50] = lines[50].partition("Volts")[0].replace("200.0", "900.0") + cut + "\n"
    found = read(tmp_path, files("Offline", "".join(lines)))
    assert (power(found), told(found)) == ((207.0, "W"), ["odd-reading"])
    assert found.problem("odd-reading").where.line == 51


def test_readings_in_another_order_are_told(tmp_path: Path) -> None:
    lines = meter().splitlines(keepends=True)
    found = read(tmp_path, files("Offline", "".join([*lines[:60], lines[61], lines[60], *lines[62:]])))
    assert (power(found), told(found)) == ((200.0, "W"), ["power-disorder"])


@pytest.mark.parametrize(
    "scenario, said",
    [
        ("Offline", {"generated_samples_per_query": 5_000, "result_samples_per_second": 50.0}),
        ("Server", {"generated_query_count": 5_000, "result_completed_samples_per_sec": 50.0}),
        ("SingleStream", {"result_query_count": 5_000, "result_qps_with_loadgen_overhead": 50.0}),
        ("MultiStream", {"result_query_count": 5_000, "result_mean_query_latency_ns": 19_900_000}),
    ],
)
def test_a_window_that_the_result_contradicts_is_told(tmp_path: Path, scenario: str, said: dict[str, object]) -> None:
    """100 s of both; then the window begins 30 s late, or the result took twice as long."""
    assert told(read(tmp_path / "same", files(scenario, meter(), **said))) == []
    late = said | {"power_begin": "02-24-2023 18:00:30.000"}
    found = read(tmp_path / "late", files(scenario, meter(), **late))
    assert told(found) == ["odd-window"]
    assert found.one.power_value is not None
    assert "for 70.000 s" in found.problem("odd-window").found
    key, count = next(iter(said.items()))
    assert isinstance(count, int)
    assert told(read(tmp_path / "more", files(scenario, meter(), **(said | {key: 2 * count})))) == ["odd-window"]


def test_a_missing_and_a_doubled_reading_are_told(tmp_path: Path) -> None:
    lines = meter().splitlines(keepends=True)
    found = read(tmp_path / "gap", files("Offline", "".join(lines[:60] + lines[62:])))
    assert (power(found), "power-gap" in found.kinds) == ((200.0, "W"), True)
    found = read(tmp_path / "twice", files("Offline", "".join(lines[:60] + lines[59:])))
    assert (power(found), "power-twice" in found.kinds) == ((200.0, "W"), True)


@pytest.mark.parametrize(
    "seconds, said",
    [
        (range(-20, 120), None),
        (range(1, 120), "the readings begin 1.5 s after the run does"),
        (range(-20, 98), "the readings end 2.5 s before the run does"),
    ],
)
def test_readings_that_begin_or_end_within_the_run_are_told(tmp_path: Path, seconds: range, said: str | None) -> None:
    found = read(tmp_path, files("Offline", meter(seconds=seconds)))
    assert power(found) == (200.0, "W")
    assert (said is None) == ("power-gap" not in found.kinds)
    assert said is None or any(said in problem.found for problem in found.problems)


def test_a_line_without_end_is_one_line_and_none_of_it_a_reading(tmp_path: Path) -> None:
    lines = meter().splitlines(keepends=True)
    line = lines[50].rstrip("\n")
    for number, (whole, bad) in enumerate((
        ("".join([*lines[:50], line + "x" * power_readings.PIECE * 4 + lines[51], *lines[51:]]), 51),
        ("".join([*lines, line + "x" * power_readings.PIECE * 4]), 142),
    )):  # fmt: skip
        found = read(tmp_path / str(number), files("Offline", whole))
        assert power(found) == (200.0, "W")
        problem = found.problem("bad-line")
        assert (problem.where.line, "1 line cannot be read" in problem.found) == (bad, True)


@pytest.mark.parametrize("is_first", [True, False])
def test_readings_without_volts_are_told_however_far_from_those_that_have_them(tmp_path: Path, is_first: bool) -> None:
    lines = meter().splitlines(keepends=True)
    filler = ["#" * 99 + "\n"] * (3 * power_readings.PIECE // 100)
    given = [lines[:70], filler, lines[70:]]
    given[0 if is_first else 2] = [line.partition("Volts")[0] + "\n" for line in given[0 if is_first else 2]]
    found = read(tmp_path, files("Offline", "".join(line for part in given for line in part)))
    assert power(found) == (200.0, "W")
    assert f"watts of {70 if is_first else 71} readings, this the first" in found.problem("odd-reading").found
    assert found.problem("odd-reading").where.line == (1 if is_first else 71 + len(filler))


def test_watts_that_no_machine_draws_are_no_reading(tmp_path: Path) -> None:
    huge = "".join(f"Time,02-24-2023 18:00:{second}.200,Watts,1e308,\n" for second in (30, 31, 32))
    found = read(tmp_path, files("Offline", meter() + huge))
    assert power(found) == (200.0, "W")
    assert "3 lines cannot be read" in found.problem("bad-line").found


def test_lines_in_another_order_and_with_other_ends_change_nothing(tmp_path: Path) -> None:
    lines = meter(lambda second: 100 + second % 7).splitlines()
    whole = power(read(tmp_path / "whole", files("Offline", "\n".join(lines) + "\n")))
    assert power(read(tmp_path / "mixed", files("Offline", "\r\n".join(reversed(lines)) + "\r\n"))) == whole


@pytest.mark.parametrize("keys", [{"power_begin": None}, {"power_end": "yesterday"}, {"power_end": BEGIN}])
def test_a_run_without_a_window_has_no_power(tmp_path: Path, keys: dict[str, object]) -> None:
    found = read(tmp_path, files("Offline", meter(), "v3.0", "", **keys))
    assert (found.one.value, power(found)) == (50.0, (None, None))
    assert "power-window" in found.kinds


@pytest.mark.parametrize("count", [None, 0, "many", -4])
def test_energy_without_a_count_is_left_out(tmp_path: Path, count: object) -> None:
    found = read(tmp_path, files("SingleStream", meter(), result_query_count=count))
    assert power(found) == (None, None)
    assert "missing-power" in found.kinds


def test_what_power_lacks_is_told(tmp_path: Path) -> None:
    found = read(tmp_path / "spl", files("Offline", None))
    assert (found.one.has_power, power(found)) == (True, (None, None))
    assert "spl.txt" in found.problem("missing-power").found
    alone = {path: text for path, text in files("Offline", meter()).items() if "/power/" not in path}
    found = read(tmp_path / "folder", alone)
    assert (found.one.has_power, power(found)) == (False, (None, None))
    assert "performance/power/" in found.problem("missing-power").found
