"""Reads prose: Markdown text becomes tokens, and the tokens give the blocks that are translated.

CommonMark with tables, `$…$`, `$$…$$` and doctests (`>>>` up to the next blank line). Keeps the line of the
source file on every token. Raw HTML is only recognised here; `render` decides what of it may stand.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache

from markdown_it import MarkdownIt
from markdown_it.rules_block import StateBlock
from markdown_it.token import Token
from mdit_py_plugins.dollarmath import dollarmath_plugin
from mdit_py_plugins.dollarmath.index import math_block_dollar

from .defaults import KEPT
from .model import Block, ProseLine, Section, Source
from .sections import slug, unused

FIGURES = ("chart", "table", "glossary")
"""What a fence is called whose YAML is drawn."""


@lru_cache(maxsize=1)
def markdown() -> MarkdownIt:
    """The parser of all prose."""
    return new_parser()


def new_parser() -> MarkdownIt:
    """Another parser like that of all prose, for those who change it."""
    md = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
    md.use(dollarmath_plugin, allow_labels=False, allow_space=False, allow_digits=False, double_inline=True)
    md.block.ruler.at("math_block", _math_block, {"alt": ["paragraph", "reference", "blockquote", "list"]})
    md.block.ruler.before("blockquote", "doctest", _doctest, {"alt": ["paragraph", "list"]})
    return md


_dollars = math_block_dollar(allow_labels=False, allow_blank_lines=True)


def _math_block(state: StateBlock, start_line: int, end_line: int, silent: bool) -> bool:
    """Take `$$…$$`, but do not look for an end below the last line that may be one.

    Where nothing closes them, each of many `$$` would otherwise be followed to the end of the text. And where
    another block only asks whether it ends here, which is `silent`, take nothing: the plugin's rule would.
    """
    last = state.env.get("last_dollars")
    if last is None:
        ends = (n for n in range(state.lineMax - 1, -1, -1) if _line(state, n).endswith("$$"))
        last = state.env["last_dollars"] = next(ends, -1)
    if start_line > last or (start_line == last and not _line(state, last).startswith("$$")):
        return False
    line, known = state.line, len(state.tokens)
    is_one = _dollars(state, start_line, end_line, silent)
    if silent:
        state.line = line
        del state.tokens[known:]
    return is_one


def _line(state: StateBlock, number: int) -> str:
    return state.src[state.bMarks[number] + state.tShift[number] : state.eMarks[number]].strip()


def _doctest(state: StateBlock, start_line: int, end_line: int, silent: bool) -> bool:
    """Take `>>>` lines and the output below them, up to the next blank line."""
    start = state.bMarks[start_line] + state.tShift[start_line]
    if state.is_code_block(start_line) or not state.src.startswith(">>> ", start):
        return False
    if silent:
        return True
    next_line = start_line + 1
    while next_line < end_line and not state.isEmpty(next_line):
        if state.sCount[next_line] < state.blkIndent:
            break
        next_line += 1
    token = state.push("doctest", "pre", 0)
    token.content = state.getLines(start_line, next_line, state.sCount[start_line], False)
    token.map = [start_line, next_line]
    state.line = next_line
    return True


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading of the page, for its table of contents."""

    level: int
    anchor: str
    text: str
    """Markdown, as it stands in the source: the msgid of its block."""


@dataclass(frozen=True, slots=True)
class Prose:
    """The parsed prose of one section. Tokens that came from the file carry its line as `meta['line']`."""

    section: Section
    tokens: tuple[Token, ...]
    headings: tuple[Heading, ...]


@lru_cache(maxsize=KEPT)
def parse_prose(source: Source) -> tuple[Prose, ...]:
    """Parse the prose of all sections of `source`, and give its headings their anchors.

    A heading that begins the prose of a definition has the definition's anchor; others are named after their words.
    """
    taken = {section.name for section in source.sections}
    counts: dict[str, int] = {}
    result = []
    for section in source.sections:
        tokens = tuple(parse_text(section.text))
        headings = []
        for position, token in enumerate(tokens):
            if token.type != "heading_open":
                continue
            text = tokens[position + 1].content
            if position == 0 and section.opens:
                anchor = section.name
            else:
                anchor = unused(slug(text) or "section", taken, counts)
                taken.add(anchor)
                token.attrSet("id", anchor)
            headings.append(Heading(int(token.tag[1]), anchor, text))
        result.append(Prose(section, tokens, tuple(headings)))
    return tuple(result)


def title_text(source: Source, pieces: Sequence[Prose]) -> str:
    """The Markdown of a page's title: from its front matter, its first heading, or its file's name."""
    if source.meta.title:
        return source.meta.title
    first = next((prose for prose in pieces if prose.tokens), None)
    if first and begins_with_title(first.tokens):
        return first.headings[0].text
    parts = source.file.removesuffix(".py").removesuffix(".md").split("/")
    if len(parts) > 1 and parts[-1] in ("__init__", "index"):
        parts.pop()
    return parts[-1]


def begins_with_title(tokens: Sequence[Token]) -> bool:
    """Whether a page that starts with `tokens` has its title there."""
    return bool(tokens) and tokens[0].type == "heading_open" and tokens[0].tag == "h1"


def anchors(source: Source) -> frozenset[str]:
    """All anchors of the page of `source`, but for those of lines."""
    pieces = parse_prose(source)
    found = {section.name for section in source.sections}
    found.update(heading.anchor for prose in pieces for heading in prose.headings)
    return frozenset(found)


def parse_text(lines: Sequence[ProseLine]) -> list[Token]:
    """Parse Markdown `lines`; inline text is joined to one line and `meta['line']` says where it stood."""
    if not lines:
        return []
    tokens = markdown().parse("\n".join(line.text for line in lines))
    line = lines[0].number
    for token in tokens:
        if token.map and token.map[0] < len(lines):
            line = lines[token.map[0]].number
        token.meta["line"] = line
        if token.type == "inline":
            token.content = one_line(token.content)
    return tokens


@lru_cache(maxsize=512)  # notebooks have the same prose inside of their code in all languages
def parse_lines(lines: tuple[ProseLine, ...]) -> Sequence[Token]:
    """Parse Markdown `lines` as `parse_text` does. The tokens are shared: copy one to change it."""
    return tuple(parse_text(lines))


def one_line(text: str) -> str:
    """Join the lines of a paragraph, so that breaking it elsewhere does not change it. Hard breaks stay."""
    lines = [line.lstrip(" \t") for line in text.strip().split("\n")]
    for index, line in enumerate(lines[:-1]):
        lines[index] = line + "\n" if line.endswith(("  ", "\\")) else line.rstrip(" \t") + " "
    return "".join(lines)


@lru_cache(maxsize=8192)
def parse_inline(text: str) -> Sequence[Token]:
    """Parse one block's Markdown. The tokens are shared: copy one to change it."""
    return tuple(markdown().parseInline(text)[0].children or ())


def blocks(source: Source) -> Iterator[Block]:
    """Yield what is translated of `source`, in order: title, summary, then the prose."""
    meta = source.meta
    for text, line in ((meta.title, meta.title_line), (meta.summary, meta.summary_line)):
        if text:
            yield Block(text, source.file, line, "")
    for prose in parse_prose(source):
        code = "\n".join(source.lines[number - 1] for number in prose.section.code)
        for token in prose.tokens:
            for text, line in _words(token):
                if is_translatable(text):
                    yield Block(text, source.file, line, prose.section.within, code)


def _words(token: Token) -> Iterator[tuple[str, int]]:
    """Yield the words of a token of the document that are translated, each block with its line."""
    line = token.meta["line"]
    if token.type == "inline":
        yield token.content, line
    elif kind := figure_kind(token):
        from .figures import FigureError, parse_figure, texts

        with suppress(FigureError):  # reported when the page is made
            for text in texts(parse_figure(kind, token.content)):
                yield text.text, line + text.line


def figure_kind(token: Token) -> str:
    """Which figure `token` is, if it is a fence of that name, otherwise nothing."""
    info = token.info.split() if token.type == "fence" else []
    return info[0] if info and info[0] in FIGURES else ""


@lru_cache(maxsize=4096)
def is_translatable(text: str) -> bool:
    """Whether a block says anything in words, and not in formulas and code alone."""
    words = "".join(
        token.content if token.type == "text" else str(token.attrGet("title") or "")
        for token in _flat(parse_inline(text))
        if token.type in ("text", "image", "link_open")
    )
    return any(character.isalpha() for character in words)


def fixed_parts(text: str) -> Counter[tuple[str, str]]:
    """What a translation of `text` must keep: formulas, inline code, targets of links and pictures, raw HTML."""
    found: Counter[tuple[str, str]] = Counter()
    for token in _flat(parse_inline(text)):
        match token.type:
            case "math_inline" | "math_inline_double":
                found["formula", token.content.strip()] += 1
            case "code_inline":
                found["code", token.content] += 1
            case "link_open":
                found["link", str(token.attrGet("href"))] += 1
            case "image":
                found["picture", str(token.attrGet("src"))] += 1
            case "html_inline":
                found["HTML", token.content] += 1
    return found


def _flat(tokens: Sequence[Token]) -> Iterator[Token]:
    """Yield `tokens` and what is inside pictures' alternative texts."""
    for token in tokens:
        yield token
        if token.children:
            yield from _flat(token.children)


OBJECT = "\ufffc"
"""Stands for a formula or a piece of code among words."""


def words(text: str) -> str:
    """The words of a block, each formula and piece of code as one `OBJECT`."""
    parts = []
    for token in _flat(parse_inline(text)):
        match token.type:
            case "text":
                parts.append(token.content)
            case "softbreak" | "hardbreak":
                parts.append(" ")
            case "math_inline" | "math_inline_double" | "code_inline":
                parts.append(OBJECT)
    return "".join(parts)


def plain(text: str) -> str:
    """The words of a block without any markup, for titles and attributes."""
    parts = []
    for token in _flat(parse_inline(text)):
        if token.type in ("softbreak", "hardbreak"):
            parts.append(" ")
        elif token.type != "image" and not token.children:
            parts.append(token.content if token.type != "html_inline" else "")
    return "".join(parts)
