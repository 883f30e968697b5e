"""Finds boxes in Markdown: GitHub's alerts (`> [!NOTE]`), `:::note`, Quarto's `::: {.callout-note}`, MyST's fences with
`{note}`, and MkDocs' `!!! note` with indented lines below it.

Their tokens are those of the boxes of reStructuredText.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from markdown_it.rules_block import StateBlock
from markdown_it.rules_core import StateCore
from markdown_it.token import Token

KINDS = {
    **{
        name: name
        for name in "attention caution danger error hint important note tip todo warning seealso".split()
    },
    **dict.fromkeys(["info", "abstract", "summary", "example", "question"], "note"),
    **dict.fromkeys(["success", "check"], "tip"),
    **dict.fromkeys(["bug", "failure"], "danger"),
    "admonition": "admonition",
}
"""Name of a box -> its kind."""
_ALERT = re.compile(r"\[!(?P<name>[A-Za-z]+)\][+-]?[ \t]*(?P<title>[^\n]*)(?:\n|$)")
"""Matches the head of an alert. Titles are not GitHub's, but Obsidian's."""
_FENCE = re.compile(r"(?P<mark>:{3,}|`{3,}|~{3,})[ \t]*(?P<rest>\{?[A-Za-z]+\}?(?:[ \t].*)?)$")
_NAME = re.compile(r"(?P<open>\{?)(?P<name>[A-Za-z]+)(?P<close>\}?)[ \t]*(?P<title>.*)$")
_CLASS = re.compile(
    r"(?P<mark>:{3,})[ \t]*\{[ \t]*\.(?:callout-)?(?P<name>[A-Za-z]+)(?P<rest>[^{}]{0,300})\}[ \t]*$"
)
_TITLE = re.compile(r"""\btitle=(?:"(?P<double>[^"]*)"|'(?P<single>[^']*)')""")
_MARKED = re.compile(
    r"(?:!!!|\?\?\?\+?)[ \t]+(?P<name>[A-Za-z][\w-]*)(?:[ \t]+[\w-]+){0,9}(?:[ \t]+\"(?P<title>[^\"]*)\")?[ \t]*$"
    r"|===[!+]?[ \t]+\"(?P<tab>[^\"]+)\"[ \t]*$"
)
_OPTION = re.compile(r":[\w-]+:(?:[ \t].*)?$")
DEEPEST = 8
"""Maximum number of boxes, quotes and lists around a box; the parser itself gives up at 20."""


class _Opening(NamedTuple):
    mark: str
    kind: str
    title: str


def _opening(state: StateBlock, line: int) -> _Opening | None:
    """Return the opening of a box on a line, if there is one."""
    start, end = state.bMarks[line] + state.tShift[line], state.eMarks[line]
    if state.src[start : start + 3] not in (":::", "```", "~~~"):
        return None
    if found := _CLASS.match(state.src[start:end]):
        kind = KINDS.get(found["name"].lower())
        title = _TITLE.search(found["rest"])
        words = title["double"] or title["single"] or "" if title else ""
        return _Opening(found["mark"], kind, words) if kind else None
    fence = _FENCE.match(state.src[start:end])
    found = _NAME.match(fence["rest"]) if fence else None
    if not fence or not found or bool(found["open"]) != bool(found["close"]):
        return None
    if fence["mark"][0] != ":" and not found["open"]:
        return None  # a fence with the name of a language
    kind = KINDS.get(found["name"].lower())
    return _Opening(fence["mark"], kind, found["title"].strip().strip('"')) if kind else None


def box(state: StateBlock, start_line: int, end_line: int, silent: bool) -> bool:
    """Block rule for boxes between fences."""
    found = (
        None if state.is_code_block(start_line) or state.level > DEEPEST * 2 else _opening(state, start_line)
    )
    if not found:
        return False
    if silent:
        return True
    end = _end(state, found.mark, start_line + 1, end_line)
    first = start_line + 1
    while first < end and _OPTION.match(_text(state, first)):
        first += 1
    _push(state, found.kind, found.title, start_line, first, end)
    state.line = min(end + 1, end_line)
    return True


def indented_box(state: StateBlock, start_line: int, end_line: int, silent: bool) -> bool:
    """Block rule for MkDocs' boxes: a line that starts with `!!!` or `???`, or `===` for a tab, and the indented lines
    below it.
    """
    if state.is_code_block(start_line) or state.level > DEEPEST * 2:
        return False
    text = _text(state, start_line)
    found = _MARKED.match(text) if text.startswith(("!!!", "???", "===")) else None
    if not found:
        return False
    name = (found["name"] or "").lower()
    kind = KINDS.get(name, "admonition")
    title = found["tab"] or found["title"] or (name.capitalize() if kind == "admonition" else "")
    inside, end, line = state.sCount[start_line] + 4, start_line + 1, start_line + 1
    while line < end_line and (state.isEmpty(line) or state.sCount[line] >= inside):
        line += 1
        end = end if state.isEmpty(line - 1) else line
    if end == start_line + 1:
        return False
    if not silent:
        indent, state.blkIndent = state.blkIndent, inside
        _push(state, kind, title, start_line, start_line + 1, end)
        state.blkIndent, state.line = indent, end
    return True


def _push(state: StateBlock, kind: str, title: str, start: int, first: int, end: int) -> None:
    """Write the tokens of a box, whose content is from line `first` to line `end`."""
    token = state.push("box_open", "div", 1)
    token.map, token.meta = [start, end], {"kind": kind, "version": ""}
    for written in _title(title, start, state.level) if title else ():
        state.tokens.append(written)
    parent, line_max = state.parentType, state.lineMax
    state.parentType, state.lineMax = "box", end
    state.md.block.tokenize(state, first, end)
    state.parentType, state.lineMax = parent, line_max
    state.push("box_close", "div", -1)


def _title(words: str, line: int, level: int) -> list[Token]:
    """Return the tokens of a title."""
    opened = Token("title_open", "p", 1, {"class": "label"}, [line, line + 1], level, block=True)
    inline = Token(
        "inline", "", 0, map=[line, line + 1], level=level + 1, block=True, content=words, children=[]
    )
    return [opened, inline, Token("title_close", "p", -1, level=level, block=True)]


def _text(state: StateBlock, line: int) -> str:
    return state.src[state.bMarks[line] + state.tShift[line] : state.eMarks[line]].rstrip()


def _end(state: StateBlock, mark: str, line: int, end_line: int) -> int:
    """Return the line that closes a box; the end of what is around it if none does."""
    sign, depth = mark[0], 0
    while line < end_line:
        text = _text(state, line)
        if text.startswith(sign * 3) and state.sCount[line] - state.blkIndent < 4:
            run = len(text) - len(text.lstrip(sign))
            if run == len(text):
                if sign != ":" or depth == 0:
                    if run >= len(mark):
                        return line
                else:
                    depth -= 1
            elif sign == ":" and run <= len(mark) and _opening(state, line):
                depth += 1
        elif text and state.sCount[line] < state.blkIndent:
            return line
        line += 1
    return end_line


def alerts(state: StateCore) -> None:
    """Core rule that makes boxes of GitHub's alerts, between the rules for blocks and for their text."""
    opened: list[Token | None] = []
    tokens = state.tokens
    for position, token in enumerate(tokens):
        if token.type == "blockquote_open":
            opened.append(_as_box(tokens, position))
        elif token.type == "blockquote_close" and (start := opened.pop()):
            token.type, token.tag, token.markup = "box_close", start.tag, ""


def _as_box(tokens: list[Token], position: int) -> Token | None:
    """Make a box of a quotation if it starts with the name of one; return its first token."""
    inside = tokens[position + 1 : position + 3]
    if [token.type for token in inside] != ["paragraph_open", "inline"]:
        return None
    inline = inside[1]
    match = _ALERT.match(inline.content)
    if not match:
        return None
    kind, title = KINDS.get(match["name"].lower()), match["title"].strip()
    is_all = match.end() == len(inline.content) and tokens[position + 4].type == "blockquote_close"
    if not kind or (title and is_all):
        return None
    token = tokens[position]
    token.type, token.tag, token.markup = "box_open", "div", ""
    token.meta = {"kind": kind, "version": ""}
    inline.content = inline.content[match.end() :]
    if inline.map and inline.content:
        inline.map = [inline.map[0] + 1, inline.map[1]]
    if not inline.content:
        for other in tokens[position + 1 : position + 4]:
            other.hidden = True
    if title:
        line = token.map[0] if token.map else 0
        tokens[position + 1 : position + 1] = _title(title, line, token.level + 1)
    return token
