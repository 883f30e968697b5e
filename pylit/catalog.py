"""Reads translations: a gettext catalog gives each block its translation, or the reason why there is none.

A translation that lost a formula, a link or a piece of code is never given out. Writing catalogs is `workshop`'s.
"""

from __future__ import annotations

import io
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from functools import lru_cache
from pathlib import Path, PurePosixPath

from babel.messages.catalog import Catalog as BabelCatalog
from babel.messages.catalog import Message
from babel.messages.pofile import PoFileError, denormalize, read_po

from .errors import Problem, PylitError, Severity
from .prose import fixed_parts, words

_STRING_LINE = re.compile(r'\s*(?:#~\s*)?(?:msg\w+(?:\[\d+\])?\s*)?"')
_WHOLE_STRING_LINE = re.compile(r'\s*(?:#~\s*)?(?:msg\w+(?:\[\d+\])?\s*)?"(?:[^"\\]|\\.)*"\s*')
"""Babel would cut the last letter off a string that lacks its closing quote."""


class State(Enum):
    """How a block stands in a language."""

    TRANSLATED = "translated"
    STALE = "stale"
    """Its English has changed since."""
    MISSING = "missing"
    BROKEN = "broken"
    """It lost a formula, a link or a piece of code, and must not be shown."""


@dataclass(frozen=True, slots=True)
class Translation:
    """One block in another language."""

    state: State
    text: str = ""
    """Markdown; empty unless translated or stale."""
    line: int = 0
    """Its line in the catalog; 0 when it is not there."""


@dataclass(frozen=True)
class Catalog:
    """The translations of one file into one language."""

    lang: str
    file: str = ""
    """Its path; empty when there is none yet."""
    entries: Mapping[str, Translation] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()

    def lookup(self, text: str) -> Translation:
        """The translation of the block `text`."""
        return self.entries.get(text, Translation(State.MISSING))


def catalog_path(translations: Path, lang: str, file: str) -> Path:
    """Where the catalog of `file` lies: `labml_nn/a.py` -> `translations/zh/labml_nn/a.po`."""
    return translations / lang / PurePosixPath(file).with_suffix(".po")


def load_catalog(path: Path, lang: str) -> Catalog:
    """Read the catalog at `path`; one that does not exist is empty.

    Raises:
        PylitError: with the line, if it does not parse.
    """
    if not path.is_file():
        return Catalog(lang)
    file = path.as_posix()
    entries: dict[str, Translation] = {}
    problems = []
    for message in read_messages(path, lang):
        if not isinstance(message.id, str) or not message.id:
            continue
        translation = _translation(message)
        entries[message.id] = translation
        if translation.state is State.BROKEN:
            problems.append(_broken(message, file))
    return Catalog(lang, file, entries, tuple(problems))


def read_messages(path: Path, lang: str) -> BabelCatalog:
    """Read a catalog whole, previous msgids included, which Babel writes but takes for comments when it reads.

    Raises:
        PylitError: with the line, if it does not parse.
    """

    def wrong(line: int, reason: str) -> PylitError:
        hint = "Catalogs are gettext files in UTF-8; `msgfmt --check` explains."
        return PylitError(Problem(path.as_posix(), line, f"does not parse: {reason}", hint))

    try:
        # What an obsolete entry was before it was obsolete is of no use, and unknown to Babel.
        text = re.sub(r"(?m)^#~\|.*", "", path.read_text("utf-8-sig"))
        for number, line in enumerate(text.split("\n"), 1):
            if line.lstrip("#~ \t").startswith("msgctxt"):
                raise wrong(number, "entries with a msgctxt are not used here; remove it")
            if _STRING_LINE.match(line) and not _WHOLE_STRING_LINE.fullmatch(line):
                raise wrong(number, f"the string does not end where its line does: {line.strip()}")
        catalog = read_po(io.BytesIO(text.encode()), locale=lang, abort_invalid=True)
    except PoFileError as error:
        raise wrong(error.lineno + 1, re.sub(r" on \d+$", "", str(error).splitlines()[0])) from error
    except (ValueError, LookupError, OSError) as error:
        raise wrong(1, str(error)) from error
    for message in [*catalog, *catalog.obsolete.values()]:
        _restore_previous(message)
    return catalog


def _restore_previous(message: Message) -> None:
    previous = [comment[1:].strip() for comment in message.user_comments if comment.startswith("|")]
    message.user_comments = [comment for comment in message.user_comments if not comment.startswith("|")]
    if previous:
        quoted = "\n".join(line.removeprefix("msgid").strip() for line in previous if "msgctxt" not in line)
        message.previous_id = [denormalize(quoted)]


def _translation(message: Message) -> Translation:
    text = message.string if isinstance(message.string, str) else ""
    line = message.lineno or 0
    if not text.strip():
        return Translation(State.MISSING, "", line)
    assert isinstance(message.id, str)
    against = message.id
    if message.fuzzy:
        if not message.previous_id:
            return Translation(State.MISSING, "", line)  # a suggestion nobody has looked at
        against = message.previous_id[0]
    if misfits(against, text):
        return Translation(State.BROKEN, "", line)
    return Translation(State.STALE if message.fuzzy else State.TRANSLATED, text, line)


def misfits(original: str, translation: str) -> list[str]:
    """Why a translation cannot stand for its original: what it lacks, what it has too much, what readers cannot see."""
    wanted, got = fixed_parts(original), fixed_parts(translation)
    found = [f"lacks the {kind} `{text}`" for kind, text in (wanted - got)]
    found += [f"has the {kind} `{text}` that the original lacks" for kind, text in (got - wanted)]
    found += [
        f"has the invisible character U+{ord(c):04X}" for c in dict.fromkeys(_INVISIBLE.findall(translation))
    ]
    if not found:
        stray = set(_MARKUP.findall(words(translation))) - set(_MARKUP.findall(words(original)))
        found += [f"has a `{mark}` that nothing closes" for mark in sorted(stray)]
    return found


_INVISIBLE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b\u202a-\u202e\u2060-\u2064\u2066-\u2069\ue000-\uf8ff\ufeff]"
)
"""Control characters, those that change the direction of what follows, and private ones."""
_MARKUP = re.compile(r"\*\*|`|\$|\]\(|~~")


def _broken(message: Message, file: str) -> Problem:
    assert isinstance(message.id, str) and isinstance(message.string, str)
    parts = misfits(message.id, message.string)
    return Problem(
        file,
        message.lineno or 0,
        f"a translation {'; '.join(parts) or 'does not fit its previous original'}",
        "It is left out until it has the same formulas, code and links as the original.",
        Severity.WARNING,
    )


@lru_cache(maxsize=64)
def cached_catalog(path: Path, lang: str, stamp: tuple[int, int] | None) -> Catalog:
    """`load_catalog`, once for each state of the file; `stamp` is its time of change and size."""
    return load_catalog(path, lang)


def stamp(path: Path) -> tuple[int, int] | None:
    """What changes when the file at `path` does."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size
