"""Finds invisible characters, so that nothing can be hidden in code or in a translation.

Some of them change the order in which text is displayed, which then differs from the code that runs; others make
different texts look alike. In code, all are marked. Those that a script or an emoji needs are marked too, but cause no
warning: Persian, for example, needs joiners.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

_CONTROLS = "\x00-\x08\x0b\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u206f"
"""Characters that move the cursor of a terminal or change the text direction. A form feed does neither."""
_BLANKS = (
    "\u115f\u1160\u180e\u200b\u2060-\u2065\u2800\u3164\ufdd0-\ufdef\ufeff\uffa0\ufff0-\ufffb\ufffe\uffff\U00016fe4"
    "\U00013430-\U00013455\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0080-\U000e00ff\U000e01f0-\U000e0fff"
)
"""Invisible characters that no text needs: fillers, controls of rare scripts, and code points that Unicode has
reserved to be invisible or meaningless.
"""
_TAGS = "\U000e0000-\U000e007f"
"""Parts of some flags; they can also spell a hidden message."""
_JOINERS = "\u00ad\u034f\u061c\u17b4\u17b5\u180b-\u180d\u180f\u200c-\u200f\u2028\u2029"
"""Characters that join or separate letters or lines, or set the direction of punctuation."""
_VARIANTS = "\ufe00-\ufe0f\U000e0100-\U000e01ef"
"""Characters that select a variant of the preceding one."""
_HIDDEN = re.compile(f"[{_CONTROLS}{_BLANKS}{_TAGS}{_JOINERS}{_VARIANTS}]")
_UNWANTED = re.compile(f"[{_CONTROLS}{_BLANKS}{_TAGS}\x0c\ue000-\uf8ff]")
_FLAG = re.compile("\U0001f3f4[\U000e0030-\U000e0039\U000e0061-\U000e007a]{3,6}\U000e007f")
_ISOLATES = "\u2066\u2067\u2068"
"""Begin text of another direction, which `_END` ends."""
_END = "\u2069"
_OPTIONAL = re.compile("[\u00ad\u061c\u200c-\u200f]")
"""Characters that translators may use anywhere, to break lines, to join letters, or for punctuation."""
_RUN = 3
"""Maximum number of invisible characters in a row."""
_ROW = re.compile(f"[\u00ad\u061c\u200c-\u200f]{{{_RUN + 1},}}")
_NAMES = {"\x00": "NULL", "\x07": "BELL", "\x08": "BACKSPACE", "\x1b": "ESCAPE", "\x7f": "DELETE"}
"""Names of controls for which Unicode has none."""


class Hidden(NamedTuple):
    """An invisible character."""

    place: int
    character: str
    is_needed: bool
    """Whether the script or emoji around it needs it."""

    @property
    def code(self) -> str:
        """Its code point: `U+202E`."""
        return f"U+{ord(self.character):04X}"

    @property
    def name(self) -> str:
        """Its code point and name."""
        name = unicodedata.name(self.character, _NAMES.get(self.character, ""))
        return f"{self.code} {name}".strip()


def has_hidden(text: str) -> bool:
    """Return whether there may be invisible characters in `text`, of a line or of a whole file."""
    if text.isascii():  # much faster than the search
        return not text.replace("\n", "").replace("\t", "").isprintable()
    return _HIDDEN.search(text) is not None


def hidden_characters(text: str) -> Iterator[Hidden]:
    """Yield the invisible characters of `text`, except those that select a visible variant."""
    if not has_hidden(text):  # true for nearly all code
        return
    in_flags = _places_in_flags(text)
    has_right_to_left = any(unicodedata.bidirectional(c) in ("R", "AL") for c in text if c.isalpha())
    for match in _HIDDEN.finditer(text):
        character, place = match[0], match.start()
        before, after = text[max(0, place - 2) : place], text[place + 1 : place + 2]
        if unicodedata.name(character, "").startswith("VARIATION SELECTOR") and _has_forms(before, after):
            continue
        if character in "\u200e\u200f\u061c":
            is_needed = has_right_to_left
        elif character in "\u200c\u200d":
            is_needed = _is_joined(before, after)
        elif "\u180b" <= character <= "\u180f" and character != "\u180e":
            is_needed = "\u1800" <= before[-1:] <= "\u18af"
        else:
            is_needed = place in in_flags
        yield Hidden(place, character, is_needed)


def _places_in_flags(text: str) -> set[int]:
    """Return the positions of characters that belong to a flag, except for the black flag that it starts with."""
    return {place for match in _FLAG.finditer(text) for place in range(match.start() + 1, match.end())}


def _has_forms(before: str, after: str) -> bool:
    """Return whether the last character of `before` has variants: a symbol, or a Chinese character."""
    last = before[-1:]
    if last.isascii():
        return last in tuple("0123456789#*") and after in ("", "\u20e3")
    return unicodedata.category(last)[0] in "SP" or last in "\u2139" or "CJK" in unicodedata.name(last, "")


def _is_joined(before: str, after: str) -> bool:
    """Return whether a joiner is in an emoji, or follows a letter of a script with joining letters."""
    last = before[-1:]
    if last == "\ufe0f" or "\U0001f3fb" <= last <= "\U0001f3ff":
        last = before[:-1] or last
    if last and after and unicodedata.category(last[-1]) == "So":
        return unicodedata.category(after) in ("So", "Sm")
    return "\u0600" <= last <= "\u0fff" and unicodedata.category(last[-1]) in ("Lo", "Mn", "Mc")


def show_hidden(text: str) -> str:
    """Replace each invisible character by its code point, for places where nothing can be marked."""
    found = {ord(one.character): one.code for one in hidden_characters(text)}
    return text.translate(found) if found else text


@lru_cache(maxsize=256)
def suspicion(code: str) -> str:
    """Return a warning about the invisible characters in a piece of code; empty if it needs all of them."""
    names = dict.fromkeys(one.name for one in hidden_characters(code) if not one.is_needed)
    return f"the code contains {', '.join(names)}, which readers cannot see" if names else ""


HIDDEN_HINT = r"Remove it; in a string, write it as an escape, such as `\u202e`."
"""Hint for an invisible character."""


def unwanted_characters(text: str) -> list[str]:
    """Return the code points of invisible and private-use characters of a translation that no language needs.

    Isolates, which set the direction of a part of a text, are allowed if each of them is ended.
    """
    in_flags = _places_in_flags(text)
    found = {
        match.start()
        for match in _UNWANTED.finditer(text)
        if match.start() not in in_flags and match[0] not in _ISOLATES + _END
    }
    found |= {
        one.place
        for one in hidden_characters(text)
        if not one.is_needed and not _OPTIONAL.match(one.character) and one.character not in _ISOLATES + _END
    }
    found |= {match.start() for match in _ROW.finditer(text)}
    found |= set(_unbalanced(text))
    return list(dict.fromkeys(f"U+{ord(text[place]):04X}" for place in sorted(found)))


def _unbalanced(text: str) -> list[int]:
    """Return the positions of isolates that nothing ends, and of ends without one."""
    open_ones: list[int] = []
    found = []
    for place, character in enumerate(text):
        if character in _ISOLATES:
            open_ones.append(place)
        elif character == _END and open_ones:
            open_ones.pop()
        elif character == _END:
            found.append(place)
    return found + open_ones
