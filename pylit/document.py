"""Puts pages into the theme's templates. Autoescape is on; only what `render` made is trusted as HTML.

A page is its rows, and a frame around them that changes less often.
"""

from __future__ import annotations

import base64
import hashlib
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from markupsafe import Markup

from .engine import PACKAGE, THEME
from .fragments import Fragments
from .interface import Gettext, interface
from .markup import marked
from .rows import rows
from .settings import Page
from .site import Site
from .view import Link, View

if TYPE_CHECKING:
    from jinja2 import Environment

ROWS = Markup("<!--rows-->")
"""Stands for the rows in a frame, where nothing that an author wrote can look like it."""
COUNTS = {name: Markup(f"<!--{name}-->") for name in ("blocks", "translated", "stale")}
"""Stand for numbers that change whenever a passage does."""


@lru_cache(maxsize=4)
def _environment(templates: Path | None) -> Environment:
    """The templates of the theme; those of the same names in the folder `templates` take precedence.

    The script that runs before the first paint stands in the page, known to the security policy by its hash.
    """
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    loader = FileSystemLoader([templates, THEME] if templates else THEME)
    environment = Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    script = (PACKAGE / "first.js").read_text("utf-8").strip()
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    environment.globals.update(first_script=Markup(script), first_hash=f"sha256-{digest}")
    return environment


def document(view: View, gettext: Gettext | None = None, fragments: Fragments | None = None) -> str:
    """A page as a whole HTML document."""
    gettext = gettext or interface(view.lang)
    body = view.body
    found = rows(body.rows, is_module=view.is_module, heading=body.heading, gettext=gettext)
    state = {"is_done": body.translated == body.blocks, "has_words": bool(body.translated or body.stale)}
    rest = replace(view, body=replace(body, rows=(), links=frozenset(), blocks=0, translated=0, stale=0))

    def frame() -> str:
        return _environment(view.templates).get_template("main.html").render(_context(rest, gettext) | state)

    before, _, after = (fragments or Fragments()).frame(f"{state} {rest!r}", frame).partition(ROWS)
    for name, slot in COUNTS.items():
        number = str(getattr(body, name))
        before, after = before.replace(slot, number), after.replace(slot, number)
    return f"{before}{found}{after}"


def _context(view: View, gettext: Gettext) -> dict[str, Any]:
    """What the page's template shows."""
    return {
        "view": view,
        "rows": ROWS,
        "counts": COUNTS,
        "lang": view.lang,
        "direction": view.direction,
        "root": view.root,
        "is_preview": view.is_preview,
        "gettext": gettext,
        "marked": lambda lang: marked(lang, view.lang),
        "katex_source": _source(view.katex_css),
        "can_search": view.can_search,
    }


def extra_file(site: Site, name: str) -> str:
    """What a site has beside its pages: `404.html` or `sitemap.xml`."""
    context = _lost(site) if name == "404.html" else _sitemap(site)
    return _environment(site.settings.templates).get_template(name).render(context)


def _lost(site: Site) -> dict[str, Any]:
    settings = site.settings
    first = settings.languages[0]
    base = urlsplit(settings.site_url).path.rstrip("/") + "/"
    home = Page("", "index.html") if site.has_home() else None
    return {
        "lang": first,
        "direction": site.locale(first)[1],
        "root": base,  # the page may be shown at any address
        "is_preview": settings.preview,
        "katex_source": "",
        "can_search": False,
        "site_title": settings.title,
        "languages": [
            (lang, site.gettext(lang), base + (site.address(home, lang) if home else ""))
            for lang in settings.languages
        ],
    }


def _sitemap(site: Site) -> dict[str, Any]:
    return {
        "sitemap": [
            [Link("", site.absolute(site.url(file, lang)), lang) for lang in site.settings.languages]
            for file in site.everything()
        ]
    }


def _source(css: str) -> str:
    """A stylesheet's host, for the page's security policy; nothing when it is the site's own."""
    parts = urlsplit(css)
    return f" {parts.scheme}://{parts.netloc}" if parts.netloc else ""
