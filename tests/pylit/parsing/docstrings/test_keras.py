"""Docstrings as Keras once wrote them: sections under headings of Markdown."""

from __future__ import annotations

import pytest
from outlines import docstring


def test_a_docstring_with_everything() -> None:
    found = docstring(
        """A layer.

    It does *much*.

    # Arguments
        units: Positive integer,
            dimensionality.
        activation: A function
            (see [them](b.md)):

            - `relu`
        **kwargs: others

    # Input shape
        `(n, units)`.

    # Returns
        A tensor.

    # Raises
        ValueError: if not.

    Words between.

    # Example

    ```python
        # Arguments
        #   none
        layer = Layer(3)
    ```

    # Reference
        - [A book](https://a.b)
    """,
        "def f(units, activation='relu', **kwargs):",
    )
    assert found == [
        "p A layer.",
        "p It does *much*.",
        "[parameters]",
        "dl",
        "  units",
        "  dd",
        "    p Positive integer, dimensionality.",
        "  activation = 'relu'",
        "  dd",
        "    p A function (see [them](b.md)):",
        "    ul",
        "      li",
        "        p `relu`",
        "  **kwargs",
        "  dd",
        "    p others",
        "p Input shape",
        "p `(n, units)`.",
        "[returns]",
        "p A tensor.",
        "[raises]",
        "dl",
        "  : `ValueError`",
        "  dd",
        "    p if not.",
        "p Words between.",
        "[examples]",
        "fence python '# Arguments\\n#   none\\nlayer = Layer(3)\\n'",
        "p Reference",
        "ul",
        "  li",
        "    p [A book](https://a.b)",
    ]


def test_a_link_with_its_address_on_the_next_line() -> None:
    found = docstring(
        "A.\n\n    # References\n        - [A book]\n          (http://a.b)\n    # Returns\n        b"
    )
    assert "    p [A book](http://a.b)" in found


@pytest.mark.parametrize("code", ["```\n    x\n    ```", "\n    >>> x", "    x = 1"])
def test_an_example_alone(code: str) -> None:
    assert docstring(f"A.\n\n    # Example\n    {code}\n    ")[:2] == ["p A.", "[examples]"]


def test_a_section_of_the_authors_own_with_entries() -> None:
    found = docstring(
        "A.\n\n    # Properties\n        name: a\n        spec: b\n    # Methods\n        f(x): c"
    )
    assert [line for line in found if "dd" not in line] == [
        *("p A.", "p Properties", "dl", "  name", "    p a", "  spec", "    p b"),
        *("[methods]", "dl", "  f(x)", "    p c"),
    ]


@pytest.mark.parametrize(
    "text",
    [
        "# Returns\n\n        x = 1\n    ",
        "# Arguments\n    Are exchanged.\n    ",
        "# Our title\n      code\n    ",
        "# Example\n\n    ```\n    x\n    ```\n    ",
        "A.\n\n    # Example\n\n    Words.\n    ",
        "A.\n\n    ```python\n    # Returns\n        x\n    ```\n    ",
        "A.\n\n    ## Arguments\n        x: y\n    ",
    ],
)
def test_headings_are_headings(text: str) -> None:
    assert not any(line.startswith("[") for line in docstring(text))
