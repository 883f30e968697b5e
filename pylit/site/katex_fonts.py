"""Finds the fonts used by the formulas of a page, so that the page can wait for exactly these.

The tables below restate rules of KaTeX's stylesheet; the tests compare them with it.
"""

from __future__ import annotations

import re
from typing import NamedTuple

FAMILIES = {
    ("textrm",): "Main",
    ("textsf",): "SansSerif",
    ("texttt",): "Typewriter",
    ("mathnormal",): "Math",
    ("mathit",): "Main",
    ("mathbf",): "Main",
    ("boldsymbol",): "Math",
    ("amsrm",): "AMS",
    ("mathbb",): "AMS",
    ("textbb",): "AMS",
    ("mathcal",): "Caligraphic",
    ("mathfrak",): "Fraktur",
    ("textfrak",): "Fraktur",
    ("mathboldfrak",): "Fraktur",
    ("textboldfrak",): "Fraktur",
    ("mathtt",): "Typewriter",
    ("mathscr",): "Script",
    ("textscr",): "Script",
    ("mathsf",): "SansSerif",
    ("mathboldsf",): "SansSerif",
    ("textboldsf",): "SansSerif",
    ("mathitsf",): "SansSerif",
    ("mathsfit",): "SansSerif",
    ("textitsf",): "SansSerif",
    ("mainrm",): "Main",
    ("delimsizing", "size1"): "Size1",
    ("delimsizing", "size2"): "Size2",
    ("delimsizing", "size3"): "Size3",
    ("delimsizing", "size4"): "Size4",
    ("delim-size1",): "Size1",
    ("delim-size4",): "Size4",
    ("op-symbol", "small-op"): "Size1",
    ("op-symbol", "large-op"): "Size2",
}
"""Classes of an element -> font family of its text. Later rows take precedence."""
BOLD = frozenset("textbf mathbf boldsymbol mathboldfrak textboldfrak mathboldsf textboldsf".split())
ITALIC = frozenset("textit mathnormal mathit boldsymbol mathitsf mathsfit textitsf".split())
UPRIGHT = frozenset(["mathrm", "mainrm"])
FACES = (
    "AMS-Regular Caligraphic-Bold Caligraphic-Regular Fraktur-Bold Fraktur-Regular Main-Bold Main-BoldItalic"
    " Main-Italic Main-Regular Math-BoldItalic Math-Italic SansSerif-Bold SansSerif-Italic SansSerif-Regular"
    " Script-Regular Size1-Regular Size2-Regular Size3-Regular Size4-Regular Typewriter-Regular"
).split()
"""The available fonts, by the names of their files."""
_FORMULA = '<span class="katex-html"'
_TOKEN = re.compile(r"<span([^>]*)>|(</span>)|[^<]+|<[^>]*>")
_CLASS = re.compile(r'class="([^"]*)"')


class _Style(NamedTuple):
    """Font style of text."""

    family: str = "Main"
    is_bold: bool = False
    is_italic: bool = False


def faces(html: str) -> list[str]:
    """Return the sorted names of all fonts used by the formulas in `html`, such as `Math-Italic`."""
    styles: set[_Style] = set()
    for formula in html.split(_FORMULA)[1:]:
        _collect(f"<span{formula}", styles)
    return sorted({_face(style) for style in styles})


def _collect(html: str, styles: set[_Style]) -> None:
    """Add the styles of the text in the first element of `html` to `styles`."""
    within = [_Style()]
    for token in _TOKEN.finditer(html):
        opened, closed = token.groups()
        if opened is not None:
            classes = _CLASS.search(opened)
            within.append(_styled(within[-1], frozenset(classes[1].split())) if classes else within[-1])
        elif closed:
            within.pop()
            if len(within) == 1:
                return
        elif not token[0].startswith("<"):
            styles.add(within[-1])


def _styled(style: _Style, classes: frozenset[str]) -> _Style:
    """Return the style of an element with these classes inside an element of style `style`."""
    family = next((f for names, f in reversed(FAMILIES.items()) if classes.issuperset(names)), style.family)
    is_italic = (style.is_italic or bool(classes & ITALIC)) and not classes & UPRIGHT
    return _Style(family, style.is_bold or bool(classes & BOLD), is_italic)


def _face(style: _Style) -> str:
    """Return the font that browsers choose for a style: they synthesize slant and weight if no font has them."""
    for bold, italic in ((style.is_bold, style.is_italic), (False, style.is_italic), (style.is_bold, False)):
        name = f"{style.family}-{'Bold' * bold}{'Italic' * italic}" if bold or italic else ""
        if name in FACES:
            return name
    regular = f"{style.family}-Regular"
    return regular if regular in FACES else f"{style.family}-Italic"
