"""Says which raw HTML may stand in prose: a few tags without attributes, and from translators links, too."""

from __future__ import annotations

import re
from collections.abc import Sequence

from markdown_it.token import Token
from markupsafe import escape

from .links import EXTERNAL

INLINE_TAGS = frozenset(
    "b i em strong u s del ins sub sup kbd mark small br wbr abbr cite q var samp".split()
)
BLOCK_TAGS = frozenset("details summary div p ul ol li table thead tbody tr th td dl dt dd hr".split())
FOREIGN = {"a": {"href", "title", "rel", "class"}}
"""What a translator may write beside inline tags, and its attributes."""
_TAG = re.compile(r"<(/?)([a-z]+)\s*(/?)>")
_VOID = ("br", "wbr", "hr")
_MARKUP = frozenset(["<", ">", "&", "\xa0", *map(chr, range(32))])
"""Without any of these characters, HTML is text."""


def clean_words(html: str) -> str:
    """What a translator wrote, made HTML, without all that is not on the list."""
    if _MARKUP.isdisjoint(html):
        return html
    import nh3

    tags, schemes = {*INLINE_TAGS, *FOREIGN}, set(EXTERNAL)
    return nh3.clean(html, tags=tags, attributes=FOREIGN, url_schemes=schemes, link_rel=None)


def clean_block(html: str) -> str:
    """A block of raw HTML without all that is not on the list; as text, if that is its first tag."""
    first = re.match(r"\s*<(\w+)", html)
    if not first or first.group(1).lower() not in BLOCK_TAGS | INLINE_TAGS:
        return f"<p>{escape(html.strip())}</p>\n"
    import nh3

    return nh3.clean(html, tags=set(BLOCK_TAGS | INLINE_TAGS), attributes={}, link_rel=None)


def balance(tokens: Sequence[Token]) -> list[Token]:
    """Mark the raw tags that may stand: allowed ones without attributes, opened and closed in this block."""
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
