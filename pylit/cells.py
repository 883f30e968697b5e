"""Cuts a module into the cells of a notebook: prose, whole statements of code, and examples after what they show.

A class or a function is one statement, so prose cannot come between its lines as a cell. What stands inside stays
inside, as comments and docstrings in the language of the notebook. Only a docstring at the top is a cell, before its
code. Code is not changed otherwise, except that relative imports become absolute.
"""

from __future__ import annotations

import ast
import io
import tokenize
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.util import resolve_name
from itertools import groupby, pairwise
from typing import NamedTuple

from markdown_it.token import Token

from .examples import Output, Run, runs
from .interface import Gettext
from .markdown import MarkdownWriter
from .markup import with_title
from .model import ProseLine, Section, Source
from .needs import names
from .prose import parse_lines
from .statements import Docstring, Group, statements

WIDTH = 88
"""Columns of translated prose between lines of code."""
_Bodies = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell of a notebook."""

    name: str
    """Where it comes from: a section or a heading of the page."""
    text: str
    is_code: bool = False
    is_example: bool = False
    outputs: tuple[Output, ...] = ()
    raises: bool = False
    """Whether it ends in an exception, on purpose."""


class _Part(NamedTuple):
    """A piece of prose, and the cells of the example that follows it."""

    tokens: list[Token]
    runs: tuple[Run, ...]


class Cutter:
    """Makes the cells of one module, in one language."""

    def __init__(
        self, source: Source, writer: MarkdownWriter, gettext: Gettext, module: str, package: str
    ) -> None:
        self.source, self.writer, self.gettext = source, writer, gettext
        self.module, self.package = module, package
        self.statements = statements(source)
        self.names = names(source.text).bound
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
        name = group.section.name
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
        """Prose, cut after each of its examples; in one piece if they cannot be run."""
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
        """Whether examples are run at all, and leave the module's own names alone."""
        if not examples or not all(found):
            return False
        if any(token.level or token.meta["line"] not in self.statements.docstrings for token in examples):
            return False
        if not self._is_found(self.statements.docstrings[examples[0].meta["line"]].within):
            return False
        found_names = [names(run.code) for part in found for run in part]
        return not any((own.bound - own.imported) & self.names for own in found_names)

    def _is_found(self, within: str) -> bool:
        """Whether doctest finds the docstring of a definition: it looks into classes, not into functions."""
        parts = within.split(".")
        return all(self.kinds.get(".".join(parts[:n])) == "class" for n in range(1, len(parts)))

    def _inside(self, group: Group) -> Iterator[tuple[Docstring, tuple[Run, ...]]]:
        """Yield the docstrings inside of a group that have examples, with these."""
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
        """Yield prose, in a cell for each of its headings."""
        starts = [n for n, t in enumerate(tokens) if n and t.type == "heading_open" and t.level == 0]
        bounds = [0, *starts, len(tokens)]
        for start, end in pairwise(bounds):
            if part := tokens[start:end]:
                anchor = str(part[0].attrGet("id") or name)
                yield Cell(anchor, self.writer.cell(part))

    def _program(self, group: Group) -> Cell:
        """What makes a program of the module, and how to start that."""
        lines = "\n".join(self.source.lines[number - 1] for number in group.program)
        gettext = self.gettext
        text = (
            gettext("In the file, these lines make a program of it:"),
            f"```python\n{lines}\n```",
            gettext(
                "They are left out: `__name__` is `__main__` here too, but the command line is Jupyter's."
            ),
            gettext("To start the program from here, run this in a cell, with options of yours:"),
            f"```\n!python -m {self.module}\n```",
        )
        return Cell(f"{group.section.name}:program", "\n\n".join(text))

    def _code(self, group: Group) -> str:
        """The code of a group, with the prose inside of it in the language of the notebook."""
        lines = self.source.lines
        code = "\n".join(line for run in self._runs(group) for line in run).strip("\n")
        if alone := next((d for d, _ in self._docstrings_in(group.section) if d.is_alone and d.within), None):
            code += "\n" + " " * _indent(lines[alone.lines.start - 1]) + "..."
        numbers = sorted({*group.lines, *group.section.prose} - {*group.program})
        original = "\n".join(lines[number - 1] for number in numbers).strip("\n")
        if not _is_same(code, original):  # a docstring shares its last line with code, say
            code = original
        return _absolute(code, self.package) if self.statements.has_relative_imports else code

    def _runs(self, group: Group) -> Iterator[list[str]]:
        """Yield the lines of a group: runs of code as they are, and runs of prose in the notebook's language."""
        lines = self.source.lines
        sections = {number: p.section for p in group.inside for number in p.section.prose}

        def kind(number: int) -> tuple[str, int]:
            if number in sections and (docstring := self.statements.docstrings.get(number)):
                return "docstring", docstring.lines.start
            is_comment = number in sections and lines[number - 1].strip()
            return ("comment", _indent(lines[number - 1])) if is_comment else ("code", 0)

        for (what, _), numbers in groupby(group.lines, kind):
            run = list(numbers)
            as_it_is = [lines[number - 1] for number in run]
            indent = _indent(as_it_is[0])
            found = None
            if what != "code":
                text = tuple(line for line in sections[run[0]].text if line.number in run)
                width = WIDTH - indent - 2 * (what == "comment")
                found = self.writer.comment(parse_lines(text), width)
            if found is None:
                yield as_it_is
            elif what == "comment":
                yield [(" " * indent + "# " + line).rstrip() for line in found]
            else:
                yield _docstring(found, " " * indent)


def _examples(found: Iterable[Run], name: str) -> Iterator[Cell]:
    for run in found:
        yield Cell(f"{name}:example", run.code, True, True, run.outputs, run.raises)


def _docstring(text: list[str], indent: str) -> list[str]:
    """Lines of prose as a docstring."""
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


@lru_cache(maxsize=256)  # the original is compared in one language after the other
def bare(code: str) -> str:
    """What a program does: the same for two that differ only in comments, docstrings and other idle constants."""
    tree = ast.parse(code)
    for node in ast.walk(tree):
        if isinstance(node, _Bodies):
            node.body = [s for s in node.body if not _says_nothing(s)] or [ast.Pass()]
    return ast.dump(tree)


def _says_nothing(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)


def _absolute(code: str, package: str) -> str:
    """`code` with relative imports made absolute: a notebook is in no package."""
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
    """The absolute name of a module, or `name` if it is not in a package."""
    try:
        return resolve_name(name, package)
    except ImportError:
        return name
