"""Makes pictures that need no page around them: as data in an address, with the colours of our light theme.

On a page, drawings take their colours from its stylesheet. In a notebook there is none, and nothing tells a picture
whether the notebook is dark, so a drawing there has a light ground of its own.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from pathlib import PurePosixPath
from xml.etree import ElementTree

from .charts import COLORS
from .pictures import SVG, PictureError, inline_svg

MARGIN, ROW = 12, 24
"""Room around a drawing, and for a line of its legend."""
TYPES = {".png": "png", ".jpg": "jpeg", ".jpeg": "jpeg", ".webp": "webp", ".gif": "gif"}
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
"""What the theme's stylesheet says of drawings."""
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
"""
"""And of charts."""


def embedded_picture(data: bytes, file: str) -> str:
    """The picture in `file`, which holds `data`, as an address that holds all of it.

    Raises:
        PictureError: if it is a drawing that cannot be shown, or of an unknown format.
    """
    kind = PurePosixPath(file).suffix
    if kind == ".svg":
        return _address(_alone(ElementTree.fromstring(inline_svg(data, "")), STYLE), "svg+xml")
    if kind.lower() not in TYPES:
        raise PictureError("the picture's format is not known; use SVG, PNG, JPEG, WebP or GIF")
    return _address(data, TYPES[kind.lower()])


def embedded_chart(svg: str, labels: Sequence[str]) -> str:
    """A chart as an address that holds all of it, with a legend that names its lines."""
    root = ElementTree.fromstring(svg)
    left, top, width, height = _box(root)
    root.set("class", "chart")
    for number, label in enumerate(labels):
        y = top + height + ROW * (number + 0.5)
        css = f"line line-{number % COLORS + 1}"
        ElementTree.SubElement(root, "path", {"class": css, "d": f"M{left + 52:g} {y:g}h32"})
        ElementTree.SubElement(root, "text", {"x": f"{left + 94:g}", "y": f"{y + 5:g}"}).text = label
    root.set("viewBox", f"{left:g} {top:g} {width:g} {height + ROW * len(labels):g}")
    return _address(_alone(root, STYLE + CHART_STYLE), "svg+xml")


def _alone(root: ElementTree.Element, css: str) -> bytes:
    """A drawing with all that it needs to be shown by itself."""
    left, top, width, height = _box(root)
    left, top, width, height = left - MARGIN, top - MARGIN, width + 2 * MARGIN, height + 2 * MARGIN
    numbers = {"x": left, "y": top, "width": width, "height": height}
    ground = {name: f"{number:g}" for name, number in numbers.items()}
    root.attrib |= {"xmlns": SVG[1:-1], "width": ground["width"], "height": ground["height"]}
    root.set("viewBox", " ".join(ground.values()))
    root.insert(0, ElementTree.Element("rect", {**ground, "rx": "8", "fill": GROUND}))
    style = ElementTree.Element("style")
    style.text = css
    root.insert(0, style)
    return ElementTree.tostring(root, encoding="unicode").encode()


def _box(root: ElementTree.Element) -> tuple[float, float, float, float]:
    left, top, width, height = map(float, root.attrib["viewBox"].replace(",", " ").split())
    return left, top, width, height


def _address(data: bytes, kind: str) -> str:
    return f"data:image/{kind};base64,{b64encode(data).decode()}"
