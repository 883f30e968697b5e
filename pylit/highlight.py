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

from .colours import Piece, colours
from .model import Source
from .names import Position, source_uses
from .references import Refer, Reference
from .source import python_tokens


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
    return list(_module_lines(source, same.places, links)), same.numbers


@lru_cache(maxsize=16)  # a page is made in one language after the other
def _colours(source: Source) -> tuple[Piece, ...]:
    return tuple(colours(python_tokens(source.text), source.lines))


def _module_lines(
    source: Source, same: Mapping[Position, int], links: Mapping[Position, Reference]
) -> Iterator[str]:
    pieces = iter(_colours(source))
    piece = next(pieces, None)
    for number, line in enumerate(source.lines, 1):
        html: list[str] = []
        tag, begin, end = "", 0, 0  # neighbours that look alike are joined
        while piece and piece.line == number:
            group = same.get(piece[:2]) if piece.is_name else None
            link = links.get(piece[:2]) if piece.is_name else None
            if piece.css or group is not None or link:
                new = _tag(piece.css, group, link)
                if new != tag or piece.start != end or group is not None or link:
                    html += [_element(tag, line[begin:end]), _escaped(line[end : piece.start])]
                    tag, begin = new, piece.start
                end = piece.end
            piece = next(pieces, None)
        html += [_element(tag, line[begin:end]), _escaped(line[end:])]
        yield "".join(html)


def highlight(code: str, language: str) -> str:
    """A piece of code as HTML; in no known language, as plain text."""
    lexer = _lexer(language or "text") or _lexer("text")
    assert lexer is not None
    return "\n".join(_lines(lexer.get_tokens(code))).rstrip("\n")


def _lines(tokens: Iterable[tuple[Any, str]]) -> Iterator[str]:
    pieces: list[tuple[str, str]] = []  # start tags and text; neighbours that look alike are joined
    for kind, value in tokens:
        tag = _tag(_css(kind))
        for index, part in enumerate(value.split("\n")):
            if index:
                yield "".join(_element(*piece) for piece in pieces)
                pieces = []
            if part:
                before = pieces.pop()[1] if pieces and pieces[-1][0] == tag else ""
                pieces.append((tag, before + part))
    yield "".join(_element(*piece) for piece in pieces)


def _tag(css: str, number: int | None = None, link: Reference | None = None) -> str:
    """What a piece of code begins with; nothing when it is plain."""
    attributes = f' class="{css}"' if css else ""
    attributes += f' data-n="{number}"' if number is not None else ""
    if link:
        title = f' title="{escape(link.title)}"' if link.title else ""
        return f'<a href="{escape(link.href)}"{title}{attributes}>'
    return f"<span{attributes}>" if attributes else ""


def _element(tag: str, text: str) -> str:
    """`text` inside of the element that `tag` begins."""
    if not tag:
        return _escaped(text)
    return f"{tag}{_escaped(text)}</{'a' if tag.startswith('<a ') else 'span'}>"


def _escaped(text: str) -> str:
    """What `markupsafe.escape` gives, as plain text, which is made faster."""
    return text.translate(_ENTITIES) if not text.isalnum() else text


_ENTITIES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", "'": "&#39;", '"': "&#34;"})


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
