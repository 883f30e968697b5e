"""What a page shows, read from its HTML, and what it must show, read from its source without the engine."""

from __future__ import annotations

import ast
import io
import re
import tokenize
import warnings
from collections.abc import Iterator
from html.parser import HTMLParser

_MARKED = ("pre", "code", "math", "svg", "script", "style", "head", "nav", "kbd", "template")
"""Elements whose text is not prose."""
_VOID = frozenset(
    ("area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr")
)
_LAYOUT = frozenset(
    (tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENCODING)
) | {tokenize.ENDMARKER}

RAW = {
    "directive": re.compile(r"^[ \t]*\.\. [\w:+-]+::", re.MULTILINE),
    "role": re.compile(r"(?<![\w:]):(?:[a-z]+:)?[a-z]+:`[^`\n]+`"),
    "field": re.compile(
        r"^[ \t]*:(?:param|type|raises?|returns?|rtype|ivar|cvar|keyword)\b[^:\n]*:", re.MULTILINE
    ),
    "epytext": re.compile(
        r"^[ \t]*@(?:param|arg|keyword|type|raises?|except|ivar|cvar|var|returns?|rtype|yields?)\b[^:\n]*:"
        r"|(?<![\w\\$])[CL]\{\w",
        re.MULTILINE,
    ),
    "keras": re.compile(
        r"^[ \t]*# (?:Arguments|Returns|Raises|References|Examples?|Input shape)\b", re.MULTILINE
    ),
    "cell": re.compile(r"^[ \t]*#? ?%%(?: |$)|^# In\[[\d ]*\]:|^# COMMAND -{5,}", re.MULTILINE),
    "underline": re.compile(r"^[ \t]*(?:-{4,}|={4,}|~{4,}|\^{4,})[ \t]*$", re.MULTILINE),
    "environment": re.compile(r"\\(?:begin|end)\{"),
    "formula": re.compile(r"\$\$|\\[\[(]"),
}
"""What may not be left in prose."""
SECTIONS = frozenset(
    ["Args", "Arguments", "Parameters", "Returns", "Yields", "Raises", "Attributes", "Input shape"]
)
"""Sections of docstrings, which are no headings of the page of a module."""


class PageReader(HTMLParser):
    """Collects the lines of code, the prose, the ids and the links of a page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.lines: list[tuple[int, str]] = []
        """Number and text of each line of code, in the order of the page."""
        self.prose = ""
        self.headings: list[str] = []
        self.ids: set[str] = set()
        self.links: list[str] = []
        self._open: list[tuple[str, bool]] = []
        self._number: int | None = None
        self._text: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = dict(attrs)
        for name in ("id", "name"):
            if (name == "id" or tag == "a") and (value := attributes.get(name)):
                self.ids.add(value)
        if value := attributes.get("href" if tag != "img" else "src"):
            self.links.append(value)
        classes = (attributes.get("class") or "").split()
        if tag == "span" and "l" in classes:
            self._number, self._text = int((attributes.get("id") or "L0")[1:]), []
        if tag not in _VOID:
            is_marked = tag in _MARKED or "katex" in classes or "tex" in classes
            self._open.append((tag, is_marked or self._is_marked))
        elif tag in ("br", "img"):
            self._text.append("")

    @property
    def _is_marked(self) -> bool:
        return bool(self._open) and self._open[-1][1]

    def handle_endtag(self, tag: str) -> None:
        if tag in ("h1", "h2", "h3", "h4", "h5", "h6"):
            self.headings.append(self.prose.rpartition("\n")[2].strip())
        while self._open and self._open.pop()[0] != tag:
            pass
        if tag in ("p", "li", "td", "th", "dt", "dd", "h1", "h2", "h3", "h4", "h5", "h6", "div", "tr"):
            self.prose += "\n"

    def handle_data(self, data: str) -> None:
        if not self._is_marked:
            self.prose += data
        if self._number is None:
            return
        self._text.append(data)
        if data.endswith("\n"):
            self.lines.append((self._number, "".join(self._text).rstrip("\n")))
            self._number = None


def code_lines(source: str) -> Iterator[tuple[int, str]]:
    """Yield number and text of each line that surely is code, without the comment at its end.

    Such a line holds a token that is neither a comment nor part of a string that stands by itself.

    Raises:
        SyntaxError: if the source is not Python.
    """
    bare = set()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # others' escape sequences
        tree = ast.parse(source)
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Expr)
            and isinstance(node.value, ast.Constant)
            and isinstance(node.value.value, str)
        ):
            bare |= set(range(node.lineno, (node.end_lineno or 0) + 1))
    lines = io.StringIO(source).read().split("\n")
    found = set()
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type not in _LAYOUT:
            found |= set(range(token.start[0], token.end[0] + 1))
        elif token.type == tokenize.COMMENT:
            number, column = token.start
            lines[number - 1] = lines[number - 1][:column]
    yield from ((number, lines[number - 1]) for number in sorted(found - bare) if lines[number - 1].strip())
