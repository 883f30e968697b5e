"""Places the names of a chart's lines at their ends, one below the other, and gives each name its colour and dash."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

LETTER, WIDE = 7.4, 13.5
"""Width of a letter, and of a Chinese character."""
LONGEST = 112
"""Width of a name at which it is broken into lines."""
LINE = 17
"""Height of a line of a name."""
LEAD = 12
"""Length of the stroke between the end of a line and its name."""


@dataclass(frozen=True, slots=True)
class Name:
    """The name of a line, broken into lines, and the height of its middle."""

    lines: tuple[str, ...]
    middle: float

    def drawn(self, end: tuple[float, float], x: float, css: str) -> Markup:
        """Draw it at `x`, with a stroke from the `end` of its line."""
        first = self.middle - LINE * (len(self.lines) - 1) / 2 + 5
        text = Markup().join(
            Markup('<tspan x="{:.0f}" y="{:.1f}">{}</tspan>').format(x + 4, first + LINE * number, line)
            for number, line in enumerate(self.lines)
        )
        lead = f"M{end[0]:.1f} {end[1]:.1f}L{x:.1f} {self.middle:.1f}"
        return Markup('<path class="lead {0}" d="{1}"/><text class="name {0}">{2}</text>').format(
            css, lead, text
        )


@dataclass(frozen=True, slots=True)
class Placed:
    """The names of all lines, in their order."""

    names: tuple[Name, ...]
    width: float
    """The room that they take at the right of the plot."""


def place_names(names: Sequence[str], ends: Sequence[float], top: float, bottom: float) -> Placed | None:
    """Place names as near as possible to the heights at which their lines end; `None` if there are too many."""
    broken = [break_name(name) for name in names]
    heights = [LINE * len(lines) for lines in broken]
    if sum(heights) > bottom - top:
        return None
    order = sorted(range(len(names)), key=lambda index: ends[index])
    middles = dict(enumerate(ends))
    below = bottom - sum(heights)
    free = top
    for index in order:  # each below the one before, and high enough for those that follow
        half = heights[index] / 2
        below += heights[index]
        middles[index] = min(max(middles[index], free + half), below - half)
        free = middles[index] + half
    width = max((_width(line) for lines in broken for line in lines), default=0)
    placed = tuple(Name(lines, middles[index]) for index, lines in enumerate(broken))
    return Placed(placed, LEAD + 4 + width)


def break_name(name: str) -> tuple[str, ...]:
    """Break a name into lines: between words, and between Chinese characters."""
    lines, line = [], ""
    for piece in _pieces(name):
        if line.strip() and _width((line + piece).rstrip()) > LONGEST:
            lines.append(line.rstrip())
            line = ""
        line += piece
    return (*lines, line.rstrip())


def _pieces(name: str) -> list[str]:
    """Split a name where it may be broken."""
    pieces = [""]
    for character in name:
        is_wide = _is_wide(character)
        if pieces[-1].endswith(" ") or (is_wide and character not in "，。、；：）」』"):
            pieces.append("")
        pieces[-1] += character
    return pieces


def _is_wide(character: str) -> bool:
    return unicodedata.east_asian_width(character) in "WF"


def _width(text: str) -> float:
    return sum(WIDE if _is_wide(character) else LETTER for character in text)


def find_styles(names: Sequence[str], known: dict[str, int], count: int) -> list[int]:
    """Return the number of the style of each line, from 1 to `count`: on a page, a name always has the same one.

    `known` are the styles of the names so far, to which new ones are added. Lines of one chart have different styles as
    long as there are enough.
    """
    found = [known.get(name, 0) for name in names]
    for index, name in enumerate(names):
        if not found[index]:
            used = [*known.values()]
            free = [style for style in range(1, count + 1) if style not in found] or [*range(1, count + 1)]
            found[index] = min(free, key=lambda style: (used.count(style), style))
            known.setdefault(name, found[index])
    return found
