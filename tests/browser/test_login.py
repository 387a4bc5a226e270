"""`ROUNDTABLE_OWN=login` in a real browser, with a provider of our own: each person sees theirs, and what is shared."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from loaders import own, snapshot, upload
from loaders.trees.protocol import Label
from tests.browser import serving
from tests.browser.provider import CLIENT, Provider, providing
from tests.loaders.trees.making_training import log

LABEL = Label(
    round="v5.1", division="closed", system_id="lab-box", accelerator="NVIDIA H100-SXM-80GB",
    accelerators_per_node="8", nodes="1", benchmark="retinanet",
)  # fmt: skip


def owner_of(provider: Provider, person: str) -> str:
    return "u-" + hashlib.sha256(f"{provider.address} {person}".encode()).hexdigest()[:40]


def save_for(path: Path, folder: Path, owner: str, title: str, minutes: float) -> None:
    """Five runs of so many minutes, saved as if uploaded."""
    files = []
    for number in range(5):
        file = folder / f"{title}-{number}"
        file.write_text(log(minutes + number / 100, at=number * 100, benchmark="retinanet"))
        files.append((file, f"result_{number}.txt"))
    connection = snapshot.read_snapshot()
    catalog = own.attach(connection, path)
    inspected = upload.inspect(files)
    catalog.save(owner, title, inspected, upload.preview(inspected, {"": LABEL}), most=100)
    connection.close()


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Provider]]:
    folder = tmp_path_factory.mktemp("login")
    with providing() as provider:
        for person, minutes in (("ada", 40.0), ("bob", 50.0)):
            save_for(folder / "own.duckdb", folder, owner_of(provider, person), f"{person}s run", minutes)
        port = serving.free_port()
        secrets = folder / "secrets.toml"
        secrets.write_text(
            f'[auth]\nredirect_uri = "http://localhost:{port}/oauth2callback"\ncookie_secret = "{"x" * 40}"\n'
            f'client_id = "{CLIENT}"\nclient_secret = "test"\n'
            f'server_metadata_url = "{provider.address}/.well-known/openid-configuration"\n'
        )
        command = [*serving.dashboard(port), "--secrets.files", str(secrets)]
        settings = {
            "ROUNDTABLE_OWN": "login", "ROUNDTABLE_OWN_FILE": str(folder / "own.duckdb"),
            "AUTHLIB_INSECURE_TRANSPORT": "1",
        }  # fmt: skip
        with serving.serving(command, port, **settings) as served:
            yield served, provider


def log_in(page: Page, address: str, provider: Provider, person: str) -> None:
    """Come as nobody, and log in at the provider."""
    page.context.clear_cookies()
    provider.person = person
    page.goto(f"{address}/my-results")
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("MLPerf")  # logging in ends on the first page
    page.goto(f"{address}/my-results")
    expect(page.get_by_text(f"Logged in as {person}@example.com")).to_be_visible()


def test_each_person_sees_their_own_results_and_nobody_elses(page: Page, address: tuple[str, Provider]) -> None:
    url, provider = address
    for person, other in (("ada", "bob"), ("bob", "ada")):
        log_in(page, url, provider, person)
        page.goto(f"{url}/?own=yes&submitter=Own: {person}s run")
        expect(page.get_by_role("heading", level=1)).to_contain_text(f"Own: {person}s run")
        expect(page.get_by_text("1 result ·")).to_be_visible()
        page.goto(f"{url}/?own=yes&submitter=Own: {other}s run")
        expect(page.get_by_text(f'No result has submitter "Own: {other}s run"')).to_be_visible()


def test_who_is_not_logged_in_sees_published_results_and_is_asked_to_log_in(
    page: Page, address: tuple[str, Provider]
) -> None:
    url, _ = address
    page.goto(f"{url}/?own=yes&submitter=Own: adas run")
    expect(page.get_by_text('No result has submitter "Own: adas run"')).to_be_visible()
    page.goto(f"{url}/my-results")
    expect(page.get_by_role("button", name="Log in")).to_be_visible()
