"""LoadGen's logs: what is kept, with its line, whatever happened to the file; and real LoadGen as the oracle."""

import math
import re
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loaders.trees.inference_paths import Place
from loaders.trees.loadgen import Log, read_detail, read_summary
from loaders.unpack import Container, Source, sources
from mlperf.errors import Problem
from tests.loaders.making import packed
from tests.loaders.trees.making_inference import Read, detail, read, record, summary, tree
from tests.loaders.trees.making_loadgen import run_loadgen

PLACE = Place("")


def source(content: bytes | list[bytes], name: str = "mlperf_log_detail.txt") -> Source:
    chunks = content if isinstance(content, list) else [content]
    whole = sum(len(chunk) for chunk in chunks)
    box = Container(name, "file", Path("/nowhere") / name)
    return Source(name, name, box, whole, chunks[0][: 1 << 16], box.path, lambda: iter(chunks))


def log(content: bytes, name: str = "mlperf_log_detail.txt") -> tuple[Log, list[Problem]]:
    reader = read_detail if "detail" in name else read_summary
    found = list(reader(source(content, name), PLACE))
    (only,) = [one for one in found if isinstance(one, Log)]
    return only, [one for one in found if isinstance(one, Problem)]


def value(found: Log, key: str) -> tuple[str, int] | None:
    fact = found.get(key)
    return None if fact is None else (fact.text, fact.line)


def test_a_fact_keeps_its_number_as_written_and_its_line() -> None:
    found, problems = log(detail(result_samples_per_second=310855, result_query_count=7).encode())
    assert value(found, "result_samples_per_second") == ("310855", 7)
    assert value(found, "result_min_duration_met") == ("true", 6)
    assert value(found, "effective_scenario") == ("Offline", 2)
    assert problems == []


@pytest.mark.parametrize("prefix", ["0: ", "[1,0]<stdout>:", "2023-01-01 12:00:00 INFO ", "\x00\x00"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_lines_with_something_before_them_and_any_line_end_are_read(prefix: str, end: str) -> None:
    text = "".join(prefix + line + end for line in detail(result_samples_per_second=12.5).splitlines())
    found, problems = log(text.encode())
    assert value(found, "result_samples_per_second") == ("12.5", 7)
    assert problems == []


def test_bytes_that_are_not_utf_8_do_not_matter() -> None:
    text = b'\xff\xfe sut "M\xfcller" \n' + detail(result_samples_per_second=12.5).encode()
    assert value(log(text)[0], "result_samples_per_second") == ("12.5", 8)


def test_records_glued_to_one_line_are_both_read() -> None:
    text = record("result_validity", "VALID").rstrip() + record("result_samples_per_second", 4.5)
    found, _ = log(text.encode())
    assert value(found, "result_validity") == ("VALID", 1)
    assert value(found, "result_samples_per_second") == ("4.5", 1)


def test_a_record_that_another_breaks_into_is_a_problem_and_the_other_is_read() -> None:
    broken = record("result_samples_per_second", 4.5)[:50]
    found, problems = log((broken + record("result_validity", "VALID")).encode())
    assert value(found, "result_samples_per_second") is None
    assert value(found, "result_validity") == ("VALID", 1)
    assert [(problem.kind, problem.where.line) for problem in problems] == [("damaged-line", 1)]


def test_a_record_that_swallowed_the_head_of_the_next_does_not_take_its_value() -> None:
    head, behind = record("result_samples_per_second", 4.5).partition('", "value"')[0], record("result_query_count", 7)
    found, problems = log(f'{head}", {behind.removeprefix(":::MLLOG {")}'.encode())
    assert not found.facts
    assert [(problem.kind, problem.where.line) for problem in problems] == [("damaged-line", 1)]


def test_the_first_of_two_wins_and_a_contradiction_is_told_where_it_stands() -> None:
    found, _ = log((detail(result_samples_per_second=4.5) + record("result_samples_per_second", 9)).encode())
    fact = found.get("result_samples_per_second")
    assert fact is not None
    assert fact.text == "4.5"
    problem = found.contradiction(fact)
    assert problem is not None
    assert (problem.kind, problem.where.line) == ("contradictory-log", 8)


def test_the_same_said_twice_is_no_contradiction() -> None:
    found, problems = log((detail(result_query_count=3) * 2).encode())
    assert not found.contradicted
    assert problems == []


@pytest.mark.parametrize("text", [b"", b"\x00" * 5000, b"nothing of ours\n"])
@pytest.mark.parametrize("name", ["mlperf_log_detail.txt", "mlperf_log_summary.txt"])
def test_an_empty_or_foreign_file_is_a_problem(text: bytes, name: str) -> None:
    found, problems = log(text, name)
    assert not found.facts
    assert [problem.kind for problem in problems] == ["empty-log"]


def test_a_detail_log_of_v0_7_is_another_text_and_no_problem() -> None:
    found, problems = log(b'"pid": 53643, "tid": 53670, "ts": -249305068ns : Registered IssueQueryThread[0].\n')
    assert found.is_old
    assert problems == []


def test_a_summary_keeps_its_lines() -> None:
    text = summary(
        "SingleStream", {"90th percentile latency (ns)": 49408813, "Mean latency (ns)               ": 31}
    ) + (" * Early stopping 90th percentile estimate: 49795234\n")
    found, problems = log(text.encode(), "mlperf_log_summary.txt")
    assert value(found, "Early stopping 90th percentile estimate") == ("49795234", 12)
    assert value(found, "Mean latency (ns)") == ("31", 8)
    assert problems == []


def test_names_that_hold_another_name_are_not_taken_for_it() -> None:
    text = summary("Server", {"Completed samples per second": 3, "Scheduled samples per second ": 4})
    assert log(text.encode(), "mlperf_log_summary.txt")[0].get("Samples per second") is None


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("prefix", ["", "0: ", "[node-1] "])
def test_a_summary_with_prefixes_and_any_line_end_is_read(prefix: str, end: str) -> None:
    text = "".join(prefix + line + end for line in summary("Offline", {"Samples per second": 3.5}).splitlines())
    assert value(log(text.encode(), "mlperf_log_summary.txt")[0], "Samples per second") == ("3.5", 7)


@pytest.mark.parametrize("cut", ["Samples per second: 12345", "Samples per second: 12345\x00\x00\x00\n"])
def test_a_summary_that_ends_inside_a_number_gives_none(cut: str) -> None:
    found, problems = log(b"Scenario : Offline\n" + cut.encode(), "mlperf_log_summary.txt")
    assert found.get("Samples per second") is None
    assert [problem.kind for problem in problems] == ["damaged-line"]


def test_a_summary_of_over_a_million_bytes_is_none() -> None:
    found = list(read_summary(source([b"Scenario : Offline\n" * 60_000], "mlperf_log_summary.txt"), PLACE))
    assert [one.kind for one in found if isinstance(one, Problem)] == ["too-long"]
    assert not [one for one in found if isinstance(one, Log)]


@given(st.integers(1, 40_000), st.integers(0, 3))
def test_where_a_log_is_cut_into_pieces_changes_nothing(size: int, filler: int) -> None:
    long = record("loaded_qsl_set", list(range(3000)))
    text = (detail() + long * filler + record("result_samples_per_second", 7.25) + long).encode()
    pieces = [text[start : start + size] for start in range(0, len(text), size)]
    (found,) = [one for one in read_detail(source(pieces), PLACE) if isinstance(one, Log)]
    assert value(found, "result_samples_per_second") == ("7.25", 7 + filler)


@given(st.binary(max_size=300), st.integers(0, 600), st.booleans())
def test_no_bytes_make_a_reader_raise(junk: bytes, at: int, is_detail: bool) -> None:
    text = (detail() if is_detail else summary("Offline", {"Samples per second": 3})).encode()
    name = "mlperf_log_detail.txt" if is_detail else "mlperf_log_summary.txt"
    log(text[:at] + junk + text[at:], name)


def test_a_log_of_300_megabytes_in_endless_lines_is_read_in_small_memory() -> None:
    """As rgat's detail logs: lists of millions of samples in one line."""
    block = b"123456789, " * 95_325  # 1 MiB

    def chunks() -> Iterator[bytes]:
        yield detail().encode() + b':::MLLOG {"key": "loaded_qsl_set", "value": ['
        for _ in range(300):
            yield block
        yield b"1]}\n" + record("result_samples_per_second", 4.5).encode()

    box = Container("d", "file", Path("/nowhere/d"))
    big = Source("d", "d", box, 300 << 20, detail().encode(), box.path, chunks)
    tracemalloc.start()
    (found,) = list(read_detail(big, PLACE))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert isinstance(found, Log)
    assert value(found, "result_samples_per_second") == ("4.5", 8)
    assert peak < 8 << 20


# --- real LoadGen ---

SCENARIOS = ("SingleStream", "MultiStream", "Server", "Offline")
HEADS = {
    "SingleStream": (r"Early stopping 90.0th percentile estimate: (\d+)", 1e-6),
    "MultiStream": (r"Early stopping 99.0th percentile estimate: (\d+)", 1e-6),
    "Server": (r"Completed samples per second +: (\S+)", 1.0),
    "Offline": (r"Samples per second: (\S+)", 1.0),
}
TOKENS = {"Server": (r"Completed tokens per second: (\S+)", 1.0), "Offline": (r"Tokens per second: (\S+)", 1.0)}


def rounding(scenario: str, printed: float) -> float:
    """How far LoadGen's two logs may differ for one rate: half a unit of the last digit that each writes.

    The detail log writes six significant digits, whatever the size; a Server summary writes two places,
    the other summaries the same digits as the detail log.
    """
    return 0.005 + 0.5 * 10.0 ** (math.floor(math.log10(printed)) - 5) if scenario == "Server" else 0.0


def told(folder: Path, pattern: str) -> float:
    """What LoadGen itself says the result is."""
    match = re.search(pattern, (folder / "mlperf_log_summary.txt").read_text())
    assert match is not None, pattern
    return float(match[1])


@pytest.mark.parametrize(
    "scenario, tokens", [*((name, False) for name in SCENARIOS), *((name, True) for name in TOKENS)]
)
def test_real_loadgen_logs_give_the_score_that_loadgen_prints(tmp_path: Path, scenario: str, tokens: bool) -> None:
    model = "llama2-70b-99" if tokens else "resnet50"
    result = tmp_path / f"inference_results_v6.0/closed/Acme/results/box/{model}/{scenario}"
    folder = result / "performance/run_1"
    run_loadgen(folder, scenario, tokens=tokens)
    pattern, factor = (TOKENS if tokens else {}).get(scenario, HEADS[scenario])
    printed = told(folder, pattern) * factor
    found = Read(tmp_path)
    assert found.one.value == pytest.approx(printed, rel=1e-9, abs=rounding(scenario, printed) + 1e-9)
    assert found.one.valid is ("Result is : VALID" in (folder / "mlperf_log_summary.txt").read_text())
    assert "logs-differ" not in found.kinds
    assert found.one.where.file.endswith("mlperf_log_detail.txt")
    (folder / "mlperf_log_detail.txt").unlink()
    alone = Read(tmp_path)
    assert alone.one.value == pytest.approx(printed, rel=1e-9)
    assert alone.one.where.file.endswith("mlperf_log_summary.txt")


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_a_folder_of_loadgens_output_gives_a_figure_without_identity(tmp_path: Path, scenario: str) -> None:
    run_loadgen(tmp_path / "out", scenario)
    found = Read(tmp_path / "out")
    pattern, factor = HEADS[scenario]
    printed = told(tmp_path / "out", pattern) * factor
    assert found.one.value == pytest.approx(printed, rel=1e-9, abs=rounding(scenario, printed) + 1e-9)
    assert (found.one.submitter, found.one.system_id, found.one.round, found.one.benchmark) == (None,) * 4
    assert found.one.scenario == scenario
    assert "no-identity" in found.kinds


def test_singlestream_logs_in_the_folders_of_other_scenarios_give_inferred_results(tmp_path: Path) -> None:
    run_loadgen(tmp_path / "out", "SingleStream")
    logs = {path.name: path.read_bytes() for path in (tmp_path / "out").glob("mlperf_log_*y.txt")}
    logs |= {path.name: path.read_bytes() for path in (tmp_path / "out").glob("mlperf_log_*l.txt")}
    base = "inference_results_v6.0/closed/Acme/results/box/resnet50"
    files = {
        f"{base}/{name}/performance/run_1/{log}": text
        for name in ("Offline", "MultiStream")
        for log, text in logs.items()
    }
    found = {one.scenario: one for one in read(tmp_path, files).measurements}
    assert found["MultiStream"].value == pytest.approx(8e-6 * told(tmp_path / "out", HEADS["MultiStream"][0]), rel=1e-9)
    assert found["Offline"].value == pytest.approx(
        told(tmp_path / "out", r"QPS w/o loadgen overhead +: (\S+)"), rel=1e-5
    )
    assert {one.inferred for one in found.values()} == {True}
    assert len({one.same_runs for one in found.values()}) == 1


def test_sources_of_a_tree_are_read_from_an_archive_too(tmp_path: Path) -> None:
    (tmp_path / "inference_results_v3.1.zip").write_bytes(
        packed({path.split("/", 1)[1]: text for path, text in tree().items()})
    )
    found = Read(tmp_path / "inference_results_v3.1.zip")
    assert (found.one.round, found.one.value) == ("v3.1", 1234.56)
    assert len(list(sources(tmp_path / "inference_results_v3.1.zip"))) == 3
