"""Finds the definitions of a site and who uses them, so that names can lead to what they mean. Imports no code.

`facts` reads one module and knows nothing of others; an `Index` puts the facts of all modules together.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import PurePosixPath

from .model import Source
from .names import source_uses
from .prose import Prose, parse_prose
from .sections import DefinitionNode, definition_nodes, innermost
from .source import syntax_tree

MANY_STEPS = 10
"""How often a name may be imported on before it is given up."""


@dataclass(frozen=True, slots=True)
class About:
    """What is known of a definition."""

    anchor: str
    signature: str = ""
    """As it is called: `ResidualBlock(in_channels, out_channels, stride)`; empty for a value."""
    summary: str = ""
    """The first paragraph of its prose."""


@dataclass(frozen=True, slots=True, eq=False)
class Facts:
    """What one module defines, passes on, and uses."""

    file: str
    module: str
    """Its name for `import`."""
    definitions: Mapping[str, About]
    """Qualified name -> what is known of it."""
    exports: Mapping[str, str]
    """Name that can be imported from it -> full name, when it comes from elsewhere."""
    used: tuple[tuple[str, str], ...]
    """Full names that it uses, each with the definition that does; empty for the module itself."""
    arguments: Mapping[str, frozenset[str]]
    """Definition -> the parameters it takes when it is called."""

    def parameters(self, within: str) -> frozenset[str]:
        """The parameters of a definition and of those it is in."""
        found: frozenset[str] = frozenset()
        while within:
            found |= self.arguments.get(within, frozenset())
            within = within.rpartition(".")[0]
        return found


@dataclass(frozen=True, slots=True)
class Reference:
    """A link from a name to what it means."""

    text: str
    href: str
    title: str
    """What those see who point at it: signature and first sentence."""


Refer = Callable[[str], Reference | None]
"""Finds where a full name leads to from a page; `None` when that is not known."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a name leads to on the site."""

    file: str
    name: str
    """Qualified name of the definition; empty for the page."""
    about: About


def module_name(file: str, packages: Iterable[str]) -> tuple[str, str]:
    """The name of a file's module, and of the package that its relative imports count from.

    `packages` are the folders, relative to the site's base, that hold an `__init__.py`.
    """
    path = PurePosixPath(file)
    if path.suffix != ".py":
        return "", ""
    known = set(packages)
    parts = [] if path.stem == "__init__" else [path.stem]
    folder = path.parent
    while folder.as_posix() in known and folder.name:
        parts.insert(0, folder.name)
        folder = folder.parent
    name = ".".join(parts)
    return name, name if path.stem == "__init__" else ".".join(parts[:-1])


def facts(source: Source, module: str, package: str) -> Facts:
    """Read what a module defines and uses."""
    try:
        tree = syntax_tree(source.text)
    except RecursionError:  # the parser itself recurses on absurdly deep expressions
        return Facts(source.file, module, {}, {}, (), {})
    found = source_uses(source, module, package)
    own = f"{module}."
    definitions = {name: About(f"L{line}") for name, line in _values(tree)}
    summaries = {p.section.opens.name: _first_paragraph(p) for p in parse_prose(source) if p.section.opens}
    arguments: dict[str, frozenset[str]] = {}
    nodes = {(found.name, found.node.lineno): found.node for found in definition_nodes(tree)}
    for section in source.sections:
        if (opens := section.opens) and section.name == opens.name:
            node = nodes.get((opens.name, opens.line))
            signature = _signature(opens.name, node) if node else ""
            definitions[opens.name] = About(opens.name, signature, summaries.get(opens.name, ""))
            if node:
                arguments[opens.name] = frozenset(_parameters(node))
    within = innermost(len(source.lines), source.definitions)
    used = {(name, within[line]): None for (line, _), name in sorted(found.full.items())}
    exports = {name: full for name, full in found.exports.items() if full and full != own + name}
    kept = tuple((name, user) for name, user in used if not name.startswith("builtins."))
    return Facts(source.file, module, definitions, exports, kept, arguments)


def _values(tree: ast.Module) -> Iterator[tuple[str, int]]:
    """Yield the names that a module gives to values, and the lines where it first does."""
    for node in reversed(tree.body):
        targets = node.targets if isinstance(node, ast.Assign) else []
        if isinstance(node, ast.AnnAssign):
            targets = [node.target]
        for target in targets:
            if isinstance(target, ast.Name):
                yield target.id, target.lineno


def _first_paragraph(prose: Prose) -> str:
    tokens = prose.tokens
    for position, token in enumerate(tokens):
        if token.type == "paragraph_open" and not tokens[position + 1].content.startswith("!["):
            return tokens[position + 1].content
    return ""


def _called(node: DefinitionNode) -> ast.FunctionDef | ast.AsyncFunctionDef | None:
    """The function that runs when a definition is called."""
    if not isinstance(node, ast.ClassDef):
        return node
    return next((n for n in node.body if isinstance(n, ast.FunctionDef) and n.name == "__init__"), None)


def _parameters(node: DefinitionNode) -> Iterator[str]:
    if function := _called(node):
        arguments = function.args
        extras = [extra for extra in (arguments.vararg, arguments.kwarg) if extra]
        for argument in [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs, *extras]:
            yield argument.arg


def _signature(name: str, node: DefinitionNode) -> str:
    """`block(x, *, stride=1)`, without annotations and without `self`."""
    function = _called(node)
    if function is None:
        return name
    decorators = {d.id for d in node.decorator_list if isinstance(d, ast.Name)}
    if decorators & {"property", "cached_property"}:
        return name
    text = ast.unparse(_bare(function.args))
    if (isinstance(node, ast.ClassDef) or "." in name) and "staticmethod" not in decorators:
        text = text.partition(",")[2].strip().removeprefix("/, ")
    return f"{name}({text})"


def _bare(arguments: ast.arguments) -> ast.arguments:
    """The parameters of a function without annotations."""

    def bare(argument: ast.arg) -> ast.arg:
        return ast.arg(argument.arg)

    return ast.arguments(
        [bare(argument) for argument in arguments.posonlyargs],
        [bare(argument) for argument in arguments.args],
        arguments.vararg and bare(arguments.vararg),
        [bare(argument) for argument in arguments.kwonlyargs],
        arguments.kw_defaults,
        arguments.kwarg and bare(arguments.kwarg),
        arguments.defaults,
    )


@dataclass(frozen=True)
class Index:
    """The definitions of all modules of a site, by their full names."""

    modules: Mapping[str, Facts] = field(default_factory=dict)

    def find(self, full: str) -> Place | None:
        """What a full name means, if it is on the site; modules that pass a name on are followed."""
        for _ in range(MANY_STEPS):
            parts = full.split(".")
            for end in range(len(parts), 0, -1):
                if found := self.modules.get(".".join(parts[:end])):
                    break
            else:
                return None
            rest = parts[end:]
            if not rest:
                return Place(found.file, "", About(""))
            name = ".".join(rest)
            if name in found.definitions:
                return Place(found.file, name, found.definitions[name])
            if rest[0] not in found.exports:
                return None
            full = ".".join([found.exports[rest[0]], *rest[1:]])
        return None

    def meaning(self, name: str, facts: Facts, within: str) -> str:
        """The full name of what prose calls `name` in the definition `within`; empty when it is not certain."""
        if self.find(name):
            return name
        scope = within
        while True:
            full = f"{facts.module}.{scope}.{name}" if scope else f"{facts.module}.{name}"
            if (place := self.find(full)) and place.name:
                return full
            if not scope:
                break
            scope = scope.rpartition(".")[0]
        first, dot, rest = name.partition(".")
        if first in facts.exports:
            return facts.exports[first] + dot + rest
        return self.classes.get(name, "")

    @cached_property
    def classes(self) -> Mapping[str, str]:
        """The full names of classes whose names are unique on the site, so that prose may mean no other."""
        found: dict[str, str] = {}
        for module in self.modules.values():
            for name in module.definitions:
                if name[:1].isupper() and "." not in name:
                    found[name] = "" if name in found else f"{module.module}.{name}"
        return found

    @cached_property
    def users(self) -> Mapping[tuple[str, str], tuple[Place, ...]]:
        """File and definition -> the definitions that use it, except itself and what is in it."""
        found: dict[tuple[str, str], dict[Place, None]] = {}
        for module in self.modules.values():
            for full, user in module.used:
                place = self.find(full)
                if not place or not place.name or not place.about.signature:
                    continue
                inside = place.file == module.file and f"{user}.".startswith(f"{place.name}.")
                if not user or inside:
                    continue
                by = Place(module.file, user, module.definitions.get(user, About(user)))
                found.setdefault((place.file, place.name), {})[by] = None
        return {key: tuple(places) for key, places in found.items()}
