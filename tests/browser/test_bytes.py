"""What a choice brings over the network stays within 30 KB, also in the largest views."""

from collections.abc import Callable
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page

from loaders import snapshot
from tests.bench.measuring import Relay
from tests.browser import acting

MOST = 30_000
SIX = "".join(f"&value={name}" for name in ("NVIDIA", "Dell", "Intel", "Qualcomm", "Supermicro", "HPE"))


def part(*names: str) -> Callable[[Page, int], None]:
    """Click the next part of a control whose parts are on view."""
    return lambda page, turn: (
        page.get_by_test_id("stButtonGroup").get_by_text(names[turn % len(names)], exact=True).first.click()
    )


def option(label: str, *names: str) -> Callable[[Page, int], None]:
    """Choose the next option of a select box, by typing: a list that is open closes when the page behind it changes."""

    def choose(page: Page, turn: int) -> None:
        box = page.get_by_role("combobox", name=label)
        box.fill(names[turn % len(names)])
        box.press("Enter")

    return choose


def pages(page: Page, turn: int) -> None:
    """Turn over a page of a long table."""
    name = ("Next page", "Previous page")[turn % 2]
    page.get_by_test_id("stPagination").first.get_by_role("button", name=name).click()


def table(page: Page) -> None:
    """Open the data below the chart."""
    page.get_by_text("Data as a table").first.click()


def nothing(page: Page) -> None:
    """Leave the page as its link opens it."""


def eight() -> str:
    """A link to the eight inference systems with most benchmarks and scenarios."""
    found = (
        snapshot.open_snapshot()
        .cursor()
        .execute(
            "select round, submitter, system_id from results where suite like 'inference%' and division = 'closed'"
            " and system_id is not null group by all"
            " order by count(distinct (benchmark, scenario)) desc, 1, 2, 3 limit 8"
        )
        .fetchall()
    )
    return "compare?" + "&".join(f"system=inference-{'/'.join(key)}" for key in found)


VIEWS = {
    "Round, whole: systems": ("round?round=v3.1", nothing, part("Systems", "Submitters")),
    "Round, whole: pages of systems": ("round?round=v3.1&view=systems", nothing, pages),
    "Trends, six submitters, with table": (
        f"trends?benchmark=resnet&scenario=Offline&by=submitter{SIX}",
        table,
        option("Scenario", "Server", "Offline"),
    ),
    "Compare, eight systems": ("", nothing, part("Absolute values", "Relative")),
    "Compare, eight systems: sheets": ("", nothing, part("Systems under test", "Matrix")),
    "Rankings, largest field, with table": (
        "rankings?round=v3.1&benchmark=resnet&scenario=Server",
        table,
        part("Offline", "Server"),
    ),
    "Explore, a whole suite: pages": ("?suite=training", nothing, pages),
}


@pytest.mark.parametrize("view", VIEWS)
def test_a_choice_brings_at_most_30_kb(view: str, server: str, page: Page) -> None:
    link, prepare, choose = VIEWS[view]
    with Relay(urlsplit(server).port or 0) as relay:
        page.goto(f"http://localhost:{relay.port}/{link or eight()}")
        acting.heading(page).wait_for()
        acting.settle(page)
        prepare(page)
        sent = []
        for turn in range(3):  # the first ones also fetch the front end's code for what they show
            page.wait_for_timeout(400)
            acting.settle(page)
            before = relay.count
            choose(page, turn)
            page.wait_for_timeout(400)
            acting.settle(page)
            sent.append(relay.count - before)
    assert 1_000 < sent[-1] <= MOST, sent
