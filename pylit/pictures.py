"""Puts pictures on the page: drawings in SVG are inlined, so that they follow its colours; others are linked to.

A drawing may hold shapes, text and presentation attributes; anything that could run, load or style is refused.
"""

from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING

from markupsafe import Markup, escape

if TYPE_CHECKING:
    from xml.etree import ElementTree

SVG = "{http://www.w3.org/2000/svg}"
ELEMENTS = frozenset(
    [
        "svg",
        "title",
        "desc",
        "g",
        "defs",
        "marker",
        "path",
        "rect",
        "circle",
        "ellipse",
        "line",
        "polyline",
        "polygon",
        "text",
        "tspan",
    ]
)
ATTRIBUTES = re.compile(
    r"class|id|viewBox|width|height|[dxy]|[xy][12]|c[xy]|r[xy]?|d[xy]|points|transform|fill(-\w+)?|stroke(-\w+)*"
    r"|opacity|font-\w+|letter-spacing|text-anchor|dominant-baseline|baseline-shift|preserveAspectRatio|paint-order"
    r"|marker-(start|mid|end)|markerWidth|markerHeight|markerUnits|ref[XY]|orient|role|aria-\w+|pathLength|rotate"
)
_BOX = re.compile(r"(-?[\d.]+[\s,]+){2}[\d.]+[\s,]+[\d.]+")
_LOCAL = re.compile(r"(?:(?!url\()[^<>])*|url\(#[\w-]+\)", re.IGNORECASE)


class PictureError(ValueError):
    """A picture that cannot be shown; its text says why and how to mend it."""


def inline_svg(data: bytes, alternative: str, prefix: str = "") -> Markup:
    """The drawing in a file that holds `data`, for the page itself, the names of its parts beginning with `prefix`.

    Raises:
        PictureError: if it is no XML, has document types, or holds anything that is not on the list.
    """
    from xml.etree import ElementTree

    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise PictureError("the drawing is not UTF-8; save it as that") from error
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        raise PictureError("the drawing has a document type; remove its <!DOCTYPE …>")
    try:
        root = ElementTree.fromstring(text)
    except ElementTree.ParseError as error:
        raise PictureError(f"the drawing is no XML: {error}") from error
    if _depth(root) > 50:
        raise PictureError("the drawing is nested more than 50 deep; flatten its groups")
    for element in root.iter():
        name = element.tag.removeprefix(SVG) if isinstance(element.tag, str) else str(element.tag)
        if not str(element.tag).startswith(SVG) or name not in ELEMENTS:
            raise PictureError(f"the drawing has a <{name}>; allowed: {', '.join(sorted(ELEMENTS))}")
        for attribute, value in list(element.attrib.items()):
            if not ATTRIBUTES.fullmatch(attribute) or not _LOCAL.fullmatch(value):
                raise PictureError(
                    f'the drawing has {attribute}="{value}" in a <{name}>, which is not allowed'
                )
            if attribute == "id":
                element.set("id", prefix + value)
            elif value.lower().startswith("url(#"):
                element.set(attribute, f"url(#{prefix}{value[5:]}")
    for useless in ("role", "aria-label", "aria-labelledby", "class"):
        root.attrib.pop(useless, None)
    if not _BOX.fullmatch(root.get("viewBox", "")):
        raise PictureError('the drawing has no viewBox; give it one, such as viewBox="0 0 640 320"')
    root.attrib.pop("width", None), root.attrib.pop("height", None)
    width = float(re.split(r"[\s,]+", root.get("viewBox", ""))[2])
    # A phone shows it no smaller than can be read, and lets it scroll.
    root.attrib |= {"role": "img", "aria-label": alternative, "style": f"--w:{width:g}"}
    for element in root.iter():
        element.tag = element.tag.removeprefix(SVG)
        element.tail = element.tail if element.tail and element.tail.strip() else None
    for parent in list(root.iter()):
        for child in [c for c in parent if c.tag in ("title", "desc")]:
            parent.remove(child)
    return Markup(ElementTree.tostring(root, encoding="unicode"))


def _depth(root: ElementTree.Element) -> int:
    """How deep elements are nested."""
    depth, level = 0, [root]
    while level:
        depth, level = depth + 1, [child for element in level for child in element]
    return depth


def linked_image(data: bytes, href: str, alternative: str) -> Markup:
    """An `<img>` of a file that holds `data`, with its size, so that nothing jumps when it comes.

    Raises:
        PictureError: if its size cannot be found out.
    """
    import imagesize  # which imports what it takes to fetch pictures from the web

    width, height = imagesize.get(io.BytesIO(data))
    if width <= 0 or height <= 0:
        raise PictureError("the picture's format is not known; use SVG, PNG, JPEG, WebP or GIF")
    return Markup('<img src="{}" alt="{}" width="{}" height="{}" loading="lazy">').format(
        href, escape(alternative), round(width), round(height)
    )
