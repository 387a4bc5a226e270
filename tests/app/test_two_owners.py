"""Two users at once: whatever the one asks, by whatever door, nothing of the other's results comes out."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest
from streamlit.util import calc_hash

from loaders.own import View
from mlperf import queries
from tests import ROOT
from tests.app.test_pages import PAGES, opened
from tests.loaders.making import packed
from tests.loaders.trees.making_training import group
from tests.loaders.uploading import LABEL, preview, read
from ui import link, own, session, whose

SYSTEM = "Box4xA100"
TITLES = {"zoe": "Quagga rerun", "yan": "Okapi rerun"}
SECRETS = {
    "zoe": ("quagga-file.zip", "quagga note", "Quagga Box", "14.7654"),
    "yan": ("okapi-file.zip", "okapi note", "Okapi Box", "24.1357"),
}
"""What stands in an owner's rows, and in no link of these tests."""
MINUTES = {"zoe": 14.7654321, "yan": 24.1357913}
PEOPLE = ("zoe", "yan")


class User:
    """Somebody with one saved upload, and the browser tabs that they open."""

    def __init__(self, name: str, folder: Path, mode: whose.Mode, patch: pytest.MonkeyPatch) -> None:
        self.name, self.mode, self._patch = name, mode, patch
        self.secret = f"{name}-{'s' * 40}"
        self.person = {"is_logged_in": True, "iss": "https://login.lab", "sub": name}
        self.owner = own._named("s", self.secret) if mode == "session" else own._named("u", f"https://login.lab {name}")
        minutes = [MINUTES[name]] * 10
        files = {SECRETS[name][0]: packed({f"{name}/{path}": text for path, text in group(minutes).items()})}
        inspected = read(folder / name, files)
        label = replace(LABEL, system_id=SYSTEM, system_name=SECRETS[name][2])
        catalog = session.catalog()
        self.saved = catalog.save(self.owner, TITLES[name], inspected, preview(inspected, {"": label}), 100)
        catalog.annotate(self.owner, self.saved.upload_id, SECRETS[name][1])
        (self.result,) = catalog.results(self.owner, self.saved.upload_id)["result_id"].to_pylist()

    def sit_down(self, test: AppTest) -> AppTest:
        """Be whom the next run is of."""
        if self.mode == "session":
            test.session_state["own.secret"] = self.secret
        else:
            self._patch.setattr(st, "user", self.person)
        return test

    def open(self, page: str, query: dict[str, list[str]]) -> AppTest:
        """A page in a tab of this user's, with own results switched on."""
        test = AppTest.from_file(str(ROOT / "ui" / "main.py"), default_timeout=60)
        test.switch_page(f"../pages/{page}.py")
        test._page_hash = calc_hash(page.replace("_", "-"))  # as in test_pages
        for name, values in {link.OWN: [link.ON], **query}.items():
            test.query_params[name] = values
        return self.sit_down(test).run()

    def ask(self, function: Any) -> str:
        """What a piece of the app shows this user, own results switched on."""
        test = self.sit_down(AppTest.from_function(function, default_timeout=60))
        test.session_state["own.on"] = True
        test.run()
        assert not test.exception
        return said(test)


def said(test: AppTest) -> str:
    """Everything that went to the browser, the bytes of tables and charts, too."""
    found: list[str] = []
    waiting: list[Any] = [test._tree]
    while waiting:
        node = waiting.pop()
        waiting += list(getattr(node, "children", {}).values())
        found.append(str(getattr(node, "proto", "") or ""))
    return "\n".join(found)


@pytest.fixture
def two(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, User]]:
    """Two users, each with an upload of their own; `mode` is the test's parameter."""
    monkeypatch.setenv(own.FILE, str(tmp_path / "own.duckdb"))
    monkeypatch.setenv(whose.MODE, request.param)
    yield {name: User(name, tmp_path, request.param, monkeypatch) for name in PEOPLE}
    session._opened.cache_clear()


BOTH = pytest.mark.parametrize("two", ["session", "login"], indirect=True)


def doors(user: User) -> dict[str, dict[str, list[str]]]:
    """For every page a link that names what a user owns."""
    key = f"training-v1.1/Own: {TITLES[user.name]}/{SYSTEM}"
    submitter = [f"Own: {TITLES[user.name]}"]
    return {
        "explore": {"submitter": submitter, "round": ["v1.1"], "suite": ["training"]},
        "gallery": {},
        "compare": {"system": [key, "training-v1.1/Dell/XE8545x4A100-SXM-80GB"]},
        "round": {"kind": ["training"], "round": ["v1.1"]},
        "scaling": {"server": ["XE8545"], "round": ["v1.1"], "benchmark": ["rnnt"], "swap": [user.result]},
        "runs": {"system": [key], "benchmark": ["rnnt"]},
        "power": {"submitter": submitter},
        "rankings": {"suite": ["training"], "round": ["v1.1"], "submitter": submitter, "benchmark": ["rnnt"]},
        "trends": {"submitter": submitter, "by": ["submitter"]},
        "sizing": {},
        "system": {"system": [key]},
        "my_results": {"upload": [user.saved.upload_id], "result": [user.result]},
    }


SHOWN = {"explore", "compare", "runs", "system", "my_results"}
"""Pages on which an owner's own link shows the owner's results, so that their absence elsewhere means something."""


def found_of(name: str, text: str) -> set[str]:
    """What of a user's secrets is in a text."""
    return {secret for secret in SECRETS[name] if secret in text}


@BOTH
def test_every_page_has_a_door_here(two: dict[str, User]) -> None:
    assert sorted(doors(two["zoe"])) == PAGES


@BOTH
def test_a_link_that_names_anothers_results_shows_nothing_of_them(two: dict[str, User]) -> None:
    zoe, yan = two["zoe"], two["yan"]
    for page, theirs in doors(zoe).items():
        for reader, other in ((zoe, yan), (yan, zoe), (zoe, yan)):  # in turn: no cache mixes them up
            test = reader.open(page, theirs)
            assert not test.exception, page
            text = said(test)
            assert found_of(other.name, text) == set(), page
            assert TITLES["yan"] not in text or reader is yan, page
            if reader is zoe and page in SHOWN:
                assert found_of("zoe", text), page


@BOTH
def test_questions_files_and_lists_are_each_readers_own(two: dict[str, User]) -> None:
    def all_doors() -> None:
        import streamlit as st

        from mlperf.filters import Filters
        from mlperf.queries import field_options
        from ui import session

        chosen = Filters(round=("v1.1",), suite=("training",), benchmark=("rnnt",))
        st.code(str(session.answer(chosen).rows.to_pylist()))
        st.code(str(session.facets(chosen)))
        st.code(str(session.known_values()["submitter"]))
        st.code(str(session.systems("training")))
        st.code(str(session.find_systems("box4xa100")))
        st.code(session.download(chosen)("csv").decode())
        st.code(str(session.download(chosen)("parquet")))
        st.code(str(session.ask(lambda con, _: field_options(con, "training", "v1.1"), None)))

    for name in ("zoe", "yan", "zoe"):
        (other,) = set(PEOPLE) - {name}
        text = two[name].ask(all_doors)
        assert len(found_of(name, text)) == 3  # the note is on My results alone
        assert TITLES[name] in text
        assert found_of(other, text) == set()
        assert TITLES[other] not in text


@BOTH
def test_a_file_that_is_made_after_the_page_has_run_is_its_readers_own(two: dict[str, User]) -> None:
    def page() -> None:
        import streamlit as st

        from mlperf.filters import Filters
        from ui import session

        st.session_state["file"] = session.download(Filters(round=("v1.1",), suite=("training",), benchmark=("rnnt",)))

    for name in PEOPLE:
        test = two[name].sit_down(AppTest.from_function(page, default_timeout=60))
        test.session_state["own.on"] = True
        test.run()
        text = test.session_state["file"]("csv").decode()
        assert [TITLES[other] in text for other in PEOPLE] == [other == name for other in PEOPLE]


@BOTH
def test_what_is_behind_a_result_is_told_to_its_owner_alone(two: dict[str, User]) -> None:
    for name in PEOPLE:
        view = View(session.catalog(), two[name].owner, with_shared=True)
        for other in PEOPLE:
            found = [queries.runs(view, two[other].result), queries.sightings(view, two[other].result)]
            assert [bool(table.num_rows) for table in found] == [name == other] * 2


@BOTH
def test_nothing_of_anyone_is_shown_to_who_comes_new(two: dict[str, User], monkeypatch: pytest.MonkeyPatch) -> None:
    if two["zoe"].mode == "login":
        monkeypatch.setattr(st, "user", {"is_logged_in": False})
    for page in PAGES:
        text = said(opened(page, {link.OWN: [link.ON], **doors(two["zoe"])[page]}))
        assert found_of("zoe", text) | found_of("yan", text) == set()


@pytest.mark.parametrize("two", ["session"], indirect=True)
def test_a_private_link_opens_its_owners_results_and_a_wrong_key_none(two: dict[str, User]) -> None:
    zoe = two["zoe"]
    keys = {
        zoe.secret: True, zoe.secret[:-1] + "t": False, zoe.secret[:31]: False, "x" * 43: False, zoe.owner: False,
        "' or 1=1 --" + "x" * 32: False, "": False,
    }  # fmt: skip
    for key, is_right in keys.items():
        text = said(opened("my_results", {"key": [key], "upload": [zoe.saved.upload_id]}))
        assert bool(found_of("zoe", text)) == is_right, key
        assert not found_of("yan", text)


@pytest.mark.parametrize("two", ["session"], indirect=True)
def test_the_key_of_a_private_link_leaves_the_address(two: dict[str, User]) -> None:
    test = opened("my_results", {"key": [two["zoe"].secret]})
    assert "key" not in test.query_params


@pytest.mark.parametrize("two", ["login"], indirect=True)
def test_a_private_link_means_nothing_where_people_log_in(
    two: dict[str, User], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(st, "user", {"is_logged_in": False})
    text = said(opened("my_results", {"key": [two["zoe"].secret], "upload": [two["zoe"].saved.upload_id]}))
    assert not found_of("zoe", text)


@pytest.mark.parametrize("two", ["login"], indirect=True)
def test_what_one_shares_the_other_sees_until_it_is_taken_back(two: dict[str, User]) -> None:
    zoe, yan = two["zoe"], two["yan"]
    chosen = {"round": ["v1.1"], "suite": ["training"], "benchmark": ["rnnt"], "accelerator_count": ["4"]}
    seen = []
    for is_shared in (False, True, False):
        session.catalog().share(zoe.owner, zoe.saved.upload_id, is_shared=is_shared)
        text = said(yan.open("explore", chosen))
        seen.append(f"Own: {TITLES['zoe']} (shared" in text)
        assert not found_of("yan", said(zoe.open("explore", chosen)))
        assert not found_of("zoe", said(yan.open("my_results", {"upload": [zoe.saved.upload_id]})))
    assert seen == [False, True, False]


@pytest.mark.parametrize("two", ["login"], indirect=True)
def test_the_same_person_of_another_provider_is_somebody_else(two: dict[str, User]) -> None:
    zoe = two["zoe"]
    zoe.person = {**zoe.person, "iss": "https://elsewhere"}
    assert not found_of("zoe", said(zoe.open("my_results", {"upload": [zoe.saved.upload_id]})))
