"""Every line of every listing is shown, whatever Pygments thinks of it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from markupsafe import Markup
from pygments.lexers import get_all_lexers, get_lexer_by_name
from sampling import thinned

from pylit.errors import Report
from pylit.i18n.catalog import Catalog
from pylit.parsing.markdown import parse_text
from pylit.parsing.source import parse_markdown
from pylit.rendering import code_html as module
from pylit.rendering.code_html import highlight
from pylit.rendering.context import Context
from pylit.rendering.prose_html import ProseRenderer
from pylit.site.site import Settings, Site

LEXERS = sorted({aliases[0] for _, aliases, _, _ in get_all_lexers(plugins=False) if aliases})
TEXTS = [
    "$ pip install x",
    "x",
    "a = 1\nb = 2",
    "\n\na\n\n\n",
    "a\r\nb\r\n",
    "\ta\n  \tb  \n",
    "\ufeffa",
    "<b> & 'c' \"d\"\n# e\n",
    "",
    "\n",
    "\N{GRINNING FACE} 残差",
]


def text_of(html: str) -> str:
    return unescape(re.sub(r"<[^>]*>", "", html))


@pytest.mark.parametrize("language", thinned(["", "nonsense", *LEXERS], 4, 8))
def test_a_listing_has_the_text_that_was_written(language: str) -> None:
    assert [text_of(highlight(text, language)) for text in TEXTS] == TEXTS


def test_there_are_as_many_lexers_as_pygments_has() -> None:
    assert len(LEXERS) > 500


@pytest.mark.slow
def test_most_lexers_colour_text_that_they_give_back() -> None:
    plain = [name for name in LEXERS if module._coloured("a = 1\nb", get_lexer_by_name(name)) is None]
    assert plain == []


class Odd:
    """A lexer that does what no lexer should."""

    def __init__(self, *values: str) -> None:
        self.values = values

    def get_tokens(self, code: str) -> Iterator[tuple[Any, str]]:
        for value in self.values:
            yield None, value
        if not self.values:
            raise IndexError(code)


@pytest.mark.parametrize("values", [("other",), ("a\n\n",), ("",), ("a", "b"), ()])
def test_a_lexer_is_not_trusted(values: tuple[str, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_lexer", lambda language: Odd(*values))
    assert module._highlight.__wrapped__("a <b", "python") == "a &lt;b"


def listing(markdown: str) -> list[str]:
    """The texts of the listings of a guide, as its page shows them."""
    links = Site(Settings(Path(), ())).links("a.md", "en")
    context = Context("a.md", "a.html", "en", "en", Catalog("en"), links, str, str, Report())
    html = ProseRenderer(context).prose(parse_text(parse_markdown(markdown, "a.md").sections[0].text))
    assert isinstance(html, Markup) and not context.report.problems
    return [text_of(found) for found in re.findall(r"<pre[^>]*><code>(.*?)</code></pre>", html, re.DOTALL)]


@pytest.mark.parametrize("language", ["console", "bash", "sh", "pycon", "text", "diff", "json", "python", ""])
@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("one", "one"),
        ("$ pip install x\n$ python -m x", "$ pip install x\n$ python -m x"),
        (">>> a\n1", ">>> a\n1"),
        ("\n\na\n\n", "\n\na\n\n"),
        ("", ""),
    ],
)
def test_every_line_of_a_fence_is_on_the_page(language: str, written: str, shown: str) -> None:
    lines = f"{written}\n" if written else ""
    assert listing(f"# T\n\n```{language}\n{lines}```\n") == [shown]
    assert listing(f"# T\n\n* item\n\n  ~~~~ {language}\n{indented(lines)}  ~~~~\n") == [shown]
    if not written.endswith("\n"):
        assert listing(f"# T\n\n```{language}\n{written}") == [shown]  # to the end of the file


def indented(lines: str) -> str:
    return "".join(f"  {line}" if line.strip() else line for line in lines.splitlines(True))


@pytest.mark.parametrize(
    ("language", "code", "is_session"),
    [
        ("python", ">>> a", True),
        ("py", "\n>>> a", True),
        ("bash", "$ ls", True),
        ("sh", "$ ls\na", True),
        ("console", "$ ls", True),
        ("pycon", ">>> a", True),
        ("python", "a >> b", False),
        ("bash", "ls $a", False),
        ("bash", "$(ls)", False),
        ("text", "$ ls", False),
    ],
)
def test_prompts_are_known(language: str, code: str, is_session: bool) -> None:
    """By them, the button that copies leaves prompts and output out."""
    assert ('class="gp"' in highlight(code, language)) == is_session
