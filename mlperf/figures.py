"""Results into charts: the rows of `queries.results` in, a `go.Figure` or HTML out. No query, no Streamlit.

A panel holds results of one benchmark and scenario in one unit and direction; other units get a panel of their own.
"""

import hashlib
import html
import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import cache
from typing import Any, Final, NamedTuple

import plotly.graph_objects as go
import pyarrow as pa

from mlperf.facts import facts
from mlperf.metrics import METRIC_NAMES, Measure, beside_score, number_text
from mlperf.model import SECOND_MEASURES, Better, Kind
from mlperf.plots import hatched, pixels
from mlperf.unverified import MARK, is_unverified

PALETTE: Final = (
    "#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#4d4d4d", "#b3a100", "#882255", "#332288",
)  # fmt: skip
"""Okabe and Ito's colours and two of Paul Tol's: told apart with any colour vision."""

PANEL: Final = ("suite", "benchmark", "scenario", "metric", "unit", "better")
SHOWN: Final = [
    "value", "round", "division", "availability", "submitter", "system_id", "system_name", "server", "accelerator",
    "accelerator_count", "nodes", "model", "has_power", "verified", "suite", "benchmark", "scenario", "metric", "unit",
    "better", "inferred", "valid", "accelerators", "result_id", "same_runs", "round_index", *SECOND_MEASURES,
]  # fmt: skip

MOST_PLACES: Final = 20
"""Bars of a single panel."""
MOST_PANELS: Final = 12
MOST_MARKS: Final = 36
"""Bars of all panels together: what a browser redraws while the reader's eye is still on the filter."""
FEWEST_PLACES: Final = 3
"""Bars of each panel at least; with these limits a chart never has 500 marks."""

LONGEST_LABEL: Final = 28
BAR: Final = 24
HEAD: Final = 46
AXIS: Final = 28
THICKNESS: Final = 0.78
"""Of a bar's place, how much it fills."""
TOP: Final = 4
LINE: Final = 17
"""Pixels from a line of a panel's title to the next."""
NARROWEST: Final = 288
"""Pixels of a panel on a small phone: its title is broken into lines that fit."""
STYLE: Final = """
.panels { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(330px, 100%), 1fr)); gap: 18px 28px }
.panels > svg { display: block; width: 100%; overflow: visible; fill: currentColor; font-size: 12px }
.panels .head { font-size: 12.5px }
"""

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
    better: Better
    rounds: tuple[str, ...]
    """Rounds of the whole selection's results, oldest first."""
    is_part: bool
    """Whether results of the same benchmark and scenario that do not compare with these have a panel of their own."""
    field: int
    """Published results of the whole selection, else its unverified ones; `rows` may hold fewer."""
    rows: Sequence[Row]
    """Unverified results at their places: they take none from a published one."""

    @property
    def title(self) -> str:
        """What the panel shows: `ResNet-50 v1.5 · Offline`; in training the benchmark alone."""
        known = facts().benchmark(self.kind, self.benchmark, None)
        span = " – ".join(dict.fromkeys([self.rounds[0], self.rounds[-1]])) if self.is_part else None
        return " · ".join(filter(None, [known.full_name if known else self.benchmark, self.scenario, span]))

    @property
    def axis(self) -> str:
        """Metric, unit and direction: `Latency, ms – ← lower is better`."""
        return Measure(METRIC_NAMES.get(self.metric, self.metric), self.unit, self.better).axis


class Picture(NamedTuple):
    """What a chart draws of a selection, and how much it leaves out."""

    panels: list[Panel]
    undrawn_results: int
    undrawn_panels: int


def picture(rows: pa.Table) -> Picture:
    """What to draw of rows of `queries.results`: the panels with most results, the best results of each.

    A panel holds results of one benchmark and scenario in one unit and direction, of rounds that compare, each once
    though two suites list it. Unverified results stand beside the published ones that would be drawn without them.
    """
    keys = zip(*(rows[name].to_pylist() for name in PANEL), strict=True)
    values, results, rounds, ages = (rows[name].to_pylist() for name in ("value", "result_id", "round", "round_index"))
    fields: dict[tuple[Any, ...], dict[str, int]] = {}
    for number, (key, result, round_id) in enumerate(zip(keys, results, rounds, strict=True)):
        kind = facts().kind(key[0])
        era = _era(kind, key[1], round_id, key[2])
        fields.setdefault((kind, *key[1:], era), {}).setdefault(result, number)
    eras = Counter(key[:3] for key in {(*key[:3], key[-1]) for key in fields})
    verified = rows["verified"].to_pylist()
    counts = {key: sum(verified[number] for number in field.values()) for key, field in fields.items()}
    largest = sorted(fields, key=lambda key: (-counts[key], -len(fields[key]), repr(key)))[:MOST_PANELS]
    published = sum(counts[key] > 0 for key in largest) or len(largest)
    most = MOST_PLACES if published == 1 else max(FEWEST_PLACES, MOST_MARKS // max(1, published))
    panels = []
    for key in sorted(largest, key=repr):
        sign = -1 if key[-2] == "higher" else 1
        ordered = sorted(fields[key].values(), key=lambda number: (sign * values[number], results[number]))
        best = [number for number in ordered if verified[number]][:most]
        beside = [number for number in ordered if not verified[number]][: max(FEWEST_PLACES, most // 2)]
        played = tuple(name for _, name in sorted({(ages[number], rounds[number]) for number in fields[key].values()}))
        drawn_rows = rows.take([number for number in ordered if number in {*best, *beside}]).select(SHOWN).to_pylist()
        field = counts[key] or len(fields[key])
        panels.append(Panel._make((*key[:-1], played, eras[key[:3]] > 1, field, drawn_rows)))
    total, drawn = sum(len(field) for field in fields.values()), sum(len(panel.rows) for panel in panels)
    return Picture(panels, total - drawn, len(fields) - len(panels))


@cache
def _era(kind: Kind, benchmark: str, round_id: str, scenario: str | None) -> int:
    return facts().era(kind, benchmark, round_id, scenario)


def ranking(panel: Panel, colours: Mapping[str, str]) -> go.Figure:
    """One panel as bars, best first, with a scale below.

    Heights are pixels above the lowest bar. The title says metric, unit and direction and begins at the left edge of
    the figure: an axis title, centred below the bars, does not fit on a phone.
    """
    labels, ceiling = _labels(panel), BAR * len(panel.rows)
    heights = [ceiling - BAR * (place + 0.5) for place in range(len(panel.rows))]
    layout = _layout(ceiling + HEAD, labels, panel)
    layout["annotations"] = [_panel_title(panel, ceiling, layout["margin"]["l"])]
    layout["yaxis"] = _system_axis(labels, heights, ceiling + HEAD)
    layout["xaxis"] = {
        "range": [0, _longest(panel)], "nticks": 3, "tickangle": 0, "tickformat": ",~r", "showgrid": False,
        "fixedrange": True, "zeroline": False,
    }  # fmt: skip
    # Plotly checks every property of a figure by name, which takes a hundred times as long as the rest. The tests build
    # the same figures with the checks on.
    return go.Figure({"data": [_bars(panel, heights, colours)], "layout": layout}, _validate=False)


def small_multiples(parts: Iterable[Panel], colours: Mapping[str, str]) -> str:
    """Panels as HTML with an SVG each, as many side by side as fit; each is measured against its own longest bar.

    Names stand at fixed pixels, bars take a share of the rest, so the SVG fits a panel of any width. No figure of
    Plotly: one of 36 bars takes longer to redraw than all the rest of the page.
    """
    return f'<style>{STYLE}</style><div class="panels">{"".join(_panel_svg(part, colours) for part in parts)}</div>'


def colours(parts: Iterable[Panel], palette: Sequence[str] = PALETTE) -> dict[str, str]:
    """A colour per system, from its name alone, so that it is the same on every page.

    Where two systems of one chart would share a colour, the one with fewer results takes the next free one; where none
    is free, one that no system beside it in a panel has.
    """
    return _coloured([{_system(row) for row in part.rows} for part in parts], palette)


def system_colours(systems: Iterable[str], palette: Sequence[str] = PALETTE) -> dict[str, str]:
    """The colours of the systems of one chart, named `Submitter/system`; as in other charts where free."""
    return _coloured([set(systems)], palette)


def _coloured(beside: Sequence[set[str]], palette: Sequence[str]) -> dict[str, str]:
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


def _panel_svg(panel: Panel, colours: Mapping[str, str]) -> str:
    labels = _labels(panel)
    left, room = _left(labels), _room(panel)
    lines = _title_lines(panel)
    top = len(lines) * LINE + 3
    head = _hatches({colours[_system(row)] for row in panel.rows if is_unverified(row)})
    head += "".join(f'<text class="head" y="{LINE * number + 13}">{line}</text>' for number, line in enumerate(lines))
    bars = [
        _bar_svg(panel, row, label, top + BAR * place, left, room, colours[_system(row)])
        for place, (row, label) in enumerate(zip(panel.rows, labels, strict=True))
    ]
    figures = "; ".join(f"{label}: {number_text(row['value'])}" for row, label in zip(panel.rows, labels, strict=True))
    words = html.escape(f"{panel.title}. {panel.axis}. ") + figures.replace('"', "&quot;")
    size = f'height="{top + BAR * len(panel.rows)}"'
    return f'<svg role="img" aria-label="{words}" {size}>{head}{"".join(bars)}</svg>'


def _bar_svg(panel: Panel, row: Row, label: str, top: int, left: int, room: int, colour: str) -> str:
    """Name, bar and figure, `top` pixels below the panel's upper edge.

    Of a panel W wide, a bar is as long as its share of W - left - room: a percentage of W less some pixels.
    """
    share = row["value"] / _longest(panel)
    percent, less = f"{100 * share:.2f}%", share * (left + room)
    hover = html.escape("\n".join(_hover(panel, row)))
    fill = f"url(#{_hatch(colour)})" if is_unverified(row) else colour
    return (
        f'<g><title>{hover}</title><text y="{top + 16}">{label}</text>'
        f'<rect x="{left}" y="{top + 2}" height="19" style="width:calc({percent} - {less:.2f}px)" fill="{fill}"/>'
        f'<text x="{percent}" dx="{left - less + 5:.2f}" y="{top + 16}">{number_text(row["value"])}</text></g>'
    )


def _hatches(colours: Collection[str]) -> str:
    """The patterns that fill the bars of unverified results, one for each colour; equal ones have an equal id."""
    patterns = (
        f'<pattern id="{_hatch(colour)}" width="7" height="7" patternUnits="userSpaceOnUse" '
        f'patternTransform="rotate(45)"><rect width="3.5" height="7" fill="{colour}"/></pattern>'
        for colour in sorted(colours)
    )
    return f"<defs>{''.join(patterns)}</defs>" if colours else ""


def _hatch(colour: str) -> str:
    return f"hatch-{hashlib.sha256(colour.encode()).hexdigest()[:8]}"


def _title_lines(panel: Panel) -> list[str]:
    """Title, how many of its results are drawn, and what is measured, in lines that fit the narrowest panel."""
    *lines, last = _wrapped(panel.title)
    shown = [f'<tspan font-weight="600">{_shown(line)}</tspan>' for line in (*lines, last)]
    if rest := _of_how_many(panel):
        if pixels(f"{last} {rest}") <= NARROWEST:
            shown[-1] += f" {rest}"
        else:
            shown.append(rest)
    return [*shown, *map(_shown, _wrapped(panel.axis))]


def _wrapped(text: str) -> list[str]:
    """The text in lines, at least one, that fit the narrowest panel as far as its words do."""
    lines = [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".strip()
        if not lines[-1] or pixels(longer) <= NARROWEST:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines


def _of_how_many(panel: Panel) -> str:
    published = [row for row in panel.rows if not is_unverified(row)] or panel.rows
    return f"(best {len(published)} of {panel.field:,})" if len(published) < panel.field else ""


def _left(labels: Iterable[str]) -> int:
    """Pixels for the names left of the bars."""
    return max(pixels(html.unescape(label)) for label in labels) + 8


def _room(panel: Panel) -> int:
    """Pixels for the figure behind the longest bar."""
    return max(pixels(number_text(row["value"])) for row in panel.rows) + 12


def _longest(panel: Panel) -> float:
    return max(float(row["value"]) for row in panel.rows) or 1.0


def _bars(panel: Panel, heights: Sequence[float], colours: Mapping[str, str]) -> Properties:
    return {
        "type": "bar",
        "x": [row["value"] for row in panel.rows],
        "y": list(heights),
        "width": BAR * THICKNESS,
        "orientation": "h",
        "text": [number_text(row["value"]) for row in panel.rows],
        "textposition": "outside",
        "cliponaxis": False,
        "marker": {
            "color": [colours[_system(row)] for row in panel.rows],
            "line": {"width": 0},
            **hatched([is_unverified(row) for row in panel.rows]),
        },
        "customdata": [[_shown(line) for line in _hover(panel, row)] for row in panel.rows],
        "hovertemplate": HOVER,
        "showlegend": False,
    }


def _layout(height: int, labels: Iterable[str], panel: Panel) -> Properties:
    """Size and margins: room for the names on the left and for the figure behind the longest bar on the right."""
    return {
        "height": height + TOP + AXIS,
        "margin": {"l": _left(labels), "r": _room(panel), "t": TOP, "b": AXIS},
        "dragmode": False,
        "hoverlabel": {"align": "left"},
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


def _title_html(panel: Panel) -> str:
    return f"<b>{_shown(panel.title)}</b> {_of_how_many(panel)}<br>{_shown(panel.axis)}"


def _panel_title(panel: Panel, height: float, indent: int) -> Properties:
    return {
        "text": _title_html(panel),
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
        words += [MARK] if is_unverified(row) else []
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
    states += ["with power" if row["has_power"] else None, MARK if is_unverified(row) else None]
    return [
        row["system_name"] or _name(row),
        " · ".join(str(state) for state in states if state),
        f"{count}{row['accelerator'] or 'no accelerator'}{nodes}",
        panel.title,
        f"{row['value']:,.10g} {panel.unit}",
        *beside_score(row),
    ]


def _shown(text: str) -> str:
    """A text as HTML that shows it as it is; Plotly reads labels as HTML too."""
    return html.escape(text, quote=False)
