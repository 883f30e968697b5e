"""The parts of a docstring: prose, and sections with entries."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from ..model import ProseLine

_HEAD = re.compile(r"[ \t]*[A-Z][A-Za-z ]{2,24}:[ \t]*$")
"""Matches the name of a section of the author's own."""
Lines = tuple[ProseLine, ...]


@dataclass(frozen=True, slots=True)
class Entry:
    """A parameter, a value, an exception, with its text."""

    line: int
    names: str
    """As written: `x, y`, `*args`."""
    type: str
    text: Lines


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a docstring."""

    kind: str
    """Empty for prose outside of sections, `own` for a section with a name of the author's own."""
    title: str
    line: int
    text: Lines
    """Text before its entries, or all of it if it has none."""
    entries: tuple[Entry, ...] = ()


def indent(text: str) -> int:
    """Return the columns before the first character."""
    expanded = text.expandtabs()
    return len(expanded) - len(expanded.lstrip())


def trimmed(lines: Sequence[ProseLine]) -> Lines:
    """Return lines without empty ones around them."""
    end = len(lines)
    while end and not lines[end - 1].text.strip():
        end -= 1
    first = next((n for n in range(end) if lines[n].text.strip()), end)
    return tuple(lines[first:end])


def dedented(lines: Sequence[ProseLine]) -> Lines:
    """Return lines without common indentation, and without empty lines around them."""
    kept = trimmed(lines)
    common = min((indent(line.text) for line in kept if line.text.strip()), default=0)
    return tuple(
        ProseLine(line.number, line.text.expandtabs()[common:] if common else line.text) for line in kept
    )


def outdented(lines: Lines) -> Lines:
    """Return lines in which the text below a name with a colon (`Shape:`) is not indented, as Markdown wants it."""
    found: list[ProseLine] = []
    own, less = -1, 0
    for position, line in enumerate(lines):
        columns = indent(line.text)
        if line.text.strip() and columns <= own:
            own, less = -1, 0
            found.append(ProseLine(line.number, ""))
        text = line.text.expandtabs()[less:] if less else line.text
        found.append(ProseLine(line.number, text))
        below = lines[position + 1].text if position + 1 < len(lines) else ""
        if own < 0 and _HEAD.match(line.text) and below.strip() and indent(below) > columns:
            own, less = columns, indent(below) - columns
            found.append(ProseLine(lines[position + 1].number, ""))
    return tuple(found)


def described(first: str, number: int, rest: Sequence[ProseLine]) -> Lines:
    """Return the text of an entry: what is on its own line, and the lines below, which are indented more."""
    below = dedented(rest)
    if not first:
        return below
    gap = rest[0].number > number + 1 or not rest[0].text.strip() if rest else False
    between = (ProseLine(rest[0].number, ""),) if gap and below else ()
    if between and first.rstrip().endswith("::") and indent(below[0].text) == 0:  # its text is a listing
        below = tuple(ProseLine(line.number, f"    {line.text}" if line.text else "") for line in below)
    return (ProseLine(number, first), *between, *below)


def split_entries(lines: Sequence[ProseLine]) -> list[list[ProseLine]]:
    """Split lines at those with the least indentation, which is the first one's."""
    found: list[list[ProseLine]] = []
    for line in lines:
        if found and (not line.text.strip() or line.text[0] in " \t"):
            found[-1].append(line)
        else:
            found.append([line])
    return found


def split_names(names: str) -> list[str]:
    """Return the names of an entry, which commas outside of brackets separate: `x, y`, `fit(X, y)`."""
    found = []
    while split := split_outside(names, ","):
        found.append(split[0].strip())
        names = split[1]
    return [*found, names.strip()]


def split_outside(text: str, sign: str) -> tuple[str, str] | None:
    """Split text at the first `sign` that is in no brackets, quotes or backticks; return `None` if there is none."""
    depth, quote = 0, ""
    for position, character in enumerate(text):
        if quote:
            quote = "" if character == quote else quote
        elif character in '`"':
            quote = character if character in text[position + 1 :] else ""
        elif character in "([{":
            depth += 1
        elif character in ")]}":
            depth = max(0, depth - 1)
        elif depth == 0 and text.startswith(sign, position):
            return text[:position], text[position + len(sign) :]
    return None
