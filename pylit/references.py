"""Puts the facts of all modules of a site together, so that names can lead to what they mean, and to who uses it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import PurePosixPath

from .facts import About, Facts

MANY_STEPS = 10
"""How often a name may be imported on before it is given up."""


@dataclass(frozen=True, slots=True)
class Reference:
    """A link from a name to what it means."""

    text: str
    href: str
    title: str
    """What those see who point at it: signature and first sentence."""


Refer = Callable[[str], Reference | None]
"""Finds where a full name leads to from a page; `None` when that is not known."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a name leads to on the site."""

    file: str
    name: str
    """Qualified name of the definition; empty for the page."""
    about: About


def module_name(file: str, packages: Collection[str]) -> tuple[str, str]:
    """The name of a file's module, and of the package that its relative imports count from.

    `packages` are the folders, relative to the site's base, that hold an `__init__.py`.
    """
    path = PurePosixPath(file)
    if path.suffix != ".py":
        return "", ""
    parts = [] if path.stem == "__init__" else [path.stem]
    folder = path.parent
    while folder.as_posix() in packages and folder.name:
        parts.insert(0, folder.name)
        folder = folder.parent
    name = ".".join(parts)
    return name, name if path.stem == "__init__" else ".".join(parts[:-1])


@dataclass(frozen=True)
class Index:
    """The definitions of all modules of a site, by their full names."""

    modules: Mapping[str, Facts] = field(default_factory=dict)

    def find(self, full: str) -> Place | None:
        """What a full name means, if it is on the site; modules that pass a name on are followed."""
        for _ in range(MANY_STEPS):
            parts = full.split(".")
            for end in range(len(parts), 0, -1):
                if found := self.modules.get(".".join(parts[:end])):
                    break
            else:
                return None
            rest = parts[end:]
            if not rest:
                return Place(found.file, "", About(""))
            name = ".".join(rest)
            if name in found.definitions:
                return Place(found.file, name, found.definitions[name])
            if rest[0] not in found.exports:
                return None
            full = ".".join([found.exports[rest[0]], *rest[1:]])
        return None

    def meaning(self, name: str, facts: Facts, within: str) -> str:
        """The full name of what prose calls `name` in the definition `within`; empty when it is not certain."""
        if self.find(name):
            return name
        scope = within
        while True:
            full = f"{facts.module}.{scope}.{name}" if scope else f"{facts.module}.{name}"
            if (place := self.find(full)) and place.name:
                return full
            if not scope:
                break
            scope = scope.rpartition(".")[0]
        first, dot, rest = name.partition(".")
        if first in facts.exports:
            return facts.exports[first] + dot + rest
        return self.classes.get(name, "")

    @cached_property
    def classes(self) -> Mapping[str, str]:
        """The full names of classes whose names are unique on the site, so that prose may mean no other."""
        found: dict[str, str] = {}
        for module in self.modules.values():
            for name in module.definitions:
                if name[:1].isupper() and "." not in name:
                    found[name] = "" if name in found else f"{module.module}.{name}"
        return found

    @cached_property
    def users(self) -> Mapping[str, Mapping[str, Collection[tuple[str, str]]]]:
        """File -> its definitions -> module and name of those that use them, except themselves and their parts."""
        found: dict[str, dict[str, dict[tuple[str, str], None]]] = {}
        for module in self.modules.values():
            for full, user in module.used:
                place = self.find(full)
                if not user or not place or not place.name or not place.about.signature:
                    continue
                if place.file != module.file or not f"{user}.".startswith(f"{place.name}."):
                    by_name = found.setdefault(place.file, {}).setdefault(place.name, {})
                    by_name[module.module, user] = None
        return found

    def used_by(self, file: str, name: str) -> Iterator[Place]:
        """Yield the definitions that use the definition `name` of a file."""
        for module, user in self.users.get(file, {}).get(name, ()):
            facts = self.modules[module]
            yield Place(facts.file, user, facts.definitions.get(user, About(user)))
