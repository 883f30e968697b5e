"""Embeds images in addresses (`data:` URLs), with the colours of our light theme.

On a page, drawings take their colours from its stylesheet. A notebook has none, and does not report whether it is
dark, so a drawing there gets a light background.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from xml.etree import ElementTree

from ..rendering import SVG, data_address, inline_svg, is_drawing, view_box

MARGIN, ROW = 12, 24
"""Margin around a drawing, and height of a row of its legend."""
GROUND = "#fdfcfa"
STYLE = """\
svg { color: #22262a; font-family: sans-serif; }
svg .accent { stroke: #0b6556; }
svg .accent-fill { fill: #dcefe9; }
svg text.accent { fill: #0b6556; stroke: none; }
svg .muted { color: #5d6166; }
svg text.muted { fill: #5d6166; }
svg :is(path, line, polyline, rect, circle).muted { stroke: #5d6166; }
"""
"""The theme's rules for drawings."""
CHART_STYLE = """\
.chart text { fill: currentColor; }
.line-1 { --c: #0b6556; }
.line-2 { --c: #b0480f; --dash: 7 4; }
.line-3 { --c: #2f55b5; --dash: 2 4; }
.line-4 { --c: #8a2a5b; --dash: 10 3 2 3; }
.line-5 { --c: #6a5a00; --dash: 14 5; }
.line-6 { --c: #5d6166; --dash: 4 2; }
svg .line { fill: none; stroke: var(--c); stroke-width: 2.2; stroke-linejoin: round; }
svg .line { stroke-dasharray: var(--dash, none); }
svg .band { fill: var(--c); opacity: 0.18; }
svg .dot { fill: var(--c); }
svg .grid { fill: none; stroke: #dedad0; }
svg .lead { fill: none; stroke: var(--c); stroke-width: 1; opacity: 0.7; }
.chart text.name { fill: var(--c); font-size: 13px; }
"""
"""The theme's rules for charts."""


def embedded_picture(file: str, data: bytes) -> str:
    """Return the image `file` with the content `data` as a `data:` URL.

    Raises:
        PictureError: if it is a drawing that cannot be shown, or has an unknown format.
    """
    if is_drawing(file):
        return _address(_alone(ElementTree.fromstring(inline_svg(data, "")), STYLE), "svg+xml")
    return data_address(file, data)


def embedded_chart(svg: str, labels: Sequence[str], styles: Sequence[int]) -> str:
    """Return a chart as a `data:` URL, with a legend of its lines if it has some `labels`, whose `styles` are given."""
    root = ElementTree.fromstring(svg)
    box = view_box(root.attrib["viewBox"])
    root.set("class", "chart")
    for number, label in enumerate(labels):
        y = box.top + box.height + ROW * (number + 0.5)
        css = f"line line-{styles[number]}"
        ElementTree.SubElement(root, "path", {"class": css, "d": f"M{box.left + 52:g} {y:g}h32"})
        ElementTree.SubElement(root, "text", {"x": f"{box.left + 94:g}", "y": f"{y + 5:g}"}).text = label
    height = box.height + ROW * len(labels)
    root.set("viewBox", f"{box.left:g} {box.top:g} {box.width:g} {height:g}")
    return _address(_alone(root, STYLE + CHART_STYLE), "svg+xml")


def _alone(root: ElementTree.Element, css: str) -> bytes:
    """Return a drawing with everything it needs to be shown on its own."""
    box = view_box(root.attrib["viewBox"])
    numbers = {
        "x": box.left - MARGIN,
        "y": box.top - MARGIN,
        "width": box.width + 2 * MARGIN,
        "height": box.height + 2 * MARGIN,
    }
    ground = {name: f"{number:g}" for name, number in numbers.items()}
    root.attrib |= {"xmlns": SVG[1:-1], "width": ground["width"], "height": ground["height"]}
    root.set("viewBox", " ".join(ground.values()))
    root.insert(0, ElementTree.Element("rect", {**ground, "rx": "8", "fill": GROUND}))
    style = ElementTree.Element("style")
    style.text = css
    root.insert(0, style)
    return ElementTree.tostring(root, encoding="unicode").encode()


def _address(data: bytes, kind: str) -> str:
    return f"data:image/{kind};base64,{b64encode(data).decode()}"
