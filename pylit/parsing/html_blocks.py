"""Joins the blocks of raw HTML in Markdown, where an empty line ends one, and finds the headings in them.

An element such as `<div>` or `<details>` may contain Markdown: one block opens it, and another one closes it. A heading
such as `<h1 align="center">` is a heading of the page, like one in Markdown. The `<summary>` of details is a block
of text, too, which can be translated.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from html import escape

from markdown_it.token import Token

from .html_tags import Tag, parse_attributes

SPANNING = {
    "details": "details",
    **dict.fromkeys("article center div figure footer header main nav p section".split(), "div"),
    **{name: name for name in "blockquote li ol table tbody td th thead tr ul".split()},
}
"""Elements that one block may open and another close -> how they are shown then."""
_WHOLE = frozenset("dl pre dd dt script style svg".split())
"""Elements that end in the block in which they begin, and whatever is in them too."""
CONTAINERS = _WHOLE | frozenset("blockquote li ol table tbody td th thead tr ul".split())
"""Elements whose headings are none of the page."""
_PARENTS = {
    **dict.fromkeys(["td", "th"], ("tr",)),
    "tr": ("table", "thead", "tbody"),
    **dict.fromkeys(["thead", "tbody"], ("table",)),
}
"""Part of a table -> the elements that it may be in."""
_IMPLIED = {"td": ("td", "th"), "th": ("td", "th"), "tr": ("td", "th", "tr"), "li": ("li",)}
"""Element -> the elements that HTML ends where it begins."""
_NAMES = "|".join(sorted({*SPANNING, *CONTAINERS, "summary"}))
_TAG = re.compile(
    rf"""<!--.*?(?:-->|\Z)|<(/?)({_NAMES}|h[1-6])(?=[\s/>])((?>[^>=]+|=\s*+(?>"[^"]*+"|'[^']*+')?)*+)>""",
    re.IGNORECASE | re.DOTALL,
)
TAG_START = re.compile(
    r"""<!--.*?(?:-->|\Z)|</?[A-Za-z][A-Za-z0-9-]*(?:\s(?>[^>=]+|=\s*+(?>"[^"]*+"|'[^']*+')?)*+)?/?>""",
    re.DOTALL,
)
"""A tag or a comment."""
ANCHOR = re.compile(r"<a\s+(?:id|name)\s*=[^<>]*>(?:\s*</a>)?", re.IGNORECASE)
"""A tag that sets an anchor, which is not part of the words after it."""
_HEADED = re.compile("<(?:h|summary)", re.IGNORECASE)
_SPECIAL = re.compile(r"[\\`*_\[\]$~^|]")
_ADDRESS = re.compile(r"://|www\.|@")
_ALIGN = ("left", "center", "right")


def alignment(tag: Tag) -> str:
    """Return the alignment that a tag asks for; empty if it has none."""
    wanted = tag.attributes.get("align", "").strip().lower()
    return "center" if tag.name == "center" else wanted if wanted in _ALIGN else ""


def pair_blocks(tokens: Sequence[Token]) -> None:
    """Note on blocks of HTML which elements they open for a later one to close: `meta['opens']`, `meta['closes']`.

    Both are in the same list item or quote, and on one level of nesting.
    """
    opened: list[_Element] = []
    counts: Counter[tuple[int, str]] = Counter()
    paired: list[_Element] = []

    def leave(token: Token | None = None) -> None:
        element = opened.pop()
        counts[element.level, element.name] -= 1
        element.closing = token
        paired.append(element)

    for token in tokens:
        while opened and token.level < opened[-1].level:
            leave()
        if token.type != "html_block":
            continue
        level = token.level
        ends, starts = _unpaired(token.content)
        for name in ends:
            while counts[level, name]:
                is_found = opened[-1].name == name
                leave(token if is_found or opened[-1].name in _IMPLIED else None)
                if is_found:
                    break
        for name in starts:
            while opened and opened[-1].level == level and opened[-1].name in _IMPLIED.get(name, ()):
                leave(token)
            opened.append(_Element(level, name, token, opened[-1] if opened else None))
            counts[level, name] += 1
    for element in paired:
        if element.closing and element.is_placed:
            name = SPANNING[element.name]
            element.opening.meta["opens"] = (name, *element.opening.meta.get("opens", ()))
            element.closing.meta["closes"] = (name, *element.closing.meta.get("closes", ()))


@dataclass(eq=False, slots=True)
class _Element:
    """An element that one block opens, and another one may close."""

    level: int
    name: str
    opening: Token
    parent: _Element | None
    closing: Token | None = None

    @property
    def is_placed(self) -> bool:
        """Whether it is no part of a table, or the table is complete."""
        element: _Element | None = self
        while element and element.name in _PARENTS:
            parent = element.parent
            if not parent or not parent.closing or parent.name not in _PARENTS[element.name]:
                return False
            element = parent
        return True


def _unpaired(html: str) -> tuple[list[str], list[str]]:
    """Return the elements that a block closes but does not open, and those that it opens but does not close."""
    ends: list[str] = []
    opened: list[str] = []
    for match in _TAG.finditer(html):
        if not (name := (match[2] or "").lower()) or _has_words(name):
            continue
        if not match[1]:
            if name == "p" and opened[-1:] == ["p"]:  # HTML ends a paragraph at the next one
                opened.pop()
            opened.append(name)
        elif name in opened[-64:]:
            while opened.pop() != name:
                pass
        elif not opened and name in SPANNING:
            ends.append(name)
    inner = next((place for place, name in enumerate(opened) if name in _WHOLE), len(opened))
    return ends, opened[:inner]


def _has_words(name: str) -> bool:
    """Whether an element is a heading or a summary, of which the words are read like those of Markdown."""
    return name == "summary" or name[1:].isdigit()


@dataclass(frozen=True, slots=True)
class _Heading:
    start: int
    end: int
    tag: Tag
    html: str
    """What is in it."""


def split_headings(tokens: Sequence[Token], parse: Callable[[str], list[Token]]) -> list[Token]:
    """Return tokens in which headings and summaries in raw HTML are tokens of their own.

    Args:
        tokens: The tokens of a text.
        parse: Parses the Markdown of a heading.
    """
    found: list[Token] = []
    for token in tokens:
        if token.type == "html_block" and _HEADED.search(token.content):
            found += _split(token, parse)
        else:
            found.append(token)
    return found


def _split(block: Token, parse: Callable[[str], list[Token]]) -> Iterator[Token]:
    html, at = block.content, 0
    line, last = block.map or [0, 0]
    for heading in _headings(html):
        text = _as_markdown(heading.html)
        if not text:
            continue
        yield from _part(block, html[at : heading.start], line)
        line += html.count("\n", at, heading.start)
        at = heading.end
        following = line + html.count("\n", heading.start, at)
        place = [line, min(last, following + 1)]
        line = following
        kind = "summary" if heading.tag.name == "summary" else "heading"
        opening = Token(f"{kind}_open", heading.tag.name, 1, map=place, level=block.level, block=True)
        opening.meta["is_html"] = True
        if side := alignment(heading.tag):
            opening.attrSet("style", f"text-align:{side}")
        if heading.tag.anchor and kind == "heading":
            opening.meta["anchor"] = heading.tag.anchor
        elif heading.tag.anchor:
            text = f'<a id="{escape(heading.tag.anchor)}"></a>{text}'
        yield opening
        inline = Token("inline", "", 0, map=list(place), level=block.level + 1, block=True)
        inline.content, inline.children = text, parse(text)
        yield inline
        yield Token(f"{kind}_close", heading.tag.name, -1, level=block.level, block=True)
    yield from _part(block, html[at:], line)


def _part(block: Token, html: str, line: int) -> Iterator[Token]:
    if html == block.content:
        yield block
    elif html.strip():
        start = line + len(html) - len(html.lstrip("\n"))
        yield block.copy(content=html.strip("\n"), map=[start, (block.map or [0, start])[1]], meta={})


def _headings(html: str) -> Iterator[_Heading]:
    """Yield the headings and summaries of a block that are not in a table, a list, or the like."""
    opening: re.Match[str] | None = None
    inside = 0
    for match in _TAG.finditer(html):
        name = (match[2] or "").lower()
        if not name:
            continue
        if name in CONTAINERS:
            inside = max(0, inside + (-1 if match[1] else 1))
            opening = None
        elif not _has_words(name):
            opening = None
        elif not match[1]:
            opening = None if inside else match
        elif opening and opening[2].lower() == name:
            tag = Tag(name, attributes=parse_attributes(opening[3]))
            yield _Heading(opening.start(), match.end(), tag, html[opening.end() : match.start()])
            opening = None


def _as_markdown(html: str) -> str:
    """Return what is in a heading as Markdown on one line: text in HTML is no Markdown, and is escaped."""
    parts, at = [], 0
    for match in TAG_START.finditer(html):
        parts += [_escaped(html[at : match.start()]), "" if match[0].startswith("<!--") else match[0]]
        at = match.end()
    parts.append(_escaped(html[at:]))
    return " ".join("".join(parts).split())


def _escaped(text: str) -> str:
    text = _SPECIAL.sub(lambda match: "\\" + match[0], text)
    return _ADDRESS.sub(
        lambda match: match[0].replace(":", "&#58;").replace(".", "&#46;").replace("@", "&#64;"), text
    )
