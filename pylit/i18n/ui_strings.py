"""The strings of the pages' interface (buttons, labels, marks) in each language.

Their catalogs are part of the engine: `pylit/locale/<language>.po`. Without a catalog or a translation, English is
shown.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

from .catalog import Catalog, State, parse_catalog

LOCALE = Path(__file__).parent.parent / "locale"

Gettext = Callable[[str], str]


def catalog_file(lang: str) -> Path:
    """Return the path of the interface's catalog for a language."""
    return LOCALE / f"{lang}.po"


def interface(lang: str) -> Gettext:
    """Return the function that translates the interface's strings into `lang`."""
    path = catalog_file(lang)
    return translator(_parsed(path.read_bytes(), path.as_posix(), lang) if path.is_file() else Catalog(lang))


_parsed = lru_cache(maxsize=16)(parse_catalog)


def translator(catalog: Catalog) -> Gettext:
    """Return the function that translates the interface's strings with `catalog`."""

    def gettext(text: str) -> str:
        found = catalog.lookup(text)
        return found.text if found.state is State.TRANSLATED else text

    return gettext


@lru_cache(maxsize=64)
def native_name(lang: str) -> str:
    """Return the name of a language in that language: `zh` -> `中文`."""
    from babel import Locale, UnknownLocaleError

    try:
        name = Locale.parse(lang, sep="-").display_name
    except (UnknownLocaleError, ValueError):
        return lang
    return name[:1].upper() + name[1:] if name else lang


@lru_cache(maxsize=64)
def direction(lang: str) -> str:
    """Return the writing direction of a language: `ltr` or `rtl`."""
    from babel import Locale, UnknownLocaleError

    try:
        return Locale.parse(lang, sep="-").text_direction
    except (UnknownLocaleError, ValueError):
        return "ltr"
