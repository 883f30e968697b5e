"""Lists and usages in the prose of modules that Markdown would take for something else."""

from __future__ import annotations

import pytest
from outlines import docstring, module, outline

from pylit.parsing.source import parse_source

LIST = ["p Of:", "ul", "  li", "    p a b", "  li", "    p c"]


@pytest.mark.parametrize("gap", ["", "\n"])
def test_lists_below_a_colon(gap: str) -> None:
    text = f"Of:\n{gap}        - a\n          b\n        - c\n"
    assert docstring(text.replace("\n", "\n    ") + "And.") == [*LIST, "p And."]
    comment = "".join(f"# {line}".rstrip() + "\n" for line in text.rstrip().split("\n"))
    assert module(f"{comment}x = 1\n") == LIST
    assert outline(parse_source(text.encode(), "a.md").prose[0].tokens) != LIST  # as on GitHub


def test_lists_in_the_text_of_parameters() -> None:
    found = docstring("Do.\n\n    Args:\n        x: Of:\n\n                - a\n    ", "def f(x):")
    assert found[3:] == ["  x", "  dd", "    p Of:", "    ul", "      li", "        p a"]


def test_the_usage_of_a_program() -> None:
    found = module(
        """'''Do.

Usage:
    a.py [--b]
    a.py -h

Options:
  -h     Help.
  --b=N  Of:
           - c
And.
'''"""
    )
    assert found == [
        *("p Do.", "p Usage:", "code_block 'a.py [--b]\\na.py -h\\n'", "p Options:"),
        "code_block '-h     Help.\\n--b=N  Of:\\n         - c\\n'",
        "p And.",
    ]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Of:\n\n    a = 1\n", ["p Of:", "code_block 'a = 1\\n'"]),
        ("Of:\n    words\n", ["p Of: words"]),
        ("Options:\n    all of them\n", ["p Options: all of them"]),
        ("Of\n\n    - a\n", ["p Of", "code_block '- a\\n'"]),
        ("```\nOf:\n    - a\n```\n", ["fence 'Of:\\n    - a\\n'"]),
        ("- Of:\n    - a\n", ["ul", "  li", "    p Of:", "    ul", "      li", "        p a"]),
    ],
)
def test_all_else_is_as_it_was(text: str, found: list[str]) -> None:
    assert module(f"'''{text}\nEnd.'''") == [*found, "p End."]


def test_dashes_below_several_lines_are_a_rule() -> None:
    """In modules; in guides they make a title of all lines, as on GitHub."""
    text = "One\n---\nA table:\na b\n-----\n1 2\n3 4\n-----\n\n```\nx\ny\n---\n```\n"
    rules = ["h2 One", "p A table: a b", "hr ''", "p 1 2 3 4", "hr ''", "fence 'x\\ny\\n---\\n'"]
    assert module(f"'''\n{text}'''") == rules
    assert outline(parse_source(text.encode(), "a.md").prose[0].tokens)[1] == "h2 A table: a b"
