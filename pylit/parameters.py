"""Compares what docstrings say of parameters with the signatures: every one is named, and none that is not there.

A list item that begins with inline code, as in ``* `stride` is …``, names a parameter; to be named at all, any inline
code in the docstring will do. Private functions, functions without a docstring, functions inside functions and setters
are left alone.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from difflib import get_close_matches

from markdown_it.token import Token

from .errors import Problem
from .model import Source
from .prose import Prose, parse_inline, parse_prose
from .source import syntax_tree

_ELSEWHERE = re.compile(r"those of `[\w.]+`")
_NAME = re.compile(r"\*{0,2}([A-Za-z_]\w*)")


def check_parameters(source: Source) -> Iterator[Problem]:
    """Yield what is wrong with the docstrings of the public functions and methods of a module."""
    if not source.is_python:
        return
    prose = {p.section.opens.name: p for p in parse_prose(source) if p.section.opens}
    try:
        tree = syntax_tree(source.text)
    except RecursionError:  # the parser itself recurses on absurdly deep expressions
        return
    functions = {d.line: d.name for d in source.definitions if d.kind == "function"}
    classes = {d.name for d in source.definitions if d.kind == "class"}
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.lineno in functions:
            name = functions[node.lineno]
            owner = name.rpartition(".")[0]
            if (
                _is_public(name)
                and (not owner or owner in classes)
                and name in prose
                and prose[name].tokens  # a docstring on the line of `def` is code
                and ast.get_docstring(node, clean=False)
                and not any(isinstance(d, ast.Attribute) and d.attr == "setter" for d in node.decorator_list)
            ):
                yield from _compare(source.file, name, node, prose[name])


def _is_public(name: str) -> bool:
    return all(not part.startswith("_") or part == "__init__" for part in name.split("."))


def _compare(
    file: str, name: str, node: ast.FunctionDef | ast.AsyncFunctionDef, prose: Prose
) -> Iterator[Problem]:
    arguments = node.args
    extras = [extra for extra in (arguments.vararg, arguments.kwarg) if extra]
    taken = [a.arg for a in [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs, *extras]]
    if "." in name and taken and not any(_is_static(d) for d in node.decorator_list):
        taken = taken[1:]
    named: set[str] = set()
    elsewhere = False
    for position, token in enumerate(prose.tokens):
        if token.type != "inline":
            continue
        named.update(_names(token))
        elsewhere = elsewhere or bool(_ELSEWHERE.search(token.content))
        if prose.tokens[position - 2].type == "list_item_open":
            for missing in [n for n in _leading(token) if n not in taken]:
                near = get_close_matches(missing, taken, 1)
                meant = (
                    f"Did you mean `{near[0]}`?" if near else f"It takes: {', '.join(taken) or 'nothing'}."
                )
                yield Problem(file, token.meta["line"], f"`{name}` has no parameter `{missing}`", meant)
    for parameter in taken:
        if not elsewhere and parameter not in named and not parameter.startswith("_"):
            hint = f"Say what it is: * `{parameter}` is …"
            yield Problem(
                file, node.lineno, f"the docstring of `{name}` leaves out the parameter `{parameter}`", hint
            )


def _is_static(node: ast.expr) -> bool:
    return isinstance(node, ast.Name) and node.id == "staticmethod"


def _names(token: Token) -> Iterator[str]:
    """Yield the names in all inline code."""
    for child in parse_inline(token.content):
        if child.type == "code_inline":
            yield from re.findall(r"[A-Za-z_]\w*", child.content)


def _leading(token: Token) -> Iterator[str]:
    """Yield the names that an item begins with: `a`, `b` and `c` are …"""
    for child in parse_inline(token.content):
        if child.type == "code_inline" and (found := _NAME.fullmatch(child.content)):
            yield found.group(1)
        elif child.type != "text" or child.content.strip() not in (",", "and", ", and", ""):
            return
