"""The translatable blocks of a file, and the parts of each that a translation must keep."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from hashlib import sha256

from markdown_it.token import Token

from ..parsing import (
    FigureError,
    Source,
    all_tokens,
    figure_kind,
    figure_texts,
    parse_figure,
    parse_inline,
)


@dataclass(frozen=True, slots=True)
class Block:
    """A translatable piece of prose: a heading, a paragraph, a list item, a table cell."""

    text: str
    """Markdown on one line, the msgid in catalogs."""
    file: str
    line: int
    within: str
    """The definition that it belongs to, for the reference in the catalog."""
    code: str = ""
    """The code next to it, for the translator."""


def blocks(source: Source) -> Iterator[Block]:
    """Yield the blocks of `source` in order: those of the front matter, then the prose."""
    meta = source.meta
    for key in ("title", "summary", "hook", "before", "next"):
        if text := getattr(meta, key):
            yield Block(text, source.file, meta.lines.get(key, 0), "")
    for prose in source.prose:
        code = "\n".join(source.lines[number - 1] for number in prose.section.code)
        for token in prose.tokens:
            for text, line in _words(token):
                if is_translatable(text):
                    yield Block(text, source.file, line, prose.section.within, code)


def _words(token: Token) -> Iterator[tuple[str, int]]:
    """Yield the translatable texts of a token, each with its line."""
    line = token.meta["line"]
    if token.type == "inline":
        yield token.content, line
    elif kind := figure_kind(token):
        with suppress(FigureError):  # reported when the page is made
            for text in figure_texts(parse_figure(kind, token.content)):
                yield text.text, line + text.line


@lru_cache(maxsize=4096)
def is_translatable(text: str) -> bool:
    """Return whether a block contains words, and not only formulas and code."""
    words = "".join(
        token.content if token.type == "text" else str(token.attrGet("title") or "")
        for token in all_tokens(parse_inline(text))
        if token.type in ("text", "image", "link_open")
    )
    return any(character.isalpha() for character in words)


_FORMULA_WORDS = re.compile(r"\\(text(?:rm|bf|it|sf|tt)?)\{[^{}\\$]*\}")
"""Matches words in a formula, which a translator may replace: no commands, no braces, no dollars."""


class PartKind(StrEnum):
    """The kind of a part of a block, as named in messages."""

    FORMULA = "formula"
    CODE = "code"
    LINK = "link"
    PICTURE = "picture"
    HTML = "HTML"
    NOTE = "reference"


@dataclass(frozen=True, slots=True)
class FixedPart:
    """A part of a block that a translation must keep."""

    kind: PartKind
    text: str
    """Its text, or the target of a link or image."""

    def __str__(self) -> str:
        return f"{self.kind} `{self.text}`"


def fixed_parts(text: str) -> Counter[FixedPart]:
    """Count the parts of `text` that a translation must keep: formulas, code, link and image targets, raw HTML."""
    return Counter(_fixed_parts(text))


def matched_parts(text: str, original: Counter[FixedPart], links: Mapping[str, str]) -> Counter[FixedPart]:
    """Count the parts of a translation, with targets that replace those of its `original` as if they were these.

    Args:
        text: The translation.
        original: The parts of the original.
        links: Target of a link or picture -> the one that it may replace.
    """
    found = fixed_parts(text)
    for part, count in list(found.items()) if links else ():
        own = FixedPart(part.kind, links.get(part.text, part.text))
        is_target = part.kind in (PartKind.LINK, PartKind.PICTURE)
        if is_target and own != part and own in original and part not in original:
            found[own] += count
            del found[part]
    return found


def ordered_parts(text: str) -> list[FixedPart]:
    """Return the parts of `text` that a translation must keep, in their order."""
    return list(_fixed_parts(text))


def _fixed_parts(text: str) -> Iterator[FixedPart]:
    for token in all_tokens(parse_inline(text)):
        match token.type:
            case "math_inline" | "math_inline_double":
                yield FixedPart(PartKind.FORMULA, _FORMULA_WORDS.sub(r"\\\1{…}", token.content.strip()))
            case "code_inline":
                yield FixedPart(PartKind.CODE, token.content)
            case "link_open":
                yield FixedPart(PartKind.LINK, str(token.attrGet("href")))
            case "image":
                yield FixedPart(PartKind.PICTURE, str(token.attrGet("src")))
            case "html_inline":
                yield FixedPart(PartKind.HTML, token.content)
            case "footnote_ref":
                yield FixedPart(PartKind.NOTE, f"[^{token.meta['note']}]")


OBJECT = "\ufffc"
"""Replaces a formula or a piece of code among words."""


def words(text: str) -> str:
    """Return the words of a block, with each formula and piece of code replaced by `OBJECT`."""
    parts = []
    for token in all_tokens(parse_inline(text)):
        match token.type:
            case "text":
                parts.append(token.content)
            case "softbreak" | "hardbreak":
                parts.append(" ")
            case "math_inline" | "math_inline_double" | "code_inline":
                parts.append(OBJECT)
    return "".join(parts)


def leading_code(text: str) -> str:
    """Return the inline code that a block starts with, such as the parameter that it describes; empty if none."""
    first = next(iter(parse_inline(text)), None)
    return first.content if first and first.type == "code_inline" else ""


def entry_id(text: str) -> str:
    """Return the id of the entry of a block: digits of a digest, which stay the same wherever it is in a catalog."""
    return sha256(text.encode()).hexdigest()[:7]
