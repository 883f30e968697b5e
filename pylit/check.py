"""Checks all that can be known of a site without running its code. Writes nothing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from .catalog import Catalog, load_catalog
from .errors import Problem, PylitError, Report
from .glossary import Glossary
from .interface import LOCALE
from .parameters import check_parameters
from .prose import words
from .site import Page, Site
from .typography import typography_problems
from .view import check_page


def check_site(site: Site, pages: Sequence[Page]) -> Report:
    """Check `pages` of a site in all its languages; with all pages, its title and the interface too."""
    report = Report()
    glossaries = {lang: _glossary(site, lang, report) for lang in site.settings.languages[1:]}
    for page in pages:
        check_page(site, page, report)
        if any(
            page.file.startswith(f"{folder}/") or page.file == folder for folder in site.settings.documented
        ):
            try:
                report.extend(check_parameters(site.source(page.file)))
            except PylitError:  # reported above
                continue
        for lang, glossary in glossaries.items():
            report.extend(check_translations(site, site.quiet_catalog(page.file, lang), glossary))
    if len(pages) == len(site.pages):
        for lang, glossary in glossaries.items():
            if site.settings.title_file:
                title = site.checked_catalog(site.settings.title_file, lang, report)
                report.extend(check_translations(site, title, glossary))
            if site.owns_engine:
                words_of_interface = load_catalog(LOCALE / f"{lang}.po", lang)
                report.extend(words_of_interface.problems)
                report.extend(check_translations(site, words_of_interface, glossary))
    return report


def check_translations(site: Site, catalog: Catalog, glossary: Glossary) -> Iterator[Problem]:
    """Yield what is wrong with the words of a catalog."""
    file = site.name(site.path(catalog.file))
    for original, translation in catalog.entries.items():
        if not translation.text:
            continue
        source, target = words(original), words(translation.text)
        for term, wrong in glossary.violations(source, target):
            right = " or ".join(term.use)
            hint = f"Use {right}. {term.why}".strip()
            yield Problem(file, translation.line, f"`{term.term}` is rendered as {wrong}", hint)
        for problem in typography_problems(catalog.lang, original, translation.text):
            yield Problem(file, translation.line, problem)


def _glossary(site: Site, lang: str, report: Report) -> Glossary:
    try:
        return site.glossary(lang)
    except PylitError as error:
        report.add(error.problem)
        return Glossary()
