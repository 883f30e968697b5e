"""Finds the official documentation of names that are not on the site: Python's own, and what a site's settings name."""

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
"""What the page of functions calls `#func-dict`."""
SUBMODULES = frozenset(
    "collections.abc concurrent.futures email.message email.policy email.utils http.client http.server"
    " importlib.abc importlib.metadata importlib.resources importlib.util json.tool logging.config"
    " logging.handlers multiprocessing.shared_memory os.path unittest.mock urllib.error urllib.parse"
    " urllib.request xml.dom.minidom xml.etree.ElementTree".split()
)
"""Modules of the standard library below others, which have pages of their own."""


def manual(full: str, manuals: Mapping[str, str]) -> str:
    """The address of the documentation of a full name; empty when that is not certain.

    `manuals` maps patterns such as `torch.nn.functional.*` to addresses in which `{name}` stands for the name. The
    first that fits counts, and an empty address means that there is none.
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
    # A module by itself is only the way to what is meant, and what a value has (`os.environ.get`) is not certain.
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
