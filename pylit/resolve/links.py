"""Turns links between source files into links between pages, and reports broken ones.

Authors link to files (`[training](experiment.py#train)`), so that links also work on a code host.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Protocol
from urllib.parse import quote, unquote, urlsplit

from ..errors import Severity
from ..filesystem import PathKind
from ..nearest import Guesses
from ..parsing import refused_character

EXTERNAL = ("http", "https", "mailto")
_LINE = re.compile(r"L([1-9][0-9]{0,8})")
"""The anchor of a line, as authors write it."""
_INDEXES = ("__init__.py", "index.md", "README.md", "readme.md")
_SUFFIXES = (".py", ".md", ".ipynb", ".pyi", ".pyw")
_PLAIN = ":."
"""Characters of anchors that addresses hold as they are, beside letters and digits."""
_CUTOFF = 0.5
"""Minimum similarity of a suggestion to a broken target."""


class LinkError(ValueError):
    """A broken link; its text says why, `hint` how to fix it."""

    def __init__(self, message: str, hint: str = "", severity: Severity = Severity.ERROR) -> None:
        super().__init__(message)
        self.hint = hint
        self.severity = severity


class PageTargets(Protocol):
    """The pages that links may lead to. Files are relative to the base of the site."""

    def url(self, file: str, lang: str) -> str:
        """Return the address of a file's page in a language, relative to the root of the site; empty if it is not a
        page.
        """

    def files(self) -> Sequence[str]:
        """Return the files of all pages."""


class AnchorTargets(Protocol):
    """The anchors that links may lead to."""

    def anchor(self, file: str, name: str) -> str:
        """Return the anchor on a page that an author calls `name`; empty if there is none."""

    def anchors(self, file: str) -> Collection[str]:
        """Return the anchors of a page, for suggestions."""


class FileTargets(Protocol):
    """The files other than pages that links may lead to."""

    def kind(self, file: str) -> PathKind:
        """Return the kind of file at a path."""

    def matches(self, pattern: str) -> Sequence[str]:
        """Return the files that match the glob `pattern`."""

    def read(self, file: str) -> bytes:
        """Return the content of a file."""


class HostTargets(Protocol):
    """The code host, for files without a page."""

    def url(self, file: str, line: int = 0) -> str:
        """Return the address of a file, or one of its lines, on the code host; empty if the code is not hosted."""


@dataclass(frozen=True)
class Links:
    """The links of one page."""

    file: str
    """The file that contains the links."""
    lang: str
    """The language of the page."""
    navigation: PageTargets
    sources: AnchorTargets
    files: FileTargets
    code_links: HostTargets
    guesses: Guesses = field(default_factory=Guesses, compare=False)
    """Suggestions for broken links."""

    def resolve(self, target: str, here: str) -> str:
        """Return the address of `target` as a link on the page at `here`, which is relative to the root of the site.

        Raises:
            LinkError: if it is broken.
        """
        if not target:
            raise LinkError("a link has no target", "Write an address between its parentheses.")
        try:
            parts = urlsplit(target)
        except ValueError as error:
            raise LinkError(
                f"the link `{target}` is not a valid address: {error}", "Fix or remove it."
            ) from error
        if character := refused_character(target + unquote(target)):
            raise LinkError(f"the link `{target}` contains {character}, which is not allowed", "Remove it.")
        if parts.scheme in EXTERNAL:
            return target
        if parts.scheme or parts.netloc:
            raise LinkError(f"the link `{target}` has a scheme that is not allowed", "Use https or a path.")
        anchor = unquote(parts.fragment)
        if not parts.path:
            found = self._anchor(self.file, anchor, target)
            return f"#{parts.fragment if found == anchor else quote(found, safe=_PLAIN)}"
        path = self._find(unquote(parts.path), target)
        if not (url := self.navigation.url(path, self.lang)):
            line = _LINE.fullmatch(anchor)  # anchors of lines differ between hosts
            if not (address := self.code_links.url(path, int(line[1]) if line else 0)):
                raise LinkError(
                    f"the link `{target}` leads to `{path}`, which is not a page of this site",
                    "Set `repository`, and the link will lead there.",
                    Severity.WARNING,
                )
            return f"{address}#{parts.fragment}" if anchor and not line else address
        href = relative_link(url, here)
        return f"{href}#{quote(self._anchor(path, anchor, target), safe=_PLAIN)}" if anchor else href

    def find_file(self, target: str, kind: str = "picture") -> str:
        """Return the file that the `target` of an image names, relative to the base of the site.

        Raises:
            LinkError: if it does not exist.
        """
        name = unquote(target)
        if name.startswith("attachment:"):
            raise LinkError(
                f"the {kind} `{target}` is not attached to a cell, or is not in a format that is shown",
                "Attach it again, or save it as a file.",
            )
        if self.files.kind(self._joined(name)) is not PathKind.FILE:
            # Code hosts take `?raw=true` and `#gh-dark-mode-only`, which are not part of the name.
            name = unquote(target.partition("#")[0].partition("?")[0]) or name
        path = self._joined(name)
        if character := refused_character(path):
            raise LinkError(f"the {kind} `{target}` has {character} in its name", "Remove it.")
        if path.startswith(("../", "/")) or self.files.kind(path) is not PathKind.FILE:
            raise LinkError(f"the {kind} `{target}` does not exist", f"Looked for `{path}`.")
        return path

    def localized(self, file: str) -> str:
        """Return the variant of a file for the language of the page, such as `name.zh.svg`; itself if there is none."""
        stem, suffix = posixpath.splitext(file)
        variant = f"{stem}.{self.lang}{suffix}"
        return variant if self.files.kind(variant) is PathKind.FILE else file

    def read(self, file: str) -> bytes:
        """Return the content of a file, given relative to the base of the site.

        Raises:
            LinkError: if it cannot be read.
        """
        try:
            return self.files.read(file)
        except OSError as error:
            raise LinkError(
                f"the file `{file}` cannot be read: {error.strerror}", "Replace it with a readable file."
            ) from error

    def find_files(self, pattern: str) -> list[str]:
        """Return the files that match the glob `pattern`, sorted, relative to the base of the site.

        Raises:
            LinkError: if there are none.
        """
        if "*" not in pattern:
            return [self.find_file(pattern, "file")]
        path = self._joined(pattern)
        outside = path.startswith(("../", "/"))
        if any("**" in part and part != "**" for part in path.split("/")) or refused_character(path):
            hint = "`**` matches any folders and must be a whole part of the path; `*` matches any name."
            raise LinkError(f"the pattern `{pattern}` is not valid", hint)
        found = [] if outside else self.files.matches(path)
        for file in found:
            if "\ufffd" in file:
                raise LinkError(f"the file `{file}` has a name that is not UTF-8", "Rename it.")
        if not found:
            raise LinkError(f"no files match `{pattern}`", f"Looked for `{path}`.")
        return list(found)

    def _joined(self, path: str) -> str:
        return posixpath.normpath(posixpath.join(posixpath.dirname(self.file), path))

    def _find(self, path: str, target: str) -> str:
        found = self._joined(path)
        for candidate in _page_files(found):
            if self.navigation.url(candidate, self.lang):
                return candidate
        if not found.startswith(("../", "/")) and self.files.kind(found) is not PathKind.NONE:
            return found
        hint = self.guesses.suggest(
            found,
            self.navigation.files,
            f"Looked for `{found}`.",
            cutoff=_CUTOFF,
            shown=lambda near: relative_link(near, self.file),
        )
        raise LinkError(f"the link `{target}` is broken", hint)

    def _anchor(self, file: str, anchor: str, target: str) -> str:
        found = self.sources.anchor(file, anchor) if anchor else ""
        if anchor and not found:  # code hosts ignore case, and Jupyter keeps it
            found = self.sources.anchor(file, anchor.lower())
        if anchor and not found:
            hint = self.guesses.suggest(
                anchor,
                lambda: sorted(self.sources.anchors(file)),
                f"`{file}` has no definition or heading of that name.",
                cutoff=_CUTOFF,
                shown=lambda near: f"#{near}",
            )
            raise LinkError(f"the anchor of `{target}` does not exist", hint)
        return found


def _page_files(path: str) -> Iterator[str]:
    """Yield the files whose page a link to `path` may mean: itself, the index of a folder, or the source of a page."""
    yield path
    yield from (posixpath.normpath(posixpath.join(path, name)) for name in _INDEXES)
    if not posixpath.splitext(path)[1]:  # and some leave the suffix out
        yield from (f"{path}{suffix}" for suffix in _SUFFIXES)
    if path.endswith(".html"):  # some projects link from page to page
        stem = path.removesuffix(".html")
        yield from (f"{stem}{suffix}" for suffix in _SUFFIXES)
        if posixpath.basename(stem) == "index":
            yield from (
                posixpath.normpath(posixpath.join(posixpath.dirname(path), name)) for name in _INDEXES
            )


@lru_cache(maxsize=16384)
def relative_link(address: str, here: str) -> str:
    """Return `address` as a link on the page `here`; both are clean, and relative to the root of the site."""
    folders, parts = here.split("/")[:-1], address.split("/")
    shared = 0
    while shared < min(len(folders), len(parts)) and folders[shared] == parts[shared]:
        shared += 1
    return quote("/".join([".."] * (len(folders) - shared) + parts[shared:])) or "."
