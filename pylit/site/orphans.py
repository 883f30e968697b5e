"""Finds catalogs of pages that do not exist any more, because their files were moved or deleted."""

from __future__ import annotations

import os
from pathlib import Path

from ..i18n import catalog_path
from .site import Site

ORPHAN = "`pylit update` moves it if the page was renamed; delete it if it is not needed any more."
"""Hint for a catalog that belongs to no page."""


def orphan_catalogs(site: Site, lang: str) -> list[Path]:
    """Return the catalogs in a language's folder that belong to no page. Symlinks are not followed."""
    folder = site.settings.translations
    if folder is None:
        return []
    files = [page.file for page in site.pages] + [site.settings.title_file] * bool(site.settings.title_file)
    known = {catalog_path(folder, lang, file) for file in files}
    found = [
        Path(root, name)
        for root, _, names in os.walk(folder / lang)
        for name in names
        if name.endswith(".po")
    ]
    return sorted(path for path in found if path not in known and path.is_file() and not path.is_symlink())
