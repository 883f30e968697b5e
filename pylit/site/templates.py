"""Renders pages with the theme's templates. Autoescape is on; only output of the room `rendering` is trusted as HTML.

A page consists of its rows and the frame around them, which changes less often and is cached.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote, urlsplit

from markupsafe import Markup

from ..cache import THEME, canonical, digest
from ..errors import Problem, PylitError
from ..i18n import Gettext, interface, marked, turned
from ..rendering import ORIGINAL, Fragments, render_rows
from .katex_fonts import faces
from .page_links import Link
from .settings import Page
from .site import Site
from .theme_folder import script_tags, style_addresses
from .view import View

ROWS = Markup("<!--rows-->")
"""Placeholder for the rows in a frame; no author's text can look like it."""
SLOTS = {name: Markup(f"<!--{name}-->") for name in ("blocks", "translated", "stale", "fonts", "originals")}
"""Placeholders in a frame for values that change with the rows: numbers of passages, fonts of formulas, and the address
of the originals."""
STRIP = Markup("<!--strip-->"), Markup("<!--/strip-->")
"""Around what is said of a page below its title, which may be among the rows."""


def _render(theme: Path | None, name: str, context: Mapping[str, Any]) -> str:
    """Render a template with `context`.

    Raises:
        PylitError: with the line, if the template is not valid.
    """
    from .environment import templates  # imports Jinja, which a build without changes does not need

    return templates(theme).fill(name, context)


def documents(
    view: View, gettext: Gettext | None = None, fragments: Fragments | None = None
) -> dict[str, str]:
    """Render a page as a complete HTML document, and the originals of its translated passages as a script beside it.

    A page loads these when a reader asks for them. They are a script because a page on a disk can load nothing else.

    Returns:
        Address -> content of each file.
    """
    html = _page(view, gettext or interface(view.lang), fragments or Fragments())
    originals: list[str] = []

    def take(match: re.Match[str]) -> str:
        originals.append(match[1])
        return ""

    html = ORIGINAL.sub(take, html)
    if not originals:
        return {view.url: html.replace(SLOTS["originals"], "")}
    script = f"pylitOriginals = {canonical(originals)};\ndispatchEvent(new Event('originals'));\n"
    url = originals_url(view.url)
    # A page and a script of different builds would not fit.
    address = f"{quote(posixpath.basename(url))}?{digest(script)[:8]}"
    return {view.url: html.replace(SLOTS["originals"], address), url: script}


def originals_url(url: str) -> str:
    """Return the address of the originals of the translated passages of a page."""
    return url.removesuffix(".html") + ".originals.js"


def document(view: View, gettext: Gettext | None = None, fragments: Fragments | None = None) -> str:
    """Render a page as a complete HTML document, without the file beside it."""
    return documents(view, gettext, fragments)[view.url]


def _page(view: View, gettext: Gettext, fragments: Fragments) -> str:
    body = view.body
    found = render_rows(body.rows, is_module=view.is_module, heading=body.heading, gettext=gettext)
    state = {"is_done": body.translated == body.blocks, "has_words": bool(body.translated or body.stale)}
    rest = replace(view, body=replace(body, rows=(), links=frozenset(), blocks=0, translated=0, stale=0))

    def frame() -> str:
        return _frame(rest, _context(rest, gettext) | state)

    before, _, after = fragments.frame(f"{state} {rest!r}", frame).partition(ROWS)
    values = {name: str(getattr(body, name)) for name in ("blocks", "translated", "stale")}
    for name, value in (values | {"fonts": " ".join(faces(found))}).items():
        before, after = before.replace(SLOTS[name], value), after.replace(SLOTS[name], value)
    head, _, tail = before.partition(STRIP[0])
    strip, _, tail = tail.partition(STRIP[1])
    title, end, others = found.partition(Markup("</h1>\n"))
    if end and "</h1>" not in before:
        return f"{head}{tail}{title}{end}{strip}{others}{after}"
    return f"{head}{strip}{tail}{found}{after}"


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
        "strip": STRIP,
        "lang": view.lang,
        "direction": view.direction,
        "root": view.root,
        "_": gettext,
        "marked": lambda lang: marked(lang, view.lang),
        **_sources(view.katex_css),
        "can_search": view.can_search,
        "has_charts": view.body.has_charts,
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
        "has_charts": False,
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
