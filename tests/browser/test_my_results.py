"""My results in a real browser: the real Dell logs, a folder, a lone summary that has to be labelled, cancel."""

import re
import zipfile
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest
from playwright.sync_api import Browser, Page, expect

from loaders import snapshot
from tests.app.test_my_results import packed
from tests.browser import acting, serving
from tests.loaders.trees import making_inference, making_training

SCORES = """
    select system_id, benchmark, value
    from results
    where round = 'v1.1' and suite = 'training' and submitter = 'Dell' and division = 'closed'
"""
OWN_SCORES = "select system_id, benchmark, value, verified from results where submitter like 'Own: %'"


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """The page of a server that keeps results per browser session, so per test; the file that holds all of them."""
    port, file = serving.free_port(), tmp_path_factory.mktemp("own") / "own.duckdb"
    settings = {"ROUNDTABLE_OWN_FILE": str(file), "ROUNDTABLE_OWN": "session"}
    with serving.serving(serving.dashboard(port), port, **settings) as address:
        yield f"{address}/my-results", file


def choose(page: Page, address: str, files: list[Path] | Path, *, is_folder: bool = False) -> None:
    """Open the page and hand files, or a folder, to its uploader."""
    page.goto(address)
    expect(acting.heading(page)).to_have_text("Your own results beside the published ones")
    acting.settle(page)
    page.locator("input[type=file]").nth(1 if is_folder else 0).set_input_files(files)


def save(page: Page) -> None:
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_test_id("stAlert")).to_have_text(re.compile("^Saved"))
    acting.settle(page)


def test_the_logs_that_dell_published_give_the_published_scores(
    own: tuple[str, Path], page: Page, shared: Path, tmp_path: Path
) -> None:
    address, file = own
    choose(page, address, shared / "training" / "Dell_training_v1.1_full_logs.zip")
    expect(acting.heading(page)).to_have_text("28 results and 180 runs in Dell_training_v1.1_full_logs.zip")
    expect(page.locator(".checks tr.met")).not_to_have_count(0)
    save(page)
    expect(acting.heading(page)).to_have_text("You have 28 own results in 1 upload")
    page.get_by_role("button", name="Download").click()
    with page.expect_download() as download:
        page.get_by_role("button", name="This upload as CSV").click()
    rows = duckdb.sql(f"select * from read_csv('{download.value.path()}')")
    ours = {(row[0], row[1]): row[2] for row in duckdb.sql("select system_id, benchmark, value from rows").fetchall()}
    assert duckdb.sql("select count(*) from rows where not verified").fetchone() == (28,)
    published = snapshot.open_snapshot().execute(SCORES).fetchall()
    theirs = {(system, benchmark): value for system, benchmark, value in published}
    assert rows.shape[0] == len(ours) == 28
    for key, value in ours.items():
        assert value == pytest.approx(theirs[key], rel=1e-4), key
    assert file.exists()


def test_a_folder_keeps_its_paths_and_the_link_opens_compare(own: tuple[str, Path], page: Page, tmp_path: Path) -> None:
    folder = tmp_path / "training_results_v1.1"
    group = making_training.group(range(100, 110), "Dell/results/XE8545x4A100-SXM-80GB/rnnt")
    making_training.write(group, folder)
    choose(page, own[0], folder, is_folder=True)
    expect(acting.heading(page)).to_have_text("1 result and 10 runs in training_results_v1.1")
    save(page)
    page.get_by_role("link", name="Compare").last.click()
    expect(acting.heading(page)).to_contain_text("XE8545x4A100-SXM-80GB")
    expect(page.get_by_text("unverified").first).to_be_visible()
    expect(page.get_by_test_id("stAlert")).to_have_count(0)


def test_a_lone_summary_is_labelled_and_saved(own: tuple[str, Path], page: Page, tmp_path: Path) -> None:
    log = tmp_path / "mlperf_log_summary.txt"
    log.write_text(making_inference.summary("Offline", {"Samples per second": 1234.56}))
    choose(page, own[0], log)
    expect(acting.heading(page)).to_have_text("1 result in mlperf_log_summary.txt")
    expect(page.get_by_role("button", name="Save", exact=True)).to_be_disabled()
    pick(page, "Round", "v3.1")
    pick(page, "Like a published system of v3.1", "XR7620_L4x1_TRT · Dell")
    expect(page.get_by_role("textbox", name="System ID")).to_have_value("XR7620_L4x1_TRT")
    pick(page, "Benchmark", "resnet")
    page.get_by_role("button", name="Apply", exact=True).click()
    acting.settle(page)
    save(page)
    expect(acting.heading(page)).to_have_text("You have 1 own result in 1 upload")
    behind = page.get_by_role("combobox", name="Behind a result")
    expect(behind).to_have_value("resnet · Offline · 1,235 samples/s (unverified) · XR7620_L4x1_TRT")


def test_ten_bare_logs_in_a_zip_stand_in_for_a_published_result_on_scaling(
    own: tuple[str, Path], page: Page, shared: Path, tmp_path: Path
) -> None:
    system, packed = "XE8545x4A100-SXM-80GB", tmp_path / "rerun.zip"
    with (
        zipfile.ZipFile(shared / "training" / "Dell_training_v1.1_full_logs.zip") as published,
        zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as rerun,
    ):
        logs = [name for name in published.namelist() if f"/{system}/rnnt/result_" in f"/{name}"]
        for name in logs:
            rerun.writestr(name.rpartition("/")[2], published.read(name))
    assert len(logs) == 10
    choose(page, own[0], packed)
    expect(acting.heading(page)).to_have_text("1 result and 10 runs in rerun.zip")
    pick(page, "Round", "v1.1")
    pick(page, "Like a published system of v1.1", f"{system} · Dell")
    expect(page.get_by_role("textbox", name="System ID")).to_have_value(system)
    page.get_by_role("button", name="Apply", exact=True).click()
    acting.settle(page)
    save(page)
    expect(page.get_by_role("combobox", name="Behind a result")).to_have_value(
        re.compile("rnnt · 106.5 min .unverified.")
    )
    page.get_by_role("link", name="Scaling", exact=True).last.click()
    expect(page.get_by_text("in place of").first).to_be_visible()
    expect(page.get_by_test_id("stAlert")).to_have_count(0)


def pick(page: Page, label: str, value: str) -> None:
    """Choose an option of a selectbox by typing it."""
    box = page.get_by_role("combobox", name=label, exact=True)
    box.click()
    box.fill(value)
    page.get_by_role("option", name=value, exact=True).first.click()
    acting.settle(page)


def test_a_reading_is_cancelled_and_leaves_nothing(own: tuple[str, Path], page: Page, tmp_path: Path) -> None:
    events = "\n".join(making_training.event("train_loss", number, number) for number in range(100_000))
    large = tmp_path / "training_results_v1.1.zip"
    with zipfile.ZipFile(large, "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(40):
            archive.writestr(f"Dell/results/XE8545/rnnt/result_{number}.txt", events)
    choose(page, own[0], large)
    expect(page.get_by_text("Reading, ")).to_be_visible()
    page.get_by_role("button", name="Cancel", exact=True).click()
    expect(page.get_by_text("Cancelled. Nothing of it was kept.")).to_be_visible()
    expect(acting.heading(page)).to_have_text("Your own results beside the published ones")


def test_a_browser_sees_its_own_results_after_a_reload_and_no_other_does_without_the_private_link(
    own: tuple[str, Path], page: Page, browser: Browser, tmp_path: Path
) -> None:
    address, _ = own
    archive = tmp_path / "training_results_v1.1.zip"
    archive.write_bytes(packed(making_training.group(range(10, 20))))
    choose(page, address, archive)
    save(page)
    page.reload()
    expect(acting.heading(page)).to_have_text("You have 1 own result in 1 upload")
    page.get_by_text("Only this browser sees these results").click()
    private = page.get_by_test_id("stCode").filter(has_text="key=").inner_text().strip()
    other = browser.new_context()
    try:
        tab = other.new_page()
        tab.goto(address)
        expect(acting.heading(tab)).to_have_text("Your own results beside the published ones")
        tab.goto(private)
        expect(acting.heading(tab)).to_have_text("You have 1 own result in 1 upload")
        expect(tab.get_by_text("Opened by a private link")).to_be_visible()
        assert "key=" not in tab.url
        tab.goto(address)
        expect(acting.heading(tab)).to_have_text("Your own results beside the published ones")
    finally:
        other.close()


BOMB = b"{" + b" " * (12 << 20)
HOSTILE = {
    "bomb.zip": ("bomb.json", BOMB, "a zip bomb?"),
    "traversal.zip": ("../../up.json", b"[]", "points out of the archive"),
    "absolute.zip": ("/root.json", b"[]", "has an absolute path"),
    "deep.zip": ("/".join("d" * 40) + "/deep.json", b"[]", "lies more than 32 folders deep"),
}


def test_archives_that_could_harm_are_refused_and_leave_nothing(
    own: tuple[str, Path], page: Page, tmp_path: Path
) -> None:
    address, file = own
    for name, (inner, content, why) in HOSTILE.items():
        archive = tmp_path / name
        with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as packing:
            packing.writestr("training_results_v1.1/Dell/results/x/rnnt/result_0.txt", making_training.log())
            packing.writestr(inner, content)
        choose(page, address, archive)
        expect(acting.heading(page)).to_have_text(f"Nothing to save in {name}")
        expect(page.get_by_test_id("stAlert")).to_contain_text(why)
        expect(page.get_by_role("button", name="Save", exact=True)).to_have_count(0)
    assert not list(tmp_path.rglob("up.json"))
    assert not Path("/root.json").exists()
    page.goto(address)
    expect(acting.heading(page)).to_have_text("Your own results beside the published ones")
    assert file.exists()
