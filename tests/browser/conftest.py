"""One server and one Chromium for all browser tests of a process; a tab and no cookies of others for each test."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from tests.browser import acting, serving


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


@pytest.fixture(scope="session")
def profile(browser: Browser) -> Iterator[BrowserContext]:
    """The profile of the one tab that tests share."""
    context = browser.new_context(viewport=acting.DESK, locale="en-GB", timezone_id="UTC")
    context.set_default_timeout(20_000)
    context.add_init_script(acting.WATCH)
    yield context
    context.close()


@pytest.fixture
def page(profile: BrowserContext) -> Iterator[Page]:
    """A tab as if new: no cookie, nothing stored. The test fails when a script on the page raised something.

    It is the tab of the test before: a page whose scripts it has run is drawn in a third of the time.
    """
    faults: list[str] = []

    def note(error: object) -> None:
        faults.append(str(error))

    tab = next(iter(profile.pages), None) or profile.new_page()
    tab.set_viewport_size(acting.DESK)
    tab.emulate_media(color_scheme="light")
    tab.on("pageerror", note)
    yield tab
    tab.remove_listener("pageerror", note)
    for other in profile.pages[1:]:
        other.close()
    tab.unroute_all()
    if tab.url.startswith("http"):
        tab.evaluate("localStorage.clear(); sessionStorage.clear()")
    profile.clear_cookies()
    assert not faults, faults


@pytest.fixture
def said(page: Page) -> Iterator[list[str]]:
    """What the browser says of the policy while the test runs; the test fails when it says anything."""
    with acting.words_on_the_policy(page) as words:
        yield words
    assert not words, words
