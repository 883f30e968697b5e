"""Finds code that readers skip, so that a page can fold it: imports, `__all__`, and checks of arguments.

Code that a comment explains is never folded.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from itertools import groupby

from .model import Fold, Section
from .syntax import definition_nodes

LEAST = 3
"""Minimum number of lines of code that are folded; fewer take no more room than their fold."""
CHECK = "_require"
"""How the names of functions begin that refuse bad arguments."""


def find_folds(
    tree: ast.Module, lines: Sequence[str], sections: Iterable[Section], comments: AbstractSet[int]
) -> dict[int, Fold]:
    """Return the lines to fold, each with what it holds.

    Args:
        tree: The syntax tree of the module.
        lines: The lines.
        sections: The sections.
        comments: The lines of comments that are prose.
    """
    kinds: dict[int, Fold] = {}
    for node, kind in _foldable(tree):
        first = min([node.lineno, *(d.lineno for d in getattr(node, "decorator_list", []))])
        kinds.update(dict.fromkeys(range(first, (node.end_lineno or node.lineno) + 1), kind))
    found: dict[int, Fold] = {}
    for section in sections:
        explained = kinds.keys() & section.code and not comments.isdisjoint(section.prose)
        for what, numbers in _runs(section.code, kinds, lines):
            is_long = sum(bool(lines[number - 1].strip()) for number in numbers) >= LEAST
            if what and is_long and (what is Fold.HELPER or not explained):
                found.update(dict.fromkeys(numbers, what))
    return found


def _foldable(tree: ast.Module) -> Iterator[tuple[ast.stmt, Fold]]:
    for node in tree.body:
        if _is_import(node):
            yield node, Fold.IMPORTS
        elif _is_all(node):
            yield node, Fold.EXPORTS
        elif isinstance(node, ast.FunctionDef) and node.name.startswith(CHECK):
            yield node, Fold.HELPER
    for definition in definition_nodes(tree):
        for node in definition.node.body:
            if _is_check(node):
                yield node, Fold.CHECKS


def _runs(
    code: Iterable[int], kinds: dict[int, Fold], lines: Sequence[str]
) -> Iterator[tuple[Fold | None, list[int]]]:
    """Split the code of a section where what it holds changes. Blank lines belong to what is before them."""
    kind: Fold | None = None

    def own(number: int) -> Fold | None:
        nonlocal kind
        if lines[number - 1].strip():
            new = kinds.get(number)
            joined = {kind, new} == {Fold.IMPORTS, Fold.EXPORTS}
            kind = Fold.IMPORTS if joined and kind is Fold.IMPORTS else new
        return kind

    for found, run in groupby(code, own):
        yield found, list(run)


def _is_import(node: ast.stmt) -> bool:
    if isinstance(node, ast.If):
        names = {part.id for part in ast.walk(node.test) if isinstance(part, ast.Name)}
        is_for_types = "TYPE_CHECKING" in names and not node.orelse
        return is_for_types and all(_is_import(part) for part in node.body)
    return isinstance(node, ast.Import | ast.ImportFrom)


def _is_all(node: ast.stmt) -> bool:
    match node:
        case ast.Assign(targets=[ast.Name(id="__all__")]) | ast.AugAssign(target=ast.Name(id="__all__")):
            return True
        case ast.AnnAssign(target=ast.Name(id="__all__")):
            return True
    return False


def _is_check(node: ast.stmt) -> bool:
    match node:
        case ast.Expr(value=ast.Call(func=ast.Name(id=name))):
            return name.startswith(CHECK)
    return False
