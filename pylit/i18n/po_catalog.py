"""A gettext catalog that keeps what other tools write into it: header fields, the order of entries, comments, flags.

Refuses entries that occur twice or have a plural, and headers of another language.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from .languages import has_locale, is_same_language, native_name, po_locale
from .po_header import check_header, completed_header, header_fields

if TYPE_CHECKING:
    from babel.messages.catalog import Message


@dataclass
class PoCatalog:
    """A catalog of the language `lang`."""

    lang: str
    header: str = ""
    """The header's fields as they were read; empty if there is none."""
    comment: list[str] = field(default_factory=list)
    """The lines of the comment above the header, without `#`."""
    fuzzy: bool = False
    """Whether the header is marked as fuzzy."""
    entries: dict[str, Message] = field(default_factory=dict)
    """By their msgid."""
    obsolete: dict[str, Message] = field(default_factory=dict)

    def __iter__(self) -> Iterator[Message]:
        return iter(self.entries.values())

    def add(self, message: Message, *, is_obsolete: bool = False) -> None:
        """Add an entry that was read.

        Raises:
            ValueError: if it is there already, or has a plural.
        """
        if not isinstance(message.id, str):
            raise ValueError("entries with a msgid_plural are not used here; remove it")
        if first := self.entries.get(message.id) or self.obsolete.get(message.id):
            raise ValueError(
                f"the same entry is in line {first.lineno}; keep the better translation, remove the other"
            )
        (self.obsolete if is_obsolete else self.entries)[message.id] = message

    def read_header(self, message: Message) -> None:
        """Take over the header of a file.

        Raises:
            ValueError: if it is not valid, the second one, or that of another language.
        """
        text = str(message.string)
        if self.header:
            raise ValueError("the file has two headers; remove one of them")
        check_header(text)
        named = dict(header_fields(text)).get("language", "")
        if named not in ("", "LANGUAGE") and not is_same_language(named, self.lang):
            wanted = f"`Language: {po_locale(self.lang)}`"
            raise ValueError(
                f"its header has `Language: {named}`; expected {wanted}, as it is a catalog of {self.lang}"
            )
        self.header, self.comment, self.fuzzy = text, message.user_comments, message.fuzzy

    def replace_entries(self, entries: Iterable[Message], obsolete: Iterable[Message]) -> None:
        """Replace all entries."""
        self.entries = {str(message.id): message for message in entries}
        self.obsolete = {str(message.id): message for message in obsolete}

    def complete_header(self, project: str) -> None:
        """Add the fields that gettext expects and the header lacks; all others are kept."""
        now = _now()
        # Without these addresses, every tool would ask for them.
        wanted = {
            "Project-Id-Version": f"{project} 1",
            "Report-Msgid-Bugs-To": "noreply@example.org",
            "POT-Creation-Date": now,
            "PO-Revision-Date": now,
            "Last-Translator": f"{project} translators <noreply@example.org>",
            "Language": po_locale(self.lang),
            "Language-Team": f"{native_name(self.lang)} <noreply@example.org>",
            **self._plural_forms(),
            "MIME-Version": "1.0",
            "Content-Type": "text/plain; charset=utf-8",
            "Content-Transfer-Encoding": "8bit",
        }
        self.header, self.fuzzy = completed_header(self.header, wanted), False

    def revise(self) -> None:
        """Set the date of the last revision to now."""
        self.header = completed_header(self.header, {}, {"PO-Revision-Date": _now()})

    def complete_template_header(self, project: str) -> None:
        """Add the fields of a template that the header lacks. Those that a translator fills in are empty."""
        wanted = {
            "Project-Id-Version": f"{project} 1",
            "Report-Msgid-Bugs-To": "noreply@example.org",
            "POT-Creation-Date": _now(),
            "PO-Revision-Date": "YEAR-MO-DA HO:MI+ZONE",
            "Last-Translator": "FULL NAME <EMAIL@ADDRESS>",
            "Language": "",
            "Language-Team": "LANGUAGE <LL@li.org>",
            "MIME-Version": "1.0",
            "Content-Type": "text/plain; charset=utf-8",
            "Content-Transfer-Encoding": "8bit",
        }
        self.header, self.fuzzy = completed_header(self.header, wanted), True

    def revise_template(self) -> None:
        """Set the date at which a template was made to now."""
        self.header = completed_header(self.header, {}, {"POT-Creation-Date": _now()})

    def _plural_forms(self) -> dict[str, str]:
        if not has_locale(self.lang):
            return {}
        from babel.messages.plurals import get_plural

        number, expression, *_ = get_plural(po_locale(self.lang))
        return {"Plural-Forms": f"nplurals={number}; plural={expression};"}


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%d %H:%M+0000")
