"""Prose becomes blocks, and what a translation must keep of each is found."""

from __future__ import annotations

from prose_page import PAGE

from pylit.i18n.blocks import blocks, fixed_parts, is_translatable, words
from pylit.parsing.source import parse_python, parse_source


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


def test_words_of_figures_are_blocks() -> None:
    table = "rows: x.json\ncaption: Words\ncolumns:\n- head: Head\n  value: a\n"
    text = f"# T\n\n```table\n{table}```\n\n```table\nno\n```\n"
    assert [(block.text, block.line) for block in blocks(parse_source(text.encode(), "x.md"))] == [
        ("T", 1),
        ("Words", 5),
        ("Head", 7),
    ]


def test_words() -> None:
    assert words("a **b**\n`c` $d$") == "a b \ufffc \ufffc"


def test_what_says_nothing_in_words_is_not_translated() -> None:
    assert not is_translatable("$x$, `y` 3.5 %")
    assert not is_translatable("![](p.svg)")
    assert is_translatable("![a picture](p.svg)")
    assert is_translatable("$x$ is")
    assert is_translatable("残差")


def test_fixed_parts() -> None:
    text = "`a` $b$ [c](d.py#e) ![f $g$](h.svg) <kbd>i</kbd> <https://j.k>"
    assert {(part.kind.value, part.text): count for part, count in fixed_parts(text).items()} == {
        ("code", "a"): 1,
        ("formula", "b"): 1,
        ("link", "d.py#e"): 1,
        ("picture", "h.svg"): 1,
        ("formula", "g"): 1,
        ("HTML", "<kbd>"): 1,
        ("HTML", "</kbd>"): 1,
        ("link", "https://j.k"): 1,
    }
