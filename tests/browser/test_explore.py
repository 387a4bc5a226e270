"""Explore in a real browser: links, history, warnings, downloads, the More panel, the width of a phone."""

from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Page, expect

from loaders import snapshot
from mlperf import export, queries
from mlperf.filters import Filters
from tests.browser import acting
from ui import tables

XR7620 = "?round=v3.1&system_id=XR7620_L4x1_TRT&benchmark=resnet&scenario=SingleStream"


def query(page: Page) -> dict[str, list[str]]:
    """The parameters that the address bar shows."""
    return parse_qs(urlsplit(str(page.evaluate("location.href"))).query)


def test_a_filter_is_the_link_and_survives_reload_and_history(server: str, page: Page) -> None:
    acting.visit(page, server)
    landing = acting.heading(page).inner_text()
    acting.choose(page, "Scenario", "Offline")
    expect(acting.heading(page)).to_contain_text("Dell · Offline")
    offline = query(page)
    assert offline["scenario"] == ["Offline"]
    page.reload()
    expect(acting.heading(page)).to_contain_text("Dell · Offline")
    assert query(page) == offline
    page.go_back()
    expect(acting.heading(page)).to_have_text(landing)
    assert query(page) == {}
    page.go_forward()
    expect(acting.heading(page)).to_contain_text("Dell · Offline")


def test_one_click_clears_and_says_so_in_the_link(server: str, page: Page) -> None:
    acting.visit(page, server)
    page.get_by_role("button", name="Clear", exact=True).click()
    expect(acting.heading(page)).to_have_text("All MLPerf® results")
    assert query(page) == {"show": ["all"]}


def test_unknown_values_in_a_link_are_named_as_text(server: str, page: Page) -> None:
    acting.visit(page, f"{server}/{XR7620}&round=v99&colour=red&submitter=<b>x</b>:smile:")
    warning = page.get_by_test_id("stAlert")
    expect(warning).to_contain_text('There is no filter "colour".')
    expect(warning).to_contain_text('No result has round "v99".')
    expect(warning).to_contain_text('No result has submitter "<b>x</b>:smile:".')
    expect(acting.heading(page)).to_contain_text("XR7620_L4x1_TRT")


def test_more_filters_open_narrow_and_search(server: str, page: Page) -> None:
    acting.visit(page, f"{server}/?round=v3.1")
    page.get_by_test_id("stButtonGroup").get_by_text("More").click()
    page.get_by_role("textbox", name="Search").fill("xr7620 l4")
    page.get_by_role("textbox", name="Search").press("Enter")
    expect(acting.heading(page)).to_contain_text("“xr7620 l4”")
    assert query(page) == {"round": ["v3.1"], "search": ["xr7620 l4"]}
    expect(page.get_by_role("combobox", name="System ID")).to_be_visible()


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_a_download_is_what_the_command_line_writes(server: str, page: Page, form: export.Format) -> None:
    filters = Filters.from_query(parse_qs(XR7620[1:]))[0]
    acting.visit(page, f"{server}/{XR7620}")
    acting.open_download(page)
    with page.expect_download() as download:
        page.get_by_role("button", name="Data as CSV" if form == "csv" else "Data as Parquet").click()
    assert download.value.suggested_filename == filters.file_name(form)
    expected = export.write(queries.export_rows(snapshot.open_snapshot(), filters), form)
    assert Path(download.value.path()).read_bytes() == expected


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_phone_shows_the_answer_without_sideways_scrolling(server: str, page: Page, scheme: acting.Scheme) -> None:
    page.set_viewport_size(acting.PHONE)
    page.emulate_media(color_scheme=scheme)
    acting.visit(page, server)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert page.evaluate("document.querySelector('[data-testid=stMain]').scrollWidth") <= 390
    first = acting.bars(page).first.bounding_box()
    assert first is not None
    assert first["y"] < 844, "the first bar is on the first screen"


PANELS = """panels => panels.map(panel => {
    const box = element => element.getBoundingClientRect().toJSON();
    const bars = [...panel.querySelectorAll("rect")].map(bar => {
        const [name, figure] = bar.parentElement.querySelectorAll("text");
        return { bar: box(bar), name: box(name), figure: box(figure), value: figure.textContent.replaceAll(",", "") };
    });
    return { box: box(panel), heads: [...panel.querySelectorAll(":scope > text")].map(box), bars };
})"""


@pytest.mark.parametrize("width", [320, 390, 1000, 1280, 2200])
def test_bars_are_as_long_as_their_figures_say_and_no_text_runs_into_another(
    server: str, page: Page, width: int
) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    acting.visit(page, server)
    panels = page.locator(".panels > svg").evaluate_all(PANELS)
    assert len(panels) > 4
    for panel in panels:
        left, right = panel["box"]["left"], panel["box"]["right"]
        bars = panel["bars"]
        longest = max(bars, key=lambda bar: bar["bar"]["width"])
        for bar in bars:
            share = float(bar["value"]) / float(longest["value"])  # the labels have four digits
            assert bar["bar"]["width"] == pytest.approx(share * longest["bar"]["width"], abs=0.3)
            assert left <= bar["name"]["left"]
            assert bar["name"]["right"] < bar["bar"]["left"]
            assert bar["bar"]["right"] < bar["figure"]["left"]
            assert bar["figure"]["right"] <= right
        for head in panel["heads"]:
            assert left - 2 < head["left"] < head["right"] <= right
        assert longest["bar"]["width"] > 40


def test_the_rows_are_cited_and_a_panel_that_is_closed_costs_nothing(server: str, page: Page) -> None:
    acting.visit(page, server)
    expect(page.get_by_test_id("stDownloadButton")).to_have_count(0)
    expect(page.get_by_test_id("stCode")).to_have_count(0)
    page.get_by_role("button", name="Cite", exact=True).click()
    expect(page.get_by_test_id("stCode")).to_have_count(3)
    expect(page.get_by_test_id("stCode").first).to_contain_text("MLCommons Association")


def test_a_system_of_the_table_leads_to_its_sheet(server: str, page: Page) -> None:
    acting.visit(page, f"{server}/{XR7620}")
    table = page.get_by_test_id("stDataFrame").first
    table.scroll_into_view_if_needed()
    expect(acting.cell(table, "Dell")).to_be_attached()
    assert tables.SHOWN[0] == "system"
    marks = 34
    link = {"x": marks + 22, "y": 55}
    table.hover(position=link)
    page.wait_for_timeout(1000)  # the table is a canvas: nothing says that it has drawn the link under the pointer
    with page.context.expect_page() as opened:
        table.click(position=link)
    expect(acting.heading(opened.value)).to_contain_text("XR7620")
    assert urlsplit(opened.value.url).path == "/system"
    assert query(opened.value) == {"system": ["inference-v3.1/Dell/XR7620_L4x1_TRT"]}


def test_choices_follow_one_another_and_none_is_lost(server: str, page: Page) -> None:
    """The browser knows a choice by its label, and the number in it changes with every other choice."""
    acting.visit(page, f"{server}/?round=v3.1&submitter=Dell&benchmark=resnet")
    acting.choose(page, "Scenario", "Offline")
    expect(acting.heading(page)).to_contain_text("Offline")
    acting.choose(page, "Suite", "Edge")
    expect(acting.heading(page)).to_contain_text("edge")
    acting.open_filter(page, "Scenario")
    page.get_by_role("button", name="Remove Offline").last.click(delay=80)
    expect(acting.heading(page)).not_to_contain_text("Offline")
    assert query(page) == {
        "round": ["v3.1"], "suite": ["inference-edge"], "submitter": ["Dell"], "benchmark": ["resnet"],
    }  # fmt: skip


def test_a_marked_training_result_opens_its_runs_and_its_system(server: str, page: Page) -> None:
    acting.visit(page, f"{server}/?round=v1.1&suite=training&system_id=2xXE8545x4A100-SXM-80GB&benchmark=rnnt")
    expect(page.get_by_role("tab")).to_have_count(0)
    acting.mark_first_row(page)
    expect(page.get_by_role("tab")).to_have_text(["Training runs", "System", "Where it was read"])
    opened = page.get_by_role("tabpanel")
    for text in ("result_8.txt", "62", "2048", "30577"):
        expect(acting.cell(opened, text)).to_be_attached()
    page.get_by_role("tab", name="System").click()
    expect(opened.get_by_text("Dell/systems/2xXE8545x4A100-SXM-80GB.json")).to_be_visible()
    expect(acting.cell(opened, "division")).to_be_attached()
    page.get_by_role("tab", name="Where it was read").click()
    expect(acting.cell(opened, "computed")).to_be_attached()
