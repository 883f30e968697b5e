"""Editions of a previewed site, and a board where the builder posts the latest one and readers wait for the next."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from urllib.parse import unquote_to_bytes

from ..cache import canonical, digest
from ..errors import Problem
from ..filesystem import is_address
from ..site import originals_url
from .hosts import is_hidden

LOST = "404.html"
"""The page that is shown for an unknown address."""


@dataclass(frozen=True)
class Edition:
    """The state of a site after a build, or the reason why the build failed."""

    files: Mapping[str, str] = field(default_factory=dict)
    """Address -> digest of all files."""
    problems: tuple[Problem, ...] = ()
    """Errors of the site. Its pages show their own."""
    failure: Problem | None = None
    """The reason why there is no site."""

    @cached_property
    def _frame(self) -> str:
        """Digest of all files that belong to no page: styles, scripts, images."""
        pages = [url for url in self.files if url.endswith(".html")]
        parts = {*pages, *map(originals_url, pages)}
        return canonical({url: key for url, key in self.files.items() if url not in parts})

    def state(self, address: str | None) -> str:
        """Return a digest of what a reader sees at an address. When it changes, the page must be reloaded."""
        if self.failure:
            return digest("failure", str(self.failure))
        if key := self.files.get(address or ""):
            return digest("page", key, self.files.get(originals_url(address or ""), ""), self._frame)
        return digest("lost", self.files.get(LOST, ""), *map(str, self.problems), self._frame)


def parse_path(path: str) -> str | None:
    """Return the address that the path of a request names; `None` if a site cannot have such a file.

    Each file has exactly one valid path: those with `..` or a backslash are refused.
    """
    try:
        address = unquote_to_bytes(path.removeprefix("/")).decode()
    except UnicodeDecodeError:
        return None
    if not address or address.endswith("/"):
        address += "index.html"
    return address if is_address(address) and not is_hidden(f"/{address}") else None


class Board:
    """The latest edition, shared between threads."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._edition = Edition()
        self.is_closed = False

    def pin(self, edition: Edition) -> None:
        """Publish a new edition."""
        with self._changed:
            self._edition = edition
            self._changed.notify_all()

    def close(self) -> None:
        """Wake all waiting readers."""
        with self._changed:
            self.is_closed = True
            self._changed.notify_all()

    @property
    def edition(self) -> Edition:
        """The latest edition."""
        with self._changed:
            return self._edition

    def wait(self, address: str | None, state: str, seconds: float) -> bool:
        """Wait until the state of an address changes or the board is closed; return `False` after `seconds`."""
        with self._changed:
            return self._changed.wait_for(
                lambda: self.is_closed or self._edition.state(address) != state, seconds
            )
