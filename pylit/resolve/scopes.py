"""The scopes of a module, and which of them a name belongs to, by Python's rules.

`self.conv` is an attribute of the class it is used in; any other attribute is identified by its name alone.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum, auto
from typing import NamedTuple

Position = tuple[int, int]
"""Line, counted from 1, and character, counted from 0."""

Meaning = tuple[int, str]
"""The identity of the scope that a name belongs to (0: an attribute of any object), and the name."""


class ScopeKind(Enum):
    """The kind of node that opens a scope."""

    MODULE = auto()
    CLASS = auto()
    FUNCTION = auto()
    COMPREHENSION = auto()


@dataclass(eq=False)
class Scope:
    """A part of a module with its own names."""

    kind: ScopeKind
    outer: Scope | None = None
    bound: set[str] = field(default_factory=set)
    free: set[str] = field(default_factory=set)
    """Names declared `nonlocal`."""
    of_module: set[str] = field(default_factory=set)
    """Names declared `global`."""
    receiver: str = ""
    """The name of a method's first parameter, `self`."""
    name: str = ""
    """Qualified name of a class or function."""
    full: dict[str, str] = field(default_factory=dict)
    """Name bound here -> its full name; empty if it has none, or several."""

    def bind(self, name: str, full: str = "") -> None:
        """Bind `name`: to a module, class or function with the name `full`, or to a value if `full` is empty."""
        self.bound.add(name)
        self.full[name] = full if self.full.get(name, full) == full else ""

    @property
    def module(self) -> Scope:
        """The outermost scope."""
        scope = self
        while scope.outer is not None:
            scope = scope.outer
        return scope


METHODS = (ScopeKind.FUNCTION, ScopeKind.COMPREHENSION)
"""Scopes that may be a method or inside one."""


class Use(NamedTuple):
    """An occurrence of a name."""

    name: str
    scope: Scope
    position: Position
    receiver: bool = False
    """Whether it is an attribute of the method's first parameter."""
    attribute: bool = False
    chain: tuple[str, ...] = ()
    """For an attribute of a plain name, the names before it: `nn.init` in `nn.init.zeros_`."""
    full: str = ""
    """Its full name, if it is known from this occurrence."""
    binds: bool = False


def meaning_of(use: Use) -> Meaning:
    """Return the meaning of a name; two uses with the same meaning refer to the same thing."""
    if use.attribute:
        owner = class_of(use)
        return (id(owner) if owner else 0, use.name)
    return (id(home_of(use.name, use.scope)), use.name)


def class_of(use: Use) -> Scope | None:
    """Return the class that an attribute of a method's first parameter belongs to."""
    scope: Scope | None = use.scope if use.receiver else None
    while scope and scope.kind is not ScopeKind.CLASS:
        scope = scope.outer
    return scope


def home_of(name: str, scope: Scope) -> Scope:
    """Return the scope that `name` belongs to, as seen from `scope`."""
    home = scope
    while home.outer:
        if name in home.of_module:
            return home.module
        bound = name in home.bound and name not in home.free
        if bound and (home.kind is not ScopeKind.CLASS or home is scope):
            break
        home = home.outer
    return home
