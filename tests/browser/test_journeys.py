"""Three readers with a question each: the answer within three clicks of the landing page, as views.md asks."""

import csv
import re
from pathlib import Path

from playwright.sync_api import Page, expect

from loaders import snapshot
from mlperf.gallery import gallery
from tests.browser import acting

MOST_CLICKS = 3


class Reader:
    """Clicks, and counts them."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.clicks = 0

    def click(self, role: str, name: str) -> None:
        """One click on the first thing of that role and name; then the page answers."""
        self.page.get_by_role(role, name=name).first.click()  # type: ignore[arg-type]
        self.clicks += 1
        assert self.clicks <= MOST_CLICKS
        acting.settle(self.page)


def test_an_architect_compares_two_edge_servers_and_cites_them(server: str, page: Page) -> None:
    acting.visit(page, server)
    reader = Reader(page)
    reader.click("link", "Gallery")
    reader.click("link", "XR4520c against XR7620")
    ratio = re.compile(r"XR4520c_L4x1_TRT \d\.\d\d× the performance of XR7620_L4x1_TRT")
    expect(acting.heading(page)).to_have_text(ratio)
    reader.click("button", "Cite")
    cited = page.get_by_test_id("stCode").first
    for words in (
        "MLPerf®",
        "XR7620_L4x1_TRT",
        "XR4520c_L4x1_TRT",
        "Result verified by MLCommons",
        "0.344907",
        "not official",
    ):
        expect(cited).to_contain_text(words)


def test_an_engineer_finds_the_efficiency_of_eight_nodes_and_its_reason(server: str, page: Page) -> None:
    minutes = dict(
        snapshot.open_snapshot()
        .cursor()
        .execute(
            "select nodes, value from results where round = 'v1.1' and suite = 'training' and benchmark = 'resnet'"
            " and system_id in ('R750xax4A100-PCIE-80GB', '8xR750xax4A100-PCIE-80GB')"
        )
        .fetchall()
    )
    efficiency = 100 * minutes[1] / minutes[8] / 8
    acting.visit(page, server)
    reader = Reader(page)
    reader.click("link", "Gallery")
    reader.click("link", "R750xa, ResNet-50, 1 to 8 nodes")
    main = page.get_by_test_id("stMain")
    expect(main).to_contain_text(f"{efficiency:.1f}")
    expect(main).to_contain_text("epoch")


def test_a_writer_sees_who_is_first_and_takes_the_figures_along(server: str, page: Page) -> None:
    first = (
        snapshot.open_snapshot()
        .cursor()
        .execute(
            "select submitter, server, value from results where round = 'v3.1' and suite = 'inference-datacenter'"
            " and benchmark = 'resnet' and scenario = 'Server' and division = 'closed' and availability = 'available'"
            " and not has_power order by value desc limit 1"
        )
        .fetchone()
    )
    assert first is not None
    acting.visit(page, server)
    reader = Reader(page)
    reader.click("link", "Gallery")
    reader.click("link", "Who is first in ResNet-50, Server?")
    expect(acting.heading(page)).to_contain_text(f"1st {first[0]} {first[1]}")
    expect(acting.heading(page)).to_contain_text(f"{first[2]:,.0f} queries/s")
    assert reader.clicks < MOST_CLICKS
    # Taking the figures home is no part of that journey, and has clicks of its own.
    acting.open_download(page)
    with page.expect_download() as download:
        page.get_by_role("button", name="Data as CSV").click()
    with Path(download.value.path()).open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert float(rows[0]["value"]) == first[2]


def test_every_figure_of_the_gallery_opens_without_a_fault(server: str, page: Page) -> None:
    page.goto(f"{server}/gallery")
    for figure in (figure for article in gallery() for figure in article.figures):
        page.get_by_role("link", name=figure.title, exact=True).click()
        expect(acting.heading(page)).not_to_have_text("Figures that people ask for")
        acting.settle(page)
        expect(page.get_by_test_id("stException")).to_have_count(0)
        expect(page.get_by_test_id("stAlertContentError")).to_have_count(0)
        shown = page.locator(".js-plotly-plot, [data-testid=stDataFrame], .panels").first
        expect(shown).to_be_visible()
        page.get_by_role("link", name="Gallery", exact=True).click()
        expect(acting.heading(page)).to_have_text("Figures that people ask for")
