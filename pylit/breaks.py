"""Keeps together what a line must not be broken between: formulas and the punctuation beside them, 18 and %."""

from __future__ import annotations

import re
from collections.abc import Sequence

from markdown_it.token import Token

_CLOSING = re.compile(r"[,.;:!?)\]”’、，。；：！？）》」』】%]+")
_OPENING = re.compile(r"[(\[“‘（《「『【]+$")
_UNIT = re.compile(r"(?<=\d) (?=[%×])")
_FORMULA = "math_inline"


def keep_together(tokens: Sequence[Token]) -> list[Token]:
    """Give the punctuation beside a formula to the formula, as `meta["before"]` and `meta["after"]`.

    A browser may break a line at either end of a formula, even before a comma.
    """
    result = list(tokens)
    for index, token in enumerate(result):
        if token.type == "text" and (text := _UNIT.sub("\N{NO-BREAK SPACE}", token.content)) != token.content:
            result[index] = token.copy(content=text)
    for index, token in enumerate(result):
        if token.type != _FORMULA:
            continue
        before = after = ""
        if index and (match := _OPENING.search(_text(result[index - 1]))):
            before = match[0]
            result[index - 1] = result[index - 1].copy(content=result[index - 1].content[: match.start()])
        if index + 1 < len(result) and (match := _CLOSING.match(_text(result[index + 1]))):
            after = match[0]
            result[index + 1] = result[index + 1].copy(content=result[index + 1].content[match.end() :])
        result[index] = token.copy(meta={**token.meta, "before": before, "after": after})
    return result


def _text(token: Token) -> str:
    return token.content if token.type == "text" else ""
