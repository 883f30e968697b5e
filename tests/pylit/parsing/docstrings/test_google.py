"""Docstrings as Google writes them: each part has its name, each parameter its type, default and text."""

from __future__ import annotations

import pytest
from outlines import docstring

SIGNATURE = "def f(x=3, y: int = 4, *args, **kwargs):"


def test_a_docstring_with_everything() -> None:
    found = docstring(
        """Do it.

    Longer text with `code`.

    Args:
        x (int, optional): the x,
            continued.

            Another paragraph.
        y (dict[str, tuple[int, ...]]): brackets (and more): yes
        *args: others
        **kwargs (Any): more
        a, b: two
        z:
            on the next line

    Returns:
        dict: what
          is returned

    Raises:
        ValueError: if not
        a.b.OtherError: else

    Note:
        Take care.
    """,
        SIGNATURE,
    )
    assert found == [
        "p Do it.",
        "p Longer text with `code`.",
        "[parameters]",
        "dl",
        "  x : `int` = 3",
        "  dd",
        "    p the x, continued.",
        "    p Another paragraph.",
        "  y : `dict[str, tuple[int, ...]]` = 4",
        "  dd",
        "    p brackets (and more): yes",
        "  *args",
        "  dd",
        "    p others",
        "  **kwargs : `Any`",
        "  dd",
        "    p more",
        "  a, b",
        "  dd",
        "    p two",
        "  z",
        "  dd",
        "    p on the next line",
        "[returns]",
        "dl",
        "  : `dict`",
        "  dd",
        "    p what is returned",
        "[raises]",
        "dl",
        "  : `ValueError`",
        "  dd",
        "    p if not",
        "  : `a.b.OtherError`",
        "  dd",
        "    p else",
        "box note",
        "  p Take care.",
    ]


def test_types_and_defaults_come_from_the_signature_where_the_docstring_has_none() -> None:
    signature = "def f(a: int, b: str | None = None, *, c={'x': 1}, d=4):"
    found = docstring(
        "Do.\n\n    Args:\n        a: A.\n        b: B.\n        c: C.\n        d (int): D, default 4.\n    ",
        signature,
    )
    assert [line for line in found if line.startswith("  ") and line[2] != " " and line != "  dd"] == [
        "  a : `int`",
        "  b : `str | None` = None",
        "  c = {'x': 1}",
        "  d : `int` = 4",
    ]


def test_optional_stays_where_the_signature_has_no_default() -> None:
    assert "  x : `int` (optional)" in docstring("Do.\n\n    Args:\n        x (int, optional): A.\n    ")


def test_returns_without_a_type_is_text() -> None:
    found = docstring("Do.\n\n    Returns:\n        The value: it is new.\n\n        And old.\n    ")
    assert found == ["p Do.", "[returns]", "p The value: it is new.", "p And old."]


def test_indentation_by_tabs() -> None:
    assert docstring("Do.\n\n    Args:\n    \tx: tab\n    \t\tmore\n    \ty: b\n    ") == [
        "p Do.",
        "[parameters]",
        "dl",
        "  x",
        "  dd",
        "    p tab more",
        "  y",
        "  dd",
        "    p b",
    ]


def test_lines_that_are_indented_too_little_belong_to_the_parameter_above() -> None:
    found = docstring("Do.\n\n    Args:\n        x: a text that\n        goes on\n        y: b\n    ")
    assert found[2:] == ["dl", "  x", "  dd", "    p a text that goes on", "  y", "  dd", "    p b"]


def test_examples_are_examples() -> None:
    found = docstring(
        "Do.\n\n    Args:\n        x: a\n\n    Examples:\n        Words.\n\n        >>> f()\n        1\n    "
    )
    assert found[-3:] == ["[examples]", "p Words.", "doctest '>>> f()\\n1'"]


def test_example_with_two_colons_is_a_listing() -> None:
    found = docstring("Do.\n\n    Args:\n        x: a\n\n    Example::\n\n        f(\n            1)\n    ")
    assert found[-2:] == ["[examples]", "fence python 'f(\\n    1)\\n'"]


def test_lists_in_the_text_of_a_parameter() -> None:
    found = docstring(
        "Do.\n\n    Args:\n        x: one of\n\n            * a\n            * b\n        y: c\n    "
    )
    assert found[3:9] == ["  x", "  dd", "    p one of", "    ul", "      li", "        p a"]


def test_text_is_restructured_where_its_docstring_is() -> None:
    found = docstring(
        "Do.\n\n    Args:\n      x (:class:`Foo`): the :math:`x`\n      y (`int`): b\n"
        "    Returns:\n      :class:`Foo`: yes\n    "
    )
    assert found == [
        "p Do.",
        "[parameters]",
        "dl",
        "  x : `Foo`",
        "  dd",
        "    p the $x$",
        "  y : `int`",
        "  dd",
        "    p b",
        "[returns]",
        "dl",
        "  : `Foo`",
        "  dd",
        "    p yes",
    ]


def test_markdown_in_a_docstring_of_google() -> None:
    found = docstring("Do.\n\n    Args:\n        x: the $x^2$ of [it](b.md)\n    ")
    assert found[-1] == "    p the $x^2$ of [it](b.md)"


def test_what_is_said_on_the_line_of_a_head_is_prose() -> None:
    assert docstring("Do.\n\n    Returns: something\n    ") == ["p Do.", "p Returns: something"]


def test_an_empty_section_is_prose() -> None:
    assert docstring("Do.\n\n    Args:\n\n    Text.\n    ", docstrings="google") == [
        "p Do.",
        "p Args:",
        "p Text.",
    ]


def test_a_listing_below_the_first_line_of_an_entry_is_whole() -> None:
    found = docstring(
        """Do it.

    Args:
        a: keys::

            {
                'b': 1
            }

    Returns:
        dict: keys::

            b
              c
    """,
        "def f(a):",
    )
    assert [line.strip() for line in found if "fence" in line] == [
        """fence python "{\\n    'b': 1\\n}\\n\"""",
        "fence 'b\\n  c\\n'",
    ]


def test_sections_of_the_authors_own_in_markdown() -> None:
    found = docstring(
        """Do [it](b.md).

    ```python
    x
    ```

    Shape:
        - Input
          of two

        - Output
    Text.

    Args:
        a: b
    """,
        "def f(a):",
    )
    assert found[:9] == [
        "p Do [it](b.md).",
        "fence python 'x\\n'",
        "p Shape",
        "ul",
        "  li",
        "    p Input of two",
        "  li",
        "    p Output",
        "p Text.",
    ]


def test_several_values_have_an_entry_each() -> None:
    found = docstring("Do.\n\n    Returns:\n        loss (Tensor): a\n          b\n        n (int): c\n    ")
    assert found[1:] == [
        "[returns]",
        "dl",
        *("  loss : `Tensor`", "  dd", "    p a b"),
        *("  n : `int`", "  dd", "    p c"),
    ]
    found = docstring("Do.\n\n    Returns:\n        loss: a\n        acc: b\n    ")
    assert [line for line in found if not line.startswith("   ")][3:] == ["  loss", "  dd", "  acc", "  dd"]
    found = docstring("Do.\n\n    Returns:\n        int: a\n        Error: b\n    ")
    assert [line for line in found if line.startswith("  :")] == ["  : `int`", "  : `Error`"]
    assert docstring("Do.\n\n    Yields:\n        x (int): a\n    ")[3:] == ["  x : `int`", "  dd", "    p a"]


def test_brackets_around_a_type() -> None:
    assert "  : `tuple`" in docstring("Do.\n\n    Returns:\n        (tuple): a\n    ")
    assert "  : `(int, str)`" in docstring("Do.\n\n    Returns:\n        (int, str): a\n    ")


def test_methods_keep_their_parameters() -> None:
    found = docstring(
        "A.\n\n    Methods:\n        call(x, mask=None): does\n        stop: ends\n    ", "class A:"
    )
    assert [line for line in found if "dd" not in line][2:] == [
        "dl",
        "  call(x, mask=None)",
        "    p does",
        "  stop",
        "    p ends",
    ]


def test_defaults_that_the_docstring_names() -> None:
    """As Hugging Face and scikit-learn write them."""
    args = """Do.

    Args:
        x (`int`, *optional*): a
        y (`tuple[int, ...]`, *optional*, defaults to `(1, 2)`): b
        z (str, default="a"): c
        w (int, optional, default as in the file): d
    """
    assert [line for line in docstring(args, "def f(w=9):") if line[:3].strip() and "dd" not in line][3:] == [
        "  x : `int` (optional)",
        "  y : `tuple[int, ...]` (optional) = (1, 2)",
        '  z : `str` = "a"',
        "  w : int, default as in the file (optional)",
    ]


def test_sections_of_the_authors_own() -> None:
    found = docstring(
        """See :func:`f`.

    Side Effects:
        Writes.

    In words:

        as before

    Outputs:
        x: a
        y: b

    Args:
        z: c
    Not a head:
        d
    """
    )
    assert found[1:-4] == [
        *("p Side Effects", "p Writes."),
        *("p In words:", "blockquote", "  p as before"),
        *("p Outputs", "dl", "  x", "  dd", "    p a", "  y", "  dd", "    p b"),
        *("[parameters]", "dl", "  z", "  dd", "    p c"),
    ]
    assert found[-4:] == ["dl", "  dt Not a head:", "  dd", "    p d"]


@pytest.mark.parametrize("words", ["Do.", "Of :func:`f`."])
def test_code_without_a_mark(words: str) -> None:
    """In an example, and as a value over several lines."""
    found = docstring(
        f"""{words}

    Returns:
        In all:

        {{'a': 1,
         'b': [2]}}

        Not f(x), and
        not this.

    Example:
        Words first.

        import a

        with a.b() as c:
            c.d()

            c.e()
        x = f(3)

        Then f(3).


    Usage:
        a.py --b
    """
    )
    listings = [line for line in found if line.startswith(("fence", "code_block"))]
    assert [line.partition("'")[2].rstrip("\"'").removesuffix("\\n") for line in listings] == [
        "a': 1,\\n 'b': [2]}",
        r"import a\n\nwith a.b() as c:\n    c.d()\n\n    c.e()\nx = f(3)",
        "a.py --b",
    ]
