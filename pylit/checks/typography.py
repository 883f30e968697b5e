"""Finds typical flaws of machine translation and haste.

In all languages, these are debris and passages that are not translated; in Chinese and Japanese also punctuation of the
wrong width or language, and in Japanese sentences in a different style.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from ..i18n import OBJECT, words

_HAN = "\u3400-\u4dbf\u4e00-\u9fff"
_KANA = "\u3005\u3041-\u30ff"
_FULL = "，。；：！？、"
_DEBRIS = re.compile(r"@@+|_\^_\d+_\^_|\^_\^")
_WORD = re.compile(r"[A-Za-z]{2,}")


@dataclass(frozen=True)
class WritingSystem:
    """Typographic rules of a language."""

    name: str
    letters: str
    """Its letters, for a character class."""
    own: tuple[tuple[str, str], ...] = ()
    """Rules of this language only: patterns of mistakes, each with a description."""

    @cached_property
    def rules(self) -> tuple[tuple[re.Pattern[str], str], ...]:
        """All rules: patterns of mistakes, each with a description."""
        its, one = self.letters, f"[{self.letters}{OBJECT}]"
        common = (
            (rf"[{_FULL}]{{2,}}", "doubled punctuation"),
            (rf"{one}[,;:!?](?={one})", f"half-width punctuation between {self.name} characters"),
            (rf"[{its}]\.(?:$|\s|(?=[{its}]))", "a half-width full stop"),
            (rf"\((?=[^()]*[{its}])[^()]*\)", f"half-width parentheses around {self.name}"),
            (rf"[{its}][A-Za-z0-9]|[A-Za-z0-9][{its}]", f"no space between {self.name} and Latin"),
            (rf"[{its}] +[{its}]", f"a space between {self.name} characters"),
            (rf" [{_FULL}]|[{_FULL}] ", "a space next to full-width punctuation"),
        )
        return tuple((re.compile(pattern), name) for pattern, name in (*common, *self.own))


SCRIPTS = {
    "zh": WritingSystem("Chinese", _HAN),
    "ja": WritingSystem(
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
MANY = 5
"""Minimum number of words of a passage that should be translated; fewer may be a name."""


def typography_problems(lang: str, original: str, text: str) -> Iterator[str]:
    """Yield the mistakes in `text`, the translation of the block `original`."""
    if found := _DEBRIS.search(text):
        yield f"debris of machine translation: {found.group()}"
    script = SCRIPTS.get(lang.partition("-")[0])
    translation = words(text)
    is_long = len(_WORD.findall(words(original))) >= MANY
    if script is None:
        if is_long and translation == words(original):
            yield "a passage is left as it is in the original; translate it, or leave its translation empty"
        return
    for pattern, name in script.rules:
        if found := pattern.search(translation):
            start, end = max(found.start() - 6, 0), found.end() + 6
            yield f"{name}: …{translation[start:end].replace(OBJECT, '▢')}…"
    if is_long and not re.search(f"[{script.letters}]", translation):
        yield "a passage is left in English"
