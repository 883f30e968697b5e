r"""Finds the formulas of a text: `$…$`, `$$…$$`, `\(…\)`, `\[…\]`, `\begin{align}…\end{align}` and the like.

`\eqref{…}` and `\ref{…}` in text are formulas too: they refer to equations.

A dollar sign may also mean money or a shell variable. It opens a formula only if no letter or digit precedes it and no
space follows; it closes one only if no space precedes it, unless the formula has a command such as `\alpha`, and no
digit or name that it might belong to follows. An unclosed formula is text.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple

from markdown_it.common.utils import mdTrim
from markdown_it.rules_block import StateBlock
from markdown_it.rules_core import StateCore
from markdown_it.rules_inline import StateInline

ENVIRONMENTS = frozenset(
    "align alignat aligned alignedat array bmatrix Bmatrix cases CD darray dcases displaymath drcases eqnarray"
    " equation flalign gather gathered IEEEeqnarray math matrix multline pmatrix rcases smallmatrix split vmatrix"
    " Vmatrix".split()
)
"""Environments that are formulas, with or without a star. KaTeX does not support all of them, and reports that."""
_TOKEN = re.compile(r"\\(?:(?P<edge>begin|end)\{(?P<name>\w+)\*?\}|(?P<sign>[()\[\]])|.)", re.DOTALL)
_REFERENCE = re.compile(r"\\(?:eq)?ref\{[^{}\s]{1,200}\}")
_OPENING = re.compile(r"\\(?:[(\[]|begin)|\$\$")
_CLOSING = {")": "(", "]": "["}
_QUOTED = re.compile(r"\$(?P<fence>`+)(?P<tex>[^`\n]{1,1000})(?P=fence)\$(?!\d)")
"""Matches a formula as GitHub has it where other markup might be in the way: a dollar sign and backticks."""
_ROLE = re.compile(
    r"(?:\{(?P<myst>math|eq)\}|:(?P<sphinx>math|eq):)(?P<fence>`+)(?P<tex>[^`\n]{1,1000})(?P=fence)(?!`)"
)
_LABEL = re.compile(r"[^{}\s]+")
_NUMBER = re.compile(r"\d[\w.]*")
_OPTION = re.compile(r":(?P<name>[\w-]+):[ \t]*(?P<value>.*)$")
_DOLLAR = re.compile(r"\\.|(\$)", re.DOTALL)
_COMMAND = re.compile(r"\\[A-Za-z]{2}")
_NAME = re.compile(r"\w{2,}")
_SCRIPT = re.compile(
    r"\$(?P<tex>[_^](?:[0-9A-Za-z+*-]|\\[A-Za-z]{2,20}|\{[^{}$\n]{1,30}\})|\\[A-Za-z]{2,20})\$"
)
_ENDING = re.compile(r"(?:st|nd|rd|th|s)\b")
"""Endings that may follow a formula in English: the $n$th, all $x$s."""
_FENCE = ("```", "~~~")
_LAST_WITH_LETTERS = "\u0e00"
"""From here on, most scripts have no spaces between words, and a formula may be next to any letter."""


class Formula(NamedTuple):
    """A formula in a text."""

    end: int
    tex: str
    markup: str
    """Its opening delimiter."""
    display: bool


def formula_at(text: str, start: int) -> Formula | None:
    """Return the formula that starts at a position in `text`, if any."""
    if text.startswith("$$", start):
        return _dollars(text, start)
    if text.startswith("$", start):
        return _dollar(text, start)
    if match := _REFERENCE.match(text, start):
        return Formula(match.end(), match[0], "\\ref", False)
    end = closings(text).get(start)
    if end is None:
        return None
    if text[start + 1] == "b":
        return Formula(end, text[start:end], r"\begin", True)
    tex = text[start + 2 : end - 2]
    return Formula(end, tex, text[start : start + 2], text[start + 1] == "[") if tex.strip() else None


@lru_cache(maxsize=16)
def closings(text: str) -> Mapping[int, int]:
    r"""Return start -> end for each closed `\(`, `\[` and `\begin{…}` in `text`.

    An end belongs to the last open start of its kind. A second `\(` discards the first one.
    """
    found: dict[int, int] = {}
    opened: dict[str, list[int]] = {}
    for token in _TOKEN.finditer(text):
        sign, edge, name = token["sign"], token["edge"], token["name"]
        if sign in ("(", "["):
            opened[sign] = [token.start()]
        elif edge == "begin" and name in ENVIRONMENTS:
            opened.setdefault(name, []).append(token.start())
        elif (sign or edge == "end") and (starts := opened.get(_CLOSING[sign] if sign else name)):
            found[starts.pop()] = token.end()
    return found


def _dollars(text: str, start: int) -> Formula | None:
    if text[start - 1 : start].isdigit():
        return None
    for match in _DOLLAR.finditer(text, start + 2):
        if match[1] and text.startswith("$$", match.start()):
            tex = text[start + 2 : match.start()]
            return Formula(match.end() + 1, tex, "$$", True) if tex else None
    return None


def _dollar(text: str, start: int) -> Formula | None:
    before, after = text[max(start - 1, 0) : start], text[start + 1 : start + 2]
    if after == "`" and not _is_letter(before) and (quoted := _QUOTED.match(text, start)):
        return Formula(quoted.end(), quoted["tex"], "$", False)
    if not after or after.isspace():
        return None
    if _is_letter(before):  # perhaps a script or a sign: H$_2$O, 3$\times$4
        script = _SCRIPT.match(text, start)
        return Formula(script.end(), script["tex"], "$", False) if script else None
    end = next((match.start() for match in _DOLLAR.finditer(text, start + 1) if match[1]), None)
    if end is None or end == start + 1 or not _may_close(text, start + 1, end):
        return None
    return Formula(end + 1, text[start + 1 : end], "$", False)


def _may_close(text: str, start: int, end: int) -> bool:
    last, after = text[end - 1], text[end + 1 : end + 2]
    if after.isdigit() or (last.isspace() and not _COMMAND.search(text, start, end)):
        return False
    if _is_letter(after) or (after and after in "_{("):  # it may be part of a variable: `$HOME/$USER`
        is_name = _NAME.fullmatch(text, start, end) and not _ENDING.match(text, end + 1)
        return (last.isalnum() or last in ")]}") and not is_name
    return True


def _is_letter(character: str) -> bool:
    """Return whether a character is a letter or digit of a script with spaces between words."""
    return character.isalnum() and character < _LAST_WITH_LETTERS


def math_inline(state: StateInline, silent: bool) -> bool:
    """Inline rule for formulas."""
    if state.src[state.pos] not in "$\\":
        return False
    found = formula_at(state.src, state.pos)
    if found is None or found.end > state.posMax:
        return False
    if not silent:
        token = state.push("math_inline_double" if found.display else "math_inline", "math", 0)
        token.content, token.markup = found.tex, found.markup
    state.pos = found.end
    return True


def math_role(state: StateInline, silent: bool) -> bool:
    """Inline rule for MyST's and Sphinx's roles of formulas and equations."""
    if state.src[state.pos] not in "{:" or not (found := _ROLE.match(state.src, state.pos)):
        return False
    is_label = "eq" in (found["myst"], found["sphinx"])
    if found.end() > state.posMax or (is_label and not _LABEL.fullmatch(found["tex"])):
        return False
    if not silent:
        token = state.push("math_inline", "math", 0)
        token.content = rf"\eqref{{{found['tex']}}}" if is_label else found["tex"]
        token.markup = "\\ref" if is_label else "$"
    state.pos = found.end()
    return True


def math_fences(state: StateCore) -> None:
    """Core rule that makes formulas of fences with the language `math` (GitHub) or `{math}` (MyST)."""
    for token in state.tokens:
        if token.type == "fence" and token.info.strip() in ("math", "{math}"):
            lines, label = token.content.split("\n"), ""
            while token.info.strip() == "{math}" and lines and (option := _OPTION.match(lines[0])):
                label = option["value"].strip() if option["name"] in ("label", "name") else label
                del lines[0]
            tex = "\n".join(lines).strip()
            if tex:
                token.type, token.tag, token.markup, token.info = "math_block", "math", "$$", ""
                token.content = labelled(f"\n{tex}\n", label)


def labelled(tex: str, label: str) -> str:
    """Return a displayed formula with a label, which is also its number if it looks like one."""
    if not _LABEL.fullmatch(label):
        return tex
    tag = rf"\tag{{{label}}}" if _NUMBER.fullmatch(label) and r"\tag" not in tex else ""
    return f"{tex.rstrip()} {tag}\\label{{{label}}}\n"


def math_block(state: StateBlock, start_line: int, end_line: int, silent: bool) -> bool:
    r"""Block rule for `\[…\]` and environments on lines of their own. Like `$$…$$`, they may contain blank lines."""
    start = state.bMarks[start_line] + state.tShift[start_line]
    if state.is_code_block(start_line) or not state.src.startswith(("\\[", "\\begin"), start):
        return False
    found = formula_at(state.src, start)
    if found is None:
        return False
    line, is_alone = start_line, state.eMarks[start_line] == start + 2
    while line < end_line and state.eMarks[line] < found.end:
        line += 1
        if line < end_line and not _goes_on(state, line, may_be_empty=is_alone or found.markup != "\\["):
            return False
    if line >= end_line or state.src[found.end : state.eMarks[line]].strip():
        return False
    if not silent:
        text = state.getLines(start_line, line + 1, state.sCount[start_line], False).strip()
        token = state.push("math_block", "math", 0)
        token.block, token.map, token.markup = True, [start_line, line + 1], found.markup
        token.content = text if found.markup == r"\begin" else text[2:-2]
        state.line = line + 1
    return True


def _goes_on(state: StateBlock, line: int, *, may_be_empty: bool) -> bool:
    """Return whether a formula can continue on a line: its list item may end, or a listing may start there."""
    if state.isEmpty(line):
        return may_be_empty
    start = state.bMarks[line] + state.tShift[line]
    return state.sCount[line] >= state.blkIndent and not state.src.startswith(_FENCE, start)


def paragraph(state: StateBlock, start_line: int, end_line: int, silent: bool) -> bool:
    """Block rule for paragraphs as in CommonMark, except that no line ends one inside a formula."""
    enders = state.md.block.ruler.getRules("paragraph")
    before, state.parentType = state.parentType, "paragraph"
    line, covered = start_line, _covered(state, start_line, 0)
    while (line := line + 1) < state.lineMax and not state.isEmpty(line):
        is_inside = state.bMarks[line] < covered and state.sCount[line] >= state.blkIndent
        # Indented lines are not code here, except examples; lazy continuation lines of a quote continue the paragraph.
        is_indented = state.is_code_block(line) and not begins_doctest(state, line)
        if not (is_inside or is_indented or state.sCount[line] < 0) and any(
            rule(state, line, state.lineMax, True) for rule in enders
        ):
            break
        covered = max(covered, _covered(state, line, covered))
    state.line = line
    opening = state.push("paragraph_open", "p", 1)
    inline = state.push("inline", "", 0)
    opening.map = inline.map = [start_line, line]
    inline.content = mdTrim(state.getLines(start_line, line, state.blkIndent, False))
    inline.children = []
    state.push("paragraph_close", "p", -1)
    state.parentType = before
    return True


def begins_doctest(state: StateBlock, line: int) -> bool:
    """Whether a line begins an example."""
    return state.src.startswith(">>> ", state.bMarks[line] + state.tShift[line])


def _covered(state: StateBlock, line: int, before: int) -> int:
    """Return the end of the last formula that starts on a line, ignoring those in code or before `before`."""
    end = 0
    for match in _OPENING.finditer(state.src, max(state.bMarks[line], before), state.eMarks[line]):
        if match[0] == "$$":
            if match.start() != state.bMarks[line] + state.tShift[line]:
                continue
            formula = _dollars(state.src, match.start())
            found = formula.end if formula else 0
        else:
            found = closings(state.src).get(match.start(), 0)
        if found > end and state.src.count("`", state.bMarks[line], match.start()) % 2 == 0:
            end = found
    return end
