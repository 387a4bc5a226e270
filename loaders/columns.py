"""Cells under headings that stand more than once: copies that agree are one column, copies that differ are none.

The order of columns decides nothing: whoever moves a column or adds a copy of it must not change a figure.
"""

from collections.abc import Iterable, Mapping
from typing import Final

from loaders.tables import Row
from mlperf.errors import Problem

LEFT_OUT: Final = "The line was left out: remove the wrong column, and load the table again."


def copies(names: Iterable[str]) -> dict[str, tuple[int, ...]]:
    """The places of each heading in the header."""
    places: dict[str, tuple[int, ...]] = {}
    for place, name in enumerate(names):
        places[name] = (*places.get(name, ()), place)
    return places


def merged(row: Row, places: Mapping[str, tuple[int, ...]]) -> tuple[dict[str, str], dict[str, tuple[str, str]]]:
    """The row's cells by heading, and the headings whose copies hold two different texts, with both texts.

    Blank copies say nothing. Texts are compared with single blanks.
    """
    cells: dict[str, str] = {}
    differing: dict[str, tuple[str, str]] = {}
    for name, indexes in places.items():
        if len(indexes) == 1:
            cells[name] = row.cells[indexes[0]]
            continue
        texts = list(dict.fromkeys(filter(None, (" ".join(row.cells[index].split()) for index in indexes))))
        cells[name] = texts[0] if len(texts) == 1 else ""
        if len(texts) > 1:
            differing[name] = (texts[0], texts[1])
    return cells, differing


def difference(row: Row, names: tuple[str, str], texts: tuple[str, str], fix: str = LEFT_OUT) -> Problem:
    """The fault of two columns that should say the same, under one heading or two."""
    which = f'two columns "{names[0]}"' if names[0] == names[1] else f'columns "{names[0]}" and "{names[1]}"'
    found = f"{which} differ: {texts[0][:60]!r} and {texts[1][:60]!r}."
    return Problem(row.where, "columns-differ", found, fix)
