"""Gettext files: reads them with previous msgids, which Babel takes for comments, and writes them in Poedit's format.

Refuses files that Babel would silently misread: unterminated strings, contexts, huge headers.
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

if TYPE_CHECKING:
    from babel.messages.catalog import Catalog as BabelCatalog
    from babel.messages.catalog import Message

WIDTH = 100
"""Line width of a catalog in columns."""
SHOWN = 60
"""Maximum number of characters quoted from a wrong value."""
MAX_HEADER = 20_000
"""Maximum length of a header in characters."""
MAX_PLURALS = 9
"""Maximum number of plural forms: Arabic has six."""
_PLURALS = re.compile(
    rf"\s*nplurals\s*=\s*[1-{MAX_PLURALS}]\s*;\s*plural\s*=[n0-9\s()?:!=<>&|%+*/-]{{1,500}};?\s*"
)
_MISTAKE = re.compile(
    r"""(?m)^[#~ \t]*(?P<context>msgctxt).*"""
    r"""|^[ \t]*(?:#~[ \t]*)?(?:msg\w+(?:\[\d+\])?[ \t]*)?"(?!(?:[^"\\\n]|\\.)*"[ \t]*$).*"""
)
"""Errors that Babel ignores: it would cut the last letter off a string without a closing quote."""


def read_po(path: Path, lang: str, base: Path | None = None) -> BabelCatalog:
    """Read the catalog at `path` below `base`, with all its data.

    Raises:
        PylitError: with the line, if it cannot be read or parsed.
    """
    try:
        data = read_file(path, base)
    except OSError as error:
        raise _wrong(path.as_posix(), 1, error.strerror or str(error)) from error
    return parse_po(data, path.as_posix(), lang)


def parse_po(data: bytes, file: str, lang: str) -> BabelCatalog:
    """Parse a catalog, including previous msgids, which Babel writes but treats as comments when reading.

    Raises:
        PylitError: with the line, if it does not parse.
    """
    # Babel does not know previous msgids of obsolete entries, which are useless.
    text = re.sub(r"(?m)^#~\|.*", "", decode_utf8(data, file))
    if match := _MISTAKE.search(text):
        line, number = match[0].strip(), text.count("\n", 0, match.start()) + 1
        if match["context"]:
            raise _wrong(file, number, "entries with a msgctxt are not used here; remove it")
        raise _wrong(file, number, f"the string is not closed on its line: {line}")
    catalog = _parsed(text, file, lang)
    for message in [*catalog, *catalog.obsolete.values()]:
        _restore_previous(message)
    return catalog


def _parsed(text: str, file: str, lang: str) -> BabelCatalog:
    """Parse a catalog with Babel, after checking its header.

    Raises:
        PylitError: with the line, if it does not parse.
    """
    from babel.messages.catalog import Catalog as BabelCatalog
    from babel.messages.pofile import PoFileError, PoFileParser

    class Checked(BabelCatalog):
        """A catalog that checks each header before Babel does, wherever it is in the file."""

        def __setitem__(self, id: Any, message: Message) -> None:
            if id == "":
                check_header(str(message.string))
            super().__setitem__(id, message)

    catalog = Checked(locale=lang)
    parser = PoFileParser(catalog, abort_invalid=True)
    try:
        parser.parse(io.BytesIO(text.encode()))
    except PoFileError as error:
        raise _wrong(file, error.lineno + 1, re.sub(r" on \d+$", "", str(error).splitlines()[0])) from error
    except MemoryError:
        raise
    except Exception as error:  # Babel does not document which exceptions wrong values raise
        raise _wrong(file, parser.offset + 1, str(error) or type(error).__name__) from error
    return catalog


def check_header(header: str) -> None:
    """Refuse a header that is too long, or has more plural forms than any language.

    Raises:
        ValueError: with the reason.
    """
    if len(header) > MAX_HEADER:
        raise ValueError(f"its header has {len(header)} characters; at most {MAX_HEADER} are allowed")
    for name, value in message_from_string(header).items():  # as Babel parses it
        shown = " ".join(value.split())[:SHOWN]
        if name.lower() == "plural-forms" and shown and not _PLURALS.fullmatch(value):
            raise ValueError(
                f"`{name}: {shown}` is not valid; expected `nplurals=2; plural=(n != 1);` or the like, with at most"
                f" {MAX_PLURALS} forms"
            )
        if name.lower() == "language" and len(value) > SHOWN:
            raise ValueError(f"`{name}: {shown}…` is not a valid locale")
        charset = re.search(r"charset\s*=\s*([^\s;]*)", value) if name.lower() == "content-type" else None
        if charset and charset[1].lower() not in ("utf-8", "utf8", "us-ascii", "ascii"):
            raise ValueError(f"its charset is {charset[1][:SHOWN]}: unknown encoding; save it as UTF-8")


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


def po_language(path: Path) -> str:
    """Return the language in the header of a catalog; English if there is none."""
    try:
        text = read_file(path).decode("utf-8-sig", "replace")
    except OSError:  # reported when its entries are read
        return "en"
    found = re.search(r'^"Language: ([\w-]+)', text, re.MULTILINE)
    return found.group(1).replace("_", "-") if found else "en"


def po_text(catalog: BabelCatalog) -> str:
    """Format a catalog as the text of a file.

    Babel would wrap previous msgids like comments, in the middle of strings, so they are inserted here.
    """
    from babel.messages.pofile import normalize, write_po

    for message in catalog:
        message.flags -= {"python-format", "python-brace-format"}  # Babel's guess, from "3.57 % on ImageNet"
    buffer = io.BytesIO()
    write_po(buffer, catalog, width=WIDTH)
    text = buffer.getvalue().decode()
    for message in catalog:
        if message.id and message.previous_id and message.fuzzy:
            entry = f"\nmsgid {normalize(str(message.id), width=WIDTH)}\n"
            previous = f"msgid {normalize(message.previous_id[0], width=WIDTH)}"
            assert text.count(entry) == 1
            text = text.replace(entry, "".join(f"\n#| {line}" for line in previous.split("\n")) + entry)
    return text
