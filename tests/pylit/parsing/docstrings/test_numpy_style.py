"""Docstrings as NumPy writes them."""

from __future__ import annotations

import pytest
from outlines import docstring, module

EVERYTHING = """Sum.

    .. deprecated:: 1.2
       Use `g`.

    Parameters
    ----------
    x, y : int
        Both.
    z : {'a', 'b'}, optional
        With :math:`x^2`.

        .. math:: a = b
    *args, **kwargs
        Others.

    Returns
    -------
    out : ndarray of shape (n,)
        A *thing*.
    int

    Raises
    ------
    ValueError
        If not.

    See Also
    --------
    g : does
    numpy.sum, h
    :func:`k`

    Warnings
    --------
    Hot.

    Notes
    -----
    See [1]_ and `home`_.

    References
    ----------
    .. [1] A book.
    .. _home: https://a.b

    Examples
    --------
    >>> f(1)
    2

    Custom Part
    -----------
    Text.
    """


def test_a_docstring_with_everything() -> None:
    assert docstring(EVERYTHING, "def f(x, y=1, z='a', *args, **kwargs):") == [
        "p Sum.",
        "box deprecated 1.2",
        "  p Use `g`.",
        "[parameters]",
        "dl",
        "  x, y : `int`",
        "  dd",
        "    p Both.",
        "  z : `{'a', 'b'}` = 'a'",
        "  dd",
        "    p With $x^2$.",
        "    math_block '\\na = b\\n'",
        "  *args, **kwargs",
        "  dd",
        "    p Others.",
        "[returns]",
        "dl",
        "  out : ndarray of shape (n,)",
        "  dd",
        "    p A *thing*.",
        "  : `int`",
        "  dd",
        "[raises]",
        "dl",
        "  : `ValueError`",
        "  dd",
        "    p If not.",
        "[seealso]",
        "dl",
        "  g",
        "  dd",
        "    p does",
        "  numpy.sum, h",
        "  dd",
        "  k",
        "  dd",
        "box warning",
        "  p Hot.",
        "[notes]",
        "p See [^1] and [home](<https://a.b>).",
        "[references]",
        "dl",
        "  note 1",
        "  dd",
        "    p A book.",
        "[examples]",
        "doctest '>>> f(1)\\n2\\n'",
        "p Custom Part",
        "p Text.",
    ]


def test_sections_are_no_headings_of_the_page() -> None:
    text = f'def f(x):\n    r"""{EVERYTHING}"""\n'
    from pylit.parsing.source import parse_python

    assert not [heading for prose in parse_python(text, "a.py").prose for heading in prose.headings]


def test_a_sentence_below_returns_is_text() -> None:
    found = docstring("Do.\n\n    Returns\n    -------\n    The sum of all.\n    ")
    assert found == ["p Do.", "[returns]", "p The sum of all."]


def test_values_with_names() -> None:
    found = docstring(
        "Do.\n\n    Yields\n    ------\n    a : int\n        One.\n    b : list of str\n        Two.\n    "
    )
    assert found[1:] == [
        "[yields]",
        "dl",
        "  a : `int`",
        "  dd",
        "    p One.",
        "  b : list of str",
        "  dd",
        "    p Two.",
    ]


def test_a_single_line_of_values() -> None:
    assert docstring("Do.\n\n    Returns\n    -------\n    out : int\n    ")[2:] == [
        "dl",
        "  out : `int`",
        "  dd",
    ]


def test_types_in_roles() -> None:
    found = docstring(
        "Do.\n\n    Parameters\n    ----------\n    x : :class:`~a.B`, optional\n        A.\n    "
    )
    assert found[3] == "  x : `B` (optional)"


def test_doubled_backslashes_of_a_docstring_that_is_not_raw() -> None:
    text = 'def f():\n    """Do.\n\n    Parameters\n    ----------\n'
    text += '    \\\\*args\n        With :math:`\\\\alpha`.\n    """\n'
    assert module(text)[3:] == ["  *args", "  dd", "    p With $\\alpha$."]


def test_underlines_of_a_module_without_parameters_are_headings() -> None:
    assert module('"""Title\n=====\n\nNotes\n-----\nText with `code`.\n"""\n') == [
        "h1 Title",
        "h2 Notes",
        "p Text with `code`.",
    ]


def test_a_directive_where_an_entry_would_be_is_about_all_of_them() -> None:
    """As in lmfit's methods."""
    found = docstring(
        "Do.\n\n    Returns\n    -------\n    Result\n        The fit.\n\n\n    .. versionchanged:: 0.9.0\n"
        "       It was :class:`X` before.\n\n    Notes\n    -----\n    More.\n    "
    )
    assert [line for line in found if line.strip() != "dd"] == [
        "p Do.",
        "[returns]",
        "dl",
        "  : `Result`",
        "    p The fit.",
        "box changed 0.9.0",
        "  p It was `X` before.",
        "[notes]",
        "p More.",
    ]


def test_sentences_are_no_names() -> None:
    found = docstring(
        "Do.\n\n    Attributes\n    ----------\n    Some of them are new.\n    Others are not.\n    "
    )
    assert found == ["p Do.", "[attributes]", "p Some of them are new. Others are not."]


def test_text_with_marks_of_markdown_is_markdown() -> None:
    found = docstring(
        "Do.\n\n    Parameters\n    ----------\n    x : int\n        Where $x > 0$, see `f`.\n    "
    )
    assert found[-1] == "    p Where $x > 0$, see `f`."
    found = docstring("Do.\n\n    Parameters\n    ----------\n    x : int\n        $x$, see :func:`f`.\n    ")
    assert found[-1] == r"    p \$x\$, see `f()`."


def test_rules_as_sympy_draws_them_and_colons() -> None:
    found = docstring(
        """Do it.

    Explanation
    ===========

    Words.

    Parameters
    ==========

    x : int
        Text.

    Attributes:
    -----------
    a : int
        More.
    """,
        "def f(x):",
    )
    assert found == [
        "p Do it.",
        "p Explanation",
        "p Words.",
        "[parameters]",
        "dl",
        "  x : `int`",
        "  dd",
        "    p Text.",
        "[attributes]",
        "dl",
        "  a : `int`",
        "  dd",
        "    p More.",
    ]


def test_methods_with_their_parameters() -> None:
    found = docstring(
        "A.\n\n    Methods\n    -------\n    fit(X, y=None), stop\n        Fit.\n    ", "class A:"
    )
    assert found[2:] == ["[methods]", "dl", "  fit(X, y=None), stop", "  dd", "    p Fit."]


def test_a_default_is_no_type() -> None:
    found = docstring("A.\n\n    Parameters\n    ----------\n    x : float, default=1e-8\n        Fit.\n    ")
    assert "  x : `float` = 1e-8" in found


@pytest.mark.parametrize("name", ["Returns", "Parameters"])
def test_a_paragraph_below_entries_is_about_all(name: str) -> None:
    found = docstring(
        f"""A.

    {name}
    -------
    x : int
        A number.

    If it is no number, but rather something
    else, it is taken for one.
    """
    )
    assert found[-5:] == [
        *("dl", "  x : `int`", "  dd", "    p A number."),
        "p If it is no number, but rather something else, it is taken for one.",
    ]


def test_arguments() -> None:
    found = docstring("Arguments\n    ---------\n    x : int\n        A number.\n    ")
    assert found == ["[parameters]", "dl", "  x : `int`", "  dd", "    p A number."]
