"""Finds the names that a notebook's examples use before the cells that define them.

A module may define a helper at its end that everything uses: after an import, all of it exists. A notebook, however,
runs from top to bottom, with the examples in between.
"""

from __future__ import annotations

import symtable
from dataclasses import dataclass, field
from functools import lru_cache

MANY = 2000
"""Maximum number of nested scopes in a scope; the time to look them up grows with its square."""


@dataclass(frozen=True, slots=True)
class Names:
    """The names used by a piece of code at its top level."""

    bound: frozenset[str] = frozenset()
    imported: frozenset[str] = frozenset()
    """The bound names that it only imports."""
    used: frozenset[str] = frozenset()
    """The names that it reads, including those in functions that it defines."""


@lru_cache(maxsize=1024)  # all languages have the same cells
def names(code: str) -> Names:
    """Return the names of a piece of code; none if it is not valid Python, too large or nested too deeply."""
    try:
        table = symtable.symtable(code, "<cell>", "exec")
    except (SyntaxError, ValueError, RecursionError):  # an example may show a syntax error
        return Names()
    inner = _inner_tables(table)
    if inner is None:
        return Names()
    symbols = table.get_symbols()
    bound = {s.get_name() for s in symbols if s.is_assigned() or s.is_imported() or s.is_namespace()}
    imported = {s.get_name() for s in symbols if s.is_imported()}
    used = {s.get_name() for s in symbols if s.is_referenced()}
    used |= {s.get_name() for t in inner for s in t.get_symbols() if s.is_global() and s.is_referenced()}
    return Names(frozenset(bound), frozenset(imported), frozenset(used))


def _inner_tables(table: symtable.SymbolTable) -> list[symtable.SymbolTable] | None:
    """Return the scopes in a scope, recursively; none if one of them contains too many."""
    found = [table]
    for outer in found:  # which grows during the loop
        children = outer.get_children()
        if len(children) > MANY:
            return None
        found += children
    return found[1:]


@dataclass
class Early:
    """The names that are used too early, collected while going through the cells of a notebook from top to bottom."""

    module: frozenset[str]
    """The names bound by the module."""
    found: dict[str, None] = field(default_factory=dict)
    there: dict[str, set[str]] = field(default_factory=dict)
    """The names bound so far, each with the names that its cell uses."""

    def define(self, code: str) -> None:
        """Process a cell with definitions only: names used in its functions may be bound later."""
        own = names(code)
        for name in own.bound:
            self.there.setdefault(name, set()).update(own.used)

    def run(self, code: str) -> None:
        """Process a cell that calls defined functions."""
        waiting, seen = set(names(code).used), set[str]()
        while waiting:
            name = waiting.pop()
            seen.add(name)
            if name in self.there:
                waiting |= self.there[name] - seen
            elif name in self.module:
                self.found[name] = None
        self.define(code)
