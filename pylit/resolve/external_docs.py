"""Finds the documentation of names that are not on the site: in Python's manual, and in configured manuals."""

from __future__ import annotations

import builtins
import sys
from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase

PYTHON = "https://docs.python.org/3/library/"
FUNCTIONS = frozenset(
    name
    for name in dir(builtins)
    if name.islower()
    and not name.startswith("_")
    and name not in ("copyright", "credits", "exit", "license", "quit")
)
TYPES_BY_PREFIX = frozenset("bytearray bytes dict frozenset list memoryview range set str tuple".split())
"""Types whose anchors on Python's page of functions start with `func-`."""
SUBMODULES = frozenset(
    "collections.abc concurrent.futures email.message email.policy email.utils http.client http.server"
    " importlib.abc importlib.metadata importlib.resources importlib.util json.tool logging.config"
    " logging.handlers multiprocessing.shared_memory os.path unittest.mock urllib.error urllib.parse"
    " urllib.request xml.dom.minidom xml.etree.ElementTree".split()
)
"""Submodules of the standard library with pages of their own."""


def documentation_of(full: str, manuals: Mapping[str, str]) -> str:
    """Return the address of the documentation of a full name; empty if it is uncertain.

    Args:
        full: The full name.
        manuals: Pattern, such as `torch.nn.functional.*` -> address with `{name}` as a placeholder. The first matching
        pattern counts; an empty address means that there is no documentation.
    """
    for pattern, address in manuals.items():
        if fnmatchcase(full, pattern):
            return address.replace("{name}", full)
    first, _, rest = full.partition(".")
    if first == "builtins":
        return _builtin(rest)
    if first not in sys.stdlib_module_names or first.startswith("_"):
        return ""
    module = _longest(full, SUBMODULES) or first
    # A module alone is not linked, and attributes of values (`os.environ.get`) are uncertain.
    is_member = full.count(".") == module.count(".") + 1
    return f"{PYTHON}{module}.html#{full}" if is_member else ""


def _builtin(name: str) -> str:
    value = getattr(builtins, name, None)
    if isinstance(value, type) and issubclass(value, BaseException):
        return f"{PYTHON}exceptions.html#{name}"
    if name in FUNCTIONS:
        return f"{PYTHON}functions.html#{'func-' if name in TYPES_BY_PREFIX else ''}{name}"
    return ""


def _longest(full: str, modules: Iterable[str]) -> str:
    return max((m for m in modules if f"{full}.".startswith(f"{m}.")), key=len, default="")
