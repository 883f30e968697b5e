"""Where links, formulas, code and the like stand in a block."""

from __future__ import annotations

import pytest

from pylit.spans import Span, spans


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('a [b](c.py "T")', [Span("link", 2, 15, 4, "c.py", "", "T")]),
        ("![p *q*](i.png 'T')", [Span("image", 0, 19, 0, "i.png", "p q", "T")]),
        ("[x]() ![]()", [Span("link", 0, 5, 2), Span("image", 6, 11)]),
        ("`` ` `` `x`", [Span("backticks", 0, 7), Span("backticks", 8, 11)]),
        ("$x$ $$y$$", [Span("math_inline", 0, 3), Span("math_inline", 4, 9)]),
        (r"\* \[", [Span("escape", 0, 2), Span("escape", 3, 5)]),
        ("<http://a.b> <b>", [Span("autolink", 0, 12, 0, "http://a.b"), Span("html_inline", 13, 16)]),
        # The words of a picture are parsed for themselves, and are no part of the block.
        ("![`x` $y$](i)", [Span("image", 0, 13, 0, "i", "x y")]),
        # What is within ends first, and a link in a link is the inner one.
        ("[l ![m](n)](o)", [Span("image", 3, 10, 0, "n", "m"), Span("link", 0, 14, 10, "o")]),
        ("[a [b](c)](d)", [Span("link", 3, 9, 5, "c")]),
        # A mark that closes nothing and escapes nothing stands for itself.
        (r"`x \a", [Span("backticks", 0, 1), Span("escape", 3, 5)]),
        ("[no] $ 5 $ and $6 <3", []),
        ("5$x$ or $x$5", []),
    ],
)
def test_spans(text: str, found: list[Span]) -> None:
    assert spans(text) == found
    assert spans(text) == found  # nothing of one block is left for the next
