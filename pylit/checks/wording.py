"""Finds what a translation in any language must have in common with its original: numbers, and markup that works.

Numbers may be grouped and written in other digits, and small ones spelled out.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator

from ..i18n import words

_NUMBER = re.compile(r"\d+(?:[.,'’٫٬]\d+|[ \u00a0\u2009\u202f]\d{3}(?!\d))*")
_SCALE = re.compile(r"\b(?:thousand|million|billion|trillion)\b|\d\s?[千万萬亿億兆]")
"""Belongs to a number that another language writes with another one: 200 million are 2 亿."""
_WORD_INSIDE = re.compile(r"(?<=[^\W_])_+[^\W_]+_+(?=[^\W_])")
_BLOCK = re.compile(r"(?:#{1,6}|>|[*+-]|\d{1,9}[.)]) (?=\S)")
"""Begins another kind of block, if it is not inside one."""
_SINGLE = re.compile(r"(?<![\w*])\*(?=\S)|(?<=\S)\*(?![\w*])|(?<!\w)_(?=\w)|(?<=\w)_(?!\w)|(?<=\s)\*(?=\s)")


def wording_problems(original: str, text: str) -> Iterator[str]:
    """Yield the mistakes in `text`, the translation of the block `original`."""
    source, target = words(original), words(text)
    if found := changed_numbers(source, target):
        yield found
    if (block := _BLOCK.match(text)) and not _BLOCK.match(original):
        yield f"begins with `{block[0]}`, which is shown as it is"
        return
    inside = Counter(_WORD_INSIDE.findall(target)) - Counter(_WORD_INSIDE.findall(source))
    for part in inside:
        yield f"`{part}` inside a word is no emphasis; write `*{part.strip('_')}*`, or code between backticks"
    if not inside:
        for mark in sorted(Counter(_SINGLE.findall(target)) - Counter(_SINGLE.findall(source))):
            yield f"a single `{mark}` is shown as it is; emphasis needs one on both sides of words, without spaces"


def changed_numbers(original: str, translation: str) -> str:
    """Return what is wrong with the numbers of a translation, both without markup; empty if nothing is."""
    is_scaled = bool(_SCALE.search(original) or _SCALE.search(translation))
    wanted, got = _numbers(original, is_scaled), _numbers(translation, is_scaled)
    missing, extra = _difference(wanted, got), _difference(got, wanted)
    if "".join(missing) == "".join(extra):  # a space between digits groups them, or separates two numbers
        return ""
    lost = [number for number in missing if extra or len(number) > 1]
    if not lost or (is_scaled and not extra):
        return ""
    shown = {**dict(got), **dict(wanted)}
    instead = f", but has {' and '.join(shown[number] for number in extra)}" if extra else ""
    return f"lacks the number {' and '.join(shown[number] for number in lost)}{instead}"


def _difference(some: list[tuple[str, str]], others: list[tuple[str, str]]) -> list[str]:
    return list((Counter(digits for digits, _ in some) - Counter(digits for digits, _ in others)).elements())


def _numbers(text: str, is_scaled: bool) -> list[tuple[str, str]]:
    """Return the numbers of a text: their digits in ASCII, without outer zeros if `is_scaled`, and as written."""
    found = []
    for match in _NUMBER.finditer(text):
        digits = "".join(str(unicodedata.digit(c)) for c in match[0] if c.isdecimal())
        found.append((digits.strip("0") if is_scaled else digits, match[0]))
    return found
