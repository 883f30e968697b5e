"""Brings the entries of a catalog in line with the blocks of a source, and loses no translation.

An entry that is gone may be an earlier version of a new block: then the new one gets its translation, as stale. A
translation that only resembles a new block is offered to the translator, and no page shows it. Entries still in use are
never taken for other blocks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from difflib import SequenceMatcher
from typing import TYPE_CHECKING, TypeVar

from ..i18n import Block, PoCatalog, leading_code
from .entries import PLAIN, Details, template, translators_flags

if TYPE_CHECKING:
    from babel.messages.catalog import Message

T = TypeVar("T")
ALIKE = 0.6
"""Similarity, from 0 to 1, from which a text in the same definition is an earlier version of a block."""
ALIKE_ELSEWHERE = 0.75
"""The same for a text from another definition."""


def merge(
    catalog: PoCatalog, found: Iterable[Block], memory: Mapping[str, str], details: Details = PLAIN
) -> None:
    """Update a catalog from the blocks of its source.

    Args:
        catalog: The catalog to update.
        found: The blocks of the source.
        memory: Known translations; a new block gets one as a suggestion, marked fuzzy and without a previous msgid.
        details: What entries tell of their blocks.
    """
    active = {str(message.id): message for message in catalog}
    obsolete = {str(message.id): message for message in catalog.obsolete.values()}
    fresh = template(found, details)
    unknown = []
    for text, message in fresh.items():
        if known := active.get(text) or obsolete.get(text):
            _copy(known, message)
        else:
            unknown.append(message)
    kept = [one for text, one in {**active, **obsolete}.items() if text not in fresh and one.string]
    returned = _restore(unknown, kept)
    for message in fresh.values():
        if not message.string and (suggestion := memory.get(str(message.id))):
            message.string = suggestion
            message.flags.add("fuzzy")
    unknown = [message for message in unknown if not message.string]
    used = _take_earlier_versions(unknown, [one for one in kept if str(one.id) in active])
    _offer_similar([message for message in unknown if not message.string], kept)
    catalog.replace_entries(fresh.values(), [one for one in kept if id(one) not in {*returned, *used}])


def _copy(known: Message, message: Message) -> None:
    """Copy what translators have written in an entry."""
    message.string, message.flags = known.string, message.flags | translators_flags(known)
    message.previous_id, message.user_comments = list(known.previous_id), list(known.user_comments)
    if message.previous_id == [message.id]:
        message.flags.discard("fuzzy")
        message.previous_id = []


def _restore(unknown: Iterable[Message], kept: Iterable[Message]) -> set[int]:
    """Give blocks whose original was restored the translations made of it; return the ids of the entries used."""
    origins = {one.previous_id[0]: one for one in kept if one.fuzzy and one.previous_id}
    used = set()
    for message in unknown:
        if known := origins.get(str(message.id)):
            _copy(known, message)
            used.add(id(known))
    return used


def _take_earlier_versions(unknown: Sequence[Message], gone: Sequence[Message]) -> set[int]:
    """Give blocks the translations of their earlier versions; return the ids of the entries used, each only once."""
    pairs = []
    for score, message, known in _similar(unknown, gone):
        here = _definitions(message) & _definitions(known)
        is_same = leading_code(str(message.id)) == leading_code(str(known.id))
        if is_same and score >= (ALIKE if here else ALIKE_ELSEWHERE):
            pairs.append((score, message, known))
    used: set[int] = set()
    for _, message, known in sorted(pairs, key=lambda pair: -pair[0]):
        if message.string or id(known) in used:
            continue
        _copy(known, message)
        used.add(id(known))
        if not known.fuzzy:
            # The previous msgid is the original that the translation was correct for, not one in between.
            message.previous_id = [str(known.id)]
            message.flags.add("fuzzy")
    return used


def _definitions(message: Message) -> set[str]:
    """Return the definitions that an entry belongs to; the file may have been renamed."""
    return {name.partition(":")[2] for name, line in message.locations if not line}


def _offer_similar(unknown: Sequence[Message], kept: Sequence[Message]) -> None:
    """Give blocks the translation of the most similar text that is gone, as a suggestion."""
    best: dict[int, float] = {}
    for score, message, known in _similar(unknown, kept):
        if score > best.get(id(message), 0):
            best[id(message)] = score
            message.string = known.string
            message.flags.add("fuzzy")


def _similar(
    unknown: Sequence[Message], others: Sequence[Message]
) -> Iterator[tuple[float, Message, Message]]:
    """Yield pairs of a block and an entry with a similar text, with their similarity."""
    for message in unknown:
        for score, other in similar(str(message.id), others, lambda other: str(other.id)):
            yield score, message, other


def similar(text: str, others: Iterable[T], text_of: Callable[[T], str]) -> Iterator[tuple[float, T]]:
    """Yield those of `others` whose text is similar to `text`, each with the similarity, from `ALIKE` to 1."""
    matcher: SequenceMatcher[str] = SequenceMatcher(b=text)
    for other in others:
        matcher.set_seq1(text_of(other))
        if (
            matcher.real_quick_ratio() >= ALIKE
            and matcher.quick_ratio() >= ALIKE
            and (score := matcher.ratio()) >= ALIKE
        ):
            yield score, other
