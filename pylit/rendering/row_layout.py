"""Decides how prose and code of a row stand, and puts the groups of its prose together."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from enum import Enum
from math import ceil

from markdown_it.token import Token
from markupsafe import Markup

from ..parsing import Prose
from .beside import CODE_LINE, Block, Group, Place, Run, arrange, split_blocks
from .prose_html import ProseRenderer

SIMPLE = frozenset("paragraph_open inline paragraph_close heading_open heading_close".split())
"""Types of tokens that never stand beside the prose, except images."""
TEXT = SIMPLE | {
    f"{element}_{end}"
    for element in ("bullet_list", "ordered_list", "list_item")
    for end in ("open", "close")
}
"""The same with lists, of any length."""
ESSAY_WIDTH = 74
"""Characters in a line of prose that has no code beside it."""
ROW_WIDTH = 54
"""Characters in a line of prose with code beside it."""
NARROW = 42
"""Characters in a line of prose on a phone."""
GROUP_END = "</div>\n"
SCREEN = 30
"""Lines of prose on a screen."""
FILLED = 1 / 3
"""Share of the height of long prose that the margin must fill: a blank one would take half of each screen."""
LONG = 1.6
"""Prose is long if it is that many times as high as its code."""


class RowLayout(Enum):
    """How prose and code of a row stand."""

    PLAIN = "plain"
    """Prose on the left, code on the right."""
    BESIDE = "beside"
    """Below the code, examples, tables and pictures stand beside the prose."""
    ESSAY = "essay"
    """Prose in a column of its own, with a margin; any code below it."""
    ARTICLE = "essay article"
    """Long prose with too little to fill a margin: all of it in one column, in the middle."""

    @property
    def is_essay(self) -> bool:
        """Whether prose has no code beside it."""
        return self in (RowLayout.ESSAY, RowLayout.ARTICLE)


def lay_out(
    prose: Prose, tokens: Sequence[Token], shown: int, *, has_code: bool
) -> tuple[RowLayout, list[Group], int]:
    """Return the layout of a row with `shown` lines of code that are not folded, the groups of its prose if it is more
    than one run of text, and after how many of these runs its code stands.
    """
    if has_code and (_is_brief(tokens) or (prose.section.opens and _is_text(tokens))):
        return RowLayout.PLAIN, [], 0
    is_essay = not prose.section.opens and not shown
    width = ESSAY_WIDTH if is_essay else ROW_WIDTH
    blocks = list(split_blocks(tokens, width, is_essay=is_essay))
    height = sum(block.height for block in blocks)
    if is_essay:
        return *_essay(blocks), 0
    has_side = any(block.place is Place.SIDE for block in blocks)
    if prose.section.opens and has_side:
        if blocks[0].is_heading:
            groups = arrange(blocks[1:], shown * CODE_LINE + 1 - blocks[0].height, is_essay=False)
            groups[0].runs.insert(0, Run(Place.TEXT, blocks[:1]))
            return RowLayout.BESIDE, groups, 1
        return RowLayout.BESIDE, arrange(blocks, shown * CODE_LINE + 1, is_essay=False), 0
    if height > 12 and height > LONG * shown * CODE_LINE and not prose.section.opens:
        essay = list(split_blocks(tokens, ESSAY_WIDTH, is_essay=True))
        return *_essay(essay), 0
    return RowLayout.PLAIN, [], 0


def _essay(blocks: Sequence[Block]) -> tuple[RowLayout, list[Group]]:
    """Return the layout of prose without code beside it, and its groups."""
    groups = arrange(blocks, is_essay=True)
    height = sum(max(group.left, group.right) for group in groups)
    filled = sum(run.height for group in groups for run in group.runs if run.place is not Place.TEXT)
    if height < SCREEN or filled > FILLED * height:
        return RowLayout.ESSAY, _several(groups)
    inline = [replace(block, place=Place.TEXT) if block.place is Place.SIDE else block for block in blocks]
    return RowLayout.ARTICLE, _several(arrange(inline, is_essay=True))


def _several(groups: list[Group]) -> list[Group]:
    """Return groups, or none if all is one run of text."""
    is_plain = len(groups) == 1 and [run.place for run in groups[0].runs] == [Place.TEXT]
    return [] if is_plain else groups


def _is_brief(tokens: Sequence[Token]) -> bool:
    """Return whether prose is a few paragraphs, as in most rows."""
    return len(tokens) < 12 and all(
        token.type in SIMPLE and len(token.content) < 2 * ROW_WIDTH and "![" not in token.content
        for token in tokens
    )


def _is_text(tokens: Sequence[Token]) -> bool:
    """Return whether nothing in the prose of a definition may stand beside it."""
    return all(
        token.type in TEXT and "![" not in token.content and "<" not in token.content for token in tokens
    )


def arranged(groups: Sequence[Group], code_after: int, renderer: ProseRenderer) -> tuple[Markup, int]:
    """Return the HTML of groups, and where code after that many runs of the first group stands in it."""
    html = ""
    code_at = 0
    for number, group in enumerate(groups):
        is_pair = group.has_side or (not number and code_after > 0)
        lines = narrow_lines(token for run in group.runs for token in run.tokens)
        html += f'<div class="{"pair" if is_pair else "part"}" style="--p:{lines}">'
        for position, run in enumerate(group.runs):
            if not number and position == code_after:
                code_at = len(html)
            text = str(renderer.prose(run.tokens))
            is_boxed = is_pair or run.place is Place.FULL
            size = f' style="--h:{ceil(run.height)}"' if is_pair else ""
            html += f'<div class="{run.place.name.lower()}"{size}>{text}</div>' if is_boxed else text
        html += GROUP_END
    return Markup(html), code_at


def narrow_lines(tokens: Iterable[Token]) -> int:
    """Return the approximate number of lines of prose in a narrow column."""
    return sum(
        ceil(len(token.content) / NARROW) if token.type == "inline" else token.content.count("\n") + 1
        for token in tokens
        if token.content
    )
