"""What an upload holds before it is saved, as tables: results, what is behind one, faults, what was skipped.

`ui.uploading` leads through an upload; columns and words are the same for saved results (`ui.mine`).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

import pyarrow as pa
import streamlit as st

from loaders.trees.protocol import Label
from loaders.upload import Entry, Inspected, Preview, label_of, preview
from mlperf import metrics, unverified
from mlperf.metrics import count_text
from ui import labelling, paging, report, verdicts


@dataclass(frozen=True)
class Draft:
    """An upload that was read and is not saved."""

    inspected: Inspected
    labels: Mapping[str, Label]
    preview: Preview
    version: int = 0
    """How often labels were given: the controls of each start anew."""

    def labelled(self, labels: Mapping[str, Label]) -> "Draft":
        """The same under other labels."""
        return replace(self, labels=labels, preview=preview(self.inspected, labels), version=self.version + 1)

    @property
    def key(self) -> str:
        """What the keys of its controls begin with."""
        return f"mine.draft.{self.inspected.sha256[:8]}.{self.version}"


SCHEMA: Final = pa.schema([
    ("system", pa.string()), ("value", pa.float64()), ("unit", pa.string()), ("verification", pa.string()),
    ("also_stated", pa.string()), ("benchmark", pa.string()), ("scenario", pa.string()), ("count", pa.string()),
    ("valid", pa.string()),
    ("runs", pa.int64()), ("missing", pa.string()), ("faults", pa.int64()), ("accelerator", pa.string()),
    ("accelerators_per_node", pa.string()), ("nodes", pa.string()), ("round", pa.string()), ("division", pa.string()),
    ("power_value", pa.float64()), ("power_unit", pa.string()), ("accuracy", pa.string()), ("logs", pa.string()),
])  # fmt: skip


def results(found: Draft) -> None:
    """One row per group of logs or figure of a table without a round, then one per figure of the other tables."""
    name = found.inspected.name
    rows = [_row(part, name) for entry in found.preview.entries for part in entry.parts]
    tabled = {seen.sighting_id: seen.sighting for seen in found.preview.tabled}
    rows += [
        {"system": one.system_id or one.system_name, "benchmark": one.benchmark, "scenario": one.scenario,
         "value": one.value, "unit": one.unit, "verification": unverified.MARK, "accelerator": one.accelerator,
         "nodes": str(one.nodes) if one.nodes else None, "round": one.round, "division": one.division,
         "valid": valid(one.valid), "runs": one.runs, "power_value": one.power_value,
         "power_unit": one.power_unit, "accuracy": one.accuracy, "logs": verdicts.inside(str(one.where), name)}
        for one in tabled.values()
    ]  # fmt: skip
    if rows:
        verdicts.table(
            pa.Table.from_pylist(rows, schema=SCHEMA),
            f"{found.key}.results",
            "What would be saved",
            columns(),
            paging.room(),
        )


def _row(entry: Entry, upload: str) -> dict[str, Any]:
    known, told = label_of(entry), entry.measurement
    figure = entry.seen[0].sighting if entry.seen else told
    return {
        "system": known.system_id or known.system_name, "benchmark": known.benchmark, "scenario": known.scenario,
        "value": figure.value if figure else None, "unit": figure.unit if figure and entry.has_score else None,
        "verification": unverified.MARK if entry.has_score else None,
        "also_stated": metrics.also_stated(figure._asdict()) if figure else None,
        "count": verdicts.short(one.verdict for one in entry.checks), "valid": valid(told.valid if told else None),
        "runs": len(entry.runs) or None, "missing": labelling.missing_text(entry.missing) or None,
        "faults": len(entry.problems) or None, "accelerator": known.accelerator,
        "accelerators_per_node": known.accelerators_per_node, "nodes": known.nodes, "round": known.round,
        "division": known.division, "power_value": figure.power_value if figure else None,
        "power_unit": figure.power_unit if figure else None, "accuracy": figure.accuracy if figure else None,
        "logs": verdicts.inside(entry.group, upload),
    }  # fmt: skip


def valid(is_valid: bool | None) -> str | None:
    """What LoadGen says of its own run, as a word and a sign."""
    return None if is_valid is None else "✓ valid" if is_valid else "✗ invalid"


def columns() -> dict[str, Any]:
    """The settings of columns of own results, before and after they are saved."""
    text, number = st.column_config.TextColumn, st.column_config.NumberColumn
    known = metrics.column
    return {
        "system": text(known("system").label, width=200),
        "value": number(known("value").label, format=known("value").format, width=90),
        "unit": text(known("unit").label, width=80),
        "verification": text(known("verification").label, help=known("verification").help, width=90),
        "also_stated": text(known("also_stated").label, help=known("also_stated").help, width=200),
        "benchmark": text(known("benchmark").label, width=110), "scenario": text(known("scenario").label, width=100),
        "count": text("Would it count?", width=120), "valid": text("LoadGen says", width=95),
        "runs": number("Runs", width=55), "missing": text("Missing", width=200), "faults": number("Faults", width=60),
        "accelerator": text(known("accelerator").label, width=180), "accelerators_per_node": text("Per node", width=70),
        "nodes": text("Nodes", width=60), "round": text("Round", width=60), "division": text("Division", width=75),
        "power_value": number(known("power_value").label, format=known("power_value").format, width=110),
        "power_unit": text(known("power_unit").label, width=90),
        "accuracy": text(known("accuracy").label, width=150), "logs": text("Logs", width=350),
    }  # fmt: skip


def behind(found: Draft) -> None:
    """What stands behind one result; first the one that most stands against."""
    entries = sorted(
        found.preview.entries, key=lambda entry: -sum(one.verdict == "broken" for one in entry.checks)
    )  # fmt: skip
    if not entries:
        return
    titles = verdicts.narrowed({entry.group: title(entry) for entry in entries}, found.key)
    if not titles:
        return
    group = st.selectbox(
        "Behind a result", list(titles), key=f"{found.key}.behind", format_func=titles.__getitem__, width=640
    )
    entry = next((entry for entry in entries if entry.group == group), entries[0])
    verdicts.show(verdicts.told(entry), f"{found.key}.told")


def title(entry: Entry) -> str:
    """A group of logs in a list."""
    known = label_of(entry)
    row = _row(entry, "")
    figure = f"{metrics.number_text(row['value'])} {row['unit'] or ''} ({unverified.MARK})" if entry.has_score else ""
    parts = [known.benchmark, known.scenario, figure, known.system_id or known.system_name]
    return " · ".join(part for part in parts if part) or entry.group


def faults(seen: Preview, key: str) -> None:
    """What is wrong in the upload, and what was not read."""
    rows = verdicts.problems([*seen.problems, *(one for entry in seen.entries for one in entry.problems)])
    if rows.num_rows:
        with st.expander(f"{count_text(rows.num_rows, 'fault')} in the logs", key="mine.faults"):
            verdicts.faults(rows, f"{key}.faults")
    if seen.skipped:
        with st.expander(f"{count_text(len(seen.skipped), 'file')} skipped", key="mine.skipped"):
            text = st.column_config.TextColumn
            skipped = pa.Table.from_pylist([{"file": file, "looks": looks} for file, looks in seen.skipped])
            columns = {"file": text("File", width=500), "looks": text("Looks like", width=400)}
            verdicts.table(skipped, f"{key}.skipped", "Files that were not read", columns)
    report.note(_recognised(seen.recognised.items()))


def _recognised(found: Iterable[tuple[str, int]]) -> list[str]:
    told = [f"{count_text(number, 'file')} as {what.replace('`', '')}" for what, number in found]
    return [f"Recognised: {'; '.join(told)}"] if told else []
