"""Roles of Sphinx and MyST in Markdown become code that knows what it stands for."""

from __future__ import annotations

import pytest

from pylit.parsing.markdown import parse_inline


@pytest.mark.parametrize(
    ("text", "shown", "target"),
    [
        ("a :class:`~b.c.D` e", "D", "b.c.D"),
        (":py:func:`b.f`", "b.f()", "b.f()"),
        (":meth:`!f()`", "f()", "f()"),
        ("{func}`~b.f`", "f()", "b.f()"),
        ("{py:class}`the title <b.C>`", "the title", "b.C"),
        (":mod:`os`", "os", "os"),
        (":attr:`.x`", "x", "x"),
    ],
)
def test_roles(text: str, shown: str, target: str) -> None:
    (token,) = (token for token in parse_inline(text) if token.type == "code_inline")
    assert (token.content, token.meta["target"], token.markup) == (shown, target, "`")


@pytest.mark.parametrize("text", ["a:class:`b`", ":other:`b`", ":class: `b`", "{func} `b`", "`:class:` `b`"])
def test_what_is_none(text: str) -> None:
    assert not any("target" in token.meta for token in parse_inline(text))


@pytest.mark.parametrize(("text", "tex"), [(":math:`x_1*`", "x_1*"), (":eq:`a`", "\\eqref{a}")])
def test_formulas(text: str, tex: str) -> None:
    assert [token.content for token in parse_inline(text) if token.type == "math_inline"] == [tex]
