"""Decides which raw HTML is allowed in prose: a few tags without attributes, and for translators, links too."""

from __future__ import annotations

import re
from collections.abc import Sequence

from markdown_it.token import Token
from markupsafe import escape

from ..resolve import EXTERNAL
from .tidy_html import tidy

INLINE_TAGS = frozenset(
    "b i em strong u s del ins sub sup kbd mark small br wbr abbr cite q var samp".split()
)
BLOCK_TAGS = frozenset("details summary div p ul ol li table thead tbody tr th td dl dt dd hr".split())
FOREIGN = {"a": {"href", "title", "rel", "class"}}
"""Tags other than inline tags that a translator may use, with their attributes."""
_TAG = re.compile(r"<(/?)([a-z]+)\s*(/?)>")
_COMMENT = re.compile(r"<!--(?:-?>|.*?(?:-->|\Z))", re.DOTALL)
_FIRST = re.compile(r"\s*</?(\w+)")
_VOID = ("br", "wbr", "hr")
_MARKUP = frozenset(["<", ">", "&", "\xa0", *map(chr, range(32))])
"""Without any of these characters, HTML is plain text."""


def clean_words(html: str) -> str:
    """Sanitize the HTML of a translator's text."""
    if _MARKUP.isdisjoint(html):
        return html
    import nh3

    tags, schemes = {*INLINE_TAGS, *FOREIGN}, set(EXTERNAL)
    return nh3.clean(html, tags=tags, attributes=FOREIGN, url_schemes=schemes, link_rel=None)


def clean_block(html: str) -> str:
    """Sanitize a block of raw HTML; return it as text if its first tag is not allowed.

    Raises:
        HtmlError: if it is nested too deeply.
    """
    html = _COMMENT.sub("", html)
    if not html.strip():
        return ""
    first = _FIRST.match(html)
    if not first or first[1].lower() not in BLOCK_TAGS | INLINE_TAGS:
        return as_text(html)
    import nh3

    html = tidy(html, BLOCK_TAGS, INLINE_TAGS)
    return nh3.clean(html, tags=set(BLOCK_TAGS | INLINE_TAGS), attributes={}, link_rel=None)


def as_text(html: str) -> str:
    """Return a block of raw HTML as text, as it was written."""
    return f"<p>{escape(html.strip())}</p>\n"


def depth(tokens: Sequence[Token]) -> int:
    """Return the maximum nesting of emphasis, links and raw tags."""
    level = deepest = 0
    for token in tokens:
        is_tag = token.meta.get("balanced") and not token.content.startswith(("<br", "<wbr", "<hr"))
        level += token.nesting if not is_tag else -1 if token.content.startswith("</") else 1
        deepest = max(deepest, level)
    return deepest


def balance(tokens: Sequence[Token]) -> list[Token]:
    """Mark the allowed raw tags: those without attributes that are opened and closed in this block."""
    result = list(tokens)
    opened: list[tuple[str, int]] = []
    for index, token in enumerate(tokens):
        if token.type != "html_inline" or not (match := _TAG.fullmatch(token.content)):
            continue
        closing, name, _ = match.groups()
        if name not in INLINE_TAGS:
            continue
        stand: tuple[int, ...] = ()
        if name in _VOID:
            stand = (index,) if not closing else ()
        elif not closing:
            opened.append((name, index))
        elif opened and opened[-1][0] == name:
            stand = (opened.pop()[1], index)
        for position in stand:
            result[position] = result[position].copy(meta={"balanced": True})
    return result
