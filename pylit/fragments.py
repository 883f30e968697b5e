"""Remembers the HTML of formulas, code, drawings and what is around pages, which only their text decides.

A page is most often made again because a word has changed, and has the same formulas as before. With them at hand,
neither KaTeX nor Pygments nor Jinja is needed. What a page has used is kept under its file.
"""

from __future__ import annotations

from collections.abc import Callable

from .cache import Store, digest


class Fragments:
    """The fragments of the pages of one file."""

    def __init__(self, store: Store | None = None, key: str = "") -> None:
        """Start with what is kept in `store` under a `key` that stands for the engine, its templates, and the file."""
        self.store = store or Store(None)
        self.key = key
        found = self.store.get_json(self.key)
        self.known: dict[str, str] = found if isinstance(found, dict) else {}
        self.used: dict[str, str] = {}

    def formula(self, tex: str, display: bool) -> str:
        """A formula, typeset.

        Raises:
            FormulaError: with KaTeX's reason, if it is wrong.
        """

        def make() -> str:
            from .math import typeset

            return typeset(tex, display)

        return self._fragment(f"formula {display:d} {tex}", make)

    def code(self, text: str, language: str) -> str:
        """A piece of code, coloured."""

        def make() -> str:
            from .highlight import highlight

            return highlight(text, language)

        return self._fragment(f"code {language}\n{text}", make)

    def drawing(self, data: bytes, alternative: str, prefix: str) -> str:
        """A drawing as part of the page, as `pictures.inline_svg` makes it.

        Raises:
            PictureError: if it cannot be shown.
        """

        def make() -> str:
            from .pictures import inline_svg

            return inline_svg(data, alternative, prefix)

        return self._fragment(f"drawing {digest(data, alternative, prefix)}", make)

    def frame(self, shown: str, make: Callable[[], str]) -> str:
        """What is around a page, as `make` gives it; `shown` stands for all that is in it."""
        return self._fragment(f"frame {digest(shown)}", make)

    def _fragment(self, name: str, make: Callable[[], str]) -> str:
        html = self.used.get(name) or self.known.get(name)
        if not isinstance(html, str):
            html = make()
        self.used[name] = html
        return html

    def keep(self) -> None:
        """Keep what was used, and nothing else."""
        if self.used != self.known:
            self.store.put_json(self.key, self.used)
