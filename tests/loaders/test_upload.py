"""What an upload is before it is saved: every accepted shape, what has to be said of it, and what is too much."""

import dataclasses
import io
import random
import re
import tarfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from loaders.limits import Limits
from loaders.trees.protocol import Label
from loaders.upload import UploadLimits, cleaned, inspect, label_of, preview
from mlperf.errors import LoadError
from tests import ROOT
from tests.loaders.making import FLAT, packed, summary, table
from tests.loaders.trees.making_inference import OFFLINE, RESULT, RUN, detail, tree
from tests.loaders.trees.making_inference import summary as loadgen_summary
from tests.loaders.trees.making_training import SHEET, group, log
from tests.loaders.trees.making_training_v06 import MINIGO, minigo_log
from tests.loaders.trees.making_training_v06 import log as old_log
from tests.loaders.uploading import INFERENCE, LABEL, given, only, previewed, read, ten
from tests.property.test_mutations import CASES, original

ENDPOINT = {
    "n_samples_issued": 600, "n_samples_completed": 600, "n_samples_failed": 0, "duration_ns": 2_000_000_000,
    "state": "complete", "complete": True, "latency": {"avg": 4_000_000.0}, "qps": 310.5, "tps": 1175890.25,
}  # fmt: skip
ENDPOINT_FOLDER = "inference_results_v6.1/closed/Acme/results/box/gpt-oss-120b/Offline/performance"
DETAIL = detail(result_samples_per_second=12.5)
TOKENS = detail(result_samples_per_second=12.5, result_tokens_per_second=2500.25)
TRAINING_LACKS = ("round", "division", "system_id", "accelerator", "nodes")
INFERENCE_LACKS = ("round", "division", "system_id", "benchmark", "suites", "accelerator")
PERFORMANCE = {"mlperf_log_summary.txt": OFFLINE, "mlperf_log_detail.txt": detail(result_samples_per_second=1234.56)}


def tarred(files: Mapping[str, Any]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content.encode())
            archive.addfile(info, io.BytesIO(content.encode()))
    return buffer.getvalue()


def within(folder: str, files: Mapping[str, Any]) -> dict[str, Any]:
    return {f"{folder}/{name}": content for name, content in files.items()}


# --- shapes ---


@pytest.mark.parametrize(
    "files, group_name",
    [
        ({"mlperf_log_summary.txt": OFFLINE}, "mlperf_log_summary.txt"),
        ({"mlperf_log_detail.txt": PERFORMANCE["mlperf_log_detail.txt"]}, "mlperf_log_detail.txt"),
        (PERFORMANCE, "upload"),
        (within("run_1", PERFORMANCE), "run_1"),
        (within("logs", PERFORMANCE), "logs"),
        ({"logs.zip": packed(PERFORMANCE)}, "logs.zip"),
        ({"logs.tar.gz": tarred(PERFORMANCE)}, "logs.tar.gz"),
    ],
    ids=["summary", "detail", "loose files", "run folder", "folder", "zip", "tar.gz"],
)
def test_loadgen_logs_give_a_score_and_lack_what_no_log_holds(
    tmp_path: Path, files: dict[str, Any], group_name: str
) -> None:
    found = previewed(tmp_path, files)
    entry = only(found)
    assert (entry.group, entry.kind, entry.missing) == (group_name, "inference", INFERENCE_LACKS)
    assert entry.measurement is not None
    assert (entry.measurement.value, entry.measurement.scenario) == (1234.56, "Offline")
    assert not entry.seen
    assert entry.checks
    assert (found.results, found.is_ready, found.refused, found.skipped) == (1, False, (), ())
    labelled = previewed(tmp_path, files, INFERENCE)
    (seen,) = only(labelled).seen
    assert (seen.sighting.value, seen.sighting.unit, seen.sighting.benchmark) == (1234.56, "samples/s", "resnet")
    assert (seen.sighting.round, seen.sighting.suite, seen.sighting.accelerator_count) == ("v3.1", "inference-edge", 1)
    assert (only(labelled).missing, labelled.is_ready) == ((), True)


@pytest.mark.parametrize(
    "files, group_name",
    [
        (ten(), "upload"),
        (within("rerun", ten()), "rerun"),
        ({"rerun.zip": packed(ten())}, "rerun.zip"),
        ({"rerun.tar.gz": tarred(ten())}, "rerun.tar.gz"),
        ({"rerun.zip": packed(within("rnnt", ten()))}, "rerun.zip/rnnt"),
    ],
    ids=["loose files", "folder", "zip", "tar.gz", "folder in a zip"],
)
def test_ten_training_logs_give_the_score_of_the_eight_in_the_middle(
    tmp_path: Path, files: dict[str, Any], group_name: str
) -> None:
    entry = only(previewed(tmp_path, files))
    assert entry.measurement is not None
    assert (entry.group, entry.missing) == (group_name, TRAINING_LACKS)
    assert (entry.measurement.value, entry.measurement.benchmark, len(entry.runs)) == (14.5, "rnnt", 10)
    assert [run.is_counted for run in entry.runs] == [False, *[True] * 8, False]
    (seen,) = only(previewed(tmp_path, files, LABEL)).seen
    assert (seen.sighting.value, seen.sighting.unit, seen.sighting.suite) == (14.5, "min", "training")


def test_one_training_log_is_a_run_without_a_score_that_says_why(tmp_path: Path) -> None:
    found = previewed(tmp_path, {"result_0.txt": log()})
    entry = only(found)
    assert (entry.measurement, len(entry.runs), entry.missing) == (None, 1, ("round", "system_id"))
    assert [problem.kind for problem in entry.problems] == ["no-score"]
    labelled = previewed(tmp_path, {"result_0.txt": log()}, LABEL)
    assert (labelled.results, labelled.is_ready) == (0, True)
    (run,) = only(labelled).runs
    assert (run.round, run.division, run.system_id, run.benchmark) == ("v1.1", "closed", "box", "rnnt")


def test_a_log_of_training_v0_6_names_its_round_by_its_format(tmp_path: Path) -> None:
    entry = only(previewed(tmp_path, {"result_0.txt": old_log()}))
    assert entry.missing == ("system_id",)
    (run,) = entry.runs
    assert (run.round, run.benchmark, run.minutes) == ("v0.6", "ssd", 10)


def test_a_zip_of_minigo_of_training_v0_6_scores_by_its_own_clock(tmp_path: Path) -> None:
    logs = {f"result_{at}.txt": minigo_log(seconds, at * 9000.0) for at, seconds in enumerate(MINIGO)}
    label = dataclasses.replace(LABEL, round=None, benchmark=None)
    entry = only(previewed(tmp_path, {"minigo.zip": packed(logs)}, label))
    assert entry.missing == ()
    (seen,) = entry.seen
    assert (seen.sighting.round, seen.sighting.benchmark) == ("v0.6", "minigo")
    assert seen.sighting.value == pytest.approx(sum(sorted(MINIGO)[1:-1]) / 8 / 60, rel=1e-9)


def test_training_logs_that_name_no_benchmark_are_asked_for_it_and_scored_with_it(tmp_path: Path) -> None:
    files = {name: text.replace("submission_benchmark", "other") for name, text in ten().items()}
    entry = only(previewed(tmp_path, files))
    assert (entry.measurement, entry.runs, entry.missing) == (None, (), ("benchmark",))
    assert [seen.sighting.value for seen in only(previewed(tmp_path, files, LABEL)).seen] == [14.5]


@pytest.mark.parametrize("scenario, value", [("Strong scaling", 10.0), ("Weak scaling", 5 / 40_010)])
def test_bare_logs_of_hpc_are_asked_for_their_scenario_and_scored_with_it(
    tmp_path: Path, scenario: str, value: float
) -> None:
    logs = {f"result_{number}.txt": log(10, at=10_000 * number, benchmark="deepcam") for number in range(5)}
    entry = only(previewed(tmp_path, logs))
    assert (entry.kind, entry.has_score, entry.missing) == ("hpc", False, ("round", "system_id", "scenario"))
    label = dataclasses.replace(LABEL, round="v3.0", benchmark=None, scenario=scenario)
    labelled = only(previewed(tmp_path, logs, label))
    (seen,) = labelled.seen
    assert (seen.sighting.suite, seen.sighting.scenario) == ("hpc", scenario)
    assert seen.sighting.value == pytest.approx(value)
    assert {run.scenario for run in labelled.runs} == {scenario}


@pytest.mark.parametrize("above", ["", "training_results_v1.1/"])
def test_a_part_of_a_training_tree_names_its_system_by_its_folders_and_its_sheet(tmp_path: Path, above: str) -> None:
    files = {f"{above}{name}": content for name, content in group(range(10, 20)).items()}
    found = previewed(tmp_path, files)
    entry = only(found)
    assert entry.missing == (() if above else ("round",))
    assert (len(found.sheets), found.is_ready) == (1, bool(above))
    told = label_of(entry)
    assert (told.system_id, told.division, told.accelerators_per_node) == ("XE8545", "closed", "4")


def test_a_part_of_an_inference_tree_needs_no_label(tmp_path: Path) -> None:
    found = previewed(tmp_path, {name: text for name, text in tree().items() if "accuracy" not in name})
    entry = only(found)
    assert {seen.sighting.suite for seen in entry.seen} == {"inference-edge", "inference-datacenter"}
    assert (entry.group, entry.missing, found.results, found.is_ready) == (RESULT, (), 1, True)


def test_a_power_run_has_its_power(tmp_path: Path, shared: Path) -> None:
    name = "Offline with power"
    files = {f"{CASES[name][0]}/{path}": content for path, content in original(shared, name).items()}
    (seen,) = only(previewed(tmp_path, files)).seen
    assert (seen.sighting.has_power, seen.sighting.power_unit) == (True, "W")
    assert seen.sighting.power_value


@pytest.mark.parametrize(
    "name, content",
    [("table.csv", table(FLAT)), ("summary_results.json", [summary()]), ("t.zip", packed({"a.json": [summary()]}))],
)
def test_a_table_of_mlcommons_is_read_with_its_own_labels(tmp_path: Path, name: str, content: Any) -> None:
    found = previewed(tmp_path, {name: content}, LABEL)
    assert (found.entries, found.results, found.is_ready) == ((), 1, True)
    assert {seen.sighting.submitter for seen in found.tabled} == {"Acme"}
    assert {seen.origin for seen in found.tabled} == {"own"}


def test_two_tables_that_state_one_figure_are_one_result_and_their_difference_is_told(tmp_path: Path) -> None:
    files = {"a.json": [summary()], "b.json": [summary(Performance_Result=2100.5)]}
    found = previewed(tmp_path, files)
    assert (len(found.tabled), found.results) == (2, 1)
    assert [problem.kind for problem in found.problems] == ["sources-differ"]


def test_an_endpoints_file_alone_asks_for_everything_and_is_scored_by_its_labels(tmp_path: Path) -> None:
    files = {"result_summary.json": ENDPOINT}
    entry = only(previewed(tmp_path, files))
    assert not entry.has_score
    assert {"round", "benchmark", "scenario", "suites"} <= set(entry.missing)
    label = dataclasses.replace(
        INFERENCE, round="v6.1", benchmark="gpt-oss-120b", scenario="Offline", suites="datacenter"
    )
    (seen,) = only(previewed(tmp_path, files, label)).seen
    assert (seen.sighting.value, seen.sighting.unit) == (ENDPOINT["tps"], "tokens/s")


def test_an_endpoints_file_in_its_folder_knows_what_it_is(tmp_path: Path) -> None:
    files = {f"{ENDPOINT_FOLDER}/result_summary.json": ENDPOINT}
    entry = only(previewed(tmp_path, files))
    assert entry.measurement is not None
    assert (entry.measurement.value, entry.measurement.round) == (ENDPOINT["tps"], "v6.1")
    assert entry.missing == ("suites", "accelerator")


def test_several_groups_in_one_upload_are_told_apart(tmp_path: Path) -> None:
    files = {"a/rnnt/" + name: text for name, text in ten().items()} | {
        "b.zip": packed(PERFORMANCE),
        "c.csv": table(FLAT),
        "notes.txt": "no result at all",
    }
    found = previewed(tmp_path, files)
    assert [entry.group for entry in found.entries] == ["upload/a/rnnt", "upload/b.zip"]
    assert (len(found.tabled), found.results) == (1, 3)
    assert (found.refused, found.skipped) == ((), (("upload/notes.txt", "text"),))


def test_what_is_no_log_is_skipped_or_refused_and_said(tmp_path: Path) -> None:
    found = previewed(tmp_path, {"logs.zip": packed({**PERFORMANCE, "cat.png": b"\x89PNG\r\n\x1a\n"})})
    assert [name for name, _ in found.skipped] == ["logs.zip/cat.png"]
    alone = previewed(tmp_path, {"cat.png": b"\x89PNG\r\n\x1a\n"})
    assert len(alone.refused) == 1
    assert not alone.is_ready


def test_logs_of_two_results_in_one_folder_are_not_mixed_and_what_is_left_out_is_said(tmp_path: Path) -> None:
    found = previewed(tmp_path, {**ten(), **PERFORMANCE})
    entry = only(found)
    assert entry.measurement is not None
    assert (entry.kind, entry.measurement.value, entry.runs) == ("inference", 1234.56, ())
    assert "same-folder" in {problem.kind for problem in entry.problems}


def test_logs_of_an_accuracy_run_alone_are_no_result_and_that_is_said(tmp_path: Path) -> None:
    found = previewed(tmp_path, {"up.zip": packed(within("resnet50/Offline/accuracy", PERFORMANCE))})
    assert (found.results, found.is_ready) == (0, False)
    assert [problem.kind for problem in found.problems] == ["no-result"]


# --- labels ---


def test_a_label_of_a_group_comes_before_that_of_all(tmp_path: Path) -> None:
    files = within("a", ten()) | within("b", ten(20))
    labels = {"": LABEL, "upload/b": dataclasses.replace(LABEL, system_id="other", benchmark="resnet")}
    found = preview(read(tmp_path, files), labels)
    told = [(seen.sighting.system_id, seen.sighting.benchmark) for entry in found.entries for seen in entry.seen]
    assert told[0] == ("box", "rnnt")
    assert {run.system_id for run in found.entries[1].runs} == {"other"}


def test_the_round_and_benchmark_of_a_label_decide_the_score(tmp_path: Path) -> None:
    """Tokens or samples per second of one and the same log."""
    files = {"mlperf_log_detail.txt": TOKENS}
    assert not only(previewed(tmp_path, files)).has_score
    values = {}
    for benchmark, round_id, suites in (("resnet", "v3.1", "edge"), ("llama2-70b-99", "v5.1", "datacenter")):
        label = dataclasses.replace(INFERENCE, benchmark=benchmark, round=round_id, suites=suites)
        (seen,) = only(previewed(tmp_path, files, label)).seen
        values[benchmark] = seen.sighting.value, seen.sighting.unit
    assert values == {"resnet": (12.5, "samples/s"), "llama2-70b-99": (2500.25, "tokens/s")}


def test_a_benchmark_with_fewer_runs_changes_which_are_dropped(tmp_path: Path) -> None:
    files = {name: ten()[name] for name in sorted(ten())[:5]}
    files = {name: text.replace("rnnt", "other") for name, text in files.items()}
    label = dataclasses.replace(LABEL, benchmark="resnet")
    assert [seen.sighting.value for seen in only(previewed(tmp_path, files, label)).seen] == [12.0]
    assert not only(previewed(tmp_path, files, LABEL)).seen


@pytest.mark.parametrize("change", [{"benchmark": "no such benchmark"}, {"round": "v9"}, {"suites": "moon"}])
def test_a_label_that_makes_no_sense_is_a_problem_and_no_result(tmp_path: Path, change: dict[str, str]) -> None:
    odd = dataclasses.replace(INFERENCE, **change)
    found = previewed(tmp_path, {"mlperf_log_summary.txt": OFFLINE}, odd)
    assert not only(found).seen
    assert only(found).problems
    assert (found.results, found.is_ready) == (0, False)


def test_a_round_without_suites_asks_for_none(tmp_path: Path) -> None:
    label = dataclasses.replace(INFERENCE, round="v0.5", suites=None)
    found = previewed(tmp_path, PERFORMANCE | {"mlperf_log_detail.txt": '"pid": 1, "tid": 1, "ts": 1ns : x\n'}, label)
    (seen,) = only(found).seen
    assert (only(found).missing, seen.sighting.suite) == ((), "inference")


def test_a_round_that_does_not_exist_is_asked_for_again(tmp_path: Path) -> None:
    assert only(previewed(tmp_path, ten(), dataclasses.replace(LABEL, round="v9"))).missing == ("round",)


def test_labels_stay_one_line_that_reads_from_left_to_right() -> None:
    said = cleaned(Label(system_name="a\nb\u202ec\x00" + "x" * 10_000, submitter="  ", division="closed"))
    assert said == Label(system_name="a b c " + "x" * 394, division="closed")


def test_a_system_that_has_a_name_and_no_id_is_that_of_its_runs_too(tmp_path: Path) -> None:
    label = dataclasses.replace(LABEL, system_id=None, system_name="My box")
    entry = only(previewed(tmp_path, ten(), label))
    assert {run.system_id for run in entry.runs} == {"My box"}


# --- identity ---


def test_the_same_files_in_any_order_are_the_same_upload(tmp_path: Path) -> None:
    one = read(tmp_path / "1", within("a", ten()))
    other = read(tmp_path / "2", dict(reversed(within("b", ten()).items())))
    assert one.sha256 == other.sha256
    assert one.sha256 != read(tmp_path / "3", within("a", ten(11))).sha256
    assert (one.name, one.bytes) == ("a", sum(len(text) for text in ten().values()))


def test_a_name_that_two_files_have_is_told_and_the_first_is_read(tmp_path: Path) -> None:
    files = [*given(tmp_path / "1", {"result_0.txt": log()}), *given(tmp_path / "2", {"result_0.txt": log(20)})]
    found = preview(inspect(files))
    assert [problem.kind for problem in found.refused] == ["same-name"]
    (run,) = only(found).runs
    assert run.minutes in (10, 20)


@pytest.mark.parametrize("name", ["gnp.\u202etxt", "\u200fresult.txt", "\u2067a\u2069.txt"])
@pytest.mark.parametrize("packing", ["", "zip", "tar"])
def test_marks_that_turn_a_name_are_shown_as_text_and_cost_nothing(tmp_path: Path, name: str, packing: str) -> None:
    """Also of the folder: Windows puts such marks into names that are copied from its dialogs."""
    files: dict[str, Any] = {f"up\u202a/rnnt/{path}": text for path, text in ten().items()}
    files[f"up\u202a/rnnt/{name}"] = "notes"
    if packing:
        content = packed(files) if packing == "zip" else tarred(files)
        files = {f"my\u202elogs.{packing}": content}
    found = preview(read(tmp_path, files), {"": LABEL})
    assert only(found).has_score
    assert not found.refused
    told = [only(found).group, *(path for path, _ in found.skipped), *(run.where.file for run in only(found).runs)]
    assert len(found.skipped) == 1
    assert all(text.isprintable() for text in told)
    assert "up(U+202A)" in only(found).group


@pytest.mark.parametrize(
    "name",
    ["../up.txt", "/etc/passwd", "a\x00b.txt", "a\u2028b.txt", "x" * 10_000, "C:\\a.txt", "/".join("d" * 40), ""],
)
def test_an_unsafe_name_is_told_as_plain_text_and_reaches_no_disk(tmp_path: Path, name: str) -> None:
    inside = set(tmp_path.rglob("*"))
    found = preview(read(tmp_path / "given", {name: log(), "result_1.txt": log(11)}))
    assert len(only(found).runs) == 1
    (refused,) = found.refused
    assert str(refused).isprintable()
    assert len(str(refused)) < 400
    assert {path.name for path in set(tmp_path.rglob("*")) - inside} == {"given", "0.upload", "1.upload"}


@pytest.mark.parametrize("name", ["<b>a</b>.txt", "=1+1.txt", "a" * 900 + ".txt", "\udcff.txt"])
def test_an_odd_name_is_the_uploads_name_on_one_short_line(tmp_path: Path, name: str) -> None:
    found = read(tmp_path, {name: log()})
    assert found.name.isprintable()
    assert len(found.name) <= 120
    assert found.name.encode()


# --- limits ---

SMALL = Limits(members=20, member_bytes=1 << 20, unpacked_bytes=2 << 20, ratio=100, ratio_from=1 << 16)


def refusal(folder: Path, files: dict[str, Any], **limits: Any) -> LoadError:
    with pytest.raises(LoadError) as caught:
        read(folder, files, UploadLimits(**{"files": SMALL, **limits}))
    assert "Nothing was stored." in caught.value.fix
    return caught.value


def test_more_bytes_than_an_upload_may_have_are_refused_before_anything_is_read(tmp_path: Path) -> None:
    assert "an upload may have 100" in refusal(tmp_path, {"result_0.txt": log()}, upload_bytes=100).found


def test_more_files_than_an_upload_may_have_are_refused_over_several_archives(tmp_path: Path) -> None:
    files = {f"{number}.zip": packed(within(str(number), ten())) for number in range(3)}
    assert "more than 20 files" in refusal(tmp_path, files).found
    assert "more than 20 files" in refusal(tmp_path, {f"{number}.txt": "a" for number in range(21)}).found


def test_more_bytes_than_an_upload_may_unpack_to_are_refused_over_several_archives(tmp_path: Path) -> None:
    text = "".join(random.Random(1).choices("abcdefgh ", k=900_000))
    files = {f"{number}.zip": packed({"result_0.txt": log() + text}) for number in range(3)}
    assert "unpacks to more" in refusal(tmp_path, files).found


@pytest.mark.parametrize(
    "content",
    [
        packed({"result_0.txt": log(), "bomb.txt": "a" * (900 << 10)}),
        packed({"result_0.txt": log(), "large.txt": bytes(range(256)) * (5 << 10)}),
        packed({"result_0.txt": log(), "../up.txt": log()}),
        packed({f"{number}/result_0.txt": log() for number in range(21)}),
    ],
    ids=["ratio", "size", "traversal", "members"],
)
def test_an_archive_over_a_limit_gives_nothing(tmp_path: Path, content: bytes) -> None:
    found = preview(inspect(given(tmp_path, {"m.zip": content}), UploadLimits(files=SMALL)))
    assert (found.entries, found.tabled, found.is_ready) == ((), (), False)
    assert [problem.kind for problem in found.refused] == ["unsafe-archive"]


def test_progress_is_told_and_what_it_raises_ends_the_reading(tmp_path: Path) -> None:
    heard: list[tuple[int, int]] = []
    found = read(tmp_path, ten(), on_progress=lambda done, total: heard.append((done, total)))
    assert heard[-1] == (found.bytes, found.bytes)
    assert heard == sorted(heard)

    class Cancelled(Exception):
        pass

    def cancel(done: int, total: int) -> None:
        raise Cancelled

    with pytest.raises(Cancelled):
        read(tmp_path, ten(), on_progress=cancel)


def test_reading_leaves_the_files_as_they_were(tmp_path: Path) -> None:
    files = given(tmp_path, {"a.zip": packed(ten()), "b.json": [summary()]})
    before = [path.read_bytes() for path, _ in files]
    preview(inspect(files), {"": LABEL})
    assert [path.read_bytes() for path, _ in files] == before
    assert len(list(tmp_path.iterdir())) == 2


def test_a_preview_may_be_asked_again_and_again(tmp_path: Path) -> None:
    found = read(tmp_path, within("training_results_v1.1", group(range(10, 20))) | {"c.csv": table(FLAT)})
    first = preview(found, {"": LABEL})
    assert preview(found, {"": LABEL}) == first
    assert preview(found) != first
    assert preview(found, {"": LABEL}) == first


def test_files_beside_a_sheet_of_a_system_take_its_word(tmp_path: Path) -> None:
    files = {"systems/XE8545.json": SHEET, **{f"results/XE8545/rnnt/{name}": text for name, text in ten().items()}}
    entry = only(previewed(tmp_path, files))
    assert entry.missing == ("round",)
    assert entry.measurement is not None
    assert entry.measurement.accelerator == SHEET["accelerator_model_name"]


def test_an_invalid_run_is_kept_and_marked(tmp_path: Path) -> None:
    text = loadgen_summary("Offline", {"Samples per second": 5.5}, valid="INVALID")
    entry = only(previewed(tmp_path, {"mlperf_log_summary.txt": text}, INFERENCE))
    assert [seen.sighting.valid for seen in entry.seen] == [False]
    assert "invalid-result" in {problem.kind for problem in entry.problems}


def test_accuracy_logs_alone_are_no_result_and_say_so(tmp_path: Path) -> None:
    name = f"{RUN.rpartition('/performance')[0]}/accuracy/accuracy.txt"
    found = previewed(tmp_path, {name: "accuracy=76.064%, good=38032, total=50000\nhash=aa\n"}, INFERENCE)
    assert (found.results, found.is_ready) == (0, False)
    assert "missing-log" in {problem.kind for entry in found.entries for problem in entry.problems}


# --- the README's table ---

README = (ROOT / "README.md").read_text(encoding="utf-8")
ROWS = re.findall(r"^\| (.+?) \| ", README.partition("| upload | ")[2].partition("\n\n")[0], flags=re.MULTILINE)
POWER = "a power run with `spl.txt`"
SHAPES: dict[str, tuple[dict[str, Any], Label | None, int, int]] = {
    "one `mlperf_log_summary.txt`": ({"mlperf_log_summary.txt": OFFLINE}, INFERENCE, 1, 0),
    "one `mlperf_log_detail.txt`": ({"mlperf_log_detail.txt": DETAIL}, INFERENCE, 1, 0),
    "LoadGen's output folder": (within("logs", PERFORMANCE), INFERENCE, 1, 0),
    POWER: ({}, None, 1, 0),
    "one `result_*.txt` of a training run": ({"result_0.txt": ten()["result_0.txt"]}, LABEL, 0, 1),
    "a `.zip` of a benchmark's `result_*.txt`": ({"rerun.zip": packed(ten())}, LABEL, 1, 10),
    "a part of a submission tree with `systems/*.json`": (dict(tree()), None, 1, 0),
    "an MLCommons results table": ({"table.csv": table(FLAT)}, None, 1, 0),
    'an "endpoints" `result_summary.json` (inference v6.1)': (
        {"result_summary.json": ENDPOINT},
        dataclasses.replace(INFERENCE, round="v6.1", benchmark="gpt-oss-120b", scenario="Offline", suites="datacenter"),
        1,
        0,
    ),
}


def test_the_table_of_the_readme_names_every_shape() -> None:
    assert set(ROWS) == set(SHAPES)


@pytest.mark.parametrize("row", ROWS)
def test_a_shape_of_the_readme_gives_what_it_says(tmp_path: Path, row: str, request: pytest.FixtureRequest) -> None:
    files, label, results, runs = SHAPES[row]
    if row == POWER:
        name = "Offline with power"
        logs = original(request.getfixturevalue("shared"), name)
        files = {f"{CASES[name][0]}/{path}": content for path, content in logs.items()}
    found = previewed(tmp_path, files, label)
    assert (found.results, sum(len(entry.runs) for entry in found.entries)) == (results, runs)
    assert found.is_ready
    assert row != POWER or only(found).seen[0].sighting.power_value
