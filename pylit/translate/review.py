"""Accepts stale translations that are still right, by the ids of their entries.

Refuses entries whose formulas, code, links or numbers have changed: those must be edited.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from pathlib import Path

from ..filesystem import write_file
from ..i18n import (
    changed_numbers,
    entry_id,
    load_glossary,
    misfits,
    ordered_parts,
    po_language,
    po_text,
    read_po,
)

_WORD = re.compile(r"\w+|[^\w\s]|\s+")
TYPO = 0.6
"""Similarity, from 0 to 1, from which a changed word is the same word without a typo."""


@dataclass(frozen=True)
class StaleEntry:
    """A translation marked as fuzzy."""

    id: str
    """Stays the same wherever the entry is."""
    line: int
    text: str
    """The current original."""
    previous: str
    """The original that was translated; empty for a suggestion, which nobody has reviewed."""
    translation: str
    links: Mapping[str, str] = field(default_factory=dict)
    """Targets that links may have in the language, each with the one that it may replace."""

    @property
    def obstacle(self) -> str:
        """The reason why it cannot be accepted as it is; empty if it can."""
        if ordered_parts(self.previous or self.text) != ordered_parts(self.text):
            return "its formulas, code or links have changed"
        if self.previous and (found := changed_numbers(self.previous, self.text)):
            return f"its numbers have changed: the new original {found}"
        found_parts = misfits(self.text, self.translation, self.links)
        return (
            f"its translation {found_parts[0]}"
            if found_parts
            else changed_numbers(self.text, self.translation)
        )

    @property
    def is_typo(self) -> bool:
        """Whether only letters within words, spaces and punctuation have changed."""
        old, new = _WORD.findall(self.previous), _WORD.findall(self.text)
        for kind, a, b, c, d in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
            before, after = "".join(old[a:b]).strip(), "".join(new[c:d]).strip()
            if kind == "equal" or not re.search(r"\w", before + after):
                continue
            if not before or not after or SequenceMatcher(None, before, after).ratio() < TYPO:
                return False
        return bool(self.previous)

    @property
    def difference(self) -> str:
        """The current original, with the words that changed marked as `[-old-]` and `{+new+}`."""
        out = []
        for before, after in changed_words(self.previous, self.text):
            if before == after:
                out.append(after)
            else:
                out += [f"[-{before}-]"] * bool(before) + [f"{{+{after}+}}"] * bool(after)
        return "".join(out)


def changed_words(previous: str, text: str) -> list[tuple[str, str]]:
    """Return two versions of a text in pieces, each before and after: those with both the same have not changed."""
    old, new = _WORD.findall(previous), _WORD.findall(text)
    matcher = SequenceMatcher(None, old, new, autojunk=False)
    return [("".join(old[a:b]), "".join(new[c:d])) for _, a, b, c, d in matcher.get_opcodes()]


def stale_entries(path: Path) -> list[StaleEntry]:
    """Return the entries marked as fuzzy of the catalog at `path`, with suggestions.

    Raises:
        PylitError: if it does not parse.
    """
    links = _links_of(path)
    return [
        StaleEntry(
            entry_id(str(message.id)),
            message.lineno or 0,
            str(message.id),
            message.previous_id[0] if message.previous_id else "",
            str(message.string),
            links,
        )
        for message in read_po(path, po_language(path))
        if message.fuzzy and message.string
    ]


def _links_of(path: Path) -> Mapping[str, str]:
    """Return the links that the glossary in the folder of a catalog's language lists.

    Raises:
        PylitError: if it is not valid.
    """
    files = (folder / "glossary.yml" for folder in path.absolute().parents)
    found = next(filter(Path.is_file, files), None)
    return load_glossary(found).links if found else {}


def accept(path: Path, ids: Collection[str]) -> int:
    """Mark entries of a catalog, by their ids, as up to date; return their number.

    Raises:
        PylitError: if it does not parse.
    """
    catalog = read_po(path, po_language(path))
    accepted = 0
    for message in catalog:
        if message.fuzzy and entry_id(str(message.id)) in ids:
            message.flags.discard("fuzzy")
            message.previous_id = []
            accepted += 1
    if accepted:
        catalog.revise()
        write_file(path, po_text(catalog).encode())
    return accepted
