"""Own results on the screen: whose they are, and the one switch that shows them beside the published ones.

Settings come from the environment (README, "Your own results"). Who owns what is decided here; what is stored, and what
an owner sees, is for `loaders.own`.
"""

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import streamlit as st

from loaders.limits import Limits
from loaders.own import PATH
from loaders.upload import UploadLimits
from mlperf.errors import DashboardError
from ui import link, whose
from ui.whose import COOKIE, SHORTEST, Mode, new_secret

FILE: Final = "ROUNDTABLE_OWN_FILE"
KEY: Final = "key"
"""The parameter of a private link."""

_SECRET: Final = "own.secret"
_SWITCH: Final = "own.switch"
_ON: Final = "own.on"


@dataclass(frozen=True)
class Setting:
    """A limit that the environment may change."""

    name: str
    default: int
    what: str


SETTINGS: Final = (
    Setting("ROUNDTABLE_UPLOAD_MB", 200, "megabytes of one upload"),
    Setting("ROUNDTABLE_UPLOAD_FILES", 20_000, "files in one upload, those in archives counted"),
    Setting("ROUNDTABLE_UPLOAD_UNPACKED_MB", 4_096, "megabytes that one upload may unpack to"),
    Setting("ROUNDTABLE_UPLOAD_RATIO", 500, "unpacked bytes per packed byte of an archive, and of a file in it"),
    Setting("ROUNDTABLE_OWN_RESULTS", 20_000, "results that one owner may keep"),
)


def mode() -> Mode:
    """Who sees own results. Raises `DashboardError` where the setting is no mode."""
    found = whose.mode()
    if found is None:
        asked = os.environ.get(whose.MODE, "")
        raise DashboardError(f"is {asked!r}, which is no choice.", whose.MODE, f"Say one of {', '.join(whose.MODES)}.")
    return found


def path() -> Path:
    """The file of the catalog."""
    return Path(os.environ.get(FILE) or PATH)


def limits() -> UploadLimits:
    """The limits on uploads. Raises `DashboardError` for a setting that is no number over zero."""
    upload, files, unpacked, ratio, results = (_number(setting) for setting in SETTINGS)
    archive = Limits(members=files, member_bytes=unpacked << 20, unpacked_bytes=unpacked << 20, ratio=ratio)
    return UploadLimits(upload << 20, archive, results)


def _number(setting: Setting) -> int:
    text = os.environ.get(setting.name, "")
    if text and (not text.isdecimal() or len(text) > 9 or int(text) < 1):
        raise DashboardError(f"is {text!r}, which is no number.", setting.name, f"It is for {setting.what}.")
    return int(text) if text else setting.default


def owner() -> str:
    """Whose uploads this reader's are; "" for a reader who has to log in first."""
    found = mode()
    if found == "shared":
        return "shared"
    if found == "session":
        return _named("s", secret())
    if not st.user.get("is_logged_in"):
        return ""
    issuer, subject = st.user.get("iss"), st.user.get("sub") or st.user.get("email")
    return _named("u", f"{issuer} {subject}")


def _named(kind: str, text: str) -> str:
    """An owner that nobody can turn back into the secret or the person."""
    return f"{kind}-{hashlib.sha256(text.encode()).hexdigest()[:40]}"


def secret() -> str:
    """What a browser session is known by: a private link's key, else its cookie, else one made now."""
    if _SECRET not in st.session_state:
        cookie = st.context.cookies.get(COOKIE, "")
        st.session_state[_SECRET] = cookie if len(cookie) >= SHORTEST else new_secret()
    return str(st.session_state[_SECRET])


def open_private_link() -> bool:
    """Become the session that a private link names, and take the key out of the address; whether there was one."""
    asked = st.query_params.get(KEY, "")
    if not asked:
        return False
    del st.query_params[KEY]
    if mode() != "session" or len(asked) < SHORTEST:
        return False
    st.session_state[_SECRET] = asked
    return True


def is_on() -> bool:
    """Whether own results stand beside the published ones."""
    return bool(st.session_state.get(_ON))


def switch(*, has_any: bool) -> None:
    """The switch, where the reader has own results; its state is in the link and goes along from page to page."""
    if not has_any:
        st.session_state[_ON] = False
        return
    asked = st.query_params.get(link.OWN)
    is_asked = asked == link.ON if asked in {link.ON, link.OFF} else is_on()
    st.session_state[_ON] = st.session_state[_SWITCH] = is_asked
    _write(is_asked)
    st.toggle(
        "Own results",
        key=_SWITCH,
        on_change=_turn,
        help="Show your own results beside the published ones. They are marked: MLCommons has not verified them.",
    )


def _turn() -> None:
    st.session_state[_ON] = st.session_state[_SWITCH]
    _write(st.session_state[_ON])


def _write(is_shown: bool) -> None:
    if is_shown:
        st.query_params[link.OWN] = link.ON
    elif link.OWN in st.query_params:
        del st.query_params[link.OWN]
