"""Reads gettext files, including previous msgids, which Babel takes for comments.

Refuses files that Babel would silently misread: unterminated strings, contexts, plurals, huge headers.
"""

from __future__ import annotations

import io
import re
from email import message_from_string
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import Problem, PylitError
from ..filesystem import read_file
from ..parsing import decode_utf8
from .languages import po_locale
from .po_catalog import PoCatalog
from .po_header import PLACEHOLDERS

if TYPE_CHECKING:
    from babel.messages.catalog import Message

_MISTAKE = re.compile(
    r"""(?m)^[#~ \t]*(?P<context>msgctxt).*"""
    r"""|^#?[ \t]*(?P<conflict><{7}|>{7}|={7}$|\|{7}).*"""
    r"""|^[ \t]*(?:#~[ \t]*)?(?:msg\w+(?:\[\d+\])?[ \t]*)?"(?!(?:[^"\\\n]|\\.)*"[ \t]*$).*"""
)
"""Errors that Babel ignores: it would cut the last letter off a string without a closing quote."""


_PLACES = "\ufdd0"
"""Marks a comment that lists places. Unicode guarantees that no text contains it."""


def read_po(path: Path, lang: str, base: Path | None = None) -> PoCatalog:
    """Read the catalog at `path` below `base`, with all its data.

    Raises:
        PylitError: with the line, if it cannot be read or parsed.
    """
    try:
        data = read_file(path, base)
    except OSError as error:
        raise _wrong(path.as_posix(), 1, error.strerror or str(error)) from error
    return parse_po(data, path.as_posix(), lang)


def parse_po(data: bytes, file: str, lang: str) -> PoCatalog:
    """Parse a catalog, including previous msgids, which Babel writes but treats as comments when reading.

    Raises:
        PylitError: with the line, if it does not parse.
    """
    # Babel does not know previous msgids of obsolete entries.
    text = re.sub(r"(?m)^#~\|", "#|", decode_utf8(data, file))
    # It drops places whose line is a name, so these pass as comments too.
    text = re.sub(r"(?m)^#:", f"#{_PLACES}", text)
    if match := _MISTAKE.search(text):
        line, number = match[0].strip(), text.count("\n", 0, match.start()) + 1
        if match["context"]:
            raise _wrong(file, number, "entries with a msgctxt are not used here; remove it")
        if match["conflict"]:
            raise _wrong(
                file, number, "a conflict of two versions is not resolved; keep one of them, or both texts"
            )
        raise _wrong(file, number, f"the string is not closed on its line: {line}")
    catalog = _parsed(text, file, lang)
    for message in (*catalog, *catalog.obsolete.values()):
        _restore_previous(message)
        _restore_places(message)
    return catalog


def _parsed(text: str, file: str, lang: str) -> PoCatalog:
    """Parse a catalog with Babel.

    Raises:
        PylitError: with the line, if it does not parse.
    """
    from babel.messages.catalog import Catalog as BabelCatalog
    from babel.messages.pofile import PoFileError, PoFileParser

    catalog = PoCatalog(lang)

    class Reader(BabelCatalog):
        """Passes on all that Babel's parser finds, and checks each header before Babel does."""

        def __setitem__(self, id: Any, message: Message) -> None:
            if id:
                catalog.add(message)
                return
            catalog.read_header(message)
            fields = message_from_string(catalog.header).items()
            self.mime_headers = [
                (name, value) for name, value in fields if value.strip() and value.strip() not in PLACEHOLDERS
            ]

    class Obsolete(dict[Any, Any]):
        """Passes on all obsolete entries that Babel's parser finds."""

        def __setitem__(self, id: Any, message: Message) -> None:
            catalog.add(message, is_obsolete=True)

    reader = Reader(locale=po_locale(lang))
    reader.obsolete = Obsolete()
    parser = PoFileParser(reader, abort_invalid=True)
    try:
        parser.parse(io.BytesIO(text.encode()))
    except PoFileError as error:
        raise _wrong(file, error.lineno + 1, re.sub(r" on \d+$", "", str(error).splitlines()[0])) from error
    except MemoryError:
        raise
    except Exception as error:  # Babel does not document which exceptions wrong values raise
        raise _wrong(file, parser.offset + 1, str(error) or type(error).__name__) from error
    return catalog


def _wrong(file: str, line: int, reason: str) -> PylitError:
    hint = "Catalogs are gettext files in UTF-8; run `msgfmt --check` for details."
    return PylitError(Problem(file, line, f"does not parse: {reason}", hint))


def _restore_previous(message: Message) -> None:
    previous = [comment[1:].strip() for comment in message.user_comments if comment.startswith("|")]
    message.user_comments = [comment for comment in message.user_comments if not comment.startswith("|")]
    if previous:
        from babel.messages.pofile import denormalize

        quoted = "\n".join(line.removeprefix("msgid").strip() for line in previous if "msgctxt" not in line)
        message.previous_id = [denormalize(quoted)]


def _restore_places(message: Message) -> None:
    listed = [comment[1:] for comment in message.user_comments if comment.startswith(_PLACES)]
    message.user_comments = [one for one in message.user_comments if not one.startswith(_PLACES)]
    for isolated, plain in re.findall(r"\u2068([^\u2069]*)\u2069|(\S+)", " ".join(listed)):
        name, colon, line = (isolated or plain).rpartition(":")
        is_line = bool(colon) and line.isascii() and line.isdecimal() and len(line) < 10
        message.locations.append((name, int(line)) if is_line else (isolated or plain, None))  # type: ignore[arg-type]


def po_language(path: Path) -> str:
    """Return the language in the header of a catalog; English if there is none."""
    try:
        text = read_file(path).decode("utf-8-sig", "replace")
    except OSError:  # reported when its entries are read
        return "en"
    found = re.search(r'^"Language: ([\w-]+)', text, re.MULTILINE)
    return found.group(1).replace("_", "-") if found else "en"
