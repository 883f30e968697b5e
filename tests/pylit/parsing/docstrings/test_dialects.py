"""The dialect of a docstring is recognized, or set, and Markdown stays as it is."""

from __future__ import annotations

import pytest
from outlines import docstring, module

from pylit.defaults import Conventions
from pylit.parsing.model import Dialect
from pylit.parsing.source import parse_python


@pytest.mark.parametrize(
    "text",
    [
        "Words.",
        "Words with `code`, *emphasis*, $x^2$ and ``two backticks``.",
        "Do.\n\n    * `x` is the x.\n    * `y` is the y.",
        "Do.\n\n    Example:\n\n        >>> f()\n        1",
        "Do.\n\n    Note: this is text.",
        "# Title\n\n    Text.",
        "See [it](b.md#f) and <https://a.b/c_d_>.",
        "```\n:param x: in a listing\n```",
        "a `x`_ would be a link in another dialect, as `[b](c)` [is](d) here",
        "A table:\n\n    | a | b |\n    |---|---|\n    | c | d |",
        "Time is 10:30: and so on::",
        "",
    ],
)
def test_markdown(text: str) -> None:
    source = parse_python(f'def f():\n    r"""{text}"""\n    pass\n', "a.py")
    plain = parse_python(
        f'def f():\n    r"""{text}"""\n    pass\n', "a.py", Conventions(docstrings="markdown")
    )
    assert source.sections == plain.sections
    assert not any(section.docstring or section.is_rst for section in source.sections)


@pytest.mark.parametrize(
    ("text", "dialect"),
    [
        ("Do.\n\n    Args:\n        x: a", Dialect.GOOGLE),
        ("Do.\n\n    Returns:\n        a", Dialect.GOOGLE),
        ("Do.\n\n    Parameters\n    ----------\n    x : int", Dialect.NUMPY),
        ("Do.\n\n    Notes\n    -----\n    a", Dialect.NUMPY),
        ("Do.\n\n    :param x: a", Dialect.SPHINX),
        (":returns: a", Dialect.SPHINX),
        (":type: `int`", Dialect.SPHINX),
        ("See :class:`A`.", Dialect.SPHINX),
        (".. note:: a", Dialect.SPHINX),
        ("Do.\n\n    As in::\n\n        f(x)", Dialect.SPHINX),
        ("See `a <https://b.c>`_.", Dialect.SPHINX),
        ("See [1]_.\n\n    .. [1] a", Dialect.SPHINX),
        ("=== ===\n    a   b\n    === ===", Dialect.SPHINX),
        (".. |a| replace:: b", Dialect.SPHINX),
        ("Costs $5$.\n\n    .. note:: a", Dialect.SPHINX),
        ("Do.\n\n    # Arguments\n        x: a", Dialect.KERAS),
        ("Do.\n\n    @param x: a", Dialect.EPYTEXT),
        ("See L{a.b} and C{c()}.", Dialect.EPYTEXT),
    ],
)
def test_dialects(text: str, dialect: Dialect) -> None:
    source = parse_python(f'def f():\n    r"""{text}\n    """\n    pass\n', "a.py")
    form = source.sections[0].docstring
    assert form and form.dialect is dialect


@pytest.mark.parametrize(
    ("docstrings", "found"),
    [
        ("auto", ["p Do.", "[parameters]", "dl", "  x", "  dd", "    p an :a: b"]),
        ("google", ["p Do.", "[parameters]", "dl", "  x", "  dd", "    p an :a: b"]),
        ("numpy", ["p Do.", "dl", "  dt Args:", "  dd", "    p x: an :a: b"]),
        ("restructuredtext", ["p Do.", "dl", "  dt Args:", "  dd", "    p x: an :a: b"]),
        ("markdown", ["p Do.", "p Args: x: an :a: b"]),
    ],
)
def test_setting(docstrings: str, found: list[str]) -> None:
    assert docstring("Do.\n\n    Args:\n        x: an :a: b\n    ", docstrings=docstrings) == found


def test_comments_follow_the_docstring_of_their_module() -> None:
    assert module(
        '"""\n=====\nTitle\n=====\n\nText.\n"""\n\n# A comment with *words* and a|b|.\nx = 1\n'
    ) == [
        "h1 Title",
        "p Text.",
        "p A comment with *words* and a|b|.",
    ]
    assert module("# See :func:`~a.f`::\n#\n#     f(x)\nx = 1\n") == [
        "p See `f()`:",
        "fence python 'f(x)\\n'",
    ]


def test_comments_in_markdown_stay_markdown() -> None:
    found = module('""":mod:`a`"""\n\n# A [link](b.md) and $x$.\nx = 1\n')
    assert found == ["p `a`", "p A [link](b.md) and $x$."]


def test_blocks_of_a_gallery() -> None:
    text = (
        '"""\nTitle\n=====\n\nText :mod:`os`.\n"""\n\n##############################\n# Part\n'
        "# ----\n# With ``code``.\n\nx = 1\n"
        "\n# %%\n# Deeper\n# ~~~~~~\n# .. note:: This.\n\ny = 2\n"
    )
    assert module(text) == [
        "h1 Title",
        "p Text `os`.",
        "h2 Part",
        "p With `code`.",
        "h3 Deeper",
        "box note",
        "  p This.",
    ]


def test_the_title_of_a_cell_is_no_restructured_text() -> None:
    assert module('"""\nTitle\n=====\n:mod:`a`\n"""\n# %% Part\n# Text.\nx = 1\n')[-2:] == [
        "h2 Part",
        "p Text.",
    ]


def test_markdown_of_notebooks_is_not_restructured() -> None:
    text = '"""\nTitle\n=====\n:mod:`a`\n"""\n# %% [markdown]\n# ## Part\n# A [link](b.md).\n\n# %%\nx = 1\n'
    assert module(text)[-2:] == ["h2 Part", "p A [link](b.md)."]


def test_every_line_has_its_number() -> None:
    text = 'def f(x):\n    """Do.\n\n    Args:\n        x: a\n\n            b\n\n    Returns:\n        c\n    """\n'
    tokens = parse_python(text, "a.py").prose[0].tokens
    lines = {token.content: token.meta["line"] for token in tokens if token.type == "inline"}
    assert lines == {"Do.": 2, "a": 5, "b": 7, "c": 10}
    assert [token.meta["line"] for token in tokens if token.type == "field"] == [5]


def test_front_matter_stays_out_of_the_docstring() -> None:
    source = parse_python('"""\n---\ntitle: T\n---\n\nSee :mod:`a`.\n"""\n', "a.py")
    assert source.meta.title == "T"
    assert [token.content for token in source.prose[0].tokens if token.type == "inline"] == ["See `a`."]
