"""The front page and the map: cards, specimens, the tree of all pages, and what stands below a title."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from conftest import Write
from documents import Document
from markupsafe import Markup
from rendering import render, site

from pylit.errors import PylitError, Severity
from pylit.site.page_links import MANY, site_tree
from pylit.site.templates import document

HOME = '''"""
---
title: Home
---

# Home

```pages
pages: [sub/*.py, z.py]
```

```pages
style: rows
pages: "?.py"
```
"""
'''
MODULE = '''"""
---
title: The block
hook: "*Short* and `sweet`."
pictogram: p.svg
---

# The block
"""


class Block:
    """It adds."""

    def forward(self, x):
        """
        Prose.
        """
        y = self.conv(x) + x

        # A comment.
        return y
'''
DRAWING = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"><path d="M0 0H9"/></svg>'


@pytest.fixture
def base(write: Write, tmp_path: Path) -> Path:
    write("pkg/__init__.py", HOME)
    write("pkg/sub/__init__.py", MODULE)
    write("pkg/sub/p.svg", DRAWING)
    write("pkg/sub/b.py", '"""\n---\nsummary: Its summary.\n---\n\n# Another\n"""\n')
    write("pkg/z.py", '"""\n# Last\n"""\n')
    return tmp_path


def page(base: Path, file: str, **options: Any) -> str:
    view, report = render(base, f"pkg/{file}", "en", **options)
    assert view and not report.problems, report.problems
    return document(view)


def shown(html: str, css: str) -> list[str]:
    """The texts of the links in a list."""
    part = html.split(f'<ul class="{css}">')[1].split("</ul>")[0]
    return [str(Markup(item.replace("</b>", " ")).striptags()) for item in part.split("</li>")[:-1]]


def test_cards_and_rows_show_pages_in_reading_order(base: Path) -> None:
    html = page(base, "__init__.py", order=("pkg/__init__.py", "pkg/z.py", "pkg/sub/__init__.py"))
    assert shown(html, "cards") == ["Last", "The block Short and sweet.", "Another Its summary."]
    cards = html.split('<ul class="cards">')[1].split("</ul>")[0]
    assert cards.count("<svg ") == 1 and 'href="sub/index.html"' in cards and 'aria-hidden="true"' in cards
    assert shown(html, "rows") == ["Last"]
    assert '<nav class="below"' not in html  # all of them are on the page


def test_a_pattern_that_matches_nothing_is_an_error_with_its_line(base: Path, write: Write) -> None:
    write("pkg/__init__.py", '"""\n# T\n\n```pages\npages: [z.py, sab/*.py]\n```\n"""\n')
    _, report = render(base, "pkg/__init__.py")
    (problem,) = report.problems
    assert (problem.line, problem.message) == (5, "no pages match `sab/*.py`")


SPECIMEN = '''"""
# T

```specimen
formula: {formula}
code: {code}
symbols: {symbols}
caption: Look.
```
"""
'''


def test_a_specimen_shows_code_as_it_stands_and_ties_it_to_its_formula(base: Path, write: Write) -> None:
    text = SPECIMEN.format(
        formula="y = f(x) + x", code="sub/__init__.py#Block.forward", symbols="{f: conv, y: y}"
    )
    write("pkg/__init__.py", text)
    view, report = render(base, "pkg/__init__.py")
    assert view and not report.problems
    html = document(view)
    code = html.split('<pre class="listing"')[1].split("</pre>")[0]
    lines = re.sub("<[^>]*>", "", code).split("\n")
    assert lines[1:] == ["y = self.conv(x) + x", "return y"]
    assert "Prose" not in code and "comment" not in code
    number = view.body.symbols["f"]
    assert f'<span data-n="{number}">conv</span>' in code
    assert code.count(f'<span data-n="{view.body.symbols["y"]}">y</span>') == 2
    assert 'href="sub/index.html#Block.forward"' in code and "<figcaption>Look.</figcaption>" in html


@pytest.mark.parametrize(
    ("formula", "code", "symbols", "line", "message"),
    [
        ("\\frac{", "sub/__init__.py#Block.forward", "{}", 5, "the formula is not valid"),
        (
            "y",
            "sub/__init__.py#Block.backward",
            "{}",
            6,
            "`pkg/sub/__init__.py` has no function `Block.backward`",
        ),
        ("y", "sub/__init__.py#Block", "{}", 6, "`pkg/sub/__init__.py` has no function `Block`"),
        ("y", "sub/__init__.py", "{}", 6, "`sub/__init__.py` does not name a function of a page"),
        ("y", "none.py#f", "{}", 6, "`none.py#f` does not name a function of a page"),
        (
            "y",
            "sub/__init__.py#Block.forward",
            "{q: y}",
            7,
            "the symbol `q` is not in the formula of the specimen",
        ),
        ("y", "sub/__init__.py#Block.forward", "{y: q}", 7, "`q` is not in the code of the specimen"),
    ],
)
def test_specimens_that_are_wrong(
    base: Path, write: Write, formula: str, code: str, symbols: str, line: int, message: str
) -> None:
    write("pkg/__init__.py", SPECIMEN.format(formula=formula, code=code, symbols=symbols))
    _, report = render(base, "pkg/__init__.py")
    (problem,) = report.problems
    assert problem.line == line and problem.message.startswith(message)


def test_every_page_has_the_tree_of_all_pages(base: Path) -> None:
    html = page(base, "sub/b.py", order=("pkg/__init__.py", "pkg/z.py"))
    tree = html.split('<details class="tree">')[1].split("</details>")[0]
    assert Document(tree).links == ["../index.html", "../z.html", "index.html", "b.html"]
    assert '<a href="b.html" aria-current="page">Another</a>' in tree
    assert tree.count("<p><a ") == 2  # the index pages, which head what follows


def test_a_large_site_has_no_tree(base: Path, write: Write) -> None:
    for number in range(MANY):
        write(f"pkg/many/m{number}.py", '"""\n# M\n"""\n')
    found = site(base)
    assert site_tree(found, found.pages[0], "en") == ()


STRIP = """---
title: T
papers:
  - {title: On <blocks>, authors: [A. One, B. Two], year: 2015, arxiv: 1512.03385}
before: "[The block](sub/__init__.py)."
next: "[Another](sub/b.py), because *it* follows."
---

# T

{words}
"""


def test_a_page_tells_what_stands_behind_it(base: Path, write: Write) -> None:
    write("pkg/guide.md", STRIP.replace("{words}", "word " * 450))
    html = page(base, "guide.md", title="My site", site_url="https://example.org/")
    strip = html.split('<div class="strip">')[1].split("</ul>")[0]
    assert html.index("</h1>") < html.index('<div class="strip">')
    text = str(Markup(strip).striptags())
    assert text.startswith(
        "Paper On <blocks>, A. One, B. Two, 2015 · arXiv:1512.03385 Before The block. 3 min Cite"
    )
    assert Document(strip).links == ["https://arxiv.org/abs/1512.03385", "sub/index.html"]
    assert "@misc{my-site-guide," in strip and r"\\url{https://example.org/guide.html}" in strip.replace(
        "\\", "\\\\"
    )
    assert '<a href="sub/b.html">Another</a>, because <em>it</em> follows.' in html.split('class="after"')[1]


def test_the_next_page_is_named_with_its_hook(base: Path) -> None:
    html = page(base, "z.py", order=("pkg/z.py", "pkg/sub/__init__.py"))
    assert "<small>Short and sweet.</small>" in html


def test_a_pictogram_that_is_missing_is_told_on_its_own_page_alone(base: Path) -> None:
    (base / "pkg/sub/p.svg").unlink()
    _, report = render(base, "pkg/sub/__init__.py")
    (problem,) = report.problems
    assert problem.line == 5 and problem.message == "the picture `p.svg` does not exist"
    assert "The block" in page(base, "__init__.py")


def test_links_in_drawings_lead_to_pages_and_have_their_titles(base: Path, write: Write) -> None:
    link = '<a href="sub/b.py"><rect width="9" height="9"/><text class="title">b</text><text>own</text></a>'
    write("pkg/map.svg", DRAWING.replace("<path", f"{link}<path"))
    write("pkg/z.py", '"""\n# Last\n\n![A map](map.svg)\n"""\n')
    html = page(base, "z.py")
    assert '<a href="sub/b.html" aria-label="Another">' in html
    assert '<text class="title">Another</text><text>own</text></a>' in html
    assert 'role="group" aria-label="A map"' in html


@pytest.mark.parametrize("target", ["javascript:alert(1)", "none.py", ""])
def test_links_in_drawings_that_lead_nowhere_are_told(base: Path, write: Write, target: str) -> None:
    write("pkg/map.svg", DRAWING.replace("<path", f'<a href="{target}"><text>b</text></a><path'))
    write("pkg/z.py", '"""\n# Last\n\n![A map](map.svg)\n"""\n')
    view, report = render(base, "pkg/z.py")
    assert view and any(problem.severity is Severity.ERROR for problem in report.problems)
    assert f'href="{target}"' not in document(view)


def test_services_run_notebooks(base: Path) -> None:
    run = {"Colab": "https://run.example.org/{branch}/{notebook}", "Own": "https://own.example.org/?at={url}"}
    html = page(base, "sub/b.py", run=run, notebooks=True, site_url="https://example.org/it/", branch="dev")
    links = Document(html.split('<div class="strip">')[1].split("</ul>")[0]).links
    assert "https://run.example.org/dev/sub/b.ipynb" in links
    assert "https://own.example.org/?at=https://example.org/it/sub/b.ipynb" in links


@pytest.mark.parametrize(
    ("template", "message"),
    [
        ("run/{notebook}", "is not an address on the web"),
        ("https://run.example.org/{book}/{notebook}", "has an unknown placeholder `{book}`"),
        ("https://run.example.org/", "names no notebook"),
        ("https://run.example.org/{notebook}}", "has an unmatched brace"),
        ("https://run.example.org/{url}", "needs the URL of the site"),
    ],
)
def test_services_that_cannot_run_notebooks(base: Path, template: str, message: str) -> None:
    with pytest.raises(PylitError) as caught:
        site(base, run={"Colab": template})
    assert caught.value.problem.file == "setting run `Colab`" and message in caught.value.problem.message
