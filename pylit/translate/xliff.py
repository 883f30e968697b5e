"""Catalogs as XLIFF 1.2, for programs of translators that do not read gettext, and back without loss.

The id of a unit is that of its entry. A unit holds the translation and its state, the original that a stale translation
is of, notes, and the terms of the glossary. Refuses XML with a document type, and text that XML cannot hold.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING
from xml.etree import ElementTree

from ..errors import Problem, PylitError
from ..i18n import Glossary, PoCatalog, entry_id, words
from ..parsing import decode_utf8
from .passages import seen_digest

if TYPE_CHECKING:
    from babel.messages.catalog import Message

NAMESPACE = "urn:oasis:names:tc:xliff:document:1.2"
_READ = {f"{{{NAMESPACE}}}xliff", "{urn:oasis:names:tc:xliff:document:1.1}xliff"}
"""What a file may begin with; 1.1 differs in nothing that is read here."""
_LANG = "{http://www.w3.org/XML/1998/namespace}lang"
_SPACE = "{http://www.w3.org/XML/1998/namespace}space"
STALE, DRAFT, DONE = "needs-adaptation", "needs-translation", "translated"
"""States of a target: of an earlier original, a suggestion that nobody has reviewed, and finished."""
_UNFINISHED = frozenset(
    "new needs-translation needs-adaptation needs-l10n"
    " needs-review-translation needs-review-adaptation needs-review-l10n".split()
)
PREVIOUS = "previous-version"
HEADER = "x-gettext-domain-header"
"""Type of a unit that is the header of a catalog, as other programs write it."""
PLACE = "sourcefile"
"""Type of the context that names a definition."""
SEEN = "x-pylit-seen"
"""Type of the context that holds the digest of an entry when it was written."""
_UNFIT = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True)
class Unit:
    """An entry as it comes back from a translator."""

    text: str
    """The original."""
    translation: str
    is_finished: bool
    previous: str
    """The original that a stale translation is of; empty if there is none."""
    places: tuple[str, ...]
    """The definitions that it belongs to."""
    notes: tuple[str, ...]
    """Comments of translators."""
    seen: str
    """Digest of what the catalog had when the unit was written; empty if the program has lost it."""


@dataclass(frozen=True)
class XliffFile:
    """The units of one file of the site."""

    file: str
    lang: str
    units: tuple[Unit, ...]


def xliff_text(catalog: PoCatalog, file: str, source_lang: str, glossary: Glossary) -> str:
    """Return the entries of a catalog that are in use as XLIFF 1.2.

    Raises:
        PylitError: if one contains a character that XML cannot hold.
    """
    root = ElementTree.Element("xliff", {"version": "1.2", "xmlns": NAMESPACE})
    kept = {"original": file, "source-language": source_lang, "target-language": catalog.lang}
    body = ElementTree.SubElement(
        ElementTree.SubElement(root, "file", kept | {"datatype": "plaintext"}), "body"
    )
    for message in catalog:
        _write_unit(body, message, source_lang, catalog.lang, glossary)
    ElementTree.indent(root)
    text = ElementTree.tostring(root, encoding="unicode").replace("\r", "&#13;")
    if match := _UNFIT.search(text):
        reason = f"contains U+{ord(match[0]):04X}, which XML cannot hold"
        raise PylitError(Problem(file, 0, reason, "Remove it from the catalog or the file."))
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{text}\n'


def _write_unit(
    body: ElementTree.Element, message: Message, source_lang: str, lang: str, glossary: Glossary
) -> None:
    text, string = str(message.id), str(message.string or "")
    previous = str(message.previous_id[0]) if message.fuzzy and message.previous_id else ""
    state = STALE if previous else DRAFT if message.fuzzy else DONE
    unit = ElementTree.SubElement(body, "trans-unit", {"id": entry_id(text), _SPACE: "preserve"})
    if string:
        unit.set("approved", "yes" if state == DONE else "no")
    if limit := next((flag[11:] for flag in message.flags if flag.startswith("max-length:")), ""):
        unit.attrib |= {"maxwidth": limit, "size-unit": "char"}
    _add(unit, "source", text, {_LANG: source_lang})
    if string:
        _add(unit, "target", string, {_LANG: lang, "state": state})
    for name, _ in message.locations:
        group = ElementTree.SubElement(unit, "context-group", {"purpose": "location"})
        _add(group, "context", name, {"context-type": PLACE})
    group = ElementTree.SubElement(unit, "context-group", {"name": "pylit", "purpose": "information"})
    _add(group, "context", seen_digest(message), {"context-type": SEEN})
    if message.auto_comments:
        _add(unit, "note", "\n".join(message.auto_comments), {"from": "developer"})
    for comment in message.user_comments:
        _add(unit, "note", comment, {"from": "translator"})
    for term in glossary.terms_in(words(text)):
        never = f"; not {', '.join(term.never)}" if term.never else ""
        hint = f"{term.term}: {', '.join(term.use)}{never}"
        _add(unit, "note", f"{hint}. {term.why}".strip(), {"from": "glossary"})
    if previous:
        other = ElementTree.SubElement(unit, "alt-trans", {"alttranstype": PREVIOUS, "origin": "pylit"})
        _add(other, "source", previous, {_LANG: source_lang})
        _add(other, "target", string, {_LANG: lang})


def _add(parent: ElementTree.Element, tag: str, text: str, attributes: dict[str, str]) -> None:
    ElementTree.SubElement(parent, tag, attributes).text = text


def read_xliff(data: bytes, file: str) -> list[XliffFile]:
    """Parse XLIFF 1.2, with all its files.

    Raises:
        PylitError: if it is something else, has a document type, or a unit without an original.
    """
    text = decode_utf8(data, file)
    hint = "Expected a file that `pylit export` has written, or a program has saved as XLIFF 1.2."
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        raise PylitError(Problem(file, 0, "has a document type", "Remove its <!DOCTYPE …>."))
    try:
        root = ElementTree.fromstring(re.sub(r"\A\s*<\?xml[^>]*\?>", "", text))
    except (ElementTree.ParseError, ValueError) as error:
        raise PylitError(Problem(file, 0, f"is not valid XML: {error}", hint)) from error
    if root.tag not in _READ:
        raise PylitError(Problem(file, 0, "is not XLIFF 1.2", hint))
    for element in root.iter():
        element.tag = str(element.tag).rpartition("}")[2]
    return [
        XliffFile(
            part.get("original", ""),
            part.get("target-language", ""),
            tuple(_unit(unit, file) for unit in part.iter("trans-unit") if unit.get("restype") != HEADER),
        )
        for part in root.iter("file")
    ]


def _unit(unit: ElementTree.Element, file: str) -> Unit:
    source, target = unit.find("source"), unit.find("target")
    if source is None:
        raise PylitError(Problem(file, 0, f"the unit {unit.get('id', '')} has no source"))
    state = target.get("state", DONE) if target is not None else DRAFT
    return Unit(
        text=_text(source),
        translation=_text(target) if target is not None else "",
        is_finished=state not in _UNFINISHED,
        previous=next(_previous(unit), ""),
        notes=tuple(_text(note) for note in unit.findall("note") if note.get("from") == "translator"),
        places=tuple(_contexts(unit, PLACE)),
        seen=next(_contexts(unit, SEEN), ""),
    )


def _contexts(unit: ElementTree.Element, kind: str) -> Iterator[str]:
    yield from (_text(one) for one in unit.iter("context") if one.get("context-type") == kind)


def _previous(unit: ElementTree.Element) -> Iterator[str]:
    for other in unit.findall("alt-trans"):
        source = other.find("source")
        if other.get("alttranstype") == PREVIOUS and source is not None:
            yield _text(source)


def _text(element: ElementTree.Element) -> str:
    return "".join(element.itertext())
