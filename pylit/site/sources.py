"""The parsed sources of a site, and the facts of each file, cached under a digest of its content."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from ..cache import Answerer, Store, digest, engine_digest, question
from ..defaults import Conventions
from ..errors import Problem, PylitError, unexpected
from ..resolve import Facts, ModuleName, facts_from_json, module_name
from .files import Files
from .settings import Page
from .workbench import ParsedModule, Workbench

if TYPE_CHECKING:
    from ..parsing import Source

FACTS = 512
"""Number of files whose facts are kept in memory."""


class Sources(Answerer):
    """The sources of a site's `pages`."""

    def __init__(
        self,
        files: Files,
        store: Store,
        workbench: Workbench,
        pages: Sequence[Page],
        conventions: Conventions,
    ) -> None:
        super().__init__(files.questions)
        self.files = files
        self.workbench = workbench
        self.store = store
        self.pages = pages
        self.conventions = conventions
        self.errors: dict[str, PylitError] = {}
        """The error for each file whose facts could not be collected."""
        self.facts = self.questions.remembering(self._facts, FACTS)

    @cached_property
    def packages(self) -> frozenset[str]:
        """The folders that are Python packages."""
        paths = (PurePosixPath(page.file) for page in self.pages)
        return frozenset(path.parent.as_posix() for path in paths if path.name == "__init__.py")

    @question
    def module_name(self, file: str) -> ModuleName:
        """Return the name of the module in a file."""
        return module_name(file, self.packages)

    def module(self, file: str) -> ParsedModule:
        """Return a file, parsed, or as a listing with the problem that makes it one.

        Raises:
            PylitError: if it cannot be read.
        """
        try:
            with unexpected(file, "a page"):
                data = self.files.read(file)
                return self.workbench.parse(file, data, self.module_name(file), self.conventions)
        except OSError as error:
            hint = "Name a Python file or a Markdown guide."
            raise PylitError(Problem(file, 0, f"cannot be read: {error.strerror}", hint)) from error

    def source(self, file: str) -> Source:
        """Return a file, split into sections.

        Raises:
            PylitError: if it cannot be read or parsed.
        """
        source = self.module(file).source
        if source.problem:
            raise PylitError(source.problem)
        return source

    def _facts(self, file: str) -> Facts | None:
        """Collect the facts that other pages need; return `None` if the file cannot be parsed.

        The error is reported with the page of the file.
        """
        with self.questions.unnoted():
            try:
                data, name = self.files.read(file), self.module_name(file)
            except OSError:
                return None
        key = _facts_key(file, name, data, self.conventions)
        found = facts_from_json(self.store.get_json(key), key)
        if found is None:
            from ..resolve import collect_facts

            try:
                with unexpected(file, "a page"):
                    parsed = self.workbench.parse(file, data, name, self.conventions)
                    found = replace(collect_facts(parsed.source, name.module, parsed.uses), key=key)
            except PylitError as error:
                self.errors[file] = error
                return None
            self.store.put_json(key, found.as_json())
        return found

    def has_facts(self, file: str) -> bool:
        """Return whether the facts of a file are in the cache, or cannot be collected because it is unreadable."""
        with self.questions.unnoted():
            try:
                name, data = self.module_name(file), self.files.read(file)
                return self.store.has(_facts_key(file, name, data, self.conventions))
            except OSError:
                return True

    def survey(self, file: str) -> None:
        """Collect the facts of a file.

        Raises:
            PylitError: if a bug in pylit prevents this.
        """
        self.facts(file)
        if (error := self.errors.get(file)) and error.problem.traceback:
            raise error

    @question
    def anchor(self, file: str, name: str) -> str:
        """Return the anchor on a page that an author calls `name`; empty if there is none."""
        facts = self.facts(file)
        return facts.anchor(name) if facts is not None else ""

    @question
    def pictogram(self, file: str) -> str:
        """Return the drawing that stands for a page, relative to its file; empty if it has none."""
        facts = self.facts(file)
        return facts.pictogram if facts is not None else ""

    def anchors(self, file: str) -> frozenset[str]:
        """Return the anchors of a page, except those of lines, for spelling suggestions."""
        facts = self.facts(file)
        return facts.names if facts else frozenset()


def _facts_key(file: str, name: ModuleName, data: bytes, conventions: Conventions) -> str:
    return digest("facts", engine_digest(), file, name.module, name.package, repr(conventions), data)
