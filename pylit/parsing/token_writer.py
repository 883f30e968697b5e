"""Writes block tokens like those of the Markdown parser, for prose in other markup.

The text of each block is Markdown, as everywhere behind the parser: catalogs contain it, and pages and notebooks read
it again.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from markdown_it.token import Token

from .markdown import parse_inline

FENCE = "```"


@dataclass
class TokenWriter:
    """A list of tokens under construction."""

    tokens: list[Token] = field(default_factory=list)
    level: int = 0

    def open(self, name: str, tag: str, line: int, *, markup: str = "", info: str = "", **meta: Any) -> Token:
        """Open a block and return its first token."""
        return self._add(Token(f"{name}_open", tag, 1, markup=markup, info=info), line, meta)

    def close(self, name: str, tag: str, line: int, *, markup: str = "") -> Token:
        """Close a block."""
        return self._add(Token(f"{name}_close", tag, -1, markup=markup), line, {})

    def leaf(
        self,
        name: str,
        tag: str,
        line: int,
        content: str = "",
        *,
        markup: str = "",
        info: str = "",
        **meta: Any,
    ) -> Token:
        """Write a block without blocks in it."""
        return self._add(Token(name, tag, 0, content=content, markup=markup, info=info), line, meta)

    def inline(self, text: str, line: int, children: Sequence[Token] | None = None) -> Token:
        """Write the text of a block, which is Markdown on one line."""
        token = Token("inline", "", 0, content=text)
        token.children = list(parse_inline(text) if children is None else children)
        return self._add(token, line, {})

    def paragraph(
        self, text: str, line: int, children: Sequence[Token] | None = None, *, tight: bool = False
    ) -> None:
        """Write a paragraph, without its tags in a `tight` list."""
        self.open("paragraph", "p", line).hidden = tight
        self.inline(text, line, children)
        self.close("paragraph", "p", line).hidden = tight

    def label(self, kind: str, line: int) -> None:
        """Write the heading of a part of a docstring, which is in no table of contents."""
        self.leaf("label", "p", line, kind=kind)

    def own_label(self, text: str, line: int, children: Sequence[Token] | None = None) -> None:
        """Write such a heading with a text of the author's own."""
        self.open("title", "p", line).attrSet("class", "label")
        self.inline(text, line, children)
        self.close("title", "p", line)

    def listing(self, code: str, language: str, line: int) -> None:
        """Write a listing."""
        fence = FENCE
        while fence in code:
            fence += "`"
        self.leaf("fence", "code", line, code.rstrip("\n") + "\n", markup=fence, info=language)

    def doctest(self, text: str, line: int) -> None:
        """Write an example."""
        self.leaf("doctest", "pre", line, text.rstrip("\n") + "\n")

    def notice(self, message: str, hint: str, line: int) -> None:
        """Note a problem, which is reported when the page is made."""
        self.leaf("notice", "", line, message=message, hint=hint)

    def add(self, tokens: Iterable[Token]) -> None:
        """Add tokens that have been written separately."""
        for token in tokens:
            token.level += self.level
            self.tokens.append(token)

    def _add(self, token: Token, line: int, meta: dict[str, Any]) -> Token:
        token.block = True
        token.meta = {**meta, "line": line}
        if token.nesting < 0:
            self.level -= 1
        token.level = self.level
        if token.nesting > 0:
            self.level += 1
        self.tokens.append(token)
        return token
