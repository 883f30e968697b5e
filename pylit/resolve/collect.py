"""Collects the facts of one file that other pages need. Does not look at other files."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from dataclasses import replace

from ..i18n import Catalog
from ..parsing import (
    DefinitionNode,
    Prose,
    Source,
    definition_nodes,
    innermost,
    parameters,
    plain_text,
    syntax_tree,
)
from .module_info import DefinitionInfo, Facts, Labels, NameUse
from .uses import Uses

MANY_LEVELS = 50
"""Maximum nesting of a default value shown in a signature."""
MANY_PARTS = 200
"""Maximum number of operators, numbers and names in such a value."""
LONGEST_VALUE = 200
"""Maximum number of characters of a string in it, or of bits of a number."""
LONGEST = 500
"""Maximum length of a signature or a sentence: both are copied to each use of the definition."""
_SENTENCE = re.compile(r"(?<=[.!?])\s|(?<=[。！？])")


def collect_facts(source: Source, module: str, uses: Uses) -> Facts:
    """Collect the facts of a file.

    Args:
        source: The file.
        module: Its name for `import`; empty for a guide.
        uses: Its names, resolved.
    """
    code = tuple(_runs(n for section in source.sections for n in section.code))
    found = Facts(
        source.file,
        module,
        source.title,
        source.anchors,
        code,
        Labels("", {}),
        host_anchors=source.host_anchors,
        hook=source.meta.hook or source.meta.summary,
        pictogram=source.meta.pictogram,
    )
    if module:
        found = _survey_module(source, found, uses)
    return replace(found, labels=collect_labels(found, Catalog("")))


def collect_labels(facts: Facts, catalog: Catalog) -> Labels:
    """Return the texts of links to a file in the language of `catalog`."""

    def translated(text: str) -> str:
        return plain_text(catalog.lookup(text).text or text)

    sentences = {
        name: _cut(_SENTENCE.split(translated(about.summary), maxsplit=1)[0].strip())
        for name, about in facts.definitions.items()
        if about.summary
    }
    return Labels(
        translated(facts.title),
        sentences,
        bool(catalog.lookup(facts.title).text),
        translated(facts.hook) if facts.hook else "",
        bool(facts.hook and catalog.lookup(facts.hook).text),
    )


def _survey_module(source: Source, found: Facts, uses: Uses) -> Facts:
    module = found.module
    try:
        tree = syntax_tree(source.text)
    except RecursionError:  # the parser recurses, so it fails on very deep expressions
        return found
    definitions = {name: DefinitionInfo(f"L{line}") for name, line in _values(tree)}
    summaries = {p.section.opens.name: _first_paragraph(p) for p in source.prose if p.section.opens}
    arguments: dict[str, frozenset[str]] = {}
    nodes = {(found.name, found.node.lineno): found.node for found in definition_nodes(tree)}
    for section in source.sections:
        if (opens := section.opens) and opens.name not in arguments:
            node = nodes.get((opens.name, opens.line))
            signature = _signature(opens.name, node) if node else ""
            definitions[opens.name] = DefinitionInfo(section.name, signature, summaries.get(opens.name, ""))
            arguments[opens.name] = frozenset(_parameters(node)) if node else frozenset()
    within = innermost(len(source.lines), source.definitions)
    used = {(name, within[line]): None for (line, _), name in sorted(uses.full.items())}
    return replace(
        found,
        definitions=definitions,
        exports={name: full for name, full in uses.exports.items() if full and full != f"{module}.{name}"},
        used=tuple(NameUse(name, user) for name, user in used if not name.startswith("builtins.")),
        arguments=arguments,
    )


def _runs(numbers: Iterable[int]) -> Iterator[tuple[int, int]]:
    """Yield the first and last number of each run of consecutive numbers."""
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
    """Yield the names of values that a module assigns, and the line of the first assignment of each."""
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
    """Return the function that runs when a definition is called."""
    if not isinstance(node, ast.ClassDef):
        return node
    return next((n for n in node.body if isinstance(n, ast.FunctionDef) and n.name == "__init__"), None)


def _parameters(node: DefinitionNode) -> Iterator[str]:
    if function := _called(node):
        yield from (parameter.arg for parameter in parameters(function))


def _signature(name: str, node: DefinitionNode) -> str:
    """Return the signature of a definition without annotations and `self`: `block(x, *, stride=1)`."""
    function = _called(node)
    if function is None:
        return name
    decorators = {d.id for d in node.decorator_list if isinstance(d, ast.Name)}
    if decorators & {"property", "cached_property"}:
        return name
    text = ast.unparse(_bare(function.args))
    if (isinstance(node, ast.ClassDef) or "." in name) and "staticmethod" not in decorators:
        text = text.partition(",")[2].strip().removeprefix("/, ")
    return _cut(f"{name}({text})")


def _cut(text: str) -> str:
    """Return a text, or its beginning if it is long."""
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"


def _bare(arguments: ast.arguments) -> ast.arguments:
    """Return the parameters of a function without annotations. A very large default becomes `...`."""

    def bare(argument: ast.arg) -> ast.arg:
        return ast.arg(argument.arg)

    def value(default: ast.expr) -> ast.expr:
        return ast.Constant(...) if _is_deep(default) or _is_large(default) else default

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
    """Return whether an expression may be too deep for `ast.unparse`, which recurses."""
    level: list[ast.AST] = [node]
    for _ in range(MANY_LEVELS):
        level = [child for parent in level for child in ast.iter_child_nodes(parent)]
    return bool(level)


def _is_large(node: ast.AST) -> bool:
    """Return whether an expression is too long for a signature, or has a number too large for Python to print."""
    for count, part in enumerate(ast.walk(node)):
        value = part.value if isinstance(part, ast.Constant) else 0
        size = len(value) if isinstance(value, str | bytes) else 0
        bits = value.bit_length() if isinstance(value, int) else 0
        if count >= MANY_PARTS or max(size, bits) > LONGEST_VALUE:
            return True
    return False
