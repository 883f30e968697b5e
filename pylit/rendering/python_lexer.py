r"""Highlights Python modules, using the tokens of Python's own tokenizer.

Pygments, which highlights all other code, tries dozens of regular expressions at each position; for valid Python, one
look at each token is enough. The classes are those of `highlight`, and a test checks that both agree. In strings,
escapes (`\n`) and fields (`%s`, `{name}`) are distinguished, and fields of f-strings are highlighted as code.
"""

from __future__ import annotations

import builtins
import keyword
import re
import tokenize
from collections.abc import Iterator, Sequence
from enum import Enum
from functools import lru_cache
from typing import NamedTuple

from ..resolve import FUNCTIONS


class Piece(NamedTuple):
    """A highlighted part of a line."""

    place: tuple[int, int]
    """Its line, counted from 1, and its first character, counted from 0."""
    end: int
    """The character after it."""
    css: str
    """The class for its colour; empty for most names."""
    is_name: bool = False


class _Run(NamedTuple):
    """A part of a string, positioned relative to the start of the string."""

    start: int
    end: int
    css: str
    is_name: bool = False


KEYWORDS = dict.fromkeys(keyword.kwlist, "k")
NAMES = {
    **dict.fromkeys(FUNCTIONS - {"help"}, "nb"),  # `help=` names an argument far more often
    **{name: "nb" for name, value in vars(builtins).items() if isinstance(value, type) and name[0].isupper()},
    **dict.fromkeys("self cls Ellipsis NotImplemented".split(), "bp"),
}
"""Names with a class of their own, except as attributes."""
DEFINED = {"def": "nf", "class": "nc", "type …": "nc"}
NO_SUBJECT = frozenset([*":,;=^&|@~)]}.", "", *keyword.kwlist]) - {"None", "True", "False", "not", "await"}
"""Tokens that cannot follow the keywords `match` and `case`: before them, these are ordinary names."""
_FORMAT_START = (getattr(tokenize, "FSTRING_START", -1), getattr(tokenize, "TSTRING_START", -1))
_FORMAT_END = (getattr(tokenize, "FSTRING_END", -1), getattr(tokenize, "TSTRING_END", -1))
"""Since Python 3.12, f-strings consist of several tokens."""


def colours(tokens: Sequence[tokenize.TokenInfo], lines: Sequence[str]) -> Iterator[Piece]:
    """Yield the highlighted pieces of a valid Python module in order, given its tokens and lines."""
    before, statement = "", _Statement.OTHER
    opened, depth = (0, 0), 0
    for position, (kind, token, place, (last, end), _) in enumerate(tokens):
        if kind in _FORMAT_START:
            opened, depth = place if depth == 0 else opened, depth + 1
        elif kind in _FORMAT_END:
            depth -= 1
            if depth == 0:
                before = token
                yield from _string(_between(lines, opened, (last, end)), *opened)
        elif depth:
            continue
        elif kind == tokenize.NAME:
            if before in ("", ";", ":"):
                statement = _STATEMENTS.get(token, _Statement.OTHER)
                if statement in _MATCHING and not (before == "" and _is_match(tokens, position)):
                    statement = _Statement.OTHER
                elif token == "type" and _is_type(tokens, position):
                    yield Piece(place, end, "k")
                    before = "type …"
                    continue
            css = _colour(token, before, statement, tokens[position + 1].string)
            yield Piece(place, end, css, True)
            if token == "import" and statement is _Statement.FROM:
                statement = _Statement.OTHER
            before = token
        elif kind == tokenize.OP:
            if before == "":
                statement = _STATEMENTS.get(token, _Statement.OTHER)
            if token == "@" and before == "":
                yield Piece(place, end, "nd")
            before = token
        elif kind == tokenize.NUMBER:
            before = token
            yield Piece(place, end, "m")
        elif kind == tokenize.STRING:
            before = token
            if _DOCSTRING.match(token) and _begins_line(tokens, position):
                yield from _pieces([_Run(0, len(token), "s")], token, *place)  # a docstring is plain
            else:
                yield from _string(token, *place)
        elif kind == tokenize.COMMENT:
            yield Piece(place, end, "c")
        elif kind == tokenize.NEWLINE:
            before, statement = "", _Statement.OTHER


class _Statement(Enum):
    """Statements in which names have other colours."""

    IMPORT = "import"
    FROM = "from"
    """Ends at its `import`."""
    DECORATOR = "@"
    MATCH = "match"
    CASE = "case"
    OTHER = ""


_STATEMENTS = {statement.value: statement for statement in _Statement}
_MATCHING = (_Statement.MATCH, _Statement.CASE)


def _colour(name: str, before: str, statement: _Statement, following: str) -> str:
    """Return the class of a name or keyword between two other tokens, in a kind of statement."""
    if css := KEYWORDS.get(name):
        return css
    if before in DEFINED:
        return DEFINED[before]
    if statement is _Statement.DECORATOR and before == "@":
        return "nd"
    if statement in (_Statement.IMPORT, _Statement.FROM):
        return ""
    if statement in _MATCHING and (name == statement.value or (name == "_" and statement is _Statement.CASE)):
        return "k"
    if name.startswith("__") and name.endswith("__") and following == "(":
        return "nf"
    return NAMES.get(name, "") if before != "." else ""


def _begins_line(tokens: Sequence[tokenize.TokenInfo], position: int) -> bool:
    """Return whether a token is the first on its line."""
    if position == 0:
        return True
    before = tokens[position - 1]
    is_layout = before.type in (tokenize.INDENT, tokenize.DEDENT)
    return is_layout or before.end[0] < tokens[position].start[0]


def _is_match(tokens: Sequence[tokenize.TokenInfo], position: int) -> bool:
    """Return whether the `match` or `case` at `position` is a keyword: a colon must follow its subject or pattern."""
    if tokens[position + 1].string.strip() in NO_SUBJECT:
        return False
    depth = 0
    for following in range(position + 1, len(tokens)):
        token = tokens[following]
        if token.type == tokenize.NEWLINE or (depth == 0 and token.string == "="):
            break
        if token.type == tokenize.OP:
            depth += (token.string in "([{") - (token.string in ")]}")
            if depth == 0 and token.string == ":":
                return True
    return False


def _is_type(tokens: Sequence[tokenize.TokenInfo], position: int) -> bool:
    """Return whether the `type` at `position` is a keyword: it is if a name follows, which is invalid otherwise."""
    name, after = tokens[position + 1 : position + 3]
    return name.type == tokenize.NAME and name.string not in NO_SUBJECT and after.string in ("=", "[")


def _between(lines: Sequence[str], start: tuple[int, int], end: tuple[int, int]) -> str:
    """Return the text between two positions."""
    text = "\n".join(lines[start[0] - 1 : end[0]])
    return text[start[1] : len(text) - len(lines[end[0] - 1]) + end[1]]


def _string(text: str, line: int, column: int) -> Iterator[Piece]:
    """Yield the pieces of a string that starts at a position."""
    runs: list[_Run] = []
    _scan_string(text, 0, runs)
    return _pieces(runs, text, line, column)


def _pieces(runs: Sequence[_Run], text: str, line: int, column: int) -> Iterator[Piece]:
    """Yield the pieces of the string `text` with their positions in the file, split at line ends."""
    offset = -column
    """Start of the line, relative to the start of the string."""
    passed = 0
    for start, end, css, is_name in runs:
        if newlines := text.count("\n", passed, start):
            line, offset = line + newlines, text.rindex("\n", passed, start) + 1
        passed = end
        while (newline := text.find("\n", start, end)) >= 0:
            if newline > start:
                yield Piece((line, start - offset), newline - offset, css, is_name)
            line, start = line + 1, newline + 1
            offset = start
        if end > start:
            yield Piece((line, start - offset), end - offset, css, is_name)


_OPENING = re.compile(r"""(?P<prefix>[A-Za-z]*)(?P<quote>\"{3}|'{3}|["'])""")
_DOCSTRING = re.compile(r"""[rRuUbB]*(?:\"{3}|'{3})""")
_FIELD = (
    r"%(?:\(\w+\))?[-#0 +]*(?:[1-9][0-9]*|[*])?(?:\.(?:[0-9]+|[*]))?[hlL]?[E-GXc-giorsaux%]"
    r"|\{(?:\w+(?:\.\w+|\[[^\]]{1,99}\])*)?(?:![sra])?"
    r"(?::(?:.?[<>=^])?[-+ ]?#?0?(?:\d+)?,?(?:\.\d+)?[E-GXb-gnosx%]?)?\}"
)
"""Fields of `%` and `str.format`. Each part matches in one way only, or is short, to avoid backtracking."""
_CODE = re.compile(
    r"""(?P<string>[rbuftRBUFT]{0,2}["'])|(?P<name>[^\W\d]\w*)|(?P<number>\.?\d(?:[\w.])*)|(?P<comment>\#[^\n]*)"""
    r"""|(?P<end>(?:=\s*)?(?:![a-z]\s*)?[:}])|\s+|.""",
    re.DOTALL,
)
"""A token of the code in an f-string; the end of a field counts outside brackets only."""


@lru_cache(maxsize=64)
def _marks(prefix: str, quote: str) -> re.Pattern[str]:
    """Return a pattern for escapes and fields in a string with that prefix, in lower case, and those quotes."""
    marks = []
    if "r" not in prefix:
        if "b" not in prefix:
            marks.append(r"\\(?:N\{.*?\}|u[a-fA-F0-9]{4}|U[a-fA-F0-9]{8})")
        marks.append(r"""\\(?:[\\abfnrtv"'\n]|x[a-fA-F0-9]{2}|[0-7]{1,3})""")
    elif len(quote) == 1:
        marks.append(rf"\\[\\{quote}\n]")
    is_format = not {"f", "t"}.isdisjoint(prefix)
    marks.append(r"\{\{|\}\}" if is_format else _FIELD)
    text = r"""(?P<text>\\["'\\]|\{\{)"""
    field = r"|(?P<field>\{)" if is_format else ""
    return re.compile(f"(?P<mark>{'|'.join(marks)})|(?P<end>{quote})|{text}{field}", re.DOTALL)


def _scan_string(text: str, at: int, runs: list[_Run]) -> int:
    """Collect the pieces of the string that starts at `at`, and return its end."""
    opening = _OPENING.match(text, at)
    assert opening is not None
    marks = _marks(opening["prefix"].lower(), opening["quote"])
    position = opening.end()
    while found := marks.search(text, position):
        position = found.end()
        if found.lastgroup == "end":
            break
        if found.lastgroup != "text":
            runs += [_Run(at, found.start(), "s"), _Run(found.start(), position, "se")]
            at = position = _scan_field(text, position, runs) if found.lastgroup == "field" else position
    runs.append(_Run(at, position, "s"))
    return position


def _scan_field(text: str, at: int, runs: list[_Run]) -> int:
    """Collect the pieces of the code in a field of an f-string, and return the end of the field."""
    depth, before = 0, ""
    while found := _CODE.match(text, at):
        kind, (start, at) = found.lastgroup, found.span()
        if kind == "end" and depth == 0:
            runs.append(_Run(start, at, "se"))
            return at if text[at - 1] == "}" else _scan_format(text, at, runs)
        if kind == "string":
            at = _scan_string(text, start, runs)
        elif kind == "name":
            runs.append(
                _Run(start, at, _colour(found.group(), before, _Statement.OTHER, text[at : at + 1]), True)
            )
        elif kind in ("number", "comment"):
            runs.append(_Run(start, at, "m" if kind == "number" else "c"))
        elif kind == "end":
            at = start + 1
        depth += (text[start] in "([{") - (text[start] in ")]}")
        before = found.group().strip() or before
    return at


def _scan_format(text: str, at: int, runs: list[_Run]) -> int:
    """Collect the pieces of the format in a field of an f-string, and return the end of the field."""
    start = at
    while (sign := text[at]) != "}":
        at += 1
        if sign == "{":
            runs += [_Run(start, at - 1, "s"), _Run(at - 1, at, "se")]
            start = at = _scan_field(text, at, runs)
    runs += [_Run(start, at, "s"), _Run(at, at + 1, "se")]
    return at + 1
