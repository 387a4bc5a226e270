"""The door: the server, its start-up and its headers. Nothing here knows what a result is.

`streamlit run app.py` finds `app`. The main script lives in `ui/`, because a `pages/` folder beside it would switch
Streamlit to its old multipage mode, where a deep link on a fresh server runs one page alone, without navigation.
"""

import gc
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib import import_module

import streamlit as st

from ui import http, receiving

HEAVY_MODULES = ("pandas", "plotly.graph_objects", "duckdb", "pyarrow")


@asynccontextmanager
async def lifespan(_: st.App) -> AsyncIterator[None]:
    """Import what every page needs and open the database before the first visitor comes.

    Streamlit collects garbage after each run of a page; over all that these modules allocate it takes about 70 ms.
    Freezing moves it out of the collector's sight.
    """
    for name in HEAVY_MODULES:
        import_module(name)
    if fault := import_module("ui.session").snapshot_fault():
        logging.getLogger(__name__).error(fault)  # every page says so, too, and /readyz
    gc.collect()
    gc.freeze()
    async with receiving.sweeping():
        yield


app = st.App("ui/main.py", lifespan=lifespan, routes=http.ROUTES, middleware=http.MIDDLEWARE)
