"""Finds what is wrong with translations in any language: numbers that are not those of the original, failed markup."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from ..i18n import changed_numbers, words

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
