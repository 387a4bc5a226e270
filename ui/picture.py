"""The charts of a page as a picture file, with title and footnote in it; drawn in the reader's browser.

A picture holds what stands on the screen: theme, width, and what the reader has zoomed into. `picture.js` says how.
It takes SVG, Plotly's and our own: charts that Plotly draws on a canvas (`scattergl`, maps, 3D) are not in it.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import streamlit as st

ICON: Final = '<svg viewBox="0 0 24 24" aria-hidden="true"><path d="M12 4v11m-5-5 5 5 5-5M5 16v4h14v-4"/></svg>'
HTML: Final = f"""
<div class="buttons">
  <button type="button" value="png" aria-label="PNG, picture of the charts">{ICON}PNG</button>
  <button type="button" value="svg" aria-label="SVG, picture of the charts">{ICON}SVG</button>
</div>
<p role="status"></p>
"""
CSS: Final = """
.buttons { display: flex; flex-wrap: wrap; gap: 0.5rem; }
button {
  display: inline-flex; align-items: center; justify-content: center; gap: 0.5rem;
  min-height: 2.5rem; margin: 0; padding: 0.25rem 0.75rem; cursor: pointer; user-select: none;
  font: inherit; font-size: 0.875rem; line-height: 1.6; color: var(--st-text-color);
  background: color-mix(in srgb, white 2.5%, var(--st-background-color));
  border: 1px solid var(--st-border-color); border-radius: var(--st-button-radius);
}
button:hover, button:focus-visible {
  background: color-mix(in srgb, var(--st-gray-color) 12%, var(--st-background-color));
}
button:active { background: color-mix(in srgb, var(--st-gray-color) 20%, var(--st-background-color)); }
button:focus-visible {
  outline: none; box-shadow: 0 0 0 0.2rem color-mix(in srgb, var(--st-primary-color) 50%, transparent);
}
button svg { width: 1.25em; height: 1.25em; fill: none; stroke: currentColor; stroke-width: 2; }
p { margin: 0; font-size: 0.9rem; line-height: 1.45; color: var(--st-red-text-color); }
p:not(:empty) { margin-top: 0.5rem; }
"""
JS: Final = Path(__file__).with_suffix(".js").read_text(encoding="utf-8")

_component = st.components.v2.component("picture", html=HTML, css=CSS, js=JS)


def buttons(title: str, footnote: Sequence[str], file_name: str, charts: Sequence[str], key: str) -> None:
    """Two buttons that save the charts with these keys, as the page shows them, as `file_name.png` and `file_name.svg`.

    Title and footnote, a paragraph per text, are plain text: no markup in them is read.
    """
    data = {"title": title, "footnote": list(footnote), "file_name": file_name, "charts": list(charts)}
    _component(key=key, data=data, width="content")
