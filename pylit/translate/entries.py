"""The entries of catalogs and templates before anybody has translated them: blocks, and what tells of them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ..i18n import Block

if TYPE_CHECKING:
    from babel.messages.catalog import Message

CODE_LINES = 6
"""Maximum number of lines of code shown to the translator with a block."""
MARKDOWN = "md-text"
"""The flag by which Weblate knows Markdown."""
_GIVEN = re.compile(rf"{MARKDOWN}|max-length:[0-9]+")
"""Flags that follow from the source; all others belong to translators."""


@dataclass(frozen=True)
class Details:
    """What entries tell translators of their blocks, beside the code."""

    has_lines: bool = False
    """Whether references also have the numbers of lines."""
    flags: tuple[str, ...] = ()
    """The flags of all entries."""
    limits: Mapping[str, int] = field(default_factory=dict)
    """Text -> maximum number of characters of its translation."""
    address: Callable[[Block], str] = lambda block: ""
    """Returns where a block is shown on the site; empty if that is not known."""


PLAIN = Details()


def template(found: Iterable[Block], details: Details = PLAIN) -> dict[str, Message]:
    """Return untranslated entries for blocks, by their text."""
    from babel.messages.catalog import Message

    entries: dict[str, Message] = {}
    for block in found:
        message = entries.setdefault(block.text, Message(block.text))
        places: list[tuple[str, int | None]] = [
            (f"{block.file}:{block.within}" if block.within else block.file, None)
        ]
        if details.has_lines and block.line:
            places.append((block.file, block.line))
        message.locations = list(dict.fromkeys([*message.locations, *places]))  # type: ignore[list-item]
        notes = [*_code(block), *filter(None, [details.address(block)])]
        notes = list(dict.fromkeys([*message.auto_comments, *notes]))
        message.auto_comments = sorted(notes, key=is_address)
        message.flags |= set(details.flags)
        if limit := details.limits.get(block.text):
            message.flags.add(f"max-length:{limit}")
    return entries


def is_address(note: str) -> bool:
    """Return whether a note is where a block is shown."""
    return note.startswith(("https://", "http://"))


def _code(block: Block) -> list[str]:
    lines = [line for line in block.code.split("\n") if line.strip()]
    return lines[:CODE_LINES] + ["…"] * (len(lines) > CODE_LINES)


def translators_flags(message: Message) -> set[str]:
    """Return the flags of an entry that do not follow from its source."""
    return {flag for flag in message.flags if not _GIVEN.fullmatch(flag)}
