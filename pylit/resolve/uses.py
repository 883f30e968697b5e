"""Resolves the names in a module: which uses refer to the same thing, and the full names of imported things.

Follows Python's scoping rules statically. Knows nothing about definitions in other modules.
"""

from __future__ import annotations

import ast
import builtins
from array import array
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from ..parsing import Source, is_static_method, parameters, syntax_tree
from .scopes import METHODS, Meaning, Position, Scope, ScopeKind, Use, class_of, home_of, meaning_of

_Function = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda


@dataclass(frozen=True)
class Uses:
    """The resolved names of a module."""

    places: Mapping[Position, int]
    """Position of a name -> a number shared by all uses of the same thing."""
    numbers: Mapping[str, int]
    """Qualified name (`Block.conv`, `Block.forward`, `train`) -> its number."""
    full: Mapping[Position, str]
    """Position of a use -> its full name (`torch.nn.Conv2d`), if it is certain."""
    exports: Mapping[str, str]
    """Name that others can import from the module -> its full name, if it has one."""


def uses(
    text: str, lines: tuple[str, ...], keep: Collection[str] = (), module: str = "", package: str = ""
) -> Uses:
    """Resolve the names of a module. Names used only once are left out of `places`, unless they are in `keep`.

    Args:
        text: The code.
        lines: Its lines.
        keep: Qualified names to keep.
        module: The name of the module.
        package: The package that relative imports are relative to.
    """
    finder = _Finder(lines, module, package)
    finder.run(syntax_tree(text))
    groups: dict[Meaning, set[Position]] = {}
    for use in finder.uses:
        groups.setdefault(meaning_of(use), set()).add(use.position)
    named = {meaning: name for meaning, name in finder.names(groups).items() if meaning in groups}
    repeated = sorted(
        (sorted(places), meaning)
        for meaning, places in groups.items()
        if len(places) > 1 or named.get(meaning) in keep
    )
    places = {place: number for number, (found, _) in enumerate(repeated) for place in found}
    numbers = {named[meaning]: number for number, (_, meaning) in enumerate(repeated) if meaning in named}
    full = {use.position: name for use in finder.uses if not use.binds and (name := finder.full_name(use))}
    return Uses(places, numbers, full, finder.module.full)


def find_uses(source: Source, module: str = "", package: str = "") -> Uses:
    """Resolve the names of a module; none if it is nested too deeply for Python's own parser."""
    try:
        return uses(source.text, source.lines, set(source.meta.symbols.values()), module, package)
    except RecursionError:
        return Uses({}, {}, {}, {})


class _Finder:
    """A walk through a syntax tree, without recursion, that records every name with its scope."""

    def __init__(self, lines: tuple[str, ...], module: str, package: str) -> None:
        self.lines = lines
        self.name = module
        self.package = package
        self.uses: list[Use] = []
        self.module = Scope(ScopeKind.MODULE)
        self.classes: list[Scope] = []
        self.imports_all = False
        """Whether there is a `from … import *`, after which any name may refer to anything."""
        self._characters: dict[int, array[int]] = {}
        """Line -> character indices by byte offset, for lines that are not ASCII."""

    def full_name(self, use: Use) -> str:
        """Return the full name of a use; empty if it is uncertain."""
        if use.full:
            return use.full
        if use.receiver:
            owner = class_of(use)
            return owner.full.get(use.name, "") if owner else ""
        if use.attribute and not use.chain:
            return ""
        first, *rest = (*use.chain, use.name)
        home = home_of(first, use.scope)
        if first not in home.bound:
            known = hasattr(builtins, first) and not self.imports_all
            return ".".join(["builtins", first, *rest]) if known else ""
        found = home.full.get(first, "")
        return ".".join([found, *rest]) if found else ""

    def _own(self, scope: Scope, name: str) -> str:
        """Return the full name of a definition in a module or class."""
        if scope.kind not in (ScopeKind.MODULE, ScopeKind.CLASS) or (
            scope.kind is ScopeKind.CLASS and not scope.name
        ):
            return ""
        return ".".join(part for part in (self.name, scope.name, name) if part)

    def names(self, meanings: Iterable[Meaning]) -> dict[Meaning, str]:
        """Return the qualified names of everything that belongs to the module or one of its classes."""
        found = {(id(self.module), name): name for name in self.module.bound}
        classes = {id(scope): scope.name for scope in self.classes}
        for meaning in meanings:
            if meaning[0] in classes:
                found[meaning] = f"{classes[meaning[0]]}.{meaning[1]}"
        return found

    def run(self, tree: ast.AST) -> None:
        stack: list[tuple[ast.AST, Scope]] = [(tree, self.module)]
        while stack:
            node, scope = stack.pop()
            if type(node) not in _NAMING:  # true for most nodes
                stack += [(child, scope) for child in _children(node)]
                continue
            match node:
                case ast.Name():
                    binds = not isinstance(node.ctx, ast.Load)
                    self._use(node.id, scope, node.lineno, node.col_offset, binds=binds)
                    if binds:
                        scope.bind(
                            node.id, self._own(scope, node.id) if scope.kind is ScopeKind.MODULE else ""
                        )
                case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.Lambda():
                    stack += self._function(node, scope)
                case ast.ClassDef():
                    self._bind_after_keyword(node, "class", scope)
                    inner = Scope(ScopeKind.CLASS, scope, name=f"{scope.name}.{node.name}".lstrip("."))
                    self.classes.append(inner)
                    outside = [*node.decorator_list, *node.bases, *node.keywords]
                    stack += [(child, scope) for child in outside] + [(child, inner) for child in node.body]
                case ast.ListComp() | ast.SetComp() | ast.DictComp() | ast.GeneratorExp():
                    first = node.generators[0].iter
                    inner = Scope(ScopeKind.COMPREHENSION, scope)
                    inside = [
                        c for g in node.generators for c in (g.target, g.iter, *g.ifs) if c is not first
                    ]
                    inside += [node.key, node.value] if isinstance(node, ast.DictComp) else [node.elt]
                    stack += [(first, scope)] + [(child, inner) for child in inside]
                case ast.NamedExpr():
                    home = scope
                    while home.kind is ScopeKind.COMPREHENSION and home.outer:
                        home = home.outer
                    stack += [(node.target, home), (node.value, scope)]
                case _:
                    self._note(node, scope)
                    stack += [(child, scope) for child in _children(node)]

    def _function(self, node: _Function, scope: Scope) -> list[tuple[ast.AST, Scope]]:
        inner = Scope(ScopeKind.FUNCTION, scope, name=f"{scope.name}.{getattr(node, 'name', '')}".strip("."))
        arguments, named = node.args, list(parameters(node))
        for argument in named:
            inner.bind(argument.arg)
            self._use(argument.arg, inner, argument.lineno, argument.col_offset, binds=True)
        outside: list[ast.AST] = [*arguments.defaults, *(d for d in arguments.kw_defaults if d)]
        if isinstance(node, ast.Lambda):
            return [(child, scope) for child in outside] + [(node.body, inner)]
        positional = [*arguments.posonlyargs, *arguments.args]
        if scope.kind is ScopeKind.CLASS and positional and not is_static_method(node):
            inner.receiver = positional[0].arg
        self._bind_after_keyword(node, "def", scope)
        outside += [*node.decorator_list, *(a.annotation for a in named if a.annotation)]
        outside += [node.returns] if node.returns else []
        return [(child, scope) for child in outside] + [(child, inner) for child in node.body]

    def _note(self, node: ast.AST, scope: Scope) -> None:
        match node:
            case ast.Attribute(end_lineno=int() as line, end_col_offset=int() as end):
                method: Scope | None = scope
                while method and method.kind in METHODS and not method.receiver:
                    method = method.outer
                mine = (
                    method is not None
                    and isinstance(node.value, ast.Name)
                    and node.value.id == method.receiver
                )
                start = self._character(line, end) - len(node.attr)
                chain = () if mine else _chain(node.value)
                self.uses.append(Use(node.attr, scope, (line, start), mine, attribute=True, chain=chain))
            case ast.Import() | ast.ImportFrom():
                self._import(node, scope)
            case ast.Global():
                scope.of_module.update(node.names)
            case ast.Nonlocal():
                scope.free.update(node.names)
            case ast.ExceptHandler(name=str() as name):
                scope.bind(name)
                if (found := self.lines[node.lineno - 1].rfind(f" as {name}")) >= 0:
                    self.uses.append(Use(name, scope, (node.lineno, found + 4)))
            case ast.MatchAs(name=str() as name) | ast.MatchStar(name=str() as name):
                scope.bind(name)
            case ast.MatchMapping(rest=str() as name):
                scope.bind(name)

    def _import(self, node: ast.Import | ast.ImportFrom, scope: Scope) -> None:
        origin = ""
        if isinstance(node, ast.ImportFrom):
            origin = self._origin(node)
            line = self.lines[node.lineno - 1]
            start = line.find(node.module or "", self._character(node.lineno, node.col_offset) + 5)
            if origin and node.module and start >= 0:
                self.uses.append(Use(origin, scope, (node.lineno, start), full=origin))
        for alias in node.names:
            if alias.name == "*":
                self.imports_all = True
                continue
            full = f"{origin}.{alias.name}" if origin else alias.name if isinstance(node, ast.Import) else ""
            number = alias.end_lineno or alias.lineno
            name = alias.asname or alias.name
            start = self._character(number, alias.end_col_offset or 0) - len(name)
            self.uses.append(Use(name, scope, (number, start), full=full))
            if "." in name:  # `import a.b` binds `a`
                name = full = name.split(".")[0]
            scope.bind(name, full)

    def _origin(self, node: ast.ImportFrom) -> str:
        """Return the module that a `from` names; empty if it is relative to an unknown package."""
        if not node.level:
            return node.module or ""
        parts = self.package.split(".")
        if not self.package or node.level > len(parts):
            return ""
        return ".".join([*parts[: len(parts) - node.level + 1], *([node.module] if node.module else [])])

    def _use(self, name: str, scope: Scope, line: int, offset: int, *, binds: bool = False) -> None:
        self.uses.append(Use(name, scope, (line, self._character(line, offset)), binds=binds))

    def _bind_after_keyword(
        self, node: ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef, keyword: str, scope: Scope
    ) -> None:
        scope.bind(node.name, self._own(scope, node.name))
        line = self.lines[node.lineno - 1]
        start = self._character(node.lineno, node.col_offset)
        at = line.find(node.name, line.find(keyword, start) + len(keyword))
        if at >= 0:  # not found if a backslash moves it to the next line
            self.uses.append(Use(node.name, scope, (node.lineno, at), binds=True))

    def _character(self, line: int, offset: int) -> int:
        """Return the index of the character at a byte offset, as used by syntax trees."""
        text = self.lines[line - 1]
        if text.isascii():
            return offset
        if line not in self._characters:
            self._characters[line] = _characters(text)
        return self._characters[line][offset]


def _characters(text: str) -> array[int]:
    """Return the index of the character at each byte offset of a line."""
    found = array("L")
    for number, character in enumerate(text):
        found.extend([number] * len(character.encode()))
    found.append(len(text))
    return found


_NAMING = frozenset(
    getattr(ast, name)
    for name in """
    Name FunctionDef AsyncFunctionDef Lambda ClassDef ListComp SetComp DictComp GeneratorExp NamedExpr
    Attribute Import ImportFrom Global Nonlocal ExceptHandler MatchAs MatchStar MatchMapping
    """.split()
)
"""Types of nodes that have names, or scopes of their own."""
_FIELDS = {
    kind: tuple(
        name for name in kind._fields if kind is not ast.Constant and name not in ("ctx", "op", "ops")
    )
    for kind in vars(ast).values()
    if isinstance(kind, type) and issubclass(kind, ast.AST)
}
"""Type of node -> the fields that can contain names."""


def _children(node: ast.AST) -> list[ast.AST]:
    """Return the child nodes like `ast.iter_child_nodes`, without contexts and operators."""
    found: list[ast.AST] = []
    for name in _FIELDS[type(node)]:
        value = getattr(node, name, None)
        if isinstance(value, list):
            found += [item for item in value if isinstance(item, ast.AST)]
        elif isinstance(value, ast.AST):
            found.append(value)
    return found


def _chain(node: ast.expr) -> tuple[str, ...]:
    """Return the names of a dotted expression: `nn.init` -> `("nn", "init")`; empty for anything else."""
    names: list[str] = []
    while isinstance(node, ast.Attribute):
        names.append(node.attr)
        node = node.value
    return (node.id, *reversed(names)) if isinstance(node, ast.Name) else ()
