"""Counts the translated blocks of each page in each language."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import asdict, astuple, dataclass

from ..i18n import LOCALE, Block, Catalog, State, blocks, count_states, entry_id, load_catalog
from ..site import Site
from .interface import interface_strings

INTERFACE = "interface"
"""Name under which the engine's own strings are listed."""


@dataclass(frozen=True, slots=True)
class Progress:
    """The number of blocks of a file by state, in one language."""

    lang: str
    file: str
    blocks: int
    translated: int
    stale: int
    missing: int
    broken: int

    @property
    def share(self) -> float:
        """Fraction that is translated and up to date, from 0 to 1."""
        return self.translated / self.blocks if self.blocks else 1.0

    def as_dict(self) -> dict[str, object]:
        """Return the counts as a JSON-serializable dictionary."""
        return asdict(self)


def site_progress(site: Site, *, interface: bool = False) -> Iterator[Progress]:
    """Yield the progress of each page in each language; with `interface`, also of the engine's own strings.

    Raises:
        PylitError: if a source or a catalog cannot be read.
    """
    settings = site.settings
    for lang in settings.languages[1:]:
        if settings.title_file and settings.texts:
            texts = [Block(text, settings.title_file, 0, "") for text in settings.texts]
            catalog = site.translations.catalog(settings.title_file, lang)
            yield _progress(lang, settings.title_file, texts, catalog)
        for page in site.pages:
            yield Progress(lang, page.file, *astuple(site.translations.counts(page.file, lang)))
        if interface:
            path = LOCALE / f"{lang}.po"
            yield _progress(lang, INTERFACE, interface_strings(), load_catalog(path, lang))


@dataclass(frozen=True, slots=True)
class Unfinished:
    """An entry that is not up to date."""

    file: str
    """The catalog."""
    line: int
    id: str
    state: State
    text: str
    """The original."""


def unfinished_entries(site: Site, lang: str) -> Iterator[Unfinished]:
    """Yield the entries of a language's catalogs that are stale, missing or broken.

    Raises:
        PylitError: if a source or a catalog cannot be read.
    """
    for page in site.pages:
        catalog = site.translations.catalog(page.file, lang)
        for text in dict.fromkeys(block.text for block in blocks(site.sources.source(page.file))):
            found = catalog.lookup(text)
            if catalog.file and found.state is not State.TRANSLATED:
                yield Unfinished(catalog.file, found.line, entry_id(text), found.state, text)


def total_progress(lang: str, parts: Iterable[Progress]) -> Progress:
    """Return the sum of all parts in a language."""
    own = [part for part in parts if part.lang == lang]
    return Progress(
        lang,
        "",
        sum(part.blocks for part in own),
        sum(part.translated for part in own),
        sum(part.stale for part in own),
        sum(part.missing for part in own),
        sum(part.broken for part in own),
    )


def _progress(lang: str, file: str, found: Iterable[Block], catalog: Catalog) -> Progress:
    return Progress(lang, file, *astuple(count_states((block.text for block in found), catalog)))
