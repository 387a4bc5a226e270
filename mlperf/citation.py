"""The footnote and the citation that MLCommons' messaging rules ask for, built from the rows that are shown.

Source of every sentence: mlcommons/policies MLPerf_Results_Messaging_Guidelines.adoc; of the one on energy in training:
mlcommons/training_policies power_measurement.adoc.
"""

import datetime
import hashlib
import re
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise
from typing import Any, Final, NamedTuple
from urllib.parse import quote

import pyarrow as pa
import pyarrow.compute as pc

from mlperf import guard
from mlperf.facts import Facts, Round
from mlperf.figures import Panel
from mlperf.model import OF_RUNS, Kind

MOST_IDS: Final = 12
MOST_NAMES: Final = 8
MOST_REASONS: Final = 3
MOST_RESULTS: Final = 40
"""Results that a citation lists; it counts the others."""

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
VERIFIED_RESULT: Final = "Result verified by MLCommons Association."
UNVERIFIED_RESULT: Final = "Result not verified by MLCommons Association."
UNVERIFIED: Final = "Results marked unverified: Result not verified by MLCommons Association."
MIXED: Final = guard.MIXED
OPEN: Final = guard.OPEN
POWER: Final = (
    "Performance of a run with power measurement is not comparable to that of a run without. Power was measured under "
    "the MLPerf rules for that very submission."
)
ENERGY: Final = (
    "The energy of training was measured in the very runs that the time to train is of, under the MLPerf rules for "
    "that submission."
)
DERIVED: Final = (
    "Efficiency (samples or tokens per joule) is derived from measured performance and power: it is not an official "
    "MLPerf metric and is not verified by MLCommons Association."
)
AVAILABILITY: Final = "Preview and RDI systems were not on sale when submitted; available ones were."

SHOWN: Final = (
    "round", "suite", "division", "availability", "submitter", "system_id", "system_name", "accelerator",
    "accelerator_count", "nodes", "benchmark", "model", "scenario", "value", "unit", "has_power", "power_value",
    "power_unit", "inferred", "public_id", "basis", "verified", "source", "source_path", "link",
    "result_id",
)  # fmt: skip
"""The columns of a row that a citation reads."""

MONTHS: Final = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
"""The months as every BibTeX style knows them."""
TEX: Final = str.maketrans({
    **{letter: f"\\{letter}" for letter in "&%$#_"},
    "\\": r"\textbackslash{}", "{": r"\textbraceleft{}", "}": r"\textbraceright{}", "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}", "<": r"\textless{}", ">": r"\textgreater{}", "|": r"\textbar{}",
    '"': r"\textquotedbl{}",
})  # fmt: skip
"""A brace counts for BibTeX even behind a backslash, so it is spelled out."""
PLAIN: Final = re.compile(r"[^\W\d_](?:[^\W_]|[ ,%()×/-]|\.(?![^\W\d_]))*")
"""A text in which no dialect of Markdown sees anything but text: no mark, no list, no address."""
OUR_LINK: Final = re.compile(r"https://github\.com/mlcommons/[A-Za-z0-9._/%~+-]+")
"""A link into the repositories of MLCommons, without anything that Markdown or TeX could read otherwise."""

HIDDEN: Final = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
"""Unicode's categories of letters that show nothing, and break or turn a line."""
WHOLE: Final = 2**53
"""Below it every whole number is a float of its own."""
MOST_LETTERS: Final = 40
"""Letters of a round that a BibTeX key holds."""

Row = dict[str, Any]
"""A row of `queries.results`, None for what is missing."""
Quote = Callable[[str], str]
"""Makes a text from the data safe in the language that it goes into."""


class Citation(NamedTuple):
    """What to paste beside figures that are shown elsewhere."""

    text: str
    bibtex: str
    markdown: str


class _Part(NamedTuple):
    """The cited results of one round."""

    kind: Kind
    round: str
    played: Round | None
    """What the catalog knows of the round."""
    rows: pa.Table
    """All rows, the uncited too."""
    cited: list[Row]
    """One row per result, with `suites`, all suites that list it."""
    rest: int
    """Results that are not cited."""

    @property
    def is_published(self) -> bool:
        """Whether any of its results is."""
        return bool(pc.any(self.rows["verified"]).as_py())


def footnote(rows: pa.Table, facts: Facts, retrieved: datetime.date | None, derived: Sequence[str] = ()) -> list[str]:
    """The footnote's paragraphs for rows of `queries.results`; nothing for no rows.

    `retrieved` is the day on which the sources were taken from MLCommons; `derived` names the derived metrics that are
    shown, with their basis.
    """
    if not rows.num_rows:
        return []
    return [
        " ".join([*_what(rows, facts), *_public_ids(rows), _source(rows, retrieved)]),
        " ".join([*_states(rows, facts), *_derived(derived)]),
        ATTRIBUTION,
    ]


def cite(rows: pa.Table, facts: Facts, retrieved: datetime.date | None, derived: Sequence[str] = ()) -> Citation:
    """The citation of rows of `queries.results`; empty texts for no rows.

    The first `MOST_RESULTS` results are listed, each once with all suites that list it; the others are counted.
    `retrieved` and `derived` as in `footnote`.
    """
    if not rows.num_rows:
        return Citation("", "", "")
    parts = _parts(rows, facts)
    states = " ".join(_states(rows, facts))
    paragraphs = [f"{_head(part, facts, retrieved, _line)}\n{_list(part, facts, _line)}" for part in parts]
    marked = [f"{_head(part, facts, retrieved, _markdown, '**')}\n\n{_list(part, facts, _markdown)}" for part in parts]
    return Citation(
        "\n\n".join([*paragraphs, *_derived(derived, _line), states, ATTRIBUTION]) + "\n",
        "\n\n".join(_bibtex(part, facts, retrieved, derived) for part in parts) + "\n",
        "\n\n".join([*marked, *_derived(derived, _markdown), states, ATTRIBUTION]) + "\n",
    )


def file_link(source: str, path: str) -> str | None:
    """Where MLCommons keeps a file; None for a file of the reader's own."""
    return f"https://github.com/{source}/blob/HEAD/{quote(path)}" if source.startswith("mlcommons/") else None


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
    """A sentence per suite family: versions, divisions, suites, benchmarks and scenarios by their full names.

    Nobody submitted an unverified result: those have sentences of their own.
    """
    published = rows.filter(rows["verified"])
    unverified = rows.filter(pc.invert(rows["verified"]))
    return [*_submitted(published, facts, ""), *_submitted(unverified, facts, "Unverified: ")]


def _submitted(rows: pa.Table, facts: Facts, before: str) -> list[str]:
    sentences = []
    for kind in sorted(_kinds(rows, facts)):
        part = rows.filter(_is_of(rows, kind, facts))
        suites = [str(suite).partition("-")[2] for suite in _values(part, "suite")]
        divisions = " and ".join(division.capitalize() for division in _values(part, "division"))
        names = [_full_name(facts, kind, benchmark) for benchmark in _values(part, "benchmark")]
        scenarios = _values(part, "scenario")
        sentences.append(
            f"{before}MLPerf® {facts.kind_name(kind)} {_some(_values(part, 'round'), MOST_NAMES)}"
            f"{' ' + ' and '.join(suites) if any(suites) else ''}, {divisions} division, "
            f"{'of' if before else 'submitted by'} {_some(_values(part, 'submitter'), MOST_NAMES)}. "
            f"Benchmarks: {_some(names, MOST_NAMES)}{'; scenarios: ' + ', '.join(scenarios) if scenarios else ''}."
        )
    return sentences


def _full_name(facts: Facts, kind: Kind, benchmark: str) -> str:
    known = facts.benchmark(kind, benchmark, None)
    return benchmark if known is None or known.full_name == benchmark else f"{known.full_name} ({benchmark})"


def _public_ids(rows: pa.Table) -> list[str]:
    """The IDs of published results; nothing where there are none of these."""
    rows = rows.filter(rows["verified"])
    public_ids = _values(rows, "public_id")
    if not rows.num_rows:
        return []
    if not public_ids:
        return ["The sources give no result IDs for these results."]
    some = "" if not rows["public_id"].null_count else " (the sources give none for the others)"
    return [f"Result IDs: {_some(public_ids, MOST_IDS)}{some}."]


def _source(rows: pa.Table, retrieved: datetime.date | None, quote: Quote = str) -> str:
    """Repositories that the figures were read from, and files of the reader's own, which have no such day."""
    sources = _values(rows.filter(rows["verified"]), "source")
    repositories = [quote(f"github.com/{name}") for name in sources if name.count("/") == 1]
    own = _values(rows.filter(pc.invert(rows["verified"])), "source")
    files = [quote(name) for name in sorted({*own, *(name for name in sources if name.count("/") != 1)})]
    on = f" on {retrieved.isoformat()}" if retrieved else ""
    sentences = [f"Retrieved from {_some(repositories, MOST_NAMES)}{on}."] if repositories else []
    sentences += [f"Read from the files {_some(files, MOST_NAMES)}."] if files else []
    return " ".join(sentences)


def _states(rows: pa.Table, facts: Facts) -> list[str]:
    """Whether the results are verified, and each difference between them that the rules want named."""
    verified = set(rows["verified"].unique().to_pylist())
    computed = {basis == "computed" for basis in _values(rows.filter(rows["verified"]), "basis")}
    sentences = [VERIFIED] if False in computed else []
    sentences += [PARTLY_COMPUTED if False in computed else COMPUTED] if True in computed else []
    sentences += [UNVERIFIED] if verified - {True} else []
    sentences += [MIXED] if True in verified and len(verified) > 1 else []
    sentences += [OPEN] if len(_values(rows, "division")) > 1 else []
    sentences += [AVAILABILITY] if len(_values(rows, "availability")) > 1 else []
    powered = _kinds(rows.filter(rows["has_power"]), facts)
    sentences += [POWER] if powered - {*OF_RUNS} else []
    sentences += [ENERGY] if powered & {*OF_RUNS} else []
    sentences += [DERIVED] if rows["efficiency"].null_count < rows.num_rows else []
    return sentences


def _kinds(rows: pa.Table, facts: Facts) -> set[Kind]:
    return {facts.kind(suite) for suite in _values(rows, "suite")}


def _is_of(rows: pa.Table, kind: Kind, facts: Facts) -> pa.ChunkedArray:
    """Which rows are of a kind."""
    return pc.is_in(rows["suite"], pa.array([suite.id for suite in facts.suites_of(kind)], pa.string()))


def _derived(derived: Sequence[str], quote: Quote = str) -> list[str]:
    """The sentence that derived metrics need; none without any."""
    names = "; ".join(quote(name) for name in dict.fromkeys(derived))
    sentence = "They are not official MLPerf metrics and are not verified by MLCommons Association."
    return [f"Derived metrics shown: {names}. {sentence}"] if names else []


def _parts(rows: pa.Table, facts: Facts) -> list[_Part]:
    """The results by kind and round: inference first, newest round first; those of a round in the order of the rows."""
    known = {(played.kind, played.id): played for played in facts.rounds}
    newest = len(known)
    found: dict[tuple[Kind, str], list[Row]] = {}
    results = _results(rows, facts)
    for kind, result in results:
        found.setdefault((kind, result["round"]), []).append(result)
    cited = {id(result) for _, result in results[:MOST_RESULTS]}
    parts = []
    for kind, round_id in found:
        theirs = rows.filter(pc.and_(_is_of(rows, kind, facts), pc.equal(rows["round"], round_id)))
        listed = [result for result in found[kind, round_id] if id(result) in cited]
        rest = len(found[kind, round_id]) - len(listed)
        parts.append(_Part(kind, round_id, known.get((kind, round_id)), theirs, listed, rest))
    return sorted(parts, key=lambda part: (part.kind, -(part.played.index if part.played else newest), part.round))


def _results(rows: pa.Table, facts: Facts) -> list[tuple[Kind, Row]]:
    """The rows that differ in more than the suite, in their order, with all their `suites`."""
    found: dict[tuple[Any, ...], tuple[Kind, Row]] = {}
    for row in rows.select(SHOWN).to_pylist():
        suite = row.pop("suite")
        kind = facts.kind(suite)
        _, result = found.setdefault((kind, *row.values()), (kind, {**row, "suites": set()}))
        result["suites"].add(suite)
    return list(found.values())


def _head(part: _Part, facts: Facts, retrieved: datetime.date | None, quote: Quote, bold: str = "") -> str:
    """The round by its name, in `bold`, with its day, what is verified, and where the results were read.

    Unverified results were not published with the round: where there are no others, no day stands beside them.
    """
    day = part.played.published if part.played and part.is_published else None
    published = f", published on {day.isoformat()}" if day else ""
    title = f"{bold}MLPerf® {facts.kind_name(part.kind)}{bold} {quote(part.round)}"
    return f"{title}{published}. {_verified(part.rows)} {_source(part.rows, retrieved, quote)}"


def _verified(rows: pa.Table) -> str:
    verified = set(rows["verified"].unique().to_pylist())
    if verified == {True}:
        return VERIFIED_RESULT
    return f"{UNVERIFIED} All others: {VERIFIED_RESULT}" if True in verified else UNVERIFIED_RESULT


def _list(part: _Part, facts: Facts, quote: Quote) -> str:
    return "\n".join(f"- {item}" for item in _items(part, facts, quote))


def _items(part: _Part, facts: Facts, quote: Quote) -> list[str]:
    """The cited results, and how many are not."""
    items = [f"{_system(row, quote)}: {_score(row, part, facts, quote)}; {_state(row, quote)}" for row in part.cited]
    more = "more result" if part.rest == 1 else "more results"
    return [*items, *([f"{part.rest:,} {more} of this round, not listed here"] if part.rest else [])]


def _system(row: Row, quote: Quote) -> str:
    """`Dell, XR7620_L4x1_TRT (Dell PowerEdge XR7620), 1 × NVIDIA L4`."""
    names = list(dict.fromkeys(quote(row[name]) for name in ("system_id", "system_name") if row[name]))
    texts = [quote(row["submitter"]), f"{names[0]} ({names[1]})" if len(names) > 1 else "".join(names)]
    if row["accelerator"]:
        count = f"{row['accelerator_count']} × " if row["accelerator_count"] else ""
        texts.append(f"{count}{quote(row['accelerator'])}")
    texts += [f"{row['nodes']} nodes"] if (row["nodes"] or 1) > 1 else []
    return ", ".join(filter(None, texts))


def _score(row: Row, part: _Part, facts: Facts, quote: Quote) -> str:
    """`ResNet-50 v1.5 (resnet), Offline, 12839.1 samples/s`, with what is special about the figure."""
    texts = [quote(_full_name(facts, part.kind, row["benchmark"]))]
    texts += [f"model {quote(row['model'])}"] if row["model"] else []
    texts += [quote(row["scenario"])] if row["scenario"] else []
    texts.append(f"{_number(row['value'])} {quote(row['unit'])}{'' if row['verified'] else ' (unverified)'}")
    texts += ["inferred from another scenario"] if row["inferred"] else []
    if row["basis"] == "computed":
        texts.append("computed from the published logs" if row["verified"] else "computed from logs")
    if row["has_power"]:
        measured = row["power_value"] is not None and row["power_unit"]
        texts.append(
            f"with power: {_number(row['power_value'])} {quote(row['power_unit'])}" if measured else "with power"
        )
    return ", ".join(texts)


def _state(row: Row, quote: Quote) -> str:
    """`edge, Closed division, available; result ID 3.1-0074; https://github.com/…`.

    An unverified result was not read where MLCommons keeps results, whatever its path: its own file is named.
    """
    suites = " and ".join(quote(name) for suite in sorted(row["suites"]) if (name := suite.partition("-")[2]))
    texts = [suites, f"{quote(row['division'].capitalize())} division", quote(row["availability"] or "")]
    public_id = f"result ID {quote(row['public_id'])}" if row["public_id"] else ""
    place = quote((row["verified"] and row["link"]) or row["source_path"])
    return "; ".join(filter(None, [", ".join(filter(None, texts)), public_id, place]))


def _number(value: float) -> str:
    """The shortest text that is read as this very number; `12839` for a whole one."""
    return f"{value:.0f}" if value.is_integer() and abs(value) < WHOLE else repr(value)


def _bibtex(part: _Part, facts: Facts, retrieved: datetime.date | None, derived: Sequence[str]) -> str:
    """One `@misc` for the results of a round. `url` is for biblatex, `howpublished` for BibTeX, which has no `url`."""
    title = f"{{MLPerf®}} {facts.kind_name(part.kind)} {_tex(part.round)} Results"
    authors = ["MLCommons Association"] if part.is_published else map(_tex, _values(part.rows, "submitter"))
    title += "" if part.is_published else ", not verified by MLCommons Association"
    names = " and ".join(f"{{{author}}}" for author in authors)
    fields = [("author", f"{{{names}}}"), ("title", f"{{{title}}}")]
    if part.played and part.is_published:
        day, url = part.played.published, f"https://github.com/{part.played.repository}"
        fields += [("year", f"{{{day.year}}}"), ("month", MONTHS[day.month - 1])] if day else []
        fields += [("howpublished", f"{{\\url{{{url}}}}}"), ("url", f"{{{url}}}")]
    fields += [("urldate", f"{{{retrieved.isoformat()}}}")] if retrieved and part.is_published else []
    items = "; ".join(f"[{number}] {item}" for number, item in enumerate(_items(part, facts, _line), start=1))
    ends = [*_derived(derived, _line), *_states(part.rows, facts), ATTRIBUTION]
    note = " ".join([_verified(part.rows), _source(part.rows, retrieved, _line), f"{items}.", *ends])
    lines = "".join(f"  {name} = {value},\n" for name, value in [*fields, ("note", f"{{{_tex(note)}}}")])
    return f"@misc{{{_key(part)},\n{lines}}}"


def _key(part: _Part) -> str:
    """`mlperf_inference_v3_1`; a round that the catalog lacks gets a mark of its name: no two keys are equal."""
    word = re.sub(r"[^a-z0-9]+", "_", part.round.lower())[:MOST_LETTERS]
    mark = "" if part.played else "_" + hashlib.sha256(part.round.encode("utf-8", "replace")).hexdigest()[:8]
    return f"mlperf_{part.kind}_{word}{mark}"


def _line(text: str) -> str:
    """The text on one line, without control characters and without those that turn the direction of what follows."""
    return " ".join("".join(" " if unicodedata.category(letter) in HIDDEN else letter for letter in text).split())


def _markdown(text: str) -> str:
    """The text as Markdown that shows just this text.

    What Markdown could read otherwise becomes a code span, whose fence is longer than any in the text: some dialects
    make links of addresses even where every letter is escaped.
    """
    line = _line(text)
    if not line or PLAIN.fullmatch(line):
        return line
    if OUR_LINK.fullmatch(line):
        return f"<{line}>"
    fence = "`" * (1 + max((len(run) for run in re.findall("`+", line)), default=0))
    edge = " " if line.startswith("`") or line.endswith("`") else ""
    return f"{fence}{edge}{line}{edge}{fence}"


def _tex(text: str) -> str:
    return _line(text).translate(TEX)


def _values(rows: pa.Table, column: str) -> list[str]:
    return sorted(str(value) for value in rows[column].unique().to_pylist() if value is not None)


def _some(texts: Sequence[str], most: int) -> str:
    rest = len(texts) - most
    return ", ".join(texts) if rest <= 1 else f"{', '.join(texts[:most])} and {rest} more"
