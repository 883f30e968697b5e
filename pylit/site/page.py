"""Makes pages and notebooks in one language from their files and the answers of the site.

Reports the problems of a page; writes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import PurePosixPath

from markupsafe import Markup

from ..errors import Problem, PylitError, Report, unexpected
from ..i18n import entry_id
from ..parsing import NOTEBOOK, listing, show_hidden
from ..rendering import (
    Body,
    CodeLine,
    Context,
    Fragments,
    Row,
    find_equations,
    hidden_definitions,
    render_body,
)
from ..resolve import relative_link
from .crossrefs import CrossReferences
from .maps import find_cards, find_excerpt, linked_title
from .site import Page, Site
from .standing import find_standing
from .view import View, make_view
from .workbench import ParsedModule

EDIT = "#edit-"
"""Begins the link of a passage that a preview opens for editing; its entry's id follows."""


def render_page(
    site: Site, page: Page, lang: str, report: Report, fragments: Fragments | None = None
) -> View | None:
    """Make a page in a language; return `None` if its file cannot be read. Problems go to `report`."""
    found = open_page(site, page, lang, report, fragments)
    if found is None:
        return None
    module, context = found.module, found.context
    source = module.source
    if not source.is_python:
        view = make_view(site, page, lang, render_body(source, context), tuple(context.pictures))
        return replace(view, reason=source.problem)
    references = CrossReferences(site, page.file, lang)
    context.in_prose, context.refer = references.in_prose, references.refer
    lines = module.coloured.lines(references.refer)
    chips = site.chips(source, report)
    pictures = site.pictures(source, report)
    body = render_body(source, context, lines, module.uses.numbers, chips, references.users, pictures)
    view = make_view(site, page, lang, body, tuple(context.pictures))
    return replace(view, notebook="", reason=source.problem) if source.problem else view


def render_notebook(
    site: Site, page: Page, lang: str, report: Report, fragments: Fragments | None = None
) -> str:
    """Make the notebook of a module in a language; return an empty string if its file cannot be read.

    Problems, which are those of the page, go to `report`.
    """
    found = open_page(site, page, lang, report, fragments)
    if found is None or found.module.source.problem:
        return ""
    module, context = found.module, found.context
    from ..notebook import Origin, make_notebook

    here = site.navigation.absolute(context.url) or PurePosixPath(context.url).name
    origin = Origin(
        module.name.module,
        module.name.package,
        here,
        site.code_links.url(page.file),
        site.settings.requirement,
    )
    return make_notebook(module.source, module.statements, context, origin)


def check_page(site: Site, page: Page, report: Report) -> None:
    """Report the problems of a page, including a bug in pylit that prevents checking it."""
    try:
        with unexpected(page.file, "a page"):
            site.sources.survey(page.file)
            _check_page(site, page, report)
    except PylitError as error:
        report.add(error.problem)


def _check_page(site: Site, page: Page, report: Report) -> None:
    """Report the problems of a page in all its languages, without making it completely.

    Translations contain the formulas and links of the original, so these are checked once.
    """
    languages = site.settings.languages
    if found := open_page(site, page, languages[0], report):
        module = found.module
        render_body(module.source, found.context, [""] * len(module.source.lines), module.uses.numbers)
        site.chips(module.source, report)
        site.pictures(module.source, report)
    for lang in languages[1:]:
        open_page(site, page, lang, report)


@dataclass(frozen=True)
class OpenedPage:
    """A parsed file, and its rendering context in one language."""

    module: ParsedModule
    context: Context


def open_page(
    site: Site, page: Page, lang: str, report: Report, fragments: Fragments | None = None
) -> OpenedPage | None:
    """Read the file of a page; return `None` if it cannot be read, which is reported."""
    try:
        module = site.sources.module(page.file)
    except PylitError as error:
        report.add(error.problem)
        return None
    report.extend(module.source.problems)
    if module.source.problem:
        report.add(module.source.problem)
    catalog = site.translations.checked_catalog(page.file, lang, report)
    site.translations.checked_catalog(site.settings.title_file or page.file, lang, report)
    for before, after in hidden_definitions(module.source.sections):
        report.add(
            Problem(
                page.file,
                after.line,
                f"two definitions have the anchor `{after.opens.name if after.opens else ''}`;"
                f" the other is in line {before.line}",
                "Rename or remove one: the second hides the first.",
            )
        )
    equations = find_equations(module.source, site.settings.macros)
    for line, message, hint in equations.problems:
        report.add(Problem(page.file, line, message, hint))
    anchors = {*module.source.tag_anchors, *(label.anchor for label in equations.labels.values())}
    url = site.navigation.address(page, lang)
    translations = site.translations.catalog_of(page.file, lang)
    links = site.links(page.file, lang)
    context = Context(
        file=page.file,
        url=url,
        lang=lang,
        source_lang=site.settings.languages[0],
        catalog=catalog,
        links=links,
        picture=lambda file: relative_link(site.navigation.picture_url(file), url),
        gettext=site.translations.gettext(lang),
        report=report,
        fragments=fragments or Fragments(typesetter=site.workbench.typesetter),
        lines=module.source.lines,
        attachments=module.source.attachments,
        anchors=anchors,
        equations=equations,
        room=100_000 + 3 * len(module.source.text),  # more than the text of all links takes
        glossaries=site.translations.glossaries,
        standing=lambda: find_standing(site, page, lang),
        title=lambda target: linked_title(site, page, lang, target),
        cards=lambda patterns: find_cards(site, page, lang, patterns),
        excerpt=lambda target, numbers: find_excerpt(site, page, lang, target, numbers),
        origin=lambda line: site.code_links.url(page.file, 0 if page.file.endswith(NOTEBOOK) else line),
        entry=lambda text, line: _entry_address(site, translations, text, line),
    )
    return OpenedPage(module, context)


def _entry_address(site: Site, catalog: str, text: str, line: int) -> str:
    """Return where the translation of a block can be edited: in the preview, or on the code host."""
    if site.settings.edits and catalog:
        return EDIT + entry_id(text)
    return site.code_links.edit_url(catalog, line) if catalog and line else ""


def listing_page(site: Site, page: Page, lang: str, problem: Problem) -> View:
    """Make a plain page with the lines of a file, and the problem that keeps it from being a real page.

    Raises:
        OSError: if the file cannot be read.
    """
    source = listing(site.files.read(page.file), page.file, problem)
    error_html = Markup('<p class="wrong">{}</p>\n').format(str(problem))
    lines = [Markup.escape(show_hidden(line)) for line in source.lines]
    row = Row("module", error_html, tuple(CodeLine(*line) for line in enumerate(lines, 1)))
    if not source.is_python:
        text = Markup("\n").join(lines)
        row = Row(
            "page",
            error_html + Markup('<pre class="listing" translate="no"><code>{}</code></pre>').format(text),
            (),
        )
    body = Body(page.file, lang, Markup.escape(page.file), "", (row,), (), 0, 0, 0)
    return replace(make_view(site, page, lang, body, ()), notebook="", reason=problem)


def preview_page(
    site: Site, page: Page, lang: str, report: Report, fragments: Fragments | None = None
) -> View:
    """Make a page for its author: a page with errors is never missing, but shows them."""
    own, view = Report(), None
    try:
        with unexpected(page.file, f"a page in the language {lang}"):
            site.sources.survey(page.file)
            view = render_page(site, page, lang, own, fragments)
    except PylitError as error:
        own.add(error.problem)
    report.extend(own.problems)
    if view is None:
        nothing = Body(page.file, lang, Markup.escape(page.file), "", (), (), 0, 0, 0)
        view = make_view(site, page, lang, nothing, ())
    other = [problem for problem in [*own.errors, *own.warnings] if problem != view.reason]
    return replace(view, problems=tuple(map(str, other)))
