"""One server and one Chromium for all browser tests; a fresh profile for each."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page

from tests.browser import serving


@pytest.fixture(scope="session")
def server() -> Iterator[str]:
    """The address of the dashboard, started as `make run` starts it."""
    port = serving.free_port()
    with serving.serving(serving.dashboard(port), port) as address:
        yield address


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """A running headless Chromium."""
    with serving.chromium_browser() as running:
        yield running


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A tab in a profile of its own; the test fails when a script on the page raised something."""
    context = browser.new_context(viewport={"width": 1280, "height": 900}, locale="en-GB", timezone_id="UTC")
    context.set_default_timeout(20_000)
    faults: list[str] = []
    tab = context.new_page()
    tab.on("pageerror", lambda error: faults.append(str(error)))
    yield tab
    context.close()
    assert not faults, faults
