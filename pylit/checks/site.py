"""Checks a site without running its code. Writes nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import chain

from ..errors import Problem, PylitError, Report, Severity
from ..i18n import BUTTONS, LOCALE, Catalog, Glossary, State, Term, entry_id, load_catalog, words
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
        catalogs = [site.translations.quiet_catalog(page.file, lang) for lang in glossaries]
        report.extend(_as_errors(chain.from_iterable(catalog.problems for catalog in catalogs)))
        check_page(site, page, report)
        if any(
            page.file.startswith(f"{folder}/") or page.file == folder for folder in site.settings.documented
        ):
            try:
                report.extend(check_parameters(site.sources.source(page.file)))
            except PylitError:  # reported above
                continue
        for catalog, glossary in zip(catalogs, glossaries.values(), strict=True):
            report.extend(check_translations(site, catalog, glossary))
    if len(pages) == len(site.pages):
        report.extend(site.problems)
        for lang, glossary in glossaries.items():
            for path in orphan_catalogs(site, lang):
                place = site.files.name(path)
                report.add(Problem(place, 0, "belongs to no page", ORPHAN, Severity.WARNING))
            if site.settings.title_file:
                title = site.translations.quiet_catalog(site.settings.title_file, lang)
                report.extend(_as_errors(title.problems))
                report.extend(check_translations(site, title, glossary))
            if site.owns_engine:
                words_of_interface = load_catalog(LOCALE / f"{lang}.po", lang)
                report.extend(_as_errors(words_of_interface.problems))
                report.extend(check_translations(site, words_of_interface, glossary))
                report.extend(_check_buttons(site, words_of_interface))
    return report


def _check_buttons(site: Site, catalog: Catalog) -> Iterator[Problem]:
    """Yield the buttons whose translation has no room."""
    file = site.files.name(site.files.path(catalog.file))
    for text, limit in BUTTONS.items():
        found = catalog.lookup(text)
        if len(found.text) > limit:
            message = f"`{found.text}` has {len(found.text)} characters; a button has room for {limit}"
            hint = f"Shorten it. Entry {entry_id(text)}."
            yield Problem(file, found.line, message, hint, Severity.WARNING)


def _as_errors(problems: Iterable[Problem]) -> Iterator[Problem]:
    """Yield the problems of catalogs as errors. Pages show the original instead, so they only warn."""
    return (replace(problem, severity=Severity.ERROR) for problem in problems)


def check_translations(site: Site, catalog: Catalog, glossary: Glossary) -> Iterator[Problem]:
    """Yield the problems in the wording of a catalog."""
    file = site.files.name(site.files.path(catalog.file))
    for original, translation in catalog.entries.items():
        if not translation.text:
            continue
        name = f"Entry {entry_id(original)}."
        if translation.allowed:
            continue
        if translation.allowed == "":
            reason = f"Write it behind: `# pylit: allow BECAUSE`. {name}"
            yield Problem(file, translation.line, "`pylit: allow` has no reason", reason)
        is_current = translation.state is State.TRANSLATED
        found = translation_problems(
            catalog.lang, original, translation.text, glossary, is_current=is_current
        )
        for problem, hint in found:
            yield Problem(file, translation.line, problem, f"{hint} {name}".strip())


def translation_problems(
    lang: str, original: str, text: str, glossary: Glossary, *, is_current: bool = True
) -> Iterator[tuple[str, str]]:
    """Yield the problems in the wording of `text`, a translation of `original`, each with a hint, which may be empty.

    `is_current` tells whether it is one of this original, and not of an earlier one.
    """
    source, target = words(original), words(text)
    for term, wrong in glossary.violations(source, target):
        yield f"`{term.term}` is rendered as {wrong}", _renderings(term)
    for term in glossary.missing(source, target) if is_current else ():
        yield f"`{term.term}` is not rendered", _renderings(term)
    mistakes = wording_problems(original, text) if is_current else ()
    for problem in chain(mistakes, typography_problems(lang, original, text)):
        yield problem, ""


def _renderings(term: Term) -> str:
    return f"Use {' or '.join(term.use)}. {term.why}".strip()


def _glossary(site: Site, lang: str, report: Report) -> Glossary:
    try:
        return site.translations.glossary(lang)
    except PylitError as error:
        report.add(error.problem)
        return Glossary()
