"""The in-memory cache of a process, kept from page to page and from build to build: parsed files, and KaTeX.

The parser is imported on first use, so that a build without changes does not load it.
"""

from __future__ import annotations

from functools import cached_property, lru_cache
from typing import TYPE_CHECKING

from ..defaults import Conventions
from ..errors import PylitError
from ..tex import Typesetter

if TYPE_CHECKING:
    from ..notebook import Statements
    from ..parsing import Source
    from ..rendering import ColouredCode
    from ..resolve import ModuleName, Uses

MODULES = 160
"""Number of parsed files that a process keeps; a long one takes half a megabyte with everything derived from it."""


class ParsedModule:
    """A parsed file, and everything derived from it alone, computed on first use."""

    def __init__(self, source: Source, name: ModuleName) -> None:
        self.source = source
        self.name = name

    @cached_property
    def uses(self) -> Uses:
        """The names in the module, resolved to definitions."""
        from ..resolve import Uses, find_uses

        if not self.source.is_python:
            return Uses({}, {}, {}, {})
        return find_uses(self.source, self.name.module, self.name.package)

    @cached_property
    def coloured(self) -> ColouredCode:
        """The highlighted code of the module."""
        from ..rendering import ColouredCode

        return ColouredCode(self.source, self.uses)

    @cached_property
    def statements(self) -> Statements:
        """The statements of the module, which become the cells of a notebook."""
        from ..notebook import read_statements

        return read_statements(self.source)


class Workbench:
    """The in-memory cache of a process, which can serve several sites in turn."""

    def __init__(self, typesetter: Typesetter | None = None) -> None:
        self.typesetter = typesetter or Typesetter()
        self.parse = lru_cache(maxsize=MODULES)(_parse)

    def close(self) -> None:
        """End the processes that it has started. They restart when needed."""
        self.typesetter.katex.close()


def _parse(file: str, data: bytes, name: ModuleName, conventions: Conventions) -> ParsedModule:
    """Parse the content `data` of a file whose module is called `name`; a listing if it cannot be decoded or parsed.

    Raises:
        PylitError: if it is neither a module nor a guide.
    """
    from ..parsing import FileKind, file_kind, listing, parse_source

    try:
        source = parse_source(data, file, conventions)
    except PylitError as error:
        if file_kind(file) is FileKind.OTHER:
            raise
        source = listing(data, file, error.problem)
    return ParsedModule(source, name)
