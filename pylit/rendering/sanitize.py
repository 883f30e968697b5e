"""Decides which raw HTML is allowed in prose: a few tags, links, pictures and anchors, and no other attributes."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

from markdown_it.token import Token
from markupsafe import escape

from ..parsing import Tag, parse_tag
from ..resolve import EXTERNAL
from .tidy_html import VOID, TagWriter, tidy

INLINE_TAGS = frozenset(
    "a b i em strong u s del ins sub sup kbd mark small br wbr abbr cite q var samp code tt".split()
)
BLOCK_TAGS = frozenset(
    "details summary div p ul ol li table thead tbody tr th td dl dt dd hr blockquote pre".split()
)
RENAMED = {
    **dict.fromkeys("article caption center figure footer header main nav section".split(), "div"),
    **dict.fromkeys("figcaption h1 h2 h3 h4 h5 h6".split(), "p"),
    "strike": "s",
    "tt": "code",
}
"""Elements that are shown as others."""
PICTURE_TAGS = frozenset(["img", "source"])
"""Elements without content that `raw_html` replaces by pictures."""
PLAIN_TAGS = frozenset("font span picture video audio".split())
"""Elements of which only the content is shown."""
FOREIGN = {"a": {"href", "title", "rel", "class"}}
"""Tags other than inline tags that a translator may use, with their attributes."""
_COMMENT = re.compile(r"<!--(?:-?>|.*?(?:-->|\Z))", re.DOTALL)
_FIRST = re.compile(r"[^<]*</?(\w+)")
_ATTRIBUTES = {
    "a": {"href", "id", "rel", "title"},
    "td": {"colspan", "rowspan"},
    "th": {"colspan", "rowspan"},
    "details": {"open"},
    "*": {"id", "style"},
}
"""Attributes that a `TagWriter` may write."""
_STYLE = {"text-align"}
_EMPTY_HEAD = re.compile(r"<th\b([^>]*)>(\s*)</th>")
"""A head without content: it heads nothing, and becomes an ordinary cell. Before it is sanitized, `>` may be quoted."""
_MARKUP = frozenset(["<", ">", "&", "\xa0", *map(chr, range(32))])
"""Without any of these characters, HTML is plain text."""


def clean_words(html: str) -> str:
    """Sanitize the HTML of a translator's text."""
    if _MARKUP.isdisjoint(html):
        return html
    import nh3

    tags, schemes = {*INLINE_TAGS, *FOREIGN}, set(EXTERNAL)
    return nh3.clean(html, tags=tags, attributes=FOREIGN, url_schemes=schemes, link_rel=None)


def clean_block(html: str, writer: TagWriter | None = None, spanning: Collection[str] = ()) -> str:
    """Sanitize a block of raw HTML; return it as text if its first tag is not allowed.

    Args:
        html: The block.
        writer: Writes links, anchors and placeholders of pictures; without one, there are none.
        spanning: The elements that it opens for a later block to close, or closes for an earlier one.

    Raises:
        HtmlError: if it is nested too deeply.
    """
    html = _COMMENT.sub("", html)
    if not html.strip():
        return ""
    first = _FIRST.match(html)
    if (
        not first
        or first[1].lower() not in BLOCK_TAGS | INLINE_TAGS | PLAIN_TAGS | PICTURE_TAGS | RENAMED.keys()
    ):
        return as_text(html)
    import nh3

    renamed = {**RENAMED, "p": "div"} if "div" in spanning else RENAMED  # a paragraph contains no blocks
    html = tidy(html, BLOCK_TAGS, INLINE_TAGS, writer, renamed)
    html = nh3.clean(
        html,
        tags=set(BLOCK_TAGS | INLINE_TAGS),
        attributes=_ATTRIBUTES if writer else {},
        url_schemes=set(EXTERNAL),
        filter_style_properties=_STYLE,
        link_rel=None,
    )
    return html if spanning else _EMPTY_HEAD.sub(r"<td\1>\2</td>", html)


def as_text(html: str) -> str:
    """Return a block of raw HTML as text, as it was written."""
    return f"<p>{escape(html.strip())}</p>\n"


def depth(tokens: Sequence[Token]) -> int:
    """Return the maximum nesting of emphasis, links and raw tags."""
    level = deepest = 0
    for token in tokens:
        tag: Tag | None = token.meta.get("tag")
        is_nested = tag is not None and tag.name in INLINE_TAGS and tag.name not in VOID
        level += token.nesting if tag is None or not is_nested else -1 if tag.is_end else 1
        deepest = max(deepest, level)
    return deepest


def balance(tokens: Sequence[Token]) -> list[Token]:
    """Mark the allowed raw tags, those that are opened and closed in this block, by `meta['tag']`."""
    result = list(tokens)
    opened: list[tuple[str, int]] = []
    for index, token in enumerate(tokens):
        if token.type != "html_inline" or not (tag := parse_tag(token.content)):
            continue
        name = tag.name
        stand: tuple[int, ...] = ()
        if name in VOID:
            stand = (index,) if not tag.is_end and name in INLINE_TAGS else ()
        elif name in PICTURE_TAGS:
            stand = (index,) if tag.attributes or tag.is_end else ()
        elif name not in INLINE_TAGS | PLAIN_TAGS | RENAMED.keys():
            continue
        elif not tag.is_end:
            opened.append((name, index))
        elif opened and opened[-1][0] == name:
            stand = (opened.pop()[1], index)
        for position in stand:
            result[position] = result[position].copy(meta={"tag": parse_tag(tokens[position].content)})
    return result
