"""Splits a Python file into sections: rows of some prose and the run of code lines next to it.

Docstrings and comments on lines of their own are prose; everything else is code, including trailing comments and all
other strings. A new section starts at

* a comment, or a block of them, on lines of their own;
* a comment line with only `#`, so that the code after it gets a row without prose;
* a class or function, together with a comment directly before it;
* the first line of code that is no longer in the same definition as the line before.

Blank lines belong to the line before them. Works on tokens and the syntax tree; the text of lines is only sliced.
"""

from __future__ import annotations

import ast
import tokenize
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum, auto
from itertools import groupby

from .docstrings import (
    Docstring,
    epytext_inline,
    find_dialect,
    find_docstrings,
    has_epytext,
    is_markdown,
    is_restructured,
    read_signature,
)
from .html_blocks import ANCHOR
from .layout import Comment, Layout
from .model import Definition, DefinitionKind, Dialect, DocstringForm, ProseLine, Section
from .names import slug, unused_name
from .syntax import FoundDefinition, definition_nodes


class _Kind(Enum):
    CODE = auto()
    DIVIDER = auto()
    PASSAGE = auto()
    COMMENT = auto()
    DOCSTRING = auto()
    BLANK = auto()


@dataclass
class _Row:
    """A section under construction."""

    line: int
    within: str = ""
    opens: Definition | None = None
    prose: list[int] = field(default_factory=list)
    code: list[int] = field(default_factory=list)
    text: list[ProseLine] = field(default_factory=list)
    docstring: Docstring | None = None
    is_divided: bool = False
    """Whether it starts with the marker of a cell."""
    has_code: bool = False
    """Whether some of its code is for readers."""

    @property
    def is_empty(self) -> bool:
        return not (self.prose or self.code or self.text)

    @property
    def is_comment(self) -> bool:
        """Whether it contains only comments so far."""
        return not self.has_code and self.docstring is None

    def add_text(self, lines: Iterable[ProseLine]) -> None:
        """Add a piece of prose as separate paragraphs."""
        lines = list(lines)
        if self.text and lines:
            self.text.append(ProseLine(lines[0].number, ""))
        self.text += lines


@dataclass(frozen=True)
class Cut:
    """A file, split into sections."""

    definitions: tuple[Definition, ...]
    """In order of lines, like the sections."""
    sections: tuple[Section, ...]
    module_prose: tuple[ProseLine, ...]
    """The prose of the module's docstring: the same object as in the section that contains it."""


def cut(
    lines: Sequence[str],
    tree: ast.Module,
    tokens: Sequence[tokenize.TokenInfo],
    layout: Layout,
    dialect: str = "auto",
) -> Cut:
    """Split the `lines` of a file into sections, given its syntax tree, its tokens, and their layout.

    Args:
        lines: The lines.
        tree: The syntax tree.
        tokens: The tokens.
        layout: How the lines are divided; the markup of the file is recorded there.
        dialect: The dialect of docstrings, or `auto`.
    """
    nodes = definition_nodes(tree)
    definitions = tuple(_definition(found, lines, layout.own) for found in nodes)
    bodies = [("", tree.body), *((found.name, found.node.body) for found in nodes)]
    statements = [(within, body[0]) for within, body in bodies if body]
    statements += [("", node) for node in layout.strings if node is not tree.body[0]]
    docstrings = list(find_docstrings(statements, lines, tokens))
    forms = _forms(docstrings, nodes, tree, lines, layout, dialect)
    docstrings = [
        docstring.unescaped if docstring.lines.start in forms else docstring for docstring in docstrings
    ]
    rows = _rows(lines, layout, definitions, docstrings)
    is_epytext = any(form.dialect is Dialect.EPYTEXT for form in forms.values())
    sections, module_prose = [], tuple[ProseLine, ...]()
    for row, name in zip(rows, _names(rows, lines, layout.shown), strict=True):
        text = tuple(_from_epytext(row) if is_epytext else row.text)
        if row.docstring and not row.docstring.within and row.docstring.lines.start == tree.body[0].lineno:
            module_prose = text
        form = forms.get(row.docstring.lines.start) if row.docstring else None
        is_rst = _is_rst(row, layout, dialect)
        sections.append(
            Section(
                name, row.line, tuple(row.prose), tuple(row.code), text, row.within, row.opens, form, is_rst
            )
        )
    return Cut(definitions, tuple(sections), module_prose)


def _from_epytext(row: _Row) -> Iterator[ProseLine]:
    """Yield the text of a row, whose comments have the inline markup of the docstrings in the file."""
    inside = row.docstring.lines if row.docstring else range(0)
    for is_docstring, run in groupby(row.text, lambda line: line.number in inside):
        lines = list(run)
        is_marked = not is_docstring and has_epytext("\n".join(line.text for line in lines))
        yield from epytext_inline(lines) if is_marked else lines


def _is_rst(row: _Row, layout: Layout, dialect: str) -> bool:
    """Return whether the comments of a row are reStructuredText."""
    if dialect == "markdown" or layout.passages or layout.inserted:
        return False
    inside = row.docstring.lines if row.docstring else range(0)
    text = "\n".join(line.text for line in row.text if line.number not in inside)
    if not text.strip():
        return False
    return not is_markdown(text) if layout.markup else is_restructured(text)


def _forms(
    docstrings: Iterable[Docstring],
    nodes: Iterable[FoundDefinition],
    tree: ast.Module,
    lines: Sequence[str],
    layout: Layout,
    dialect: str,
) -> dict[int, DocstringForm]:
    """Return first line of a docstring -> how it is read, if it is not Markdown. Record the markup of the file."""
    if dialect == "markdown":
        layout.markup = ""
        return {}
    module = next((d for d in docstrings if not d.within and d.lines.start == tree.body[0].lineno), None)
    if dialect in ("sphinx", "restructuredtext"):
        layout.markup = "rst"
    elif module and dialect == "auto" and not layout.markup:
        text = "\n".join(line.text for line in module.text)
        layout.markup = "rst" if is_restructured(text, is_module=True) else ""
    if layout.passages or layout.inserted:  # those are Markdown
        layout.markup = ""
    documented = {found.node.body[0].lineno: found.node for found in nodes}
    forms = {}
    for docstring in docstrings:
        first = docstring.lines.start
        if not docstring.within and docstring is not module:
            continue  # a cell of a notebook
        form = find_dialect(docstring.text, docstring.within, is_rst=bool(layout.markup), setting=dialect)
        if form:
            node = documented.get(first)
            forms[first] = replace(form, signature=read_signature(node, lines)) if node else form
    return forms


def _rows(
    lines: Sequence[str],
    layout: Layout,
    definitions: Iterable[Definition],
    docstrings: Iterable[Docstring],
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
        if number in layout.prose:
            return _Kind.COMMENT
        if number in layout.dividers:
            return _Kind.DIVIDER
        if number in layout.passages:
            return _Kind.PASSAGE
        return _Kind.CODE if lines[number - 1].strip() or number in layout.solid else _Kind.BLANK

    rows, row = [], _Row(1)

    def start(number: int) -> None:
        nonlocal row
        if not row.is_empty:
            rows.append(row)
            row = _Row(number)

    def is_open() -> bool:
        """Return whether the current row may continue where a new one would start, since it has no content yet."""
        is_header = not rows and any(number in layout.tools for number in row.code[:1])
        return (row.is_divided or is_header) and row.is_comment and not row.text

    is_over = False
    number = 1
    while number <= len(lines):
        what = kind(number)
        for text in layout.inserted.get(number, ()):
            start(number)
            row.text += text
        if (number in layout.starts and number not in layout.inserted) or (is_over and what != _Kind.BLANK):
            is_over = False
            if not is_open():
                start(number)
        match what:
            case _Kind.BLANK:
                if row.prose and row.prose[-1] == number - 1:
                    row.prose.append(number)
                else:
                    row.has_code = row.has_code or not row.code
                    row.code.append(number)
                number += 1
            case _Kind.DIVIDER:
                is_over = number in layout.ends
                if row.is_empty or is_open():
                    row.is_divided, row.within = True, within[number]
                row.prose.append(number)
                if title := layout.dividers[number]:
                    row.add_text([ProseLine(number, title)])
                number += 1
            case _Kind.PASSAGE:
                passage, text = layout.passages[number]
                if row.within:
                    start(number)
                row.prose += passage
                row.add_text(text)
                number = passage.stop
            case _Kind.COMMENT:
                group = [number]
                while group[-1] + 1 in layout.prose and group[-1] + 1 not in layout.starts:
                    group.append(group[-1] + 1)
                text = _comment_text(group, layout.prose)
                joins = (row.is_comment and text) or is_open()
                if not joins or row.within != within[number]:
                    start(number)
                row.within = within[number]
                row.prose += group
                row.add_text(text)
                number = group[-1] + 1
            case _Kind.DOCSTRING:
                docstring = docstring_at[number]
                opened = row.opens.name if row.opens else ""
                if opened != docstring.within or (row.text and not row.opens and not row.is_divided):
                    start(number)
                row.docstring, row.within = docstring, docstring.within
                row.prose += docstring.lines
                row.add_text(docstring.text)
                number = docstring.lines.stop
            case _Kind.CODE:
                if opens := starts.get(number):
                    is_beside = row.prose[-1:] == [number - 1] and number - 1 in layout.prose
                    touches = row.is_comment and row.text and is_beside
                    if not (touches or (row.is_divided and is_open())):
                        start(number)
                    row.opens = opens
                elif row.within != within[number]:
                    start(number)
                row.within = within[number]
                row.code.append(number)
                row.has_code = row.has_code or number not in layout.tools
                number += 1
    if rows and row.is_divided and is_open():  # a marker at the end of a file starts nothing
        rows[-1].prose += row.prose
        rows[-1].code += row.code
        row = _Row(number)
    for text in layout.inserted.get(number, ()):
        start(number)
        row.text += text
    start(number)
    top = rows[0].prose + rows[0].code if len(rows) > 1 and not rows[0].text else []
    if top and not any(lines[n - 1].strip() or n in layout.solid for n in top):
        blank, first = rows[0].code, rows[1]  # blank lines at the top belong to the next section
        after = first.prose if blank[-1] + 1 in first.prose else first.code
        after[:0] = blank
        first.line = 1
        del rows[0]
    return rows


def _definition(found: FoundDefinition, lines: Sequence[str], comments: Mapping[int, Comment]) -> Definition:
    node = found.node
    line = lines[node.lineno - 1]
    column = len(line) - len(line.lstrip())
    last = number = node.end_lineno or node.lineno
    while number < len(lines):  # comments after the last statement, if they are indented
        number += 1
        if number in comments and comments[number].column > column:
            last = number
        elif lines[number - 1].strip():
            break
    first = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
    kind = DefinitionKind.CLASS if isinstance(node, ast.ClassDef) else DefinitionKind.FUNCTION
    return Definition(found.name, kind, first, node.lineno, last, column, found.depth, found.suite)


def innermost(count: int, definitions: Iterable[Definition]) -> list[str]:
    """Return the innermost definition of each line, by line number; empty for the module."""
    found = [""] * (count + 1)
    for definition in definitions:  # outer ones come first
        found[definition.first : definition.last + 1] = [definition.name] * (
            definition.last + 1 - definition.first
        )
    return found


def _comment_text(group: Sequence[int], prose: Mapping[int, str]) -> tuple[ProseLine, ...]:
    """Return the lines of a block of comments; none if they are empty."""
    texts = [ProseLine(line, prose[line]) for line in group]
    while texts and not texts[-1].text.strip():
        texts.pop()
    skip = next((i for i, line in enumerate(texts) if line.text.strip()), len(texts))
    return tuple(texts[skip:])


def _names(rows: Sequence[_Row], lines: Sequence[str], shown: Mapping[int, str]) -> Iterator[str]:
    """Yield the names of sections: the definition that one opens, or its place and first words.

    No name depends on a count of sections, so links survive changes above them.
    """
    taken = {row.opens.name for row in rows if row.opens}
    counts: dict[str, int] = {}
    opened = {f"L{number}" for row in rows for number in row.code}
    """Names already in use: lines of code, and definitions so far."""
    for row in rows:
        if row.opens and row.opens.name not in opened:
            opened.add(row.opens.name)
            yield row.opens.name
            continue
        base = row.within or "module"
        words = [ANCHOR.sub(" ", line.text) for line in row.text] + [
            shown.get(number, lines[number - 1]) for number in row.code
        ]
        short = "" if row.opens or row is rows[0] else next(filter(None, map(slug, words)), "")
        name = unused_name(f"{base}:{short}" if short else base, taken, counts)
        taken.add(name)
        yield name
