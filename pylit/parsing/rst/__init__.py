"""Reads reStructuredText, in docstrings and comments, as tokens like those of the Markdown parser.

docutils parses it; nothing is read from other files, and nothing in it can run. What is not known is shown as a listing
or as code, with a warning. docutils is loaded when the first such text is found.
"""

from .fragments import parse_fragments

__all__ = ["parse_fragments"]
