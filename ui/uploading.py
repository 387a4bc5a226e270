"""Uploading on the screen: choose files, watch them being read, see what would be saved, label it, save it.

What is under way lies in the session's state: a `Reading`, then a `Draft`, else nothing. Reading happens in `ui.jobs`.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

import streamlit as st

from loaders.own import MAX_TITLE, Saved
from loaders.trees.protocol import Label
from loaders.upload import Entry, Preview
from mlperf.errors import DashboardError
from mlperf.metrics import count_text
from mlperf.model import OF_RUNS, Kind
from ui import jobs, labelling, own, previewing, report, session, verdicts
from ui.previewing import Draft

READING: Final = "mine.reading"
DRAFT: Final = "mine.draft"
MESSAGE: Final = "mine.message"
"""What became of the last upload or change."""
UPLOAD: Final = "upload"
"""The parameter of the link that names a saved upload."""
_TURN: Final = "mine.turn"
"""Numbers the uploads of a session: fresh controls for each."""
LOOK_SECONDS: Final = 0.5
AT_ONCE_SECONDS: Final = 0.3
"""How long a page waits for a reading before it shows how far it is."""
KINDS: Final[tuple[Kind, ...]] = (*OF_RUNS, "inference")
ACCEPTED: Final = (
    "LoadGen and mllog logs, parts of a submission, tables (.csv, .json, .xlsx); single files, folders, .zip, .tar.gz. "
    "Nothing is saved before you say so."
)
FEW: Final = 5
"""Refused files that a warning names; more stand in a table."""
SAID_SECONDS: Final = 20.0
"""How long the page goes on saying that something is done, while its reader does other things."""
MEGABYTE: Final = 1 << 20


@dataclass(frozen=True)
class Message:
    """What became of an upload or a change."""

    text: str
    """Markdown: texts of data only through `report.verbatim`."""
    fault: DashboardError | None = None
    said: float = field(default_factory=time.monotonic)


def is_busy() -> bool:
    """Whether an upload is under way."""
    return READING in st.session_state or DRAFT in st.session_state


def draft() -> Draft | None:
    """The upload that waits to be saved. Takes what was read over, and says what went wrong."""
    reading: jobs.Reading | None = st.session_state.get(READING)
    if reading is not None and reading.wait(AT_ONCE_SECONDS):
        del st.session_state[READING]
        try:
            inspected = reading.outcome()
        except DashboardError as fault:
            _end(Message("", fault))
        else:
            if inspected is not None:
                st.session_state[DRAFT] = Draft(inspected, {}, inspected.unlabelled)
    found: Draft | None = st.session_state.get(DRAFT)
    return found


def message() -> None:
    """Say what became of the last upload or change: for a while, a fault until there is another one."""
    last: Message | None = st.session_state.get(MESSAGE)
    if last is None:
        return
    with report.faults():
        if last.fault is not None:
            raise last.fault
        if time.monotonic() - last.said < SAID_SECONDS:
            st.success(last.text)


def choose() -> None:
    """The two ways to choose what to upload; while one upload is under way, what was chosen for it."""
    turn = st.session_state.setdefault(_TURN, 0)
    ways: dict[str, tuple[str, Literal[True, "directory"]]]
    ways = {f"mine.files.{turn}": ("Files or archives", True), f"mine.folder.{turn}": ("A whole folder", "directory")}
    if is_busy():
        ways = {key: way for key, way in ways.items() if st.session_state.get(key)}
    else:
        st.caption(f"{ACCEPTED} At most {own.limits().upload_bytes // MEGABYTE:,} MB.")
    grid = st.grid(len(ways), min_column_width=300, key="mine.ways") if ways else None
    for key, (label, several) in ways.items():
        assert grid is not None
        with grid.cell():
            st.file_uploader(
                label, accept_multiple_files=several, key=key, on_change=_begin, args=(key,), disabled=is_busy()
            )


def watch() -> None:
    """How far the reading is, and a button that ends it."""
    if READING in st.session_state:
        _watched()


@st.fragment(run_every=LOOK_SECONDS)
def _watched() -> None:
    reading: jobs.Reading | None = st.session_state.get(READING)
    if reading is None or reading.is_done:
        st.rerun()
    found = reading.progress
    size = f"{found.done / 1e6:,.1f} of {found.total / 1e6:,.1f} MB"
    doing = "Waiting until other uploads are read:" if found.is_waiting else f"Reading, {size}:"
    with st.container(horizontal=True, vertical_alignment="bottom", key="mine.watched"):
        st.progress(found.share, f"{doing} {report.verbatim(verdicts.brief(found.file))}")
        st.button("Cancel", key="mine.cancel", on_click=_cancel)


def _begin(key: str) -> None:
    """Files were chosen: read them."""
    files = st.session_state[key]
    if not files or is_busy():
        return
    st.session_state.pop(MESSAGE, None)
    try:
        st.session_state[READING] = jobs.Reading(files, own.limits())
    except DashboardError as fault:
        _end(Message("", fault))


def _cancel() -> None:
    reading: jobs.Reading | None = st.session_state.pop(READING, None)
    if reading is not None:
        reading.cancel()
        _end(Message("Cancelled. Nothing of it was kept."))


def _end(said: Message) -> None:
    """Nothing is under way any more; the next upload has controls of its own."""
    for name in (READING, DRAFT):
        st.session_state.pop(name, None)
    st.session_state[_TURN] = st.session_state.get(_TURN, 0) + 1
    st.session_state[MESSAGE] = said


def heading(found: Draft) -> tuple[str, str]:
    """What was found, in words, and what to do."""
    seen, name = found.preview, verdicts.brief(found.inspected.name)
    runs = sum(len(entry.runs) for entry in seen.entries)
    counted = [count_text(number, what) for number, what in ((seen.results, "result"), (runs, "run")) if number]
    if not counted:
        return f"Nothing to save in {name}", "See below what was found, and why it gives no result."
    state = "" if seen.is_ready else " Some labels are missing: fill in the form, then save."
    return f"{' and '.join(counted)} in {name}", f"A preview: nothing is saved yet.{state}"


def show(found: Draft, known: Mapping[str, Any] | None) -> None:
    """What would be saved: refusals, labels to give, results, what stands behind one, faults, what was skipped.

    `known` is the row of `Catalog.uploads` under which the same content is saved already.
    """
    seen = found.preview
    _refused(seen, found.key)
    gone = seen.results - known["results"] if known else 0
    if known:
        told = "Saving it again changes nothing"
        if gone:
            told = f"Saving brings back {count_text(gone, 'result')} that you deleted"
        st.info(f"The same content is saved already, as {report.verbatim(known['title'])}. {told}.")
    _save(found, is_known=known is not None and not gone)
    for kind in KINDS:
        if lacking := labelling.lacking(seen.entries, kind):
            said = labelling.form(lacking, kind, f"{found.key}.{kind}")
            if said is not None:
                _relabel(found, labelling.applied(lacking, said, found.labels))
    previewing.results(found)
    previewing.behind(found)
    labelled = [entry for entry in seen.entries if entry.has_score or entry.runs]
    if labelled:
        _all_labels(found, labelled)
    previewing.faults(seen, found.key)


def _refused(seen: Preview, key: str) -> None:
    """Archives and files that were refused: named at once where they are few."""
    if len(seen.refused) <= FEW:
        report.warnings("Not read:", map(str, seen.refused))
        return
    st.warning(f"{count_text(len(seen.refused), 'file')} were not read.")
    with st.expander("What was not read, and why", key="mine.refused"):
        verdicts.faults(verdicts.refusals(seen.refused), f"{key}.refused")


def _save(found: Draft, *, is_known: bool) -> None:
    seen = found.preview
    can = seen.is_ready or is_known
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small", key="mine.save"):
        if seen.results or any(entry.runs for entry in seen.entries):
            key = f"mine.title.{found.inspected.sha256[:8]}"
            st.session_state.setdefault(key, verdicts.brief(found.inspected.name, MAX_TITLE))
            st.text_input("Title", key=key, max_chars=MAX_TITLE, width=340)
            st.button(
                "Save", type="primary", key="mine.save.button", on_click=_saved, args=(found, key),
                disabled=not can, help=None if can else _why_not(seen),
            )  # fmt: skip
        st.button("Discard", key="mine.discard", on_click=_end, args=(Message("Discarded. Nothing of it was kept."),))


def _why_not(seen: Preview) -> str:
    """Why it cannot be saved yet."""
    if seen.lacking:
        return f"Missing: {labelling.missing_text(seen.lacking)}"
    return "None of it can be saved: see the faults"


def _saved(found: Draft, title: str) -> None:
    """Save, and say what came of it; what cannot be saved stays to be mended."""
    try:
        owner = own.owner()
        if not owner:
            raise DashboardError("Nobody is logged in any more.", fix="Log in, and upload it again.")
        saved = session.catalog().save(
            owner, st.session_state[title], found.inspected, found.preview, own.limits().results
        )
    except DashboardError as fault:
        st.session_state[MESSAGE] = Message("", fault)
        return
    _end(Message(_what_was(saved)))
    st.query_params[UPLOAD] = saved.upload_id


def _what_was(saved: Saved) -> str:
    if saved.was_there:
        return f"The same content was saved before, as {report.verbatim(saved.title)}. Nothing changed."
    counted = [count_text(saved.results, "result")] if saved.results else []
    counted += [count_text(saved.runs, "run")] if saved.runs else []
    return f"Saved {report.verbatim(saved.title)}: {' and '.join(counted)}."


def _relabel(found: Draft, labels: Mapping[str, Label]) -> None:
    st.session_state[DRAFT] = found.labelled(labels)
    st.rerun()


def _all_labels(found: Draft, entries: list[Entry]) -> None:
    panel = st.expander("Labels, result by result", key="mine.labels", on_change="rerun")
    if panel.open:
        with panel:
            labels = labelling.editor(entries, found.labels, f"{found.key}.editor")
        if labels is not None:
            _relabel(found, labels)
