"""A page in one language with everything around it: neighbours, other languages, the way back.

Makes what the templates show, and reports what is wrong with a page; writes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from markupsafe import Markup

from .context import Context
from .crossref import CrossReferences
from .errors import Problem, PylitError, Report
from .fragments import Fragments
from .highlight import highlight_lines
from .links import Links, relative
from .markup import marked
from .model import Source
from .names import source_uses
from .render import Body, Row, hidden_definitions, render_body
from .site import Page, Site


@dataclass(frozen=True, slots=True)
class Link:
    """A link of a page's frame."""

    title: str
    href: str
    lang: str = ""
    """The language of the page it leads to, or of its title if that is not translated."""
    is_current: bool = False


@dataclass(frozen=True)
class View:
    """A page in one language with everything around it: all that the template shows."""

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
    """The page in every language, with absolute addresses; empty when the site has no address."""
    languages: tuple[Link, ...]
    breadcrumbs: tuple[Link, ...]
    below: tuple[Link, ...]
    """On the page of a folder, the pages in it."""
    previous: Link | None
    next: Link | None
    source_href: str
    pictures: tuple[str, ...]
    """The picture files it needs beside it."""
    katex_css: str
    katex_integrity: str
    source_lang: str
    help_href: str = ""
    """Address of the page that tells how to translate; empty in the language of the sources."""
    can_search: bool = False
    can_edit: bool = False
    """Whether passages have links to where they can be edited."""
    notebook: str = ""
    """Address of the page as a notebook; empty when there is none."""
    notebook_name: str = ""
    """What the notebook is called once it is downloaded."""
    archive: str = ""
    """Address of the whole site in one file, which is not in that file."""
    templates: Path | None = None
    """Folder of templates that take the place of the theme's."""
    is_preview: bool = False
    """Whether a script may load it anew, which the policy of a finished page forbids."""
    problems: tuple[str, ...] = ()
    """What is wrong with it, for a preview."""


def render_page(
    site: Site, page: Page, lang: str, report: Report, fragments: Fragments | None = None
) -> View | None:
    """Make a page in a language; `None` when its file cannot be read. What is wrong goes to `report`."""
    found = _open(site, page, lang, report, fragments)
    if found is None:
        return None
    source, context, pictures = found
    if not source.is_python:
        return _view(site, page, lang, render_body(source, context), tuple(pictures))
    references = CrossReferences(site, page.file, lang)
    context.in_prose = references.in_prose
    code = highlight_lines(source, *site.module(page.file), references.refer)
    chips = site.chips(source, report)
    body = render_body(source, context, code, chips, references.users)
    return _view(site, page, lang, body, tuple(pictures))


def render_notebook(
    site: Site, page: Page, lang: str, report: Report, fragments: Fragments | None = None
) -> str:
    """Make the notebook of a module in a language; empty when its file cannot be read.

    What is wrong goes to `report`; that is what is wrong with the page.
    """
    found = _open(site, page, lang, report, fragments)
    if found is None:
        return ""
    source, context, _ = found
    from .notebook import Origin, notebook

    module, package = site.module(page.file)
    here = site.absolute(context.url) or PurePosixPath(context.url).name
    origin = Origin(module, package, here, site.repository_url(page.file), site.settings.requirement)
    return notebook(source, context, origin)


def check_page(site: Site, page: Page, report: Report) -> None:
    """Find what is wrong with a page, in all its languages, without making it whole.

    A translation has the formulas and links of its original, so these are looked at once.
    """
    languages = site.settings.languages
    if found := _open(site, page, languages[0], report):
        source, context, _ = found
        names = source_uses(source, *site.module(page.file)).numbers if source.is_python else {}
        render_body(source, context, ([""] * len(source.lines), names))
        site.chips(source, report)
    for lang in languages[1:]:
        _open(site, page, lang, report)


def _open(
    site: Site, page: Page, lang: str, report: Report, fragments: Fragments | None = None
) -> tuple[Source, Context, dict[str, None]] | None:
    """Read a page and what is around it. The pictures that it will need are collected in the last value."""
    try:
        source = site.source(page.file)
    except PylitError as error:
        report.add(error.problem)
        return None
    catalog = site.checked_catalog(page.file, lang, report)
    site.checked_catalog(site.settings.title_file or page.file, lang, report)
    for before, after in hidden_definitions(source.sections):
        report.add(
            Problem(
                page.file,
                after.line,
                f"two definitions have the anchor `{after.opens.name if after.opens else ''}`;"
                f" the other is in line {before.line}",
                "Rename or remove one: the second hides the first.",
            )
        )
    url = site.address(page, lang)
    links = Links(page.file, lang, site)
    pictures: dict[str, None] = {}

    def picture(file: str) -> str:
        pictures[file] = None
        return relative(site.file_url(file), url)

    context = Context(
        file=page.file,
        url=url,
        lang=lang,
        source_lang=site.settings.languages[0],
        catalog=catalog,
        links=links,
        picture=picture,
        gettext=site.gettext(lang),
        report=report,
        fragments=fragments or Fragments(),
        lines=source.lines,
        glossaries=site.glossaries,
        origin=lambda line: site.repository_url(page.file, line),
        entry=lambda line: site.entry_url(page.file, lang, line),
    )
    return source, context, pictures


def preview_page(
    site: Site, page: Page, lang: str, report: Report, fragments: Fragments | None = None
) -> View:
    """Make a page for its author: one that has errors shows them, and is never missing."""
    own = Report()
    view = render_page(site, page, lang, own, fragments)
    report.extend(own.problems)
    if view is None:
        nothing = Body(page.file, lang, Markup.escape(page.file), "", (), (), 0, 0, 0)
        view = _view(site, page, lang, nothing, ())
    return replace(view, problems=tuple(str(problem) for problem in [*own.errors, *own.warnings]))


def contents_page(site: Site, lang: str) -> View:
    """A page that lists all others, for a site whose files have no first page."""
    page = Page("", "index.html")
    items = [
        Markup('<li><a href="{}"{}>{}</a></li>').format(link.href, marked(link.lang, lang), link.title)
        for link in (_link(site, file, site.address(page, lang), lang) for file in site.everything())
    ]
    title = site.site_title(lang) or site.gettext(lang)("Contents")
    row = Row("page", Markup("<ul>{}</ul>").format(Markup().join(items)), (), False)
    return _view(site, page, lang, Body(title, lang, Markup.escape(title), "", (row,), (), 0, 0, 0), ())


def _view(site: Site, page: Page, lang: str, body: Body, pictures: tuple[str, ...]) -> View:
    url, settings = site.address(page, lang), site.settings
    before, after = site.neighbours(page.file)
    root = "../" * url.count("/")
    notebook = site.notebook(page, lang)
    return View(
        lang=lang,
        direction=site.locale(lang)[1],
        url=url,
        root=root,
        is_module=page.file.endswith(".py"),
        body=body,
        site_title=site.site_title(lang),
        home=_home(site, url, lang),
        is_home=page.url == "index.html",
        canonical=site.absolute(url),
        alternates=tuple(
            Link(site.locale(other)[0], site.absolute(site.address(page, other)), other)
            for other in settings.languages
            if settings.site_url
        ),
        languages=tuple(
            Link(site.locale(other)[0], relative(site.address(page, other), url), other, other == lang)
            for other in settings.languages
        ),
        breadcrumbs=tuple(_breadcrumbs(site, page, lang)),
        below=tuple(_below(site, page, lang, body.links)) if page.file else (),
        previous=_link(site, before, url, lang) if before else None,
        next=_link(site, after, url, lang) if after else None,
        source_href=site.repository_url(page.file) if page.file else "",
        pictures=pictures,
        katex_css=settings.katex_css if _is_absolute(settings.katex_css) else root + settings.katex_css,
        katex_integrity=settings.katex_integrity,
        source_lang=settings.languages[0],
        help_href=_help(site, url, lang),
        can_search=settings.search,
        can_edit=bool(settings.repository),
        notebook=relative(notebook, url) if notebook else "",
        notebook_name=_notebook_name(site, page, lang),
        archive=site.absolute(settings.archive) if settings.archive else "",
        templates=settings.templates,
        is_preview=settings.preview,
    )


def _notebook_name(site: Site, page: Page, lang: str) -> str:
    """`labml_nn.resnet.zh.ipynb`: named after the module, as there are many an `index`."""
    language = "" if lang == site.settings.languages[0] else f".{lang}"
    return f"{site.module(page.file)[0]}{language}.ipynb"


def _home(site: Site, url: str, lang: str) -> str:
    return relative(site.address(Page("", "index.html"), lang) if site.has_home() else "index.html", url)


def _help(site: Site, here: str, lang: str) -> str:
    if not site.settings.translating or lang == site.settings.languages[0]:
        return ""
    address = site.url(site.settings.translating, lang)
    return relative(address, here) if address else ""


def _link(site: Site, file: str, here: str, lang: str) -> Link:
    """A link from the address `here` to the page of a file in the same language."""
    title, title_lang = site.title(file, lang)
    return Link(title, relative(site.url(file, lang), here), title_lang)


def _below(site: Site, page: Page, lang: str, linked: frozenset[str]) -> Iterator[Link]:
    """The pages in the folder of an index page, and the indexes of the folders in it, unless it links to them."""
    for file in site.below(page.url):
        link = _link(site, file, site.address(page, lang), lang)
        if link.href not in linked:
            yield link


def _breadcrumbs(site: Site, page: Page, lang: str) -> Iterator[Link]:
    for folder, index in site.above(page.url):
        yield _link(site, index, site.address(page, lang), lang) if index else Link(folder, "")


def _is_absolute(address: str) -> bool:
    return address.startswith("/") or "://" in address
