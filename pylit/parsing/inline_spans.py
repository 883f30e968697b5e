"""Finds the positions of links, formulas, code and so on in a block of Markdown, so that parts can be replaced.

The parser itself records what its rules match, so nothing is searched a second time by different rules.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import lru_cache
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.rules_inline import StateInline, autolink, backtick, escape, html_inline, image, link

from .footnotes import footnote_ref
from .markdown import References, new_parser
from .math_delimiters import math_inline

_Rule = Callable[[StateInline, bool], bool]


class SpanKind(StrEnum):
    """The kind of a span, by the name of the parser's rule for it."""

    LINK = "link"
    IMAGE = "image"
    CODE = "backticks"
    ESCAPE = "escape"
    AUTOLINK = "autolink"
    HTML = "html_inline"
    FORMULA = "math_inline"
    NOTE = "footnote_ref"


@dataclass(frozen=True, slots=True)
class Span:
    """A part of a block that a rule of the parser matched."""

    kind: SpanKind
    start: int
    end: int
    label: int = 0
    """End of the text of a link."""
    target: str = ""
    words: str = ""
    """Alternative text of an image."""
    title: str = ""


def find_spans(text: str, references: References | None = None) -> list[Span]:
    """Return the links, images, formulas, code and tags of a block, ordered by their ends."""
    env: dict[str, Any] = {"text": text, "spans": [], "references": references or {}}
    _parser().parseInline(text, env)
    found: list[Span] = env["spans"]
    return found


@lru_cache(maxsize=1)
def _parser() -> MarkdownIt:
    """Return a parser that also records the matches of each rule."""
    md = new_parser()
    rules: dict[SpanKind, _Rule] = {
        SpanKind.LINK: link,
        SpanKind.IMAGE: image,
        SpanKind.CODE: backtick,
        SpanKind.ESCAPE: escape,
        SpanKind.AUTOLINK: autolink,
        SpanKind.HTML: html_inline,
        SpanKind.FORMULA: math_inline,
        SpanKind.NOTE: footnote_ref,
    }
    for kind, rule in rules.items():
        md.inline.ruler.at(kind.value, _noting(kind, rule))
    return md


def _noting(kind: SpanKind, rule: _Rule) -> _Rule:
    def noting(state: StateInline, silent: bool) -> bool:
        start, before = state.pos, len(state.tokens)
        label = 0
        if kind is SpanKind.LINK and state.src[start] == "[":
            label = state.md.helpers.parseLinkLabel(state, start, True)
        if not rule(state, silent):
            return False
        if silent or state.src != state.env["text"]:  # the alternative text of an image is parsed separately
            return True
        span = Span(kind, start, state.pos, label)
        if token := next((t for t in state.tokens[before:] if t.type in ("link_open", "image")), None):
            span = replace(
                span,
                target=str(token.attrGet("href") or token.attrGet("src") or ""),
                words="".join(child.content for child in token.children or []),
                title=str(token.attrGet("title") or ""),
            )
        state.env["spans"].append(span)
        return True

    return noting
