"""Groups the sections of a module by statement: those that can be a cell of a notebook, and those inside one.

Works on the sections and the syntax tree, not on text.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from ..parsing import Prose, Section, Source, syntax_tree

_Documented = ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True, slots=True)
class Docstring:
    """A docstring on lines of its own."""

    within: str
    """The documented definition; empty for the module."""
    lines: range
    is_alone: bool
    """Whether it is the whole body of its definition."""


@dataclass(frozen=True, slots=True)
class Group:
    """A run of complete statements, with the prose before it and the sections inside it."""

    prose: Prose
    inside: tuple[Prose, ...]
    program: range
    """The lines of `if __name__ == "__main__":`, which run only if the file is started as a program."""

    @property
    def section(self) -> Section:
        """The first section."""
        return self.prose.section

    @property
    def lines(self) -> tuple[int, ...]:
        """The lines of the group without the prose at its start and without the program."""
        parts = (self.section.code, *(p.section.code + p.section.prose for p in self.inside))
        return tuple(sorted(number for part in parts for number in part if number not in self.program))


@dataclass(frozen=True)
class Statements:
    """A module, split into statements."""

    groups: tuple[Group, ...]
    """The groups in order; together they contain all lines."""
    docstrings: Mapping[int, Docstring]
    """Line of a docstring -> docstring."""
    has_relative_imports: bool


def read_statements(source: Source) -> Statements:
    """Split a module into statements."""
    tree = syntax_tree(source.text)
    groups = tuple(_groups(source, tree))
    relative = any(isinstance(node, ast.ImportFrom) and node.level for node in ast.walk(tree))
    return Statements(groups, {n: d for d in _docstrings(tree, groups) for n in d.lines}, relative)


def _groups(source: Source, tree: ast.Module) -> Iterator[Group]:
    """Yield the groups of a module in order."""
    known = {(d.line, d.name): range(d.first, d.last + 1) for d in reversed(source.definitions)}
    spans = [_span(node, known) for node in tree.body]
    programs = [span for node, span in zip(tree.body, spans, strict=True) if _is_program(node)]
    later = {number for span in spans for number in span[1:]}
    cells = {number: position for position, lines in enumerate(source.cells) for number in lines}
    found: list[list[Prose]] = []
    cell = None
    for prose in source.prose:
        section = prose.section
        own = cells.get(section.line) if section.prose or section.code else None
        if found and (section.line in later or (own is not None and own == cell)):
            found[-1].append(prose)
        else:
            found.append([prose])
            cell = own
    for first, *inside in found:
        numbers = {n for p in (first, *inside) for n in p.section.code}
        program = next((span for span in programs if span.start in numbers), range(0))
        yield Group(first, tuple(inside), program)


def _span(node: ast.stmt, known: Mapping[tuple[int, str], range]) -> range:
    """Return the lines of a statement, including decorators and indented comments at its end.

    Args:
        node: The statement.
        known: Line and name of each definition -> its lines.
    """
    if isinstance(node, _Documented):
        return known[node.lineno, node.name]
    return range(node.lineno, (node.end_lineno or node.lineno) + 1)


def _is_program(node: ast.stmt) -> bool:
    """Return whether a statement is `if __name__ == "__main__":` without an `else`."""
    if not isinstance(node, ast.If) or node.orelse or not isinstance(node.test, ast.Compare):
        return False
    sides = [node.test.left, *node.test.comparators]
    is_equal = [type(operator) for operator in node.test.ops] == [ast.Eq]
    has_name = any(isinstance(side, ast.Name) and side.id == "__name__" for side in sides)
    return is_equal and has_name and any(isinstance(s, ast.Constant) and s.value == "__main__" for s in sides)


def _docstrings(tree: ast.Module, groups: Sequence[Group]) -> Iterator[Docstring]:
    """Yield the docstrings on lines of their own."""
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
