"""How fast a filter change redraws Explore, side by side with the emptiest Streamlit app: a table, no assertion."""

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from tests.bench.measuring import Meter, Redraw
from tests.browser import acting, serving

ROUNDS = 20
WARM_UP = 3
VIEWS = {  # what is looked at, its link, and the filter value that is chosen and taken away in turn
    "one benchmark and scenario: ranked bars": (
        "?round=v3.1&suite=inference-datacenter&division=closed&submitter=Dell&benchmark=resnet&scenario=Offline",
        "Submitter",
        "HPE",
    ),
    "landing page: small multiples": ("", "Scenario", "Offline"),
}


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with serving.chromium_browser() as running:
        yield running


def empty_app(port: int) -> list[str]:
    """Streamlit as it comes, but for what would open a browser or call home."""
    script = Path(__file__).parent / "empty_app.py"
    options = ["--server.headless=true", "--browser.gatherUsageStats=false", f"--server.port={port}"]
    return [sys.executable, "-m", "streamlit", "run", str(script), *options]


def opened(browser: Browser, link: str) -> tuple[Page, Meter]:
    """A page in a profile of its own, drawn and quiet."""
    page = browser.new_context(viewport={"width": 1280, "height": 900}).new_page()
    meter = Meter(page)
    acting.visit(page, link)
    page.wait_for_timeout(1000)
    return page, meter


def empty_choice(page: Page, turn: int) -> tuple[Callable[[], Any], Callable[[], Any]]:
    """Open the select box; click another option."""
    option = page.get_by_role("option", name=str(2 + turn % 7), exact=True)
    return page.get_by_role("combobox").click, option.click


def explore_choice(page: Page, turn: int, label: str, value: str) -> tuple[Callable[[], Any], Callable[[], Any]]:
    """Open a filter and click a value; in the next turn take it away again."""
    if turn % 2:
        chosen = page.get_by_test_id("stMultiSelect").filter(has_text=label)
        # A click elsewhere first: it takes the focus, on which the box rearranges itself under the pointer.
        return acting.heading(page).click, chosen.get_by_role("button", name=f"Remove {value}").last.click
    return lambda: acting.options_of(page, label), page.get_by_role("option", name=value).click


def table(name: str, empty: list[Redraw], explore: list[Redraw]) -> str:
    """Medians of both sides and their ratio, as lines of text."""
    lines = [
        f"\n{name} ({len(empty)} choices each, one after the other)",
        f"{'':34}{'empty':>10}{'Explore':>10}{'ratio':>8}",
    ]
    for title, field in (
        ("everything painted, ms", "all_ms"),
        ("chart painted, ms", "chart_ms"),
        ("received, bytes", "received_bytes"),
        ("sent, bytes", "sent_bytes"),
    ):
        ours, theirs = (median(getattr(redraw, field) for redraw in side) for side in (explore, empty))
        lines.append(f"{title:34}{theirs:10,.0f}{ours:10,.0f}{ours / theirs:8.2f}")
    return "\n".join(lines)


@pytest.mark.parametrize("view", VIEWS)
def test_redraw(view: str, browser: Browser, tmp_path: Path) -> None:
    link, label, value = VIEWS[view]
    empty_port, explore_port = serving.free_port(), serving.free_port()
    with ExitStack() as servers:
        empty = servers.enter_context(serving.serving(empty_app(empty_port), empty_port, tmp_path))
        explore = servers.enter_context(serving.serving(serving.dashboard(explore_port), explore_port))
        pages = [
            (*opened(browser, empty), empty_choice),
            (*opened(browser, f"{explore}/{link}"), partial(explore_choice, label=label, value=value)),
        ]
        measured: list[list[Redraw]] = [[], []]
        for turn in range(WARM_UP + ROUNDS):
            for side, (page, meter, choice) in enumerate(pages):
                redraw = meter.redraw(*choice(page, turn))
                page.keyboard.press("Escape")
                page.wait_for_timeout(200)
                if turn >= WARM_UP:
                    measured[side].append(redraw)
    print(table(view, *measured))
