"""Combines the facts of all modules of a site, so that names can be linked to their definitions and users."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import PurePosixPath

from .module_info import DefinitionInfo, Facts

MANY_STEPS = 10
"""Maximum number of re-exports followed for a name."""
MANY_PARTS = 64
"""Maximum number of parts of a full name that are tried as the name of its module."""


@dataclass(frozen=True, slots=True)
class Reference:
    """A link from a name to its definition."""

    text: str
    href: str
    title: str
    """Tooltip: signature and first sentence."""


Refer = Callable[[str], Reference | None]
"""Returns the link target for a full name on a page; `None` if it is unknown."""


@dataclass(frozen=True, slots=True)
class DefinitionPlace:
    """A definition on the site."""

    file: str
    name: str
    """Qualified name of the definition; empty for the page."""
    info: DefinitionInfo


@dataclass(frozen=True, slots=True)
class ModuleName:
    """The name of a module."""

    module: str
    """Its name for `import`; empty for a guide or a script."""
    package: str
    """The package that its relative imports are relative to."""


def module_name(file: str, packages: Collection[str]) -> ModuleName:
    """Return the name of the module in a file.

    Args:
        file: The file, relative to the site's base.
        packages: The folders, relative to the site's base, that contain an `__init__.py`.
    """
    path = PurePosixPath(file)
    if path.suffix != ".py":
        return ModuleName("", "")
    parts = [] if path.stem == "__init__" else [path.stem]
    folder = path.parent
    while folder.as_posix() in packages and folder.name:
        parts.insert(0, folder.name)
        folder = folder.parent
    name = ".".join(parts)
    return ModuleName(name, name if path.stem == "__init__" else ".".join(parts[:-1]))


@dataclass(frozen=True, slots=True)
class User:
    """A definition that uses another."""

    module: str
    """The name of its module."""
    name: str
    """Its qualified name; empty for the module itself."""


@dataclass(frozen=True)
class Index:
    """The definitions of all modules of a site, by their full names."""

    modules: Mapping[str, Facts] = field(default_factory=dict)

    def find(self, full: str) -> DefinitionPlace | None:
        """Return the definition with a full name, if it is on the site, following re-exports."""
        for _ in range(MANY_STEPS):
            parts = full.split(".")
            for end in range(min(len(parts), MANY_PARTS), 0, -1):
                if found := self.modules.get(".".join(parts[:end])):
                    break
            else:
                return None
            rest = parts[end:]
            if not rest:
                return DefinitionPlace(found.file, "", DefinitionInfo(""))
            name = ".".join(rest)
            if name in found.definitions:
                return DefinitionPlace(found.file, name, found.definitions[name])
            if rest[0] not in found.exports:
                return None
            full = ".".join([found.exports[rest[0]], *rest[1:]])
        return None

    def meaning(self, name: str, facts: Facts, within: str) -> str:
        """Return the full name of `name` in the prose of the definition `within`; empty if it is uncertain."""
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
        """Full names of classes whose names are unique on the site, so that prose can only mean these."""
        found: dict[str, str] = {}
        for module in self.modules.values():
            for name in module.definitions:
                if name[:1].isupper() and "." not in name:
                    found[name] = "" if name in found else f"{module.module}.{name}"
        return found

    @cached_property
    def users(self) -> Mapping[str, Mapping[str, Collection[User]]]:
        """File -> definition -> its users, except itself and its parts."""
        found: dict[str, dict[str, dict[User, None]]] = {}
        for module in self.modules.values():
            for use in module.used:
                place, user = self.find(use.full), use.user
                if not user or not place or not place.name or not place.info.signature:
                    continue
                if place.file != module.file or not f"{user}.".startswith(f"{place.name}."):
                    by_name = found.setdefault(place.file, {}).setdefault(place.name, {})
                    by_name[User(module.module, user)] = None
        return found

    def used_by(self, file: str, name: str) -> Iterator[DefinitionPlace]:
        """Yield the definitions that use the definition `name` of a file."""
        for user in self.users.get(file, {}).get(name, ()):
            facts = self.modules[user.module]
            yield DefinitionPlace(
                facts.file, user.name, facts.definitions.get(user.name, DefinitionInfo(user.name))
            )
