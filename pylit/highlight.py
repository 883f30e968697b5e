"""Colours code: a file is lexed once and cut at its line ends, so that strings over many lines stay right.

Names that mean the same thing carry the same `data-n`, from `names`, and names that are defined elsewhere are links.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Any

from markupsafe import escape
from pygments.lexer import Lexer
from pygments.lexers import get_lexer_by_name
from pygments.token import Token
from pygments.util import ClassNotFound

from .model import Source
from .names import Position, source_uses
from .references import Refer, Reference


@lru_cache(maxsize=32)
def _lexer(language: str) -> Lexer | None:
    try:
        return get_lexer_by_name(language, stripnl=False, ensurenl=False)
    except ClassNotFound:
        return None


def highlight_lines(
    source: Source, module: str = "", package: str = "", refer: Refer = lambda full: None
) -> tuple[list[str], Mapping[str, int]]:
    """The lines of a module as HTML, and the number of each name that may be asked for from outside."""
    same = source_uses(source, module, package)
    links = {place: found for place, full in same.full.items() if (found := refer(full))}
    lines = list(_lines(_tokens(source), same.places, links))
    return lines[: len(source.lines)] + [""] * (len(source.lines) - len(lines)), same.numbers


@lru_cache(maxsize=16)  # a page is made in one language after the other
def _tokens(source: Source) -> list[tuple[Any, str]]:
    lexer = _lexer("python")
    assert lexer is not None
    return list(lexer.get_tokens(source.text))


def highlight(code: str, language: str) -> str:
    """A piece of code as HTML; in no known language, as plain text."""
    lexer = _lexer(language or "text") or _lexer("text")
    assert lexer is not None
    return "\n".join(_lines(lexer.get_tokens(code), {}, {})).rstrip("\n")


def _lines(
    tokens: Iterable[tuple[Any, str]], same: Mapping[Position, int], links: Mapping[Position, Reference]
) -> Iterator[str]:
    pieces: list[tuple[str, str]] = []  # start tags and text; neighbours that look alike are joined
    line, column = 1, 0
    for kind, value in tokens:
        css = _css(kind)
        is_name = kind in Token.Name or kind in Token.Keyword
        for index, part in enumerate(value.split("\n")):
            if index:
                yield _html(pieces)
                pieces, line, column = [], line + 1, 0
            if part:
                number = same.get((line, column)) if is_name else None
                link = links.get((line, column)) if is_name else None
                tag = _tag(css, number, link)
                before = ""
                if pieces and number is None and link is None and pieces[-1][0] == tag:
                    before = pieces.pop()[1]
                pieces.append((tag, before + part))
                column += len(part)
    yield _html(pieces)


def _tag(css: str, number: int | None, link: Reference | None) -> str:
    """What a piece of code begins with; nothing when it is plain."""
    attributes = f' class="{css}"' if css else ""
    attributes += f' data-n="{number}"' if number is not None else ""
    if link:
        title = f' title="{escape(link.title)}"' if link.title else ""
        return f'<a href="{escape(link.href)}"{title}{attributes}>'
    return f"<span{attributes}>" if attributes else ""


def _html(pieces: Iterable[tuple[str, str]]) -> str:
    return "".join(
        f"{tag}{escape(text)}</{'a' if tag.startswith('<a ') else 'span'}>" if tag else escape(text)
        for tag, text in pieces
    )


@lru_cache(maxsize=256)
def _css(kind: Any) -> str:
    """The class that colours a kind of token; most names, operators and white space need none."""
    if kind in Token.Name.Builtin.Pseudo:
        return "bp"
    for group, name in (
        (Token.Comment, "c"),
        (Token.Keyword, "k"),
        (Token.Operator.Word, "k"),
        (Token.String.Affix, "s"),
        (Token.String.Escape, "se"),
        (Token.String.Interpol, "se"),
        (Token.String, "s"),
        (Token.Number, "m"),
        (Token.Name.Class, "nc"),
        (Token.Name.Function, "nf"),
        (Token.Name.Decorator, "nd"),
        (Token.Name.Builtin, "nb"),
        (Token.Name.Exception, "nb"),
        (Token.Generic.Prompt, "gp"),
        (Token.Generic.Output, "go"),
        (Token.Generic.Traceback, "go"),
    ):
        if kind in group:
            return name
    return ""
