"""Prose becomes blocks, headings get anchors, and what a translation must keep is found."""

from __future__ import annotations

from pylit.prose import blocks, fixed_parts, is_translatable, one_line, parse_prose, plain
from pylit.source import parse_python

PAGE = '''\
r"""
---
title: The title
summary: One sentence.
---
# Heading with `code`

A paragraph
over two lines, with $x$.

$$y = x$$

* `x` is a number
* $y$

| a | b |
|---|---|
| one | $2$ |

>>> f(1)
2

![A picture](p.svg)
"""


class A:
    """
    ## Part

    ### Detail
    """

    x = 1  # ignored


# A comment that explains.
y = A()
'''


def test_blocks_are_headings_paragraphs_items_and_cells() -> None:
    found = [(block.text, block.line, block.within) for block in blocks(parse_python(PAGE, "x.py"))]
    assert found == [
        ("The title", 3, ""),
        ("One sentence.", 4, ""),
        ("Heading with `code`", 6, ""),
        ("A paragraph over two lines, with $x$.", 8, ""),
        ("`x` is a number", 13, ""),
        ("a", 16, ""),
        ("b", 16, ""),
        ("one", 18, ""),
        ("![A picture](p.svg)", 23, ""),
        ("Part", 29, "A"),
        ("Detail", 31, "A"),
        ("A comment that explains.", 37, ""),
    ]


def test_blocks_show_the_code_beside_them() -> None:
    found = {block.text: block.code for block in blocks(parse_python(PAGE, "x.py"))}
    assert found["A comment that explains."] == "y = A()"
    assert found["Part"].startswith("class A:")


def test_breaking_a_paragraph_elsewhere_does_not_change_its_block() -> None:
    assert one_line("a b\nc") == one_line("a\nb c") == "a b c"
    assert one_line("a  \nb") == "a  \nb"
    assert one_line("a\\\nb") == "a\\\nb"


def test_headings_have_anchors() -> None:
    pieces = parse_prose(parse_python(PAGE, "x.py"))
    found = [(heading.level, heading.anchor) for prose in pieces for heading in prose.headings]
    assert found == [(1, "heading-with-code"), (2, "A"), (3, "detail")]


def test_equal_headings_have_different_anchors() -> None:
    pieces = parse_prose(parse_python('"""\n# A\n## B\n## B\n"""\n', "x.py"))
    assert [heading.anchor for heading in pieces[0].headings] == ["a", "b", "b-2"]


def test_doctest_ends_at_a_blank_line_and_is_no_quote() -> None:
    tokens = parse_prose(parse_python('"""\ntext\n>>> a\n1\n\n> quote\n"""\n', "x.py"))[0].tokens
    assert [(t.type, t.content) for t in tokens if t.type in ("doctest", "blockquote_open")] == [
        ("doctest", ">>> a\n1"),
        ("blockquote_open", ""),
    ]


def test_doctest_in_a_list() -> None:
    tokens = parse_prose(parse_python('"""\n* item\n\n  >>> a\n  1\n\nafter\n"""\n', "x.py"))[0].tokens
    assert [t.content for t in tokens if t.type == "doctest"] == [">>> a\n1"]


def test_what_says_nothing_in_words_is_not_translated() -> None:
    assert not is_translatable("$x$, `y` 3.5 %")
    assert not is_translatable("![](p.svg)")
    assert is_translatable("![a picture](p.svg)")
    assert is_translatable("$x$ is")
    assert is_translatable("残差")


def test_prices_are_no_formulas() -> None:
    assert not fixed_parts("between $5 and $6, in $HOME and $PATH")
    assert fixed_parts("$x$ and $x$")["formula", "x"] == 2


def test_fixed_parts() -> None:
    text = "`a` $b$ [c](d.py#e) ![f $g$](h.svg) <kbd>i</kbd> <https://j.k>"
    assert dict(fixed_parts(text)) == {
        ("code", "a"): 1,
        ("formula", "b"): 1,
        ("link", "d.py#e"): 1,
        ("picture", "h.svg"): 1,
        ("formula", "g"): 1,
        ("HTML", "<kbd>"): 1,
        ("HTML", "</kbd>"): 1,
        ("link", "https://j.k"): 1,
    }


def test_plain() -> None:
    assert plain("a **b** `c` $d$ [e](f) <sub>g</sub>\\\nh") == "a b c d e g h"
