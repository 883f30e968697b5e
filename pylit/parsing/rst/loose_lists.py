"""Separates lists from the text above them where their author left the empty line out that reStructuredText wants."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from ..model import ProseLine
from .directives import BOX_NAMES, BOXES, GROUPS, TITLED, VERSIONS

_HINT = re.compile(r"^[ \t]*(?:[-*+]|\d{1,3}[.)])[ \t]+\S", re.MULTILINE)
_ITEM = re.compile(r"(?P<mark>(?:[-*+]|\d{1,3}[.)])[ ]+)\S")
_DIRECTIVE = re.compile(r"\.\. (?P<name>[\w:+-]+)::")
_OPEN = frozenset({*BOXES, *BOX_NAMES, *TITLED, *VERSIONS, *GROUPS})
"""Directives whose content is text."""


def separated(lines: Sequence[ProseLine]) -> Sequence[ProseLine]:
    """Return lines with empty ones above lists: below a line that ends in a colon, and in the item of another list."""
    if not any(_HINT.match(line.text) for line in lines):
        return lines
    return list(_separated(lines))


def _separated(lines: Sequence[ProseLine]) -> Iterator[ProseLine]:
    items: list[int] = []
    """Columns of the lists that the line above is in."""
    listing, above, column_above = -1, "", 0
    for line in lines:
        text = line.text.expandtabs()
        words = text.strip()
        column = len(text) - len(text.lstrip())
        if not words or (listing >= 0 and column > listing):
            above = "" if not words else above
            yield line
            continue
        listing = -1
        while items and column < items[-1]:
            items.pop()
        if found := _ITEM.match(words):
            is_new = not items or column > items[-1]
            if is_new and above and column >= column_above and (items or above.endswith(":")):
                yield ProseLine(line.number, "")
            if is_new:
                items.append(column)
        elif items and column <= items[-1]:
            items.pop()
        directive = _DIRECTIVE.match(words)
        if not (directive and directive["name"] in _OPEN) and (directive or words.endswith("::")):
            listing = column
        above, column_above = words, column
        yield line
        if found:
            column_above = column + len(found["mark"])
