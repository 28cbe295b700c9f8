"""Colours and marks: the same for a method in all charts and tables, told apart without colour too."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

STYLES = 8
"""Colours and marks; with more methods they start over."""

COLOURS = ("#0072b2", "#d55e00", "#009e73", "#b3508f", "#a87400", "#2a8fc7", "#5a5a5a", "#7a4fc2")
"""By style, after Okabe and Ito (*Color Universal Design*, 2008), darkened where they are too light on white."""
SHAPES = (
    "M-1 0A1 1 0 1 1 1 0A1 1 0 1 1 -1 0Z",
    "M-.9 -.9H.9V.9H-.9Z",
    "M0 -1.25 1.25 0 0 1.25 -1.25 0Z",
    "M0 -1.15 1.15 .9H-1.15Z",
    "M0 1.15 1.15 -.9H-1.15Z",
    "M-1.15 -.4H-.4V-1.15H.4V-.4H1.15V.4H.4V1.15H-.4V.4H-1.15Z",
    "M-1.1 -.6 -.6 -1.1 0 -.5 .6 -1.1 1.1 -.6 .5 0 1.1 .6 .6 1.1 0 .5 -.6 1.1 -1.1 .6 -.5 0Z",
    "M-1.05 -1.05H1.05L.2 0 1.05 1.05H-1.05L-.2 0Z",
)
"""By style, paths in a square from -1.25 to 1.25."""
INK, SOFT, LINE, PANEL = "#16202b", "#566474", "#dde3e9", "#ffffff"

VARIABLES = {
    **{colour: f"--s{style}" for style, colour in enumerate(COLOURS)},
    INK: "--ink",
    SOFT: "--soft",
    LINE: "--line",
    PANEL: "--panel",
}
"""Custom properties of the style sheet that stand for a colour in the page, so that it follows light and dark."""


def colour_scale(methods: Sequence[str], styles: Mapping[str, int]) -> Any:
    """Of an Altair encoding: the colour of each method; those without a style (the rainy input) are ink."""
    import altair as alt

    return alt.Scale(
        domain=list(methods), range=[COLOURS[styles[name]] if name in styles else SOFT for name in methods]
    )


def shape_scale(methods: Sequence[str], styles: Mapping[str, int]) -> Any:
    """Of an Altair encoding: the mark of each method."""
    import altair as alt

    return alt.Scale(
        domain=list(methods), range=[SHAPES[styles[name]] if name in styles else "circle" for name in methods]
    )
