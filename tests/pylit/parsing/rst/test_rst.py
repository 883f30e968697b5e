"""What reStructuredText says is what its tokens say, no marks are left, and nothing is read or run."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from outlines import outline
from sampling import examples

from pylit.parsing import escape
from pylit.parsing.markdown import parse_inline, plain_text
from pylit.parsing.model import ProseLine
from pylit.parsing.rst import parse_fragments


def rst(text: str) -> list[str]:
    lines = [ProseLine(number, line) for number, line in enumerate(text.split("\n"), 1)]
    return outline(parse_fragments([lines])[0])


INLINE = [
    ("*a* and **b** and ``c``", "*a* and **b** and `c`"),
    ("`a`", "`a`"),
    (":class:`~a.b.C` :func:`f` :meth:`!g` :mod:`os`", "`C` `f()` `g()` `os`"),
    (":py:class:`C` :obj:`title <a.b>` :exc:`E` :data:`d` :attr:`.x`", "`C` `title` `E` `d` `x`"),
    (":math:`x_1 < 2`", "$x_1 < 2$"),
    ("n\\ :math:`x`\\ th", "n\\(x\\)th"),
    (":math:`\\text{$a$}`", "\\(\\text{$a$}\\)"),
    ("`a b <http://x.y/z_w>`_", "[a b](<http://x.y/z_w>)"),
    ("http://a.b/c_d, a@b.c", "<http://a.b/c_d>, [a@b.c](<mailto:a@b.c>)"),
    ("(http://a.b/c_(d)) http://a.b/c_(d)e.", "(<http://a.b/c_(d)>) <http://a.b/c_(d)e>."),
    ("`x <javascript:alert(1)>`_", "x"),
    (":ref:`Title <l>`, :ref:`l`, :doc:`/x/y`, :term:`Word`", "Title, `l`, `x/y`, Word"),
    (
        ":pep:`8` :rfc:`1`",
        "[PEP 8](<https://peps.python.org/pep-0008/>) [RFC 1](<https://datatracker.ietf.org/doc/html/rfc1.html>)",
    ),
    ("H\\ :sub:`2`\\ O", "H<sub>2</sub>O"),
    (":kbd:`C-x` :abbr:`LIFO`", "`C-x` LIFO"),
    ("a\\*b __init__ *args a_b", "a\\*b \\_\\_init\\_\\_ \\*args a_b"),
    ("5$ or $x$", "5\\$ or \\$x\\$"),
    ("<b>x</b> & &amp;", "&lt;b>x&lt;/b> & &amp;amp;"),
    ("[a](b) `` `c` ``", "[a]&#40;b) \\`\\` `c` \\`\\`"),
    ("# no heading", "\\# no heading"),
    ("> no quotation", "&gt; no quotation"),
    ("``a`b``", "``a`b``"),
    ("A\\ *b*\\ c", "A*b*c"),
    ("*(a)*\\ b", "(a)b"),
    ("a [1]_ b [#]_ c [X]_", "a [^1] b [^1] c [^X]"),
    (
        ":doi:`10.1/a_b` :arxiv:`T <1.2>`",
        "[doi:10.1/a_b](<https://doi.org/10.1/a_b>) [T](<https://arxiv.org/abs/1.2>)",
    ),
    ("|a| b", "|a| b"),
    ("a_ b_c_ `d`_", "a\\_ b_c\\_ d"),
    ("_private_ x_y", "\\_private\\_ x_y"),
]


@pytest.mark.parametrize(("text", "markdown"), INLINE)
def test_inline(text: str, markdown: str) -> None:
    assert rst(text) == [f"p {markdown}"]


BLOCKS = [
    ("T\n=\n\nU\n-\n\na\n\nV\n=", ["h1 T", "h2 U", "p a", "h1 V"]),
    ("===\nT\n===", ["h1 T"]),
    ("* a\n* b\n\n  * c", ["ul", "  li", "    p a", "  li", "    p b", "    ul", "      li", "        p c"]),
    ("3. a\n4. b", ["ol", "  li", "    p a", "  li", "    p b"]),
    ("A. Author, *Title*.", ["p A. Author, *Title*."]),
    ("C. Author", ["p C. Author"]),
    ("MCMXCIV. A year", ["p MCMXCIV. A year"]),
    ("a. b\nb. c", ["ol", "  li", "    p b", "  li", "    p c"]),
    ("1. b", ["ol", "  li", "    p b"]),
    (":copyright: (c) 2020 by A.", ["dl", "  dt **copyright**", "  dd", "    p (c) 2020 by A."]),
    (".. [1] A. Author", ["dl", "  note 1", "  dd", "    p A. Author"]),
    (
        ".. math:: a\n   :label: e\n\n:eq:`e` :eq:`f`",
        ["math_block '\\na \\\\label{e}\\n'", "p \\eqref{e} `f`"],
    ),
    ("a : b\n  c", ["dl", "  dt a : *b*", "  dd", "    p c"]),
    (":a: b", ["dl", "  dt **a**", "  dd", "    p b"]),
    ("-a FILE, --all  b", ["dl", "  dt `-a FILE`, `--all`", "  dd", "    p b"]),
    ("a::\n\n  b = 1", ["p a:", "fence python 'b = 1\\n'"]),
    ("::\n\n  no python", ["fence 'no python\\n'"]),
    (">>> a\n1\n\nb", ["doctest '>>> a\\n1\\n'", "p b"]),
    ("::\n\n  >>> a\n  1", ["doctest '>>> a\\n1\\n'"]),
    ("a\n\n  b\n\n  -- C", ["p a", "blockquote", "  p b", "  p — C"]),
    ("| a\n| b", ["p a\\\nb"]),
    ("a\n\n----\n\nb", ["p a", "hr ''", "p b"]),
    (".. [1] a\n   b\n.. [X] c", ["dl", "  note 1", "  dd", "    p a b", "  note X", "  dd", "    p c"]),
    (".. a comment\n\nb", ["p b"]),
    (".. note: no directive\n\nb", ["p note: no directive", "p b"]),
    (".. |a| replace:: *b* c\n\n|a| d", ["p *b* c d"]),
    (".. |a| image:: b.png\n\n|a|", ["p ![a](<b.png>)"]),
    (".. _a: http://b.c\n\na_ `d e`__\n\n__ http://f.g", ["p [a](<http://b.c>) [d e](<http://f.g>)"]),
    (".. _a: b_\n.. _b: http://c.d\n\na_", ["p [a](<http://c.d>)"]),
    (
        "== ==\na  b\n== ==\n1  2\n== ==",
        [
            "table",
            "  thead",
            "    tr",
            "      th a",
            "      th b",
            "  tbody",
            "    tr",
            "      td 1",
            "      td 2",
        ],
    ),
    (
        "+---+---+\n| a | b |\n|   +---+\n|   | c |\n+---+---+",
        ["table", "  tbody", "    tr", "      td a", "      td b", "    tr", "      td ", "      td c"],
    ),
    ("+---+\n| b |\n|   |\n| a |\n+---+", ["table", "  tbody", "    tr", "      td b <br> a"]),
]


@pytest.mark.parametrize(("text", "found"), BLOCKS)
def test_blocks(text: str, found: list[str]) -> None:
    assert rst(text) == found


DIRECTIVES = [
    (".. note:: a\n   b\n\n   c", ["box note", "  p a b", "  p c"]),
    *(
        (f".. {name}::\n   a", [f"box {name}", "  p a"])
        for name in "tip warning important caution danger hint".split()
    ),
    (".. attention:: a", ["box attention", "  p a"]),
    (".. seealso:: a", ["box seealso", "  p a"]),
    (".. versionadded:: 1.2\n   a", ["box added 1.2", "  p a"]),
    (".. versionchanged:: 2.0 a *b*.", ["box changed 2.0", "  p a *b*."]),
    (".. deprecated:: 3.0\n\n   a", ["box deprecated 3.0", "  p a"]),
    (".. admonition:: T *t*\n\n   a", ["box admonition", "  p T *t*", "  p a"]),
    (".. topic:: T\n\n   a", ["box admonition", "  p T", "  p a"]),
    (".. rubric:: R", ["p R"]),
    (".. math:: a\n\n   b", ["math_block '\\na\\n'", "math_block '\\nb\\n'"]),
    (
        ".. math::\n   :label: e\n\n   a &= b \\\\\n   c",
        ["math_block '\\n\\\\begin{aligned}\\na &= b \\\\\\\\\\nc\\n\\\\end{aligned} \\\\label{e}\\n'"],
    ),
    (
        ".. image:: https://a.b/c.svg\n   :alt: d\n   :target: https://e.f",
        ["p [![d](<https://a.b/c.svg>)](<https://e.f>)"],
    ),
    (".. image:: a.svg\n   :alt: d\n   :target: javascript://e", ["p ![d](<a.svg>)"]),
    (".. tab-set::\n\n   .. tab-item:: A\n\n      b", ["box admonition", "  p A", "  p b"]),
    (".. image:: a b.png\n   :alt: c", ["p ![c](<ab.png>)"]),
    (".. figure:: a.png\n   :alt: b\n\n   The *c*.\n\n   d", ['p ![b](<a.png> "The c.")', "p d"]),
    (".. code-block:: js\n   :linenos:\n\n   a", ["fence js 'a\\n'"]),
    (".. code::\n\n   a b", ["fence 'a b\\n'"]),
    (".. sourcecode:: python\n\n   >>> a", ["doctest '>>> a\\n'"]),
    (".. code-block:: chart\n\n   a", ["fence 'a\\n'"]),
    (".. doctest::\n\n   >>> a", ["doctest '>>> a\\n'"]),
    (
        ".. list-table:: T\n   :header-rows: 1\n\n   * - a\n   * - b",
        ["p T", "table", "  thead", "    tr", "      th a", "  tbody", "    tr", "      td b"],
    ),
    (".. csv-table::\n\n   a, b", ["table", "  tbody", "    tr", "      td a", "      td b"]),
    (
        ".. table:: T\n\n   == ==\n   a  b\n   == ==",
        ["p T", "table", "  tbody", "    tr", "      td a", "      td b"],
    ),
    (".. function:: f(x)\n\n   a", ["dl", "  dt `f(x)`", "  dd", "    p a"]),
    (
        ".. autosummary::\n   :toctree: t\n\n   a.b\n   ~c.d",
        ["ul", "  li", "    p `a.b`", "  li", "    p `c.d`"],
    ),
    (".. autoclass:: a.B\n   :members:", ["ul", "  li", "    p `a.B`"]),
    (".. index:: a\n.. currentmodule:: b\n\nc", ["p c"]),
    (".. container:: a\n\n   b", ["p b"]),
]


@pytest.mark.parametrize(("text", "found"), DIRECTIVES)
def test_directives(text: str, found: list[str]) -> None:
    assert rst(text) == found


HOSTILE = [
    (
        ".. include:: /etc/passwd",
        ["! the directive `include` is not known", "fence '.. include:: /etc/passwd\\n'"],
    ),
    (
        ".. raw:: html\n\n   <script>",
        ["! the directive `raw` is not known", "fence '.. raw:: html\\n\\n   <script>\\n'"],
    ),
    (
        ".. csv-table::\n   :file: /etc/passwd",
        [
            '! this reStructuredText cannot be read: Error in "csv-table" directive: unknown option: "file"',
            "fence '.. csv-table::\\n   :file: /etc/passwd\\n'",
        ],
    ),
    (
        ".. csv-table::\n   :url: http://a.b",
        [
            '! this reStructuredText cannot be read: Error in "csv-table" directive: unknown option: "url"',
            "fence '.. csv-table::\\n   :url: http://a.b\\n'",
        ],
    ),
    (
        ".. unknown:: a\n\n   b",
        ["! the directive `unknown` is not known", "fence '.. unknown:: a\\n\\n   b\\n'"],
    ),
    (
        ".. role:: x(raw)\n   :format: html",
        ["! the directive `role` is not known", "fence '.. role:: x(raw)\\n   :format: html\\n'"],
    ),
    (".. date::", ["! the directive `date` is not known", "fence '.. date::\\n'"]),
    (":unknown:`a <b>`", ["! the role `unknown` is not known", "p `a <b>`"]),
    (":raw-html:`<b>`", ["! the role `raw-html` is not known", "p `<b>`"]),
    (".. |a| replace:: |b|\n.. |b| replace:: |a|\n\n|a|", ["p |b|"]),
    ("== ==\na  b c\n== ==", ["table", "  tbody", "    tr", "      td a", "      td b c"]),
    ("a\n  b\nc", ["dl", "  dt a", "  dd", "    p b", "p c"]),
]


@pytest.mark.parametrize(("text", "found"), HOSTILE)
def test_hostile(text: str, found: list[str]) -> None:
    assert rst(text) == found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("One of:\n- a\n- b", ["p One of:", "ul", "  li", "    p a", "  li", "    p b"]),
        ("One of:\n  1. a\n", ["p One of:", "blockquote", "  ol", "    li", "      p a"]),
        (
            "- a\n  - b\n    c\n  - d\n- e",
            [
                *("ul", "  li", "    p a", "    ul", "      li", "        p b c", "      li", "        p d"),
                *("  li", "    p e"),
            ],
        ),
        ("It is a\n- b", ["p It is a - b"]),
        ("Code::\n\n  a:\n  - b", ["p Code:", "fence 'a:\\n- b\\n'"]),
        (".. math::\n\n  a:\n  - b", ["math_block '\\na:\\n- b\\n'"]),
        (".. note::\n\n  Of:\n  - b", ["box note", "  p Of:", "  ul", "    li", "      p b"]),
    ],
)
def test_lists_without_an_empty_line_above(text: str, found: list[str]) -> None:
    assert rst(text) == found


def test_what_is_for_other_formats_is_not_shown() -> None:
    assert rst("a |br| b\n\n.. |br| raw:: html\n\n   <br>") == ["p a  b"]


def test_titles_of_roles_need_no_space() -> None:
    assert rst("A :ref:`title<place>`, :class:`~a.b<c>`.") == ["p A title, `~a.b`."]


def test_broken_tables_are_shown_as_they_are_written() -> None:
    found = rst("+--+--+\n| a |\n+--+--+")
    assert found[0].startswith("! this reStructuredText cannot be read: Malformed table.")
    assert found[1] == "fence '+--+--+\\n| a |\\n+--+--+\\n'"


def test_what_is_nested_too_deeply_is_a_listing() -> None:
    text = "".join("   " * depth + ".. note::\n\n" for depth in range(400)) + "   " * 400 + "a"
    found = rst(text)
    assert found[0] == "! this reStructuredText is nested too deeply" and len(found) == 2
    assert found[1].count(".. note::") == 400


def test_long_lines_and_wide_tables_are_listings() -> None:
    assert rst("a " * 6000)[0] == "! this reStructuredText has a line of more than 10,000 characters"
    assert (
        rst("== " * 101 + "\na\n" + "== " * 101)[0]
        == "! this reStructuredText has a table of more than 100 columns"
    )


def test_substitutions_cannot_multiply() -> None:
    text = "\n".join(f".. |a{n}| replace:: {f'|a{n - 1}| ' * 10}" for n in range(1, 10))
    found = rst(f".. |a0| replace:: {'b' * 100}\n{text}\n\n|a9|")
    assert sum(map(len, found)) < 300_000


def test_pieces_share_targets_footnotes_and_substitutions() -> None:
    pieces = ["See a_ and |b| [#]_.", ".. _a: http://c.d\n.. |b| replace:: e\n.. [#] f"]
    lines = [
        [ProseLine(10 * n + k, line) for k, line in enumerate(piece.split("\n"))]
        for n, piece in enumerate(pieces, 1)
    ]
    first, second = parse_fragments(lines)
    assert outline(first) == ["p See [a](<http://c.d>) and e [^1]."]
    assert outline(second) == ["dl", "  note 1", "  dd", "    p f"]
    assert [token.meta["line"] for token in second if token.type in ("note", "inline")] == [22, 22]


def test_footnotes_without_numbers_take_those_that_are_free() -> None:
    text = "[#]_ [#b]_ [1]_ [#]_ [#]_\n\n.. [#] x\n.. [#b] y\n.. [#] z\n.. [1] one"
    assert rst(text)[0] == "p [^2] [^3] [^1] [^4] [^5]"
    assert [line for line in rst(text) if "note" in line] == ["  note 2", "  note 3", "  note 4", "  note 1"]


def test_text_that_looks_like_a_footnote_of_markdown_is_text() -> None:
    [tokens] = parse_fragments([[ProseLine(1, "a [^1] b")]])
    assert [child.content for child in tokens[1].children or ()] == ["a [^1] b"]


def test_code_that_is_short_for_a_name_knows_it() -> None:
    [tokens] = parse_fragments([[ProseLine(1, "``a`` :class:`~b.C` :meth:`x <d.e>`")]])
    codes = [child for child in tokens[1].children or () if child.type == "code_inline"]
    assert [child.meta.get("target") for child in codes] == [None, "b.C", "d.e"]


def test_nothing_is_kept_for_other_texts() -> None:
    before = rst("|a| a_ [#]_")
    rst(".. |a| replace:: b\n.. _a: http://c.d\n.. [#] e\n.. default-role:: math")
    assert rst("|a| a_ [#]_") == before and rst("`x`") == ["p `x`"]


@examples(300)
@given(st.text(st.sampled_from("ab *_`\\<>[]()&#$|!~:.-+=@1\n"), max_size=40))
def test_any_text_is_shown_as_it_is(text: str) -> None:
    shown = " ".join(text.split())
    assert plain_text(escape.paragraph(escape.text(shown))) == shown


@examples(300)
@given(st.text(st.sampled_from("ab *_`\\<>[]&#$|!~:.-+=@1\n"), max_size=60))
def test_any_text_becomes_tokens(text: str) -> None:
    lines = [ProseLine(number, line) for number, line in enumerate(text.split("\n"), 1)]
    [tokens] = parse_fragments([lines])
    levels = [token.nesting for token in tokens]
    assert sum(levels) == 0
    for token in tokens:
        if token.type == "inline":
            assert [c.type for c in token.children or ()] == [c.type for c in parse_inline(token.content)]


@pytest.mark.process
def test_docutils_is_loaded_for_restructured_text_only(root: Path) -> None:
    code = (
        "import sys; from pylit.parsing import parse_python; "
        'parse_python(\'def f(x):\\n    """Do.\\n\\n    Args:\\n        x: a\\n    """\\n\', \'a.py\').prose; '
        "print('docutils' in sys.modules); parse_python('\"\"\":mod:`a`\"\"\"', 'a.py').prose; "
        "print('docutils' in sys.modules)"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=root
    )
    assert result.stdout.split() == ["False", "True"] and not result.stderr
