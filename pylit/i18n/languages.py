"""Language codes: how they are written on pages and in catalogs, which mean the same, and which stand in for others.

Pages use `pt-BR`, gettext uses `pt_BR`. Likely subtags of the Unicode CLDR tell that `zh` is `zh-Hans`.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from babel import Locale

LANGUAGE = re.compile(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*")
"""Matches what can be a language code, and so the name of a folder."""
_RTL = frozenset("apc ar bal bgn ckb dv fa he ks lrc mzn nqo ps rhg sd sdh skr syr trw ug ur yi".split())
"""Languages whose usual script is written from right to left."""
_RTL_SCRIPTS = frozenset("adlm arab aran hebr mand nkoo rohg samr syrc thaa yezi".split())
_MODIFIERS = {"latin": "Latn", "cyrillic": "Cyrl", "arabic": "Arab", "devanagari": "Deva"}
"""Scripts in gettext's notation: `sr@latin`."""


@lru_cache(maxsize=64)
def _locale(lang: str) -> Locale | None:
    """Return Babel's data for a language; `None` if it has none."""
    from babel import Locale, UnknownLocaleError

    try:
        return Locale.parse(lang.replace("_", "-"), sep="-")
    except (UnknownLocaleError, ValueError):
        return None


def has_locale(lang: str) -> bool:
    """Return whether the Unicode CLDR knows a language."""
    return _locale(lang) is not None


def canonical_code(code: str) -> str:
    """Return a language code as it is written on pages: `pt_br` -> `pt-BR`; empty if no such language is known."""
    code = code.replace("_", "-")
    if not LANGUAGE.fullmatch(code) or _locale(code) is None:
        return ""
    first, *rest = code.split("-")
    return "-".join([first.lower(), *map(_subtag, rest)])


def _subtag(text: str) -> str:
    """Return a subtag in its usual case: `Hant` for a script, `TW` for a territory."""
    if len(text) == 4 and text.isalpha():
        return text.title()
    return text.upper() if len(text) in (2, 3) else text.lower()


def po_locale(lang: str) -> str:
    """Return a language code as gettext writes it: `pt-BR` -> `pt_BR`."""
    return lang.replace("-", "_")


@lru_cache(maxsize=256)
def _subtags(code: str) -> tuple[str, str, str] | None:
    """Return language, script and territory of a code, the likely ones if it has none; `None` if it is not valid."""
    from babel.core import get_global, parse_locale

    try:
        parsed = parse_locale(code.replace("-", "_"))
    except ValueError:
        return None
    lang, territory, script = parsed[:3]
    modifier = parsed[4] if len(parsed) == 5 else None
    script = script or _MODIFIERS.get(modifier or "")
    known = get_global("likely_subtags")
    for parts in ((lang, script, territory), (lang, territory), (lang, script), (lang,)):
        likely = known.get("_".join(filter(None, parts))) if all(parts) else None
        if likely:
            found = parse_locale(likely)
            return lang, script or found[2] or "", territory or found[1] or ""
    return lang, script or "", territory or ""


def is_same_language(one: str, other: str) -> bool:
    """Return whether two codes mean the same language, script and territory, as `zh`, `zh-Hans` and `zh_CN` do."""
    return one.casefold() == other.casefold() or (
        (found := _subtags(one)) is not None and found == _subtags(other)
    )


def is_alias(one: str, other: str) -> bool:
    """Return whether two codes are spellings of one language of a site, as `zh` and `zh-Hans` are.

    `pt` and `pt-BR` are not: a site may have both.
    """
    if one.casefold() == other.casefold():
        return True
    found, same = _locale(one), _locale(other)
    return bool(found and same and found.territory == same.territory) and is_same_language(one, other)


@lru_cache(maxsize=64)
def fallbacks(lang: str) -> tuple[str, ...]:
    """Return the codes of the languages whose words stand in for those of a language, itself first.

    No other script is one of them: `zh-TW` -> `zh-TW`, `zh-Hant-TW`, `zh-Hant`, but not `zh`, which is simplified.
    """
    from babel.core import get_global, parse_locale

    found = [lang]
    tags = _subtags(lang)
    if tags is None or _locale(lang) is None:
        return tuple(found)
    own, script, _ = tags
    usual = _subtags(own)
    given = parse_locale(po_locale(lang))
    code = "_".join(filter(None, (own, "" if usual and script == usual[1] else script, given[1])))
    if usual and script != usual[1] and not given[1]:
        code = f"{own}_{script}"
    parents = get_global("parent_exceptions")
    while True:
        if (next_one := code.replace("_", "-")) not in found:
            found.append(next_one)
        code = parents.get(code) or code.rpartition("_")[0]
        if not code or code == "root" or (code == own and usual and script != usual[1]):
            return tuple(found)


@lru_cache(maxsize=64)
def native_name(lang: str) -> str:
    """Return the name of a language in that language: `zh` -> `中文`."""
    locale = _locale(lang)
    name = locale.display_name if locale else ""
    return name[:1].upper() + name[1:] if name else lang


def direction(lang: str) -> str:
    """Return the writing direction of a language: `ltr` or `rtl`, without loading Babel."""
    first, *rest = lang.replace("_", "-").lower().split("-")
    if script := next((part for part in rest if len(part) == 4 and part.isalpha()), ""):
        return "rtl" if script in _RTL_SCRIPTS else "ltr"
    return "rtl" if first in _RTL else "ltr"
