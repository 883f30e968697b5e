"""A page names all fonts that its formulas are drawn with, and no other."""

from __future__ import annotations

import re

import pytest
from browser import PACKAGES

from pylit.site.katex_fonts import BOLD, FACES, FAMILIES, ITALIC, UPRIGHT, faces
from pylit.tex.typeset import Typesetter

typeset_formula = Typesetter().typeset

CSS = (PACKAGES / "katex/dist/katex.min.css").read_text("utf-8")


def test_tables_say_what_the_stylesheet_says() -> None:
    families: dict[tuple[str, ...], str] = {}
    bold, italic, upright = set[str](), set[str](), set[str]()
    rules = re.sub(r"@font-face\{[^}]*\}", "", CSS)
    for selectors, body in re.findall(r"([^{}]+)\{([^}]*)\}", rules):
        for selector in selectors.split(","):
            names = tuple(re.findall(r"\.([\w-]+)", selector.removeprefix(".katex ")))
            if selector.endswith(">span"):  # it is passed on from the element that has the class
                names = names[-1:]
            if family := re.search(r"font-family:KaTeX_(\w+)", body):
                families[names] = family[1]
            bold |= set(names) if "font-weight:700" in body else set()
            italic |= set(names) if "font-style:italic" in body else set()
            upright |= set(names) if "font-style:normal" in body else set()
    assert families == FAMILIES
    assert bold == BOLD and italic == ITALIC and upright == UPRIGHT
    assert sorted(set(re.findall(r"fonts/KaTeX_([\w-]+)\.woff2", CSS))) == sorted(FACES)
    assert {path.stem for path in (PACKAGES / "katex/dist/fonts").glob("*.woff2")} == {
        f"KaTeX_{name}" for name in FACES
    }


@pytest.mark.parametrize(
    ("tex", "names"),
    [
        ("x", "Math-Italic"),
        ("x + 1", "Main-Regular Math-Italic"),
        (r"\mathbb{R}", "AMS-Regular"),
        (r"\mathbf{W}x", "Main-Bold Math-Italic"),
        (r"\boldsymbol{x}", "Math-BoldItalic"),
        (r"\mathcal{F}", "Caligraphic-Regular"),
        (r"\boldsymbol{\mathcal{F}}", "Caligraphic-Regular"),
        (r"\textbf{so}\textsf{\textit{so}}", "Main-Bold SansSerif-Italic"),
        (r"\mathfrak{g}", "Fraktur-Regular"),
        (r"\mathtt{a}\texttt{b}", "Typewriter-Regular"),
        (r"\mathsf{a}\textsf{b}", "SansSerif-Regular"),
        (r"\mathscr{L}", "Script-Regular"),
        (r"\text{so}", "Main-Regular"),
        (r"\textit{so}", "Main-Italic"),
        (r"\textbf{\textit{so}}", "Main-BoldItalic"),
    ],
)
def test_fonts_of_formulas(tex: str, names: str) -> None:
    assert faces(f"<p>{typeset_formula(tex, False)} and <span>words</span></p>") == names.split()


def test_sizes() -> None:
    delimiters = faces(typeset_formula(r"\big( \Big( \bigg( \Bigg(", False))
    assert delimiters == [f"Size{size}-Regular" for size in range(1, 5)]
    assert faces(typeset_formula(r"\sum", False)) == ["Size1-Regular"]
    assert faces(typeset_formula(r"\sum", True)) == ["Size2-Regular"]
    stacked = faces(typeset_formula(r"\left(\begin{matrix}1\\1\\1\\1\\1\\1\end{matrix}\right)", True))
    assert stacked == ["Main-Regular"]  # brackets as high as that are drawings


def test_no_formula_no_font() -> None:
    assert faces('<p class="mathbb">R</p>') == []
