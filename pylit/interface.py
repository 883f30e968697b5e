"""The words of the pages' own interface (buttons, labels, marks) in each language.

They are the engine's, so their catalogs travel with it: `pylit/locale/<language>.po`. A language without one,
or a string that is not translated, shows English.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

from .catalog import Catalog, State, parse_catalog

LOCALE = Path(__file__).parent / "locale"

Gettext = Callable[[str], str]


def catalog_file(lang: str) -> Path:
    """Where the catalog of a language lies."""
    return LOCALE / f"{lang}.po"


def interface(lang: str) -> Gettext:
    """The function that translates the interface's strings into `lang`."""
    path = catalog_file(lang)
    return translator(_parsed(path.read_bytes(), path.as_posix(), lang) if path.is_file() else Catalog(lang))


_parsed = lru_cache(maxsize=16)(parse_catalog)


def translator(catalog: Catalog) -> Gettext:
    """The function that translates the interface's strings by `catalog`."""

    def gettext(text: str) -> str:
        found = catalog.lookup(text)
        return found.text if found.state is State.TRANSLATED else text

    return gettext


@lru_cache(maxsize=64)
def native_name(lang: str) -> str:
    """What speakers of `lang` call it: `zh` -> `中文`."""
    from babel import Locale, UnknownLocaleError

    try:
        name = Locale.parse(lang, sep="-").display_name
    except (UnknownLocaleError, ValueError):
        return lang
    return name[:1].upper() + name[1:] if name else lang


@lru_cache(maxsize=64)
def direction(lang: str) -> str:
    """`ltr` or `rtl`."""
    from babel import Locale, UnknownLocaleError

    try:
        return Locale.parse(lang, sep="-").text_direction
    except (UnknownLocaleError, ValueError):
        return "ltr"
