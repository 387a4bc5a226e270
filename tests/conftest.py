"""What every test stands on: one time zone, one locale, no network but loopback, MLCommons' files where they are."""

import functools
import ipaddress
import locale
import os
import socket
import tempfile
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from streamlit.components.v2 import manifest_scanner

from tests import ROOT, SHARED

os.environ.update(TZ="UTC", LC_ALL="C.UTF-8", LANG="C.UTF-8")
# Own results of tests lie in a file of this process, which holds it alone.
FIRST_BROWSER_GROUP = {"test_journeys.py", "test_explore.py", "test_stranger.py", "test_login.py", "test_picture.py"}
OWN = tempfile.TemporaryDirectory(prefix="roundtable-")
os.environ["ROUNDTABLE_OWN_FILE"] = str(Path(OWN.name) / "own.duckdb")
time.tzset()
locale.setlocale(locale.LC_ALL, "C.UTF-8")

# No deadline: two busy cores make single examples slow. In CI the same examples every time.
settings.register_profile("desk", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True, database=None)
settings.load_profile("ci" if os.environ.get("CI") else "desk")


class NetworkForbidden(AssertionError):
    """A test reached for a network other than this machine's own."""


def is_loopback(address: object) -> bool:
    """Whether a socket address stays on this machine: a path, or a loopback host."""
    if not isinstance(address, tuple):
        return True  # AF_UNIX
    host = str(address[0])
    if host in {"localhost", ""}:
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let sockets of this process reach loopback only; what a test starts as a process is that test's own affair."""
    connect, connect_ex, getaddrinfo = socket.socket.connect, socket.socket.connect_ex, socket.getaddrinfo

    def refuse(address: object) -> None:
        if not is_loopback(address):
            raise NetworkForbidden(f"{address!r} is not loopback: tests use no network.")

    def guarded_connect(self: socket.socket, address: Any) -> None:
        refuse(address)
        connect(self, address)

    def guarded_connect_ex(self: socket.socket, address: Any) -> int:
        refuse(address)
        return connect_ex(self, address)

    def guarded_getaddrinfo(host: Any, *arguments: Any, **options: Any) -> Any:
        refuse((host.decode() if isinstance(host, bytes) else host or "",))
        return getaddrinfo(host, *arguments, **options)

    monkeypatch.setattr(socket.socket, "connect", guarded_connect)
    monkeypatch.setattr(socket.socket, "connect_ex", guarded_connect_ex)
    monkeypatch.setattr(socket, "getaddrinfo", guarded_getaddrinfo)


@pytest.fixture(scope="session", autouse=True)
def components_are_sought_once() -> None:
    """`AppTest` looks into every installed package for components at each run, which takes longer than a page does."""
    manifest_scanner.scan_component_manifests = functools.cache(manifest_scanner.scan_component_manifests)


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of MLCommons' files; skips where a user has none, fails in CI, which always has it."""
    if SHARED.is_dir():
        return SHARED
    if os.environ.get("CI"):
        pytest.fail(f"{SHARED} is missing, and CI has it always: tests that need it would pass unseen.")
    pytest.skip("../shared is not part of what users get")


@pytest.hookimpl(tryfirst=True)  # before xdist's own, which writes the groups into the names of the tests
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the tests of the browser into two groups, one a process of xdist, with a server and a Chromium of its own."""
    for item in items:
        if "browser" in item.path.relative_to(ROOT).parts:
            side = item.path.name in FIRST_BROWSER_GROUP
            item.add_marker(pytest.mark.xdist_group(f"browser-{side:d}"))
