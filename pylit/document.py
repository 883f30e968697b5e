"""Puts pages into the theme's templates. Autoescape is on; only what `render` made is trusted as HTML.

MkDocs brings a template environment of its own, which `prepare` makes the same.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from .interface import direction, interface
from .markup import marked
from .rows import rows
from .site import Site
from .view import Link, View

THEME = Path(__file__).parent / "theme"


def prepare(environment: Environment) -> Environment:
    """Set a template environment up for the theme.

    The script that runs before the first paint stands in the page, known to the security policy by its hash.
    """
    environment.autoescape = True
    environment.undefined = StrictUndefined
    environment.trim_blocks = True
    script = (Path(__file__).parent / "first.js").read_text("utf-8").strip()
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    environment.globals.update(first_script=Markup(script), first_hash=f"sha256-{digest}")
    return environment


@lru_cache(maxsize=1)
def _environment() -> Environment:
    return prepare(Environment(loader=FileSystemLoader(THEME), autoescape=True))


def document(view: View) -> str:
    """A page as a whole HTML document."""
    return _environment().get_template("main.html").render(page_context(view))


def page_context(view: View, *, serving: bool = False) -> dict[str, Any]:
    """What the page's template shows. `serving` leaves room for the script that reloads the page."""
    return {
        "view": view,
        "rows": rows(
            view.body.rows,
            is_module=view.is_module,
            heading=view.body.heading,
            gettext=interface(view.lang),
        ),
        "lang": view.lang,
        "direction": view.direction,
        "root": view.root,
        "serving": serving,
        "gettext": interface(view.lang),
        "marked": lambda lang: marked(lang, view.lang),
        "katex_source": _source(view.katex_css),
        "can_search": view.can_search,
    }


def extra_files(site: Site) -> Iterator[tuple[str, str]]:
    """Yield the address and text of what a site has beside its pages: 404 page and sitemap."""
    for name, context in extra_contexts(site).items():
        yield name, _environment().get_template(name).render(context)


def extra_contexts(site: Site, *, serving: bool = False) -> Mapping[str, dict[str, Any]]:
    """The templates beside those of pages, and what they show."""
    settings = site.settings
    first = settings.languages[0]
    base = urlsplit(settings.site_url).path.rstrip("/") + "/"
    home = site.by_url.get("index.html")
    contexts: dict[str, dict[str, Any]] = {
        "404.html": {
            "lang": first,
            "direction": direction(first),
            "root": base,  # the page may be shown at any address
            "serving": serving,
            "katex_source": "",
            "can_search": False,
            "site_title": settings.title,
            "languages": [
                (lang, interface(lang), base + (site.address(home, lang) if home else ""))
                for lang in settings.languages
            ],
        }
    }
    if settings.site_url:
        contexts["sitemap.xml"] = {
            "sitemap": [
                [Link("", site.absolute(site.address(page, lang)), lang) for lang in settings.languages]
                for page in site.pages
            ]
        }
    return contexts


def _source(css: str) -> str:
    """A stylesheet's host, for the page's security policy; nothing when it is the site's own."""
    parts = urlsplit(css)
    return f" {parts.scheme}://{parts.netloc}" if parts.netloc else ""
