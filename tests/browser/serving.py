"""Starts servers and browsers for the browser tests and the bench, and leaves none behind."""

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from tests import ROOT
from tests.browser import chromium


def free_port() -> int:
    """A port on which nothing listens at this moment."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def is_listening(port: int) -> bool:
    """Whether something listens; a bare connection, so that the first HTTP request stays the test's own."""
    try:
        socket.create_connection(("localhost", port), timeout=1).close()
    except OSError:
        return False
    return True


@contextmanager
def serving(
    command: Sequence[str], port: int, folder: Path = ROOT, seconds: float = 60, **settings: str
) -> Iterator[str]:
    """Run a command that serves a port and yield its address; show its whole output when it dies or never serves.

    `settings` are variables of its environment; own results lie in a file of its own unless they name one.
    """
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(("STREAMLIT_", "MAKE", "MFLAGS"))
    }
    with (
        tempfile.TemporaryDirectory() as own,
        tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as output,
    ):
        environment |= {"ROUNDTABLE_OWN_FILE": f"{own}/own.duckdb"} | settings
        process = subprocess.Popen(
            command, cwd=folder, env=environment, stdout=output, stderr=subprocess.STDOUT, start_new_session=True
        )
        try:
            deadline = time.monotonic() + seconds
            while not is_listening(port):
                if process.poll() is not None or time.monotonic() > deadline:
                    output.seek(0)
                    state = "still starting" if process.poll() is None else f"exit code {process.returncode}"
                    raise AssertionError(f"{' '.join(command)} serves nothing ({state}):\n{output.read()}")
                time.sleep(0.1)
            yield f"http://localhost:{port}"
        finally:
            stop(process)


def stop(process: subprocess.Popen[bytes]) -> None:
    """End a process that `serving` started, and the processes it started itself."""
    for ending in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, ending)
            process.wait(timeout=15)
        except ProcessLookupError:
            process.wait()
            return
        except subprocess.TimeoutExpired:
            continue


def dashboard(port: int) -> list[str]:
    """The command that `make run` ends in."""
    return [sys.executable, "-m", "streamlit", "run", "app.py", "--server.port", str(port)]


@contextmanager
def chromium_browser() -> Iterator[Browser]:
    """A headless Chromium with a fresh profile that reaches this machine only."""
    path = chromium.find()
    assert path is not None, "No Chromium; `make test` installs one, or name it: CHROMIUM=/path"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(chromium.FLAGS))
        yield browser
        browser.close()
