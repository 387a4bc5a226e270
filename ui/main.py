"""The main script: pages, navigation and what every page shares."""

import streamlit as st

from ui import filters, report

st.set_page_config(page_title="Roundtable", page_icon=":material/leaderboard:", layout="wide")
# Streamlit leaves 6 rem above a page: on a phone an eighth of the screen.
st.html("<style>[data-testid=stMainBlockContainer]{padding-top:3.5rem;padding-bottom:3rem}</style>")
PAGES = [
    st.Page("../pages/explore.py", title="Explore", url_path="explore", default=True),
]
page = st.navigation(PAGES, position="top")
filters.arrive(page.title)
report.brand("Roundtable", "a dashboard for MLPerf® results")
with report.faults():
    page.run()
