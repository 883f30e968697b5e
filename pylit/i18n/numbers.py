"""Compares the numbers of a text and its translation.

They may be grouped and written in other digits, and small ones spelled out.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter

_NUMBER = re.compile(r"\d+(?:[.,'’٫٬]\d+|[ \u00a0\u2009\u202f]\d{3}(?!\d))*")
_SCALE = re.compile(r"\b(?:thousand|million|billion|trillion)\b|\d\s?[千万萬亿億兆]")
"""Belongs to a number that another language writes with another one: 200 million are 2 亿."""


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
