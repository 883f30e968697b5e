"""Classifies comments on lines of their own: prose, cell marker, directive for a tool, or code."""

from __future__ import annotations

import ast
import re
import tokenize
from collections.abc import Container, Sequence
from functools import cache

from ..defaults import Conventions
from .cells import find_cells, may_be_mark
from .dead_code import code_lines
from .layout import Comment, Layout, groups
from .noise import HIDDEN, is_tool_comment, prose_lines, tool_lines

_MENTION = re.compile("noqa|doctest:")
FOLDED = 3
"""Minimum number of consecutive lines not for readers that are folded; fewer are shown as code."""


def read_comments(
    lines: Sequence[str],
    tree: ast.Module,
    tokens: Sequence[tokenize.TokenInfo],
    conventions: Conventions,
    layout: Layout,
) -> None:
    """Record in `layout` the kinds of the comments of a module."""
    layout.own = {
        token.start[0]: Comment(token.start[0], token.start[1], token.string)
        for token in tokens
        if token.type == tokenize.COMMENT and not lines[token.start[0] - 1][: token.start[1]].strip()
    }
    rest = layout.own
    if conventions.cells and any(map(may_be_mark, rest.values())):
        done = find_cells(layout, tree)
        rest = {line: comment for line, comment in rest.items() if line not in done}

    @cache
    def names() -> frozenset[str]:
        return frozenset(token.string for token in tokens if token.type == tokenize.NAME)

    for group in groups(rest):
        if not conventions.fold_noise:
            layout.prose.update((c.line, c.text.removeprefix(":")) for c in group if not is_tool_comment(c))
            continue
        tools = tool_lines(group)
        layout.tools |= tools
        for run in groups({comment.line: comment for comment in group if comment.line not in tools}):
            code = code_lines(run, names) if conventions.dead_code else set()
            for words in groups({comment.line: comment for comment in run if comment.line not in code}):
                layout.prose.update(prose_lines(words))
    if conventions.fold_noise or layout.quiet:
        layout.quiet = _folded(layout, lines)


def _folded(layout: Layout, lines: Sequence[str]) -> set[int]:
    """Return the lines of directives in runs long enough to be folded, with the blank lines between them."""
    folded: set[int] = set()
    run: list[int] = []
    for line in [*sorted(layout.tools), 0]:
        if run and (not line or any(lines[n - 1].strip() for n in range(run[-1] + 1, line))):
            if len(run) >= FOLDED or not layout.quiet.isdisjoint(run):
                end = run[-1] + 1
                while end <= len(lines) and not lines[end - 1].strip() and end not in layout.solid:
                    end += 1
                folded.update(range(run[0], end))
                if not layout.frame.isdisjoint(run):
                    layout.frame.update(n for n in range(run[0], end) if not lines[n - 1].strip())
            run = []
        run.append(line)
    return folded


def may_be_trimmed(text: str) -> bool:
    """Whether a closer look at the comments of a module is worth it."""
    return bool(_MENTION.search(text))


def trimmed_lines(
    lines: Sequence[str], tokens: Sequence[tokenize.TokenInfo], quiet: Container[int]
) -> dict[int, str]:
    """Return the lines with comments for linters and `doctest`, without these; `quiet` ones are unchanged."""
    found = {}
    for token in tokens:
        if token.type != tokenize.COMMENT or not _MENTION.search(token.string):
            continue
        line, column = token.start
        if line in quiet:
            continue
        parts = re.split("(?=#)", token.string)
        left = "".join(part for part in parts if not (HIDDEN.match(part) and part.isascii()))
        if left != token.string:
            found[line] = (lines[line - 1][:column] + left).rstrip()
    return found
