"""Finds the names that the statement on each line of a module binds, and when they are bound.

Works on the syntax tree, for `tensor_watcher`, to which the interpreter reports only that a line begins. Names in
comprehensions and lambdas are local to these and ignored; `x[0] = …` binds nothing.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from enum import Enum, auto

from ..parsing import parameters

_Definition = ast.FunctionDef | ast.AsyncFunctionDef
_PAUSES = (
    ast.Await,
    ast.Yield,
    ast.YieldFrom,
    ast.ListComp,
    ast.SetComp,
    ast.DictComp,
    ast.AsyncFor,
    ast.AsyncWith,
)
"""Nodes that may make the interpreter report the same line again in the middle of a statement."""


class When(Enum):
    """When a name is bound."""

    DONE = auto()
    """At the end of the statement."""
    INSIDE = auto()
    """When the body of the statement is entered: the target of `for`, the name after `as`."""
    CHANGED = auto()
    """Only if its value has changed: that part of the line may not have run."""


@dataclass(frozen=True, slots=True)
class Binding:
    """A name, or an attribute of one, bound by a statement."""

    name: str
    """`x` or `self.x`."""
    line: int
    """The first line of the statement."""
    when: When


@dataclass(frozen=True, slots=True)
class Step:
    """A statement, the head of a compound statement, or several statements on the same line."""

    lines: range
    bindings: tuple[Binding, ...]
    body: range = range(0)
    """The lines of its body."""
    returns: int = 0
    """Line of the `return`, if it is one."""
    restarts: bool = False
    """Whether it starts again when the interpreter reports its line again."""


@dataclass(frozen=True)
class Bindings:
    """The names bound by the lines of a module."""

    steps: Mapping[int, Step]
    """Line -> its step."""
    parameters: Mapping[tuple[int, str], tuple[tuple[str, int], ...]]
    """First line and name of a function -> its parameters, each with its line."""


def find_bindings(tree: ast.Module) -> Bindings:
    """Find the names bound by the lines of a module, given its syntax tree."""
    steps: dict[int, Step] = {}
    taken: dict[tuple[int, str], tuple[tuple[str, int], ...]] = {}
    statements = [node for node in ast.walk(tree) if isinstance(node, ast.stmt)]
    for node in sorted(statements, key=lambda node: (_first(node), node.col_offset)):
        if isinstance(node, _Definition):
            taken[_first(node), node.name] = tuple((a.arg, a.lineno) for a in parameters(node))
        step = _step(node)
        if shared := steps.get(step.lines.start):
            step = _joined(shared, step)
        for line in step.lines:
            steps[line] = step
    return Bindings(steps, taken)


def _first(node: ast.stmt) -> int:
    decorators: list[ast.expr] = getattr(node, "decorator_list", [])
    return min([node.lineno, *(decorator.lineno for decorator in decorators)])


def _step(node: ast.stmt) -> Step:
    inside: list[ast.stmt] = getattr(node, "body", [])
    if inside:
        body = range(_first(inside[0]), (inside[-1].end_lineno or 0) + 1)
        last = max(node.lineno, body.start - 1)
    else:
        body = range(0)
        head = node.subject if isinstance(node, ast.Match) else node
        last = head.end_lineno or node.lineno
    lines = range(_first(node), last + 1)
    found = [Binding(name, node.lineno, When.CHANGED) for name in _walruses(node)]
    match node:
        case ast.Assign(targets=targets):
            found += _bound(targets, node.lineno, When.DONE)
        case ast.AugAssign(target=target) | ast.AnnAssign(target=target, value=ast.expr()):
            found += _bound([target], node.lineno, When.DONE)
        case ast.For(target=target) | ast.AsyncFor(target=target):
            found += _bound([target], node.lineno, When.INSIDE)
        case ast.With(items=items) | ast.AsyncWith(items=items):
            names = [item.optional_vars for item in items if item.optional_vars]
            found += _bound(names, node.lineno, When.INSIDE)
    restarts = len(lines) == 1 and not any(isinstance(part, _PAUSES) for part in _own_parts(node))
    return Step(lines, tuple(found), body, node.lineno if isinstance(node, ast.Return) else 0, restarts)


def _bound(targets: list[ast.expr], line: int, when: When) -> Iterator[Binding]:
    stack = targets[::-1]
    while stack:
        match stack.pop():
            case ast.Name(id=name):
                yield Binding(name, line, when)
            case ast.Attribute(value=ast.Name(id=owner), attr=name):
                yield Binding(f"{owner}.{name}", line, when)
            case ast.Tuple(elts=parts) | ast.List(elts=parts):
                stack += parts[::-1]
            case ast.Starred(value=part):
                stack.append(part)


def _walruses(node: ast.stmt) -> Iterator[str]:
    for part in _own_parts(node):
        if isinstance(part, ast.NamedExpr):
            yield part.target.id


def _own_parts(node: ast.stmt) -> Iterator[ast.AST]:
    """Yield a statement and all nodes that it evaluates itself: no nested statements and no lambdas."""
    stack: list[ast.AST] = [node]
    while stack:
        part = stack.pop()
        yield part
        stack += [
            child
            for child in ast.iter_child_nodes(part)
            if not isinstance(child, ast.stmt | ast.excepthandler | ast.match_case | ast.Lambda)
        ]


def _joined(one: Step, other: Step) -> Step:
    """Combine two statements on the same line, which the interpreter reports as one."""
    together = (one, other)
    body = any(step.body for step in together)
    bindings = tuple(
        replace(binding, when=When.CHANGED) if body else binding
        for step in together
        for binding in step.bindings
    )
    return Step(
        range(min(s.lines.start for s in together), max(s.lines.stop for s in together)),
        bindings,
        returns=other.returns or one.returns,
        restarts=all(step.restarts for step in together),
    )
