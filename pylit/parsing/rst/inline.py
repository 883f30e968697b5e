"""Writes inline markup of reStructuredText as Markdown on one line."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise

from docutils import nodes
from docutils.utils import unescape
from markdown_it.token import Token

from .. import escape, footnotes
from ..markdown import parse_inline
from .doctree import Role
from .references import References

NAMES = frozenset(
    "class func meth mod attr data obj exc const type any member property deco cls method function module".split()
)
"""Roles of names in Python."""
CALLED = frozenset(["func", "meth", "method", "function"])
WORDS = frozenset(
    "ref doc term numref eq download abbr acronym dfn title guilabel menuselection user".split()
)
"""Roles of words, whose target on another page is unknown here."""
CODE = frozenset(
    "code literal kbd file samp command program option envvar keyword makevar mimetype newsgroup regexp token"
    " title-reference py python c cpp js rst sh bash".split()
)
MANUALS = {
    "pep": ("PEP {}", "https://peps.python.org/pep-{:0>4}/"),
    "rfc": ("RFC {}", "https://datatracker.ietf.org/doc/html/rfc{}.html"),
}
PAPERS = {"doi": "https://doi.org/", "arxiv": "https://arxiv.org/abs/"}
"""Roles of papers -> where they are found."""
DEEPEST = 5
"""Maximum number of substitutions in each other."""
LONGEST = 100_000
"""Maximum number of characters of the substitutions of a text."""


_NAMED = re.compile(r"`([^`<>]+)`_|(\w+(?:[-._+:]\w+)*)_")


class InlineWriter:
    """A writer of the text of blocks."""

    def __init__(self, references: References, report: Callable[[str], None]) -> None:
        self.references = references
        self.report = report
        self.targets: list[str] = []
        """The full name that each piece of code stands for, in order; empty for other code."""
        self.depth = 0
        self.room = LONGEST

    def block(self, children: Sequence[nodes.Node]) -> tuple[str, list[Token]]:
        """Return the text of a block, and its tokens, in which code knows the full name that it stands for."""
        self.targets = []
        text = self.write(children).strip()
        tokens = list(parse_inline(text))
        if any(self.targets):
            codes = [position for position, token in enumerate(tokens) if token.type == "code_inline"]
            if len(codes) == len(self.targets):
                for position, target in zip(codes, self.targets, strict=True):
                    if target:
                        tokens[position] = tokens[position].copy(meta={"target": target})
        return text, tokens

    def write(self, children: Iterable[nodes.Node]) -> str:
        """Return inline nodes as Markdown."""
        parts: list[str] = []
        found = list(children)
        _close_parentheses(found)
        for position, node in enumerate(found):
            before = parts[-1][-1:] if parts else ""
            after = found[position + 1].astext()[:1] if position + 1 < len(found) else ""
            parts.append(self._node(node, before, after))
        return "".join(parts)

    def _node(self, node: nodes.Node, before: str, after: str) -> str:
        match node:
            case nodes.Text():
                return escape.text(node.astext())
            case Role():
                return self._role(node, before, after)
            case nodes.emphasis():
                return _emphasis("*", self.write(node.children), before, after)
            case nodes.strong():
                return _emphasis("**", self.write(node.children), before, after)
            case nodes.literal() | nodes.title_reference():
                return self._code(node.astext())
            case nodes.math():
                return escape.formula(node.astext(), before, after)
            case nodes.reference():
                return self._reference(node)
            case nodes.image():
                return self.picture(node)
            case nodes.footnote_reference() | nodes.citation_reference():
                space = " " if isinstance(node, nodes.footnote_reference) and before.strip() else ""
                return space + footnotes.written(self.references.footnote(node))
            case nodes.substitution_reference():
                return self._substitution(node)
            case nodes.problematic():
                return escape.text(unescape(node.astext(), restore_backslashes=True))
            case nodes.target() | nodes.Inline():
                return self.write(node.children)
            case nodes.system_message():
                return ""
        return escape.text(node.astext())

    def picture(self, node: nodes.Element, title: str = "") -> str:
        """Return a picture; in a link, if it has a target: an address, or the name of one (`name_`)."""
        picture = escape.image(node.get("alt", ""), node["uri"], title)
        target = str(node.get("target", ""))
        if name := _NAMED.fullmatch(target):
            target = self.references.find(nodes.fully_normalize_name(name[1] or name[2]))
        return escape.link(picture, target) if picture and target else picture

    def _code(self, text: str, target: str = "") -> str:
        found = escape.code_span(text)
        if found:
            self.targets.append(target)
        return found

    def _reference(self, node: nodes.reference) -> str:
        words, address = self.write(node.children), self.references.address(node)
        if not address:
            is_name = node.get("refname", "") in self.references.known or node.get("anonymous")
            return words if is_name or "`" in node.rawsource else escape.text(node.rawsource) or words
        if address == node.astext() and address.isascii() and not set(address) & set("<>\\ `"):
            return f"<{address}>" if "://" in address else escape.link(words, address)
        return escape.link(words, address)

    def _substitution(self, node: nodes.substitution_reference) -> str:
        name = nodes.fully_normalize_name(node.get("refname", node.astext()))
        found = self.references.substitutions.get(name)
        written = escape.text(f"|{node.astext()}|")
        if found is None or self.depth >= DEEPEST:
            return written
        self.depth += 1
        text = self.write(found.children)
        self.depth -= 1
        self.room -= len(text)
        return text if self.room >= 0 else written

    def _role(self, node: Role, before: str, after: str) -> str:
        role = str(node["role"]).rpartition(":")[2]
        text = node.astext()
        if role == "math":
            return escape.formula(text, before, after)
        if role in ("sub", "subscript", "sup", "superscript"):
            tag = role[:3]
            return f"<{tag}>{escape.text(unescape(text))}</{tag}>"
        if role in ("emphasis", "strong"):
            return _emphasis("**" if role == "strong" else "*", escape.text(text), before, after)
        title, target = _titled(text)
        if role in MANUALS:
            number = target.partition("#")[0].strip()
            name, address = MANUALS[role]
            words = escape.text(title if title != target else name.format(number))
            return escape.link(words, address.format(number)) if number.isdecimal() else words
        if role in PAPERS:
            words = title if title != target else f"{role}:{target}"
            return escape.link(escape.text(words), PAPERS[role] + target)
        if role == "eq" and target in self.references.equations:
            return rf"\eqref{{{target}}}"
        if role in WORDS:
            if title != target or role in (
                "abbr",
                "acronym",
                "dfn",
                "guilabel",
                "menuselection",
                "term",
                "user",
            ):
                return escape.text(title)
            return self._code(target.lstrip("~!/"))
        if role in NAMES:
            return self._name(role, title, target)
        if role and role not in CODE:
            self.report(role)
        return self._code(text)

    def _name(self, role: str, title: str, target: str) -> str:
        if title != target:
            return self._code(title, target.lstrip("~!."))
        is_short = target.startswith("~")
        full = target.lstrip("~!.").strip()
        if role in CALLED and not full.endswith(")"):
            full += "()"
        short = full.rpartition(".")[2] if is_short and not full.endswith(".") else full
        return self._code(short, full)


def _close_parentheses(found: list[nodes.Node]) -> None:
    """Move the parenthesis that closes one in a bare address into it; docutils leaves it outside."""
    for position, (node, after) in enumerate(pairwise(found)):
        if isinstance(node, nodes.reference) and isinstance(after, nodes.Text) and after.startswith(")"):
            address = node.get("refuri", "")
            if address == node.astext() and address.count("(") > address.count(")"):
                found[position] = nodes.reference(address, f"{address})", refuri=f"{address})")
                found[position + 1] = nodes.Text(after[1:])


def _titled(text: str) -> tuple[str, str]:
    """Return the title and the target of a role: `title <target>`, or twice the text."""
    if text.endswith(">") and "<" in text:
        title, _, target = text.removesuffix(">").rpartition("<")
        if title.strip() and target.strip():
            return title.strip(), target.strip()
    return text, text


def _emphasis(sign: str, words: str, before: str, after: str) -> str:
    """Return emphasized words; without the signs where Markdown would not take them for such."""
    if (
        not words
        or (before.isalnum() and not words[0].isalnum())
        or (after.isalnum() and not words[-1].isalnum())
    ):
        return words
    if before == "*" or words[0] == "*" or words[-1] == "*":
        return words
    return f"{sign}{words}{sign}"
