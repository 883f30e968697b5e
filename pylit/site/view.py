"""The data for the templates of a page: its body, neighbours, other languages, and breadcrumbs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from markupsafe import Markup

from ..errors import Problem
from ..i18n import marked
from ..parsing import FileKind, file_kind
from ..rendering import Body, Row
from ..resolve import relative_link
from .citation import citation
from .page_links import Branch, Link, page_link, site_tree
from .run_links import run_links
from .site import Page, Site
from .theme_folder import ScriptTag, script_tags, style_addresses
from .translations import Title


@dataclass(frozen=True)
class View:
    """A page in one language: all the data that the template shows."""

    lang: str
    direction: str
    url: str
    root: str
    """Relative address of the root of the site, ending in a slash or empty."""
    is_module: bool
    body: Body
    site_title: str
    home: str
    is_home: bool
    canonical: str
    alternates: tuple[Link, ...]
    """The page in every language, with absolute addresses; empty if the URL of the site is not known."""
    languages: tuple[Link, ...]
    breadcrumbs: tuple[Link, ...]
    below: tuple[Link, ...]
    """For the page of a folder, the pages in it."""
    tree: tuple[Branch, ...]
    """All pages of the site in reading order; empty if there are too many."""
    previous: Link | None
    next: Link | None
    next_hook: Title | None
    """One line about the next page."""
    source_href: str
    pictures: tuple[str, ...]
    """Image files that the page shows."""
    katex_css: str
    katex_integrity: str
    source_lang: str
    help_href: str = ""
    """Address of the page that explains how to translate; empty in the language of the sources."""
    can_search: bool = False
    can_edit: bool = False
    """Whether passages have edit links."""
    notebook: str = ""
    """Address of the page as a notebook; empty if there is none."""
    notebook_name: str = ""
    """File name for the downloaded notebook."""
    run: tuple[Link, ...] = ()
    """Services that run the notebook."""
    citation: str = ""
    """The page as an entry for BibTeX; empty if the URL of the site is not known."""
    archive: str = ""
    """Address of the archive of the whole site, which does not contain itself."""
    theme: Path | None = None
    """Folder of templates that override the theme's."""
    styles: tuple[str, ...] = ()
    """Addresses of the user's style sheets, relative to the root of the site."""
    scripts: tuple[ScriptTag, ...] = ()
    problems: tuple[str, ...] = ()
    """Problems of the page, shown in a preview."""
    reason: Problem | None = None
    """Why it shows only a listing of its file."""


def make_view(site: Site, page: Page, lang: str, body: Body, pictures: tuple[str, ...]) -> View:
    """Return the data of a page for the templates, given its body."""
    url, settings = site.navigation.address(page, lang), site.settings
    before, after = site.navigation.neighbours(page.file)
    given = site.translations.given_title(page.file, lang)
    if given and page.url != "index.html":  # where the navigation has "Home"
        body = replace(body, title=given.text, title_lang=given.lang)
    root = "../" * url.count("/")
    notebook = site.navigation.notebook(page, lang)
    return View(
        lang=lang,
        direction=site.translations.locale(lang).direction,
        url=url,
        root=root,
        is_module=bool(page.file) and file_kind(page.file) is FileKind.MODULE,
        body=body,
        site_title=site.translations.site_title(lang),
        home=_home(site, url, lang),
        is_home=page.url == "index.html",
        canonical=site.navigation.absolute(url),
        alternates=tuple(
            Link(
                site.translations.locale(other).name,
                site.navigation.absolute(site.navigation.address(page, other)),
                other,
            )
            for other in settings.languages
            if settings.site_url
        ),
        languages=tuple(
            Link(
                site.translations.locale(other).name,
                relative_link(site.navigation.address(page, other), url),
                other,
                other == lang,
            )
            for other in settings.languages
        ),
        breadcrumbs=tuple(_breadcrumbs(site, page, lang)),
        below=tuple(_below(site, page, lang, body.links)) if page.file else (),
        tree=site_tree(site, page, lang),
        previous=page_link(site, before, url, lang) if before else None,
        next=page_link(site, after, url, lang) if after else None,
        next_hook=site.translations.hook(after, lang) if after else None,
        source_href=site.code_links.url(page.file) if page.file else "",
        pictures=pictures,
        katex_css=settings.katex_css if _is_absolute(settings.katex_css) else root + settings.katex_css,
        katex_integrity=settings.katex_integrity,
        source_lang=settings.languages[0],
        help_href=_help(site, url, lang),
        can_search=settings.search,
        can_edit=site.code_links.can_edit,
        notebook=relative_link(notebook, url) if notebook else "",
        notebook_name=_notebook_name(site, page, lang),
        run=run_links(site, notebook) if notebook else (),
        citation=citation(site, page, lang, body.title),
        archive=site.navigation.absolute(settings.archive) if settings.archive else "",
        theme=settings.theme,
        styles=style_addresses(settings),
        scripts=script_tags(settings),
    )


def contents_page(site: Site, lang: str) -> View:
    """Make a page that lists all others, for a site without an index page."""
    page = Page("", "index.html")
    items = [
        Markup('<li><a href="{}"{}>{}</a></li>').format(link.href, marked(link.lang, lang), link.title)
        for link in (
            page_link(site, file, site.navigation.address(page, lang), lang)
            for file in site.navigation.files()
        )
    ]
    title = site.translations.site_title(lang) or site.translations.gettext(lang)("Contents")
    row = Row("page", Markup("<ul>{}</ul>").format(Markup().join(items)), ())
    return make_view(site, page, lang, Body(title, lang, Markup.escape(title), "", (row,), (), 0, 0, 0), ())


def _notebook_name(site: Site, page: Page, lang: str) -> str:
    """Return the file name of a notebook, such as `labml_nn.resnet.zh.ipynb`: many files are called `index`."""
    language = "" if lang == site.settings.languages[0] else f".{lang}"
    return f"{site.sources.module_name(page.file).module}{language}.ipynb"


def _home(site: Site, url: str, lang: str) -> str:
    return relative_link(
        site.navigation.address(Page("", "index.html"), lang) if site.navigation.has_home() else "index.html",
        url,
    )


def _help(site: Site, here: str, lang: str) -> str:
    if not site.settings.translating or lang == site.settings.languages[0]:
        return ""
    address = site.navigation.url(site.settings.translating, lang)
    return relative_link(address, here) if address else ""


def _below(site: Site, page: Page, lang: str, linked: frozenset[str]) -> Iterator[Link]:
    """Yield links to the pages in the folder of an index page and to the indexes of its subfolders, unless it has
    them.
    """
    for file in site.navigation.children(page.url):
        link = page_link(site, file, site.navigation.address(page, lang), lang)
        if link.href not in linked:
            yield link


def _breadcrumbs(site: Site, page: Page, lang: str) -> Iterator[Link]:
    for folder, index in site.navigation.parents(page.url):
        yield page_link(site, index, site.navigation.address(page, lang), lang) if index else Link(folder, "")


def _is_absolute(address: str) -> bool:
    return address.startswith("/") or "://" in address
