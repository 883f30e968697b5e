"""Parses a reStructuredText by docutils, with roles and directives of our own, and without any access to files.

docutils keeps its directives in a table for the whole process, which others may use too. So the states of its parser
are derived here, and look directives up in our own table.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from types import SimpleNamespace
from typing import Any

from docutils import nodes
from docutils.frontend import Values
from docutils.parsers.rst import states
from docutils.statemachine import StringList
from docutils.utils import Reporter, unescape

from ..model import ProseLine
from .directives import find_directive
from .loose_lists import separated

LONGEST_LINE = 10_000
"""Maximum number of characters of a line."""
LONGEST_PARAGRAPH = 10_000
"""Maximum number of characters of a paragraph whose markup is read: the parser searches it again for each sign."""
MOST_COLUMNS = 100
"""Maximum number of columns of a table: the parser compares each with all others."""
TAB = 8
"""The columns of a tab in reStructuredText."""


class UnreadableError(Exception):
    """The parser cannot read a text."""


class Role(nodes.Inline, nodes.TextElement):
    """A text with a role: `:class:`, `:math:` …"""


class _Inliner(states.Inliner):
    """A parser of inline markup that keeps roles for the writer, and looks none up."""

    # docutils looks for the parts of its patterns in the class itself.
    vars().update(
        {
            name: part
            for name, part in vars(states.Inliner).items()
            if isinstance(part, str) and name[0] != "_"
        }
    )

    def parse(self, text: str, lineno: int, memo: Any, parent: Any) -> tuple[list[nodes.Node], list[Any]]:
        if len(text) > LONGEST_PARAGRAPH:
            return [nodes.Text(text)], []
        found: tuple[list[nodes.Node], list[Any]] = super().parse(text, lineno, memo, parent)
        return found

    def interpreted(
        self, rawsource: str, text: str, role: str, lineno: int
    ) -> tuple[list[nodes.Node], list[Any]]:
        return [Role(rawsource, unescape(text, restore_backslashes=True), role=role.lower())], []


class _State:
    """What our states have instead of docutils' own: the table of directives, and the style of each title."""

    def __init__(self, state_machine: Any, debug: bool = False) -> None:
        super().__init__(state_machine, debug)  # type: ignore[call-arg]
        self.nested_sm_kwargs = {"state_classes": STATES, "initial_state": "Body"}

    def directive(self, match: Any, **presets: Any) -> Any:
        found = find_directive(match[1].lower())
        return self.run_directive(found, match, match[1], presets)  # type: ignore[attr-defined]

    def section(self, title: str, source: str, style: str, lineno: int, messages: list[Any]) -> None:
        super().section(title, source, style, lineno, messages)  # type: ignore[misc]
        node = self.parent  # type: ignore[attr-defined]
        if isinstance(node, nodes.section) and "style" not in node:
            node["style"] = style
            node.line = self.state_machine.get_source_and_line(lineno)[1]  # type: ignore[attr-defined]


def _explicit() -> Any:
    """Return docutils' table of explicit markup with our own way to directives."""
    original = states.Body.explicit
    table = SimpleNamespace(patterns=original.patterns)
    ours = {states.Body.directive: lambda state, match: state.directive(match)}
    table.constructs = [(ours.get(method, method), pattern) for method, pattern in original.constructs]
    return table


def _state(original: type) -> type:
    # The cache of nested machines is docutils' own for the whole process, so ours is another.
    own = {"explicit": _explicit(), "nested_sm_cache": []}
    return type(original.__name__, (_State, original), own)


STATES = tuple(_state(original) for original in states.state_classes)


@lru_cache(maxsize=1)
def _settings() -> Values:
    """Return settings without configuration files, files, raw text, or output."""
    from docutils.frontend import get_default_settings
    from docutils.parsers.rst import Parser

    settings = get_default_settings(Parser)
    settings.file_insertion_enabled = False
    settings.raw_enabled = False
    settings.report_level = Reporter.SEVERE_LEVEL + 1
    settings.halt_level = Reporter.SEVERE_LEVEL + 1
    settings.warning_stream = ""
    settings.syntax_highlight = "none"
    settings.line_length_limit = LONGEST_LINE
    return settings


def _columns(text: str) -> int:
    """Return the number of columns that a line marks, if it could be the border of a table."""
    if text[:1] not in "=+- " or set(text) - set("=+- "):
        return 0
    return max(len(text.split()), text.count("+"))


class Reader:
    """A parser of the pieces of one text. Its machine is made once, as that takes as long as a short piece."""

    def __init__(self) -> None:
        self._machine: states.RSTStateMachine | None = None

    def read(self, lines: Sequence[ProseLine]) -> nodes.document:
        """Parse `lines`; the lines of nodes are those of the file.

        Raises:
            UnreadableError: if docutils cannot.
        """
        if any(len(line.text) > LONGEST_LINE for line in lines):
            raise UnreadableError(f"has a line of more than {LONGEST_LINE:,} characters")
        if any(_columns(line.text) > MOST_COLUMNS for line in lines):
            raise UnreadableError(f"has a table of more than {MOST_COLUMNS} columns")
        document = nodes.document(
            _settings().copy(), Reporter("", 5, 5, stream="", encoding="utf-8"), source=""
        )
        document.note_source("", -1)
        lines = separated(lines)
        texts = StringList(
            [_plain(line.text) for line in lines], items=[("", line.number - 1) for line in lines]
        )
        machine = self._machine or states.RSTStateMachine(state_classes=STATES, initial_state="Body")
        self._machine = None  # after an error, it is not used again
        try:
            machine.run(texts, document, inliner=_Inliner())
        except RecursionError as error:
            raise UnreadableError("is nested too deeply") from error
        self._machine = machine
        return document

    def close(self) -> None:
        """Let go of the machine, which refers to itself."""
        if self._machine:
            self._machine.unlink()
            self._machine = None


def _plain(text: str) -> str:
    """Return a line as docutils expects it."""
    return text.replace("\f", " ").replace("\v", " ").replace("\0", " ").expandtabs(TAB).rstrip()
