"""Wraps prose: at spaces, and between characters of scripts that are written without spaces."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

_UNIT = re.compile(r"(?<!`)(`++)[^`]+\1|\$[^$\n]+\$|\\\([^\n]{0,400}?\\\)|\n|[^\S\n]+|.")
_CLOSING = frozenset("，。、；：！？）》」』”’】,.;:!?)]}…")
_OPENING = frozenset("（《「『“‘【([{")


def wrap(text: str, width: int) -> str:
    """Wrap `text` at `width` columns where possible; 0 disables wrapping.

    Lines break at spaces, and between Chinese or Japanese characters, which take two columns each. Formulas and inline
    code are not broken.
    """
    if not width:
        return text
    lines, gap = [""], ""
    for word, after in _words(text):
        if gap == "\n" or (lines[-1] and _columns(lines[-1] + gap + word) > width):
            lines.append(word)
        else:
            lines[-1] += gap + word
        gap = after
    return "\n".join(lines)


def _words(text: str) -> Iterator[tuple[str, str]]:
    """Yield the unbreakable pieces of a text, each with the separator after it if no line ends there."""
    word = ""
    for unit in (match.group() for match in _UNIT.finditer(text)):
        if unit.isspace():
            yield word, "\n" if unit == "\n" else " "
            word = ""
        elif word and _may_break(word[-1], unit[0]):
            yield word, ""
            word = unit
        else:
            word += unit
    yield word, ""


def _may_break(before: str, after: str) -> bool:
    return (_is_wide(before) or _is_wide(after)) and after not in _CLOSING and before not in _OPENING


def _is_wide(character: str) -> bool:
    return unicodedata.east_asian_width(character) in "WF"


def _columns(text: str) -> int:
    return len(text) + sum(map(_is_wide, text))
