"""Reads the files that a site is made of, and keeps what it makes of them in a store, under what they hold.

The stages that make it are imported when they are needed: as long as nothing has changed, neither Markdown nor gettext
is looked at.
"""

from __future__ import annotations

import os
from dataclasses import replace
from functools import cache, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from .cache import Store, digest
from .catalog import Catalog, catalog_as_json, catalog_from_json, parse_catalog
from .defaults import KEPT
from .engine import engine
from .errors import Problem, PylitError
from .facts import Facts, Labels, facts_from_json, labels_as_json, labels_from_json
from .interface import Gettext, catalog_file, direction, native_name, translator
from .questions import Asked, question

if TYPE_CHECKING:
    from .model import Source


class Reader(Asked):
    """Reads files below `base`, by their names from there."""

    def __init__(self, base: Path, store: Store) -> None:
        super().__init__()
        self.base = base
        self.store = store
        self.gettext = cache(self._gettext)
        self.locale = cache(self._locale)

    def path(self, file: str) -> Path:
        """Where a file lies."""
        return self.base / file

    def name(self, path: Path) -> str:
        """The name of a file from `base`, if it lies there."""
        return named_from(path, self.base)

    @question
    def content(self, file: str) -> str:
        """What stands for what a file holds; empty when it cannot be read."""
        try:
            return digest(self.path(file).read_bytes())
        except OSError:
            return ""

    def read(self, file: str) -> bytes:
        """What a file holds.

        Raises:
            OSError: if it cannot be read.
        """
        try:
            data = self.path(file).read_bytes()
        except OSError:
            self.told("content", file, value="")
            raise
        self.told("content", file, value=digest(data))
        return data

    @question
    def kind(self, file: str) -> str:
        """`file` or `folder`; empty when there is none, or when it is a link to a place outside of the base."""
        try:
            path = self.path(file)
            if leads_away(path, self.base):
                return ""
            return "folder" if path.is_dir() else "file" if path.exists() else ""
        except OSError:  # a name that no file can have
            return ""

    @question
    def has_file(self, file: str) -> bool:
        """Whether there is a file, of whose name the settings decide."""
        return self.path(file).is_file()

    @question
    def matches(self, pattern: str) -> list[str]:
        """The files that `pattern` names, in which `*` stands for any name."""
        found = (path for path in self.base.glob(pattern) if not leads_away(path, self.base))
        return sorted(path.relative_to(self.base).as_posix() for path in found)

    def source(self, file: str) -> Source:
        """A file, read and cut.

        Raises:
            PylitError: if it cannot be.
        """
        try:
            return _source(file, self.read(file))
        except OSError as error:
            hint = "Name a Python file, or a guide in Markdown."
            raise PylitError(Problem(file, 0, f"cannot be read: {error.strerror}", hint)) from error

    def facts_of(self, file: str, module: str, package: str) -> Facts | None:
        """What others need to know of a file; `None` when it cannot be read, which is reported with its page."""
        try:
            data = self.read(file)
        except OSError:
            return None
        key = _facts_key(file, module, package, data)
        found = facts_from_json(self.store.get_json(key), key)
        if found is None:
            from .survey import survey

            try:
                found = replace(survey(_source(file, data), module, package), key=key)
            except PylitError:
                return None
            self.store.put_json(key, found.as_json())
        return found

    def has_facts(self, file: str, module: str, package: str) -> bool:
        """Whether what others need to know of a file is in the store; if it cannot be read, nothing is to be known."""
        try:
            return self.store.has(_facts_key(file, module, package, self.read(file)))
        except OSError:
            return True

    def catalog_at(self, file: str, lang: str) -> Catalog:
        """The catalog in `file`; one that does not exist is empty.

        Raises:
            PylitError: with the line, if it cannot be read or does not parse.
        """
        data = self._catalog_data(file)
        return Catalog(lang) if data is None else self._catalog(data, file, lang)

    def labels_at(self, file: str, facts: Facts, lang: str) -> Labels:
        """What links to the file of `facts` say in a language, given the `file` of its catalog.

        Raises:
            PylitError: with the line, if the catalog cannot be read or does not parse.
        """
        data = self._catalog_data(file)
        if data is None:
            return replace(facts.labels, is_translated=False)
        key = digest("labels", engine(), lang, facts.key, data)
        found = labels_from_json(self.store.get_json(key))
        if found is None:
            from .survey import label

            found = label(facts, self._catalog(data, file, lang))
            self.store.put_json(key, labels_as_json(found))
        return found

    def _catalog_data(self, file: str) -> bytes | None:
        if not self.has_file(file):
            return None
        try:
            return self.read(file)
        except OSError as error:
            problem = Problem(file, 0, f"cannot be read: {error.strerror}", "Allow reading it.")
            raise PylitError(problem) from error

    def _catalog(self, data: bytes, file: str, lang: str) -> Catalog:
        key = digest("catalog", engine(), lang, data)
        found = catalog_from_json(self.store.get_json(key), file, lang)
        if found is None:
            found = parse_catalog(data, file, lang)
            self.store.put_json(key, catalog_as_json(found))
        return found

    def _gettext(self, lang: str) -> Gettext:
        """The function that translates the words of the interface into `lang`. The engine itself answers for it."""
        with self.unnoted():
            return translator(self.catalog_at(self.name(catalog_file(lang)), lang))

    def _locale(self, lang: str) -> tuple[str, str]:
        """What speakers of `lang` call it, and the direction it is written in."""
        key = digest("locale", engine(), lang)
        match self.store.get_json(key):
            case [str() as name, str() as side]:
                return name, side
        found = native_name(lang), direction(lang)
        self.store.put_json(key, found)
        return found


def named_from(path: Path, base: Path) -> str:
    """The name of a file from `base`, if it lies there."""
    full, root = os.path.abspath(path), os.path.abspath(base)
    if full.startswith(root + os.sep):
        return full[len(root) + 1 :].replace(os.sep, "/")
    try:  # one of them may be told by way of a link
        return path.resolve().relative_to(base.resolve()).as_posix()
    except ValueError:
        return path.as_posix()


def leads_away(path: Path, base: Path) -> bool:
    """Whether a path below `base` is a link to a place that is not there, of which nothing may come onto a page."""
    pairs = [(kind(path), kind(base) + os.sep) for kind in (os.path.abspath, os.path.realpath)]
    return [place.startswith(root) for place, root in pairs] == [True, False]


def _facts_key(file: str, module: str, package: str, data: bytes) -> str:
    return digest("facts", engine(), file, module, package, data)


@lru_cache(maxsize=KEPT)
def _source(file: str, data: bytes) -> Source:
    from .source import parse

    return parse(data, file)
