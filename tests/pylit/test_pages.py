"""Whole pages, source and HTML side by side in `pages/`. `make accept` writes the HTML anew; read its diff."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from gallery import examples
from sampling import EVERYTHING

from pylit.errors import Report
from pylit.site.discovery import find_pages
from pylit.site.page import render_page
from pylit.site.site import Settings
from pylit.site.templates import document

PAGES = Path(__file__).parent / "pages"
FILES = [*sorted(PAGES.glob("*.py")), *(example.source for example in examples())]
WARNINGS = {
    "README.md": [
        "the picture `https://example.org/badge.svg` is on another server; the page has a link to it"
    ]
}


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.stem))
def test_page(path: Path) -> None:
    settings = Settings(base=path.parent, roots=((path.name, ""),), title="Test", lenient=True)
    site = find_pages(settings)
    report = Report()
    view = render_page(site, site.pages[0], "en", report)
    assert view
    assert [problem.message for problem in report.problems] == WARNINGS.get(path.name, [])
    html = document(view)
    expected = path.with_suffix(".html")
    if os.environ.get("PYLIT_ACCEPT"):
        expected.write_text(html, "utf-8")
    assert html == expected.read_text("utf-8"), "if the new page is right, run `make accept`"


@pytest.mark.slow
def test_engine_renders_itself(root: Path) -> None:
    site = find_pages(Settings(base=root, roots=(("pylit", ""),)))
    report = Report()
    for page in site.pages if EVERYTHING else site.pages[::6]:
        view = render_page(site, page, "en", report)
        assert view
        assert document(view)
    assert not report.problems
