"""Docstrings with the field lists of Sphinx."""

from __future__ import annotations

import pytest
from outlines import docstring


def test_a_docstring_with_everything() -> None:
    found = docstring(
        """Do.

    :param int x: the x
    :param y: the y
        continued
    :type y: str or None
    :param \\*args: others
    :keyword z: a key
    :returns: a value
    :rtype: :class:`~a.b.C`
    :raises ValueError: if not
    :ivar size: how large
    :vartype size: int
    :meta private:
    """,
        "def f(x, y=None, *args, z=1):",
    )
    assert found == [
        "p Do.",
        "[parameters]",
        "dl",
        "  x : `int`",
        "  dd",
        "    p the x",
        "  y : `str or None` = None",
        "  dd",
        "    p the y continued",
        "  *args",
        "  dd",
        "    p others",
        "[keywords]",
        "dl",
        "  z = 1",
        "  dd",
        "    p a key",
        "[attributes]",
        "dl",
        "  size : `int`",
        "  dd",
        "    p how large",
        "[returns]",
        "dl",
        "  : `C`",
        "  dd",
        "    p a value",
        "[raises]",
        "dl",
        "  : `ValueError`",
        "  dd",
        "    p if not",
    ]


def test_a_type_alone() -> None:
    assert docstring(":rtype: int") == ["[returns]", "dl", "  : `int`", "  dd"]
    assert docstring(":type x: int", "def f(x=1):") == ["[parameters]", "dl", "  x : `int` = 1", "  dd"]


def test_one_line() -> None:
    assert docstring("One :class:`line`.") == ["p One `line`."]
    assert docstring(":return: it") == ["[returns]", "p it"]


def test_other_fields_keep_their_names() -> None:
    assert docstring(":param x: a\n    :author: me") == [
        "[parameters]",
        "dl",
        "  x",
        "  dd",
        "    p a",
        "dl",
        "  dt **author**",
        "  dd",
        "    p me",
    ]
    assert docstring(":author: me\n    :param x: a")[:2] == ["dl", "  dt **author**"]


@pytest.mark.parametrize("text", ["Of :math:`x`.", "Of $x$."])
def test_types_of_attributes(text: str) -> None:
    """Whichever kind of field has the name."""
    found = docstring(f"{text}\n\n    :ivar x: a\n    :type x: int\n    :type y: str\n    :param z: b")
    assert found[1:] == [
        "[parameters]",
        "dl",
        *("  z", "  dd", "    p b"),
        *("  y : `str`", "  dd"),
        "[attributes]",
        "dl",
        *("  x : `int`", "  dd", "    p a"),
    ]


def test_fields_below_markdown() -> None:
    """As in labml's modules."""
    found = docstring(
        """### Sample from $q(x|y)$

    $$x = 1$$

    ```
    :param listing: is one
    ```

    :param int x: is $x$ of shape `[a, b]`
    lazily continued
    :param y: with `code: too`

        and a second paragraph
    :type y: str or None
    :raises ValueError:
    :returns: the sum
    :rtype: int

    After all.
    """,
        "def f(x, y=None):",
    )
    assert [line for line in found if line.strip() != "dd"] == [
        "h3 Sample from $q(x|y)$",
        "math_block 'x = 1'",
        "fence ':param listing: is one\\n'",
        "p After all.",
        "[parameters]",
        "dl",
        "  x : `int`",
        "    p is $x$ of shape `[a, b]` lazily continued",
        "  y : `str or None` = None",
        "    p with `code: too`",
        "    p and a second paragraph",
        "[returns]",
        "dl",
        "  : `int`",
        "    p the sum",
        "[raises]",
        "dl",
        "  : `ValueError`",
    ]


@pytest.mark.parametrize("text", ["Of :math:`x`.", "Of $x$."])
def test_text_without_a_name_is_above_the_list(text: str) -> None:
    found = docstring(f"{text}\n\n    :raises A: a\n    :raises: b\n    :raises: c")
    assert found[1:] == ["[raises]", "p b", "p c", "dl", "  : `A`", "  dd", "    p a"]
