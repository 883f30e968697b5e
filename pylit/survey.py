"""Finds out what the rest of a site needs to know of a file. Looks at one file and knows nothing of others."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from dataclasses import replace

from .catalog import Catalog
from .facts import About, Facts, Labels
from .model import Source
from .names import source_uses
from .prose import Prose, anchors, parse_prose, plain, title_text
from .sections import DefinitionNode, definition_nodes, innermost
from .source import syntax_tree

MANY_LEVELS = 50
"""Of a default value that a signature shows."""
_SENTENCE = re.compile(r"(?<=[.!?])\s|(?<=[。！？])")


def survey(source: Source, module: str, package: str) -> Facts:
    """Find out about a file; `module` is its name for `import`, and relative imports count from `package`."""
    title, labels = title_text(source, parse_prose(source)), Labels("", {})
    code = tuple(_runs(n for section in source.sections for n in section.code))
    found = Facts(source.file, module, title, anchors(source), code, labels)
    if module:
        found = _survey_module(source, found, package)
    return replace(found, labels=label(found, Catalog("")))


def label(facts: Facts, catalog: Catalog) -> Labels:
    """What links to a file say in the language of `catalog`."""

    def translated(text: str) -> str:
        return plain(catalog.lookup(text).text or text)

    sentences = {
        name: _SENTENCE.split(translated(about.summary), maxsplit=1)[0].strip()
        for name, about in facts.definitions.items()
        if about.summary
    }
    return Labels(translated(facts.title), sentences, bool(catalog.lookup(facts.title).text))


def _survey_module(source: Source, found: Facts, package: str) -> Facts:
    module = found.module
    try:
        tree = syntax_tree(source.text)
    except RecursionError:  # the parser itself recurses on absurdly deep expressions
        return found
    names = source_uses(source, module, package)
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
    used = {(name, within[line]): None for (line, _), name in sorted(names.full.items())}
    return replace(
        found,
        definitions=definitions,
        exports={name: full for name, full in names.exports.items() if full and full != f"{module}.{name}"},
        used=tuple((name, user) for name, user in used if not name.startswith("builtins.")),
        arguments=arguments,
    )


def _runs(numbers: Iterable[int]) -> Iterator[tuple[int, int]]:
    """Yield the first and last of each run of neighbours."""
    first = last = 0
    for number in sorted(numbers):
        if number != last + 1 or not first:
            if first:
                yield first, last
            first = number
        last = number
    if first:
        yield first, last


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
    """The parameters of a function without annotations. Of a default that is nested absurdly deep, `...` is left."""

    def bare(argument: ast.arg) -> ast.arg:
        return ast.arg(argument.arg)

    def value(default: ast.expr) -> ast.expr:
        return ast.Constant(...) if _is_deep(default) else default

    return ast.arguments(
        [bare(argument) for argument in arguments.posonlyargs],
        [bare(argument) for argument in arguments.args],
        arguments.vararg and bare(arguments.vararg),
        [bare(argument) for argument in arguments.kwonlyargs],
        [default and value(default) for default in arguments.kw_defaults],
        arguments.kwarg and bare(arguments.kwarg),
        [value(default) for default in arguments.defaults],
    )


def _is_deep(node: ast.AST) -> bool:
    """Whether Python, which writes expressions by recursion, might not be able to write this one."""
    level: list[ast.AST] = [node]
    for _ in range(MANY_LEVELS):
        level = [child for parent in level for child in ast.iter_child_nodes(parent)]
    return bool(level)
