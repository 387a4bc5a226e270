"""My results: upload logs, see what they score and whether they would count, save them, and where they stand."""

import streamlit as st

from ui import mine, own, private, report, session, uploading


def my_results() -> None:
    """What is under way, else what is saved; then the door for more."""
    private.arrive()
    top = st.container()
    owner = own.owner()
    if not owner:
        with top:
            report.heading("Log in to see your own results", "Published results can be browsed without.")
        private.log_in()
        return
    catalog = session.catalog()
    draft = uploading.draft()
    uploading.message()
    uploads = catalog.uploads(owner).to_pylist()
    with top:
        report.heading(*(uploading.heading(draft) if draft else mine.heading(uploads)))
    uploading.choose()
    uploading.watch()
    if draft:
        known = {row["sha256"]: row for row in uploads}
        uploading.show(draft, known.get(draft.inspected.sha256))
    else:
        mine.show(catalog, owner, uploads)
    private.tell()
    if draft or uploads:
        mine.footnote()


with report.faults():
    my_results()
