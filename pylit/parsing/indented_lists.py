"""Finds lists, usages and rules in the prose of modules that Markdown would take for paragraphs, code and titles.

Markdown has a list only where it is indented by less than four columns. In docstrings and comments, people indent one
below a line that ends in a colon as they indent code; and they write the usage of a program as `docopt` reads it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from .model import ProseLine

_LIST = re.compile(r"[^\s>|#`~].*[^:]:[ \t]*$")
"""Matches a line that a list may follow."""
_ITEM = re.compile(r"(?:[-*+]|\d{1,3}[.)])[ \t]+\S")
_USAGE = re.compile(r"(?:usage|options|commands|arguments):[ \t]*$", re.IGNORECASE)
_OPTION = re.compile(r"--?\w")
_FENCE = ("```", "~~~")
_LEAST = 4
"""Columns by which code is indented."""


def with_lists(lines: Sequence[ProseLine]) -> Sequence[ProseLine]:
    """Return lines in which such lists are as Markdown wants them, usages are listings, and rules stand alone."""
    if not any(_begins(lines, n) or _is_rule(lines, n + 1) for n in range(len(lines) - 1)):
        return lines
    return tuple(_with_lists(lines))


def _is_rule(lines: Sequence[ProseLine], position: int) -> bool:
    """Return whether a line of dashes is below several lines, which are no title then."""
    return (
        position > 1
        and lines[position].text.startswith("---")
        and not lines[position].text.strip("- ")
        and all(lines[n].text[:1].strip() and lines[n].text.strip("-") for n in (position - 2, position - 1))
    )


def _begins(lines: Sequence[ProseLine], position: int) -> bool:
    """Return whether a line may be one that a list or a usage follows, without looking at what is above it."""
    text = lines[position].text
    return text.endswith(":") and bool(_LIST.match(text) or _USAGE.match(text)) and not _ITEM.match(text)


def _with_lists(lines: Sequence[ProseLine]) -> Iterator[ProseLine]:
    position, is_fence = 0, False
    while position < len(lines):
        line = lines[position]
        if not is_fence and _is_rule(lines, position):
            yield ProseLine(line.number, "")
        yield line
        position += 1
        is_fence ^= line.text.lstrip().startswith(_FENCE)
        if is_fence or not _begins(lines, position - 1):
            continue
        first = position
        while first < len(lines) and not lines[first].text.strip():
            first += 1
        columns = _columns(lines[first].text) if first < len(lines) else 0
        end = first
        while end < len(lines) and (
            not lines[end].text.strip() or _columns(lines[end].text) >= max(1, columns)
        ):
            end += 1
        words = lines[first].text.strip() if end > first else ""
        if _USAGE.match(line.text) and first == position and (line.text[0] in "Uu" or _OPTION.match(words)):
            block = [*lines[first:end]]
            while not block[-1].text.strip():
                block.pop()
            yield ProseLine(line.number, "")
            least = min(_columns(each.text) for each in block if each.text.strip())
            yield from (
                ProseLine(each.number, " " * _LEAST + each.text.expandtabs()[least:]) for each in block
            )
            position = first + len(block)
            if position < len(lines) and lines[position].text.strip():
                yield ProseLine(block[-1].number, "")
        elif columns >= _LEAST and _ITEM.match(words):
            yield ProseLine(line.number, "")
            yield from (ProseLine(each.number, each.text.expandtabs()[columns:]) for each in lines[first:end])
            position = end
            if end < len(lines):
                yield ProseLine(lines[end - 1].number, "")


def _columns(text: str) -> int:
    text = text.expandtabs()
    return len(text) - len(text.lstrip())
