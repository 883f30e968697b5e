"""Finds what belongs together among the blocks of raw HTML in Markdown, where an empty line ends one.

A `<details>` element may hold Markdown: one block opens it, and another one closes it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from markdown_it.token import Token

SPANNING = "details"
"""The element that one block may open and another close."""
_TAG = re.compile(rf"<!--.*?(?:-->|\Z)|<(/?){SPANNING}(?=[\s/>])[^<>]*>", re.IGNORECASE | re.DOTALL)


def pair_blocks(tokens: Sequence[Token]) -> None:
    """Note on blocks of HTML whether they open an element that a later one closes: `meta['opens']`, `meta['closes']`.

    Both are in the same list item or quote, and on one level of nesting.
    """
    opened: list[tuple[int, Token]] = []
    for token in tokens:
        while opened and token.level < opened[-1][0]:
            opened.pop()
        if token.type != "html_block":
            continue
        for closing in _unpaired(token.content):
            if not closing:
                opened.append((token.level, token))
            elif opened and opened[-1][0] == token.level and opened[-1][1] is not token:
                opening = opened.pop()[1]
                opening.meta["opens"] = opening.meta.get("opens", 0) + 1
                token.meta["closes"] = token.meta.get("closes", 0) + 1


def _unpaired(html: str) -> list[bool]:
    """Return the tags of a block without a partner in it: `True` for a closing one, `False` for an opening one."""
    found: list[bool] = []
    for match in _TAG.finditer(html):
        if match[1] is None:  # a comment
            continue
        if match[1] and found and not found[-1]:
            found.pop()
        else:
            found.append(bool(match[1]))
    return found
