"""Results into charts: the rows of `queries.results` in, a `go.Figure` out. No query, no Streamlit.

A panel holds results of one benchmark and scenario in one unit and direction; other units get a panel of their own.
"""

import hashlib
import html
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any, Final, NamedTuple

import plotly.graph_objects as go
import pyarrow as pa

from mlperf.facts import facts
from mlperf.model import Kind

PALETTE: Final = (
    "#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#4d4d4d", "#b3a100", "#882255", "#332288",
)  # fmt: skip
"""Okabe and Ito's colours and two of Paul Tol's: told apart with any colour vision."""

PANEL: Final = ("suite", "benchmark", "scenario", "metric", "unit", "better")
KINDS: Final[Mapping[str, Kind]] = {"inference-datacenter": "inference", "inference-edge": "inference"}
SHOWN: Final = [
    "value", "round", "division", "availability", "submitter", "system_id", "system_name", "server", "accelerator",
    "accelerator_count", "nodes", "model", "has_power", "verified",
]  # fmt: skip

MOST_PLACES: Final = 20
"""Bars of a single panel."""
MOST_PANELS: Final = 12
MOST_MARKS: Final = 36
"""Bars of all panels together: what a browser redraws while the reader's eye is still on the filter."""
FEWEST_PLACES: Final = 3
"""Bars of each panel at least; with these limits a chart never has 500 marks."""

LONGEST_LABEL: Final = 28
PER_LETTER: Final = 6.7
BAR: Final = 24
HEAD: Final = 46
GAP: Final = 18
AXIS: Final = 28
THICKNESS: Final = 0.78
"""Of a bar's place, how much it fills."""
TOP: Final = 4

METRIC_NAMES: Final[Mapping[str, str]] = {
    "throughput": "Throughput",
    "latency": "Latency",
    "streams": "Streams",
    "time_to_train": "Time to train",
}
DIRECTIONS: Final[Mapping[str, str]] = {"higher": "higher is better →", "lower": "← lower is better"}
SILENT: Final = (None, "closed", "available")
VENDOR: Final = re.compile(r"\b(NVIDIA|AMD Instinct|AMD|Intel|Google|Qualcomm) ")
Row = Mapping[str, Any]
"""A row of `queries.results`, None for what is missing."""
Properties = dict[str, Any]
"""Part of a figure as Plotly's JSON has it."""
HOVER: Final = (
    "<b>%{customdata[0]}</b><br>%{customdata[1]}<br>%{customdata[2]}<br>%{customdata[3]}<br>"
    "<b>%{customdata[4]}</b><extra></extra>"
)


class Panel(NamedTuple):
    """Results of one benchmark and scenario in one unit and direction, best first."""

    kind: Kind
    benchmark: str
    scenario: str | None
    metric: str
    unit: str
    better: str
    rounds: tuple[str, ...]
    """Rounds of the whole selection's results, oldest first."""
    is_part: bool
    """Whether results of the same benchmark and scenario that do not compare with these have a panel of their own."""
    field: int
    """Results of the whole selection; `rows` may hold fewer."""
    rows: Sequence[Row]

    @property
    def title(self) -> str:
        """What the panel shows: `ResNet-50 v1.5 · Offline`; in training the benchmark alone."""
        known = facts().benchmark(self.kind, self.benchmark, None)
        span = " – ".join(dict.fromkeys([self.rounds[0], self.rounds[-1]])) if self.is_part else None
        return " · ".join(filter(None, [known.full_name if known else self.benchmark, self.scenario, span]))

    @property
    def axis(self) -> str:
        """Metric, unit and direction: `Latency, ms – ← lower is better`."""
        return f"{METRIC_NAMES.get(self.metric, self.metric)}, {self.unit} – {DIRECTIONS[self.better]}"

    @property
    def height(self) -> int:
        """Pixels that the panel takes among others."""
        return HEAD + BAR * len(self.rows) + GAP


class Picture(NamedTuple):
    """What a chart draws of a selection, and how much it leaves out."""

    panels: list[Panel]
    undrawn_results: int
    undrawn_panels: int


def picture(rows: pa.Table) -> Picture:
    """What to draw of rows of `queries.results`: the panels with most results, the best results of each.

    A panel holds results of one benchmark and scenario in one unit and direction, of rounds that compare, each once
    though two suites list it.
    """
    keys = zip(*(rows[name].to_pylist() for name in PANEL), strict=True)
    values, results, rounds, ages = (rows[name].to_pylist() for name in ("value", "result_id", "round", "round_index"))
    fields: dict[tuple[Any, ...], dict[str, int]] = {}
    for number, (key, result, round_id) in enumerate(zip(keys, results, rounds, strict=True)):
        kind = KINDS.get(key[0], "training")
        era = _era(kind, key[1], round_id, key[2])
        fields.setdefault((kind, *key[1:], era), {}).setdefault(result, number)
    eras = Counter(key[:3] for key in {(*key[:3], key[-1]) for key in fields})
    largest = sorted(fields, key=lambda key: (-len(fields[key]), repr(key)))[:MOST_PANELS]
    most = MOST_PLACES if len(largest) == 1 else max(FEWEST_PLACES, MOST_MARKS // max(1, len(largest)))
    panels = []
    for key in sorted(largest, key=repr):
        sign = -1 if key[-2] == "higher" else 1
        best = sorted(fields[key].values(), key=lambda number: (sign * values[number], results[number]))[:most]
        played = tuple(name for _, name in sorted({(ages[number], rounds[number]) for number in fields[key].values()}))
        drawn_rows = rows.take(best).select(SHOWN).to_pylist()
        panels.append(Panel._make((*key[:-1], played, eras[key[:3]] > 1, len(fields[key]), drawn_rows)))
    total, drawn = sum(len(field) for field in fields.values()), sum(len(panel.rows) for panel in panels)
    return Picture(panels, total - drawn, len(fields) - len(panels))


@cache
def _era(kind: Kind, benchmark: str, round_id: str, scenario: str | None) -> int:
    return facts().era(kind, benchmark, round_id, scenario)


def in_columns(parts: Sequence[Panel], most: int) -> list[list[Panel]]:
    """The panels dealt into at most `most` columns of about the same height, to be read downwards."""
    count, total, passed = min(most, len(parts)), sum(part.height for part in parts), 0.0
    columns: list[list[Panel]] = [[] for _ in range(count)]
    for part in parts:
        columns[min(int(count * (passed + part.height / 2) / total), count - 1)].append(part)
        passed += part.height
    return [column for column in columns if column]


def ranking(panel: Panel, colours: Mapping[str, str]) -> go.Figure:
    """One panel as bars, best first, with a scale below."""
    traces, layout = _stack([panel], [1.0], colours, bottom=AXIS)
    layout["xaxis"] |= {
        "range": [0, _longest(panel)], "showticklabels": True, "nticks": 3, "tickangle": 0,
        "tickformat": ",~r",
    }  # fmt: skip
    return _figure(traces, layout)


def small_multiples(parts: Sequence[Panel], colours: Mapping[str, str]) -> go.Figure:
    """Panels below one another, each measured against its own longest bar; no scale is shown, each bar says its figure.

    The panels share one pair of hidden axes, because Plotly redraws one pair in a third of the time of ten.
    """
    return _figure(*_stack(parts, [_longest(part) for part in parts], colours, bottom=0))


def colours(parts: Iterable[Panel], palette: Sequence[str] = PALETTE) -> dict[str, str]:
    """A colour per system, from its name alone, so that it is the same on every page.

    Where two systems of one chart would share a colour, the one with fewer results takes the next free one; where none
    is free, one that no system beside it in a panel has.
    """
    beside = [{_system(row) for row in part.rows} for part in parts]
    counts = Counter(system for systems in beside for system in systems)
    taken: dict[str, int] = {}
    for system, _ in sorted(counts.items(), key=lambda item: (-item[1], item[0])):
        wanted = int(hashlib.sha256(system.encode()).hexdigest()[:8], 16) % len(palette)
        neighbours = {other for systems in beside if system in systems for other in systems}
        for others in (taken, neighbours & set(taken)):
            free = set(range(len(palette))) - {taken[other] for other in others}
            if free:
                break
        taken[system] = min(free or {wanted}, key=lambda index: (index - wanted) % len(palette))
    return {system: palette[index] for system, index in taken.items()}


def number_text(value: float) -> str:
    """Four significant digits, and all of those before the point: `0.3449`, `62.95`, `1,016,380`."""
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"


def _figure(traces: list[Properties], layout: Properties) -> go.Figure:
    # Plotly checks every property of a figure by name, which takes a hundred times as long as the rest: 270 ms for 20
    # panels. The tests build the same figures with the checks on.
    return go.Figure({"data": traces, "layout": layout}, _validate=False)


def _stack(
    parts: Sequence[Panel], scales: Sequence[float], colours: Mapping[str, str], bottom: int
) -> tuple[list[Properties], Properties]:
    """Bars and layout of panels below one another; each panel's title says its metric, unit and direction.

    Bars are as long as their value divided by the scale of their panel; heights are pixels above the lowest. The titles
    begin at the left edge of the figure: an axis title, centred below the bars, does not fit on a phone.
    """
    labels = [label for part in parts for label in _labels(part)]
    total = sum(part.height for part in parts)
    layout = _layout(total + bottom, labels, parts, bottom)
    heights: list[float] = []
    top = total
    for part in parts:
        ceiling = top - HEAD
        heights += [ceiling - BAR * (place + 0.5) for place in range(len(part.rows))]
        layout["annotations"].append(_panel_title(part, ceiling, layout["margin"]["l"]))
        top -= part.height
    layout["yaxis"] = _system_axis(labels, heights, total)
    layout["xaxis"] = {
        "range": [0, 1], "showticklabels": False, "showgrid": False, "fixedrange": True, "zeroline": False,
    }  # fmt: skip
    return [_bars(parts, scales, heights, colours)], layout


def _longest(panel: Panel) -> float:
    return max(float(row["value"]) for row in panel.rows) or 1.0


def _bars(
    parts: Sequence[Panel], scales: Sequence[float], heights: Sequence[float], colours: Mapping[str, str]
) -> Properties:
    rows = [(part, scale, row) for part, scale in zip(parts, scales, strict=True) for row in part.rows]
    return {
        "type": "bar",
        "x": [row["value"] / scale for _, scale, row in rows],
        "y": list(heights),
        "width": BAR * THICKNESS,
        "orientation": "h",
        "text": [number_text(row["value"]) for _, _, row in rows],
        "textposition": "outside",
        "cliponaxis": False,
        "marker": {"color": [colours[_system(row)] for _, _, row in rows], "line": {"width": 0}},
        "customdata": [_hover(part, row) for part, _, row in rows],
        "hovertemplate": HOVER,
        "showlegend": False,
    }


def _layout(height: int, labels: Iterable[str], parts: Iterable[Panel], bottom: int) -> Properties:
    """Size and margins: room for the names on the left and for the figure behind the longest bar on the right."""
    left = max(len(html.unescape(label)) for label in labels)
    right = max(len(number_text(row["value"])) for part in parts for row in part.rows)
    return {
        "height": height + TOP,
        "margin": {"l": int(left * PER_LETTER) + 8, "r": int(right * PER_LETTER) + 12, "t": TOP, "b": bottom},
        "dragmode": False,
        "hoverlabel": {"align": "left"},
        "annotations": [],
    }


def _system_axis(labels: Sequence[str], heights: Sequence[float], total: int) -> Properties:
    return {
        "range": [0, total],
        "tickmode": "array",
        "tickvals": list(heights),
        "ticktext": list(labels),
        "tickfont": {"size": 12},
        "fixedrange": True,
        "showgrid": False,
        "zeroline": False,
        "automargin": False,
    }


def _panel_title(panel: Panel, height: float, indent: int) -> Properties:
    rest = f" (best {len(panel.rows)} of {panel.field:,})" if len(panel.rows) < panel.field else ""
    return {
        "text": f"<b>{_shown(panel.title)}</b>{rest}<br>{_shown(panel.axis)}",
        "x": 0, "xref": "paper", "xanchor": "left", "xshift": -indent,
        "y": height, "yref": "y", "yanchor": "bottom",
        "align": "left", "showarrow": False, "font": {"size": 12.5},
    }  # fmt: skip


def _name(row: Row) -> str:
    return str(row["system_id"] or row["system_name"])


def _system(row: Row) -> str:
    return f"{row['submitter']}/{_name(row)}"


def _labels(panel: Panel) -> list[str]:
    """A short name per bar, with what differs between the results of the panel.

    Closed, available and without power go without saying.
    """
    columns = ("submitter", "round", "division", "availability", "has_power")
    differing = {name for name in columns if len({row[name] for row in panel.rows}) > 1}
    names = [_short_name(row, "submitter" in differing) for row in panel.rows]
    texts = []
    for row, name in zip(panel.rows, names, strict=True):
        words = [row[column] for column in columns[1:4] if column in differing and row[column] not in SILENT]
        words += ["power"] if "has_power" in differing and row["has_power"] else []
        words += ["unverified"] if row["verified"] is False else []
        end = "".join(f" · {word}" for word in words)
        known = name if names.count(name) == 1 else _name(row)
        texts.append(_shown(_cut(known, LONGEST_LABEL - len(end)) + end))
    return texts


def _short_name(row: Row, with_submitter: bool) -> str:
    """`XE9680 · 8× H100-SXM-80GB` where the catalog knows the server, else the submitter and chips, or the system."""
    count = f"{row['accelerator_count']}× " if row["accelerator_count"] else ""
    chips = f"{count}{VENDOR.sub('', row['accelerator'])}" if row["accelerator"] else "CPU"
    if not row["server"]:
        return f"{row['submitter']} {chips}" if with_submitter else _name(row)
    return f"{row['submitter']} {row['server']} {chips}" if with_submitter else f"{row['server']} · {chips}"


def _cut(text: str, room: int) -> str:
    """The text with its middle left out where it is too long: both ends tell systems apart."""
    room = max(room, 8)
    if len(text) <= room:
        return text
    tail = (room - 1) // 3
    return f"{text[: room - 1 - tail]}…{text[-tail:]}"


def _hover(panel: Panel, row: Row) -> list[str]:
    count = f"{row['accelerator_count']} × " if row["accelerator"] and row["accelerator_count"] else ""
    nodes = f", {row['nodes']} nodes" if (row["nodes"] or 1) > 1 else ""
    states = [row["submitter"], row["round"], row["division"], row["availability"], row["model"]]
    states += ["with power" if row["has_power"] else None, "unverified" if row["verified"] is False else None]
    lines = [
        row["system_name"] or _name(row),
        " · ".join(str(state) for state in states if state),
        f"{count}{row['accelerator'] or 'no accelerator'}{nodes}",
        panel.title,
        f"{row['value']:,.10g} {panel.unit}",
    ]
    return [_shown(line) for line in lines]


def _shown(text: str) -> str:
    """A text that Plotly shows as it is, though it reads labels as HTML."""
    return html.escape(text, quote=False)
