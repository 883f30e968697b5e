"""Parses the pieces of one reStructuredText, which share their links, footnotes, substitutions and levels of titles."""

from __future__ import annotations

from collections.abc import Sequence

from docutils import nodes
from markdown_it.token import Token

from ..model import ProseLine
from ..token_writer import TokenWriter
from .blocks import BlockWriter
from .doctree import Reader, UnreadableError
from .references import References

_HINT = "It is shown as it is written."


def parse_fragments(
    fragments: Sequence[Sequence[ProseLine]], styles: dict[str, int] | None = None
) -> list[list[Token]]:
    """Return the tokens of each of the `fragments` of a text.

    Args:
        fragments: The lines of each.
        styles: Underline of titles -> their level, for all texts of a file; new ones are added.
    """
    references = References({} if styles is None else styles)
    found: list[tuple[Sequence[ProseLine], nodes.document | UnreadableError | None]] = []
    reader = Reader()
    for lines in fragments:
        if not lines:
            found.append((lines, None))
            continue
        try:
            document = reader.read(lines)
            references.collect(document)
            found.append((lines, document))
        except UnreadableError as error:
            found.append((lines, error))
    reader.close()
    references.number()
    return [_tokens(lines, tree, references) for lines, tree in found]


def _tokens(
    lines: Sequence[ProseLine], tree: nodes.document | UnreadableError | None, references: References
) -> list[Token]:
    if tree is None:
        return []
    if isinstance(tree, UnreadableError):
        return _as_listing(lines, str(tree))
    try:
        writer = BlockWriter(references, lines[0].number)
        writer.blocks(tree)
    except RecursionError:
        return _as_listing(lines, "is nested too deeply")
    return writer.out.tokens


def _as_listing(lines: Sequence[ProseLine], reason: str) -> list[Token]:
    out = TokenWriter()
    out.notice(f"this reStructuredText {reason}", _HINT, lines[0].number)
    out.listing("\n".join(line.text for line in lines), "", lines[0].number)
    return out.tokens
