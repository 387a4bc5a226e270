"""How fast a choice redraws a page, side by side with the emptiest Streamlit app: tables, no assertion."""

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from tests.bench.measuring import Meter, Redraw, Relay
from tests.browser import acting, serving

ROUNDS = 20
WARM_UP = 3
MOST_RECEIVED = 30_000
"""Bytes that a choice may bring over the network."""

Clicks = tuple[Callable[[], Any], Callable[[], Any]]
"""What opens the list, which is not measured, and what chooses."""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with serving.chromium_browser() as running:
        yield running


def empty_app(port: int) -> list[str]:
    """Streamlit as it comes, but for what would open a browser or call home."""
    script = Path(__file__).parent / "empty_app.py"
    options = ["--server.headless=true", "--browser.gatherUsageStats=false", f"--server.port={port}"]
    return [sys.executable, "-m", "streamlit", "run", str(script), *options]


def opened(browser: Browser, relay: Relay, link: str) -> tuple[Page, Meter]:
    """A page in a profile of its own, drawn and quiet, seen through a relay that counts bytes."""
    page = browser.new_context(viewport={"width": 1280, "height": 900}).new_page()
    meter = Meter(page, relay)
    acting.visit(page, f"http://localhost:{relay.port}/{link}")
    page.wait_for_timeout(1000)
    return page, meter


def empty_choice(page: Page, turn: int) -> Clicks:
    """Open the select box; click another option."""
    option = page.get_by_role("option", name=str(2 + turn % 7), exact=True)
    return page.get_by_role("combobox").click, option.click


def explore_choice(page: Page, turn: int, label: str, value: str) -> Clicks:
    """Open a filter and click a value; in the next turn take it away again."""
    if turn % 2:
        chosen = page.get_by_test_id("stMultiSelect").filter(has_text=label)
        # A click elsewhere first: it takes the focus, on which the box rearranges itself under the pointer.
        return acting.heading(page).click, chosen.get_by_role("button", name=f"Remove {value}").last.click
    return lambda: acting.options_of(page, label), page.get_by_role("option", name=value).click


def switch(page: Page, turn: int, label: str) -> Clicks:
    """Turn a switch on; in the next turn off."""
    return acting.heading(page).hover, page.get_by_text(label, exact=True).click


def segment(page: Page, turn: int, names: tuple[str, ...]) -> Clicks:
    """Click the next part of a control whose parts are all on view; the first one is chosen at first."""
    parts = page.get_by_test_id("stButtonGroup")
    return acting.heading(page).hover, parts.get_by_text(names[(turn + 1) % len(names)], exact=True).click


def option(page: Page, turn: int, label: str, names: tuple[str, ...]) -> Clicks:
    """Open a select box; click the next of the options, of which the first is chosen at first."""
    wanted = page.get_by_role("option", name=names[(turn + 1) % len(names)], exact=True)
    return page.get_by_role("combobox", name=label).click, wanted.click


VIEWS = {  # what is looked at, its link, and the choice that is made and taken back in turn
    "Explore, one benchmark and scenario: ranked bars": (
        "?round=v3.1&suite=inference-datacenter&division=closed&submitter=Dell&benchmark=resnet&scenario=Offline",
        partial(explore_choice, label="Submitter", value="HPE"),
    ),
    "Explore, landing page: small multiples": ("", partial(explore_choice, label="Scenario", value="Offline")),
    "Compare, two edge servers: per accelerator": ("compare", partial(switch, label="Per accelerator (derived)")),
    "Scaling, R750xa: minutes, speed-up": (
        "scaling?round=v1.1&server=R750xa",
        partial(segment, names=("Minutes", "Speed-up")),
    ),
    "Runs, two systems: minutes, over the mean": (
        "runs?system=training-v1.1/Dell/R750xax4A100-PCIE-80GB&system=training-v1.1/Dell/XE8545x4A100-SXM-80GB&benchmark=resnet",
        partial(segment, names=("Minutes", "Over the mean")),
    ),
    "Power, XR5610 in two rounds: ratios, systems": ("power", partial(segment, names=("Between rounds", "Systems"))),
    "Rankings, ResNet-50: Server, Offline": (
        "rankings?round=v3.1&benchmark=resnet&scenario=Server",
        partial(segment, names=("Server", "Offline")),
    ),
    "Trends, families: Offline, Server": (
        "trends?benchmark=resnet&scenario=Offline",
        partial(option, label="Scenario", names=("Offline", "Server")),
    ),
    "Round, v3.1: submitters, benchmarks": ("round?round=v3.1", partial(segment, names=("Submitters", "Benchmarks"))),
    "Sizing, ResNet-50: systems, accelerators": (
        "sizing?round=v3.1&benchmark=resnet&scenario=Server&rate=1000000",
        partial(segment, names=("Systems", "Accelerators")),
    ),
}


def table(name: str, empty: list[Redraw], ours: list[Redraw]) -> str:
    """Medians of both sides and their ratio, as lines of text."""
    lines = [
        f"\n{name} ({len(empty)} choices each, one after the other)",
        f"{'':34}{'empty':>10}{'ours':>10}{'ratio':>8}",
    ]
    for title, field in (
        ("everything painted, ms", "all_ms"),
        ("chart painted, ms", "chart_ms"),
        ("received, bytes", "received_bytes"),
        ("received over the network, bytes", "wire_bytes"),
        ("sent, bytes", "sent_bytes"),
    ):
        here, there = (median(getattr(redraw, field) for redraw in side) for side in (ours, empty))
        lines.append(f"{title:34}{there:10,.0f}{here:10,.0f}{here / there:8.2f}")
    most = max(redraw.wire_bytes for redraw in ours)
    lines.append(
        f"{'over the network at most, bytes':34}{MOST_RECEIVED:10,}{most:10,}{most / MOST_RECEIVED:8.2f}  (of all)"
    )
    return "\n".join(lines)


@pytest.mark.parametrize("view", VIEWS)
def test_redraw(view: str, browser: Browser, tmp_path: Path) -> None:
    link, our_choice = VIEWS[view]
    empty_port, our_port = serving.free_port(), serving.free_port()
    with ExitStack() as servers:
        servers.enter_context(serving.serving(empty_app(empty_port), empty_port, tmp_path))
        servers.enter_context(serving.serving(serving.dashboard(our_port), our_port))
        empty, ours = (servers.enter_context(Relay(port)) for port in (empty_port, our_port))
        pages = [
            (*opened(browser, empty, ""), empty_choice),
            (*opened(browser, ours, link), our_choice),
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
