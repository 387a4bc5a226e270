"""Labels: what logs do not hold (system, accelerator, round, division), asked of their owner.

One small form for all results that lack something, filled from folders, systems JSON and a published system that the
owner points at; a table for those that differ. What a label does to a result is for `loaders` to say.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any, Final

import pyarrow as pa
import streamlit as st

from loaders.own import SUBMITTER
from loaders.trees.protocol import Label
from loaders.upload import Entry, label_of, shown_text
from mlperf import queries
from mlperf.facts import facts
from mlperf.model import Kind
from mlperf.systems import SystemKey
from ui import report, session, verdicts

NONE: Final = "none"
"""What stands for no accelerator at all."""
NAMES: Final[Mapping[str, str]] = {
    "round": "Round", "division": "Division", "availability": "Availability", "system_id": "System ID",
    "system_name": "System name", "accelerator": "Accelerator", "accelerators_per_node": "Accelerators per node",
    "nodes": "Nodes", "suites": "System type", "benchmark": "Benchmark", "scenario": "Scenario",
    "processor": "Processor", "framework": "Software",
}  # fmt: skip
"""Fields of `Label` as people call them."""
SUITES: Final[Mapping[str, str]] = {"datacenter": "Datacenter", "edge": "Edge", "datacenter,edge": "Both"}
TOGETHER: Final[Mapping[str, tuple[str, ...]]] = {
    "accelerator": ("accelerators_per_node", "nodes"),
    "accelerators_per_node": ("nodes",),
    "system_id": ("accelerator", "accelerators_per_node", "nodes", "processor", "framework"),
}
"""What is asked along with a field, where it is not known either."""
FILLED: Final = ("system_id", "accelerator", "accelerators_per_node", "nodes", "processor", "framework", "suites",
                 "division")  # fmt: skip
"""What a published system fills in."""
EDITED: Final = ("round", "division", "system_id", "accelerator", "accelerators_per_node", "nodes", "suites",
                 "processor", "framework")  # fmt: skip
WIDTHS: Final[Mapping[str, int]] = {"accelerators_per_node": 165, "nodes": 90}
CLOSED: Final = "closed"

Labels = Mapping[str, Label]
"""What the owner says, by the group that it is of."""


def lacking(entries: Sequence[Entry], kind: Kind) -> list[Entry]:
    """The groups of a kind that cannot be saved as they are."""
    return [entry for entry in entries if entry.kind == kind and entry.missing and (entry.has_score or entry.runs)]


def asked(entries: Sequence[Entry]) -> list[str]:
    """The fields to ask for, in the order of `NAMES`."""
    wanted = {name for entry in entries for name in entry.missing}
    for name in [*wanted]:
        along = TOGETHER.get(name, ())
        wanted |= {one for one in along if any(not getattr(label_of(entry), one) for entry in entries)}
    return [name for name in NAMES if name in wanted]


def form(entries: Sequence[Entry], kind: Kind, key: str) -> Label | None:
    """The form for groups of one kind that lack something; the label when its button is pressed."""
    fields = asked(entries)
    figures = sum(len(entry.parts) for entry in entries)
    count = "1 result" if figures == 1 else f"{figures:,} results"
    with st.container(border=True, key=f"{key}.form"):
        st.markdown(f"**The upload does not say all of it.** This goes for {count}; what it says stays.")
        with st.container(horizontal=True, vertical_alignment="bottom", gap="small", key=f"{key}.first"):
            round_id = _round(entries, kind, key, is_asked="round" in fields)
            if "division" in fields:
                st.selectbox("Division", facts().divisions, key=f"{key}.division", width=120)
            _like(kind, round_id, key, entries)
        with st.container(horizontal=True, vertical_alignment="bottom", gap="small", key=f"{key}.second"):
            for name in fields:
                if name not in {"round", "division", "processor", "framework"}:
                    _field(name, entries, kind, round_id, key)
        with st.container(horizontal=True, vertical_alignment="bottom", gap="small", key=f"{key}.third"):
            for name in ("processor", "framework"):
                if name in fields:
                    _text(name, entries, key, "As you like; it is shown beside the result")
            if not st.button("Apply", type="primary", key=f"{key}.apply"):
                return None
    return Label(**{name: _said(f"{key}.{name}") for name in fields})


def applied(entries: Sequence[Entry], said: Label, labels: Labels) -> dict[str, Label]:
    """The labels with what a form said of the groups that lack it; what logs or folders say stays."""
    found = dict(labels)
    for entry in entries:
        known = label_of(entry)
        new = {
            name: text
            for name, text in asdict(said).items()
            if text and (name in entry.missing or not getattr(known, name))
        }
        found[entry.group] = replace(found.get(entry.group, labels.get("", Label())), **new)
    return found


def editor(entries: Sequence[Entry], labels: Labels, key: str) -> dict[str, Label] | None:
    """A table of all labels, one row per group, to be written into; the new labels when its button is pressed."""
    rows = _editable(entries)
    edited = st.data_editor(
        rows,
        key=key,
        hide_index=True,
        disabled=["group", "benchmark", "scenario"],
        column_config=_columns(entries),
        height=38 + 35 * min(verdicts.ROWS, rows.num_rows),
        alt="The labels of each result",
    )
    if not st.button("Apply these labels", key=f"{key}.apply"):
        return None
    return changed(rows, edited, labels)


def changed(before: pa.Table, after: pa.Table, labels: Labels) -> dict[str, Label]:
    """The labels with every cell that its owner changed; an emptied cell takes back what was said before."""
    found = dict(labels)
    for old, new in zip(before.to_pylist(), after.to_pylist(), strict=True):
        said = {name: new[name] or None for name in EDITED if (new[name] or None) != (old[name] or None)}
        if said:
            found[old["group"]] = replace(found.get(old["group"], labels.get("", Label())), **said)
    return found


def again(known: Label, kind: Kind, key: str) -> Label:
    """Fields to label a saved result anew; its round, benchmark and scenario stay, for they decide its score."""
    for name, text in asdict(known).items():
        _preset(f"{key}.{name}", shown_text(text) if text else None)
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small", key=f"{key}.again"):
        for name in ("system_id", "system_name"):
            st.text_input(NAMES[name], key=f"{key}.{name}", width=250)
        _accelerator(key)
        for name in ("accelerators_per_node", "nodes"):
            st.text_input(NAMES[name], key=f"{key}.{name}", width=WIDTHS[name])
        _choice("division", facts().divisions, key)
        _choice("availability", facts().availabilities, key)
        if kind == "inference":
            _choice("suites", list(SUITES), key)
        for name in ("processor", "framework"):
            st.text_input(NAMES[name], key=f"{key}.{name}", width=250)
    fields = ("system_id", "system_name", "accelerator", "accelerators_per_node", "nodes", "division", "availability",
              "processor", "framework", *(("suites",) if kind == "inference" else ()))  # fmt: skip
    return Label(**{name: text for name in fields if (text := _said(f"{key}.{name}")) != getattr(known, name)})


def _round(entries: Sequence[Entry], kind: Kind, key: str, *, is_asked: bool) -> str:
    """The round that the groups are of: asked, the newest that has their benchmarks at first; or what they say."""
    said = {label_of(entry).round for entry in entries}
    if not is_asked:
        return next((text for text in said if text), "")
    rounds = [one.id for one in facts().rounds if one.kind == kind][::-1]
    benchmarks = {name for entry in entries if (name := label_of(entry).benchmark)}
    newest = session.newest(kind)
    fitting = [one for one in rounds if all(facts().benchmark(kind, name, one) for name in benchmarks)]
    usual = newest if newest in fitting else next(iter(fitting), newest or rounds[0])
    _preset(f"{key}.round", usual)
    return str(st.selectbox("Round", rounds, key=f"{key}.round", width=100))


def _like(kind: Kind, round_id: str, key: str, entries: Sequence[Entry]) -> None:
    """A published system of the round, which fills the form."""
    published = {text: known.key for text, known in session.systems(kind).items()
                 if known.key.round == round_id and not known.key.submitter.startswith(SUBMITTER)}  # fmt: skip
    if not published:
        return
    st.selectbox(
        f"Like a published system of {round_id}",
        list(published),
        index=None,
        key=f"{key}.like.{round_id}",
        format_func=lambda text: f"{published[text].system} · {published[text].submitter}",
        placeholder="Fills the form; type to search",
        on_change=_fill,
        args=(f"{key}.like.{round_id}", key, asked(entries)),
        width=420,
    )


def _fill(like: str, key: str, fields: Sequence[str]) -> None:
    chosen = st.session_state[like]
    known = SystemKey.parse(chosen) if chosen else None
    if known is None:
        return
    for name, text in filled(known).items():
        if name in fields and text:
            st.session_state[f"{key}.{name}"] = text


def filled(known: SystemKey) -> dict[str, str | None]:
    """What a published system says of the fields of a form: `FILLED`."""
    rows = session.ask(queries.system_results, (known,)).to_pylist()
    if not rows:
        return {}
    first = rows[0]
    nodes, total = first["nodes"] or 1, first["accelerator_count"]
    is_one_kind = len(first["accelerators"] or ()) == 1
    accelerator = first["accelerator"] if is_one_kind else first["accelerator_raw"]
    types = sorted({kind for row in rows if (kind := row["suite"].partition("-")[2])})
    return {
        "system_id": first["system_id"] or first["system_name"],
        "accelerator": accelerator or NONE,
        "accelerators_per_node": str(total // nodes) if total and total % nodes == 0 else None,
        "nodes": str(nodes),
        "processor": first["processor"],
        "framework": first["framework"],
        "suites": ",".join(types) or None,
        "division": first["division"],
    }


def _field(name: str, entries: Sequence[Entry], kind: Kind, round_id: str, key: str) -> None:
    """One field of the form, filled where all groups say the same."""
    _preset(f"{key}.{name}", _common(name, entries) or ("1" if name == "nodes" else None))
    if name == "accelerator":
        _accelerator(key)
    elif name == "suites":
        _choice(name, list(SUITES), key)
    elif name == "scenario":
        _choice(name, list(dict.fromkeys(one for suite in facts().suites_of(kind) for one in suite.scenarios)), key)
    elif name == "benchmark":
        here = [one.id for one in facts().benchmarks if one.kind == kind and facts().benchmark(kind, one.id, round_id)]
        _choice(name, here, key)
    else:
        _text(name, entries, key)


def _accelerator(key: str) -> None:
    names = [NONE, *sorted(one.name for one in facts().accelerators)]
    said = st.session_state.get(f"{key}.accelerator")
    st.selectbox(
        NAMES["accelerator"],
        [*names, *([said] if said and said not in names else [])],
        index=None,
        key=f"{key}.accelerator",
        format_func=lambda name: "none (processors only)" if name == NONE else name,
        accept_new_options=True,
        placeholder="Choose or type",
        width=260,
    )


def _choice(name: str, options: Sequence[str], key: str) -> None:
    if st.session_state.get(f"{key}.{name}") not in options:
        st.session_state[f"{key}.{name}"] = None
    st.selectbox(
        NAMES[name], options, index=None, key=f"{key}.{name}", format_func=lambda one: SUITES.get(one, one),
        placeholder="Choose", width=150,
    )  # fmt: skip


def _text(name: str, entries: Sequence[Entry], key: str, hint: str | None = None) -> None:
    _preset(f"{key}.{name}", _common(name, entries))
    st.text_input(NAMES[name], key=f"{key}.{name}", help=hint, width=WIDTHS.get(name, 250))


def _common(name: str, entries: Sequence[Entry]) -> str | None:
    said = {getattr(label_of(entry), name) for entry in entries}
    only = next(iter(said)) if len(said) == 1 else None
    return shown_text(only) if only else None


def _preset(key: str, value: Any) -> None:
    """What a control shows before its owner touched it."""
    st.session_state.setdefault(key, value)


def _said(key: str) -> str | None:
    return str(st.session_state.get(key) or "").strip() or None


def _editable(entries: Sequence[Entry]) -> pa.Table:
    names = ("group", "benchmark", "scenario", *EDITED)
    rows = []
    for entry in entries:
        known = asdict(label_of(entry))
        rows.append({"group": entry.group, **{name: known[name] for name in names[1:]}})
    return pa.Table.from_pylist(rows, schema=pa.schema([(name, pa.string()) for name in names]))


def _columns(entries: Sequence[Entry]) -> dict[str, Any]:
    text, select = st.column_config.TextColumn, st.column_config.SelectboxColumn
    kinds = {entry.kind for entry in entries}
    said = [known for entry in entries if (known := label_of(entry).division)]
    rounds = [f"{one.id}" for one in facts().rounds if one.kind in kinds][::-1]
    told = [known for entry in entries if (known := label_of(entry).round)]
    columns = {name: text(NAMES[name], width=150) for name in EDITED}
    return columns | {
        "group": text("Logs", width=260),
        "benchmark": text(NAMES["benchmark"]),
        "scenario": text(NAMES["scenario"]),
        "round": select(NAMES["round"], options=list(dict.fromkeys([*rounds, *told]))),
        "division": select(NAMES["division"], options=list(dict.fromkeys([*facts().divisions, *said]))),
        "suites": select(NAMES["suites"], options=list(SUITES)),
        **{name: text(NAMES[name], width=90) for name in WIDTHS},
    }


def missing_text(fields: Sequence[str]) -> str:
    """The fields that are missing, as people call them."""
    return ", ".join(NAMES.get(name, name) for name in fields)


def faults(found: Sequence[object]) -> None:
    """What new labels brought up."""
    report.warnings("The new labels are kept, and bring this up:", map(str, found))
