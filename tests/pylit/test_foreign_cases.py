"""Small trees as others write them, rendered with the command: what once went wrong, beside its right value."""

from __future__ import annotations

import posixpath
import re
from html import unescape
from pathlib import Path
from urllib.parse import unquote

import pytest
from click.testing import CliRunner
from conftest import Write

from pylit.cli.main import main


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def render(*options: str) -> tuple[dict[str, str], str]:
    """Render the folder `tree`: the pages by address, and what is told."""
    command = ["render", "tree", "--out", "out", "--no-cache", "--no-search", "--verbose", *options]
    result = CliRunner().invoke(main, command)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    assert result.exit_code == ("--strict" in options), result.stderr
    out = Path("out")
    pages = {path.relative_to(out).as_posix(): path.read_text("utf-8") for path in out.rglob("*.html")}
    pages.pop("404.html")  # its links are those of a server
    return pages, result.stderr


def links_lead_somewhere(pages: dict[str, str]) -> bool:
    """Whether every link of `pages` leads to a page or file, and every anchor to an element."""
    for page, html in pages.items():
        for href in re.findall(r'<a [^>]*?href="([^":]*)"', html):
            path, _, anchor = unescape(href).partition("#")
            target = (
                posixpath.normpath(posixpath.join(posixpath.dirname(page), unquote(path))) if path else page
            )
            if target not in pages:
                assert Path("out", target).exists(), (page, href)
            elif anchor:
                assert f'id="{unquote(anchor)}"' in pages[target], (page, href)
    return True


def prose(html: str) -> str:
    """The text of the prose of a page."""
    rows = re.findall(r'<div class="prose">(.*?)</div>\n', html, re.DOTALL)
    return unescape(re.sub(r"<[^>]*>", "", " ".join(rows)))


@pytest.mark.process
@pytest.mark.parametrize("options", [(), ("--strict", "--keep-going")])
def test_no_page_links_to_one_that_is_missing(write: Write, options: tuple[str, ...]) -> None:
    write("tree/first.py", '"""On to [second](second.py), [third](third.py) and [fourth](fourth.py)."""\n')
    write("tree/second.py", '"""Leads [nowhere](nowhere.py)."""\n')
    write("tree/third.py", "x = = 3\n")
    write("tree/fourth.py", '"""Back to [first](first.py#top)."""\n')
    pages, told = render(*options)
    assert {"first.html", "second.html", "third.html", "fourth.html"} <= pages.keys()
    assert links_lead_somewhere(pages)
    assert "second.py:1" in told and "third.py:1" in told and "fourth.py:1" in told


@pytest.mark.process
def test_names_of_python_in_docstrings_are_as_typed(write: Write) -> None:
    text = "First __enter__, then __exit__; __version__ is set. Takes *values and **options, returns a*b*c."
    write("tree/a.py", f'"""{text}"""\n\n\ndef f():\n    # Not {text}\n    return 1\n')
    pages, told = render()
    assert prose(pages["a.html"]).count(text) == 2 and "warning" not in told


@pytest.mark.process
def test_a_readme(write: Write) -> None:
    write("tree/logo.svg", '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"><path d="M0 0"/></svg>')
    write(
        "tree/README.md",
        '<div align="center">\n  <a name="top"></a>\n  <img src="logo.svg" width="90" alt="Logo">\n'
        "  <h1>Little model</h1>\n\n[![build](https://ci.example.org/b.svg)](https://ci.example.org)\n\n</div>\n\n"
        "Press <kbd>Ctrl</kbd>, see <a href='model.py#Model'>it</a>.\n\n<details>\n<summary>More</summary>\n\n"
        "$$y = Wx \\tag{1} \\label{eq:y}$$\n\nBy \\eqref{eq:y}, H<sub>2</sub>O costs $5 or $6.\n\n</details>\n\n"
        "[up](#top)\n",
    )
    write("tree/model.py", "class Model:\n    pass\n")
    pages, told = render()
    html = pages["index.html"]
    assert "<title>Little model" in html and html.count("<h1") == 1
    assert 'style="--w:90"' in html and '<kbd>Ctrl</kbd>, see <a href="model.html#Model">it</a>' in html
    assert '<a href="#eq-y">(1)</a>,' in html and "H<sub>2</sub>O costs $5 or $6." in html
    assert links_lead_somewhere(pages)
    assert told.count(": warning:") == 1 and "is on another server" in told


@pytest.mark.process
def test_a_module_as_labml_writes_them(write: Write) -> None:
    write(
        "tree/attention/__init__.py",
        '"""\n---\ntitle: Attention\nsummary: >\n  A summary\n  of it.\n---\n\n# Attention\n\nSee '
        "[the training](experiment.html), [heads](#heads), [all](../index.html).\n\n"
        '[![Open In Colab](https://colab.example.org/badge.svg)](https://colab.example.org/a.ipynb)\n"""\n\n\n'
        "class Heads:\n"
        '    """\n    <a id="heads"></a>\n\n    ## Heads\n\n    $$\n    \\\\begin{align}\n'
        "    y &= \\\\mathop{softmax}(\\\\color{lightgreen}{x} \\\\cdot **w**) \\\\\\\\\n"
        '    z &= y\n    \\\\end{align}\n    $$\n\n    If gated, $f(x) \\\\otimes b $.\n    """\n'.replace(
            "\\\\", "\\"
        ),
    )
    write("tree/attention/experiment.py", '"""\n# Training\n\nOf [heads](index.html#heads).\n"""\n')
    write("tree/__init__.py", '"""\n# All\n"""\n')
    pages, told = render()
    html = pages["attention/index.html"]
    assert links_lead_somewhere(pages)
    assert "<title>Attention" in html and '<code class="wrong">' not in html
    assert not re.search(r"\\begin|\$|\\otimes", prose(re.sub(r"(?s)<annotation.*?</annotation>", "", html)))
    assert told.count(": warning:") == 1  # the badge
