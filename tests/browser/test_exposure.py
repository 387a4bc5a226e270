"""The app works under the policy that it sends: every kind of file to take home or to bring.

That each page does is part of `test_deep_link`, which opens each page anyway.
"""

import hashlib
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests import ROOT
from tests.browser import acting, serving

SINGLE = "round=v3.1&suite=inference-edge&submitter=Dell&benchmark=resnet&scenario=SingleStream"
SCRIPT = """
import hashlib
import streamlit as st
from ui import uploads

for several in (False, True, "directory"):
    st.file_uploader(f"Bring {several}", accept_multiple_files=several, key=f"bring.{several}")
    if st.button(f"Read {several}"):
        with uploads.on_disk(st.session_state[f"bring.{several}"] or []) as found:
            for one in found:
                digest = hashlib.sha256(one.path.read_bytes()).hexdigest()[:12]
                st.text(f"{one.name} has {one.size} bytes, {digest}, in {one.path}")
            st.text(f"read {len(found)}")
"""
APP = """
from contextlib import asynccontextmanager
import streamlit as st
from ui import http, receiving

@asynccontextmanager
async def lifespan(_):
    async with receiving.sweeping():
        yield

app = st.App("script.py", lifespan=lifespan, routes=http.ROUTES, middleware=http.MIDDLEWARE)
"""


def test_the_browser_tells_of_a_violation(server: str, page: Page) -> None:
    page.goto(server)
    for attempt in (
        "document.head.append(Object.assign(document.createElement('script'), {textContent: 'window.taken = 1'}))",
        "document.head.append(Object.assign(document.createElement('script'), {src: 'http://127.0.0.1:9/evil.js'}))",
        "document.body.append(Object.assign(document.createElement('img'), {src: 'http://127.0.0.1:9/stolen'}))",
        "document.body.append(Object.assign(document.createElement('iframe'), {src: 'http://127.0.0.1:9/'}))",
        "fetch('http://127.0.0.1:9/stolen').catch(() => 0)",
        "setTimeout('window.taken = 1')",
    ):
        with acting.words_on_the_policy(page) as words:
            page.evaluate(attempt)
            page.wait_for_timeout(300)
        assert any(word.startswith("Violation:") for word in words), attempt
    assert page.evaluate("window.taken") is None


def test_the_icon_of_the_tab_comes_from_nowhere_else(server: str, page: Page, said: list[str]) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    acting.visit(page, server)
    assert page.locator('link[rel="shortcut icon"]').get_attribute("href", timeout=5_000)
    assert [url for url in asked if not url.startswith((server, "data:", f"blob:{server}"))] == []


def test_small_multiples_tables_and_all_files_work_under_the_policy(server: str, page: Page, said: list[str]) -> None:
    acting.visit(page, f"{server}/?round=v3.1&submitter=Dell&benchmark=resnet&scenario=SingleStream&scenario=Offline")
    expect(page.locator(".panels rect").first).to_be_visible()
    acting.open_download(page)
    take_everything_home(page)


def test_a_chart_of_plotly_works_under_the_policy(server: str, page: Page, said: list[str]) -> None:
    acting.visit(
        page, f"{server}/?round=v3.1&suite=inference-edge&submitter=Dell&benchmark=resnet&scenario=SingleStream"
    )
    expect(page.locator(".js-plotly-plot .bars path").first).to_be_visible()
    page.locator(".js-plotly-plot .bars path").first.hover(force=True)
    expect(page.locator(".hoverlayer .hovertext")).to_be_visible()
    acting.open_download(page)
    take_everything_home(page)


def take_everything_home(page: Page) -> None:
    """Click each button of the open panel and get a file that holds something."""
    starts = {"PNG": b"\x89PNG", "SVG": b"<", "Data as CSV": b"round,", "Parquet": b"PAR1"}
    for label, start in starts.items():
        with page.expect_download() as download:
            page.get_by_role("button", name=re.compile(label)).first.click()
        assert Path(download.value.path()).read_bytes().startswith(start), label
        acting.settle(page)


@pytest.fixture
def uploader(tmp_path: Path) -> Iterator[str]:
    """A page that takes files and says what it got; uploads lie in `tmp_path / "temporary"`."""
    (tmp_path / "temporary").mkdir()
    (tmp_path / "script.py").write_text(SCRIPT, encoding="utf-8")
    (tmp_path / "app.py").write_text(APP, encoding="utf-8")
    port = serving.free_port()
    command = [sys.executable, "-m", "streamlit", "run", str(tmp_path / "app.py"), "--server.port", str(port)]
    with serving.serving(["env", f"TMPDIR={tmp_path / 'temporary'}", "PYTHONPATH=.", *command], port) as address:
        yield address


def waiting(folder: Path) -> list[Path]:
    """The files that wait for a reader."""
    return [path for path in (folder / "temporary").rglob("*") if path.is_file() and path.parent.name != "temporary"]


def arrive(page: Page, folder: Path, number: int) -> None:
    """Wait until that many files wait, on the page and on disk."""
    expect(page.get_by_role("button", name=re.compile("^Remove "))).to_have_count(number)
    for _ in range(100):
        if len(waiting(folder)) == number:
            break
        page.wait_for_timeout(100)
    assert len(waiting(folder)) == number
    acting.settle(page)


def test_a_file_goes_from_the_page_to_disk_to_its_reader_and_away(
    uploader: str, page: Page, said: list[str], tmp_path: Path
) -> None:
    content = os.urandom(20_000_000)
    (tmp_path / "<b>mine & .zip").write_bytes(content)
    page.goto(uploader)
    page.locator('input[type="file"]').first.set_input_files(tmp_path / "<b>mine & .zip")
    arrive(page, tmp_path, 1)
    [path] = waiting(tmp_path)
    assert path.read_bytes() == content
    page.get_by_role("button", name="Read False").click()
    expect(page.get_by_text(f"<b>mine & .zip has 20000000 bytes, {digest(content)}, in {path}")).to_be_visible()
    acting.settle(page)
    assert not waiting(tmp_path)
    page.get_by_role("button", name="Read False").click()
    expect(page.get_by_test_id("stException")).to_be_visible()  # gone; a page of ours says it in words
    assert str(ROOT) not in page.locator("body").inner_text(), "no path of the server in an error"


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:12]


def test_several_files_and_a_removed_one(uploader: str, page: Page, said: list[str], tmp_path: Path) -> None:
    files = [tmp_path / f"result_{number}.txt" for number in range(3)]
    for number, path in enumerate(files):
        path.write_bytes(b"run" * (number + 1))
    page.goto(uploader)
    page.locator('input[type="file"]').nth(1).set_input_files(files)
    arrive(page, tmp_path, 3)
    page.get_by_role("button", name="Remove result_1.txt").click()
    arrive(page, tmp_path, 2)
    assert sorted(path.read_bytes() for path in waiting(tmp_path)) == [b"run", b"runrunrun"]
    page.get_by_role("button", name="Read True").click()
    expect(page.get_by_text("read 2")).to_be_visible()
    acting.settle(page)
    assert not waiting(tmp_path)


def test_a_folder_comes_with_its_paths_as_names(uploader: str, page: Page, said: list[str], tmp_path: Path) -> None:
    for name in ("mine/run_1/result_0.txt", "mine/run_2/result_0.txt"):
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).write_text(name)
    page.goto(uploader)
    page.locator('input[type="file"]').nth(2).set_input_files(tmp_path / "mine")
    arrive(page, tmp_path, 2)
    page.get_by_role("button", name="Read directory").click()
    for name in ("mine/run_1/result_0.txt", "mine/run_2/result_0.txt"):
        expect(page.get_by_text(f"{name} has {len(name)} bytes, {digest(name.encode())}")).to_be_visible()
    acting.settle(page)
    assert not waiting(tmp_path)
