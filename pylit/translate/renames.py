"""Finds the catalogs of pages whose files were moved or renamed, by their entries."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from ..i18n import blocks, catalog_path, read_po
from ..site import Page, Site, orphan_catalogs

SAME = 0.5
"""Share of common entries, from 0 to 1, from which a catalog is that of a page's earlier file."""


def moved_catalogs(site: Site, lang: str, pages: Iterable[Page]) -> dict[Page, Path]:
    """Return the catalogs of earlier files of `pages`, which have none of their own with a translation.

    Raises:
        PylitError: if a source or a catalog cannot be read.
    """
    folder = site.settings.translations
    assert folder is not None
    base = site.files.root(folder)
    orphans = orphan_catalogs(site, lang)
    if not orphans:
        return {}
    entries = {path: frozenset(read_po(path, lang, base).entries) for path in orphans}
    pairs = []
    for page in pages:
        own = catalog_path(folder, lang, page.file)
        if own.is_file() and any(message.string for message in read_po(own, lang, base)):
            continue
        texts = frozenset(block.text for block in blocks(site.sources.source(page.file)))
        for path, known in entries.items():
            if texts & known and (score := 2 * len(texts & known) / (len(texts) + len(known))) >= SAME:
                pairs.append((score, page, path))
    moved: dict[Page, Path] = {}
    for _, page, path in sorted(pairs, key=lambda pair: -pair[0]):
        if page not in moved and path not in moved.values():
            moved[page] = path
    return moved
