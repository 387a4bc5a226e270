"""Measures in the browser how long a choice takes until the page has been painted anew, and the bytes it moved."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from playwright.sync_api import Page

# Observes everything of the app but the running-man icon, from the click (or key) that chooses until nothing has
# changed for QUIET milliseconds; each change counts as painted two frames later. A table is a canvas: what is drawn on
# it counts when text is drawn, and the copy for screen readers that lies inside it, which its grid renews 200 ms after
# each change and nobody sees, does not.
OBSERVER = """
() => {
    const QUIET = 600;
    const seen = { action: null, chart: null, all: null };
    const ignored = 'canvas, [data-testid="stStatusWidget"], [data-testid="stToolbar"], [data-testid="stHeader"]';
    const act = event => { seen.action = seen.action ?? event.timeStamp; };
    addEventListener("click", act, { capture: true, once: true });
    const painted = then => requestAnimationFrame(() => requestAnimationFrame(() => then(performance.now())));
    const drawText = CanvasRenderingContext2D.prototype.fillText;
    CanvasRenderingContext2D.prototype.fillText = function (...text) {
        if (seen.action !== null && this.canvas.isConnected) painted(at => { seen.all = at; });
        return drawText.apply(this, text);
    };
    const isChart = node => node.closest(".js-plotly-plot, .panels") || node.querySelector(":scope > .panels");
    const element = node => node.nodeType === Node.ELEMENT_NODE ? node : node.parentElement;
    const observer = new MutationObserver(records => {
        if (seen.action === null) return;
        const nodes = records.map(r => element(r.target)).filter(n => n && !n.closest(ignored));
        if (nodes.length) painted(at => { seen.all = at; });
        if (nodes.some(isChart)) painted(at => { seen.chart = at; });
    });
    observer.observe(document.querySelector('[data-testid="stApp"]'),
        { subtree: true, childList: true, attributes: true, characterData: true });
    window.redrawn = new Promise((resolve, reject) => {
        const started = performance.now();
        const timer = setInterval(() => {
            const now = performance.now();
            const settled = seen.chart !== null && now - seen.all > QUIET;
            if (!settled && now - started < 15000) return;
            clearInterval(timer);
            observer.disconnect();
            CanvasRenderingContext2D.prototype.fillText = drawText;
            if (!settled) reject(new Error("the chart never changed"));
            else resolve({ chart: seen.chart - seen.action, all: seen.all - seen.action });
        }, 50);
    });
}
"""


@dataclass(frozen=True)
class Redraw:
    """One choice: milliseconds until the chart, and all of the page, was painted; bytes over the web socket."""

    chart_ms: float
    all_ms: float
    sent_bytes: int
    received_bytes: int


class Meter:
    """Counts what a page's web socket carries; made before the page opens its address."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.sent = 0
        self.received = 0
        page.on("websocket", self._listen)

    def _listen(self, socket: Any) -> None:
        socket.on("framesent", lambda payload: self._count("sent", payload))
        socket.on("framereceived", lambda payload: self._count("received", payload))

    def _count(self, direction: str, payload: str | bytes) -> None:
        setattr(self, direction, getattr(self, direction) + len(payload))

    def redraw(self, prepare: Callable[[], Any], choose: Callable[[], Any]) -> Redraw:
        """What one choice costs; `prepare` opens the list, `choose` clicks in it."""
        self.page.bring_to_front()
        prepare()
        self.page.wait_for_timeout(200)
        self.page.evaluate(OBSERVER)
        sent, received = self.sent, self.received
        choose()
        times = self.page.evaluate("() => window.redrawn")
        return Redraw(times["chart"], times["all"], self.sent - sent, self.received - received)
