"""Highlights code: a file is lexed once and split at line ends, so that multi-line strings are handled correctly.

Names that refer to the same thing have the same `data-n`, and names that are defined elsewhere are links.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any

from ..parsing import (
    Source,
    definition_nodes,
    has_hidden,
    hidden_characters,
    python_tokens,
    show_hidden,
    syntax_tree,
)
from ..resolve import Position, Refer, Reference, Uses
from .cpu_budget import OverBudget, budget
from .python_lexer import Piece, colours

if TYPE_CHECKING:
    from pygments.lexer import Lexer

MAX_CODE = 20_000
"""Maximum number of characters of a listing in prose that is highlighted."""
MAX_LINE = 300
"""Maximum number of characters in each of its lines."""
PATIENCE = 5.0
"""Maximum CPU time of its lexer in seconds. Usually it takes a few hundredths."""
_PROMPTS = {
    **dict.fromkeys(("python", "py", "python3", "py3"), (">>> ", "pycon")),
    **dict.fromkeys(("bash", "sh", "shell", "zsh"), ("$ ", "console")),
}
"""Language -> the prompt that marks a listing as an interactive session, and the lexer for sessions."""


class ListingError(ValueError):
    """A listing that takes too long to highlight."""


@lru_cache(maxsize=32)
def _lexer(language: str) -> Lexer | None:
    from pygments.lexers import get_lexer_by_name
    from pygments.util import ClassNotFound

    try:
        return get_lexer_by_name(
            language, stripnl=False
        )  # many lexers need the newline at the end of the last line
    except ClassNotFound:
        return None


class ColouredCode:
    """The highlighted code of a module. Only its links depend on the language."""

    def __init__(self, source: Source, uses: Uses) -> None:
        """Prepare highlighting; `uses` are the resolved names of the module."""
        self.source = source
        self.uses = uses

    @cached_property
    def pieces(self) -> tuple[Piece, ...]:
        """Highlighted pieces. Best computed right after parsing, while the tokens are cached."""
        return tuple(colours(python_tokens(self.source.text), self.source.lines))

    @cached_property
    def by_line(self) -> Mapping[int, Sequence[Piece]]:
        """Highlighted pieces by line number."""
        found: dict[int, list[Piece]] = {}
        for piece in self.pieces:
            found.setdefault(piece.place[0], []).append(piece)
        return found

    @cached_property
    def plain_lines(self) -> tuple[str, ...]:
        """The lines as HTML without links."""
        source, places = self.source, self.uses.places
        lines = [
            _line(source.shown(number), self.by_line.get(number, ()), places, {})
            for number in range(1, len(source.lines) + 1)
        ]
        for run in source.foreign:
            with suppress(ListingError):  # shown without colours
                code = "\n".join(source.lines[run.first - 1 : run.last])
                lines[run.first - 1 : run.last] = highlight(code, run.language).split("\n")
        return tuple(lines)

    def body(self, name: str, numbers: Mapping[str, int]) -> tuple[str, ...]:
        """Return the statements of a function as HTML, without their common indentation; empty if there is none.

        Args:
            name: The qualified name of the function.
            numbers: Names that light up with something outside of the code, with their numbers.
        """
        tree = syntax_tree(self.source.text)
        found = next((f.node for f in definition_nodes(tree) if f.name == name), None)
        if found is None or isinstance(found, ast.ClassDef) or self.source.problem:
            return ()
        whole = range(found.body[0].lineno, (found.end_lineno or 0) + 1)
        code = [n for section in self.source.sections for n in section.code if n in whole]
        shown = [n for n in sorted(code) if self.source.shown(n).strip()]
        indent = min((len(text) - len(text.lstrip()) for text in map(self.source.shown, shown)), default=0)
        lines = []
        for number in shown:
            text, pieces, places = self.source.shown(number), [], {}
            for piece in self.by_line.get(number, ()):
                place = (number, piece.place[1] - indent)
                if (word := text[piece.place[1] : piece.end]) in numbers:
                    places[place] = numbers[word]
                pieces.append(Piece(place, piece.end - indent, piece.css, place in places))
            lines.append(_line(text[indent:], pieces, places, {}))
        return tuple(lines)

    def lines(self, refer: Refer = lambda full: None) -> list[str]:
        """Return the lines as HTML, with links to the targets that `refer` returns."""
        same = self.uses
        found = {full: refer(full) for full in dict.fromkeys(same.full.values())}
        links = {place: link for place, full in same.full.items() if (link := found[full])}
        lines = list(self.plain_lines)
        for number in {line for line, _ in same.full}:
            pieces = self.by_line.get(number, ())
            lines[number - 1] = _line(self.source.shown(number), pieces, same.places, links)
        return lines


def _line(
    line: str, pieces: Iterable[Piece], same: Mapping[Position, int], links: Mapping[Position, Reference]
) -> str:
    html: list[str] = []
    shown = _code if has_hidden(line) else escaped
    tag, begin, end = "", 0, 0  # adjacent pieces of the same style are joined
    for place, stop, css, is_name in pieces:
        group = same.get(place) if is_name else None
        link = links.get(place) if is_name else None
        if css or group is not None or link:
            new, start = _tag(css, group, link) if link else _span(css, group), place[1]
            if new != tag or start != end or group is not None or link:
                html += (_element(tag, shown(line[begin:end])), shown(line[end:start]))
                tag, begin = new, start
            end = stop
    html += (_element(tag, shown(line[begin:end])), shown(line[end:]))
    return "".join(html)


def highlight(code: str, language: str) -> str:
    """Highlight a piece of code line by line; return plain text if its language is unknown, or if it is too long.

    Some regular expressions of Pygments take quadratic time in the length of a line, or worse.

    Raises:
        ListingError: if they still take too long.
    """
    try:
        return _highlight(code, language)
    except OverBudget as error:
        reason = f"the listing takes more than {PATIENCE:g} seconds to colour as `{language}`"
        raise ListingError(reason) from error


@lru_cache(maxsize=4096)
def _highlight(code: str, language: str) -> str:
    is_enormous = len(code) > MAX_CODE or max(map(len, code.split("\n"))) > MAX_LINE
    lexer = None if is_enormous else _lexer(_dialect(code, language))
    lines = _coloured(code, lexer) if lexer else None
    return "\n".join(_lines([(None, code)]) if lines is None else lines)


def _dialect(code: str, language: str) -> str:
    """Return the language of `code`: that of sessions if its first line starts with a prompt."""
    prompt, session = _PROMPTS.get(language, ("", ""))
    return session if session and code.lstrip().startswith(prompt) else language


def _coloured(code: str, lexer: Lexer) -> list[str] | None:
    """Return the lines of `code` as HTML; `None` if the lexer does not reproduce its input.

    Raises:
        OverBudget: if it takes too long.
    """
    tokens = []
    try:
        with budget(PATIENCE) as check:
            for token in lexer.get_tokens(code):
                check()
                tokens.append(token)
    except OverBudget:
        raise
    except Exception:  # a bug in a third-party lexer only costs the highlighting
        return None
    text = "".join(value for _, value in tokens)
    lines = list(_lines(tokens))
    if text == f"{code}\n":
        lines.pop()
    elif text != code:
        return None
    return lines


def _lines(tokens: Iterable[tuple[Any, str]]) -> Iterator[str]:
    pieces: list[
        tuple[str, list[str]]
    ] = []  # start tag and text; adjacent pieces of the same style are joined
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
    """Return the start tag of a piece of code; empty if it is plain."""
    attributes = f' class="{css}"' if css else ""
    attributes += f' data-n="{number}"' if number is not None else ""
    if link:
        title = f' title="{escaped(show_hidden(link.title))}"' if link.title else ""
        return f'<a href="{escaped(link.href)}"{title}{attributes}>'
    return f"<span{attributes}>" if attributes else ""


_span = lru_cache(maxsize=4096)(_tag)


def _html(pieces: Iterable[tuple[str, Sequence[str]]]) -> str:
    return "".join(_element(tag, _code("".join(parts))) for tag, parts in pieces)


def _element(tag: str, html: str) -> str:
    """Return `html` inside the element that `tag` starts."""
    if not tag or not html:
        return html
    return f"{tag}{html}</{'a' if tag.startswith('<a ') else 'span'}>"


def _code(text: str) -> str:
    """Return code as HTML. Invisible characters get a mark, which also isolates their effect.

    The stylesheet shows their number, so the copied text contains the character itself, as in the file.
    """
    html, done = "", 0
    for found in hidden_characters(text):
        character = f"&#x{ord(found.character):X};" if found.character >= "\xa0" else found.character
        html += escaped(text[done : found.place])
        html += f'<span class="cp" dir="ltr" data-cp="{found.code}" title="{found.name}">{character}</span>'
        done = found.place + 1
    return html + escaped(text[done:])


def escaped(text: str) -> str:
    """Escape text like `markupsafe.escape`, but faster and as `str`."""
    return text if _SPECIAL.isdisjoint(text) else text.translate(_ENTITIES)


_SPECIAL = frozenset("&<>'\"")
_ENTITIES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", "'": "&#39;", '"': "&#34;"})


@lru_cache(maxsize=256)
def _css(kind: Any) -> str:
    """Return the class for a type of token; most names, operators and white space need none."""
    from pygments.token import Token

    if kind is None:
        return ""
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
