"""Reads translations: a gettext catalog provides the translation of each block, or the reason why there is none.

A translation that lost a formula, a link or a piece of code is never returned. `po` parses the files.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import astuple, dataclass, field, replace
from enum import Enum
from operator import add
from pathlib import Path, PurePath, PurePosixPath
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, TypeVar

from ..errors import Problem, Severity
from ..filesystem import is_entry
from ..parsing import SpanKind, find_spans, unwanted_characters
from .blocks import PartKind, entry_id, fixed_parts, matched_parts, words
from .po import parse_po, read_po

if TYPE_CHECKING:
    from babel.messages.catalog import Message

NO_LINKS: Mapping[str, str] = MappingProxyType({})
MORE = "…"
"""Replaces the removed parts of a stale translation."""


_ALLOW = re.compile(r"\bpylit: allow\b:?(.*)", re.DOTALL)


class State(Enum):
    """The state of a block in a language."""

    TRANSLATED = "translated"
    STALE = "stale"
    """The original has changed since it was translated."""
    MISSING = "missing"
    BROKEN = "broken"
    """It lost a formula, a link or a piece of code, and must not be shown."""


@dataclass(frozen=True, slots=True)
class Translation:
    """The translation of a block."""

    state: State
    text: str = ""
    """Markdown; empty unless translated or stale."""
    line: int = 0
    """Its line in the catalog; 0 if it has no entry."""
    allowed: str | None = None
    """Why the translator keeps a wording that `pylit check` would report; `None` if there is no such comment."""


@dataclass(frozen=True)
class Catalog:
    """The translations of one file into one language."""

    lang: str
    file: str = ""
    """Its path; empty if it does not exist."""
    entries: Mapping[str, Translation] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()

    def lookup(self, text: str) -> Translation:
        """Return the translation of the block `text`."""
        return self.entries.get(text, Translation(State.MISSING))


@dataclass(frozen=True, slots=True)
class Counts:
    """The number of blocks of a file by state, in one language."""

    blocks: int = 0
    translated: int = 0
    stale: int = 0
    missing: int = 0
    broken: int = 0

    @property
    def share(self) -> float:
        """Fraction that is translated and up to date, from 0 to 1."""
        return self.translated / self.blocks if self.blocks else 1.0

    def __add__(self, other: Counts) -> Counts:
        """Return the numbers of both."""
        return Counts(*map(add, astuple(self), astuple(other)))


def count_states(texts: Iterable[str], catalog: Catalog) -> Counts:
    """Count the blocks `texts`, each once, by the state of their translations."""
    states = [catalog.lookup(text).state for text in dict.fromkeys(texts)]
    found = [states.count(state) for state in (State.TRANSLATED, State.STALE, State.MISSING, State.BROKEN)]
    return Counts(len(states), *found)


AnyPath = TypeVar("AnyPath", bound=PurePath)


def catalog_path(translations: AnyPath, lang: str, file: str) -> AnyPath:
    """Return the path of the catalog of `file`: `labml_nn/a.py` -> `translations/zh/labml_nn/a.po`."""
    return translations / lang / PurePosixPath(file).with_suffix(".po")


def load_catalog(
    path: Path, lang: str, base: Path | None = None, links: Mapping[str, str] = NO_LINKS
) -> Catalog:
    """Read the catalog at `path` below `base`; return an empty one if it does not exist. For `links`, see `misfits`.

    Raises:
        PylitError: with the line, if it does not parse.
    """
    if not is_entry(path):
        return Catalog(lang)
    return _catalog(read_po(path, lang, base), path.as_posix(), lang, links)


def parse_catalog(data: bytes, file: str, lang: str, links: Mapping[str, str] = NO_LINKS) -> Catalog:
    """Parse the content `data` of a catalog. For `links`, see `misfits`.

    Raises:
        PylitError: with the line, if it does not parse.
    """
    return _catalog(parse_po(data, file, lang), file, lang, links)


def _catalog(messages: Iterable[Message], file: str, lang: str, links: Mapping[str, str]) -> Catalog:
    entries: dict[str, Translation] = {}
    problems = []
    for message in messages:
        if not isinstance(message.id, str) or not message.id:
            continue
        translation = replace(_translation(message, links), allowed=_allowed(message))
        entries[message.id] = translation
        if translation.state is State.BROKEN:
            problems.append(_broken(message, file, links))
    return Catalog(lang, file, entries, tuple(problems))


def _translation(message: Message, links: Mapping[str, str]) -> Translation:
    text = message.string if isinstance(message.string, str) else ""
    line = message.lineno or 0
    if not text.strip():
        return Translation(State.MISSING, "", line)
    assert isinstance(message.id, str)
    if not message.fuzzy:
        if misfits(message.id, text, links):
            return Translation(State.BROKEN, "", line)
        return Translation(State.TRANSLATED, text, line)
    if not message.previous_id:
        return Translation(State.MISSING, "", line)  # a suggestion that has not been reviewed
    if misfits(message.previous_id[0], text, links):
        return Translation(State.BROKEN, "", line)
    kept = inert(message.id, text, links)
    return Translation(State.STALE if kept else State.MISSING, kept, line)


def _allowed(message: Message) -> str | None:
    """Return the reason in the comment `# pylit: allow REASON`, which may go on over several lines."""
    match = _ALLOW.search(" ".join(message.user_comments))
    return match[1].strip() if match else None


def inert(original: str, translation: str, links: Mapping[str, str] = NO_LINKS) -> str:
    """Remove formulas, code, links and tags from a stale translation that are not in the current original.

    The catalog records which original was translated, but may be wrong, so the current source decides. A link is
    reduced to its text, a formula or code to `…`. Returns an empty string if this is not possible.
    """
    wanted = fixed_parts(original)
    strange = matched_parts(translation, wanted, links) - wanted
    if not strange:
        return translation
    targets = {part.text for part in strange if part.kind in (PartKind.LINK, PartKind.PICTURE)}
    texts = {part.text for part in strange}
    pieces: list[tuple[int, int, str]] = []
    for span in find_spans(translation):
        if span.kind is SpanKind.LINK and span.target in targets:
            pieces += [(span.start, span.start + 1, ""), (span.label, span.end, "")]
        elif span.kind is SpanKind.IMAGE and span.target in targets:
            pieces.append((span.start, span.end, ""))
        elif span.kind not in (SpanKind.LINK, SpanKind.IMAGE, SpanKind.ESCAPE):
            inside = {part.text for part in fixed_parts(translation[span.start : span.end])}
            if inside & texts:
                pieces.append((span.start, span.end, "" if span.kind is SpanKind.HTML else MORE))
    out, done = [], 0
    for start, end, new in sorted(pieces):
        if start >= done:
            out += [translation[done:start], new]
            done = end
    text = "".join([*out, translation[done:]])
    return "" if matched_parts(text, wanted, links) - wanted else text


def misfits(original: str, translation: str, links: Mapping[str, str] = NO_LINKS) -> list[str]:
    """Return the reasons why a translation does not fit its original: missing, extra or invisible parts.

    Args:
        original: The original.
        translation: The translation.
        links: Target of a link or picture in the reader's language -> the one that it may replace.
    """
    wanted = fixed_parts(original)
    got = matched_parts(translation, wanted, links)
    found = [f"lacks the {part}" for part in (wanted - got)]
    found += [f"has the extra {part}" for part in (got - wanted)]
    found += [f"has the invisible character {code}" for code in unwanted_characters(translation)]
    found += [f"lacks the link `[…][{label}]`" for label in _labels(original) - _labels(translation)]
    if _PARAGRAPHS.search(translation.strip()) and not _PARAGRAPHS.search(original):
        found.append("has several paragraphs, where the original has one")
    if not found:
        stray = set(_MARKUP.findall(words(translation))) - set(_MARKUP.findall(words(original)))
        found += [f"has an unclosed `{mark}`" for mark in sorted(stray)]
    return found


def _labels(text: str) -> Counter[str]:
    """Count the labels of reference links, `[text][label]`, which are defined elsewhere in the file."""
    return Counter(
        " ".join((match["label"] or match["text"]).split()).casefold()
        for match in _REFERENCE.finditer(words(text))
    )


_REFERENCE = re.compile(r"\[(?P<text>[^\[\]]{1,500})\]\[(?P<label>[^\[\]]{0,500})\]")
_PARAGRAPHS = re.compile(r"\n[ \t]*\n")
_MARKUP = re.compile(r"\*\*|`|\$|\]\(|~~")


def _broken(message: Message, file: str, links: Mapping[str, str]) -> Problem:
    assert isinstance(message.id, str) and isinstance(message.string, str)
    parts = misfits(message.id, message.string, links)
    return Problem(
        file,
        message.lineno or 0,
        f"a translation {'; '.join(parts) or 'does not fit its previous original'}",
        "It is not shown until it has the same formulas, code and links as the original. "
        f"Entry {entry_id(message.id)}.",
        Severity.WARNING,
    )


def catalog_as_json(catalog: Catalog) -> list[Any]:
    """Return a catalog, except its file, as a JSON-serializable list."""
    entries = {
        text: [found.state.value, found.text, found.line, found.allowed]
        for text, found in catalog.entries.items()
    }
    return [entries, [[p.line, p.message, p.hint, p.severity.value] for p in catalog.problems]]


def catalog_from_json(value: Any, file: str, lang: str) -> Catalog | None:
    """Restore the result of `catalog_as_json` as the catalog in `file`; return `None` if it is not valid."""
    try:
        entries, problems = value
        return Catalog(
            lang,
            file,
            {text: _kept_translation(*entry) for text, entry in entries.items()},
            tuple(Problem.from_json([file, *problem]) for problem in problems),
        )
    except (TypeError, ValueError, AttributeError):
        return None


def _kept_translation(state: Any, text: Any, line: Any, allowed: Any) -> Translation:
    if not isinstance(text, str) or not isinstance(line, int) or not isinstance(allowed, str | None):
        raise TypeError("not a translation")
    return Translation(State(state), text, line, allowed)
