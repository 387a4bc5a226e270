"""The footnote that MLCommons' messaging rules ask for, built from the rows that are shown. Plain text only.

Source of every sentence: mlcommons/policies MLPerf_Results_Messaging_Guidelines.adoc.
"""

import datetime
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from mlperf.facts import Facts
from mlperf.figures import Panel
from mlperf.model import Kind

MOST_IDS: Final = 12
MOST_NAMES: Final = 8
MOST_REASONS: Final = 3

ATTRIBUTION: Final = (
    "The MLPerf name and logo are registered and unregistered trademarks of MLCommons Association in the United States "
    "and other countries. All rights reserved. Unauthorized use strictly prohibited. See www.mlcommons.org for more "
    "information."
)
VERIFIED: Final = "Results as published by MLCommons Association, verified."
COMPUTED: Final = (
    "Results of the logs that MLCommons Association published, verified; the figures were computed from these logs by "
    "the rules of the round."
)
PARTLY_COMPUTED: Final = "Figures that no published table states were computed from the published logs."
UNVERIFIED: Final = "Results marked unverified: Result not verified by MLCommons Association."
MIXED: Final = (
    "Unverified results have not been through an MLPerf review and may use measurement methodologies and/or workload "
    "implementations that are inconsistent with the MLPerf specification for verified results."
)
OPEN: Final = (
    "Closed and Open results differ: an Open result may change the model or the way it is trained or run and need not "
    "meet the accuracy of the Closed division."
)
POWER: Final = (
    "Performance of a run with power measurement is not comparable to that of a run without. Power was measured under "
    "the MLPerf rules for that very submission."
)
DERIVED: Final = (
    "Efficiency (samples or tokens per joule) is derived from measured performance and power: it is not an official "
    "MLPerf metric and is not verified by MLCommons Association."
)
AVAILABILITY: Final = "Preview and RDI systems were not on sale when submitted; available ones were."


def footnote(rows: pa.Table, facts: Facts, retrieved: datetime.date | None) -> list[str]:
    """The footnote's paragraphs for rows of `queries.results`; nothing for no rows.

    `retrieved` is the day on which the sources were taken from MLCommons.
    """
    if not rows.num_rows:
        return []
    return [
        " ".join([*_what(rows, facts), _public_ids(rows), _source(rows, retrieved)]),
        " ".join(_states(rows)),
        ATTRIBUTION,
    ]


def not_comparable(panels: Iterable[Panel], facts: Facts) -> list[str]:
    """Why results of one benchmark and scenario do not compare where their rounds part: one sentence per reason."""
    played: dict[tuple[Kind, str, str | None], set[str]] = {}
    for panel in panels:
        played.setdefault((panel.kind, panel.benchmark, panel.scenario), set()).update(panel.rounds)
    reasons: dict[str, list[str]] = {}
    for (kind, benchmark, scenario), rounds in played.items():
        ordered = [found.id for found in facts.rounds if found.kind == kind and found.id in rounds]
        for one, other in pairwise(ordered):
            reason = facts.incomparable(kind, (benchmark, one), (benchmark, other), scenario)
            if reason:
                name = " · ".join(filter(None, [_full_name(facts, kind, benchmark), scenario]))
                reasons.setdefault(reason, []).append(f"{name} {one} and {other}")
    return [f"Do not compare {_some(pairs, MOST_REASONS)}: {reason}" for reason, pairs in reasons.items()]


def _what(rows: pa.Table, facts: Facts) -> list[str]:
    """A sentence per suite family: versions, divisions, suites, benchmarks and scenarios by their full names."""
    sentences = []
    kinds: tuple[Kind, ...] = ("inference", "training")
    for kind in kinds:
        is_training = pc.equal(rows["suite"], "training")
        part = rows.filter(is_training if kind == "training" else pc.invert(is_training))
        if not part.num_rows:
            continue
        suites = [str(suite).partition("-")[2] for suite in _values(part, "suite")]
        divisions = " and ".join(division.capitalize() for division in _values(part, "division"))
        names = [_full_name(facts, kind, benchmark) for benchmark in _values(part, "benchmark")]
        scenarios = _values(part, "scenario")
        sentences.append(
            f"MLPerf® {kind.capitalize()} {_some(_values(part, 'round'), MOST_NAMES)}"
            f"{' ' + ' and '.join(suites) if any(suites) else ''}, {divisions} division, "
            f"submitted by {_some(_values(part, 'submitter'), MOST_NAMES)}. "
            f"Benchmarks: {_some(names, MOST_NAMES)}{'; scenarios: ' + ', '.join(scenarios) if scenarios else ''}."
        )
    return sentences


def _full_name(facts: Facts, kind: Kind, benchmark: str) -> str:
    known = facts.benchmark(kind, benchmark, None)
    return benchmark if known is None or known.full_name == benchmark else f"{known.full_name} ({benchmark})"


def _public_ids(rows: pa.Table) -> str:
    public_ids = _values(rows, "public_id")
    if not public_ids:
        return "The sources give no result IDs for these results."
    some = "" if not rows["public_id"].null_count else " (the sources give none for the others)"
    return f"Result IDs: {_some(public_ids, MOST_IDS)}{some}."


def _source(rows: pa.Table, retrieved: datetime.date | None) -> str:
    """Repositories that the figures were read from, and files of the reader's own, which have no such day."""
    sources = _values(rows, "source")
    repositories = [f"github.com/{name}" for name in sources if name.count("/") == 1]
    files = [name for name in sources if name.count("/") != 1]
    on = f" on {retrieved.isoformat()}" if retrieved else ""
    sentences = [f"Retrieved from {_some(repositories, MOST_NAMES)}{on}."] if repositories else []
    sentences += [f"Read from the files {_some(files, MOST_NAMES)}."] if files else []
    return " ".join(sentences)


def _states(rows: pa.Table) -> list[str]:
    """Whether the results are verified, and each difference between them that the rules want named."""
    verified = set(rows["verified"].unique().to_pylist())
    computed = {basis == "computed" for basis in _values(rows.filter(rows["verified"]), "basis")}
    sentences = [VERIFIED] if False in computed else []
    sentences += [PARTLY_COMPUTED if False in computed else COMPUTED] if True in computed else []
    sentences += [UNVERIFIED] if verified - {True} else []
    sentences += [MIXED] if True in verified and len(verified) > 1 else []
    sentences += [OPEN] if len(_values(rows, "division")) > 1 else []
    sentences += [AVAILABILITY] if len(_values(rows, "availability")) > 1 else []
    sentences += [POWER] if "True" in _values(rows, "has_power") else []
    sentences += [DERIVED] if rows["efficiency"].null_count < rows.num_rows else []
    return sentences


def _values(rows: pa.Table, column: str) -> list[str]:
    return sorted(str(value) for value in rows[column].unique().to_pylist() if value is not None)


def _some(texts: Sequence[str], most: int) -> str:
    rest = len(texts) - most
    return ", ".join(texts) if rest <= 1 else f"{', '.join(texts[:most])} and {rest} more"
