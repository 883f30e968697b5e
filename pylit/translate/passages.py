"""The passages of a page with their translations, one of which a translator may save or accept at a time.

A catalog is read, brought in line with its source and written back at once, as `pylit update` would do it. Refuses to
replace a translation that the translator has not seen, and text that would not be read back as it was written.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import PylitError
from ..filesystem import read_file
from ..i18n import PoCatalog, State, blocks, entry_id, parse_catalog, parse_po, po_text, read_po
from ..parsing import decode_utf8
from ..site import Page, Site
from .changes import Change, write_changes
from .entries import is_address
from .merge import merge, similar
from .renames import moved_catalogs
from .review import StaleEntry, changed_words
from .update import (
    catalog_details,
    memory_paths,
    place,
    project_name,
    read_existing,
    translation_memory,
)

if TYPE_CHECKING:
    from babel.messages.catalog import Message

MAX_SUGGESTIONS = 3
ATTEMPTS = 5
"""How often a catalog is read again because it was changed while an entry of it was being saved."""


@dataclass(frozen=True)
class Passage:
    """A block of a page, and what its catalog says about it."""

    id: str
    text: str
    """The original as Markdown."""
    translation: str
    """As in the catalog, also if it must not be shown; empty if there is none."""
    state: State
    suggestion: str
    """A translation that nobody has reviewed."""
    changes: tuple[tuple[str, str], ...]
    """Pieces of the original before and after it has changed, if the translation is out of date."""
    obstacle: str
    """Why it cannot be accepted as it is, if it is out of date."""
    code: tuple[str, ...]
    """The first lines of the code beside it."""
    notes: tuple[str, ...]
    """Comments of translators."""
    seen: str
    """Digest of what translators have written, which changes with it."""


class ConflictError(Exception):
    """The entry to be saved is not the one that the translator has seen."""

    def __init__(self, passage: Passage | None) -> None:
        super().__init__("the entry has changed")
        self.passage = passage
        """The entry as it is now; `None` if its block is no longer on the page."""


class RefusedError(Exception):
    """A translation that cannot be saved or accepted, with the reason."""


class CatalogReader:
    """Reads catalogs, and remembers those that have not changed since."""

    def __init__(self) -> None:
        self._known: dict[Path, tuple[tuple[int, int, int], PoCatalog]] = {}

    def __call__(self, path: Path, lang: str, base: Path | None = None) -> PoCatalog:
        """Return the catalog at `path` below `base`, which must not be changed.

        Raises:
            PylitError: if it does not parse.
        """
        status = os.stat(path)
        stamp = (status.st_mtime_ns, status.st_size, status.st_ino)
        if path not in self._known or self._known[path][0] != stamp:
            self._known[path] = (stamp, read_po(path, lang, base))
        return self._known[path][1]


class PassageCatalog:
    """The catalog of a page in a language, in line with its source, which is written only when an entry is saved."""

    def __init__(self, site: Site, page: Page, lang: str, read: CatalogReader) -> None:
        """Read the catalog of a page, if it exists.

        Raises:
            PylitError: if a source or a catalog cannot be read.
        """
        assert site.settings.translations is not None
        base = site.files.root(site.settings.translations)
        self.path = place(site, lang, page.file)
        self.lang = lang
        self.links = site.translations.local_links(lang)
        """Targets that links may have in this language, each with the one that it may replace."""
        self.moved_from = moved_catalogs(site, lang, site.pages).get(page)
        self.memory = translation_memory(memory_paths(site, lang), lang, base, read)
        """Known translations of the whole site."""
        self.catalog, self.before = read_existing(self.path, lang, base, self.moved_from)
        merge(self.catalog, blocks(site.sources.source(page.file)), self.memory, catalog_details(site))
        self.catalog.complete_header(project_name(site))

    def passages(self) -> list[Passage]:
        """Return the passages in the order of the page."""
        data, links = po_text(self.catalog).encode(), self.links
        states = parse_catalog(data, self.path.as_posix(), self.lang, links)
        return [_passage(message, states.lookup(str(message.id)).state, links) for message in self.catalog]

    def passage(self, id: str) -> Passage | None:
        """Return the passage whose entry has an id; `None` if there is none."""
        return next((passage for passage in self.passages() if passage.id == id), None)

    def similar_translations(self, text: str) -> list[tuple[str, str]]:
        """Return the texts of the site most similar to `text`, best first, with their translations; not itself."""
        others = ((known, translation) for known, translation in self.memory.items() if known != text)
        found = sorted(similar(text, others, lambda other: other[0]), key=lambda pair: -pair[0])
        return [other for _, other in found[:MAX_SUGGESTIONS]]

    def save(self, id: str, translation: str) -> None:
        """Write the translation of an entry, as one that is up to date.

        Raises:
            RefusedError: if the catalog would not be read back as it was written.
            PylitError: if it cannot be written.
        """
        message = self._message(id)
        message.string, message.previous_id = translation, []
        message.flags.discard("fuzzy")
        if po_text(self.catalog) != self.before:
            self.catalog.revise()
        try:
            data = po_text(self.catalog).encode()
            kept = parse_po(data, self.path.as_posix(), self.lang).entries[str(message.id)].string
        except (UnicodeEncodeError, PylitError, KeyError) as error:
            raise RefusedError("it contains characters that no catalog can hold") from error
        if kept != translation:
            raise RefusedError("it contains characters that no catalog can hold")
        if data.decode() != self.before or self.moved_from:
            write_changes([Change(self.path, data, moved_from=self.moved_from)])

    def is_on_disk(self) -> bool:
        """Return whether the file is still as it was read."""
        path = self.moved_from or self.path
        try:
            return decode_utf8(read_file(path), path.as_posix()) == self.before
        except FileNotFoundError:
            return not self.before

    def _message(self, id: str) -> Message:
        return next(message for message in self.catalog if entry_id(str(message.id)) == id)


def save_translation(
    open_catalog: Callable[[], PassageCatalog], id: str, seen: str, translation: str | None
) -> Passage:
    """Save the translation of a passage, or accept the one that it has; return the passage as it is then.

    Args:
        open_catalog: Reads the catalog from the disk.
        id: The id of the entry.
        seen: `Passage.seen` of what the translator has seen.
        translation: Markdown; `None` to accept what is there although its original has changed.

    Raises:
        ConflictError: if the entry has changed since it was seen. Nothing is written.
        RefusedError: if it cannot be saved or accepted. Nothing is written.
        PylitError: if the catalog cannot be read or written.
    """
    for _ in range(ATTEMPTS):
        found = open_catalog()
        passage = found.passage(id)
        if passage is None or passage.seen != seen:
            raise ConflictError(passage)
        if translation is None and (passage.obstacle or not passage.changes):
            raise RefusedError(passage.obstacle or "its original has not changed")
        if found.is_on_disk():
            wanted = passage.translation if translation is None else translation
            found.save(id, wanted.replace("\r\n", "\n").strip())
            saved = open_catalog().passage(id)
            assert saved is not None, "its source was just read"
            return saved
    raise RefusedError("another program keeps changing the catalog")


def _passage(message: Message, state: State, links: Mapping[str, str]) -> Passage:
    text, string = str(message.id), str(message.string or "")
    previous = str(message.previous_id[0]) if message.fuzzy and message.previous_id else ""
    is_suggestion = message.fuzzy and not previous
    translation = "" if is_suggestion else string
    entry = StaleEntry(entry_id(text), 0, text, previous, string, links)
    return Passage(
        entry.id,
        text,
        translation,
        state,
        string if is_suggestion else "",
        tuple(changed_words(previous, text)) if previous else (),
        entry.obstacle if previous else "",
        tuple(note for note in message.auto_comments if not is_address(note)),
        tuple(message.user_comments),
        seen_digest(message),
    )


def seen_digest(message: Message) -> str:
    """Return a digest of what translators have written in an entry, which changes with it; suggestions do not count."""
    previous = str(message.previous_id[0]) if message.fuzzy and message.previous_id else ""
    translation = "" if message.fuzzy and not previous else str(message.string or "")
    return digest_of(translation, previous)


def digest_of(translation: str, previous: str = "") -> str:
    """Return the digest of a translation of an original that was `previous`; empty if it has not changed since."""
    return sha256(f"{translation}\0{previous}".encode()).hexdigest()
