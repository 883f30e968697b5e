"""Escapes text for other Markdown renderers: Jupyter, code hosts, notebook viewers.

They recognize links and tags that our parser does not (`[x](javascript:…)`, a reference, a tag inside a formula), and
end blocks elsewhere. `rendering` decides which tags are allowed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from ..parsing import markdown

_LIVE = re.compile(r"<(?=[A-Za-z/!?])|\](?=[(:])")
"""The start of a tag, or the point from which text may be a link or a link definition."""
_LINES = re.compile(r"[^\S\n\r]*[\n\r\x0b\x0c\x1c-\x1e\x85\u2028\u2029]\s*")
_BREAK = re.compile(r"(?: {2,}|\\)\n\s*")
_UNSAFE = re.compile(r"[\s<>\"\\`]")


def live(text: str) -> Iterator[tuple[int, bool]]:
    """Yield the positions at which text must be escaped, and whether it looks like a tag there."""
    for match in _LIVE.finditer(text):
        is_tag = match[0] == "<"
        yield (match.start() if is_tag else match.end()), is_tag


def formula(tex: str) -> str:
    """Return a formula in which nothing looks like a tag or a link, or ends a paragraph."""
    spaced = _LIVE.sub(lambda match: f"{match[0]} ", tex)
    return re.sub(r"\n\s*\n", "\n", spaced)


def html_block(html: str) -> str:
    """Return HTML as a single block, of which nothing is parsed as Markdown.

    An empty line would end it, and text before the first tag would be a paragraph.
    """
    text = re.sub(r"\n\s*\n", "\n", html).strip() or "<!-- -->"  # keeps neighbouring blocks apart
    is_one = [token.type for token in markdown().parse(text)] == ["html_block"]
    return text if is_one else f"<div></div>{text}"


def fenced(content: str, info: str = "") -> str:
    """Return a fenced code block with any content."""
    runs = [len(run) for run in re.findall("`+", content)]
    fence = "`" * max([3, *(length + 1 for length in runs)])
    return f"{fence}{info}\n{content}\n{fence}"


def code(text: str) -> str:
    """Return inline code with any content."""
    text = one_line(text)
    marks = "`" * (max((len(run) for run in re.findall("`+", text)), default=0) + 1)
    return f"{marks} {text} {marks}" if "`" in text else f"{marks}{text}{marks}"


def one_line(text: str) -> str:
    """Join text to one line, as required in a heading or a table cell."""
    return _LINES.sub(" ", _BREAK.sub("<br>", text)).strip()


def paragraph(text: str) -> str:
    """Return text that is parsed as a paragraph, even if it looks like another block."""
    is_one = [token.type for token in markdown().parse(text)] == [
        "paragraph_open",
        "inline",
        "paragraph_close",
    ]
    return text if is_one else f"&#8203;{text}"


def address(href: str) -> str:
    """Escape an address for the parentheses of a Markdown link."""
    href = _UNSAFE.sub(lambda match: "".join(f"%{byte:02X}" for byte in match[0].encode()), href)
    depth = 0
    for character in href:
        depth += (character == "(") - (character == ")")
        if depth < 0:
            break
    return href.replace("(", "%28").replace(")", "%29") if depth else href


def title(text: str) -> str:
    """Return the title of a link in quotes."""
    return '"' + re.sub(r'(["\\])', r"\\\1", one_line(text)) + '"'
