"""Typesets formulas as HTML and MathML with KaTeX, marks their symbols, expands macros, and numbers equations.

Provides `Typesetter`, `find_symbols`, `Macros` and `number`. Refuses formulas that KaTeX rejects, or that take it too
long, and macros that grow without end.
"""

from .macros import DEFINES, Macros, expand, known_macros, take_definitions
from .numbering import REFERS, Numbered, needs_numbering, number
from .symbols import find_symbols
from .typeset import Typesetter, reference

__all__ = [
    "DEFINES",
    "REFERS",
    "Macros",
    "Numbered",
    "Typesetter",
    "expand",
    "find_symbols",
    "known_macros",
    "needs_numbering",
    "number",
    "reference",
    "take_definitions",
]
