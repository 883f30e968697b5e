"""Renders pages with the theme's templates. Autoescape is on; only output of the room `rendering` is trusted as HTML.

A page consists of its rows and the frame around them, which changes less often and is cached.
"""

from __future__ import annotations

import posixpath
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote, urlsplit

from markupsafe import Markup

from ..cache import THEME
from ..errors import Problem, PylitError
from ..i18n import Gettext, interface, marked, turned
from ..rendering import Fragments, render_rows
from .katex_fonts import faces
from .settings import Page
from .site import Site
from .theme_folder import script_tags, style_addresses
from .view import Link, View

ROWS = Markup("<!--rows-->")
"""Placeholder for the rows in a frame; no author's text can look like it."""
SLOTS = {name: Markup(f"<!--{name}-->") for name in ("blocks", "translated", "stale", "fonts")}
"""Placeholders in a frame for values that change with the rows: numbers of passages, and fonts of formulas."""


def _render(theme: Path | None, name: str, context: Mapping[str, Any]) -> str:
    """Render a template with `context`.

    Raises:
        PylitError: with the line, if the template is not valid.
    """
    from .environment import templates  # imports Jinja, which a build without changes does not need

    return templates(theme).fill(name, context)


def document(view: View, gettext: Gettext | None = None, fragments: Fragments | None = None) -> str:
    """Render a page as a complete HTML document."""
    gettext = gettext or interface(view.lang)
    body = view.body
    found = render_rows(body.rows, is_module=view.is_module, heading=body.heading, gettext=gettext)
    state = {"is_done": body.translated == body.blocks, "has_words": bool(body.translated or body.stale)}
    rest = replace(view, body=replace(body, rows=(), links=frozenset(), blocks=0, translated=0, stale=0))

    def frame() -> str:
        return _frame(rest, _context(rest, gettext) | state)

    before, _, after = (fragments or Fragments()).frame(f"{state} {rest!r}", frame).partition(ROWS)
    values = {name: str(getattr(body, name)) for name in ("blocks", "translated", "stale")}
    for name, value in (values | {"fonts": " ".join(faces(found))}).items():
        before, after = before.replace(SLOTS[name], value), after.replace(SLOTS[name], value)
    return f"{before}{found}{after}"


def _frame(view: View, context: Mapping[str, Any]) -> str:
    """Render the frame around the rows of a page.

    Raises:
        PylitError: if the user's templates are not valid, or do not show the rows exactly once.
    """
    frame = _render(view.theme, "main.html", context)
    if (times := frame.count(ROWS)) != 1:
        file = str((view.theme or THEME) / "main.html")
        reason = f"the templates show the content of the page {times} times, expected once"
        hint = "Put {{ super() }} into the block `content`, or {{ rows }} into `partials/content.html`."
        raise PylitError(Problem(file, 0, reason, hint))
    return frame


def _context(view: View, gettext: Gettext) -> dict[str, Any]:
    """Return the variables of the page's template."""
    title, site_title = view.body.title, view.site_title
    return {
        "view": view,
        "body": view.body,
        "page_title": title if title == site_title or not site_title else f"{title} · {site_title}",
        "rows": ROWS,
        "slots": SLOTS,
        "lang": view.lang,
        "direction": view.direction,
        "root": view.root,
        "_": gettext,
        "marked": lambda lang: marked(lang, view.lang),
        **_sources(view.katex_css),
        "can_search": view.can_search,
        "styles": view.styles,
        "scripts": view.scripts,
    }


def extra_file(site: Site, name: str) -> str:
    """Render a file that a site has in addition to its pages: `404.html` or `sitemap.xml`."""
    context = _lost(site) if name == "404.html" else _sitemap(site)
    return _render(site.settings.theme, name, context)


def _lost(site: Site) -> dict[str, Any]:
    settings = site.settings
    first = settings.languages[0]
    base = urlsplit(settings.site_url).path.rstrip("/") + "/"
    home = Page("", "index.html") if site.navigation.has_home() else None
    return {
        "lang": first,
        "direction": site.translations.locale(first).direction,
        "turned": lambda lang: turned(lang, first),
        "root": base,  # the page may be shown at any address
        **_sources(""),
        "can_search": False,
        "styles": style_addresses(site.settings),
        "scripts": script_tags(site.settings),
        "site_title": settings.title,
        "languages": [
            (
                lang,
                site.translations.gettext(lang),
                base + (site.navigation.address(home, lang) if home else ""),
            )
            for lang in settings.languages
        ],
    }


def _sitemap(site: Site) -> dict[str, Any]:
    return {
        "sitemap": [
            [
                Link("", site.navigation.absolute(site.navigation.url(file, lang)), lang)
                for lang in site.settings.languages
            ]
            for file in site.navigation.files()
        ]
    }


def _sources(css: str) -> dict[str, str]:
    """Return the sources that the security policy allows for KaTeX: its stylesheet and its fonts."""
    parts = urlsplit(css)
    if not parts.netloc:
        return {"katex_style": "", "katex_fonts": ""}
    # A policy ignores the query of an address; and `;` and `,` would end it.
    netloc = quote(parts.netloc, safe=":@[]")
    host = f"{parts.scheme}://{netloc}" if parts.scheme else netloc
    path = quote(unquote(parts.path), safe="/@:+~=!$&*()")
    return {
        "katex_style": f" {host}{path}",
        "katex_fonts": f" {host}{posixpath.dirname(path).rstrip('/')}/fonts/",
    }
