"""The translations of a site: catalogs and glossaries in its folder of translations, and strings of the interface.

Parsed catalogs are cached under a digest of their content, so that a build without changes does not load gettext.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import astuple, dataclass, replace
from functools import cache, cached_property, lru_cache
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from ..cache import Answerer, Store, canonical, digest, engine_digest, question
from ..errors import Problem, PylitError, Report, unexpected
from ..i18n import (
    NO_LINKS,
    Catalog,
    Counts,
    Gettext,
    blocks,
    catalog_as_json,
    catalog_files,
    catalog_from_json,
    catalog_path,
    count_states,
    direction,
    native_name,
    parse_catalog,
    translator,
)
from ..resolve import Labels, labels_as_json, labels_from_json
from .settings import Settings
from .sources import FACTS, Sources

if TYPE_CHECKING:
    from ..i18n import Glossary


@dataclass(frozen=True, slots=True)
class Title:
    """The title of a page, or another short text of it."""

    text: str
    """The text without markup."""
    lang: str
    """The language of the text."""


@dataclass(frozen=True, slots=True)
class Locale:
    """Name and direction of a language."""

    name: str
    """The name of the language in that language."""
    direction: str
    """Return the writing direction of a language: `ltr` or `rtl`."""


class Translations(Answerer):
    """The translations of a site's `sources`."""

    def __init__(self, settings: Settings, sources: Sources, store: Store) -> None:
        super().__init__(sources.questions)
        self.settings = settings
        self.sources = sources
        self.files = sources.files
        self.store = store
        self.catalog_of = lru_cache(maxsize=2 * FACTS)(self._catalog_of)
        self.labels = self.questions.remembering(self._labels, 2 * FACTS)
        self.gettext = cache(self._gettext)
        self.locale = cache(self._locale)

    def _catalog_of(self, file: str, lang: str) -> str:
        """Return the name of a file's catalog; empty if it has none."""
        if self.settings.translations is None or lang == self.settings.languages[0]:
            return ""
        return catalog_path(PurePosixPath(self._folder), lang, file).as_posix()

    @cached_property
    def _folder(self) -> str:
        assert self.settings.translations is not None
        return self.files.name(self.settings.translations)

    def catalog(self, file: str, lang: str) -> Catalog:
        """Return the translations of a file.

        Raises:
            PylitError: with the line, if the catalog cannot be read or parsed.
        """
        catalog = self.catalog_of(file, lang)
        return self._catalog_in(catalog, lang, self.local_links(lang)) if catalog else Catalog(lang)

    def quiet_catalog(self, file: str, lang: str) -> Catalog:
        """Return the translations of a file; empty if they do not parse, which is reported with their own page."""
        try:
            return self.catalog(file, lang)
        except PylitError:
            return Catalog(lang)

    def checked_catalog(self, file: str, lang: str, report: Report) -> Catalog:
        """Return the translations of a file; empty if they do not parse. Problems go to `report`."""
        try:
            catalog = self.catalog(file, lang)
        except PylitError as error:
            report.add(error.problem)
            return Catalog(lang)
        report.extend(catalog.problems)
        return catalog

    def _labels(self, file: str, lang: str) -> Labels | None:
        """Return the texts of links to a page and its definitions; `None` if the page cannot be read.

        Raises:
            PylitError: with the line, if the catalog cannot be read or parsed.
        """
        facts, name = self.sources.facts(file), self.catalog_of(file, lang)
        if not facts or not name:
            return facts.labels if facts else None
        with self.questions.unnoted():
            data = self._read(name)
        if data is None:
            return replace(facts.labels, is_translated=False, is_hook_translated=False)
        key = digest("labels", engine_digest(), lang, facts.key, data, canonical(self.local_links(lang)))
        found = labels_from_json(self.store.get_json(key))
        if found is None:
            from ..resolve import collect_labels

            catalog = self._parsed(data, name, lang, self.local_links(lang))
            with unexpected(name, "a catalog"):
                found = collect_labels(facts, catalog)
            self.store.put_json(key, labels_as_json(found))
        return found

    @question
    def title(self, file: str, lang: str) -> Title:
        """Return the title of a page in a language; the name of its file if it cannot be read."""
        return self.given_title(file, lang) or self._own_title(file, lang)

    @question
    def hook(self, file: str, lang: str) -> Title:
        """Return one line about a page, in a language; empty if its author has written none."""
        first = self.settings.languages[0]
        try:
            labels = self.labels(file, lang)
        except PylitError:  # reported when the page itself is made
            labels = self.labels(file, first)
        if labels is None:
            return Title("", first)
        return Title(labels.hook, lang if labels.is_hook_translated else first)

    @question
    def given_title(self, file: str, lang: str) -> Title | None:
        """Return the title that the settings give a page; `None` to use the page's own.

        If only the page's own title is translated, that one is used.
        """
        given, first = self.settings.titles.get(file, ""), self.settings.languages[0]
        if not given or lang == first:
            return Title(given, first) if given else None
        if translated := self._translated(given, lang):
            return Title(translated, lang)
        return None if self._own_title(file, lang).lang == lang else Title(given, first)

    def _own_title(self, file: str, lang: str) -> Title:
        first = self.settings.languages[0]
        try:
            labels = self.labels(file, lang)
        except PylitError:  # reported when the page itself is made
            return Title(file, first)
        if labels is None:
            return Title(file, first)
        return Title(labels.title, lang if labels.is_translated else first)

    @question
    def site_title(self, lang: str) -> str:
        """Return the title of the site in a language."""
        return self._translated(self.settings.title, lang) or self.settings.title

    def _translated(self, text: str, lang: str) -> str:
        """Translate a text of the settings; return an empty string if it is not translated."""
        file = self.settings.title_file
        return self.quiet_catalog(file, lang).lookup(text).text if file else ""

    def glossary(self, lang: str) -> Glossary:
        """Return the glossary of a language.

        Raises:
            PylitError: with the line, if its file cannot be read or parsed.
        """
        from ..i18n import Glossary, parse_glossary

        if self.settings.translations is None:
            return Glossary()
        file = self._glossary_file(lang)
        data = self._read(file)
        return Glossary() if data is None else parse_glossary(data, file)

    def counts(self, file: str, lang: str) -> Counts:
        """Return how many blocks of a file are translated.

        Raises:
            PylitError: if the file or its catalog cannot be read or parsed.
        """
        name = self.catalog_of(file, lang)
        with self.questions.unnoted():
            data = self._read(name) if name else None
        facts, links = self.sources.facts(file), canonical(self.local_links(lang))
        key = digest("counts", engine_digest(), lang, facts.key if facts else "", data or b"", links)
        match self.store.get_json(key) if facts else None:
            case [int(), int(), int(), int(), int()] as numbers:
                return Counts(*numbers)
        with self.questions.unnoted():
            texts = [block.text for block in blocks(self.sources.source(file))]
            found = count_states(texts, self.catalog(file, lang))
        self.store.put_json(key, list(astuple(found)))
        return found

    def quiet_counts(self, file: str, lang: str) -> Counts:
        """Return how many blocks of a file are translated; nothing if that cannot be told, which its page reports."""
        try:
            return self.counts(file, lang)
        except PylitError:
            return Counts()

    @question
    def progress(self, lang: str) -> dict[str, list[int]]:
        """Return how many blocks of each page are translated into a language, as in `Counts`."""
        return {page.file: list(astuple(self.quiet_counts(page.file, lang))) for page in self.sources.pages}

    @question
    def percentage(self, lang: str) -> int:
        """Return how much of the pages is translated, in percent; 100 only if all of it is."""
        total = sum((Counts(*numbers) for numbers in self.progress(lang).values()), Counts())
        return int(100 * total.share)

    @question
    def local_links(self, lang: str) -> dict[str, str]:
        """Return the targets that links and pictures may have in a language, each with the one that it may replace.

        They are listed in the glossary. If that is not valid, which `pylit check` reports, there are none.
        """
        if self.settings.translations is None or lang == self.settings.languages[0]:
            return {}
        try:
            data = self._read(self._glossary_file(lang))
            key = digest("links", engine_digest(), data or b"")
            found = self.store.get_json(key) if data else {}
            if not isinstance(found, dict):
                found = dict(self.glossary(lang).links)
                self.store.put_json(key, found)
        except PylitError:
            return {}
        return {str(target): str(original) for target, original in found.items()}

    def _glossary_file(self, lang: str) -> str:
        assert self.settings.translations is not None
        return self.files.name(self.settings.translations / lang / "glossary.yml")

    def glossaries(self) -> dict[str, Glossary]:
        """Return the glossaries of all languages except that of the sources."""
        return {lang: self.glossary(lang) for lang in self.settings.languages[1:]}

    def _gettext(self, lang: str) -> Gettext:
        """Return the function that translates strings of the interface into `lang`.

        Nothing is recorded: the interface is part of the engine's digest.
        """
        with self.questions.unnoted(), self.questions.unobserved():
            return translator(
                *(self._catalog_in(self.files.name(path), code) for code, path in catalog_files(lang).items())
            )

    def _locale(self, lang: str) -> Locale:
        """Return the name and direction of a language, from the cache if possible."""
        key = digest("locale", engine_digest(), lang)
        match self.store.get_json(key):
            case [str() as name, str() as side]:
                return Locale(name, side)
        found = Locale(native_name(lang), direction(lang))
        self.store.put_json(key, [found.name, found.direction])
        return found

    def _catalog_in(self, file: str, lang: str, links: Mapping[str, str] = NO_LINKS) -> Catalog:
        """Return the catalog in `file`; empty if it does not exist."""
        data = self._read(file)
        return Catalog(lang) if data is None else self._parsed(data, file, lang, links)

    def _parsed(self, data: bytes, file: str, lang: str, links: Mapping[str, str]) -> Catalog:
        key = digest("catalog", engine_digest(), lang, data, canonical(dict(links)))
        found = catalog_from_json(self.store.get_json(key), file, lang)
        if found is None:
            with unexpected(file, "a catalog"):
                found = parse_catalog(data, file, lang, links)
            self.store.put_json(key, catalog_as_json(found))
        return found

    def _read(self, file: str) -> bytes | None:
        """Return the content of a file; `None` if it does not exist.

        Raises:
            PylitError: if it cannot be read.
        """
        if not self.files.has_file(file):
            return None
        try:
            return self.files.read(file)
        except OSError as error:
            hint = "Replace it with a readable file."
            raise PylitError(Problem(file, 0, f"cannot be read: {error.strerror}", hint)) from error
