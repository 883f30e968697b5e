"""Turns links between source files into links between pages, and finds those that lead nowhere.

Authors link to files (`[training](experiment.py#train)`), so that the links work on a code host too.
"""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit

from .errors import Severity

EXTERNAL = ("http", "https", "mailto")


class LinkError(ValueError):
    """A link that cannot be made; its text says why, `hint` how to mend it."""

    def __init__(self, message: str, hint: str = "", severity: Severity = Severity.ERROR) -> None:
        super().__init__(message)
        self.hint = hint
        self.severity = severity


@dataclass(frozen=True)
class Links:
    """Resolves the links of one page."""

    file: str
    """The file they stand in."""
    base: Path
    """The folder all files are relative to."""
    urls: Mapping[str, str]
    """File -> address of its page, from the root of the site."""
    anchors: Callable[[str], Collection[str]]
    """File -> anchors of its page."""
    repository: Callable[[str], str]
    """File -> its address on the code host; empty when there is none."""

    def resolve(self, target: str, here: str) -> str:
        """The address that `target` has on the page at `here`, an address from the root of the site.

        Raises:
            LinkError: if it leads nowhere.
        """
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
        if path not in self.urls:
            if not (address := self.repository(path)):
                raise LinkError(
                    f"the link `{target}` leads to `{path}`, which is not a page of this site",
                    "Give the site a repository URL, and it will link there.",
                    Severity.WARNING,
                )
            return f"{address}#{parts.fragment}" if anchor else address
        if anchor:
            self._check_anchor(path, anchor, target)
        href = relative(self.urls[path], here)
        return f"{href}#{quote(anchor, safe=':.')}" if anchor else href

    def find_file(self, target: str, kind: str = "picture") -> str:
        """The file that a picture's `target` names, relative to `base`.

        Raises:
            LinkError: if there is none.
        """
        path = self._joined(unquote(target))
        if path.startswith(("../", "/")) or not _exists(self.base / path):
            raise LinkError(f"the {kind} `{target}` does not exist", f"Looked for `{path}`.")
        return path

    def find_files(self, pattern: str) -> list[str]:
        """The files that `pattern` names, in which `*` stands for any name, relative to `base` and sorted.

        Raises:
            LinkError: if there are none.
        """
        if "*" not in pattern:
            return [self.find_file(pattern, "file")]
        path = self._joined(pattern)
        outside = path.startswith(("../", "/"))
        found = [] if outside else sorted(f.relative_to(self.base).as_posix() for f in self.base.glob(path))
        if not found:
            raise LinkError(f"there are no files `{pattern}`", f"Looked for `{path}`.")
        return found

    def _joined(self, path: str) -> str:
        return posixpath.normpath(posixpath.join(posixpath.dirname(self.file), path))

    def _find(self, path: str, target: str) -> str:
        found = self._joined(path)
        for candidate in (found, posixpath.join(found, "__init__.py"), posixpath.join(found, "index.md")):
            candidate = posixpath.normpath(candidate)
            if candidate in self.urls:
                return candidate
        if not found.startswith(("../", "/")) and _exists(self.base / found):
            return found
        near = get_close_matches(found, self.urls, 1, 0.5)
        meant = f"Did you mean `{relative(near[0], self.file)}`?" if near else f"Looked for `{found}`."
        raise LinkError(f"the link `{target}` leads nowhere", meant)

    def _check_anchor(self, file: str, anchor: str, target: str) -> None:
        anchors = self.anchors(file)
        if anchor and anchor not in anchors:
            near = get_close_matches(anchor, anchors, 1, 0.5)
            meant = f"Did you mean `#{near[0]}`?" if near else f"`{file}` has no such definition or heading."
            raise LinkError(f"the anchor of `{target}` leads nowhere", meant)


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:  # a name that no file can have
        return False


def relative(address: str, here: str) -> str:
    """`address` as seen from the page `here`, as a link; both count from the root of the site."""
    path = quote(posixpath.relpath(address, posixpath.dirname(here) or "."))
    return path
