"""Emphasis beside Chinese, Japanese and Korean text: `**“重要”**的` is bold.

CommonMark decides by the characters around a run of `*` whether it opens or closes emphasis, and takes punctuation for
the edge of a word, as between words with spaces. The amendment of github.com/tats-u/markdown-cjk-friendly lets a CJK
character beside the run count as such an edge too.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator
from functools import lru_cache

from markdown_it.common.utils import isWhiteSpace
from markdown_it.rules_inline import StateInline
from markdown_it.rules_inline.state_inline import Delimiter
from markdown_it.token import Token


def cjk_emphasis(state: StateInline, silent: bool) -> bool:
    """Inline rule for a run of `*`, in which the marks of emphasis keep their places in the text."""
    start = state.pos
    if silent or state.src[start] != "*":
        return False
    end = start
    while end < state.posMax and state.src[end] == "*":
        end += 1
    before = _kind(state.src[start - 1]) if start else " "
    after = _kind(state.src[end]) if end < state.posMax else " "
    is_cjk = "C" in (before, after)
    if is_cjk:
        can_open = after != " " and (after != "." or before in " .C")
        can_close = before != " " and (before != "." or after in " .C")
    else:
        found = state.scanDelims(start, True)
        can_open, can_close = found.can_open, found.can_close
    for place in range(start, end):
        token = state.push("text", "", 0)
        token.content = "*"
        token.meta = {"place": place, "cjk": is_cjk}
        state.delimiters.append(
            Delimiter(
                marker=ord("*"),
                length=end - start,
                token=len(state.tokens) - 1,
                end=-1,
                open=can_open,
                close=can_close,
            )
        )
    state.pos = end
    return True


def cjk_marks(tokens: Iterable[Token]) -> Iterator[tuple[int, int, bool]]:
    """Yield the marks of emphasis beside Chinese, Japanese and Korean text: start, end, and whether it opens."""
    opened: list[Token] = []
    for token in tokens:
        if token.type in ("em_open", "strong_open"):
            opened.append(token)
        elif token.type in ("em_close", "strong_close"):
            pair = (opened.pop(), token)
            if not any(mark.meta.get("cjk") for mark in pair):
                continue
            for mark in pair:
                place, is_opening = mark.meta["place"], mark is pair[0]
                # Of two characters, the tag stands for the inner one.
                start = place - 1 if is_opening and len(mark.markup) == 2 else place
                yield start, start + len(mark.markup), is_opening


@lru_cache(maxsize=1024)
def _kind(character: str) -> str:
    """Return what a character is here: `C` is CJK, `.` other punctuation, ` ` white space, and `a` anything else."""
    if isWhiteSpace(ord(character)):
        return " "
    if unicodedata.east_asian_width(character) in "WFH" and unicodedata.category(character) != "So":
        return "C"
    return "." if unicodedata.category(character)[0] in "PS" else "a"
