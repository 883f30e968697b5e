"""Cuts a docstring in Google's dialect: `Args:` and the indented lines below it."""

from __future__ import annotations

import builtins
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from ..escape import is_expression
from ..model import ProseLine
from .kinds import BOXES, GOOGLE, WITH_NAMES, WITH_TYPES
from .parts import Entry, Part, dedented, described, indent, split_entries, split_outside, trimmed

_HEAD = re.compile(r"(?P<indent>[ \t]*)(?P<name>[A-Za-z][A-Za-z ]{2,24})(?P<colons>::?)[ \t]*$")
_NAMES = re.compile(
    r"\s*(?P<names>[`\\*]{0,4}[A-Za-z_][\w.]*`{0,2}(?:\s*[,/]\s*[`\\*]{0,4}[A-Za-z_][\w.]*`{0,2})*)\s*"
)
_OWN = re.compile(r"[A-Z][A-Za-z -]{2,40}:[ \t]*$")
"""Matches the name of a section of the author's own."""
_TYPE = re.compile(
    r":\w+:`[^`]+`|(?:[\w.\[\]|]+(?: of | or |, )){1,4}[\w.\[\]|]+|`+[^`]+`+|[\w.]+ \w+ of [\w.]+"
)


def cut(lines: Sequence[ProseLine]) -> Iterator[Part]:
    """Yield the parts of a docstring."""
    prose: list[ProseLine] = []
    position = 0
    margin = min((indent(line.text) for line in lines if _HEAD.match(line.text)), default=0)
    while position < len(lines):
        kind, body = _section(lines, position, margin)
        if not kind:
            prose.append(lines[position])
            position += 1
            continue
        if text := trimmed(prose):
            yield Part("", "", text[0].number, text)
        prose = []
        head = lines[position]
        text = dedented(lines[position + 1 : body])
        if head.text.rstrip().endswith("::"):  # its text is a listing
            listing = [ProseLine(line.number, f"    {line.text}" if line.text else "") for line in text]
            text = (ProseLine(head.number, "::"), ProseLine(head.number, ""), *listing)
        yield part(kind, head, text)
        position = body
    if text := trimmed(prose):
        yield Part("", "", text[0].number, text)


def _section(lines: Sequence[ProseLine], position: int, margin: int) -> tuple[str, int]:
    """Return the kind of the section that starts at a position, and where it ends; an empty kind if none does.

    Sections are at the `margin`. Only those with a known name may be indented more.
    """
    match = _HEAD.match(lines[position].text)
    kind = GOOGLE.get(match["name"].lower(), "") if match else ""
    if not kind and _is_own(lines, position, margin):
        kind = "own"
    elif not match or not kind or (match["colons"] == "::" and kind != "examples"):
        return "", position
    own = indent(lines[position].text)
    end = last = position + 1
    while end < len(lines):
        if lines[end].text.strip():
            if indent(lines[end].text) <= own:
                break
            last = end + 1
        end += 1
    return (kind, last) if last > position + 1 else ("", position)


def _is_own(lines: Sequence[ProseLine], position: int, margin: int) -> bool:
    """Return whether a section with a name of the author's own starts: below an empty line, right above its text."""
    line = lines[position]
    above, below = lines[position - 1 : position], lines[position + 1 : position + 2]
    return bool(
        indent(line.text) == margin
        and _OWN.match(line.text.lstrip())
        and not (above and above[0].text.strip())
        and below
        and below[0].text.strip()
        and indent(below[0].text) > margin
    )


def part(kind: str, head: ProseLine, body: tuple[ProseLine, ...]) -> Part:
    """Return a section of a kind, given its text without indentation."""
    if kind == "own":
        title, entries = head.text.strip("# \t:"), [_named(run) for run in split_entries(body)]
        if len(entries) > 1 and all(entry.names for entry in entries):
            return Part(kind, title, head.number, (), tuple(entries))
        return Part(kind, title, head.number, body)
    if kind in WITH_NAMES:
        entries = [_named(run) for run in split_entries(body)]
        if kind == "methods":
            entries = [_with_signature(entry) for entry in entries]
        if any(entry.names for entry in entries):
            before, rest = _before(entries)
            return Part(kind, "", head.number, before, tuple(_joined(rest)))
    elif kind in WITH_TYPES:
        runs = split_entries(body)
        if kind in ("raises", "warns"):
            entries = [_typed(run) for run in runs]
            if any(entry.type for entry in entries):
                before, rest = _before(entries)
                return Part(kind, "", head.number, before, tuple(_joined(rest)))
        elif several := _several(runs):
            return Part(kind, "", head.number, (), several)
        elif (
            body
            and (entry := _typed([body[0], *(ProseLine(n.number, "    " + n.text) for n in body[1:])])).type
        ):
            return Part(kind, "", head.number, (), (entry,))
    return Part(f"box:{kind}" if kind in BOXES else kind, "", head.number, body)


def _named(run: Sequence[ProseLine]) -> Entry:
    """Read an entry with a name; an entry without one if the line has none."""
    first = run[0]
    if found := _NAMES.match(first.text):
        rest, type_ = first.text[found.end() :], ""
        if rest.startswith("("):
            end = _closing(rest)
            type_, rest = rest[1:end], rest[end + 1 :].lstrip()
        if rest.startswith(":") and not rest.startswith("::") and (not rest[1:] or rest[1].isspace()):
            names = found["names"].replace("`", "").replace("\\", "")
            return Entry(first.number, names, type_, described(rest[1:].strip(), first.number, run[1:]))
        if not rest and len(run) > 1 and (found["names"].startswith("*") or type_):
            return Entry(
                first.number, found["names"].replace("\\", ""), type_, described("", first.number, run[1:])
            )
    return Entry(first.number, "", "", (first, *dedented(run[1:])))


def _with_signature(entry: Entry) -> Entry:
    """Return the entry of a method, whose brackets hold its parameters rather than a type."""
    return replace(entry, names=f"{entry.names}({entry.type})", type="") if entry.type else entry


def _several(runs: Sequence[Sequence[ProseLine]]) -> tuple[Entry, ...]:
    """Return an entry for each of several values: `x (int): text`, or lines that all are `x: text`; else none."""
    entries = [_named(run) for run in runs]
    if not entries or not all(entry.names and "," not in entry.names for entry in entries):
        return ()
    if all(entry.type for entry in entries):
        return tuple(entries)
    if len(entries) == 1 or any(entry.type for entry in entries):
        return ()
    return tuple(
        replace(entry, names="", type=entry.names) if _is_like_type(entry.names) else entry
        for entry in entries
    )


def _is_like_type(name: str) -> bool:
    """Return whether a name is rather that of a type than of a value."""
    return "." in name or name[:1].isupper() or isinstance(getattr(builtins, name, None), type)


def _typed(run: Sequence[ProseLine]) -> Entry:
    """Read an entry with a type; an entry without one if the line has none."""
    first = run[0]
    split = split_outside(first.text, ":") if not first.text.startswith(":") else _role(first.text)
    if split and (not split[1] or split[1][0].isspace()) and _is_type(split[0].strip()):
        type_ = split[0].strip()
        if type_.startswith("(") and _closing(type_) == len(type_) - 1 and "," not in type_:
            type_ = type_[1:-1].strip()
        return Entry(first.number, "", type_, described(split[1].strip(), first.number, run[1:]))
    return Entry(first.number, "", "", tuple(run))


def _role(text: str) -> tuple[str, str] | None:
    """Split a line that starts with a role after it."""
    match = re.match(r":[\w:]+:`[^`]+`", text)
    if not match or not text.startswith(":", match.end()):
        return None
    return match[0], text[match.end() + 1 :]


def _is_type(text: str) -> bool:
    return is_expression(text) or bool(_TYPE.fullmatch(text))


def _closing(text: str) -> int:
    """Return the position of the bracket that closes the first one; the last position if none does."""
    depth = 0
    for position, character in enumerate(text):
        depth += {"(": 1, "[": 1, "{": 1, ")": -1, "]": -1, "}": -1}.get(character, 0)
        if depth == 0:
            return position
    return len(text) - 1


def _before(entries: list[Entry]) -> tuple[tuple[ProseLine, ...], list[Entry]]:
    """Return the text before the first entry that is one, and the entries from there."""
    first = next(n for n, entry in enumerate(entries) if entry.names or entry.type)
    return tuple(line for entry in entries[:first] for line in entry.text), entries[first:]


def _joined(entries: Sequence[Entry]) -> Iterator[Entry]:
    """Yield entries, each with the text of those below it that are none: lines that are indented too little."""
    text: list[ProseLine] = []
    current = entries[0]
    for entry in entries:
        if entry.names or entry.type:
            if text:
                yield Entry(current.line, current.names, current.type, (*current.text, *text))
            elif entry is not current:
                yield current
            current, text = entry, []
        else:
            text += entry.text
    yield Entry(current.line, current.names, current.type, (*current.text, *text))
