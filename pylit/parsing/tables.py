"""Parses tables. A `|` in a formula or after a backslash does not separate cells, and extra cells are kept.

Otherwise as on GitHub: a row of heads, a row of dashes that sets the alignment of columns, and rows up to a blank line
or another block. If a row can be read in two ways, the number of cells decides.
"""

from __future__ import annotations

import re

from markdown_it.common.utils import mdTrim
from markdown_it.rules_block import StateBlock

from .math_delimiters import formula_at

MAX_EMPTY = 0x10000
"""Maximum number of missing cells in a table. They are added, so a small text could make a large table."""
_RULE = re.compile(r"[-:|][-:|\s]*")
_DASHES = re.compile(r"(:?)-+(:?)")
_ALIGNED = {(True, True): "center", (False, True): "right", (True, False): "left"}
_SPECIAL = re.compile(r"`+|[$\\|]")
_IN_CODE = re.compile(r"`+|\\?\|")


def table(state: StateBlock, start_line: int, end_line: int, silent: bool) -> bool:
    """Block rule for tables."""
    if start_line + 2 > end_line or state.sCount[start_line + 1] < state.blkIndent:
        return False
    if state.is_code_block(start_line) or state.is_code_block(start_line + 1):
        return False
    head = _text(state, start_line)
    aligned = _alignments(_text(state, start_line + 1))
    if not aligned or "|" not in head or len(cells := split_row(head, len(aligned))) != len(aligned):
        return False
    if silent:
        return True
    before, state.parentType = state.parentType, "table"
    opening = state.push("table_open", "table", 1)
    state.push("thead_open", "thead", 1).map = [start_line, start_line + 1]
    _push_row(state, "th", cells, aligned, start_line)
    state.push("thead_close", "thead", -1)
    line = _push_body(state, aligned, start_line + 2, end_line)
    state.push("table_close", "table", -1)
    opening.map = [start_line, line]
    state.parentType, state.line = before, line
    return True


def _push_body(state: StateBlock, aligned: list[str], start_line: int, end_line: int) -> int:
    """Push the rows below the head, and return the line after the last one."""
    enders = state.md.block.ruler.getRules("blockquote")
    line, missing = start_line, 0
    opening = None
    while line < end_line and state.sCount[line] >= state.blkIndent:
        text = _text(state, line)
        if not text or state.is_code_block(line) or any(rule(state, line, end_line, True) for rule in enders):
            break
        cells = split_row(text, len(aligned))
        missing += max(0, len(aligned) - len(cells))
        if missing > MAX_EMPTY:
            break
        opening = opening or state.push("tbody_open", "tbody", 1)
        _push_row(state, "td", cells, aligned, line)
        line += 1
    if opening:
        opening.map = [start_line, line]
        state.push("tbody_close", "tbody", -1)
    return line


def _push_row(state: StateBlock, tag: str, cells: list[str], aligned: list[str], line: int) -> None:
    """Push a row with at least as many cells as the head; `meta["extra"]` is the number of extra cells."""
    opening = state.push("tr_open", "tr", 1)
    opening.map = [line, line + 1]
    opening.meta["extra"] = max(0, len(cells) - len(aligned))
    for number in range(max(len(cells), len(aligned))):
        cell = state.push(f"{tag}_open", tag, 1)
        if number < len(aligned) and aligned[number]:
            cell.attrs = {"style": f"text-align:{aligned[number]}"}
        inline = state.push("inline", "", 0)
        inline.map, inline.children = [line, line + 1], []
        inline.content = mdTrim(cells[number]) if number < len(cells) else ""
        state.push(f"{tag}_close", tag, -1)
    state.push("tr_close", "tr", -1)


def _text(state: StateBlock, line: int) -> str:
    return mdTrim(state.src[state.bMarks[line] + state.tShift[line] : state.eMarks[line]])


def _alignments(text: str) -> list[str]:
    """Return the alignment of each column from the row of dashes; empty if `text` is not such a row."""
    if len(text) < 2 or not _RULE.fullmatch(text) or re.match(r"-\s", text):
        return []
    found = [_DASHES.fullmatch(part.strip()) for part in text.removeprefix("|").removesuffix("|").split("|")]
    matches = [match for match in found if match]
    if len(matches) != len(found):
        return []
    return [_ALIGNED.get((bool(match[1]), bool(match[2])), "") for match in matches]


def split_row(text: str, wanted: int) -> list[str]:
    """Split a row into cells; `wanted` is the expected number of cells."""
    cells = _cells(text, with_formulas=True)
    if len(cells) != wanted and len(plain := _cells(text, with_formulas=False)) == wanted:
        return plain  # the dollars were not a formula
    return cells


def _cells(text: str, *, with_formulas: bool) -> list[str]:
    cells, begin, position = [], 0, 0
    while match := _SPECIAL.search(text, position):
        position = match.end()
        if text[match.start()] == "|":
            if text[match.start() - 1 : match.start()] != "\\":
                cells.append(text[begin : match.start()])
                begin = position
        elif text[match.start()] == "`":
            position = _end_of_code(text, match)
        elif with_formulas and (formula := formula_at(text, match.start())):
            position = formula.end
        elif text[match.start()] == "\\" and not text.startswith("|", position):
            position += 1
    cells.append(text[begin:])
    if not cells[0]:
        del cells[0]
    if cells and not cells[-1]:
        del cells[-1]
    return [cell.replace("\\|", "|") for cell in cells]


def _end_of_code(text: str, opening: re.Match[str]) -> int:
    """Return the end of inline code that may start there. A `|` in it needs a backslash, as on GitHub."""
    for match in _IN_CODE.finditer(text, opening.end()):
        if match[0] == "|":
            break
        if match[0] == opening[0]:
            return match.end()
    return opening.end()
