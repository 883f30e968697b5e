"""Writes the parts of a docstring as tokens, next to the comments of its section."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from enum import Enum, auto
from itertools import groupby
from textwrap import dedent

from markdown_it.token import Token

from .. import escape
from ..indented_lists import with_lists
from ..markdown import parse_text
from ..model import Dialect, DocstringForm, Parameter, ProseLine, Section
from ..syntax import may_be_python
from ..token_writer import TokenWriter
from . import epytext, google, keras, numpy, sphinx
from .listings import listing, with_listings
from .parts import Entry, Lines, Part, outdented, trimmed

Read = Callable[[Sequence[Lines]], list[list[Token]]]
"""Reads pieces of text that share their links and footnotes."""


class _Origin(Enum):
    DOCSTRING = auto()
    TITLE = auto()
    """The title of a cell, which is Markdown."""
    COMMENT = auto()


_CUT = {
    Dialect.GOOGLE: google.cut,
    Dialect.NUMPY: numpy.cut,
    Dialect.SPHINX: sphinx.cut,
    Dialect.KERAS: keras.cut,
    Dialect.EPYTEXT: epytext.cut,
}
_OPTIONAL = re.compile(r"(?:^|[,;][ ]*)(?P<star>\*?)optional(?P=star)(?=$|,)")
_DEFAULT = re.compile(r",[ ]*defaults?(?:[ ]to[ ]|[ ]?[=:][ ]?|[ ])(?P<value>[^ ].*)$")


def read_section(section: Section, styles: dict[str, int]) -> list[Token]:
    """Return the tokens of a section with a docstring or comments that are not Markdown.

    Args:
        section: The section.
        styles: The levels of the styles of reStructuredText titles in its file; new ones are added.
    """
    docstring = section.docstring
    inside = docstring.lines if docstring else range(0)

    first = section.text[0].number if section.text else 0

    def origin(line: ProseLine) -> _Origin:
        if line.number in inside:
            return _Origin.DOCSTRING
        is_title = section.is_rst and line.number == first and line.text.startswith("#")
        return _Origin.TITLE if is_title else _Origin.COMMENT

    tokens: list[Token] = []
    for where, run in groupby(section.text, origin):
        lines = trimmed(list(run))
        if not lines:
            continue
        if where is _Origin.DOCSTRING and docstring:
            tokens += _docstring(lines, docstring, styles)
        elif section.is_rst and where is _Origin.COMMENT:
            tokens += _rst(styles)([lines])[0]
        else:
            tokens += parse_text(lines)
    return tokens


def _rst(styles: dict[str, int]) -> Read:
    from ..rst import parse_fragments  # docutils takes long to load

    return lambda pieces: parse_fragments(pieces, styles)


def _markdown(pieces: Sequence[Lines]) -> list[list[Token]]:
    found = [parse_text(with_lists(outdented(piece))) for piece in pieces]
    for tokens in found:
        for token in tokens:
            if token.type == "code_block" and may_be_python(token.content):
                token.type, token.info, token.markup = "fence", "python", "```"
            elif token.type == "fence":  # a cell of a notebook must not be indented
                token.content = dedent(token.content)
    return found


def _docstring(lines: Lines, docstring: DocstringForm, styles: dict[str, int]) -> list[Token]:
    read: Read = _rst(styles) if docstring.is_rst else _markdown
    if docstring.dialect is Dialect.SPHINX and docstring.is_rst:
        tokens = read([lines])[0]
        _add_signature(tokens, docstring.signature)
        return tokens
    parts = [_with_listings(part, docstring) for part in _CUT[docstring.dialect](lines)]
    pieces = [piece for part in parts for piece in (part.text, *(entry.text for entry in part.entries))]
    texts = iter(read(pieces))
    out = TokenWriter()
    for part in parts:
        _part(out, part, texts, docstring)
    _add_signature(out.tokens, docstring.signature)
    return out.tokens


def _with_listings(part: Part, docstring: DocstringForm) -> Part:
    """Return a part with its code marked as such."""
    is_rst = docstring.is_rst
    if part.kind == "own" and part.title.lower() == "usage" and part.text:
        return replace(part, text=tuple(listing(part.text, is_rst=is_rst, language="")))
    is_example = part.kind in ("examples", "own")
    entries = tuple(
        replace(entry, text=with_listings(entry.text, is_rst=is_rst)) if len(entry.text) > 1 else entry
        for entry in part.entries
    )
    text = with_listings(part.text, is_rst=is_rst, is_example=is_example)
    return replace(part, text=text, entries=entries)


def _part(out: TokenWriter, part: Part, texts: Iterator[list[Token]], docstring: DocstringForm) -> None:
    is_box = part.kind.startswith("box:") or part.kind == "warnings"
    if is_box:
        kind = "warning" if part.kind == "warnings" else part.kind.removeprefix("box:")
        out.open("box", "div", part.line, kind=kind, version="")
    elif part.kind == "own":
        out.own_label(escape.text(part.title), part.line)
    elif part.kind:
        out.label(part.kind, part.line)
    out.add(next(texts))
    if part.entries:
        out.open("dl", "dl", part.line).attrSet("class", "fields")
        for entry in part.entries:
            _entry(out, entry, part.kind, next(texts), is_rst=docstring.is_rst)
        out.close("dl", "dl", part.line)
    if is_box:
        out.close("box", "div", part.line)


def _entry(out: TokenWriter, entry: Entry, kind: str, text: list[Token], *, is_rst: bool) -> None:
    text_of_type, value = entry.type, ""
    if (found := _DEFAULT.search(text_of_type)) and escape.is_expression(found["value"].strip("` ")):
        text_of_type, value = text_of_type[: found.start()], found["value"].strip("` ")
    text_of_type, is_optional = _OPTIONAL.subn("", text_of_type, count=1)
    out.leaf(
        "field",
        "dt",
        entry.line,
        kind=kind,
        names=entry.names,
        type=_type(text_of_type, is_rst=is_rst),
        optional=bool(is_optional),
        default=value,
    )
    out.open("dd", "dd", entry.line)
    if [token.type for token in text] == ["paragraph_open", "inline", "paragraph_close"]:
        text[0].hidden = text[2].hidden = True
    out.add(text)
    out.close("dd", "dd", entry.line)


def _type(type_: str, *, is_rst: bool) -> str:
    """Return a type as Markdown, and as code if it is an expression."""
    if escape.is_expression(type_):
        return escape.code_span(type_)
    if is_rst and ("`" in type_ or "*" in type_):
        from ..rst import parse_fragments

        found = parse_fragments([(ProseLine(1, type_),)])[0]
        if [token.type for token in found] == ["paragraph_open", "inline", "paragraph_close"]:
            return found[1].content
    return type_ if "`" in type_ else escape.text(type_)


def _add_signature(tokens: Sequence[Token], signature: Mapping[str, Parameter]) -> None:
    """Add annotations and defaults to the fields of parameters."""
    for token in tokens:
        if token.type != "field" or token.meta["kind"] not in (
            "parameters",
            "others",
            "keywords",
            "attributes",
        ):
            continue
        own = token.meta.setdefault("default", "")
        names = [name.strip().lstrip("*") for name in token.meta["names"].split(",")]
        known = [signature[name] for name in names if name in signature]
        if not known:
            continue
        defaults = {parameter.default for parameter in known}
        if (
            not own
            and len(defaults) == 1
            and len(known) == len(names)
            and "default" not in token.meta["type"]
        ):
            token.meta["default"] = defaults.pop()
        token.meta["optional"] = bool(token.meta.get("optional")) and not token.meta["default"]
        annotations = {parameter.annotation for parameter in known}
        if not token.meta["type"] and len(annotations) == 1:
            token.meta["type"] = escape.code_span(annotations.pop())
