"""The main script: pages, navigation and what every page shares."""

import streamlit as st

from ui import link, report

st.set_page_config(page_title="Roundtable", page_icon=":material/leaderboard:", layout="wide")
# Streamlit leaves 6 rem above a page: on a phone an eighth of the screen.
st.html("<style>[data-testid=stMainBlockContainer]{padding-top:3.5rem;padding-bottom:3rem}</style>")
SECTIONS = {
    "": [("explore", "Explore"), ("gallery", "Gallery")],
    "Results": [("compare", "Compare"), ("round", "Round")],
    "Analysis": [
        ("scaling", "Scaling"),
        ("runs", "Runs"),
        ("power", "Power"),
        ("rankings", "Rankings"),
        ("trends", "Trends"),
        ("sizing", "Sizing"),
    ],
    "Systems": [("system", "System")],
}
PAGES = {
    section: [
        st.Page(f"../pages/{path}.py", title=title, url_path=path, default=path == "explore") for path, title in pages
    ]
    for section, pages in SECTIONS.items()
}
page = st.navigation(PAGES, position="top")
link.arrive(page.title)
report.brand("Roundtable", "a dashboard for MLPerf® results")
with report.faults():
    page.run()
