"""Reads translations: a gettext catalog provides the translation of each block, or the reason why there is none.

A translation that lost a formula, a link or a piece of code is never returned. `po` parses the files.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path, PurePath, PurePosixPath
from typing import TYPE_CHECKING, Any, TypeVar

from ..errors import Problem, Severity
from ..filesystem import is_entry
from ..parsing import SpanKind, find_spans, unwanted_characters
from .blocks import PartKind, entry_id, fixed_parts, words
from .po import parse_po, read_po

if TYPE_CHECKING:
    from babel.messages.catalog import Message

MORE = "…"
"""Replaces the removed parts of a stale translation."""


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


AnyPath = TypeVar("AnyPath", bound=PurePath)


def catalog_path(translations: AnyPath, lang: str, file: str) -> AnyPath:
    """Return the path of the catalog of `file`: `labml_nn/a.py` -> `translations/zh/labml_nn/a.po`."""
    return translations / lang / PurePosixPath(file).with_suffix(".po")


def load_catalog(path: Path, lang: str, base: Path | None = None) -> Catalog:
    """Read the catalog at `path` below `base`; return an empty one if it does not exist.

    Raises:
        PylitError: with the line, if it does not parse.
    """
    if not is_entry(path):
        return Catalog(lang)
    return _catalog(read_po(path, lang, base), path.as_posix(), lang)


def parse_catalog(data: bytes, file: str, lang: str) -> Catalog:
    """Parse the content `data` of a catalog.

    Raises:
        PylitError: with the line, if it does not parse.
    """
    return _catalog(parse_po(data, file, lang), file, lang)


def _catalog(messages: Iterable[Message], file: str, lang: str) -> Catalog:
    entries: dict[str, Translation] = {}
    problems = []
    for message in messages:
        if not isinstance(message.id, str) or not message.id:
            continue
        translation = _translation(message)
        entries[message.id] = translation
        if translation.state is State.BROKEN:
            problems.append(_broken(message, file))
    return Catalog(lang, file, entries, tuple(problems))


def _translation(message: Message) -> Translation:
    text = message.string if isinstance(message.string, str) else ""
    line = message.lineno or 0
    if not text.strip():
        return Translation(State.MISSING, "", line)
    assert isinstance(message.id, str)
    if not message.fuzzy:
        if misfits(message.id, text):
            return Translation(State.BROKEN, "", line)
        return Translation(State.TRANSLATED, text, line)
    if not message.previous_id:
        return Translation(State.MISSING, "", line)  # a suggestion that has not been reviewed
    if misfits(message.previous_id[0], text):
        return Translation(State.BROKEN, "", line)
    kept = inert(message.id, text)
    return Translation(State.STALE if kept else State.MISSING, kept, line)


def inert(original: str, translation: str) -> str:
    """Remove formulas, code, links and tags from a stale translation that are not in the current original.

    The catalog records which original was translated, but may be wrong, so the current source decides. A link is
    reduced to its text, a formula or code to `…`. Returns an empty string if this is not possible.
    """
    strange = fixed_parts(translation) - fixed_parts(original)
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
    return "" if fixed_parts(text) - fixed_parts(original) else text


def misfits(original: str, translation: str) -> list[str]:
    """Return the reasons why a translation does not fit its original: missing, extra or invisible parts."""
    wanted, got = fixed_parts(original), fixed_parts(translation)
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


def _broken(message: Message, file: str) -> Problem:
    assert isinstance(message.id, str) and isinstance(message.string, str)
    parts = misfits(message.id, message.string)
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
    entries = {text: [found.state.value, found.text, found.line] for text, found in catalog.entries.items()}
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


def _kept_translation(state: Any, text: Any, line: Any) -> Translation:
    if not isinstance(text, str) or not isinstance(line, int):
        raise TypeError("not a translation")
    return Translation(State(state), text, line)
