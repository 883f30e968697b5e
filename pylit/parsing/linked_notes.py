"""Finds which footnote each reference means: one in the same text, or in the text of what is around it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from markdown_it.token import Token

from .model import Section

Piece = tuple[Section, Sequence[Token]]


def find_notes(pieces: Sequence[Piece]) -> Iterator[tuple[int, Mapping[str, str]]]:
    """Yield the position of each piece of prose that refers to footnotes, with the label of each and its anchor.

    The anchor is empty if reStructuredText refers to a footnote that does not exist. Other text that looks like such a
    reference is none. Footnotes that are referred to know where: `meta['back']`.
    """
    found = [(position, labels) for position, (_, tokens) in enumerate(pieces) if (labels := _labels(tokens))]
    if not found:
        return
    notes: dict[str, dict[int, Token]] = {}
    for position, (_, tokens) in enumerate(pieces):
        for token in tokens:
            if token.type == "note":
                notes.setdefault(token.meta["label"], {}).setdefault(position, token)
    for position, labels in found:
        section = pieces[position][0]
        known = {}
        for label in labels:
            note = _nearest(notes.get(label, {}), position, pieces)
            if note:
                note.meta["back"] = back_anchor(note.meta["anchor"])
                known[label] = str(note.meta["anchor"])
            elif section.docstring or section.is_rst:
                known[label] = ""
        if known:
            yield position, known


def back_anchor(anchor: str) -> str:
    """Return the anchor of the first reference to a footnote."""
    return f"{anchor}-ref"


def _labels(tokens: Sequence[Token]) -> list[str]:
    return [
        child.meta["note"]
        for token in tokens
        if token.type == "inline" and "[^" in token.content
        for child in token.children or ()
        if child.type == "footnote_ref"
    ]


def _nearest(notes: Mapping[int, Token], position: int, pieces: Sequence[Piece]) -> Token | None:
    """Return the footnote in the same piece; otherwise the only one in the innermost definition around it."""
    if position in notes:
        return notes[position]
    within = pieces[position][0].within
    while True:
        inside = [token for place, token in notes.items() if pieces[place][0].within == within]
        if inside or not within:
            return inside[0] if len(inside) == 1 else None
        within = within.rpartition(".")[0]
