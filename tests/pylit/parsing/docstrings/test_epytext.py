"""Docstrings in epytext."""

from __future__ import annotations

import pytest
from outlines import docstring, module

from pylit.parsing.docstrings.epytext import _words
from pylit.parsing.source import parse_python


def test_a_docstring_with_everything() -> None:
    found = docstring(
        """Return C{x}, or I{words} of L{other.Name
    <twisted.Name>}::

        @param C{no}: markup

    >>> f(1)
    "C{x}"

    @param x: the L{int
        or} so
    @type x: C{int} or C{None}
    @keyword y: a key
    @return: a value
    @rtype: L{Deferred}
    @raise ValueError: if not
    @note: Beware.
    @see: L{g}
    @since: 3.0
    @unknown thing: as it is
    """,
        "def f(x, y=None):",
    )
    assert found == [
        "p Return `x`, or *words* of `other.Name`:",
        "code_block '@param C{no}: markup\\n'",
        "doctest '>>> f(1)\\n\"C{x}\"'",
        "[parameters]",
        "dl",
        "  x : `int` or `None`",
        "  dd",
        "    p the `int or` so",
        "[keywords]",
        "dl",
        "  y = None",
        "  dd",
        "    p a key",
        "[returns]",
        "dl",
        "  : `Deferred`",
        "  dd",
        "    p a value",
        "[raises]",
        "dl",
        "  : `ValueError`",
        "  dd",
        "    p if not",
        "box note",
        "  p Beware.",
        "[seealso]",
        "p `g`",
        "p Since",
        "p 3.0",
        "p Unknown thing",
        "p as it is",
    ]


def test_comments_have_its_inline_markup() -> None:
    text = """class A:
    '''Of C{x}.'''
    # See L{B}, and C{a
    # b}.
    y = 1
    # Of $C{x}$.
    z = 2
"""
    assert module(text) == ["p Of `x`.", "p See `B`, and `a b`.", "p Of $C{x}$."]
    assert module(text.replace("C{x}.", "x.", 1))[1] == "p See L{B}, and C{a b}."


def test_fields_are_fields_beside_anything() -> None:
    assert docstring("Of $x$ and `y`.\n\n    @returns: C{(a, b)}")[1:] == ["[returns]", "p `(a, b)`"]


def test_only_two_colons_begin_a_listing() -> None:
    """Whatever else is indented is a list, or the text of a section."""
    found = docstring(
        """Of C{x}.

    Title
    =====
      A paragraph:

        - one
          goes on

          1. deeper
        - two::
            a = 1

              b
          and on
      Code::
        c

    @ivar x: is:
          - three
    @type x: int
    @group all: x*
    """
    )
    assert found[1:] == [
        "h1 Title",
        "p A paragraph:",
        "ul",
        "  li",
        "    p one goes on",
        "    ol",
        "      li",
        "        p deeper",
        "  li",
        "    p two:",
        "    code_block 'a = 1\\n\\n  b\\n'",
        "    p and on",
        "p Code:",
        "fence python 'c\\n'",
        "[attributes]",
        "dl",
        "  x : `int`",
        "  dd",
        "    p is:",
        "    ul",
        "      li",
        "        p three",
    ]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("C{{'a': 1}}", "`{'a': 1}`"),
        ("B{very I{much} so}", "**very *much* so**"),
        (
            "U{the page<https://a.b/c>} U{https://a.b}",
            "[the page](<https://a.b/c>) [https://a.b](<https://a.b>)",
        ),
        ("E{lb}x S{alpha} S{->} X{term}", "{x &alpha; → term"),
        ("ABC{x} C{open", "ABC{x} C{open"),
        ("C{a\n   b} c", "`a b`\ufdd0 c"),
        ("B{a\nI{b\nc}}", "**a\n*b\nc***"),
    ],
)
def test_markup(text: str, shown: str) -> None:
    assert _words(text) == shown


@pytest.mark.parametrize(
    "text",
    ["Of $C{x}$.", "Set L{x} in `L{x}`.", "Like f{x}.", "@decorated\n    @param", "Mail a@param.de: yes."],
)
def test_other_text_is_as_it_was(text: str) -> None:
    assert parse_python(f'def f():\n    r"""{text}"""\n', "a.py").sections[0].docstring is None
