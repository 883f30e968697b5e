"""Leaves names and products of Python in prose as they are typed: `__init__` is not bold, and `x*y*z` not emphasised.

Markdown that is meant as such is not affected: `**bold**`, `*emphasis*`, `_emphasis_`, `__Bold__`, `**GPU**s`.
"""

from __future__ import annotations

import re

from markdown_it.rules_inline import StateInline

_DUNDER = re.compile(r"__[a-z](?:[a-z0-9_]*[a-z0-9])?__(?![\w*])")
_ARGUMENTS = re.compile(
    r"\*(?:args|\*(?:kwargs|kwds|kw))(?![\w*])|\*{1,2}[A-Za-z_]\w*(?=(?:,\s?|\s(?:and|or)\s)\*)"
)
_STARS = re.compile(r"\*+(?=[A-Za-z0-9])")
_LOOKED_AT = 20
"""Maximum number of delimiters before a `*` that it may close."""


def code_words(state: StateInline, silent: bool) -> bool:
    """Inline rule for text that only looks like emphasis."""
    sign = state.src[state.pos]
    before = state.src[state.pos - 1] if state.pos else " "
    if sign == "_":
        match = _DUNDER.match(state.src, state.pos) if not (before.isalnum() or before in "_*") else None
    elif sign == "*" and not (before.isalnum() or before in "_*"):
        match = _ARGUMENTS.match(state.src, state.pos)
    elif sign == "*" and before.isascii() and before.isalnum():
        match = _STARS.match(state.src, state.pos)
        recent = state.delimiters[-_LOOKED_AT:]
        if match and any(d.open and d.marker == ord("*") and d.length == len(match[0]) for d in recent):
            return False  # it closes emphasis
    else:
        return False
    if match is None or match.end() > state.posMax:
        return False
    if not silent:
        state.pending += match[0]
    state.pos = match.end()
    return True
