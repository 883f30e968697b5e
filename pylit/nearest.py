"""Spelling suggestions and lists of alternatives for messages."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

LONG = 200
"""Maximum length of a word to be compared: the time taken grows with the square of the length."""
MANY = 5000
"""Maximum number of words to compare with."""
TRIES = 100
"""Maximum number of suggestions per page; a page with more unknown words has the same mistake many times."""
SHOWN = 10
"""Maximum number of words listed in a message."""


def nearest(word: str, among: Iterable[str], cutoff: float = 0.6) -> str:
    """Return the most similar word; an empty string if none is similar enough or the comparison would take too long."""
    known = [other for other in among if len(other) <= LONG]
    if len(word) > LONG or len(known) > MANY:
        return ""
    return next(iter(get_close_matches(word, known, 1, cutoff)), "")


def suggest(
    word: str,
    among: Iterable[str],
    otherwise: str = "",
    *,
    then: str = "",
    cutoff: float = 0.6,
    shown: Callable[[str], str] = str,
) -> str:
    """Return a hint that suggests the most similar of some words.

    Args:
        word: The unknown word.
        among: The known words.
        otherwise: Hint to give if no word is similar enough.
        then: Text to append in either case.
        cutoff: Minimum similarity, from 0 to 1.
        shown: Formats a word for the hint.
    """
    near = nearest(word, among, cutoff)
    question = f"Did you mean `{shown(near)}`?" if near else otherwise
    return " ".join(filter(None, [question, then]))


@dataclass
class Guesses:
    """The suggestions for one page, limited in number."""

    left: int = TRIES

    def suggest(
        self,
        word: str,
        among: Callable[[], Iterable[str]],
        otherwise: str,
        *,
        cutoff: float = 0.6,
        shown: Callable[[str], str] = str,
    ) -> str:
        """Like the function `suggest`, but return `otherwise` when the page has used up its suggestions."""
        self.left -= 1
        if self.left < 0:
            return otherwise
        return suggest(word, among(), otherwise, cutoff=cutoff, shown=shown)


def listed(words: Sequence[str]) -> str:
    """Format a list of words for a message, shortened if it is long."""
    shown = [short(word) for word in words[:SHOWN]]
    more = [f"… ({len(words)} in all)"] if len(words) > SHOWN else []
    return ", ".join(shown + more)


def short(text: str) -> str:
    """Shorten text quoted in a message if it is long."""
    return text if len(text) <= LONG else f"{text[:LONG]}…"
