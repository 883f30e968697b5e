"""Counts how far each page is translated into each language."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass

from .catalog import Catalog, State, load_catalog
from .interface import LOCALE
from .model import Block
from .prose import blocks
from .site import Site
from .workshop import interface_strings

INTERFACE = "interface"
"""What the engine's own strings are called among the files."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How many blocks of a file there are, and how they stand in a language."""

    lang: str
    file: str
    blocks: int
    translated: int
    stale: int
    missing: int
    broken: int

    @property
    def share(self) -> float:
        """What is translated and up to date, from 0 to 1."""
        return self.translated / self.blocks if self.blocks else 1.0

    def as_dict(self) -> dict[str, object]:
        """For JSON."""
        return asdict(self)


def site_progress(site: Site, *, interface: bool = False) -> Iterator[Progress]:
    """Yield how each page stands in each language; with `interface`, the engine's own strings too.

    Raises:
        PylitError: if a source or a catalog cannot be read.
    """
    settings = site.settings
    for lang in settings.languages[1:]:
        if settings.title_file and settings.title:
            title = Block(settings.title, settings.title_file, 0, "")
            yield _progress(lang, settings.title_file, [title], site.catalog(settings.title_file, lang))
        for page in site.pages:
            yield _progress(lang, page.file, blocks(site.source(page.file)), site.catalog(page.file, lang))
        if interface:
            path = LOCALE / f"{lang}.po"
            yield _progress(lang, INTERFACE, interface_strings(), load_catalog(path, lang))


def total(lang: str, parts: Iterable[Progress]) -> Progress:
    """All of a language together."""
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
    states = [catalog.lookup(text).state for text in dict.fromkeys(block.text for block in found)]
    counts = [states.count(state) for state in (State.TRANSLATED, State.STALE, State.MISSING, State.BROKEN)]
    return Progress(lang, file, len(states), *counts)
