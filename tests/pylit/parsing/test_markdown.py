"""Where formulas, examples and figures begin and end in Markdown."""

from __future__ import annotations

import pytest

from pylit.i18n.blocks import FixedPart, PartKind, fixed_parts
from pylit.parsing.markdown import figure_kind, join_lines, markdown, parse_inline, plain_text
from pylit.parsing.source import parse_python, parse_source


def test_breaking_a_paragraph_elsewhere_does_not_change_its_block() -> None:
    assert join_lines("a b\nc") == join_lines("a\nb c") == "a b c"
    assert join_lines("a  \nb") == "a  \nb"
    assert join_lines("a\\\nb") == "a\\\nb"


def tokens_of(text: str) -> list[tuple[str, str]]:
    found = parse_source(text.encode(), "x.md").prose[0].tokens
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


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Run:\n$ ls -l\nb\n", [("inline", "Run:"), ("fence", "$ ls -l\n"), ("inline", "b")]),
        ("$ ls \\\n  -l\n$ ./a\n", [("fence", "$ ls \\\n  -l\n$ ./a\n")]),
        ("- Run:\n  $ ls\n- b\n", [("inline", "Run:"), ("fence", "$ ls\n"), ("inline", "b")]),
        ("- Run:\n$ ls\n", [("inline", "Run:"), ("fence", "$ ls\n")]),
        ("    $ ls\n", [("code_block", "$ ls\n")]),
        ("costs\n$ 5 or more\n", [("inline", "costs $ 5 or more")]),
        ("let\n$ x = 1 $\n", [("inline", "let $ x = 1 $")]),
        ("$HOME\n", [("inline", "$HOME")]),
    ],
)
def test_commands_after_a_prompt_stand_on_their_own(text: str, found: list[tuple[str, str]]) -> None:
    assert tokens_of(text) == found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Example:\n    >>> f()\n    1\n", [("inline", "Example:"), ("doctest", ">>> f()\n1")]),
        ("Example::\n\n    >>> f()\n    1\n", [("inline", "Example::"), ("doctest", ">>> f()\n1")]),
        ("a:\n\t>>> f(\n\t... 1)\n\t1\n", [("inline", "a:"), ("doctest", ">>> f(\n... 1)\n1")]),
        ("a:\n    >>> f()\n    1\nb\n", [("inline", "a:"), ("doctest", ">>> f()\n1"), ("inline", "b")]),
        ("* a\n    >>> f()\n    1\n* b\n", [("inline", "a"), ("doctest", ">>> f()\n1"), ("inline", "b")]),
        ("* a\n\n      >>> f()\n      1\n", [("inline", "a"), ("doctest", ">>> f()\n1")]),
        ("    x\n    >>> f()\n", [("code_block", "x\n>>> f()\n")]),
        ("a\n    >>>b\n", [("inline", "a >>>b")]),
    ],
)
def test_doctest_that_is_indented_is_one_all_the_same(text: str, found: list[tuple[str, str]]) -> None:
    assert tokens_of(text) == found


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
    found = parse_source(f"{text}chart\n".encode(), "x.md").prose[0].tokens
    assert [figure_kind(token) for token in found if token.type == "fence"] == [
        "chart",
        "table",
        "glossary",
        None,
        None,
    ]
    assert {figure_kind(token) for token in found if token.type != "fence"} == {None}


def test_doctest_ends_at_a_blank_line_and_is_no_quote() -> None:
    tokens = parse_python('"""\ntext\n>>> a\n1\n\n> quote\n"""\n', "x.py").prose[0].tokens
    assert [(t.type, t.content) for t in tokens if t.type in ("doctest", "blockquote_open")] == [
        ("doctest", ">>> a\n1"),
        ("blockquote_open", ""),
    ]


def test_doctest_in_a_list() -> None:
    tokens = parse_python('"""\n* item\n\n  >>> a\n  1\n\nafter\n"""\n', "x.py").prose[0].tokens
    assert [t.content for t in tokens if t.type == "doctest"] == [">>> a\n1"]


def test_prices_are_no_formulas() -> None:
    assert not fixed_parts("between $5 and $6, in $HOME and $PATH")
    assert fixed_parts("$x$ and $x$") == {FixedPart(PartKind.FORMULA, "x"): 2}


def test_plain() -> None:
    assert plain_text("a **b** `c` $d$ [e](f) <sub>g</sub>\\\nh") == "a b c d e g h"


@pytest.mark.parametrize(
    ("text", "types"),
    [
        ("text\n>>> 1\n1\n\nmore\n", ["text", "doctest", "more"]),
        ("text\n\n    >>> 1\n", ["text", "doctest"]),
        ("* a\n  >>> 1\n* b\n", ["a", "doctest", "b"]),
        ("* a\n  >>> 1\nb\n", ["a", "doctest", "b"]),
        ("text\n$$\nx\n$$\n", ["text", "math_block"]),
        ("$$\na\n\nb\n$$\n", ["math_block"]),
        ("$$\nx\n$$ (eq)\n", ["math_block"]),
        ("$$ x $$ (eq)\n", ["math_block"]),
        ("$$\nx\n$$.\n\nb\n\n$$\ny\n$$\n", ["$$\nx\n$$.", "b", "math_block"]),
        ("a\n$$\nx\n$$, and\n$$\ny\n$$\n", ["a\n$$\nx\n$$, and", "math_block"]),
        ("$$x$$ is $$y$$\n", ["$$x$$ is $$y$$"]),
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


def nesting(text: str) -> list[tuple[int, str]]:
    """Each list item of a module's prose with the number of lists that it stands in, and each listing."""
    found, depth = [], 0
    for prose in parse_python(text, "a.py").prose:
        for token in prose.tokens:
            depth += (
                token.nesting
                if token.type.endswith("_list_" + ("open" if token.nesting > 0 else "close"))
                else 0
            )
            if token.content:
                found.append((depth, token.content))
    return found


LIST = "List:\n\n{0}* one\n{0}{1}* nested one\n{0}{1}{1}* nested twice\n{0}{1}* nested two\n{0}* two\n"


NESTED = [(0, "List:"), (1, "one"), (2, "nested one"), (3, "nested twice"), (2, "nested two"), (1, "two")]


@pytest.mark.parametrize(
    ("outer", "inner"),
    [("\t", "\t"), ("    ", "    "), ("    ", "\t"), ("\t", "    "), ("\t", "  "), ("  ", "\t")],
)
def test_lists_nest_whether_by_tabs_or_by_spaces(outer: str, inner: str) -> None:
    items = LIST.format(outer, inner)
    assert nesting(f'def f():\n{outer}"""{items}{outer}"""\n') == NESTED
    assert nesting(f'def f():\n{outer}"""\n{outer}{items}{outer}"""\n') == NESTED
    own = LIST.format("", inner)
    assert nesting(f'"""{own}"""\n') == NESTED
    comments = "".join(f"# {line}\n" if line else "#\n" for line in own.split("\n")[:-1])
    assert nesting(f"{comments}x = 1\n") == NESTED


def test_tabs_in_listings_are_tabs() -> None:
    text = 'def f():\n\t"""\n\t```\n\tall:\n\t\tmake\ta\n\t```\n\t"""\n'
    assert nesting(text) == [(0, "all:\n\tmake\ta\n")]


def test_lines_that_do_not_begin_alike_have_the_stops_of_python() -> None:
    assert nesting('def f():\n    """\n\t* one\n            * nested\n    \t* two\n    """\n') == [
        (1, "one"),
        (2, "nested"),
        (1, "two"),
    ]


@pytest.mark.parametrize(
    "text",
    [
        "Calls __init__ and __call__; __all__ is set, (__len__), __main__.",
        "Takes *args, **kwargs and (*args, *rest), **options.",
        "Returns x*y*z, 2**n**m, a_b_, snake_case_name or n*m.",
        "f(x*y, a*b)",
        "Takes *args and a*b, **kwargs and 2**n, *values and **others.",
    ],
)
def test_names_and_products_of_python_are_text(text: str) -> None:
    assert "".join(token.content for token in parse_inline(text)) == text
    assert {token.type for token in parse_inline(text)} == {"text"}


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("__Bold__ and __two words__", "<strong>Bold</strong> and <strong>two words</strong>"),
        ("**GPU**s, **b**c", "<strong>GPU</strong>s, <strong>b</strong>c"),
        ("*a* _b_ **c** *a*b", "<em>a</em> <em>b</em> <strong>c</strong> <em>a</em>b"),
        ("*values, and* **options are**", "<em>values, and</em> <strong>options are</strong>"),
        ("**calls __init__ twice**", "<strong>calls __init__ twice</strong>"),
        ("残*差*块 **残**差", "残<em>差</em>块 <strong>残</strong>差"),
    ],
)
def test_emphasis_stays(text: str, html: str) -> None:
    assert markdown().renderInline(text) == html


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("<details>\n<summary>More</summary>\n\na\n\n</details>", ["More", "a"]),
        ("<details><summary><b>More</b> of\nit</summary>a</details>", ["<b>More</b> of it"]),
        ("<summary>Alone</summary>", ["Alone"]),
        ("<table><tr><td><summary>Less</summary></td></tr></table>", []),
        ("<details>\n<summary>Never closed\n", []),
    ],
)
def test_summary_of_details_is_a_block_of_text(text: str, found: list[str]) -> None:
    assert [content for kind, content in tokens_of(text) if kind == "inline"] == found
