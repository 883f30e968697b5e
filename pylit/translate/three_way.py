"""Joins two versions of a catalog that come from a common one, entry by entry, as a merge driver of git does.

An entry that both sides have translated anew, and differently, is a conflict. Nothing that anybody wrote is lost.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from ..i18n import PoCatalog

if TYPE_CHECKING:
    from babel.messages.catalog import Message

T = TypeVar("T")
_FOLLOWS_THE_DATE = ("Last-Translator", "X-Generator")
_DATES = ("PO-Revision-Date", "POT-Creation-Date")


class Text(NamedTuple):
    """What a translator has written for an entry, and whether it is up to date."""

    string: str
    fuzzy: bool
    previous: tuple[str, ...]

    @property
    def is_finished(self) -> bool:
        """Whether readers see it."""
        return bool(self.string) and not self.fuzzy


def merge_catalogs(base: PoCatalog, ours: PoCatalog, theirs: PoCatalog) -> dict[str, Message]:
    """Change `ours` into what both sides have made of `base`, and return their entries that conflict with ours."""
    sides = [{**side.obsolete, **side.entries} for side in (base, ours, theirs)]
    conflicts: dict[str, Message] = {}
    entries: list[Message] = []
    obsolete: list[Message] = []
    for id in _in_order(
        list(ours.entries) + list(ours.obsolete), list(theirs.entries) + list(theirs.obsolete)
    ):
        old, own, other = (side.get(id) for side in sides)
        text, is_conflict = _merged_text(*(_text(one) for one in (old, own, other)))
        active = _three_way(*(id in side.entries for side in (base, ours, theirs)))
        is_kept = _three_way(*(one is not None for one in (old, own, other)))
        if not is_kept and text == _text(old):
            continue
        message = own or other
        assert message is not None
        _join(message, old, own, other)
        _set(message, text)
        if is_conflict and active and other is not None:
            conflicts[id] = other
        (entries if active else obsolete).append(message)
    ours.replace_entries(entries, obsolete)
    _update_stale(ours, sides[0])
    ours.header = _merged_header(base.header, ours.header, theirs.header)
    ours.comment = _three_way(base.comment, ours.comment, theirs.comment)
    return conflicts


def _in_order(own: list[str], other: list[str]) -> Iterator[str]:
    """Yield all ids in our order, each of theirs after the one that it follows there."""
    following: dict[str, list[str]] = {}
    known, previous = set(own), ""
    for id in other:
        if id not in known:
            following.setdefault(previous, []).append(id)
        else:
            previous = id
    yield from following.get("", [])
    for id in own:
        yield id
        yield from following.get(id, [])


def _three_way(old: T, own: T, other: T) -> T:
    """Return what both sides have made of a value; ours if both have changed it."""
    return other if own == old else own


def _merged_text(old: Text, own: Text, other: Text) -> tuple[Text, bool]:
    """Return the text of an entry, and whether both sides have changed it so that neither can be preferred."""
    if own == other or other == old:
        return own, False
    if own == old:
        return other, False
    if own.is_finished != other.is_finished:
        return (own if own.is_finished else other), False
    if not own.string or not other.string:
        return (own if own.string else other), False
    return own, own.string != other.string


def _text(message: Message | None) -> Text:
    if message is None:
        return Text("", False, ())
    return Text(str(message.string or ""), message.fuzzy, tuple(message.previous_id or ()))


def _set(message: Message, text: Text) -> None:
    message.string, message.previous_id = text.string, list(text.previous)
    message.flags.discard("fuzzy")
    if text.fuzzy:
        message.flags.add("fuzzy")


def _join(message: Message, old: Message | None, own: Message | None, other: Message | None) -> None:
    """Give an entry the comments, places and flags that both sides have made of the old ones."""
    if own is None or other is None:
        return
    first = old or own
    for name in ("user_comments", "auto_comments", "locations"):
        setattr(message, name, _three_way(*(getattr(one, name) for one in (first, own, other))))
    message.flags = set(_three_way(*(one.flags - {"fuzzy"} for one in (first, own, other))))


def _update_stale(catalog: PoCatalog, old: Mapping[str, Message]) -> None:
    """Give stale entries the newer translation, if one side changed the English and the other its translation."""
    for message in catalog:
        previous = str(message.previous_id[0]) if message.fuzzy and message.previous_id else ""
        before, now = old.get(previous), catalog.obsolete.get(previous)
        if before and now and message.string == before.string and _text(now).is_finished:
            message.string = now.string


def _merged_header(old: str, own: str, other: str) -> str:
    """Return our header with what they have changed; of dates the later one."""
    sides = [dict(_fields(header)) for header in (old, own, other)]
    is_later = sides[2].get(_DATES[0], "") > sides[1].get(_DATES[0], "")
    lines = []
    for name in [*sides[1], *(name for name in sides[2] if name not in {**sides[0], **sides[1]})]:
        before, mine, yours = (side.get(name) for side in sides)
        if name in _DATES:
            value = max(mine or "", yours or "")
        elif name in _FOLLOWS_THE_DATE and is_later and yours:
            value = yours
        else:
            value = _three_way(before, mine, yours) or ""
        lines.append(f"{name}: {value}")
    return "".join(f"{line}\n" for line in lines)


def _fields(header: str) -> Iterator[tuple[str, str]]:
    for line in header.split("\n"):
        name, colon, value = line.partition(":")
        if colon:
            yield name.strip(), value.strip()
