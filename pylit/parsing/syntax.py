"""The syntax of a Python file: its tree, tokens, definitions and their parameters. Nothing is executed."""

from __future__ import annotations

import ast
import io
import itertools
import tokenize
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeGuard

DefinitionNode = ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef


@lru_cache(maxsize=2)  # several stages process one file before the next
def syntax_tree(text: str) -> ast.Module:
    """Return the syntax tree of Python source `text`. It is shared and must not be modified.

    Raises:
        SyntaxError, ValueError, RecursionError, MemoryError: as Python's own parser does.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # such as for `"\times"`, the linter's job
        # Like `ast.parse`, but with docstrings, which that omits under `-OO` since Python 3.14.
        tree = compile(text, "<unknown>", "exec", ast.PyCF_ONLY_AST, dont_inherit=True, optimize=0)
    assert isinstance(tree, ast.Module)
    return tree


@lru_cache(maxsize=2)
def python_tokens(text: str) -> tuple[tokenize.TokenInfo, ...]:
    """Return the tokens of Python source `text`.

    Raises:
        SyntaxError, TokenError: as Python's own tokenizer does.
    """
    return tuple(tokenize.generate_tokens(io.StringIO(text).readline))


_SUITES = ("body", "handlers", "cases", "orelse", "finalbody")
"""Fields of nodes that hold statements, in the order of their lines."""


@dataclass(frozen=True)
class FoundDefinition:
    """A class or function in the syntax tree."""

    node: DefinitionNode
    name: str
    depth: int
    suite: int


@lru_cache(maxsize=2)
def definition_nodes(tree: ast.Module) -> Sequence[FoundDefinition]:
    """Return each class and function in order of lines."""
    return tuple(_definition_nodes(tree))


def _definition_nodes(tree: ast.Module) -> Iterator[FoundDefinition]:
    suites = itertools.count()
    stack: list[tuple[ast.AST, str, int, int]] = [(tree, "", 0, next(suites))]
    while stack:
        node, prefix, depth, suite = stack.pop()
        if isinstance(node, DefinitionNode):
            name = prefix + node.name
            yield FoundDefinition(node, name, depth, suite)
            prefix, depth = name + ".", depth + 1
        inside: list[tuple[ast.AST, str, int, int]] = []
        for name in _SUITES:  # only statements, handlers and cases can contain definitions
            if children := getattr(node, name, ()):
                suite = next(suites)
                inside += [(child, prefix, depth, suite) for child in children]
        stack += reversed(inside)


def parameters(function: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) -> Iterator[ast.arg]:
    """Yield all parameters of a function, in the order of its signature."""
    arguments = function.args
    yield from arguments.posonlyargs
    yield from arguments.args
    if arguments.vararg:
        yield arguments.vararg
    yield from arguments.kwonlyargs
    if arguments.kwarg:
        yield arguments.kwarg


def is_static_method(function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Return whether a function in a class is a static method."""
    return any(isinstance(node, ast.Name) and node.id == "staticmethod" for node in function.decorator_list)


def is_string(node: ast.stmt) -> TypeGuard[ast.Expr]:
    """Return whether a statement is only a string."""
    return (
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    )


LONGEST_EXAMPLE = 20_000
"""Maximum number of characters of a listing that is looked at."""


def may_be_python(text: str) -> bool:
    """Return whether a listing without a language is Python."""
    if len(text) > LONGEST_EXAMPLE:
        return False
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return True
