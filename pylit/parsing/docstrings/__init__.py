"""Finds docstrings, recognizes their dialect, and reads those in the dialects of Google, NumPy and Sphinx.

Sections are cut by line here, because docstring_parser and numpydoc drop sections that they do not know, and neither
they nor griffe tell the line of a parameter, while each line must be shown once and each problem must have its line.
"""

from .dialect import find_dialect, has_epytext, is_markdown, is_restructured
from .epytext import inline as epytext_inline
from .find import Docstring, find_docstrings
from .parts import split_names
from .signature import read_signature
from .tokens import read_section

__all__ = [
    "Docstring",
    "epytext_inline",
    "find_dialect",
    "find_docstrings",
    "has_epytext",
    "is_markdown",
    "is_restructured",
    "read_section",
    "read_signature",
    "split_names",
]
