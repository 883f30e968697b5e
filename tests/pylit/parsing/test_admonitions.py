"""Boxes in Markdown: alerts, lines of colons and fences. What only looks like one stays as it is."""

from __future__ import annotations

import pytest
from outlines import outline

from pylit.parsing.markdown import parse_text
from pylit.parsing.model import ProseLine


def blocks(text: str) -> list[str]:
    return outline(parse_text([ProseLine(number, line) for number, line in enumerate(text.split("\n"), 1)]))


NOTE = ["box note", "  p a *b*"]


@pytest.mark.parametrize(
    "text",
    [
        "> [!NOTE]\n> a *b*",
        "> [!note]  \n> a\n> *b*",
        ":::note\na *b*\n:::",
        "::::{note}\na *b*\n::::",
        ":::info\na *b*\n:::",
        ":::{note}\n:class: x\n:name: y\na *b*\n:::",
        "```{note}\na *b*\n```",
        "~~~{note}\na *b*\n~~~",
    ],
)
def test_boxes(text: str) -> None:
    assert blocks(text) == NOTE
    assert blocks(f"{text}\n\nc") == [*NOTE, "p c"]


def test_a_box_without_an_end_goes_on_to_the_end() -> None:
    assert blocks("::: note\na *b*\n\nc") == [*NOTE, "  p c"]


@pytest.mark.parametrize("name", ["tip", "important", "warning", "caution"])
def test_alerts(name: str) -> None:
    assert blocks(f"> [!{name.upper()}]\n> a\n>\n> b") == [f"box {name}", "  p a", "  p b"]


def test_titles() -> None:
    assert blocks(":::warning Take *care*\na\n:::") == ["box warning", "  p Take *care*", "  p a"]
    assert blocks('```{admonition} "T"\na\n```') == ["box admonition", "  p T", "  p a"]


def test_boxes_in_boxes_and_lists() -> None:
    assert blocks("::::note\n:::tip\na\n:::\nb\n::::\nc") == [
        "box note",
        "  box tip",
        "    p a",
        "  p b",
        "p c",
    ]
    assert blocks(":::note\n:::tip\na\n:::\nb\n:::\nc") == [
        "box note",
        "  box tip",
        "    p a",
        "  p b",
        "p c",
    ]
    assert blocks("* a\n  :::note\n  b\n  :::\n* c") == [
        "ul",
        "  li",
        "    p a",
        "    box note",
        "      p b",
        "  li",
        "    p c",
    ]
    assert blocks(":::note\n* a\n\n  ```\n  :::\n  ```\n:::")[0] == "box note"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("> [!OTHER]\n> a", ["blockquote", "  p [!OTHER] a"]),
        ("> [!NOTE] a", ["blockquote", "  p [!NOTE] a"]),
        ("> a\n> [!NOTE]", ["blockquote", "  p a [!NOTE]"]),
        (":::other\na\n:::", ["p :::other a :::"]),
        ("::note", ["p ::note"]),
        ("```note\na\n```", ["fence note 'a\\n'"]),
        ("```{python}\na\n```", ["fence {python} 'a\\n'"]),
        ("    :::note", ["code_block ':::note\\n'"]),
        ("`:::note`", ["p `:::note`"]),
        (":::", ["p :::"]),
    ],
)
def test_what_is_none(text: str, found: list[str]) -> None:
    assert blocks(text) == found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("!!! note\n    a\n\n    * b\nc", ["box note", "  p a", "  ul", "    li", "      p b", "p c"]),
        ('??? warning "A *title*"\n    a', ["box warning", "  p A *title*", "  p a"]),
        ('???+ other inline end "A"\n    a', ["box admonition", "  p A", "  p a"]),
        ("!!! note\n        a", ["box note", "  code_block 'a\\n'"]),
        (
            "* a\n\n  !!! tip\n      b\n\n  c",
            ["ul", "  li", "    p a", "    box tip", "      p b", "    p c"],
        ),
        ("!!! note\n    !!! tip\n        a", ["box note", "  box tip", "    p a"]),
        ("!!! note", ["p !!! note"]),
        ("!!! wow\n    a", ["box admonition", "  p Wow", "  p a"]),
        ("!!! note\na", ["p !!! note a"]),
        ("::: {.callout-tip}\na\n:::", ["box tip", "  p a"]),
        ("::: {.callout-note collapse=true title='A *b*'}\na\n:::", ["box note", "  p A *b*", "  p a"]),
        ("::: {.other}\na\n:::", ["p ::: {.other} a :::"]),
    ],
)
def test_boxes_of_mkdocs_and_quarto(text: str, found: list[str]) -> None:
    assert blocks(text) == found


def test_lines() -> None:
    tokens = parse_text(
        [
            ProseLine(number, line)
            for number, line in enumerate("> [!NOTE]\n> a\n\n:::tip\nb\n:::".split("\n"), 7)
        ]
    )
    assert [token.meta["line"] for token in tokens if token.type == "inline"] == [8, 11]


def test_alerts_with_titles_and_tabs() -> None:
    """As Obsidian and MkDocs have them."""
    assert blocks("> [!tip]- Why?\n> *a*\n>\n> b") == ["box tip", "  p Why?", "  p *a*", "  p b"]
    assert blocks("> [!info] Why?\n>\n> b") == ["box note", "  p Why?", "  p ", "  p b"]
    assert blocks('=== "One"\n\n    - a\n\n=== "Two"\n    b') == [
        *("box admonition", "  p One", "  ul", "    li", "      p a"),
        *("box admonition", "  p Two", "  p b"),
    ]
    assert blocks('!!! custom-type "Hey"\n    a') == ["box admonition", "  p Hey", "  p a"]
    assert blocks('=== "One"\nb') == ['p === "One" b']
