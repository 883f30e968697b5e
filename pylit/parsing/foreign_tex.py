r"""Finds environments of TeX that are no formulas, such as `\begin{figure}`, which are shown as listings."""

from __future__ import annotations

import re
from bisect import bisect_right

from markdown_it.rules_block import StateBlock

from .math_delimiters import ENVIRONMENTS

_BEGIN = re.compile(r"\\begin\{(?P<name>[A-Za-z]{2,30}\*?)\}")


def foreign_tex(state: StateBlock, start_line: int, end_line: int, silent: bool) -> bool:
    """Block rule for such an environment, which starts and ends on lines of its own."""
    start = state.bMarks[start_line] + state.tShift[start_line]
    if state.is_code_block(start_line) or not state.src.startswith("\\begin{", start):
        return False
    found = _BEGIN.match(state.src, start)
    if not found or found["name"].rstrip("*") in ENVIRONMENTS:
        return False
    end = f"\\end{{{found['name']}}}"
    ends = state.env.setdefault("ends_of_tex", {})
    if end not in ends:  # each is looked for once
        ends[end] = [
            n for n in range(state.lineMax) if state.src.endswith(end, state.bMarks[n], state.eMarks[n])
        ]
    place = bisect_right(ends[end], start_line)
    line = ends[end][place] if place < len(ends[end]) else end_line
    if line >= end_line or any(state.sCount[n] < state.blkIndent for n in range(start_line, line + 1)):
        return False
    if not silent:
        token = state.push("fence", "code", 0)
        token.info, token.markup, token.map = "latex", "```", [start_line, line + 1]
        token.content = state.getLines(start_line, line + 1, state.sCount[start_line], True)
        state.line = line + 1
    return True
