"""Renders tokens as the HTML of a page's body, in one language.

Provides `render_body` and its parts: rows, code, images and raw HTML. All HTML that leaves this room is safe to show.
"""

from .code_html import ColouredCode
from .context import Context, Excerpt, PageCard
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
from .images import PICTURE_HINT, SVG, PictureError, checked_copy, data_address, inline_svg, view_box
from .labels import box_label, default_label, optional_label, part_label
from .line_breaks import breakable_name
from .maps import excerpts, find_cards
from .memo import Fragments
from .page_body import Body, CodeLine, Row, hidden_definitions, render_body, with_title
from .passage_html import ORIGINAL
from .prose_html import ProseRenderer
from .raw_html import RawHtml, RawPicture
from .rows import render_rows
from .sanitize import balance
from .tensor_pictures import Pictures

__all__ = [
    "ORIGINAL",
    "PICTURE_HINT",
    "SVG",
    "Body",
    "CodeLine",
    "ColouredCode",
    "Context",
    "Excerpt",
    "Fragments",
    "PageCard",
    "PictureError",
    "Pictures",
    "ProseRenderer",
    "RawHtml",
    "RawPicture",
    "Row",
    "balance",
    "box_label",
    "breakable_name",
    "checked_copy",
    "data_address",
    "default_label",
    "excerpts",
    "find_cards",
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
