"""The strings of the pages' interface (buttons, labels, marks) in each language.

Their catalogs are part of the engine: `pylit/locale/<language>.po`. Without a catalog or a translation, English is
shown.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType

from .catalog import Catalog, State, parse_catalog
from .languages import fallbacks

LOCALE = Path(__file__).parent.parent / "locale"

Gettext = Callable[[str], str]

BUTTONS: Mapping[str, int] = MappingProxyType(
    {
        **dict.fromkeys(["Contents", "Search", "Display", "Edit", "Shapes", "Pictures"], 20),
        **dict.fromkeys(["Translation", "Both", "Original"], 20),
        **dict.fromkeys(["Close", "Copy", "Copied", "Save", "Still right", "Use this", "Discard it"], 30),
        **dict.fromkeys(["Next untranslated", "Next out of date"], 40),
    }
)
"""Buttons and switches, each with the maximum number of characters for which there is room."""


def catalog_file(lang: str) -> Path:
    """Return the path of the interface's catalog for a language."""
    return LOCALE / f"{lang}.po"


def catalog_files(lang: str) -> dict[str, Path]:
    """Return the paths of the interface's catalogs for a language and those that stand in for it, best first."""
    return {code: catalog_file(code) for code in fallbacks(lang)}


def interface(lang: str) -> Gettext:
    """Return the function that translates the interface's strings into `lang`."""
    found = [(path, code) for code, path in catalog_files(lang).items() if path.is_file()]
    return translator(*(_parsed(path.read_bytes(), path.as_posix(), code) for path, code in found))


_parsed = lru_cache(maxsize=16)(parse_catalog)


def translator(*catalogs: Catalog) -> Gettext:
    """Return the function that translates the interface's strings with the first of `catalogs` that can."""

    def gettext(text: str) -> str:
        for catalog in catalogs:
            found = catalog.lookup(text)
            if found.state is State.TRANSLATED:
                return found.text
        return text

    return gettext
