"""Decides what of a row's prose stands beside it: examples, tables, pictures and notes, each at what it belongs to.

Heights are estimates in lines of prose, the same for all languages of a page. The reading order is that of the file.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum, auto
from itertools import zip_longest
from math import ceil

from markdown_it.token import Token

from ..parsing import FigureKind, figure_kind, plain_text
from .decisions import lone_picture, picture_theme

LISTINGS = frozenset("doctest code_block fence".split())
CODE_LINE = 0.78
"""Height of a line of code."""
PICTURE = 15.0
CHART = 18.0
"""Height of a chart with its slider, the values at it and a caption."""
OVERHANG = 6.0
"""Maximum height of what may stand below the end of its text in a margin."""
CHART_OVERHANG = 9.0
"""The same for a chart, whose last lines are a caption and its values."""
SLACK = 3.0
"""Height that something may stand below its own text rather than begin beside the text before that."""
NOTE = 14.0
"""Maximum height of a note that stands beside the prose."""
MARGIN = 62
"""Characters in a line of what stands beside the text."""
MANY_COLUMNS = 6
"""Number of columns of recorded values that are too wide for a margin."""
CELL = 24
"""Characters of a cell below which it should not be broken."""


class Place(Enum):
    """Where a block stands."""

    TEXT = auto()
    SIDE = auto()
    """Beside the text before it."""
    FULL = auto()
    """Across the page."""


@dataclass(frozen=True, slots=True)
class Block:
    """A block of prose that is in no other one."""

    tokens: Sequence[Token]
    place: Place
    height: float
    is_heading: bool = False
    otherwise: Place = Place.TEXT
    """Where it stands if it is too high for a margin."""
    is_title: bool = False
    theme: str = ""
    """The only theme for which it is shown."""
    is_chart: bool = False


@dataclass(slots=True)
class Run:
    """Blocks in the same place, one after the other."""

    place: Place
    blocks: list[Block]

    @property
    def tokens(self) -> list[Token]:
        """All tokens."""
        return [token for block in self.blocks for token in block.tokens]

    @property
    def height(self) -> float:
        """The sum of the heights."""
        return sum(block.height for block in self.blocks)


@dataclass(slots=True)
class Group:
    """Runs that share two columns; the next group begins below both."""

    runs: list[Run] = field(default_factory=list)
    left: float = 0.0
    right: float = 0.0

    @property
    def text(self) -> Run | None:
        """The text at the end."""
        return self.runs[-1] if self.runs and self.runs[-1].place is Place.TEXT else None

    @property
    def has_side(self) -> bool:
        """Whether something stands beside the text."""
        return any(run.place is Place.SIDE for run in self.runs)


def split_blocks(tokens: Sequence[Token], width: int, *, is_essay: bool) -> Iterator[Block]:
    """Split tokens into the outermost blocks. What raw HTML encloses is not split, nor a picture for either theme.

    Args:
        tokens: The tokens.
        width: Characters in a line of the text.
        is_essay: Whether the column beside the text is a margin, which is narrower than that of code.
    """
    kept: Block | None = None
    for block in _split(tokens, width, is_essay=is_essay):
        if kept and kept.theme and block.theme not in ("", kept.theme):
            yield replace(kept, tokens=[*kept.tokens, *block.tokens], theme="")
            kept = None
            continue
        if kept:
            yield kept
        kept = block
    if kept:
        yield kept


def _split(tokens: Sequence[Token], width: int, *, is_essay: bool) -> Iterator[Block]:
    start = opened = depth = 0
    for position, token in enumerate(tokens):
        depth += token.nesting
        opened += len(token.meta.get("opens", ())) - len(token.meta.get("closes", ()))
        if depth <= 0 and opened <= 0:
            yield _block(tokens[start : position + 1], width, is_essay=is_essay)
            start = position + 1
    if start < len(tokens):
        yield Block(tokens[start:], Place.TEXT, _text_height(tokens[start:], width))


def _block(tokens: Sequence[Token], width: int, *, is_essay: bool) -> Block:
    first = tokens[0]
    match first.type:
        case "fence" if (kind := figure_kind(first)) is not None:
            is_wide = is_essay and first.content.count("value:") >= MANY_COLUMNS
            place = Place.FULL if is_wide else Place.SIDE
            is_chart = kind is FigureKind.CHART
            otherwise = Place.TEXT if is_chart else Place.FULL
            height = CHART if is_chart else PICTURE
            return Block(tokens, place, height, otherwise=otherwise, is_chart=is_chart)
        case kind if kind in LISTINGS and len(tokens) == 1:
            return Block(tokens, Place.SIDE, first.content.count("\n") * CODE_LINE + 1.6)
        case "table_open":
            wanted, height = _table_size(tokens)
            is_wide = is_essay and wanted > MARGIN
            return Block(tokens, Place.FULL if is_wide else Place.SIDE, height, otherwise=Place.FULL)
        case "paragraph_open" if picture := lone_picture(tokens[1].children or []):
            theme = picture_theme(str(picture.attrGet("src") or ""))
            return Block(tokens, Place.SIDE, PICTURE, theme=theme)
        case "box_open":
            height = _text_height(tokens, width) + 1
            return Block(tokens, Place.SIDE if height < NOTE else Place.TEXT, height)
    return Block(
        tokens,
        Place.TEXT,
        _text_height(tokens, width),
        first.type == "heading_open",
        is_title=bool(first.meta.get("title")),
    )


def _text_height(tokens: Iterable[Token], width: int) -> float:
    height = 0.0
    for token in tokens:
        match token.type:
            case "inline" if lone_picture(token.children or []):
                height += PICTURE
            case "inline":
                height += ceil(len(plain_text(token.content)) / width) + 0.5
            case "heading_open":
                height += 1
            case "fence" if kind := figure_kind(token):
                height += CHART if kind is FigureKind.CHART else PICTURE
            case "math_block":
                height += 2.5
            case "field" | "label" | "note":
                height += 1
            case kind if kind in LISTINGS:
                height += token.content.count("\n") * CODE_LINE + 1.6
    return height


def _table_size(tokens: Iterable[Token]) -> tuple[int, float]:
    """Return how many characters wide a table should be, and its height in a margin."""
    rows: list[list[int]] = []
    for token in tokens:
        if token.type == "tr_open":
            rows.append([])
        elif token.type == "inline":
            rows[-1].append(len(plain_text(token.content)) + 2)
    columns = [max(column) for column in zip_longest(*rows, fillvalue=0)]
    wanted = sum(min(column, CELL) for column in columns)
    share = max(1.0, sum(columns) / MARGIN)
    lines = (
        max(ceil(cell * share / columns[place]) for place, cell in enumerate(row)) for row in rows if row
    )
    return wanted, sum(line * 0.85 + 0.5 for line in lines) + 1


def arrange(blocks: Sequence[Block], code: float = 0.0, *, is_essay: bool) -> list[Group]:
    """Arrange blocks into groups, with something beside their text where that leaves neither column blank for long.

    Args:
        blocks: The blocks, in the order of the file.
        code: Height of what stands beside the beginning of the text.
        is_essay: Whether the text has a margin, and each section of it is a group if what is beside it has ended.
    """
    if is_essay and blocks and blocks[0].is_title:
        below = arrange(blocks[1:], is_essay=True)
        if below and below[0].has_side and below[0].runs[0].place is Place.TEXT:
            # What stands beside the first words stands below the title.
            return [Group([Run(Place.TEXT, [blocks[0]])]), *below]
    groups = [Group(right=code)]
    sides = sum(block.place is Place.SIDE for block in blocks)
    after = _heights_after(blocks)
    for position, block in enumerate(blocks):
        group, place = groups[-1], block.place
        if place is Place.SIDE and is_essay:
            begin = group.left - group.text.height if group.text else group.left
            most = group.left + after[position] + (CHART_OVERHANG if block.is_chart else OVERHANG)
            is_longer = max(group.right, begin) + block.height > most
            place = block.otherwise if is_longer or _is_left(blocks, position) else place
        if place is Place.SIDE:
            height = _split_run(group, block.height - after[position], whole=not is_essay and sides == 1)
            if is_essay and not group.has_side and len(group.runs) > 1:  # nothing stands beside what is above
                *above, last = group.runs
                group.runs = above
                groups.append(group := Group([last], height))
            group.right = max(group.right, group.left - height) + block.height
            group.runs.append(Run(place, [block]))
            continue
        is_over = group.right <= group.left and (group.has_side or (is_essay and block.is_heading))
        if block.is_heading and group.has_side:
            # What stands beside its section would stand below the text of it.
            end = group.left + block.height + after[position]
            is_over = is_over or (_is_beside(blocks, position + 1) and end < group.right)
        if group.runs and (is_over or place is Place.FULL):
            groups.append(group := _below(group))
        if place is Place.TEXT and group.text:
            group.text.blocks.append(block)
        else:
            group.runs.append(Run(place, [block]))
        group.left += block.height
        if place is Place.FULL:
            groups.append(Group())
    return [group for group in groups if group.runs]


def _is_beside(blocks: Sequence[Block], start: int) -> bool:
    """Return whether something stands beside the text from `start` to the next heading."""
    for block in blocks[start:]:
        if block.is_heading or block.place is Place.FULL:
            return False
        if block.place is Place.SIDE:
            return True
    return False


def _is_left(blocks: Sequence[Block], position: int) -> bool:
    """Return whether this is the left one of two charts, one after the other, which readers compare."""
    before = 0
    while before < position and blocks[position - before - 1].is_chart:
        before += 1
    is_followed = position + 1 < len(blocks) and blocks[position + 1].is_chart
    return blocks[position].is_chart and is_followed and before % 2 == 0


def _below(group: Group) -> Group:
    """Return the group below another one, which takes the headings at its end: their text is not in it."""
    below, run = Group(), group.text
    while group.has_side and run and run.blocks and run.blocks[-1].is_heading:
        heading = run.blocks.pop()
        group.left -= heading.height
        below.left += heading.height
        if not below.runs:
            below.runs.append(Run(Place.TEXT, []))
        below.runs[0].blocks.insert(0, heading)
    if run and not run.blocks:
        group.runs.pop()
    return below


def _heights_after(blocks: Sequence[Block]) -> list[float]:
    """Return for each block the height of the text after it, up to the next that stands beside it or to a heading."""
    heights = [0.0] * len(blocks)
    for position in range(len(blocks) - 1, 0, -1):
        block = blocks[position]
        if block.place is Place.TEXT and not block.is_heading:
            heights[position - 1] = block.height + heights[position]
    return heights


def _split_run(group: Group, needed: float, *, whole: bool) -> float:
    """Separate the end of a group's text that something stands beside, and return its height.

    It is the last block and what else there is `needed`, or the `whole` run; a heading stays with what is below it.
    """
    run = group.text
    if not run:
        return 0.0
    if whole:
        return run.height
    height, first = 0.0, len(run.blocks)
    while first and (height + SLACK < needed or first == len(run.blocks) or run.blocks[first - 1].is_heading):
        first -= 1
        height += run.blocks[first].height
    if first:
        group.runs.append(Run(Place.TEXT, run.blocks[first:]))
        del run.blocks[first:]
    return height
