"""What the pieces of one text share: link targets, substitutions, numbers of footnotes, and levels of titles."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain, count

from docutils import nodes

MANY = 20
"""Maximum number of links from target to target."""


class References:
    """The names that the pieces of one text define for all of them."""

    def __init__(self, styles: dict[str, int]) -> None:
        self.styles = styles
        """Style of a title -> its level."""
        self.addresses: dict[str, str] = {}
        self.others: dict[str, str] = {}
        """Name of a target -> that of another one."""
        self.anonymous: list[str] = []
        self.substitutions: dict[str, nodes.Element] = {}
        self.labels: dict[int, str] = {}
        """Identity of a footnote or a reference to one without a number of its own -> its number."""
        self.names: dict[str, str] = {}
        self.known: set[str] = set()
        """The names of everything in the pieces."""
        self.equations: set[str] = set()
        """The labels of formulas."""
        self.used = 0
        self.taken: set[str] = set()
        """The labels that authors have given to footnotes."""
        self.unnumbered: tuple[list[nodes.Element], list[nodes.Element]] = ([], [])
        """Footnotes without a number of their own, and references to those that have no name either."""

    def collect(self, document: nodes.document) -> None:
        """Collect the definitions of a piece."""
        for node in document.findall(nodes.Element):
            self.known.update(node.get("names", ()))
            if isinstance(node, nodes.math_block) and node.get("label"):
                self.equations.add(node["label"])
            if isinstance(node, nodes.target):
                self._target(node)
            elif isinstance(node, nodes.substitution_definition):
                for name in node["names"]:
                    self.substitutions.setdefault(nodes.fully_normalize_name(name), node)
            elif isinstance(node, nodes.footnote):
                self.unnumbered[0].append(node) if node.get("auto") else self.taken.update(node["names"])
            elif isinstance(node, nodes.footnote_reference) and node.get("auto") and not node.get("refname"):
                self.unnumbered[1].append(node)

    def number(self) -> None:
        """Number the footnotes without numbers, when all pieces have been collected."""
        free = (str(number) for number in count(1) if str(number) not in self.taken)
        nameless = []
        for node in self.unnumbered[0]:
            self.labels[id(node)] = label = next(free)
            self.names.update((name, label) for name in node["names"])
            nameless += [] if node["names"] else [label]
        for node, label in zip(self.unnumbered[1], chain(nameless, free), strict=False):
            self.labels[id(node)] = label

    def _target(self, node: nodes.target) -> None:
        if node.get("anonymous"):
            self.anonymous.append(node.get("refuri", ""))
        for name in node["names"]:
            if "refuri" in node:
                self.addresses.setdefault(name, node["refuri"])
            elif "refname" in node:
                self.others.setdefault(name, node["refname"])

    def address(self, node: nodes.reference) -> str:
        """Return the address that a reference leads to; empty if it is none outside of the text."""
        if "refuri" in node:
            return str(node["refuri"])
        if node.get("anonymous"):
            self.used += 1
            return self.anonymous[self.used - 1] if self.used <= len(self.anonymous) else ""
        return self.find(node.get("refname", ""))

    def find(self, name: str) -> str:
        """Return the address that a name stands for; empty if there is none."""
        for _ in range(MANY):
            if name in self.addresses:
                return self.addresses[name]
            if name not in self.others:
                break
            name = self.others[name]
        return ""

    def footnote(self, node: nodes.Element) -> str:
        """Return the label of a footnote or citation, or of a reference to one."""
        if id(node) in self.labels:
            return self.labels[id(node)]
        if node.get("refname") and node.get("auto"):
            return self.names.get(str(node["refname"]), str(node["refname"]))
        return label.astext() if (label := _label(node.children)) else node.astext() or "*"

    def level(self, style: str) -> int:
        """Return the level of the titles with an underline, from 1."""
        return self.styles.setdefault(style, len(self.styles) + 1)


def _label(children: Sequence[nodes.Node]) -> nodes.Node | None:
    return next((child for child in children if isinstance(child, nodes.label)), None)
