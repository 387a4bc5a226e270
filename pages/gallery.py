"""Gallery: the figures of the articles that this project started from, each a link into a page."""

import streamlit as st

from mlperf.gallery import gallery
from ui import report


def show() -> None:
    """Per article its figures: a link and what to look at."""
    report.heading("Figures that people ask for", "Each opens the page that answers it, with the filters set")
    for article in gallery():
        st.subheader(article.title, anchor=False)
        grid = st.grid(3, min_column_width=300, gap="small")
        for figure in article.figures:
            with grid.cell(), st.container(border=True, gap="xsmall"):
                page = f"../pages/{figure.page}.py"
                st.page_link(page, label=f"**{figure.title}**", query_params=dict(figure.query))
                st.caption(figure.look)


with report.faults():
    show()
