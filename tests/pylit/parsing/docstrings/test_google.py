"""Docstrings as Google writes them: each part has its name, each parameter its type, default and text."""

from __future__ import annotations

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
        "p Shape:",
        "ul",
        "  li",
        "    p Input of two",
        "  li",
        "    p Output",
        "p Text.",
    ]
