"""Finds footnotes in Markdown, as GitHub has them: `[^1]` in the text, and `[^1]: The note.` on a line of its own.

Their tokens are those of the footnotes of reStructuredText.
"""

from __future__ import annotations

import re

from markdown_it.rules_block import StateBlock
from markdown_it.rules_inline import StateInline

_NOTE = re.compile(r"\[\^(?P<label>[^\[\]\s]{1,50})\]:[ \t]*(?=\S)")
_NUMBER = re.compile(r"\[\^(?P<number>[0-9]{1,4})\]")
DEEPEST = 16
"""Maximum level of a footnote."""


def footnote(state: StateBlock, start_line: int, end_line: int, silent: bool) -> bool:
    """Block rule for a footnote on a line, whose text goes on in the lines below up to a blank line or another one."""
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
    place = [start_line, end]
    is_first = not state.tokens or state.tokens[-1].meta.get("footnotes") != state.level
    if is_first:
        state.push("dl_open", "dl", 1).attrSet("class", "notes")
        state.tokens[-1].map = place
    else:
        state.tokens.pop()
        state.level += 1
    state.push("dt_open", "dt", 1).map = place
    label = state.push("inline", "", 0)
    label.content, label.map, label.children = f"[^{found['label']}]", place, []
    state.push("dt_close", "dt", -1)
    state.push("dd_open", "dd", 1).map = place
    paragraph = state.push("paragraph_open", "p", 1)
    paragraph.hidden = True
    text = state.push("inline", "", 0)
    text.content = state.getLines(start_line, end, state.blkIndent, False).lstrip()[found.end() :].strip()
    paragraph.map, text.map, text.children = place, place, []
    state.push("paragraph_close", "p", -1).hidden = True
    state.push("dd_close", "dd", -1)
    closing = state.push("dl_close", "dl", -1)
    closing.meta["footnotes"] = state.level
    state.line = end
    return True


def _note(state: StateBlock, line: int) -> re.Match[str] | None:
    start = state.bMarks[line] + state.tShift[line]
    return _NOTE.match(state.src[start : state.eMarks[line]]) if state.src.startswith("[^", start) else None


def footnote_number(state: StateInline, silent: bool) -> bool:
    """Inline rule that shows `[^1]` as [1]."""
    found = _NUMBER.match(state.src, state.pos) if state.src[state.pos] == "[" else None
    if not found or found.end() > state.posMax or state.src.startswith(("(", "["), found.end()):
        return False
    if not silent:
        state.push("text", "", 0).content = f"[{found['number']}]"
    state.pos = found.end()
    return True
