"""Checks a site without running its code. Writes nothing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain

from ..errors import Problem, PylitError, Report, Severity
from ..i18n import LOCALE, Catalog, Glossary, State, entry_id, load_catalog, words
from ..site import ORPHAN, Page, Site, check_page, orphan_catalogs
from .docstring_params import check_parameters
from .typography import typography_problems
from .wording import wording_problems


def check_site(site: Site, pages: Sequence[Page]) -> Report:
    """Check `pages` of a site in all its languages; if these are all pages, also its title and the interface."""
    report = Report()
    report.extend(site.problems)
    glossaries = {lang: _glossary(site, lang, report) for lang in site.settings.languages[1:]}
    for page in pages:
        check_page(site, page, report)
        if any(
            page.file.startswith(f"{folder}/") or page.file == folder for folder in site.settings.documented
        ):
            try:
                report.extend(check_parameters(site.sources.source(page.file)))
            except PylitError:  # reported above
                continue
        for lang, glossary in glossaries.items():
            report.extend(
                check_translations(site, site.translations.quiet_catalog(page.file, lang), glossary)
            )
    if len(pages) == len(site.pages):
        report.extend(site.problems)
        for lang, glossary in glossaries.items():
            for path in orphan_catalogs(site, lang):
                place = site.files.name(path)
                report.add(Problem(place, 0, "belongs to no page", ORPHAN, Severity.WARNING))
            if site.settings.title_file:
                title = site.translations.checked_catalog(site.settings.title_file, lang, report)
                report.extend(check_translations(site, title, glossary))
            if site.owns_engine:
                words_of_interface = load_catalog(LOCALE / f"{lang}.po", lang)
                report.extend(words_of_interface.problems)
                report.extend(check_translations(site, words_of_interface, glossary))
    return report


def check_translations(site: Site, catalog: Catalog, glossary: Glossary) -> Iterator[Problem]:
    """Yield the problems in the wording of a catalog."""
    file = site.files.name(site.files.path(catalog.file))
    for original, translation in catalog.entries.items():
        if not translation.text:
            continue
        name = f"Entry {entry_id(original)}."
        source, target = words(original), words(translation.text)
        for term, wrong in glossary.violations(source, target):
            right = " or ".join(term.use)
            hint = f"Use {right}. {term.why}".strip() + f" {name}"
            yield Problem(file, translation.line, f"`{term.term}` is rendered as {wrong}", hint)
        mistakes = (
            wording_problems(original, translation.text) if translation.state is State.TRANSLATED else ()
        )
        for problem in chain(mistakes, typography_problems(catalog.lang, original, translation.text)):
            yield Problem(file, translation.line, problem, name)


def _glossary(site: Site, lang: str, report: Report) -> Glossary:
    try:
        return site.translations.glossary(lang)
    except PylitError as error:
        report.add(error.problem)
        return Glossary()
