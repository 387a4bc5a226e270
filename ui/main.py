"""The main script: pages, navigation and what every page shares."""

import streamlit as st

from ui import link, own, report, session

# Drawn here: a Material icon or an emoji in the tab would be fetched from a site outside, at every visit.
ICON = '<svg viewBox="0 0 24 24" fill="#3380c8"><path d="M2 21V11h6v10zm7 0V3h6v18zm7 0v-8h6v8z"/></svg>'
st.set_page_config(page_title="Roundtable", page_icon=ICON, layout="wide")
# Streamlit leaves 6 rem above a page: on a phone an eighth of the screen.
st.html("<style>[data-testid=stMainBlockContainer]{padding-top:3.5rem;padding-bottom:3rem}</style>")
SECTIONS = {
    "": [("explore", "Explore"), ("my-results", "My results"), ("gallery", "Gallery")],
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
        st.Page(f"../pages/{path.replace('-', '_')}.py", title=title, url_path=path, default=path == "explore")
        for path, title in pages
    ]
    for section, pages in SECTIONS.items()
}
page = st.navigation(PAGES, position="top")
link.arrive(page.title)
with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute", key="brand"):
    report.brand("Roundtable", "a dashboard for MLPerf® results")
    with report.faults():
        own.switch(has_any=session.has_own())
with report.faults():
    if not session.is_released():
        report.note(["This snapshot did not come with Roundtable: all of its results are unverified."])
    page.run()
