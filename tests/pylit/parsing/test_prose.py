"""Pages have titles, and headings get anchors."""

from __future__ import annotations

import pytest
from prose_page import PAGE

from pylit.parsing.source import parse_markdown, parse_python, parse_source


def test_headings_have_anchors() -> None:
    pieces = parse_python(PAGE, "x.py").prose
    found = [(heading.level, heading.anchor) for prose in pieces for heading in prose.headings]
    assert found == [(1, "heading-with-code"), (2, "A"), (3, "detail")]


def test_equal_headings_have_different_anchors() -> None:
    pieces = parse_python('"""\n# A\n## B\n## B\n"""\n', "x.py").prose
    assert [heading.anchor for heading in pieces[0].headings] == ["a", "b", "b-2"]


def test_headings_do_not_take_the_anchors_of_lines() -> None:
    """`#L3` leads to line 3, whatever a heading is called: anchors of headings have no capitals."""
    pieces = parse_python('"""\n# L3\n## L99\n"""\n', "x.py").prose
    assert [heading.anchor for heading in pieces[0].headings] == ["l3", "l99"]


def test_anchors_are_names_and_headings() -> None:
    assert parse_python(PAGE, "x.py").anchors >= {"A", "heading-with-code", "detail"}


@pytest.mark.parametrize(
    ("file", "text", "title"),
    [
        ("a/b.py", '"""\n---\ntitle: Given\n---\n# Heading\n"""\n', "Given"),
        ("a/b.py", '"""\n# Heading *here*\n"""\n', "Heading *here*"),
        ("a/b.py", "x = 1\n# # Later\ny = 2\n", "Later"),
        ("a/b.py", '"""\n## Not a title\n"""\n', "b"),
        ("a/b.py", '"""\ntext\n\n# Too late\n"""\n', "b"),
        ("a/b.py", "x = 1\n", "b"),
        ("a/__init__.py", "x = 1\n", "a"),
        ("a/index.md", "text\n", "a"),
        ("__init__.py", "x = 1\n", "__init__"),
        ("index.md", "text\n", "index"),
        ("a/guide.md", "text\n", "guide"),
    ],
)
def test_titles(file: str, text: str, title: str) -> None:
    source = parse_source(text.encode(), file)
    assert source.title == title


@pytest.mark.parametrize(
    ("file", "title"),
    [
        ("pkg/README.md", "pkg"),
        ("pkg/readme.md", "pkg"),
        ("README.md", "README"),
        ("pkg/index.md", "pkg"),
        ("a/b.md", "b"),
    ],
)
def test_the_title_of_a_guide_without_one(file: str, title: str) -> None:
    assert parse_markdown("Words.\n", file).title == title
