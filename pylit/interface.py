"""The words of the pages' own interface (buttons, labels, marks) in each language.

They are the engine's, so their catalogs travel with it: `pylit/locale/<language>.po`. A language without one,
or a string that is not translated, shows English.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

from babel import Locale, UnknownLocaleError

from .catalog import State, cached_catalog, stamp

LOCALE = Path(__file__).parent / "locale"

Gettext = Callable[[str], str]


def interface(lang: str) -> Gettext:
    """The function that translates the interface's strings into `lang`."""
    path = LOCALE / f"{lang}.po"
    catalog = cached_catalog(path, lang, stamp(path))

    def gettext(text: str) -> str:
        found = catalog.lookup(text)
        return found.text if found.state is State.TRANSLATED else text

    return gettext


@lru_cache(maxsize=64)
def native_name(lang: str) -> str:
    """What speakers of `lang` call it: `zh` -> `中文`."""
    try:
        name = Locale.parse(lang, sep="-").display_name
    except (UnknownLocaleError, ValueError):
        return lang
    return name[:1].upper() + name[1:] if name else lang


@lru_cache(maxsize=64)
def direction(lang: str) -> str:
    """`ltr` or `rtl`."""
    try:
        return Locale.parse(lang, sep="-").text_direction
    except (UnknownLocaleError, ValueError):
        return "ltr"
