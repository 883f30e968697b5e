"""The prose of a file by section: its tokens, its headings with anchors, and its title."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import PurePosixPath

from markdown_it.token import Token

from .docstrings import read_section
from .html_blocks import ANCHOR, TAG_START
from .html_tags import parse_tag
from .indented_lists import with_lists
from .linked_notes import back_anchor, find_notes
from .markdown import parse_text, plain_text
from .model import Meta, Section
from .names import HostSlugs, slug, unused_name

_LINE = re.compile(r"L[0-9]+")
_ANCHOR = re.compile(r"[^\s\"'<>&\x00-\x1f\x7f]{1,200}")
_WITH_ANCHOR = re.compile(r"\b(?:id|name)\s*=", re.IGNORECASE)
_PICTURES = frozenset(["image", "html_inline"])
_INDEXES = ("__init__", "index", "readme")


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading of the page, for its table of contents."""

    level: int
    anchor: str
    text: str
    """Markdown as in the source, the msgid of its block."""
    host_anchor: str = ""
    """Its anchor on a code host, which links to it may use too."""


@dataclass(frozen=True, slots=True)
class Prose:
    """The parsed prose of one section. The line of each token in the file is `meta['line']`."""

    section: Section
    tokens: tuple[Token, ...]
    headings: tuple[Heading, ...]
    anchors: frozenset[str] = frozenset()
    """Anchors that raw HTML and footnotes in it set."""
    notes: Mapping[str, str] = field(default_factory=dict)
    """Label of a footnote that it refers to -> the footnote's anchor; empty if there is no such footnote."""


def parse_prose(sections: Sequence[Section], *, is_module: bool) -> tuple[Prose, ...]:
    """Parse the prose of all sections of a file, and assign anchors to its headings.

    A heading at the start of a definition's prose has the definition's anchor; others are named after their text.
    """
    taken = {section.name for section in sections}
    tagged: list[list[str]] = []
    host_slugs = HostSlugs()
    hosted: list[tuple[Token, str]] = []
    counts: dict[str, int] = {}
    result = []
    styles: dict[str, int] = {}
    for section in sections:
        if section.docstring or section.is_rst:
            tokens = tuple(read_section(section, styles))
        else:
            lines = with_lists(section.text) if is_module else section.text
            tokens = tuple(parse_text(lines))
        headings = []
        for position, token in enumerate(tokens):
            if token.type == "note":
                token.meta["anchor"] = f"{section.name}-note-{token.meta['label']}"
            if token.type != "heading_open":
                continue
            text = tokens[position + 1].content
            words = (TAG_START if token.meta.get("is_html") else ANCHOR).sub(" ", text)
            if position == 0 and section.opens:
                anchor = section.name
            else:
                anchor = unused_name(slug(words) or "section", taken, counts)
                taken.add(anchor)
                token.attrSet("id", anchor)
            host_anchor = host_slugs.slug(plain_text(text))
            headings.append(Heading(int(token.tag[1]), anchor, text, host_anchor))
            hosted.append((token, host_anchor))
        result.append(Prose(section, tokens, tuple(headings)))
        tagged.append([anchor for token in tokens for anchor in _tag_anchors(token)])
    for number, anchors in enumerate(tagged):
        if own := frozenset(a for a in anchors if a not in taken and not _LINE.fullmatch(a)):
            taken |= own
            result[number] = replace(result[number], anchors=own)
    for number, notes in find_notes([(prose.section, prose.tokens) for prose in result]):
        backs = {back_anchor(anchor) for anchor in notes.values() if anchor}
        result[number] = replace(result[number], notes=notes, anchors=result[number].anchors | backs)
    for token, host_anchor in hosted:  # unless it is the anchor of something else on the page, or of a line
        if host_anchor and host_anchor not in taken and not _LINE.fullmatch(host_anchor):
            token.meta["host_anchor"] = host_anchor
    return tuple(result)


def find_title(file: str, meta: Meta, pieces: Sequence[Prose]) -> str:
    """Return the Markdown of a page's title: from its front matter, its first heading, or the name of its file."""
    if meta.title:
        return meta.title
    first = next((prose for prose in pieces if prose.tokens), None)
    if first and title_position(first.tokens) is not None:
        return first.headings[0].text
    parts = PurePosixPath(file).with_suffix("").parts
    return parts[-2] if len(parts) > 1 and parts[-1].lower() in _INDEXES else parts[-1]


def title_position(tokens: Sequence[Token]) -> int | None:
    """Return the position of the title in the first prose of a page; `None` if it has none.

    It is a heading of level 1 that only pictures, links such as badges, and raw HTML precede.
    """
    for position, token in enumerate(tokens):
        if token.type == "heading_open":
            return position if token.tag == "h1" else None
        if token.type == "inline":
            if not _is_decoration(token.children or ()):
                return None
        elif token.type not in ("html_block", "paragraph_open", "paragraph_close"):
            return None
    return None


def _is_decoration(children: Sequence[Token]) -> bool:
    """Return whether a paragraph has no words outside of pictures and links."""
    links = 0
    for child in children:
        links += child.nesting if child.type in ("link_open", "link_close") else 0
        if child.content.strip() and not links and child.type not in _PICTURES:
            return False
    return True


def _tag_anchors(token: Token) -> Iterator[str]:
    """Yield the anchors that raw HTML sets in a block."""
    if token.type == "html_block":
        tags = (match[0] for match in TAG_START.finditer(token.content) if _WITH_ANCHOR.search(match[0]))
    elif token.type == "inline" and "<" in token.content:
        tags = (child.content for child in token.children or () if child.type == "html_inline")
    else:
        if anchor := token.meta.get("anchor"):
            yield from _valid([anchor])
        return
    yield from _valid(tag.anchor for tag in map(parse_tag, tags) if tag)


def _valid(anchors: Iterable[str]) -> Iterator[str]:
    return (anchor for anchor in anchors if _ANCHOR.fullmatch(anchor))
