"""Finds what machine translation and haste leave behind in Chinese: debris, English, punctuation of the wrong width."""

from __future__ import annotations

import re
from collections.abc import Iterator

from .prose import OBJECT, words

HAN = "\u3400-\u4dbf\u4e00-\u9fff"
FULL = "，。；：！？、"

_DEBRIS = re.compile(r"@@+|_\^_\d+_\^_|\^_\^")
_RULES = (
    (re.compile(rf"[{FULL}]{{2,}}"), "doubled punctuation"),
    (
        re.compile(rf"[{HAN}{OBJECT}][,;:!?](?=[{HAN}{OBJECT}])"),
        "half-width punctuation between Chinese characters",
    ),
    (re.compile(rf"[{HAN}]\.(?:$|\s|(?=[{HAN}]))"), "a half-width full stop"),
    (re.compile(rf"\((?=[^()]*[{HAN}])[^()]*\)"), "half-width parentheses around Chinese"),
    (re.compile(rf"[{HAN}][A-Za-z0-9]|[A-Za-z0-9][{HAN}]"), "no space between Chinese and Latin"),
    (re.compile(rf"[{HAN}] +[{HAN}]"), "a space between Chinese characters"),
    (re.compile(rf" [{FULL}]|[{FULL}] "), "a space beside full-width punctuation"),
)
_WORD = re.compile(r"[A-Za-z]{2,}")


def chinese_problems(original: str, text: str) -> Iterator[str]:
    """Yield what is wrong with `text`, the translation of the block `original` into Chinese."""
    if found := _DEBRIS.search(text):
        yield f"debris of machine translation: {found.group()}"
    translation = words(text)
    for pattern, name in _RULES:
        if found := pattern.search(translation):
            start, end = max(found.start() - 6, 0), found.end() + 6
            yield f"{name}: …{translation[start:end].replace(OBJECT, '▢')}…"
    if len(_WORD.findall(words(original))) > 4 and not re.search(f"[{HAN}]", translation):
        yield "a passage is left in English"
