"""Finds the names that a notebook's examples need before the cells that define them.

A module may define a helper at its end that everything uses: once it is imported, all of it is there. A notebook runs
from top to bottom, with the examples in between.
"""

from __future__ import annotations

import symtable
from dataclasses import dataclass, field
from functools import lru_cache


@dataclass(frozen=True, slots=True)
class Names:
    """What a piece of code does with names at its top level."""

    bound: frozenset[str] = frozenset()
    imported: frozenset[str] = frozenset()
    """Those of them that it only imports."""
    used: frozenset[str] = frozenset()
    """Names that it reads, in the functions that it defines too."""


@lru_cache(maxsize=1024)  # the same cells stand in all languages
def names(code: str) -> Names:
    """The names of a piece of code; none if it is no Python."""
    try:
        table = symtable.symtable(code, "<cell>", "exec")
    except (SyntaxError, ValueError):  # an example may show what Python says of it
        return Names()
    symbols = table.get_symbols()
    bound = {s.get_name() for s in symbols if s.is_assigned() or s.is_imported() or s.is_namespace()}
    imported = {s.get_name() for s in symbols if s.is_imported()}
    used = {s.get_name() for s in symbols if s.is_referenced()}
    return Names(frozenset(bound), frozenset(imported), frozenset(used | _used_inside(table)))


def _used_inside(table: symtable.SymbolTable) -> set[str]:
    used = set()
    for child in table.get_children():
        used |= {s.get_name() for s in child.get_symbols() if s.is_global() and s.is_referenced()}
        used |= _used_inside(child)
    return used


@dataclass
class Early:
    """Goes through the cells of a notebook from top to bottom, and gathers the names that come too late."""

    module: frozenset[str]
    """The names that the module binds."""
    found: dict[str, None] = field(default_factory=dict)
    there: dict[str, set[str]] = field(default_factory=dict)
    """The names that are bound so far, each with those that its cell uses."""

    def define(self, code: str) -> None:
        """Go on to a cell that only defines: what its functions use may come later."""
        own = names(code)
        for name in own.bound:
            self.there.setdefault(name, set()).update(own.used)

    def run(self, code: str) -> None:
        """Go on to a cell that calls what was defined."""
        waiting, seen = set(names(code).used), set[str]()
        while waiting:
            name = waiting.pop()
            seen.add(name)
            if name in self.there:
                waiting |= self.there[name] - seen
            elif name in self.module:
                self.found[name] = None
        self.define(code)
