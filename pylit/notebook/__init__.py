"""Makes Jupyter notebooks of modules, in one language, that run without pylit.

Provides `make_notebook`. Refuses to install anything that is not pinned.
"""

from .ipynb import Origin, make_notebook
from .requirement import check_requirement, resolve_requirement
from .statement_groups import Statements, read_statements

__all__ = [
    "Origin",
    "Statements",
    "check_requirement",
    "make_notebook",
    "read_statements",
    "resolve_requirement",
]
