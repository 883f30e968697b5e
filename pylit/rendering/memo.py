"""Caches HTML fragments that depend only on their text: formulas, code, drawings, and frames of pages.

Usually a page is made again because a few words have changed, and its formulas are the same. With the fragments
cached, KaTeX, Pygments and Jinja are not needed. The fragments used by the pages of a file are stored together.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from ..cache import Store, canonical, digest
from ..tex import Typesetter
from .code_html import ListingError, highlight
from .images import DrawnLink, inline_svg


class Fragments:
    """The fragments used by the pages of one file."""

    def __init__(
        self, store: Store | None = None, key: str = "", typesetter: Typesetter | None = None
    ) -> None:
        """Load the fragments from `store` under a `key` derived from the engine, its templates, and the file."""
        self.typesetter = typesetter or Typesetter()
        self.store = store or Store(None)
        self.key = key
        found = self.store.get_json(self.key)
        known = found.items() if isinstance(found, dict) else ()
        self.known = {name: html for name, html in known if isinstance(html, str)}
        self.used: dict[str, str] = {}
        self.slow: dict[str, str] = {}
        """Listings that took too long to highlight, so that it is not tried again for the next language."""

    def formula(self, tex: str, display: bool) -> str:
        """Typeset a formula.

        Raises:
            FormulaError: if it is not valid, with KaTeX's reason.
        """
        return self._fragment(f"formula {display:d} {tex}", lambda: self.typesetter.typeset(tex, display))

    def code(self, text: str, language: str) -> str:
        """Highlight a piece of code.

        Raises:
            ListingError: if it takes too long.
        """
        name = f"code {language}\n{text}"
        if name in self.slow:
            raise ListingError(self.slow[name])
        try:
            return self._fragment(name, lambda: highlight(text, language))
        except ListingError as error:
            self.slow[name] = str(error)
            raise

    def drawing(
        self,
        data: bytes,
        alternative: str,
        prefix: str,
        links: Mapping[str, DrawnLink] | None = None,
    ) -> str:
        """Return a drawing for inlining; see `images.inline_svg`.

        Raises:
            PictureError: if it cannot be shown.
        """
        leads = canonical([[target, link] for target, link in (links or {}).items()])
        name = f"drawing {digest(data, alternative, prefix, leads)}"
        return self._fragment(name, lambda: inline_svg(data, alternative, prefix, links))

    def frame(self, shown: str, make: Callable[[], str]) -> str:
        """Return the frame around a page, made by `make`; `shown` represents its entire content."""
        return self._fragment(f"frame {digest(shown)}", make)

    def _fragment(self, name: str, make: Callable[[], str]) -> str:
        html = self.used.get(name) or self.known.get(name)
        if html is None:
            html = str(
                make()
            )  # no `Markup`, which would escape what is added to it; kept fragments are none either
        self.used[name] = html
        return html

    def keep(self) -> None:
        """Store the fragments that were used, and drop the others."""
        if self.used != self.known:
            self.store.put_json(self.key, self.used)
