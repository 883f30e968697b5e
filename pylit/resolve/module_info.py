"""The facts of a file that other pages need: its title, anchors, definitions and uses.

`collect` finds them; here they are converted to JSON and back, so that a file is parsed again only if it has changed.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ..cache import canonical, digest

_LINE = re.compile(r"L([1-9]\d{0,8})")


@dataclass(frozen=True, slots=True)
class DefinitionInfo:
    """Anchor, signature and summary of a definition."""

    anchor: str
    signature: str = ""
    """How it is called: `ResidualBlock(in_channels, out_channels, stride)`; empty for a value."""
    summary: str = ""
    """The first paragraph of its prose."""


@dataclass(frozen=True, slots=True)
class Labels:
    """The texts of links to a page and to its definitions, in one language."""

    title: str
    """Title of the page, without markup."""
    sentences: Mapping[str, str]
    """Definition -> first sentence of its prose, without markup."""
    is_translated: bool = True
    """Whether the title is in that language rather than in that of the sources."""
    hook: str = ""
    """One line about the page, without markup."""
    is_hook_translated: bool = True


@dataclass(frozen=True, slots=True)
class NameUse:
    """A name that a file uses."""

    full: str
    """Its full name."""
    user: str
    """The definition that uses it; empty for the module itself."""


@dataclass(frozen=True, slots=True, eq=False)
class Facts:
    """The content, definitions, re-exports and uses of one file."""

    file: str
    module: str
    """Its name for `import`; empty for a guide."""
    title: str
    """Markdown, the msgid of its block."""
    names: frozenset[str]
    """Its anchors, except those of lines."""
    code: tuple[tuple[int, int], ...]
    """First and last line of each run of lines of code."""
    labels: Labels
    """Labels in the language of the sources."""
    definitions: Mapping[str, DefinitionInfo] = field(default_factory=dict)
    """Qualified name -> information about the definition."""
    exports: Mapping[str, str] = field(default_factory=dict)
    """Name that can be imported from it -> full name, if it is defined elsewhere."""
    used: tuple[NameUse, ...] = ()
    """The names that it uses."""
    arguments: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """Definition -> the parameters it takes when it is called."""
    host_anchors: Mapping[str, str] = field(default_factory=dict)
    """Anchor of a heading on a code host -> the anchor on its page, where they differ."""
    hook: str = ""
    """One line about the page, as Markdown, the msgid of its block; its summary if its author has written none."""
    pictogram: str = ""
    """The drawing that stands for the page, relative to its file."""
    key: str = ""
    """Digest of the file from which the facts were collected."""

    def takes(self, within: str, name: str) -> bool:
        """Return whether a definition, or one that contains it, has a parameter of that name."""
        while within:
            if name in self.arguments.get(within, ()):
                return True
            within = within.rpartition(".")[0]
        return False

    def anchor(self, name: str) -> str:
        """Return the anchor on its page that an author calls `name`, as a code host may; empty if there is none."""
        if found := self.host_anchors.get(name):
            return found
        if name in self.names:
            return name
        if line := _LINE.fullmatch(name):
            number = int(line[1])
            at = bisect_right(self.code, number, key=lambda run: run[0])
            return name if at > 0 and number <= self.code[at - 1][1] else ""
        return ""

    @property
    def structure(self) -> str:
        """Digest of what decides, together with that of all modules, which names mean and use which definitions."""
        found = self.as_json()
        return digest(canonical([self.module, found["definitions"], found["exports"], found["used"]]))

    def as_json(self) -> dict[str, Any]:
        """Return the facts as a JSON-serializable dictionary."""
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
            "used": [[use.full, use.user] for use in self.used],
            "arguments": {name: sorted(found) for name, found in self.arguments.items()},
            "host_anchors": dict(self.host_anchors),
            "hook": self.hook,
            "pictogram": self.pictogram,
        }


def facts_from_json(value: Any, key: str) -> Facts | None:
    """Restore the result of `as_json`; return `None` if it is not valid."""
    try:
        found = Facts(
            value["file"],
            value["module"],
            value["title"],
            frozenset(value["names"]),
            tuple((first, last) for first, last in value["code"]),
            _labels(value["labels"]),
            {name: DefinitionInfo(*about) for name, about in value["definitions"].items()},
            value["exports"],
            tuple(NameUse(full, user) for full, user in value["used"]),
            {name: frozenset(taken) for name, taken in value["arguments"].items()},
            dict(value["host_anchors"]),
            value["hook"],
            value["pictogram"],
            key,
        )
        return found if _is_sound(found) else None
    except (LookupError, TypeError, ValueError, AttributeError):
        return None


def _is_sound(facts: Facts) -> bool:
    """Return whether all texts are strings and all numbers are integers."""
    texts = [facts.file, facts.module, facts.title, *facts.names, *facts.exports, *facts.exports.values()]
    texts += (facts.hook, facts.pictogram)
    for name, about in facts.definitions.items():
        texts += (name, about.anchor, about.signature, about.summary)
    for use in facts.used:
        texts += (use.full, use.user)
    for name, taken in facts.arguments.items():
        texts += (name, *taken)
    for host, anchor in facts.host_anchors.items():
        texts += (host, anchor)
    numbers = [number for run in facts.code for number in run]
    return all(isinstance(text, str) for text in texts) and all(isinstance(number, int) for number in numbers)


def labels_as_json(labels: Labels) -> list[Any]:
    """Return labels as a JSON-serializable list."""
    return [
        labels.title,
        dict(labels.sentences),
        labels.is_translated,
        labels.hook,
        labels.is_hook_translated,
    ]


def labels_from_json(value: Any) -> Labels | None:
    """Restore the result of `labels_as_json`; return `None` if it is not valid."""
    try:
        return _labels(value)
    except (TypeError, ValueError):
        return None


def _labels(value: Any) -> Labels:
    title, sentences, is_translated, hook, is_hook_translated = value
    if not isinstance(is_translated, bool) or not isinstance(is_hook_translated, bool):
        raise TypeError("not labels")
    if not isinstance(sentences, dict):
        raise TypeError("not labels")
    if not all(isinstance(text, str) for text in (title, hook, *sentences, *sentences.values())):
        raise TypeError("not labels")
    return Labels(title, sentences, is_translated, hook, is_hook_translated)
