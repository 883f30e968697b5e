"""Reads translations: a gettext catalog gives each block its translation, or the reason why there is none.

A translation that lost a formula, a link or a piece of code is never given out. Writing catalogs is `workshop`'s.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path, PurePath, PurePosixPath
from typing import TYPE_CHECKING, Any, TypeVar

from .errors import Problem, PylitError, Severity

if TYPE_CHECKING:
    from babel.messages.catalog import Catalog as BabelCatalog
    from babel.messages.catalog import Message

_MISTAKE = re.compile(
    r"""(?m)^[#~ \t]*(?P<context>msgctxt).*"""
    r"""|^[ \t]*(?:#~[ \t]*)?(?:msg\w+(?:\[\d+\])?[ \t]*)?"(?!(?:[^"\\\n]|\\.)*"[ \t]*$).*"""
)
"""What Babel would not mind: it would cut the last letter off a string that lacks its closing quote."""


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


AnyPath = TypeVar("AnyPath", bound=PurePath)


def catalog_path(translations: AnyPath, lang: str, file: str) -> AnyPath:
    """Where the catalog of `file` lies: `labml_nn/a.py` -> `translations/zh/labml_nn/a.po`."""
    return translations / lang / PurePosixPath(file).with_suffix(".po")


def load_catalog(path: Path, lang: str) -> Catalog:
    """Read the catalog at `path`; one that does not exist is empty.

    Raises:
        PylitError: with the line, if it does not parse.
    """
    if not path.is_file():
        return Catalog(lang)
    return _catalog(read_messages(path, lang), path.as_posix(), lang)


def parse_catalog(data: bytes, file: str, lang: str) -> Catalog:
    """Read the catalog that holds `data`.

    Raises:
        PylitError: with the line, if it does not parse.
    """
    return _catalog(parse_messages(data, file, lang), file, lang)


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


def read_messages(path: Path, lang: str) -> BabelCatalog:
    """Read the catalog at `path` whole.

    Raises:
        PylitError: with the line, if it cannot be read or does not parse.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise _wrong(path.as_posix(), 1, str(error)) from error
    return parse_messages(data, path.as_posix(), lang)


def parse_messages(data: bytes, file: str, lang: str) -> BabelCatalog:
    """Read a catalog whole, previous msgids included, which Babel writes but takes for comments when it reads.

    Raises:
        PylitError: with the line, if it does not parse.
    """
    from babel.messages.pofile import PoFileError, read_po

    from .source import decode_utf8

    try:
        # What an obsolete entry was before it was obsolete is of no use, and unknown to Babel.
        text = re.sub(r"(?m)^#~\|.*", "", decode_utf8(data, file))
        if match := _MISTAKE.search(text):
            line, number = match[0].strip(), text.count("\n", 0, match.start()) + 1
            if match["context"]:
                raise _wrong(file, number, "entries with a msgctxt are not used here; remove it")
            raise _wrong(file, number, f"the string does not end where its line does: {line}")
        catalog = read_po(io.BytesIO(text.encode()), locale=lang, abort_invalid=True)
    except PoFileError as error:
        raise _wrong(file, error.lineno + 1, re.sub(r" on \d+$", "", str(error).splitlines()[0])) from error
    except (ValueError, LookupError) as error:
        raise _wrong(file, 1, str(error)) from error
    for message in [*catalog, *catalog.obsolete.values()]:
        _restore_previous(message)
    return catalog


def _wrong(file: str, line: int, reason: str) -> PylitError:
    hint = "Catalogs are gettext files in UTF-8; `msgfmt --check` explains."
    return PylitError(Problem(file, line, f"does not parse: {reason}", hint))


def _restore_previous(message: Message) -> None:
    previous = [comment[1:].strip() for comment in message.user_comments if comment.startswith("|")]
    message.user_comments = [comment for comment in message.user_comments if not comment.startswith("|")]
    if previous:
        from babel.messages.pofile import denormalize

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
    from .prose import fixed_parts, words

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


def catalog_as_json(catalog: Catalog) -> list[Any]:
    """All of a catalog as JSON can hold it, but for its file."""
    entries = {text: [found.state.value, found.text, found.line] for text, found in catalog.entries.items()}
    return [entries, [[p.line, p.message, p.hint, p.severity.value] for p in catalog.problems]]


def catalog_from_json(value: Any, file: str, lang: str) -> Catalog | None:
    """What `catalog_as_json` gave, as the catalog in `file`; nothing if it is something else."""
    try:
        entries, problems = value
        return Catalog(
            lang,
            file,
            {text: Translation(State(state), words, line) for text, (state, words, line) in entries.items()},
            tuple(Problem(file, line, message, hint, Severity(s)) for line, message, hint, s in problems),
        )
    except (TypeError, ValueError, AttributeError):
        return None
