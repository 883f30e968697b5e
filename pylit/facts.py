"""What the rest of a site needs to know of a file: its title, its anchors, what it defines and uses.

`survey` finds it out; here it is kept, and becomes JSON and comes back, so that a file is read again only when it has
changed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

_LINE = re.compile(r"L([1-9]\d*)")


@dataclass(frozen=True, slots=True)
class About:
    """What is known of a definition."""

    anchor: str
    signature: str = ""
    """As it is called: `ResidualBlock(in_channels, out_channels, stride)`; empty for a value."""
    summary: str = ""
    """The first paragraph of its prose."""


@dataclass(frozen=True, slots=True)
class Labels:
    """What links to a page and to its definitions say, in one language."""

    title: str
    """Of the page, without markup."""
    sentences: Mapping[str, str]
    """Definition -> the first sentence of its prose, without markup."""
    is_translated: bool = True
    """Whether the title is in that language, and not in that of the sources."""


@dataclass(frozen=True, slots=True, eq=False)
class Facts:
    """What one file says, defines, passes on, and uses."""

    file: str
    module: str
    """Its name for `import`; empty for a guide."""
    title: str
    """Markdown: the msgid of its block."""
    names: frozenset[str]
    """Its anchors, but for those of lines."""
    code: tuple[tuple[int, int], ...]
    """The first and last number of each run of lines of code."""
    labels: Labels
    """In the language of the sources."""
    definitions: Mapping[str, About] = field(default_factory=dict)
    """Qualified name -> what is known of it."""
    exports: Mapping[str, str] = field(default_factory=dict)
    """Name that can be imported from it -> full name, when it comes from elsewhere."""
    used: tuple[tuple[str, str], ...] = ()
    """Full names that it uses, each with the definition that does; empty for the module itself."""
    arguments: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """Definition -> the parameters it takes when it is called."""
    key: str = ""
    """What stands for the file that all this was found in."""

    def parameters(self, within: str) -> frozenset[str]:
        """The parameters of a definition and of those it is in."""
        found: frozenset[str] = frozenset()
        while within:
            found |= self.arguments.get(within, frozenset())
            within = within.rpartition(".")[0]
        return found

    def has_anchor(self, anchor: str) -> bool:
        """Whether its page has that anchor."""
        if line := _LINE.fullmatch(anchor):
            return any(first <= int(line[1]) <= last for first, last in self.code)
        return anchor in self.names

    def as_json(self) -> dict[str, Any]:
        """All of it as JSON can hold it."""
        return {
            "file": self.file,
            "module": self.module,
            "title": self.title,
            "names": sorted(self.names),
            "code": self.code,
            "labels": labels_as_json(self.labels),
            "definitions": {
                name: [about.anchor, about.signature, about.summary]
                for name, about in self.definitions.items()
            },
            "exports": dict(self.exports),
            "used": self.used,
            "arguments": {name: sorted(found) for name, found in self.arguments.items()},
        }


def facts_from_json(value: Any, key: str) -> Facts | None:
    """What `as_json` gave; nothing if it is something else."""
    try:
        return Facts(
            value["file"],
            value["module"],
            value["title"],
            frozenset(value["names"]),
            tuple((first, last) for first, last in value["code"]),
            _labels(value["labels"]),
            {name: About(*about) for name, about in value["definitions"].items()},
            value["exports"],
            tuple((full, user) for full, user in value["used"]),
            {name: frozenset(found) for name, found in value["arguments"].items()},
            key,
        )
    except (LookupError, TypeError, ValueError, AttributeError):
        return None


def labels_as_json(labels: Labels) -> list[Any]:
    """All of it as JSON can hold it."""
    return [labels.title, dict(labels.sentences), labels.is_translated]


def labels_from_json(value: Any) -> Labels | None:
    """What `labels_as_json` gave; nothing if it is something else."""
    try:
        return _labels(value)
    except (TypeError, ValueError):
        return None


def _labels(value: Any) -> Labels:
    title, sentences, is_translated = value
    return Labels(title, sentences, is_translated)
