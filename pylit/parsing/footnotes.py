"""Finds footnotes in Markdown, as GitHub has them: `[^1]` in the text, and `[^1]: The note.` on a line of its own.

Their tokens are those of the footnotes of reStructuredText, whose text is written with the same references.
"""

from __future__ import annotations

import re

from markdown_it.rules_block import StateBlock
from markdown_it.rules_inline import StateInline

_NOTE = re.compile(r"\[\^(?P<label>[^\[\]\s]{1,50})\]:[ \t]*(?=\S)")
_REFERENCE = re.compile(r"\[\^(?P<label>[\w.:+*†‡§-]{1,50})\]")
INDENT = 4
"""Columns by which the other paragraphs of a footnote are indented."""
DEEPEST = 16
"""Maximum level of a footnote."""


def footnote(state: StateBlock, start_line: int, end_line: int, silent: bool) -> bool:
    """Block rule for a footnote on a line, whose text goes on in the lines below up to a blank line or another one.

    Below a blank line, indented lines are more of it.
    """
    if state.is_code_block(start_line) or state.level > DEEPEST:
        return False
    found = _note(state, start_line)
    if not found:
        return False
    if silent:
        return True
    end = start_line + 1
    while end < end_line and not state.isEmpty(end) and not _note(state, end):
        end += 1
    last = _last(state, end, end_line)
    place = [start_line, last]
    is_first = not state.tokens or state.tokens[-1].meta.get("footnotes") != state.level
    if is_first:
        state.push("dl_open", "dl", 1).attrSet("class", "notes")
        state.tokens[-1].map = place
    else:
        state.tokens.pop()
        state.level += 1
    note = state.push("note", "dt", 0)
    note.map, note.meta = place, {"label": found["label"]}
    state.push("dd_open", "dd", 1).map = place
    paragraph = state.push("paragraph_open", "p", 1)
    paragraph.hidden = last == end
    text = state.push("inline", "", 0)
    text.content = state.getLines(start_line, end, state.blkIndent, False).lstrip()[found.end() :].strip()
    paragraph.map, text.map, text.children = place, place, []
    state.push("paragraph_close", "p", -1).hidden = last == end
    if last > end:
        before = state.blkIndent, state.lineMax, state.parentType
        state.blkIndent, state.lineMax, state.parentType = state.blkIndent + INDENT, last, "reference"
        state.md.block.tokenize(state, end, last)
        state.blkIndent, state.lineMax, state.parentType = before
    state.push("dd_close", "dd", -1)
    closing = state.push("dl_close", "dl", -1)
    closing.meta["footnotes"] = state.level
    state.line = last
    return True


def _last(state: StateBlock, line: int, end_line: int) -> int:
    """Return the end of the indented lines below a footnote whose first paragraph ends at a line."""
    last = line
    while line < end_line and (state.isEmpty(line) or state.sCount[line] >= state.blkIndent + INDENT):
        line += 1
        last = last if state.isEmpty(line - 1) else line
    return last


def _note(state: StateBlock, line: int) -> re.Match[str] | None:
    start = state.bMarks[line] + state.tShift[line]
    return _NOTE.match(state.src[start : state.eMarks[line]]) if state.src.startswith("[^", start) else None


def footnote_ref(state: StateInline, silent: bool) -> bool:
    """Inline rule for a reference to a footnote. Whether there is one is known when the whole text has been read."""
    if not state.src.startswith("[^", state.pos) or not (found := _REFERENCE.match(state.src, state.pos)):
        return False
    if found.end() > state.posMax or state.src.startswith(("(", "["), found.end()):
        return False
    if not silent:
        token = state.push("footnote_ref", "a", 0)
        token.meta["note"] = label = found["label"]
        token.content = f"[{label}]" if label.isdecimal() else found[0]
    state.pos = found.end()
    return True


def written(label: str) -> str:
    """Return a reference to the footnote of this label, as `footnote_ref` reads it; its text if it would not."""
    reference = f"[^{label}]"
    return reference if _REFERENCE.fullmatch(reference) else f"[{label}]"
