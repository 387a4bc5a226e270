"""Measures in the browser how long a choice takes until the page has been painted anew, and the bytes it moved."""

import socket
import threading
from collections.abc import Callable
from contextlib import suppress
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
    wire_bytes: int
    """Received over the network, the web socket's messages compressed."""


class Relay:
    """Passes on what a browser and a server on this machine say to one another, and counts what the server says."""

    def __init__(self, port: int) -> None:
        self.count = 0
        self._to = port
        self._door = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._door.getsockname()[1])
        self._threads = [threading.Thread(target=self._serve)]
        self._open = [self._door]

    def __enter__(self) -> "Relay":
        self._threads[0].start()
        return self

    def __exit__(self, *_: object) -> None:
        for end in self._open:
            with suppress(OSError):  # it may have hung up already
                end.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join()
        for end in self._open:
            end.close()

    def _serve(self) -> None:
        with suppress(OSError):  # the door is shut
            while True:
                browser, _ = self._door.accept()
                server = socket.create_connection(("127.0.0.1", self._to))
                self._open += [browser, server]
                for ends in ((browser, server, False), (server, browser, True)):
                    self._threads.append(threading.Thread(target=self._pass, args=ends))
                    self._threads[-1].start()

    def _pass(self, source: socket.socket, target: socket.socket, is_counted: bool) -> None:
        with suppress(OSError):  # either end may hang up
            while data := source.recv(1 << 16):
                self.count += len(data) * is_counted
                target.sendall(data)
        with suppress(OSError):
            target.shutdown(socket.SHUT_WR)


class Meter:
    """Counts what a page's web socket carries; made before the page opens its address."""

    def __init__(self, page: Page, relay: Relay) -> None:
        self.page = page
        self.relay = relay
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
        sent, received, wire = self.sent, self.received, self.relay.count
        choose()
        times = self.page.evaluate("() => window.redrawn")
        return Redraw(times["chart"], times["all"], self.sent - sent, self.received - received, self.relay.count - wire)
