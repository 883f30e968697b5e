"""Renders tokens as the HTML of a page's body, in one language.

Provides `render_body` and its parts: rows, code, images and raw HTML. All HTML that leaves this room is safe to show.
"""

from .code_html import ColouredCode
from .context import Context
from .decisions import (
    is_drawing,
    is_elsewhere,
    link_to_picture,
    resolve_link,
    show_figure,
    show_picture,
    translate,
)
from .equations import find_equations
from .images import PICTURE_HINT, SVG, PictureError, checked_copy, checked_type, inline_svg, view_box
from .labels import box_label, default_label, optional_label, part_label
from .memo import Fragments
from .page_body import Body, CodeLine, Row, hidden_definitions, render_body
from .prose_html import with_title
from .raw_html import RawHtml, RawPicture
from .rows import render_rows
from .sanitize import balance

__all__ = [
    "PICTURE_HINT",
    "SVG",
    "Body",
    "CodeLine",
    "ColouredCode",
    "Context",
    "Fragments",
    "PictureError",
    "RawHtml",
    "RawPicture",
    "Row",
    "balance",
    "box_label",
    "checked_copy",
    "checked_type",
    "default_label",
    "find_equations",
    "hidden_definitions",
    "inline_svg",
    "is_drawing",
    "is_elsewhere",
    "link_to_picture",
    "optional_label",
    "part_label",
    "render_body",
    "render_rows",
    "resolve_link",
    "show_figure",
    "show_picture",
    "translate",
    "view_box",
    "with_title",
]
