"""The gallery's one data file."""

from pathlib import Path

import pytest

from mlperf import gallery
from mlperf.errors import CatalogError
from tests import ROOT

ARTICLE = '[[article]]\nid = "a"\ntitle = "A"\n'


def test_every_figure_leads_to_a_page_of_ours_and_says_what_to_look_at() -> None:
    pages = {page.stem for page in (ROOT / "pages").glob("*.py")}
    figures = [figure for article in gallery.gallery() for figure in article.figures]
    assert {figure.page for figure in figures} <= pages
    assert all(figure.look.endswith(".") and figure.query for figure in figures)
    assert len({figure.title for figure in figures}) == len(figures)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (ARTICLE + '[[figure]]\narticle = "b"\ntitle = "t"\nlook = "l."\nlink = "compare?x=1"\n', "no article 'b'"),
        (ARTICLE + '[[figure]]\narticle = "a"\ntitle = "t"\nlook = "l."\n', "link is missing"),
        (ARTICLE + 'colour = "red"\n', "unknown key colour"),
    ],
)
def test_a_fault_in_the_file_is_named(tmp_path: Path, text: str, found: str) -> None:
    (tmp_path / "gallery.toml").write_text(text, encoding="utf-8")
    with pytest.raises(CatalogError, match=found):
        gallery.articles(tmp_path)
