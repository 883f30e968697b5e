"""The values that pass between the stages. All are frozen, and each knows its file and line."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class ProseLine:
    """One line of prose, its quotes, comment sign and common indentation removed."""

    number: int
    """The line of the file it stands on, counted from 1."""
    text: str


@dataclass(frozen=True, slots=True)
class Definition:
    """A class or function of a module."""

    name: str
    """Its qualified name, `ResidualBlock.forward`; also its anchor on the page."""
    kind: str
    """`class` or `function`."""
    first: int
    """Its first line, decorators included."""
    line: int
    """The line of `class` or `def`."""
    last: int
    """Its last line, indented trailing comments included."""
    column: int
    """Its indentation, in characters."""
    depth: int
    """How many definitions it is nested in."""
    suite: int
    """Which run of statements it stands in: the same for two only if both are always executed."""


@dataclass(frozen=True, slots=True)
class Section:
    """One row of the page: some prose, and the run of code lines beside it."""

    name: str
    """Unique on the page, and its anchor."""
    line: int
    prose: tuple[int, ...]
    """Numbers of the lines that hold only prose."""
    code: tuple[int, ...]
    """Numbers of the lines that hold code."""
    text: tuple[ProseLine, ...]
    """The prose as Markdown."""
    within: str = ""
    """Qualified name of the definition it is in; empty for the module itself."""
    opens: Definition | None = None
    """The definition whose first line is in this section."""


@dataclass(frozen=True, slots=True)
class Meta:
    """The front matter of a file."""

    title: str = ""
    title_line: int = 0
    summary: str = ""
    summary_line: int = 0
    symbols: Mapping[str, str] = field(default_factory=dict)
    """TeX of a symbol -> qualified name of the code it stands for."""
    symbols_line: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class Source:
    """A file that becomes a page, cut into sections. Equal only to itself."""

    file: str
    """Its path as the user gave it, with forward slashes."""
    lines: tuple[str, ...]
    sections: tuple[Section, ...]
    definitions: tuple[Definition, ...]
    meta: Meta
    text: str
    """The whole file, decoded, newlines as `\\n`."""

    @property
    def is_python(self) -> bool:
        """Whether it is a module; otherwise it is a guide in Markdown."""
        return self.file.endswith(".py")


@dataclass(frozen=True, slots=True)
class Block:
    """One translatable piece of prose: a heading, a paragraph, a list item, a table cell."""

    text: str
    """Markdown, on one line: the msgid of the catalogs."""
    file: str
    line: int
    within: str
    """The definition it belongs to, for the catalog's reference."""
    code: str = ""
    """The code it stands beside, for the translator."""
