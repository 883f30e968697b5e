"""Cuts a Python file into sections: rows of some prose and the run of code lines beside it.

Prose is what docstrings and comments on lines of their own say; everything else is code, trailing comments
and all other strings included. A new section starts at

* a comment, or a block of them, on lines of their own;
* a comment line that holds only `#`, which gives the code that follows a row without prose;
* a class or function, which takes a comment that touches it along;
* the first line of code that is no longer in the definition of the line before.

Blank lines go with the line before them. Works on tokens and the syntax tree; line texts are only sliced.
"""

from __future__ import annotations

import ast
import itertools
import re
import tokenize
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum, auto

from .model import Definition, ProseLine, Section

DIRECTIVE = re.compile(
    r"#\s*(?:type:\s*ignore\b|noqa(?::|\s*$)|(?:fmt|isort|ruff|mypy|pylint|pyright|pragma):\s*\S)"
)
"""Comments that speak to a tool, not to a reader. They stay code, as do the two that Python itself reads."""
_SHEBANG = re.compile(r"#!")
_COOKIE = re.compile(r"#.*?coding[:=][ \t]*[-\w.]+")

DefinitionNode = ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef


class _Kind(Enum):
    CODE = auto()
    COMMENT = auto()
    DOCSTRING = auto()
    BLANK = auto()


@dataclass(frozen=True)
class _Docstring:
    within: str
    """The definition it documents; empty for the module."""
    lines: range
    """Its lines that hold nothing else."""
    text: tuple[ProseLine, ...]


@dataclass
class _Row:
    """A section under construction."""

    line: int
    within: str = ""
    opens: Definition | None = None
    prose: list[int] = field(default_factory=list)
    code: list[int] = field(default_factory=list)
    text: list[ProseLine] = field(default_factory=list)
    docstring: _Docstring | None = None

    @property
    def is_empty(self) -> bool:
        return not (self.prose or self.code)

    @property
    def is_comment(self) -> bool:
        """Whether it holds nothing but comments yet."""
        return not self.code and self.docstring is None

    def add_text(self, lines: Iterable[ProseLine]) -> None:
        """Add a piece of prose as paragraphs of its own."""
        lines = list(lines)
        if self.text and lines:
            self.text.append(ProseLine(lines[0].number, ""))
        self.text += lines


def cut(
    lines: Sequence[str], tree: ast.Module, tokens: Sequence[tokenize.TokenInfo]
) -> tuple[tuple[Definition, ...], tuple[Section, ...], tuple[ProseLine, ...]]:
    """Cut the `lines` of a file, given its syntax tree and tokens.

    Returns its definitions and its sections, both in order of their lines, and the prose of the module's own
    docstring, which is the very object that stands in the section that holds it.
    """
    comments = {
        token.start[0]: token
        for token in tokens
        if token.type == tokenize.COMMENT
        and not lines[token.start[0] - 1][: token.start[1]].strip()
        and not _is_directive(token)
    }
    nodes = list(definition_nodes(tree))
    definitions = tuple(_definition(found, lines, comments) for found in nodes)
    docstrings = list(_docstrings(tree, nodes, lines, tokens))
    rows = _rows(lines, comments, definitions, docstrings)
    sections, module_prose = [], tuple[ProseLine, ...]()
    for row, name in zip(rows, _names(rows, lines), strict=True):
        text = tuple(row.text)
        if row.docstring and not row.docstring.within:
            module_prose = text
        sections.append(
            Section(name, row.line, tuple(row.prose), tuple(row.code), text, row.within, row.opens)
        )
    return definitions, tuple(sections), module_prose


def _is_directive(token: tokenize.TokenInfo) -> bool:
    line = token.start[0]
    if line == 1 and _SHEBANG.match(token.string):
        return True
    return bool(DIRECTIVE.match(token.string) or (line <= 2 and _COOKIE.match(token.string)))


def _rows(
    lines: Sequence[str],
    comments: Mapping[int, tokenize.TokenInfo],
    definitions: Iterable[Definition],
    docstrings: Iterable[_Docstring],
) -> list[_Row]:
    starts: dict[int, Definition] = {}
    for definition in definitions:
        starts.setdefault(definition.first, definition)
    docstring_at = {docstring.lines.start: docstring for docstring in docstrings}
    inside_docstring = {number for docstring in docstring_at.values() for number in docstring.lines}
    within = innermost(len(lines), definitions)

    def kind(number: int) -> _Kind:
        if number in inside_docstring:
            return _Kind.DOCSTRING
        if number in comments:
            return _Kind.COMMENT
        return _Kind.CODE if lines[number - 1].strip() else _Kind.BLANK

    rows, row = [], _Row(1)

    def start(number: int) -> None:
        nonlocal row
        if not row.is_empty:
            rows.append(row)
            row = _Row(number)

    number = 1
    while number <= len(lines):
        match kind(number):
            case _Kind.BLANK:
                (row.prose if row.prose and row.prose[-1] == number - 1 else row.code).append(number)
                number += 1
            case _Kind.COMMENT:
                group = [number]
                while group[-1] + 1 in comments:
                    group.append(group[-1] + 1)
                text = _comment_text([comments[n] for n in group])
                if not (row.is_comment and text) or row.within != within[number]:
                    start(number)
                row.within = within[number]
                row.prose += group
                row.add_text(text)
                number = group[-1] + 1
            case _Kind.DOCSTRING:
                docstring = docstring_at[number]
                opened = row.opens.name if row.opens else ""
                if opened != docstring.within or (row.text and not row.opens):
                    start(number)
                row.docstring, row.within = docstring, docstring.within
                row.prose += docstring.lines
                row.add_text(docstring.text)
                number = docstring.lines.stop
            case _Kind.CODE:
                if opens := starts.get(number):
                    if not (row.is_comment and row.text and row.prose[-1] == number - 1 in comments):
                        start(number)
                    row.opens = opens
                elif row.within != within[number]:
                    start(number)
                row.within = within[number]
                row.code.append(number)
                number += 1
    start(number)
    if len(rows) > 1 and not any(lines[n - 1].strip() for n in rows[0].prose + rows[0].code):
        blank, first = rows[0].code, rows[1]  # blank lines at the top go with what follows
        after = first.prose if blank[-1] + 1 in first.prose else first.code
        after[:0] = blank
        first.line = 1
        del rows[0]
    return rows


@dataclass(frozen=True)
class Found:
    """A class or function in the syntax tree."""

    node: DefinitionNode
    name: str
    depth: int
    suite: int


def definition_nodes(tree: ast.Module) -> Iterator[Found]:
    """Yield each class and function, in order of lines."""
    suites = itertools.count()
    stack: list[tuple[ast.AST, str, int, int]] = [(tree, "", 0, next(suites))]
    while stack:
        node, prefix, depth, suite = stack.pop()
        if isinstance(node, DefinitionNode):
            name = prefix + node.name
            yield Found(node, name, depth, suite)
            prefix, depth = name + ".", depth + 1
        inside = []
        for _, value in ast.iter_fields(node):
            if isinstance(value, list):  # only statements can hold definitions, and they stand in lists
                suite = next(suites)
                inside += [
                    (child, prefix, depth, suite) for child in value if not isinstance(child, ast.expr)
                ]
        stack += [item for item in reversed(inside) if isinstance(item[0], ast.AST)]


def _definition(found: Found, lines: Sequence[str], comments: Mapping[int, tokenize.TokenInfo]) -> Definition:
    node = found.node
    line = lines[node.lineno - 1]
    column = len(line) - len(line.lstrip())
    last = number = node.end_lineno or node.lineno
    while number < len(lines):  # comments after the last statement, if they are indented
        number += 1
        if number in comments and comments[number].start[1] > column:
            last = number
        elif lines[number - 1].strip():
            break
    first = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
    kind = "class" if isinstance(node, ast.ClassDef) else "function"
    return Definition(found.name, kind, first, node.lineno, last, column, found.depth, found.suite)


def innermost(count: int, definitions: Iterable[Definition]) -> list[str]:
    """The innermost definition of each line, by line number; an empty name is the module."""
    found = [""] * (count + 1)
    for definition in definitions:  # outer ones come first
        found[definition.first : definition.last + 1] = [definition.name] * (
            definition.last + 1 - definition.first
        )
    return found


def _docstrings(
    tree: ast.Module,
    nodes: Iterable[Found],
    lines: Sequence[str],
    tokens: Iterable[tokenize.TokenInfo],
) -> Iterator[_Docstring]:
    """Yield the docstrings that stand on lines of their own.

    A line that shares a docstring's end with something else is code; so is a docstring whose first line does,
    or which is put together from several strings.
    """
    strings = {token.start: token for token in tokens if token.type == tokenize.STRING}
    bodies: list[tuple[str, list[ast.stmt]]] = [("", tree.body)]
    bodies += [(found.name, found.node.body) for found in nodes]
    for within, body in bodies:
        if not body or not isinstance(statement := body[0], ast.Expr):
            continue
        value = statement.value
        if not (isinstance(value, ast.Constant) and isinstance(value.value, str)):
            continue
        first = lines[value.lineno - 1]
        column = len(first) - len(first.lstrip())
        token = strings.get((value.lineno, column))
        if token is None:
            continue
        ends_at = len(lines[token.end[0] - 1][: token.end[1]].encode())
        if (value.end_lineno, value.end_col_offset) != (token.end[0], ends_at):
            continue
        own = range(token.start[0], token.end[0] + 1)
        if lines[token.end[0] - 1][token.end[1] :].strip():
            own = own[:-1]
        yield _Docstring(within, own, tuple(_docstring_text(token, own)))


def _docstring_text(token: tokenize.TokenInfo, own: range) -> Iterator[ProseLine]:
    """Yield the lines of a docstring without quotes and common indentation."""
    prefix = token.string[: token.string.index(token.string[-1])]
    quotes = 3 if token.string.endswith(token.string[-1] * 3) else 1
    texts = token.string[len(prefix) + quotes : -quotes].split("\n")
    if texts[0] == "\\" and "r" not in prefix.lower():
        texts[0] = ""  # a continuation, so that the text may start on the next line
    texts = [texts[0].lstrip(), *(text.expandtabs() for text in texts[1:])]
    indents = [len(text) - len(text.lstrip()) for text in texts[1:] if text.strip()]
    common = min(indents, default=0)
    texts[1:] = [text[common:] for text in texts[1:]]
    while texts and not texts[-1].strip():
        texts.pop()
    skip = next((i for i, text in enumerate(texts) if text.strip()), len(texts))
    for number, text in list(zip(own, texts, strict=False))[skip:]:
        yield ProseLine(number, text.rstrip("\f"))


def _comment_text(group: Sequence[tokenize.TokenInfo]) -> list[ProseLine]:
    """The lines of a block of comments without their signs; nothing if they hold nothing else."""
    texts = []
    for token in group:
        text = token.string[1:].removeprefix(":")
        texts.append(ProseLine(token.start[0], text.removeprefix(" ").expandtabs().rstrip("\f")))
    while texts and not texts[-1].text.strip():
        texts.pop()
    skip = next((i for i, line in enumerate(texts) if line.text.strip()), len(texts))
    return texts[skip:]


def _names(rows: Sequence[_Row], lines: Sequence[str]) -> Iterator[str]:
    """Name the sections: those that open a definition after it, the others after where they are and their words.

    No name depends on a count of sections, so a link to one survives what is written before it.
    """
    taken = {row.opens.name for row in rows if row.opens}
    counts: dict[str, int] = {}
    opened = {f"L{number}" for number in range(len(lines) + 1)}
    for row in rows:
        if row.opens and row.opens.name not in opened:
            opened.add(row.opens.name)
            yield row.opens.name
            continue
        base = row.within or "module"
        words = [line.text for line in row.text] + [lines[number - 1] for number in row.code]
        short = "" if row.opens or row is rows[0] else next(filter(None, map(slug, words)), "")
        name = unused(f"{base}:{short}" if short else base, taken, counts)
        taken.add(name)
        yield name


def slug(text: str) -> str:
    """The first words of `text` as they may stand in an address: `Why it helps` -> `why-it-helps`."""
    return "-".join(re.findall(r"\w+", text.lower())[:6])[:48].strip("-_")


def unused(name: str, taken: set[str], counts: dict[str, int]) -> str:
    """`name`, or `name` with the lowest number that makes it new; `counts` remembers how far each name got."""
    number, result = counts.get(name, 1), name
    while result in taken:
        number += 1
        result = f"{name}-{number}"
    counts[name] = number
    return result
