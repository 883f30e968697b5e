"""HTML attributes for text in another language than that of the text around it."""

from __future__ import annotations

from markupsafe import Markup

from .languages import direction


def marked(lang: str, around: str) -> Markup:
    """Return the `lang` and `dir` attributes for text whose language differs from `around`; empty if it does not."""
    return Markup(' lang="{}"').format(lang) + turned(lang, around) if lang and lang != around else Markup()


def turned(lang: str, around: str) -> Markup:
    """Return the `dir` attribute for text whose direction differs from that of `around`; empty if it does not."""
    own = direction(lang)
    return Markup(' dir="{}"').format(own) if own != direction(around) else Markup()
