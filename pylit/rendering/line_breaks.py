"""Controls line breaks: none between a formula and its punctuation, between 18 and % or in ResNet-50,
but some within long names.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

from markdown_it.token import Token
from markupsafe import Markup

_CLOSING = re.compile(r"[,.;:!?)\]”’、，。；：！？）》」』】%]+")
_OPENING = "([“‘（《「『【"
_UNIT = re.compile(r"(?<=\d) (?=[%×])")
_REFERENCE = re.compile(r"\b([Tt]able|[Ff]igure|[Ss]ection|[Ee]quation) (?=\d)|([表图図式]) (?=\d)")
"""A word that its number belongs to."""
_MAY_REFER = ("able ", "igure ", "ection ", "quation ", "表 ", "图 ", "図 ", "式 ", " %", " ×")
"""One of these is in every text in which spaces are replaced."""
HYPHENED = re.compile(r"\b[A-Za-z]++(?=-)(?:-\w+)*-\d+\b|(?<![\w-])--?[a-z]+(?:-[a-z]+)*")
"""A name such as ResNet-50, or an option such as --batch-size."""
MOST_JOINED = 20
"""Characters of a name that lines never break: more would be too wide for a phone."""
_FORMULA = "math_inline"
_TAG = re.compile(r"(<[^<>]*>)")
_LONG_NAME = re.compile(r"[\w./-]{21,}")
"""A name that may be wider than a table cell or a phone."""
_JOINT = re.compile(r"(?<=[^\W_])[._/-]+(?=[^\W_])|(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


def keep_together(tokens: Sequence[Token]) -> list[Token]:
    """Attach the punctuation next to a formula to it, as `meta["before"]` and `meta["after"]`.

    A browser may break a line on either side of a formula, even before a comma.
    """
    result = list(tokens)
    for index, token in enumerate(result):
        if token.type == "text" and any(end in token.content for end in _MAY_REFER):
            text = _REFERENCE.sub("\\1\\2\N{NO-BREAK SPACE}", _UNIT.sub("\N{NO-BREAK SPACE}", token.content))
            result[index] = token if text == token.content else token.copy(content=text)
    for index, token in enumerate(result):
        if token.type != _FORMULA:
            continue
        before = after = ""
        if index and (text := _text(result[index - 1])).endswith(tuple(_OPENING)):
            kept = text.rstrip(_OPENING)
            before = text[len(kept) :]
            result[index - 1] = result[index - 1].copy(content=kept)
        if index + 1 < len(result) and (match := _CLOSING.match(_text(result[index + 1]))):
            after = match[0]
            result[index + 1] = result[index + 1].copy(content=result[index + 1].content[match.end() :])
        result[index] = token.copy(meta={**token.meta, "before": before, "after": after})
    return result


def breakable(html: str) -> str:
    """Allow line breaks in very long names in this code: after dots, dashes, slashes, underscores, and words.

    A table cell is at least as wide as its longest word, and takes the space from other cells.
    """
    pieces = _TAG.split(html)
    text = "".join(pieces[::2])
    joints = [
        joint.end()
        for name in _LONG_NAME.finditer(text)
        for joint in _JOINT.finditer(text, name.start(), name.end())
    ]
    result, start, following = [], 0, iter([*joints, len(text) + 1])
    joint = next(following)
    for index, piece in enumerate(pieces):
        if index % 2:
            result.append(piece)
            continue
        done = 0
        while joint <= start + len(piece):
            result += [piece[done : joint - start], "<wbr>"]
            done, joint = joint - start, next(following)
        result.append(piece[done:])
        start += len(piece)
    return "".join(result)


def is_joined(name: str) -> bool:
    """Return whether lines should not break at the hyphens of this name."""
    return len(name) <= MOST_JOINED and HYPHENED.fullmatch(name) is not None


def breakable_name(name: str) -> Markup:
    """Return a name as HTML in which lines may break between all its words, for a narrow list."""
    ends = [0, *(joint.end() for joint in _JOINT.finditer(name)), len(name)]
    return Markup("<wbr>").join(name[start:end] for start, end in pairwise(ends))


def _text(token: Token) -> str:
    return token.content if token.type == "text" else ""
