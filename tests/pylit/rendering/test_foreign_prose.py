"""Prose that was written for code hosts: HTML that holds Markdown, task lists, bare addresses, pictures."""

from __future__ import annotations

import base64
import re
from pathlib import Path

import pytest
from conftest import Write
from notebooks import text_of
from rendering import render, site

from pylit.parsing.names import HostSlugs
from pylit.rendering.foreign_svg import svg_address
from pylit.rendering.images import PictureError


def prose(base: Path, name: str) -> tuple[str, list[str]]:
    """The prose of a page as HTML, and what is wrong with it."""
    view, report = render(base, name)
    assert view
    return "".join(row.prose for row in view.body.rows), [problem.message for problem in report.problems]


def shown(write: Write, base: Path, text: str) -> tuple[str, list[str]]:
    """The prose of a guide as HTML without line breaks, and what is wrong with it."""
    write("pkg/a.md", text)
    html, problems = prose(base, "pkg/a.md")
    return re.sub(r"\s*\n\s*", "", html), problems


@pytest.mark.parametrize(
    ("text", "html"),
    [
        (
            "<details>\n<summary>More</summary>\n\nHidden **text**.\n\n</details>\n\nAfter.",
            "<details><summary>More</summary><p>Hidden <strong>text</strong>.</p></details><p>After.</p>",
        ),
        (
            "<details>\n\na\n\n<details>\n\nb\n\n</details>\n\n</details>",
            "<details><p>a</p><details><p>b</p></details></details>",
        ),
        ("<details>\n\na\n\n<p>b</p></details>c", "<details><p>a</p><p>b</p></details>c"),
        ("<details>a</details>\n\nb", "<details>a</details><p>b</p>"),
        ("<details>\n\nnever closed", "<details></details><p>never closed</p>"),
        ("</details>\n\nnever opened", "<p>never opened</p>"),
        ("* <details>\n\n</details>", "<ul><li><details></details></li></ul>"),
        ("<!-- <details> -->\n\na\n\n</details>", "<p>a</p>"),
        (
            "<div align=center>\n\n# a\n\n</div>\n\nb",
            '<div style="text-align:center"><h2 id="a">a</h2></div><p>b</p>',
        ),
        (
            "<div>\n\n<p align=right>\n\na\n\n</p></div>\n\nb",
            '<div><div style="text-align:right"><p>a</p></div></div><p>b</p>',
        ),
        (
            "<div>\n\n<table><tr><td>\n\na\n\n</td></tr></table></div>\n\nb",
            "<div><table><tbody><tr><td><p>a</p></td></tr></tbody></table></div><p>b</p>",
        ),
        ("<div>\n\na", "<div></div><p>a</p>"),
        ("<!-- toc -->\n\nText <!-- of --> it.", "<p>Text  it.</p>"),
        ("<!-- several\n\nlines -->\nb", "<p>b</p>"),
    ],
)
def test_html_that_holds_markdown(write: Write, tmp_path: Path, text: str, html: str) -> None:
    found, problems = shown(write, tmp_path, f"# T\n\n{text}\n")
    assert found.partition("</h1>")[2] == html and not problems


def test_a_heading_in_details_does_not_end_its_part(write: Write, tmp_path: Path) -> None:
    text = '"""\n# T\n\n<details>\n\n## In it\n\na\n\n</details>\n\n## After\n"""\nx = 1\n'
    write("pkg/a.py", text)
    html, _ = prose(tmp_path, "pkg/a.py")
    inside = html.partition("<details>")[2].partition("</details>")[0]
    assert "In it" in inside and "<div" not in inside


def test_details_in_a_notebook(write: Write, tmp_path: Path) -> None:
    write("pkg/a.py", '"""\n# T\n\n<details>\n\n*a*\n\n</details>\n"""\n')
    text, _ = text_of(site(tmp_path), "pkg/a.py")
    assert text.index("<details>") < text.index("*a*") < text.index("</details>")


@pytest.mark.parametrize(
    ("headings", "ids"),
    [
        (["Example", "Example", "Example"], ["example", "example-1", "example-2"]),
        (["a-1", "a", "a"], ["a-1", "a", "a-2"]),
        (["What's new?", "C++ & Rust", "  É–ü_x  "], ["whats-new", "c--rust", "éü_x"]),
        (["`code` **b**", "$x$"], ["code-b", "x"]),
        (["!", "?"], ["", "-1"]),
    ],
)
def test_ids_as_github_makes_them(headings: list[str], ids: list[str]) -> None:
    slugs = HostSlugs()
    plain = [heading.replace("`", "").replace("*", "").replace("$", "") for heading in headings]
    assert [slugs.slug(heading) for heading in plain] == ids


GITHUB = """\
# Anchors

[1](#whats-new) [2](#example-1) [3](#example-2) [4](#example) [5](#what-s-new)

## What's new
## Example
## Example
## Example
"""


def test_links_to_headings_as_on_github(write: Write, tmp_path: Path) -> None:
    html, problems = shown(write, tmp_path, GITHUB)
    assert re.findall(r'href="#([^"]*)"', html) == [
        "what-s-new",
        "example-2",
        "example-3",
        "example",
        "what-s-new",
    ]
    assert '<h2 id="what-s-new"><a id="whats-new"></a>What' in html, "addresses from elsewhere work, too"
    assert '<h2 id="example-2"><a id="example-1"></a>' in html
    ids = re.findall(r' id="([^"]*)"', html)
    assert len(set(ids)) == len(ids) and not problems


def test_names_of_a_module_come_before_those_of_github(write: Write, tmp_path: Path) -> None:
    write("pkg/a.py", '"""\n# T\n\n[a](#l1) [b](#f)\n\n## f\n\n## L1\n"""\n\n\ndef f(): ...\n')
    html, problems = prose(tmp_path, "pkg/a.py")
    assert 'href="#l1"' in html and 'href="#f"' in html and not problems
    ids = re.findall(r' id="([^"]*)"', html)
    assert len(set(ids)) == len(ids)


def test_task_lists(write: Write, tmp_path: Path) -> None:
    html, _ = shown(write, tmp_path, "# T\n\n- [ ] open\n- [x] **done**\n- [y] text\n")
    boxes = re.findall(
        r'<input class="task-list-item-checkbox" disabled="" type="checkbox"( checked="")?>', html
    )
    assert boxes == ["", ' checked=""']
    assert "<li>[y] text</li>" in html


@pytest.mark.parametrize(
    ("text", "hrefs"),
    [
        ("See https://example.org/a_b_c?x=1&y.", ["https://example.org/a_b_c?x=1&amp;y"]),
        (
            "(https://example.org/x_(y)), www.example.org!",
            ["https://example.org/x_(y)", "http://www.example.org"],
        ),
        ("`https://example.org` [https://a.org](https://b.org)", ["https://b.org"]),
        ("me@example.org", ["mailto:me@example.org"]),
        ("http and https: alone, a@b, x://y", []),
    ],
)
def test_bare_addresses(write: Write, tmp_path: Path, text: str, hrefs: list[str]) -> None:
    html, problems = shown(write, tmp_path, f"# T\n\n{text}\n")
    assert re.findall(r'href="([^"]*)"', html) == hrefs and not problems


@pytest.mark.parametrize(
    ("target", "href"),
    [
        ("b.html", "b.html"),
        ("b.html#f", "b.html#f"),
        ("sub/index.html", "sub/index.html"),
        ("sub/", "sub/index.html"),
        ("./other.html", "other.html"),
        ("nothing.html", ""),
    ],
)
def test_links_from_page_to_page(write: Write, tmp_path: Path, target: str, href: str) -> None:
    write("pkg/b.py", "def f(): ...\n")
    write("pkg/other.md", "# O\n")
    write("pkg/sub/README.md", "# S\n")
    html, problems = shown(write, tmp_path, f"# T\n\n[a]({target})\n")
    assert re.findall(r'<a href="([^"]*)"', html) == [href] * bool(href)
    assert bool(problems) == (not href)


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("![alt](https://x.org/a.png)", '<a href="https://x.org/a.png" rel="noopener">alt</a>'),
        ("![](//x.org/a.png)", '<a href="https://x.org/a.png" rel="noopener">a.png</a>'),
        ("[![CI](https://x.org/b.svg)](https://ci.org)", '<a href="https://ci.org" rel="noopener">CI</a>'),
        ("[![CI](https://x.org/b.svg)](gone.md)", "<a>CI</a>"),
        (
            '![alt](https://x.org/a.png "The caption.")',
            '<a href="https://x.org/a.png" rel="noopener">alt</a><figcaption>The caption.</figcaption>',
        ),
    ],
)
def test_pictures_on_other_servers_are_links(write: Write, tmp_path: Path, text: str, html: str) -> None:
    found, problems = shown(write, tmp_path, f"# T\n\n{text}\n")
    assert re.search(rf"<(?:p|figure [^>]*)>{re.escape(html)}</", found)
    assert any("is on another server" in message for message in problems)


def test_captions_of_missing_pictures_stay(write: Write, tmp_path: Path) -> None:
    assert "a<figcaption>b</figcaption>" in shown(write, tmp_path, '# T\n\n![a](no.png "b")\n')[0]
    assert "figcaption" not in shown(write, tmp_path, '# T\n\nword ![a](no.png "b")\n')[0]


SVG = '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><style>a {}</style><script>x()</script></svg>'


@pytest.mark.parametrize(
    "target", ["a.svg", "a.svg?raw=true", "a.svg#gh-dark-mode-only", "a.svg?x#gh-light-mode-only"]
)
def test_drawings_that_cannot_be_inlined_are_images(write: Write, tmp_path: Path, target: str) -> None:
    write("pkg/a.svg", SVG)
    html, problems = shown(write, tmp_path, f"# T\n\n![a]({target})\n")
    address = re.search(r'<img src="data:image/svg\+xml;base64,([^"]*)" alt="a"', html)
    assert address and base64.b64decode(address[1]).decode() == SVG
    assert [f"{theme}-only" in html for theme in ("dark", "light")] == ["dark" in target, "light" in target]
    (message,) = problems
    assert "does not follow the colours of the page" in message


def test_figure_for_one_theme_is_hidden_as_a_whole(write: Write, tmp_path: Path) -> None:
    write("pkg/a.svg", '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"/>')
    dark = '![a](a.svg#gh-dark-mode-only "Caption")'
    text = f"# T\n\n{dark}\n\n![a](a.svg#gh-light-mode-only)\n\n![a](a.svg)\n\nIn text: {dark}\n"
    html, problems = shown(write, tmp_path, text)
    assert not problems
    assert re.findall('<figure class="([^"]*)"', html) == [
        "picture dark-only",
        "picture light-only",
        "picture",
    ]
    assert re.findall('<span class="([^"]*)"><svg', html) == ["dark-only"], "the one in the text"
    assert html.count("<figcaption>Caption</figcaption>") == 2


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"<svg", "not valid XML"),
        (b"<svg/>", "begins with a <svg>"),
        (b'<title xmlns="http://www.w3.org/2000/svg"/>', "begins with a <title>"),
        (
            b'<html xmlns="http://www.w3.org/1999/xhtml"><svg xmlns="http://www.w3.org/2000/svg"/></html>',
            "begins with",
        ),
        (
            b'<!DOCTYPE svg [<!ENTITY a "b">]><svg xmlns="http://www.w3.org/2000/svg">&a;</svg>',
            "defines entities",
        ),
        (b'<?xml version="1.0" encoding="nope"?><svg xmlns="http://www.w3.org/2000/svg"/>', "not valid XML"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'>" + b" " * 2_000_000 + b"</svg>", "larger than 2 MB"),
    ],
)
def test_what_is_not_a_drawing(data: bytes, reason: str) -> None:
    with pytest.raises(PictureError, match=f"^the drawing (?:is )?{re.escape(reason)}"):
        svg_address(data)
