"""Colours code: a file is lexed once and cut at its line ends, so that strings over many lines stay right.

Names that mean the same thing carry the same `data-n`, from `names`, and names that are defined elsewhere are links.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from .colours import Piece, colours
from .defaults import KEPT
from .model import Source
from .names import Position, source_uses
from .references import Refer, Reference
from .source import python_tokens

if TYPE_CHECKING:
    from pygments.lexer import Lexer

MAX_CODE = 20_000
"""Characters of a listing in prose that is coloured."""
MAX_LINE = 300
"""Characters of a line in it."""


@lru_cache(maxsize=32)
def _lexer(language: str) -> Lexer | None:
    from pygments.lexers import get_lexer_by_name
    from pygments.util import ClassNotFound

    try:
        return get_lexer_by_name(language, stripnl=False, ensurenl=False)
    except ClassNotFound:
        return None


def highlight_lines(
    source: Source, module: str = "", package: str = "", refer: Refer = lambda full: None
) -> tuple[list[str], Mapping[str, int]]:
    """The lines of a module as HTML, and the number of each name that may be asked for from outside."""
    same = source_uses(source, module, package)
    found = {full: refer(full) for full in dict.fromkeys(same.full.values())}
    links = {place: link for place, full in same.full.items() if (link := found[full])}
    lines = list(_plain_lines(source, module, package))
    pieces = _by_line(source)
    for number in {line for line, _ in same.full}:
        lines[number - 1] = _line(source.lines[number - 1], pieces.get(number, ()), same.places, links)
    return lines, same.numbers


@lru_cache(maxsize=32)  # a page is made in one language after the other, and most lines are the same in all
def _plain_lines(source: Source, module: str, package: str) -> tuple[str, ...]:
    """The lines of a module without links."""
    pieces, places = _by_line(source), source_uses(source, module, package).places
    return tuple(
        _line(line, pieces.get(number, ()), places, {}) for number, line in enumerate(source.lines, 1)
    )


@lru_cache(maxsize=32)
def _by_line(source: Source) -> Mapping[int, Sequence[Piece]]:
    found: dict[int, list[Piece]] = {}
    for piece in colour(source):
        found.setdefault(piece.place[0], []).append(piece)
    return found


@lru_cache(maxsize=KEPT)
def colour(source: Source) -> tuple[Piece, ...]:
    """The coloured pieces of a module. Best done right after it was read, while its tokens are at hand."""
    return tuple(colours(python_tokens(source.text), source.lines))


def _line(
    line: str, pieces: Iterable[Piece], same: Mapping[Position, int], links: Mapping[Position, Reference]
) -> str:
    html: list[str] = []
    tag, begin, end = "", 0, 0  # neighbours that look alike are joined
    for place, stop, css, is_name in pieces:
        group = same.get(place) if is_name else None
        link = links.get(place) if is_name else None
        if css or group is not None or link:
            new, start = _tag(css, group, link), place[1]
            if new != tag or start != end or group is not None or link:
                html += (_element(tag, line[begin:end]), escaped(line[end:start]))
                tag, begin = new, start
            end = stop
    html += (_element(tag, line[begin:end]), escaped(line[end:]))
    return "".join(html)


@lru_cache(maxsize=4096)
def highlight(code: str, language: str) -> str:
    """A piece of code as HTML; as plain text if its language is not known, or if it is enormous.

    Some regular expressions of Pygments take time in proportion to the square of a line's length, or worse.
    """
    is_enormous = len(code) > MAX_CODE or max(map(len, code.split("\n"))) > MAX_LINE
    lexer = (None if is_enormous else _lexer(language or "text")) or _lexer("text")
    assert lexer is not None
    return "\n".join(_lines(lexer.get_tokens(code))).rstrip("\n")


def _lines(tokens: Iterable[tuple[Any, str]]) -> Iterator[str]:
    pieces: list[tuple[str, list[str]]] = []  # start tags and text; neighbours that look alike are joined
    for kind, value in tokens:
        tag = _tag(_css(kind))
        for index, part in enumerate(value.split("\n")):
            if index:
                yield _html(pieces)
                pieces = []
            if part:
                if not pieces or pieces[-1][0] != tag:
                    pieces.append((tag, []))
                pieces[-1][1].append(part)
    yield _html(pieces)


def _tag(css: str, number: int | None = None, link: Reference | None = None) -> str:
    """What a piece of code begins with; nothing when it is plain."""
    attributes = f' class="{css}"' if css else ""
    attributes += f' data-n="{number}"' if number is not None else ""
    if link:
        title = f' title="{escaped(link.title)}"' if link.title else ""
        return f'<a href="{escaped(link.href)}"{title}{attributes}>'
    return f"<span{attributes}>" if attributes else ""


def _html(pieces: Iterable[tuple[str, Sequence[str]]]) -> str:
    return "".join(_element(tag, "".join(parts)) for tag, parts in pieces)


def _element(tag: str, text: str) -> str:
    """`text` inside of the element that `tag` begins."""
    if not tag:
        return escaped(text)
    return f"{tag}{escaped(text)}</{'a' if tag.startswith('<a ') else 'span'}>"


def escaped(text: str) -> str:
    """What `markupsafe.escape` gives, as plain text, which is made faster."""
    return text if _SPECIAL.isdisjoint(text) else text.translate(_ENTITIES)


_SPECIAL = frozenset("&<>'\"")
_ENTITIES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", "'": "&#39;", '"': "&#34;"})


@lru_cache(maxsize=256)
def _css(kind: Any) -> str:
    """The class that colours a kind of token; most names, operators and white space need none."""
    from pygments.token import Token

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
