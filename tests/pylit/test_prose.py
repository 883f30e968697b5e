"""Prose becomes blocks, headings get anchors, and what a translation must keep is found."""

from __future__ import annotations

import pytest

from pylit.prose import (
    anchors,
    blocks,
    figure_kind,
    fixed_parts,
    is_translatable,
    markdown,
    one_line,
    parse_prose,
    plain,
    title_text,
    words,
)
from pylit.source import parse, parse_python

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


def test_headings_do_not_take_the_anchors_of_lines() -> None:
    """`#L3` leads to line 3, whatever a heading is called: anchors of headings have no capitals."""
    pieces = parse_prose(parse_python('"""\n# L3\n## L99\n"""\n', "x.py"))
    assert [heading.anchor for heading in pieces[0].headings] == ["l3", "l99"]


def test_anchors_are_names_and_headings() -> None:
    assert anchors(parse_python(PAGE, "x.py")) >= {"A", "heading-with-code", "detail"}


@pytest.mark.parametrize(
    ("file", "text", "title"),
    [
        ("a/b.py", '"""\n---\ntitle: Given\n---\n# Heading\n"""\n', "Given"),
        ("a/b.py", '"""\n# Heading *here*\n"""\n', "Heading *here*"),
        ("a/b.py", "x = 1\n# # Later\ny = 2\n", "Later"),
        ("a/b.py", '"""\n## Not a title\n"""\n', "b"),
        ("a/b.py", '"""\ntext\n\n# Too late\n"""\n', "b"),
        ("a/b.py", "x = 1\n", "b"),
        ("a/__init__.py", "x = 1\n", "a"),
        ("a/index.md", "text\n", "a"),
        ("__init__.py", "x = 1\n", "__init__"),
        ("index.md", "text\n", "index"),
        ("a/guide.md", "text\n", "guide"),
    ],
)
def test_titles(file: str, text: str, title: str) -> None:
    source = parse(text.encode(), file)
    assert title_text(source, parse_prose(source)) == title


def tokens_of(text: str) -> list[tuple[str, str]]:
    found = parse_prose(parse(text.encode(), "x.md"))[0].tokens
    return [(t.type, t.content) for t in found if t.content]


def test_doctest_interrupts_paragraphs_and_lists() -> None:
    assert tokens_of("a\n>>> 1\n") == [("inline", "a"), ("doctest", ">>> 1")]
    assert tokens_of("* a\n>>> 1\n") == [("inline", "a"), ("doctest", ">>> 1")]


def test_doctest_ends_with_the_item_that_holds_it() -> None:
    assert tokens_of("* a\n\n  >>> 1\n  1\n* b\n") == [
        ("inline", "a"),
        ("doctest", ">>> 1\n1"),
        ("inline", "b"),
    ]
    assert tokens_of("* a\n\n  >>> 1\n> q\n")[:2] == [("inline", "a"), ("doctest", ">>> 1")]


def test_doctest_that_is_indented_is_code() -> None:
    assert tokens_of("a\n\n    >>> 1\n") == [("inline", "a"), ("code_block", ">>> 1\n")]
    assert tokens_of(">>>1\n")[0][0] == "inline"


def test_display_formulas_may_have_blank_lines_and_interrupt_text() -> None:
    assert tokens_of("a\n$$x\n\ny$$\nb\n") == [("inline", "a"), ("math_block", "x\n\ny"), ("inline", "b")]
    assert tokens_of("* a\n$$x$$\n") == [("inline", "a"), ("math_block", "x")]
    assert tokens_of("> a\n$$x$$\n") == [("inline", "a"), ("math_block", "x")]


def test_dollars_that_nothing_closes_are_text() -> None:
    assert [kind for kind, _ in tokens_of("$$x\n\na\n")] == ["inline", "inline"]
    assert [kind for kind, _ in tokens_of("$$x$$\n\n$$y\n\na\n")] == ["math_block", "inline", "inline"]
    assert [kind for kind, _ in tokens_of("$$x$$ (1)\n\na\n")][-1] == "inline"


def test_figures_are_known_by_their_fence() -> None:
    text = "".join(f"```{info}\nx\n```\n\n" for info in ("chart", "table x", "glossary", "python", ""))
    found = parse_prose(parse(f"{text}chart\n".encode(), "x.md"))[0].tokens
    assert [figure_kind(token) for token in found if token.type == "fence"] == [
        "chart",
        "table",
        "glossary",
        "",
        "",
    ]
    assert {figure_kind(token) for token in found if token.type != "fence"} == {""}


def test_words_of_figures_are_blocks() -> None:
    table = "rows: x.json\ncaption: Words\ncolumns:\n- head: Head\n  value: a\n"
    text = f"# T\n\n```table\n{table}```\n\n```table\nno\n```\n"
    assert [(block.text, block.line) for block in blocks(parse(text.encode(), "x.md"))] == [
        ("T", 1),
        ("Words", 5),
        ("Head", 7),
    ]


def test_words() -> None:
    assert words("a **b**\n`c` $d$") == "a b \ufffc \ufffc"


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


@pytest.mark.parametrize(
    ("text", "types"),
    [
        ("text\n>>> 1\n1\n\nmore\n", ["text", "doctest", "more"]),
        ("text\n\n    >>> 1\n", ["text", "code_block"]),
        ("* a\n  >>> 1\n* b\n", ["a", "doctest", "b"]),
        ("* a\n  >>> 1\nb\n", ["a", "doctest", "b"]),
        ("text\n$$\nx\n$$\n", ["text", "math_block"]),
        ("$$\na\n\nb\n$$\n", ["math_block"]),
        ("$$\nx\n$$ (eq)\n", ["$$\nx\n$$ (eq)"]),
        ("$$\nx\n", ["$$\nx"]),
        ("a\n\n$$x$$\n\n$$y\n", ["a", "math_block", "$$y"]),
    ],
)
def test_where_examples_and_formulas_begin_and_end(text: str, types: list[str]) -> None:
    tokens = [token for token in markdown().parse(text) if not token.nesting]
    assert [token.content if token.type == "inline" else token.type for token in tokens] == types


@pytest.mark.parametrize(
    ("text", "formulas"),
    [("a $$x$$ b", 1), ("$x$ (a)", 1), ("$ x $", 0), ("$x$1", 0), ("1$x$", 0), (r"\$x$", 0)],
)
def test_what_dollars_are_formulas(text: str, formulas: int) -> None:
    assert fixed_parts(text).total() == formulas
