"""Finds confusable names: letters of several scripts in one name, or non-Latin letters that look Latin.

A reader would take two variables for one. Greek letters that do not look Latin, as in `Δx`, are common in formulas,
and Chinese, Japanese and Korean are normally mixed with Latin letters, so these are allowed.
"""

from __future__ import annotations

import tokenize
import unicodedata
from collections.abc import Iterable, Iterator

_LATIN = dict(
    zip(
        "АВЕЅІЈКМНОРСТУХԌԛԜѴаеѕіјорсухһԁԛԝѵ" + "ΑΒΕΖΗΙΚΜΝΟΡΤΥΧοϲϳ" + "ՕՏՍհոսօցԼ",
        "ABESIJKMHOPCTYXGqWVaesijopcyxhdqwv" + "ABEZHIKMNOPTYXocj" + "OSUhnuogL",
        strict=True,
    )
)
"""Cyrillic, Greek or Armenian letter -> the Latin letter that it looks like."""
_TOGETHER = frozenset("LATIN CJK HIRAGANA KATAKANA KATAKANA-HIRAGANA HANGUL BOPOMOFO IDEOGRAPHIC".split())
"""Scripts that are normally mixed."""


def find_lookalikes(tokens: Iterable[tokenize.TokenInfo]) -> Iterator[tuple[int, str]]:
    """Yield the lines of confusable names with a message, once per name."""
    lines: dict[str, int] = {}
    for token in tokens:
        if token.type == tokenize.NAME:
            lines.setdefault(unicodedata.normalize("NFKC", token.string), token.start[0])
    for name, line in lines.items():
        if name.isascii():
            continue
        latin = "".join(_LATIN.get(letter, letter) for letter in name)
        if latin != name and latin in lines:
            yield line, f"the name `{name}` looks like `{latin}` but is different: it has {_strange(name)}"
        elif (scripts := _scripts(name)) and len(scripts) > 1:
            words = " and ".join(sorted(scripts))
            yield line, f"the name `{name}` is written in {words} letters: it has {_strange(name)}"


def _scripts(name: str) -> set[str]:
    """Return the scripts of a name if they are not normally mixed, by their Unicode names."""
    found = {_script(letter) for letter in name if letter.isalpha()}
    if found <= _TOGETHER:
        return set()
    greek = {letter for letter in name if letter.isalpha() and _script(letter) == "GREEK"}
    return found - {"GREEK"} if greek.isdisjoint(_LATIN) and len(found) > 1 else found


def _script(letter: str) -> str:
    return unicodedata.name(letter, "UNKNOWN").split()[0]


def _strange(name: str) -> str:
    """Describe the letters of a name that are not Latin."""
    letters = dict.fromkeys(letter for letter in name if letter.isalpha() and _script(letter) != "LATIN")
    return ", ".join(f"U+{ord(letter):04X} {unicodedata.name(letter, '')}".strip() for letter in letters)
