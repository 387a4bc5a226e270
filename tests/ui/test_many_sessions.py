"""Forty sessions at once on a real server: twenty upload and save, twenty filter. Nothing is lost, torn or kept."""

import contextlib
import re
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.Common_pb2 import UploadedFileInfo
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState

from tests.app.test_my_results import packed
from tests.browser import serving
from tests.loaders.trees import making_training
from tests.ui import stranger

EACH = 20
SECONDS = 120.0
QUERY = "round=v3.1&suite=inference-edge&suite=inference-datacenter&submitter=Dell&benchmark="
BENCHMARKS = ("resnet", "retinanet", "bert-99", "rnnt")
ENDED = {ForwardMsg.FINISHED_SUCCESSFULLY, ForwardMsg.FINISHED_FRAGMENT_RUN_SUCCESSFULLY}


@dataclass
class Reader:
    """A session that keeps what stands on its page, and answers as a browser would."""

    session: stranger.Session
    page: str = ""
    widgets: dict[str, WidgetState] = field(default_factory=dict)
    elements: dict[tuple[int, ...], Any] = field(default_factory=dict)

    def run(self, query: str = "", **trigger: str) -> None:
        """Ask for a run of the page and read all that it sends; `button` is the label of one to press."""
        message = BackMsg()
        asked = message.rerun_script
        asked.query_string, asked.page_name = query, self.page
        asked.widget_states.widgets.extend(self.widgets.values())
        if label := trigger.get("button"):
            [found] = [one.button.id for one in self.shown("button") if one.button.label == label]
            asked.widget_states.widgets.add(id=found, trigger_value=True)
        self.session.socket.send(message.SerializeToString())
        has_begun = False  # the first run of a session may still be on its way
        while True:
            answer = ForwardMsg()
            answer.ParseFromString(self.session.socket.recv(timeout=60, decode=False))
            kind = answer.WhichOneof("type")
            if kind == "new_session":
                has_begun = True
                self.elements.clear()
            elif kind == "delta" and answer.delta.WhichOneof("type") == "new_element":
                self.elements[tuple(answer.metadata.delta_path)] = answer.delta.new_element
            elif kind == "script_finished" and has_begun and answer.script_finished in ENDED:
                return

    def shown(self, kind: str) -> list[Any]:
        """The elements of a kind."""
        return [one for one in self.elements.values() if one.WhichOneof("type") == kind]

    @property
    def text(self) -> str:
        """All HTML and all alerts of the page."""
        assert not self.shown("exception"), self.shown("exception")
        return " ".join([one.html.body for one in self.shown("html")] + [one.alert.body for one in self.shown("alert")])

    def heading(self) -> str:
        """The page's heading and the line below it."""
        found = re.search(r"<h1[^>]*>(.*?)</h1><p[^>]*>(.*?)</p>", self.text)
        assert found, self.text
        return f"{found[1]} | {found[2]}"


@contextlib.contextmanager
def reading(address: str, page: str = "") -> Iterator[Reader]:
    with stranger.session(address) as session:
        yield Reader(session, page)


def uploaded(address: str, number: int) -> str:
    """Upload a submission of its own and save it; what the page says in the end."""
    name = f"training_results_v1.1_{number}.zip"
    content = packed(making_training.group([10 + number + run / 10 for run in range(10)]))
    deadline = time.monotonic() + SECONDS
    with reading(address, "my-results") as reader:
        reader.run()
        path = reader.session.path()
        assert reader.session.put(stranger.form(content, name), path).status == 204
        uploader = reader.shown("file_uploader")[0].file_uploader.id
        info = UploadedFileInfo(name=name, size=len(content), file_id=path.rpartition("/")[2])
        info.file_urls.file_id = info.file_id
        info.file_urls.upload_url = info.file_urls.delete_url = path
        state = WidgetState(id=uploader)
        state.file_uploader_state_value.uploaded_file_info.append(info)
        reader.widgets[uploader] = state
        reader.run()
        while not any(one.button.label == "Save" for one in reader.shown("button")):
            assert time.monotonic() < deadline, reader.text
            time.sleep(1)
            reader.widgets.clear()
            reader.run()
        reader.run(button="Save")
        return reader.heading()


def filtered(address: str, number: int, done: threading.Event) -> set[tuple[str, str]]:
    """Filter until the others are done: (benchmark, heading) of every answer."""
    found = set()
    with reading(address) as reader:
        for turn in range(1000):
            benchmark = BENCHMARKS[(number + turn) % len(BENCHMARKS)]
            reader.run(QUERY + benchmark)
            found.add((benchmark, reader.heading()))
            if done.is_set() and turn >= len(BENCHMARKS):
                return found
            time.sleep(2)
    return found


def memory_mb(port: int) -> float:
    """What the server on a port holds in memory."""
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            words = (process / "cmdline").read_bytes().split(b"\0")
            if b"streamlit" in words and str(port).encode() in words:
                status = (process / "status").read_text()
                return int(re.findall(r"VmRSS:\s+(\d+) kB", status)[0]) / 1024
    raise AssertionError(f"no server on port {port}")


def test_twenty_upload_and_twenty_filter(tmp_path: Path) -> None:
    port, catalog = serving.free_port(), tmp_path / "own.duckdb"
    settings = {"ROUNDTABLE_OWN_FILE": str(catalog), "ROUNDTABLE_OWN": "session"}
    with serving.serving(serving.dashboard(port), port, **settings) as address:
        quiet, done = threading.Event(), threading.Event()
        quiet.set()
        expected = filtered(address, 0, quiet)
        uploaded(address, EACH)
        before = memory_mb(port)
        with ThreadPoolExecutor(2 * EACH) as pool:
            filters = [pool.submit(filtered, address, number, done) for number in range(EACH)]
            try:
                said = list(pool.map(lambda number: uploaded(address, number), range(EACH)))
            finally:
                done.set()
            answers = [one.result() for one in filters]
        filtered(address, 0, quiet)  # Streamlit forgets sessions that ended when another one ends
        time.sleep(2)
        after = memory_mb(port)
    assert all(answer <= expected for answer in answers)
    assert all(text.startswith("You have 1 own result in 1 upload") for text in said), said
    with duckdb.connect(str(catalog), read_only=True) as kept:
        rows = kept.execute(
            "select uploads.name, count(distinct results.result_id), count(distinct runs.name)"
            " from uploads join results using (upload_id) join runs using (upload_id) group by all"
        ).fetchall()
    assert sorted(rows) == sorted((f"training_results_v1.1_{number}.zip", 1, 10) for number in range(EACH + 1))
    assert after <= 1.3 * before, (before, after)
