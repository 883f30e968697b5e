"""Parses the Markdown of prose into tokens.

CommonMark with tables, task lists, bare addresses, formulas (found by `math_delimiters`) and doctests (`>>>` up to the
next blank line). Every token has its line in the source file. Raw HTML is only recognized here; `rendering` decides
which of it is shown.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.ruler import RuleOptionsType
from markdown_it.rules_block import StateBlock
from markdown_it.token import Token
from mdit_py_plugins.dollarmath.index import math_block_dollar
from mdit_py_plugins.gfm_autolink import gfm_autolink_plugin

from .admonitions import alerts, box, indented_box
from .cjk_emphasis import cjk_emphasis
from .code_words import code_words
from .figure_spec import FigureKind
from .footnotes import footnote, footnote_ref
from .foreign_tex import foreign_tex
from .html_blocks import pair_blocks, split_headings
from .html_tags import parse_tag
from .math_delimiters import (
    begins_doctest,
    labelled,
    math_block,
    math_fences,
    math_inline,
    math_role,
    paragraph,
)
from .model import ProseLine
from .plain_math import plain_formula
from .roles import name_role
from .tables import table

_WORDS = re.compile(r"""[A-Za-z0-9](?:[A-Za-z0-9 ,.;:()'"/-]*[A-Za-z0-9,.;:)])?""")
"""A block without any markup."""
_ADDRESS = re.compile(r"://|www\.|@")
"""What any bare address has."""


@lru_cache(maxsize=1)
def markdown() -> MarkdownIt:
    """Return the parser of prose without bare addresses."""
    return new_parser(has_addresses=False)


@lru_cache(maxsize=1)
def _linking() -> MarkdownIt:
    """Return the parser of prose with bare addresses. It is slower, as it stops at more characters."""
    return new_parser()


def _parser(text: str) -> MarkdownIt:
    return _linking() if _ADDRESS.search(text) else markdown()


def new_parser(*, has_addresses: bool = True) -> MarkdownIt:
    """Return a new parser, for callers that modify it."""
    options = {"html": True, "store_labels": True, "tasklists": True}
    md = MarkdownIt("commonmark", options).enable(["table", "strikethrough"])
    if has_addresses:
        gfm_autolink_plugin(md)
    md.core.ruler.after("block", "alerts", alerts)
    md.core.ruler.after("block", "math_fences", math_fences)
    ends: RuleOptionsType = {"alt": ["paragraph", "reference", "blockquote", "list"]}
    md.inline.ruler.before("escape", "math_inline", math_inline)
    md.inline.ruler.before("emphasis", "code_words", code_words)
    md.inline.ruler.before("emphasis", "cjk_emphasis", cjk_emphasis)
    md.inline.ruler.before("backticks", "math_role", math_role)
    md.inline.ruler.before("backticks", "name_role", name_role)
    md.block.ruler.before("fence", "math_block", _math_block, ends)
    md.block.ruler.before("fence", "tex_block", math_block, ends)
    md.block.ruler.before("fence", "foreign_tex", foreign_tex, ends)
    md.block.ruler.before("fence", "box", box, {"alt": ["paragraph", "reference", "blockquote", "list"]})
    md.block.ruler.before("fence", "indented_box", indented_box, {"alt": ["paragraph", "reference"]})
    md.block.ruler.before("reference", "footnote", footnote, {"alt": ["paragraph", "reference"]})
    md.inline.ruler.before("link", "footnote_ref", footnote_ref)
    md.block.ruler.at("paragraph", paragraph)
    md.block.ruler.at("table", table, {"alt": ["paragraph", "reference"]})
    md.block.ruler.before("code", "doctest", _doctest, {"alt": ["paragraph", "list"]})
    md.block.ruler.before("fence", "commands", _commands, {"alt": ["paragraph", "list"]})
    return md


_dollars = math_block_dollar(allow_labels=True, allow_blank_lines=True)
_FORMULA_END = re.compile(r"\$\$[ \t]*(?:\([^()$\s]+\)[ \t]*)?(?:\n|$)")
"""Matches the end of a displayed formula, and its label as MyST writes it: `$$ (eq:one)`."""


def _math_block(state: StateBlock, start_line: int, end_line: int, silent: bool) -> bool:
    """Match `$$…$$`, but search for the end only up to the last line that may be one.

    Otherwise, each of many unclosed `$$` would be followed to the end of the text. When another block asks whether it
    ends here (`silent`), nothing may be consumed, which the plugin's rule would do.
    """
    last = state.env.get("last_dollars")
    if last is None:
        ends = (n for n in range(state.lineMax - 1, -1, -1) if _FORMULA_END.search(_line(state, n)))
        last = state.env["last_dollars"] = next(ends, -1)
    start = state.bMarks[start_line] + state.tShift[start_line]
    if start_line > last or not state.src.startswith("$$", start):
        return False
    end = state.src.find("$$", start + 2)
    if end >= 0 and not _FORMULA_END.match(state.src, end):
        return False  # words follow, so it is part of a paragraph
    line, known = state.line, len(state.tokens)
    is_one = _dollars(state, start_line, end_line, silent)
    if is_one and not silent and (token := state.tokens[-1]).type == "math_block_label":
        token.type, token.content, token.info = "math_block", labelled(token.content, token.info), ""
    if silent:
        state.line = line
        del state.tokens[known:]
    return is_one


def _line(state: StateBlock, number: int) -> str:
    return state.src[state.bMarks[number] + state.tShift[number] : state.eMarks[number]].strip()


def _doctest(state: StateBlock, start_line: int, end_line: int, silent: bool) -> bool:
    """Match `>>>` lines and the output below them, up to the next blank line.

    They may be indented, as below `Example:`, and then end at the first line that is indented less.
    """
    if not begins_doctest(state, start_line):
        return False
    if silent:
        return True
    indent = state.sCount[start_line] if state.is_code_block(start_line) else state.blkIndent
    next_line = start_line + 1
    while next_line < end_line and not state.isEmpty(next_line) and state.sCount[next_line] >= indent:
        next_line += 1
    token = state.push("doctest", "pre", 0)
    token.content = state.getLines(start_line, next_line, state.sCount[start_line], False)
    token.map = [start_line, next_line]
    state.line = next_line
    return True


_COMMAND = re.compile(r"\$ [A-Za-z./~][^$\n]*$", re.MULTILINE)
"""Matches a command after a prompt; with another `$`, it may be a formula."""


def _commands(state: StateBlock, start_line: int, end_line: int, silent: bool) -> bool:
    """Match `$ command` lines, which people write in the middle of a paragraph, and those continued by a backslash."""
    if state.is_code_block(start_line) or not _is_command(state, start_line):
        return False
    if silent:
        return True
    next_line = start_line + 1
    while (
        next_line < end_line and not state.isEmpty(next_line) and state.sCount[next_line] >= state.blkIndent
    ):
        if not (_line(state, next_line - 1).endswith("\\") or _is_command(state, next_line)):
            break
        next_line += 1
    token = state.push("fence", "code", 0)
    token.info, token.markup = "console", "```"
    token.content = state.getLines(start_line, next_line, state.sCount[start_line], False) + "\n"
    token.map = [start_line, next_line]
    state.line = next_line
    return True


def _is_command(state: StateBlock, line: int) -> bool:
    return bool(_COMMAND.match(state.src, state.bMarks[line] + state.tShift[line], state.eMarks[line]))


def parse_text(lines: Sequence[ProseLine]) -> list[Token]:
    """Parse Markdown `lines`. Inline text is joined to one line, and `meta['line']` is its line in the file."""
    if not lines:
        return []
    found: dict[str, Any] = {}
    text = "\n".join(line.text for line in lines)
    parser = _parser(text)
    tokens = parser.parse(text, found)
    if "<" in text:
        tokens = split_headings(tokens, lambda words: parser.parseInline(words, found)[0].children or [])
        pair_blocks(tokens)
    line = lines[0].number
    for token in tokens:
        if token.map and token.map[0] < len(lines):
            line = lines[token.map[0]].number
        token.meta["line"] = line
        if token.type == "inline":
            token.content = join_lines(token.content)
            if found.get("references"):
                labels = {
                    child.meta["label"] for child in all_tokens(token.children or ()) if "label" in child.meta
                }
                # Only those used: a translation has the links of its original.
                token.meta["references"] = {label: found["references"][label] for label in sorted(labels)}
    return tokens


@lru_cache(maxsize=512)  # notebooks in all languages contain the same prose in code
def parse_lines(lines: tuple[ProseLine, ...]) -> Sequence[Token]:
    """Parse Markdown `lines` like `parse_text`. The tokens are shared: copy one before changing it."""
    return tuple(parse_text(lines))


def join_lines(text: str) -> str:
    """Join the lines of a paragraph, so that rewrapping does not change it. Hard breaks are kept."""
    lines = [line.lstrip(" \t") for line in text.strip().split("\n")]
    for index, line in enumerate(lines[:-1]):
        lines[index] = line + "\n" if line.endswith(("  ", "\\")) else line.rstrip(" \t") + " "
    return "".join(lines)


References = Mapping[str, Any]
"""Definitions of reference links, in the parser's form."""


def parse_inline(text: str, references: References | None = None) -> Sequence[Token]:
    """Parse the Markdown of a block, given `references`. The tokens are shared: copy one before changing it."""
    return _inline(_parser(text), text, {"references": references}) if references else _parse_inline(text)


@lru_cache(maxsize=8192)
def _parse_inline(text: str) -> Sequence[Token]:
    return _inline(_parser(text), text, {})


def _inline(parser: MarkdownIt, text: str, env: dict[str, Any]) -> Sequence[Token]:
    return tuple(parser.parseInline(text, env)[0].children or ())


_FIGURES = {kind.value: kind for kind in FigureKind}


def figure_kind(token: Token) -> FigureKind | None:
    """Return the kind of figure that `token` describes, if it is such a fence."""
    info = token.info.split() if token.type == "fence" else []
    return _FIGURES.get(info[0]) if info else None


def all_tokens(tokens: Sequence[Token]) -> Iterator[Token]:
    """Yield `tokens`, and those inside alternative texts of images."""
    for token in tokens:
        yield token
        if token.children:
            yield from all_tokens(token.children)


def plain_text(text: str) -> str:
    """Return a block as plain text, for titles and attributes."""
    if _WORDS.fullmatch(text):
        return text
    parts = []
    for token in all_tokens(parse_inline(text)):
        if token.type in ("softbreak", "hardbreak"):
            parts.append(" ")
        elif token.type.startswith("math_inline"):
            parts.append(plain_formula(token.content))
        elif token.type == "html_inline":
            tag = parse_tag(token.content)
            parts.append(tag.attributes.get("alt", "") if tag and tag.name == "img" else "")
        elif token.type != "image" and not token.children:
            parts.append(token.content)
    return "".join(parts)
