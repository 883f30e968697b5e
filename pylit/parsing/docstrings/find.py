"""Finds the docstrings of a file that are prose, and what they say, without quotes and common indentation."""

from __future__ import annotations

import ast
import tokenize
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from ..model import ProseLine
from ..syntax import is_string


@dataclass(frozen=True)
class Docstring:
    """A docstring on lines of its own."""

    within: str
    """The definition it documents; empty for the module."""
    lines: range
    """Its lines that hold nothing else."""
    text: tuple[ProseLine, ...]
    is_raw: bool = True
    """Whether Python takes its backslashes as they are."""

    @property
    def unescaped(self) -> Docstring:
        """The same with single backslashes where the author had to write two."""
        if self.is_raw:
            return self
        lines = (ProseLine(line.number, line.text.replace("\\\\", "\\")) for line in self.text)
        return replace(self, text=tuple(lines))


def find_docstrings(
    statements: Iterable[tuple[str, ast.stmt]], lines: Sequence[str], tokens: Iterable[tokenize.TokenInfo]
) -> Iterator[Docstring]:
    """Yield those of some statements, each with what it is in, that are strings on lines of their own.

    A line that shares a docstring's end with something else is code; so is a docstring whose first line does,
    or which is put together from several strings.
    """
    strings = {token.start: token for token in tokens if token.type == tokenize.STRING}
    for within, statement in statements:
        if not is_string(statement):
            continue
        value = statement.value
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
        is_raw = "r" in token.string[: token.string.index(token.string[-1])].lower()
        yield Docstring(within, own, tuple(_docstring_text(token, own)), is_raw)


def _docstring_text(token: tokenize.TokenInfo, own: range) -> Iterator[ProseLine]:
    """Yield the lines of a docstring without quotes and common indentation."""
    prefix = token.string[: token.string.index(token.string[-1])]
    quotes = 3 if token.string.endswith(token.string[-1] * 3) else 1
    texts = token.string[len(prefix) + quotes : -quotes].split("\n")
    if texts[0] == "\\" and "r" not in prefix.lower():
        texts[0] = ""  # a continuation, so that the text may start on the next line
    texts = [texts[0].lstrip(), *_dedented(texts[1:])]
    while texts and not texts[-1].strip():
        texts.pop()
    skip = next((i for i, text in enumerate(texts) if text.strip()), len(texts))
    for number, text in list(zip(own, texts, strict=False))[skip:]:
        yield ProseLine(number, text.rstrip("\f"))


def _dedented(texts: list[str]) -> list[str]:
    """Lines without their common indentation. Tabs below it stay, as Markdown has stops of its own for them.

    Only where the lines do not begin alike does a tab reach to the next eighth column, as it does for Python.
    """
    indents = [text[: len(text) - len(text.lstrip())] for text in texts if text.strip()]
    common = min(indents, key=len, default="")
    if not all(indent.startswith(common) for indent in indents):
        texts = [text.expandtabs() for text in texts]
        common = " " * min(len(text) - len(text.lstrip()) for text in texts if text.strip())
    return [text.removeprefix(common) if text.strip() else text[len(common) :] for text in texts]
