"""Python source files as bilingual web pages: prose on the left, the code that runs on the right.

The way through, left to right; no module imports one that stands to its right::

    errors -> model -> source -> prose -> catalog -> math, highlight, links -> render -> site

`pylit` reads the files it documents and never imports them.
"""

__version__ = "0.1.0"
