"""A reader's saved uploads on the screen: what they hold, whether it would count, where it stands, and its files.

Who the reader is says `ui.own`; every read and change goes through the catalog with that owner.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any, Final

import pyarrow as pa
import streamlit as st

from loaders.own import MAX_NOTE, MAX_TITLE, Catalog, label_of
from loaders.trees.protocol import Label
from mlperf import export, metrics, queries, unverified
from mlperf.citation import UNVERIFIED_RESULT
from mlperf.errors import DashboardError
from mlperf.metrics import count_text
from mlperf.model import RESULT_COLUMNS, Kind
from mlperf.systems import SystemKey
from ui import beside, labelling, link, own, paging, previewing, report, session, uploading, verdicts

RESULT: Final = "result"
"""The parameter of the link that names one result of the upload."""
TITLE: Final = "mine.edit.title"
NOTE: Final = "mine.edit.note"
SHARED: Final = "mine.edit.shared"
FORMS: Final[tuple[export.Format, ...]] = ("csv", "parquet")

Row = dict[str, Any]


def heading(uploads: Sequence[Row]) -> tuple[str, str]:
    """How much a reader has, in words."""
    results, runs = sum(row["results"] for row in uploads), sum(row["runs"] for row in uploads)
    if not uploads:
        return (
            "Your own results beside the published ones",
            "Upload the logs of your own runs: what they score, whether they would count, and where they stand.",
        )
    many = count_text(len(uploads), "upload")
    below = f"{count_text(runs, 'training run')} among them. " if runs else ""
    return (
        f"You have {count_text(results, 'own result')} in {many}",
        f"{below}All of it is {unverified.MARK}; the switch above shows it beside the published results.",
    )


def show(catalog: Catalog, owner: str, uploads: Sequence[Row]) -> None:
    """One upload: its controls, its results, what is behind one of them."""
    choices = link.Choices("my-results")
    if not uploads:
        choices.warn()
        return
    names = {row["upload_id"]: _named(row) for row in uploads}
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small", key="mine.saved"):
        chosen = choices.one(uploading.UPLOAD, "Saved upload", list(names), names=names, width=420)
        upload = next(row for row in uploads if row["upload_id"] == chosen)
        _edit(catalog, owner, upload)
        _delete(catalog, owner, upload)
        _files(catalog, owner, upload, uploads)
    report.note([f"Note: {upload['note']}"] if upload["note"] else [])
    _upload(catalog, owner, upload, choices)


def _named(row: Row) -> str:
    saved = row["saved"].strftime("%Y-%m-%d %H:%M")
    shared = " · shared with everyone" if row["is_shared"] else ""
    return f"{row['title']} · {count_text(row['results'], 'result')} · {saved} UTC{shared}"


def _edit(catalog: Catalog, owner: str, upload: Row) -> None:
    """Title and note; where people log in, whether everyone sees it."""
    panel = st.popover("Rename, note", key="mine.edit", on_change="rerun", icon=":material/edit:")
    if not panel.open:
        return
    keys = {name: f"{name}.{upload['upload_id']}" for name in (TITLE, NOTE, SHARED)}
    for name, value in ((TITLE, upload["title"]), (NOTE, upload["note"]), (SHARED, upload["is_shared"])):
        st.session_state.setdefault(keys[name], value)
    with panel:
        st.text_input("Title", key=keys[TITLE], max_chars=MAX_TITLE)
        st.text_area("Note", key=keys[NOTE], max_chars=MAX_NOTE, height=90)
        if own.mode() == "login":
            st.toggle("Share with everyone who is logged in", key=keys[SHARED])
        st.button("Keep", type="primary", key="mine.edit.keep", on_click=_keep, args=(catalog, owner, upload, keys))


def _keep(catalog: Catalog, owner: str, upload: Row, keys: Mapping[str, str]) -> None:
    said = {name: st.session_state.pop(key, None) for name, key in keys.items()}
    upload_id = upload["upload_id"]

    def keep() -> str:
        if said[TITLE] != upload["title"]:
            catalog.rename(owner, upload_id, said[TITLE] or "")
        if said[NOTE] != upload["note"]:
            catalog.annotate(owner, upload_id, said[NOTE] or "")
        if own.mode() == "login" and bool(said[SHARED]) != upload["is_shared"]:
            catalog.share(owner, upload_id, is_shared=bool(said[SHARED]))
        return "Kept."

    _do(keep)


def _delete(catalog: Catalog, owner: str, upload: Row) -> None:
    """Delete an upload; asked once."""
    panel = st.popover("Delete", key="mine.delete", on_change="rerun", icon=":material/delete:")
    if panel.open:
        with panel:
            st.text(f"All of this upload goes: {count_text(upload['results'], 'result')}, runs and checks.")
            st.button(
                "Delete the upload for good", type="primary", key="mine.delete.upload", on_click=_deleted,
                args=(catalog, owner, upload["upload_id"], None),
            )  # fmt: skip


def _deleted(catalog: Catalog, owner: str, upload_id: str, result_id: str | None) -> None:

    def delete() -> str:
        catalog.delete(owner, upload_id, result_id)
        return "Deleted."

    _do(delete)
    for name in (RESULT,) if result_id else (RESULT, uploading.UPLOAD):
        if name in st.query_params:
            del st.query_params[name]


def _files(catalog: Catalog, owner: str, upload: Row, uploads: Sequence[Row]) -> None:
    """The results as files, made when a button is pressed."""
    panel = st.popover("Download", key="mine.download", on_change="rerun", icon=":material/download:")
    if not panel.open:
        return
    wanted = {"This upload": [upload], **({"All uploads": list(uploads)} if len(uploads) > 1 else {})}
    with panel:
        for name, rows in wanted.items():
            with st.container(horizontal=True, key=f"mine.download.{name}"):
                for form in FORMS:
                    st.download_button(
                        f"{name} as {form.upper() if form == 'csv' else form.capitalize()}",
                        partial(written, catalog, owner, [row["upload_id"] for row in rows], form),
                        f"mlperf_own_results.{form}",
                        export.MEDIA_TYPES[form],
                        key=f"mine.download.{name}.{form}",
                        on_click="ignore",
                    )


def written(catalog: Catalog, owner: str, uploads: Sequence[str], form: export.Format) -> bytes:
    """A file of own results with the columns of every file of results."""
    found = pa.concat_tables([catalog.results(owner, upload_id) for upload_id in uploads])
    return export.write(found.select(list(RESULT_COLUMNS)), form)


def _upload(catalog: Catalog, owner: str, upload: Row, choices: link.Choices) -> None:
    """The results of an upload as a table, what is behind one, and what is wrong in the logs."""
    upload_id = upload["upload_id"]
    results = catalog.results(owner, upload_id).to_pylist()
    checks, runs = catalog.checks(owner, upload_id).to_pylist(), catalog.runs(owner, upload_id).to_pylist()
    faults = catalog.problems(owner, upload_id)
    _results(upload, results, checks, runs)
    behind = _behind(results, checks, runs)
    titles = {name: title for name, (title, _) in behind.items()}
    names = verdicts.narrowed(titles, f"mine.{upload_id}", link.query().get(RESULT, ()))
    chosen = choices.one(RESULT, "Behind a result", list(names), names=names, width=640)
    choices.warn()
    if chosen:
        _, group = behind[chosen]
        row = next((row for row in results if row["result_id"] == chosen), None)
        if row is not None:
            report.links("Beside the published field:", beside.addresses(row))
        verdicts.show(_told_of(group, row, checks, runs, faults.to_pylist()), f"mine.{upload_id}.{chosen}")
        if row is not None:
            _change(catalog, owner, upload_id, row, results)
    if faults.num_rows:
        with st.expander(f"{count_text(faults.num_rows, 'fault')} in the logs", key="mine.upload.faults"):
            verdicts.faults(verdicts.problems_of(faults.to_pylist()), f"mine.{upload_id}.faults")


SCHEMA: Final = pa.schema([
    ("system", pa.string()), ("value", pa.float64()), ("unit", pa.string()), ("verification", pa.string()),
    ("also_stated", pa.string()), ("benchmark", pa.string()), ("scenario", pa.string()), ("count", pa.string()),
    ("valid", pa.string()),
    ("runs", pa.int64()), ("accelerator", pa.string()), ("accelerator_count", pa.int64()), ("nodes", pa.int64()),
    ("round", pa.string()), ("suite", pa.string()), ("division", pa.string()), ("power_value", pa.float64()),
    ("power_unit", pa.string()), ("accuracy", pa.string()), ("processor", pa.string()), ("framework", pa.string()),
    ("logs", pa.string()),
])  # fmt: skip


def _results(upload: Row, results: Sequence[Row], checks: Sequence[Row], runs: Sequence[Row]) -> None:
    """One row per result and suite, then one per group of logs without a score."""
    verdict: dict[tuple[str | None, str], list[str]] = {}
    for one in checks:
        verdict.setdefault(_of(one, one["group_name"]), []).append(one["verdict"])
    rows = [
        {**row, "system": row["system_id"] or row["system_name"], "verification": unverified.MARK,
         "also_stated": metrics.also_stated(row), "count": verdicts.short(verdict.get((row["result_id"], ""), ())),
         "valid": previewing.valid(row["valid"]), "logs": verdicts.inside(row["source_path"], upload["name"])}
        for row in results
    ]  # fmt: skip
    for group in _unscored(checks, runs):
        count = sum(run["result_id"] is None and run["location"] == group for run in runs)
        rows.append(
            {
                "logs": verdicts.inside(group, upload["name"]),
                "count": verdicts.short(verdict.get((None, group), ())),
                "runs": count or None,
            }
        )
    told = [{name: row.get(name) for name in SCHEMA.names} for row in rows]
    table = pa.Table.from_pylist(told, schema=SCHEMA)
    key = f"mine.{upload['upload_id']}.results"
    verdicts.table(table, key, "Your results, all of them unverified", _columns(), paging.room())


def _columns() -> dict[str, Any]:
    text, number = st.column_config.TextColumn, st.column_config.NumberColumn
    known = metrics.column
    numbers = ("accelerator_count", "nodes")
    texts = ("suite", "processor", "framework")
    settings = {
        **previewing.columns(),
        **{name: number(known(name).label, format=known(name).format, width=85) for name in numbers},
        **{name: text(known(name).label) for name in texts},
    }
    return {name: settings[name] for name in SCHEMA.names}


def _of(row: Row, group: str) -> tuple[str | None, str]:
    """What a row of checks or runs is of: a result, or logs that give none."""
    return (row["result_id"], "") if row["result_id"] else (None, group)


def _unscored(checks: Iterable[Row], runs: Iterable[Row]) -> list[str]:
    """The logs without a score, by their folders."""
    groups = [one["group_name"] for one in checks if one["result_id"] is None]
    groups += [run["location"] or "" for run in runs if run["result_id"] is None]
    return list(dict.fromkeys(groups))


def _behind(results: Sequence[Row], checks: Sequence[Row], runs: Sequence[Row]) -> dict[str, tuple[str, str]]:
    """What can be looked behind, by its name in the link: a title, and the folder of the logs."""
    groups = {one["result_id"]: one["group_name"] for one in checks if one["result_id"]}
    found = {row["result_id"]: (title(row), groups.get(row["result_id"], "")) for row in results}
    for number, group in enumerate(_unscored(checks, runs), 1):
        found[f"logs-{number}"] = (f"No score · {group}", group)
    return found


def title(row: Row) -> str:
    """A result in a list."""
    figure = (
        f"{metrics.number_text(row['value'])} {row['unit']} ({unverified.MARK})" if row["value"] is not None else ""
    )
    return " · ".join(filter(None, [row["benchmark"], row["scenario"], figure, row["system_id"] or row["system_name"]]))


def _told_of(
    group: str, row: Row | None, checks: Sequence[Row], runs: Sequence[Row], faults: Sequence[Row]
) -> verdicts.Told:
    mine = (row["result_id"], "") if row is not None else (None, group)
    places = queries.sightings(_view(), row["result_id"]).to_pylist() if row is not None else []
    here = [one for one in faults if group and (one["file"] == group or one["file"].startswith(f"{group}/"))]
    return verdicts.Told(
        group or (row["source_path"] if row is not None else ""),
        verdicts.checks_of(one for one in checks if _of(one, one["group_name"]) == mine),
        verdicts.runs_of([run for run in runs if _of(run, run["location"] or "") == mine]),
        verdicts.problems_of(here),
        verdicts.places(dict.fromkeys((one["source"], one["source_path"], one["line"]) for one in places)),
    )


def _view() -> queries.Readable:
    found = session.view()
    assert found is not None  # the page asked for the catalog before
    return found


def _change(catalog: Catalog, owner: str, upload_id: str, row: Row, results: Sequence[Row]) -> None:
    """Label one result anew, or delete it; asked once."""
    with st.container(horizontal=True, gap="small", key="mine.change"):
        panel = st.popover("Delete this result", key="mine.one.delete", on_change="rerun", icon=":material/delete:")
        if panel.open:
            with panel:
                st.text("This result goes, with its runs and checks.")
                st.button(
                    "Delete the result for good", type="primary", key="mine.delete.result", on_click=_deleted,
                    args=(catalog, owner, upload_id, row["result_id"]),
                )  # fmt: skip
    if not row["measurement"]:
        return
    labels = st.expander("Edit the labels of this result", key="mine.relabel", on_change="rerun")
    if labels.open:
        with labels:
            _relabel(catalog, owner, upload_id, row, results)


def _relabel(catalog: Catalog, owner: str, upload_id: str, row: Row, results: Sequence[Row]) -> None:
    kind: Kind = SystemKey.of(row).kind
    key = f"mine.relabel.{row['result_id']}.{catalog.version}"
    said = labelling.again(label_of(row["measurement"]), kind, key)
    alike = {one["result_id"]: None for one in results
             if SystemKey.of(one) == SystemKey.of(row) and one["measurement"]}  # fmt: skip
    more = len(alike) - 1
    is_for_all = more > 0 and st.toggle(
        f"Also for the {count_text(more, 'other result')} of this system", key=f"{key}.all"
    )
    wanted = [*alike] if is_for_all else [row["result_id"]]
    st.button(
        "Keep the labels", type="primary", key=f"{key}.keep", on_click=_relabelled,
        args=(catalog, owner, upload_id, wanted, said),
    )  # fmt: skip


def _relabelled(catalog: Catalog, owner: str, upload_id: str, wanted: Sequence[str], said: Label) -> None:
    def relabel() -> str:
        found = [problem for one in wanted for problem in catalog.relabel(owner, upload_id, one, said)]
        return "The labels are kept" + (
            f", and bring this up: {report.verbatim(' '.join(map(str, found)))}" if found else "."
        )

    _do(relabel)


def _do(action: Callable[[], str]) -> None:
    """A change, and what came of it: what it says, or why it could not be."""
    try:
        said = uploading.Message(action())
    except DashboardError as fault:
        said = uploading.Message("", fault)
    st.session_state[uploading.MESSAGE] = said


def footnote() -> None:
    """The sentence that the rules ask for."""
    report.note([UNVERIFIED_RESULT])
