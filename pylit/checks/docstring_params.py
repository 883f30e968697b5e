"""Compares the parameters in docstrings with signatures: all must be mentioned, and none may be made up.

A list item that starts with inline code, as in ``* `stride` is …``, documents a parameter, and so does a field in
another dialect. Any inline code counts as a mention. Private functions, functions without a docstring, nested functions
and setters are skipped.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from markdown_it.token import Token

from ..errors import Problem
from ..nearest import Guesses, listed
from ..parsing import DefinitionKind, Prose, Source, is_static_method, parameters, parse_inline, syntax_tree

_ELSEWHERE = re.compile(r"those of `[\w.]+`")
_PARAMETERS = ("parameters", "others", "keywords")
"""Parts of docstrings in other dialects that describe parameters."""
_NAME = re.compile(r"\*{0,2}([A-Za-z_]\w*)")


def check_parameters(source: Source) -> Iterator[Problem]:
    """Yield the problems of the docstrings of a module's public functions and methods."""
    if not source.is_python:
        return
    prose = {p.section.opens.name: p for p in source.prose if p.section.opens}
    try:
        tree = syntax_tree(source.text)
    except RecursionError:  # the parser recurses, so it fails on very deep expressions
        return
    functions = {d.line: d.name for d in source.definitions if d.kind is DefinitionKind.FUNCTION}
    classes = {d.name for d in source.definitions if d.kind is DefinitionKind.CLASS}
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
    taken = [parameter.arg for parameter in parameters(node)]
    if "." in name and taken and not is_static_method(node):
        taken = taken[1:]
    known, guesses = set(taken), Guesses()
    named: set[str] = set()
    elsewhere = False
    for position, token in enumerate(prose.tokens):
        if token.type == "field" and token.meta["kind"] in _PARAMETERS:
            fields = [name.strip().lstrip("*") for name in token.meta["names"].split(",")]
            named.update(fields)
            for missing in [n for n in fields if n not in known]:
                hint = guesses.suggest(missing, lambda: taken, f"Its parameters: {listed(taken) or 'none'}.")
                yield Problem(file, token.meta["line"], f"`{name}` has no parameter `{missing}`", hint)
        if token.type != "inline":
            continue
        named.update(_names(token))
        elsewhere = elsewhere or bool(_ELSEWHERE.search(token.content))
        if prose.tokens[position - 2].type == "list_item_open":
            for missing in [n for n in _leading(token) if n not in known]:
                hint = guesses.suggest(missing, lambda: taken, f"Its parameters: {listed(taken) or 'none'}.")
                yield Problem(file, token.meta["line"], f"`{name}` has no parameter `{missing}`", hint)
    for parameter in taken:
        if not elsewhere and parameter not in named and not parameter.startswith("_"):
            hint = f"Describe it: * `{parameter}` is …"
            yield Problem(
                file,
                node.lineno,
                f"the docstring of `{name}` does not mention the parameter `{parameter}`",
                hint,
            )


def _names(token: Token) -> Iterator[str]:
    """Yield the names in all inline code."""
    for child in parse_inline(token.content):
        if child.type == "code_inline":
            yield from re.findall(r"[A-Za-z_]\w*", child.content)


def _leading(token: Token) -> Iterator[str]:
    """Yield the names at the start of an item: `a`, `b` and `c` are …"""
    for child in parse_inline(token.content):
        if child.type == "code_inline" and (found := _NAME.fullmatch(child.content)):
            yield found.group(1)
        elif child.type != "text" or child.content.strip() not in (",", "and", ", and", ""):
            return
