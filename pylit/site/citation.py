"""Makes entries for BibTeX, by which others cite a page."""

from __future__ import annotations

import re

from .site import Page, Site

_SPECIAL = re.compile(r"([\\&%$#_{}~^])")
_ESCAPED = {"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}"}


def citation(site: Site, page: Page, lang: str, title: str) -> str:
    """Return a page as an entry for BibTeX; empty if its address on the web is not known.

    The year is left out: the same sources make the same site in any year.
    """
    url = site.navigation.absolute(site.navigation.address(page, lang))
    if not url:
        return ""
    name = re.sub(
        r"[^a-z0-9]+", "-", f"{site.settings.title} {page.url.removesuffix('.html')}".lower()
    ).strip("-")
    fields = {
        "title": f"{{{latex(title)}}}",
        "author": f"{{{latex(site.translations.site_title(lang))}}}",
        "howpublished": rf"\url{{{url}}}",
    }
    lines = "".join(f"  {key} = {{{value}}},\n" for key, value in fields.items() if value.strip("{}"))
    return f"@misc{{{name},\n{lines}}}"


def latex(text: str) -> str:
    r"""Return a text as LaTeX: `a_b` is `a\_b`."""
    return _SPECIAL.sub(lambda match: _ESCAPED.get(match[1], f"\\{match[1]}"), text)
