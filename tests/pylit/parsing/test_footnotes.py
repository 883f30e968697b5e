"""Footnotes of Markdown become those of reStructuredText."""

from __future__ import annotations

import pytest
from outlines import outline

from pylit.parsing.markdown import parse_inline, parse_text
from pylit.parsing.model import ProseLine


def blocks(text: str) -> list[str]:
    return outline(parse_text([ProseLine(n, line) for n, line in enumerate(text.split("\n"), 1)]))


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("[^1]: A note.", ["dl", "  note 1", "  dd", "    p A note."]),
        ("[^1]: word", ["dl", "  note 1", "  dd", "    p word"]),
        (
            "a[^n]\n\n[^n]: One\n    *more*\n[^2]: two\n\nb",
            [
                "p a[^n]",
                "dl",
                "  note n",
                "  dd",
                "    p One *more*",
                "  note 2",
                "  dd",
                "    p two",
                "p b",
            ],
        ),
        (
            "[^1]: One\n\n    two\n\n    - a\n\n[^2]: b\n\nc",
            [
                *("dl", "  note 1", "  dd", "    p One", "    p two", "    ul", "      li", "        p a"),
                *("  note 2", "  dd", "    p b", "p c"),
            ],
        ),
        (
            "> [^1]: a\n>\n>     b\n\n    c",
            ["blockquote", "  dl", "    note 1", "    dd", "      p a", "      p b", "code_block 'c\\n'"],
        ),
        ("[^1]:", ["p [^1]:"]),
        ("`[^1]: a`", ["p `[^1]: a`"]),
        ("    [^1]: a", ["code_block '[^1]: a\\n'"]),
    ],
)
def test_footnotes(text: str, found: list[str]) -> None:
    assert blocks(text) == found


@pytest.mark.parametrize(("text", "shown"), [("a[^1]", "a[1]"), ("[^a-z]", "[^a-z]"), ("`[^1]`", "[^1]")])
def test_references(text: str, shown: str) -> None:
    assert "".join(token.content for token in parse_inline(text)) == shown
