"""Finds what the names in a module mean: which uses are of the same thing, and the full names of what is not local.

Follows Python's scoping rules statically; `self.conv` is an attribute of the class it is used in, and any other
attribute goes by its name alone. Knows nothing of what other modules define.
"""

from __future__ import annotations

import ast
import builtins
from array import array
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import NamedTuple

from .defaults import KEPT
from .model import Source
from .source import syntax_tree

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
    """Qualified name of a class or function."""
    full: dict[str, str] = field(default_factory=dict)
    """What is bound here -> its full name; empty for what has none, or several."""

    def bind(self, name: str, full: str = "") -> None:
        """Note that `name` means something here: a module, a class, a function, or (without `full`) some value."""
        self.bound.add(name)
        self.full[name] = full if self.full.get(name, full) == full else ""

    @property
    def module(self) -> _Scope:
        scope = self
        while scope.outer is not None:
            scope = scope.outer
        return scope


class _Use(NamedTuple):
    name: str
    scope: _Scope
    position: Position
    receiver: bool = False
    """Whether it is an attribute of the method's first parameter."""
    attribute: bool = False
    chain: tuple[str, ...] = ()
    """Of an attribute of a plain name, `nn.init.zeros_`: the names before it."""
    full: str = ""
    """Its full name, where the place itself says it."""
    binds: bool = False


@dataclass(frozen=True)
class Uses:
    """The names of a module."""

    places: Mapping[Position, int]
    """Where a name stands -> a number that all uses of the same thing share."""
    numbers: Mapping[str, int]
    """Qualified name (`Block.conv`, `Block.forward`, `train`) -> its number."""
    full: Mapping[Position, str]
    """Where a name is used -> its full name (`torch.nn.Conv2d`), if it is certain."""
    exports: Mapping[str, str]
    """What others can import from the module -> its full name, if it has one."""


def uses(
    text: str, lines: tuple[str, ...], keep: Collection[str] = (), module: str = "", package: str = ""
) -> Uses:
    """Find what the names of a module mean; `module` is its own name, and relative imports count from `package`.

    Names that are used only once are left out of `places`, except those in `keep`.
    """
    finder = _Finder(lines, module, package)
    finder.run(syntax_tree(text))
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
    full = {use.position: name for use in finder.uses if not use.binds and (name := finder.full_name(use))}
    return Uses(places, numbers, full, finder.module.full)


@lru_cache(maxsize=KEPT)
def source_uses(source: Source, module: str, package: str) -> Uses:
    """What the names of a file mean; nothing is known of one too deep for Python's own parser."""
    try:
        return uses(source.text, source.lines, set(source.meta.symbols.values()), module, package)
    except RecursionError:
        return Uses({}, {}, {}, {})


def _meaning(use: _Use) -> Meaning:
    if use.attribute:
        owner = _class_of(use)
        return (id(owner) if owner else 0, use.name)
    return (id(_home(use.name, use.scope)), use.name)


def _class_of(use: _Use) -> _Scope | None:
    """The class that an attribute of a method's first parameter belongs to."""
    scope: _Scope | None = use.scope if use.receiver else None
    while scope and scope.kind != "class":
        scope = scope.outer
    return scope


def _home(name: str, scope: _Scope) -> _Scope:
    """The scope that `name` belongs to, as seen from `scope`."""
    home = scope
    while home.outer:
        if name in home.of_module:
            return home.module
        bound = name in home.bound and name not in home.free
        if bound and (home.kind != "class" or home is scope):
            break
        home = home.outer
    return home


class _Finder:
    """Walks a syntax tree without recursion and notes every name with the scope it stands in."""

    def __init__(self, lines: tuple[str, ...], module: str, package: str) -> None:
        self.lines = lines
        self.name = module
        self.package = package
        self.uses: list[_Use] = []
        self.module = _Scope("module")
        self.classes: list[_Scope] = []
        self.imports_all = False
        """Whether there is a `from … import *`, after which any name may mean anything."""
        self._characters: dict[int, array[int]] = {}
        """Of the lines that need it."""

    def full_name(self, use: _Use) -> str:
        """The full name of what is used, or nothing if it is not certain."""
        if use.full:
            return use.full
        if use.receiver:
            owner = _class_of(use)
            return owner.full.get(use.name, "") if owner else ""
        if use.attribute and not use.chain:
            return ""
        first, *rest = (*use.chain, use.name)
        home = _home(first, use.scope)
        if first not in home.bound:
            known = hasattr(builtins, first) and not self.imports_all
            return ".".join(["builtins", first, *rest]) if known else ""
        found = home.full.get(first, "")
        return ".".join([found, *rest]) if found else ""

    def _own(self, scope: _Scope, name: str) -> str:
        """The full name of what is defined in a module or class."""
        if scope.kind not in ("module", "class") or (scope.kind == "class" and not scope.name):
            return ""
        return ".".join(part for part in (self.name, scope.name, name) if part)

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
                case ast.Name():
                    binds = not isinstance(node.ctx, ast.Load)
                    self._use(node.id, scope, node.lineno, node.col_offset, binds=binds)
                    if binds:
                        scope.bind(node.id, self._own(scope, node.id) if scope.kind == "module" else "")
                case ast.Constant():
                    pass
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
                    stack += [(child, scope) for child in _children(node)]

    def _function(self, node: _Function, scope: _Scope) -> list[tuple[ast.AST, _Scope]]:
        inner = _Scope("function", scope, name=f"{scope.name}.{getattr(node, 'name', '')}".strip("."))
        arguments = node.args
        named = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
        named += [extra for extra in (arguments.vararg, arguments.kwarg) if extra]
        for argument in named:
            inner.bind(argument.arg)
            self._use(argument.arg, inner, argument.lineno, argument.col_offset, binds=True)
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
                chain = () if mine else _chain(node.value)
                self.uses.append(_Use(node.attr, scope, (line, start), mine, attribute=True, chain=chain))
            case ast.Import() | ast.ImportFrom():
                self._import(node, scope)
            case ast.Global():
                scope.of_module.update(node.names)
            case ast.Nonlocal():
                scope.free.update(node.names)
            case ast.ExceptHandler(name=str() as name):
                scope.bind(name)
                if (found := self.lines[node.lineno - 1].rfind(f" as {name}")) >= 0:
                    self.uses.append(_Use(name, scope, (node.lineno, found + 4)))
            case ast.MatchAs(name=str() as name) | ast.MatchStar(name=str() as name):
                scope.bind(name)
            case ast.MatchMapping(rest=str() as name):
                scope.bind(name)

    def _import(self, node: ast.Import | ast.ImportFrom, scope: _Scope) -> None:
        origin = ""
        if isinstance(node, ast.ImportFrom):
            origin = self._origin(node)
            line = self.lines[node.lineno - 1]
            start = line.find(node.module or "", self._character(node.lineno, node.col_offset) + 5)
            if origin and node.module and start >= 0:
                self.uses.append(_Use(origin, scope, (node.lineno, start), full=origin))
        for alias in node.names:
            if alias.name == "*":
                self.imports_all = True
                continue
            full = f"{origin}.{alias.name}" if origin else alias.name if isinstance(node, ast.Import) else ""
            number = alias.end_lineno or alias.lineno
            name = alias.asname or alias.name
            start = self._character(number, alias.end_col_offset or 0) - len(name)
            self.uses.append(_Use(name, scope, (number, start), full=full))
            if "." in name:  # `import a.b` binds `a`
                name = full = name.split(".")[0]
            scope.bind(name, full)

    def _origin(self, node: ast.ImportFrom) -> str:
        """The module that a `from` names, or nothing if it counts from a module that is not known."""
        if not node.level:
            return node.module or ""
        parts = self.package.split(".")
        if not self.package or node.level > len(parts):
            return ""
        return ".".join([*parts[: len(parts) - node.level + 1], *([node.module] if node.module else [])])

    def _use(self, name: str, scope: _Scope, line: int, offset: int, *, binds: bool = False) -> None:
        self.uses.append(_Use(name, scope, (line, self._character(line, offset)), binds=binds))

    def _bind_after_keyword(
        self, node: ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef, keyword: str, scope: _Scope
    ) -> None:
        scope.bind(node.name, self._own(scope, node.name))
        line = self.lines[node.lineno - 1]
        start = self._character(node.lineno, node.col_offset)
        at = line.find(node.name, line.find(keyword, start) + len(keyword))
        if at >= 0:  # not found when a backslash puts it on the next line
            self.uses.append(_Use(node.name, scope, (node.lineno, at), binds=True))

    def _character(self, line: int, offset: int) -> int:
        """The character at a byte offset, which is how syntax trees count."""
        text = self.lines[line - 1]
        if text.isascii():
            return offset
        if line not in self._characters:
            self._characters[line] = _characters(text)
        return self._characters[line][offset]


def _characters(text: str) -> array[int]:
    """Offset of each byte of a line -> its character."""
    found = array("L")
    for number, character in enumerate(text):
        found.extend([number] * len(character.encode()))
    found.append(len(text))
    return found


_FIELDS = {
    kind: tuple(name for name in kind._fields if name not in ("ctx", "op", "ops"))
    for kind in vars(ast).values()
    if isinstance(kind, type) and issubclass(kind, ast.AST)
}
"""Kinds of nodes -> the fields that names may be below."""


def _children(node: ast.AST) -> Iterator[ast.AST]:
    """Yield the nodes below `node` as `ast.iter_child_nodes` does, without contexts and operators."""
    for name in _FIELDS[type(node)]:
        value = getattr(node, name, None)
        if isinstance(value, ast.AST):
            yield value
        elif isinstance(value, list):
            for item in value:
                if isinstance(item, ast.AST):
                    yield item


def _chain(node: ast.expr) -> tuple[str, ...]:
    """`nn.init` -> `("nn", "init")`; nothing for what is no plain name."""
    names: list[str] = []
    while isinstance(node, ast.Attribute):
        names.append(node.attr)
        node = node.value
    return (node.id, *reversed(names)) if isinstance(node, ast.Name) else ()
