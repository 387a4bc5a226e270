"""The gallery: named links into the pages, with their filters set; all of it is data in `catalog/gallery.toml`."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from mlperf.catalog_files import CATALOG, read


@dataclass(frozen=True)
class Figure:
    """A figure of an article, as a view of ours."""

    title: str
    look: str
    """What to look at, a line."""
    page: str
    query: Mapping[str, list[str]]


@dataclass(frozen=True)
class Article:
    """An article and its figures, in its order."""

    title: str
    figures: tuple[Figure, ...]


def articles(folder: Path = CATALOG) -> tuple[Article, ...]:
    """All articles; `CatalogError` where the file is wrong."""
    file = read(folder, "gallery.toml")
    titles = {}
    for entry in file.entries("article"):
        titles[entry.text("id")] = entry.text("title")
        entry.close()
    found: dict[str, list[Figure]] = {known: [] for known in titles}
    for entry in file.entries("figure", "title"):
        article, link = entry.text("article"), urlsplit(entry.text("link"))
        if article not in found:
            raise entry.wrong(f"there is no article {article!r}")
        found[article].append(Figure(entry.text("title"), entry.text("look"), link.path, parse_qs(link.query)))
        entry.close()
    file.close()
    return tuple(Article(titles[known], tuple(figures)) for known, figures in found.items())


@cache
def gallery() -> tuple[Article, ...]:
    """The gallery that comes with the project, read once."""
    return articles()
