"""Reads the annotations and defaults of parameters from a signature."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence

from ..model import Parameter
from ..syntax import DefinitionNode

LONGEST = 200
"""Maximum number of characters of a default or an annotation that is shown."""


def read_signature(node: DefinitionNode, lines: Sequence[str]) -> Mapping[str, Parameter]:
    """Return the parameters of a function, or of the `__init__` of a class and its annotated attributes, by name."""
    if isinstance(node, ast.ClassDef):
        found = {}
        for statement in node.body:
            match statement:
                case ast.AnnAssign(target=ast.Name(id=name)):
                    default = _text(statement.value, lines) if statement.value else ""
                    found[name] = Parameter(_text(statement.annotation, lines), default)
                case ast.FunctionDef(name="__init__"):
                    found.update(read_signature(statement, lines))
        return found
    return {
        name: Parameter(_text(note, lines), _text(default, lines)) for name, note, default in _arguments(node)
    }


def _arguments(
    node: ast.FunctionDef | ast.AsyncFunctionDef,
) -> Iterator[tuple[str, ast.expr | None, ast.expr | None]]:
    arguments = node.args
    positional = [*arguments.posonlyargs, *arguments.args]
    defaults: list[ast.expr | None] = [None] * (len(positional) - len(arguments.defaults))
    for argument, default in zip(positional, [*defaults, *arguments.defaults], strict=True):
        yield argument.arg, argument.annotation, default
    for argument, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True):
        yield argument.arg, argument.annotation, default
    for other in (arguments.vararg, arguments.kwarg):
        if other:
            yield other.arg, other.annotation, None


def _text(node: ast.expr | None, lines: Sequence[str]) -> str:
    """Return an expression as in the source, on one line; empty if it is too long."""
    if (
        node is None
        or node.end_lineno is None
        or node.end_col_offset is None
        or node.end_lineno - node.lineno > 5
    ):
        return ""
    text = [line.encode() for line in lines[node.lineno - 1 : node.end_lineno]]
    text[-1] = text[-1][: node.end_col_offset]
    text[0] = text[0][node.col_offset :]
    found = " ".join(b" ".join(text).decode(errors="replace").split())
    return found if len(found) <= LONGEST else ""
