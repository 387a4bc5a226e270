"""The path of a stranger: fresh clone, `make run`, open, filter, reload the link, take the CSV home."""

import re
import subprocess
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

from playwright.sync_api import Browser, Page, expect

from tests import ROOT
from tests.browser import acting, serving


def exported(clone: Path, link: str) -> bytes:
    """What the clone's own command line writes for the filters of a link."""
    command = [clone / ".venv/bin/python", "-m", "loaders", "export"]
    for name, value in parse_qsl(urlsplit(link).query, keep_blank_values=True):
        command += [f"--{name.replace('_', '-')}", value]
    return subprocess.run(command, cwd=clone, stdout=subprocess.PIPE, timeout=120, check=True).stdout


def test_a_stranger_clones_runs_filters_shares_and_takes_the_csv_home(
    page: Page, browser: Browser, tmp_path: Path
) -> None:
    clone = tmp_path / "roundtable"
    subprocess.run(["git", "clone", "--quiet", str(ROOT), str(clone)], timeout=120, check=True)
    port = serving.free_port()
    with serving.serving(["make", "run", f"PORT={port}"], port, clone, seconds=400) as address:
        acting.visit(page, address)
        assert acting.bars(page).count() > 1, "it opens on a result, not on a form"
        acting.choose(page, "Scenario", "Offline")
        acting.choose(page, "Scenario", "Server")
        expect(acting.heading(page)).to_have_text(re.compile("Dell .*Offline.*Server"))
        link, sentence = page.url, acting.heading(page).inner_text()
        page.reload()
        expect(acting.heading(page)).to_have_text(sentence)

        somebody_else = browser.new_context()
        shared = somebody_else.new_page()
        acting.visit(shared, link)
        expect(acting.heading(shared)).to_have_text(sentence)
        acting.open_download(shared)
        with shared.expect_download() as download:
            shared.get_by_role("button", name="Data as CSV").click()
        taken_home = Path(download.value.path()).read_bytes()
        somebody_else.close()

    assert taken_home == exported(clone, link)
    header, *rows = taken_home.decode("utf-8").splitlines()
    assert header.startswith("round,suite,division,availability,submitter,")
    assert len(rows) > 1
    assert all((",Offline," in row or ",Server," in row) and ",Dell," in row for row in rows)
    assert {scenario for scenario in ("Offline", "Server") if f",{scenario}," in taken_home.decode()} == {
        "Offline",
        "Server",
    }
