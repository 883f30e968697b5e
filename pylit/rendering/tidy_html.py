"""Balances the tags of raw HTML, so that the output of a parser is not larger than the input.

By HTML's rules, each following paragraph and cell reopens any `<b>` or `<i>` that was left open, so that kilobytes can
become megabytes. Here, a block closes open inline elements, and nothing is reopened.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Protocol

from ..parsing import Tag, parse_attributes

MAX_DEPTH = 50
"""Maximum nesting of elements."""
_START = re.compile(r"<(?:!--|(?P<end>/?)(?P<name>[A-Za-z][^\s/>]*)|[!?/])")
_REST = re.compile(r"""(?>[^>=]+|=\s*+(?>"[^"]*+"|'[^']*+')?)*+>""")
"""The attributes and the end of a tag. Quotes count only after `=`."""
_HIDDEN = ("script", "style")
"""Elements that are removed together with their content."""
VOID = ("br", "wbr", "hr")
"""Elements without content."""
_CELLS = frozenset(["td", "th"])
_ROWS = _CELLS | {"tr"}
_PARTS = _ROWS | {"thead", "tbody"}
_ENDS: dict[str, Collection[str]] = {
    "li": ("li",),
    "dt": ("dt", "dd"),
    "dd": ("dt", "dd"),
    "td": _CELLS,
    "th": _CELLS,
    "tr": _ROWS,
    "thead": _PARTS,
    "tbody": _PARTS,
}
"""Element -> elements that its start closes, besides a paragraph."""


class HtmlError(ValueError):
    """Raw HTML that cannot be shown; its text says why."""


class TagWriter(Protocol):
    """Writes what is more than a name in a tag."""

    def replace(self, tag: Tag) -> str | None:
        """Return the HTML in place of a tag; `None` if it is an element with content, or none that is known."""

    def attributes(self, tag: Tag) -> str:
        """Return the attributes of an element, with a space before each."""


class _Tidy:
    """The output so far, and the elements that are open at its end."""

    def __init__(self, blocks: Collection[str], inline: Collection[str]) -> None:
        self.blocks = blocks
        self.inline = inline
        self.out: list[str] = []
        self.open: list[str] = []

    def begin(self, name: str, attributes: str = "") -> None:
        """Start an element, and close those that cannot contain it."""
        if name == "a" and "a" in self.open:  # a link ends where the next one starts
            self.end("a")
        if name not in self.inline:
            while self.open and (
                self.open[-1] in ("p", *_ENDS.get(name, ())) or self.open[-1] in self.inline
            ):
                self.close()
        self.out.append(f"<{name}{attributes}>")
        if name in VOID:
            return
        self.open.append(name)
        if len(self.open) > MAX_DEPTH:
            raise HtmlError(f"its elements are nested more than {MAX_DEPTH} levels deep")

    def end(self, name: str) -> None:
        """Close an element and all open elements in it; an inline element closes no blocks around it."""
        for depth, other in enumerate(reversed(self.open), 1):
            if other == name:
                for _ in range(depth):
                    self.close()
                return
            if name in self.inline and other in self.blocks:
                return

    def close(self) -> None:
        """Close the innermost element."""
        self.out.append(f"</{self.open.pop()}>")


def tidy(
    html: str,
    blocks: Collection[str],
    inline: Collection[str],
    writer: TagWriter | None = None,
    renamed: Mapping[str, str] | None = None,
) -> str:
    """Return raw HTML with only these elements, without attributes and comments, all closed correctly.

    Args:
        html: The raw HTML.
        blocks: Names of the elements that are blocks.
        inline: Names of the elements in text.
        writer: Writes the attributes that are kept, and elements that become something else.
        renamed: Element -> the name under which it is written.

    Raises:
        HtmlError: if it is nested too deeply.
    """
    found = _Tidy(blocks, inline)
    at = 0
    while match := _START.search(html, at):
        found.out.append(html[at : match.start()])
        name, is_end = (match["name"] or "").lower(), bool(match["end"])
        at = _end(html, match.end(), name if not is_end else "", match[0])
        if not at:  # HTML drops an unterminated tag
            break
        tag = None
        if writer and name:
            tag = Tag(name, is_end, {} if is_end else parse_attributes(html[match.end() : at - 1]))
            if (text := writer.replace(tag)) is not None:
                found.out.append(text)
                continue
        if renamed:
            name = renamed.get(name, name)
        if name in blocks or name in inline:
            found.end(name) if is_end else found.begin(name, writer.attributes(tag) if writer and tag else "")
    else:
        found.out.append(html[at:])
    while found.open:
        found.close()
    return "".join(found.out)


def _end(html: str, at: int, name: str, opening: str) -> int:
    """Return the end of the tag, comment or hidden element that starts before `at`; 0 if it is not terminated."""
    if opening == "<!--":
        if html.startswith((">", "->"), at):
            return html.index(">", at) + 1
        end = html.find("-->", at)
        return end + 3 if end >= 0 else 0
    rest = _REST.match(html, at)
    if not rest or name not in _HIDDEN:
        return rest.end() if rest else 0
    closing = re.compile(rf"</{name}(?=[\s/>])", re.IGNORECASE).search(html, rest.end())
    return closing.start() if closing else 0
