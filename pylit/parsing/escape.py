"""Writes plain text, code and formulas as Markdown that says the same."""

from __future__ import annotations

import ast
import re

from .markdown import markdown

_SPECIAL = re.compile(
    r"""
    (?P<always>[\\`*$]) | (?P<score>_) | (?P<strike>~(?=~)|(?<=~)~) | (?P<call>\]\() | (?P<tag><(?=[A-Za-z/!?]))
    | (?P<entity>&(?=\#?\w+;)) | (?P<note>(?<=\[)\^)
    """,
    re.VERBOSE,
)
_START = re.compile(
    r"(?P<sign>[-+](?=\s|$)|\#{1,6}(?=\s|$)|(?:-{3,}|={3,})\s*$|>)|(?P<number>[0-9]{1,9})(?=[.)](?:\s|$))"
)
LONGEST_TYPE = 500
"""Maximum number of characters of a type that is read as an expression."""
DEEPEST_TYPE = 50
"""Maximum number of brackets in it."""
_BACKTICKS = re.compile("`+")
_SPACES = re.compile(r"\s+")


def text(plain: str) -> str:
    """Return plain text as Markdown on one line."""
    return _SPECIAL.sub(_escaped, _SPACES.sub(" ", plain))


def _escaped(match: re.Match[str]) -> str:
    match match.lastgroup:
        case "score":
            around = (
                match.string[max(match.start() - 1, 0) : match.start()],
                match.string[match.end() : match.end() + 1],
            )
            return "_" if all(side.isalnum() for side in around) else r"\_"
        case "call":  # not `\(`, which would open a formula
            return "]&#40;"
        case "tag":
            return "&lt;"
        case "entity":
            return "&amp;"
        case "note":  # a reference to a footnote
            return "&#94;"
    return "\\" + match[0]


def paragraph(block: str) -> str:
    """Return the Markdown of a block such that it does not look like the start of a heading or a list."""
    match = _START.match(block)
    if not match:
        return block
    if match["number"]:
        return f"{match['number']}\\{block[match.end() :]}"
    return f"\\{block}" if block[0] != ">" else f"&gt;{block[1:]}"


def code_span(plain: str) -> str:
    """Return code in backticks; empty if there is none."""
    plain = _SPACES.sub(" ", plain).strip()
    if not plain:
        return ""
    longest = max((len(run) for run in _BACKTICKS.findall(plain)), default=0)
    fence = "`" * (longest + 1)
    pad = " " if plain[0] == "`" or plain[-1] == "`" else ""
    return f"{fence}{pad}{plain}{pad}{fence}"


def type_name(plain: str) -> str:
    """Return a type as code if it is an expression of Python, otherwise as text: `dict[str, int]`, list of names."""
    plain = _SPACES.sub(" ", plain).strip()
    return code_span(plain) if is_expression(plain) else text(plain)


def is_expression(plain: str) -> bool:
    """Return whether `plain` is a short expression of Python."""
    if not plain or len(plain) > LONGEST_TYPE or plain.count("[") + plain.count("(") > DEEPEST_TYPE:
        return False
    try:
        ast.parse(plain, mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return True


def formula(tex: str, before: str = "", after: str = "") -> str:
    r"""Return a formula between dollars, or in `\(…\)` if a dollar would not do, given the characters around it."""
    tex = _SPACES.sub(" ", tex).strip()
    if not tex:
        return ""
    is_safe = (
        "$" not in tex and not tex.endswith("\\") and not (before.isalnum() or (before in "\\$" and before))
    )
    if is_safe and not (after.isalnum() or (after and after in "_{($")):
        return f"${tex}$"
    return rf"\({tex}\)" if r"\)" not in tex and r"\(" not in tex else code_span(tex)


def link(words: str, address: str) -> str:
    """Return a link; only its `words`, which are Markdown, if the address is not allowed."""
    address = _SPACES.sub("%20", address.strip()).replace("<", "%3C").replace(">", "%3E").replace("\\", "%5C")
    if not address or not words or not markdown().validateLink(address):
        return words
    return f"[{_without_brackets(words)}](<{address}>)"


def image(words: str, address: str, title: str = "") -> str:
    """Return an image with an alternative text and a title, both plain."""
    address = _SPACES.sub("%20", address.strip()).replace("<", "%3C").replace(">", "%3E").replace("\\", "%5C")
    if not address or not markdown().validateLink(address):
        return text(words)
    quoted = text(title).replace('"', "&quot;")
    title = f' "{quoted}"' if quoted else ""
    return f"![{_without_brackets(text(words))}](<{address}>{title})"


def _without_brackets(words: str) -> str:
    """Return Markdown without brackets that could end the text of a link; those in code stay if they are in pairs."""
    if "`" in words or "](" in words:
        return words if words.count("[") == words.count("]") else words.replace("[", "(").replace("]", ")")
    return words.replace("[", "&#91;").replace("]", "&#93;")
