"""The look is whole in both modes, and the server starts as the README promises."""

import tomllib
from typing import Any

import pytest

from tests import ROOT

CONFIG: dict[str, Any] = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text(encoding="utf-8"))
PALETTES = ("chartCategoricalColors", "chartSequentialColors", "chartDivergingColors")


def luminance(colour: str) -> float:
    """Relative luminance of `#rrggbb`. Source: WCAG 2.2, "relative luminance"."""
    channels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """Contrast ratio of two colours, 1 to 21. Source: WCAG 2.2, "contrast ratio"."""
    dark, bright = sorted((luminance(one), luminance(other)))
    return (bright + 0.05) / (dark + 0.05)


def test_light_and_dark_set_the_same_options() -> None:
    light, dark = CONFIG["theme"]["light"], CONFIG["theme"]["dark"]
    assert light.keys() == dark.keys()
    assert light["sidebar"].keys() == dark["sidebar"].keys()


@pytest.mark.parametrize("mode", ["light", "dark"])
@pytest.mark.parametrize("palette", PALETTES)
def test_a_palette_has_ten_different_colours(mode: str, palette: str) -> None:
    """With fewer than ten, Streamlit 1.67 hands Plotly "undefined" and Plotly falls back to colours of its own."""
    assert len(set(CONFIG["theme"][mode][palette])) == 10


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_text_and_marks_stand_out_from_their_background(mode: str) -> None:
    theme = CONFIG["theme"][mode]
    for room in (theme, theme["sidebar"]):
        for ground in (room["backgroundColor"], room["secondaryBackgroundColor"]):
            assert contrast(room["textColor"], ground) >= 7
            assert contrast(room["linkColor"], ground) >= 4.5
    for name in ("red", "orange", "yellow", "blue", "green", "violet", "gray"):
        assert contrast(theme[f"{name}TextColor"], theme[f"{name}BackgroundColor"]) >= 4.5
    assert all(contrast(colour, theme["backgroundColor"]) >= 2.2 for colour in theme["chartCategoricalColors"])


def test_the_server_stays_on_this_machine_and_tells_nobody() -> None:
    assert CONFIG["server"]["address"] == "localhost"
    assert CONFIG["server"]["enableXsrfProtection"] is True
    assert CONFIG["browser"]["gatherUsageStats"] is False
    assert CONFIG["client"]["showErrorDetails"] == "none"
