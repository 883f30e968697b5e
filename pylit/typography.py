"""Finds what machine translation and haste leave behind in Chinese and Japanese.

Debris, English, punctuation of the wrong width or of the other language, and in Japanese sentences in another style.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from .prose import OBJECT, words

_HAN = "\u3400-\u4dbf\u4e00-\u9fff"
_KANA = "\u3005\u3041-\u30ff"
_FULL = "，。；：！？、"
_DEBRIS = re.compile(r"@@+|_\^_\d+_\^_|\^_\^")
_WORD = re.compile(r"[A-Za-z]{2,}")


@dataclass(frozen=True)
class Script:
    """How a language is written."""

    name: str
    letters: str
    """As they stand in a class of characters."""
    own: tuple[tuple[str, str], ...] = ()
    """Rules of this language alone: patterns of what is wrong, each with its name."""

    @cached_property
    def rules(self) -> tuple[tuple[re.Pattern[str], str], ...]:
        """Patterns of what is wrong, each with its name."""
        its, one = self.letters, f"[{self.letters}{OBJECT}]"
        common = (
            (rf"[{_FULL}]{{2,}}", "doubled punctuation"),
            (rf"{one}[,;:!?](?={one})", f"half-width punctuation between {self.name} characters"),
            (rf"[{its}]\.(?:$|\s|(?=[{its}]))", "a half-width full stop"),
            (rf"\((?=[^()]*[{its}])[^()]*\)", f"half-width parentheses around {self.name}"),
            (rf"[{its}][A-Za-z0-9]|[A-Za-z0-9][{its}]", f"no space between {self.name} and Latin"),
            (rf"[{its}] +[{its}]", f"a space between {self.name} characters"),
            (rf" [{_FULL}]|[{_FULL}] ", "a space beside full-width punctuation"),
        )
        return tuple((re.compile(pattern), name) for pattern, name in (*common, *self.own))


SCRIPTS = {
    "zh": Script("Chinese", _HAN),
    "ja": Script(
        "Japanese",
        _HAN + _KANA,
        (
            ("[，．]", "a Chinese comma or a full-width point, where Japanese has 、 or 。"),
            ("[０-９Ａ-Ｚａ-ｚ]", "full-width letters or digits"),
            ("[\uff61-\uff9f]", "half-width kana"),
            (
                r"(?:(?<!しょ)う|[くぐぶむる]|(?<![でま])す|(?<![でま]し)た|ない|しい|だ)。",
                "a plain ending, where です or ます is due",
            ),
        ),
    ),
}
"""The languages whose typography is checked."""


def typography_problems(lang: str, original: str, text: str) -> Iterator[str]:
    """Yield what is wrong with `text`, the translation of the block `original`; nothing in languages not known here."""
    script = SCRIPTS.get(lang.partition("-")[0])
    if script is None:
        return
    if found := _DEBRIS.search(text):
        yield f"debris of machine translation: {found.group()}"
    translation = words(text)
    for pattern, name in script.rules:
        if found := pattern.search(translation):
            start, end = max(found.start() - 6, 0), found.end() + 6
            yield f"{name}: …{translation[start:end].replace(OBJECT, '▢')}…"
    if len(_WORD.findall(words(original))) > 4 and not re.search(f"[{script.letters}]", translation):
        yield "a passage is left in English"
