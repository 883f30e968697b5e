"""Typesets formulas as HTML and MathML with KaTeX, and marks their symbols.

Provides `Typesetter` and `find_symbols`. Refuses formulas that KaTeX rejects, or that take it too long.
"""

from .symbols import find_symbols
from .typeset import Typesetter

__all__ = ["Typesetter", "find_symbols"]
