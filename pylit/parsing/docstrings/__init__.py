"""Finds docstrings, recognizes their dialect, and reads those in the dialects of Google, NumPy and Sphinx.

Sections are cut by line here, because docstring_parser and numpydoc drop sections that they do not know, and neither
they nor griffe tell the line of a parameter, while each line must be shown once and each problem must have its line.
"""

from .dialect import find_dialect, is_markdown, is_restructured
from .find import Docstring, find_docstrings
from .signature import read_signature
from .tokens import read_section

__all__ = [
    "Docstring",
    "find_dialect",
    "find_docstrings",
    "is_markdown",
    "is_restructured",
    "read_section",
    "read_signature",
]
