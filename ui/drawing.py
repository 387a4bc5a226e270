"""SVG of our own on the screen. `st.html` drops every SVG: its sanitiser lets HTML pass and nothing else."""

from typing import Final

import streamlit as st

HTML: Final = '<div role="group" class="drawing"></div>'
JS: Final = """
export default function ({ data, parentElement }) {
  const place = parentElement.querySelector(".drawing");
  place.innerHTML = data.markup;
  place.setAttribute("aria-label", data.description);
}
"""

_component = st.components.v2.component("drawing", html=HTML, js=JS, isolate_styles=False)


def show(markup: str, description: str, key: str) -> None:
    """HTML with SVG in it, shown as it is: whoever makes it has escaped every text in it."""
    _component(key=key, data={"markup": markup, "description": description})
