"""KaTeX's files for tests, from the package that npm has installed: at once, held back, or not at all.

It stands for the site, where a copy of them is by default, and for the CDN.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Literal

from browser import PACKAGES
from playwright.sync_api import BrowserContext, Route

CDN = "https://cdn.jsdelivr.net/"
FOLDERS = re.compile(rf"{CDN}npm/katex@0\.16\.22/dist/|https?://[^/]+/assets/katex/")
"""Where KaTeX is."""
DIST = PACKAGES / "katex/dist"
Kind = Literal["css", "woff2"]


@dataclass
class Cdn:
    """Answers what the pages in a context ask the CDN for."""

    context: BrowserContext
    blocked: bool = False
    """Whether nothing can be reached."""
    holding: set[Kind] = field(default_factory=set)
    """Kinds of files that are held back."""
    asked: list[str] = field(default_factory=list)
    """The files that were asked for, relative to the folder of KaTeX."""
    held: list[Route] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Take over all requests to it."""
        self.context.route(f"{CDN}**", self._answer)
        self.context.route("**/assets/katex/**", self._answer)

    def release(self, *kinds: Kind) -> None:
        """Answer what was held back of these kinds, and hold nothing of them back any more."""
        self.holding -= set(kinds)
        held, self.held = self.held, []
        for route in held:
            self._answer(route, again=True)

    def _answer(self, route: Route, *, again: bool = False) -> None:
        name = FOLDERS.sub("", route.request.url)
        if not again:
            self.asked.append(name)
        if self.blocked:
            route.abort()
        elif any(name.endswith(kind) for kind in self.holding):
            self.held.append(route)
        elif not (DIST / name).is_file():
            route.fulfill(status=404)
        else:
            kind = "text/css" if name.endswith(".css") else "font/woff2"
            headers = {"Access-Control-Allow-Origin": "*", "Content-Type": kind}
            route.fulfill(path=DIST / name, headers=headers)
