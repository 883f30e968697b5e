"""The input files of a site: reads, finds and names files below its base and other configured folders."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from ..cache import Answerer, Question, Questions, digest, question
from ..errors import Problem, PylitError
from ..filesystem import (
    AddressError,
    PathKind,
    Signature,
    is_below,
    is_entry,
    leads_away,
    locate,
    parse_address,
    read_file,
    resolve_path,
    resolves_below,
    signature,
)
from ..i18n import catalog_file

CONTENT = "content"
_ABOUT_FILES = frozenset([CONTENT, "kind", "has_file", "matches"])
"""Questions whose answers change when a file is saved, created or removed."""


class Files(Answerer):
    """Files below `base`, named relative to it, and files below `others`, further configured folders."""

    def __init__(self, questions: Questions, base: Path, others: Iterable[Path | None] = ()) -> None:
        super().__init__(questions)
        self.base = base
        self.signatures: dict[str, Signature] = {}
        """Signatures of the files that were read, where they tell whether a file has changed since."""
        self.roots = (base, *(folder for folder in others if folder is not None))

    def path(self, file: str) -> Path:
        """Return the path of a file."""
        return self.base / file

    def root(self, path: Path) -> Path:
        """Return the folder that a path must not leave."""
        place = os.path.abspath(path)
        roots = (*self.roots, catalog_file("").parent)
        return next((root for root in roots if is_below(place, os.path.abspath(root))), self.base)

    def data(self, file: str) -> bytes:
        """Return the content of a file without recording a question.

        Raises:
            OSError: if it cannot be read.
        """
        path = self.path(file)
        return read_file(path, self.root(path))

    def name(self, path: Path) -> str:
        """Return a path relative to `base` if it is below it."""
        return named_from(path, self.base)

    def locate(self, folder: Path, address: str) -> Path:
        """Return the path of `address` in `folder`, for writing.

        Raises:
            PylitError: if the address is not clean, or a symlink leads out of `folder` or the base.
        """
        top = Path(os.path.normpath(folder))
        if top.is_relative_to(self.base):
            locate(self.base, (top / address).relative_to(self.base).as_posix())
        return locate(folder, address)

    @question
    def content(self, file: str) -> str:
        """Return the digest of a file; empty if it cannot be read."""
        try:
            return self._read(file)[1]
        except OSError:
            return ""

    def _read(self, file: str) -> tuple[bytes, str]:
        """Return the content of a file and its digest.

        Raises:
            OSError: if it cannot be read.
        """
        signed = signature(self.path(file))
        try:
            data = self.data(file)
        except OSError:
            self.questions.observe(CONTENT, file, "")
            raise
        found = digest(data)
        self.questions.observe(CONTENT, file, found)
        if signed:
            self.signatures[file] = signed
        return data, found

    def read(self, file: str) -> bytes:
        """Return the content of a file.

        Raises:
            OSError: if it cannot be read.
        """
        try:
            data, found = self._read(file)
        except OSError:
            self.questions.note_answer(CONTENT, file, value="")
            raise
        self.questions.note_answer(CONTENT, file, value=found)
        return data

    def is_publishable(self, file: str) -> bool:
        """Return whether a file may be copied to the site: a regular file below the base, symlinks resolved."""
        return self._is_ours(file) and self.path(file).is_file()

    def read_published(self, file: str) -> bytes:
        """Return the content of a file that is copied to the site.

        Raises:
            PylitError: if it may not be published.
            OSError: if it cannot be read.
        """
        if not self._is_ours(file):
            hint = "Pictures must be files of the project: copy it there, and remove the symlink."
            raise PylitError(Problem(file, 0, "is not a file of the project, and is not published", hint))
        return self.data(file)

    def _is_ours(self, file: str) -> bool:
        """Return whether a file has a clean address and is below the base, symlinks resolved."""
        try:
            return resolves_below(self.path(parse_address(file)), self.base)
        except AddressError:
            return False

    @question
    def kind(self, file: str) -> PathKind:
        """Return the kind of a path; `NONE` for a symlink that leaves the base."""
        found = self.now("kind", file)
        self.questions.observe("kind", file, found)
        return PathKind(found)

    @question
    def has_file(self, file: str) -> bool:
        """Return whether a file exists; for names that come from the settings."""
        found = self.now("has_file", file)
        self.questions.observe("has_file", file, found)
        return bool(found)

    @question
    def matches(self, pattern: str) -> list[str]:
        """Return the files that match the glob `pattern`; none if the pattern is not valid.

        Bytes of a name that are not UTF-8 are replaced.
        """
        found: list[str] = self.now("matches", pattern)
        self.questions.observe("matches", pattern, found)
        return found

    def now(self, kind: str, about: str) -> Any:
        """Make an observation without recording it."""
        match kind:
            case "kind":
                return _kind(self.path(about), self.base).value
            case "has_file":
                return is_entry(self.path(about))
            case "matches":
                return _matches(about, self.base)
            case _:
                try:
                    return digest(self.data(about))
                except OSError:
                    return ""


def _kind(path: Path, base: Path) -> PathKind:
    try:
        if leads_away(path, base):
            return PathKind.NONE
        return PathKind.FOLDER if path.is_dir() else PathKind.FILE if path.exists() else PathKind.NONE
    except (OSError, ValueError):  # the name is not valid
        return PathKind.NONE


def _matches(pattern: str, base: Path) -> list[str]:
    try:
        found = [path for path in base.glob(pattern) if not leads_away(path, base)]
    except (ValueError, NotImplementedError, RecursionError, OSError):
        return []
    names = (path.relative_to(base).as_posix() for path in found)
    return sorted(name.encode("utf-8", "replace").decode() for name in names)


def files_asked(asked: Iterable[Question]) -> frozenset[str]:
    """Return the files that some questions are about, relative to the base, and glob patterns, which contain `*`."""
    return frozenset(about[0] for name, *about in asked if name in _ABOUT_FILES)


def named_from(path: Path, base: Path) -> str:
    """Return a path relative to `base` if it is below it."""
    full, root = os.path.abspath(path), os.path.abspath(base)
    if full.startswith(root + os.sep):
        return full[len(root) + 1 :].replace(os.sep, "/")
    try:  # one of them may contain a symlink
        return resolve_path(path).relative_to(resolve_path(base)).as_posix()
    except ValueError:
        return path.as_posix()
