"""The strings of the interface: those of the theme's templates, and those that the engine writes on pages."""

from __future__ import annotations

import re
from collections.abc import Iterator

from jinja2 import Environment
from jinja2.ext import extract_from_ast

from ..cache import PACKAGE, THEME
from ..i18n import Block


def interface_strings() -> Iterator[Block]:
    """Yield the strings of the theme's templates, and those that the engine writes on pages."""
    environment = Environment()
    for path in sorted(THEME.rglob("*.html")):
        tree = environment.parse(path.read_text("utf-8"))
        for line, _, message in extract_from_ast(tree, gettext_functions=("_", "gettext")):
            if isinstance(message, str):
                yield Block(message, f"pylit/theme/{path.relative_to(THEME).as_posix()}", line, "")
    for path in sorted(PACKAGE.rglob("*.py")):
        text = path.read_text("utf-8")
        for match in re.finditer(r'gettext(?:\(lang\))?\(\s*"([^"]+)"\s*\)', text):
            yield Block(match.group(1), f"pylit/{path.name}", 0, "")
