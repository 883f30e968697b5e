"""Finds where links, formulas, code and the like stand in a block of Markdown, so that some of it can be replaced.

The parser itself notes what its rules take: nothing is searched for a second time, in another way.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any, NamedTuple

from markdown_it import MarkdownIt
from markdown_it.rules_inline import StateInline, autolink, backtick, escape, html_inline, image, link
from mdit_py_plugins.dollarmath.index import math_inline_dollar

from .prose import new_parser

_Rule = Callable[[StateInline, bool], bool]


class Span(NamedTuple):
    """A piece of a block that a rule of the parser took."""

    kind: str
    """The name of the rule."""
    start: int
    end: int
    label: int = 0
    """Where the words of a link end."""
    target: str = ""
    words: str = ""
    """What stands for a picture that is not seen."""
    title: str = ""


def spans(text: str) -> list[Span]:
    """The links, pictures, formulas, code and tags of a block, in the order in which they end."""
    env: dict[str, Any] = {"text": text, "spans": []}
    _parser().parseInline(text, env)
    found: list[Span] = env["spans"]
    return found


@lru_cache(maxsize=1)
def _parser() -> MarkdownIt:
    """The parser of all prose, which also notes where each rule took something."""
    md = new_parser()
    rules: dict[str, _Rule] = {
        "link": link,
        "image": image,
        "backticks": backtick,
        "escape": escape,
        "autolink": autolink,
        "html_inline": html_inline,
        "math_inline": math_inline_dollar(allow_space=False, allow_digits=False, allow_double=True),
    }
    for name, rule in rules.items():
        md.inline.ruler.at(name, _noting(name, rule))
    return md


def _noting(name: str, rule: _Rule) -> _Rule:
    def noting(state: StateInline, silent: bool) -> bool:
        start, before = state.pos, len(state.tokens)
        label = 0
        if name == "link" and state.src[start] == "[":
            label = state.md.helpers.parseLinkLabel(state, start, True)
        if not rule(state, silent):
            return False
        if silent or state.src != state.env["text"]:  # the words of a picture are parsed for themselves
            return True
        span = Span(name, start, state.pos, label)
        if token := next((t for t in state.tokens[before:] if t.type in ("link_open", "image")), None):
            span = span._replace(
                target=str(token.attrGet("href") or token.attrGet("src") or ""),
                words="".join(child.content for child in token.children or []),
                title=str(token.attrGet("title") or ""),
            )
        state.env["spans"].append(span)
        return True

    return noting
