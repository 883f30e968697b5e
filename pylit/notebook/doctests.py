"""Turns examples (`>>>` with output) into code cells with outputs.

A cell ends where an example has output, since a cell shows only one value. A value that Python's prompt would print in
the middle of a statement is printed explicitly, since a notebook would not show it.
"""

from __future__ import annotations

import ast
import doctest
import io
import tokenize
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Output = Mapping[str, Any]
"""An output in the notebook format."""


@dataclass(frozen=True, slots=True)
class Run:
    """The code and outputs of one cell."""

    code: str
    outputs: tuple[Output, ...] = ()
    raises: bool = False
    """Whether it is expected to end with an exception."""


def runs(text: str) -> tuple[Run, ...]:
    """Return the cells for the examples in `text`; none if they cannot or must not be run."""
    try:
        examples = doctest.DocTestParser().get_examples(text)
    except ValueError:  # for example, a prompt without a space after it: shown unchanged
        return ()
    try:
        if any(example.options.get(doctest.SKIP) or _is_broken(example) for example in examples):
            return ()
        return tuple(_runs(examples))
    except (RecursionError, MemoryError):  # nested too deeply for Python's own parser
        return ()


def _is_broken(example: doctest.Example) -> bool:
    """Return whether an example is not valid Python and not expected to raise an exception."""
    try:
        ast.parse(example.source)
    except (SyntaxError, ValueError):
        return example.exc_msg is None
    return False


def _runs(examples: Sequence[doctest.Example]) -> Iterator[Run]:
    code: list[str] = []
    for example in examples:
        code.append(_without_directive(example.source.rstrip("\n")))
        if example.want:
            yield _run(code, example)
            code = []
    if code:
        yield Run("\n".join(code))


def _run(code: list[str], example: doctest.Example) -> Run:
    want = example.want.removesuffix("\n").replace("<BLANKLINE>", "")
    if example.exc_msg is not None:
        return Run("\n".join(code), (_error(example.exc_msg.strip()),), raises=True)
    last = ast.parse(code[-1]).body[-1]
    if isinstance(last, ast.Expr):
        if _is_print(last.value):
            return Run("\n".join(code), (_printed(want),))
        return Run("\n".join(code), (_shown(want),))
    return Run("\n".join([*code[:-1], _printing(code[-1], last)]), (_printed(want),))


def _printing(code: str, last: ast.stmt) -> str:
    """Return `code` with an explicit `print` of the value that its last statement shows."""
    statement: ast.stmt | None = last
    while statement is not None and not isinstance(statement, ast.Expr):
        inside = getattr(statement, "body", None)
        statement = inside[-1] if isinstance(inside, list) and not _defines(statement) else None
    if statement is None or _is_print(statement.value):
        return code
    lines = code.split("\n")
    value = statement.value
    assert value.end_lineno is not None and value.end_col_offset is not None
    for line, column, text in (
        (value.end_lineno, value.end_col_offset, b")"),
        (value.lineno, value.col_offset, b"print("),
    ):
        data = lines[line - 1].encode()
        lines[line - 1] = (data[:column] + text + data[column:]).decode()
    return "\n".join(lines)


def _defines(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)


def _is_print(value: ast.expr) -> bool:
    return isinstance(value, ast.Call) and isinstance(value.func, ast.Name) and value.func.id == "print"


def _without_directive(code: str) -> str:
    """Remove doctest directives from `code`."""
    lines = code.split("\n")
    try:
        for token in tokenize.generate_tokens(io.StringIO(code).readline):
            if token.type == tokenize.COMMENT and token.string[1:].lstrip().startswith("doctest:"):
                line, column = token.start
                lines[line - 1] = lines[line - 1][:column].rstrip()
    except (tokenize.TokenError, SyntaxError):  # an example may show a syntax error
        return code
    return "\n".join(lines)


def _shown(text: str) -> Output:
    data = {"text/plain": text}
    return {"output_type": "execute_result", "data": data, "execution_count": None, "metadata": {}}


def _printed(text: str) -> Output:
    return {"output_type": "stream", "name": "stdout", "text": text + "\n"}


def _error(message: str) -> Output:
    """Return an exception as a notebook shows it: with the name of the class only, while doctest has its module too."""
    path, _, value = message.partition(": ")
    name = path.rpartition(".")[2]
    value = " ".join(value.split())
    last = f"{name}: {value}" if value else name
    traceback = ["Traceback (most recent call last):", last]
    return {"output_type": "error", "ename": name, "evalue": value, "traceback": traceback}
