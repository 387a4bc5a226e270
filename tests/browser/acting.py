"""What a reader does on the Explore page, for the browser tests and the bench."""

import re

from playwright.sync_api import Locator, Page, expect

expect.set_options(timeout=30_000)  # a cold browser on two busy cores takes seconds


def visit(page: Page, link: str) -> None:
    """Open a link and wait until the page has answered with a chart."""
    page.goto(link)
    expect(marks(page).first).to_be_visible()
    settle(page)


def settle(page: Page) -> None:
    """Wait until the server has nothing more to say."""
    expect(page.locator('[data-testid="stApp"][data-test-script-state="notRunning"]')).to_be_attached()


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
