"""A link to any page works as the very first request that a fresh server answers, in both modes, under its policy."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests import ROOT
from tests.browser import acting, serving

DEFAULT = "explore"
XR7620 = "inference-v3.1/Dell/XR7620_L4x1_TRT"
QUERIES = {DEFAULT: "round=v3.1&submitter=Dell&benchmark=resnet&scenario=SingleStream", "system": f"system={XR7620}"}
HEADINGS = {DEFAULT: "v3.1 .*Dell .*SingleStream", "system": "XR7620"}


@pytest.fixture(scope="module")
def port() -> int:
    """That of all fresh servers: the browser keeps the scripts that it has of an address."""
    return serving.free_port()


@pytest.mark.parametrize("name", sorted(page.stem for page in (ROOT / "pages").glob("*.py")))
def test_a_deep_link_is_the_first_request_of_a_fresh_server(page: Page, said: list[str], port: int, name: str) -> None:
    page.emulate_media(color_scheme="light")
    with serving.serving(serving.dashboard(port), port) as address:
        page.goto(f"{address}/{'' if name == DEFAULT else name.replace('_', '-')}?{QUERIES.get(name, '')}")
        expect(acting.heading(page)).to_have_text(re.compile(HEADINGS.get(name, ".")))
        acting.settle(page)
        expect(page).to_have_title("Roundtable")  # set by ui/main.py: a page that ran alone is called after its file
        expect(page.get_by_test_id("stSidebarNav")).to_have_count(0)  # Streamlit's automatic menu
        expect(page.get_by_test_id("stException")).to_have_count(0)
        expect(page.get_by_test_id("stAlert")).to_have_count(0)
        expect(page.get_by_role("dialog")).to_have_count(0)  # "Page not found"
        light = ground(page)
        page.emulate_media(color_scheme="dark")
        page.wait_for_timeout(500)  # what charts fetch once they stand
        assert ground(page) != light


def ground(page: Page) -> str:
    """The colour behind everything."""
    return str(page.evaluate("getComputedStyle(document.querySelector('[data-testid=stApp]')).backgroundColor"))


def test_every_answer_carries_the_security_headers(page: Page, server: str) -> None:
    answer = page.goto(server)
    assert answer is not None
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "frame-ancestors 'self'" in answer.headers["content-security-policy"]
    assert answer.headers["referrer-policy"] == "same-origin"
    assert page.request.get(f"{server}/healthz").text() == "ok\n"
