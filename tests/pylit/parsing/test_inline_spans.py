"""Where links, formulas, code and the like stand in a block."""

from __future__ import annotations

import pytest

from pylit.parsing.inline_spans import Span, SpanKind, find_spans

LINK, IMAGE, CODE, ESCAPE, AUTOLINK, HTML, FORMULA, _NOTE = SpanKind


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('a [b](c.py "T")', [Span(LINK, 2, 15, 4, "c.py", "", "T")]),
        ("![p *q*](i.png 'T')", [Span(IMAGE, 0, 19, 0, "i.png", "p q", "T")]),
        ("[x]() ![]()", [Span(LINK, 0, 5, 2), Span(IMAGE, 6, 11)]),
        ("`` ` `` `x`", [Span(CODE, 0, 7), Span(CODE, 8, 11)]),
        ("$x$ $$y$$", [Span(FORMULA, 0, 3), Span(FORMULA, 4, 9)]),
        (r"\* \[", [Span(ESCAPE, 0, 2), Span(ESCAPE, 3, 5)]),
        ("<http://a.b> <b>", [Span(AUTOLINK, 0, 12, 0, "http://a.b"), Span(HTML, 13, 16)]),
        # The words of a picture are parsed for themselves, and are no part of the block.
        ("![`x` $y$](i)", [Span(IMAGE, 0, 13, 0, "i", "x y")]),
        # What is within ends first, and a link in a link is the inner one.
        ("[l ![m](n)](o)", [Span(IMAGE, 3, 10, 0, "n", "m"), Span(LINK, 0, 14, 10, "o")]),
        ("[a [b](c)](d)", [Span(LINK, 3, 9, 5, "c")]),
        # A mark that closes nothing and escapes nothing stands for itself.
        (r"`x \a", [Span(CODE, 0, 1), Span(ESCAPE, 3, 5)]),
        ("[no] $ 5 $ and $6 <3", []),
        ("5$x$ or $x$5", []),
    ],
)
def test_spans(text: str, found: list[Span]) -> None:
    assert find_spans(text) == found
    assert find_spans(text) == found  # nothing of one block is left for the next
