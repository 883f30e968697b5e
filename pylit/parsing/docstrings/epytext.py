"""Cuts a docstring in epytext, whose fields are those of Sphinx with another sign (`@param x:`), and rewrites its
inline markup (`C{code}`, `L{name}`, `I{words}`) as Markdown.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from .. import escape
from ..model import ProseLine
from . import sphinx
from .parts import Part, indent

OTHERS = {
    **{name: f"box:{name}" for name in ("note", "attention", "warning", "todo")},
    **dict.fromkeys(["see", "seealso"], "seealso"),
    **dict.fromkeys(["group", "sort", "undocumented"], "silent"),  # for epydoc
}
"""Names of fields that Sphinx does not have -> the part that each becomes; others have their names as headings."""
_FIELD = re.compile(r"@(?=(?P<name>[A-Za-z]+)(?:[ \t]+[^:\n]+)?:(?:\s|\Z))")
_MARKER = re.compile(
    r"(?P<field>:[A-Za-z]+(?:[ \t]+[^:\n]+)?:(?=\s|\Z))|(?:-|\d{1,9}(?:\.\d{1,9})*\.)[ \t]+(?=\S)"
)
_BREAK = "\ufdd0"
"""Represents a line break in a piece of markup."""
_MARKUP = re.compile(r"(?<![A-Za-z0-9_\\])([BCEGILMSUX])\{")
_SIGNS = {"->": "→", "<-": "←", "=>": "⇒", "<=": "≤", ">=": "≥", "lb": "{", "rb": "}"}
_TITLED = re.compile(r"(?P<words>.*?)\s*<(?P<target>[^<>]+)>", re.DOTALL)
DEEPEST = 10
"""Maximum number of pieces of markup in each other."""
LONGEST = 2_000
"""Maximum number of characters of one."""


def inline(lines: Sequence[ProseLine]) -> tuple[ProseLine, ...]:
    """Return the lines of comments, which have the inline markup alone, in Markdown."""
    text = "\n".join(line.text for line in lines).replace(_BREAK, "\ufffd")
    found, place = [], 0
    for piece in _words(text).split("\n"):
        found.append(ProseLine(lines[place].number, piece.replace(_BREAK, "")))
        place += 1 + piece.count(_BREAK)
    return tuple(found)


def cut(lines: Sequence[ProseLine]) -> Iterator[Part]:
    """Yield the parts of a docstring."""
    margin = min((indent(line.text) for line in lines if line.text.strip()), default=0)
    texts = [line.text.expandtabs()[margin:] for line in lines]
    found = {match["name"].lower(): "own" for match in map(_FIELD.match, texts) if match}
    texts = [_FIELD.sub(":", text, count=1) if text.startswith("@") else text for text in texts]
    return sphinx.cut(list(_as_markdown(lines, texts)), found | OTHERS)


def _as_markdown(lines: Sequence[ProseLine], texts: Sequence[str]) -> Iterator[ProseLine]:
    """Yield the lines in Markdown; fewer, if a piece of markup goes over several."""
    found = (ProseLine(line.number, text) for line, text in zip(lines, texts, strict=True))
    for is_listing, run in groupby(_laid_out(found), lambda each: each[0]):
        part = [line for _, line in run]
        text = "\n".join(line.text for line in part).replace(_BREAK, "\ufffd")
        place = 0
        if is_listing and part[0].text:
            yield ProseLine(part[0].number, "")
        for piece in (text if is_listing else _words(text)).split("\n"):
            yield ProseLine(part[place].number, piece.replace(_BREAK, ""))
            place += 1 + piece.count(_BREAK)


@dataclass(frozen=True, slots=True)
class _Item:
    """An item of a list, or a field."""

    column: int
    inside: int
    """The column of its text in Markdown."""


def _laid_out(lines: Iterable[ProseLine]) -> Iterator[tuple[bool, ProseLine]]:
    """Yield lines with the indentation that Markdown wants, and whether each is part of a listing.

    Only a colon pair begins a listing. What else is indented is a list, the text of one, or that of a section.
    """
    items: list[_Item] = []
    listing, first, is_example = -1, -1, False
    was_empty = True
    for line in lines:
        column, words, is_below_empty = indent(line.text), line.text.strip(), was_empty
        was_empty = not words
        if not words:
            is_example = False
            yield listing >= 0, ProseLine(line.number, "")
            continue
        if listing >= 0 and column > listing:
            first = column if first < 0 else first
            yield True, ProseLine(line.number, " " * (_inside(items) + 4 + max(0, column - first)) + words)
            continue
        listing = first = -1
        found = None if is_example else _MARKER.match(words)
        if not is_example:
            left = 0
            while items and column <= items[-1].column:
                left = items.pop().inside
            base = _inside(items)
            if left and not found and not is_below_empty:  # or it would continue the item
                yield False, ProseLine(line.number, "")
            if found:
                items.append(_Item(column, base + (4 if found["field"] else len(found[0]))))
        is_example = is_example or words.startswith(">>>")
        if is_example:
            yield True, ProseLine(line.number, " " * base + words)
        elif words.endswith("::"):
            listing = column + (len(found[0]) if found and not found["field"] else 0)
            yield False, ProseLine(line.number, " " * base + words[:-1])
        else:
            yield False, ProseLine(line.number, " " * base + words)


def _inside(items: Sequence[_Item]) -> int:
    return items[-1].inside if items else 0


def _words(text: str, depth: int = 0) -> str:
    """Return text with its markup as Markdown, with a `_BREAK` for each line break that is lost."""
    parts, at = [], 0
    while match := _MARKUP.search(text, at):
        end = _closing(text, match.end())
        if end < 0:
            parts.append(text[at : match.end()])
            at = match.end()
            continue
        inside = text[match.end() : end]
        shown = _written(match[1], inside, depth)
        lost = inside.count("\n") - shown.count("\n") - shown.count(_BREAK)
        parts += [text[at : match.start()], shown, _BREAK * lost]
        at = end + 1
    return "".join([*parts, text[at:]])


def _written(sign: str, inside: str, depth: int) -> str:
    titled = _TITLED.fullmatch(inside.strip())
    words, target = (titled["words"], titled["target"]) if titled else (inside.strip(), inside.strip())
    match sign:
        case "C" | "M":
            return escape.code_span(inside)
        case "L" | "U" if target.startswith(("https://", "http://")):
            return escape.link(escape.text(words or target), target)
        case "L" | "U":
            return escape.code_span(words or target)
        case "E" | "S":
            return _SIGNS.get(
                inside, f"&{inside};" if sign == "S" and inside.isalpha() else escape.text(inside)
            )
        case "G":
            return ""
        case "B" | "I" if inside.strip() and "\n\n" not in inside:
            mark = "**" if sign == "B" else "*"
            return f"{mark}{_words(inside, depth + 1) if depth < DEEPEST else escape.text(inside)}{mark}"
    return inside


def _closing(text: str, start: int) -> int:
    """Return the position of the brace that closes markup; -1 if there is none near."""
    depth = 1
    for position in range(start, min(len(text), start + LONGEST)):
        depth += {"{": 1, "}": -1}.get(text[position], 0)
        if not depth:
            return position
    return -1
