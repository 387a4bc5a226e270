"""Who sees own results, told to their owner: the private link of a browser session, or the log-in."""

from typing import Final
from urllib.parse import urlencode, urlsplit

import streamlit as st
from streamlit.errors import StreamlitAuthError

from mlperf.errors import DashboardError
from ui import own

_OPENED: Final = "mine.opened"


def arrive() -> None:
    """Open the private link that led here; the whole page starts anew as that owner's."""
    if own.open_private_link():
        st.session_state[_OPENED] = True
        st.rerun()
    if st.session_state.get(_OPENED) and own.mode() == "session":
        st.info(
            "Opened by a private link: everybody who has it sees these results, may change them, and sees what you "
            "upload in this tab. Open the page without the link for your own."
        )


def tell() -> None:
    """Who else sees these results: nobody without the private link of this browser session, or who is logged in."""
    if own.mode() == "session":
        with st.expander("Only this browser sees these results: take them along", key="mine.private"):
            st.text(
                "Who opens this private link sees these results, and may change and delete them. Keep it to yourself."
            )
            st.code(f"{_page()}?{urlencode({own.KEY: own.secret()})}", language=None, wrap_lines=True)
    elif own.mode() == "login":
        with st.container(horizontal=True, vertical_alignment="center", key="mine.who"):
            st.text(
                f"Logged in as {st.user.get('email') or st.user.get('name') or st.user.get('sub')}", width="content"
            )
            st.button("Log out", key="mine.logout", on_click=st.logout)


def log_in() -> None:
    """The way in, where people log in. Raises `DashboardError` where whoever runs this server has not set it up."""
    if not st.button("Log in", type="primary", key="mine.login"):
        return
    try:
        st.login()
    except StreamlitAuthError as fault:
        raise DashboardError("Logging in is not set up on this server.", fix="See README, Your own results.") from fault


def _page() -> str:
    """The page's address as the reader's browser has it, without its choices."""
    parts = urlsplit(st.context.url or "")
    return f"{parts.scheme}://{parts.netloc}{parts.path}" if parts.netloc else "my-results"
