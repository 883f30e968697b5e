"""Cuts a docstring as Keras once wrote them: `# Arguments` and the indented lines below it, in Markdown."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise

from ..model import ProseLine
from . import google
from .kinds import GOOGLE, STRUCTURED
from .parts import Part, dedented, indent, trimmed

_HEAD = re.compile(r"#[ \t]+(?P<name>[A-Z][A-Za-z ]{2,40}?):?[ \t]*$")
_FENCE = re.compile(r"[ \t]*(?:```|~~~)")


def has_sections(lines: Sequence[ProseLine], *, within: str) -> bool:
    """Return whether a docstring has a section that is hardly ever a heading, with indented lines right below it.

    In a definition, that may also be an example with its code, below other text.
    """
    return any(
        (_name(lines[head]) in STRUCTURED and _is_above_indented(lines, head, gap=0))
        or (within and head and GOOGLE.get(_name(lines[head])) == "examples" and _is_above_code(lines, head))
        for head in _heads(lines)
    )


def cut(lines: Sequence[ProseLine]) -> Iterator[Part]:
    """Yield the parts of a docstring."""
    lines = list(_joined(lines))
    heads = _heads(lines)
    if text := trimmed(lines[: heads[0]] if heads else lines):
        yield Part("", "", text[0].number, text)
    for head, end in pairwise([*heads, len(lines)]):
        last = end
        if _is_above_indented(lines, head):  # it ends where the indentation does
            outside = (n for n in range(head + 1, end) if lines[n].text.strip() and not indent(lines[n].text))
            last = next(outside, end)
        kind, body = GOOGLE.get(_name(lines[head]), ""), dedented(lines[head + 1 : last])
        yield google.part(kind or "own", lines[head], body)
        if after := trimmed(lines[last:end]):
            yield Part("", "", after[0].number, after)


def _joined(lines: Sequence[ProseLine]) -> Iterator[ProseLine]:
    """Yield lines in which links are whole whose address is on the line below their words."""
    position = 0
    while position < len(lines):
        line = lines[position]
        position += 1
        if line.text.endswith("]") and position < len(lines):
            below = lines[position].text.strip()
            if below.startswith("(http"):
                line = ProseLine(line.number, f"{line.text}{below}")
                position += 1
        yield line


def _heads(lines: Sequence[ProseLine]) -> list[int]:
    """Return the positions of sections: those with a name that is known, or with indented lines right below it."""
    found = []
    is_listing = False
    for position, line in enumerate(lines):
        is_listing ^= bool(_FENCE.match(line.text))
        if is_listing or not (name := _name(line)):
            continue
        if name in GOOGLE or _is_above_indented(lines, position, gap=0):
            found.append(position)
    return found


def _name(line: ProseLine) -> str:
    match = _HEAD.match(line.text)
    return match["name"].lower() if match else ""


def _is_above_code(lines: Sequence[ProseLine], position: int) -> bool:
    """Return whether a fence, an example or indented lines follow, after one empty line at most."""
    below = lines[position + 1 : position + 3]
    first = next((line.text for line in below if line.text.strip()), "")
    return first.lstrip().startswith((">>>", "```", "~~~")) or indent(first) >= 2


def _is_above_indented(lines: Sequence[ProseLine], position: int, gap: int = 1) -> bool:
    """Return whether indented lines follow, after `gap` empty lines at most."""
    below = lines[position + 1 : position + 2 + gap]
    first = next((line.text for line in below if line.text.strip()), "")
    return bool(first) and indent(first) >= 2
