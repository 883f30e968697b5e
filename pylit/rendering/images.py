"""Renders images: SVG drawings are inlined, so that they use the colours of the page; others are linked to.

A drawing may contain shapes, text and presentation attributes; anything that could run, load or style is refused.
"""

from __future__ import annotations

import io
import posixpath
import re
from base64 import b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from html import unescape
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from markupsafe import Markup, escape

from ..filesystem import PICTURES, allowed_formats, file_suffix, format_error, picture_type, read_file
from ..nearest import short

if TYPE_CHECKING:
    from xml.etree import ElementTree

SVG = "{http://www.w3.org/2000/svg}"
ELEMENTS = frozenset(
    [
        "svg",
        "a",
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
    r"|data-of"
)
TIED = "data-of"
"""The attribute that ties a part of a drawing to a name in the code, or to a symbol between dollar signs."""
_TIED = re.compile(rf'(<[^<>]*?) {TIED}="([^"]*)"')
_NUMBER = r"[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]{1,3})?"
_BOX = re.compile(rf"\s*{_NUMBER}(?:(?:\s+|\s*,\s*){_NUMBER}){{3}}\s*")
LARGEST = 1e6
"""Maximum size of a drawing in each direction, in its own units."""
FUNCTIONS = frozenset(
    "translate scale rotate matrix skewx skewy rgb rgba hsl hsla hwb lab lch oklab oklch color color-mix light-dark var"
    " calc min max clamp".split()
)
"""Functions allowed in CSS and transforms."""
_OWN_PART = re.compile(r"url\(#[\w-]+\)", re.IGNORECASE)
_ESCAPE = re.compile(r"\\(?:([0-9a-fA-F]{1,6})[ \t\n\r\f]?|\r\n|(.)|$)", re.DOTALL)
_COMMENT = re.compile(r"/\*.*?(?:\*/|$)", re.DOTALL)


PICTURE_HINT = (
    f"Allowed: {allowed_formats()}, and drawings in `assets` with only shapes and text. List scripts and style"
    " sheets in the configuration, or put them in your own theme folder."
)


class PictureError(ValueError):
    """An image that cannot be shown; its text says why, and how to fix it."""


@dataclass(frozen=True, slots=True)
class DrawnLink:
    """Where a link in a drawing leads."""

    href: str
    title: str
    """The title of the page, which replaces texts of the class `title` in the link."""


def link_targets(data: bytes) -> list[str]:
    """Return the targets of the links in a drawing; none if it cannot be parsed."""
    from xml.etree import ElementTree

    if b"href" not in data or b"<!" in data:
        return []
    try:
        root = ElementTree.fromstring(data)
    except (ElementTree.ParseError, ValueError, LookupError):
        return []
    return list(dict.fromkeys(e.get("href", "") for e in root.iter(f"{SVG}a")))


def inline_svg(
    data: bytes, alternative: str, prefix: str = "", links: Mapping[str, DrawnLink] | None = None
) -> Markup:
    """Return a drawing for inlining in a page, with `prefix` before the ids of its parts, and `links` resolved.

    Without `links`, those in the drawing lead nowhere.

    It is serialized from the parsed tree, without constructs that XML and HTML parse differently: no prefixed names,
    no elements other than shapes, and none with raw text.

    Raises:
        PictureError: if it is not valid XML, has a document type, or contains anything that is not allowed.
    """
    from xml.etree import ElementTree

    root = _understood(data, prefix, links)
    for useless in ("role", "aria-label", "aria-labelledby", "class"):
        root.attrib.pop(useless, None)
    width = view_box(root.get("viewBox", "")).width
    root.attrib.pop("width", None), root.attrib.pop("height", None)
    # On a phone, it stays legible and scrolls.
    role = "group" if root.find(".//a") is not None else "img"
    named = {"role": role, "aria-label": alternative} if alternative else {"aria-hidden": "true"}
    root.attrib |= named | {"style": f"--w:{width:g}"}
    for element in root.iter():
        element.tail = element.tail if element.tail and element.tail.strip() else None
    for parent in list(root.iter()):
        parent[:] = [child for child in parent if child.tag not in ("title", "desc")]
    for element in root.iter("a"):
        assert links is not None
        link = links[element.get("href", "")]
        element.attrib |= {"href": link.href, "aria-label": link.title}
        for text in element.iter("text"):
            if text.get("class") == "title":
                text.text = link.title
    return Markup(ElementTree.tostring(root, encoding="unicode"))


def tie(svg: str, find: Callable[[str], tuple[str, str]]) -> str:
    """Replace what the parts of an inlined drawing are tied to by the attribute and value that `find` returns for it.

    Without an attribute, the part is not tied to anything.
    """

    def replaced(match: re.Match[str]) -> str:
        attribute, value = find(unescape(match[2]))
        return f'{match[1]} {attribute}="{escape(value)}"' if attribute else match[1]

    return _TIED.sub(replaced, svg) if TIED in svg else svg


def separate_svg(data: bytes) -> bytes:
    """Return a drawing as a file of its own.

    It is serialized from the parsed tree, too. A browser would interpret the start of the original: an encoding other
    than ours, in which tags may start elsewhere, or a style sheet, which may be a program that turns it into any page.

    Raises:
        PictureError: as `inline_svg` does.
    """
    from xml.etree import ElementTree

    root = _understood(data)
    root.set("xmlns", SVG[1:-1])
    return ElementTree.tostring(root, encoding="unicode").encode()


def _understood(
    data: bytes, prefix: str = "", links: Mapping[str, DrawnLink] | None = None
) -> ElementTree.Element:
    """Parse and check a drawing, and return its elements without namespaces.

    Raises:
        PictureError: as `inline_svg` does.
    """
    from xml.etree import ElementTree

    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise PictureError("the drawing is not UTF-8; save it as UTF-8") from error
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        raise PictureError("the drawing has a document type; remove its <!DOCTYPE …>")
    try:
        root = ElementTree.fromstring(text)
    except (ElementTree.ParseError, ValueError) as error:
        raise PictureError(f"the drawing is not valid XML: {error}") from error
    if _depth(root) > 50:
        raise PictureError("the drawing is nested more than 50 levels deep; flatten its groups")
    if root.tag != f"{SVG}svg":
        raise PictureError(f"the drawing starts with <{root.tag.removeprefix(SVG)}>; expected <svg>")
    for element in root.iter():
        _check_element(element, prefix, links)
        if links is None and element.tag == f"{SVG}a":
            element.tag = f"{SVG}g"
            element.attrib.pop("href", None)
    view_box(root.get("viewBox", ""))
    for element in root.iter():
        element.tag = element.tag.removeprefix(SVG)
    return root


def _check_element(element: ElementTree.Element, prefix: str, links: Mapping[str, DrawnLink] | None) -> None:
    """Refuse elements and attributes that are not allowed, and put `prefix` before ids.

    A link must be one of `links`, if there are any.
    """
    name = element.tag.removeprefix(SVG) if isinstance(element.tag, str) else str(element.tag)
    if not str(element.tag).startswith(SVG) or name not in ELEMENTS:
        raise PictureError(f"the drawing has a <{short(name)}>; allowed: {', '.join(sorted(ELEMENTS))}")
    if name == "a" and links is not None and element.get("href", "") not in links:
        raise PictureError(
            f'the drawing has a link to "{short(element.get("href", ""))}", which leads nowhere'
        )
    for attribute, value in list(element.attrib.items()):
        if name == "a" and attribute == "href":
            continue
        is_words = attribute.startswith("aria-") or attribute == TIED
        if not ATTRIBUTES.fullmatch(attribute) or not (is_words or is_local(value)):
            found = f'{short(attribute)}="{short(value)}" in a <{name}>'
            raise PictureError(f"the drawing has {found}, which is not allowed")
        if attribute == "id":
            element.set("id", prefix + value)
        elif _OWN_PART.fullmatch(value):
            element.set(attribute, f"url(#{prefix}{value[5:]}")


def is_local(css: str) -> bool:
    r"""Return whether a CSS value loads and runs nothing, however it is written.

    Escapes and comments are removed first: `\75rl(` is `url(`. The rest may call the allowed functions, and refer to a
    part of the same drawing.
    """
    if _OWN_PART.fullmatch(css):
        return True
    plain = _ESCAPE.sub(_unescaped, _COMMENT.sub("", css))
    return not any(mark in css + plain for mark in "<>@") and _calls(css) | _calls(plain) <= FUNCTIONS


def _calls(css: str) -> set[str]:
    """Return the names before opening parentheses."""
    return {re.split(r"[\s),;:]", part.rstrip())[-1].lower() for part in css.split("(")[:-1]}


def _unescaped(match: re.Match[str]) -> str:
    if match[1]:
        number = int(match[1], 16)
        return chr(number) if 0 < number < 0x110000 else "\ufffd"
    return match[2] or ""


@dataclass(frozen=True, slots=True)
class ViewBox:
    """The visible area of a drawing."""

    left: float
    top: float
    width: float
    height: float


def view_box(text: str) -> ViewBox:
    """Parse a `viewBox`.

    Raises:
        PictureError: if it is not four numbers of a suitable size.
    """
    if not text:
        raise PictureError('the drawing has no viewBox; add one, such as viewBox="0 0 640 320"')
    if _BOX.fullmatch(text):
        left, top, width, height = map(float, text.replace(",", " ").split())
        if min(width, height) > 0 and max(abs(left), abs(top), width, height) <= LARGEST:
            return ViewBox(left, top, width, height)
    raise PictureError(
        f'the drawing has viewBox="{text}"; it must be four numbers up to {LARGEST:g}, the last two above 0,'
        ' such as "0 0 640 320"'
    )


def _depth(root: ElementTree.Element) -> int:
    """Return the maximum nesting of elements."""
    depth, level = 0, [root]
    while level:
        depth, level = depth + 1, [child for element in level for child in element]
    return depth


def checked_type(file: str, data: bytes) -> str:
    """Return the media subtype of an image.

    Raises:
        PictureError: if its format is not supported, or its content does not match its suffix.
    """
    if file_suffix(file) not in PICTURES:
        raise PictureError("the picture's format is not supported; use SVG, PNG, JPEG, WebP or GIF")
    if not (found := picture_type(file, data)):
        message = f"the picture is not in the format that `{file_suffix(file)}` indicates"
        raise PictureError(f"{message}; save it in the format of its suffix")
    return found


def checked_copy(folder: Path, file: str, base: Path) -> bytes | None:
    """Return the content to publish for a file in the folder of guides, below `base`; `None` for a plain copy.

    Raises:
        PictureError: if it is not published. The message is empty for drawings outside `assets`, which are inlined in
        pages.
    """
    is_drawing = file_suffix(file) == ".svg"
    if is_drawing and not file.startswith("assets/"):
        raise PictureError
    try:
        data = read_file(folder / file, base)
    except OSError as error:
        raise PictureError(error.strerror or str(error)) from error
    if is_drawing:
        return separate_svg(data)
    if reason := format_error(file, data):
        raise PictureError(reason)
    return None


def linked_image(data: bytes, href: str, alternative: str, wanted: tuple[int, int] = (0, 0)) -> Markup:
    """Return an `<img>` for the file at `href`, with its size, so that the layout does not shift when it loads.

    Args:
        data: The content of the file.
        href: Its address.
        alternative: The text for readers who do not see it.
        wanted: Width and height in pixels that its author asks for; 0 where they follow from the file.

    Raises:
        PictureError: if its format is not supported, or its size cannot be determined.
    """
    checked_type(href, data)
    return sized_image(data, href, alternative, wanted)


def data_address(file: str, data: bytes) -> str:
    """Return the address of an image that holds all of it.

    Raises:
        PictureError: if its format is not supported, or its content does not match its suffix.
    """
    return f"data:image/{checked_type(file, data)};base64,{b64encode(data).decode()}"


def file_name(address: str) -> str:
    """Return the name of a file at an address; all of it if it has none."""
    return posixpath.basename(urlsplit(address).path) or address


def sized_image(data: bytes, href: str, alternative: str, wanted: tuple[int, int] = (0, 0)) -> Markup:
    """Return an `<img>` of an image whose format is known; for the arguments, see `linked_image`.

    Raises:
        PictureError: if its size cannot be determined.
    """
    import imagesize  # slow to import

    try:
        width, height = imagesize.get(io.BytesIO(data))
    except MemoryError:
        raise
    except Exception as error:  # it raises several undocumented exceptions
        raise PictureError(f"the picture is damaged: {error or type(error).__name__}") from error
    if not (0 < width <= LARGEST and 0 < height <= LARGEST):
        raise PictureError("the picture is damaged, or has no size; save it again")
    if wanted[0]:
        width, height = wanted[0], max(1, min(wanted[1] or height * wanted[0] / width, LARGEST))
    elif wanted[1]:
        width, height = max(1, min(width * wanted[1] / height, LARGEST)), wanted[1]
    return Markup('<img src="{}" alt="{}" width="{}" height="{}" loading="lazy">').format(
        href, escape(alternative), round(width), round(height)
    )
