"""Turns links between source files into links between pages, and finds those that lead nowhere.

Authors link to files (`[training](experiment.py#train)`), so that the links work on a code host too.
"""

from __future__ import annotations

import posixpath
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import lru_cache
from typing import Protocol
from urllib.parse import quote, unquote, urlsplit

from .errors import Severity

EXTERNAL = ("http", "https", "mailto")


class LinkError(ValueError):
    """A link that cannot be made; its text says why, `hint` how to mend it."""

    def __init__(self, message: str, hint: str = "", severity: Severity = Severity.ERROR) -> None:
        super().__init__(message)
        self.hint = hint
        self.severity = severity


class Surroundings(Protocol):
    """What links need to know of the site. Files are named from its base."""

    def url(self, file: str, lang: str) -> str:
        """The address of a file's page in a language, from the root of the site; empty when it is no page."""

    def has_anchor(self, file: str, anchor: str) -> bool:
        """Whether a page has an anchor."""

    def kind(self, file: str) -> str:
        """`file` or `folder`; empty when there is none."""

    def matches(self, pattern: str) -> Sequence[str]:
        """The files that `pattern` names, in which `*` stands for any name."""

    def read(self, file: str) -> bytes:
        """What a file holds."""

    def repository_url(self, file: str) -> str:
        """The address of a file on the code host; empty when there is none."""

    def everything(self) -> Sequence[str]:
        """The files of all pages."""

    def anchors(self, file: str) -> Collection[str]:
        """The anchors of a page, to tell what may have been meant."""


@dataclass(frozen=True)
class Links:
    """Resolves the links of one page."""

    file: str
    """The file they stand in."""
    lang: str
    """The language of the page."""
    site: Surroundings

    def resolve(self, target: str, here: str) -> str:
        """The address that `target` has on the page at `here`, an address from the root of the site.

        Raises:
            LinkError: if it leads nowhere.
        """
        if not target:
            raise LinkError("a link leads nowhere", "Write an address between its parentheses.")
        try:
            parts = urlsplit(target)
        except ValueError as error:
            raise LinkError(f"the link `{target}` is no address: {error}", "Mend or remove it.") from error
        if parts.scheme in EXTERNAL:
            return target
        if parts.scheme or parts.netloc:
            raise LinkError(f"the link `{target}` is of a kind that is not allowed", "Use https or a path.")
        anchor = unquote(parts.fragment)
        if not parts.path:
            self._check_anchor(self.file, anchor, target)
            return f"#{parts.fragment}"
        path = self._find(unquote(parts.path), target)
        if not (url := self.site.url(path, self.lang)):
            if not (address := self.site.repository_url(path)):
                raise LinkError(
                    f"the link `{target}` leads to `{path}`, which is not a page of this site",
                    "Give the site a repository URL, and it will link there.",
                    Severity.WARNING,
                )
            return f"{address}#{parts.fragment}" if anchor else address
        if anchor:
            self._check_anchor(path, anchor, target)
        href = relative(url, here)
        return f"{href}#{quote(anchor, safe=':.')}" if anchor else href

    def find_file(self, target: str, kind: str = "picture") -> str:
        """The file that a picture's `target` names, relative to `base`.

        Raises:
            LinkError: if there is none.
        """
        path = self._joined(unquote(target))
        if path.startswith(("../", "/")) or self.site.kind(path) != "file":
            raise LinkError(f"the {kind} `{target}` does not exist", f"Looked for `{path}`.")
        return path

    def read(self, file: str) -> bytes:
        """What a file holds, named from the site's base.

        Raises:
            LinkError: if it cannot be read.
        """
        try:
            return self.site.read(file)
        except OSError as error:
            raise LinkError(
                f"the file `{file}` cannot be read: {error.strerror}", "Allow reading it."
            ) from error

    def find_files(self, pattern: str) -> list[str]:
        """The files that `pattern` names, in which `*` stands for any name, relative to `base` and sorted.

        Raises:
            LinkError: if there are none.
        """
        if "*" not in pattern:
            return [self.find_file(pattern, "file")]
        path = self._joined(pattern)
        outside = path.startswith(("../", "/"))
        found = [] if outside else self.site.matches(path)
        if not found:
            raise LinkError(f"there are no files `{pattern}`", f"Looked for `{path}`.")
        return list(found)

    def _joined(self, path: str) -> str:
        return posixpath.normpath(posixpath.join(posixpath.dirname(self.file), path))

    def _find(self, path: str, target: str) -> str:
        found = self._joined(path)
        for candidate in (found, posixpath.join(found, "__init__.py"), posixpath.join(found, "index.md")):
            candidate = posixpath.normpath(candidate)
            if self.site.url(candidate, self.lang):
                return candidate
        if not found.startswith(("../", "/")) and self.site.kind(found):
            return found
        near = get_close_matches(found, self.site.everything(), 1, 0.5)
        meant = f"Did you mean `{relative(near[0], self.file)}`?" if near else f"Looked for `{found}`."
        raise LinkError(f"the link `{target}` leads nowhere", meant)

    def _check_anchor(self, file: str, anchor: str, target: str) -> None:
        if anchor and not self.site.has_anchor(file, anchor):
            near = get_close_matches(anchor, sorted(self.site.anchors(file)), 1, 0.5)
            meant = f"Did you mean `#{near[0]}`?" if near else f"`{file}` has no such definition or heading."
            raise LinkError(f"the anchor of `{target}` leads nowhere", meant)


@lru_cache(maxsize=16384)
def relative(address: str, here: str) -> str:
    """`address` as seen from the page `here`, as a link; both count from the root of the site."""
    path = quote(posixpath.relpath(address, posixpath.dirname(here) or "."))
    return path
