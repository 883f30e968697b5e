"""Small sites and their pages, for the tests."""

from __future__ import annotations

from pathlib import Path

from pylit.errors import Report
from pylit.site.discovery import find_pages
from pylit.site.page import render_page
from pylit.site.site import Settings, Site
from pylit.site.view import View
from pylit.site.workbench import Workbench

WORKBENCH = Workbench()
"""For all tests, so that KaTeX is started once."""


def site(base: Path, *roots: str, **options: object) -> Site:
    pairs = tuple((root, "") for root in roots or ("pkg",))
    return find_pages(Settings(base=base, roots=pairs, **options), workbench=WORKBENCH)  # type: ignore[arg-type]


def render(
    base: Path, file: str = "pkg/a.py", lang: str = "en", **options: object
) -> tuple[View | None, Report]:
    found = site(base, **options)
    report = Report()
    return render_page(found, found.pages[found.navigation.by_file[file]], lang, report), report
