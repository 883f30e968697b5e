"""Finds code that stands in docstrings without any mark: below `Example:`, or as a value over several lines."""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Iterator, Sequence
from itertools import groupby, pairwise

from ..model import ProseLine
from ..syntax import LONGEST_EXAMPLE

_STATEMENTS = (
    ast.Import,
    ast.ImportFrom,
    ast.Assign,
    ast.AugAssign,
    ast.FunctionDef,
    ast.AsyncFunctionDef,
    ast.ClassDef,
    ast.For,
    ast.With,
    ast.If,
    ast.Try,
)
"""Statements that no sentence looks like."""
_VALUES = (ast.Dict, ast.List, ast.Set, ast.Tuple, ast.Call)
_FENCE = re.compile(r"[ \t]*(?:```|~~~)")
_OPENING = re.compile(r"[\w.]*[({\[]")
Lines = tuple[ProseLine, ...]


def with_listings(lines: Lines, *, is_rst: bool, is_example: bool = False) -> Lines:
    """Return text with its unmarked code marked as such.

    Args:
        lines: The text.
        is_rst: Whether it is reStructuredText rather than Markdown.
        is_example: Whether whole statements are code too, and not only values over several lines.
    """
    if not lines or (not is_example and not any(_OPENING.match(line.text) for line in lines)):
        return lines
    if any(_FENCE.match(line.text) for line in lines):
        return lines
    found: list[ProseLine] = []
    for is_code, run in groupby(_paragraphs(lines, is_example=is_example), lambda each: each[0]):
        part = [line for _, paragraph in run for line in paragraph]
        found += listing(part, is_rst=is_rst) if is_code else part
    return tuple(found)


def listing(lines: Sequence[ProseLine], *, is_rst: bool, language: str = "python") -> Iterator[ProseLine]:
    """Yield lines as a listing."""
    end = len(lines)
    while not lines[end - 1].text.strip():
        end -= 1
    first, last = lines[0].number, lines[end - 1].number
    if is_rst:
        yield from (ProseLine(first, "::"), ProseLine(first, ""))
        yield from (ProseLine(line.number, f"    {line.text}".rstrip()) for line in lines[:end])
    else:
        yield ProseLine(first, f"```{language}")
        yield from lines[:end]
        yield ProseLine(last, "```")
    yield ProseLine(last, "")
    yield from lines[end:]


def _paragraphs(lines: Lines, *, is_example: bool) -> Iterator[tuple[bool, list[ProseLine]]]:
    """Yield paragraphs, with the empty lines below each, and whether each is code. What is indented is as before."""
    was_code = False
    starts = [
        0,
        *(n for n in range(1, len(lines)) if lines[n].text.strip() and not lines[n - 1].text.strip()),
    ]
    for start, end in pairwise([*starts, len(lines)]):
        texts = [line.text for line in lines[start:end]]
        if texts[0][:1] in (" ", "\t"):  # it may continue a block
            was_code = was_code and _is_code(["if True:", *texts], is_example=is_example)
        else:
            was_code = _is_code(texts, is_example=is_example)
        yield was_code, list(lines[start:end])


def _is_code(texts: Sequence[str], *, is_example: bool) -> bool:
    count = sum(bool(text.strip()) for text in texts)
    if not count or (not is_example and (count == 1 or not _OPENING.match(texts[0]))):
        return False
    text = "\n".join(texts)
    if len(text) > LONGEST_EXAMPLE:
        return False
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            body = ast.parse(text).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    if not is_example:
        return len(body) == 1 and _is_value(body[0], _VALUES)
    return bool(body) and all(
        isinstance(node, _STATEMENTS) or _is_value(node, (ast.Call, ast.Await)) for node in body
    )


def _is_value(node: ast.stmt, kinds: tuple[type[ast.expr], ...]) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, kinds)
