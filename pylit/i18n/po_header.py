"""The header of a catalog: its fields are checked, and those that other tools have written are kept."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from email import message_from_string
from types import MappingProxyType

SHOWN = 60
"""Maximum number of characters quoted from a wrong value."""
MAX_HEADER = 20_000
"""Maximum length of a header in characters."""
MAX_PLURALS = 9
"""Maximum number of plural forms: Arabic has six."""
_PLURALS = re.compile(
    rf"\s*nplurals\s*=\s*[1-{MAX_PLURALS}]\s*;\s*plural\s*=[n0-9\s()?:!=<>&|%+*/-]{{1,500}};?\s*"
)
PLACEHOLDERS = (
    "FULL NAME <EMAIL@ADDRESS>",
    "LANGUAGE <LL@li.org>",
    "YEAR-MO-DA HO:MI+ZONE",
    "PACKAGE VERSION",
    "PROJECT VERSION",
    "LANGUAGE",
    "nplurals=INTEGER; plural=EXPRESSION;",
)
"""What gettext's templates contain, for somebody to replace."""


def header_fields(header: str) -> Iterator[tuple[str, str]]:
    """Yield the fields of a header, their names in lower case."""
    for line in header.split("\n"):
        name, colon, value = line.partition(":")
        if colon:
            yield name.strip().lower(), value.strip()


def check_header(header: str) -> None:
    """Refuse a header that is too long, or has more plural forms than any language.

    Raises:
        ValueError: with the reason.
    """
    if len(header) > MAX_HEADER:
        raise ValueError(f"its header has {len(header)} characters; at most {MAX_HEADER} are allowed")
    for name, value in message_from_string(header).items():  # as Babel parses it
        shown = " ".join(value.split())[:SHOWN]
        is_given = bool(shown) and shown not in PLACEHOLDERS
        if name.lower() == "plural-forms" and is_given and not _PLURALS.fullmatch(value):
            raise ValueError(
                f"`{name}: {shown}` is not valid; expected `nplurals=2; plural=(n != 1);` or the like, with at most"
                f" {MAX_PLURALS} forms"
            )
        if name.lower() == "language" and len(value) > SHOWN:
            raise ValueError(f"`{name}: {shown}…` is not a valid locale")
        charset = re.search(r"charset\s*=\s*([^\s;]*)", value) if name.lower() == "content-type" else None
        if charset and charset[1].lower() not in ("utf-8", "utf8", "us-ascii", "ascii"):
            raise ValueError(f"its charset is {charset[1][:SHOWN]}: unknown encoding; save it as UTF-8")


def completed_header(
    header: str, wanted: Mapping[str, str], changed: Mapping[str, str] = MappingProxyType({})
) -> str:
    """Return a header with all `wanted` fields, those in `changed` with new values, and all others as they are."""
    lines, seen = [], set()
    names = {name.lower(): name for name in (*wanted, *changed)}
    for line in header.split("\n"):
        first, colon, value = line.partition(":")
        name = names.get(first.strip().lower(), "") if colon else ""
        seen.add(name)
        if name in changed:
            line = f"{name}: {changed[name]}"
        elif name and (not value.strip() or value.strip() in PLACEHOLDERS):
            line = f"{name}: {wanted[name]}"
        lines.append(line)
    while lines and not lines[-1].strip():
        lines.pop()
    lines += [f"{name}: {value}" for name, value in {**wanted, **changed}.items() if name not in seen]
    return "\n".join(lines) + "\n"
