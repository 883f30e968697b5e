"""Reads a marimo notebook: a module in which each cell is a function, so that nothing of it runs by itself.

The code around the cells is not for readers and is folded; the code of a cell is unindented. `mo.md("…")` is prose,
with the names in it as code.
"""

from __future__ import annotations

import ast
import re
import textwrap
import tokenize
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from .layout import Layout
from .model import ProseLine

_Function = ast.FunctionDef | ast.AsyncFunctionDef
_INDENT = re.compile(r"[ \t]*")
_TEX = re.compile(r"[\\{}^%#&$~]+")
"""What has a meaning in a formula, but for `_`."""


@dataclass(frozen=True, slots=True)
class Unwrapped:
    """A notebook without the code around its cells."""

    lines: tuple[str, ...]
    """The lines as shown."""
    python: tuple[str, ...]
    """The lines as Python reads them: without prose and the code around cells."""


def app_name(tree: ast.Module) -> str:
    """Return the name of the notebook in its code, `app`; empty if it is not a marimo notebook."""
    for node in tree.body:
        match node:
            case ast.Assign(
                targets=[ast.Name(id=name)],
                value=ast.Call(func=ast.Attribute(value=ast.Name(id="marimo" | "mo"), attr="App")),
            ):
                return name
    return ""


def unwrap(
    lines: Sequence[str], tree: ast.Module, tokens: Sequence[tokenize.TokenInfo], layout: Layout
) -> Unwrapped | None:
    """Take a notebook out of its functions, and record in `layout` the kinds of its lines; `None` if it is not one."""
    app = app_name(tree)
    if not app:
        return None
    return _Unwrapper(app, lines, tokens, layout).run(tree)


class _Unwrapper:
    def __init__(
        self, app: str, lines: Sequence[str], tokens: Sequence[tokenize.TokenInfo], layout: Layout
    ) -> None:
        self.app = app
        self.lines = lines
        self.shown = list(lines)
        self.python = list(lines)
        self.layout = layout
        self.in_string: set[int] = set()
        """Return the lines that start inside a string, whose indentation is part of it."""
        for token in tokens:
            if token.type == tokenize.STRING or token.type == getattr(tokenize, "FSTRING_MIDDLE", -1):
                self.in_string.update(range(token.start[0] + 1, token.end[0] + 1))

    def run(self, tree: ast.Module) -> Unwrapped:
        waiting = 0
        """Return the first line to fold together with the start of the next cell."""
        for node in tree.body:
            first = min([node.lineno, *(d.lineno for d in getattr(node, "decorator_list", []))])
            kind = self._kind(node)
            if not kind:
                waiting = 0
                continue
            begin = waiting or first
            last = node.end_lineno or node.lineno
            waiting = 0
            if kind == "cell":
                assert isinstance(node, _Function | ast.With)
                waiting = self._cell(node, begin)
            elif kind == "definition":
                assert isinstance(node, _Function | ast.ClassDef)
                self._hide(begin, node.lineno - 1)
                self.layout.starts.add(begin)
                self.layout.cells.append(range(begin, last + 1))
            else:
                self._hide(begin, last)
                if kind == "broken":
                    self.layout.starts.add(begin)
        return Unwrapped(tuple(self.shown), tuple(self.python))

    def _kind(self, node: ast.stmt) -> str:
        """Return the role of a statement for marimo; empty if it is ordinary code."""
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                names = {self._attribute(decorator) for decorator in node.decorator_list}
                if "cell" in names and isinstance(node, _Function):
                    return "cell"
                return "definition" if names & {"function", "class_definition"} else ""
            case ast.With(items=[item]) if self._attribute(item.context_expr) == "setup":
                return "cell"
            case ast.Import(names=[ast.alias(name="marimo")]):
                return "frame"
            case ast.Assign(targets=[ast.Name(id=name)]) if name in ("__generated_with", self.app):
                return "frame"
            case ast.Expr(value=ast.Call() as call) if self._attribute(call) == "_unparsable_cell":
                return "broken"
            case ast.If(test=ast.Compare(left=ast.Name(id="__name__"))):
                return "frame"
        return ""

    def _attribute(self, node: ast.expr) -> str:
        """Return `cell` for `app.cell` and `app.cell(…)`."""
        if isinstance(node, ast.Call):
            node = node.func
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == self.app:
            return node.attr
        return ""

    def _hide(self, first: int, last: int) -> None:
        """Fold lines around cells."""
        for number in range(first, last + 1):
            self.python[number - 1] = ""
            for lines in (self.layout.quiet, self.layout.tools, self.layout.solid, self.layout.frame):
                lines.add(number)

    def _cell(self, node: _Function | ast.With, begin: int) -> int:
        """Take out the cell that starts at a line. Return the first line of its end, if it has one."""
        body, last = list(node.body), node.end_lineno or node.lineno
        inside = body[0].lineno
        inside = min([inside, *(d.lineno for d in getattr(body[0], "decorator_list", []))])
        while inside - 1 > node.lineno and self._is_comment(inside - 1):
            inside -= 1
        end = last + 1
        if isinstance(body[-1], ast.Return) and (
            len(body) == 1 or body[-1].lineno > (body[-2].end_lineno or 0)
        ):
            end = body[-1].lineno
        elif len(body) == 1 and isinstance(body[0], ast.Pass):
            end = body[0].lineno
        if inside <= node.lineno or inside > end:  # all in one line
            return 0
        self._hide(begin, inside - 1)
        self.layout.starts.add(begin)
        indent = len(_INDENT.match(self.shown[body[0].lineno - 1])[0])  # type: ignore[index]
        for number in range(inside, end):
            if number not in self.in_string:
                line = self.python[number - 1]
                line = line[indent:] if not line[:indent].strip() else line
                self.shown[number - 1] = self.python[number - 1] = line
        self.layout.cells.append(range(begin, end))
        for statement in body:
            if statement.lineno < end and (text := _prose(statement)) is not None:
                self._set_prose(statement, text)
        if end <= last:
            self._hide(end, last)
            return end
        return 0

    def _is_comment(self, number: int) -> bool:
        text = self.python[number - 1].strip()
        return not text or text.startswith("#")

    def _set_prose(self, statement: ast.stmt, text: str) -> None:
        own = range(statement.lineno, (statement.end_lineno or statement.lineno) + 1)
        rest = self.lines[own[-1] - 1].encode()[statement.end_col_offset :].strip()
        if self.lines[own[0] - 1].encode()[: statement.col_offset].strip() or rest[:1] not in (b"", b"#"):
            return  # it shares a line
        for number in own:
            self.python[number - 1] = ""
        lines = textwrap.dedent(text).strip("\n").rstrip().split("\n")
        found = (ProseLine(min(own.start + n, own[-1]), line) for n, line in enumerate(lines))
        self.layout.passages[own.start] = (own, tuple(found))


def _prose(statement: ast.stmt) -> str | None:
    """Return the text of `mo.md(…)`, if a statement is only that; names in it become code."""
    if not isinstance(statement, ast.Expr):
        return None
    call = statement.value
    while isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute):
        match call:
            case ast.Call(func=ast.Attribute(value=ast.Name(id="mo" | "marimo"), attr="md"), args=[text]):
                return "".join(_parts(text)) if isinstance(text, ast.Constant | ast.JoinedStr) else None
        call = call.func.value  # as in `mo.md("…").center()`
    return None


def _parts(text: ast.Constant | ast.JoinedStr) -> Iterator[str]:
    """Yield the pieces of a text; what is put in when it runs is its name, as code."""
    before = ""
    """What stands before, in the same paragraph."""
    for part in text.values if isinstance(text, ast.JoinedStr) else [text]:
        match part:
            case ast.Constant(value=str() as value):
                found = value
            case ast.FormattedValue(value=value):
                is_short = isinstance(value, ast.Name | ast.Attribute | ast.Subscript | ast.Constant)
                found = ast.unparse(value) if is_short else "…"
                if before.count("`") % 2 == 0:
                    name = _TEX.sub(" ", found).replace("_", "\\_")
                    found = f"\\texttt{{{name}}}" if before.count("$") % 2 else f"`{found}`"
            case _:
                continue
        before = (before + found).rpartition("\n\n")[2]
        yield found
