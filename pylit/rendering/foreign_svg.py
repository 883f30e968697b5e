"""Shows drawings that are not for inlining, such as those of Matplotlib, as images of their own.

In an `<img>`, browsers run no script of a drawing and load nothing for it. Its content is in the address itself, so
there is no file on the site that could be opened by itself, where a script would run.
"""

from __future__ import annotations

from base64 import b64encode
from xml.parsers import expat

from .images import SVG, PictureError

LARGEST = 2_000_000
"""Bytes of such a drawing: all of them are in the page."""
_SEPARATOR = " "
_ROOT = SVG.strip("{}") + _SEPARATOR + "svg"


def svg_address(data: bytes) -> str:
    """Return the address of a drawing that holds all of it.

    Raises:
        PictureError: if it is not XML, is not a drawing, defines entities, or is too large.
    """
    if len(data) > LARGEST:
        raise PictureError(f"the drawing is larger than {LARGEST // 1_000_000} MB; save it as a PNG")
    _check(data)
    return f"data:image/svg+xml;base64,{b64encode(data).decode()}"


def _check(data: bytes) -> None:
    """Make sure that a file is a drawing that a browser can read without effort.

    Raises:
        PictureError: if it is not XML, is not a drawing, or defines entities, of which a few lines can make gigabytes.
    """
    parser = expat.ParserCreate(namespace_separator=_SEPARATOR)

    def root(name: str, attributes: dict[str, str]) -> None:
        if name != _ROOT:
            first = name.rpartition(_SEPARATOR)[2]
            raise PictureError(f"the drawing begins with a <{first}>, not with an <svg>")
        parser.StartElementHandler = None

    def entity(*arguments: object) -> None:
        raise PictureError("the drawing defines entities; save it without them")

    parser.StartElementHandler = root
    parser.EntityDeclHandler = entity
    try:
        parser.Parse(data, True)
    except PictureError:
        raise
    except (expat.ExpatError, ValueError, LookupError) as error:
        raise PictureError(f"the drawing is not valid XML: {error}") from error
