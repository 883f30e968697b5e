"""Cuts a docstring in Markdown that ends in Sphinx's fields: `:param int x: text`, with the lines that belong to it.

Docstrings in reStructuredText are read by docutils instead.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType

from ..field_names import FIELDS, NAMED, ORDER, TYPES, TYPES_ONLY, WITHOUT_NAMES
from ..model import ProseLine
from .parts import Entry, Lines, Part, dedented, described, trimmed

_HEAD = re.compile(r":(?P<name>[A-Za-z]+)(?:[ \t]+(?P<argument>(?:[^:\n]|:(?!\s|\Z))+))?:(?=\s|\Z)")
_FENCE = re.compile(r"[ \t]*(?:```|~~~)")


def cut(lines: Sequence[ProseLine], others: Mapping[str, str] = MappingProxyType({})) -> Iterator[Part]:
    """Yield the parts of a docstring: prose, and one part for each kind of field in the usual order.

    Args:
        lines: The docstring.
        others: Names of more fields -> the kind of part that each becomes.
    """
    prose: list[ProseLine] = []
    fields: list[list[ProseLine]] = []
    is_listing = False
    for line in dedented(lines):
        is_start = not is_listing and _is_field(line.text, others)
        if is_listing or not (is_start or (fields and _continues(line, fields[-1]))):
            is_listing ^= bool(_FENCE.match(line.text))
            prose.append(line)
        elif is_start:
            fields.append([line])
        else:
            fields[-1].append(line)
    if text := trimmed(prose):
        yield Part("", "", text[0].number, text)
    yield from _parts(fields, others)


def has_fields(lines: Sequence[ProseLine]) -> bool:
    """Return whether there is a field outside of listings."""
    is_listing = False
    for line in lines:
        is_listing ^= bool(_FENCE.match(line.text))
        if not is_listing and _is_field(line.text.lstrip()):
            return True
    return False


def _is_field(text: str, others: Collection[str] = ()) -> bool:
    match = _HEAD.match(text)
    name = match["name"].lower() if match else ""
    return name == "meta" or name in TYPES or name in FIELDS or name in others


def _continues(line: ProseLine, field: Sequence[ProseLine]) -> bool:
    """Return whether a line belongs to a field: it is indented, or follows without an empty line."""
    text = line.text
    is_next = line.number == field[-1].number + 1
    return is_next if not text.strip() else text[0] in " \t" or (is_next and bool(field[-1].text.strip()))


def _parts(fields: Sequence[Sequence[ProseLine]], others: Mapping[str, str]) -> Iterator[Part]:
    found: dict[str, list[Entry]] = {kind: [] for kind in ORDER}
    types: dict[tuple[str, str], tuple[int, str]] = {}
    after: list[Part] = []
    for run in fields:
        first = run[0]
        match = _HEAD.match(first.text)
        assert match
        name, argument = match["name"].lower(), (match["argument"] or "").strip()
        text = described(first.text[match.end() :].strip(), first.number, run[1:])
        if name in TYPES and (argument or TYPES[name] in WITHOUT_NAMES):
            types.setdefault((TYPES[name], _plain(argument)), (first.number, _in_a_line(text)))
        elif name in FIELDS:
            kind = FIELDS[name]
            type_, names = _split(kind, argument)
            found[kind].append(Entry(first.number, names, type_, text))
        elif name in others and text:
            if others[name] == "silent":
                continue
            title = f"{name.capitalize()} {argument}".rstrip() if others[name] == "own" else ""
            after.append(Part(others[name], title, first.number, text))
    _assign(types, found)
    for kind in ORDER:
        entries = [
            replace(entry, type=entry.type or types.pop((kind, _plain(entry.names)), (0, ""))[1])
            for entry in found[kind]
        ]
        left = [(name, place) for (own, name), place in types.items() if own == kind]
        entries += [Entry(line, name, type_, ()) for name, (line, type_) in left]
        if not entries:
            continue
        alone = [entry for entry in entries if not (entry.names or entry.type)]
        words = [line for entry in alone for line in (*entry.text, ProseLine(entry.line, ""))]
        named = tuple(entry for entry in entries if entry.names or entry.type)
        yield Part(kind, "", entries[0].line, trimmed(words), named)
    yield from after


def _assign(types: dict[tuple[str, str], tuple[int, str]], found: Mapping[str, Sequence[Entry]]) -> None:
    """Assign the types of names to the kind of field that has the name: `:type x:` may be about `:ivar x:`."""
    named = {kind: {_plain(entry.names) for entry in found[kind]} for kind in NAMED}
    for kind, name in list(types):
        if kind in named and name not in named[kind]:
            other = next((other for other in NAMED if name in named[other]), kind)
            types.setdefault((other, name), types.pop((kind, name)))


def _split(kind: str, argument: str) -> tuple[str, str]:
    """Return the type and the name in the argument of a field."""
    if kind in WITHOUT_NAMES or kind in TYPES_ONLY:
        return argument, ""
    type_, _, name = argument.rpartition(" ")
    return type_.strip(), name.replace("\\", "")


def _plain(name: str) -> str:
    return name.replace("\\", "").lstrip("*")


def _in_a_line(lines: Lines) -> str:
    return " ".join(line.text.strip() for line in lines if line.text.strip())
