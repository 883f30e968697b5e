"""Splits a module into the cells of a notebook: prose, complete statements, and examples after the code they show.

A class or function is one statement, so prose inside it cannot be a cell: it stays there as comments and docstrings,
in the language of the notebook. Only a docstring at the top becomes a cell, before the code. Code is not changed,
except that relative imports become absolute.
"""

from __future__ import annotations

import ast
import io
import tokenize
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from functools import lru_cache
from importlib.util import resolve_name
from itertools import groupby, pairwise
from typing import NamedTuple

from markdown_it.token import Token

from ..i18n import Gettext
from ..parsing import DefinitionKind, ProseLine, Section, Source, parse_lines, without_directives
from ..rendering import with_title
from . import escaping
from .doctests import Output, Run, runs
from .late_names import names
from .markdown_writer import MarkdownWriter
from .statement_groups import Docstring, Group, Statements

WIDTH = 88
"""Maximum width in columns of translated prose between lines of code."""
_Bodies = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell of a notebook."""

    name: str
    """Its origin: a section or a heading of the page."""
    text: str
    is_code: bool = False
    is_example: bool = False
    outputs: tuple[Output, ...] = ()
    raises: bool = False
    """Whether it is expected to end with an exception."""


class _LineKind(Enum):
    """The role of a line in a notebook."""

    CODE = auto()
    COMMENT = auto()
    DOCSTRING = auto()


class _Part(NamedTuple):
    """A piece of prose, and the cells of the example that follows it."""

    tokens: list[Token]
    runs: tuple[Run, ...]


class Cutter:
    """The splitter of one module into cells, in one language."""

    def __init__(
        self,
        source: Source,
        statements: Statements,
        writer: MarkdownWriter,
        gettext: Gettext,
        module: str,
        package: str,
    ) -> None:
        self.source, self.statements = source, statements
        self.writer, self.gettext = writer, gettext
        self.module, self.package = module, package
        self.names = names(source.text).bound
        self.python = source.text.split("\n")
        """The lines as Python reads them."""
        self.foreign = {n for run in source.foreign for n in range(run.first, run.last + 1)}
        self.kinds = {definition.name: definition.kind for definition in source.definitions}

    def cells(self) -> Iterator[Cell]:
        """Yield the cells in order."""
        titled = False
        for group in self.statements.groups:
            tokens = list(group.prose.tokens)
            if tokens and not titled:
                tokens, titled = with_title(tokens), True
            yield from self._group(group, tokens)

    def _group(self, group: Group, tokens: list[Token]) -> Iterator[Cell]:
        name, self.writer.context.notes = group.section.name, group.prose.notes
        first, *others = self._parts(tokens, group.section)
        yield from self._prose(first.tokens, name)
        if code := self._code(group):
            yield Cell(f"{name}:code", code, is_code=True)
        yield from _examples(first.runs, name)
        for part in others:
            yield from self._prose(part.tokens, name)
            yield from _examples(part.runs, name)
        for docstring, found in self._inside(group):
            label = self.gettext("Examples of %(name)s:") % {"name": f"`{docstring.within}`"}
            yield Cell(f"{docstring.within}:examples", label)
            yield from _examples(found, docstring.within)
        if group.program:
            yield self._program(group)

    def _parts(self, tokens: list[Token], section: Section) -> list[_Part]:
        """Split prose after each of its examples; return one piece if they cannot be run."""
        examples = [token for token in tokens if token.type == "doctest"]
        found = [runs(token.content) for token in examples]
        if not self._can_run(examples, found):
            return [_Part(tokens, ())]
        parts: list[_Part] = []
        start = 0
        for end, token in enumerate(tokens):
            if token.type == "doctest":
                parts.append(_Part(tokens[start:end], found[len(parts)]))
                start = end + 1
        return [*parts, _Part(tokens[start:], ())]

    def _can_run(self, examples: Sequence[Token], found: Sequence[tuple[Run, ...]]) -> bool:
        """Return whether examples can be run, and do not rebind names of the module."""
        if not examples or not all(found):
            return False
        if any(token.level or token.meta["line"] not in self.statements.docstrings for token in examples):
            return False
        if not self._is_found(self.statements.docstrings[examples[0].meta["line"]].within):
            return False
        found_names = [names(run.code) for part in found for run in part]
        return not any((own.bound - own.imported) & self.names for own in found_names)

    def _is_found(self, within: str) -> bool:
        """Return whether doctest finds the docstring of a definition: it searches classes, not functions."""
        parts = within.split(".")
        return all(self.kinds.get(".".join(parts[:n])) is DefinitionKind.CLASS for n in range(1, len(parts)))

    def _inside(self, group: Group) -> Iterator[tuple[Docstring, tuple[Run, ...]]]:
        """Yield the docstrings inside a group that have examples, with the examples."""
        for prose in group.inside:
            for docstring, lines in self._docstrings_in(prose.section):
                examples = [token for token in parse_lines(tuple(lines)) if token.type == "doctest"]
                found = [runs(token.content) for token in examples]
                if self._can_run(examples, found):
                    yield docstring, tuple(run for part in found for run in part)

    def _docstrings_in(self, section: Section) -> Iterator[tuple[Docstring, list[ProseLine]]]:
        for number in section.prose:
            docstring = self.statements.docstrings.get(number)
            if docstring and number == docstring.lines.start:
                yield docstring, [line for line in section.text if line.number in docstring.lines]

    def _prose(self, tokens: list[Token], name: str) -> Iterator[Cell]:
        """Yield the cells of prose, one per heading."""
        starts = [n for n, t in enumerate(tokens) if n and t.type == "heading_open" and t.level == 0]
        bounds = [0, *starts, len(tokens)]
        for start, end in pairwise(bounds):
            if part := tokens[start:end]:
                anchor = str(part[0].attrGet("id") or name)
                yield Cell(anchor, self.writer.cell(part))

    def _program(self, group: Group) -> Cell:
        """Make a cell that shows the `__main__` block of the module, and how to run it."""
        lines = "\n".join(self.source.lines[number - 1] for number in group.program)
        gettext = self.gettext
        text = (
            gettext("In the file, these lines make it a program:"),
            escaping.fenced(lines, "python"),
            gettext(
                "They are left out here: `__name__` is `__main__` too, but the command line is Jupyter's."
            ),
            gettext("To start the program from here, run this in a cell, with your own options:"),
            f"```\n!python -m {self.module}\n```",
        )
        return Cell(f"{group.section.name}:program", "\n\n".join(text))

    def _code(self, group: Group) -> str:
        """Return the code of a group, with the prose inside it in the language of the notebook."""
        source = self.source
        runs = list(self._runs(group))
        code = "\n".join(line for run, _ in runs for line in run).strip("\n")
        python = "\n".join(line for _, run in runs for line in run).strip("\n")
        if alone := next((d for d, _ in self._docstrings_in(group.section) if d.is_alone and d.within), None):
            rest = "\n" + " " * _indent(source.lines[alone.lines.start - 1]) + "..."
            code, python = code + rest, python + rest
        numbers = sorted({*group.lines, *group.section.prose} - {*group.program} - source.frame)
        original = "\n".join(self.python[number - 1] for number in numbers).strip("\n")
        if not _is_same(python, original):  # for example, a docstring shares its last line with code
            code = "\n".join(source.shown(number) for number in numbers if self._is_code(number)).strip("\n")
        if self.foreign.isdisjoint(numbers):
            return _absolute(code, self.package) if self.statements.has_relative_imports else code
        magics = [run.magic for run in source.foreign if run.magic and run.first in numbers]
        return "\n".join([*magics[:1], code])

    def _is_code(self, number: int) -> bool:
        """Return whether a line is anything but prose that leaves no code for Python."""
        is_blank = not self.source.lines[number - 1].strip()
        return is_blank or number in self.foreign or bool(self.python[number - 1].strip())

    def _runs(self, group: Group) -> Iterator[tuple[list[str], list[str]]]:
        """Yield the lines of a group, as shown and as Python reads them.

        Runs of code are unchanged, and runs of prose are in the language of the notebook.
        """
        lines = self.source.lines
        sections = {number: p.section for p in group.inside for number in p.section.prose}

        def run_of(number: int) -> tuple[_LineKind, int]:
            """Return the kind of a line, and a value that the lines of a run have in common."""
            if number in sections and (docstring := self.statements.docstrings.get(number)):
                return _LineKind.DOCSTRING, docstring.lines.start
            is_comment = number in sections and lines[number - 1].strip()
            return (_LineKind.COMMENT, _indent(lines[number - 1])) if is_comment else (_LineKind.CODE, 0)

        for (kind, _), numbers in groupby((n for n in group.lines if n not in self.source.frame), run_of):
            run = list(numbers)
            shown = [self.source.shown(number) for number in run]
            indent = _indent(shown[0])
            found = None
            if kind is not _LineKind.CODE and not _is_foreign(sections[run[0]]):
                text = tuple(line for line in sections[run[0]].text if line.number in run)
                width = WIDTH - indent - 2 * (kind is _LineKind.COMMENT)
                found = self.writer.comment(parse_lines(text), width)
            if found is None:
                if kind is _LineKind.DOCSTRING:
                    shown = without_directives("\n".join(shown)).split("\n")
                yield shown, [self.python[number - 1] for number in run]
            elif kind is _LineKind.COMMENT:
                comment = [(" " * indent + "# " + line).rstrip() for line in found]
                yield comment, comment
            else:
                docstring = _docstring(found, " " * indent)
                yield docstring, docstring


def _is_foreign(section: Section) -> bool:
    """Return whether the prose of a section is not Markdown, and stays as it is among code."""
    return section.docstring is not None or section.is_rst


def _examples(found: Iterable[Run], name: str) -> Iterator[Cell]:
    for run in found:
        yield Cell(f"{name}:example", run.code, True, True, run.outputs, run.raises)


def _docstring(text: list[str], indent: str) -> list[str]:
    """Format lines of prose as a docstring."""
    prefix = "r" if any("\\" in line for line in text) else ""
    lines = [indent + line if line else "" for line in text]
    if len(text) == 1 and not text[0].endswith(('"', "\\")) and len(lines[0]) + 7 <= WIDTH:
        return [f'{indent}{prefix}"""{text[0]}"""']
    return [f'{indent}{prefix}"""', *lines, f'{indent}"""']


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())


def _is_same(code: str, original: str) -> bool:
    try:
        return bare(code) == bare(original)
    except (SyntaxError, RecursionError):
        return False


@lru_cache(maxsize=256)  # the original is compared again for each language
def bare(code: str) -> str:
    """Return a representation of a program without comments, docstrings and other constants, for comparison."""
    tree = ast.parse(code)
    for node in ast.walk(tree):
        if isinstance(node, _Bodies):
            node.body = [s for s in node.body if not _says_nothing(s)] or [ast.Pass()]
    return ast.dump(tree)


def _says_nothing(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)


def _absolute(code: str, package: str) -> str:
    """Make relative imports absolute, since a notebook is not in a package."""
    lines = code.split("\n")
    tokens = list(tokenize.generate_tokens(io.StringIO(code).readline))
    for position in range(len(tokens) - 1, 0, -1):
        if tokens[position].string != "import" or tokens[position].type != tokenize.NAME:
            continue
        start = position
        while tokens[start - 1].string in (".", "...") or tokens[start - 1].type == tokenize.NAME:
            start -= 1
            if tokens[start].string == "from":
                break
        words = [token.string for token in tokens[start + 1 : position]]
        line, column = tokens[start].end
        end_line, end = tokens[position].start
        if tokens[start].string == "from" and words and words[0] in (".", "...") and line == end_line:
            name = _resolved("".join(words), package)
            lines[line - 1] = f"{lines[line - 1][:column]} {name} {lines[line - 1][end:]}"
    return "\n".join(lines)


def _resolved(name: str, package: str) -> str:
    """Return the absolute name of a module, or `name` if it is not in a package."""
    try:
        return resolve_name(name, package)
    except ImportError:
        return name
