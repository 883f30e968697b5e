"""Writes tables of reStructuredText, whose cells may hold any blocks, as tables whose cells hold text only."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from docutils import nodes

from .. import escape
from ..token_writer import TokenWriter
from .field_lists import elements
from .inline import InlineWriter

_BREAK = " <br> "


def write_table(node: nodes.table, out: TokenWriter, inline: InlineWriter, line: int) -> int:
    """Write a table without its title, which starts on a `line`; return its last line."""
    group = next((child for child in node.children if isinstance(child, nodes.tgroup)), None)
    if group is None:
        return line
    width = sum(isinstance(child, nodes.colspec) for child in group.children)
    out.open("table", "table", line)
    for part in group.children:
        if isinstance(part, nodes.thead | nodes.tbody):
            name, cell = ("thead", "th") if isinstance(part, nodes.thead) else ("tbody", "td")
            out.open(name, name, line)
            for row in _filled(part, width):
                line = max(line, *(first_line(entry) for entry in row if entry is not None), 0)
                out.open("tr", "tr", line, extra=0)
                for entry in row:
                    out.open(cell, cell, line)
                    out.inline(_BREAK.join(_cell(entry, inline)) if entry is not None else "", line)
                    out.close(cell, cell, line)
                out.close("tr", "tr", line)
            out.close(name, name, line)
    out.close("table", "table", line)
    return line


def first_line(node: nodes.Node) -> int:
    """Return the first line that a node or one inside of it knows; 0 if none does."""
    while node.line is None and node.children:
        node = node.children[0]
    return node.line or 0


def _cell(entry: nodes.Element, inline: InlineWriter) -> Iterator[str]:
    """Yield the lines of a cell."""
    for node in entry.children:
        match node:
            case nodes.TextElement() if not isinstance(node, nodes.literal_block | nodes.doctest_block):
                text = inline.block(node.children)[0]
            case nodes.literal_block() | nodes.doctest_block() | nodes.math_block():
                lines = node.astext().split("\n")
                text = _BREAK.join(escape.code_span(line) for line in lines if line.strip())
            case nodes.image():
                text = inline.picture(node)
            case nodes.Element() if not isinstance(node, nodes.Invisible | nodes.system_message):
                text = _BREAK.join(_cell(node, inline))
            case _:
                text = ""
        if text:
            yield text


def _filled(part: nodes.Element, width: int) -> Iterator[Sequence[nodes.Element | None]]:
    """Yield the rows of a table, with nothing in the places that a cell spans from elsewhere."""
    spanned: dict[int, int] = {}
    for row in elements(part):
        cells: list[nodes.Element | None] = []
        for entry in elements(row):
            while spanned.get(len(cells), 0) > 0:
                spanned[len(cells)] -= 1
                cells.append(None)
            first = len(cells)
            cells += [entry, *[None] * int(entry.get("morecols", 0))]
            if below := int(entry.get("morerows", 0)):
                spanned.update((column, below) for column in range(first, len(cells)))
        while len(cells) < width:
            if spanned.get(len(cells), 0) > 0:
                spanned[len(cells)] -= 1
            cells.append(None)
        yield cells
