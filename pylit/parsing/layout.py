"""The layout of the lines of a module, before sections are made of them: which are prose, markers, or folded."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from .model import Foreign, ProseLine


@dataclass(frozen=True, slots=True)
class Comment:
    """A comment on a line of its own."""

    line: int
    column: int
    string: str
    """The comment as in the file, with its `#`."""

    @property
    def text(self) -> str:
        """The text of the comment, without its sign."""
        return self.string[1:].removeprefix(" ").rstrip("\f")


@dataclass(slots=True)
class Layout:
    """How the lines of a module are divided."""

    own: Mapping[int, Comment] = field(default_factory=dict)
    """All comments on lines of their own."""
    prose: dict[int, str] = field(default_factory=dict)
    """The comments that are prose -> their text."""
    dividers: dict[int, str] = field(default_factory=dict)
    """Lines that mark a cell, and are not shown -> the Markdown heading that they become; empty for none."""
    starts: set[int] = field(default_factory=set)
    """Lines that start a row."""
    ends: set[int] = field(default_factory=set)
    """Lines that end a row."""
    strings: list[ast.Expr] = field(default_factory=list)
    """Strings that are prose although they are not docstrings."""
    passages: dict[int, tuple[range, tuple[ProseLine, ...]]] = field(default_factory=dict)
    """First line of a piece of prose that is neither a comment nor a string -> its lines and text."""
    inserted: dict[int, list[tuple[ProseLine, ...]]] = field(default_factory=dict)
    """Lines of code -> pieces of prose before them that have no lines of their own."""
    solid: set[int] = field(default_factory=set)
    """Lines that are code although Python sees nothing there."""
    tools: set[int] = field(default_factory=set)
    """Lines that are not for readers: directives for tools, licences, headers of notebooks."""
    quiet: set[int] = field(default_factory=set)
    """Lines that are folded."""
    frame: set[int] = field(default_factory=set)
    """Lines that belong to the format of a notebook stored as a script, and to nothing that runs."""
    shown: dict[int, str] = field(default_factory=dict)
    """Lines that are shown differently from the file."""
    foreign: list[Foreign] = field(default_factory=list)
    cells: list[range] = field(default_factory=list)
    """The lines of each cell."""
    title: str = ""
    """Title of the page, if a header has one."""
    markup: str = ""
    """`rst` if its prose is reStructuredText; otherwise it is Markdown."""


def groups(comments: Mapping[int, Comment]) -> Iterator[list[Comment]]:
    """Yield runs of comments on consecutive lines, given all of them in order."""
    group: list[Comment] = []
    for line, comment in comments.items():
        if group and line != group[-1].line + 1:
            yield group
            group = []
        group.append(comment)
    if group:
        yield group
