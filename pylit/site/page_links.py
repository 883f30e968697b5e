"""Links outside of the content of a page: to its neighbours, to folders, and the tree of the whole site."""

from __future__ import annotations

from dataclasses import dataclass

from ..resolve import relative_link
from .site import Page, Site

MANY = 150
"""Maximum number of pages of a site whose pages show its tree: with more, it would outweigh what they say."""


@dataclass(frozen=True, slots=True)
class Link:
    """A link outside the content of a page."""

    title: str
    href: str
    lang: str = ""
    """The language of the target, or of the title if that is not translated."""
    is_current: bool = False


@dataclass(frozen=True, slots=True)
class Branch:
    """A folder at the root of the site, or the pages at the root itself."""

    head: Link | None
    """Its index page."""
    pages: tuple[Link, ...]
    """The other pages in it, and those in folders below it, in reading order."""


def page_link(site: Site, file: str, here: str, lang: str) -> Link:
    """Return a link from the address `here` to the page of a file in the same language."""
    title = site.translations.title(file, lang)
    return Link(title.text, relative_link(site.navigation.url(file, lang), here), title.lang)


def site_tree(site: Site, page: Page, lang: str) -> tuple[Branch, ...]:
    """Return the pages of a site by their folder at its root, each in reading order; nothing if there are too many."""
    files = site.navigation.files()
    if not 1 < len(files) <= MANY:
        return ()
    here = site.navigation.address(page, lang)
    heads: dict[str, Link] = {}
    found: dict[str, list[Link]] = {}
    for file in files:
        url = site.navigation.page_url(file)
        folder = url.partition("/")[0] if "/" in url else ""
        own = page_link(site, file, here, lang)
        link = Link(own.title, own.href, own.lang, file == page.file)
        pages = found.setdefault(folder, [])
        if url in ("index.html", f"{folder}/index.html"):
            heads[folder] = link
        else:
            pages.append(link)
    return tuple(Branch(heads.get(folder), tuple(pages)) for folder, pages in found.items())
