"""A chart with its words, and how it becomes SVG for the page, or a file."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from drivederain_reports.charts.looks import INK, LINE, SOFT, VARIABLES

WIDTH, HEIGHT = 430, 230
"""Of the plotting area, pixels; the page scales it."""
FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', 'Helvetica Neue', Arial, sans-serif"
VEGA_LITE = "6.1"
"""The version of Altair 6; another one could draw otherwise."""

_ALLOWED = {"svg", "g", "path", "line", "rect", "text", "tspan", "title", "defs", "clipPath"}
_KEPT = {
    "class", "viewBox", "width", "height", "x", "y", "x1", "x2", "y1", "y2", "d", "transform", "fill", "fill-opacity",
    "stroke", "stroke-width", "stroke-dasharray", "stroke-opacity", "stroke-linejoin", "stroke-linecap",
    "stroke-miterlimit", "opacity", "text-anchor", "font-size", "font-weight", "font-style", "id", "clip-path",
}  # fmt: skip
_SVG = "{http://www.w3.org/2000/svg}"
_NUMBER = re.compile(r"-?\d+\.\d{3,}(?:e-?\d+)?")


@dataclass(frozen=True)
class LineKey:
    """An entry of a legend."""

    words: str
    look: str
    """Class of the style sheet that gives the colour."""
    dashes: str = ""
    area: bool = False


@dataclass(frozen=True)
class Figure:
    """One chart."""

    name: str
    """Of its file, without suffix: lower-case letters, digits, ``-`` and ``_``."""
    title: str
    caption: str
    """What it shows and how to read it, plain text."""
    words: str
    """The chart for those who do not see it."""
    draw: Callable[[bool], Any]
    """The Altair chart without its title; with a legend inside if called with true."""
    methods: tuple[str, ...] = ()
    """Of the legend, which the page has below the chart."""
    keys: tuple[LineKey, ...] = ()
    """The rest of the legend: lines and areas that are no methods."""


def page_svg(figure: Figure, number: int) -> Markup:
    """The figure's SVG for the page: colours as custom properties of the style sheet, titles for pointers, no scripts.

    Only known elements and attributes are kept, whatever is in names.

    Args:
        number: of the figure in the page, for identifiers that are its own.
    """
    import vl_convert

    root = ElementTree.fromstring(vl_convert.vegalite_to_svg(_spec(figure.draw(False)), vl_version=VEGA_LITE))
    _clean(root, f"f{number}-")
    for size in ("width", "height"):
        root.attrib.pop(size, None)
    root.set("role", "img")
    root.set("aria-label", figure.words)
    ElementTree.register_namespace("", _SVG.strip("{}"))
    text = ElementTree.tostring(root, encoding="unicode")
    return Markup(text.replace(' xmlns="http://www.w3.org/2000/svg"', "", 1))


def svg_file(figure: Figure) -> str:
    """The figure as an SVG file with title and legend, on white."""
    import vl_convert

    return vl_convert.vegalite_to_svg(_spec(_whole(figure), "#ffffff"), vl_version=VEGA_LITE)


def png_file(figure: Figure, scale: float = 2.0) -> bytes:
    """The figure as a PNG file with title and legend, on white, ``scale`` times as many pixels as the SVG has."""
    import vl_convert

    return vl_convert.vegalite_to_png(_spec(_whole(figure), "#ffffff"), vl_version=VEGA_LITE, scale=scale)


def _whole(figure: Figure) -> Any:
    return figure.draw(True).properties(title={"text": figure.title, "anchor": "start"})


def _spec(chart: Any, background: str = "transparent") -> dict[str, Any]:
    """The Vega-Lite specification with the look of all charts."""
    axis = {
        "labelColor": SOFT, "titleColor": SOFT, "gridColor": LINE, "domainColor": SOFT, "tickColor": SOFT,
        "labelFontSize": 11, "titleFontSize": 11, "titleFontWeight": "normal", "labelFontWeight": "normal",
        "titlePadding": 9,
    }  # fmt: skip
    text = {"font": FONT, "labelFont": FONT, "titleFont": FONT}
    spec: dict[str, Any] = chart.to_dict()
    spec["config"] = {
        "background": background,
        "font": FONT,
        "view": {"stroke": None},
        **{
            key: {"aria": False} for key in ("area", "line", "rule", "tick")
        },  # marks with words of their own have titles
        "axis": axis | text,
        "legend": {"labelColor": INK, "titleColor": INK, "labelFontSize": 11, "labelLimit": 400} | text,
        "title": {"color": INK, "fontSize": 13, "offset": 10} | text,
    }
    return spec


def _clean(element: ElementTree.Element, prefix: str) -> None:
    """Keep what a static picture needs; the words of marks become titles, which a pointer and a screen reader get."""
    words = element.get("aria-label") if element.tag == f"{_SVG}path" else None
    kept = {}
    for name, value in element.attrib.items():
        if name not in _KEPT or (name == "class" and element.tag != f"{_SVG}svg"):
            continue
        if name in ("fill", "stroke") and value.lower() in VARIABLES:
            value = f"var({VARIABLES[value.lower()]})"
        elif name == "id":
            value = prefix + value
        elif name == "clip-path":
            value = value.replace("url(#", f"url(#{prefix}")
        elif name in ("d", "transform", "x", "y", "x1", "x2", "y1", "y2", "width", "height"):
            value = _NUMBER.sub(lambda found: f"{float(found[0]):.2f}".rstrip("0").rstrip("."), value)
        kept[name] = value
    hidden = [child for child in element if not _shown(child)]
    for child in hidden:
        element.remove(child)
    element.attrib.clear()
    element.attrib.update(kept)
    for child in element:
        _clean(child, prefix)
    if words:
        title = ElementTree.Element(f"{_SVG}title")
        title.text = words
        element.insert(0, title)


def _shown(element: ElementTree.Element) -> bool:
    if element.tag.removeprefix(_SVG) not in _ALLOWED or element.get("display") == "none":
        return False
    empty = element.tag == f"{_SVG}path" and (element.get("d") or "M0,0h0v0h0Z") == "M0,0h0v0h0Z"
    return not empty
