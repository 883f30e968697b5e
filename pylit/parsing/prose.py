"""The prose of a file by section: its tokens, its headings with anchors, and its title."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from markdown_it.token import Token

from .docstrings import read_section
from .markdown import parse_text, plain_text
from .model import Meta, Section
from .names import HostSlugs, slug, unused_name

_LINE = re.compile(r"L[0-9]+")


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


def parse_prose(sections: Sequence[Section]) -> tuple[Prose, ...]:
    """Parse the prose of all sections of a file, and assign anchors to its headings.

    A heading at the start of a definition's prose has the definition's anchor; others are named after their text.
    """
    taken = {section.name for section in sections}
    host_slugs = HostSlugs()
    hosted: list[tuple[Token, str]] = []
    counts: dict[str, int] = {}
    result = []
    styles: dict[str, int] = {}
    for section in sections:
        if section.docstring or section.is_rst:
            tokens = tuple(read_section(section, styles))
        else:
            tokens = tuple(parse_text(section.text))
        headings = []
        for position, token in enumerate(tokens):
            if token.type != "heading_open":
                continue
            text = tokens[position + 1].content
            if position == 0 and section.opens:
                anchor = section.name
            else:
                anchor = unused_name(slug(text) or "section", taken, counts)
                taken.add(anchor)
                token.attrSet("id", anchor)
            host_anchor = host_slugs.slug(plain_text(text))
            headings.append(Heading(int(token.tag[1]), anchor, text, host_anchor))
            hosted.append((token, host_anchor))
        result.append(Prose(section, tokens, tuple(headings)))
    for token, host_anchor in hosted:  # unless it is the anchor of something else on the page, or of a line
        if host_anchor and host_anchor not in taken and not _LINE.fullmatch(host_anchor):
            token.meta["host_anchor"] = host_anchor
    return tuple(result)


def find_title(file: str, meta: Meta, pieces: Sequence[Prose]) -> str:
    """Return the Markdown of a page's title: from its front matter, its first heading, or the name of its file."""
    if meta.title:
        return meta.title
    first = next((prose for prose in pieces if prose.tokens), None)
    if first and begins_with_title(first.tokens):
        return first.headings[0].text
    parts = PurePosixPath(file).with_suffix("").parts
    return parts[-2] if len(parts) > 1 and parts[-1] in ("__init__", "index") else parts[-1]


def begins_with_title(tokens: Sequence[Token]) -> bool:
    """Return whether a page that starts with `tokens` starts with its title."""
    return bool(tokens) and tokens[0].type == "heading_open" and tokens[0].tag == "h1"
