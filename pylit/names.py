"""Finds which uses of a name in a module mean the same thing, so that the page can light them up together.

Follows Python's scoping rules statically; `self.conv` is an attribute of the class it is used in, and any other
attribute goes by its name alone. Knows nothing of what other modules define.
"""

from __future__ import annotations

import ast
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

_Function = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
_Comprehension = ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp

Position = tuple[int, int]
"""Line, counted from 1, and character, from 0."""

Meaning = tuple[int, str]
"""The scope that a name belongs to, by its identity (0: any object's attribute), and the name."""


@dataclass(eq=False)
class _Scope:
    kind: str
    outer: _Scope | None = None
    bound: set[str] = field(default_factory=set)
    free: set[str] = field(default_factory=set)
    """Names declared `nonlocal`."""
    of_module: set[str] = field(default_factory=set)
    """Names declared `global`."""
    receiver: str = ""
    """The name of a method's first parameter, `self`."""
    name: str = ""
    """Qualified name of a class."""

    @property
    def module(self) -> _Scope:
        scope = self
        while scope.outer is not None:
            scope = scope.outer
        return scope


@dataclass(frozen=True, eq=False)
class _Use:
    name: str
    scope: _Scope
    position: Position
    receiver: bool = False
    """Whether it is an attribute of the method's first parameter."""
    attribute: bool = False


@dataclass(frozen=True)
class Uses:
    """The names of a module."""

    places: Mapping[Position, int]
    """Where a name stands -> a number that all uses of the same thing share."""
    numbers: Mapping[str, int]
    """Qualified name (`Block.conv`, `Block.forward`, `train`) -> its number."""


def uses(text: str, lines: tuple[str, ...], keep: Collection[str] = ()) -> Uses:
    """Find which names of a module mean the same thing.

    Names that are used only once are left out, except those in `keep`.
    """
    finder = _Finder(lines)
    finder.run(ast.parse(text))
    groups: dict[Meaning, list[Position]] = {}
    for use in finder.uses:
        groups.setdefault(_meaning(use), []).append(use.position)
    named = {meaning: name for meaning, name in finder.names().items() if meaning in groups}
    repeated = sorted(
        (sorted(set(places)), meaning)
        for meaning, places in groups.items()
        if len(set(places)) > 1 or named.get(meaning) in keep
    )
    places = {place: number for number, (found, _) in enumerate(repeated) for place in found}
    numbers = {named[meaning]: number for number, (_, meaning) in enumerate(repeated) if meaning in named}
    return Uses(places, numbers)


def _meaning(use: _Use) -> Meaning:
    if use.attribute:
        scope: _Scope | None = use.scope
        while use.receiver and scope:
            if scope.kind == "class":
                return (id(scope), use.name)
            scope = scope.outer
        return (0, use.name)
    home = use.scope
    while home.outer:
        if use.name in home.of_module:
            return (id(home.module), use.name)
        if use.name in home.bound - home.free and (home.kind != "class" or home is use.scope):
            break
        home = home.outer
    return (id(home), use.name)


class _Finder:
    """Walks a syntax tree without recursion and notes every name with the scope it stands in."""

    def __init__(self, lines: tuple[str, ...]) -> None:
        self.lines = lines
        self.uses: list[_Use] = []
        self.module = _Scope("module")
        self.classes: list[_Scope] = []

    def names(self) -> dict[Meaning, str]:
        """The qualified names of what belongs to the module or to a class of it."""
        found = {(id(self.module), name): name for name in self.module.bound}
        classes = {id(scope): scope.name for scope in self.classes}
        for use in self.uses:
            meaning = _meaning(use)
            if meaning[0] in classes:
                found[meaning] = f"{classes[meaning[0]]}.{use.name}"
        return found

    def run(self, tree: ast.AST) -> None:
        stack: list[tuple[ast.AST, _Scope]] = [(tree, self.module)]
        while stack:
            node, scope = stack.pop()
            match node:
                case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.Lambda():
                    stack += self._function(node, scope)
                case ast.ClassDef():
                    self._bind_after_keyword(node, "class", scope)
                    inner = _Scope("class", scope, name=f"{scope.name}.{node.name}".lstrip("."))
                    self.classes.append(inner)
                    outside = [*node.decorator_list, *node.bases, *node.keywords]
                    stack += [(child, scope) for child in outside] + [(child, inner) for child in node.body]
                case ast.ListComp() | ast.SetComp() | ast.DictComp() | ast.GeneratorExp():
                    first = node.generators[0].iter
                    inner = _Scope("comprehension", scope)
                    inside = [
                        c for g in node.generators for c in (g.target, g.iter, *g.ifs) if c is not first
                    ]
                    inside += [node.key, node.value] if isinstance(node, ast.DictComp) else [node.elt]
                    stack += [(first, scope)] + [(child, inner) for child in inside]
                case ast.NamedExpr():
                    home = scope
                    while home.kind == "comprehension" and home.outer:
                        home = home.outer
                    stack += [(node.target, home), (node.value, scope)]
                case _:
                    self._note(node, scope)
                    stack += [(child, scope) for child in ast.iter_child_nodes(node)]

    def _function(self, node: _Function, scope: _Scope) -> list[tuple[ast.AST, _Scope]]:
        inner = _Scope("function", scope)
        arguments = node.args
        named = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
        named += [extra for extra in (arguments.vararg, arguments.kwarg) if extra]
        for argument in named:
            inner.bound.add(argument.arg)
            self._use(argument.arg, inner, argument.lineno, argument.col_offset)
        outside: list[ast.AST] = [*arguments.defaults, *(d for d in arguments.kw_defaults if d)]
        if isinstance(node, ast.Lambda):
            return [(child, scope) for child in outside] + [(node.body, inner)]
        positional = [*arguments.posonlyargs, *arguments.args]
        static = any(isinstance(d, ast.Name) and d.id == "staticmethod" for d in node.decorator_list)
        if scope.kind == "class" and positional and not static:
            inner.receiver = positional[0].arg
        self._bind_after_keyword(node, "def", scope)
        outside += [*node.decorator_list, *(a.annotation for a in named if a.annotation)]
        outside += [node.returns] if node.returns else []
        return [(child, scope) for child in outside] + [(child, inner) for child in node.body]

    def _note(self, node: ast.AST, scope: _Scope) -> None:
        match node:
            case ast.Name():
                self._use(node.id, scope, node.lineno, node.col_offset)
                if not isinstance(node.ctx, ast.Load):
                    scope.bound.add(node.id)
            case ast.Attribute(end_lineno=int() as line, end_col_offset=int() as end):
                method: _Scope | None = scope
                while method and method.kind in ("comprehension", "function") and not method.receiver:
                    method = method.outer
                mine = (
                    method is not None
                    and isinstance(node.value, ast.Name)
                    and node.value.id == method.receiver
                )
                start = self._character(line, end) - len(node.attr)
                self.uses.append(_Use(node.attr, scope, (line, start), mine, attribute=True))
            case ast.Import() | ast.ImportFrom():
                for alias in node.names:
                    scope.bound.add((alias.asname or alias.name).split(".")[0])
                    line, end = alias.end_lineno or alias.lineno, alias.end_col_offset or 0
                    name = alias.asname or (alias.name if "." not in alias.name else "")
                    if name and name != "*":
                        self.uses.append(_Use(name, scope, (line, self._character(line, end) - len(name))))
            case ast.Global():
                scope.of_module.update(node.names)
            case ast.Nonlocal():
                scope.free.update(node.names)
            case ast.ExceptHandler(name=str() as name):
                scope.bound.add(name)
                if (found := self.lines[node.lineno - 1].rfind(f" as {name}")) >= 0:
                    self.uses.append(_Use(name, scope, (node.lineno, found + 4)))
            case ast.MatchAs(name=str() as name) | ast.MatchStar(name=str() as name):
                scope.bound.add(name)
            case ast.MatchMapping(rest=str() as name):
                scope.bound.add(name)

    def _use(self, name: str, scope: _Scope, line: int, offset: int) -> None:
        self.uses.append(_Use(name, scope, (line, self._character(line, offset))))

    def _bind_after_keyword(
        self, node: ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef, keyword: str, scope: _Scope
    ) -> None:
        scope.bound.add(node.name)
        line = self.lines[node.lineno - 1]
        start = self._character(node.lineno, node.col_offset)
        at = line.find(node.name, line.find(keyword, start) + len(keyword))
        if at >= 0:  # not found when a backslash puts it on the next line
            self.uses.append(_Use(node.name, scope, (node.lineno, at)))

    def _character(self, line: int, offset: int) -> int:
        """The character at a byte offset, which is how syntax trees count."""
        text = self.lines[line - 1]
        return offset if text.isascii() else len(text.encode()[:offset].decode())
