"""What a reader does on a page, and what the browser says meanwhile; for the browser tests and the bench."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, Literal

from playwright.sync_api import ConsoleMessage, Locator, Page, ViewportSize, expect

expect.set_options(timeout=30_000)  # a cold browser on two busy cores takes seconds

Scheme = Literal["light", "dark"]

DESK: Final[ViewportSize] = {"width": 1280, "height": 900}
PHONE: Final[ViewportSize] = {"width": 390, "height": 844}

SPOKEN: Final = re.compile("Content.Security.Policy|Permissions.Policy|Violation:|Refused to|[Bb]locked")
WATCH: Final = """
document.addEventListener("securitypolicyviolation", (event) => {
  console.error(`Violation: ${event.violatedDirective} ${event.blockedURI} ${event.sourceFile}:${event.lineNumber}`);
});
"""


def visit(page: Page, link: str) -> None:
    """Open a link and wait until the page has answered with a chart."""
    page.goto(link)
    expect(marks(page).first).to_be_visible()
    settle(page)


def settle(page: Page) -> None:
    """Wait until the server has nothing more to say."""
    page.locator('[data-testid="stApp"][data-test-script-state="notRunning"]').wait_for(state="attached")


def bars(page: Page) -> Locator:
    """The bars of the chart: Plotly's, or those of the small multiples."""
    return page.locator(".js-plotly-plot .bars path, .panels rect")


def marks(page: Page) -> Locator:
    """The bars and points of all charts."""
    return bars(page).or_(page.locator(".js-plotly-plot .points path"))


def open_filter(page: Page, label: str) -> None:
    """Open a filter, where another one or none is open."""
    if not page.get_by_role("combobox", name=label, exact=True).count():
        page.get_by_test_id("stButtonGroup").get_by_text(label).click()
        expect(page.get_by_role("combobox", name=label, exact=True)).to_be_visible()
        settle(page)


def options_of(page: Page, label: str) -> Locator:
    """Open a filter and its list."""
    open_filter(page, label)
    page.get_by_role("combobox", name=label, exact=True).click()
    options = page.get_by_role("option")
    expect(options.first).to_be_visible()
    return options


def choose(page: Page, label: str, value: str) -> None:
    """Choose a value in a filter, close the list and wait for the answer."""
    options_of(page, label).filter(has_text=re.compile(rf"^{re.escape(value)}\b")).first.click()
    page.keyboard.press("Escape")
    settle(page)


def mark_first_row(page: Page) -> None:
    """Mark the first row of the table of results, whose boxes are drawn on a canvas: a click where the first one is."""
    table = page.get_by_test_id("stDataFrame").first
    table.scroll_into_view_if_needed()
    table.click(position={"x": 18, "y": 55})
    expect(page.get_by_role("tab").first).to_be_visible()
    settle(page)


def open_download(page: Page) -> None:
    """Open the panel that holds the files."""
    page.get_by_role("button", name="Download", exact=True).click()
    expect(page.get_by_role("button", name="Data as CSV")).to_be_visible()
    settle(page)


def cell(place: Locator, text: str) -> Locator:
    """The first cell with a text in a table: drawn on a canvas, but its copy for screen readers holds the cells."""
    return place.locator("canvas td").filter(has_text=re.compile(rf"^{re.escape(text)}$")).first


def heading(page: Page) -> Locator:
    """The sentence over the answer, which says what was chosen."""
    return page.get_by_role("heading", level=1)


@contextmanager
def words_on_the_policy(page: Page) -> Iterator[list[str]]:
    """What the browser says of the content security policy meanwhile; `WATCH` makes it tell of each violation."""
    words: list[str] = []

    def note(message: ConsoleMessage) -> None:
        if SPOKEN.search(message.text):
            words.append(message.text)

    page.on("console", note)
    yield words
    page.remove_listener("console", note)
