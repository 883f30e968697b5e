"""Writes gettext catalogs as Poedit does, with previous msgids, and with the flags of obsolete entries.

Babel loses both: it wraps previous msgids like comments, in the middle of strings.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from textwrap import TextWrapper
from types import MappingProxyType
from typing import TYPE_CHECKING

from .po_catalog import PoCatalog

if TYPE_CHECKING:
    from babel.messages.catalog import Message

WIDTH = 100
"""Line width of a catalog in columns."""
_COMMENTS = TextWrapper(width=WIDTH, break_long_words=False, break_on_hyphens=False)
_HEADER = TextWrapper(width=WIDTH, subsequent_indent="# ", break_long_words=False, break_on_hyphens=False)
_GUESSED = frozenset({"python-format", "python-brace-format"})
"""Flags that Babel guesses, from "3.57 % on ImageNet"."""


def po_text(catalog: PoCatalog, conflicts: Mapping[str, Message] = MappingProxyType({})) -> str:
    """Return a catalog as the text of a file, with the other version of entries in conflict between git's markers."""
    return "\n".join(_lines(catalog, conflicts)) + "\n"


def _lines(catalog: PoCatalog, conflicts: Mapping[str, Message]) -> Iterator[str]:
    for comment in catalog.comment:
        yield from _HEADER.wrap(f"# {comment}".rstrip())
    if catalog.fuzzy:
        yield "#, fuzzy"
    yield 'msgid ""'
    yield f"msgstr {_quoted(catalog.header)}"
    yield ""
    for message in catalog:
        if other := conflicts.get(str(message.id)):
            yield from ("<<<<<<< ours", *_entry(message), "=======", *_entry(other), ">>>>>>> theirs")
        else:
            yield from _entry(message)
        yield ""
    for message in catalog.obsolete.values():
        yield from _comments("", message.user_comments)
        yield from _flags(message)
        if message.fuzzy and message.previous_id:
            yield f"#~| msgid {_quoted(message.previous_id[0], '#~| ')}"
        yield f"#~ msgid {_quoted(str(message.id), '#~ ')}"
        yield f"#~ msgstr {_quoted(str(message.string or ''), '#~ ')}"
        yield ""


def _entry(message: Message) -> Iterator[str]:
    yield from _comments("", message.user_comments)
    yield from _comments(".", message.auto_comments)
    places = sorted(message.locations, key=lambda place: (place[0], place[1] or -1))
    names = dict.fromkeys(f"{name}:{line}" if line else name for name, line in places)
    yield from _comments(":", [" ".join(_isolated(name) for name in names)])
    yield from _flags(message)
    if message.fuzzy and message.previous_id:
        for line in f"msgid {_quoted(message.previous_id[0])}".split("\n"):
            yield f"#| {line}"
    yield f"msgid {_quoted(str(message.id))}"
    yield f"msgstr {_quoted(str(message.string or ''))}"


def _quoted(text: str, prefix: str = "") -> str:
    """Return a text as a string of a catalog, on several lines if it is long."""
    from babel.messages.pofile import normalize

    return normalize(text, prefix=prefix, width=WIDTH)


def _isolated(name: str) -> str:
    """Return a file name in gettext's notation for names with spaces."""
    return f"\u2068{name}\u2069" if " " in name or "\t" in name else name


def _comments(mark: str, comments: list[str]) -> Iterator[str]:
    for comment in comments:
        yield from (f"#{mark} {line.strip()}" for line in _COMMENTS.wrap(comment))


def _flags(message: Message) -> Iterator[str]:
    if flags := sorted(message.flags - _GUESSED):
        yield f"#, {', '.join(flags)}"
