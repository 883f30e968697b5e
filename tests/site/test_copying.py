"""Listings in a real browser: what the button copies."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from conftest import Write
from playwright.sync_api import Browser, Page
from servers import serving
from site_fixtures import QuietHandler

from pylit.builder.builder import build
from pylit.site.discovery import find_pages
from pylit.site.site import Settings

SESSIONS = {
    "console\n$ pip install x\n$ python -m x \\\n  --y\nout\n\nmore\n(venv) $ ls": (
        "pip install x\npython -m x \\\n  --y\nls\n"
    ),
    "bash\n$ pip install x": "pip install x\n",
    "bash\nls $a\n\nls": "ls $a\n\nls\n",
    "python\n>>> def f():\n...     g()\n>>> f()\nTraceback (most recent call last):\n  File\nError: x\n\n>>> 1\n1": (
        "def f():\n    g()\nf()\n1\n"
    ),
    "pycon\n>>> a\n\n1": "a\n",
    "text\n$ ls": "$ ls\n",
    "doscon\nC:\\> dir\nout": "dir\n",
    "\n\na\n": "\na\n",
}

TROJAN = 'if access != "user\u202e \u2066# Check if admin\u2069 \u2066":\n    pass'


@pytest.fixture
def page(write: Write, tmp_path: Path, browser: Browser) -> Iterator[Page]:
    write("pkg/a.py", f"{TROJAN}\n")
    write("pkg/index.md", "# T\n\n" + "".join(f"```{listing}\n```\n\n" for listing in SESSIONS))
    assert not build(find_pages(Settings(tmp_path, (("pkg", ""),))), tmp_path / "out", jobs=1).errors
    with serving(partial(QuietHandler, directory=str(tmp_path / "out"))) as address:
        context = browser.new_context(permissions=["clipboard-read", "clipboard-write"])
        page = context.new_page()
        page.goto(address)
        yield page
        context.close()


def test_what_is_copied_of_a_session_is_what_was_typed(page: Page) -> None:
    boxes = page.locator(".listing-box").all()
    copied = []
    for box in boxes:
        box.scroll_into_view_if_needed()
        box.hover()
        box.get_by_role("button", name="Copy").click()
        copied.append(page.evaluate("navigator.clipboard.readText()"))
    assert copied == list(SESSIONS.values())


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_hidden_characters_are_seen_and_copied_as_they_are(page: Page, theme: str) -> None:
    page.goto(page.url + "a.html")
    page.evaluate("theme => document.documentElement.dataset.theme = theme", theme)
    page.locator(".code-box").hover()
    page.get_by_role("button", name="Copy").click()
    assert page.evaluate("navigator.clipboard.readText()") == f"{TROJAN}\n"
    selected = page.evaluate(
        "() => { getSelection().selectAllChildren(document.querySelector('pre code'));"
        " return getSelection().toString(); }"
    )
    assert selected.rstrip("\n") == TROJAN
    places = (
        page.locator(".code .l")
        .first.locator("a, span")
        .evaluate_all("all => all.map(e => e.getBoundingClientRect()).map(box => [box.left, box.width])")
    )
    lefts = [left for left, _ in places]
    assert lefts == sorted(lefts)  # everything stands in the order in which it is written
    assert page.locator(".cp").first.evaluate("e => getComputedStyle(e, '::before').content") == '"U+202E"'
    assert all(box["width"] > 20 for mark in page.locator(".cp").all() if (box := mark.bounding_box()))
