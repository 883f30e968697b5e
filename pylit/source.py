"""Reads and decodes a file: a Python module is cut into sections, a Markdown guide is one section.

Refuses what Python itself would not decode or compile, with the line.
"""

from __future__ import annotations

import ast
import io
import tokenize
import warnings
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

from .errors import Problem, PylitError
from .frontmatter import split_front_matter
from .model import ProseLine, Section, Source
from .sections import cut


def read_source(path: Path, file: str | None = None) -> Source:
    """Read `path`, naming it `file` in messages.

    Raises:
        PylitError: if it cannot be read or decoded, is no Python, or its front matter is wrong.
    """
    file = file or path.as_posix()
    try:
        data = path.read_bytes()
    except OSError as error:
        hint = "Name a Python file, or a guide in Markdown."
        raise PylitError(Problem(file, 0, f"cannot be read: {error.strerror}", hint)) from error
    return parse(data, file)


def parse(data: bytes, file: str) -> Source:
    """Decode and cut a file that holds `data`.

    Raises:
        PylitError: if it cannot be decoded, is no Python, or its front matter is wrong.
    """
    if file.endswith(".md"):
        return parse_markdown(decode_utf8(data, file), file)
    return parse_python(decode_python(data, file), file)


def decode_python(data: bytes, file: str) -> str:
    """Decode a Python file as Python does: byte-order mark, encoding cookie, any kind of newline."""
    hint = "Save it as UTF-8, or state its encoding."
    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(data).readline)
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        raise PylitError(_undecodable(error, file, f"is not in its encoding, {encoding}", hint)) from error
    except (SyntaxError, UnicodeError, LookupError) as error:
        raise PylitError(Problem(file, 1, f"cannot be decoded: {error}", hint)) from error
    return _newlines(text)


def decode_utf8(data: bytes, file: str) -> str:
    """Decode any other text file, which must be UTF-8."""
    try:
        return _newlines(data.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise PylitError(_undecodable(error, file, "is not UTF-8", "Save it as UTF-8.")) from error


def parse_python(text: str, file: str) -> Source:
    """Cut Python source `text` into sections.

    Raises:
        PylitError: with the line, if `text` is no Python or its front matter is wrong.
    """
    lines = split_lines(text)
    try:
        tree = syntax_tree(text)
        tokens = python_tokens(text)
    except (RecursionError, MemoryError) as error:
        hint = "Break the expression or the chain of `elif` up, or leave the file out."
        raise PylitError(Problem(file, 1, "is nested too deep for Python's own parser", hint)) from error
    except (SyntaxError, tokenize.TokenError, ValueError) as error:
        line = error.lineno or 1 if isinstance(error, SyntaxError) else 1
        reason = error.msg if isinstance(error, SyntaxError) else str(error) or type(error).__name__
        raise PylitError(
            Problem(file, line, f"is no Python: {reason}", "Mend the syntax, or leave the file out.")
        ) from error
    definitions, sections, module_prose = cut(lines, tree, tokens)
    meta, rest = split_front_matter(module_prose, file)
    if module_prose:
        sections = tuple(replace(s, text=rest) if s.text is module_prose else s for s in sections)
    return Source(file, tuple(lines), sections, definitions, meta, text)


@lru_cache(maxsize=2)  # several stages look at one file before they go on to the next
def syntax_tree(text: str) -> ast.Module:
    """The syntax tree of Python source `text`. Nobody may change it.

    Raises:
        SyntaxError, ValueError, RecursionError, MemoryError: as Python's own parser does.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # `"\times"` is for the linter to object to
        return ast.parse(text)


@lru_cache(maxsize=2)
def python_tokens(text: str) -> tuple[tokenize.TokenInfo, ...]:
    """The tokens of Python source `text`.

    Raises:
        SyntaxError, TokenError: as Python's own tokenizer does.
    """
    return tuple(tokenize.generate_tokens(io.StringIO(text).readline))


def parse_markdown(text: str, file: str) -> Source:
    """Take a guide as one section of prose.

    Raises:
        PylitError: with the line, if its front matter is wrong.
    """
    lines = split_lines(text)
    prose = [ProseLine(number, line) for number, line in enumerate(lines, 1)]
    meta, rest = split_front_matter(prose, file)
    section = Section("page", 1, tuple(range(1, len(lines) + 1)), (), rest)
    return Source(file, tuple(lines), (section,), (), meta, text)


def split_lines(text: str) -> list[str]:
    """Split at newlines only: `str.splitlines` would also split at form feeds, which end no Python line."""
    lines = text.split("\n")
    if not lines[-1]:
        lines.pop()
    return lines


def _newlines(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _undecodable(error: UnicodeDecodeError, file: str, message: str, hint: str) -> Problem:
    before = _newlines(error.object[: error.start].decode("latin-1"))  # has a character for each byte
    return Problem(file, before.count("\n") + 1, f"{message}: {error.reason}", hint)
