"""Reads and decodes a file: a Python module is split into sections, a Markdown guide is a single section.

Refuses files that Python itself would not decode or compile, with the line.
"""

from __future__ import annotations

import io
import tokenize
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from types import MappingProxyType

from ..defaults import Conventions
from ..errors import Problem, PylitError
from ..filesystem import read_file
from ..nearest import short
from .comments import may_be_trimmed, read_comments, trimmed_lines
from .folds import find_folds
from .front_matter import split_front_matter
from .jupyter import is_notebook, read_notebook
from .layout import Layout
from .magics import mask, may_hold_magics
from .marimo import unwrap
from .model import Definition, FileKind, Fold, Foreign, Meta, Output, ProseLine, Section, file_kind
from .prose import Prose, find_title, parse_prose
from .python_versions import needed_version
from .sections import cut
from .syntax import python_tokens, syntax_tree

LONGEST_NAME = 500
"""Maximum length of the qualified name of a definition, which is part of the addresses of its lines."""


@dataclass(frozen=True, eq=False)
class Source:
    """A file that becomes a page, split into sections. Compared by identity."""

    file: str
    """Its path as given by the user, with forward slashes."""
    lines: tuple[str, ...]
    """The lines as in the file, without the parts around cells that belong to the format of a notebook."""
    sections: tuple[Section, ...]
    definitions: tuple[Definition, ...]
    meta: Meta
    text: str
    """The whole file, decoded, newlines as `\\n`; lines of a module that are not Python are replaced one by one."""
    trimmed: Mapping[int, str] = field(default_factory=dict)
    """Lines that end in a comment for a tool, without it."""
    quiet: frozenset[int] = frozenset()
    """Lines of code that are not for readers and are folded."""
    frame: frozenset[int] = frozenset()
    """The lines among them that belong to the format of a notebook stored as a script, and to nothing that runs."""
    folds: Mapping[int, Fold] = field(default_factory=dict)
    """All lines of code that are folded -> what they hold."""
    cells: tuple[range, ...] = ()
    """The lines of each cell, if its author has divided it into cells."""
    foreign: tuple[Foreign, ...] = ()
    outputs: Mapping[int, tuple[Output, ...]] = field(default_factory=dict)
    """The last line of a cell -> its outputs."""
    attachments: Mapping[str, Output] = field(default_factory=dict)
    """Name -> image in a notebook: `![](attachment:name)`."""
    markup: str = ""
    """`rst` if its prose is reStructuredText, as in a sphinx-gallery example; otherwise it is Markdown."""
    problems: tuple[Problem, ...] = ()
    """Problems with elements that are omitted from its page."""
    problem: Problem | None = None
    """The problem that makes it a listing."""

    def shown(self, number: int) -> str:
        """Return a line as readers see it."""
        return self.trimmed.get(number, self.lines[number - 1])

    @property
    def is_python(self) -> bool:
        """Whether it is a module rather than a Markdown guide."""
        return file_kind(self.file) is FileKind.MODULE

    @cached_property
    def prose(self) -> tuple[Prose, ...]:
        """The parsed prose of all sections."""
        return parse_prose(self.sections, is_module=self.is_python)

    @property
    def title(self) -> str:
        """The Markdown of its page's title."""
        return find_title(self.file, self.meta, self.prose)

    @property
    def anchors(self) -> frozenset[str]:
        """All anchors of its page, except those of lines."""
        found = {section.name for section in self.sections}
        found.update(heading.anchor for prose in self.prose for heading in prose.headings)
        return frozenset(found) | self.tag_anchors

    @property
    def tag_anchors(self) -> frozenset[str]:
        """The anchors that raw HTML sets: `<a id="mha"></a>`."""
        return frozenset(anchor for prose in self.prose for anchor in prose.anchors)

    @property
    def host_anchors(self) -> Mapping[str, str]:
        """Anchors of headings on a code host -> those on its page, where they differ.

        In a guide they take precedence: its links are written for the host. In a module, names do.
        """
        found = {heading.host_anchor: heading.anchor for prose in self.prose for heading in prose.headings}
        own = self.anchors if self.is_python else self.tag_anchors
        return {host: anchor for host, anchor in found.items() if host and host != anchor and host not in own}


CONVENTIONS = Conventions()


def read_source(path: Path, file: str | None = None, conventions: Conventions = CONVENTIONS) -> Source:
    """Read the file at `path`, called `file` in messages.

    Raises:
        PylitError: if it cannot be read or decoded, or is not valid Python.
    """
    file = file or path.as_posix()
    try:
        data = read_file(path)
    except OSError as error:
        hint = "Name a Python file or a Markdown guide."
        raise PylitError(Problem(file, 0, f"cannot be read: {error.strerror}", hint)) from error
    return parse_source(data, file, conventions)


def parse_source(data: bytes, file: str, conventions: Conventions = CONVENTIONS) -> Source:
    """Decode and parse a file with the content `data`.

    Raises:
        PylitError: if it cannot be decoded, or is neither valid Python nor a guide.
    """
    match file_kind(file):
        case FileKind.GUIDE:
            return parse_markdown(decode_utf8(data, file), file)
        case FileKind.MODULE if is_notebook(file):
            return parse_notebook(data, file, conventions)
        case FileKind.MODULE:
            return parse_python(decode_python(data, file), file, conventions)
    hint = "Name a file that ends in .py, .pyi, .pyw, .ipynb or .md, or a Python script without a suffix."
    raise PylitError(Problem(file, 0, "is neither a Python file nor a Markdown guide", hint))


def decode_python(data: bytes, file: str) -> str:
    """Decode a Python file as Python does: byte-order mark, encoding cookie, any kind of newline.

    Raises:
        PylitError: with the line, if it cannot be decoded.
    """
    hint = "Save it as UTF-8, or state its encoding."
    try:
        # Since Python 3.14, this refuses NUL characters; the parser has a better message for them.
        encoding, _ = tokenize.detect_encoding(io.BytesIO(data.replace(b"\0", b"")).readline)
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        raise PylitError(_undecodable(error, file, f"is not in its encoding, {encoding}", hint)) from error
    except (SyntaxError, ValueError, LookupError) as error:
        raise PylitError(Problem(file, 1, f"cannot be decoded: {error}", hint)) from error
    try:
        text.encode()  # some encodings, such as utf-7, can produce lone surrogates
    except UnicodeEncodeError as error:
        line = text.count("\n", 0, error.start) + 1
        raise PylitError(Problem(file, line, f"cannot be decoded: {error.reason}", hint)) from error
    return _newlines(text)


def decode_utf8(data: bytes, file: str) -> str:
    """Decode any other text file, which must be UTF-8.

    Raises:
        PylitError: with the line, if it is not UTF-8.
    """
    try:
        return _newlines(data.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise PylitError(_undecodable(error, file, "is not UTF-8", "Save it as UTF-8.")) from error


def parse_python(text: str, file: str, conventions: Conventions = CONVENTIONS) -> Source:
    """Split Python source `text` into sections.

    Raises:
        PylitError: with the line, if `text` is not valid Python.
    """
    lines = split_lines(text)
    layout = Layout()
    try:
        text, layout.foreign = _python(text, lines, conventions)
        tree, tokens = syntax_tree(text), python_tokens(text)
    except (RecursionError, MemoryError) as error:
        hint = "Break up the expression or the chain of `elif`, or exclude the file."
        raise PylitError(Problem(file, 1, "is nested too deeply for Python's own parser", hint)) from error
    except (SyntaxError, tokenize.TokenError, ValueError) as error:
        line = error.lineno or 1 if isinstance(error, SyntaxError) else 1
        reason = error.msg if isinstance(error, SyntaxError) else str(error) or type(error).__name__
        raise PylitError(_no_python(file, line, reason, lines)) from error
    if conventions.cells and "marimo" in text and (found := unwrap(lines, tree, tokens, layout)):
        lines, text = list(found.lines), "\n".join(found.python) + "\n"
        tree, tokens = syntax_tree(text), python_tokens(text)
    return _cut(file, lines, text, layout, conventions)


def _no_python(file: str, line: int, reason: str, lines: list[str]) -> Problem:
    """Return the problem of a file that Python does not accept."""
    version = needed_version(lines[line - 1], reason) if 0 < line <= len(lines) else ""
    if version == "2":
        hint = "Convert it, for example with 2to3, or exclude the file."
        return Problem(file, line, f"is written for Python 2: {reason}", hint)
    if version:
        hint = f"Install pylit for Python {version}, or exclude the file."
        return Problem(file, line, f"needs Python {version} or newer: {reason}", hint)
    return Problem(file, line, f"is not valid Python: {reason}", "Fix the syntax, or exclude the file.")


def _python(text: str, lines: list[str], conventions: Conventions) -> tuple[str, list[Foreign]]:
    """Return the text that Python can read of a file, and the parts that only IPython understands.

    Raises:
        SyntaxError, ValueError, RecursionError, MemoryError: as Python's own parser does.
    """
    try:
        syntax_tree(text)
    except SyntaxError:
        if not conventions.cells or not may_hold_magics(text):
            raise
        masked = mask(lines)
        if not masked.foreign:
            raise
        text = "\n".join(masked.lines) + "\n"
        syntax_tree(text)
        return text, list(masked.foreign)
    return text, []


def _cut(
    file: str,
    lines: list[str],
    text: str,
    layout: Layout,
    conventions: Conventions,
    outputs: Mapping[int, tuple[Output, ...]] = MappingProxyType({}),
) -> Source:
    """Split a module into sections, of which Python reads `text`, given the layout of its lines so far."""
    tree, tokens = syntax_tree(text), python_tokens(text)
    masked = [number for run in layout.foreign for number in range(run.first, run.last + 1)]
    layout.solid.update(masked)
    layout.shown.update((number, lines[number - 1]) for number in masked)
    code = split_lines(text) if layout.solid or layout.passages else lines
    read_comments(code, tree, tokens, conventions, layout)
    found = cut(code, tree, tokens, layout, conventions.docstrings)
    for definition in found.definitions:
        if len(definition.name) > LONGEST_NAME:
            reason = f"the name `{short(definition.name)}` is longer than {LONGEST_NAME} characters"
            raise PylitError(Problem(file, definition.line, reason, "Shorten it, or exclude the file."))
    front = split_front_matter(found.module_prose, file)
    meta = front.meta
    sections = found.sections
    if found.module_prose:
        sections = tuple(replace(s, text=front.rest) if s.text is found.module_prose else s for s in sections)
    if layout.title and not meta.title:
        meta = replace(meta, title=layout.title)
    folds = find_folds(tree, code, sections, layout.prose.keys()) if conventions.fold_noise else {}
    return Source(
        file,
        tuple(_shown(lines, layout.shown)),
        sections,
        found.definitions,
        meta,
        text,
        trimmed=trimmed_lines(code, tokens, layout.quiet)
        if conventions.fold_noise and may_be_trimmed(text)
        else {},
        quiet=frozenset(layout.quiet),
        frame=frozenset(layout.frame),
        folds=folds | dict.fromkeys(layout.quiet, Fold.NOISE),
        cells=tuple(layout.cells),
        foreign=tuple(layout.foreign),
        outputs=outputs if conventions.outputs else {},
        markup=layout.markup,
        problems=front.problems,
    )


def _shown(lines: Sequence[str], shown: Mapping[int, str]) -> Iterable[str]:
    """Return the lines of a file as readers see them."""
    return (shown.get(number, line) for number, line in enumerate(lines, 1)) if shown else lines


def parse_notebook(data: bytes, file: str, conventions: Conventions = CONVENTIONS) -> Source:
    """Split a Jupyter notebook with the content `data` into sections; lines are numbered across its code cells.

    Raises:
        PylitError: with the line, if it is not a notebook.
    """
    found = read_notebook(data, file)
    found.layout.title = found.title
    text = "\n".join(found.python) + "\n" * bool(found.python)
    conventions = replace(conventions, cells=False)
    source = _cut(file, found.lines, text, found.layout, conventions, found.outputs)
    return replace(source, attachments=found.attachments)


def parse_markdown(text: str, file: str) -> Source:
    """Parse a guide as a single section of prose."""
    lines = split_lines(text)
    prose = [ProseLine(number, line) for number, line in enumerate(lines, 1)]
    front = split_front_matter(prose, file)
    section = Section("page", 1, tuple(range(1, len(lines) + 1)), (), front.rest)
    return Source(file, tuple(lines), (section,), (), front.meta, text, problems=front.problems)


def split_lines(text: str) -> list[str]:
    """Split at newlines only: `str.splitlines` would also split at form feeds, which do not end a line in Python."""
    lines = text.split("\n")
    if not lines[-1]:
        lines.pop()
    return lines


def _newlines(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _undecodable(error: UnicodeDecodeError, file: str, message: str, hint: str) -> Problem:
    before = _newlines(error.object[: error.start].decode("latin-1"))  # maps each byte to one character
    return Problem(file, before.count("\n") + 1, f"{message}: {error.reason}", hint)
