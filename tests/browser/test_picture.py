"""Charts as pictures to take home: PNG and SVG with title, units and footnote, under a strict policy of the server."""

import io
import sys
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from tests.browser import acting, serving

SVG = "{http://www.w3.org/2000/svg}"
POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-eval' 'unsafe-inline' blob:; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; connect-src 'self' ws: wss:; object-src 'none'; base-uri 'self'"
)
TITLE = '<img src=x onerror=alert(1)> & "x" · ' + "a title that is too long for one line, so it goes on below " * 3
FOOTNOTE = [
    "The MLPerf® name and logo are trademarks of MLCommons Association. <script>alert(2)</script> &amp; stays. " * 3,
    "No\x08control and " + "averylongwordwithoutanyspace" * 20,
]
TRUE_FOOTNOTE = [FOOTNOTE[0].strip(), FOOTNOTE[1].replace("\x08", "\ufffd")]
SYSTEMS = [f"XE9680 · {number}× H100-SXM-80GB" for number in range(1, 9)]
FIGURES = ["1,234", "967", "850", "720.5", "610", "0.3449", "96", "7"]
AXES = ["Throughput, samples/s – higher is better →", "Latency, ms – ← lower is better"]
SCRIPT = f"""
import plotly.graph_objects as go
import streamlit as st

from ui import picture

st.set_page_config(layout="wide")
grid = st.grid(2, min_column_width=330)
for number, axis in enumerate({AXES!r}):
    bars = go.Bar(
        x=[9 - place for place in range(8)], y={SYSTEMS!r}, text={FIGURES!r}, orientation="h", textposition="outside",
        textangle=0, cliponaxis=False,
    )
    figure = go.Figure(bars).update_layout(height=300 + 50 * number, margin=dict(l=200, r=50, t=10, b=50))
    figure.update_xaxes(title_text=axis)
    grid.plotly_chart(figure, key=f"chart.{{number}}", config={{"displayModeBar": False}})
panel = st.popover("Download", on_change="rerun", key="panel")
if panel.open:
    charts = ["chart.0", "chart.1"] + ["chart.gone"] * ("gone" in st.query_params)
    with panel:
        picture.buttons({TITLE!r}, {FOOTNOTE!r}, "mlperf_charts", charts, key="picture")
"""
APP = f"""
import streamlit as st
from starlette.middleware import Middleware


class Strict:
    def __init__(self, app):
        self.app = app

    async def __call__(self, scope, receive, send):
        async def sending(message):
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], (b"content-security-policy", {POLICY.encode()!r})]
            await send(message)

        await self.app(scope, receive, sending if scope["type"] == "http" else send)


app = st.App("script.py", middleware=[Middleware(Strict)])
"""


@pytest.fixture(scope="module")
def charts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a page with two charts and a panel with the buttons."""
    folder = tmp_path_factory.mktemp("picture")
    (folder / "script.py").write_text(SCRIPT, encoding="utf-8")
    (folder / "app.py").write_text(APP, encoding="utf-8")
    port = serving.free_port()
    command = [sys.executable, "-m", "streamlit", "run", str(folder / "app.py"), "--server.port", str(port)]
    with serving.serving(command, port) as address:  # in the checkout's folder, so with its modules and its theme
        yield address


def open_panel(page: Page, link: str) -> None:
    page.goto(link)
    expect(page.locator(".js-plotly-plot .bars path")).to_have_count(16)
    page.get_by_role("button", name="Download").click()
    expect(page.get_by_role("button", name="PNG, picture of the charts")).to_be_visible()


def saved(page: Page, form: str) -> bytes:
    """What a button saves; the key Enter presses it."""
    with page.expect_download() as download:
        page.get_by_role("button", name=f"{form}, picture of the charts").press("Enter")
    assert download.value.suggested_filename == f"mlperf_charts.{form.lower()}"
    return Path(download.value.path()).read_bytes()


def texts(root: ElementTree.Element) -> list[str]:
    return ["".join(text.itertext()) for text in root.iter(f"{SVG}text")]


def background(png: bytes) -> tuple[int, ...]:
    pixel = Image.open(io.BytesIO(png)).convert("RGB").getpixel((2, 2))
    assert isinstance(pixel, tuple)
    return pixel


def test_the_svg_holds_every_text_and_nothing_that_acts(charts: str, page: Page) -> None:
    open_panel(page, charts)
    svg = saved(page, "SVG")
    root = ElementTree.fromstring(svg)
    found = texts(root)
    assert svg.startswith(b'<?xml version="1.0" encoding="UTF-8"?>')
    assert found[0] == TITLE.strip()
    assert found[-2:] == TRUE_FOOTNOTE
    assert [found.count(axis) for axis in AXES] == [1, 1]
    assert [found.count(text) for text in SYSTEMS + FIGURES] == [2] * 16
    assert not {element.tag for element in root.iter()} & {f"{SVG}{name}" for name in ("script", "foreignObject", "a")}
    addresses = [value for element in root.iter() for value in element.attrib.values() if "//" in value]
    assert addresses == []
    assert b"@import" not in svg
    assert b"@font-face" not in svg


def test_all_texts_of_the_svg_lie_within_the_picture_and_apart(charts: str, page: Page) -> None:
    """Without the page's typeface too: a text keeps its width in any other."""
    open_panel(page, charts)
    svg = saved(page, "SVG")
    root = ElementTree.fromstring(svg)
    page.goto("about:blank")
    page.set_content(f"<body style='margin:0'>{svg.decode().partition('?>')[2]}")
    boxes = page.locator("svg text").evaluate_all("texts => texts.map(text => text.getBoundingClientRect().toJSON())")
    edges = [(box["left"], box["right"], box["top"], box["bottom"]) for box in boxes]
    width, height = float(root.attrib["width"]), float(root.attrib["height"])
    assert all(left >= 20 and right <= width - 20 and top > 0 and bottom < height for left, right, top, bottom in edges)
    tops = [edge[2] for edge in edges]
    assert edges[0][3] <= min(tops[1:])
    assert max(edge[3] for edge in edges[:-2]) <= tops[-2] < tops[-1]


def test_the_png_is_the_same_picture_at_twice_the_size(charts: str, page: Page) -> None:
    open_panel(page, charts)
    root, png = ElementTree.fromstring(saved(page, "SVG")), saved(page, "PNG")
    assert png.startswith(b"\x89PNG\r\n\x1a\n")
    image = Image.open(io.BytesIO(png)).convert("RGB")
    assert image.size == (2 * int(root.attrib["width"]), 2 * int(root.attrib["height"]))
    boxes = [page.locator(f".st-key-chart-{number} svg.main-svg").first.bounding_box() for number in (0, 1)]
    first, second = (box for box in boxes if box)
    assert second["y"] == first["y"]
    assert image.width == pytest.approx(2 * (second["x"] + second["width"] - first["x"] + 48), abs=4)
    assert 2 * (350 + 100) < image.height < 2 * (350 + 300)
    colours = image.getcolors(1 << 24)
    assert colours is not None
    assert len(colours) > 50
    bars = [page.evaluate("path => getComputedStyle(path).fill", page.locator(".bars path").first.element_handle())]
    assert tuple(int(part) for part in bars[0].strip("rgb()").split(",")) in {colour for _, colour in colours}


def test_the_png_is_drawn_with_the_typeface_of_the_page(charts: str, page: Page) -> None:
    """The same picture without the file of the typeface looks otherwise, and is still drawn."""
    open_panel(page, charts)
    with_typeface = saved(page, "PNG")
    page.route("**/*.woff2", lambda route: route.abort())
    assert saved(page, "PNG") != with_typeface


def test_a_phone_gets_the_charts_below_one_another(charts: str, page: Page) -> None:
    page.set_viewport_size(acting.PHONE)
    open_panel(page, charts)
    root = ElementTree.fromstring(saved(page, "SVG"))
    first, second = root.findall(f"{SVG}svg")
    assert first.attrib["x"] == second.attrib["x"]
    assert float(second.attrib["y"]) == float(first.attrib["y"]) + 300 + 16
    assert float(root.attrib["width"]) < 390 + 48


def test_a_picture_has_the_colours_of_the_mode(charts: str, page: Page) -> None:
    schemes: tuple[acting.Scheme, ...] = ("light", "dark")
    found = []
    for scheme in schemes:
        page.emulate_media(color_scheme=scheme)
        open_panel(page, charts)
        png, root = saved(page, "PNG"), ElementTree.fromstring(saved(page, "SVG"))
        found.append((background(png), root[0].attrib["fill"], root[1].attrib["fill"]))
    assert found == [
        ((255, 255, 255), "rgb(255, 255, 255)", "rgb(23, 32, 43)"),
        ((16, 21, 28), "rgb(16, 21, 28)", "rgb(228, 233, 240)"),
    ]


def test_a_missing_chart_is_said_in_words(charts: str, page: Page) -> None:
    open_panel(page, f"{charts}/?gone=1")
    for form in ("PNG", "SVG"):
        page.get_by_role("button", name=f"{form}, picture of the charts").click()
        expect(page.get_by_role("status")).to_contain_text("No picture: a chart is not on the page (chart.gone).")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_small_multiples_of_our_own_are_a_picture_too(server: str, page: Page, scheme: acting.Scheme) -> None:
    """What hangs on the page's width, mode and style sheets is written out: other programs know none of them."""
    page.emulate_media(color_scheme=scheme)
    acting.visit(page, server)
    panels = page.locator(".panels > svg")
    shown = panels.evaluate_all(
        "panels => panels.map(panel => [...panel.querySelectorAll('text')].map(t => t.textContent))"
    )
    bars = panels.evaluate_all(
        "panels => panels.flatMap(panel => [...panel.querySelectorAll('rect')].map(bar => "
        "[bar.getBoundingClientRect().width, getComputedStyle(bar).fill]))"
    )
    title = acting.heading(page).inner_text()
    acting.open_download(page)
    files = []
    for form in ("SVG", "PNG"):
        with page.expect_download() as download:
            page.get_by_role("button", name=f"{form}, picture of the charts").press("Enter")
        assert download.value.suggested_filename == f"results_v6.0_Dell.{form.lower()}"
        files.append(Path(download.value.path()).read_bytes())
    svg, png = files
    root = ElementTree.fromstring(svg)
    [chart] = root.findall(f"{SVG}svg")
    found = texts(root)
    assert found[0] == title
    assert found[1 : 1 + sum(map(len, shown))] == [text for panel in shown for text in panel]
    assert "The MLPerf name and logo are registered" in found[-1]
    drawn = [(float(bar.attrib["width"]), bar.attrib["fill"]) for bar in chart.iter(f"{SVG}rect")]
    assert drawn == [(pytest.approx(width, abs=0.05), fill) for width, fill in bars]
    assert not any(word in svg for word in (b"calc(", b"light-dark", b"currentColor", b'%"', b"style="))
    image = Image.open(io.BytesIO(png)).convert("RGB")
    assert image.size == (2 * int(root.attrib["width"]), 2 * int(root.attrib["height"]))
    colours = {colour for _, colour in image.getcolors(1 << 24) or ()}
    assert {tuple(int(part) for part in fill.strip("rgb()").split(",")) for _, fill in bars} <= colours
