"""Groups the sections of a module by its statements: what can be a cell of a notebook, and what stands inside of one.

Works on the sections and on the syntax tree; line texts are not looked at.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from .model import Section, Source
from .prose import Prose, parse_prose
from .source import syntax_tree

_Documented = ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True, slots=True)
class Docstring:
    """A docstring that stands on lines of its own."""

    within: str
    """The definition it documents; empty for the module."""
    lines: range
    is_alone: bool
    """Whether it is all that its definition consists of."""


@dataclass(frozen=True, slots=True)
class Group:
    """A run of whole statements, with the prose before it and the sections inside of it."""

    prose: Prose
    inside: tuple[Prose, ...]
    program: range
    """The lines that run only when the file is started as a program, `if __name__ == "__main__":`."""

    @property
    def section(self) -> Section:
        """The section that it begins with."""
        return self.prose.section

    @property
    def lines(self) -> tuple[int, ...]:
        """Its lines without the prose that it begins with, and without the program."""
        parts = (self.section.code, *(p.section.code + p.section.prose for p in self.inside))
        return tuple(sorted(number for part in parts for number in part if number not in self.program))


@dataclass(frozen=True)
class Statements:
    """A module by its statements."""

    groups: tuple[Group, ...]
    """In order; together they have all of its lines."""
    docstrings: Mapping[int, Docstring]
    """Each line of a docstring -> that docstring."""
    has_relative_imports: bool


@lru_cache(maxsize=16)  # a page is made in one language after the other
def statements(source: Source) -> Statements:
    """Read the statements of a module."""
    tree = syntax_tree(source.text)
    groups = tuple(_groups(source, tree))
    relative = any(isinstance(node, ast.ImportFrom) and node.level for node in ast.walk(tree))
    return Statements(groups, {n: d for d in _docstrings(tree, groups) for n in d.lines}, relative)


def _groups(source: Source, tree: ast.Module) -> Iterator[Group]:
    """Yield the groups of a module in order."""
    spans = [_span(node, source) for node in tree.body]
    programs = [span for node, span in zip(tree.body, spans, strict=True) if _is_program(node)]
    later = {number for span in spans for number in span[1:]}
    found: list[list[Prose]] = []
    for prose in parse_prose(source):
        if found and prose.section.line in later:
            found[-1].append(prose)
        else:
            found.append([prose])
    for first, *inside in found:
        numbers = {n for p in (first, *inside) for n in p.section.code}
        program = next((span for span in programs if span.start in numbers), range(0))
        yield Group(first, tuple(inside), program)


def _span(node: ast.stmt, source: Source) -> range:
    """The lines of a statement, decorators and indented comments at its end included."""
    if isinstance(node, _Documented):
        places = ((d.line, d.name) for d in source.definitions)
        found = source.definitions[list(places).index((node.lineno, node.name))]
        return range(found.first, found.last + 1)
    return range(node.lineno, (node.end_lineno or node.lineno) + 1)


def _is_program(node: ast.stmt) -> bool:
    """Whether it is `if __name__ == "__main__":` without an `else`."""
    if not isinstance(node, ast.If) or node.orelse or not isinstance(node.test, ast.Compare):
        return False
    sides = [node.test.left, *node.test.comparators]
    is_equal = [type(operator) for operator in node.test.ops] == [ast.Eq]
    has_name = any(isinstance(side, ast.Name) and side.id == "__name__" for side in sides)
    return is_equal and has_name and any(isinstance(s, ast.Constant) and s.value == "__main__" for s in sides)


def _docstrings(tree: ast.Module, groups: Sequence[Group]) -> Iterator[Docstring]:
    """Yield the docstrings whose lines hold nothing else."""
    prose = {n for group in groups for p in (group.prose, *group.inside) for n in p.section.prose}
    stack: list[tuple[ast.AST, str]] = [(tree, "")]
    while stack:
        node, name = stack.pop()
        if isinstance(node, ast.Module | _Documented) and ast.get_docstring(node, clean=False) is not None:
            first = node.body[0]
            lines = range(first.lineno, (first.end_lineno or first.lineno) + 1)
            if prose.issuperset(lines):
                yield Docstring(name, lines, len(node.body) == 1)
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.expr):
                continue
            inner = f"{name}.{child.name}".lstrip(".") if isinstance(child, _Documented) else name
            stack.append((child, inner))
