"""Exports the catalogs of a site as XLIFF, and imports what comes back, entry by entry.

An imported draft never replaces a finished translation. An entry that was changed on both sides is left as it is, and
reported. Writes only catalogs of pages of the site.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from babel.messages.catalog import Message

from ..errors import Problem, PylitError
from ..filesystem import locate, read_file
from ..i18n import blocks, entry_id, is_alias, parse_po, po_text
from ..site import Page, Site
from .changes import Change
from .merge import merge
from .passages import digest_of, seen_digest
from .update import catalog_details, full_details, place, project_name, read_existing
from .xliff import Unit, XliffFile, read_xliff, xliff_text

SUFFIX = ".xlf"


@dataclass
class Imported:
    """What comes back from translators."""

    changes: list[Change] = field(default_factory=list)
    taken: int = 0
    """Number of entries that are new or different."""
    kept: list[tuple[str, str, str]] = field(default_factory=list)
    """Catalog, id and reason of the entries that stay as they are."""


def export_changes(site: Site, lang: str, pages: Iterable[Page], folder: Path) -> list[Change]:
    """Return the XLIFF files of `pages` in a language as changes.

    Raises:
        PylitError: if a source or a catalog cannot be read, or contains what XML cannot hold.
    """
    glossary = site.translations.glossary(lang)
    changes = []
    for page in pages:
        catalog, _ = read_existing(place(site, lang, page.file), lang, _base(site))
        merge(catalog, blocks(site.sources.source(page.file)), {}, full_details(site))
        name = PurePosixPath(lang, page.file).with_suffix(SUFFIX).as_posix()
        text = xliff_text(catalog, page.file, site.settings.languages[0], glossary)
        changes.append(Change(locate(folder, name), text.encode()))
    return changes


def import_changes(site: Site, files: Iterable[Path]) -> Imported:
    """Return the catalogs with the translations of XLIFF files as changes.

    Raises:
        PylitError: if a file is not XLIFF 1.2, or about no page or language of the site.
    """
    found = Imported()
    pages = {page.file: page for page in site.pages}
    done: set[tuple[str, str]] = set()
    for path in files:
        try:
            data = read_file(path)
        except OSError as error:
            raise PylitError(
                Problem(str(path), 0, f"cannot be read: {error.strerror}", "Name a file.")
            ) from error
        for part in read_xliff(data, str(path)):
            lang = _language(site, part, path)
            if part.file not in pages:
                message = f"is about `{part.file}`, which is not a page of the site"
                raise PylitError(Problem(str(path), 0, message, "Its attribute `original` names the page."))
            if (lang, part.file) in done:
                message = f"is about `{part.file}` in {lang}, as a file before it"
                raise PylitError(Problem(str(path), 0, message, "Import one of them after the other."))
            done.add((lang, part.file))
            _take(site, pages[part.file], lang, part, found)
    return found


def _language(site: Site, part: XliffFile, path: Path) -> str:
    known = site.settings.languages[1:]
    lang = next((one for one in known if is_alias(one, part.lang or "?")), "")
    if not lang:
        message = f"is a translation into `{part.lang}`, which is not a language of the site"
        raise PylitError(
            Problem(str(path), 0, message, f"Languages: {', '.join(known)}; `pylit new` adds one.")
        )
    return lang


def _take(site: Site, page: Page, lang: str, part: XliffFile, found: Imported) -> None:
    path, base = place(site, lang, page.file), _base(site)
    catalog, _ = read_existing(path, lang, base)
    texts = list(blocks(site.sources.source(page.file)))
    units = [unit for unit in part.units if unit.translation.strip()]
    known = {*catalog.entries, *catalog.obsolete, *(block.text for block in texts)}
    known |= {str(message.previous_id[0]) for message in catalog if message.previous_id}
    older = {unit.text: unit for unit in units if unit.is_finished and unit.text not in known}
    if older:  # each may be an earlier version of a block that nobody has translated
        kept = [one for one in catalog if one.string or one.user_comments]
        catalog.replace_entries(kept, catalog.obsolete.values())
    for text, unit in older.items():
        places: list[Any] = [(place, None) for place in unit.places]
        catalog.add(Message(text, unit.translation, places, user_comments=unit.notes))
    merge(catalog, texts, {}, catalog_details(site))
    taken = len(older)
    for unit in units:
        gone = catalog.obsolete.get(unit.text)
        if unit.text in older or (gone and gone.string == unit.translation):
            continue
        message = catalog.entries.get(unit.text) or _successor(catalog.entries, unit)
        if message is None:
            reason = "its original is not on the page any more"
        elif not (reason := _obstacle(message, unit)):
            taken += _set(message, unit)
            continue
        found.kept.append((site.files.name(path), entry_id(unit.text), reason))
    if not taken:
        return
    catalog.complete_header(project_name(site))
    catalog.revise()
    data = po_text(catalog).encode()
    parse_po(data, path.as_posix(), lang)  # it must be read back
    found.changes.append(Change(path, data))
    found.taken += taken


def _base(site: Site) -> Path:
    assert site.settings.translations is not None
    return site.files.root(site.settings.translations)


def _successor(entries: Mapping[str, Message], unit: Unit) -> Message | None:
    """Return the entry whose original has changed since the unit was written; `None` if it is not known."""
    return next(
        (one for one in entries.values() if one.previous_id and str(one.previous_id[0]) == unit.text), None
    )


def _obstacle(message: Message, unit: Unit) -> str:
    """Return why an entry stays as it is although a unit differs from it; empty if it does not."""
    current = str(message.string or "")
    if (current, message.fuzzy) == (unit.translation, not unit.is_finished):
        return ""
    is_done = bool(current) and not message.fuzzy
    if is_done and not unit.is_finished:
        return "the catalog has a finished translation, and this one is a draft"
    # Its original may have changed since, which is no change of the translation.
    known = (
        {seen_digest(message), digest_of(current)} if str(message.id) != unit.text else {seen_digest(message)}
    )
    if current and unit.seen and unit.seen not in known:
        return "it was changed in the catalog too, after it was exported"
    return ""


def _set(message: Message, unit: Unit) -> bool:
    """Give an entry what a unit has; return whether that is something else."""
    before = (message.string, message.fuzzy, list(message.previous_id), list(message.user_comments))
    is_current = str(message.id) == unit.text
    message.string = unit.translation
    message.flags.discard("fuzzy")
    message.previous_id = []
    if not is_current:
        message.previous_id = [unit.text if unit.is_finished else unit.previous or unit.text]
    elif not unit.is_finished and unit.previous:
        message.previous_id = [unit.previous]
    if not is_current or not unit.is_finished:
        message.flags.add("fuzzy")
    new = [note for note in unit.notes if note not in message.user_comments]
    message.user_comments = [*message.user_comments, *new]
    return before != (message.string, message.fuzzy, list(message.previous_id), list(message.user_comments))
