"""The values passed between stages. All are immutable, and know their file and line."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum, auto
from pathlib import PurePosixPath

PYTHON = (".py", ".pyi", ".pyw", "")
"""Suffixes of modules and scripts; the latter often have none."""
NOTEBOOK = ".ipynb"
GUIDE = ".md"


class FileKind(Enum):
    """The kind of page that a file becomes."""

    MODULE = auto()
    """A page of prose next to code."""
    GUIDE = auto()
    """A page of prose."""
    OTHER = auto()
    """Not a page."""


def file_kind(file: str) -> FileKind:
    """Return the kind of a file by its name."""
    suffix = PurePosixPath(file).suffix.lower()
    if suffix in (*PYTHON, NOTEBOOK):
        return FileKind.MODULE
    return FileKind.GUIDE if suffix == GUIDE else FileKind.OTHER


@dataclass(frozen=True, slots=True)
class ProseLine:
    """A line of prose without quotes, comment sign and common indentation."""

    number: int
    """Its line in the file, counted from 1."""
    text: str


class DefinitionKind(Enum):
    """The kind of a definition."""

    CLASS = auto()
    FUNCTION = auto()


@dataclass(frozen=True, slots=True)
class Definition:
    """A class or function of a module."""

    name: str
    """Its qualified name, such as `ResidualBlock.forward`, and its anchor on the page."""
    kind: DefinitionKind
    first: int
    """Its first line, including decorators."""
    line: int
    """The line of `class` or `def`."""
    last: int
    """Its last line, including indented trailing comments."""
    column: int
    """Its indentation in characters."""
    depth: int
    """Number of definitions around it."""
    suite: int
    """The run of statements that contains it: the same for two definitions only if both are always executed."""


class Dialect(Enum):
    """The dialect of a docstring that is not Markdown."""

    GOOGLE = auto()
    NUMPY = auto()
    SPHINX = auto()
    """Field lists, or plain reStructuredText."""
    KERAS = auto()
    EPYTEXT = auto()


@dataclass(frozen=True, slots=True)
class Parameter:
    """What a signature says of a parameter."""

    annotation: str
    default: str


@dataclass(frozen=True, slots=True)
class DocstringForm:
    """How a docstring is read that is not Markdown."""

    dialect: Dialect
    lines: range
    """Its lines in the file."""
    within: str
    """The definition it documents; empty for the module."""
    is_rst: bool
    """Whether the text in its sections is reStructuredText."""
    signature: Mapping[str, Parameter] = field(default_factory=dict)
    """The parameters of what it documents."""


@dataclass(frozen=True, slots=True)
class Section:
    """A row of the page: some prose, and the run of code lines next to it."""

    name: str
    """Unique name on the page, and its anchor."""
    line: int
    prose: tuple[int, ...]
    """Numbers of the lines that contain only prose."""
    code: tuple[int, ...]
    """Numbers of the lines that contain code."""
    text: tuple[ProseLine, ...]
    """The prose as Markdown."""
    within: str = ""
    """Qualified name of the definition that contains it; empty for the module itself."""
    opens: Definition | None = None
    """The definition whose first line it contains."""
    docstring: DocstringForm | None = None
    """How its docstring is read, if that is not Markdown."""
    is_rst: bool = False
    """Whether its comments are reStructuredText."""


@dataclass(frozen=True, slots=True)
class Paper:
    """A paper that a page explains."""

    title: str
    authors: tuple[str, ...]
    year: str
    arxiv: str = ""
    """Its number at arXiv: `1512.03385`."""
    url: str = ""
    """Its address, for a paper that is not at arXiv."""

    @property
    def href(self) -> str:
        """Where it can be read; empty if nobody has said."""
        return f"https://arxiv.org/abs/{self.arxiv}" if self.arxiv else self.url


@dataclass(frozen=True, slots=True)
class Meta:
    """The front matter of a file."""

    title: str = ""
    title_line: int = 0
    summary: str = ""
    summary_line: int = 0
    symbols: Mapping[str, str] = field(default_factory=dict)
    """TeX of a symbol -> qualified name of the code that it represents."""
    symbols_line: int = 0
    macros: Mapping[str, str] = field(default_factory=dict)
    """Name of a macro for formulas -> its TeX."""
    macros_line: int = 0
    hook: str = ""
    """One line that makes readers of a map want to open the page."""
    pictogram: str = ""
    """A drawing that stands for the page on maps, relative to the file."""
    papers: tuple[Paper, ...] = ()
    """The papers that the page explains."""
    before: str = ""
    """What a reader needs to know before, as Markdown."""
    next: str = ""
    """What to read next and why, as Markdown."""
    lines: Mapping[str, int] = field(default_factory=dict, compare=False)
    """The keys that are set -> their lines."""


class Fold(Enum):
    """What is in lines of code that a page folds."""

    NOISE = auto()
    """What is not for readers: directives for tools, licences, headers of notebooks."""
    IMPORTS = auto()
    """Imports; `__all__` too, if it follows them."""
    EXPORTS = auto()
    """`__all__`."""
    HELPER = auto()
    """A function that refuses bad arguments."""
    CHECKS = auto()
    """Calls of such functions."""


@dataclass(frozen=True, slots=True)
class Foreign:
    """A run of lines of code in another language: `%%bash` and the rest of its cell."""

    first: int
    last: int
    language: str
    """The language, as Pygments calls it; empty if unknown."""
    magic: str = ""
    """The magic that a notebook needs above it, if it is not there."""


class OutputKind(Enum):
    """How an output is shown."""

    TEXT = "text"
    ERROR = "error"
    PICTURE = "picture"
    LEFT_OUT = "left out"
    """Not at all: it is too large, or would have to run."""


@dataclass(frozen=True, slots=True)
class Output:
    """An output of a cell of a notebook."""

    kind: OutputKind
    text: str = ""
    """The text; for omitted outputs, their description."""
    data: bytes = b""
    """The image."""
    suffix: str = ""
    """The suffix of the image format: `.png`."""
