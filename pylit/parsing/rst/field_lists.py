"""Finds the fields of Sphinx in field lists: `:param int x:`, `:returns:` and the like."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from docutils import nodes

from ..field_names import FIELDS, NAMED, ORDER, TYPES, TYPES_ONLY, WITHOUT_NAMES


@dataclass
class Field:
    """A field, with what others say of its type."""

    line: int
    names: list[str]
    type: Sequence[nodes.Node]
    body: nodes.Node | None


def elements(node: nodes.Node) -> list[nodes.Element]:
    """Return the children of a node that are more than text."""
    return [child for child in node.children if isinstance(child, nodes.Element)]


def known_fields(fields: nodes.field_list) -> tuple[dict[str, list[Field]], list[nodes.Element]]:
    """Return the known fields by part, in the usual order of parts, and all others."""
    found: dict[str, list[Field]] = {kind: [] for kind in ORDER}
    by_name: dict[tuple[str, str], Field] = {}
    types: list[tuple[str, str, nodes.Element]] = []
    others: list[nodes.Element] = []
    for field in elements(fields):
        name, body = field.children
        first, _, rest = name.astext().partition(" ")
        word, rest = first.lower(), rest.strip()
        if word == "meta":  # for Sphinx
            continue
        line = field.line or name.line or 0
        if word in TYPES and (rest or TYPES[word] in WITHOUT_NAMES):
            types.append((TYPES[word], rest.lstrip("*\\"), field))
        elif word in FIELDS and (rest or FIELDS[word] in (*WITHOUT_NAMES, *TYPES_ONLY)):
            kind = FIELDS[word]
            made = _field(kind, rest, line, body)
            found[kind].append(made)
            for own in made.names or [""]:
                by_name.setdefault((kind, own.lstrip("*")), made)
        else:
            others.append(field)
    for kind, own, field in types:
        type_ = _content(field.children[1])
        known = by_name.get((kind, own))
        if known is None and kind in NAMED:  # `:type x:` may be about `:ivar x:`
            known = next((by_name[other, own] for other in NAMED if (other, own) in by_name), None)
        if known is None:
            known = Field(field.line or 0, [own] if own else [], (), None)
            found[kind].append(known)
            by_name[kind, own] = known
        known.type = known.type or type_
    return {kind: fields for kind, fields in found.items() if fields}, others


def _field(kind: str, rest: str, line: int, body: nodes.Node) -> Field:
    if kind in WITHOUT_NAMES:
        return Field(line, [], [nodes.Text(rest)] if rest else (), body)
    if kind in TYPES_ONLY:
        return Field(line, [], [nodes.Text(rest)] if rest else (), body)
    type_, _, name = rest.rpartition(" ")
    return Field(line, [name.replace("\\", "")], [nodes.Text(type_)] if type_ else (), body)


def _content(body: nodes.Node) -> Sequence[nodes.Node]:
    """Return the text of a field with a type."""
    paragraphs = [child for child in body.children if isinstance(child, nodes.paragraph)]
    return [node for paragraph in paragraphs for node in (*paragraph.children, nodes.Text(" "))][:-1]
